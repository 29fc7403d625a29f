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

/// What the ledger books an action as: a reboot that only the hypervisor is asked for has its own budget, so that it
/// can be a rung above one that asks the guest.
[[nodiscard]] constexpr operation booked_as(const rung& r) noexcept {
    constexpr unsigned hard = 0x80;
    const bool apart = r.what == operation::reboot_instance && r.how == reboot_kind::hard;
    return apart ? static_cast<operation>(static_cast<unsigned>(r.what) | hard) : r.what;
}

/// What has been spent: which action was taken on which target, and when. Only targets that were acted upon have
/// entries.
class ledger {
public:
    /// Notes an action. The target's entries too old for every budget are forgotten.
    void spend(target_id target, operation what, time_point at) {
        const auto id = static_cast<std::size_t>(target);
        if (id >= account_of_.size()) account_of_.resize(id + 1);
        if (account_of_[id] == 0) {
            accounts_.emplace_back();
            account_of_[id] = static_cast<std::uint32_t>(accounts_.size());
        }
        std::vector<entry>& spent = accounts_[account_of_[id] - 1];
        if (!spent.empty() && at - spent.front().at > longest)
            std::erase_if(spent, [at](const entry& e) { return at - e.at > longest; });
        spent.push_back({what, at});
    }

    /// Forgets an action noted at that time, which was not taken after all.
    void take_back(target_id target, operation what, time_point at) {
        if (!has_account(target)) return;
        std::vector<entry>& spent = accounts_[account_of_[static_cast<std::size_t>(target)] - 1];
        for (std::size_t e = spent.size(); e-- > 0;) {
            if (spent[e].what != what || spent[e].at != at) continue;
            spent.erase(spent.begin() + static_cast<std::ptrdiff_t>(e));
            return;
        }
    }

    /// Whether a budget has room for one more action of that kind on that target.
    [[nodiscard]] bool has_room(target_id target, operation what, const budget& b, time_point at) const {
        return has_room(target, what, b, b, at);
    }
    /// Whether both budgets have.
    [[nodiscard]] bool has_room(target_id target, operation what, const budget& burst, const budget& sustained,
                                time_point at) const {
        std::uint32_t in_burst = 0;
        std::uint32_t in_sustained = 0;
        if (has_account(target)) {
            // In order of time: only the newest ones can count.
            const duration longer = burst.within < sustained.within ? sustained.within : burst.within;
            const std::vector<entry>& spent = accounts_[account_of_[static_cast<std::size_t>(target)] - 1];
            for (std::size_t e = spent.size(); e-- > 0;) {
                const duration age = at - spent[e].at;
                if (age >= longer) break;
                if (spent[e].what != what) continue;
                in_burst += age < burst.within ? 1U : 0U;
                in_sustained += age < sustained.within ? 1U : 0U;
            }
        }
        return in_burst < burst.count && in_sustained < sustained.count;
    }

private:
    static constexpr duration longest = std::chrono::hours{24 * 31};
    struct entry {
        operation what;
        time_point at;
    };

    [[nodiscard]] bool has_account(target_id target) const noexcept {
        const auto id = static_cast<std::size_t>(target);
        return id < account_of_.size() && account_of_[id] != 0;
    }

    std::vector<std::uint32_t> account_of_;    // by target, counted from 1; 0 is none
    std::vector<std::vector<entry>> accounts_; // each in order of time
};

} // namespace reheat::inline REHEAT_ABI
