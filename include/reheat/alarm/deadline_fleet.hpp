// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/row_handle.hpp>
#include <reheat/alarm/transition.hpp>
#include <reheat/core/prefetch.hpp>
#include <reheat/core/timer_wheel.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// Silence found to the millisecond: each target has a timeout of its own, and is in `alarm` once it was silent for so
/// long. Where a period's resolution is enough, a `fleet` is cheaper. A beat only stores its time; when a deadline
/// comes up, the time is looked at and the deadline moved on. 28 bytes a target, and 4 to 9 in the wheel. Nothing
/// allocates but `watch`, `reserve` and the caller's vector. One thread at a time.
///
///     deadline_fleet probes{now};
///     const row_handle db = probes.watch(target, 1500ms, now);
///     probes.push(db, now);
///     probes.evaluate(now, transitions); // whenever probes.next() is reached
class deadline_fleet {
public:
    static constexpr duration tick = std::chrono::milliseconds{1};
    static constexpr duration longest = std::chrono::hours{24 * 40};

    explicit deadline_fleet(time_point now) noexcept : wheel_{tick_from(now)} {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Begins to watch: silent from now on. The timeout is held between one tick and 40 days, and rounded up to ticks.
    row_handle watch(target_id target, duration timeout, time_point now) {
        const bool fresh = free_.empty();
        const std::uint32_t at = fresh ? static_cast<std::uint32_t>(rows_.size()) : free_.back();
        if (fresh) {
            rows_.emplace_back();
            targets_.emplace_back();
            returned_.reserve(rows_.capacity());
            free_.reserve(rows_.capacity());
            wheel_.reserve(rows_.size());
        } else {
            free_.pop_back();
        }
        row& r = rows_[at];
        const duration held = timeout < tick ? tick : timeout > longest ? longest : timeout;
        r.timeout = static_cast<std::uint32_t>((held + tick - duration{1}) / tick);
        r.last = now;
        r.state = alarm_state::ok;
        r.flags |= active;
        ++size_;
        targets_[at] = target;
        put(at);
        return {at, r.generation};
    }

    /// Gives a row up. False if it is given up already.
    bool remove(row_handle h) {
        if (!holds(h)) return false;
        row& r = rows_[h.row];
        r.flags &= returning; // it is on that list until the next evaluation
        ++r.generation;
        --size_;
        if (!r.on_wheel) give_back(h.row);
        return true;
    }

    [[nodiscard]] bool holds(row_handle h) const noexcept {
        return h.row < rows_.size() && rows_[h.row].generation == h.generation && (rows_[h.row].flags & active) != 0;
    }
    [[nodiscard]] alarm_state state(row_handle h) const noexcept {
        return holds(h) ? rows_[h.row].state : alarm_state::insufficient_data;
    }

    /// A beat. False if the row is given up. An older one than the last changes nothing.
    bool push(row_handle h, time_point at) noexcept {
        if (h.row >= rows_.size()) return false;
        row& r = rows_[h.row];
        if (r.generation != h.generation) return false;
        r.last = later(r.last, at);
        if (r.state == alarm_state::alarm && (r.flags & returning) == 0) [[unlikely]] {
            r.flags |= returning;
            returned_.push_back(h.row);
        }
        return true;
    }
    /// Many beats at one time.
    void push(std::span<const row_handle> beats, time_point at) noexcept {
        constexpr std::size_t ahead = 24;
        for (std::size_t n = 0; n < beats.size(); ++n) {
            if (n + ahead < beats.size() && beats[n + ahead].row < rows_.size())
                detail::prefetch_for_write(&rows_[beats[n + ahead].row]);
            push(beats[n], at);
        }
    }

    /// What fell silent and what was heard again since the last call; a transition's value is the silence in seconds.
    void evaluate(time_point now, std::vector<transition>& out) {
        for (const std::uint32_t at : returned_) {
            row& r = rows_[at];
            r.flags &= static_cast<std::uint8_t>(~returning);
            if ((r.flags & active) == 0 || r.state != alarm_state::alarm || deadline(r) <= now) continue;
            change(at, alarm_state::ok, r.last, out);
            if (!r.on_wheel) put(at);
        }
        returned_.clear();
        wheel_.advance(
            tick_of(now), [this](std::uint32_t at) { detail::prefetch_for_write(&rows_[at]); },
            [&](std::uint32_t at) -> std::int64_t {
                row& r = rows_[at];
                const time_point due = deadline(r);
                if ((r.flags & active) != 0 && due > now) return tick_from(due);
                if ((r.flags & active) != 0 && r.state != alarm_state::alarm) change(at, alarm_state::alarm, due, out);
                r.on_wheel = false;
                if ((r.flags & active) == 0) give_back(at);
                return detail::timer_wheel::done;
            });
    }

    /// Nobody was there to hear a beat up to now: the silence of all begins anew.
    void doubt(time_point now) noexcept { heard_ = later(heard_, now); }

    /// When something may be due; not later than the next deadline.
    [[nodiscard]] time_point next() const noexcept {
        if (!returned_.empty()) return rows_[returned_.front()].last;
        const std::int64_t due = wheel_.next();
        return due == detail::timer_wheel::done ? never : time_point{tick * due};
    }

    void reserve(std::size_t targets) {
        rows_.reserve(targets);
        targets_.reserve(targets);
        returned_.reserve(targets);
        free_.reserve(targets);
        wheel_.reserve(targets);
    }
    [[nodiscard]] std::size_t bytes() const noexcept {
        return rows_.capacity() * sizeof(row) + targets_.capacity() * sizeof(target_id) +
               (returned_.capacity() + free_.capacity()) * sizeof(std::uint32_t) + wheel_.bytes();
    }

private:
    static constexpr std::uint8_t active = 1;
    static constexpr std::uint8_t returning = 2;

    struct row {
        time_point last{};
        std::uint32_t timeout = 0; ///< in ticks
        std::uint16_t generation = 0;
        alarm_state state : 4 = alarm_state::ok;
        bool on_wheel : 1 = false;
        std::uint8_t flags = 0;
    };
    static_assert(sizeof(row) == 16);

    [[nodiscard]] static std::int64_t tick_of(time_point t) noexcept { return t.time_since_epoch() / tick; }
    /// The first tick that is not before `t`.
    [[nodiscard]] static std::int64_t tick_from(time_point t) noexcept {
        return tick_of(t) + static_cast<std::int64_t>(t.time_since_epoch() % tick > duration::zero());
    }
    [[nodiscard]] time_point deadline(const row& r) const noexcept {
        return after(later(r.last, heard_), tick * static_cast<std::int64_t>(r.timeout));
    }
    void put(std::uint32_t at) noexcept {
        wheel_.put(at, tick_from(deadline(rows_[at])));
        rows_[at].on_wheel = true;
    }
    /// A row is used again once it is off the wheel, and never once its generations are used up.
    void give_back(std::uint32_t at) noexcept {
        if (rows_[at].generation != 0) free_.push_back(at);
    }
    void change(std::uint32_t at, alarm_state to, time_point when, std::vector<transition>& out) {
        row& r = rows_[at];
        const double silent = std::chrono::duration<double>(tick).count() * r.timeout;
        out.push_back(
            {static_cast<watch_id>(at), targets_[at], r.state, to, when, to == alarm_state::alarm ? silent : 0.0});
        r.state = to;
    }

    std::vector<row> rows_;
    std::vector<target_id> targets_;
    std::vector<std::uint32_t> free_;
    std::vector<std::uint32_t> returned_; // in alarm, and heard since
    std::size_t size_ = 0;
    time_point heard_ = (time_point::min)();
    detail::timer_wheel wheel_;
};

} // namespace reheat::inline REHEAT_ABI
