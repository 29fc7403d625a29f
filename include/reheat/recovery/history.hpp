// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>
#include <reheat/evidence/testimony.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What is remembered of a target's last recovery, so that the next failure is not its first. A target that never
/// failed has none.
struct recovery_memory {
    // of its own incidents
    incident_id incident = no_incident;
    policy_id rules{}; ///< whose rungs the bits below are of
    time_point closed_at = (time_point::min)();
    unsigned tries = 0;              ///< of its last rung, for the backoff of the next failure
    std::uint8_t tried = 0;          ///< bit n: rung n was tried the last time and did not help
    std::uint8_t useless = 0;        ///< bit n: nor the time before that
    std::vector<std::string> said{}; ///< by the driver, unless it recovered by what was done
    // of actions upon it: the last instance or stack action that helped, and on whose evidence it was taken
    operation helped = operation::none;
    vantage_set on_word_of{};
    time_point helped_at = (time_point::min)();
};

/// How far up an operation stands: a ladder that is changed under way goes on with the first rung above the last one.
[[nodiscard]] constexpr unsigned rank(operation o) noexcept {
    switch (o) {
    case operation::guest_restarts: return 1;
    case operation::restart_service: return 2;
    case operation::reboot_instance: return 3;
    case operation::rebuild_instance: return 4;
    case operation::recreate_instance: return 5;
    case operation::evacuate_instance: return 6;
    case operation::converge_stack: return 7;
    case operation::page: return 8;
    default: return 0;
    }
}

} // namespace reheat::inline REHEAT_ABI
