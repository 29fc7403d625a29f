// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>

// Intents, calls and outcomes: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

inline void engine::start(operation what, target_id subject, incident* for_incident, duration timeout, duration settle,
                          outputs& out) {
    pending_operation op;
    op.id = static_cast<op_id>(++last_op_);
    op.what = what;
    op.subject = subject;
    op.key = mix(mix(options_.seed ^ static_cast<std::uint64_t>(options_.reign)) ^ last_op_);
    op.since = now_;
    op.timeout = timeout;
    op.settle = settle;
    op.cloud_id_before = targets_[subject].cloud_id;
    op.boot_id_before = targets_[subject].boot_id;
    if (for_incident != nullptr) {
        op.for_incident = for_incident->id;
        for_incident->op = op.id;
        if (what != operation::fence_instance) op.proofs = std::exchange(for_incident->proofs, {});
    } else {
        targets_.mark_busy(subject, 1);
    }
    write_intent(op, out);
    operations_.push_back(std::move(op));
}

inline void engine::write_intent(pending_operation& op, outputs& out) {
    record& r = write(record_kind::intent, op.subject, out);
    r.op = op.id;
    r.key = op.key;
    r.what = op.what;
    r.incident = op.for_incident;
    r.deadline = after(now_, op.timeout);
    r.cloud_id = op.cloud_id_before;
    r.boot_id = op.boot_id_before;
    r.host = targets_[op.subject].host;
    op.intent = r.seq;
}

/// The second look: the world may have changed while the journal wrote.
inline reason engine::no_longer_wanted(const pending_operation& op) const noexcept {
    const incident* i = find_incident(op.for_incident);
    if (i == nullptr) return reason::none;
    // After the first fence the machine is off for certain; nothing that was heard before can call it healthy.
    if (health_of(i->target) == health::healthy && op.proofs.empty() && i->proofs.empty()) return reason::healthy_again;
    for (const proof_of_death& p : op.proofs) {
        if (!p.speaks_for(op.for_incident, p.target(), now_)) return reason::proof_expired;
    }
    return reason::none;
}

inline call engine::make_call(const pending_operation& op, op_id id, operation what, time_point deadline) const {
    const std::string_view name = targets_[op.subject].name;
    const target_id on = targets_.ancestor(op.subject, level::instance);
    const target_id in = targets_.ancestor(op.subject, level::stack);
    const std::string_view instance = on == no_target ? std::string_view{} : targets_[on].name;
    const std::string_view cloud_id = on == no_target ? std::string_view{} : targets_[on].cloud_id;
    const std::string_view stack = in == no_target ? std::string_view{} : targets_[in].name;

    call c;
    // Reserved first, because the views must not move.
    c.text.reserve(name.size() + instance.size() + cloud_id.size() + stack.size());
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
    if (targets_[op.subject].of == level::service && what != operation::describe)
        c.what.service = c.what.name.substr(c.what.instance.size() + 1);
    c.what.deadline = deadline;
    return c;
}

inline void engine::emit_call(pending_operation& op, outputs& out) {
    if (op.id == no_op || op.at != pending_operation::stage::journaled || op.intent > durable_ || !journal_ok_) return;
    if (const reason why = no_longer_wanted(op); why != reason::none) {
        record& w = write(record_kind::dropped, op.subject, out);
        w.op = std::exchange(op.id, no_op);
        w.incident = op.for_incident;
        w.what = op.what;
        w.why = why;
        incident& i = *find_incident(op.for_incident);
        event& e = tell(event_kind::call, decision::drop, why, i, out);
        e.rung = op.what;
        e.subject = op.subject;
        if (op.what != operation::fence_instance) {
            // Certainly nothing happened, so nothing was spent; but a proof that keeps expiring is a wait, and is
            // paged.
            ledger_.take_back(op.subject, op.what, op.since);
            --i.attempts;
            if (why == reason::proof_expired && i.waiting_since == never) i.waiting_since = op.since;
        }
        i.at = phase::deciding;
        i.wake = never;
        finish_busy(i);
        return;
    }
    op.at = pending_operation::stage::called;
    op.deadline = after(now_, op.timeout);

    call c = make_call(op, op.id, op.what, op.deadline);
    c.proofs = std::move(op.proofs);
    out.calls.push_back(std::move(c));

    event& e = tell(event_kind::call, decision::call, reason::none, out);
    e.op = op.id;
    e.rung = op.what;
    e.subject = op.subject;
    e.incident = op.for_incident;
    const incident* i = find_incident(op.for_incident);
    e.target = i != nullptr ? i->target : op.subject;
    e.attempt = i != nullptr ? i->attempts : std::uint16_t{1};
    e.next = op.deadline;
}

