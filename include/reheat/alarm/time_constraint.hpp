// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/cron.hpp>
#include <reheat/core/parse_time.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// A window of time in which an alarm is evaluated: it opens at each minute of a schedule and stays open for a while.
/// Both ends belong to it, to the minute: an alarm is outside only from the first whole minute after the end. The
/// newest start decides, so a window longer than the time between two starts never closes. (Aodh's time constraints;
/// there the minute before a start counts as inside too, which is not copied.)
struct time_constraint {
    cron_schedule start;
    duration length{};
    std::chrono::minutes utc_offset{}; ///< of the schedule's time zone, east is positive

    [[nodiscard]] constexpr bool inside(time_point now) const noexcept {
        const auto minute = std::chrono::floor<std::chrono::minutes>(now.time_since_epoch()) + utc_offset;
        const auto newest = start.latest(minute);
        return newest && minute - *newest <= length;
    }

    friend constexpr bool operator==(const time_constraint&, const time_constraint&) noexcept = default;
};

/// Whether an alarm is evaluated now: inside any of its windows, or without windows. Outside nothing is evaluated,
/// stored or notified.
///
///     if (inside(rule_windows, now)) evaluate(rule);
[[nodiscard]] constexpr bool inside(std::span<const time_constraint> any_of, time_point now) noexcept {
    for (const time_constraint& window : any_of) {
        if (window.inside(now)) return true;
    }
    return any_of.empty();
}

/// Reads a fixed offset from UTC: empty, `Z`, `UTC` or `GMT` (also in small letters) for none; `+02:00`, `-0530`, `+2`,
/// with or without `UTC` or `GMT` before it, east positive and at most 14 hours. The name of a place is `unsupported`:
/// its offset changes with the season, and the library has no time zone database; the caller who has one gives the
/// offset of the day.
[[nodiscard]] inline result<std::chrono::minutes> parse_utc_offset(std::string_view text) {
    const auto letter = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
    const auto take_word = [&letter](std::string_view& rest, std::string_view word) {
        if (rest.size() < word.size()) return false;
        for (std::size_t i = 0; i < word.size(); ++i) {
            if (letter(rest[i]) != word[i]) return false;
        }
        rest.remove_prefix(word.size());
        return true;
    };
    const auto bad = [text](errc code, const char* expected) {
        return error{code, "timezone", "'" + std::string{text.substr(0, 64)} + "': " + expected};
    };
    std::string_view rest = text;
    const bool utc = take_word(rest, "UTC") || take_word(rest, "GMT") || (rest.size() == 1 && take_word(rest, "Z"));
    if (rest.empty()) return std::chrono::minutes{0};
    const int sign = detail::take_sign(rest);
    if (sign == 0) {
        return utc ? bad(errc::syntax, "expected an offset as in UTC+02:00")
                   : bad(errc::unsupported,
                         "a named time zone needs a time zone database; give an offset, as in +02:00");
    }
    int hours = detail::take_digits(rest, 2);
    if (hours < 0) hours = detail::take_digits(rest, 1);
    const bool colon = detail::take(rest, ':');
    const int minutes = rest.empty() && !colon ? 0 : detail::take_digits(rest, 2);
    if (hours < 0 || minutes < 0 || !rest.empty()) return bad(errc::syntax, "expected an offset as in +02:00");
    if (minutes > 59 || hours * 60 + minutes > 14 * 60)
        return bad(errc::invalid_argument, "expected an offset of at most 14 hours");
    return std::chrono::minutes{sign * (hours * 60 + minutes)};
}

/// Makes a time constraint of its texts; `length` is 0 or more. The errors are those of `parse_cron` and
/// `parse_utc_offset`.
///
///     auto business_hours = parse_time_constraint("0 9 * * MON-FRI", 8h, "+01:00");
[[nodiscard]] inline result<time_constraint> parse_time_constraint(std::string_view start, duration length,
                                                                   std::string_view timezone) {
    auto schedule = parse_cron(start);
    if (!schedule) return std::move(schedule).error();
    auto offset = parse_utc_offset(timezone);
    if (!offset) return std::move(offset).error();
    if (length < duration::zero()) return error{errc::invalid_argument, "duration", "expected 0 s or more"};
    return time_constraint{*schedule, length, *offset};
}

} // namespace reheat::inline REHEAT_ABI
