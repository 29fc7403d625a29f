// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

namespace guest {

/// One decoded `name=value` of a query or a form.
struct form_field {
    std::string name;
    std::string value;

    friend bool operator==(const form_field&, const form_field&) = default;
};

/// Bounds for a query or a form. The number of fields is what 1000 metrics of 30 dimensions need.
struct form_limits {
    std::size_t bytes = std::size_t{1} << 20U;
    std::size_t fields = 65'536;
};

namespace detail {

inline constexpr int not_hex = -1;

[[nodiscard]] constexpr int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return not_hex;
}

[[nodiscard]] inline result<std::string> percent_decode(std::string_view text, bool plus_is_space, std::size_t offset) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : not_hex;
            const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : not_hex;
            if (high == not_hex || low == not_hex) {
                return error{errc::syntax, "byte " + std::to_string(offset + i),
                             "expected two hexadecimal digits after '%'"};
            }
            out += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    return out;
}

} // namespace detail

/// Decodes `%XX`, and `+` as a blank where `plus_is_space` (in forms and queries, never in paths). The bytes that come
/// out may be anything. An incomplete escape is `errc::syntax`; `where` is its offset, `byte N`.
[[nodiscard]] inline result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    return detail::percent_decode(text, plus_is_space, 0);
}

/// Decodes a query or an `application/x-www-form-urlencoded` body. Fields keep their order and may repeat; one without
/// `=` has an empty value; empty fields (`a=1&&b=2`) are skipped. Past a limit the error is `errc::limit_exceeded`, a
/// malformed escape is `errc::syntax` with its offset in `text`.
[[nodiscard]] inline result<std::vector<form_field>> decode_form(std::string_view text,
                                                                 const form_limits& limits = {}) {
    if (text.size() > limits.bytes) {
        return error{errc::limit_exceeded, {}, "more than " + std::to_string(limits.bytes) + " bytes"};
    }
    std::vector<form_field> fields;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view field = text.substr(at, text.substr(at).find('&'));
        if (!field.empty()) {
            if (fields.size() == limits.fields) {
                return error{errc::limit_exceeded, "byte " + std::to_string(at),
                             "more than " + std::to_string(limits.fields) + " fields"};
            }
            const std::size_t equals = field.find('=');
            auto name = detail::percent_decode(field.substr(0, equals), true, at);
            if (!name) return std::move(name).error();
            std::string value;
            if (equals != std::string_view::npos) {
                auto decoded = detail::percent_decode(field.substr(equals + 1), true, at + equals + 1);
                if (!decoded) return std::move(decoded).error();
                value = *std::move(decoded);
            }
            fields.push_back({*std::move(name), std::move(value)});
        }
        at += field.size() + 1;
    }
    return fields;
}

} // namespace guest

} // namespace reheat::inline REHEAT_ABI
