// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>

// Proofs of death, and what is done when one turns out false: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

/// By what a machine is proved dead without a fence, if it is.
inline std::optional<proof_kind> engine::dead(target_id machine) const noexcept {
    const set_id host = sets_of(machine).host;
    if (host != no_set && sets_[host].dead && !targets_[machine].second) return sets_[host].proof;
    return deaths_.dead(machine, now_);
}

/// Whether every proof that a rung needs can be had without a fence.
inline bool engine::proofs_ready(const rung& r, target_id subject) const noexcept {
    if (!needs_proof(r.what)) return false;
    bool any = false;
    bool all = true;
    each_machine(subject, [&](target_id machine) {
        any = true;
        all = all && dead(machine).has_value();
    });
    return any && all;
}

/// Whose death has to be proved before a rung acts.
inline void engine::want_deaths(incident& i, const rung& r, target_id subject) {
    i.deaths.clear();
    if (needs_proof(r.what)) each_machine(subject, [&](target_id machine) { i.deaths.push_back({machine}); });
}

/// The next fences: of all machines at the same time, and of one machine the methods in order, or all at once. Once one
/// machine has no method left, the others only come to their end.
inline void engine::fence_next(incident& i, outputs& out) {
    const fence_rules& how = policy_of(i).fencing;
    bool waiting = false;
    bool in_vain = false;
    for (death_wanted& d : i.deaths) {
        waiting = waiting || d.in_flight != 0;
        if (d.in_flight != 0) continue;
        if (d.proved && (now_ >= d.expires || (!d.fenced && !dead(d.target)))) {
            // The others took too long: it is proved anew, by another fence.
            d.proved = false;
            d.method = 0;
            begin_wait(i, now_);
        }
        if (const auto by = d.proved ? std::nullopt : dead(d.target)) mint(i, d, *by, reason::already_dead, out);
        in_vain = in_vain || (!d.proved && d.method >= how.size());
    }
    for (death_wanted& d : i.deaths) {
        if (in_vain || d.proved || d.in_flight != 0) continue;
        waiting = true;
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
    }
    if (waiting) return;
    if (in_vain) {
        ++i.fences;
        retry(i, {});
        if (i.paged) release_absorbed(i, out, false);
        return;
    }
    i.fences = 0;
    i.not_before = (time_point::min)();
    enter(i, phase::acting);
    go_on(i, out);
}

inline void engine::mint(incident& i, death_wanted& d, proof_kind by, reason why, outputs& out) {
    d.proved = true;
    d.proved_at = now_;
    d.fenced = why == reason::proof_minted;
    d.by = by;
    d.expires = after(now_, options_.proof_validity);
    if (!d.fenced && by == proof_kind::confirmed) d.expires = earlier(d.expires, deaths_.confirmed_until(d.target));
    event& e = tell(event_kind::rung, decision::accept, why, i, out);
    e.subject = d.target;
    e.rung = operation::fence_instance;
    e.proof = by;
    if (options_.shadow) return;
    record& r = write(record_kind::death, d.target, out);
    r.incident = i.id;
    r.proof = by;
    r.why = reason::died;
    r.cloud_id = targets_.cloud_id(d.target);
    r.host = targets_.host(d.target);
}

/// A fence came to its end. Any one that worked is enough; the action waits until no other is under way, so that a late
/// power-off can not hit the new copy.
inline void engine::fence_ended(incident& i, target_id machine, outcome_code code, reason why, duration retry_after,
                                outputs& out) {
    for (death_wanted& d : i.deaths) {
        if (d.target != machine || d.in_flight == 0) continue;
        --d.in_flight;
        if (code == outcome_code::done) {
            i.off_since = now_;
            only_one(machine);
        }
        const proof_kind by = why == reason::confirmed_absent ? proof_kind::absent : proof_kind::fenced;
        if (code == outcome_code::done && !d.proved) mint(i, d, by, reason::proof_minted, out);
        if (d.in_flight == 0 && d.method >= policy_of(i).fencing.size())
            i.not_before = later(i.not_before, after(now_, retry_after));
        break;
    }
    if (i.at == phase::fencing) fence_next(i, out);
}

