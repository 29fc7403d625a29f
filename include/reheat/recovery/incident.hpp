// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/proof_of_death.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>
#include <reheat/evidence/testimony.hpp>
#include <reheat/recovery/reason.hpp>
#include <reheat/recovery/sets.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// Where an incident stands.
enum class phase : std::uint8_t {
    deciding,  ///< a rung is looked for, or a guard denies
    fencing,   ///< the fence comes first: proofs are being made
    acting,    ///< the rung's action is journaled or under way
    verifying, ///< it was done; waiting for evidence that it helped
    parked,    ///< nothing left to try
    absorbed,  ///< another incident's action covers it
    closed,
    collecting, ///< forensics come before what destroys
};

/// One instance on its way to a proof of death.
struct death_wanted {
    target_id target = no_target;
    std::uint8_t method = 0;    ///< of the policy's fence methods, the next to try
    std::uint8_t in_flight = 0; ///< fences under way
    bool proved = false;
    time_point proved_at{};
    bool fenced = false; ///< by a fence of its own, so that nothing which came in the meantime can have started it
    proof_kind by{};     ///< of its proof
    time_point expires = never;
};

/// One failure of one target and how far its recovery has come.
struct incident {
    incident_id id = no_incident;
    target_id target = no_target;
    policy_id rules{};
    phase at = phase::deciding;
    std::uint8_t rung = 0;           ///< index in the policy
    std::uint16_t attempts = 0;      ///< of this rung, in this incident
    std::uint16_t fences = 0;        ///< rounds of fences that made no proof
    bool paged = false;              ///< a long wait has been paged
    bool forensics = false;          ///< collected for the attempt under way
    std::uint8_t useless = 0;        ///< bit n: rung n did not help the incident that this one goes on with
    std::uint8_t unhelpful = 0;      ///< bit n: rung n was tried in this one and did not help
    vantage_set accusers{};          ///< who has called the target unhealthy
    reason denied_by = reason::none; ///< the last denial, so that only a change is told
    std::uint32_t denied = 0;
    std::uint32_t paged_for = 0; ///< what denied when the long wait was paged
    bool by_itself = false;      ///< whether it was denied for its own sake, rather than with many
    std::uint32_t absorbs = 0;   ///< incidents that wait for its action
    unsigned tries = 0; ///< attempts of the incident before, if the target was not stable since; for the backoff
    incident_id absorbed_by = no_incident;
    target_id subject = no_target; ///< what the rung acts upon
    target_id reach = no_target;   ///< the highest that it has acted upon: what it absorbed is below
    std::uint32_t member_of = 0;   ///< a machine's place and group when the action began, which is spent there
    std::vector<set_id> places;    ///< the same of a stack
    op_id op = no_op;
    time_point opened_at{};
    time_point healed_at = never; ///< since when the guest is given time to heal itself
    time_point approved_until = (time_point::min)();
    time_point waiting_since = never;            ///< for something of its own, once it waits for that
    time_point waits_since = never;              ///< while it waits: since when, for whatever
    time_point not_before = (time_point::min)(); ///< backoff
    time_point wake = never;
    time_point verify_by = never;
    time_point off_since = never;              ///< its machine, by its fence: no alarm but one by silence is health
    time_point acted_at = (time_point::min)(); ///< what was heard before says nothing of whether it helped
    std::vector<death_wanted> deaths;
    std::vector<std::string>
        said; ///< what the driver said of its operations, for people: what failed, what is detached
};

} // namespace reheat::inline REHEAT_ABI
