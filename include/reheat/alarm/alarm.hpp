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
    std::uint16_t evaluation_periods = 1;  ///< N, 1 to 1,440
    std::uint16_t datapoints_to_alarm = 0; ///< M, at most N; 0 means N
    missing_data treat_missing = missing_data::missing;
    empty_period empty = empty_period::counts_missing;
    /// The alarm stays `insufficient_data` until its first sample or until this long after the watch began.
    duration grace = std::chrono::seconds{600};

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
        return {.of = {.statistic = {}, .period = period, .align = alignment::grid},
                .compare = {},
                .threshold = 1,
                .evaluation_periods = evaluation_periods,
                .datapoints_to_alarm = 0,
                .treat_missing = missing_data::breaching,
                .empty = empty_period::counts_zero,
                .grace = grace};
    }
};

/// Whether a rule's numbers are inside their bounds; the error says which is not.
template <alarm_rule Rule>
[[nodiscard]] result<void> validate(const Rule& rule) {
    if (rule.of.period < std::chrono::seconds{1} || rule.of.period > std::chrono::hours{24 * 7})
        return error{errc::invalid_argument, "period", "expected 1 s to 7 days"};
    if (rule.evaluation_periods < 1 || rule.evaluation_periods > 1'440)
        return error{errc::invalid_argument, "evaluation_periods", "expected 1 to 1440"};
    if (rule.datapoints_to_alarm > rule.evaluation_periods)
        return error{errc::invalid_argument, "datapoints_to_alarm", "expected at most evaluation_periods"};
    if (!(rule.threshold >= -1e300 && rule.threshold <= 1e300))
        return error{errc::invalid_argument, "threshold", "expected a finite number"};
    if (rule.grace < duration::zero()) return error{errc::invalid_argument, "grace", "expected no negative duration"};
    return {};
}

} // namespace reheat::inline REHEAT_ABI
