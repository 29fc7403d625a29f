// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>

// An incident's way up the ladder: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

inline void engine::open(target_id target, reason why, outputs& out) {
    incident i;
    i.accusers = calling(target, health::unhealthy);
    const bool related = make(i, target);
    record& r = write(record_kind::opened, target, out);
    r.incident = i.id;
    r.by = i.accusers;
    event& e = tell(event_kind::incident, decision::open, related ? reason::related_failure : why, i, out);
    e.rung = operation::none;
    if (i.at == phase::absorbed)
        tell(event_kind::incident, decision::absorb, reason::action_above, i, out).rung = operation::none;
    // A new one is the newest; one that goes on has its old place.
    if (!related) return incidents_.push_back(std::move(i));
    late_.insert(late_.begin() + static_cast<std::ptrdiff_t>(place_of(i.id, late_)), std::move(i));
    constexpr std::size_t most_late = 256;
    if (late_.size() >= most_late) place_late();
}

/// Makes it the open incident of a target; true if it is an earlier one that goes on.
inline bool engine::make(incident& i, target_id target) {
    i.target = target;
    i.rules = targets_[target].rules;
    i.opened_at = now_;
    // What failed again so soon was not cured: the same incident goes on, and knows what did not help.
    bool related = false;
    if (const std::uint32_t known = targets_[target].memory; known != 0) {
        const recovery_memory& m = memories_[known];
        related = m.incident != no_incident && now_ < after(m.closed_at, policy_of(i).related);
        if (related) {
            i.id = m.incident;
            i.said = m.said;
            if (m.rules == i.rules) i.useless = m.useless;
            if (now_ < after(m.closed_at, policy_of(i).stable)) i.tries = m.tries;
            if (i.tries != 0 && policy_of(i).size() != 0)
                i.not_before = i.wake = after(now_, wait_after(rung_of(i).wait, options_.seed, i.id, i.tries));
        }
    }
    if (!related) i.id = static_cast<incident_id>(++last_incident_);
    targets_[target].incident = i.id;

    // What happens below an action that is under way is its doing, not a new failure.
    const target_id above = targets_.busy_above(target);
    incident* const by = above == no_target ? nullptr : find_incident(targets_[above].actor);
    if (by != nullptr && by->subject == above) {
        i.at = phase::absorbed;
        i.wake = never; // the other one's verdict wakes it
        i.absorbed_by = by->id;
        ++by->absorbs;
    }
    if (const target_id machine = machine_of(target); machine != no_target && ++targets_[machine].failing == 1)
        sets_.count(targets_[machine].member_of, 0, 1);
    return related;
}

/// Merges the incidents that go on into the others, from the back.
inline void engine::place_late() {
    std::size_t from = incidents_.size();
    std::size_t left = late_.size();
    while (incidents_.size() != from + left) incidents_.push_back({});
    for (std::size_t to = from + left; left != 0;) {
        const bool late = from == 0 || incidents_[from - 1].id < late_[left - 1].id;
        incidents_[--to] = std::move(late ? late_[--left] : incidents_[--from]);
    }
    late_.clear();
}

inline void engine::look(incident& i, outputs& out) {
    switch (i.at) {
    case phase::deciding: decide(i, out); break;
    case phase::verifying: check_verdict(i, out); break;
    case phase::parked:
        if (well(i, (time_point::min)())) {
            close(i, reason::healthy_again, out);
        } else if (now_ >= i.wake) {
            i.at = phase::deciding;
            if (const policy_id newest = policies_[static_cast<std::size_t>(i.rules)].newest; newest != i.rules) {
                i.rules = newest;
                i.unhelpful = 0;
            }
            i.rung = 0;
            i.attempts = 0;
            i.useless = 0;
            i.wake = never;
            tell(event_kind::incident, decision::release, reason::parked_retry, i, out).rung = operation::none;
            look_again_ = true;
        }
        break;
    case phase::absorbed: {
        incident* by = find_incident(i.absorbed_by);
        if (by == nullptr || by->at == phase::parked || by->at == phase::closed) let_go(i, out);
        else if (by->at == phase::deciding && well(i, (time_point::min)())) close(i, reason::healthy_again, out);
        break;
    }
    default: break;
    }
    page_long_wait(i, out);
}

