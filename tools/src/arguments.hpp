// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <concepts>
#include <cstdio>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

// The command lines of the tools that are built where no package is.

namespace tools {

/// The words after the program's name, one after the other.
class arguments {
public:
    arguments(int count, char** words) noexcept : next_{words + 1}, end_{words + count} {}

    std::optional<std::string_view> next() noexcept {
        if (next_ >= end_) return std::nullopt;
        return *next_++;
    }

    /// False unless the next word is a number from `least` to `most`.
    template <std::unsigned_integral Number>
    bool number(Number& to, Number least = 0, Number most = (std::numeric_limits<Number>::max)()) noexcept {
        const auto word = next();
        if (!word) return false;
        const auto [end, wrong] = std::from_chars(word->data(), word->data() + word->size(), to);
        return wrong == std::errc{} && end == word->data() + word->size() && to >= least && to <= most;
    }

private:
    char** next_;
    char** end_;
};

/// Says how a program is used; the code to exit with.
inline int bad_command_line(std::string_view usage) {
    std::fwrite(usage.data(), 1, usage.size(), stderr);
    return 2;
}

} // namespace tools
