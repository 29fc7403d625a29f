// SPDX-License-Identifier: MIT
// Watching the invariants in production: a monitor hears every event before the pager does, and sees the driver's
// calls and the journal's records on their way. It finds nothing here; what it would find, it would say.

#include <reheat/reheat.hpp>
#include <reheat/sim/mock_cloud.hpp>
#include <reheat/sim/watched.hpp>

#include <cstdio>

namespace rh = reheat;
using namespace std::chrono_literals;

struct console {
    void notify(const rh::notification& n, rh::completion done) {
        std::printf("  %s\n", to_text(n).c_str());
        done(rh::outcome::done());
    }
};

int main() {
    // The driver, the journal and the notifier, each in a wrapper with all that it has.
    rh::watched_driver<rh::mock_cloud> cloud;
    rh::pipeline<rh::watched_driver<rh::mock_cloud>, rh::manual_clock, rh::watched_journal<rh::volatile_journal>> ha{
        cloud, rh::manual_clock{}, rh::three_levels};
    rh::watched_notifier<console> out;

    rh::invariant_monitor monitor{ha.state()};
    cloud.tell(monitor, ha.time(), rh::watch_answers::yes); // this driver answers on our own thread
    ha.log().tell(monitor);
    out.tell(monitor);
    rh::pager pages{out, ha};
    rh::watched_sink told{monitor, pages};

    if (auto opened = ha.open(); !opened) return 1;
    const rh::time_point start = ha.time().now();
    monitor.started(ha.state(), start);
    auto db = ha.add(rh::instance{.name = "db-1", .stack = "wiki"});
    if (auto watched = ha.watch(*db, rh::heartbeat_alarm{.period = 60s}); !watched) return 1;

    cloud.add("db-1", {.stack = "wiki"});
    cloud.break_at(start + 10min, "db-1", rh::fault::instance_lost);
    while (ha.time().now() < start + 1h) {
        cloud.advance(ha.time().now(), [&](auto, auto) { ha.push(*db, rh::heartbeat); });
        const rh::time_point due = ha.poll(told); // with real time: ha.run(stop, told)
        ha.time().advance_to(rh::earlier(rh::earlier(due, cloud.next()), start + 1h));
    }
    monitor.finish(ha.time().now());
    for (const rh::violation& v : monitor.violations().first()) std::printf("%s\n", to_text(v, ha.state()).c_str());
    std::printf("%u re-creation, %u violations\n", static_cast<unsigned>(cloud.count(rh::operation::recreate_instance)),
                static_cast<unsigned>(monitor.violations().count()));
    return cloud.count(rh::operation::recreate_instance) == 1 && monitor.violations().empty() ? 0 : 1;
}
