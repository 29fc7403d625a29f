// SPDX-License-Identifier: MIT
// Runs decision scenarios; docs/reference/scenarios.md describes their format.
#include <reheat/core/text.hpp>
#include <reheat/testing/scenario_crash.hpp>
#include <reheat/testing/scenario_reader.hpp>
#include <reheat/testing/scenario_runner.hpp>

#include "arguments.hpp"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace testing = reheat::testing;

namespace {

constexpr std::string_view usage =
    "usage: scenario [--print] [--repeat N] [--crash N] FILE...\n"
    "  runs the scenarios of each file and compares their decisions with the expected ones\n"
    "  --print      writes the decisions instead, as lines for 'expect'\n"
    "  --repeat N   runs each one N times (1 to 1000000) and compares every byte of the logs\n"
    "  --crash N    runs each one once for each moment at which its controller can end, and start again;\n"
    "               for N of them where there are more, 0: for all\n"
    "exit code: 0 all passed, 1 some failed, 2 bad command line\n";

struct settings {
    bool print = false;
    std::optional<unsigned> crash;
    unsigned repeat = 1;
    std::vector<std::string> files;
};

struct totals {
    unsigned passed = 0;
    unsigned failed = 0;
    std::size_t points = 0;
};

std::optional<settings> read_arguments(int count, char** words) {
    settings s;
    tools::arguments given{count, words};
    while (const auto word = given.next()) {
        if (*word == "--print") {
            s.print = true;
        } else if (*word == "--repeat") {
            if (!given.number(s.repeat, 1U, 1'000'000U)) return std::nullopt;
        } else if (*word == "--crash") {
            if (!given.number(s.crash.emplace())) return std::nullopt;
        } else if (word->starts_with('-')) {
            return std::nullopt;
        } else {
            s.files.emplace_back(*word);
        }
    }
    if (s.files.empty()) return std::nullopt;
    return s;
}

void show(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string text_of(const testing::scenario_result& r) {
    std::string text = r.problem;
    for (const testing::log_line& line : r.log) text += to_text(line) + "\n";
    return text;
}

void crash_one(const testing::scenario& s, const std::string& file, unsigned most, totals& sum) {
    const testing::crash_report report = testing::try_crashes(s, most);
    sum.points += report.points;
    ++(report.problems.empty() ? sum.passed : sum.failed);
    for (const std::string& problem : report.problems)
        show("FAILED " + file + ":" + std::to_string(s.line) + ": " + s.name + "\n  " + problem + "\n");
}

void run_one(const testing::scenario& s, const std::string& file, const settings& with, totals& sum) {
    const testing::scenario_result first = run(s);
    if (with.print) {
        show("# " + s.name + "\n" + text_of(first) + "\n");
        return;
    }
    std::string problem = explain(s, first, file);
    const std::string text = text_of(first);
    for (unsigned n = 1; n < with.repeat && problem.empty(); ++n) {
        if (text_of(run(s)) != text)
            problem =
                file + ":" + std::to_string(s.line) + ": run " + std::to_string(n + 1) + " differs from the first\n";
    }
    ++(problem.empty() ? sum.passed : sum.failed);
    if (!problem.empty()) show("FAILED " + problem);
}

void run_file(const std::string& file, const settings& with, totals& sum) {
    std::ifstream in{file, std::ios::binary};
    std::string text;
    // One byte more than may be read, so that the reader sees a file that is too large.
    text.resize((1U << 20U) + 1);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.empty()) {
        ++sum.failed;
        return show("FAILED " + file + ": cannot be read, or is empty\n");
    }
    const auto scenarios = testing::read_scenarios(text);
    if (!scenarios) {
        ++sum.failed;
        return show("FAILED " + file + ": " + to_string(scenarios.error()) + "\n");
    }
    for (const testing::scenario& s : *scenarios) {
        if (with.crash) crash_one(s, file, *with.crash, sum);
        else run_one(s, file, with, sum);
    }
}

} // namespace

int main(int count, char** words) {
    const std::optional<settings> with = read_arguments(count, words);
    if (!with) return tools::bad_command_line(usage);
    totals sum;
    for (const std::string& file : with->files) run_file(file, *with, sum);
    if (with->crash) show(std::to_string(sum.points) + " crash points, ");
    if (!with->print) show(std::to_string(sum.passed) + " passed, " + std::to_string(sum.failed) + " failed\n");
    return sum.failed == 0 ? 0 : 1;
}
