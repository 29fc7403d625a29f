// SPDX-License-Identifier: MIT
// Virtual time: a week in a mock cloud with one failure of each kind, in milliseconds, the same at every run.

#include <reheat/reheat.hpp>
#include <reheat/sim/simulation.hpp>

#include <cstdio>

namespace rh = reheat;
using namespace std::chrono_literals;

int main() {
    rh::simulation world{rh::three_levels};
    if (!world.add_instance("db-1", {.stack = "wiki", .services = {"mysqld"}, .volumes = {"data"}})) return 1;

    const rh::time_point monday = world.now();
    world.cloud.break_at(monday + 10h, "db-1", rh::fault::service_dies);
    world.cloud.break_at(monday + 34h, "db-1", rh::fault::instance_hangs);
    world.cloud.break_at(monday + 58h, "db-1", rh::fault::instance_lost);
    world.run_for(7 * 24h);

    for (const rh::event& e : world.events()) {
        const bool told = e.kind == rh::event_kind::incident || e.what == rh::decision::act;
        if (told) std::puts(rh::to_text(world.ha().state(), e).c_str());
    }
    const bool well = world.ha().state().open_incidents() == 0 && world.cloud.second_copies() == 0;
    return well && world.cloud.find("db-1")->generation == 2 ? 0 : 1;
}
