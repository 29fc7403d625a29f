// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>
#include <reheat/recovery/policy.hpp>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What has been spent: which action was taken on which target, and when. Targets that were never acted upon have no entry.
class ledger {
public:
    /// Notes an action. Entries too old for every budget are forgotten.
    void spend(target_id target, operation what, time_point at) {
        std::vector<entry>& spent = spent_[target];
        std::erase_if(spent, [at](const entry& e) { return at - e.at > longest; });
        spent.push_back({at, what});
    }

    /// Whether a budget has room for one more action of that kind on that target.
    [[nodiscard]] bool has_room(target_id target, operation what, const budget& b, time_point at) const {
        const auto found = spent_.find(target);
        std::uint32_t used = 0;
        if (found != spent_.end()) {
            for (const entry& e : found->second) used += e.what == what && at - e.at < b.within ? 1U : 0U;
        }
        return used < b.count;
    }

private:
    static constexpr duration longest = std::chrono::hours{24 * 31};
    struct entry {
        time_point at;
        operation what;
    };
    std::unordered_map<target_id, std::vector<entry>> spent_;
};

} // namespace reheat::inline REHEAT_ABI
