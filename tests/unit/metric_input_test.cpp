// SPDX-License-Identifier: MIT
#include <reheat/metric/metric_input.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace rh = reheat;
using namespace std::chrono_literals;
using support::start;

namespace {

/// A sound datum that a test makes unsound.
rh::metric_input sound() {
    rh::metric_input m;
    m.name = "Heartbeat";
    m.value = 1;
    return m;
}

std::string code(const rh::metric_input& m) {
    const auto fault = rh::check_metric_data("Heat", std::span{&m, 1}, start);
    return fault ? std::string{fault->code} : "";
}

std::string message(const rh::metric_input& m) {
    const auto fault = rh::check_metric_data("Heat", std::span{&m, 1}, start);
    return fault ? fault->message : "";
}

} // namespace

TEST_SUITE("metric input") {
    TEST_CASE("a sound datum, and what of it is required") {
        CHECK(code(sound()).empty());
        rh::metric_input m = sound();
        m.name.reset();
        CHECK(code(m) == "MissingParameter");
        CHECK(message(m) == "The parameter MetricData.member.1.MetricName is required.");
        m = sound();
        m.value.reset();
        CHECK(code(m) == "MissingParameter");
    }

    TEST_CASE("names: 1 to 255 characters of ASCII, not blank") {
        const std::string longest(255, 'a');
        const std::string longer(256, 'a');
        rh::metric_input m = sound();
        m.name = longest;
        CHECK(code(m).empty());
        for (const std::string_view bad : {std::string_view{longer}, std::string_view{}}) {
            m.name = bad;
            CHECK(code(m) == "ValidationError");
        }
        for (const std::string_view bad : {"   ", "a\nb", "caf\xc3\xa9", "a\x7f"}) {
            m.name = bad;
            CHECK(code(m) == "InvalidParameterValue");
        }
    }

    TEST_CASE("the namespace of a request") {
        const rh::metric_input m = sound();
        const auto of = [&m](std::string_view name) {
            const auto fault = rh::check_metric_data(name, std::span{&m, 1}, start);
            return fault ? std::string{fault->code} : "";
        };
        CHECK(of("AWS/EC2").empty());
        CHECK(of(":x") == "InvalidParameterValue");
        CHECK(of("") == "ValidationError");
        CHECK(of(std::string(256, 'x')) == "ValidationError");
    }

    TEST_CASE("dimensions: 30 at most, with names and values of their own bounds") {
        std::vector<rh::metric_input::dimension> some(30, {"host", "db-1"});
        rh::metric_input m = sound();
        m.dimensions = some;
        CHECK(code(m).empty());
        some.push_back({"host", "db-1"});
        m.dimensions = some;
        CHECK(code(m) == "ValidationError");
        const std::string value(1025, 'v');
        const rh::metric_input::dimension bad[]{
            {"host", value}, {":host", "a"}, {"host", ""}, {"", "a"}, {"host", " "}};
        for (const auto& d : bad) {
            m.dimensions = std::span{&d, 1};
            CHECK_FALSE(code(m).empty());
        }
    }

    TEST_CASE("values: one of three forms, and numbers within 2^360") {
        const double two[]{1, 10};
        const double three[]{2, 4, 5};
        rh::metric_input m = sound();
        m.values = two;
        CHECK(code(m) == "InvalidParameterCombination");
        CHECK(message(m) ==
              "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive "
              "and you have specified both.");
        m.value.reset();
        CHECK(code(m).empty());
        m.counts = three;
        CHECK(message(m) ==
              "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.");
        m.counts = {};
        m.statistics = {10, 55, 1, 10};
        CHECK(code(m).empty()); // as the real API
        m.statistics->sum.reset();
        CHECK(code(m) == "InvalidParameterValue");
        m = sound();
        for (const double good : {0.0, -1.0, rh::metric_limits::value, -rh::metric_limits::value}) {
            m.value = good;
            CHECK(code(m).empty());
        }
        m.value = std::numeric_limits<double>::quiet_NaN();
        CHECK(message(m) == "The value NaN for parameter MetricData.member.1.Value is invalid.");
        m.value = -std::numeric_limits<double>::infinity();
        CHECK(message(m) == "The value -Infinity for parameter MetricData.member.1.Value is invalid.");
        m.value = 2.348542582773834e108;
        CHECK(code(m) == "InvalidParameterValue");
        const std::vector<double> many(151, 1.0);
        m.value.reset();
        m.values = many;
        CHECK(code(m) == "InvalidParameterValue");
        m.values = std::span{many}.first(150);
        CHECK(code(m).empty());
    }

    TEST_CASE("times from two weeks ago to two hours ahead, resolutions of 1 and 60 s, CloudWatch's units") {
        rh::metric_input m = sound();
        for (const rh::duration good : {rh::duration{-24h * 14}, rh::duration{}, rh::duration{2h}}) {
            m.timestamp = start + good;
            CHECK(code(m).empty());
        }
        for (const rh::duration bad : {rh::duration{-24h * 14 - 1s}, rh::duration{2h + 1s}}) {
            m.timestamp = start + bad;
            CHECK(code(m) == "InvalidParameterValue");
        }
        m = sound();
        m.storage_resolution = 1;
        CHECK(code(m).empty());
        m.storage_resolution = 10;
        CHECK(code(m) == "InvalidParameterValue");
        m = sound();
        for (const std::string_view name : rh::detail::unit_names) {
            m.unit_name = name;
            CHECK(code(m).empty());
            CHECK(to_string(*rh::parse_unit(name)) == name);
        }
        m.unit_name = "Parsecs";
        CHECK(code(m) == "InvalidParameterValue");
        CHECK(message(m).starts_with("The parameter MetricData.member.1.Unit must be a value in the set [ Seconds, "));
        CHECK(message(m).ends_with(", Count/Second, None ]."));
    }

    TEST_CASE("a request: its size, its data, and the number of the datum that is wrong") {
        std::vector<rh::metric_input> data(1000, sound());
        CHECK_FALSE(rh::check_metric_data("Heat", data, start, 1'048'576));
        CHECK(rh::check_metric_data("Heat", data, start, 1'048'577)->http_status == 413);
        data[6].value = std::numeric_limits<double>::infinity();
        CHECK(rh::check_metric_data("Heat", data, start)->message ==
              "The value Infinity for parameter MetricData.member.7.Value is invalid.");
        data.push_back(sound());
        CHECK(rh::check_metric_data("Heat", data, start)->code == "ValidationError");
        CHECK(rh::check_metric_data("Heat", {}, start)->code == "MissingParameter");
    }
}
