// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/sort.hpp>
#include <reheat/engine/effects.hpp>
#include <reheat/engine/input_queue.hpp>
#include <reheat/engine/pending_operation.hpp>
#include <reheat/engine/watch_book.hpp>
#include <reheat/evidence/corroboration.hpp>
#include <reheat/evidence/silence.hpp>
#include <reheat/recovery/backoff.hpp>
#include <reheat/recovery/deaths.hpp>
#include <reheat/recovery/guard.hpp>
#include <reheat/recovery/history.hpp>
#include <reheat/recovery/incident.hpp>
#include <reheat/recovery/ledger.hpp>
#include <reheat/recovery/limits.hpp>
#include <reheat/recovery/orders.hpp>
#include <reheat/recovery/sets.hpp>
#include <reheat/recovery/spending.hpp>
#include <reheat/recovery/target_tree.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
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
    duration lease_margin = std::chrono::seconds{5}; ///< by which the lead outlasts a call: clocks, and the way to it
    duration lease_covers = (duration::max)(); ///< of a call: all of it, or only so much where the cloud checks epochs
    self_doubt doubts{};                       ///< of an engine that is stepped late
    limits bounds{};                           ///< of all actions together
    /// Decide on live input, write no intent and call nothing. What would be called is told (`reason::would_act`), is
    /// spent like any other, and counts as done at once; what would be asked of the cloud counts as answered, without
    /// saying anything of a target.
    bool shadow = false;
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
    explicit engine(const policy& rules, engine_options options = {})
        : options_{options}, silence_{options.bounds.silence} {
        // A pause of zero would be an endless loop at one time.
        if (options_.read_back_every < shortest_pause) options_.read_back_every = shortest_pause;
        if (options_.proof_validity < shortest_pause) options_.proof_validity = shortest_pause;
        if (options_.bounds.api.within < shortest_pause) options_.bounds.api.within = shortest_pause;
        policies_.push_back({rules, static_cast<policy_id>(0)});
    }
    engine(engine&&) = default;
    engine& operator=(engine&&) = default;
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() = default;

    /// Goes on with what an earlier run wrote, in order; see `engine/resume.hpp`. Before anything is added: the names
    /// get their old ids back, and the rest is taken up by the first step.
    result<void> recover(std::vector<record> past);

    // What there is

    /// Adds a policy beside the first one; the 65,537th is an error.
    result<policy_id> add_policy(const policy& rules) {
        if (policies_.size() > 0xffffU) return error{errc::limit_exceeded, {}, "expected at most 65,536 policies"};
        policies_.push_back({rules, static_cast<policy_id>(policies_.size())});
        return policies_.back().newest;
    }
    /// Adds a stack, an instance or a service; names are copied. Errors: a name that is taken or empty, a service on no
    /// instance.
    result<target_id> add(const stack& s);
    result<target_id> add(const instance& i);
    result<target_id> add(const service& s);
    /// Makes room for so many targets with one watch each, so that adding them moves nothing.
    void reserve(std::size_t targets) {
        targets_.reserve(targets);
        links_.reserve(targets + 1);
    }
    /// Recovers the target's incidents by that policy from now on. An incident that is open keeps its own.
    /// An unknown target or policy changes nothing.
    void use_policy(target_id target, policy_id rules) noexcept {
        if (targets_.has(target) && static_cast<std::size_t>(rules) < policies_.size())
            targets_[target].rules = policies_[static_cast<std::size_t>(rules)].newest;
    }
    /// Recovery of `dependent` waits while `on` is not well. Errors: an unknown target, a circle.
    result<void> depend(target_id dependent, target_id on);
    /// Asks a guard of the integrator's own with all others. It is referred to, and outlives the engine.
    template <recovery_guard G>
    void add_guard(const G& guard) {
        guards_.emplace_back(guard);
    }
    template <recovery_guard G>
    void add_guard(const G&& guard) = delete;
    /// Watches a target by an alarm from `at` on. Errors: an unknown target, a rule whose numbers are out of bounds.
    template <alarm_rule Rule>
    result<watch_id> watch(target_id target, const Rule& rule, time_point at) {
        if (!targets_.has(target)) return error{errc::not_found, {}, "there is no such target"};
        if (auto valid = validate(rule); !valid) return std::move(valid).error();
        const watch_id made = watches_.watch(rule, target, at);
        links_.push_back(
            {made, std::exchange(targets_[target].first_watch, static_cast<std::uint32_t>(links_.size()))});
        return made;
    }

    // Inputs: they record, and decide nothing

    /// A sample for a watched alarm. Never allocates.
    void push(watch_id watch, time_point at, double value) noexcept { watches_.push(watch, at, value); }
    /// A reading of evidence that is no metric.
    void observe(const observation& seen) { inputs_.put(seen); }
    /// The outcome of a call. `repeated`: the completion had been called before.
    void complete(op_id op, time_point at, outcome result, bool repeated = false) {
        inputs_.put(completed{op, at, std::move(result), repeated});
    }
    /// An operator's word; the texts are copied.
    void operate(const operator_input& word, time_point at) {
        inputs_.put(spoken{word.what, word.target, at, word.expires, std::string{word.who}, std::string{word.reason}});
    }
    /// Asks for an instance to be created, as part of a stack's creation. Ignored, and told why, if it exists, or if an
    /// earlier order may have made it: then the cloud is asked first (`reason::outcome_unknown`).
    void order_creation(target_id instance, time_point at) { inputs_.put(ordered{instance, at}); }
    /// The guest says that it restarted the target itself, as `cfn-hup` does.
    void guest_restarted(target_id target, time_point at) { inputs_.put(healed{target, at}); }
    /// A host is proved dead, with all that ran there: by its fence device, by an API that vouches for it, or by an
    /// operator. That it was marked as down is no proof. An unknown host is only told.
    void host_died(std::string_view host, proof_kind by, time_point at) {
        inputs_.put(host_word{std::string{host}, true, by, at});
    }
    /// That host runs again.
    void host_returned(std::string_view host, time_point at) {
        inputs_.put(host_word{std::string{host}, false, proof_kind::fenced, at});
    }
    /// An instance's lease was renewed. When it runs out, with its watchdog and a margin, the instance is proved dead.
    void renew(const lease& l) { inputs_.put(l); }
    /// A machine was seen running, by an observer that can tell copies apart. One that had been proved dead breaks the
    /// trust in proofs, or came back: `policy::returned`. A proof that is not spent yet is withdrawn.
    void sighted(const copy_sighting& seen, time_point at) {
        inputs_.put(sighting{seen.target, std::string{seen.cloud_id}, std::string{seen.host}, seen.running_since, at});
    }
    /// A zone has room for so many more instances; an empty name: the whole cloud.
    void tell_capacity(std::string_view zone, std::uint32_t room, time_point at) {
        inputs_.put(capacity{std::string{zone}, room, at});
    }
    /// A policy is replaced. Targets and incidents go on with the new one: an open incident from its next rung on, with
    /// the attempts it has spent. An unknown policy changes nothing.
    void change_policy(policy_id which, const policy& to, time_point at) { inputs_.put(new_policy{which, to, at}); }
    /// This controller leads until then: a new epoch, after which what can not be undone waits as after a start, or the
    /// same one renewed. No call starts that its lease does not outlast. A smaller epoch is ignored.
    void leads(epoch reign, time_point until, time_point at) {
        leased_ = true;
        if (reign != options_.reign || lost_) return inputs_.put(new_leader{reign, until, at});
        lead_until_ = until;
        for (const incident& i : incidents_) look_again_ = look_again_ || (i.denied & bit(guard::leadership)) != 0;
    }
    /// Another controller may lead: this engine writes and calls nothing any more, and goes on watching. Whoever leads
    /// again starts anew, from the journal.
    void lost_lead(time_point at) {
        if (std::exchange(lost_, true)) return;
        leased_ = options_.shadow = true; // it writes no intent, and calls nobody
        lead_until_ = (time_point::min)();
        inputs_.put(new_leader{options_.reign, lead_until_, at});
    }
    /// So many samples or outcomes found the inbox of the runner full. That is our own stall, never a target's silence.
    void overflowed(std::uint64_t lost, time_point at) { inputs_.put(overflow{lost, at}); }
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
        return targets_.has(target) ? targets_.name(target) : std::string_view{};
    }
    [[nodiscard]] target_id find(level of, std::string_view name) const { return targets_.find(of, name); }
    [[nodiscard]] const target_tree& targets() const noexcept { return targets_; }
    [[nodiscard]] const set_book& sets() const noexcept { return sets_; }
    [[nodiscard]] const engine_options& options() const noexcept { return options_; }
    [[nodiscard]] alarm_state state(watch_id watch) const noexcept { return watches_.state(watch); }
    /// Visits each alarm that is watched on a target.
    template <class Visit>
    void each_watch(target_id target, const Visit& visit) const {
        if (!targets_.has(target)) return;
        for (std::uint32_t at = targets_[target].first_watch; at != 0; at = links_[at].next) visit(links_[at].watch);
    }
    /// What one vantage says of a target now, and all of them together: unhealthy if any says so, else healthy if any
    /// does.
    [[nodiscard]] health says(target_id target, vantage v) const noexcept;
    [[nodiscard]] health health_of(target_id target) const noexcept;
    /// The open incident of a target, or null.
    [[nodiscard]] const incident* incident_of(target_id target) const noexcept {
        return targets_.has(target) ? find_incident(targets_[target].incident) : nullptr;
    }
    [[nodiscard]] const std::vector<incident>& incidents() const noexcept { return incidents_; }
    [[nodiscard]] std::size_t open_incidents() const noexcept { return incidents_.size(); }
    [[nodiscard]] const policy& policy_of(const incident& i) const noexcept { return rules(i.rules); }
    /// What every guard says to the rung that an incident stands on, now.
    [[nodiscard]] guard_answers answers_for(const incident& i) const noexcept {
        return i.rung < policy_of(i).size() ? ask_guards(i, rung_of(i), subject_of(i, rung_of(i))) : guard_answers{};
    }
    /// What the rung that an incident stands on acts upon, or `no_target`.
    [[nodiscard]] target_id subject_of(const incident& i) const noexcept {
        return i.rung < policy_of(i).size() ? subject_of(i, rung_of(i)) : no_target;
    }
    /// What is remembered of a target's recoveries, or null.
    [[nodiscard]] const recovery_memory* memory_of(target_id target) const noexcept {
        return targets_.has(target) && targets_[target].memory != 0 ? &memories_[targets_[target].memory] : nullptr;
    }
    /// Whether a proof of death turned out false: nothing is done until an operator says `trust`.
    [[nodiscard]] bool trust_broken() const noexcept { return trust_broken_; }
    /// Whether it lost the lead, for good.
    [[nodiscard]] bool deposed() const noexcept { return lost_; }
    /// The newest record that it gave out.
    [[nodiscard]] sequence written() const noexcept { return static_cast<sequence>(last_sequence_); }
    /// The newest record that is not waited for: it is durable, or the journal has failed.
    [[nodiscard]] sequence settled() const noexcept { return journal_ok_ ? durable_ : written(); }
    /// How many operations have been called and did not come to their end: none, and the lead can be given away.
    [[nodiscard]] std::size_t under_way() const noexcept {
        std::size_t n = probes_.size();
        for (const pending_operation& op : operations_) n += op.at != pending_operation::stage::journaled ? 1U : 0U;
        return n;
    }
    /// Whether so much fell silent that the observer is not sure of itself.
    [[nodiscard]] bool doubts_itself() const noexcept { return doubting_; }
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
    struct healed {
        target_id target;
        time_point at;
    };
    struct host_word {
        std::string host;
        bool dead;
        proof_kind by;
        time_point at;
    };
    struct sighting {
        target_id target;
        std::string cloud_id;
        std::string host;
        time_point running_since;
        time_point at;
    };
    struct capacity {
        std::string zone;
        std::uint32_t room;
        time_point at;
    };
    struct new_policy {
        policy_id which;
        policy to;
        time_point at;
    };
    struct new_leader {
        epoch reign;
        time_point until;
        time_point at;
    };
    struct overflow {
        std::uint64_t lost;
        time_point at;
    };
    using input_queue = detail::input_queue<completed, observation, spoken, ordered, overflow, healed, host_word, lease,
                                            sighting, capacity, new_policy, new_leader>;
    static constexpr duration shortest_pause = std::chrono::seconds{1};

    struct policy_version {
        policy rules;
        policy_id newest; ///< that replaces it; itself if none does
    };
    struct watch_link {
        watch_id watch;
        std::uint32_t next;
    };
    struct dependency_edge {
        target_id dependent;
        target_id on;
    };
    /// A question to the cloud that belongs to no operation.
    struct probe {
        op_id reading;
        target_id machine;
        time_point by;
    };
    /// A copy that returned and has to go.
    struct stray {
        target_id target;
        std::string cloud_id;
        time_point again_at; // when its fence is due; `never` if nobody knows of it which of the two it is
        time_point seen_at{};
        unsigned tries = 0;
        op_id op = no_op; // its last fence
    };

    // engine/inputs.hpp: what came in
    void take(completed& c, outputs& out);
    void take(const observation& o, outputs& out);
    void take(const ordered& o, outputs& out);
    void take(const overflow& o, outputs& out);
    void take(const healed& h, outputs& out);
    void take(const host_word& h, outputs& out);
    void take(const lease& l, outputs& out);
    void take(const sighting& s, outputs& out);
    void take(const capacity& c, outputs& out);
    void take(const new_policy& p, outputs& out);
    void take(const new_leader& l, outputs& out);
    void take(const transition& t, outputs& out);
    void look_at_all(outputs& out);
    void reconcile(const sighting& s, std::string_view old_cloud_id, bool news, outputs& out);
    void meet_stranger(const sighting& s, outputs& out);
    /// Whether a copy was not seen for a while: as long as it runs it is seen again and again.
    [[nodiscard]] bool is_news(time_point& seen_at) const noexcept {
        return after(std::exchange(seen_at, now_), options_.page_after) < now_;
    }
    void check_clock(time_point now, outputs& out);
    void tell_journal(outputs& out);
    void health_changed(target_id target, reason why, outputs& out);
    void note_beat(const transition& t);
    void watch_silence(outputs& out);
    void ask_machine(target_id machine, outputs& out);
    [[nodiscard]] time_point ask_again_at(target_id machine) const noexcept {
        for (const probe& p : asked_) {
            if (p.machine == machine && now_ < p.by) return p.by;
        }
        return after(now_, options_.read_back_every);
    }
    void end_doubt(outputs& out);
    void watch_orders(outputs& out);
    void watch_breakers(outputs& out);
    [[nodiscard]] time_point grows_old(target_id target) const noexcept;

    // engine/operators.hpp: what an operator says
    void take(const spoken& s, outputs& out);
    [[nodiscard]] reason hear(const spoken& s, outputs& out);
    [[nodiscard]] bool answer_rung(const spoken& s, outputs& out);

    // engine/resume.hpp: what an earlier run had begun
    void resume(outputs& out);
    void relive(const record& r, outputs& unsaid);
    void relive_alarm(const record& r);
    void relive_opened(const record& r);
    void relive_intent(const record& r, outputs& unsaid);
    void relive_outcome(const record& r, outputs& unsaid);
    void relive_word(const record& r, outputs& unsaid);
    void may_have_begun(pending_operation& op);
    void go_on_after_gap(incident& i);

    // engine/decide.hpp: the incident's way up the ladder
    void open(target_id target, reason why, outputs& out);
    bool make(incident& i, target_id target);
    void place_late();
    void look(incident& i, outputs& out);
    void decide(incident& i, outputs& out);
    [[nodiscard]] asset keeps(target_id subject) const noexcept;
    [[nodiscard]] reason skip(const incident& i, const rung& r, target_id subject) const noexcept;
    [[nodiscard]] bool guest_overspent(target_id target, const rung& r) const;
    [[nodiscard]] bool wait_for_guest(incident& i, const rung& r, outputs& out);
    void climb(incident& i, decision what, reason why, outputs& out);
    void wait(incident& i, target_id subject, const guard_answers& answers, outputs& out);
    static void begin_wait(incident& i, time_point since) noexcept {
        if (i.waiting_since == never) i.waiting_since = i.waits_since = since;
    }
    static void waits_for_nothing(incident& i) noexcept {
        i.denied = 0;
        i.denied_by = reason::none;
        i.wake = never;
    }
    void begin(incident& i, const rung& r, target_id subject, outputs& out);
    void act_upon(incident& i, target_id subject, outputs& out);
    void note_places(incident& i) const;
    void absorb_below(incident& i, outputs& out);
    void go_on(incident& i, outputs& out);
    void retry(incident& i, duration at_least);
    void step_back(incident& i);
    void check_verdict(incident& i, outputs& out);
    void close(incident& i, reason why, outputs& out);
    void release_absorbed(incident& by, outputs& out, bool all = true);
    void let_go(incident& absorbed, outputs& out);
    void park(incident& i, outputs& out);
    [[nodiscard]] time_point page_at(const incident& i) const noexcept;
    [[nodiscard]] time_point page_at(const pending_operation& op) const noexcept;
    void page_long_wait(incident& i, outputs& out);
    [[nodiscard]] bool waits_by_itself(std::uint32_t denied) const noexcept;
    [[nodiscard]] bool well(const incident& i, time_point since) const noexcept;
    [[nodiscard]] bool beats(target_id target) const noexcept;
    [[nodiscard]] bool heard_since_action(target_id target) const noexcept;

    // engine/guards.hpp: who may say no
    [[nodiscard]] guard_answers ask_guards(const incident& i, const rung& r, target_id subject) const noexcept;
    /// Visits each machine that an action happens to: of a stack those that it may make anew, since they are ill.
    template <class Visit>
    void each_machine(target_id subject, const Visit& visit) const {
        const bool stack = targets_[subject].of == level::stack;
        target_id m = stack ? targets_[subject].first_child : machine_of(subject);
        for (; m != no_target; m = stack ? targets_[m].next_sibling : no_target) {
            if (!stack || targets_[m].failing != 0) visit(m);
        }
    }
    /// Visits the group, rack and zone of each of these machines, and the group that has a stack's name.
    template <class Visit>
    void each_place(target_id subject, const Visit& visit) const {
        const auto known = [&visit](set_id s) { s != no_set ? visit(s) : void(); };
        if (targets_[subject].of == level::stack) known(sets_.find(set_kind::group, targets_.name(subject)));
        each_machine(subject, [&](target_id machine) {
            for (const set_id s : sets_of(machine).above_host()) known(s);
        });
    }
    /// Visits the sets in which an action that has begun is spent.
    template <class Visit>
    void each_spent(const incident& i, const Visit& visit) const {
        for (const set_id s : sets_.of(i.member_of).above_host()) {
            if (s != no_set) visit(s);
        }
        for (const set_id s : i.places) visit(s);
    }
    [[nodiscard]] const shared_budget& budget_of(set_kind of) const noexcept {
        return of == set_kind::group ? options_.bounds.group : options_.bounds.domain;
    }
    void ask_sets(guard_answers& answers, const rung& r, target_id subject) const noexcept;
    [[nodiscard]] guard_answer ask_evidence(const incident& i, const rung& r, target_id subject) const noexcept;
    [[nodiscard]] time_point grows_old(target_id machine, vantage_set which) const noexcept;
    [[nodiscard]] guard_answer attest(const incident& i, target_id target, target_id machine) const noexcept;
    [[nodiscard]] guard_answer ask_freeze(const incident& i, const rung& r, target_id subject) const noexcept;
    [[nodiscard]] guard_answer ask_budget(const shared_budget& b, const spending& spent, reason why,
                                          set_id in) const noexcept;
    [[nodiscard]] guard_answer ask_quota() const noexcept;
    [[nodiscard]] guard_answer ask_leadership(const incident& i, const rung& r) const noexcept;
    /// Whether the lead outlasts a call that starts now and may take so long.
    [[nodiscard]] bool leads_for(duration call) const noexcept {
        const duration covered = call < options_.lease_covers ? call : options_.lease_covers;
        return !leased_ || after(after(now_, covered), options_.lease_margin) <= lead_until_;
    }
    [[nodiscard]] reason unled() const noexcept { return lost_ ? reason::leadership_lost : reason::leadership_ends; }
    [[nodiscard]] std::uint32_t about_to_act(set_id in) const noexcept;
    /// When the driver may be called again: `now_` if it may now.
    [[nodiscard]] time_point call_at() const noexcept { return calls_made_.room_at(options_.bounds.api, now_); }
    [[nodiscard]] guard_answer ask_in_flight(const incident& i, const rung& r) const noexcept;
    [[nodiscard]] guard_answer ask_probation(const incident& i, const rung& r, target_id subject) const noexcept;
    [[nodiscard]] guard_answer ask_dependencies(const incident& i) const noexcept;
    [[nodiscard]] guard_answer ask_capacity(const rung& r, target_id subject) const noexcept;
    [[nodiscard]] bool confirmed_by_second(const incident& i, target_id subject) const noexcept;

    // engine/fencing.hpp: proofs of death
    [[nodiscard]] std::optional<proof_kind> dead(target_id machine) const noexcept;
    [[nodiscard]] bool proofs_ready(const rung& r, target_id subject) const noexcept;
    void want_deaths(incident& i, const rung& r, target_id subject);
    void fence_next(incident& i, outputs& out);
    void mint(incident& i, death_wanted& d, proof_kind by, reason why, outputs& out);
    void fence_ended(incident& i, target_id machine, outcome_code code, reason why, duration retry_after, outputs& out);
    [[nodiscard]] time_point due(const stray& s) const noexcept;
    void fence_strays(outputs& out);
    void stray_fenced(op_id op, outcome_code code, duration retry_after, outputs& out);
    [[nodiscard]] std::optional<grave> withdraw_proof(const sighting& s, outputs& out);
    /// No copy of a machine runs that nobody knows of. Where it stands nobody knows, if there may have been one.
    void only_one(target_id machine) {
        if (targets_[machine].second) move_to(machine, {});
        targets_[machine].second = false;
        std::erase_if(strays_, [machine](const stray& s) { return s.target == machine && s.again_at == never; });
    }
    void bury(const pending_operation& op);
    void exhume(const incident& i);

    // engine/operate.hpp: intents, calls, outcomes
    pending_operation& start(operation what, target_id subject, incident* for_incident, duration timeout,
                             duration settle, outputs& out);
    void write_intent(pending_operation& op, const incident* i, outputs& out);
    [[nodiscard]] call make_call(const pending_operation& op, op_id id, operation what, time_point deadline) const;
    void emit_call(pending_operation& op, outputs& out);
    void tell_call(const pending_operation& op, reason why, outputs& out);
    void suppose_done(pending_operation& op, outputs& out);
    void forget_past(const pending_operation& op);
    void excuse_silence(target_id subject, duration grace);
    void drop(pending_operation& op, reason why, outputs& out);
    [[nodiscard]] reason no_longer_wanted(const pending_operation& op) const noexcept;
    [[nodiscard]] reason left_alone(target_id target) const noexcept;
    [[nodiscard]] bool runs_elsewhere(operation what, target_id subject) const noexcept;
    /// Whether an instance exists, as far as anybody saw.
    [[nodiscard]] bool made(target_id instance) const noexcept {
        return !targets_.cloud_id(instance).empty() || targets_[instance].heard() == health::healthy;
    }
    void watch_deadlines(pending_operation& op, outputs& out);
    void doubt_outcome(pending_operation& op, reason why, outputs& out);
    void ask_cloud(pending_operation& op, outputs& out);
    void read_back(pending_operation& op, const outcome& seen, outputs& out);
    void finish(pending_operation& op, outcome_code code, reason why, duration retry_after, outputs& out);
    void note_seen(target_id subject, const observed& seen);
    void move_to(target_id machine, std::string_view host);
    void spend(const incident& i, pending_operation& op);
    void note_spent(spending& s, const shared_budget& b) {
        if (b.limits()) s.spend(now_, b.burst.within < b.sustained.within ? b.sustained.within : b.burst.within);
    }
    void take_back(const incident& i, pending_operation& op);
    void take_room(pending_operation& op, set_id in);
    void give_back_room(pending_operation& op);
    /// Of a zone, or of the whole cloud.
    [[nodiscard]] std::optional<std::uint32_t>& room_of(set_id in) noexcept {
        return in == no_set ? room_ : sets_[in].room;
    }

    // Shared
    [[nodiscard]] const policy& rules(policy_id p) const noexcept {
        return policies_[static_cast<std::size_t>(p)].rules;
    }
    [[nodiscard]] const evidence_rules& evidence_of(target_id target) const noexcept {
        return rules(targets_[target].rules).evidence;
    }
    [[nodiscard]] const rung& rung_of(const incident& i) const noexcept { return policy_of(i).rungs()[i.rung]; }
    [[nodiscard]] target_id subject_of(const incident& i, const rung& r) const noexcept {
        return r.what == operation::guest_restarts ? i.target : targets_.ancestor(i.target, level_of(r.what));
    }
    [[nodiscard]] target_id machine_of(target_id target) const noexcept {
        return target == no_target ? no_target : targets_.ancestor(target, level::instance);
    }
    [[nodiscard]] const membership& sets_of(target_id machine) const noexcept {
        return sets_.of(machine == no_target ? 0 : targets_[machine].member_of);
    }
    /// Why nothing is done while the breaker of a set is open.
    [[nodiscard]] static reason opened(const instance_set& s) noexcept {
        return s.of == set_kind::group ? reason::breaker_group : reason::breaker_domain;
    }
    [[nodiscard]] vantage_set calling(target_id target, health what) const noexcept;
    [[nodiscard]] recovery_memory& remember(target_id target) {
        std::uint32_t& number = targets_[target].memory;
        if (number == 0) {
            number = static_cast<std::uint32_t>(memories_.size());
            memories_.emplace_back();
        }
        return memories_[number];
    }
    [[nodiscard]] const incident* find_incident(incident_id id) const noexcept {
        return const_cast<engine*>(this)->find_incident(id);
    }
    [[nodiscard]] incident* find_incident(incident_id id) noexcept {
        if (id == no_incident) return nullptr;
        std::vector<incident>* all = &incidents_;
        std::size_t at = place_of(id, *all);
        if (at == all->size() || (*all)[at].id != id) at = place_of(id, *(all = &late_));
        return at < all->size() && (*all)[at].id == id ? &(*all)[at] : nullptr;
    }
    [[nodiscard]] static std::size_t place_of(incident_id id, const std::vector<incident>& all) noexcept {
        return detail::place_of(id, all, [](const incident& i) { return i.id; });
    }
    /// The open incidents on a target and below it, in the order of their opening.
    [[nodiscard]] std::vector<incident_id> open_below(target_id above) const {
        std::vector<incident_id> ids;
        targets_.each_below(above, [&](target_id below) {
            if (targets_[below].incident != no_incident) ids.push_back(targets_[below].incident);
        });
        detail::sort(ids, [](incident_id a, incident_id b) { return a < b; });
        return ids;
    }
    /// Moves an incident on, and keeps `begun_`.
    void enter(incident& i, phase to) {
        const auto begun = [](phase p) { return p == phase::fencing || p == phase::collecting; };
        if (begun(i.at)) std::erase(begun_, i.id);
        if (begun(i.at = to)) begun_.push_back(i.id);
    }
    /// Visits what a target depends on.
    template <class Visit>
    void each_need(target_id dependent, const Visit& visit) const {
        std::size_t at =
            detail::place_of(dependent, dependencies_, [](const dependency_edge& e) { return e.dependent; });
        for (; at < dependencies_.size() && dependencies_[at].dependent == dependent; ++at) visit(dependencies_[at].on);
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
    [[nodiscard]] std::uint32_t& flying(level at) noexcept { return in_flight_[at == level::service ? 0 : 1]; }
    void finish_busy(incident& i) noexcept {
        if (i.subject != no_target) {
            targets_.mark_busy(i.subject, -1);
            --flying(targets_[i.subject].of);
        }
        i.subject = no_target;
        i.op = no_op;
        look_again_ = true;
    }
    record& write(record_kind kind, target_id target, outputs& out) {
        record& r = out.records.emplace_back();
        r.seq = static_cast<sequence>(++last_sequence_);
        r.kind = kind;
        r.at = now_;
        r.target = target;
        r.reign = options_.reign;
        return r;
    }
    event& tell(event_kind kind, decision what, reason why, outputs& out) {
        event& e = out.events.emplace_back();
        e.at = now_;
        e.kind = kind;
        e.what = what;
        e.why = why;
        e.shadow = options_.shadow;
        return e;
    }
    event& tell(event_kind kind, decision what, reason why, target_id about, outputs& out) {
        event& e = tell(kind, what, why, out);
        e.target = e.subject = about;
        return e;
    }
    event& tell(event_kind kind, decision what, reason why, const pending_operation& op, outputs& out) {
        event& e = tell(kind, what, why, op.subject, out);
        e.op = op.id;
        e.rung = op.what;
        e.incident = op.for_incident;
        e.attempt = 1;
        const incident* const i = find_incident(op.for_incident);
        if (i == nullptr) return e;
        e.target = i->target;
        e.attempt = i->attempts;
        return e;
    }
    event& tell(event_kind kind, decision what, reason why, const incident& i, outputs& out) {
        event& e = tell(kind, what, why, out);
        e.target = i.target;
        e.subject = i.subject;
        e.incident = i.id;
        e.op = i.op;
        e.attempt = i.attempts;
        e.by = i.accusers;
        if (i.rung < policy_of(i).size()) e.rung = rung_of(i).what;
        return e;
    }
    /// Calls a human about a target, an incident or an operation, and writes it down: whoever goes on with the journal
    /// has to say when it is over.
    template <class About>
    event& page(reason why, const About& of, outputs& out) {
        event& e = tell(event_kind::page, decision::page, why, of, out);
        record& r = write(record_kind::paged, e.target, out);
        r.incident = e.incident;
        r.why = why;
        return e;
    }

    engine_options options_;
    std::vector<policy_version> policies_;
    target_tree targets_;
    set_book sets_;
    watch_book watches_;
    std::vector<watch_link> links_{watch_link{no_watch, 0}}; // of each target's watches
    std::vector<dependency_edge> dependencies_;              // by dependent
    std::vector<guard_ref> guards_;
    silence_watch silence_;
    order_book orders_;
    death_book deaths_;
    std::vector<grave> graves_;
    std::vector<recovery_memory> memories_{recovery_memory{}};
    ledger ledger_;
    spending all_spent_;
    spending calls_made_;
    std::vector<incident> incidents_;           // open ones, by id
    std::vector<incident_id> begun_;            // whose action spent nothing yet, since something comes first
    std::vector<incident> late_;                // go on in this step, and are put among the others together
    std::vector<pending_operation> operations_; // unfinished ones, by id
    std::vector<stray> strays_;
    std::vector<probe> probes_;
    std::vector<probe> asked_;  // whom not to ask again before
    std::size_t told_lost_ = 0; // how many were lost when the observer doubted itself last
    std::vector<set_id> open_breakers_;
    set_id paged_breaker_ = no_set; // the last one that a human heard of
    input_queue inputs_;
    input_queue taking_;                             // inputs of the step under way
    std::vector<transition> transitions_;            // reused by every step
    std::vector<std::pair<int, std::size_t>> order_; // of the incidents by priority; reused
    std::vector<target_id> unjournaled_;             // targets whose names the journal has not
    std::size_t journaled_ = 0;                      // so many names it had from an earlier run
    std::vector<watch_id> raised_before_;            // in that run, and not evaluated since
    std::vector<record> past_;                       // what that run wrote, until it is taken up
    void (engine::*resume_)(outputs& out) = nullptr;
    std::array<std::uint32_t, 2> in_flight_{}; // actions that are not verified: of services, of everything above
    std::optional<std::uint32_t> room_{};      // for so many more instances anywhere, where that is known
    time_point now_ = (time_point::min)();
    time_point held_until_ = never; // after a start or a change of leader; `never` before the first step
    time_point lead_until_ = never;
    time_point last_machine_action_ = (time_point::min)();
    time_point waits_longest_ = never; // who waits for nothing but the turn of a machine's action, in the last pass
    time_point longest_now_ = never;   // and in the one under way
    time_point doubt_since_ = never;
    target_id doubted_about_ = no_target; // the machine that the cloud is asked for in a doubt
    time_point next_probe_ = never;
    sequence durable_ = no_sequence;
    std::uint64_t last_sequence_ = 0;
    std::uint64_t last_op_ = 0;
    std::uint32_t last_incident_ = 0;
    int highest_waiting_ = -1; // priority of the incidents that wait for their turn, in the pass under way
    bool any_priority_ = false;
    bool went_back_ = false; // the time that it is given, and not yet forward to `now_` again
    bool journal_ok_ = true;
    bool journal_changed_ = false; // and not told yet
    bool look_again_ = false;
    bool trust_broken_ = false;
    bool lost_ = false;                             // the lead
    bool leased_ = false;                           // it was told of the lead: it may have an end
    time_point listen_until_ = (time_point::min)(); // after a doubt: what was silent meanwhile may be heard again
    bool doubting_ = false;                         // the observer, itself
    bool unanswered_ = false;                       // a question to the driver, in this doubt
    bool doubt_paged_ = false;
};

} // namespace reheat::inline REHEAT_ABI

#include <reheat/engine/decide.hpp>
#include <reheat/engine/fencing.hpp>
#include <reheat/engine/guards.hpp>
#include <reheat/engine/inputs.hpp>
#include <reheat/engine/operate.hpp>
#include <reheat/engine/operators.hpp>
