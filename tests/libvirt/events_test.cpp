// SPDX-License-Identifier: MIT
// What a hypervisor tells becomes evidence in a pipeline.
#include <reheat/adapters/libvirt.hpp>
#include <reheat/reheat.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace reheat;
using namespace libvirt_tests;

namespace {

struct listener {
    void operator()(const event& e) { events.push_back(e); }
    void operator()(const libvirt_event& e) { told.push_back(e); }
    [[nodiscard]] bool has(libvirt_event_kind what, std::string_view domain) const {
        return std::any_of(told.begin(), told.end(),
                           [&](const libvirt_event& e) { return e.what == what && e.domain == domain; });
    }
    std::vector<event> events;
    std::vector<libvirt_event> told;
};

struct stop_flag {
    [[nodiscard]] bool stop_requested() const noexcept { return stop.load(); }
    std::atomic<bool> stop{false};
};

} // namespace

TEST_CASE("a domain that ends opens an incident, and a start takes the accusation back") {
    outsider out;
    out.define("db-1");
    libvirt_driver driver{in_process()};
    REQUIRE(driver.open());
    REQUIRE(driver.adopt("db-1"));
    pipeline ha{driver, system_time{}, ladder{reboot_instance{}}};
    REQUIRE(ha.open());
    const auto db = ha.add(instance{.name = "db-1"});
    REQUIRE(db);
    listener heard;
    libvirt_feed feed{driver, ha, heard};
    const auto until = [&](const auto& holds) {
        return comes_true([&] {
            ha.poll(feed);
            return holds();
        });
    };
    CHECK(until([&] { return heard.has(libvirt_event_kind::status, "db-1"); }));
    CHECK(ha.state().open_incidents() == 0);
    REQUIRE(virDomainDestroy(out.find("db-1").get()) == 0);
    CHECK(until([&] { return heard.has(libvirt_event_kind::stopped, "db-1"); }));
    CHECK(until([&] { return heard.has(libvirt_event_kind::started, "db-1"); })); // the rung's reboot starts it
    CHECK(out.state("db-1") == VIR_DOMAIN_RUNNING);
    // Nothing accuses it any more, and its status says that it is well.
    CHECK(until([&] { return ha.state().open_incidents() == 0; }));
    const auto opened = std::count_if(heard.events.begin(), heard.events.end(), [](const event& e) {
        return e.kind == event_kind::incident && e.what == decision::open;
    });
    CHECK(opened == 1);
    driver.close();
    out.forget("db-1");
}

TEST_CASE("every event of a domain of ours is told, and none of another's") {
    outsider out;
    out.define("db-1");
    out.define("theirs");
    libvirt_driver driver{in_process()};
    REQUIRE(driver.open());
    REQUIRE(driver.adopt("db-1"));
    listener heard;
    const auto until = [&](libvirt_event_kind what) {
        return comes_true([&] {
            static_cast<void>(driver.take_events(heard));
            return heard.has(what, "db-1");
        });
    };
    for (const char* const name : {"theirs", "db-1"}) {
        const auto d = out.find(name);
        REQUIRE(virDomainSuspend(d.get()) == 0);
        REQUIRE(virDomainResume(d.get()) == 0);
        REQUIRE(virDomainShutdown(d.get()) == 0);
        REQUIRE(virDomainCreate(d.get()) == 0);
    }
    using k = libvirt_event_kind;
    for (const k what : {k::paused, k::resumed, k::stopped, k::started}) CHECK(until(what));
    out.forget("theirs");
    out.forget("db-1");
    CHECK(until(k::undefined));
    for (const libvirt_event& e : heard.told) {
        CHECK(e.domain != "theirs");
        CHECK(e.host == "here");
        if (e.what == k::paused || e.what == k::stopped) CHECK(e.seen == health::unhealthy);
        if (e.what == k::started || e.what == k::resumed) CHECK(e.seen == health::unknown);
        CHECK(!e.stray); // one host: it belongs there, whoever starts it
    }
    driver.close();
}

TEST_CASE("a runner that sleeps is woken, and the feed is all that it needs") {
    outsider out;
    out.define("db-1");
    libvirt_options quiet = in_process();
    quiet.status_every = 0s;
    libvirt_driver driver{quiet};
    REQUIRE(driver.open());
    REQUIRE(driver.adopt("db-1"));
    pipeline ha{driver, system_time{}, ladder{reboot_instance{}}};
    REQUIRE(ha.open());
    REQUIRE(ha.add(instance{.name = "db-1"}));
    listener heard;
    libvirt_feed feed{driver, ha, heard};
    stop_flag stop;
    std::thread runner{[&] { ha.run(stop, feed); }};
    REQUIRE(virDomainDestroy(out.find("db-1").get()) == 0);
    CHECK(comes_true([&] { return out.state("db-1") == VIR_DOMAIN_RUNNING; }));
    stop.stop.store(true);
    runner.join();
    driver.close();
    out.forget("db-1");
}

TEST_CASE("events that nobody takes are counted, and told as a stall of our own") {
    outsider out;
    out.define("db-1");
    libvirt_options small = in_process();
    small.most_events = 4;
    small.status_every = 0s;
    libvirt_driver driver{small};
    REQUIRE(driver.open());
    REQUIRE(driver.adopt("db-1"));
    const auto d = out.find("db-1");
    for (int n = 0; n < 200; ++n) {
        virDomainSuspend(d.get());
        virDomainResume(d.get());
    }
    std::uint64_t lost = 0;
    CHECK(comes_true([&] {
        lost += driver.take_events([](const libvirt_event&) {});
        return lost != 0;
    }));
    driver.close();
    out.forget("db-1");
}

TEST_CASE("states mean what they say of health") {
    using detail::health_of;
    CHECK(health_of(VIR_DOMAIN_RUNNING, 0) == health::healthy);
    CHECK(health_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR) == health::unhealthy);
    CHECK(health_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER) == health::unhealthy);
    CHECK(health_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION) == health::unknown);
    CHECK(health_of(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED) == health::unhealthy);
    CHECK(health_of(VIR_DOMAIN_CRASHED, 0) == health::unhealthy);
    CHECK(health_of(VIR_DOMAIN_SHUTDOWN, 0) == health::unknown);
    for (std::size_t n = 0; n < libvirt_event_kind_count; ++n)
        CHECK(!to_string(static_cast<libvirt_event_kind>(n)).empty());
}
