// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// What a target with only one vantage may have done to it before a fence or a destructive rung, for which two
/// independent ones are asked otherwise.
enum class single_vantage : std::uint8_t {
    fence_first, ///< a fence, and with its proof what needs one
    wait,        ///< nothing, until a second vantage or an operator speaks
    act,         ///< what two vantages would allow
};

/// How much evidence the actions of a policy need.
struct evidence_rules {
    std::uint8_t polls = 10;          ///< how many of the last polled observations of one vantage are looked at
    std::uint8_t unhealthy_polls = 7; ///< and how many of them have to say unhealthy
    std::uint8_t vantages = 2;        ///< independent ones that agree, before a fence or a destructive rung
    single_vantage alone = single_vantage::fence_first;
    duration max_age = std::chrono::minutes{5}; ///< a polled observation older than this says nothing any more

    friend constexpr bool operator==(const evidence_rules&, const evidence_rules&) = default;
};

} // namespace reheat::inline REHEAT_ABI
