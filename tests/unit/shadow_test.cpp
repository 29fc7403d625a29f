// SPDX-License-Identifier: MIT
#include <reheat/engine/render.hpp>
#include <reheat/runner/page_queue.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::operation;
using rh::reason;
using support::start;

namespace {

rh::engine_options shadow(rh::engine_options o = support::at_once()) {
    o.shadow = true;
    return o;
}

/// A pipeline on a driver that answers each call at once and says nothing of any machine.
struct watcher {
    using pipe = rh::pipeline<support::notebook, rh::manual_clock>;

    watcher(const rh::policy& rules, const rh::engine_options& options)
        : ha{driver, rh::manual_clock{start}, rules, {}, options} {
        for (const operation what :
             {operation::describe, operation::restart_service, operation::reboot_instance, operation::rebuild_instance,
              operation::fence_instance, operation::recreate_instance, operation::evacuate_instance,
              operation::converge_stack, operation::create_instance})
            driver.answer(what, rh::outcome::done());
    }
    void poll() {
        ha.poll([this](const rh::event& e) { events.push_back(e); });
    }

    support::notebook driver;
    pipe ha;
    std::vector<rh::event> events;
};

/// What both engines are told, drawn from one seed: a fleet with services, spells of silence, observations, operators'
/// words, dead hosts, orders, jumps of time.
class story {
public:
    explicit story(std::uint64_t seed) : dice_{seed} {}

    void settle(watcher& w) const {
        for (int n = 0; n < 12; ++n) {
            const std::string name = "vm-" + std::to_string(n);
            const std::string host = "host-" + std::to_string(n % 6);
            const std::string zone = "zone-" + std::to_string(n % 3);
            const auto vm = w.ha.add(rh::instance{
                .name = name, .stack = n % 2 == 0 ? "even" : "odd", .host = host, .zone = zone, .keep = rh::volumes});
            REQUIRE(vm);
            REQUIRE(w.ha.watch(*vm, rh::heartbeat_alarm{}));
            const auto process = w.ha.add(rh::service{.name = "app", .on = *vm});
            REQUIRE(process);
            REQUIRE(w.ha.watch(*process, rh::heartbeat_alarm{}));
        }
        w.poll();
    }

    /// One minute: who is heard, and what else is said. Both hear the same.
    void minute(std::vector<watcher*> all) {
        for (std::size_t n = 0; n < silent_.size(); ++n) {
            if (dice_.below(40) == 0) silent_[n] = !silent_[n];
            if (silent_[n]) continue;
            for (watcher* w : all) {
                for (const char* what : {"", "/app"}) {
                    const std::string name = "vm-" + std::to_string(n) + what;
                    const auto level = *what == 0 ? rh::level::instance : rh::level::service;
                    w->ha.push(w->ha.state().find(level, name), rh::heartbeat);
                }
            }
        }
        const auto some = [&](std::int64_t sides) { return static_cast<unsigned>(dice_.below(sides)); };
        const rh::target_id target{some(26)};
        switch (some(12)) {
        case 0: {
            const rh::observation seen{target, some(2) == 0 ? rh::vantage::driver_status : rh::vantage::cloud_event,
                                       static_cast<rh::health>(some(3)), all[0]->ha.time().now(), some(2) == 0};
            for (watcher* w : all) w->ha.observe(seen);
            break;
        }
        case 1: {
            const rh::operator_input word{static_cast<rh::operator_verb>(some(9)), target, "ann", "because",
                                          rh::after(all[0]->ha.time().now(), 5min)};
            for (watcher* w : all) w->ha.operate(word);
            break;
        }
        case 2: {
            const std::string host = "host-" + std::to_string(some(6));
            const bool dies = some(2) == 0;
            for (watcher* w : all) {
                if (dies) w->ha.host_died(host, rh::proof_kind::fenced);
                else w->ha.host_returned(host);
            }
            break;
        }
        case 3:
            for (watcher* w : all) w->ha.guest_restarted(target);
            break;
        case 4:
            for (watcher* w : all) w->ha.order_creation(target);
            break;
        default: break;
        }
    }

private:
    support::dice dice_;
    std::array<bool, 12> silent_{};
};

/// A day of that story, minute by minute, and whatever an engine wants to be stepped for in between.
void tell(std::uint64_t seed, int minutes, std::vector<watcher*> all) {
    story s{seed};
    for (watcher* w : all) s.settle(*w);
    for (int n = 0; n < minutes; ++n) {
        s.minute(all);
        const rh::time_point until = start + std::chrono::minutes{n + 1};
        for (watcher* w : all) {
            for (;;) {
                w->poll();
                const rh::time_point due = w->ha.state().next();
                if (due > until) break;
                w->ha.time().advance_to(due);
            }
            w->ha.time().advance_to(until);
        }
    }
}

using act = std::tuple<rh::time_point, rh::target_id, rh::target_id, operation, std::uint16_t>;

std::optional<act> first_act(const watcher& w) {
    for (const rh::event& e : w.events) {
        if (e.kind == rh::event_kind::rung && e.what == decision::act)
            return act{e.at, e.target, e.subject, e.rung, e.attempt};
    }
    return std::nullopt;
}

} // namespace

