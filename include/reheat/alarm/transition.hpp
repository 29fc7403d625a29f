// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/evaluate.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>

namespace reheat::inline REHEAT_ABI {

/// One change of one alarm, or a reminder that it still is in `alarm` (then `from` equals `to`).
struct transition {
    watch_id watch;
    target_id target;
    alarm_state from;
    alarm_state to;
    time_point at; ///< the end of the newest period that was evaluated
    double value;  ///< the newest period's statistic; NaN if it had no datapoint
    evaluation counted{};
    decided_by by = decided_by::datapoints;
    bool act = true;        ///< whether the alarm's actions are enabled
    bool saturated = false; ///< `value` is the most that the window counts to: it may have been more

    [[nodiscard]] constexpr bool reminder() const noexcept { return from == to; }
};

} // namespace reheat::inline REHEAT_ABI
