// SPDX-License-Identifier: MIT
#include <reheat/alarm/lint.hpp>
#include <reheat/alarm/preset.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <span>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::alarm_state;
using support::start;

namespace {

using count_below = rh::alarm<rh::window<rh::sample_count>, rh::less_than>;

constexpr count_below one_silent_minute =
    rh::preset::liveness(count_below{.of = {.period = 60s}, .threshold = 1, .grace = 0s});

/// A fleet whose evaluations the test asks for, with what came out of them.
template <class Rule>
struct stepped {
    explicit stepped(const Rule& rule) : all{rule} {}
    rh::row_handle watch(rh::time_point at = start) { return all.watch(rh::target_id{next++}, at); }
    /// Evaluates each border up to a time after the start.
    alarm_state until(rh::duration at, rh::row_handle h) {
        while (all.next() <= start + at) all.evaluate(0, all.next(), seen);
        return all.state(h.row);
    }

    rh::fleet<Rule> all;
    std::vector<rh::transition> seen;
    std::uint32_t next = 0;
};

} // namespace

TEST_SUITE("fleet") {
    TEST_CASE("a count alarm's row is one cache line while its answers fit in it, and wider where they do not") {
        count_below rule = one_silent_minute;
        CHECK(rh::fleet{rule}.narrow());
        rule.evaluation_periods = 15;
        CHECK(rh::fleet{rule}.narrow());
        rule.evaluation_periods = 16;
        CHECK_FALSE(rh::fleet{rule}.narrow());
        rule.evaluation_periods = 1;
        rule.threshold = 65'534.5;
        CHECK(rh::fleet{rule}.narrow());
        rule.threshold = 65'535;
        CHECK_FALSE(rh::fleet{rule}.narrow());
        rule.threshold = 1;
        rule.of.period = 3600s;
        rule.of.step = 60s;
        CHECK_FALSE(rh::fleet{rule}.narrow());
        CHECK_FALSE(rh::fleet{rh::any_alarm{.of = {.statistic = {rh::statistic::sum}}}}.narrow());
    }

    TEST_CASE("a narrow count stops at 65,535, answers no differently, and says that it may have been more") {
        rh::alarm<rh::window<rh::sample_count>, rh::greater_than> many{.threshold = 65'534, .grace = 0s};
        stepped s{many};
        REQUIRE(s.all.narrow());
        const rh::row_handle h = s.watch();
        for (int n = 0; n < 65'534; ++n) s.all.push(h, start + 1s, 1);
        CHECK(s.until(60s, h) == alarm_state::ok);
        CHECK_FALSE(s.seen.back().saturated);
        for (int n = 0; n < 100'000; ++n) s.all.push(h, start + 61s, 1);
        CHECK(s.until(120s, h) == alarm_state::alarm);
        CHECK(s.seen.back().saturated);
        CHECK(s.seen.back().value == 65'535);
    }

    TEST_CASE("counts of 10^9 in one period, in narrow rows and in wide ones") {
        constexpr std::uint64_t billion = 1'000'000'000;
        const auto raised = [](double threshold, bool narrow, std::uint64_t samples) {
            stepped s{rh::any_alarm{.of = {.statistic = {rh::statistic::sample_count}},
                                    .compare = {rh::comparison::greater_than},
                                    .threshold = threshold,
                                    .grace = 0s}};
            CHECK(s.all.narrow() == narrow);
            const rh::row_handle h = s.watch();
            CHECK(s.all.push(h, start + 1s, 2, samples));
            const bool alarm = s.until(60s, h) == alarm_state::alarm;
            // What a narrow count can not hold is said to be at least so much.
            CHECK(s.seen.back().value == (narrow ? 65'535.0 : static_cast<double>(samples)));
            CHECK(s.seen.back().saturated == narrow);
            return alarm;
        };
        CHECK(raised(65'534, true, billion));
        CHECK(raised(65'535, false, billion));
        CHECK(raised(999'999'999, false, billion));
        CHECK_FALSE(raised(1'000'000'000, false, billion));
        CHECK(raised(1'000'000'000, false, billion + 1));
        stepped sums{rh::any_alarm{.of = {.statistic = {rh::statistic::sum}},
                                   .compare = {rh::comparison::greater_than},
                                   .threshold = 4'999'999'999,
                                   .grace = 0s}};
        const rh::row_handle h = sums.watch();
        CHECK(sums.all.push(h, start + 1s, 5, billion));
        CHECK(sums.until(60s, h) == alarm_state::alarm);
        CHECK(sums.seen.back().value == 5e9);
    }

    TEST_CASE("ten years of seconds: periods are still told apart") {
        count_below rule = one_silent_minute;
        rule.of.period = 1s;
        stepped s{rule};
        const rh::row_handle h = s.watch();
        const rh::time_point later = start + std::chrono::hours{24 * 3653};
        s.all.evaluate(0, later, s.seen);
        CHECK(s.all.state(h.row) == alarm_state::alarm);
        for (int n = 0; n < 100; ++n) {
            const bool beats = n % 2 == 0;
            if (beats) CHECK(s.all.push(h, s.all.next() - 1ms, 1));
            s.all.evaluate(0, s.all.next(), s.seen);
            CHECK(s.all.state(h.row) == (beats ? alarm_state::ok : alarm_state::alarm));
        }
        CHECK(s.all.next() == later + 101s);
    }

    TEST_CASE("a target that is said to be watched since long before the first one is heard like any other") {
        stepped s{one_silent_minute};
        s.watch();
        const rh::row_handle old = s.watch(start - std::chrono::hours{24});
        CHECK(s.all.push(old, start + 1s, 1));
        CHECK(s.until(60s, old) == alarm_state::ok);
    }

    TEST_CASE("a period's first sample and its second, early, late and between evaluations") {
        for (const rh::duration before_start : {0s, 20s}) { // watched on a border, and inside a period
            stepped s{one_silent_minute};
            const rh::row_handle h = s.watch(start - before_start);
            CHECK(s.until(0s, h) == alarm_state::insufficient_data);
            CHECK(s.all.push(h, start + 1s, 1));
            CHECK(s.all.push(h, start + 59s, 1));
            CHECK(s.all.push(h, start + 60s, 1)); // the next period's, before the evaluation
            CHECK(s.all.push(h, start + 2s, 1));  // late
            CHECK(s.until(60s, h) == alarm_state::ok);
            CHECK(s.seen.back().value == 3);
            CHECK(s.all.push(h, start + 61s, 1));
            CHECK(s.all.push(h, start + 180s, 1)); // two periods ahead
            CHECK(s.until(120s, h) == alarm_state::ok);
            CHECK(s.until(180s, h) == alarm_state::alarm);
            CHECK(s.until(240s, h) == alarm_state::ok);
            CHECK(s.seen.back().value == 1);
        }
    }

    TEST_CASE("grace is over with the first sample since the watch began") {
        count_below rule = one_silent_minute;
        rule.grace = 600s;
        const auto after_two_minutes = [&rule](rh::duration first_sample) {
            stepped s{rule};
            const rh::row_handle h = s.watch(start - 20s);
            s.all.push(h, start + first_sample, 1);
            return s.until(120s, h);
        };
        CHECK(after_two_minutes(-5s) == alarm_state::alarm); // in the period of the watch
        CHECK(after_two_minutes(5s) == alarm_state::alarm);
        CHECK(after_two_minutes(-70s) == alarm_state::insufficient_data); // a word from before proves nothing
        stepped silent{rule};
        const rh::row_handle h = silent.watch(start);
        CHECK(silent.until(599s, h) == alarm_state::insufficient_data);
        CHECK(silent.until(600s, h) == alarm_state::alarm);
    }

    TEST_CASE("what is told to forget hears only what was said since, however it comes") {
        const auto told_at_90s = [](const auto& rule, const auto& then) {
            stepped s{rule};
            const rh::row_handle h = s.watch();
            s.all.push(h, start + 10s, rh::heartbeat);
            CHECK(s.until(60s, h) == alarm_state::ok);
            s.all.push(h, start + 80s, rh::heartbeat);
            s.all.forget(h.row, start + 90s, 0s);
            // On their way when it was told so, in this period or an earlier one, and one from far ahead.
            for (const rh::duration late : {89s, 61s, 59s, 1s}) CHECK_FALSE(s.all.push(h, start + late, rh::heartbeat));
            CHECK_FALSE(s.all.push(h, start + 90s - 1ns, rh::heartbeat, 5));
            CHECK_FALSE(s.all.push(h, start + 70s, rh::statistic_set{2, 2, 1, 1}));
            CHECK_FALSE(s.all.push(h, start + 100 * 24h, rh::heartbeat));
            CHECK_FALSE(s.all.push(h, start + 89s, rh::heartbeat));
            CHECK_FALSE(s.all.has_heard(h.row));
            then(s, h);
        };
        const auto at_once = [](auto& s, rh::row_handle h) {
            CHECK(s.all.push(h, start + 90s, rh::heartbeat));
            CHECK(s.all.has_heard(h.row));
            CHECK(s.until(120s, h) == alarm_state::ok);
            CHECK(s.until(180s, h) == alarm_state::alarm);
            CHECK(s.seen.back().value == 0);
        };
        const auto later = [](auto& s, rh::row_handle h) {
            CHECK(s.until(120s, h) == alarm_state::ok); // a part of a period can only show that it is well
            CHECK_FALSE(s.all.push(h, start + 89s, rh::heartbeat));
            CHECK_FALSE(s.all.has_heard(h.row));
            for (const rh::duration in : {130s, 140s}) CHECK(s.all.push(h, start + in, rh::heartbeat));
            CHECK(s.all.has_heard(h.row));
            CHECK(s.until(180s, h) == alarm_state::ok);
        };
        rh::any_alarm wide{.of = {.statistic = {rh::statistic::sum}, .period = 60s},
                           .compare = {rh::comparison::less_than}};
        wide.threshold = 1;
        wide.evaluation_periods = 1;
        wide.empty = rh::empty_period::counts_zero;
        wide.grace = 0s;
        REQUIRE(rh::fleet{one_silent_minute}.narrow());
        REQUIRE_FALSE(rh::fleet{wide}.narrow());
        told_at_90s(one_silent_minute, at_once);
        told_at_90s(one_silent_minute, later);
        told_at_90s(wide, at_once);
        told_at_90s(wide, later);
    }

    TEST_CASE("ten years of minutes, a gap of a year in them") {
        stepped s{one_silent_minute};
        const rh::row_handle h = s.watch();
        rh::time_point now = start;
        const auto minutes = [&](std::int64_t count, bool beating) {
            for (std::int64_t n = 0; n < count; ++n) {
                if (beating) s.all.push(h, now + 1s, 1);
                now += 60s;
                s.all.evaluate(0, now, s.seen);
            }
        };
        constexpr std::int64_t year = 365 * 24 * 60;
        minutes(4 * year, true);
        CHECK(s.seen.size() == 1);
        minutes(year, false);
        CHECK(s.seen.size() == 2);
        CHECK(s.all.state(h.row) == alarm_state::alarm);
        minutes(5 * year, true);
        CHECK(s.seen.size() == 3);
        CHECK(s.all.state(h.row) == alarm_state::ok);
    }

    TEST_CASE("a row that is given up stays silent, and its handle says so for ever") {
        stepped s{one_silent_minute};
        const rh::row_handle a = s.watch();
        const rh::row_handle b = s.watch();
        CHECK(s.until(60s, a) == alarm_state::alarm);
        CHECK(s.seen.size() == 2);
        CHECK(s.all.remove(a));
        CHECK_FALSE(s.all.remove(a));
        CHECK_FALSE(s.all.push(a, start + 61s, 1));
        CHECK_FALSE(s.all.enable_actions(a, false));
        CHECK(s.all.size() == 1);
        const rh::row_handle again = s.watch(start + 60s);
        CHECK(again.row == a.row);
        CHECK_FALSE(again == a);
        CHECK_FALSE(s.all.holds(a));
        CHECK(s.all.state(again.row) == alarm_state::insufficient_data);
        CHECK(s.all.push(again, start + 61s, 1));
        CHECK(s.until(120s, b) == alarm_state::alarm);
        CHECK(s.all.state(again.row) == alarm_state::ok);
        for (int n = 0; n < 70'000; ++n) { // more often than 16 bits count
            const rh::row_handle h = s.watch(start + 120s);
            CHECK_FALSE(s.all.holds(a));
            s.all.remove(h);
        }
    }

    TEST_CASE("a batch is the same as one after the other") {
        stepped one{one_silent_minute};
        stepped batch{one_silent_minute};
        std::vector<rh::beat> beats;
        support::dice d{9};
        for (int n = 0; n < 50; ++n) {
            one.watch();
            batch.watch();
        }
        std::size_t taken = 0;
        for (int n = 0; n < 500; ++n) {
            const auto row = static_cast<std::uint32_t>(d.below(52));
            beats.push_back({{row, 0}, start + std::chrono::seconds{d.below(70)}});
            taken += one.all.push(beats.back().to, beats.back().at, beats.back().value) ? 1U : 0U;
        }
        // A part at once, the rest one by one beside other work.
        const std::span<const rh::beat> all{beats};
        std::size_t batched = batch.all.push(all.first(300));
        rh::fleet<count_below>::feed rest{batch.all, all.subspan(300)};
        std::size_t steps = 0;
        while (rest.next()) ++steps;
        CHECK(steps == 200);
        CHECK_FALSE(rest.next());
        batched += rest.taken();
        CHECK(batched == taken);
        CHECK_FALSE(rh::fleet<count_below>::feed{}.next());
        one.until(60s, {});
        batch.until(60s, {});
        REQUIRE(one.seen.size() == batch.seen.size());
    }

    TEST_CASE("a sample from far ahead of the last evaluation is refused: it would push out what counts") {
        stepped s{one_silent_minute};
        const rh::row_handle h = s.watch();
        CHECK(s.all.push(h, start + 2h, 1));
        CHECK_FALSE(s.all.push(h, start + 3h, 1));
        CHECK_FALSE(s.all.push(h, rh::never, 1));
        CHECK_FALSE(s.all.push(h, rh::time_point::min(), 1));
    }

    TEST_CASE("what is no finite number is refused, in narrow rows and in wide ones") {
        constexpr double inf = std::numeric_limits<double>::infinity();
        stepped narrow{one_silent_minute};
        stepped wide{rh::alarm<rh::window<rh::sum>, rh::greater_than>{.threshold = 1, .grace = 0s}};
        const rh::row_handle n = narrow.watch();
        const rh::row_handle w = wide.watch();
        for (const double bad : {std::numeric_limits<double>::quiet_NaN(), inf, -inf}) {
            for (const rh::duration at : {1s, 0s, 61s}) {
                CHECK_FALSE(narrow.all.push(n, start + at, bad));
                CHECK_FALSE(wide.all.push(w, start + at, bad));
            }
            CHECK_FALSE(wide.all.push(w, start + 1s, bad, 3));
            CHECK_FALSE(wide.all.push(w, start + 1s, rh::statistic_set{2, bad, 1, 2}));
            CHECK_FALSE(wide.all.push(w, start + 1s, rh::statistic_set{2, 3, 1, bad}));
        }
        CHECK(narrow.until(60s, n) == alarm_state::alarm);
        CHECK(wide.until(60s, w) == alarm_state::insufficient_data);
    }

    TEST_CASE("a period of five minutes slides by the minute") {
        auto rule = rh::preset::cloudwatch(count_below{.of = {.period = 300s}, .threshold = 1, .grace = 0s});
        rule.empty = rh::empty_period::counts_zero;
        rule.look_back = 0;
        stepped s{rule};
        const rh::row_handle h = s.watch();
        s.all.push(h, start + 200s, 1);
        CHECK(s.until(300s, h) == alarm_state::ok);
        CHECK(s.until(480s, h) == alarm_state::ok);    // 180 s to 480 s
        CHECK(s.until(540s, h) == alarm_state::alarm); // 240 s to 540 s
        CHECK(s.seen.back().at == start + 540s);
    }

    TEST_CASE("a state set by hand is told at once, and the next evaluation says what is") {
        stepped s{one_silent_minute};
        const rh::row_handle h = s.watch();
        s.all.push(h, start + 1s, 1);
        CHECK(s.until(60s, h) == alarm_state::ok);
        CHECK(s.all.set_state(0, h, alarm_state::alarm, start + 70s, s.seen));
        CHECK(s.seen.back().by == rh::decided_by::hand);
        CHECK(s.seen.back().at == start + 70s);
        CHECK(s.all.set_state(0, h, alarm_state::alarm, start + 71s, s.seen)); // it is so already
        CHECK(s.seen.size() == 2);
        s.all.push(h, start + 61s, 1);
        CHECK(s.until(120s, h) == alarm_state::ok);
    }

    TEST_CASE("actions that are off: the state changes, and the transition says not to act") {
        stepped s{one_silent_minute};
        const rh::row_handle h = s.watch();
        CHECK(s.all.enable_actions(h, false));
        CHECK(s.until(60s, h) == alarm_state::alarm);
        CHECK_FALSE(s.seen.back().act);
        s.all.enable_actions(h, true);
        s.all.push(h, start + 61s, 1);
        s.until(120s, h);
        CHECK(s.seen.back().act);
    }

    TEST_CASE("actions at every evaluation, on transitions, or sent again after a while") {
        const auto reminders = [](rh::repetition actions) {
            count_below rule = one_silent_minute;
            rule.actions = actions;
            rule.resend_after = 180s;
            stepped s{rule};
            s.until(660s, s.watch());
            std::size_t count = 0;
            for (const rh::transition& t : s.seen) count += t.reminder() ? 1U : 0U;
            return count;
        };
        CHECK(reminders(rh::repetition::on_transition) == 0);
        CHECK(reminders(rh::repetition::every_evaluation) == 10);
        CHECK(reminders(rh::repetition::re_sent) == 3);
    }

    TEST_CASE("pending and recovery: what the samples say counts once they have said it for long enough") {
        rh::alarm<rh::window<rh::maximum>, rh::greater_than> hot{.threshold = 70, .grace = 0s};
        hot = rh::preset::prometheus(hot, 120s, 60s);
        stepped s{hot};
        const rh::row_handle h = s.watch();
        std::string states;
        // One value a period; `-` is none.
        for (const double value : {80., 80., 10., 80., 80., 80., 10., 80., 10., 10., 10.}) {
            s.all.push(h, s.all.next() - 30s, value);
            s.all.evaluate(0, s.all.next(), s.seen);
            states += s.all.state(h.row) == alarm_state::alarm ? 'A'
                      : s.all.state(h.row) == alarm_state::ok  ? 'O'
                                                               : 'I';
        }
        CHECK(states == "IIOOOAAAAOO");
    }

    TEST_CASE("warm-up: no word before it is over, or before N periods had datapoints") {
        count_below rule = one_silent_minute;
        rule.evaluation_periods = 2;
        rule.warm_up = 300s;
        rule.empty = rh::empty_period::counts_missing;
        stepped early{rule};
        const rh::row_handle h = early.watch();
        early.all.push(h, start + 1s, 1);
        CHECK(early.until(60s, h) == alarm_state::insufficient_data);
        early.all.push(h, start + 61s, 1);
        CHECK(early.until(120s, h) == alarm_state::ok);
        rule.whole_warm_up = true;
        stepped whole{rule};
        const rh::row_handle w = whole.watch();
        for (rh::duration at = 1s; at < 300s; at += 60s) whole.all.push(w, start + at, 1);
        CHECK(whole.until(299s, w) == alarm_state::insufficient_data);
        CHECK(whole.until(300s, w) == alarm_state::ok);
    }

    TEST_CASE("a doubt discards the periods up to now, and no more") {
        count_below rule = one_silent_minute;
        rule.evaluation_periods = 2;
        stepped s{rule};
        const rh::row_handle h = s.watch();
        for (rh::duration at = 1s; at < 180s; at += 60s) s.all.push(h, start + at, 1);
        CHECK(s.until(180s, h) == alarm_state::ok);
        s.all.doubt(start + 400s); // silent since 121 s, but nobody listened
        CHECK(s.until(420s, h) == alarm_state::ok);
        CHECK(s.until(480s, h) == alarm_state::ok); // one whole period decides nothing of two
        CHECK(s.until(540s, h) == alarm_state::alarm);
    }

    TEST_CASE("what is heard in a doubtful time is heard, although what is not heard proves nothing") {
        stepped s{one_silent_minute};
        const rh::row_handle back = s.watch();
        const rh::row_handle gone = s.watch();
        const rh::row_handle well = s.watch();
        s.all.push(well, start + 1s, 1);
        REQUIRE(s.until(60s, back) == alarm_state::alarm);
        for (rh::duration border = 120s; border <= 600s; border += 60s) {
            s.all.doubt(start + border - 1s); // an inbox that overflows all the time
            s.all.push(back, start + border - 2s, 1);
            CHECK(s.until(border, back) == alarm_state::ok);
            CHECK(s.all.state(gone.row) == alarm_state::alarm);
            CHECK(s.all.state(well.row) == alarm_state::ok);
        }
    }

    TEST_CASE("an engine that is stepped late tells so, and raises no alarm over what it missed") {
        support::bench late{rh::three_levels.lowered()};
        const auto db = *late.e.add(rh::instance{.name = "db-1"});
        const auto watched = *late.e.watch(db, rh::heartbeat_alarm{.period = 60s}.rule(), late.now);
        late.e.push(watched, late.now + 1s, 1);
        late.run_for(90s);
        REQUIRE(late.e.state(watched) == alarm_state::ok);
        late.pass(10min);
        CHECK(late.told(rh::decision::ignore, rh::reason::stepped_late) == 1);
        CHECK(late.e.state(watched) == alarm_state::ok);
        late.run_for(59s);
        CHECK(late.e.state(watched) == alarm_state::ok);
        late.run_for(61s); // a whole period that it was there for
        CHECK(late.e.state(watched) == alarm_state::alarm);
        CHECK(late.told(rh::decision::ignore, rh::reason::stepped_late) == 1);
    }

    TEST_CASE("an engine whose time goes back tells so once, and raises no alarm over what it missed") {
        support::bench b{rh::three_levels.lowered()};
        const auto db = *b.e.add(rh::instance{.name = "db-1"});
        const auto watched = *b.e.watch(db, rh::heartbeat_alarm{.period = 60s}.rule(), b.now);
        b.e.push(watched, b.now + 1s, 1);
        b.run_for(90s);
        REQUIRE(b.e.state(watched) == alarm_state::ok);
        for (const rh::duration back : {0s, 3s, 80s, 70s, 0s}) {
            rh::outputs out;
            b.e.step(b.now - back, out);
            const bool jumped = back == 80s;
            REQUIRE(out.events.size() == (jumped ? 1 : 0));
            if (jumped) {
                CHECK(to_text(b.e, out.events[0]).find("clock_jumped back=80s") != std::string::npos);
                CHECK(to_json(b.e, out.events[0]).find("\"back_s\":80") != std::string::npos);
            }
        }
        CHECK(b.e.state(watched) == alarm_state::ok);
    }

    TEST_CASE("an alarm on too few samples that no silence raises is found") {
        constexpr count_below bare{.threshold = 1};
        static_assert(lint(bare) == rh::alarm_finding::silent_on_silence);
        static_assert(lint(rh::preset::cloudwatch(bare)) == rh::alarm_finding::silent_on_silence);
        static_assert(lint(rh::preset::aodh(bare)) == rh::alarm_finding::silent_on_silence);
        static_assert(lint(rh::preset::heat(bare)) == rh::alarm_finding::none);
        static_assert(lint(rh::preset::liveness(bare)) == rh::alarm_finding::none);
        static_assert(lint(rh::heartbeat_alarm{}.rule()) == rh::alarm_finding::none);
        static_assert(lint(rh::alarm<rh::window<rh::maximum>, rh::greater_than>{.threshold = 70}) ==
                      rh::alarm_finding::none);
    }
}
