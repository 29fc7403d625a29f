// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/evidence/health.hpp>
#include <reheat/recovery/default_rung.hpp>
#include <reheat/recovery/ladder.hpp>
#include <reheat/recovery/lint_context.hpp>
#include <reheat/recovery/lint_finding.hpp>
#include <reheat/recovery/lint_rates.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace reheat::inline REHEAT_ABI {

/// The most actions an hour on one target of a level that are sane: service, instance, stack.
inline constexpr std::array<std::int64_t, 3> most_actions_an_hour{12, 4, 1};
/// The most that the attempts of the levels may multiply to.
inline constexpr std::int64_t most_multiplied_attempts = 12;
/// A rung whose attempts take this long although every call is answered at once is never left in practice.
inline constexpr duration endless_rung = std::chrono::hours{24};

namespace detail {

class policy_linter {
public:
    constexpr policy_linter(const policy& p, const lint_context& c) noexcept : p_{p}, c_{c}, rungs_{p.rungs()} {}

    [[nodiscard]] constexpr lint_report run() noexcept {
        for (std::size_t i = 0; i < rungs_.size(); ++i) {
            if (!check_reach(i)) continue;
            check_times(i);
            check_rate(i);
            check_budgets(i);
        }
        check_product();
        check_policy_times();
        check_evidence();
        check_fencing();
        return report_;
    }

    /// All the attempts that one climb makes on a level.
    [[nodiscard]] constexpr std::int64_t attempts_at(level at) const noexcept {
        std::int64_t attempts = 0;
        for (std::size_t i = 0; i < rungs_.size(); ++i) {
            if (counts(i, at)) attempts += rungs_[i].burst.count;
        }
        return attempts;
    }

private:
    /// Whether the rung can act: there is nothing to say about the times and the budgets of one that can not.
    constexpr bool check_reach(std::size_t i) noexcept {
        const std::size_t hidden_by = hiding(i);
        if (hidden_by != whole_policy) add(finding::unreachable_rung, i, static_cast<std::int64_t>(hidden_by));
        else if (i > 0 && is_endless(i - 1)) add(finding::unreachable_rung, i, static_cast<std::int64_t>(i - 1));
        for (std::size_t earlier = 0; earlier < i; ++earlier) {
            if (!acts(earlier) || rungs_[i].what == operation::page) continue;
            if (level_of(rungs_[earlier].what) <= level_of(rungs_[i].what)) continue;
            add(finding::milder_after_stronger, i, static_cast<std::int64_t>(earlier));
            break;
        }
        return hidden_by == whole_policy;
    }

    constexpr void check_times(std::size_t i) noexcept {
        const rung& r = rungs_[i];
        if (r.what == operation::page) return;
        const duration latency = calls_driver(r.what) ? c_.latency_of(r.what) : duration::zero();
        if (r.verify <= r.grace) {
            add(finding::verify_shorter_than_grace, i, seconds_missing(r.verify, r.grace));
        } else {
            if (latency > duration::zero()) require(finding::verify_below_latency, i, r.verify, plus(r.grace, latency));
            if (c_.period > duration::zero())
                require(finding::verify_below_evidence, i, r.verify, plus(r.grace, times(c_.period, 2)));
        }
        if (!calls_driver(r.what)) return;
        if (boots(r.what)) require(finding::grace_below_boot_time, i, r.grace, c_.boot_time, r.grace <= duration{});
        require(finding::timeout_below_latency, i, r.timeout, latency, r.timeout <= duration{});
        if (r.wait.first > r.wait.most) add(finding::backoff_above_most, i, seconds_missing(r.wait.most, r.wait.first));
    }

    /// The actions of a level are counted at the last rung of it.
    constexpr void check_rate(std::size_t i) noexcept {
        const level at = level_of(rungs_[i].what);
        if (!calls_driver(rungs_[i].what)) return;
        for (std::size_t later = i + 1; later < rungs_.size(); ++later) {
            if (counts(later, at)) return;
        }
        std::int64_t actions = 0;
        for (std::size_t each = 0; each <= i; ++each) {
            if (counts(each, at)) actions = plus(actions, worst_actions_an_hour(rungs_[each]));
        }
        if (actions > most_actions_an_hour[static_cast<std::size_t>(at)])
            add(finding::too_many_actions_an_hour, i, actions);
    }

