// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/truth_watch.hpp>
#include <reheat/sim/world_parts.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::sim {

/// Something that must never be, as the world itself saw it.
struct world_violation {
    enum class kind : std::uint8_t {
        second_copy,       ///< two copies of a stateful machine have power
        volume_twice,      ///< a volume is attached to a copy while another one that has it has power
        call_not_intended, ///< a call whose intent was not safe in the journal
        proof_is_wrong,    ///< a call that needs a proof came with one of another target, or none
        returned_ignored,  ///< a call that makes a machine anew, although one that came back is known to run
    };
    kind what{};
    time_point at{};
    std::uint32_t machine = 0;
};

[[nodiscard]] constexpr std::string_view to_string(world_violation::kind k) noexcept {
    constexpr std::array<std::string_view, 5> names{"second_copy", "volume_twice", "call_not_intended",
                                                    "proof_is_wrong", "returned_ignored"};
    return names[static_cast<std::size_t>(k)];
}

/// What is really there: hosts, machines, their copies and volumes, and what may be done to them. Time is its caller's;
/// what takes time is handed back as a moment to come back at. One thread at a time.
class ground_truth {
public:
    explicit ground_truth(fleet_plan plan) : plan_{std::move(plan)}, hosts_(plan_.hosts()), broken_(plan_.stacks) {
        machines_.resize(plan_.machines.size());
        for (std::size_t n = 0; n < machines_.size(); ++n) {
            machine_state& m = machines_[n];
            m.how = plan_.machines[n];
            m.now.host = m.how.host;
            ++hosts_[m.how.host].machines;
            m.process.fill(no_target);
            m.watch.fill(no_watch);
        }
    }

    [[nodiscard]] const fleet_plan& plan() const noexcept { return plan_; }
    [[nodiscard]] std::span<machine_state> machines() noexcept { return machines_; }
    [[nodiscard]] std::span<const machine_state> machines() const noexcept { return machines_; }
    [[nodiscard]] machine_state& machine(std::uint32_t n) noexcept { return machines_[n]; }
    [[nodiscard]] const machine_state& machine(std::uint32_t n) const noexcept { return machines_[n]; }
    [[nodiscard]] host_state& host(std::uint32_t n) noexcept { return hosts_[n]; }
    [[nodiscard]] const host_state& host(std::uint32_t n) const noexcept { return hosts_[n]; }
    [[nodiscard]] bool stack_is_broken(std::uint32_t n) const noexcept { return broken_[n]; }
    void break_stack(std::uint32_t n, bool on) noexcept { broken_[n] = on; }
    /// From now on a monitor is told; first, what there is.
    void tell(truth_watch* watch) {
        watch_ = watch;
        if (watch == nullptr) return;
        for (std::uint32_t n = 0; n < machines_.size(); ++n) {
            const machine_state& m = machines_[n];
            watch->attached(n, m, m.now, true);
            if (m.now.has_power()) watch->started(n, m, m.now, invariant_monitor::cause::world);
        }
    }
    [[nodiscard]] const std::vector<world_violation>& violations() const noexcept { return violations_; }
    void forget_violations() noexcept { violations_.clear(); }
    void note(world_violation::kind what, time_point at, std::uint32_t machine) {
        violations_.push_back({what, at, machine});
    }

    // What is, as nobody but the world knows it

    /// Whether its guest does something.
    [[nodiscard]] bool alive(const copy_state& c) const noexcept {
        return c.is == condition::running && hosts_[c.host].no_storage == 0;
    }
    [[nodiscard]] bool works(std::uint32_t n) const noexcept {
        const machine_state& m = machines_[n];
        return alive(m.now) && !broken_[m.how.stack];
    }
    /// Whether its guest's words leave the host.
    [[nodiscard]] bool is_heard(const copy_state& c) const noexcept {
        return hosts_[c.host].no_network == 0 && hosts_[c.host].unheard == 0;
    }
    [[nodiscard]] bool agent_answers(const copy_state& c) const noexcept {
        return alive(c) && hosts_[c.host].no_network == 0 && hosts_[c.host].unmanaged == 0;
    }
    /// Without those that came back by themselves: no call could know of them.
    [[nodiscard]] std::size_t copies_with_power(std::uint32_t n) const noexcept {
        const machine_state& m = machines_[n];
        std::size_t all = m.now.has_power() ? 1 : 0;
        for (const copy_state& c : m.older) all += c.has_power() && !c.returned ? 1U : 0U;
        return all;
    }
    /// A copy that came back and runs, or null.
    [[nodiscard]] copy_state* returned_copy(std::uint32_t n) noexcept {
        for (copy_state& c : machines_[n].older) {
            if (c.returned && c.has_power()) return &c;
        }
        return nullptr;
    }
    /// Everything works that there is.
    [[nodiscard]] bool all_well() const noexcept {
        for (std::uint32_t n = 0; n < machines_.size(); ++n) {
            if (!works(n) || !machines_[n].all_up()) return false;
        }
        return true;
    }

    // What can be done; a boot is finished by its caller, after `plan().boot_time`, if the turn is still the same

    void boot(std::uint32_t n, copy_state& c, time_point now, invariant_monitor::cause by) {
        if (watch_ != nullptr && !c.has_power()) watch_->started(n, machines_[n], c, by);
        c.is = condition::booting;
        ++c.turn;
        ++c.boots;
        watch(n, now);
    }
    void finish_boot(std::uint32_t n) noexcept {
        machine_state& m = machines_[n];
        m.now.is = condition::running;
        m.up = static_cast<std::uint8_t>((1U << m.how.processes) - 1U);
    }
    void switch_off(std::uint32_t n, copy_state& c) {
        if (c.is != condition::absent) come_to_an_end(n, c, condition::off);
    }
    void come_to_an_end(std::uint32_t n, copy_state& c, condition how) {
        const bool had = c.has_power();
        c.is = how;
        if (watch_ != nullptr && had && !c.has_power() && !c.returned) watch_->stopped(n, machines_[n], c);
        ++c.turn;
    }

