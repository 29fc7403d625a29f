// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/metric/statistic.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// What is made of the samples between two bounds.
enum class extended_kind : std::uint8_t {
    none,            ///< one of the five statistics
    percentile,      ///< the smallest value that so many percent of the samples do not exceed
    trimmed_mean,    ///< the average of what lies between
    trimmed_count,   ///< how many lie between
    trimmed_sum,     ///< the sum of what lies between
    winsorized_mean, ///< the average, with what lies outside moved to the nearest value inside
    percentile_rank, ///< how many percent lie between
};

/// A share of the samples, in units of 10^-10 percent: names have ten decimals.
inline constexpr std::uint64_t whole_percent = 10'000'000'000;
inline constexpr std::uint64_t hundred_percent = 100 * whole_percent;

/// A statistic of CloudWatch by its name: `Average`, `p99.9`, `tm90`, `IQM`, `TM(10%:90%)`, `PR(:300)`. Bounds are
/// either shares of the samples, or values: then the lower one is outside and the upper one inside.
struct statistic_spec {
    statistic basic = statistic::extended;
    extended_kind kind = extended_kind::none;
    bool of_values = false;                      ///< the bounds are values
    bool has_lower = false;                      ///< of values
    bool has_upper = false;                      ///< of values
    std::uint64_t lower_share = 0;               ///< of a percentile not used
    std::uint64_t upper_share = hundred_percent; ///< of a percentile its rank
    double lower_value = 0;
    double upper_value = 0;

    friend constexpr bool operator==(const statistic_spec&, const statistic_spec&) noexcept = default;
};

} // namespace reheat::inline REHEAT_ABI
