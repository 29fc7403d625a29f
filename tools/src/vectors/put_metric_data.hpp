// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/metric/metric_input.hpp>

#include "rows.hpp"

#include <chrono>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <regex>
#include <span>
#include <string>
#include <vector>

namespace vectors {

namespace put_metric_data {

namespace rh = reheat;

/// The texts and numbers that the views of one request point to.
struct request {
    std::deque<std::string> texts;
    std::vector<rh::metric_input::dimension> dimensions;
    std::vector<double> values;
    std::vector<double> counts;
    rh::metric_input datum;

    std::string_view keep(std::string text) { return texts.emplace_back(std::move(text)); }
};

/// A text, where `<256 chars>` stands for so many.
inline std::string text_of(const json& value) {
    const std::string text = value.get<std::string>();
    static const std::regex many{R"(<(\d+)\s*char\w*>)"};
    std::smatch found;
    return std::regex_match(text, found, many) ? std::string(std::stoul(found[1]), 'x') : text;
}

inline double number_of(const json& value) {
    if (value.is_number()) return value.get<double>();
    const std::string text = value.get<std::string>();
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (text == "Infinity" || text == "+Infinity" || text == "Inf" || text == "+Inf") return HUGE_VAL;
    if (text == "-Infinity" || text == "-Inf") return -HUGE_VAL;
    return std::stod(text);
}

inline void read_datum(const json& datum, request& r) {
    rh::metric_input& m = r.datum;
    for (const auto& [key, value] : datum.items()) {
        if (key == "MetricName") m.name = r.keep(text_of(value));
        else if (key == "Value") m.value = number_of(value);
        else if (key == "Unit") m.unit_name = r.keep(value.get<std::string>());
        else if (key == "StorageResolution") m.storage_resolution = value.get<std::int64_t>();
        else if (key == "Values")
            for (const json& v : value) r.values.push_back(number_of(v));
        else if (key == "Counts")
            for (const json& v : value) r.counts.push_back(number_of(v));
        else if (key == "Dimensions") {
            for (const json& d : value)
                r.dimensions.push_back({r.keep(text_of(d.at("Name"))), r.keep(text_of(d.at("Value")))});
        } else if (key == "StatisticValues") {
            const auto member = [&set = value](const char* name) {
                return set.contains(name) ? std::optional{number_of(set[name])} : std::nullopt;
            };
            m.statistics = {member("SampleCount"), member("Sum"), member("Minimum"), member("Maximum")};
        } else {
            throw std::runtime_error{"unknown member " + key};
        }
    }
}

inline constexpr rh::time_point now{std::chrono::hours{24 * 365 * 50}};

inline void check_case(const std::string& id, const json& row, report& r) {
    if (!has_only(row, {"error", "message", "namespace", "datum", "dimension_count", "dimension_name",
                        "dimension_value", "values_count", "counts_count", "timestamp_offset_s", "datum_count",
                        "request_bytes"}))
        return r.unknown_shape(id, row);
    request q;
    if (row.contains("datum")) read_datum(row["datum"], q);
    else q.datum.name = "m";
    for (std::size_t n = 0; n < row.value("dimension_count", std::size_t{0}); ++n)
        q.dimensions.push_back({q.keep("d" + std::to_string(n)), "v"});
    for (const char* const key : {"dimension_name", "dimension_value"}) {
        if (!row.contains(key)) continue;
        const std::string_view text = q.keep(text_of(row[key]));
        const bool is_name = std::string_view{key} == "dimension_name";
        q.dimensions.push_back({is_name ? text : "d", is_name ? "v" : text});
    }
    for (std::size_t n = 0; n < row.value("values_count", std::size_t{0}); ++n)
        q.values.push_back(static_cast<double>(n));
    for (std::size_t n = 0; n < row.value("counts_count", std::size_t{0}); ++n) q.counts.push_back(1);
    if (row.contains("timestamp_offset_s")) q.datum.timestamp = now + seconds(row["timestamp_offset_s"]);
    q.datum.dimensions = q.dimensions;
    q.datum.values = q.values;
    q.datum.counts = q.counts;
    const bool nothing = !q.datum.value && q.values.empty() && !q.datum.statistics;
    if (nothing && !row.contains("datum")) q.datum.value = 1;
    const std::string name_space = row.contains("namespace") ? text_of(row["namespace"]) : "reheat";
    const std::vector<rh::metric_input> data(row.value("datum_count", std::size_t{1}), q.datum);
    const auto fault = rh::check_metric_data(name_space, data, now, row.value("request_bytes", std::size_t{0}));
    r.equal(id, row, row.at("error"), fault ? json(std::string{fault->code}) : json());
    if (row.contains("message") && !row["message"].is_null())
        r.equal(id + " message", row, row["message"], fault ? json(fault->message) : json());
}

/// The code with which one sound datum, changed by `with`, is refused; empty if it is not.
template <class With>
std::string refusal(With with, std::string_view name_space = "reheat") {
    rh::metric_input m;
    m.name = "m";
    m.value = 1;
    with(m);
    const auto fault = rh::check_metric_data(name_space, std::span{&m, 1}, now);
    return fault ? std::string{fault->code} : "";
}

/// The bounds of a text: its `min` and `max` length, and what it must not hold. `use(text)` is the code of its refusal.
inline void text_limits(const std::string& id, const json& value, report& r,
                        const std::function<std::string(const std::string&)>& use) {
    const auto good = [&use](const std::string& text) { return use(text).empty(); };
    json expected = json::object();
    json got = json::object();
    const auto try_one = [&](const std::string& what, bool wanted, const std::string& text) {
        expected[what] = wanted;
        got[what] = good(text);
    };
    for (const auto& [key, bound] : value.items()) {
        if (key == "min" || key == "max") {
            const auto length = bound.get<std::size_t>();
            try_one(key, true, std::string(length, 'x'));
            try_one("beyond " + key, false, std::string(key == "min" ? length - 1 : length + 1, 'x'));
        } else if (key == "ascii") {
            try_one(key, false, "gr\xc3\xbcn");
        } else if (key == "no_control") {
            try_one(key, false, "a\tb");
        } else if (key == "not_start_with") {
            try_one(key, false, bound.get<std::string>() + "x");
            try_one("inside", true, "x" + bound.get<std::string>());
        } else if (key == "needs_non_whitespace") {
            try_one(key, false, "   ");
        } else if (key == "pattern") {
            const std::regex pattern{bound.get<std::string>()};
            for (const std::string text : {":x", "x:", "x", "AWS/EC2", "::"})
                try_one(key + ' ' + text, std::regex_match(text, pattern), text);
        } else {
            return r.unknown_shape(id, value);
        }
    }
    r.equal(id, value, expected, got);
}

/// The duration of a text as `2 weeks`.
inline std::optional<rh::duration> duration_of(const std::string& text) {
    static const std::regex form{R"((\d+) (hour|day|week)s?)"};
    std::smatch found;
    if (!std::regex_match(text, found, form)) return std::nullopt;
    const std::chrono::hours one{found[2] == "hour" ? 1 : found[2] == "day" ? 24 : 24 * 7};
    return one * std::stoi(found[1]);
}

inline void time_limit(const std::string& id, const json& value, bool past, report& r) {
    const auto told = duration_of(value.get<std::string>());
    if (!told) return r.unknown_shape(id, value);
    const auto accepts = [past](rh::duration d) {
        return refusal([&](rh::metric_input& m) { m.timestamp = past ? now - d : now + d; }).empty();
    };
    r.equal(id, value, json::array({true, false}),
            json::array({accepts(*told), accepts(*told + std::chrono::seconds{1})}));
}

inline void limit(const std::string& id, const std::string& key, const json& value, report& r) {
    using limits = rh::metric_limits;
    if (key == "namespace") {
        text_limits(id, value, r, [](const std::string& text) { return refusal([](rh::metric_input&) {}, text); });
    } else if (key == "metric_name") {
        text_limits(id, value, r, [](const std::string& text) {
            return refusal([&text](rh::metric_input& m) { m.name = text; });
        });
    } else if (key == "dimension_name" || key == "dimension_value") {
        text_limits(id, value, r, [is_name = key == "dimension_name"](std::string_view text) {
            const rh::metric_input::dimension d{is_name ? text : "d", is_name ? "v" : text};
            return refusal([&d](rh::metric_input& m) { m.dimensions = std::span{&d, 1}; });
        });
    } else if (key == "timestamp_past" || key == "timestamp_future") {
        time_limit(id, value, key == "timestamp_past", r);
    } else if (key == "storage_resolution") {
        json accepted = json::array();
        for (std::int64_t n = -1; n <= 3600; ++n) {
            if (refusal([n](rh::metric_input& m) { m.storage_resolution = n; }).empty()) accepted.push_back(n);
        }
        r.equal(id, value, value, accepted);
    } else if (key == "statistic_set_required") {
        for (const json& name : value) {
            request q;
            json set{{"SampleCount", 1}, {"Sum", 1}, {"Minimum", 1}, {"Maximum", 1}};
            set.erase(name.get<std::string>());
            read_datum({{"MetricName", "m"}, {"StatisticValues", set}}, q);
            r.equal(id + ' ' + name.get<std::string>(), value, false,
                    !rh::check_metric_data("reheat", std::span{&q.datum, 1}, now));
        }
    } else if (key == "special_values") {
        for (const double v : {number_of("NaN"), HUGE_VAL, -HUGE_VAL})
            r.equal(id, value, "InvalidParameterValue", refusal([v](rh::metric_input& m) { m.value = v; }));
    } else if (key == "value_abs_max") {
        r.equal(id, value, value, std::ldexp(1.0, 360) == limits::value ? "2^360" : "");
    } else {
        const json known{{"dimensions_max", limits::dimensions},
                         {"values_per_datum", limits::values},
                         {"datums_per_request", limits::data},
                         {"request_bytes", limits::request_bytes},
                         {"units", rh::detail::unit_names.size()},
                         {"default_unit", to_string(rh::unit{})}};
        if (known.contains(key)) r.equal(id, value, value, known[key]);
        else r.not_executable(id, "a source, or what the cases show");
    }
}

} // namespace put_metric_data

inline void run_put_metric_data(const json& file, report& r) {
    each_member(file, "limits", r, [&r](const std::string& id, const std::string& key, const json& value) {
        put_metric_data::limit(id, key, value, r);
    });
    each_row(file, "cases", r,
             [&r](const std::string& id, const json& row) { put_metric_data::check_case(id, row, r); });
}

} // namespace vectors
