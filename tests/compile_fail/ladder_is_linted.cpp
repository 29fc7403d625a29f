// A verify time that is shorter than the grace is found by the compiler.
// SPDX-License-Identifier: MIT
// expect-error-gcc: static assertion failed
// expect-error-clang: static assertion failed
#include <reheat/reheat.hpp>

using namespace std::chrono_literals;

constexpr reheat::ladder hasty{reheat::reboot_instance{.verify = 5min}};
static_assert(reheat::lint(hasty).ok());
