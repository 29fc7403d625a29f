// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/aws_names.hpp>
#include <reheat/core/api_fault.hpp>
#include <reheat/core/escape.hpp>
#include <reheat/core/time.hpp>
#include <reheat/metric/statistic.hpp>

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// The bounds of CloudWatch's alarm API (botocore, service model `cloudwatch/2010-08-01`). Lengths are in characters.
struct alarm_limits {
    std::size_t name = 255;
    std::size_t description = 1024;
    std::size_t actions_per_state = 5;
    std::size_t state_reason = 1023;
    std::size_t state_reason_data = 4000;
    std::size_t history_data = 4095;
    std::size_t history_summary = 255;
    std::size_t names_to_describe = 100;
    std::int64_t records = 100;          ///< at a time, 1 or more
    std::int64_t window = 604'800;       ///< seconds: the period times the evaluation periods
    std::int64_t narrow_window = 86'400; ///< the same where the period is below `narrow_period`
    std::int64_t narrow_period = 3'600;
    std::int64_t datapoints = 1'440; ///< that one request for statistics may ask for
};

inline constexpr alarm_limits limits_of_alarms{};

/// What `PutMetricAlarm` is given, as it came. An empty text, or no number, is a parameter that was not given. Lives as
/// long as the request.
struct alarm_definition {
    std::string_view name;
    std::string_view description;
    std::span<const std::string_view> ok_actions;
    std::span<const std::string_view> alarm_actions;
    std::span<const std::string_view> insufficient_data_actions;
    std::string_view metric_name;
    std::string_view metric_namespace;
    std::string_view statistic;          ///< one of the five names of `to_string(statistic)`
    std::string_view extended_statistic; ///< or a percentile, a trimmed mean …
    std::string_view unit;
    std::optional<std::int64_t> period; ///< in seconds
    std::optional<std::int64_t> evaluation_periods;
    std::optional<std::int64_t> datapoints_to_alarm;
    std::optional<double> threshold;
    std::string_view comparison_operator;
    std::string_view treat_missing_data;
    std::string_view evaluate_low_sample_count_percentile;
};

/// Whether CloudWatch alarms can have a period: 10, 20 or 30 s, or whole minutes.
[[nodiscard]] constexpr bool is_alarm_period(std::int64_t seconds) noexcept {
    return seconds == 10 || seconds == 20 || seconds == 30 || (seconds >= 60 && seconds % 60 == 0);
}

