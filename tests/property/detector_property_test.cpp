// SPDX-License-Identifier: MIT
// Detectors that keep sums and bits say what a recomputation from everything that came says.
#include <reheat/alarm/flap.hpp>
#include <reheat/alarm/lifeguard.hpp>
#include <reheat/alarm/suspicion.hpp>
#include <reheat/core/hash.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;

namespace {

constexpr rh::time_point t0{1'767'225'600s};

/// Numbers from a seed, the same on every system.
class numbers {
public:
    explicit numbers(std::uint64_t seed) noexcept : state_{seed} {}
    std::int64_t below(std::int64_t n) noexcept {
        return static_cast<std::int64_t>(rh::mix(++state_) % static_cast<std::uint64_t>(n));
    }
    bool one_in(std::int64_t n) noexcept { return below(n) == 0; }

private:
    std::uint64_t state_;
};

/// The last intervals themselves, reduced in two passes each time.
struct naive_history {
    std::size_t window;
    std::deque<std::int64_t> kept;

    void push(std::int64_t interval) {
        kept.push_back(interval);
        if (kept.size() > window) kept.pop_front();
    }
    [[nodiscard]] long double mean() const {
        std::int64_t sum = 0;
        for (const std::int64_t k : kept) sum += k;
        return static_cast<long double>(sum) / static_cast<long double>(kept.size());
    }
    [[nodiscard]] long double variance() const {
        const long double about = mean();
        long double sum = 0;
        for (const std::int64_t k : kept)
            sum += (static_cast<long double>(k) - about) * (static_cast<long double>(k) - about);
        return sum / static_cast<long double>(kept.size());
    }
};

template <class History>
void check_same(const History& h, const naive_history& naive) {
    REQUIRE(h.size() == naive.kept.size());
    const auto mean = static_cast<double>(naive.mean());
    const auto variance = static_cast<double>(naive.variance());
    REQUIRE(std::fabs(h.mean() - mean) <= 1e-14 * mean);
    REQUIRE(std::fabs(h.variance() - variance) <= 1e-12 * variance);
}

/// A heartbeat every second or so, with pauses, jitter, and some that come late or twice.
template <class Policy>
rh::time_point live(rh::accrual_detector<Policy>& d, numbers& n) {
    rh::time_point now = t0;
    const std::int64_t jitter = 1 + n.below(800);
    for (std::int64_t i = n.below(60); i >= 0; --i) {
        d.heartbeat(n.one_in(10) ? now - 1s : now);
        now += 600ms + std::chrono::milliseconds{n.below(jitter)};
        if (n.one_in(20)) now += std::chrono::milliseconds{n.below(20'000)};
    }
    return now;
}

template <class Policy>
void phi_never_falls(const Policy& policy, std::uint64_t seed) {
    INFO("seed " << seed);
    numbers n{seed};
    rh::accrual_detector<Policy> d{policy};
    rh::time_point now = live(d, n);
    double before = d.phi(now);
    REQUIRE(before >= 0);
    for (int i = 0; i < 60; ++i) {
        now += rh::duration{1 + n.below(std::int64_t{1} << n.below(40))};
        const double phi = d.phi(now);
        REQUIRE(phi >= before);
        before = phi;
    }
    const rh::time_point at = d.suspect_at();
    REQUIRE(at != rh::never);
    REQUIRE(d.suspects(at));
    REQUIRE_FALSE(d.suspects(at - 1ns));
    REQUIRE(d.suspects(now) == (now >= at));
}

/// A rule of flapping in the words of its documentation: weights of changes and thresholds in percent.
struct naive_rule {
    double oldest;
    double step;
    double low;
    double high;
    bool starts_on_high;
};

constexpr naive_rule icinga{0.8, 0.02, 25, 30, false};
constexpr naive_rule nagios{0.75, 0.5 / 19, 20, 30, true};

/// What a flap detector should say, from all states that came; the first is the one before them.
struct naive_flap {
    naive_rule rule;
    std::vector<int> states;
    bool flapping = false;

    double add(int state) {
        states.push_back(state);
        double sum = 0;
        for (std::size_t age = 0; age < 20 && age + 1 < states.size(); ++age) {
            const std::size_t newer = states.size() - 1 - age;
            if (states[newer] != states[newer - 1]) sum += rule.oldest + rule.step * static_cast<double>(19 - age);
        }
        const double percent = sum * 5;
        const double about = 1e-9; // sums of fractions miss a threshold that they should be on
        const double start = rule.starts_on_high ? rule.high - about : rule.high + about;
        flapping = percent > (flapping ? rule.low + about : start);
        return percent;
    }
};

/// States that change rarely for a while, then often, then rarely again.
std::vector<int> states(numbers& n) {
    std::vector<int> all;
    int state = static_cast<int>(n.below(4));
    for (std::int64_t phase = 1 + n.below(4); phase > 0; --phase) {
        const std::int64_t rarity = 1 + n.below(12);
        for (std::int64_t i = n.below(40); i > 0; --i) {
            if (n.one_in(rarity)) state = static_cast<int>(n.below(4));
            all.push_back(state);
        }
    }
    return all;
}

template <class Policy>
int flap_as_recomputed(const naive_rule& rule, std::uint64_t seed) {
    INFO("seed " << seed);
    numbers n{seed};
    int edges = 0;
    rh::flap_detector<Policy, int> d{3};
    naive_flap naive{rule, {3}};
    for (const int s : states(n)) {
        const bool before = d.flapping();
        const rh::flap_edge edge = d.add(s);
        const double percent = naive.add(s);
        REQUIRE(std::fabs(d.value() - percent) < 1e-9);
        REQUIRE(d.flapping() == naive.flapping);
        REQUIRE((edge != rh::flap_edge::none) == (before != d.flapping()));
        REQUIRE((edge == rh::flap_edge::started) == (!before && d.flapping()));
        edges += edge == rh::flap_edge::none ? 0 : 1;
    }
    return edges;
}

} // namespace

TEST_SUITE("detector properties") {
    TEST_CASE("an incremental history is the history recomputed") {
        for (std::uint64_t seed = 1; seed <= 300; ++seed) {
            INFO("seed " << seed);
            numbers n{seed};
            const auto window = static_cast<std::uint32_t>(1 + n.below(40));
            const std::int64_t most = n.one_in(3) ? rh::interval_history<>::longest : 1 + n.below(100'000);
            rh::interval_history<> h{window};
            naive_history naive{window, {}};
            for (int i = 0; i < 300; ++i) {
                const std::int64_t interval = n.below(most + 1);
                h.push(std::chrono::milliseconds{interval});
                naive.push(interval);
                check_same(h, naive);
            }
        }
    }

    TEST_CASE("and still is after ten million heartbeats") {
        constexpr std::uint64_t seed = 77;
        INFO("seed " << seed);
        numbers n{seed};
        rh::interval_history<std::chrono::microseconds> h{1000};
        naive_history naive{1000, {}};
        for (int i = 1; i <= 10'000'000; ++i) {
            const std::int64_t interval = n.one_in(1000) ? n.below(h.longest) : 990'000 + n.below(20'000);
            h.push(std::chrono::microseconds{interval});
            naive.push(interval);
            if (i % 100'000 == 0) check_same(h, naive);
        }
        for (int i = 0; i < 1000; ++i) h.push(1s);
        CHECK(h.mean() == 1'000'000);
        CHECK(h.variance() == 0); // no trace of what has left
    }

    TEST_CASE("phi never falls while the silence lasts, and suspect_at is where it crosses the threshold") {
        for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
            phi_never_falls(rh::phi_normal{}, seed);
            phi_never_falls(rh::phi_normal{.threshold = 1, .acceptable_pause = 0s, .window = 7}, seed);
            phi_never_falls(rh::phi_exponential{}, seed);
        }
    }

    TEST_CASE("a failure is not learnt: no interval that ended one is in the history") {
        for (std::uint64_t seed = 1; seed <= 500; ++seed) {
            INFO("seed " << seed);
            numbers n{seed};
            rh::accrual_detector<rh::phi_normal> d;
            rh::time_point now = live(d, n);
            for (int i = 0; i < 40; ++i) {
                const double mean = d.history().mean();
                const double variance = d.history().variance();
                now = rh::later(now, d.suspect_at()) + std::chrono::milliseconds{n.below(1'000'000)};
                d.heartbeat(now);
                REQUIRE(d.history().mean() == mean);
                REQUIRE(d.history().variance() == variance);
            }
        }
    }

    TEST_CASE("flapping from bits is flapping from all states") {
        int edges = 0;
        for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
            edges += flap_as_recomputed<rh::icinga_flap>(icinga, seed);
            edges += flap_as_recomputed<rh::nagios_flap>(nagios, seed);
        }
        CHECK(edges > 10'000); // the streams do flap
    }

    TEST_CASE("the gate loses no notification and sends none twice") {
        int withheld = 0;
        for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
            INFO("seed " << seed);
            numbers n{seed};
            rh::flap_detector<rh::icinga_flap, int> d{3};
            rh::flap_gate<int> gate{3};
            std::vector<int> sent{3};
            for (const int s : states(n)) {
                d.add(s);
                if (gate.due(s, d.flapping())) {
                    REQUIRE_FALSE(d.flapping());
                    REQUIRE(sent.back() != s);
                    sent.push_back(s);
                }
                REQUIRE(gate.told() == sent.back());
                if (!d.flapping()) REQUIRE(sent.back() == s);
                withheld += sent.back() == s ? 0 : 1;
            }
        }
        CHECK(withheld > 10'000);
    }

    TEST_CASE("a suspicion's time never grows with a confirmation and stays in its limits") {
        for (std::uint64_t seed = 1; seed <= 5'000; ++seed) {
            INFO("seed " << seed);
            numbers n{seed};
            const rh::duration shortest = std::chrono::milliseconds{1 + n.below(100'000)};
            const rh::suspicion_limits limits{static_cast<std::uint32_t>(n.below(10)), shortest,
                                              shortest + std::chrono::milliseconds{n.below(1'000'000)}};
            const std::uint64_t accuser = 5;
            rh::suspicion_timer<16> timer{limits, accuser, t0};
            std::set<std::uint64_t> others;
            rh::duration before = limits.longest;
            for (int i = 0; i < 30; ++i) {
                const auto from = static_cast<std::uint64_t>(n.below(12));
                const bool fresh = from != accuser && others.size() < limits.k && others.insert(from).second;
                REQUIRE(timer.confirm(from) == fresh);
                REQUIRE(timer.confirmations() == others.size());
                REQUIRE(timer.timeout() <= before);
                REQUIRE(timer.timeout() >= limits.shortest);
                before = timer.timeout();
            }
            if (others.size() == limits.k) REQUIRE(before == limits.shortest);
        }
    }
}
