// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/state.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// CloudWatch's limits of a composite alarm. A character is a byte. An element is the mention of a child, a TRUE or
/// FALSE, or a pair of grouping brackets; the brackets of `ALARM(...)` and `AT_LEAST(...)` belong to their function.
struct composite_limits {
    static constexpr std::size_t characters = 10'240;
    static constexpr std::size_t children = 100; ///< distinct ones
    static constexpr std::size_t elements = 500;
    static constexpr std::size_t parents = 150; ///< composite alarms that watch one alarm
};

/// One operand or operator of a rule. Operands carry what is looked at next, so that a rule is evaluated in one pass
/// from left to right that looks at no operand twice, without a stack and without recursion.
struct rule_node {
    enum class kind : std::uint8_t { constant, state, at_least, negation, conjunction, disjunction };
    static constexpr std::uint16_t accept = 0xffff;
    static constexpr std::uint16_t reject = 0xfffe;

    kind what = kind::constant;
    alarm_state state{};         ///< `state`, `at_least`: the one asked for
    bool inverted = false;       ///< `constant`: it is FALSE; `at_least`: the state is to be another one
    bool percent = false;        ///< `at_least`: the threshold is a share
    bool negated = false;        ///< an operand below an odd number of NOTs
    std::uint16_t first = 0;     ///< `state`: the child; `at_least`: its first in `listed()`; `conjunction`,
                                 ///< `disjunction`: the first node of the right side
    std::uint16_t count = 0;     ///< `at_least`: how many are listed
    std::uint16_t threshold = 0; ///< `at_least`
    std::uint16_t on_true = accept;
    std::uint16_t on_false = reject;

    [[nodiscard]] constexpr bool matches(alarm_state s) const noexcept { return (s == state) != inverted; }
    [[nodiscard]] constexpr bool reached_by(std::uint32_t matching) const noexcept {
        return percent ? matching * 100U >= std::uint32_t{threshold} * count : matching >= threshold;
    }
    friend constexpr bool operator==(const rule_node&, const rule_node&) noexcept = default;
};

namespace detail {
class composite_parser;
} // namespace detail

/// The rule of a composite alarm: a Boolean expression over the states of other alarms, in CloudWatch's language.
/// Made by `parse_composite_rule` or from an expression in C++, and always within the limits. Immutable, so any thread
/// may read it.
///
///     auto rule = parse_composite_rule("ALARM(db) AND NOT ALARM(deployment)");
///     auto state = evaluate(*rule, [&](std::size_t child) { return state_by_name(rule->children()[child]); });
class composite_rule {
public:
    /// The alarms that it looks at, in the order of their first mention, each once.
    [[nodiscard]] std::span<const std::string> children() const noexcept { return children_; }
    /// The children that its AT_LEAST functions list, one list after the other.
    [[nodiscard]] std::span<const std::uint16_t> listed() const noexcept { return listed_; }
    /// In postfix order: operands first.
    [[nodiscard]] std::span<const rule_node> nodes() const noexcept { return nodes_; }

    friend bool operator==(const composite_rule&, const composite_rule&) = default;

private:
    friend class detail::composite_parser;
    composite_rule() = default;

    std::vector<std::string> children_;
    std::vector<std::uint16_t> listed_;
    std::vector<rule_node> nodes_;
};

/// Gives the state of a child, by its place in `composite_rule::children()`.
template <class F>
concept child_states = requires(F& states, std::size_t child) {
    { states(child) } -> std::same_as<alarm_state>;
};

namespace detail {

/// Whether a rule holds, where `matches(operand, child)` says it of one child of an operand.
template <class Matches>
[[nodiscard]] bool rule_holds(const composite_rule& rule, const Matches& matches) {
    const auto holds = [&](const rule_node& operand) {
        if (operand.what == rule_node::kind::constant) return !operand.inverted;
        if (operand.what == rule_node::kind::state) return matches(operand, std::size_t{operand.first});
        std::uint32_t matching = 0;
        for (const std::uint16_t child : rule.listed().subspan(operand.first, operand.count))
            matching += matches(operand, std::size_t{child}) ? 1U : 0U;
        return operand.reached_by(matching);
    };
    std::size_t at = 0;
    while (at < rule.nodes().size()) {
        const rule_node& operand = rule.nodes()[at];
        at = holds(operand) ? operand.on_true : operand.on_false;
    }
    return at == rule_node::accept;
}

} // namespace detail

/// `alarm` where the rule holds, else `ok`, as CloudWatch has it: a child in `insufficient_data` is neither in ALARM
/// nor OK. Asks only for the children that matter, from left to right. Does not allocate.
template <child_states States>
[[nodiscard]] alarm_state evaluate(const composite_rule& rule, States&& states) {
    const bool holds = detail::rule_holds(
        rule, [&](const rule_node& operand, std::size_t child) { return operand.matches(states(child)); });
    return holds ? alarm_state::alarm : alarm_state::ok;
}

/// The same in Kleene's logic of three values, as Aodh has it: a child in `insufficient_data` may be in ALARM or OK.
/// `alarm` where the rule holds whatever it is, `ok` where it holds in no case, else `insufficient_data`. The function
/// INSUFFICIENT_DATA itself is certain. Tries to prove the alarm, then the opposite, and may ask for a child in both.
/// Does not allocate.
template <child_states States>
[[nodiscard]] alarm_state evaluate_three_valued(const composite_rule& rule, States&& states) {
    const auto holds_at = [&](bool best) {
        return detail::rule_holds(rule, [&](const rule_node& operand, std::size_t child) {
            const alarm_state s = states(child);
            const bool unknown = s == alarm_state::insufficient_data && operand.state != alarm_state::insufficient_data;
            return unknown ? best != operand.negated : operand.matches(s);
        });
    };
    if (holds_at(false)) return alarm_state::alarm;
    return holds_at(true) ? alarm_state::insufficient_data : alarm_state::ok;
}

} // namespace reheat::inline REHEAT_ABI
