// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/proof_of_death.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/sort.hpp>
#include <reheat/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// The lease that an instance holds as long as it may run: its watchdog resets the machine if the lease is not renewed.
/// It is counted by the time source, which must not jump forward: `system_time` goes on with the steady clock.
struct lease {
    target_id target = no_target; ///< an instance
    time_point until{};           ///< as last renewed
    duration watchdog{};          ///< how long after `until` the watchdog has fired at the latest
    bool tied = false;            ///< whether that watchdog is fed by renewing this very lease; else it proves nothing
};

/// Time that clocks and watchdogs may be off by, before a lease that ran out is a proof.
inline constexpr duration lease_margin = std::chrono::seconds{30};

/// What is known to be dead without a fence: by an operator's word, or by a lease that ran out. Few at a time.
class death_book {
public:
    /// A named operator says that an instance does not run, and may be believed until then.
    void confirm(target_id target, time_point until) {
        withdraw(target);
        confirmed_.push_back({target, until});
    }
    void withdraw(target_id target) {
        std::erase_if(confirmed_, [target](const confirmation& c) { return c.target == target; });
    }
    /// Renewals may come late and out of order: only a later end counts.
    void renew(const lease& l) {
        const std::size_t at = place_of(l.target);
        if (at == leases_.size() || leases_[at].of.target != l.target)
            leases_.insert(leases_.begin() + static_cast<std::ptrdiff_t>(at), held{l, true});
        else if (leases_[at].of.until < l.until) leases_[at] = {l, true};
        else if (!l.tied) leases_[at].of.tied = false; // it never proves what it did not promise
    }
    /// The observer doubts itself: renewals may lie unread. From `now` on every lease has its whole time again.
    void doubt(time_point now) noexcept { doubted_at_ = later(doubted_at_, now); }
    /// Until when an operator's word that a target is dead is good; `never` without one.
    [[nodiscard]] time_point confirmed_until(target_id target) const noexcept {
        for (const confirmation& c : confirmed_) {
            if (c.target == target) return c.until;
        }
        return never;
    }
    /// By what a target is proved dead at a time, if it is. A confirmation comes before a lease.
    [[nodiscard]] std::optional<proof_kind> dead(target_id target, time_point now) const noexcept {
        for (const confirmation& c : confirmed_) {
            if (c.target == target && now < c.until) return proof_kind::confirmed;
        }
        if (lease_over(target) <= now) return proof_kind::lease_expired;
        return std::nullopt;
    }
    /// When a target's lease will prove that it is dead; `never` without one, or if its watchdog is not tied to it.
    [[nodiscard]] time_point lease_over(target_id target) const noexcept {
        const std::size_t at = place_of(target);
        if (at == leases_.size() || leases_[at].of.target != target) return never;
        const held& l = leases_[at];
        if (!l.by_this_copy || !l.of.tied) return never;
        return after(after(later(l.of.until, doubted_at_), l.of.watchdog), lease_margin);
    }
    /// A new copy is about to start: what was known of the old one says nothing of it, and no late renewal does.
    void forget(target_id target) {
        withdraw(target);
        const std::size_t at = place_of(target);
        if (at < leases_.size() && leases_[at].of.target == target) leases_[at].by_this_copy = false;
    }

private:
    struct confirmation {
        target_id target;
        time_point until;
    };

    std::vector<confirmation> confirmed_;
    struct held {
        lease of;
        bool by_this_copy; ///< else only its end is remembered
    };

    [[nodiscard]] std::size_t place_of(target_id target) const noexcept {
        return detail::place_of(target, leases_, [](const held& h) { return h.of.target; });
    }

    std::vector<held> leases_; // by target
    time_point doubted_at_ = (time_point::min)();
};

/// A copy that was proved dead and replaced. It must not be heard of again.
struct grave {
    target_id target = no_target;
    incident_id incident = no_incident;
    proof_kind proof{};
    time_point died_at{}; ///< when the proof was spent
    std::string cloud_id{};
    std::string host{};
    bool moved = false;                       ///< its successor has the same id, on another host
    time_point seen_at = (time_point::min)(); ///< running again
};

/// A machine that is seen running, by an observer that can tell copies apart.
struct copy_sighting {
    target_id target = no_target;
    std::string_view cloud_id{};
    std::string_view host{};
    time_point running_since{}; ///< of this boot, by the engine's time: a clock that is behind makes a proof look false
};

} // namespace reheat::inline REHEAT_ABI
