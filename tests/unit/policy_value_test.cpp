// SPDX-License-Identifier: MIT
#include "recovery_support.hpp"

#include <doctest/doctest.h>

#include <string>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::operation;
using support::start;

namespace {

/// Whether a value that was changed in one place is another one, and the same again when it is changed back.
template <class T, class Change>
bool differs(const T& usual, const Change& change) {
    T other = usual;
    change(other);
    return !(other == usual) && usual == T{usual} && other == T{other};
}

rh::capabilities all_but(std::initializer_list<operation> lacking) {
    rh::capabilities can;
    for (std::size_t o = 0; o < rh::operation_count; ++o) {
        const auto what = static_cast<operation>(o);
        if (std::find(lacking.begin(), lacking.end(), what) == lacking.end()) can.add(what);
    }
    return can;
}

} // namespace

TEST_SUITE("policy") {
    TEST_CASE("a policy that differs in one number is another policy") {
        const rh::policy usual = rh::three_levels.lowered();
        CHECK(differs(usual, [](rh::policy& p) { p.retry_parked = 1s; }));
        CHECK(differs(usual, [](rh::policy& p) { p.probation = 1s; }));
        CHECK(differs(usual, [](rh::policy& p) { p.stable = 1s; }));
        CHECK(differs(usual, [](rh::policy& p) { p.related = 1s; }));
        CHECK(differs(usual, [](rh::policy& p) { p.forensics = 1s; }));
        CHECK(differs(usual, [](rh::policy& p) { p.evidence.polls = 1; }));
        CHECK(differs(usual, [](rh::policy& p) { p.evidence.unhealthy_polls = 1; }));
        CHECK(differs(usual, [](rh::policy& p) { p.evidence.vantages = 1; }));
        CHECK(differs(usual, [](rh::policy& p) { p.evidence.alone = rh::single_vantage::act; }));
        CHECK(differs(usual, [](rh::policy& p) { p.evidence.max_age = 1s; }));
        CHECK(differs(usual, [](rh::policy& p) { p.returned = rh::return_rule::stop_both; }));
        CHECK(differs(usual, [](rh::policy& p) { p.fencing.methods[3] = "ipmi"; }));
        CHECK(differs(usual, [](rh::policy& p) { p.fencing.parallel = true; }));
        CHECK(differs(usual, [](rh::policy& p) { p.add({}); }));

        const rh::rung one = usual.rungs()[1];
        CHECK(differs(one, [](rh::rung& r) { r.what = operation::page; }));
        CHECK(differs(one, [](rh::rung& r) { r.burst.count = 9; }));
        CHECK(differs(one, [](rh::rung& r) { r.burst.within = 1s; }));
        CHECK(differs(one, [](rh::rung& r) { r.sustained.count = 9; }));
        CHECK(differs(one, [](rh::rung& r) { r.verify = 1s; }));
        CHECK(differs(one, [](rh::rung& r) { r.grace = 1s; }));
        CHECK(differs(one, [](rh::rung& r) { r.timeout = 1s; }));
        CHECK(differs(one, [](rh::rung& r) { r.approval = rh::required; }));
        CHECK(differs(one, [](rh::rung& r) { r.wait.first = 1s; }));
        CHECK(differs(one, [](rh::rung& r) { r.wait.most = 1s; }));
        CHECK(differs(one, [](rh::rung& r) { r.wait.full_jitter = true; }));
        CHECK(differs(one, [](rh::rung& r) { r.wait.spread = 1; }));
        CHECK(differs(one, [](rh::rung& r) { r.how = rh::reboot_kind::hard; }));
    }

    TEST_CASE("limits that differ in one number are other limits") {
        const rh::limits usual;
        CHECK(differs(usual, [](rh::limits& l) { l.breaker.group.percent = 1; }));
        CHECK(differs(usual, [](rh::limits& l) { l.breaker.group.least = 9; }));
        CHECK(differs(usual, [](rh::limits& l) { l.breaker.domain.percent = 1; }));
        CHECK(differs(usual, [](rh::limits& l) { l.breaker.counted_from = 1; }));
        CHECK(differs(usual, [](rh::limits& l) { l.breaker.cooldown = 1s; }));
        CHECK(differs(usual, [](rh::limits& l) { l.silence.targets = 1; }));
        CHECK(differs(usual, [](rh::limits& l) { l.silence.domains = 1; }));
        CHECK(differs(usual, [](rh::limits& l) { l.silence.cliff.percent = 1; }));
        CHECK(differs(usual, [](rh::limits& l) { l.silence.within = 1s; }));
        CHECK(differs(usual, [](rh::limits& l) { l.in_flight.percent = 1; }));
        CHECK(differs(usual, [](rh::limits& l) { l.services_in_flight.percent = 1; }));
        CHECK(differs(usual, [](rh::limits& l) { l.between = 1s; }));
        CHECK(differs(usual, [](rh::limits& l) { l.start_hold = 1s; }));
        CHECK(differs(usual, [](rh::limits& l) { l.yield_to_higher = 1s; }));
        CHECK(differs(usual, [](rh::limits& l) { l.group.burst.count = 1; }));
        CHECK(differs(usual, [](rh::limits& l) { l.domain.sustained.count = 1; }));
        CHECK(differs(usual, [](rh::limits& l) { l.all.sustained.within = 1s; }));
        CHECK(differs(usual, [](rh::limits& l) { l.api.count = 1; }));
    }

    TEST_CASE("past eight rungs one is left out, and the size tells") {
        rh::policy p;
        for (std::size_t n = 0; n <= rh::policy::most_rungs; ++n) p.add({.what = operation::reboot_instance});
        CHECK(p.size() == rh::policy::most_rungs);
        CHECK(p.rungs().size() == p.size());
    }

    TEST_CASE("as many fence methods as there are names from the first on") {
        rh::fence_rules all{.methods = {"a", "b", "c", "d"}};
        CHECK(all.size() == 4);
        all.methods[1] = {};
        CHECK(all.size() == 1);
        CHECK(rh::fence_rules{}.size() == 1);
    }

    TEST_CASE("operations stand in the order of what they cost") {
        constexpr operation order[] = {operation::guest_restarts,    operation::restart_service,
                                       operation::reboot_instance,   operation::rebuild_instance,
                                       operation::recreate_instance, operation::evacuate_instance,
                                       operation::converge_stack,    operation::page};
        for (std::size_t n = 1; n < std::size(order); ++n) CHECK(rh::rank(order[n - 1]) < rh::rank(order[n]));
        CHECK(rh::rank(operation::describe) == 0);
    }

    TEST_CASE("a policy that is read at run time is checked against what the driver can") {
        const rh::policy all = rh::three_levels.lowered();
        CHECK(check_climbable(all, all_but({})));
        CHECK(check_climbable(rh::policy{}, {}));
        const auto no_reboot = check_climbable(all, all_but({operation::reboot_instance}));
        REQUIRE_FALSE(no_reboot);
        CHECK(no_reboot.error().code == rh::errc::unsupported);
        CHECK(no_reboot.error().where == "rung 1");
        CHECK(no_reboot.error().message.find("reboot_instance") != std::string::npos);
        const auto no_fence = check_climbable(all, all_but({operation::fence_instance}));
        REQUIRE_FALSE(no_fence);
        CHECK(no_fence.error().where == "rung 2");
        CHECK(no_fence.error().message.find("fence_instance") != std::string::npos);
        CHECK(check_climbable(rh::ladder{rh::reboot_instance{}}.lowered(), all_but({operation::fence_instance})));
    }

    TEST_CASE("what was spent and taken back leaves room for one, and only what was meant is taken back") {
        rh::ledger spent;
        constexpr rh::target_id a{1};
        constexpr rh::target_id b{2};
        constexpr rh::budget two{2, 1h};
        spent.take_back(a, operation::reboot_instance, start); // nothing was
        spent.spend(a, operation::reboot_instance, start);
        spent.spend(a, operation::reboot_instance, start + 1min);
        spent.spend(b, operation::reboot_instance, start);
        spent.take_back(a, operation::restart_service, start);       // another action
        spent.take_back(a, operation::reboot_instance, start + 30s); // another time
        CHECK_FALSE(spent.has_room(a, operation::reboot_instance, two, start + 2min));
        spent.take_back(a, operation::reboot_instance, start);
        CHECK(spent.has_room(a, operation::reboot_instance, two, start + 2min));
        CHECK_FALSE(spent.has_room(a, operation::reboot_instance, {1, 1h}, start + 2min));
        CHECK_FALSE(spent.has_room(b, operation::reboot_instance, {1, 1h}, start + 2min));
        spent.take_back(b, operation::reboot_instance, start);
        CHECK(spent.has_room(b, operation::reboot_instance, {1, 1h}, start + 2min));
    }

    TEST_CASE("burst and sustained budgets bind each by itself") {
        rh::ledger spent;
        constexpr rh::target_id a{1};
        constexpr rh::budget burst{2, 10min};
        constexpr rh::budget sustained{3, 2h};
        const auto room = [&](rh::duration at) {
            return spent.has_room(a, operation::restart_service, burst, sustained, start + at);
        };
        spent.spend(a, operation::restart_service, start);
        CHECK(room(1min));
        spent.spend(a, operation::restart_service, start + 1min);
        CHECK_FALSE(room(2min)); // the burst
        CHECK(room(10min));
        spent.spend(a, operation::restart_service, start + 10min);
        CHECK_FALSE(room(1h)); // the other
        CHECK_FALSE(room(2h - 1ns));
        CHECK(room(2h));
        // The same where the burst's window is the longer one.
        CHECK_FALSE(spent.has_room(a, operation::restart_service, sustained, burst, start + 1h));
        CHECK(spent.has_room(a, operation::reboot_instance, burst, sustained, start + 1h));
        spent.spend(a, operation::restart_service, start + 24h * 40); // what is too old for every budget is forgotten
        CHECK(spent.has_room(a, operation::restart_service, {2, 24h * 365}, start + 24h * 40));
    }

    TEST_CASE("of several standing orders the one of the kind that is asked for, and that is not over") {
        rh::engine e{rh::policy{}};
        const rh::target_id vm = *e.add(rh::instance{.name = "vm"});
        const rh::target_id other = *e.add(rh::instance{.name = "other"});
        using kind = rh::standing_order::kind;
        rh::order_book book;
        CHECK(book.next() == rh::never);
        book.give({kind::freeze, other, start + 2h, "ann", "a"});
        book.give({kind::maintenance, vm, start + 1h, "ann", "b"});
        book.give({kind::maintenance, rh::no_target, start + 10min, "ann", "c"});
        CHECK(book.next() == start + 10min);
        CHECK(book.holding(kind::freeze, vm, start, e.targets()) == nullptr);
        CHECK(book.holding(kind::maintenance, vm, start, e.targets())->why == "b");
        CHECK(book.holding(kind::maintenance, other, start, e.targets())->why == "c"); // of everything
        CHECK(book.holding(kind::maintenance, other, start + 10min, e.targets()) == nullptr);
        CHECK(book.holding(kind::maintenance, vm, start + 1h, e.targets()) == nullptr);
        int over = 0;
        CHECK(book.expire(start + 1h, [&](const rh::standing_order&) { ++over; }));
        CHECK(over == 2);
        CHECK_FALSE(book.expire(start + 1h, [&](const rh::standing_order&) { ++over; }));
        CHECK_FALSE(book.end(kind::maintenance, other));
        CHECK_FALSE(book.end(kind::freeze, vm));
        CHECK(book.end(kind::freeze, other));
    }

    TEST_CASE("a text that is too long counts as not seen") {
        rh::target_tree tree;
        const rh::target_id vm = *tree.add({}, "vm");
        rh::observed seen;
        seen.cloud_id = std::string(256, 'x');
        seen.host = "h1";
        tree.note_seen(vm, seen);
        CHECK(tree.cloud_id(vm).empty());
        CHECK(tree.host(vm) == "h1");
        seen.cloud_id = "id";
        seen.host.clear(); // not looked at
        tree.note_seen(vm, seen);
        CHECK(tree.cloud_id(vm) == "id");
        CHECK(tree.host(vm) == "h1");
    }
}
