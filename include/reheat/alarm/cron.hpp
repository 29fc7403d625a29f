// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// The minutes that a cron line names, in its own time zone: bit n of a field is its value n, Sunday is 0. Made by
/// `parse_cron`, which refuses a line that names no minute at all. A value of 24 bytes; any thread may read it.
class cron_schedule {
public:
    /// The newest minute of the schedule that is not later than `at`, both counted from 1970-01-01T00:00 in the
    /// schedule's time zone and inside the years of engine time. It looks at a month at a time, and at most at eight
    /// years of months (from one 29th of February to the next); at 1601 it gives up.
    [[nodiscard]] constexpr std::optional<std::chrono::minutes> latest(std::chrono::minutes at) const noexcept {
        constexpr std::chrono::year first{1601};
        const std::chrono::days day = std::chrono::floor<std::chrono::days>(at);
        const std::chrono::year_month_day today{std::chrono::sys_days{day}};
        const auto of_day = static_cast<unsigned>((at - day).count());
        std::chrono::year_month month = today.year() / today.month();
        const auto date = static_cast<unsigned>(today.day());
        if ((days_of(month) >> date & 1U) != 0) {
            if (const auto found = latest_in_day(of_day)) return day + std::chrono::minutes{*found};
        }
        std::uint32_t left = days_of(month) & ((std::uint32_t{1} << date) - 1U);
        while (left == 0) {
            month -= std::chrono::months{1};
            if (month.year() < first) return std::nullopt;
            left = days_of(month);
        }
        const std::chrono::sys_days found{month / std::chrono::day{highest(left)}};
        return found.time_since_epoch() + std::chrono::minutes{highest(hours_) * 60 + highest(minutes_)};
    }

    friend constexpr bool operator==(const cron_schedule&, const cron_schedule&) noexcept = default;

private:
    friend result<cron_schedule> parse_cron(std::string_view text);

    static constexpr std::uint32_t every_date = 0xffff'fffeU;
    static constexpr std::uint8_t every_weekday = 0x7f;

    [[nodiscard]] static constexpr unsigned highest(std::uint64_t bits) noexcept {
        return static_cast<unsigned>(std::bit_width(bits)) - 1U;
    }

    /// The newest minute of a day that is on the schedule and not later than `of_day`.
    [[nodiscard]] constexpr std::optional<unsigned> latest_in_day(unsigned of_day) const noexcept {
        const unsigned hour = of_day / 60;
        const std::uint64_t in_hour = minutes_ & ((std::uint64_t{2} << of_day % 60) - 1U);
        if ((hours_ >> hour & 1U) != 0 && in_hour != 0) return hour * 60 + highest(in_hour);
        const std::uint32_t before = hours_ & ((std::uint32_t{1} << hour) - 1U);
        if (before == 0) return std::nullopt;
        return highest(before) * 60 + highest(minutes_);
    }

    /// The days of a month that are on the schedule. Where both the day and the weekday are restricted, either is
    /// enough.
    [[nodiscard]] constexpr std::uint32_t days_of(std::chrono::year_month month) const noexcept {
        if ((months_ >> static_cast<unsigned>(month.month()) & 1U) == 0) return 0;
        const auto last = static_cast<unsigned>((month / std::chrono::last).day());
        const auto there = static_cast<std::uint32_t>((std::uint64_t{2} << last) - 2U);
        if (weekdays_ == every_weekday) return dates_ & there;
        std::uint32_t by_weekday = 0;
        const unsigned first = std::chrono::weekday{std::chrono::sys_days{month / 1}}.c_encoding();
        for (unsigned date = 1; date <= last; ++date) {
            if ((weekdays_ >> (first + date - 1U) % 7U & 1U) != 0) by_weekday |= std::uint32_t{1} << date;
        }
        return dates_ == every_date ? by_weekday : (dates_ & there) | by_weekday;
    }

    std::uint64_t minutes_ = 0;
    std::uint32_t hours_ = 0;
    std::uint32_t dates_ = 0;
    std::uint16_t months_ = 0;
    std::uint8_t weekdays_ = 0;
};

namespace detail {

/// One of the five fields of a cron line.
struct cron_field {
    std::string_view name;
    unsigned low;
    unsigned high;
    std::span<const std::string_view> names; ///< of `low`, `low + 1` …
};

inline constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                              "jul", "aug", "sep", "oct", "nov", "dec"};
inline constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
inline constexpr std::array<cron_field, 5> cron_fields{{{"minute", 0, 59, {}},
                                                        {"hour", 0, 23, {}},
                                                        {"day", 1, 31, {}},
                                                        {"month", 1, 12, month_names},
                                                        {"weekday", 0, 7, weekday_names}}};

/// Reads the fields of a cron line one after another.
class cron_reader {
public:
    constexpr explicit cron_reader(std::string_view text) noexcept : text_{text} {}

    /// The values of the next field, a bit each.
    [[nodiscard]] result<std::uint64_t> field(const cron_field& f) {
        skip_blanks();
        std::uint64_t values = 0;
        do {
            if (auto e = item(f, values); !e) return e.error();
        } while (take(','));
        if (at_ < text_.size() && !blank()) return wrong(f, "expected a blank after the field");
        return values;
    }

