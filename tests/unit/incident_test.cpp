// SPDX-License-Identifier: MIT
#include "recovery_support.hpp"

#include <doctest/doctest.h>

#include <set>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::guard;
using rh::health;
using rh::operation;
using rh::outcome;
using rh::phase;
using rh::reason;
using rh::vantage;
using support::answer_to;
using support::calls_for;
using support::phase_of;
using support::start;
using support::wiki;

namespace {

rh::policy quick(rh::policy rules) {
    rules.probation = 0s;
    return rules;
}
const rh::policy reboot = quick(rh::ladder{rh::reboot_instance{}}.lowered());

/// It fails, its action is done, and it is well.
void cure(wiki& w, rh::target_id t, operation what) {
    w.fail(t);
    REQUIRE(answer_to(w, w.e.incident_of(t)->subject, what, outcome::done()));
    w.sees(t, health::healthy);
    w.step();
    REQUIRE(w.e.incident_of(t) == nullptr);
}

std::uint32_t id_of(const wiki& w, rh::target_id t) { return static_cast<std::uint32_t>(w.e.incident_of(t)->id); }

} // namespace

TEST_SUITE("incident") {
    TEST_CASE("every phase has a name of its own") {
        std::set<std::string_view> names;
        for (int p = 0; p <= static_cast<int>(phase::collecting); ++p) names.insert(to_string(static_cast<phase>(p)));
        CHECK(names.size() == 8);
    }

    TEST_CASE("further evidence for an open incident adds an accuser, and opens no second one") {
        wiki w{reboot};
        w.fail(w.db);
        w.sees(w.db, health::unhealthy, vantage::cloud_event);
        w.sees(w.db, health::unhealthy, vantage::cloud_event);
        w.step();
        CHECK(w.e.open_incidents() == 1);
        CHECK(count(w.e.incident_of(w.db)->accusers) == 2);
        CHECK(w.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("it closes when those who called it unhealthy take it back, and nobody else does") {
        wiki w{rh::ladder{rh::reboot_instance{.approval = rh::required}}.lowered()};
        w.sees(w.db, health::unhealthy, vantage::guest_heartbeat);
        w.sees(w.db, health::unhealthy, vantage::driver_status);
        w.step();
        w.sees(w.db, health::healthy, vantage::cloud_event); // not one of them
        w.sees(w.db, health::healthy, vantage::guest_heartbeat);
        w.step();
        CHECK(w.e.open_incidents() == 1);
        w.sees(w.db, health::unknown, vantage::driver_status); // neither does it still, nor would it be enough alone
        w.step();
        CHECK(w.e.open_incidents() == 0);

        wiki silent{rh::ladder{rh::reboot_instance{.approval = rh::required}}.lowered()};
        silent.fail(silent.db);
        silent.sees(silent.db, health::unknown);
        silent.step();
        CHECK(silent.e.open_incidents() == 1);
    }

    TEST_CASE("a failure within an hour of the recovery goes on with the same incident") {
        wiki w{reboot};
        cure(w, w.db, operation::reboot_instance);
        REQUIRE(w.run_for(59min));
        w.fail(w.db);
        CHECK(id_of(w, w.db) == 1);
        CHECK(w.told(decision::open, reason::related_failure) == 1);
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::done()));
        w.sees(w.db, health::healthy);
        w.step();
        CHECK(w.e.incident_of(w.db) == nullptr);
        REQUIRE(w.run_for(61min));
        w.fail(w.db);
        CHECK(id_of(w, w.db) == 2);
    }

    TEST_CASE("a failure of something else is an incident of its own") {
        wiki w{reboot};
        cure(w, w.db, operation::reboot_instance);
        w.fail(w.mysqld);
        CHECK(id_of(w, w.mysqld) == 2);
    }

    TEST_CASE("backoff goes on over a related failure, and starts anew after ten minutes of health") {
        wiki w{quick(rh::ladder{rh::reboot_instance{.attempts = 9, .sustained = {9, 1h}}}.lowered())};
        cure(w, w.db, operation::reboot_instance);
        REQUIRE(w.run_for(1min));
        w.fail(w.db);
        CHECK(w.count(operation::reboot_instance) == 1);
        const rh::time_point next = support::answer_of(w, w.db, guard::backoff).next;
        CHECK(next >= w.now + 48s);
        CHECK(next <= w.now + 72s);
        REQUIRE(w.run_until(next));
        w.step();
        CHECK(w.count(operation::reboot_instance) == 2);
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::done()));
        w.sees(w.db, health::healthy);
        w.step();
        CHECK(w.e.memory_of(w.db)->tries == 2);
        REQUIRE(w.run_for(1min));
        w.fail(w.db); // the second wait is twice the first
        CHECK(support::answer_of(w, w.db, guard::backoff).next >= w.now + 96s);
        w.sees(w.db, health::healthy);
        w.step();
        REQUIRE(w.run_for(11min));
        w.fail(w.db);
        CHECK(support::answer_of(w, w.db, guard::backoff).allows());
        CHECK(w.count(operation::reboot_instance) == 3);
    }

    TEST_CASE("a target without a ladder has no backoff to go on with") {
        wiki w{rh::policy{}};
        w.fail(w.db);
        w.sees(w.db, health::healthy);
        w.step();
        w.fail(w.db);
        CHECK(phase_of(w, w.db) == phase::parked);
    }

    TEST_CASE("a rung that did not help two incidents running is left out of the next, and tried again when parked") {
        rh::policy rules = quick(rh::ladder{rh::reboot_instance{.attempts = 1, .sustained = {50, 1h}},
                                            rh::rebuild_instance{.attempts = 1, .within = 1min, .sustained = {50, 1h}}}
                                     .lowered());
        rules.stable = 0s;
        wiki w{rules};
        const auto once = [&w] {
            w.fail(w.db);
            if (phase_of(w, w.db) == phase::acting && w.calls.back().what.what == operation::reboot_instance) {
                REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::done()));
                while (phase_of(w, w.db) != phase::acting) REQUIRE(w.run_for(10s)); // the verify time is over
            }
            REQUIRE(answer_to(w, w.db, operation::rebuild_instance, outcome::done()));
            w.sees(w.db, health::healthy);
            w.step();
            REQUIRE(w.e.incident_of(w.db) == nullptr);
            REQUIRE(w.run_for(2min));
        };
        once();
        CHECK(w.e.memory_of(w.db)->tried == 1);
        CHECK(w.e.memory_of(w.db)->useless == 0);
        REQUIRE(w.run_for(50min));
        once();
        CHECK(w.count(operation::reboot_instance) == 2);
        CHECK(w.e.memory_of(w.db)->useless == 1);
        REQUIRE(w.run_for(30min));
        once();
        CHECK(w.told(decision::skip, reason::did_not_help) == 1);
        CHECK(w.count(operation::reboot_instance) == 2);
    }

    TEST_CASE("what helped in between is not left out") {
        rh::policy rules = quick(rh::ladder{rh::reboot_instance{.attempts = 1, .within = 1min, .sustained = {50, 1h}},
                                            rh::rebuild_instance{.attempts = 1, .within = 1min, .sustained = {50, 1h}}}
                                     .lowered());
        rules.stable = 0s;
        wiki w{rules};
        w.fail(w.db);
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::done()));
        while (w.count(operation::rebuild_instance) == 0) REQUIRE(w.run_for(10s));
        REQUIRE(answer_to(w, w.db, operation::rebuild_instance, outcome::done()));
        w.sees(w.db, health::healthy);
        REQUIRE(w.run_for(10min));
        cure(w, w.db, operation::reboot_instance);
        CHECK(w.e.memory_of(w.db)->useless == 0);
        CHECK(w.e.memory_of(w.db)->tried == 0);
    }

    TEST_CASE("verification counts only what was heard after the action") {
        wiki w{reboot};
        REQUIRE(w.run_for(10min));
        w.fail(w.db);
        const rh::time_point acted = w.now;
        w.pass(30s);
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::done()));
        w.e.observe({w.db, vantage::driver_status, health::healthy, acted - 1s});
        w.step();
        CHECK(phase_of(w, w.db) == phase::verifying); // said before the action
        w.e.observe({w.db, vantage::driver_status, health::healthy, acted});
        w.step();
        CHECK(w.e.incident_of(w.db) == nullptr);
        CHECK(w.told(decision::recover, reason::verified) == 1);
    }

    TEST_CASE("an alarm that is quiet, and has heard nothing since the action, verifies nothing") {
        wiki w{reboot};
        const auto beats = *w.e.watch(w.db, rh::heartbeat_alarm{.period = 60s}.rule(), w.now);
        w.e.push(beats, w.now, rh::heartbeat);
        REQUIRE(w.run_for(60s));
        REQUIRE(w.e.state(beats) == rh::alarm_state::ok);
        w.sees(w.db, health::unhealthy, vantage::guest_heartbeat);
        w.step();
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::done()));
        w.sees(w.db, health::unknown, vantage::guest_heartbeat);
        w.step();
        CHECK(w.e.health_of(w.db) == health::healthy);
        CHECK(phase_of(w, w.db) == phase::verifying);
        w.pass(1s);
        w.e.push(beats, w.now, rh::heartbeat);
        w.step();
        CHECK(w.e.incident_of(w.db) == nullptr);
    }

    TEST_CASE("its own action's silence is no new failure, on the target and below it, for the rung's grace") {
        wiki w{reboot};
        const auto beats = *w.e.watch(w.db, rh::heartbeat_alarm{.period = 60s}.rule(), w.now);
        const auto checks = *w.e.watch(w.mysqld, rh::heartbeat_alarm{.period = 60s}.rule(), w.now);
        w.e.push(beats, w.now, rh::heartbeat);
        w.e.push(checks, w.now, rh::heartbeat);
        REQUIRE(w.run_for(60s));
        w.fail(w.db);
        REQUIRE(w.count(operation::reboot_instance) == 1);
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::done()));
        REQUIRE(w.run_for(9min));
        CHECK(w.e.open_incidents() == 1);
        CHECK(w.told(decision::open, reason::alarm_raised) == 0);
        REQUIRE(w.run_for(2min + 30s)); // longer than the grace: that is a failure, and it is absorbed
        CHECK(w.e.open_incidents() >= 1);
        CHECK(w.count(operation::restart_service) == 0);
    }

    TEST_CASE("an incident below an action that other incidents wait for is absorbed by the right one") {
        wiki w{quick(rh::three_levels.lowered())};
        const auto other = *w.e.add(rh::instance{.name = "other", .stack = "wiki"});
        rh::engine_options many = support::at_once();
        static_cast<void>(many);
        w.fail(other);
        REQUIRE(w.run_for(20s));
        w.fail(w.db);
        w.fail(w.mysqld);
        CHECK(phase_of(w, other) == phase::acting);
        CHECK(phase_of(w, w.db) == phase::deciding); // one in flight of two
        CHECK(phase_of(w, w.mysqld) == phase::acting);
    }

    TEST_CASE("what fails below something that is only being created is not absorbed, and waits") {
        wiki w{reboot};
        w.e.order_creation(w.db, w.now);
        w.fail(w.mysqld);
        CHECK(phase_of(w, w.mysqld) == phase::deciding);
        CHECK(support::answer_of(w, w.mysqld, guard::busy).why == reason::busy);
        w.e.operate({rh::operator_verb::trust, rh::no_target, "ann", {}, rh::never}, w.now);
        REQUIRE(answer_to(w, w.db, operation::create_instance, outcome::done()));
        CHECK(w.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("an absorbed incident goes on by itself when the one above is parked or well without it") {
        rh::policy rules =
            rh::ladder{rh::restart_service{.approval = rh::required}, rh::reboot_instance{.attempts = 1}}.lowered();
        wiki w{rules};
        w.fail(w.mysqld); // waits for approval
        w.fail(w.db);
        CHECK(phase_of(w, w.mysqld) == phase::absorbed);
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::failed("no")));
        REQUIRE(w.run_for(5min));
        REQUIRE(phase_of(w, w.db) == phase::parked);
        CHECK(phase_of(w, w.mysqld) == phase::deciding);
        CHECK(w.told(decision::release, reason::none) == 1);

        wiki early{rules};
        early.fail(early.mysqld);
        early.slow = true;
        early.fail(early.db);
        early.sees(early.db, health::healthy);
        early.e.durable(early.records.back().seq);
        early.step();
        CHECK(early.e.incident_of(early.db) == nullptr);
        CHECK(phase_of(early, early.mysqld) == phase::deciding);
    }

    TEST_CASE("an incident that is absorbed a second time waits for the nearer action") {
        wiki w{quick(rh::ladder{rh::restart_service{}, rh::reboot_instance{.attempts = 1},
                                rh::converge_stack{.approval = rh::consent::none}}
                         .lowered())};
        const auto other = *w.e.add(rh::instance{.name = "other", .stack = "wiki"});
        w.fail(w.db);
        w.fail(w.mysqld);
        REQUIRE(phase_of(w, w.mysqld) == phase::absorbed);
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::failed("no")));
        REQUIRE(w.run_for(5min)); // on to the stack
        CHECK(phase_of(w, w.mysqld) == phase::absorbed);
        CHECK(w.count(operation::fence_instance) >= 1);
        w.fail(other);
        CHECK(phase_of(w, other) == phase::absorbed);
        CHECK(w.e.incident_of(w.db)->absorbs >= 2);
    }

    TEST_CASE("an incident that is absorbed as it opens does not wake for a backoff") {
        wiki w{quick(rh::ladder{rh::restart_service{}, rh::reboot_instance{}}.lowered())};
        cure(w, w.mysqld, operation::restart_service);
        w.fail(w.db);
        w.fail(w.mysqld); // again, so soon: it would back off
        REQUIRE(phase_of(w, w.mysqld) == phase::absorbed);
        CHECK(w.e.incident_of(w.mysqld)->wake == rh::never);
        CHECK(w.run_for(2min)); // next() never stays in the past
    }

    TEST_CASE("a page on the ladder calls a human and goes on") {
        wiki w{rh::ladder{rh::page{}, rh::reboot_instance{}}.lowered()};
        w.fail(w.db);
        CHECK(w.told(decision::page, reason::alarm_raised) == 1);
        CHECK(w.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("parked: tried again every half an hour, though not before a second has passed") {
        wiki w{rh::policy{}};
        w.fail(w.db);
        CHECK(w.e.incident_of(w.db)->wake == start + 30min);
        rh::policy at_once;
        at_once.retry_parked = 0s;
        wiki hasty{at_once};
        hasty.fail(hasty.db);
        CHECK(hasty.e.incident_of(hasty.db)->wake == start + 1s);
        hasty.sees(hasty.db, health::healthy);
        hasty.step();
        CHECK(hasty.e.open_incidents() == 0);
    }
}

TEST_SUITE("incident: a changed policy") {
    TEST_CASE("it applies from the next rung, and keeps what is spent") {
        wiki w{rh::ladder{rh::reboot_instance{.attempts = 2}, rh::rebuild_instance{}}.lowered()};
        w.fail(w.db);
        w.e.change_policy(rh::policy_id{},
                          rh::ladder{rh::restart_service{}, rh::reboot_instance{.attempts = 9, .sustained = {9, 1h}},
                                     rh::evacuate_instance{}}
                              .lowered(),
                          w.now);
        w.step();
        CHECK(w.told(decision::change, reason::policy_changed) == 1);
        CHECK(support::records_of(w, rh::record_kind::policy) == 1);
        for (int n = 0; n < 2; ++n) {
            REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::failed("no")));
            REQUIRE(w.run_for(5min));
        }
        CHECK(w.count(operation::reboot_instance) == 2); // the rung that it stood on had two
        CHECK(w.count(operation::rebuild_instance) == 0);
        CHECK(calls_for(w, w.db, operation::fence_instance) >= 1); // on to the first rung above a reboot: evacuation

        // The next incident begins with the new one, and the old attempts count.
        wiki next{rh::ladder{rh::reboot_instance{.attempts = 2}}.lowered()};
        next.fail(next.db);
        REQUIRE(answer_to(next, next.db, operation::reboot_instance, outcome::done()));
        next.sees(next.db, health::healthy);
        next.step();
        rh::policy fewer = quick(rh::ladder{rh::reboot_instance{.attempts = 1}, rh::rebuild_instance{}}.lowered());
        fewer.stable = 0s;
        next.e.change_policy(rh::policy_id{}, fewer, next.now);
        REQUIRE(next.run_for(1min));
        next.fail(next.db);
        CHECK(next.told(decision::climb, reason::budget_spent) == 1);
        CHECK(next.count(operation::rebuild_instance) == 1);
    }

    TEST_CASE("it reaches the targets that have it, whatever it was called when they got it, and no others") {
        wiki w{rh::policy{}};
        const auto second = *w.e.add_policy(reboot);
        w.e.use_policy(w.db, second);
        w.e.change_policy(second, rh::ladder{rh::rebuild_instance{}}.lowered(), w.now);
        w.step();
        w.e.change_policy(second, rh::ladder{rh::evacuate_instance{}}.lowered(), w.now);
        w.e.change_policy(rh::policy_id{4711}, reboot, w.now);
        w.step();
        CHECK(w.told(decision::ignore, reason::policy_changed) == 1);
        const auto late = *w.e.add(rh::instance{.name = "late"});
        w.e.use_policy(late, second);
        w.fail(w.db);
        CHECK(calls_for(w, w.db, operation::fence_instance) == 1);
        REQUIRE(w.run_for(1min));
        w.fail(w.mysqld);
        w.fail(late);
        CHECK(w.told(decision::skip, reason::no_such_ancestor) == 0);
        CHECK(w.e.policy_of(*w.e.incident_of(late)).rungs()[0].what == operation::evacuate_instance);
    }

    TEST_CASE("what is parked tries the new one") {
        wiki w{rh::policy{}};
        w.fail(w.db);
        REQUIRE(phase_of(w, w.db) == phase::parked);
        w.e.change_policy(rh::policy_id{}, reboot, w.now);
        w.step();
        w.e.operate({rh::operator_verb::unpark, w.db, "ann", {}, rh::never}, w.now);
        w.step();
        CHECK(w.count(operation::reboot_instance) == 1);
    }
}

