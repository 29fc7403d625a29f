// A program whose message is right and whose output is too long.
// SPDX-License-Identifier: MIT
// expect-error: x1
#include <reheat/core/time.hpp>

int many[] = {x1, x2, x3, x4, x5, x6, x7, x8, x9, y1, y2, y3, y4, y5, y6, y7, y8, y9};
