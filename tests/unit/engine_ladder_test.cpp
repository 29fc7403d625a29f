// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <doctest/doctest.h>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::health;
using rh::operation;
using rh::reason;
using support::bench;
using support::wiki;

TEST_SUITE("engine: ladder") {
    TEST_CASE("attempts, then the next rung, then parked with a page; slowly again later") {
        wiki w{rh::ladder{rh::reboot_instance{.attempts = 2}}.lowered()};
        w.fail(w.db);
        for (int hour = 0; hour < 3; ++hour) {
            if (w.e.incident_of(w.db)->at == rh::phase::acting) w.answer(rh::outcome::failed("no"));
            w.step();
            REQUIRE(w.run_for(20min));
        }
        CHECK(w.count(operation::reboot_instance) == 2);
        CHECK(w.told(decision::park, reason::ladder_exhausted) >= 1);
        CHECK(w.told(decision::page, reason::ladder_exhausted) == w.told(decision::park, reason::ladder_exhausted));
        REQUIRE(w.run_for(2h));
        CHECK(w.told(decision::release, reason::parked_retry) >= 1);
        CHECK(w.count(operation::reboot_instance) > 2); // the budget of the hour is free again
        w.sees(w.db, health::healthy);
        w.step();
        CHECK(w.e.incident_of(w.db) == nullptr);
    }

    TEST_CASE("a budget is kept by the target, over incidents") {
        rh::policy rules = rh::ladder{rh::reboot_instance{.attempts = 2, .within = 1h}}.lowered();
        rules.probation = rules.stable = 0s;
        wiki w{rules};
        for (int n = 0; n < 5; ++n) {
            w.fail(w.db);
            if (!w.calls.empty()) w.answer(rh::outcome::done());
            w.sees(w.db, health::healthy);
            w.step();
            REQUIRE(w.run_for(2min));
        }
        CHECK(w.count(operation::reboot_instance) == 2);
        CHECK(w.told(decision::climb, reason::budget_spent) == 3);
    }

    TEST_CASE("an incident below an action is absorbed, and verified with it") {
        wiki w;
        w.sees(w.mysqld, health::unhealthy);
        w.sees(w.db, health::unhealthy);
        w.step();
        REQUIRE(w.calls.size() == 1);
        CHECK(w.calls[0].what.what == operation::restart_service);
        CHECK(w.e.incident_of(w.db)->at == rh::phase::deciding); // one action at a time
        CHECK((w.e.incident_of(w.db)->denied & 1U << static_cast<unsigned>(rh::guard::busy)) != 0);

        wiki up;
        up.fail(up.db);
        REQUIRE(up.calls.size() == 1);
        up.fail(up.mysqld); // its own action caused that
        CHECK(up.e.incident_of(up.mysqld)->at == rh::phase::absorbed);
        up.answer(rh::outcome::done());
        up.sees(up.db, health::healthy);
        up.step();
        CHECK(up.e.open_incidents() == 2); // the service is not well yet
        up.sees(up.mysqld, health::healthy);
        up.step();
        CHECK(up.e.open_incidents() == 0);
        CHECK(up.calls.size() == 1);
        CHECK(up.told(decision::recover, reason::verified) == 2);
    }

    TEST_CASE("what an action did not help goes on by itself") {
        wiki w;
        w.fail(w.db);
        w.fail(w.mysqld);
        w.answer(rh::outcome::done());
        w.sees(w.db, health::healthy);
        REQUIRE(w.run_for(13min)); // the verify time of a reboot is over
        CHECK(w.e.incident_of(w.db) == nullptr);
        REQUIRE(w.e.incident_of(w.mysqld) != nullptr);
        CHECK(w.count(operation::restart_service) >= 1);
    }

    TEST_CASE("pauses of zero do not become an endless loop") {
        rh::policy rules =
            rh::ladder{rh::reboot_instance{.attempts = 3, .within = 0s, .sustained = {3, 0s}, .timeout = 0s}}.lowered();
        rules.retry_parked = 0s;
        wiki w{rules, support::at_once({.proof_validity = 0s, .read_back_every = 0s, .page_after = 0s})};
        w.sees(w.db, health::unhealthy);
        CHECK(w.run_for(10min));
        CHECK_FALSE(w.endless);

        rh::policy none;
        none.retry_parked = 0s;
        wiki parked{none};
        parked.sees(parked.db, health::unhealthy);
        CHECK(parked.run_for(1min));
        CHECK_FALSE(parked.endless);

        wiki empty{rh::policy{}};
        empty.sees(empty.db, health::unhealthy);
        CHECK(empty.run_for(2h));
        CHECK(empty.told(decision::page, reason::ladder_exhausted) == 5);

        wiki fenced{
            rh::ladder{rh::recreate_instance{.attempts = 60000, .within = 0s, .sustained = {60000, 0s}}}.lowered(),
            support::at_once({.proof_validity = 0s})};
        fenced.sees(fenced.db, health::unhealthy);
        CHECK(fenced.run_for(2h));
    }

    TEST_CASE("proofs that expire at once do not become an endless loop of fences") {
        wiki w{rh::ha_restarter.lowered(), support::at_once({.proof_validity = 0s})};
        w.slow = true;
        w.sees(w.db, health::unhealthy);
        for (int n = 0; n < 100; ++n) {
            w.e.durable(w.records.back().seq);
            w.step();
            if (!w.calls.empty() && w.calls.back().what.what == operation::fence_instance)
                w.answer(rh::outcome::done());
        }
        CHECK(w.count(operation::fence_instance) == 1);
        CHECK(w.count(operation::recreate_instance) == 1);
    }

    TEST_CASE("a long wait is paged also while a fence is under way") {
        wiki w{rh::ladder{rh::recreate_instance{.approval = rh::required}}.lowered()};
        w.fail(w.db);
        REQUIRE(w.run_for(9min + 30s)); // nobody approves
        w.e.operate({.target = w.db, .who = "ann"}, w.now);
        w.step();
        REQUIRE(w.count(operation::fence_instance) == 1);
        CHECK(w.run_for(2min)); // the fence does not answer
        CHECK(w.told(decision::page, reason::waited_long) == 1);
    }

    TEST_CASE("an approval counts for who is meant, for the rung that waits, until it expires") {
        const auto waiting = [] {
            wiki w{rh::ladder{rh::converge_stack{}}.lowered()};
            w.fail(w.db);
            return w;
        };
        wiki w = waiting();
        CHECK(w.told(decision::wait, reason::approval_required) == 1);
        w.e.operate({.target = w.db}, w.now);
        w.e.operate({.target = w.mysqld, .who = "ann"}, w.now);
        w.e.operate({.target = w.db, .who = "ann", .expires = w.now}, w.now);
        w.step();
        CHECK(w.told(decision::ignore, reason::not_understood) == 1); // nobody's word
        CHECK(w.told(decision::ignore, reason::operator_word) == 1);
        CHECK(w.told(decision::ignore, reason::expired) == 1);
        CHECK(w.calls.empty());
        w.e.operate({.target = w.stack, .who = "ann"}, w.now);
        w.step();
        CHECK(w.told(decision::accept, reason::operator_word) == 1);
        CHECK(w.count(operation::fence_instance) == 1); // what it may re-create has to be dead first
        w.answer(rh::outcome::done());
        w.step();
        REQUIRE(w.count(operation::converge_stack) == 1);
        CHECK(w.calls.back().proofs.size() == 1);
        CHECK(w.calls.back().what.stack == "wiki");
    }

    TEST_CASE("a rung that would lose what must be kept, or has nobody to act upon, is skipped with an event") {
        bench w{rh::ladder{rh::restart_service{}, rh::rebuild_instance{}, rh::converge_stack{}}.lowered()};
        const auto vm = w.e.add(rh::instance{.name = "vm", .keep = rh::ephemeral_disk});
        w.sees(*vm, health::unhealthy);
        w.step();
        CHECK(w.calls.empty());
        CHECK(w.told(decision::skip, reason::no_such_ancestor) == 2);
        CHECK(w.told(decision::skip, reason::loses_kept_asset) == 1);
        CHECK(w.told(decision::page, reason::ladder_exhausted) == 1);
    }

    TEST_CASE("an instance is not created while an action on it is under way") {
        wiki w;
        w.e.order_creation(w.db, w.now);
        w.e.order_creation(w.db, w.now);
        w.step();
        CHECK(w.count(operation::create_instance) == 1);
        CHECK(w.told(decision::ignore, reason::busy) == 1);
        w.answer(rh::outcome::done());
        w.step();
        CHECK_FALSE(w.e.targets().busy(w.db));
    }
}
