// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>

#include <array>
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

/// One reading of evidence about one target.
struct observation {
    target_id target = no_target;
    vantage from = vantage::driver_status;
    health seen = health::unknown;
    time_point at{};
};

/// The latest word of each vantage on one target. Unhealthy if any says so, else healthy if any says so.
class evidence_board {
public:
    constexpr void note(vantage from, health seen) noexcept { seen_[static_cast<std::size_t>(from)] = seen; }

    [[nodiscard]] constexpr health combined() const noexcept {
        health all = health::unknown;
        for (const health h : seen_) {
            if (h == health::unhealthy) return h;
            if (h == health::healthy) all = h;
        }
        return all;
    }

private:
    std::array<health, vantage_count> seen_{};
};

} // namespace reheat::inline REHEAT_ABI
