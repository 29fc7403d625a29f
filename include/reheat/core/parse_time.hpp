// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// Takes exactly `digits` decimal digits off the front of `text`; -1 if they are not there.
[[nodiscard]] constexpr int take_digits(std::string_view& text, std::size_t digits) noexcept {
    if (text.size() < digits) return -1;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
}

[[nodiscard]] constexpr bool take(std::string_view& text, char c) noexcept {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

/// The sign at the front of `text`, or 0 if there is none.
[[nodiscard]] constexpr int take_sign(std::string_view& text) noexcept {
    return take(text, '+') ? 1 : take(text, '-') ? -1 : 0;
}

} // namespace detail

/// Reads a time as ISO 8601 writes it: `2026-11-23T21:30:00Z`, with a blank for the `T`, a fraction of up to nine
/// digits (further ones are cut), and `Z`, `+02:00`, `+0200` or `+02` after it; without any of these it is UTC. A time
/// that is none (the 30th of February, 24:00, a leap second) or is outside of the years 1678 to 2261 is an error.
[[nodiscard]] inline result<time_point> parse_time(std::string_view text) {
    const auto bad = [text](const char* expected) {
        return error{errc::syntax, {}, "'" + std::string{text.substr(0, 64)} + "' is not a time: " + expected};
    };
    std::string_view rest = text;
    const int year = detail::take_digits(rest, 4);
    const bool day_follows = detail::take(rest, '-');
    const int month = detail::take_digits(rest, 2);
    const bool and_day = detail::take(rest, '-');
    const int day = detail::take_digits(rest, 2);
    if (year < 0 || !day_follows || month < 0 || !and_day || day < 0) return bad("expected a date, as in 2026-11-23");
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return bad("there is no such day");
    if (year < 1678 || year > 2261) return bad("expected a year from 1678 to 2261");
    if (!detail::take(rest, 'T') && !detail::take(rest, ' ')) return bad("expected T and a time of day");
    const int hour = detail::take_digits(rest, 2);
    const bool minute_follows = detail::take(rest, ':');
    const int minute = detail::take_digits(rest, 2);
    const bool and_second = detail::take(rest, ':');
    const int second = detail::take_digits(rest, 2);
    if (hour < 0 || !minute_follows || minute < 0 || !and_second || second < 0)
        return bad("expected a time of day, as in 21:30:00");
    if (hour > 23 || minute > 59 || second > 59) return bad("there is no such time of day");
    std::int64_t nanoseconds = 0;
    if (detail::take(rest, '.')) {
        if (rest.empty() || rest.front() < '0' || rest.front() > '9') return bad("expected a digit after the point");
        for (std::int64_t scale = 100'000'000; !rest.empty() && rest.front() >= '0' && rest.front() <= '9';
             scale /= 10) {
            nanoseconds += scale * (rest.front() - '0');
            rest.remove_prefix(1);
        }
    }
    int offset = 0; // minutes
    if (!detail::take(rest, 'Z') && !rest.empty()) {
        const int sign = detail::take_sign(rest);
        const int hours = detail::take_digits(rest, 2);
        const bool colon = detail::take(rest, ':');
        const int minutes = rest.empty() && !colon ? 0 : detail::take_digits(rest, 2);
        if (sign == 0 || hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
            return bad("expected Z or an offset from UTC, as in +02:00");
        offset = sign * (hours * 60 + minutes);
    }
    if (!rest.empty()) return bad("expected nothing more");
    const auto at = std::chrono::sys_days{date}.time_since_epoch() + std::chrono::hours{hour} +
                    std::chrono::minutes{minute - offset} + std::chrono::seconds{second};
    return time_point{duration{at} + duration{nanoseconds}};
}

} // namespace reheat::inline REHEAT_ABI
