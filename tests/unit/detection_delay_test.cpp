// SPDX-License-Identifier: MIT
#include <reheat/alarm/preset.hpp>

#include "doc_table.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <array>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::missing_data;
using support::start;

namespace {

using heartbeat_rule = rh::alarm<rh::window<rh::sample_count>, rh::less_than>;

struct preset_row {
    std::string_view name;
    heartbeat_rule (*make)(heartbeat_rule);
};

template <missing_data Treat>
heartbeat_rule cloudwatch(heartbeat_rule rule) {
    rule = rh::preset::cloudwatch(rule);
    rule.treat_missing = Treat;
    return rule;
}

constexpr std::array presets{
    preset_row{"`cloudwatch`, missing", cloudwatch<missing_data::missing>},
    preset_row{"`cloudwatch`, ignore", cloudwatch<missing_data::ignore>},
    preset_row{"`cloudwatch`, notBreaching", cloudwatch<missing_data::not_breaching>},
    preset_row{"`cloudwatch`, breaching", cloudwatch<missing_data::breaching>},
    preset_row{"`aodh`", [](heartbeat_rule r) { return rh::preset::aodh(r); }},
    preset_row{"`prometheus`, pending for N - 1 periods",
               [](heartbeat_rule r) { return rh::preset::prometheus(r, r.of.period * (r.evaluation_periods - 1)); }},
    preset_row{"`heat`", [](heartbeat_rule r) { return rh::preset::heat(r); }},
    preset_row{"`liveness`", [](heartbeat_rule r) { return rh::preset::liveness(r); }},
};

/// How many periods of silence after a long healthy time raise `SampleCount < 1`; 0 if none do.
int silent_periods(const heartbeat_rule& rule) {
    rh::fleet<heartbeat_rule> all{rule};
    const rh::row_handle h = all.watch(rh::target_id{0}, start);
    std::vector<rh::transition> out;
    rh::time_point now = start;
    for (int period = 0; period < 10; ++period) {
        all.push(h, now + 1s, rh::heartbeat);
        now += rule.of.period;
        all.evaluate(0, now, out);
    }
    REQUIRE(all.state(h.row) == rh::alarm_state::ok);
    for (int period = 1; period <= 100; ++period) {
        now += rule.of.period;
        all.evaluate(0, now, out);
        if (all.state(h.row) == rh::alarm_state::alarm) return period;
    }
    return 0;
}

std::string table() {
    constexpr std::array<std::array<std::uint16_t, 2>, 5> shapes{{{1, 1}, {2, 2}, {3, 2}, {3, 3}, {5, 3}}};
    std::string text = "| preset |";
    std::string line = "|---|";
    for (const auto& [n, m] : shapes) {
        text += " " + std::to_string(m) + " of " + std::to_string(n) + " |";
        line += "---|";
    }
    text += "\n" + line + "\n";
    for (const preset_row& p : presets) {
        text += "| " + std::string{p.name} + " |";
        for (const auto& [n, m] : shapes) {
            heartbeat_rule rule{.threshold = 1, .evaluation_periods = n, .datapoints_to_alarm = m, .grace = 0s};
            rule.of.period = 60s;
            const int periods = silent_periods(p.make(rule));
            text += periods == 0 ? " never |" : " " + std::to_string(periods) + " |";
        }
        text += "\n";
    }
    return text;
}

} // namespace

TEST_SUITE("detection delay") {
    TEST_CASE("the table in docs/reference/alarms.md is what the presets do") {
        support::check_page("docs/reference/alarms.md", "periods of silence", table());
    }

    TEST_CASE("liveness is as fast as M of N can be, and never slower than CloudWatch's own") {
        for (std::uint16_t n = 1; n <= 6; ++n) {
            for (std::uint16_t m = 1; m <= n; ++m) {
                heartbeat_rule rule{.threshold = 1, .evaluation_periods = n, .datapoints_to_alarm = m, .grace = 0s};
                CHECK(silent_periods(rh::preset::liveness(rule)) == m);
                CHECK(silent_periods(cloudwatch<missing_data::breaching>(rule)) >= m);
            }
        }
    }
}
