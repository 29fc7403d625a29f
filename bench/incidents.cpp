// SPDX-License-Identifier: MIT
// What a step costs for each open incident when very many are open: the same work for 10,000 and for 100,000, so that
// anything that grows faster than their number shows.
#include <reheat/engine/engine.hpp>
#include <reheat/recovery/ladder.hpp>

#include "support.hpp"

#include <string>

namespace {

using namespace bench;

/// Many machines, and what each kind of bad day needs of them.
struct world {
    world(const rh::policy& rules, rh::engine_options options) : e{rules, options} {}

    /// Machines on hosts of ten, in stacks of ten, in one zone.
    void add(std::size_t machines) {
        for (std::size_t n = 0; n < machines; ++n) {
            const std::string ten = std::to_string(n / 10);
            const std::string name = "vm-" + std::to_string(n);
            vm.push_back(
                *e.add(rh::instance{.name = name, .stack = "stack-" + ten, .host = "host-" + ten, .zone = "zone"}));
        }
        step();
    }
    void see(rh::target_id target, rh::health what) {
        e.observe({target, rh::vantage::driver_status, what, now, false, rh::no_target});
        e.observe({target, rh::vantage::cloud_event, what, now, false, rh::no_target});
    }
    /// All of them, in an order that is not theirs; another one for each `stride` that is prime.
    void see_all(rh::health what, std::size_t stride = 7919) {
        for (std::size_t n = 0; n < vm.size(); ++n) see(vm[n * stride % vm.size()], what);
    }
    void step() {
        out.records.clear();
        out.calls.clear();
        out.events.clear();
        e.step(now, out);
    }
    /// Steps until nothing is due, with a journal that answers at once, and a cloud that does if it is asked to.
    void settle(bool answered = false) {
        do {
            step();
            if (!out.records.empty()) e.durable(out.records.back().seq);
            for (const rh::call& c : out.calls) {
                if (answered) e.complete(c.what.op, now, {rh::outcome_code::done});
            }
        } while (e.next() <= now);
    }

    rh::engine e;
    std::vector<rh::target_id> vm;
    rh::time_point now = start;
    rh::outputs out;
};

/// Nobody waits for anybody: no breaker, no pace.
rh::engine_options unbounded() {
    rh::engine_options o;
    o.bounds.start_hold = 0s;
    o.bounds.between = 0s;
    o.bounds.in_flight = o.bounds.services_in_flight = {100, 1};
    o.bounds.breaker.counted_from = UINT32_MAX;
    return o;
}

const rh::policy reboots = rh::ladder{rh::reboot_instance{}}.lowered();

/// Measures one thing that is done to a world which is made anew each time; the time is that of one incident.
template <class Make, class Do>
void each_time(benchmark::State& state, const Make& make, const Do& what) {
    const auto incidents = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        state.PauseTiming();
        {
            world w = make(incidents);
            state.ResumeTiming();
            what(w);
            state.PauseTiming();
            if (w.e.open_incidents() != incidents) state.SkipWithError("not as many incidents as meant");
        }
        state.ResumeTiming();
    }
    per_operation(state, incidents);
}

world healthy(std::size_t machines) {
    world w{reboots, {}};
    w.add(machines);
    return w;
}
/// A zone is lost: the breaker is open and all wait.
world waiting(std::size_t machines) {
    world w = healthy(machines);
    w.see_all(rh::health::unhealthy);
    w.settle();
    return w;
}

void all_open(benchmark::State& state) {
    each_time(state, healthy, [](world& w) {
        w.see_all(rh::health::unhealthy);
        w.settle();
    });
}

void one_changes(benchmark::State& state) {
    each_time(state, waiting, [](world& w) {
        w.e.observe({w.vm[0], rh::vantage::neighbour, rh::health::unhealthy, w.now, false, rh::no_target});
        w.settle();
    });
}

/// They were well for a minute: each incident goes on at its old place.
void all_open_again(benchmark::State& state) {
    const auto make = [](std::size_t machines) {
        world w = waiting(machines);
        w.now += 1min;
        w.see_all(rh::health::healthy);
        w.settle();
        w.now += 1min;
        return w;
    };
    each_time(state, make, [](world& w) {
        w.see_all(rh::health::unhealthy, 6661);
        w.settle();
    });
}

void all_hosts_die(benchmark::State& state) {
    each_time(state, waiting, [](world& w) {
        for (std::size_t n = 0; n < w.vm.size() / 10; ++n)
            w.e.host_died("host-" + std::to_string(n), rh::proof_kind::fenced, w.now);
        w.settle();
    });
}

/// Half of the incidents are of machines that were rebooted, and half of services on them that wait for the verdict.
void half_absorbed(benchmark::State& state) {
    const auto make = [](std::size_t incidents) {
        world w{reboots, unbounded()};
        w.add(incidents / 2);
        for (std::size_t n = 0; n < incidents / 2; ++n)
            w.vm.push_back(*w.e.add(rh::service{.name = "s", .on = w.vm[n]}));
        w.see_all(rh::health::unhealthy);
        w.settle(true);
        w.now += 1min;
        return w;
    };
    each_time(state, make, [](world& w) { w.settle(); });
}

/// Half of the incidents wait for the other half.
void half_depend(benchmark::State& state) {
    const auto make = [](std::size_t machines) {
        world w{rh::ladder{rh::reboot_instance{.approval = rh::required}}.lowered(), unbounded()};
        w.add(machines);
        for (std::size_t n = 1; n < machines; n += 2) static_cast<void>(w.e.depend(w.vm[n], w.vm[n - 1]));
        return w;
    };
    each_time(state, make, [](world& w) {
        w.see_all(rh::health::unhealthy);
        w.settle();
    });
}

/// A twentieth of all is being fenced; what that will need of budgets and room is not for the others.
void one_in_twenty_fenced(benchmark::State& state) {
    const auto make = [](std::size_t machines) {
        rh::engine_options o = unbounded();
        o.bounds.in_flight = {5, 1};
        o.bounds.group.burst = o.bounds.domain.burst = o.bounds.all.burst = {60'000, 1h};
        world w{rh::ladder{rh::evacuate_instance{}}.lowered(), o};
        w.add(machines);
        w.e.tell_capacity("zone", 1'000'000, w.now);
        w.step();
        return w;
    };
    each_time(state, make, [](world& w) {
        w.see_all(rh::health::unhealthy);
        w.settle();
    });
}

/// Each would have its stack made anew, and asks for the evidence against every machine of it.
void stacks_wait(benchmark::State& state) {
    const auto make = [](std::size_t machines) {
        world w{rh::ladder{rh::converge_stack{.approval = rh::required}}.lowered(), unbounded()};
        w.add(machines);
        return w;
    };
    each_time(state, make, [](world& w) {
        w.see_all(rh::health::unhealthy);
        w.settle();
    });
}

void sizes(benchmark::internal::Benchmark* all) { all->Unit(benchmark::kMillisecond)->Arg(10'000)->Arg(100'000); }

} // namespace

BENCHMARK(all_open)->Apply(sizes);
BENCHMARK(one_changes)->Apply(sizes);
BENCHMARK(all_open_again)->Apply(sizes);
BENCHMARK(all_hosts_die)->Apply(sizes);
BENCHMARK(half_absorbed)->Apply(sizes);
BENCHMARK(half_depend)->Apply(sizes);
BENCHMARK(one_in_twenty_fenced)->Apply(sizes);
BENCHMARK(stacks_wait)->Apply(sizes);
BENCHMARK_MAIN();
