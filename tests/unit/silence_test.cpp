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
using support::machines;
using support::numbered;
using support::start;

namespace {

constexpr rh::target_id t(std::uint32_t n) { return rh::target_id{n}; }

/// So many machines that beat.
rh::silence_watch beating(std::uint32_t many, const rh::silence_limits& bounds = {}) {
    rh::silence_watch s{bounds};
    for (std::uint32_t n = 0; n < many; ++n) s.beats(t(n));
    s.look(start);
    return s;
}

rh::observed runs(bool is) {
    rh::observed seen;
    seen.exists = true;
    seen.running = is;
    return seen;
}

std::vector<rh::instance> in_east(std::size_t many) {
    rh::instance like{.name = {}};
    like.zone = "east";
    return numbered(many, like);
}

const rh::policy recreate = rh::ha_restarter.lowered();

} // namespace

TEST_SUITE("silence") {
    TEST_CASE("three that fall silent in two domains are wide: the observer may be the one who is cut off") {
        rh::silence_watch s = beating(100);
        s.falls_silent(t(1), 1, start);
        s.falls_silent(t(2), 2, start);
        s.look(start);
        CHECK_FALSE(s.wide()); // two are not enough
        s.falls_silent(t(3), 1, start + 1s);
        s.look(start + 1s);
        CHECK(s.wide());
        CHECK_FALSE(s.cliff());
        CHECK(s.newest_lost() == t(3));
        CHECK(s.beating() == 97);

        rh::silence_watch one_domain = beating(100);
        for (std::uint32_t n = 0; n < 40; ++n) one_domain.falls_silent(t(n), 7, start);
        one_domain.look(start);
        CHECK_FALSE(one_domain.wide()); // one dead rack is no doubt
    }

    TEST_CASE("what fell silent longer ago than a period does not count any more") {
        rh::silence_watch s = beating(100);
        s.falls_silent(t(1), 1, start);
        s.falls_silent(t(2), 2, start);
        s.look(start);
        s.falls_silent(t(3), 3, start + 60s);
        s.look(start + 60s);
        CHECK(s.wide()); // at the edge
        s.look(start + 60s + 1ns);
        CHECK_FALSE(s.wide());
        CHECK(s.newest_lost() == t(3));
        s.look(start + 3min);
        CHECK(s.newest_lost() == rh::no_target);
    }

    TEST_CASE("what returns is no silence") {
        rh::silence_watch s = beating(100);
        for (std::uint32_t n = 0; n < 3; ++n) s.falls_silent(t(n), n, start);
        s.look(start);
        REQUIRE(s.wide());
        s.beats(t(0));
        s.look(start + 1s);
        CHECK_FALSE(s.wide());
        CHECK(s.newest_lost() != t(0));
    }

    TEST_CASE("what is lost and heard again in one step was not lost") {
        rh::silence_watch s = beating(100);
        for (std::uint32_t n = 0; n < 3; ++n) s.falls_silent(t(n), n, start);
        s.beats(t(2));
        s.look(start);
        CHECK_FALSE(s.wide());
    }

    TEST_CASE("more than half of three heartbeats lost within a period is a cliff") {
        rh::silence_watch three = beating(3);
        three.falls_silent(t(0), 0, start);
        three.look(start);
        CHECK_FALSE(three.cliff());
        three.falls_silent(t(1), 0, start);
        three.look(start);
        CHECK(three.cliff());
        CHECK(three.in_cliff(t(0)));
        CHECK(three.in_cliff(t(1)));
        CHECK_FALSE(three.in_cliff(t(2)));
        CHECK_FALSE(three.in_cliff(t(99)));

        rh::silence_watch between = beating(4);
        for (const std::uint32_t n : {0U, 1U, 3U}) between.falls_silent(t(n), 0, start);
        between.look(start);
        CHECK(between.in_cliff(t(3)));
        CHECK_FALSE(between.in_cliff(t(2)));

        rh::silence_watch four = beating(4);
        four.falls_silent(t(0), 0, start);
        four.falls_silent(t(1), 0, start);
        four.look(start);
        CHECK_FALSE(four.cliff()); // half is not more than half

        rh::silence_watch two = beating(2);
        two.falls_silent(t(0), 0, start);
        two.falls_silent(t(1), 0, start);
        two.look(start);
        CHECK_FALSE(two.cliff()); // of so few one can not tell
    }

    TEST_CASE("a slow loss is no cliff") {
        rh::silence_watch s = beating(10);
        for (std::uint32_t n = 0; n < 10; ++n) {
            const rh::time_point at = start + n * 61s;
            s.falls_silent(t(n), 0, at);
            s.look(at);
            // Until only three are left and two of them were lost in one period.
            CHECK_FALSE(s.cliff());
        }
        CHECK(s.beating() == 0);
    }

    TEST_CASE("a cliff lasts until no more than the share is lost, however long that takes") {
        rh::silence_watch s = beating(4);
        for (std::uint32_t n = 0; n < 3; ++n) s.falls_silent(t(n), 0, start);
        s.look(start);
        REQUIRE(s.cliff());
        s.look(start + 5h);
        CHECK(s.cliff());
        CHECK(s.in_cliff(t(2)));
        s.beats(t(1));
        s.look(start + 5h);
        CHECK_FALSE(s.cliff()); // two of four
        CHECK_FALSE(s.in_cliff(t(2)));
    }

    TEST_CASE("what is forgotten is neither heard nor lost") {
        rh::silence_watch s = beating(4);
        s.forget(t(3));
        CHECK(s.beating() == 3);
        s.falls_silent(t(0), 0, start);
        s.falls_silent(t(1), 0, start);
        s.look(start);
        REQUIRE(s.cliff());
        s.forget(t(0));
        s.look(start);
        CHECK_FALSE(s.cliff());
        rh::silence_watch none{rh::silence_limits{}};
        none.forget(t(1)); // more than beat
        none.falls_silent(t(1), 0, start);
        none.look(start);
        CHECK(none.beating() == 0);
        none.beats(t(1));
        none.look(start);
        none.look(start);
        CHECK(none.newest_lost() == rh::no_target);
    }
}

