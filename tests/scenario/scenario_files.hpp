// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/scenario_reader.hpp>
#include <reheat/testing/scenario_runner.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

// The scenarios of the project, for the tests that run them.

namespace scenario_files {

namespace testing = reheat::testing;

inline const std::filesystem::path folder = "tests/scenario"; // every test runs in the project's root folder

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

inline std::vector<std::filesystem::path> files() {
    std::vector<std::filesystem::path> all;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        if (entry.path().extension() == ".scenario") all.push_back(entry.path());
    }
    std::sort(all.begin(), all.end());
    return all;
}

inline std::vector<testing::scenario> scenarios_of(const std::filesystem::path& path) {
    auto read = testing::read_scenarios(read_file(path));
    REQUIRE_MESSAGE(read, path.string(), ": ", to_string(read.error()));
    return std::move(*read);
}

inline std::string text_of(const testing::scenario_result& r) {
    std::string text = r.problem + "\n";
    for (const testing::log_line& line : r.log) text += to_text(line) + "\n";
    for (const testing::failed_check& f : r.failed) text += f.text + "\n";
    return text;
}

} // namespace scenario_files
