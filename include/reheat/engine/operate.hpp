// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>

// Intents, calls and outcomes: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

/// Begins an operation: its intent goes into the journal's hands. The reference is good until the next one begins.
inline pending_operation& engine::start(operation what, target_id subject, incident* for_incident, duration timeout,
                                        duration settle, outputs& out) {
    pending_operation& op = operations_.emplace_back();
    op.id = static_cast<op_id>(++last_op_);
    op.what = what;
    op.subject = subject;
    op.key = mix(mix(options_.seed ^ static_cast<std::uint64_t>(options_.reign)) ^ last_op_);
    op.since = op.held_since = now_;
    op.timeout = timeout;
    op.settle = settle;
    if (targets_[subject].seen != 0) {
        op.cloud_id_before = targets_.cloud_id(subject);
        op.boot_id_before = targets_.boot_id(subject);
    }
    if (for_incident != nullptr) {
        op.for_incident = for_incident->id;
        if (what != operation::fence_instance) for_incident->op = op.id;
    } else {
        targets_.mark_busy(subject, 1);
    }
    if (!options_.shadow) write_intent(op, for_incident, out);
    return op;
}

inline void engine::write_intent(pending_operation& op, const incident* i, outputs& out) {
    record& r = write(record_kind::intent, op.subject, out);
    r.op = op.id;
    r.key = op.key;
    r.what = op.what;
    r.incident = op.for_incident;
    r.deadline = after(now_, op.timeout);
    if (i != nullptr) {
        r.rung = i->rung;
        r.attempt = i->attempts;
    }
    op.intent = r.seq;
    op.held_since = now_;
    op.paged = false;
    if (targets_[op.subject].seen == 0) return;
    r.cloud_id = op.cloud_id_before;
    r.boot_id = op.boot_id_before;
    r.host = targets_.host(op.subject);
}

/// The second look: the world may have changed while the journal wrote.
inline reason engine::no_longer_wanted(const pending_operation& op) const noexcept {
    if (trust_broken_) return reason::trust_broken;
    if (!leads_for(op.timeout)) return unled();
    const incident* i = find_incident(op.for_incident);
    if (i == nullptr && op.what == operation::create_instance) return made(op.subject) ? reason::busy : reason::none;
    if (i == nullptr) return left_alone(op.subject);
    if (runs_elsewhere(op.what, op.subject)) return reason::returned;
    // After the first fence the machine is off for certain; nothing that was heard before can call it healthy. A proof
    // without one holds only as long as what it rests on.
    bool fenced = false;
    for (const death_wanted& d : i->deaths) {
        fenced = fenced || d.fenced;
        // A fence does not need it: what has run out meanwhile is proved anew.
        const bool needed = op.what != operation::fence_instance;
        if (needed && d.proved && !d.fenced && !dead(d.target)) return reason::proof_expired;
    }
    if (!fenced && well(*i, (time_point::min)())) return reason::healthy_again;
    for (const proof_of_death& p : op.proofs) {
        if (!p.speaks_for(op.for_incident, p.target(), now_)) return reason::proof_expired;
    }
    reason breaker = reason::none;
    each_place(op.subject, [&](set_id s) { breaker = sets_[s].open ? opened(sets_[s]) : breaker; });
    if (breaker != reason::none) return breaker;
    if (doubting_) return reason::silence_is_ours;
    const bool irreversible = is_destructive(op.what) || op.what == operation::fence_instance;
    if (irreversible && now_ < held_until_) return reason::started_lately;
    for (const target_id t : {i->target, op.subject}) {
        if (const reason why = left_alone(t); why != reason::none) return why;
    }
    return reason::none;
}

/// Whether an operator said that nothing is done to a target now.
inline reason engine::left_alone(target_id target) const noexcept {
    if (orders_.holding(standing_order::kind::maintenance, target, now_, targets_) != nullptr)
        return reason::in_maintenance;
    const bool frozen = orders_.holding(standing_order::kind::freeze, target, now_, targets_) != nullptr;
    return frozen ? reason::frozen_by_operator : reason::none;
}

