// SPDX-License-Identifier: MIT
#include <reheat/metric/distribution.hpp>
#include <reheat/metric/extended_statistic.hpp>
#include <reheat/metric/low_sample.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace rh = reheat;
using namespace std::chrono_literals;
using support::dice;
using support::start;

namespace {

using exact = rh::extended_statistic<rh::retained_values<1024>>;
using sketched = rh::extended_statistic<rh::sketch<256>>;

template <class Policy>
double of_hundred(std::string_view name) {
    const Policy s{*rh::parse_statistic(name)};
    typename Policy::accumulator a{};
    for (int n = 1; n <= 100; ++n) s.add(a, n);
    REQUIRE(s.available(a));
    return s.value(a);
}

/// Every sample by itself, sorted, and the definitions read out.
double naive(const rh::statistic_spec& s, std::vector<double> all) {
    std::sort(all.begin(), all.end());
    const auto n = static_cast<double>(all.size());
    const auto share = [](std::uint64_t units) { return static_cast<double>(units) / 1e12; };
    if (s.kind == rh::extended_kind::percentile) {
        const double rank = std::ceil(static_cast<double>(s.upper_share) / 1e10 / 100 * n);
        return all[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
    }
    std::size_t from = 0;
    std::size_t to = all.size();
    if (s.of_values) {
        if (s.has_lower)
            from = static_cast<std::size_t>(std::upper_bound(all.begin(), all.end(), s.lower_value) - all.begin());
        if (s.has_upper)
            to = static_cast<std::size_t>(std::upper_bound(all.begin(), all.end(), s.upper_value) - all.begin());
    } else {
        from = static_cast<std::size_t>(std::floor(share(s.lower_share) * n + 1e-9));
        to = all.size() - static_cast<std::size_t>(std::floor((1 - share(s.upper_share)) * n + 1e-9));
    }
    if (to < from) to = from;
    double sum = 0;
    for (std::size_t i = from; i < to; ++i) sum += all[i];
    const auto inside = static_cast<double>(to - from);
    switch (s.kind) {
    case rh::extended_kind::trimmed_mean: return sum / inside;
    case rh::extended_kind::trimmed_count: return inside;
    case rh::extended_kind::trimmed_sum: return sum;
    case rh::extended_kind::winsorized_mean:
        return (sum + all[from] * static_cast<double>(from) + all[to - 1] * static_cast<double>(all.size() - to)) / n;
    case rh::extended_kind::percentile_rank: return 100 * inside / n;
    default: return 0;
    }
}

} // namespace

TEST_SUITE("distribution") {
    TEST_CASE("the family over 1 to 100") {
        CHECK(of_hundred<exact>("p1") == 1);
        CHECK(of_hundred<exact>("p50") == 50);
        CHECK(of_hundred<exact>("p99.5") == 100);
        CHECK(of_hundred<exact>("p100") == 100);
        CHECK(of_hundred<exact>("p0") == 1);
        CHECK(of_hundred<exact>("tm90") == 45.5);
        CHECK(of_hundred<exact>("tc90") == 90);
        CHECK(of_hundred<exact>("ts90") == 4095);
        CHECK(of_hundred<exact>("TS(80%:)") == 1810);
        CHECK(of_hundred<exact>("IQM") == 50.5);
        CHECK(of_hundred<exact>("WM(10%:90%)") == 50.5);
        CHECK(of_hundred<exact>("TC(20:50)") == 30); // 20 is outside, 50 inside
        CHECK(of_hundred<exact>("PR(:50)") == 50);
        CHECK(of_hundred<exact>("Average") == 50.5);
    }

    TEST_CASE("no whole sample is divided: so many are cut as the share has") {
        const exact s{*rh::parse_statistic("IQM")};
        exact::accumulator a{};
        for (int n = 1; n <= 10; ++n) s.add(a, n);
        CHECK(s.value(a) == 5.5); // 3 to 8
        exact::accumulator same{};
        s.add(same, 7, 1'000'000'000'000);
        CHECK(s.value(same) == 7);
    }

    TEST_CASE("what can not be computed has no value: negatives, too many, sets, nothing between the bounds") {
        const exact p{*rh::parse_statistic("p50")};
        exact::accumulator a{};
        p.add(a, 3);
        CHECK(p.available(a));
        p.add(a, -1);
        CHECK_FALSE(p.available(a));
        CHECK(exact{*rh::parse_statistic("Minimum")}.available(a));
        CHECK(exact{*rh::parse_statistic("Minimum")}.value(a) == -1);

        const rh::extended_statistic<rh::retained_values<4>> four{*rh::parse_statistic("p50")};
        rh::extended_statistic<rh::retained_values<4>>::accumulator few{};
        for (const double v : {1., 2., 3., 4., 4., 1.}) four.add(few, v);
        CHECK(four.available(few));
        four.add(few, 5);
        CHECK_FALSE(four.available(few));
        CHECK(four.count(few) == 7);

        exact::accumulator set{};
        p.add_set(set, {.sample_count = 5, .sum = 15, .minimum = 3, .maximum = 3});
        CHECK(p.available(set));
        CHECK(p.value(set) == 3);
        p.add_set(set, {.sample_count = 2, .sum = 3, .minimum = 1, .maximum = 2});
        CHECK_FALSE(p.available(set));

        exact::accumulator some{};
        p.add(some, 3);
        CHECK_FALSE(exact{*rh::parse_statistic("TM(5:9)")}.available(some));
        CHECK(exact{*rh::parse_statistic("TC(5:9)")}.available(some));
        CHECK(exact{*rh::parse_statistic("TC(5:9)")}.value(some) == 0);
    }

    TEST_CASE("random samples: exact ones as the definitions say, a sketch within the error it names, parts merged as "
              "the whole") {
        const std::string_view names[] = {"p50",      "p99",     "p0.1",   "tm90",        "tc75",
                                          "ts99.9",   "wm98",    "IQM",    "TM(10%:95%)", "WM(10%:90%)",
                                          "TC(3:40)", "TS(:20)", "PR(5:)", "TM(2:60)"};
        constexpr std::uint64_t seed = 31;
        CAPTURE(seed);
        dice d{seed};
        for (int round = 0; round < 10'000; ++round) {
            const rh::statistic_spec spec = *rh::parse_statistic(names[d.below(14)]);
            CAPTURE(round);
            CAPTURE(to_string(spec));
            const exact e{spec};
            const sketched s{spec};
            exact::accumulator whole{};
            exact::accumulator part{};
            sketched::accumulator rough{};
            sketched::accumulator rough_part{};
            std::vector<double> all;
            const std::int64_t many = d.below(40) + 1;
            for (std::int64_t n = 0; n < many; ++n) {
                const double v = static_cast<double>(d.below(d.below(3) == 0 ? 1'000'000 : 64)) / 4;
                const auto weight = static_cast<std::uint64_t>(d.below(4) == 0 ? d.below(9) + 1 : 1);
                all.insert(all.end(), weight, v);
                e.add(n % 2 == 0 ? whole : part, v, weight);
                s.add(n % 3 == 0 ? rough : rough_part, v, weight);
            }
            e.merge(whole, part);
            s.merge(rough, rough_part);
            REQUIRE(e.count(whole) == all.size());
            REQUIRE(s.count(rough) == all.size());
            if (!e.available(whole)) continue;
            const double expected = naive(spec, all);
            REQUIRE(e.value(whole) == doctest::Approx(expected).epsilon(1e-9));
            if (spec.of_values) continue; // its bounds divide buckets
            const double error = rough.values.relative_error();
            REQUIRE(error < 0.0489);
            REQUIRE(std::abs(s.value(rough) - expected) <= error * expected + 1e-9);
        }
    }

    TEST_CASE("ts is tm times tc") {
        dice d{5};
        for (int round = 0; round < 200; ++round) {
            exact::accumulator a{};
            for (std::int64_t n = d.below(50) + 1; n > 0; --n) exact::add(a, static_cast<double>(d.below(1000)));
            const double tm = exact{*rh::parse_statistic("tm80")}.value(a);
            const double tc = exact{*rh::parse_statistic("tc80")}.value(a);
            CHECK(exact{*rh::parse_statistic("ts80")}.value(a) == doctest::Approx(tm * tc));
        }
    }

    TEST_CASE("a sketch that gets too wide joins its buckets, and its error says so") {
        const rh::extended_statistic<rh::sketch<32>> p{*rh::parse_statistic("p50")};
        rh::extended_statistic<rh::sketch<32>>::accumulator a{};
        CHECK(a.values.relative_error() == doctest::Approx(0.048809).epsilon(1e-4));
        for (const double v : {1e-300, 1e-3, 5.0, 1e3, 1e300}) p.add(a, v);
        CHECK(a.values.relative_error() > 1);
        CHECK(p.available(a));
        double least = 0;
        std::uint64_t count = 0;
        a.values.visit([&](double v, std::uint64_t w) {
            CHECK(v > least);
            least = v;
            count += w;
        });
        CHECK(count == 5);
        p.add(a, std::numeric_limits<double>::infinity());
        CHECK_FALSE(p.available(a));
    }

    TEST_CASE("how many samples a percentile needs") {
        const auto needs = [](std::string_view name) { return rh::enough_samples(*rh::parse_statistic(name)); };
        CHECK(needs("p99") == 1000);
        CHECK(needs("p99.9") == 10'000);
        CHECK(needs("p95") == 200);
        CHECK(needs("p50") == 20);
        CHECK(needs("p49") == 21);
        CHECK(needs("p10") == 100);
        CHECK(needs("p0") == 0);
        CHECK(needs("tm90") == 0);
    }

    TEST_CASE("an alarm on a percentile, which few samples do not move if they are to be ignored") {
        rh::alarm<rh::window<sketched>, rh::greater_than> slow{
            .of = {.statistic = {*rh::parse_statistic("p90")}}, .threshold = 250, .grace = 0s};
        for (const auto option : {rh::low_sample_option::evaluate, rh::low_sample_option::ignore}) {
            slow.low_samples = option;
            rh::fleet all{slow};
            const rh::row_handle h = all.watch(rh::target_id{0}, start);
            std::vector<rh::transition> out;
            for (int n = 0; n < 100; ++n) all.push(h, start + 1s, 100);
            all.evaluate(0, start + 60s, out);
            CHECK(all.state(h.row) == rh::alarm_state::ok);
            all.push(h, start + 61s, 900);
            all.evaluate(0, start + 120s, out);
            CHECK(all.state(h.row) ==
                  (option == rh::low_sample_option::evaluate ? rh::alarm_state::alarm : rh::alarm_state::ok));
            CHECK(all.push(h, start + 121s, 900, 100));
            all.evaluate(0, start + 180s, out);
            CHECK(all.state(h.row) == rh::alarm_state::alarm);
            all.push(h, start + 181s, -1); // no percentile has a negative value in it
            all.evaluate(0, start + 240s, out);
            CHECK(all.state(h.row) == rh::alarm_state::insufficient_data);
        }
    }

    TEST_CASE("shares of very many samples are not cut short by the width of a number") {
        using rh::detail::share_of;
        using rh::hundred_percent;
        CHECK(share_of(hundred_percent / 4, 10'000'000'000'000) == 2'500'000'000'000);
        CHECK(share_of(hundred_percent / 2, 1'000'000'000'000'000'000) == 500'000'000'000'000'000);
        CHECK(share_of(hundred_percent, 1'000'000'000'000'000'000) == 1'000'000'000'000'000'000);
        CHECK(share_of(0, 1'000'000'000'000'000'000) == 0);
    }
}
