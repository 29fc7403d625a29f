// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::alarm_state;
using rh::comparison;
using rh::missing_data;
using support::start;

namespace {

constexpr rh::target_id target{0};

/// Heat's rule for an instance: SampleCount < 1 over a period, from the moment it is watched.
constexpr rh::alarm<rh::window<rh::sample_count>, rh::less_than> heat_rule{
    .of = {.period = 60s, .align = rh::alignment::watch},
    .threshold = 1,
    .empty = rh::empty_period::counts_zero,
    .grace = 600s};

/// One target under one rule, evaluated when it is due.
template <class Rule>
class watched {
public:
    explicit watched(const Rule& rule, rh::time_point since = start) : since_{since} {
        watch_ = book_.watch(rule, target, since);
    }
    void push(rh::duration at, double value = rh::heartbeat) { book_.push(watch_, since_ + at, value); }
    alarm_state after(rh::duration at) {
        while (book_.next() <= since_ + at) book_.evaluate(book_.next(), seen, {});
        return book_.state(watch_);
    }

    std::vector<rh::transition> seen;

private:
    rh::watch_book book_;
    rh::time_point since_;
    rh::watch_id watch_{};
};

struct comparison_case {
    comparison how;
    bool below;
    bool equal;
    bool above;
};

/// What the periods of a range hold, newest last: `o` fine, `x` breaching, `-` nothing.
struct range_case {
    std::string_view range;
    std::uint32_t m;
    alarm_state missing;
    alarm_state breaching;
    alarm_state not_breaching;
    alarm_state ignore; ///< where the state was `ok` before
};

alarm_state evaluated(const range_case& c, missing_data treat, alarm_state before) {
    rh::evaluation e{static_cast<std::uint32_t>(c.range.size()), c.m};
    std::uint32_t age = 0;
    for (auto p = c.range.rbegin(); p != c.range.rend(); ++p) {
        ++age;
        if (*p != '-') e.count(age, *p == 'x');
    }
    return rh::evaluate(e, treat, before).state;
}

} // namespace

