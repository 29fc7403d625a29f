// SPDX-License-Identifier: MIT
#include <reheat/alarm/deadline_fleet.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::alarm_state;
using support::dice;
using support::start;

namespace {

/// Looks at every target at every step.
struct naive_target {
    rh::time_point last;
    rh::duration timeout;
    alarm_state state = alarm_state::ok;
    rh::row_handle handle{};
};

} // namespace

TEST_SUITE("deadline fleet") {
    TEST_CASE("a target is silent exactly one timeout after its last beat, to the millisecond") {
        rh::deadline_fleet all{start};
        const rh::row_handle h = all.watch(rh::target_id{7}, 1500ms, start);
        std::vector<rh::transition> out;
        CHECK(all.push(h, start + 400ms));
        all.evaluate(start + 1899ms, out);
        CHECK(out.empty());
        all.evaluate(start + 1900ms, out);
        REQUIRE(out.size() == 1);
        CHECK(out[0].to == alarm_state::alarm);
        CHECK(out[0].target == rh::target_id{7});
        CHECK(out[0].at == start + 1900ms);
        CHECK(out[0].value == doctest::Approx(1.5));
        CHECK(all.next() == rh::never); // nothing to wait for until it beats
        all.push(h, start + 2s);
        CHECK(all.next() <= start + 2s);
        all.evaluate(start + 2s, out);
        REQUIRE(out.size() == 2);
        CHECK(out[1].to == alarm_state::ok);
        CHECK(out[1].at == start + 2s);
        all.evaluate(start + 3500ms, out);
        CHECK(out.size() == 3);
    }

    TEST_CASE("a part of a millisecond is rounded up, and timeouts are held between 1 ms and 40 days") {
        rh::deadline_fleet all{start};
        const rh::row_handle shortest = all.watch(rh::target_id{0}, 0ns, start);
        const rh::row_handle odd = all.watch(rh::target_id{1}, 1500us, start);
        const rh::row_handle longest = all.watch(rh::target_id{2}, 24h * 365, start);
        std::vector<rh::transition> out;
        all.evaluate(start + 1ms, out);
        CHECK(all.state(shortest) == alarm_state::alarm);
        CHECK(all.state(odd) == alarm_state::ok);
        all.evaluate(start + 2ms, out);
        CHECK(all.state(odd) == alarm_state::alarm);
        all.evaluate(start + 24h * 40 - 1ms, out);
        CHECK(all.state(longest) == alarm_state::ok);
        all.evaluate(start + 24h * 40, out);
        CHECK(all.state(longest) == alarm_state::alarm);
    }

    TEST_CASE("an evaluator that was not there begins anew") {
        rh::deadline_fleet all{start};
        const rh::row_handle h = all.watch(rh::target_id{0}, 1s, start);
        std::vector<rh::transition> out;
        all.doubt(start + 10s);
        all.evaluate(start + 10s, out);
        CHECK(out.empty());
        all.evaluate(start + 11s, out);
        CHECK(all.state(h) == alarm_state::alarm);
    }

    TEST_CASE("it finds what looking at every target at every step finds") {
        for (std::uint64_t seed = 1; seed <= 30; ++seed) {
            CAPTURE(seed);
            dice d{seed};
            rh::time_point now =
                seed % 5 == 0 ? rh::time_point{-10s} : start + std::chrono::microseconds{d.below(5'000'000)};
            rh::deadline_fleet all{now};
            std::vector<naive_target> naive;
            std::vector<rh::transition> out;
            const auto watch = [&](std::size_t at) {
                // Some far beyond one turn of the wheel.
                const rh::duration timeout =
                    std::chrono::milliseconds{d.below(3) == 0 ? d.below(40'000'000) + 1 : d.below(9'000) + 1};
                if (at == naive.size()) naive.emplace_back();
                naive[at] = {now, timeout, alarm_state::ok,
                             all.watch(rh::target_id{static_cast<std::uint32_t>(at)}, timeout, now)};
            };
            for (std::size_t n = 0; n < 100; ++n) watch(n);
            for (int step = 0; step < 400; ++step) {
                const std::int64_t beats = d.below(20);
                for (std::int64_t b = 0; b < beats; ++b) {
                    naive_target& t = naive[static_cast<std::size_t>(d.below(static_cast<std::int64_t>(naive.size())))];
                    const rh::time_point at = now - std::chrono::milliseconds{d.below(3) == 0 ? d.below(500) : 0};
                    REQUIRE(all.push(t.handle, at));
                    t.last = rh::later(t.last, at);
                }
                if (d.below(50) == 0) {
                    const auto n = static_cast<std::size_t>(d.below(static_cast<std::int64_t>(naive.size())));
                    REQUIRE(all.remove(naive[n].handle));
                    REQUIRE_FALSE(all.push(naive[n].handle, now));
                    watch(n);
                    REQUIRE(all.size() == naive.size());
                }
                now = d.below(3) == 0 && all.next() != rh::never
                          ? rh::later(now, all.next())
                          : now + std::chrono::milliseconds{d.below(d.below(30) == 0 ? 9'000'000 : 400)};
                all.evaluate(now, out);
                out.clear();
                for (naive_target& t : naive) {
                    const auto due =
                        std::chrono::ceil<std::chrono::milliseconds>((t.last + t.timeout).time_since_epoch());
                    // A fraction of a tick late, never early.
                    const bool over = t.last + t.timeout <= now;
                    const bool over_by_tick = rh::time_point{due} <= now;
                    if (over == over_by_tick) t.state = over ? alarm_state::alarm : alarm_state::ok;
                    else t.state = all.state(t.handle);
                    REQUIRE(all.state(t.handle) == t.state);
                    if (t.state == alarm_state::ok) REQUIRE(all.next() <= rh::time_point{due});
                }
            }
        }
    }
}
