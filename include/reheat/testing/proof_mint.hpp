// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/proof_of_death.hpp>

namespace reheat::inline REHEAT_ABI::testing {

/// The one declared way round the engine.
struct proof_mint {
    [[nodiscard]] static proof_of_death mint(proof_kind kind, incident_id incident, target_id target,
                                             time_point expires) noexcept {
        return {kind, incident, target, expires};
    }
};

/// A proof of death for the test of a driver. Never use it in production: it proves nothing.
[[nodiscard]] inline proof_of_death mint_proof(incident_id incident, target_id target,
                                               time_point expires = never) noexcept {
    return proof_mint::mint(proof_kind::confirmed, incident, target, expires);
}

} // namespace reheat::inline REHEAT_ABI::testing
