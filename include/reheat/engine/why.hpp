// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/escape.hpp>
#include <reheat/core/text.hpp>
#include <reheat/engine/engine.hpp>
#include <reheat/recovery/decision_words.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// Where a target stands and why: what was done, what is not done and who says so, and what can happen next. Computed
/// from an engine's state, whenever somebody asks; `to_text` and `to_json` render it.
struct explanation {
    target_id target = no_target;
    health is = health::unknown;
    std::array<health, vantage_count> says{}; ///< each vantage, now
    incident_id incident = no_incident;       ///< the open incident; the rest is of it
    phase at = phase::closed;
    time_point since{};                                  ///< when it opened
    operation rung = operation::none;                    ///< that it stands on
    std::size_t step = 0;                                ///< of the ladder, from 1
    std::size_t steps = 0;                               ///< of the ladder
    std::uint16_t attempts = 0;                          ///< of that rung, so far
    std::uint16_t most_attempts = 0;                     ///< that the rung has
    std::array<operation, policy::most_rungs> in_vain{}; ///< rungs of this incident that did not help; `none` ends it
    target_id subject = no_target;                       ///< what the rung acts upon
    target_id covered_by = no_target;                    ///< the target whose action it waits for, if it is absorbed
    guard_answers answers{};                             ///< of an incident that is deciding
    time_point next = never;                             ///< when something can happen by itself
    operation helped = operation::none; ///< the last instance or stack action upon the target that helped
    time_point helped_at = (time_point::min)();
    std::string said{}; ///< what the driver said of the incident's operations so far
};

/// Explains a target. An unknown one has no name and no incident. Any time between two steps; the thread of the engine.
[[nodiscard]] inline explanation why(const engine& of, target_id target) {
    explanation x;
    x.target = target;
    if (!of.targets().has(target)) return x;
    x.is = of.health_of(target);
    for (std::size_t v = 0; v < vantage_count; ++v) x.says[v] = of.says(target, static_cast<vantage>(v));
    if (const recovery_memory* m = of.memory_of(target); m != nullptr && m->helped != operation::none) {
        x.helped = m->helped;
        x.helped_at = m->helped_at;
    }
    const incident* i = of.incident_of(target);
    if (i == nullptr) return x;
    x.incident = i->id;
    x.at = i->at;
    x.since = i->opened_at;
    const std::span<const rung> rungs = of.policy_of(*i).rungs();
    x.steps = rungs.size();
    x.step = i->rung < rungs.size() ? i->rung + std::size_t{1} : rungs.size();
    if (i->rung < rungs.size()) {
        x.rung = rungs[i->rung].what;
        x.most_attempts = rungs[i->rung].burst.count;
    }
    x.attempts = i->attempts;
    x.said = joined(i->said);
    std::size_t vain = 0;
    for (std::size_t n = 0; n < rungs.size(); ++n) {
        if ((i->unhelpful >> n & 1U) != 0) x.in_vain[vain++] = rungs[n].what;
    }
    x.subject = i->subject != no_target ? i->subject : of.subject_of(*i);
    if (i->at == phase::absorbed) {
        for (const incident& by : of.incidents()) {
            if (by.id == i->absorbed_by) x.covered_by = by.target;
        }
    }
    if (i->at == phase::deciding) x.answers = of.answers_for(*i);
    x.next = i->at == phase::verifying ? i->verify_by : i->wake;
    return x;
}

