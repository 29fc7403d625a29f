// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/text.hpp>
#include <reheat/core/time.hpp>
#include <reheat/recovery/decision_words.hpp>
#include <reheat/recovery/reason.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI::testing {

/// One decision, as the five fields by which logs are compared. Empty names and `none` stand as `-` in the text.
struct log_line {
    duration at{}; ///< since the scenario's start
    std::string target{};
    operation rung = operation::none;
    decision what{};
    reason why{};

    friend bool operator==(const log_line&, const log_line&) = default;
};

/// `2m db-1 fence_instance act proof_required`
[[nodiscard]] inline std::string to_text(const log_line& line) {
    std::string out = format_duration(line.at);
    const auto word = [&out](std::string_view text) {
        out += ' ';
        out += text.empty() ? std::string_view{"-"} : text;
    };
    word(line.target);
    word(line.rung == operation::none ? std::string_view{} : to_string(line.rung));
    word(to_string(line.what));
    word(line.why == reason::none ? std::string_view{} : to_string(line.why));
    return out;
}

/// A line that the log has to have: `what.at`, or any time up to and with `latest`.
struct expected_line {
    log_line what{};
    duration latest{};
    std::size_t line = 0; ///< of the file, from 1

    [[nodiscard]] bool matches(const log_line& got) const {
        log_line same = got;
        if (got.at >= what.at && got.at <= latest) same.at = what.at;
        return same == what;
    }
};

[[nodiscard]] inline std::string to_text(const expected_line& line) {
    const std::string text = to_text(line.what);
    if (line.latest == line.what.at) return text;
    const std::size_t blank = text.find(' ');
    return text.substr(0, blank) + ".." + format_duration(line.latest) + text.substr(blank);
}

} // namespace reheat::inline REHEAT_ABI::testing
