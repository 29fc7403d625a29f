// SPDX-License-Identifier: MIT
// What a human hears of a wait: once of each, and of another one again.
#include <reheat/engine/engine.hpp>

#include "recovery_support.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
namespace rh = reheat;
using rh::decision;
using rh::reason;
using support::wiki;

namespace {

/// A service whose second step is its machine's, and a machine whose first step that is.
const rh::policy by_approval =
    rh::ladder{rh::reboot_instance{.attempts = 2, .within = 24h, .verify = 2min, .approval = rh::required},
               rh::rebuild_instance{.attempts = 1, .within = 24h, .verify = 2min, .approval = rh::required}}
        .lowered();

/// Says no as long as it is told to.
struct shut_door {
    [[nodiscard]] rh::guard_answer ask(const rh::guard_question&) const noexcept {
        return shut ? rh::guard_answer{reason::custom_guard} : rh::guard_answer{};
    }
    bool shut = false;
};

struct house : wiki {
    house() : wiki{by_approval} { e.add_guard(door); }
    void approve(rh::target_id what, rh::duration lasts = 24h) {
        e.operate({rh::operator_verb::approve, what, "ann", "", rh::after(now, lasts)}, now);
        step();
    }
    /// The action helps its own target and not the service's.
    void help_only(rh::target_id what) {
        answer(rh::outcome::done());
        step();
        sees(what, rh::health::healthy);
        sees(mysqld, rh::health::unhealthy);
        pass(3min);
        REQUIRE(e.incident_of(what) == nullptr);
    }
    [[nodiscard]] std::size_t pages_about(rh::target_id what) const {
        std::size_t n = 0;
        for (const rh::event& v : events)
            n += v.what == decision::page && v.why == reason::waited_long && v.target == what ? 1U : 0U;
        return n;
    }
    /// The guards that the newest page of a wait names.
    [[nodiscard]] std::uint32_t named() const {
        std::uint32_t denied = 0;
        for (const rh::event& v : events) denied = v.why == reason::waited_long ? v.denied : denied;
        return denied;
    }
    shut_door door;
};

} // namespace

TEST_SUITE("long waits") {
    TEST_CASE("one wait is paged once, however long it lasts and whatever joins it") {
        house h;
        h.fail(h.db);
        REQUIRE(h.run_for(11min));
        REQUIRE(h.pages_about(h.db) == 1);
        h.door.shut = true;
        h.sees(h.db, rh::health::unhealthy);
        REQUIRE(h.run_for(1h));
        h.door.shut = false;
        h.sees(h.db, rh::health::unhealthy);
        REQUIRE(h.run_for(5h));
        CHECK(h.pages_about(h.db) == 1);
    }

    TEST_CASE("who did what the page asked for hears of what stands in the way then") {
        house h;
        h.fail(h.db);
        REQUIRE(h.run_for(11min));
        REQUIRE(h.named() == bit(rh::guard::approval));
        h.door.shut = true;
        h.approve(h.db);
        CHECK(h.calls.empty());
        REQUIRE(h.run_for(9min));
        CHECK(h.pages_about(h.db) == 1);
        REQUIRE(h.run_for(2min));
        CHECK(h.pages_about(h.db) == 2);
        CHECK((h.named() & bit(rh::guard::custom)) != 0);
        REQUIRE(h.run_for(3h));
        CHECK(h.pages_about(h.db) == 2);
    }

    TEST_CASE("a wait after a release: for what was paged nobody is called again, for anything else once") {
        house h;
        h.fail(h.db);
        h.fail(h.mysqld);
        REQUIRE(h.run_for(11min));
        REQUIRE(h.pages_about(h.mysqld) == 1);
        // The machine's own action takes the service's incident along.
        h.approve(h.db, 1min);
        REQUIRE(h.calls.size() == 1);
        const rh::incident* const service = h.e.incident_of(h.mysqld);
        REQUIRE(service->at == rh::phase::absorbed);
        SUBCASE("it still waits for what was paged") {
            h.help_only(h.db);
            REQUIRE(h.run_for(20min));
            REQUIRE(service->at == rh::phase::deciding);
            CHECK(support::answer_of(h, h.mysqld, rh::guard::approval).why == reason::approval_required);
            CHECK(h.pages_about(h.mysqld) == 1);
        }
        SUBCASE("approved, it waits for something else") {
            h.door.shut = true;
            h.help_only(h.db);
            h.approve(h.mysqld);
            REQUIRE(h.run_for(20min));
            CHECK((h.named() & bit(rh::guard::approval)) == 0);
            CHECK((h.named() & bit(rh::guard::custom)) != 0);
            CHECK(h.pages_about(h.mysqld) == 2);
        }
    }
}
