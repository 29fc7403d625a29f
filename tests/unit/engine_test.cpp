// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::health;
using rh::operation;
using rh::reason;
using support::bench;
using support::start;

namespace {

/// A service on an instance in a stack, under the three levels unless told otherwise.
struct wiki : bench {
    explicit wiki(const rh::policy& rules = rh::three_levels.lowered(), rh::engine_options options = {})
        : bench{rules, options}, db{*e.add(rh::instance{.name = "db-1", .stack = "wiki", .keep = rh::volumes})},
          mysqld{*e.add(rh::service{.name = "mysqld", .on = db})}, stack{e.find(rh::level::stack, "wiki")} {
        step();
    }
    /// The instance is unhealthy and its first call is out.
    void fail(rh::target_id what) {
        sees(what, health::unhealthy);
        step();
    }

    rh::target_id db;
    rh::target_id mysqld;
    rh::target_id stack;
};

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
    wiki w{rh::three_levels.lowered(), {.seed = seed}};
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
                w.sees(dice.below(2) == 0 ? w.db : w.mysqld, static_cast<health>(dice.below(3)));
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

    TEST_CASE("a call is never made before its intent is durable") {
        wiki w;
        w.slow = true;
        w.fail(w.db);
        const rh::record intent = w.records.back();
        REQUIRE(intent.kind == rh::record_kind::intent);
        CHECK(w.calls.empty());
        w.pass(1min);
        CHECK(w.calls.empty());
        w.e.durable(rh::sequence{static_cast<std::uint64_t>(intent.seq) - 1});
        w.step();
        CHECK(w.calls.empty());
        w.e.durable(intent.seq);
        CHECK(w.e.next() <= w.now);
        w.step();
        REQUIRE(w.calls.size() == 1);
        CHECK(w.calls[0].what.op == intent.op);
        CHECK(w.calls[0].what.key == intent.key);
        CHECK(w.calls[0].what.deadline == w.now + 5min); // counted from the call, not from the intent
    }

    TEST_CASE("a journal can not promise what it has not been given") {
        wiki w;
        w.slow = true;
        w.e.durable(rh::sequence{1'000'000});
        w.fail(w.db);
        CHECK(w.calls.empty());
        w.e.durable(w.records.back().seq);
        w.e.durable(rh::sequence{1}); // it does not go back either
        w.step();
        CHECK(w.calls.size() == 1);
    }

    TEST_CASE("what got well while the journal wrote is dropped, not called") {
        wiki w;
        w.slow = true;
        w.fail(w.db);
        w.sees(w.db, health::healthy);
        w.e.durable(w.records.back().seq);
        w.step();
        CHECK(w.calls.empty());
        CHECK(w.told(decision::drop, reason::healthy_again) == 1);
        CHECK(std::count_if(w.records.begin(), w.records.end(),
                            [](const rh::record& r) { return r.kind == rh::record_kind::dropped; }) == 1);
        CHECK(w.e.open_incidents() == 0);
        CHECK_FALSE(w.e.targets().busy(w.db));
    }

    TEST_CASE("a proof that expired while the journal wrote is no proof") {
        wiki w{rh::ha_restarter.lowered()};
        w.fail(w.db);
        REQUIRE(w.count(operation::fence_instance) == 1);
        w.slow = true;
        w.answer(rh::outcome::done());
        w.step();
        w.pass(10min);
        w.e.durable(w.records.back().seq);
        w.step();
        CHECK(w.count(operation::recreate_instance) == 0);
        CHECK(w.told(decision::drop, reason::proof_expired) == 1);

        // Nothing was done, so nothing was spent: the fence comes again, the long wait is paged.
        w.slow = false;
        w.e.durable(w.records.back().seq);
        w.step();
        CHECK(w.told(decision::page, reason::waited_long) == 1);
        REQUIRE(w.count(operation::fence_instance) == 2);
        w.answer(rh::outcome::done());
        w.step();
        CHECK(w.count(operation::recreate_instance) == 1);
    }

