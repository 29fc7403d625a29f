// The driver has no describe, which every driver needs.
// SPDX-License-Identifier: MIT
// expect-error: driver_lacks<my_cloud, .*reboot_instance, .*function::describe>
// documented
#include <reheat/reheat.hpp>

namespace rh = reheat;

struct my_cloud {
    void reboot(const rh::request&, rh::completion) {}
};

int main() {
    my_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::reboot_instance{}}};
}
