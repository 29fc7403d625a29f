// SPDX-License-Identifier: MIT
// A driver of one's own, in one file: a private cloud that can say what is, reboot, fence and re-create.

#include <reheat/reheat.hpp>

#include <cstdio>
#include <map>
#include <string>

namespace rh = reheat;
using namespace std::chrono_literals;

// Stands for the API of the private cloud.
struct machine {
    bool powered = true;
    int generation = 1;
};

class my_cloud {
public:
    // The one function that every driver has: what is?
    void describe(const rh::request& r, rh::completion done) {
        const auto found = machines_.find(r.instance);
        rh::observed seen;
        seen.exists = found != machines_.end();
        if (*seen.exists) {
            seen.running = found->second.powered;
            seen.cloud_id = "vm-" + std::to_string(found->second.generation);
        }
        done(rh::outcome::done(seen));
    }
    // Each further function lets the ladder climb one more rung.
    void reboot(const rh::request& r, rh::completion done) {
        std::printf("  cloud: reboot %s\n", std::string{r.instance}.c_str());
        done(rh::outcome::failed("its host does not answer")); // certainly nothing changed
    }
    // `done` only once the power is off for certain: a second copy depends on it.
    void fence(const rh::request& r, rh::completion done) {
        std::printf("  cloud: power off %s\n", std::string{r.instance}.c_str());
        machines_.find(r.instance)->second.powered = false;
        done(rh::outcome::done());
    }
    // Only the engine can make the proof, and only from a fence that was done.
    void recreate(const rh::request& r, rh::proof_of_death proof, rh::completion done) {
        std::printf("  cloud: re-create %s, proof: %s\n", std::string{r.instance}.c_str(), to_string(proof.kind()).data());
        machine& m = machines_.find(r.instance)->second;
        m = {true, m.generation + 1};
        rh::observed seen;
        seen.cloud_id = "vm-" + std::to_string(m.generation);
        done(rh::outcome::done(seen));
    }

    [[nodiscard]] int generation(std::string_view name) const { return machines_.find(name)->second.generation; }

private:
    std::map<std::string, machine, std::less<>> machines_{{"db-1", {}}};
};

static_assert(rh::recreates_instances<my_cloud> && !rh::restarts_services<my_cloud>);

int main() {
    my_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::reboot_instance{.attempts = 1}, rh::recreate_instance{}}};
    if (auto opened = ha.open(); !opened) return 1;
    auto db = ha.add(rh::instance{.name = "db-1"});
    if (!db || !ha.watch(*db, rh::heartbeat_alarm{.period = 60s})) return 1;

    const auto tell = [&](const rh::event& e) { std::puts(rh::to_text(ha.state(), e).c_str()); };
    for (int minute = 0; minute < 10; ++minute) {
        // It is silent from the fifth minute on, until the new machine speaks.
        if (minute < 5 || cloud.generation("db-1") > 1) ha.push(*db, rh::heartbeat);
        for (const rh::time_point end = rh::after(ha.time().now(), 1min); ha.time().now() < end;)
            ha.time().advance_to(rh::earlier(ha.poll(tell), end));
    }
    return ha.state().open_incidents() == 0 && cloud.generation("db-1") == 2 ? 0 : 1;
}
