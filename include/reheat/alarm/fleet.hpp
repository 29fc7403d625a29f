// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/alarm.hpp>
#include <reheat/alarm/evaluate.hpp>
#include <reheat/core/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// The narrow interface between a group of equal alarms and the engine, called in batches. One thread at a time.
class alarm_group {
public:
    alarm_group() = default;
    alarm_group(const alarm_group&) = delete;
    alarm_group& operator=(const alarm_group&) = delete;
    virtual ~alarm_group() = default;

    /// Begins to watch a target; `row` counts up from 0. Allocates.
    virtual std::uint32_t add(target_id target, time_point watched_at) = 0;
    /// Records a sample. Never allocates; a sample older than the window, or NaN, is dropped.
    virtual void push(std::uint32_t row, time_point at, double value) noexcept = 0;
    /// Evaluates what is due at `now` and appends the transitions, in row order.
    virtual void evaluate(std::uint32_t group, time_point now, std::vector<transition>& out) = 0;
    /// When something is due next.
    [[nodiscard]] virtual time_point next() const noexcept = 0;
    [[nodiscard]] virtual alarm_state state(std::uint32_t row) const noexcept = 0;
};

/// All targets that are watched with one rule. A row is the alarm's state and its window, both in flat arrays, and the
/// whole group has one deadline: periods are aligned.
template <alarm_rule Rule>
class fleet final : public alarm_group {
public:
    using statistic_type = typename Rule::statistic_type;
    using accumulator = typename statistic_type::accumulator;

    /// `phase` is where periods begin, as an offset below the period; 0 for `alignment::grid`.
    fleet(const Rule& rule, duration phase) noexcept
        : rule_{rule}, phase_{phase}, grid_{rule.of.period.count(), phase.count()},
          extent_{static_cast<std::size_t>(rule.evaluation_periods) + 2} {}

    [[nodiscard]] const Rule& rule() const noexcept { return rule_; }
    [[nodiscard]] duration phase() const noexcept { return phase_; }
    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }

    std::uint32_t add(target_id target, time_point watched_at) override {
        const auto row = static_cast<std::uint32_t>(rows_.size());
        const std::int64_t current = grid_.index(watched_at);
        // A period that began before its target was watched says nothing.
        rows_.push_back({target, grid_.on_border(watched_at) ? current : current + 1, current, watched_at});
        slots_.resize(slots_.size() + extent_);
        const time_point first = grid_.begin(rows_.back().first_period + 1);
        if (first < next_) next_ = first;
        return row;
    }

    void push(std::uint32_t row, time_point at, double value) noexcept override {
        if (row >= rows_.size() || value != value) return;
        row_state& r = rows_[row];
        r.heard = true;
        detail::window_ring<statistic_type> ring{slots(row), r.newest};
        const std::int64_t period = grid_.index(at);
        ring.add(rule_.of.statistic, period, value);
        if (rule_.of.align == alignment::watch && grid_.begin(period) == at)
            ring.add(rule_.of.statistic, period - 1, value);
    }

    void evaluate(std::uint32_t group, time_point now, std::vector<transition>& out) override {
        if (now < next_) return;
        const std::int64_t current = grid_.index(now);
        for (std::uint32_t row = 0; row < rows_.size(); ++row) evaluate_row(group, row, current, out);
        next_ = rows_.empty() ? never : grid_.begin(current + 1);
    }

    [[nodiscard]] time_point next() const noexcept override { return next_; }
    [[nodiscard]] alarm_state state(std::uint32_t row) const noexcept override {
        return row < rows_.size() ? rows_[row].state : alarm_state::insufficient_data;
    }

private:
    struct row_state {
        target_id target;
        std::int64_t first_period;
        std::int64_t newest;
        time_point watched_at;
        alarm_state state = alarm_state::insufficient_data;
        bool heard = false;
    };

    [[nodiscard]] std::span<accumulator> slots(std::uint32_t row) noexcept {
        return std::span<accumulator>{slots_}.subspan(row * extent_, extent_);
    }

    void evaluate_row(std::uint32_t group, std::uint32_t row, std::int64_t current, std::vector<transition>& out) {
        row_state& r = rows_[row];
        const time_point at = grid_.begin(current);
        if (current <= r.first_period) return;
        if (!r.heard && at < after(r.watched_at, rule_.grace)) return;

        const detail::window_ring<statistic_type> ring{slots(row), r.newest};
        const std::uint32_t periods = rule_.evaluation_periods;
        evaluation e{periods, rule_.datapoints_to_alarm == 0 ? periods : rule_.datapoints_to_alarm, 0, 0};
        double newest = std::numeric_limits<double>::quiet_NaN();
        for (std::int64_t p = current - 1; p >= r.first_period && p > current - 1 - static_cast<std::int64_t>(periods);
             --p) {
            const accumulator a = ring.at(p);
            if (rule_.of.statistic.count(a) == 0 && !zero_when_empty()) continue;
            const double value = rule_.of.statistic.count(a) == 0 ? 0.0 : rule_.of.statistic.value(a);
            if (p == current - 1) newest = value;
            ++e.real;
            if (rule_.compare(value, rule_.threshold)) ++e.breaching;
        }
        // Periods before the watch are no evidence of anything, so they are not missing either.
        if (current - r.first_period < static_cast<std::int64_t>(e.periods))
            e.periods = static_cast<std::uint32_t>(current - r.first_period);

        const alarm_state to = reheat::evaluate(e, rule_.treat_missing, r.state);
        if (to == r.state) return;
        out.push_back({static_cast<watch_id>(std::uint64_t{group} << 32U | row), r.target, r.state, to, at, newest});
        r.state = to;
    }

    [[nodiscard]] bool zero_when_empty() const noexcept {
        const statistic kind = rule_.of.statistic.kind();
        return rule_.empty == empty_period::counts_zero && (kind == statistic::sample_count || kind == statistic::sum);
    }

    Rule rule_;
    duration phase_;
    detail::period_grid grid_;
    std::size_t extent_;
    time_point next_ = never;
    std::vector<row_state> rows_;
    std::vector<accumulator> slots_;
};

} // namespace reheat::inline REHEAT_ABI
