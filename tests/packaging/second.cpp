// SPDX-License-Identifier: MIT
#include <reheat/reheat.hpp>

int second();
int second() { return reheat::parse_duration("60") ? 1 : 0; }
