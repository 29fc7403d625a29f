// SPDX-License-Identifier: MIT
#include "handing_driver.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stop_token>
#include <thread>

// Nothing here waits for a time: threads meet by joining, or by what they have handed over.

namespace rh = reheat;
using namespace std::chrono_literals;
using support::handing_driver;

namespace {

constexpr rh::ladder reboots{rh::reboot_instance{}};

} // namespace

TEST_SUITE("threads") {
    TEST_CASE("ten thousand completions of four other threads all arrive") {
        constexpr int all = 10'000;
        constexpr std::size_t at_once = 500; // below what the inbox holds, so that none is lost
        handing_driver cloud;
        rh::pipeline ha{cloud, rh::system_time{}, reboots};
        REQUIRE(ha.open());
        std::vector<rh::target_id> targets;
        for (std::size_t n = 0; n < at_once; ++n)
            targets.push_back(*ha.add(rh::instance{.name = "vm-" + std::to_string(n)}));

        const support::answering_threads workers{cloud};
        int ordered = 0;
        int answered = 0;
        int lost = 0;
        for (const rh::target_id t : targets) {
            ha.order_creation(t);
            ++ordered;
        }
        while (answered < all) {
            ha.poll([&](const rh::event& v) {
                if (v.why == rh::reason::inbox_overflow) ++lost;
                const bool unknown = v.what == rh::decision::read_back;
                if (v.what != rh::decision::finish && !unknown) return;
                ++answered;
                if (ordered == all) return;
                // The target of an unknown outcome waits for its read-back; a new one takes its place.
                ++ordered;
                ha.order_creation(unknown ? *ha.add(rh::instance{.name = "new-" + std::to_string(ordered)}) : v.target);
            });
        }
        CHECK(answered >= all);
        CHECK(lost == 0);
    }

    TEST_CASE("samples posted by other threads while the pipeline runs are all counted") {
        support::notebook cloud;
        rh::pipeline ha{cloud, rh::scaled_clock{1}, reboots};
        const auto db = ha.add(rh::instance{.name = "db-1"});
        const auto alarm = ha.watch(*db, rh::heartbeat_alarm{.period = 1h});
        std::atomic<int> taken{0};
        std::atomic<int> refused{0};
        std::atomic<int> posting{4};
        std::uint64_t lost = 0;
        {
            std::vector<std::jthread> posters;
            for (int n = 0; n < 4; ++n) {
                posters.emplace_back([&] {
                    for (int s = 0; s < 5'000; ++s) ++(ha.post(*alarm, rh::heartbeat) ? taken : refused);
                    --posting;
                });
            }
            const auto sink = [&lost](const rh::event& v) {
                if (v.why == rh::reason::inbox_overflow) lost += static_cast<std::uint64_t>(v.value);
            };
            while (posting != 0) ha.poll(sink);
            ha.poll(sink);
        }
        CHECK(taken + refused == 20'000);
        CHECK(lost == static_cast<std::uint64_t>(refused));
    }

    TEST_CASE("completions may be called and destroyed while and after the pipeline goes") {
        for (int round = 0; round < 50; ++round) {
            handing_driver cloud;
            auto ha =
                std::make_unique<rh::pipeline<handing_driver, rh::system_time>>(cloud, rh::system_time{}, reboots);
            for (int n = 0; n < 20; ++n) ha->order_creation(*ha->add(rh::instance{.name = "vm-" + std::to_string(n)}));
            ha->poll();
            std::atomic<bool> gone{false};
            std::jthread worker{[&cloud, &gone] {
                std::vector<rh::completion> mine;
                for (int n = 0; cloud.take(mine); ++n) {
                    if (n % 2 == 0) mine.back()(rh::outcome::done());
                    if (n % 3 == 0) mine.clear();
                }
                while (!gone) std::this_thread::yield();
                for (rh::completion& late : mine) late(rh::outcome::done());
            }};
            ha->poll();
            ha.reset();
            gone = true;
        }
    }

    TEST_CASE("run ends when its thread is asked to stop") {
        support::notebook cloud;
        cloud.answer(rh::operation::reboot_instance, rh::outcome::done());
        // A stall of 5 ms is 5 s here.
        const rh::engine_options patient{.doubts = {.most_late = 1h}};
        rh::pipeline ha{cloud, rh::scaled_clock{1000}, reboots, rh::volatile_journal{}, patient};
        const auto db = ha.add(rh::instance{.name = "db-1"});
        const auto alarm = ha.watch(*db, rh::heartbeat_alarm{.period = 60s, .grace = 60s});
        std::atomic<int> recovered{0};
        std::atomic<bool> rebooted{false};
        std::jthread runner{[&](const std::stop_token& stop) {
            ha.run(stop, [&](const rh::event& v) {
                if (v.what == rh::decision::call) rebooted = true;
                if (v.what == rh::decision::recover) ++recovered;
            });
        }};
        while (!rebooted) std::this_thread::yield(); // silence has raised the alarm
        while (recovered == 0) ha.post(*alarm, rh::heartbeat);
        runner.request_stop();
        runner.join();
        CHECK(recovered >= 1);
        CHECK(cloud.count(rh::operation::reboot_instance) >= 1);
    }

    TEST_CASE("run of a pipeline that is asked before it begins returns at once") {
        support::notebook cloud;
        rh::pipeline ha{cloud, rh::system_time{}, reboots};
        std::stop_source stop;
        stop.request_stop();
        ha.run(stop.get_token());
        CHECK(cloud.calls.empty());
    }

    TEST_CASE("the inbox of several threads loses and doubles nothing") {
        rh::inbox<int> box{64};
        constexpr int each = 20'000;
        std::vector<int> seen(4 * each);
        {
            std::vector<std::jthread> threads;
            for (int n = 0; n < 4; ++n) {
                threads.emplace_back([&box, n] {
                    for (int v = 0; v < each;) {
                        int value = n * each + v;
                        if (box.put(std::move(value))) ++v;
                        else std::this_thread::yield();
                    }
                });
            }
            int value = 0;
            for (int taken = 0; taken < 4 * each;) {
                if (!box.take(value)) {
                    std::this_thread::yield();
                    continue;
                }
                ++seen[static_cast<std::size_t>(value)];
                ++taken;
            }
        }
        CHECK(std::count(seen.begin(), seen.end(), 1) == 4 * each);
    }
}
