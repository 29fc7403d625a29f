// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>
#include <reheat/engine/input_queue.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What an engine was told, one type for each kind of input, as a `recording` keeps it. Targets have the ids that they
/// get when they are added in this order; watches are numbered from 0 in the order in which they began.
namespace recorded {

struct added_stack {
    std::string name{};
};
struct added_instance {
    std::string name{};
    std::string stack{};
    std::string host{};
    std::string rack{};
    std::string zone{};
    std::string cloud_id{};
    std::string group{};
    asset keep = asset::none;
    std::uint8_t priority = 0;
};
struct added_service {
    std::string name{};
    target_id on = no_target;
    std::uint8_t priority = 0;
};
/// `recording::policies[number]` became known as `which`, or replaced it.
struct given_policy {
    policy_id which{};
    std::uint32_t number = 0;
    bool replaces = false;
};
struct used_policy {
    target_id target = no_target;
    policy_id rules{};
};
struct dependency {
    target_id dependent = no_target;
    target_id on = no_target;
};
/// An alarm over a statistic that has no run-time name (a percentile, one of the integrator's own) has no rule here:
/// its changes of state are recorded as what a guest's heartbeat says.
struct watch {
    target_id target = no_target;
    time_point from{};
    any_alarm rule{};
};
struct sample {
    std::uint32_t watch = 0;
    double value = 0;
};
/// A sample that came with another time than that of its arrival.
struct stamped_sample {
    std::uint32_t watch = 0;
    double value = 0;
    time_point of{};
};
struct operator_word {
    operator_verb what{};
    target_id target = no_target;
    time_point expires = never;
    std::string who{};
    std::string reason{};
};
struct creation_order {
    target_id target = no_target;
};
struct guest_restart {
    target_id target = no_target;
};
struct host_word {
    std::string host{};
    bool dead = false;
    proof_kind by{};
};
struct sighting {
    target_id target = no_target;
    std::string cloud_id{};
    std::string host{};
    time_point running_since{};
};
struct capacity {
    std::string zone{};
    std::uint32_t room = 0;
};
struct leadership {
    epoch reign{};
};
struct overflow {
    std::uint64_t lost = 0;
};
struct journal_word {
    bool well = true;
};
/// What the engine called, and what it came to: of the policy that it had then.
struct call {
    op_id op{};
    operation what{};
    target_id target = no_target;
};
struct completion {
    op_id op{};
    outcome result{};
    bool repeated = false;
};
/// The engine was stepped: for the first time, or before what follows although that has the same time. All other steps
/// are those that it asks for, and one for each input that needs one.
struct step {};
/// The engine was stepped so late that it doubted itself: not between `due` and the time of this input.
struct late_step {
    time_point due{};
};
/// It was given a time before the last one.
struct clock_jump {
    time_point to{};
};

/// All of them.
template <template <class...> class Of>
using all = Of<sample, observation, stamped_sample, added_stack, added_instance, added_service, given_policy,
               used_policy, dependency, watch, operator_word, creation_order, guest_restart, host_word, lease, sighting,
               capacity, leadership, overflow, journal_word, call, completion, step, late_step, clock_jump>;

} // namespace recorded

namespace detail {

/// Values of several types, each type in a list of its own.
template <class... Ts>
class input_boxes : private input_box<Ts>... {
public:
    template <class T>
    static constexpr bool has = (std::same_as<T, Ts> || ...);
    /// The number of a type.
    template <class T>
    static constexpr std::uint8_t number_of() noexcept {
        std::uint8_t n = 0;
        std::uint8_t found = 0;
        (static_cast<void>(found = std::same_as<T, Ts> ? n : found, ++n), ...);
        return found;
    }
    /// Keeps a value and says where in its list.
    template <class T>
    std::uint32_t put(T value) {
        std::vector<T>& box = static_cast<input_box<T>&>(*this).all;
        box.push_back(std::move(value));
        return static_cast<std::uint32_t>(box.size() - 1);
    }
    template <class Visit>
    void visit(std::uint8_t type, std::uint32_t at, const Visit& visit) const {
        const auto here = [&]<class T>(const std::vector<T>& box) {
            if (type == number_of<T>()) visit(box[at]);
        };
        (here(static_cast<const input_box<Ts>&>(*this).all), ...);
    }
    /// Tries the types in order until one is taken.
    template <class Try>
    static bool any_type(const Try& attempt) {
        return (attempt(std::type_identity<Ts>{}) || ...);
    }
};

} // namespace detail

