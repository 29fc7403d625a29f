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
        // A proof that ran out before the others is made anew.
        const bool again =
            std::any_of(i.proofs.begin(), i.proofs.end(), [&](const auto& p) { return p.of == e.subject; });
        const unsigned wanted = !again && rules.alone == single_vantage::wait ? rules.vantages : 1;
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

} // namespace reheat::inline REHEAT_ABI
