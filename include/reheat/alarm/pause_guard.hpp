// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/elapsed.hpp>
#include <reheat/core/time.hpp>

namespace reheat::inline REHEAT_ABI {

/// Doubts the observer before the observed: after a gap between two of our own checks (a stopped process, a collector,
/// a suspended machine) nobody is convicted for a while, because heartbeats wait unread (Cassandra, 5 s and 5 s). One
/// for each checker, not for each target. One thread at a time.
///
///     pause_guard ours;
///     const bool may_convict = ours.check(now);
///     if (may_convict && detector.suspects(now)) convict(target);
class pause_guard {
public:
    constexpr explicit pause_guard(duration longest_gap = std::chrono::seconds{5},
                                   duration hold = std::chrono::seconds{5}) noexcept
        : longest_gap_{longest_gap}, hold_{hold} {}

    /// Notes a round of checks made at `now`; whether it may convict.
    [[nodiscard]] constexpr bool check(time_point now) noexcept {
        if (elapsed(last_, now) > longest_gap_) held_until_ = after(now, hold_);
        last_ = now;
        return now >= held_until_;
    }

    /// When convictions are allowed again; in the past where they are.
    [[nodiscard]] constexpr time_point held_until() const noexcept { return held_until_; }
    [[nodiscard]] constexpr duration longest_gap() const noexcept { return longest_gap_; }
    [[nodiscard]] constexpr duration hold() const noexcept { return hold_; }

private:
    duration longest_gap_;
    duration hold_;
    time_point last_ = never; // no gap before the first check
    time_point held_until_ = (time_point::min)();
};

} // namespace reheat::inline REHEAT_ABI
