// SPDX-License-Identifier: MIT
#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/engine/render.hpp>
#include <reheat/guest/cloudformation.hpp>
#include <reheat/guest/cloudwatch.hpp>
#include <reheat/guest/heat_stack.hpp>
#include <reheat/runner/pipeline.hpp>
#include <reheat/sim/mock_cloud.hpp>
#include <reheat/stack/load_template.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
using namespace reheat;
namespace guest = reheat::guest;

namespace {

using ha_type = pipeline<mock_cloud, manual_clock>;

stack_creation load(const std::string& file, std::string_view old_text, std::string_view new_text) {
    std::ifstream in{"tests/data/" + file, std::ios::binary};
    REQUIRE(in);
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (!old_text.empty()) {
        REQUIRE(text.find(old_text) != std::string::npos);
        text.replace(text.find(old_text), old_text.size(), new_text);
    }
    auto loaded =
        load_template(text, nlohmann_json{},
                      {.stack_name = "wiki", .stack_id = "7c8e", .tenant = "t1", .parameters = {{"KeyName", "ops"}}});
    REQUIRE_MESSAGE(loaded, to_string(loaded.error()));
    return {std::move(*loaded), "http://127.0.0.1:8000", [](std::string_view) { return access_key{"key", "secret"}; }};
}

/// A stack on a mock cloud whose guests are played by the test, on virtual time.
struct world {
    explicit world(const std::string& file, const policy& rules = ha_restarter.lowered(),
                   std::string_view old_text = {}, std::string_view new_text = {}, engine_options options = {},
                   guest::heat_stack_options of_stack = {})
        : ha{cloud, manual_clock{}, rules, volatile_journal{}, options},
          heat{ha, load(file, old_text, new_text), of_stack} {
        REQUIRE(ha.open());
        REQUIRE(heat.open());
        settle();
    }

    void settle() {
        for (;;) {
            cloud.advance(now(), [](std::string_view, std::string_view) {});
            heat.step([this](const creation_action& a) {
                if (const auto* wanted = std::get_if<create_instance>(&a))
                    cloud.add(wanted->physical_name, {.stack = "wiki", .boot_time = 40s, .heartbeats = false}, false);
                if (const auto* told = std::get_if<stack_changed>(&a))
                    lines.push_back("stack " + std::string{to_string(told->status)});
            });
            const time_point due = ha.poll([this](const event& e) {
                heat.notice(e);
                if (e.kind != event_kind::call) lines.push_back(to_text(ha.state(), e).substr(21));
            });
            next = earlier(earlier(due, heat.next()), cloud.next());
            if (next > now()) return;
        }
    }
    void advance(duration by) {
        const time_point end = now() + by;
        for (settle(); next <= end; settle()) ha.time().advance_to(next);
        ha.time().advance_to(end);
    }
    time_point now() { return ha.time().now(); }
    /// The lines since the last call that hold `text`.
    std::vector<std::string> told(std::string_view text) {
        std::vector<std::string> out;
        for (const std::string& line : std::exchange(lines, {})) {
            if (line.find(text) != std::string::npos) out.push_back(line);
        }
        return out;
    }
    result<void> push(std::string_view metric, std::string_view alarm, std::vector<guest::dimension> dimensions = {},
                      double value = 1) {
        auto done = heat.put(
            {"system/linux", std::string{metric}, "Counter", value, std::move(dimensions), std::string{alarm}});
        settle();
        return done;
    }
    result<void> signal(std::string_view id, bool success = true) {
        auto done = heat.signal("arn:openstack:heat::t1:stacks/wiki/7c8e/resources/Handle",
                                {success, "because", std::string{id}, "ready"});
        settle();
        return done;
    }
    std::string name(std::string_view resource) { return std::string{ha.state().name(heat.target_of(resource))}; }

    mock_cloud cloud;
    ha_type ha;
    guest::heat_stack<ha_type> heat;
    std::vector<std::string> lines;
    time_point next{};
};

static_assert(guest::metric_sink<guest::heat_stack<ha_type>>);
static_assert(guest::checking_metric_sink<guest::heat_stack<ha_type>>);
static_assert(guest::wait_condition_sink<guest::heat_stack<ha_type>>);

/// Created and complete: the instance runs, its guest has signalled, the alarm is watched.
void bring_up(world& w) {
    w.advance(60s);
    REQUIRE(w.signal("guest"));
    REQUIRE(w.heat.creation().status() == creation_status::complete);
    w.lines.clear();
}

} // namespace

