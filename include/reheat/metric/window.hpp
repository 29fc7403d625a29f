// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>
#include <reheat/metric/statistic.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// Where periods begin.
enum class alignment : std::uint8_t {
    grid,  ///< at multiples of the period in UTC, begin included and end excluded, as CloudWatch does
    watch, ///< at the moment the target was watched; a sample on a border belongs to both periods, so that each
           ///< evaluation sees exactly the samples whose age is at most one period, as Heat's watch rule does
};

/// The shape of a metric window: which statistic, over which period, aligned how. A value shared by many targets.
template <statistic_policy Statistic>
struct window {
    using statistic_type = Statistic;

    Statistic statistic{};
    duration period = std::chrono::seconds{60};
    alignment align = alignment::grid;
    /// How far the periods slide from one evaluation to the next, a divisor of the period; 0 is the whole period. Each
    /// step is a bucket of its own, so that a period of 5 min with a step of 1 min costs five times the memory.
    duration step{};

    friend constexpr bool operator==(const window&, const window&) = default;
};

/// A statistic whose buckets can be joined into a longer period: what a step shorter than the period needs.
template <class S>
concept mergeable_statistic = statistic_policy<S> && requires(const S& s, typename S::accumulator& a) {
    { s.merge(a, std::as_const(a)) } noexcept;
};

/// A window shape, whatever its statistic.
template <class W>
concept window_policy = statistic_policy<typename W::statistic_type> && requires(const W& w) {
    { w.period } -> std::convertible_to<duration>;
    { w.align } -> std::convertible_to<alignment>;
    { w.step } -> std::convertible_to<duration>;
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

/// One target's buckets, named by their number in the grid; `newest` is the youngest with a sample. Narrow: sixteen
/// counts of 16 bits, all in here. Wide: the newest bucket in here, those before it in a ring that the caller owns.
template <statistic_policy Statistic>
struct window_cells {
    using accumulator = typename Statistic::accumulator;

    static constexpr std::uint32_t narrow_slots = 16;
    static constexpr std::uint32_t narrow_most = 0xffff;

    std::uint32_t newest = 0;
    std::uint32_t generation = 0; ///< of the row; beside `newest` so that one comparison checks both
    union {
        std::array<std::uint16_t, narrow_slots> counts;
        accumulator open;
        duration deaf_until; ///< of a row that was told to forget and has heard nothing since; its `newest` is 0
    };

    constexpr window_cells() noexcept : counts{} {}

    /// Back to how it began, in the same generation.
    constexpr void clear() noexcept {
        counts = {};
        newest = 0;
    }
    /// Whether the newest bucket is this one and the row is of this generation.
    [[nodiscard]] bool is(std::uint32_t bucket, std::uint32_t of) const noexcept {
        return generation == of && newest == bucket;
    }
    /// Counts a sample in the newest bucket or in the one after it. False if the bucket is neither or the row is of
    /// another generation. A row's first sample of a period and the further ones take the same way: a branch between
    /// them would be guessed before the row's cache line is there.
    bool count_next(std::uint32_t bucket, std::uint32_t of) noexcept {
        const std::uint32_t by = bucket - newest;
        if (generation != of || by > 1) [[unlikely]]
            return false;
        std::uint16_t& kept = counts[bucket % narrow_slots];
        const std::uint32_t count = kept & (by - 1U); // a new bucket begins with 0
        if (count != narrow_most) [[likely]]
            kept = static_cast<std::uint16_t>(count + 1);
        newest = bucket;
        return true;
    }
    /// Counts samples. False if they are older than every bucket that is kept.
    bool add_narrow(std::uint32_t bucket, std::uint64_t weight) noexcept {
        if (bucket > newest) advance_narrow(bucket);
        if (newest - bucket >= narrow_slots) return false;
        std::uint16_t& count = counts[bucket % narrow_slots];
        count = weight < narrow_most - count ? static_cast<std::uint16_t>(count + weight)
                                             : static_cast<std::uint16_t>(narrow_most);
        return true;
    }
    [[nodiscard]] std::uint32_t count_narrow(std::uint32_t bucket) const noexcept {
        return bucket <= newest ? counts[bucket % narrow_slots] : 0;
    }
    [[nodiscard]] bool keeps_narrow(std::uint32_t bucket) const noexcept {
        return bucket > newest || newest - bucket < narrow_slots;
    }

    /// The bucket that a sample belongs to; null if it is older than every one that is kept.
    [[nodiscard]] accumulator* find(std::uint32_t bucket, std::span<accumulator> closed) noexcept {
        if (bucket == newest) [[likely]]
            return &open;
        if (bucket > newest) {
            advance(bucket, closed);
            return &open;
        }
        return keeps(bucket, closed.size()) ? &closed[bucket % closed.size()] : nullptr;
    }
    /// Null if nothing came.
    [[nodiscard]] const accumulator* at(std::uint32_t bucket, std::span<const accumulator> closed) const noexcept {
        if (bucket == newest) return &open;
        return bucket < newest ? &closed[bucket % closed.size()] : nullptr;
    }
    [[nodiscard]] bool keeps(std::uint32_t bucket, std::size_t ring) const noexcept {
        return bucket >= newest || newest - bucket <= ring;
    }

private:
    void advance_narrow(std::uint32_t bucket) noexcept {
        if (bucket - newest >= narrow_slots) {
            counts = {};
        } else {
            for (std::uint32_t b = newest + 1; b != bucket + 1; ++b) counts[b % narrow_slots] = 0;
        }
        newest = bucket;
    }
    void advance(std::uint32_t bucket, std::span<accumulator> closed) noexcept {
        const auto ring = static_cast<std::uint32_t>(closed.size());
        closed[newest % ring] = open;
        const std::uint32_t first_cleared = bucket - newest > ring ? bucket - ring : newest + 1;
        for (std::uint32_t b = first_cleared; b != bucket; ++b) closed[b % ring] = accumulator{};
        open = accumulator{};
        newest = bucket;
    }
};

} // namespace detail

} // namespace reheat::inline REHEAT_ABI
