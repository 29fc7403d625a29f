// SPDX-License-Identifier: MIT
#include <reheat/alarm/hold.hpp>
#include <reheat/metric/staleness.hpp>

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::hold_rule;
using rh::hold_state;

namespace {

static_assert(sizeof(rh::held_alarm) == 40);

constexpr rh::time_point start{1'000'000s};

/// Evaluations a minute apart, `x` with the condition, and the state after each: `-`, `p`ending, `f`iring.
struct timeline {
    std::string_view conditions;
    rh::duration pending;
    rh::duration recovery;
    std::string_view states;
};

struct restore_case {
    std::string_view what;
    rh::duration active_at;
    rh::duration up_until;
    rh::duration restored_at;
    std::optional<rh::duration> result;
};

} // namespace

TEST_SUITE("hold") {
    TEST_CASE("an alarm waits before it is raised, and before it is cleared") {
        for (const timeline& t : std::array<timeline, 12>{{
                 {"xx-x", 0s, 0s, "ff-f"}, // no waiting
                 {"xxx-", 2min, 0s, "ppf-"},
                 {"xx-xxx", 2min, 0s, "pp-ppf"}, // one evaluation without it ends the waiting
                 {"xx-x-x", 1min, 0s, "pf-p-p"},
                 {"xx---", 0s, 2min, "ffff-"}, // counted from the first evaluation without it
                 {"x----", 0s, 2min, "fff--"},
                 {"x--x---", 0s, 2min, "ffffff-"}, // back again: counted anew
                 {"x-x", 1min, 5min, "p-p"},       // only what fires is kept
                 {"xx-x-", 1min, 2min, "pffff"},
                 {"xx--x-", 1min, 1min, "pff-p-"},
                 {"x-", 0s, 1ns, "ff"},
                 {"----", 0s, 1min, "----"},
             }}) {
            rh::held_alarm held;
            std::string states;
            rh::time_point now = start;
            for (const char c : t.conditions) {
                const hold_state s = held.evaluate(c == 'x', now, {t.pending, t.recovery});
                states += s == hold_state::inactive ? '-' : s == hold_state::pending ? 'p' : 'f';
                CHECK((held.active_at() == rh::never) == (s == hold_state::inactive));
                now += 1min;
            }
            INFO(std::string{t.conditions});
            CHECK(states == t.states);
        }
    }

    TEST_CASE("a rule that waits longer takes back what it raised, one that waits less raises at once") {
        rh::held_alarm held;
        CHECK(held.evaluate(true, start, {20s}) == hold_state::pending);
        CHECK(held.evaluate(true, start + 20s, {20s}) == hold_state::firing);
        held.sent(start + 20s);
        CHECK(held.evaluate(true, start + 40s, {10min}) == hold_state::pending);
        CHECK_FALSE(held.resend_due(start + 40s));
        CHECK(held.evaluate(true, start + 10min - 1ns, {10min}) == hold_state::pending);
        CHECK(held.evaluate(true, start + 10min, {10min}) == hold_state::firing);
        CHECK(held.resend_due(start + 10min)); // what was sent before counts no more
        CHECK(held.evaluate(true, start + 11min, {1h}) == hold_state::pending);
        CHECK(held.evaluate(true, start + 12min, {30s}) == hold_state::firing);
        CHECK(held.evaluate(false, start + 13min, {1h, 5min}) == hold_state::pending); // kept, and taken back
        CHECK(held.evaluate(false, start + 14min, {1h, 5min}) == hold_state::inactive);
        CHECK(held.forgotten(start + 14min));
    }

    TEST_CASE(
        "it is sent when raised and when cleared, and again each minute; what is cleared for a quarter of an hour") {
        rh::held_alarm held;
        CHECK_FALSE(held.resend_due(start));
        CHECK(held.forgotten(start));
        held.evaluate(true, start, {1min});
        CHECK_FALSE(held.resend_due(start)); // pending
        held.evaluate(true, start + 1min, {1min});
        CHECK(held.resend_due(start + 1min));
        held.sent(start + 1min);
        CHECK_FALSE(held.resend_due(start + 2min));
        CHECK(held.resend_due(start + 2min + 1ns));
        held.sent(start + 2min);
        held.evaluate(false, start + 150s, {1min});
        CHECK(held.resend_due(start + 150s));
        held.sent(start + 150s);
        CHECK_FALSE(held.resend_due(start + 210s));
        CHECK(held.resend_due(start + 220s));
        CHECK_FALSE(held.forgotten(start + 150s + 15min));
        CHECK(held.resend_due(start + 150s + 15min));
        CHECK(held.forgotten(start + 150s + 15min + 1ns));
        CHECK_FALSE(held.resend_due(start + 150s + 15min + 1ns));
        held.evaluate(true, start + 1h, {0s});
        CHECK(held.resend_due(start + 1h)); // a new alarm
    }

    TEST_CASE("a restart keeps the waiting of before it, not the outage, and waits the grace period at least") {
        const hold_rule rule{40min, 0s};
        for (const restore_case& c : std::array<restore_case, 9>{{
                 {"ten minutes down", 0min, 10min, 20min, 10min},
                 {"half an hour waited, ten minutes are left: the grace period", 0min, 30min, 45min, 15min},
                 {"a little more is left", 0min, 30min - 1ns, 45min, 15min + 1ns},
                 {"less is left: it fires a grace period from now", 0min, 35min, 45min, 15min},
                 {"it was firing", 0min, 40min, 50min, 0min},
                 {"it was firing for long", -3h, 40min, 90min, -3h},
                 {"down as long as is tolerated", 0min, 10min, 70min, 60min},
                 {"down too long", 0min, 10min, 70min + 1ns, std::nullopt},
                 {"no outage", 0min, 10min, 10min, 0min},
             }}) {
            INFO(std::string{c.what});
            const rh::hold_outage outage{start + c.active_at, start + c.up_until, start + c.restored_at};
            const auto since = rh::restored_active_at(outage, rule);
            CHECK(since.has_value() == c.result.has_value());
            if (since && c.result) CHECK(*since == start + *c.result);

            rh::held_alarm held;
            held.evaluate(true, outage.restored_at, rule);
            held.restore(outage, rule);
            CHECK(held.active_at() == (c.result ? start + *c.result : outage.restored_at));
        }
        const rh::hold_outage outage{start, start + 5min, start + 6min};
        CHECK_FALSE(rh::restored_active_at(outage, {10min - 1ns, 0s}).has_value()); // it waits no longer than that
        CHECK(rh::restored_active_at(outage, {10min, 0s}).has_value());
        CHECK_FALSE(rh::restored_active_at(outage, rule, {.outage_tolerance = 59s}).has_value());
        CHECK(rh::restored_active_at(outage, {3min, 0s}, {.grace = 1min}) == start);
        rh::held_alarm inactive;
        inactive.restore(outage, rule);
        CHECK(inactive.active_at() == rh::never);
    }

    TEST_CASE("pending and recovery periods have bounds") {
        CHECK(rh::validate(hold_rule{0s, 0s}).has_value());
        CHECK(rh::validate(hold_rule{24h, 86'400s}).has_value());
        CHECK(rh::validate(hold_rule{86'401s, 0s}).error().where == "PendingPeriod");
        CHECK(rh::validate(hold_rule{-1s, 0s}).error().where == "PendingPeriod");
        CHECK(rh::validate(hold_rule{0s, 86'401s}).error().where == "RecoveryPeriod");
        CHECK(rh::validate(hold_rule{0s, 1500ms}).error().where == "RecoveryPeriod");
        CHECK(rh::to_alarm_state(hold_state::pending) == rh::alarm_state::ok);
        CHECK(rh::to_alarm_state(hold_state::firing) == rh::alarm_state::alarm);
        CHECK(rh::to_string(hold_state::firing) == "firing");
    }

    TEST_CASE("more alarms than the limit are an error, 0 and less is no limit") {
        CHECK(rh::within_limit(0, 1'000).has_value());
        CHECK(rh::within_limit(-3, 1'000).has_value());
        CHECK(rh::within_limit(7, 7).has_value());
        REQUIRE_FALSE(rh::within_limit(7, 9).has_value());
        CHECK(rh::within_limit(7, 9).error().message == "exceeded limit of 7 with 9 alerts");
    }

    TEST_CASE("a value is seen until it is replaced, marked stale, or five minutes old") {
        const std::array<rh::series_sample, 4> series{
            {{start, 4}, {start + 60s, 5}, {start + 90s, 0, true}, {start + 120s, 6}}};
        CHECK_FALSE(rh::value_at(series, start - 1ns).has_value());
        CHECK(rh::value_at(series, start) == 4);
        CHECK(rh::value_at(series, start + 59s) == 4);
        CHECK(rh::value_at(series, start + 60s) == 5);
        CHECK_FALSE(rh::value_at(series, start + 90s).has_value());
        CHECK_FALSE(rh::value_at(series, start + 119s).has_value());
        CHECK(rh::value_at(series, start + 120s + 299'999ms) == 6);
        CHECK_FALSE(rh::value_at(series, start + 120s + 300s).has_value());
        CHECK(rh::value_at(series, start + 120s + 9s, 10s) == 6);
        CHECK_FALSE(rh::value_at(series, start + 120s + 10s, 10s).has_value());
        CHECK_FALSE(rh::value_at({}, start).has_value());
    }
}
