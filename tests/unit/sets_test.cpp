// SPDX-License-Identifier: MIT
#include "recovery_support.hpp"

#include <doctest/doctest.h>

#include <set>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::guard;
using rh::health;
using rh::operation;
using rh::reason;
using rh::set_kind;
using support::answer_to;
using support::bench;
using support::calls_for;
using support::machines;
using support::numbered;
using support::start;

namespace {

const rh::policy reboot = rh::ladder{rh::reboot_instance{}}.lowered();

/// Room for many actions at once, so that only the breaker speaks.
rh::engine_options only_breakers() {
    rh::engine_options o = support::at_once();
    o.bounds.in_flight = {100, 1};
    o.bounds.between = 0s;
    return o;
}

/// So many instances that none of their own actions keep them: approval is asked for.
const rh::policy asks_first = rh::ladder{rh::reboot_instance{.approval = rh::required}}.lowered();

std::vector<rh::instance> in_stack(std::size_t many) {
    rh::instance like{.name = {}};
    like.stack = "s";
    return numbered(many, like);
}

std::vector<rh::set_id> changed(rh::set_book& book) {
    std::vector<rh::set_id> all;
    book.take_changed([&](rh::set_id s) { all.push_back(s); });
    return all;
}

struct share_case {
    std::uint32_t size;
    std::uint32_t unhealthy;
    bool too_many;
};

} // namespace

