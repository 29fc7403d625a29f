// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/sim/world_parts.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace policy_lab {

/// Instances that are like each other.
struct instance_group {
    std::string name;
    std::uint32_t instances = 1;
    std::uint32_t stacks = 1; ///< that they are spread over
    std::uint32_t services = 1;
    std::uint32_t volumes = 0;
    reheat::asset keep = reheat::asset::none;
    bool heals_itself = false;
    std::uint32_t priority = 0;
};

inline constexpr std::uint32_t most_hosts = 10'000;
inline constexpr std::uint32_t most_instances = 10'000;

/// A fleet as its owner would describe it: totals, not multiples.
struct fleet_shape {
    std::uint32_t hosts = 24;
    std::uint32_t racks = 6;
    std::uint32_t zones = 3;
    reheat::duration boot = std::chrono::seconds{60}; ///< from power-on to the first heartbeat
    std::vector<instance_group> groups{};
};

/// The fleet of the options: half of the instances keep a volume, all keep their addresses.
[[nodiscard]] std::vector<instance_group> plain_groups(std::uint32_t instances, std::uint32_t services,
                                                       std::uint32_t stacks);

/// Reads a fleet file, JSON. The error names the place.
[[nodiscard]] reheat::result<fleet_shape> read_fleet(const std::string& path);

/// As the simulator wants it. Errors: hosts that do not divide into racks, nothing to simulate, too much of it.
[[nodiscard]] reheat::result<reheat::sim::fleet_plan> plan_of(const fleet_shape& shape);

} // namespace policy_lab
