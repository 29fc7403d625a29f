// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <cstddef>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// Matches one byte against the part of a pattern that begins at `at`, which is moved behind that part.
[[nodiscard]] constexpr bool glob_one(std::string_view pattern, std::size_t& at, char c) noexcept {
    const char p = pattern[at++];
    if (p == '?') return true;
    if (p != '[') return p == c;
    std::size_t i = at;
    const bool except = i < pattern.size() && pattern[i] == '!';
    if (except) ++i;
    const std::size_t end = pattern.find(']', i + 1); // one right at the beginning is a member
    if (end == std::string_view::npos) return c == '[';
    at = end + 1;
    bool member = false;
    const auto byte = static_cast<unsigned char>(c);
    while (i < end) {
        const auto low = static_cast<unsigned char>(pattern[i]);
        const bool range = i + 2 < end && pattern[i + 1] == '-';
        const auto high = range ? static_cast<unsigned char>(pattern[i + 2]) : low;
        member = member || (byte >= low && byte <= high);
        i += range ? 3 : 1;
    }
    return member != except;
}

} // namespace detail

/// Whether a whole text is of a shell pattern: `*` is any text, `?` any byte, `[a-z_]` one of a set, `[!a-z]` one that
/// is not of it; anything else, and a `[` without its `]`, is itself. Letters are compared as they are. It takes at
/// most pattern times text steps. (Python's `fnmatch.fnmatchcase`.)
[[nodiscard]] constexpr bool glob_match(std::string_view pattern, std::string_view text) noexcept {
    constexpr std::size_t none = std::string_view::npos;
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = none; // behind the newest `*`; an older one can stay as it is
    std::size_t from = 0;    // where the text that the star does not take begins
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            from = t;
        } else if (p < pattern.size() && detail::glob_one(pattern, p, text[t])) {
            ++t;
        } else if (star != none) {
            p = star;
            t = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

} // namespace reheat::inline REHEAT_ABI
