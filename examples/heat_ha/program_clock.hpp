// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/runner/clocks.hpp>

#include "options.hpp"

namespace heat_ha {

/// The program's time. The system's goes by itself. Scaled and manual time stand while the program works, and are moved
/// from one due time to the next, so that everything happens exactly when it is due however long the work takes; scaled
/// time follows real time, manual time goes where it is told.
/// What an earlier run wrote is never later than now: time goes on from there.
class program_clock {
public:
    explicit program_clock(const options& from) noexcept
        : kind_{from.clock}, pace_{from.time_scale},
          shown_{from.clock == clock_kind::scaled ? reheat::manual_clock{pace_.now()} : reheat::manual_clock{}},
          horizon_{shown_.now()} {}

    [[nodiscard]] reheat::time_point now() const noexcept {
        return kind_ == clock_kind::system ? after(system_.now(), ahead_) : shown_.now();
    }
    [[nodiscard]] reheat::duration real_wait(reheat::time_point at) const noexcept {
        if (kind_ == clock_kind::manual) return shown_.real_wait(at);
        if (at != reheat::never) at -= ahead_;
        return kind_ == clock_kind::system ? system_.real_wait(at) : pace_.real_wait(at);
    }

    /// How far time may be moved now.
    [[nodiscard]] reheat::time_point horizon() const noexcept {
        if (kind_ == clock_kind::manual) return horizon_;
        return after(kind_ == clock_kind::system ? system_.now() : pace_.now(), ahead_);
    }
    void advance_to(reheat::time_point at) noexcept { shown_.advance_to(at); }
    /// Lets manual time go that much further.
    void extend(reheat::duration by) noexcept { horizon_ = reheat::after(horizon_, by); }
    /// Before anything is watched: it is that late at least.
    void begin_at(reheat::time_point at) noexcept {
        if (at <= now()) return;
        if (kind_ != clock_kind::manual) ahead_ = at - (kind_ == clock_kind::system ? system_.now() : pace_.now());
        shown_.advance_to(at);
        horizon_ = reheat::later(horizon_, at);
    }
    [[nodiscard]] bool manual() const noexcept { return kind_ == clock_kind::manual; }

private:
    clock_kind kind_;
    reheat::system_time system_;
    reheat::scaled_clock pace_;
    reheat::manual_clock shown_;
    reheat::time_point horizon_;
    reheat::duration ahead_{}; ///< of real time
};

static_assert(reheat::time_source<program_clock>);

} // namespace heat_ha
