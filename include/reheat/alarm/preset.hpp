// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/alarm.hpp>

/// The axes of an alarm set as others have them. A preset takes a rule and changes only the axes; what the rule
/// measures, its threshold and its numbers stay. `docs/reference/alarms.md` has them as one table, and the periods of
/// silence that each needs to raise an alarm as another.
///
///     constexpr auto silent = preset::liveness(
///         alarm<window<sample_count>, less_than>{.of = {.period = 60s}, .threshold = 1, .evaluation_periods = 2});
namespace reheat::inline REHEAT_ABI::preset {

namespace detail {
/// The axes as a rule has them by itself; what it says of grace and warm-up stays.
template <alarm_rule Rule>
[[nodiscard]] constexpr Rule plain(Rule rule) noexcept {
    const Rule fresh{};
    rule.of.align = alignment::grid;
    rule.of.step = duration::zero();
    rule.look_back = fresh.look_back;
    rule.premature = fresh.premature;
    rule.raise = fresh.raise;
    rule.empty = fresh.empty;
    rule.actions = fresh.actions;
    rule.pending_period = rule.recovery_period = duration::zero();
    return rule;
}
} // namespace detail

/// Amazon CloudWatch: M of N, two periods of look-back for missing ones, the premature rule, an empty period missing
/// whatever the statistic. A period of whole minutes slides by the minute. How missing data is treated stays as given.
template <alarm_rule Rule>
[[nodiscard]] constexpr Rule cloudwatch(Rule rule) noexcept {
    constexpr duration minute = std::chrono::minutes{1};
    rule = detail::plain(rule);
    rule.look_back = 2;
    rule.premature = true;
    if (rule.of.period > minute && rule.of.period % minute == duration::zero()) rule.of.step = minute;
    return rule;
}

/// OpenStack Heat's watch rule: one period back from now, an empty one counting 0, the action at every evaluation.
/// `EvaluationPeriods` was never read. (heat/engine/watchrule.py)
template <alarm_rule Rule>
[[nodiscard]] constexpr Rule heat(Rule rule) noexcept {
    rule = detail::plain(rule);
    rule.of.align = alignment::watch;
    rule.evaluation_periods = 1;
    rule.datapoints_to_alarm = 1;
    rule.empty = empty_period::counts_zero;
    rule.treat_missing = missing_data::missing;
    rule.actions = repetition::every_evaluation;
    return rule;
}

/// OpenStack Aodh's threshold alarm: all of N raise, none clears, a mixed range keeps the state; the newest N of N + 1
/// periods.
template <alarm_rule Rule>
[[nodiscard]] constexpr Rule aodh(Rule rule) noexcept {
    rule = detail::plain(rule);
    rule.datapoints_to_alarm = rule.evaluation_periods;
    rule.look_back = 1;
    rule.raise = agreement::unanimous;
    rule.treat_missing = missing_data::missing;
    return rule;
}

/// Prometheus: one period, which must breach for `pending`; kept for `keep` once raised; sent again each minute. No
/// data resolves the alarm.
template <alarm_rule Rule>
[[nodiscard]] constexpr Rule prometheus(Rule rule, duration pending = {}, duration keep = {}) noexcept {
    rule = detail::plain(rule);
    rule.evaluation_periods = 1;
    rule.datapoints_to_alarm = 1;
    rule.treat_missing = missing_data::not_breaching;
    rule.actions = repetition::re_sent;
    rule.resend_after = std::chrono::minutes{1};
    rule.pending_period = pending;
    rule.recovery_period = keep;
    return rule;
}

/// For heartbeats: M of exactly N periods, silence breaching. Nothing behind the range delays it.
template <alarm_rule Rule>
[[nodiscard]] constexpr Rule liveness(Rule rule) noexcept {
    rule = detail::plain(rule);
    rule.empty = empty_period::counts_zero;
    rule.treat_missing = missing_data::breaching;
    return rule;
}

} // namespace reheat::inline REHEAT_ABI::preset
