// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/recovery/limits.hpp>
#include <reheat/recovery/lint.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI {

namespace detail {

class limits_linter {
public:
    constexpr explicit limits_linter(const limits& l) noexcept : l_{l} {}

    [[nodiscard]] constexpr limits_report run() noexcept {
        check_shares();
        check_silence();
        check_shared(l_.group, limit_place::group_burst, limit_place::group_sustained);
        check_shared(l_.domain, limit_place::domain_burst, limit_place::domain_sustained);
        check_shared(l_.all, limit_place::all_burst, limit_place::all_sustained);
        check_window(l_.api, limit_place::api);
        check_wider(l_.group, limit_place::group_burst, limit_place::group_sustained);
        check_wider(l_.domain, limit_place::domain_burst, limit_place::domain_sustained);
        return report_;
    }
    [[nodiscard]] constexpr limits_report run(const policy& p, std::uint32_t targets) noexcept {
        if (targets != 0) {
            check_use(l_.all.burst, limit_place::all_burst, p, targets);
            check_use(l_.all.sustained, limit_place::all_sustained, p, targets);
        }
        return run();
    }

private:
    constexpr void check_shares() noexcept {
        check_breaker(l_.breaker.group, limit_place::breaker_group);
        check_breaker(l_.breaker.domain, limit_place::breaker_domain);
        if (l_.breaker.counted_from == 0) add(limit_finding::counts_from_nothing, limit_place::breaker_counted_from, 0);
        check_in_flight(l_.in_flight, limit_place::in_flight);
        check_in_flight(l_.services_in_flight, limit_place::services_in_flight);
    }
    /// All of a set is never more than 100 percent of it.
    constexpr void check_breaker(const share& s, limit_place where) noexcept {
        if (s.percent >= 100) add(limit_finding::never_binds, where, s.percent);
        else check_nothing(s, where);
    }
    constexpr void check_in_flight(const share& s, limit_place where) noexcept {
        if (s.percent > 100) add(limit_finding::never_binds, where, s.percent);
        else check_nothing(s, where);
    }
    constexpr void check_nothing(const share& s, limit_place where) noexcept {
        if (s.percent == 0 && s.least == 0) add(limit_finding::nothing_may_act, where, 0);
    }

    constexpr void check_silence() noexcept {
        const silence_limits& s = l_.silence;
        if (s.targets == 0) add(limit_finding::counts_from_nothing, limit_place::silence_targets, 0);
        if (s.domains > s.targets)
            add(limit_finding::too_many_domains, limit_place::silence_domains, std::int64_t{s.domains} - s.targets);
        if (s.cliff.percent >= 100) add(limit_finding::never_binds, limit_place::silence_cliff, s.cliff.percent);
        if (s.within <= duration::zero()) add(limit_finding::never_binds, limit_place::silence_within, 0);
    }

    constexpr void check_shared(const shared_budget& b, limit_place burst, limit_place sustained) noexcept {
        const bool windows = check_window(b.burst, burst) && check_window(b.sustained, sustained);
        if (!windows || b.burst.count == 0 || b.sustained.count == 0) return;
        if (const std::int64_t most = worst_actions_within(b.burst, b.sustained.within); most <= b.sustained.count)
            add(limit_finding::sustained_never_binds, sustained, most);
        else if (is_tighter(b.sustained, b.burst)) add(limit_finding::burst_never_binds, burst, b.sustained.count);
    }
    /// A window of no time holds nothing, so that nothing is ever counted in it.
    constexpr bool check_window(const budget& b, limit_place where) noexcept {
        const bool good = b.count == 0 || b.within > duration::zero();
        if (!good) add(limit_finding::never_binds, where, 0);
        return good;
    }
    /// What is spent in one group or domain is spent of everybody's budget as well.
    constexpr void check_wider(const shared_budget& b, limit_place burst, limit_place sustained) noexcept {
        check_hidden(b.burst, l_.all.burst, burst);
        check_hidden(b.sustained, l_.all.sustained, sustained);
    }
    constexpr void check_hidden(const budget& inner, const budget& outer, limit_place where) noexcept {
        if (inner.count != 0 && outer.count != 0 && is_tighter(outer, inner))
            add(limit_finding::hidden_by_wider, where, outer.count);
    }
    [[nodiscard]] static constexpr bool is_tighter(const budget& a, const budget& b) noexcept {
        return a.count < b.count && a.within >= b.within;
    }

    /// Whether all targets together can use a budget up.
    constexpr void check_use(const budget& b, limit_place where, const policy& p, std::uint32_t targets) noexcept {
        if (b.count == 0 || b.within <= duration::zero()) return;
        std::int64_t one = 0;
        for (const rung& r : p.rungs()) {
            const std::int64_t most = calls_driver(r.what) ? worst_actions_within(r, b.within) : 0;
            one = plus(one, most);
        }
        if (const std::int64_t most = times(one, std::int64_t{targets}); most < b.count)
            add(limit_finding::never_binds, where, most);
    }

    constexpr void add(limit_finding f, limit_place where, std::int64_t number) noexcept {
        report_.add({f, where, number});
    }

    const limits& l_;
    limits_report report_{};
};

} // namespace detail

/// Checks the limits of an engine for what can only be a mistake.
///
///     static_assert(lint(limits{}).ok());
[[nodiscard]] constexpr limits_report lint(const limits& l) noexcept { return detail::limits_linter{l}.run(); }

/// The same beside the policy that acts under them; `context.targets` says for how many targets.
[[nodiscard]] constexpr limits_report lint(const limits& l, const policy& p, const lint_context& context) noexcept {
    return detail::limits_linter{l}.run(p, context.targets);
}

} // namespace reheat::inline REHEAT_ABI
