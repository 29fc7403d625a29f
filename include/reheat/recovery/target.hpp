// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/loss.hpp>
#include <reheat/core/ids.hpp>

#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// A set of instances that belong together.
struct stack {
    std::string_view name;
};

/// A machine. Names are copied when it is added.
struct instance {
    std::string_view name;
    std::string_view stack{}; ///< the name of its stack, made if there is none of that name; empty for none
    std::string_view host{};  ///< where it runs; host, rack and zone are its placement
    std::string_view rack{};
    std::string_view zone{};
    asset keep = asset::volumes | asset::fixed_addresses; ///< what no action may lose
    std::string_view cloud_id{};                          ///< the cloud's id, if it is known
    std::string_view group{};                             ///< a set of instances for limits; empty: its stack
    std::uint8_t priority = 0;                            ///< the more, the earlier it is recovered
};

/// A process on a machine, known to the guest's service manager by its name.
struct service {
    std::string_view name;
    target_id on = no_target;
    std::uint8_t priority = 0; ///< the more, the earlier it is recovered
};

} // namespace reheat::inline REHEAT_ABI