TEST_SUITE("incident: the guest heals itself") {
    const rh::policy guest = rh::ladder{rh::guest_restarts{.attempts = 3}, rh::restart_service{}}.lowered();

    TEST_CASE("it is given time, and then the ladder goes on") {
        wiki w{guest};
        w.fail(w.mysqld);
        CHECK(w.calls.empty());
        CHECK(w.told(decision::wait, reason::guest_heals) == 1);
        CHECK(w.e.incident_of(w.mysqld)->wake == start + 150s);
        REQUIRE(w.run_until(start + 149s));
        CHECK(w.calls.empty());
        REQUIRE(w.run_until(start + 150s));
        w.step();
        CHECK(w.told(decision::climb, reason::verify_deadline) == 1);
        CHECK(w.count(operation::restart_service) == 1);
    }

    TEST_CASE("each report gives it time anew, and more than so many are too many") {
        wiki w{guest};
        w.fail(w.mysqld);
        for (int n = 0; n < 3; ++n) {
            REQUIRE(w.run_for(40s));
            w.e.guest_restarted(w.mysqld, w.now);
            w.step();
            CHECK(w.calls.empty());
        }
        CHECK(w.told(decision::change, reason::guest_restarted) == 3);
        CHECK(w.e.incident_of(w.mysqld)->wake == w.now + 150s);
        REQUIRE(w.run_for(40s));
        w.e.guest_restarted(w.mysqld, w.now);
        w.step();
        CHECK(w.told(decision::climb, reason::attempts_spent) == 1);
        CHECK(w.count(operation::restart_service) == 1);
    }

    TEST_CASE("too many reports are a failure by themselves, whatever the alarms say") {
        wiki w{guest};
        w.sees(w.mysqld, health::healthy);
        for (int n = 0; n < 3; ++n) {
            w.e.guest_restarted(w.mysqld, w.now);
            REQUIRE(w.run_for(30s));
            CHECK(w.e.open_incidents() == 0);
        }
        w.e.guest_restarted(w.mysqld, w.now);
        w.step();
        CHECK(w.e.open_incidents() == 1);
        CHECK(w.count(operation::restart_service) == 1);
    }

    TEST_CASE("reports for nobody, or where no rung asks for them, are only told") {
        wiki w{rh::three_levels.lowered()};
        w.e.guest_restarted(rh::target_id{99}, w.now);
        for (int n = 0; n < 10; ++n) w.e.guest_restarted(w.mysqld, w.now);
        w.step();
        CHECK(w.told(decision::change, reason::guest_restarted) == 10);
        CHECK(w.e.open_incidents() == 0);
        wiki empty{rh::policy{}};
        empty.e.guest_restarted(empty.mysqld, empty.now);
        empty.step();
        CHECK(empty.e.open_incidents() == 0);
    }

    TEST_CASE("the sustained budget of reports counts too") {
        wiki w{rh::ladder{rh::guest_restarts{.attempts = 50, .sustained = {2, 1h}}, rh::restart_service{}}.lowered()};
        w.fail(w.mysqld);
        for (int n = 0; n < 3; ++n) {
            w.e.guest_restarted(w.mysqld, w.now);
            w.step();
            REQUIRE(w.run_for(1min));
        }
        CHECK(w.told(decision::climb, reason::attempts_spent) == 1);
    }

    TEST_CASE("a guest that healed itself ends its incident without a call") {
        wiki w{guest};
        w.fail(w.mysqld);
        w.e.guest_restarted(w.mysqld, w.now);
        w.sees(w.mysqld, health::healthy);
        w.step();
        CHECK(w.e.open_incidents() == 0);
        CHECK(w.calls.empty());
    }
}

