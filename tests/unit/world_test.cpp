// SPDX-License-Identifier: MIT
// The simulated world: each fault does what it says, and the ground truth says so.
#include "world_support.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace rh = reheat;
namespace sim = reheat::sim;

namespace {

/// Who is heard, by machine.
struct listener {
    std::vector<std::uint32_t> beats = std::vector<std::uint32_t>(4);
    std::vector<std::uint32_t> healed_processes;
    std::vector<std::string> told;
    std::uint32_t copies_seen = 0;
    std::uint32_t renewals = 0;
    bool hears_renewals = true;

    bool beat(std::uint32_t n) {
        ++beats[n];
        return false;
    }
    bool renewed(std::uint32_t) {
        ++renewals;
        return hears_renewals;
    }
    void copy_seen(std::uint32_t, sim::copy_state&) { ++copies_seen; }
    void healed(std::uint32_t n, std::uint8_t) { healed_processes.push_back(n); }
    void host_died(std::uint32_t h) { told.push_back("died " + std::to_string(h)); }
    void host_returned(std::uint32_t h) { told.push_back("returned " + std::to_string(h)); }
};

/// Four machines on four hosts in three zones, and a controller's ear.
struct fixture : world_support::driven_world<listener> {
    explicit fixture(std::uint64_t seed = 7) : driven_world{plan(), seed} {
        for (std::uint32_t n = 0; n < 4; ++n) in.know(rh::target_id{n}, {sim::world_place::kind::machine, n, 0});
        in.know(rh::target_id{4}, {sim::world_place::kind::process, 0, 0});
        in.know(rh::target_id{5}, {sim::world_place::kind::stack, 0, 0});
    }
    static sim::fleet_plan plan() {
        sim::fleet_plan p;
        p.racks_in_zone = 1;
        p.stacks = 2;
        for (std::uint32_t n = 0; n < 4; ++n) p.machines.push_back({.stack = n % 2, .host = n, .processes = 2});
        return p;
    }
    std::uint32_t beats_in(std::uint32_t machine, rh::duration d) {
        const std::uint32_t before = ear.beats[machine];
        run(d);
        return ear.beats[machine] - before;
    }
    /// The outcomes that have come, and how often each was repeated.
    std::vector<rh::delivered_outcome> outcomes() {
        std::vector<rh::delivered_outcome> all;
        rh::delivered_outcome one;
        while (mail->outcomes.take(one)) all.push_back(std::move(one));
        return all;
    }
    rh::outcome fence(std::uint32_t machine) {
        in.fence(request(rh::operation::fence_instance, machine), answer());
        run(5min);
        auto all = outcomes();
        REQUIRE(all.size() == 1);
        return all.front().result;
    }
};

} // namespace

TEST_CASE("a healthy machine is heard once a minute") {
    fixture f;
    CHECK(f.beats_in(0, 1h) == 60);
    CHECK(f.in.truth().all_well());
}

TEST_CASE("a process that ends is started again by its guest's agent") {
    fixture f;
    f.begin(sim::fault_kind::process_dies, 0);
    CHECK(!f.in.truth().machine(0).all_up());
    CHECK(f.in.truth().works(0));
    f.in.restart_service(f.request(rh::operation::restart_service, 4), f.answer());
    f.run(1min);
    CHECK(f.in.truth().all_well());
    CHECK(f.outcomes().front().result.code == rh::outcome_code::done);
}

TEST_CASE("a guest that ends or stands still is silent until it is booted") {
    for (const sim::fault_kind k : {sim::fault_kind::guest_panics, sim::fault_kind::guest_freezes}) {
        fixture f;
        f.begin(k, 1);
        CHECK(f.in.truth().machine(1).now.has_power());
        CHECK(f.beats_in(1, 1h) == 0);
        f.in.reboot(f.request(rh::operation::reboot_instance, 1), f.answer());
        f.run(3min);
        CHECK(f.in.truth().all_well());
    }
}

TEST_CASE("a broken stack is mended by converging it alone") {
    fixture f;
    f.begin(sim::fault_kind::stack_breaks, 2);
    CHECK(!f.in.truth().works(0));
    CHECK(!f.in.truth().works(2));
    CHECK(f.in.truth().works(1));
    f.in.reboot(f.request(rh::operation::reboot_instance, 2), f.answer());
    f.run(10min);
    CHECK(!f.in.truth().works(2));
    f.in.converge(f.request(rh::operation::converge_stack, 5), {}, f.answer());
    f.run(10min);
    CHECK(f.in.truth().all_well());
}

