// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/proof_of_death.hpp>
#include <reheat/action/request.hpp>
#include <reheat/driver/completion.hpp>
#include <reheat/sim/api_weather.hpp>
#include <reheat/sim/carry_out.hpp>
#include <reheat/sim/dice.hpp>
#include <reheat/sim/fault_kind.hpp>
#include <reheat/sim/ground_truth.hpp>
#include <reheat/sim/sim_journal.hpp>
#include <reheat/sim/truth_meter.hpp>
#include <reheat/sim/world_clock.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::sim {

/// A call as the world saw it.
struct seen_call {
    time_point at; ///< the world's time
    operation what;
    op_id op;
    std::uint64_t key;
    epoch reign;
    target_id target;
};

/// Who calls: its number, how far its clock is ahead of the others', and where it may stand still on the way.
struct world_caller {
    std::uint32_t number = 0;
    duration ahead{};
    pause_gate* gate = nullptr;
};

/// A world on virtual time: hosts in racks in zones, machines with volumes on them, guests that send heartbeats, a
/// cloud with an API, and faults in all of it. It is a driver with every capability, and keeps the ground truth: what
/// really runs where. Built for speed: a quiet minute of a machine costs a few reads. One thread at a time.
///
///     sim::world_time time;
///     sim::world world{plan, time, seed};
///     world.begin({.kind = sim::fault_kind::guest_freezes, .machine = 3});
///     world.advance(time.now + 5min, sink);
class world {
public:
    world(fleet_plan plan, world_time& time, std::uint64_t seed)
        : time_{&time}, truth_{std::move(plan)}, cloud_{truth_}, chance_{seed} {
        for (std::uint32_t n = 0; n < truth_.machines().size(); ++n) {
            truth_.machine(n).phase = chance_.between(duration::zero(), std::chrono::seconds{59});
            ring_.push_back({truth_.machine(n).phase, n});
            copy_state& c = truth_.machine(n).now;
            c.since = time.told();
            c.boots = 1;
            truth_.machine(n).renewed = time.now;
            truth_.finish_boot(n);
        }
        std::sort(ring_.begin(), ring_.end());
        minute_ = time.now;
    }
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    [[nodiscard]] ground_truth& truth() noexcept { return truth_; }
    [[nodiscard]] const ground_truth& truth() const noexcept { return truth_; }
    [[nodiscard]] api_weather& weather() noexcept { return weather_; }
    [[nodiscard]] cloud_operations& cloud() noexcept { return cloud_; }
    [[nodiscard]] time_point now() const noexcept { return time_->now; }
    /// Every call is compared with what is safe on that disk.
    void witness(const journal_disk* disk) noexcept { disk_ = disk; }
    /// From now on a monitor is told of calls, completions and the truth. It is referred to.
    void tell(truth_watch* watch) {
        watch_ = watch;
        truth_.tell(watch);
    }
    /// From now on it is measured who serves, and what calls do to whom. The meter is referred to.
    void measure(truth_meter* meter) {
        meter_ = meter;
        look();
    }
    /// A new controller begins and leads: what those before it hear concerns nobody. Its number.
    std::uint32_t new_controller() noexcept { return caller_.number = ++controller_; }
    /// The number of the one that leads.
    [[nodiscard]] std::uint32_t leader() const noexcept { return controller_; }
    /// Whoever calls now; a controller that shares a world with others says so before each call.
    world& by(const world_caller& who) noexcept {
        caller_ = who;
        return *this;
    }
    /// What the controller's target is here. Targets are numbered in the order in which they are added.
    void know(target_id target, world_place place) {
        const auto n = static_cast<std::size_t>(target);
        if (n >= places_.size()) places_.resize(n + 1);
        places_[n] = place;
    }
    [[nodiscard]] world_place place_of(target_id target) const noexcept {
        const auto n = static_cast<std::size_t>(target);
        return n < places_.size() ? places_[n] : world_place{};
    }
    /// The calls since it was last asked, and how many there were of an epoch that is over.
    [[nodiscard]] std::vector<seen_call>& calls() noexcept { return seen_; }
    [[nodiscard]] std::uint64_t calls_made() const noexcept { return calls_made_; }
    [[nodiscard]] std::uint64_t stale_calls() const noexcept { return stale_calls_; }
    /// How many came when their proof of death was over: their controller stood still after it had looked.
    [[nodiscard]] std::uint64_t expired_calls() const noexcept { return expired_calls_; }
    /// How many calls were begun by a controller after another one had begun to lead. There must be none.
    [[nodiscard]] std::uint64_t late_calls() const noexcept { return late_calls_; }
    /// Whether nothing is under way in the cloud.
    [[nodiscard]] bool idle() const noexcept { return under_way_ == 0; }

