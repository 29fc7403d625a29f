// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/outcome.hpp>
#include <reheat/action/proof_of_death.hpp>
#include <reheat/action/request.hpp>
#include <reheat/engine/event.hpp>
#include <reheat/recovery/operator.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What a journal record says.
enum class record_kind : std::uint8_t {
    target,        ///< a name and the id it has: after a restart it gets the same
    opened,        ///< an incident opened
    intent,        ///< an operation is about to be called; its budget is spent
    dropped,       ///< that intent was taken back before its call
    outcome,       ///< what the call came to
    verdict,       ///< what verification found
    closed,        ///< an incident closed
    parked,        ///< an incident has nothing left to try
    operator_word, ///< an operator's input
    policy,        ///< a policy was changed
    death,         ///< a host is proved dead, or back; or an instance is, and what was known of that copy
    trust,         ///< a proof of death turned out false
    rung,          ///< an operator approved an incident's rung, or denied it
    guest_restart, ///< a guest restarted a service itself, which counts
    alarm,         ///< an alarm was raised, or is not in `alarm` any more; `opened` says it where it opens an incident
    paged,         ///< a human was called, by another page than that of `parked`
};
inline constexpr std::size_t record_kind_count = 16;

/// One entry of the journal. What was seen before an intent (`cloud_id`, `boot_id`, `host`) is what a controller that
/// starts again compares the cloud with.
struct record {
    sequence seq{};
    record_kind kind{};
    time_point at{};
    target_id target = no_target;
    incident_id incident = no_incident;
    op_id op = no_op;
    std::uint64_t key = 0; ///< of an intent's call; of a page: what the wait was for, bit n for guard n
    epoch reign{};
    operation what = operation::none;
    outcome_code result = outcome_code::unknown;
    reason why = reason::none;
    level of = level::service;
    operator_verb verb{};
    proof_kind proof{};        ///< of a death
    vantage_set by{};          ///< who calls the target unhealthy, as an incident opens
    std::uint8_t rung = 0;     ///< of the incident, in its policy
    std::uint16_t attempt = 0; ///< of that rung; or which of its target's alarms
    alarm_state to{};          ///< of that alarm
    time_point deadline = never;
    std::string name{}; ///< a target's, a host's, an operator's
    std::string text{}; ///< an operator's reason; what a driver said of an operation
    std::string cloud_id{};
    std::string boot_id{};
    std::string host{};
};

/// A call that the runner has to make. Its views live as long as it does: they point into its own text.
struct call {
    request what{};
    incident_id incident = no_incident;
    time_point start_by = never; ///< it must not be made later: neither after its deadline nor without the lead
    std::vector<proof_of_death> proofs{}; ///< one for an instance, several for a stack
    std::vector<char> text{};             ///< what the views in `what` show; not a string, whose text may move with it
};

/// What a step asks for. The caller owns it and uses it again, so that a quiet step allocates nothing.
struct outputs {
    std::vector<record> records;
    std::vector<call> calls;
    std::vector<event> events;

    [[nodiscard]] bool empty() const noexcept { return records.empty() && calls.empty() && events.empty(); }
    void clear() noexcept {
        records.clear();
        calls.clear();
        events.clear();
    }
};

} // namespace reheat::inline REHEAT_ABI