/// Remembers the copies that a call replaces: none of them must be heard of again.
inline void engine::bury(const pending_operation& op) {
    constexpr std::size_t most_graves = 100'000;
    for (const proof_of_death& p : op.proofs) {
        std::erase_if(graves_, [&](const grave& g) {
            return g.target == p.target() && g.cloud_id == targets_.cloud_id(g.target) &&
                   g.host == targets_.host(g.target);
        });
        if (graves_.size() >= most_graves) graves_.erase(graves_.begin());
        graves_.push_back({p.target(), p.incident(), p.kind(), op.since, std::string{targets_.cloud_id(p.target())},
                           std::string{targets_.host(p.target())}, op.what == operation::evacuate_instance});
        deaths_.forget(p.target());
        // The new copy may have another id and another host, and until it is seen only its name finds it. That holds
        // also where the outcome says that there is none.
        targets_.forget_identity(p.target());
        targets_[p.target()].second = true;
        // So is what an operator said of that copy.
        if (targets_[p.target()].words != 0)
            targets_.note_words(p.target()).of[static_cast<std::size_t>(vantage::operator_word)] = {};
    }
}

/// Nothing was replaced after all: the copies that were proved dead are the current ones, as far as the cloud is right.
inline void engine::exhume(const incident& i) {
    for (const grave& g : graves_) {
        for (const death_wanted& d : i.deaths) {
            if (g.incident == i.id && d.target == g.target)
                note_seen(g.target, {.cloud_id = g.cloud_id, .host = g.host});
        }
    }
}

/// A machine that had been replaced is back. One of the two has to go.
inline void engine::reconcile(const sighting& s, std::string_view old_cloud_id, bool news, outputs& out) {
    const return_rule rule = rules(targets_[s.target].rules).returned;
    const time_point replaced = targets_[s.target].memory == 0 ? (time_point::min)() : remember(s.target).helped_at;
    const bool longer = s.running_since < replaced;
    const bool stays = rule == return_rule::keep_original || (rule == return_rule::longest_running && longer);
    const auto stop = [&](std::string_view copy) {
        for (const stray& known : strays_) {
            if (known.target == s.target && known.cloud_id == copy) return;
        }
        strays_.push_back({s.target, std::string{copy}, now_});
    };
    const std::string old{old_cloud_id.empty() ? std::string_view{s.cloud_id} : old_cloud_id};
    const std::string current{targets_.cloud_id(s.target)};
    // Nobody can say which of the two a fence would hit.
    const bool alike = old.empty() || current.empty() || old == current;
    if (news && (alike || rule == return_rule::stop_both)) page(reason::returned, s.target, out);
    if (alike) return void(targets_[s.target].second = true); // so that only a fence by name lets another one start
    // Who was to go may be the one to keep by now.
    if (rule != return_rule::stop_both)
        std::erase_if(strays_,
                      [&](const stray& k) { return k.target == s.target && k.cloud_id == (stays ? old : current); });
    if (!stays) stop(old);
    if (stays || rule == return_rule::stop_both) stop(current);
    if (stays) note_seen(s.target, {.cloud_id = old, .host = s.host});
}

/// A copy runs that is neither the current one nor one that was replaced. Which of them has to go, a human says.
inline void engine::meet_stranger(const sighting& s, outputs& out) {
    const auto same = [&](const stray& known) { return known.target == s.target && known.cloud_id == s.cloud_id; };
    std::size_t n = 0;
    while (n < strays_.size() && !same(strays_[n])) ++n;
    if (n == strays_.size()) strays_.push_back({s.target, std::string{s.cloud_id}, never, (time_point::min)()});
    targets_[s.target].second = true;         // so that only a fence by name lets another one start
    if (strays_[n].again_at != never) return; // it is to be fenced
    ask_machine(s.target, out);               // it may be the current one; the answer to one question may get lost
    if (is_news(strays_[n].seen_at)) page(reason::returned, s.target, out);
}

