// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/aws_names.hpp>
#include <reheat/alarm/composite.hpp>
#include <reheat/alarm/composite_parser.hpp>
#include <reheat/alarm/composite_text.hpp>
#include <reheat/alarm/suppressor.hpp>

#include "rows.hpp"

#include <charconv>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vectors {

namespace composite {

/// The rule that a generator's text describes: a number and what of; empty if it is not understood.
inline std::string generated(std::string text) {
    std::erase(text, ','); // of 10,240
    const std::size_t digit = text.find_first_of("0123456789");
    if (digit == std::string::npos) return {};
    std::size_t count = 0;
    const char* end = text.data() + text.size();
    const auto number = std::from_chars(text.data() + digit, end, count);
    if (number.ec != std::errc{} || count == 0 || count > 100'000) return {};
    const std::string_view noun{number.ptr, static_cast<std::size_t>(end - number.ptr)};
    const auto is = [noun](std::string_view word) { return noun.find(word) != std::string_view::npos; };
    std::string rule;
    if (is("element")) {
        for (std::size_t i = 0; i < count; ++i) rule += i == 0 ? "TRUE" : " OR TRUE";
    } else if (is("child")) {
        for (std::size_t i = 0; i < count; ++i) rule += (i == 0 ? "ALARM(a" : " OR ALARM(a") + std::to_string(i) + ")";
    } else if (is("char")) {
        constexpr std::size_t around = 7; // ALARM()
        if (count > around) rule = "ALARM(" + std::string(count - around, 'a') + ")";
    }
    return rule;
}

/// The rule of a row, written out or generated; none if it cannot be made.
inline std::optional<std::string> rule_of(const json& row, const char* generator, std::string_view id, report& r) {
    if (row.at("rule").is_string()) return row["rule"].get<std::string>();
    std::string rule = generated(row.at(generator).get<std::string>());
    if (!rule.empty()) return rule;
    r.not_executable(id, row[generator].get<std::string>());
    return std::nullopt;
}

inline reheat::alarm_state state_of(const json& name) {
    const auto state = reheat::aws::parse<reheat::alarm_state>(name.get<std::string>());
    if (!state) throw json::other_error::create(500, "no state", &name);
    return *state;
}

inline json verdict(const reheat::result<reheat::composite_rule>& rule) {
    return rule ? json("accepted") : json(rule.error().message);
}

inline json evaluated(const reheat::composite_rule& rule, const json& states) {
    return reheat::aws::name(reheat::evaluate(rule, [&](std::size_t child) {
        const std::string& name = rule.children()[child];
        return states.contains(name) ? state_of(states[name]) : reheat::alarm_state::insufficient_data;
    }));
}

inline void run_valid(const json& row, const std::string& id, report& r) {
    const auto text = rule_of(row, "generator", id, r);
    if (!text) return;
    const auto rule = reheat::parse_composite_rule(*text);
    if (!rule) return r.equal(id, row, "accepted", verdict(rule));
    const auto again = reheat::parse_composite_rule(to_string(*rule));
    r.check(id, again && *again == *rule, row, "reads back what it printed", to_string(*rule));
}

inline void run_invalid(const json& row, const std::string& id, report& r) {
    const auto text = rule_of(row, "rule_generator", id, r);
    if (!text) return;
    const auto rule = reheat::parse_composite_rule(*text);
    r.check(id, !rule, row, "an error", verdict(rule));
    for (const char* message : {"aws_message", "shape_message"}) {
        if (row.contains(message) && !row[message].is_null())
            r.equal(id + "/" + message, row, row[message], verdict(rule));
    }
}

inline void run_evaluation(const json& row, const std::string& id, report& r) {
    const auto rule = reheat::parse_composite_rule(row.at("rule").get<std::string>());
    r.equal(id, row, row.at("expected"), rule ? evaluated(*rule, row.at("states")) : verdict(rule));
}

inline void run_sequence(const json& row, const std::string& id, report& r) {
    auto rule = reheat::parse_composite_rule(row.at("rule").get<std::string>());
    if (!rule) return r.equal(id, row, "accepted", verdict(rule));
    reheat::composite_set set;
    const std::vector<std::string> children{rule->children().begin(), rule->children().end()};
    for (const std::string& child : children) r.check(id, set.add(child).has_value(), row, "added", child);
    std::vector<reheat::composite_transition> changes;
    reheat::time_point now{};
    const auto self = set.add("the composite alarm itself", std::move(*rule), now, changes);
    if (!self) return r.equal(id, row, "added", self.error().message);
    for (std::size_t n = 0; n < row.at("steps").size(); ++n) {
        const json& step = row["steps"][n];
        const auto child = set.find(step.at("set").at(0).get<std::string>());
        if (!child) return r.unknown_shape(id, step);
        changes.clear();
        set.set_state(*child, state_of(step["set"].at(1)), now += std::chrono::seconds{1}, changes);
        json got{
            {"composite", reheat::aws::name(set.state(*self))}, {"notify", nullptr}, {"triggering", json::array()}};
        for (const reheat::alarm_id by : set.triggering(*self)) got["triggering"].push_back(set.name(by));
        if (!changes.empty()) got["notify"] = reheat::aws::name(changes.back().to);
        const json expected{{"composite", step.at("composite")},
                            {"notify", step.value("notify", json{})},
                            {"triggering", step.value("triggering", got["triggering"])}};
        r.equal(id + "/step " + std::to_string(n), step, expected, got);
    }
}

/// The figures and words of the file that are constants here.
inline void run_constants(const json& file, report& r) {
    using limits = reheat::composite_limits;
    const json known{{"rule_chars", {1, limits::characters}},
                     {"children", limits::children},
                     {"elements", limits::elements},
                     {"parents_of_one_alarm", limits::parents}};
    each_member(file, "limits", r, [&](const std::string& id, const std::string& name, const json& value) {
        if (known.contains(name)) r.equal(id, name, value, known[name]);
        else r.not_executable(id, "a limit of CloudWatch's requests");
    });
    if (file.contains("ebnf")) r.not_executable("ebnf", "the grammar as text");
    for (const bool value : {true, false}) {
        const char* key = value ? "rule_true" : "rule_false";
        const auto rule = reheat::parse_composite_rule(value ? "TRUE" : "FALSE");
        if (file.contains(key)) r.equal(key, value, file[key], rule ? evaluated(*rule, json::object()) : verdict(rule));
    }
    if (file.contains("initial_state")) {
        reheat::composite_set set;
        std::vector<reheat::composite_transition> changes;
        const auto added = set.add("composite", *reheat::parse_composite_rule("TRUE"), {}, changes);
        const bool told = added && changes.size() == 1;
        r.equal("initial_state", {}, file["initial_state"], told ? json(reheat::aws::name(changes[0].from)) : json{});
    }
}

inline void run_timeline(const json& row, const std::string& id, report& r) {
    const auto periods = reheat::suppression_periods{.wait = seconds(row.at("wait_period")),
                                                     .extension = seconds(row.at("extension_period"))};
    reheat::action_suppressor gate{periods, state_of(row.at("suppressor_initial"))};
    json actions = json::array();
    const auto note = [&actions](const std::optional<reheat::due_action>& due) {
        if (!due) return;
        const auto at = std::chrono::floor<std::chrono::seconds>(due->at.time_since_epoch()).count();
        actions.push_back({at, reheat::aws::name(due->state)});
    };
    const json& samples = row.at("actions_suppressed_by");
    json suppressed = json::array();
    std::size_t heard = 0;
    for (std::size_t t = 0; t < samples.size(); ++t) {
        const reheat::time_point now{std::chrono::seconds{t}};
        for (const json& event : row.at("events")) {
            if (event.at(0).get<std::size_t>() != t) continue;
            ++heard;
            if (event.at(1) == "comp") note(gate.composite_changed(state_of(event.at(2)), now));
            else if (event.at(1) == "sup") note(gate.suppressor_changed(state_of(event.at(2)), now));
            else return r.unknown_shape(id, row);
        }
        note(gate.advance(now));
        const auto by = gate.actions_suppressed_by();
        suppressed.push_back(by ? json(reheat::aws::name(*by)) : json{});
    }
    if (heard != row["events"].size()) return r.unknown_shape(id, row);
    r.equal(id + "/actions", row["events"], row.at("expected_actions"), actions);
    r.equal(id + "/suppressed_by", row["events"], samples, suppressed);
}

} // namespace composite

/// Schema reheat.alarm.composite/1.
inline void run_composite(const json& file, report& r) {
    using check = void (*)(const json&, const std::string&, report&);
    const auto rows = [&](const char* list, check one) {
        each_row(file, list, r, [&](const std::string& id, const json& row) { one(row, id, r); });
    };
    composite::run_constants(file, r);
    rows("valid", composite::run_valid);
    rows("invalid", composite::run_invalid);
    rows("evaluation", composite::run_evaluation);
    rows("sequences", composite::run_sequence);
}

/// Schema reheat.alarm.suppressor/1.
inline void run_suppressor(const json& file, report& r) {
    each_row(file, "cases", r, [&](const std::string& id, const json& row) { composite::run_timeline(row, id, r); });
}

} // namespace vectors
