// SPDX-License-Identifier: MIT
#include <reheat/recovery/lint_file.hpp>
#include <reheat/recovery/policy_reader.hpp>
#include <reheat/recovery/policy_writer.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

#include <type_traits>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::node;
using rh::operation;

namespace {

/// Whatever a file can say.
class file_dice {
public:
    explicit file_dice(std::uint64_t seed) : dice_{seed} {}

    rh::policy policy() {
        rh::policy p;
        for (std::int64_t n = dice_.below(9); n > 0; --n) p.add(rung());
        p.retry_parked = time();
        p.probation = time();
        p.stable = time();
        p.related = time();
        p.forensics = time();
        p.evidence = {number<std::uint8_t>(255), number<std::uint8_t>(255), number<std::uint8_t>(255),
                      static_cast<rh::single_vantage>(dice_.below(3)), time()};
        p.returned = static_cast<rh::return_rule>(dice_.below(4));
        constexpr std::string_view methods[] = {"ipmi", "pdu", "hypervisor: \"off\"", "\xC3\xA9teindre"};
        const std::int64_t size = dice_.below(5);
        for (std::int64_t i = 0; i < size; ++i)
            p.fencing.methods[static_cast<std::size_t>(i)] = methods[dice_.below(4)];
        p.fencing.parallel = flip();
        return p;
    }

