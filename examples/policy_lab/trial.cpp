// SPDX-License-Identifier: MIT
#include "trial.hpp"

#include <reheat/sim/run_schedule.hpp>

#include "progress.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>

namespace policy_lab {

namespace {

namespace sim = reheat::sim;
using namespace std::chrono_literals;

double seconds(reheat::duration d) { return std::chrono::duration<double>(d).count(); }

/// The schedule of one run; only the policy is the contestant's.
sim::schedule schedule_of(const experiment& what, const contestant& who, std::uint32_t days, std::uint64_t seed) {
    sim::schedule s;
    s.seed = seed;
    s.fleet = *plan_of(what.fleet);
    s.policies.push_back(who.rules);
    s.options.seed = seed;
    s.options.bounds = who.bounds;
    s.people = {.reads_after = what.human, .denies = 0, .unparks = 0, .mends = 100, .maintains = 0};
    s.faults = draw_faults(what.rates, s.fleet, days, seed);
    s.storm = 24h * days;
    s.calm = 48h;
    s.polls_status = true;
    s.tells_dead_hosts = what.host_monitor;
    return s;
}

/// Sums up what the ground truth says of one run.
void measure(trial& out, const sim::fleet_plan& fleet, const sim::truth_meter& meter, reheat::time_point start,
             double length) {
    std::vector<std::vector<interval>> stacks(fleet.stacks);
    for (const sim::outage& o : meter.outages()) {
        const interval i{seconds(o.from - start), o.over() ? seconds(o.to - start) : length};
        out.service_downtime += (std::max)(0.0, (std::min)(i.to, length) - i.from);
        stacks[fleet.machines[o.machine].stack].push_back(i);
        if (o.over()) out.recoveries.push_back(i.to - i.from);
    }
    for (std::vector<interval>& s : stacks) out.stack_downtime += covered(std::move(s), length);
    for (std::size_t o = 0; o < reheat::operation_count; ++o) {
        out.calls[o] = meter.calls(static_cast<reheat::operation>(o));
        out.needless[o] = meter.needless(static_cast<reheat::operation>(o));
    }
    out.lost = meter.lost();
}

/// That all comes to rest in the end is promised where budgets allow: a policy without any bound may go on for ever,
/// and that is its own doing. The monitor then finds the same.
void judge(trial& out, const std::vector<sim::run_violation>& found) {
    const auto is_rest = [](const sim::run_violation& v) { return v.what == "not_settled" || v.what == "left_open"; };
    out.restless = std::any_of(found.begin(), found.end(), is_rest);
    for (const sim::run_violation& v : found) {
        out.second_copies += v.what == "second_copy" ? 1U : 0U;
        const bool of_the_policy = is_rest(v) || (out.restless && v.what == "I10");
        if (!of_the_policy && out.broken.empty())
            out.broken = v.what + " at " + reheat::format_time(v.at) + ": " + v.text;
    }
}

trial run_one(const experiment& what, const contestant& who, std::uint32_t days, std::uint64_t seed) {
    const sim::schedule s = schedule_of(what, who, days, seed);
    sim::schedule_run run{s};
    sim::truth_meter meter;
    run.in().measure(&meter);
    const reheat::time_point start = run.in().now();
    const sim::run_result r = run.run();

    trial out;
    out.days = days;
    out.faults = r.faults;
    out.pages = r.pages;
    judge(out, r.violations);
    for (const sim::machine_state& m : run.in().truth().machines()) out.volumes_left += m.detached;
    measure(out, s.fleet, meter, start, 86400.0 * days);
    return out;
}

} // namespace

std::vector<std::uint32_t> runs_of(std::uint32_t days) {
    constexpr std::uint32_t wanted = 50;
    constexpr std::uint32_t longest = 20;
    const std::uint32_t length = std::clamp(days / wanted, 1U, longest);
    const std::uint32_t runs = (days + length - 1) / length;
    std::vector<std::uint32_t> out(runs, days / runs);
    for (std::uint32_t n = 0; n < days % runs; ++n) ++out[n];
    return out;
}

std::uint64_t seed_of(const experiment& what, std::size_t run) noexcept { return reheat::mix(what.seed) + run; }

std::vector<std::vector<trial>> run_all(const experiment& what, const std::vector<contestant>& who, unsigned jobs) {
    const std::vector<std::uint32_t> runs = runs_of(what.days);
    std::vector<std::vector<trial>> out(who.size(), std::vector<trial>(runs.size()));
    const std::size_t all = who.size() * runs.size();
    progress shown{std::uint64_t{what.days} * who.size()};
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (std::size_t n = next.fetch_add(1); n < all; n = next.fetch_add(1)) {
            const std::size_t run = n / who.size();
            const std::size_t by = n % who.size();
            out[by][run] = run_one(what, who[by], runs[run], seed_of(what, run));
            shown.add(runs[run]);
        }
    };
    std::vector<std::thread> others;
    for (unsigned n = 1; n < jobs && n < all; ++n) others.emplace_back(work);
    work();
    for (std::thread& t : others) t.join();
    return out;
}

} // namespace policy_lab
