// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>
#include <reheat/metric/statistic.hpp>

#include <cstdint>
#include <span>

namespace reheat::inline REHEAT_ABI {

/// Where periods begin.
enum class alignment : std::uint8_t {
    grid,  ///< at multiples of the period in UTC, begin included and end excluded, as CloudWatch does
    watch, ///< at the moment the target was watched; a sample on a border belongs to both periods, so that each
           ///< evaluation sees exactly the samples whose age is at most one period, as Heat's watch rule does
};

/// The shape of a metric window: which statistic, over which period, aligned how. A value shared by many targets; the
/// samples themselves are in a `window_ring` for each target.
template <statistic_policy Statistic>
struct window {
    using statistic_type = Statistic;

    Statistic statistic{};
    duration period = std::chrono::seconds{60};
    alignment align = alignment::grid;

    friend constexpr bool operator==(const window&, const window&) = default;
};

/// A window shape, whatever its statistic.
template <class W>
concept window_policy = statistic_policy<typename W::statistic_type> && requires(const W& w) {
    { w.period } -> std::convertible_to<duration>;
    { w.align } -> std::convertible_to<alignment>;
};

namespace detail {

/// Which period a time falls in, where periods begin at `phase + n * length`.
struct period_grid {
    std::int64_t length;
    std::int64_t phase;

    [[nodiscard]] constexpr std::int64_t index(time_point t) const noexcept {
        const std::int64_t at = t.time_since_epoch().count();
        const std::int64_t quotient = at % length < 0 ? at / length - 1 : at / length;
        const std::int64_t rest = at % length < 0 ? at % length + length : at % length;
        return rest < phase ? quotient - 1 : quotient;
    }
    /// Held at the ends of time where the product would overflow.
    [[nodiscard]] constexpr time_point begin(std::int64_t index) const noexcept {
        if (index > (INT64_MAX - phase) / length) return (time_point::max)();
        if (index < INT64_MIN / length) return (time_point::min)();
        return time_point{duration{phase + index * length}};
    }
    [[nodiscard]] constexpr bool on_border(time_point t) const noexcept { return begin(index(t)) == t; }
};

/// The accumulators of the last periods of one target, in memory that the caller owns. Periods are named by their index
/// in the grid; `newest` is the youngest that has been written.
template <statistic_policy Statistic>
class window_ring {
public:
    using accumulator = typename Statistic::accumulator;

    window_ring(std::span<accumulator> slots, std::int64_t& newest) noexcept : slots_{slots}, newest_{&newest} {}

    /// Adds a sample to a period. One older than the ring is dropped: the evaluation that wanted it is over.
    void add(const Statistic& s, std::int64_t period, double value) noexcept {
        advance(period);
        if (*newest_ - period < static_cast<std::int64_t>(slots_.size())) s.add(slot(period), value);
    }

    [[nodiscard]] accumulator at(std::int64_t period) const noexcept {
        if (period > *newest_ || *newest_ - period >= static_cast<std::int64_t>(slots_.size())) return {};
        return slot(period);
    }

private:
    void advance(std::int64_t period) noexcept {
        if (period <= *newest_) return;
        std::int64_t first = *newest_ + 1;
        if (period - first >= static_cast<std::int64_t>(slots_.size()))
            first = period - static_cast<std::int64_t>(slots_.size()) + 1;
        for (std::int64_t p = first; p <= period; ++p) slot(p) = accumulator{};
        *newest_ = period;
    }

    [[nodiscard]] accumulator& slot(std::int64_t period) const noexcept {
        const auto size = static_cast<std::int64_t>(slots_.size());
        const std::int64_t place = period % size;
        return slots_[static_cast<std::size_t>(place < 0 ? place + size : place)];
    }

    std::span<accumulator> slots_;
    std::int64_t* newest_;
};

} // namespace detail

} // namespace reheat::inline REHEAT_ABI
