// SPDX-License-Identifier: MIT
// Two controllers on one world, one journal and one store of leases: one stands still, the other takes over, the first
// wakes up and goes on with its old epoch.
#include <reheat/recovery/ladder.hpp>
#include <reheat/runner/mailbox.hpp>
#include <reheat/sim/run_schedule.hpp>
#include <reheat/sim/virtual_controller.hpp>
#include <reheat/testing/proof_mint.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <vector>

using namespace std::chrono_literals;
namespace rh = reheat;
namespace sim = reheat::sim;

namespace {

rh::record record_of(std::uint64_t seq, std::uint64_t op) {
    rh::record r;
    r.seq = rh::sequence{seq};
    r.kind = rh::record_kind::intent;
    r.op = rh::op_id{op};
    return r;
}

/// Twenty machines, two controllers, and nothing that goes wrong by itself.
sim::schedule calm_twins() {
    sim::schedule s;
    s.seed = 7;
    s.fleet.stacks = 5;
    for (std::uint32_t n = 0; n < 20; ++n) s.fleet.machines.push_back({.stack = n % 5, .host = n % 12});
    s.policies = {rh::ladder{rh::reboot_instance{.attempts = 2, .within = 30min, .verify = 5min, .grace = 2min},
                             rh::recreate_instance{.attempts = 1, .within = 4h, .approval = rh::consent::none}}
                      .lowered()};
    s.options.lease_covers = 20s;
    s.twins = true;
    s.lead = {45s, 5s};
    s.ahead = {300ms, -200ms};
    s.calm = 2h;
    return s;
}
sim::planned_fault at(sim::fault_kind k, rh::duration when, rh::duration lasts, std::uint8_t process = 0) {
    sim::planned_fault f;
    f.kind = k;
    f.at = when;
    f.lasts = lasts;
    f.process = process;
    f.share = 60;
    return f;
}

} // namespace

TEST_CASE("a journal belongs to the newest epoch that claimed it") {
    sim::journal_disk disk;
    disk.advance(sim::world_time{}.now);
    sim::journal_way way_1;
    sim::journal_way way_2;
    sim::sim_journal first{disk, rh::epoch{1}, &way_1};
    sim::sim_journal second{disk, rh::epoch{2}, &way_2};
    REQUIRE(first.open());
    const std::array one{record_of(1, 1)};
    const std::array two{record_of(2, 2)};
    REQUIRE(first.append(one));
    disk.set_delay(10s);
    REQUIRE(first.append(two));
    CHECK(first.durable() == rh::sequence{1});

    // What the old leader appended and is not safe when another one takes over is gone, for both.
    REQUIRE(second.open());
    CHECK(disk.appended() == 1);
    disk.set_delay({});
    const std::array other{record_of(2, 3)};
    REQUIRE(second.append(other));
    CHECK(second.durable() == rh::sequence{2});
    CHECK(first.durable() == rh::sequence{1}); // or it would take the other's record for its own
    CHECK(first.append(two).error().code == rh::errc::denied);
    CHECK(first.open().error().code == rh::errc::denied);
    CHECK(disk.intended(rh::op_id{3}));
    CHECK(!disk.intended(rh::op_id{2}));
}

TEST_CASE("a journal that is cut off refuses, and one whose answers are lost has it after all") {
    sim::journal_disk disk;
    disk.advance(sim::world_time{}.now);
    sim::journal_way way;
    sim::sim_journal log{disk, rh::epoch{1}, &way};
    REQUIRE(log.open());
    const std::array one{record_of(1, 1)};
    way.is = sim::journal_way::condition::cut;
    CHECK(log.append(one).error().code == rh::errc::unavailable);
    CHECK(way.refused);
    CHECK(disk.appended() == 0);
    way.is = sim::journal_way::condition::answers_lost;
    CHECK(!log.append(one));
    CHECK(disk.appended() == 1);
    CHECK(log.durable() == rh::no_sequence); // nobody heard of it
    way.is = sim::journal_way::condition::up;
    REQUIRE(log.open());
    REQUIRE(log.append(one));
    CHECK(disk.appended() == 1); // skipped
    CHECK(log.durable() == rh::sequence{1});
}

TEST_CASE("the cloud refuses calls of an older epoch than it has seen, questions too, and counts them") {
    sim::world_time time;
    sim::fleet_plan plan;
    plan.machines.resize(1);
    sim::world in{plan, time, 7};
    in.know(rh::target_id{0}, {sim::world_place::kind::machine, 0, 0});
    auto* const mail = new rh::mailbox{16, 16};
    const auto ask = [&](std::uint64_t epoch) {
        rh::request r;
        r.what = rh::operation::describe;
        r.reign = rh::epoch{epoch};
        r.target = rh::target_id{0};
        r.deadline = time.now + 1min;
        r.op = rh::op_id{epoch};
        in.describe(r, {r.op, *mail});
        rh::delivered_outcome got;
        return mail->outcomes.take(got) && got.result.code == rh::outcome_code::refused;
    };
    CHECK(!ask(2)); // on its way
    CHECK(ask(1));
    CHECK(!ask(2));
    CHECK(!ask(3));
    CHECK(ask(2));
    CHECK(in.stale_calls() == 2);

    // A call that was held up on its way until its proof of death was over.
    rh::request r;
    r.what = rh::operation::recreate_instance;
    r.reign = rh::epoch{3};
    r.target = rh::target_id{0};
    r.deadline = time.now + 1h;
    r.op = rh::op_id{9};
    rh::proof_of_death proof = rh::testing::mint_proof(rh::incident_id{1}, rh::target_id{0});
    time.now = proof.expires();
    in.recreate(r, std::move(proof), {r.op, *mail});
    rh::delivered_outcome got;
    REQUIRE(mail->outcomes.take(got));
    CHECK(got.result.code == rh::outcome_code::refused);
    CHECK(in.expired_calls() == 1);
    mail->close();
    mail->release();
}

