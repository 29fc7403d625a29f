// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/action/outcome.hpp>
#include <reheat/action/proof_of_death.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>
#include <reheat/engine/effects.hpp>
#include <reheat/evidence/testimony.hpp>
#include <reheat/recovery/sets.hpp>
#include <reheat/runner/notification.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What an invariant monitor remembers.

namespace reheat::inline REHEAT_ABI::detail {

/// A proof of death that was accepted for an incident.
struct seen_proof {
    target_id of = no_target;
    time_point at{};
    proof_kind by{};
};

/// One open incident, as its events tell it.
struct seen_incident {
    enum class stage : std::uint8_t {
        deciding,
        begun,     ///< a fence or forensics come first
        acted,     ///< the action's intent was given
        called,    ///< the driver has it
        verifying, ///< it was done, or nobody knows
        parked,
        absorbed,
    };
    target_id target = no_target;
    incident_id id = no_incident;
    stage at = stage::deciding;
    bool from_before = false; ///< of a controller that is gone: nothing was heard of it since
    bool owes_word = false;   ///< it has to say what is done, or why not
    bool owes_absorb = false; ///< it opened under an action
    bool owes_page = false;   ///< it was parked
    bool told_wait = false;   ///< its wait was paged
    bool told_held = false;   ///< that its intent is held back was paged
    bool paged = false;       ///< a human was called for it
    bool approved = false;
    bool in_turn = false;   ///< it waits for its turn, or for what holds many, or in doubt; or not for itself
    bool by_itself = false; ///< it waits, and not only for its turn or for what holds many
    std::uint16_t fences = 0;
    std::uint32_t denied = 0;
    std::uint32_t told_for = 0; ///< what denied when its wait was paged
    target_id subject = no_target;
    op_id op = no_op; ///< its last operation that is no fence
    vantage_set by{};
    time_point since = never; ///< when that wait began
    time_point acted_at = (time_point::min)();
    time_point begun_at = (time_point::min)();
    time_point freed_at = (time_point::min)(); ///< when its last fence ended
    time_point approved_until = never;
    std::vector<target_id> marks; ///< targets that it keeps busy
    std::vector<std::uint32_t> places;
    std::vector<seen_proof> proofs;
    std::vector<target_id> fenced; ///< whose fence ended well

    /// An action of it is begun and not verified.
    [[nodiscard]] bool busy() const noexcept { return at >= stage::begun && at <= stage::verifying; }
};

/// An operation that was called and has not come to its end.
struct seen_operation {
    op_id op{};
    operation what{};
    target_id subject = no_target;
    target_id target = no_target;
    bool for_incident = false;
    bool unknown = false; ///< it is read back
    bool answered = false;
    outcome_code answer{};
};

/// One action that was spent.
struct spent_action {
    operation what{};
    bool hard = false;
    bool called = false;
    target_id subject = no_target;
    incident_id incident = no_incident;
    time_point at{};
    std::vector<std::uint32_t> in; ///< the sets that it is spent in
};

/// An intent of the journal that has no outcome.
struct seen_intent {
    sequence seq{};
    std::uint64_t key = 0;
    target_id target = no_target;
    operation what{};
    incident_id incident = no_incident;
    bool called = false;
    bool before_crash = false; ///< it has to be read back
    bool read = false;
};

/// A copy that a call replaced.
struct seen_grave {
    op_id op{};
    target_id target = no_target;
    std::string cloud_id;
    time_point died_at{};
};

/// What is constant for each target.
struct seen_target {
    std::uint32_t incident = 0; ///< number of the open one, from 1; 0: none
    target_id busy_by = no_target;
    std::uint16_t orders = 0;  ///< operations without an incident that are under way
    std::uint16_t raised = 0;  ///< alarms
    std::uint16_t failing = 0; ///< open incidents on a machine and its services
    bool human = false;        ///< somebody was called for its incident, which is not over
    bool owes_open = false;
    bool told = false; ///< a notification about its incident arrived
    notification_kind last{};
    time_point paged_at{};
    time_point forgotten = (time_point::min)(); ///< what was paged by then no journal has
    health truth = health::unknown;
    time_point truth_since{};
};

/// A volume of the simulated world.
struct seen_volume {
    std::string name;
    target_id owner = no_target;
    std::vector<std::string> attached; ///< to copies of these ids
    bool named = false;                ///< in the record of an outcome, since it was detached
    incident_id named_for = no_incident;
    time_point named_at = never;
};

/// Whether a text has that name as a whole: not "vol-1" in "vol-10".
[[nodiscard]] inline bool names(std::string_view text, std::string_view name) noexcept {
    const auto goes_on = [&](std::size_t at) {
        const char c = at < text.size() ? text[at] : ' ';
        return c == '-' || c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    };
    for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
        if (!goes_on(at - 1) && !goes_on(at + name.size())) return true; // before the first there is none
    }
    return false;
}

/// A copy that runs.
struct seen_copy {
    target_id target = no_target;
    std::string cloud_id;
};

} // namespace reheat::inline REHEAT_ABI::detail
