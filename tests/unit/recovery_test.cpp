// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <doctest/doctest.h>

#include <set>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::operation;
using support::start;

namespace {

struct wait_case {
    rh::backoff how;
    unsigned attempt;
    rh::duration least;
    rh::duration most;
};

constexpr rh::target_id a{1};
constexpr rh::target_id b{2};

} // namespace

TEST_SUITE("backoff") {
    TEST_CASE("the wait doubles up to its bound, and jitter stays within its spread") {
        const rh::backoff huge{rh::duration::max(), rh::duration::max(), false, 255};
        const wait_case cases[] = {
            {rh::instance_backoff, 1, 48s, 72s},
            {rh::instance_backoff, 2, 96s, 144s},
            {rh::instance_backoff, 9, 12min, 18min},
            {rh::service_backoff, 1, 0s, 1s},
            {rh::service_backoff, 4, 0s, 8s},
            {rh::service_backoff, 100, 0s, 60s},
            {{10s, 5s, false, 0}, 1, 5s, 5s},
            {{0s, 0s, true, 0}, 3, 0s, 0s},
            {{-5s, 60s, false, 20}, 3, 0s, 0s},
            {huge, 1, 0s, 24h * 365 * 2},
            {{1s, rh::duration::max(), false, 0}, 200, 24h * 365, 24h * 365},
        };
        for (const wait_case& c : cases) {
            CAPTURE(c.attempt);
            for (std::uint32_t incident = 0; incident < 200; ++incident) {
                const rh::duration wait = rh::wait_after(c.how, 7, rh::incident_id{incident}, c.attempt);
                REQUIRE(wait >= c.least);
                REQUIRE(wait <= c.most);
                REQUIRE(wait % 1ms == 0ns);
            }
        }
    }

    TEST_CASE("jitter is the same after a replay and different for incidents, attempts and seeds") {
        std::set<rh::duration> drawn;
        for (std::uint32_t i = 0; i < 50; ++i) {
            const rh::duration wait = rh::wait_after(rh::instance_backoff, 1, rh::incident_id{i}, 1);
            CHECK(wait == rh::wait_after(rh::instance_backoff, 1, rh::incident_id{i}, 1));
            drawn.insert(wait);
        }
        CHECK(drawn.size() > 45);
        CHECK(rh::wait_after(rh::instance_backoff, 1, rh::incident_id{1}, 1) !=
              rh::wait_after(rh::instance_backoff, 2, rh::incident_id{1}, 1));
    }

    TEST_CASE("a hash moves every bit, and is the same for ever") {
        static_assert(rh::mix(0) == 0xe220'a839'7b1d'cdafULL); // the published first value of SplitMix64 from seed 0
    }
}

TEST_SUITE("ledger") {
    TEST_CASE("a budget counts one action on one target within its window") {
        rh::ledger spent;
        constexpr rh::budget twice{2, 1h};
        CHECK(spent.has_room(a, operation::reboot_instance, twice, start));
        spent.spend(a, operation::reboot_instance, start);
        spent.spend(a, operation::restart_service, start);
        spent.spend(b, operation::reboot_instance, start);
        CHECK(spent.has_room(a, operation::reboot_instance, twice, start));
        spent.spend(a, operation::reboot_instance, start + 10min);
        CHECK_FALSE(spent.has_room(a, operation::reboot_instance, twice, start + 1h - 1ns));
        CHECK(spent.has_room(a, operation::reboot_instance, twice, start + 1h));
        CHECK_FALSE(spent.has_room(a, operation::reboot_instance, {0, 1h}, start + 100h));
        CHECK(spent.has_room(rh::target_id{7}, operation::reboot_instance, {1, 1h}, start));
    }

    TEST_CASE("it counts as a list of everything that was spent") {
        for (std::uint64_t seed = 1; seed <= 10; ++seed) {
            CAPTURE(seed);
            support::dice dice{seed};
            rh::ledger spent;
            std::vector<std::pair<rh::target_id, rh::time_point>> all;
            rh::time_point now = start;
            for (int n = 0; n < 300; ++n) {
                now += std::chrono::minutes{dice.below(20)};
                const auto target = static_cast<rh::target_id>(dice.below(5));
                const rh::budget limit{static_cast<std::uint16_t>(dice.below(6)), std::chrono::minutes{dice.below(90)}};
                unsigned used = 0;
                for (const auto& [who, when] : all) used += who == target && now - when < limit.within ? 1U : 0U;
                REQUIRE(spent.has_room(target, operation::reboot_instance, limit, now) == (used < limit.count));
                spent.spend(target, operation::reboot_instance, now);
                all.emplace_back(target, now);
            }
        }
    }
}

TEST_SUITE("guards") {
    TEST_CASE("a denial that has a time is not hidden by one that has none") {
        rh::guard_answers answers;
        CHECK(answers.denied() == 0);
        CHECK(answers.first() == rh::reason::none);
        CHECK(answers.next() == rh::never);
        answers.set(rh::guard::busy, {rh::reason::busy, rh::never});
        CHECK(answers.next() == rh::never);
        answers.set(rh::guard::backoff, {rh::reason::backing_off, start + 1min});
        answers.set(rh::guard::approval, {rh::reason::approval_required, rh::never});
        CHECK(answers.next() == start + 1min);
        CHECK(answers.first() == rh::reason::busy);
        CHECK(answers.denied() == 0b111);
        CHECK(answers.of(rh::guard::journal).allows());
    }

    TEST_CASE("an answer that allows has no time") {
        rh::guard_answers answers;
        answers.set(rh::guard::backoff, {rh::reason::none, start});
        CHECK(answers.next() == rh::never);
    }

    TEST_CASE("every guard, reason and decision has a name of its own") {
        std::set<std::string_view> names;
        for (std::size_t g = 0; g < rh::guard_count; ++g) names.insert(to_string(static_cast<rh::guard>(g)));
        CHECK(names.size() == rh::guard_count);
        names.clear();
        const auto last = static_cast<std::size_t>(rh::reason::verified);
        for (std::size_t r = 0; r <= last; ++r) names.insert(to_string(static_cast<rh::reason>(r)));
        CHECK(names.size() == last + 1);
        CHECK(to_string(rh::reason::verified) == "verified");
        CHECK(to_string(rh::reason::inbox_overflow) == "inbox_overflow");
        CHECK(to_string(rh::decision::ignore) == "ignore");
        CHECK(to_string(rh::guard::dependency) == "dependency");
    }
}

TEST_SUITE("target tree") {
    TEST_CASE("services are on instances in stacks, found by name and by level") {
        rh::engine e{rh::policy{}};
        const auto db = e.add(rh::instance{.name = "db-1", .stack = "wiki"});
        REQUIRE(db);
        const auto mysqld = e.add(rh::service{.name = "mysqld", .on = *db});
        REQUIRE(mysqld);
        const rh::target_id wiki = e.find(rh::level::stack, "wiki");
        const rh::target_tree& tree = e.targets();
        REQUIRE(wiki != rh::no_target);
        CHECK(tree.ancestor(*mysqld, rh::level::stack) == wiki);
        CHECK(tree.ancestor(*mysqld, rh::level::service) == *mysqld);
        CHECK(tree.ancestor(*db, rh::level::service) == rh::no_target);
        CHECK(tree.covers(wiki, *mysqld));
        CHECK(tree.covers(*db, *db));
        CHECK_FALSE(tree.covers(*mysqld, *db));
        CHECK(e.find(rh::level::service, "db-1/mysqld") == *mysqld);
        CHECK(e.find(rh::level::service, "mysqld") == rh::no_target);
        CHECK(e.name(*mysqld) == "db-1/mysqld");
        CHECK(e.name(rh::no_target).empty());
    }

    TEST_CASE("a name that is taken, empty or too long is an error, and so is a service on nothing") {
        rh::engine e{rh::policy{}};
        const auto db = e.add(rh::instance{.name = "db-1"});
        REQUIRE(db);
        CHECK(e.add(rh::instance{.name = "db-1"}).error().code == rh::errc::already_exists);
        CHECK(e.add(rh::stack{.name = "db-1"}));
        CHECK(e.add(rh::instance{.name = ""}).error().code == rh::errc::invalid_argument);
        CHECK(e.add(rh::instance{.name = std::string(256, 'x')}).error().code == rh::errc::invalid_argument);
        CHECK(e.add(rh::service{.name = "", .on = *db}).error().code == rh::errc::invalid_argument);
        CHECK(e.add(rh::service{.name = "sshd", .on = rh::no_target}).error().code == rh::errc::invalid_argument);
        const auto sshd = e.add(rh::service{.name = "sshd", .on = *db});
        REQUIRE(sshd);
        CHECK(e.add(rh::service{.name = "sshd", .on = *db}).error().code == rh::errc::already_exists);
        CHECK(e.add(rh::service{.name = "child", .on = *sshd}).error().code == rh::errc::invalid_argument);
    }

    TEST_CASE("an action makes its target, its ancestors and its descendants busy, and nobody else") {
        rh::target_tree tree;
        const auto add = [&tree](rh::level of, std::string_view name, rh::target_id parent) {
            rh::target_record t;
            t.of = of;
            t.parent = parent;
            return *tree.add(t, name);
        };
        const rh::target_id top = add(rh::level::stack, "s", rh::no_target);
        const rh::target_id one = add(rh::level::instance, "1", top);
        const rh::target_id two = add(rh::level::instance, "2", top);
        const rh::target_id under_one = add(rh::level::service, "1/x", one);
        tree.mark_busy(one, 1);
        CHECK(tree.busy(top));
        CHECK(tree.busy(one));
        CHECK(tree.busy(under_one));
        CHECK_FALSE(tree.busy(two));
        tree.mark_busy(one, -1);
        for (const rh::target_id t : {top, one, two, under_one}) CHECK_FALSE(tree.busy(t));
    }

    TEST_CASE("a thousand names keep their numbers") {
        rh::engine e{rh::policy{}};
        for (int n = 0; n < 1000; ++n) REQUIRE(e.add(rh::instance{.name = "vm-" + std::to_string(n)}));
        for (int n = 0; n < 1000; ++n)
            REQUIRE(static_cast<int>(e.find(rh::level::instance, "vm-" + std::to_string(n))) == n);
        CHECK(e.find(rh::level::instance, "vm-1000") == rh::no_target);
    }
}
