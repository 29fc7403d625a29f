// SPDX-License-Identifier: MIT
#include <reheat/engine/recording_text.hpp>
#include <reheat/runner/circuit_breaker_driver.hpp>
#include <reheat/runner/deadline_driver.hpp>
#include <reheat/runner/fault_injection_driver.hpp>
#include <reheat/runner/rate_limit_driver.hpp>
#include <reheat/runner/recording_driver.hpp>
#include <reheat/runner/retry_driver.hpp>
#include <reheat/sim/recorded_cloud.hpp>

#include "wrapper_support.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <set>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::operation;
using rh::outcome;
using rh::outcome_code;
using rh::time_view;
using support::notebook;
using wrapper_support::busy;
using wrapper_support::caller;

TEST_SUITE("deadline_driver") {
    TEST_CASE("an answer in time passes, whatever it is") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::deadline_driver patient{cloud, time_view{clock}, {.limit = 30s}};
        me.reboot(patient);
        me.describe(patient);
        REQUIRE(cloud.kept.size() == 2);
        CHECK(cloud.calls[0].name == "a machine whose name is no short text");
        CHECK(patient.poll(clock.now()) == clock.now() + 30s);
        clock.advance(29s);
        cloud.kept[0](outcome::failed("its host does not answer"));
        REQUIRE(me.heard().size() == 1);
        CHECK(me.latest().op == static_cast<rh::op_id>(1));
        CHECK(me.latest().code == outcome_code::failed);
        CHECK(me.latest().reason == "its host does not answer");
        cloud.kept[1](outcome::done());
        clock.advance(10s);
        CHECK(patient.poll(clock.now()) == rh::never);
        CHECK(me.heard().size() == 2);
        CHECK(patient.missed() == 0);
    }

    TEST_CASE("a call without an answer is unknown at its limit, and what comes later is dropped") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::deadline_driver patient{cloud, time_view{clock}, {.limit = 30s}};
        me.reboot(patient);
        clock.advance(30s - 1ns);
        CHECK(patient.poll(clock.now()) == clock.now() + 1ns);
        CHECK(me.heard().empty());
        clock.advance(1ns);
        CHECK(patient.poll(clock.now()) == clock.now()); // come back: there is an answer
        REQUIRE(me.heard().size() == 1);
        CHECK(me.latest().code == outcome_code::unknown);
        CHECK(patient.missed() == 1);
        CHECK(patient.poll(clock.now()) == rh::never);
        cloud.kept[0](outcome::done());
        cloud.kept[0](outcome::done());
        cloud.kept.clear();
        CHECK(me.heard().size() == 1);
    }

    TEST_CASE("an operation can have a limit of its own") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::deadline_driver patient{cloud, time_view{clock},
                                    rh::deadline_options{.limit = 1min}.set(operation::describe, 5s)};
        me.reboot(patient);
        me.describe(patient);
        clock.advance(5s);
        CHECK(patient.poll(clock.now()) == clock.now());
        REQUIRE(me.heard().size() == 1);
        CHECK(me.latest().op == static_cast<rh::op_id>(2));
        CHECK(patient.poll(clock.now()) == clock.now() + 55s);
    }

    TEST_CASE("the driver is told the earlier of the two deadlines") {
        struct {
            void describe(const rh::request& r, rh::completion done) {
                told = r.deadline;
                done(outcome::done());
            }
            rh::time_point told{};
        } cloud;
        rh::manual_clock clock;
        caller me;
        rh::deadline_driver patient{cloud, time_view{clock}, {.limit = 30s}};
        me.describe(patient);
        CHECK(cloud.told == clock.now() + 30s);
        me.describe(patient, clock.now() + 40s);
        CHECK(cloud.told == clock.now() + 30s);
        me.describe(patient, clock.now() + 20s);
        CHECK(cloud.told == clock.now() + 20s);
    }

    TEST_CASE("an answer inside the call, a second one and none at all pass as they are") {
        rh::manual_clock clock;
        notebook cloud;
        cloud.answer(operation::reboot_instance, outcome::done());
        caller me;
        rh::deadline_driver patient{cloud, time_view{clock}};
        me.reboot(patient);
        REQUIRE(me.heard().size() == 1);
        me.describe(patient);
        cloud.kept[0](outcome::done());
        cloud.kept[0](outcome::failed("no"));
        REQUIRE(me.heard().size() == 3);
        CHECK(me.latest().repeated);
        me.describe(patient);
        cloud.kept.clear();
        CHECK(me.heard().size() == 4);
        CHECK(me.latest().code == outcome_code::unknown);
        CHECK(me.latest().reason == "abandoned");
    }

    TEST_CASE("a driver may answer when the wrapper is gone") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        {
            rh::deadline_driver patient{cloud, time_view{clock}};
            me.reboot(patient);
        }
        cloud.kept[0](outcome::done());
        CHECK(me.latest().code == outcome_code::done);
    }
}

