// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// One table for each byte of a word, so that eight bytes are eight look-ups that do not wait for each other.
inline constexpr auto crc32c_tables = [] {
    std::array<std::array<std::uint32_t, 256>, 8> t{};
    for (std::uint32_t n = 0; n < 256; ++n) {
        std::uint32_t c = n;
        for (int bit = 0; bit < 8; ++bit) c = (c >> 1U) ^ ((c & 1U) != 0 ? 0x82f6'3b78U : 0U);
        t[0][n] = c;
    }
    for (std::size_t k = 1; k < 8; ++k) {
        for (std::size_t n = 0; n < 256; ++n) t[k][n] = (t[k - 1][n] >> 8U) ^ t[0][t[k - 1][n] & 0xffU];
    }
    return t;
}();

#if defined(__x86_64__) && defined(__GNUC__)
/// The same by the processor's own instruction, which not every one has.
[[gnu::target("sse4.2")]] inline std::uint32_t crc32c_by_processor(std::string_view bytes, std::uint32_t c) noexcept {
    std::uint64_t wide = c;
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    c = static_cast<std::uint32_t>(wide);
    for (const char byte : bytes) c = __builtin_ia32_crc32qi(c, static_cast<unsigned char>(byte));
    return c;
}
#endif

} // namespace detail

/// CRC-32C (Castagnoli), as in RFC 3720 B.4: finds every change of up to five bits in a record's length. `before` is
/// the checksum of what comes before. No protection against somebody who wants to deceive.
[[nodiscard]] constexpr std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept {
    const auto& t = detail::crc32c_tables;
    const auto byte = [&bytes](std::size_t n) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[n]));
    };
    std::uint32_t c = ~before;
#if defined(__x86_64__) && defined(__GNUC__)
    if (!std::is_constant_evaluated() && __builtin_cpu_supports("sse4.2"))
        return ~detail::crc32c_by_processor(bytes, c);
#endif
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
        const std::uint32_t low = c ^ (byte(0) | byte(1) << 8U | byte(2) << 16U | byte(3) << 24U);
        c = t[7][low & 0xffU] ^ t[6][low >> 8U & 0xffU] ^ t[5][low >> 16U & 0xffU] ^ t[4][low >> 24U] ^ t[3][byte(4)] ^
            t[2][byte(5)] ^ t[1][byte(6)] ^ t[0][byte(7)];
    }
    for (std::size_t n = 0; n < bytes.size(); ++n) c = (c >> 8U) ^ t[0][(c ^ byte(n)) & 0xffU];
    return ~c;
}

} // namespace reheat::inline REHEAT_ABI
