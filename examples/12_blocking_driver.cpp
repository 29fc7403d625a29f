// SPDX-License-Identifier: MIT
// A driver whose functions simply do it and return: `blocking_driver` calls them on threads of its own, so the pipeline
// never waits for the cloud.

#include <reheat/reheat.hpp>
#include <reheat/runner/blocking_driver.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

namespace rh = reheat;
using namespace std::chrono_literals;

// Calls of this cloud take their time. They come from several threads at once.
class my_cloud {
public:
    rh::outcome describe(const rh::request&) {
        rh::observed seen;
        seen.exists = seen.running = true;
        seen.boot_id = "boot-" + std::to_string(boots_.load());
        return rh::outcome::done(seen);
    }
    rh::outcome reboot(const rh::request& r) {
        std::this_thread::sleep_for(20ms); // stands for a program that is run, or an API that is asked
        std::printf("  cloud: rebooted %s\n", std::string{r.instance}.c_str());
        ++boots_;
        return rh::outcome::done();
    }
    [[nodiscard]] int boots() const { return boots_; }

private:
    std::atomic<int> boots_{1};
};

int main() {
    my_cloud cloud;
    const rh::scaled_clock time{600}; // ten minutes are a second
    rh::blocking_driver driver{cloud, 2, time};
    rh::engine_options options;
    options.doubts.on = false; // a slow computer is no reason to doubt here: its stalls count 600 times
    rh::pipeline ha{driver, time, rh::ladder{rh::reboot_instance{}}, rh::volatile_journal{}, options};
    if (auto opened = ha.open(); !opened) return EXIT_FAILURE;
    auto db = ha.add(rh::instance{.name = "db-1"});
    if (!db || !ha.watch(*db, rh::heartbeat_alarm{.period = 60s})) return EXIT_FAILURE;

    // It is silent until it was booted again.
    bool recovered = false;
    const auto tell = [&](const rh::event& e) {
        std::puts(rh::to_text(ha.state(), e).c_str());
        recovered = recovered || e.what == rh::decision::recover;
    };
    for (int turns = 0; turns < 3000 && !recovered; ++turns) { // half a minute at most
        if (cloud.boots() > 1) ha.push(*db, rh::heartbeat);
        ha.poll(tell);
        std::this_thread::sleep_for(10ms);
    }
    return recovered ? EXIT_SUCCESS : EXIT_FAILURE;
}
