// SPDX-License-Identifier: MIT
#include <reheat/alarm/fleet.hpp>

#include "../unit/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::alarm_state;
using rh::statistic;
using support::dice;
using support::start;

namespace {

/// One target under one rule that keeps every sample and counts anew at each evaluation.
class naive_alarm {
public:
    naive_alarm(const rh::any_alarm& rule, rh::time_point watched_at, rh::duration phase)
        : rule_{rule}, watched_at_{watched_at}, phase_{phase} {}

    void push(rh::time_point at, double value) { samples_.push_back({at, value}); }

    /// `at` is a border of the grid of steps.
    alarm_state evaluate(rh::time_point at) {
        const rh::duration period = rule_.of.period;
        const std::int64_t n = rule_.evaluation_periods;
        const std::int64_t m = rule_.datapoints_to_alarm == 0 ? n : rule_.datapoints_to_alarm;
        const std::int64_t watched = at < first_border() ? 0 : (at - first_border()) / period;
        const rh::time_point seen = std::max(first_border(), blind_);
        const std::int64_t known = at < seen ? 0 : (at - seen) / period;
        if (watched < 1 || (samples_.empty() && at < rh::after(watched_at_, rule_.grace))) return state_;

        std::int64_t real = 0;
        std::int64_t breaching = 0;
        std::int64_t oldest = 0;
        bool newest_breaches = false;
        for (std::int64_t age = 1; age <= known && age <= n + rule_.look_back && real < n; ++age) {
            const double value = datapoint(at - period * age);
            if (std::isnan(value)) continue;
            const bool breaches = rule_.compare(value, rule_.threshold, rule_.upper_threshold);
            if (real++ == 0) newest_breaches = breaches;
            breaching += breaches ? 1 : 0;
            if (breaches) oldest = age;
        }
        // A doubt makes a low count unsure; one that is high enough stays so.
        std::int64_t periods = std::min(known, n);
        const bool low = rule_.compare.which == rh::comparison::less_than ||
                         rule_.compare.which == rh::comparison::less_than_or_equal ||
                         rule_.compare.which == rh::comparison::below_band;
        for (std::int64_t age = known + 1; age <= std::min(watched, n); ++age) {
            const double value = datapoint(at - period * age);
            if (!low || rule_.of.statistic.which != statistic::sample_count || std::isnan(value)) continue;
            if (rule_.compare(value, rule_.threshold, rule_.upper_threshold)) continue;
            ++periods;
            if (real++ == 0) newest_breaches = false;
        }
        if (periods == 0) return state_;
        if (warming_) {
            if (at < rh::after(watched_at_, rule_.warm_up) && (rule_.whole_warm_up || real < n)) return state_;
            warming_ = false;
        }
        hold(at, decide(periods, n, m, real, breaching, oldest, newest_breaches));
        return state_;
    }
    void doubt(rh::time_point now) {
        const rh::time_point border = floor(now);
        blind_ = border == now ? now : border + step();
    }
    [[nodiscard]] alarm_state state() const { return state_; }
    [[nodiscard]] rh::duration step() const { return rule_.of.step == 0s ? rule_.of.period : rule_.of.step; }

private:
    [[nodiscard]] rh::time_point floor(rh::time_point t) const {
        const rh::duration into = (t.time_since_epoch() - phase_) % step();
        return t - (into < 0ns ? into + step() : into);
    }
    [[nodiscard]] rh::time_point first_border() const {
        const rh::time_point border = floor(watched_at_);
        return border == watched_at_ ? border : border + step();
    }

    [[nodiscard]] double datapoint(rh::time_point from) const {
        const rh::time_point to = from + rule_.of.period;
        double sum = 0;
        double least = std::numeric_limits<double>::infinity();
        double most = -least;
        double count = 0;
        for (const rh::sample& s : samples_) {
            const bool in = s.at >= from && (s.at < to || (rule_.of.align == rh::alignment::watch && s.at == to));
            if (!in) continue;
            ++count;
            sum += s.value;
            least = std::min(least, s.value);
            most = std::max(most, s.value);
        }
        const statistic kind = rule_.of.statistic.which;
        const bool zero =
            rule_.empty == rh::empty_period::counts_zero && (kind == statistic::sample_count || kind == statistic::sum);
        if (count == 0) return zero ? 0 : std::numeric_limits<double>::quiet_NaN();
        switch (kind) {
        case statistic::sample_count: return count;
        case statistic::sum: return sum;
        case statistic::average: return sum / count;
        case statistic::minimum: return least;
        case statistic::maximum: return most;
        case statistic::extended: break;
        }
        return count;
    }

