// SPDX-License-Identifier: MIT
#include <reheat/recovery/peers.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

#include <optional>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::operation;
using rh::reason;
using support::notebook;

namespace {

/// A journal that the test holds the strings of.
struct puppet_state {
    bool opens = true;
    bool writes = true;
    bool keeps_up = true;
    rh::sequence last{};
    rh::sequence safe{};
    std::vector<rh::record_kind> kinds;
};

class puppet_journal {
public:
    explicit puppet_journal(puppet_state& s) : s_{&s} {}
    rh::result<void> open() {
        if (!s_->opens) return rh::error{rh::errc::io, "journal", "no such file"};
        return {};
    }
    rh::result<void> append(std::span<const rh::record> records) {
        if (!s_->writes) return rh::error{rh::errc::io, "journal", "the disk is full"};
        for (const rh::record& r : records) s_->kinds.push_back(r.kind);
        s_->last = records.back().seq;
        if (s_->keeps_up) s_->safe = s_->last;
        return {};
    }
    [[nodiscard]] rh::sequence durable() const { return s_->safe; }

private:
    puppet_state* s_;
};

/// Can describe, and nothing else.
struct observer {
    void describe(const rh::request&, rh::completion done) { done(rh::outcome::done()); }
};

template <class Pipeline>
struct rig {
    template <class... Arguments>
    explicit rig(Arguments&&... arguments) : ha{std::forward<Arguments>(arguments)...} {
        opened = ha.open();
        db = *ha.add(rh::instance{.name = "db-1", .stack = "wiki"});
        poll();
    }
    rh::time_point poll() {
        return ha.poll([this](const rh::event& v) { events.push_back(v); });
    }
    void pass(rh::duration d) {
        ha.time().advance(d);
        poll();
    }
    void fail() {
        ha.observe({db, rh::vantage::driver_status, rh::health::unhealthy, ha.time().now()});
        poll();
    }
    [[nodiscard]] std::size_t told(decision what, reason why) const {
        std::size_t n = 0;
        for (const rh::event& v : events) n += v.what == what && v.why == why ? 1U : 0U;
        return n;
    }

    Pipeline ha;
    rh::result<void> opened;
    rh::target_id db{};
    std::vector<rh::event> events;
};

using plain = rig<rh::pipeline<notebook, rh::manual_clock>>;
using journaled = rig<rh::pipeline<notebook, rh::manual_clock, puppet_journal>>;

constexpr rh::ladder reboots{rh::reboot_instance{}};

template <class Driver>
concept can_be_driven = requires(Driver&& d) { rh::pipeline{std::forward<Driver>(d), rh::manual_clock{}, reboots}; };

} // namespace