namespace {

rh::policy with_forensics(rh::duration most = 2min) {
    rh::policy rules = rh::ladder{rh::reboot_instance{.attempts = 1}, rh::recreate_instance{}}.lowered();
    rules.forensics = most;
    return rules;
}

/// Down to the forensics of a re-creation.
wiki collecting() {
    wiki w{with_forensics()};
    w.fail(w.db);
    REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::failed("no")));
    while (w.count(operation::collect_forensics) == 0) REQUIRE(w.run_for(1s));
    return w;
}

} // namespace

TEST_SUITE("incident: forensics, reboots, shadow") {
    TEST_CASE("forensics come before what destroys, and only before that") {
        wiki w = collecting();
        CHECK(w.count(operation::collect_forensics) == 1); // not before the reboot
        CHECK(phase_of(w, w.db) == phase::collecting);
        CHECK(w.calls.back().what.deadline == w.now + 2min);
        CHECK(w.count(operation::fence_instance) == 0);
        REQUIRE(answer_to(w, w.db, operation::collect_forensics, outcome::done()));
        CHECK(w.count(operation::fence_instance) == 1);
        REQUIRE(answer_to(w, w.db, operation::fence_instance, outcome::done()));
        CHECK(w.count(operation::recreate_instance) == 1);
        CHECK(w.count(operation::collect_forensics) == 1);
        CHECK(w.e.incident_of(w.db)->attempts == 1);
    }

    TEST_CASE("forensics never block: failed, refused, unknown or silent, recovery goes on") {
        for (const auto code : {rh::outcome_code::failed, rh::outcome_code::refused, rh::outcome_code::unknown}) {
            CAPTURE(to_string(code));
            wiki w = collecting();
            REQUIRE(answer_to(w, w.db, operation::collect_forensics, {code, {}, {}, {}}));
            CHECK(w.count(operation::fence_instance) == 1);
            CHECK(w.count(operation::describe) == 0); // nothing is asked for it
        }
        wiki silent = collecting();
        REQUIRE(silent.run_for(2min - 1s));
        CHECK(silent.count(operation::fence_instance) == 0);
        REQUIRE(silent.run_for(1s));
        silent.step();
        CHECK(silent.count(operation::fence_instance) == 1);
        REQUIRE(answer_to(silent, silent.db, operation::collect_forensics, outcome::done()));
        CHECK(silent.told(decision::ignore, reason::late_completion) == 1);
    }

    TEST_CASE("forensics of a machine whose death is proved already need no fence after them") {
        wiki w{with_forensics()};
        w.e.operate({rh::operator_verb::confirm_dead, w.db, "ann", {}, rh::never}, w.now);
        w.step();
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::failed("no")));
        while (w.count(operation::collect_forensics) == 0) REQUIRE(w.run_for(1s));
        REQUIRE(answer_to(w, w.db, operation::collect_forensics, outcome::done()));
        CHECK(w.count(operation::fence_instance) == 0);
        CHECK(w.count(operation::recreate_instance) == 1);
    }

    TEST_CASE("forensics before a rebuild, which needs no proof") {
        rh::policy rules = rh::ladder{rh::rebuild_instance{}}.lowered();
        rules.forensics = 1min;
        wiki w{rules};
        w.fail(w.db);
        REQUIRE(w.count(operation::collect_forensics) == 1);
        REQUIRE(answer_to(w, w.db, operation::collect_forensics, outcome::done()));
        CHECK(w.count(operation::rebuild_instance) == 1);
        CHECK(w.count(operation::fence_instance) == 0);
    }

    TEST_CASE("forensics that were taken back are collected when the attempt is made after all") {
        rh::policy rules = rh::ladder{rh::recreate_instance{}}.lowered();
        rules.forensics = 1min;
        wiki w{rules};
        w.slow = true;
        w.fail(w.db);
        w.e.operate({rh::operator_verb::maintain, w.db, "ann", "work", w.now + 1h}, w.now);
        w.e.durable(w.records.back().seq);
        w.step();
        CHECK(w.told(decision::drop, reason::in_maintenance) == 1);
        CHECK(w.calls.empty());
        CHECK_FALSE(w.e.targets().busy(w.db));
        w.slow = false;
        REQUIRE(w.run_for(1h));
        w.step();
        CHECK(w.count(operation::collect_forensics) == 1);
        CHECK(w.count(operation::fence_instance) == 0);
    }

    TEST_CASE("a reboot is soft first, and hard from the second attempt on, or as the rung says") {
        struct how_case {
            rh::reboot_kind how;
            bool first;
            bool second;
        };
        for (const how_case& c :
             {how_case{rh::reboot_kind::soft_then_hard, false, true}, how_case{rh::reboot_kind::soft, false, false},
              how_case{rh::reboot_kind::hard, true, true}}) {
            wiki w{rh::ladder{rh::reboot_instance{.how = c.how}}.lowered()};
            w.fail(w.db);
            CHECK(w.calls.back().what.hard == c.first);
            REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::failed("no")));
            REQUIRE(w.run_for(2min));
            REQUIRE(w.count(operation::reboot_instance) == 2);
            CHECK(w.calls.back().what.hard == c.second);
        }
    }

    TEST_CASE("shadow: everything is decided and told, and nothing is called or promised to the journal") {
        rh::engine_options o = support::at_once();
        o.shadow = true;
        rh::policy rules = with_forensics();
        wiki w{rules, o};
        w.fail(w.db);
        REQUIRE(w.run_for(3h));
        CHECK(w.calls.empty());
        CHECK(support::records_of(w, rh::record_kind::intent) == 0);
        CHECK(support::records_of(w, rh::record_kind::outcome) == 0);
        CHECK(w.told(decision::finish, reason::would_act) >= 4); // reboot, forensics, fence, re-creation
        CHECK(w.told(decision::park, reason::ladder_exhausted) >= 1);
        w.sees(w.db, health::healthy);
        w.step();
        CHECK(w.e.open_incidents() == 0);
        w.e.order_creation(w.db, w.now);
        w.step();
        CHECK(w.calls.empty());
        CHECK_FALSE(w.e.targets().busy(w.db));
    }

    TEST_CASE("shadow: a cliff asks the cloud nothing") {
        rh::engine_options o = support::at_once();
        o.shadow = true;
        support::machines m{rh::ha_restarter.lowered(), support::numbered(3), o};
        REQUIRE(m.minute());
        REQUIRE(m.minute({0, 1}));
        CHECK(m.told(decision::wait, reason::silence_cliff) == 2);
        CHECK(m.calls.empty());
    }
}
