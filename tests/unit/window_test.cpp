// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <doctest/doctest.h>

#include <array>

namespace rh = reheat;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t minute = std::chrono::nanoseconds{60s}.count();

rh::time_point at(rh::duration d) { return rh::time_point{d}; }

/// Remembers everything, forgets nothing.
class naive_window {
public:
    explicit naive_window(std::int64_t extent) : extent_{extent} {}
    void add(std::int64_t period) {
        if (newest_ == none || period > newest_) newest_ = period;
        if (newest_ - period < extent_) ++counts_[period];
    }
    [[nodiscard]] std::uint32_t at(std::int64_t period) const {
        if (newest_ == none || period > newest_ || newest_ - period >= extent_) return 0;
        const auto found = counts_.find(period);
        return found == counts_.end() ? 0 : found->second;
    }

private:
    static constexpr std::int64_t none = INT64_MIN;
    std::int64_t extent_;
    std::int64_t newest_ = none;
    std::map<std::int64_t, std::uint32_t> counts_;
};

} // namespace

TEST_SUITE("window") {
    TEST_CASE("a period includes its begin and excludes its end") {
        constexpr rh::detail::period_grid grid{minute, 0};
        CHECK(grid.index(at(0s)) == 0);
        CHECK(grid.index(at(60s - 1ns)) == 0);
        CHECK(grid.index(at(60s)) == 1);
        CHECK(grid.on_border(at(60s)));
        CHECK_FALSE(grid.on_border(at(60s + 1ns)));
    }

    TEST_CASE("times before 1970 fall in negative periods") {
        constexpr rh::detail::period_grid grid{minute, 0};
        CHECK(grid.index(at(-1ns)) == -1);
        CHECK(grid.index(at(-60s)) == -1);
        CHECK(grid.index(at(-60s - 1ns)) == -2);
        CHECK(grid.begin(-2) == at(-120s));
    }

    TEST_CASE("periods of a phase begin at the phase") {
        constexpr rh::detail::period_grid grid{minute, std::chrono::nanoseconds{17s}.count()};
        CHECK(grid.index(at(16s)) == -1);
        CHECK(grid.index(at(17s)) == 0);
        CHECK(grid.index(at(77s)) == 1);
        CHECK(grid.begin(1) == at(77s));
        CHECK(grid.index(at(-43s)) == -1);
        CHECK(grid.index(at(-44s)) == -2);
    }

    TEST_CASE("the ends of time do not overflow") {
        for (const std::int64_t phase : {std::int64_t{0}, minute - 1}) {
            const rh::detail::period_grid grid{minute, phase};
            CHECK(grid.begin(grid.index(rh::never)) <= rh::never);
            CHECK(grid.begin(grid.index(rh::never) + 1) == rh::never);
            CHECK(grid.begin(grid.index(rh::time_point::min())) >= rh::time_point::min());
        }
    }

    TEST_CASE("every time lies in its own period") {
        constexpr std::uint64_t seed = 23;
        CAPTURE(seed);
        support::dice dice{seed};
        for (int round = 0; round < 2000; ++round) {
            const std::int64_t length = dice.below(10 * minute) + 1;
            const rh::detail::period_grid grid{length, dice.below(length)};
            const rh::time_point t = at(rh::duration{dice.below(1'000'000 * minute) - 500'000 * minute});
            const std::int64_t index = grid.index(t);
            REQUIRE(grid.begin(index) <= t);
            REQUIRE(t < grid.begin(index + 1));
        }
    }

    TEST_CASE("the ring counts as a window that remembers everything, late samples and gaps included") {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            CAPTURE(seed);
            support::dice dice{seed};
            const std::int64_t extent = dice.below(6) + 1;
            std::vector<rh::sample_count::accumulator> slots(static_cast<std::size_t>(extent));
            std::int64_t period = dice.below(200) - 100;
            std::int64_t newest = period;
            rh::detail::window_ring<rh::sample_count> ring{slots, newest};
            naive_window naive{extent};
            ring.add({}, period, 1);
            naive.add(period);
            for (int n = 0; n < 500; ++n) {
                period += dice.below(10) == 0 ? dice.below(30) : dice.below(2);
                const std::int64_t of_sample = dice.below(4) == 0 ? period - dice.below(10) : period;
                ring.add({}, of_sample, 1);
                naive.add(of_sample);
                for (std::int64_t p = period - extent - 2; p <= period + 2; ++p)
                    REQUIRE(rh::sample_count::count(ring.at(p)) == naive.at(p));
            }
        }
    }

    TEST_CASE("a sample older than the ring is dropped, and harms nothing") {
        std::array<rh::sample_count::accumulator, 3> slots{};
        std::int64_t newest = 10;
        rh::detail::window_ring<rh::sample_count> ring{slots, newest};
        ring.add({}, 10, 1);
        ring.add({}, 7, 1); // shares a slot with 10
        CHECK(ring.at(10).count == 1);
        CHECK(ring.at(7).count == 0);
        ring.add({}, 8, 1);
        CHECK(ring.at(8).count == 1);
    }
}