TEST_SUITE("retry_driver") {
    const rh::retry_options exact{.most_calls = 4, .wait = {1s, 30s, false, 0}};

    TEST_CASE("what the cloud refuses for now is asked for again, with the same key, when the cloud said") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::retry_driver again{cloud, time_view{clock}, exact};
        me.reboot(again);
        cloud.kept[0](busy(20s));
        CHECK(me.heard().empty());
        CHECK(me.wakes() == 1); // whoever sleeps has to ask when to come back
        CHECK(again.poll(clock.now()) == clock.now() + 20s);
        clock.advance(20s);
        CHECK(again.poll(clock.now()) == clock.now());
        REQUIRE(cloud.calls.size() == 2);
        CHECK(cloud.calls[1].what == operation::reboot_instance);
        CHECK(cloud.calls[1].op == cloud.calls[0].op);
        CHECK(cloud.calls[1].name == "a machine whose name is no short text");
        CHECK(again.poll(clock.now()) == rh::never);
        cloud.kept[1](outcome::done());
        REQUIRE(me.heard().size() == 1);
        CHECK(me.latest().code == outcome_code::done);
        CHECK_FALSE(me.latest().repeated);
        CHECK(again.repeats() == 1);
    }

    TEST_CASE("the key of a repeat is the key of the first call") {
        struct by_key {
            void describe(const rh::request& r, rh::completion done) {
                keys.push_back(r.key);
                done(keys.size() < 3 ? outcome::unknown("?") : outcome::done());
            }
            std::vector<std::uint64_t> keys;
        } cloud;
        rh::manual_clock clock;
        caller me;
        rh::retry_driver again{cloud, time_view{clock}, exact};
        me.describe(again);
        CHECK(again.poll(clock.now()) == clock.now() + 1s);
        clock.advance(1s);
        static_cast<void>(again.poll(clock.now()));
        CHECK(again.poll(clock.now()) == clock.now() + 2s); // the waits double
        clock.advance(2s);
        static_cast<void>(again.poll(clock.now()));
        CHECK(cloud.keys == std::vector<std::uint64_t>{1001, 1001, 1001});
        CHECK(me.latest().code == outcome_code::done);
    }

    TEST_CASE("what is not safe to repeat comes out at once") {
        struct {
            operation what;
            outcome answer;
        } const table[]{
            {operation::reboot_instance, outcome::done()},
            {operation::reboot_instance, outcome::unknown("it may have happened")},
            {operation::reboot_instance, outcome::refused("no such instance")}, // a reason, not a moment
            {operation::reboot_instance, outcome::failed("the guest hangs")},   // for the ladder to count
            {operation::reboot_instance, busy(20s, outcome_code::unknown)},     // the same with a wish
            {operation::reboot_instance, busy(31s)},                            // longer than is waited here
            {operation::recreate_instance, busy(20s)},                          // the proof is spent
            {operation::recreate_instance, busy(20s, outcome_code::failed)},
            {operation::describe, outcome::done()},
        };
        for (const auto& c : table) {
            CAPTURE(to_string(c.what));
            CAPTURE(to_string(c.answer.code));
            rh::manual_clock clock;
            notebook cloud;
            cloud.answer(c.what, c.answer);
            caller me;
            rh::retry_driver again{cloud, time_view{clock}, exact};
            if (c.what == operation::reboot_instance) me.reboot(again);
            if (c.what == operation::recreate_instance) me.recreate(again);
            if (c.what == operation::describe) me.describe(again);
            REQUIRE(me.heard().size() == 1);
            CHECK(me.latest().code == c.answer.code);
            CHECK(me.latest().reason == c.answer.reason);
            CHECK(me.latest().retry_after == c.answer.retry_after);
            CHECK(again.poll(clock.now()) == rh::never);
            CHECK(cloud.calls.size() == 1);
        }
    }

    TEST_CASE("after so many calls the last answer comes out") {
        rh::manual_clock clock;
        notebook cloud;
        cloud.answer(operation::describe, outcome::unknown("nobody there"));
        caller me;
        rh::retry_driver again{cloud, time_view{clock}, exact};
        me.describe(again);
        for (rh::time_point due = again.poll(clock.now()); due != rh::never; due = again.poll(clock.now()))
            clock.advance_to(due);
        CHECK(cloud.calls.size() == 4);
        CHECK(clock.now() == support::start + 7s); // 1 + 2 + 4
        REQUIRE(me.heard().size() == 1);
        CHECK(me.latest().reason == "nobody there");
    }

    TEST_CASE("nothing is repeated that the engine does not wait for any more") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::retry_driver again{cloud, time_view{clock}, exact};
        me.reboot(again, clock.now() + 20s);
        cloud.kept[0](busy(20s));
        REQUIRE(me.heard().size() == 1);
        CHECK(me.latest().code == outcome_code::refused);

        me.reboot(again, clock.now() + 20s);
        cloud.kept[1](busy(19s));
        CHECK(me.heard().size() == 1);
        clock.advance(25s); // polled too late
        CHECK(again.poll(clock.now()) == clock.now());
        REQUIRE(me.heard().size() == 2);
        CHECK(me.latest().code == outcome_code::refused);
        CHECK(me.latest().retry_after == 19s);
        CHECK(cloud.calls.size() == 2);
    }

    TEST_CASE("a second answer passes only if the first one did") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::retry_driver again{cloud, time_view{clock}, exact};
        me.reboot(again);
        cloud.kept[0](busy(5s));
        cloud.kept[0](outcome::done()); // of a call that was refused: worth nothing
        CHECK(me.heard().empty());
        clock.advance(5s);
        static_cast<void>(again.poll(clock.now()));
        cloud.kept[1](outcome::done());
        cloud.kept[1](outcome::failed("no"));
        cloud.kept[0](outcome::done());
        REQUIRE(me.heard().size() == 2);
        CHECK(me.heard()[0].code == outcome_code::done);
        CHECK(me.heard()[1].repeated);
    }

    TEST_CASE("what waits when the wrapper ends comes out as it was answered") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        {
            rh::retry_driver again{cloud, time_view{clock}, exact};
            me.reboot(again);
            me.describe(again);
            cloud.kept[0](busy(5s));
        }
        REQUIRE(me.heard().size() == 1);
        CHECK(me.latest().code == outcome_code::refused);
        cloud.kept[1](outcome::done());
        CHECK(me.latest().code == outcome_code::done);
    }
}