inline void engine::decide(incident& i, outputs& out) {
    if (well(i, (time_point::min)())) return close(i, reason::healthy_again, out);
    while (i.rung < policy_of(i).size()) {
        const rung& r = rung_of(i);
        if (r.what == operation::page) {
            page(reason::alarm_raised, i, out);
            climb(i, decision::climb, reason::attempts_spent, out);
            continue;
        }
        const target_id subject = subject_of(i, r);
        if (const reason why = skip(i, r, subject); why != reason::none) {
            climb(i, decision::skip, why, out);
            continue;
        }
        if (r.what == operation::guest_restarts) {
            if (wait_for_guest(i, r, out)) return;
            continue;
        }
        if (i.attempts >= r.burst.count) {
            climb(i, decision::climb, reason::attempts_spent, out);
            continue;
        }
        if (!ledger_.has_room(subject, booked_as(r), r.burst, r.sustained, now_)) {
            climb(i, decision::climb, reason::budget_spent, out);
            continue;
        }
        const guard_answers answers = ask_guards(i, r, subject);
        if (answers.denied() != 0) {
            wait(i, subject, answers, out);
            const bool longest = (answers.denied() & ~turn_guards) == 0 && i.waits_since < longest_now_;
            if (longest && level_of(r.what) != level::service) longest_now_ = i.waits_since;
            return;
        }
        return begin(i, r, subject, out);
    }
    park(i, out);
}

/// What an action upon a target must not lose: of a stack, what the instances keep that it would make anew.
inline asset engine::keeps(target_id subject) const noexcept {
    asset all = targets_[subject].keep;
    if (targets_[subject].of != level::stack) return all;
    targets_.each_below(subject, [&](target_id below) {
        if (targets_[below].failing != 0) all = all | targets_[below].keep;
    });
    return all;
}

/// Why a rung can not help, or must not be tried; `none` if it may.
inline reason engine::skip(const incident& i, const rung& r, target_id subject) const noexcept {
    if (subject == no_target) return reason::no_such_ancestor;
    if ((loss_of(r.what) & keeps(subject)) != asset::none) return reason::loses_kept_asset;
    const target_id machine = machine_of(subject);
    if (machine != no_target && !needs_proof(r.what)) {
        const set_id host = sets_of(machine).host;
        if (host != no_set && sets_[host].dead) return reason::host_is_dead;
        const bool in_guest = r.what == operation::restart_service || r.what == operation::guest_restarts;
        if (in_guest && targets_.words(machine).machine.says(now_, evidence_of(machine).max_age) == health::unhealthy)
            return reason::machine_is_off;
    }
    return (i.useless >> i.rung & 1U) != 0 ? reason::did_not_help : reason::none;
}

/// Whether the guest has restarted it more often than it may: the last one that it may is given time to help.
inline bool engine::guest_overspent(target_id target, const rung& r) const {
    const auto over = [&](budget b) {
        if (b.count != UINT16_MAX) ++b.count;
        return !ledger_.has_room(target, r.what, b, now_);
    };
    return over(r.burst) || over(r.sustained);
}

/// The guest is at it, and is given time; false once that is over, and the ladder goes on.
inline bool engine::wait_for_guest(incident& i, const rung& r, outputs& out) {
    if (i.healed_at == never) i.healed_at = now_;
    const time_point until = after(i.healed_at, r.verify);
    if (guest_overspent(i.target, r)) {
        climb(i, decision::climb, reason::attempts_spent, out);
        return false;
    }
    if (now_ >= until) {
        climb(i, decision::climb, reason::verify_deadline, out);
        return false;
    }
    if (i.wake != until) tell(event_kind::rung, decision::wait, reason::guest_heals, i, out).next = until;
    i.wake = until;
    return true;
}

inline void engine::climb(incident& i, decision what, reason why, outputs& out) {
    event& e = tell(event_kind::rung, what, why, i, out);
    e.subject = subject_of(i);
    const operation left = rung_of(i).what;
    ++i.rung;
    if (const policy_id newest = policies_[static_cast<std::size_t>(i.rules)].newest; newest != i.rules) {
        // The policy was changed: on with its first rung above the one that is left behind.
        i.rules = newest;
        i.rung = 0;
        i.useless = i.unhelpful = 0;
        while (i.rung < policy_of(i).size() && rank(rung_of(i).what) <= rank(left)) ++i.rung;
    }
    i.tries = i.attempts = i.fences = 0;
    i.approved_until = i.not_before = (time_point::min)();
    i.waiting_since = never;
    i.paged = false;
    waits_for_nothing(i);
}

