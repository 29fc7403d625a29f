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

    TEST_CASE("a count saturates instead of beginning again") {
        rh::sample_count::accumulator few{UINT32_MAX};
        rh::sample_count::add(few, 1);
        CHECK(rh::sample_count::count(few) == UINT32_MAX);
        rh::any_statistic::accumulator full{};
        full.count = UINT32_MAX;
        rh::any_statistic::add(full, 1);
        CHECK(rh::any_statistic::count(full) == UINT32_MAX);
    }

    TEST_CASE("the names are CloudWatch's") {
        CHECK(to_string(statistic::sample_count) == "SampleCount");
        CHECK(to_string(statistic::sum) == "Sum");
        CHECK(to_string(statistic::average) == "Average");
        CHECK(to_string(statistic::minimum) == "Minimum");
        CHECK(to_string(statistic::maximum) == "Maximum");
    }
}
