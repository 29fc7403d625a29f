// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/invariant_monitor.hpp>

// Calls as events tell them, and their ends: definitions of members of `invariant_monitor`.

namespace reheat::inline REHEAT_ABI {

inline detail::seen_operation* invariant_monitor::find_operation(op_id op) noexcept {
    for (detail::seen_operation& o : operations_) {
        if (o.op == op) return &o;
    }
    return nullptr;
}

inline void invariant_monitor::take_call(const event& e) {
    const bool for_incident = e.incident != no_incident;
    const bool first = e.rung == operation::fence_instance || e.rung == operation::collect_forensics;
    switch (e.what) {
    case decision::call: {
        if (first_op_ == no_op || e.op < first_op_) first_op_ = e.op;
        operations_.push_back({e.op, e.rung, e.subject, e.target, for_incident, false, false, {}});
        if (!for_incident) {
            ++at(e.subject).orders;
            if (trust_broken_) found(invariant::proof_first, e.subject, "it was called although trust is broken");
            return;
        }
        incident_state& i = incident_of(e);
        check_call(i, e);
        if (first) return;
        if (i.at != stage::acted && !i.from_before)
            found(invariant::recovered_once, i.target,
                  std::string{to_string(e.rung)} + " was called, which nothing had decided");
        if (!i.busy()) begin(i, e);
        i.from_before = false;
        i.at = stage::called;
        i.op = e.op;
        for (std::size_t s = spent_.size(); s-- > 0;) {
            if (spent_[s].incident != i.id) continue;
            spent_[s].called = true;
            break;
        }
        return;
    }
    case decision::drop: {
        if (!for_incident) return;
        incident_state& i = incident_of(e);
        if (e.rung == operation::fence_instance) {
            if (i.fences != 0) --i.fences;
        } else if (!first) {
            unspend(i);
        }
        if (i.fences != 0) return;
        release(i);
        return owe_word(i);
    }
    case decision::finish: return finish_operation(e);
    case decision::read_back: return read_back(e);
    default: return;
    }
}

inline void invariant_monitor::read_back(const event& e) {
    if (detail::seen_operation* o = find_operation(e.op); o != nullptr) {
        o->unknown = true;
        return;
    }
    // One of before a crash, whose call may have been made.
    incident_state* of = nullptr;
    each_incident([&](incident_state& i) { of = i.id == e.incident ? &i : of; });
    const target_id target = of == nullptr ? e.target : of->target;
    operations_.push_back({e.op, e.rung, e.subject, target, of != nullptr, true, false, {}});
    if (of == nullptr) return ++at(e.subject).orders, void();
    if (e.rung == operation::fence_instance) ++of->fences;
    const bool first = e.rung == operation::fence_instance || e.rung == operation::collect_forensics;
    if (first || of->busy()) return;
    of->subject = e.subject;
    of->op = e.op;
    of->at = stage::called;
    mark(*of, e.subject);
    const bool service = knows(e.subject) && tree()[e.subject].of == level::service;
    ++in_flight_[service ? 0 : 1];
}

inline void invariant_monitor::check_call(const incident_state& i, const event& e) {
    const std::string what{to_string(e.rung)};
    if (!journal_ok_) found(invariant::journal_first, i.target, what + " was called while the journal fails");
    if (trust_broken_) found(invariant::proof_first, i.target, what + " was called although trust is broken");
    const bool irreversible = is_destructive(e.rung) || e.rung == operation::fence_instance;
    if (irreversible && started_at_ != (time_point::min)() && e.at < after(started_at_, bounds().start_hold))
        found(invariant::limits_hold, i.target,
              what + " was called " + text(e.at - started_at_) + " after the start, not " + text(bounds().start_hold));
    if (knows(e.subject)) {
        asset kept = tree()[e.subject].keep;
        if (tree()[e.subject].of == level::stack) {
            for (const detail::seen_proof& p : i.proofs) kept = kept | tree()[p.of].keep; // what it makes anew
        }
        if ((loss_of(e.rung) & kept) != asset::none)
            found(invariant::proof_first, i.target, what + " loses what " + name(e.subject) + " must keep");
    }
    if (needs_proof(e.rung)) check_proofs(i, e);
    if (e.rung != operation::collect_forensics || knows(e.subject)) check_breakers(e);
}

inline void invariant_monitor::check_proofs(const incident_state& i, const event& e) {
    const auto check = [&](target_id machine) {
        const auto about = [machine](const detail::seen_proof& p) { return p.of == machine; };
        const auto proof = std::find_if(i.proofs.rbegin(), i.proofs.rend(), about);
        const std::string what = std::string{to_string(e.rung)} + " was called ";
        if (proof == i.proofs.rend())
            found(invariant::proof_first, machine, what + "without a proof of the death of " + name(machine));
        else if (e.at >= after(proof->at, of_->options().proof_validity))
            found(invariant::proof_first, machine,
                  what + text(e.at - proof->at) + " after the proof of death, which holds for " +
                      text(of_->options().proof_validity));
    };
    if (i.fences != 0)
        found(invariant::proof_first, i.target,
              std::string{to_string(e.rung)} + " was called while " + std::to_string(i.fences) +
                  " fences are under way");
    if (knows(e.subject) && tree()[e.subject].of != level::stack) return check(e.subject);
    // Which machines a stack makes anew is known by its proofs; that it has some is known anyway.
    for (const detail::seen_proof& p : i.proofs) check(p.of);
}

inline void invariant_monitor::check_breakers(const event& e) {
    const target_id machine = machine_of(e.subject);
    if (machine == no_target) return;
    const breaker_limits& limit = bounds().breaker;
    const auto dead_host = [this](target_id m) {
        const set_id host = of_->sets().of(tree()[m].member_of).host;
        return host != no_set && of_->sets()[host].dead;
    };
    for (const set_id s : of_->sets().of(tree()[machine].member_of).above_host()) {
        if (s == no_set) continue;
        const instance_set& set = of_->sets()[s];
        const std::string where = std::string{to_string(set.of)} + " " + set.name;
        if (std::find(open_breakers_.begin(), open_breakers_.end(), s) != open_breakers_.end())
            found(invariant::limits_hold, e.target,
                  std::string{to_string(e.rung)} + " was called while the breaker of " + where + " is open");
        // A host that is proved dead is one failure, and what it had counts no more.
        std::uint64_t ill = set.dead_hosts;
        for (const target_id m : failing_) {
            const membership& in = of_->sets().of(tree()[m].member_of);
            if (in.group != s && in.rack != s && in.zone != s) continue;
            const incident_state* const own = open_incident(m);
            ill += (own != nullptr && own->from_before) || dead_host(m) ? 0U : 1U;
        }
        const share& bound = set.of == set_kind::group ? limit.group : limit.domain;
        const std::uint64_t part = (std::uint64_t{set.size()} * bound.percent + 99) / 100;
        const std::uint64_t most = part < bound.least ? bound.least : part;
        if (set.size() >= limit.counted_from && ill > most)
            found(invariant::limits_hold, e.target,
                  std::string{to_string(e.rung)} + " was called while " + std::to_string(ill) + " of " +
                      std::to_string(set.size()) + " in " + where + " are unhealthy, and " + std::to_string(most) +
                      " may be");
    }
}

inline void invariant_monitor::finish_operation(const event& e) {
    detail::seen_operation* const o = find_operation(e.op);
    if (o == nullptr) {
        if (first_op_ != no_op && e.op >= first_op_)
            found(invariant::recovered_once, e.target,
                  "operation " + std::to_string(static_cast<std::uint64_t>(e.op)) + " ended, which is not under way");
        return;
    }
    const bool by_outcome =
        e.why == reason::outcome_done || e.why == reason::outcome_failed || e.why == reason::outcome_refused;
    if (o->unknown && by_outcome)
        found(invariant::recovered_once, e.target,
              "operation " + std::to_string(static_cast<std::uint64_t>(e.op)) +
                  " was ended by a late outcome, after it was unknown");
    const bool as_answered = (e.why == reason::outcome_done && o->answer == outcome_code::done) ||
                             (e.why == reason::outcome_failed && o->answer == outcome_code::failed) ||
                             (e.why == reason::outcome_refused && o->answer == outcome_code::refused);
    if (by_outcome && o->answered && !as_answered)
        found(invariant::proof_first, e.target,
              "the driver answered " + std::string{to_string(o->answer)} + ", and " + std::string{to_string(e.rung)} +
                  " counts as " + std::string{to_string(e.why)});
    if (hears_answers_ && e.why == reason::confirmed_absent &&
        std::find(absent_.begin(), absent_.end(), o->subject) == absent_.end())
        found(invariant::proof_first, e.target,
              "the absence of " + name(o->subject) + " counts as confirmed, and no description vouches for it");
    const detail::seen_operation ended = *o;
    operations_.erase(operations_.begin() + (o - operations_.data()));
    const bool nothing_done = e.why == reason::outcome_failed || e.why == reason::outcome_refused;
    if (nothing_done) std::erase_if(graves_, [&](const detail::seen_grave& g) { return g.op == ended.op; });
    if (!ended.for_incident) {
        if (at(ended.subject).orders != 0) --at(ended.subject).orders;
        return;
    }
    incident_state* const i = open_incident(ended.target);
    if (i == nullptr || i->id != e.incident) return;
    i->from_before = false;
    if (ended.what == operation::fence_instance || ended.what == operation::collect_forensics) {
        if (ended.what == operation::fence_instance && i->fences != 0) --i->fences;
        const bool worked =
            e.why == reason::outcome_done || e.why == reason::confirmed_absent || e.why == reason::would_act;
        if (ended.what == operation::fence_instance && worked) i->fenced.push_back(ended.subject);
        // Either the same action goes on at once, or nothing more is begun.
        if (i->fences != 0 || i->at > stage::begun) return;
        if (i->at == stage::begun) free_target(*i);
        i->freed_at = e.at;
        i->begun_at = later(i->begun_at, started_at_);
        return owe_word(*i);
    }
    if (i->op != ended.op) return;
    if (nothing_done) {
        release(*i);
        return owe_word(*i);
    }
    i->at = stage::verifying;
    i->told_wait = false;
}

} // namespace reheat::inline REHEAT_ABI
