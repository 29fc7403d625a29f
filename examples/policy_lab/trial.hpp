// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/sim/truth_meter.hpp>

#include "contestant.hpp"
#include "fault_rates.hpp"
#include "fleet.hpp"
#include "statistics.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace policy_lab {

/// What is simulated, for each contestant alike.
struct experiment {
    fleet_shape fleet{};
    fault_rates rates{};
    std::uint32_t days = 1000;
    std::uint64_t seed = 1;
    reheat::duration human{}; ///< until somebody comes when paged
    bool host_monitor = true; ///< somebody makes sure of dead hosts and says so
};

/// The days are cut into runs that know nothing of each other: their spread says how much is chance, and they can be
/// simulated at once. As equal as can be, of at most 20 days, and at least 50 if there are days enough.
[[nodiscard]] std::vector<std::uint32_t> runs_of(std::uint32_t days);

/// Seeds of different experiments have nothing to do with each other.
[[nodiscard]] std::uint64_t seed_of(const experiment& what, std::size_t run) noexcept;

/// What one policy made of one run.
struct trial {
    std::uint32_t days = 0;
    double service_downtime = 0;      ///< seconds, summed over the services, within the days
    double stack_downtime = 0;        ///< seconds in which something in a stack was down, summed over the stacks
    std::vector<double> recoveries{}; ///< the length of each outage that ended, in seconds
    std::uint64_t faults = 0;
    std::array<std::uint64_t, reheat::operation_count> calls{};
    std::array<std::uint64_t, reheat::operation_count> needless{};
    reheat::sim::losses lost{};
    std::uint64_t volumes_left = 0; ///< detached, at the end
    std::uint64_t pages = 0;
    std::uint64_t second_copies = 0;
    bool restless = false; ///< two days after the last fault something was still being tried, and nobody was called
    std::string broken{};  ///< the first promise that did not hold, in a sentence
};

/// Every contestant through every run: `[contestant][run]`. Shows how far it is on stderr, if that is a terminal.
[[nodiscard]] std::vector<std::vector<trial>> run_all(const experiment& what, const std::vector<contestant>& who,
                                                      unsigned jobs);

} // namespace policy_lab