    constexpr void check_budgets(std::size_t i) noexcept {
        const rung& r = rungs_[i];
        if (!calls_driver(r.what)) return;
        const duration apart = shortest_wait(p_, r);
        const auto possible = [apart](duration window) {
            if (window <= duration::zero()) return std::int64_t{0};
            return apart > duration::zero() ? begun_within(window, apart) : most_int64;
        };
        if (possible(r.burst.within) < r.burst.count) add(finding::burst_never_binds, i, possible(r.burst.within));
        const std::int64_t by_burst = worst_actions_within(r.burst, r.sustained.within);
        const std::int64_t by_wait = possible(r.sustained.within);
        const std::int64_t most = by_burst < by_wait ? by_burst : by_wait;
        // Who lowers the attempts and leaves the rest has not asked for the sustained budget of the type.
        const bool usual = default_rung(r.what).value_or(rung{}).sustained == r.sustained;
        if (most < r.sustained.count && !usual) add(finding::sustained_never_binds, i, most);
        if (const std::int64_t reached = attempts_reached(r); reached < r.burst.count)
            add(finding::attempts_never_reached, i, r.burst.count - reached);
    }

    /// A target that gets well and fails again begins at the first rung: in the worst case each attempt of a level is
    /// preceded by all those of the level below it.
    constexpr void check_product() noexcept {
        std::int64_t product = 1;
        int levels = 0;
        for (const level at : {level::service, level::instance, level::stack}) {
            const std::int64_t attempts = attempts_at(at);
            if (attempts < 2) continue;
            product = times(product, attempts);
            ++levels;
        }
        if (levels > 1 && product > most_multiplied_attempts) add(finding::attempts_multiply, product);
    }

    constexpr void check_policy_times() noexcept {
        bool probed = false;
        for (std::size_t i = 0; i < rungs_.size(); ++i)
            probed = probed || (acts(i) && level_of(rungs_[i].what) != level::service);
        if (probed) {
            const duration detection = times(c_.period, c_.periods);
            require(finding::probation_below_detection, whole_policy, p_.probation, detection);
            require(finding::related_below_probation, whole_policy, p_.related, p_.probation);
        }
        constexpr duration usual = policy{}.retry_parked;
        // A retry that can do nothing is still a reminder; more of them than usual are only noise.
        if (p_.retry_parked < usual)
            require(finding::retry_parked_too_soon, whole_policy, p_.retry_parked, first_room_after_parking());
    }

    /// How long after the last rung some budget has room again, at the soonest and if no guard held up the climb.
    [[nodiscard]] constexpr duration first_room_after_parking() const noexcept {
        duration soonest = (duration::max)();
        duration climb{};
        bool any = false;
        for (std::size_t i = rungs_.size(); i-- > 0;) {
            const rung& r = rungs_[i];
            if (!acts(i) || hiding(i) != whole_policy) continue;
            any = true;
            climb = plus(climb, slowest_attempts(r, r.burst.count));
            duration spent_until = r.burst.within;
            if (r.sustained.count <= r.burst.count && r.sustained.within > spent_until)
                spent_until = r.sustained.within;
            const duration room = climb < spent_until ? spent_until - climb : duration::zero();
            if (room < soonest) soonest = room;
            if (r.approval == consent::required) climb = (duration::max)(); // a human takes as long as a human takes
        }
        return any ? soonest : duration::zero();
    }

    constexpr void check_evidence() noexcept {
        const evidence_rules& e = p_.evidence;
        if (e.unhealthy_polls == 0) add(finding::polls_always_agree, e.polls);
        else if (e.unhealthy_polls > e.polls) add(finding::polls_never_agree, e.unhealthy_polls - e.polls);
        else if (const std::int64_t fresh = fresh_polls(); fresh < e.unhealthy_polls)
            add(finding::polls_grow_old, fresh);
        bool destructive = false;
        for (std::size_t i = 0; i < rungs_.size(); ++i) destructive = destructive || is_destructive(rungs_[i].what);
        if (e.vantages == 0) {
            add(finding::no_vantage, 0);
        } else if (e.vantages > vantage_count) {
            add(finding::vantages_never_agree, static_cast<std::int64_t>(vantage_count));
        } else if (destructive && c_.vantages != 0 && c_.vantages < e.vantages &&
                   (c_.vantages != 1 || e.alone == single_vantage::wait)) {
            add(finding::waits_for_vantages, c_.vantages);
        }
    }

