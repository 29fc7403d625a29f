// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/fleet.hpp>

// How a fleet evaluates: definitions of members of `fleet`.

namespace reheat::inline REHEAT_ABI {

template <alarm_rule Rule>
void fleet<Rule>::evaluate_all(std::uint32_t group, std::vector<transition>& out) {
    if (!quick_ || blind_ + rule_.evaluation_periods > current_) {
        for (std::uint32_t row = 0; row < rows_.size(); ++row) evaluate_row(group, row, out);
        return;
    }
    if (!narrow_) return scan_wide(group, out);
    // The usual ones are unrolled.
    switch (rule_.evaluation_periods) {
    case 1: return scan<1>(group, out);
    case 2: return scan<2>(group, out);
    case 3: return scan<3>(group, out);
    default: return scan<0>(group, out);
    }
}

/// Whether a row has nothing special: it is heard, warm, and was watched for all of the range.
template <alarm_rule Rule>
bool fleet<Rule>::plain(const row_state& r, std::uint32_t oldest) const noexcept {
    return (r.flags & (active | heard | warming)) == (active | heard) && r.first <= oldest;
}

/// Count alarms over a strict range. `Periods` is N, or 0 for any.
template <alarm_rule Rule>
template <std::uint32_t Periods>
void fleet<Rule>::scan(std::uint32_t group, std::vector<transition>& out) {
    if (!may_stay_open() && counts_.breaches(0) == empty_breaches()) scan_counts<Periods, true>(group, out);
    else scan_counts<Periods, false>(group, out);
}

/// Each row is one cache line, and nothing branches on what it holds. A row that is not plain, or whose state changes,
/// takes the long way. `Uniform`: an empty period counts as a count of 0 does.
template <alarm_rule Rule>
template <std::uint32_t Periods, bool Uniform>
void fleet<Rule>::scan_counts(std::uint32_t group, std::vector<transition>& out) {
    const std::uint32_t n = Periods != 0 ? Periods : rule_.evaluation_periods;
    const std::uint32_t oldest = current_ - n;
    // So many inside the range are as good as so many breaching.
    const detail::count_range range = counts_;
    const std::uint32_t raising = range.inverted != 0 ? n - raising_ : raising_ - 1;
    const std::uint32_t empty_inside = empty_breaches() ^ range.inverted;
    const bool may_open = !Uniform && may_stay_open();
    row_state* const rows = rows_.data();
    const auto end = static_cast<std::uint32_t>(rows_.size());
    for (std::uint32_t row = 0; row < end; ++row) {
        const row_state& r = rows[row];
        const cells& w = r.window;
        std::uint32_t inside = 0;
        std::uint32_t real = 0;
        const auto count_in = [&](std::uint32_t count) {
            const auto in = static_cast<std::uint32_t>(count - range.low <= range.span);
            if constexpr (Uniform) {
                inside += in;
            } else {
                const auto there = static_cast<std::uint32_t>(count != 0);
                real += there;
                inside += there != 0 ? in : empty_inside;
            }
        };
        // A row that was heard in the newest period has nothing stale in the range.
        const bool fresh = w.newest - (current_ - 1) <= cells::narrow_slots - n;
        if (fresh) {
            for (std::uint32_t i = 0; i < n; ++i) count_in(w.counts[(oldest + i) % cells::narrow_slots]);
        } else {
            for (std::uint32_t i = 0; i < n; ++i) count_in(w.count_narrow(oldest + i));
        }
        const bool raised = (inside > raising) != (range.inverted != 0);
        const bool kept = fresh || w.newest < current_;
        const bool open = may_open && real < n && !raised;
        if (!plain(r, oldest) || !kept || (raised ? alarm_state::alarm : alarm_state::ok) != r.state || open)
            [[unlikely]]
            evaluate_row(group, row, out);
    }
}

/// Any statistic over a strict range of single buckets.
template <alarm_rule Rule>
void fleet<Rule>::scan_wide(std::uint32_t group, std::vector<transition>& out) {
    const std::uint32_t n = rule_.evaluation_periods;
    const std::uint32_t oldest = current_ - n;
    const std::uint32_t first_slot = oldest % ring_;
    const bool zero = zero_when_empty();
    const bool zero_breaches = rule_.compare(0.0, rule_.threshold, rule_.upper_threshold);
    const auto end = static_cast<std::uint32_t>(rows_.size());
    for (std::uint32_t row = 0; row < end; ++row) {
        const row_state& r = rows_[row];
        const cells& w = r.window;
        evaluation e{n, raising_};
        if (plain(r, oldest) && w.keeps(oldest, ring_)) [[likely]] {
            const accumulator* const ring = closed_.data() + std::size_t{row} * ring_;
            std::uint32_t slot = first_slot;
            for (std::uint32_t bucket = oldest; bucket != current_; ++bucket) {
                const accumulator* a = bucket < w.newest ? ring + slot : bucket == w.newest ? &w.open : nullptr;
                slot = slot + 1 == ring_ ? 0 : slot + 1;
                const bool there = a != nullptr && has_value(*a);
                if (!there && !zero) continue;
                ++e.real;
                const bool breaches =
                    there ? rule_.compare(rule_.of.statistic.value(*a), rule_.threshold, rule_.upper_threshold)
                          : zero_breaches;
                e.breaching += breaches ? 1U : 0U;
            }
            if (reheat::evaluate(e, rule_.treat_missing, r.state).state == r.state) continue;
        }
        evaluate_row(group, row, out);
    }
}

/// Whether too few datapoints can leave it undecided.
template <alarm_rule Rule>
bool fleet<Rule>::may_stay_open() const noexcept {
    return !zero_when_empty() && rule_.treat_missing != missing_data::breaching &&
           rule_.treat_missing != missing_data::not_breaching;
}

/// Whether a count of samples that does not breach stands although more may have been lost.
template <alarm_rule Rule>
bool fleet<Rule>::hears_enough() const noexcept {
    return rule_.of.statistic.kind() == statistic::sample_count && breaches_low_only(rule_.compare.kind());
}

/// Whether a period without a sample counts as breaching, where it counts at all.
template <alarm_rule Rule>
std::uint32_t fleet<Rule>::empty_breaches() const noexcept {
    if (zero_when_empty()) return counts_.breaches(0);
    return static_cast<std::uint32_t>(rule_.treat_missing == missing_data::breaching);
}

/// The rule with all its axes, on one row.
template <alarm_rule Rule>
void fleet<Rule>::evaluate_row(std::uint32_t group, std::uint32_t row, std::vector<transition>& out) {
    row_state& r = rows_[row];
    if ((r.flags & active) == 0) return;
    if (hears(r)) r.flags |= heard;
    if (current_ < r.first + stride_) return;
    if ((r.flags & heard) == 0 && current_ < r.grace) return;

    const std::uint32_t n = rule_.evaluation_periods;
    const std::uint32_t watched = (current_ - r.first) / stride_;
    const std::uint32_t first = r.first > blind_ ? r.first : blind_;
    const std::uint32_t known = first < current_ ? (current_ - first) / stride_ : 0;
    const std::uint32_t most = n + rule_.look_back;
    evaluation e{known < n ? known : n, raising_};
    datapoint newest{false, false, false, std::numeric_limits<double>::quiet_NaN()};
    bool few = false;
    bool newest_breaches = false;
    for (std::uint32_t age = 1; age <= known && age <= most; ++age) {
        const datapoint d = period(row, current_ - age * stride_);
        if (age == 1) newest = d;
        if (!d.there) continue;
        few = few || d.few;
        const bool breaches = rule_.compare(d.value, rule_.threshold, rule_.upper_threshold);
        if (e.real == 0) newest_breaches = breaches;
        if (!e.count(age, breaches)) break;
    }
    if (known < n && hears_enough()) {
        // What was lost can only have made these counts greater.
        for (std::uint32_t age = known + 1; age <= watched && age <= n; ++age) {
            const datapoint d = period(row, current_ - age * stride_);
            if (!d.there || rule_.compare(d.value, rule_.threshold, rule_.upper_threshold)) continue;
            ++e.periods;
            e.count(age, false);
        }
    }
    if (e.periods == 0) return;
    if ((r.flags & partial) != 0) {
        // A part of a period can show that it is well, no more.
        if (watched == 1 && (!newest.there || newest_breaches)) return;
        if (watched >= n + rule_.look_back) r.flags &= static_cast<std::uint8_t>(~partial);
    }
    if ((r.flags & warming) != 0) {
        if (current_ < r.warm && (rule_.whole_warm_up || e.real < n)) return;
        r.flags &= static_cast<std::uint8_t>(~warming);
    }
    decision_of_state to = decide(e, n, newest_breaches, r.state);
    if (few && rule_.low_samples == low_sample_option::ignore) to = {r.state, decided_by::kept};
    hold(r, to);
    if (to.state != r.state || reminds(r)) change(group, row, to, begin(current_), newest, e, out);
}

/// What was not watched may have been anything: it decides nothing that it could have changed.
template <alarm_rule Rule>
decision_of_state fleet<Rule>::decide(const evaluation& e, std::uint32_t n, bool newest_breaches,
                                      alarm_state before) const noexcept {
    if (rule_.raise == agreement::unanimous) {
        evaluation whole = e;
        whole.periods = n;
        return evaluate_unanimous(whole, newest_breaches, before);
    }
    const decision_of_state to = reheat::evaluate(e, rule_.treat_missing, before, rule_.premature);
    const std::uint32_t missing = e.periods > e.real ? e.periods - e.real : 0;
    const std::uint32_t filled = rule_.treat_missing == missing_data::breaching ? e.breaching + missing : e.breaching;
    if (to.state == alarm_state::ok && filled + (n - e.periods) >= raising_) return {before, decided_by::kept};
    return to;
}

/// Pending and recovery: what the samples say counts once they have said it for long enough.
template <alarm_rule Rule>
void fleet<Rule>::hold(row_state& r, decision_of_state& to) const noexcept {
    const bool raises = to.state == alarm_state::alarm;
    if (raises == (r.state == alarm_state::alarm)) {
        r.held = not_held;
        return;
    }
    const duration wanted = raises ? rule_.pending_period : rule_.recovery_period;
    if (wanted == duration::zero()) return;
    if (r.held == not_held) r.held = current_;
    if (std::int64_t{current_ - r.held} * grid_.length >= wanted.count()) {
        r.held = not_held;
    } else {
        to = {r.state, decided_by::held};
    }
}

template <alarm_rule Rule>
bool fleet<Rule>::reminds(const row_state& r) const noexcept {
    if (r.state != alarm_state::alarm || rule_.actions == repetition::on_transition) return false;
    return rule_.actions == repetition::every_evaluation ||
           std::int64_t{static_cast<std::uint16_t>(current_ - r.acted)} * grid_.length >= rule_.resend_after.count();
}

template <alarm_rule Rule>
void fleet<Rule>::change(std::uint32_t group, std::uint32_t row, decision_of_state to, time_point at,
                         const datapoint& newest, const evaluation& e, std::vector<transition>& out) {
    row_state& r = rows_[row];
    out.push_back({static_cast<watch_id>(std::uint64_t{group} << 32U | row), r.target, r.state, to.state, at,
                   newest.value, e, to.by, (r.flags & enabled) != 0, newest.saturated});
    r.state = to.state;
    r.acted = static_cast<std::uint16_t>(current_);
}

template <alarm_rule Rule>
bool fleet<Rule>::has_value(const accumulator& a) const noexcept {
    if (rule_.of.statistic.count(a) == 0) return false;
    if constexpr (partial_statistic<statistic_type>) return rule_.of.statistic.available(a);
    else return true;
}

/// The period of `stride_` buckets that begins with this one.
template <alarm_rule Rule>
typename fleet<Rule>::datapoint fleet<Rule>::period(std::uint32_t row, std::uint32_t bucket) noexcept {
    constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
    const cells& w = rows_[row].window;
    const bool zero = zero_when_empty();
    if (narrow_) {
        std::uint32_t count = 0;
        for (std::uint32_t b = bucket; b != bucket + stride_; ++b) {
            if (w.keeps_narrow(b)) count += w.count_narrow(b);
        }
        if (count == 0 && !zero) return {false, false, false, nothing};
        return {true, false, count >= cells::narrow_most, static_cast<double>(count)};
    }
    const statistic_type& s = rule_.of.statistic;
    accumulator all{};
    for (std::uint32_t b = bucket; b != bucket + stride_; ++b) {
        if (!w.keeps(b, ring_)) continue;
        const accumulator* const a = w.at(b, closed(row));
        if (a == nullptr) continue;
        if (stride_ == 1) all = *a;
        else if constexpr (mergeable_statistic<statistic_type>) s.merge(all, *a);
    }
    if (s.count(all) == 0) return {zero, false, false, zero ? 0.0 : nothing};
    if (!has_value(all)) return {false, false, false, nothing};
    bool few = false;
    if constexpr (requires { s.spec; }) few = s.count(all) < enough_samples(s.spec);
    return {true, few, false, s.value(all)};
}

} // namespace reheat::inline REHEAT_ABI
