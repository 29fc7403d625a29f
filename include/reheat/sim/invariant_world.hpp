// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/invariant_monitor.hpp>

// Starts and crashes, records, calls and completions, and the truth: definitions of members of `invariant_monitor`.

namespace reheat::inline REHEAT_ABI {

inline void invariant_monitor::started(const engine& of, time_point at) {
    if (of_ != nullptr && started_at_ != (time_point::min)()) crashed(at);
    of_ = &of;
    now_ = later(now_, at);
    started_at_ = at;
    first_op_ = no_op;
    last_record_ = no_sequence;
    for (detail::seen_target& t : targets_) t.raised = 0;
}

inline void invariant_monitor::crashed(time_point at) {
    if (of_ == nullptr) return;
    // What the journal has happened, although nobody told it any more.
    for (const record& r : std::exchange(fresh_, {})) {
        incident_state* const i = open_incident(r.target);
        if (r.seq > durable_) continue;
        std::erase_if(operations_, [&](const detail::seen_operation& o) {
            if (r.kind != record_kind::outcome || o.op != r.op) return false;
            incident_state* const by = open_incident(o.target);
            if (by == nullptr || by->op != o.op) return true;
            if (r.result == outcome_code::failed || r.result == outcome_code::refused) release(*by);
            else by->at = stage::verifying;
            return true;
        });
        if (i == nullptr || i->id != r.incident) continue;
        if (r.kind == record_kind::verdict) release(*i);
        if (r.kind == record_kind::closed) close(*i);
    }
    // And what it opened without the journal nobody knows.
    std::erase_if(opened_, [this](const auto& o) { return o.second > durable_; });
    each_incident([&](incident_state& i) {
        const auto same = [&i](const auto& o) { return o.first == i.id; };
        if (hears_records_ && !i.from_before && std::none_of(opened_.begin(), opened_.end(), same)) close(i);
    });
    for (const target_id t : std::exchange(moment_, {})) this->at(t).owes_open = false;
    each_incident([&](incident_state& i) {
        i.owes_word = i.owes_absorb = i.owes_page = false;
        i.by_itself = i.told_wait = i.told_held = false; // its wait begins anew
        i.in_turn = true;
        i.since = never;
        i.denied = 0;
        i.from_before = true;
        i.approved = true; // perhaps: who said so may not have been told
        if (i.at == stage::begun || i.at == stage::acted) release(i);
        // Whether it waits for another one's action, or for its next trial, is decided anew.
        if (i.at == stage::absorbed || i.at == stage::parked) i.at = stage::deciding;
        i.fences = static_cast<std::uint16_t>(
            std::count_if(operations_.begin(), operations_.end(), [&i](const detail::seen_operation& o) {
                return o.what == operation::fence_instance && o.for_incident && o.target == i.target;
            }));
    });
    std::erase_if(spent_, [](const detail::spent_action& s) { return !s.called; });
    for (const auto& [seq, target] : std::exchange(unsafe_pages_, {})) {
        detail::seen_target& t = this->at(target);
        t.human = t.told = false;
        t.forgotten = t.paged_at;
    }
    page_records_.clear();
    pages_alone_.clear(); // what is still so is told anew

    std::erase_if(intents_, [this](const auto& i) { return i.second.seq > durable_; });
    for (auto& [op, i] : intents_) i.before_crash = true;
    for (detail::seen_target& t : targets_) t.orders = 0;
    open_breakers_.clear();
    set_numbers_.clear();
    readings_.clear();
    calls_made_.clear();
    sightings_.clear();
    next_page_ = never;
    journal_ok_ = true;
    doubting_ = false;
    // Nor does anybody know of broken trust that no journal has.
    if (hears_records_ && (trust_record_ == no_sequence || trust_record_ > durable_)) trust_broken_ = false;
    now_ = later(now_, at);
    of_ = nullptr;
}

// Level 2

inline void invariant_monitor::recorded(const record& r) {
    advance(r.at);
    hears_records_ = true;
    if (r.seq <= last_record_) return; // refused before, and there all the same
    const auto last = static_cast<std::uint64_t>(last_record_);
    if (last_record_ != no_sequence && static_cast<std::uint64_t>(r.seq) != last + 1)
        found(invariant::journal_first, r.target,
              "record " + std::to_string(static_cast<std::uint64_t>(r.seq)) + " follows record " +
                  std::to_string(last));
    last_record_ = r.seq;
    switch (r.kind) {
    case record_kind::intent: {
        const auto same = [&](const auto& i) { return i.first == r.op; };
        auto i = std::find_if(intents_.begin(), intents_.end(), same);
        if (i == intents_.end()) i = intents_.insert(i, {r.op, {}});
        if (!i->second.called) i->second.seq = r.seq;
        i->second.key = r.key;
        i->second.target = r.target;
        i->second.what = r.what;
        return;
    }
    case record_kind::outcome:
        for (detail::seen_volume& v : volumes_) {
            if (v.named || !detail::names(r.text, v.name)) continue;
            v.named = true;
            v.named_for = r.incident;
            v.named_at = r.at;
        }
        [[fallthrough]];
    case record_kind::dropped: std::erase_if(intents_, [&](const auto& i) { return i.first == r.op; }); break;
    case record_kind::trust: trust_record_ = r.seq; break;
    case record_kind::paged:
    case record_kind::parked:
        if (r.incident != no_incident) note_page_record(r);
        break;
    case record_kind::opened: opened_.emplace_back(r.incident, r.seq); break;
    case record_kind::closed: // it may open again at once, with the same id
        std::erase_if(opened_, [&r](const auto& o) { return o.first == r.incident; });
        break;
    default: break;
    }
    if (r.kind != record_kind::target && r.kind != record_kind::opened) fresh_.push_back(r);
}

/// Told before it is written, where the journal has failed; and otherwise after it.
inline void invariant_monitor::note_page_record(const record& r) {
    const auto told = std::find(unsafe_pages_.begin(), unsafe_pages_.end(), std::pair{unwritten, r.target});
    if (told == unsafe_pages_.end()) page_records_.push_back(r.target);
    else unsafe_pages_.erase(told);
    if (r.seq > durable_) unsafe_pages_.emplace_back(r.seq, r.target);
}

inline void invariant_monitor::durable(sequence upto) noexcept {
    durable_ = (std::max)(durable_, upto);
    std::erase_if(unsafe_pages_, [this](const auto& p) { return p.first <= durable_; });
}

inline void invariant_monitor::called(const request& r, std::span<const proof_of_death> proofs, time_point at) {
    if (of_ == nullptr) return;
    advance(at);
    const budget& api = bounds().api;
    if (api.count != 0) {
        std::erase_if(calls_made_, [&](time_point made) { return at - made >= api.within; });
        calls_made_.push_back(at);
        if (calls_made_.size() > api.count)
            found(invariant::budgets_hold, r.target,
                  std::to_string(calls_made_.size()) + " calls of the driver in " + text(api.within) + ", and " +
                      std::to_string(api.count) + " may be");
    }
    if (r.what == operation::describe) return readings_.emplace_back(r.op, r.target), void();
    const std::string what = std::string{to_string(r.what)} + " was called ";
    const auto same = [&](const auto& i) { return i.first == r.op; };
    const auto of = std::find_if(intents_.begin(), intents_.end(), same);
    if (of == intents_.end()) {
        found(invariant::journal_first, r.target, what + "without an intent in the journal");
    } else {
        detail::seen_intent& i = of->second;
        if (i.seq > durable_)
            found(invariant::journal_first, r.target,
                  what + "before its intent was safe: record " + std::to_string(static_cast<std::uint64_t>(i.seq)) +
                      ", and the journal is safe up to " + std::to_string(static_cast<std::uint64_t>(durable_)));
        if (std::exchange(i.called, true)) found(invariant::journal_first, r.target, what + "twice for one intent");
        if (i.key != r.key || i.what != r.what || i.target != r.target)
            found(invariant::journal_first, r.target, what + "which is not what its intent says");
    }
    check_read_back(r);
    const auto newest = std::find_if(spent_.rbegin(), spent_.rend(), [&](const detail::spent_action& s) {
        return s.subject == r.target && s.what == r.what;
    });
    if (newest != spent_.rend()) newest->called = true;

    const bool one = r.what == operation::recreate_instance || r.what == operation::evacuate_instance;
    if (one && proofs.size() != 1)
        found(invariant::proof_first, r.target, what + "with " + std::to_string(proofs.size()) + " proofs");
    for (const proof_of_death& p : proofs) {
        if (knows(r.target) && knows(p.target()) && !tree().covers(r.target, p.target()))
            found(invariant::dependents_kept, r.target, what + "with a proof for " + name(p.target()));
        const detail::seen_proof* accepted = nullptr;
        each_incident([&](incident_state& i) {
            for (const detail::seen_proof& seen : i.proofs) {
                if (i.id == p.incident() && seen.of == p.target()) accepted = &seen;
            }
        });
        if (accepted == nullptr)
            found(invariant::proof_first, p.target(), what + "with a proof that was not accepted for this incident");
        const time_point died_at = accepted == nullptr ? at : accepted->at;
        named_.emplace_back(r.op, p.target());
        constexpr std::size_t most = 1000;
        if (graves_.size() >= most) graves_.erase(graves_.begin());
        if (r.what == operation::recreate_instance && !r.cloud_id.empty())
            graves_.push_back({r.op, p.target(), std::string{r.cloud_id}, died_at});
    }
}

/// After a crash nothing is done where an intent is open, before the cloud was asked.
inline void invariant_monitor::check_read_back(const request& r) {
    for (const auto& [op, i] : intents_) {
        // Forensics change nothing.
        if (i.what == operation::collect_forensics) continue;
        if (!i.before_crash || i.read || !related(i.target, r.target)) continue;
        found(invariant::journal_first, r.target,
              std::string{to_string(r.what)} + " was called after a crash, before operation " +
                  std::to_string(static_cast<std::uint64_t>(op)) + " (" + std::string{to_string(i.what)} + " on " +
                  name(i.target) + ") was read back");
    }
}

inline void invariant_monitor::completed(op_id op, const outcome& result, time_point) {
    hears_answers_ = true;
    std::erase_if(readings_, [&](const auto& reading) {
        if (reading.first != op) return false;
        std::erase(absent_, reading.second);
        if (result.code == outcome_code::done && !result.seen.exists.value_or(true) && result.seen.vouched)
            absent_.push_back(reading.second);
        if (result.code == outcome_code::unknown) return true;
        for (auto& [other, i] : intents_) {
            const bool same = machine_of(i.target) != no_target && machine_of(i.target) == machine_of(reading.second);
            i.read = i.read || i.target == reading.second || same;
        }
        return true;
    });
    if (detail::seen_operation* o = find_operation(op); o != nullptr && !o->unknown) {
        o->answered = true;
        o->answer = result.code;
    }
}

inline void invariant_monitor::sighted(const copy_sighting& seen, time_point at) {
    if (of_ == nullptr || trust_broken_ || seen.cloud_id.empty()) return;
    for (const detail::seen_grave& g : graves_) {
        if (g.target != seen.target || g.cloud_id != seen.cloud_id || seen.running_since > g.died_at) continue;
        sightings_.emplace_back(seen.target, after(at, options_.trust_within));
        return;
    }
}

// Level 3

inline void invariant_monitor::copy_started(target_id instance, std::string_view cloud_id, time_point at, cause by) {
    std::string others;
    for (const detail::seen_copy& c : copies_) {
        if (c.target == instance && c.cloud_id != cloud_id) others += (others.empty() ? "" : ", ") + c.cloud_id;
        if (c.target == instance && c.cloud_id == cloud_id) return; // the same one boots again
    }
    copies_.push_back({instance, std::string{cloud_id}});
    const bool stateful = knows(instance) && (tree()[instance].keep & asset::volumes) != asset::none;
    if (others.empty() || (of_ != nullptr && !stateful)) return;
    if (proofs_lie_ || by == cause::world) return ++excused_copies_, void();
    found_.add({invariant::one_copy, at, instance,
                "copy " + std::string{cloud_id} + " was started while " + others + " runs"});
}

inline void invariant_monitor::copy_stopped(target_id instance, std::string_view cloud_id, time_point) {
    std::erase_if(copies_, [&](const detail::seen_copy& c) { return c.target == instance && c.cloud_id == cloud_id; });
}

inline detail::seen_volume& invariant_monitor::volume(std::string_view name, target_id owner) {
    for (detail::seen_volume& v : volumes_) {
        if (v.name == name) return v;
    }
    volumes_.push_back({std::string{name}, owner, {}, false});
    return volumes_.back();
}

inline void invariant_monitor::volume_attached(std::string_view volume_name, target_id owner, std::string_view cloud_id,
                                               time_point at) {
    detail::seen_volume& v = volume(volume_name, owner);
    for (const std::string& other : v.attached) {
        if (other == cloud_id) return;
    }
    if (!v.attached.empty())
        found_.add({invariant::volumes_kept, at, owner,
                    "volume " + v.name + " was attached to " + std::string{cloud_id} + " while it is attached to " +
                        v.attached.front()});
    v.attached.emplace_back(cloud_id);
}

inline void invariant_monitor::volume_detached(std::string_view volume_name, target_id owner, std::string_view cloud_id,
                                               time_point) {
    detail::seen_volume& v = volume(volume_name, owner);
    std::erase_if(v.attached, [&](const std::string& to) { return to == cloud_id; });
    v.named = false;
}

inline void invariant_monitor::volume_deleted(std::string_view volume_name, target_id owner, time_point at) {
    found_.add({invariant::volumes_kept, at, owner, "volume " + std::string{volume_name} + " was deleted"});
    std::erase_if(volumes_, [&](const detail::seen_volume& v) { return v.name == volume_name; });
}

inline void invariant_monitor::accepted(const request& r, time_point at) {
    if (r.what == operation::describe) return;
    if (r.reign < reign_)
        found_.add({invariant::recovered_once, at, r.target,
                    std::string{to_string(r.what)} + " of epoch " +
                        std::to_string(static_cast<std::uint64_t>(r.reign)) + " was carried out after one of epoch " +
                        std::to_string(static_cast<std::uint64_t>(reign_))});
    reign_ = (std::max)(reign_, r.reign);
}

inline void invariant_monitor::removed(target_id target, time_point at) {
    const auto by = std::find_if(named_.begin(), named_.end(), [&](const auto& n) { return n.second == target; });
    if (by != named_.end()) return named_.erase(by), void();
    found_.add({invariant::dependents_kept, at, target, "it was deleted, which no call had named"});
}

inline void invariant_monitor::works(target_id target, bool well, time_point at) {
    detail::seen_target& t = this->at(target);
    const health now = well ? health::healthy : health::unhealthy;
    if (std::exchange(t.truth, now) != now) t.truth_since = at;
}

/// A target was recovered: by what is true, has it all that it must have?
inline void invariant_monitor::check_end(target_id target) {
    const incident_state* const i = open_incident(target);
    if (i == nullptr) return;
    for (const detail::seen_proof& p : i->proofs) {
        for (const detail::seen_volume& v : volumes_) {
            // The copy may have failed again by now.
            if (v.owner == p.of && v.attached.empty())
                found(invariant::volumes_kept, target, "it recovered without its volume " + v.name);
        }
    }
}

// The end

inline void invariant_monitor::finish(time_point at) {
    if (of_ != nullptr) {
        advance(at);
        end_moment();
    }
    if (hears_notifications_) {
        for (std::size_t n = 0; n < targets_.size(); ++n) {
            const detail::seen_target& t = targets_[n];
            const auto target = static_cast<target_id>(n);
            const bool says_page = t.told && t.last == notification_kind::page;
            if (t.human && !says_page)
                found(invariant::told_last, target,
                      t.told ? "a human is needed, and the last notification says recovered"
                             : "a human is needed, and no notification arrived");
            if (!t.human && says_page)
                found(invariant::told_last, target, "its trouble is over, and the last notification is a page");
        }
        for (const page_alone& p : std::exchange(pages_alone_, {})) {
            if (!p.arrived)
                found(invariant::told_last, p.target, "the page " + std::string{to_string(p.why)} + " did not arrive");
        }
    }
    for (const detail::seen_volume& v : volumes_) {
        if (v.attached.empty() && !v.named && open_incident(v.owner) != nullptr)
            found(invariant::volumes_kept, v.owner, "volume " + v.name + " was left detached, and nothing names it");
    }
    if (at < settled_by_ || settled_by_ == never) return;
    const auto in_good_hands = [&](const incident_state& i) {
        // What holds many is paged for all of them.
        const bool of_many = i.denied != 0 && !waits_by_itself(i) && (i.denied & ~turn_guards) != 0;
        return this->at(i.target).human || of_many || i.at == stage::absorbed;
    };
    each_incident([&](incident_state& i) {
        if (!i.from_before && !in_good_hands(i))
            found(invariant::settles, i.target, "it is neither well nor parked with a page, in the end");
    });
    for (std::size_t n = 0; n < targets_.size(); ++n) {
        if (targets_[n].truth != health::unhealthy) continue;
        const auto target = static_cast<target_id>(n);
        bool known = false;
        each_incident([&](incident_state& i) { known = known || (related(i.target, target) && in_good_hands(i)); });
        if (!known)
            found(invariant::settles, target,
                  "it has not worked for " + text(at - targets_[n].truth_since) + ", and no human was called");
    }
}

} // namespace reheat::inline REHEAT_ABI
