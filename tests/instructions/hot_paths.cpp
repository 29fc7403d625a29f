// SPDX-License-Identifier: MIT
// hot_paths WHAT ROUNDS: makes 1,000 operations a round, each by one call from here. The script `run` counts the
// instructions inside `counted_evaluation`, or those of two numbers of rounds, whose difference is what the operations
// cost.
#include <reheat/alarm/deadline_fleet.hpp>
#include <reheat/alarm/fleet.hpp>

#include <cstdlib>
#include <string_view>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;

/// What `run` counts the inside of.
extern "C" [[gnu::noinline]] void counted_evaluation(rh::alarm_group& all, std::vector<rh::transition>& out) {
    all.evaluate(0, all.next(), out);
}

namespace {

constexpr rh::time_point start{std::chrono::hours{24 * 365 * 50}};
constexpr std::uint32_t targets = 1000;

template <class Rule>
Rule three_of_three(Rule rule) {
    rule.threshold = 1;
    rule.evaluation_periods = 3;
    rule.empty = rh::empty_period::counts_zero;
    rule.grace = 0s;
    return rule;
}

const auto count_rule = three_of_three(rh::alarm<rh::window<rh::sample_count>, rh::less_than>{});
const auto average_rule = three_of_three(rh::alarm<rh::window<rh::average>, rh::less_than>{});
const auto any_count_rule = three_of_three(
    rh::any_alarm{.of = {.statistic = {rh::statistic::sample_count}}, .compare = {rh::comparison::less_than}});
const auto any_average_rule = three_of_three(
    rh::any_alarm{.of = {.statistic = {rh::statistic::average}}, .compare = {rh::comparison::less_than}});

template <class Rule>
[[gnu::noinline]] bool push(rh::fleet<Rule>& all, rh::row_handle h, rh::time_point at, double value) {
    return all.push(h, at, value);
}

template <class Rule>
struct watched {
    explicit watched(const Rule& rule) : all{rule} {
        for (std::uint32_t n = 0; n < targets; ++n) rows.push_back(all.watch(rh::target_id{n}, start));
        out.reserve(8 * targets);
        for (int period = 0; period < 4; ++period) {
            beat();
            all.evaluate(0, all.next(), out);
        }
        beat();
    }
    void beat() {
        for (const rh::row_handle h : rows) push(all, h, all.next() - 30s, 1.5);
    }

    rh::fleet<Rule> all;
    std::vector<rh::row_handle> rows;
    std::vector<rh::transition> out;
};

template <class Rule>
void pushes(const Rule& rule, int rounds) {
    watched<Rule> w{rule};
    for (int n = 0; n < rounds; ++n) w.beat();
}

/// The first sample of each period, which makes room for itself.
template <class Rule>
void first_pushes(const Rule& rule, int rounds) {
    watched<Rule> w{rule};
    for (int n = 0; n < rounds; ++n) {
        w.all.evaluate(0, w.all.next(), w.out);
        w.beat();
    }
}

/// Evaluations of healthy rows, or of rows that went silent and stay in alarm.
template <class Rule>
void evaluations(const Rule& rule, bool beating, int rounds) {
    watched<Rule> w{rule};
    for (int n = 0; n < 4 + rounds; ++n) {
        if (n < 4) w.all.evaluate(0, w.all.next(), w.out);
        else counted_evaluation(w.all, w.out);
        if (beating) w.beat();
    }
}

void armed(int rounds) {
    rh::deadline_fleet all{start};
    std::vector<rh::row_handle> rows;
    for (std::uint32_t n = 0; n < targets; ++n) rows.push_back(all.watch(rh::target_id{n}, 1h, start));
    for (int n = 0; n < rounds; ++n) {
        for (const rh::row_handle h : rows) all.push(h, start + 1ms * n);
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const std::string_view what = argv[1];
    const int rounds = std::atoi(argv[2]);
    if (what == "push_count") pushes(count_rule, rounds);
    else if (what == "push_any_count") pushes(any_count_rule, rounds);
    else if (what == "push_five") pushes(average_rule, rounds);
    else if (what == "push_any_five") pushes(any_average_rule, rounds);
    else if (what == "evaluate_count") evaluations(count_rule, true, rounds);
    else if (what == "evaluate_any_count") evaluations(any_count_rule, true, rounds);
    else if (what == "evaluate_silent_count") evaluations(count_rule, false, rounds);
    else if (what == "evaluate_five") evaluations(average_rule, true, rounds);
    else if (what == "evaluate_any_five") evaluations(any_average_rule, true, rounds);
    else if (what == "push_first_count") first_pushes(count_rule, rounds);
    else if (what == "arm") armed(rounds);
    else return 2;
    return 0;
}
