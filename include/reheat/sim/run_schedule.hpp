// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/coverage.hpp>
#include <reheat/sim/dice.hpp>
#include <reheat/sim/schedule.hpp>
#include <reheat/sim/virtual_controller.hpp>
#include <reheat/sim/virtual_operator.hpp>
#include <reheat/sim/world.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::sim {

/// One promise that a run broke.
struct run_violation {
    std::string what; ///< a word, the same for the same promise
    std::string text; ///< a sentence with names
    time_point at{};
};

/// What came of a schedule.
struct run_result {
    std::vector<run_violation> violations{};
    coverage hits{};
    duration virtual_time{};
    std::uint64_t actions = 0; ///< calls of the driver that are no question
    std::uint64_t calls = 0;
    std::uint64_t pages = 0;
    std::uint64_t recovered = 0;
    std::uint64_t parked = 0; ///< incidents, at the end
    std::uint64_t crashes = 0;
    std::uint64_t faults = 0;
    bool trust_broken = false;
    std::uint64_t copies_by_false_proofs = 0;
};

/// Runs one schedule from its beginning to its end. One thread at a time; different ones are independent.
///
///     auto r = sim::schedule_run{sim::make_schedule(7)}.run([](const engine& e, const event& v) { ... });
class schedule_run {
public:
    explicit schedule_run(const schedule& s)
        : s_{s}, world_{s_.fleet, time_, s_.seed}, ha_{world_, time_, disk_, s_},
          human_{world_, ha_, s_.people, s_.seed ^ 0x5eedU}, chance_{s_.seed ^ 0xd1ceU}, start_{time_.now} {
        world_.witness(&disk_);
        world_.tell_dead_hosts(s_.tells_dead_hosts);
        world_.weather().lie_about_proofs(s_.false_proofs);
        for (const planned_fault& f : s_.faults) waiting_.push_back({f, after(start_, f.at)});
        storm_over_ = after(start_, s_.storm);
        calm_over_ = after(storm_over_, s_.calm);
        next_poll_ = s_.polls_status ? after(start_, std::chrono::seconds{30}) : never;
        for (std::uint8_t n = 0; n < s_.people.maintains; ++n)
            maintenance_.push_back(after(start_, chance_.between(std::chrono::minutes{10}, s_.storm)));
    }
    schedule_run(const schedule_run&) = delete;
    schedule_run& operator=(const schedule_run&) = delete;

    /// `sink(engine, event)` hears of every event.
    template <class Sink>
    [[nodiscard]] run_result run(Sink&& sink) {
        if (auto started = ha_.start(); !started) {
            found("start", "the controller does not start: " + to_string(started.error()));
            return std::move(result_);
        }
        watch_.emplace(ha_.state());
        told_.emplace(*watch_, time_);
        if (s_.false_proofs != 0) {
            watch_->proofs_lie();
            told_->leave_out_volumes();
        }
        world_.tell(&*told_);
        ha_.tell(&*told_);
        watch_->faults_ended(after(told_->at(), s_.storm), s_.calm);
        const auto hear = [&](const event& e) {
            (*watch_)(e);
            note(e);
            human_.hear(e);
            sink(ha_.state(), e);
        };
        for (bool over = false; !over;) {
            world_.advance(next(), ha_);
            disk_.advance(time_.now);
            begin_faults();
            end_faults();
            restart();
            ask_status();
            work();
            static_cast<void>(human_.act());
            reopen_journal();
            ha_.poll(hear);
            ask_monitor();
            count_calls();
            aim();
            over = is_over() || spins();
        }
        finish();
        return std::move(result_);
    }
    [[nodiscard]] run_result run() {
        return run([](const engine&, const event&) {});
    }

    [[nodiscard]] world& in() noexcept { return world_; }
    [[nodiscard]] virtual_controller& controller() noexcept { return ha_; }

private:
    struct waiting_fault {
        planned_fault what;
        time_point at; ///< from then on it aims, or it begins
    };
    /// A fault of the controller, its clock or its journal that is on.
    struct held_fault {
        fault_kind kind;
        time_point until;
    };

    void found(std::string what, std::string text) {
        for (const run_violation& v : result_.violations) {
            if (v.what == what) return; // the first of each kind is enough
        }
        result_.violations.push_back({std::move(what), std::move(text), time_.now});
    }

    /// A world in which time stands still is one in which somebody wants to be called again and again at once.
    [[nodiscard]] bool spins() {
        constexpr unsigned many = 20'000;
        rounds_ = std::exchange(round_at_, time_.now) == time_.now ? rounds_ + 1 : 0;
        if (rounds_ > many) found("spins", "it wants to be called again and again at one time");
        return rounds_ > many;
    }

    // When something is due

    [[nodiscard]] time_point next() const noexcept {
        time_point at = earlier(earlier(ha_.next(), human_.next()), earlier(disk_.next(), next_poll_));
        at = earlier(at, earlier(restart_at_, next_look_));
        at = earlier(at, monitor_at_);
        if (disk_.refused() && ha_.running()) at = earlier(at, reopen_at_);
        for (const waiting_fault& w : waiting_) {
            const time_point begins = w.what.aims ? after(w.at, w.what.patience) : w.at;
            at = earlier(at, w.what.aims && time_.now < w.at ? w.at : begins);
        }
        for (const held_fault& h : held_) at = earlier(at, h.until);
        for (const time_point m : maintenance_) at = earlier(at, m);
        return later(at, time_.now);
    }

    // Faults

