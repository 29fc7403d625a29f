// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/run_schedule.hpp>

// How faults begin and end in a run: definitions of members of `sim::schedule_run`.

namespace reheat::inline REHEAT_ABI::sim {

inline void schedule_run::begin_faults() {
    for (std::size_t n = 0; n < waiting_.size();) {
        const waiting_fault& w = waiting_[n];
        if (time_.now < (w.what.aims ? after(w.at, w.what.patience) : w.at)) {
            ++n;
            continue;
        }
        const planned_fault f = w.what;
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(n));
        begin(f);
    }
}

/// Faults that wait for an incident to stand where they aim.
inline void schedule_run::aim() {
    for (std::size_t n = 0; n < waiting_.size();) {
        // The one before may have ended the controller.
        if (!ha().running() || ha().state().open_incidents() == 0) return;
        const waiting_fault& w = waiting_[n];
        planned_fault f = w.what;
        if (!f.aims || time_.now < w.at || !find_standing(f)) {
            ++n;
            continue;
        }
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(n));
        begin(f);
    }
}

/// Points a fault at an incident that stands where it aims, if it changes anything there.
inline bool schedule_run::find_standing(planned_fault& f) const noexcept {
    for (const incident& i : ha().state().incidents()) {
        if (i.at != f.in || rung_of(i) != f.rung) continue;
        const world_place at = world_.place_of(i.target);
        f.machine = at.machine;
        if (at.is == world_place::kind::process) f.process = at.process;
        if (can_begin(f)) return true;
        f.process = static_cast<std::uint8_t>(f.process + 1U); // another one of the machine will do as well
        if (can_begin(f)) return true;
    }
    return false;
}

inline bool schedule_run::can_begin(const planned_fault& f) const noexcept {
    switch (f.kind) {
    case fault_kind::controller_stalls: return ha().running() && !ha().stalled();
    case fault_kind::controller_crashes: return ha().running() && !ha().is_working();
    case fault_kind::controller_pauses: return s_.twins && ha().leads() && !ha().stalled() && !ha().gate().armed();
    case fault_kind::store_cut_off:
    case fault_kind::store_slow: return s_.twins;
    case fault_kind::journal_full: return !disk_.full();
    default: return world_.can_begin(f);
    }
}

inline void schedule_run::begin(planned_fault f) {
    // None lasts into the calm.
    f.lasts = (std::min)(f.lasts, duration{storm_over_ - time_.now});
    if (f.lasts <= duration::zero()) return;
    // If it would change nothing there it hits the next one.
    for (std::size_t n = 0; n < world_.truth().machines().size() && !can_begin(f); ++n)
        f.machine = static_cast<std::uint32_t>((f.machine + 1) % world_.truth().machines().size());
    if (!can_begin(f)) return;
    ++result_.faults;
    count_hits(f);
    switch (f.kind) {
    case fault_kind::clock_jumps:
        time_.skew += f.jump;
        for (virtual_controller& c : all_) c.wake();
        return;
    case fault_kind::controller_stalls: return ha().stall(f.lasts);
    case fault_kind::controller_pauses: return pause(f);
    case fault_kind::controller_crashes:
        ha().crash();
        ++result_.crashes;
        restart_at_[lead_] = after(time_.now, f.lasts);
        return;
    case fault_kind::journal_full:
    case fault_kind::journal_slow:
    case fault_kind::pages_lost:
    case fault_kind::pages_late:
    case fault_kind::store_cut_off:
    case fault_kind::store_slow: return hold(f);
    default: return world_.begin(f);
    }
}

/// The leader stands still, at once or when it gets to that point of a step.
inline void schedule_run::pause(const planned_fault& f) {
    const auto at = static_cast<pause_point>(f.process % pause_point_count);
    if (at == pause_point::between_steps || ha().is_working()) ha().stall(f.lasts);
    else ha().gate().arm(at, f.lasts);
}

inline void schedule_run::hold(const planned_fault& f) {
    const bool both = f.share > 80;
    held_.push_back({f.kind, after(time_.now, f.lasts), f.share, {both || lead_ == 0, both || lead_ == 1}});
    change(held_.back(), true);
}

inline void schedule_run::change(const held_fault& h, bool on) {
    const duration slow = on ? duration{std::chrono::milliseconds{100} * std::int64_t{h.share}} : duration{};
    switch (h.kind) {
    case fault_kind::journal_full: return disk_.set_full(on);
    case fault_kind::journal_slow: return disk_.set_delay(slow);
    case fault_kind::pages_lost: return receiver_.lose(on, h.share);
    case fault_kind::pages_late: return receiver_.delay(on, h.share);
    case fault_kind::store_slow:
        for (virtual_controller& c : all_) c.gate().slow_store(slow);
        return;
    default: break;
    }
    const auto cut = h.share % 2 == 0 ? journal_way::condition::cut : journal_way::condition::answers_lost;
    for (std::size_t k = 0; k < all_.size(); ++k) {
        if (!h.whom[k]) continue;
        const auto same = [&](const held_fault& other) {
            return &other != &h && other.kind == h.kind && other.whom[k] && other.until > time_.now;
        };
        if (on || std::none_of(held_.begin(), held_.end(), same))
            all_[k].set_store(on ? cut : journal_way::condition::up);
    }
}

inline void schedule_run::end_faults() {
    for (const held_fault& h : held_) {
        if (h.until <= time_.now) change(h, false);
    }
    std::erase_if(held_, [this](const held_fault& h) { return h.until <= time_.now; });
    if (time_.now < storm_over_) return;
    for (virtual_controller& c : all_) c.gate().disarm();
}

inline void schedule_run::restart() {
    for (std::size_t k = 0; k < all_.size(); ++k) {
        if (time_.now < restart_at_[k]) continue;
        restart_at_[k] = never;
        if (s_.twins) {
            all_[k].revive();
            continue;
        }
        if (auto started = all_[k].start(); !started) {
            restart_at_[k] = after(time_.now, std::chrono::seconds{30});
            if (!disk_.full()) found("restart", "the controller does not start again: " + to_string(started.error()));
        }
    }
}

} // namespace reheat::inline REHEAT_ABI::sim
