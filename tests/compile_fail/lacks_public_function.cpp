// The function is private.
// SPDX-License-Identifier: MIT
// expect-error: driver_lacks<my_cloud, .*reboot_instance, .*function::reboot>
// documented
#include <reheat/reheat.hpp>

namespace rh = reheat;

class my_cloud {
public:
    void describe(const rh::request&, rh::completion) {}

private:
    void reboot(const rh::request&, rh::completion) {}
};

int main() {
    my_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::reboot_instance{}}};
}
