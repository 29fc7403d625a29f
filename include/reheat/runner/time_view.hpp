// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>
#include <reheat/runner/clocks.hpp>

#include <concepts>

namespace reheat::inline REHEAT_ABI {

/// Another time source, by reference: for several who go by the same one, as a pipeline and the wrappers of its driver
/// go by a clock that is moved by hand. Copies of `system_time` need no such thing: they agree. Threads: as of the
/// source, which outlives it. One made of nothing must not be read.
///
///     manual_clock clock;
///     deadline_driver patient{cloud, time_view{clock}};
///     pipeline ha{patient, time_view{clock}, three_levels};
class time_view {
public:
    time_view() noexcept = default;
    template <time_source Time>
        requires(!std::same_as<Time, time_view>)
    explicit time_view(Time& of) noexcept
        : of_{&of}, now_{[](const void* source) { return static_cast<const Time*>(source)->now(); }},
          wait_{[](const void* source, time_point at) { return static_cast<const Time*>(source)->real_wait(at); }} {}

    [[nodiscard]] time_point now() const { return now_(of_); }
    [[nodiscard]] duration real_wait(time_point at) const { return wait_(of_, at); }

private:
    const void* of_ = nullptr;
    time_point (*now_)(const void*) = nullptr;
    duration (*wait_)(const void*, time_point) = nullptr;
};

} // namespace reheat::inline REHEAT_ABI