TEST_SUITE("silence: the engine doubts itself first") {
    const auto two_zones = [] {
        std::vector<rh::instance> all = numbered(30);
        for (std::size_t n = 0; n < all.size(); ++n) {
            all[n].zone = n % 2 == 0 ? "east" : "west";
            all[n].stack = "s";
        }
        return all;
    };

    TEST_CASE("a wide silence while the driver does not answer freezes everything, and is paged once") {
        machines m{recreate, two_zones()};
        REQUIRE(m.minute());
        REQUIRE(m.minute({0, 1, 2}));
        CHECK(m.e.doubts_itself());
        CHECK(m.told(decision::wait, reason::silence_is_ours) >= 1);
        CHECK(m.count(operation::describe) >= 1);
        CHECK(m.count(operation::fence_instance) == 0);
        REQUIRE(m.e.incident_of(m.vm[0]) != nullptr);
        const rh::guard_answer a = support::answer_of(m, m.vm[0], guard::freeze);
        CHECK(a.why == reason::silence_is_ours);
        CHECK(a.next == rh::never); // only an answer can change it
        for (int n = 0; n < 30; ++n) REQUIRE(m.minute({0, 1, 2}));
        CHECK(m.count(operation::fence_instance) == 0);
        CHECK(m.e.doubts_itself());
        CHECK(m.told(decision::page, reason::silence_is_ours) == 1);
        CHECK(m.told(decision::page, reason::waited_long) == 0); // not once for each that it holds
        CHECK(m.count(operation::describe) > 50);                // it goes on asking

        m.answer(rh::outcome::done(runs(false)));
        m.step();
        CHECK_FALSE(m.e.doubts_itself());
        CHECK(m.told(decision::release, reason::silence_is_ours) == 1);
        CHECK(m.count(operation::fence_instance) == 0); // who was cut off listens first: they may be heard again
        CHECK(support::answer_of(m, m.vm[0], guard::freeze).next == m.now + 2min);
        REQUIRE(m.minute({0, 1, 2}));
        CHECK(m.count(operation::fence_instance) == 0);
        REQUIRE(m.minute({0, 1, 2}));
        REQUIRE(m.run_for(1s));
        CHECK(m.count(operation::fence_instance) >= 1);
    }

    TEST_CASE("a driver that fails has answered; one that does not know has not") {
        machines m{recreate, two_zones()};
        REQUIRE(m.minute());
        REQUIRE(m.minute({0, 1, 2}));
        REQUIRE(m.e.doubts_itself());
        m.answer(rh::outcome::unknown("timeout"));
        m.step();
        CHECK(m.e.doubts_itself());
        REQUIRE(m.run_for(10s));
        m.answer(rh::outcome::failed("500"));
        m.step();
        CHECK_FALSE(m.e.doubts_itself());
    }

    TEST_CASE("a doubt ends also when all return before the driver answers") {
        machines m{recreate, two_zones()};
        REQUIRE(m.minute());
        REQUIRE(m.minute({0, 1, 2}));
        REQUIRE(m.e.doubts_itself());
        for (int n = 0; n < 5; ++n) REQUIRE(m.minute());
        if (m.e.doubts_itself()) {
            const std::size_t asked = m.count(operation::describe);
            REQUIRE(m.minute());
            CHECK(m.count(operation::describe) > asked); // it has to go on asking, or would stay frozen for ever
            m.answer(rh::outcome::done(runs(true)));
            m.step();
        }
        CHECK_FALSE(m.e.doubts_itself());
        REQUIRE(m.minute());
        REQUIRE(m.minute());
        REQUIRE(m.minute({5}));
        CHECK(support::calls_for(m, m.vm[5], operation::fence_instance) == 1);
    }

    TEST_CASE("silence in one domain alone is no doubt of oneself") {
        std::vector<rh::instance> all = in_east(10);
        machines m{recreate, all};
        REQUIRE(m.minute());
        REQUIRE(m.minute({0, 1, 2}));
        CHECK_FALSE(m.e.doubts_itself());
        CHECK(m.count(operation::fence_instance) == 1); // one at a time, and it begins
    }

    TEST_CASE("a cliff holds the fence, asks the cloud, and yields to a second vantage") {
        machines m{recreate, in_east(3)};
        REQUIRE(m.minute());
        REQUIRE(m.minute({0, 1}));
        CHECK(m.count(operation::fence_instance) == 0);
        CHECK(support::answer_of(m, m.vm[0], guard::freeze).why == reason::silence_cliff);
        CHECK(support::calls_for(m, m.vm[0], operation::describe) >= 1);
        CHECK(support::calls_for(m, m.vm[1], operation::describe) >= 1);

        REQUIRE(support::answer_to(m, m.vm[0], operation::describe, rh::outcome::done(runs(true))));
        CHECK(m.count(operation::fence_instance) == 0); // it runs, and is only silent
        REQUIRE(support::answer_to(m, m.vm[1], operation::describe, rh::outcome::done(runs(false))));
        CHECK(support::calls_for(m, m.vm[1], operation::fence_instance) == 1);
        CHECK(support::calls_for(m, m.vm[0], operation::fence_instance) == 0);
    }

    TEST_CASE("what the cloud said of a machine in a cliff is asked again when it is old") {
        machines m{recreate, in_east(3)};
        REQUIRE(m.minute());
        REQUIRE(m.minute({0, 1}));
        REQUIRE(support::answer_to(m, m.vm[0], operation::describe, rh::outcome::done(runs(true))));
        const std::size_t asked = support::calls_for(m, m.vm[0], operation::describe);
        REQUIRE(m.run_for(4min));
        CHECK(support::calls_for(m, m.vm[0], operation::describe) == asked);
        REQUIRE(m.run_for(2min));
        CHECK(support::calls_for(m, m.vm[0], operation::describe) > asked);
    }

    TEST_CASE("a description that says nothing of the machine is no evidence") {
        machines m{recreate, in_east(3)};
        REQUIRE(m.minute());
        REQUIRE(m.minute({0, 1}));
        REQUIRE(support::answer_to(m, m.vm[0], operation::describe, rh::outcome::done()));
        CHECK(m.count(operation::fence_instance) == 0);
        CHECK(support::answer_of(m, m.vm[0], guard::freeze).why == reason::silence_cliff);
        rh::observed gone;
        gone.exists = false;
        REQUIRE(support::answer_to(m, m.vm[1], operation::describe, rh::outcome::done(gone)));
        CHECK(support::calls_for(m, m.vm[1], operation::fence_instance) == 1); // a 404 is evidence, if no proof
    }

    TEST_CASE("a cliff is over when the machines return") {
        machines m{recreate, in_east(3)};
        REQUIRE(m.minute());
        REQUIRE(m.minute({0, 1}));
        REQUIRE(m.e.open_incidents() == 2);
        REQUIRE(m.minute({0}));
        REQUIRE(m.run_for(1s));
        CHECK(m.e.open_incidents() == 1);
        CHECK(support::calls_for(m, m.vm[0], operation::fence_instance) == 1);
    }

    TEST_CASE("a cliff does not hold what needs no proof") {
        machines m{rh::ladder{rh::reboot_instance{}}.lowered(), in_east(3)};
        REQUIRE(m.minute());
        REQUIRE(m.minute({0, 1}));
        CHECK(m.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("what our own action silences is no news") {
        rh::engine_options o = support::at_once();
        o.bounds.in_flight = {100, 1};
        o.bounds.between = 0s;
        machines m{rh::ladder{rh::reboot_instance{}}.lowered(), in_east(4), o};
        REQUIRE(m.minute());
        for (std::size_t n = 0; n < 3; ++n) m.fail(n);
        REQUIRE(m.count(operation::reboot_instance) == 3);
        for (std::size_t n = 0; n < 3; ++n)
            REQUIRE(support::answer_to(m, m.vm[n], operation::reboot_instance, rh::outcome::done()));
        const std::size_t opened = m.told(decision::open, reason::alarm_raised);
        for (int n = 0; n < 9; ++n) REQUIRE(m.minute({0, 1, 2}));
        CHECK_FALSE(m.e.doubts_itself());
        CHECK(m.told(decision::open, reason::alarm_raised) == opened);
        CHECK(m.told(decision::wait, reason::silence_is_ours) == 0);
    }

    TEST_CASE("an engine that comes late discards what it missed, and says how late it was") {
        machines m{recreate, numbered(3)};
        REQUIRE(m.minute());
        m.pass(10min); // nobody stepped it
        CHECK(m.told(decision::ignore, reason::stepped_late) == 1);
        CHECK(m.e.open_incidents() == 0);
        const auto late = std::find_if(m.events.begin(), m.events.end(),
                                       [](const rh::event& v) { return v.why == reason::stepped_late; });
        CHECK(late->value > 500);
        CHECK(to_text(m.e, *late).find("late=") != std::string::npos);
        CHECK(to_json(m.e, *late).find("\"late_s\":") != std::string::npos);
    }

    TEST_CASE("a clock that goes back is told once until it has caught up, and discards what was heard") {
        machines m{recreate, numbered(3)};
        REQUIRE(m.minute());
        const rh::time_point before = m.now;
        for (int n = 0; n < 3; ++n) m.at(before - 1h + n * 1min);
        CHECK(m.told(decision::ignore, reason::clock_jumped) == 1);
        const rh::event v = m.events.back();
        CHECK(v.value == 3600);
        CHECK(to_text(m.e, v).find("back=3600s") != std::string::npos);
        CHECK(to_json(m.e, v).find("\"back_s\":3600") != std::string::npos);
        CHECK(m.e.now() == before);
        m.at(before - 3s); // within what is let pass, and still behind
        m.at(before);
        m.at(before - 1h);
        CHECK(m.told(decision::ignore, reason::clock_jumped) == 2);
        CHECK(m.e.open_incidents() == 0);
    }
}
