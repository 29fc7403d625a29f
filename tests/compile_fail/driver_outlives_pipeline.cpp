// A pipeline refers to its driver, so a temporary one does not compile.
// SPDX-License-Identifier: MIT
// expect-error-gcc: cannot bind non-const lvalue reference|class template argument deduction failed|no matching
// expect-error-clang: no viable constructor|no matching
#include <reheat/reheat.hpp>

namespace rh = reheat;

struct my_cloud {
    void describe(const rh::request&, rh::completion) {}
    void reboot(const rh::request&, rh::completion) {}
};

int main() { rh::pipeline<my_cloud, rh::manual_clock> ha{my_cloud{}, rh::manual_clock{}, rh::ladder{rh::reboot_instance{}}}; }
