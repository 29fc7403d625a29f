// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/recording.hpp>
#include <reheat/sim/recorded_cloud.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What a recording is run with: as it was recorded, but for what is given here.
struct candidate {
    std::string_view name{};
    std::optional<policy> rules{};  ///< in place of the policy `which`, and of whatever replaced that later
    std::optional<limits> bounds{}; ///< in place of the recorded engine's
    policy_id which{};
};

/// Bounds and assumptions of a backtest.
struct backtest_options {
    assumed_calls calls{};
    std::size_t most_steps = 20'000'000;  ///< of the engine: a recording by a stranger may ask for centuries
    std::size_t most_buckets = 8'000'000; ///< of all its alarms' windows together
};

/// One failure in a run: an incident from its opening to its end.
struct backtest_failure {
    target_id target = no_target;
    incident_id incident = no_incident;
    time_point opened_at{};
    time_point first_action = never; ///< its own, or the one that absorbed it
    time_point recovered_at = never;
    std::uint32_t actions = 0; ///< for it, fences included
    bool needless = false; ///< it was acted upon, and in the recording it got well although nobody had done anything
};

/// What one candidate did with a recording.
struct backtest_run {
    std::string name;
    engine end;                ///< as it stands at the end of the recording
    std::vector<event> events; ///< all that it told
    std::vector<backtest_failure> failures;
    std::array<std::uint32_t, operation_count> actions{}; ///< decided, by what is done
    std::uint32_t pages = 0;
    std::uint32_t most_in_flight = 0;
    std::uint32_t targets_acted_upon = 0;
    std::uint32_t targets_needlessly = 0; ///< of these, in at least one failure
    std::uint32_t never_acted_upon = 0;   ///< failures
    std::uint32_t open_at_the_end = 0;
    duration first_action_median{}; ///< from the failure, of those that were acted upon
    duration first_action_worst{};
};

namespace detail {

[[nodiscard]] inline bool is_act(const event& e) noexcept {
    return e.kind == event_kind::rung && e.what == decision::act;
}

/// Runs an engine over a recording, on the recording's time.
class replay {
public:
    replay(const recording& tape, const candidate& with, const backtest_options& options)
        : tape_{tape}, with_{with}, options_{options}, cloud_{tape, options.calls} {
        tape.each([this](time_point at, const auto& what) {
            if constexpr (std::same_as<std::remove_cvref_t<decltype(what)>, recorded::late_step>)
                late_.push_back({what.due, at});
        });
    }

    result<backtest_run> run() {
        for (std::size_t n = 0; n < tape_.size() && !wrong_; ++n) {
            const time_point at = tape_.at(n);
            if (at > (time_point::min)()) begin_at(at);
            run_until(at);
            tape_.visit_at(n, [&](time_point when, const auto& what) { take(when, what); });
            if (dirty_ && (n + 1 == tape_.size() || tape_.at(n + 1) > at)) step(at);
        }
        if (!run_) fail(errc::invalid_argument, "it has no policy");
        if (wrong_) return std::move(*wrong_);
        finish();
        return std::move(*run_);
    }

private:
    struct answer {
        time_point at;
        op_id op;
        outcome result;
    };
    struct span_of_lateness {
        time_point due;
        time_point stepped;
    };

    [[nodiscard]] engine& e() noexcept { return run_->end; }
    void fail(errc code, std::string message) {
        if (!wrong_) wrong_ = error{code, "recording", std::move(message)};
    }
    /// Whatever comes before a policy has no engine to come to.
    [[nodiscard]] bool ready() {
        if (!run_) fail(errc::invalid_argument, "expected a policy first");
        return run_.has_value();
    }
    void begin_at(time_point at) {
        if (std::exchange(begun_, true)) return;
        now_ = at;
        dirty_ = true;
    }

    // Time

