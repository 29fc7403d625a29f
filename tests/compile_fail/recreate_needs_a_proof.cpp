// A driver is never asked to make a second copy without a proof.
// SPDX-License-Identifier: MIT
// expect-error-gcc: no match for call|cannot convert .*completion.* to .*proof_of_death|could not convert|no matching function|too few arguments
// expect-error-clang: no matching|too few arguments|no viable conversion
#include <reheat/driver/concepts.hpp>

struct my_cloud {
    void recreate(const reheat::request&, reheat::proof_of_death, reheat::completion) {}
};

void again(my_cloud& cloud, const reheat::request& r, reheat::completion done);
void again(my_cloud& cloud, const reheat::request& r, reheat::completion done) { cloud.recreate(r, std::move(done)); }
