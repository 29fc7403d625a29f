// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/share.hpp>
#include <reheat/core/time.hpp>
#include <reheat/evidence/silence.hpp>
#include <reheat/recovery/policy.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// Refuses all actions on a set of targets while too large a share of it is unhealthy: then it is not the targets that
/// are broken.
struct breaker_limits {
    share group{20, 1};                           ///< of the instances of a group
    share domain{30, 1};                          ///< of the instances of a rack or a zone
    std::uint32_t counted_from = 5;               ///< a smaller set has no breaker
    duration cooldown = std::chrono::seconds{60}; ///< below its limit for this long, and it closes

    friend constexpr bool operator==(const breaker_limits&, const breaker_limits&) = default;
};

/// A budget that several targets share; a count of 0 is no limit.
struct shared_budget {
    budget burst{0, std::chrono::hours{1}};
    budget sustained{0, std::chrono::hours{24}};

    [[nodiscard]] constexpr bool limits() const noexcept { return burst.count != 0 || sustained.count != 0; }
    friend constexpr bool operator==(const shared_budget&, const shared_budget&) = default;
};

/// What bounds the actions of an engine, whatever policies they come from: spent where the action is.
struct limits {
    breaker_limits breaker{};
    silence_limits silence{};
    share in_flight{5, 1};           ///< instance and stack actions that are not verified yet, of all instances
    share services_in_flight{5, 10}; ///< the same of service actions, of all services
    duration between = std::chrono::seconds{10};          ///< at least this from one instance action to the next
    duration start_hold = std::chrono::seconds{300};      ///< no destructive rung so long after a start or a new leader
    duration yield_to_higher = std::chrono::seconds{600}; ///< the longest wait for targets of higher priority
    shared_budget group{};                                ///< actions in one group
    shared_budget domain{};                               ///< actions in one rack or zone
    shared_budget all{};                                  ///< actions
    budget api{0, std::chrono::minutes{1}};               ///< calls of the driver, whatever they are for; 0: no limit

    friend constexpr bool operator==(const limits&, const limits&) = default;
};

} // namespace reheat::inline REHEAT_ABI
