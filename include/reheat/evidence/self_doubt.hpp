// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>

namespace reheat::inline REHEAT_ABI {

/// When an evaluator doubts itself rather than its targets: it came later than it wanted to, so it may have been
/// stopped itself, and samples of that time may lie unread or carry the wrong time. What the periods in progress hold
/// is then discarded, and an event says so. The default is Cassandra's guard against local pauses.
struct self_doubt {
    bool on = true;
    duration most_late = std::chrono::seconds{5};

    [[nodiscard]] constexpr bool raised(time_point due, time_point now) const noexcept {
        return on && now > after(due, most_late);
    }
};

} // namespace reheat::inline REHEAT_ABI
