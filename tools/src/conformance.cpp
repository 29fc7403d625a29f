// SPDX-License-Identifier: MIT
// Tries the rules for drivers on one of ours; docs/reference/conformance.md describes them.
#include <reheat/testing/driver_conformance.hpp>
#include <reheat/testing/mock_fixture.hpp>

#include "arguments.hpp"
#ifdef REHEAT_WITH_LIBVIRT
#include "../../tests/libvirt/real_fixture.hpp"
#include "../../tests/libvirt/test_fixture.hpp"
#endif
#ifdef REHEAT_WITH_TUTORIAL
#include "../../examples/tutorial/fixture.hpp"
#endif

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace testing = reheat::testing;
using namespace std::chrono_literals;

namespace {

/// A driver of ours. Without a reason to skip it, `run` tries the rules on a fixture of its own.
struct known_driver {
    std::string_view name;
    std::string_view what;
    std::string (*why_not)(); ///< why it can not be tried on this machine; empty: it can
    testing::conformance_report (*run)(testing::conformance_options);
};

template <class Fixture>
testing::conformance_report try_on(Fixture& fixture, testing::conformance_options options) {
    return check_conformance(fixture, std::move(options), [](const testing::rule_result& r) {
        std::fputs(testing::conformance_report::line_of(r).c_str(), stdout);
        std::fflush(stdout);
    });
}
template <class Fixture>
testing::conformance_report run(testing::conformance_options options) {
    const auto fixture = std::make_unique<Fixture>();
    return try_on(*fixture, std::move(options));
}
std::string always() { return {}; }

#ifdef REHEAT_WITH_LIBVIRT
using libvirt_tests::private_daemon;
using libvirt_tests::real_fixture;
using libvirt_tests::test_fixture;
constexpr auto try_libvirt_test = &run<test_fixture>;
constexpr auto try_libvirt = &run<real_fixture>;
#else
struct private_daemon {
    static std::string why_not() { return "the program was built without libvirt"; }
};
using real_fixture = private_daemon;
constexpr auto try_libvirt_test = &run<testing::mock_fixture<>>; // never called
constexpr auto try_libvirt = try_libvirt_test;
#endif

/// The tutorial's cloud listens on the port that this variable names.
constexpr const char* cloud_variable = "REHEAT_TUTORIAL_CLOUD";
#ifdef REHEAT_WITH_TUTORIAL
std::string why_no_tutorial() {
    return std::getenv(cloud_variable) == nullptr
               ? "it needs the tutorial's cloud, which tools/conformance --driver tutorial starts before"
               : "";
}
testing::conformance_report try_tutorial(testing::conformance_options options) {
    // The cloud remembers keys and epochs, so each run needs new ones.
    const auto now = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch() / 1ms);
    options.first_key = now << 16U;
    options.first_reign = reheat::epoch{now};
    cloud_fixture fixture{static_cast<std::uint16_t>(std::atoi(std::getenv(cloud_variable)))};
    return try_on(fixture, std::move(options));
}
#else
std::string why_no_tutorial() { return "the program was built without Boost and nlohmann-json"; }
constexpr auto try_tutorial = &run<testing::mock_fixture<>>; // never called
#endif

constexpr known_driver drivers[]{
    {"mock", "the simulated cloud", &always, &run<testing::mock_fixture<>>},
    {"libvirt-test", "libvirt's driver, on two daemons with libvirt's test hypervisor", &private_daemon::why_not,
     try_libvirt_test},
    {"libvirt", "libvirt's driver, on real machines: QEMU, two daemons, the guest agent; takes minutes",
     &real_fixture::why_not, try_libvirt},
    {"tutorial", "the driver of docs/tutorial/write-a-driver.md, on the tutorial's cloud", &why_no_tutorial,
     try_tutorial},
};

constexpr std::string_view usage =
    "usage: conformance --driver NAME [--only TEXT] [--junit FILE]\n"
    "       conformance --list\n"
    "  tries the rules for drivers on one driver, and tells what came of each\n"
    "  --driver NAME   which one, see below\n"
    "  --only TEXT     only the rules with TEXT in their names\n"
    "  --junit FILE    writes the result as JUnit XML, too\n"
    "  --list          names the drivers and the rules\n"
    "  --help          tells this\n"
    "exit code: 0 it conforms, 1 a rule failed or could not be tried, 2 bad command line, 77 it can not be had here\n"
    "drivers:\n";

void list_drivers(std::FILE* to) {
    for (const known_driver& d : drivers) std::fprintf(to, "%-16s%s\n", d.name.data(), d.what.data());
}
void tell_usage(std::FILE* to) {
    std::fwrite(usage.data(), 1, usage.size(), to);
    list_drivers(to);
}

struct settings {
    const known_driver* driver = nullptr;
    bool list = false;
    bool help = false;
    std::string junit;
    testing::conformance_options rules;
};

std::optional<settings> read_arguments(int count, char** words) {
    settings s;
    tools::arguments given{count, words};
    while (const auto word = given.next()) {
        if (*word == "--list") {
            s.list = true;
            continue;
        }
        if (*word == "--help") {
            s.help = true;
            continue;
        }
        const auto value = given.next();
        if (!value) return std::nullopt;
        if (*word == "--driver") {
            const auto* const found = std::find_if(std::begin(drivers), std::end(drivers),
                                                   [&](const known_driver& d) { return d.name == *value; });
            if (found == std::end(drivers)) return std::nullopt;
            s.driver = found;
        } else if (*word == "--only") {
            s.rules.only = *value;
        } else if (*word == "--junit") {
            s.junit = *value;
        } else {
            return std::nullopt;
        }
    }
    if (!s.list && !s.help && s.driver == nullptr) return std::nullopt;
    return s;
}

void list() {
    list_drivers(stdout);
    std::putchar('\n');
    for (const testing::conformance_rule& r : testing::conformance_rules())
        std::printf("%-32s%s\n", r.name.data(), r.asks.data());
}

} // namespace

int main(int count, char** words) {
    const std::optional<settings> with = read_arguments(count, words);
    if (!with) {
        tell_usage(stderr);
        return 2;
    }
    if (with->help) {
        tell_usage(stdout);
        return 0;
    }
    if (with->list) {
        list();
        return 0;
    }
    if (const std::string why = with->driver->why_not(); !why.empty()) {
        std::printf("skipped: %s\n", why.c_str());
        return 77;
    }
    const testing::conformance_report report = with->driver->run(with->rules);
    if (report.results().empty()) {
        std::fputs("no rule has such a name\n", stderr);
        return 2;
    }
    if (!with->junit.empty() && !(std::ofstream{with->junit, std::ios::binary} << report.junit(with->driver->name))) {
        std::fprintf(stderr, "%s can not be written\n", with->junit.c_str());
        return 2;
    }
    std::fputs(report.summary().c_str(), stdout);
    return report.conforming() ? 0 : 1;
}
