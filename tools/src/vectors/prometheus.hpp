// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/hold.hpp>
#include <reheat/metric/staleness.hpp>

#include "rows.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vectors {

namespace prometheus {

namespace rh = reheat;
using rh::time_point;

/// Zero of the file's times.
inline constexpr time_point t0{std::chrono::hours{400'000}};

inline time_point at(const json& seconds_since) { return t0 + seconds(seconds_since); }

/// The seconds after `t0`, whole where they are.
inline json seconds_of(time_point t) {
    const std::chrono::duration<double> since = t - t0;
    return since.count();
}

inline void timeline(const std::string& id, const json& row, report& r) {
    const rh::hold_rule rule{seconds(row.at("for_s")), seconds(row.at("keep_firing_for_s"))};
    rh::held_alarm held;
    json got = json::array();
    time_point now = t0;
    for (const json& active : row.at("active")) {
        got.push_back(rh::to_string(held.evaluate(active.get<bool>(), now, rule)));
        now += seconds(row.at("step_s"));
    }
    r.equal(id, row, row.at("expected"), got);
}

inline void staleness(const std::string& id, const json& row, rh::duration look_back, report& r) {
    std::vector<rh::series_sample> series;
    for (const json& sample : row.at("series")) {
        const json& value = sample.at(1);
        if (value.is_string() && value != "stale") return r.unknown_shape(id, row);
        series.push_back({at(sample.at(0)), value.is_string() ? 0 : value.get<double>(), value.is_string()});
    }
    const auto value = rh::value_at(series, at(row.at("at")), look_back);
    r.equal(id, row, row.at("value"), value ? json(*value) : json(nullptr));
}

/// One alarm whose condition holds all the time, under a rule that changes.
inline void hold_increase(const json& row, report& r) {
    rh::held_alarm held;
    for (const json& step : row.at("steps")) {
        const auto state = held.evaluate(step.value("active", true), at(step.at("t")), {seconds(step.at("for_s")), {}});
        r.equal("hold_increase at " + step["t"].dump(), row, step.at("state"), rh::to_string(state));
    }
}

/// The number in a text behind a word: 600 in `restore + 600`.
inline std::optional<double> number_behind(std::string_view text, std::string_view word) {
    const std::size_t found = text.find(word);
    if (found == std::string_view::npos) return std::nullopt;
    const std::string rest{text.substr(found + word.size())};
    char* end = nullptr;
    const double number = std::strtod(rest.c_str(), &end);
    return end == rest.c_str() ? std::nullopt : std::optional{number};
}

/// An alarm that is active since 0, stored last at `up_until`, and seen again at `restore_at`.
inline void restore(const std::string& id, const json& all, const json& row, report& r) {
    const rh::restore_policy policy{seconds(all.at("outage_tolerance_s")), seconds(all.at("grace_period_s"))};
    rh::hold_rule rule{seconds(row.value("for_s", all.at("for_s"))), {}};
    if (!row.contains("restore_at")) {
        if (!row.value("rule", "").starts_with("for < grace_period: no restore")) return r.unknown_shape(id, row);
        rule.pending = policy.grace - std::chrono::seconds{1};
        const rh::hold_outage brief{t0, t0 + std::chrono::minutes{1}, t0 + std::chrono::minutes{2}};
        return r.equal(id, row, false, rh::restored_active_at(brief, rule, policy).has_value());
    }
    const rh::hold_outage outage{t0, row.contains("up_until") ? at(row["up_until"]) : t0, at(row["restore_at"])};
    rh::held_alarm held;
    held.evaluate(true, outage.restored_at, rule);
    held.restore(outage, rule, policy);
    if (row.contains("fires_at")) {
        const json& fires = row["fires_at"];
        const auto later = fires.is_string() ? number_behind(fires.get<std::string>(), "restore +") : std::nullopt;
        if (!later && !fires.is_number()) return r.unknown_shape(id, row);
        const json expected = later ? seconds_of(outage.restored_at + seconds(*later)) : fires;
        return r.equal(id, row, expected, seconds_of(held.active_at() + rule.pending));
    }
    const json& since = row.at("active_at");
    if (since.is_number()) return r.equal(id, row, since, seconds_of(held.active_at()));
    const auto text = since.get<std::string>();
    json expected;
    if (text.starts_with("restore time")) {
        expected = seconds_of(outage.restored_at);
    } else if (const auto down = number_behind(text, "old active_at + down time (")) {
        expected = seconds_of(outage.active_at + seconds(*down));
    } else if (text.starts_with("old active_at")) {
        expected = seconds_of(outage.active_at);
    } else {
        return r.unknown_shape(id, row);
    }
    r.equal(id, row, expected, seconds_of(held.active_at()));
}

/// The delays that hold where none are given, found by trying.
inline void restore_default(const std::string& id, const std::string& key, const json& value, report& r) {
    constexpr rh::duration moment{1};
    rh::held_alarm held;
    held.evaluate(true, t0, {});
    held.sent(t0);
    const time_point then = t0 + seconds(value);
    if (key == "outage_tolerance_s") {
        r.equal(id, value, value, rh::restore_policy{}.outage_tolerance / std::chrono::seconds{1});
    } else if (key == "grace_period_s") {
        r.equal(id, value, value, rh::restore_policy{}.grace / std::chrono::seconds{1});
    } else if (key == "resend_delay_s") {
        r.equal(id, value, json::array({false, true}),
                json::array({held.resend_due(then), held.resend_due(then + moment)}));
    } else if (key == "resolved_retention_s") {
        held.evaluate(false, t0, {});
        r.equal(id, value, json::array({false, true}),
                json::array({held.forgotten(then), held.forgotten(then + moment)}));
    } else {
        r.unknown_shape(id, value);
    }
}

inline void limit(const std::string& id, const json& row, report& r) {
    const auto checked = rh::within_limit(row.at("limit").get<std::int64_t>(), row.at("series").get<std::size_t>());
    r.equal(id, row, row.at("error"), checked ? json(nullptr) : json(checked.error().message));
}

} // namespace prometheus

/// Runs `reheat.alarm.prometheus/1`.
inline void run_prometheus(const json& file, report& r) {
    using text = const std::string&;
    each_row(file, "timelines", r, [&](text id, const json& row) { prometheus::timeline(id, row, r); });
    try {
        const reheat::duration look_back = seconds(file.value("lookback_s", json(300)));
        each_row(file, "staleness", r, [&](text id, const json& row) { prometheus::staleness(id, row, look_back, r); });
        if (file.contains("hold_increase")) prometheus::hold_increase(file["hold_increase"], r);
    } catch (const std::exception&) {
        r.unknown_shape("lookback_s, hold_increase", file);
    }
    each_row(file, "limit", r, [&](text id, const json& row) { prometheus::limit(id, row, r); });
    if (!file.contains("restore")) return;
    const json& restore = file["restore"];
    each_row(restore, "cases", r, [&](text id, const json& row) { prometheus::restore(id, restore, row, r); });
    each_member(restore, "defaults", r,
                [&](text id, text key, const json& value) { prometheus::restore_default(id, key, value, r); });
}

} // namespace vectors
