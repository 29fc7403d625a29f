// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// The state of an alarm.
enum class alarm_state : std::uint8_t { insufficient_data, ok, alarm };

[[nodiscard]] constexpr std::string_view to_string(alarm_state s) noexcept {
    constexpr std::array<std::string_view, 4> names{"insufficient_data", "ok", "alarm", "unknown"};
    return names[s <= alarm_state::alarm ? static_cast<std::size_t>(s) : 3];
}

/// How periods without a sample count; the names are CloudWatch's. `ignore` keeps the state.
enum class missing_data : std::uint8_t { missing, breaching, not_breaching, ignore };

/// What a period without a sample is to SampleCount and Sum: CloudWatch has no datapoint then, Heat has 0.
enum class empty_period : std::uint8_t { counts_missing, counts_zero };

/// What a percentile of few samples does: it is compared like any other, or the state stays.
enum class low_sample_option : std::uint8_t { evaluate, ignore };

/// How the datapoints of a range must agree.
enum class agreement : std::uint8_t {
    m_of_n,    ///< M breaching ones raise, fewer clear
    unanimous, ///< all N breaching raise, none clears, a mixed range keeps the state
};

/// When an alarm's actions run.
enum class repetition : std::uint8_t {
    on_transition,    ///< once for each change of the state
    every_evaluation, ///< at each evaluation in `alarm`, as Heat did
    re_sent,          ///< on a change, and again while in `alarm` after each `resend_after`
};

} // namespace reheat::inline REHEAT_ABI
