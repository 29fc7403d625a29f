// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/alarm.hpp>
#include <reheat/alarm/alarm_group.hpp>
#include <reheat/alarm/count_range.hpp>
#include <reheat/alarm/row_handle.hpp>
#include <reheat/alarm/transition.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/prefetch.hpp>
#include <reheat/metric/low_sample.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// A sample on its way to a fleet.
struct beat {
    row_handle to;
    time_point at;
    double value = heartbeat;
};

/// All targets that are watched with one rule. A row is the alarm's state and its window side by side, and the whole
/// group has one deadline: periods are aligned. A count of up to 15 buckets is one cache line a target; any other rule
/// has the newest bucket there and the older ones in a ring. Nothing allocates but `watch`, `reserve` and the
/// caller's vector of transitions. One thread at a time.
///
///     fleet<decltype(rule)> all{rule};
///     const row_handle db = all.watch(target, now);
///     all.push(db, now, heartbeat);
///     all.evaluate(0, now, transitions);
template <alarm_rule Rule>
class fleet final : public alarm_group {
public:
    using statistic_type = typename Rule::statistic_type;
    using accumulator = typename statistic_type::accumulator;

    /// `rule` is one that `validate` accepts; `phase` is where periods begin, as an offset below the period, 0 for
    /// `alignment::grid`.
    explicit fleet(const Rule& rule, duration phase = {}) noexcept
        : rule_{rule}, phase_{phase},
          grid_{(rule.of.step == duration::zero() ? rule.of.period : rule.of.step).count(), phase.count()},
          stride_{static_cast<std::uint32_t>(rule.of.period.count() / grid_.length)},
          ring_{(std::uint32_t{rule.evaluation_periods} + rule.look_back) * stride_},
          ahead_{ring_ + static_cast<std::uint32_t>(most_ahead.count() / grid_.length)},
          raising_{rule.datapoints_to_alarm == 0 ? std::uint32_t{rule.evaluation_periods} : rule.datapoints_to_alarm},
          narrow_{counts_only && rule.of.statistic.kind() == statistic::sample_count && ring_ < cells::narrow_slots &&
                  detail::fits_counts(rule.compare.kind(), rule.threshold, rule.upper_threshold, cells::narrow_most)},
          quick_{stride_ == 1 && rule.look_back == 0 && !rule.premature && rule.raise == agreement::m_of_n &&
                 rule.low_samples == low_sample_option::evaluate && rule.actions == repetition::on_transition &&
                 rule.pending_period == duration::zero() && rule.recovery_period == duration::zero()} {
        if (narrow_) counts_ = detail::breaching_counts(rule.compare.kind(), rule.threshold, rule.upper_threshold);
    }

