// SPDX-License-Identifier: MIT
// What a sample and a question cost for each statistic, on one target that is in the cache; beside Boost.Accumulators'
// rolling window, which counts samples and knows no time.
#include "support.hpp"

#include <boost/accumulators/accumulators.hpp>
#include <boost/accumulators/statistics.hpp>
#include <boost/accumulators/statistics/rolling_count.hpp>
#include <boost/accumulators/statistics/rolling_mean.hpp>
#include <boost/accumulators/statistics/rolling_sum.hpp>

namespace {

using namespace bench;
namespace acc = boost::accumulators;

constexpr std::size_t samples = 100'000;

template <rh::statistic Which>
void sample(benchmark::State& state) {
    rh::fleet<rh::any_alarm> all{{.of = {.statistic = {Which}}, .evaluation_periods = 12}};
    const rh::row_handle h = all.watch(rh::target_id{0}, start);
    for (auto _ : state) {
        for (std::size_t n = 0; n < samples; ++n) all.push(h, start + 1s, static_cast<double>(n % 64));
        benchmark::ClobberMemory();
    }
    per_operation(state, samples);
}

/// Twelve periods, evaluated again and again, with one sample in each new period.
template <rh::statistic Which>
void evaluation(benchmark::State& state) {
    rh::fleet<rh::any_alarm> all{{.of = {.statistic = {Which}}, .threshold = 1e6, .evaluation_periods = 12}};
    const rh::row_handle h = all.watch(rh::target_id{0}, start);
    std::vector<rh::transition> out;
    constexpr std::size_t periods = 1000;
    for (auto _ : state) {
        for (std::size_t n = 0; n < periods; ++n) {
            all.push(h, all.next() - 1s, static_cast<double>(n % 64));
            all.evaluate(0, all.next(), out);
        }
        out.clear();
    }
    per_operation(state, periods);
}

void boost_rolling_sample(benchmark::State& state) {
    acc::accumulator_set<double, acc::stats<acc::tag::rolling_count, acc::tag::rolling_sum, acc::tag::rolling_mean>>
        set{acc::tag::rolling_window::window_size = 60};
    for (auto _ : state) {
        for (std::size_t n = 0; n < samples; ++n) set(static_cast<double>(n % 64));
        benchmark::DoNotOptimize(acc::rolling_mean(set));
    }
    per_operation(state, samples);
}

} // namespace

BENCHMARK(sample<rh::statistic::sample_count>)->Name("sample_count");
BENCHMARK(sample<rh::statistic::average>)->Name("sample_five_statistics");
BENCHMARK(boost_rolling_sample);
BENCHMARK(evaluation<rh::statistic::sample_count>)->Name("evaluate_12_sample_count");
BENCHMARK(evaluation<rh::statistic::sum>)->Name("evaluate_12_sum");
BENCHMARK(evaluation<rh::statistic::average>)->Name("evaluate_12_average");
BENCHMARK(evaluation<rh::statistic::minimum>)->Name("evaluate_12_minimum");
BENCHMARK(evaluation<rh::statistic::maximum>)->Name("evaluate_12_maximum");
BENCHMARK_MAIN();
