// SPDX-License-Identifier: MIT
// Scenarios whose controller ends at each moment at which it can, and starts again.
#include <reheat/testing/scenario_crash.hpp>
#include <reheat/testing/scenario_reader.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace testing = reheat::testing;

TEST_SUITE("scenario crash") {
    TEST_CASE("wherever the controller ends, the next one goes on") {
        std::size_t points = 0;
        for (const std::string name : {"absorption", "approval", "budgets", "fence", "levels", "outcomes", "proofs"}) {
            CAPTURE(name);
            std::ifstream file{"tests/scenario/" + name + ".scenario"};
            const std::string text{std::istreambuf_iterator<char>{file}, {}};
            const auto scenarios = testing::read_scenarios(text);
            REQUIRE(scenarios);
            for (const testing::scenario& s : *scenarios) {
                CAPTURE(s.name);
                const testing::crash_report report = testing::try_crashes(s, 25);
                points += report.points;
                for (const std::string& problem : report.problems) FAIL_CHECK(problem);
            }
        }
        CHECK(points > 800);
    }
}
