// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/concepts.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// The set of operations that a driver can carry out.
class capabilities {
public:
    constexpr capabilities() noexcept = default;

    [[nodiscard]] constexpr bool has(operation o) const noexcept {
        return (bits_ >> static_cast<unsigned>(o) & 1U) != 0;
    }
    constexpr capabilities& add(operation o) noexcept {
        bits_ |= 1U << static_cast<unsigned>(o);
        return *this;
    }
    friend constexpr bool operator==(capabilities, capabilities) noexcept = default;

private:
    std::uint32_t bits_ = 0;
};

/// What a driver can do, for a ladder that is only known at run time. Paging needs no driver. The driver itself is
/// asked only if it `tells_capabilities` (`driver/forwarding.hpp`).
template <cloud_driver D>
[[nodiscard]] constexpr capabilities capabilities_of(const D* = nullptr) noexcept {
    capabilities c;
    c.add(operation::none).add(operation::describe).add(operation::page).add(operation::guest_restarts);
    if constexpr (creates_instances<D>) c.add(operation::create_instance);
    if constexpr (restarts_services<D>) c.add(operation::restart_service);
    if constexpr (reboots_instances<D>) c.add(operation::reboot_instance);
    if constexpr (rebuilds_instances<D>) c.add(operation::rebuild_instance);
    if constexpr (fences_instances<D>) c.add(operation::fence_instance);
    if constexpr (recreates_instances<D>) c.add(operation::recreate_instance);
    if constexpr (evacuates_instances<D>) c.add(operation::evacuate_instance);
    if constexpr (collects_forensics<D>) c.add(operation::collect_forensics);
    if constexpr (converges_stacks<D>) c.add(operation::converge_stack);
    return c;
}

} // namespace reheat::inline REHEAT_ABI
