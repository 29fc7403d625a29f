// SPDX-License-Identifier: MIT
#include <reheat/core/node.hpp>
#include <reheat/core/text.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace rh = reheat;
using namespace std::chrono_literals;

namespace {

struct duration_case {
    std::string_view text;
    rh::duration value;
};

struct format_case {
    rh::duration value;
    std::string_view text;
};

struct time_case {
    rh::time_point value;
    std::string_view text;
};

rh::time_point on(std::chrono::year_month_day date, rh::duration of_day = 0s) {
    return rh::time_point{std::chrono::sys_days{date}.time_since_epoch()} + of_day;
}

/// A small generator, so that the made-up texts are the same on every machine.
struct xorshift {
    std::uint64_t state;
    std::uint64_t next() {
        state ^= state << 13U;
        state ^= state >> 7U;
        state ^= state << 17U;
        return state;
    }
};

} // namespace

TEST_SUITE("core") {
    TEST_CASE("a result holds a value or an error") {
        const rh::result<int> good = 42;
        REQUIRE(good);
        CHECK(*good == 42);
        CHECK(good.value_or(1) == 42);

        const rh::result<int> bad = rh::error{rh::errc::not_found, "$.Resources.Db", "no such resource"};
        REQUIRE_FALSE(bad);
        CHECK_FALSE(bad.has_value());
        CHECK(bad.error().code == rh::errc::not_found);
        CHECK(bad.value_or(1) == 1);
    }

    TEST_CASE("a result can hold what cannot be copied") {
        rh::result<std::unique_ptr<int>> r = std::make_unique<int>(7);
        REQUIRE(r);
        const std::unique_ptr<int> taken = *std::move(r);
        CHECK(*taken == 7);
    }

    TEST_CASE("a result of nothing is a success or an error") {
        const rh::result<void> good;
        CHECK(good);
        rh::result<void> bad = rh::error{rh::errc::io, {}, "the disk is full"};
        REQUIRE_FALSE(bad);
        CHECK(std::move(bad).error().message == "the disk is full");
    }

    TEST_CASE("a result says the arrow of its value") {
        rh::result<std::string> r = std::string{"abc"};
        REQUIRE(r);
        CHECK(r->size() == 3);
        r->push_back('d');
        CHECK(*r == "abcd");
    }

    TEST_CASE("a result is not made from what its value is not made from") {
        CHECK(std::is_constructible_v<rh::result<std::string>, const char*>);
        CHECK_FALSE(std::is_constructible_v<rh::result<int>, std::string>);
        CHECK_FALSE(std::is_convertible_v<rh::result<int>, bool>);
    }

    TEST_CASE("an error reads as place and message, the place only where there is one") {
        CHECK(to_string(rh::error{rh::errc::syntax, "3:7", "expected ','"}) == "3:7: expected ','");
        CHECK(to_string(rh::error{rh::errc::syntax, "", "expected ','"}) == "expected ','");
        CHECK(rh::to_string(rh::errc::limit_exceeded) == "limit_exceeded");
        CHECK(rh::to_string(static_cast<rh::errc>(250)) == "unknown");
    }

    TEST_CASE("time is added up to never and not past it") {
        const rh::time_point start{1h};
        CHECK(rh::after(start, 5s) == start + 5s);
        CHECK(rh::after(start, -5s) == start - 5s);
        CHECK(rh::after(start, rh::duration::max()) == rh::never);
        CHECK(rh::after(rh::never, 1ns) == rh::never);
        CHECK(rh::after(rh::never, 0ns) == rh::never);
    }

    TEST_CASE("a duration is read from numbers with units") {
        const duration_case table[] = {
            {"60s", 60s},
            {"0s", 0s},
            {"1h30m", 90min},
            {"1h30min", 90min},
            {"1.5s", 1500ms},
            {"0.000000001s", 1ns},
            {"0.5us", 500ns},
            {"0.9ns", 0ns},
            {"1.25h", 75min},
            {"2d", 48h},
            {"1d2h3m4s5ms6us7ns", 26h + 3min + 4s + 5ms + 6us + 7ns},
            {"30s30s", 60s},
            {"007s", 7s},
            {"1.0000000009s", 1s}, // finer than a nanosecond is dropped
        };
        for (const duration_case& c : table) {
            CAPTURE(std::string{c.text});
            const auto read = rh::parse_duration(c.text);
            REQUIRE(read);
            CHECK(*read == c.value);
        }
    }

    TEST_CASE("what is not a duration is an error, never another duration") {
        const std::string_view table[] = {"",      "60",   "s",      "-60s", "+60s", " 60s",   "60s ",
                                          "60 s",  "60S",  "60sec",  "60s,", "1h30", ".5s",    "1.s",
                                          "1..5s", "1.5",  "1,5s",   "0x3c", "1e3s", "nan",    "inf",
                                          "infs",  "60µs", "1h-30m", "٣s",   "1h m", "1mins1", "1.5.s"};
        for (const std::string_view text : table) {
            CAPTURE(std::string{text});
            const auto read = rh::parse_duration(text);
            REQUIRE_FALSE(read);
            CHECK(read.error().code == rh::errc::syntax);
        }
        CHECK_FALSE(rh::parse_duration(std::string_view{"60s\0", 4}));
        CHECK_FALSE(rh::parse_duration(std::string_view{"6\0s", 3}));
    }

    TEST_CASE("a duration beyond the longest is an error, however it is written") {
        const std::string_view table[] = {"36501d",
                                          "9223372036854775807ns",
                                          "9223372036854775808ns",
                                          "18446744073709551616ns",
                                          "9999999999999999999999999999999999999999s",
                                          "300000000000000000000ns",
                                          "2838239999999999999999ns",
                                          "20000d20000d",
                                          "106751d23h47m16.854775807s",
                                          "99999999999999999999999999999999999999999.9d"};
        for (const std::string_view text : table) {
            CAPTURE(std::string{text});
            CHECK_FALSE(rh::parse_duration(text));
        }
        std::string many;
        for (int i = 0; i < 100'000; ++i) many += "1d";
        CHECK_FALSE(rh::parse_duration(many));
        CHECK_FALSE(rh::parse_duration(std::string(1U << 20U, '9') + "s"));
        CHECK(rh::parse_duration("0." + std::string(1U << 20U, '0') + "s"));
    }

    TEST_CASE("an error about a text quotes a bounded part of it") {
        const auto read = rh::parse_duration(std::string(1U << 20U, 'x'));
        REQUIRE_FALSE(read);
        CHECK(read.error().message.size() < 200);
    }

    TEST_CASE("a duration is written in its largest whole units") {
        const format_case table[] = {{0s, "0s"},
                                     {90s, "1m30s"},
                                     {1h, "1h"},
                                     {1500ms, "1.5s"},
                                     {1ns, "0.000000001s"},
                                     {26h, "1d2h"},
                                     {-90s, "-1m30s"},
                                     {24h + 1ms, "1d0.001s"},
                                     {60s, "1m"},
                                     {59s, "59s"},
                                     {-1ns, "-0.000000001s"},
                                     {365 * 24h, "365d"},
                                     {61min + 1s, "1h1m1s"}};
        for (const format_case& c : table) CHECK(rh::format_duration(c.value) == c.text);
        CHECK(rh::format_duration(rh::duration::min()) == "-106751d23h47m16.854775808s");
        CHECK(rh::format_duration(rh::duration::max()) == "106751d23h47m16.854775807s");
    }

    TEST_CASE("what is written is read back the same") {
        xorshift random{0x9e37'79b9'7f4a'7c15U};
        for (int i = 0; i < 20'000; ++i) {
            const auto bits = random.next() >> (random.next() % 40U + 3U); // of every magnitude below 73 years
            const rh::duration d{static_cast<std::int64_t>(bits)};
            const auto read = rh::parse_duration(rh::format_duration(d));
            REQUIRE(read);
            REQUIRE(*read == d);
        }
    }

    TEST_CASE("no text makes the reader do harm") {
        constexpr std::string_view alphabet = "0123456789.smhdnu-+ e\xff";
        xorshift random{42};
        for (int i = 0; i < 50'000; ++i) {
            std::string text;
            for (auto left = random.next() % 40U; left > 0; --left) text += alphabet[random.next() % alphabet.size()];
            if (const auto read = rh::parse_duration(text)) REQUIRE(*read >= 0ns);
        }
    }

    TEST_CASE("a time is written as ISO 8601 in UTC") {
        using namespace std::chrono;
        const time_case table[] = {
            {rh::time_point{}, "1970-01-01T00:00:00Z"},
            {on(2026y / November / 23, 21h + 30min), "2026-11-23T21:30:00Z"},
            {on(2026y / November / 23, 21h + 30min + 250ms), "2026-11-23T21:30:00.25Z"},
            {on(2024y / February / 29, 23h + 59min + 59s + 999'999'999ns), "2024-02-29T23:59:59.999999999Z"},
            {on(2000y / March / 1), "2000-03-01T00:00:00Z"},
            {on(1969y / December / 31, 24h - 1ns), "1969-12-31T23:59:59.999999999Z"},
            {rh::never, "2262-04-11T23:47:16.854775807Z"},
            {rh::time_point::min(), "1677-09-21T00:12:43.145224192Z"},
        };
        for (const time_case& c : table) CHECK(rh::format_time(c.value) == c.text);
    }

    TEST_CASE("a node keeps its kind, its text, and the order of its members") {
        CHECK(rh::node{}.is_null());
        CHECK_FALSE(rh::node{}.is_scalar());
        CHECK(rh::node::boolean(true).text() == "true");
        CHECK(rh::node::boolean(false).text() == "false");
        CHECK(rh::node::number("1e400").text() == "1e400"); // no number type of ours rounds it
        CHECK(rh::node::string("x").is_string());
        CHECK(rh::to_string(rh::node::array().type()) == "a list");

        const rh::node n = rh::node::object({{"b", rh::node::number("1")}, {"a", rh::node::array({rh::node{}})}});
        REQUIRE(n.is_object());
        REQUIRE(n.members().size() == 2);
        CHECK(n.members()[0].first == "b");
        REQUIRE(n.find("a") != nullptr);
        CHECK(n.find("a")->items().size() == 1);
        CHECK(n.find("c") == nullptr);
        CHECK(rh::node::string("x").find("a") == nullptr);
        CHECK(rh::node::string("1") != rh::node::number("1"));
    }

    TEST_CASE("a copy of a node is its own") {
        rh::node first = rh::node::object({{"a", rh::node::string("1")}});
        const rh::node copy = first;
        first.members()[0].second = rh::node::string("2");
        CHECK(copy.find("a")->text() == "1");
        CHECK(first != copy);
    }
}
