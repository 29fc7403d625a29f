// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// Whether a target does its work. Unknown is neither up nor down.
enum class health : std::uint8_t { unknown, healthy, unhealthy };

[[nodiscard]] constexpr std::string_view to_string(health h) noexcept {
    constexpr std::array<std::string_view, 3> names{"unknown", "healthy", "unhealthy"};
    return names[static_cast<std::size_t>(h)];
}

/// The way by which an observation reached us.
enum class vantage : std::uint8_t { guest_heartbeat, driver_status, cloud_event, neighbour, operator_word };

inline constexpr std::size_t vantage_count = 5;

[[nodiscard]] constexpr std::string_view to_string(vantage v) noexcept {
    constexpr std::array<std::string_view, vantage_count> names{"guest_heartbeat", "driver_status", "cloud_event",
                                                                "neighbour", "operator_word"};
    return names[static_cast<std::size_t>(v)];
}

/// One reading of evidence about one target.
struct observation {
    target_id target = no_target;
    vantage from = vantage::driver_status;
    health seen = health::unknown;
    time_point at{};
    bool polled = false;           ///< one of a series: so many of the last ones have to agree, and they grow old
    target_id witness = no_target; ///< of a neighbour: the instance that looked
};

} // namespace reheat::inline REHEAT_ABI
