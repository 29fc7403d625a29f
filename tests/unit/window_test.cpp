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
    bool add(std::int64_t period) {
        if (newest_ == none || period > newest_) newest_ = period;
        if (newest_ - period >= extent_) return false;
        ++counts_[period];
        return true;
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

    TEST_CASE("the cells count as a window that remembers everything, late samples and gaps included") {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            CAPTURE(seed);
            support::dice dice{seed};
            const auto ring = static_cast<std::size_t>(dice.below(20) + 1);
            std::vector<rh::sum::accumulator> closed(ring);
            std::int64_t bucket = dice.below(200) + 100;
            rh::detail::window_cells<rh::sum> wide;
            rh::detail::window_cells<rh::sample_count> narrow;
            wide.newest = narrow.newest = static_cast<std::uint32_t>(bucket);
            naive_window wide_naive{static_cast<std::int64_t>(ring) + 1};
            naive_window narrow_naive{16};
            for (int n = 0; n < 2000; ++n) {
                bucket += dice.below(10) == 0 ? dice.below(30) : dice.below(2);
                const std::int64_t of_sample = n != 0 && dice.below(4) == 0 ? bucket - dice.below(25) : bucket;
                const auto cell = static_cast<std::uint32_t>(of_sample);
                REQUIRE(narrow.add_narrow(cell, 1) == narrow_naive.add(of_sample));
                auto* const found = wide.find(cell, closed);
                REQUIRE((found != nullptr) == wide_naive.add(of_sample));
                if (found != nullptr) rh::sum::add(*found, 1);
                for (std::int64_t b = bucket - 30; b <= bucket + 2; ++b) {
                    const auto asked = static_cast<std::uint32_t>(b);
                    if (narrow.keeps_narrow(asked)) REQUIRE(narrow.count_narrow(asked) == narrow_naive.at(b));
                    if (!wide.keeps(asked, ring)) continue;
                    const auto* const got = wide.at(asked, closed);
                    REQUIRE((got == nullptr ? 0 : rh::sum::count(*got)) == wide_naive.at(b));
                }
            }
        }
    }

    TEST_CASE("a sample older than the cells is dropped, and harms nothing") {
        std::array<rh::sum::accumulator, 3> closed{};
        rh::detail::window_cells<rh::sum> cells;
        cells.newest = 10;
        rh::sum::add(*cells.find(10, closed), 1);
        CHECK(cells.find(6, closed) == nullptr);
        rh::sum::add(*cells.find(7, closed), 1); // the oldest that is kept
        CHECK(cells.at(7, closed)->sum == 1);
        CHECK(cells.at(10, closed)->sum == 1);
        rh::sum::add(*cells.find(11, closed), 1); // 10 takes the place of 7
        CHECK(cells.at(10, closed)->sum == 1);
        CHECK_FALSE(cells.keeps(7, 3));
    }

    TEST_CASE("a narrow count stops at 65,535") {
        rh::detail::window_cells<rh::sample_count> cells;
        CHECK(cells.add_narrow(20, 65'534));
        CHECK(cells.count_narrow(20) == 65'534);
        CHECK(cells.add_narrow(20, 1));
        CHECK(cells.add_narrow(20, 1'000'000'000'000));
        CHECK(cells.count_narrow(20) == 65'535);
    }
}
