// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/conformance_rule.hpp>

#include <string_view>

// What the tables of rules are written in.

namespace reheat::inline REHEAT_ABI::testing::rules {

/// Where a rule comes from.
namespace from {
inline constexpr std::string_view guide = "docs/reference/driver.md";
inline constexpr std::string_view completions = "driver/completion.hpp";
inline constexpr std::string_view concepts = "driver/concepts.hpp";
inline constexpr std::string_view requests = "action/request.hpp";
inline constexpr std::string_view outcomes = "action/outcome.hpp";
inline constexpr std::string_view losses = "action/loss.hpp";
inline constexpr std::string_view operations = "action/operation.hpp";
} // namespace from

/// What the driver must have a function for.
namespace needs {
inline constexpr operation restart = operation::restart_service;
inline constexpr operation reboot = operation::reboot_instance;
inline constexpr operation rebuild = operation::rebuild_instance;
inline constexpr operation fenced = operation::fence_instance;
inline constexpr operation recreate = operation::recreate_instance;
inline constexpr operation evacuate = operation::evacuate_instance;
inline constexpr operation converge = operation::converge_stack;
inline constexpr operation create = operation::create_instance;
inline constexpr operation forensics = operation::collect_forensics;
inline constexpr bool an_action = true;
} // namespace needs

} // namespace reheat::inline REHEAT_ABI::testing::rules
