// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/aws_names.hpp>
#include <reheat/alarm/composite_rule.hpp>
#include <reheat/core/escape.hpp>
#include <reheat/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

namespace detail {

struct rule_token {
    enum class kind : std::uint8_t { word, quoted, unfinished, opening, closing, comma, end };
    kind what = kind::end;
    std::size_t at = 0;
    std::string_view text;
};

[[nodiscard]] constexpr bool is_rule_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
[[nodiscard]] constexpr bool ends_rule_word(char c) noexcept {
    return is_rule_space(c) || c == '(' || c == ')' || c == ',';
}

/// The token at or after `at`.
[[nodiscard]] constexpr rule_token next_rule_token(std::string_view text, std::size_t at) noexcept {
    using kind = rule_token::kind;
    while (at < text.size() && is_rule_space(text[at])) ++at;
    if (at == text.size()) return {kind::end, at, {}};
    const auto token = [&](kind what, std::size_t end) { return rule_token{what, at, text.substr(at, end - at)}; };
    std::size_t end = at + 1;
    switch (text[at]) {
    case '(': return token(kind::opening, end);
    case ')': return token(kind::closing, end);
    case ',': return token(kind::comma, end);
    case '"':
        for (; end < text.size(); ++end) {
            if (text[end] == '"') return token(kind::quoted, end + 1);
            if (text[end] == '\\') ++end;
        }
        return token(kind::unfinished, text.size());
    default:
        while (end < text.size() && !ends_rule_word(text[end])) ++end;
        return token(kind::word, end);
    }
}

/// What is between the quotes. A backslash escapes a quote or a backslash; before anything else it is itself.
[[nodiscard]] inline std::string unquoted_reference(std::string_view quoted) {
    std::string name;
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
        if (quoted[i] == '\\' && (quoted[i + 1] == '"' || quoted[i + 1] == '\\')) ++i;
        name += quoted[i];
    }
    return name;
}

/// Reads a rule with a stack of operators on the heap, so that no depth of brackets or NOTs is too deep.
class composite_parser {
public:
    explicit composite_parser(std::string_view text) : text_{text} {}

    [[nodiscard]] result<composite_rule> parse() {
        if (text_.size() > composite_limits::characters) {
            now_.at = composite_limits::characters;
            too_many("characters", text_.size(), composite_limits::characters);
            return std::move(*failure_);
        }
        take();
        if (!expression()) return std::move(*failure_);
        link();
        return std::move(rule_);
    }

private:
    using token = rule_token::kind;
    using node = rule_node::kind;
    enum class rank : std::uint8_t { group, disjunction, conjunction, negation };
    struct pending {
        rank binds;
        std::uint16_t right; ///< the first node of the right side
    };

    bool expression() {
        for (;; take()) {
            if (!prefixes() || !operand()) return false;
            for (; now_.what == token::closing; take()) {
                reduce(rank::disjunction);
                if (operators_.empty()) return unsupported();
                operators_.pop_back();
            }
            if (now_.what == token::end) {
                reduce(rank::disjunction);
                return operators_.empty() || unsupported();
            }
            const bool both = is_word("AND");
            if (!both && !is_word("OR")) return unsupported();
            const rank binds = both ? rank::conjunction : rank::disjunction;
            reduce(binds);
            operators_.push_back({binds, static_cast<std::uint16_t>(rule_.nodes_.size())});
        }
    }

    bool prefixes() {
        for (;; take()) {
            if (is_word("NOT")) {
                operators_.push_back({rank::negation, 0});
            } else if (now_.what == token::opening) {
                if (!count_element()) return false;
                operators_.push_back({rank::group, 0});
            } else {
                return true;
            }
        }
    }

    /// Emits the operators that bind at least so tightly, back to the innermost open bracket.
    void reduce(rank binds) {
        constexpr node kinds[]{node::constant, node::disjunction, node::conjunction, node::negation};
        for (; !operators_.empty() && operators_.back().binds >= binds; operators_.pop_back()) {
            rule_.nodes_.push_back(
                {.what = kinds[static_cast<std::size_t>(operators_.back().binds)], .first = operators_.back().right});
        }
    }