inline void engine::wait(incident& i, target_id subject, const guard_answers& answers, outputs& out) {
    i.wake = answers.next();
    if (now_ < i.approved_until) i.wake = earlier(i.wake, i.approved_until);
    begin_wait(i, now_);
    // What a cliff holds up, the cloud is asked for.
    if (answers.of(guard::freeze).why == reason::silence_cliff) {
        const target_id machine = machine_of(i.target);
        const testimony& known = targets_.words(machine).machine;
        const duration max_age = evidence_of(machine).max_age;
        const bool unknown = known.says(now_, max_age) == health::unknown;
        if (unknown) ask_machine(machine, out);
        // At its very age it still speaks.
        const time_point old = after(known.ages(max_age), std::chrono::milliseconds{1});
        i.wake = earlier(i.wake, unknown ? ask_again_at(machine) : old);
    }
    if (i.denied == answers.denied() && i.denied_by == answers.first()) return;
    const bool before = std::exchange(i.by_itself, waits_by_itself(answers.denied()));
    if (i.by_itself && ((i.denied != 0 && !before) || (i.paged && i.paged_for != 0))) {
        // A page holds as long as anything that it named does; one of a fence names nothing. What else stands in the
        // way is a wait of its own.
        i.waiting_since = now_;
        i.paged = i.paged && (answers.denied() & ~turn_guards & i.paged_for) != 0;
    }
    i.denied = answers.denied();
    i.denied_by = answers.first();
    event& e = tell(event_kind::rung, decision::wait, answers.first(), i, out);
    e.subject = subject;
    e.asked = all_guards;
    e.denied = answers.denied();
    e.next = answers.next();
    std::size_t n = 0;
    answers.each_denial([&](guard g, const guard_answer& a) {
        if (n < event::most_denials) e.denials[n++] = {g, a.why, denial::until(a.next, now_)};
    });
}

inline void engine::begin(incident& i, const rung& r, target_id subject, outputs& out) {
    act_upon(i, subject, out);
    want_deaths(i, r, subject);
    const bool destroys = needs_proof(r.what) || is_destructive(r.what);
    if (destroys && policy_of(i).forensics > duration::zero() && !i.forensics) {
        enter(i, phase::collecting);
        i.forensics = true;
        event& e = tell(event_kind::rung, decision::act, reason::collecting, i, out);
        e.rung = operation::collect_forensics;
        start(operation::collect_forensics, subject, &i, policy_of(i).forensics, duration::zero(), out);
        return;
    }
    enter(i, i.deaths.empty() ? phase::acting : phase::fencing);
    go_on(i, out);
}

/// From here on the subject is busy, and what is open below it waits for its action.
inline void engine::act_upon(incident& i, target_id subject, outputs& out) {
    i.subject = subject;
    if (i.reach == no_target || targets_.covers(subject, i.reach)) i.reach = subject;
    targets_[subject].actor = i.id;
    const target_id machine = machine_of(subject);
    i.member_of = machine == no_target ? 0 : targets_[machine].member_of;
    i.places.clear();
    if (machine == no_target) note_places(i);
    if ((i.denied & (bit(guard::maintenance) | bit(guard::trust))) != 0) i.waiting_since = now_; // for its fences
    waits_for_nothing(i);
    targets_.mark_busy(subject, 1);
    ++flying(targets_[subject].of);
    if (targets_[subject].of != level::service) last_machine_action_ = now_;
    absorb_below(i, out);
}

/// Where an action on a stack happens: each set once, however many of its machines are in it.
inline void engine::note_places(incident& i) const {
    each_place(i.subject, [&](set_id s) {
        bool known = false;
        for (const set_id other : i.places) known = known || other == s;
        if (!known) i.places.push_back(s);
    });
}

inline void engine::absorb_below(incident& i, outputs& out) {
    if (targets_[i.subject].first_child == no_target && i.target == i.subject) return;
    for (const incident_id id : open_below(i.subject)) {
        incident& other = *find_incident(id);
        const bool idle = other.at == phase::deciding || other.at == phase::parked || other.at == phase::absorbed;
        if (other.id == i.id || !idle) continue;
        if (other.at == phase::absorbed && other.absorbed_by == i.id) continue;
        other.at = phase::absorbed;
        other.absorbed_by = i.id;
        ++i.absorbs;
        other.waiting_since = never;
        waits_for_nothing(other); // let go, it tells anew what it waits for
        event& e = tell(event_kind::incident, decision::absorb, reason::action_above, other, out);
        e.subject = i.subject;
        e.rung = operation::none;
    }
}

