// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/recovery/ladder.hpp>
#include <reheat/runner/leadership.hpp>
#include <reheat/sim/coverage.hpp>
#include <reheat/sim/dice.hpp>
#include <reheat/sim/schedule.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::sim {

namespace detail {

/// Draws a schedule. Each draw is a statement of its own, in a fixed order.
class schedule_maker {
public:
    schedule_maker(std::uint64_t seed, bool lying_proofs) : chance_{seed} {
        s_.seed = seed;
        if (lying_proofs) s_.false_proofs = 30 + chance_.below(70);
    }

    [[nodiscard]] schedule make() {
        make_fleet();
        aim();
        s_.policies.push_back(make_policy());
        if (chance_.one_in(2)) {
            // A short one, in which the first thing that is aimed at comes at once.
            for (auto& a : aims_) a = chance_.one_in(6) ? a : aims_.front();
            direct_ = true;
            s_.policies.push_back(make_policy());
        }
        make_options();
        if (s_.seed % 5 == 2) make_twins();
        s_.people.reads_after = chance_.between(std::chrono::seconds{30}, std::chrono::minutes{15});
        s_.people.denies = static_cast<std::uint8_t>(chance_.one_in(3) ? chance_.below(50) : 0);
        s_.people.unparks = static_cast<std::uint8_t>(chance_.below(60));
        s_.people.mends = small(60);
        s_.people.maintains = static_cast<std::uint8_t>(chance_.one_in(3) ? 1 + chance_.below(2) : 0);
        s_.polls_status = chance_.one_in(2);
        s_.tells_dead_hosts = chance_.one_in(2);
        make_faults();
        return std::move(s_);
    }

private:
    [[nodiscard]] std::uint8_t small(std::size_t n) { return static_cast<std::uint8_t>(chance_.below(n)); }

    void make_fleet() {
        fleet_plan& f = s_.fleet;
        f.racks_in_zone = 1 + chance_.below(3);
        f.hosts_in_rack = 2 + chance_.below(2);
        f.stacks = 3 + chance_.below(5);
        const std::uint32_t machines = 20 + chance_.below(9);
        f.room = machines / f.hosts() + 3;
        f.boot_time = chance_.between(std::chrono::seconds{20}, std::chrono::seconds{90});
        leases_ = chance_.one_in(2);
        for (std::uint32_t n = 0; n < machines; ++n) {
            machine_plan m;
            m.stack = n % f.stacks;
            m.host = n % f.hosts();
            m.processes = small(3);
            m.volumes = small(3);
            m.stateful = m.volumes != 0;
            if (!m.stateful) m.keep = asset::fixed_addresses;
            m.heals_itself = chance_.one_in(3);
            if (chance_.one_in(8)) m.keep = m.keep | ephemeral_disk;
            // In the mode in which proofs lie, those of fences do.
            m.leased = chance_.one_in(4) && leases_ && s_.false_proofs == 0;
            m.priority = static_cast<std::uint8_t>(chance_.one_in(6) ? 1 + small(3) : 0);
            f.machines.push_back(m);
        }
    }

    /// Which stands of incidents the faults of this schedule look for: what is reached seldom is sought more often.
    void aim() {
        std::array<std::pair<operation, phase>, 64> stands{};
        std::size_t count = 0;
        each_stand([&](operation rung, phase in) { stands[count++] = {rung, in}; });
        constexpr std::array seldom{phase::collecting, phase::fencing, phase::acting, phase::acting, phase::verifying};
        for (auto& a : aims_) {
            const bool any = chance_.one_in(2);
            const std::size_t which = chance_.below(count);
            const phase in = seldom[chance_.below(seldom.size())];
            const bool stack = chance_.one_in(2);
            const bool moves = chance_.one_in(2);
            const operation copies = moves ? operation::evacuate_instance : operation::recreate_instance;
            a = any ? stands[which] : std::pair{stack ? operation::converge_stack : copies, in};
            const bool none_left = chance_.one_in(20);
            if (none_left) a = {operation::none, phase::absorbed};
        }
    }
    [[nodiscard]] bool aimed_at(operation what) const noexcept {
        return std::any_of(aims_.begin(), aims_.end(), [what](const auto& a) { return a.first == what; });
    }

    template <class Rung>
    void rung_of(policy& p, std::size_t one_in) {
        const bool wanted = chance_.one_in(direct_ ? 12 : one_in);
        const std::uint32_t attempts = 1 + chance_.below(3);
        const bool quick = chance_.one_in(2);
        const bool asks = chance_.one_in(6);
        if (!wanted && !aimed_at(Rung::what)) return;
        Rung r;
        r.attempts = static_cast<std::uint16_t>(attempts);
        r.sustained.count = (std::max)(r.sustained.count, r.attempts);
        if (quick && level_of(Rung::what) != level::service) {
            r.grace = std::chrono::minutes{3};
            r.verify = std::chrono::minutes{8};
            r.within = std::chrono::minutes{30};
            r.sustained.within = std::chrono::hours{1};
        }
        if (asks) r.approval = consent::required;
        else if (quick && aimed_at(Rung::what)) r.approval = consent::none;
        const policy low = ladder{r}.lowered();
        p.add(low.rungs().front());
    }

