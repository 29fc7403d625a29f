// SPDX-License-Identifier: MIT
// A driver in several wrappers, before a cloud that is busy, slow and at times silent: what each of them makes of that,
// and how they are driven. Which cloud it is, is decided at run time. On virtual time; with real time it is the same,
// with `system_time{}` for every time source and `ha.run(stop, sink)` for the loop.

#include <reheat/driver/any_driver.hpp>
#include <reheat/reheat.hpp>
#include <reheat/runner/circuit_breaker_driver.hpp>
#include <reheat/runner/deadline_driver.hpp>
#include <reheat/runner/rate_limit_driver.hpp>
#include <reheat/runner/recording_driver.hpp>
#include <reheat/runner/retry_driver.hpp>
#include <reheat/runner/time_view.hpp>
#include <reheat/sim/mock_cloud.hpp>

#include <cstdio>
#include <cstring>

namespace rh = reheat;
using namespace std::chrono_literals;

namespace {

constexpr auto steps = rh::ladder{rh::reboot_instance{}, rh::recreate_instance{}};

/// A cloud that can only say what is. No ladder can be climbed with it.
struct read_only_cloud {
    void describe(const rh::request&, rh::completion done) { done(rh::outcome::done()); }
};

/// In a program this lies in a .cpp of its own, the only one that includes the clouds' headers.
rh::any_driver choose(const char* name, rh::mock_cloud& mock) {
    if (std::strcmp(name, "mock") == 0) return rh::any_driver{mock}; // refers to it
    return rh::any_driver{read_only_cloud{}};                        // owns it
}

} // namespace

int main(int argc, char** argv) {
    rh::manual_clock clock;
    rh::mock_cloud mock;
    rh::any_driver cloud = choose(argc > 1 ? argv[1] : "mock", mock);
    if (auto can = rh::check_climbable(steps.lowered(), rh::capabilities_of(&cloud)); !can) {
        std::printf("this cloud will not do: %s\n", to_string(can.error()).c_str());
        return 2;
    }

    // From the cloud outwards. Each refers to the one above it, and has exactly its capabilities.
    const rh::time_view time{clock};
    rh::recording_driver taped{cloud, time};                                          // what the cloud really does
    rh::deadline_driver patient{taped, time, {.limit = 20s}};                         // silence becomes `unknown`
    rh::circuit_breaker_driver careful{patient, time, {.unanswered = 3}};             // and much of it, peace
    rh::rate_limit_driver slow{careful, time, {.calls = 30, .per = 60s, .burst = 5}}; // no more than its quota
    rh::retry_driver driver{slow, time};                                              // "busy" is not a failure

    rh::pipeline ha{driver, time, steps};
    auto show = [&ha](const rh::event& e) {
        if (e.kind == rh::event_kind::rung || e.kind == rh::event_kind::verdict)
            std::printf("%s\n", to_text(ha.state(), e).c_str());
    };

    if (!ha.open()) return 1;
    const rh::time_point start = ha.time().now();
    auto db = ha.add(rh::instance{.name = "db-1"});
    if (!db || !ha.watch(*db, rh::heartbeat_alarm{.period = 60s})) return 1;
    mock.add("db-1", {});
    mock.break_at(start + 10min, "db-1", rh::fault::instance_hangs);
    // The first two reboots find the cloud busy. The third is carried out, and its answer is lost.
    using how = rh::mock_reply::manner;
    for (int n = 0; n < 2; ++n) {
        mock.reply(rh::operation::reboot_instance,
                   {.code = rh::outcome_code::refused, .takes_effect = false, .retry_after = 15s});
    }
    mock.reply(rh::operation::reboot_instance, {.how = how::silent});

    while (ha.time().now() < start + 1h) {
        mock.advance(clock.now(), [&](auto, auto) { ha.push(*db, rh::heartbeat); });
        const rh::time_point due = ha.poll(show); // which polls the outermost wrapper, and that those below
        clock.advance_to(rh::earlier(rh::earlier(due, mock.next()), start + 1h));
    }

    const auto reboots = mock.count(rh::operation::reboot_instance);
    const auto recreations = mock.count(rh::operation::recreate_instance);
    std::printf("%u reboots, %u of them repeats; %u without an answer; %u re-creations; %u lines on the tape\n",
                static_cast<unsigned>(reboots), static_cast<unsigned>(driver.repeats()),
                static_cast<unsigned>(patient.missed()), static_cast<unsigned>(recreations),
                static_cast<unsigned>(taped.take().size()));
    return reboots == 3 && driver.repeats() == 2 && patient.missed() == 1 && recreations == 0 &&
                   mock.find("db-1")->serves()
               ? 0
               : 1;
}
