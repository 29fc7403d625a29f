// The first step of docs/tutorial/write-a-driver.md: a driver without a function.
// SPDX-License-Identifier: MIT
// expect-error: driver_lacks<small_cloud, .*reboot_instance, .*function::describe>
#include <reheat/reheat.hpp>

namespace rh = reheat;

class small_cloud {};

int main() {
    small_cloud cloud;
    rh::pipeline ha{cloud, rh::system_time{}, rh::ladder{rh::reboot_instance{}}};
}
