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
    // A year keeps every product below in range, and is longer than anybody waits.
    constexpr std::int64_t year = std::chrono::duration_cast<duration>(std::chrono::hours{24 * 365}).count();
    const std::int64_t most = b.most.count() < year ? b.most.count() : year;
    std::int64_t wait = b.first.count() < most ? b.first.count() : most;
    for (unsigned i = 1; i < attempt && wait > 0 && wait < most; ++i) wait = wait < most / 2 ? wait * 2 : most;
    if (wait <= 0) return {};
    const std::uint64_t draw = mix(mix(seed ^ static_cast<std::uint64_t>(incident)) ^ attempt);
    const std::int64_t half = b.full_jitter ? wait / 2 : wait / 100 * (b.spread < 100 ? b.spread : 100);
    const std::int64_t middle = b.full_jitter ? half : wait;
    if (half == 0) return duration{wait};
    const duration drawn{middle - half + static_cast<std::int64_t>(draw % (2 * static_cast<std::uint64_t>(half) + 1))};
    return std::chrono::floor<std::chrono::milliseconds>(drawn); // a log is read by people
}

} // namespace reheat::inline REHEAT_ABI
