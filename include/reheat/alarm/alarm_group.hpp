// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/transition.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>

#include <cstdint>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// The narrow interface between a group of equal alarms and the engine, called in batches. One thread at a time.
class alarm_group {
public:
    alarm_group() = default;
    alarm_group(const alarm_group&) = delete;
    alarm_group& operator=(const alarm_group&) = delete;
    virtual ~alarm_group() = default;

    /// Begins to watch a target; `row` counts up from 0. Allocates.
    virtual std::uint32_t add(target_id target, time_point watched_at) = 0;
    /// Records a sample of one row. Never allocates; a sample older than the window, or no finite number, is
    /// dropped.
    virtual bool push(std::uint32_t row, time_point at, double value) noexcept = 0;
    /// Evaluates what is due at `now` and appends the transitions, in row order.
    virtual void evaluate(std::uint32_t group, time_point now, std::vector<transition>& out) = 0;
    /// What the periods up to the one of `now` hold says nothing: we were not there to hear it.
    virtual void doubt(time_point now) noexcept = 0;
    /// Forgets what one row heard before `at`, and keeps its state: from here on only what is heard later speaks, and
    /// silence says nothing for `grace`.
    virtual void forget(std::uint32_t row, time_point at, duration grace) noexcept = 0;
    /// Whether a row has heard a sample since it was watched or told to forget.
    [[nodiscard]] virtual bool has_heard(std::uint32_t row) const noexcept = 0;
    /// When something is due next.
    [[nodiscard]] virtual time_point next() const noexcept = 0;
    [[nodiscard]] virtual alarm_state state(std::uint32_t row) const noexcept = 0;
};

} // namespace reheat::inline REHEAT_ABI
