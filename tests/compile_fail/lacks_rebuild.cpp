// A ladder has rebuild_instance, the driver has no rebuild.
// SPDX-License-Identifier: MIT
// expect-error: driver_lacks<my_cloud, .*rebuild_instance, .*function::rebuild>
#include <reheat/reheat.hpp>

namespace rh = reheat;

struct my_cloud {
    void describe(const rh::request&, rh::completion) {}
};

int main() {
    my_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::rebuild_instance{}}};
}