/// The next operation of the attempt under way: the next fence, or the action itself.
inline void engine::go_on(incident& i, outputs& out) {
    if (i.at == phase::fencing) return fence_next(i, out);
    const rung& r = rung_of(i);
    ++i.attempts;
    i.waiting_since = never;
    i.paged = false;
    tell(event_kind::rung, decision::act, i.attempts == 1 ? reason::first_attempt : reason::next_attempt, i, out);
    pending_operation& op = start(r.what, i.subject, &i, r.timeout, r.verify, out);
    op.booked = booked_as(r);
    for (const death_wanted& d : i.deaths) op.proofs.push_back(proof_of_death{d.by, i.id, d.target, d.expires});
    spend(i, op);
    op.hard = r.how == reboot_kind::hard || (r.how == reboot_kind::soft_then_hard && i.attempts > 1);
}

/// Back to the decision, not before the backoff is over.
inline void engine::retry(incident& i, duration at_least) {
    const unsigned tried = i.fences != 0 ? i.fences : i.tries + i.attempts;
    const backoff& own = rung_of(i).wait;
    // No budget ends fences, so those of a rung that does not wait do.
    const backoff& wait = i.fences != 0 && own.first <= duration::zero() ? instance_backoff : own;
    const duration pause = wait_after(wait, options_.seed, i.id, tried == 0 ? 1 : tried);
    step_back(i);
    i.not_before = i.wake = later(i.not_before, later(after(now_, pause), after(now_, at_least)));
}

/// Back to the decision, and nothing of the attempt is under way any more.
inline void engine::step_back(incident& i) {
    enter(i, phase::deciding);
    i.wake = never;
    i.deaths.clear();
    i.forensics = false;
    finish_busy(i);
}

/// Whether nobody calls the target unhealthy any more, and somebody calls it healthy: its alarms, if they were among
/// those who complained, since they go on looking. With `since`, only what was said after that time counts: a heartbeat
/// from before an action does not show that it helped, nor one from before its machine was switched off.
inline bool engine::well(const incident& i, time_point since) const noexcept {
    const bool off = i.off_since != never;
    const time_point told_since = off ? later(since, i.off_since) : since;
    bool any = false;
    for (std::size_t n = 0; n < vantage_count; ++n) {
        const auto v = static_cast<vantage>(n);
        const health said = says(i.target, v);
        if (said == health::unhealthy) return false;
        const bool heard = v == vantage::guest_heartbeat && targets_[i.target].quiet != 0 &&
                           (since == (time_point::min)() || heard_since_action(i.target)) && (!off || beats(i.target));
        const testimony& word = targets_.words(i.target).of[n];
        const bool told = word.at() >= told_since && word.says(now_, evidence_of(i.target).max_age) == health::healthy;
        if (said == health::healthy && (heard || told)) any = true;
        else if (v == vantage::guest_heartbeat && has(i.accusers, v)) return false;
    }
    return any;
}

/// Whether an alarm of a target that is raised by silence hears it.
inline bool engine::beats(target_id target) const noexcept {
    bool any = false;
    each_watch(target, [&](watch_id w) { any = any || watches_.hears_life(w); });
    return any;
}

/// Whether the alarms of a target that are raised by silence have heard something since its last action.
inline bool engine::heard_since_action(target_id target) const noexcept {
    bool heard = true;
    each_watch(target, [&](watch_id w) { heard = heard && (!watches_.hears_life(w) || watches_.has_heard(w)); });
    return heard;
}

inline void engine::check_verdict(incident& i, outputs& out) {
    const bool cured = well(i, i.acted_at);
    bool all_cured = cured;
    if (i.absorbs != 0) {
        for (const incident_id id : open_below(i.reach)) {
            const incident& other = *find_incident(id);
            if (other.at == phase::absorbed && other.absorbed_by == i.id)
                all_cured = all_cured && well(other, i.acted_at);
        }
    }
    if (all_cured || (cured && now_ >= i.verify_by)) return close(i, reason::verified, out);
    if (now_ < i.verify_by) return;
    event& e = tell(event_kind::verdict, decision::give_up, reason::verify_deadline, i, out);
    record& w = write(record_kind::verdict, i.target, out);
    w.incident = i.id;
    w.op = i.op;
    w.what = e.rung;
    w.why = reason::verify_deadline;
    i.unhelpful = static_cast<std::uint8_t>(i.unhelpful | 1U << i.rung);
    retry(i, {});
}

