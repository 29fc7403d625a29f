// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/world.hpp>

#include <span>
#include <utility>

namespace reheat::inline REHEAT_ABI::sim {

/// One controller's way into a world that it shares with others: a driver that says who calls. One thread at a time.
class world_port {
public:
    explicit world_port(world& in, world_caller who = {}) noexcept : world_{&in}, who_{who} {}

    void describe(const request& r, completion done) { world_->by(who_).describe(r, std::move(done)); }
    void create(const request& r, completion done) { world_->by(who_).create(r, std::move(done)); }
    void restart_service(const request& r, completion done) { world_->by(who_).restart_service(r, std::move(done)); }
    void reboot(const request& r, completion done) { world_->by(who_).reboot(r, std::move(done)); }
    void rebuild(const request& r, completion done) { world_->by(who_).rebuild(r, std::move(done)); }
    void fence(const request& r, completion done) { world_->by(who_).fence(r, std::move(done)); }
    void forensics(const request& r, completion done) { world_->by(who_).forensics(r, std::move(done)); }
    void recreate(const request& r, proof_of_death why, completion done) {
        world_->by(who_).recreate(r, std::move(why), std::move(done));
    }
    void evacuate(const request& r, proof_of_death why, completion done) {
        world_->by(who_).evacuate(r, std::move(why), std::move(done));
    }
    void converge(const request& r, std::span<proof_of_death> proofs, completion done) {
        world_->by(who_).converge(r, proofs, std::move(done));
    }

private:
    world* world_;
    world_caller who_;
};

} // namespace reheat::inline REHEAT_ABI::sim
