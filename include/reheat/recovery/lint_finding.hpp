// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/recovery/policy.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// What `lint` can find in a policy. The findings of one rung come first, then those of the policy as a whole. What the
/// number of a finding says stands beside it; `docs/reference/policies.md` has the table.
enum class finding : std::uint8_t {
    // Of one rung.
    unreachable_rung,      ///< it can not act, or nothing is left for it: the rung that hides it, itself if it has no
                           ///< attempts
    milder_after_stronger, ///< it acts on a lower level than a rung before it: that rung
    verify_shorter_than_grace, ///< or as long: verification would fail while the target may still start: seconds
                               ///< missing
    verify_below_latency,      ///< verify < the driver's latency + grace: seconds missing
    verify_below_evidence,     ///< verify < grace + two evidence periods: seconds missing
    grace_below_boot_time,     ///< the machine is judged while it boots: seconds missing, 0 if nobody knows how many
    timeout_below_latency,     ///< each call would be given up before the driver can answer: seconds missing
    too_many_actions_an_hour,  ///< the rungs of one level together: the worst hour's actions
    burst_never_binds,         ///< more attempts than can happen in their window: how many can
    sustained_never_binds,     ///< the burst alone, or the backoff, is tighter: how many it leaves
    attempts_never_reached,    ///< the sustained budget ends before the attempts do: how many attempts are never made
    backoff_above_most,        ///< the first wait is longer than the longest: seconds too many
    // Of the policy.
    attempts_multiply,         ///< the attempts of the levels multiply: the product
    probation_below_detection, ///< over before the alarm could tell: seconds missing
    related_below_probation,   ///< a failure in probation would begin a new incident: seconds missing
    retry_parked_too_soon,     ///< no budget can be free again by then: seconds missing
    polls_never_agree,         ///< more unhealthy polls are asked for than are looked at: how many more
    polls_always_agree,        ///< no unhealthy poll is asked for: the polls that are looked at
    polls_grow_old,            ///< polls are forgotten before enough of them can agree: how many can be fresh
    no_vantage,                ///< destructive actions need no evidence: the vantages asked for, 0
    vantages_never_agree,      ///< more vantages are asked for than exist: how many exist
    waits_for_vantages,        ///< more vantages are asked for than the target has: how many it has
    fence_method_unused,       ///< a repeated method, or one behind an empty name: its place
};

inline constexpr std::size_t finding_count = 23;
/// How many of them are of one rung.
inline constexpr std::size_t rung_finding_count = 12;

[[nodiscard]] constexpr std::string_view to_string(finding f) noexcept {
    constexpr std::array<std::string_view, finding_count> names{"unreachable_rung",
                                                                "milder_after_stronger",
                                                                "verify_shorter_than_grace",
                                                                "verify_below_latency",
                                                                "verify_below_evidence",
                                                                "grace_below_boot_time",
                                                                "timeout_below_latency",
                                                                "too_many_actions_an_hour",
                                                                "burst_never_binds",
                                                                "sustained_never_binds",
                                                                "attempts_never_reached",
                                                                "backoff_above_most",
                                                                "attempts_multiply",
                                                                "probation_below_detection",
                                                                "related_below_probation",
                                                                "retry_parked_too_soon",
                                                                "polls_never_agree",
                                                                "polls_always_agree",
                                                                "polls_grow_old",
                                                                "no_vantage",
                                                                "vantages_never_agree",
                                                                "waits_for_vantages",
                                                                "fence_method_unused"};
    return names[static_cast<std::size_t>(f)];
}

/// Whether a finding names a rung; the others are of the policy as a whole.
[[nodiscard]] constexpr bool is_of_rung(finding f) noexcept { return static_cast<std::size_t>(f) < rung_finding_count; }

/// The `rung` of a finding that is of no single one.
inline constexpr std::size_t whole_policy = policy::most_rungs;

/// One thing that `lint` found: what, on which rung (counted from 0, or `whole_policy`), and its number.
struct lint_finding {
    finding what{};
    std::size_t rung = whole_policy;
    std::int64_t number = 0;

