// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/invariant_monitor.hpp>
#include <reheat/sim/simulation.hpp>
#include <reheat/sim/watched.hpp>
#include <reheat/testing/scenario.hpp>
#include <reheat/testing/scenario_checks.hpp>
#include <reheat/testing/scenario_judge.hpp>
#include <reheat/testing/scenario_world.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace reheat::inline REHEAT_ABI::testing {

/// What a scenario came to.
struct scenario_result {
    std::vector<log_line> log;
    std::string problem;              ///< why it is no result at all; empty if it is one
    std::vector<failed_check> failed; ///< of the scenario's checks
};

namespace detail {

template <std::derived_from<mock_cloud> Cloud>
using scenario_world = simulation<watched_journal<scripted_journal>, scripted_clock, engine, watched_driver<Cloud>>;

/// Carries out one scenario.
template <std::derived_from<mock_cloud> Cloud>
class scenario_run {
public:
    static constexpr std::size_t most_events = 1'000'000;

    /// With `points` the controller ends at one of them, and starts again.
    explicit scenario_run(const scenario& s, crash_points* points = nullptr)
        : script_{s}, ladders_{lowered(s)}, world_{ladders_.front(), scripted_journal{points}, s.options},
          start_{world_.now()} {
        world_.cloud.be_watched(points);
        watch_.started(world_.ha().state(), world_.ha().time().now());
        world_.watch(watch_);
        world_.cloud.tell(watch_, world_.ha().time(), watch_answers::yes);
        world_.ha().log().tell(watch_);
    }

    scenario_result run() {
        scenario_result r;
        if (auto ready = set_up(); !ready) {
            r.problem = to_string(ready.error());
            return r;
        }
        play();
        for (const event& e : world_.events()) {
            if (is_logged(e)) r.log.push_back(line_of(e));
        }
        if (world_.events().size() > most_events) r.problem = "more than 1,000,000 events";
        if (world_.cloud.second_copies() != 0) r.problem = "a second copy of an instance was started";
        watch_.finish(now());
        if (r.problem.empty()) r.problem = broken_promise();
        r.failed = scenario_judge{world_.ha().state(), world_.cloud, world_.events(), r.log, start_}.judge(script_);
        return r;
    }

    /// Lets everything happen that the scenario says.
    void play() {
        for (const timed_event& e : script_.events) {
            run_until(e.at);
            unless_it_ends([&] { std::visit([this](const auto& what) { this->happen(what); }, e.what); });
        }
        run_until(script_.run);
    }
    result<void> set_up() { return begin(false); }
    void run_until(duration at) {
        unless_it_ends([&] { run_on_until(at); });
        run_on_until(at);
    }
    [[nodiscard]] scenario_world<Cloud>& world() noexcept { return world_; }
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
    /// I7: what had begun when the controller ended is asked for before anything else is done to its target.
    [[nodiscard]] std::string look_at_read_backs() {
        for (const auto& [op, target] : unfinished_) {
            const std::string_view name = world_.ha().state().name(target);
            for (const mock_call& c : world_.cloud.calls().subspan(calls_before_)) {
                if (c.name != name) continue;
                if (c.what == operation::describe) break;
                return "I7: " + std::string{to_string(c.what)} + " of " + c.name +
                       " was called, and what had begun there not read back";
            }
        }
        return {};
    }

    /// The first violation of an invariant that the scenario does not break on purpose; or one that it does, and did
    /// not.
    [[nodiscard]] std::string broken_promise() {
        const auto meant = [this](invariant which) {
            return std::find(script_.violates.begin(), script_.violates.end(), which) != script_.violates.end();
        };
        for (const violation& v : watch_.violations().first()) {
            if (!meant(v.which)) return "violates " + to_text(v, world_.ha().state());
        }
        for (const invariant which : script_.violates) {
            if (watch_.violations().count(which) == 0)
                return "it says that it violates " + std::string{to_string(which)} + ", and did not";
        }
        return {};
    }

private:
    /// The ladders with the names of their fence methods, which live in the scenario.
    static std::vector<policy> lowered(const scenario& s) {
        std::vector<policy> all;
        for (const scenario_ladder& l : s.ladders) {
            all.push_back(l.rules);
            for (std::size_t n = 0; n < l.fence_methods.size() && n < fence_rules::most_methods; ++n)
                all.back().fencing.methods[n] = l.fence_methods[n];
        }
        return all;
    }

