// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>

// What comes in: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

inline result<target_id> engine::add(const stack& s) {
    auto added = targets_.add({.of = level::stack}, s.name);
    if (added) unjournaled_.push_back(*added);
    return added;
}

inline result<target_id> engine::add(const instance& i) {
    target_record t{.of = level::instance, .keep = i.keep, .priority = i.priority};
    if (!i.stack.empty()) {
        t.parent = targets_.find(level::stack, i.stack);
        if (t.parent == no_target || targets_.awaited(t.parent)) {
            auto made = add(stack{i.stack});
            if (!made) return made;
            t.parent = *made;
        }
    }
    auto added = targets_.add(t, i.name);
    if (!added) return added;
    unjournaled_.push_back(*added);
    any_priority_ = any_priority_ || i.priority != 0;

    membership m;
    m.group = sets_.find_or_add(set_kind::group, i.group.empty() ? i.stack : i.group);
    m.host = sets_.find_or_add(set_kind::host, i.host);
    m.rack = sets_.find_or_add(set_kind::rack, i.rack);
    m.zone = sets_.find_or_add(set_kind::zone, i.zone);
    if (m.host != no_set) {
        if (m.rack != no_set) sets_[m.host].rack = m.rack;
        if (m.zone != no_set) sets_[m.host].zone = m.zone;
    }
    targets_[*added].member_of = sets_.join(m);
    sets_.count(targets_[*added].member_of, 1, 0);

    targets_.note_seen(*added, {.cloud_id = std::string{i.cloud_id}, .host = std::string{i.host}});
    return added;
}

inline result<target_id> engine::add(const service& s) {
    if (s.name.empty()) return error{errc::invalid_argument, "name", "expected 1 to 255 characters"};
    if (!targets_.has(s.on) || targets_[s.on].of != level::instance)
        return error{errc::invalid_argument, std::string{s.name}, "expected a service on an instance"};
    const target_record t{.parent = s.on, .of = level::service, .priority = s.priority};
    auto added = targets_.add(t, std::string{targets_.name(s.on)} + "/" + std::string{s.name});
    if (!added) return added;
    unjournaled_.push_back(*added);
    any_priority_ = any_priority_ || s.priority != 0;
    return added;
}

inline result<void> engine::depend(target_id dependent, target_id on) {
    if (!targets_.has(dependent) || !targets_.has(on)) return error{errc::not_found, {}, "there is no such target"};
    // What is reached from `on` must not lead back.
    std::vector<target_id> reached{on};
    for (std::size_t n = 0; n < reached.size(); ++n) {
        if (targets_.covers(reached[n], dependent) || targets_.covers(dependent, reached[n]))
            return error{errc::invalid_argument, std::string{name(dependent)},
                         "it would depend on itself, by way of " + std::string{name(on)}};
        const auto reach = [&](target_id needed) {
            bool known = false;
            for (const target_id r : reached) known = known || r == needed;
            if (!known) reached.push_back(needed);
        };
        targets_.each_below(reached[n], [&](target_id below) { each_need(below, reach); });
        for (target_id up = targets_[reached[n]].parent; up != no_target; up = targets_[up].parent)
            each_need(up, reach);
    }
    std::size_t at = dependencies_.size();
    while (at != 0 && dependent < dependencies_[at - 1].dependent) --at;
    dependencies_.insert(dependencies_.begin() + static_cast<std::ptrdiff_t>(at), {dependent, on});
    return {};
}

