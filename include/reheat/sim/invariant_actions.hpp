// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/invariant_monitor.hpp>

// Actions, and what bounds them: definitions of members of `invariant_monitor`.

namespace reheat::inline REHEAT_ABI {

inline const policy& invariant_monitor::rules_of(const incident_state& i) const noexcept {
    const incident* const open = of_->incident_of(i.target);
    if (open != nullptr && open->id == i.id) return of_->policy_of(*open);
    incident same_target;
    same_target.rules = knows(i.target) ? tree()[i.target].rules : policy_id{};
    return of_->policy_of(same_target);
}

/// The rung that an action is of. Of several for one operation, the one that its incident stands on.
inline const rung* invariant_monitor::rung_of(const incident_state& i, operation what) const noexcept {
    const std::span<const rung> rungs = rules_of(i).rungs();
    const auto fits = [what](const rung& r) {
        const bool first = what == operation::fence_instance || what == operation::collect_forensics;
        return r.what == what || (first && (needs_proof(r.what) || is_destructive(r.what)));
    };
    const incident* const open = of_->incident_of(i.target);
    if (open != nullptr && open->id == i.id && open->rung < rungs.size() && fits(rungs[open->rung]))
        return &rungs[open->rung];
    for (const rung& r : rungs) {
        if (fits(r)) return &r;
    }
    return nullptr;
}

inline void invariant_monitor::take_act(incident_state& i, const event& e) {
    speak(i);
    const bool first = e.why == reason::proof_required || e.why == reason::collecting;
    if (i.at == stage::acted || i.at == stage::called || i.at == stage::verifying)
        found(invariant::recovered_once, i.target,
              "a second action began (" + std::string{to_string(e.rung)} + ") while one is not verified");
    if (!i.busy()) begin(i, e);
    if (e.why == reason::proof_required) {
        ++i.fences;
        mark(i, e.subject);
        const evidence_rules& rules = rules_of(i).evidence;
        i.by = i.by | e.by;
        vantage_set by = i.by | vantage::driver_status; // it may have been asked
        if (const incident_state* m = open_incident(machine_of(e.subject)); m != nullptr) by = by | m->by;
        const unsigned wanted = rules.alone == single_vantage::wait ? rules.vantages : 1;
        if (i.by == vantage_set::none || count(by) < wanted)
            found(invariant::proof_first, i.target,
                  "a fence began on the word of " + std::to_string(count(i.by)) + " vantages");
    }
    if (first) return;
    i.at = stage::acted;
    i.acted_at = e.at;
    i.op = no_op;
    i.told_wait = i.told_held = i.by_itself = i.in_turn = false;
    i.since = never;
    i.denied = 0;
    next_page_ = earlier(next_page_, after(e.at, of_->options().page_after));
    spend(i, e);
}

inline void invariant_monitor::begin(incident_state& i, const event& e) {
    // The fence ended, and what comes next is of the same action.
    const bool goes_on = i.freed_at == e.at && i.begun_at != (time_point::min)();
    const incident* const open = of_->incident_of(i.target);
    const bool same = open != nullptr && open->id == i.id && open->subject != no_target;
    i.subject = same ? open->subject : e.subject;
    i.at = stage::begun;
    i.by_itself = false;
    if (std::exchange(i.in_turn, false)) i.since = never;
    mark(i, i.subject);
    const bool service = knows(i.subject) && tree()[i.subject].of == level::service;
    ++in_flight_[service ? 0 : 1];
    if (goes_on) return;

    i.begun_at = e.at;
    i.places = places_of(i.subject);
    if (const target_id other = busy_with(i.subject, i.target); other != no_target)
        found(invariant::recovered_once, i.target,
              "an action on " + name(i.subject) + " began while one on " + name(other) + " is not verified");
    const share& bound = service ? bounds().services_in_flight : bounds().in_flight;
    const std::uint64_t all = tree().count(service ? level::service : level::instance);
    const std::uint64_t part = (all * bound.percent + 99) / 100;
    const std::uint64_t most = part < bound.least ? bound.least : part;
    if (in_flight_[service ? 0 : 1] > most)
        found(invariant::limits_hold, i.target,
              std::to_string(in_flight_[service ? 0 : 1]) + " actions are in flight, and " + std::to_string(most) +
                  " may be");
    if (const rung* r = rung_of(i, e.rung); r != nullptr && r->approval == consent::required) {
        if (!i.approved) found(invariant::limits_hold, i.target, "an action began without the approval that it needs");
        else if (e.at >= i.approved_until)
            found(invariant::limits_hold, i.target,
                  "an action began " + text(e.at - i.approved_until) + " after its approval had ended");
    }
    if (service) return;
    if (last_machine_action_ != (time_point::min)() && e.at < after(last_machine_action_, bounds().between))
        found(invariant::limits_hold, i.target,
              "a machine's action began " + text(e.at - last_machine_action_) + " after the last one, not " +
                  text(bounds().between));
    last_machine_action_ = e.at;
}

/// Until its action is verified, a target belongs to one incident.
inline void invariant_monitor::mark(incident_state& i, target_id subject) {
    if (subject == no_target) return;
    at(subject).busy_by = i.target;
    for (const target_id m : i.marks) {
        if (m == subject) return;
    }
    i.marks.push_back(subject);
}

inline void invariant_monitor::release(incident_state& i) {
    i.proofs.clear();
    i.fenced.clear();
    if (i.busy()) free_target(i);
    i.fences = 0;
}

inline void invariant_monitor::free_target(incident_state& i) {
    for (const target_id m : i.marks) {
        if (at(m).busy_by == i.target) at(m).busy_by = no_target;
    }
    i.marks.clear();
    const bool service = knows(i.subject) && tree()[i.subject].of == level::service;
    if (in_flight_[service ? 0 : 1] != 0) --in_flight_[service ? 0 : 1];
    i.at = stage::deciding;
}

/// Where another action is under way: on the target, above it or below it.
inline target_id invariant_monitor::busy_with(target_id subject, target_id but) const {
    target_id other = no_target;
    const auto look = [&](target_id t) {
        const auto n = static_cast<std::size_t>(t);
        if (n >= targets_.size()) return;
        const bool by_other = targets_[n].busy_by != no_target && targets_[n].busy_by != but;
        if (by_other || targets_[n].orders != 0) other = t;
    };
    if (!knows(subject)) return other;
    for (target_id up = subject; up != no_target; up = tree()[up].parent) look(up);
    tree().each_below(subject, look);
    return other;
}

// What is spent

/// Sets by kind and name: the engine's numbers are those of one controller.
inline std::uint32_t invariant_monitor::number_of(set_id set) {
    const auto n = static_cast<std::size_t>(set);
    if (n >= set_numbers_.size()) set_numbers_.resize(n + 1);
    if (set_numbers_[n] != 0) return set_numbers_[n];
    const instance_set& s = of_->sets()[set];
    std::pair<set_kind, std::string> key{s.of, s.name};
    std::size_t known = 0;
    while (known < sets_.size() && sets_[known] != key) ++known;
    if (known == sets_.size()) sets_.push_back(std::move(key));
    return set_numbers_[n] = static_cast<std::uint32_t>(known + 1);
}

/// The group, rack and zone of what an action happens to: of a stack, of its machines that are ill.
inline std::vector<std::uint32_t> invariant_monitor::places_of(target_id subject) {
    std::vector<std::uint32_t> in;
    const auto add = [&](set_id s) {
        if (s == no_set) return;
        const std::uint32_t number = number_of(s);
        if (std::find(in.begin(), in.end(), number) == in.end()) in.push_back(number);
    };
    const auto add_machine = [&](target_id m) {
        for (const set_id s : of_->sets().of(tree()[m].member_of).above_host()) add(s);
    };
    if (!knows(subject)) return in;
    if (tree()[subject].of != level::stack) {
        if (const target_id m = machine_of(subject); m != no_target) add_machine(m);
        return in;
    }
    add(of_->sets().find(set_kind::group, tree().name(subject)));
    tree().each_below(subject, [&](target_id below) {
        if (tree()[below].of == level::instance && at(below).failing != 0) add_machine(below);
    });
    return in;
}

inline void invariant_monitor::spend(incident_state& i, const event& e) {
    const rung* const r = rung_of(i, e.rung);
    const bool hard = r != nullptr && r->what == operation::reboot_instance && r->how == reboot_kind::hard;
    spent_.push_back({e.rung, hard, false, e.subject, i.id, e.at, i.places});
    const auto count = [&](const budget& b, const auto& which) {
        std::uint64_t n = 0;
        longest_ = (std::max)(longest_, b.within);
        for (std::size_t s = spent_.size(); s-- > 0 && e.at - spent_[s].at < b.within;) n += which(spent_[s]) ? 1U : 0U;
        return n;
    };
    const auto check = [&](const budget& b, const auto& which, const std::string& whose) {
        if (const std::uint64_t n = count(b, which); n > b.count)
            found(invariant::budgets_hold, i.target,
                  std::to_string(n) + " actions (" + std::string{to_string(e.rung)} + ") in " + text(b.within) + " " +
                      whose + ", and " + std::to_string(b.count) + " may be");
    };
    if (r != nullptr) {
        const auto on_it = [&](const detail::spent_action& s) {
            return s.subject == e.subject && s.what == e.rung && s.hard == hard;
        };
        check(r->burst, on_it, "on " + name(e.subject));
        check(r->sustained, on_it, "on " + name(e.subject));
    }
    const auto check_shared = [&](const shared_budget& b, const auto& which, const std::string& whose) {
        if (b.burst.count != 0) check(b.burst, which, whose);
        if (b.sustained.count != 0) check(b.sustained, which, whose);
    };
    check_shared(bounds().all, [](const detail::spent_action&) { return true; }, "in all");
    for (const std::uint32_t set : i.places) {
        const auto in_it = [set](const detail::spent_action& s) {
            return std::find(s.in.begin(), s.in.end(), set) != s.in.end();
        };
        const auto& [kind, set_name] = sets_[set - 1];
        check_shared(kind == set_kind::group ? bounds().group : bounds().domain, in_it,
                     "in " + std::string{to_string(kind)} + " " + set_name);
    }
    std::erase_if(spent_, [&](const detail::spent_action& s) { return e.at - s.at >= longest_; });
}

/// The newest action of an incident was not called after all.
inline void invariant_monitor::unspend(const incident_state& i) {
    for (std::size_t s = spent_.size(); s-- > 0;) {
        if (spent_[s].incident != i.id || spent_[s].called) continue;
        spent_.erase(spent_.begin() + static_cast<std::ptrdiff_t>(s));
        return;
    }
}

inline void invariant_monitor::count_failing(target_id target, int by) {
    const target_id machine = machine_of(target);
    if (machine == no_target) return;
    std::uint16_t& n = at(machine).failing;
    if (by > 0 && n++ == 0) failing_.push_back(machine);
    if (by < 0 && n != 0 && --n == 0) std::erase(failing_, machine);
}

// Calls

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
}

} // namespace reheat::inline REHEAT_ABI
