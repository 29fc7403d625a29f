// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/loss.hpp>
#include <reheat/alarm/alarm.hpp>
#include <reheat/core/text.hpp>
#include <reheat/evidence/health.hpp>
#include <reheat/recovery/decision_words.hpp>
#include <reheat/recovery/default_rung.hpp>
#include <reheat/recovery/operator.hpp>
#include <reheat/recovery/reason.hpp>
#include <reheat/sim/mock_cloud.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The words of the text form of scenarios.

namespace reheat::inline REHEAT_ABI::testing::detail {

template <class E>
using word_table = std::vector<std::pair<std::string_view, E>>;

/// The words of an enumeration that has `to_string` and counts from 0.
template <class E>
[[nodiscard]] word_table<E> words_up_to(E last) {
    word_table<E> table;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(last); ++i)
        table.emplace_back(to_string(static_cast<E>(i)), static_cast<E>(i));
    return table;
}

inline const word_table<operation>& operation_words() {
    static const word_table<operation> table = [] {
        auto all = words_up_to(operation::collect_forensics);
        all.erase(all.begin()); // `none` is written as `-`
        return all;
    }();
    return table;
}
inline const word_table<decision>& decision_words() {
    static const word_table<decision> table = words_up_to(decision::ignore);
    return table;
}
inline const word_table<reason>& reason_words() {
    static const word_table<reason> table = [] {
        auto all = words_up_to(static_cast<reason>(reason_count - 1));
        all.erase(all.begin());
        return all;
    }();
    return table;
}
inline const word_table<fault>& fault_words() {
    static const word_table<fault> table{{"service_dies", fault::service_dies},
                                         {"instance_hangs", fault::instance_hangs},
                                         {"instance_lost", fault::instance_lost},
                                         {"stack_breaks", fault::stack_breaks}};
    return table;
}
inline const word_table<health>& health_words() {
    static const word_table<health> table = words_up_to(health::unhealthy);
    return table;
}
inline const word_table<vantage>& vantage_words() {
    static const word_table<vantage> table{{"guest_heartbeat", vantage::guest_heartbeat},
                                           {"driver_status", vantage::driver_status},
                                           {"cloud_event", vantage::cloud_event},
                                           {"neighbour", vantage::neighbour},
                                           {"operator_word", vantage::operator_word}};
    return table;
}
inline const word_table<operator_verb>& verb_words() {
    static const word_table<operator_verb> table = words_up_to(operator_verb::trust);
    return table;
}
inline const word_table<return_rule>& return_words() {
    static const word_table<return_rule> table{{"keep_replacement", return_rule::keep_replacement},
                                               {"keep_original", return_rule::keep_original},
                                               {"longest_running", return_rule::longest_running},
                                               {"stop_both", return_rule::stop_both}};
    return table;
}
inline const word_table<single_vantage>& alone_words() {
    static const word_table<single_vantage> table{
        {"fence_first", single_vantage::fence_first}, {"wait", single_vantage::wait}, {"act", single_vantage::act}};
    return table;
}
inline const word_table<reboot_kind>& reboot_words() {
    static const word_table<reboot_kind> table{
        {"soft", reboot_kind::soft}, {"hard", reboot_kind::hard}, {"soft_then_hard", reboot_kind::soft_then_hard}};
    return table;
}
inline const word_table<asset>& asset_words() {
    static const word_table<asset> table{{"memory", asset::memory},
                                         {"ephemeral_disk", asset::ephemeral_disk},
                                         {"volumes", asset::volumes},
                                         {"fixed_addresses", asset::fixed_addresses},
                                         {"public_addresses", asset::public_addresses},
                                         {"identity", asset::identity}};
    return table;
}
inline const word_table<outcome_code>& outcome_words() {
    static const word_table<outcome_code> table = words_up_to(outcome_code::unknown);
    return table;
}
inline const word_table<mock_reply::manner>& manner_words() {
    static const word_table<mock_reply::manner> table{{"at_once", mock_reply::manner::at_once},
                                                      {"abandoned", mock_reply::manner::abandoned},
                                                      {"silent", mock_reply::manner::silent},
                                                      {"twice", mock_reply::manner::twice}};
    return table;
}
inline const word_table<statistic>& statistic_words() {
    static const word_table<statistic> table = words_up_to(statistic::maximum);
    return table;
}
inline const word_table<comparison>& comparison_words() {
    static const word_table<comparison> table{{">", comparison::greater_than},
                                              {">=", comparison::greater_than_or_equal},
                                              {"<", comparison::less_than},
                                              {"<=", comparison::less_than_or_equal}};
    return table;
}
inline const word_table<missing_data>& missing_words() {
    static const word_table<missing_data> table{{"missing", missing_data::missing},
                                                {"breaching", missing_data::breaching},
                                                {"not_breaching", missing_data::not_breaching},
                                                {"ignore", missing_data::ignore}};
    return table;
}

/// One line as words: divided at blanks and tabs, ended by a word that begins with `#`. Reading past the end gives
/// empty words; the first error is kept and later ones are not.
class word_line {
public:
    explicit word_line(std::string_view line) noexcept : rest_{line} { skip_blanks(); }

