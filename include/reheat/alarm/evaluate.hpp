// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/state.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// What an evaluation counted: periods asked for (`evaluation_periods`, N), breaching ones that raise (M), and of the
/// periods in range those with a datapoint and those of them that breach.
struct evaluation {
    std::uint32_t periods = 1;
    std::uint32_t datapoints_to_alarm = 1;
    std::uint32_t real = 0;
    std::uint32_t breaching = 0;
};

/// M out of N over a strict range (exactly N periods, nothing behind them), with the four treatments of missing data.
/// Strict, because looking back behind N costs a liveness alarm up to two periods of detection time.
[[nodiscard]] constexpr alarm_state evaluate(const evaluation& e, missing_data treat, alarm_state before) noexcept {
    const std::uint32_t missing = e.periods > e.real ? e.periods - e.real : 0;
    const std::uint32_t filled = treat == missing_data::breaching ? e.breaching + missing : e.breaching;
    if (filled >= e.datapoints_to_alarm) return alarm_state::alarm;
    if (e.real == 0 && treat == missing_data::missing) return alarm_state::insufficient_data;
    if (e.real == 0 && treat == missing_data::ignore) return before;
    const bool only_breaching = e.real != 0 && e.real == e.breaching && missing != 0;
    if (only_breaching && treat == missing_data::missing) return alarm_state::insufficient_data;
    if (only_breaching && treat == missing_data::ignore) return before;
    return alarm_state::ok;
}

} // namespace reheat::inline REHEAT_ABI
