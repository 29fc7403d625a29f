// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>
#include <reheat/runner/clocks.hpp>

namespace reheat::inline REHEAT_ABI::sim {

/// The world's time, and how far the controllers' clocks are from it. It outlives the controllers.
struct world_time {
    time_point now{std::chrono::seconds{1'767'225'600}}; ///< 2026-01-01T00:00:00Z
    duration skew{};                                     ///< of every controller's clock
    duration ahead{};                                    ///< beyond that, of the one that leads
    time_point last = (time_point::min)();

    /// What the clock of the controller that leads shows.
    [[nodiscard]] time_point shown() const noexcept { return now + skew + ahead; }
    /// The latest time that any controller's engine took for the time.
    time_point told() noexcept { return last = later(last, shown()); }
};

/// A controller's clock: the world's time and its own error.
class world_clock {
public:
    explicit world_clock(const world_time& of, duration ahead = {}) noexcept : of_{&of}, ahead_{ahead} {}

    [[nodiscard]] time_point now() const noexcept { return of_->now + of_->skew + ahead_; }
    [[nodiscard]] duration real_wait(time_point at) const noexcept {
        return at <= now() ? duration::zero() : duration{-1};
    }
    /// The world's time at which this clock will show `at`.
    [[nodiscard]] time_point to_world(time_point at) const noexcept {
        return at == never ? never : at - of_->skew - ahead_;
    }

private:
    const world_time* of_;
    duration ahead_;
};

static_assert(time_source<world_clock>);

} // namespace reheat::inline REHEAT_ABI::sim
