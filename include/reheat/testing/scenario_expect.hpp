// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/scenario.hpp>
#include <reheat/testing/scenario_names.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

// What a scenario expects, read from its `expect` lines and the lines below them.

namespace reheat::inline REHEAT_ABI::testing::detail {

class expectation_reader {
public:
    expectation_reader(word_line& in, const declared_names& names, std::size_t line, scenario& into)
        : in_{in}, names_{names}, line_{line}, into_{into} {}

    /// What follows `expect`. Which lines follow it: of the whole log, some of it, or none.
    enum class block : std::uint8_t { none, whole, some };
    block read() {
        if (in_.empty()) {
            if (into_.exact) in_.fail("there is an 'expect' above this line");
            into_.exact = true;
            return block::whole;
        }
        if (in_.take("some")) {
            into_.checks.push_back({line_, check::some{}});
            return block::some;
        }
        if (in_.take("count")) {
            check::count c{fields(), {}};
            during(c.of);
            c.is = compared();
            add(c);
        } else if (in_.take("never")) {
            check::count c{fields(), {bound::how::equal, 0}};
            during(c.of);
            add(c);
        } else if (in_.take("calls")) {
            check::calls c;
            c.of = in_.choice(operation_words(), "an operation");
            if (in_.take("of")) c.target = pattern();
            if (in_.take("method")) c.method = in_.next();
            c.is = compared();
            add(c);
        } else if (in_.take("end")) {
            check::end_count c;
            c.targets = names_.targets(in_);
            c.is = in_.choice(state_words(), "how it is in the end");
            if (in_.empty()) return add(check::end{std::move(c.targets), c.is}), block::none;
            c.how_many = compared();
            add(std::move(c));
        } else if (in_.take("at")) {
            at_something();
        } else
            in_.fail("expected some, count, never, calls, end, at most, at least or the end of the line, found " +
                     word_line::quoted(in_.peek()));
        return block::none;
    }

    /// A line of the whole log; with a range of targets, so many lines.
    void whole_line() {
        expected_line e;
        e.line = line_;
        const std::string_view when = in_.next();
        const std::size_t dots = when.find("..");
        e.what.at = e.latest = in_.parsed_time(when.substr(0, dots), "a time");
        if (dots != std::string_view::npos) e.latest = in_.parsed_time(when.substr(dots + 2), "a time", e.what.at);
        if (!into_.expected.empty() && e.what.at < into_.expected.back().what.at)
            in_.fail("this time is before the one of the line above");
        std::vector<std::string> targets{std::string{}};
        if (!in_.take("-")) targets = names_.is_set(in_.peek()) ? one(in_.next()) : names_.targets(in_);
        if (!in_.take("-")) e.what.rung = in_.choice(operation_words(), "a rung or -");
        e.what.what = in_.choice(decision_words(), "a decision");
        if (!in_.take("-")) e.what.why = in_.choice(reason_words(), "a reason or -");
        constexpr std::size_t most = 100'000;
        if (into_.expected.size() + targets.size() > most) return in_.fail("expected at most 100,000 lines");
        for (std::string& t : targets) {
            e.what.target = std::move(t);
            into_.expected.push_back(e);
        }
    }

    /// A line of `expect some`.
    void some_line() {
        auto& c = std::get<check::some>(into_.checks.back().what);
        log_pattern p;
        const std::string_view when = in_.next();
        if (when != "*") times(when, p);
        log_pattern rest = fields();
        rest.from = p.from;
        rest.until = p.until;
        c.lines.push_back(std::move(rest));
        c.at.push_back(line_);
    }

private:
    template <class Check>
    void add(Check c) {
        into_.checks.push_back({line_, std::move(c)});
    }
    static std::vector<std::string> one(std::string_view name) { return {std::string{name}}; }

    static const word_table<check::end::state>& state_words() {
        using state = check::end::state;
        static const word_table<state> table{{"healthy", state::healthy},
                                             {"closed", state::closed},
                                             {"open", state::open},
                                             {"waiting", state::waiting},
                                             {"parked", state::parked}};
        return table;
    }

    /// TARGET RUNG DECISION REASON, each of them `*` for any
    log_pattern fields() {
        log_pattern p;
        if (in_.take("-")) p.target.clear();
        else p.target = pattern();
        if (!in_.take("*")) p.rung = in_.take("-") ? operation::none : in_.choice(operation_words(), "a rung, - or *");
        if (!in_.take("*")) p.what = in_.choice(decision_words(), "a decision or *");
        if (!in_.take("*")) p.why = in_.take("-") ? reason::none : in_.choice(reason_words(), "a reason, - or *");
        return p;
    }
    /// A shell pattern that at least one target, set or alarm could match; a name without `*` has to be known.
    std::string pattern() {
        const std::string_view word = in_.next();
        if (word.empty()) in_.fail("expected a target, a pattern or -");
        if (word.find_first_of("*?[") == std::string_view::npos && !names_.is_target(word) && !names_.is_set(word))
            in_.fail("there is no target " + word_line::quoted(word) + " above this line");
        return std::string{word};
    }
    void times(std::string_view when, log_pattern& p) {
        const std::size_t dots = when.find("..");
        p.from = p.until = in_.parsed_time(when.substr(0, dots), "a time");
        if (dots == std::string_view::npos) return;
        if (when.size() == dots + 2) p.until = (duration::max)();
        else p.until = in_.parsed_time(when.substr(dots + 2), "a time", p.from);
    }
    void during(log_pattern& p) {
        if (in_.take("during")) times(in_.next(), p);
    }
    bound compared() {
        using how = bound::how;
        bound b;
        b.compare = in_.choice<how>({{"==", how::equal}, {"<=", how::at_most}, {">=", how::at_least}}, "a comparison");
        b.number = in_.whole<std::uint64_t>("a count", 0, 1'000'000'000);
        return b;
    }
    /// `at most N [services] in flight`, `at least D apart`
    void at_something() {
        if (in_.take("least")) {
            add(check::apart{in_.time("a duration")});
            if (!in_.take("apart")) in_.fail("expected 'apart'");
            return;
        }
        if (!in_.take("most")) return in_.fail("expected 'most' or 'least'");
        check::in_flight c;
        c.most = in_.whole<std::uint64_t>("a count", 0, 1'000'000);
        c.services = in_.take("services");
        if (!in_.take("in") || !in_.take("flight")) in_.fail("expected 'in flight'");
        add(c);
    }

    word_line& in_;
    const declared_names& names_;
    std::size_t line_;
    scenario& into_;
};

} // namespace reheat::inline REHEAT_ABI::testing::detail
