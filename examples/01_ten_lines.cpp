// SPDX-License-Identifier: MIT
// The ten-line pipeline: a ladder, a cloud, a service that sends heartbeats and stops. Everything else is a default.

#include <reheat/reheat.hpp>
#include <reheat/sim/mock_cloud.hpp>

#include <cstdio>

namespace rh = reheat;
using namespace std::chrono_literals;

constexpr rh::ladder steps{rh::restart_service{.attempts = 3, .within = 5min, .verify = 150s}, rh::reboot_instance{},
                           rh::recreate_instance{}, rh::converge_stack{}};
static_assert(rh::lint(steps).ok());

int main() {
    rh::mock_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, steps};
    if (auto opened = ha.open(); !opened) return 1;

    auto db = ha.add(rh::instance{.name = "db-1", .stack = "wiki", .keep = rh::volumes | rh::fixed_addresses});
    auto mysql = ha.add(rh::service{.name = "mysqld", .on = *db});
    if (!ha.watch(*mysql, rh::heartbeat_alarm{.period = 60s})) return 1;

    // The world: a machine whose database sends heartbeats, and dies after five minutes.
    const rh::time_point start = ha.time().now();
    cloud.add("db-1", {.stack = "wiki", .services = {"mysqld"}});
    cloud.break_at(start + 5min, "db-1", rh::fault::service_dies);
    while (ha.time().now() < start + 10min) {
        cloud.advance(ha.time().now(), [&](auto, auto process) {
            if (process == "mysqld") ha.push(*mysql, rh::heartbeat);
        });
        const rh::time_point due = ha.poll([&](const rh::event& e) { std::puts(rh::to_text(ha.state(), e).c_str()); });
        ha.time().advance_to(rh::earlier(due, cloud.next())); // with real time: ha.run(stop_token)
    }
    return cloud.count(rh::operation::restart_service) == 1 && ha.state().open_incidents() == 0 ? 0 : 1;
}