inline void engine::close(incident& i, reason why, outputs& out) {
    event& e = tell(event_kind::incident, decision::recover, why, i, out);
    if (why != reason::verified || i.at == phase::absorbed) e.rung = operation::none;
    record& w = write(record_kind::closed, i.target, out);
    w.incident = i.id;
    w.why = why;

    recovery_memory& m = remember(i.target);
    // A rung that did not help two incidents running is left out of the next.
    m.useless =
        m.incident == i.id && m.rules == i.rules ? static_cast<std::uint8_t>(m.tried & i.unhelpful) : std::uint8_t{0};
    m.tried = i.unhelpful;
    m.incident = i.id;
    m.rules = i.rules;
    m.closed_at = now_;
    m.tries = i.tries + i.attempts;
    m.said = why == reason::verified ? std::vector<std::string>{} : i.said;
    if (i.at == phase::verifying && why == reason::verified && level_of(rung_of(i).what) != level::service) {
        recovery_memory& acted = remember(i.subject);
        acted.helped = rung_of(i).what;
        acted.helped_at = now_;
        acted.on_word_of = i.accusers;
    }

    i.at = phase::closed;
    targets_[i.target].incident = no_incident;
    if (const target_id machine = machine_of(i.target); machine != no_target && --targets_[machine].failing == 0)
        sets_.count(targets_[machine].member_of, 0, -1);
    finish_busy(i);
    release_absorbed(i, out);
}

/// Lets go of all, or of those that have something of their own to try: who waits long does not speak for them.
inline void engine::release_absorbed(incident& by, outputs& out, bool all) {
    if (by.absorbs == 0) return;
    if (all) by.absorbs = 0;
    for (const incident_id id : open_below(by.reach)) {
        incident& other = *find_incident(id);
        const bool own = all || subject_of(other) != subject_of(by);
        if (other.at == phase::absorbed && other.absorbed_by == by.id && own) let_go(other, out);
    }
}

inline void engine::let_go(incident& absorbed, outputs& out) {
    look_again_ = true;
    if (well(absorbed, (time_point::min)())) return close(absorbed, reason::verified, out);
    absorbed.absorbed_by = no_incident;
    absorbed.paged = absorbed.paged && absorbed.paged_for != 0; // no fence is waited for any more
    absorbed.at = phase::deciding;
    tell(event_kind::incident, decision::release, reason::none, absorbed, out).rung = operation::none;
}

inline void engine::park(incident& i, outputs& out) {
    i.at = phase::parked;
    look_again_ = true; // what depends on it need not wait any more
    const duration pause = policy_of(i).retry_parked;
    i.wake = after(now_, pause < shortest_pause ? shortest_pause : pause);
    i.waiting_since = never;
    event& e = tell(event_kind::incident, decision::park, reason::ladder_exhausted, i, out);
    e.next = i.wake;
    tell(event_kind::page, decision::page, reason::ladder_exhausted, i, out).next = i.wake;
    record& w = write(record_kind::parked, i.target, out);
    w.incident = i.id;
    w.why = reason::ladder_exhausted;
    release_absorbed(i, out);
}

/// When a human has to hear of an incident that waits, be it for a guard or for the fence; `never` once that is done.
/// One that only waits for its turn behind others is on its way: a host with many instances would page for each.
inline time_point engine::page_at(const incident& i) const noexcept {
    const bool in_turn = i.at == phase::deciding && i.denied != 0 && (i.denied & ~turn_guards) == 0;
    const bool waits = !in_turn && (i.at == phase::deciding || i.at == phase::fencing);
    return i.paged || !waits ? never : after(i.waiting_since, options_.page_after);
}

/// Whether something stands in the way of this one incident, rather than of many, or of nothing but its turn.
inline bool engine::waits_by_itself(std::uint32_t denied) const noexcept {
    if ((denied & (bit(guard::maintenance) | bit(guard::trust))) != 0) return false; // who announced it knows
    if ((denied & bit(guard::breaker)) != 0 || (doubting_ && (denied & bit(guard::freeze)) != 0)) return false;
    return (denied & ~turn_guards) != 0;
}

inline void engine::page_long_wait(incident& i, outputs& out) {
    if (now_ < page_at(i)) return;
    // A breaker or a freeze is paged once, not once for each of the many that it holds; and a turn comes by itself.
    if (i.denied != 0 && !waits_by_itself(i.denied)) {
        i.waiting_since = now_;
        return;
    }
    i.paged = true;
    i.paged_for = i.denied;
    event& e = page(reason::waited_long, i, out);
    out.records.back().key = e.denied = i.denied;
    e.next = i.wake;
    if (i.at == phase::deciding) release_absorbed(i, out, false);
}

} // namespace reheat::inline REHEAT_ABI
