// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>

// Who may say no, and until when: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

/// Asks every guard. Each answers for itself, so that an event can tell all that stands in the way.
inline guard_answers engine::ask_guards(const incident& i, const rung& r, target_id subject) const noexcept {
    guard_answers answers;
    const auto set = [&answers](guard g, const guard_answer& a) {
        if (!a.allows()) answers.set(g, a);
    };
    if (targets_.busy(subject)) answers.set(guard::busy, {reason::busy, never});
    else if (!strays_.empty() && runs_elsewhere(r.what, subject)) answers.set(guard::busy, {reason::returned, never});
    if (now_ < i.not_before && !(i.fences != 0 && proofs_ready(r, subject))) {
        const bool for_proof = i.fences != 0;
        const time_point lease = for_proof ? deaths_.lease_over(machine_of(subject)) : never;
        answers.set(guard::backoff, {for_proof ? reason::proof_required : reason::backing_off,
                                     lease > now_ ? earlier(i.not_before, lease) : i.not_before});
    }
    if (r.approval == consent::required && now_ >= i.approved_until)
        answers.set(guard::approval, {reason::approval_required, never});
    if (!journal_ok_) answers.set(guard::journal, {reason::journal_failed, never});
    if (leased_) set(guard::leadership, ask_leadership(i, r));
    for (const target_id t : {i.target, subject}) {
        if (const standing_order* o = orders_.holding(standing_order::kind::maintenance, t, now_, targets_))
            answers.set(guard::maintenance, {reason::in_maintenance, o->until});
    }
    set(guard::freeze, ask_freeze(i, r, subject));
    if (needs_proof(r.what) || is_destructive(r.what)) {
        if (now_ < held_until_) answers.set(guard::start_hold, {reason::started_lately, held_until_});
        set(guard::corroboration, ask_evidence(i, r, subject));
    }
    if (calling(i.target, health::unhealthy) == vantage_set::none && i.off_since == never)
        answers.set(guard::evidence, {reason::evidence_is_old, never});
    set(guard::probation, ask_probation(i, r, subject));
    set(guard::in_flight, ask_in_flight(i, r));
    if (level_of(r.what) != level::service) {
        const time_point next = after(last_machine_action_, options_.bounds.between);
        if (last_machine_action_ != (time_point::min)() && now_ < next)
            answers.set(guard::rate, {reason::too_soon, next});
    }
    ask_sets(answers, r, subject);
    set(guard::dependency, ask_dependencies(i));
    if (any_priority_ && highest_waiting_ > targets_[i.target].priority) {
        const time_point until =
            after(i.waiting_since == never ? now_ : i.waits_since, options_.bounds.yield_to_higher);
        if (now_ < until) answers.set(guard::priority, {reason::higher_priority, until});
    }
    if (trust_broken_) answers.set(guard::trust, {reason::trust_broken, never});
    for (const guard_ref& g : guards_) {
        guard_answer a = g.ask({i.target, subject, r.what, i.id, static_cast<std::uint16_t>(i.attempts + 1), now_});
        if (a.next <= now_) a.next = after(now_, shortest_pause); // or it would be asked without end
        // Of several, the one that says no for the longest.
        const guard_answer before = answers.of(guard::custom);
        if (!a.allows() && (before.allows() || a.next > before.next)) answers.set(guard::custom, a);
    }
    return answers;
}

/// Breakers, shared budgets and room, in every set that the action happens in.
inline void engine::ask_sets(guard_answers& answers, const rung& r, target_id subject) const noexcept {
    const limits& bounds = options_.bounds;
    const auto spent = [&answers](const guard_answer& a) {
        const guard_answer before = answers.of(guard::quota);
        if (!a.allows() && (before.allows() || a.next > before.next)) answers.set(guard::quota, a);
    };
    each_place(subject, [&](set_id id) {
        const instance_set& s = sets_[id];
        const bool group = s.of == set_kind::group;
        if (s.open) answers.set(guard::breaker, {opened(s), after(s.calm_since, bounds.breaker.cooldown)});
        const shared_budget& b = budget_of(s.of);
        if (b.limits()) spent(ask_budget(b, s.spent, group ? reason::group_budget : reason::domain_budget, id));
    });
    if (bounds.all.limits()) spent(ask_budget(bounds.all, all_spent_, reason::all_budget, no_set));
    spent(ask_quota());
    const guard_answer room = ask_capacity(r, subject);
    if (!room.allows()) answers.set(guard::capacity, room);
}

