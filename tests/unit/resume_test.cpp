// SPDX-License-Identifier: MIT
// A controller that starts again: what its journal says is gone on with, and nothing is done twice.
#include <reheat/engine/resume.hpp>
#include <reheat/engine/why.hpp>

#include "recovery_support.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
namespace rh = reheat;
using support::at_once;
using support::bench;
using support::wiki;

namespace {

/// The names of `wiki`, in an engine that goes on with records.
struct again : bench {
    explicit again(const std::vector<rh::record>& past, rh::time_point at,
                   const rh::policy& rules = rh::three_levels.lowered(), rh::engine_options options = at_once())
        : bench{rules, options} {
        rh::record_digest digest;
        for (const rh::record& r : past) digest.add(r);
        const auto gone_on = e.recover(digest.take());
        REQUIRE(gone_on.has_value());
        db = *e.add(rh::instance{.name = "db-1", .stack = "wiki", .keep = rh::volumes});
        mysqld = *e.add(rh::service{.name = "mysqld", .on = db});
        stack = e.find(rh::level::stack, "wiki");
        now = at;
        step();
    }
    void fail(rh::target_id what) {
        sees(what, rh::health::unhealthy);
        step();
    }
    [[nodiscard]] const rh::incident* open() const { return e.incident_of(mysqld); }

    rh::target_id db{};
    rh::target_id mysqld{};
    rh::target_id stack{};
};

const rh::policy no_grace = rh::ladder{rh::restart_service{.attempts = 3, .within = 5min, .verify = 150s},
                                       rh::reboot_instance{.attempts = 2, .within = 1h, .verify = 12min},
                                       rh::recreate_instance{.attempts = 1, .within = 4h, .verify = 30min}}
                                .lowered();

} // namespace

