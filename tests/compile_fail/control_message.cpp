// A program that fails with another message than stated: the harness must notice that too.
// SPDX-License-Identifier: MIT
// expect-error: the ladder has a rung that the driver lacks
#include <reheat/core/time.hpp>

reheat::duration period = nothing_of_that_name;