TEST_CASE("a template's stack is created, watched, lost, made anew and well again") {
    world w{"heartbeat.template"};
    CHECK(w.heat.creation().status() == creation_status::in_progress);
    CHECK(w.cloud.count(operation::create_instance, w.name("Wiki")) == 1);
    w.advance(19s);
    CHECK(w.heat.creation().status("Wiki") == creation_status::in_progress);
    w.advance(1s);
    CHECK(w.heat.creation().status("Wiki") == creation_status::complete);
    const std::string first = w.cloud.find(w.name("Wiki"))->cloud_id();
    CHECK(w.heat.creation().ref("Wiki")->text() == first);
    CHECK(w.heat.creation().attribute("Wiki", "PublicIp")->text() == w.cloud.find(w.name("Wiki"))->address);

    // Nobody watches before the guest has said that it is ready.
    CHECK(w.push("Heartbeat", "wiki-Silence").error().code == errc::not_found);
    w.advance(40s);
    REQUIRE(w.signal("guest"));
    CHECK(w.heat.creation().status() == creation_status::complete);
    CHECK(w.told("stack") == std::vector<std::string>{"stack create_in_progress", "stack create_complete"});
    CHECK((*w.heat.creation().outputs())[0].second.text() == "http://10.0.0.2/wiki");

    // Silence means nothing before the first heartbeat.
    CHECK(w.heat.state_of("Silence") == alarm_state::insufficient_data);
    w.advance(5min);
    CHECK(w.heat.state_of("Silence") == alarm_state::insufficient_data);
    for (int minute = 0; minute < 5; ++minute) {
        REQUIRE(w.push("Heartbeat", "wiki-Silence"));
        w.advance(60s);
        CHECK(w.heat.state_of("Silence") == alarm_state::ok);
    }
    CHECK(w.told("incident").empty());

    // The last heartbeat is 60 s old, which is in the window; 60 s later it is not.
    w.cloud.break_at(w.now(), w.name("Wiki"), fault::instance_lost);
    w.advance(60s);
    CHECK(w.heat.state_of("Silence") == alarm_state::alarm);
    w.advance(10min);
    CHECK(w.cloud.count(operation::fence_instance) == 1);
    CHECK(w.cloud.count(operation::recreate_instance) == 1);
    CHECK(w.cloud.second_copies() == 0);
    const std::string second = w.cloud.find(w.name("Wiki"))->cloud_id();
    CHECK(second != first);
    CHECK(w.heat.creation().ref("Wiki")->text() == second);
    CHECK(w.ha.state().open_incidents() == 1);

    // The new guest signals again, as it must, and sends heartbeats.
    REQUIRE(w.signal("guest-2"));
    REQUIRE(w.push("Heartbeat", "wiki-Silence"));
    w.advance(60s);
    CHECK(w.heat.state_of("Silence") == alarm_state::ok);
    CHECK(w.ha.state().open_incidents() == 0);
    CHECK(w.told("recover verified").size() == 1);
    CHECK(w.cloud.count(operation::recreate_instance) == 1);
}

TEST_CASE("in shadow mode the stack comes up and is recovered in words only") {
    engine_options dark;
    dark.shadow = true;
    world w{"heartbeat.template", ha_restarter.lowered(), {}, {}, dark};
    CHECK(w.heat.creation().status("Wiki") == creation_status::complete);
    CHECK(w.heat.creation().ref("Wiki")->text() == w.name("Wiki")); // nobody told an id
    bring_up(w);
    REQUIRE(w.push("Heartbeat", "wiki-Silence"));
    w.advance(1h);
    CHECK(w.told("recreate_instance act").size() >= 1);
    CHECK(w.heat.creation().ref("Wiki")->text() == w.name("Wiki"));
    CHECK(w.cloud.calls().empty());
}

