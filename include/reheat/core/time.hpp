// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <chrono>
#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// Engine time: nanoseconds of UTC since 1970 that never go back. The clock has no `now()`: a time source makes the
/// values (`system_time`, `manual_clock`, `scaled_clock`), so the core can not read a clock by accident.
struct engine_clock {
    using rep = std::int64_t;
    using period = std::nano;
    using duration = std::chrono::nanoseconds;
    using time_point = std::chrono::time_point<engine_clock>;
    static constexpr bool is_steady = true;
};

using duration = engine_clock::duration;
using time_point = engine_clock::time_point;

/// Later than every time that can happen: "nothing is due".
inline constexpr time_point never = (time_point::max)();

/// `at + by`, held at `never` where the sum would overflow.
[[nodiscard]] constexpr time_point after(time_point at, duration by) noexcept {
    return by > duration::zero() && at > never - by ? never : at + by;
}

[[nodiscard]] constexpr time_point earlier(time_point a, time_point b) noexcept { return b < a ? b : a; }
[[nodiscard]] constexpr time_point later(time_point a, time_point b) noexcept { return a < b ? b : a; }

} // namespace reheat::inline REHEAT_ABI
