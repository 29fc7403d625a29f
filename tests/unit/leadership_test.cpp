// SPDX-License-Identifier: MIT
#include <reheat/engine/recorder.hpp>
#include <reheat/engine/recording_text.hpp>
#include <reheat/engine/why.hpp>
#include <reheat/runner/campaign.hpp>
#include <reheat/runner/leadership.hpp>
#include <reheat/sim/lease_store.hpp>
#include <reheat/sim/replay.hpp>

#include "recovery_support.hpp"

#include <doctest/doctest.h>

#include <string>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::epoch;
using rh::guard;
using rh::health;
using rh::operation;
using rh::reason;
using support::answer_of;
using support::start;
using support::wiki;

namespace {

/// The first rung of `db-1` is a reboot, whose call may take 5 min.
constexpr rh::duration reboot_takes = 5min;
constexpr rh::duration margin = rh::engine_options{}.lease_margin;

struct led : wiki {
    explicit led(rh::duration lease, rh::engine_options options = support::at_once())
        : wiki{rh::three_levels.lowered(), options} {
        e.leads(epoch{1}, now + lease, now);
        step();
    }
    void renew(rh::duration lease) {
        e.leads(epoch{1}, now + lease, now);
        if (e.next() <= now) step();
    }
};

static_assert(rh::leadership<rh::campaign<rh::mock_lease_link>>);
static_assert(rh::lease_store<rh::mock_lease_store>);
static_assert(rh::lease_store<rh::mock_lease_link>);
static_assert(rh::journal<rh::leased_journal<>>);
static_assert(!rh::leadership<rh::mock_lease_store>);

} // namespace

