// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>
#include <reheat/engine/recording.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

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
    void leads(epoch reign, time_point until, time_point at) {
        engine::leads(reign, until, at);
        note(recorded::leadership{reign, until});
    }
    void lost_lead(time_point at) {
        engine::lost_lead(at);
        note(recorded::leadership{options().reign, (time_point::min)()});
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
