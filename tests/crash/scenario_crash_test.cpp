// SPDX-License-Identifier: MIT
// Scenarios whose controller ends at each moment at which it can, and starts again.
#include <reheat/testing/scenario_crash.hpp>

#include "../scenario/scenario_files.hpp"

#include <cstddef>
#include <string>

namespace testing = reheat::testing;

TEST_SUITE("scenario crash") {
    TEST_CASE("wherever the controller ends, the next one goes on") {
        std::size_t points = 0;
        for (const std::string name : {"absorption", "approval", "budgets", "fence", "levels", "outcomes", "proofs"}) {
            for (const testing::scenario& s :
                 scenario_files::scenarios_of(scenario_files::folder / (name + ".scenario"))) {
                CAPTURE(s.name);
                const testing::crash_report report = testing::try_crashes(s, 25);
                points += report.points;
                for (const std::string& problem : report.problems) FAIL_CHECK(problem);
            }
        }
        CHECK(points > 800);
    }
}
