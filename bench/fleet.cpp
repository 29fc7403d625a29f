// SPDX-License-Identifier: MIT
// A beat to one of a million targets, and the evaluation of a million alarms, beside what the memory itself allows.
#include "support.hpp"

namespace {

using namespace bench;

void control_random_write(benchmark::State& state) {
    const auto& rows = random_rows(million);
    std::vector<line> lines(million);
    for (auto _ : state) {
        for (const std::uint32_t row : rows) ++lines[row].words[0];
        benchmark::ClobberMemory();
    }
    per_operation(state, rows.size());
}

void control_sequential_read(benchmark::State& state) {
    std::vector<line> lines(million);
    for (auto _ : state) {
        std::uint64_t sum = 0;
        for (const line& l : lines) {
            for (const std::uint64_t word : l.words) sum += word;
        }
        benchmark::DoNotOptimize(sum);
    }
    per_operation(state, million);
}

template <class Rule>
std::vector<rh::row_handle> watch_all(rh::fleet<Rule>& all, std::size_t targets) {
    all.reserve(targets);
    std::vector<rh::row_handle> handles;
    for (std::size_t n = 0; n < targets; ++n)
        handles.push_back(all.watch(rh::target_id{static_cast<std::uint32_t>(n)}, start));
    return handles;
}

void beat_plain(benchmark::State& state) {
    const auto& rows = random_rows(million);
    rh::fleet<heartbeats> all{heartbeat_rule()};
    const auto handles = watch_all(all, million);
    std::vector<rh::row_handle> to;
    for (const std::uint32_t row : rows) to.push_back(handles[row]);
    for (auto _ : state) {
        for (const rh::row_handle h : to) all.push(h, start + 1s, rh::heartbeat);
        benchmark::ClobberMemory();
    }
    per_operation(state, rows.size());
}

void beat_batched(benchmark::State& state) {
    const auto& rows = random_rows(million);
    rh::fleet<heartbeats> all{heartbeat_rule()};
    const auto handles = watch_all(all, million);
    std::vector<rh::beat> beats;
    for (const std::uint32_t row : rows) beats.push_back({handles[row], start + 1s, rh::heartbeat});
    for (auto _ : state) {
        all.push(beats);
        benchmark::ClobberMemory();
    }
    per_operation(state, rows.size());
}

void beat_five_statistics(benchmark::State& state) {
    const auto& rows = random_rows(million);
    rh::fleet<rh::any_alarm> all{{.of = {.statistic = {rh::statistic::average}}, .evaluation_periods = 12}};
    const auto handles = watch_all(all, million);
    std::vector<rh::beat> beats;
    for (const std::uint32_t row : rows) beats.push_back({handles[row], start + 1s, 0.5});
    for (auto _ : state) {
        all.push(beats);
        benchmark::ClobberMemory();
    }
    per_operation(state, rows.size());
}

/// A fleet in which so many of 100 targets are silent after their first period.
class beating {
public:
    beating(std::size_t targets, std::uint16_t periods, std::uint32_t silent, rh::duration period)
        : all_{heartbeat_rule(periods, period)}, handles_{watch_all(all_, targets)} {
        dice d;
        for (std::size_t n = 0; n < targets; ++n) silent_.push_back(d.below(100) < silent);
        for (const rh::row_handle h : handles_) all_.push(h, start + 1s, rh::heartbeat);
        for (int n = 0; n < 6; ++n) {
            evaluate();
            beat();
        }
    }
    void beat() {
        for (std::size_t n = 0; n < handles_.size(); ++n) {
            if (!silent_[n]) all_.push(handles_[n], all_.next() - 1s, rh::heartbeat);
        }
    }
    void evaluate() {
        out_.clear();
        all_.evaluate(0, all_.next(), out_);
        benchmark::DoNotOptimize(out_.size());
    }

private:
    rh::fleet<heartbeats> all_;
    std::vector<rh::row_handle> handles_;
    std::vector<bool> silent_;
    std::vector<rh::transition> out_;
};

void evaluate(benchmark::State& state, std::vector<std::unique_ptr<beating>> fleets) {
    for (auto _ : state) {
        state.PauseTiming();
        for (auto& f : fleets) f->beat();
        state.ResumeTiming();
        for (auto& f : fleets) f->evaluate();
    }
    per_operation(state, million);
}

void evaluate_healthy(benchmark::State& state) {
    std::vector<std::unique_ptr<beating>> fleets;
    fleets.push_back(std::make_unique<beating>(million, 3, 0, 60s));
    evaluate(state, std::move(fleets));
}

void evaluate_40_in_alarm(benchmark::State& state) {
    std::vector<std::unique_ptr<beating>> fleets;
    std::uint16_t periods = 1;
    for (const rh::duration period : {30s, 60s, 120s, 300s})
        fleets.push_back(std::make_unique<beating>(million / 4, periods++, 40, period));
    evaluate(state, std::move(fleets));
}

} // namespace

BENCHMARK(control_random_write)->Unit(benchmark::kMillisecond);
BENCHMARK(beat_plain)->Unit(benchmark::kMillisecond);
BENCHMARK(beat_batched)->Unit(benchmark::kMillisecond);
BENCHMARK(beat_five_statistics)->Unit(benchmark::kMillisecond);
BENCHMARK(control_sequential_read)->Unit(benchmark::kMillisecond);
BENCHMARK(evaluate_healthy)->Unit(benchmark::kMillisecond);
BENCHMARK(evaluate_40_in_alarm)->Unit(benchmark::kMillisecond);
BENCHMARK_MAIN();
