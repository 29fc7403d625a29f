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
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
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
    std::uint64_t takeovers = 0;   ///< times that another controller began to lead
    std::uint64_t stale_calls = 0; ///< calls of an old leader that the cloud refused
    bool trust_broken = false;
    std::uint64_t copies_by_false_proofs = 0;
};

/// Runs one schedule from its beginning to its end. One thread at a time; different ones are independent.
///
///     auto r = sim::schedule_run{sim::make_schedule(7)}.run([](const engine& e, const event& v) { ... });
class schedule_run {
public:
    explicit schedule_run(const schedule& s)
        : s_{s}, world_{s_.fleet, time_, s_.seed},
          all_{virtual_controller{world_, time_, disk_, s_}, virtual_controller{world_, time_, disk_, s_}},
          human_{world_, all_[0], s_.people, s_.seed ^ 0x5eedU}, chance_{s_.seed ^ 0xd1ceU},
          receiver_{s_.seed ^ 0x9a6eU}, start_{time_.now} {
        restart_at_.fill(never);
        world_.witness(&disk_);
        world_.tell_dead_hosts(s_.tells_dead_hosts);
        if (s_.twins) world_.vouch_for(s_.options.proof_validity);
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
        const auto tell = [](void* to, const engine& of, const event& e) {
            (*static_cast<std::remove_reference_t<Sink>*>(to))(of, e);
        };
        user_ = {std::addressof(sink), tell};
        if (!start()) return std::move(result_);
        watch_.emplace(ha().state());
        told_.emplace(*watch_, time_);
        if (s_.false_proofs != 0) {
            watch_->proofs_lie();
            told_->leave_out_volumes();
        }
        world_.tell(&*told_);
        watch_->hears_notifications();
        for (virtual_controller& c : all_) c.tell(&*told_);
        watch_->faults_ended(after(told_->at(), s_.storm), s_.calm);
        while (!over_) round(never);
        finish();
        return std::move(result_);
    }
    [[nodiscard]] run_result run() {
        return run([](const engine&, const event&) {});
    }

    [[nodiscard]] world& in() noexcept { return world_; }
    /// The controller that leads, or did last.
    [[nodiscard]] virtual_controller& controller() noexcept { return ha(); }

private:
    /// Whoever is there hears the guests.
    struct ears {
        std::array<virtual_controller, 2>& all;
        bool beat(std::uint32_t n) {
            const bool first = all[0].beat(n);
            return all[1].beat(n) || first;
        }
        bool renewed(std::uint32_t n) {
            const bool first = all[0].renewed(n);
            return all[1].renewed(n) || first;
        }
        void copy_seen(std::uint32_t n, copy_state& c) {
            for (virtual_controller& ha : all) ha.copy_seen(n, c);
        }
        void healed(std::uint32_t n, std::uint8_t process) {
            for (virtual_controller& ha : all) ha.healed(n, process);
        }
        void host_died(std::uint32_t h) {
            for (virtual_controller& ha : all) ha.host_died(h);
        }
        void host_returned(std::uint32_t h) {
            for (virtual_controller& ha : all) ha.host_returned(h);
        }
    };
    struct waiting_fault {
        planned_fault what;
        time_point at; ///< from then on it aims, or it begins
    };
    /// A fault of the controller, its clock or its journal that is on.
    struct held_fault {
        fault_kind kind;
        time_point until;
        std::uint8_t share;
        std::array<bool, 2> whom; ///< of two
    };
    struct holder {
        schedule_run* of;
        std::size_t number;
    };
    struct event_sink {
        void* to = nullptr;
        void (*tell)(void*, const engine&, const event&) = nullptr;
    };

    [[nodiscard]] virtual_controller& ha() noexcept { return all_[lead_]; }
    [[nodiscard]] const virtual_controller& ha() const noexcept { return all_[lead_]; }

    // How time goes on

