// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/recording.hpp>
#include <reheat/sim/recorded_cloud.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
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

/// One decision that one of the two made and the other did not. The other side shows what it had decided last about the
/// target, if anything: mostly why it waited.
struct divergence {
    time_point at{};
    target_id target = no_target;
    std::optional<event> a{};
    std::optional<event> b{};
};

/// Two candidates on one recording.
struct difference {
    backtest_run a;
    backtest_run b;
    std::vector<divergence> decisions; ///< those that differ, in order of time
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
    void tell(time_point at, const recorded::leadership& l) { e().leads(l.reign, at); }
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

/// Compares the actions of two runs, target by target.
class comparison_of_runs {
public:
    comparison_of_runs(const backtest_run& a, const backtest_run& b) : a_{by_target(a)}, b_{by_target(b)} {}

    [[nodiscard]] std::vector<divergence> all() const {
        std::vector<divergence> found;
        for (std::size_t t = 0; t < (std::max)(a_.size(), b_.size()); ++t)
            compare(static_cast<target_id>(t), t < a_.size() ? a_[t] : none_, t < b_.size() ? b_[t] : none_, found);
        std::vector<std::pair<time_point, std::size_t>> order;
        for (std::size_t n = 0; n < found.size(); ++n) order.emplace_back(found[n].at, n);
        std::sort(order.begin(), order.end());
        std::vector<divergence> sorted;
        sorted.reserve(order.size());
        for (const auto& next : order) sorted.push_back(found[next.second]);
        return sorted;
    }

private:
    using trail = std::vector<event>;

    [[nodiscard]] static std::vector<trail> by_target(const backtest_run& of) {
        std::vector<trail> all(of.end.targets().size());
        for (const event& e : of.events) {
            const bool about_it = e.kind == event_kind::rung || e.kind == event_kind::incident;
            if (about_it && e.target != no_target) all[static_cast<std::size_t>(e.target)].push_back(e);
        }
        return all;
    }
    /// What a trail had decided up to a time.
    [[nodiscard]] static std::optional<event> last(const trail& of, time_point at) {
        const auto next =
            std::upper_bound(of.begin(), of.end(), at, [](time_point when, const event& e) { return when < e.at; });
        return next == of.begin() ? std::optional<event>{} : *std::prev(next);
    }
    static void compare(target_id target, const trail& a, const trail& b, std::vector<divergence>& found) {
        std::size_t i = 0;
        std::size_t j = 0;
        const auto skip = [](const trail& t, std::size_t& n) {
            while (n < t.size() && !is_act(t[n])) ++n;
            return n < t.size();
        };
        for (;;) {
            const bool in_a = skip(a, i);
            const bool in_b = skip(b, j);
            if (!in_a && !in_b) return;
            if (in_a && in_b && a[i].at == b[j].at) {
                if (a[i].rung != b[j].rung || a[i].subject != b[j].subject)
                    found.push_back({a[i].at, target, a[i], b[j]});
                ++i;
                ++j;
            } else if (in_a && (!in_b || a[i].at < b[j].at)) {
                found.push_back({a[i].at, target, a[i], last(b, a[i].at)});
                ++i;
            } else {
                found.push_back({b[j].at, target, last(a, b[j].at), b[j]});
                ++j;
            }
        }
    }

    std::vector<trail> a_;
    std::vector<trail> b_;
    trail none_;
};

} // namespace detail

/// Runs one candidate over a recording: a real engine on the recording's time, whose calls go nowhere and come out as
/// `recorded_cloud` knows or assumes. Errors: a recording that makes no sense, or asks for too much.
[[nodiscard]] inline result<backtest_run> run_recording(const recording& tape, const candidate& with,
                                                        const backtest_options& options = {}) {
    return detail::replay{tape, with, options}.run();
}

/// Runs two candidates over one recording and says how they differ. What it can not know: whether an action that was
/// never taken would have helped. It counts as done, and a target is well when it was well in the recording.
///
///     auto d = backtest(tape, {.name = "as it is"}, {.name = "gentler", .rules = gentler.lowered()});
///     if (d) std::puts(to_text(*d).c_str());
[[nodiscard]] inline result<difference> backtest(const recording& tape, const candidate& a, const candidate& b,
                                                 const backtest_options& options = {}) {
    auto first = run_recording(tape, a, options);
    if (!first) return std::move(first).error();
    auto second = run_recording(tape, b, options);
    if (!second) return std::move(second).error();
    std::vector<divergence> decisions = detail::comparison_of_runs{*first, *second}.all();
    return difference{std::move(*first), std::move(*second), std::move(decisions)};
}
/// The same for two policies in place of the first one that was recorded.
[[nodiscard]] inline result<difference> backtest(const recording& tape, const policy& a, const policy& b) {
    return backtest(tape, candidate{"a", a, {}, {}}, candidate{"b", b, {}, {}});
}

/// A table of numbers, then the decisions that differ, one a line, at most so many.
[[nodiscard]] inline std::string to_text(const difference& d, std::size_t most_lines = 20) {
    std::string out;
    const auto padded = [](std::string text, std::size_t width) {
        while (text.size() < width) text += ' ';
        return text;
    };
    const std::size_t width = (std::max)({d.a.name.size(), d.b.name.size(), std::size_t{10}}) + 2;
    const auto row = [&](std::string_view what, const std::string& a, const std::string& b) {
        out += padded(std::string{what}, 28) + padded(a, width) + b + '\n';
    };
    const auto count = [&](std::string_view what, std::uint32_t a, std::uint32_t b) {
        row(what, std::to_string(a), std::to_string(b));
    };
    row("", d.a.name, d.b.name);
    for (std::size_t n = 0; n < operation_count; ++n) {
        if (d.a.actions[n] != 0 || d.b.actions[n] != 0)
            count(to_string(static_cast<operation>(n)), d.a.actions[n], d.b.actions[n]);
    }
    count("failures", static_cast<std::uint32_t>(d.a.failures.size()), static_cast<std::uint32_t>(d.b.failures.size()));
    count("never acted upon", d.a.never_acted_upon, d.b.never_acted_upon);
    row("first action after, median", format_duration(d.a.first_action_median),
        format_duration(d.b.first_action_median));
    row("first action after, worst", format_duration(d.a.first_action_worst), format_duration(d.b.first_action_worst));
    count("targets acted upon", d.a.targets_acted_upon, d.b.targets_acted_upon);
    count("of these needlessly", d.a.targets_needlessly, d.b.targets_needlessly);
    count("most in flight", d.a.most_in_flight, d.b.most_in_flight);
    count("pages", d.a.pages, d.b.pages);
    count("open at the end", d.a.open_at_the_end, d.b.open_at_the_end);

    out += std::to_string(d.decisions.size()) + " decisions differ\n";
    const auto side = [](const std::optional<event>& e) {
        if (!e) return std::string{"nothing"};
        std::string text{to_string(e->what)};
        if (e->rung != operation::none) text += ' ' + std::string{to_string(e->rung)};
        return text + " (" + std::string{to_string(e->why)} + ')';
    };
    for (std::size_t n = 0; n < d.decisions.size() && n < most_lines; ++n) {
        const divergence& v = d.decisions[n];
        out += format_time(v.at) + ' ' + std::string{d.a.end.name(v.target)} + ": " + d.a.name + ": " + side(v.a) +
               "; " + d.b.name + ": " + side(v.b) + '\n';
    }
    if (d.decisions.size() > most_lines) out += "…\n";
    return out;
}

} // namespace reheat::inline REHEAT_ABI
