// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>
#include <reheat/recovery/policy.hpp>

#include <cstddef>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// When something that is shared was spent. What no budget asks for any more is forgotten.
class spending {
public:
    /// Notes one, and forgets those older than `longest`.
    void spend(time_point at, duration longest) {
        std::erase_if(at_, [&](time_point t) { return at - t >= longest; });
        at_.push_back(at);
    }
    /// Forgets one noted at that time.
    void take_back(time_point at) noexcept {
        for (std::size_t n = at_.size(); n-- > 0;) {
            if (at_[n] != at) continue;
            at_.erase(at_.begin() + static_cast<std::ptrdiff_t>(n));
            return;
        }
    }
    /// When a budget has room for one more: `now` or before, or a later time. A count of 0 is no limit.
    [[nodiscard]] time_point room_at(const budget& b, time_point now) const noexcept {
        if (b.count == 0) return now;
        // The count-th newest has to leave the window first.
        if (at_.size() < b.count) return now;
        return later(now, after(at_[at_.size() - b.count], b.within));
    }

private:
    std::vector<time_point> at_; // in order
};

} // namespace reheat::inline REHEAT_ABI
