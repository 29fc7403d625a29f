// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// Things that an instance has, as a set of flags: what an operation loses, and what an instance must keep.
enum class asset : std::uint8_t {
    none = 0,
    memory = 1,            ///< what runs, and what it holds in RAM
    ephemeral_disk = 2,    ///< the root disk and every disk that dies with the machine
    volumes = 4,           ///< attached volumes
    fixed_addresses = 8,   ///< addresses in the tenant's network
    public_addresses = 16, ///< floating addresses
    identity = 32,         ///< the id by which the cloud knows it
};

[[nodiscard]] constexpr asset operator|(asset a, asset b) noexcept {
    return static_cast<asset>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
[[nodiscard]] constexpr asset operator&(asset a, asset b) noexcept {
    return static_cast<asset>(static_cast<std::uint8_t>(a) & static_cast<std::uint8_t>(b));
}

inline constexpr asset memory = asset::memory;
inline constexpr asset ephemeral_disk = asset::ephemeral_disk;
inline constexpr asset volumes = asset::volumes;
inline constexpr asset fixed_addresses = asset::fixed_addresses;
inline constexpr asset public_addresses = asset::public_addresses;
inline constexpr asset identity = asset::identity;

/// What an operation destroys when it goes as documented. No operation loses volumes or addresses: a driver that can
/// not keep them must refuse the call.
[[nodiscard]] constexpr asset loss_of(operation o) noexcept {
    switch (o) {
    case operation::reboot_instance:
    case operation::fence_instance:
    case operation::evacuate_instance: return asset::memory;
    case operation::rebuild_instance: return asset::memory | asset::ephemeral_disk;
    case operation::recreate_instance:
    case operation::converge_stack: return asset::memory | asset::ephemeral_disk | asset::identity;
    default: return asset::none;
    }
}

} // namespace reheat::inline REHEAT_ABI
