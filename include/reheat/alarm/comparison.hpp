// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// How a period's statistic (on the left) is compared with the threshold. The names of the first four and of the bands
/// are CloudWatch's; Aodh also has equal and not equal.
enum class comparison : std::uint8_t {
    greater_than,
    greater_than_or_equal,
    less_than,
    less_than_or_equal,
    equal_to,
    not_equal_to,
    outside_band, ///< less than the threshold, or greater than the upper threshold
    below_band,   ///< less than the threshold
    above_band,   ///< greater than the upper threshold
};

/// Whether a comparison has two thresholds.
[[nodiscard]] constexpr bool is_band(comparison c) noexcept { return c >= comparison::outside_band; }

/// Whether a value that does not breach would not breach either if it were greater.
[[nodiscard]] constexpr bool breaches_low_only(comparison c) noexcept {
    return c == comparison::less_than || c == comparison::less_than_or_equal || c == comparison::below_band;
}

[[nodiscard]] constexpr std::string_view to_string(comparison c) noexcept {
    switch (c) {
    case comparison::greater_than: return "GreaterThanThreshold";
    case comparison::greater_than_or_equal: return "GreaterThanOrEqualToThreshold";
    case comparison::less_than: return "LessThanThreshold";
    case comparison::less_than_or_equal: return "LessThanOrEqualToThreshold";
    case comparison::equal_to: return "EqualToThreshold";
    case comparison::not_equal_to: return "NotEqualToThreshold";
    case comparison::outside_band: return "LessThanLowerOrGreaterThanUpperThreshold";
    case comparison::below_band: return "LessThanLowerThreshold";
    case comparison::above_band: return "GreaterThanUpperThreshold";
    }
    return "unknown";
}

/// A policy that says whether a value breaches a threshold, or a band of two.
template <class C>
concept comparison_policy = std::equality_comparable<C> && requires(const C& c, double value, double threshold) {
    { c(value, threshold, threshold) } noexcept -> std::same_as<bool>;
    { c.kind() } noexcept -> std::same_as<comparison>;
};

/// The comparison chosen at run time.
struct any_comparison {
    comparison which = comparison::less_than;

    [[nodiscard]] constexpr bool operator()(double value, double threshold, double upper = 0) const noexcept {
        switch (which) {
        case comparison::greater_than: return value > threshold;
        case comparison::greater_than_or_equal: return value >= threshold;
        case comparison::less_than: return value < threshold;
        case comparison::less_than_or_equal: return value <= threshold;
        case comparison::equal_to: return value == threshold;
        case comparison::not_equal_to: return value != threshold;
        case comparison::outside_band: return value < threshold || value > upper;
        case comparison::below_band: return value < threshold;
        case comparison::above_band: return value > upper;
        }
        return false;
    }
    [[nodiscard]] constexpr comparison kind() const noexcept { return which; }
    friend constexpr bool operator==(any_comparison, any_comparison) noexcept = default;
};

/// A comparison fixed at compile time.
template <comparison Kind>
struct basic_comparison {
    constexpr bool operator()(double value, double threshold, double upper = 0) const noexcept {
        return any_comparison{Kind}(value, threshold, upper);
    }
    static constexpr comparison kind() noexcept { return Kind; }
    friend constexpr bool operator==(basic_comparison, basic_comparison) noexcept { return true; }
};

namespace detail {
template <class C>
inline constexpr bool is_plain_comparison = std::same_as<C, any_comparison>;
template <comparison Kind>
inline constexpr bool is_plain_comparison<basic_comparison<Kind>> = true;
} // namespace detail

/// A comparison of ours, which does what its kind says: one that may be carried out on whole counts.
template <class C>
concept plain_comparison = detail::is_plain_comparison<C>;

using greater_than = basic_comparison<comparison::greater_than>;
using greater_than_or_equal = basic_comparison<comparison::greater_than_or_equal>;
using less_than = basic_comparison<comparison::less_than>;
using less_than_or_equal = basic_comparison<comparison::less_than_or_equal>;
using outside_band = basic_comparison<comparison::outside_band>;
using below_band = basic_comparison<comparison::below_band>;
using above_band = basic_comparison<comparison::above_band>;

} // namespace reheat::inline REHEAT_ABI