    bool operand() {
        const bool yes = is_word("TRUE") || is_word("True") || is_word("true");
        if (yes || is_word("FALSE") || is_word("False") || is_word("false")) {
            if (!count_element()) return false;
            rule_.nodes_.push_back({.what = node::constant, .inverted = !yes});
            take();
            return true;
        }
        rule_node made{.what = node::state};
        if (is_word("AT_LEAST")) return at_least();
        if (!state(made) || !expect(token::opening, "'('") || !reference(made.first)) return false;
        rule_.nodes_.push_back(made);
        return expect(token::closing, "')'");
    }

    bool at_least() {
        rule_node made{.what = node::at_least, .first = static_cast<std::uint16_t>(rule_.listed_.size())};
        take();
        if (!expect(token::opening, "'('")) return false;
        const rule_token bound = now_;
        if (!number(made) || !expect(token::comma, "','")) return false;
        made.inverted = is_word("NOT");
        if (made.inverted) take();
        if (!state(made) || !expect(token::comma, "','") || !expect(token::opening, "'('")) return false;
        for (;; take()) {
            std::uint16_t child = 0;
            if (!reference(child)) return false;
            rule_.listed_.push_back(child);
            if (now_.what != token::comma) break;
        }
        if (now_.what != token::closing) return unsupported();
        take();
        made.count = static_cast<std::uint16_t>(rule_.listed_.size() - made.first);
        const std::uint16_t most = made.percent ? std::uint16_t{100} : made.count;
        if (made.threshold < 1 || made.threshold > most) {
            const std::string_view sign = made.percent ? "%" : "";
            fail(errc::invalid_argument, bound,
                 std::string{"1"}.append(sign) + " to " + std::to_string(most).append(sign));
            return false;
        }
        rule_.nodes_.push_back(made);
        return expect(token::closing, "')'");
    }

    /// A count or a percentage; what is out of every range stays so and is found when the list is known.
    bool number(rule_node& made) {
        constexpr std::uint16_t too_much = 10'000;
        std::string_view digits = now_.what == token::word ? now_.text : std::string_view{};
        if (digits.ends_with('%')) {
            made.percent = true;
            digits.remove_suffix(1);
        }
        bool good = !digits.empty();
        for (const char c : digits) {
            good = good && c >= '0' && c <= '9';
            const int value = made.threshold * 10 + (c - '0');
            if (good) made.threshold = value < too_much ? static_cast<std::uint16_t>(value) : too_much - 1;
        }
        if (!good) return unsupported("a number or a percentage");
        take();
        if (!made.percent && is_word("%")) {
            made.percent = true;
            take();
        }
        return true;
    }

    bool state(rule_node& made) {
        const std::optional<alarm_state> named = aws::parse<alarm_state>(now_.text);
        if (now_.what != token::word || !named) return unsupported();
        made.state = *named;
        take();
        return true;
    }

    bool reference(std::uint16_t& child) {
        std::string name;
        if (now_.what == token::word) name = now_.text;
        if (now_.what == token::quoted) name = unquoted_reference(now_.text);
        if (name.empty()) return unsupported("the name of an alarm");
        if (!count_element()) return false;
        std::size_t at = 0;
        while (at < rule_.children_.size() && rule_.children_[at] != name) ++at;
        if (at == composite_limits::children) return too_many("children", at + 1, composite_limits::children);
        if (at == rule_.children_.size()) rule_.children_.push_back(std::move(name));
        child = static_cast<std::uint16_t>(at);
        take();
        return true;
    }

    bool count_element() {
        ++elements_;
        return elements_ <= composite_limits::elements || too_many("elements", elements_, composite_limits::elements);
    }

