// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/runner/mailbox.hpp>
#include <reheat/sim/world.hpp>
#include <reheat/testing/proof_mint.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>

namespace world_support {

/// A simulated fleet that a test breaks, and calls for itself; `Ear` hears what a controller would hear of it.
template <class Ear>
struct driven_world {
    driven_world(const reheat::sim::fleet_plan& plan, std::uint64_t seed) : in{plan, time, seed} {}
    ~driven_world() {
        mail->close();
        mail->release();
    }
    driven_world(const driven_world&) = delete;
    driven_world& operator=(const driven_world&) = delete;

    void run(reheat::duration d) {
        const reheat::time_point end = time.now + d;
        while (time.now < end) in.advance(end, ear);
    }
    void begin(reheat::sim::fault_kind k, std::uint32_t machine, reheat::duration lasts = std::chrono::minutes{10},
               std::uint8_t process = 0) {
        reheat::sim::planned_fault f;
        f.kind = k;
        f.machine = machine;
        f.process = process;
        f.lasts = lasts;
        REQUIRE(in.can_begin(f));
        in.begin(f);
    }
    reheat::request request(reheat::operation what, std::uint32_t target) {
        reheat::request r;
        r.op = reheat::op_id{++ops};
        r.reign = reheat::epoch{1};
        r.what = what;
        r.target = reheat::target_id{target};
        r.deadline = time.now + std::chrono::minutes{5};
        return r;
    }
    reheat::completion answer() { return {reheat::op_id{ops}, *mail}; }

    reheat::sim::world_time time;
    reheat::sim::world in;
    Ear ear;
    reheat::mailbox* mail = new reheat::mailbox{64, 64};
    std::uint64_t ops = 0;
};

} // namespace world_support
