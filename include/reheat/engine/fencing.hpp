// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>

// Proofs of death, and what is done when one turns out false: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

/// By what a machine is proved dead without a fence, if it is.
inline std::optional<proof_kind> engine::dead(target_id machine) const noexcept {
    if (const set_id host = sets_of(machine).host; host != no_set && sets_[host].dead) return sets_[host].proof;
    return deaths_.dead(machine, now_);
}

/// Whether every proof that a rung needs can be had without a fence.
inline bool engine::proofs_ready(const rung& r, target_id subject) const noexcept {
    if (!needs_proof(r.what)) return false;
    return level_of(r.what) == level::stack ? all_dead(subject) : dead(subject).has_value();
}

/// Whether all that is unhealthy in a stack is.
inline bool engine::all_dead(target_id stack) const noexcept {
    bool any = false;
    bool all = true;
    each_ill_machine(stack, [&](const incident&, target_id machine) {
        any = true;
        all = all && dead(machine).has_value();
    });
    return any && all;
}

/// Whose death has to be proved before a rung acts.
inline void engine::want_deaths(incident& i, const rung& r, target_id subject) {
    i.proofs.clear();
    i.deaths.clear();
    if (level_of(r.what) != level::stack) {
        if (needs_proof(r.what)) i.deaths.push_back({subject});
        return;
    }
    // What is unhealthy may be re-created, so it has to be dead first.
    each_ill_machine(subject, [&](const incident&, target_id machine) {
        bool known = false;
        for (const death_wanted& d : i.deaths) known = known || d.target == machine;
        if (!known) i.deaths.push_back({machine});
    });
}

/// The next fences: one machine after the other, and of one machine the methods in order, or all at once.
inline void engine::fence_next(incident& i, outputs& out) {
    const fence_rules& how = policy_of(i).fencing;
    bool waiting = false;
    for (death_wanted& d : i.deaths) {
        if (!d.proved && d.method == 0 && d.in_flight == 0) {
            if (const std::optional<proof_kind> by = dead(d.target)) mint(i, d, *by, reason::already_dead, out);
        }
        waiting = waiting || d.in_flight != 0;
    }
    if (waiting) return;
    for (death_wanted& d : i.deaths) {
        if (d.proved) continue;
        do {
            const std::uint8_t method = d.method++;
            ++d.in_flight;
            event& e = tell(event_kind::rung, decision::act, reason::proof_required, i, out);
            e.rung = operation::fence_instance;
            e.subject = d.target;
            pending_operation& op =
                start(operation::fence_instance, d.target, &i, options_.fence_timeout, options_.fence_timeout, out);
            op.method = how.methods[method];
        } while (how.parallel && d.method < how.size());
        return;
    }
    enter(i, phase::acting);
    go_on(i, out);
}

inline void engine::mint(incident& i, death_wanted& d, proof_kind by, reason why, outputs& out) {
    d.proved = true;
    d.fenced = why == reason::proof_minted;
    i.fences = 0;
    time_point expires = after(now_, options_.proof_validity);
    if (!d.fenced && by == proof_kind::confirmed) expires = earlier(expires, deaths_.confirmed_until(d.target));
    i.proofs.push_back(proof_of_death{by, i.id, d.target, expires});
    event& e = tell(event_kind::rung, decision::accept, why, i, out);
    e.subject = d.target;
    e.rung = operation::fence_instance;
    e.proof = by;
}