    [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
    [[nodiscard]] std::string_view peek() const noexcept { return rest_.substr(0, rest_.find_first_of(" \t")); }
    std::string_view next() noexcept {
        const std::string_view word = peek();
        rest_.remove_prefix(word.size());
        skip_blanks();
        return word;
    }
    /// Takes the word if it is the next one.
    bool take(std::string_view word) noexcept {
        if (empty() || peek() != word) return false;
        next();
        return true;
    }

    void fail(std::string message) {
        if (!failed_) failed_ = std::move(message);
    }
    [[nodiscard]] const std::optional<std::string>& failed() const noexcept { return failed_; }

    /// The next word, which has to be one of a table.
    template <class E>
    E choice(const word_table<E>& table, std::string_view what) {
        return choose(next(), table, what);
    }
    template <class E>
    E choose(std::string_view word, const word_table<E>& table, std::string_view what) {
        for (const auto& [text, value] : table) {
            if (text == word) return value;
        }
        std::string message = "expected " + std::string{what} + " (";
        for (const auto& [text, value] : table) message += (message.back() == '(' ? "" : " ") + std::string{text};
        fail(message + "), found " + quoted(word));
        return E{};
    }

    duration time(std::string_view what, duration least = {}, duration most = std::chrono::hours{24 * 366}) {
        return parsed_time(next(), what, least, most);
    }
    duration parsed_time(std::string_view word, std::string_view what, duration least = {},
                         duration most = std::chrono::hours{24 * 366}) {
        const auto read = parse_duration(word);
        if (!read) {
            fail("expected " + std::string{what} + ", as in 5m10s, found " + quoted(word));
            return {};
        }
        if (*read >= least && *read <= most) return *read;
        fail("expected " + std::string{what} + " from " + format_duration(least) + " to " + format_duration(most));
        return {};
    }

    template <class Integer>
    Integer whole(std::string_view what, Integer least, Integer most) {
        const std::string_view word = next();
        Integer value{};
        const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (problem == std::errc{} && end == word.data() + word.size() && value >= least && value <= most) return value;
        fail("expected " + std::string{what} + " from " + std::to_string(least) + " to " + std::to_string(most) +
             ", found " + quoted(word));
        return least;
    }

    /// `5%`: from 0 to 100.
    std::uint8_t percent(std::string_view what) {
        const std::string_view word = next();
        unsigned value = 101;
        const char* const end = word.data() + word.size();
        const auto [stopped, problem] = std::from_chars(word.data(), end, value);
        if (problem == std::errc{} && end - stopped == 1 && *stopped == '%' && value <= 100)
            return static_cast<std::uint8_t>(value);
        fail("expected " + std::string{what} + " as in 20%, found " + quoted(word));
        return 0;
    }

    double number(std::string_view what) {
        // Decimal digits by hand: not every standard library reads a `double` with `from_chars`.
        const std::string_view word = next();
        std::string_view rest = word;
        const bool minus = !rest.empty() && rest.front() == '-';
        if (minus) rest.remove_prefix(1);
        double value = 0;
        double unit = 1;
        bool fraction = false;
        bool good = !rest.empty() && rest.size() <= 15 && rest.front() != '.' && rest.back() != '.';
        for (const char c : rest) {
            if (c == '.' && !fraction) {
                fraction = true;
                continue;
            }
            good = good && c >= '0' && c <= '9';
            value = value * 10 + (c - '0');
            if (fraction) unit *= 10;
        }
        if (!good) fail("expected " + std::string{what} + ", found " + quoted(word));
        return minus ? -value / unit : value / unit;
    }

    /// A name of at most 64 letters, digits, `-`, `_` and `.`.
    std::string name(std::string_view what) { return checked_name(next(), what); }
    std::string checked_name(std::string_view word, std::string_view what) {
        bool good = !word.empty() && word.size() <= 64 && word != "-" && word != "none";
        for (const char c : word) {
            const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            good = good && (letter || c == '-' || c == '_' || c == '.');
        }
        if (!good) fail("expected " + std::string{what} + " (letters, digits, - _ .), found " + quoted(word));
        return std::string{word};
    }

    void end() {
        if (!empty()) fail("unexpected word " + quoted(peek()));
    }

    /// A word of the input for a message: short, and nothing that a terminal would obey.
    [[nodiscard]] static std::string quoted(std::string_view word) {
        if (word.empty()) return "the end of the line";
        std::string out{"'"};
        for (const char c : word.substr(0, 40)) out += c < ' ' || c > '~' ? '?' : c;
        return out + "'";
    }

private:
    void skip_blanks() noexcept {
        while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
        if (!rest_.empty() && rest_.front() == '#') rest_ = {};
    }

    std::string_view rest_;
    std::optional<std::string> failed_;
};

/// The parts of a list as `a,b,c`.
[[nodiscard]] inline std::vector<std::string_view> split_list(std::string_view list) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t comma = list.find(',');
        parts.push_back(list.substr(0, comma));
        if (comma == std::string_view::npos) return parts;
        list.remove_prefix(comma + 1);
    }
}

} // namespace reheat::inline REHEAT_ABI::testing::detail