    [[nodiscard]] alarm_state decide(std::int64_t watched, std::int64_t n, std::int64_t m, std::int64_t real,
                                     std::int64_t breaching, std::int64_t oldest, bool newest) const {
        constexpr auto raised = alarm_state::alarm;
        constexpr auto quiet = alarm_state::ok;
        constexpr auto nothing = alarm_state::insufficient_data;
        if (rule_.raise == rh::agreement::unanimous) {
            if (real < n) return nothing;
            if (breaching == n) return raised;
            if (breaching == 0) return quiet;
            return state_ != nothing ? state_ : newest ? raised : quiet;
        }
        const std::int64_t gaps = watched - real;
        const std::int64_t filled = rule_.treat_missing == rh::missing_data::breaching ? breaching + gaps : breaching;
        if (filled >= m) return raised;
        const bool undecided = gaps != 0 && real == breaching;
        if (undecided && rule_.treat_missing == rh::missing_data::missing)
            return rule_.premature && breaching != 0 && oldest >= m ? raised : nothing;
        if (undecided && rule_.treat_missing == rh::missing_data::ignore) return state_;
        return filled + (n - watched) >= m ? state_ : quiet;
    }

    void hold(rh::time_point at, alarm_state wanted) {
        const bool raises = wanted == alarm_state::alarm;
        if (raises == (state_ == alarm_state::alarm)) {
            held_ = rh::never;
        } else {
            const rh::duration period = raises ? rule_.pending_period : rule_.recovery_period;
            if (held_ == rh::never) held_ = at;
            if (at - held_ < period) return;
            held_ = rh::never;
        }
        state_ = wanted;
    }

    rh::any_alarm rule_;
    rh::time_point watched_at_;
    rh::duration phase_;
    std::vector<rh::sample> samples_;
    alarm_state state_ = alarm_state::insufficient_data;
    rh::time_point blind_ = rh::time_point::min();
    rh::time_point held_ = rh::never;
    bool warming_ = rule_.warm_up > 0s;
};

template <class Choice>
Choice one_of(dice& d, std::int64_t choices) {
    return static_cast<Choice>(d.below(choices));
}

/// Zero half of the time. Two statements, as the order of two draws in one expression is open.
std::int64_t none_or(dice& d, std::int64_t choices) {
    const std::int64_t factor = d.below(2);
    return factor * d.below(choices);
}

rh::any_alarm random_rule(dice& d) {
    rh::any_alarm r;
    r.of.statistic = {one_of<statistic>(d, 5)};
    r.of.period = std::chrono::seconds{10 * (d.below(12) + 1)};
    r.of.align = one_of<rh::alignment>(d, 2);
    if (r.of.align == rh::alignment::grid && d.below(3) == 0) r.of.step = r.of.period / 5;
    r.compare = {one_of<rh::comparison>(d, 9)};
    r.threshold = static_cast<double>(d.below(9)) / 2 - 1;
    r.upper_threshold = r.threshold + static_cast<double>(d.below(3));
    r.evaluation_periods = static_cast<std::uint16_t>(d.below(5) + 1);
    r.datapoints_to_alarm = static_cast<std::uint16_t>(d.below(r.evaluation_periods + 1));
    r.look_back = static_cast<std::uint16_t>(none_or(d, 4));
    r.premature = d.below(2) == 0;
    r.raise = one_of<rh::agreement>(d, 2);
    r.treat_missing = one_of<rh::missing_data>(d, 4);
    r.empty = one_of<rh::empty_period>(d, 2);
    r.pending_period = r.of.period * none_or(d, 4);
    r.recovery_period = r.of.period * none_or(d, 4);
    r.grace = std::chrono::seconds{none_or(d, 400)};
    r.warm_up = std::chrono::seconds{none_or(d, 600)};
    r.whole_warm_up = d.below(2) == 0;
    return r;
}

/// A rule on one value a period, 0 or 1, of which 1 breaches.
using peak_rule = rh::alarm<rh::window<rh::maximum>, rh::greater_than>;

peak_rule random_peak_rule(dice& d) {
    peak_rule r{.threshold = 0.5, .grace = 0s};
    r.of.period = 10s;
    r.evaluation_periods = static_cast<std::uint16_t>(d.below(6) + 1);
    r.datapoints_to_alarm = static_cast<std::uint16_t>(d.below(r.evaluation_periods + 1));
    r.look_back = static_cast<std::uint16_t>(d.below(3));
    r.premature = d.below(2) == 0;
    r.treat_missing = one_of<rh::missing_data>(d, 4);
    return r;
}

/// One target whose periods hold one value or none.
struct peaks {
    explicit peaks(const peak_rule& rule) : all{rule}, row{all.watch(rh::target_id{0}, start)} {}
    /// `value` is negative for none.
    alarm_state period(double value) {
        if (value >= 0) all.push(row, all.next() - 5s, value);
        all.evaluate(0, all.next(), out);
        return all.state(row.row);
    }

    rh::fleet<peak_rule> all;
    rh::row_handle row;
    std::vector<rh::transition> out;
};

/// How far a state is from quiet.
int severity(alarm_state s) { return s == alarm_state::alarm ? 2 : s == alarm_state::insufficient_data ? 1 : 0; }

} // namespace

