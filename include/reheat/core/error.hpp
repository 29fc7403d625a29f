// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// What went wrong, for a program to switch on.
enum class errc : std::uint8_t {
    invalid_argument, ///< a value outside its documented range
    syntax,           ///< text that is not of its grammar
    not_found,        ///< a name that nobody has
    already_exists,   ///< a name that somebody has
    unsupported,      ///< well-formed, and not offered here
    limit_exceeded,   ///< larger, deeper or longer than allowed
    cycle,            ///< things that wait for each other
    denied,           ///< not allowed to this caller
    unavailable,      ///< the other side did not answer
    io,               ///< the operating system said no
};

[[nodiscard]] constexpr std::string_view to_string(errc code) noexcept {
    constexpr std::array<std::string_view, 11> names{
        "invalid_argument", "syntax",      "not_found", "already_exists", "unsupported", "limit_exceeded", "cycle",
        "denied",           "unavailable", "io",        "unknown"};
    return names[code <= errc::io ? static_cast<std::size_t>(code) : 10];
}

/// An error as a value. `where` names the place (a JSON path, `line:column`, a target's name; empty if there is none),
/// `message` says what was found there and what was expected. Neither ever holds a secret.
struct error {
    errc code{};
    std::string where;
    std::string message;

    friend bool operator==(const error&, const error&) = default;
};

/// `where: message`, for a person to read.
[[nodiscard]] inline std::string to_string(const error& e) {
    return e.where.empty() ? e.message : e.where + ": " + e.message;
}

} // namespace reheat::inline REHEAT_ABI