TEST_SUITE("alarm") {
    TEST_CASE("Heat: a sample whose age is exactly one period still counts") {
        watched w{heat_rule};
        w.push(1s);
        CHECK(w.after(60s) == alarm_state::ok); // it is 59 s old
        w.push(60s);
        CHECK(w.after(120s) == alarm_state::ok); // it is 60 s old
        CHECK(w.after(180s) == alarm_state::alarm);
        w.push(180s + 1ns);
        CHECK(w.after(240s) == alarm_state::ok);
        w.push(240s - 1ns); // 60 s and 1 ns old at 300 s
        CHECK(w.after(300s) == alarm_state::alarm);
        w.push(360s); // it is 0 s old then, and 60 s at the next evaluation
        CHECK(w.after(360s) == alarm_state::ok);
        CHECK(w.after(420s) == alarm_state::ok);
        CHECK(w.after(480s) == alarm_state::alarm);
    }

    TEST_CASE("Heat: an empty window has a SampleCount of 0, which is compared; CloudWatch has no datapoint") {
        watched heat{heat_rule};
        auto rule = heat_rule;
        rule.empty = rh::empty_period::counts_missing;
        watched cloudwatch{rule};
        heat.push(1s);
        cloudwatch.push(1s);
        CHECK(heat.after(240s) == alarm_state::alarm);
        CHECK(cloudwatch.after(240s) == alarm_state::insufficient_data);
        REQUIRE_FALSE(heat.seen.empty());
        CHECK(heat.seen.back().value == 0);
    }

    TEST_CASE("an empty minimum, maximum or average is no datapoint, whatever the rule says of empty periods") {
        for (const rh::statistic s : {rh::statistic::minimum, rh::statistic::maximum, rh::statistic::average}) {
            rh::any_alarm rule{.of = {.statistic = {s}, .period = 60s},
                               .compare = {comparison::less_than},
                               .threshold = 1,
                               .empty = rh::empty_period::counts_zero};
            watched w{rule};
            w.push(1s, 5);
            CHECK(w.after(60s) == alarm_state::ok);
            CHECK(w.after(120s) == alarm_state::insufficient_data);
            REQUIRE_FALSE(w.seen.empty());
            CHECK(w.seen.back().value != w.seen.back().value);
        }
        rh::any_alarm sum{.of = {.statistic = {rh::statistic::sum}, .period = 60s},
                          .compare = {comparison::less_than},
                          .threshold = 1,
                          .empty = rh::empty_period::counts_zero};
        watched w{sum};
        w.push(1s, 5);
        CHECK(w.after(120s) == alarm_state::alarm);
    }

    TEST_CASE("it does not leave insufficient_data before its first sample or the end of grace") {
        watched silent{heat_rule};
        CHECK(silent.after(599s) == alarm_state::insufficient_data);
        CHECK(silent.after(600s) == alarm_state::alarm);

        watched heard{heat_rule};
        heard.push(30s);
        CHECK(heard.after(60s) == alarm_state::ok);
        CHECK(heard.after(120s) == alarm_state::alarm); // grace is over with the first sample

        watched nothing{heat_rule};
        nothing.push(30s, std::numeric_limits<double>::quiet_NaN()); // not a sample
        CHECK(nothing.after(120s) == alarm_state::insufficient_data);
    }

    TEST_CASE("a period that began before the watch says nothing") {
        const rh::heartbeat_alarm alarm{.period = 60s};
        watched w{alarm.rule(), start + 20s};
        w.push(1s);
        CHECK(w.after(40s) == alarm_state::insufficient_data); // at the end of the period that was half watched
        CHECK(w.after(100s) == alarm_state::alarm);            // the first whole period was empty

        watched three{rh::heartbeat_alarm{.period = 60s, .evaluation_periods = 3}.rule(), start};
        three.push(1s);
        CHECK(three.after(180s) == alarm_state::ok); // one fine period, two silent ones
        CHECK(three.after(240s) == alarm_state::alarm);
    }

    TEST_CASE("a watch that begins on a border counts that period") {
        watched w{rh::heartbeat_alarm{.period = 60s}.rule(), start};
        w.push(0s);
        CHECK(w.after(60s) == alarm_state::ok);
    }

    TEST_CASE("the four comparisons, with the statistic on the left") {
        const comparison_case cases[] = {
            {comparison::greater_than, false, false, true},
            {comparison::greater_than_or_equal, false, true, true},
            {comparison::less_than, true, false, false},
            {comparison::less_than_or_equal, true, true, false},
        };
        for (const comparison_case& c : cases) {
            CAPTURE(to_string(c.how));
            const rh::any_comparison compare{c.how};
            CHECK(compare(1.9, 2) == c.below);
            CHECK(compare(2, 2) == c.equal);
            CHECK(compare(2.1, 2) == c.above);
            CHECK_FALSE(compare(std::numeric_limits<double>::quiet_NaN(), 2));
        }
        CHECK(rh::greater_than{}(3, 2));
        CHECK_FALSE(rh::greater_than{}(2, 2));
        CHECK(rh::less_than_or_equal{}(2, 2));
    }

    TEST_CASE("M of N, with the four treatments of missing data") {
        constexpr auto no_data = alarm_state::insufficient_data;
        constexpr auto ok = alarm_state::ok;
        constexpr auto raised = alarm_state::alarm;
        // In a strict range there is nothing behind the N periods. `ignore` keeps `ok` here.
        const range_case cases[] = {
            {"o", 1, ok, ok, ok, ok},
            {"x", 1, raised, raised, raised, raised},
            {"-", 1, no_data, raised, ok, ok},
            {"oox", 3, ok, ok, ok, ok},
            {"oox", 1, raised, raised, raised, raised},
            {"xox", 2, raised, raised, raised, raised},
            {"xxx", 3, raised, raised, raised, raised},
            {"---", 3, no_data, raised, ok, ok},
            {"--x", 3, no_data, raised, ok, ok}, // only breaching, and too few
            {"-ox", 2, ok, raised, ok, ok},
            {"o-x", 3, ok, ok, ok, ok},
            {"-x-", 2, no_data, raised, ok, ok},
            {"x-x", 2, raised, raised, raised, raised},
            {"o--", 2, ok, raised, ok, ok},
        };
        for (const range_case& c : cases) {
            CAPTURE(c.range);
            CAPTURE(c.m);
            CHECK(evaluated(c, missing_data::missing, ok) == c.missing);
            CHECK(evaluated(c, missing_data::breaching, ok) == c.breaching);
            CHECK(evaluated(c, missing_data::not_breaching, ok) == c.not_breaching);
            CHECK(evaluated(c, missing_data::ignore, ok) == c.ignore);
        }
        CHECK(evaluated({"---", 3, {}, {}, {}, {}}, missing_data::ignore, raised) == raised);
        CHECK(evaluated({"o--", 3, {}, {}, {}, {}}, missing_data::ignore, raised) == ok);
    }

    TEST_CASE("a static rule and the same one chosen at run time give the same transitions on any stream") {
        for (std::uint64_t seed = 1; seed <= 60; ++seed) {
            CAPTURE(seed);
            support::dice dice{seed};
            const rh::duration period = std::chrono::seconds{dice.below(120) + 1};
            const auto align = dice.below(2) == 0 ? rh::alignment::grid : rh::alignment::watch;
            const auto n = static_cast<std::uint16_t>(dice.below(4) + 1);
            const auto m = static_cast<std::uint16_t>(dice.below(n + 1));
            const auto treat = static_cast<missing_data>(dice.below(4));
            const auto empty = static_cast<rh::empty_period>(dice.below(2));
            const double threshold = static_cast<double>(dice.below(4));
            const rh::duration grace = std::chrono::seconds{dice.below(600)};
            const rh::time_point since = start + std::chrono::seconds{dice.below(300)};

            const rh::alarm<rh::window<rh::sample_count>, rh::less_than> fixed{.of = {.period = period, .align = align},
                                                                               .threshold = threshold,
                                                                               .evaluation_periods = n,
                                                                               .datapoints_to_alarm = m,
                                                                               .treat_missing = treat,
                                                                               .empty = empty,
                                                                               .grace = grace};
            const rh::any_alarm chosen{
                .of = {.statistic = {rh::statistic::sample_count}, .period = period, .align = align},
                .compare = {comparison::less_than},
                .threshold = threshold,
                .evaluation_periods = n,
                .datapoints_to_alarm = m,
                .treat_missing = treat,
                .empty = empty,
                .grace = grace};
            REQUIRE(rh::validate(fixed));
            watched a{fixed, since};
            watched b{chosen, since};
            rh::duration at{};
            for (int step = 0; step < 300; ++step) {
                at += std::chrono::milliseconds{dice.below(period.count() / 500'000)};
                const rh::duration of_sample = dice.below(5) == 0 ? at - period * dice.below(3) : at;
                a.push(of_sample);
                b.push(of_sample);
                if (dice.below(10) == 0) at += period * dice.below(6);
                REQUIRE(a.after(at) == b.after(at));
            }
            REQUIRE(a.seen.size() == b.seen.size());
            for (std::size_t t = 0; t < a.seen.size(); ++t) {
                CHECK(a.seen[t].at == b.seen[t].at);
                CHECK(a.seen[t].to == b.seen[t].to);
                CHECK((a.seen[t].value == b.seen[t].value || a.seen[t].value != a.seen[t].value));
            }
        }
    }

    TEST_CASE("each state follows from the transition before it, and none repeats") {
        support::dice dice{5};
        watched w{heat_rule};
        for (rh::duration at{}; at < 24h; at += 20s) {
            if (dice.below(4) == 0) w.push(at);
            w.after(at);
        }
        REQUIRE(w.seen.size() > 10);
        alarm_state last = alarm_state::insufficient_data;
        for (const rh::transition& t : w.seen) {
            CHECK(t.from == last);
            CHECK(t.to != last);
            last = t.to;
        }
    }

    TEST_CASE("rules are compared whole: nothing that differs shares a group") {
        rh::watch_book book;
        const auto group = [](rh::watch_id w) { return static_cast<std::uint64_t>(w) >> 32U; };
        std::vector<rh::any_alarm> rules(10, rh::any_alarm{});
        rules[1].threshold = 1;
        rules[2].of.period = 120s;
        rules[3].of.statistic = {rh::statistic::sum};
        rules[4].compare = {comparison::greater_than};
        rules[5].evaluation_periods = 2;
        rules[6].datapoints_to_alarm = 1;
        rules[7].treat_missing = missing_data::ignore;
        rules[8].empty = rh::empty_period::counts_zero;
        rules[9].grace = 1s;
        for (std::size_t n = 0; n < rules.size(); ++n) {
            CHECK(group(book.watch(rules[n], target, start)) == n);
            CHECK(group(book.watch(rules[n], rh::target_id{1}, start)) == n);
        }
        // Where periods begin belongs to it, and so does the type.
        rh::any_alarm phased;
        phased.of.align = rh::alignment::watch;
        CHECK(group(book.watch(phased, target, start)) == rules.size());
        CHECK(group(book.watch(phased, target, start + 60s)) == rules.size());
        CHECK(group(book.watch(phased, target, start + 1s)) == rules.size() + 1);
        CHECK(group(book.watch(heat_rule, target, start)) == rules.size() + 2);
    }

    TEST_CASE("a watch before 1970 is aligned like any other") {
        const rh::time_point before{-90s};
        watched w{heat_rule, before};
        w.push(30s);
        CHECK(w.after(60s) == alarm_state::ok);
        CHECK(w.after(120s) == alarm_state::alarm);
        REQUIRE(w.seen.size() == 2);
        CHECK(w.seen[0].at == before + 60s);
    }

    TEST_CASE("an unknown watch is ignored") {
        rh::watch_book book;
        book.push(rh::no_watch, start, 1);
        const rh::watch_id w = book.watch(heat_rule, target, start);
        book.push(rh::watch_id{static_cast<std::uint64_t>(w) + 1}, start, 1);
        CHECK(book.state(rh::no_watch) == alarm_state::insufficient_data);
    }

    TEST_CASE("a rule's numbers have bounds, and the error says which is out of them") {
        const auto wrong = [](auto change) {
            rh::any_alarm rule;
            change(rule);
            const auto valid = rh::validate(rule);
            return valid ? std::string{} : valid.error().where;
        };
        CHECK(wrong([](auto&) {}).empty());
        CHECK(wrong([](auto& r) { r.of.period = 999ms; }) == "period");
        CHECK(wrong([](auto& r) { r.of.period = -60s; }) == "period");
        CHECK(wrong([](auto& r) { r.of.period = 24h * 8; }) == "period");
        CHECK(wrong([](auto& r) { r.evaluation_periods = 0; }) == "evaluation_periods");
        CHECK(wrong([](auto& r) { r.evaluation_periods = 1441; }) == "evaluation_periods");
        CHECK(wrong([](auto& r) { r.datapoints_to_alarm = 2; }) == "datapoints_to_alarm");
        CHECK(wrong([](auto& r) { r.threshold = std::numeric_limits<double>::quiet_NaN(); }) == "threshold");
        CHECK(wrong([](auto& r) { r.threshold = std::numeric_limits<double>::infinity(); }) == "threshold");
        CHECK(wrong([](auto& r) { r.grace = -1s; }) == "grace");
    }
}
