// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/sim/fault_kind.hpp>
#include <reheat/sim/world_parts.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace policy_lab {

/// How often each kind of fault comes: so many in a year of each thing that it can hit: an instance, a stack, a host, a
/// rack, a zone, or the cloud and its controller as a whole.
class fault_rates {
public:
    /// The defaults; docs/how-to/compare-policies.md says where they come from.
    fault_rates();

    [[nodiscard]] double of(reheat::sim::fault_kind k) const noexcept { return a_year_[static_cast<std::size_t>(k)]; }
    /// `kind=rate,kind=rate`; `none` before them sets all others to 0. The error says what is known.
    reheat::result<void> change(std::string_view words);
    /// A line for each kind: its name, how often, a year of what, and for how long where it is a state.
    [[nodiscard]] std::string text() const;

private:
    std::array<double, reheat::sim::fault_kind_count> a_year_{};
};

/// Draws the faults of so many days: the same for the same seed, whatever policy meets them.
[[nodiscard]] std::vector<reheat::sim::planned_fault>
draw_faults(const fault_rates& rates, const reheat::sim::fleet_plan& fleet, std::uint32_t days, std::uint64_t seed);

} // namespace policy_lab
