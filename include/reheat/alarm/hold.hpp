// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/state.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// The state of an alarm that waits before it is raised.
enum class hold_state : std::uint8_t { inactive, pending, firing };

[[nodiscard]] constexpr std::string_view to_string(hold_state s) noexcept {
    switch (s) {
    case hold_state::inactive: return "inactive";
    case hold_state::pending: return "pending";
    case hold_state::firing: return "firing";
    }
    return "unknown";
}

/// How the state of a held alarm reads to those that know three alarm states: one that waits is not raised yet.
[[nodiscard]] constexpr alarm_state to_alarm_state(hold_state s) noexcept {
    return s == hold_state::firing ? alarm_state::alarm : alarm_state::ok;
}

/// How long a condition must hold before the alarm is raised, and how long it must be gone before the alarm is cleared:
/// Prometheus's `for` and `keep_firing_for`, CloudWatch's `PendingPeriod` and `RecoveryPeriod`.
struct hold_rule {
    duration pending{};
    duration recovery{};

    friend constexpr bool operator==(const hold_rule&, const hold_rule&) = default;
};

/// Whether the periods are what CloudWatch takes, 0 to 86,400 s in whole seconds.
[[nodiscard]] inline result<void> validate(const hold_rule& rule) {
    const auto good = [](duration d) {
        return d >= duration::zero() && d <= std::chrono::days{1} && d % std::chrono::seconds{1} == duration::zero();
    };
    if (!good(rule.pending)) return error{errc::invalid_argument, "PendingPeriod", "expected 0 to 86400 whole seconds"};
    if (!good(rule.recovery))
        return error{errc::invalid_argument, "RecoveryPeriod", "expected 0 to 86400 whole seconds"};
    return {};
}

/// What a restart needs to know of an alarm that was active before it.
struct hold_outage {
    time_point active_at;   ///< since when it was active, as it was last stored
    time_point up_until;    ///< when it was stored last
    time_point restored_at; ///< now
};

/// How much of the waiting a restart keeps.
struct restore_policy {
    duration outage_tolerance = std::chrono::hours{1}; ///< after a longer outage nothing is kept
    duration grace = std::chrono::minutes{10};         ///< the least to wait after a restart
};

/// Since when an alarm counts as active after a restart, or nothing if what was before does not count: the outage was
/// too long, or the rule waits no longer than the grace period anyhow. The outage itself is not counted as waiting.
/// (Prometheus, `Group.RestoreForState`.)
[[nodiscard]] constexpr std::optional<time_point> restored_active_at(const hold_outage& outage, const hold_rule& rule,
                                                                     const restore_policy& policy = {}) noexcept {
    const duration down = outage.restored_at - outage.up_until;
    if (rule.pending < policy.grace || down > policy.outage_tolerance) return std::nullopt;
    const duration remaining = rule.pending - (outage.up_until - outage.active_at);
    if (remaining <= duration::zero()) return outage.active_at; // it was firing
    if (remaining < policy.grace) return outage.restored_at + policy.grace - rule.pending;
    return outage.active_at + down;
}

/// One alarm that waits before it is raised and before it is cleared. One evaluation without the condition ends the
/// waiting; while it is raised the condition may be gone for less than the recovery period. A rule may be changed at
/// any evaluation. 40 bytes, no allocation; one thread at a time.
///
///     if (held.evaluate(cpu > 90, now, {.pending = 5min}) == hold_state::firing && held.resend_due(now)) page();
class held_alarm {
public:
    /// The state after an evaluation at `now`, which does not go back.
    hold_state evaluate(bool active, time_point now, const hold_rule& rule) noexcept {
        if (!active) {
            if (state_ == hold_state::inactive) return state_;
            if (state_ == hold_state::firing && recovery_since_ == never) recovery_since_ = now;
            if (state_ == hold_state::pending || now - recovery_since_ >= rule.recovery) {
                resolved_at_ = state_ == hold_state::firing ? now : never;
                state_ = hold_state::inactive;
                return state_;
            }
        } else {
            recovery_since_ = never;
            if (state_ == hold_state::inactive) {
                *this = held_alarm{};
                state_ = hold_state::pending;
                active_at_ = now;
            }
        }
        if (now - active_at_ >= rule.pending) {
            state_ = hold_state::firing;
        } else if (state_ == hold_state::firing) { // the rule waits longer than it did
            state_ = hold_state::pending;
            recovery_since_ = never;
            sent_at_ = never;
        }
        return state_;
    }

    /// After a restart and its first evaluations: counts the waiting of before it.
    void restore(const hold_outage& outage, const hold_rule& rule, const restore_policy& policy = {}) noexcept {
        if (state_ == hold_state::inactive) return;
        if (const auto since = restored_active_at(outage, rule, policy)) active_at_ = *since;
    }

    [[nodiscard]] hold_state state() const noexcept { return state_; }
    /// Since when the condition holds; `never` while it does not.
    [[nodiscard]] time_point active_at() const noexcept { return state_ == hold_state::inactive ? never : active_at_; }

    /// Whether it is to be sent: raised or cleared and not sent since, or sent longer than `delay` ago. A cleared one
    /// is repeated until `retention` is over, so that a lost message does no harm.
    [[nodiscard]] bool resend_due(time_point now, duration delay = std::chrono::minutes{1},
                                  duration retention = std::chrono::minutes{15}) const noexcept {
        if (state_ == hold_state::pending || forgotten(now, retention)) return false;
        if (sent_at_ == never) return true;
        if (resolved_at_ != never && resolved_at_ > sent_at_) return true;
        return after(sent_at_, delay) < now;
    }
    void sent(time_point now) noexcept { sent_at_ = now; }

    /// Whether nothing is left to tell of it: it never fired, or was cleared longer than `retention` ago.
    [[nodiscard]] bool forgotten(time_point now, duration retention = std::chrono::minutes{15}) const noexcept {
        return state_ == hold_state::inactive && (resolved_at_ == never || after(resolved_at_, retention) < now);
    }

private:
    time_point active_at_ = never;
    time_point recovery_since_ = never;
    time_point resolved_at_ = never;
    time_point sent_at_ = never;
    hold_state state_ = hold_state::inactive;
};

/// Whether a rule may have that many pending and firing alarms; 0 or less is no limit. If not, the caller clears all of
/// them: what is above a limit is wrong as a whole.
[[nodiscard]] inline result<void> within_limit(std::int64_t limit, std::size_t alarms) {
    if (limit <= 0 || alarms <= static_cast<std::uint64_t>(limit)) return {};
    return error{errc::limit_exceeded,
                 {},
                 "exceeded limit of " + std::to_string(limit) + " with " + std::to_string(alarms) + " alerts"};
}

} // namespace reheat::inline REHEAT_ABI