    friend constexpr bool operator==(const lint_finding&, const lint_finding&) = default;
};

/// What `lint` can find in the limits of an engine.
enum class limit_finding : std::uint8_t {
    nothing_may_act,       ///< 0 percent and at least 0: the share's size, 0
    never_binds,           ///< no set is large enough: the percentage, or the actions that are possible
    counts_from_nothing,   ///< a set of nobody would count: 0
    too_many_domains,      ///< more failure domains are asked for than targets: how many more
    sustained_never_binds, ///< the burst alone is as tight: the actions that it leaves
    burst_never_binds,     ///< the sustained budget is tighter and longer: its count
    hidden_by_wider,       ///< the budget of a wider set is tighter and as long: its count
};

inline constexpr std::size_t limit_finding_count = 7;

[[nodiscard]] constexpr std::string_view to_string(limit_finding f) noexcept {
    constexpr std::array<std::string_view, limit_finding_count> names{
        "nothing_may_act",       "never_binds",       "counts_from_nothing", "too_many_domains",
        "sustained_never_binds", "burst_never_binds", "hidden_by_wider"};
    return names[static_cast<std::size_t>(f)];
}

/// The member of `limits` that a finding is about.
enum class limit_place : std::uint8_t {
    breaker_group,
    breaker_domain,
    breaker_counted_from,
    silence_targets,
    silence_domains,
    silence_cliff,
    silence_within,
    in_flight,
    services_in_flight,
    group_burst,
    group_sustained,
    domain_burst,
    domain_sustained,
    all_burst,
    all_sustained,
    api,
};

inline constexpr std::size_t limit_count = 16;

/// The place of a limit in `limits`, and so in a policy file: `limits.group.burst`.
[[nodiscard]] constexpr std::string_view to_string(limit_place l) noexcept {
    constexpr std::array<std::string_view, limit_count> names{
        "limits.breaker.group",      "limits.breaker.domain", "limits.breaker.counted_from", "limits.silence.targets",
        "limits.silence.domains",    "limits.silence.cliff",  "limits.silence.within",       "limits.in_flight",
        "limits.services_in_flight", "limits.group.burst",    "limits.group.sustained",      "limits.domain.burst",
        "limits.domain.sustained",   "limits.all.burst",      "limits.all.sustained",        "limits.api"};
    return names[static_cast<std::size_t>(l)];
}

/// One thing that `lint` found in limits: what, in which one, and its number.
struct limits_finding {
    limit_finding what{};
    limit_place where{};
    std::int64_t number = 0;

    friend constexpr bool operator==(const limits_finding&, const limits_finding&) = default;
};

/// All that `lint` found. `Most` is as much as it can find, so nothing is ever left out.
template <class Found, std::size_t Most>
class basic_lint_report {
public:
    [[nodiscard]] constexpr bool ok() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr std::span<const Found> findings() const noexcept {
        return std::span{findings_}.first(size_);
    }
    /// The first finding of that name, or null.
    [[nodiscard]] constexpr const Found* find(decltype(Found::what) f) const noexcept {
        for (const Found& found : findings()) {
            if (found.what == f) return &found;
        }
        return nullptr;
    }
    [[nodiscard]] constexpr bool has(decltype(Found::what) f) const noexcept {
        for (const Found& found : findings()) {
            if (found.what == f) return true;
        }
        return false;
    }
    constexpr void add(const Found& f) noexcept {
        if (size_ < Most) findings_[size_++] = f;
    }

private:
    std::array<Found, Most> findings_{};
    std::size_t size_ = 0;
};

/// What `lint` found in a policy: each finding at most once for each rung, or once for the policy.
using lint_report =
    basic_lint_report<lint_finding, rung_finding_count * policy::most_rungs + finding_count - rung_finding_count>;
/// What `lint` found in limits: each finding at most once for each limit.
using limits_report = basic_lint_report<limits_finding, limit_finding_count * limit_count>;

} // namespace reheat::inline REHEAT_ABI
