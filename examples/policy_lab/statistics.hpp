// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace policy_lab {

/// A mean, and how far chance alone may have moved it: with 95 % confidence the true one is within `noise` of it. With
/// fewer than two values nothing is known of the noise, and it is infinite.
struct estimate {
    double mean = 0;
    double noise = 0;

    [[nodiscard]] double low() const noexcept { return mean - noise; }
    [[nodiscard]] double high() const noexcept { return mean + noise; }
    /// Whether it differs from zero by more than chance explains.
    [[nodiscard]] bool differs() const noexcept { return std::abs(mean) > noise; }
};

/// The 97.5 % quantile of Student's distribution; a little too large between the rows of its table.
[[nodiscard]] inline double student(std::size_t degrees) noexcept {
    struct row {
        std::size_t from;
        double t;
    };
    constexpr std::array rows{row{1, 12.71},  row{2, 4.303},  row{3, 3.182},  row{4, 2.776},  row{5, 2.571},
                              row{6, 2.447},  row{7, 2.365},  row{8, 2.306},  row{9, 2.262},  row{10, 2.228},
                              row{12, 2.179}, row{15, 2.131}, row{20, 2.086}, row{30, 2.042}, row{60, 2.000}};
    double t = rows.front().t;
    for (const row& r : rows) {
        if (degrees >= r.from) t = r.t;
    }
    return t;
}

/// The mean of values that are independent of each other.
[[nodiscard]] inline estimate estimate_of(std::span<const double> values) noexcept {
    estimate out;
    if (values.empty()) return out;
    const auto n = static_cast<double>(values.size());
    for (const double v : values) out.mean += v / n;
    if (values.size() < 2) {
        out.noise = HUGE_VAL;
        return out;
    }
    double squares = 0;
    for (const double v : values) squares += (v - out.mean) * (v - out.mean);
    out.noise = student(values.size() - 1) * std::sqrt(squares / (n - 1) / n);
    return out;
}

/// How much more `mine` is than `other`, pair by pair: what both of a pair had to bear is not in the noise. They are of
/// the same length.
[[nodiscard]] inline estimate difference_of(std::span<const double> mine, std::span<const double> other) {
    std::vector<double> by(mine.size());
    for (std::size_t n = 0; n < by.size(); ++n) by[n] = mine[n] - other[n];
    return estimate_of(by);
}

/// The smallest of the values that at least `percent` of them do not exceed; 0 if there are none. They are sorted.
[[nodiscard]] inline double percentile(std::span<const double> sorted, double percent) noexcept {
    if (sorted.empty()) return 0;
    const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()));
    const std::size_t at = rank < 1 ? 0 : static_cast<std::size_t>(rank) - 1;
    return sorted[(std::min)(at, sorted.size() - 1)];
}

/// From one time to another, in seconds.
struct interval {
    double from = 0;
    double to = 0;
};

/// How long at least one of them was, between 0 and `end`: what overlaps is counted once.
[[nodiscard]] inline double covered(std::vector<interval> all, double end) {
    std::sort(all.begin(), all.end(), [](const interval& a, const interval& b) { return a.from < b.from; });
    double total = 0;
    double until = 0;
    for (const interval& i : all) {
        const double from = (std::max)(i.from, until);
        const double to = (std::min)(i.to, end);
        if (to <= from) continue;
        total += to - from;
        until = to;
    }
    return total;
}

} // namespace policy_lab