inline call engine::make_call(const pending_operation& op, op_id id, operation what, time_point deadline) const {
    const std::string_view name = targets_.name(op.subject);
    const target_id on = machine_of(op.subject);
    const target_id in = targets_.ancestor(op.subject, level::stack);
    const std::string_view instance = on == no_target ? std::string_view{} : targets_.name(on);
    std::string_view cloud_id = op.cloud_id;
    if (cloud_id.empty() && on != no_target) cloud_id = targets_.cloud_id(on);
    const std::string_view stack = in == no_target ? std::string_view{} : targets_.name(in);

    call c;
    // Reserved first, because the views must not move.
    c.text.reserve(name.size() + instance.size() + cloud_id.size() + stack.size() + op.method.size());
    const auto keep = [&c](std::string_view text) {
        c.text.insert(c.text.end(), text.begin(), text.end());
        return std::string_view{c.text.data() + (c.text.size() - text.size()), text.size()};
    };
    c.incident = op.for_incident;
    c.what.op = id;
    c.what.key = op.key;
    c.what.reign = options_.reign;
    c.what.what = what;
    c.what.target = op.subject;
    c.what.name = keep(name);
    c.what.instance = keep(instance);
    c.what.cloud_id = keep(cloud_id);
    c.what.stack = keep(stack);
    c.what.method = keep(op.method);
    c.what.hard = op.hard;
    c.what.replaced = !op.cloud_id.empty();
    if (targets_[op.subject].of == level::service && what != operation::describe)
        c.what.service = c.what.name.substr(c.what.instance.size() + 1);
    c.what.deadline = c.start_by = deadline;
    // What may not be covered to its end has to start early enough.
    if (leased_ && after(deadline, options_.lease_margin) > lead_until_)
        c.start_by = lead_until_ - options_.lease_margin - options_.lease_covers;
    return c;
}

inline void engine::emit_call(pending_operation& op, outputs& out) {
    if (op.id == no_op || op.at != pending_operation::stage::journaled) return;
    if (!lost_ && (op.intent > durable_ || !journal_ok_)) return;
    if (const reason why = no_longer_wanted(op); why != reason::none) return drop(op, why, out);
    if (call_at() > now_) return;
    if (options_.shadow) return suppose_done(op, out);
    op.at = pending_operation::stage::called;
    op.held_since = never;
    forget_past(op);
    op.deadline = after(now_, op.timeout);

    call c = make_call(op, op.id, op.what, op.deadline);
    bury(op);
    c.proofs = std::move(op.proofs);
    out.calls.push_back(std::move(c));
    tell_call(op, reason::none, out);
}

inline void engine::tell_call(const pending_operation& op, reason why, outputs& out) {
    calls_made_.spend(now_, options_.bounds.api.within);
    tell(event_kind::call, decision::call, why, op, out).next = op.deadline;
}

/// Shadow mode: the call is told instead of made, and counts as done. What is watched forgets nothing, because nothing
/// was done to it; but only what is heard from now on says whether it would have helped.
inline void engine::suppose_done(pending_operation& op, outputs& out) {
    incident* const i = find_incident(op.for_incident);
    if (i != nullptr && !detail::comes_first(op.what)) i->acted_at = now_;
    tell_call(op, reason::would_act, out);
    finish(op, outcome_code::done, reason::would_act, {}, out);
}

/// Whether an action helped is told by what is heard from its call on, and its silence is no new failure.
inline void engine::forget_past(const pending_operation& op) {
    incident* const i = find_incident(op.for_incident);
    if (i == nullptr || detail::comes_first(op.what)) return;
    i->acted_at = now_;
    if (options_.shadow) return; // nothing was done, so nothing is excused
    targets_.each_below(op.subject, [&](target_id below) {
        if (targets_[below].words != 0) targets_.note_words(below).machine = {};
    });
    excuse_silence(op.subject, rung_of(*i).grace);
}

/// The silence before now says nothing of a target and what is below it, nor does that of the grace.
inline void engine::excuse_silence(target_id subject, duration grace) {
    targets_.each_below(subject, [&](target_id below) {
        each_watch(below, [&](watch_id w) {
            if (watches_.hears_silence(w)) watches_.forget(w, now_, grace);
        });
    });
}

/// Takes an intent back before its call: certainly nothing happened.
inline void engine::drop(pending_operation& op, reason why, outputs& out) {
    const op_id id = std::exchange(op.id, no_op);
    if (!options_.shadow) { // there was no intent
        record& w = write(record_kind::dropped, op.subject, out);
        w.op = id;
        w.incident = op.for_incident;
        w.what = op.what;
        w.why = why;
    }
    tell(event_kind::call, decision::drop, why, op, out).op = id;
    look_again_ = true;
    incident* const i = find_incident(op.for_incident);
    if (i == nullptr) return targets_.mark_busy(op.subject, -1);
    if (op.what == operation::fence_instance) {
        for (death_wanted& d : i->deaths) {
            if (d.target == op.subject && d.in_flight != 0) --d.in_flight;
        }
    } else if (op.what == operation::collect_forensics) {
        i->forensics = false;
    } else {
        // Nothing was spent; but a proof that keeps expiring is a wait, and is paged.
        take_back(*i, op);
        --i->attempts;
        if (why == reason::proof_expired) begin_wait(*i, op.since);
    }
    // The others of a round of fences come to their own end first.
    for (const death_wanted& d : i->deaths) {
        if (d.in_flight != 0) return;
    }
    enter(*i, phase::deciding);
    i->wake = never;
    finish_busy(*i);
}