/// Everything that decided, as plain values in the order in which an engine was told it: enough to ask what another
/// policy would have made of it (`backtest`). `recorder` makes one, `to_text` and `read_recording` write it and read it
/// back. Move-only, because policies in it refer to its texts. One thread at a time.
class recording {
public:
    using inputs = recorded::all<detail::input_boxes>;

    recording() = default;
    recording(recording&&) = default;
    recording& operator=(recording&&) = default;
    recording(const recording&) = delete;
    recording& operator=(const recording&) = delete;
    ~recording() = default;

    engine_options options{};       ///< of the engine that was recorded
    std::vector<policy> policies{}; ///< all that there were
    std::uint64_t lost = 0;         ///< inputs that found it full

    /// Visits every input, in order: `visit(time_point, const recorded::…&)`, or `observation`, or `lease`. The time is
    /// that of the step which took it, of a sample its own; before all times for what there was from the beginning.
    template <class Visit>
    void each(const Visit& visit) const {
        for (std::size_t n = 0; n < entries_.size(); ++n) visit_at(n, visit);
    }
    /// Visits the n-th input.
    template <class Visit>
    void visit_at(std::size_t n, const Visit& visit) const {
        const entry& e = entries_[n];
        inputs_.visit(e.type, e.number, [&](const auto& what) { visit(e.at, what); });
    }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] time_point at(std::size_t n) const noexcept { return entries_[n].at; }

    // Writing

    template <class Input>
        requires inputs::has<Input>
    void add(time_point at, Input what) {
        entries_.push_back({at, inputs_.put(std::move(what)), inputs::number_of<Input>()});
    }
    /// Adds a policy, whose texts are copied, and gives its number.
    std::uint32_t add_policy(policy p) {
        for (std::string_view& method : p.fencing.methods) method = keep(method);
        policies.push_back(p);
        return static_cast<std::uint32_t>(policies.size() - 1);
    }
    /// A copy of a text that lives as long as the recording.
    std::string_view keep(std::string_view text) {
        if (text.empty()) return {};
        const std::vector<char>& kept = texts_.emplace_back(text.begin(), text.end());
        return {kept.data(), kept.size()};
    }

private:
    struct entry {
        time_point at;
        std::uint32_t number; ///< in the list of its type
        std::uint8_t type;
    };

    std::vector<entry> entries_;
    inputs inputs_;
    std::vector<std::vector<char>> texts_; // not strings, whose text may move with them
};

namespace detail {

/// A rule as the run-time rule of the same numbers. The two are the same code, so they say the same.
template <class Rule>
concept recordable_rule = plain_comparison<typename Rule::comparison_type> &&
                          (std::same_as<typename Rule::statistic_type, sample_count> ||
                           std::derived_from<typename Rule::statistic_type, five_statistics>);

template <recordable_rule Rule>
[[nodiscard]] any_alarm at_run_time(const Rule& rule) noexcept {
    any_alarm a;
    a.of.statistic = rule.of.statistic.kind();
    a.of.period = rule.of.period;
    a.of.align = rule.of.align;
    a.of.step = rule.of.step;
    a.compare = {rule.compare.kind()};
    a.threshold = rule.threshold;
    a.upper_threshold = rule.upper_threshold;
    a.evaluation_periods = rule.evaluation_periods;
    a.datapoints_to_alarm = rule.datapoints_to_alarm;
    a.look_back = rule.look_back;
    a.premature = rule.premature;
    a.raise = rule.raise;
    a.treat_missing = rule.treat_missing;
    a.empty = rule.empty;
    a.low_samples = rule.low_samples;
    a.actions = rule.actions;
    a.resend_after = rule.resend_after;
    a.pending_period = rule.pending_period;
    a.recovery_period = rule.recovery_period;
    a.grace = rule.grace;
    a.warm_up = rule.warm_up;
    a.whole_warm_up = rule.whole_warm_up;
    return a;
}

} // namespace detail

/// An engine that keeps what it is told. It has the engine's interface and does what the engine does; inputs through a
/// reference to `engine` are not recorded. What is there (targets, watches, policies) is always kept, inputs up to a
/// limit: past it they are counted in `recording::lost`, until `take` makes room. Guards of the integrator's own and
/// the journal's delays are not recorded. Unlike the engine's, `push` may allocate. One thread at a time.
///
///     pipeline<my_cloud, system_time, volatile_journal, recorder> ha{cloud, system_time{}, three_levels};
///     …
///     std::string text = to_text(ha.state().take());
class recorder : public engine {
public:
    explicit recorder(const policy& rules, engine_options options = {}, std::size_t most_inputs = 1'000'000)
        : engine{rules, options}, most_{most_inputs} {
        tape_.options = this->options();
        tape_.add((time_point::min)(), recorded::given_policy{{}, tape_.add_policy(rules), false});
    }