TEST_SUITE("leadership") {
    TEST_CASE("who is alone leads without an end, and nothing is told of it") {
        wiki w;
        w.e.leads(epoch{1}, rh::never, w.now);
        w.step();
        CHECK(w.events.empty());
        w.fail(w.db);
        CHECK(w.count(operation::reboot_instance) == 1);
        CHECK(w.calls.back().start_by == w.calls.back().what.deadline);
    }

    TEST_CASE("no call starts that the lease does not outlast with the margin; a renewal wakes what waits for it") {
        led w{reboot_takes + margin - 1ns};
        w.fail(w.db);
        CHECK(w.calls.empty());
        CHECK(support::records_of(w, rh::record_kind::intent) == 0);
        CHECK(answer_of(w, w.db, guard::leadership).why == reason::leadership_ends);
        CHECK(answer_of(w, w.db, guard::leadership).next == rh::never);
        CHECK(w.told(decision::wait, reason::leadership_ends) == 1);

        const std::size_t told = w.events.size();
        w.renew(reboot_takes + margin - 1ns);
        CHECK(w.events.size() == told); // too short as well, and a mere renewal is no event
        w.renew(reboot_takes + margin);
        REQUIRE(w.count(operation::reboot_instance) == 1);
        CHECK(w.calls.back().what.deadline == w.now + reboot_takes);
        CHECK(w.told(decision::change, reason::leader_changed) == 0);
    }

    TEST_CASE("a renewal that nobody waits for needs no step") {
        led w{1h};
        REQUIRE(w.run_for(1min));
        const rh::time_point due = w.e.next();
        w.e.leads(epoch{1}, w.now + 1h, w.now);
        CHECK(w.e.next() == due);
        CHECK(due > w.now);
    }

    TEST_CASE("a fence is not begun if the lease is too short for what follows it") {
        // A rebuild needs no fence, a re-creation does: its call may take 15 min, a fence 1 min.
        const rh::policy rules = rh::ladder{rh::recreate_instance{}}.lowered();
        wiki w{rules};
        w.e.leads(epoch{1}, w.now + 10min, w.now);
        w.sees(w.db, health::unhealthy, rh::vantage::neighbour);
        w.fail(w.db);
        CHECK(w.calls.empty());
        w.e.leads(epoch{1}, w.now + 15min + margin, w.now);
        w.step();
        CHECK(w.count(operation::fence_instance) == 1);
        // The fence took its time, and nothing was renewed: what comes after it waits.
        w.pass(30s);
        w.answer(rh::outcome::done());
        w.step();
        CHECK(w.count(operation::recreate_instance) == 0);
        CHECK(w.told(decision::drop, reason::leadership_ends) == 1);
        CHECK(!w.endless);
        CHECK(answer_of(w, w.db, guard::leadership).why == reason::leadership_ends);
    }

    TEST_CASE(
        "the second look: an intent that is durable too late for the lease is dropped, and its attempt given back") {
        led w{reboot_takes + margin + 10s};
        w.slow = true;
        w.fail(w.db);
        REQUIRE(support::records_of(w, rh::record_kind::intent) == 1);
        w.pass(11s);
        w.e.durable(w.records.back().seq);
        w.step();
        CHECK(w.calls.empty());
        CHECK(w.told(decision::drop, reason::leadership_ends) == 1);
        CHECK(support::records_of(w, rh::record_kind::dropped) == 1);
        REQUIRE(w.e.incident_of(w.db) != nullptr);
        CHECK(w.e.incident_of(w.db)->attempts == 0);
        w.slow = false;
        w.e.durable(w.records.back().seq);
        w.renew(10min);
        CHECK(w.count(operation::reboot_instance) == 1);
        CHECK(w.e.incident_of(w.db)->attempts == 1);
    }

    TEST_CASE("where the cloud checks epochs only the start of a call has to be covered") {
        rh::engine_options options = support::at_once();
        options.lease_covers = 10s;
        led w{10s + margin - 1ns, options};
        w.fail(w.db);
        CHECK(w.calls.empty());
        w.renew(20s + margin);
        REQUIRE(w.count(operation::reboot_instance) == 1);
        CHECK(w.calls.back().what.deadline == w.now + reboot_takes);
        CHECK(w.calls.back().start_by == w.now + 10s);
    }

    TEST_CASE("a call that was decided and not made in time is refused before the driver hears of it") {
        led w{10min};
        w.fail(w.db);
        REQUIRE(w.calls.size() == 1);
        support::notebook driver;
        rh::mailbox* mail = new rh::mailbox{8, 8};
        const auto dispatched = [&](rh::time_point at) {
            rh::call& c = w.calls.back();
            rh::dispatch(driver, c, at, rh::completion{c.what.op, *mail});
            rh::delivered_outcome got;
            return mail->outcomes.take(got) ? got.result.code : rh::outcome_code::done;
        };
        CHECK(dispatched(w.calls.back().start_by + 1ns) == rh::outcome_code::refused);
        CHECK(driver.calls.empty());
        CHECK(dispatched(w.calls.back().start_by) == rh::outcome_code::done); // the driver has it
        CHECK(driver.calls.size() == 1);
        mail->close();
        driver.kept.clear();
        mail->release();
    }

    TEST_CASE("read-backs are calls too") {
        led w{20min};
        w.fail(w.db);
        w.answer(rh::outcome::unknown("timeout"));
        w.e.leads(epoch{1}, w.now + 10s + margin - 1ns, w.now); // one may take 10 s
        w.step();
        CHECK(w.count(operation::describe) == 0);
        REQUIRE(w.run_for(30s));
        CHECK(w.count(operation::describe) == 0);
        w.renew(1min);
        REQUIRE(w.run_for(10s));
        CHECK(w.count(operation::describe) >= 1);
    }

    TEST_CASE("a read-back that waits for the lead for long is paged") {
        led w{20min};
        w.fail(w.db);
        w.e.leads(epoch{1}, w.now, w.now);
        w.answer(rh::outcome::unknown("timeout"));
        REQUIRE(w.run_for(11min));
        CHECK(w.count(operation::describe) == 0);
        CHECK(w.told(decision::page, reason::leadership_ends) == 1);
    }

    TEST_CASE("a creation is not begun without the lead") {
        wiki w;
        const rh::target_id web = *w.e.add(rh::instance{.name = "web-1", .stack = "wiki"});
        w.e.leads(epoch{1}, w.now + 1min, w.now);
        w.e.order_creation(web, w.now);
        w.step();
        CHECK(w.calls.empty());
        CHECK(w.told(decision::ignore, reason::leadership_ends) == 1);
        w.e.leads(epoch{1}, w.now + 1h, w.now);
        w.e.order_creation(web, w.now);
        w.step();
        CHECK(w.count(operation::create_instance) == 1);
    }

    TEST_CASE("a new epoch holds what can not be undone; one that goes down is ignored and told") {
        led w{1h};
        w.e.leads(epoch{7}, w.now + 1h, w.now);
        w.step();
        CHECK(w.told(decision::change, reason::leader_changed) == 1);
        w.e.leads(epoch{6}, w.now + 10h, w.now);
        w.step();
        CHECK(w.told(decision::ignore, reason::leader_changed) == 1);
        CHECK(w.events.back().value == 6);
        w.fail(w.db);
        REQUIRE(w.count(operation::reboot_instance) == 1);
        CHECK(w.calls.back().what.reign == epoch{7});
        CHECK(w.calls.back().start_by == w.now + reboot_takes);
    }

    TEST_CASE("who lost the lead writes and calls nothing, goes on watching, and says so") {
        led w{1h};
        w.slow = true;
        w.fail(w.db);
        REQUIRE(support::records_of(w, rh::record_kind::intent) == 1);
        w.e.lost_lead(w.now);
        w.step();
        CHECK(w.e.deposed());
        CHECK(w.told(decision::change, reason::leadership_lost) == 1);
        CHECK(w.told(decision::drop, reason::leadership_lost) == 1); // though nothing says that it is durable
        w.e.lost_lead(w.now);
        w.step();
        CHECK(w.told(decision::change, reason::leadership_lost) == 1);

        w.slow = false;
        w.e.leads(epoch{1}, w.now + 1h, w.now);
        w.e.leads(epoch{9}, w.now + 1h, w.now);
        w.e.operate({rh::operator_verb::freeze, rh::no_target, "ann", "why", w.now + 1h}, w.now);
        w.step();
        CHECK(w.told(decision::ignore, reason::leadership_lost) == 3); // it starts anew, or not at all
        REQUIRE(w.run_for(2h));
        CHECK(w.calls.empty());
        CHECK(support::records_of(w, rh::record_kind::intent) == 1);
        CHECK(answer_of(w, w.db, guard::leadership).why == reason::leadership_lost);
        for (const rh::event& v : w.events) {
            if (v.what == decision::page) CHECK(v.shadow); // nobody is called by who is not in charge
        }
        const std::string text = rh::to_text(w.e, rh::why(w.e, w.db));
        CHECK_MESSAGE(text.find("this controller lost the lead") != std::string::npos, text);
        CHECK_MESSAGE(text.find("leadership denies: leadership_lost") != std::string::npos, text);
        CHECK(rh::to_json(w.e, rh::why(w.e, w.db)).find("\"deposed\":true") != std::string::npos);
        w.sees(w.db, health::healthy);
        w.step();
        CHECK(w.e.open_incidents() == 0);
        CHECK(!w.endless);
    }

    TEST_CASE("what was called before the loss comes to its end, without a read-back") {
        led w{1h};
        w.fail(w.db);
        REQUIRE(w.count(operation::reboot_instance) == 1);
        CHECK(w.e.under_way() == 1);
        w.e.lost_lead(w.now);
        REQUIRE(w.run_for(6min)); // past its deadline
        CHECK(w.told(decision::read_back, reason::deadline_passed) == 1);
        CHECK(w.count(operation::describe) == 0);
        REQUIRE(w.run_for(2h));
        CHECK(w.e.under_way() == 0);
        CHECK(w.calls.size() == 1);
    }

    TEST_CASE("what holds every incident up pages: a lease that is shorter than the calls") {
        led w{1min};
        w.fail(w.db);
        for (int n = 0; n < 80; ++n) {
            w.renew(1min);
            REQUIRE(w.run_for(10s));
        }
        CHECK(w.calls.empty());
        CHECK(w.told(decision::page, reason::waited_long) == 1);
        CHECK(rh::shortest_lease(rh::three_levels.lowered(), {}, 10s) == 30min + margin + 10s);
        CHECK(rh::shortest_lease(rh::ladder{rh::recreate_instance{}}.lowered(), {}, 10s) == 15min + margin + 10s);
        rh::engine_options options;
        options.lease_covers = 30s;
        CHECK(rh::shortest_lease(rh::three_levels.lowered(), options, 10s) == 30s + margin + 10s);
    }

    TEST_CASE("a recording keeps the lead, and is run again with it") {
        rh::recorder e{rh::three_levels.lowered(), support::at_once()};
        const rh::target_id db = *e.add(rh::instance{.name = "db-1"});
        rh::outputs out;
        const auto step = [&](rh::time_point at) {
            for (out.clear();; out.clear()) {
                e.step(at, out);
                if (out.empty()) return;
                if (!out.records.empty()) e.durable(out.records.back().seq);
            }
        };
        step(start);
        e.leads(epoch{3}, start + 1min, start);
        e.observe({db, rh::vantage::driver_status, health::unhealthy, start});
        step(start);
        e.leads(epoch{3}, start + 1h, start + 1s);
        step(start + 1s);
        e.lost_lead(start + 2s);
        step(start + 2s);
        const std::string text = rh::to_text(e.tape());
        CHECK_MESSAGE(text.find("leads epoch=3") != std::string::npos, text);
        const auto tape = rh::read_recording(text);
        REQUIRE(tape);
        const auto run = rh::run_recording(*tape, {});
        REQUIRE(run);
        CHECK(run->end.deposed());
        REQUIRE(run->failures.size() == 1);
        CHECK(run->failures[0].first_action == start + 1s);
    }
}

