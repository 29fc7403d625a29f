// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/metric/statistic_spec.hpp>

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

namespace detail {

inline constexpr statistic_spec interquartile_mean{
    .kind = extended_kind::trimmed_mean, .lower_share = 25 * whole_percent, .upper_share = 75 * whole_percent};

/// Reads the name of a statistic, from left to right.
class statistic_reader {
public:
    explicit constexpr statistic_reader(std::string_view text) noexcept : rest_{text} {}

    [[nodiscard]] constexpr bool done() const noexcept { return rest_.empty(); }
    [[nodiscard]] constexpr bool take(std::string_view word) noexcept {
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    /// `99`, `99.`, `99.9`: one or two digits and ten decimals at most, or 100.
    [[nodiscard]] constexpr bool take_share(std::uint64_t& share, bool decimals_of_100) noexcept {
        std::size_t digits = 0;
        std::uint64_t whole = 0;
        while (digits < 3 && digits < rest_.size() && is_digit(rest_[digits]))
            whole = whole * 10 + value(rest_[digits++]);
        if (digits == 0 || (digits == 3 && whole != 100)) return false;
        rest_.remove_prefix(digits);
        share = whole * whole_percent;
        if (digits == 3 && !decimals_of_100) return true;
        if (!take(".")) return true;
        std::uint64_t unit = whole_percent;
        for (std::size_t n = 0; n < 10 && !done() && is_digit(rest_.front()); ++n) {
            unit /= 10;
            share += unit * value(rest_.front());
            rest_.remove_prefix(1);
        }
        return share <= hundred_percent;
    }
    /// `300`, `0.5`, `1e3`: ten decimals at most, no sign.
    [[nodiscard]] bool take_value(double& number) {
        std::size_t end = 0;
        const auto digits = [&](std::size_t most) {
            const std::size_t from = end;
            while (end < rest_.size() && end - from < most && is_digit(rest_[end])) ++end;
            return end - from;
        };
        constexpr std::size_t any = 400; // more than a double has
        if (digits(any) == 0) return false;
        if (end < rest_.size() && rest_[end] == '.') {
            ++end;
            digits(10);
        }
        if (end < rest_.size() && (rest_[end] == 'E' || rest_[end] == 'e')) {
            ++end;
            if (end < rest_.size() && (rest_[end] == '+' || rest_[end] == '-')) ++end;
            if (digits(any) == 0) return false;
        }
        const auto read = std::from_chars(rest_.data(), rest_.data() + end, number);
        if (read.ec != std::errc{}) return false;
        rest_.remove_prefix(end);
        return true;
    }

private:
    static constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
    static constexpr std::uint64_t value(char c) noexcept { return static_cast<std::uint64_t>(c - '0'); }

    std::string_view rest_;
};

/// What stands between the brackets of `TM(10%:90%)` or `PR(100:)`, with the closing one.
[[nodiscard]] inline bool read_bounds(statistic_reader text, statistic_spec& spec) {
    statistic_reader shares = text;
    std::uint64_t share = 0;
    bool lower = false;
    if (spec.kind != extended_kind::percentile_rank) {
        if (statistic_reader first = shares; first.take_share(share, true) && first.take("%")) {
            lower = true;
            spec.lower_share = share;
            shares = first;
        }
        if (shares.take(":")) {
            bool upper = false;
            if (statistic_reader second = shares; second.take_share(share, true) && second.take("%")) {
                upper = true;
                spec.upper_share = share;
                shares = second;
            }
            if ((lower || upper) && shares.take(")") && shares.done()) return true;
        }
        spec.lower_share = 0;
        spec.upper_share = hundred_percent;
    }
    spec.of_values = true;
    if (statistic_reader first = text; first.take_value(spec.lower_value)) {
        spec.has_lower = true;
        text = first;
    }
    if (!text.take(":")) return false;
    if (statistic_reader second = text; second.take_value(spec.upper_value)) {
        spec.has_upper = true;
        text = second;
    }
    return (spec.has_lower || spec.has_upper) && text.take(")") && text.done();
}

/// A value as `take_value` reads it back: whole digits and an exponent where more than ten decimals would be needed.
[[nodiscard]] inline std::string bound_text(double number) {
    std::array<char, 32> buffer{};
    const auto scientific =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific);
    std::string digits{buffer.data(), scientific.ptr};
    const std::size_t mark = digits.find('e');
    int exponent = 0;
    const char* const sign = digits.data() + mark + 1;
    std::from_chars(sign + (*sign == '+' ? 1 : 0), digits.data() + digits.size(), exponent);
    digits.resize(mark);
    if (const std::size_t dot = digits.find('.'); dot != std::string::npos) {
        exponent -= static_cast<int>(digits.size() - dot - 1);
        digits.erase(dot, 1);
    }
    if (exponent > 20 || exponent < -10) return digits + 'e' + std::to_string(exponent);
    if (exponent >= 0) return digits.append(static_cast<std::size_t>(exponent), '0');
    const auto decimals = static_cast<std::size_t>(-exponent);
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    return digits.insert(digits.size() - decimals, 1, '.');
}

} // namespace detail