    TEST_CASE("an intent that is taken back gives back its budget, also when the journal was reopened in between") {
        wiki w{rh::ladder{rh::reboot_instance{.attempts = 1}}.lowered()};
        w.slow = true;
        w.fail(w.db);
        w.e.journal_failed();
        w.pass(1min);
        w.e.journal_reopened();
        w.step();
        w.sees(w.db, health::healthy);
        w.e.durable(w.records.back().seq);
        w.step();
        REQUIRE(w.told(decision::drop, reason::healthy_again) == 1);
        w.slow = false;
        w.fail(w.db);
        CHECK(w.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("the fence comes first, and the proof names incident and target") {
        wiki w{rh::ha_restarter.lowered()};
        w.fail(w.db);
        REQUIRE(w.calls.size() == 1);
        CHECK(w.calls[0].what.what == operation::fence_instance);
        CHECK(w.calls[0].proofs.empty());
        w.answer(rh::outcome::done());
        w.step();
        REQUIRE(w.calls.size() == 2);
        const rh::call& c = w.calls[1];
        CHECK(c.what.what == operation::recreate_instance);
        REQUIRE(c.proofs.size() == 1);
        CHECK(c.proofs[0].kind() == rh::proof_kind::fenced);
        CHECK(c.proofs[0].speaks_for(c.incident, w.db, w.now));
        CHECK_FALSE(c.proofs[0].speaks_for(c.incident, w.mysqld, w.now));
        CHECK_FALSE(c.proofs[0].speaks_for(rh::incident_id{99}, w.db, w.now));
        CHECK_FALSE(c.proofs[0].speaks_for(c.incident, w.db, w.now + 10min));
        CHECK_FALSE(c.proofs[0].speaks_for(c.incident, rh::no_target, w.now));
    }

    TEST_CASE("only a fence that says done makes a proof") {
        for (const auto code : {rh::outcome_code::failed, rh::outcome_code::refused, rh::outcome_code::unknown}) {
            CAPTURE(to_string(code));
            wiki w{rh::ha_restarter.lowered()};
            w.fail(w.db);
            rh::outcome o{code, {}, {}, {}};
            o.seen.running = false; // what is seen is no proof
            w.answer(o);
            w.step();
            if (code == rh::outcome_code::unknown) {
                REQUIRE(w.calls.back().what.what == operation::describe);
                rh::observed off;
                off.exists = false;
                w.answer(rh::outcome::done(off)); // a 404 is none either
            }
            REQUIRE(w.run_for(30s));
            CHECK(w.count(operation::recreate_instance) == 0);
            CHECK(w.told(decision::accept, reason::proof_minted) == 0);
            REQUIRE(w.run_for(2min));
            CHECK(w.count(operation::fence_instance) >= 2);
        }
    }

    TEST_CASE("a fence that fails for ever waits, explains and pages, and re-creates nothing") {
        wiki w{rh::ha_restarter.lowered()};
        w.fail(w.db);
        for (int minute = 0; minute < 180; ++minute) {
            if (w.calls.back().what.what == operation::fence_instance) w.answer(rh::outcome::failed("no power"));
            REQUIRE(w.run_for(1min));
        }
        CHECK(w.count(operation::recreate_instance) == 0);
        CHECK(w.count(operation::fence_instance) > 5);
        CHECK(w.told(decision::page, reason::waited_long) == 1);
    }

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
        wiki w{rh::ladder{rh::reboot_instance{.attempts = 2, .within = 1h}}.lowered()};
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

    TEST_CASE("a completion counts once: repeated, unknown and late ones are events") {
        wiki w;
        w.fail(w.db);
        const rh::op_id op = w.calls[0].what.op;
        w.e.complete(op, w.now, rh::outcome::done());
        w.e.complete(op, w.now, rh::outcome::failed("no"), true);
        w.e.complete(op, w.now, rh::outcome::failed("no"));
        w.e.complete(rh::op_id{999}, w.now, rh::outcome::done());
        w.e.complete(rh::no_op, w.now, rh::outcome::done());
        w.step();
        CHECK(w.told(decision::finish, reason::outcome_done) == 1);
        CHECK(w.told(decision::ignore, reason::repeated_completion) == 1);
        CHECK(w.told(decision::ignore, reason::late_completion) == 3);
        CHECK(w.e.incident_of(w.db)->at == rh::phase::verifying);
        CHECK(w.calls.size() == 1);
    }

    TEST_CASE("an outcome for a call that was never made changes nothing") {
        wiki w;
        w.slow = true;
        w.fail(w.db);
        w.e.complete(w.records.back().op, w.now, rh::outcome::done());
        w.step();
        CHECK(w.told(decision::ignore, reason::late_completion) == 1);
        CHECK(w.e.incident_of(w.db)->at == rh::phase::acting);
    }

    TEST_CASE("past its deadline a call is read back, and its late outcome is only an event") {
        wiki w{rh::ladder{rh::reboot_instance{}}.lowered()};
        w.fail(w.db);
        const rh::op_id op = w.calls[0].what.op;
        REQUIRE(w.run_for(5min));
        REQUIRE(w.calls.back().what.what == operation::describe);
        w.e.complete(op, w.now, rh::outcome::done());
        w.step();
        CHECK(w.told(decision::ignore, reason::late_completion) == 1);
        w.answer(rh::outcome::done());
        w.step();
        CHECK(w.told(decision::finish, reason::found_done) == 1);
        CHECK(w.e.incident_of(w.db)->at == rh::phase::verifying);
        CHECK(w.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("an outcome in the very step of the deadline is in time, and nothing is read back") {
        wiki w;
        w.fail(w.db);
        w.answer(rh::outcome::done());
        w.pass(5min);
        CHECK(w.told(decision::finish, reason::outcome_done) == 1);
        CHECK(w.told(decision::read_back, reason::deadline_passed) == 0);
        CHECK(w.count(operation::describe) == 0);
    }

    TEST_CASE("a read-back in the very step in which it settles ends its operation once") {
        wiki w{rh::policy{}, {.create_timeout = 1min}};
        w.e.order_creation(w.db, w.now);
        w.step();
        REQUIRE(w.run_for(1min + 50s)); // unknown since 1 min, settles at 2 min
        REQUIRE(w.calls.back().what.what == operation::describe);
        rh::observed there;
        there.running = true;
        there.cloud_id = "vm-1";
        w.answer(rh::outcome::done(there));
        w.at(start + 2min);
        CHECK(w.told(decision::finish, reason::found_done) == 1);
        CHECK(w.told(decision::finish, reason::found_not_done) == 0);
        CHECK_FALSE(w.e.targets().busy(w.db));
        CHECK(w.e.targets()[w.db].cloud_id == "vm-1");
    }

    TEST_CASE("a destructive call whose outcome nobody knows is never repeated blindly") {
        wiki w{rh::ha_restarter.lowered()};
        w.fail(w.db);
        w.answer(rh::outcome::done());
        w.step();
        REQUIRE(w.count(operation::recreate_instance) == 1);
        w.answer(rh::outcome::unknown("timeout"));
        REQUIRE(w.run_for(25min)); // nobody answers the read-backs
        CHECK(w.count(operation::recreate_instance) == 1);
        CHECK(w.count(operation::describe) > 100);
        CHECK(w.e.targets().busy(w.db));
        REQUIRE(w.run_for(10min)); // settled: not done
        CHECK(w.e.incident_of(w.db)->at != rh::phase::acting);
        CHECK(w.count(operation::recreate_instance) == 1);
    }

    TEST_CASE("pauses of zero do not become an endless loop") {
        rh::policy rules =
            rh::ladder{rh::reboot_instance{.attempts = 3, .within = 0s, .sustained = {3, 0s}, .timeout = 0s}}.lowered();
        rules.retry_parked = 0s;
        wiki w{rules, {.proof_validity = 0s, .read_back_every = 0s, .page_after = 0s}};
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
            {.proof_validity = 0s}};
        fenced.sees(fenced.db, health::unhealthy);
        CHECK(fenced.run_for(2h));
    }

    TEST_CASE("proofs that expire at once do not become an endless loop of fences") {
        wiki w{rh::ha_restarter.lowered(), {.proof_validity = 0s}};
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
        w.e.operate({.target = rh::no_target}, w.now);
        w.e.operate({.target = w.mysqld}, w.now);
        w.e.operate({.target = w.db, .expires = w.now}, w.now);
        w.step();
        CHECK(w.told(decision::ignore, reason::operator_word) == 3);
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

    TEST_CASE("a journal that fails pages once, stops calls and not monitoring, and its intents are written anew") {
        wiki w;
        w.slow = true;
        w.fail(w.db);
        const rh::record lost = w.records.back();
        w.e.journal_failed();
        w.e.journal_failed();
        CHECK(w.e.next() <= w.now);
        w.step();
        CHECK(w.told(decision::page, reason::journal_failed) == 1);
        w.e.durable(lost.seq);
        w.sees(w.mysqld, health::unhealthy);
        w.step();
        CHECK(w.e.incident_of(w.mysqld) != nullptr);
        CHECK(w.calls.empty());
        w.e.journal_reopened();
        w.step();
        CHECK(w.calls.empty()); // nobody knows whether the first intent is in it
        REQUIRE(w.records.back().kind == rh::record_kind::intent);
        CHECK(w.records.back().op == lost.op);
        CHECK(w.records.back().key == lost.key);
        w.e.durable(w.records.back().seq);
        w.step();
        CHECK(w.calls.size() == 1);
    }

    TEST_CASE("an intent that the journal keeps waiting is paged, once") {
        wiki w;
        w.slow = true;
        w.fail(w.db);
        CHECK(w.run_for(1h));
        CHECK(w.told(decision::page, reason::journal_pending) == 1);
        CHECK(w.calls.empty());
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

    TEST_CASE("a call keeps its names, whatever becomes of the engine") {
        auto w = std::make_unique<wiki>();
        w->sees(w->mysqld, health::unhealthy);
        w->step();
        REQUIRE(w->calls.size() == 1);
        for (int n = 0; n < 1000; ++n) REQUIRE(w->e.add(rh::instance{.name = "vm-" + std::to_string(n)}));
        std::vector<rh::call> kept = std::move(w->calls);
        w.reset();
        kept.reserve(100);
        CHECK(kept[0].what.name == "db-1/mysqld");
        CHECK(kept[0].what.service == "mysqld");
        CHECK(kept[0].what.instance == "db-1");
        CHECK(kept[0].what.stack == "wiki");
        CHECK(kept[0].what.cloud_id.empty());
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
        w.e.push(*alarm, w.now + 30s, rh::heartbeat);
        REQUIRE(w.run_for(60s));
        CHECK(w.told(decision::recover, reason::verified) == 1);
        CHECK(w.e.incident_of(w.db) == nullptr);
    }
}
