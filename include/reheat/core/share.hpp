// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// A share of a set, never rounded to nothing: `percent` of it, rounded up, and at least `least`.
struct share {
    std::uint8_t percent = 5;
    std::uint32_t least = 1;

    [[nodiscard]] constexpr std::uint32_t of(std::uint32_t size) const noexcept {
        const std::uint64_t part = (std::uint64_t{size} * percent + 99) / 100;
        return part < least ? least : static_cast<std::uint32_t>(part);
    }
    friend constexpr bool operator==(const share&, const share&) = default;
};

} // namespace reheat::inline REHEAT_ABI
