// The driver is const, and its functions are not.
// SPDX-License-Identifier: MIT
// expect-error: driver_lacks<const my_cloud, .*reboot_instance, .*function::describe>
// documented
#include <reheat/reheat.hpp>

namespace rh = reheat;

struct my_cloud {
    void describe(const rh::request&, rh::completion) {}
    void reboot(const rh::request&, rh::completion) {}
};

int main() {
    const my_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::reboot_instance{}}};
}