    /// Tells every operand what is looked at next when it is true, and when it is false.
    void link() {
        std::vector<rule_node> below{rule_node{}}; // what nodes still to come are told, the last one first
        for (std::size_t at = rule_.nodes_.size(); at-- > 0;) {
            rule_node& n = rule_.nodes_[at];
            const rule_node told = below.back();
            below.pop_back();
            rule_node left = told;
            switch (n.what) {
            case node::negation:
                std::swap(left.on_true, left.on_false);
                left.negated = !told.negated;
                below.push_back(left);
                break;
            case node::conjunction:
            case node::disjunction:
                (n.what == node::conjunction ? left.on_true : left.on_false) = n.first;
                below.push_back(left);
                below.push_back(told);
                break;
            case node::constant:
            case node::state:
            case node::at_least:
                n.on_true = told.on_true;
                n.on_false = told.on_false;
                n.negated = told.negated;
                break;
            }
        }
    }

    [[nodiscard]] bool is_word(std::string_view word) const noexcept {
        return now_.what == token::word && now_.text == word;
    }
    void take() noexcept { now_ = next_rule_token(text_, now_.at + now_.text.size()); }
    bool expect(token what, std::string_view expected) {
        if (now_.what != what) return unsupported(expected);
        take();
        return true;
    }

    /// The token cannot be here; `expected` is what could, where that is one thing.
    bool unsupported(std::string_view expected = {}) {
        fail(errc::syntax, now_, expected);
        return false;
    }
    bool too_many(std::string_view what, std::size_t count, std::size_t most) {
        failure_ =
            error{errc::limit_exceeded, place(now_.at),
                  "Error in AlarmRule [Unsupported number of " + std::string{what} + " " + std::to_string(count) +
                      " at " + place(now_.at) + ", must be: at most " + std::to_string(most) + "]"};
        return false;
    }
    void fail(errc code, const rule_token& found, std::string_view expected) {
        std::string message = "Error in AlarmRule [Unsupported ";
        if (found.what == token::end) message += "end of text";
        else message.append("token '").append(clip(found.text, 64)).append("'");
        message += " at " + place(found.at);
        if (!expected.empty()) message.append(", must be: ").append(expected);
        failure_ = error{code, place(found.at), message + "]"};
    }
    [[nodiscard]] static std::string place(std::size_t at) { return "char " + std::to_string(at); }

    std::string_view text_;
    rule_token now_;
    composite_rule rule_;
    std::vector<pending> operators_;
    std::size_t elements_ = 0;
    std::optional<error> failure_;
};

} // namespace detail

/// Reads the rule of a composite alarm in CloudWatch's language:
///
///     rule    = and {"OR" and}            and  = unary {"AND" unary}           unary = "NOT" unary | primary
///     primary = "(" rule ")" | "TRUE" | "FALSE" | state "(" ref ")"
///             | "AT_LEAST" "(" number ["%"] "," ["NOT"] state "," "(" ref {"," ref} ")" ")"
///     state   = "ALARM" | "OK" | "INSUFFICIENT_DATA"
///     ref     = a name without white space, bracket, comma | a name in double quotes, with \" and \\ for " and \.
///
/// That NOT binds tighter than AND, and AND than OR, is our choice: CloudWatch does not say. TRUE and FALSE may also be
/// written True, true, False, false. The number of AT_LEAST is 1 to the number of alarms listed, or 1% to 100%; an
/// alarm that is listed twice counts twice. An error has CloudWatch's text, `Error in AlarmRule [Unsupported token
/// 'Oldest' at char 67, must be: ')']`: the place from 0, which `where` repeats, the token there (or `end of text`),
/// and what could be there if that is one thing. A limit that is exceeded is told in the same form. Any thread may call
/// it.
///
///     parse_composite_rule("AT_LEAST(50%, NOT OK, (web-1, web-2, web-3))");
[[nodiscard]] inline result<composite_rule> parse_composite_rule(std::string_view text) {
    return detail::composite_parser{text}.parse();
}

} // namespace reheat::inline REHEAT_ABI
