// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI::sim {

/// Where a controller can stand still while it works.
enum class pause_point : std::uint8_t {
    between_steps,
    before_append, ///< it has decided, and the journal has nothing of it yet
    before_calls,  ///< what it decided is in the journal, and nothing is called yet
    in_driver,     ///< it has looked for the last time whether the call may start, and the cloud has nothing of it
};

inline constexpr std::uint8_t pause_point_count = 4;

/// Where a controller stands still: whoever runs the world is told, and lets it go on meanwhile. One thread at a time.
///
///     gate.on_hold(run, [](void* of, duration d) { static_cast<world_run*>(of)->go_on(d); });
///     gate.arm(pause_point::before_calls, 2min); // the next time that it gets there
class pause_gate {
public:
    void on_hold(void* owner, void (*hold)(void*, duration)) noexcept {
        owner_ = owner;
        hold_ = hold;
    }
    void arm(pause_point at, duration d) noexcept {
        at_ = at;
        for_ = d;
    }
    void disarm() noexcept { for_ = {}; }
    [[nodiscard]] bool armed() const noexcept { return for_ > duration::zero(); }
    /// The way to the store takes so long, each time and each way.
    void slow_store(duration d) noexcept { slow_ = d; }

    void pass(pause_point here) {
        if (!armed() || here != at_ || hold_ == nullptr) return;
        const duration d = for_;
        disarm();
        hold_(owner_, d);
    }
    void pass_to_store() {
        if (slow_ > duration::zero() && hold_ != nullptr) hold_(owner_, slow_);
    }

private:
    void* owner_ = nullptr;
    void (*hold_)(void*, duration) = nullptr;
    pause_point at_{};
    duration for_{};
    duration slow_{};
};

} // namespace reheat::inline REHEAT_ABI::sim