    /// How many polls of one vantage can be young enough at one time.
    [[nodiscard]] constexpr std::int64_t fresh_polls() const noexcept {
        if (p_.evidence.max_age <= duration::zero()) return 0;
        return c_.poll > duration::zero() ? p_.evidence.max_age / c_.poll + 1 : most_int64;
    }

    constexpr void check_fencing() noexcept {
        const auto& methods = p_.fencing.methods;
        bool ended = false;
        for (std::size_t i = 0; i < methods.size(); ++i) {
            ended = ended || methods[i].empty();
            bool unused = ended && !methods[i].empty();
            for (std::size_t earlier = 0; earlier < i; ++earlier)
                unused = unused || (!methods[i].empty() && methods[earlier] == methods[i]);
            if (unused) return add(finding::fence_method_unused, static_cast<std::int64_t>(i));
        }
    }

    /// The rung that leaves nothing to this one: itself if it can not act at all, or an equal one before it.
    [[nodiscard]] constexpr std::size_t hiding(std::size_t i) const noexcept {
        const rung& r = rungs_[i];
        if (r.burst.count == 0 || r.sustained.count == 0 || !default_rung(r.what)) return i;
        if (r.what == operation::page) return whole_policy; // a human may be called more than once
        for (std::size_t earlier = 0; earlier < i; ++earlier) {
            if (rungs_[earlier].what == r.what && strength(rungs_[earlier]) >= strength(r)) return earlier;
        }
        return whole_policy;
    }
    [[nodiscard]] constexpr bool is_endless(std::size_t i) const noexcept {
        return acts(i) && times(rungs_[i].verify, attempts_reached(rungs_[i])) > endless_rung;
    }
    /// How hard a rung tries: a soft reboot leaves something to a hard one after it.
    [[nodiscard]] static constexpr int strength(const rung& r) noexcept {
        if (r.what != operation::reboot_instance || r.how == reboot_kind::hard) return 1;
        return r.how == reboot_kind::soft_then_hard && r.burst.count > 1 ? 1 : 0;
    }
    [[nodiscard]] constexpr bool acts(std::size_t i) const noexcept { return calls_driver(rungs_[i].what); }
    /// Whether a rung's actions count for a level: those of a repeated one are those of the first.
    [[nodiscard]] constexpr bool counts(std::size_t i, level at) const noexcept {
        return acts(i) && level_of(rungs_[i].what) == at && hiding(i) == whole_policy;
    }

    /// Finds `have` shorter than `want`, or wrong in any case.
    constexpr void require(finding f, std::size_t i, duration have, duration want, bool wrong = false) noexcept {
        if (have < want) add(f, i, seconds_missing(have, want));
        else if (wrong) add(f, i, 0);
    }
    constexpr void add(finding f, std::size_t i, std::int64_t number) noexcept { report_.add({f, i, number}); }
    constexpr void add(finding f, std::int64_t number) noexcept { report_.add({f, whole_policy, number}); }

    const policy& p_;
    const lint_context& c_;
    std::span<const rung> rungs_;
    lint_report report_{};
};

} // namespace detail

/// Checks a policy for what can only be a mistake; with a `lint_context` also against the place where it will run.
/// Constexpr, so that a ladder in code is checked by the compiler:
///
///     static_assert(lint(steps).ok());
///     static_assert(lint(steps, {.boot_time = 4min, .period = 60s}).ok());
///
/// What each finding means, and its number, stands in `docs/reference/policies.md`; `to_text` (`lint_text.hpp`) renders
/// one as a sentence.
[[nodiscard]] constexpr lint_report lint(const policy& p, const lint_context& context = {}) noexcept {
    return detail::policy_linter{p, context}.run();
}

template <rung_type... Rungs>
[[nodiscard]] constexpr lint_report lint(const ladder<Rungs...>& l, const lint_context& context = {}) noexcept {
    return lint(l.lowered(), context);
}

} // namespace reheat::inline REHEAT_ABI
