// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/comparison.hpp>
#include <reheat/alarm/state.hpp>
#include <reheat/core/glob.hpp>
#include <reheat/core/parse_time.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>

#include <array>
#include <charconv>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What a trait of an event holds; `monostate` if the event has no such trait. The text must outlive the evaluation
/// only.
using trait_value = std::variant<std::monostate, std::string_view, std::int64_t, double, bool, time_point>;

/// Gives the trait of an event that has a name.
template <class F>
concept trait_lookup = requires(const F& f, std::string_view field) {
    { f(field) } -> std::convertible_to<trait_value>;
};

/// How the value of a condition is written.
enum class trait_type : std::uint8_t { string, integer, floating, boolean, datetime };

inline constexpr std::array<std::string_view, 5> trait_type_names{"string", "integer", "float", "boolean", "datetime"};

/// The type that has a name in Aodh's API; none there means a string.
[[nodiscard]] constexpr std::optional<trait_type> parse_trait_type(std::string_view name) noexcept {
    if (name.empty()) return trait_type::string;
    for (std::size_t i = 0; i < trait_type_names.size(); ++i) {
        if (trait_type_names[i] == name) return static_cast<trait_type>(i);
    }
    return std::nullopt;
}

/// One condition of an event rule: a trait on the left, a value of a type on the right.
struct event_condition {
    std::string field; ///< as the lookup knows it, `traits.instance_id`
    comparison op = comparison::equal_to;
    std::variant<std::string, std::int64_t, double, bool, time_point> value;
};

/// Makes a condition of the text of its value. `op` is none of the bands; an integer and a number stand alone, a
/// boolean is `true` or `false` in any letters, or 1 or 0, a datetime is read by `parse_time`.
[[nodiscard]] inline result<event_condition> make_condition(std::string field, comparison op, trait_type type,
                                                            std::string_view text) {
    const auto bad = [&](errc code, const char* expected) {
        return error{code, std::move(field), "'" + std::string{text.substr(0, 64)} + "': " + expected};
    };
    if (is_band(op)) return bad(errc::invalid_argument, "expected a comparison with one value");
    event_condition made{{}, op, std::string{}};
    const auto number = [text](auto& value) {
        const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
        return read.ec == std::errc{} && read.ptr == text.data() + text.size();
    };
    switch (type) {
    case trait_type::string: made.value = std::string{text}; break;
    case trait_type::integer: {
        std::int64_t value = 0;
        if (!number(value)) return bad(errc::syntax, "expected a whole number");
        made.value = value;
        break;
    }
    case trait_type::floating: {
        double value = 0;
        if (!number(value) || value != value) return bad(errc::syntax, "expected a number");
        made.value = value;
        break;
    }
    case trait_type::boolean: {
        const auto is = [text](std::string_view word) {
            if (text.size() != word.size()) return false;
            for (std::size_t i = 0; i < word.size(); ++i) {
                if ((text[i] | 0x20) != word[i]) return false;
            }
            return true;
        };
        const bool yes = is("true") || text == "1";
        if (!yes && !is("false") && text != "0") return bad(errc::syntax, "expected true or false");
        made.value = yes;
        break;
    }
    case trait_type::datetime: {
        auto value = parse_time(text);
        if (!value) return bad(errc::syntax, "expected a time, as in 2026-11-23T21:30:00Z");
        made.value = *value;
        break;
    }
    }
    made.field = std::move(field);
    return made;
}

namespace detail {

/// Numbers compare with numbers (a boolean is 0 or 1), texts with texts, times with times; what does not compare is
/// unordered.
[[nodiscard]] constexpr std::partial_ordering compare_traits(const trait_value& left,
                                                             const trait_value& right) noexcept {
    constexpr std::size_t text = 1;
    constexpr std::size_t integer = 2;
    constexpr std::size_t boolean = 4;
    constexpr std::size_t datetime = 5;
    if (left.index() == 0 || right.index() == 0) return std::partial_ordering::unordered;
    if (left.index() == text || right.index() == text || left.index() == datetime || right.index() == datetime) {
        if (left.index() != right.index()) return std::partial_ordering::unordered;
        if (left.index() == text) return *std::get_if<text>(&left) <=> *std::get_if<text>(&right);
        return *std::get_if<datetime>(&left) <=> *std::get_if<datetime>(&right);
    }
    const auto whole = [](const trait_value& v) -> std::optional<std::int64_t> {
        if (const auto* i = std::get_if<integer>(&v)) return *i;
        if (const auto* b = std::get_if<boolean>(&v)) return *b ? 1 : 0;
        return std::nullopt;
    };
    const auto l = whole(left);
    const auto r = whole(right);
    if (l && r) return *l <=> *r;
    const double x = l ? static_cast<double>(*l) : *std::get_if<double>(&left);
    const double y = r ? static_cast<double>(*r) : *std::get_if<double>(&right);
    return x <=> y;
}

} // namespace detail

/// Whether a trait meets a condition. A trait that is not there, or is of a type that does not compare with the value,
/// is only `not_equal_to` it.
[[nodiscard]] inline bool meets(const event_condition& c, const trait_value& trait) noexcept {
    trait_value right;
    if (const auto* text = std::get_if<std::string>(&c.value)) right = std::string_view{*text};
    if (const auto* whole = std::get_if<std::int64_t>(&c.value)) right = *whole;
    if (const auto* number = std::get_if<double>(&c.value)) right = *number;
    if (const auto* truth = std::get_if<bool>(&c.value)) right = *truth;
    if (const auto* time = std::get_if<time_point>(&c.value)) right = *time;
    const std::partial_ordering order = detail::compare_traits(trait, right);
    switch (c.op) {
    case comparison::greater_than: return order > 0;
    case comparison::greater_than_or_equal: return order >= 0;
    case comparison::less_than: return order < 0;
    case comparison::less_than_or_equal: return order <= 0;
    case comparison::equal_to: return order == 0;
    case comparison::not_equal_to: return order != 0;
    case comparison::outside_band:
    case comparison::below_band:
    case comparison::above_band: break;
    }
    return false;
}

/// An alarm on events, as Aodh has it: an event of the type that meets all conditions raises it. It is never cleared by
/// events. Its evaluation does not allocate; any thread may evaluate one rule.
struct event_rule {
    std::string event_type = "*"; ///< a pattern of `glob_match`
    std::vector<event_condition> query;
    bool repeat_actions = false; ///< raised again, and notified, although it is raised already
};

/// What an event did to an alarm.
enum class event_effect : std::uint8_t {
    skipped,   ///< the alarm is raised already, and does not repeat
    unmatched, ///< the event is of another type, or a condition is not met
    raised,    ///< the alarm is raised, and notified
};

/// Compares an event with a rule.
///
///     if (evaluate(rule, state, "compute.instance.power_off.end", traits) == event_effect::raised) notify();
template <trait_lookup Lookup>
[[nodiscard]] event_effect evaluate(const event_rule& rule, alarm_state before, std::string_view event_type,
                                    const Lookup& traits) {
    if (before == alarm_state::alarm && !rule.repeat_actions) return event_effect::skipped;
    if (!glob_match(rule.event_type, event_type)) return event_effect::unmatched;
    for (const event_condition& c : rule.query) {
        if (!meets(c, traits(c.field))) return event_effect::unmatched;
    }
    return event_effect::raised;
}

} // namespace reheat::inline REHEAT_ABI
