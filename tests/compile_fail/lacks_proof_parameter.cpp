// The function takes no proof of death.
// SPDX-License-Identifier: MIT
// expect-error: driver_lacks<my_cloud, .*recreate_instance, .*function::recreate>
// documented
#include <reheat/reheat.hpp>

namespace rh = reheat;

struct my_cloud {
    void describe(const rh::request&, rh::completion) {}
    void fence(const rh::request&, rh::completion) {}
    void recreate(const rh::request&, rh::completion) {}
};

int main() {
    my_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::recreate_instance{}}};
}
