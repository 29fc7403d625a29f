// A ladder has restart_service, the driver has no restart_service.
// SPDX-License-Identifier: MIT
// expect-error: driver_lacks<my_cloud, .*restart_service, .*function::restart_service>
#include <reheat/reheat.hpp>

namespace rh = reheat;

struct my_cloud {
    void describe(const rh::request&, rh::completion) {}
};

int main() {
    my_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::restart_service{}}};
}
