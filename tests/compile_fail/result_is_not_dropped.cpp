// A result that nobody looks at is a warning, and with warnings as errors an error.
// SPDX-License-Identifier: MIT
// flags: -Werror
// expect-error: ignoring return.*parse_duration|ignoring return value.*nodiscard
#include <reheat/core/text.hpp>

void wait();
void wait() { reheat::parse_duration("60s"); }