    /// What the controller is told at its start, and the world before the first one.
    result<void> begin(bool again) {
        auto& ha = world_.ha();
        policies_.assign(1, policy_id{0});
        watches_.clear();
        for (std::size_t n = 1; n < ladders_.size(); ++n) {
            auto made = ha.add_policy(ladders_[n]);
            if (!made) return std::move(made).error();
            policies_.push_back(*made);
        }
        for (const scenario_instance& i : script_.instances) {
            if (auto ready = add(i, again); !ready) return ready;
        }
        for (const scenario_dependency& d : script_.dependencies) {
            if (auto made = ha.depend(find(d.dependent), find(d.on)); !made) return made;
        }
        for (const scenario_alarm& a : script_.alarms) {
            // Only what the pipeline watches is fed by the guests.
            auto watch = a.from_heartbeats ? ha.watch(find(a.target), a.rule)
                                           : ha.state().watch(find(a.target), a.rule, world_.now());
            if (!watch) return std::move(watch).error();
            watches_.push_back(*watch);
        }
        for (const timed_event& e : script_.events) {
            if (!std::holds_alternative<happening::guard_turn>(e.what)) continue;
            ha.add_guard(guard_); // once; a scenario without one is asked by none
            break;
        }
        return {};
    }

    result<void> add(const scenario_instance& i, bool again) {
        auto& ha = world_.ha();
        if (!again) world_.cloud.add(i.name, i.how);
        const std::string cloud_id = world_.cloud.find(i.name)->cloud_id(1);
        auto made = ha.add(instance{.name = i.name,
                                    .stack = i.how.stack,
                                    .host = i.how.host,
                                    .rack = i.how.rack,
                                    .zone = i.how.zone,
                                    .keep = i.keep,
                                    .cloud_id = cloud_id,
                                    .group = i.group,
                                    .priority = i.priority});
        if (auto ready = prepare(made, i, i.name); !ready) return ready;
        for (std::size_t n = 0; n < i.how.services.size(); ++n) {
            const std::string& s = i.how.services[n];
            const std::uint8_t priority = n < i.priorities.size() ? i.priorities[n] : std::uint8_t{0};
            auto process = ha.add(service{.name = s, .on = *made, .priority = priority});
            if (auto ready = prepare(process, i, i.name + "/" + s); !ready) return ready;
        }
        return {};
    }

    /// Policy and default alarm of a target.
    result<void> prepare(const result<target_id>& made, const scenario_instance& i, std::string_view name) {
        if (!made) return made.error();
        world_.ha().state().use_policy(*made, policies_[i.ladder]);
        const auto replaces = [name](const scenario_alarm& a) { return a.from_heartbeats && a.target == name; };
        if (!i.how.heartbeats || std::any_of(script_.alarms.begin(), script_.alarms.end(), replaces)) return {};
        auto watched = world_.ha().watch(*made, heartbeat_alarm{.period = i.how.heartbeat_every});
        if (!watched) return std::move(watched).error();
        return {};
    }

    template <class Do>
    void unless_it_ends(const Do& act) {
        try {
            act();
        } catch (const crash_points::controller_crash&) {
            // What was written in the moment of the end was told to nobody.
            for (const record& r : world_.ha().log().records()) watch_.recorded(r);
            watch_.durable(world_.ha().log().durable());
            watch_.crashed(now());
            auto up = world_.restart(std::chrono::seconds{5});
            watch_.started(world_.ha().state(), now());
            note_unfinished();
            if (up) up = begin(true);
            if (!up) problem_ = "it does not start again: " + to_string(up.error());
            told_again();
        }
    }
    /// Whose outcome the controller never wrote down; and how many calls there had been.
    void note_unfinished() {
        calls_before_ = world_.cloud.calls().size();
        for (const record& r : world_.ha().log().records()) {
            // What was to be kept is a help, not a need, and changes nothing.
            if (r.what == operation::collect_forensics) continue;
            if (r.kind == record_kind::intent) unfinished_.insert_or_assign(r.op, r.target);
            else if (r.kind == record_kind::outcome || r.kind == record_kind::dropped) unfinished_.erase(r.op);
        }
    }
    /// What those who look after a controller tell it again: what they see, who leads, which policies hold.
    void told_again() {
        for (const auto& [key, seen] : seen_) {
            world_.ha().observe({seen.target, seen.from, seen.seen, now(), seen.polled, seen.witness});
        }
        if (reign_) world_.ha().leads(*reign_);
        for (const happening::policy_change& p : changes_)
            static_cast<void>(world_.ha().change_policy(policies_[p.from], ladders_[p.to]));
    }

    /// In slices, so that a world gone mad ends early.
    void run_on_until(duration at) {
        const time_point end = after(start_, at);
        while (world_.now() < end && world_.events().size() <= most_events) {
            world_.run_until(earlier(end, after(world_.now(), std::chrono::minutes{1})));
        }
        if (world_.events().size() <= most_events) world_.run_until(end);
    }

