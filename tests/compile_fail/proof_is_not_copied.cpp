// A proof of death can not be copied.
// SPDX-License-Identifier: MIT
// expect-error-gcc: use of deleted function .*proof_of_death
// expect-error-clang: call to deleted constructor of .*proof_of_death
#include <reheat/action/proof_of_death.hpp>

reheat::proof_of_death twice(const reheat::proof_of_death& once) { return once; }
