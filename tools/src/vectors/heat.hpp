// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/aws_names.hpp>
#include <reheat/alarm/fleet.hpp>
#include <reheat/alarm/preset.hpp>

#include "rows.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace vectors {

namespace heat {

namespace rh = reheat;

inline std::string_view heat_name(rh::alarm_state s) {
    return s == rh::alarm_state::alarm ? "ALARM" : s == rh::alarm_state::ok ? "NORMAL" : "NODATA";
}

inline rh::alarm_state state_of(std::string_view heat) {
    return heat == "ALARM"    ? rh::alarm_state::alarm
           : heat == "NORMAL" ? rh::alarm_state::ok
                              : rh::alarm_state::insufficient_data;
}

inline rh::any_alarm rule_of(const json& row) {
    rh::any_alarm rule;
    rule.of.period = std::chrono::seconds{row.at("period").get<std::int64_t>()};
    for (const auto s : {rh::statistic::sample_count, rh::statistic::sum, rh::statistic::average,
                         rh::statistic::minimum, rh::statistic::maximum}) {
        if (to_string(s) == row.value("statistic", "Average")) rule.of.statistic = {s};
    }
    if (row.contains("op")) rule.compare = {rh::aws::parse<rh::comparison>(row["op"].get<std::string>()).value()};
    rule.threshold = row.value("threshold", 30.0);
    rule.grace = rh::duration::zero();
    return rh::preset::heat(rule);
}

/// One alarm whose evaluation is at a moment, watched two periods before it.
struct watched {
    explicit watched(const rh::any_alarm& rule) : all{rule}, row{all.watch(rh::target_id{0}, start)} {
        now = start + rule.of.period * 2;
    }
    void push(double value, std::int64_t age) { all.push(row, now - std::chrono::seconds{age}, value); }

    static constexpr rh::time_point start{std::chrono::hours{24 * 365 * 50}};
    rh::fleet<rh::any_alarm> all;
    rh::row_handle row;
    rh::time_point now;
    std::vector<rh::transition> out;
};

inline void check_case(const std::string& id, const json& row, report& r) {
    watched w{rule_of(row)};
    // The one before sees what is a period older, as in Heat.
    w.all.evaluate(0, w.now - w.all.rule().of.period, w.out);
    for (const json& sample : row.at("samples_value_age")) w.push(sample.at(0), sample.at(1));
    w.all.evaluate(0, w.now, w.out);
    r.equal(id, row, row.at("expected"), heat_name(w.all.state(w.row.row)));
}

inline std::string_view action_of(rh::alarm_state s) {
    return s == rh::alarm_state::alarm ? "AlarmActions"
           : s == rh::alarm_state::ok  ? "OKActions"
                                       : "InsufficientDataActions";
}

/// Drives a Maximum > 30 alarm into a state and on to the next; gives the actions of the second evaluation.
inline json actions(rh::alarm_state from, rh::alarm_state to, rh::alarm_state& reached) {
    rh::any_alarm rule = rh::preset::heat(
        rh::any_alarm{.of = {.statistic = {rh::statistic::maximum}, .period = std::chrono::seconds{300}},
                      .compare = {rh::comparison::greater_than},
                      .threshold = 30,
                      .grace = rh::duration::zero()});
    watched w{rule};
    const auto feed = [&](rh::alarm_state wanted, rh::time_point at) {
        if (wanted != rh::alarm_state::insufficient_data)
            w.all.push(w.row, at, wanted == rh::alarm_state::alarm ? 50 : 10);
    };
    feed(from, w.start + std::chrono::seconds{10});
    w.all.evaluate(0, w.start + rule.of.period, w.out);
    w.out.clear();
    feed(to, w.start + rule.of.period + std::chrono::seconds{10});
    w.all.evaluate(0, w.now, w.out);
    reached = w.all.state(w.row.row);
    json all = json::array();
    for (const rh::transition& t : w.out) all.push_back(action_of(t.to));
    return all;
}

inline void check_lifecycle(const std::string& id, const json& row, report& r) {
    if (row.value("state", "") == "SUSPENDED" || row.contains("stack_status")) {
        r.later(id, "needs a stack that is suspended or busy");
    } else if (row.contains("age_since_last_eval")) {
        rh::any_alarm rule = rule_of(row);
        rule.of.statistic = {rh::statistic::maximum};
        rule.compare = {rh::comparison::greater_than};
        watched w{rule};
        w.all.evaluate(0, w.start + rule.of.period, w.out);
        w.now = w.start + rule.of.period + std::chrono::seconds{row["age_since_last_eval"].get<std::int64_t>()};
        for (const json& sample : row.value("data", json::array())) w.push(sample.at(0), sample.at(1));
        w.out.clear();
        w.all.evaluate(0, w.now, w.out);
        r.equal(id, row, row.at("expected"), heat_name(w.all.state(w.row.row)));
    } else if (row.contains("next")) {
        rh::alarm_state reached{};
        const rh::alarm_state to = state_of(row["next"].get<std::string>());
        const json got = actions(state_of(row.at("state").get<std::string>()), to, reached);
        const json expected = row.contains("actions") ? row["actions"] : json::array({action_of(to)});
        r.equal(id, row, json::array({row["next"], expected}), json::array({heat_name(reached), got}));
    } else {
        r.unknown_shape(id, row);
    }
}

} // namespace heat

inline void run_heat(const json& file, report& r) {
    const auto check = [&r](const std::string& id, const json& row) {
        if (row.contains("samples_value_age")) heat::check_case(id, row, r);
        else heat::check_lifecycle(id, row, r);
    };
    each_row(file, "cases", r, check);
    each_row(file, "lifecycle", r, check);
}

} // namespace vectors