TEST_SUITE("leadership: campaigns") {
    TEST_CASE("the lease goes to one; its epoch rises; it is counted from before the request") {
        rh::mock_lease_store store;
        rh::mock_lease_link to_a{store};
        rh::mock_lease_link to_b{store};
        rh::campaign a{to_a, {.name = "a", .ttl = 60s}};
        rh::campaign b{to_b, {.name = "b", .ttl = 60s}};
        store.advance(start);
        CHECK(a.poll(start) == start + 10s); // at most 10 s
        CHECK(a.leads());
        CHECK(a.reign() == epoch{1});
        CHECK(a.until() == start + 60s);
        CHECK(b.poll(start) == start + 2s);
        CHECK(!b.leads());
        CHECK(store.holder() == "a");

        store.advance(start + 10s);
        CHECK(a.poll(start + 10s) == start + 20s);
        CHECK(a.until() == start + 70s);
        CHECK(store.until() == start + 70s);
        store.advance(start + 12s); // the request was 2 s on its way: the store counts from there, the holder does not
        a.poll(start + 20s);
        store.advance(start + 22s);

        // Cut off, it goes on asking, and its lease runs out.
        to_a.is = rh::mock_lease_link::condition::cut;
        for (rh::time_point t = start + 30s; t < start + 80s; t += 2s) CHECK(a.poll(t) == t + 2s);
        CHECK(a.until() == start + 80s);
        CHECK(!a.lost()); // nobody told it
        CHECK(a.poll(start + 80s) == rh::never);
        CHECK(a.lost()); // by its own count
        store.advance(start + 90s);
        b.poll(start + 90s);
        CHECK(b.reign() == epoch{2});
        to_a.is = rh::mock_lease_link::condition::up;
        CHECK(a.until() == (rh::time_point::min)());
        CHECK(!b.lost());

        // Given back, the next one may have it at once.
        b.resign();
        CHECK(b.lost());
        CHECK(!store.held());
        rh::campaign c{to_a, {.name = "c", .ttl = 60s}};
        c.poll(start + 92s);
        CHECK(c.reign() == epoch{3});
    }

    TEST_CASE("a deposed leader's records are refused, and its pipeline steps down with what it had decided") {
        rh::mock_lease_store store;
        rh::mock_lease_link link{store};
        store.advance(start);
        const epoch first = *store.acquire("a", 60s);
        support::notebook driver;
        rh::pipeline ha{driver, rh::manual_clock{start}, rh::three_levels, rh::leased_journal{link, first},
                        support::at_once()};
        REQUIRE(ha.open());
        const rh::target_id db = *ha.add(rh::instance{.name = "db-1"});
        ha.leads(first, start + 24h); // more than the store gave: its clock, or ours, is wrong
        ha.poll();
        store.advance(start + 61s);
        REQUIRE(store.acquire("b", 60s));
        const std::size_t known = store.records().size();
        ha.observe({db, rh::vantage::driver_status, health::unhealthy, start});
        std::vector<rh::event> events;
        ha.poll([&](const rh::event& e) { events.push_back(e); });
        CHECK(ha.state().deposed());
        CHECK(driver.calls.empty());
        CHECK(store.records().size() == known);
        CHECK(std::count_if(events.begin(), events.end(), [](const rh::event& e) {
                  return e.what == decision::change && e.why == reason::leadership_lost;
              }) == 1);
        for (const rh::event& e : events) CHECK((e.what != decision::page || e.shadow));
    }

    TEST_CASE("records come once, in order, and are read back") {
        rh::mock_lease_store store;
        rh::mock_lease_link link{store};
        store.advance(start);
        rh::leased_journal log{link, *store.acquire("a", 60s)};
        const auto numbered = [](std::uint64_t seq) {
            rh::record r;
            r.seq = rh::sequence{seq};
            return r;
        };
        const std::vector<rh::record> some{numbered(1), numbered(2)};
        link.is = rh::mock_lease_link::condition::answers_lost;
        CHECK(!log.append(some)); // they are there, and nobody knows
        CHECK(log.durable() == rh::no_sequence);
        link.is = rh::mock_lease_link::condition::up;
        REQUIRE(log.open());
        CHECK(log.durable() == rh::sequence{2});
        CHECK(log.append(some)); // skipped
        CHECK(store.records().size() == 2);
        const std::vector<rh::record> late{numbered(4)};
        CHECK(log.append(late).error().code == rh::errc::invalid_argument);
        std::uint64_t seen = 0;
        REQUIRE(log.replay([&](rh::record&& r) -> rh::result<void> {
            CHECK(static_cast<std::uint64_t>(r.seq) == ++seen);
            return {};
        }));
        CHECK(seen == 2);
        store.advance(start + 60s); // over, though nobody else has it
        CHECK(log.append(late).error().code == rh::errc::denied);
    }

    TEST_CASE(
        "a pipeline is led by a sink around its own: until it leads it calls nothing, and it ends with the lead") {
        rh::mock_lease_store store;
        rh::mock_lease_link link{store};
        store.advance(start);
        REQUIRE(store.acquire("other", 1h)); // epoch 1
        support::notebook driver;
        rh::pipeline ha{driver, rh::manual_clock{start}, rh::three_levels, {}, support::at_once()};
        REQUIRE(ha.open());
        const rh::target_id db = *ha.add(rh::instance{.name = "db-1"});
        rh::campaign lead{link, {.name = "a", .ttl = 40min}};
        std::size_t told = 0;
        rh::leading sink{lead, ha, [&](const rh::event&) { ++told; }};
        struct no_stop {
            static bool stop_requested() { return false; }
        } stop;
        const rh::until_lost over{lead, stop};
        const auto run_until = [&](rh::time_point end) {
            for (;;) {
                store.advance(ha.time().now());
                const rh::time_point due = ha.poll(sink);
                if (due > end || over.stop_requested()) break;
                ha.time().advance_to(due);
            }
            ha.time().advance_to(end);
        };
        ha.observe({db, rh::vantage::driver_status, health::unhealthy, start});
        run_until(start + 59min);
        CHECK(told != 0);
        CHECK(driver.calls.empty());
        ha.observe({db, rh::vantage::driver_status, health::unhealthy, ha.time().now()});
        run_until(start + 61min);
        CHECK(lead.reign() == epoch{2});
        REQUIRE(driver.count(operation::reboot_instance) == 1);
        CHECK(ha.state().options().reign == epoch{2});
        link.is = rh::mock_lease_link::condition::cut;
        run_until(lead.until() - 10s);
        CHECK(!over.stop_requested());
        run_until(start + 2h);
        CHECK(over.stop_requested());
        CHECK(ha.state().deposed());
    }
}