TEST_CASE("a host without power ends what it runs, and boots it again when it is back") {
    fixture f;
    f.begin(sim::fault_kind::host_loses_power, 0);
    CHECK(f.in.truth().machine(0).now.is == sim::condition::lost);
    CHECK(f.beats_in(0, 9min) == 0);
    f.run(5min);
    CHECK(f.in.truth().all_well());
}

TEST_CASE("what was fenced does not come back with its host") {
    fixture f;
    f.begin(sim::fault_kind::host_loses_power, 0);
    CHECK(f.fence(0).code == rh::outcome_code::done);
    f.run(1h);
    CHECK(f.in.truth().machine(0).now.is == sim::condition::off);
}

TEST_CASE("the board of a dark host does not answer, a power outlet does") {
    fixture f;
    f.begin(sim::fault_kind::host_goes_dark, 0, 1h);
    CHECK(f.fence(0).code == rh::outcome_code::failed);
    auto by_outlet = f.request(rh::operation::fence_instance, 0);
    by_outlet.method = "pdu";
    f.in.fence(by_outlet, f.answer());
    f.run(5min);
    CHECK(f.outcomes().front().result.code == rh::outcome_code::done);
}

TEST_CASE("a rack takes all its hosts with it") {
    fixture f;
    f.begin(sim::fault_kind::rack_loses_power, 0);
    CHECK(f.in.truth().machine(0).now.is == sim::condition::lost);
    CHECK(f.in.truth().machine(1).now.is == sim::condition::lost);
    CHECK(f.in.truth().machine(2).now.is == sim::condition::running);
}

TEST_CASE("partitions silence guests that run, one way or both") {
    for (const sim::fault_kind k :
         {sim::fault_kind::host_loses_network, sim::fault_kind::heartbeats_lost, sim::fault_kind::controller_cut_off}) {
        fixture f;
        f.begin(k, 0);
        CHECK(f.in.truth().all_well());
        CHECK(f.beats_in(0, 9min) == 0);
        f.run(2min);
        CHECK(f.beats_in(0, 10min) == 10);
    }
    fixture f;
    f.begin(sim::fault_kind::management_cut, 0);
    CHECK(f.fence(0).code == rh::outcome_code::failed);
    CHECK(f.beats_in(0, 3min) == 3);
}

TEST_CASE("without its storage a host's guests stand still, and go on when it is back") {
    fixture f;
    f.begin(sim::fault_kind::host_loses_storage, 0);
    CHECK(f.beats_in(0, 9min) == 0);
    f.run(2min);
    CHECK(f.beats_in(0, 10min) == 10);
    CHECK(f.in.truth().machine(0).now.boots == 1);
}

TEST_CASE("a second copy is noted, a copy after a fence is none") {
    for (const bool fenced : {true, false}) {
        fixture f;
        if (fenced) CHECK(f.fence(0).code == rh::outcome_code::done);
        rh::proof_of_death proof = rh::testing::mint_proof(rh::incident_id{1}, rh::target_id{0});
        f.in.recreate(f.request(rh::operation::recreate_instance, 0), std::move(proof), f.answer());
        f.run(10min);
        CHECK(f.in.truth().machine(0).now.number == 2);
        CHECK(f.in.truth().machine(0).now.host != 0);
        CHECK(f.in.truth().violations().empty() == fenced);
        if (!fenced) CHECK(f.ear.copies_seen != 0);
    }
}

TEST_CASE("an API that does not answer may have done it") {
    fixture f;
    f.begin(sim::fault_kind::answers_lost, 0);
    f.in.fence(f.request(rh::operation::fence_instance, 0), f.answer());
    f.run(5min);
    CHECK(f.outcomes().empty());
    CHECK(f.in.truth().machine(0).now.is == sim::condition::off);

    fixture cut;
    cut.begin(sim::fault_kind::controller_cut_off, 0);
    cut.in.fence(cut.request(rh::operation::fence_instance, 0), cut.answer());
    cut.run(5min);
    CHECK(cut.outcomes().empty());
    CHECK(cut.in.truth().machine(0).now.is == sim::condition::running);
}

