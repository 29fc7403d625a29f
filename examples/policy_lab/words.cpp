// SPDX-License-Identifier: MIT
#include "words.hpp"

#include <reheat/core/text.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>

namespace policy_lab {

namespace {

std::string digits(double n, int after) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.*f", after, n);
    return text.data();
}

std::string plural(std::uint64_t n, const std::string& what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

std::string faults_text(const comparison& c) {
    std::vector<std::size_t> kinds;
    std::uint64_t all = 0;
    for (std::size_t k = 0; k < c.faults.size(); ++k) {
        all += c.faults[k];
        if (c.faults[k] != 0) kinds.push_back(k);
    }
    std::sort(kinds.begin(), kinds.end(),
              [&c](auto a, auto b) { return c.faults[a] != c.faults[b] ? c.faults[a] > c.faults[b] : a < b; });
    std::string out = plural(all, "fault") + ", the same for every policy";
    for (std::size_t n = 0; n < kinds.size(); ++n)
        out += (n == 0 ? ": " : ", ") + std::string{to_string(static_cast<reheat::sim::fault_kind>(kinds[n]))} + " " +
               std::to_string(c.faults[kinds[n]]);
    return out + ".";
}

section what_users_feel(const comparison& c) {
    section s{
        "What users feel",
        "A service is down while it does not run, or nobody can reach it, whoever is to blame. Down: minutes a year "
        "of a service, with the noise of 95 % confidence. A stack is up while all of it is. Outages: how many a "
        "year of the fleet, and by when half of them, 95 %, 99 % and all were over.",
        {{"policy", "available", "down min/y", "stacks up", "outages/y", "half", "95 %", "99 %", "all"}}};
    double best = 0;
    double best_stack = 0;
    for (const standing& p : c.standings) {
        best = (std::max)(best, availability(p.downtime.all.mean));
        best_stack = (std::max)(best_stack, availability(p.stack_downtime.all.mean));
    }
    for (const standing& p : c.standings)
        s.lines.push_back({p.name, percent(availability(p.downtime.all.mean), nines(best)), with_noise(p.downtime.all),
                           percent(availability(p.stack_downtime.all.mean), nines(best_stack)),
                           number(static_cast<double>(p.outages.size()) / c.years),
                           time_text(percentile(p.outages, 50)), time_text(percentile(p.outages, 95)),
                           time_text(percentile(p.outages, 99)), time_text(percentile(p.outages, 100))});
    return s;
}

section what_was_done_by_rung(const comparison& c) {
    section s{
        "What was done",
        "Actions a year by rung; after the stroke, how many of them were needless: what they were done to was well. "
        "A fence of a machine that was well is needless, and not what follows.",
        {{"policy", "restart", "reboot", "rebuild", "evacuate", "recreate", "converge", "fence"}}};
    for (const standing& p : c.standings) {
        std::vector<std::string> line{p.name};
        for (const reheat::operation rung : rungs) {
            const auto o = static_cast<std::size_t>(rung);
            line.push_back(p.calls[o] == 0 ? "-"
                                           : number(p.calls[o]) +
                                                 (p.in_vain[o] == 0 ? "" : std::string{"/"} + number(p.in_vain[o])));
        }
        s.lines.push_back(std::move(line));
    }
    return s;
}

section what_it_cost(const comparison& c) {
    section s{
        "What it cost",
        "A year. Disks: ephemeral ones that an action destroyed. The last four columns are counts in all, and have to "
        "be 0: volumes that were left detached; things that had to be kept (addresses, disks, identities) and were "
        "lost; second copies of a machine with volumes; runs in which something was still being tried two days "
        "after the last fault, without a human.",
        {{"policy", "needless", "pages", "disks", "new ids", "volumes", "not kept", "copies", "restless"}}};
    for (const standing& p : c.standings)
        s.lines.push_back({p.name, with_noise(p.needless.all), with_noise(p.pages.all), with_noise(p.disks.all),
                           number(p.identities), std::to_string(p.volumes_left), std::to_string(p.kept_lost),
                           std::to_string(p.second_copies), std::to_string(p.restless)});
    return s;
}

section what_differs(const comparison& c) {
    const standing& first = c.standings.front();
    section s{"Compared with " + first.name,
              "How much more or less a year, run by run under the same faults. Where it is more than chance explains, "
              "better or worse than " +
                  first.name + ".",
              {{"policy", "down min/y", "needless", "pages", "disks"}}};
    for (std::size_t n = 1; n < c.standings.size(); ++n) {
        const standing& p = c.standings[n];
        s.lines.push_back({p.name, difference(p.downtime, first.downtime).text,
                           difference(p.needless, first.needless).text, difference(p.pages, first.pages).text,
                           difference(p.disks, first.disks).text});
    }
    return s;
}

} // namespace

std::string number(double n) {
    const double size = std::abs(n);
    if (size < 0.005) return "0";
    if (size < 0.095) return digits(n, 2);
    if (size < 9.95) return digits(n, 1);
    if (size < 9999.5) return digits(n, 0);
    if (size < 999'500) return digits(n / 1000, 0) + "k";
    return digits(n / 1'000'000, 1) + "M";
}

std::string time_text(double seconds) {
    if (seconds < 99.5) return digits(seconds, 0) + " s";
    if (seconds < 99.5 * 60) return digits(seconds / 60, seconds < 9.95 * 60 ? 1 : 0) + " min";
    if (seconds < 47.95 * 3600) return digits(seconds / 3600, 1) + " h";
    return digits(seconds / 86400, 1) + " d";
}

int nines(double best_share) {
    const double down = 1 - best_share;
    return down <= 0 ? 6 : std::clamp(static_cast<int>(std::floor(-std::log10(down))), 1, 6);
}

std::string percent(double share, int after) { return digits(share * 100, after) + " %"; }

std::string with_noise(const estimate& e) {
    if (!std::isfinite(e.noise)) return number(e.mean);
    if (e.mean == 0 && e.noise == 0) return "0";
    // Both in the same unit, and with the same digits.
    const double size = (std::max)(std::abs(e.mean), e.noise);
    const double unit = size < 9999.5 ? 1 : size < 999'500 ? 1000 : 1'000'000;
    const std::string mark = size < 9999.5 ? "" : size < 999'500 ? "k" : "M";
    const double shown = size / unit;
    const int after = shown < 0.095 ? 2 : shown < 9.95 ? 1 : 0;
    return digits(e.mean / unit, after) + mark + " ±" + digits(e.noise / unit, after) + mark;
}

verdict difference(const figure& other, const figure& first) {
    const estimate by = difference_of(other.by_run, first.by_run);
    verdict v;
    if (by.differs()) v.how = by.mean < 0 ? verdict::is::better : verdict::is::worse;
    const std::string how_much = std::string{by.mean > 0 ? "+" : ""} + with_noise(by);
    switch (v.how) {
    case verdict::is::better: v.text = how_much + " better"; break;
    case verdict::is::worse: v.text = how_much + " worse"; break;
    case verdict::is::same: v.text = how_much + " same"; break;
    }
    return v;
}

std::vector<std::string> what_was_done(const comparison& c) {
    std::vector<std::string> out;
    std::string groups;
    for (const instance_group& g : c.of.fleet.groups)
        groups += (groups.empty() ? " (" : ", ") + std::to_string(g.instances) + " " + g.name;
    if (!groups.empty()) groups += ")";
    out.push_back(plural(c.instances, "instance") + groups + " with " + plural(c.services, "service") + " in " +
                  plural(c.stacks, "stack") + ", on " + plural(c.of.fleet.hosts, "host") + " in " +
                  plural(c.of.fleet.racks, "rack") + " in " + plural(c.of.fleet.zones, "zone") + ".");
    out.push_back(plural(c.of.days, "day") + " in " + plural(c.runs, "run") + ", seed " + std::to_string(c.of.seed) +
                  ". " + faults_text(c));
    out.push_back("Somebody comes about " + time_text(std::chrono::duration<double>(c.of.human).count()) +
                  " after a page. " +
                  (c.of.host_monitor ? "A host without power is made sure of within 3 min, and called dead."
                                     : "Nobody says of a host that it is dead."));
    std::uint64_t planned = 0;
    for (const std::uint64_t n : c.faults) planned += n;
    for (const standing& p : c.standings) {
        if (p.faults != planned)
            out.push_back(p.name + " met only " + std::to_string(p.faults) +
                          " of the faults: the others found nothing left "
                          "to break, or its run ended early.");
    }
    return out;
}

std::vector<section> sections_of(const comparison& c) {
    std::vector<section> out{what_users_feel(c), what_was_done_by_rung(c), what_it_cost(c)};
    if (c.standings.size() > 1) out.push_back(what_differs(c));
    return out;
}

} // namespace policy_lab
