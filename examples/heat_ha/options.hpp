// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>

#include "../common/event_format.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace heat_ha {

enum class clock_kind { system, scaled, manual };
enum class ladder_kind { ha_restarter, three_levels };

/// `--fail`: the mock cloud kills an instance.
struct planned_failure {
    std::string instance;
    reheat::duration at; ///< after the start
};

/// The command line.
struct options {
    std::string template_file;
    std::vector<std::pair<std::string, std::string>> parameters;
    std::string stack = "stack";
    std::string driver = "mock";
    std::string cloud; ///< path of the socket of a remote mock cloud
    /// Path of the journal; empty for one in memory.
    std::string journal;
    reheat::duration grace = std::chrono::minutes{10}; ///< how long an alarm may have heard nothing at first
    std::string listen = "127.0.0.1";
    std::uint16_t cloudwatch_port = 8003;
    std::uint16_t cfn_port = 8000;
    clock_kind clock = clock_kind::system;
    double time_scale = 60;
    std::string page_program; ///< path of a program that is run for each notification; empty for none
    std::string control;      ///< path of the control socket; empty for none
    ladder_kind ladder = ladder_kind::ha_restarter;
    std::string policy;         ///< path of a policy file, in place of a ladder; empty for none
    bool strict_policy = false; ///< what lint finds in a policy is an error
    std::string check_policy;   ///< path of a policy file that is only checked
    bool shadow = false;        ///< decide, and call nothing
    bool simulate_guests = false;
    common::event_format events = common::event_format::text;
    std::optional<reheat::duration> run_for;
    std::vector<planned_failure> failures;
};

/// The options, or the code to exit with: 0 after `--help`, 2 for a bad command line, which was told on stderr.
std::variant<options, int> read_options(int argc, char** argv);

} // namespace heat_ha
