// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/escape.hpp>
#include <reheat/core/text.hpp>
#include <reheat/recovery/lint_limits.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// The place of a finding in its policy, and so in a policy file: `rungs[2].verify`, `evidence.polls`.
[[nodiscard]] inline std::string path_of(const lint_finding& f) {
    std::string_view member;
    switch (f.what) {
    case finding::unreachable_rung:
    case finding::milder_after_stronger: break;
    case finding::verify_shorter_than_grace:
    case finding::verify_below_latency:
    case finding::verify_below_evidence: member = ".verify"; break;
    case finding::grace_below_boot_time: member = ".grace"; break;
    case finding::timeout_below_latency: member = ".timeout"; break;
    case finding::too_many_actions_an_hour:
    case finding::sustained_never_binds: member = ".sustained"; break;
    case finding::burst_never_binds: member = ".within"; break;
    case finding::attempts_never_reached: member = ".attempts"; break;
    case finding::backoff_above_most: member = ".wait.first"; break;
    case finding::attempts_multiply: return "rungs";
    case finding::probation_below_detection: return "probation";
    case finding::related_below_probation: return "related";
    case finding::retry_parked_too_soon: return "retry_parked";
    case finding::polls_never_agree:
    case finding::polls_always_agree: return "evidence.unhealthy_polls";
    case finding::polls_grow_old: return "evidence.max_age";
    case finding::no_vantage:
    case finding::vantages_never_agree:
    case finding::waits_for_vantages: return "evidence.vantages";
    case finding::fence_method_unused: return "fencing.methods[" + std::to_string(f.number) + "]";
    }
    return "rungs[" + std::to_string(f.rung) + "]" + std::string{member};
}

/// The place of a finding in its limits, and so in a policy file: `limits.group.burst`.
[[nodiscard]] inline std::string path_of(const limits_finding& f) { return std::string{to_string(f.where)}; }

namespace detail {

[[nodiscard]] inline std::string seconds_text(std::int64_t n) { return std::to_string(n) + " s"; }
[[nodiscard]] inline std::string budget_text(const budget& b) {
    return std::to_string(b.count) + " in " + format_duration(b.within);
}

[[nodiscard]] inline std::string attempts_of_levels(const policy& p) {
    const lint_context nothing;
    const policy_linter linter{p, nothing};
    std::string out;
    for (const level at : {level::service, level::instance, level::stack}) {
        const std::int64_t attempts = linter.attempts_at(at);
        if (attempts == 0) continue;
        out += (out.empty() ? "" : " x ") + std::to_string(attempts) + " " + std::string{to_string(at)};
    }
    return out;
}

[[nodiscard]] inline std::string rung_sentence(const policy& p, const rung& r, const lint_finding& f) {
    const std::string number = std::to_string(f.number);
    const auto missing = [&](std::string_view have) {
        return std::string{have} + " is " + seconds_text(f.number) + " too short";
    };
    switch (f.what) {
    case finding::unreachable_rung: {
        if (f.number == static_cast<std::int64_t>(f.rung)) {
            if (!default_rung(r.what)) return "it is no rung of a ladder: nothing is ever done";
            return r.burst.count == 0 ? "it has 0 attempts and never acts"
                                      : "its sustained budget is 0 and it never acts";
        }
        const auto hides = static_cast<std::size_t>(f.number);
        const rung& by = p.rungs()[hides < p.size() ? hides : 0];
        if (by.what == r.what) return "rung " + number + " has done the same already";
        return "rung " + number + " before it takes " + format_duration(times(by.verify, attempts_reached(by))) +
               " for its attempts alone";
    }
    case finding::milder_after_stronger:
        return "it acts on a lower level than rung " + number + " before it, which has not helped either";
    case finding::verify_shorter_than_grace:
        return "verify (" + format_duration(r.verify) + ") is not longer than grace (" + format_duration(r.grace) +
               ") but " + seconds_text(f.number) + " shorter: it would fail while the target may still start";
    case finding::verify_below_latency:
        return missing("verify (" + format_duration(r.verify) + ")") + " for the grace and the driver's latency";
    case finding::verify_below_evidence:
        return missing("verify (" + format_duration(r.verify) + ")") + " for the grace and two evidence periods";
    case finding::grace_below_boot_time:
        if (f.number == 0) return "grace is 0 s, and no machine boots in no time";
        return missing("grace (" + format_duration(r.grace) + ")") + " for the boot";
    case finding::timeout_below_latency:
        if (f.number == 0) return "timeout is 0 s: every call would be given up at once";
        return missing("timeout (" + format_duration(r.timeout) + ")") + " for the driver's latency";
    case finding::too_many_actions_an_hour: {
        const level at = level_of(r.what);
        return "in the worst hour the " + std::string{to_string(at)} + " rungs act " + number +
               " times on one target, " + "more than " +
               std::to_string(most_actions_an_hour[static_cast<std::size_t>(at)]);
    }
    case finding::burst_never_binds:
        return "the burst of " + budget_text(r.burst) + " can never bind: at most " + number +
               " fit in, for the backoff";
    case finding::sustained_never_binds:
        return "the sustained budget of " + budget_text(r.sustained) +
               " can never bind: burst and backoff leave at most " + number;
    case finding::attempts_never_reached:
        return number + " of the " + std::to_string(r.burst.count) +
               " attempts are never made: the sustained budget is " + budget_text(r.sustained);
    default: return "the first wait is " + seconds_text(f.number) + " longer than the longest";
    }
}

[[nodiscard]] inline std::string policy_sentence(const policy& p, const lint_finding& f) {
    const std::string number = std::to_string(f.number);
    switch (f.what) {
    case finding::attempts_multiply:
        return "the attempts of the levels (" + attempts_of_levels(p) + ") multiply to " + number +
               " in the worst case, more than " + std::to_string(most_multiplied_attempts);
    case finding::probation_below_detection:
        return "probation (" + format_duration(p.probation) + ") is over " + seconds_text(f.number) +
               " before the alarm can tell";
    case finding::related_below_probation:
        return "related (" + format_duration(p.related) + ") is " + seconds_text(f.number) +
               " shorter than probation: a failure in between would begin a new incident";
    case finding::retry_parked_too_soon:
        return "retry_parked (" + format_duration(p.retry_parked) + ") comes " + seconds_text(f.number) +
               " before any budget can be free again";
    case finding::polls_never_agree:
        return "unhealthy_polls (" + std::to_string(p.evidence.unhealthy_polls) + ") is " + number +
               " more than polls: they can never agree";
    case finding::polls_always_agree:
        return "unhealthy_polls is 0 of " + number + ": a healthy target would count as unhealthy";
    case finding::polls_grow_old:
        return "within max_age (" + format_duration(p.evidence.max_age) + ") there are at most " + number +
               " polls, and " + std::to_string(p.evidence.unhealthy_polls) + " have to agree";
    case finding::no_vantage: return "vantages is 0: fences and destructive rungs would need no evidence";
    case finding::vantages_never_agree:
        return "vantages (" + std::to_string(p.evidence.vantages) + ") is more than the " + number + " that exist";
    case finding::waits_for_vantages:
        return "the targets have " + number + " of the " + std::to_string(p.evidence.vantages) +
               " vantages that are asked for: destructive rungs would wait for ever";
    default: {
        const auto slot = static_cast<std::size_t>(f.number);
        const std::string_view name = slot < fence_rules::most_methods ? p.fencing.methods[slot] : std::string_view{};
        return "fence method " + number + " ('" + std::string{clip(name, 64)} +
               "') is never used: it stands before it, or behind an empty one";
    }
    }
}

} // namespace detail

