// SPDX-License-Identifier: MIT
// How many virtual days of a fleet one core simulates in a second: a hundred machines that beat once a minute, quiet,
// and with something that breaks and is recovered every hour. `days` is the figure; `ns` is the time of a beat.
#include <reheat/recovery/ladder.hpp>
#include <reheat/sim/virtual_controller.hpp>

#include "support.hpp"

namespace {

using namespace bench;
namespace sim = reheat::sim;

constexpr std::uint32_t machines = 100;

sim::schedule fleet(std::uint8_t processes) {
    sim::schedule s;
    s.fleet.hosts_in_rack = 4;
    s.fleet.stacks = 10;
    s.fleet.room = machines;
    s.policies.push_back(rh::three_levels.lowered());
    for (std::uint32_t n = 0; n < machines; ++n) {
        sim::machine_plan m;
        m.stack = n % s.fleet.stacks;
        m.host = n % s.fleet.hosts();
        m.processes = processes;
        s.fleet.machines.push_back(m);
    }
    return s;
}

/// A day of it; with `trouble` a guest stands still every hour, and is booted again.
void live(sim::world& in, sim::virtual_controller& ha, sim::world_time& time, sim::journal_disk& disk, bool trouble) {
    const rh::time_point end = time.now + 24h;
    rh::time_point breaks = trouble ? time.now + 30min : rh::never;
    std::uint32_t next = 0;
    while (time.now < end) {
        in.advance(rh::earlier(rh::earlier(end, breaks), rh::later(ha.next(), time.now)), ha);
        disk.advance(time.now);
        if (time.now >= breaks) {
            sim::planned_fault f;
            f.kind = sim::fault_kind::guest_freezes;
            f.machine = next++ % machines;
            in.begin(f);
            breaks += 1h;
        }
        ha.poll([](const rh::event&) {});
        in.calls().clear();
    }
}

void days(benchmark::State& state, std::uint8_t processes, bool trouble) {
    const sim::schedule s = fleet(processes);
    sim::world_time time;
    sim::journal_disk disk;
    sim::world in{s.fleet, time, 1};
    sim::virtual_controller ha{in, time, disk, s};
    if (!ha.start()) return state.SkipWithError("it does not start");
    for (auto _ : state) live(in, ha, time, disk, trouble);
    if (!trouble && in.calls_made() != 0) state.SkipWithError("a quiet fleet needed something");
    if (trouble && in.calls_made() == 0) state.SkipWithError("nothing was recovered");
    state.counters["days"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
    per_operation(state, std::size_t{machines} * 1440 * (1U + processes));
}

void quiet_machines(benchmark::State& state) { days(state, 0, false); }
void quiet_machines_and_two_services_each(benchmark::State& state) { days(state, 2, false); }
void one_breaks_every_hour(benchmark::State& state) { days(state, 2, true); }

BENCHMARK(quiet_machines);
BENCHMARK(quiet_machines_and_two_services_each);
BENCHMARK(one_breaks_every_hour);

} // namespace

BENCHMARK_MAIN();
