// The function takes one proof of death, and a stack may need several.
// SPDX-License-Identifier: MIT
// expect-error: driver_lacks<my_cloud, .*converge_stack, .*function::converge>
// documented
#include <reheat/reheat.hpp>

namespace rh = reheat;

struct my_cloud {
    void describe(const rh::request&, rh::completion) {}
    void fence(const rh::request&, rh::completion) {}
    void converge(const rh::request&, rh::proof_of_death, rh::completion) {}
};

int main() {
    my_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::converge_stack{}}};
}
