// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What intervals are kept in: milliseconds, up to 37 hours each, or microseconds, up to 134 seconds each.
template <class U>
concept interval_unit = std::is_same_v<U, std::chrono::milliseconds> || std::is_same_v<U, std::chrono::microseconds>;

/// The last intervals between heartbeats, with their mean and variance, exact however many have passed through: all
/// sums are integers, so nothing drifts. Four bytes an interval; all memory is allocated by the constructor. One thread
/// at a time; a moved-from history may only be assigned to or destroyed.
///
///     interval_history<> seen{1000};
///     seen.push(1010ms);
///     double milliseconds = seen.mean();
template <interval_unit Unit = std::chrono::milliseconds>
class interval_history {
public:
    using unit = Unit;

    /// The longest interval in units. With `most_intervals` of them the squared deviations still fit into 64 bits.
    static constexpr std::uint32_t longest = (1U << 27U) - 1;
    static constexpr std::uint32_t most_intervals = 4096;

    /// `window` is the number of intervals kept, held at 1 to `most_intervals`.
    explicit interval_history(std::uint32_t window)
        : slots_(window < 1                ? 1U
                 : window > most_intervals ? most_intervals
                                           : window) {}

    /// Adds an interval, rounded to a unit and held at zero to `longest`; it replaces the oldest where all are in use.
    void push(duration interval) noexcept {
        const std::uint64_t added = ticks(interval);
        const std::uint64_t oldest = slots_[next_]; // zero while it has not been used
        slots_[next_] = static_cast<std::uint32_t>(added);
        next_ = next_ + 1 == capacity() ? 0 : next_ + 1;
        if (size_ < capacity()) ++size_;
        sum_ += added - oldest;
        squares_ += added * added - oldest * oldest;
    }

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return static_cast<std::uint32_t>(slots_.size()); }

    /// In units; 0 of no intervals.
    [[nodiscard]] double mean() const noexcept {
        return size_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(size_);
    }

    /// The population's variance, in units squared; 0 of no intervals.
    [[nodiscard]] double variance() const noexcept {
        if (size_ == 0) return 0;
        // About the mean's whole part, so that no large numbers cancel; `squares_` may have wrapped, this has not.
        const std::uint64_t whole = sum_ / size_;
        const std::uint64_t about = squares_ - 2 * whole * sum_ + size_ * whole * whole;
        const double rest = static_cast<double>(sum_ % size_) / static_cast<double>(size_);
        return static_cast<double>(about) / static_cast<double>(size_) - rest * rest;
    }

private:
    [[nodiscard]] static constexpr std::uint64_t ticks(duration d) noexcept {
        constexpr duration one = Unit{1};
        if (d <= duration::zero()) return 0;
        if (d >= longest * one) return longest;
        return static_cast<std::uint64_t>((d + one / 2) / one);
    }

    std::vector<std::uint32_t> slots_;
    std::uint64_t sum_ = 0;
    std::uint64_t squares_ = 0; // modulo 2^64
    std::uint32_t next_ = 0;
    std::uint32_t size_ = 0;
};

} // namespace reheat::inline REHEAT_ABI
