// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/elapsed.hpp>
#include <reheat/core/time.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

// Lifeguard (Dadgar, Phillips, Currey: "Lifeguard: local health awareness for more accurate failure detection", 2017),
// with the numbers of HashiCorp's memberlist: an observer that may be ill itself waits longer before it accuses others.

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// `d * by` for a `by` not below zero, held at the ends of the type.
[[nodiscard]] constexpr duration scaled(duration d, std::int64_t by) noexcept {
    if (by == 0) return duration::zero();
    if (d > (duration::max)() / by) return (duration::max)();
    if (d < (duration::min)() / by) return (duration::min)();
    return d * by;
}

} // namespace detail

/// How long a suspicion lasts: `longest` while nobody else confirms it, `shortest` once `k` others did.
struct suspicion_limits {
    std::uint32_t k = 0;
    duration shortest{};
    duration longest{};

    friend constexpr bool operator==(const suspicion_limits&, const suspicion_limits&) = default;
};

/// How long a suspicion with so many confirmations lasts in all: longest - ln(c + 1) / ln(k + 1) * (longest -
/// shortest), cut to a millisecond and at least `shortest`, which it also is where `k` is 0.
[[nodiscard]] inline duration suspicion_timeout(std::uint32_t confirmations, const suspicion_limits& limits) noexcept {
    if (confirmations >= limits.k) return limits.shortest;
    const double share = std::log1p(confirmations) / std::log1p(limits.k);
    const double saved = share * static_cast<double>((limits.longest - limits.shortest).count());
    const duration all =
        std::chrono::floor<std::chrono::milliseconds>(limits.longest - duration{static_cast<std::int64_t>(saved)});
    return all < limits.shortest ? limits.shortest : all;
}

/// What a group's limits are made of.
struct lifeguard_profile {
    std::uint32_t suspicion_mult = 4;
    std::uint32_t suspicion_max_mult = 6;
    duration probe_interval = std::chrono::seconds{1};

    /// The limits in a group of so many members, the observer and the suspect among them. `k` is suspicion_mult - 2, or
    /// 0 where the others are fewer; `shortest` grows with the group's size, suspicion_mult * max(1, log10(members)) *
    /// probe_interval with the logarithm cut to thousandths; `longest` is suspicion_max_mult times that.
    [[nodiscard]] suspicion_limits limits(std::uint32_t members) const noexcept {
        const std::uint32_t others = members < 2 ? 0 : members - 2;
        const std::uint32_t k = suspicion_mult < 2 ? 0 : suspicion_mult - 2;
        const auto thousandths = members <= 10 ? 1'000 : static_cast<std::int64_t>(std::log10(members) * 1'000);
        const duration shortest = detail::scaled(probe_interval, suspicion_mult * thousandths) / 1'000;
        return {others < k ? 0 : k, shortest, detail::scaled(shortest, suspicion_max_mult)};
    }

    friend constexpr bool operator==(const lifeguard_profile&, const lifeguard_profile&) = default;
};

inline constexpr lifeguard_profile lifeguard_lan{};
inline constexpr lifeguard_profile lifeguard_wan{6, 6, std::chrono::seconds{5}};
inline constexpr lifeguard_profile lifeguard_local{3, 6, std::chrono::seconds{1}};

/// One suspicion: from the moment one observer accuses a target, its time shrinks with each other observer that says
/// the same. Held only while a target is suspected; 112 bytes with the default capacity, nothing allocates. One thread
/// at a time.
///
///     suspicion_timer<> timer{lifeguard_lan.limits(50), my_id, now};
///     timer.confirm(other_id);
///     wait_until(timer.deadline());
template <std::size_t MaxConfirmations = 8>
class suspicion_timer {
public:
    /// `accuser` is who suspects first; `k` is held at `MaxConfirmations`.
    constexpr suspicion_timer(const suspicion_limits& limits, std::uint64_t accuser, time_point since) noexcept
        : limits_{limits}, accuser_{accuser}, since_{since} {
        if (limits_.k > MaxConfirmations) limits_.k = MaxConfirmations;
    }

    /// Somebody suspects the target too. Whether that counted: the accuser himself, anyone a second time, and more than
    /// `k` do not.
    constexpr bool confirm(std::uint64_t from) noexcept {
        if (confirmations_ == limits_.k || from == accuser_) return false;
        for (std::uint32_t i = 0; i < confirmations_; ++i) {
            if (confirmers_[i] == from) return false;
        }
        confirmers_[confirmations_++] = from;
        return true;
    }

    [[nodiscard]] constexpr std::uint32_t confirmations() const noexcept { return confirmations_; }
    [[nodiscard]] duration timeout() const noexcept { return suspicion_timeout(confirmations_, limits_); }
    /// When the suspicion becomes a verdict.
    [[nodiscard]] time_point deadline() const noexcept { return after(since_, timeout()); }
    /// The time left; not above zero once it is over.
    [[nodiscard]] duration remaining(time_point now) const noexcept { return timeout() - elapsed(since_, now); }

private:
    suspicion_limits limits_;
    std::uint64_t accuser_;
    time_point since_;
    std::uint32_t confirmations_ = 0;
    std::array<std::uint64_t, MaxConfirmations> confirmers_{};
};

/// How ill the observer himself seems, from 0 (well) to `worst()`: raised by probes that he failed to make or to hear,
/// lowered by those that worked. It stretches his timeouts. One for each observer, 8 bytes. One thread at a time.
class local_awareness {
public:
    /// `levels` is the number of scores, held at 1 or more: the worst is one less.
    constexpr explicit local_awareness(std::int32_t levels = 8) noexcept : worst_{levels < 1 ? 0 : levels - 1} {}

    /// Moves the score, held at 0 to `worst()`; the new one.
    constexpr std::int32_t apply_delta(std::int32_t delta) noexcept {
        const std::int64_t moved = std::int64_t{score_} + delta;
        score_ = moved < 0 ? 0 : moved > worst_ ? worst_ : static_cast<std::int32_t>(moved);
        return score_;
    }

    [[nodiscard]] constexpr std::int32_t score() const noexcept { return score_; }
    [[nodiscard]] constexpr std::int32_t worst() const noexcept { return worst_; }
    /// `timeout` times (score + 1), held at the longest duration there is.
    [[nodiscard]] constexpr duration scale(duration timeout) const noexcept {
        return detail::scaled(timeout, std::int64_t{score_} + 1);
    }

private:
    std::int32_t worst_;
    std::int32_t score_ = 0;
};

} // namespace reheat::inline REHEAT_ABI