/// A fence came to its end. Any one that worked is enough; the action waits until no other is under way, so that a late
/// power-off can not hit the new copy.
inline void engine::fence_ended(incident& i, target_id machine, outcome_code code, reason why, duration retry_after,
                                outputs& out) {
    for (death_wanted& d : i.deaths) {
        if (d.target != machine || d.in_flight == 0) continue;
        --d.in_flight;
        const proof_kind by = why == reason::confirmed_absent ? proof_kind::absent : proof_kind::fenced;
        if (code == outcome_code::done && !d.proved) mint(i, d, by, reason::proof_minted, out);
        if (!d.proved && d.in_flight == 0) {
            // A proof of another kind may have come in the meantime.
            if (const std::optional<proof_kind> other = dead(machine)) mint(i, d, *other, reason::already_dead, out);
        }
        if (!d.proved && d.in_flight == 0 && d.method >= policy_of(i).fencing.size()) {
            ++i.fences;
            return retry(i, retry_after);
        }
        break;
    }
    if (i.at == phase::fencing) fence_next(i, out);
}

/// Remembers the copies that a call replaces: none of them must be heard of again.
inline void engine::bury(const pending_operation& op) {
    constexpr std::size_t most_graves = 100'000;
    for (const proof_of_death& p : op.proofs) {
        if (graves_.size() >= most_graves) graves_.erase(graves_.begin());
        graves_.push_back({p.target(), p.incident(), p.kind(), now_, std::string{targets_.cloud_id(p.target())},
                           std::string{targets_.host(p.target())}});
        deaths_.forget(p.target());
        // The new copy may have another id and another host, and until it is seen only its name finds it.
        targets_.forget_identity(p.target());
        // So is what an operator said of that copy.
        if (targets_[p.target()].words != 0)
            targets_.note_words(p.target()).of[static_cast<std::size_t>(vantage::operator_word)] = {};
    }
}

/// Nothing was replaced after all: the copies that were proved dead are the current ones.
inline void engine::exhume(const incident& i) {
    std::erase_if(graves_, [&](const grave& g) {
        if (g.incident != i.id) return false;
        for (const death_wanted& d : i.deaths) {
            if (d.target != g.target) continue;
            observed old;
            old.cloud_id = g.cloud_id;
            old.host = g.host;
            note_seen(g.target, old);
            return true;
        }
        return false;
    });
}

/// A machine that had been replaced is back. One of the two has to go.
inline void engine::reconcile(const sighting& s, std::string_view old_cloud_id, outputs& out) {
    const return_rule rule = rules(targets_[s.target].rules).returned;
    const time_point replaced = targets_[s.target].memory == 0 ? (time_point::min)() : remember(s.target).helped_at;
    const bool longer = s.running_since < replaced;
    const bool original_goes = rule == return_rule::keep_replacement || rule == return_rule::stop_both ||
                               (rule == return_rule::longest_running && !longer);
    const bool replacement_goes = rule == return_rule::keep_original || rule == return_rule::stop_both ||
                                  (rule == return_rule::longest_running && longer);
    const auto stop = [&](std::string_view copy) {
        pending_operation& op =
            start(operation::fence_instance, s.target, nullptr, options_.fence_timeout, options_.fence_timeout, out);
        op.cloud_id = copy;
        event& e = tell(event_kind::operation_order, decision::act, reason::returned, out);
        e.target = e.subject = s.target;
        e.rung = operation::fence_instance;
        e.op = op.id;
    };
    const std::string old{old_cloud_id.empty() ? std::string_view{s.cloud_id} : old_cloud_id};
    const std::string current{targets_.cloud_id(s.target)};
    if (targets_.busy(s.target)) return;
    if (old.empty() || current.empty() || old == current) {
        // Nobody can say which of the two a fence would hit.
        event& e = tell(event_kind::page, decision::page, reason::returned, out);
        e.target = e.subject = s.target;
        return;
    }
    if (original_goes) stop(old);
    if (replacement_goes) stop(current);
    if (rule == return_rule::keep_original || (rule == return_rule::longest_running && longer)) {
        observed back;
        back.cloud_id = old;
        back.host = s.host;
        note_seen(s.target, back);
    }
    if (rule == return_rule::stop_both) {
        event& e = tell(event_kind::page, decision::page, reason::returned, out);
        e.target = e.subject = s.target;
    }
}

} // namespace reheat::inline REHEAT_ABI
