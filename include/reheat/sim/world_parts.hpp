// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/loss.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reheat::inline REHEAT_ABI::sim {

inline constexpr std::size_t most_processes = 4;

/// A lease is good for so long from each renewal, and the watchdog has fired that much after it at the latest. It looks
/// once a minute, and fires somewhat before that. Without a lease that is good a machine does not boot by itself.
inline constexpr duration lease_length = std::chrono::seconds{240};
inline constexpr duration watchdog_length = std::chrono::seconds{60};
inline constexpr duration watchdog_fires = std::chrono::seconds{225};

/// One machine of a fleet, as it is set up.
struct machine_plan {
    std::uint32_t stack = 0;
    std::uint32_t host = 0;
    std::uint8_t processes = 1; ///< at most `most_processes`
    std::uint8_t volumes = 1;
    bool stateful = true;      ///< two running copies would be a disaster
    bool heals_itself = false; ///< its guest restarts a process that ended, and says so
    bool leased = false;       ///< it renews a lease with each beat; if nobody hears that, its watchdog switches it off
    asset keep = volumes_and_addresses;
    std::uint8_t priority = 0;

    static constexpr asset volumes_and_addresses = asset::volumes | asset::fixed_addresses;
};

/// A fleet: hosts in racks in zones, and machines on them. Hosts are numbered through the racks, racks through the
/// zones.
struct fleet_plan {
    std::uint32_t zones = 3;
    std::uint32_t racks_in_zone = 2;
    std::uint32_t hosts_in_rack = 2;
    std::uint32_t stacks = 4;
    std::uint32_t room = 16; ///< machines that a host takes
    duration boot_time = std::chrono::seconds{40};
    std::vector<machine_plan> machines;

    [[nodiscard]] std::uint32_t racks() const noexcept { return zones * racks_in_zone; }
    [[nodiscard]] std::uint32_t hosts() const noexcept { return racks() * hosts_in_rack; }
    [[nodiscard]] std::uint32_t rack_of(std::uint32_t host) const noexcept { return host / hosts_in_rack; }
    [[nodiscard]] std::uint32_t zone_of(std::uint32_t host) const noexcept { return rack_of(host) / racks_in_zone; }
};

[[nodiscard]] inline std::string name_of_machine(std::uint32_t n) { return "vm-" + std::to_string(n); }
[[nodiscard]] inline std::string name_of_process(std::uint32_t n) { return "p" + std::to_string(n); }
[[nodiscard]] inline std::string name_of_stack(std::uint32_t n) { return "stack-" + std::to_string(n); }
[[nodiscard]] inline std::string name_of_host(std::uint32_t n) { return "host-" + std::to_string(n); }
[[nodiscard]] inline std::string name_of_rack(std::uint32_t n) { return "rack-" + std::to_string(n); }
[[nodiscard]] inline std::string name_of_zone(std::uint32_t n) { return "zone-" + std::to_string(n); }

/// A host. What is wrong with it is counted, because faults overlap.
struct host_state {
    std::uint16_t no_power = 0;
    std::uint16_t no_board = 0; ///< its management board has no power
    std::uint16_t no_network = 0;
    std::uint16_t no_storage = 0;
    std::uint16_t unheard = 0;   ///< what its guests send gets lost
    std::uint16_t unmanaged = 0; ///< no call about it gets through
    std::uint32_t machines = 0;  ///< current copies that are on it
    bool told_dead = false;      ///< somebody told the controller that it is dead
};

/// How a copy of a machine is.
enum class condition : std::uint8_t {
    absent,
    booting,
    running,
    panicked, ///< it has power, and its system has ended
    frozen,   ///< it has power, and stands still
    off,      ///< it was switched off, and stays so
    lost,     ///< its host has no power; it boots with it
};

/// One copy of a machine: what an action may make a second of.
struct copy_state {
    std::uint32_t host = 0;
    std::uint32_t number = 1; ///< the cloud's id has it; counted from 1
    std::uint32_t boots = 0;
    std::uint32_t turn = 0; ///< what was planned for an earlier turn is void
    condition is = condition::absent;
    bool returned = false;       ///< it was replaced, and its host booted it all the same
    std::uint32_t heard_by = 0;  ///< the controller that heard of its return; 0: none
    time_point heard_at = never; ///< and when
    time_point since{};          ///< when it booted last, in the controller's time

    /// Whether it may be writing to its volumes.
    [[nodiscard]] bool has_power() const noexcept {
        return is == condition::booting || is == condition::running || is == condition::panicked ||
               is == condition::frozen;
    }
};

/// A machine: its newest copy, and those that should be no more.
struct machine_state {
    machine_plan how;
    copy_state now;
    std::vector<copy_state> older;    ///< only those that may still run
    std::uint32_t copies = 1;         ///< so many there have been
    std::optional<copy_state> gone{}; ///< the one that was replaced last; its host may still have it
    std::uint8_t up = 0;              ///< bit n: process n runs
    std::uint8_t detached = 0;        ///< volumes that are attached to nothing
    time_point renewed{};             ///< when its lease was, last, in the world's time
    std::uint16_t being_replaced = 0; ///< calls under way that will make a new copy
    target_id target = no_target;     ///< the controller's id
    std::array<target_id, most_processes> process{};
    std::array<watch_id, most_processes + 1> watch{}; ///< its own, then those of its processes
    duration phase{};                                 ///< when in the minute it beats

    [[nodiscard]] bool all_up() const noexcept { return up == (1U << how.processes) - 1U; }
};

/// What a controller's target is in the world.
struct world_place {
    enum class kind : std::uint8_t { nothing, process, machine, stack };
    kind is = kind::nothing;
    std::uint32_t machine = 0; ///< or the stack
    std::uint8_t process = 0;
};

} // namespace reheat::inline REHEAT_ABI::sim