    [[nodiscard]] const Rule& rule() const noexcept { return rule_; }
    [[nodiscard]] duration phase() const noexcept { return phase_; }
    /// How many targets there are.
    [[nodiscard]] std::size_t size() const noexcept { return rows_.size() - free_.size(); }
    /// Whether counts are kept in 16 bits, because no answer needs more.
    [[nodiscard]] bool narrow() const noexcept { return narrow_; }
    /// The memory of the rows, in bytes.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return rows_.capacity() * sizeof(row_state) + closed_.capacity() * sizeof(accumulator) +
               free_.capacity() * sizeof(std::uint32_t);
    }

    void reserve(std::size_t targets) {
        rows_.reserve(targets);
        if (!narrow_) closed_.reserve(targets * ring_);
    }

    std::uint32_t add(target_id target, time_point watched_at) override { return watch(target, watched_at).row; }

    /// Begins to watch a target, in a row that was given up if there is one. Allocates.
    row_handle watch(target_id target, time_point watched_at) {
        const std::uint32_t row = next_row();
        if (free_.empty()) {
            rows_.emplace_back();
            rows_end_ = row + 1;
            if (!narrow_) closed_.resize(rows_.size() * ring_);
        } else {
            free_.pop_back();
            const std::uint32_t generation = rows_[row].window.generation;
            rows_[row] = row_state{};
            rows_[row].window.generation = generation;
            for (accumulator& a : closed(row)) a = accumulator{};
        }
        if (next_ == never) {
            origin_ = grid_.index(watched_at) - ring_ - cells::narrow_slots;
            enter(watched_at);
        }
        row_state& r = rows_[row];
        // Long before the first watch there is no bucket before the first one.
        const std::uint32_t bucket = bucket_of(watched_at) == 0 ? 1 : bucket_of(watched_at);
        const bool whole = begin(bucket) == watched_at;
        r.target = target;
        if (!narrow_) r.window.open = accumulator{};
        r.window.newest = bucket - 1; // until the first sample
        // A period that began before its target was watched says nothing.
        r.first = whole ? bucket : bucket + 1;
        r.grace = bucket_from(after(watched_at, rule_.grace));
        r.warm = bucket_from(after(watched_at, rule_.warm_up));
        r.flags = active | enabled | (whole ? 0 : midway) | (rule_.warm_up > duration::zero() ? warming : 0);
        next_ = earlier(next_, begin(r.first + 1));
        return {row, r.window.generation};
    }

    /// The row that `watch` will use next.
    [[nodiscard]] std::uint32_t next_row() const noexcept {
        return free_.empty() ? static_cast<std::uint32_t>(rows_.size()) : free_.back();
    }

    /// Gives a row up. False if the handle's row is given up already.
    bool remove(row_handle h) {
        if (!holds(h)) return false;
        row_state& r = rows_[h.row];
        r.flags = 0;
        // A row whose generations are used up is never used again.
        if (++r.window.generation != 0) free_.push_back(h.row);
        return true;
    }

    [[nodiscard]] bool holds(row_handle h) const noexcept {
        return h.row < rows_.size() && rows_[h.row].window.generation == h.generation &&
               (rows_[h.row].flags & active) != 0;
    }

    bool push(std::uint32_t row, time_point at, double value) noexcept override {
        return row < rows_.size() && (rows_[row].flags & active) != 0 &&
               push({row, rows_[row].window.generation}, at, value);
    }
    /// Records a sample. False if it is dropped: a handle given up, a value that is no finite number, a sample older
    /// than the window or more than 2 h after the last evaluation (as CloudWatch).
    bool push(row_handle h, time_point at, double value) noexcept {
        // Read before the first branch, these stay in registers where a caller pushes in a loop.
        row_state* const rows = rows_.data();
        const std::uint32_t current = current_;
        const std::uint64_t length = counts_only ? narrow_length_ : inside_length_;
        const auto into = static_cast<std::uint64_t>(at.time_since_epoch().count()) - inside_begin_;
        if (h.row >= rows_end_) return false;
        // Inside the bucket of the last evaluation, borders aside, there is nothing to divide and mostly room already.
        if (into < length && is_finite(value)) [[likely]] {
            cells& w = rows[h.row].window;
            if constexpr (counts_only) {
                if (w.count_next(current, h.generation)) [[likely]]
                    return true;
            } else if (w.is(current, h.generation)) [[likely]] {
                rule_.of.statistic.add(w.open, value);
                return true;
            }
        }
        return take_elsewhere(h, at, value);
    }
    /// Records a value that came so many times; none is no sample.
    bool push(row_handle h, time_point at, double value, std::uint64_t weight) noexcept
        requires weighted_statistic<statistic_type>
    {
        if (!holds(h) || !is_finite(value) || weight == 0) return false;
        return take_at(rows_[h.row], at, weight, [&](accumulator& a) { rule_.of.statistic.add(a, value, weight); });
    }
    /// Records samples that somebody has reduced already. False also if one of the numbers is none, or the count is 0.
    bool push(row_handle h, time_point at, const statistic_set& set) noexcept
        requires weighted_statistic<statistic_type>
    {
        const double all = set.sum + set.minimum + set.maximum;
        const std::uint64_t count = detail::count_of(set);
        if (!holds(h) || !is_finite(all) || count == 0) return false;
        return take_at(rows_[h.row], at, count, [&](accumulator& a) { rule_.of.statistic.add_set(a, set); });
    }
    /// Many samples, recorded one by one. Memory is asked for ahead, so that a random row costs little more than its
    /// cache line, and the wait for it is the caller's time for other work. Views the samples and the fleet.
    class feed {
    public:
        feed() = default;
        feed(fleet& to, std::span<const beat> beats) noexcept
            : to_{&to}, next_{beats.data()}, asked_{next_}, end_{next_ + beats.size()} {
            while (asked_ != end_ && asked_ != next_ + ahead) ask();
        }
        /// Records the next one. False if there is none.
        bool next() noexcept {
            if (next_ == end_) return false;
            if (asked_ != end_) ask();
            taken_ += to_->push(next_->to, next_->at, next_->value) ? 1U : 0U;
            ++next_;
            return true;
        }
        /// How many were recorded and not dropped.
        [[nodiscard]] std::size_t taken() const noexcept { return taken_; }

    private:
        static constexpr std::ptrdiff_t ahead = 20;
        static constexpr std::ptrdiff_t beats_ahead = 64; ///< beats that another thread wrote lie in its cache

        void ask() noexcept {
            if (end_ - asked_ > beats_ahead) detail::prefetch_for_read(asked_ + beats_ahead);
            if (asked_->to.row < to_->rows_end_) detail::prefetch_for_write(to_->rows_.data() + asked_->to.row);
            ++asked_;
        }

        fleet* to_ = nullptr;
        const beat* next_ = nullptr;
        const beat* asked_ = nullptr;
        const beat* end_ = nullptr;
        std::size_t taken_ = 0;
    };

    /// Records many, as a `feed`; returns how many were not dropped.
    std::size_t push(std::span<const beat> beats) noexcept {
        feed all{*this, beats};
        while (all.next()) {
        }
        return all.taken();
    }

    void evaluate(std::uint32_t group, time_point now, std::vector<transition>& out) override {
        if (now < next_) return;
        enter(now);
        evaluate_all(group, out);
        next_ = rows_.empty() ? never : begin(current_ + 1);
    }

    void doubt(time_point now) noexcept override {
        if (rows_.empty()) return;
        const std::uint32_t bucket = bucket_of(now);
        blind_ = begin(bucket) == now ? bucket : bucket + 1;
    }

    void forget(std::uint32_t row, time_point at, duration grace) noexcept override {
        if (row >= rows_.size() || (rows_[row].flags & active) == 0) return;
        row_state& r = rows_[row];
        const std::uint32_t bucket = bucket_of(at);
        r.window.clear();
        r.window.deaf_until = at.time_since_epoch();
        for (accumulator& a : closed(row)) a = accumulator{};
        r.first = bucket;
        r.held = not_held;
        r.grace = bucket_from(after(at, grace));
        r.flags = static_cast<std::uint8_t>((r.flags & ~(heard | midway | partial)) | deaf |
                                            (begin(bucket) == at ? 0 : partial));
    }
    [[nodiscard]] bool has_heard(std::uint32_t row) const noexcept override {
        return row < rows_.size() && hears(rows_[row]);
    }

    [[nodiscard]] time_point next() const noexcept override { return next_; }
    [[nodiscard]] alarm_state state(std::uint32_t row) const noexcept override {
        return row < rows_.size() ? rows_[row].state : alarm_state::insufficient_data;
    }

    /// Sets a state by hand. The next evaluation returns to the one that the samples say. False if the row is given up.
    bool set_state(std::uint32_t group, row_handle h, alarm_state to, time_point now, std::vector<transition>& out) {
        if (!holds(h)) return false;
        if (rows_[h.row].state != to) change(group, h.row, {to, decided_by::hand}, now, {}, {}, out);
        return true;
    }
    /// Whether the transitions of a row ask for action (`transition::act`). They come either way.
    bool enable_actions(row_handle h, bool on) noexcept {
        if (!holds(h)) return false;
        std::uint8_t& flags = rows_[h.row].flags;
        flags = on ? flags | enabled : flags & static_cast<std::uint8_t>(~enabled);
        return true;
    }

