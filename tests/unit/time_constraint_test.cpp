// SPDX-License-Identifier: MIT
#include <reheat/alarm/time_constraint.hpp>
#include <reheat/core/text.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;
using std::chrono::minutes;

namespace {

/// Whether a window of a length that opens by a schedule holds a time.
struct inside_case {
    std::string_view start;
    rh::duration length;
    std::string_view zone;
    std::string_view now;
    bool inside;
};

struct broken_case {
    std::string_view start;
    std::string_view where;
};

rh::time_point at(std::string_view text) {
    const auto t = rh::parse_time(text);
    REQUIRE(t.has_value());
    return *t;
}

/// The newest start, as text; empty if there is none.
std::string latest(std::string_view start, std::string_view before) {
    const auto schedule = rh::parse_cron(start);
    REQUIRE(schedule.has_value());
    const auto found = schedule->latest(std::chrono::floor<minutes>(at(before).time_since_epoch()));
    return found ? rh::format_time(rh::time_point{*found}) : "";
}

} // namespace

TEST_SUITE("time constraint") {
    TEST_CASE("a window opens at each start and is closed after its length, both ends inside, to the minute") {
        for (const inside_case& c : std::array<inside_case, 21>{{
                 {"30 8 * * *", 2h, "", "2025-06-10T08:29:59Z", false},
                 {"30 8 * * *", 2h, "", "2025-06-10T08:30:00Z", true},
                 {"30 8 * * *", 2h, "", "2025-06-10T10:30:59.999Z", true},
                 {"30 8 * * *", 2h, "", "2025-06-10T10:31:00Z", false},
                 {"0 22 * * *", 4h, "", "2025-06-11T01:59:00Z", true}, // over midnight
                 {"0 22 * * *", 4h, "", "2025-06-11T02:01:00Z", false},
                 {"0 12 * * *", 0s, "", "2025-06-10T12:00:30Z", true}, // its minute
                 {"0 12 * * *", 0s, "", "2025-06-10T12:01:00Z", false},
                 {"0 12 * * *", 90s, "", "2025-06-10T12:01:59Z", true},
                 {"0 12 * * *", 90s, "", "2025-06-10T12:02:00Z", false},
                 {"0 12 * * *", 24h, "", "2025-06-10T03:00:00Z", true}, // never closed
                 {"0 0 * * *", 240h, "", "1970-01-05T00:00:00Z", true},
                 {"0 9 * * MON-FRI", 8h, "", "2025-06-07T10:00:00Z", false}, // a Saturday
                 {"0 9 * * MON-FRI", 8h, "", "2025-06-09T10:00:00Z", true},
                 {"0 9 * * *", 1h, "+02:00", "2025-06-10T07:00:00Z", true},
                 {"0 9 * * *", 1h, "+02:00", "2025-06-10T09:00:00Z", false},
                 {"0 9 * * *", 1h, "-0530", "2025-06-10T14:30:00Z", true},
                 {"0 1 1 1 *", 1h, "UTC+2", "2024-12-31T23:30:00Z", true}, // the first of January over there
                 {"0 1 1 1 *", 1h, "UTC", "2024-12-31T23:30:00Z", false},
                 {"0 0 29 2 *", 24h, "", "2024-02-29T18:00:00Z", true},
                 {"0 0 29 2 *", 24h, "", "2025-02-28T18:00:00Z", false},
             }}) {
            const auto window = rh::parse_time_constraint(c.start, c.length, c.zone);
            REQUIRE(window.has_value());
            INFO(std::string{c.start} << " " << c.length.count() << " " << std::string{c.zone} << " at "
                                      << std::string{c.now});
            CHECK(window->inside(at(c.now)) == c.inside);
        }
    }

    TEST_CASE("any window is enough, and no window is always") {
        const std::vector<rh::time_constraint> windows{*rh::parse_time_constraint("0 6 * * *", 1h, ""),
                                                       *rh::parse_time_constraint("0 18 * * *", 1h, "")};
        CHECK(rh::inside(windows, at("2025-01-01T06:20:00Z")));
        CHECK(rh::inside(windows, at("2025-01-01T18:20:00Z")));
        CHECK_FALSE(rh::inside(windows, at("2025-01-01T12:20:00Z")));
        CHECK(rh::inside({}, at("2025-01-01T12:20:00Z")));
    }

    TEST_CASE("the newest start") {
        CHECK(latest("* * * * *", "2025-03-01T00:00:59Z") == "2025-03-01T00:00:00Z");
        CHECK(latest("59 23 * * *", "2025-03-01T00:00:00Z") == "2025-02-28T23:59:00Z");
        CHECK(latest("15,45 */6 * * *", "2025-03-01T12:14:00Z") == "2025-03-01T06:45:00Z");
        CHECK(latest("0 0 31 * *", "2025-05-01T00:00:00Z") == "2025-03-31T00:00:00Z");
        CHECK(latest("0 0 29 2 *", "2104-02-28T23:59:00Z") == "2096-02-29T00:00:00Z"); // 2100 has none
        CHECK(latest("0 0 1 JAN *", "1970-06-01T00:00:00Z") == "1970-01-01T00:00:00Z");
        CHECK(latest("0 0 1 JAN *", "1969-06-01T00:00:00Z") == "1969-01-01T00:00:00Z");
        CHECK(latest("7/20 0 * * *", "2025-03-01T12:00:00Z") == "2025-03-01T00:47:00Z");
        CHECK(latest("0 0 * * 7", "2025-06-10T00:00:00Z") == "2025-06-08T00:00:00Z");
        CHECK(latest("0 0 * * 0", "2025-06-10T00:00:00Z") == "2025-06-08T00:00:00Z");
        CHECK(latest("0 0 * * fri-sun", "2025-06-10T00:00:00Z") == "2025-06-08T00:00:00Z");
        CHECK(latest("0 0 * * FRI-0", "2025-06-06T00:00:00Z") == "2025-06-06T00:00:00Z");
        CHECK(latest("0  0\t* * 3", "2025-06-10T00:00:00Z") == "2025-06-04T00:00:00Z");
    }

    TEST_CASE("where day and weekday both leave some out, one of the two is enough") {
        CHECK(latest("0 0 13 * FRI", "2025-06-12T00:00:00Z") == "2025-06-06T00:00:00Z"); // a Friday
        CHECK(latest("0 0 10 * FRI", "2025-06-12T00:00:00Z") == "2025-06-10T00:00:00Z"); // the 10th
        CHECK(latest("0 0 10 * *", "2025-06-12T00:00:00Z") == "2025-06-10T00:00:00Z");
        CHECK(latest("0 0 * * FRI", "2025-06-12T00:00:00Z") == "2025-06-06T00:00:00Z");
        CHECK(latest("0 0 1-31 * FRI", "2025-06-12T00:00:00Z") == "2025-06-06T00:00:00Z"); // leaves none out
        CHECK(latest("0 0 10 * 0-7", "2025-06-12T00:00:00Z") == "2025-06-10T00:00:00Z");
        CHECK(latest("0 0 31 6 FRI", "2025-06-12T00:00:00Z") == "2025-06-06T00:00:00Z"); // June has no 31st
    }

    TEST_CASE("an error names the field and the column") {
        for (const broken_case& c : std::array<broken_case, 24>{{{"", "minute:1"},
                                                                 {"60 * * * *", "minute:1"},
                                                                 {"0 24 * * *", "hour:3"},
                                                                 {"0 0 0 * *", "day:5"},
                                                                 {"0 0 32 * *", "day:5"},
                                                                 {"0 0 * 13 *", "month:7"},
                                                                 {"0 0 * FOO *", "month:7"},
                                                                 {"0 0 * * 8", "weekday:9"},
                                                                 {"0 0 * * MONDAY", "weekday:12"},
                                                                 {"0 0 * *", "weekday:8"},
                                                                 {"0 0 * * * *", "11"},
                                                                 {"5-3 * * * *", "minute:3"},
                                                                 {"*/0 * * * *", "minute:3"},
                                                                 {"*/ * * * *", "minute:3"},
                                                                 {"1, * * * *", "minute:3"},
                                                                 {"1,,2 * * * *", "minute:3"},
                                                                 {"1- * * * *", "minute:3"},
                                                                 {"-1 * * * *", "minute:1"},
                                                                 {"1-5-9 * * * *", "minute:4"},
                                                                 {"** * * * *", "minute:2"},
                                                                 {"99999999999999999999 * * * *", "minute:1"},
                                                                 {"@daily", "minute:1"},
                                                                 {"0 0 L * *", "day:5"},
                                                                 {"0 0 31 2,4 *", "day"}}}) {
            INFO(std::string{c.start});
            const auto schedule = rh::parse_cron(c.start);
            REQUIRE_FALSE(schedule.has_value());
            CHECK(schedule.error().where == c.where);
            CHECK_FALSE(schedule.error().message.empty());
        }
        CHECK(rh::parse_cron("*/1000 * * * *").has_value()); // the first value only
        CHECK(rh::parse_cron(" 0 0 1 1 * ").has_value());
    }

    TEST_CASE("a time zone is a fixed offset; the name of a place is refused") {
        const auto offset = [](std::string_view text) {
            const auto read = rh::parse_utc_offset(text);
            return read ? *read : minutes{-9999};
        };
        for (const std::string_view none : {"", "UTC", "utc", "Z", "z", "GMT", "Gmt", "UTC+0", "+00:00", "-00:00"}) {
            INFO(std::string{none});
            CHECK(offset(none) == 0min);
        }
        CHECK(offset("+02:00") == 120min);
        CHECK(offset("-0530") == -330min);
        CHECK(offset("+5") == 300min);
        CHECK(offset("UTC+2") == 120min);
        CHECK(offset("gmt-03:30") == -210min);
        CHECK(offset("+14:00") == 840min);
        for (const std::string_view broken :
             {"+14:01", "+2:", "+2:5", "+02:60", "+", "UTC2", "UTC+", "+02:00x", "+123"}) {
            INFO(std::string{broken});
            const auto read = rh::parse_utc_offset(broken);
            REQUIRE_FALSE(read.has_value());
            CHECK(read.error().code != rh::errc::unsupported);
            CHECK(read.error().where == "timezone");
        }
        for (const std::string_view place : {"Europe/Vienna", "US/Pacific", "CET", "Zulu", "Etc/GMT+2"}) {
            INFO(std::string{place});
            const auto read = rh::parse_utc_offset(place);
            REQUIRE_FALSE(read.has_value());
            CHECK(read.error().code == rh::errc::unsupported);
        }
        CHECK(rh::parse_time_constraint("x", 1h, "").error().where == "minute:1");
        CHECK(rh::parse_time_constraint("* * * * *", 1h, "CET").error().code == rh::errc::unsupported);
        CHECK(rh::parse_time_constraint("* * * * *", -1s, "").error().where == "duration");
    }

    TEST_CASE("the ends of time") {
        const auto yearly = rh::parse_time_constraint("0 0 1 1 *", 24h, "+14:00");
        REQUIRE(yearly.has_value());
        CHECK_FALSE(yearly->inside((rh::time_point::min)()));
        CHECK_FALSE(yearly->inside((rh::time_point::max)()));
        CHECK_FALSE(rh::parse_cron("0 0 1 1 *")->latest(minutes{-200'000'000}).has_value());
    }

    TEST_CASE("parse_time reads what format_time writes, and offsets") {
        CHECK(rh::format_time(at("2026-11-23T21:30:00Z")) == "2026-11-23T21:30:00Z");
        CHECK(rh::format_time(at("2026-11-23 21:30:00.25")) == "2026-11-23T21:30:00.25Z");
        CHECK(rh::format_time(at("2026-11-23T21:30:00.1234567891Z")) == "2026-11-23T21:30:00.123456789Z");
        CHECK(rh::format_time(at("2026-01-01T01:30:00+02:00")) == "2025-12-31T23:30:00Z");
        CHECK(rh::format_time(at("2026-01-01T01:30:00-0130")) == "2026-01-01T03:00:00Z");
        CHECK(rh::format_time(at("2026-01-01T01:30:00+02")) == "2025-12-31T23:30:00Z");
        CHECK(at("1969-12-31T23:59:59Z") == rh::time_point{-1s});
        for (const std::string_view broken : {"",
                                              "2026",
                                              "2026-11-23",
                                              "2026-02-30T00:00:00Z",
                                              "2026-13-01T00:00:00",
                                              "2026-00-01T00:00:00",
                                              "2026-11-23T24:00:00Z",
                                              "2026-11-23T23:60:00Z",
                                              "2026-11-23T23:59:60Z",
                                              "2026-11-23T23:59Z",
                                              "2026-11-23T23:59:00.Z",
                                              "2026-11-23T23:59:00Zx",
                                              "2026-11-23T23:59:00+2",
                                              "2026-11-23T23:59:00+02:",
                                              "2026-11-23T23:59:00+24:00",
                                              "2026-11-23t23:59:00",
                                              "1600-01-01T00:00:00Z",
                                              "2300-01-01T00:00:00Z",
                                              "20261123T235900Z",
                                              "2026-11-23T23:59:00 UTC"}) {
            INFO(std::string{broken});
            CHECK_FALSE(rh::parse_time(broken).has_value());
        }
    }
}
