// SPDX-License-Identifier: MIT
// Connections that break, daemons that end or stand still, and several hosts: libvirt's test hypervisor in daemons.
#include <reheat/adapters/libvirt.hpp>
#include <reheat/reheat.hpp>
#include <reheat/testing/driver_conformance.hpp>

#include "private_daemon.hpp"
#include "socket_proxy.hpp"
#include "support.hpp"
#include "test_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace reheat;
using namespace libvirt_tests;

namespace {

bool no_daemon() {
    const std::string why = private_daemon::why_not();
    if (!why.empty()) MESSAGE("left out: " << why);
    return !why.empty();
}

libvirt_options through(const std::vector<const socket_proxy*>& ways) {
    libvirt_options o;
    o.hosts.clear();
    for (const socket_proxy* const p : ways)
        o.hosts.push_back({private_daemon::uri_through(p->path()), o.hosts.empty() ? "one" : "two"});
    o.keepalive = 1;
    o.reconnect_first = 20ms;
    o.reconnect_most = 200ms;
    o.status_every = 50ms;
    return o;
}

/// A hypervisor in a daemon, the way to it that can be broken, and the domains that run there.
struct place {
    explicit place(std::initializer_list<std::string_view> running = {})
        : way{folder.path() + "/way", daemon.socket_path()}, out{daemon.uri().c_str()} {
        for (const std::string_view name : running) out.define(name);
    }
    scratch_folder folder{};
    private_daemon daemon{};
    socket_proxy way;
    outsider out;
};

/// A driver that looks after domains, and somebody who asks it.
template <class Driver>
struct looked_after {
    explicit looked_after(const libvirt_options& o, std::initializer_list<std::string_view> domains = {"db-1"})
        : driver{o} {
        REQUIRE(driver.open());
        for (const std::string_view name : domains) REQUIRE(driver.adopt(name));
    }
    Driver driver;
    caller<Driver> ask{driver};
};

} // namespace

TEST_CASE("while a connection is down nothing is known and nothing is done, and it comes back by itself") {
    if (no_daemon()) return;
    place at{"db-1"};
    looked_after<libvirt_driver> by{through({&at.way})};
    CHECK(by.driver.connected());
    CHECK(by.driver.connected("one"));
    CHECK(!by.driver.connected("nowhere"));

    at.way.cut(true);
    CHECK(comes_true([&] { return !by.driver.connected(); }));
    CHECK(by.ask(operation::describe, "db-1").code == outcome_code::unknown);
    for (const operation o : {operation::fence_instance, operation::reboot_instance, operation::rebuild_instance,
                              operation::recreate_instance, operation::restart_service}) {
        CAPTURE(to_string(o));
        CHECK(by.ask(o, "db-1", {.service = "x"}).code == outcome_code::failed);
    }
    CHECK(at.out.state("db-1") == VIR_DOMAIN_RUNNING);
    CHECK(by.driver.adopt("db-1").error().code == errc::unavailable);

    at.way.cut(false);
    CHECK(comes_true([&] { return by.driver.connected(); }));
    CHECK(by.ask(operation::describe, "db-1").code == outcome_code::done);
    CHECK(by.ask(operation::fence_instance, "db-1").code == outcome_code::done);
    std::vector<libvirt_event_kind> told;
    bool unknown = false;
    static_cast<void>(by.driver.take_events([&](const libvirt_event& e) {
        told.push_back(e.what);
        unknown = unknown || (e.what == libvirt_event_kind::status && e.domain == "db-1" && e.seen == health::unknown);
    }));
    CHECK(std::count(told.begin(), told.end(), libvirt_event_kind::connected) == 2);
    CHECK(std::count(told.begin(), told.end(), libvirt_event_kind::disconnected) == 1);
    CHECK(unknown);
}

