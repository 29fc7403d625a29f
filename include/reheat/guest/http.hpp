// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace reheat::inline REHEAT_ABI {

namespace guest {

/// One line of a request's head.
struct header_field {
    std::string name;
    std::string value;

    friend bool operator==(const header_field&, const header_field&) = default;
};

/// An HTTP request as the guest APIs see it, whatever server read it.
struct request {
    std::string method;                ///< as sent: methods are case-sensitive
    std::string target;                ///< path and query, still percent-encoded
    std::vector<header_field> headers; ///< in the order they came
    std::string body;

    /// The value of the first header of that name, in any case of letters; empty if there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept {
        const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
        for (const header_field& field : headers) {
            bool same = field.name.size() == name.size();
            for (std::size_t i = 0; same && i < name.size(); ++i) same = lower(field.name[i]) == lower(name[i]);
            if (same) return field.value;
        }
        return {};
    }

    /// The target up to the `?`.
    [[nodiscard]] std::string_view path() const noexcept {
        return std::string_view{target}.substr(0, target.find('?'));
    }

    /// The target after the first `?`; empty if there is none.
    [[nodiscard]] std::string_view query() const noexcept {
        const std::size_t mark = target.find('?');
        return mark == std::string::npos ? std::string_view{} : std::string_view{target}.substr(mark + 1);
    }
};

/// What a guest API answers; a server adds the length and what else its protocol wants.
struct response {
    int status = 200;
    std::string content_type;
    std::string body;

    friend bool operator==(const response&, const response&) = default;
};

} // namespace guest

} // namespace reheat::inline REHEAT_ABI
