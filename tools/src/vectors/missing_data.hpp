// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/evaluate.hpp>

#include "rows.hpp"

#include <array>
#include <string>
#include <string_view>

namespace vectors {

namespace missing_data {

namespace rh = reheat;

/// N, M and the periods in range; a range of 0 is CloudWatch's N + 2.
struct shape {
    std::uint32_t n = 1;
    std::uint32_t m = 1;
    std::size_t range = 0;

    static shape of(const json& row) {
        shape s;
        s.n = row.at("evaluation_periods").get<std::uint32_t>();
        s.m = row.value("datapoints_to_alarm", s.n);
        s.range = row.value("evaluation_range", std::size_t{0});
        if (s.range == 0) s.range = s.n + std::size_t{2};
        return s;
    }
};

inline constexpr std::array<std::string_view, 4> modes{"missing", "ignore", "breaching", "notBreaching"};
inline constexpr std::array treatments{rh::missing_data::missing, rh::missing_data::ignore, rh::missing_data::breaching,
                                       rh::missing_data::not_breaching};

/// What the newest periods of a text (`0`, `X`, `-`; oldest first) hold.
inline rh::evaluation counted(std::string_view periods, const shape& s) {
    rh::evaluation e{s.n, s.m};
    std::uint32_t age = 0;
    for (auto p = periods.rbegin(); p != periods.rend() && age < s.range; ++p) {
        ++age;
        if (*p != '-' && !e.count(age, *p == 'X')) break;
    }
    return e;
}

/// What they lead to.
inline rh::alarm_state evaluated(std::string_view periods, const shape& s, rh::missing_data treat,
                                 rh::alarm_state before) {
    return rh::evaluate(counted(periods, s), treat, before, true).state;
}

inline std::string_view aws_name(rh::alarm_state s) {
    return s == rh::alarm_state::alarm ? "ALARM" : s == rh::alarm_state::ok ? "OK" : "INSUFFICIENT_DATA";
}

/// The state as a row has it: `RETAIN` if it follows the one before.
inline std::string_view outcome(std::string_view periods, const shape& s, rh::missing_data treat) {
    const rh::alarm_state from_ok = evaluated(periods, s, treat, rh::alarm_state::ok);
    return from_ok == evaluated(periods, s, treat, rh::alarm_state::alarm) ? aws_name(from_ok) : "RETAIN";
}

inline std::string joined(const json& datapoints) {
    if (datapoints.is_string()) return datapoints.get<std::string>();
    std::string all;
    for (const json& p : datapoints) all += p.get_ref<const std::string&>();
    return all;
}

inline rh::missing_data treatment(const json& row) {
    const std::string mode = row.value("mode", "missing");
    for (std::size_t n = 0; n < modes.size(); ++n) {
        if (modes[n] == mode) return treatments[n];
    }
    return rh::missing_data::missing;
}

inline void check_row(const std::string& id, const json& row, report& r) {
    std::string periods = joined(row.at("datapoints"));
    if (row.value("order", "oldest_to_newest") != "oldest_to_newest") periods = {periods.rbegin(), periods.rend()};
    const shape s = shape::of(row);
    // So many datapoints are missing that the treatment would stand in for.
    if (row.contains("filled")) r.equal(id + " filled", row, row["filled"], s.n - counted(periods, s).real);
    if (row.contains("expected_not")) {
        const std::string_view got = outcome(periods, s, treatment(row));
        r.check(id, row["expected_not"] != got, row, "not " + row["expected_not"].get<std::string>(), got);
    } else if (row.at("expected").is_string()) {
        r.equal(id, row, row["expected"], outcome(periods, s, treatment(row)));
    } else {
        for (std::size_t n = 0; n < modes.size(); ++n) {
            if (!row["expected"].contains(modes[n])) continue;
            r.equal(id + ' ' + std::string{modes[n]}, row, row["expected"][std::string{modes[n]}],
                    outcome(periods, s, treatments[n]));
        }
    }
}

/// Each point is one more period; the state is carried on.
inline void check_sequence(const std::string& id, const json& row, report& r) {
    const std::string periods = joined(row.at("points"));
    const shape s = shape::of(row);
    rh::alarm_state state = rh::alarm_state::insufficient_data;
    json got = json::array();
    for (std::size_t n = 0; n < periods.size(); ++n) {
        // No period before the first is missing: the alarm is not evaluated on fewer than N.
        if (n + 1 >= s.n) state = evaluated(std::string_view{periods}.substr(0, n + 1), s, treatment(row), state);
        got.push_back(row.at("state_after").at(n).is_null() ? json() : json(aws_name(state)));
    }
    r.equal(id, row, row["state_after"], got);
}

} // namespace missing_data

inline void run_missing_data(const json& file, report& r) {
    for (const char* list : {"rows", "text_cases"}) {
        each_row(file, list, r, [&r](const std::string& id, const json& row) { missing_data::check_row(id, row, r); });
    }
    each_row(file, "sequences", r,
             [&r](const std::string& id, const json& row) { missing_data::check_sequence(id, row, r); });
}

/// Every range of a length, as a table of four letters: O, A, I, and R for the state before.
inline void run_missing_data_exhaustive(const json& file, report& r) {
    each_row(file, "configs", r, [&r](const std::string&, const json& config) {
        const auto s = missing_data::shape::of(config);
        const std::string id =
            std::to_string(s.m) + " of " + std::to_string(s.n) + " in " + std::to_string(s.range) + ' ';
        for (const auto& [periods, expected] : config.at("table").items()) {
            std::string got;
            for (const auto treat : missing_data::treatments) got += missing_data::outcome(periods, s, treat).front();
            r.equal(id + periods, periods, expected, got);
        }
    });
}

} // namespace vectors
