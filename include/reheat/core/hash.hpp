// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// Mixes a number so that every bit of it moves every bit of the result (the finaliser of SplitMix64). Jitter and keys
/// are made of it: no generator has a state, and the same inputs give the same outputs for ever.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x += 0x9e37'79b9'7f4a'7c15ULL;
    x = (x ^ x >> 30U) * 0xbf58'476d'1ce4'e5b9ULL;
    x = (x ^ x >> 27U) * 0x94d0'49bb'1331'11ebULL;
    return x ^ x >> 31U;
}

/// Hashes a text, eight bytes at a time. For tables in memory only: it differs between machines. Not for keys that an
/// enemy chooses.
[[nodiscard]] inline std::uint64_t hash_text(std::string_view text) noexcept {
    std::uint64_t h = text.size();
    for (; !text.empty(); text.remove_prefix(text.size() < 8 ? text.size() : 8)) {
        std::uint64_t word = 0;
        text.copy(reinterpret_cast<char*>(&word), sizeof word);
        h = (h ^ word) * 0x9e37'79b9'7f4a'7c15ULL;
        h ^= h >> 32U;
    }
    return mix(h);
}

} // namespace reheat::inline REHEAT_ABI