    [[nodiscard]] target_id find(std::string_view name) { return find_target(world_.ha().state(), name); }
    [[nodiscard]] std::vector<target_id> find_all(const std::vector<std::string>& names) {
        std::vector<target_id> all;
        for (const std::string& n : names) all.push_back(find(n));
        return all;
    }
    [[nodiscard]] time_point now() { return world_.ha().time().now(); } ///< as the controller sees it

    void happen(const happening::breakage& h) { world_.cloud.break_at(world_.now(), h.instance, h.how, h.service); }
    void happen(const happening::silence& h) { world_.silence(find(h.target), h.on); }
    void happen(const happening::place_turn& h) {
        using turn = happening::place_turn::turn;
        switch (h.to) {
        case turn::dies:
        case turn::loses_power: return world_.cloud.fail_hosts(h.where, h.name, h.to == turn::loses_power);
        case turn::silent: return world_.cloud.hosts().silence(h.where, h.name, true);
        case turn::partitioned: return world_.cloud.hosts().cut_off(h.where, h.name, true);
        case turn::back: return world_.cloud.return_hosts(h.where, h.name);
        }
    }
    void happen(const happening::controller_turn& h) {
        using turn = happening::controller_turn::turn;
        switch (h.to) {
        case turn::partitioned:
        case turn::back: return world_.cloud.hosts().cut_off_all(h.to == turn::partitioned);
        case turn::stalls: return world_.stall(h.by);
        case turn::clock_back: return world_.ha().time().set_back(h.by);
        }
    }
    void happen(const happening::samples& h) {
        for (std::uint32_t n = 0; n < h.times; ++n) {
            if (const watch_id watch = watch_of(h.to); watch != no_watch) world_.ha().push(watch, h.value);
            else world_.ha().push(find(h.to), h.value);
        }
    }
    void happen(const happening::sighting& h) {
        const target_id witness = h.witness.empty() ? no_target : find(h.witness);
        const observation seen{find(h.target), h.from, h.seen, now(), h.polled, witness};
        seen_.insert_or_assign({seen.target, h.from}, seen);
        world_.ha().observe(seen);
    }
    void happen(const happening::host_word& h) {
        if (h.dead) world_.ha().host_died(h.host, h.by);
        else world_.ha().host_returned(h.host);
    }
    void happen(const happening::overflow& h) { world_.ha().state().overflowed(h.lost, now()); }
    void happen(const happening::healed& h) {
        const std::size_t slash = h.target.find('/');
        if (slash != std::string::npos)
            world_.cloud.restart_in_guest(h.target.substr(0, slash), h.target.substr(slash + 1));
        world_.ha().guest_restarted(find(h.target));
    }
    void happen(const happening::lease_turn& h) {
        world_.ha().renew({find(h.target), after(now(), h.valid_for), h.watchdog, h.tied});
        if (h.tied) world_.cloud.set_watchdog(h.target, after(world_.now(), h.valid_for + h.watchdog));
    }
    void happen(const happening::copy_seen& h) {
        const mock_machine* m = world_.cloud.find(h.target);
        const std::string id = h.copy == 0 || m == nullptr ? h.cloud_id : m->cloud_id(h.copy);
        const copy_sighting seen{find(h.target), id, h.host, after(start_, h.since)};
        watch_.sighted(seen, now());
        world_.ha().sighted(seen);
    }
    void happen(const happening::room& h) { world_.ha().tell_capacity(h.zone, h.instances); }
    void happen(const happening::word& h) {
        const time_point expires = h.valid_for == duration{} ? never : after(now(), h.valid_for);
        const target_id target = h.target.empty() ? no_target : find(h.target);
        world_.ha().operate({h.what, target, h.who, h.reason, expires});
    }
    void happen(const happening::policy_change& h) {
        changes_.push_back(h);
        static_cast<void>(world_.ha().change_policy(policies_[h.from], ladders_[h.to]));
    }
    void happen(const happening::leadership& h) {
        if (h.lost) return world_.ha().lost_lead();
        reign_ = h.reign;
        world_.ha().leads(h.reign, h.lease == duration::zero() ? never : after(world_.now(), h.lease));
    }
    void happen(const happening::guard_turn& h) {
        if (!h.deny) return guard_.allow(find_all(h.targets));
        guard_.deny({find_all(h.targets), h.only, h.valid_for == duration{} ? never : after(now(), h.valid_for)});
    }
    void happen(const happening::answer& h) {
        if (h.always) world_.cloud.always_reply(h.to, h.how);
        else world_.cloud.reply(h.to, h.how);
    }
    void happen(const happening::pace& h) { world_.cloud.set_latency(h.of, h.latency); }
    void happen(const happening::journal& h) {
        scripted_journal& log = world_.ha().log();
        switch (h.to) {
        case happening::journal::turn::hold: return log.hold(true);
        case happening::journal::turn::release: return log.hold(false);
        case happening::journal::turn::fail: return log.fail();
        case happening::journal::turn::reopen: return static_cast<void>(world_.ha().reopen_journal());
        case happening::journal::turn::delay: return log.set_delay(h.delay);
        }
    }

