// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/state.hpp>

#include <bit>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace reheat::inline REHEAT_ABI {

/// Icinga 2: of the last 20 checks each that changed the state weighs 0.80 (oldest) to 1.18 (newest) of 5 %. Flapping
/// above 30 %, until at most 25 %.
struct icinga_flap {
    static constexpr std::uint32_t changes = 20;     ///< how many checks are remembered
    static constexpr std::uint32_t per_percent = 10; ///< weight units in one percent
    static constexpr std::uint32_t low = 25;         ///< percent
    static constexpr std::uint32_t high = 30;        ///< percent

    static constexpr std::uint32_t weight(std::uint32_t i) noexcept { return 40 + i; }
    static constexpr bool flaps(std::uint32_t weighed, bool before) noexcept {
        return weighed > (before ? low : high) * per_percent;
    }
};

/// Nagios Core: of the 20 pairs in the last 21 states each that differs weighs 0.75 (oldest) to 1.25 (newest) of 5 %.
/// Flapping from 30 % on, until at most 20 %. Nagios feeds it hard states and soft recoveries only.
struct nagios_flap {
    static constexpr std::uint32_t changes = 20;
    static constexpr std::uint32_t per_percent = 76; // 4 * 19: the weights' step is 0.5 / 19
    static constexpr std::uint32_t low = 20;
    static constexpr std::uint32_t high = 30;

    static constexpr std::uint32_t weight(std::uint32_t i) noexcept { return 285 + 10 * i; }
    static constexpr bool flaps(std::uint32_t weighed, bool before) noexcept {
        return weighed >= high * per_percent || (before && weighed > low * per_percent);
    }
};

/// A policy of a `flap_detector`: what each of the last `changes` checks weighs where it changed the state (0 is the
/// oldest), in integers so that a value on a threshold is on it exactly, and whether a sum of weights is flapping.
template <class P>
concept flap_policy = requires(const P& p, std::uint32_t n, bool before) {
    requires P::changes >= 1 && P::changes <= 64;
    requires P::per_percent >= 1;
    { p.weight(n) } noexcept -> std::same_as<std::uint32_t>;
    { p.flaps(n, before) } noexcept -> std::same_as<bool>;
};

/// A state whose changes can be counted, as an enumeration.
template <class S>
concept flap_state = std::equality_comparable<S> && std::is_trivially_copyable_v<S>;

/// What one check did to flapping.
enum class flap_edge : std::uint8_t { none, started, stopped };

[[nodiscard]] constexpr std::string_view to_string(flap_edge e) noexcept {
    switch (e) {
    case flap_edge::none: return "none";
    case flap_edge::started: return "started";
    case flap_edge::stopped: return "stopped";
    }
    return "unknown";
}

/// Says whether a target's state changes too often for each change to mean something. 8 bytes a target with the
/// policies above; nothing allocates. One thread at a time.
///
///     flap_detector<icinga_flap> flap;
///     if (flap.add(alarm_state::alarm) == flap_edge::started) report(flap.value());
template <flap_policy Policy, flap_state State = alarm_state>
class flap_detector {
public:
    /// `before` is the state before the first check, which counts as a change where it differs. Icinga takes Unknown
    /// (`insufficient_data`), so a first `ok` counts; Nagios takes the object's initial state.
    constexpr explicit flap_detector(State before = {}, Policy policy = {}) noexcept : policy_{policy}, last_{before} {}

    /// One check and its state, changed or not.
    constexpr flap_edge add(State now) noexcept {
        changed_ = (changed_ << 1U | (now == last_ ? 0U : 1U)) & mask;
        last_ = now;
        const bool before = flapping_;
        flapping_ = policy_.flaps(weighed(), before);
        return flapping_ == before ? flap_edge::none : flapping_ ? flap_edge::started : flap_edge::stopped;
    }

    [[nodiscard]] constexpr bool flapping() const noexcept { return flapping_; }
    /// The weighed share of changes, in percent.
    [[nodiscard]] constexpr double value() const noexcept {
        return static_cast<double>(weighed()) / static_cast<double>(Policy::per_percent);
    }

private:
    using bits = std::conditional_t<(Policy::changes > 32), std::uint64_t, std::uint32_t>;
    static constexpr bits mask = static_cast<bits>(~bits{0}) >> (8 * sizeof(bits) - Policy::changes);

    [[nodiscard]] constexpr std::uint32_t weighed() const noexcept {
        std::uint32_t total = 0;
        for (bits rest = changed_; rest != 0; rest &= rest - 1)
            total += policy_.weight(Policy::changes - 1 - static_cast<std::uint32_t>(std::countr_zero(rest)));
        return total;
    }

    bits changed_ = 0; // the newest check in the lowest bit
    [[no_unique_address]] Policy policy_;
    State last_;
    bool flapping_ = false;
};

/// Withholds notifications while a target flaps and loses none: whenever it does not flap, the last state that was
/// notified is the state that it is in. One byte a target. One thread at a time.
///
///     const flap_edge edge = flap.add(now);
///     if (gate.due(now, flap.flapping())) notify(target, now);
template <flap_state State = alarm_state>
class flap_gate {
public:
    /// `told` is the state that everybody assumes before the first notification.
    constexpr explicit flap_gate(State told = {}) noexcept : told_{told} {}

    /// Ask after each check. Whether a notification of `now` is due; it then counts as sent.
    [[nodiscard]] constexpr bool due(State now, bool flapping) noexcept {
        if (flapping || now == told_) return false;
        told_ = now;
        return true;
    }

    /// The state of the last notification.
    [[nodiscard]] constexpr State told() const noexcept { return told_; }

private:
    State told_;
};

} // namespace reheat::inline REHEAT_ABI
