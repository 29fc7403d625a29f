// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/fault_kind.hpp>

#include "contestant.hpp"
#include "statistics.hpp"
#include "trial.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace policy_lab {

/// A number that each run has for itself, and what they say together.
struct figure {
    std::vector<double> by_run{};
    estimate all{};
};

/// How one policy did. A year is one of the whole fleet, unless it says of what.
struct standing {
    std::string name;
    std::string what;
    bool own = false;
    figure downtime{};                                     ///< minutes a year of a service
    figure stack_downtime{};                               ///< minutes a year of a stack: all of it has to serve
    figure pages{};                                        ///< a year
    figure actions{};                                      ///< a year
    figure needless{};                                     ///< a year
    figure disks{};                                        ///< ephemeral ones lost a year
    std::array<double, reheat::operation_count> calls{};   ///< a year, by rung
    std::array<double, reheat::operation_count> in_vain{}; ///< a year, by rung: the needless ones
    std::vector<double> outages{};                         ///< their lengths in seconds, sorted
    double identities = 0;                                 ///< lost a year
    std::uint64_t faults = 0;                              ///< that it met, in all
    std::uint64_t kept_lost = 0;                           ///< things that had to be kept and were lost, in all
    std::uint64_t volumes_left = 0;
    std::uint64_t second_copies = 0;
    std::uint64_t restless = 0; ///< runs that came to no rest
};

/// All of them, and what they went through.
struct comparison {
    experiment of{};
    std::uint32_t instances = 0;
    std::uint32_t services = 0;
    std::uint32_t stacks = 0;
    std::uint32_t runs = 0;
    double years = 0;
    std::array<std::uint64_t, reheat::sim::fault_kind_count> faults{};
    std::vector<standing> standings{}; ///< the first is what the others are compared with
    std::vector<std::string> broken{}; ///< promises that did not hold, with the policy and the run
};

[[nodiscard]] comparison compare(const experiment& of, const std::vector<contestant>& who,
                                 const std::vector<std::vector<trial>>& trials);

/// The share of the time that a downtime leaves.
[[nodiscard]] constexpr double availability(double minutes_a_year) noexcept {
    return 1 - minutes_a_year / (365.0 * 24 * 60);
}

/// What a driver is asked for by a ladder, in the order of its columns.
inline constexpr std::array rungs{reheat::operation::restart_service,   reheat::operation::reboot_instance,
                                  reheat::operation::rebuild_instance,  reheat::operation::evacuate_instance,
                                  reheat::operation::recreate_instance, reheat::operation::converge_stack,
                                  reheat::operation::fence_instance};

} // namespace policy_lab