/// When a human has to hear that the journal or the quota holds an operation back. A failed journal has been paged by
/// itself; one that was reopened has its time anew.
inline time_point engine::page_at(const pending_operation& op) const noexcept {
    return journal_ok_ && !op.paged ? after(op.held_since, options_.page_after) : never;
}

inline void engine::watch_deadlines(pending_operation& op, outputs& out) {
    if (op.id == no_op) return; // its outcome came in time, in this step
    if (now_ >= page_at(op)) {
        op.paged = true;
        const bool written = op.at != pending_operation::stage::journaled || op.intent <= durable_;
        const reason why = !written                              ? reason::journal_pending
                           : leads_for(options_.read_back_every) ? reason::api_quota
                                                                 : unled();
        page(why, op, out);
    }
    const bool unknown = op.at == pending_operation::stage::unknown;
    const bool called = op.at == pending_operation::stage::called;
    if (called && now_ >= op.deadline) doubt_outcome(op, reason::deadline_passed, out);
    else if (unknown && now_ >= op.settle_by) finish(op, outcome_code::unknown, reason::found_not_done, {}, out);
    else if (unknown && now_ >= op.read_by) ask_cloud(op, out);
}

/// Nobody knows what a call came to: the cloud is asked.
inline void engine::doubt_outcome(pending_operation& op, reason why, outputs& out) {
    op.at = pending_operation::stage::unknown;
    op.settle_by = never; // counted from the first question, which may have to wait for the quota
    op.read_by = now_;
    tell(event_kind::call, decision::read_back, why, op, out);
    // What was to be kept is a help, not a need: nothing waits for it.
    if (op.what == operation::collect_forensics) return finish(op, outcome_code::unknown, why, {}, out);
    ask_cloud(op, out);
}

/// Asks the cloud what is. It changes nothing, so it needs no intent.
inline void engine::ask_cloud(pending_operation& op, outputs& out) {
    const time_point at = leads_for(options_.read_back_every) ? call_at() : after(now_, options_.read_back_every);
    op.held_since = at > now_ ? earlier(op.held_since, now_) : never;
    // Who lost the lead will never ask.
    if (op.settle_by == never && (at <= now_ || lost_)) op.settle_by = after(now_, op.settle);
    if (at > now_) return void(op.read_by = at);
    op.reading = static_cast<op_id>(++last_op_);
    op.read_by = after(now_, options_.read_back_every);
    out.calls.push_back(make_call(op, op.reading, operation::describe, op.read_by));
    calls_made_.spend(now_, options_.bounds.api.within);
}

inline void engine::read_back(pending_operation& op, const outcome& seen, outputs& out) {
    op.reading = no_op;
    if (seen.code != outcome_code::done) return; // asked again when `read_by` comes
    const observed& now = seen.seen;
    if (op.cloud_id.empty()) note_seen(op.subject, now);
    const bool exists = now.exists.value_or(true);
    switch (op.what) {
    case operation::fence_instance:
        // Not running is what a description says; only the fence itself vouches for it, or whoever ran the machine and
        // says that it is gone. Fencing again is harmless.
        if (incident* const i = find_incident(op.for_incident); i != nullptr && !now.running.value_or(true))
            i->off_since = now_;
        if (!exists && now.vouched) return finish(op, outcome_code::done, reason::confirmed_absent, {}, out);
        return finish(op, outcome_code::failed, reason::found_not_done, {}, out);
    case operation::create_instance:
    case operation::recreate_instance:
    case operation::evacuate_instance:
    case operation::rebuild_instance:
        if (exists && now.running.value_or(false) && !now.cloud_id.empty() &&
            (now.cloud_id != op.cloud_id_before || (!now.boot_id.empty() && now.boot_id != op.boot_id_before)))
            return finish(op, outcome_code::done, reason::found_done, {}, out);
        return;                             // it may still be under way: never a blind repeat
    case operation::converge_stack: return; // only verification can tell
    default:
        return finish(op, outcome_code::done, reason::found_done, {}, out); // harmless: counts as done, and is verified
    }
}

inline void engine::note_seen(target_id subject, const observed& seen) {
    const target_id machine = machine_of(subject);
    if (machine == no_target) return;
    if (!seen.host.empty() && seen.host != sets_[sets_of(machine).host].name) move_to(machine, seen.host);
    targets_.note_seen(machine, seen);
    std::erase_if(strays_, [&](const stray& s) {
        return s.target == machine && s.again_at == never && s.cloud_id == seen.cloud_id; // no stranger any more
    });
}

