// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>

#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// What an operator can say.
enum class operator_verb : std::uint8_t {
    approve,         ///< the rung that waits for approval may act
    deny,            ///< that rung is left behind
    confirm_dead,    ///< the instance certainly does not run: a proof of death, by a named person; or its creation,
                     ///< whose outcome was unknown, made nothing
    maintain,        ///< nothing is done to the target and what is below it, until then; needs a reason and an expiry
    end_maintenance, ///< its maintenance is over
    unpark,          ///< a parked incident tries its ladder again now
    freeze, ///< nothing is done to anything, or to the target and what is below it; needs a reason and an expiry
    thaw,   ///< the freeze is over
    trust,  ///< a proof of death turned out false, the cause is mended, and actions may go on; or a copy that returned
            ///< is seen to, and not fenced again
};

/// An operator's word, as an input of the engine. It needs a name (`who`), and is journaled.
struct operator_input {
    operator_verb what = operator_verb::approve;
    target_id target = no_target; ///< the incident's target, or the one acted upon; `no_target` for everything
    std::string_view who{};
    std::string_view reason{};
    time_point expires = never;
};

} // namespace reheat::inline REHEAT_ABI