TEST_SUITE("rate_limit_driver") {
    TEST_CASE("a burst passes, the rest waits for its turn, in order") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::rate_limit_driver slow{cloud, time_view{clock}, {.calls = 1, .per = 2s, .burst = 3, .most_wait = 10s}};
        for (int n = 0; n < 6; ++n) me.reboot(slow);
        CHECK(cloud.calls.size() == 3);
        CHECK(slow.waiting_calls() == 3);
        for (int n = 4; n <= 6; ++n) {
            CHECK(slow.poll(clock.now()) == clock.now() + 2s);
            clock.advance(2s);
            CHECK(slow.poll(clock.now()) == clock.now());
            CHECK(cloud.calls.size() == static_cast<std::size_t>(n));
            CHECK(cloud.calls.back().op == static_cast<rh::op_id>(n));
            CHECK(cloud.calls.back().name == "a machine whose name is no short text");
        }
        CHECK(slow.poll(clock.now()) == rh::never);
        CHECK(cloud.kept.size() == 6); // the completions are the caller's own
        cloud.kept[5](outcome::done());
        CHECK(me.latest().op == static_cast<rh::op_id>(6));
    }

    TEST_CASE("in an hour there are as many calls as the rate has, and a burst") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::rate_limit_driver slow{cloud, time_view{clock}, {.calls = 7, .per = 60s, .burst = 5, .most_wait = 0s}};
        std::size_t in_last_minute = 0;
        for (int second = 0; second < 3600; ++second) {
            const std::size_t before = cloud.calls.size();
            for (int n = 0; n < 3; ++n) me.describe(slow);
            static_cast<void>(slow.poll(clock.now()));
            if (second >= 3540) in_last_minute += cloud.calls.size() - before;
            clock.advance(1s);
        }
        CHECK(cloud.calls.size() >= 7 * 60 + 4);
        CHECK(cloud.calls.size() <= 7 * 60 + 5);
        CHECK(in_last_minute <= 8);
        CHECK(slow.waiting_calls() == 0);
    }

    TEST_CASE("what would wait too long is answered at once, with the time to wait") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::rate_limit_driver slow{cloud, time_view{clock}, {.calls = 1, .per = 10s, .burst = 1, .most_wait = 10s}};
        me.reboot(slow);
        me.reboot(slow);
        CHECK(me.heard().empty());
        me.reboot(slow);
        REQUIRE(me.heard().size() == 1);
        CHECK(me.latest().code == outcome_code::refused);
        CHECK(me.latest().retry_after == 20s);
        me.describe(slow); // whose answer would say that the cloud answers
        CHECK(me.latest().code == outcome_code::unknown);
        CHECK(me.latest().retry_after == 20s); // a refused call took no turn
        clock.advance(10s);
        static_cast<void>(slow.poll(clock.now()));
        me.reboot(slow);
        CHECK(me.heard().size() == 2);
        CHECK(slow.waiting_calls() == 1);
    }

    TEST_CASE("nothing waits beyond its deadline or its proof") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::rate_limit_driver slow{cloud, time_view{clock}, {.calls = 1, .per = 10s, .burst = 1, .most_wait = 1h}};
        me.reboot(slow);
        me.reboot(slow, clock.now() + 10s);
        CHECK(me.latest().reason == "over the rate limit");
        me.recreate(slow, clock.now() + 10s);
        CHECK(me.heard().size() == 2);
        CHECK(me.latest().code == outcome_code::refused);

        me.recreate(slow, clock.now() + 11s);
        me.reboot(slow, clock.now() + 21s);
        CHECK(me.heard().size() == 2);
        clock.advance(30s); // polled late: both are looked at again, and not made
        static_cast<void>(slow.poll(clock.now()));
        REQUIRE(me.heard().size() == 4);
        CHECK(me.heard()[2].reason == "proof of death does not hold");
        CHECK(me.heard()[3].reason == "too late: its deadline or this controller's lead is over");
        CHECK(cloud.calls.size() == 1);

        me.recreate(slow, clock.now() + 1min);
        clock.advance(10s);
        static_cast<void>(slow.poll(clock.now()));
        CHECK(cloud.calls.back().what == operation::recreate_instance);
    }

    TEST_CASE("what still waits when the wrapper ends was not made") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        {
            rh::rate_limit_driver slow{cloud, time_view{clock}, {.calls = 1, .per = 1s, .burst = 1}};
            me.reboot(slow);
            me.reboot(slow);
            me.describe(slow);
        }
        REQUIRE(me.heard().size() == 2);
        CHECK(me.heard()[0].code == outcome_code::refused);
        CHECK(me.heard()[1].code == outcome_code::unknown);
    }

    TEST_CASE("numbers at the edge do no harm") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        const rh::duration ages = rh::duration::max();
        for (const rh::rate_limit_options& o : {rh::rate_limit_options{.calls = 0, .per = 0s, .burst = 0},
                                                {.calls = 0, .per = 1s, .burst = 0},
                                                {.calls = 1, .per = ages, .burst = 0xffff'ffffU},
                                                {.calls = 0xffff'ffffU, .per = 1ns, .burst = 1},
                                                {.calls = 1, .per = -1s, .burst = 1}}) {
            rh::rate_limit_driver slow{cloud, time_view{clock}, o};
            const std::size_t before = cloud.calls.size();
            me.reboot(slow);
            CHECK(cloud.calls.size() == before + 1);
        }
        rh::rate_limit_driver slow{cloud, time_view{clock}, {.calls = 1, .per = ages, .burst = 1, .most_wait = ages}};
        me.reboot(slow);
        me.reboot(slow);
        CHECK(slow.poll(clock.now()) > clock.now() + 24h * 365 * 90);
    }
}

