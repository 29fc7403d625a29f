// The functions come from a base class that is not public.
// SPDX-License-Identifier: MIT
// expect-error: driver_lacks<my_cloud, .*reboot_instance, .*function::describe>
// documented
#include <reheat/reheat.hpp>

namespace rh = reheat;

struct base {
    void describe(const rh::request&, rh::completion) {}
    void reboot(const rh::request&, rh::completion) {}
};
class my_cloud : base {};

int main() {
    my_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::reboot_instance{}}};
}
