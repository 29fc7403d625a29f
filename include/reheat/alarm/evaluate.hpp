// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/state.hpp>

#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// Which part of the rule decided an evaluation.
enum class decided_by : std::uint8_t {
    datapoints, ///< enough periods had one
    filled,     ///< missing periods were counted as breaching or not breaching, or did not matter
    premature,  ///< few datapoints, all breaching, the oldest of them M periods old or older
    kept,       ///< too little to decide on: the state stayed
    no_data,    ///< too little to decide on: insufficient data
    trend,      ///< from insufficient data, the newest period
    held,       ///< the pending or the recovery period is not over
    hand,       ///< an operator set the state
};

[[nodiscard]] constexpr std::string_view to_string(decided_by d) noexcept {
    switch (d) {
    case decided_by::datapoints: return "datapoints";
    case decided_by::filled: return "filled";
    case decided_by::premature: return "premature";
    case decided_by::kept: return "kept";
    case decided_by::no_data: return "no_data";
    case decided_by::trend: return "trend";
    case decided_by::held: return "held";
    case decided_by::hand: return "hand";
    }
    return "unknown";
}

/// What an evaluation counted: the periods asked for (`evaluation_periods`, N) and the breaching ones that raise (M);
/// of the newest N datapoints in range those that were there, and those of them that breach.
struct evaluation {
    std::uint32_t periods = 1;
    std::uint32_t datapoints_to_alarm = 1;
    std::uint32_t real = 0;
    std::uint32_t breaching = 0;
    std::uint32_t oldest_breaching = 0; ///< its age in periods, 1 for the newest period; 0 if none breaches

    /// Counts a datapoint of an age; ages ascend. False once N are counted: what is older says nothing.
    constexpr bool count(std::uint32_t age, bool breaches) noexcept {
        ++real;
        if (breaches) {
            ++breaching;
            oldest_breaching = age;
        }
        return real < periods;
    }

    friend constexpr bool operator==(const evaluation&, const evaluation&) = default;
};

/// The state that an evaluation leads to, and why.
struct decision_of_state {
    alarm_state state;
    decided_by by;

    friend constexpr bool operator==(decision_of_state, decision_of_state) = default;
};

/// M out of N with CloudWatch's four treatments of missing data. The range is the caller's: exactly N periods (strict:
/// looking back behind them costs a liveness alarm as many periods of detection time), or some behind N where periods
/// are missing. With `premature`, few datapoints that all breach raise the alarm once the oldest is M periods old,
/// although more may arrive late. (Amazon CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing
/// data".)
[[nodiscard]] constexpr decision_of_state evaluate(const evaluation& e, missing_data treat, alarm_state before,
                                                   bool premature = false) noexcept {
    const std::uint32_t missing = e.periods > e.real ? e.periods - e.real : 0;
    const decided_by by = missing == 0 ? decided_by::datapoints : decided_by::filled;
    const std::uint32_t filled = treat == missing_data::breaching ? e.breaching + missing : e.breaching;
    if (filled >= e.datapoints_to_alarm) return {alarm_state::alarm, by};
    const bool open = missing != 0 && e.real == e.breaching;
    if (!open || treat == missing_data::breaching || treat == missing_data::not_breaching) return {alarm_state::ok, by};
    if (treat == missing_data::ignore) return {before, decided_by::kept};
    if (premature && e.breaching != 0 && e.oldest_breaching >= e.datapoints_to_alarm)
        return {alarm_state::alarm, decided_by::premature};
    return {alarm_state::insufficient_data, decided_by::no_data};
}

/// All of N or none of them, as Aodh: a mixed range keeps the state, and from insufficient data the newest period
/// decides. A range that is not full is insufficient data.
[[nodiscard]] constexpr decision_of_state evaluate_unanimous(const evaluation& e, bool newest_breaches,
                                                             alarm_state before) noexcept {
    if (e.real < e.periods) return {alarm_state::insufficient_data, decided_by::no_data};
    if (e.breaching == e.real) return {alarm_state::alarm, decided_by::datapoints};
    if (e.breaching == 0) return {alarm_state::ok, decided_by::datapoints};
    if (before != alarm_state::insufficient_data) return {before, decided_by::kept};
    return {newest_breaches ? alarm_state::alarm : alarm_state::ok, decided_by::trend};
}

} // namespace reheat::inline REHEAT_ABI