/// When a human has to hear that the journal keeps an intent waiting. A failed journal has been paged by itself.
inline time_point engine::page_at(const pending_operation& op) const noexcept {
    const bool waits = op.at == pending_operation::stage::journaled && journal_ok_ && !op.paged;
    return waits ? after(op.since, options_.page_after) : never;
}

inline void engine::watch_deadlines(pending_operation& op, outputs& out) {
    if (op.id == no_op) return; // its outcome came in time, in this step
    if (now_ >= page_at(op)) {
        op.paged = true;
        event& e = tell(event_kind::page, decision::page, reason::journal_pending, out);
        e.op = op.id;
        e.rung = op.what;
        e.target = e.subject = op.subject;
        e.incident = op.for_incident;
    }
    if (op.at == pending_operation::stage::called && now_ >= op.deadline) {
        op.at = pending_operation::stage::unknown;
        op.settle_by = after(now_, op.settle);
        event& e = tell(event_kind::call, decision::read_back, reason::deadline_passed, out);
        e.op = op.id;
        e.rung = op.what;
        e.target = e.subject = op.subject;
        e.incident = op.for_incident;
        ask_cloud(op, out);
    } else if (op.at == pending_operation::stage::unknown) {
        if (now_ >= op.settle_by) finish(op, outcome_code::unknown, reason::found_not_done, {}, out);
        else if (now_ >= op.read_by) ask_cloud(op, out);
    }
}

/// Asks the cloud what is. It changes nothing, so it needs no intent.
inline void engine::ask_cloud(pending_operation& op, outputs& out) {
    op.reading = static_cast<op_id>(++last_op_);
    op.read_by = after(now_, options_.read_back_every);
    out.calls.push_back(make_call(op, op.reading, operation::describe, op.read_by));
}

inline void engine::read_back(pending_operation& op, const outcome& seen, outputs& out) {
    op.reading = no_op;
    if (seen.code != outcome_code::done) return; // asked again when `read_by` comes
    const observed& now = seen.seen;
    note_seen(op.subject, now);
    const bool exists = now.exists.value_or(true);
    switch (op.what) {
    case operation::fence_instance:
        // Not running is what a description says; only the fence itself vouches for it. Fencing again is harmless.
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
    const target_id on = targets_.ancestor(subject, level::instance);
    if (on == no_target) return;
    target_record& t = targets_[on];
    if (!seen.cloud_id.empty()) t.cloud_id = seen.cloud_id;
    if (!seen.boot_id.empty()) t.boot_id = seen.boot_id;
    if (!seen.host.empty()) t.host = seen.host;
    if (!seen.address.empty()) t.address = seen.address;
}

inline void engine::finish(pending_operation& op, outcome_code code, reason why, duration retry_after, outputs& out) {
    const operation what = op.what;
    const target_id subject = op.subject;
    const incident_id incident_of_op = op.for_incident;
    const op_id id = std::exchange(op.id, no_op); // `op` may move from here on

    record& w = write(record_kind::outcome, subject, out);
    w.op = id;
    w.incident = incident_of_op;
    w.what = what;
    w.result = code;
    w.why = why;
    w.cloud_id = targets_[subject].cloud_id;
    w.boot_id = targets_[subject].boot_id;

    incident* i = find_incident(incident_of_op);
    event& e = tell(i == nullptr ? event_kind::operation_order : event_kind::call, decision::finish, why, out);
    e.op = id;
    e.rung = what;
    e.subject = subject;
    e.target = i != nullptr ? i->target : subject;
    e.incident = incident_of_op;
    e.attempt = i != nullptr ? i->attempts : std::uint16_t{1};
    look_again_ = true;
    if (i == nullptr) return targets_.mark_busy(subject, -1);

    if (what == operation::fence_instance) {
        if (code != outcome_code::done) {
            ++i->fences;
            return retry(*i, retry_after);
        }
        i->proofs.push_back(proof_of_death{proof_kind::fenced, i->id, subject, after(now_, options_.proof_validity)});
        event& minted = tell(event_kind::rung, decision::accept, reason::proof_minted, *i, out);
        minted.subject = subject;
        minted.rung = operation::fence_instance;
        i->to_fence.pop_back();
        i->fences = 0;
        if (i->to_fence.empty()) i->at = phase::acting;
        return go_on(*i, out);
    }
    if (code == outcome_code::failed || code == outcome_code::refused) return retry(*i, retry_after);
    // Done, or a destructive action that nobody can tell of: evidence decides.
    i->at = phase::verifying;
    i->verify_by = i->wake = after(now_, code == outcome_code::done ? rung_of(*i).verify : duration{});
    tell(event_kind::verdict, decision::verify, why, *i, out).next = i->verify_by;
}

} // namespace reheat::inline REHEAT_ABI
