// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/forwarding.hpp>
#include <reheat/sim/mock_cloud.hpp>
#include <reheat/testing/scenario_reader.hpp>
#include <reheat/testing/scenario_runner.hpp>
#include <reheat/testing/wrapped_cloud.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

// All scenarios of the project, each through something that stands before the mock cloud, compared with the plain one.

namespace every_scenario {

namespace rh = reheat;
namespace testing = reheat::testing;

#ifdef REHEAT_SOURCE_DIR
inline const std::filesystem::path folder = std::filesystem::path{REHEAT_SOURCE_DIR} / "tests" / "scenario";
#else
inline const std::filesystem::path folder = "tests/scenario"; // every test runs in the project's root folder
#endif

inline std::string text_of(const testing::scenario_result& r) {
    std::string text = r.problem + "\n";
    for (const testing::log_line& line : r.log) text += to_text(line) + "\n";
    for (const testing::failed_check& f : r.failed) text += f.text + "\n";
    return text;
}

struct plain_run {
    testing::scenario what;
    std::string log;
};

inline const std::vector<plain_run>& plain() {
    static const std::vector<plain_run> all = [] {
        std::vector<plain_run> found;
        std::vector<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::directory_iterator{folder}) {
            if (entry.path().extension() == ".scenario") files.push_back(entry.path());
        }
        std::sort(files.begin(), files.end());
        for (const auto& path : files) {
            std::ifstream in{path, std::ios::binary};
            const std::string text{std::istreambuf_iterator<char>{in}, {}};
            auto read = testing::read_scenarios(text);
            REQUIRE_MESSAGE(read, path.string());
            for (testing::scenario& s : *read) {
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
