// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/interval_history.hpp>
#include <reheat/core/elapsed.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <numbers>

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// Such that F = 1 / (1 + exp(-x)) is close to the normal distribution of a mean and a standard deviation.
[[nodiscard]] inline double logistic_argument(double t, double mean, double sd) noexcept {
    const double y = (t - mean) / sd;
    return y * (1.5976 + 0.070566 * y * y);
}

template <interval_unit Unit>
[[nodiscard]] constexpr double count_of(duration d) noexcept {
    return std::chrono::duration<double, typename Unit::period>{d}.count();
}

} // namespace detail

/// The chance that a heartbeat comes within `t`, where intervals have this mean and standard deviation (above zero);
/// all three in the same unit. A logistic approximation of the normal distribution, within 0.0002 of it (Akka).
[[nodiscard]] inline double normal_cdf(double t, double mean, double sd) noexcept {
    return 1 / (1 + std::exp(-detail::logistic_argument(t, mean, sd)));
}

/// phi = -log10(1 - normal_cdf(t, mean, sd)), on both sides of the mean without loss, and finite however long `t` is.
[[nodiscard]] inline double normal_phi(double t, double mean, double sd) noexcept {
    const double x = detail::logistic_argument(t, mean, sd);
    return (x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x))) / std::numbers::ln10;
}

/// phi of a silence of `t` where intervals are distributed exponentially with this mean, above zero (Cassandra).
[[nodiscard]] inline double exponential_phi(double t, double mean) noexcept { return t / mean / std::numbers::ln10; }

/// phi over a normal distribution, as Akka does it: it learns how regular the heartbeats are.
struct phi_normal {
    double threshold = 8;                                ///< suspected from this phi on
    duration min_sd = std::chrono::milliseconds{100};    ///< the standard deviation is never below it
    duration acceptable_pause = std::chrono::seconds{3}; ///< added to the mean
    duration first_estimate = std::chrono::seconds{1};   ///< the interval to expect, until two are known
    std::uint32_t window = 1'000;                        ///< intervals kept

    [[nodiscard]] bool suspects(double phi) const noexcept { return phi >= threshold; }

    template <interval_unit Unit>
    [[nodiscard]] double phi(duration silence, const interval_history<Unit>& seen) const noexcept {
        const double sd = std::sqrt(seen.variance());
        const double least = detail::count_of<Unit>(min_sd);
        return normal_phi(detail::count_of<Unit>(silence), seen.mean() + detail::count_of<Unit>(acceptable_pause),
                          sd < least ? least : sd);
    }
    /// Two intervals whose mean is the estimate, a quarter of it off on either side.
    template <interval_unit Unit>
    void seed(interval_history<Unit>& seen) const noexcept {
        seen.push(first_estimate - first_estimate / 4);
        seen.push(first_estimate + first_estimate / 4);
    }
    /// Not the interval that ended a failure: a failure must not be learnt as normal.
    [[nodiscard]] bool records(duration, double phi) const noexcept { return !suspects(phi); }
};

/// phi over an exponential distribution, as Cassandra does it: a threshold of 8 is 18.4 times the mean interval.
struct phi_exponential {
    double threshold = 8;                              ///< suspected above this phi
    duration first_estimate = std::chrono::seconds{2}; ///< the first interval, before one is known
    duration max_interval = std::chrono::seconds{2};   ///< longer ones are not recorded
    std::uint32_t window = 1'000;                      ///< intervals kept

    [[nodiscard]] bool suspects(double phi) const noexcept { return phi > threshold; }

    /// A mean below one unit counts as one unit.
    template <interval_unit Unit>
    [[nodiscard]] double phi(duration silence, const interval_history<Unit>& seen) const noexcept {
        const double mean = seen.mean();
        return exponential_phi(detail::count_of<Unit>(silence), mean < 1 ? 1 : mean);
    }
    template <interval_unit Unit>
    void seed(interval_history<Unit>& seen) const noexcept {
        seen.push(first_estimate);
    }
    [[nodiscard]] bool records(duration interval, double) const noexcept { return interval <= max_interval; }
};

/// A policy of an `accrual_detector`: what a silence is worth (phi never falls while the silence lasts), from which phi
/// on a target is suspected, what the history begins with, and which intervals it records.
template <class P>
concept suspicion_policy = requires(const P& p, interval_history<>& seen, duration d, double phi) {
    { p.window } -> std::convertible_to<std::uint32_t>;
    { p.phi(d, seen) } noexcept -> std::same_as<double>;
    { p.suspects(phi) } noexcept -> std::same_as<bool>;
    { p.records(d, phi) } noexcept -> std::same_as<bool>;
    { p.seed(seen) } noexcept;
};

