// SPDX-License-Identifier: MIT
#include "recovery_support.hpp"

#include <doctest/doctest.h>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::guard;
using rh::health;
using rh::operation;
using rh::reason;
using support::answer_to;
using support::bench;
using support::calls_for;
using support::machines;
using support::start;

namespace {

const rh::policy reboot = rh::ladder{rh::reboot_instance{}}.lowered();

} // namespace

TEST_SUITE("priority") {
    TEST_CASE("of those that fail together the more important comes first, whatever the order of the reports") {
        machines m{reboot, {{.name = "low", .priority = 1}, {.name = "none"}, {.name = "high", .priority = 9}}};
        for (std::size_t n = 0; n < 3; ++n) m.sees(m.vm[n], health::unhealthy);
        m.step();
        REQUIRE(m.calls.size() == 1); // one in flight
        CHECK(m.calls[0].what.name == "high");
        CHECK(support::answer_of(m, m.vm[0], guard::priority).allows()); // nobody above waits for a turn any more
        REQUIRE(answer_to(m, m.vm[2], operation::reboot_instance, rh::outcome::done()));
        REQUIRE(m.run_for(20s));
        m.heal(2);
        REQUIRE(m.calls.size() == 2);
        CHECK(m.calls[1].what.name == "low");
    }

    TEST_CASE("who comes later and is more important goes before those that wait") {
        machines m{reboot, {{.name = "busy"}, {.name = "low", .priority = 1}, {.name = "high", .priority = 9}}};
        m.fail(0);
        m.fail(1);
        REQUIRE(m.run_for(1min));
        m.fail(2);
        CHECK(support::answer_of(m, m.vm[1], guard::priority).why == reason::higher_priority);
        REQUIRE(answer_to(m, m.vm[0], operation::reboot_instance, rh::outcome::done()));
        m.heal(0);
        REQUIRE(m.calls.size() == 2);
        CHECK(m.calls[1].what.name == "high");
    }

    TEST_CASE("it yields for ten minutes at most") {
        rh::policy slow_high = rh::ladder{rh::reboot_instance{.attempts = 9, .sustained = {9, 1h}}}.lowered();
        machines m{slow_high, {{.name = "low", .priority = 1}, {.name = "high", .priority = 9}}};
        m.fail(1);
        rh::outcome later = rh::outcome::refused("come back");
        later.retry_after = 1h;
        REQUIRE(answer_to(m, m.vm[1], operation::reboot_instance, later)); // it waits for its turn: backoff
        REQUIRE(m.run_for(1min));
        m.fail(0);
        CHECK(support::answer_of(m, m.vm[0], guard::priority).why == reason::higher_priority);
        CHECK(support::answer_of(m, m.vm[0], guard::priority).next == start + 1min + 600s);
        REQUIRE(m.run_until(start + 1min + 599s));
        CHECK(calls_for(m, m.vm[0], operation::reboot_instance) == 0);
        REQUIRE(m.run_until(start + 1min + 600s));
        m.step();
        CHECK(calls_for(m, m.vm[0], operation::reboot_instance) == 1);
    }

    TEST_CASE("nobody yields to what may never come: an approval, a proof, maintenance") {
        machines m{reboot, {{.name = "low", .priority = 1}, {.name = "high", .priority = 9}}};
        m.e.operate({rh::operator_verb::maintain, m.vm[1], "ann", "work", m.now + 4h}, m.now);
        m.fail(1);
        REQUIRE(m.e.incident_of(m.vm[1])->at == rh::phase::deciding);
        m.fail(0);
        CHECK(calls_for(m, m.vm[0], operation::reboot_instance) == 1);
    }

    TEST_CASE("a service has a priority of its own") {
        bench b{rh::ladder{rh::restart_service{}}.lowered(), [] {
                    rh::engine_options o = support::at_once();
                    o.bounds.services_in_flight = {5, 1};
                    return o;
                }()};
        const auto vm = *b.e.add(rh::instance{.name = "vm"});
        const auto other = *b.e.add(rh::instance{.name = "other"});
        const auto low = *b.e.add(rh::service{.name = "low", .on = vm});
        const auto high = *b.e.add(rh::service{.name = "high", .on = other, .priority = 2});
        b.sees(low, health::unhealthy);
        b.sees(high, health::unhealthy);
        b.step();
        CHECK(calls_for(b, high, operation::restart_service) == 1);
        CHECK(calls_for(b, low, operation::restart_service) == 0);
    }
}

