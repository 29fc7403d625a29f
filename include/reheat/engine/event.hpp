// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/alarm/state.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>
#include <reheat/evidence/testimony.hpp>
#include <reheat/recovery/guard.hpp>
#include <reheat/recovery/operator.hpp>
#include <reheat/recovery/reason.hpp>
#include <reheat/recovery/sets.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// What an event is about.
enum class event_kind : std::uint8_t {
    alarm,           ///< an alarm changed its state
    incident,        ///< an incident opened, was absorbed, released, recovered or parked
    rung,            ///< a rung was skipped, waits, acts or was left behind
    call,            ///< a call was made, or came to its outcome
    verdict,         ///< what verification found
    page,            ///< a human is called
    operation_order, ///< an operation that was asked for, not decided
    operator_word,   ///< an operator's input
    controller,      ///< the controller about itself
};

[[nodiscard]] constexpr std::string_view to_string(event_kind k) noexcept {
    constexpr std::array<std::string_view, 9> names{"alarm", "incident",        "rung",          "call",      "verdict",
                                                    "page",  "operation_order", "operator_word", "controller"};
    return names[static_cast<std::size_t>(k)];
}

/// What one guard said against an action, in eight bytes.
struct denial {
    guard by{};
    reason why{};
    std::uint32_t after_ms = 0; ///< how long after the event it changes by itself; 0: an input does, or in 49 days

    [[nodiscard]] constexpr time_point next(time_point at) const noexcept {
        return after_ms == 0 ? never : after(at, std::chrono::milliseconds{after_ms});
    }
    /// Rounded up, so that it is not asked too early.
    [[nodiscard]] static constexpr std::uint32_t until(time_point next, time_point at) noexcept {
        if (next == never) return 0;
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - at).count();
        return wait < 1 ? 1 : wait > std::int64_t{UINT32_MAX} ? 0 : static_cast<std::uint32_t>(wait);
    }
};

/// One thing that happened or was decided, as numbers and codes; `describe(engine, event)` renders it. Every decision
/// not to act is an event too: what was denied, by which guards, and when it can be looked at again.
struct event {
    static constexpr std::size_t most_denials = 8;

    time_point at{};
    event_kind kind{};
    decision what{};
    reason why{};
    operation rung = operation::none;
    alarm_state from{}; ///< for `event_kind::alarm`
    alarm_state to{};
    std::uint32_t denied = 0;  ///< the denying guards, bit n for guard n
    std::uint32_t asked = 0;   ///< the guards that were asked; of these, all that do not deny allow
    std::uint16_t attempt = 0; ///< counted from 1 within the incident and rung
    bool shadow = false; ///< of an engine in shadow mode, or that lost the lead: nothing is done, nobody is called
    target_id target = no_target;  ///< the incident's own target
    target_id subject = no_target; ///< the target that is acted upon
    incident_id incident = no_incident;
    op_id op = no_op;
    time_point next = never; ///< when it is looked at again, or by when it has to be over
    watch_id watch = no_watch;
    operator_verb verb{};                       ///< for `event_kind::operator_word`
    proof_kind proof{};                         ///< of a death that was accepted
    set_id set = no_set;                        ///< the group or failure domain that it is about
    vantage_set by{};                           ///< who calls the target unhealthy
    std::array<denial, most_denials> denials{}; ///< the first ones of `denied`, in the order of `guard`
    double value = 0; ///< an alarm's newest statistic; how much an overflow lost; the seconds that a clock was off
};

} // namespace reheat::inline REHEAT_ABI