TEST_CASE("what happened while a connection was down is told when it is back") {
    if (no_daemon()) return;
    place at{"db-1", "db-2"};
    libvirt_options quiet = through({&at.way});
    quiet.status_every = 0s;
    looked_after<libvirt_driver> by{quiet, {"db-1", "db-2"}};
    REQUIRE(virDomainDestroy(at.out.find("db-1").get()) == 0);
    using k = libvirt_event_kind;
    std::vector<libvirt_event> told;
    const auto hears = [&](k what, std::string_view name) {
        return comes_true([&] {
            static_cast<void>(by.driver.take_events([&](const libvirt_event& e) { told.push_back(e); }));
            return std::any_of(told.begin(), told.end(),
                               [&](const libvirt_event& e) { return e.what == what && e.domain == name; });
        });
    };
    CHECK(hears(k::stopped, "db-1"));
    at.way.cut(true);
    CHECK(comes_true([&] { return !by.driver.connected(); }));
    REQUIRE(virDomainCreate(at.out.find("db-1").get()) == 0);
    REQUIRE(virDomainDestroy(at.out.find("db-2").get()) == 0);
    at.way.cut(false);
    told.clear();
    CHECK(hears(k::resumed, "db-1"));
    CHECK(hears(k::stopped, "db-2"));
}

TEST_CASE("an answer that is lost on the way is unknown, and a repeat does not do it again") {
    if (no_daemon()) return;
    place at{"db-1"};
    looked_after<libvirt_driver> by{through({&at.way})};
    REQUIRE(by.ask(operation::fence_instance, "db-1").code == outcome_code::done);
    at.way.swallow(true);
    CHECK(by.ask(operation::recreate_instance, "db-1", {.key = 77}).code == outcome_code::unknown);
    at.way.swallow(false);
    CHECK(at.out.state("db-1") == VIR_DOMAIN_RUNNING); // it had happened
    const unsigned id = at.out.id("db-1");
    CHECK(comes_true([&] { return by.driver.connected(); }));
    const outcome again = by.ask(operation::recreate_instance, "db-1", {.key = 77});
    CHECK(again.code == outcome_code::done);
    CHECK(at.out.id("db-1") == id);
}

TEST_CASE("a hypervisor that says 'done' and goes on running the domain is not believed") {
    if (no_daemon()) return;
    place at{"db-1"};
    looked_after<libvirt_driver> by{through({&at.way})};
    at.way.pretend_power_off("db-1");
    CHECK(by.ask(operation::fence_instance, "db-1").code == outcome_code::unknown);
    CHECK(by.ask(operation::rebuild_instance, "db-1").code == outcome_code::unknown);
    CHECK(at.out.state("db-1") == VIR_DOMAIN_RUNNING);
    CHECK(by.ask(operation::recreate_instance, "db-1").code == outcome_code::refused);
    at.way.pretend_power_off({});
    CHECK(by.ask(operation::fence_instance, "db-1").code == outcome_code::done);
}

TEST_CASE("a daemon that is killed, and one that stands still") {
    if (no_daemon()) return;
    scratch_folder folder;
    private_daemon daemon;
    libvirt_options o;
    o.hosts = {{daemon.uri(), "one"}};
    o.descriptions = folder.path() + "/kept";
    o.keepalive = 1;
    o.reconnect_first = 20ms;
    o.reconnect_most = 200ms;
    libvirt_driver driver{o};
    REQUIRE(driver.open());
    REQUIRE(driver.keep(outsider::xml("db-1")));
    caller<libvirt_driver> ask{driver};
    REQUIRE(ask(operation::create_instance, "db-1").code == outcome_code::done);
    SUBCASE("it is killed; what its test hypervisor had is gone with it") {
        daemon.stop(SIGKILL);
        CHECK(comes_true([&] { return !driver.connected(); }));
        CHECK(ask(operation::describe, "db-1").code == outcome_code::unknown);
        daemon.start();
        CHECK(comes_true([&] { return driver.connected(); }));
        const outcome is = ask(operation::describe, "db-1");
        CHECK(is.seen.exists == false);
        CHECK(is.seen.vouched);
        CHECK(ask(operation::recreate_instance, "db-1").code == outcome_code::done);
    }
    SUBCASE("it stands still") {
        daemon.freeze(true);
        CHECK(ask(operation::describe, "db-1").code == outcome_code::unknown);
        CHECK(comes_true([&] { return !driver.connected(); }));
        daemon.freeze(false);
        CHECK(comes_true([&] { return ask(operation::describe, "db-1").code == outcome_code::done; }));
    }
}

