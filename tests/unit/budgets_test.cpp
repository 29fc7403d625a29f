// SPDX-License-Identifier: MIT
#include "recovery_support.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::guard;
using rh::health;
using rh::operation;
using rh::reason;
using support::answer_to;
using support::bench;
using support::calls_for;
using support::machines;
using support::numbered;
using support::start;
using support::wiki;

namespace {

const rh::policy reboot = rh::ladder{rh::reboot_instance{}}.lowered();
const rh::policy converge = rh::ladder{rh::converge_stack{.approval = rh::consent::none}}.lowered();

/// A stack over three zones, and others in one zone each.
enum : std::size_t { east_1, east_2, west, north, others_east, others_west, others_north, last_east, last_north };
std::vector<rh::instance> stacks() {
    std::vector<rh::instance> all = numbered(9);
    constexpr std::string_view zones[]{"east", "east", "west", "north", "east", "west", "north", "east", "north"};
    constexpr std::string_view names[]{"s", "s", "s", "s", "t", "u", "v", "w", "x"};
    for (std::size_t n = 0; n < all.size(); ++n) {
        all[n].zone = zones[n];
        all[n].stack = names[n];
    }
    return all;
}

rh::engine_options with(void (*change)(rh::limits&)) {
    rh::engine_options o = support::at_once();
    o.bounds.in_flight = {100, 1000};
    o.bounds.services_in_flight = {100, 1000};
    o.bounds.between = 0s;
    o.bounds.breaker.counted_from = 100'000;
    change(o.bounds);
    return o;
}

std::vector<rh::instance> in_zones(std::size_t many) {
    std::vector<rh::instance> all = numbered(many);
    for (std::size_t n = 0; n < many; ++n) {
        all[n].zone = n % 2 == 0 ? "east" : "west";
        all[n].stack = n < many / 2 ? "s" : "t";
    }
    return all;
}

} // namespace