/// A finding as one sentence with its place and its number, for a person:
/// `rungs[1].verify: reboot_instance: verify (5m) is not longer than grace (10m), ...`. `p` is the policy that was
/// linted.
[[nodiscard]] inline std::string to_text(const policy& p, const lint_finding& f) {
    std::string out = path_of(f) + ": ";
    if (!is_of_rung(f.what)) return out + detail::policy_sentence(p, f);
    if (f.rung >= p.size()) return out + std::string{to_string(f.what)};
    const rung& r = p.rungs()[f.rung];
    return out + std::string{to_string(r.what)} + ": " + detail::rung_sentence(p, r, f);
}

/// A finding in limits as one sentence with its place and its number.
[[nodiscard]] inline std::string to_text(const limits_finding& f) {
    const std::string number = std::to_string(f.number);
    const std::string out = path_of(f) + ": ";
    switch (f.what) {
    case limit_finding::nothing_may_act:
        return out + "0 percent and at least " + number + " of a set is nothing: no action would ever be allowed";
    case limit_finding::never_binds:
        if (f.where == limit_place::all_burst || f.where == limit_place::all_sustained) {
            if (f.number != 0) return out + "it can never bind: all targets together act at most " + number + " times";
        } else if (f.number != 0) {
            return out + "more than " + number + " percent of a set are never reached: it can never bind";
        }
        return out + "its window is 0 s long or it is never used (" + number + " actions): it can never bind";
    case limit_finding::counts_from_nothing: return out + number + " targets are enough: nobody would count";
    case limit_finding::too_many_domains: return out + number + " more domains than targets are asked for";
    case limit_finding::sustained_never_binds:
        return out + "it can never bind: the burst leaves at most " + number + " actions";
    case limit_finding::burst_never_binds:
        return out + "it can never bind: the sustained budget allows only " + number + " actions in as long a time";
    case limit_finding::hidden_by_wider:
        return out + "it can never bind: the budget of all allows only " + number + " actions in as long a time";
    }
    return out + number;
}

} // namespace reheat::inline REHEAT_ABI
