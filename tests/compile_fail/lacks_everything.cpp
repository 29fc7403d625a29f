// The driver can only describe, and the ladder has many rungs: the first one is named.
// SPDX-License-Identifier: MIT
// expect-error: driver_lacks<my_cloud, .*restart_service, .*function::restart_service>
// documented
#include <reheat/reheat.hpp>

namespace rh = reheat;

struct my_cloud {
    void describe(const rh::request&, rh::completion) {}
};

int main() {
    my_cloud cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::three_levels};
}