    void begin_faults() {
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
    void aim() {
        for (std::size_t n = 0; n < waiting_.size();) {
            // The one before may have ended the controller.
            if (!ha_.running() || ha_.state().open_incidents() == 0) return;
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
    [[nodiscard]] bool find_standing(planned_fault& f) const noexcept {
        for (const incident& i : ha_.state().incidents()) {
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
    [[nodiscard]] bool can_begin(const planned_fault& f) const noexcept {
        switch (f.kind) {
        case fault_kind::controller_stalls: return ha_.running() && !ha_.stalled();
        case fault_kind::controller_crashes: return ha_.running();
        case fault_kind::journal_full: return !disk_.full();
        default: return world_.can_begin(f);
        }
    }
    [[nodiscard]] operation rung_of(const incident& i) const noexcept {
        const auto rungs = ha_.state().policy_of(i).rungs();
        return i.rung < rungs.size() ? rungs[i.rung].what : operation::none;
    }

    void begin(planned_fault f) {
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
        case fault_kind::clock_jumps: time_.skew += f.jump; return ha_.wake();
        case fault_kind::controller_stalls: return ha_.stall(f.lasts);
        case fault_kind::controller_crashes:
            ha_.crash();
            ++result_.crashes;
            restart_at_ = after(time_.now, f.lasts);
            return;
        case fault_kind::journal_full:
            disk_.set_full(true);
            held_.push_back({f.kind, after(time_.now, f.lasts)});
            return;
        case fault_kind::journal_slow:
            disk_.set_delay(std::chrono::milliseconds{100} * std::int64_t{f.share});
            held_.push_back({f.kind, after(time_.now, f.lasts)});
            return;
        default: return world_.begin(f);
        }
    }
    void end_faults() {
        std::erase_if(held_, [this](const held_fault& h) {
            if (h.until > time_.now) return false;
            if (h.kind == fault_kind::journal_full) disk_.set_full(false);
            else disk_.set_delay({});
            return true;
        });
    }
    void restart() {
        if (time_.now < restart_at_) return;
        restart_at_ = after(time_.now, std::chrono::seconds{30}); // unless it starts
        if (auto started = ha_.start()) restart_at_ = never;
        else if (!disk_.full()) found("restart", "the controller does not start again: " + to_string(started.error()));
    }
    /// Whoever looks after the journal tries again and again.
    void reopen_journal() {
        if (!disk_.refused() || !ha_.running() || time_.now < reopen_at_) return;
        reopen_at_ = after(time_.now, std::chrono::seconds{30});
        if (!disk_.full() && !ha_.stalled() && ha_.ha().reopen_journal()) ha_.wake();
    }

    // What else is told

    void ask_status();
    void work() {
        std::erase_if(maintenance_, [this](time_point at) {
            if (time_.now < at) return false;
            if (!ha_.running() || ha_.stalled()) return true;
            const std::uint32_t n = chance_.below(world_.truth().machines().size());
            const duration lasts = chance_.between(std::chrono::minutes{5}, std::chrono::minutes{40});
            human_.maintain(world_.truth().machine(n).target, lasts);
            return true;
        });
    }
    void note(const event& e) {
        if (e.kind == event_kind::page) {
            ++result_.pages;
            mark(paged_, e.target, true);
            if (e.why == reason::trust_broken) result_.trust_broken = true;
            // Who parks has paged: after the storm that is an end, and what is tried again meanwhile is more than that.
            if (e.why == reason::ladder_exhausted && time_.now >= storm_over_) mark(given_up_, e.target, true);
        }
        if (e.what != decision::recover) return;
        ++result_.recovered;
        mark(paged_, e.target, false);
        mark(given_up_, e.target, false);
    }
    static void mark(std::vector<bool>& in, target_id target, bool as) {
        if (target == no_target) return;
        const auto n = static_cast<std::size_t>(target);
        if (n >= in.size()) in.resize(n + 1);
        in[n] = as;
    }
    [[nodiscard]] static bool marked(const std::vector<bool>& in, target_id target) noexcept {
        const auto n = static_cast<std::size_t>(target);
        return n < in.size() && in[n];
    }

    // What is counted and checked; sim/run_checks.hpp

    void count_hits(const planned_fault& f);
    [[nodiscard]] bool meets(const planned_fault& f, world_place at) const;
    void ask_monitor();
    void count_calls();
    [[nodiscard]] bool is_over();
    [[nodiscard]] bool is_settled() const;
    [[nodiscard]] bool is_in_human_hands(const incident& i) const;
    void finish();
    void judge(target_id target, bool works, const std::string& name);

    schedule s_;
    world_time time_;
    journal_disk disk_;
    world world_;
    virtual_controller ha_;
    virtual_operator human_;
    dice chance_;
    std::optional<invariant_monitor> watch_;
    std::optional<truth_watch> told_;
    time_point monitor_at_ = never; ///< when it wants to be asked again
    run_result result_;
    std::vector<waiting_fault> waiting_;
    std::vector<held_fault> held_;
    std::vector<time_point> maintenance_;
    std::vector<bool> paged_;       ///< by target, since the last time that it was well
    std::vector<bool> given_up_;    ///< by target: it has been parked since the storm, and was not well since
    std::vector<bool> said_unwell_; ///< by machine: the status was told as unhealthy
    unsigned rounds_ = 0;           ///< without time going on
    time_point round_at_ = never;
    time_point start_;
    time_point storm_over_ = never;
    time_point calm_over_ = never;
    time_point next_poll_ = never;
    time_point next_look_ = (time_point::min)(); ///< when it is looked whether all is over
    time_point restart_at_ = never;
    time_point reopen_at_ = (time_point::min)();
};

} // namespace reheat::inline REHEAT_ABI::sim

#include <reheat/sim/run_checks.hpp>
