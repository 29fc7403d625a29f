// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>

#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// The state of an alarm.
enum class alarm_state : std::uint8_t { insufficient_data, ok, alarm };

[[nodiscard]] constexpr std::string_view to_string(alarm_state s) noexcept {
    switch (s) {
    case alarm_state::insufficient_data: return "insufficient_data";
    case alarm_state::ok: return "ok";
    case alarm_state::alarm: return "alarm";
    }
    return "unknown";
}

/// How periods without a sample count; the names are CloudWatch's. `ignore` keeps the state.
enum class missing_data : std::uint8_t { missing, breaching, not_breaching, ignore };

/// What a period without a sample is to SampleCount and Sum: CloudWatch has no datapoint then, Heat has 0.
enum class empty_period : std::uint8_t { counts_missing, counts_zero };

/// One change of one alarm.
struct transition {
    watch_id watch;
    target_id target;
    alarm_state from;
    alarm_state to;
    time_point at; ///< the end of the newest period that was evaluated
    double value;  ///< the newest period's statistic; NaN if it had no datapoint
};

} // namespace reheat::inline REHEAT_ABI