TEST_CASE("three service failures within five minutes make the instance anew, two do not") {
    world w{"service_failure.template"};
    w.advance(60s);
    // The alarm needs nobody; the wait condition wants two guests.
    REQUIRE(w.push("ServiceFailure", "wiki-TooManyRestarts"));
    REQUIRE(w.signal("a"));
    CHECK(w.heat.creation().status() == creation_status::in_progress);
    REQUIRE(w.signal("a"));
    CHECK(w.heat.creation().status() == creation_status::in_progress);
    REQUIRE(w.signal("b"));
    CHECK(w.heat.creation().status() == creation_status::complete);

    w.advance(30s);
    REQUIRE(w.push("ServiceFailure", "wiki-TooManyRestarts"));
    w.advance(5min);
    CHECK(w.heat.state_of("TooManyRestarts") == alarm_state::ok);
    for (int n = 0; n < 3; ++n) {
        REQUIRE(w.push("ServiceFailure", "wiki-TooManyRestarts"));
        w.advance(20s);
    }
    w.advance(5min);
    CHECK(w.cloud.count(operation::fence_instance) == 1);
    CHECK(w.cloud.count(operation::recreate_instance) == 1);
    // Five minutes without a failure, and the incident is over.
    w.advance(10min);
    CHECK(w.ha.state().open_incidents() == 0);
    CHECK(w.cloud.count(operation::recreate_instance) == 1);
}

namespace {

/// The alarm of the template tolerates any number of restarts: only the rung counts them.
struct restarting : world {
    explicit restarting(const policy& rules, guest::heat_stack_options of_stack = {})
        : world{"service_failure.template", rules,   R"("Threshold": "2")", R"("Threshold": "999")",
                engine_options{},           of_stack} {
        advance(60s);
        REQUIRE(signal("a"));
        REQUIRE(signal("b"));
        advance(10min); // after the start a while, for all actions
        lines.clear();
    }
    void restarts(int times, std::string_view alarm = "wiki-TooManyRestarts",
                  const std::vector<guest::dimension>& dimensions = {}, double value = 1) {
        for (int n = 0; n < times; ++n) {
            REQUIRE(push("ServiceFailure", alarm, dimensions, value));
            advance(20s);
        }
    }
};

const policy healing = ladder{guest_restarts{.attempts = 3}, reboot_instance{}}.lowered();

} // namespace

TEST_CASE("a guest that restarts a service more often than its rung allows needs more, whatever the alarm says") {
    SUBCASE("three in five minutes are its own affair, the fourth is not") {
        restarting w{healing};
        w.restarts(3);
        CHECK(w.ha.state().open_incidents() == 0);
        CHECK(w.told("change guest_restarted").size() == 3);
        w.restarts(1);
        CHECK(w.heat.state_of("TooManyRestarts") == alarm_state::ok);
        CHECK(w.told("climb attempts_spent").size() == 1);
        CHECK(w.cloud.count(operation::reboot_instance, w.name("Shop")) == 1);
    }
    SUBCASE("three, and another when they are forgotten") {
        restarting w{healing};
        w.restarts(3);
        w.advance(5min);
        w.restarts(1);
        CHECK(w.ha.state().open_incidents() == 0);
    }
    SUBCASE("as cfn-push-stats sends it") {
        restarting w{healing};
        guest::cloudwatch_api api{w.heat};
        const std::string id{w.cloud.find(w.name("Shop"))->cloud_id()};
        for (int n = 0; n < 4; ++n) {
            const std::string body =
                "Action=PutMetricData&MetricData.member.1.Dimensions.member.1.Name=InstanceId&MetricData.member.1."
                "Dimensions.member.1.Value=" +
                id +
                "&MetricData.member.1.Dimensions.member.2.Name=AlarmName&MetricData.member.1.Dimensions.member.2."
                "Value=wiki-TooManyRestarts&MetricData.member.1.MetricName=ServiceFailure&MetricData.member.1.Unit="
                "Counter&MetricData.member.1.Value=1&Namespace=system%2Flinux&Version=2010-08-01";
            CHECK(api.handle({"POST", "/v1/", {}, body}).status == 200);
            w.advance(20s);
        }
        CHECK(w.cloud.count(operation::reboot_instance, w.name("Shop")) == 1);
    }
    SUBCASE("by the dimensions, without the name of an alarm") {
        restarting w{healing};
        w.restarts(4, "", {{"service", "httpd"}});
        CHECK(w.cloud.count(operation::reboot_instance) == 1);
    }
    SUBCASE("a policy without the rung is told and does nothing") {
        restarting w{ladder{reboot_instance{}}.lowered()};
        w.restarts(9);
        CHECK(w.told("change guest_restarted").size() == 9);
        CHECK(w.ha.state().open_incidents() == 0);
    }
    SUBCASE("where it is turned off, only the alarm counts") {
        restarting w{healing, {.count_restarts = false}};
        w.restarts(9);
        CHECK(w.told("guest_restarted").empty());
        CHECK(w.ha.state().open_incidents() == 0);
    }
    SUBCASE("none happened, or it is no report of that") {
        restarting w{healing};
        w.restarts(9, "wiki-TooManyRestarts", {}, 0);
        for (int n = 0; n < 9; ++n) REQUIRE(w.push("Heartbeat", "wiki-TooManyRestarts"));
        CHECK(w.told("guest_restarted").empty());
    }
}

