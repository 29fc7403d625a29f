// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace reheat::inline REHEAT_ABI::detail {

/// Numbers with deadlines in ticks, for deadlines that mostly move on before they come up: who moves one does not tell
/// the wheel, and is asked when the old one is reached. Two wheels of 4,096 slots, one tick and 4,096 ticks each; what
/// is further away is looked at again on the way. A slot is a chain of chunks of numbers, so that a visit reads them in
/// a row. Only `reserve` allocates. (G. Varghese, T. Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987.)
class timer_wheel {
public:
    static constexpr std::int64_t done = INT64_MAX;

    explicit timer_wheel(std::int64_t now) noexcept : now_{now} {
        tick_heads_.fill(none);
        block_heads_.fill(none);
    }

    /// Makes room for so many numbers, each put once at a time.
    void reserve(std::size_t numbers) {
        const std::size_t partial = numbers < 2 * slots ? numbers : 2 * slots;
        const std::size_t wanted = numbers / chunk::most + partial + 2;
        while (chunks_.size() < wanted) {
            chunks_.emplace_back();
            chunks_.back().next = free_;
            free_ = static_cast<std::uint32_t>(chunks_.size() - 1);
        }
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return chunks_.capacity() * sizeof(chunk); }

    /// A deadline that is over is due at the next tick.
    void put(std::uint32_t number, std::int64_t due) noexcept {
        if (due <= now_) due = now_ + 1;
        if (due - now_ < slots) {
            add(tick_heads_, tick_used_, static_cast<std::size_t>(due) % slots, number);
            return;
        }
        const std::int64_t block = due >> bits_of_slot;
        const std::int64_t furthest = (now_ >> bits_of_slot) + slots - 1;
        add(block_heads_, block_used_, static_cast<std::size_t>(block < furthest ? block : furthest) % slots, number);
    }

    /// Goes on to a tick and asks `due(number)` of all that come up on the way: the next deadline, or `done`.
    /// `soon(number)` is called a little before.
    template <class Soon, class Due>
    void advance(std::int64_t to, const Soon& soon, const Due& due) {
        for (std::int64_t at = next(); at <= to; at = next()) {
            now_ = at;
            if (at % slots == 0)
                visit(block_heads_, block_used_, static_cast<std::size_t>(at >> bits_of_slot) % slots, soon, due);
            visit(tick_heads_, tick_used_, static_cast<std::size_t>(at) % slots, soon, due);
        }
        if (to > now_) now_ = to;
    }

    /// The next tick at which something may come up; `done` if there is nothing.
    [[nodiscard]] std::int64_t next() const noexcept {
        const std::int64_t tick = find(tick_used_, now_ + 1);
        const std::int64_t wide = find(block_used_, (now_ >> bits_of_slot) + 1);
        const std::int64_t block = wide == done ? done : wide * slots;
        return tick < block ? tick : block;
    }

private:
    static constexpr int bits_of_slot = 12;
    static constexpr std::int64_t slots = std::int64_t{1} << bits_of_slot;
    static constexpr std::uint32_t none = 0xffff'ffffU;

    struct alignas(64) chunk {
        static constexpr std::uint32_t most = 30;
        std::uint32_t next = none;
        std::uint32_t size = 0;
        std::array<std::uint32_t, most> numbers;
    };
    using heads = std::array<std::uint32_t, slots>;
    using bits = std::array<std::uint64_t, slots / 64>;

    void add(heads& of, bits& used, std::size_t slot, std::uint32_t number) noexcept {
        std::uint32_t at = of[slot];
        if (at == none || chunks_[at].size == chunk::most) {
            const std::uint32_t fresh = free_;
            free_ = chunks_[fresh].next;
            chunks_[fresh].next = at;
            chunks_[fresh].size = 0;
            of[slot] = at = fresh;
            used[slot / 64] |= std::uint64_t{1} << slot % 64;
        }
        chunks_[at].numbers[chunks_[at].size++] = number;
    }

    template <class Soon, class Due>
    void visit(heads& of, bits& used, std::size_t slot, const Soon& soon, const Due& due) {
        std::uint32_t at = of[slot];
        of[slot] = none;
        used[slot / 64] &= ~(std::uint64_t{1} << slot % 64);
        while (at != none) {
            // A copy: what is put back may take the chunks that follow.
            const chunk c = chunks_[at];
            chunks_[at].next = free_;
            free_ = at;
            for (std::uint32_t n = 0; n < c.size; ++n) soon(c.numbers[n]);
            for (std::uint32_t n = 0; n < c.size; ++n) {
                const std::int64_t then = due(c.numbers[n]);
                if (then != done) put(c.numbers[n], then);
            }
            at = c.next;
        }
    }

    /// The first used slot at `from` or within one turn after it, as a tick or block.
    [[nodiscard]] static std::int64_t find(const bits& used, std::int64_t from) noexcept {
        const auto first = static_cast<std::size_t>(from) % slots;
        for (std::size_t words = 0; words <= used.size(); ++words) {
            const std::size_t word = (first / 64 + words) % used.size();
            std::uint64_t set = used[word];
            if (words == 0) set &= ~std::uint64_t{0} << first % 64;
            if (words == used.size()) set &= ~(~std::uint64_t{0} << first % 64);
            if (set == 0) continue;
            const std::size_t slot = word * 64 + static_cast<std::size_t>(std::countr_zero(set));
            return from + static_cast<std::int64_t>((slot - first) % slots);
        }
        return done;
    }

    std::int64_t now_;
    heads tick_heads_;
    heads block_heads_;
    bits tick_used_{};
    bits block_used_{};
    std::vector<chunk> chunks_;
    std::uint32_t free_ = none;
};

} // namespace reheat::inline REHEAT_ABI::detail
