// SPDX-License-Identifier: MIT
// What a user of a simulated fleet feels, and what was done to whom: measured by the truth, not by what is heard.
#include "world_support.hpp"

#include <cstdint>
#include <utility>

using namespace std::chrono_literals;
namespace rh = reheat;
namespace sim = reheat::sim;

namespace {

struct nobody {
    bool beat(std::uint32_t) { return false; }
    bool renewed(std::uint32_t) { return true; }
    void copy_seen(std::uint32_t, const sim::copy_state&) {}
    void healed(std::uint32_t, std::uint8_t) {}
    void host_died(std::uint32_t) {}
    void host_returned(std::uint32_t) {}
};

/// Three machines, each on a host of its own in a zone of its own: two of stack 0 with two processes each, and one of
/// stack 1 that has none and has to keep its disk.
struct fixture : world_support::driven_world<nobody> {
    fixture() : driven_world{plan(), 7} {
        for (std::uint32_t n = 0; n < 3; ++n) in.know(rh::target_id{n}, {sim::world_place::kind::machine, n, 0});
        in.know(rh::target_id{4}, {sim::world_place::kind::process, 0, 1});
        in.know(rh::target_id{5}, {sim::world_place::kind::stack, 0, 0});
        in.measure(&meter);
        start = time.now;
    }
    static sim::fleet_plan plan() {
        sim::fleet_plan p;
        p.racks_in_zone = p.hosts_in_rack = 1;
        p.stacks = 2;
        p.machines.push_back({.stack = 0, .host = 0, .processes = 2});
        p.machines.push_back({.stack = 0, .host = 1, .processes = 2});
        p.machines.push_back({.stack = 1,
                              .host = 2,
                              .processes = 0,
                              .volumes = 0,
                              .stateful = false,
                              .keep = rh::asset::ephemeral_disk | rh::asset::fixed_addresses});
        return p;
    }
    void reboot(std::uint32_t machine) { in.reboot(request(rh::operation::reboot_instance, machine), answer()); }
    void recreate(std::uint32_t machine) {
        in.recreate(request(rh::operation::recreate_instance, machine),
                    rh::testing::mint_proof(rh::incident_id{1}, rh::target_id{machine}), answer());
    }
    [[nodiscard]] rh::duration at(rh::time_point t) const { return t - start; }

    sim::truth_meter meter;
    rh::time_point start;
};

} // namespace

TEST_CASE("an outage lasts from the moment of the fault to the moment in which it serves again") {
    fixture f;
    f.run(1h);
    CHECK(f.meter.outages().empty());
    f.begin(sim::fault_kind::process_dies, 0, 10min, 1);
    f.run(10min);
    REQUIRE(f.meter.outages().size() == 1);
    CHECK_FALSE(f.meter.outages()[0].over());
    f.in.restart_service(f.request(rh::operation::restart_service, 4), f.answer());
    f.run(10min);
    REQUIRE(f.meter.outages().size() == 1);
    const sim::outage o = f.meter.outages()[0];
    CHECK(o.machine == 0);
    CHECK(o.process == 1);
    CHECK(f.at(o.from) == 1h);
    CHECK(f.at(o.to) > 1h + 10min);
    CHECK(f.at(o.to) < 1h + 11min);
    CHECK(f.meter.calls(rh::operation::restart_service) == 1);
    CHECK(f.meter.needless(rh::operation::restart_service) == 0);
}

TEST_CASE("faults that overlap are one outage, of every process of the machine") {
    fixture f;
    f.begin(sim::fault_kind::host_loses_network, 0, 10min);
    f.run(5min);
    f.begin(sim::fault_kind::host_loses_storage, 0, 20min);
    f.run(1h);
    REQUIRE(f.meter.outages().size() == 2);
    for (const sim::outage& o : f.meter.outages()) {
        CHECK(f.at(o.from) == 0min);
        CHECK(f.at(o.to) == 25min);
    }
}

TEST_CASE("a machine without processes is its own") {
    fixture f;
    f.begin(sim::fault_kind::host_loses_power, 2, 10min);
    f.run(1h);
    REQUIRE(f.meter.outages().size() == 1);
    CHECK(f.meter.outages()[0].machine == 2);
    CHECK(f.at(f.meter.outages()[0].to) == 10min + 10s + fixture::plan().boot_time);
}

TEST_CASE("who is unheard serves, and who has no network does not, whatever he hears of himself") {
    fixture f;
    f.begin(sim::fault_kind::heartbeats_lost, 0);
    CHECK(f.meter.outages().empty());
    f.reboot(0);
    CHECK(f.meter.needless(rh::operation::reboot_instance) == 1);
    f.begin(sim::fault_kind::host_loses_network, 1);
    f.reboot(1);
    CHECK(f.meter.calls(rh::operation::reboot_instance) == 2);
    CHECK(f.meter.needless(rh::operation::reboot_instance) == 1);
}

TEST_CASE("an action on a machine is needed while one of its processes is down, and one on a stack while anything is") {
    fixture f;
    f.begin(sim::fault_kind::process_dies, 0);
    f.reboot(0);
    f.in.converge(f.request(rh::operation::converge_stack, 5), {}, f.answer());
    CHECK(f.meter.needless(rh::operation::reboot_instance) == 0);
    CHECK(f.meter.needless(rh::operation::converge_stack) == 0);
    f.run(1h);
    f.in.converge(f.request(rh::operation::converge_stack, 5), {}, f.answer());
    CHECK(f.meter.needless(rh::operation::converge_stack) == 1);
}

TEST_CASE("a needless fence is counted once, and not what follows upon it") {
    fixture f;
    f.in.fence(f.request(rh::operation::fence_instance, 2), f.answer());
    f.run(5min);
    f.recreate(2);
    f.run(5min);
    CHECK(f.meter.needless(rh::operation::fence_instance) == 1);
    CHECK(f.meter.needless(rh::operation::recreate_instance) == 0);
    CHECK(f.meter.calls(rh::operation::recreate_instance) == 1);
    CHECK(f.meter.outages().size() == 1);
}

TEST_CASE("a re-creation loses the disk and the identity, and it is told when they had to be kept") {
    fixture f;
    f.begin(sim::fault_kind::guest_freezes, 0);
    f.in.fence(f.request(rh::operation::fence_instance, 0), f.answer());
    f.run(5min);
    f.recreate(0);
    f.run(5min);
    CHECK(f.meter.lost().ephemeral_disks == 1);
    CHECK(f.meter.lost().identities == 1);
    CHECK(f.meter.lost().to_keep == 0);
    f.in.rebuild(f.request(rh::operation::rebuild_instance, 2), f.answer());
    f.run(5min);
    CHECK(f.meter.lost().ephemeral_disks == 2);
    CHECK(f.meter.lost().identities == 1);
    CHECK(f.meter.lost().to_keep == 1);
    f.reboot(1);
    f.run(5min);
    CHECK(f.meter.lost().ephemeral_disks == 2);
}

TEST_CASE("what the cloud refuses loses nothing") {
    fixture f;
    f.begin(sim::fault_kind::host_goes_dark, 2, 1h);
    f.in.rebuild(f.request(rh::operation::rebuild_instance, 2), f.answer());
    f.run(10min);
    CHECK(f.meter.calls(rh::operation::rebuild_instance) == 1);
    CHECK(f.meter.lost().ephemeral_disks == 0);
}