TEST_CASE("completions come twice, late, or are abandoned") {
    fixture twice;
    twice.begin(sim::fault_kind::completions_twice, 0);
    twice.in.fence(twice.request(rh::operation::fence_instance, 0), twice.answer());
    twice.run(5min);
    const auto both = twice.outcomes();
    REQUIRE(both.size() == 2);
    CHECK(!both[0].repeated);
    CHECK(both[1].repeated);

    fixture late;
    late.begin(sim::fault_kind::completions_late, 0);
    late.in.fence(late.request(rh::operation::fence_instance, 0), late.answer());
    late.run(5min);
    CHECK(late.outcomes().empty());
    late.run(15min);
    CHECK(late.outcomes().size() == 1);

    fixture gone;
    gone.begin(sim::fault_kind::completions_abandoned, 0);
    gone.in.fence(gone.request(rh::operation::fence_instance, 0), gone.answer());
    gone.run(5min);
    CHECK(gone.outcomes().front().result.code == rh::outcome_code::unknown);
}

TEST_CASE("a cloud that is throttled or full refuses, and nothing happens") {
    fixture f;
    f.begin(sim::fault_kind::api_throttles, 0);
    const rh::outcome refused = f.fence(0);
    CHECK(refused.code == rh::outcome_code::refused);
    CHECK(refused.retry_after > 0s);
    CHECK(f.in.truth().all_well());
}

TEST_CASE("an API lies about what it did, never that a fence worked") {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        fixture f{seed};
        f.begin(sim::fault_kind::api_lies, 0, 1h);
        for (std::uint32_t machine = 0; machine < 4; ++machine) {
            if (f.fence(machine).code == rh::outcome_code::done)
                CHECK(f.in.truth().machine(machine).now.is == sim::condition::off);
        }
    }
}

TEST_CASE("in the mode in which proofs lie a fence says done and does nothing") {
    fixture f;
    f.in.weather().lie_about_proofs(100);
    CHECK(f.fence(0).code == rh::outcome_code::done);
    CHECK(f.in.truth().machine(0).now.is == sim::condition::running);
}

TEST_CASE("a call of an epoch that is over is refused and counted") {
    fixture f;
    rh::request newer = f.request(rh::operation::fence_instance, 0);
    newer.reign = rh::epoch{2};
    f.in.fence(newer, f.answer());
    f.in.fence(f.request(rh::operation::fence_instance, 1), f.answer());
    f.run(5min);
    CHECK(f.in.stale_calls() == 1);
    CHECK(f.in.truth().machine(0).now.is == sim::condition::off);
    CHECK(f.in.truth().machine(1).now.is == sim::condition::running);
}

TEST_CASE("a dead host is told, and its return, if somebody makes sure of it") {
    fixture f;
    f.in.tell_dead_hosts(true);
    f.begin(sim::fault_kind::host_loses_power, 2);
    f.run(1h);
    CHECK(f.ear.told == std::vector<std::string>{"died 2", "returned 2"});
}

TEST_CASE("a copy that was replaced comes back with its host, is heard, and can be stopped by its id") {
    fixture f;
    f.begin(sim::fault_kind::host_loses_power, 0, 20min);
    CHECK(f.fence(0).code == rh::outcome_code::done);
    rh::proof_of_death proof = rh::testing::mint_proof(rh::incident_id{1}, rh::target_id{0});
    f.in.recreate(f.request(rh::operation::recreate_instance, 0), std::move(proof), f.answer());
    f.run(5min);
    static_cast<void>(f.outcomes());
    sim::planned_fault back;
    back.kind = sim::fault_kind::old_copies_return;
    CHECK(!f.in.can_begin(back)); // its host has no power yet
    f.run(20min);
    CHECK(f.in.truth().machine(0).now.number == 2);
    CHECK(f.ear.copies_seen == 0);
    f.begin(sim::fault_kind::old_copies_return, 0);
    f.run(3min);
    CHECK(f.ear.copies_seen == 6);            // the old one and the new one
    CHECK(f.in.truth().violations().empty()); // it was no call

    for (const bool original : {false, true}) {
        fixture g;
        g.begin(sim::fault_kind::host_loses_power, 0, 1min);
        CHECK(g.fence(0).code == rh::outcome_code::done);
        rh::proof_of_death why = rh::testing::mint_proof(rh::incident_id{1}, rh::target_id{0});
        g.in.recreate(g.request(rh::operation::recreate_instance, 0), std::move(why), g.answer());
        g.run(5min);
        static_cast<void>(g.outcomes());
        g.begin(sim::fault_kind::old_copies_return, 0);
        rh::request stop = g.request(rh::operation::fence_instance, 0);
        stop.replaced = true;
        stop.cloud_id = original ? "id-0-2" : "id-0-1";
        g.in.fence(stop, g.answer());
        g.run(5min);
        CHECK(g.outcomes().front().result.code == rh::outcome_code::done);
        CHECK(g.in.truth().machine(0).now.number == (original ? 1 : 2));
        CHECK(g.in.truth().machine(0).older.empty());
        CHECK(g.in.truth().all_well());
    }
}

