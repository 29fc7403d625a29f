// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/text.hpp>
#include <reheat/core/time.hpp>
#include <reheat/recovery/decision_words.hpp>
#include <reheat/recovery/incident.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI::sim {

/// What goes wrong in the simulated world.
enum class fault_kind : std::uint8_t {
    process_dies,          ///< a process ends
    process_hangs,         ///< a process stands still, and may go on by itself
    guest_panics,          ///< the guest's system ends; it may boot again by itself
    guest_freezes,         ///< the guest stands still, its agent too, and may go on by itself
    stack_breaks,          ///< something beside the machines is wrong: only converging the stack cures it
    host_loses_power,      ///< its management board still answers
    host_goes_dark,        ///< and its management board with it
    rack_loses_power,      ///< all hosts of a rack, boards and all
    host_loses_network,    ///< its guests run, and nobody hears them or can ask them
    host_loses_storage,    ///< its guests stand still until it is back, and then go on
    heartbeats_lost,       ///< one way: what a zone's guests send does not arrive
    management_cut,        ///< boards and agents of a zone can not be reached; the guests are heard
    controller_cut_off,    ///< nothing reaches the controller, and nothing from it arrives
    answers_lost,          ///< one way: calls arrive and take effect, and time out
    api_slow,              ///< calls take many times as long
    api_fails,             ///< calls fail, or nobody can tell
    api_lies,              ///< about status, progress and results; never about a proof
    api_throttles,         ///< calls are refused, and the cloud says when to come back
    half_done,             ///< a copy is deleted, its volumes are detached, and no new one is made
    no_room,               ///< no host takes another machine
    completions_twice,     ///< each is called two times
    completions_late,      ///< each comes after its deadline
    completions_abandoned, ///< each is destroyed uncalled
    clock_jumps,           ///< the controller's clock, forward or back
    controller_stalls,     ///< it stands still, and what is sent to it waits
    controller_crashes,    ///< and starts again on its journal
    journal_full,          ///< every append is refused until there is room
    journal_slow,          ///< what is appended is safe only much later
    pages_lost,            ///< notifications or their answers get lost, or are refused
    pages_late,            ///< they take minutes, and newer ones pass them
    old_copies_return,     ///< hosts boot what they had, although it was replaced meanwhile
    controller_pauses,     ///< the leader stands still, between steps or in one; another one takes over; it goes on
    store_cut_off,         ///< nothing gets from the leader to the store of leases and journal, or nothing back
    store_slow,            ///< what is asked of that store takes seconds
};

inline constexpr std::size_t fault_kind_count = 34;
/// Those of a fleet with one controller; what is left is only where two of them share a store.
inline constexpr std::size_t lone_fault_kind_count = 31;

[[nodiscard]] constexpr std::string_view to_string(fault_kind k) noexcept {
    constexpr std::array<std::string_view, fault_kind_count> names{
        "process_dies",       "process_hangs",     "guest_panics",          "guest_freezes",      "stack_breaks",
        "host_loses_power",   "host_goes_dark",    "rack_loses_power",      "host_loses_network", "host_loses_storage",
        "heartbeats_lost",    "management_cut",    "controller_cut_off",    "answers_lost",       "api_slow",
        "api_fails",          "api_lies",          "api_throttles",         "half_done",          "no_room",
        "completions_twice",  "completions_late",  "completions_abandoned", "clock_jumps",        "controller_stalls",
        "controller_crashes", "journal_full",      "journal_slow",          "pages_lost",         "pages_late",
        "old_copies_return",  "controller_pauses", "store_cut_off",         "store_slow"};
    return names[static_cast<std::size_t>(k)];
}

/// How far a fault reaches: whose incidents it finds.
enum class fault_scope : std::uint8_t { process, machine, stack, host, rack, zone, everything };

[[nodiscard]] constexpr fault_scope scope_of(fault_kind k) noexcept {
    switch (k) {
    case fault_kind::process_dies:
    case fault_kind::process_hangs: return fault_scope::process;
    case fault_kind::guest_panics:
    case fault_kind::guest_freezes: return fault_scope::machine;
    case fault_kind::stack_breaks: return fault_scope::stack;
    case fault_kind::host_loses_power:
    case fault_kind::host_goes_dark:
    case fault_kind::host_loses_network:
    case fault_kind::host_loses_storage: return fault_scope::host;
    case fault_kind::rack_loses_power: return fault_scope::rack;
    case fault_kind::heartbeats_lost:
    case fault_kind::management_cut: return fault_scope::zone;
    default: return fault_scope::everything;
    }
}

/// One fault of a schedule. One that aims waits for an incident that stands on that rung in that phase, and hits what
/// that is about; if there is none within its patience, it hits the machine that it was planned for.
struct planned_fault {
    fault_kind kind{};
    duration at{};             ///< from the beginning
    duration lasts{};          ///< where it is a state
    std::uint32_t machine = 0; ///< and with it its host, rack, zone and stack
    std::uint8_t process = 0;
    std::uint8_t share = 100; ///< of the calls, in percent; above 50, a guest does not come back by itself
    duration jump{};          ///< of the clock; negative is back
    bool aims = false;
    operation rung = operation::none;
    phase in = phase::deciding;
    duration patience{};
};

[[nodiscard]] inline std::string to_text(const planned_fault& f) {
    std::string line = "+" + format_duration(f.at) + " " + std::string{to_string(f.kind)} +
                       " machine=" + std::to_string(f.machine) + " process=" + std::to_string(f.process) +
                       " share=" + std::to_string(f.share) + " lasts=" + format_duration(f.lasts);
    if (f.kind == fault_kind::clock_jumps)
        line += std::string{" jump="} + (f.jump < duration::zero() ? "-" : "") +
                format_duration(f.jump < duration::zero() ? -f.jump : f.jump);
    if (f.aims)
        line += " aims=" + std::string{to_string(f.rung)} + "/" + std::string{to_string(f.in)} + " within " +
                format_duration(f.patience);
    return line;
}

} // namespace reheat::inline REHEAT_ABI::sim
