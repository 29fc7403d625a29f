// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/composite_parser.hpp>
#include <reheat/alarm/composite_rule.hpp>
#include <reheat/alarm/composite_text.hpp>
#include <reheat/core/result.hpp>

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// A composite alarm's rule as one writes it in C++: functions of names, put together by `&&`, `||` and `!`, which bind
/// as AND, OR and NOT do. It is the text of the rule, and `make_composite_rule` checks it. Any thread may read one.
///
///     auto rule = make_composite_rule(in_alarm("db") && !in_alarm("deployment"));
class composite_expression {
public:
    explicit composite_expression(detail::rule_text text) : text_{std::move(text)} {}
    [[nodiscard]] std::string_view text() const noexcept { return text_.text; }

    [[nodiscard]] friend composite_expression operator&&(composite_expression a, composite_expression b) {
        return join(std::move(a), detail::rule_text::rank::conjunction, std::move(b));
    }
    [[nodiscard]] friend composite_expression operator||(composite_expression a, composite_expression b) {
        return join(std::move(a), detail::rule_text::rank::disjunction, std::move(b));
    }
    [[nodiscard]] friend composite_expression operator!(composite_expression a) {
        return composite_expression{detail::negated(std::move(a.text_), detail::rule_spacing::usual)};
    }

private:
    static composite_expression join(composite_expression a, detail::rule_text::rank how, composite_expression b) {
        return composite_expression{
            detail::joined(std::move(a.text_), how, std::move(b.text_), detail::rule_spacing::usual)};
    }

    detail::rule_text text_;
};

/// Holds while the named alarm is in that state.
[[nodiscard]] inline composite_expression in_state(alarm_state state, std::string_view name) {
    return composite_expression{detail::state_text(state, name)};
}
[[nodiscard]] inline composite_expression in_alarm(std::string_view name) { return in_state(alarm_state::alarm, name); }
[[nodiscard]] inline composite_expression in_ok(std::string_view name) { return in_state(alarm_state::ok, name); }
[[nodiscard]] inline composite_expression in_insufficient_data(std::string_view name) {
    return in_state(alarm_state::insufficient_data, name);
}

/// TRUE or FALSE: for trying out a rule or its actions.
[[nodiscard]] inline composite_expression always(bool value) {
    return composite_expression{{value ? "TRUE" : "FALSE"}};
}

/// A share of the alarms listed, 1 to 100.
struct percent {
    std::size_t value;
};

/// How many of the alarms listed: a number, or a `percent` of them.
class quorum {
public:
    constexpr quorum(std::size_t count) noexcept : value_{count} {} // NOLINT(google-explicit-constructor)
    constexpr quorum(percent share) noexcept
        : value_{share.value}, is_percent_{true} {} // NOLINT(google-explicit-constructor)

    [[nodiscard]] constexpr std::size_t value() const noexcept { return value_; }
    [[nodiscard]] constexpr bool is_percent() const noexcept { return is_percent_; }

private:
    std::size_t value_;
    bool is_percent_ = false;
};

namespace detail {
[[nodiscard]] inline composite_expression at_least_expression(quorum needed, bool inverted, alarm_state state,
                                                              std::span<const std::string_view> names) {
    return composite_expression{at_least_text(
        needed.value(), needed.is_percent(), inverted, state, names.size(), [names](std::size_t i) { return names[i]; },
        rule_spacing::usual)};
}
} // namespace detail

/// Holds while that many of the named alarms, or more, are in that state.
///
///     at_least(2, alarm_state::alarm, {"web-1", "web-2", "web-3"}) || at_least(percent{50}, alarm_state::alarm, names)
[[nodiscard]] inline composite_expression at_least(quorum needed, alarm_state state,
                                                   std::span<const std::string_view> names) {
    return detail::at_least_expression(needed, false, state, names);
}
[[nodiscard]] inline composite_expression at_least(quorum needed, alarm_state state,
                                                   std::initializer_list<std::string_view> names) {
    return detail::at_least_expression(needed, false, state, {names.begin(), names.size()});
}

/// Holds while that many of the named alarms, or more, are in another state.
[[nodiscard]] inline composite_expression at_least_not(quorum needed, alarm_state state,
                                                       std::span<const std::string_view> names) {
    return detail::at_least_expression(needed, true, state, names);
}
[[nodiscard]] inline composite_expression at_least_not(quorum needed, alarm_state state,
                                                       std::initializer_list<std::string_view> names) {
    return detail::at_least_expression(needed, true, state, {names.begin(), names.size()});
}

/// The rule of an expression: the one of its text, or the error that `parse_composite_rule` finds there.
[[nodiscard]] inline result<composite_rule> make_composite_rule(const composite_expression& expression) {
    return parse_composite_rule(expression.text());
}

} // namespace reheat::inline REHEAT_ABI
