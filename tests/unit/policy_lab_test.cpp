// SPDX-License-Identifier: MIT
// The statistics of examples/policy_lab.
#include "../../examples/policy_lab/statistics.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

using namespace policy_lab;

TEST_CASE("policy_lab: a percentile is a value that was seen, and that many per cent do not exceed it") {
    const std::array ten{1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0};
    struct row {
        double percent;
        double value;
    };
    for (const row& r :
         {row{0, 1}, row{1, 1}, row{10, 1}, row{11, 2}, row{50, 5}, row{51, 6}, row{95, 10}, row{99, 10}, row{100, 10}})
        CHECK_MESSAGE(percentile(ten, r.percent) == r.value, r.percent);
    CHECK(percentile({}, 50) == 0);
    const std::array one{7.0};
    for (const double p : {0.0, 50.0, 100.0}) CHECK(percentile(one, p) == 7);
}

TEST_CASE("policy_lab: outages that overlap are counted once") {
    constexpr double day = 86400;
    struct row {
        std::vector<interval> all;
        double covered;
    };
    const std::array rows{
        row{{}, 0},
        row{{{10, 20}}, 10},
        row{{{10, 20}, {30, 40}}, 20},
        row{{{10, 20}, {15, 40}}, 30},            // the second goes on
        row{{{10, 100}, {20, 30}, {40, 50}}, 90}, // within the first
        row{{{10, 20}, {20, 30}}, 20},            // they touch
        row{{{10, 20}, {10, 20}}, 10},            // the same twice
        row{{{40, 50}, {10, 20}, {15, 45}}, 40},  // in no order
        row{{{day - 10, day + 500}}, 10},         // what is after the end is not of this day
        row{{{day + 10, day + 20}}, 0},
        row{{{0, day}, {0, 2 * day}, {5, 6}}, day},
    };
    for (const row& r : rows) CHECK(covered(r.all, day) == r.covered);
}

TEST_CASE("policy_lab: the noise of a mean is what Student says") {
    const std::array values{2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0};
    const estimate e = estimate_of(values);
    CHECK(e.mean == doctest::Approx(5));
    // The variance is 32 / 7, the quantile for 7 degrees of freedom 2.365.
    CHECK(e.noise == doctest::Approx(2.365 * std::sqrt(32.0 / 7 / 8)));
    CHECK(e.differs());
    CHECK(student(1) == doctest::Approx(12.71));
    CHECK(student(49) == doctest::Approx(2.042));
    CHECK(student(1000) == doctest::Approx(2.0));
}

TEST_CASE("policy_lab: of one run nothing is known of the noise, and of none nothing at all") {
    const std::array one{3.0};
    CHECK(estimate_of(one).mean == 3);
    CHECK(std::isinf(estimate_of(one).noise));
    CHECK_FALSE(estimate_of(one).differs());
    CHECK(estimate_of({}).mean == 0);
    CHECK_FALSE(estimate_of({}).differs());
}

TEST_CASE("policy_lab: a difference is seen through noise that both had to bear") {
    // Quiet and wild runs; in each of them the second one is a little worse.
    std::vector<double> first;
    std::vector<double> second;
    for (std::size_t n = 0; n < 20; ++n) {
        first.push_back(n % 2 == 0 ? 10 : 1000);
        second.push_back(first.back() + 4 + (n % 3 == 0 ? 1 : 0));
    }
    const estimate by = difference_of(second, first);
    CHECK(by.differs());
    CHECK(by.low() > 4);
    CHECK(by.high() < 5);
    CHECK(estimate_of(first).noise > 200);
    CHECK_FALSE(difference_of(first, first).differs());
}
