// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/alarm.hpp>

#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// What `lint` finds wrong with an alarm's rule although its numbers are valid.
enum class alarm_finding : std::uint8_t {
    none,
    silent_on_silence, ///< fewer samples should raise it, but with no sample at all there is nothing to compare
};

[[nodiscard]] constexpr std::string_view to_string(alarm_finding f) noexcept {
    return f == alarm_finding::silent_on_silence ? "silent_on_silence" : "none";
}

/// Whether a rule is meant to find silence: a count of 0 breaches it.
template <alarm_rule Rule>
[[nodiscard]] constexpr bool seeks_silence(const Rule& rule) noexcept {
    return rule.of.statistic.kind() == statistic::sample_count && rule.compare(0, rule.threshold, rule.upper_threshold);
}

/// Checks an alarm's rule; a constant one at compile time. A rule that a count of 0 would breach (`SampleCount < 1`) is
/// meant to find silence. If an empty period neither counts 0 nor breaches, total silence never raises it.
///
///     static_assert(lint(heartbeat_alarm{}.rule()) == alarm_finding::none);
template <alarm_rule Rule>
[[nodiscard]] constexpr alarm_finding lint(const Rule& rule) noexcept {
    const bool hears_silence = rule.empty == empty_period::counts_zero ||
                               (rule.treat_missing == missing_data::breaching && rule.raise == agreement::m_of_n);
    return seeks_silence(rule) && !hears_silence ? alarm_finding::silent_on_silence : alarm_finding::none;
}

} // namespace reheat::inline REHEAT_ABI