    [[nodiscard]] time_point next() {
        time_point due = e().next();
        for (const answer& a : answers_) due = earlier(due, a.at);
        due = later(due, now_);
        // Where the recorded engine was late, this one is.
        while (late_at_ < late_.size() && late_[late_at_].stepped <= due) ++late_at_;
        if (late_at_ < late_.size() && due >= late_[late_at_].due) due = late_[late_at_].stepped;
        return due;
    }
    void run_until(time_point at) {
        while (begun_ && run_ && !wrong_) {
            const time_point due = next();
            if (due >= at) break;
            step(due);
        }
        if (begun_) now_ = later(now_, at);
    }
    void step(time_point at) {
        if (!ready()) return;
        dirty_ = false;
        now_ = later(now_, at);
        do {
            deliver();
            out_.clear();
            e().step(at, out_);
            if (!out_.records.empty()) e().durable(out_.records.back().seq);
            for (const event& told : out_.events) note(told);
            for (const call& c : out_.calls) make(c);
            if (++steps_ > options_.most_steps) return fail(errc::limit_exceeded, "it needs too many steps");
        } while (!out_.empty());
        std::uint32_t in_flight = 0;
        for (const incident& i : e().incidents()) in_flight += i.subject != no_target ? 1U : 0U;
        run_->most_in_flight = (std::max)(run_->most_in_flight, in_flight);
    }
    void make(const call& c) {
        if (auto how = cloud_.answer(c.what.what, c.what.target, now_))
            answers_.push_back({after(now_, how->latency), c.what.op, std::move(how->result)});
    }
    void deliver() {
        for (std::size_t n = 0; n < answers_.size();) {
            if (answers_[n].at > now_) {
                ++n;
                continue;
            }
            e().complete(answers_[n].op, now_, std::move(answers_[n].result));
            answers_.erase(answers_.begin() + static_cast<std::ptrdiff_t>(n));
        }
    }

    // Inputs

    template <class T>
    void keep(const result<T>& made) {
        if (!made) fail(made.error().code, to_string(made.error()));
    }
    void take(time_point, const recorded::given_policy& p) {
        const policy& rules = with_.rules && p.which == with_.which ? *with_.rules : tape_.policies[p.number];
        if (!run_) {
            engine_options o = tape_.options;
            o.shadow = false; // nothing that it calls leaves this replay
            if (with_.bounds) o.bounds = *with_.bounds;
            run_.emplace(backtest_run{std::string{with_.name}, engine{rules, o}, {}, {}});
        } else if (!p.replaces) {
            const auto added = e().add_policy(rules);
            keep(added);
            if (added && *added != p.which) fail(errc::invalid_argument, "its policies are out of order");
        } else if (!(with_.rules && p.which == with_.which)) {
            e().change_policy(p.which, rules, now_);
            dirty_ = true;
        }
    }
    void take(time_point, const recorded::added_stack& s) {
        if (ready()) keep(e().add(stack{s.name}));
    }
    void take(time_point, const recorded::added_instance& i) {
        if (ready())
            keep(e().add(instance{i.name, i.stack, i.host, i.rack, i.zone, i.keep, i.cloud_id, i.group, i.priority}));
    }
    void take(time_point, const recorded::added_service& s) {
        if (!ready()) return;
        // A service's name comes after that of its instance.
        keep(e().add(service{s.name, s.on, s.priority}));
    }
    void take(time_point, const recorded::used_policy& u) {
        if (ready()) e().use_policy(u.target, u.rules);
    }
    void take(time_point, const recorded::dependency& d) {
        if (ready()) keep(e().depend(d.dependent, d.on));
    }
    void take(time_point, const recorded::watch& w) {
        if (!ready()) return;
        const std::size_t periods = std::size_t{w.rule.evaluation_periods} + w.rule.look_back + 1;
        const bool stepped = w.rule.of.step > duration::zero();
        buckets_ += stepped ? periods * static_cast<std::size_t>(w.rule.of.period / w.rule.of.step) : periods;
        if (buckets_ > options_.most_buckets) return fail(errc::limit_exceeded, "its alarms need too much memory");
        auto made = e().watch(w.target, w.rule, w.from);
        keep(made);
        if (made) watches_.push_back(*made);
    }
    void take(time_point at, const recorded::sample& s) {
        if (s.watch < watches_.size()) e().push(watches_[s.watch], at, s.value);
    }
    void take(time_point, const recorded::stamped_sample& s) {
        if (s.watch < watches_.size()) e().push(watches_[s.watch], s.of, s.value);
    }
    void take(time_point, const recorded::call&) {}
    void take(time_point, const recorded::completion&) {}
    void take(time_point at, const recorded::step&) { step(at); }
    void take(time_point, const recorded::late_step&) { dirty_ = true; }
    void take(time_point, const recorded::clock_jump& j) {
        if (ready()) step(j.to);
    }
    template <class Input>
    void take(time_point at, const Input& what) {
        if (!ready()) return;
        dirty_ = true;
        tell(at, what);
    }
    void tell(time_point, const observation& o) { e().observe(o); }
    void tell(time_point at, const recorded::operator_word& w) {
        e().operate({w.what, w.target, w.who, w.reason, w.expires}, at);
    }
    void tell(time_point at, const recorded::creation_order& o) { e().order_creation(o.target, at); }
    void tell(time_point at, const recorded::guest_restart& g) { e().guest_restarted(g.target, at); }
    void tell(time_point at, const recorded::host_word& h) {
        if (h.dead) e().host_died(h.host, h.by, at);
        else e().host_returned(h.host, at);
    }
    void tell(time_point, const lease& l) { e().renew(l); }
    void tell(time_point at, const recorded::sighting& s) {
        e().sighted({s.target, s.cloud_id, s.host, s.running_since}, at);
    }
    void tell(time_point at, const recorded::capacity& c) { e().tell_capacity(c.zone, c.room, at); }
    void tell(time_point at, const recorded::leadership& l) {
        if (l.until == (time_point::min)()) e().lost_lead(at);
        else e().leads(l.reign, l.until, at);
    }
    void tell(time_point at, const recorded::overflow& o) { e().overflowed(o.lost, at); }
    void tell(time_point, const recorded::journal_word& j) {
        if (j.well) e().journal_reopened();
        else e().journal_failed();
    }

