// SPDX-License-Identifier: MIT
#include <reheat/testing/driver_conformance.hpp>
#include <reheat/testing/mock_fixture.hpp>

#include "../unit/doc_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// What the kit itself says: of fixtures that can do little, of drivers that can do little, and in its reports.

namespace rt = reheat::testing;
using rt::rule_state;

namespace {

/// Only what a fixture must have.
struct bare_fixture {
    rt::mock_fixture<> whole;

    reheat::mock_driver& driver() { return whole.driver(); }
    reheat::result<rt::test_target> make(const rt::wanted_target& want) { return whole.make(want); }
    void dispose(const rt::test_target& t) { whole.dispose(t); }
    std::size_t running_copies(const rt::test_target& t) { return whole.running_copies(t); }
    void pump(reheat::duration d) { whole.pump(d); }
    reheat::time_point now() { return whole.now(); }
};
static_assert(rt::driver_fixture<bare_fixture>);

/// It can make nothing but plain machines, and hang none.
struct poor_fixture : rt::mock_fixture<> {
    reheat::result<rt::test_target> make(const rt::wanted_target& want) {
        if (want.volume) return reheat::error{reheat::errc::unsupported, "", "no volumes here"};
        if (want.service) return reheat::error{reheat::errc::unsupported, "", "no services here"};
        return rt::mock_fixture<>::make(want);
    }
    bool hang(const rt::test_target&) { return false; }
};

/// A cloud that never throttles and has no volumes. That it can hang no guest is the fixture's own fault.
struct plain_cloud_fixture : poor_fixture {
    bool throttle_api(reheat::duration) { return false; }
    std::string absent(rt::fixture_function f) {
        return f == rt::fixture_function::throttle_api || f == rt::fixture_function::volumes ||
                       f == rt::fixture_function::hang
                   ? "it is a plain cloud"
                   : "";
    }
};

/// It has names of its own.
struct naming_fixture : rt::mock_fixture<> {
    reheat::result<rt::test_target> make(rt::wanted_target want) {
        want.name = "own-" + std::to_string(++made);
        return rt::mock_fixture<>::make(want);
    }
    int made = 0;
};

/// Seen in the midst of a boot: the new one, and at the next look none.
struct flickering_fixture : rt::mock_fixture<> {
    std::string boot_id(const rt::test_target& t) {
        const std::string boot = rt::mock_fixture<>::boot_id(t);
        return ++looks[t.name + boot] == 2 ? "" : boot;
    }
    std::map<std::string, int> looks;
};

/// The least that a driver must have.
struct looking_driver {
    explicit looking_driver(reheat::mock_cloud& cloud) : to{cloud} {}
    void describe(const reheat::request& r, reheat::completion done) { to.describe(r, std::move(done)); }
    reheat::mock_driver to;
};

/// It answers from a thread of its own.
struct threaded_driver {
    explicit threaded_driver(reheat::mock_cloud& cloud) : to{cloud} {}
    threaded_driver(const threaded_driver&) = delete;
    threaded_driver& operator=(const threaded_driver&) = delete;
    ~threaded_driver() { poll({}); }
    /// Virtual time waits for real threads.
    void poll(reheat::time_point) {
        for (std::thread& t : answers) t.join();
        answers.clear();
    }
    void describe(const reheat::request& r, reheat::completion done) {
        const reheat::mock_machine* m = to.find(r.name);
        reheat::observed seen{.exists = m != nullptr, .running = m != nullptr && m->has_power()};
        if (m != nullptr) seen.cloud_id = m->cloud_id();
        const bool reached = to.hosts().all_reachable();
        answers.emplace_back([seen, reached, answer = std::move(done)]() mutable {
            answer(reached ? reheat::outcome::done(seen) : reheat::outcome::unknown("not reached"));
        });
    }
    reheat::mock_cloud& to;
    std::vector<std::thread> answers;
};

/// Functions that the kit does not look for.
struct misspelt_fixture : bare_fixture {
    bool hang(const rt::test_target&, int) { return true; }
    bool powerOff(const rt::test_target&) { return true; }
};

std::string table_of_rules() {
    std::string text = "| rule | asks | from |\n|---|---|---|\n";
    std::string_view group;
    for (const rt::conformance_rule& r : rt::conformance_rules()) {
        if (r.group != group) text += "| **" + std::string{group = r.group} + "** | | |\n";
        text += "| `" + std::string{r.name} + "` | " + std::string{r.asks} + " | `" + std::string{r.source} + "` |\n";
    }
    return text;
}

std::string table_of_functions() {
    std::string text;
    for (std::size_t f = 0; f < rt::fixture_function_count; ++f)
        text += std::string{rt::declaration_of(static_cast<rt::fixture_function>(f))} + ";\n";
    return "```cpp\n" + text + "```\n";
}

} // namespace

