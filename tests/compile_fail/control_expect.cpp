// A program that compiles: the harness must not call it a case that passed.
// SPDX-License-Identifier: MIT
// expect-error: .
#include <reheat/core/time.hpp>

reheat::duration period();
reheat::duration period() { return std::chrono::seconds{60}; }
