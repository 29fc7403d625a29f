// SPDX-License-Identifier: MIT
// A beat by name among 100,000 series, beside a bare hash look-up and prometheus-cpp's labelled counter.
#include <reheat/alarm/named_fleet.hpp>

#include "support.hpp"

#include <string>
#include <unordered_map>

#if defined(BENCH_PROMETHEUS)
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#endif

namespace {

using namespace bench;

constexpr std::size_t series = 100'000;

/// Names of 32 characters, as a host's in its zone.
const std::vector<std::string>& names() {
    static const std::vector<std::string> all = [] {
        std::vector<std::string> made;
        for (std::size_t n = 0; n < series; ++n) {
            std::string name = std::to_string(n);
            made.push_back("instance-" + std::string(8 - name.size(), '0') + name + ".zone-1.cloud.x");
        }
        return made;
    }();
    return all;
}

/// Texts of their own, as they would come out of a request, at random.
const std::vector<std::string>& requested() {
    static const std::vector<std::string> all = [] {
        std::vector<std::string> made;
        dice d;
        for (std::size_t n = 0; n < million; ++n) made.push_back(names()[d.below(series)]);
        return made;
    }();
    return all;
}

void control_hash_find(benchmark::State& state) {
    std::unordered_map<std::string, std::uint32_t> index;
    std::vector<line> lines(series);
    for (std::uint32_t n = 0; n < series; ++n) index.emplace(names()[n], n);
    for (auto _ : state) {
        for (const std::string& name : requested()) ++lines[index.find(name)->second].words[0];
        benchmark::ClobberMemory();
    }
    per_operation(state, requested().size());
}

void beat_by_name(benchmark::State& state) {
    rh::named_fleet<heartbeats> all{heartbeat_rule()};
    for (const std::string& name : names()) {
        if (!all.watch(name, start)) state.SkipWithError("a name was refused");
    }
    for (auto _ : state) {
        for (const std::string& name : requested()) all.push(name, start + 1s, rh::heartbeat);
        benchmark::ClobberMemory();
    }
    state.counters["bytes"] = static_cast<double>(all.bytes()) / series;
    per_operation(state, requested().size());
}

#if defined(BENCH_PROMETHEUS)
void prometheus_labelled_counter(benchmark::State& state) {
    prometheus::Registry registry;
    auto& family = prometheus::BuildCounter().Name("beats").Register(registry);
    for (const std::string& name : names()) family.Add({{"host", name}});
    for (auto _ : state) {
        for (std::size_t n = 0; n < million / 20; ++n) family.Add({{"host", requested()[n]}}).Increment();
    }
    per_operation(state, million / 20);
}
BENCHMARK(prometheus_labelled_counter)->Unit(benchmark::kMillisecond);
#endif

} // namespace

BENCHMARK(control_hash_find)->Unit(benchmark::kMillisecond);
BENCHMARK(beat_by_name)->Unit(benchmark::kMillisecond);
BENCHMARK_MAIN();
