// A ladder has evacuate_instance, the driver has no evacuate.
// SPDX-License-Identifier: MIT
// expect-error: driver_lacks<my_cloud, .*evacuate_instance, .*function::evacuate>
#include <reheat/reheat.hpp>

namespace rh = reheat;

struct my_cloud {
    void describe(const rh::request&, rh::completion) {}
    void fence(const rh::request&, rh::completion) {}
};

int main() {
    my_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::evacuate_instance{}}};
}
