// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/fleet.hpp>
#include <reheat/alarm/lint.hpp>
#include <reheat/evidence/self_doubt.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// All alarms that an engine watches, as groups of equal rules. A rule is compared whole: two thresholds never share a
/// group.
class watch_book {
public:
    /// Begins to watch a target by a rule, from `at` on. Allocates.
    template <alarm_rule Rule>
    watch_id watch(const Rule& rule, target_id target, time_point at) {
        duration phase{};
        if (rule.of.align == alignment::watch) phase = at.time_since_epoch() % rule.of.period;
        if (phase < duration::zero()) phase += rule.of.period;
        std::uint32_t group = 0;
        for (; group < groups_.size(); ++group) {
            if (groups_[group].tag != &tag<Rule>) continue;
            const auto& same_type = static_cast<const fleet<Rule>&>(*groups_[group].rows);
            if (same_type.rule() == rule && same_type.phase() == phase) break;
        }
        if (group == groups_.size()) {
            groups_.emplace_back(&tag<Rule>, new fleet<Rule>{rule, phase});
            groups_.back().by_silence = seeks_silence(rule);
        }
        return static_cast<watch_id>(std::uint64_t{group} << 32U | groups_[group].rows->add(target, at));
    }

    /// Records a sample; an unknown watch is ignored. Never allocates.
    void push(watch_id watch, time_point at, double value) noexcept {
        const std::uint32_t group = group_of(watch);
        if (group < groups_.size()) groups_[group].rows->push(row_of(watch), at, value);
    }

    /// Evaluates what is due, group by group in the order in which they were made. True if it came so late that what it
    /// missed was discarded first.
    bool evaluate(time_point now, std::vector<transition>& out, const self_doubt& doubts) {
        const bool doubtful = doubts.raised(next(), now);
        if (doubtful) doubt(now);
        for (std::uint32_t group = 0; group < groups_.size(); ++group) groups_[group].rows->evaluate(group, now, out);
        return doubtful;
    }

    /// Discards what the periods up to the one of `now` hold: nobody was there to hear it.
    void doubt(time_point now) noexcept {
        for (const entry& g : groups_) g.rows->doubt(now);
    }

    /// Forgets what a watch heard before `at`, and keeps its state.
    void forget(watch_id watch, time_point at, duration grace) noexcept {
        const std::uint32_t group = group_of(watch);
        if (group < groups_.size()) groups_[group].rows->forget(row_of(watch), at, grace);
    }
    /// Whether a watch has heard a sample since it began or was told to forget.
    [[nodiscard]] bool has_heard(watch_id watch) const noexcept {
        const std::uint32_t group = group_of(watch);
        return group < groups_.size() && groups_[group].rows->has_heard(row_of(watch));
    }
    /// Whether silence raises a watch, rather than what it hears.
    [[nodiscard]] bool hears_silence(watch_id watch) const noexcept {
        const std::uint32_t group = group_of(watch);
        return group < groups_.size() && groups_[group].by_silence;
    }

    /// Whether a watch that silence raises is not raised: then it hears its target.
    [[nodiscard]] bool hears_life(watch_id w) const noexcept { return hears_silence(w) && state(w) == alarm_state::ok; }

    [[nodiscard]] time_point next() const noexcept {
        time_point earliest = never;
        for (const entry& g : groups_) earliest = earlier(earliest, g.rows->next());
        return earliest;
    }

    [[nodiscard]] alarm_state state(watch_id watch) const noexcept {
        const std::uint32_t group = group_of(watch);
        return group < groups_.size() ? groups_[group].rows->state(row_of(watch)) : alarm_state::insufficient_data;
    }

private:
    // The address of a variable tells rule types apart without RTTI.
    template <class Rule>
    static inline char tag = 0;

    // Owns its rows. Not `std::unique_ptr`: <memory> would be a fifth of what this header costs its users.
    struct entry {
        entry(const void* of, alarm_group* owned) noexcept : tag{of}, rows{owned} {}
        entry(entry&& other) noexcept
            : tag{other.tag}, rows{std::exchange(other.rows, nullptr)}, by_silence{other.by_silence} {}
        entry& operator=(entry&& other) noexcept {
            std::swap(tag, other.tag);
            std::swap(rows, other.rows);
            std::swap(by_silence, other.by_silence);
            return *this;
        }
        entry(const entry&) = delete;
        entry& operator=(const entry&) = delete;
        ~entry() { delete rows; }

        const void* tag;
        alarm_group* rows;
        bool by_silence = false;
    };

    static constexpr std::uint32_t group_of(watch_id w) noexcept {
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(w) >> 32U);
    }
    static constexpr std::uint32_t row_of(watch_id w) noexcept {
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(w));
    }

    std::vector<entry> groups_;
};

} // namespace reheat::inline REHEAT_ABI
