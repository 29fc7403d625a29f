// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/escape.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/text.hpp>
#include <reheat/core/time.hpp>
#include <reheat/engine/event.hpp>
#include <reheat/recovery/decision_words.hpp>
#include <reheat/recovery/guard.hpp>
#include <reheat/recovery/sets.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// A notification. Of two about the same trouble the one with the larger id is newer.
enum class notification_id : std::uint64_t {};

/// What a notification says.
enum class notification_kind : std::uint8_t {
    page,      ///< a human is needed
    recovered, ///< what was paged is over
};

[[nodiscard]] constexpr std::string_view to_string(notification_kind k) noexcept {
    constexpr std::array<std::string_view, 2> names{"page", "recovered"};
    return names[static_cast<std::size_t>(k)];
}

/// What a human is told: the newest state of one trouble. Numbers and codes; `to_text` and `to_json` render them.
struct notification {
    notification_id id{};
    notification_kind kind = notification_kind::page;
    target_id target = no_target; ///< `no_target` for the controller itself
    set_id set = no_set;          ///< the group or failure domain that it is about
    std::string name{};           ///< the target's or the set's; empty for the controller itself
    incident_id incident = no_incident;
    op_id op = no_op;
    operation rung = operation::none;
    reason why = reason::none;    ///< of the page; of the recovery
    reason before = reason::none; ///< of `recovered`: why the page before it was
    std::uint32_t denied = 0;     ///< the guards that recovery waits for, bit n for guard n
    std::uint32_t count = 1;      ///< so many equal pages are merged in it
    std::uint16_t attempt = 0;    ///< of its delivery, from 1
    time_point first{};           ///< when it was first so
    time_point last{};            ///< when the newest of the merged pages came
    time_point next = never;      ///< when recovery is looked at again
    time_point expires = never;   ///< its delivery is not tried any more from then on
    std::string said{};           ///< what the driver said: what failed, which volumes are detached
};

/// What all notifications about one trouble have in common, a recovery and its page too: the receiver's key for
/// de-duplication. `db-1#7` for an incident, `db-1#journal_pending` for what is none, `#journal_failed` for the
/// controller. It stays the same over a restart of the controller as far as the journal does.
[[nodiscard]] inline std::string key_of(const notification& n) {
    const reason topic = n.kind == notification_kind::page ? n.why : n.before;
    return n.name + '#' +
           (n.incident != no_incident ? std::to_string(static_cast<std::uint32_t>(n.incident))
                                      : std::string{to_string(topic)});
}

namespace detail {

[[nodiscard]] constexpr std::string_view page_sentence(reason why) noexcept {
    switch (why) {
    case reason::ladder_exhausted: return "nothing is left to try";
    case reason::waited_long: return "recovery has waited long";
    case reason::alarm_raised: return "it failed, and the ladder calls a human";
    case reason::journal_pending: return "the journal does not take what has to be safe before an action";
    case reason::api_quota: return "a call waits because the driver may not be called more often";
    case reason::journal_failed: return "the journal can not be written; nothing is begun until it is reopened";
    case reason::trust_broken: return "a proof of death was false; nothing is done until an operator says trust";
    case reason::silence_is_ours: return "too much fell silent at once and the driver does not answer; nothing is done";
    case reason::breaker_group:
    case reason::breaker_domain: return "too many are unhealthy at once; nothing is done to them until fewer are";
    case reason::returned: return "a machine that had been replaced came back; both copies are stopped";
    case reason::inbox_overflow: return "too many pages at once; others are not told one by one: see the status";
    default: return to_string(why);
    }
}

} // namespace detail

/// One line for a person, whatever bytes the target's name has: what is the matter, and what would end it.
[[nodiscard]] inline std::string to_text(const notification& n) {
    std::string line;
    append_printable(line, n.name);
    if (line.empty()) line = "controller";
    line += ": ";
    if (n.kind == notification_kind::recovered) {
        line += "recovered (" + std::string{to_string(n.why)} + "); it was paged because: ";
        return line += detail::page_sentence(n.before);
    }
    line += detail::page_sentence(n.why);
    if (n.rung != operation::none) line += ", at " + std::string{to_string(n.rung)};
    std::string_view mark = ", for ";
    for (std::size_t g = 0; n.denied != 0 && g < guard_count; ++g) {
        if ((n.denied >> g & 1U) == 0) continue;
        line += mark;
        line += to_string(static_cast<guard>(g));
        mark = " and ";
    }
    if (!n.said.empty()) append_printable(line += "; the driver said: ", n.said);
    if (n.count > 1) line += ", " + std::to_string(n.count) + " times since " + format_time(n.first);
    if (n.next != never) line += "; looked at again " + format_time(n.next);
    return line;
}

/// One JSON object without a line feed, valid whatever the target is called.
[[nodiscard]] inline std::string to_json(const notification& n) {
    std::string out = "{\"id\":" + std::to_string(static_cast<std::uint64_t>(n.id));
    const auto text = [&out](std::string_view name, std::string_view value) {
        out += ",\"" + std::string{name} + "\":";
        append_json_string(out, value);
    };
    const auto number = [&out](std::string_view name, std::uint64_t value) {
        out += ",\"" + std::string{name} + "\":" + std::to_string(value);
    };
    text("kind", to_string(n.kind));
    text("key", key_of(n));
    text("target", n.name);
    text("reason", to_string(n.why));
    if (n.kind == notification_kind::recovered) text("was", to_string(n.before));
    text("rung", to_string(n.rung));
    if (n.incident != no_incident) number("incident", static_cast<std::uint32_t>(n.incident));
    if (n.op != no_op) number("op", static_cast<std::uint64_t>(n.op));
    if (n.denied != 0) {
        out += ",\"denied_by\":";
        char mark = '[';
        for (std::size_t g = 0; g < guard_count; ++g) {
            if ((n.denied >> g & 1U) == 0) continue;
            out += mark;
            append_json_string(out, to_string(static_cast<guard>(g)));
            mark = ',';
        }
        out += mark == '[' ? "[]" : "]";
    }
    if (!n.said.empty()) text("said", n.said);
    text("first", format_time(n.first));
    text("last", format_time(n.last));
    number("count", n.count);
    number("attempt", n.attempt);
    if (n.next != never) text("next", format_time(n.next));
    if (n.expires != never) text("expires", format_time(n.expires));
    text("text", to_text(n));
    out += '}';
    return out;
}

} // namespace reheat::inline REHEAT_ABI
