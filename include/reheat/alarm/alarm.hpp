// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/comparison.hpp>
#include <reheat/alarm/state.hpp>
#include <reheat/core/result.hpp>
#include <reheat/metric/sample.hpp>
#include <reheat/metric/window.hpp>

#include <concepts>
#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// An alarm's rule, shared by all targets that are watched with an equal one. Structure is in the types (which
/// statistic, which comparison; or `any_statistic` and `any_comparison`, chosen at run time), numbers are in values.
/// The functions of `alarm/preset.hpp` set the axes below as CloudWatch, Heat, Aodh or Prometheus do.
///
///     alarm<window<sample_count>, less_than> silent{
///         .of = {.period = 60s}, .threshold = 1, .empty = empty_period::counts_zero};
template <window_policy Window, comparison_policy Comparison>
struct alarm {
    using window_type = Window;
    using statistic_type = typename Window::statistic_type;
    using comparison_type = Comparison;

    Window of{};
    Comparison compare{};
    double threshold = 0;
    double upper_threshold = 0;            ///< of a band; otherwise not used
    std::uint16_t evaluation_periods = 1;  ///< N, 1 to 1,440
    std::uint16_t datapoints_to_alarm = 0; ///< M, at most N; 0 means N
    std::uint16_t look_back = 0;           ///< periods behind N that stand in for missing ones; 0 is a strict range
    bool premature = false;                ///< few datapoints, all breaching and old enough, raise the alarm
    agreement raise = agreement::m_of_n;
    missing_data treat_missing = missing_data::missing;
    empty_period empty = empty_period::counts_missing;
    low_sample_option low_samples = low_sample_option::evaluate; ///< for percentiles
    repetition actions = repetition::on_transition;
    duration resend_after = std::chrono::minutes{1}; ///< for `repetition::re_sent`
    /// How long the range must breach without a break before the alarm is raised (Prometheus's `for`).
    duration pending_period{};
    /// How long it must not breach before the alarm is cleared (Prometheus's `keep_firing_for`).
    duration recovery_period{};
    /// The alarm stays `insufficient_data` until its first sample or until this long after the watch began.
    duration grace = std::chrono::seconds{600};
    /// The alarm stays `insufficient_data` for this long, or until N periods had datapoints.
    duration warm_up{};
    bool whole_warm_up = false; ///< the warm-up does not end early

    friend constexpr bool operator==(const alarm&, const alarm&) = default;
};

/// The rule of an alarm that is only known at run time. The same template, the same code.
using any_alarm = alarm<window<any_statistic>, any_comparison>;

namespace detail {
template <class T>
inline constexpr bool is_alarm = false;
template <class Window, class Comparison>
inline constexpr bool is_alarm<alarm<Window, Comparison>> = true;
} // namespace detail

/// A rule that a `fleet` can hold.
template <class A>
concept alarm_rule = detail::is_alarm<A>;

/// Raised by silence: `SampleCount < 1` over a period, an empty period counting zero. What Heat's template for an
/// instance says.
///
///     pipeline.watch(db, heartbeat_alarm{.period = 60s});
struct heartbeat_alarm {
    duration period = std::chrono::seconds{60};
    std::uint16_t evaluation_periods = 1;
    duration grace = std::chrono::seconds{600};

    [[nodiscard]] constexpr alarm<window<sample_count>, less_than> rule() const noexcept {
        alarm<window<sample_count>, less_than> silent{.threshold = 1, .evaluation_periods = evaluation_periods};
        silent.of.period = period;
        silent.treat_missing = missing_data::breaching;
        silent.empty = empty_period::counts_zero;
        silent.grace = grace;
        return silent;
    }
};

/// Whether a rule's numbers are inside their bounds; the error says which is not.
template <alarm_rule Rule>
[[nodiscard]] result<void> validate(const Rule& rule) {
    const duration week = std::chrono::hours{24 * 7};
    const auto wrong = [](const char* where, const char* expected) {
        return error{errc::invalid_argument, where, expected};
    };
    const auto finite = [](double number) { return number >= -1e300 && number <= 1e300; };
    const auto in_a_week = [week](duration d) { return d >= duration::zero() && d <= week; };
    if (rule.of.period < std::chrono::seconds{1} || rule.of.period > week)
        return wrong("period", "expected 1 s to 7 days");
    if (rule.of.step != duration::zero() && (rule.of.step < std::chrono::seconds{1} || rule.of.step > rule.of.period ||
                                             rule.of.period % rule.of.step != duration::zero()))
        return wrong("step", "expected 0 or a divisor of the period of 1 s or more");
    if (rule.of.step != duration::zero() && rule.of.step != rule.of.period) {
        if (rule.of.align == alignment::watch)
            return wrong("step", "expected periods on the grid, or a step of the whole period");
        if (!mergeable_statistic<typename Rule::statistic_type>)
            return wrong("step", "expected a statistic whose buckets can be joined, or a step of the whole period");
        if ((rule.evaluation_periods + rule.look_back) * (rule.of.period / rule.of.step) > 20'160)
            return wrong("step", "expected at most 20160 steps in the range");
    }
    if (rule.evaluation_periods < 1 || rule.evaluation_periods > 1'440)
        return wrong("evaluation_periods", "expected 1 to 1440");
    if (rule.datapoints_to_alarm > rule.evaluation_periods)
        return wrong("datapoints_to_alarm", "expected at most evaluation_periods");
    if (rule.look_back > 1'440) return wrong("look_back", "expected at most 1440");
    if (!finite(rule.threshold)) return wrong("threshold", "expected a finite number");
    if (is_band(rule.compare.kind()) && !(finite(rule.upper_threshold) && rule.upper_threshold >= rule.threshold))
        return wrong("upper_threshold", "expected a finite number, the threshold or more");
    if (!in_a_week(rule.pending_period)) return wrong("pending_period", "expected 0 to 7 days");
    if (!in_a_week(rule.recovery_period)) return wrong("recovery_period", "expected 0 to 7 days");
    if (rule.actions == repetition::re_sent &&
        (rule.resend_after <= duration::zero() || rule.resend_after > std::chrono::hours{16}))
        return wrong("resend_after", "expected more than 0 and at most 16 h"); // 57,600 of the shortest periods
    if (rule.grace < duration::zero()) return wrong("grace", "expected no negative duration");
    if (!in_a_week(rule.warm_up)) return wrong("warm_up", "expected 0 to 7 days");
    return {};
}

} // namespace reheat::inline REHEAT_ABI
