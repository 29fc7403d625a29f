// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/ids.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// A store that gives one lease to one holder at a time and counts its seconds by its own clock, as etcd does.
/// `acquire`: an epoch larger than any before; `errc::already_exists` if somebody has the lease. `renew`: the lease
/// runs for its whole time again; `errc::not_found` if it is over, which is certain. `release` gives it back. Any other
/// error: nobody can tell whether it happened. They may block, but not for long.
template <class S>
concept lease_store = requires(S& store, std::string_view who, duration ttl, epoch reign) {
    { store.acquire(who, ttl) } -> std::same_as<result<epoch>>;
    { store.renew(reign) } -> std::same_as<result<void>>;
    { store.release(reign) } -> std::same_as<result<void>>;
};

/// Numbers of a campaign.
struct campaign_options {
    std::string name{};     ///< who campaigns, for others to read
    duration ttl{};         ///< of the lease; see `shortest_lease`
    duration renew_every{}; ///< zero: a third of `ttl`, at most 10 s, so that the lease is nearly whole at any time
    duration retry_every = std::chrono::seconds{2}; ///< while another one leads, or the store does not answer
};

/// Campaigns for a lease, renews it once it has it, until it is lost or given back: a `leadership`. What the lease is
/// good for is counted from before each request, by the controller's own clock, so that only the two clocks' speeds
/// have to agree, and only for the time of one lease. It refers to the store. One thread at a time.
///
///     campaign lead{store, {.name = "a", .ttl = 60s}};
///     while (!lead.leads()) sleep_until(lead.poll(time.now()));
template <lease_store Store>
class campaign {
public:
    campaign(Store& store, campaign_options options) : store_{&store}, options_{std::move(options)} {
        constexpr duration shortest_pause = std::chrono::milliseconds{1}; // or it would ask without end
        if (options_.renew_every <= duration::zero())
            options_.renew_every = (std::min)(options_.ttl / 3, duration{std::chrono::seconds{10}});
        options_.renew_every = (std::max)(options_.renew_every, shortest_pause);
        options_.retry_every = (std::max)(options_.retry_every, shortest_pause);
    }

    /// Campaigns or renews when that is due; says when to come back, `never` once the lead is lost.
    time_point poll(time_point now) {
        if (!lost_ && now >= due_) due_ = leads() ? renew(now) : acquire(now);
        return lost_ ? never : due_;
    }
    /// Gives the lead back at once. First `pipeline::lost_lead`, then poll until no call is `under_way`: the next
    /// leader may begin now.
    void resign() {
        if (std::exchange(lost_, true) || !leads()) return;
        until_ = (time_point::min)();
        static_cast<void>(store_->release(reign_)); // if it did not get there, the lease runs out
    }

    /// Whether it has the lease, as far as it knows; `until` says up to when nobody else can have it.
    [[nodiscard]] bool leads() const noexcept { return until_ != (time_point::min)(); }
    [[nodiscard]] epoch reign() const noexcept { return reign_; }
    [[nodiscard]] time_point until() const noexcept { return until_; }
    [[nodiscard]] bool lost() const noexcept { return lost_; }

private:
    time_point acquire(time_point now) {
        const result<epoch> got = store_->acquire(options_.name, options_.ttl);
        if (!got) return after(now, options_.retry_every);
        reign_ = *got;
        until_ = after(now, options_.ttl);
        return after(now, options_.renew_every);
    }
    time_point renew(time_point now) {
        const result<void> renewed = store_->renew(reign_);
        if (renewed) {
            until_ = after(now, options_.ttl);
            return after(now, options_.renew_every);
        }
        // Over by its own count: who went on asking might renew it without hearing so, and nobody would lead.
        if (renewed.error().code == errc::not_found || now >= until_) {
            lost_ = true;
            until_ = (time_point::min)();
        }
        return after(now, options_.retry_every);
    }

    Store* store_;
    campaign_options options_;
    epoch reign_{};
    time_point until_ = (time_point::min)();
    time_point due_ = (time_point::min)();
    bool lost_ = false;
};

} // namespace reheat::inline REHEAT_ABI
