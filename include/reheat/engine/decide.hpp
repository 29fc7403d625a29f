// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>

// An incident's way up the ladder: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

inline void engine::open(target_id target, reason why, outputs& out) {
    incident i;
    i.id = static_cast<incident_id>(++last_incident_);
    i.target = target;
    i.rules = targets_[target].rules;
    i.opened_at = now_;
    targets_[target].incident = i.id;

    // What happens below an action that is under way is its doing, not a new failure.
    for (const incident& other : incidents_) {
        if (other.subject == no_target || !targets_.covers(other.subject, target)) continue;
        i.at = phase::absorbed;
        i.absorbed_by = other.id;
        break;
    }
    write(record_kind::opened, target, out).incident = i.id;
    incidents_.push_back(std::move(i));
    event& e = tell(event_kind::incident, decision::open, why, incidents_.back(), out);
    e.rung = operation::none;
    if (incidents_.back().at == phase::absorbed)
        tell(event_kind::incident, decision::absorb, reason::action_above, incidents_.back(), out).rung =
            operation::none;
}

inline void engine::look(incident& i, outputs& out) {
    switch (i.at) {
    case phase::deciding: decide(i, out); break;
    case phase::verifying: check_verdict(i, out); break;
    case phase::parked:
        if (health_of(i.target) == health::healthy) {
            close(i, reason::healthy_again, out);
        } else if (now_ >= i.wake) {
            i.at = phase::deciding;
            i.rung = 0;
            i.attempts = 0;
            i.wake = never;
            tell(event_kind::incident, decision::release, reason::parked_retry, i, out).rung = operation::none;
            look_again_ = true;
        }
        break;
    case phase::absorbed: {
        const incident* by = find_incident(i.absorbed_by);
        if (by == nullptr || by->at == phase::parked || by->at == phase::closed) release_absorbed(i.absorbed_by, out);
        break;
    }
    default: break;
    }
    page_long_wait(i, out);
}

inline void engine::decide(incident& i, outputs& out) {
    if (health_of(i.target) == health::healthy) return close(i, reason::healthy_again, out);
    const std::span<const rung> rungs = policy_of(i).rungs();
    while (i.rung < rungs.size()) {
        const rung& r = rungs[i.rung];
        if (r.what == operation::page) {
            tell(event_kind::page, decision::page, reason::alarm_raised, i, out);
            climb(i, decision::climb, reason::attempts_spent, out);
            continue;
        }
        const target_id subject = targets_.ancestor(i.target, level_of(r.what));
        if (subject == no_target) {
            climb(i, decision::skip, reason::no_such_ancestor, out);
            continue;
        }
        if ((loss_of(r.what) & targets_[subject].keep) != asset::none) {
            climb(i, decision::skip, reason::loses_kept_asset, out);
            continue;
        }
        if (i.attempts >= r.burst.count) {
            climb(i, decision::climb, reason::attempts_spent, out);
            continue;
        }
        if (!ledger_.has_room(subject, r.what, r.burst, now_) ||
            !ledger_.has_room(subject, r.what, r.sustained, now_)) {
            climb(i, decision::climb, reason::budget_spent, out);
            continue;
        }
        const guard_answers answers = ask_guards(i, r, subject);
        if (answers.denied() != 0) return wait(i, answers, out);
        return begin(i, r, subject, out);
    }
    park(i, out);
}

inline void engine::climb(incident& i, decision what, reason why, outputs& out) {
    event& e = tell(event_kind::rung, what, why, i, out);
    e.subject = targets_.ancestor(i.target, level_of(rung_of(i).what));
    ++i.rung;
    i.attempts = 0;
    i.fences = 0;
    i.approved = false;
    i.not_before = (time_point::min)();
    i.waiting_since = never;
    i.paged = false;
    i.denied = 0;
    i.denied_by = reason::none;
}

inline guard_answers engine::ask_guards(const incident& i, const rung& r, target_id subject) const noexcept {
    guard_answers answers;
    if (targets_.busy(subject)) answers.set(guard::busy, {reason::busy, never});
    if (now_ < i.not_before)
        answers.set(guard::backoff, {i.fences != 0 ? reason::proof_required : reason::backing_off, i.not_before});
    if (r.approval == consent::required && !i.approved)
        answers.set(guard::approval, {reason::approval_required, never});
    if (!journal_ok_) answers.set(guard::journal, {reason::journal_failed, never});
    // Maintenance, freeze, start_hold, corroboration, probation, breaker, in_flight, rate, capacity and dependency are
    // asked here as well; until their inputs exist each of them allows.
    return answers;
}

inline void engine::wait(incident& i, const guard_answers& answers, outputs& out) {
    i.wake = answers.next();
    if (i.waiting_since == never) i.waiting_since = now_;
    if (i.denied == answers.denied() && i.denied_by == answers.first()) return;
    i.denied = answers.denied();
    i.denied_by = answers.first();
    event& e = tell(event_kind::rung, decision::wait, answers.first(), i, out);
    e.subject = targets_.ancestor(i.target, level_of(rung_of(i).what));
    e.denied = answers.denied();
    e.next = answers.next();
}

