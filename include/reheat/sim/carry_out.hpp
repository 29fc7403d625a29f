// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/outcome.hpp>
#include <reheat/sim/api_weather.hpp>
#include <reheat/sim/ground_truth.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::sim {

/// A call on its way through the cloud.
struct cloud_call {
    operation what = operation::none;
    op_id op{};
    epoch reign{};
    target_id target = no_target;
    std::uint32_t controller = 0; ///< which one made it; those that ended hear nothing more
    world_place on{};
    std::uint32_t copy = 0;            ///< of a fence that means one copy only: its number
    bool by_outlet = false;            ///< of a fence: by a power outlet, which answers when the board does not
    std::vector<std::uint32_t> proved; ///< of a stack: the machines whose death is proved
    call_fate fate{};
    time_point deadline = never; ///< in the world's time
};

/// What operations do to the ground truth. One thread at a time.
class cloud_operations {
public:
    explicit cloud_operations(ground_truth& truth) noexcept : truth_{&truth} {}

    /// `boots(machine)` is called for each copy that begins to boot.
    template <class Boots>
    [[nodiscard]] outcome carry_out(const cloud_call& c, time_point now, bool room, const Boots& boots) {
        switch (c.on.is) {
        case world_place::kind::nothing: return outcome::refused("no such target");
        case world_place::kind::stack:
            return c.what == operation::converge_stack ? converge(c, now, room, boots)
                                                       : outcome::done(); // a description of a stack says nothing
        default: break;
        }
        const std::uint32_t n = c.on.machine;
        machine_state& m = truth_->machine(n);
        switch (c.what) {
        case operation::describe: {
            outcome said = outcome::done(describe(n, c.fate.lies_about_status));
            if (m.detached != 0) said.reason = detached_volumes(n);
            return said;
        }
        case operation::restart_service:
            if (!truth_->agent_answers(m.now)) return outcome::failed("the guest's agent does not answer");
            truth_->start_process(n, c.on.process);
            return outcome::done();
        case operation::reboot_instance:
        case operation::rebuild_instance:
            if (!manages(m.now)) return outcome::failed("its host does not answer");
            if (!m.now.has_power()) return outcome::failed("it does not run");
            truth_->boot(n, m.now, now, invariant_monitor::cause::call);
            boots(n);
            return outcome::done(describe(n, false));
        case operation::fence_instance: return fence(c, n);
        case operation::recreate_instance:
        case operation::evacuate_instance: return replace(c, n, now, room, boots);
        case operation::collect_forensics: return outcome::done();
        default: return outcome::refused("no such operation");
        }
    }

    /// What the cloud says of a machine.
    [[nodiscard]] observed describe(std::uint32_t n, bool lie) const {
        const copy_state& c = truth_->machine(n).now;
        observed seen;
        seen.exists = c.is != condition::absent;
        seen.running = c.has_power() != lie;
        seen.vouched = !lie && manages(c);
        seen.cloud_id = cloud_id_of(n, c);
        seen.boot_id = "boot-" + std::to_string(c.boots);
        seen.host = name_of_host(c.host);
        return seen;
    }

private:
    [[nodiscard]] std::string detached_volumes(std::uint32_t n) const {
        std::string text = "detached:";
        for (std::uint32_t v = 0; v < truth_->machine(n).how.volumes; ++v) text += ' ' + name_of_volume(n, v);
        return text;
    }
    [[nodiscard]] bool manages(const copy_state& c) const noexcept {
        const host_state& h = truth_->host(c.host);
        return h.no_power == 0 && h.unmanaged == 0;
    }
    [[nodiscard]] bool can_fence(const copy_state& c, bool by_outlet) const noexcept {
        const host_state& h = truth_->host(c.host);
        return h.unmanaged == 0 && (by_outlet || h.no_board == 0);
    }

    outcome fence(const cloud_call& c, std::uint32_t n) {
        machine_state& m = truth_->machine(n);
        if (c.fate.false_proof) return outcome::done();
        const auto meant = [&c](const copy_state& copy) { return c.copy == 0 || copy.number == c.copy; };
        const auto every = [&](const auto& what) {
            bool all = !meant(m.now) || what(m.now);
            for (copy_state& old : m.older) all = (!meant(old) || what(old)) && all;
            return all;
        };
        if (!every([&](const copy_state& copy) { return can_fence(copy, c.by_outlet); }))
            return outcome::failed("its board does not answer");
        static_cast<void>(every([&](copy_state& copy) {
            truth_->switch_off(n, copy);
            return true;
        }));
        std::erase_if(m.older, [](const copy_state& old) { return !old.has_power() && old.is != condition::lost; });
        truth_->promote(n);
        return outcome::done();
    }

    template <class Boots>
    outcome replace(const cloud_call& c, std::uint32_t n, time_point now, bool room, const Boots& boots) {
        machine_state& m = truth_->machine(n);
        const auto to =
            room ? truth_->fit_host(truth_->plan().zone_of(m.how.host), m.now.host) : std::optional<std::uint32_t>{};
        if (!to) return outcome::refused("no host has room");
        if (c.fate.half && !m.now.has_power()) {
            truth_->detach(n);
            return outcome::unknown("the old copy is gone, no new one is made; " + detached_volumes(n));
        }
        const bool moved = c.what == operation::evacuate_instance;
        truth_->replace(n, *to, moved, now);
        // What was moved under its own id is dropped by the host that is back: nobody could tell the two apart.
        if (moved) truth_->machine(n).gone.reset();
        boots(n);
        return outcome::done(describe(n, false));
    }

    template <class Boots>
    outcome converge(const cloud_call& c, time_point now, bool room, const Boots& boots) {
        truth_->break_stack(c.on.machine, false);
        bool all = true;
        for (std::uint32_t n = 0; n < truth_->machines().size(); ++n) {
            machine_state& m = truth_->machine(n);
            if (m.how.stack != c.on.machine) continue;
            if (std::find(c.proved.begin(), c.proved.end(), n) != c.proved.end()) {
                const auto to = room ? truth_->fit_host(truth_->plan().zone_of(m.how.host), m.now.host)
                                     : std::optional<std::uint32_t>{};
                all = all && to;
                if (!to) continue;
                truth_->replace(n, *to, false, now);
                boots(n);
            } else if (truth_->agent_answers(m.now)) {
                for (std::uint8_t p = 0; p < m.how.processes; ++p) truth_->start_process(n, p);
            }
        }
        return all ? outcome::done() : outcome::unknown("no host has room for all");
    }

    ground_truth* truth_;
};

} // namespace reheat::inline REHEAT_ABI::sim
