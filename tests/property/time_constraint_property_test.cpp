// SPDX-License-Identifier: MIT
// Random cron lines at random times: the schedule's arithmetic finds what a search minute by minute finds.
#include <reheat/alarm/time_constraint.hpp>
#include <reheat/core/hash.hpp>
#include <reheat/core/text.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <ctime>
#include <optional>
#include <set>
#include <string>

namespace rh = reheat;
using namespace std::chrono_literals;
using std::chrono::minutes;

namespace {

constexpr std::uint64_t seed = 0x7e57'0000'c0de'0009;

/// Numbers from a seed, the same on every system.
class dice {
public:
    explicit dice(std::uint64_t from) noexcept : state_{rh::mix(from)} {}
    std::uint64_t below(std::uint64_t n) noexcept { return (state_ = rh::mix(state_)) % n; }
    unsigned in(unsigned low, unsigned high) noexcept { return low + static_cast<unsigned>(below(high - low + 1U)); }
    bool one_in(std::uint64_t n) noexcept { return below(n) == 0; }

private:
    std::uint64_t state_;
};

/// A field of a cron line: its text, and the values that it was made of.
struct field {
    std::string text;
    std::set<int> values;
    bool all = false;
};

field random_field(dice& d, unsigned low, unsigned high, unsigned star_in_four) {
    field f;
    if (d.below(4) < star_in_four) {
        f.text = "*";
        for (unsigned v = low; v <= high; ++v) f.values.insert(static_cast<int>(v));
    } else {
        for (std::uint64_t items = 1 + d.below(3); items-- > 0;) {
            const unsigned first = d.in(low, high);
            const bool range = d.one_in(2);
            const unsigned last = range ? d.in(first, high) : first;
            const unsigned step = range && d.one_in(2) ? d.in(1, 7) : 1;
            f.text += (f.text.empty() ? "" : ",") + std::to_string(first);
            if (range) f.text += "-" + std::to_string(last);
            if (step != 1) f.text += "/" + std::to_string(step);
            for (unsigned v = first; v <= last; v += step) f.values.insert(static_cast<int>(v));
        }
    }
    f.all = f.values.size() == high - low + 1;
    return f;
}

/// A cron line as sets of values, matched with the C library's calendar.
class naive_schedule {
public:
    explicit naive_schedule(dice& d, bool rare)
        : minute_{random_field(d, 0, 59, 1)}, hour_{random_field(d, 0, 23, rare ? 0 : 2)},
          day_{random_field(d, 1, 31, rare ? 1 : 3)}, month_{random_field(d, 1, 12, rare ? 0 : 3)},
          weekday_{random_field(d, 0, 6, rare ? 3 : 2)} {}

    [[nodiscard]] std::string text() const {
        return minute_.text + ' ' + hour_.text + ' ' + day_.text + ' ' + month_.text + ' ' + weekday_.text;
    }
    [[nodiscard]] bool names_day(const std::tm& t) const {
        const bool date = day_.values.contains(t.tm_mday);
        const bool weekday = weekday_.values.contains(t.tm_wday);
        const bool either = !day_.all && !weekday_.all;
        return month_.values.contains(t.tm_mon + 1) && (either ? date || weekday : date && weekday);
    }
    [[nodiscard]] bool names(minutes at) const {
        const std::tm t = calendar(at);
        return minute_.values.contains(t.tm_min) && hour_.values.contains(t.tm_hour) && names_day(t);
    }
    /// A search back, minute by minute where a day is one that the line names.
    [[nodiscard]] std::optional<minutes> latest(minutes at) const {
        const minutes oldest = at - 9 * 366 * 24h;
        while (at >= oldest) {
            if (names(at)) return at;
            const minutes midnight = std::chrono::floor<std::chrono::days>(at);
            at = names_day(calendar(at)) ? at - 1min : midnight - 1min;
        }
        return std::nullopt;
    }

private:
    [[nodiscard]] static std::tm calendar(minutes at) {
        const std::time_t seconds = std::chrono::seconds{at}.count();
        return *std::gmtime(&seconds);
    }

    field minute_;
    field hour_;
    field day_;
    field month_;
    field weekday_;
};

minutes random_time(dice& d) {
    return minutes{static_cast<std::int64_t>(d.below(150ULL * 365 * 24 * 60)) - 60LL * 365 * 24 * 60}; // 1910 to 2060
}

} // namespace

TEST_SUITE("time constraint property") {
    TEST_CASE("a time is inside if a start is no further back than the length") {
        dice d{seed};
        int inside = 0;
        for (int run = 0; run < 12'000; ++run) {
            const naive_schedule naive{d, false};
            const minutes now = random_time(d);
            const rh::duration length = std::chrono::seconds{d.below(d.one_in(4) ? 2 * 86'400 : 7'200)};
            const minutes offset{static_cast<std::int64_t>(d.below(2 * 14 * 60 + 1)) - 14 * 60};
            bool expected = false;
            for (minutes back{0}; back <= length && !expected; ++back) expected = naive.names(now + offset - back);

            const auto schedule = rh::parse_cron(naive.text());
            if (!schedule) { // a line that never happens is refused
                REQUIRE(schedule.error().where == "day");
                REQUIRE_FALSE(expected);
                continue;
            }
            const rh::time_constraint window{*schedule, length, offset};
            const rh::time_point at{now + std::chrono::seconds{d.below(60)}};
            INFO("seed " << seed << " run " << run << ": " << naive.text() << " for " << length.count() << " at "
                         << rh::format_time(at) << " offset " << offset.count());
            REQUIRE(window.inside(at) == expected);
            inside += expected ? 1 : 0;
        }
        CHECK(inside > 1'000);
        CHECK(inside < 11'000);
    }

    TEST_CASE("the newest start is the one that a search finds, however rare it is") {
        dice d{seed + 1};
        int never = 0;
        for (int run = 0; run < 3'000; ++run) {
            const naive_schedule naive{d, true};
            const minutes at = random_time(d);
            const auto expected = naive.latest(at);
            const auto schedule = rh::parse_cron(naive.text());
            INFO("seed " << seed + 1 << " run " << run << ": " << naive.text() << " before "
                         << rh::format_time(rh::time_point{at}));
            REQUIRE(schedule.has_value() == expected.has_value());
            never += expected ? 0 : 1;
            if (!schedule) continue;
            const auto found = schedule->latest(at);
            REQUIRE(found.has_value());
            REQUIRE(*found == *expected);
            REQUIRE(schedule->latest(*found) == found);
            REQUIRE(*schedule->latest(*found - 1min) < *found);
        }
        CHECK(never < 300);
    }
}
