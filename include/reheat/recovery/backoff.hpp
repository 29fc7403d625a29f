// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/hash.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/recovery/policy.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// The wait after attempt number `attempt` (from 1) of an incident. Jitter is a hash of (seed, incident, attempt): the
/// same after a replay, different for the incidents of one bad moment.
[[nodiscard]] constexpr duration wait_after(const backoff& b, std::uint64_t seed, incident_id incident,
                                            unsigned attempt) noexcept {
    std::int64_t wait = b.first.count();
    for (unsigned i = 1; i < attempt && wait < b.most.count(); ++i) wait *= 2;
    if (wait > b.most.count()) wait = b.most.count();
    const std::uint64_t draw = mix(mix(seed ^ static_cast<std::uint64_t>(incident)) ^ attempt);
    const std::int64_t half = b.full_jitter ? wait / 2 : wait / 100 * b.spread;
    const std::int64_t middle = b.full_jitter ? half : wait;
    if (half == 0) return duration{wait};
    const duration drawn{middle - half + static_cast<std::int64_t>(draw % (2 * static_cast<std::uint64_t>(half) + 1))};
    return std::chrono::floor<std::chrono::milliseconds>(drawn); // a log is read by people
}

} // namespace reheat::inline REHEAT_ABI
