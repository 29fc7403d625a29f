// SPDX-License-Identifier: MIT
#include "recovery_support.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::guard;
using rh::health;
using rh::operation;
using rh::reason;
using rh::vantage;
using support::answer_to;
using support::calls_for;
using support::machines;
using support::start;
using support::wiki;

namespace {

/// Says no until a time, and notes what it was asked.
struct curfew {
    rh::time_point until = rh::never;
    reason why = reason::busy;
    std::vector<rh::guard_question>* asked = nullptr;

    [[nodiscard]] rh::guard_answer ask(const rh::guard_question& q) const {
        if (asked != nullptr) asked->push_back(q);
        return q.now < until ? rh::guard_answer{why, until} : rh::guard_answer{};
    }
};
static_assert(rh::recovery_guard<curfew>);
static_assert(!rh::recovery_guard<int>);

const rh::policy reboot = rh::ladder{rh::reboot_instance{}}.lowered();

rh::policy waits_for_two(rh::policy rules = rh::ha_restarter.lowered()) {
    rules.evidence.alone = rh::single_vantage::wait;
    return rules;
}

} // namespace

TEST_SUITE("guards") {
    TEST_CASE("an integrator's guard is asked with all others, and waits for as long as it says") {
        std::vector<rh::guard_question> asked;
        const curfew night{.until = start + 20min, .asked = &asked};
        wiki w;
        w.e.add_guard(night);
        w.fail(w.mysqld);
        CHECK(w.calls.empty());
        REQUIRE(asked.size() >= 1);
        CHECK(asked[0].target == w.mysqld);
        CHECK(asked[0].subject == w.mysqld);
        CHECK(asked[0].what == operation::restart_service);
        CHECK(asked[0].incident == w.e.incident_of(w.mysqld)->id);
        CHECK(asked[0].attempt == 1);
        CHECK(asked[0].now == start);
        const rh::guard_answer a = support::answer_of(w, w.mysqld, guard::custom);
        CHECK(a.why == reason::custom_guard); // whatever it gave
        CHECK(a.next == start + 20min);
        REQUIRE(w.run_until(start + 20min));
        w.step();
        CHECK(w.count(operation::restart_service) == 1);
    }

    TEST_CASE("of several the one that says no for the longest speaks") {
        const curfew brief{.until = start + 1min};
        const curfew lasting{.until = start + 2min};
        const curfew over{.until = start};
        wiki w;
        w.e.add_guard(brief);
        w.e.add_guard(lasting);
        w.e.add_guard(brief);
        w.e.add_guard(over);
        w.fail(w.db);
        CHECK(support::answer_of(w, w.db, guard::custom).next == start + 2min);
    }

    TEST_CASE("every denial is in the event, with the earliest time at which one can change") {
        const curfew night{.until = start + 20min};
        wiki w{rh::ladder{rh::reboot_instance{.approval = rh::required}}.lowered()};
        w.e.add_guard(night);
        w.e.operate({rh::operator_verb::maintain, w.db, "ann", "work", start + 5min}, w.now);
        w.fail(w.db);
        const auto waits =
            std::find_if(w.events.begin(), w.events.end(), [](const rh::event& v) { return v.what == decision::wait; });
        REQUIRE(waits != w.events.end());
        CHECK(waits->why == reason::approval_required); // the first in the order of guards
        CHECK(waits->asked == rh::all_guards);
        CHECK(waits->denied == (bit(guard::approval) | bit(guard::maintenance) | bit(guard::custom)));
        CHECK(waits->next == start + 5min);
        CHECK(waits->denials[0].by == guard::approval);
        CHECK(waits->denials[0].next(waits->at) == rh::never);
        CHECK(waits->denials[1].by == guard::maintenance);
        CHECK(waits->denials[1].why == reason::in_maintenance);
        CHECK(waits->denials[1].next(waits->at) == start + 5min);
        CHECK(waits->denials[2].by == guard::custom);
        CHECK(waits->denials[3].why == reason::none);
        const std::string line = to_text(w.e, *waits);
        CHECK(line.find("denied_by=approval denied_by=maintenance denied_by=custom") != std::string::npos);
        const std::string json = to_json(w.e, *waits);
        CHECK(json.find("{\"guard\":\"approval\",\"reason\":\"approval_required\"}") != std::string::npos);
        CHECK(json.find("{\"guard\":\"maintenance\",\"reason\":\"in_maintenance\",\"next\":\"") != std::string::npos);

        // The same answer is not told again; another one is.
        const std::size_t told = w.events.size();
        w.step();
        CHECK(w.events.size() == told);
        REQUIRE(w.run_until(start + 5min));
        w.step();
        CHECK(w.events.back().denied == (bit(guard::approval) | bit(guard::custom)));
    }

    TEST_CASE("journal: nothing begins while it fails, and all goes on when it is reopened") {
        wiki w{reboot};
        w.e.journal_failed();
        w.fail(w.db);
        CHECK(w.e.open_incidents() == 1);
        CHECK(w.calls.empty());
        CHECK(support::answer_of(w, w.db, guard::journal).why == reason::journal_failed);
        CHECK(support::answer_of(w, w.db, guard::journal).next == rh::never);
        REQUIRE(w.run_for(1h));
        CHECK(w.calls.empty());
        w.e.journal_reopened();
        w.step();
        CHECK(w.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("busy: one action at a time on a target, its ancestors and its descendants") {
        wiki w;
        const auto sshd = *w.e.add(rh::service{.name = "sshd", .on = w.db});
        w.fail(w.mysqld);
        w.fail(w.db);
        w.fail(sshd);
        CHECK(w.count(operation::restart_service) == 2); // two services do not disturb each other
        CHECK(w.count(operation::reboot_instance) == 0);
        CHECK(support::answer_of(w, w.db, guard::busy).why == reason::busy);
        REQUIRE(answer_to(w, w.mysqld, operation::restart_service, rh::outcome::done()));
        w.sees(w.mysqld, health::healthy);
        w.step();
        CHECK(w.count(operation::reboot_instance) == 0);
        REQUIRE(answer_to(w, sshd, operation::restart_service, rh::outcome::failed("no")));
        CHECK(w.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("backoff: the wait after an attempt that failed, longer if the cloud asks for it") {
        wiki w{reboot};
        w.fail(w.db);
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, rh::outcome::failed("no")));
        const rh::guard_answer a = support::answer_of(w, w.db, guard::backoff);
        CHECK(a.why == reason::backing_off);
        CHECK(a.next >= start + 48s);
        CHECK(a.next <= start + 72s);
        REQUIRE(w.run_until(a.next - 1ns));
        CHECK(w.count(operation::reboot_instance) == 1);
        REQUIRE(w.run_until(a.next));
        w.step();
        CHECK(w.count(operation::reboot_instance) == 2);

        wiki asked{reboot};
        asked.fail(asked.db);
        rh::outcome o = rh::outcome::refused("later");
        o.retry_after = 30min;
        REQUIRE(answer_to(asked, asked.db, operation::reboot_instance, o));
        CHECK(support::answer_of(asked, asked.db, guard::backoff).next == start + 30min);
    }

    TEST_CASE("start hold: nothing that can not be undone for five minutes after a start or a change of leader") {
        const rh::policy rules = rh::ladder{rh::reboot_instance{.attempts = 1}, rh::rebuild_instance{}}.lowered();
        wiki w{rules, {}};
        w.fail(w.db);
        CHECK(w.count(operation::reboot_instance) == 1); // this can
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, rh::outcome::failed("no")));
        REQUIRE(w.run_for(2min));
        CHECK(support::answer_of(w, w.db, guard::start_hold).why == reason::started_lately);
        CHECK(support::answer_of(w, w.db, guard::start_hold).next == start + 300s);
        REQUIRE(w.run_until(start + 300s - 1ns));
        CHECK(w.count(operation::rebuild_instance) == 0);
        REQUIRE(w.run_until(start + 300s));
        w.step();
        CHECK(w.count(operation::rebuild_instance) == 1);

        wiki led{rh::ha_restarter.lowered(), {}};
        REQUIRE(led.run_for(1h));
        led.e.leads(rh::epoch{7}, rh::never, led.now);
        led.fail(led.db);
        CHECK(led.told(decision::change, reason::leader_changed) == 1);
        CHECK(led.calls.empty());
        CHECK(support::answer_of(led, led.db, guard::start_hold).next == led.now + 300s);
        REQUIRE(led.run_for(300s));
        led.step();
        REQUIRE(led.count(operation::fence_instance) == 1);
        CHECK(led.calls.back().what.reign == rh::epoch{7});
    }

    TEST_CASE("evidence: what nobody calls unhealthy now is not acted upon, until somebody does") {
        wiki w{rh::ladder{rh::reboot_instance{.approval = rh::required}}.lowered()};
        const auto poll = [&](health h) { w.e.observe({w.db, vantage::driver_status, h, w.now, true}); };
        for (int n = 0; n < 7; ++n) {
            CHECK(w.e.open_incidents() == 0);
            poll(health::unhealthy);
            w.pass(10s);
        }
        REQUIRE(w.e.open_incidents() == 1); // 7 of 10
        REQUIRE(w.run_for(6min));           // and then no poll for longer than they are good for
        w.e.operate({rh::operator_verb::approve, w.db, "ann", {}, rh::never}, w.now);
        w.step();
        CHECK(w.calls.empty());
        CHECK(support::answer_of(w, w.db, guard::evidence).why == reason::evidence_is_old);
        CHECK(w.e.says(w.db, vantage::driver_status) == health::unknown);
        CHECK(w.e.open_incidents() == 1); // unknown is not healthy
        w.sees(w.db, health::unhealthy, vantage::cloud_event);
        w.step();
        CHECK(w.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("corroboration: an alarm speaks for the vantage of its samples, and adds none") {
        wiki w{waits_for_two()};
        const auto alarm = *w.e.watch(w.db, rh::heartbeat_alarm{.period = 60s}.rule(), w.now);
        w.e.push(alarm, w.now, rh::heartbeat);
        REQUIRE(w.run_for(2min)); // silence
        REQUIRE(w.e.state(alarm) == rh::alarm_state::alarm);
        w.sees(w.db, health::unhealthy, vantage::guest_heartbeat);
        w.step();
        CHECK(w.calls.empty());
        CHECK(support::answer_of(w, w.db, guard::corroboration).why == reason::one_vantage);
        CHECK(support::answer_of(w, w.db, guard::corroboration).next == rh::never);
        w.sees(w.db, health::unhealthy, vantage::driver_status);
        w.step();
        CHECK(w.count(operation::fence_instance) == 1);
    }

    TEST_CASE("corroboration: only before what can not be undone") {
        wiki w{waits_for_two(reboot)};
        w.fail(w.db);
        CHECK(w.count(operation::reboot_instance) == 1);
        wiki rebuilt{waits_for_two(rh::ladder{rh::rebuild_instance{}}.lowered())};
        rebuilt.fail(rebuilt.db);
        CHECK(rebuilt.calls.empty());
        wiki stack{waits_for_two(rh::ladder{rh::converge_stack{.approval = rh::consent::none}}.lowered())};
        stack.fail(stack.db);
        CHECK(support::answer_of(stack, stack.db, guard::corroboration).why == reason::one_vantage);
        stack.sees(stack.db, health::unhealthy, vantage::cloud_event);
        stack.step();
        CHECK(stack.count(operation::fence_instance) == 1);
    }

    TEST_CASE("corroboration: another vantage that says it runs contradicts, and may change its mind") {
        wiki w{rh::ha_restarter.lowered()};
        w.sees(w.db, health::healthy, vantage::driver_status);
        w.sees(w.db, health::unhealthy, vantage::guest_heartbeat);
        w.step();
        CHECK(w.calls.empty());
        CHECK(support::answer_of(w, w.db, guard::corroboration).why == reason::contradicted);
        w.sees(w.db, health::unknown, vantage::driver_status); // silent and unknown: the fence settles it
        w.step();
        CHECK(w.count(operation::fence_instance) == 1);
    }

    TEST_CASE("corroboration: a guest that is heard and calls its service ill is no silent machine") {
        wiki w{rh::ha_restarter.lowered()};
        const auto alarm = *w.e.watch(w.db, rh::heartbeat_alarm{.period = 60s}.rule(), w.now);
        w.e.push(alarm, w.now, rh::heartbeat);
        REQUIRE(w.run_for(60s));
        REQUIRE(w.e.state(alarm) == rh::alarm_state::ok);
        w.sees(w.db, health::healthy, vantage::driver_status);
        w.sees(w.mysqld, health::unhealthy, vantage::guest_heartbeat);
        w.step();
        CHECK(w.count(operation::fence_instance) == 1);

        wiki silent{rh::ha_restarter.lowered()}; // a service that is silent on a machine that is not heard
        silent.sees(silent.db, health::healthy, vantage::driver_status);
        silent.sees(silent.mysqld, health::unhealthy, vantage::guest_heartbeat);
        silent.step();
        CHECK(support::answer_of(silent, silent.mysqld, guard::corroboration).why == reason::contradicted);
    }

    TEST_CASE("corroboration: what is said of the machine counts for its service") {
        wiki w{waits_for_two()};
        w.sees(w.mysqld, health::unhealthy, vantage::guest_heartbeat);
        w.step();
        CHECK(w.calls.empty());
        w.sees(w.db, health::unhealthy, vantage::driver_status);
        w.step();
        CHECK(w.count(operation::fence_instance) == 1);
    }

    TEST_CASE("corroboration: a death that is proved needs no second vantage") {
        wiki w{waits_for_two()};
        w.e.renew({w.db, start - 1h, 0s, true});
        w.fail(w.db);
        CHECK(w.count(operation::recreate_instance) == 1);
    }

    TEST_CASE("neighbours: of the same rack, of an unknown place, or nobody at all, are refused with an event") {
        machines m{waits_for_two(),
                   {{.name = "a", .host = "h1", .rack = "r1"},
                    {.name = "b", .host = "h2", .rack = "r1"},
                    {.name = "c", .host = "h3", .rack = "r2"},
                    {.name = "d"}}};
        const auto tells = [&](rh::target_id witness) {
            m.e.observe({m.vm[0], vantage::neighbour, health::unhealthy, m.now, false, witness});
            m.step();
        };
        tells(m.vm[1]);
        tells(m.vm[3]);
        tells(rh::no_target);
        tells(rh::target_id{4711});
        tells(m.vm[0]);
        CHECK(m.told(decision::ignore, reason::neighbour_not_independent) == 5);
        CHECK(m.e.open_incidents() == 0);
        m.fail(0);
        CHECK(m.calls.empty());
        tells(m.vm[2]);
        CHECK(m.count(operation::fence_instance) == 1);
    }

    TEST_CASE("probation: what helped is not done again, nor more, for half an hour, on the same evidence") {
        rh::policy rules = rh::ladder{rh::reboot_instance{.attempts = 5, .sustained = {9, 1h}}}.lowered();
        rules.stable = 0s; // no backoff
        wiki w{rules};
        w.fail(w.db);
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, rh::outcome::done()));
        w.sees(w.db, health::healthy);
        w.step();
        REQUIRE(w.e.open_incidents() == 0);
        const rh::time_point helped = w.now;
        REQUIRE(w.run_for(5min));
        w.fail(w.db);
        CHECK(w.count(operation::reboot_instance) == 1);
        CHECK(support::answer_of(w, w.db, guard::probation).why == reason::in_probation);
        CHECK(support::answer_of(w, w.db, guard::probation).next == helped + 30min);
        SUBCASE("until it is over") {
            REQUIRE(w.run_until(helped + 30min - 1ns));
            CHECK(w.count(operation::reboot_instance) == 1);
            REQUIRE(w.run_until(helped + 30min));
            w.step();
            CHECK(w.count(operation::reboot_instance) == 2);
        }
        SUBCASE("or until somebody else complains") {
            w.sees(w.db, health::unhealthy, vantage::cloud_event);
            w.step();
            CHECK(w.count(operation::reboot_instance) == 2);
        }
    }

    TEST_CASE("probation holds a higher rung, and neither a lower one nor a service's") {
        rh::policy rules = rh::ladder{rh::restart_service{}, rh::reboot_instance{}, rh::rebuild_instance{}}.lowered();
        rules.stable = 0s;
        wiki w{rules};
        w.fail(w.db);
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, rh::outcome::done()));
        w.sees(w.db, health::healthy);
        REQUIRE(w.run_for(1min));
        w.fail(w.mysqld);
        CHECK(w.count(operation::restart_service) == 1);
        rh::policy higher = rh::ladder{rh::rebuild_instance{}}.lowered();
        REQUIRE(answer_to(w, w.mysqld, operation::restart_service, rh::outcome::done()));
        w.sees(w.mysqld, health::healthy);
        w.step();
        w.e.use_policy(w.db, *w.e.add_policy(higher));
        w.fail(w.db);
        CHECK(support::answer_of(w, w.db, guard::probation).why == reason::in_probation);
        CHECK(w.count(operation::rebuild_instance) == 0);

        rh::policy down = rh::ladder{rh::rebuild_instance{}}.lowered();
        down.stable = 0s;
        wiki mild{down};
        mild.fail(mild.db);
        REQUIRE(answer_to(mild, mild.db, operation::rebuild_instance, rh::outcome::done()));
        mild.sees(mild.db, health::healthy);
        REQUIRE(mild.run_for(1min));
        rh::policy reboots = reboot;
        reboots.stable = 0s;
        mild.e.use_policy(mild.db, *mild.e.add_policy(reboots));
        mild.fail(mild.db);
        CHECK(mild.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("probation begins with what helped, not with what was tried") {
        wiki w{reboot};
        w.fail(w.db);
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, rh::outcome::failed("no")));
        CHECK(support::answer_of(w, w.db, guard::probation).allows());
    }
}
