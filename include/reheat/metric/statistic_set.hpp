// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

namespace reheat::inline REHEAT_ABI {

/// Many samples that somebody has reduced already; CloudWatch's StatisticSet. The count may be a fraction in the API,
/// and is held at its whole part.
struct statistic_set {
    double sample_count = 0;
    double sum = 0;
    double minimum = 0;
    double maximum = 0;

    friend constexpr bool operator==(const statistic_set&, const statistic_set&) noexcept = default;
};

} // namespace reheat::inline REHEAT_ABI
