// SPDX-License-Identifier: MIT
// Runs decision scenarios; docs/reference/scenarios.md describes their format.
#include <reheat/core/text.hpp>
#include <reheat/testing/scenario_crash.hpp>
#include <reheat/testing/scenario_reader.hpp>
#include <reheat/testing/scenario_runner.hpp>

#include "arguments.hpp"
#include "workers.hpp"

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace testing = reheat::testing;

namespace {

constexpr std::string_view usage =
    "usage: scenario [--print] [--repeat N] [--crash N] [--jobs J] FILE...\n"
    "  runs the scenarios of each file and compares their decisions with the expected ones\n"
    "  --print      writes the decisions instead, as lines for 'expect'\n"
    "  --repeat N   runs each one N times (1 to 1000000) and compares every byte of the logs\n"
    "  --crash N    runs each one once for each moment at which its controller can end, and start again;\n"
    "               for N of them where there are more, 0: for all\n"
    "  --jobs J     runs so many scenarios at once (1 to 256)\n"
    "exit code: 0 all passed, 1 some failed, 2 bad command line\n";

struct settings {
    bool print = false;
    std::optional<unsigned> crash;
    unsigned repeat = 1;
    unsigned jobs = 1;
    std::vector<std::string> files;
};

/// A scenario of a file, or why there is none; and what came of it.
struct judged {
    std::string file;
    testing::scenario what{};
    std::string told{}; ///< what is written of it
    bool over = false;
    bool passed = false;
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
        } else if (*word == "--jobs") {
            if (!given.number(s.jobs, 1U, 256U)) return std::nullopt;
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

void crash_one(judged& j, unsigned most) {
    const testing::crash_report report = testing::try_crashes(j.what, most);
    j.points = report.points;
    j.passed = report.problems.empty();
    for (const std::string& problem : report.problems)
        j.told += "FAILED " + j.file + ":" + std::to_string(j.what.line) + ": " + j.what.name + "\n  " + problem + "\n";
}

void run_one(judged& j, const settings& with) {
    const testing::scenario_result first = run(j.what);
    const std::string text = text_of(first);
    if (with.print) {
        j.passed = true;
        j.told = "# " + j.what.name + "\n" + text + "\n";
        return;
    }
    std::string problem = explain(j.what, first, j.file);
    for (unsigned n = 1; n < with.repeat && problem.empty(); ++n) {
        if (text_of(run(j.what)) != text)
            problem = j.file + ":" + std::to_string(j.what.line) + ": run " + std::to_string(n + 1) +
                      " differs from the first\n";
    }
    j.passed = problem.empty();
    if (!j.passed) j.told = "FAILED " + problem;
}

void judge(judged& j, const settings& with) {
    if (with.crash) crash_one(j, *with.crash);
    else run_one(j, with);
}

/// Its scenarios, at the end of `all`; one that has failed if it cannot be read.
void read_file(const std::string& file, std::vector<judged>& all) {
    std::ifstream in{file, std::ios::binary};
    std::string text;
    // One byte more than may be read, so that the reader sees a file that is too large.
    text.resize((1U << 20U) + 1);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.empty()) {
        all.push_back({.file = file, .told = "FAILED " + file + ": cannot be read, or is empty\n", .over = true});
        return;
    }
    auto scenarios = testing::read_scenarios(text);
    if (!scenarios) {
        all.push_back(
            {.file = file, .told = "FAILED " + file + ": " + to_string(scenarios.error()) + "\n", .over = true});
        return;
    }
    for (testing::scenario& s : *scenarios) all.push_back({.file = file, .what = std::move(s)});
}

} // namespace

int main(int count, char** words) {
    const std::optional<settings> with = read_arguments(count, words);
    if (!with) return tools::bad_command_line(usage);
    std::vector<judged> all;
    for (const std::string& file : with->files) read_file(file, all);
    std::atomic<std::size_t> next{0};
    std::mutex guard;
    auto first_untold = all.begin();
    std::size_t passed = 0;
    std::size_t points = 0;
    tools::on_threads(with->jobs, [&] {
        for (std::size_t n = next++; n < all.size(); n = next++) {
            if (!all[n].over) judge(all[n], *with);
            const std::lock_guard<std::mutex> lock{guard};
            all[n].over = true;
            for (; first_untold != all.end() && first_untold->over; ++first_untold) show(first_untold->told);
            passed += all[n].passed ? 1U : 0U;
            points += all[n].points;
        }
    });
    if (with->crash) show(std::to_string(points) + " crash points, ");
    if (!with->print) show(std::to_string(passed) + " passed, " + std::to_string(all.size() - passed) + " failed\n");
    return passed == all.size() ? 0 : 1;
}