    [[nodiscard]] bool start() {
        for (virtual_controller& c : all_) c.send_pages(receiver_);
        if (s_.twins) {
            for (std::size_t k = 0; k < all_.size(); ++k) {
                all_[k].share_lead(store_, "controller-" + std::to_string(k), s_.ahead[k]);
                all_[k].gate().on_hold(&holders_[k], [](void* who, duration d) {
                    static_cast<holder*>(who)->of->stand_still(static_cast<holder*>(who)->number, d);
                });
            }
            store_.advance(time_.now);
            ha().poll([](const event&) {});
            if (!ha().running()) found("start", "no controller leads");
            return ha().running();
        }
        auto started = ha().start();
        if (!started) found("start", "the controller does not start: " + to_string(started.error()));
        return started.has_value();
    }
    /// Goes on to when something is due, at most until then, and does it.
    void round(time_point until) {
        const time_point to = earlier(next(), until);
        ears both{all_};
        if (s_.twins) world_.advance(to, both);
        else world_.advance(to, all_[0]);
        disk_.advance(time_.now);
        store_.advance(time_.now);
        take_pages();
        begin_faults();
        end_faults();
        restart();
        ask_status();
        work();
        static_cast<void>(human_.act());
        reopen_journal();
        for (std::size_t k = 0; k < (s_.twins ? all_.size() : 1); ++k) {
            virtual_controller& c = all_[k];
            c.poll([this, &c](const event& e) { hear(c, e); });
            if (!c.leads() || k == lead_) continue;
            lead_ = k;
            ++result_.takeovers;
            human_.serve(c);
        }
        ask_monitor();
        count_calls();
        aim();
        over_ = over_ || is_over() || spins();
    }
    /// Pages arrive.
    void take_pages() {
        if (receiver_.next() > time_.now) return;
        receiver_.advance(time_.now, [this](const notification& n, std::uint32_t from) {
            if (n.target == no_target) return watch_->arrived(n);
            // What an earlier controller sent, and says something older, is dropped.
            const auto t = static_cast<std::size_t>(n.target);
            if (t >= arrived_.size()) arrived_.resize(t + 1);
            auto& [newest, by] = arrived_[t];
            if (from < by && n.id < newest) return;
            newest = (std::max)(newest, n.id);
            by = (std::max)(by, from);
            watch_->arrived(n);
        });
        for (virtual_controller& c : all_) c.wake(); // there are answers
    }
    /// What one says that leads no more concerns nobody.
    void hear(const virtual_controller& c, const event& e) {
        if (!c.leads()) return;
        (*watch_)(e);
        note(e);
        human_.hear(e);
        user_.tell(user_.to, c.state(), e);
    }
    /// A controller stands still in the middle of what it does, and everything else goes on.
    void stand_still(std::size_t k, duration d) {
        virtual_controller& c = all_[k];
        c.stall(d);
        const bool watched = c.leads();
        if (watched) told_->freeze();
        const time_point end = after(time_.now, d);
        while (!over_ && time_.now < end) round(end);
        if (watched && c.leads()) told_->thaw();
    }

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
        time_point at = earlier(human_.next(), earlier(disk_.next(), next_poll_));
        at = earlier(at, earlier(next_look_, earlier(monitor_at_, receiver_.next())));
        for (std::size_t k = 0; k < all_.size(); ++k) {
            at = earlier(at, earlier(all_[k].next(), restart_at_[k]));
            if (all_[k].wants_journal()) at = earlier(at, reopen_at_);
        }
        for (const waiting_fault& w : waiting_) {
            const time_point begins = w.what.aims ? after(w.at, w.what.patience) : w.at;
            at = earlier(at, w.what.aims && time_.now < w.at ? w.at : begins);
        }
        for (const held_fault& h : held_) at = earlier(at, h.until);
        for (const time_point m : maintenance_) at = earlier(at, m);
        return later(at, time_.now);
    }

    // Faults

    // sim/run_faults.hpp
    void begin_faults();
    void aim();
    [[nodiscard]] bool find_standing(planned_fault& f) const noexcept;
    [[nodiscard]] bool can_begin(const planned_fault& f) const noexcept;
    void begin(planned_fault f);
    void pause(const planned_fault& f);
    void hold(const planned_fault& f);
    void change(const held_fault& h, bool on);
    void end_faults();
    void restart();
    [[nodiscard]] operation rung_of(const incident& i) const noexcept {
        const auto rungs = ha().state().policy_of(i).rungs();
        return i.rung < rungs.size() ? rungs[i.rung].what : operation::none;
    }
    /// Whoever looks after the journal tries again and again.
    void reopen_journal() {
        const auto wants = [](const virtual_controller& c) { return c.wants_journal(); };
        if (time_.now < reopen_at_ || std::none_of(all_.begin(), all_.end(), wants)) return;
        reopen_at_ = after(time_.now, std::chrono::seconds{30});
        for (virtual_controller& c : all_) {
            if (c.wants_journal() && !disk_.full() && !c.stalled() && !c.is_working()) c.reopen_journal();
        }
    }

    // What else is told

    void ask_status();
    void work() {
        std::erase_if(maintenance_, [this](time_point at) {
            if (time_.now < at) return false;
            if (!ha().leads() || ha().stalled()) return true;
            const std::uint32_t n = chance_.below(world_.truth().machines().size());
            const duration lasts = chance_.between(std::chrono::minutes{5}, std::chrono::minutes{40});
            human_.maintain(world_.truth().machine(n).target, lasts);
            return true;
        });
    }
    void note(const event& e) {
        if (e.what == decision::page) {
            ++result_.pages;
            mark(paged_, e.target, true);
            if (e.why == reason::trust_broken) result_.trust_broken = true;
            // Who parks has paged: after the storm that is an end, and what is tried again meanwhile is more than that.
            if (e.why == reason::ladder_exhausted && time_.now >= storm_over_) mark(given_up_, e.target, true);
        }
        if (e.what != decision::recover) return;
        result_.recovered += e.kind == event_kind::incident ? 1U : 0U;
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
    mock_lease_store store_;
    std::array<virtual_controller, 2> all_; ///< without twins the first is alone
    std::array<holder, 2> holders_{{{this, 0}, {this, 1}}};
    std::size_t lead_ = 0; ///< the one that leads, or did last
    event_sink user_{};
    bool over_ = false;
    virtual_operator human_;
    dice chance_;
    page_receiver receiver_;
    std::vector<std::pair<notification_id, std::uint32_t>> arrived_; ///< by target: the newest, and who sent it
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
    std::array<time_point, 2> restart_at_{};
    time_point reopen_at_ = (time_point::min)();
};

} // namespace reheat::inline REHEAT_ABI::sim

#include <reheat/sim/run_checks.hpp>
#include <reheat/sim/run_faults.hpp>