TEST_CASE("a guest with a lease renews it, and is switched off by its watchdog when nobody hears that") {
    sim::fleet_plan p = fixture::plan();
    p.machines[2].leased = true;
    sim::world_time time;
    sim::world in{p, time, 7};
    listener ear;
    const auto run = [&](rh::duration d) {
        for (const rh::time_point end = time.now + d; time.now < end;) in.advance(end, ear);
    };
    run(1h);
    CHECK(ear.renewals == 60);
    CHECK(in.truth().all_well());
    sim::planned_fault f{.kind = sim::fault_kind::host_loses_network, .lasts = 20min, .machine = 2};
    SUBCASE("its network is gone") {}
    SUBCASE("it stands still") { f.kind = sim::fault_kind::guest_freezes; }
    SUBCASE("nothing reaches the controller") { f.kind = sim::fault_kind::controller_cut_off; }
    SUBCASE("the controller is gone") {
        f.kind = sim::fault_kind::api_slow;
        ear.hears_renewals = false;
    }
    f.share = 90;
    const rh::time_point last = in.truth().machine(2).renewed;
    in.begin(f);
    // Before the time that a proof of death counts from.
    while (in.truth().machine(2).now.has_power()) run(1s);
    CHECK(time.now <= last + sim::lease_length + sim::watchdog_length);
    run(1h);
    CHECK(in.truth().machine(2).now.is == sim::condition::off);
    CHECK(in.truth().machine(0).now.is == sim::condition::running);
}

TEST_CASE("a guest that heals itself says so") {
    sim::fleet_plan p = fixture::plan();
    p.machines[3].heals_itself = true;
    sim::world_time time;
    sim::world in{p, time, 7};
    listener ear;
    in.begin({.kind = sim::fault_kind::process_dies, .machine = 3});
    const rh::time_point end = time.now + 1min;
    while (time.now < end) in.advance(end, ear);
    CHECK(ear.healed_processes == std::vector<std::uint32_t>{3});
    CHECK(in.truth().all_well());
}

TEST_CASE("a disk that is full refuses, a slow one is not safe at once, and a crash loses what was not") {
    sim::journal_disk disk;
    sim::sim_journal log{disk};
    const rh::time_point start = sim::world_time{}.now;
    disk.advance(start);
    std::vector<rh::record> one(1);
    one[0].seq = rh::sequence{1};
    one[0].kind = rh::record_kind::intent;
    one[0].op = rh::op_id{5};
    REQUIRE(log.append(one));
    CHECK(log.durable() == rh::sequence{1});
    CHECK(disk.intended(rh::op_id{5}));

    disk.set_full(true);
    one[0].seq = rh::sequence{2};
    CHECK(!log.append(one));
    CHECK(disk.refused());
    CHECK(!log.open());
    disk.set_full(false);
    REQUIRE(log.open());

    disk.set_delay(10s);
    REQUIRE(log.append(one));
    CHECK(log.durable() == rh::sequence{1});
    CHECK(disk.next() == start + 10s);
    disk.crash();
    disk.advance(start + 1min);
    std::size_t replayed = 0;
    REQUIRE(log.replay([&replayed](rh::record&&) {
        ++replayed;
        return rh::result<void>{};
    }));
    CHECK(replayed == 1);
}