/// Actions in a set that have begun and spent nothing yet, since a fence comes first: what they will need is taken.
inline std::uint32_t engine::about_to_act(set_id in) const noexcept {
    std::uint32_t n = 0;
    for (const incident_id id : begun_) {
        n += in == no_set ? 1U : 0U;
        each_spent(*find_incident(id), [&](set_id s) { n += s == in ? 1U : 0U; });
    }
    return n;
}

inline guard_answer engine::ask_budget(const shared_budget& b, const spending& spent, reason why,
                                       set_id in) const noexcept {
    const std::uint32_t taken = about_to_act(in);
    const auto room = [&](budget left) {
        if (left.count != 0 && left.count <= taken) return never; // until one of those spends it, or does not
        if (left.count != 0) left.count = static_cast<std::uint16_t>(left.count - taken);
        return spent.room_at(left, now_);
    };
    const time_point next = later(room(b.burst), room(b.sustained));
    return next > now_ ? guard_answer{why, next} : guard_answer{};
}

/// Room for one more call; those that wait for the journal are as good as made.
inline guard_answer engine::ask_quota() const noexcept {
    budget left = options_.bounds.api;
    if (left.count == 0) return {};
    std::uint32_t taken = 0;
    for (const pending_operation& op : operations_)
        taken += op.at == pending_operation::stage::journaled && op.id != no_op ? 1U : 0U;
    if (taken >= left.count) return {reason::api_quota, after(now_, left.within)};
    left.count = static_cast<std::uint16_t>(left.count - taken);
    const time_point next = calls_made_.room_at(left, now_);
    return next > now_ ? guard_answer{reason::api_quota, next} : guard_answer{};
}

/// Whether the lead outlasts each call of the attempt, were it made now: a fence is of no use without what follows it.
inline guard_answer engine::ask_leadership(const incident& i, const rung& r) const noexcept {
    const bool proof = needs_proof(r.what);
    const bool leads = leads_for(r.timeout) && (!proof || leads_for(options_.fence_timeout)) &&
                       ((!proof && !is_destructive(r.what)) || leads_for(policy_of(i).forensics));
    return leads ? guard_answer{} : guard_answer{unled(), never};
}

/// Whether a second vantage agrees with the first that a machine is dead, or its death is proved.
inline bool engine::confirmed_by_second(const incident& i, target_id subject) const noexcept {
    const target_id machine = machine_of(subject);
    vantage_set against = calling(i.target, health::unhealthy);
    if (machine == no_target) return count(against) >= 2;
    against = against | calling(machine, health::unhealthy);
    if (targets_.words(machine).machine.says(now_, evidence_of(machine).max_age) == health::unhealthy)
        against = against | vantage::driver_status;
    return count(against) >= 2 || dead(machine).has_value();
}

/// When the first of these vantages will have grown old and say nothing any more; `never` for what stands.
inline time_point engine::grows_old(target_id machine, vantage_set which) const noexcept {
    if (machine == no_target) return never;
    const testimonies& words = targets_.words(machine);
    const duration max_age = evidence_of(machine).max_age;
    time_point first = never;
    const auto speaks_until = [&](const testimony& word) {
        // What is old already is not what one waits for.
        if (const time_point at = word.ages(max_age); at >= now_) first = earlier(first, at);
    };
    if (has(which, vantage::driver_status)) speaks_until(words.machine);
    for (std::size_t v = 0; v < vantage_count; ++v) {
        if (has(which, static_cast<vantage>(v))) speaks_until(words.of[v]);
    }
    return after(first, std::chrono::milliseconds{1}); // at its very age it still speaks
}

/// Two independent vantages before what can not be undone.
inline guard_answer engine::ask_evidence(const incident& i, const rung& r, target_id subject) const noexcept {
    if (proofs_ready(r, subject)) return {};
    // What was switched off needs no further witness.
    if (level_of(r.what) != level::stack) return i.off_since == never ? attest(i, i.target, subject) : guard_answer{};
    // Each machine that it would fence.
    guard_answer worst = attest(i, i.target, machine_of(i.target));
    for (const incident_id id : open_below(subject)) {
        const target_id ill = find_incident(id)->target;
        if (worst.allows() && ill != subject) worst = attest(i, ill, machine_of(ill));
    }
    return worst;
}

