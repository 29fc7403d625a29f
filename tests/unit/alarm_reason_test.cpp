// SPDX-License-Identifier: MIT
#include <reheat/alarm/history_text.hpp>
#include <reheat/core/parse_time.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::alarm_state;
using rh::comparison;
using rh::missing_data;

namespace {

static_assert(sizeof(rh::history_record) <= 240);

const rh::time_point noon = *rh::parse_time("2031-04-09T12:00:00Z");

/// Points a minute apart, newest first.
std::vector<rh::evidence_point> minutes_of(std::initializer_list<double> values) {
    std::vector<rh::evidence_point> points;
    for (const double v : values) points.push_back({noon - 1min * static_cast<int>(points.size()), v, 1});
    return points;
}

struct decimal_case {
    double value;
    std::string_view text;
};

struct reason_case {
    alarm_state state;
    std::vector<double> values; ///< newest first
    std::uint16_t n;
    std::uint16_t m;
    std::uint16_t filled;
    missing_data treat;
    std::string_view text;
};

constexpr auto raised = alarm_state::alarm;
constexpr auto fine = alarm_state::ok;

} // namespace

TEST_SUITE("alarm reason") {
    TEST_CASE("numbers are printed as CloudWatch prints them") {
        for (const decimal_case& c : std::array<decimal_case, 19>{{{7, "7.0"},
                                                                   {-0.5, "-0.5"},
                                                                   {0, "0.0"},
                                                                   {-0.0, "-0.0"},
                                                                   {0.1 + 0.2, "0.30000000000000004"},
                                                                   {0.0015765, "0.0015765"},
                                                                   {0.001, "0.001"},
                                                                   {0.00099, "9.9E-4"},
                                                                   {1e-9, "1.0E-9"},
                                                                   {123456.75, "123456.75"},
                                                                   {9'999'999, "9999999.0"},
                                                                   {1e7, "1.0E7"},
                                                                   {123'456'789, "1.23456789E8"},
                                                                   {1e100, "1.0E100"},
                                                                   {5e-324, "5.0E-324"},
                                                                   {1.7976931348623157e308, "1.7976931348623157E308"},
                                                                   {INFINITY, "Infinity"},
                                                                   {-INFINITY, "-Infinity"},
                                                                   {NAN, "NaN"}}}) {
            std::string text;
            rh::append_decimal(text, c.value);
            CHECK(text == c.text);
        }
    }

    TEST_CASE("which datapoints speak for a state, what they were compared with, what missing ones were counted as") {
        for (
            const reason_case& c : std::array<reason_case, 15>{{
                {raised,
                 {7.5},
                 1,
                 0,
                 0,
                 missing_data::missing,
                 "Threshold Crossed: 1 datapoint [7.5 (09/04/31 12:00:00)] was greater than the threshold (5.0)."},
                {raised,
                 {9, 8},
                 2,
                 0,
                 0,
                 missing_data::missing,
                 "Threshold Crossed: 2 datapoints [9.0 (09/04/31 12:00:00), 8.0 (09/04/31 11:59:00)] were greater than "
                 "the threshold (5.0)."},
                {fine,
                 {1, 8, 9},
                 3,
                 0,
                 0,
                 missing_data::missing,
                 "Threshold Crossed: 1 datapoint [1.0 (09/04/31 12:00:00)] was not greater than the threshold (5.0)."},
                {fine,
                 {2},
                 8,
                 0,
                 7,
                 missing_data::breaching,
                 "Threshold Crossed: 1 datapoint [2.0 (09/04/31 12:00:00)] was not greater than the threshold (5.0) "
                 "and "
                 "7 missing datapoints were treated as [Breaching]."},
                {raised,
                 {9, 1, 7},
                 4,
                 2,
                 0,
                 missing_data::missing,
                 "Threshold Crossed: 2 out of the last 4 datapoints [9.0 (09/04/31 12:00:00), 7.0 (09/04/31 11:58:00)] "
                 "were greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition)."},
                {raised,
                 {613},
                 20,
                 1,
                 19,
                 missing_data::not_breaching,
                 "Threshold Crossed: 1 out of the last 20 datapoints [613.0 (09/04/31 12:00:00)] was greater than the "
                 "threshold (5.0) and 19 missing datapoints were treated as [NonBreaching] (minimum 1 datapoint for OK "
                 "-> ALARM transition)."},
                {fine,
                 {1, 9},
                 5,
                 2,
                 3,
                 missing_data::not_breaching,
                 "Threshold Crossed: 1 out of the last 5 datapoints [1.0 (09/04/31 12:00:00)] was not greater than the "
                 "threshold (5.0) and 3 missing datapoints were treated as [NonBreaching] (minimum 4 datapoints for "
                 "ALARM -> OK transition)."},
                {fine,
                 {1, 2},
                 2,
                 2,
                 0,
                 missing_data::missing,
                 "Threshold Crossed: 2 out of the last 2 datapoints [1.0 (09/04/31 12:00:00), 2.0 (09/04/31 11:59:00)] "
                 "were not greater than the threshold (5.0) (minimum 1 datapoint for ALARM -> OK transition)."},
                {raised,
                 {6, 7, 8, 9, 10, 11},
                 6,
                 6,
                 0,
                 missing_data::missing,
                 "Threshold Crossed: 6 out of the last 6 datapoints were greater than the threshold (5.0). The most "
                 "recent datapoints which crossed the threshold: [6.0 (09/04/31 12:00:00), 7.0 (09/04/31 11:59:00), "
                 "8.0 "
                 "(09/04/31 11:58:00), 9.0 (09/04/31 11:57:00), 10.0 (09/04/31 11:56:00)] (minimum 6 datapoints for OK "
                 "-> ALARM transition)."},
                {raised,
                 {6, 7, 8, 9, 10},
                 5,
                 0,
                 0,
                 missing_data::missing,
                 "Threshold Crossed: 5 datapoints were greater than the threshold (5.0). The most recent datapoints "
                 "which "
                 "crossed the threshold: [6.0 (09/04/31 12:00:00), 7.0 (09/04/31 11:59:00), 8.0 (09/04/31 11:58:00), "
                 "9.0 (09/04/31 11:57:00), 10.0 (09/04/31 11:56:00)]."},
                {raised,
                 {},
                 3,
                 0,
                 3,
                 missing_data::breaching,
                 "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated "
                 "as "
                 "[Breaching]."},
                {fine,
                 {},
                 1,
                 1,
                 1,
                 missing_data::not_breaching,
                 "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
                 "[NonBreaching]."},
                {raised,
                 {1},
                 3,
                 2,
                 2,
                 missing_data::breaching,
                 "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as "
                 "[Breaching]."},
                {alarm_state::insufficient_data,
                 {},
                 1,
                 0,
                 0,
                 missing_data::missing,
                 "Insufficient Data: 1 datapoint was unknown."},
                {alarm_state::insufficient_data,
                 {},
                 5,
                 3,
                 0,
                 missing_data::missing,
                 "Insufficient Data: 5 datapoints were unknown."},
            }}) {
            std::vector<rh::evidence_point> points;
            for (const double v : c.values) points.push_back({noon - 1min * static_cast<int>(points.size()), v});
            const rh::alarm_evidence e = rh::counted({.state = c.state,
                                                      .treat_missing = c.treat,
                                                      .evaluation_periods = c.n,
                                                      .datapoints_to_alarm = c.m,
                                                      .filled = c.filled,
                                                      .threshold = 5,
                                                      .points = points});
            CHECK(rh::reason_text(e) == c.text);
        }
    }

    TEST_CASE("the words of the comparisons") {
        const auto words = [](comparison compare, alarm_state state, double value) {
            const auto points = minutes_of({value});
            return rh::reason_text(rh::counted(
                {.state = state, .compare = compare, .threshold = 2, .upper_threshold = 4, .points = points}));
        };
        const std::string one = "Threshold Crossed: 1 datapoint [";
        const std::string then = " (09/04/31 12:00:00)] was ";
        CHECK(words(comparison::greater_than_or_equal, raised, 2) ==
              one + "2.0" + then + "greater than or equal to the threshold (2.0).");
        CHECK(words(comparison::less_than, raised, 1) == one + "1.0" + then + "less than the threshold (2.0).");
        CHECK(words(comparison::less_than_or_equal, fine, 3) ==
              one + "3.0" + then + "not less than or equal to the threshold (2.0).");
        CHECK(words(comparison::equal_to, raised, 2) == one + "2.0" + then + "equal to the threshold (2.0).");
        CHECK(words(comparison::not_equal_to, raised, 3) == one + "3.0" + then + "different from the threshold (2.0).");
        const std::string band = "Thresholds Crossed: 1 datapoint [";
        CHECK(words(comparison::outside_band, raised, 1) ==
              band + "1.0" + then + "less than the lower thresholds [2.0] or greater than the upper thresholds [4.0].");
        CHECK(words(comparison::outside_band, fine, 3) ==
              band + "3.0" + then +
                  "not less than the lower thresholds [2.0] or not greater than the upper thresholds [4.0].");
        CHECK(words(comparison::above_band, raised, 5) ==
              band + "5.0" + then + "greater than the upper thresholds [4.0].");
        CHECK(words(comparison::below_band, fine, 2) ==
              band + "2.0" + then + "not less than the lower thresholds [2.0].");
        const auto points = minutes_of({9, 8, 7, 6, 9, 8, 7});
        const std::string many = rh::reason_text(rh::counted({.state = raised,
                                                              .compare = comparison::above_band,
                                                              .evaluation_periods = 7,
                                                              .upper_threshold = 4,
                                                              .points = points}));
        CHECK(many.starts_with("Thresholds Crossed: 7 datapoints [9.0 ("));
        CHECK(many.ends_with("greater than the upper thresholds [4.0, 4.0, 4.0, 4.0, 4.0]."));
    }

    TEST_CASE("reason data is JSON") {
        const std::vector<rh::evidence_point> points{{noon, 7.5, 3}, {noon - 1min, 8}};
        const rh::alarm_evidence e =
            rh::counted({.state = raised, .evaluation_periods = 2, .threshold = 5, .points = points});
        CHECK(
            rh::reason_data_text(e, {"Average", "Seconds", 60s}, noon + 1min + 7ms + 9us) ==
            R"({"version":"1.0","queryDate":"2031-04-09T12:01:00.007+0000","startDate":"2031-04-09T11:59:00.000+0000",)"
            R"("unit":"Seconds","statistic":"Average","period":60,"recentDatapoints":[8.0,7.5],"threshold":5.0,)"
            R"("evaluatedDatapoints":[{"timestamp":"2031-04-09T12:00:00.000+0000","sampleCount":3.0,"value":7.5},)"
            R"({"timestamp":"2031-04-09T11:59:00.000+0000","value":8.0}]})");
        CHECK(rh::reason_data_text({.state = raised, .threshold = 5}, {{}, {}, 10s}, noon) ==
              R"({"version":"1.0","queryDate":"2031-04-09T12:00:00.000+0000","period":10,"recentDatapoints":[],)"
              R"("threshold":5.0,"evaluatedDatapoints":[]})");
        rh::alarm_evidence band = e;
        band.compare = comparison::outside_band;
        band.upper_threshold = 6;
        const std::string text = rh::reason_data_text(band, {"p99", {}, 60s}, rh::time_point{-1ms});
        CHECK(text.find(R"("queryDate":"1969-12-31T23:59:59.999+0000")") != std::string::npos);
        CHECK(text.find(R"("recentLowerThresholds":[5.0,5.0],"recentUpperThresholds":[6.0,6.0],)") !=
              std::string::npos);

        const std::vector<rh::evidence_point> many(1'440, {noon, -1.2345678901234567e-300, 1e300});
        const rh::alarm_evidence wide{.compare = comparison::outside_band,
                                      .threshold = -1.2345678901234567e-300,
                                      .upper_threshold = 1.2345678901234567e-300,
                                      .points = many};
        const std::string unit(100, 'u');
        CHECK(rh::reason_data_text(wide, {unit, unit, 86'400s}, noon).size() <= 4'000);
    }

    TEST_CASE("a state is written more often than it changes") {
        rh::alarm_record record = rh::alarm_record::created(noon);
        CHECK(record.state == alarm_state::insufficient_data);
        CHECK(record.write(raised, noon + 1min));
        CHECK_FALSE(record.write(raised, noon + 2min));
        CHECK(record.state_updated_at == noon + 2min);
        CHECK(record.state_transitioned_at == noon + 1min);
        record.configured(noon + 3min);
        CHECK(record.state == raised);
        CHECK(record.state_updated_at == noon + 2min);
        CHECK(record.configuration_updated_at == noon + 3min);
    }

    TEST_CASE("the history of an alarm is made into text when it is read") {
        const rh::reason_metric metric{"Average", {}, 60s};
        rh::alarm_history history{4};
        CHECK(history.size(noon) == 0);
        history.add({.at = noon, .kind = rh::history_kind::configuration_update});
        const auto points = minutes_of({9});
        const rh::alarm_evidence e = rh::counted({.state = raised, .threshold = 5, .points = points});
        history.add({.at = noon + 1min, .to = raised, .why = rh::kept_evidence{e}});
        history.add({.at = noon + 1min, .kind = rh::history_kind::action, .why = rh::kept_text{"arn:aws:sns:page"}});
        history.add({.at = noon + 2min, .from = raised, .to = fine, .why = rh::kept_text{"looks \"fine\" to me"}});
        REQUIRE(history.size(noon + 2min) == 4);

        CHECK(rh::history_summary(history[3], "disk") == "Alarm \"disk\" created");
        CHECK(rh::history_data(history, 3, metric) == R"({"version":"1.0","type":"Create"})");
        CHECK(rh::history_summary(history[2], "disk") == "Alarm updated from INSUFFICIENT_DATA to ALARM");
        CHECK(
            rh::history_data(history, 2, metric) ==
            R"({"version":"1.0","oldState":{"stateValue":"INSUFFICIENT_DATA","stateReason":"Unchecked: Initial alarm )"
            R"(creation"},"newState":{"stateValue":"ALARM","stateReason":")" +
                rh::reason_text(e) + R"(","stateReasonData":)" + rh::reason_data_text(e, metric, noon + 1min) + "}}");
        CHECK(rh::history_summary(history[1], "disk") == "Successfully executed action arn:aws:sns:page");
        CHECK(rh::history_data(history, 1, metric) ==
              R"({"actionState":"Succeeded","notificationResource":"arn:aws:sns:page"})");
        CHECK(rh::history_summary(history[0], "disk") == "Alarm updated from ALARM to OK");
        CHECK(rh::history_data(history, 0, metric) ==
              R"({"version":"1.0","oldState":{"stateValue":"ALARM","stateReason":")" + rh::reason_text(e) +
                  R"(","stateReasonData":)" + rh::reason_data_text(e, metric, noon + 1min) +
                  R"(},"newState":{"stateValue":"OK","stateReason":"looks \"fine\" to me"}})");

        history.add({.at = noon + 3min, .kind = rh::history_kind::action, .succeeded = false});
        history.add({.at = noon + 4min,
                     .kind = rh::history_kind::configuration_update,
                     .change = rh::configuration_change::deleted});
        CHECK(history.size(noon + 4min) == 4); // the two oldest made place
        CHECK(rh::history_summary(history[0], std::string(400, 'x')).size() <= 255);
        CHECK(rh::history_data(history, 1, metric) == R"({"actionState":"Failed"})");
        CHECK(
            rh::history_data(history, 2, metric)
                .starts_with(R"({"version":"1.0","oldState":{"stateValue":"ALARM"},"newState")")); // its update is not
                                                                                                   // held any more
    }

    TEST_CASE("entries are kept for two weeks, or as long as is asked for") {
        rh::alarm_history history{3};
        history.add({.at = noon});
        history.add({.at = noon + 24h});
        CHECK(history.size(noon + 14 * 24h) == 2);
        CHECK(history.size(noon + 14 * 24h + 1ns) == 1);
        CHECK(history.size(noon + 30 * 24h) == 0);
        rh::alarm_history brief{3, 1h};
        brief.add({.at = noon});
        CHECK(brief.size(noon + 1h) == 1);
        CHECK(brief.size(noon + 61min) == 0);
        rh::alarm_history none{0};
        none.add({.at = noon});
        CHECK(none.size(noon) == 0);
    }

    TEST_CASE("an entry keeps the newest points that speak for its state, and its text stays below the API's bounds") {
        const auto points = minutes_of({1, 9, 1, 8, 7, 6, 9, 8, 1});
        const rh::kept_evidence kept{rh::counted(
            {.state = raised, .evaluation_periods = 9, .datapoints_to_alarm = 6, .threshold = 5, .points = points})};
        CHECK(kept.view().supporting == 6);
        CHECK(kept.view().received == 9);
        REQUIRE(kept.view().points.size() == 5);
        CHECK(kept.view().points[0].value == 9);
        CHECK(kept.view().points[4].value == 9);
        CHECK(rh::kept_text{std::string(500, 'a')}.view().size() == 191);

        const std::vector<rh::evidence_point> wide(5, {noon, -1.2345678901234567e-300, 1.2345678901234567e300});
        const rh::alarm_evidence e = rh::counted({.state = fine,
                                                  .compare = comparison::outside_band,
                                                  .treat_missing = missing_data::not_breaching,
                                                  .evaluation_periods = 1440,
                                                  .datapoints_to_alarm = 1000,
                                                  .filled = 1000,
                                                  .threshold = -1.2345678901234567e300,
                                                  .upper_threshold = 1.2345678901234567e300,
                                                  .points = wide});
        rh::alarm_history history{2};
        history.add({.at = noon, .from = raised, .to = fine, .why = rh::kept_evidence{e}});
        history.add({.at = noon, .from = fine, .to = raised, .why = rh::kept_evidence{e}});
        const std::string unit(100, 'u');
        CHECK(rh::history_data(history, 0, {unit, unit, 86'400s}).size() <= 4'095);
        CHECK(rh::reason_text(e).size() <= 1'023);
    }
}
