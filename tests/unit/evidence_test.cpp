// SPDX-License-Identifier: MIT
#include "recovery_support.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string_view>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::health;
using rh::vantage;
using rh::vantage_set;
using support::start;

namespace {

constexpr vantage_set none = vantage_set::none;
constexpr vantage_set guest = none | vantage::guest_heartbeat;
constexpr vantage_set driver = none | vantage::driver_status;
constexpr vantage_set cloud = none | vantage::cloud_event;

/// Polls as letters: u unhealthy, h healthy, ? unknown.
rh::testimony polled(std::string_view polls, const rh::evidence_rules& rules = {}) {
    rh::testimony t;
    for (const char c : polls)
        t.poll(c == 'u' ? health::unhealthy : c == 'h' ? health::healthy : health::unknown, start, rules);
    return t;
}

struct poll_case {
    std::string_view polls;
    health says;
};
struct weight_case {
    vantage_set unhealthy;
    vantage_set running;
    unsigned asked;
    rh::single_vantage alone;
    rh::attested is;
};
struct place_case {
    rh::placement witness;
    rh::placement target;
    bool independent;
};

} // namespace

TEST_SUITE("evidence") {
    TEST_CASE("every health and every vantage has a name of its own") {
        std::set<std::string_view> names;
        for (const health h : {health::unknown, health::healthy, health::unhealthy}) names.insert(to_string(h));
        for (std::size_t v = 0; v < rh::vantage_count; ++v) names.insert(to_string(static_cast<vantage>(v)));
        CHECK(names.size() == 3 + rh::vantage_count);
    }

    TEST_CASE("a vantage that has not spoken says nothing") {
        const rh::testimony t;
        CHECK(t.says(start, 5min) == health::unknown);
        CHECK(t.at() == (rh::time_point::min)());
        CHECK(t.ages(5min) == rh::never);
    }

    TEST_CASE("a single statement stands until it is taken back") {
        rh::testimony t;
        t.state(health::unhealthy, start);
        CHECK(t.says(start + 24h * 365, 5min) == health::unhealthy);
        CHECK(t.ages(5min) == rh::never);
        CHECK(t.at() == start);
        t.state(health::healthy, start + 1h);
        CHECK(t.says(start + 1h, 5min) == health::healthy);
        t.state(health::unknown, start + 2h);
        CHECK(t.says(start + 2h, 5min) == health::unknown);
    }

    TEST_CASE("of a polled series 7 of the last 10 have to say unhealthy; a healthy one is believed while fewer do") {
        const poll_case cases[] = {
            {"u", health::unknown},
            {"h", health::healthy},
            {"?", health::unknown},
            {"uuuuuu", health::unknown},
            {"uuuuuuu", health::unhealthy},
            {"uuuuuuuh", health::unhealthy},
            {"uuuuuuuhhh", health::unhealthy}, // 7 of the last 10
            {"uuuuuuuhhhh", health::healthy},  // 6 of the last 10
            {"uuuuuuuhhh?", health::unknown},
            {"hhhuuuuuuu", health::unhealthy},
            {"uhuhuhuhuhuhuh", health::healthy},
            {"uuhuuhuuhu", health::unhealthy},
            {"uuhuuhuuh?", health::unknown}, // unknown is no third of a vote
            {"uuh", health::healthy},
        };
        for (const poll_case& c : cases) {
            CAPTURE(c.polls);
            CHECK(polled(c.polls).says(start, 5min) == c.says);
        }
    }

    TEST_CASE("M and N are the policy's; more than 16 polls are not kept") {
        CHECK(polled("u", {.polls = 1, .unhealthy_polls = 1}).says(start, 5min) == health::unhealthy);
        CHECK(polled("uh", {.polls = 1, .unhealthy_polls = 1}).says(start, 5min) == health::healthy);
        CHECK(polled("uuhh", {.polls = 3, .unhealthy_polls = 2}).says(start, 5min) == health::healthy);
        CHECK(polled("uuh", {.polls = 3, .unhealthy_polls = 2}).says(start, 5min) == health::unhealthy);
        const rh::evidence_rules wide{.polls = 255, .unhealthy_polls = 16};
        CHECK(polled("uuuuuuuuuuuuuuuu", wide).says(start, 5min) == health::unhealthy);
        CHECK(polled("uuuuuuuuuuuuuuuuh", wide).says(start, 5min) == health::healthy);
        CHECK(polled("uuuuuuuuuuuuuuu", wide).says(start, 5min) == health::unknown);
    }

    TEST_CASE("a series that stops says nothing once it is old, and tells when") {
        const rh::testimony t = polled("uuuuuuu");
        CHECK(t.ages(5min) == start + 5min);
        CHECK(t.says(start + 5min, 5min) == health::unhealthy);
        CHECK(t.says(start + 5min + 1ns, 5min) == health::unknown);
        CHECK(polled("?").ages(5min) == rh::never); // what says nothing can not grow old
    }

    TEST_CASE("a statement after a series forgets the series") {
        rh::testimony t = polled("uuuuuu");
        t.state(health::healthy, start);
        CHECK(t.says(start + 1h, 5min) == health::healthy);
        t.poll(health::unhealthy, start, {});
        CHECK(t.says(start, 5min) == health::unknown);
    }

    TEST_CASE("a passing statement grows old") {
        rh::testimony t;
        t.pass(health::unhealthy, start);
        CHECK(t.says(start + 5min, 5min) == health::unhealthy);
        CHECK(t.says(start + 5min + 1ns, 5min) == health::unknown);
        CHECK(t.ages(5min) == start + 5min);
    }

    TEST_CASE("a set of vantages holds each once") {
        CHECK(count(none) == 0);
        CHECK(count(guest | vantage::guest_heartbeat) == 1);
        CHECK(count(guest | driver) == 2);
        CHECK((guest | driver) - guest == driver);
        CHECK(guest - driver == guest);
        CHECK(has(guest | driver, vantage::driver_status));
        CHECK_FALSE(has(guest | driver, vantage::cloud_event));
    }

    TEST_CASE("the observer doubts itself when it comes later than it wanted to") {
        const rh::self_doubt usual;
        CHECK_FALSE(usual.raised(start, start - 1h));
        CHECK_FALSE(usual.raised(start, start + 5s));
        CHECK(usual.raised(start, start + 5s + 1ns));
        CHECK_FALSE(usual.raised(rh::never, start));
        CHECK_FALSE(rh::self_doubt{.on = false}.raised(start, start + 1h));
        CHECK(rh::self_doubt{.most_late = 1s}.raised(start, start + 2s));
    }
}

