// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/text.hpp>
#include <reheat/recovery/decision_words.hpp>
#include <reheat/sim/replay.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

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