TEST_CASE("a gate holds where it is armed, once") {
    struct counter {
        rh::duration held{};
    } all;
    sim::pause_gate gate;
    gate.on_hold(&all, [](void* of, rh::duration d) { static_cast<counter*>(of)->held += d; });
    gate.arm(sim::pause_point::before_calls, 5s);
    gate.pass(sim::pause_point::before_append);
    CHECK(all.held == 0s);
    gate.pass(sim::pause_point::before_calls);
    gate.pass(sim::pause_point::before_calls);
    CHECK(all.held == 5s);
    gate.slow_store(2s);
    gate.pass_to_store();
    CHECK(all.held == 7s);
}

TEST_CASE("without faults the first one leads to the end") {
    const sim::run_result r = sim::schedule_run{calm_twins()}.run();
    CHECK(r.violations.empty());
    CHECK(r.takeovers == 0);
    CHECK(r.calls == 0);
}

TEST_CASE("whoever stands still for longer than its lease finds another one in its place, wherever it stood") {
    for (std::uint8_t point = 0; point < sim::pause_point_count; ++point) {
        CAPTURE(int{point});
        sim::schedule s = calm_twins();
        s.faults = {at(sim::fault_kind::controller_pauses, 58min, 5min, point),
                    at(sim::fault_kind::guest_freezes, 59min, 1min)};
        s.faults.back().machine = 3;
        s.faults.back().share = 90;
        std::vector<rh::epoch> epochs;
        sim::schedule_run run{s};
        const sim::run_result r = run.run([&](const rh::engine& of, const rh::event&) {
            if (epochs.empty() || epochs.back() != of.options().reign) epochs.push_back(of.options().reign);
        });
        CHECK(r.violations.empty());
        CHECK(r.takeovers == 1);
        CHECK(epochs == std::vector<rh::epoch>{rh::epoch{1}, rh::epoch{2}});
        CHECK(run.in().truth().all_well());
        CHECK(run.in().late_calls() == 0);
        // One that had looked for the last time wakes up, and its call is of an epoch that is over.
        CHECK(r.stale_calls == (point == 3 ? 1 : 0));
    }
}

TEST_CASE("a leader that is cut off from the store does nothing once its lease is over, and another one takes over") {
    for (const std::uint8_t share : {std::uint8_t{40}, std::uint8_t{41}}) { // nothing gets there; nothing comes back
        CAPTURE(int{share});
        sim::schedule s = calm_twins();
        s.faults = {at(sim::fault_kind::store_cut_off, 58min, 20min), at(sim::fault_kind::guest_freezes, 1h, 1min)};
        s.faults.front().share = share;
        s.faults.back().share = 90;
        sim::schedule_run run{s};
        const sim::run_result r = run.run();
        CHECK(r.violations.empty());
        CHECK(r.takeovers == 1);
        CHECK(run.in().truth().all_well());
    }
}

TEST_CASE("if nobody reaches the store nobody acts, and when it is back somebody does") {
    sim::schedule s = calm_twins();
    s.faults = {at(sim::fault_kind::store_cut_off, 58min, 20min), at(sim::fault_kind::guest_freezes, 1h, 1min)};
    s.faults.front().share = 90;
    s.faults.back().share = 90;
    rh::time_point acted = rh::never;
    sim::schedule_run run{s};
    const rh::time_point start = run.in().now();
    const sim::run_result r = run.run([&](const rh::engine&, const rh::event& e) {
        if (e.kind == rh::event_kind::call && e.what == rh::decision::call) acted = rh::earlier(acted, e.at);
    });
    CHECK(r.violations.empty());
    CHECK(acted > start + 78min);
    CHECK(acted < start + 90min);
    CHECK(run.in().truth().all_well());
}

TEST_CASE("one that crashed campaigns again; the other one leads meanwhile, with what the journal has") {
    sim::schedule s = calm_twins();
    s.faults = {at(sim::fault_kind::guest_freezes, 58min, 1min), at(sim::fault_kind::controller_crashes, 1h, 5min),
                at(sim::fault_kind::controller_crashes, 2h, 5min)};
    s.faults.front().share = 90;
    sim::schedule_run run{s};
    const sim::run_result r = run.run();
    CHECK(r.violations.empty());
    CHECK(r.crashes == 2);
    CHECK(r.takeovers == 2);
    CHECK(run.in().truth().all_well());
}
