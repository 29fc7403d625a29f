// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/time.hpp>
#include <reheat/recovery/policy.hpp>

#include <array>
#include <cstdint>
#include <string_view>

// The words of a policy file, for its reader and its writer: the members of each object, and what an enumeration's
// values are called. `docs/reference/policy.schema.json` has the same, and a test compares them.

namespace reheat::inline REHEAT_ABI::detail::policy_words {

template <class E>
struct word {
    std::string_view text;
    E value;
};

inline constexpr std::array<word<operation>, 8> operations{{{"restart_service", operation::restart_service},
                                                            {"guest_restarts", operation::guest_restarts},
                                                            {"reboot_instance", operation::reboot_instance},
                                                            {"rebuild_instance", operation::rebuild_instance},
                                                            {"recreate_instance", operation::recreate_instance},
                                                            {"evacuate_instance", operation::evacuate_instance},
                                                            {"converge_stack", operation::converge_stack},
                                                            {"page", operation::page}}};
inline constexpr std::array<word<consent>, 2> consents{{{"none", consent::none}, {"required", consent::required}}};
inline constexpr std::array<word<reboot_kind>, 3> reboots{
    {{"soft_then_hard", reboot_kind::soft_then_hard}, {"soft", reboot_kind::soft}, {"hard", reboot_kind::hard}}};
inline constexpr std::array<word<single_vantage>, 3> alone{
    {{"fence_first", single_vantage::fence_first}, {"wait", single_vantage::wait}, {"act", single_vantage::act}}};
inline constexpr std::array<word<return_rule>, 4> returned{{{"keep_replacement", return_rule::keep_replacement},
                                                            {"keep_original", return_rule::keep_original},
                                                            {"longest_running", return_rule::longest_running},
                                                            {"stop_both", return_rule::stop_both}}};

inline constexpr std::array<std::string_view, 11> file_members{"$schema",  "rungs",   "retry_parked", "probation",
                                                               "stable",   "related", "forensics",    "evidence",
                                                               "returned", "fencing", "limits"};
inline constexpr std::array<std::string_view, 10> rung_members{
    "operation", "attempts", "within", "sustained", "verify", "grace", "timeout", "approval", "wait", "how"};
inline constexpr std::array<std::string_view, 2> budget_members{"count", "within"};
inline constexpr std::array<std::string_view, 4> wait_members{"first", "most", "full_jitter", "spread"};
inline constexpr std::array<std::string_view, 5> evidence_members{"polls", "unhealthy_polls", "vantages", "alone",
                                                                  "max_age"};
inline constexpr std::array<std::string_view, 2> fencing_members{"methods", "parallel"};
inline constexpr std::array<std::string_view, 11> limits_members{
    "breaker", "silence", "in_flight", "services_in_flight", "between", "start_hold", "yield_to_higher", "group",
    "domain",  "all",     "api"};
inline constexpr std::array<std::string_view, 4> breaker_members{"group", "domain", "counted_from", "cooldown"};
inline constexpr std::array<std::string_view, 4> silence_members{"targets", "domains", "cliff", "within"};
inline constexpr std::array<std::string_view, 2> share_members{"percent", "least"};
inline constexpr std::array<std::string_view, 2> shared_members{"burst", "sustained"};

/// The longest time in a file, and the longest window of a budget: longer ago, nothing is remembered.
inline constexpr duration longest_time = std::chrono::hours{24 * 366};
inline constexpr duration longest_window = std::chrono::hours{24 * 31};
/// The longest name of a fence method, in bytes.
inline constexpr std::size_t longest_name = 64;

} // namespace reheat::inline REHEAT_ABI::detail::policy_words
