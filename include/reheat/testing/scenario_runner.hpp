// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/simulation.hpp>
#include <reheat/testing/scenario.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace reheat::inline REHEAT_ABI::testing {

/// A journal in memory whose watermark is moved by hand: it holds, lags behind, or fails. A record that could not be
/// appended is in nobody's journal, so nothing after it is durable until it has been appended again.
class scripted_journal {
public:
    result<void> open() noexcept {
        failing_ = false;
        return {};
    }
    result<void> append(std::span<const record> records) {
        if (failing_) return error{errc::io, "journal", "as scripted"};
        for (const record& r : records) {
            const auto seq = static_cast<std::uint64_t>(r.seq);
            if (seq != appended_ + 1) continue; // a gap stays a gap
            appended_ = seq;
            waiting_.push_back({r.seq, after(r.at, delay_)});
        }
        if (!records.empty()) advance(records.back().at);
        return {};
    }
    [[nodiscard]] sequence durable() const noexcept { return durable_; }

    void hold(bool on) noexcept { held_ = on; }
    void fail() noexcept { failing_ = true; }
    void set_delay(duration d) noexcept { delay_ = d; }

    /// Makes durable what is due.
    void advance(time_point now) {
        if (held_) return;
        std::size_t done = 0;
        while (done < waiting_.size() && waiting_[done].due <= now) durable_ = waiting_[done++].seq;
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(done));
    }
    [[nodiscard]] time_point next() const noexcept { return held_ || waiting_.empty() ? never : waiting_.front().due; }

private:
    struct lagging {
        sequence seq;
        time_point due;
    };
    std::vector<lagging> waiting_;
    std::uint64_t appended_ = 0;
    sequence durable_ = no_sequence;
    duration delay_{};
    bool held_ = false;
    bool failing_ = false;
};

/// What a scenario came to.
struct scenario_result {
    std::vector<log_line> log;
    std::string problem; ///< why it is no result at all; empty if it is one
};

namespace detail {

/// Carries out one scenario.
class scenario_run {
public:
    static constexpr std::size_t most_events = 1'000'000;

    explicit scenario_run(const scenario& s)
        : script_{s}, world_{s.ladders.front().rules, scripted_journal{}, s.options}, start_{world_.now()} {}

    scenario_result run() {
        scenario_result r;
        if (auto ready = set_up(); !ready) {
            r.problem = to_string(ready.error());
            return r;
        }
        for (const timed_event& e : script_.events) {
            run_until(e.at);
            std::visit([this](const auto& what) { happen(what); }, e.what);
        }
        run_until(script_.run);
        for (const event& e : world_.events()) {
            if (is_logged(e)) r.log.push_back(line_of(e));
        }
        if (world_.events().size() > most_events) r.problem = "more than 1,000,000 events";
        if (world_.cloud.second_copies() != 0) r.problem = "a second copy of an instance was started";
        return r;
    }

private:
    result<void> set_up() {
        auto& ha = world_.ha();
        std::vector<policy_id> ladders{policy_id{0}};
        for (std::size_t n = 1; n < script_.ladders.size(); ++n) {
            auto made = ha.add_policy(script_.ladders[n].rules);
            if (!made) return std::move(made).error();
            ladders.push_back(*made);
        }
        for (const scenario_instance& i : script_.instances) {
            const policy_id rules = ladders[i.ladder];
            auto made = ha.add(instance{.name = i.name, .stack = i.how.stack, .keep = i.keep});
            if (auto ready = prepare(made, i, i.name, rules); !ready) return ready;
            for (const std::string& s : i.how.services) {
                auto process = ha.add(service{.name = s, .on = *made});
                if (auto ready = prepare(process, i, i.name + "/" + s, rules); !ready) return ready;
            }
            world_.cloud.add(i.name, i.how);
        }
        for (const scenario_alarm& a : script_.alarms) {
            // Only what the pipeline watches is fed by the guests.
            auto watch = a.from_heartbeats ? ha.watch(find(a.target), a.rule)
                                           : ha.state().watch(find(a.target), a.rule, world_.now());
            if (!watch) return std::move(watch).error();
            watches_.push_back(*watch);
        }
        return {};
    }

    /// Policy and default alarm of a target.
    result<void> prepare(const result<target_id>& made, const scenario_instance& i, std::string_view name,
                         policy_id rules) {
        if (!made) return made.error();
        world_.ha().state().use_policy(*made, rules);
        const auto replaces = [name](const scenario_alarm& a) { return a.from_heartbeats && a.target == name; };
        if (!i.how.heartbeats || std::any_of(script_.alarms.begin(), script_.alarms.end(), replaces)) return {};
        auto watched = world_.ha().watch(*made, heartbeat_alarm{.period = i.how.heartbeat_every});
        if (!watched) return std::move(watched).error();
        return {};
    }

    /// In slices, so that a world gone mad ends early.
    void run_until(duration at) {
        const time_point end = after(start_, at);
        while (world_.now() < end && world_.events().size() <= most_events)
            world_.run_until(earlier(end, after(world_.now(), std::chrono::minutes{1})));
        if (world_.events().size() <= most_events) world_.run_until(end);
    }

    [[nodiscard]] target_id find(std::string_view name) {
        const engine& e = world_.ha().state();
        if (name.find('/') != std::string_view::npos) return e.find(level::service, name);
        const target_id found = e.find(level::instance, name);
        return found != no_target ? found : e.find(level::stack, name);
    }

    void happen(const happening::breakage& h) { world_.cloud.break_at(world_.now(), h.instance, h.how, h.service); }
    void happen(const happening::silence& h) { world_.silence(find(h.target), h.on); }
    void happen(const happening::samples& h) {
        for (std::uint32_t n = 0; n < h.times; ++n) {
            if (const watch_id watch = watch_of(h.to); watch != no_watch) world_.ha().push(watch, h.value);
            else world_.ha().push(find(h.to), h.value);
        }
    }
    void happen(const happening::sighting& h) { world_.ha().observe({find(h.target), h.from, h.seen, world_.now()}); }
    void happen(const happening::word& h) {
        const time_point expires = h.valid_for == duration{} ? never : after(world_.now(), h.valid_for);
        world_.ha().operate({h.what, find(h.target), "scenario", {}, expires});
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
        return {e.at - start_, std::string{world_.ha().state().name(e.target)}, e.rung, e.what, e.why};
    }

    const scenario& script_;
    simulation<scripted_journal> world_;
    time_point start_;
    std::vector<watch_id> watches_; ///< of the script's alarms
};

} // namespace detail

/// Runs a scenario on virtual time. The same scenario gives the same log, always. Distinct runs are independent.
///
///     for (const scenario& s : *read_scenarios(text)) check(matches(s, run(s)));
[[nodiscard]] inline scenario_result run(const scenario& s) { return detail::scenario_run{s}.run(); }

/// The first place where a log is not as expected: an index into both, or nothing if there is no difference.
[[nodiscard]] inline std::optional<std::size_t> first_difference(const scenario& s, std::span<const log_line> log) {
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
    if (!differs) return {};
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
