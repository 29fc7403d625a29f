// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/loss.hpp>
#include <reheat/action/operation.hpp>
#include <reheat/action/outcome.hpp>
#include <reheat/core/time.hpp>
#include <reheat/sim/carry_out.hpp>
#include <reheat/sim/ground_truth.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace reheat::inline REHEAT_ABI::sim {

/// A time in which one process of a machine did not serve; of a machine without processes, the machine itself.
struct outage {
    std::uint32_t machine = 0;
    std::uint8_t process = 0;
    time_point from{};
    time_point to = never; ///< never: it is not over

    [[nodiscard]] bool over() const noexcept { return to != never; }
};

/// Things of machines that were lost by what a controller did, by kind; not what faults destroyed.
struct losses {
    std::uint64_t ephemeral_disks = 0;
    std::uint64_t identities = 0;
    std::uint64_t to_keep = 0; ///< of these and of memories, those that had to be kept
};

/// Measures by the ground truth what a user of the fleet feels: when something did not serve, what was done to it, and
/// whether that was needed. A world tells it (`world::measure`) of every change. It serves who runs, whose stack is not
/// broken, and whose host has its storage and its network; whether the controller hears of it is another matter. All
/// times are the world's. One thread at a time.
///
///     sim::truth_meter meter;
///     world.measure(&meter);
///     ...
///     for (const sim::outage& o : meter.outages()) total += (o.over() ? o.to : end) - o.from;
class truth_meter {
public:
    /// In the order in which they began.
    [[nodiscard]] std::span<const outage> outages() const noexcept { return outages_; }
    /// So many calls of that operation were made; fences and forensics are operations too.
    [[nodiscard]] std::uint64_t calls(operation o) const noexcept { return calls_[static_cast<std::size_t>(o)]; }
    /// So many of them on a target that served, all of it, when the call was made. A fence of a machine that serves is
    /// counted, and what follows upon it is not: by then it does not.
    [[nodiscard]] std::uint64_t needless(operation o) const noexcept { return needless_[static_cast<std::size_t>(o)]; }
    [[nodiscard]] const losses& lost() const noexcept { return lost_; }

    /// Whether a process of a machine serves.
    [[nodiscard]] static bool serves(const ground_truth& truth, std::uint32_t n, std::uint8_t process) noexcept {
        return (down(truth, n) >> process & 1U) == 0;
    }
    /// Whether all of it serves: a process, a machine with its processes, a stack with its machines.
    [[nodiscard]] static bool serves(const ground_truth& truth, world_place at) noexcept {
        switch (at.is) {
        case world_place::kind::nothing: return false;
        case world_place::kind::process: return serves(truth, at.machine, at.process);
        case world_place::kind::machine: return down(truth, at.machine) == 0;
        case world_place::kind::stack: break;
        }
        for (std::uint32_t n = 0; n < truth.machines().size(); ++n) {
            if (truth.machine(n).how.stack == at.machine && down(truth, n) != 0) return false;
        }
        return !truth.stack_is_broken(at.machine);
    }

    // What a world tells

    /// Something may have changed.
    void look(const ground_truth& truth, time_point now) {
        if (seen_.size() != truth.machines().size()) begin(truth);
        for (std::uint32_t n = 0; n < seen_.size(); ++n) {
            const std::uint8_t is = down(truth, n);
            last& was = seen_[n];
            for (std::uint8_t p = 0; is != was.down && p < most_processes; ++p) {
                const bool ended = (was.down >> p & 1U) != 0;
                if (((is ^ was.down) >> p & 1U) == 0) continue;
                if (ended) {
                    outages_[was.open[p]].to = now;
                } else {
                    was.open[p] = outages_.size();
                    outages_.push_back({n, p, now, never});
                }
            }
            was.down = is;
            const machine_state& m = truth.machine(n);
            // Only a re-creation makes another one of it, be it alone or with its stack.
            if (m.now.number != was.number) lose(m, loss_of(operation::recreate_instance));
            was.number = m.now.number;
        }
    }
    /// A call was made.
    void called(operation what, world_place on, const ground_truth& truth) noexcept {
        const auto o = static_cast<std::size_t>(what);
        ++calls_[o];
        const bool acts = what != operation::describe && what != operation::collect_forensics;
        if (acts && serves(truth, on)) ++needless_[o];
    }
    /// The cloud did what was asked for; `result` is the truth.
    void carried_out(const cloud_call& c, const outcome& result, const ground_truth& truth) noexcept {
        const bool same_one = c.what == operation::reboot_instance || c.what == operation::rebuild_instance ||
                              c.what == operation::evacuate_instance;
        if (same_one && result.code == outcome_code::done) lose(truth.machine(c.on.machine), loss_of(c.what));
    }

private:
    struct last {
        std::uint8_t down = 0;
        std::uint32_t number = 0;
        std::array<std::size_t, most_processes> open{}; ///< in `outages_`
    };

    /// Bit n: process n does not serve.
    [[nodiscard]] static std::uint8_t down(const ground_truth& truth, std::uint32_t n) noexcept {
        const machine_state& m = truth.machine(n);
        const unsigned all = (1U << m.how.processes) - 1U;
        const unsigned any = all == 0 ? 1U : all;
        const bool serves = truth.works(n) && truth.host(m.now.host).no_network == 0;
        return static_cast<std::uint8_t>(serves ? all & ~m.up : any);
    }
    void begin(const ground_truth& truth) {
        seen_.resize(truth.machines().size());
        for (std::uint32_t n = 0; n < seen_.size(); ++n) seen_[n].number = truth.machine(n).now.number;
    }
    void lose(const machine_state& m, asset what) noexcept {
        const auto has = [](asset all, asset one) { return (all & one) != asset::none; };
        lost_.ephemeral_disks += has(what, ephemeral_disk) ? 1U : 0U;
        lost_.identities += has(what, identity) ? 1U : 0U;
        lost_.to_keep += has(what, m.how.keep) ? 1U : 0U;
    }

    std::vector<last> seen_;
    std::vector<outage> outages_;
    std::array<std::uint64_t, operation_count> calls_{};
    std::array<std::uint64_t, operation_count> needless_{};
    losses lost_{};
};

} // namespace reheat::inline REHEAT_ABI::sim
