// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// Appends a number as CloudWatch prints it: the fewest digits that read back as the same number, at least one of them
/// after the point, and an exponent below 0.001 and from 10,000,000 on: `21.0`, `0.0015765`, `2.0E7`. It is JSON
/// unless the number is infinite or NaN. (The Java Language Specification's `Double.toString`.)
inline void append_decimal(std::string& out, double value) {
    if (std::isnan(value)) {
        out += "NaN";
        return;
    }
    if (std::signbit(value)) out += '-';
    const double size = std::fabs(value);
    if (std::isinf(size)) {
        out += "Infinity";
        return;
    }
    std::array<char, 64> text{};
    const bool plain = size == 0 || (size >= 1e-3 && size < 1e7);
    const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    const auto written = std::to_chars(text.data(), text.data() + text.size(), size, format);
    std::string_view digits{text.data(), static_cast<std::size_t>(written.ptr - text.data())};
    const std::size_t e = digits.find('e');
    const std::string_view mantissa = digits.substr(0, e);
    out += mantissa;
    if (mantissa.find('.') == std::string_view::npos) out += ".0";
    if (plain) return;
    out += 'E';
    digits.remove_prefix(e + 1);
    if (digits.front() == '-') out += '-';
    digits.remove_prefix(1);
    while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
    out += digits;
}

} // namespace reheat::inline REHEAT_ABI
