// SPDX-License-Identifier: MIT
#include "summary.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace policy_lab {

namespace {

template <class Value>
figure figure_of(const std::vector<trial>& runs, const Value& value) {
    figure f;
    for (const trial& t : runs) f.by_run.push_back(static_cast<double>(value(t)));
    f.all = estimate_of(f.by_run);
    return f;
}

double years(const trial& t) { return t.days / 365.0; }

std::uint64_t actions_in(const std::array<std::uint64_t, reheat::operation_count>& by) {
    return std::accumulate(rungs.begin(), rungs.end(), std::uint64_t{0},
                           [&by](std::uint64_t sum, auto rung) { return sum + by[static_cast<std::size_t>(rung)]; });
}

standing standing_of(const contestant& who, const std::vector<trial>& runs, const comparison& in) {
    standing s;
    s.name = who.name;
    s.what = who.what;
    s.own = who.own;
    const auto a_year = [&runs](const auto& value) {
        return figure_of(runs, [&value](const trial& t) { return static_cast<double>(value(t)) / years(t); });
    };
    s.downtime = a_year([&in](const trial& t) { return t.service_downtime / 60 / in.services; });
    s.stack_downtime = a_year([&in](const trial& t) { return t.stack_downtime / 60 / in.stacks; });
    s.pages = a_year([](const trial& t) { return t.pages; });
    s.actions = a_year([](const trial& t) { return actions_in(t.calls); });
    s.needless = a_year([](const trial& t) { return actions_in(t.needless); });
    s.disks = a_year([](const trial& t) { return t.lost.ephemeral_disks; });
    for (const trial& t : runs) {
        for (const reheat::operation rung : rungs) {
            const auto o = static_cast<std::size_t>(rung);
            s.calls[o] += static_cast<double>(t.calls[o]) / in.years;
            s.in_vain[o] += static_cast<double>(t.needless[o]) / in.years;
        }
        s.outages.insert(s.outages.end(), t.recoveries.begin(), t.recoveries.end());
        s.identities += static_cast<double>(t.lost.identities) / in.years;
        s.faults += t.faults;
        s.kept_lost += t.lost.to_keep;
        s.volumes_left += t.volumes_left;
        s.second_copies += t.second_copies;
        s.restless += t.restless ? 1U : 0U;
    }
    std::sort(s.outages.begin(), s.outages.end());
    return s;
}

} // namespace

comparison compare(const experiment& of, const std::vector<contestant>& who,
                   const std::vector<std::vector<trial>>& trials) {
    comparison c;
    c.of = of;
    const reheat::sim::fleet_plan fleet = *plan_of(of.fleet);
    c.instances = static_cast<std::uint32_t>(fleet.machines.size());
    c.stacks = fleet.stacks;
    // A machine without services is one itself.
    for (const reheat::sim::machine_plan& m : fleet.machines) c.services += (std::max)(std::uint32_t{m.processes}, 1U);
    c.years = of.days / 365.0;
    const std::vector<std::uint32_t> runs = runs_of(of.days);
    c.runs = static_cast<std::uint32_t>(runs.size());
    for (std::size_t n = 0; n < runs.size(); ++n) {
        for (const auto& f : draw_faults(of.rates, fleet, runs[n], seed_of(of, n)))
            ++c.faults[static_cast<std::size_t>(f.kind)];
    }
    for (std::size_t n = 0; n < who.size(); ++n) {
        c.standings.push_back(standing_of(who[n], trials[n], c));
        for (std::size_t run = 0; run < trials[n].size(); ++run) {
            if (trials[n][run].broken.empty()) continue;
            c.broken.push_back(who[n].name + ", run " + std::to_string(run + 1) + ": " + trials[n][run].broken);
        }
    }
    return c;
}

} // namespace policy_lab