TEST_CASE("a report that names an instance by its id is of that one, whichever the alarm recovers") {
    world w{
        "service_failure.template", healing, R"("Shop": {)",
        R"("Cart": { "Type": "AWS::EC2::Instance", "Properties": { "ImageId": "a", "InstanceType": "b" } }, "Shop": {)"};
    w.advance(60s);
    w.lines.clear();
    const std::string cart{w.cloud.find(w.name("Cart"))->cloud_id()};
    const auto restarted = [&w](std::string_view resource) {
        return std::vector<std::string>{w.name(resource) + " - change guest_restarted"};
    };
    REQUIRE(w.push("ServiceFailure", "wiki-TooManyRestarts", {{"InstanceId", cart}}));
    CHECK(w.told("guest_restarted") == restarted("Cart"));
    REQUIRE(w.push("ServiceFailure", "wiki-TooManyRestarts", {{"InstanceId", "of the copy before"}}));
    CHECK(w.told("guest_restarted") == restarted("Shop"));
}

TEST_CASE("a report of another metric than its alarm's is no restart") {
    world w{"heartbeat.template", healing};
    bring_up(w);
    for (int n = 0; n < 9; ++n) REQUIRE(w.push("ServiceFailure", "wiki-Silence"));
    CHECK(w.told("guest_restarted").empty());
}

TEST_CASE("with the three levels an instance is rebooted, then made anew, then its stack converged with approval") {
    world w{"heartbeat.template", three_levels.lowered()};
    bring_up(w);
    REQUIRE(w.push("Heartbeat", "wiki-Silence"));
    w.advance(60s);
    w.advance(2h);
    CHECK(w.cloud.count(operation::restart_service) == 0);
    CHECK(w.cloud.count(operation::reboot_instance) == 2);
    CHECK(w.cloud.count(operation::recreate_instance) == 1);
    CHECK(w.cloud.count(operation::converge_stack) == 0);
    CHECK(w.told("approval_required").size() == 1);
    w.ha.operate({.target = w.heat.target(), .who = "ann"});
    w.advance(10min);
    CHECK(w.cloud.count(operation::converge_stack) == 1);
    CHECK(w.cloud.second_copies() == 0);
}

TEST_CASE("a sample is for the named alarm, or for all that match") {
    world w{"service_failure.template"};
    w.advance(60s);
    const guest::dimension httpd{"service", "httpd"};
    CHECK(w.push("ServiceFailure", "", {}).error().code == errc::not_found);
    CHECK(w.push("ServiceFailure", "", {{"service", "mysqld"}}).error().code == errc::not_found);
    CHECK(w.push("Heartbeat", "", {httpd}).error().code == errc::not_found);
    CHECK(w.push("ServiceFailure", "", {{"InstanceId", "x"}, httpd}));
    // The name alone decides; of another metric it is taken and changes nothing.
    CHECK(w.push("ServiceFailure", "wiki-TooManyRestarts", {}));
    CHECK(w.push("Heartbeat", "wiki-TooManyRestarts", {httpd}));
    CHECK(w.push("ServiceFailure", "TooManyRestarts", {httpd}).error().code == errc::not_found);
    w.advance(5min);
    CHECK(w.heat.state_of("TooManyRestarts") == alarm_state::ok);
    CHECK(w.heat.state_of("Shop") == alarm_state::insufficient_data);
}

