// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/metric/statistic_set.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// What a period's samples are reduced to; the names are CloudWatch's. `extended` is a percentile or one of its family:
/// which one is in the policy (`extended_statistic`).
enum class statistic : std::uint8_t { sample_count, sum, average, minimum, maximum, extended };

[[nodiscard]] constexpr std::string_view to_string(statistic s) noexcept {
    switch (s) {
    case statistic::sample_count: return "SampleCount";
    case statistic::sum: return "Sum";
    case statistic::average: return "Average";
    case statistic::minimum: return "Minimum";
    case statistic::maximum: return "Maximum";
    case statistic::extended: return "Extended";
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
        { s.count(a) } noexcept -> std::convertible_to<std::uint64_t>;
        { s.value(a) } noexcept -> std::same_as<double>;
        { s.kind() } noexcept -> std::same_as<statistic>;
    };

/// A statistic that also takes a value many times over, and sets that are reduced already.
template <class S>
concept weighted_statistic = statistic_policy<S> && requires(const S& s, typename S::accumulator& a, double value,
                                                             std::uint64_t weight, const statistic_set& set) {
    { s.add(a, value, weight) } noexcept;
    { s.add_set(a, set) } noexcept;
};

/// A statistic that may not be computable although there are samples; then the period has no datapoint.
template <class S>
concept partial_statistic = statistic_policy<S> && requires(const S& s, const typename S::accumulator& a) {
    { s.available(a) } noexcept -> std::same_as<bool>;
};

namespace detail {

/// The sum of two counts, held at the most there is.
[[nodiscard]] constexpr std::uint64_t counted(std::uint64_t a, std::uint64_t b) noexcept {
    return b < UINT64_MAX - a ? a + b : UINT64_MAX;
}
/// The count of a set; 0 for one that is none.
[[nodiscard]] constexpr std::uint64_t count_of(const statistic_set& set) noexcept {
    if (!(set.sample_count >= 1)) return 0;
    return set.sample_count < 1e18 ? static_cast<std::uint64_t>(set.sample_count) : 1'000'000'000'000'000'000U;
}

struct count_accumulator {
    std::uint64_t count = 0;
};

struct full_accumulator {
    double sum = 0;
    double minimum = 0;
    double maximum = 0;
    std::uint64_t count = 0;

    constexpr void add(double value) noexcept {
        sum += value;
        if (count == 0 || value < minimum) minimum = value;
        if (count == 0 || value > maximum) maximum = value;
        ++count;
    }

    constexpr void merge(const full_accumulator& other) noexcept {
        if (other.count == 0) return;
        sum += other.sum;
        if (count == 0 || other.minimum < minimum) minimum = other.minimum;
        if (count == 0 || other.maximum > maximum) maximum = other.maximum;
        count = counted(count, other.count);
    }

    [[nodiscard]] constexpr double value(statistic s) const noexcept {
        switch (s) {
        case statistic::sample_count: return static_cast<double>(count);
        case statistic::sum: return sum;
        case statistic::average: return sum / static_cast<double>(count);
        case statistic::minimum: return minimum;
        case statistic::maximum: return maximum;
        case statistic::extended: break; // not kept here
        }
        return 0;
    }
};

/// What the five statistics share: they keep the same accumulator.
struct five_statistics {
    using accumulator = full_accumulator;
    static constexpr void add(accumulator& a, double value) noexcept { a.add(value); }
    static constexpr void add(accumulator& a, double value, std::uint64_t weight) noexcept {
        a.merge({value * static_cast<double>(weight), value, value, weight});
    }
    static constexpr void add_set(accumulator& a, const statistic_set& set) noexcept {
        a.merge({set.sum, set.minimum, set.maximum, count_of(set)});
    }
    static constexpr void merge(accumulator& a, const accumulator& other) noexcept { a.merge(other); }
    static constexpr std::uint64_t count(const accumulator& a) noexcept { return a.count; }
};

} // namespace detail

/// How many samples.
struct sample_count {
    using accumulator = detail::count_accumulator;
    static constexpr void add(accumulator& a, double) noexcept { ++a.count; }
    static constexpr void add(accumulator& a, double, std::uint64_t weight) noexcept {
        a.count = detail::counted(a.count, weight);
    }
    static constexpr void add_set(accumulator& a, const statistic_set& set) noexcept {
        a.count = detail::counted(a.count, detail::count_of(set));
    }
    static constexpr void merge(accumulator& a, const accumulator& other) noexcept {
        a.count = detail::counted(a.count, other.count);
    }
    static constexpr std::uint64_t count(const accumulator& a) noexcept { return a.count; }
    static constexpr double value(const accumulator& a) noexcept { return static_cast<double>(a.count); }
    static constexpr statistic kind() noexcept { return statistic::sample_count; }
    friend constexpr bool operator==(sample_count, sample_count) noexcept { return true; }
};

/// One of the five statistics, fixed at compile time; it keeps the same accumulator as `any_statistic`.
template <statistic Kind>
    requires(Kind != statistic::extended)
struct basic_statistic : detail::five_statistics {
    static constexpr double value(const accumulator& a) noexcept { return a.value(Kind); }
    static constexpr statistic kind() noexcept { return Kind; }
    friend constexpr bool operator==(basic_statistic, basic_statistic) noexcept { return true; }
};

using sum = basic_statistic<statistic::sum>;
using average = basic_statistic<statistic::average>;
using minimum = basic_statistic<statistic::minimum>;
using maximum = basic_statistic<statistic::maximum>;

/// The statistic chosen at run time, for alarms that come from a template; not `extended`.
struct any_statistic : detail::five_statistics {
    statistic which = statistic::sample_count;

    constexpr any_statistic() noexcept = default;
    constexpr any_statistic(statistic s) noexcept : which{s} {}

    [[nodiscard]] constexpr double value(const accumulator& a) const noexcept { return a.value(which); }
    [[nodiscard]] constexpr statistic kind() const noexcept { return which; }
    friend constexpr bool operator==(any_statistic a, any_statistic b) noexcept { return a.which == b.which; }
};

} // namespace reheat::inline REHEAT_ABI
