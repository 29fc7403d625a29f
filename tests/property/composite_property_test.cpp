// SPDX-License-Identifier: MIT
// Random rules, random garbage and random sets of alarms, against the plainest thing that could be right.
#include <reheat/alarm/composite.hpp>
#include <reheat/alarm/composite_parser.hpp>
#include <reheat/alarm/composite_text.hpp>
#include <reheat/core/hash.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace rh = reheat;
using rh::alarm_state;

namespace {

constexpr std::uint64_t seed = 20'261'124;

class dice {
public:
    explicit dice(std::uint64_t from) noexcept : state_{rh::mix(from)} {}
    std::size_t below(std::size_t n) noexcept { return static_cast<std::size_t>((state_ = rh::mix(state_)) % n); }
    bool one_in(std::size_t n) noexcept { return below(n) == 0; }
    alarm_state state() noexcept { return static_cast<alarm_state>(below(3)); }
    template <class T>
    const T& of(const std::vector<T>& all) noexcept {
        return all[below(all.size())];
    }

private:
    std::uint64_t state_;
};

using states = std::map<std::string, alarm_state>;

enum class truth : std::uint8_t { no, unknown, yes };

truth opposite(truth t) { return static_cast<truth>(2 - static_cast<int>(t)); }

/// A rule as a tree, evaluated by recursion over all of it.
struct tree {
    enum class kind : std::uint8_t { constant, state, at_least, negation, conjunction, disjunction } what{};
    bool flag = false; // the constant; `NOT` in AT_LEAST
    bool percent = false;
    std::size_t threshold = 0;
    alarm_state state{};
    std::vector<std::string> names;
    std::unique_ptr<tree> left;
    std::unique_ptr<tree> right;

    [[nodiscard]] truth is(const std::string& name, const states& all, bool three) const {
        const alarm_state s = all.at(name);
        if (three && s == alarm_state::insufficient_data && state != s) return truth::unknown;
        return s == state ? truth::yes : truth::no;
    }
    [[nodiscard]] bool enough(std::size_t count) const {
        return percent ? count * 100 >= threshold * names.size() : count >= threshold;
    }
    [[nodiscard]] truth value(const states& all, bool three) const {
        switch (what) {
        case kind::constant: return flag ? truth::yes : truth::no;
        case kind::state: return is(names[0], all, three);
        case kind::at_least: {
            std::size_t surely = 0;
            std::size_t perhaps = 0;
            for (const std::string& name : names) {
                const truth t = flag ? opposite(is(name, all, three)) : is(name, all, three);
                surely += t == truth::yes ? 1U : 0U;
                perhaps += t != truth::no ? 1U : 0U;
            }
            return enough(surely) ? truth::yes : enough(perhaps) ? truth::unknown : truth::no;
        }
        case kind::negation: return opposite(left->value(all, three));
        case kind::conjunction: return (std::min)(left->value(all, three), right->value(all, three));
        case kind::disjunction: return (std::max)(left->value(all, three), right->value(all, three));
        }
        return truth::no;
    }
};

constexpr std::array<std::string_view, 3> state_names{"INSUFFICIENT_DATA", "OK", "ALARM"};

/// Makes a tree and writes it at once, with brackets, quotes and spaces that nobody needs.
class writer {
public:
    writer(dice& d, const std::vector<std::string>& names) : dice_{d}, names_{names} {}

    std::unique_ptr<tree> rule(std::size_t depth) { return part(depth, 0); }
    std::string text;

private:
    using kind = tree::kind;

