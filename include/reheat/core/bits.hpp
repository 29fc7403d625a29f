// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <cstddef>
#include <cstdint>

// What the engine needs of <bit>, without its 250 lines (docs/decisions/0005).

namespace reheat::inline REHEAT_ABI::detail {

/// The place of the lowest bit of a set that is not empty.
[[nodiscard]] constexpr std::size_t lowest_bit(std::uint32_t set) noexcept {
    return static_cast<std::size_t>(__builtin_ctz(set));
}
[[nodiscard]] constexpr unsigned count_bits(unsigned set) noexcept {
    return static_cast<unsigned>(__builtin_popcount(set));
}

} // namespace reheat::inline REHEAT_ABI::detail
