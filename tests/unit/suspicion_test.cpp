// SPDX-License-Identifier: MIT
#include <reheat/alarm/pause_guard.hpp>
#include <reheat/alarm/suspicion.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

namespace rh = reheat;
using namespace std::chrono_literals;
using doctest::Approx;

namespace {

constexpr rh::time_point t0{1'767'225'600s};

struct phi_case {
    double t;
    double mean;
    double sd;
    double phi;
};

/// Akka's policy without a pause, so that figures are easy to follow.
constexpr rh::phi_normal strict{.acceptable_pause = 0s};

/// A detector that has heard `n` heartbeats, the first at `t0`, every `interval`.
template <class Policy>
rh::accrual_detector<Policy> steady(const Policy& policy, int n, rh::duration interval) {
    rh::accrual_detector<Policy> d{policy};
    for (int i = 0; i < n; ++i) d.heartbeat(t0 + i * interval);
    return d;
}

struct lenient { // suspects after a silence of nine times the first interval, whatever comes
    std::uint32_t window = 1;
    [[nodiscard]] bool suspects(double phi) const noexcept { return phi > 9; }
    template <class History>
    [[nodiscard]] double phi(rh::duration silence, const History& seen) const noexcept {
        return std::chrono::duration<double, std::milli>{silence}.count() / seen.mean();
    }
    [[nodiscard]] bool records(rh::duration, double) const noexcept { return false; }
    template <class History>
    void seed(History& seen) const noexcept {
        seen.push(1s);
    }
};

static_assert(rh::suspicion_policy<rh::phi_normal>);
static_assert(rh::suspicion_policy<rh::phi_exponential>);
static_assert(rh::suspicion_policy<lenient>);
static_assert(!rh::suspicion_policy<int>);
static_assert(rh::interval_unit<std::chrono::microseconds>);
static_assert(!rh::interval_unit<std::chrono::seconds>);

} // namespace

TEST_SUITE("suspicion") {
    TEST_CASE("phi of a normal distribution, on both sides of the mean, to ten digits") {
        const phi_case cases[] = {{700, 1000, 100, 0.000535274549457}, {900, 1000, 100, 0.0750330321409},
                                  {1000, 1000, 100, 0.301029995664},   {1150, 1000, 100, 1.17426867959},
                                  {1300, 1000, 100, 2.90947532648},    {2500, 2000, 800, 0.575346405172},
                                  {9000, 1000, 100, 15746.4756071},    {60'000, 10'000, 250, 245'310.161053}};
        for (const phi_case& c : cases) {
            CAPTURE(c.t);
            CHECK(rh::normal_phi(c.t, c.mean, c.sd) == Approx(c.phi).epsilon(1e-10));
        }
        CHECK(rh::normal_phi(-1e9, 0, 1) == 0);
        CHECK(std::isfinite(rh::normal_phi(1e13, 0, 1)));
    }

    TEST_CASE("the logistic approximation is within 0.0002 of the normal distribution") {
        double worst = 0;
        for (int i = -800; i <= 800; ++i) {
            const double y = i / 100.0;
            worst = (std::fmax)(worst, std::fabs(rh::normal_cdf(y, 0, 1) - std::erfc(-y / std::numbers::sqrt2) / 2));
        }
        CHECK(worst < 0.0002);
        CHECK(rh::normal_cdf(-1e6, 0, 1) == 0);
        CHECK(rh::normal_cdf(1e6, 0, 1) == 1);
    }

    TEST_CASE("phi of an exponential distribution grows with the silence: 8 is 18.4 mean intervals") {
        CHECK(rh::exponential_phi(0, 5) == 0);
        CHECK(rh::exponential_phi(std::numbers::ln10 * 7, 7) == Approx(1).epsilon(1e-12));
        CHECK(rh::exponential_phi(18.42 * 250, 250) == Approx(8).epsilon(1e-4));
    }

    TEST_CASE("a history's mean and variance are those of its last intervals") {
        rh::interval_history<> h{3};
        CHECK(h.capacity() == 3);
        CHECK(h.mean() == 0);
        CHECK(h.variance() == 0);
        h.push(40ms);
        CHECK(h.mean() == 40);
        CHECK(h.variance() == 0);
        h.push(10ms);
        h.push(70ms);
        CHECK(h.mean() == 40);
        CHECK(h.variance() == 600);
        h.push(100ms); // 40 leaves
        CHECK(h.size() == 3);
        CHECK(h.mean() == 60);
        CHECK(h.variance() == 1400);
    }

    TEST_CASE("intervals are rounded to a unit and held at the longest") {
        rh::interval_history<> ms{1};
        ms.push(1499us);
        CHECK(ms.mean() == 1);
        ms.push(1500us);
        CHECK(ms.mean() == 2);
        ms.push(-5s);
        CHECK(ms.mean() == 0);
        ms.push((rh::duration::max)());
        CHECK(ms.mean() == ms.longest);
        rh::interval_history<std::chrono::microseconds> us{1};
        us.push(1500us);
        CHECK(us.mean() == 1500);
        us.push(135s);
        CHECK(us.mean() == us.longest);
        CHECK(rh::interval_history<>{0}.capacity() == 1);
        CHECK(rh::interval_history<>{1'000'000}.capacity() == 4096);
    }

    TEST_CASE("the largest spread in the largest window does not overflow") {
        rh::interval_history<> h{4096};
        for (int i = 0; i < 10'000; ++i) h.push(i % 2 == 0 ? 0h : 1000h);
        const double half = h.longest / 2.0;
        CHECK(h.mean() == half);
        CHECK(h.variance() == Approx(half * half).epsilon(1e-12));
    }

    TEST_CASE("before the first heartbeat nothing is suspicious") {
        rh::accrual_detector<rh::phi_normal> d;
        CHECK(d.phi(t0) == 0);
        CHECK(d.phi(rh::never) == 0);
        CHECK_FALSE(d.suspects(rh::never));
        CHECK(d.suspect_at() == rh::never);
    }

    TEST_CASE("after one heartbeat the estimate speaks: a mean of it and a deviation of a quarter of it") {
        rh::accrual_detector<rh::phi_normal> d{{.acceptable_pause = 0s, .first_estimate = 8s}};
        d.heartbeat(t0);
        CHECK(d.history().mean() == 8000);
        CHECK(d.history().variance() == 2000.0 * 2000.0);
        CHECK(d.phi(t0 + 10s) == rh::normal_phi(10, 8, 2));
    }

    TEST_CASE("regular heartbeats sharpen the suspicion down to the least deviation") {
        const auto few = steady(strict, 3, 1s);
        const auto many = steady(strict, 900, 1s);
        const rh::time_point last = t0 + 899s;
        CHECK(many.phi(last + 1500ms) > few.phi(t0 + 2s + 1500ms));
        CHECK(many.phi(last + 1500ms) == Approx(rh::normal_phi(1500, 1000, 100)).epsilon(1e-6));
        CHECK_FALSE(many.suspects(last + 1515ms));
        CHECK(many.suspects(last + 1530ms));
    }

    TEST_CASE("the acceptable pause moves the mean") {
        const auto d = steady(rh::phi_normal{.acceptable_pause = 7s}, 900, 1s);
        CHECK(d.phi(t0 + 899s + 8s) == Approx(std::log10(2)).epsilon(1e-9));
    }

    TEST_CASE("the interval that ends a failure is not learnt, but its end is heard") {
        auto d = steady(strict, 100, 1s);
        const double mean = d.history().mean();
        const rh::time_point back = t0 + 99s + 5min;
        CHECK(d.suspects(back));
        d.heartbeat(back);
        CHECK(d.history().mean() == mean);
        CHECK(d.history().size() == 101); // two of the estimate and 99
        CHECK_FALSE(d.suspects(back));
        CHECK(d.suspects(back + 3s));
        d.heartbeat(back + 1100ms);
        CHECK(d.history().size() == 102);
    }

    TEST_CASE("a heartbeat that is not later than the last is ignored") {
        auto d = steady(strict, 10, 1s);
        d.heartbeat(t0 + 4s);
        d.heartbeat(t0 + 9s);
        CHECK(d.history().size() == 11);
        CHECK(d.phi(t0 + 10s) == steady(strict, 10, 1s).phi(t0 + 10s));
        CHECK(d.phi(t0) == d.phi(t0 + 9s)); // asked of the past: no silence
    }

    TEST_CASE("exponential: the first interval is the estimate, and long intervals are not learnt") {
        rh::accrual_detector<rh::phi_exponential> d;
        d.heartbeat(t0);
        CHECK(d.history().mean() == 2000);
        CHECK(d.phi(t0 + 4s) == Approx(2 / std::numbers::ln10));
        d.heartbeat(t0 + 1s);
        CHECK(d.history().mean() == 1500);
        d.heartbeat(t0 + 3s + 1ns); // longer than 2 s
        CHECK(d.history().mean() == 1500);
        CHECK(d.phi(t0 + 3s + 1ns) == 0);
        d.heartbeat(t0 + 5s + 1ns); // exactly 2 s
        CHECK(d.history().size() == 3);
    }

    TEST_CASE("exponential: a mean below a unit counts as one unit") {
        rh::accrual_detector<rh::phi_exponential> d{{.window = 1}};
        d.heartbeat(t0);
        d.heartbeat(t0 + 1us);
        CHECK(d.history().mean() == 0);
        CHECK(d.phi(t0 + 1us + 10ms) == Approx(10 / std::numbers::ln10));
    }

    TEST_CASE("suspect_at is the first time at which the target is suspected") {
        const auto normal = steady(rh::phi_normal{}, 50, 10s);
        CHECK(normal.suspects(normal.suspect_at()));
        CHECK_FALSE(normal.suspects(normal.suspect_at() - 1ns));
        const auto exponential = steady(rh::phi_exponential{}, 500, 1s);
        CHECK(exponential.suspects(exponential.suspect_at()));
        CHECK_FALSE(exponential.suspects(exponential.suspect_at() - 1ns));
        CHECK(exponential.suspect_at() - (t0 + 499s) > 18'400ms);
        CHECK(exponential.suspect_at() - (t0 + 499s) < 18'480ms);
        CHECK(steady(rh::phi_normal{.threshold = 1e300}, 5, 1s).suspect_at() == rh::never);
        CHECK(steady(rh::phi_normal{.threshold = 0}, 5, 1s).suspect_at() == t0 + 4s);
    }

    TEST_CASE("on the threshold itself Akka suspects and Cassandra does not yet") {
        CHECK(rh::phi_normal{}.suspects(8));
        CHECK_FALSE(rh::phi_exponential{}.suspects(8));
    }

    TEST_CASE("a policy of one's own") {
        const auto d = steady(lenient{}, 4, 1s);
        CHECK(d.suspect_at() == t0 + 3s + 9s + 1ns);
    }

    TEST_CASE("the ends of time are no trouble") {
        rh::accrual_detector<rh::phi_normal> d;
        d.heartbeat((rh::time_point::min)());
        CHECK(d.suspects(rh::never));
        d.heartbeat(rh::never);
        CHECK(d.suspect_at() == rh::never);
        CHECK(d.phi(rh::never) < 1);
    }

    TEST_CASE("a policy's numbers are checked, and the error names the one") {
        CHECK(validate(rh::phi_normal{}));
        CHECK(validate(rh::phi_exponential{}));
        CHECK(validate(rh::phi_normal{.threshold = 0}).error().where == "threshold");
        CHECK(validate(rh::phi_normal{.threshold = std::nan("")}).error().where == "threshold");
        CHECK(validate(rh::phi_normal{.min_sd = 0s}).error().where == "min_sd");
        CHECK(validate(rh::phi_normal{.acceptable_pause = -1s}).error().where == "acceptable_pause");
        CHECK(validate(rh::phi_normal{.first_estimate = 25h}).error().where == "first_estimate");
        CHECK(validate(rh::phi_normal{.window = 1}).error().where == "window");
        CHECK(validate(rh::phi_exponential{.threshold = -1}).error().where == "threshold");
        CHECK(validate(rh::phi_exponential{.first_estimate = 0s}).error().where == "first_estimate");
        CHECK(validate(rh::phi_exponential{.max_interval = 0s}).error().where == "max_interval");
        CHECK(validate(rh::phi_exponential{.window = 4097}).error().where == "window");
    }
}

TEST_SUITE("pause guard") {
    TEST_CASE("after a gap longer than 5 s between two own checks nobody is convicted for 5 s") {
        rh::pause_guard g;
        CHECK(g.check(t0));
        CHECK(g.check(t0 + 5s)); // exactly 5 s is no pause
        CHECK_FALSE(g.check(t0 + 10s + 1ns));
        CHECK(g.held_until() == t0 + 15s + 1ns);
        CHECK_FALSE(g.check(t0 + 15s));
        CHECK(g.check(t0 + 15s + 1ns));
    }

    TEST_CASE("a pause during the hold begins it again") {
        rh::pause_guard g{2s, 10s};
        CHECK(g.check(t0));
        CHECK_FALSE(g.check(t0 + 3s));
        CHECK_FALSE(g.check(t0 + 6s));
        CHECK(g.held_until() == t0 + 16s);
    }

    TEST_CASE("with it, a process that was stopped convicts only who stays silent") {
        auto alive = steady(rh::phi_exponential{}, 100, 1s);
        const auto dead = steady(rh::phi_exponential{}, 100, 1s);
        rh::pause_guard g;
        rh::time_point now = t0 + 99s;
        CHECK(g.check(now));
        now += 60s; // stopped; both silences are our own
        CHECK_FALSE(g.check(now));
        for (int i = 1; i <= 5; ++i) {
            now += 1s;
            alive.heartbeat(now);
            const bool may_convict = g.check(now);
            CHECK(may_convict == (i == 5));
        }
        CHECK(dead.suspects(now));
        CHECK_FALSE(alive.suspects(now));
    }
}
