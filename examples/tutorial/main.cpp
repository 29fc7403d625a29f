// SPDX-License-Identifier: MIT
// ha CLOUD_PORT GUEST_PORT JOURNAL [SPEED]: keeps every machine that the cloud lists alive. Guests tell that they live
// by POST /MACHINE/SERVICE to GUEST_PORT (0: a free one). SPEED 20 makes minutes of waiting seconds, to try it.
#include <reheat/adapters/beast.hpp>
#include <reheat/adapters/file_journal.hpp>
#include <reheat/engine/resume.hpp>
#include <reheat/runner/blocking_driver.hpp>

#include "driver.hpp"
#include "status_feed.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>

constexpr rh::ladder steps{rh::restart_service{.attempts = 3, .within = 5min, .verify = 150s},
                           rh::reboot_instance{.attempts = 2, .within = 1h, .verify = 12min},
                           rh::recreate_instance{.attempts = 1, .within = 4h, .verify = 30min}};
static_assert(rh::lint(steps).ok());

namespace {
volatile std::sig_atomic_t ends = 0;
} // namespace

int main(int count, char** words) {
    if (count < 4) return 2;
    const auto port_at = [&](int n) { return static_cast<std::uint16_t>(std::atoi(words[n])); };
    const double speed = count > 4 ? std::atof(words[4]) : 1;
    std::setvbuf(stdout, nullptr, _IOLBF, 0); // each line at once, in a file too
    std::signal(SIGTERM, [](int) { ends = 1; });

    const rh::scaled_clock clock{speed}; // rh::system_time at work
    small_cloud cloud{"127.0.0.1", port_at(1), "tutorial-token"};
    rh::blocking_driver driver{cloud, 4, clock};
    rh::engine_options options;
    options.doubts.most_late = 5s * (std::max)(1, static_cast<int>(speed)); // a real moment is long in fast time
    rh::pipeline ha{driver, clock, steps, rh::file_journal{words[3]}, options};

    const nlohmann::json machines = cloud.instances();
    if (auto opened = ha.open(); !opened || machines.empty()) return 1;
    std::map<std::string, rh::watch_id> heard;
    for (const nlohmann::json& machine : machines) {
        const std::string name = text_of(machine, "name");
        const std::string host = text_of(machine, "host"), id = text_of(machine, "id");
        const auto instance =
            ha.add(rh::instance{.name = name, .host = host, .keep = rh::volumes | rh::fixed_addresses, .cloud_id = id});
        if (!instance) return 1;
        for (const nlohmann::json& of : machine.value("services", nlohmann::json::array())) {
            const std::string service = of.get<std::string>();
            const auto target = ha.add(rh::service{.name = service, .on = *instance});
            if (!target) return 1;
            const auto watch = ha.watch(*target, rh::heartbeat_alarm{.period = 60s});
            if (!watch) return 1;
            heard["/" + name + "/" + service] = *watch;
        }
    }

    boost::asio::io_context io;
    rh::beast_server guests{io};
    const auto listening = guests.listen("127.0.0.1", port_at(2), [&](const rh::guest::request& from) {
        const auto who = heard.find(std::string{from.path()});
        if (who != heard.end()) ha.push(who->second, rh::heartbeat);
        return rh::guest::response{who != heard.end() ? 200 : 404, {}, {}};
    });
    if (!listening) return 1;
    std::printf("guests speak to port %d\n", guests.port());

    status_feed feed{cloud, std::chrono::nanoseconds{static_cast<std::int64_t>(10e9 / speed)}}; // each 10 s
    const auto tell = [&](const rh::event& e) { std::puts(rh::to_text(ha.state(), e).c_str()); };
    while (ends == 0) {
        feed.tell(ha);
        const rh::duration wait = ha.time().real_wait(ha.poll(tell));
        io.restart();
        io.run_for((std::min)(wait, rh::duration{20ms})); // an answer of the cloud is seen so much later at most
    }
}
