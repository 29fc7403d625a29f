// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>
#include <reheat/recovery/policy.hpp>
#include <reheat/sim/controller_lead.hpp>
#include <reheat/sim/fault_kind.hpp>
#include <reheat/sim/world_parts.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace reheat::inline REHEAT_ABI::sim {

/// What an operator does in a schedule.
struct operator_habits {
    duration reads_after = std::chrono::minutes{5}; ///< how long a page or a question lies unread
    std::uint8_t denies = 0;                        ///< of the questions, in percent
    std::uint8_t unparks = 0;                       ///< of the parked incidents, in percent
    std::uint8_t mends = 0;                         ///< of the other parked ones, by hand, in percent
    std::uint8_t maintains = 0; ///< how often in the time of faults a machine is put into maintenance
};

/// One simulated day, all of it: what there is, what goes wrong when, and by which policies it is recovered. The same
/// schedule gives the same run.
struct schedule {
    std::uint64_t seed = 0;
    fleet_plan fleet{};
    std::vector<policy> policies{}; ///< machines take them in turn
    engine_options options{};
    operator_habits people{};
    std::vector<planned_fault> faults{};    ///< in order of time
    duration storm = std::chrono::hours{6}; ///< the time of faults: none lasts longer
    duration calm = std::chrono::hours{24}; ///< after it, at most: everything has to be well or parked by then
    bool polls_status = false;              ///< the cloud is asked for each machine's status once a minute
    bool tells_dead_hosts = false;          ///< somebody makes sure of dead hosts and says so
    bool twins = false;                     ///< two controllers share a store of leases and journal, and one leads
    lead_plan lead{};                       ///< the lease, if there are two
    std::array<duration, 2> ahead{};        ///< how far each controller's clock is ahead, if there are two
    unsigned false_proofs = 0;              ///< of the fences, in percent: a mode of its own
};

/// One line for each part, for people.
[[nodiscard]] inline std::string to_text(const schedule& s) {
    std::string out = "schedule " + std::to_string(s.seed) + ": " + std::to_string(s.fleet.machines.size()) +
                      " machines, " + std::to_string(s.fleet.hosts()) + " hosts, " + std::to_string(s.fleet.zones) +
                      " zones, storm " + format_duration(s.storm) + (s.polls_status ? ", status polled" : "") +
                      (s.tells_dead_hosts ? ", dead hosts told" : "") +
                      (s.twins ? ", two controllers with a lease of " + format_duration(s.lead.ttl) : "") +
                      (s.false_proofs != 0 ? ", proofs lie" : "") + "\n";
    for (const policy& p : s.policies) {
        out += "  ladder";
        for (const rung& r : p.rungs()) {
            out += ' ' + std::string{to_string(r.what)} + '(' + std::to_string(r.burst.count);
            if (r.approval == consent::required) out += ", approval";
            out += ')';
        }
        out += '\n';
    }
    for (const planned_fault& f : s.faults) out += "  " + to_text(f) + '\n';
    return out;
}

} // namespace reheat::inline REHEAT_ABI::sim
