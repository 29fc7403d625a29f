// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// The unit of a metric; CloudWatch's 27. Samples of different units are different metrics.
enum class unit : std::uint8_t {
    none,
    seconds,
    microseconds,
    milliseconds,
    bytes,
    kilobytes,
    megabytes,
    gigabytes,
    terabytes,
    bits,
    kilobits,
    megabits,
    gigabits,
    terabits,
    percent,
    count,
    bytes_per_second,
    kilobytes_per_second,
    megabytes_per_second,
    gigabytes_per_second,
    terabytes_per_second,
    bits_per_second,
    kilobits_per_second,
    megabits_per_second,
    gigabits_per_second,
    terabits_per_second,
    count_per_second,
};

namespace detail {
inline constexpr std::array<std::string_view, 27> unit_names{"None",
                                                             "Seconds",
                                                             "Microseconds",
                                                             "Milliseconds",
                                                             "Bytes",
                                                             "Kilobytes",
                                                             "Megabytes",
                                                             "Gigabytes",
                                                             "Terabytes",
                                                             "Bits",
                                                             "Kilobits",
                                                             "Megabits",
                                                             "Gigabits",
                                                             "Terabits",
                                                             "Percent",
                                                             "Count",
                                                             "Bytes/Second",
                                                             "Kilobytes/Second",
                                                             "Megabytes/Second",
                                                             "Gigabytes/Second",
                                                             "Terabytes/Second",
                                                             "Bits/Second",
                                                             "Kilobits/Second",
                                                             "Megabits/Second",
                                                             "Gigabits/Second",
                                                             "Terabits/Second",
                                                             "Count/Second"};
} // namespace detail

[[nodiscard]] constexpr std::string_view to_string(unit u) noexcept {
    return detail::unit_names[static_cast<std::size_t>(u)];
}

/// The unit of a name, as CloudWatch spells it.
[[nodiscard]] constexpr std::optional<unit> parse_unit(std::string_view name) noexcept {
    for (std::size_t n = 0; n < detail::unit_names.size(); ++n) {
        if (detail::unit_names[n] == name) return static_cast<unit>(n);
    }
    return std::nullopt;
}

} // namespace reheat::inline REHEAT_ABI