/// Whether a policy's numbers are inside their bounds; the error says which is not.
[[nodiscard]] inline result<void> validate(const phi_normal& p) {
    if (!(p.threshold > 0 && p.threshold <= 1e6))
        return error{errc::invalid_argument, "threshold", "expected more than 0 and at most 1000000"};
    if (p.min_sd <= duration::zero()) return error{errc::invalid_argument, "min_sd", "expected more than 0 s"};
    if (p.acceptable_pause < duration::zero())
        return error{errc::invalid_argument, "acceptable_pause", "expected no negative duration"};
    if (p.first_estimate <= duration::zero() || p.first_estimate > std::chrono::hours{24})
        return error{errc::invalid_argument, "first_estimate", "expected more than 0 s and at most 24 h"};
    if (p.window < 2 || p.window > interval_history<>::most_intervals)
        return error{errc::invalid_argument, "window", "expected 2 to 4096"};
    return {};
}

[[nodiscard]] inline result<void> validate(const phi_exponential& p) {
    if (!(p.threshold > 0 && p.threshold <= 1e6))
        return error{errc::invalid_argument, "threshold", "expected more than 0 and at most 1000000"};
    if (p.first_estimate <= duration::zero() || p.first_estimate > std::chrono::hours{24})
        return error{errc::invalid_argument, "first_estimate", "expected more than 0 s and at most 24 h"};
    if (p.max_interval <= duration::zero())
        return error{errc::invalid_argument, "max_interval", "expected more than 0 s"};
    if (p.window < 1 || p.window > interval_history<>::most_intervals)
        return error{errc::invalid_argument, "window", "expected 1 to 4096"};
    return {};
}

/// Suspects a target by how unusual its silence is, instead of by a fixed timeout (Hayashibara et al., "The phi accrual
/// failure detector", 2004). About 100 bytes a target, and four more for each interval of the window, all allocated by
/// the constructor. One thread at a time.
///
///     accrual_detector<phi_normal> db{{.acceptable_pause = 5s, .first_estimate = 10s}};
///     db.heartbeat(now);
///     if (db.suspects(later)) report(db.phi(later));
///     else wait_until(db.suspect_at());
template <suspicion_policy Policy, interval_unit Unit = std::chrono::milliseconds>
class accrual_detector {
public:
    explicit accrual_detector(const Policy& policy = {}) : policy_{policy}, seen_{policy.window} {}

    /// A heartbeat came. One that is not later than the last is ignored: it came late, or twice.
    void heartbeat(time_point at) noexcept {
        if (!heard_) {
            policy_.seed(seen_);
        } else {
            if (at <= last_) return;
            const duration interval = elapsed(last_, at);
            if (policy_.records(interval, policy_.phi(interval, seen_))) seen_.push(interval);
        }
        heard_ = true;
        last_ = at;
    }

    /// How suspicious the silence is; 0 before the first heartbeat.
    [[nodiscard]] double phi(time_point now) const noexcept {
        return heard_ ? policy_.phi(elapsed(last_, now), seen_) : 0;
    }
    /// Never before the first heartbeat.
    [[nodiscard]] bool suspects(time_point now) const noexcept { return heard_ && policy_.suspects(phi(now)); }

    /// The first time at which the target is suspected unless a heartbeat comes; `never` before the first heartbeat. A
    /// search of 63 steps, a few microseconds: ask it when a deadline is armed.
    [[nodiscard]] time_point suspect_at() const noexcept {
        if (!heard_ || suspects(last_)) return heard_ ? last_ : never;
        duration calm{0};
        duration suspected = (duration::max)();
        while (suspected - calm > duration{1}) {
            const duration half = calm + (suspected - calm) / 2;
            (policy_.suspects(policy_.phi(half, seen_)) ? suspected : calm) = half;
        }
        return after(last_, suspected);
    }

    [[nodiscard]] const Policy& policy() const noexcept { return policy_; }
    [[nodiscard]] const interval_history<Unit>& history() const noexcept { return seen_; }

private:
    Policy policy_;
    interval_history<Unit> seen_;
    time_point last_{};
    bool heard_ = false;
};

} // namespace reheat::inline REHEAT_ABI
