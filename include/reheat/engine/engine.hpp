// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/effects.hpp>
#include <reheat/engine/pending_operation.hpp>
#include <reheat/engine/watch_book.hpp>
#include <reheat/recovery/backoff.hpp>
#include <reheat/recovery/guard.hpp>
#include <reheat/recovery/incident.hpp>
#include <reheat/recovery/ledger.hpp>
#include <reheat/recovery/target_tree.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// Numbers of an engine that are not of one policy.
struct engine_options {
    epoch reign{1};         ///< given to every call
    std::uint64_t seed = 0; ///< of the jitter
    duration proof_validity = std::chrono::minutes{10};
    duration fence_timeout = std::chrono::seconds{60};
    duration create_timeout = std::chrono::minutes{15};
    duration read_back_every = std::chrono::seconds{10}; ///< also how long one read-back may take
    duration page_after = std::chrono::minutes{10};      ///< a longer wait calls a human, once
    self_doubt doubts{};                                 ///< of an engine that is stepped late
};

/// The heart: values with their time go in, decisions come out. It reads no clock, makes no call and starts no thread.
/// Inputs only record; `step` alone decides, and writes records, calls and events into the caller's buffers. The same
/// inputs give the same outputs, always. A call is emitted only after `durable` has covered its intent, and after a
/// second look at whether it is still wanted.
///
/// Move-only. One thread at a time; distinct engines are independent.
///
///     engine e{three_levels.lowered()};
///     auto db = e.add(instance{.name = "db-1"});
///     e.watch(*db, heartbeat_alarm{}.rule(), now);
///     outputs out;
///     e.step(now, out);   // then: journal out.records, e.durable(n), step again, make out.calls, e.complete(...)
class engine {
public:
    explicit engine(const policy& rules, engine_options options = {}) : options_{options} {
        // A pause of zero would be an endless loop at one time.
        if (options_.read_back_every < shortest_pause) options_.read_back_every = shortest_pause;
        if (options_.proof_validity < shortest_pause) options_.proof_validity = shortest_pause;
        policies_.push_back(rules);
    }
    engine(engine&&) = default;
    engine& operator=(engine&&) = default;
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() = default;

    // What there is

    /// Adds a policy beside the first one; the 65,537th is an error.
    result<policy_id> add_policy(const policy& rules) {
        if (policies_.size() > 0xffffU) return error{errc::limit_exceeded, {}, "expected at most 65,536 policies"};
        policies_.push_back(rules);
        return static_cast<policy_id>(policies_.size() - 1);
    }
    /// Adds a stack, an instance or a service; names are copied. Errors: a name that is taken or empty, a service on no
    /// instance.
    result<target_id> add(const stack& s);
    result<target_id> add(const instance& i);
    result<target_id> add(const service& s);
    /// Recovers the target's incidents by that policy from now on. An incident that is open keeps its own.
    /// An unknown target or policy changes nothing.
    void use_policy(target_id target, policy_id rules) noexcept {
        if (targets_.has(target) && static_cast<std::size_t>(rules) < policies_.size()) targets_[target].rules = rules;
    }
    /// Watches a target by an alarm from `at` on. Errors: an unknown target, a rule whose numbers are out of bounds.
    template <alarm_rule Rule>
    result<watch_id> watch(target_id target, const Rule& rule, time_point at) {
        if (!targets_.has(target)) return error{errc::not_found, {}, "there is no such target"};
        if (auto valid = validate(rule); !valid) return std::move(valid).error();
        return watches_.watch(rule, target, at);
    }

    // Inputs: they record, and decide nothing