TEST_SUITE("driver conformance") {
    TEST_CASE("the rules have names of their own, a sentence, and a source") {
        std::set<std::string_view> names;
        CHECK(rt::conformance_rules().size() >= 40);
        for (const rt::conformance_rule& r : rt::conformance_rules()) {
            CAPTURE(r.name);
            CHECK(names.insert(r.name).second);
            CHECK(r.asks.ends_with('.'));
            CHECK(!r.source.empty());
            CHECK(!r.group.empty());
        }
    }

    TEST_CASE("every optional function of a fixture has a declaration, and the name stands in it") {
        for (std::size_t f = 0; f < rt::fixture_function_count; ++f)
            CHECK(rt::declaration_of(static_cast<rt::fixture_function>(f)).find('(') != std::string_view::npos);
    }

    TEST_CASE("what a fixture can not do is not run, and the driver is not called conforming") {
        bare_fixture fixture;
        const rt::conformance_report report = rt::check_conformance(fixture);
        INFO(report.table());
        CHECK(report.count(rule_state::failed) == 0);
        CHECK(report.count(rule_state::passed) > 20);
        CHECK(report.count(rule_state::not_run) > 20);
        CHECK_FALSE(report.conforming());
        const rt::rule_result* r = report.find("fence_of_a_hung_guest");
        REQUIRE(r != nullptr);
        CHECK(r->state == rule_state::not_run);
        CHECK(r->why == "the fixture has no bool hang(const test_target&)");
        CHECK(report.find("reboot_keeps_volumes")->state == rule_state::not_run);
        CHECK(report.find("fence_is_confirmed")->state == rule_state::passed);
        CHECK(report.table().ends_with("passed, 0 failed\n"));
    }

    TEST_CASE("a fixture that says no says why") {
        poor_fixture fixture;
        const rt::conformance_report report = rt::check_conformance(fixture);
        CHECK_FALSE(report.conforming());
        CHECK(report.find("fence_deletes_nothing")->state == rule_state::not_run);
        CHECK(report.find("restart_service_restores")->why ==
              "the fixture can not make such a target: no services here");
        CHECK(report.find("fence_of_a_hung_guest")->state == rule_state::not_run);
        // A rung is tried all the same, on what can be made.
        CHECK(report.find("reboot_comes_up")->state == rule_state::passed);
        CHECK(report.find("reboot_keeps_volumes")->state == rule_state::not_run);
        CHECK(report.find("reboot_keeps_addresses")->state == rule_state::passed);
    }

    TEST_CASE("what has been seen once has happened") {
        flickering_fixture fixture;
        CHECK(rt::check_conformance(fixture, {.only = "reboot_with_lost_answer"}).conforming());
    }
    TEST_CASE("a fixture may name its machines as it likes") {
        naming_fixture fixture;
        const auto report = check_conformance(fixture);
        CHECK(report.conforming());
        CHECK(report.count(rule_state::passed) == report.results().size());
        CHECK(fixture.made != 0);
    }
    TEST_CASE("what the cloud itself does not have is not applicable, and the reason is told") {
        plain_cloud_fixture fixture;
        const rt::conformance_report report = rt::check_conformance(fixture);
        for (const std::string_view rule : {"action_throttled", "reboot_keeps_volumes", "fence_deletes_nothing"}) {
            CAPTURE(rule);
            CHECK(report.find(rule)->state == rule_state::not_applicable);
            CHECK(report.find(rule)->why == "the cloud has no such thing: it is a plain cloud");
        }
        CHECK(report.summary().find(
                  "not applicable: the driver has no function for them, or the cloud no such thing\n") !=
              std::string::npos);
        CHECK(report.find("fence_of_a_hung_guest")->state == rule_state::not_run);
        CHECK_FALSE(report.conforming());
    }

    TEST_CASE("a function with the wrong name or parameters is none") {
        misspelt_fixture fixture;
        const rt::conformance_report report = rt::check_conformance(fixture, {.only = "describe_tells_a_hung_guest"});
        CHECK(report.results().front().why == "the fixture has no bool hang(const test_target&)");
    }

    TEST_CASE("rules about functions that a driver does not have are not applicable, and it can conform") {
        rt::mock_fixture<looking_driver> fixture;
        const rt::conformance_report report = rt::check_conformance(fixture);
        INFO(report.table());
        CHECK(report.conforming());
        CHECK(report.find("fence_is_confirmed")->state == rule_state::not_applicable);
        CHECK(report.find("older_reign_is_refused")->state == rule_state::not_applicable);
        CHECK(report.count(rule_state::passed) > 20);
    }

    TEST_CASE("completions may be called by other threads") {
        rt::mock_fixture<threaded_driver> fixture;
        for (const std::string_view rule : {"describe_tells_what_runs", "many_at_once", "callable_from_another_thread",
                                            "describe_unreachable", "answers_once", "every_call_is_answered"}) {
            CAPTURE(rule);
            CHECK(rt::check_conformance(fixture, {.only = std::string{rule}}).conforming());
        }
    }

    TEST_CASE("arguments that are freed instead of overwritten, for a sanitizer") {
        rt::mock_fixture<> fixture;
        CHECK(rt::check_conformance(fixture, {.free_arguments = true}).conforming());
    }

    TEST_CASE("a second run on a cloud that remembers the first needs keys and reigns of its own") {
        rt::mock_fixture<> fixture;
        CHECK(rt::check_conformance(fixture).conforming());
        CHECK_FALSE(rt::check_conformance(fixture).conforming());
        CHECK(
            rt::check_conformance(fixture, {.first_key = 1'000'000, .first_reign = reheat::epoch{1'000}}).conforming());
    }

    TEST_CASE("nothing that a run has made is left") {
        rt::mock_fixture<> fixture;
        static_cast<void>(rt::check_conformance(fixture));
        CHECK(fixture.cloud().machines().empty());
    }

    TEST_CASE("a report as a table and as JUnit XML") {
        const rt::conformance_rule rule{"a_rule", "a group", "It asks.", "here.hpp", nullptr};
        rt::conformance_report report;
        CHECK_FALSE(report.conforming()); // nothing passed
        report.add({&rule, rule_state::passed, ""});
        CHECK(report.conforming());
        report.add({&rule, rule_state::not_applicable, "no function"});
        CHECK(report.conforming());
        CHECK(report.table() == "a_rule                          passed\n"
                                "a_rule                          not applicable\n"
                                "    no function\n"
                                "1 not applicable: the driver has no function for them\n"
                                "1 passed, 0 failed\n");
        report.add({&rule, rule_state::not_run, "no fixture"});
        CHECK_FALSE(report.conforming());
        CHECK(report.summary().ends_with("1 not run: the driver is not called conforming\n1 passed, 0 failed\n"));
        report.add({&rule, rule_state::failed, "a < b & \"c\"\x01"});
        CHECK(report.junit("my <driver>") ==
              R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="my &lt;driver&gt;" tests="4" failures="1" errors="0" skipped="2">
  <testcase classname="my &lt;driver&gt;.a group" name="a_rule"/>
  <testcase classname="my &lt;driver&gt;.a group" name="a_rule">
    <skipped message="not applicable: no function"/>
  </testcase>
  <testcase classname="my &lt;driver&gt;.a group" name="a_rule">
    <skipped message="not run: no fixture"/>
  </testcase>
  <testcase classname="my &lt;driver&gt;.a group" name="a_rule">
    <failure message="a &lt; b &amp; &quot;c&quot;"/>
  </testcase>
</testsuite>
)");
    }

    TEST_CASE("the tables in the documentation are those of the code") {
        support::check_page("docs/reference/conformance.md", "rules", table_of_rules());
        support::check_page("docs/reference/conformance.md", "functions", table_of_functions());
    }
}
