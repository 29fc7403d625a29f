// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>

// What comes in: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

inline result<target_id> engine::add(const stack& s) {
    target_record t;
    t.of = level::stack;
    t.name = s.name;
    auto added = targets_.add(std::move(t));
    if (added) unjournaled_.push_back(*added);
    return added;
}

inline result<target_id> engine::add(const instance& i) {
    target_record t;
    t.of = level::instance;
    t.name = i.name;
    t.keep = i.keep;
    t.cloud_id = i.cloud_id;
    t.host = i.host;
    if (!i.stack.empty()) {
        t.parent = targets_.find(level::stack, i.stack);
        if (t.parent == no_target) {
            auto made = add(stack{i.stack});
            if (!made) return made;
            t.parent = *made;
        }
    }
    auto added = targets_.add(std::move(t));
    if (added) unjournaled_.push_back(*added);
    return added;
}

inline result<target_id> engine::add(const service& s) {
    if (s.name.empty()) return error{errc::invalid_argument, "name", "expected 1 to 255 characters"};
    if (!targets_.has(s.on) || targets_[s.on].of != level::instance)
        return error{errc::invalid_argument, std::string{s.name}, "expected a service on an instance"};
    target_record t;
    t.of = level::service;
    t.parent = s.on;
    t.name = targets_[s.on].name + "/" + std::string{s.name};
    auto added = targets_.add(std::move(t));
    if (added) unjournaled_.push_back(*added);
    return added;
}

inline void engine::step(time_point now, outputs& out) {
    check_clock(now, out);
    now_ = later(now_, now);
    for (const target_id id : unjournaled_) {
        record& r = write(record_kind::target, id, out);
        r.of = targets_[id].of;
        r.name = targets_[id].name;
    }
    unjournaled_.clear();

    if (std::exchange(journal_changed_, false)) tell_journal(out);
    taking_.swap(inputs_);
    for (input& in : taking_) std::visit([&](auto& i) { take(i, out); }, in);
    taking_.clear();

    transitions_.clear();
    const time_point due = watches_.next();
    if (watches_.evaluate(now_, transitions_, options_.doubts)) {
        event& e = tell(event_kind::controller, decision::ignore, reason::stepped_late, out);
        e.value = std::chrono::duration<double>(now_ - due).count();
    }
    for (const transition& t : transitions_) take(t, out);

    // A read-back may end its operation, and an end may start the next: by index, newest last.
    for (std::size_t n = 0; n < operations_.size(); ++n) watch_deadlines(operations_[n], out);
    do {
        look_again_ = false;
        for (std::size_t n = 0; n < incidents_.size(); ++n) look(incidents_[n], out);
        std::erase_if(incidents_, [](const incident& i) { return i.at == phase::closed; });
        for (std::size_t n = 0; n < operations_.size(); ++n) emit_call(operations_[n], out);
        std::erase_if(operations_, [](const pending_operation& op) { return op.id == no_op; });
    } while (look_again_);
}

inline void engine::check_clock(time_point now, outputs& out) {
    if (!options_.doubts.raised(now, now_)) {
        went_back_ = went_back_ && now < now_;
        return;
    }
    watches_.doubt(now_);
    if (std::exchange(went_back_, true)) return;
    event& e = tell(event_kind::controller, decision::ignore, reason::clock_jumped, out);
    e.value = std::chrono::duration<double>(now_ - now).count();
}

inline void engine::tell_journal(outputs& out) {
    if (!journal_ok_) {
        tell(event_kind::page, decision::page, reason::journal_failed, out);
        return;
    }
    tell(event_kind::controller, decision::change, reason::none, out);
    // Nobody knows whether an intent that was under way when it failed is in it, whatever later records say.
    for (pending_operation& op : operations_) {
        if (op.at != pending_operation::stage::journaled) continue;
        write_intent(op, out);
        op.paged = true; // with the journal itself
    }
}

inline time_point engine::next() const noexcept {
    if (look_again_ || !inputs_.empty() || !unjournaled_.empty()) return now_;
    time_point earliest = watches_.next();
    for (const incident& i : incidents_) {
        earliest = earlier(earliest, earlier(i.wake, page_at(i)));
    }
    for (const pending_operation& op : operations_) {
        earliest = earlier(earliest, page_at(op));
        if (op.at == pending_operation::stage::called) earliest = earlier(earliest, op.deadline);
        if (op.at == pending_operation::stage::unknown) earliest = earlier(earliest, earlier(op.read_by, op.settle_by));
    }
    return earliest;
}