/// Whether the vantages on a target and on its machine are enough to take the machine for dead.
inline guard_answer engine::attest(const incident& i, target_id target, target_id machine) const noexcept {
    vantage_set against = calling(target, health::unhealthy);
    vantage_set running{};
    if (machine != no_target) {
        against = against | calling(machine, health::unhealthy);
        const health asked = targets_.words(machine).machine.says(now_, evidence_of(machine).max_age);
        if (asked == health::unhealthy) against = against | vantage::driver_status;
        // A guest that is heard and says that its service is down is no silent machine; that it runs is no news.
        const bool reachable = machine != target && targets_[machine].heard() == health::healthy;
        if (!reachable) {
            running = calling(machine, health::healthy) - calling(machine, health::unhealthy);
            if (asked == health::healthy) running = running | vantage::driver_status;
        }
    }
    switch (corroborate(against, running, policy_of(i).evidence)) {
    case attested::one_vantage: return {reason::one_vantage, never};
    case attested::contradicted: return {reason::contradicted, grows_old(machine, running)};
    case attested::enough: break;
    }
    return {};
}

inline guard_answer engine::ask_freeze(const incident& i, const rung& r, target_id subject) const noexcept {
    for (const target_id t : {i.target, subject}) {
        if (const standing_order* o = orders_.holding(standing_order::kind::freeze, t, now_, targets_))
            return {reason::frozen_by_operator, o->until};
    }
    if (doubting_) return {reason::silence_is_ours, never};
    if (now_ < listen_until_) return {reason::silence_is_ours, listen_until_};
    if (needs_proof(r.what) && silence_.cliff()) {
        const target_id machine = machine_of(i.target);
        if (machine != no_target && silence_.in_cliff(machine) && !confirmed_by_second(i, machine))
            return {reason::silence_cliff, never};
    }
    return {};
}

inline guard_answer engine::ask_in_flight(const incident& i, const rung& r) const noexcept {
    const bool service = level_of(r.what) == level::service;
    const std::size_t all = targets_.count(service ? level::service : level::instance);
    const share& bound = service ? options_.bounds.services_in_flight : options_.bounds.in_flight;
    if (in_flight_[service ? 0 : 1] >= bound.of(static_cast<std::uint32_t>(all)))
        return {reason::too_many_in_flight, never};
    // Who fails again and again, or is more important, must not take every turn.
    const bool after_me = service || waits_longest_ >= (i.waiting_since == never ? now_ : i.waits_since);
    if (after_me || now_ < after(waits_longest_, options_.bounds.yield_to_higher)) return {};
    return {reason::too_many_in_flight, never};
}

/// What helped a short while ago is not done again, nor more, unless somebody else complains now.
inline guard_answer engine::ask_probation(const incident& i, const rung& r, target_id subject) const noexcept {
    if (level_of(r.what) == level::service) return {};
    time_point until = now_;
    for (const target_id acted : {subject, machine_of(i.target)}) {
        if (acted == no_target || targets_[acted].memory == 0) continue;
        const recovery_memory& m = memories_[targets_[acted].memory];
        if (m.helped == operation::none || rank(r.what) < rank(m.helped)) continue;
        if ((i.accusers - m.on_word_of) != vantage_set::none) continue;
        until = later(until, after(m.helped_at, policy_of(i).probation));
    }
    return now_ < until ? guard_answer{reason::in_probation, until} : guard_answer{};
}

/// What it needs comes first: as long as that is not well and something is still tried for it.
inline guard_answer engine::ask_dependencies(const incident& i) const noexcept {
    if (dependencies_.empty()) return {};
    bool waits = false;
    const auto look_below = [&](target_id below) {
        const incident* other = waits ? nullptr : incident_of(below);
        // What waits for this one's action does not hold it up.
        const bool tried = other != nullptr && other->at != phase::parked;
        waits = waits || (tried && (other->at != phase::absorbed || other->absorbed_by != i.id));
    };
    for (target_id up = i.target; up != no_target; up = targets_[up].parent)
        each_need(up, [&](target_id on) { targets_.each_below(on, look_below); });
    return waits ? guard_answer{reason::waits_for_dependency, never} : guard_answer{};
}

/// Room for every copy that it may start, beside those of actions that have begun and taken none yet.
inline guard_answer engine::ask_capacity(const rung& r, target_id subject) const noexcept {
    if (!needs_proof(r.what)) return {};
    const auto full = [&](std::uint32_t room, set_id in) {
        std::uint32_t copies = 0;
        const auto count = [&](target_id machine) { copies += in == no_set || sets_of(machine).zone == in ? 1U : 0U; };
        each_machine(subject, count);
        for (const incident_id id : begun_) {
            for (const death_wanted& d : find_incident(id)->deaths) count(d.target);
        }
        return room < copies;
    };
    bool none = room_ && full(*room_, no_set);
    each_machine(subject, [&](target_id machine) {
        const set_id zone = sets_of(machine).zone;
        none = none || (zone != no_set && sets_[zone].room && full(*sets_[zone].room, zone));
    });
    return none ? guard_answer{reason::no_capacity, never} : guard_answer{};
}

} // namespace reheat::inline REHEAT_ABI
