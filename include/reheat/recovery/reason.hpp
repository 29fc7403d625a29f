// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <cstddef>
#include <cstdint>

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

/// Why: a code for a program to switch on. Text is made only when somebody reads it (`recovery/decision_words.hpp`).
enum class reason : std::uint8_t {
    // clang-format off: what needs no word shares a line
    none, alarm_raised, alarm_cleared, alarm_unknown, observed_unhealthy, observed_healthy,
    action_above,     ///< an action on an ancestor is under way
    no_such_ancestor, ///< the rung acts on a level that this target has not
    loses_kept_asset,
    attempts_spent, ///< this incident has used the rung's attempts
    budget_spent,   ///< the target has used the rung's budget in its window
    busy,           ///< an action on the target, an ancestor or a descendant is not finished
    approval_required, proof_required, proof_expired, proof_minted, backing_off, journal_pending, journal_failed,
    healthy_again, outcome_done, outcome_failed, outcome_refused, outcome_unknown, deadline_passed,
    found_done,     ///< read back: it had happened
    found_not_done, ///< read back: it had not
    verify_deadline, ladder_exhausted, parked_retry, waited_long, operator_word, late_completion, repeated_completion,
    inbox_overflow,
    stepped_late, ///< the engine came later than it wanted to: what it missed is discarded
    clock_jumped, ///< its time went back: it stands still until it has caught up, and what it missed is discarded
    first_attempt, next_attempt, requested, verified,
    related_failure, ///< it failed again soon after its recovery: the same incident goes on
    did_not_help,    ///< the rung has been tried for this failure, and did not help
    machine_is_off,  ///< what runs in the guest can not be reached: its machine does not run
    host_is_dead,    ///< the rung needs the host, which is proved dead
    guest_restarted, ///< the guest reports that it restarted a service itself
    guest_heals,     ///< the guest is at it
    in_maintenance, frozen_by_operator,
    silence_is_ours, ///< too much fell silent at once and the driver does not answer: the observer is cut off
    silence_cliff,   ///< too many heartbeats were lost at once: no fence before a second vantage agrees
    started_lately,  ///< the engine, or its leadership, is too young for what can not be undone
    one_vantage,     ///< only one vantage calls it unhealthy
    contradicted,    ///< another vantage says that it runs
    evidence_is_old, ///< nobody says now that it is unhealthy
    in_probation, breaker_group, breaker_domain,
    breaker_closed, ///< few enough are unhealthy again
    too_many_in_flight,
    too_soon, ///< after the last instance action
    no_capacity, waits_for_dependency, group_budget, domain_budget, all_budget, api_quota, higher_priority,
    trust_broken, ///< a proof of death turned out false
    custom_guard, denied_by_operator,
    not_understood, ///< an operator's word lacks something: a name, a reason, an expiry, a target
    expired,
    already_dead, ///< there is a proof of death without a fence
    lease_expired, confirmed_absent,
    neighbour_not_independent, ///< it is in the same failure domain
    returned,                  ///< a machine that had been replaced is heard of again
    collecting,                ///< forensics before what destroys
    policy_changed, leader_changed,
    would_act, ///< shadow mode: it would be done now
    capacity_told,
    died,            ///< a host is proved dead
    resumed,         ///< what an earlier run had begun is gone on with
    orphaned,        ///< an earlier run had something under way on a target that was not added again
    leadership_ends, ///< the lease of this controller ends before the call would, or with too little to spare
    leadership_lost, ///< another controller may lead: this one does nothing any more
    // clang-format on
};

inline constexpr std::size_t reason_count = 88;

} // namespace reheat::inline REHEAT_ABI
