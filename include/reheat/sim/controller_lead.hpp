// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/runner/campaign.hpp>
#include <reheat/sim/lease_store.hpp>
#include <reheat/sim/pause_gate.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace reheat::inline REHEAT_ABI::sim {

/// What several controllers of one world agree about.
struct lead_plan {
    duration ttl{};         ///< of the lease
    duration renew_every{}; ///< zero: as `campaign_options` has it
};

/// One controller's way to the store of leases, on which it may be held up.
class lease_way {
    template <class Request>
    auto ask(const Request& request) {
        gate_->pass_to_store();
        auto answer = request();
        gate_->pass_to_store();
        return answer;
    }

public:
    lease_way(mock_lease_store& to, pause_gate& gate) noexcept : link_{to}, gate_{&gate} {}

    void set(mock_lease_link::condition is) noexcept { link_.is = is; }
    result<epoch> acquire(std::string_view who, duration ttl) {
        return ask([&] { return link_.acquire(who, ttl); });
    }
    result<void> renew(epoch reign) {
        return ask([&] { return link_.renew(reign); });
    }
    result<void> release(epoch reign) {
        return ask([&] { return link_.release(reign); });
    }

private:
    mock_lease_link link_;
    pause_gate* gate_;
};

/// One controller's campaign in a simulated world: one after another, as each is for one lead. One thread at a time.
class controller_lead {
public:
    controller_lead(mock_lease_store& store, pause_gate& gate, std::string name, lead_plan how)
        : way_{store, gate}, options_{.name = std::move(name), .ttl = how.ttl, .renew_every = how.renew_every} {
        begin_anew();
    }
    controller_lead(const controller_lead&) = delete;
    controller_lead& operator=(const controller_lead&) = delete;

    [[nodiscard]] campaign<lease_way>& now() noexcept { return *campaign_; }
    [[nodiscard]] const campaign<lease_way>& now() const noexcept { return *campaign_; }
    [[nodiscard]] lease_way& way() noexcept { return way_; }
    void begin_anew() { campaign_.emplace(way_, options_); }

private:
    lease_way way_;
    campaign_options options_;
    std::optional<campaign<lease_way>> campaign_;
};

} // namespace reheat::inline REHEAT_ABI::sim