inline void engine::take(const transition& t, outputs& out) {
    target_record& target = targets_[t.target];
    if (t.from == alarm_state::alarm) --target.raised;
    if (t.from == alarm_state::ok) --target.quiet;
    if (t.to == alarm_state::alarm) ++target.raised;
    if (t.to == alarm_state::ok) ++target.quiet;

    const reason why = t.to == alarm_state::alarm ? reason::alarm_raised
                       : t.to == alarm_state::ok  ? reason::alarm_cleared
                                                  : reason::alarm_unknown;
    event& e = tell(event_kind::alarm, decision::change, why, out);
    e.target = t.target;
    e.from = t.from;
    e.to = t.to;
    e.watch = t.watch;
    e.value = t.value;
    target.evidence.note(vantage::guest_heartbeat, target.raised != 0  ? health::unhealthy
                                                   : target.quiet != 0 ? health::healthy
                                                                       : health::unknown);
    health_changed(t.target, why, out);
}

inline void engine::take(const observation& o, outputs& out) {
    if (!targets_.has(o.target) || static_cast<std::size_t>(o.from) >= vantage_count) return;
    const health before = health_of(o.target);
    targets_[o.target].evidence.note(o.from, o.seen);
    if (health_of(o.target) == before) return;
    const reason why = o.seen == health::healthy     ? reason::observed_healthy
                       : o.seen == health::unhealthy ? reason::observed_unhealthy
                                                     : reason::alarm_unknown;
    event& e = tell(event_kind::alarm, decision::change, why, out);
    e.target = o.target;
    health_changed(o.target, why, out);
}

inline void engine::health_changed(target_id target, reason why, outputs& out) {
    look_again_ = true;
    if (health_of(target) == health::unhealthy && targets_[target].incident == no_incident) open(target, why, out);
}

inline void engine::take(const spoken& s, outputs& out) {
    record& r = write(record_kind::operator_word, s.target, out);
    r.name = s.who;
    r.why = reason::operator_word;
    bool heard = false;
    for (incident& i : incidents_) {
        if (s.expires <= now_ || i.at != phase::deciding || i.rung >= policy_of(i).size()) continue;
        const rung& current = rung_of(i);
        const bool meant = i.target == s.target || targets_.ancestor(i.target, level_of(current.what)) == s.target;
        if (!meant || current.approval == consent::none || i.approved) continue;
        i.approved = heard = look_again_ = true;
        tell(event_kind::operator_word, decision::accept, reason::operator_word, i, out);
    }
    if (!heard) tell(event_kind::operator_word, decision::ignore, reason::operator_word, out).target = s.target;
}

inline void engine::take(const ordered& o, outputs& out) {
    const bool possible = targets_.has(o.instance) && targets_[o.instance].of == level::instance;
    const bool free = possible && !targets_.busy(o.instance);
    event& e = tell(event_kind::operation_order, free ? decision::act : decision::ignore,
                    possible && !free ? reason::busy : reason::requested, out);
    e.target = e.subject = o.instance;
    e.rung = operation::create_instance;
    if (!free) return;
    start(operation::create_instance, o.instance, nullptr, options_.create_timeout, options_.create_timeout, out);
}

inline void engine::take(const overflow& o, outputs& out) {
    tell(event_kind::controller, decision::ignore, reason::inbox_overflow, out).value = static_cast<double>(o.lost);
    // What was lost may have been heartbeats.
    if (options_.doubts.on) watches_.doubt(now_);
}

inline void engine::take(completed& c, outputs& out) {
    pending_operation* op = c.repeated || c.op == no_op ? nullptr : find_operation(c.op);
    if (op != nullptr && op->reading == c.op) {
        read_back(*op, c.result, out);
        return;
    }
    if (op == nullptr || op->at != pending_operation::stage::called) {
        tell(event_kind::call, decision::ignore, c.repeated ? reason::repeated_completion : reason::late_completion,
             out)
            .op = c.op;
        return;
    }
    note_seen(op->subject, c.result.seen);
    switch (c.result.code) {
    case outcome_code::done: finish(*op, c.result.code, reason::outcome_done, {}, out); break;
    case outcome_code::failed: finish(*op, c.result.code, reason::outcome_failed, c.result.retry_after, out); break;
    case outcome_code::refused: finish(*op, c.result.code, reason::outcome_refused, c.result.retry_after, out); break;
    case outcome_code::unknown:
        op->at = pending_operation::stage::unknown;
        op->settle_by = after(now_, op->settle);
        op->read_by = now_;
        event& e = tell(event_kind::call, decision::read_back, reason::outcome_unknown, out);
        e.op = op->id;
        e.rung = op->what;
        e.target = e.subject = op->subject;
        e.incident = op->for_incident;
        ask_cloud(*op, out);
        break;
    }
}

} // namespace reheat::inline REHEAT_ABI
