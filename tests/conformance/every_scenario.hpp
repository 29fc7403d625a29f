// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/forwarding.hpp>
#include <reheat/sim/mock_cloud.hpp>
#include <reheat/testing/wrapped_cloud.hpp>

#include "../scenario/scenario_files.hpp"

#include <string>
#include <utility>
#include <vector>

// All scenarios of the project, each through something that stands before the mock cloud, compared with the plain one.

namespace every_scenario {

namespace rh = reheat;
namespace testing = reheat::testing;

using scenario_files::text_of;

/// What is traffic for most readers is in its log too.
struct plain_run {
    testing::scenario what;
    std::string log;
};

inline const std::vector<plain_run>& plain() {
    static const std::vector<plain_run> all = [] {
        std::vector<plain_run> found;
        for (const auto& path : scenario_files::files()) {
            for (testing::scenario& s : scenario_files::scenarios_of(path)) {
                s.log_all = true;
                std::string log = text_of(run(s));
                found.push_back({std::move(s), std::move(log)});
            }
        }
        return found;
    }();
    return all;
}

/// The scenarios whose log is another one through `Before`.
template <class Before>
std::vector<std::string> different() {
    std::vector<std::string> names;
    for (const plain_run& p : plain()) {
        const std::string log = text_of(testing::run<testing::wrapped_cloud<Before>>(p.what));
        if (log == p.log) continue;
        names.push_back(p.what.name);
    }
    return names;
}

} // namespace every_scenario