inline void engine::step(time_point now, outputs& out) {
    check_clock(now, out);
    now_ = later(now_, now);
    if (resume_ != nullptr) (this->*std::exchange(resume_, nullptr))(out);
    if (held_until_ == never) held_until_ = after(now_, options_.bounds.start_hold);
    for (const target_id id : unjournaled_) {
        if (static_cast<std::size_t>(id) < journaled_) continue;
        record& r = write(record_kind::target, id, out);
        r.of = targets_[id].of;
        r.name = targets_.name(id);
    }
    unjournaled_ = std::vector<target_id>(); // a burst at the start; its room would be kept for good

    if (std::exchange(journal_changed_, false)) tell_journal(out);
    taking_.swap(inputs_);
    taking_.each([&](auto& input) { take(input, out); });
    taking_.clear();

    transitions_.clear();
    const time_point due = watches_.next();
    if (watches_.evaluate(now_, transitions_, options_.doubts)) {
        deaths_.doubt(now_);
        event& e = tell(event_kind::controller, decision::ignore, reason::stepped_late, out);
        e.value = std::chrono::duration<double>(now_ - due).count();
    }
    for (const transition& t : transitions_) take(t, out);
    constexpr std::size_t kept = 1024; // of the room of a bad moment
    if (transitions_.capacity() > kept) transitions_ = std::vector<transition>();
    watch_silence(out);
    if (std::erase_if(probes_, [this](const probe& p) { return now_ >= p.by; }) != 0) look_again_ = unanswered_ = true;
    watch_orders(out);
    fence_strays(out);

    // A read-back may end its operation, and an end may start the next: by index, newest last.
    for (std::size_t n = 0; n < operations_.size(); ++n) watch_deadlines(operations_[n], out);
    if (!late_.empty()) place_late();
    do {
        look_again_ = false;
        watch_breakers(out);
        look_at_all(out);
        std::erase_if(incidents_, [](const incident& i) { return i.at == phase::closed; });
        for (std::size_t n = 0; n < operations_.size(); ++n) emit_call(operations_[n], out);
        std::erase_if(operations_, [](const pending_operation& op) { return op.id == no_op; });
    } while (look_again_);
}