TEST_SUITE("sets") {
    TEST_CASE("a share is rounded up, and never to nothing") {
        constexpr rh::share fifth{20, 1};
        CHECK(fifth.of(0) == 1);
        CHECK(fifth.of(1) == 1);
        CHECK(fifth.of(5) == 1);
        CHECK(fifth.of(6) == 2);
        CHECK(fifth.of(10) == 2);
        CHECK(fifth.of(11) == 3);
        CHECK(rh::share{5, 1}.of(1000) == 50);
        CHECK(rh::share{0, 0}.of(1000) == 0);
        CHECK(rh::share{100, 1}.of(0xffff'ffffU) == 0xffff'ffffU);
    }

    TEST_CASE("too many of a group are more than a fifth; sets below five have no breaker") {
        const rh::breaker_limits usual;
        const share_case cases[] = {{1, 1, false}, {2, 2, false},  {4, 4, false},    {5, 1, false},
                                    {5, 2, true},  {6, 2, false},  {6, 3, true},     {10, 2, false},
                                    {10, 3, true}, {11, 3, false}, {100, 20, false}, {100, 21, true}};
        for (const share_case& c : cases) {
            CAPTURE(c.size);
            CAPTURE(c.unhealthy);
            CHECK(too_many_unhealthy(usual, set_kind::group, c.size, c.unhealthy) == c.too_many);
        }
    }

    TEST_CASE("too many of a rack or a zone are more than 30 %; a host has no breaker") {
        const rh::breaker_limits usual;
        for (const set_kind of : {set_kind::rack, set_kind::zone}) {
            CHECK_FALSE(too_many_unhealthy(usual, of, 10, 3));
            CHECK(too_many_unhealthy(usual, of, 10, 4));
            CHECK_FALSE(too_many_unhealthy(usual, of, 4, 4));
        }
        CHECK_FALSE(too_many_unhealthy(usual, set_kind::host, 100, 100));
        CHECK(too_many_unhealthy({.counted_from = 1}, set_kind::group, 1, 2));
    }

    TEST_CASE("every kind of set has a name of its own") {
        std::set<std::string_view> names;
        for (std::size_t k = 0; k < rh::set_kind_count; ++k) names.insert(to_string(static_cast<set_kind>(k)));
        CHECK(names.size() == rh::set_kind_count);
    }

    TEST_CASE("a set is known by its kind and name; the empty name is none") {
        rh::set_book book;
        const rh::set_id rack = book.find_or_add(set_kind::rack, "r1");
        CHECK(book.find_or_add(set_kind::rack, "r1") == rack);
        CHECK(book.find_or_add(set_kind::zone, "r1") != rack);
        CHECK(book.find_or_add(set_kind::rack, "") == rh::no_set);
        CHECK(book.find(set_kind::rack, "r1") == rack);
        CHECK(book.find(set_kind::rack, "r2") == rh::no_set);
        CHECK(book.find(set_kind::group, "r1") == rh::no_set);
        CHECK(book[rack].name == "r1");
        CHECK(book.size() == 3);
    }

    TEST_CASE("instances of the same place and group share a membership, however many there are") {
        rh::set_book book;
        CHECK(book.join({}) == 0);
        std::vector<std::uint32_t> numbers;
        for (std::uint32_t n = 1; n < 500; ++n) {
            rh::membership m;
            m.group = rh::set_id{1 + n % 3};
            m.host = rh::set_id{n};
            m.rack = rh::set_id{n / 10};
            m.zone = rh::set_id{n / 100};
            numbers.push_back(book.join(m));
            CHECK(book.join(m) == numbers.back());
        }
        CHECK(std::set<std::uint32_t>(numbers.begin(), numbers.end()).size() == numbers.size());
        rh::membership other;
        other.host = rh::set_id{1};
        const std::uint32_t first = book.join(other);
        other.zone = rh::set_id{1};
        CHECK(book.join(other) != first);
        other.rack = rh::set_id{1};
        CHECK(book.join(other) != first);
    }

    TEST_CASE("a failure domain is told as far up as it is known") {
        rh::membership m;
        CHECK(m.domain() == 0);
        m.host = rh::set_id{3};
        CHECK(m.domain() == 3);
        m.rack = rh::set_id{2};
        CHECK(m.domain() == 2);
        m.zone = rh::set_id{1};
        CHECK(m.domain() == 1);
        CHECK(m.place().host == 3);
        CHECK(m.place().rack == 2);
        CHECK(m.place().zone == 1);
    }

    TEST_CASE("instances are counted in every set of theirs, and a changed set is visited once") {
        rh::set_book book;
        rh::membership m;
        m.group = book.find_or_add(set_kind::group, "g");
        m.host = book.find_or_add(set_kind::host, "h");
        const std::uint32_t number = book.join(m);
        for (int n = 0; n < 4; ++n) book.count(number, 1, 0);
        book.count(number, 0, 1);
        CHECK(book[m.group].size() == 4);
        CHECK(book[m.group].failed() == 1);
        CHECK(book[m.host].size() == 4);
        CHECK(changed(book).size() == 2);
        CHECK(changed(book).empty());
        book.count(number, -1, -1);
        CHECK(book[m.group].size() == 3);
        CHECK(book[m.group].failed() == 0);
        CHECK(changed(book).size() == 2);
        book.count(0, 1, 1); // of no set
        CHECK(changed(book).empty());
    }

    TEST_CASE("a dead host is one failure, however many instances it had, and none once it is back") {
        rh::set_book book;
        const rh::set_id zone = book.find_or_add(set_kind::zone, "z");
        std::vector<std::uint32_t> numbers;
        for (const char* host : {"h1", "h2"}) {
            for (const char* group : {"g1", "g2"}) {
                rh::membership m;
                m.zone = zone;
                m.host = book.find_or_add(set_kind::host, host);
                m.group = book.find_or_add(set_kind::group, group);
                numbers.push_back(book.join(m));
                for (int n = 0; n < 10; ++n) book.count(numbers.back(), 1, 0);
            }
        }
        const rh::set_id h1 = book.find(set_kind::host, "h1");
        for (int n = 0; n < 10; ++n) book.count(numbers[0], 0, 1); // all of g1 on h1
        CHECK(book[zone].failed() == 10);
        CHECK(book[zone].size() == 40);
        book.set_dead(h1, true);
        CHECK(book[zone].dead_hosts == 1); // not once for each group
        CHECK(book[zone].size() == 21);
        CHECK(book[zone].failed() == 1);
        CHECK(book[book.find(set_kind::group, "g1")].failed() == 1);
        CHECK(book[book.find(set_kind::group, "g1")].size() == 11);
        CHECK(book[h1].instances == 20);

        // What was re-created elsewhere leaves it; without instances it is no failure.
        for (int n = 0; n < 10; ++n) book.count(numbers[0], -1, -1);
        CHECK(book[book.find(set_kind::group, "g1")].failed() == 0);
        CHECK(book[zone].failed() == 1);
        for (int n = 0; n < 10; ++n) book.count(numbers[1], -1, 0);
        CHECK(book[zone].failed() == 0);
        book.count(numbers[0], 1, 1);
        book.set_dead(h1, false);
        CHECK(book[zone].dead_hosts == 0);
        CHECK(book[zone].size() == 21);
        CHECK(book[zone].failed() == 1);
    }
}

TEST_SUITE("breaker") {
    TEST_CASE("it opens above a fifth of a group, with an event, and stops every rung of that group") {
        machines m{asks_first, in_stack(10), only_breakers()};
        m.fail(0);
        m.fail(1);
        CHECK(m.told(decision::open, reason::breaker_group) == 0);
        m.fail(2);
        REQUIRE(m.told(decision::open, reason::breaker_group) == 1);
        const auto opened = std::find_if(m.events.begin(), m.events.end(),
                                         [](const rh::event& v) { return v.why == reason::breaker_group; });
        CHECK(opened->value == 3);
        CHECK(m.e.sets()[opened->set].name == "s");
        CHECK(to_text(m.e, *opened).find("group=s") != std::string::npos);
        CHECK(to_json(m.e, *opened).find("\"set_kind\":\"group\",\"set\":\"s\"") != std::string::npos);
        const rh::guard_answer a = support::answer_of(m, m.vm[0], guard::breaker);
        CHECK(a.why == reason::breaker_group);
        CHECK(a.next == rh::never);
        for (const rh::target_id t : {m.vm[0], m.vm[1]})
            m.e.operate({rh::operator_verb::approve, t, "ann", {}, rh::never}, m.now);
        m.step();
        CHECK(m.count(operation::reboot_instance) == 0);
    }

    TEST_CASE("it closes when few enough are unhealthy for a minute, and what waited goes on at once") {
        machines m{asks_first, in_stack(10), only_breakers()};
        for (std::size_t n = 0; n < 3; ++n) m.fail(n);
        m.e.operate({rh::operator_verb::approve, m.vm[0], "ann", {}, rh::never}, m.now);
        m.step();
        m.heal(2);
        CHECK(support::answer_of(m, m.vm[0], guard::breaker).next == m.now + 60s);
        REQUIRE(m.run_for(59s));
        CHECK(m.count(operation::reboot_instance) == 0);
        REQUIRE(m.run_for(1s));
        m.step();
        CHECK(m.told(decision::release, reason::breaker_closed) == 1);
        CHECK(m.count(operation::reboot_instance) == 1);
        m.fail(3);
        CHECK(m.told(decision::open, reason::breaker_group) == 2);
    }

    TEST_CASE("one that opens while the journal writes takes back what is not called yet") {
        machines m{reboot, in_stack(10), only_breakers()};
        m.slow = true;
        for (std::size_t n = 0; n < 3; ++n) m.fail(n);
        REQUIRE(m.told(decision::act, reason::first_attempt) == 2);
        m.slow = false;
        m.e.durable(m.records.back().seq);
        m.step();
        CHECK(m.calls.empty());
        CHECK(m.told(decision::drop, reason::breaker_group) == 2);
        CHECK(support::answer_of(m, m.vm[0], guard::breaker).why == reason::breaker_group);
        m.heal(2);
        REQUIRE(m.run_for(61s));
        CHECK(m.count(operation::reboot_instance) == 2); // nothing was spent
    }

    TEST_CASE("a relapse within the cooldown starts it anew") {
        machines m{asks_first, in_stack(10), only_breakers()};
        for (std::size_t n = 0; n < 3; ++n) m.fail(n);
        m.heal(2);
        REQUIRE(m.run_for(40s));
        m.fail(2);
        CHECK(support::answer_of(m, m.vm[0], guard::breaker).next == rh::never);
        REQUIRE(m.run_for(40s));
        m.heal(2);
        REQUIRE(m.run_for(59s));
        CHECK(m.told(decision::release, reason::breaker_closed) == 0);
        REQUIRE(m.run_for(1s));
        m.step();
        CHECK(m.told(decision::release, reason::breaker_closed) == 1);
    }

    TEST_CASE("a breaker that stays open is paged once, and not once for each that it holds") {
        machines m{reboot, in_stack(10), only_breakers()};
        m.slow = true;
        for (std::size_t n = 0; n < 5; ++n) m.sees(m.vm[n], health::unhealthy);
        m.step();
        REQUIRE(m.run_for(2h));
        CHECK(m.told(decision::page, reason::breaker_group) == 1);
        CHECK(m.told(decision::page, reason::waited_long) == 0);
    }

    TEST_CASE("a group of two recovers: a small set has no breaker") {
        machines m{reboot, in_stack(2), only_breakers()};
        m.fail(0);
        m.fail(1);
        CHECK(m.count(operation::reboot_instance) == 2);
        CHECK(m.told(decision::open, reason::breaker_group) == 0);
    }

    TEST_CASE("one of five is let through: a fifth of five is one, and not none") {
        machines m{reboot, in_stack(5), only_breakers()};
        m.fail(0);
        CHECK(m.count(operation::reboot_instance) == 1);
        m.fail(1);
        CHECK(m.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("a rack and a zone have breakers of their own, a host has none") {
        for (const bool rack : {false, true}) {
            CAPTURE(rack);
            std::vector<rh::instance> all = numbered(20);
            for (std::size_t n = 0; n < 10; ++n) (rack ? all[n].rack : all[n].zone) = "here";
            for (std::size_t n = 0; n < all.size(); ++n) all[n].host = "h";
            machines m{asks_first, all, only_breakers()};
            for (std::size_t n = 0; n < 3; ++n) m.fail(n);
            CHECK(m.told(decision::open, reason::breaker_domain) == 0);
            m.fail(3);
            CHECK(m.told(decision::open, reason::breaker_domain) == 1);
            CHECK(support::answer_of(m, m.vm[0], guard::breaker).why == reason::breaker_domain);
            m.fail(15);
            CHECK(support::answer_of(m, m.vm[15], guard::breaker).allows());
            REQUIRE(m.run_for(11min));
            CHECK(m.told(decision::page, reason::breaker_domain) == 1);
            m.heal(3);
            REQUIRE(m.run_for(61s));
            CHECK(m.told(decision::release, reason::breaker_closed) == 1);
        }
    }

    TEST_CASE("the group of an instance is its stack, unless it names another") {
        std::vector<rh::instance> all = in_stack(10);
        for (rh::instance& i : all) i.group = "other";
        machines m{asks_first, all, only_breakers()};
        for (std::size_t n = 0; n < 3; ++n) m.fail(n);
        CHECK(m.e.sets().find(set_kind::group, "s") == rh::no_set);
        CHECK(m.e.sets()[m.e.sets().find(set_kind::group, "other")].open);
    }

    TEST_CASE("an instance counts once, however many of its services are ill") {
        bench b{asks_first, only_breakers()};
        std::vector<rh::target_id> services;
        for (const rh::instance& i : in_stack(10)) {
            const auto vm = *b.e.add(i);
            for (const char* s : {"a", "b"}) services.push_back(*b.e.add(rh::service{.name = s, .on = vm}));
        }
        for (std::size_t n = 0; n < 4; ++n) b.sees(services[n], health::unhealthy);
        b.step();
        CHECK(b.told(decision::open, reason::breaker_group) == 0); // four services, two instances
        b.sees(services[4], health::unhealthy);
        b.step();
        CHECK(b.told(decision::open, reason::breaker_group) == 1);
    }

    TEST_CASE("a dead host counts once, so that the many that ran there recover") {
        std::vector<rh::instance> all = in_stack(20);
        for (std::size_t n = 0; n < 10; ++n) all[n].host = "h1";
        for (std::size_t n = 10; n < 20; ++n) all[n].host = "h2";
        machines m{rh::ha_restarter.lowered(), all, only_breakers()};
        m.e.host_died("h1", rh::proof_kind::fenced, m.now);
        for (std::size_t n = 0; n < 10; ++n) m.sees(m.vm[n], health::unhealthy);
        m.step();
        CHECK(m.told(decision::open, reason::breaker_group) == 0);
        CHECK(m.count(operation::recreate_instance) == 10);
        CHECK(m.count(operation::fence_instance) == 0);
    }

    TEST_CASE("a host that is proved dead later lets the breaker close") {
        std::vector<rh::instance> all = in_stack(20);
        for (std::size_t n = 0; n < 10; ++n) all[n].host = "h1";
        machines m{rh::ha_restarter.lowered(), all, only_breakers()};
        for (std::size_t n = 0; n < 10; ++n) m.sees(m.vm[n], health::unhealthy);
        m.step();
        REQUIRE(m.told(decision::open, reason::breaker_group) == 1);
        const std::size_t before = m.calls.size();
        m.e.host_died("h1", rh::proof_kind::absent, m.now);
        REQUIRE(m.run_for(61s));
        CHECK(m.told(decision::release, reason::breaker_closed) == 1);
        CHECK(m.calls.size() > before);
        CHECK(m.count(operation::recreate_instance) >= 1);
    }

    TEST_CASE("an instance that moves takes its place with it") {
        machines m{rh::ladder{rh::evacuate_instance{}}.lowered(),
                   {{.name = "one", .host = "h1", .rack = "r1", .zone = "z1"},
                    {.name = "two", .host = "h2", .rack = "r2", .zone = "z2"}},
                   only_breakers()};
        m.fail(0);
        REQUIRE(answer_to(m, m.vm[0], operation::fence_instance, rh::outcome::done()));
        rh::observed there;
        there.host = "h2";
        REQUIRE(answer_to(m, m.vm[0], operation::evacuate_instance, rh::outcome::done(there)));
        const rh::set_book& sets = m.e.sets();
        CHECK(m.e.targets().host(m.vm[0]) == "h2");
        CHECK(sets[sets.find(set_kind::host, "h1")].instances == 0);
        CHECK(sets[sets.find(set_kind::host, "h2")].instances == 2);
        CHECK(sets[sets.find(set_kind::rack, "r2")].instances == 2);
        CHECK(sets[sets.find(set_kind::zone, "z2")].instances == 2);
        CHECK(sets[sets.find(set_kind::zone, "z2")].unhealthy == 1);
        CHECK(sets[sets.find(set_kind::zone, "z1")].instances == 0);
        m.heal(0);
        CHECK(sets[sets.find(set_kind::zone, "z2")].unhealthy == 0);

        // To a host that nobody knows: the zone stays, for want of better.
        m.fail(1);
        REQUIRE(answer_to(m, m.vm[1], operation::fence_instance, rh::outcome::done()));
        there.host = "h9";
        REQUIRE(answer_to(m, m.vm[1], operation::evacuate_instance, rh::outcome::done(there)));
        CHECK(sets[sets.find(set_kind::host, "h9")].instances == 1);
        CHECK(sets[sets.find(set_kind::rack, "r2")].instances == 1);
        CHECK(sets[sets.find(set_kind::zone, "z2")].instances == 2);
    }
}
