// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/history.hpp>
#include <reheat/alarm/reason_data.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace reheat::inline REHEAT_ABI {

/// An entry in one sentence, as CloudWatch's `HistorySummary`: `Alarm updated from OK to ALARM`. At most 255 bytes.
[[nodiscard]] inline std::string history_summary(const history_record& r, std::string_view alarm_name) {
    constexpr std::string_view changes[]{"created", "updated", "deleted"};
    std::string out;
    switch (r.kind) {
    case history_kind::configuration_update:
        out += "Alarm \"";
        out += clip(alarm_name, 235);
        out += "\" ";
        out += changes[static_cast<std::size_t>(r.change)];
        break;
    case history_kind::state_update:
    case history_kind::contributor_state_update:
        out += "Alarm updated from ";
        out += aws::name(r.from);
        out += " to ";
        out += aws::name(r.to);
        break;
    case history_kind::action:
    case history_kind::contributor_action:
        out += r.succeeded ? "Successfully executed action " : "Failed to execute action ";
        if (const auto* action = std::get_if<kept_text>(&r.why)) out += action->view();
        break;
    }
    return out;
}

namespace detail {

/// A state, and the reason of it where it is known.
inline void append_state(std::string& out, alarm_state state, const history_record* why, const reason_metric& metric,
                         bool with_data = true) {
    out += R"({"stateValue":)";
    append_json_string(out, aws::name(state));
    if (why != nullptr) {
        if (const auto* evidence = std::get_if<kept_evidence>(&why->why)) {
            const alarm_evidence e = evidence->view();
            out += R"(,"stateReason":)";
            append_json_string(out, reason_text(e));
            if (with_data) out += R"(,"stateReasonData":)" + reason_data_text(e, metric, why->at);
        } else if (const auto* given = std::get_if<kept_text>(&why->why)) {
            out += R"(,"stateReason":)";
            append_json_string(out, given->view());
        }
    }
    out += '}';
}

} // namespace detail

/// An entry as JSON, as CloudWatch's `HistoryData`: for a state update the old and the new state with their reasons. A
/// state that was there since the alarm was made has the reason of that; one whose update is not held any more has
/// none. At most 4,095 bytes: where both would not fit, the old state has no reason data.
[[nodiscard]] inline std::string history_data(const alarm_history& history, std::size_t i,
                                              const reason_metric& metric) {
    constexpr std::size_t most = 4'095;
    constexpr std::string_view changes[]{"Create", "Update", "Delete"};
    const history_record& r = history[i];
    std::string out;
    switch (r.kind) {
    case history_kind::configuration_update:
        out += R"({"version":"1.0","type":)";
        append_json_string(out, changes[static_cast<std::size_t>(r.change)]);
        out += '}';
        break;
    case history_kind::state_update:
    case history_kind::contributor_state_update: {
        const history_record* before = history.state_before(i);
        history_record initial;
        initial.why = kept_text{initial_reason};
        if (before == nullptr && r.from == alarm_state::insufficient_data) before = &initial;
        for (const bool with_old_data : {true, false}) {
            out = R"({"version":"1.0","oldState":)";
            detail::append_state(out, r.from, before, metric, with_old_data);
            out += R"(,"newState":)";
            detail::append_state(out, r.to, &r, metric);
            out += '}';
            if (out.size() <= most) break;
        }
        break;
    }
    case history_kind::action:
    case history_kind::contributor_action:
        out += R"({"actionState":)";
        append_json_string(out, r.succeeded ? "Succeeded" : "Failed");
        if (const auto* action = std::get_if<kept_text>(&r.why)) {
            out += R"(,"notificationResource":)";
            append_json_string(out, action->view());
        }
        out += '}';
        break;
    }
    return out;
}

} // namespace reheat::inline REHEAT_ABI
