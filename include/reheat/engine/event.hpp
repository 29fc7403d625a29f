// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/alarm/state.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>
#include <reheat/recovery/reason.hpp>

#include <array>
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

/// One thing that happened or was decided, as numbers and codes; `describe(engine, event)` renders it. Every decision
/// not to act is an event too: what was denied, by which guards, and when it can be looked at again.
struct event {
    time_point at{};
    event_kind kind{};
    decision what{};
    reason why{};
    operation rung = operation::none;
    alarm_state from{}; ///< for `event_kind::alarm`
    alarm_state to{};
    std::uint32_t denied = 0;      ///< the denying guards, bit n for guard n
    std::uint16_t attempt = 0;     ///< counted from 1 within the incident and rung
    target_id target = no_target;  ///< the incident's own target
    target_id subject = no_target; ///< the target that is acted upon
    incident_id incident = no_incident;
    op_id op = no_op;
    time_point next = never; ///< when it is looked at again, or by when it has to be over
    watch_id watch = no_watch;
    double value = 0; ///< an alarm's newest statistic; how much an overflow lost; the seconds that a clock was off
};

} // namespace reheat::inline REHEAT_ABI