    [[nodiscard]] policy make_policy() {
        policy p;
        const std::uint32_t which = chance_.below(12);
        const bool preset_fits = s_.policies.size() == 1; // the first has what is aimed at
        if (which == 0 && preset_fits) return three_levels.lowered();
        if (which == 1 && preset_fits) return ha_restarter.lowered();
        const bool short_one = chance_.one_in(2); // so that what is aimed at comes soon
        const std::size_t rare = short_one ? 6 : 2;
        rung_of<guest_restarts>(p, rare);
        rung_of<restart_service>(p, rare);
        rung_of<reboot_instance>(p, rare);
        rung_of<rebuild_instance>(p, rare);
        if (chance_.one_in(4)) rung_of<page>(p, 1);
        rung_of<evacuate_instance>(p, rare);
        rung_of<recreate_instance>(p, rare);
        rung_of<converge_stack>(p, rare);
        if (p.size() == 0) p = three_levels.lowered();
        const bool forensics = chance_.one_in(2);
        const bool collects =
            std::any_of(aims_.begin(), aims_.end(), [](const auto& a) { return a.second == phase::collecting; });
        if (forensics || collects) p.forensics = std::chrono::seconds{10 + chance_.below(110)};
        p.retry_parked = std::chrono::minutes{10 + chance_.below(40)};
        p.probation = std::chrono::minutes{chance_.below(31)};
        if (chance_.one_in(4)) p.evidence.alone = static_cast<single_vantage>(chance_.below(3));
        p.returned = static_cast<return_rule>(chance_.below(4));
        const std::uint32_t fences = chance_.below(3);
        if (fences == 1) p.fencing.methods = {"ipmi", "pdu"};
        p.fencing.parallel = fences == 1 && chance_.one_in(2);
        return p;
    }

    void make_options() {
        engine_options& o = s_.options;
        o.seed = s_.seed;
        const bool patient = chance_.one_in(2);
        o.bounds.start_hold = patient ? o.bounds.start_hold : std::chrono::seconds{chance_.below(60)};
        const bool wide = chance_.one_in(2);
        if (wide) o.bounds.in_flight = {static_cast<std::uint8_t>(10 + chance_.below(40)), 1};
        const bool lax = chance_.one_in(3);
        if (lax) o.bounds.breaker.group = o.bounds.breaker.domain = {static_cast<std::uint8_t>(60), 1};
        if (chance_.one_in(4))
            o.bounds.all.burst = {static_cast<std::uint16_t>(3 + chance_.below(10)), std::chrono::hours{1}};
        if (chance_.one_in(4))
            o.bounds.group.burst = {static_cast<std::uint16_t>(2 + chance_.below(4)), std::chrono::hours{1}};
        if (chance_.one_in(5))
            o.bounds.api = {static_cast<std::uint16_t>(10 + chance_.below(30)), std::chrono::minutes{1}};
    }

    /// Two controllers on one store of leases and journal. Their clocks differ by less than the margin.
    void make_twins() {
        s_.twins = true;
        // The cloud compares epochs, so the start of a call is what the lease has to cover; now and then it covers all.
        const bool all_of_it = chance_.one_in(6);
        if (!all_of_it) s_.options.lease_covers = std::chrono::seconds{20};
        s_.lead.renew_every = std::chrono::seconds{5 + chance_.below(6)};
        for (const policy& p : s_.policies)
            s_.lead.ttl = (std::max)(s_.lead.ttl, shortest_lease(p, s_.options, s_.lead.renew_every));
        s_.lead.ttl += std::chrono::seconds{5 + chance_.below(60)};
        for (duration& d : s_.ahead) d = chance_.between(std::chrono::seconds{-1}, std::chrono::seconds{1});
    }
    /// Any fault that there can be; where there are two controllers, often one of theirs.
    [[nodiscard]] fault_kind any_kind(bool of_twins) {
        const std::uint32_t n = chance_.below(lone_fault_kind_count);
        const std::uint32_t twin = chance_.below(fault_kind_count - lone_fault_kind_count);
        return static_cast<fault_kind>(of_twins ? lone_fault_kind_count + twin : n);
    }

    /// Something that leads to an incident which climbs to that rung.
    [[nodiscard]] fault_kind cause_of(operation rung) {
        constexpr std::array services{fault_kind::process_dies, fault_kind::process_hangs};
        constexpr std::array guests{fault_kind::guest_freezes, fault_kind::guest_panics, fault_kind::host_loses_power,
                                    fault_kind::host_goes_dark, fault_kind::process_dies};
        const std::uint32_t n = chance_.below(60);
        if (rung == operation::guest_restarts || rung == operation::restart_service) return services[n % 2];
        if (rung == operation::converge_stack && n % 2 == 0) return fault_kind::stack_breaks;
        return guests[n % guests.size()];
    }

