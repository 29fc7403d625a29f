// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/evidence/evidence_rules.hpp>
#include <reheat/evidence/testimony.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// How well the death of a machine is attested.
enum class attested : std::uint8_t {
    enough,       ///< so many independent vantages as asked for, or the policy is content with one
    one_vantage,  ///< only one, and the policy waits for another
    contradicted, ///< only one, and another says that it runs
};

/// Weighs what independent vantages say before something that can not be undone. `unhealthy` are the vantages that call
/// it unhealthy, `running` those that say the machine runs although it is silent. A vantage that does not know counts
/// on neither side: what it would say is settled by the fence.
[[nodiscard]] constexpr attested corroborate(vantage_set unhealthy, vantage_set running,
                                             const evidence_rules& rules) noexcept {
    if (count(unhealthy) >= rules.vantages) return attested::enough;
    if (count(running - unhealthy) != 0) return attested::contradicted;
    return rules.alone == single_vantage::wait ? attested::one_vantage : attested::enough;
}

/// Where a machine stands: the names of its failure domains, as numbers; 0 is unknown.
struct placement {
    std::uint32_t host = 0;
    std::uint32_t rack = 0;
    std::uint32_t zone = 0;
};

/// Whether a neighbour's word on a target is its own: the two must be in different failure domains, as far up as the
/// domains of both are known. Machines of one cut-off rack would only ask each other. A neighbour of unknown place is
/// not independent.
[[nodiscard]] constexpr bool independent(const placement& witness, const placement& target) noexcept {
    const bool racks = witness.rack != 0 && target.rack != 0;
    const bool zones = witness.zone != 0 && target.zone != 0;
    if (racks) return witness.rack != target.rack || (zones && witness.zone != target.zone);
    if (zones) return witness.zone != target.zone;
    return witness.host != 0 && target.host != 0 && witness.host != target.host;
}

} // namespace reheat::inline REHEAT_ABI
