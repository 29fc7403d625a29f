// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// What a target is. A service runs on an instance, an instance is part of a stack.
enum class level : std::uint8_t { service, instance, stack };

[[nodiscard]] constexpr std::string_view to_string(level l) noexcept {
    constexpr std::array<std::string_view, 3> names{"service", "instance", "stack"};
    return names[static_cast<std::size_t>(l)];
}

/// The closed list of things that can be done to a cloud. Each is one function of a driver.
enum class operation : std::uint8_t {
    none,
    describe,          ///< read back what is; changes nothing
    create_instance,   ///< make an instance that has never been
    restart_service,   ///< restart a service in its guest
    reboot_instance,   ///< the same machine, the same disks, a new boot
    rebuild_instance,  ///< a fresh root disk under the same identity
    fence_instance,    ///< make certain that it does not run; nothing is deleted
    recreate_instance, ///< a new machine with the kept volumes and addresses; needs a proof of death
    evacuate_instance, ///< the same machine on another host; needs a proof of death
    converge_stack, ///< bring every resource of a stack to what its template says; needs proofs for what it re-creates
    page,           ///< call a human
    guest_restarts, ///< the guest heals itself and reports; nothing is called
    collect_forensics, ///< keep what a destructive action would destroy: a memory dump, a screenshot, a console log
};

inline constexpr std::size_t operation_count = 13;

[[nodiscard]] constexpr std::string_view to_string(operation o) noexcept {
    constexpr std::array<std::string_view, operation_count> names{"none",
                                                                  "describe",
                                                                  "create_instance",
                                                                  "restart_service",
                                                                  "reboot_instance",
                                                                  "rebuild_instance",
                                                                  "fence_instance",
                                                                  "recreate_instance",
                                                                  "evacuate_instance",
                                                                  "converge_stack",
                                                                  "page",
                                                                  "guest_restarts",
                                                                  "collect_forensics"};
    return names[static_cast<std::size_t>(o)];
}

/// The level of the target that an operation acts upon.
[[nodiscard]] constexpr level level_of(operation o) noexcept {
    switch (o) {
    case operation::restart_service:
    case operation::guest_restarts: return level::service;
    case operation::converge_stack: return level::stack;
    default: return level::instance;
    }
}

/// Whether an operation may start a second copy of something that still runs.
[[nodiscard]] constexpr bool needs_proof(operation o) noexcept {
    return o == operation::recreate_instance || o == operation::evacuate_instance || o == operation::converge_stack;
}

/// Whether an outcome that nobody knows must be read back before anything else is done to the target.
[[nodiscard]] constexpr bool is_destructive(operation o) noexcept {
    return needs_proof(o) || o == operation::rebuild_instance || o == operation::create_instance;
}

} // namespace reheat::inline REHEAT_ABI
