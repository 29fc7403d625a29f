// The driver can make a machine anew and not fence: it needs both.
// SPDX-License-Identifier: MIT
// expect-error: driver_lacks<my_cloud, .*recreate_instance, .*function::fence>
// documented
#include <reheat/reheat.hpp>

namespace rh = reheat;

struct my_cloud {
    void describe(const rh::request&, rh::completion) {}
    void recreate(const rh::request&, rh::proof_of_death, rh::completion) {}
};

int main() {
    my_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::recreate_instance{}}};
}
