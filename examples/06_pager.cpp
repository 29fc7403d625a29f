// SPDX-License-Identifier: MIT
// Calling a human until somebody answers: a notifier whose service is down twice, an incident that nothing helps, and a
// recovery that is told as well, so that the last notification about a target is its final state.

#include <reheat/reheat.hpp>
#include <reheat/sim/mock_cloud.hpp>

#include <cstdio>

namespace rh = reheat;
using namespace std::chrono_literals;

/// A notifier is a class with `notify`. A real one sends mail or calls a paging service, and may answer later and from
/// another thread.
struct console {
    void notify(const rh::notification& n, rh::completion done) {
        std::printf("  notify #%u, attempt %u: %s\n", static_cast<unsigned>(n.id), n.attempt, to_text(n).c_str());
        if (++calls <= 2) return done(rh::outcome::failed("the paging service is down"));
        last = n.kind;
        done(rh::outcome::done()); // acknowledged: not tried again
    }
    int calls = 0;
    rh::notification_kind last{};
};

int main() {
    rh::mock_cloud cloud;
    // The ladder restarts the service twice; then it is parked, and a human is paged.
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::restart_service{.attempts = 2}}};
    if (auto opened = ha.open(); !opened) return 1;
    auto db = ha.add(rh::instance{.name = "db-1"});
    auto mysql = ha.add(rh::service{.name = "mysqld", .on = *db});

    console out;
    rh::pager pages{out, ha};

    const rh::time_point start = ha.time().now();
    cloud.add("db-1", {.services = {"mysqld"}});
    ha.observe({*mysql, rh::vantage::driver_status, rh::health::unhealthy, start}); // and stays so
    bool mended = false;
    while (ha.time().now() < start + 1h) {
        cloud.advance(ha.time().now(), [](auto, auto) {});
        const rh::time_point due =
            ha.poll(pages); // events go in, deliveries go out; with real time: ha.run(stop, pages)
        if (!mended && pages.figures().acknowledged == 1) { // somebody came and mended it
            ha.observe({*mysql, rh::vantage::driver_status, rh::health::healthy, ha.time().now()});
            mended = true;
            continue;
        }
        ha.time().advance_to(rh::earlier(rh::earlier(due, cloud.next()), start + 1h));
    }
    const rh::pager_figures& f = pages.figures();
    std::printf("%d deliveries, %d failed, %d acknowledged\n", static_cast<int>(f.deliveries),
                static_cast<int>(f.failed), static_cast<int>(f.acknowledged));
    return f.failed == 2 && f.acknowledged == 2 && out.last == rh::notification_kind::recovered ? 0 : 1;
}