    std::unique_ptr<tree> part(std::size_t depth, int least) {
        const std::size_t what = depth == 0 ? 9 : dice_.below(12);
        const int rank = what < 3 ? 0 : what < 6 ? 1 : 2;
        const bool bracket = rank < least || dice_.one_in(8);
        if (bracket) {
            blank(false);
            text += '(';
        }
        std::unique_ptr<tree> made = what < 6 ? both(what < 3, depth) : what < 8 ? negation(depth) : leaf();
        if (bracket) {
            blank(false);
            text += ')';
        }
        blank(false);
        return made;
    }
    std::unique_ptr<tree> both(bool either, std::size_t depth) {
        auto made = std::make_unique<tree>();
        made->what = either ? kind::disjunction : kind::conjunction;
        const int rank = either ? 0 : 1;
        made->left = part(depth - 1, rank);
        blank(!text.ends_with(')'));
        text += either ? "OR" : "AND";
        blank(true);
        made->right = part(depth - 1, rank + 1);
        return made;
    }
    std::unique_ptr<tree> negation(std::size_t depth) {
        auto made = std::make_unique<tree>();
        made->what = kind::negation;
        text += "NOT";
        blank(true);
        made->left = part(depth - 1, 2);
        return made;
    }
    std::unique_ptr<tree> leaf() {
        auto made = std::make_unique<tree>();
        if (dice_.one_in(8)) {
            made->what = kind::constant;
            made->flag = dice_.one_in(2);
            const std::vector<std::string> spellings{made->flag ? "TRUE" : "FALSE", made->flag ? "True" : "False",
                                                     made->flag ? "true" : "false"};
            text += dice_.of(spellings);
            return made;
        }
        made->state = dice_.state();
        if (!dice_.one_in(3)) {
            made->what = kind::state;
            text += state_names[static_cast<std::size_t>(made->state)];
            blank(false);
            text += '(';
            name(*made);
            text += ')';
            return made;
        }
        made->what = kind::at_least;
        made->flag = dice_.one_in(2);
        made->percent = dice_.one_in(2);
        const std::size_t count = dice_.below(6) + 1;
        made->threshold = dice_.below(made->percent ? 100 : count) + 1;
        text += "AT_LEAST(";
        blank(false);
        text += std::to_string(made->threshold);
        if (made->percent) text += '%';
        comma();
        if (made->flag) {
            text += "NOT";
            blank(true);
        }
        text += state_names[static_cast<std::size_t>(made->state)];
        comma();
        text += '(';
        for (std::size_t i = 0; i < count; ++i) {
            if (i != 0) comma();
            name(*made);
        }
        text += ')';
        blank(false);
        text += ')';
        return made;
    }
    void name(tree& of) {
        of.names.push_back(dice_.of(names_));
        const std::string& chosen = of.names.back();
        blank(false);
        const bool bare = chosen.front() != '"' && chosen.find_first_of(" \n(),") == std::string::npos;
        if (bare && dice_.one_in(2)) {
            text += chosen;
        } else {
            text += '"';
            for (const char c : chosen) {
                if (c == '"' || c == '\\') text += '\\';
                text += c;
            }
            text += '"';
        }
        blank(false);
    }
    void comma() {
        blank(false);
        text += ',';
        blank(false);
    }
    void blank(bool needed) {
        constexpr std::string_view blanks = " \n\t\r";
        if (needed) text += blanks[dice_.below(blanks.size())];
        while (dice_.one_in(6)) text += blanks[dice_.below(blanks.size())];
    }

    dice& dice_;
    const std::vector<std::string>& names_;
};

const std::vector<std::string> odd_names{"a",    "b",   "web-1",    "two words", "OK",        "NOT",    "AND",
                                         "(",    "a,b", "\"quoted", "in\"side",  "back\\",    "\\\\\"", "x\ny",
                                         "TRUE", "50%", "ä\xff",    "C:\\dir a", "arn:aws:a", ")",      "\\"};

} // namespace

