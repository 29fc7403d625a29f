// SPDX-License-Identifier: MIT
// conformance PORT [RULE]: tries the rules for drivers on ours, against the cloud that listens there.
#include <reheat/testing/driver_conformance.hpp>

#include "fixture.hpp"

#include <cstdio>
#include <cstdlib>

int main(int count, char** words) {
    if (count < 2) return 2;
    cloud_fixture fixture{static_cast<std::uint16_t>(std::atoi(words[1]))};
    kit::conformance_options options;
    if (count > 2) options.only = words[2];
    // The cloud remembers keys and epochs, so each run needs new ones.
    const auto now = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch() / 1ms);
    options.first_key = now << 16U;
    options.first_reign = rh::epoch{now};
    const auto report = kit::check_conformance(fixture, options, [](const kit::rule_result& r) {
        std::fputs(kit::conformance_report::line_of(r).c_str(), stdout);
    });
    std::fputs(report.summary().c_str(), stdout);
    return report.conforming() ? 0 : 1;
}
