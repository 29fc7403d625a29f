// SPDX-License-Identifier: MIT
// Two threads, each a producer for two shards and the owner of one, joined by the public inbox; beside one thread that
// owns all. The time is the processor time of all threads.
#include <reheat/core/inbox.hpp>
#include <reheat/core/prefetch.hpp>

#include "support.hpp"

#include <array>
#include <atomic>
#include <span>
#include <thread>

namespace {

using namespace bench;

/// What goes through an inbox at once. Buffers are swapped, not copied: who puts a full one in takes a used one out.
using batch = std::vector<rh::beat>;
constexpr std::size_t batch_size = 4096;

/// Half of a million targets, and the way to them.
struct shard {
    shard() : all{heartbeat_rule()}, in{4} {
        all.reserve(million / 2);
        for (std::uint32_t n = 0; n < million / 2; ++n) handles.push_back(all.watch(rh::target_id{n}, start));
    }

    rh::fleet<heartbeats> all;
    std::vector<rh::row_handle> handles;
    rh::inbox<batch> in;
    std::size_t taken = 0;
    alignas(64) std::atomic<std::uint32_t> arrived{0};
    alignas(64) std::atomic<std::uint32_t> made_room{0};
};

void signal(std::atomic<std::uint32_t>& what) {
    what.fetch_add(1);
    what.notify_one();
}

/// Where a sample goes: what a transport knows of its sender.
struct address {
    std::uint32_t shard;
    rh::row_handle to;
};

/// One thread: a producer for every shard, and the owner of its own. While it produces it records what came before,
/// one for one; where it has to wait it sleeps, so that only work is measured.
class worker {
public:
    worker(std::array<shard, 2>& shards, std::size_t self) : shards_{shards}, own_{shards[self]} {
        for (std::size_t to = 0; to < 2; ++to) renew(to);
    }
    void produce(std::span<const address> samples) {
        feed reading = reading_; // a local one stays in registers
        for (const address& a : samples) {
            rh::beat*& place = place_[a.shard];
            rh::detail::prefetch_for_write(place + write_ahead);
            *place = {a.to, start + 1s, rh::heartbeat};
            reading.next();
            if (++place != end_[a.shard]) continue;
            reading_ = reading;
            send(a.shard);
            finish();
            take();
            reading = reading_;
        }
        reading_ = reading;
        for (std::size_t to = 0; to < 2; ++to) {
            out_[to].resize(static_cast<std::size_t>(place_[to] - out_[to].data()));
            send(to);
        }
    }
    /// Until nobody produces any more and all is recorded.
    void consume(const std::atomic<int>& producing) {
        for (;;) {
            const std::uint32_t seen = own_.arrived.load();
            const bool last = producing.load() == 0;
            drain();
            if (last) return;
            own_.arrived.wait(seen);
        }
    }

private:
    using feed = rh::fleet<heartbeats>::feed;
    /// The other thread read them last. A buffer has room for that many more.
    static constexpr std::size_t write_ahead = 64;

    void send(std::size_t to) {
        shard& s = shards_[to];
        for (;;) {
            const std::uint32_t seen = s.made_room.load();
            if (s.in.fill([this, to](batch& b) noexcept { b.swap(out_[to]); })) break;
            // A full inbox is its owner's turn, not a loss.
            s.in.take_losses();
            drain();
            if (&s != &own_) s.made_room.wait(seen);
        }
        signal(s.arrived);
        renew(to);
    }
    void renew(std::size_t to) {
        out_[to].reserve(batch_size + write_ahead);
        out_[to].resize(batch_size);
        place_[to] = out_[to].data();
        end_[to] = place_[to] + batch_size;
    }
    bool take() {
        if (!own_.in.use([this](batch& b) noexcept { b.swap(read_); })) return false;
        signal(own_.made_room);
        reading_ = {own_.all, read_};
        return true;
    }
    void finish() {
        while (reading_.next()) {
        }
        own_.taken += reading_.taken();
        reading_ = {};
    }
    void drain() {
        do finish();
        while (take());
    }

    std::array<shard, 2>& shards_;
    shard& own_;
    std::array<batch, 2> out_;
    std::array<rh::beat*, 2> place_{};
    std::array<rh::beat*, 2> end_{};
    batch read_;
    feed reading_;
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

/// What a second thread costs by itself: each records what is its own, and nothing goes from one to the other.
void two_threads_apart(benchmark::State& state) {
    const auto& rows = random_rows(million);
    std::array fleets{rh::fleet<heartbeats>{heartbeat_rule()}, rh::fleet<heartbeats>{heartbeat_rule()}};
    std::array<std::vector<rh::beat>, 2> beats;
    std::array<std::vector<rh::row_handle>, 2> handles;
    for (std::size_t f = 0; f < 2; ++f) {
        fleets[f].reserve(million / 2);
        for (std::uint32_t n = 0; n < million / 2; ++n) handles[f].push_back(fleets[f].watch(rh::target_id{n}, start));
    }
    for (const std::uint32_t row : rows)
        beats[row % 2].push_back({handles[row % 2][row / 2], start + 1s, rh::heartbeat});
    for (auto _ : state) {
        std::thread other{[&] { fleets[1].push(beats[1]); }};
        fleets[0].push(beats[0]);
        other.join();
    }
    per_operation(state, rows.size());
}

void two_producers_two_shards(benchmark::State& state) {
    const auto& rows = random_rows(million);
    std::array<shard, 2> shards;
    std::vector<address> samples;
    for (const std::uint32_t row : rows) samples.push_back({row % 2, shards[row % 2].handles[row / 2]});
    const std::span<const address> all{samples};
    std::uint64_t sent = 0;
    for (auto _ : state) {
        std::atomic<int> producing{2};
        const auto work = [&](std::size_t self) {
            worker w{shards, self};
            w.produce(all.subspan(self * all.size() / 2, all.size() / 2));
            if (producing.fetch_sub(1) == 1) {
                for (shard& s : shards) signal(s.arrived);
            }
            w.consume(producing);
        };
        std::thread other{work, 1};
        work(0);
        other.join();
        sent += all.size();
    }
    if (shards[0].taken + shards[1].taken != sent) state.SkipWithError("samples were lost");
    per_operation(state, all.size());
}

} // namespace

BENCHMARK(one_thread)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK(two_threads_apart)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK(two_producers_two_shards)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK_MAIN();