    [[nodiscard]] watch_id watch_of(std::string_view alarm) const noexcept {
        for (std::size_t n = 0; n < script_.alarms.size(); ++n) {
            if (script_.alarms[n].name == alarm) return watches_[n];
        }
        return no_watch;
    }

    /// Calls are traffic, not decisions; an intent that is taken back is one.
    [[nodiscard]] bool is_logged(const event& e) const noexcept {
        const bool traffic =
            e.kind == event_kind::operation_order || (e.kind == event_kind::call && e.what != decision::drop);
        return script_.log_all || !traffic;
    }
    [[nodiscard]] log_line line_of(const event& e) {
        const engine& of = world_.ha().state();
        std::string about{of.name(e.target)};
        if (e.set != no_set && e.target == no_target)
            about = std::string{to_string(of.sets()[e.set].of)} + ":" + of.sets()[e.set].name;
        return {e.at - start_, std::move(about), e.rung, e.what, e.why};
    }

    const scenario& script_;
    std::vector<policy> ladders_;
    scripted_guard guard_;    // before the engine that refers to it
    invariant_monitor watch_; // before the world, whose unanswered calls still tell it when they end
    scenario_world<Cloud> world_;
    time_point start_;
    std::vector<policy_id> policies_; ///< of the script's ladders
    std::vector<watch_id> watches_;   ///< of the script's alarms
    // What a controller that starts again is told
    std::map<std::pair<target_id, vantage>, observation> seen_;
    std::optional<epoch> reign_;
    std::vector<happening::policy_change> changes_;
    // What had begun when it ended
    std::map<op_id, target_id> unfinished_;
    std::size_t calls_before_ = 0;
    std::string problem_;
};

} // namespace detail

/// Runs a scenario on virtual time. The same scenario gives the same log, always. Distinct runs are independent.
///
///     for (const scenario& s : *read_scenarios(text)) check(matches(s, run(s)));
///
/// `Cloud` is a mock cloud whose calls go another way than straight to it, as through a wrapper of drivers (see
/// `testing/wrapped_cloud.hpp`); the decisions are to be the same.
template <std::derived_from<mock_cloud> Cloud = mock_cloud>
[[nodiscard]] scenario_result run(const scenario& s) {
    return detail::scenario_run<Cloud>{s}.run();
}

/// The first place where a log is not as expected: an index into both, or nothing if there is no difference.
[[nodiscard]] inline std::optional<std::size_t> first_difference(const scenario& s, std::span<const log_line> log) {
    if (!s.exact) return std::nullopt;
    const std::size_t both = (std::min)(log.size(), s.expected.size());
    for (std::size_t n = 0; n < both; ++n) {
        if (!s.expected[n].matches(log[n])) return n;
    }
    if (log.size() == s.expected.size()) return std::nullopt;
    return both;
}

/// What is wrong with a result, for a person: the place, what was expected, what came, and the decisions before it.
/// Empty if it is as expected.
[[nodiscard]] inline std::string explain(const scenario& s, const scenario_result& r, std::string_view file) {
    const auto place = [&](std::size_t line) {
        return std::string{file} + ":" + std::to_string(line) + ": " + s.name + "\n";
    };
    if (!r.problem.empty()) return place(s.line) + "  " + r.problem + "\n";
    const std::optional<std::size_t> differs = first_difference(s, r.log);
    if (!differs) {
        if (r.failed.empty()) return {};
        return place(r.failed.front().line) + "  " + r.failed.front().text + "\n";
    }
    const std::size_t n = *differs;
    const std::size_t after_all = s.expected.empty() ? s.line : s.expected.back().line;
    std::string out = place(n < s.expected.size() ? s.expected[n].line : after_all);
    for (std::size_t before = n < 5 ? 0 : n - 5; before < n; ++before)
        out += "            " + to_text(r.log[before]) + "\n";
    out += "  expected: " + (n < s.expected.size() ? to_text(s.expected[n]) : std::string{"the end of the log"}) + "\n";
    out += "  got:      " + (n < r.log.size() ? to_text(r.log[n]) : std::string{"the end of the log"}) + "\n";
    for (std::size_t next = n + 1; next < r.log.size() && next < n + 3; ++next)
        out += "            " + to_text(r.log[next]) + "\n";
    return out;
}

} // namespace reheat::inline REHEAT_ABI::testing