TEST_SUITE("budgets: shared") {
    TEST_CASE("what is shared has room when the count-th newest has left the window") {
        rh::spending s;
        constexpr rh::budget two{2, 1h};
        CHECK(s.room_at(two, start) == start);
        s.spend(start, 1h);
        CHECK(s.room_at(two, start) == start);
        s.spend(start + 10min, 1h);
        CHECK(s.room_at(two, start + 20min) == start + 1h);
        CHECK(s.room_at(two, start + 1h) == start + 1h); // now
        CHECK(s.room_at({1, 1h}, start + 20min) == start + 70min);
        CHECK(s.room_at({0, 1h}, start + 20min) == start + 20min); // 0 is no limit
        CHECK(s.room_at({3, 1h}, start + 20min) == start + 20min);
        s.spend(start + 1h, 1h); // the first is forgotten
        CHECK(s.room_at({3, 100h}, start + 1h) == start + 1h);
    }

    TEST_CASE("what is taken back was not spent") {
        rh::spending s;
        s.spend(start, 1h);
        s.spend(start + 1min, 1h);
        s.spend(start + 1min, 1h);
        s.take_back(start + 1min);
        CHECK(s.room_at({2, 1h}, start + 2min) > start + 2min);
        s.take_back(start + 1min);
        s.take_back(start + 1min); // nothing left of that time
        CHECK(s.room_at({2, 1h}, start + 2min) == start + 2min);
        CHECK(s.room_at({1, 1h}, start + 2min) == start + 1h);
    }

    TEST_CASE("all actions together, burst and sustained, whatever target they are for") {
        machines m{reboot, in_zones(8),
                   with([](rh::limits& l) { l.all = {.burst = {2, 10min}, .sustained = {3, 1h}}; })};
        for (std::size_t n = 0; n < 5; ++n) m.fail(n);
        CHECK(m.count(operation::reboot_instance) == 2);
        CHECK(support::answer_of(m, m.vm[2], guard::quota).why == reason::all_budget);
        CHECK(support::answer_of(m, m.vm[2], guard::quota).next == start + 10min);
        REQUIRE(m.run_for(10min));
        m.step();
        CHECK(m.count(operation::reboot_instance) == 3);
        CHECK(support::answer_of(m, m.vm[3], guard::quota).next == start + 1h);
        REQUIRE(m.run_for(49min));
        CHECK(m.count(operation::reboot_instance) == 3);
    }

    TEST_CASE("a group's budget is its own") {
        machines m{reboot, in_zones(8),
                   with([](rh::limits& l) { l.group = {.burst = {1, 1h}, .sustained = {0, 0s}}; })};
        for (std::size_t n = 0; n < 8; ++n) m.fail(n);
        CHECK(m.count(operation::reboot_instance) == 2); // one of each stack
        CHECK(support::answer_of(m, m.vm[1], guard::quota).why == reason::group_budget);
        CHECK(support::answer_of(m, m.vm[1], guard::quota).next == start + 1h);
    }

    TEST_CASE("an action is spent where its room was asked for, though the fence finds the machine elsewhere") {
        rh::instance here{.name = "here", .host = "h1", .zone = "east"};
        rh::instance there{.name = "there", .host = "h2", .zone = "west"};
        rh::instance also_there{.name = "also-there", .host = "h2", .zone = "west"};
        machines m{rh::ladder{rh::evacuate_instance{}}.lowered(), {here, there, also_there}, with([](rh::limits& l) {
                       l.domain.burst = {1, 1h};
                   })};
        for (const std::size_t n : {0U, 1U}) m.fail(n);
        rh::outcome moved = rh::outcome::done();
        moved.seen.host = "h2";
        REQUIRE(answer_to(m, m.vm[0], operation::fence_instance, moved));
        CHECK(calls_for(m, m.vm[0], operation::evacuate_instance) == 1);
        REQUIRE(answer_to(m, m.vm[1], operation::fence_instance, rh::outcome::done()));
        CHECK(calls_for(m, m.vm[1], operation::evacuate_instance) == 1); // west has not spent it on another's behalf
        m.fail(2);
        CHECK(support::answer_of(m, m.vm[2], guard::quota).why == reason::domain_budget);
        const auto spent = [&](const char* zone) {
            const rh::set_id z = m.e.sets().find(rh::set_kind::zone, zone);
            return m.e.sets()[z].spent.room_at({1, 1h}, m.now) > m.now && //
                   m.e.sets()[z].spent.room_at({2, 1h}, m.now) <= m.now;
        };
        CHECK(spent("east"));
        CHECK(spent("west")); // once
    }

    TEST_CASE("a failure domain's budget is its own, sustained without a burst as well") {
        machines m{reboot, in_zones(8),
                   with([](rh::limits& l) { l.domain = {.burst = {0, 0s}, .sustained = {2, 1h}}; })};
        for (std::size_t n = 0; n < 8; ++n) m.fail(n);
        CHECK(m.count(operation::reboot_instance) == 4); // two of each zone
        CHECK(support::answer_of(m, m.vm[7], guard::quota).why == reason::domain_budget);
    }

    TEST_CASE("of several budgets the one with the longest wait speaks") {
        machines m{reboot, in_zones(4), with([](rh::limits& l) {
                       l.all = {.burst = {1, 2h}, .sustained = {0, 0s}};
                       l.group = {.burst = {1, 1h}, .sustained = {0, 0s}};
                   })};
        m.fail(0);
        m.fail(1);
        CHECK(support::answer_of(m, m.vm[1], guard::quota).why == reason::all_budget);
        CHECK(support::answer_of(m, m.vm[1], guard::quota).next == start + 2h);
    }

    TEST_CASE("an action of a service spends of its machine's sets") {
        bench b{rh::ladder{rh::restart_service{}}.lowered(),
                with([](rh::limits& l) { l.group = {.burst = {1, 1h}, .sustained = {0, 0s}}; })};
        const auto vm = *b.e.add(rh::instance{.name = "vm", .stack = "s"});
        const auto one = *b.e.add(rh::service{.name = "one", .on = vm});
        const auto two = *b.e.add(rh::service{.name = "two", .on = vm});
        b.sees(one, health::unhealthy);
        b.sees(two, health::unhealthy);
        b.step();
        CHECK(b.count(operation::restart_service) == 1);
        CHECK(support::answer_of(b, two, guard::quota).why == reason::group_budget);
    }

    TEST_CASE("what was dropped before its call gives back every budget that it had spent") {
        machines m{reboot, in_zones(4), with([](rh::limits& l) {
                       l.all = {.burst = {1, 1h}, .sustained = {0, 0s}};
                       l.group = l.domain = l.all;
                   })};
        m.slow = true;
        m.fail(0);
        m.sees(m.vm[0], health::healthy);
        m.e.durable(m.records.back().seq);
        m.step();
        REQUIRE(m.told(decision::drop, reason::healthy_again) == 1);
        m.slow = false;
        m.fail(0);
        CHECK(m.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("what a stack is recovered by spends of its own group") {
        bench b{rh::ladder{rh::converge_stack{.approval = rh::consent::none}}.lowered(),
                with([](rh::limits& l) { l.group = {.burst = {1, 1h}, .sustained = {0, 0s}}; })};
        const auto vm = *b.e.add(rh::instance{.name = "vm", .stack = "s"});
        const auto stack = b.e.find(rh::level::stack, "s");
        b.sees(stack, health::unhealthy);
        b.step();
        CHECK(b.count(operation::converge_stack) == 1); // nothing of it is ill: no proof is needed
        CHECK(b.count(operation::fence_instance) == 0);
        static_cast<void>(vm);
    }

    TEST_CASE("what a stack is recovered by spends in every set of the machines that it may make anew, once") {
        machines m{converge, stacks(),
                   with([](rh::limits& l) { l.domain = l.group = {.burst = {2, 1h}, .sustained = {0, 0s}}; })};
        m.sees(m.vm[east_1], health::unhealthy);
        m.sees(m.vm[east_2], health::unhealthy);
        m.sees(m.vm[west], health::unhealthy);
        m.step();
        for (const std::size_t n : {east_1, east_2, west})
            REQUIRE(answer_to(m, m.vm[n], operation::fence_instance, rh::outcome::done()));
        REQUIRE(m.count(operation::converge_stack) == 1);
        for (const std::size_t n : {others_east, others_west, others_north}) {
            CAPTURE(n);
            m.fail(n); // the second action in that zone, though two machines of the first were in the east
            CHECK(calls_for(m, m.vm[n], operation::fence_instance) == 1);
            REQUIRE(answer_to(m, m.vm[n], operation::fence_instance, rh::outcome::done()));
        }
        m.fail(last_east); // the third
        CHECK(support::answer_of(m, m.vm[last_east], guard::quota).why == reason::domain_budget);
        m.fail(last_north); // where the first one had only what is well
        CHECK(calls_for(m, m.vm[last_north], operation::fence_instance) == 1);
    }

    TEST_CASE("what a stack is recovered by asks the budget of each of these sets") {
        for (const bool fenced : {false, true}) { // begun is as good as spent
            CAPTURE(fenced);
            machines m{converge, stacks(),
                       with([](rh::limits& l) { l.domain = {.burst = {1, 1h}, .sustained = {0, 0s}}; })};
            m.fail(others_west);
            if (fenced) REQUIRE(answer_to(m, m.vm[others_west], operation::fence_instance, rh::outcome::done()));
            m.sees(m.vm[east_1], health::unhealthy);
            m.sees(m.vm[west], health::unhealthy);
            m.step();
            for (const std::size_t n : {east_1, west})
                CHECK(support::answer_of(m, m.vm[n], guard::quota).why == reason::domain_budget);
            CHECK(calls_for(m, m.vm[east_1], operation::fence_instance) == 0);
            m.heal(west); // what is left of it is in the east alone
            CHECK(calls_for(m, m.vm[east_1], operation::fence_instance) == 1);
        }
    }
}

TEST_SUITE("budgets: in flight, rate, quota, capacity") {
    TEST_CASE("in flight: a share of all instances, never less than one, until it is verified") {
        for (const std::size_t many : {std::size_t{2}, std::size_t{40}}) {
            CAPTURE(many);
            machines m{reboot, numbered(many), with([](rh::limits& l) { l.in_flight = {5, 1}; })};
            for (std::size_t n = 0; n < 2; ++n) m.fail(n);
            if (many == 40) m.fail(2);
            const std::size_t most = many == 2 ? 1 : 2;
            CHECK(m.count(operation::reboot_instance) == most);
            const rh::target_id waits = m.vm[most];
            CHECK(support::answer_of(m, waits, guard::in_flight).why == reason::too_many_in_flight);
            CHECK(support::answer_of(m, waits, guard::in_flight).next == rh::never);
            REQUIRE(answer_to(m, m.vm[0], operation::reboot_instance, rh::outcome::done()));
            CHECK(m.count(operation::reboot_instance) == most); // done is not verified
            m.heal(0);
            CHECK(m.count(operation::reboot_instance) == most + 1); // any end wakes what waits
        }
    }

    TEST_CASE("in flight: a failed call makes room as well") {
        machines m{reboot, numbered(2), with([](rh::limits& l) { l.in_flight = {5, 1}; })};
        m.fail(0);
        m.fail(1);
        REQUIRE(answer_to(m, m.vm[0], operation::reboot_instance, rh::outcome::failed("no")));
        CHECK(calls_for(m, m.vm[1], operation::reboot_instance) == 1);
    }

    TEST_CASE("in flight: services are counted apart from machines, and at least ten may go at once") {
        bench b{rh::three_levels.lowered(), support::at_once()};
        std::vector<rh::target_id> services;
        for (const rh::instance& i : numbered(12)) {
            const auto vm = *b.e.add(i);
            services.push_back(*b.e.add(rh::service{.name = "s", .on = vm}));
        }
        const auto vm = *b.e.add(rh::instance{.name = "alone"});
        for (const rh::target_id s : services) b.sees(s, health::unhealthy);
        b.sees(vm, health::unhealthy);
        b.step();
        CHECK(b.count(operation::restart_service) == 10);
        CHECK(b.count(operation::reboot_instance) == 1);
        CHECK(support::answer_of(b, services[10], guard::in_flight).why == reason::too_many_in_flight);
    }

    TEST_CASE("rate: ten seconds from one machine to the next, and none between services") {
        machines m{reboot, numbered(4), with([](rh::limits& l) { l.between = 10s; })};
        for (std::size_t n = 0; n < 3; ++n) m.fail(n);
        CHECK(m.count(operation::reboot_instance) == 1);
        CHECK(support::answer_of(m, m.vm[1], guard::rate).why == reason::too_soon);
        CHECK(support::answer_of(m, m.vm[1], guard::rate).next == start + 10s);
        REQUIRE(m.run_until(start + 10s - 1ns));
        CHECK(m.count(operation::reboot_instance) == 1);
        REQUIRE(m.run_until(start + 10s));
        m.step();
        CHECK(m.count(operation::reboot_instance) == 2);
        REQUIRE(m.run_for(10s));
        m.step();
        CHECK(m.count(operation::reboot_instance) == 3);
    }

    TEST_CASE("quota: calls of the driver, whatever they are for") {
        machines m{reboot, numbered(6), with([](rh::limits& l) { l.api = {3, 1min}; })};
        for (std::size_t n = 0; n < 2; ++n) m.fail(n);
        REQUIRE(answer_to(m, m.vm[0], operation::reboot_instance, rh::outcome::unknown("?"))); // a read-back is a call
        REQUIRE(m.calls.size() == 3);
        m.fail(2);
        CHECK(m.count(operation::reboot_instance) == 2);
        CHECK(support::answer_of(m, m.vm[2], guard::quota).why == reason::api_quota);
        CHECK(support::answer_of(m, m.vm[2], guard::quota).next == start + 1min);
        REQUIRE(answer_to(m, m.vm[0], operation::describe, rh::outcome::done()));
        REQUIRE(m.run_for(1min));
        m.step();
        CHECK(m.count(operation::reboot_instance) == 3);
    }

    TEST_CASE("quota: what was decided before waits with its call, until there is room") {
        machines m{converge, stacks(), with([](rh::limits& l) { l.api = {2, 1min}; })};
        for (const std::size_t n : {east_1, east_2, west, north}) m.sees(m.vm[n], health::unhealthy);
        m.step();
        CHECK(m.count(operation::fence_instance) == 2);
        CHECK(m.e.next() == start + 1min);
        REQUIRE(m.run_until(start + 1min - 1ns));
        CHECK(m.calls.size() == 2);
        REQUIRE(m.run_until(start + 1min)); // not answered: read back, before anything else is called
        support::step_as_asked(m);
        CHECK(m.count(operation::describe) == 2);
        CHECK(m.count(operation::fence_instance) == 2);
        for (std::size_t n = 0; n < 2; ++n) m.e.complete(m.calls[n + 2].what.op, m.now, rh::outcome::failed("?"));
        REQUIRE(m.run_for(2min));
        CHECK(m.calls.size() == 8);
        CHECK(m.told(decision::page, reason::api_quota) == 0);
    }

    TEST_CASE("quota: what was decided before is looked at again when its call is due") {
        machines m{converge, stacks(), with([](rh::limits& l) { l.api = {1, 1h}; })};
        m.fail(others_east);
        REQUIRE(answer_to(m, m.vm[others_east], operation::fence_instance, rh::outcome::done()));
        CHECK(m.count(operation::converge_stack) == 0);
        // The proof runs out before the quota has room.
        REQUIRE(m.run_until(start + 59min));
        CHECK(m.told(decision::page, reason::api_quota) == 1);
        CHECK(m.calls.size() == 1);
        CHECK(m.told(decision::drop, reason::proof_expired) >= 1);
    }

    TEST_CASE("quota: a call that it holds back for long is paged once, as one that waits for the journal") {
        machines m{reboot, numbered(2), with([](rh::limits& l) { l.api = {1, 15min}; })};
        m.slow = true;
        m.sees(m.vm[0], health::unhealthy);
        m.step();
        m.e.order_creation(m.vm[1], m.now); // an order asks no guard
        m.step();
        m.slow = false;
        m.e.durable(m.records.back().seq);
        m.step();
        REQUIRE(m.calls.size() == 1);
        REQUIRE(answer_to(m, m.vm[0], operation::reboot_instance, rh::outcome::done()));
        REQUIRE(m.run_until(start + 10min - 1ns));
        CHECK(m.told(decision::page, reason::api_quota) == 0);
        REQUIRE(m.run_until(start + 15min - 1ns));
        CHECK(m.told(decision::page, reason::api_quota) == 1);
        CHECK(m.told(decision::page, reason::journal_pending) == 0);
        CHECK(m.calls.size() == 1);
        REQUIRE(m.run_until(start + 15min));
        m.step();
        CHECK(m.count(operation::create_instance) == 1);
    }

    TEST_CASE("quota: a read-back waits for room, and is paged when that is long") {
        const rh::policy rules = rh::ladder{rh::reboot_instance{.verify = 1h}}.lowered();
        machines m{rules, numbered(2), with([](rh::limits& l) { l.api = {1, 20min}; })};
        m.fail(0);
        m.pass(1min);
        REQUIRE(answer_to(m, m.vm[0], operation::reboot_instance, rh::outcome::unknown("?")));
        CHECK(m.count(operation::describe) == 0);
        CHECK(m.e.next() <= start + 11min);
        REQUIRE(m.run_until(start + 11min - 1ns));
        CHECK(m.told(decision::page, reason::api_quota) == 0);
        REQUIRE(m.run_until(start + 20min - 1ns));
        CHECK(m.told(decision::page, reason::api_quota) == 1);
        CHECK(m.count(operation::describe) == 0);
        m.at(start + 20min);
        REQUIRE(answer_to(m, m.vm[0], operation::describe, rh::outcome::done()));
        CHECK(support::phase_of(m, m.vm[0]) == rh::phase::verifying);
    }

    TEST_CASE("quota: what the observer's doubt asks waits for room as well") {
        machines m{reboot, in_zones(8), with([](rh::limits& l) { l.api = {1, 1min}; })};
        REQUIRE(m.minute());
        REQUIRE(m.minute({0, 1, 2, 3, 4, 5}));
        REQUIRE(m.run_for(10min));
        REQUIRE(m.e.doubts_itself());
        CHECK(m.count(operation::describe) <= 11);
        CHECK(m.count(operation::describe) >= 9);
    }

    TEST_CASE("capacity: what needs a new copy waits for room, of the zone and of the cloud; a reboot does not") {
        for (const std::string_view where : {"", "east"}) {
            CAPTURE(where);
            machines m{rh::ha_restarter.lowered(), in_zones(4), with([](rh::limits&) {})};
            m.e.tell_capacity(where, 0, m.now);
            m.fail(0);
            CHECK(m.told(decision::change, reason::capacity_told) == 1);
            CHECK(m.calls.empty());
            CHECK(support::answer_of(m, m.vm[0], guard::capacity).why == reason::no_capacity);
            CHECK(support::answer_of(m, m.vm[0], guard::capacity).next == rh::never);
            if (!where.empty()) {
                m.fail(1); // of the west
                CHECK(calls_for(m, m.vm[1], operation::fence_instance) == 1);
            }
            m.e.tell_capacity(where, 1, m.now);
            m.step();
            CHECK(calls_for(m, m.vm[0], operation::fence_instance) == 1);
            REQUIRE(answer_to(m, m.vm[0], operation::fence_instance, rh::outcome::done()));
            REQUIRE(calls_for(m, m.vm[0], operation::recreate_instance) == 1);
            m.fail(2); // that room is used
            CHECK(calls_for(m, m.vm[2], operation::fence_instance) == 0);
        }
        machines mild{reboot, in_zones(2), with([](rh::limits&) {})};
        mild.e.tell_capacity("", 0, mild.now);
        mild.fail(0);
        CHECK(mild.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("capacity: of an unknown zone nothing is told, and of an unknown place nothing is asked") {
        machines m{rh::ha_restarter.lowered(), {{.name = "vm"}}, with([](rh::limits&) {})};
        m.e.tell_capacity("nowhere", 0, m.now);
        m.step();
        CHECK(m.told(decision::change, reason::capacity_told) == 0);
        m.fail(0);
        CHECK(m.count(operation::fence_instance) == 1);
    }

    TEST_CASE("capacity: room that was taken for an action that did not happen is given back") {
        machines m{rh::ha_restarter.lowered(), in_zones(4), with([](rh::limits&) {})};
        m.e.tell_capacity("", 1, m.now);
        m.fail(0);
        m.slow = true;
        REQUIRE(answer_to(m, m.vm[0], operation::fence_instance, rh::outcome::done()));
        m.pass(11min); // the proof expires while the journal writes
        m.e.durable(m.records.back().seq);
        m.slow = false;
        m.step();
        CHECK(m.told(decision::drop, reason::proof_expired) == 1);
        CHECK(calls_for(m, m.vm[0], operation::fence_instance) == 2);
        REQUIRE(answer_to(m, m.vm[0], operation::fence_instance, rh::outcome::done()));
        REQUIRE(answer_to(m, m.vm[0], operation::recreate_instance, rh::outcome::refused("not now")));
        CHECK(support::answer_of(m, m.vm[0], guard::capacity).allows());
        REQUIRE(m.run_for(1min));
        m.fail(2);
        CHECK(calls_for(m, m.vm[2], operation::fence_instance) == 1);
    }

    TEST_CASE("capacity: a stack takes room for each machine that it may make anew") {
        for (const std::string_view where : {"", "east"}) {
            CAPTURE(where);
            machines m{converge, stacks(), with([](rh::limits&) {})};
            m.e.tell_capacity(where, 1, m.now);
            m.sees(m.vm[east_1], health::unhealthy);
            m.sees(m.vm[east_2], health::unhealthy);
            m.step();
            CHECK(support::answer_of(m, m.vm[east_1], guard::capacity).why == reason::no_capacity);
            m.e.tell_capacity(where, 3, m.now);
            m.step();
            CHECK(m.count(operation::fence_instance) == 2);
            m.sees(m.vm[others_east], health::unhealthy);
            m.fail(last_east); // what the first will need is as good as taken
            CHECK(m.count(operation::fence_instance) == 3);
            for (const std::size_t n : {east_1, east_2})
                REQUIRE(answer_to(m, m.vm[n], operation::fence_instance, rh::outcome::done()));
            REQUIRE(m.count(operation::converge_stack) == 1);
            CHECK(calls_for(m, m.vm[last_east], operation::fence_instance) == 0);
            REQUIRE(
                answer_to(m, m.e.find(rh::level::stack, "s"), operation::converge_stack, rh::outcome::failed("no")));
            CHECK(calls_for(m, m.vm[last_east], operation::fence_instance) == 1); // both are given back
        }
    }

    TEST_CASE("capacity: room that was never taken is not given back") {
        machines m{rh::ha_restarter.lowered(), numbered(3), with([](rh::limits&) {})};
        m.fail(0);
        REQUIRE(answer_to(m, m.vm[0], operation::fence_instance, rh::outcome::done()));
        m.e.tell_capacity("", 0, m.now); // with the call that is under way
        REQUIRE(answer_to(m, m.vm[0], operation::recreate_instance, rh::outcome::failed("no")));
        m.fail(1);
        CHECK(support::answer_of(m, m.vm[1], guard::capacity).why == reason::no_capacity);
    }

    TEST_CASE("capacity: what is told while an intent waits does not count it yet") {
        machines m{rh::ha_restarter.lowered(), numbered(3), with([](rh::limits&) {})};
        m.e.tell_capacity("", 2, m.now);
        m.fail(0);
        m.slow = true;
        REQUIRE(answer_to(m, m.vm[0], operation::fence_instance, rh::outcome::done()));
        m.e.tell_capacity("", 1, m.now); // who tells it can not know of the intent
        m.fail(1);
        CHECK(support::answer_of(m, m.vm[1], guard::capacity).why == reason::no_capacity);
        m.slow = false;
        m.e.durable(m.records.back().seq);
        m.step();
        REQUIRE(answer_to(m, m.vm[0], operation::recreate_instance, rh::outcome::failed("no")));
        CHECK(calls_for(m, m.vm[1], operation::fence_instance) == 1);
        m.fail(2); // one, and not two
        CHECK(calls_for(m, m.vm[2], operation::fence_instance) == 0);
    }

    TEST_CASE("a long wait for any guard is paged once, with who denies") {
        machines m{rh::ha_restarter.lowered(), in_zones(4), with([](rh::limits&) {})};
        m.e.tell_capacity("", 0, m.now);
        m.fail(0);
        REQUIRE(m.run_for(3h));
        CHECK(m.told(decision::page, reason::waited_long) == 1);
        const auto paged = std::find_if(m.events.begin(), m.events.end(),
                                        [](const rh::event& v) { return v.why == reason::waited_long; });
        CHECK(paged->at == start + 10min);
        CHECK((paged->denied & bit(guard::capacity)) != 0);
    }
}
