// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>
#include <reheat/testing/conformance_sink.hpp>
#include <reheat/testing/driver_fixture.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reheat::inline REHEAT_ABI::testing {

struct conformance_options {
    /// Only rules whose name contains it; empty: all.
    std::string only{};
    /// What the names of the targets begin with.
    std::string prefix = "reheat-kit";
    /// The memory behind a request is freed when the driver's function returns, so that a sanitizer names the line that
    /// still reads it. Otherwise it is overwritten with another target's names.
    bool free_arguments = false;
    /// Where keys and reigns begin: greater ones than in the run before, for a cloud that keeps those in mind.
    std::uint64_t first_key = 1;
    epoch first_reign{1};
};

/// What a rule may say of its call beside the operation and the target.
struct call_extras {
    std::uint64_t key = 0; ///< 0: one that no other call has
    std::optional<epoch> reign{};
    std::string service{};
    std::string method{};
    std::optional<std::string> cloud_id{};
    bool hard = false;
    bool replaced = false;
    std::optional<duration> deadline{};               ///< from now
    bool proof = true;                                ///< for what needs one
    bool second = false;                              ///< by the second driver
    const test_target* decoy = nullptr;               ///< whom the overwritten memory speaks of
    void (*around)(void (*)(void*), void*) = nullptr; ///< who makes the call; by itself it is made here
};

/// What a target looks like from outside; what the fixture can not see is left out.
struct target_view {
    std::size_t copies = 0;
    std::optional<std::string> cloud_id{};
    std::optional<std::string> boot_id{};
    std::optional<std::string> host{};
    std::optional<std::string> root{};
    std::optional<std::vector<volume_seen>> volumes{};
    std::optional<std::vector<std::string>> addresses{};
};

/// One rung, gone through once with everything that the fixture can put on a target; several rules judge it.
struct rung_trial {
    std::string not_run{}; ///< why it could not be tried
    test_target target{};
    target_view before{};
    target_view after{};
    target_view repeated{}; ///< after the same call with the same key
    call_answer told_before{};
    call_answer fence{}; ///< where the rung needs a proof
    call_answer act{};
    call_answer told_after{};
    call_answer repeat{};
    bool up = false;
    std::size_t peak = 0;
};

} // namespace reheat::inline REHEAT_ABI::testing
