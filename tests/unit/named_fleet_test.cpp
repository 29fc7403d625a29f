// SPDX-License-Identifier: MIT
#include <reheat/alarm/named_fleet.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

#include <set>

namespace rh = reheat;
using namespace std::chrono_literals;
using support::dice;
using support::start;

namespace {

constexpr auto silent = rh::heartbeat_alarm{.period = 60s, .grace = 0s}.rule();
using hosts = rh::named_fleet<std::remove_const_t<decltype(silent)>>;

} // namespace

TEST_SUITE("named fleet") {
    TEST_CASE("a target is found by its name, and a transition names it") {
        hosts all{silent};
        const auto a = all.watch("db-1", start);
        const auto b = all.watch("db-2", start);
        REQUIRE(a);
        REQUIRE(b);
        CHECK(all.find("db-1") == *a);
        CHECK(all.push("db-1", start + 1s, 1));
        CHECK_FALSE(all.push("db-3", start + 1s, 1));
        std::vector<rh::transition> out;
        all.rows().evaluate(0, start + 60s, out);
        REQUIRE(out.size() == 2);
        CHECK(all.name(out[0]) == "db-1");
        CHECK(out[0].to == rh::alarm_state::ok);
        CHECK(all.name(out[1]) == "db-2");
        CHECK(out[1].to == rh::alarm_state::alarm);
    }

    TEST_CASE("names that can not be") {
        hosts all{silent};
        REQUIRE(all.watch("db-1", start));
        CHECK(all.watch("db-1", start).error().code == rh::errc::already_exists);
        CHECK(all.watch("", start).error().code == rh::errc::invalid_argument);
        CHECK(all.watch(std::string(256, 'a'), start).error().code == rh::errc::invalid_argument);
        CHECK(all.watch(std::string(255, 'a'), start));
        CHECK_FALSE(all.remove("db-9"));
        CHECK(all.remove("db-1"));
        CHECK_FALSE(all.remove("db-1"));
        CHECK(all.watch("db-1", start));
    }

    TEST_CASE("names come and go, and each finds its own row") {
        constexpr std::uint64_t seed = 77;
        CAPTURE(seed);
        dice d{seed};
        hosts all{silent};
        std::map<std::string, rh::row_handle> naive;
        for (int n = 0; n < 30'000; ++n) {
            const std::string name = "host-" + std::to_string(d.below(700));
            const auto found = naive.find(name);
            if (d.below(2) == 0) {
                const auto made = all.watch(name, start);
                REQUIRE(made.has_value() == (found == naive.end()));
                if (made) naive[name] = *made;
            } else {
                REQUIRE(all.remove(name) == (found != naive.end()));
                if (found != naive.end()) naive.erase(found);
            }
            const std::string other = "host-" + std::to_string(d.below(700));
            const auto expected = naive.find(other);
            if (expected == naive.end()) REQUIRE_FALSE(all.holds(all.find(other)));
            else REQUIRE(all.find(other) == expected->second);
        }
        for (const auto& [name, handle] : naive) REQUIRE(all.name(handle.row) == name);
        CHECK(all.rows().size() == naive.size());
        CHECK(all.bytes() < 300'000); // what is gone leaves no names behind
    }
}