namespace detail {

/// The characters of a text, a byte that is no UTF-8 counting as one.
[[nodiscard]] constexpr std::size_t characters(std::string_view text) noexcept {
    std::size_t count = 0;
    for (; !text.empty(); ++count) {
        const std::size_t size = utf8_size(text);
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return count;
}

[[nodiscard]] inline api_fault constraint_fault(std::string_view value, std::string_view member, std::string expected) {
    std::string message = "1 validation error detected: Value '";
    message += clip(value, 256);
    message += "' at '";
    message += member;
    message += "' failed to satisfy constraint: Member must ";
    message += expected;
    return {"ValidationError", std::move(message)};
}

[[nodiscard]] inline api_fault enum_fault(std::string_view value, std::string_view member,
                                          std::span<const std::string_view> names) {
    std::string expected = "satisfy enum value set: [";
    for (const std::string_view name : names) {
        if (name.empty()) continue;
        if (expected.back() != '[') expected += ", ";
        expected += name;
    }
    return constraint_fault(value, member, expected + "]");
}

[[nodiscard]] inline std::optional<api_fault> check_length(std::string_view value, std::string_view member,
                                                           std::size_t most) {
    if (characters(value) <= most) return std::nullopt;
    return constraint_fault(value, member, "have length less than or equal to " + std::to_string(most));
}

[[nodiscard]] inline std::optional<api_fault> check_positive(std::int64_t value, std::string_view member) {
    if (value >= 1) return std::nullopt;
    return constraint_fault(std::to_string(value), member, "have value greater than or equal to 1");
}

[[nodiscard]] inline api_fault missing_parameter(std::string_view name) {
    return {"MissingParameter", "The parameter " + std::string{name} + " is required."};
}

/// Period, evaluation periods and datapoints to alarm, each alone and together.
[[nodiscard]] inline std::optional<api_fault> check_periods(const alarm_definition& a) {
    constexpr alarm_limits limits{};
    if (!a.period) return missing_parameter("Period");
    if (!a.evaluation_periods) return missing_parameter("EvaluationPeriods");
    if (auto fault = check_positive(*a.evaluation_periods, "evaluationPeriods")) return fault;
    if (a.datapoints_to_alarm) {
        if (auto fault = check_positive(*a.datapoints_to_alarm, "datapointsToAlarm")) return fault;
        if (*a.datapoints_to_alarm > *a.evaluation_periods)
            return api_fault{"ValidationError", "DatapointsToAlarm must be less than or equal to EvaluationPeriods."};
    }
    if (!is_alarm_period(*a.period))
        return api_fault{"ValidationError", "Period must be 10, 20, 30 or a multiple of 60."};
    const bool narrow = *a.period < limits.narrow_period;
    if (*a.evaluation_periods <= (narrow ? limits.narrow_window : limits.window) / *a.period) return std::nullopt;
    return api_fault{"ValidationError",
                     narrow ? "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= "
                              "86400)."
                            : "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be "
                              "<= 604800)."};
}

/// Which statistic; `extended` tells the names of extended ones.
template <std::predicate<std::string_view> Extended>
[[nodiscard]] std::optional<api_fault> check_statistic(const alarm_definition& a, const Extended& extended) {
    constexpr std::array<std::string_view, 5> simple{to_string(statistic::sample_count), to_string(statistic::average),
                                                     to_string(statistic::sum), to_string(statistic::minimum),
                                                     to_string(statistic::maximum)};
    if (a.statistic.empty() == a.extended_statistic.empty())
        return api_fault{"InvalidParameterCombination",
                         "Exactly one of the parameters Statistic and ExtendedStatistic must be specified."};
    if (a.statistic.empty()) {
        if (extended(a.extended_statistic)) return std::nullopt;
        return api_fault{"InvalidParameterValue", "The value " + std::string{clip(a.extended_statistic, 256)} +
                                                      " for parameter ExtendedStatistic is not supported."};
    }
    for (const std::string_view name : simple) {
        if (name == a.statistic) return std::nullopt;
    }
    return enum_fault(a.statistic, "statistic", simple);
}

/// The names of states in the order in which CloudWatch's refusal lists them.
inline constexpr std::array<std::string_view, 3> listed_states{"INSUFFICIENT_DATA", "ALARM", "OK"};

} // namespace detail

/// Checks an alarm's definition as `PutMetricAlarm` does; the first thing that is wrong, in CloudWatch's words where
/// they are known. `extended` says whether a text names an extended statistic. Actions are counted, not read.
///
///     if (auto fault = check_alarm(definition, is_extended_statistic)) return refuse(*fault);
template <std::predicate<std::string_view> Extended>
[[nodiscard]] std::optional<api_fault> check_alarm(const alarm_definition& a, const Extended& extended) {
    constexpr alarm_limits limits{};
    if (a.name.empty()) return detail::missing_parameter("AlarmName");
    if (auto fault = detail::check_length(a.name, "alarmName", limits.name)) return fault;
    if (auto fault = detail::check_length(a.description, "alarmDescription", limits.description)) return fault;
    const auto too_many = [](std::span<const std::string_view> actions, std::string_view member) {
        return actions.size() <= limits_of_alarms.actions_per_state
                   ? std::nullopt
                   : std::optional{detail::constraint_fault(std::to_string(actions.size()) + " actions", member,
                                                            "have length less than or equal to 5")};
    };
    if (auto fault = too_many(a.ok_actions, "oKActions")) return fault;
    if (auto fault = too_many(a.alarm_actions, "alarmActions")) return fault;
    if (auto fault = too_many(a.insufficient_data_actions, "insufficientDataActions")) return fault;
    if (a.metric_name.empty()) return detail::missing_parameter("MetricName");
    if (auto fault = detail::check_length(a.metric_name, "metricName", limits.name)) return fault;
    if (a.metric_namespace.empty()) return detail::missing_parameter("Namespace");
    if (auto fault = detail::check_length(a.metric_namespace, "namespace", limits.name)) return fault;
    if (a.comparison_operator.empty()) return detail::missing_parameter("ComparisonOperator");
    if (!aws::parse<comparison>(a.comparison_operator))
        return detail::enum_fault(a.comparison_operator, "comparisonOperator", aws::names<comparison>);
    if (!a.threshold) return detail::missing_parameter("Threshold");
    if (!std::isfinite(*a.threshold))
        return api_fault{"InvalidParameterValue", "The value for parameter Threshold must be a finite number."};
    if (auto fault = detail::check_periods(a)) return fault;
    if (auto fault = detail::check_statistic(a, extended)) return fault;
    if (!a.treat_missing_data.empty() && !aws::parse<missing_data>(a.treat_missing_data))
        return api_fault{"ValidationError",
                         "The value " + std::string{clip(a.treat_missing_data, 256)} +
                             " is not supported for TreatMissingData parameter. Supported values are [breaching, "
                             "notBreaching, ignore, missing]."};
    if (!a.evaluate_low_sample_count_percentile.empty() &&
        !aws::parse<low_sample_option>(a.evaluate_low_sample_count_percentile))
        return api_fault{"ValidationError",
                         "Option " + std::string{clip(a.evaluate_low_sample_count_percentile, 256)} +
                             " is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are "
                             "evaluate and ignore."};
    return std::nullopt;
}

/// Checks what `SetAlarmState` is given. `is_json` says whether a text is JSON; the core has no reader of it.
template <std::predicate<std::string_view> IsJson>
[[nodiscard]] std::optional<api_fault> check_state_update(std::string_view state, std::string_view reason,
                                                          std::string_view reason_data, const IsJson& is_json) {
    if (!aws::parse<alarm_state>(state)) return detail::enum_fault(state, "stateValue", detail::listed_states);
    if (auto fault = detail::check_length(reason, "stateReason", limits_of_alarms.state_reason)) return fault;
    if (auto fault = detail::check_length(reason_data, "stateReasonData", limits_of_alarms.state_reason_data))
        return fault;
    if (!reason_data.empty() && !is_json(reason_data))
        return api_fault{"InvalidFormat", "StateReasonData is not valid JSON."};
    return std::nullopt;
}

/// Checks the range of `GetMetricStatistics`: it is not empty, and asks for no more than 1,440 datapoints.
[[nodiscard]] inline std::optional<api_fault> check_statistics_range(time_point start, time_point end,
                                                                     duration period) {
    if (start >= end)
        return api_fault{"InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime."};
    if (auto fault = detail::check_positive(period / std::chrono::seconds{1}, "period")) return fault;
    const std::int64_t datapoints = (end - start) / period + ((end - start) % period == duration::zero() ? 0 : 1);
    if (datapoints <= limits_of_alarms.datapoints) return std::nullopt;
    return api_fault{"InvalidParameterCombination",
                     "You have requested up to " + std::to_string(datapoints) +
                         " datapoints, which exceeds the limit of 1440. You may reduce the datapoints requested by "
                         "increasing Period, or decreasing the time range."};
}

} // namespace reheat::inline REHEAT_ABI
