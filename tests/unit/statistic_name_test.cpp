// SPDX-License-Identifier: MIT
#include <reheat/metric/statistic_name.hpp>

#include <doctest/doctest.h>

#include <string_view>

namespace rh = reheat;

TEST_SUITE("statistic name") {
    TEST_CASE("names that are, and what they are called again") {
        struct name_case {
            std::string_view name;
            std::string_view printed;
        };
        const name_case cases[] = {
            {"SampleCount", "SampleCount"},
            {"Maximum", "Maximum"},
            {"p0", "p0"},
            {"p50", "p50"},
            {"p99.9", "p99.9"},
            {"p100", "p100"},
            {"p99.", "p99"},
            {"p99.0123456789", "p99.0123456789"},
            {"tm90", "tm90"},
            {"tc5", "tc5"},
            {"wm98", "wm98"},
            {"IQM", "IQM"},
            {"TM(:95%)", "tm95"},
            {"TM(10%:)", "TM(10%:100%)"},
            {"TS(1.5%:100.0%)", "TS(1.5%:100%)"},
            {"TM(150:1000)", "TM(150:1000)"},
            {"PR(:300)", "PR(:300)"},
            {"PR(1:)", "PR(1:)"},
            {"TC(0.005:1e3)", "TC(0.005:1000)"},
            {"PR(:1e-30)", "PR(:1e-30)"},
            {"PR(2.5E+2:)", "PR(250:)"},
        };
        for (const name_case& c : cases) {
            CAPTURE(c.name);
            const auto spec = rh::parse_statistic(c.name);
            REQUIRE(spec);
            CHECK(to_string(*spec) == c.printed);
            const auto again = rh::parse_statistic(to_string(*spec));
            REQUIRE(again);
            CHECK(*again == *spec);
        }
    }

    TEST_CASE("names that are not") {
        for (const std::string_view name : {"",
                                            "p",
                                            "P",
                                            "p101",
                                            "p1000",
                                            "p100.0",
                                            "p-1",
                                            "p 50",
                                            "p50 ",
                                            "pp50",
                                            "tm101",
                                            "pr90",
                                            "median",
                                            "iqm",
                                            "IQM1",
                                            "Average%",
                                            "average",
                                            "TM",
                                            "TM()",
                                            "TM(:)",
                                            "TM(10%:20)",
                                            "TM(10:20%)",
                                            "TM(5%:101%)",
                                            "TM(5%:100.1%)",
                                            "TM(5%:95%",
                                            "TM(5%:95%) ",
                                            "PR(5%:95%)",
                                            "PR(:)",
                                            "PR(-1:5)",
                                            "PR(1:5",
                                            "PR(1e:5)",
                                            "PR(.5:1)",
                                            "PR(1.01234567890:5)",
                                            "p95.01234567890",
                                            "TM(1e999:)"}) {
            CAPTURE(name);
            const auto spec = rh::parse_statistic(name);
            REQUIRE_FALSE(spec);
            CHECK(spec.error().code == rh::errc::syntax);
        }
        CHECK(rh::parse_statistic("p90_E").error().code == rh::errc::unsupported);
    }
}
