// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/driver/capabilities.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI::testing {

class conformance_bench;

/// What came of a rule.
enum class rule_state : std::uint8_t {
    passed,
    failed,
    not_run,        ///< the fixture can not try it: nobody knows
    not_applicable, ///< it is about a function that the driver does not have, or a thing that the cloud does not have
};

[[nodiscard]] constexpr std::string_view to_string(rule_state s) noexcept {
    constexpr std::array<std::string_view, 4> names{"passed", "failed", "not run", "not applicable"};
    return names[static_cast<std::size_t>(s)];
}

/// One rule of the kit. `needs` are the operations that the driver must have a function for, or the rule is not
/// applicable; with `any_action` it needs one that changes something.
struct conformance_rule {
    std::string_view name;
    std::string_view group;
    std::string_view asks;   ///< one sentence
    std::string_view source; ///< the header or page that says so
    void (*check)(conformance_bench&);
    std::array<operation, 2> needs{};
    bool any_action = false;

    [[nodiscard]] constexpr bool applies_to(capabilities can) const noexcept {
        for (const operation o : needs) {
            if (!can.has(o)) return false;
        }
        return !any_action || can.has(operation::fence_instance) || can.has(operation::reboot_instance) ||
               can.has(operation::restart_service);
    }
};

/// What the reason begins with where a rule is not applicable because of the cloud, and not of the driver.
inline constexpr std::string_view no_such_thing = "the cloud has no such thing";

/// A rule and what came of it.
struct rule_result {
    const conformance_rule* rule = nullptr;
    rule_state state = rule_state::not_run;
    std::string why{}; ///< empty for one that passed
};

} // namespace reheat::inline REHEAT_ABI::testing