TEST_SUITE("pipeline") {
    TEST_CASE("a driver is held by reference, so it has to be an lvalue") {
        static_assert(can_be_driven<notebook&>);
        static_assert(!can_be_driven<notebook>);
        static_assert(!std::is_move_constructible_v<rh::pipeline<notebook, rh::manual_clock>>);
        static_assert(!std::is_copy_constructible_v<rh::pipeline<notebook, rh::manual_clock>>);
    }

    TEST_CASE("an outcome inside the call is taken in the same poll") {
        notebook cloud;
        cloud.answer(operation::reboot_instance, rh::outcome::done());
        plain r{cloud, rh::manual_clock{}, reboots};
        r.fail();
        CHECK(cloud.count(operation::reboot_instance) == 1);
        CHECK(r.told(decision::finish, reason::outcome_done) == 1);
        CHECK(r.told(decision::verify, reason::outcome_done) == 1);
    }

    TEST_CASE("an outcome later is taken by a later poll") {
        notebook cloud;
        plain r{cloud, rh::manual_clock{}, reboots};
        r.fail();
        REQUIRE(cloud.kept.size() == 1);
        r.pass(1min);
        CHECK(r.told(decision::finish, reason::outcome_done) == 0);
        cloud.kept[0](rh::outcome::done());
        r.poll();
        CHECK(r.told(decision::finish, reason::outcome_done) == 1);
    }

    TEST_CASE("a completion that is dropped means unknown, and is read back") {
        notebook cloud;
        plain r{cloud, rh::manual_clock{}, reboots};
        r.fail();
        cloud.kept.clear();
        r.poll();
        CHECK(r.told(decision::read_back, reason::outcome_unknown) == 1);
        CHECK(cloud.count(operation::describe) == 1);
        CHECK(cloud.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("a completion that is called twice counts once and is told") {
        notebook cloud;
        plain r{cloud, rh::manual_clock{}, reboots};
        r.fail();
        cloud.kept[0](rh::outcome::done());
        cloud.kept[0](rh::outcome::failed("no"));
        r.poll();
        CHECK(r.told(decision::finish, reason::outcome_done) == 1);
        CHECK(r.told(decision::ignore, reason::repeated_completion) == 1);
        cloud.kept.clear(); // and its end says nothing more
        r.poll();
        CHECK(cloud.count(operation::describe) == 0);
    }

    TEST_CASE("a completion that is called after the deadline is only an event") {
        notebook cloud;
        plain r{cloud, rh::manual_clock{}, reboots};
        r.fail();
        r.pass(5min);
        REQUIRE(cloud.kept.size() == 2);
        cloud.kept[0](rh::outcome::failed("no"));
        r.poll();
        CHECK(r.told(decision::ignore, reason::late_completion) == 1);
        CHECK(r.told(decision::finish, reason::outcome_failed) == 0);
    }

    TEST_CASE("a completion outlives its pipeline and does nothing then") {
        notebook cloud;
        {
            plain r{cloud, rh::manual_clock{}, reboots};
            r.fail();
            r.pass(5min);
        }
        REQUIRE(cloud.kept.size() == 2);
        cloud.kept[0](rh::outcome::done());
        cloud.kept.clear();
    }

    TEST_CASE("a driver that fails at once, always, ends in a park and not in a loop") {
        notebook cloud;
        for (const operation o : {operation::reboot_instance, operation::fence_instance, operation::describe})
            cloud.answer(o, rh::outcome::failed("no"));
        rh::policy rules =
            rh::ladder{rh::reboot_instance{.attempts = 100, .within = 0s, .sustained = {100, 0s}}}.lowered();
        rh::rung r = rules.rungs()[0];
        r.wait = {0s, 0s, true, 0};
        rules = rh::policy{}.add(r);
        rules.retry_parked = 0s;
        plain p{cloud, rh::manual_clock{}, rules, rh::volatile_journal{},
                rh::engine_options{.bounds = rh::peer::no_limits}};
        p.fail();
        CHECK(cloud.count(operation::reboot_instance) == 100);
        CHECK(p.told(decision::park, reason::ladder_exhausted) == 1);
        CHECK(p.poll() > p.ha.time().now());
    }

    TEST_CASE("a ladder that is only known at run time is refused by open, which names rung and operation") {
        observer cloud;
        rig<rh::pipeline<observer, rh::manual_clock>> r{cloud, rh::manual_clock{}, reboots.lowered()};
        REQUIRE_FALSE(r.opened);
        CHECK(r.opened.error().code == rh::errc::unsupported);
        CHECK(r.opened.error().where == "rung 0");
        CHECK(r.opened.error().message.find("reboot_instance") != std::string::npos);
        CHECK(r.ha.add_policy(rh::three_levels.lowered()).error().where == "rung 0");
        CHECK(r.ha.add_policy(rh::policy{}));

        // Who goes on all the same gets a refusal for each call, and no driver function that does not exist.
        r.fail();
        CHECK(r.told(decision::finish, reason::outcome_refused) == 1);
    }

    TEST_CASE("a rung that fences first needs the fence too") {
        struct no_fence : observer {
            void recreate(const rh::request&, rh::proof_of_death, rh::completion) {}
        };
        no_fence cloud;
        rh::pipeline ha{cloud, rh::manual_clock{}, rh::ha_restarter.lowered()};
        const auto opened = ha.open();
        REQUIRE_FALSE(opened);
        CHECK(opened.error().message.find("fence_instance") != std::string::npos);
    }

    TEST_CASE("a journal that does not open is the error of open") {
        notebook cloud;
        puppet_state state;
        state.opens = false;
        journaled r{cloud, rh::manual_clock{}, reboots, puppet_journal{state}};
        REQUIRE_FALSE(r.opened);
        CHECK(r.opened.error().code == rh::errc::io);
    }

    TEST_CASE("a journal with the records of an earlier run is refused, since they would be passed over") {
        notebook cloud;
        puppet_state state;
        state.safe = rh::sequence{4};
        journaled r{cloud, rh::manual_clock{}, reboots, puppet_journal{state}};
        REQUIRE_FALSE(r.opened);
        CHECK(r.opened.error().code == rh::errc::unsupported);
    }

    TEST_CASE("a journal that is reopened gets every record that it has refused, in order, once") {
        notebook cloud;
        puppet_state state;
        journaled r{cloud, rh::manual_clock{}, reboots, puppet_journal{state}};
        CHECK(r.ha.reopen_journal()); // with nothing to tell it
        state.writes = false;
        r.fail();
        r.ha.observe({r.db, rh::vantage::driver_status, rh::health::healthy, r.ha.time().now()});
        r.pass(1min);
        state.writes = true;
        REQUIRE(r.ha.reopen_journal());
        r.poll();
        using kind = rh::record_kind;
        CHECK(state.kinds == std::vector{kind::target, kind::target, kind::opened, kind::intent, kind::intent,
                                         kind::dropped, kind::closed});
        CHECK(cloud.calls.empty());
    }

    TEST_CASE("a slow journal holds the call back until it has the intent") {
        notebook cloud;
        puppet_state state;
        state.keeps_up = false;
        journaled r{cloud, rh::manual_clock{}, reboots, puppet_journal{state}};
        r.fail();
        CHECK(state.kinds.back() == rh::record_kind::intent);
        CHECK(cloud.calls.empty());
        r.pass(1min);
        CHECK(cloud.calls.empty());
        state.safe = state.last;
        r.poll();
        CHECK(cloud.count(operation::reboot_instance) == 1);
        r.pass(20min);
        CHECK(r.told(decision::page, reason::journal_pending) == 0);
    }

    TEST_CASE("a journal that fails pages, and nothing is called any more; monitoring goes on") {
        notebook cloud;
        puppet_state state;
        journaled r{cloud, rh::manual_clock{}, reboots, puppet_journal{state}};
        state.writes = false;
        r.fail();
        CHECK(cloud.calls.empty());
        CHECK(r.told(decision::page, reason::journal_failed) == 1);
        state.writes = true; // that later records go through says nothing of the intent
        r.ha.observe({r.db, rh::vantage::operator_word, rh::health::unhealthy, r.ha.time().now()});
        r.pass(1h);
        CHECK(cloud.calls.empty());
        state.writes = false;
        CHECK(r.ha.reopen_journal().error().code == rh::errc::io);
        r.poll();
        CHECK(cloud.calls.empty());
        state.writes = true;
        CHECK(r.ha.reopen_journal());
        r.poll();
        CHECK(cloud.count(operation::reboot_instance) == 1);
        CHECK(r.told(decision::page, reason::journal_failed) == 1);
    }

    TEST_CASE("a full inbox refuses, and the loss is told once") {
        notebook cloud;
        plain r{cloud, rh::manual_clock{}, reboots};
        const auto alarm = r.ha.watch(r.db, rh::heartbeat_alarm{});
        std::uint64_t refused = 0;
        for (int n = 0; n < 10'000; ++n) refused += r.ha.post(*alarm, rh::heartbeat) ? 0U : 1U;
        CHECK(refused > 0);
        r.poll();
        REQUIRE(r.told(decision::ignore, reason::inbox_overflow) == 1);
        for (const rh::event& v : r.events)
            if (v.why == reason::inbox_overflow) CHECK(v.value == static_cast<double>(refused));
        CHECK(r.ha.post(*alarm, rh::heartbeat));
        r.poll();
        CHECK(r.told(decision::ignore, reason::inbox_overflow) == 1);
        CHECK(r.ha.state().open_incidents() == 0);
    }

    TEST_CASE("posted samples count as pushed ones; unknown watches and targets are ignored") {
        notebook cloud;
        plain r{cloud, rh::manual_clock{}, reboots};
        const auto alarm = r.ha.watch(r.db, rh::heartbeat_alarm{.period = 60s});
        CHECK(r.ha.post(*alarm, rh::heartbeat));
        CHECK(r.ha.post(rh::no_watch, rh::heartbeat));
        r.ha.push(rh::no_target, rh::heartbeat);
        r.ha.push(rh::no_watch, rh::heartbeat);
        r.pass(60s);
        CHECK(r.ha.state().state(*alarm) == rh::alarm_state::ok);
        r.ha.push(r.db, rh::heartbeat);
        r.pass(60s);
        CHECK(r.ha.state().state(*alarm) == rh::alarm_state::ok);
        r.pass(60s);
        CHECK(r.ha.state().state(*alarm) == rh::alarm_state::alarm);
    }

    TEST_CASE("poll says when to come back") {
        notebook cloud;
        plain r{cloud, rh::manual_clock{}, reboots};
        CHECK(r.poll() == rh::never);
        const rh::time_point now = r.ha.time().now();
        REQUIRE(r.ha.watch(r.db, rh::heartbeat_alarm{.period = 60s}));
        CHECK(r.poll() == now + 60s);
        r.fail();
        CHECK(r.poll() == now + 60s);
        r.pass(60s);
        CHECK(r.poll() == now + 120s);
    }

    TEST_CASE("the sink and the driver may use the inputs, also to add targets") {
        struct adder {
            rh::pipeline<adder, rh::manual_clock>* ha = nullptr;
            std::string service;
            void describe(const rh::request&, rh::completion done) { done(rh::outcome::done()); }
            void restart_service(const rh::request& r, rh::completion done) {
                for (int n = 0; n < 200; ++n)
                    static_cast<void>(ha->add(rh::instance{.name = "vm-" + std::to_string(n)}));
                service = std::string{r.name} + " " + std::string{r.service} + " " + std::string{r.instance};
                done(rh::outcome::done());
            }
        };
        adder cloud;
        rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::restart_service{}}};
        cloud.ha = &ha;
        const auto db = ha.add(rh::instance{.name = "db-1"});
        const auto mysqld = ha.add(rh::service{.name = "mysqld", .on = *db});
        ha.observe({*mysqld, rh::vantage::driver_status, rh::health::unhealthy, ha.time().now()});
        int events = 0;
        ha.poll([&](const rh::event& v) {
            ++events;
            if (v.what == decision::verify)
                ha.observe({*mysqld, rh::vantage::driver_status, rh::health::healthy, v.at});
        });
        CHECK(cloud.service == "db-1/mysqld mysqld db-1");
        CHECK(ha.state().find(rh::level::instance, "vm-199") != rh::no_target);
        CHECK(ha.state().open_incidents() == 0);
        CHECK(events > 5);
    }

#if defined(__cpp_exceptions)
    TEST_CASE("a driver that throws: its outcome is unknown, the other calls are made and all events are told") {
        struct thrower {
            int reboots = 0;
            int describes = 0;
            void describe(const rh::request&, rh::completion done) {
                ++describes;
                done(rh::outcome::done());
            }
            void reboot(const rh::request&, rh::completion done) {
                if (++reboots == 1) throw 42;
                done(rh::outcome::done());
            }
        };
        thrower cloud;
        rig<rh::pipeline<thrower, rh::manual_clock>> r{cloud, rh::manual_clock{}, reboots, rh::volatile_journal{},
                                                       rh::engine_options{.bounds = rh::peer::no_limits}};
        const auto web = r.ha.add(rh::instance{.name = "web-1"});
        r.ha.observe({*web, rh::vantage::driver_status, rh::health::unhealthy, r.ha.time().now()});
        CHECK_THROWS_AS(r.fail(), int);
        r.poll();
        CHECK(cloud.reboots == 2);
        CHECK(cloud.describes == 1);
        CHECK(r.told(decision::open, reason::observed_unhealthy) == 2);
        CHECK(r.told(decision::call, reason::none) == 2);
        CHECK(r.told(decision::read_back, reason::outcome_unknown) == 1);
        CHECK(r.told(decision::verify, reason::outcome_done) == 1);
        CHECK(r.told(decision::verify, reason::found_done) == 1);
    }

    TEST_CASE("a sink that throws loses no event") {
        notebook cloud;
        plain r{cloud, rh::manual_clock{}, reboots};
        r.ha.observe({r.db, rh::vantage::driver_status, rh::health::unhealthy, r.ha.time().now()});
        std::vector<decision> told;
        const auto sink = [&told](const rh::event& v) {
            told.push_back(v.what);
            if (told.size() == 2) throw 42;
        };
        CHECK_THROWS_AS(r.ha.poll(sink), int);
        r.ha.poll(sink);
        CHECK(told == std::vector{decision::change, decision::open, decision::act, decision::call});
        CHECK(cloud.calls.size() == 1);
    }
#endif
}
