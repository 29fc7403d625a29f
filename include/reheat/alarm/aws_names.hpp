// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/comparison.hpp>
#include <reheat/alarm/state.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// How complete the data of an evaluation was, where it was not. Names as in CloudWatch's `EvaluationState`.
enum class evaluation_state : std::uint8_t { partial_data, evaluation_failure, evaluation_error, in_warm_up };

/// What an entry of an alarm's history tells. Names as in CloudWatch's `HistoryItemType`.
enum class history_kind : std::uint8_t {
    configuration_update,
    state_update,
    action,
    contributor_state_update,
    contributor_action,
};

/// What keeps a composite alarm's actions back. Names as in CloudWatch's `ActionsSuppressedBy`.
enum class suppressed_by : std::uint8_t { wait_period, extension_period, alarm };

namespace aws {

/// The spelling of CloudWatch's API, in the order of the enumerators.
template <class E>
inline constexpr std::array<std::string_view, 0> names{};

template <>
inline constexpr std::array<std::string_view, 3> names<alarm_state>{"INSUFFICIENT_DATA", "OK", "ALARM"};
template <>
inline constexpr std::array<std::string_view, 4> names<missing_data>{"missing", "breaching", "notBreaching", "ignore"};
template <>
inline constexpr std::array<std::string_view, 2> names<low_sample_option>{"evaluate", "ignore"};
template <>
inline constexpr std::array<std::string_view, 4> names<evaluation_state>{"PARTIAL_DATA", "EVALUATION_FAILURE",
                                                                         "EVALUATION_ERROR", "IN_WARM_UP"};
template <>
inline constexpr std::array<std::string_view, 5> names<history_kind>{
    "ConfigurationUpdate", "StateUpdate", "Action", "AlarmContributorStateUpdate", "AlarmContributorAction"};
template <>
inline constexpr std::array<std::string_view, 3> names<suppressed_by>{"WaitPeriod", "ExtensionPeriod", "Alarm"};
/// Without Aodh's two: CloudWatch compares for neither.
template <>
inline constexpr std::array<std::string_view, 9> names<comparison>{to_string(comparison::greater_than),
                                                                   to_string(comparison::greater_than_or_equal),
                                                                   to_string(comparison::less_than),
                                                                   to_string(comparison::less_than_or_equal),
                                                                   std::string_view{},
                                                                   std::string_view{},
                                                                   to_string(comparison::outside_band),
                                                                   to_string(comparison::below_band),
                                                                   to_string(comparison::above_band)};

/// The name of a value, as CloudWatch spells it; empty if CloudWatch has no such value.
///
///     static_assert(aws::name(missing_data::not_breaching) == "notBreaching");
template <class E>
    requires(!names<E>.empty())
[[nodiscard]] constexpr std::string_view name(E value) noexcept {
    const auto i = static_cast<std::size_t>(value);
    return i < names<E>.size() ? names<E>[i] : std::string_view{};
}

/// The value of a name; letters count as they are, as they do for CloudWatch.
template <class E>
    requires(!names<E>.empty())
[[nodiscard]] constexpr std::optional<E> parse(std::string_view text) noexcept {
    for (std::size_t i = 0; i < names<E>.size(); ++i) {
        if (!text.empty() && names<E>[i] == text) return static_cast<E>(i);
    }
    return std::nullopt;
}

} // namespace aws

} // namespace reheat::inline REHEAT_ABI
