// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <doctest/doctest.h>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::health;
using rh::operation;
using rh::reason;
using support::start;
using support::wiki;

namespace {

std::string text(const wiki& w) {
    std::string all;
    for (const rh::event& v : w.events) all += to_text(w.e, v) + "\n";
    for (const rh::record& r : w.records)
        all += std::to_string(static_cast<std::uint64_t>(r.seq)) + " " + std::to_string(r.key) + " " + r.name + "\n";
    for (const rh::call& c : w.calls)
        all += std::string{to_string(c.what.what)} + " " + std::string{c.what.name} + "\n";
    return all;
}

/// A day of made-up trouble.
std::string day(std::uint64_t seed) {
    support::dice dice{seed};
    wiki w{rh::three_levels.lowered(), support::at_once({.seed = seed})};
    for (int n = 0; n < 200; ++n) {
        w.run_for(std::chrono::seconds{dice.below(600)});
        switch (dice.below(4)) {
        case 0: w.sees(dice.below(2) == 0 ? w.db : w.mysqld, health::unhealthy); break;
        case 1: w.sees(dice.below(2) == 0 ? w.db : w.mysqld, health::healthy); break;
        case 2:
            if (!w.calls.empty()) w.answer({static_cast<rh::outcome_code>(dice.below(4)), {}, {}, {}});
            break;
        default: w.e.operate({.target = w.stack, .who = "ann"}, w.now); break;
        }
        w.step();
    }
    CHECK_FALSE(w.endless);
    return text(w);
}

} // namespace

