// SPDX-License-Identifier: MIT
// Backtest: record what an engine is told on one bad day, then ask what another policy would have made of it.

#include <reheat/engine/recorder.hpp>
#include <reheat/engine/recording_text.hpp>
#include <reheat/reheat.hpp>
#include <reheat/sim/backtest.hpp>
#include <reheat/sim/simulation.hpp>

#include <cstdio>
#include <string>

namespace rh = reheat;
using namespace std::chrono_literals;

int main() {
    // A day under the three levels. `recorder` is an engine that keeps what it is told.
    rh::simulation<rh::volatile_journal, rh::manual_clock, rh::recorder> world{rh::three_levels};
    for (const char* name : {"db-1", "db-2", "web-1"}) {
        if (!world.add_instance(name, {.stack = "wiki", .services = {"app"}})) return 1;
    }
    const rh::time_point monday = world.now();
    world.cloud.break_at(monday + 3h, "db-1", rh::fault::service_dies);
    world.cloud.break_at(monday + 7h, "db-2", rh::fault::instance_hangs);
    world.cloud.break_at(monday + 11h, "web-1", rh::fault::instance_lost);
    // And one machine that is only unheard for a while: nothing is wrong with it.
    world.run_until(monday + 15h);
    const rh::target_id db = world.ha().state().find(rh::level::instance, "db-1");
    world.silence(db);
    world.run_for(12min);
    world.silence(db, false);
    world.run_until(monday + 24h);

    // To a file and back: the text form is documented and bounded.
    const std::string text = to_text(world.ha().state().take());
    const auto tape = rh::read_recording(text);
    if (!tape) return std::puts(to_string(tape.error()).c_str()), 1;

    // Would a ladder that waits longer, and reboots less readily, have done better?
    constexpr rh::ladder patient{rh::restart_service{.attempts = 5, .within = 1h, .verify = 5min},
                                 rh::reboot_instance{.attempts = 1}, rh::recreate_instance{}};
    const auto d = rh::backtest(*tape, {.name = "as recorded"}, {.name = "patient", .rules = patient.lowered()});
    if (!d) return std::puts(to_string(d.error()).c_str()), 1;
    std::fputs(to_text(*d).c_str(), stdout);

    // The recorded policy over its own recording makes the decisions that were made.
    const auto same = rh::backtest(*tape, {.name = "a"}, {.name = "b"});
    return same && same->decisions.empty() && !d->decisions.empty() ? 0 : 1;
}
