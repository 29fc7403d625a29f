// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/action/outcome.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What can break in the mock cloud. Each is cured by its own level of recovery, or a higher one.
enum class fault : std::uint8_t {
    service_dies,   ///< a process ends; a service restart cures it
    instance_hangs, ///< the guest freezes, its agent too; a reboot cures it
    instance_lost,  ///< its host loses power; re-creation cures it
    stack_breaks,   ///< something beside the instance is wrong; only converging the stack cures it
};

/// How a call to the mock cloud goes, instead of as usual.
struct mock_reply {
    enum class manner : std::uint8_t {
        later,     ///< the outcome comes after the latency
        at_once,   ///< the outcome comes inside the call
        abandoned, ///< the completion is destroyed uncalled
        silent,    ///< the outcome never comes
        twice,     ///< the completion is called two times
    };
    manner how = manner::later;
    outcome_code code = outcome_code::done;
    std::optional<duration> latency{};
    bool takes_effect = true; ///< for a code other than `done`: whether it happened all the same
    duration retry_after{};   ///< for a code other than `done`: how long the cloud asks to be left alone
    std::string only{};       ///< only for calls of that name; empty: any
    std::string method{};     ///< only for fences by that method; empty: any
};

/// One call that the mock cloud has seen.
struct mock_call {
    time_point at;
    operation what;
    op_id op;
    std::uint64_t key;
    epoch reign;
    std::string name;
    std::string method;
    bool hard = false;
};

/// How an instance is set up.
struct mock_setup {
    std::string stack{};
    std::vector<std::string> services{};
    std::vector<std::string> volumes{};
    duration boot_time = std::chrono::seconds{40};
    duration heartbeat_every = std::chrono::seconds{60};
    bool heartbeats = true; ///< off where real guests send their own
    std::string host{};     ///< where it runs; empty: nobody cares
    std::string rack{};
    std::string zone{};
    bool foreign = false; ///< somebody else's: it can be described, and every other call for it is refused
};

/// What is in the cloud, seen from outside.
struct mock_machine {
    enum class condition : std::uint8_t { absent, booting, running, hung, lost, off };
    std::string name;
    mock_setup how;
    condition is = condition::absent;
    bool broken = false; ///< by `fault::stack_breaks`
    std::uint32_t generation = 0;
    std::uint32_t boots = 0;
    std::vector<bool> service_up;
    time_point booted_at = never;
    time_point next_heartbeat = never;
    time_point watchdog_at = never; ///< it resets itself then, unless it is fed
    std::string address;
    std::uint32_t strays = 0; ///< older copies that still have power: the mistake that must never happen
    std::uint32_t roots = 0;  ///< how many root disks it has had

    [[nodiscard]] bool works() const noexcept { return is == condition::running && !broken; }
    [[nodiscard]] bool has_power() const noexcept {
        return is == condition::running || is == condition::booting || is == condition::hung;
    }
    /// How many copies run, seen from outside.
    [[nodiscard]] std::size_t copies() const noexcept { return (has_power() ? 1U : 0U) + strays; }
    /// Whether it works, and all its services do.
    [[nodiscard]] bool serves() const noexcept {
        for (const bool up : service_up) {
            if (!up) return false;
        }
        return works();
    }
    /// The id by which the cloud knows its newest copy, or an older one: copies count from 1.
    [[nodiscard]] std::string cloud_id() const { return cloud_id(generation); }
    [[nodiscard]] std::string cloud_id(std::uint32_t copy) const {
        return copy == 0 ? std::string{} : "vm-" + name + "-" + std::to_string(copy);
    }
    [[nodiscard]] std::string boot_id() const { return "boot-" + std::to_string(boots); }

    /// What the cloud says of it.
    [[nodiscard]] observed seen() const {
        observed s = state(generation != 0, has_power());
        s.cloud_id = cloud_id();
        s.boot_id = boot_id();
        s.address = address;
        s.host = how.host;
        return s;
    }
    [[nodiscard]] static observed state(bool exists, bool running) {
        observed s;
        s.exists = exists;
        s.running = running;
        return s;
    }

    void boot(time_point now) noexcept {
        is = condition::booting;
        booted_at = after(now, how.boot_time);
        watchdog_at = never;
    }
    void come_up(time_point now) {
        is = condition::running;
        ++boots;
        service_up.assign(service_up.size(), true);
        booted_at = never;
        next_heartbeat = now;
    }
    void switch_off() noexcept {
        if (is != condition::absent) is = condition::off;
        booted_at = watchdog_at = never;
        strays = 0;
    }
};

} // namespace reheat::inline REHEAT_ABI