TEST_SUITE("engine") {
    TEST_CASE("the same inputs give the same outputs") {
        for (std::uint64_t seed = 1; seed <= 10; ++seed) {
            CAPTURE(seed);
            CHECK(day(seed) == day(seed));
        }
        CHECK(day(1) != day(2));
    }

    TEST_CASE("next() always moves on: no input leads to an endless loop at one time") {
        for (std::uint64_t seed = 100; seed < 130; ++seed) {
            CAPTURE(seed);
            support::dice dice{seed};
            wiki w;
            for (int n = 0; n < 100; ++n) {
                REQUIRE(w.run_for(std::chrono::seconds{dice.below(2000)}));
                const rh::target_id of = dice.below(2) == 0 ? w.db : w.mysqld;
                w.sees(of, static_cast<health>(dice.below(3)));
                w.slow = dice.below(3) == 0;
                if (!w.slow && !w.records.empty()) w.e.durable(w.records.back().seq);
                if (!w.calls.empty() && dice.below(2) == 0)
                    w.answer({static_cast<rh::outcome_code>(dice.below(4)), {}, {}, {}});
            }
        }
    }

    TEST_CASE("an empty engine wants nothing, and a quiet step says nothing") {
        rh::engine e{rh::policy{}};
        CHECK(e.next() == rh::never);
        rh::outputs out;
        e.step(start, out);
        CHECK(out.empty());
        CHECK(e.next() == rh::never);
    }

    TEST_CASE("inputs only record; step alone decides") {
        wiki w;
        w.sees(w.db, health::unhealthy);
        CHECK(w.e.open_incidents() == 0);
        CHECK(w.e.next() <= w.now);
        w.step();
        CHECK(w.e.open_incidents() == 1);
        CHECK(w.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("time that goes back counts as the last time") {
        wiki w;
        w.pass(1h);
        w.at(start);
        CHECK(w.e.now() == start + 1h);
        w.sees(w.db, health::unhealthy);
        w.step();
        for (const rh::event& v : w.events) CHECK(v.at == start + 1h);
    }

    TEST_CASE("of two inputs of one step the later holds") {
        wiki w;
        w.sees(w.db, health::unhealthy);
        w.sees(w.db, health::healthy);
        w.step();
        CHECK(w.calls.empty());
        CHECK(w.e.open_incidents() == 0);
        CHECK(w.told(decision::recover, reason::healthy_again) == 1);

        wiki other;
        other.sees(other.db, health::healthy);
        other.sees(other.db, health::unhealthy);
        other.step();
        CHECK(other.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("unknown is neither up nor down") {
        wiki w;
        w.sees(w.db, health::healthy);
        w.sees(w.db, health::unknown);
        w.step();
        CHECK(w.e.open_incidents() == 0);
        CHECK(w.told(decision::change, reason::observed_unhealthy) == 0);
    }

    TEST_CASE("an overflow of the inbox is our own stall: an event, and nobody's silence") {
        wiki w;
        w.e.overflowed(12, w.now);
        w.step();
        REQUIRE(w.told(decision::ignore, reason::inbox_overflow) == 1);
        const rh::event& v = w.events.back();
        CHECK(v.kind == rh::event_kind::controller);
        CHECK(v.value == 12);
        CHECK(to_text(w.e, v).find("lost=12") != std::string::npos);
        CHECK(to_json(w.e, v).find("\"lost\":12") != std::string::npos);
        CHECK(w.e.open_incidents() == 0);
    }

    TEST_CASE("ids out of range change nothing") {
        wiki w;
        const rh::target_id far{12345};
        w.e.observe({far, rh::vantage::driver_status, health::unhealthy, w.now});
        w.e.observe({rh::no_target, rh::vantage::driver_status, health::unhealthy, w.now});
        w.e.observe({w.db, static_cast<rh::vantage>(200), health::unhealthy, w.now});
        w.e.push(rh::no_watch, w.now, 1);
        w.e.push(rh::watch_id{1}, w.now, 1);
        w.e.use_policy(far, rh::policy_id{});
        w.e.use_policy(w.db, rh::policy_id{77});
        w.e.order_creation(far, w.now);
        w.e.order_creation(w.mysqld, w.now); // not an instance
        w.e.operate({.target = far}, w.now);
        CHECK_FALSE(w.e.watch(far, rh::heartbeat_alarm{}.rule(), w.now));
        CHECK(w.e.incident_of(far) == nullptr);
        w.step();
        CHECK(w.calls.empty());
        CHECK(w.e.open_incidents() == 0);
        w.fail(w.db); // the policy is still the first one
        CHECK(w.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("policies are numbered, and there is an end to them") {
        rh::engine e{rh::policy{}};
        for (int n = 1; n <= 0xffff; ++n) REQUIRE(static_cast<int>(*e.add_policy(rh::policy{})) == n);
        CHECK(e.add_policy(rh::policy{}).error().code == rh::errc::limit_exceeded);
    }

    TEST_CASE("an engine can be moved, and goes on") {
        wiki w;
        w.fail(w.db);
        rh::engine moved = std::move(w.e);
        w.e = std::move(moved);
        w.answer(rh::outcome::done());
        w.sees(w.db, health::healthy);
        w.step();
        CHECK(w.e.open_incidents() == 0);
    }

    TEST_CASE("alarms drive incidents: silence raises one, heartbeats end it") {
        wiki w{rh::ladder{rh::reboot_instance{}}.lowered()};
        const auto alarm = w.e.watch(w.db, rh::heartbeat_alarm{.period = 60s}.rule(), w.now);
        w.e.push(*alarm, w.now, rh::heartbeat);
        REQUIRE(w.run_for(60s));
        CHECK(w.e.state(*alarm) == rh::alarm_state::ok);
        CHECK(w.e.incident_of(w.db) == nullptr);
        REQUIRE(w.run_for(60s));
        CHECK(w.e.state(*alarm) == rh::alarm_state::alarm);
        REQUIRE(w.count(operation::reboot_instance) == 1);
        w.answer(rh::outcome::done());
        REQUIRE(w.run_for(30s));
        w.e.push(*alarm, w.now, rh::heartbeat);
        REQUIRE(w.run_for(30s));
        CHECK(w.told(decision::recover, reason::verified) == 1);
        CHECK(w.e.incident_of(w.db) == nullptr);
    }
}
