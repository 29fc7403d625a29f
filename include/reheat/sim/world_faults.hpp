// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/world.hpp>

// What faults do to the world: definitions of members of `sim::world`.

namespace reheat::inline REHEAT_ABI::sim {

inline bool world::can_begin(const planned_fault& f) const noexcept {
    if (f.machine >= truth_.machines().size()) return false;
    const machine_state& m = truth_.machine(f.machine);
    const host_state& h = truth_.host(m.now.host);
    switch (f.kind) {
    case fault_kind::process_dies:
    case fault_kind::process_hangs:
        return m.how.processes != 0 && truth_.alive(m.now) && (m.up >> f.process % m.how.processes & 1U) != 0;
    case fault_kind::guest_panics:
    case fault_kind::guest_freezes: return m.now.is == condition::running;
    case fault_kind::stack_breaks: return !truth_.stack_is_broken(m.how.stack);
    case fault_kind::host_loses_power:
    case fault_kind::host_goes_dark:
    case fault_kind::rack_loses_power: return h.no_power == 0;
    case fault_kind::host_loses_network: return h.no_power + h.no_network == 0;
    case fault_kind::host_loses_storage: return h.no_power + h.no_storage == 0;
    case fault_kind::old_copies_return:
        for (std::uint32_t n = 0; n < truth_.machines().size(); ++n) {
            if (truth_.can_return(n)) return true;
        }
        return false;
    default: return true;
    }
}

inline void world::begin(const planned_fault& f) {
    if (f.machine >= truth_.machines().size()) return;
    const fleet_plan& fleet = truth_.plan();
    const std::uint32_t host = truth_.machine(f.machine).now.host;
    switch (scope_of(f.kind)) {
    case fault_scope::process:
    case fault_scope::machine:
    case fault_scope::stack: strike(f); break;
    case fault_scope::host: hold(f, host); break;
    case fault_scope::rack: hold(f, fleet.rack_of(host)); break;
    case fault_scope::zone: hold(f, fleet.zone_of(host)); break;
    case fault_scope::everything:
        if (f.kind != fault_kind::old_copies_return) {
            hold(f, 0);
            break;
        }
        for (std::uint32_t n = 0; n < truth_.machines().size(); ++n) {
            if (truth_.can_return(n)) truth_.bring_back(n, time_->told());
        }
        break;
    }
    look();
}

/// What happens at once, and is over when it is mended.
inline void world::strike(const planned_fault& f) {
    machine_state& m = truth_.machine(f.machine);
    const bool by_itself = f.share <= 50;
    const time_point cured = after(now(), std::chrono::seconds{30 + 6 * std::int64_t{f.share}});
    if (f.kind == fault_kind::stack_breaks) return truth_.break_stack(m.how.stack, true);
    if (f.kind == fault_kind::guest_panics || f.kind == fault_kind::guest_freezes) {
        if (m.now.is != condition::running) return;
        truth_.come_to_an_end(f.machine, m.now,
                              f.kind == fault_kind::guest_panics ? condition::panicked : condition::frozen);
        if (by_itself) plan(cured, moment::kind::self_cure, f.machine, m.now.turn);
        return;
    }
    if (m.how.processes == 0) return;
    const auto process = static_cast<std::uint8_t>(f.process % m.how.processes);
    truth_.end_process(f.machine, process);
    const bool goes_on = f.kind == fault_kind::process_hangs && by_itself;
    if (!m.how.heals_itself && !goes_on) return;
    plan(m.how.heals_itself ? after(now(), std::chrono::seconds{20}) : cured, moment::kind::process_cure,
         static_cast<std::uint32_t>(f.machine * most_processes + process), m.now.turn);
}

/// What is so for a while.
inline void world::hold(const planned_fault& f, std::uint32_t where) {
    change(f.kind, where, true, f.share);
    holds_.push_back({f.kind, where});
    plan(after(now(), (std::max)(f.lasts, duration{std::chrono::seconds{1}})), moment::kind::fault_ends,
         static_cast<std::uint32_t>(holds_.size() - 1));
}

inline void world::change(fault_kind k, std::uint32_t where, bool on, std::uint8_t share) {
    const fleet_plan& fleet = truth_.plan();
    const auto count = [on](std::uint16_t& n) { n = static_cast<std::uint16_t>(on ? n + 1 : n - 1); };
    if (scope_of(k) == fault_scope::everything) return weather_.set(k, on, share);
    for (std::uint32_t h = 0; h < fleet.hosts(); ++h) {
        host_state& s = truth_.host(h);
        const bool in_zone = scope_of(k) == fault_scope::zone && fleet.zone_of(h) == where;
        const bool in_rack = scope_of(k) == fault_scope::rack && fleet.rack_of(h) == where;
        const bool is_it = scope_of(k) == fault_scope::host && h == where;
        if (!in_zone && !in_rack && !is_it) continue;
        switch (k) {
        case fault_kind::host_goes_dark:
        case fault_kind::rack_loses_power: count(s.no_board); [[fallthrough]];
        case fault_kind::host_loses_power: power(h, !on); break;
        case fault_kind::host_loses_network: count(s.no_network); break;
        case fault_kind::host_loses_storage: count(s.no_storage); break;
        case fault_kind::heartbeats_lost: count(s.unheard); break;
        case fault_kind::management_cut: count(s.unmanaged); break;
        default: break;
        }
    }
}

inline void world::power(std::uint32_t host, bool on) {
    host_state& h = truth_.host(host);
    if (on) {
        const duration vouched = h.told_dead ? vouches_for_ : duration{};
        if (--h.no_power == 0) plan(after(now(), std::chrono::seconds{10} + vouched), moment::kind::host_boots, host);
        return;
    }
    if (h.no_power++ != 0) return;
    for (std::uint32_t n = 0; n < truth_.machines().size(); ++n) {
        machine_state& m = truth_.machine(n);
        if (m.now.host == host && m.now.has_power()) truth_.come_to_an_end(n, m.now, condition::lost);
        for (copy_state& old : m.older) {
            if (old.host == host && old.has_power()) truth_.come_to_an_end(n, old, condition::off);
        }
        // What had come back may do so again.
        std::erase_if(m.older, [&m](const copy_state& old) {
            if (!old.returned || old.has_power()) return false;
            if (!m.gone) m.gone = old;
            return true;
        });
    }
    if (tells_dead_hosts_)
        plan(after(now(), chance_.between(std::chrono::seconds{20}, std::chrono::seconds{180})),
             moment::kind::host_told_dead, host);
}

inline bool world::repair(std::uint32_t n) {
    machine_state& m = truth_.machine(n);
    if (m.being_replaced != 0 || truth_.host(m.now.host).no_power != 0) return false;
    truth_.break_stack(m.how.stack, false);
    if (truth_.alive(m.now)) {
        m.up = static_cast<std::uint8_t>((1U << m.how.processes) - 1U);
    } else if (m.now.is != condition::booting) {
        truth_.attach(n);
        m.renewed = after(now(), truth_.plan().boot_time);
        boot(n);
    }
    look();
    return true;
}

inline void world::stop_returned(std::uint32_t n) {
    machine_state& m = truth_.machine(n);
    while (copy_state* const back = truth_.returned_copy(n)) truth_.switch_off(n, *back);
    std::erase_if(m.older, [](const copy_state& c) { return c.returned; });
}

inline void world::unplug(std::uint32_t n) {
    machine_state& m = truth_.machine(n);
    truth_.switch_off(n, m.now);
    for (copy_state& old : m.older) truth_.switch_off(n, old);
    m.older.clear();
    look();
}

} // namespace reheat::inline REHEAT_ABI::sim