/// The statistic of a name; the error is `syntax`, or `unsupported` for names that CloudWatch has and this library has
/// not (`o90`, `u90`, and the endings `_E`, `_L`, `_H`).
[[nodiscard]] inline result<statistic_spec> parse_statistic(std::string_view name) {
    const auto wrong = [name](errc code, std::string_view why) {
        return error{code, std::string{name.substr(0, 64)}, std::string{why}};
    };
    statistic_spec spec;
    for (const statistic s :
         {statistic::sample_count, statistic::sum, statistic::average, statistic::minimum, statistic::maximum}) {
        if (name != to_string(s)) continue;
        spec.basic = s;
        return spec;
    }
    if (name == "IQM") return detail::interquartile_mean;
    struct prefix {
        std::string_view word;
        extended_kind kind;
    };
    constexpr prefix shares[]{{"p", extended_kind::percentile},
                              {"tm", extended_kind::trimmed_mean},
                              {"tc", extended_kind::trimmed_count},
                              {"ts", extended_kind::trimmed_sum},
                              {"wm", extended_kind::winsorized_mean}};
    for (const prefix& p : shares) {
        detail::statistic_reader text{name};
        if (!text.take(p.word) || !text.take_share(spec.upper_share, false)) continue;
        if (text.take("_")) return wrong(errc::unsupported, "expected a statistic without an ending");
        if (!text.done()) break;
        spec.kind = p.kind;
        return spec;
    }
    constexpr prefix bounds[]{{"TM(", extended_kind::trimmed_mean},
                              {"TC(", extended_kind::trimmed_count},
                              {"TS(", extended_kind::trimmed_sum},
                              {"WM(", extended_kind::winsorized_mean},
                              {"PR(", extended_kind::percentile_rank}};
    for (const prefix& p : bounds) {
        detail::statistic_reader text{name};
        if (!text.take(p.word)) continue;
        spec = {};
        spec.kind = p.kind;
        if (detail::read_bounds(text, spec)) return spec;
        break;
    }
    return wrong(errc::syntax, "expected a statistic as Average, p99, tm90, IQM, TM(10%:90%) or PR(:300)");
}

/// The canonical name: `parse_statistic(to_string(s))` is `s`.
[[nodiscard]] inline std::string to_string(const statistic_spec& s) {
    if (s.basic != statistic::extended) return std::string{to_string(s.basic)};
    const auto share = [](std::uint64_t of) {
        std::string text = std::to_string(of / whole_percent);
        if (std::string rest = std::to_string(whole_percent + of % whole_percent).substr(1); of % whole_percent != 0) {
            while (rest.back() == '0') rest.pop_back();
            text += '.' + rest;
        }
        return text;
    };
    constexpr std::array<std::string_view, 7> short_words{"", "p", "tm", "tc", "ts", "wm", ""};
    constexpr std::array<std::string_view, 7> words{"", "", "TM(", "TC(", "TS(", "WM(", "PR("};
    if (s == detail::interquartile_mean) return "IQM";
    if (!s.of_values && s.lower_share == 0)
        return std::string{short_words[static_cast<std::size_t>(s.kind)]} + share(s.upper_share);
    std::string text{words[static_cast<std::size_t>(s.kind)]};
    if (s.of_values) {
        if (s.has_lower) text += detail::bound_text(s.lower_value);
        text += ':';
        if (s.has_upper) text += detail::bound_text(s.upper_value);
    } else {
        text += share(s.lower_share) + "%:" + share(s.upper_share) + '%';
    }
    return text + ')';
}

} // namespace reheat::inline REHEAT_ABI