/// In the order of their opening, and where targets have priorities, the more important ones first.
inline void engine::look_at_all(outputs& out) {
    highest_waiting_ = -1;
    longest_now_ = never;
    const auto note_longest = [&] {
        look_again_ = look_again_ || longest_now_ > waits_longest_; // others may go first again
        waits_longest_ = longest_now_;
    };
    if (!any_priority_) {
        for (std::size_t n = 0; n < incidents_.size(); ++n) look(incidents_[n], out);
        return note_longest();
    }
    order_.resize(incidents_.size());
    for (std::size_t n = 0; n < order_.size(); ++n) order_[n] = {targets_[incidents_[n].target].priority, n};
    detail::sort(order_, [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    for (const auto& next : order_) {
        incident& i = incidents_[next.second];
        look(i, out);
        // It waits for its turn, not for anything that may never come.
        constexpr std::uint32_t turn = turn_guards | bit(guard::backoff) | bit(guard::quota);
        if (i.at == phase::deciding && i.denied != 0 && (i.denied & ~turn) == 0 && highest_waiting_ < next.first)
            highest_waiting_ = next.first;
    }
    note_longest();
}

inline void engine::check_clock(time_point now, outputs& out) {
    if (!options_.doubts.raised(now, now_)) {
        went_back_ = went_back_ && now < now_;
        return;
    }
    watches_.doubt(now_);
    deaths_.doubt(now_);
    if (std::exchange(went_back_, true)) return;
    event& e = tell(event_kind::controller, decision::ignore, reason::clock_jumped, out);
    e.value = std::chrono::duration<double>(now_ - now).count();
}

inline void engine::tell_journal(outputs& out) {
    if (!journal_ok_) return void(tell(event_kind::page, decision::page, reason::journal_failed, out));
    tell(event_kind::controller, decision::change, reason::none, out);
    // Nobody knows whether an intent that was under way when it failed is in it, whatever later records say.
    for (pending_operation& op : operations_) {
        if (op.at != pending_operation::stage::journaled) continue;
        write_intent(op, find_incident(op.for_incident), out);
    }
}

/// When something that was said of a target will say nothing any more.
inline time_point engine::grows_old(target_id target) const noexcept {
    if (target == no_target || targets_[target].words == 0) return never;
    const duration max_age = evidence_of(target).max_age;
    const testimonies& words = targets_.words(target);
    const auto old = [&](const testimony& word) {
        const time_point last = word.ages(max_age); // at which it still holds
        return last < now_ ? never : after(last, duration{1});
    };
    time_point earliest = old(words.machine);
    for (const testimony& word : words.of) earliest = earlier(earliest, old(word));
    return earliest;
}

inline time_point engine::next() const noexcept {
    if (look_again_ || !inputs_.empty() || !unjournaled_.empty()) return now_;
    time_point earliest = earlier(watches_.next(), orders_.next());
    for (const incident& i : incidents_) {
        earliest = earlier(earliest, earlier(i.wake, earlier(page_at(i), grows_old(i.target))));
        const target_id machine = machine_of(i.target);
        if (machine != i.target) earliest = earlier(earliest, grows_old(machine));
        // A lease that runs out is a proof, whatever else stood in the way.
        if (const time_point over = deaths_.lease_over(machine); over > now_) earliest = earlier(earliest, over);
    }
    for (const pending_operation& op : operations_) {
        earliest = earlier(earliest, page_at(op));
        const bool ready = op.at == pending_operation::stage::journaled && op.intent <= durable_ && journal_ok_;
        if (ready) earliest = earlier(earliest, call_at());
        if (op.at == pending_operation::stage::called) earliest = earlier(earliest, op.deadline);
        if (op.at == pending_operation::stage::unknown) earliest = earlier(earliest, earlier(op.read_by, op.settle_by));
    }
    for (const stray& s : strays_) earliest = earlier(earliest, due(s));
    for (const probe& p : probes_) earliest = earlier(earliest, p.by);
    for (const set_id s : open_breakers_) {
        earliest = earlier(earliest, after(sets_[s].calm_since, options_.bounds.breaker.cooldown));
        if (!sets_[s].paged) earliest = earlier(earliest, after(sets_[s].opened_at, options_.page_after));
    }
    if (doubting_) {
        earliest = earlier(earliest, next_probe_);
        if (!doubt_paged_) earliest = earlier(earliest, after(doubt_since_, options_.page_after));
    }
    return earliest;
}

inline void engine::take(const transition& t, outputs& out) {
    target_record& target = targets_[t.target];
    const auto count = [](std::uint16_t& of, int by) { of = static_cast<std::uint16_t>(of + by); };
    if (t.from == alarm_state::alarm) count(target.raised, -1);
    if (t.from == alarm_state::ok) count(target.quiet, -1);
    if (t.to == alarm_state::alarm) count(target.raised, 1);
    if (t.to == alarm_state::ok) count(target.quiet, 1);
    note_beat(t);

    const reason why = t.to == alarm_state::alarm ? reason::alarm_raised
                       : t.to == alarm_state::ok  ? reason::alarm_cleared
                                                  : reason::alarm_unknown;
    event& e = tell(event_kind::alarm, decision::change, why, out);
    e.target = t.target;
    e.from = !raised_before_.empty() && std::erase(raised_before_, t.watch) != 0 ? alarm_state::alarm : t.from;
    e.to = t.to;
    e.watch = t.watch;
    e.value = t.value;
    const bool news = e.from != t.to && (e.from == alarm_state::alarm || t.to == alarm_state::alarm);
    const std::size_t written = out.records.size();
    health_changed(t.target, why, out);
    if (!news) return;
    record& r = out.records.size() != written ? out.records.back() : write(record_kind::alarm, t.target, out);
    r.to = t.to;
    // Counted from the oldest: the list begins with the newest.
    std::uint32_t at = target.first_watch;
    if (links_[at].next == 0) return;
    while (links_[at].watch != t.watch) at = links_[at].next;
    while ((at = links_[at].next) != 0) ++r.attempt;
}

/// Counts which machines are heard: by how many alarms that silence raises, on them and their services.
inline void engine::note_beat(const transition& t) {
    if (t.reminder() || !watches_.hears_silence(t.watch)) return;
    const target_id machine = machine_of(t.target);
    if (machine == no_target) return;
    target_record& m = targets_[machine];
    if (t.to == alarm_state::ok && ++m.beats == 1) return silence_.beats(machine);
    if (t.from != alarm_state::ok || --m.beats != 0) return;
    // What our own action silences is no news, and what nobody can tell is no silence.
    if (t.to != alarm_state::alarm || targets_.busy(machine)) return silence_.forget(machine);
    silence_.falls_silent(machine, sets_.of(m.member_of).domain(), now_);
}

/// Doubts the observer first: silence that is too wide may be our own.
inline void engine::watch_silence(outputs& out) {
    silence_.look(now_);
    const std::size_t lost = silence_.wide() ? silence_.lost() : 0;
    const bool wider = lost >= told_lost_ + options_.bounds.silence.targets;
    if (silence_.wide() && !doubting_ && wider) {
        doubting_ = look_again_ = true;
        doubt_paged_ = unanswered_ = false;
        doubt_since_ = next_probe_ = now_;
        tell(event_kind::controller, decision::wait, reason::silence_is_ours, out);
    }
    told_lost_ = doubting_ || lost < told_lost_ ? lost : told_lost_;
    if (!doubting_) return;
    if (now_ >= next_probe_) {
        next_probe_ = after(now_, options_.read_back_every);
        // The last one that was lost goes on being asked for, when its loss is history or it has returned: only an
        // answer ends the doubt.
        if (const target_id last = silence_.newest_lost(); last != no_target) doubted_about_ = last;
        ask_machine(doubted_about_, out);
    }
    if (!doubt_paged_ && now_ >= after(doubt_since_, options_.page_after)) {
        doubt_paged_ = true;
        tell(event_kind::page, decision::page, reason::silence_is_ours, out);
    }
}

/// The driver answers, so it is not the observer who is cut off.
inline void engine::end_doubt(outputs& out) {
    if (!std::exchange(doubting_, false)) return;
    look_again_ = true;
    deaths_.doubt(now_);
    // Who was cut off has heard nobody: what is silent has its time to be heard again before it counts.
    if (std::exchange(unanswered_, false)) listen_until_ = after(now_, 2 * options_.bounds.silence.within);
    tell(event_kind::controller, decision::release, reason::silence_is_ours, out);
}

/// Asks the cloud whether a machine runs. It changes nothing, so it needs no intent.
inline void engine::ask_machine(target_id machine, outputs& out) {
    constexpr std::size_t most_probes = 16;
    if (options_.shadow) return end_doubt(out);
    if (machine == no_target || probes_.size() >= most_probes || call_at() > now_) return;
    if (!leads_for(options_.read_back_every)) return;
    std::erase_if(asked_, [this](const probe& p) { return now_ >= p.by; });
    for (const probe& p : asked_) {
        if (p.machine == machine) return;
    }
    const auto id = static_cast<op_id>(++last_op_);
    probes_.push_back({id, machine, after(now_, options_.read_back_every)});
    asked_.push_back(probes_.back());
    out.calls.push_back(make_call({.subject = machine}, id, operation::describe, probes_.back().by));
    calls_made_.spend(now_, options_.bounds.api.within);
}

inline void engine::watch_orders(outputs& out) {
    const bool ended = orders_.expire(now_, [&](const standing_order& o) {
        tell(event_kind::operator_word, decision::release, reason::expired, out).target = o.target;
    });
    look_again_ = look_again_ || ended;
}

inline void engine::watch_breakers(outputs& out) {
    sets_.take_changed([&](set_id id) {
        instance_set& s = sets_[id];
        const bool too_many = too_many_unhealthy(options_.bounds.breaker, s.of, s.size(), s.failed());
        if (too_many) s.calm_since = never;
        else if (s.open && s.calm_since == never) s.calm_since = now_;
        if (!too_many || s.open) return;
        s.open = true;
        s.paged = false;
        s.opened_at = now_;
        open_breakers_.push_back(id);
        event& e = tell(event_kind::controller, decision::open, opened(s), out);
        e.set = id;
        e.value = static_cast<double>(s.failed());
    });
    set_id widest = no_set;
    bool again = false;
    std::erase_if(open_breakers_, [&](set_id id) {
        instance_set& s = sets_[id];
        if (now_ >= after(s.calm_since, options_.bounds.breaker.cooldown)) {
            s.open = false;
            s.calm_since = never;
            look_again_ = true;
            tell(event_kind::controller, decision::release, reason::breaker_closed, out).set = id;
            again = again || id == paged_breaker_;
            return true;
        }
        if (s.paged || now_ < after(s.opened_at, options_.page_after)) return false;
        if (doubting_ || now_ < listen_until_) {
            s.opened_at = now_; // what it counts may be our own silence, which is paged by itself
            return false;
        }
        s.paged = true;
        if (widest == no_set || sets_[widest].failed() < s.failed()) widest = id;
        return false;
    });
    // One cause opens the breakers of many sets; a human hears of the widest. What outlasts that one has another cause.
    for (std::size_t n = 0; again && n < open_breakers_.size(); ++n) {
        sets_[open_breakers_[n]].paged = false;
        sets_[open_breakers_[n]].opened_at = now_;
    }
    if (widest == no_set) return;
    paged_breaker_ = widest;
    event& e = tell(event_kind::page, decision::page, opened(sets_[widest]), out);
    e.set = widest;
    e.value = static_cast<double>(sets_[widest].failed());
}

inline health engine::says(target_id target, vantage v) const noexcept {
    const target_record& t = targets_[target];
    const health told =
        t.words == 0 ? health::unknown
                     : targets_.words(target).of[static_cast<std::size_t>(v)].says(now_, evidence_of(target).max_age);
    if (v != vantage::guest_heartbeat) return told;
    const health heard = t.heard();
    return heard == health::unhealthy || told == health::unknown ? heard : told;
}

inline vantage_set engine::calling(target_id target, health what) const noexcept {
    vantage_set all{};
    if (targets_[target].words == 0) {
        // Only its alarms have ever spoken.
        if (what == health::unknown) all = all_vantages - (all | vantage::guest_heartbeat);
        return targets_[target].heard() == what ? all | vantage::guest_heartbeat : all;
    }
    for (std::size_t v = 0; v < vantage_count; ++v) {
        if (says(target, static_cast<vantage>(v)) == what) all = all | static_cast<vantage>(v);
    }
    return all;
}

inline health engine::health_of(target_id target) const noexcept {
    if (!targets_.has(target)) return health::unknown;
    if (targets_[target].words == 0) return targets_[target].heard();
    if (calling(target, health::unhealthy) != vantage_set::none) return health::unhealthy;
    return calling(target, health::healthy) != vantage_set::none ? health::healthy : health::unknown;
}

inline void engine::take(const observation& o, outputs& out) {
    if (!targets_.has(o.target) || static_cast<std::size_t>(o.from) >= vantage_count) return;
    if (o.from == vantage::neighbour &&
        !independent(
            sets_of(machine_of(o.witness < no_target && targets_.has(o.witness) ? o.witness : no_target)).place(),
            sets_of(machine_of(o.target)).place())) {
        event& e = tell(event_kind::alarm, decision::ignore, reason::neighbour_not_independent, out);
        e.target = o.target;
        e.subject = o.witness;
        return;
    }
    const health before = health_of(o.target);
    testimony& word = targets_.note_words(o.target).of[static_cast<std::size_t>(o.from)];
    const time_point at = o.at < now_ ? o.at : now_;
    if (o.polled) word.poll(o.seen, at, evidence_of(o.target));
    else word.state(o.seen, at);
    look_again_ = true;
    if (health_of(o.target) == before) return health_changed(o.target, reason::none, out);
    const reason why = o.seen == health::healthy     ? reason::observed_healthy
                       : o.seen == health::unhealthy ? reason::observed_unhealthy
                                                     : reason::alarm_unknown;
    tell(event_kind::alarm, decision::change, why, out).target = o.target;
    health_changed(o.target, why, out);
}

inline void engine::health_changed(target_id target, reason why, outputs& out) {
    look_again_ = true;
    const vantage_set against = calling(target, health::unhealthy);
    if (against == vantage_set::none) return;
    if (incident* i = find_incident(targets_[target].incident); i != nullptr) i->accusers = i->accusers | against;
    else open(target, why, out);
}

inline void engine::take(const ordered& o, outputs& out) {
    const bool possible = targets_.has(o.instance) && targets_[o.instance].of == level::instance;
    // What exists, is heard, or is being recovered is not made a second time.
    const bool known = possible && (made(o.instance) || targets_[o.instance].incident != no_incident);
    // Nor is what may have been made by an order before: the cloud is asked, or an operator says.
    const bool unsure = possible && !known && targets_[o.instance].unsure;
    const bool leads = leads_for(options_.create_timeout);
    const bool free = possible && !known && !unsure && leads && !targets_.busy(o.instance);
    const reason held = leads || known ? reason::busy : unled();
    const reason why = unsure ? reason::outcome_unknown : possible && !free ? held : reason::requested;
    tell(event_kind::operation_order, free ? decision::act : decision::ignore, why, o.instance, out).rung =
        operation::create_instance;
    if (unsure) ask_machine(o.instance, out);
    if (!free) return;
    start(operation::create_instance, o.instance, nullptr, options_.create_timeout, options_.create_timeout, out);
}

inline void engine::take(const healed& h, outputs& out) {
    if (!targets_.has(h.target)) return;
    const std::span<const rung> rungs = rules(targets_[h.target].rules).rungs();
    std::size_t at = 0;
    while (at < rungs.size() && rungs[at].what != operation::guest_restarts) ++at;
    // A guest that has told of too many may tell of more: they say nothing new, and are not kept.
    const bool counts = at < rungs.size();
    const bool over = counts && guest_overspent(h.target, rungs[at]);
    if (counts && !over) {
        ledger_.spend(h.target, operation::guest_restarts, now_);
        write(record_kind::guest_restart, h.target, out);
    }
    look_again_ = true;
    tell(event_kind::alarm, decision::change, reason::guest_restarted, out).target = h.target;
    if (incident* i = find_incident(targets_[h.target].incident); i != nullptr) {
        if (!over) i->healed_at = now_;
        return;
    }
    // Too many of them are a failure by themselves, whatever the alarms say.
    if (counts && at == 0 && guest_overspent(h.target, rungs.front())) {
        targets_.note_words(h.target).of[static_cast<std::size_t>(vantage::guest_heartbeat)].pass(health::unhealthy,
                                                                                                  now_);
        health_changed(h.target, reason::guest_restarted, out);
    }
}

inline void engine::take(const host_word& h, outputs& out) {
    const set_id host = sets_.find(set_kind::host, h.host);
    const bool changes = host != no_set && sets_[host].dead != h.dead;
    event& e = tell(event_kind::controller, changes ? decision::accept : decision::ignore,
                    h.dead ? reason::died : reason::returned, out);
    e.set = host;
    if (!changes) return;
    sets_[host].proof = h.by;
    sets_[host].died_at = now_;
    sets_.set_dead(host, h.dead);
    look_again_ = true;
    record& r = write(record_kind::death, no_target, out);
    r.name = h.host;
    r.why = h.dead ? reason::died : reason::returned;
    r.proof = h.by;
}

inline void engine::take(const lease& l, outputs&) {
    if (!targets_.has(l.target) || targets_[l.target].of != level::instance) return;
    deaths_.renew(l);
    look_again_ = true;
}

/// A copy that was proved dead runs: either the proof was false, or it was started again since.
inline void engine::take(const sighting& s, outputs& out) {
    if (!targets_.has(s.target)) return;
    grave* of = nullptr;
    bool replaced = false;
    for (grave& g : graves_) {
        replaced = replaced || g.target == s.target;
        const bool known_by_id = !g.moved && !g.cloud_id.empty() && g.cloud_id != targets_.cloud_id(g.target);
        const bool same_id = s.cloud_id == g.cloud_id;
        const bool there = !s.host.empty() && s.host == g.host;
        const bool left = there && s.host != targets_.host(g.target);
        const bool same_copy = known_by_id ? same_id : left && (same_id || s.cloud_id.empty() || g.cloud_id.empty());
        const bool never_off = there && same_id && s.running_since != time_point{} && s.running_since <= g.died_at;
        if (g.target == s.target && (same_copy || never_off)) of = &g;
    }
    const std::optional<grave> held = of == nullptr ? withdraw_proof(s, out) : std::nullopt;
    if (of == nullptr && !held) {
        const std::string_view known = targets_.cloud_id(s.target);
        if (s.cloud_id.empty() || s.cloud_id == known) return;
        // Whether it is the new copy or the one that was replaced, the cloud knows.
        if (known.empty()) return replaced ? ask_machine(s.target, out) : void();
        return meet_stranger(s, out);
    }
    const grave& g = held ? *held : *of;
    if (s.running_since <= g.died_at) {
        if (std::exchange(trust_broken_, true)) return;
        tell(event_kind::page, decision::page, reason::trust_broken, s.target, out).incident = g.incident;
        write(record_kind::trust, s.target, out).why = reason::trust_broken;
        return;
    }
    const bool news = held || is_news(of->seen_at);
    if (news) tell(event_kind::incident, decision::change, reason::returned, s.target, out).incident = g.incident;
    if (!held) reconcile(s, g.cloud_id, news, out);
}

inline void engine::take(const capacity& c, outputs& out) {
    const set_id zone = sets_.find(set_kind::zone, c.zone);
    if (zone == no_set && !c.zone.empty()) return;
    room_of(zone) = c.room;
    // It counts the calls that are under way; what was not called yet takes its room anew.
    for (pending_operation& op : operations_) {
        std::erase(op.room_in, zone);
        const incident* const i =
            op.at == pending_operation::stage::journaled ? find_incident(op.for_incident) : nullptr;
        if (i == nullptr || !needs_proof(op.what)) continue;
        for (const death_wanted& d : i->deaths) {
            if (zone == no_set || sets_of(d.target).zone == zone) take_room(op, zone);
        }
    }
    look_again_ = true;
    tell(event_kind::controller, decision::change, reason::capacity_told, out).value = static_cast<double>(c.room);
}

inline void engine::take(const new_policy& p, outputs& out) {
    const auto which = static_cast<std::size_t>(p.which);
    if (which >= policies_.size() || policies_.size() > 0xffffU)
        return void(tell(event_kind::controller, decision::ignore, reason::policy_changed, out));
    const policy_id old = policies_[which].newest;
    const auto made = static_cast<policy_id>(policies_.size());
    policies_.push_back({p.to, made});
    for (policy_version& v : policies_) {
        if (v.newest == old) v.newest = made;
    }
    for (std::size_t n = 0; n < targets_.size(); ++n) {
        target_record& t = targets_[static_cast<target_id>(n)];
        if (t.rules == old) t.rules = made;
    }
    look_again_ = true;
    tell(event_kind::controller, decision::change, reason::policy_changed, out);
    write(record_kind::policy, no_target, out).why = reason::policy_changed;
}

inline void engine::take(const new_leader& l, outputs& out) {
    const bool taken = lost_ ? l.until == lead_until_ : l.reign >= options_.reign;
    if (taken) {
        options_.reign = l.reign;
        lead_until_ = l.until;
        held_until_ = after(now_, options_.bounds.start_hold);
        look_again_ = true;
    }
    event& e = tell(event_kind::controller, taken ? decision::change : decision::ignore,
                    lost_ ? reason::leadership_lost : reason::leader_changed, out);
    e.value = static_cast<double>(static_cast<std::uint64_t>(l.reign));
}

inline void engine::take(const overflow& o, outputs& out) {
    tell(event_kind::controller, decision::ignore, reason::inbox_overflow, out).value = static_cast<double>(o.lost);
    // What was lost may have been heartbeats.
    if (!options_.doubts.on) return;
    watches_.doubt(now_);
    deaths_.doubt(now_);
}

inline void engine::take(completed& c, outputs& out) {
    for (std::size_t n = 0; n < probes_.size(); ++n) {
        if (c.repeated || probes_[n].reading != c.op) continue;
        const target_id machine = probes_[n].machine;
        probes_.erase(probes_.begin() + static_cast<std::ptrdiff_t>(n));
        look_again_ = true;
        if (c.result.code == outcome_code::unknown) return void(unanswered_ = true);
        end_doubt(out);
        const observed& seen = c.result.seen;
        note_seen(machine, seen);
        if (!seen.exists.value_or(true) && (seen.vouched || !seen.running.value_or(true)))
            targets_[machine].unsure = false;
        if (!seen.running && !seen.exists) return;
        const bool runs = seen.exists.value_or(true) && seen.running.value_or(true);
        targets_.note_words(machine).machine.pass(runs ? health::healthy : health::unhealthy, now_);
        return;
    }
    pending_operation* op = c.repeated || c.op == no_op ? nullptr : find_operation(c.op);
    const bool read = op != nullptr && op->reading == c.op;
    const bool tells = op != nullptr && (!read || c.result.code == outcome_code::done); // not that it can not be read
    if (tells && !c.result.reason.empty()) detail::add_words(op->said, c.result.reason.substr(0, 1'000));
    if (read) return read_back(*op, c.result, out);
    if (op == nullptr || op->at != pending_operation::stage::called) {
        const reason why = c.repeated ? reason::repeated_completion : reason::late_completion;
        return void(tell(event_kind::call, decision::ignore, why, out).op = c.op);
    }
    if (op->cloud_id.empty()) note_seen(op->subject, c.result.seen);
    if (c.result.code >= outcome_code::unknown) return doubt_outcome(*op, reason::outcome_unknown, out);
    constexpr reason whys[]{reason::outcome_done, reason::outcome_failed, reason::outcome_refused};
    finish(*op, c.result.code, whys[static_cast<std::size_t>(c.result.code)], c.result.retry_after, out);
}

} // namespace reheat::inline REHEAT_ABI
