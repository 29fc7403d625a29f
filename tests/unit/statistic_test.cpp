// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace rh = reheat;
using rh::statistic;

namespace {

struct statistic_case {
    std::vector<double> samples;
    statistic kind;
    double value;
};

template <rh::statistic_policy S>
double reduced(const S& s, const std::vector<double>& samples) {
    typename S::accumulator a{};
    for (const double v : samples) s.add(a, v);
    CHECK(s.count(a) == samples.size());
    return s.value(a);
}

} // namespace

TEST_SUITE("statistic") {
    TEST_CASE("each statistic reduces a period's samples as its name says") {
        const statistic_case cases[] = {
            {{3}, statistic::sample_count, 1},      {{3, 3, 3}, statistic::sample_count, 3},
            {{1, 2, 4}, statistic::sum, 7},         {{-1, 1}, statistic::sum, 0},
            {{1, 2, 6}, statistic::average, 3},     {{-5}, statistic::average, -5},
            {{2, -7, 3}, statistic::minimum, -7},   {{2, 9, 3}, statistic::maximum, 9},
            {{-2, -9, -3}, statistic::maximum, -2}, {{4, 4}, statistic::minimum, 4},
        };
        for (const statistic_case& c : cases) {
            CAPTURE(to_string(c.kind));
            CHECK(reduced(rh::any_statistic{c.kind}, c.samples) == c.value);
        }
    }

    TEST_CASE("a statistic fixed at compile time gives what the one chosen at run time gives") {
        constexpr std::uint64_t seed = 11;
        CAPTURE(seed);
        support::dice dice{seed};
        for (int round = 0; round < 200; ++round) {
            std::vector<double> samples;
            for (std::int64_t n = dice.below(20) + 1; n > 0; --n)
                samples.push_back(static_cast<double>(dice.below(2000) - 1000) / 8);
            CHECK(reduced(rh::sample_count{}, samples) == reduced(rh::any_statistic{statistic::sample_count}, samples));
            CHECK(reduced(rh::sum{}, samples) == reduced(rh::any_statistic{statistic::sum}, samples));
            CHECK(reduced(rh::average{}, samples) == reduced(rh::any_statistic{statistic::average}, samples));
            CHECK(reduced(rh::minimum{}, samples) == *std::min_element(samples.begin(), samples.end()));
            CHECK(reduced(rh::maximum{}, samples) == *std::max_element(samples.begin(), samples.end()));
        }
    }

    TEST_CASE("a count goes beyond 32 bits, and stops at the most there is instead of beginning again") {
        rh::sample_count::accumulator few{};
        rh::any_statistic::accumulator full{};
        for (int n = 0; n < 5; ++n) {
            rh::sample_count::add(few, 1, 1'000'000'000);
            rh::any_statistic::add(full, 2, 1'000'000'000);
        }
        CHECK(rh::sample_count::value(few) == 5e9);
        CHECK(rh::any_statistic{statistic::sum}.value(full) == 1e10);
        CHECK(rh::any_statistic{statistic::average}.value(full) == 2);
        rh::sample_count::add(few, 1, UINT64_MAX);
        rh::any_statistic::add(full, 1, UINT64_MAX);
        CHECK(rh::sample_count::count(few) == UINT64_MAX);
        CHECK(rh::any_statistic::count(full) == UINT64_MAX);
    }

    TEST_CASE("a set of samples counts as its samples do; one without samples does not count") {
        rh::any_statistic::accumulator a{};
        rh::any_statistic::add(a, 11);
        rh::any_statistic::add_set(a, {.sample_count = 10, .sum = 55, .minimum = 1, .maximum = 10});
        rh::any_statistic::add_set(a, {.sample_count = 0, .sum = 5, .minimum = -100, .maximum = 100});
        CHECK(rh::any_statistic{statistic::sample_count}.value(a) == 11);
        CHECK(rh::any_statistic{statistic::average}.value(a) == 6);
        CHECK(rh::any_statistic{statistic::minimum}.value(a) == 1);
        CHECK(rh::any_statistic{statistic::maximum}.value(a) == 11);
        rh::sample_count::accumulator count{};
        rh::sample_count::add_set(count, {.sample_count = 10, .sum = 55, .minimum = 1, .maximum = 10});
        CHECK(rh::sample_count::count(count) == 10);
    }

    TEST_CASE("the names are CloudWatch's") {
        CHECK(to_string(statistic::sample_count) == "SampleCount");
        CHECK(to_string(statistic::sum) == "Sum");
        CHECK(to_string(statistic::average) == "Average");
        CHECK(to_string(statistic::minimum) == "Minimum");
        CHECK(to_string(statistic::maximum) == "Maximum");
        CHECK(to_string(statistic::extended) == "Extended");
    }
}
