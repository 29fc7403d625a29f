// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/fleet.hpp>
#include <reheat/core/hash.hpp>

#include <benchmark/benchmark.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace bench {

namespace rh = reheat;
using namespace std::chrono_literals;

inline constexpr rh::time_point start{std::chrono::seconds{1'767'225'600}};
inline constexpr std::size_t million = 1'000'000;

/// The same numbers in every run.
class dice {
public:
    std::uint64_t roll() { return rh::mix(++state_); }
    std::uint32_t below(std::size_t sides) { return static_cast<std::uint32_t>(roll() % sides); }

private:
    std::uint64_t state_ = 1;
};

/// Random rows, one for each operation of a round. Every peer of a question takes the same.
inline const std::vector<std::uint32_t>& random_rows(std::size_t rows) {
    static std::vector<std::uint32_t> picked;
    static std::size_t of = 0;
    if (of != rows) {
        dice d;
        picked.resize(4 * million);
        for (std::uint32_t& row : picked) row = d.below(rows);
        of = rows;
    }
    return picked;
}

/// One cache line of a control: what the hardware does without any library.
struct alignas(64) line {
    std::uint64_t words[8]{};
};

using heartbeats = rh::alarm<rh::window<rh::sample_count>, rh::less_than>;

inline heartbeats heartbeat_rule(std::uint16_t periods = 3, rh::duration period = 60s) {
    heartbeats rule = rh::heartbeat_alarm{.period = period, .evaluation_periods = periods, .grace = 0s}.rule();
    return rule;
}

/// A number of operations of one iteration, so that the report says the time of one.
inline void per_operation(benchmark::State& state, std::size_t operations) {
    state.counters["ns"] =
        benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(operations) / 1e9,
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

} // namespace bench
