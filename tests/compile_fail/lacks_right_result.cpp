// The function returns something.
// SPDX-License-Identifier: MIT
// expect-error: driver_lacks<my_cloud, .*reboot_instance, .*function::reboot>
// documented
#include <reheat/reheat.hpp>

namespace rh = reheat;

struct my_cloud {
    void describe(const rh::request&, rh::completion) {}
    int reboot(const rh::request&, rh::completion) { return 0; }
};

int main() {
    my_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::reboot_instance{}}};
}