TEST_CASE("with two hosts a domain moves by a proof, and a copy where it does not belong is told") {
    if (no_daemon()) return;
    place one{"db-1"};
    place two;
    const std::string uuid = detail::uuid_of(one.out.find("db-1").get());
    looked_after<libvirt_cluster_driver> by{through({&one.way, &two.way})};
    CHECK(by.ask(operation::describe, "db-1").seen.host == "one");
    CHECK(by.ask(operation::evacuate_instance, "db-1").code == outcome_code::refused); // it runs

    // Its host does not answer: a fence there can not be done; a proof of another kind lets it be started elsewhere.
    one.way.cut(true);
    CHECK(comes_true([&] { return !by.driver.connected("one"); }));
    CHECK(by.ask(operation::describe, "db-1").code == outcome_code::unknown);
    CHECK(by.ask(operation::fence_instance, "db-1").code == outcome_code::failed);
    const outcome moved = by.ask(operation::evacuate_instance, "db-1");
    CHECK(moved.code == outcome_code::done);
    CHECK(moved.seen.host == "two");
    CHECK(moved.seen.cloud_id == uuid);
    CHECK(two.out.state("db-1") == VIR_DOMAIN_RUNNING);
    CHECK(by.ask(operation::describe, "db-1").seen.host == "two");

    // The old host is back and runs its copy: that is told, and nothing is done with either by itself.
    bool stray = false;
    one.way.cut(false);
    CHECK(comes_true([&] {
        static_cast<void>(by.driver.take_events(
            [&](const libvirt_event& e) { stray = stray || (e.stray && e.host == "one" && e.domain == "db-1"); }));
        return stray && by.driver.connected();
    }));
    CHECK(by.ask(operation::reboot_instance, "db-1").code == outcome_code::refused);
    CHECK(by.ask(operation::fence_instance, "db-1").code == outcome_code::done); // whatever runs under the name
    CHECK(one.out.state("db-1") == VIR_DOMAIN_SHUTOFF);
    CHECK(two.out.state("db-1") == VIR_DOMAIN_SHUTOFF);
    CHECK(by.ask(operation::recreate_instance, "db-1").seen.host == "two"); // where it belongs now
    CHECK(one.out.state("db-1") == VIR_DOMAIN_SHUTOFF);
}

TEST_CASE("a driver of hosts that share nothing never starts a domain on another one") {
    if (no_daemon()) return;
    place one{"db-1"};
    place two;
    looked_after<libvirt_driver> by{through({&one.way, &two.way})};
    one.way.cut(true);
    CHECK(comes_true([&] { return !by.driver.connected("one"); }));
    CHECK(by.ask(operation::recreate_instance, "db-1").code == outcome_code::failed);
    CHECK(two.out.state("db-1") == -1);
    one.out.define("both");
    two.out.define("both");
    one.way.cut(false);
    CHECK(comes_true([&] { return by.driver.connected(); }));
    CHECK(by.driver.adopt("both").error().code == errc::already_exists);
}

TEST_CASE("every call is answered once, from any thread, while connections break") {
    if (no_daemon()) return;
    place at{"db-1"};
    looked_after<libvirt_driver> by{through({&at.way})};
    constexpr int threads = 4;
    constexpr int each = 50;
    std::vector<std::unique_ptr<caller<libvirt_driver>>> callers;
    for (int n = 0; n < threads; ++n) callers.push_back(std::make_unique<caller<libvirt_driver>>(by.driver));
    std::vector<std::thread> all;
    for (int n = 0; n < threads; ++n) {
        all.emplace_back([&, n] {
            caller<libvirt_driver>& ask = *callers[static_cast<std::size_t>(n)];
            std::vector<op_id> ops;
            for (int k = 0; k < each; ++k) {
                const operation o = k % 5 == 0 ? operation::reboot_instance : operation::describe;
                ops.push_back(
                    ask.start(o, "db-1", {.key = static_cast<std::uint64_t>(n * each + k + 1), .hard = true}));
            }
            for (const op_id op : ops) static_cast<void>(ask.wait(op));
        });
    }
    for (int n = 0; n < 5; ++n) {
        static_cast<void>(by.driver.take_events([](const libvirt_event&) {}));
        at.way.break_once();
        static_cast<void>(comes_true([&] { return by.driver.connected(); }));
    }
    for (std::thread& t : all) t.join();
    for (const auto& ask : callers) {
        CHECK(ask->sink().delivered() == each);
        CHECK(ask->sink().repeated() == 0);
    }
}

TEST_CASE("the driver conforms") {
    if (no_daemon()) return;
    test_fixture fixture;
    const auto report = testing::check_conformance(fixture);
    INFO(report.table());
    CHECK(report.count(testing::rule_state::failed) == 0);
    CHECK(report.conforming());
    CHECK(report.count(testing::rule_state::passed) >= 80);
}
