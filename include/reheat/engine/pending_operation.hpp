// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/proof_of_death.hpp>
#include <reheat/action/request.hpp>
#include <reheat/recovery/sets.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// An operation between its intent and its end.
struct pending_operation {
    enum class stage : std::uint8_t {
        journaled, ///< its intent waits for the journal
        called,    ///< the driver has it
        unknown,   ///< its outcome is unknown; the cloud is asked, or will be
    };

    op_id id{};
    operation what{};
    operation booked{}; ///< as what its budget was spent
    target_id subject = no_target;
    incident_id for_incident = no_incident; ///< `no_incident` for an operation that was asked for
    sequence intent{};
    stage at = stage::journaled;
    std::uint64_t key = 0;
    bool paged = false;        ///< that it is held back has been paged
    bool hard = false;         ///< of a reboot
    std::string_view method{}; ///< of a fence
    time_point since{};        ///< when it was decided, and its budget spent
    time_point held_since{};   ///< since when the journal or the quota holds back its call or its read-back, or `never`
    duration timeout{};
    duration settle{};            ///< how long its outcome may stay unknown
    time_point deadline = never;  ///< of the call
    op_id reading = no_op;        ///< the read-back under way
    time_point read_by = never;   ///< when that read-back is overdue, or the next one is due
    time_point settle_by = never; ///< when an unknown outcome is taken for "not done"
    std::string cloud_id{};       ///< of the copy that is meant; empty for the current one
    std::string cloud_id_before{};
    std::string boot_id_before{};
    std::vector<proof_of_death> proofs{};
    std::vector<std::string> said{}; ///< what the driver said of it, for people
    std::vector<set_id> room_in{};   ///< where it took room, once for each copy; `no_set`: of the whole cloud
};

namespace detail {

/// Whether an operation comes before a rung's action and is not the action.
[[nodiscard]] constexpr bool comes_first(operation o) noexcept {
    return o == operation::fence_instance || o == operation::collect_forensics;
}

/// What is said more than once is kept once; of very much what came first, which tells the cause, and the newest.
inline void add_words(std::vector<std::string>& to, std::string_view words) {
    std::erase(to, words);
    if (to.size() == 16) to.erase(to.begin() + 8);
    to.emplace_back(words);
}

} // namespace detail

} // namespace reheat::inline REHEAT_ABI
