// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/invariant_monitor.hpp>

// What events say of incidents, waits and pages: definitions of members of `invariant_monitor`.

namespace reheat::inline REHEAT_ABI {

inline detail::seen_target& invariant_monitor::at(target_id t) {
    const auto n = static_cast<std::size_t>(t);
    if (n >= targets_.size()) targets_.resize((std::max)(n + 1, of_ == nullptr ? std::size_t{0} : tree().size()));
    return targets_[n];
}

inline void invariant_monitor::operator()(const event& e) {
    if (of_ == nullptr) return;
    advance(e.at);
    switch (e.kind) {
    case event_kind::alarm: return take_alarm(e);
    case event_kind::incident: return take_incident(e);
    case event_kind::rung: return take_rung(e);
    case event_kind::call:
    case event_kind::operation_order: return take_call(e);
    case event_kind::verdict: {
        incident_state& i = incident_of(e);
        speak(i);
        if (e.what != decision::give_up) return;
        release(i);
        return owe_word(i);
    }
    case event_kind::page: return take_page(e);
    case event_kind::controller:
    case event_kind::operator_word: return take_controller(e);
    }
}

inline time_point invariant_monitor::poll(time_point now) {
    if (of_ == nullptr) return never;
    advance(now);
    end_moment();
    time_point due = next_page_;
    for (const auto& [target, by] : sightings_) due = earlier(due, by);
    return due;
}

/// Time goes on: what had to be said before is missed.
inline void invariant_monitor::advance(time_point at) {
    if (at <= now_) return;
    if (now_ != (time_point::min)()) end_moment();
    now_ = at;
}

inline void invariant_monitor::end_moment() {
    for (const target_id t : moment_) {
        // One that opened as its controller ended was told by nobody.
        if (std::exchange(this->at(t).owes_open, false) && open_incident(t) == nullptr &&
            of_->incident_of(t) == nullptr)
            found(invariant::alarms_answered, t, "an alarm fired, and no incident is open");
        incident_state* const i = open_incident(t);
        if (i == nullptr) continue;
        if (std::exchange(i->owes_absorb, false))
            found(invariant::own_doing, t, "it failed while an action was under way, and was not absorbed by it");
        if (std::exchange(i->owes_word, false))
            found(invariant::alarms_answered, t, "its incident is open, and nothing says what is done or why not");
        if (std::exchange(i->owes_page, false)) found(invariant::settles, t, "it was parked without a page");
    }
    moment_.clear();
    fresh_.clear();
    if (now_ >= next_page_) end_waits();
    std::erase_if(sightings_, [this](const auto& due) {
        if (now_ < due.second) return false;
        found(invariant::one_copy, due.first, "a copy that was proved dead was seen running, and trust was not broken");
        return true;
    });
}

/// Who has waited for too long?
inline void invariant_monitor::end_waits() {
    const duration most = of_->options().page_after;
    next_page_ = never;
    each_incident([&](incident_state& i) {
        if (i.by_itself && !i.told_wait) {
            if (now_ >= after(i.since, most)) {
                i.told_wait = true;
                found(invariant::settles, i.target,
                      "it has waited for " + text(now_ - i.since) + ", which was not paged after " + text(most));
            } else {
                next_page_ = earlier(next_page_, after(i.since, most));
            }
        }
        if (i.at == stage::acted && journal_ok_ && !i.told_held) {
            if (now_ >= after(i.acted_at, most)) {
                i.told_held = true;
                found(invariant::settles, i.target,
                      "its action was held back for " + text(now_ - i.acted_at) + ", which was not paged after " +
                          text(most));
            } else {
                next_page_ = earlier(next_page_, after(i.acted_at, most));
            }
        }
    });
}

/// The incident that an event is about. One that is not known began before this monitor, or before a crash.
inline invariant_monitor::incident_state& invariant_monitor::incident_of(const event& e) {
    incident_state* known = open_incident(e.target);
    if (known != nullptr && known->id == e.incident) return *known;
    if (known != nullptr) close(*known);
    if (free_.empty()) {
        incidents_.emplace_back();
        free_.push_back(static_cast<std::uint32_t>(incidents_.size()));
    }
    at(e.target).incident = free_.back();
    incident_state& made = incidents_[free_.back() - 1];
    free_.pop_back();
    made = incident_state{};
    made.target = e.target;
    made.id = e.incident;
    made.by = e.by;
    made.approved = e.what != decision::open; // perhaps
    count_failing(e.target, 1);
    return made;
}

inline void invariant_monitor::close(incident_state& i) {
    release(i);
    count_failing(i.target, -1);
    i.id = no_incident;
    free_.push_back(std::exchange(at(i.target).incident, 0));
    at(i.target).human = false;
}

inline void invariant_monitor::owe_word(incident_state& i) {
    i.owes_word = true;
    owe(i.target);
}

inline void invariant_monitor::take_alarm(const event& e) {
    if (e.watch == no_watch || e.target == no_target) return; // no alarm of a metric
    detail::seen_target& t = at(e.target);
    if (e.from == alarm_state::alarm && e.to != e.from && t.raised != 0) --t.raised;
    if (e.to == alarm_state::alarm && e.to != e.from) ++t.raised;
    if (e.to != alarm_state::alarm || open_incident(e.target) != nullptr) return;
    t.owes_open = true;
    owe(e.target);
}

inline void invariant_monitor::take_incident(const event& e) {
    if (e.what == decision::change) return; // a copy returned
    if (e.what == decision::open) {
        if (const incident_state* known = open_incident(e.target); known != nullptr && !known->from_before)
            found(invariant::recovered_once, e.target, "an incident opened while it had one");
        if (incident_state* known = open_incident(e.target); known != nullptr) close(*known);
        incident_state& i = incident_of(e);
        owe_word(i);
        for (target_id up = e.target; knows(up) && !i.owes_absorb; up = tree()[up].parent) {
            const incident_state* const by = open_incident(at(up).busy_by);
            i.owes_absorb = by != nullptr && !by->from_before;
        }
        return;
    }
    incident_state& i = incident_of(e);
    speak(i);
    const auto idle = [&](std::string_view does) {
        if (i.busy())
            found(invariant::recovered_once, i.target, std::string{does} + " while its action is not verified");
    };
    switch (e.what) {
    case decision::absorb:
        idle("it was absorbed");
        i.owes_absorb = false;
        i.at = stage::absorbed;
        i.by_itself = false;
        i.in_turn = true;
        i.told_wait = i.told_wait && i.told_for != 0; // no fence is waited for any more
        i.since = never;
        return;
    case decision::release: i.at = stage::deciding; return owe_word(i);
    case decision::park:
        idle("it was parked");
        i.at = stage::parked;
        i.by_itself = false;
        i.since = never;
        i.owes_page = true;
        return owe(i.target);
    case decision::recover:
        if (const std::uint16_t raised = at(i.target).raised; raised != 0)
            found(invariant::alarms_answered, i.target,
                  "its incident was closed while " + std::to_string(raised) + " of its alarms are raised");
        if (e.why == reason::verified) check_end(i.target);
        return close(i);
    default: return;
    }
}

inline void invariant_monitor::take_rung(const event& e) {
    incident_state& i = incident_of(e);
    if (e.what == decision::accept) {
        i.from_before = false;
        if (e.why == reason::proof_minted && std::find(i.fenced.begin(), i.fenced.end(), e.subject) == i.fenced.end())
            found(invariant::proof_first, i.target,
                  "a proof of the death of " + name(e.subject) + " was accepted, which no fence that worked gave");
        i.proofs.push_back({e.subject, e.at, e.proof});
        return;
    }
    if (i.at == stage::absorbed || i.at == stage::parked)
        found(i.at == stage::absorbed ? invariant::own_doing : invariant::recovered_once, i.target,
              "its incident is " + std::string{i.at == stage::absorbed ? "absorbed" : "parked"} +
                  ", and goes on: " + std::string{to_string(e.what)} + " " + std::string{to_string(e.rung)});
    if (e.what == decision::act) return take_act(i, e);
    if (i.at == stage::acted || i.at == stage::called || i.at == stage::verifying)
        found(invariant::recovered_once, i.target, "it goes on while its action is not verified");
    release(i);
    speak(i);
    if (e.what == decision::wait) return wait(i, e);
    i.approved = false;
    i.told_wait = i.by_itself = i.in_turn = false;
    i.since = never;
    i.denied = 0;
    owe_word(i); // and what now?
}

inline void invariant_monitor::wait(incident_state& i, const event& e) {
    if (e.denied == 0 && e.next == never)
        found(invariant::alarms_answered, i.target, "it waits, and nothing says for what or until when");
    i.denied = e.denied;
    look_at_wait(i, e.at);
}

inline void invariant_monitor::look_at_wait(incident_state& i, time_point at) noexcept {
    // What it was paged for does not stand in its way any more: something else does.
    const bool eased = i.told_wait && i.told_for != 0 && (i.denied & ~turn_guards & i.told_for) == 0;
    i.in_turn = i.in_turn || eased;
    const bool before = std::exchange(i.by_itself, i.at == stage::deciding && waits_by_itself(i)) && !eased;
    i.in_turn = i.in_turn || (i.at == stage::deciding && i.denied != 0 && !i.by_itself);
    if (!i.by_itself || before) return;
    // After a wait of many, while in doubt, or for its turn, it is another wait, unless what was paged still stands in
    // the way.
    const bool other = std::exchange(i.in_turn, false);
    if (other) i.told_wait = i.told_wait && (i.denied & ~turn_guards & i.told_for) != 0;
    if (other || i.since == never) i.since = at;
    next_page_ = earlier(next_page_, after(i.since, of_->options().page_after));
}

/// What holds many is paged once for all of them, a turn comes by itself, and who announced work knows of it.
inline bool invariant_monitor::waits_by_itself(const incident_state& i) const noexcept {
    constexpr std::uint32_t of_many = bit(guard::maintenance) | bit(guard::trust) | bit(guard::breaker);
    if ((i.denied & of_many) != 0 || (i.denied & ~turn_guards) == 0) return false;
    return !doubting_ || (i.denied & bit(guard::freeze)) == 0;
}

inline void invariant_monitor::take_page(const event& e) {
    if (e.what == decision::recover) { // an earlier run had paged it
        if (e.incident != no_incident) at(e.target).human = false;
        return;
    }
    if (e.why == reason::trust_broken) {
        trust_broken_ = true;
        sightings_.clear();
    }
    if (e.why == reason::journal_failed) journal_ok_ = false;
    if (e.incident == no_incident || e.why == reason::trust_broken) {
        const auto same = [&e](const page_alone& p) { return p.target == e.target && p.why == e.why; };
        if (hears_notifications_ && !e.shadow && std::none_of(pages_alone_.begin(), pages_alone_.end(), same))
            pages_alone_.push_back({e.target, e.why});
        return;
    }
    // Of an incident that was not told of before: an earlier run had paged it.
    const incident_state* const known = open_incident(e.target);
    const bool again = known == nullptr || known->id != e.incident || known->from_before;
    incident_state& i = incident_of(e);
    const auto written = std::find(page_records_.begin(), page_records_.end(), i.target);
    if (written != page_records_.end()) page_records_.erase(written);
    else if (!again && hears_records_) unsafe_pages_.emplace_back(unwritten, i.target);
    speak(i);
    i.paged = true;
    i.owes_page = false;
    at(e.target).paged_at = e.at;
    if (at(e.target).forgotten >= e.at) at(e.target).forgotten = e.at - duration{1}; // told anew in the same moment
    at(e.target).human = !e.shadow; // nobody is called for what nobody does
    if (e.why == reason::journal_pending || e.why == reason::api_quota) i.told_held = true;
    if (e.why != reason::waited_long) {
        if (e.why == reason::alarm_raised && !again) owe_word(i); // and the rung after it
        return;
    }
    // Told again after a restart, and that wait is over: it acts, or waits for its fence anew. What the last run had
    // decided of it may not be written.
    const incident* const now = of_ == nullptr ? nullptr : of_->incident_of(e.target);
    const bool acts = now != nullptr && (now->at == phase::acting || now->at == phase::verifying);
    if (i.at == stage::called || i.at == stage::verifying || (again && (acts || e.denied == 0))) return;
    const bool same = i.told_for == e.denied || (i.told_for & e.denied) != 0;
    const bool again_told = std::exchange(i.told_wait, true) && same;
    i.told_for = e.denied;
    if (again_told) found(invariant::settles, i.target, "one wait was paged twice");
    if (e.denied == 0 && e.next == never && i.fences == 0)
        found(invariant::settles, i.target, "the page of its wait does not say what would end it");
}

inline void invariant_monitor::take_controller(const event& e) {
    const auto doubt = [&](bool on) {
        doubting_ = on;
        if (!on) return; // who waits for something else then says so
        each_incident([&](incident_state& i) {
            if (!i.told_wait) look_at_wait(i, e.at);
        });
    };
    if (e.kind == event_kind::operator_word) {
        if (e.what != decision::accept) return;
        if (e.verb == operator_verb::trust) trust_broken_ = false;
        if (e.verb != operator_verb::approve || e.incident == no_incident) return;
        incident_state& i = incident_of(e);
        i.approved = true;
        i.approved_until = never;
        for (const record& r : fresh_) {
            if (r.kind == record_kind::operator_word && r.verb == operator_verb::approve)
                i.approved_until = earlier(i.approved_until, r.deadline);
        }
        return;
    }
    const bool breaker = e.why == reason::breaker_group || e.why == reason::breaker_domain;
    if (e.what == decision::open && breaker) open_breakers_.push_back(e.set);
    if (e.what == decision::release && e.why == reason::breaker_closed) std::erase(open_breakers_, e.set);
    if (e.what == decision::wait && e.why == reason::silence_is_ours) doubt(true);
    if (e.what == decision::release && e.why == reason::silence_is_ours) doubt(false);
    if (e.what != decision::change) return;
    if (e.why == reason::leader_changed) started_at_ = e.at;
    if (e.why != reason::none) return;
    journal_ok_ = true;
    each_incident([&](incident_state& i) {
        if (i.at != stage::acted) return;
        i.acted_at = e.at; // its intent is written anew
        i.told_held = false;
        next_page_ = earlier(next_page_, after(e.at, of_->options().page_after));
    });
}

inline void invariant_monitor::arrived(const notification& n) {
    if (n.target != no_target && n.incident != no_incident) {
        if (n.last <= at(n.target).forgotten) return;
        at(n.target).told = true;
        at(n.target).last = n.kind;
        for (const detail::seen_volume& v : volumes_) {
            const bool due = n.kind == notification_kind::page && v.attached.empty() && v.named;
            if (due && v.named_for == n.incident && v.named_at < n.first && !detail::names(n.said, v.name))
                found(invariant::volumes_kept, n.target, "a page does not name the detached volume " + v.name);
        }
        return;
    }
    const bool over = n.kind != notification_kind::page;
    std::erase_if(pages_alone_, [&](page_alone& p) {
        if (p.target != n.target || p.why != (over ? n.before : n.why)) return false;
        p.arrived = true;
        return over;
    });
}

} // namespace reheat::inline REHEAT_ABI
