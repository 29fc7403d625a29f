// SPDX-License-Identifier: MIT
// The engine alone, in a loop of one's own: inputs are recorded, `step` decides, and what it asks for is data. This is how
// it is put into any event loop, with any journal and any cloud.

#include <reheat/reheat.hpp>

#include <cstdio>

namespace rh = reheat;
using namespace std::chrono_literals;

int main() {
    rh::engine engine{rh::ha_restarter.lowered()};
    auto db = engine.add(rh::instance{.name = "db-1"});
    rh::time_point now{std::chrono::hours{24 * 365 * 50}};
    if (!db || !engine.watch(*db, rh::heartbeat_alarm{.period = 60s, .grace = 2min}.rule(), now)) return 1;

    int calls = 0;
    rh::outputs out;
    for (int i = 0; i < 12; ++i) {
        out.clear();
        engine.step(now, out);
        for (const rh::event& e : out.events) std::puts(rh::to_text(engine, e).c_str());

        // 1. What has to be safe before anything is done. Here "safe" is a line on the terminal.
        for (const rh::record& r : out.records) {
            std::printf("  journal: %llu\n", static_cast<unsigned long long>(r.seq));
            engine.durable(r.seq);
        }
        // 2. What has to be done. A call that needs a proof of death carries it.
        for (const rh::call& c : out.calls) {
            std::printf("  cloud: %s %s, proofs: %zu\n", to_string(c.what.what).data(), std::string{c.what.name}.c_str(),
                        c.proofs.size());
            engine.complete(c.what.op, now, rh::outcome::done());
            ++calls;
        }
        // 3. When to come back.
        if (out.empty()) now = rh::later(now, engine.next());
    }
    return calls == 2 ? 0 : 1; // the fence, and the re-creation that it allows
}
