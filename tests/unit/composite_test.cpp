// SPDX-License-Identifier: MIT
#include <reheat/alarm/composite.hpp>
#include <reheat/alarm/composite_parser.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::alarm_state;

namespace {

/// A set of alarms on a time that goes on by a second with every step.
class bench {
public:
    void metric(std::string_view name) { REQUIRE(set.add(name)); }
    rh::alarm_id composite(std::string_view name, std::string_view rule) {
        const auto id = set.add(name, *rh::parse_composite_rule(rule), now += 1s, changes);
        REQUIRE(id);
        return *id;
    }
    rh::result<rh::alarm_id> refused(std::string_view name, std::string_view rule) {
        return set.add(name, *rh::parse_composite_rule(rule), now, changes);
    }
    rh::result<void> replace(std::string_view name, std::string_view rule) {
        return set.replace(*set.find(name), *rh::parse_composite_rule(rule), now += 1s, changes);
    }
    /// What changed, as `name:from>to by cause [triggering]`, one after the other.
    std::string tell(std::string_view name, alarm_state state) {
        changes.clear();
        set.set_state(*set.find(name), state, now += 1s, changes);
        return news();
    }
    [[nodiscard]] std::string news() const {
        constexpr char letters[] = "-oA";
        std::string all;
        for (const rh::composite_transition& t : changes) {
            if (!all.empty()) all += ' ';
            all.append(set.name(t.alarm)) += ':';
            all += letters[static_cast<std::size_t>(t.from)];
            all += letters[static_cast<std::size_t>(t.to)];
            all.append("<").append(set.name(t.cause)) += '[';
            for (const rh::alarm_id child : set.triggering(t.alarm)) all += set.name(child);
            all += ']';
            CHECK(t.at == now);
        }
        return all;
    }
    [[nodiscard]] alarm_state state(std::string_view name) const { return set.state(*set.find(name)); }

