// SPDX-License-Identifier: MIT
#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/stack/creation.hpp>
#include <reheat/stack/load_template.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
using reheat::creation_status;
using reheat::errc;

namespace {

constexpr reheat::time_point start{std::chrono::seconds{1'700'000'000}};
constexpr std::string_view arn = "arn:openstack:heat::t1:stacks/wiki/7c8e4c2a/resources/Handle";

reheat::stack_creation create(const std::string& name) {
    std::ifstream in{"tests/data/" + name, std::ios::binary};
    REQUIRE(in);
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    auto loaded = reheat::load_template(
        text, reheat::nlohmann_json{},
        {.stack_name = "wiki", .stack_id = "7c8e4c2a", .tenant = "t1", .parameters = {{"KeyName", "ops"}}});
    REQUIRE_MESSAGE(loaded, to_string(loaded.error()));
    return {std::move(*loaded), "http://10.0.0.1:8000/", [](std::string_view resource) {
                return reheat::access_key{"id-of-" + std::string{resource}, "secret-of-" + std::string{resource}};
            }};
}

/// One step, a line for each thing that it wants or tells.
std::vector<std::string> step(reheat::stack_creation& creation, reheat::time_point now) {
    std::vector<reheat::creation_action> actions;
    creation.step(now, actions);
    std::vector<std::string> out;
    for (const reheat::creation_action& action : actions) {
        if (const auto* a = std::get_if<reheat::create_instance>(&action)) out.push_back("create " + a->resource);
        if (const auto* a = std::get_if<reheat::watch_alarm>(&action)) out.push_back("watch " + a->alarm_name);
        if (const auto* a = std::get_if<reheat::resource_changed>(&action)) {
            out.push_back(a->resource + " " + std::string{to_string(a->status)} +
                          (a->reason.empty() ? "" : ": " + a->reason));
        }
        if (const auto* a = std::get_if<reheat::stack_changed>(&action)) {
            out.push_back("stack " + std::string{to_string(a->status)} + (a->reason.empty() ? "" : ": " + a->reason));
        }
    }
    return out;
}

reheat::stack_signal ok(std::string id) { return {true, "", std::move(id), "done"}; }

template <class T>
T wanted(reheat::stack_creation& creation, reheat::time_point now) {
    std::vector<reheat::creation_action> actions;
    creation.step(now, actions);
    for (const reheat::creation_action& action : actions) {
        if (const auto* a = std::get_if<T>(&action)) return *a;
    }
    FAIL("nothing of that kind was wanted");
    return {};
}

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("a stack is created in the order of its dependencies") {
    auto wiki = create("heartbeat.template");
    CHECK(wiki.status() == creation_status::init);
    CHECK(wiki.next() <= start);
    CHECK(step(wiki, start) == lines{"stack create_in_progress", "User create_complete", "Keys create_complete",
                                     "Handle create_complete", "Wiki create_in_progress", "create Wiki"});
    CHECK(wiki.next() == reheat::never);
    CHECK(step(wiki, start + 1s).empty());

    REQUIRE(wiki.created("Wiki", "uuid-1", {{"PublicIp", "10.0.0.7"}}, start + 30s));
    CHECK(wiki.next() == start + 30s);
    CHECK(step(wiki, start + 30s) ==
          lines{"Wiki create_complete", "Restarter create_complete", "Ready create_in_progress"});
    CHECK(wiki.next() == start + 630s);
    CHECK(wiki.outputs().error().code == errc::unavailable);

    REQUIRE(wiki.signal(arn, ok("a"), start + 100s));
    CHECK(step(wiki, start + 100s) ==
          lines{"Ready create_complete", "Silence create_in_progress", "watch wiki-Silence"});
    REQUIRE(wiki.alarm_watched("Silence", start + 100s));
    CHECK(step(wiki, start + 100s) == lines{"Silence create_complete", "stack create_complete"});
    CHECK(wiki.status() == creation_status::complete);
    CHECK(wiki.next() == reheat::never);

    const auto outputs = wiki.outputs();
    REQUIRE(outputs);
    CHECK((*outputs)[0].first == "Address");
    CHECK((*outputs)[0].second.text() == "http://10.0.0.7/wiki");

    // A later signal changes nothing, a new instance its values.
    REQUIRE(wiki.signal("Handle", {false, "late", "b", ""}, start + 900s));
    REQUIRE(wiki.replaced("Wiki", "uuid-2", {{"PublicIp", "10.0.0.8"}}, start + 900s));
    CHECK(step(wiki, start + 900s).empty());
    CHECK(wiki.ref("Wiki")->text() == "uuid-2");
    CHECK((*wiki.outputs())[0].second.text() == "http://10.0.0.8/wiki");
}

TEST_CASE("an instance is wanted with its functions resolved") {
    auto wiki = create("heartbeat.template");
    const auto wanted_instance = wanted<reheat::create_instance>(wiki, start);
    CHECK(wanted_instance.spec.image == "F17-x86_64");
    CHECK(wanted_instance.spec.flavor == "m1.small");
    CHECK(wanted_instance.spec.key_name == "ops");
    CHECK(wanted_instance.spec.user_data ==
          "#!/bin/sh\ncfn-init -s wiki -r Wiki --region ap-southeast-1\nsetup --database wiki --password changeme\n"
          "cfn-signal -e $? "
          "'http://10.0.0.1:8000/v1/waitcondition/"
          "arn%3Aopenstack%3Aheat%3A%3At1%3Astacks%2Fwiki%2F7c8e4c2a%2Fresources%2FHandle'\n");
    CHECK(wanted_instance.physical_name.starts_with("wiki-Wiki-"));
    CHECK(wanted_instance.physical_name.size() == std::string_view{"wiki-Wiki-"}.size() + 12);
    const auto* init = wanted_instance.metadata.find("AWS::CloudFormation::Init");
    REQUIRE(init != nullptr);
    const auto* files = init->find("config")->find("files");
    CHECK(files->find("/etc/cfn/cfn-credentials")->find("content")->text() ==
          "AWSAccessKeyId=id-of-Keys\nAWSSecretKey=secret-of-Keys\n");
    CHECK(files->find("/tmp/beat")->find("content")->text() ==
          "* * * * * /opt/aws/bin/cfn-push-stats --watch wiki-Silence --heartbeat\n");
    CHECK(init->find("config")->find("packages")->find("yum")->find("httpd")->is_array());
}

TEST_CASE("an alarm is wanted with its numbers and the restarters it calls") {
    for (const char* name : {"heartbeat.template", "service_failure.template"}) {
        const bool heartbeat = std::string_view{name} == "heartbeat.template";
        auto creation = create(name);
        step(creation, start);
        REQUIRE(creation.created(heartbeat ? "Wiki" : "Shop", "uuid", {}, start));
        REQUIRE(creation.signal(arn, ok("a"), start));
        const auto wanted_alarm = wanted<reheat::watch_alarm>(creation, start);
        CHECK(wanted_alarm.spec.metric_name == (heartbeat ? "Heartbeat" : "ServiceFailure"));
        CHECK(wanted_alarm.spec.metric_namespace == "system/linux");
        CHECK(wanted_alarm.spec.statistic == "SampleCount");
        CHECK(wanted_alarm.spec.comparison == (heartbeat ? "LessThanThreshold" : "GreaterThanThreshold"));
        CHECK(wanted_alarm.spec.threshold == doctest::Approx(heartbeat ? 1 : 2));
        CHECK(wanted_alarm.spec.period == (heartbeat ? 60s : 300s));
        CHECK(wanted_alarm.spec.evaluation_periods == 1);
        CHECK(wanted_alarm.spec.alarm_actions == lines{"Restarter"});
        CHECK(wanted_alarm.spec.ok_actions.empty());
        CHECK(wanted_alarm.spec.dimensions.size() == (heartbeat ? 0 : 1));
        CHECK(creation.attribute("Restarter", "AlarmUrl")->text() ==
              "http://10.0.0.1:8000/v1/signal/"
              "arn%3Aopenstack%3Aheat%3A%3At1%3Astacks%2Fwiki%2F7c8e4c2a%2Fresources%2FRestarter");
    }
}

TEST_CASE("distinct ids are counted, and Data holds them") {
    auto shop = create("service_failure.template");
    step(shop, start);
    // A signal may come before the wait condition looks for it.
    REQUIRE(shop.signal("Handle", ok("one"), start + 1s));
    REQUIRE(shop.created("Shop", "uuid", {}, start + 2s));
    step(shop, start + 2s);
    REQUIRE(shop.alarm_watched("TooManyRestarts", start + 2s));
    REQUIRE(shop.signal("Handle", {true, "", "one", "again \"1\""}, start + 3s));
    CHECK(step(shop, start + 3s) == lines{"TooManyRestarts create_complete"});
    CHECK(shop.status() == creation_status::in_progress);
    REQUIRE(shop.signal(arn, ok("two"), start + 4s));
    CHECK(step(shop, start + 4s) == lines{"Ready create_complete", "stack create_complete"});
    CHECK((*shop.outputs())[0].second.text() == R"({"one": "again \"1\"", "two": "done"})");
}

TEST_CASE("a failure signal fails the stack with the guests' reasons") {
    auto shop = create("service_failure.template");
    step(shop, start);
    REQUIRE(shop.created("Shop", "uuid", {}, start));
    step(shop, start);
    REQUIRE(shop.signal(arn, {false, "no database", "a", ""}, start + 5s));
    REQUIRE(shop.signal(arn, {false, "no disk", "b", ""}, start + 5s));
    CHECK(step(shop, start + 5s) ==
          lines{"Ready create_failed: no database;no disk", "stack create_failed: Ready: no database;no disk"});
    CHECK(shop.status() == creation_status::failed);
    CHECK(shop.reason() == "Ready: no database;no disk");
    CHECK(shop.outputs().error().code == errc::unavailable);
}

TEST_CASE("a wait condition times out with what it got") {
    auto shop = create("service_failure.template");
    step(shop, start);
    REQUIRE(shop.created("Shop", "uuid", {}, start));
    step(shop, start);
    REQUIRE(shop.alarm_watched("TooManyRestarts", start));
    step(shop, start);
    REQUIRE(shop.signal(arn, ok("a"), start + 599s));
    REQUIRE(shop.signal(arn, ok("b"), start + 601s)); // too late, though it came before the step
    CHECK(step(shop, start + 602s) ==
          lines{"Ready create_failed: 1 of 2 received", "stack create_failed: Ready: 1 of 2 received"});
    CHECK(shop.next() == reheat::never);

    auto exact = create("service_failure.template");
    step(exact, start);
    REQUIRE(exact.created("Shop", "uuid", {}, start));
    step(exact, start);
    CHECK(exact.next() == start + 600s);
    CHECK(step(exact, start + 600s - 1ns).empty());
    CHECK(step(exact, start + 600s).front() == "Ready create_failed: 0 of 2 received");
}

TEST_CASE("after a failure nothing new starts") {
    auto wiki = create("heartbeat.template");
    step(wiki, start);
    REQUIRE(wiki.create_failed("Wiki", "no valid host", start + 1s));
    CHECK(step(wiki, start + 1s) ==
          lines{"Wiki create_failed: no valid host", "stack create_failed: Wiki: no valid host"});
    CHECK(step(wiki, start + 2s).empty());
    CHECK(wiki.status("Restarter") == creation_status::init);
    CHECK(!wiki.created("Wiki", "uuid", {}, start + 3s));
}

TEST_CASE("inputs that make no sense are refused") {
    auto wiki = create("heartbeat.template");
    CHECK(wiki.signal(arn, ok("a"), start).error().code == errc::invalid_argument); // nothing exists yet
    step(wiki, start);
    CHECK(wiki.created("Nobody", "x", {}, start).error().code == errc::not_found);
    CHECK(wiki.created("Silence", "x", {}, start).error().code == errc::not_found);
    CHECK(wiki.created("Wiki", "", {}, start).error().code == errc::invalid_argument);
    CHECK(wiki.created("Wiki", "x", {{"Colour", "red"}}, start).error().code == errc::not_found);
    CHECK(wiki.replaced("Wiki", "x", {}, start).error().code == errc::invalid_argument);
    CHECK(wiki.alarm_watched("Silence", start).error().code == errc::invalid_argument);
    CHECK(wiki.create_failed("Silence", "", start).error().code == errc::invalid_argument);
    CHECK(wiki.signal("Wiki", ok("a"), start).error().code == errc::not_found);
    CHECK(wiki.signal("arn:openstack:heat::t2:stacks/wiki/7c8e4c2a/resources/Handle", ok("a"), start).error().code ==
          errc::not_found);
    CHECK(wiki.ref("Wiki").error().code == errc::unavailable);
    CHECK(wiki.status("Nobody") == creation_status::init);
}

TEST_CASE("a handle keeps a bounded number of signals") {
    reheat::wait_handle handle;
    for (std::size_t i = 0; i < reheat::wait_handle::max_signals; ++i)
        REQUIRE(handle.receive(ok(std::to_string(i)), start));
    CHECK(handle.receive(ok("one more"), start).error().code == errc::limit_exceeded);
    CHECK(handle.receive(ok("7"), start));
    CHECK(handle.receive({true, "", "7", std::string(reheat::wait_handle::max_bytes, 'x')}, start).error().code ==
          errc::limit_exceeded);
    CHECK(handle.until(start).received == reheat::wait_handle::max_signals);
}
