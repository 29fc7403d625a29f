// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/recovery/guard.hpp>
#include <reheat/recovery/incident.hpp>
#include <reheat/recovery/operator.hpp>
#include <reheat/recovery/reason.hpp>

#include <array>
#include <cstddef>
#include <string_view>

// The names of what is decided, why and by whom, for people and logs. What decides does not need them.

namespace reheat::inline REHEAT_ABI {

[[nodiscard]] constexpr std::string_view to_string(decision d) noexcept {
    constexpr std::array<std::string_view, 20> names{
        "none", "change", "open",      "absorb", "release", "skip",    "climb", "wait", "act",    "call",
        "drop", "finish", "read_back", "verify", "give_up", "recover", "park",  "page", "accept", "ignore"};
    return names[static_cast<std::size_t>(d)];
}

[[nodiscard]] constexpr std::string_view to_string(reason r) noexcept {
    // A name a line would be eighty lines more for everybody.
    // clang-format off
    constexpr std::array<std::string_view, reason_count> names{
        "none", "alarm_raised", "alarm_cleared", "alarm_unknown", "observed_unhealthy", "observed_healthy",
        "action_above", "no_such_ancestor", "loses_kept_asset", "attempts_spent", "budget_spent", "busy",
        "approval_required", "proof_required", "proof_expired", "proof_minted", "backing_off", "journal_pending",
        "journal_failed", "healthy_again", "outcome_done", "outcome_failed", "outcome_refused", "outcome_unknown",
        "deadline_passed", "found_done", "found_not_done", "verify_deadline", "ladder_exhausted", "parked_retry",
        "waited_long", "operator_word", "late_completion", "repeated_completion", "inbox_overflow", "stepped_late",
        "clock_jumped", "first_attempt", "next_attempt", "requested", "verified", "related_failure", "did_not_help",
        "machine_is_off", "host_is_dead", "guest_restarted", "guest_heals", "in_maintenance", "frozen_by_operator",
        "silence_is_ours", "silence_cliff", "started_lately", "one_vantage", "contradicted", "evidence_is_old",
        "in_probation", "breaker_group", "breaker_domain", "breaker_closed", "too_many_in_flight", "too_soon",
        "no_capacity", "waits_for_dependency", "group_budget", "domain_budget", "all_budget", "api_quota",
        "higher_priority", "trust_broken", "custom_guard", "denied_by_operator", "not_understood", "expired",
        "already_dead", "lease_expired", "confirmed_absent", "neighbour_not_independent", "returned", "collecting",
        "policy_changed", "leader_changed", "would_act", "capacity_told", "died", "resumed", "orphaned",
        "leadership_ends", "leadership_lost"};
    // clang-format on
    return names[static_cast<std::size_t>(r)];
}

[[nodiscard]] constexpr std::string_view to_string(guard g) noexcept {
    constexpr std::array<std::string_view, guard_count> names{
        "busy",       "backoff",       "approval",  "journal",  "leadership", "maintenance", "freeze",
        "start_hold", "corroboration", "probation", "breaker",  "in_flight",  "rate",        "capacity",
        "dependency", "evidence",      "quota",     "priority", "trust",      "custom"};
    return names[static_cast<std::size_t>(g)];
}

[[nodiscard]] constexpr std::string_view to_string(operator_verb v) noexcept {
    constexpr std::array<std::string_view, 9> names{"approve", "deny",   "confirm_dead", "maintain", "end_maintenance",
                                                    "unpark",  "freeze", "thaw",         "trust"};
    return names[static_cast<std::size_t>(v)];
}

[[nodiscard]] constexpr std::string_view to_string(phase p) noexcept {
    constexpr std::array<std::string_view, 8> names{"deciding", "fencing",  "acting", "verifying",
                                                    "parked",   "absorbed", "closed", "collecting"};
    return names[static_cast<std::size_t>(p)];
}

} // namespace reheat::inline REHEAT_ABI