    // Faults

    /// Whether a fault would change anything where it is aimed at: what has no power can lose none.
    [[nodiscard]] bool can_begin(const planned_fault& f) const noexcept;
    /// A fault of the world begins; what is a state ends after `lasts`. Those of the controller, its clock and its
    /// journal are its owner's, and nothing happens here.
    void begin(const planned_fault& f);
    /// When a host loses its power, somebody makes sure that it stays so and tells the controller that it is dead.
    void tell_dead_hosts(bool on) noexcept { tells_dead_hosts_ = on; }
    /// Whoever says that a host is dead lets it boot nothing for so long after he has said that it is back: a call that
    /// rests on his word may still be on its way.
    void vouch_for(duration d) noexcept { vouches_for_ = d; }
    /// Somebody goes there and makes it run again. False if something is under way with it.
    bool repair(std::uint32_t machine);
    /// Somebody stops a copy of it that came back.
    void stop_returned(std::uint32_t machine);
    /// Somebody pulls its plug, and can say for certain that it is dead.
    void unplug(std::uint32_t machine);

    // Time

    /// Lets everything happen, in order, until `to`, or until somebody outside has something to do. `sink` has
    /// `beat(machine)`, which answers whether to stop there, `renewed(machine)`, which answers whether anybody heard
    /// that, `copy_seen(machine, copy)`, `healed(machine, process)`, `host_died(host)` and `host_returned(host)`.
    template <class Sink>
    void advance(time_point to, Sink& sink) {
        woken_ = false;
        while (!woken_) {
            const time_point beat = next_beat();
            const time_point due = moments_.empty() ? never : moments_.front().at;
            if (beat <= due) {
                if (beat > to) break;
                time_->now = beat;
                const std::uint32_t n = ring_[at_].machine;
                if (++at_ == ring_.size()) {
                    at_ = 0;
                    minute_ += std::chrono::seconds{60};
                }
                if (speak(n, sink)) return;
            } else {
                if (due > to) break;
                time_->now = later(time_->now, due);
                const moment m = moments_.front();
                std::pop_heap(moments_.begin(), moments_.end());
                moments_.pop_back();
                happen(m, sink);
                look();
            }
        }
        if (!woken_) time_->now = later(time_->now, to);
    }

    // The driver

    void describe(const request& r, completion done) { take(r, std::move(done), {}); }
    void create(const request& r, completion done) { take(r, std::move(done), {}); }
    void restart_service(const request& r, completion done) { take(r, std::move(done), {}); }
    void reboot(const request& r, completion done) { take(r, std::move(done), {}); }
    void rebuild(const request& r, completion done) { take(r, std::move(done), {}); }
    void fence(const request& r, completion done) { take(r, std::move(done), {}); }
    void forensics(const request& r, completion done) { take(r, std::move(done), {}); }
    void recreate(const request& r, proof_of_death why, completion done) { take(r, std::move(done), {&why, 1}); }
    void evacuate(const request& r, proof_of_death why, completion done) { take(r, std::move(done), {&why, 1}); }
    void converge(const request& r, std::span<proof_of_death> proofs, completion done) {
        take(r, std::move(done), proofs);
    }

private:
    struct beat_place {
        duration phase;
        std::uint32_t machine;
        friend bool operator<(const beat_place& a, const beat_place& b) noexcept {
            return a.phase != b.phase ? a.phase < b.phase : a.machine < b.machine;
        }
    };
    struct moment {
        enum class kind : std::uint8_t {
            boot_done,
            self_cure,
            process_cure,
            effect,
            answer,
            fault_ends,
            host_boots,
            host_told_dead
        };
        time_point at;
        std::uint64_t order;
        kind what;
        std::uint32_t index;
        std::uint32_t turn;
        /// The earliest is the greatest, as the heap of the standard library wants it.
        friend bool operator<(const moment& a, const moment& b) noexcept {
            return a.at != b.at ? a.at > b.at : a.order > b.order;
        }
    };
    /// A fault that is on, and where it was when it began.
    struct held {
        fault_kind kind;
        std::uint32_t where;
    };
    struct under_way {
        cloud_call what;
        std::optional<completion> done;
        outcome result;
    };