TEST_SUITE("corroboration") {
    TEST_CASE("two independent vantages, or what the policy says of one alone") {
        using rh::attested;
        using rh::single_vantage;
        const weight_case cases[] = {
            {guest | driver, none, 2, single_vantage::wait, attested::enough},
            {guest, none, 2, single_vantage::fence_first, attested::enough},
            {guest, none, 2, single_vantage::act, attested::enough},
            {guest, none, 2, single_vantage::wait, attested::one_vantage},
            {guest, driver, 2, single_vantage::fence_first, attested::contradicted},
            {guest, driver, 2, single_vantage::act, attested::contradicted},
            {guest, driver, 2, single_vantage::wait, attested::contradicted},
            {guest | driver, cloud, 2, single_vantage::wait, attested::enough},
            {guest, guest, 2, single_vantage::fence_first, attested::enough}, // it does not contradict itself
            {guest, none, 1, single_vantage::wait, attested::enough},
            {guest | driver, none, 3, single_vantage::wait, attested::one_vantage},
            {guest | driver, cloud, 3, single_vantage::fence_first, attested::contradicted},
            {guest | driver | cloud, none, 3, single_vantage::wait, attested::enough},
        };
        for (const weight_case& c : cases) {
            CAPTURE(static_cast<unsigned>(c.unhealthy));
            CAPTURE(static_cast<unsigned>(c.running));
            CAPTURE(c.asked);
            const rh::evidence_rules rules{.vantages = static_cast<std::uint8_t>(c.asked), .alone = c.alone};
            CHECK(corroborate(c.unhealthy, c.running, rules) == c.is);
        }
    }

    TEST_CASE("a neighbour counts from another failure domain, as far up as both are known") {
        const place_case cases[] = {
            {{1, 0, 0}, {2, 0, 0}, true},  // other host
            {{1, 0, 0}, {1, 0, 0}, false}, // same host
            {{1, 5, 0}, {2, 5, 0}, false}, // same rack: they would only ask each other
            {{1, 5, 0}, {2, 6, 0}, true},  // other rack
            {{1, 5, 8}, {2, 5, 9}, true},  // racks of one name in two zones
            {{1, 5, 8}, {2, 5, 8}, false}, {{1, 5, 8}, {2, 6, 8}, true},
            {{1, 0, 8}, {2, 0, 8}, false}, // same zone, racks unknown
            {{1, 0, 8}, {2, 0, 9}, true},  {{1, 5, 8}, {2, 0, 9}, true},
            {{1, 5, 8}, {2, 0, 8}, false}, {{1, 5, 0}, {2, 0, 9}, true}, // only the hosts of both are known
            {{0, 0, 0}, {2, 0, 0}, false},                               // a neighbour of unknown place
            {{1, 0, 0}, {0, 0, 0}, false}, {{0, 0, 0}, {0, 0, 0}, false},
        };
        for (const place_case& c : cases) {
            CAPTURE(c.witness.host);
            CAPTURE(c.witness.rack);
            CAPTURE(c.witness.zone);
            CAPTURE(c.target.rack);
            CAPTURE(c.target.zone);
            CHECK(independent(c.witness, c.target) == c.independent);
        }
    }
}
