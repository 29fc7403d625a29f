// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/hash.hpp>
#include <reheat/core/time.hpp>

#include <cstddef>
#include <cstdint>

namespace reheat::inline REHEAT_ABI::sim {

/// Chance from a seed: the same numbers with every compiler and on every machine. Draw in statements of their own: the
/// order in which arguments are evaluated is not fixed. One thread at a time.
///
///     dice chance{seed};
///     const auto host = chance.below(12);
class dice {
public:
    explicit dice(std::uint64_t seed) noexcept : state_{mix(seed)} {}

    [[nodiscard]] std::uint64_t roll() noexcept { return mix(state_ += 0x9e37'79b9'7f4a'7c15ULL); }
    /// From 0 to `n` - 1; 0 if `n` is 0.
    [[nodiscard]] std::uint32_t below(std::size_t n) noexcept {
        const std::uint64_t drawn = roll();
        return n == 0 ? 0U : static_cast<std::uint32_t>(drawn % n);
    }
    [[nodiscard]] bool one_in(std::size_t n) noexcept { return below(n) == 0; }
    [[nodiscard]] bool percent(unsigned p) noexcept { return below(100) < p; }
    /// Whole milliseconds from `least` to `most`.
    [[nodiscard]] duration between(duration least, duration most) noexcept {
        const auto range = static_cast<std::uint64_t>((most - least) / std::chrono::milliseconds{1}) + 1;
        return least + std::chrono::milliseconds{static_cast<std::int64_t>(roll() % range)};
    }

private:
    std::uint64_t state_;
};

} // namespace reheat::inline REHEAT_ABI::sim