    // What comes of it

    void note(const event& told) {
        run_->events.push_back(told);
        if (told.what == decision::page) ++run_->pages;
        if (told.incident == no_incident) return;
        const auto id = static_cast<std::size_t>(told.incident);
        if (failure_of_.size() <= id) failure_of_.resize(id + 1);
        if (told.kind == event_kind::incident && told.what == decision::open) {
            failure_of_[id] = run_->failures.size();
            run_->failures.push_back({told.target, told.incident, told.at});
        }
        if (run_->failures.empty()) return;
        backtest_failure& f = run_->failures[failure_of_[id]];
        if (f.incident != told.incident) return;
        if (is_act(told)) {
            f.first_action = earlier(f.first_action, told.at);
            ++f.actions;
            ++run_->actions[static_cast<std::size_t>(told.rung)];
        }
        if (told.what == decision::absorb) f.first_action = earlier(f.first_action, told.at);
        if (told.what == decision::recover) f.recovered_at = told.at;
    }
    void finish() {
        std::vector<duration> waits;
        std::vector<target_id> acted;
        std::vector<target_id> needlessly;
        for (backtest_failure& f : run_->failures) {
            if (f.first_action == never) ++run_->never_acted_upon;
            else waits.push_back(f.first_action - f.opened_at);
            if (f.actions == 0) continue;
            acted.push_back(f.target);
            f.needless =
                f.recovered_at != never && !cloud_.helped(e().targets(), f.target, f.opened_at, f.recovered_at);
            if (f.needless) needlessly.push_back(f.target);
        }
        const auto distinct = [](std::vector<target_id>& all) {
            std::sort(all.begin(), all.end());
            return static_cast<std::uint32_t>(std::unique(all.begin(), all.end()) - all.begin());
        };
        run_->targets_acted_upon = distinct(acted);
        run_->targets_needlessly = distinct(needlessly);
        run_->open_at_the_end = static_cast<std::uint32_t>(e().open_incidents());
        if (waits.empty()) return;
        std::sort(waits.begin(), waits.end());
        run_->first_action_median = waits[(waits.size() - 1) / 2];
        run_->first_action_worst = waits.back();
    }

    const recording& tape_;
    const candidate& with_;
    const backtest_options& options_;
    recorded_cloud cloud_;
    std::optional<backtest_run> run_;
    std::optional<error> wrong_;
    std::vector<watch_id> watches_;
    std::vector<answer> answers_; // in the order of their calls
    std::vector<span_of_lateness> late_;
    std::size_t late_at_ = 0;
    std::vector<std::size_t> failure_of_; // by incident
    outputs out_;
    time_point now_ = (time_point::min)();
    std::size_t steps_ = 0;
    std::size_t buckets_ = 0;
    bool begun_ = false;
    bool dirty_ = false; ///< something was told that the next step decides about
};

} // namespace detail

/// Runs one candidate over a recording: a real engine on the recording's time, whose calls go nowhere and come out as
/// `recorded_cloud` knows or assumes. Errors: a recording that makes no sense, or asks for too much.
[[nodiscard]] inline result<backtest_run> run_recording(const recording& tape, const candidate& with,
                                                        const backtest_options& options = {}) {
    return detail::replay{tape, with, options}.run();
}

} // namespace reheat::inline REHEAT_ABI