/// When a copy that returned is to be fenced; `never` as long as something that ends by itself stands in the way.
inline time_point engine::due(const stray& s) const noexcept {
    if (trust_broken_ || !leads_for(options_.fence_timeout) || targets_.busy(s.target)) return never;
    return left_alone(s.target) == reason::none ? s.again_at : never;
}

inline void engine::fence_strays(outputs& out) {
    target_id begun = no_target; // both copies of a machine may have to go
    for (stray& s : strays_) {
        if (now_ < (s.target == begun ? s.again_at : due(s))) continue;
        begun = s.target;
        pending_operation& op =
            start(operation::fence_instance, s.target, nullptr, options_.fence_timeout, options_.fence_timeout, out);
        op.cloud_id = s.cloud_id;
        s.op = op.id;
        tell(event_kind::operation_order, decision::act, reason::returned, op, out);
    }
}

/// As long as no fence works two copies may run, and nothing else will stop one of them.
inline void engine::stray_fenced(op_id op, outcome_code code, duration retry_after, outputs& out) {
    for (stray& s : strays_) {
        if (s.op != op) continue;
        const duration pause =
            wait_after(instance_backoff, options_.seed, static_cast<incident_id>(s.target), ++s.tries);
        s.again_at = later(after(now_, pause), after(now_, retry_after));
        if (code == outcome_code::done || s.tries != 1) continue;
        page(reason::returned, s.target, out).op = op;
        out.records.back().op = op;
    }
    if (code != outcome_code::done) return;
    for (grave& g : graves_) {
        for (const stray& s : strays_) {
            if (s.op == op && s.target == g.target) g.seen_at = (time_point::min)();
        }
    }
    std::erase_if(strays_, [op](const stray& s) { return s.op == op; });
}

/// Withdraws a proof that is not spent yet, since the copy is seen running of which it says that it is dead.
inline std::optional<grave> engine::withdraw_proof(const sighting& s, outputs& out) {
    const std::string_view known = targets_.cloud_id(s.target);
    const std::string host{targets_.host(s.target)};
    if (known.empty() ? s.host.empty() || s.host != host : s.cloud_id != known) return std::nullopt;
    const instance_set& on = sets_[sets_of(s.target).host];
    const bool by_host = sets_of(s.target).host != no_set && on.dead;
    for (incident& i : incidents_) {
        const pending_operation* op = i.at == phase::acting ? find_operation(i.op) : nullptr;
        if (i.at != phase::fencing && (op == nullptr || op->at != pending_operation::stage::journaled)) continue;
        for (death_wanted& d : i.deaths) {
            if (d.target != s.target || !d.proved || s.at < d.proved_at) continue;
            // Now nothing proves it, as the second look will see.
            d.fenced = false;
            deaths_.forget(d.target);
            if (by_host) take(host_word{host, false, proof_kind::fenced, now_}, out);
            return grave{d.target, i.id, {}, d.proved_at};
        }
    }
    // What would prove it later does not either.
    const time_point died_at = by_host ? on.died_at : (time_point::min)();
    if (targets_[s.target].failing == 0 || !(by_host || dead(s.target)) || s.at < died_at) return std::nullopt;
    deaths_.forget(s.target);
    if (by_host) take(host_word{host, false, proof_kind::fenced, now_}, out);
    return grave{s.target, targets_[s.target].incident, {}, died_at};
}

/// Whether another copy of what an action would start is known to run.
inline bool engine::runs_elsewhere(operation what, target_id subject) const noexcept {
    bool any = false;
    if (strays_.empty() || !needs_proof(what)) return any;
    each_machine(subject, [&](target_id machine) {
        for (const stray& s : strays_) any = any || s.target == machine;
    });
    return any;
}

} // namespace reheat::inline REHEAT_ABI
