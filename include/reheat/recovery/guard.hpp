// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/bits.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>
#include <reheat/recovery/reason.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace reheat::inline REHEAT_ABI {

/// Everything that can say no to an action. All are asked each time, all answers are kept.
enum class guard : std::uint8_t {
    busy,          ///< one action at a time on a target, its ancestors and its descendants
    backoff,       ///< the wait between attempts
    approval,      ///< a human's word
    journal,       ///< the journal is well
    leadership,    ///< this controller leads for as long as the calls may take
    maintenance,   ///< announced work
    freeze,        ///< the observer doubts itself
    start_hold,    ///< the time after start or change of leader
    corroboration, ///< two independent vantages
    probation,     ///< after a successful action
    breaker,       ///< too many are unhealthy at once
    in_flight,     ///< too many actions at once
    rate,          ///< the least distance between actions
    capacity,      ///< the cloud has room
    dependency,    ///< what it depends on comes first
    evidence,      ///< somebody says now that it is unhealthy
    quota,         ///< a budget that it shares with others
    priority,      ///< more important targets come first
    trust,         ///< no proof of death has turned out false
    custom,        ///< a guard of the integrator's own
};

inline constexpr std::size_t guard_count = 20;
inline constexpr std::uint32_t all_guards = (std::uint32_t{1} << guard_count) - 1;

[[nodiscard]] constexpr std::uint32_t bit(guard g) noexcept { return std::uint32_t{1} << static_cast<unsigned>(g); }
/// Whoever waits for nothing but these only waits for its turn behind others, and comes to act.
inline constexpr std::uint32_t turn_guards = bit(guard::in_flight) | bit(guard::rate);

/// The answer of one guard: allow (`why` is `none`), or deny with the reason and the time at which to ask again;
/// `never` where an input, not time, can change it.
struct guard_answer {
    reason why = reason::none;
    time_point next = never;

    [[nodiscard]] constexpr bool allows() const noexcept { return why == reason::none; }
};

/// What a guard is asked: may this be done now?
struct guard_question {
    target_id target = no_target;  ///< the incident's own
    target_id subject = no_target; ///< acted upon
    operation what = operation::none;
    incident_id incident = no_incident;
    std::uint16_t attempt = 0; ///< the one that would begin, from 1
    time_point now{};
};

/// A guard of the integrator's own: it answers from what it knows, quickly and without blocking, and gives the same
/// answer to the same question at the same time. Whatever reason it gives, events show `custom_guard`.
template <class G>
concept recovery_guard = requires(const G& g, const guard_question& q) {
    { g.ask(q) } -> std::same_as<guard_answer>;
};

/// A guard by reference; the guard outlives it.
class guard_ref {
public:
    template <recovery_guard G>
    explicit guard_ref(const G& g) noexcept
        : guard_{&g}, ask_{[](const void* of, const guard_question& q) { return static_cast<const G*>(of)->ask(q); }} {}
    [[nodiscard]] guard_answer ask(const guard_question& q) const {
        guard_answer a = ask_(guard_, q);
        if (!a.allows()) a.why = reason::custom_guard;
        return a;
    }

private:
    const void* guard_;
    guard_answer (*ask_)(const void*, const guard_question&);
};

/// The answers of all guards to one question.
class guard_answers {
public:
    constexpr void set(guard g, guard_answer a) noexcept {
        answers_[static_cast<std::size_t>(g)] = a;
        if (!a.allows()) denied_ |= std::uint32_t{1} << static_cast<unsigned>(g);
    }
    [[nodiscard]] constexpr guard_answer of(guard g) const noexcept { return answers_[static_cast<std::size_t>(g)]; }

    /// The denying guards, as a set of bits; 0 means that all allow.
    [[nodiscard]] constexpr std::uint32_t denied() const noexcept { return denied_; }
    /// Visits every denial, in the order of `guard`.
    template <class Visit>
    constexpr void each_denial(const Visit& visit) const {
        for (std::uint32_t left = denied_; left != 0; left &= left - 1) {
            const std::size_t g = detail::lowest_bit(left);
            visit(static_cast<guard>(g), answers_[g]);
        }
    }
    /// The first denial, in the order of `guard`.
    [[nodiscard]] constexpr reason first() const noexcept {
        return denied_ == 0 ? reason::none : answers_[detail::lowest_bit(denied_)].why;
    }
    /// The earliest time at which an answer can change by itself. A denial that only an input can change has none, and
    /// does not hide a time that another has.
    [[nodiscard]] constexpr time_point next() const noexcept {
        time_point earliest = never;
        each_denial([&](guard, const guard_answer& a) { earliest = a.next < earliest ? a.next : earliest; });
        return earliest;
    }

private:
    std::array<guard_answer, guard_count> answers_{};
    std::uint32_t denied_ = 0;
};

} // namespace reheat::inline REHEAT_ABI
