// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/metric/metric_input.hpp>

#include "rows.hpp"

#include <cmath>
#include <deque>
#include <limits>
#include <regex>
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

inline void check_case(const std::string& id, const json& row, report& r) {
    constexpr rh::time_point now{std::chrono::hours{24 * 365 * 50}};
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

} // namespace put_metric_data

inline void run_put_metric_data(const json& file, report& r) {
    using limits = reheat::metric_limits;
    each_member(file, "limits", r, [&r](const std::string& id, const std::string& key, const json& value) {
        if (key == "namespace") r.equal(id, value, value.at("max"), limits::namespace_length);
        else if (key == "metric_name" || key == "dimension_name")
            r.equal(id, value, value.at("max"), limits::name_length);
        else if (key == "dimension_value") r.equal(id, value, value.at("max"), limits::dimension_value_length);
        else if (key == "dimensions_max") r.equal(id, value, value, limits::dimensions);
        else if (key == "values_per_datum") r.equal(id, value, value, limits::values);
        else if (key == "datums_per_request") r.equal(id, value, value, limits::data);
        else if (key == "request_bytes") r.equal(id, value, value, limits::request_bytes);
        else if (key == "value_abs_max")
            r.equal(id, value, "2^360", std::ldexp(1.0, 360) == limits::value ? "2^360" : "");
        else if (key == "units") r.equal(id, value, value, reheat::detail::unit_names.size());
        else if (key == "default_unit") r.equal(id, value, value, std::string{to_string(reheat::unit{})});
        else r.not_executable(id, "a sentence, or what the cases show");
    });
    each_row(file, "cases", r,
             [&r](const std::string& id, const json& row) { put_metric_data::check_case(id, row, r); });
}

} // namespace vectors