    /// The truth may have changed.
    void look() {
        if (meter_ != nullptr) meter_->look(truth_, now());
    }
    void plan(time_point at, moment::kind what, std::uint32_t index, std::uint32_t turn = 0) {
        moments_.push_back({at, ++order_, what, index, turn});
        std::push_heap(moments_.begin(), moments_.end());
    }
    [[nodiscard]] time_point next_beat() const noexcept { return ring_.empty() ? never : minute_ + ring_[at_].phase; }

    /// What a machine's guest says, once a minute.
    template <class Sink>
    bool speak(std::uint32_t n, Sink& sink) {
        if (truth_.machine(n).how.leased) feed_watchdog(n, sink);
        if (weather_.on(fault_kind::controller_cut_off)) return false;
        machine_state& m = truth_.machine(n);
        const auto seen = [&](copy_state& c) { return truth_.alive(c) && truth_.is_heard(c); };
        for (copy_state& old : m.older) {
            if (seen(old)) sink.copy_seen(n, old);
        }
        if (!m.older.empty() && seen(m.now)) sink.copy_seen(n, m.now);
        return truth_.works(n) && truth_.is_heard(m.now) && sink.beat(n);
    }

    template <class Sink>
    void feed_watchdog(std::uint32_t n, Sink& sink) {
        machine_state& m = truth_.machine(n);
        const bool arrives = !weather_.on(fault_kind::controller_cut_off) && truth_.is_heard(m.now);
        if (arrives && truth_.alive(m.now) && sink.renewed(n)) m.renewed = now();
        const bool may_boot = m.now.has_power() || m.now.is == condition::lost;
        if (may_boot && now() >= after(m.renewed, watchdog_fires)) truth_.switch_off(n, m.now);
    }

    void boot(std::uint32_t n) {
        copy_state& c = truth_.machine(n).now;
        truth_.boot(n, c, now(), invariant_monitor::cause::world);
        boots(n);
    }
    void boots(std::uint32_t n) {
        truth_.machine(n).now.since = time_->told();
        plan(after(now(), truth_.plan().boot_time), moment::kind::boot_done, n, truth_.machine(n).now.turn);
    }