inline void engine::begin(incident& i, const rung& r, target_id subject, outputs& out) {
    i.subject = subject;
    i.denied = 0;
    i.denied_by = reason::none;
    i.wake = never;
    targets_.mark_busy(subject, 1);
    absorb_below(i, out);
    i.proofs.clear();
    i.to_fence.clear();
    if (level_of(r.what) == level::stack) {
        // What is unhealthy may be re-created, so it has to be dead first.
        for (const incident& other : incidents_) {
            const target_id at = targets_.ancestor(other.target, level::instance);
            if (at == no_target || other.at == phase::closed || !targets_.covers(subject, at)) continue;
            bool known = false;
            for (const target_id t : i.to_fence) known = known || t == at;
            if (!known) i.to_fence.push_back(at);
        }
    } else if (needs_proof(r.what)) {
        i.to_fence.push_back(subject);
    }
    i.at = i.to_fence.empty() ? phase::acting : phase::fencing;
    go_on(i, out);
}

inline void engine::absorb_below(incident& i, outputs& out) {
    for (incident& other : incidents_) {
        const bool idle = other.at == phase::deciding || other.at == phase::parked || other.at == phase::absorbed;
        if (other.id == i.id || !idle || !targets_.covers(i.subject, other.target)) continue;
        if (other.at == phase::absorbed && other.absorbed_by == i.id) continue;
        other.at = phase::absorbed;
        other.absorbed_by = i.id;
        other.wake = never;
        other.waiting_since = never;
        event& e = tell(event_kind::incident, decision::absorb, reason::action_above, other, out);
        e.subject = i.subject;
        e.rung = operation::none;
    }
}

/// The next operation of the attempt under way: the next fence, or the action itself.
inline void engine::go_on(incident& i, outputs& out) {
    const rung& r = rung_of(i);
    if (i.at == phase::fencing) {
        event& e = tell(event_kind::rung, decision::act, reason::proof_required, i, out);
        e.rung = operation::fence_instance;
        e.subject = i.to_fence.back();
        return start(operation::fence_instance, i.to_fence.back(), &i, options_.fence_timeout, options_.fence_timeout,
                     out);
    }
    ++i.attempts;
    i.waiting_since = never;
    i.paged = false;
    ledger_.spend(i.subject, r.what, now_);
    tell(event_kind::rung, decision::act, i.attempts == 1 ? reason::first_attempt : reason::next_attempt, i, out);
    start(r.what, i.subject, &i, r.timeout, r.verify, out);
}

/// Back to the decision, not before the backoff is over.
inline void engine::retry(incident& i, duration at_least) {
    const unsigned tried = i.fences != 0 ? i.fences : i.attempts;
    const duration pause =
        wait_after(i.fences != 0 ? instance_backoff : rung_of(i).wait, options_.seed, i.id, tried == 0 ? 1 : tried);
    i.not_before = later(after(now_, pause), after(now_, at_least));
    i.at = phase::deciding;
    i.wake = i.not_before;
    i.proofs.clear();
    i.to_fence.clear();
    finish_busy(i);
}

inline void engine::check_verdict(incident& i, outputs& out) {
    const bool well = health_of(i.target) == health::healthy;
    bool all_well = well;
    for (const incident& other : incidents_) {
        if (other.at == phase::absorbed && other.absorbed_by == i.id)
            all_well = all_well && health_of(other.target) == health::healthy;
    }
    if (all_well || (well && now_ >= i.verify_by)) return close(i, reason::verified, out);
    if (now_ < i.verify_by) return;
    event& e = tell(event_kind::verdict, decision::give_up, reason::verify_deadline, i, out);
    record& w = write(record_kind::verdict, i.target, out);
    w.incident = i.id;
    w.op = i.op;
    w.what = e.rung;
    w.why = reason::verify_deadline;
    retry(i, {});
}

inline void engine::close(incident& i, reason why, outputs& out) {
    event& e = tell(event_kind::incident, decision::recover, why, i, out);
    if (why != reason::verified || i.at == phase::absorbed) e.rung = operation::none;
    record& w = write(record_kind::closed, i.target, out);
    w.incident = i.id;
    w.why = why;
    i.at = phase::closed;
    targets_[i.target].incident = no_incident;
    finish_busy(i);
    release_absorbed(i.id, out);
}

inline void engine::release_absorbed(incident_id by, outputs& out) {
    for (incident& other : incidents_) {
        if (other.at != phase::absorbed || other.absorbed_by != by) continue;
        look_again_ = true;
        if (health_of(other.target) == health::healthy) {
            close(other, reason::verified, out);
        } else {
            other.absorbed_by = no_incident;
            other.at = phase::deciding;
            tell(event_kind::incident, decision::release, reason::none, other, out).rung = operation::none;
        }
    }
}

inline void engine::park(incident& i, outputs& out) {
    i.at = phase::parked;
    const duration pause = policy_of(i).retry_parked;
    i.wake = after(now_, pause < shortest_pause ? shortest_pause : pause);
    i.waiting_since = never;
    event& e = tell(event_kind::incident, decision::park, reason::ladder_exhausted, i, out);
    e.next = i.wake;
    tell(event_kind::page, decision::page, reason::ladder_exhausted, i, out).next = i.wake;
    record& w = write(record_kind::parked, i.target, out);
    w.incident = i.id;
    w.why = reason::ladder_exhausted;
    release_absorbed(i.id, out);
}

/// When a human has to hear of an incident that waits, be it for a guard or for the fence; `never` once that is done.
inline time_point engine::page_at(const incident& i) const noexcept {
    const bool waits = i.at == phase::deciding || i.at == phase::fencing;
    return i.paged || !waits || i.waiting_since == never ? never : after(i.waiting_since, options_.page_after);
}

inline void engine::page_long_wait(incident& i, outputs& out) {
    if (now_ < page_at(i)) return;
    i.paged = true;
    event& e = tell(event_kind::page, decision::page, reason::waited_long, i, out);
    e.denied = i.denied;
    e.next = i.wake;
}

} // namespace reheat::inline REHEAT_ABI
