// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/scenario_runner.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::testing {

/// What came of the controller's end at every point of a scenario.
struct crash_report {
    std::size_t points = 0;            ///< that there are, and that were tried
    std::vector<std::string> problems; ///< `point N: what`
};

namespace detail {

/// Looks at a world whose controller ended once, long after its scenario.
class crash_judge {
public:
    crash_judge(scenario_world<mock_cloud>& world, const scenario& s) : world_{world}, script_{s} {}

    /// What is wrong; empty if nothing is. `serving`: the machines that serve without a crash.
    [[nodiscard]] std::string judge(const std::set<std::string>& serving) {
        if (world_.cloud.second_copies() != 0) return "I1: a second copy was started";
        if (std::string wrong = look_at_calls(); !wrong.empty()) return wrong;
        if (std::string wrong = look_at_budgets(); !wrong.empty()) return wrong;
        return look_at_end(serving);
    }

    [[nodiscard]] std::set<std::string> serving() const {
        std::set<std::string> names;
        for (const mock_machine& m : world_.cloud.machines()) {
            if (m.serves()) names.insert(m.name);
        }
        return names;
    }

private:
    /// I7: each call has a record of its own that is safe, and none is made twice.
    [[nodiscard]] std::string look_at_calls() const {
        std::set<std::uint64_t> intents;
        for (const record& r : world_.ha().log().records()) {
            if (r.kind == record_kind::intent) intents.insert(r.key);
        }
        std::map<std::uint64_t, std::string> made;
        for (const mock_call& c : world_.cloud.calls()) {
            if (c.what == operation::describe) continue;
            const std::string what = std::string{to_string(c.what)} + " of " + c.name;
            if (!intents.contains(c.key)) return "I7: " + what + " was called without an intent";
            if (!made.emplace(c.key, what).second) return "I7: " + what + " was called twice";
        }
        return {};
    }

    /// I5: of each operation on each target no more intents were acted upon in any window than the policy has.
    [[nodiscard]] std::string look_at_budgets() const {
        std::set<op_id> dropped;
        std::map<std::pair<target_id, operation>, std::vector<time_point>> spent;
        for (const record& r : world_.ha().log().records()) {
            if (r.kind == record_kind::dropped) dropped.insert(r.op);
        }
        std::set<op_id> known; // an intent may be written again around a failure of the journal
        for (const record& r : world_.ha().log().records()) {
            if (r.kind != record_kind::intent || dropped.contains(r.op) || !known.insert(r.op).second) continue;
            spent[{r.target, r.what}].push_back(r.at);
        }
        const bool changed = std::any_of(script_.events.begin(), script_.events.end(), [](const timed_event& e) {
            return std::holds_alternative<happening::policy_change>(e.what);
        });
        if (changed) return {};
        for (const auto& [of, at] : spent) {
            budget most{0, duration::zero()};
            std::size_t rungs = 0;
            for (const scenario_ladder& l : script_.ladders) {
                for (const rung& r : l.rules.rungs()) {
                    if (r.what != of.second) continue;
                    ++rungs;
                    most = r.sustained;
                    if (over(at, r.burst) && rungs == 1) most = r.burst;
                }
            }
            if (rungs == 1 && over(at, most))
                return "I5: " + std::string{to_string(of.second)} + " of " +
                       std::string{world_.ha().state().name(of.first)} + " more often than its budget has";
        }
        return {};
    }
    [[nodiscard]] static bool over(const std::vector<time_point>& at, const budget& b) {
        for (std::size_t n = b.count; n < at.size(); ++n) {
            if (at[n] - at[n - b.count] < b.within) return true;
        }
        return false;
    }

    /// I10: whoever would serve without the crash serves, or a human was called; and nothing hangs half way.
    [[nodiscard]] std::string look_at_end(const std::set<std::string>& serving) const {
        const engine& state = world_.ha().state();
        for (const incident& i : state.incidents()) {
            const bool waits = i.at == phase::deciding || i.at == phase::parked || i.at == phase::absorbed;
            time_point last = i.opened_at;
            for (const event& e : world_.events()) {
                if (e.incident == i.id) last = later(last, e.at);
            }
            if (!waits && state.now() - last > std::chrono::hours{3})
                return "I10: " + std::string{state.name(i.target)} + " hangs in " + std::string{to_string(i.at)};
        }
        for (const std::string& name : serving) {
            const mock_machine* m = world_.cloud.find(name);
            // Of whose health the script speaks: it does not know what the crash changed.
            if (m->serves() || !m->how.heartbeats) continue;
            const target_id machine = state.find(level::instance, name);
            const bool paged = std::any_of(world_.events().begin(), world_.events().end(), [&](const event& e) {
                if (e.what != decision::page) return false;
                return e.target == no_target || state.targets().covers(machine, e.target) ||
                       state.targets().covers(e.target, machine);
            });
            if (!paged) return "I10: " + name + " does not serve, and nobody was called";
        }
        return {};
    }

    scenario_world<mock_cloud>& world_;
    const scenario& script_;
};

} // namespace detail

/// The decisions of a scenario whose controller ends at one point, line by line, for a person who looks into it.
[[nodiscard]] inline std::string log_of_crash(const scenario& s, std::size_t at) {
    crash_points points{at};
    detail::scenario_run<mock_cloud> run{s, &points};
    std::string text;
    const auto start = run.world().now();
    if (auto ready = run.set_up(); !ready) return to_string(ready.error());
    run.play();
    run.run_until(s.run + std::chrono::hours{6});
    const engine& state = run.world().ha().state();
    for (const event& e : run.world().events())
        text += to_text(log_line{e.at - start, std::string{state.name(e.target)}, e.rung, e.what, e.why}) + "\n";
    return text;
}

/// Plays a scenario once for each moment at which its controller can end - between two records of a write, before and
/// after a call, when an outcome comes - and lets it start again five seconds later with what is safe in its journal.
/// Of what the scenario expects nothing is asked, since times differ; that the invariants hold is. Of more moments than
/// `most` about as many are tried, at equal distances.
[[nodiscard]] inline crash_report try_crashes(const scenario& s, std::size_t most = SIZE_MAX) {
    constexpr duration aftermath = std::chrono::hours{6};
    std::size_t moments = 0; // of the scenario itself
    crash_report report;
    const auto play = [&](crash_points& points, const std::set<std::string>* serving, std::string& wrong) {
        detail::scenario_run<mock_cloud> run{s, &points};
        if (auto ready = run.set_up(); !ready) {
            wrong = to_string(ready.error());
            return std::set<std::string>{};
        }
        run.play();
        moments = points.seen();
        run.run_until(s.run + aftermath);
        detail::crash_judge judge{run.world(), s};
        wrong = run.problem();
        if (wrong.empty()) wrong = run.look_at_read_backs();
        if (wrong.empty() && serving != nullptr) wrong = judge.judge(*serving);
        return judge.serving();
    };
    std::string wrong;
    crash_points none;
    const std::set<std::string> serving = play(none, nullptr, wrong);
    if (!wrong.empty()) {
        report.problems.push_back(wrong);
        return report;
    }
    const std::size_t all = moments;
    const std::size_t every = most == 0 || all <= most ? 1 : all / most;
    for (std::size_t at = 0; at < all; at += every) {
        crash_points points{at};
        ++report.points;
        play(points, &serving, wrong);
        if (!wrong.empty()) report.problems.push_back("point " + std::to_string(at) + ": " + wrong);
    }
    return report;
}

} // namespace reheat::inline REHEAT_ABI::testing