TEST_SUITE("property") {
    TEST_CASE("more breaching data never turns alarm into ok, whatever the rule keeps and holds") {
        constexpr std::uint64_t first_seed = 1;
        constexpr std::uint64_t cases = 40'000;
        for (std::uint64_t seed = first_seed; seed < first_seed + cases; ++seed) {
            dice d{seed * 1'000'003};
            INFO("seed ", seed);
            peak_rule rule = random_peak_rule(d);
            rule.raise = one_of<rh::agreement>(d, 2);
            rule.pending_period = rule.of.period * none_or(d, 4);
            rule.recovery_period = rule.of.period * none_or(d, 4);
            peaks some{rule};
            peaks more{rule};
            for (int n = 0; n < 20; ++n) {
                const auto value = static_cast<double>(d.below(3) - 1);
                const bool worse = value == 0 && d.below(3) == 0;
                const alarm_state before = some.period(value);
                const alarm_state after = more.period(worse ? 1 : value);
                if (before == alarm_state::alarm) REQUIRE(after == alarm_state::alarm);
            }
        }
        MESSAGE(cases << " rules from seed " << first_seed);
    }

    TEST_CASE("missing data that breaches is at least as severe as missing data, and that as data that does not") {
        constexpr std::uint64_t first_seed = 1;
        constexpr std::uint64_t cases = 40'000;
        for (std::uint64_t seed = first_seed; seed < first_seed + cases; ++seed) {
            dice d{seed * 1'000'003};
            INFO("seed ", seed);
            peak_rule rule = random_peak_rule(d);
            rule.treat_missing = rh::missing_data::not_breaching;
            peaks least{rule};
            rule.treat_missing = rh::missing_data::missing;
            peaks middle{rule};
            rule.treat_missing = rh::missing_data::breaching;
            peaks most{rule};
            for (int n = 0; n < 20; ++n) {
                const auto value = static_cast<double>(d.below(3) - 1);
                const int low = severity(least.period(value));
                const int between = severity(middle.period(value));
                const int high = severity(most.period(value));
                REQUIRE(low <= between);
                REQUIRE(between <= high);
            }
        }
        MESSAGE(cases << " rules from seed " << first_seed);
    }

    TEST_CASE("a fleet's row is an alarm that keeps every sample: any rule, late samples, gaps, doubts") {
        constexpr std::uint64_t first_seed = 1;
        constexpr std::uint64_t cases = 40'000;
        CAPTURE(first_seed);
        for (std::uint64_t seed = first_seed; seed < first_seed + cases; ++seed) {
            dice d{seed * 1'000'003};
            const rh::any_alarm rule = random_rule(d);
            INFO("seed ", seed);
            REQUIRE(rh::validate(rule));
            const rh::time_point since = start + std::chrono::milliseconds{d.below(3) == 0 ? 0 : d.below(300'000)};
            const rh::duration phase =
                rule.of.align == rh::alignment::watch ? since.time_since_epoch() % rule.of.period : rh::duration{};
            rh::fleet<rh::any_alarm> fleet{rule, phase};
            naive_alarm naive{rule, since, phase};
            const rh::row_handle row = fleet.watch(rh::target_id{0}, since);
            std::vector<rh::transition> out;
            const auto ring =
                static_cast<std::int64_t>(rule.evaluation_periods + rule.look_back) * (rule.of.period / naive.step());
            rh::time_point now = since;
            alarm_state last = alarm_state::insufficient_data;
            for (int round = 0; round < 30; ++round) {
                const rh::time_point border = fleet.next();
                const std::int64_t samples = d.below(3) == 0 ? 0 : d.below(4);
                for (std::int64_t s = 0; s < samples && border > now; ++s) {
                    rh::time_point at = now + rh::duration{d.below((border - now).count())};
                    if (d.below(4) == 0) at = now;
                    if (d.below(5) == 0) at = rh::later(at - naive.step() * d.below(ring), since);
                    const double value = static_cast<double>(d.below(13)) / 2 - 2;
                    REQUIRE(fleet.push(row, at, value));
                    naive.push(at, value);
                }
                now = border;
                if (d.below(40) == 0) {
                    now += naive.step() * d.below(3) + naive.step() / 3;
                    fleet.doubt(now);
                    naive.doubt(now);
                }
                fleet.evaluate(0, now, out);
                const rh::time_point evaluated = fleet.next() - naive.step();
                REQUIRE(naive.evaluate(evaluated) == fleet.state(row.row));
                for (const rh::transition& t : out) {
                    REQUIRE(t.from == last);
                    REQUIRE(t.to != last);
                    REQUIRE(t.at == evaluated);
                    last = t.to;
                }
                out.clear();
                REQUIRE(last == naive.state());
            }
        }
        MESSAGE(cases << " rules from seed " << first_seed);
    }
}