    [[nodiscard]] result<void> end() {
        skip_blanks();
        if (at_ == text_.size()) return {};
        return error{errc::syntax, column(), "expected five fields: minute hour day month weekday"};
    }

private:
    [[nodiscard]] result<void> item(const cron_field& f, std::uint64_t& values) {
        unsigned low = f.low;
        unsigned high = f.high;
        const bool every = take('*');
        if (!every) {
            if (auto e = value(f, low); !e) return e;
            high = low;
            if (take('-')) {
                const std::size_t begin = at_;
                if (auto e = value(f, high); !e) return e;
                if (high == 0 && f.high == 7 && low != 0) high = 7; // FRI-SUN
                if (high < low) {
                    at_ = begin;
                    return wrong(f, "expected a range that goes up");
                }
            } else if (at_ < text_.size() && text_[at_] == '/') {
                high = f.high;
            }
        }
        unsigned step = 1;
        if (take('/')) {
            const std::size_t begin = at_;
            if (!number(step)) return wrong(f, "expected the number of a step");
            if (step == 0) {
                at_ = begin;
                return wrong(f, "expected a step of 1 or more");
            }
        }
        for (unsigned v = low; v <= high; v += step) values |= std::uint64_t{1} << v;
        return {};
    }

    [[nodiscard]] result<void> value(const cron_field& f, unsigned& v) {
        const std::size_t begin = at_;
        if (!number(v) && !name(f, v))
            return wrong(f, f.names.empty() ? "expected a number" : "expected a number or a name");
        if (v >= f.low && v <= f.high) return {};
        at_ = begin;
        return wrong(f, "expected " + std::to_string(f.low) + " to " + std::to_string(f.high));
    }

    /// A number; one of more than four digits is too large for every field.
    [[nodiscard]] constexpr bool number(unsigned& v) noexcept {
        const std::size_t begin = at_;
        unsigned found = 0;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
            if (found < 10'000) found = found * 10 + static_cast<unsigned>(text_[at_] - '0');
        }
        if (at_ == begin) return false;
        v = found;
        return true;
    }

    [[nodiscard]] constexpr bool name(const cron_field& f, unsigned& v) noexcept {
        for (std::size_t i = 0; i < f.names.size(); ++i) {
            if (!starts_with(f.names[i])) continue;
            at_ += f.names[i].size();
            v = f.low + static_cast<unsigned>(i);
            return true;
        }
        return false;
    }

    [[nodiscard]] constexpr bool starts_with(std::string_view lower) const noexcept {
        if (text_.size() - at_ < lower.size()) return false;
        for (std::size_t i = 0; i < lower.size(); ++i) {
            const char c = text_[at_ + i];
            if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != lower[i]) return false;
        }
        return true;
    }

    constexpr bool take(char c) noexcept {
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    [[nodiscard]] constexpr bool blank() const noexcept { return text_[at_] == ' ' || text_[at_] == '\t'; }
    constexpr void skip_blanks() noexcept {
        while (at_ < text_.size() && blank()) ++at_;
    }
    [[nodiscard]] std::string column() const { return std::to_string(at_ + 1); }
    [[nodiscard]] error wrong(const cron_field& f, std::string expected) const {
        return {errc::syntax, std::string{f.name} + ":" + column(), std::move(expected)};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace detail

/// Reads a cron line of five fields: minute (0-59), hour (0-23), day of the month (1-31), month (1-12 or JAN-DEC) and
/// weekday (0-7 or SUN-SAT; 0 and 7 are Sunday). A field is `*` or a list of numbers and ranges (`1,3,10-20`), each
/// with a step if need be (`*/5`, `10-20/2`, `7/15`: from 7 on). A minute is named if all fields name it; where both
/// day and weekday leave some out, one of the two is enough. The place of an error is the field and the column,
/// `hour:3`. A line that can never happen (the 31st of February) is an error as well. (crontab(5).)
///
///     auto nightly = parse_cron("0 23 * * MON-FRI");
[[nodiscard]] inline result<cron_schedule> parse_cron(std::string_view text) {
    detail::cron_reader reader{text};
    std::array<std::uint64_t, 5> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
        auto field = reader.field(detail::cron_fields[i]);
        if (!field) return std::move(field).error();
        values[i] = *field;
    }
    if (auto end = reader.end(); !end) return std::move(end).error();
    cron_schedule s;
    s.minutes_ = values[0];
    s.hours_ = static_cast<std::uint32_t>(values[1]);
    s.dates_ = static_cast<std::uint32_t>(values[2]);
    s.months_ = static_cast<std::uint16_t>(values[3]);
    s.weekdays_ = static_cast<std::uint8_t>((values[4] | values[4] >> 7U) & cron_schedule::every_weekday);
    if (!s.latest(std::chrono::sys_days{std::chrono::year{2000} / 12 / 31}.time_since_epoch()))
        return error{errc::invalid_argument, "day", "expected a day that one of the months has"};
    return s;
}

} // namespace reheat::inline REHEAT_ABI
