// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// The bytes of the character at the start of `text`, or 0 where that is not UTF-8 (Unicode 15, table 3-7).
[[nodiscard]] constexpr std::size_t utf8_size(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto tail = [&byte](std::size_t from, std::size_t size) {
        for (; from < size; ++from) {
            if (byte(from) < 0x80U || byte(from) > 0xBFU) return std::size_t{0};
        }
        return size;
    };
    const unsigned b0 = byte(0);
    const unsigned b1 = byte(1);
    if (text.empty()) return 0;
    if (b0 < 0x80U) return 1;
    if (b0 >= 0xC2U && b0 <= 0xDFU) return tail(1, 2);
    if (b0 >= 0xE0U && b0 <= 0xEFU) {
        const unsigned low = b0 == 0xE0U ? 0xA0U : 0x80U;
        const unsigned high = b0 == 0xEDU ? 0x9FU : 0xBFU;
        return b1 >= low && b1 <= high ? tail(2, 3) : 0;
    }
    if (b0 >= 0xF0U && b0 <= 0xF4U) {
        const unsigned low = b0 == 0xF0U ? 0x90U : 0x80U;
        const unsigned high = b0 == 0xF4U ? 0x8FU : 0xBFU;
        return b1 >= low && b1 <= high ? tail(2, 4) : 0;
    }
    return 0;
}

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

} // namespace detail

/// The start of `text`, at most `bytes` long and not cut inside a character: for echoing what a stranger sent.
[[nodiscard]] constexpr std::string_view clip(std::string_view text, std::size_t bytes) noexcept {
    if (text.size() <= bytes) return text;
    std::size_t end = bytes;
    for (int i = 0; i < 3 && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U; ++i) --end;
    return text.substr(0, end);
}

/// Appends `text` with `?` for each control character, so that a line stays one line.
inline void append_printable(std::string& out, std::string_view text) {
    for (const char c : text) out += static_cast<unsigned char>(c) < 0x20U || c == '\x7f' ? '?' : c;
}

/// Appends `text` as a JSON string, quotes included (RFC 8259, section 7). The result is valid whatever the bytes are:
/// a byte that is not UTF-8 becomes U+FFFD, a control character `\u00XX`.
inline void append_json_string(std::string& out, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    while (!text.empty()) {
        const auto c = static_cast<unsigned char>(text.front());
        const std::size_t size = detail::utf8_size(text);
        if (size == 0) {
            out += detail::replacement_character;
        } else if (c < 0x20U || c == 0x7FU) {
            out += "\\u00";
            out += hex[c >> 4U];
            out += hex[c & 0xFU];
        } else {
            if (c == '"' || c == '\\') out += '\\';
            out += text.substr(0, size);
        }
        text.remove_prefix(size == 0 ? 1 : size);
    }
    out += '"';
}

/// Appends `text` as character data of XML 1.0, good between tags and between quotes. A byte that is not UTF-8 becomes
/// U+FFFD; a character that XML forbids even as a reference (section 2.2) is left out.
inline void append_xml_text(std::string& out, std::string_view text) {
    while (!text.empty()) {
        const char c = text.front();
        const std::size_t size = detail::utf8_size(text);
        const std::string_view character = text.substr(0, size);
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&apos;"; break;
        case '\r': out += "&#13;"; break; // a bare one would reach the reader as a line feed
        default:
            if (size == 0) {
                out += detail::replacement_character;
            } else if ((size > 1 || static_cast<unsigned char>(c) >= 0x20U || c == '\t' || c == '\n') &&
                       character != "\xEF\xBF\xBE" && character != "\xEF\xBF\xBF") {
                out += character;
            }
        }
        text.remove_prefix(size == 0 ? 1 : size);
    }
}

} // namespace reheat::inline REHEAT_ABI
