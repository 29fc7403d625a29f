// SPDX-License-Identifier: MIT
#include <reheat/alarm/alarm_validation.hpp>

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace rh = reheat;
namespace aws = reheat::aws;
using namespace std::chrono_literals;

namespace {

/// A definition that is good.
rh::alarm_definition good_alarm() {
    rh::alarm_definition a;
    a.name = "disk-full";
    a.metric_name = "used";
    a.metric_namespace = "disks";
    a.statistic = "Average";
    a.period = 300;
    a.evaluation_periods = 3;
    a.threshold = 90;
    a.comparison_operator = "GreaterThanThreshold";
    return a;
}

bool is_extended(std::string_view name) { return name == "p99" || name == "tm90"; }

/// The fault of a definition after a change, as `code: message`; empty if there is none.
template <class Change>
std::string fault_with(Change change) {
    rh::alarm_definition a = good_alarm();
    change(a);
    const auto fault = rh::check_alarm(a, is_extended);
    if (!fault) return "";
    CHECK(fault->http_status == 400);
    return std::string{fault->code} + ": " + fault->message;
}

std::string constraint(std::string_view value, std::string_view member, std::string_view expected) {
    return "ValidationError: 1 validation error detected: Value '" + std::string{value} + "' at '" +
           std::string{member} + "' failed to satisfy constraint: Member must " + std::string{expected};
}

struct period_case {
    std::int64_t period;
    std::int64_t evaluation_periods;
    bool good;
};

} // namespace