TEST_SUITE("circuit_breaker_driver") {
    TEST_CASE("after so many calls without an answer the cloud is left alone, and then tried") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::circuit_breaker_driver careful{cloud, time_view{clock}, {.unanswered = 3, .cooldown = 30s}};
        cloud.answer(operation::reboot_instance, outcome::unknown("timed out"));
        me.reboot(careful);
        me.reboot(careful);
        CHECK_FALSE(careful.is_open());
        me.reboot(careful);
        CHECK(careful.is_open());
        CHECK(cloud.calls.size() == 3);

        clock.advance(10s);
        me.reboot(careful);
        CHECK(me.latest().code == outcome_code::refused);
        CHECK(me.latest().reason == "the circuit is open");
        CHECK(me.latest().retry_after == 20s);
        me.describe(careful);
        CHECK(me.latest().code == outcome_code::unknown);
        CHECK(cloud.calls.size() == 3);

        clock.advance(20s);
        me.reboot(careful); // the one that tries
        CHECK(cloud.calls.size() == 4);
        me.reboot(careful);
        CHECK(me.latest().retry_after == 30s);
        CHECK(cloud.calls.size() == 4);
        CHECK(careful.is_open());

        clock.advance(30s);
        cloud.answer(operation::reboot_instance, outcome::failed("the guest hangs")); // an answer
        me.reboot(careful);
        CHECK_FALSE(careful.is_open());
        me.reboot(careful);
        CHECK(cloud.calls.size() == 6);
        CHECK(careful.openings() == 1);
    }

    TEST_CASE("any answer between them begins the count anew") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::circuit_breaker_driver careful{cloud, time_view{clock}, {.unanswered = 2}};
        cloud.answer(operation::reboot_instance, outcome::unknown("?"));
        cloud.answer(operation::describe, outcome::refused("busy"));
        for (int n = 0; n < 5; ++n) {
            me.reboot(careful);
            me.describe(careful);
        }
        CHECK_FALSE(careful.is_open());
        CHECK(cloud.calls.size() == 10);
    }

    TEST_CASE("a try that is never answered is followed by another") {
        rh::manual_clock clock;
        notebook cloud; // keeps its completions
        caller me;
        rh::circuit_breaker_driver careful{cloud, time_view{clock}, {.unanswered = 1, .cooldown = 30s}};
        me.reboot(careful);
        cloud.kept.clear(); // abandoned
        CHECK(careful.is_open());
        for (std::size_t n = 2; n < 5; ++n) {
            clock.advance(30s);
            me.reboot(careful);
            me.reboot(careful);
            CHECK(cloud.calls.size() == n);
        }
        cloud.kept.back()(outcome::done());
        CHECK_FALSE(careful.is_open());
    }
}