TEST_CASE("the guest APIs speak to it") {
    world w{"heartbeat.template"};
    w.advance(60s);
    guest::cloudformation_api cloudformation{w.heat, nlohmann_json{}};
    guest::cloudwatch_api cloudwatch{w.heat};
    std::string url = w.heat.creation().ref("Handle")->text();
    url.erase(0, std::string_view{"http://127.0.0.1:8000"}.size());
    guest::request put{"PUT", url, {}, R"({"Status": "SUCCESS", "Reason": "up", "UniqueId": "u", "Data": "d"})"};
    CHECK(cloudformation.handle(put).status == 200);
    put.target = "/v1/waitcondition/Handle";
    CHECK(cloudformation.handle(put).status == 400);
    w.settle();
    CHECK(w.heat.creation().status() == creation_status::complete);
    const auto post = [&](const std::string& alarm) {
        return cloudwatch
            .handle({"POST",
                     "/v1/",
                     {},
                     "Action=PutMetricData&Namespace=system%2Flinux&MetricData.member.1.MetricName=Heartbeat&"
                     "MetricData.member.1.Unit=Counter&MetricData.member.1.Value=1&"
                     "MetricData.member.1.Dimensions.member.1.Name=AlarmName&MetricData.member.1.Dimensions.member.1."
                     "Value=" +
                         alarm})
            .status;
    };
    CHECK(post("wiki-Silence") == 200);
    CHECK(post("wiki-Nobody") == 400);
    w.advance(60s);
    CHECK(w.heat.state_of("Silence") == alarm_state::ok);
}

TEST_CASE("an alarm without a restarter is told and paged, and nothing is done") {
    world w{"heartbeat.template", three_levels.lowered(), R"([{ "Ref": "Restarter" }])", "[]"};
    bring_up(w);
    REQUIRE(w.push("Heartbeat", "wiki-Silence"));
    w.advance(10min);
    CHECK(w.heat.state_of("Silence") == alarm_state::alarm);
    CHECK(w.ha.state().incident_of(w.heat.target()) != nullptr);
    CHECK(w.told("page ladder_exhausted").size() == 1);
    CHECK(w.cloud.calls().size() == 1);
}

TEST_CASE("a creation that fails says why and starts nothing more") {
    SUBCASE("the guest says so") {
        world w{"heartbeat.template"};
        w.advance(60s);
        REQUIRE(w.signal("guest", false));
        CHECK(w.heat.creation().status() == creation_status::failed);
        CHECK(w.heat.creation().reason() == "Ready: because");
    }
    SUBCASE("the guest says nothing") {
        world w{"heartbeat.template"};
        w.advance(20min);
        CHECK(w.heat.creation().status() == creation_status::failed);
        CHECK(w.heat.creation().reason() == "Ready: 0 of 1 received");
    }
    SUBCASE("the cloud refuses") {
        mock_cloud cloud;
        ha_type ha{cloud, manual_clock{}, ha_restarter.lowered()};
        guest::heat_stack<ha_type> heat{ha, load("heartbeat.template", {}, {})};
        REQUIRE(heat.open());
        heat.step([](const creation_action&) {}); // the cloud was not told of the instance
        for (int n = 0; n < 3; ++n) {
            cloud.advance(ha.time().now(), [](std::string_view, std::string_view) {});
            ha.poll([&](const event& e) { heat.notice(e); });
            heat.step([](const creation_action&) {});
            ha.time().advance(20s);
        }
        CHECK(heat.creation().status() == creation_status::failed);
        CHECK(heat.creation().reason() == "Wiki: the cloud did not create it: outcome_refused");
    }
}

TEST_CASE("a name that the pipeline has already is an error") {
    mock_cloud cloud;
    ha_type ha{cloud, manual_clock{}, ha_restarter.lowered()};
    REQUIRE(ha.add(reheat::stack{"wiki"}));
    guest::heat_stack<ha_type> heat{ha, load("heartbeat.template", {}, {})};
    CHECK(heat.open().error().code == errc::already_exists);
}