    /// What was recorded so far, as of the last step.
    [[nodiscard]] const recording& tape() const noexcept { return tape_; }
    /// Hands that over and goes on with an empty one. The texts of all of them, one after the other, are one recording.
    [[nodiscard]] recording take() {
        recording next;
        next.options = options();
        kept_ = 0;
        return std::exchange(tape_, std::move(next));
    }

    // As of `engine`

    result<policy_id> add_policy(const policy& rules) {
        auto added = engine::add_policy(rules);
        if (added) tape_.add(now(), recorded::given_policy{*added, tape_.add_policy(rules), false});
        return added;
    }
    result<target_id> add(const stack& s) {
        auto added = engine::add(s);
        if (added) tape_.add(now(), recorded::added_stack{std::string{s.name}});
        return added;
    }
    result<target_id> add(const instance& i) {
        const std::size_t before = targets().size();
        auto added = engine::add(i);
        if (added)
            tape_.add(now(), recorded::added_instance{std::string{i.name}, std::string{i.stack}, std::string{i.host},
                                                      std::string{i.rack}, std::string{i.zone}, std::string{i.cloud_id},
                                                      std::string{i.group}, i.keep, i.priority});
        else if (targets().size() != before)
            tape_.add(now(), recorded::added_stack{std::string{i.stack}}); // made before it failed
        return added;
    }
    result<target_id> add(const service& s) {
        auto added = engine::add(s);
        if (added) tape_.add(now(), recorded::added_service{std::string{s.name}, s.on, s.priority});
        return added;
    }
    void use_policy(target_id target, policy_id rules) {
        engine::use_policy(target, rules);
        tape_.add(now(), recorded::used_policy{target, rules});
    }
    result<void> depend(target_id dependent, target_id on) {
        auto made = engine::depend(dependent, on);
        if (made) tape_.add(now(), recorded::dependency{dependent, on});
        return made;
    }
    template <alarm_rule Rule>
    result<watch_id> watch(target_id target, const Rule& rule, time_point at) {
        auto made = engine::watch(target, rule, at);
        if constexpr (detail::recordable_rule<Rule>) {
            if (made) {
                number(*made) = watches_++;
                tape_.add(now(), recorded::watch{target, at, detail::at_run_time(rule)});
            }
        }
        return made;
    }
    void push(watch_id watch, time_point at, double value) {
        engine::push(watch, at, value);
        const std::uint32_t n = number_of(watch);
        if (n == unrecorded || !room()) return;
        if (at >= now()) fresh_.push_back({at, {n, value}});
        else pending_.put(recorded::stamped_sample{n, value, at});
    }
    void observe(const observation& seen) {
        engine::observe(seen);
        if (room()) pending_.put(seen);
    }
    void complete(op_id op, time_point at, outcome result, bool repeated = false) {
        if (room()) pending_.put(recorded::completion{op, result, repeated});
        engine::complete(op, at, std::move(result), repeated);
    }
    void operate(const operator_input& word, time_point at) {
        engine::operate(word, at);
        note(recorded::operator_word{word.what, word.target, word.expires, std::string{word.who},
                                     std::string{word.reason}});
    }
    void order_creation(target_id instance, time_point at) {
        engine::order_creation(instance, at);
        note(recorded::creation_order{instance});
    }
    void guest_restarted(target_id target, time_point at) {
        engine::guest_restarted(target, at);
        note(recorded::guest_restart{target});
    }
    void host_died(std::string_view host, proof_kind by, time_point at) {
        engine::host_died(host, by, at);
        note(recorded::host_word{std::string{host}, true, by});
    }
    void host_returned(std::string_view host, time_point at) {
        engine::host_returned(host, at);
        note(recorded::host_word{std::string{host}, false, proof_kind::fenced});
    }
    void renew(const lease& l) {
        engine::renew(l);
        note(l);
    }
    void sighted(const copy_sighting& seen, time_point at) {
        engine::sighted(seen, at);
        note(recorded::sighting{seen.target, std::string{seen.cloud_id}, std::string{seen.host}, seen.running_since});
    }
    void tell_capacity(std::string_view zone, std::uint32_t left, time_point at) {
        engine::tell_capacity(zone, left, at);
        note(recorded::capacity{std::string{zone}, left});
    }
    void change_policy(policy_id which, const policy& to, time_point at) {
        engine::change_policy(which, to, at);
        pending_.put(recorded::given_policy{which, tape_.add_policy(to), true});
    }
    void leads(epoch reign, time_point at) {
        engine::leads(reign, at);
        note(recorded::leadership{reign});
    }
    void overflowed(std::uint64_t lost, time_point at) {
        engine::overflowed(lost, at);
        note(recorded::overflow{lost});
    }
    void journal_failed() {
        engine::journal_failed();
        note(recorded::journal_word{false});
    }
    void journal_reopened() {
        engine::journal_reopened();
        note(recorded::journal_word{true});
    }
    void step(time_point at, outputs& out) {
        const bool late = options().doubts.raised(due_, at);
        const bool back = options().doubts.raised(at, now());
        flush(at);
        if (!std::exchange(begun_, true)) tape_.add(at, recorded::step{});
        if (late) tape_.add(at, recorded::late_step{due_});
        if (back) tape_.add(now(), recorded::clock_jump{at});
        const std::size_t calls = out.calls.size();
        const std::size_t events = out.events.size();
        engine::step(at, out);
        for (std::size_t n = calls; n < out.calls.size(); ++n)
            tape_.add(now(), recorded::call{out.calls[n].what.op, out.calls[n].what.what, out.calls[n].what.target});
        for (std::size_t n = events; n < out.events.size(); ++n) note_alarm(out.events[n]);
        due_ = next();
    }

private:
    struct fresh {
        time_point at;
        recorded::sample what;
    };
    static constexpr std::uint32_t unrecorded = 0xffff'ffffU;

