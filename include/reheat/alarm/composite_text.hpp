// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/aws_names.hpp>
#include <reheat/alarm/composite_parser.hpp>
#include <reheat/alarm/composite_rule.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// How the text of a rule is set: with the usual spaces, or only with those that part two words.
enum class rule_spacing : std::uint8_t { usual, tight };

/// A part of a rule's text, and how tightly its outermost operator binds.
struct rule_text {
    enum class rank : std::uint8_t { disjunction, conjunction, negation, primary };
    std::string text;
    rank binds = rank::primary;
};

[[nodiscard]] inline rule_text bracketed(rule_text inner) {
    inner.text.insert(inner.text.begin(), '(');
    inner.text += ')';
    return {std::move(inner.text), rule_text::rank::primary};
}

[[nodiscard]] inline rule_text joined(rule_text a, rule_text::rank how, rule_text b, rule_spacing spacing) {
    if (a.binds < how) a = bracketed(std::move(a));
    if (b.binds <= how) b = bracketed(std::move(b)); // a chain is grouped from the left
    if (spacing == rule_spacing::usual || !a.text.ends_with(')')) a.text += ' ';
    a.text += how == rule_text::rank::conjunction ? "AND" : "OR";
    if (spacing == rule_spacing::usual || !b.text.starts_with('(')) a.text += ' ';
    a.text += b.text;
    a.binds = how;
    return a;
}

[[nodiscard]] inline rule_text negated(rule_text a, rule_spacing spacing) {
    if (a.binds < rule_text::rank::negation) a = bracketed(std::move(a));
    a.text.insert(0, spacing == rule_spacing::usual || !a.text.starts_with('(') ? "NOT " : "NOT");
    a.binds = rule_text::rank::negation;
    return a;
}

/// A name, in quotes where it needs them. A backslash is doubled only where it would be read as an escape.
inline void append_reference(std::string& out, std::string_view name) {
    bool bare = !name.empty() && name.front() != '"';
    for (const char c : name) bare = bare && !ends_rule_word(c);
    if (bare) {
        out += name;
        return;
    }
    out += '"';
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char next = i + 1 < name.size() ? name[i + 1] : '"';
        if (name[i] == '"' || (name[i] == '\\' && (next == '"' || next == '\\'))) out += '\\';
        out += name[i];
    }
    out += '"';
}

[[nodiscard]] inline rule_text state_text(alarm_state state, std::string_view name) {
    rule_text made{std::string{aws::name(state)} + '('};
    append_reference(made.text, name);
    made.text += ')';
    return made;
}

/// `count` names, that `name_of(0)`, `name_of(1)` and so on give.
template <class NameOf>
[[nodiscard]] rule_text at_least_text(std::size_t threshold, bool percent, bool inverted, alarm_state state,
                                      std::size_t count, const NameOf& name_of, rule_spacing spacing) {
    const std::string_view comma = spacing == rule_spacing::usual ? ", " : ",";
    rule_text made{"AT_LEAST(" + std::to_string(threshold)};
    made.text.append(percent ? "%" : "").append(comma).append(inverted ? "NOT " : "").append(aws::name(state));
    made.text.append(comma).append("(");
    for (std::size_t i = 0; i < count; ++i) {
        if (i != 0) made.text += comma;
        append_reference(made.text, name_of(i));
    }
    made.text += "))";
    return made;
}

[[nodiscard]] inline std::string print(const composite_rule& rule, rule_spacing spacing) {
    using kind = rule_node::kind;
    std::vector<rule_text> parts;
    const auto pop = [&parts] {
        rule_text last = std::move(parts.back());
        parts.pop_back();
        return last;
    };
    for (const rule_node& n : rule.nodes()) {
        switch (n.what) {
        case kind::constant: parts.push_back({n.inverted ? "FALSE" : "TRUE"}); break;
        case kind::state: parts.push_back(state_text(n.state, rule.children()[n.first])); break;
        case kind::at_least: {
            const auto name_of = [&](std::size_t i) -> std::string_view {
                return rule.children()[rule.listed()[n.first + i]];
            };
            parts.push_back(at_least_text(n.threshold, n.percent, n.inverted, n.state, n.count, name_of, spacing));
            break;
        }
        case kind::negation: parts.push_back(negated(pop(), spacing)); break;
        case kind::conjunction:
        case kind::disjunction: {
            const auto how = n.what == kind::conjunction ? rule_text::rank::conjunction : rule_text::rank::disjunction;
            rule_text right = pop();
            parts.push_back(joined(pop(), how, std::move(right), spacing));
            break;
        }
        }
    }
    return std::move(parts.back().text);
}

} // namespace detail

/// The rule in CloudWatch's language, without brackets and quotes that it does not need: `parse_composite_rule` reads
/// an equal rule back. Where the usual spaces would make it longer than a rule may be, it has only those that part
/// words; no text of the same rule is shorter than that.
[[nodiscard]] inline std::string to_string(const composite_rule& rule) {
    std::string text = detail::print(rule, detail::rule_spacing::usual);
    return text.size() <= composite_limits::characters ? text : detail::print(rule, detail::rule_spacing::tight);
}

} // namespace reheat::inline REHEAT_ABI
