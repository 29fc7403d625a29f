// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/run_schedule.hpp>

// What a run counts and checks: definitions of members of `sim::schedule_run`.

namespace reheat::inline REHEAT_ABI::sim {

/// Whether a fault reaches what an incident is about.
inline bool schedule_run::meets(const planned_fault& f, world_place at) const {
    const ground_truth& truth = world_.truth();
    const fault_scope how_far = scope_of(f.kind);
    if (how_far == fault_scope::everything) return true;
    if (at.is == world_place::kind::nothing) return false;
    const machine_state& hit = truth.machine(f.machine);
    if (at.is == world_place::kind::stack) return hit.how.stack == at.machine;
    const machine_state& m = truth.machine(at.machine);
    const std::uint32_t host = hit.now.host;
    switch (how_far) {
    case fault_scope::process:
    case fault_scope::machine: return at.machine == f.machine;
    case fault_scope::stack: return m.how.stack == hit.how.stack;
    case fault_scope::host: return m.now.host == host;
    case fault_scope::rack: return truth.plan().rack_of(m.now.host) == truth.plan().rack_of(host);
    case fault_scope::zone: return truth.plan().zone_of(m.now.host) == truth.plan().zone_of(host);
    default: return true;
    }
}

inline void schedule_run::count_hits(const planned_fault& f) {
    result_.hits.began(f.kind);
    if (!ha().running()) return;
    for (const incident& i : ha().state().incidents()) {
        if (meets(f, world_.place_of(i.target))) result_.hits.hit(f.kind, rung_of(i), i.at);
    }
}

inline void schedule_run::ask_monitor() {
    monitor_at_ = never;
    // In the middle of a step what was decided is not told yet.
    if (ha().leads() && !ha().stalled() && !ha().is_working()) {
        const time_point now = ha().state().now();
        const time_point again = watch_->poll(now);
        monitor_at_ =
            again == never ? never : after(time_.now, (std::max)(again - now, duration{std::chrono::seconds{1}}));
    }
    if (watch_->violations().empty()) return;
    const violation& first = watch_->violations().first().front();
    found(std::string{to_string(first.which)}, ha().running() ? to_text(first, ha().state()) : first.what);
}

inline void schedule_run::count_calls() {
    for (const seen_call& c : world_.calls()) result_.actions += c.what == operation::describe ? 0U : 1U;
    world_.calls().clear();
    if (world_.late_calls() != 0) found("late_call", "a controller began a call while another one led");
    if (world_.truth().violations().empty()) return;
    for (const world_violation& v : world_.truth().violations()) {
        const bool by_lie = s_.false_proofs != 0 && v.what != world_violation::kind::call_not_intended;
        if (by_lie) result_.copies_by_false_proofs += v.what == world_violation::kind::second_copy ? 1U : 0U;
        else found(std::string{to_string(v.what)}, name_of_machine(v.machine));
    }
    world_.truth().forget_violations();
}

/// The cloud is asked for the status of each machine, as an integrator's poller does. That one runs says little; that
/// it does not, much.
inline void schedule_run::ask_status() {
    if (time_.now < next_poll_) return;
    next_poll_ = after(time_.now, std::chrono::seconds{60});
    const api_weather& w = world_.weather();
    const bool silent = w.on(fault_kind::controller_cut_off) || w.on(fault_kind::answers_lost) ||
                        w.on(fault_kind::api_fails) || w.on(fault_kind::api_throttles);
    if (silent || !ha().leads() || ha().stalled()) return;
    said_unwell_.resize(world_.truth().machines().size());
    bool told = false;
    for (std::uint32_t n = 0; n < world_.truth().machines().size(); ++n) {
        const machine_state& m = world_.truth().machine(n);
        const bool lie = w.on(fault_kind::api_lies) && chance_.one_in(2);
        const bool runs = m.now.has_power() != lie;
        if (runs && !said_unwell_[n]) continue;
        const time_point at = ha().ha().time().now();
        ha().ha().observe(
            {m.target, vantage::driver_status, runs ? health::healthy : health::unhealthy, at, true, no_target});
        said_unwell_[n] = !runs;
        told = true;
    }
    if (told) ha().wake();
}

/// Parked with a page, or covered by something that is.
inline bool schedule_run::is_in_human_hands(const incident& i) const {
    if (marked(given_up_, i.target) || (i.at == phase::parked && marked(paged_, i.target))) return true;
    if (i.at != phase::absorbed) return false;
    for (const incident& by : ha().state().incidents()) {
        if (by.id == i.absorbed_by) return by.at != phase::absorbed && is_in_human_hands(by);
    }
    return false;
}

/// Whether all works and nothing is open, or what does not is parked and a human knows.
inline bool schedule_run::is_settled() const {
    if (!ha().leads() || ha().stalled() || !ha().pages_are_told() || !receiver_.idle()) return false;
    const engine& e = ha().state();
    for (const incident& i : e.incidents()) {
        if (!is_in_human_hands(i)) return false;
    }
    if (e.trust_broken()) return true;
    for (std::uint32_t n = 0; n < world_.truth().machines().size(); ++n) {
        const machine_state& m = world_.truth().machine(n);
        const bool works = world_.truth().works(n);
        if (!m.older.empty()) return false;
        if (!works && e.incident_of(m.target) == nullptr) return false;
        for (std::size_t p = 0; p < m.how.processes; ++p) {
            if ((!works || (m.up >> p & 1U) == 0) && e.incident_of(m.process[p]) == nullptr) return false;
        }
    }
    return true;
}

inline bool schedule_run::is_over() {
    if (!result_.violations.empty()) return true;
    if (time_.now < next_look_) return false;
    next_look_ = time_.now < storm_over_ ? storm_over_ : after(time_.now, std::chrono::minutes{10});
    if (time_.now < after(storm_over_, std::chrono::minutes{20})) return false;
    return time_.now >= calm_over_ || is_settled();
}

inline void schedule_run::judge(target_id target, bool works, const std::string& name) {
    const incident* i = ha().state().incident_of(target);
    if (i == nullptr) {
        if (!works) found("unnoticed", name + " does not work, and no incident is open");
        return;
    }
    result_.parked += i->at == phase::parked ? 1U : 0U;
    if (is_in_human_hands(*i)) return;
    const bool known = marked(paged_, target);
    std::string text = name + (works ? " works" : " does not work") + ", and stands " + std::string{to_string(i->at)} +
                       " at " + std::string{to_string(rung_of(*i))} + (known ? ", paged" : ", not paged");
    for (std::size_t g = 0; i->denied != 0 && g < guard_count; ++g) {
        if ((i->denied >> g & 1U) != 0) text += ", denied by " + std::string{to_string(static_cast<guard>(g))};
    }
    found(works ? "left_open" : "not_settled", std::move(text));
}

inline void schedule_run::finish() {
    result_.virtual_time = time_.now - start_;
    result_.calls = world_.calls_made();
    result_.stale_calls = world_.stale_calls();
    if (s_.twins && result_.violations.empty() && !ha().leads()) found("leaderless", "no controller leads in the end");
    if (!ha().running() || !result_.violations.empty() || ha().state().trust_broken()) return;
    for (std::uint32_t n = 0; n < world_.truth().machines().size(); ++n) {
        const machine_state& m = world_.truth().machine(n);
        const bool works = world_.truth().works(n);
        judge(m.target, works, name_of_machine(n));
        for (std::uint8_t p = 0; p < m.how.processes; ++p)
            judge(m.process[p], works && (m.up >> p & 1U) != 0, name_of_machine(n) + "/" + name_of_process(p));
        if (s_.false_proofs == 0 && !m.older.empty())
            found("returned_left", name_of_machine(n) + " came back, and runs beside its replacement in the end");
        if (works && m.detached != 0) found("volume_left", name_of_machine(n) + " runs without its volumes");
        watch_->works(m.target, works, told_->at());
        for (std::uint8_t p = 0; p < m.how.processes; ++p)
            watch_->works(m.process[p], works && (m.up >> p & 1U) != 0, told_->at());
    }
    watch_->finish(ha().state().now());
    ask_monitor();
}

} // namespace reheat::inline REHEAT_ABI::sim