TEST_SUITE("dependency") {
    TEST_CASE("recovery waits while what it depends on is not well, and goes on when it is") {
        machines m{reboot, {{.name = "web"}, {.name = "db"}, {.name = "x"}, {.name = "y"}}, [] {
                       rh::engine_options o = support::at_once();
                       o.bounds.in_flight = {100, 1};
                       o.bounds.between = 0s;
                       return o;
                   }()};
        REQUIRE(m.e.depend(m.vm[0], m.vm[1]));
        m.fail(1);
        m.fail(0);
        m.fail(2);
        CHECK(calls_for(m, m.vm[0], operation::reboot_instance) == 0);
        CHECK(calls_for(m, m.vm[2], operation::reboot_instance) == 1);
        CHECK(support::answer_of(m, m.vm[0], guard::dependency).why == reason::waits_for_dependency);
        CHECK(support::answer_of(m, m.vm[0], guard::dependency).next == rh::never);
        REQUIRE(answer_to(m, m.vm[1], operation::reboot_instance, rh::outcome::done()));
        m.heal(1);
        CHECK(calls_for(m, m.vm[0], operation::reboot_instance) == 1);
    }

    TEST_CASE("what is parked holds nobody up, and who waited goes on at once") {
        for (const bool dependent_first : {false, true}) {
            CAPTURE(dependent_first);
            machines m{reboot, {{.name = "web"}, {.name = "db"}}};
            const auto none = *m.e.add_policy(rh::policy{});
            m.e.use_policy(m.vm[1], none); // nothing is tried for it
            REQUIRE(m.e.depend(m.vm[0], m.vm[1]));
            m.sees(m.vm[dependent_first ? 0 : 1], health::unhealthy);
            m.sees(m.vm[dependent_first ? 1 : 0], health::unhealthy);
            support::step_as_asked(m);
            CHECK(support::phase_of(m, m.vm[1]) == rh::phase::parked);
            CHECK(calls_for(m, m.vm[0], operation::reboot_instance) == 1);
        }
    }

    TEST_CASE("a stack depends with all that is below it, and on all that is below it") {
        bench b{rh::three_levels.lowered(), support::at_once()};
        const auto web = *b.e.add(rh::instance{.name = "web", .stack = "front"});
        const auto http = *b.e.add(rh::service{.name = "http", .on = web});
        const auto db = *b.e.add(rh::instance{.name = "db", .stack = "back"});
        const auto sql = *b.e.add(rh::service{.name = "sql", .on = db});
        REQUIRE(b.e.depend(b.e.find(rh::level::stack, "front"), b.e.find(rh::level::stack, "back")));
        b.sees(sql, health::unhealthy);
        b.sees(http, health::unhealthy);
        b.step();
        CHECK(calls_for(b, sql, operation::restart_service) == 1);
        CHECK(calls_for(b, http, operation::restart_service) == 0);
    }

    TEST_CASE("a dependency of the machine that is acted upon counts for its services") {
        bench b{rh::ladder{rh::reboot_instance{}}.lowered(), support::at_once()};
        const auto web = *b.e.add(rh::instance{.name = "web"});
        const auto http = *b.e.add(rh::service{.name = "http", .on = web});
        const auto db = *b.e.add(rh::instance{.name = "db"});
        REQUIRE(b.e.depend(web, db));
        b.sees(db, health::unhealthy);
        b.sees(http, health::unhealthy);
        b.step();
        CHECK(calls_for(b, web, operation::reboot_instance) == 0);
    }

    TEST_CASE("an unknown target and every circle is refused, by way of others and of parents too") {
        bench b{reboot, support::at_once()};
        const auto a = *b.e.add(rh::instance{.name = "a", .stack = "one"});
        const auto s = *b.e.add(rh::service{.name = "s", .on = a});
        const auto c = *b.e.add(rh::instance{.name = "c"});
        const auto d = *b.e.add(rh::instance{.name = "d"});
        const auto one = b.e.find(rh::level::stack, "one");
        CHECK(b.e.depend(a, rh::target_id{99}).error().code == rh::errc::not_found);
        CHECK(b.e.depend(rh::target_id{99}, a).error().code == rh::errc::not_found);
        CHECK(b.e.depend(a, a).error().code == rh::errc::invalid_argument);
        CHECK_FALSE(b.e.depend(a, one));
        CHECK_FALSE(b.e.depend(one, s));
        REQUIRE(b.e.depend(a, c));
        REQUIRE(b.e.depend(c, d));
        REQUIRE(b.e.depend(a, d));
        CHECK_FALSE(b.e.depend(c, a));
        CHECK_FALSE(b.e.depend(d, a));
        CHECK_FALSE(b.e.depend(d, one)); // its instance needs d
        CHECK_FALSE(b.e.depend(d, s));   // so does what runs there
        b.sees(d, health::unhealthy);
        b.step();
        CHECK(calls_for(b, d, operation::reboot_instance) == 1);
    }
}
