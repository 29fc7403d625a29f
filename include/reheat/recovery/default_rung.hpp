// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/recovery/ladder.hpp>

#include <optional>

namespace reheat::inline REHEAT_ABI {

/// The rung of an operation with the default numbers of its type; nothing for an operation that is no rung.
///
///     static_assert(default_rung(operation::reboot_instance)->burst.count == 2);
[[nodiscard]] constexpr std::optional<rung> default_rung(operation what) noexcept {
    const auto only = [](const auto& r) { return ladder{r}.lowered().rungs().front(); };
    switch (what) {
    case operation::restart_service: return only(restart_service{});
    case operation::guest_restarts: return only(guest_restarts{});
    case operation::reboot_instance: return only(reboot_instance{});
    case operation::rebuild_instance: return only(rebuild_instance{});
    case operation::recreate_instance: return only(recreate_instance{});
    case operation::evacuate_instance: return only(evacuate_instance{});
    case operation::converge_stack: return only(converge_stack{});
    case operation::page: return only(page{});
    default: return std::nullopt;
    }
}

} // namespace reheat::inline REHEAT_ABI
