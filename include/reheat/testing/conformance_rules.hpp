// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/conformance_call_table.hpp>
#include <reheat/testing/conformance_rung_table.hpp>

#include <array>
#include <cstddef>
#include <iterator>
#include <span>

namespace reheat::inline REHEAT_ABI::testing {

namespace rules {

[[nodiscard]] constexpr auto all_in_order() noexcept {
    std::array<conformance_rule, std::size(of_looks) + std::size(of_rungs) + std::size(of_calls)> all{};
    std::size_t n = 0;
    for (const conformance_rule& r : of_looks) all[n++] = r;
    for (const conformance_rule& r : of_rungs) all[n++] = r;
    for (const conformance_rule& r : of_calls) all[n++] = r;
    return all;
}
inline constexpr auto all = all_in_order();

} // namespace rules

/// Every rule of the kit, in the order in which they are tried.
[[nodiscard]] constexpr std::span<const conformance_rule> conformance_rules() noexcept { return rules::all; }

} // namespace reheat::inline REHEAT_ABI::testing
