// A driver with the functions that its ladder needs, an lvalue, a clean ladder, a proof that is handed on.
// SPDX-License-Identifier: MIT
#include <reheat/reheat.hpp>

namespace rh = reheat;
using namespace std::chrono_literals;

struct my_cloud {
    void describe(const rh::request&, rh::completion) {}
    void restart_service(const rh::request&, rh::completion) {}
    void reboot(const rh::request&, rh::completion) {}
    void rebuild(const rh::request&, rh::completion) {}
    void fence(const rh::request&, rh::completion) {}
    void recreate(const rh::request&, rh::proof_of_death, rh::completion) {}
    void evacuate(const rh::request& r, rh::proof_of_death proof, rh::completion done) { recreate(r, std::move(proof), std::move(done)); }
    void converge(const rh::request&, std::span<rh::proof_of_death>, rh::completion) {}
};

constexpr rh::ladder steps{rh::restart_service{.attempts = 3, .within = 5min}, rh::rebuild_instance{},
                           rh::recreate_instance{}, rh::evacuate_instance{}, rh::converge_stack{}};
static_assert(rh::lint(steps).ok());

int main() {
    my_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, steps};
    ha.poll();
}
