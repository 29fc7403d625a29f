// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/glob.hpp>
#include <reheat/testing/scenario_log.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// What a scenario expects beside, or instead of, its whole log: a fleet of a thousand has too many lines to read.

namespace reheat::inline REHEAT_ABI::testing {

/// A count and what it is compared with.
struct bound {
    enum class how : std::uint8_t { equal, at_most, at_least };
    how compare{};
    std::uint64_t number = 0;

    [[nodiscard]] bool holds(std::uint64_t n) const noexcept {
        if (compare == how::equal) return n == number;
        return compare == how::at_most ? n <= number : n >= number;
    }
};

[[nodiscard]] inline std::string to_text(const bound& b) {
    const char* sign = b.compare == bound::how::equal ? "== " : b.compare == bound::how::at_most ? "<= " : ">= ";
    return sign + std::to_string(b.number);
}

/// Lines of a log: each field one value or any.
struct log_pattern {
    std::string target = "*"; ///< a shell pattern; empty: no target
    std::optional<operation> rung{};
    std::optional<decision> what{};
    std::optional<reason> why{};
    duration from{};
    duration until = (duration::max)();

    [[nodiscard]] bool matches(const log_line& l) const noexcept {
        return l.at >= from && l.at <= until && (!rung || *rung == l.rung) && (!what || *what == l.what) &&
               (!why || *why == l.why) && (target == l.target || (!target.empty() && glob_match(target, l.target)));
    }
};

[[nodiscard]] inline std::string to_text(const log_pattern& p) {
    const auto word = [](bool any, std::string_view text) {
        return any ? "*" : text.empty() ? "-" : std::string{text};
    };
    const bool always = p.from == duration{} && p.until == (duration::max)();
    std::string out = always ? "*" : format_duration(p.from);
    if (!always && p.until != p.from)
        out += ".." + (p.until == (duration::max)() ? std::string{} : format_duration(p.until));
    out += ' ' + word(false, p.target);
    out +=
        ' ' + word(!p.rung, p.rung == operation::none ? std::string_view{} : to_string(p.rung.value_or(operation{})));
    out += ' ' + word(!p.what, to_string(p.what.value_or(decision{})));
    out += ' ' + word(!p.why, p.why == reason::none ? std::string_view{} : to_string(p.why.value_or(reason{})));
    return out;
}

namespace check {
/// So many lines of the log are like that.
struct count {
    log_pattern of;
    bound is;
};
/// The log has these lines in this order; others may be between them.
struct some {
    std::vector<log_pattern> lines;
    std::vector<std::size_t> at; ///< of the file
};
/// So many calls of an operation were made.
struct calls {
    operation of{};
    std::string target = "*";
    std::string method = "*";
    bound is;
};
/// How a target is in the end.
struct end {
    enum class state : std::uint8_t { healthy, closed, open, waiting, parked };
    std::vector<std::string> targets;
    state is{};
};
/// How many of these targets are so in the end.
struct end_count {
    std::vector<std::string> targets;
    end::state is{};
    bound how_many;
};
/// Never were more actions under way at once: of instances and stacks, or of services.
struct in_flight {
    bool services = false;
    std::uint64_t most = 0;
};
/// Actions of instances and stacks began at least so long after one another.
struct apart {
    duration least{};
};
} // namespace check

struct scenario_check {
    std::size_t line = 0;
    std::variant<check::count, check::some, check::calls, check::end, check::end_count, check::in_flight, check::apart>
        what;
};

/// A check that does not hold.
struct failed_check {
    std::size_t line = 0;
    std::string text;
};

/// Looks for lines in that order; the index of the first that is not there, or `wanted.size()`.
[[nodiscard]] inline std::size_t first_missing(std::span<const log_pattern> wanted,
                                               std::span<const log_line> log) noexcept {
    std::size_t found = 0;
    for (const log_line& l : log) {
        if (found == wanted.size()) break;
        if (wanted[found].matches(l)) ++found;
    }
    return found;
}

} // namespace reheat::inline REHEAT_ABI::testing