TEST_SUITE("composite properties") {
    TEST_CASE("a random rule is read as it was meant, printed and read again, and evaluated like its tree") {
        INFO("seed ", seed);
        dice d{seed};
        int read = 0;
        for (int round = 0; round < 20'000; ++round) {
            writer w{d, odd_names};
            const std::unique_ptr<tree> meant = w.rule(d.below(7));
            const auto rule = rh::parse_composite_rule(w.text);
            CAPTURE(round);
            CAPTURE(w.text);
            if (!rule) {
                REQUIRE(rule.error().code == rh::errc::limit_exceeded);
                continue;
            }
            ++read;
            const auto again = rh::parse_composite_rule(to_string(*rule));
            REQUIRE(again);
            REQUIRE(*again == *rule);
            REQUIRE(to_string(*again) == to_string(*rule));
            const auto tight = rh::parse_composite_rule(rh::detail::print(*rule, rh::detail::rule_spacing::tight));
            REQUIRE(tight);
            REQUIRE(*tight == *rule);
            REQUIRE(rh::detail::print(*rule, rh::detail::rule_spacing::tight).size() <= w.text.size());
            for (int i = 0; i < 5; ++i) {
                states all;
                for (const std::string& name : odd_names) all[name] = d.state();
                const auto state_of = [&](std::size_t child) { return all.at(rule->children()[child]); };
                const bool holds = meant->value(all, false) == truth::yes;
                REQUIRE(rh::evaluate(*rule, state_of) == (holds ? alarm_state::alarm : alarm_state::ok));
                constexpr std::array as_state{alarm_state::ok, alarm_state::insufficient_data, alarm_state::alarm};
                REQUIRE(rh::evaluate_three_valued(*rule, state_of) ==
                        as_state[static_cast<std::size_t>(meant->value(all, true))]);
            }
        }
        CHECK(read > 19'000);
    }

    TEST_CASE("garbage and damaged rules are errors at a place in the text, or rules") {
        INFO("seed ", seed);
        dice d{seed + 1};
        const std::vector<std::string> pieces{"ALARM",    "OK",   "INSUFFICIENT_DATA",
                                              "NOT",      "AND",  "OR",
                                              "AT_LEAST", "(",    ")",
                                              ",",        "\"",   "\\",
                                              "%",        "1",    "100",
                                              " ",        "a",    "b",
                                              "TRUE",     "false"};
        int accepted = 0;
        for (int round = 0; round < 20'000; ++round) {
            std::string text;
            if (round % 2 == 0) {
                for (std::size_t n = d.below(20); n-- > 0;) text += d.of(pieces);
            } else {
                writer w{d, odd_names};
                static_cast<void>(w.rule(d.below(4)));
                text = w.text;
                for (std::size_t n = d.below(3) + 1; n-- > 0 && !text.empty();) {
                    const std::size_t at = d.below(text.size());
                    switch (d.below(3)) {
                    case 0: text.erase(at, d.below(5) + 1); break;
                    case 1: text.insert(at, d.of(pieces)); break;
                    default: text[at] = static_cast<char>(d.below(256));
                    }
                }
            }
            CAPTURE(round);
            CAPTURE(text);
            const auto rule = rh::parse_composite_rule(text);
            if (rule) {
                ++accepted;
                const auto again = rh::parse_composite_rule(to_string(*rule));
                REQUIRE(again);
                REQUIRE(*again == *rule);
                continue;
            }
            const rh::error& e = rule.error();
            REQUIRE(e.where.starts_with("char "));
            REQUIRE(std::stoul(e.where.substr(5)) <= text.size());
            REQUIRE(e.message.starts_with("Error in AlarmRule [Unsupported "));
            REQUIRE(e.message.find(" at " + e.where) != std::string::npos);
        }
        CHECK(accepted > 1'000);
    }

    TEST_CASE("a set of alarms is what evaluating everything would make of it, and says so once") {
        INFO("seed ", seed);
        dice d{seed + 2};
        for (int round = 0; round < 300; ++round) {
            CAPTURE(round);
            rh::composite_set set;
            std::vector<rh::composite_transition> changes;
            std::vector<std::string> names;
            std::map<std::string, std::unique_ptr<tree>> rules;
            states all;
            rh::time_point now{};
            for (std::size_t i = 0; i < 4; ++i) {
                names.push_back("m" + std::to_string(i));
                REQUIRE(set.add(names.back()));
                all[names.back()] = alarm_state::insufficient_data;
            }
            const auto settle = [&] {
                for (std::size_t pass = 0; pass <= rules.size(); ++pass) {
                    for (const auto& [name, rule] : rules)
                        all[name] = rule->value(all, false) == truth::yes ? alarm_state::alarm : alarm_state::ok;
                }
            };
            /// Everything is as it should be, and each alarm that changed said so once, with one of its children.
            const auto agree = [&](const states& before) {
                settle();
                states told = before;
                for (const rh::composite_transition& t : changes) {
                    const std::string name{set.name(t.alarm)};
                    REQUIRE(told.at(name) == t.from);
                    REQUIRE(before.at(name) == t.from);
                    REQUIRE(t.from != t.to);
                    told[name] = t.to;
                    for (const rh::alarm_id child : set.triggering(t.alarm))
                        REQUIRE(before.at(std::string{set.name(child)}) != set.state(child));
                    REQUIRE((t.cause == t.alarm || !set.triggering(t.alarm).empty()));
                }
                for (const auto& [name, state] : all) {
                    REQUIRE(set.state(*set.find(name)) == state);
                    REQUIRE((told.at(name) == state || !rules.contains(name)));
                }
            };
            for (int step = 0; step < 60; ++step) {
                CAPTURE(step);
                now += 1s;
                changes.clear();
                states before = all;
                if (d.one_in(4)) {
                    const bool fresh = rules.empty() || d.one_in(2);
                    const std::string name =
                        fresh ? "c" + std::to_string(step)
                              : std::string{
                                    set.name(rh::alarm_id{static_cast<std::uint32_t>(4 + d.below(rules.size()))})};
                    writer w{d, names};
                    auto meant = w.rule(3);
                    auto rule = rh::parse_composite_rule(w.text);
                    if (!rule) continue;
                    if (fresh) {
                        before[name] = alarm_state::insufficient_data;
                        REQUIRE(set.add(name, std::move(*rule), now, changes));
                        names.push_back(name);
                    } else if (const auto replaced = set.replace(*set.find(name), std::move(*rule), now, changes);
                               !replaced) {
                        REQUIRE(replaced.error().code == rh::errc::cycle);
                        REQUIRE(changes.empty());
                        continue;
                    }
                    rules[name] = std::move(meant);
                    agree(before);
                } else {
                    const std::string& name = names[d.below(4)];
                    all[name] = d.state();
                    set.set_state(*set.find(name), all[name], now, changes);
                    agree(before);
                }
            }
        }
    }
}
