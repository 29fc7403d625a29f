// SPDX-License-Identifier: MIT
#include <reheat/alarm/lifeguard.hpp>

#include <doctest/doctest.h>

namespace rh = reheat;
using namespace std::chrono_literals;

namespace {

constexpr rh::time_point t0{1'767'225'600s};
constexpr std::uint64_t me = 7;
constexpr rh::duration longest = (rh::duration::max)();

static_assert(rh::lifeguard_lan == rh::lifeguard_profile{4, 6, 1s});

} // namespace

TEST_SUITE("lifeguard") {
    TEST_CASE("a suspicion's time shrinks with the logarithm of its confirmations, cut to a millisecond") {
        constexpr rh::suspicion_limits four{4, 5s, 20s};
        const rh::duration all[] = {20s, 13'539ms, 9'760ms, 7'079ms, 5s, 5s};
        for (std::uint32_t c = 0; c < std::size(all); ++c) {
            CAPTURE(c);
            CHECK(rh::suspicion_timeout(c, four) == all[c]);
        }
    }

    TEST_CASE("whole thirds stay whole: ln 2 / ln 8 and ln 4 / ln 8") {
        constexpr rh::suspicion_limits seven{7, 3s, 30s};
        CHECK(rh::suspicion_timeout(1, seven) == 21s);
        CHECK(rh::suspicion_timeout(3, seven) == 12s);
    }

    TEST_CASE("without anybody to confirm, or without a span, it is the shortest time") {
        CHECK(rh::suspicion_timeout(0, {0, 2s, 30s}) == 2s);
        CHECK(rh::suspicion_timeout(9, {0, 2s, 30s}) == 2s);
        CHECK(rh::suspicion_timeout(0, {3, 2s, 2s}) == 2s);
        CHECK(rh::suspicion_timeout(1, {3, 2s, 1s}) == 2s);
        CHECK(rh::suspicion_timeout(0, {3, 999'900us, 1'000'100us}) == 1s);
        CHECK(rh::suspicion_timeout(0, {3, 1'000'100us, 1'000'200us}) == 1'000'100us); // never below the shortest
    }

    TEST_CASE("only others, and each of them once, confirm") {
        rh::suspicion_timer<> timer{{3, 2s, 30s}, me, t0};
        CHECK(timer.timeout() == 30s);
        CHECK_FALSE(timer.confirm(me));
        CHECK(timer.confirm(1));
        CHECK_FALSE(timer.confirm(1));
        CHECK(timer.confirmations() == 1);
        CHECK(timer.timeout() == 16s);
        CHECK(timer.confirm(2));
        CHECK_FALSE(timer.confirm(1));
        CHECK(timer.confirm(0)); // an id like any other
        CHECK_FALSE(timer.confirm(4));
        CHECK(timer.confirmations() == 3);
        CHECK(timer.timeout() == 2s);
    }

    TEST_CASE("what is left counts from the beginning, and goes below zero") {
        rh::suspicion_timer<> timer{{1, 2s, 30s}, me, t0};
        CHECK(timer.remaining(t0) == 30s);
        CHECK(timer.remaining(t0 - 1h) == 30s);
        CHECK(timer.remaining(t0 + 12s) == 18s);
        CHECK(timer.deadline() == t0 + 30s);
        CHECK(timer.confirm(1));
        CHECK(timer.remaining(t0 + 12s) == -10s);
        CHECK(timer.deadline() == t0 + 2s);
        CHECK(rh::suspicion_timer<>{{1, 2s, longest}, me, t0}.deadline() == rh::never);
    }

    TEST_CASE("k is held at what can be stored") {
        rh::suspicion_timer<2> timer{{5, 2s, 30s}, me, t0};
        CHECK(timer.confirm(1));
        CHECK(timer.confirm(2));
        CHECK_FALSE(timer.confirm(3));
        CHECK(timer.timeout() == 2s);
    }

    TEST_CASE("the limits of a group grow with its size") {
        CHECK(rh::lifeguard_lan.limits(5) == rh::suspicion_limits{2, 4s, 24s});
        CHECK(rh::lifeguard_lan.limits(10) == rh::suspicion_limits{2, 4s, 24s});
        CHECK(rh::lifeguard_lan.limits(50) == rh::suspicion_limits{2, 6'792ms, 40'752ms});
        CHECK(rh::lifeguard_lan.limits(100) == rh::suspicion_limits{2, 8s, 48s});
        CHECK(rh::lifeguard_lan.limits(1000) == rh::suspicion_limits{2, 12s, 72s});
        CHECK(rh::lifeguard_wan.limits(10) == rh::suspicion_limits{4, 30s, 180s});
        CHECK(rh::lifeguard_local.limits(10) == rh::suspicion_limits{1, 3s, 18s});
    }

    TEST_CASE("nobody is waited for in a group too small to confirm") {
        CHECK(rh::lifeguard_lan.limits(4).k == 2);
        CHECK(rh::lifeguard_lan.limits(3).k == 0);
        for (const std::uint32_t members : {0U, 1U, 2U}) CHECK(rh::lifeguard_lan.limits(members).k == 0);
        CHECK(rh::lifeguard_profile{1, 6, 1s}.limits(100).k == 0);
    }

    TEST_CASE("limits that can not be expressed are held") {
        const auto most = rh::lifeguard_profile{UINT32_MAX, UINT32_MAX, longest}.limits(UINT32_MAX);
        CHECK(most.longest == longest);
        CHECK(most.shortest > 24h);
        CHECK(rh::lifeguard_profile{0, 0, 1s}.limits(9) == rh::suspicion_limits{0, 0s, 0s});
    }

    TEST_CASE("the local score stays in its bounds and stretches timeouts") {
        rh::local_awareness own;
        CHECK(own.worst() == 7);
        CHECK(own.scale(500ms) == 500ms);
        CHECK(own.apply_delta(-3) == 0);
        CHECK(own.apply_delta(2) == 2);
        CHECK(own.scale(500ms) == 1500ms);
        CHECK(own.apply_delta(100) == 7);
        CHECK(own.scale(500ms) == 4s);
        CHECK(own.apply_delta(-1) == 6);
        CHECK(own.scale(longest) == longest);
        CHECK(own.scale((rh::duration::min)()) == (rh::duration::min)());
        CHECK(own.apply_delta(INT32_MIN) == 0);
        CHECK(own.apply_delta(INT32_MAX) == 7);
        CHECK(own.score() == 7);
        rh::local_awareness one{1};
        CHECK(one.apply_delta(5) == 0);
        CHECK(rh::local_awareness{-4}.worst() == 0);
    }
}
