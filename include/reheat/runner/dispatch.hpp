// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/concepts.hpp>
#include <reheat/engine/effects.hpp>

#include <utility>

namespace reheat::inline REHEAT_ABI {

/// Makes one call of the engine on a driver. A call that needs proofs is refused here, before the driver hears of it,
/// if one is missing, expired, or speaks for another incident or target; so is one for which the driver has no
/// function, and one that comes too late, because its process stood still since the engine decided.
template <cloud_driver Driver>
void dispatch(Driver& driver, call& c, time_point now, completion done) {
    if (now > c.start_by) return done(outcome::refused("too late: its deadline or this controller's lead is over"));
    for (const proof_of_death& p : c.proofs) {
        if (!p.speaks_for(c.incident, p.target(), now)) return done(outcome::refused("proof of death does not hold"));
    }
    const bool one_proof = c.proofs.size() == 1 && c.proofs.front().target() == c.what.target;
    const auto lacking = [&done] { done(outcome::refused("the driver has no such function")); };
    switch (c.what.what) {
    case operation::describe: return driver.describe(c.what, std::move(done));
    case operation::create_instance:
        if constexpr (creates_instances<Driver>) return driver.create(c.what, std::move(done));
        else return lacking();
    case operation::restart_service:
        if constexpr (restarts_services<Driver>) return driver.restart_service(c.what, std::move(done));
        else return lacking();
    case operation::reboot_instance:
        if constexpr (reboots_instances<Driver>) return driver.reboot(c.what, std::move(done));
        else return lacking();
    case operation::rebuild_instance:
        if constexpr (rebuilds_instances<Driver>) return driver.rebuild(c.what, std::move(done));
        else return lacking();
    case operation::fence_instance:
        if constexpr (fences_instances<Driver>) return driver.fence(c.what, std::move(done));
        else return lacking();
    case operation::recreate_instance:
        if (!one_proof) return done(outcome::refused("no proof of death"));
        if constexpr (recreates_instances<Driver>)
            return driver.recreate(c.what, std::move(c.proofs.front()), std::move(done));
        else return lacking();
    case operation::evacuate_instance:
        if (!one_proof) return done(outcome::refused("no proof of death"));
        if constexpr (evacuates_instances<Driver>)
            return driver.evacuate(c.what, std::move(c.proofs.front()), std::move(done));
        else return lacking();
    case operation::converge_stack:
        if constexpr (converges_stacks<Driver>) return driver.converge(c.what, std::span{c.proofs}, std::move(done));
        else return lacking();
    case operation::collect_forensics:
        if constexpr (collects_forensics<Driver>) return driver.forensics(c.what, std::move(done));
        else return lacking();
    case operation::none:
    case operation::guest_restarts:
    case operation::page: return done(outcome::refused("no operation of a driver"));
    }
}

} // namespace reheat::inline REHEAT_ABI
