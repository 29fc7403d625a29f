// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// What was decided.
enum class decision : std::uint8_t {
    none,
    change,    ///< an alarm or a target changed its state
    open,      ///< an incident opened
    absorb,    ///< it waits for the action of another incident, and is verified with it
    release,   ///< that action did not help it: it goes on by itself
    skip,      ///< a rung does not apply
    climb,     ///< on to the next rung
    wait,      ///< a guard denies
    act,       ///< the intent is in the journal's hands
    call,      ///< the driver was called
    drop,      ///< the intent was taken back before the call
    finish,    ///< the call came to its outcome
    read_back, ///< the outcome is unknown: ask the cloud
    verify,    ///< wait for evidence that it helped
    give_up,   ///< verification failed
    recover,   ///< verification succeeded, or it got well by itself: the incident closes
    park,      ///< nothing is left to try: wait for a human, and try again slowly
    page,      ///< call a human
    accept,    ///< an operator's word was taken
    ignore,    ///< an input that changes nothing, told for the record
};

[[nodiscard]] constexpr std::string_view to_string(decision d) noexcept {
    constexpr std::array<std::string_view, 20> names{
        "none", "change", "open",      "absorb", "release", "skip",    "climb", "wait", "act",    "call",
        "drop", "finish", "read_back", "verify", "give_up", "recover", "park",  "page", "accept", "ignore"};
    return names[static_cast<std::size_t>(d)];
}

/// Why: a code for a program to switch on. Text is made only when somebody reads it.
enum class reason : std::uint8_t {
    none,
    alarm_raised,
    alarm_cleared,
    alarm_unknown,
    observed_unhealthy,
    observed_healthy,
    action_above,     ///< an action on an ancestor is under way
    no_such_ancestor, ///< the rung acts on a level that this target has not
    loses_kept_asset,
    attempts_spent, ///< this incident has used the rung's attempts
    budget_spent,   ///< the target has used the rung's budget in its window
    busy,           ///< an action on the target, an ancestor or a descendant is not finished
    approval_required,
    proof_required,
    proof_expired,
    proof_minted,
    backing_off,
    journal_pending,
    journal_failed,
    healthy_again,
    outcome_done,
    outcome_failed,
    outcome_refused,
    outcome_unknown,
    deadline_passed,
    found_done,     ///< read back: it had happened
    found_not_done, ///< read back: it had not
    verify_deadline,
    ladder_exhausted,
    parked_retry,
    waited_long,
    operator_word,
    late_completion,
    repeated_completion,
    inbox_overflow,
    stepped_late, ///< the engine came later than it wanted to: what it missed is discarded
    clock_jumped, ///< its time went back: it stands still until it has caught up, and what it missed is discarded
    first_attempt,
    next_attempt,
    requested,
    verified,
};

[[nodiscard]] constexpr std::string_view to_string(reason r) noexcept {
    constexpr std::array<std::string_view, 41> names{"none",
                                                     "alarm_raised",
                                                     "alarm_cleared",
                                                     "alarm_unknown",
                                                     "observed_unhealthy",
                                                     "observed_healthy",
                                                     "action_above",
                                                     "no_such_ancestor",
                                                     "loses_kept_asset",
                                                     "attempts_spent",
                                                     "budget_spent",
                                                     "busy",
                                                     "approval_required",
                                                     "proof_required",
                                                     "proof_expired",
                                                     "proof_minted",
                                                     "backing_off",
                                                     "journal_pending",
                                                     "journal_failed",
                                                     "healthy_again",
                                                     "outcome_done",
                                                     "outcome_failed",
                                                     "outcome_refused",
                                                     "outcome_unknown",
                                                     "deadline_passed",
                                                     "found_done",
                                                     "found_not_done",
                                                     "verify_deadline",
                                                     "ladder_exhausted",
                                                     "parked_retry",
                                                     "waited_long",
                                                     "operator_word",
                                                     "late_completion",
                                                     "repeated_completion",
                                                     "inbox_overflow",
                                                     "stepped_late",
                                                     "clock_jumped",
                                                     "first_attempt",
                                                     "next_attempt",
                                                     "requested",
                                                     "verified"};
    return names[static_cast<std::size_t>(r)];
}

} // namespace reheat::inline REHEAT_ABI
