// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/escape.hpp>
#include <reheat/core/text.hpp>
#include <reheat/engine/engine.hpp>
#include <reheat/recovery/decision_words.hpp>

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// An event as one line for a person: time, target, rung, decision, reason, and what else it has.
[[nodiscard]] inline std::string to_text(const engine& of, const event& e) {
    std::string line = format_time(e.at);
    const auto word = [&line](std::string_view text) {
        line += ' ';
        line += text.empty() ? std::string_view{"-"} : text;
    };
    word(of.name(e.target));
    word(e.rung == operation::none ? std::string_view{"-"} : to_string(e.rung));
    word(to_string(e.what));
    word(e.kind == event_kind::alarm && e.watch != no_watch ? to_string(e.to) : to_string(e.why));
    if (e.subject != no_target && e.subject != e.target) line += " on=" + std::string{of.name(e.subject)};
    if (e.attempt != 0 && e.rung != operation::none) line += " attempt=" + std::to_string(e.attempt);
    for (std::size_t g = 0; e.denied != 0 && g < guard_count; ++g) {
        if ((e.denied >> g & 1U) != 0) line += " denied_by=" + std::string{to_string(static_cast<guard>(g))};
    }
    if (e.kind == event_kind::operator_word) line += " verb=" + std::string{to_string(e.verb)};
    if (e.what == decision::accept && e.rung == operation::fence_instance)
        line += " proof=" + std::string{to_string(e.proof)};
    if (e.set != no_set) line += " " + std::string{to_string(of.sets()[e.set].of)} + "=" + of.sets()[e.set].name;
    if (e.why == reason::inbox_overflow) line += " lost=" + std::to_string(static_cast<std::uint64_t>(e.value));
    if (e.why == reason::stepped_late) line += " late=" + std::to_string(static_cast<std::int64_t>(e.value)) + "s";
    if (e.why == reason::clock_jumped) line += " back=" + std::to_string(static_cast<std::int64_t>(e.value)) + "s";
    if (e.next != never) line += " next=" + format_time(e.next);
    if (e.shadow) line += " shadow";
    return line;
}

/// An event as one JSON object, without a line feed. Names are escaped, so the line is valid whatever a target is
/// called.
[[nodiscard]] inline std::string to_json(const engine& of, const event& e) {
    std::string out;
    const auto text = [&out](std::string_view key, std::string_view value) {
        out += out.empty() ? "{\"" : ",\"";
        out += key;
        out += "\":";
        append_json_string(out, value);
    };
    const auto number = [&out](std::string_view key, std::uint64_t value) {
        out += ",\"";
        out += key;
        out += "\":";
        out += std::to_string(value);
    };
    text("time", format_time(e.at));
    text("kind", to_string(e.kind));
    text("target", of.name(e.target));
    text("rung", to_string(e.rung));
    text("decision", to_string(e.what));
    text("reason", to_string(e.why));
    if (e.kind == event_kind::alarm && e.watch != no_watch) {
        text("from", to_string(e.from));
        text("to", to_string(e.to));
        if (e.value == e.value) {
            std::array<char, 32> digits{};
            const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), e.value).ptr;
            out += ",\"value\":" + std::string{digits.data(), end};
        }
    }
    if (e.subject != no_target) text("subject", of.name(e.subject));
    if (e.incident != no_incident) number("incident", static_cast<std::uint64_t>(e.incident));
    if (e.op != no_op) number("op", static_cast<std::uint64_t>(e.op));
    if (e.attempt != 0) number("attempt", e.attempt);
    if (e.denied != 0) {
        out += ",\"denied_by\":[";
        bool first = true;
        for (std::size_t g = 0; g < guard_count; ++g) {
            if ((e.denied >> g & 1U) == 0) continue;
            if (!std::exchange(first, false)) out += ',';
            append_json_string(out, to_string(static_cast<guard>(g)));
        }
        out += ']';
    }
    if (e.asked != 0) {
        out += ",\"denials\":[";
        bool first = true;
        for (const denial& d : e.denials) {
            if (d.why == reason::none) continue;
            if (!std::exchange(first, false)) out += ',';
            out += "{\"guard\":\"" + std::string{to_string(d.by)} + "\",\"reason\":\"" + std::string{to_string(d.why)} +
                   '"';
            if (d.after_ms != 0) out += ",\"next\":\"" + format_time(d.next(e.at)) + '"';
            out += '}';
        }
        out += ']';
    }
    if (e.by != vantage_set::none) {
        out += ",\"unhealthy_by\":[";
        bool first = true;
        for (std::size_t v = 0; v < vantage_count; ++v) {
            if (!has(e.by, static_cast<vantage>(v))) continue;
            if (!std::exchange(first, false)) out += ',';
            append_json_string(out, to_string(static_cast<vantage>(v)));
        }
        out += ']';
    }
    if (e.kind == event_kind::operator_word) text("verb", to_string(e.verb));
    if (e.what == decision::accept && e.rung == operation::fence_instance) text("proof", to_string(e.proof));
    if (e.set != no_set) {
        text("set_kind", to_string(of.sets()[e.set].of));
        text("set", of.sets()[e.set].name);
    }
    if (e.why == reason::inbox_overflow) number("lost", static_cast<std::uint64_t>(e.value));
    if (e.why == reason::stepped_late) number("late_s", static_cast<std::uint64_t>(e.value));
    if (e.why == reason::clock_jumped) number("back_s", static_cast<std::uint64_t>(e.value));
    if (e.next != never) text("next", format_time(e.next));
    if (e.shadow) out += ",\"shadow\":true";
    out += '}';
    return out;
}

} // namespace reheat::inline REHEAT_ABI
