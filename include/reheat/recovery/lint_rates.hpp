// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/recovery/policy.hpp>

#include <cstdint>
#include <limits>

// How often, how soon and how late a rung can act. Every sum is held at the largest number instead of overflowing: a
// policy may come from anywhere, and an overflow would be no constant expression.

namespace reheat::inline REHEAT_ABI {

namespace detail {

inline constexpr std::int64_t most_int64 = (std::numeric_limits<std::int64_t>::max)();

[[nodiscard]] constexpr std::int64_t times(std::int64_t a, std::int64_t b) noexcept {
    return a != 0 && b > most_int64 / a ? most_int64 : a * b; // of what is not negative
}
[[nodiscard]] constexpr std::int64_t plus(std::int64_t a, std::int64_t b) noexcept {
    return a > most_int64 - b ? most_int64 : a + b;
}
[[nodiscard]] constexpr duration not_negative(duration d) noexcept {
    return d < duration::zero() ? duration::zero() : d;
}
/// The sum of two times, what is negative counted as nothing.
[[nodiscard]] constexpr duration plus(duration a, duration b) noexcept {
    return duration{plus(not_negative(a).count(), not_negative(b).count())};
}
[[nodiscard]] constexpr duration times(duration d, std::int64_t n) noexcept {
    return duration{times(not_negative(d).count(), n)};
}
/// The seconds from `have` up to the later `want`, rounded up.
[[nodiscard]] constexpr std::int64_t seconds_missing(duration have, duration want) noexcept {
    constexpr std::int64_t second = 1'000'000'000;
    const bool overflows = have < duration::zero() && want > (duration::max)() + have;
    const std::int64_t missing = overflows ? most_int64 : (want - have).count();
    return missing / second + (missing % second > 0 ? 1 : 0);
}
/// How many steps of `each` begin within `window`.
[[nodiscard]] constexpr std::int64_t begun_within(duration window, duration each) noexcept {
    return window.count() / each.count() + (window.count() % each.count() > 0 ? 1 : 0);
}

} // namespace detail

/// The most actions that a budget allows in any stretch of time that long. A window of no time bounds nothing.
[[nodiscard]] constexpr std::int64_t worst_actions_within(const budget& b, duration stretch) noexcept {
    if (b.count == 0 || stretch <= duration::zero()) return 0;
    if (b.within <= duration::zero()) return detail::most_int64;
    return detail::times(detail::begun_within(stretch, b.within), std::int64_t{b.count});
}

/// The most actions that a rung can make in any stretch of time that long: the tighter of its two budgets.
[[nodiscard]] constexpr std::int64_t worst_actions_within(const rung& r, duration stretch) noexcept {
    const std::int64_t burst = worst_actions_within(r.burst, stretch);
    const std::int64_t sustained = worst_actions_within(r.sustained, stretch);
    return burst < sustained ? burst : sustained;
}

/// The most actions that a rung can make in the worst hour.
[[nodiscard]] constexpr std::int64_t worst_actions_an_hour(const rung& r) noexcept {
    return worst_actions_within(r, std::chrono::hours{1});
}

/// Whether a rung calls the driver: a page does not, nor does a guest that heals itself.
[[nodiscard]] constexpr bool calls_driver(operation what) noexcept {
    return what != operation::none && what != operation::page && what != operation::guest_restarts;
}

/// Whether a machine boots in the course of an operation.
[[nodiscard]] constexpr bool boots(operation what) noexcept {
    return calls_driver(what) && level_of(what) != level::service && what != operation::describe &&
           what != operation::fence_instance && what != operation::collect_forensics;
}

/// The least time between two actions of a rung; 0 where jitter or a new start of the backoff leaves none.
[[nodiscard]] constexpr duration shortest_wait(const policy& p, const rung& r) noexcept {
    duration wait = r.wait.first < r.wait.most ? r.wait.first : r.wait.most;
    const std::int64_t spread = r.wait.spread < 100 ? r.wait.spread : 100;
    wait = r.wait.full_jitter ? duration::zero() : detail::not_negative(wait) / 100 * (100 - spread);
    // Healthy for `stable`, or well for longer than `related`, and the next attempt is a first one.
    for (const duration anew : {p.stable, p.related}) {
        if (anew < wait) wait = detail::not_negative(anew);
    }
    return std::chrono::floor<std::chrono::milliseconds>(wait);
}

/// The longest that so many attempts keep the ladder waiting: calls, verifications and the waits after them.
[[nodiscard]] constexpr duration slowest_attempts(const rung& r, std::int64_t attempts) noexcept {
    duration total = detail::times(detail::plus(r.timeout, r.verify), attempts);
    const duration most = detail::not_negative(r.wait.most);
    const std::int64_t spread = r.wait.full_jitter ? 0 : r.wait.spread < 100 ? r.wait.spread : 100;
    const auto at_most = [&](duration wait) { return detail::plus(wait, wait / 100 * spread); };
    duration wait = detail::not_negative(r.wait.first);
    for (; attempts > 0 && wait > duration::zero() && wait < most; --attempts) {
        total = detail::plus(total, at_most(wait));
        wait = detail::plus(wait, wait);
    }
    return wait == duration::zero() ? total : detail::plus(total, detail::times(at_most(most), attempts));
}

/// How many of a rung's attempts one incident can make before the sustained budget sends it on.
[[nodiscard]] constexpr std::int64_t attempts_reached(const rung& r) noexcept {
    // Attempts that are slow enough let the first one leave the window.
    const bool ends = r.sustained.count < r.burst.count && slowest_attempts(r, r.sustained.count) < r.sustained.within;
    return ends ? r.sustained.count : r.burst.count;
}

} // namespace reheat::inline REHEAT_ABI