    [[nodiscard]] bool room() {
        if (kept_ < most_) {
            ++kept_;
            return true;
        }
        ++tape_.lost;
        return false;
    }
    template <class Input>
    void note(Input what) {
        if (room()) pending_.put(std::move(what));
    }
    /// What came since the last step: the step takes it now. Samples first, because they need no step.
    void flush(time_point at) {
        const time_point first = !fresh_.empty() ? fresh_.front().at : pending_.empty() ? never : at;
        if (begun_ && first == now()) tape_.add(now(), recorded::step{});
        for (const fresh& s : fresh_) {
            if (s.at <= at) tape_.add(s.at, s.what);
            else tape_.add(later(at, now()), recorded::stamped_sample{s.what.watch, s.what.value, s.at});
        }
        fresh_.clear();
        pending_.each([&](auto& what) { tape_.add(later(at, now()), std::move(what)); });
        pending_.clear();
    }
    /// A change of an alarm whose samples are not recorded.
    void note_alarm(const event& e) {
        if (e.kind != event_kind::alarm || e.watch == no_watch || number_of(e.watch) != unrecorded || !room()) return;
        const health says = e.to == alarm_state::alarm ? health::unhealthy
                            : e.to == alarm_state::ok  ? health::healthy
                                                       : health::unknown;
        tape_.add(now(), observation{e.target, vantage::guest_heartbeat, says, now()});
    }

    [[nodiscard]] static std::size_t group_of(watch_id w) noexcept {
        return static_cast<std::size_t>(static_cast<std::uint64_t>(w) >> 32U);
    }
    [[nodiscard]] static std::size_t row_of(watch_id w) noexcept {
        return static_cast<std::size_t>(static_cast<std::uint64_t>(w) & 0xffff'ffffU);
    }
    std::uint32_t& number(watch_id w) {
        if (numbers_.size() <= group_of(w)) numbers_.resize(group_of(w) + 1);
        std::vector<std::uint32_t>& rows = numbers_[group_of(w)];
        if (rows.size() <= row_of(w)) rows.resize(row_of(w) + 1, unrecorded);
        return rows[row_of(w)];
    }
    [[nodiscard]] std::uint32_t number_of(watch_id w) const noexcept {
        if (group_of(w) >= numbers_.size() || row_of(w) >= numbers_[group_of(w)].size()) return unrecorded;
        return numbers_[group_of(w)][row_of(w)];
    }

    recording tape_;
    std::vector<fresh> fresh_;
    recorded::all<detail::input_queue> pending_;
    std::vector<std::vector<std::uint32_t>> numbers_; // of watches, by group and row
    std::uint32_t watches_ = 0;
    time_point due_ = never; // as of the last step
    bool begun_ = false;
    std::size_t most_;
    std::size_t kept_ = 0;
};

} // namespace reheat::inline REHEAT_ABI
