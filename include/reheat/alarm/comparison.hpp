// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// How a period's statistic (on the left) is compared with the threshold; the names are CloudWatch's.
enum class comparison : std::uint8_t { greater_than, greater_than_or_equal, less_than, less_than_or_equal };

[[nodiscard]] constexpr std::string_view to_string(comparison c) noexcept {
    switch (c) {
    case comparison::greater_than: return "GreaterThanThreshold";
    case comparison::greater_than_or_equal: return "GreaterThanOrEqualToThreshold";
    case comparison::less_than: return "LessThanThreshold";
    case comparison::less_than_or_equal: return "LessThanOrEqualToThreshold";
    }
    return "unknown";
}

/// A policy that says whether a value breaches a threshold.
template <class C>
concept comparison_policy = std::equality_comparable<C> && requires(const C& c, double value, double threshold) {
    { c(value, threshold) } noexcept -> std::same_as<bool>;
    { c.kind() } noexcept -> std::same_as<comparison>;
};

/// The comparison chosen at run time.
struct any_comparison {
    comparison which = comparison::less_than;

    [[nodiscard]] constexpr bool operator()(double value, double threshold) const noexcept {
        switch (which) {
        case comparison::greater_than: return value > threshold;
        case comparison::greater_than_or_equal: return value >= threshold;
        case comparison::less_than: return value < threshold;
        case comparison::less_than_or_equal: return value <= threshold;
        }
        return false;
    }
    [[nodiscard]] constexpr comparison kind() const noexcept { return which; }
    friend constexpr bool operator==(any_comparison, any_comparison) noexcept = default;
};

/// A comparison fixed at compile time.
template <comparison Kind>
struct basic_comparison {
    constexpr bool operator()(double value, double threshold) const noexcept {
        return any_comparison{Kind}(value, threshold);
    }
    static constexpr comparison kind() noexcept { return Kind; }
    friend constexpr bool operator==(basic_comparison, basic_comparison) noexcept { return true; }
};

using greater_than = basic_comparison<comparison::greater_than>;
using greater_than_or_equal = basic_comparison<comparison::greater_than_or_equal>;
using less_than = basic_comparison<comparison::less_than>;
using less_than_or_equal = basic_comparison<comparison::less_than_or_equal>;

} // namespace reheat::inline REHEAT_ABI
