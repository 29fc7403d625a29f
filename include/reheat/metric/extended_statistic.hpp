// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/metric/statistic_name.hpp>

#include <concepts>
#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// How the values of one period are kept for percentiles and their family: `retained_values` or `sketch`. A store is
/// empty when value-initialised and trivially copyable; `visit` calls with the values in ascending order and how many
/// there are of each. It is not usable once it was given what it can not take.
template <class S>
concept value_store =
    std::is_trivially_copyable_v<S> && requires(S& s, const S& other, double value, std::uint64_t weight) {
        { s.add(value, weight) } noexcept;
        { s.merge(other) } noexcept;
        { other.usable() } noexcept -> std::same_as<bool>;
        other.visit([](double, std::uint64_t) {});
    };

namespace detail {

/// floor(share * n / 100 %); exact for n up to 10^13, and beyond as exact as a double.
[[nodiscard]] constexpr std::uint64_t share_of(std::uint64_t share, std::uint64_t n) noexcept {
    constexpr std::uint64_t million = 1'000'000;
    if (n > 10 * million * million) {
        if (share == hundred_percent) return n;
        return static_cast<std::uint64_t>(static_cast<double>(share) / static_cast<double>(hundred_percent) *
                                          static_cast<double>(n));
    }
    const std::uint64_t high = share * (n / million);
    const std::uint64_t low = high % million * million + share * (n % million);
    return high / million + low / hundred_percent;
}

/// What lies between the bounds of a statistic.
struct kept_values {
    std::uint64_t below = 0; ///< how many are cut at the lower end
    std::uint64_t inside = 0;
    double sum = 0;
    double first = 0;
    double last = 0;
};

/// Of shares, so many whole samples are cut at each end as the share has: a sample is never divided.
template <value_store Store>
[[nodiscard]] kept_values kept_of(const statistic_spec& spec, const Store& store, std::uint64_t n) {
    const std::uint64_t cut_below = share_of(spec.lower_share, n);
    const std::uint64_t cut_above = share_of(hundred_percent - spec.upper_share, n);
    kept_values kept;
    std::uint64_t before = 0;
    store.visit([&](double value, std::uint64_t weight) {
        std::uint64_t in = 0;
        if (spec.of_values) {
            if (spec.has_lower && value <= spec.lower_value) kept.below += weight;
            else if (!spec.has_upper || value <= spec.upper_value) in = weight;
        } else {
            const std::uint64_t from = before > cut_below ? before : cut_below;
            const std::uint64_t to = before + weight < n - cut_above ? before + weight : n - cut_above;
            in = to > from ? to - from : 0;
            kept.below = cut_below;
        }
        before += weight;
        if (in == 0) return;
        if (kept.inside == 0) kept.first = value;
        kept.last = value;
        kept.inside += in;
        kept.sum += value * static_cast<double>(in);
    });
    return kept;
}

/// Nearest rank: the value at ceil(p / 100 * n). The product is a double's, as everybody's is who uses the formula:
/// p99.9 of 1,000 samples is the 1,000th, because 99.9 / 100 * 1000 is a little more than 999.
template <value_store Store>
[[nodiscard]] double percentile_of(std::uint64_t share, const Store& store, std::uint64_t n) {
    const double rank = static_cast<double>(share) / static_cast<double>(whole_percent) / 100 * static_cast<double>(n);
    auto wanted = static_cast<std::uint64_t>(rank);
    if (static_cast<double>(wanted) < rank || wanted == 0) ++wanted;
    double found = 0;
    std::uint64_t before = 0;
    store.visit([&](double value, std::uint64_t weight) {
        if (before < wanted) found = value;
        before += weight;
    });
    return found;
}

} // namespace detail

/// A percentile, or one of its family, over values that a store keeps; also the five statistics, exactly. CloudWatch
/// publishes no algorithm: percentiles are by nearest rank. A period has no such datapoint if one of its values is
/// negative, if the store could not take one, or if nothing lies between the bounds of a mean. A statistic set is only
/// taken if it holds one value. (Amazon CloudWatch User Guide, "CloudWatch statistics definitions".)
///
///     alarm<window<extended_statistic<sketch<256>>>, greater_than> slow{
///         .of = {.statistic = {*parse_statistic("p99")}, .period = 60s}, .threshold = 250};
template <value_store Store>
struct extended_statistic {
    struct accumulator {
        detail::full_accumulator all;
        Store values;
        bool refused; ///< a negative value, or a set of several
    };

    statistic_spec spec{};

    constexpr extended_statistic() noexcept = default;
    constexpr extended_statistic(const statistic_spec& s) noexcept : spec{s} {}

    static void add(accumulator& a, double value) noexcept { add(a, value, 1); }
    static void add(accumulator& a, double value, std::uint64_t weight) noexcept {
        if (weight == 0) return;
        detail::five_statistics::add(a.all, value, weight);
        if (value < 0) a.refused = true;
        else a.values.add(value, weight);
    }
    static void add_set(accumulator& a, const statistic_set& set) noexcept {
        const std::uint64_t count = detail::count_of(set);
        if (count == 0) return;
        detail::five_statistics::add_set(a.all, set);
        const bool one_value = set.minimum == set.maximum && set.sum == set.minimum * set.sample_count;
        if (!one_value || set.minimum < 0) a.refused = true;
        else a.values.add(set.minimum, count);
    }
    static void merge(accumulator& a, const accumulator& other) noexcept {
        a.all.merge(other.all);
        a.values.merge(other.values);
        a.refused = a.refused || other.refused;
    }
    static constexpr std::uint64_t count(const accumulator& a) noexcept { return a.all.count; }
    [[nodiscard]] constexpr statistic kind() const noexcept { return spec.basic; }

    [[nodiscard]] bool available(const accumulator& a) const noexcept {
        if (spec.basic != statistic::extended) return true;
        if (a.refused || !a.values.usable()) return false;
        const bool mean = spec.kind == extended_kind::trimmed_mean || spec.kind == extended_kind::winsorized_mean;
        return !mean || detail::kept_of(spec, a.values, a.all.count).inside != 0;
    }
    [[nodiscard]] double value(const accumulator& a) const noexcept {
        if (spec.basic != statistic::extended) return a.all.value(spec.basic);
        const std::uint64_t n = a.all.count;
        if (spec.kind == extended_kind::percentile) return detail::percentile_of(spec.upper_share, a.values, n);
        const detail::kept_values kept = detail::kept_of(spec, a.values, n);
        const auto inside = static_cast<double>(kept.inside);
        switch (spec.kind) {
        case extended_kind::trimmed_mean: return kept.sum / inside;
        case extended_kind::trimmed_count: return inside;
        case extended_kind::trimmed_sum: return kept.sum;
        case extended_kind::winsorized_mean: {
            const auto above = static_cast<double>(n - kept.below - kept.inside);
            return (kept.first * static_cast<double>(kept.below) + kept.sum + kept.last * above) /
                   static_cast<double>(n);
        }
        case extended_kind::percentile_rank: return 100 * inside / static_cast<double>(n);
        case extended_kind::none:
        case extended_kind::percentile: break;
        }
        return 0;
    }
    friend constexpr bool operator==(const extended_statistic&, const extended_statistic&) noexcept = default;
};

} // namespace reheat::inline REHEAT_ABI
