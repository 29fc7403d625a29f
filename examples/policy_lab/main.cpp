// SPDX-License-Identifier: MIT
// policy_lab: your policy and the ones of others, on your fleet, through the same thousand days of faults. What each
// would have cost is a table on the terminal and a page with plots.
//
//     policy_lab                                        # what the presets do, on a fleet of 100 instances
//     policy_lab --policy mine.json --html mine.html    # yours beside them
//     policy_lab --fleet ours.json --faults host_goes_dark=2,guest_freezes=6
//
// docs/how-to/compare-policies.md says how to read it, and what it does not tell.
#include "contestant.hpp"
#include "options.hpp"
#include "page.hpp"
#include "summary.hpp"
#include "table.hpp"
#include "trial.hpp"

#include <cstdio>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace policy_lab {

namespace {

constexpr int done = 0;
constexpr int promise_broken = 1;
constexpr int bad_input = 2;

int complain(const reheat::error& e) {
    std::fprintf(stderr, "policy_lab: %s\n", to_string(e).c_str());
    return bad_input;
}

bool write(const std::string& path, const std::string& text) {
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) return false;
    const bool whole = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    return std::fclose(file) == 0 && whole;
}

int run(int argc, char** argv) {
    const auto read = read_options(argc, argv);
    if (const int* code = std::get_if<int>(&read)) return *code;
    const options& from = std::get<options>(read);
    auto entered = contestants_of(from);
    if (!entered) return complain(entered.error());

    const experiment what{from.fleet, from.rates, from.days, from.seed, from.human, from.host_monitor};
    const auto trials = run_all(what, *entered, from.jobs);
    const comparison c = compare(what, *entered, trials);

    const std::string table = table_of(c);
    std::fwrite(table.data(), 1, table.size(), stdout);
    if (!from.html.empty() && !write(from.html, page_of(c)))
        return complain({reheat::errc::io, from.html, "cannot be written"});
    return c.broken.empty() ? done : promise_broken;
}

} // namespace

} // namespace policy_lab

int main(int argc, char** argv) { return policy_lab::run(argc, argv); }