    rh::composite_set set;
    std::vector<rh::composite_transition> changes;
    rh::time_point now{1'000s};
};

constexpr auto raised = alarm_state::alarm;
constexpr auto fine = alarm_state::ok;
constexpr auto no_data = alarm_state::insufficient_data;

} // namespace

TEST_SUITE("composite alarm") {
    TEST_CASE("it begins in insufficient_data and is evaluated when it is added") {
        bench b;
        b.metric("a");
        b.composite("x", "ALARM(a)");
        CHECK(b.news() == "x:-o<x[]");
        b.changes.clear();
        b.composite("y", "NOT ALARM(a) AND OK(x)");
        CHECK(b.news() == "y:-A<y[]");
        CHECK(b.set.size() == 3);
        CHECK(b.set.composites() == 2);
        REQUIRE(b.set.rule(*b.set.find("x")) != nullptr);
        CHECK(b.set.rule(*b.set.find("x"))->children()[0] == "a");
        CHECK(b.set.rule(*b.set.find("a")) == nullptr);
        CHECK(b.set.triggering(*b.set.find("a")).empty());
    }

    TEST_CASE("recorded on CloudWatch: a second child in ALARM is no news, and the first stays the trigger") {
        bench b;
        b.metric("1");
        b.metric("2");
        const rh::alarm_id either = b.composite("either", "ALARM(\"1\") OR ALARM(\"2\")");
        CHECK(b.tell("1", raised) == "either:oA<1[1]");
        CHECK(b.tell("1", fine) == "either:Ao<1[1]");
        CHECK(b.tell("2", raised) == "either:oA<2[2]");
        CHECK(b.tell("2", fine) == "either:Ao<2[2]");
        CHECK(b.tell("1", raised) == "either:oA<1[1]");
        CHECK(b.tell("2", raised).empty());
        REQUIRE(b.set.triggering(either).size() == 1);
        CHECK(b.set.name(b.set.triggering(either)[0]) == "1");
    }

    TEST_CASE("children come before parents, and each is evaluated once for a change") {
        bench b;
        b.metric("m");
        b.metric("n");
        b.composite("left", "ALARM(m)");
        b.composite("deep", "ALARM(left)");
        // Both sides of `top` change with `m`; evaluated too early, it would go to ALARM and back.
        b.composite("top", "ALARM(m) AND NOT ALARM(deep)");
        b.composite("all", "ALARM(m) AND ALARM(left) AND ALARM(deep)");
        b.composite("other", "ALARM(n)");
        CHECK(b.tell("m", raised) == "left:oA<m[m] deep:oA<m[left] all:oA<m[mleftdeep]");
        CHECK(b.tell("m", no_data) == "left:Ao<m[m] deep:Ao<m[left] all:Ao<m[mleftdeep]");
        CHECK(b.tell("m", fine).empty());
        CHECK(b.tell("m", fine).empty()); // no change
    }

    TEST_CASE("a state that was told lasts until a child changes") {
        bench b;
        b.metric("a");
        b.metric("b");
        b.composite("x", "ALARM(a) OR ALARM(b)");
        b.composite("y", "ALARM(x)");
        CHECK(b.tell("x", raised) == "x:oA<x[] y:oA<x[x]");
        CHECK(b.tell("a", fine) == "x:Ao<a[a] y:Ao<a[x]");
        CHECK(b.tell("x", fine).empty());
    }

    TEST_CASE("another rule is evaluated at once and listens to its own children only") {
        bench b;
        b.metric("a");
        b.metric("b");
        b.composite("x", "ALARM(a)");
        b.composite("y", "ALARM(x)");
        b.tell("b", raised);
        b.changes.clear();
        REQUIRE(b.replace("x", "ALARM(b)"));
        CHECK(b.news() == "x:oA<x[] y:oA<x[x]");
        CHECK(b.tell("a", raised).empty());
        CHECK(b.tell("b", fine) == "x:Ao<b[b] y:Ao<b[x]");

        // It moves above what it did not depend on before, and its parents with it.
        b.composite("z", "ALARM(a) AND OK(b)");
        REQUIRE(b.replace("x", "ALARM(z)"));
        REQUIRE(b.replace("y", "ALARM(x) AND ALARM(a)"));
        CHECK(b.tell("a", fine) == "z:Ao<a[a] x:Ao<a[z] y:Ao<a[xa]");
        b.changes.clear();
        REQUIRE(b.replace("x", "TRUE"));
        CHECK(b.news() == "x:oA<x[]");
        CHECK(b.tell("a", raised) == "z:oA<a[a] y:oA<a[a]");
    }

    TEST_CASE("what would depend on itself is refused by name, and nothing is changed") {
        bench b;
        b.metric("m");
        const auto own = b.refused("x", "ALARM(m) OR NOT ALARM(x)");
        REQUIRE_FALSE(own);
        CHECK(own.error().code == rh::errc::cycle);
        CHECK(own.error().message.ends_with("x -> x"));
        CHECK_FALSE(b.set.find("x"));

        b.composite("a", "ALARM(m)");
        b.composite("b", "ALARM(a)");
        b.composite("c", "ALARM(m) OR ALARM(b)");
        const auto loop = b.replace("a", "ALARM(m) AND OK(c)");
        REQUIRE_FALSE(loop);
        CHECK(loop.error().code == rh::errc::cycle);
        CHECK(loop.error().where == "a");
        CHECK(loop.error().message.ends_with("a -> c -> b -> a"));
        CHECK_FALSE(b.replace("a", "ALARM(a)"));
        CHECK(to_string(b.replace("a", "ALARM(b)").error()).ends_with("a -> b -> a"));
        CHECK(b.tell("m", raised) == "a:oA<m[m] b:oA<m[a] c:oA<m[mb]");
        REQUIRE(b.replace("b", "ALARM(m)"));
        REQUIRE(b.replace("a", "ALARM(m) AND OK(c)")); // now `c` does not look at it
        CHECK(to_string(b.replace("b", "ALARM(a)").error()).ends_with("b -> a -> c -> b"));
    }

    TEST_CASE("names are known and free, and are not empty") {
        bench b;
        b.metric("m");
        CHECK(b.set.add("m").error().code == rh::errc::already_exists);
        CHECK(b.refused("m", "TRUE").error().code == rh::errc::already_exists);
        CHECK(b.set.add("").error().code == rh::errc::invalid_argument);
        const auto unknown = b.refused("x", "ALARM(m) AND ALARM(\"no one\")");
        REQUIRE_FALSE(unknown);
        CHECK(unknown.error().code == rh::errc::not_found);
        CHECK(unknown.error().where == "x");
        CHECK(unknown.error().message.find("'no one'") != std::string::npos);
        CHECK(b.set.find("x").error().code == rh::errc::not_found);
        CHECK(b.replace("m", "TRUE").error().code == rh::errc::not_found);
        b.set.set_state(rh::alarm_id{99}, raised, b.now, b.changes);
        CHECK(b.set.rule(rh::alarm_id{99}) == nullptr);
        CHECK(b.changes.empty());
    }

    TEST_CASE("an alarm has at most 150 parents") {
        bench b;
        b.metric("m");
        for (int i = 0; i < 150; ++i) b.composite("p" + std::to_string(i), "ALARM(m) OR OK(m)");
        const auto last = b.refused("p150", "ALARM(m)");
        REQUIRE_FALSE(last);
        CHECK(last.error().code == rh::errc::limit_exceeded);
        CHECK(last.error().message.find("'m'") != std::string::npos);
        CHECK_FALSE(b.set.find("p150"));
        CHECK(b.replace("p7", "INSUFFICIENT_DATA(m)")); // it is a parent already
        REQUIRE(b.replace("p8", "TRUE"));
        b.composite("p150", "ALARM(m)");
        CHECK_FALSE(b.replace("p8", "ALARM(m)"));
        b.tell("m", raised);
        CHECK(b.changes.size() == 150); // all but `p8`
    }

    TEST_CASE("a change does not allocate where the caller has made room") {
        bench b;
        b.metric("m");
        b.composite("c0", "ALARM(m)");
        for (int i = 1; i < 200; ++i) b.composite("c" + std::to_string(i), "ALARM(c" + std::to_string(i - 1) + ")");
        b.changes.clear();
        b.changes.reserve(b.set.composites());
        const rh::composite_transition* room = b.changes.data();
        b.tell("m", raised);
        CHECK(b.changes.size() == 200);
        CHECK(b.changes.data() == room);
    }
}
