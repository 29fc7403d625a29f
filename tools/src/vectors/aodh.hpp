// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/composite_parser.hpp>
#include <reheat/alarm/composite_rule.hpp>
#include <reheat/alarm/event_rule.hpp>
#include <reheat/alarm/time_constraint.hpp>
#include <reheat/alarm/unanimous.hpp>
#include <reheat/core/parse_time.hpp>
#include <reheat/core/text.hpp>

#include "rows.hpp"

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vectors {

namespace aodh {

namespace rh = reheat;
using rh::alarm_state;

inline std::optional<alarm_state> state_of(std::string_view text) {
    if (text == "ok") return alarm_state::ok;
    if (text == "alarm") return alarm_state::alarm;
    if (text == "insufficient data") return alarm_state::insufficient_data;
    return std::nullopt;
}

inline std::string name_of(alarm_state s) {
    return s == alarm_state::insufficient_data ? "insufficient data" : std::string{rh::to_string(s)};
}

/// The rule of a row; none if its operator is not known.
inline std::optional<rh::unanimous_rule> rule_of(const json& row) {
    const auto compare = rh::parse_operator(row.at("op").get<std::string>());
    if (!compare) return std::nullopt;
    return rh::unanimous_rule{.compare = {*compare},
                              .threshold = row.at("threshold").get<double>(),
                              .evaluation_periods = row.at("evaluation_periods").get<std::uint16_t>(),
                              .repeat_actions = row.value("repeat_actions", false)};
}

inline void threshold(const std::string& id, const json& row, report& r) {
    const auto rule = rule_of(row);
    const auto before = state_of(row.at("state").get<std::string>());
    if (!rule || !before || !rh::validate(*rule)) return r.unknown_shape(id, row);
    const auto values = row.at("values").get<std::vector<double>>();
    const alarm_state after = rh::evaluate(*rule, values, *before).state;
    r.equal(id, row, row.at("expected_state"), name_of(after));
    if (row.contains("expected_notify"))
        r.equal(id + " notify", row, row["expected_notify"], rh::notifies(*before, after, rule->repeat_actions));
}

inline void window(const std::string& id, const json& row, report& r) {
    const auto now = rh::parse_time(row.at("now").get<std::string>());
    const auto start = rh::parse_time(row.at("start").get<std::string>());
    if (!now || !start) return r.unknown_shape(id, row);
    const rh::unanimous_rule rule{.evaluation_periods = row.at("evaluation_periods").get<std::uint16_t>(),
                                  .granularity = seconds(row.at("granularity")),
                                  .exclude_outliers = row.value("exclude_outliers", false)};
    r.equal(id, row, rh::format_time(*start), rh::format_time(rh::window_start(rule, *now, seconds(row.at("lag")))));
}

inline void outliers(const std::string& id, const json& row, report& r) {
    const auto rule = rule_of(row);
    const auto before = state_of(row.at("state").get<std::string>());
    const auto values = row.at("values").get<std::vector<double>>();
    const auto counts = row.at("sample_counts").get<std::vector<double>>();
    if (!rule || !before || values.size() != counts.size()) return r.unknown_shape(id, row);
    std::vector<rh::measured_point> points;
    for (std::size_t i = 0; i < values.size(); ++i) points.push_back({values[i], counts[i]});
    points.resize(rh::exclude_outliers(points));
    std::vector<double> kept;
    for (const rh::measured_point& p : points) kept.push_back(p.value);
    r.equal(id + " plain", row, row.at("expected_plain"), name_of(rh::evaluate(*rule, values, *before).state));
    r.equal(id + " excluding", row, row.at("expected_excluding"), name_of(rh::evaluate(*rule, kept, *before).state));
}

/// `r1 or (r2 and r3)` in the language of composite rules.
inline std::string translated(std::string_view rule) {
    std::string out;
    for (std::size_t i = 0; i < rule.size();) {
        std::size_t end = i;
        while (end < rule.size() && (std::isalnum(static_cast<unsigned char>(rule[end])) != 0 || rule[end] == '_'))
            ++end;
        const std::string_view word = rule.substr(i, end - i);
        if (word.empty()) {
            out += rule[i++];
            continue;
        }
        if (word == "and") {
            out += "AND";
        } else if (word == "or") {
            out += "OR";
        } else if (word == "not") {
            out += "NOT";
        } else {
            out.append("ALARM(").append(word).append(")");
        }
        i = end;
    }
    return out;
}

/// The state of a rule inside a composite alarm in state `before`: `U`, `O`, `A`, or mixed with a newest point inside
/// or outside, `trend O` or `trend A`.
inline std::optional<alarm_state> sub_state(std::string_view text, alarm_state before) {
    if (text == "U") return alarm_state::insufficient_data;
    if (text == "O") return alarm_state::ok;
    if (text == "A") return alarm_state::alarm;
    constexpr rh::evaluation mixed{.periods = 2, .datapoints_to_alarm = 2, .real = 2, .breaching = 1};
    if (text == "trend O" || text == "trend A") return rh::evaluate_unanimous(mixed, text.back() == 'A', before).state;
    return std::nullopt;
}

inline void composite(const std::string& id, const json& row, report& r) {
    const auto before = state_of(row.at("state").get<std::string>());
    const auto rule = rh::parse_composite_rule(translated(row.at("rule").get<std::string>()));
    if (!before || !rule) return r.unknown_shape(id, row);
    for (const auto& [name, state] : row.at("sub").items()) {
        if (!sub_state(state.get<std::string>(), *before))
            return r.not_executable(
                id, "rules in words; it rests on a trend turned around where the state is known, which is not copied");
    }
    std::set<std::size_t> asked;
    const alarm_state after = rh::evaluate_three_valued(*rule, [&](std::size_t child) {
        asked.insert(child);
        const std::string state = row["sub"].value(rule->children()[child], "U");
        return *sub_state(state, *before);
    });
    r.equal(id, row, row.at("expected"), name_of(after));
    if (row.contains("evaluations")) r.equal(id + " evaluations", row, row["evaluations"], asked.size());
    if (!row.contains("notify")) return;
    const bool notified = rh::notifies(*before, after, row.value("repeat", false));
    json got;
    if (notified) got = *before == after ? "remaining" : "transition";
    r.equal(id + " notify", row, row["notify"], got);
}

inline void time_constraint(const std::string& id, const json& row, report& r) {
    const auto now = rh::parse_time(row.at("now_utc").get<std::string>());
    const auto window = rh::parse_time_constraint(row.at("cron").get<std::string>(), seconds(row.at("duration_s")),
                                                  row.value("timezone", ""));
    if (!window && window.error().code == rh::errc::unsupported)
        return r.not_executable(id, "a named time zone: the library has no time zone database, and refuses it");
    if (!now || !window) return r.unknown_shape(id, row);
    const bool got = rh::inside(std::span{&*window, 1}, *now);
    r.equal(id, row, row.at("inside"), got);
}

inline rh::trait_value trait_of(const json& value) {
    if (value.is_string()) return std::string_view{value.get_ref<const std::string&>()};
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (value.is_number()) return value.get<double>();
    if (value.is_boolean()) return value.get<bool>();
    return {};
}

inline void event(const std::string& id, const json& row, report& r) {
    if (!row.contains("rule_type")) return r.not_executable(id, "a note");
    rh::event_rule rule{
        .event_type = row["rule_type"].get<std::string>(), .query = {}, .repeat_actions = row.value("repeat", false)};
    const auto before = state_of(row.at("state").get<std::string>());
    for (const json& q : row.value("query", json::array())) {
        const auto op = rh::parse_operator(q.value("op", "eq"));
        const auto type = rh::parse_trait_type(q.value("type", ""));
        const json& value = q.at("value");
        if (!op || !type) return r.unknown_shape(id, row);
        auto condition = rh::make_condition(q.at("field").get<std::string>(), *op, *type,
                                            value.is_string() ? value.get<std::string>() : value.dump());
        if (!condition) return r.unknown_shape(id, row);
        rule.query.push_back(*condition);
    }
    const json traits = row.value("traits", json::object());
    if (!before || !traits.is_object()) return r.unknown_shape(id, row);
    const auto lookup = [&traits](std::string_view field) -> rh::trait_value {
        std::string name{field};
        if (name.starts_with("traits.")) name.erase(0, 7);
        const auto found = traits.find(name);
        return found == traits.end() ? rh::trait_value{} : trait_of(*found);
    };
    const bool raised =
        rh::evaluate(rule, *before, row.at("event_type").get<std::string>(), lookup) == rh::event_effect::raised;
    r.equal(id, row, row.at("expected"), raised ? "alarm" : "skip");
}

/// Checks a range of a number of the rule on both sides of both of its ends.
template <class Set>
void range(const std::string& id, const json& value, report& r, Set set) {
    const auto good = [&set](std::int64_t n) {
        rh::unanimous_rule rule;
        set(rule, n);
        return rh::validate(rule).has_value();
    };
    const auto low = value.at(0).get<std::int64_t>();
    const auto high = value.at(1).get<std::int64_t>();
    r.equal(id, value, json::array({false, true, true, false}),
            json::array({good(low - 1), good(low), good(high), good(high + 1)}));
}

inline void limit(const std::string& id, const std::string& key, const json& value, report& r) {
    if (key == "evaluation_periods") {
        range(id, value, r, [](rh::unanimous_rule& rule, std::int64_t n) {
            rule.evaluation_periods = static_cast<std::uint16_t>(n);
        });
    } else if (key == "granularity") {
        range(id, value, r,
              [](rh::unanimous_rule& rule, std::int64_t n) { rule.granularity = std::chrono::seconds{n}; });
    } else if (key == "default_granularity") {
        r.equal(id, value, value, rh::unanimous_rule{}.granularity / std::chrono::seconds{1});
    } else if (key == "operators") {
        json known = json::array();
        for (const json& name : value) {
            if (rh::parse_operator(name.get<std::string>())) known.push_back(name);
        }
        r.equal(id, value, value, known);
    } else if (key == "severity" || key == "default_severity") {
        r.not_executable(id, "a label that no rule reads");
    } else {
        r.unknown_shape(id, value);
    }
}

} // namespace aodh

/// Runs `reheat.alarm.aodh/1`.
inline void run_aodh(const json& file, report& r) {
    const auto list = [&file, &r](const char* name, void (*check)(const std::string&, const json&, report&)) {
        each_row(file, name, r, [&](const std::string& id, const json& row) { check(id, row, r); });
    };
    list("threshold", aodh::threshold);
    list("windows", aodh::window);
    list("outliers", aodh::outliers);
    list("composite", aodh::composite);
    list("time_constraints", aodh::time_constraint);
    list("event", aodh::event);
    each_member(file, "limits", r, [&r](const std::string& id, const std::string& key, const json& value) {
        aodh::limit(id, key, value, r);
    });
    for (const auto& [key, value] : file.items()) {
        if (value.is_string() && key != "schema") r.not_executable(key, "a sentence");
    }
}

} // namespace vectors