TEST_SUITE("recording_driver") {
    TEST_CASE("calls and answers are kept, and answer a backtest") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::recording_driver taped{cloud, time_view{clock}};
        me.reboot(taped);
        clock.advance(12s);
        cloud.kept[0](outcome::failed("no"));
        me.describe(taped);
        clock.advance(1s);
        cloud.kept[1](outcome::done());
        cloud.kept[1](outcome::done()); // an answer that is none
        me.recreate(taped);             // never answered
        CHECK(me.heard().size() == 3);

        const rh::recording tape = taped.take();
        CHECK(tape.size() == 5);
        const std::string text = to_text(tape);
        const auto read = rh::read_recording(text);
        REQUIRE(read);
        CHECK(to_text(*read) == text);

        rh::assumed_calls assume;
        const rh::recorded_cloud back{*read, assume};
        CHECK(back.latency_of(operation::fence_instance) == 15s); // of which it has none
        CHECK(back.latency_of(operation::reboot_instance) == 12s);
        const auto reply = back.answer(operation::reboot_instance, static_cast<rh::target_id>(1), support::start);
        REQUIRE(reply);
        CHECK(reply->latency == 12s);
        CHECK(reply->result.code == outcome_code::failed);
        CHECK_FALSE(back.answer(operation::recreate_instance, static_cast<rh::target_id>(1), clock.now()));
        CHECK(taped.take().size() == 0);
    }

    TEST_CASE("each call of a repeated operation is one of its own") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::recording_driver taped{cloud, time_view{clock}};
        rh::retry_driver again{taped, time_view{clock}};
        me.reboot(again);
        clock.advance(3s);
        cloud.kept[0](busy(10s));
        clock.advance(10s);
        static_cast<void>(again.poll(clock.now()));
        clock.advance(4s);
        cloud.kept[1](outcome::done());
        const rh::recording tape = taped.take();
        CHECK(tape.size() == 4);
        const rh::recorded_cloud back{tape};
        const auto first = back.answer(operation::reboot_instance, static_cast<rh::target_id>(1), support::start);
        const auto second =
            back.answer(operation::reboot_instance, static_cast<rh::target_id>(1), support::start + 13s);
        REQUIRE(first);
        REQUIRE(second);
        CHECK(first->latency == 3s);
        CHECK(first->result.code == outcome_code::refused);
        CHECK(second->latency == 4s);
        CHECK(second->result.code == outcome_code::done);
    }

    TEST_CASE("what finds it full is counted") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        cloud.answer(operation::reboot_instance, outcome::done());
        rh::recording_driver taped{cloud, time_view{clock}, 4};
        for (int n = 0; n < 5; ++n) me.reboot(taped);
        const rh::recording tape = taped.take();
        CHECK(tape.size() == 4);
        CHECK(tape.lost == 6);
        me.reboot(taped);
        CHECK(taped.take().size() == 2);
        CHECK(me.heard().size() == 6);
    }
}

