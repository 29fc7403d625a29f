// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/invariant_monitor.hpp>
#include <reheat/sim/sim_journal.hpp>
#include <reheat/sim/world_clock.hpp>
#include <reheat/sim/world_parts.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace reheat::inline REHEAT_ABI::sim {

[[nodiscard]] inline std::string cloud_id_of(std::uint32_t machine, const copy_state& c) {
    return "id-" + std::to_string(machine) + "-" + std::to_string(c.number);
}
[[nodiscard]] inline std::string name_of_volume(std::uint32_t machine, std::uint32_t n) {
    return "volume-" + std::to_string(machine) + "-" + std::to_string(n);
}

/// Tells an invariant monitor what really happens, at the times of the controller's clock. They never go back as long
/// as it runs; the next one begins with what its clock shows.
class truth_watch {
public:
    truth_watch(invariant_monitor& watch, world_time& time) noexcept : watch_{&watch}, time_{&time} {}

    [[nodiscard]] invariant_monitor& monitor() noexcept { return *watch_; }
    [[nodiscard]] time_point at() noexcept {
        if (frozen_ != never) return frozen_;
        return last_ = later(last_, time_->shown());
    }
    /// A controller starts.
    void begin() noexcept { last_ = (time_point::min)(); }
    /// Whom it watches stands still in the middle of a step: until it has told what it did, no time goes by for it.
    void freeze() noexcept { frozen_ = at(); }
    void thaw() noexcept { frozen_ = never; }

    void started(std::uint32_t n, const machine_state& m, const copy_state& c, invariant_monitor::cause by) {
        watch_->copy_started(m.target, cloud_id_of(n, c), at(), by);
    }
    void stopped(std::uint32_t n, const machine_state& m, const copy_state& c) {
        watch_->copy_stopped(m.target, cloud_id_of(n, c), at());
    }
    /// Where proofs lie volumes are torn from copies that run, as the lie would have it: that is counted by the copies.
    void leave_out_volumes() noexcept { volumes_ = false; }
    void attached(std::uint32_t n, const machine_state& m, const copy_state& c, bool on) {
        if (!volumes_) return;
        for (std::uint32_t v = 0; v < m.how.volumes; ++v) {
            if (on) watch_->volume_attached(name_of_volume(n, v), m.target, cloud_id_of(n, c), at());
            else watch_->volume_detached(name_of_volume(n, v), m.target, cloud_id_of(n, c), at());
        }
    }
    /// What is safe, also where nobody heard that it was appended: each record once, whoever wrote it.
    void journaled(const journal_disk& disk) {
        for (; journaled_ < disk.safe(); ++journaled_) watch_->recorded(disk.at(journaled_));
        watch_->durable(disk.durable());
    }
    void removed(const machine_state& m) { watch_->removed(m.target, at()); }

private:
    invariant_monitor* watch_;
    world_time* time_;
    time_point frozen_ = never;
    time_point last_ = (time_point::min)();
    std::size_t journaled_ = 0;
    bool volumes_ = true;
};

} // namespace reheat::inline REHEAT_ABI::sim