/// One line for a person.
[[nodiscard]] inline std::string to_text(const engine& of, const explanation& x) {
    const auto name = [&](target_id t) { return std::string{of.name(t)}; };
    if (!of.targets().has(x.target)) return "there is no such target";
    std::string out = name(x.target) + " is " + std::string{to_string(x.is)};
    std::string said;
    for (std::size_t v = 0; v < vantage_count; ++v) {
        if (x.says[v] == health::unknown) continue;
        said += (said.empty() ? " (" : ", ") + std::string{to_string(static_cast<vantage>(v))} + ": " +
                std::string{to_string(x.says[v])};
    }
    out += said.empty() ? std::string{} : said + ")";
    if (of.deposed()) out += "; this controller lost the lead";
    if (x.incident == no_incident) {
        out += "; no incident";
        if (x.helped != operation::none)
            out += "; " + std::string{to_string(x.helped)} + " helped at " + format_time(x.helped_at);
        return out;
    }
    out += "; incident " + std::to_string(static_cast<std::uint32_t>(x.incident)) + " since " + format_time(x.since) +
           " is " + std::string{to_string(x.at)};
    for (std::size_t n = 0; n < x.in_vain.size() && x.in_vain[n] != operation::none; ++n)
        out += (n == 0 ? "; in vain: " : ", ") + std::string{to_string(x.in_vain[n])};
    if (x.covered_by != no_target) return out + "; it waits for the action upon " + name(x.covered_by);
    if (x.rung != operation::none) {
        out += "; step " + std::to_string(x.step) + " of " + std::to_string(x.steps) + ": " +
               std::string{to_string(x.rung)};
        if (x.subject != no_target && x.subject != x.target) out += " of " + name(x.subject);
        out += ", " + std::to_string(x.attempts) + " of " + std::to_string(x.most_attempts) + " attempts made";
    }
    for (std::size_t g = 0; g < guard_count; ++g) {
        const guard_answer a = x.answers.of(static_cast<guard>(g));
        if (a.allows()) continue;
        out += "; " + std::string{to_string(static_cast<guard>(g))} + " denies: " + std::string{to_string(a.why)};
        out += a.next == never ? std::string{} : ", until " + format_time(a.next);
    }
    if (!x.said.empty()) append_printable(out += "; the driver said: ", x.said);
    if (x.next != never) out += "; next look at " + format_time(x.next);
    return out;
}

/// One JSON object, without a line feed.
[[nodiscard]] inline std::string to_json(const engine& of, const explanation& x) {
    std::string out;
    const auto text = [&out](std::string_view key, std::string_view value) {
        out += out.empty() ? "{\"" : ",\"";
        out += key;
        out += "\":";
        append_json_string(out, value);
    };
    const auto number = [&out](std::string_view key, std::uint64_t value) {
        out += ",\"" + std::string{key} + "\":" + std::to_string(value);
    };
    text("target", of.name(x.target));
    text("health", to_string(x.is));
    out += ",\"vantages\":{";
    bool first = true;
    for (std::size_t v = 0; v < vantage_count; ++v) {
        if (x.says[v] == health::unknown) continue;
        out += (first ? "\"" : ",\"") + std::string{to_string(static_cast<vantage>(v))} + "\":\"" +
               std::string{to_string(x.says[v])} + '"';
        first = false;
    }
    out += '}';
    if (of.deposed()) out += ",\"deposed\":true";
    if (x.helped != operation::none) {
        text("helped", to_string(x.helped));
        text("helped_at", format_time(x.helped_at));
    }
    if (x.incident == no_incident) return out + '}';
    number("incident", static_cast<std::uint32_t>(x.incident));
    text("phase", to_string(x.at));
    text("since", format_time(x.since));
    text("rung", to_string(x.rung));
    number("step", x.step);
    number("steps", x.steps);
    number("attempts", x.attempts);
    number("most_attempts", x.most_attempts);
    out += ",\"in_vain\":[";
    for (std::size_t n = 0; n < x.in_vain.size() && x.in_vain[n] != operation::none; ++n)
        out += (n == 0 ? "\"" : ",\"") + std::string{to_string(x.in_vain[n])} + '"';
    out += ']';
    if (!x.said.empty()) text("said", x.said);
    if (x.subject != no_target) text("subject", of.name(x.subject));
    if (x.covered_by != no_target) text("covered_by", of.name(x.covered_by));
    out += ",\"denials\":[";
    first = true;
    for (std::size_t g = 0; g < guard_count; ++g) {
        const guard_answer a = x.answers.of(static_cast<guard>(g));
        if (a.allows()) continue;
        out += (first ? "{\"guard\":\"" : ",{\"guard\":\"") + std::string{to_string(static_cast<guard>(g))} +
               "\",\"reason\":\"" + std::string{to_string(a.why)} + '"';
        if (a.next != never) out += ",\"next\":\"" + format_time(a.next) + '"';
        out += '}';
        first = false;
    }
    out += ']';
    if (x.next != never) text("next", format_time(x.next));
    return out + '}';
}

} // namespace reheat::inline REHEAT_ABI
