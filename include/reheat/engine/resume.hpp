// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/digest.hpp>
#include <reheat/engine/engine.hpp>
#include <reheat/engine/page_book.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Going on where an earlier run ended: definitions of members of `engine`. Its records are lived through once more,
// each at its own time, by the functions that wrote them; nothing is written, told or called for it. What the journal
// does not say is looked at anew: evidence, proofs, breakers, leases.

namespace reheat::inline REHEAT_ABI {

inline result<void> engine::recover(std::vector<record> past) {
    if (targets_.size() != 0 || past_.size() != 0)
        return error{errc::invalid_argument, {}, "expected an engine to which nothing was added yet"};
    for (const record& r : past) {
        if (r.kind != record_kind::target) continue;
        const bool follows = static_cast<std::size_t>(r.target) == targets_.size();
        if (!follows || r.name.empty() || r.name.size() > text_arena::longest ||
            targets_.find(r.of, r.name) != no_target)
            return error{errc::syntax, "record " + std::to_string(static_cast<std::uint64_t>(r.seq)),
                         "a target's number or name does not follow on the others"};
        targets_.await(r.of, r.name);
    }
    journaled_ = targets_.size();
    past_ = std::move(past);
    if (!past_.empty()) resume_ = &engine::resume;
    return {};
}

/// The first step of a run that goes on with an earlier one.
inline void engine::resume(outputs& out) {
    const std::vector<record> past = std::exchange(past_, {});
    const time_point now = later(now_, past.back().at);
    outputs unsaid;
    detail::page_book pages;
    std::vector<target_id> orphans;
    std::size_t closed = 0;
    for (const record& r : past) {
        now_ = r.at;
        pages.add(r);
        last_op_ = last_op_ < static_cast<std::uint64_t>(r.op) ? static_cast<std::uint64_t>(r.op) : last_op_;
        const bool begins = r.kind == record_kind::opened || r.kind == record_kind::intent;
        const bool ends =
            r.kind == record_kind::closed || r.kind == record_kind::outcome || r.kind == record_kind::dropped;
        if (r.target != no_target && (!targets_.has(r.target) || targets_.awaited(r.target))) {
            if (begins) orphans.push_back(r.target);
            for (std::size_t n = 0; ends && n < orphans.size(); ++n) {
                if (orphans[n] != r.target) continue;
                orphans.erase(orphans.begin() + static_cast<std::ptrdiff_t>(n));
                break;
            }
            continue;
        }
        relive(r, unsaid);
        unsaid.clear();
        if (ends) std::erase_if(operations_, [](const pending_operation& op) { return op.id == no_op; });
        // Not each time: a bad hour had many.
        if (r.kind == record_kind::closed && ++closed > incidents_.size() / 2) {
            closed = 0;
            std::erase_if(incidents_, [](const incident& i) { return i.at == phase::closed; });
        }
    }
    place_late();
    std::erase_if(incidents_, [](const incident& i) { return i.at == phase::closed; });
    now_ = now;
    last_sequence_ = static_cast<std::uint64_t>(past.back().seq);
    durable_ = past.back().seq;
    look_again_ = true;
    for (const record& r : past) {
        // What has been there for long is not coming up: its silence counts from the first whole period on.
        constexpr duration settled = std::chrono::minutes{10};
        if (r.kind != record_kind::target || targets_.awaited(r.target) || now - r.at < settled) continue;
        each_watch(r.target, [&](watch_id w) { watches_.forget(w, now, duration::zero()); });
    }

    // How many calls the last minutes saw is not in the journal.
    for (std::uint32_t n = 0; n < options_.bounds.api.count; ++n) calls_made_.spend(now_, options_.bounds.api.within);
    held_until_ = after(now_, options_.bounds.start_hold);
    // What had been begun is asked for before anything that can not be undone.
    if (!operations_.empty()) held_until_ = later(held_until_, after(now_, options_.read_back_every));
    event& e = tell(event_kind::controller, decision::change, reason::resumed, out);
    e.value = static_cast<double>(incidents_.size());
    for (std::size_t n = 0; n < orphans.size(); ++n) {
        if (n == 0 || orphans[n] != orphans[n - 1]) page(reason::orphaned, orphans[n], out);
    }
    // What was to be kept is a help, not a need.
    std::erase_if(operations_, [](const pending_operation& op) { return op.what == operation::collect_forensics; });
    for (incident& i : incidents_) go_on_after_gap(i);
    // Of two that had the same subject in turn only one still acts upon it, and absorbs what fails below.
    for (const incident& i : incidents_) {
        if (i.subject != no_target) targets_[i.subject].actor = i.id;
    }
    // Nobody knows whether the end of what was paged arrived, nor whether the page did: the newest state is told anew.
    constexpr duration tried_for = std::chrono::hours{24}; // by the pager of the earlier run
    for (const detail::page_book::trouble& t : pages.troubles()) {
        if (t.target != no_target && targets_.awaited(t.target)) continue;
        incident* const i = find_incident(t.incident);
        const bool open = t.over_at == never && (t.topic != reason::none || (i != nullptr && i->target == t.target));
        if (!open && t.over_at != never && now_ - t.over_at > tried_for) continue;
        event& told = tell(event_kind::page, open ? decision::page : decision::recover, t.why, t.target, out);
        told.incident = t.incident;
        told.op = t.op;
        told.denied = t.denied;
        if (!open || i == nullptr) continue;
        told.rung = i->rung < policy_of(*i).size() ? rung_of(*i).what : operation::none;
        told.next = i->wake == never ? now_ : i->wake;
        // Whoever acts waits no more.
        const bool waits = i->at != phase::acting && i->at != phase::verifying;
        i->paged = t.why == reason::waited_long && t.denied != 0 && waits;
        i->paged_for = t.denied;
    }
    const std::size_t begun = operations_.size(); // one that ends may begin the next
    for (std::size_t n = 0; n < begun; ++n) {
        may_have_begun(operations_[n]);
        // It was called right after its intent; where a quota may have held it back, just now at the latest.
        pending_operation& op = operations_[n];
        const time_point called = options_.bounds.api.count == 0 ? op.since : now_;
        op.deadline = after(called, op.timeout);
        op.settle = later(after(op.deadline, op.settle), after(now_, options_.read_back_every)) - now_;
        doubt_outcome(operations_[n], reason::resumed, out);
    }
}

/// Does what was decided when a record was written.
inline void engine::relive(const record& r, outputs& unsaid) {
    incident* const i = find_incident(r.incident);
    const bool open = i != nullptr && i->at != phase::closed;
    const bool decided = r.kind == record_kind::closed || r.kind == record_kind::parked || r.kind == record_kind::rung;
    if (open && decided && (i->at == phase::fencing || i->at == phase::collecting)) step_back(*i); // it came to nothing
    switch (r.kind) {
    case record_kind::target:
    case record_kind::policy:
    case record_kind::paged: break; // see `detail::page_book`
    case record_kind::death:        // who was dead may have come back in the meantime; but this is what it was
        if (r.target != no_target) note_seen(r.target, {.cloud_id = r.cloud_id, .host = r.host});
        break;
    case record_kind::alarm: relive_alarm(r); break;
    case record_kind::opened:
        if (r.to == alarm_state::alarm) relive_alarm(r);
        relive_opened(r);
        break;
    case record_kind::intent: relive_intent(r, unsaid); break;
    case record_kind::dropped:
        if (pending_operation* const op = find_operation(r.op); op != nullptr) drop(*op, r.why, unsaid);
        break;
    case record_kind::outcome: relive_outcome(r, unsaid); break;
    case record_kind::verdict:
        if (!open || i->at != phase::verifying) break;
        i->unhelpful = static_cast<std::uint8_t>(i->unhelpful | 1U << i->rung);
        retry(*i, {});
        break;
    case record_kind::closed:
        if (open) close(*i, r.why, unsaid);
        break;
    case record_kind::parked:
        if (!open) break;
        park(*i, unsaid);
        i->approved_until = (time_point::min)(); // it was for a rung that is left behind
        break;
    case record_kind::operator_word: relive_word(r, unsaid); break;
    case record_kind::trust: trust_broken_ = true; break;
    case record_kind::rung:
        if (!open || r.rung >= policy_of(*i).size()) break;
        i->rung = r.rung;
        if (r.why == reason::denied_by_operator) climb(*i, decision::climb, r.why, unsaid);
        else i->approved_until = r.deadline;
        break;
    case record_kind::guest_restart: ledger_.spend(r.target, operation::guest_restarts, r.at); break;
    }
}

/// What its first change after the gap is a change from. It is no evidence: that takes a period of its own.
inline void engine::relive_alarm(const record& r) {
    std::vector<watch_id> watches; // newest first
    each_watch(r.target, [&](watch_id w) { watches.push_back(w); });
    if (r.attempt >= watches.size()) return;
    const watch_id w = watches[watches.size() - 1 - r.attempt];
    std::erase(raised_before_, w);
    if (r.to != alarm_state::alarm) return;
    raised_before_.push_back(w);
    if (incident* const i = find_incident(targets_[r.target].incident); i != nullptr)
        i->accusers = i->accusers | vantage::guest_heartbeat;
}

inline void engine::relive_opened(const record& r) {
    const incident* const known = find_incident(targets_[r.target].incident);
    if (known != nullptr && known->at != phase::closed) return;
    incident i;
    i.accusers = r.by;
    const std::uint32_t numbered = last_incident_;
    make(i, r.target);
    i.id = targets_[r.target].incident = r.incident;
    last_incident_ =
        numbered < static_cast<std::uint32_t>(r.incident) ? static_cast<std::uint32_t>(r.incident) : numbered;
    if (incident* const before = find_incident(i.id); before != nullptr) {
        *before = std::move(i);
    } else if (incidents_.empty() || incidents_.back().id < i.id) {
        incidents_.push_back(std::move(i));
    } else {
        late_.insert(late_.begin() + static_cast<std::ptrdiff_t>(place_of(i.id, late_)), std::move(i));
        place_late();
    }
}

/// Its budget is spent, what it acts upon is busy, and until its outcome it may be under way.
inline void engine::relive_intent(const record& r, outputs& unsaid) {
    if (pending_operation* const again = find_operation(r.op); again != nullptr) {
        again->intent = r.seq; // written twice, around a failure of the journal
        return;
    }
    note_seen(r.target, {.cloud_id = r.cloud_id, .boot_id = r.boot_id, .host = r.host});
    pending_operation& op = operations_.emplace_back();
    op.id = r.op;
    op.what = op.booked = r.what;
    op.subject = r.target;
    op.intent = r.seq;
    op.key = r.key;
    op.since = r.at;
    op.timeout = r.deadline - r.at;
    op.deadline = r.deadline;
    op.settle = r.what == operation::create_instance ? options_.create_timeout : options_.fence_timeout;
    op.cloud_id_before = r.cloud_id;
    op.boot_id_before = r.boot_id;

    incident* i = find_incident(r.incident);
    const bool first = detail::comes_first(r.what);
    std::size_t at = r.rung;
    if (i != nullptr) {
        // The policy may be another one by now.
        const std::span<const rung> rungs = policy_of(*i).rungs();
        const auto fits = [&](std::size_t n) { return first || rungs[n].what == r.what; };
        if (at >= rungs.size() || !fits(at)) {
            for (at = 0; at < rungs.size() && (first || !fits(at));) ++at;
        }
        if (at == rungs.size() || i->at == phase::closed || subject_of(*i, rungs[at]) == no_target) i = nullptr;
    }
    if (i == nullptr) {
        targets_.mark_busy(r.target, 1);
        if (!first && r.what != operation::create_instance) ledger_.spend(r.target, r.what, r.at);
        return;
    }
    const rung& on = policy_of(*i).rungs()[at];
    if (i->rung != at) { // it has climbed
        i->approved_until = (time_point::min)();
        i->tries = 0;
    }
    i->rung = static_cast<std::uint8_t>(at);
    i->attempts = r.attempt;
    op.for_incident = i->id;
    if (i->subject == no_target) act_upon(*i, first ? subject_of(*i, on) : r.target, unsaid);
    if (r.what == operation::fence_instance) {
        enter(*i, phase::fencing);
        std::size_t d = 0;
        while (d < i->deaths.size() && i->deaths[d].target != r.target) ++d;
        if (d == i->deaths.size()) i->deaths.push_back({r.target});
        ++i->deaths[d].in_flight;
        ++i->deaths[d].method;
        return;
    }
    i->op = op.id;
    if (first) {
        enter(*i, phase::collecting);
        i->forensics = true;
        return;
    }
    enter(*i, phase::acting);
    op.settle = on.verify;
    op.booked = booked_as(on);
    want_deaths(*i, on, r.target);
    for (const death_wanted& d : i->deaths)
        op.proofs.push_back(proof_of_death{proof_kind::fenced, i->id, d.target, after(r.at, options_.proof_validity)});
    spend(*i, op);
}

/// The copies that it replaces are not the ones to look for, and only what is heard from then on tells of its success.
inline void engine::may_have_begun(pending_operation& op) {
    const bool first = detail::comes_first(op.what);
    if (incident* const i = find_incident(op.for_incident); i != nullptr && !first) i->acted_at = op.since;
    bury(op);
    op.proofs.clear();
}

inline void engine::relive_outcome(const record& r, outputs& unsaid) {
    pending_operation* const op = find_operation(r.op);
    if (op == nullptr) return;
    may_have_begun(*op);
    note_seen(r.target, {.cloud_id = r.cloud_id, .boot_id = r.boot_id, .host = r.host});
    incident* const i = find_incident(op->for_incident);
    if (i != nullptr && !r.text.empty()) detail::add_words(i->said, r.text);
    const bool first = detail::comes_first(op->what);
    if (i == nullptr || !first) return finish(*op, r.result, r.why, {}, unsaid);
    // What followed of it has records of its own.
    if (op->what == operation::fence_instance && r.result == outcome_code::done) i->off_since = r.at;
    for (death_wanted& d : i->deaths) {
        if (op->what == operation::fence_instance && d.target == r.target && d.in_flight != 0) --d.in_flight;
    }
    op->id = no_op;
}

inline void engine::relive_word(const record& r, outputs& unsaid) {
    if (r.why != reason::operator_word) return; // it was not accepted
    switch (r.verb) {
    case operator_verb::approve:
    case operator_verb::deny: return; // each rung that was meant has a record of its own
    case operator_verb::confirm_dead: // said of a machine that may have come back in the meantime
        if (const target_id m = r.target == no_target ? no_target : machine_of(r.target); m != no_target)
            targets_[m].unsure = false;
        return;
    default: static_cast<void>(hear({r.verb, r.target, r.at, r.deadline, r.name, r.text}, unsaid));
    }
}

/// Where nothing is under way any more, the decision is taken again; and who was being verified has its whole time to
/// be heard, because nobody listened for a while.
inline void engine::go_on_after_gap(incident& i) {
    i.waiting_since = never;
    i.paged = false;
    if (i.at == phase::verifying) i.verify_by = i.wake = later(i.verify_by, after(now_, rung_of(i).verify));
    if (i.at != phase::fencing && i.at != phase::collecting && i.at != phase::acting) return;
    for (const pending_operation& op : operations_) {
        if (op.for_incident != i.id) continue;
        // A fence that is under way comes to its end, and no other follows it unasked.
        for (death_wanted& d : i.deaths) d.method = static_cast<std::uint8_t>(policy_of(i).fencing.size());
        return;
    }
    step_back(i);
}

/// A journal that visits its records: `visit` takes each of them, in order, and returns `result<void>`.
template <class J>
concept replayed_journal = requires(J& log, result<void> (&visit)(record&&)) {
    { log.replay(visit) } -> std::same_as<result<void>>;
};

namespace detail {

/// Reads all that a journal has.
template <replayed_journal Journal>
result<void> read_into(record_digest& digest, Journal& log) {
    return log.replay([&digest](record&& r) -> result<void> {
        digest.add(std::move(r));
        return {};
    });
}

} // namespace detail

/// Hands an engine what its journal has of earlier runs, and makes the journal smaller where most of it says nothing
/// any more. `pipeline::open` calls it. Errors: of reading, and `syntax` for records that do not follow on each other.
template <replayed_journal Journal>
result<void> resume_from(Journal& log, engine& to) {
    record_digest digest;
    if (auto read = detail::read_into(digest, log); !read) return read;
    const std::size_t all = digest.seen();
    std::vector<record> past = digest.take();
    if constexpr (requires { log.compact(past); }) {
        // If that fails the old file is still there, and has to be opened again.
        constexpr std::size_t worth_it = 1000;
        if (all > worth_it && all > 2 * past.size() && !log.compact(past)) {
            if (auto opened = log.open(); !opened) return opened;
        }
    }
    return to.recover(std::move(past));
}

/// Makes a journal smaller while it is in use, between two polls. What is decided and not written yet is not touched.
template <replayed_journal Journal>
result<void> compact_journal(Journal& log) {
    record_digest digest;
    if (auto read = detail::read_into(digest, log); !read) return read;
    return log.compact(digest.take());
}

} // namespace reheat::inline REHEAT_ABI
