// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>
#include <reheat/recovery/policy.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What has been spent: which action was taken on which target, and when. Only targets that were acted upon have
/// entries.
class ledger {
public:
    /// Notes an action. Entries too old for every budget are forgotten.
    void spend(target_id target, operation what, time_point at) {
        std::erase_if(spent_, [at](const entry& e) { return at - e.at > longest; });
        spent_.insert(spent_.begin() + first_of(target), {target, what, at});
    }

    /// Forgets an action noted at that time, which was not taken after all.
    void take_back(target_id target, operation what, time_point at) {
        for (auto e = spent_.begin() + first_of(target); e != spent_.end() && e->target == target; ++e) {
            if (e->what != what || e->at != at) continue;
            spent_.erase(e);
            return;
        }
    }

    /// Whether a budget has room for one more action of that kind on that target.
    [[nodiscard]] bool has_room(target_id target, operation what, const budget& b, time_point at) const {
        std::uint32_t used = 0;
        for (auto e = spent_.begin() + first_of(target); e != spent_.end() && e->target == target; ++e)
            used += e->what == what && at - e->at < b.within ? 1U : 0U;
        return used < b.count;
    }

private:
    static constexpr duration longest = std::chrono::hours{24 * 31};
    struct entry {
        target_id target;
        operation what;
        time_point at;
    };

    [[nodiscard]] std::ptrdiff_t first_of(target_id target) const noexcept {
        std::ptrdiff_t low = 0;
        std::ptrdiff_t high = static_cast<std::ptrdiff_t>(spent_.size());
        while (low < high) {
            const std::ptrdiff_t middle = low + (high - low) / 2;
            if (spent_[static_cast<std::size_t>(middle)].target < target) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    std::vector<entry> spent_; // by target
};

} // namespace reheat::inline REHEAT_ABI
