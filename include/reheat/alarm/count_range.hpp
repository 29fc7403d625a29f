// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/comparison.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI::detail {

/// A comparison on whole counts from 0 to 65,535 as one subtraction and one compare: a count breaches if it lies in
/// [low, low + span], or outside of it if inverted.
struct count_range {
    std::uint32_t low = 0;
    std::uint32_t span = 0;
    std::uint32_t inverted = 0;

    [[nodiscard]] constexpr std::uint32_t breaches(std::uint32_t count) const noexcept {
        return static_cast<std::uint32_t>(count - low <= span) ^ inverted;
    }
};

/// Whether every count of `most` or more compares like `most`, so that a count may stop there.
[[nodiscard]] constexpr bool fits_counts(comparison c, double threshold, double upper, std::uint32_t most) noexcept {
    return threshold < most && (!is_band(c) || upper < most);
}

/// The counts that breach; only where `fits_counts`.
[[nodiscard]] constexpr count_range breaching_counts(comparison c, double threshold, double upper) noexcept {
    constexpr std::int64_t none = -1;
    constexpr std::int64_t top = 0xffff;
    const auto floor = [](double x) { return x < 0 ? none : static_cast<std::int64_t>(x); };
    const auto ceiling = [&](double x) {
        const std::int64_t low = floor(x);
        return low == none ? 0 : low + static_cast<std::int64_t>(static_cast<double>(low) < x);
    };
    const auto between = [](std::int64_t low, std::int64_t high, bool inside) -> count_range {
        if (high < low) return {0, UINT32_MAX, static_cast<std::uint32_t>(inside)};
        return {static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(high - low),
                static_cast<std::uint32_t>(!inside)};
    };
    switch (c) {
    case comparison::greater_than: return between(floor(threshold) + 1, top, true);
    case comparison::greater_than_or_equal: return between(ceiling(threshold), top, true);
    case comparison::less_than:
    case comparison::below_band: return between(0, ceiling(threshold) - 1, true);
    case comparison::less_than_or_equal: return between(0, floor(threshold), true);
    case comparison::equal_to: return between(ceiling(threshold), floor(threshold), true);
    case comparison::not_equal_to: return between(ceiling(threshold), floor(threshold), false);
    case comparison::outside_band: return between(ceiling(threshold), floor(upper), false);
    case comparison::above_band: return between(floor(upper) + 1, top, true);
    }
    return between(0, -1, true);
}

} // namespace reheat::inline REHEAT_ABI::detail