    [[nodiscard]] planned_fault draw(fault_kind k, duration from, duration to) {
        planned_fault f;
        f.kind = k;
        f.at = chance_.between(from, to);
        f.machine = chance_.below(s_.fleet.machines.size());
        f.process = small(most_processes);
        f.share = static_cast<std::uint8_t>(30 + small(71));
        f.lasts = chance_.between(std::chrono::seconds{20}, std::chrono::minutes{40});
        if (k == fault_kind::controller_stalls || k == fault_kind::controller_crashes)
            f.lasts = chance_.between(std::chrono::seconds{2}, std::chrono::minutes{10});
        if (k == fault_kind::clock_jumps) {
            f.jump = chance_.between(std::chrono::seconds{1}, std::chrono::minutes{10});
            const bool back = chance_.one_in(2);
            // A controller's lease is counted by a clock that does not go back: of two controllers none does. A
            // machine's is by one that is not ahead by more than the margin.
            if (back && !s_.twins) f.jump = -f.jump;
            else if (leases_) f.jump %= lease_margin;
        }
        if (k == fault_kind::controller_pauses)
            f.lasts = chance_.between(s_.lead.ttl, s_.lead.ttl + std::chrono::minutes{10});
        return f;
    }

    /// In order of time, and those of one time in the order in which they were drawn.
    void add(const planned_fault& f) {
        const auto place = std::upper_bound(s_.faults.begin(), s_.faults.end(), f.at,
                                            [](duration at, const planned_fault& other) { return at < other.at; });
        s_.faults.insert(place, f);
    }
    void make_faults() {
        const duration end = s_.storm - std::chrono::minutes{45};
        const std::uint32_t more = 2 + chance_.below(4);
        for (const auto& [rung, in] : aims_) {
            planned_fault cause = draw(cause_of(rung), std::chrono::minutes{5}, end - std::chrono::hours{1});
            // The cure is to be needed: it does not get well by itself.
            cause.share = static_cast<std::uint8_t>(51 + cause.share % 49);
            if (direct_) cause.machine = cause.machine / 2 * 2 + 1; // of the second policy
            cause.machine = static_cast<std::uint32_t>(cause.machine % s_.fleet.machines.size());
            // Who is absorbed has something above or beside it that acts: the whole stack is ill.
            if (in == phase::absorbed && chance_.one_in(2)) cause.kind = fault_kind::stack_breaks;
            const bool near = chance_.one_in(3);
            const auto close = static_cast<fault_kind>(chance_.below(5));
            const bool of_twins = s_.twins && chance_.one_in(2);
            const fault_kind any = any_kind(of_twins);
            const bool back = chance_.one_in(12); // seldom there is one that can come back: it is waited for
            planned_fault f = draw(back                ? fault_kind::old_copies_return
                                   : near && !of_twins ? close
                                                       : any,
                                   cause.at, cause.at);
            f.aims = true;
            f.rung = rung;
            f.in = in;
            f.patience = std::chrono::hours{back ? 4 : 1};
            add(cause);
            // A guest that is made anew runs while the call is under way only if its answer comes late.
            if (in == phase::acting && needs_proof(rung) && near) {
                planned_fault late = draw(fault_kind::completions_late, cause.at, cause.at);
                late.lasts = std::chrono::hours{1};
                add(late);
            }
            add(f);
        }
        for (std::uint32_t n = 0; n < more; ++n) {
            const bool of_twins = s_.twins && chance_.one_in(3);
            add(draw(any_kind(of_twins), std::chrono::minutes{2}, end));
        }
        if (s_.twins) add(draw(fault_kind::controller_pauses, std::chrono::minutes{5}, end));
        if (s_.seed % 5 == 0) add(draw(fault_kind::controller_crashes, std::chrono::minutes{5}, end));
        // At least three kinds, whatever was drawn.
        std::array<fault_kind, 3> sure{fault_kind::guest_freezes, fault_kind::process_dies, fault_kind::api_fails};
        for (std::size_t n = 0; n < sure.size() && kinds() < 3; ++n) add(draw(sure[n], std::chrono::minutes{2}, end));
    }
    [[nodiscard]] std::size_t kinds() const noexcept {
        std::array<bool, fault_kind_count> seen{};
        for (const planned_fault& f : s_.faults) seen[static_cast<std::size_t>(f.kind)] = true;
        return static_cast<std::size_t>(std::count(seen.begin(), seen.end(), true));
    }

    dice chance_;
    schedule s_;
    std::array<std::pair<operation, phase>, 3> aims_{};
    bool leases_ = false; ///< some machines hold one
    bool direct_ = false; ///< the second policy goes straight to what is aimed at
};

} // namespace detail

/// The schedule of a seed: at least 20 machines in 3 zones, 6 hours, 4 faults of 3 kinds, and a crash of the controller
/// in every fifth; in another fifth two controllers. Every policy that a schedule may have is climbable by a driver
/// with every capability.
[[nodiscard]] inline schedule make_schedule(std::uint64_t seed, bool lying_proofs = false) {
    return detail::schedule_maker{seed, lying_proofs}.make();
}

} // namespace reheat::inline REHEAT_ABI::sim