    rh::limits limits() {
        rh::limits l;
        l.breaker = {share(), share(), number<std::uint32_t>(4'294'967'295), time()};
        l.silence = {number<std::uint32_t>(4'294'967'295), number<std::uint32_t>(4'294'967'295), share(), time()};
        l.in_flight = share();
        l.services_in_flight = share();
        l.between = time();
        l.start_hold = time();
        l.yield_to_higher = time();
        l.group = {budget(), budget()};
        l.domain = {budget(), budget()};
        l.all = {budget(), budget()};
        l.api = budget();
        return l;
    }

private:
    bool flip() { return dice_.below(2) == 0; }
    template <class Integer>
    Integer number(std::int64_t most) {
        const std::int64_t drawn[] = {0, most, dice_.below(most + 1)};
        return static_cast<Integer>(drawn[dice_.below(3)]);
    }
    rh::duration up_to(rh::duration most) {
        const rh::duration units[] = {1ns, 1us, 1ms, 1s, 1min, 1h, 24h};
        const rh::duration unit = units[dice_.below(7)];
        const rh::duration drawn[] = {0ns, most, unit * dice_.below(most / unit + 1), unit * dice_.below(100)};
        const rh::duration d = drawn[dice_.below(4)];
        return d < most ? d : most;
    }
    rh::duration time() { return up_to(24h * 366); }
    rh::budget budget() { return {number<std::uint16_t>(65'535), up_to(24h * 31)}; }
    rh::share share() { return {number<std::uint8_t>(100), number<std::uint32_t>(4'294'967'295)}; }
    rh::rung rung() {
        constexpr operation rungs[] = {operation::restart_service,   operation::guest_restarts,
                                       operation::reboot_instance,   operation::rebuild_instance,
                                       operation::recreate_instance, operation::evacuate_instance,
                                       operation::converge_stack,    operation::page};
        rh::rung r;
        r.what = rungs[dice_.below(8)];
        r.burst = budget();
        r.sustained = budget();
        r.verify = time();
        r.grace = time();
        r.timeout = time();
        r.approval = static_cast<rh::consent>(dice_.below(2));
        r.wait = {time(), time(), flip(), number<std::uint8_t>(100)};
        if (r.what == operation::reboot_instance) r.how = static_cast<rh::reboot_kind>(dice_.below(3));
        return r;
    }

    support::dice dice_;
};

/// All places of a value, in the order of the text.
void collect(node& value, std::vector<node*>& out) {
    out.push_back(&value);
    for (node& item : value.items()) collect(item, out);
    for (node::member& m : value.members()) collect(m.second, out);
}

} // namespace

TEST_SUITE("policy file") {
    TEST_CASE("what is written is read back as the same, whatever a file can say") {
        for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
            CAPTURE(seed);
            file_dice dice{seed};
            const rh::policy p = dice.policy();
            const rh::limits l = dice.limits();
            const auto file = rh::read_policy(to_node(p, l));
            REQUIRE(file);
            REQUIRE(file->rules() == p);
            REQUIRE(file->bounds() == l);
            REQUIRE(rh::to_json(file->rules(), file->bounds()) == rh::to_json(p, l));
        }
    }

    TEST_CASE("what is left out is as the type of the rung has it") {
        for (const auto& w : rh::detail::policy_words::operations) {
            CAPTURE(w.text);
            std::vector<node> rungs;
            rungs.push_back(node::object({{"operation", node::string(std::string{w.text})}}));
            const auto file = rh::read_policy(node::object({{"rungs", node::array(std::move(rungs))}}));
            REQUIRE(file);
            CHECK(file->rules() == rh::policy{}.add(*rh::default_rung(w.value)));
            CHECK(file->bounds() == rh::limits{});
            CHECK(lint(*file).empty());
        }
        const auto empty = rh::read_policy(node::object({{"rungs", node::array()}}));
        REQUIRE(empty);
        CHECK(empty->rules() == rh::policy{});
    }

    TEST_CASE("any one value replaced by any other gives a policy or an error with a place, never anything else") {
        const node others[] = {node{},
                               node::boolean(true),
                               node::number("0"),
                               node::number("-1"),
                               node::number("1e999"),
                               node::number("99999999999999999999"),
                               node::number(""),
                               node::string(""),
                               node::string("5"),
                               node::string("reboot_instance"),
                               node::string(std::string(1000, 'x')),
                               node::array(std::vector<node>(9)),
                               node::object({{"", node{}}}),
                               node::object()};
        rh::policy full = rh::three_levels.lowered();
        full.fencing.methods = {"ipmi", "pdu"};
        const node good = to_node(full, {});
        std::vector<node*> places;
        node counted = good;
        collect(counted, places);
        const std::size_t size = places.size();
        std::size_t refused = 0;
        for (std::size_t i = 0; i < size; ++i) {
            for (const node& other : others) {
                node probe = good;
                places.clear();
                collect(probe, places);
                *places[i] = other;
                const auto file = rh::read_policy(probe);
                if (file) continue;
                ++refused;
                REQUIRE(file.error().where.starts_with("$"));
                REQUIRE(file.error().message.size() > 20);
                REQUIRE(file.error().message.size() < 300);
            }
        }
        CHECK(refused > size * 9);
    }

    TEST_CASE("a name that stands twice is an error, whoever parsed the file") {
        node twice = to_node(rh::ha_restarter.lowered(), {});
        twice.members().emplace_back("probation", node::string("1h"));
        const auto file = rh::read_policy(twice);
        REQUIRE_FALSE(file);
        CHECK(file.error() == rh::error{rh::errc::already_exists, "$.probation", "the name stands there twice"});
    }

    TEST_CASE("a fence method that no file could be written with is refused") {
        for (const std::string& name : {std::string{"\xFF"}, std::string{"ipmi\xC3"}, std::string(65, 'x')}) {
            const node methods = node::object({{"methods", node::array({node::string(name)})}});
            const auto file = rh::read_policy(node::object({{"rungs", node::array()}, {"fencing", methods}}));
            REQUIRE_FALSE(file);
            CHECK(file.error().where == "$.fencing.methods[0]");
        }
    }

    TEST_CASE("the names of fence methods stay where they are when the file moves") {
        static_assert(!std::is_copy_constructible_v<rh::policy_file> && !std::is_copy_assignable_v<rh::policy_file>);
        static_assert(std::is_nothrow_move_constructible_v<rh::policy_file> &&
                      std::is_nothrow_move_assignable_v<rh::policy_file>);
        rh::policy named = rh::ha_restarter.lowered();
        named.fencing.methods = {"a", "bc", "def", "ghij"};
        auto first = rh::read_policy(to_node(named, {}));
        REQUIRE(first);
        const rh::policy copy = first->rules();
        rh::policy_file second = std::move(*first);
        CHECK(second.rules() == named);
        CHECK(copy == named);
        auto third = rh::read_policy(rh::to_node({}, {}));
        REQUIRE(third);
        *third = std::move(second);
        CHECK(third->rules() == named);
    }

    TEST_CASE("values of no file are written all the same") {
        rh::rung odd;
        odd.what = operation::fence_instance;
        rh::policy p;
        p.add(odd);
        p.fencing.methods = {"a", "", "c"};
        CHECK(to_node(p, {}).find("rungs")->items()[0].find("operation")->text().empty());
        CHECK(to_node(p, {}).find("fencing")->find("methods")->items().size() == 1);
        CHECK_FALSE(rh::read_policy(to_node(p, {})));
        std::string out;
        rh::detail::append_json(out, node::array({node{}, node::object(), node::array({node::boolean(false)})}), 0);
        CHECK(out == "[\n  null,\n  {},\n  [false]\n]");
        out.clear();
        rh::detail::append_json(out, node::object({{"a\"b", node{}}, {"c", node::number("1")}}), 0);
        CHECK(out == R"({"a\"b": null, "c": 1})");
    }

    TEST_CASE("findings come with their place in the file") {
        rh::policy p = rh::ladder{rh::restart_service{.attempts = 10, .verify = 20s},
                                  rh::reboot_instance{.attempts = 10}, rh::converge_stack{.attempts = 10}}
                           .lowered();
        p.evidence.polls = 5;
        p.fencing.methods = {"ipmi", "ipmi"};
        rh::limits l;
        l.in_flight = {0, 0};
        l.all.burst = {30, 1h};
        const auto file = rh::read_policy(to_node(p, l));
        REQUIRE(file);
        const auto found = lint(*file, {.targets = 1});
        std::string paths;
        std::string numbers;
        for (const rh::file_finding& f : found) {
            paths += f.path + " ";
            numbers += std::string{f.name} + "=" + std::to_string(f.number) + " ";
            CHECK(f.text.starts_with(f.path + ": "));
        }
        CHECK(paths == "rungs[0].verify rungs[0].attempts rungs[1].attempts rungs[2].attempts rungs "
                       "evidence.unhealthy_polls fencing.methods[1] limits.all.burst limits.in_flight ");
        CHECK(numbers.find("attempts_multiply=1000 ") != std::string::npos);
        CHECK(numbers.find("verify_shorter_than_grace=10 ") != std::string::npos);
        CHECK(numbers.find("nothing_may_act=0 ") != std::string::npos);
    }
}