TEST_SUITE("fault_injection_driver") {
    using options = rh::fault_injection_options;

    TEST_CASE("each fault, met by every call") {
        struct {
            options how;
            bool called;
            std::optional<outcome_code> reboot; // what comes of it at once
            std::optional<outcome_code> describe;
            std::size_t answers; // in the end, of each
        } const table[]{
            {{}, true, outcome_code::done, outcome_code::done, 1},
            {{.unreachable = 100}, false, outcome_code::unknown, outcome_code::unknown, 1},
            {{.failed = 100}, false, outcome_code::failed, outcome_code::unknown, 1},
            {{.refused = 100}, false, outcome_code::refused, outcome_code::unknown, 1},
            {{.lost = 100}, true, outcome_code::unknown, outcome_code::unknown, 1},
            {{.silent = 100}, true, {}, {}, 0},
            {{.late = 100}, true, {}, {}, 1},
            {{.twice = 100}, true, outcome_code::done, outcome_code::done, 2},
        };
        for (const auto& c : table) {
            CAPTURE(&c - table);
            rh::manual_clock clock;
            notebook cloud;
            cloud.answer(operation::reboot_instance, outcome::done());
            cloud.answer(operation::describe, outcome::done());
            caller me;
            {
                rh::fault_injection_driver bad{cloud, time_view{clock}, c.how};
                me.reboot(bad);
                CHECK(cloud.calls.size() == (c.called ? 1U : 0U));
                REQUIRE(me.heard().empty() != c.reboot.has_value());
                if (c.reboot) CHECK(me.heard().front().code == *c.reboot);
                if (c.reboot == outcome_code::refused) CHECK(me.latest().retry_after == 5s);
                const std::size_t before = me.heard().size();
                me.describe(bad);
                REQUIRE((me.heard().size() == before) != c.describe.has_value());
                if (c.describe) CHECK(me.heard()[before].code == *c.describe);
                clock.advance(2min);
                static_cast<void>(bad.poll(clock.now()));
                CHECK(me.heard().size() == 2 * c.answers);
                CHECK(bad.injected() == (&c == table ? 0U : 2U));
            }
            // Silent no longer than the wrapper lives.
            CHECK(me.heard().size() == (c.how.silent == 0 ? 2 * c.answers : 2));
        }
    }

    TEST_CASE("late answers come when they are due, and wake whoever sleeps") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::fault_injection_driver bad{cloud, time_view{clock}, {.late = 100, .most_delay = 10s}};
        for (int n = 0; n < 50; ++n) me.reboot(bad);
        for (auto& done : cloud.kept) done(outcome::done());
        CHECK(me.wakes() == 50);
        CHECK(me.heard().empty());
        std::set<rh::time_point> times;
        for (rh::time_point due = bad.poll(clock.now()); due != rh::never; due = bad.poll(clock.now())) {
            clock.advance_to(due);
            times.insert(due);
        }
        CHECK(me.heard().size() == 50);
        CHECK(times.size() > 40);
        CHECK(clock.now() <= support::start + 10s);
    }

    TEST_CASE("the same seed meets the same calls, another one others, in the share that was asked for") {
        const auto fates = [](std::uint64_t seed) {
            rh::manual_clock clock;
            notebook cloud;
            cloud.answer(operation::reboot_instance, outcome::done());
            caller me;
            rh::fault_injection_driver bad{cloud, time_view{clock}, {.seed = seed, .unreachable = 10, .lost = 10}};
            for (int n = 0; n < 2'000; ++n) me.reboot(bad);
            std::string text;
            for (const auto& a : me.heard()) text += a.code == outcome_code::done ? '.' : a.reason[10];
            return text;
        };
        const std::string one = fates(1);
        CHECK(one == fates(1));
        CHECK(one != fates(2));
        const auto met = 2'000 - std::count(one.begin(), one.end(), '.');
        CHECK(met > 300); // 19 % of 2,000 are 380
        CHECK(met < 460);
    }

    TEST_CASE("only the operations that are named are hit") {
        rh::manual_clock clock;
        notebook cloud;
        caller me;
        rh::fault_injection_driver bad{
            cloud, time_view{clock},
            options{.unreachable = 100, .only = rh::capabilities{}.add(operation::recreate_instance)}};
        me.reboot(bad);
        CHECK(me.heard().empty());
        me.recreate(bad);
        CHECK(me.latest().code == outcome_code::unknown);
        CHECK(cloud.calls.size() == 1);
        cloud.kept[0](outcome::done());
    }
}