TEST_SUITE("alarm validation") {
    TEST_CASE("names are spelled as the API spells them") {
        CHECK(aws::parse<rh::alarm_state>("INSUFFICIENT_DATA") == rh::alarm_state::insufficient_data);
        CHECK_FALSE(aws::parse<rh::alarm_state>("insufficient_data").has_value());
        CHECK_FALSE(aws::parse<rh::alarm_state>("").has_value());
        CHECK(aws::parse<rh::missing_data>("notBreaching") == rh::missing_data::not_breaching);
        CHECK(aws::name(rh::missing_data::not_breaching) == "notBreaching");
        CHECK(aws::name(rh::alarm_state::ok) == "OK");
        CHECK(aws::name(rh::history_kind::configuration_update) == "ConfigurationUpdate");
        CHECK(aws::parse<rh::suppressed_by>("ExtensionPeriod") == rh::suppressed_by::extension_period);
        CHECK(aws::parse<rh::evaluation_state>("IN_WARM_UP") == rh::evaluation_state::in_warm_up);
        CHECK(aws::parse<rh::comparison>("LessThanLowerThreshold") == rh::comparison::below_band);
        CHECK_FALSE(aws::parse<rh::comparison>("EqualToThreshold").has_value()); // that is Aodh's
        CHECK(aws::name(rh::comparison::not_equal_to).empty());
        CHECK(aws::name(static_cast<rh::alarm_state>(9)).empty());
    }

    TEST_CASE("what is good, with everything that may be left out") {
        CHECK(fault_with([](auto&) {}).empty());
        CHECK(fault_with([](auto& a) { a.datapoints_to_alarm = 3; }).empty());
        CHECK(fault_with([](auto& a) { a.treat_missing_data = "ignore"; }).empty());
        CHECK(fault_with([](auto& a) { a.evaluate_low_sample_count_percentile = "evaluate"; }).empty());
        CHECK(fault_with([](auto& a) {
                  a.statistic = {};
                  a.extended_statistic = "p99";
              }).empty());
        for (const std::string_view statistic : {"SampleCount", "Average", "Sum", "Minimum", "Maximum"})
            CHECK(fault_with([&](auto& a) { a.statistic = statistic; }).empty());
    }

    TEST_CASE("what is required") {
        CHECK(fault_with([](auto& a) { a.name = {}; }) == "MissingParameter: The parameter AlarmName is required.");
        CHECK(fault_with([](auto& a) { a.threshold.reset(); }).starts_with("MissingParameter: "));
        CHECK(fault_with([](auto& a) { a.period.reset(); }).starts_with("MissingParameter: "));
        CHECK(fault_with([](auto& a) { a.evaluation_periods.reset(); }).starts_with("MissingParameter: "));
        CHECK(fault_with([](auto& a) { a.comparison_operator = {}; }).starts_with("MissingParameter: "));
        CHECK(fault_with([](auto& a) { a.metric_name = {}; }).starts_with("MissingParameter: "));
        CHECK(fault_with([](auto& a) { a.metric_namespace = {}; }).starts_with("MissingParameter: "));
        CHECK(fault_with([](auto& a) { a.statistic = {}; }).starts_with("InvalidParameterCombination: "));
        CHECK(fault_with([](auto& a) { a.extended_statistic = "p99"; }).starts_with("InvalidParameterCombination: "));
    }

    TEST_CASE("lengths are counted in characters") {
        const std::string longest(255, 'n');
        const std::string too_long(256, 'n');
        CHECK(fault_with([&](auto& a) { a.name = longest; }).empty());
        CHECK(fault_with([&](auto& a) { a.name = too_long; }) ==
              constraint(too_long, "alarmName", "have length less than or equal to 255"));
        std::string umlauts;
        for (int i = 0; i < 255; ++i) umlauts += "ü";
        CHECK(fault_with([&](auto& a) { a.name = umlauts; }).empty());
        const std::string prose(1024, 'd');
        const std::string too_much(1025, 'd');
        CHECK(fault_with([&](auto& a) { a.description = prose; }).empty());
        CHECK(fault_with([&](auto& a) { a.description = too_much; }).find("'alarmDescription'") != std::string::npos);
        const std::vector<std::string_view> six(6, "arn:aws:sns:x");
        CHECK(fault_with([&](auto& a) { a.ok_actions = std::span{six}.first(5); }).empty());
        CHECK(fault_with([&](auto& a) { a.ok_actions = six; }).find("'oKActions'") != std::string::npos);
        CHECK(fault_with([&](auto& a) { a.alarm_actions = six; }).find("'alarmActions'") != std::string::npos);
        CHECK_FALSE(fault_with([&](auto& a) { a.insufficient_data_actions = six; }).empty());
    }

    TEST_CASE("periods, and how far they reach together") {
        for (const period_case& c : std::array<period_case, 22>{
                 {{10, 1, true},      {20, 1, true},      {30, 1, true},      {60, 1, true},      {180, 1, true},
                  {0, 1, false},      {-60, 1, false},    {15, 1, false},     {40, 1, false},     {61, 1, false},
                  {10, 8'640, true},  {10, 8'641, false}, {30, 2'880, true},  {30, 2'881, false}, {300, 288, true},
                  {300, 289, false},  {3'540, 24, true},  {3'540, 25, false}, {3'600, 168, true}, {3'600, 169, false},
                  {604'800, 1, true}, {604'860, 1, false}}}) {
            INFO(c.period << " s, " << c.evaluation_periods << " times");
            const std::string fault = fault_with([&](auto& a) {
                a.period = c.period;
                a.evaluation_periods = c.evaluation_periods;
            });
            CHECK(fault.empty() == c.good);
            CHECK((fault.empty() || fault.starts_with("ValidationError: ")));
        }
        CHECK(fault_with([](auto& a) { a.evaluation_periods = 0; }) ==
              constraint("0", "evaluationPeriods", "have value greater than or equal to 1"));
        CHECK(fault_with([](auto& a) { a.datapoints_to_alarm = 0; }) ==
              constraint("0", "datapointsToAlarm", "have value greater than or equal to 1"));
        CHECK_FALSE(fault_with([](auto& a) { a.datapoints_to_alarm = 4; }).empty());
        CHECK_FALSE(
            fault_with([](auto& a) { a.evaluation_periods = std::numeric_limits<std::int64_t>::max(); }).empty());
    }

    TEST_CASE("values that are none of the API's") {
        CHECK(fault_with([](auto& a) { a.comparison_operator = "Above"; }) ==
              constraint("Above", "comparisonOperator",
                         "satisfy enum value set: [GreaterThanThreshold, GreaterThanOrEqualToThreshold, "
                         "LessThanThreshold, LessThanOrEqualToThreshold, LessThanLowerOrGreaterThanUpperThreshold, "
                         "LessThanLowerThreshold, GreaterThanUpperThreshold]"));
        CHECK(fault_with([](auto& a) {
                  a.statistic = "Median";
              }).starts_with(constraint("Median", "statistic", "satisfy enum value set: [")));
        CHECK(fault_with([](auto& a) { a.treat_missing_data = "zero"; }) ==
              "ValidationError: The value zero is not supported for TreatMissingData parameter. Supported values are "
              "[breaching, notBreaching, ignore, missing].");
        CHECK(fault_with([](auto& a) { a.evaluate_low_sample_count_percentile = "skip"; }) ==
              "ValidationError: Option skip is not supported. Supported options for parameter "
              "EvaluateLowSampleCountPercentile are evaluate and ignore.");
        CHECK(fault_with([](auto& a) {
                  a.statistic = {};
                  a.extended_statistic = "q50";
              }) == "InvalidParameterValue: The value q50 for parameter ExtendedStatistic is not supported.");
        CHECK(fault_with([](auto& a) {
                  a.threshold = std::numeric_limits<double>::quiet_NaN();
              }).starts_with("InvalidParameterValue: "));
    }

    TEST_CASE("a state that an operator sets") {
        const auto json = [](std::string_view text) { return text.starts_with('{'); };
        CHECK_FALSE(rh::check_state_update("OK", "by hand", "", json).has_value());
        CHECK_FALSE(rh::check_state_update("ALARM", "", "{}", json).has_value());
        const auto unknown = rh::check_state_update("RED", "", "", json);
        REQUIRE(unknown.has_value());
        CHECK(unknown->code == "ValidationError");
        CHECK(unknown->message.ends_with("enum value set: [INSUFFICIENT_DATA, ALARM, OK]"));
        const auto data = rh::check_state_update("OK", "", "nonsense", json);
        REQUIRE(data.has_value());
        CHECK(data->code == "InvalidFormat");
        CHECK_FALSE(rh::check_state_update("OK", std::string(1023, 'r'), "", json).has_value());
        CHECK(rh::check_state_update("OK", std::string(1024, 'r'), "", json).has_value());
        CHECK(rh::check_state_update("OK", "", "{" + std::string(4000, ' '), json).has_value());
    }

    TEST_CASE("a range of statistics") {
        const rh::time_point t{500h};
        CHECK_FALSE(rh::check_statistics_range(t, t + 1440min, 60s).has_value());
        CHECK_FALSE(rh::check_statistics_range(t, t + 1s, 60s).has_value());
        const auto many = rh::check_statistics_range(t, t + 1440min + 1s, 60s);
        REQUIRE(many.has_value());
        CHECK(many->code == "InvalidParameterCombination");
        CHECK(many->message.find("up to 1441 datapoints") != std::string::npos);
        for (const rh::time_point end : {t, t - 1h}) {
            const auto empty = rh::check_statistics_range(t, end, 60s);
            REQUIRE(empty.has_value());
            CHECK(empty->code == "InvalidParameterValue");
        }
        CHECK(rh::check_statistics_range(t, t + 1h, 0s).has_value());
    }
}