    template <class Sink>
    void happen(const moment& m, Sink& sink) {
        switch (m.what) {
        case moment::kind::boot_done: {
            const copy_state& c = truth_.machine(m.index).now;
            if (c.turn != m.turn || c.is != condition::booting) return;
            truth_.finish_boot(m.index);
            if (truth_.is_heard(c) && truth_.works(m.index)) woken_ = sink.beat(m.index);
            return;
        }
        case moment::kind::self_cure: {
            machine_state& machine = truth_.machine(m.index);
            if (machine.now.turn != m.turn) return;
            if (machine.now.is == condition::frozen) machine.now.is = condition::running;
            else if (machine.now.is == condition::panicked) boot(m.index);
            return;
        }
        case moment::kind::process_cure: {
            const std::uint32_t n = m.index / most_processes;
            const auto p = static_cast<std::uint8_t>(m.index % most_processes);
            const machine_state& machine = truth_.machine(n);
            if (machine.now.turn != m.turn || !truth_.alive(machine.now) || (machine.up >> p & 1U) != 0) return;
            truth_.start_process(n, p);
            if (machine.how.heals_itself && truth_.is_heard(machine.now) &&
                !weather_.on(fault_kind::controller_cut_off)) {
                sink.healed(n, p);
                woken_ = true;
            }
            return;
        }
        case moment::kind::effect: return take_effect(m.index);
        case moment::kind::answer: return answer(m.index);
        case moment::kind::fault_ends: {
            const held h = holds_[m.index];
            change(h.kind, h.where, false, 0);
            return tell_returns(sink);
        }
        case moment::kind::host_told_dead: {
            host_state& h = truth_.host(m.index);
            if (h.no_power == 0 || h.told_dead) return;
            h.told_dead = true;
            sink.host_died(m.index);
            woken_ = true;
            return;
        }
        case moment::kind::host_boots: {
            if (truth_.host(m.index).no_power != 0) return;
            for (std::uint32_t n = 0; n < truth_.machines().size(); ++n) boot_if_lost(n, m.index);
            return;
        }
        }
    }

    /// A host that is back boots what it ran, except what is being made anew elsewhere.
    void boot_if_lost(std::uint32_t n, std::uint32_t host) {
        const machine_state& m = truth_.machine(n);
        const bool leased = !m.how.leased || now() < after(m.renewed, watchdog_fires);
        if (m.now.is == condition::lost && m.now.host == host && m.being_replaced == 0 && leased) boot(n);
    }
    template <class Sink>
    void tell_returns(Sink& sink) {
        for (std::uint32_t h = 0; h < truth_.plan().hosts(); ++h) {
            if (!truth_.host(h).told_dead || truth_.host(h).no_power != 0) continue;
            truth_.host(h).told_dead = false;
            sink.host_returned(h);
            woken_ = true;
        }
    }

    // sim/world_faults.hpp
    void strike(const planned_fault& f);
    void hold(const planned_fault& f, std::uint32_t where);
    void change(fault_kind k, std::uint32_t where, bool on, std::uint8_t share);
    void power(std::uint32_t host, bool on);
    // sim/world_calls.hpp
    void take(const request& r, completion&& done, std::span<const proof_of_death> proofs);
    void take_effect(std::uint32_t slot);
    void answer(std::uint32_t slot);
    void deliver(under_way& u);
    void release(std::uint32_t slot);
    template <class Visit>
    static void each_replaced(const cloud_call& c, const Visit& visit);

    world_time* time_;
    ground_truth truth_;
    cloud_operations cloud_;
    api_weather weather_;
    dice chance_;
    std::vector<beat_place> ring_; ///< who speaks when in a minute
    std::size_t at_ = 0;           ///< who is next
    time_point minute_{};          ///< the minute that it is
    std::vector<moment> moments_;  ///< a heap
    std::uint64_t order_ = 0;
    std::vector<held> holds_;
    std::vector<under_way> calls_;
    std::vector<std::uint32_t> free_; ///< places in `calls_`
    std::size_t under_way_ = 0;
    std::vector<world_place> places_; ///< by target
    std::vector<seen_call> seen_;
    std::vector<completion> unanswered_;
    const journal_disk* disk_ = nullptr;
    truth_watch* watch_ = nullptr;
    truth_meter* meter_ = nullptr;
    std::uint32_t controller_ = 0;
    world_caller caller_{};
    epoch reign_{};
    std::uint64_t calls_made_ = 0;
    std::uint64_t stale_calls_ = 0;
    std::uint64_t late_calls_ = 0;
    std::uint64_t expired_calls_ = 0;
    bool woken_ = false;
    bool tells_dead_hosts_ = false;
    duration vouches_for_{};
};

} // namespace reheat::inline REHEAT_ABI::sim

#include <reheat/sim/world_calls.hpp>
#include <reheat/sim/world_faults.hpp>
