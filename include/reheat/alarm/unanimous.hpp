// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/comparison.hpp>
#include <reheat/alarm/evaluate.hpp>
#include <reheat/alarm/state.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// Aodh's threshold rule: the newest N points of one granularity must all be outside the threshold to raise, and all
/// inside to clear. Bounds as Aodh's API has them; `validate` checks them.
struct unanimous_rule {
    any_comparison compare{};
    double threshold = 0;
    std::uint16_t evaluation_periods = 1;            ///< N, 1 to 100
    duration granularity = std::chrono::seconds{60}; ///< of a point, 1 s to 365 days in whole seconds
    bool exclude_outliers = false;                   ///< first drop points made of unusually few or many samples
    bool repeat_actions = false;                     ///< notify at every evaluation

    friend constexpr bool operator==(const unanimous_rule&, const unanimous_rule&) = default;
};

/// Whether a rule's numbers are inside their bounds; the error says which is not.
[[nodiscard]] inline result<void> validate(const unanimous_rule& rule) {
    const auto wrong = [](const char* where, const char* expected) {
        return error{errc::invalid_argument, where, expected};
    };
    if (is_band(rule.compare.kind())) return wrong("comparison_operator", "expected one threshold, not a band");
    if (!std::isfinite(rule.threshold)) return wrong("threshold", "expected a finite number");
    if (rule.evaluation_periods < 1 || rule.evaluation_periods > 100)
        return wrong("evaluation_periods", "expected 1 to 100");
    if (rule.granularity < std::chrono::seconds{1} || rule.granularity > std::chrono::days{365} ||
        rule.granularity % std::chrono::seconds{1} != duration::zero())
        return wrong("granularity", "expected 1 to 31536000 whole seconds");
    return {};
}

/// The oldest time whose points an evaluation at `now` asks for: N points and one more, because the newest may not be
/// whole yet; N more where outliers are dropped. `lag` is how late points may come in (Aodh's
/// `additional_ingestion_lag`).
[[nodiscard]] constexpr time_point window_start(const unanimous_rule& rule, time_point now,
                                                duration lag = {}) noexcept {
    const int more = rule.exclude_outliers ? rule.evaluation_periods : 1;
    return now - (rule.granularity * (rule.evaluation_periods + more) + lag);
}

/// A point of a series: the value of its statistic, and of how many samples it was made.
struct measured_point {
    double value;
    double sample_count;
};

/// Drops the points whose sample count is further than two standard deviations (of all of the points) from the mean.
/// What stays moves to the front, in its order; returns how many that are.
[[nodiscard]] inline std::size_t exclude_outliers(std::span<measured_point> points) noexcept {
    const auto size = static_cast<double>(points.size());
    double mean = 0;
    for (const measured_point& p : points) mean += p.sample_count;
    mean /= size;
    double squares = 0;
    for (const measured_point& p : points) squares += (p.sample_count - mean) * (p.sample_count - mean);
    const double most = 2 * std::sqrt(squares / size);
    std::size_t kept = 0;
    for (const measured_point& p : points) {
        if (p.sample_count >= mean - most && p.sample_count <= mean + most) points[kept++] = p;
    }
    return kept;
}

/// Counts the newest N of the points of a window, newest last. What is behind them says nothing; fewer than N, or none
/// because the source failed, are insufficient data.
[[nodiscard]] constexpr decision_of_state evaluate(const unanimous_rule& rule, std::span<const double> points,
                                                   alarm_state before) noexcept {
    evaluation counted{.periods = rule.evaluation_periods, .datapoints_to_alarm = rule.evaluation_periods};
    const std::size_t newest = points.size();
    for (std::size_t age = 1; age <= newest; ++age) {
        const bool outside = rule.compare(points[newest - age], rule.threshold);
        if (!counted.count(static_cast<std::uint32_t>(age), outside)) break;
    }
    const bool newest_outside = newest != 0 && rule.compare(points.back(), rule.threshold);
    return evaluate_unanimous(counted, newest_outside, before);
}

/// Whether an evaluation notifies: a change of the state does, and with `repeat_actions` each evaluation, a mixed one
/// included.
[[nodiscard]] constexpr bool notifies(alarm_state before, alarm_state after, bool repeat_actions) noexcept {
    return before != after || repeat_actions;
}

/// The comparison that has a name in Aodh's API: `lt le eq ne ge gt`.
[[nodiscard]] constexpr std::optional<comparison> parse_operator(std::string_view name) noexcept {
    if (name == "lt") return comparison::less_than;
    if (name == "le") return comparison::less_than_or_equal;
    if (name == "eq") return comparison::equal_to;
    if (name == "ne") return comparison::not_equal_to;
    if (name == "ge") return comparison::greater_than_or_equal;
    if (name == "gt") return comparison::greater_than;
    return std::nullopt;
}

} // namespace reheat::inline REHEAT_ABI
