// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/aws_names.hpp>
#include <reheat/alarm/state.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>

#include <cstdint>
#include <optional>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// How long a composite alarm's actions wait for its suppressor. The names are CloudWatch's; it advises 60 s for both,
/// because metric alarms are evaluated every minute.
struct suppression_periods {
    duration wait{};      ///< after a transition, for the suppressor to enter ALARM
    duration extension{}; ///< after the suppressor has left ALARM, for the composite alarm to follow
};

/// Whether the periods are inside their bounds; the error says which is not.
[[nodiscard]] inline result<void> validate(const suppression_periods& periods) {
    if (periods.wait < duration::zero()) return error{errc::invalid_argument, "wait", "expected no negative duration"};
    if (periods.extension < duration::zero())
        return error{errc::invalid_argument, "extension", "expected no negative duration"};
    return {};
}

/// The actions of a composite alarm for this state are due.
struct due_action {
    alarm_state state;
    time_point at; ///< the end of what held them back

    friend constexpr bool operator==(const due_action&, const due_action&) noexcept = default;
};

/// When a composite alarm that has a suppressor may act. Sans I/O: it is told transitions and time, and answers which
/// actions are due. One thread at a time.
///
/// A transition makes an action pending and starts the wait. While the suppressor is in ALARM nothing runs and nothing
/// is due; when it leaves ALARM (`insufficient_data` is not ALARM either) with an action pending, the extension starts.
/// Each start discards what ran before, so of several transitions the last one is acted on, for the state at the end,
/// even if it is the state that was acted on before. A transition or a suppressor that enters ALARM at the very end of
/// a period is still in time: first tell what happened at an instant, then `advance` to it. Times never go back.
/// Source: the CloudWatch user guide, "Composite alarm action suppression", with its examples.
///
///     action_suppressor gate{{.wait = 60s, .extension = 60s}};
///     gate.composite_changed(alarm_state::alarm, now);
///     if (auto due = gate.advance(now + 60s)) notify(due->state);
class action_suppressor {
public:
    constexpr explicit action_suppressor(suppression_periods periods, alarm_state suppressor = alarm_state::ok) noexcept
        : periods_{periods}, holds_{suppressor == alarm_state::alarm} {}

    /// The composite alarm has changed its state; to be told only if it has. Like each input, it returns the action
    /// that fell due before `at` and was not asked for.
    [[nodiscard]] constexpr std::optional<due_action> composite_changed(alarm_state to, time_point at) noexcept {
        const std::optional<due_action> overdue = due_before(at);
        state_ = to;
        pending_ = true;
        if (!holds_) start(timer::wait, after(at, periods_.wait));
        return overdue;
    }

    /// The suppressor has this state from now on.
    [[nodiscard]] constexpr std::optional<due_action> suppressor_changed(alarm_state to, time_point at) noexcept {
        const std::optional<due_action> overdue = due_before(at);
        const bool held = std::exchange(holds_, to == alarm_state::alarm);
        if (holds_) stop();
        else if (held && pending_) start(timer::extension, after(at, periods_.extension));
        return overdue;
    }

    /// Another alarm is the suppressor from now on. What runs is discarded, so that a pending action is due at once,
    /// unless the new suppressor is in ALARM.
    [[nodiscard]] constexpr std::optional<due_action> replace(suppression_periods periods, alarm_state suppressor,
                                                              time_point at) noexcept {
        const std::optional<due_action> overdue = due_before(at);
        periods_ = periods;
        holds_ = suppressor == alarm_state::alarm;
        stop();
        if (!holds_ && pending_) start(timer::none, at);
        return overdue;
    }

    /// The action that is due at `now`, once.
    [[nodiscard]] constexpr std::optional<due_action> advance(time_point now) noexcept {
        if (deadline_ > now || deadline_ == never) return std::nullopt;
        const due_action due{state_, deadline_};
        pending_ = false;
        stop();
        return due;
    }

    /// When `advance` wants to be called; `never` while nothing runs.
    [[nodiscard]] constexpr time_point next() const noexcept { return deadline_; }

    /// What holds a pending action back; CloudWatch's `ActionsSuppressedBy`. Nothing while no action is pending, even
    /// if the suppressor is in ALARM.
    [[nodiscard]] constexpr std::optional<suppressed_by> actions_suppressed_by() const noexcept {
        if (pending_ && holds_) return suppressed_by::alarm;
        if (runs_ == timer::wait) return suppressed_by::wait_period;
        if (runs_ == timer::extension) return suppressed_by::extension_period;
        return std::nullopt;
    }

private:
    enum class timer : std::uint8_t { none, wait, extension };

    [[nodiscard]] constexpr std::optional<due_action> due_before(time_point at) noexcept {
        return deadline_ < at ? advance(at) : std::nullopt;
    }
    constexpr void start(timer what, time_point until) noexcept {
        runs_ = what;
        deadline_ = until;
    }
    constexpr void stop() noexcept { start(timer::none, never); }

    suppression_periods periods_;
    time_point deadline_ = never;
    timer runs_ = timer::none;
    alarm_state state_ = alarm_state::insufficient_data;
    bool holds_; ///< the suppressor is in ALARM
    bool pending_ = false;
};

} // namespace reheat::inline REHEAT_ABI
