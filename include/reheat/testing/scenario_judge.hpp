// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>
#include <reheat/sim/mock_cloud.hpp>
#include <reheat/testing/scenario.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// Whether a scenario that has run came to what it expects, beside its log as a whole.

namespace reheat::inline REHEAT_ABI::testing::detail {

/// The target of a name as scenarios write it: an instance or a stack, or a service with its instance before a `/`.
[[nodiscard]] inline target_id find_target(const engine& e, std::string_view name) {
    if (name.find('/') != std::string_view::npos) return e.find(level::service, name);
    const target_id found = e.find(level::instance, name);
    return found != no_target ? found : e.find(level::stack, name);
}

class scenario_judge {
public:
    scenario_judge(const engine& of, const mock_cloud& cloud, std::span<const event> events,
                   std::span<const log_line> log, time_point start)
        : engine_{of}, cloud_{cloud}, events_{events}, log_{log}, start_{start} {}

    std::vector<failed_check> judge(const scenario& s) {
        for (const scenario_check& c : s.checks) std::visit([&](const auto& what) { look(what, c.line); }, c.what);
        return std::move(failed_);
    }

private:
    void fail(std::size_t line, std::string text) { failed_.push_back({line, std::move(text)}); }
    void look(const check::count& c, std::size_t line) {
        const auto n = static_cast<std::uint64_t>(
            std::count_if(log_.begin(), log_.end(), [&](const log_line& l) { return c.of.matches(l); }));
        if (c.is.holds(n)) return;
        std::string text = "expected " + to_text(c.is) + " of " + to_text(c.of) + ", got " + std::to_string(n);
        std::size_t shown = 0;
        for (const log_line& l : log_) {
            if (shown == 5 || !c.of.matches(l)) continue;
            text += "\n            " + to_text(l);
            ++shown;
        }
        fail(line, std::move(text));
    }
    void look(const check::some& c, std::size_t) {
        const std::size_t missing = first_missing(c.lines, log_);
        if (missing == c.lines.size()) return;
        std::string text = "expected (below the lines above it): " + to_text(c.lines[missing]) + "\n  got:";
        const std::size_t found = missing == 0 ? 0 : first_found_at(c, missing);
        for (std::size_t n = found; n < log_.size() && n < found + 8; ++n) text += "\n            " + to_text(log_[n]);
        fail(c.at[missing], std::move(text));
    }
    /// Where the line before the missing one was found.
    [[nodiscard]] std::size_t first_found_at(const check::some& c, std::size_t missing) const {
        std::size_t found = 0;
        for (std::size_t n = 0; n < log_.size(); ++n) {
            if (found < missing && c.lines[found].matches(log_[n]) && ++found == missing) return n;
        }
        return 0;
    }
    void look(const check::calls& c, std::size_t line) {
        std::uint64_t n = 0;
        for (const mock_call& made : cloud_.calls()) {
            n += made.what == c.of && glob_match(c.target, made.name) && glob_match(c.method, made.method) ? 1U : 0U;
        }
        if (!c.is.holds(n))
            fail(line, "expected " + to_text(c.is) + " calls of " + std::string{to_string(c.of)} + ", got " +
                           std::to_string(n));
    }
    void look(const check::end& c, std::size_t line) {
        for (const std::string& name : c.targets) {
            if (!ends(name, c.is)) return fail(line, name + " is not so in the end: " + end_of(name));
        }
    }
    void look(const check::end_count& c, std::size_t line) {
        std::uint64_t n = 0;
        for (const std::string& name : c.targets) n += ends(name, c.is) ? 1U : 0U;
        if (!c.how_many.holds(n))
            fail(line, "expected " + to_text(c.how_many) + " that are so in the end, got " + std::to_string(n));
    }
    /// Counted from the decisions: an action is under way from its first operation to its verdict.
    void look(const check::in_flight& c, std::size_t line) {
        const std::uint64_t most = most_in_flight(c.services);
        if (most > c.most)
            fail(line, "expected at most " + std::to_string(c.most) + " in flight, got " + std::to_string(most));
    }
    void look(const check::apart& c, std::size_t line) {
        std::optional<time_point> before;
        for (const auto& [at, began] : beginnings(false)) {
            if (!began) continue;
            if (before && at - *before < c.least)
                return fail(line, "expected at least " + format_duration(c.least) + " apart, got " +
                                      format_duration(at - *before) + " at " + format_duration(at - start_));
            before = at;
        }
    }

    /// When actions began (true) and ended, in order, told by the events of their incidents.
    [[nodiscard]] std::vector<std::pair<time_point, bool>> beginnings(bool services) const {
        std::vector<std::pair<time_point, bool>> turns;
        std::vector<bool> under_way;
        for (const event& e : events_) {
            if (e.incident == no_incident || e.kind == event_kind::page || e.kind == event_kind::alarm) continue;
            const auto n = static_cast<std::size_t>(e.incident);
            if (under_way.size() <= n) under_way.resize(n + 1);
            const bool is_service = level_of(e.rung) == level::service;
            if (e.what == decision::act) {
                if (!under_way[n] && is_service == services) {
                    under_way[n] = true;
                    turns.emplace_back(e.at, true);
                }
                continue;
            }
            const bool over = e.what == decision::give_up || e.what == decision::recover || e.what == decision::park ||
                              e.what == decision::drop || e.what == decision::climb || e.what == decision::wait;
            if (over && under_way[n]) {
                under_way[n] = false;
                turns.emplace_back(e.at, false);
            }
        }
        return turns;
    }
    [[nodiscard]] std::uint64_t most_in_flight(bool services) const {
        std::uint64_t flying = 0;
        std::uint64_t most = 0;
        for (const auto& turn : beginnings(services)) {
            flying = turn.second ? flying + 1 : flying - 1;
            most = (std::max)(most, flying);
        }
        return most;
    }

    [[nodiscard]] const incident* incident_of(const std::string& name) {
        return engine_.incident_of(find_target(engine_, name));
    }
    /// Healthy is what the world says, and the engine too.
    [[nodiscard]] bool ends(const std::string& name, check::end::state is) {
        using state = check::end::state;
        const incident* i = incident_of(name);
        switch (is) {
        case state::healthy: return i == nullptr && serves(name);
        case state::closed: return i == nullptr;
        case state::open: return i != nullptr;
        case state::waiting: return i != nullptr && i->at == phase::deciding;
        case state::parked: return i != nullptr && i->at == phase::parked;
        }
        return false;
    }
    [[nodiscard]] bool serves(const std::string& name) const {
        const std::size_t slash = name.find('/');
        const mock_machine* m = cloud_.find(std::string_view{name}.substr(0, slash));
        if (m == nullptr || !m->works()) return m == nullptr; // a stack is as well as its instances
        if (slash == std::string::npos) return true;
        for (std::size_t s = 0; s < m->service_up.size(); ++s) {
            if (m->how.services[s] == name.substr(slash + 1)) return m->service_up[s];
        }
        return false;
    }
    [[nodiscard]] std::string end_of(const std::string& name) {
        const incident* i = incident_of(name);
        return std::string{i == nullptr ? "no incident" : to_string(i->at)} +
               (serves(name) ? ", works" : ", does not work");
    }

    const engine& engine_;
    const mock_cloud& cloud_;
    std::span<const event> events_;
    std::span<const log_line> log_;
    time_point start_;
    std::vector<failed_check> failed_;
};

} // namespace reheat::inline REHEAT_ABI::testing::detail
