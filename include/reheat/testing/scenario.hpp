// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/loss.hpp>
#include <reheat/alarm/alarm.hpp>
#include <reheat/core/text.hpp>
#include <reheat/engine/engine.hpp>
#include <reheat/evidence/health.hpp>
#include <reheat/recovery/policy.hpp>
#include <reheat/sim/mock_cloud.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// A decision scenario as values; `docs/reference/scenarios.md` has its text form.

namespace reheat::inline REHEAT_ABI::testing {

/// One decision, as the five fields by which logs are compared. Empty names and `none` stand as `-` in the text.
struct log_line {
    duration at{}; ///< since the scenario's start
    std::string target{};
    operation rung = operation::none;
    decision what{};
    reason why{};

    friend bool operator==(const log_line&, const log_line&) = default;
};

/// `2m db-1 fence_instance act proof_required`
[[nodiscard]] inline std::string to_text(const log_line& line) {
    std::string out = format_duration(line.at);
    const auto word = [&out](std::string_view text) {
        out += ' ';
        out += text.empty() ? std::string_view{"-"} : text;
    };
    word(line.target);
    word(line.rung == operation::none ? std::string_view{} : to_string(line.rung));
    word(to_string(line.what));
    word(line.why == reason::none ? std::string_view{} : to_string(line.why));
    return out;
}

/// A line that the log has to have: `what.at`, or any time up to and with `latest`.
struct expected_line {
    log_line what{};
    duration latest{};
    std::size_t line = 0; ///< of the file, from 1

    [[nodiscard]] bool matches(const log_line& got) const {
        log_line same = got;
        if (got.at >= what.at && got.at <= latest) same.at = what.at;
        return same == what;
    }
};

[[nodiscard]] inline std::string to_text(const expected_line& line) {
    const std::string text = to_text(line.what);
    if (line.latest == line.what.at) return text;
    const std::size_t blank = text.find(' ');
    return text.substr(0, blank) + ".." + format_duration(line.latest) + text.substr(blank);
}

/// What a scenario can do at a time.
namespace happening {
struct breakage {
    std::string instance;
    std::string service;
    fault how{};
};
/// Heartbeats get lost on their way, or no longer.
struct silence {
    std::string target;
    bool on = true;
};
/// Samples for a named alarm, or heartbeats for a target.
struct samples {
    std::string to;
    double value = heartbeat;
    std::uint32_t times = 1;
};
struct sighting {
    std::string target;
    health seen{};
    vantage from{};
};
struct word {
    std::string target;
    operator_verb what{};
    duration valid_for{}; ///< zero: without an end
};
struct answer {
    operation to{};
    mock_reply how{};
    bool always = false;
};
struct pace {
    operation of{};
    duration latency{};
};
struct journal {
    enum class turn : std::uint8_t { hold, release, fail, reopen, delay };
    turn to{};
    duration delay{};
};
} // namespace happening

struct timed_event {
    duration at{};
    std::size_t line = 0;
    std::variant<happening::breakage, happening::silence, happening::samples, happening::sighting, happening::word,
                 happening::answer, happening::pace, happening::journal>
        what;
};

/// An alarm beside, or instead of, the default one.
struct scenario_alarm {
    std::string name;
    std::string target;
    any_alarm rule{};
    bool from_heartbeats = false; ///< else only `push NAME` feeds it
    std::size_t line = 0;
};

struct scenario_instance {
    std::string name;
    mock_cloud::setup how{};
    asset keep = volumes | fixed_addresses;
    std::size_t ladder = 0; ///< index of `scenario::ladders`
};

struct scenario_ladder {
    std::string name;
    policy rules{};
};

/// A world, what happens in it, and the decisions that are expected.
struct scenario {
    std::string name;
    std::size_t line = 0;
    engine_options options{};
    std::vector<scenario_ladder> ladders{}; ///< the first is the default
    std::vector<scenario_instance> instances{};
    std::vector<scenario_alarm> alarms{};
    std::vector<timed_event> events{};
    duration run{};
    bool log_all = false; ///< calls too
    std::vector<expected_line> expected{};
};

} // namespace reheat::inline REHEAT_ABI::testing
