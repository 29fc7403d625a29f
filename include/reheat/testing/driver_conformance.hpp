// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/conformance_report.hpp>
#include <reheat/testing/conformance_rules.hpp>
#include <reheat/testing/driver_fixture.hpp>

#include <concepts>
#include <string_view>
#include <utility>

namespace reheat::inline REHEAT_ABI::testing {

/// Tries every rule of the kit on the driver of a fixture. `tell(result)` is called after each one: on real machines a
/// run takes minutes. One thread.
template <driver_fixture Fixture, std::invocable<const rule_result&> Tell>
[[nodiscard]] conformance_report check_conformance(Fixture& fixture, conformance_options options, Tell&& tell) {
    conformance_report report;
    detail::fixture_adapter<Fixture> port{fixture};
    const std::string only = options.only;
    conformance_bench bench{port, std::move(options)};
    for (const conformance_rule& rule : conformance_rules()) {
        if (rule.name.find(only) == std::string_view::npos) continue;
        report.add(bench.run(rule));
        tell(report.results().back());
    }
    return report;
}

/// The same without being told on the way.
///
///     my_fixture fixture;
///     const auto report = reheat::testing::check_conformance(fixture);
///     assert(report.conforming());
template <driver_fixture Fixture>
[[nodiscard]] conformance_report check_conformance(Fixture& fixture, conformance_options options = {}) {
    return check_conformance(fixture, std::move(options), [](const rule_result&) {});
}

} // namespace reheat::inline REHEAT_ABI::testing
