// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/loss.hpp>
#include <reheat/alarm/alarm.hpp>
#include <reheat/core/text.hpp>
#include <reheat/engine/engine.hpp>
#include <reheat/evidence/health.hpp>
#include <reheat/recovery/policy.hpp>
#include <reheat/sim/invariant.hpp>
#include <reheat/sim/mock_cloud.hpp>
#include <reheat/testing/scenario_checks.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// A decision scenario as values; `docs/reference/scenarios.md` has its text form.

namespace reheat::inline REHEAT_ABI::testing {

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
/// What happens to all that stands in one place.
struct place_turn {
    enum class turn : std::uint8_t { dies, loses_power, silent, partitioned, back };
    mock_place where{};
    std::string name;
    turn to{};
};
/// What happens to the controller itself.
struct controller_turn {
    enum class turn : std::uint8_t { partitioned, back, stalls, clock_back };
    turn to{};
    duration by{};
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
    bool polled = false;
    std::string witness{}; ///< empty: none
};
struct host_word {
    std::string host;
    bool dead = true;
    proof_kind by{};
};
struct overflow {
    std::uint64_t lost = 0;
};
struct healed {
    std::string target;
};
/// A lease of so long from now; its watchdog resets the machine if it is tied to it.
struct lease_turn {
    std::string target;
    duration valid_for{};
    duration watchdog{};
    bool tied = true;
};
struct copy_seen {
    std::string target;
    std::string cloud_id;   ///< as the cloud writes it
    std::uint32_t copy = 0; ///< or by its number; 0: by its id
    std::string host;
    duration since{}; ///< of the scenario
};
struct room {
    std::string zone; ///< empty: the whole cloud
    std::uint32_t instances = 0;
};
struct word {
    std::string target; ///< empty: everything
    operator_verb what{};
    std::string who = "scenario";
    std::string reason{};
    duration valid_for{}; ///< zero: without an end
};
struct policy_change {
    std::size_t from = 0; ///< indices of `scenario::ladders`
    std::size_t to = 0;
};
struct leadership {
    epoch reign{};
    duration lease{}; ///< zero: without an end
    bool lost = false;
};
/// The scenario's own guard denies, or allows again.
struct guard_turn {
    bool deny = true;
    std::vector<std::string> targets{}; ///< empty: all
    operation only = operation::none;   ///< `none`: any
    duration valid_for{};               ///< zero: without an end
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

using any =
    std::variant<breakage, silence, place_turn, controller_turn, samples, sighting, host_word, overflow, healed,
                 lease_turn, copy_seen, room, word, policy_change, leadership, guard_turn, answer, pace, journal>;
} // namespace happening

struct timed_event {
    duration at{};
    std::size_t line = 0;
    happening::any what;
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
    std::string group{};
    std::uint8_t priority = 0;
    std::vector<std::uint8_t> priorities{}; ///< of its services
};

struct scenario_ladder {
    std::string name;
    policy rules{};
    std::vector<std::string> fence_methods{}; ///< what `rules.fencing.methods` will refer to
};

struct scenario_dependency {
    std::string dependent;
    std::string on;
    std::size_t line = 0;
};

/// A world, what happens in it, and the decisions that are expected.
struct scenario {
    std::string name;
    std::size_t line = 0;
    engine_options options{};
    std::vector<scenario_ladder> ladders{}; ///< the first is the default
    std::vector<scenario_instance> instances{};
    std::vector<scenario_alarm> alarms{};
    std::vector<scenario_dependency> dependencies{};
    std::vector<timed_event> events{}; ///< by time
    duration run{};
    std::vector<invariant> violates{}; ///< what it breaks on purpose, see `invariant_monitor`
    bool log_all = false;              ///< calls too
    bool exact = false;                ///< the whole log is compared with `expected`
    std::vector<expected_line> expected{};
    std::vector<scenario_check> checks{};
};

} // namespace reheat::inline REHEAT_ABI::testing
