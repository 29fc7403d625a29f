// SPDX-License-Identifier: MIT
// Two threads, each a producer for two shards and the owner of one, joined by the public inbox; beside one thread that
// owns all. The time is the processor time of all threads.
#include <reheat/core/inbox.hpp>

#include "support.hpp"

#include <array>
#include <atomic>
#include <thread>

namespace {

using namespace bench;

/// What goes through an inbox at once. Buffers are swapped, not copied: who puts a full one in takes an empty one out.
using batch = std::vector<rh::beat>;
constexpr std::size_t batch_size = 512;

/// Half of a million targets, and the way to them.
struct shard {
    shard() : all{heartbeat_rule()}, in{64} {
        all.reserve(million / 2);
        for (std::uint32_t n = 0; n < million / 2; ++n) handles.push_back(all.watch(rh::target_id{n}, start));
    }
    void drain() {
        while (in.use([this](batch& b) noexcept {
            taken += all.push(b);
            b.clear();
        })) {
        }
    }

    rh::fleet<heartbeats> all;
    std::vector<rh::row_handle> handles;
    rh::inbox<batch> in;
    std::size_t taken = 0;
};

void one_thread(benchmark::State& state) {
    const auto& rows = random_rows(million);
    rh::fleet<heartbeats> all{heartbeat_rule()};
    all.reserve(million);
    std::vector<rh::beat> beats;
    std::vector<rh::row_handle> handles;
    for (std::uint32_t n = 0; n < million; ++n) handles.push_back(all.watch(rh::target_id{n}, start));
    for (const std::uint32_t row : rows) beats.push_back({handles[row], start + 1s, rh::heartbeat});
    for (auto _ : state) {
        all.push(beats);
        benchmark::ClobberMemory();
    }
    per_operation(state, beats.size());
}

void two_producers_two_shards(benchmark::State& state) {
    const auto& rows = random_rows(million);
    std::array<shard, 2> shards;
    std::vector<rh::beat> beats;
    for (const std::uint32_t row : rows) beats.push_back({shards[row % 2].handles[row / 2], start + 1s, rh::heartbeat});
    std::uint64_t sent = 0;
    for (auto _ : state) {
        std::atomic<int> producing{2};
        const auto work = [&](std::size_t self) {
            std::array<batch, 2> out;
            for (batch& b : out) b.reserve(batch_size);
            const auto send = [&](std::size_t to) {
                // A full inbox is the other thread's turn, not a loss.
                while (!shards[to].in.fill([&](batch& b) noexcept { b.swap(out[to]); })) {
                    shards[to].in.take_losses();
                    shards[self].drain();
                    std::this_thread::yield();
                }
            };
            for (std::size_t n = self * rows.size() / 2; n < (self + 1) * rows.size() / 2; ++n) {
                const std::size_t to = rows[n] % 2;
                out[to].push_back(beats[n]);
                if (out[to].size() < batch_size) continue;
                send(to);
                shards[self].drain();
            }
            for (const std::size_t to : {std::size_t{0}, std::size_t{1}}) send(to);
            producing.fetch_sub(1);
            while (producing.load() != 0) {
                shards[self].drain();
                std::this_thread::yield();
            }
            shards[self].drain();
        };
        std::thread other{work, 1};
        work(0);
        other.join();
        sent += rows.size();
    }
    if (shards[0].taken + shards[1].taken != sent) state.SkipWithError("samples were lost");
    per_operation(state, rows.size());
}

} // namespace

BENCHMARK(one_thread)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK(two_producers_two_shards)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK_MAIN();