TEST_SUITE("shadow") {
    TEST_CASE("what would be called is told, counts as done, and neither called nor journaled") {
        support::wiki all{rh::three_levels.lowered(), shadow()};
        all.fail(all.mysqld);
        CHECK(all.calls.empty());
        CHECK(all.told(decision::act, reason::first_attempt) == 1);
        CHECK(all.told(decision::call, reason::would_act) == 1);
        CHECK(all.told(decision::finish, reason::would_act) == 1);
        for (const rh::event& e : all.events) CHECK(e.shadow);
        for (const rh::record& r : all.records) {
            const bool of_an_action = r.kind == rh::record_kind::intent || r.kind == rh::record_kind::outcome ||
                                      r.kind == rh::record_kind::dropped;
            CHECK_FALSE(of_an_action);
        }
        const auto call = [&] {
            for (const rh::event& e : all.events) {
                if (e.what == decision::call) return e;
            }
            return rh::event{};
        }();
        CHECK(rh::to_text(all.e, call) ==
              "2026-01-01T00:00:00Z db-1/mysqld restart_service call would_act attempt=1 shadow");
        CHECK(rh::to_json(all.e, call).find(R"("reason":"would_act")") != std::string::npos);
        CHECK(rh::to_json(all.e, call).find(R"("shadow":true)") != std::string::npos);
    }

    TEST_CASE("attempts, budgets, backoff and the climb go on as if all had been done") {
        support::wiki live;
        support::wiki dark{rh::three_levels.lowered(), shadow()};
        live.fail(live.mysqld);
        dark.fail(dark.mysqld);
        // The live one's calls come out as done at once, and nothing ever helps.
        std::size_t answered = 0;
        const auto live_until = [&](rh::time_point end) {
            for (;;) {
                live.step();
                if (answered < live.calls.size()) {
                    live.e.complete(live.calls[answered++].what.op, live.now, rh::outcome::done());
                    continue;
                }
                if (live.e.next() > end) break;
                live.now = live.e.next();
            }
        };
        live_until(start + 8h);
        REQUIRE(dark.run_until(start + 8h));
        const auto acts = [](const support::bench& b) {
            std::vector<act> all;
            for (const rh::event& e : b.events) {
                if (e.kind == rh::event_kind::rung && e.what == decision::act)
                    all.emplace_back(e.at, e.target, e.subject, e.rung, e.attempt);
            }
            return all;
        };
        CHECK(acts(dark).size() > 5);
        CHECK(acts(dark) == acts(live));
        CHECK(dark.calls.empty());
    }

    TEST_CASE("calls that would be made spend the cloud's quota") {
        rh::engine_options o = shadow();
        o.bounds.api = {1, 1min};
        support::wiki all{rh::three_levels.lowered(), o};
        all.fail(all.mysqld);
        const auto other = *all.e.add(rh::service{.name = "httpd", .on = all.db});
        all.fail(other);
        CHECK(all.told(decision::call, reason::would_act) == 1);
        CHECK(all.told(decision::wait, reason::api_quota) == 1);
    }

    TEST_CASE("nobody is called for what nobody does") {
        constexpr rh::ladder asks{rh::restart_service{.approval = rh::required}};
        support::wiki live{asks.lowered()};
        support::wiki dark{asks.lowered(), shadow()};
        const auto pages_of = [](support::wiki& all) {
            all.fail(all.mysqld);
            REQUIRE(all.run_for(1h));
            CHECK(all.told(decision::page, reason::waited_long) == 1);
            rh::page_queue pages;
            for (const rh::event& e : all.events) pages.take(e, all.e.name(e.target));
            return pages.size();
        };
        CHECK(pages_of(live) == 1);
        CHECK(pages_of(dark) == 0);
    }

    TEST_CASE("a failed journal denies here too") {
        support::wiki all{rh::three_levels.lowered(), shadow()};
        all.e.journal_failed();
        all.fail(all.mysqld);
        CHECK(all.told(decision::call, reason::would_act) == 0);
        CHECK(all.told(decision::wait, reason::journal_failed) == 1);
        all.e.journal_reopened();
        all.step();
        CHECK(all.told(decision::call, reason::would_act) == 1);
    }

    TEST_CASE("it asks nobody whether the driver answers, and does not stay frozen") {
        rh::engine_options o = shadow();
        o.bounds.breaker = {{100, 1}, {100, 1}, 1000, 0s};
        support::bench all{rh::three_levels.lowered(), o};
        std::vector<rh::watch_id> watches;
        for (int n = 0; n < 12; ++n) {
            const std::string zone = "zone-" + std::to_string(n % 3);
            const auto vm = *all.e.add(rh::instance{.name = "vm-" + std::to_string(n), .zone = zone});
            watches.push_back(*all.e.watch(vm, rh::heartbeat_alarm{}.rule(), all.now));
        }
        for (const rh::watch_id w : watches) all.e.push(w, all.now, 1);
        all.pass(60s);
        for (std::size_t n = 4; n < watches.size(); ++n) all.e.push(watches[n], all.now, 1);
        all.pass(60s);
        CHECK(all.told(decision::wait, reason::silence_is_ours) == 1);
        CHECK(all.told(decision::release, reason::silence_is_ours) == 1);
        CHECK_FALSE(all.e.doubts_itself());
        CHECK(all.told(decision::call, reason::would_act) == 1); // one in flight of twelve
        CHECK(all.calls.empty());
    }

    TEST_CASE("beside a live engine on the same inputs: the same first action, at the same time") {
        const std::uint64_t seed = 20'260'101;
        MESSAGE("seed " << seed);
        int acted = 0;
        for (std::uint64_t n = 0; n < 60; ++n) {
            CAPTURE(seed + n);
            const rh::policy& rules = n % 2 == 0 ? rh::three_levels.lowered() : rh::ha_restarter.lowered();
            watcher live{rules, support::at_once()};
            watcher dark{rules, shadow()};
            tell(seed + n, 40, {&live, &dark});
            const auto first = first_act(live);
            CHECK(first_act(dark) == first);
            acted += first ? 1 : 0;
            CHECK(dark.driver.calls.empty());
        }
        CHECK(acted > 40);
    }

    TEST_CASE("no call is ever made and no intent written, whatever comes in") {
        const std::uint64_t seed = 77;
        MESSAGE("seed " << seed);
        std::size_t would = 0;
        for (std::uint64_t n = 0; n < 20; ++n) {
            CAPTURE(seed + n);
            watcher dark{rh::three_levels.lowered(), shadow()};
            tell(seed + n, 240, {&dark});
            CHECK(dark.driver.calls.empty());
            for (const rh::event& e : dark.events) {
                would += e.why == reason::would_act && e.what == decision::call ? 1U : 0U;
                CHECK(e.shadow);
                CHECK((e.what != decision::call || e.why == reason::would_act));
            }
        }
        CHECK(would > 100);
    }

    TEST_CASE("monitoring is that of an engine that never acts") {
        const std::uint64_t seed = 4711;
        MESSAGE("seed " << seed);
        for (std::uint64_t n = 0; n < 20; ++n) {
            CAPTURE(seed + n);
            watcher dark{rh::three_levels.lowered(), shadow()};
            watcher idle{rh::policy{}, support::at_once()}; // no rungs: it only watches
            tell(seed + n, 120, {&dark, &idle});
            const auto alarms = [](const watcher& w) {
                std::vector<std::tuple<rh::time_point, rh::target_id, rh::alarm_state, rh::alarm_state>> all;
                for (const rh::event& e : w.events) {
                    if (e.kind == rh::event_kind::alarm && e.watch != rh::no_watch)
                        all.emplace_back(e.at, e.target, e.from, e.to);
                }
                return all;
            };
            CHECK(alarms(dark).size() > 20);
            CHECK(alarms(dark) == alarms(idle));
        }
    }
}
