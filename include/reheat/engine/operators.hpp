// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>

// What an operator says: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

inline void engine::take(const spoken& s, outputs& out) {
    place_late();
    const reason wrong = hear(s, out);
    look_again_ = true;
    record& r = write(record_kind::operator_word, s.target, out);
    r.verb = s.what;
    r.name = s.who;
    r.text = s.reason;
    r.deadline = s.expires;
    r.why = wrong == reason::none ? reason::operator_word : wrong;
    if (wrong != reason::none) {
        event& e = tell(event_kind::operator_word, decision::ignore, wrong, out);
        e.target = s.target;
        e.verb = s.what;
    }
}

/// Does what an operator said and tells it, or says why not.
inline reason engine::hear(const spoken& s, outputs& out) {
    if (lost_) return reason::leadership_lost;
    const bool about_one = s.target != no_target;
    if (s.who.empty() || (about_one && !targets_.has(s.target))) return reason::not_understood;
    if (s.expires <= now_) return reason::expired;
    const auto accept = [&] {
        event& e = tell(event_kind::operator_word, decision::accept, reason::operator_word, out);
        e.target = s.target;
        e.verb = s.what;
        e.next = s.expires;
        return reason::none;
    };
    switch (s.what) {
    case operator_verb::approve:
    case operator_verb::deny: return answer_rung(s, out) ? reason::none : reason::operator_word;
    case operator_verb::confirm_dead: {
        const target_id machine = machine_of(s.target);
        if (machine == no_target) return reason::not_understood;
        target_record& t = targets_[machine];
        // It was not made, so it did not fail either: it may be ordered.
        const bool unsure = t.unsure;
        t.unsure = false;
        only_one(machine);
        if (unsure && t.failing == 0 && t.heard() == health::unknown) return accept();
        deaths_.confirm(machine, earlier(s.expires, after(now_, options_.proof_validity)));
        // Whoever knows that it is dead has looked; that is evidence, for as long as the proof is good.
        targets_.note_words(machine).of[static_cast<std::size_t>(vantage::operator_word)].pass(health::unhealthy, now_);
        accept();
        health_changed(machine, reason::operator_word, out);
        return reason::none;
    }
    case operator_verb::maintain:
    case operator_verb::freeze: {
        // One without an end would be forgotten, and one without a reason be lifted by the next who wonders.
        if (s.reason.empty() || s.expires == never) return reason::not_understood;
        if (s.what == operator_verb::maintain && !about_one) return reason::not_understood;
        const auto kind =
            s.what == operator_verb::freeze ? standing_order::kind::freeze : standing_order::kind::maintenance;
        orders_.give({kind, s.target, s.expires, s.who, s.reason});
        return accept();
    }
    case operator_verb::end_maintenance:
        return orders_.end(standing_order::kind::maintenance, s.target) ? accept() : reason::operator_word;
    case operator_verb::thaw:
        return orders_.end(standing_order::kind::freeze, s.target) ? accept() : reason::operator_word;
    case operator_verb::unpark: {
        bool any = false;
        for (incident& i : incidents_) {
            if (i.at != phase::parked || (about_one && !targets_.covers(s.target, i.target))) continue;
            i.wake = now_;
            any = true;
        }
        return any ? accept() : reason::operator_word;
    }
    case operator_verb::trust: {
        // Who says so has seen to the copies that returned as well.
        const auto settled =
            std::erase_if(strays_, [&](const stray& c) { return !about_one || targets_.covers(s.target, c.target); });
        return std::exchange(trust_broken_, false) || settled != 0 ? accept() : reason::operator_word;
    }
    }
    return reason::not_understood;
}

/// Approves or denies the rung that waits for approval, on the target itself or on what the rung acts upon.
inline bool engine::answer_rung(const spoken& s, outputs& out) {
    bool heard = false;
    for (incident& i : incidents_) {
        if (i.at != phase::deciding || i.rung >= policy_of(i).size()) continue;
        const rung& current = rung_of(i);
        const bool meant = s.target == no_target || i.target == s.target || subject_of(i, current) == s.target;
        if (!meant || current.approval == consent::none) continue;
        if (s.what == operator_verb::approve && now_ < i.approved_until) continue;
        heard = true;
        event& e = tell(event_kind::operator_word, decision::accept,
                        s.what == operator_verb::approve ? reason::operator_word : reason::denied_by_operator, i, out);
        e.verb = s.what;
        record& r = write(record_kind::rung, i.target, out);
        r.incident = i.id;
        r.rung = i.rung;
        r.why = e.why;
        r.deadline = s.expires;
        if (s.what == operator_verb::approve) i.approved_until = s.expires;
        else climb(i, decision::climb, reason::denied_by_operator, out);
    }
    return heard;
}

} // namespace reheat::inline REHEAT_ABI
