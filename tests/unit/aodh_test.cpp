// SPDX-License-Identifier: MIT
#include <reheat/alarm/unanimous.hpp>

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <string>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::alarm_state;
using rh::comparison;

namespace {

constexpr auto unknown = alarm_state::insufficient_data;
constexpr auto fine = alarm_state::ok;
constexpr auto raised = alarm_state::alarm;

/// What the newest three points are, newest last: `o` outside, `i` inside.
struct mixed_case {
    std::string_view points;
    alarm_state from_unknown;
    alarm_state from_fine;
    alarm_state from_raised;
};

constexpr rh::unanimous_rule rule{.compare = {comparison::greater_than}, .threshold = 50, .evaluation_periods = 3};

alarm_state after(std::string_view points, alarm_state before) {
    std::vector<double> values;
    for (const char p : points) values.push_back(p == 'o' ? 50.5 : 50);
    return rh::evaluate(rule, values, before).state;
}

} // namespace

TEST_SUITE("aodh") {
    TEST_CASE("all outside raise, none clears, a mixed range keeps the state; from unknown the newest point decides") {
        for (const mixed_case& c : std::array<mixed_case, 8>{{{"ooo", raised, raised, raised},
                                                              {"iii", fine, fine, fine},
                                                              {"iio", raised, fine, raised},
                                                              {"ioi", fine, fine, raised},
                                                              {"oii", fine, fine, raised},
                                                              {"ooi", fine, fine, raised},
                                                              {"oio", raised, fine, raised},
                                                              {"ioo", raised, fine, raised}}}) {
            INFO(std::string{c.points});
            CHECK(after(c.points, unknown) == c.from_unknown);
            CHECK(after(c.points, fine) == c.from_fine);
            CHECK(after(c.points, raised) == c.from_raised);
        }
    }

    TEST_CASE("only the newest N points count, and fewer than N are insufficient data") {
        CHECK(after("iiiiooo", fine) == raised);
        CHECK(after("oooooiii", raised) == fine);
        CHECK(after("oo", raised) == unknown);
        CHECK(after("", fine) == unknown); // the source failed
        CHECK(rh::evaluate(rule, std::array{60.0, 60.0, 60.0}, fine).by == rh::decided_by::datapoints);
        CHECK(rh::evaluate(rule, std::array{60.0, 60.0, 6.0}, fine).by == rh::decided_by::kept);
        CHECK(rh::evaluate(rule, std::array{60.0, 60.0, 6.0}, unknown).by == rh::decided_by::trend);
    }

    TEST_CASE("a change notifies, and with repeat_actions every evaluation does") {
        CHECK(rh::notifies(fine, raised, false));
        CHECK(rh::notifies(raised, unknown, false));
        CHECK_FALSE(rh::notifies(raised, raised, false));
        CHECK_FALSE(rh::notifies(fine, fine, false));
        CHECK(rh::notifies(raised, raised, true));
        CHECK(rh::notifies(fine, fine, true));
        CHECK(rh::notifies(unknown, unknown, true));
    }

    TEST_CASE("a window holds one point more than is asked for, and begins earlier by the lag") {
        const rh::time_point now{20h};
        CHECK(rh::window_start(rule, now) == now - 240s);
        CHECK(rh::window_start(rule, now, 17s) == now - 257s);
        auto excluding = rule;
        excluding.exclude_outliers = true;
        excluding.granularity = 5min;
        CHECK(rh::window_start(excluding, now) == now - 30min);
    }

    TEST_CASE("points of unusually few or many samples are dropped") {
        std::vector<rh::measured_point> points(9, {1, 100});
        points.push_back({2, 3});
        CHECK(rh::exclude_outliers(points) == 9);
        points.assign(9, {1, 100});
        points.insert(points.begin() + 4, {2, 900});
        points[9].value = 7;
        CHECK(rh::exclude_outliers(points) == 9);
        CHECK(points[3].value == 1);
        CHECK(points[4].value == 1);
        CHECK(points[8].value == 7);

        points.assign(4, {5, 17});
        CHECK(rh::exclude_outliers(points) == 4); // no deviation: nobody is unusual
        points.assign({{1, 1}, {1, 1}, {1, 1}, {1, 6}});
        CHECK(rh::exclude_outliers(points) == 4); // 6 is 1.7 deviations from the mean
        CHECK(rh::exclude_outliers({}) == 0);
        points.assign({{1, 0}, {1, 0}, {1, 0}, {1, 0}, {1, 5}});
        CHECK(rh::exclude_outliers(points) == 5); // exactly two deviations: still one of them
    }

    TEST_CASE("a rule's numbers have bounds") {
        const auto with = [](auto change) {
            rh::unanimous_rule r = rule;
            change(r);
            const auto checked = rh::validate(r);
            return checked ? std::string{} : checked.error().where;
        };
        CHECK(with([](auto&) {}).empty());
        CHECK(with([](auto& r) { r.evaluation_periods = 0; }) == "evaluation_periods");
        CHECK(with([](auto& r) { r.evaluation_periods = 100; }).empty());
        CHECK(with([](auto& r) { r.evaluation_periods = 101; }) == "evaluation_periods");
        CHECK(with([](auto& r) { r.granularity = 999ms; }) == "granularity");
        CHECK(with([](auto& r) { r.granularity = 1500ms; }) == "granularity");
        CHECK(with([](auto& r) { r.granularity = 31'536'000s; }).empty());
        CHECK(with([](auto& r) { r.granularity = 31'536'001s; }) == "granularity");
        CHECK(with([](auto& r) { r.threshold = std::numeric_limits<double>::infinity(); }) == "threshold");
        CHECK(with([](auto& r) { r.compare = {comparison::outside_band}; }) == "comparison_operator");
        CHECK(with([](auto& r) { r.compare = {comparison::not_equal_to}; }).empty());
    }

    TEST_CASE("comparisons have short names") {
        CHECK(rh::parse_operator("ge") == comparison::greater_than_or_equal);
        CHECK(rh::parse_operator("ne") == comparison::not_equal_to);
        CHECK_FALSE(rh::parse_operator("GE").has_value());
        CHECK_FALSE(rh::parse_operator("").has_value());
    }
}