    /// A sample for a watched alarm. Never allocates.
    void push(watch_id watch, time_point at, double value) noexcept { watches_.push(watch, at, value); }
    /// A reading of evidence that is no metric.
    void observe(const observation& seen) { inputs_.emplace_back(seen); }
    /// The outcome of a call. `repeated`: the completion had been called before.
    void complete(op_id op, time_point at, outcome result, bool repeated = false) {
        inputs_.emplace_back(completed{op, at, std::move(result), repeated});
    }
    /// An operator's word; the texts are copied.
    void operate(const operator_input& word, time_point at) {
        inputs_.emplace_back(
            spoken{word.what, word.target, at, word.expires, std::string{word.who}, std::string{word.reason}});
    }
    /// Asks for an instance to be created, as part of a stack's creation.
    void order_creation(target_id instance, time_point at) { inputs_.emplace_back(ordered{instance, at}); }
    /// So many samples or outcomes found the inbox of the runner full. That is our own stall, never a target's silence.
    void overflowed(std::uint64_t lost, time_point at) { inputs_.emplace_back(overflow{lost, at}); }
    /// Every record up to and with `upto` is safe; none that has not been written yet.
    void durable(sequence upto) noexcept {
        if (static_cast<std::uint64_t>(upto) > last_sequence_) upto = static_cast<sequence>(last_sequence_);
        if (upto > durable_) {
            durable_ = upto;
            look_again_ = true;
        }
    }
    /// The journal can not be written: a human is paged, and nothing is begun or called until `journal_reopened`.
    /// Monitoring goes on.
    void journal_failed() noexcept { set_journal(false); }
    void journal_reopened() noexcept { set_journal(true); }

    // Decision

    /// Decides what is due at `now` and appends to `out`. A `now` before the last one counts as the last one; by more
    /// than `self_doubt::most_late`, and `clock_jumped` says so.
    void step(time_point now, outputs& out);
    /// When it wants to be stepped again, if nothing is recorded before; at or before the last step means at once.
    [[nodiscard]] time_point next() const noexcept;

    // Reading; views and references live until the next change

    [[nodiscard]] std::string_view name(target_id target) const noexcept {
        return targets_.has(target) ? std::string_view{targets_[target].name} : std::string_view{};
    }
    [[nodiscard]] target_id find(level of, std::string_view name) const { return targets_.find(of, name); }
    [[nodiscard]] const target_tree& targets() const noexcept { return targets_; }
    [[nodiscard]] alarm_state state(watch_id watch) const noexcept { return watches_.state(watch); }
    /// The open incident of a target, or null.
    [[nodiscard]] const incident* incident_of(target_id target) const noexcept {
        return targets_.has(target) ? find_incident(targets_[target].incident) : nullptr;
    }
    [[nodiscard]] std::size_t open_incidents() const noexcept { return incidents_.size(); }
    [[nodiscard]] const policy& policy_of(const incident& i) const noexcept {
        return policies_[static_cast<std::size_t>(i.rules)];
    }
    [[nodiscard]] time_point now() const noexcept { return now_; }

private:
    struct completed {
        op_id op;
        time_point at;
        outcome result;
        bool repeated;
    };
    struct spoken {
        operator_verb what;
        target_id target;
        time_point at;
        time_point expires;
        std::string who;
        std::string reason;
    };
    struct ordered {
        target_id instance;
        time_point at;
    };
    struct overflow {
        std::uint64_t lost;
        time_point at;
    };
    using input = std::variant<completed, observation, spoken, ordered, overflow>;
    static constexpr duration shortest_pause = std::chrono::seconds{1};

    // engine/inputs.hpp: what came in
    void take(completed& c, outputs& out);
    void take(const observation& o, outputs& out);
    void take(const spoken& s, outputs& out);
    void take(const ordered& o, outputs& out);
    void take(const overflow& o, outputs& out);
    void take(const transition& t, outputs& out);
    void check_clock(time_point now, outputs& out);
    void tell_journal(outputs& out);
    void health_changed(target_id target, reason why, outputs& out);

    // engine/decide.hpp: the incident's way up the ladder
    void open(target_id target, reason why, outputs& out);
    void look(incident& i, outputs& out);
    void decide(incident& i, outputs& out);
    void climb(incident& i, decision what, reason why, outputs& out);
    [[nodiscard]] guard_answers ask_guards(const incident& i, const rung& r, target_id subject) const noexcept;
    void wait(incident& i, const guard_answers& answers, outputs& out);
    void begin(incident& i, const rung& r, target_id subject, outputs& out);
    void absorb_below(incident& i, outputs& out);
    void go_on(incident& i, outputs& out);
    void retry(incident& i, duration at_least);
    void check_verdict(incident& i, outputs& out);
    void close(incident& i, reason why, outputs& out);
    void release_absorbed(incident_id by, outputs& out);
    void park(incident& i, outputs& out);
    [[nodiscard]] time_point page_at(const incident& i) const noexcept;
    [[nodiscard]] time_point page_at(const pending_operation& op) const noexcept;
    void page_long_wait(incident& i, outputs& out);