/// A machine runs on another host from now on; where that stands is known from its other instances, if at all.
inline void engine::move_to(target_id machine, std::string_view host) {
    target_record& t = targets_[machine];
    const int failing = t.failing != 0 ? 1 : 0;
    membership m = sets_.of(t.member_of);
    m.host = sets_.find_or_add(set_kind::host, host);
    m.rack = sets_[m.host].rack;
    if (m.host == no_set) m.rack = no_set;
    m.zone = sets_[m.host].zone != no_set ? sets_[m.host].zone : m.zone;
    sets_.count(t.member_of, -1, -failing);
    t.member_of = sets_.join(m);
    sets_.count(t.member_of, 1, failing);
}

/// Spends every budget that an action is bounded by, once in each set that it happens in, and takes room for its
/// copies.
inline void engine::spend(const incident& i, pending_operation& op) {
    ledger_.spend(op.subject, op.booked, now_);
    note_spent(all_spent_, options_.bounds.all);
    each_spent(i, [&](set_id s) { note_spent(sets_[s].spent, budget_of(sets_[s].of)); });
    for (const death_wanted& d : i.deaths) {
        take_room(op, no_set);
        if (const set_id zone = sets_of(d.target).zone; zone != no_set) take_room(op, zone);
    }
}

inline void engine::take_room(pending_operation& op, set_id in) {
    std::optional<std::uint32_t>& room = room_of(in);
    if (!room || *room == 0) return;
    --*room;
    op.room_in.push_back(in);
}

inline void engine::take_back(const incident& i, pending_operation& op) {
    ledger_.take_back(op.subject, op.booked, op.since);
    all_spent_.take_back(op.since);
    each_spent(i, [&](set_id s) { sets_[s].spent.take_back(op.since); });
    give_back_room(op);
}

/// No new copy was made: its room is free.
inline void engine::give_back_room(pending_operation& op) {
    for (const set_id s : op.room_in) ++*room_of(s);
    op.room_in.clear();
}

inline void engine::finish(pending_operation& op, outcome_code code, reason why, duration retry_after, outputs& out) {
    const operation what = op.what;
    const target_id subject = op.subject;
    if (code == outcome_code::failed || code == outcome_code::refused) give_back_room(op);
    // What a read-back finds the call may not have done: that may yet come.
    const time_point ended = why == reason::found_done && needs_proof(what) ? later(now_, op.deadline) : now_;
    const op_id id = std::exchange(op.id, no_op); // `op` may move from here on
    incident* i = find_incident(op.for_incident);
    for (std::size_t n = 0; i != nullptr && n < op.said.size(); ++n) detail::add_words(i->said, op.said[n]);

    if (!options_.shadow) {
        record& w = write(record_kind::outcome, subject, out);
        for (const std::string& words : op.said) w.text += (w.text.empty() ? "" : "; ") + words;
        w.op = id;
        w.incident = op.for_incident;
        w.what = what;
        w.result = code;
        w.why = why;
        w.cloud_id = targets_.cloud_id(subject);
        w.boot_id = targets_.boot_id(subject);
        w.host = targets_.host(subject);
    }

    tell(i == nullptr ? event_kind::operation_order : event_kind::call, decision::finish, why, op, out).op = id;
    look_again_ = true;
    if (i == nullptr) {
        targets_.mark_busy(subject, -1);
        if (what == operation::create_instance)
            targets_[subject].unsure = code == outcome_code::unknown && !made(subject);
        else stray_fenced(id, code, retry_after, out);
        return;
    }

    if (what == operation::collect_forensics) {
        // What was known as it began may be over: a host that was proved dead is back, and excuses no fence.
        if (!i->deaths.empty() && !ask_evidence(*i, rung_of(*i), subject).allows()) return step_back(*i);
        enter(*i, i->deaths.empty() ? phase::acting : phase::fencing);
        return go_on(*i, out);
    }
    if (what == operation::fence_instance) return fence_ended(*i, subject, code, why, retry_after, out);
    if (code == outcome_code::failed || code == outcome_code::refused) {
        if (needs_proof(what)) exhume(*i);
        excuse_silence(subject, {}); // nothing happened that would need a grace
        return retry(*i, retry_after);
    }
    for (const death_wanted& d : i->deaths) {
        if (why == reason::outcome_done) only_one(d.target); // what a read-back found is no answer
        // A new copy may run, and not there: the death of the old one's host is no proof of its death.
        move_to(d.target, targets_.host(d.target));
    }
    // Done, or a destructive action that nobody can tell of: evidence decides.
    i->at = phase::verifying;
    i->off_since = never;
    i->verify_by = i->wake = after(ended, code == outcome_code::done ? rung_of(*i).verify : duration{});
    tell(event_kind::verdict, decision::verify, why, *i, out).next = i->verify_by;
}

} // namespace reheat::inline REHEAT_ABI
