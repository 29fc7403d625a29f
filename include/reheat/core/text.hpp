// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reheat::inline REHEAT_ABI {

namespace detail {

struct duration_unit {
    std::string_view name;
    std::int64_t nanoseconds;
};

inline constexpr std::array<duration_unit, 8> duration_units{{{"ns", 1},
                                                              {"us", 1'000},
                                                              {"ms", 1'000'000},
                                                              {"s", 1'000'000'000},
                                                              {"min", 60'000'000'000},
                                                              {"m", 60'000'000'000},
                                                              {"h", 3'600'000'000'000},
                                                              {"d", 86'400'000'000'000}}};

inline void append_two_digits(std::string& out, std::int64_t value) {
    out += static_cast<char>('0' + value / 10 % 10);
    out += static_cast<char>('0' + value % 10);
}

inline void append_fraction(std::string& out, std::int64_t nanoseconds) {
    if (nanoseconds == 0) return;
    std::string digits = std::to_string(1'000'000'000 + nanoseconds);
    digits[0] = '.';
    while (digits.back() == '0') digits.pop_back();
    out += digits;
}

} // namespace detail

/// Reads a duration: one or more of a number and a unit (`ns us ms s min m h d`), as in `60s`, `1h30m`, `1.5s`.
/// A number without a unit, a sign, a blank or an unknown unit is an error; so is more than 36,500 days.
[[nodiscard]] inline result<duration> parse_duration(std::string_view text) {
    constexpr std::int64_t most = std::int64_t{36'500} * 86'400'000'000'000; // 100 years; twice that is in range
    const auto bad = [text](std::string_view what) {
        return error{
            errc::syntax, {}, "'" + std::string{text.substr(0, 64)} + "' is not a duration: " + std::string{what}};
    };
    if (text.empty()) return bad("expected a number and a unit, as in 60s");
    std::int64_t total = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        std::int64_t whole = 0;
        std::int64_t fraction = 0; // in 1e-9 units
        const std::size_t begin = at;
        for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
            if (whole > most / 10) return bad("too long");
            whole = whole * 10 + (text[at] - '0');
        }
        if (at == begin) return bad("expected a digit");
        if (at < text.size() && text[at] == '.') {
            std::int64_t scale = 100'000'000;
            const std::size_t dot = at++;
            for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
                fraction += scale * (text[at] - '0');
            if (at == dot + 1) return bad("expected a digit after the point");
        }
        const std::size_t unit_begin = at;
        while (at < text.size() && text[at] >= 'a' && text[at] <= 'z') ++at;
        const std::string_view unit = text.substr(unit_begin, at - unit_begin);
        std::int64_t factor = 0;
        for (const detail::duration_unit& u : detail::duration_units) {
            if (u.name == unit) factor = u.nanoseconds;
        }
        if (factor == 0) return bad("expected a unit (ns us ms s min h d)");
        if (whole > most / factor) return bad("too long");
        total += whole * factor +
                 (factor >= 1'000'000'000 ? fraction * (factor / 1'000'000'000) : fraction / (1'000'000'000 / factor));
        if (total > most) return bad("too long");
    }
    return duration{total};
}

/// A duration in its largest whole units: `0s`, `90s` as `1m30s`, `1h`, `1.5s`. `parse_duration` reads it back.
[[nodiscard]] inline std::string format_duration(duration d) {
    std::string out;
    std::int64_t ns = d.count();
    if (ns < 0) out += '-';
    std::uint64_t rest = ns < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
    const auto part = [&](std::uint64_t unit, const char* name) {
        if (rest < unit) return;
        out += std::to_string(rest / unit);
        out += name;
        rest %= unit;
    };
    part(86'400'000'000'000U, "d");
    part(3'600'000'000'000U, "h");
    part(60'000'000'000U, "m");
    if (rest != 0 || ns == 0) {
        out += std::to_string(rest / 1'000'000'000U);
        detail::append_fraction(out, static_cast<std::int64_t>(rest % 1'000'000'000U));
        out += 's';
    }
    return out;
}

/// A time as ISO 8601 in UTC, `2026-11-23T21:30:00Z`, with a fraction only where there is one.
[[nodiscard]] inline std::string format_time(time_point t) {
    const auto since = t.time_since_epoch();
    const auto day = std::chrono::floor<std::chrono::days>(since);
    const std::chrono::year_month_day date{std::chrono::sys_days{day}};
    // Not `since - day`: the first day that a time_point can name begins before the first time.
    constexpr std::int64_t a_day = 86'400'000'000'000;
    const std::int64_t of_day = (since.count() % a_day + a_day) % a_day;
    const auto second = of_day / 1'000'000'000;
    std::string out = std::to_string(static_cast<int>(date.year()));
    while (out.size() < 4) out.insert(out.begin(), '0');
    out += '-';
    detail::append_two_digits(out, static_cast<unsigned>(date.month()));
    out += '-';
    detail::append_two_digits(out, static_cast<unsigned>(date.day()));
    out += 'T';
    detail::append_two_digits(out, second / 3600);
    out += ':';
    detail::append_two_digits(out, second / 60 % 60);
    out += ':';
    detail::append_two_digits(out, second % 60);
    detail::append_fraction(out, of_day % 1'000'000'000);
    out += 'Z';
    return out;
}

/// Texts as one, `a; b; c`.
[[nodiscard]] inline std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
    return all;
}

} // namespace reheat::inline REHEAT_ABI
