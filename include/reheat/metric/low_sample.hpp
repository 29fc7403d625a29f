// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/metric/statistic_spec.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// From how many samples on a percentile says something: 10 / (1 - p) from the median on, 10 / p below it; 0 for every
/// other statistic, and for p0 and p100. (Amazon CloudWatch User Guide, "Percentile-based CloudWatch alarms and low
/// data samples".)
[[nodiscard]] constexpr std::uint64_t enough_samples(const statistic_spec& spec) noexcept {
    if (spec.kind != extended_kind::percentile) return 0;
    const std::uint64_t above = hundred_percent - spec.upper_share;
    const std::uint64_t tail = spec.upper_share < above ? spec.upper_share : above;
    if (tail == 0) return 0;
    return (10 * hundred_percent + tail - 1) / tail;
}

} // namespace reheat::inline REHEAT_ABI
