// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// How long after `from` it is at `now`: zero where `now` is before `from`, held at the longest duration there is.
[[nodiscard]] constexpr duration elapsed(time_point from, time_point now) noexcept {
    if (now <= from) return duration::zero();
    const std::uint64_t ns = static_cast<std::uint64_t>(now.time_since_epoch().count()) -
                             static_cast<std::uint64_t>(from.time_since_epoch().count());
    return ns > INT64_MAX ? (duration::max)() : duration{static_cast<std::int64_t>(ns)};
}

} // namespace reheat::inline REHEAT_ABI