private:
    using cells = detail::window_cells<statistic_type>;
    static constexpr bool counts_only =
        plain_comparison<typename Rule::comparison_type> &&
        (std::same_as<statistic_type, sample_count> || std::same_as<statistic_type, any_statistic>);

    static constexpr std::uint8_t active = 1;
    static constexpr std::uint8_t heard = 2; ///< since the watch began; noted by an evaluation, from the newest bucket
    static constexpr std::uint8_t enabled = 4;
    static constexpr std::uint8_t warming = 8;
    static constexpr std::uint8_t midway = 16;  ///< watched since the middle of the bucket before the first whole one
    static constexpr std::uint8_t partial = 32; ///< was told to forget in the middle of the first bucket
    static constexpr std::uint8_t deaf = 64;    ///< has heard nothing since it was told to forget
    static constexpr std::uint32_t not_held = 0;
    /// Neither NaN nor infinite: sums of infinities would be no number.
    [[nodiscard]] static bool is_finite(double value) noexcept { return value - value == 0; }

    static constexpr duration most_ahead = std::chrono::hours{2};

    struct alignas(64) row_state {
        cells window;
        target_id target = no_target;
        std::uint32_t grace = 0;
        std::uint32_t warm = 0;
        std::uint32_t held = not_held; ///< since when the samples say something else than the state
        std::uint32_t first = 0;       ///< the first whole bucket since the target was watched
        std::uint16_t acted = 0;       ///< when actions were asked for last; its low bits
        alarm_state state = alarm_state::insufficient_data;
        std::uint8_t flags = 0;
    };
    static_assert(sizeof(accumulator) > 32 || sizeof(row_state) == 64);

    /// What a period came to.
    struct datapoint {
        bool there;
        bool few; ///< samples for a percentile to say something
        bool saturated;
        double value;
    };

    [[nodiscard]] std::span<accumulator> closed(std::uint32_t row) noexcept {
        return narrow_ ? std::span<accumulator>{}
                       : std::span<accumulator>{closed_}.subspan(std::size_t{row} * ring_, ring_);
    }

    /// Buckets are counted in 32 bits from a little before the first watch; what is outside falls on the ends.
    [[nodiscard]] std::uint32_t bucket_at(std::int64_t index) const noexcept {
        const std::int64_t bucket = index - origin_;
        if (index < origin_ || bucket < 0) return 0;
        return bucket < last_bucket ? static_cast<std::uint32_t>(bucket) : last_bucket;
    }
    [[nodiscard]] std::uint32_t bucket_of(time_point at) const noexcept { return bucket_at(grid_.index(at)); }
    /// The first bucket that begins at `at` or later.
    [[nodiscard]] std::uint32_t bucket_from(time_point at) const noexcept {
        const std::uint32_t bucket = bucket_of(at);
        return begin(bucket) == at ? bucket : bucket + 1;
    }
    [[nodiscard]] time_point begin(std::uint32_t bucket) const noexcept { return grid_.begin(origin_ + bucket); }

    void enter(time_point now) noexcept {
        current_ = bucket_of(now);
        inside_begin_ = static_cast<std::uint64_t>(begin(current_).time_since_epoch().count()) + 1;
        inside_length_ = static_cast<std::uint64_t>(grid_.length - 1);
        narrow_length_ = narrow_ ? inside_length_ : 0;
    }

    /// Whether a row has heard a sample since its watch began, or since it was told to forget.
    [[nodiscard]] static bool hears(const row_state& r) noexcept {
        return (r.flags & heard) != 0 || r.window.newest + ((r.flags & midway) != 0 ? 1U : 0U) >= r.first;
    }

    /// Adds to a bucket: so many samples to a narrow count, or what `add(accumulator&)` adds.
    template <class Add>
    bool take(row_state& r, std::uint32_t bucket, std::uint64_t weight, const Add& add) noexcept {
        if (narrow_) return r.window.add_narrow(bucket, weight);
        accumulator* const a = r.window.find(bucket, closed(static_cast<std::uint32_t>(&r - rows_.data())));
        if (a == nullptr) return false;
        add(*a);
        return true;
    }
    template <class Add>
    bool take_at(row_state& r, time_point at, std::uint64_t weight, const Add& add) noexcept {
        if ((r.flags & deaf) != 0) [[unlikely]] {
            if (at.time_since_epoch() < r.window.deaf_until || bucket_of(at) > current_ + ahead_) return false;
            r.window.clear();
            r.flags &= static_cast<std::uint8_t>(~deaf);
        }
        const auto into = static_cast<std::uint64_t>(at.time_since_epoch().count()) - inside_begin_;
        if (into < inside_length_) return take(r, current_, weight, add);
        const std::uint32_t bucket = bucket_of(at);
        if (bucket > current_ + ahead_ || !take(r, bucket, weight, add)) return false;
        if (rule_.of.align == alignment::watch && begin(bucket) == at) take(r, bucket - 1, weight, add);
        return true;
    }
    [[gnu::noinline, gnu::cold]] bool take_elsewhere(row_handle h, time_point at, double value) noexcept {
        row_state& r = rows_.data()[h.row];
        if (r.window.generation != h.generation || !is_finite(value)) return false;
        if constexpr (counts_only) {
            const auto into = static_cast<std::uint64_t>(at.time_since_epoch().count()) - inside_begin_;
            if (!narrow_ && into < inside_length_ && r.window.newest == current_) {
                rule_.of.statistic.add(r.window.open, value);
                return true;
            }
        }
        return take_at(r, at, 1, [this, value](accumulator& a) { rule_.of.statistic.add(a, value); });
    }

    // Evaluation: fleet_evaluate.hpp.
    void evaluate_all(std::uint32_t group, std::vector<transition>& out);
    template <std::uint32_t Periods>
    void scan(std::uint32_t group, std::vector<transition>& out);
    template <std::uint32_t Periods, bool Uniform>
    void scan_counts(std::uint32_t group, std::vector<transition>& out);
    void scan_wide(std::uint32_t group, std::vector<transition>& out);
    [[gnu::noinline]] void evaluate_row(std::uint32_t group, std::uint32_t row, std::vector<transition>& out);
    [[nodiscard]] bool plain(const row_state& r, std::uint32_t oldest) const noexcept;
    [[nodiscard]] decision_of_state decide(const evaluation& e, std::uint32_t n, bool newest_breaches,
                                           alarm_state before) const noexcept;
    void hold(row_state& r, decision_of_state& to) const noexcept;
    [[nodiscard]] bool reminds(const row_state& r) const noexcept;
    void change(std::uint32_t group, std::uint32_t row, decision_of_state to, time_point at, const datapoint& newest,
                const evaluation& e, std::vector<transition>& out);
    [[nodiscard]] bool has_value(const accumulator& a) const noexcept;
    [[nodiscard]] datapoint period(std::uint32_t row, std::uint32_t bucket) noexcept;
    [[nodiscard]] bool may_stay_open() const noexcept;
    [[nodiscard]] bool hears_enough() const noexcept;
    [[nodiscard]] std::uint32_t empty_breaches() const noexcept;

    [[nodiscard]] bool zero_when_empty() const noexcept {
        const statistic kind = rule_.of.statistic.kind();
        return rule_.empty == empty_period::counts_zero && (kind == statistic::sample_count || kind == statistic::sum);
    }

    static constexpr std::uint32_t last_bucket = 0xffff'0000U;

    Rule rule_;
    duration phase_;
    detail::period_grid grid_;
    std::uint32_t stride_; ///< buckets in a period
    std::uint32_t ring_;   ///< buckets behind the newest that an evaluation may read
    std::uint32_t ahead_;  ///< buckets beyond the last evaluation's that a sample may lie in
    std::uint32_t raising_;
    bool narrow_;
    bool quick_;
    detail::count_range counts_{};
    std::int64_t origin_ = 0;
    std::uint32_t current_ = 0;
    std::uint32_t blind_ = 0;
    std::uint64_t inside_begin_ = 0; ///< of the period of the last evaluation, without its borders
    std::uint64_t inside_length_ = 0;
    std::uint64_t narrow_length_ = 0; ///< the same where counts are narrow, else 0
    std::uint32_t rows_end_ = 0;
    time_point next_ = never;
    std::vector<row_state> rows_;
    std::vector<accumulator> closed_;
    std::vector<std::uint32_t> free_;
};

} // namespace reheat::inline REHEAT_ABI

#include <reheat/alarm/fleet_evaluate.hpp>
