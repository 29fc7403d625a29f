// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>

#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// What a driver is told of the operation it is to carry out. The views are valid until the function returns: copy what
/// is needed later.
struct request {
    op_id op{};
    std::uint64_t key = 0; ///< idempotency key: equal for a repeat of the same intent, and for nothing else
    epoch reign{};         ///< refuse a call whose epoch is smaller than one seen before
    operation what = operation::none;
    target_id target = no_target;
    std::string_view name;       ///< the target's name
    std::string_view cloud_id;   ///< the cloud's id of the instance, as last observed; empty if never
    std::string_view service;    ///< the service to restart; empty for every other operation
    std::string_view instance;   ///< the name of the instance: the target itself, or the one the service runs on
    std::string_view stack;      ///< the name of its stack; empty if it has none
    std::string_view method;     ///< of a fence: the policy's name of the way to do it; empty for the driver's own
    bool hard = false;           ///< of a reboot: by the hypervisor, without asking the guest
    bool replaced = false;       ///< of a fence: only the copy of that cloud id, which has been replaced; otherwise
                                 ///< whatever runs under the name, also where the cloud id is an old one
    time_point deadline = never; ///< past it the engine takes the outcome for unknown and reads back
};

} // namespace reheat::inline REHEAT_ABI
