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
using support::start;
using support::wiki;

TEST_SUITE("engine: journal, proofs and calls") {
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
        CHECK(w.e.targets().cloud_id(w.db) == "vm-1");
    }

    TEST_CASE("a creation whose outcome stays unknown is not ordered again before the cloud or an operator says that "
              "nothing was made") {
        const auto ordered = [](wiki& w) {
            w.e.order_creation(w.db, w.now);
            w.step();
            return w.count(operation::create_instance);
        };
        const auto unknown = [&](wiki& w) {
            CHECK(ordered(w) == 1);
            REQUIRE(w.run_for(3min));
            REQUIRE(w.told(decision::finish, reason::found_not_done) == 1);
            CHECK(ordered(w) == 1);
            CHECK(w.told(decision::ignore, reason::outcome_unknown) == 1);
            REQUIRE(w.calls.back().what.what == operation::describe); // the cloud is asked
        };
        rh::observed none;
        none.exists = false;
        const rh::engine_options soon{.create_timeout = 1min};
        SUBCASE("a 404 alone says nothing, nor does no answer") {
            wiki w{rh::policy{}, soon};
            unknown(w);
            w.answer(rh::outcome::done(none));
            CHECK(ordered(w) == 1);
            w.answer(rh::outcome::unknown("timeout"));
            CHECK(ordered(w) == 1);
        }
        SUBCASE("vouched, or that it does not run either") {
            for (const bool vouched : {true, false}) {
                wiki w{rh::policy{}, soon};
                unknown(w);
                rh::observed seen = none;
                if (vouched) seen.vouched = true;
                else seen.running = false;
                w.answer(rh::outcome::done(seen));
                CHECK(ordered(w) == 2);
            }
        }
        SUBCASE("it was made") {
            wiki w{rh::policy{}, soon};
            unknown(w);
            rh::observed there;
            there.exists = there.running = true;
            there.cloud_id = "vm-1";
            w.answer(rh::outcome::done(there));
            CHECK(ordered(w) == 1);
            CHECK(w.told(decision::ignore, reason::busy) == 1);
        }
        SUBCASE("an operator") {
            wiki w{rh::policy{}, soon};
            unknown(w);
            w.e.operate({rh::operator_verb::confirm_dead, w.db, "ann", {}, rh::never}, w.now);
            CHECK(ordered(w) == 2);
            CHECK(w.e.open_incidents() == 0); // what was not made did not fail
        }
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

    TEST_CASE("a journal that fails pages once, stops calls and not monitoring, and its intents are written anew") {
        wiki w;
        w.slow = true;
        w.fail(w.db);
        const rh::record lost = w.records.back();
        CHECK(w.e.written() == lost.seq);
        CHECK(w.e.settled() < lost.seq);
        w.e.journal_failed();
        w.e.journal_failed();
        CHECK(w.e.settled() == w.e.written()); // nobody waits for it
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
        CHECK(w.e.settled() < w.e.written());
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

    TEST_CASE("a journal that is slow again after it was reopened is paged once more") {
        wiki w;
        w.slow = true;
        w.fail(w.db);
        REQUIRE(w.run_for(11min));
        REQUIRE(w.told(decision::page, reason::journal_pending) == 1);
        for (std::size_t round = 1; round <= 2; ++round) {
            w.e.journal_failed();
            w.step();
            REQUIRE(w.run_for(1h));
            CHECK(w.told(decision::page, reason::journal_failed) == round);
            CHECK(w.told(decision::page, reason::journal_pending) == round);
            w.e.journal_reopened();
            REQUIRE(w.run_for(10min - 1s));
            CHECK(w.told(decision::page, reason::journal_pending) == round);
            REQUIRE(w.run_for(1h));
            CHECK(w.told(decision::page, reason::journal_pending) == round + 1);
        }
        CHECK(w.calls.empty());
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
}
