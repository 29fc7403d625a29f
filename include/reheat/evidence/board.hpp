// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/evidence/health.hpp>

namespace reheat::inline REHEAT_ABI {

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
