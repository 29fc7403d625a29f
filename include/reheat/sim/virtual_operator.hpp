// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/dice.hpp>
#include <reheat/sim/virtual_controller.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace reheat::inline REHEAT_ABI::sim {

/// The human of a simulation: reads pages and questions after a while, and does what they ask for. Approves or denies a
/// rung; pulls the plug of a machine that nobody can prove dead, and says so; mends by hand, under announced
/// maintenance, what a breaker or a broken proof keeps the controller from. One thread at a time.
class virtual_operator {
public:
    virtual_operator(world& in, virtual_controller& of, operator_habits how, std::uint64_t seed) noexcept
        : world_{&in}, of_{&of}, how_{how}, chance_{seed} {}

    /// From now on another controller leads, and is told his words.
    void serve(virtual_controller& leader) noexcept { of_ = &leader; }
    /// An event is told to him.
    void hear(const event& e) {
        const bool asked = e.what == decision::wait && (e.denied & bit(guard::approval)) != 0;
        if (asked) return plan(task::kind::answer, e.target);
        if (e.what != decision::page || e.shadow) return;
        switch (e.why) {
        case reason::returned: return plan(task::kind::stop_old, e.target);
        case reason::waited_long: return plan(task::kind::look, e.target);
        case reason::ladder_exhausted:
            if (chance_.percent(how_.unparks)) plan(task::kind::unpark, e.target);
            else if (chance_.percent(how_.mends)) plan(task::kind::mend_all, no_target);
            return;
        case reason::breaker_group:
        case reason::breaker_domain:
        case reason::silence_is_ours: return plan(task::kind::mend_all, no_target);
        default: return;
        }
    }
    [[nodiscard]] time_point next() const noexcept { return next_; }

    /// Does what is due; true if the controller was told something.
    bool act() {
        if (world_->now() < next_) return false;
        bool told = false;
        std::vector<task> due;
        std::swap(due, tasks_);
        for (const task& t : due) {
            if (t.at > world_->now()) tasks_.push_back(t);
            else if (of_->leads() && !of_->stalled()) told = act(t) || told;
            else tasks_.push_back({after(world_->now(), std::chrono::minutes{1}), t.what, t.target, t.tries});
        }
        next_ = never;
        for (const task& t : tasks_) next_ = earlier(next_, t.at);
        return told;
    }
    /// A machine is taken out of the controller's hands for some time.
    void maintain(target_id target, duration d) {
        of_->ha().operate({operator_verb::maintain, target, "ann", "planned work", after(of_->ha().time().now(), d)});
        of_->wake();
    }

private:
    struct task {
        enum class kind : std::uint8_t { answer, look, unpark, mend_all, stop_old };
        time_point at;
        kind what;
        target_id target;
        unsigned tries = 0; ///< so often before
    };

    void plan(task::kind what, target_id target, unsigned tries = 0) {
        const auto same = [&](const task& t) { return t.what == what && t.target == target; };
        if (std::any_of(tasks_.begin(), tasks_.end(), same)) return;
        const time_point at = after(world_->now(), chance_.between(how_.reads_after / 2, how_.reads_after * 2));
        tasks_.push_back({at, what, target, tries});
        next_ = earlier(next_, at);
    }

    bool act(const task& t) {
        switch (t.what) {
        case task::kind::answer: return answer(t.target);
        case task::kind::look: return look(t);
        case task::kind::unpark: say({operator_verb::unpark, t.target, "ann", "tries again", never}); return true;
        case task::kind::mend_all: return mend_all();
        case task::kind::stop_old: world_->stop_returned(world_->place_of(t.target).machine); return false;
        }
        return false;
    }
    bool answer(target_id target) {
        const bool denies = chance_.percent(how_.denies);
        const incident* i = of_->state().incident_of(target);
        if (i == nullptr || i->at != phase::deciding) return false;
        const time_point until = after(of_->ha().time().now(), std::chrono::hours{2});
        if (denies) say({operator_verb::deny, target, "ann", "not now", never});
        else say({operator_verb::approve, target, "ann", "go on", until});
        return true;
    }
    /// Somebody waits for something that does not come by itself. He comes back until it is over, and in the end mends
    /// it by hand.
    bool look(const task& t) {
        const incident* i = of_->state().incident_of(t.target);
        if (i == nullptr) return false;
        if (i->at != phase::deciding && i->at != phase::fencing) {
            plan(task::kind::look, t.target,
                 t.tries); // something else is at it; nobody pages again if that does not help
            return false;
        }
        plan(t.tries < 2 ? task::kind::look : task::kind::mend_all, t.tries < 2 ? t.target : no_target, t.tries + 1);
        if ((i->denied & bit(guard::approval)) != 0) return answer(t.target);
        return unplug_what_is_dead(*i);
    }
    /// What the rung would make anew has to be proved dead, all of it.
    bool unplug_what_is_dead(const incident& i) {
        const target_id subject = of_->state().subject_of(i);
        const world_place on = world_->place_of(subject == no_target ? i.target : subject);
        bool told = false;
        for (std::uint32_t n = 0; n < world_->truth().machines().size(); ++n) {
            const machine_state& m = world_->truth().machine(n);
            const bool stack = on.is == world_place::kind::stack;
            const bool meant = stack ? m.how.stack == on.machine : n == on.machine;
            if (!meant || world_->truth().works(n) || m.being_replaced != 0) continue;
            if (stack && of_->state().incident_of(m.target) == nullptr) continue;
            world_->unplug(n);
            say({operator_verb::confirm_dead, m.target, "ann", "pulled its plug", never});
            told = true;
        }
        return told;
    }
    /// Goes from one machine that does not work to the next. What the controller is at is left to it.
    bool mend_all() {
        bool told = false;
        bool left = false;
        for (std::uint32_t n = 0; n < world_->truth().machines().size(); ++n) {
            const machine_state& m = world_->truth().machine(n);
            if (world_->truth().works(n) && m.all_up()) continue;
            if (in_hand(m) || m.being_replaced != 0) {
                left = true;
                continue;
            }
            maintain(m.target, std::chrono::minutes{10});
            told = true;
            left = !world_->repair(n) || left;
        }
        // He comes back to see whether it helped; as long as a page is not followed by `recovered`; and as long as a
        // breaker is open: it was paged once, also if nothing waits for it now, because an action of before holds all
        // that it counts.
        for (const incident& i : of_->state().incidents()) left = left || i.paged;
        const set_book& sets = of_->state().sets();
        for (std::size_t n = 0; n < sets.size(); ++n) left = left || sets[static_cast<set_id>(n)].open;
        if (left || told) plan(task::kind::mend_all, no_target);
        return told;
    }
    /// Whether the controller does something with it, or with what is above or below it.
    [[nodiscard]] bool in_hand(const machine_state& m) const noexcept {
        const engine& e = of_->state();
        for (const incident& i : e.incidents()) {
            const bool idle = i.at == phase::deciding || i.at == phase::parked || i.at == phase::absorbed;
            if (idle || i.subject == no_target) continue;
            if (e.targets().covers(i.subject, m.target) || e.targets().covers(m.target, i.subject)) return true;
        }
        return false;
    }
    void say(const operator_input& word) {
        of_->ha().operate(word);
        of_->wake();
    }

    world* world_;
    virtual_controller* of_;
    operator_habits how_;
    dice chance_;
    std::vector<task> tasks_;
    time_point next_ = never;
};

} // namespace reheat::inline REHEAT_ABI::sim
