// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// What a period's samples are reduced to; the names are CloudWatch's.
enum class statistic : std::uint8_t { sample_count, sum, average, minimum, maximum };

[[nodiscard]] constexpr std::string_view to_string(statistic s) noexcept {
    switch (s) {
    case statistic::sample_count: return "SampleCount";
    case statistic::sum: return "Sum";
    case statistic::average: return "Average";
    case statistic::minimum: return "Minimum";
    case statistic::maximum: return "Maximum";
    }
    return "unknown";
}

/// A policy that reduces samples. `accumulator` is the state of one period: empty when value-initialised, small, and
/// trivially copyable. `value` is asked only of a period that has samples.
///
///     static_assert(statistic_policy<sample_count>);
template <class S>
concept statistic_policy =
    std::equality_comparable<S> && requires(const S& s, typename S::accumulator& a, double value) {
        { s.add(a, value) } noexcept;
        { s.count(a) } noexcept -> std::convertible_to<std::uint32_t>;
        { s.value(a) } noexcept -> std::same_as<double>;
        { s.kind() } noexcept -> std::same_as<statistic>;
    };

namespace detail {

struct count_accumulator {
    std::uint32_t count = 0;
};

struct full_accumulator {
    double sum = 0;
    double minimum = 0;
    double maximum = 0;
    std::uint32_t count = 0;

    constexpr void add(double value) noexcept {
        sum += value;
        if (count == 0 || value < minimum) minimum = value;
        if (count == 0 || value > maximum) maximum = value;
        if (count != UINT32_MAX) ++count;
    }

    constexpr void merge(const full_accumulator& other) noexcept {
        if (other.count == 0) return;
        sum += other.sum;
        if (count == 0 || other.minimum < minimum) minimum = other.minimum;
        if (count == 0 || other.maximum > maximum) maximum = other.maximum;
        count = other.count < UINT32_MAX - count ? count + other.count : UINT32_MAX;
    }

    [[nodiscard]] constexpr double value(statistic s) const noexcept {
        switch (s) {
        case statistic::sample_count: return count;
        case statistic::sum: return sum;
        case statistic::average: return sum / count;
        case statistic::minimum: return minimum;
        case statistic::maximum: return maximum;
        }
        return 0;
    }
};

} // namespace detail

/// How many samples. Saturates at 2^32 - 1.
struct sample_count {
    using accumulator = detail::count_accumulator;
    static constexpr void add(accumulator& a, double) noexcept {
        if (a.count != UINT32_MAX) ++a.count;
    }
    static constexpr void merge(accumulator& a, const accumulator& other) noexcept {
        a.count = other.count < UINT32_MAX - a.count ? a.count + other.count : UINT32_MAX;
    }
    static constexpr std::uint32_t count(const accumulator& a) noexcept { return a.count; }
    static constexpr double value(const accumulator& a) noexcept { return a.count; }
    static constexpr statistic kind() noexcept { return statistic::sample_count; }
    friend constexpr bool operator==(sample_count, sample_count) noexcept { return true; }
};

/// One of the five statistics, fixed at compile time; it keeps the same accumulator as `any_statistic`.
template <statistic Kind>
struct basic_statistic {
    using accumulator = detail::full_accumulator;
    static constexpr void add(accumulator& a, double value) noexcept { a.add(value); }
    static constexpr void merge(accumulator& a, const accumulator& other) noexcept { a.merge(other); }
    static constexpr std::uint32_t count(const accumulator& a) noexcept { return a.count; }
    static constexpr double value(const accumulator& a) noexcept { return a.value(Kind); }
    static constexpr statistic kind() noexcept { return Kind; }
    friend constexpr bool operator==(basic_statistic, basic_statistic) noexcept { return true; }
};

using sum = basic_statistic<statistic::sum>;
using average = basic_statistic<statistic::average>;
using minimum = basic_statistic<statistic::minimum>;
using maximum = basic_statistic<statistic::maximum>;

/// The statistic chosen at run time, for alarms that come from a template.
struct any_statistic {
    using accumulator = detail::full_accumulator;
    statistic which = statistic::sample_count;

    static constexpr void add(accumulator& a, double value) noexcept { a.add(value); }
    static constexpr void merge(accumulator& a, const accumulator& other) noexcept { a.merge(other); }
    static constexpr std::uint32_t count(const accumulator& a) noexcept { return a.count; }
    [[nodiscard]] constexpr double value(const accumulator& a) const noexcept { return a.value(which); }
    [[nodiscard]] constexpr statistic kind() const noexcept { return which; }
    friend constexpr bool operator==(any_statistic, any_statistic) noexcept = default;
};

} // namespace reheat::inline REHEAT_ABI