    // engine/operate.hpp: intents, calls, outcomes
    void start(operation what, target_id subject, incident* for_incident, duration timeout, duration settle,
               outputs& out);
    void write_intent(pending_operation& op, outputs& out);
    [[nodiscard]] call make_call(const pending_operation& op, op_id id, operation what, time_point deadline) const;
    void emit_call(pending_operation& op, outputs& out);
    [[nodiscard]] reason no_longer_wanted(const pending_operation& op) const noexcept;
    void watch_deadlines(pending_operation& op, outputs& out);
    void ask_cloud(pending_operation& op, outputs& out);
    void read_back(pending_operation& op, const outcome& seen, outputs& out);
    void finish(pending_operation& op, outcome_code code, reason why, duration retry_after, outputs& out);
    void note_seen(target_id subject, const observed& seen);

    // Shared
    [[nodiscard]] health health_of(target_id target) const noexcept { return targets_[target].evidence.combined(); }
    [[nodiscard]] const rung& rung_of(const incident& i) const noexcept { return policy_of(i).rungs()[i.rung]; }
    [[nodiscard]] const incident* find_incident(incident_id id) const noexcept {
        return const_cast<engine*>(this)->find_incident(id);
    }
    [[nodiscard]] incident* find_incident(incident_id id) noexcept {
        for (incident& i : incidents_) {
            if (i.id == id) return &i;
        }
        return nullptr;
    }
    [[nodiscard]] pending_operation* find_operation(op_id id) noexcept {
        for (pending_operation& op : operations_) {
            if (op.id == id || op.reading == id) return &op;
        }
        return nullptr;
    }
    void set_journal(bool well) noexcept {
        if (journal_ok_ == well) return;
        journal_ok_ = well;
        journal_changed_ = look_again_ = true;
    }
    void finish_busy(incident& i) noexcept {
        if (i.subject != no_target) targets_.mark_busy(i.subject, -1);
        i.subject = no_target;
        i.op = no_op;
        look_again_ = true;
    }
    record& write(record_kind kind, target_id target, outputs& out) {
        record r;
        r.seq = static_cast<sequence>(++last_sequence_);
        r.kind = kind;
        r.at = now_;
        r.target = target;
        r.reign = options_.reign;
        return out.records.emplace_back(std::move(r));
    }
    event& tell(event_kind kind, decision what, reason why, outputs& out) {
        event e;
        e.at = now_;
        e.kind = kind;
        e.what = what;
        e.why = why;
        return out.events.emplace_back(e);
    }
    event& tell(event_kind kind, decision what, reason why, const incident& i, outputs& out) {
        event& e = tell(kind, what, why, out);
        e.target = i.target;
        e.subject = i.subject;
        e.incident = i.id;
        e.op = i.op;
        e.attempt = i.attempts;
        if (i.rung < policy_of(i).size()) e.rung = rung_of(i).what;
        return e;
    }

    engine_options options_;
    std::vector<policy> policies_;
    target_tree targets_;
    watch_book watches_;
    ledger ledger_;
    std::vector<incident> incidents_;           // open ones, by id
    std::vector<pending_operation> operations_; // unfinished ones, by id
    std::vector<input> inputs_;
    std::vector<input> taking_;           // inputs of the step under way
    std::vector<transition> transitions_; // reused by every step
    std::vector<target_id> unjournaled_;  // targets whose names the journal has not
    time_point now_ = (time_point::min)();
    sequence durable_ = no_sequence;
    std::uint64_t last_sequence_ = 0;
    std::uint64_t last_op_ = 0;
    std::uint32_t last_incident_ = 0;
    bool went_back_ = false; // the time that it is given, and not yet forward to `now_` again
    bool journal_ok_ = true;
    bool journal_changed_ = false; // and not told yet
    bool look_again_ = false;
};

} // namespace reheat::inline REHEAT_ABI

#include <reheat/engine/decide.hpp>
#include <reheat/engine/inputs.hpp>
#include <reheat/engine/operate.hpp>
