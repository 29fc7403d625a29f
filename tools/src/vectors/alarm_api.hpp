// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/alarm_validation.hpp>
#include <reheat/alarm/aws_names.hpp>
#include <reheat/alarm/history_text.hpp>
#include <reheat/metric/statistic_name.hpp>

#include "reason_reader.hpp"
#include "rows.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace vectors {

namespace alarm_api {

namespace rh = reheat;
namespace aws = reheat::aws;
using rh::alarm_state;

/// A definition that is good, for rows that say of one parameter only.
inline rh::alarm_definition good_alarm() {
    rh::alarm_definition a;
    a.name = "alarm";
    a.metric_name = "metric";
    a.metric_namespace = "namespace";
    a.statistic = "Average";
    a.period = 60;
    a.evaluation_periods = 1;
    a.threshold = 1;
    a.comparison_operator = "GreaterThanThreshold";
    return a;
}

inline bool is_extended(std::string_view name) {
    const auto spec = rh::parse_statistic(name);
    return spec && spec->kind != rh::extended_kind::none;
}

inline void validation(const std::string& id, const json& row, report& r) {
    if (!has_only(row, {"ok", "message", "error", "period", "evaluation_periods", "datapoints_to_alarm",
                        "treat_missing_data", "low_sample", "extended_statistic", "statistic", "comparison_operator"}))
        return r.unknown_shape(id, row);
    rh::alarm_definition a = good_alarm();
    std::map<std::string, std::string> texts;
    const auto text = [&](const char* key, std::string_view& to) {
        if (row.contains(key)) to = texts[key] = row[key].get<std::string>();
    };
    const auto number = [&](const char* key, std::optional<std::int64_t>& to) {
        if (row.contains(key)) to = row[key].get<std::int64_t>();
    };
    number("period", a.period);
    number("evaluation_periods", a.evaluation_periods);
    number("datapoints_to_alarm", a.datapoints_to_alarm);
    text("treat_missing_data", a.treat_missing_data);
    text("low_sample", a.evaluate_low_sample_count_percentile);
    text("comparison_operator", a.comparison_operator);
    text("statistic", a.statistic);
    if (row.contains("extended_statistic")) a.statistic = {};
    text("extended_statistic", a.extended_statistic);
    const auto fault = rh::check_alarm(a, is_extended);
    const json& good = row.at("ok");
    r.equal(id, row, good.is_boolean() ? good.get<bool>() : good != 0, !fault);
    const std::string message = fault ? fault->message : "";
    if (row.contains("message")) r.equal(id + " message", row, row["message"], message);
    if (row.contains("error")) r.equal(id + " error", row, row["error"], fault ? fault->code : "");
}

inline void operators(const std::string& id, const json& row, report& r) {
    const auto compare = aws::parse<rh::comparison>(row.at("op").get<std::string>());
    if (!compare || !has_only(row, {"op", "a", "b", "upper", "breaching"})) return r.unknown_shape(id, row);
    const bool got =
        rh::any_comparison{*compare}(row.at("a").get<double>(), row.at("b").get<double>(), row.value("upper", 0.0));
    r.equal(id, row, row.at("breaching"), got);
}

template <class E>
json names_of() {
    json names = json::array();
    for (const std::string_view name : aws::names<E>) {
        if (!name.empty()) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

inline void enumeration(const std::string& id, const std::string& key, const json& value, report& r) {
    static const std::map<std::string, json> known{
        {"StateValue", names_of<alarm_state>()},
        {"ComparisonOperator", names_of<rh::comparison>()},
        {"TreatMissingData", names_of<rh::missing_data>()},
        {"EvaluateLowSampleCountPercentile", names_of<rh::low_sample_option>()},
        {"HistoryItemType", names_of<rh::history_kind>()},
        {"EvaluationState", names_of<rh::evaluation_state>()},
        {"ActionsSuppressedBy", names_of<rh::suppressed_by>()}};
    const auto ours = known.find(key);
    if (ours == known.end()) return r.unknown_shape(id, value);
    json expected = value;
    std::sort(expected.begin(), expected.end());
    r.equal(id, value, expected, ours->second);
}

/// Whether a parameter may be as long, or as large, as a number says.
inline std::optional<bool> allows(const std::string& limit, std::int64_t n) {
    const std::string text(static_cast<std::size_t>(std::max<std::int64_t>(n, 0)), 'x');
    const std::vector<std::string_view> actions(text.size(), "arn:aws:sns:topic");
    const auto any = [](std::string_view) { return true; };
    rh::alarm_definition a = good_alarm();
    if (limit == "state_reason") return !rh::check_state_update("OK", text, "", any);
    if (limit == "state_reason_data") return !rh::check_state_update("OK", "", text, any);
    if (limit == "alarm_name") {
        a.name = text;
    } else if (limit == "description") {
        a.description = text;
    } else if (limit == "actions_per_state") {
        a.alarm_actions = actions;
    } else if (limit == "evaluation_periods_min") {
        a.evaluation_periods = n;
    } else if (limit == "datapoints_to_alarm_min") {
        a.datapoints_to_alarm = n;
    } else {
        return std::nullopt;
    }
    return !rh::check_alarm(a, is_extended);
}

inline void limit(const std::string& id, const std::string& key, const json& value, report& r) {
    const rh::alarm_limits& ours = rh::limits_of_alarms;
    const std::map<std::string, json> constants{{"history_data_max", ours.history_data},
                                                {"history_summary_max", ours.history_summary},
                                                {"describe_names_max", ours.names_to_describe},
                                                {"max_records", json::array({1, ours.records})}};
    if (const auto constant = constants.find(key); constant != constants.end())
        return r.equal(id, value, value, constant->second);
    if (key == "history_retention") {
        const std::string text = value.get<std::string>();
        const rh::duration told = std::chrono::days{7} * std::stoi(text); // "2 weeks"
        rh::alarm_history history{1};
        history.add({});
        const bool kept = history.size(rh::time_point{} + told) == 1;
        const bool longer = history.size(rh::time_point{} + told + rh::duration{1}) == 1;
        return r.equal(id, value, json::array({true, false}), json::array({kept, longer}));
    }
    if (value.is_string()) return r.not_executable(id, "a sentence");
    const bool least = key.ends_with("_min");
    const auto low = value.is_array() ? value.at(0).get<std::int64_t>() : value.get<std::int64_t>();
    const auto high = value.is_array() ? value.at(1).get<std::int64_t>() : low;
    if (!allows(key, low)) return r.unknown_shape(id, value);
    if (least || value.is_array()) {
        r.equal(id + " least", value, true, *allows(key, low));
        if (low > 0) r.equal(id + " below the least", value, false, *allows(key, low - 1));
    }
    if (!least) {
        r.equal(id + " most", value, true, *allows(key, high));
        r.equal(id + " above the most", value, false, *allows(key, high + 1));
    }
}

inline void fault(const std::string& id, const json& row, const std::optional<rh::api_fault>& got, report& r) {
    if (row.contains("error")) r.equal(id, row, row["error"], got ? json(got->code) : json(nullptr));
    if (row.contains("message"))
        r.equal(id + " message", row, row["message"], got ? json(got->message) : json(nullptr));
    if (row.contains("http")) r.equal(id + " http", row, row["http"], got ? json(got->http_status) : json(nullptr));
}

/// `GetMetricStatistics 1 day @1 s`, `GetMetricStatistics start==end`.
inline bool statistics_range(const std::string& id, const std::string& op, const json& row, report& r) {
    static const std::regex over{R"((\d+) (\w+) @ ?(\d+) (\w+))"};
    static const std::map<std::string, std::int64_t> units{
        {"s", 1},    {"second", 1},  {"seconds", 1},  {"min", 60},    {"minute", 60},  {"minutes", 60},
        {"h", 3600}, {"hour", 3600}, {"hours", 3600}, {"day", 86400}, {"days", 86400}, {"week", 604800}};
    const rh::time_point start{std::chrono::hours{400'000}};
    std::smatch m;
    if (std::regex_search(op, m, over) && units.contains(m[2]) && units.contains(m[4])) {
        const std::chrono::seconds length{std::stoll(m[1]) * units.at(m[2])};
        const std::chrono::seconds period{std::stoll(m[3]) * units.at(m[4])};
        fault(id, row, rh::check_statistics_range(start, start + length, period), r);
        return true;
    }
    const bool equal = op.find("start==end") != std::string::npos;
    if (!equal && op.find("start>end") == std::string::npos) return false;
    const rh::time_point end = equal ? start : start - std::chrono::hours{1};
    fault(id, row, rh::check_statistics_range(start, end, std::chrono::minutes{1}), r);
    return true;
}

/// A reason is taken apart and put together again.
inline void reason(const std::string& id, const json& row, report& r) {
    const auto state = aws::parse<alarm_state>(row.at("state").get<std::string>());
    std::string text = row.at("reason").get<std::string>();
    if (text == rh::initial_reason)
        return r.equal(id, row, row["state"], aws::name(rh::alarm_record::created(rh::time_point{}).state));
    for (std::size_t at = 0; (at = text.find("DD/MM/YY HH:MM:SS", at)) != std::string::npos;)
        text.replace(at, 17, "31/12/29 23:58:59");
    const auto told = state ? read_reason(text, *state) : std::nullopt;
    if (!told) return r.unknown_shape(id, row);
    r.equal(id, row, text, rh::reason_text(told->view()));
}

/// Replaces in `ours` what a row leaves open with a placeholder (`date`, `...`), where there is a text.
inline void leave_open(const json& expected, json& ours) {
    if (expected.is_string() && (expected == "date" || expected == "...") && ours.is_string() && !ours.empty()) {
        ours = expected;
    } else if (expected.is_object() && ours.is_object()) {
        for (auto& [key, value] : ours.items()) {
            if (expected.contains(key)) leave_open(expected[key], value);
        }
    } else if (expected.is_array() && ours.is_array()) {
        for (std::size_t i = 0; i < ours.size() && i < expected.size(); ++i) leave_open(expected[i], ours[i]);
    }
}

/// A state update of the history, rendered from the numbers of the row.
inline void history(const std::string& id, const json& row, report& r) {
    const json& item = row["item"];
    const json& data = item.at("HistoryData");
    if (item.at("HistoryItemType") != "StateUpdate") return r.unknown_shape(id, row);
    const auto from = aws::parse<alarm_state>(data.at("oldState").at("stateValue").get<std::string>());
    const auto to = aws::parse<alarm_state>(data.at("newState").at("stateValue").get<std::string>());
    const json& told = data["newState"].at("stateReasonData");
    if (!from || !to) return r.unknown_shape(id, row);
    std::vector<rh::evidence_point> points;
    for (const json& p : told.at("evaluatedDatapoints"))
        points.push_back({rh::time_point{}, p.at("value").get<double>(), p.value("sampleCount", 0.0)});
    const rh::alarm_evidence e =
        rh::counted({.state = *to, .threshold = told.at("threshold").get<double>(), .points = points});
    const std::string statistic = told.value("statistic", "");
    const std::string unit = told.value("unit", "");
    rh::alarm_history kept{4};
    kept.add({.from = *from, .to = *to, .why = rh::kept_evidence{e}});
    json ours = json::parse(rh::history_data(kept, 0, {statistic, unit, seconds(told.at("period"))}), nullptr, false);
    leave_open(data, ours);
    r.equal(id, row, data, ours);
    r.equal(id + " summary", row, item.at("HistorySummary"), rh::history_summary(kept[0], "alarm"));
}

inline void behaviour(const std::string& id, const json& row, report& r) {
    const std::string op = row.value("op", "");
    if (row.contains("item")) return history(id, row, r);
    if (row.contains("reason")) return reason(id, row, r);
    if (op.starts_with("GetMetricStatistics") && statistics_range(id, op, row, r)) return;
    const auto is_json = [](std::string_view text) { return json::accept(text); };
    const std::string error = row.value("error", "");
    if (op == "SetAlarmState StateReasonData" && error == "InvalidFormat")
        return fault(id, row, rh::check_state_update("OK", "", "no JSON", is_json), r);
    if (op.starts_with("SetAlarmState ") && error == "ValidationError")
        return fault(id, row, rh::check_state_update(op.substr(14), "", "", is_json), r);
    if (op.empty()) return r.unknown_shape(id, row);
    r.later(id, "an API verb: " + op);
}

} // namespace alarm_api

/// Runs `reheat.alarm.api/1`.
inline void run_alarm_api(const json& file, report& r) {
    using text = const std::string&;
    each_row(file, "operators", r, [&](text id, const json& row) { alarm_api::operators(id, row, r); });
    each_row(file, "behaviours", r, [&](text id, const json& row) { alarm_api::behaviour(id, row, r); });
    each_row(file, "validation", r, [&](text id, const json& row) { alarm_api::validation(id, row, r); });
    each_member(file, "enums", r,
                [&](text id, text key, const json& value) { alarm_api::enumeration(id, key, value, r); });
    each_member(file, "limits", r, [&](text id, text key, const json& value) {
        if (key != "source") alarm_api::limit(id, key, value, r);
    });
}

} // namespace vectors