TEST_SUITE("resume") {
    TEST_CASE("a name gets its old id back, whatever the order in which it is added") {
        wiki w;
        bench b{rh::three_levels.lowered()};
        REQUIRE(b.e.recover(w.records));
        const auto other = b.e.add(rh::instance{.name = "web-1", .stack = "shop"});
        const auto db = b.e.add(rh::instance{.name = "db-1", .stack = "wiki"});
        CHECK(*db == w.db);
        CHECK(*b.e.add(rh::service{.name = "mysqld", .on = *db}) == w.mysqld);
        CHECK(b.e.find(rh::level::stack, "wiki") == w.stack);
        CHECK(static_cast<std::size_t>(*other) > 2);
        CHECK(b.e.targets()[w.mysqld].parent == w.db);
        CHECK(b.e.targets()[w.db].parent == w.stack);
        CHECK(b.e.add(rh::instance{.name = "db-1"}).error().code == rh::errc::already_exists);
        b.step();
        // Only what is new is written.
        CHECK(support::records_of(b, rh::record_kind::target) == 2);
        CHECK(b.records.front().seq > w.records.back().seq);
        CHECK(b.told(rh::decision::change, rh::reason::resumed) == 1);
    }

    TEST_CASE("a call whose outcome nobody wrote down is asked for, and not made again") {
        wiki w;
        w.fail(w.mysqld);
        REQUIRE(w.count(rh::operation::restart_service) == 1);

        again a{w.records, rh::after(w.now, 20s)};
        REQUIRE(a.open() != nullptr);
        CHECK(a.open()->id == rh::incident_id{1});
        CHECK(a.calls.size() == 1);
        CHECK(a.calls[0].what.what == rh::operation::describe);
        CHECK(a.calls[0].what.key == w.calls[0].what.key);
        CHECK(a.told(rh::decision::read_back, rh::reason::resumed) == 1);
        // The cloud answers: harmless, so it counts as done and is verified.
        a.answer(rh::outcome::done());
        a.step();
        CHECK(a.open()->at == rh::phase::verifying);
        a.sees(a.mysqld, rh::health::unhealthy);
        a.pass(60s);
        CHECK(a.count(rh::operation::restart_service) == 0);
        a.pass(200s);
        // Not verified: the second attempt, with a number and a key of its own.
        a.sees(a.mysqld, rh::health::unhealthy);
        REQUIRE(a.run_for(3min));
        REQUIRE(a.count(rh::operation::restart_service) == 1);
        CHECK(a.calls.back().what.op > w.calls[0].what.op);
        CHECK(a.calls.back().what.key != w.calls[0].what.key);
        CHECK(a.open()->attempts == 2);
    }

    TEST_CASE("attempts and budgets stay spent") {
        wiki w{no_grace};
        w.fail(w.mysqld);
        for (int n = 0; n < 3; ++n) {
            w.answer(rh::outcome::failed("no"));
            REQUIRE(w.run_for(2min));
        }
        const auto reboots = w.count(rh::operation::reboot_instance);
        REQUIRE(w.count(rh::operation::restart_service) == 3);
        REQUIRE(reboots == 1);

        again a{w.records, w.now, no_grace};
        a.answer(rh::outcome::done());
        a.sees(a.mysqld, rh::health::unhealthy);
        REQUIRE(a.run_for(15min));
        CHECK(a.count(rh::operation::restart_service) == 0);
        CHECK(a.count(rh::operation::reboot_instance) == 1);
    }

    TEST_CASE("what the driver said is told to a human, by the next run too") {
        wiki w{no_grace};
        w.fail(w.mysqld);
        for (const char* said : {"no agent", "no agent", "volume v1 is detached\n"}) {
            w.answer(rh::outcome::failed(said));
            REQUIRE(w.run_for(2min));
        }
        constexpr std::string_view all = "no agent; volume v1 is detached\n"; // what is said twice is kept once
        CHECK(rh::joined(w.e.incident_of(w.mysqld)->said) == all);
        CHECK(w.records.back().kind != rh::record_kind::closed);
        CHECK(rh::why(w.e, w.mysqld).said == all);

        again a{w.records, w.now, no_grace};
        REQUIRE(a.open() != nullptr);
        CHECK(rh::joined(a.open()->said) == all);
        const std::string text = to_text(a.e, rh::why(a.e, a.mysqld));
        CHECK(text.find("; the driver said: no agent; volume v1 is detached?") != std::string::npos);
        const std::string json = to_json(a.e, rh::why(a.e, a.mysqld));
        CHECK(json.find(R"("said":"no agent; volume v1 is detached\u000a")") != std::string::npos);

        // However much it says.
        std::vector<std::string> much;
        for (int n = 0; n < 100; ++n) rh::detail::add_words(much, std::string(90, 'x') + std::to_string(n));
        REQUIRE(much.size() == 16);
        CHECK(much[7].ends_with("x7")); // the cause
        CHECK(much[8].ends_with("x92"));
        CHECK(much[15].ends_with("x99"));
    }

    TEST_CASE("what a driver says at length is cut once, and a restart cuts no more") {
        wiki w{no_grace};
        w.fail(w.mysqld);
        const std::string much(5'000, 'x');
        for (const std::string& said : {much, much, std::string{"volume v1 is detached"}}) {
            w.answer(rh::outcome::failed(said));
            REQUIRE(w.run_for(2min));
        }
        const std::vector<std::string>& said = w.e.incident_of(w.mysqld)->said;
        REQUIRE(said.size() == 2);
        CHECK(said[0].size() == 1'000);
        CHECK(said[1] == "volume v1 is detached");
        again a{w.records, w.now, no_grace};
        REQUIRE(a.open() != nullptr);
        CHECK((rh::joined(a.open()->said) == rh::joined(w.e.incident_of(w.mysqld)->said)));
    }

    TEST_CASE("what was said of a fence is told by the next run, and that of a call outlives what its read-backs say") {
        const rh::policy rules = rh::ladder{rh::recreate_instance{}}.lowered();
        constexpr std::string_view board = "the board of h-1 wants another password";
        wiki w{rules};
        w.fail(w.db);
        REQUIRE(w.count(rh::operation::fence_instance) == 1);
        w.answer(rh::outcome::failed(std::string{board}));
        w.step();
        CHECK(rh::joined(w.e.incident_of(w.db)->said) == board);
        again a{w.records, w.now, rules};
        REQUIRE(a.e.incident_of(a.db) != nullptr);
        CHECK(rh::joined(a.e.incident_of(a.db)->said) == board);

        REQUIRE(w.run_for(2min));
        REQUIRE(w.count(rh::operation::fence_instance) == 2);
        w.answer(rh::outcome::done());
        w.step();
        REQUIRE(w.count(rh::operation::recreate_instance) == 1);
        w.answer(rh::outcome::unknown("volume v1 is detached"));
        w.step();
        for (int n = 0; n < 30; ++n) {
            REQUIRE(w.calls.back().what.what == rh::operation::describe);
            w.answer(rh::outcome::unknown("request " + std::to_string(n) + " was not understood"));
            REQUIRE(w.run_for(10s));
        }
        REQUIRE(w.run_for(1h));
        CHECK(rh::joined(w.e.incident_of(w.db)->said) == std::string{board} + "; volume v1 is detached");
    }

    TEST_CASE("a budget that a closed incident has spent is spent for the next one") {
        const rh::policy rules = rh::ladder{rh::reboot_instance{.attempts = 1, .within = 1h}}.lowered();
        wiki w{rules};
        w.fail(w.db);
        w.answer(rh::outcome::done());
        w.sees(w.db, rh::health::healthy);
        w.pass(1s);
        REQUIRE(w.e.incident_of(w.db) == nullptr);

        again a{w.records, rh::after(w.now, 40min), rules}; // beyond its probation
        a.fail(a.db);
        CHECK(a.calls.empty());
        CHECK(a.told(rh::decision::climb, rh::reason::budget_spent) == 1);
    }

    TEST_CASE("an intent that was taken back has spent nothing") {
        const rh::policy rules = rh::ladder{rh::reboot_instance{.attempts = 1, .within = 1h}}.lowered();
        wiki w{rules};
        w.slow = true;
        w.fail(w.db);
        w.sees(w.db, rh::health::healthy);
        w.e.durable(w.records.back().seq);
        w.step();
        REQUIRE(w.told(rh::decision::drop, rh::reason::healthy_again) == 1);

        again a{w.records, rh::after(w.now, 1min), rules};
        a.fail(a.db);
        CHECK(a.count(rh::operation::reboot_instance) == 1);
    }

    TEST_CASE("a year later no number is given a second time") {
        wiki w;
        for (int n = 0; n < 2; ++n) {
            w.fail(w.mysqld);
            w.answer(rh::outcome::done());
            w.sees(w.mysqld, rh::health::healthy);
            w.pass(1s);
            w.pass(2h); // beyond what counts as the same failure
            REQUIRE(w.e.open_incidents() == 0);
        }
        w.now = rh::after(w.now, 24h * 365);
        REQUIRE(w.e.add(rh::instance{.name = "new"}));
        w.step();

        rh::record_digest digest;
        for (const rh::record& r : w.records) digest.add(r);
        const std::vector<rh::record> left = digest.take();
        CHECK(left.size() < w.records.size());
        CHECK(left.back().seq == w.records.back().seq);
        again a{left, w.now};
        a.fail(a.mysqld);
        REQUIRE(a.count(rh::operation::restart_service) == 1);
        CHECK(a.calls.back().what.op > w.calls.back().what.op);
        CHECK(a.open()->id > rh::incident_id{2});
    }

    TEST_CASE("what was done is verified, and has its whole time to be heard") {
        wiki w;
        w.fail(w.mysqld);
        w.answer(rh::outcome::done());
        w.step();
        REQUIRE(w.e.incident_of(w.mysqld)->at == rh::phase::verifying);

        again a{w.records, rh::after(w.now, 1h)};
        CHECK(a.calls.empty());
        REQUIRE(a.open() != nullptr);
        CHECK(a.open()->at == rh::phase::verifying);
        CHECK(a.open()->verify_by == rh::after(a.now, 150s));
        a.sees(a.mysqld, rh::health::healthy);
        a.step();
        CHECK(a.open() == nullptr);
        CHECK(a.told(rh::decision::recover, rh::reason::verified) == 1);
    }

    TEST_CASE("a re-creation that may have begun is never repeated blindly") {
        const rh::policy rules = rh::ladder{rh::recreate_instance{.attempts = 1, .within = 4h}}.lowered();
        wiki w{rules};
        w.e.observe({w.db, rh::vantage::driver_status, rh::health::unhealthy, w.now});
        w.e.observe({w.db, rh::vantage::cloud_event, rh::health::unhealthy, w.now});
        w.step();
        REQUIRE(w.calls.back().what.what == rh::operation::fence_instance);
        rh::outcome off = rh::outcome::done();
        off.seen = {.exists = true, .running = false, .cloud_id = "vm-1", .boot_id = "b-1", .host = "h-1"};
        w.answer(off);
        w.step();
        REQUIRE(w.calls.back().what.what == rh::operation::recreate_instance);

        again a{w.records, rh::after(w.now, 5s), rules};
        REQUIRE(a.calls.size() == 1);
        CHECK(a.calls[0].what.what == rh::operation::describe);
        CHECK(a.e.incident_of(a.db)->at == rh::phase::acting);
        SUBCASE("it had happened") {
            rh::outcome up = rh::outcome::done();
            up.seen = {.exists = true, .running = true, .cloud_id = "vm-2", .boot_id = "b-2", .host = "h-2"};
            a.answer(up);
            a.step();
            CHECK(a.e.incident_of(a.db)->at == rh::phase::verifying);
            CHECK(a.e.targets().cloud_id(a.db) == "vm-2");
            // The old copy is remembered: it must not be heard of again.
            a.e.sighted({a.db, "vm-1", "h-1", support::start - 1h}, a.now);
            a.step();
            CHECK(a.e.trust_broken());
        }
        SUBCASE("nobody can tell: it waits, and asks") {
            for (int n = 0; n < 20; ++n) {
                rh::outcome same = rh::outcome::done();
                same.seen = {.exists = true, .running = false, .cloud_id = "vm-1", .boot_id = "b-1", .host = "h-1"};
                a.answer(same);
                a.pass(10s);
            }
            CHECK(a.count(rh::operation::recreate_instance) == 0);
            CHECK(a.count(rh::operation::describe) > 10);
        }
    }

    TEST_CASE("a fence that may be under way comes to its end before anything else") {
        const rh::policy rules = rh::ladder{rh::recreate_instance{.attempts = 1, .within = 4h}}.lowered();
        wiki w{rules};
        w.e.observe({w.db, rh::vantage::driver_status, rh::health::unhealthy, w.now});
        w.e.observe({w.db, rh::vantage::cloud_event, rh::health::unhealthy, w.now});
        w.step();
        REQUIRE(w.count(rh::operation::fence_instance) == 1);
        again a{w.records, w.now, rules};
        a.e.observe({a.db, rh::vantage::driver_status, rh::health::unhealthy, a.now});
        a.e.observe({a.db, rh::vantage::cloud_event, rh::health::unhealthy, a.now});
        a.step();
        CHECK(a.e.incident_of(a.db)->at == rh::phase::fencing);
        CHECK(a.calls.size() == 1);
        CHECK(a.calls[0].what.what == rh::operation::describe);
        a.answer(rh::outcome::done());
        REQUIRE(a.run_for(2min));
        CHECK(a.count(rh::operation::fence_instance) == 1); // anew: nothing else proves it
    }

    TEST_CASE("a proof is not carried over: the machine is fenced again") {
        const rh::policy rules = rh::ladder{rh::recreate_instance{.attempts = 1, .within = 4h}}.lowered();
        wiki w{rules};
        w.e.observe({w.db, rh::vantage::driver_status, rh::health::unhealthy, w.now});
        w.e.observe({w.db, rh::vantage::cloud_event, rh::health::unhealthy, w.now});
        w.step();
        w.slow = true; // the intent of the re-creation gets lost
        const std::size_t safe = w.records.size();
        w.answer(rh::outcome::done());
        w.step();
        REQUIRE(w.records.size() > safe);
        std::vector<rh::record> half{w.records.begin(), w.records.begin() + static_cast<std::ptrdiff_t>(safe) + 1};
        REQUIRE(half.back().kind == rh::record_kind::outcome);
        again a{half, w.now, rules};
        CHECK(a.calls.empty());
        CHECK(a.e.incident_of(a.db)->at == rh::phase::deciding);
        a.e.observe({a.db, rh::vantage::driver_status, rh::health::unhealthy, a.now});
        a.e.observe({a.db, rh::vantage::cloud_event, rh::health::unhealthy, a.now});
        a.pass(10s); // at least between two actions on machines
        CHECK(a.count(rh::operation::fence_instance) == 1);
    }

    TEST_CASE("which copies a convergence replaced is known after a restart, also of a host that was not fenced") {
        const rh::policy converge = rh::ladder{rh::converge_stack{.approval = rh::consent::none}}.lowered();
        bench before{converge, at_once()};
        const auto vm = *before.e.add(rh::instance{.name = "vm", .stack = "s", .host = "h1", .cloud_id = "id-1"});
        before.e.host_died("h1", rh::proof_kind::fenced, before.now);
        before.sees(vm, rh::health::unhealthy);
        before.step();
        REQUIRE(before.count(rh::operation::converge_stack) == 1);
        REQUIRE(before.count(rh::operation::fence_instance) == 0);

        bench after{converge, at_once()};
        REQUIRE(after.e.recover(before.records));
        REQUIRE(*after.e.add(rh::instance{.name = "vm", .stack = "s"}) == vm);
        after.now = rh::after(before.now, 1min);
        after.step();
        after.e.sighted({vm, "id-1", "h1", after.now - 10s}, after.now);
        after.step();
        CHECK(after.told(rh::decision::change, rh::reason::returned) == 1);
    }

    TEST_CASE("maintenance, freezes, approvals, dead hosts and broken trust outlive the controller") {
        wiki w;
        w.e.operate({rh::operator_verb::maintain, w.db, "ann", "disk swap", rh::after(w.now, 1h)}, w.now);
        w.step();
        again a{w.records, rh::after(w.now, 10min)};
        a.fail(a.mysqld);
        CHECK(a.calls.empty());
        CHECK(a.e.answers_for(*a.open()).of(rh::guard::maintenance).why == rh::reason::in_maintenance);
        a.pass(51min);
        CHECK(a.count(rh::operation::restart_service) == 1);
    }

    TEST_CASE("an operator's approval is remembered, and so is a denial") {
        const rh::policy rules = rh::ladder{rh::reboot_instance{.attempts = 1, .within = 1h, .approval = rh::required},
                                            rh::rebuild_instance{.attempts = 1, .within = 4h, .approval = rh::required}}
                                     .lowered();
        wiki w{rules, at_once()};
        w.fail(w.mysqld);
        REQUIRE(w.calls.empty());
        SUBCASE("approved") {
            w.slow = true;
            w.e.operate({rh::operator_verb::approve, w.mysqld, "ann", "", rh::after(w.now, 1h)}, w.now);
            w.step();
            std::vector<rh::record> upto; // all but the intent that follows from it
            for (const rh::record& r : w.records) {
                if (r.kind == rh::record_kind::intent) break;
                upto.push_back(r);
            }
            again a{upto, w.now, rules};
            a.fail(a.mysqld);
            CHECK(a.count(rh::operation::reboot_instance) == 1);
        }
        SUBCASE("denied") {
            w.e.operate({rh::operator_verb::deny, w.mysqld, "ann", "", rh::after(w.now, 1h)}, w.now);
            w.step();
            again a{w.records, w.now, rules};
            a.fail(a.mysqld);
            CHECK(a.calls.empty());
            CHECK(a.open()->rung == 1);
        }
    }

    TEST_CASE("what an alarm was is known again, and is no evidence before it has been looked at") {
        const rh::heartbeat_alarm alarm{.period = 60s};
        wiki w;
        const auto beats = *w.e.watch(w.mysqld, alarm.rule(), w.now);
        w.e.push(beats, w.now, 1.0);
        REQUIRE(w.run_for(12min));
        REQUIRE(w.e.state(beats) == rh::alarm_state::alarm);

        bench b{rh::three_levels.lowered()};
        REQUIRE(b.e.recover(w.records));
        const auto db = *b.e.add(rh::instance{.name = "db-1", .stack = "wiki", .keep = rh::volumes});
        const auto mysqld = *b.e.add(rh::service{.name = "mysqld", .on = db});
        const auto again = *b.e.watch(mysqld, alarm.rule(), w.now);
        b.now = w.now;
        b.step();
        CHECK(b.e.health_of(mysqld) == rh::health::unknown);
        const auto change = [&]() -> const rh::event& {
            for (auto e = b.events.rbegin(); e != b.events.rend(); ++e) {
                if (e->watch == again) return *e;
            }
            return b.events.front();
        };
        SUBCASE("still raised: the change is none") {
            REQUIRE(b.run_for(2min));
            CHECK(change().from == rh::alarm_state::alarm);
            CHECK(change().to == rh::alarm_state::alarm);
            CHECK(support::records_of(b, rh::record_kind::alarm) == 0);
        }
        SUBCASE("well by now: it was raised before") {
            b.now = rh::after(b.now, 70s);
            b.e.push(again, b.now, 1.0);
            REQUIRE(b.run_for(1min));
            CHECK(change().from == rh::alarm_state::alarm);
            CHECK(change().to == rh::alarm_state::ok);
            CHECK(support::records_of(b, rh::record_kind::alarm) == 1);
        }
    }

    TEST_CASE("what was under way on a target that is not there any more is told to a human") {
        wiki w;
        w.fail(w.mysqld);
        bench b{rh::three_levels.lowered(), at_once()};
        REQUIRE(b.e.recover(w.records));
        REQUIRE(b.e.add(rh::instance{.name = "db-1", .stack = "wiki"}));
        b.now = w.now;
        b.step();
        CHECK(b.calls.empty());
        REQUIRE(b.told(rh::decision::page, rh::reason::orphaned) == 1);
        CHECK(b.e.name(b.events.back().target) == "db-1/mysqld");
    }
}