    /// A host with room that is fit for a new copy: in the same zone if there is one, never the one that is named.
    [[nodiscard]] std::optional<std::uint32_t> fit_host(std::uint32_t zone, std::uint32_t not_this) const noexcept {
        std::optional<std::uint32_t> best;
        const auto worth = [&](std::uint32_t h) { return std::pair{plan_.zone_of(h) != zone, hosts_[h].machines}; };
        for (std::uint32_t h = 0; h < hosts_.size(); ++h) {
            const host_state& s = hosts_[h];
            if (h == not_this || s.no_power + s.no_network + s.no_storage + s.unmanaged != 0) continue;
            if (s.machines >= plan_.room || s.told_dead) continue;
            if (!best || worth(h) < worth(*best)) best = h;
        }
        return best;
    }
    /// A new copy on a host, with the volumes of the old one. If that has power two run: the mistake that must never
    /// happen, and is noted.
    void replace(std::uint32_t n, std::uint32_t on, bool same_id, time_point now) {
        machine_state& m = machines_[n];
        const copy_state old = m.now;
        m.gone.reset();
        if (!old.has_power()) m.gone = old;
        if (old.has_power()) {
            m.older.push_back(old);
            if (m.how.volumes > m.detached) note(world_violation::kind::volume_twice, now, n);
        }
        if (watch_ != nullptr && !same_id && !old.has_power()) {
            watch_->attached(n, m, old, false);
            watch_->removed(m);
        }
        --hosts_[old.host].machines;
        ++hosts_[on].machines;
        m.now = {};
        m.now.host = on;
        m.now.number = same_id ? old.number : ++m.copies;
        m.now.boots = old.boots;
        m.now.turn = old.turn + 1;
        m.renewed = after(now, plan_.boot_time); // with a new lease
        m.detached = 0;
        m.up = 0;
        if (watch_ != nullptr) watch_->attached(n, m, m.now, true);
        boot(n, m.now, now, invariant_monitor::cause::call);
    }
    /// Whether the copy that was replaced last could come back: its host has power, and nothing else did.
    [[nodiscard]] bool can_return(std::uint32_t n) const noexcept {
        const machine_state& m = machines_[n];
        return m.gone && !m.how.leased && m.older.empty() && m.being_replaced == 0 &&
               hosts_[m.gone->host].no_power == 0 && m.now.has_power() && m.gone->host != m.now.host;
    }
    /// It does, without its volumes: they are attached to the one that replaced it.
    void bring_back(std::uint32_t n, time_point since) {
        machine_state& m = machines_[n];
        copy_state c = *std::exchange(m.gone, std::nullopt);
        c.is = condition::running;
        c.returned = true;
        c.since = since;
        c.heard_by = 0;
        m.older.push_back(c);
    }
    /// The one that came back is the one that is kept: it gets the volumes.
    void promote(std::uint32_t n) {
        machine_state& m = machines_[n];
        copy_state* const back = returned_copy(n);
        if (back == nullptr || m.now.has_power()) return;
        const copy_state before = m.now;
        const copy_state kept = *back;
        std::erase_if(m.older, [](const copy_state& c) { return c.returned; });
        if (watch_ != nullptr) watch_->attached(n, m, before, false);
        --hosts_[before.host].machines;
        ++hosts_[kept.host].machines;
        m.now = kept;
        m.now.returned = false;
        m.now.turn = before.turn + 1;
        m.now.boots = before.boots + 1;
        m.detached = 0;
        m.up = static_cast<std::uint8_t>((1U << m.how.processes) - 1U);
        if (watch_ == nullptr) return;
        watch_->started(n, m, m.now, invariant_monitor::cause::world);
        watch_->attached(n, m, m.now, true);
    }
    /// Its volumes are attached to nothing from now on, and the copy is gone.
    void detach(std::uint32_t n) {
        machine_state& m = machines_[n];
        m.detached = m.how.volumes;
        switch_off(n, m.now);
        if (watch_ != nullptr) watch_->attached(n, m, m.now, false);
    }
    void attach(std::uint32_t n) {
        machine_state& m = machines_[n];
        if (std::exchange(m.detached, std::uint8_t{0}) != 0 && watch_ != nullptr) watch_->attached(n, m, m.now, true);
    }
    /// A process is well again if its guest is.
    void start_process(std::uint32_t n, std::uint8_t process) noexcept {
        machines_[n].up = static_cast<std::uint8_t>(machines_[n].up | 1U << process);
    }
    void end_process(std::uint32_t n, std::uint8_t process) noexcept {
        machines_[n].up = static_cast<std::uint8_t>(machines_[n].up & ~(1U << process));
    }

private:
    void watch(std::uint32_t n, time_point now) {
        if (machines_[n].how.stateful && copies_with_power(n) > 1) note(world_violation::kind::second_copy, now, n);
    }

    fleet_plan plan_;
    std::vector<host_state> hosts_;
    std::vector<machine_state> machines_;
    std::vector<bool> broken_; ///< by stack
    truth_watch* watch_ = nullptr;
    std::vector<world_violation> violations_;
};

} // namespace reheat::inline REHEAT_ABI::sim
