// SPDX-License-Identifier: MIT
// A million deadlines of 3 s, each moved on once a second, to the millisecond; beside a queue that is re-armed at each
// beat, and beside the plain store that no deadline can do without.
#include <reheat/alarm/deadline_fleet.hpp>

#include "support.hpp"

#include <queue>

namespace {

using namespace bench;

constexpr std::size_t targets = million;
constexpr rh::duration timeout = 3s;

/// Who beats in which millisecond: each target once a second, in random order.
const std::vector<std::uint32_t>& shuffled() {
    static const std::vector<std::uint32_t> order = [] {
        std::vector<std::uint32_t> made(targets);
        for (std::uint32_t n = 0; n < targets; ++n) made[n] = n;
        dice d;
        for (std::size_t n = targets - 1; n > 0; --n) std::swap(made[n], made[d.below(n + 1)]);
        return made;
    }();
    return order;
}

/// One second: a thousand times a thousand beats, then what is due.
template <class Beat, class Due>
void second(rh::time_point& now, const Beat& beat, const Due& due) {
    constexpr std::size_t each = targets / 1000;
    for (std::size_t millisecond = 0; millisecond < 1000; ++millisecond) {
        now += 1ms;
        beat(std::span{shuffled()}.subspan(millisecond * each, each));
        due();
    }
}

void control_plain_store(benchmark::State& state) {
    struct slot {
        std::int64_t last;
        std::int64_t timeout;
    };
    std::vector<slot> slots(targets);
    rh::time_point now = start;
    for (auto _ : state) {
        second(
            now,
            [&](auto who) {
                for (const std::uint32_t n : who) slots[n].last = now.time_since_epoch().count();
            },
            [] {});
        benchmark::ClobberMemory();
    }
    per_operation(state, targets);
}

void lazy_wheel(benchmark::State& state) {
    rh::time_point now = start;
    rh::deadline_fleet all{now};
    all.reserve(targets);
    std::vector<rh::row_handle> order(targets);
    for (const std::uint32_t n : shuffled()) order[n] = all.watch(rh::target_id{n}, timeout, now);
    std::vector<rh::row_handle> in_turn;
    for (const std::uint32_t n : shuffled()) in_turn.push_back(order[n]);
    std::vector<rh::transition> out;
    const auto round = [&] {
        std::size_t at = 0;
        second(
            now,
            [&](auto who) {
                all.push(std::span{in_turn}.subspan(at, who.size()), now);
                at += who.size();
            },
            [&] { all.evaluate(now, out); });
    };
    for (int n = 0; n < 4; ++n) round();
    for (auto _ : state) round();
    if (!out.empty()) state.SkipWithError("a healthy target fell silent");
    per_operation(state, targets);
}

void eager_priority_queue(benchmark::State& state) {
    struct armed {
        std::int64_t due;
        std::uint32_t who;
        std::uint32_t round;
        bool operator<(const armed& o) const { return due > o.due; }
    };
    std::priority_queue<armed> queue;
    std::vector<std::uint32_t> rounds(targets);
    rh::time_point now = start;
    std::size_t silent = 0;
    const auto round = [&] {
        second(
            now,
            [&](auto who) {
                for (const std::uint32_t n : who)
                    queue.push({(now + timeout).time_since_epoch().count(), n, ++rounds[n]});
            },
            [&] {
                while (!queue.empty() && queue.top().due <= now.time_since_epoch().count()) {
                    silent += queue.top().round == rounds[queue.top().who] ? 1U : 0U;
                    queue.pop();
                }
            });
    };
    for (int n = 0; n < 4; ++n) round();
    for (auto _ : state) round();
    if (silent != 0) state.SkipWithError("a healthy target fell silent");
    per_operation(state, targets);
}

} // namespace

BENCHMARK(control_plain_store)->Unit(benchmark::kMillisecond);
BENCHMARK(lazy_wheel)->Unit(benchmark::kMillisecond);
BENCHMARK(eager_priority_queue)->Unit(benchmark::kMillisecond);
BENCHMARK_MAIN();
