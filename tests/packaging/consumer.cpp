// SPDX-License-Identifier: MIT
#include <reheat/reheat.hpp>

#include <cstdio>

#ifdef CONSUMER_HAS_SECOND
int second();
#else
int second() { return 0; }
#endif

int main() {
    const auto period = reheat::parse_duration("60s");
    if (!period || *period != std::chrono::seconds{60}) return 1;
    std::printf("reheat %d.%d.%d\n", REHEAT_VERSION_MAJOR, REHEAT_VERSION_MINOR, REHEAT_VERSION_PATCH);
    return second();
}
