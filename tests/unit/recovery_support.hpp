// SPDX-License-Identifier: MIT
#pragma once

#include "support.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>

// What the tests of evidence, guards and proofs share.

namespace support {

/// What a guard says now to the rung that a target's incident stands on.
inline rh::guard_answer answer_of(const bench& b, rh::target_id target, rh::guard g) {
    const rh::incident* i = b.e.incident_of(target);
    return i == nullptr ? rh::guard_answer{} : b.e.answers_for(*i).of(g);
}
/// The guards that deny now, as a set of bits.
inline std::uint32_t denied(const bench& b, rh::target_id target) {
    const rh::incident* i = b.e.incident_of(target);
    return i == nullptr ? 0 : b.e.answers_for(*i).denied();
}
inline rh::phase phase_of(const bench& b, rh::target_id target) {
    const rh::incident* i = b.e.incident_of(target);
    return i == nullptr ? rh::phase::closed : i->at;
}
/// How many calls of that kind were made for a target.
inline std::size_t calls_for(const bench& b, rh::target_id target, rh::operation what) {
    return static_cast<std::size_t>(std::count_if(b.calls.begin(), b.calls.end(), [&](const rh::call& c) {
        return c.what.target == target && c.what.what == what;
    }));
}
/// The newest call of that kind for a target.
inline const rh::call* newest_call(const bench& b, rh::target_id target, rh::operation what) {
    for (auto c = b.calls.rbegin(); c != b.calls.rend(); ++c) {
        if (c->what.target == target && c->what.what == what) return &*c;
    }
    return nullptr;
}
/// Answers the newest call of that kind for a target; false if there is none.
inline bool answer_to(bench& b, rh::target_id target, rh::operation what, rh::outcome o) {
    const rh::call* c = newest_call(b, target, what);
    if (c == nullptr) return false;
    b.e.complete(c->what.op, b.now, std::move(o));
    b.step();
    return true;
}
inline std::size_t records_of(const bench& b, rh::record_kind kind) {
    return static_cast<std::size_t>(
        std::count_if(b.records.begin(), b.records.end(), [&](const rh::record& r) { return r.kind == kind; }));
}

/// Steps as a runner does: only as long as the engine says that something is due. `bench::step` looks once more.
inline void step_as_asked(bench& b) {
    for (int rounds = 0; rounds < 1000 && b.e.next() <= b.now; ++rounds) {
        rh::outputs out;
        b.e.step(b.now, out);
        for (rh::record& r : out.records) b.records.push_back(std::move(r));
        for (rh::call& c : out.calls) b.calls.push_back(std::move(c));
        for (const rh::event& v : out.events) b.events.push_back(v);
        if (!b.slow && !b.records.empty()) b.e.durable(b.records.back().seq);
    }
}

/// Several machines, each watched by a heartbeat alarm of a minute from the first `minute()` on.
struct machines : bench {
    machines(const rh::policy& rules, std::initializer_list<rh::instance> what, rh::engine_options options = at_once())
        : machines{rules, std::vector<rh::instance>{what}, options} {}
    machines(const rh::policy& rules, const std::vector<rh::instance>& what, rh::engine_options options = at_once())
        : bench{rules, options} {
        for (const rh::instance& i : what) vm.push_back(*e.add(i));
        step();
    }
    /// A minute in which all but some are heard. False if the engine does not move on.
    bool minute(std::initializer_list<std::size_t> silent = {}) {
        while (alarms.size() < vm.size()) {
            const rh::heartbeat_alarm alarm{.period = std::chrono::seconds{60}};
            alarms.push_back(*e.watch(vm[alarms.size()], alarm.rule(), now));
        }
        for (std::size_t n = 0; n < vm.size(); ++n) {
            if (std::find(silent.begin(), silent.end(), n) == silent.end()) e.push(alarms[n], now, rh::heartbeat);
        }
        return run_for(std::chrono::seconds{60});
    }
    void fail(std::size_t n) {
        sees(vm[n], rh::health::unhealthy);
        step();
    }
    void heal(std::size_t n) {
        sees(vm[n], rh::health::healthy);
        step();
    }

    std::vector<rh::target_id> vm;
    std::vector<rh::watch_id> alarms;
};

/// So many machines with numbers as names.
inline std::vector<rh::instance> numbered(std::size_t many, rh::instance like = {}) {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (int n = 0; n < 1000; ++n) all.push_back("vm-" + std::to_string(n));
        return all;
    }();
    std::vector<rh::instance> all(many, like);
    for (std::size_t n = 0; n < many; ++n) all[n].name = names[n];
    return all;
}

} // namespace support
