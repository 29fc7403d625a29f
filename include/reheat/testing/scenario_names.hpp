// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/glob.hpp>
#include <reheat/testing/scenario_words.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

// The names of a scenario: one by one, as a range `web-{1..200}`, or as a pattern `web-*`.

namespace reheat::inline REHEAT_ABI::testing::detail {

/// A name with at most one range of numbers in it.
class name_range {
public:
    static constexpr std::uint32_t most = 2'000;

    /// Reads `name` or `before{a..b}after`.
    static name_range read(std::string_view word, std::string_view what, word_line& in) {
        name_range r;
        const std::size_t open = word.find('{');
        if (open == std::string_view::npos) {
            r.before_ = in.checked_name(word, what);
            return r;
        }
        const std::size_t close = word.find('}', open);
        const std::string_view inside =
            close == std::string_view::npos ? std::string_view{} : word.substr(open + 1, close - open - 1);
        const std::size_t dots = inside.find("..");
        const bool good = dots != std::string_view::npos && number(inside.substr(0, dots), r.first_) &&
                          number(inside.substr(dots + 2), r.last_) && r.first_ <= r.last_ && r.last_ - r.first_ < most;
        if (!good) in.fail("expected a range as in {1..20} of at most 2000, found " + word_line::quoted(word));
        else r.after_ = word.substr(close + 1);
        r.before_ = word.substr(0, open);
        r.ranged_ = good;
        if (good) static_cast<void>(in.checked_name(r.at(0), what));
        return r;
    }

    [[nodiscard]] std::uint32_t size() const noexcept { return ranged_ ? last_ - first_ + 1 : 1; }
    [[nodiscard]] bool ranged() const noexcept { return ranged_; }
    /// The n-th name; after the last one comes the first again.
    [[nodiscard]] std::string at(std::uint32_t n) const {
        return ranged_ ? before_ + std::to_string(first_ + n % size()) + after_ : before_;
    }

private:
    static bool number(std::string_view digits, std::uint32_t& to) noexcept {
        const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), to);
        return problem == std::errc{} && end == digits.data() + digits.size() && to <= 1'000'000;
    }

    std::string before_;
    std::string after_;
    std::uint32_t first_ = 0;
    std::uint32_t last_ = 0;
    bool ranged_ = false;
};

/// The names that a scenario has declared so far. Targets and alarms share them, so that a name means one thing; hosts,
/// racks, zones and groups have names of their own.
class declared_names {
public:
    void declare_target(const std::string& name, word_line& in) {
        if (!targets_.insert(name).second || alarms_.count(name) != 0) return taken(name, in);
        in_order_.push_back(name);
    }
    /// A stack is named by its instances, as often as they like; the name is nobody else's.
    void declare_stack(const std::string& name, word_line& in) {
        if (!stacks_.insert(name).second) return;
        if (!targets_.insert(name).second || alarms_.count(name) != 0) taken(name, in);
    }
    void declare_alarm(const std::string& name, word_line& in) {
        if (!alarms_.insert(name).second || targets_.count(name) != 0) taken(name, in);
    }
    /// `kind:name`, as in `zone:z1`.
    void declare_set(std::string_view kind, const std::string& name) {
        if (!name.empty()) sets_.insert(std::string{kind} + ":" + name);
    }

    [[nodiscard]] bool is_target(std::string_view name) const { return targets_.count(name) != 0; }
    [[nodiscard]] bool is_set(std::string_view name) const { return sets_.count(name) != 0; }
    [[nodiscard]] bool is_stack(std::string_view name) const { return stacks_.count(name) != 0; }
    [[nodiscard]] bool is_fed(std::string_view name) const {
        return alarms_.count(name) != 0 || (targets_.count(name) != 0 && !is_stack(name));
    }
    /// The next word, which has to be a target.
    std::string target(word_line& in) const { return checked_target(in.next(), in); }
    std::string checked_target(std::string_view word, word_line& in) const {
        if (!is_target(word)) in.fail("there is no target " + word_line::quoted(word) + " above this line");
        return std::string{word};
    }
    /// The next word, which has to name targets: a list of names, ranges and patterns. A pattern without a `/` is one
    /// of instances, with one it is one of services.
    std::vector<std::string> targets(word_line& in) const {
        std::vector<std::string> found;
        for (const std::string_view part : split_list(in.next())) {
            if (in.failed()) return found;
            if (part.find('*') != std::string_view::npos) add_matches(part, found, in);
            else add_range(part, found, in);
        }
        return found;
    }
    /// The next word, which has to be a host, rack, zone or group.
    std::string set_name(std::string_view kind, word_line& in) const {
        const std::string_view word = in.next();
        if (!is_set(std::string{kind} + ":" + std::string{word}))
            in.fail("there is no " + std::string{kind} + " " + word_line::quoted(word) + " above this line");
        return std::string{word};
    }

private:
    static void taken(const std::string& name, word_line& in) {
        in.fail("the name " + word_line::quoted(name) + " is taken");
    }
    void add_matches(std::string_view pattern, std::vector<std::string>& found, word_line& in) const {
        const std::size_t before = found.size();
        const bool services = pattern.find('/') != std::string_view::npos;
        for (const std::string& name : in_order_) {
            if ((name.find('/') != std::string::npos) == services && glob_match(pattern, name)) found.push_back(name);
        }
        if (found.size() == before) in.fail("no target matches " + word_line::quoted(pattern));
    }
    void add_range(std::string_view word, std::vector<std::string>& found, word_line& in) const {
        if (word.find('{') == std::string_view::npos) return found.push_back(checked_target(word, in));
        const std::size_t slash = word.find('/');
        const name_range names = name_range::read(word.substr(0, slash), "a name", in);
        const std::string below{slash == std::string_view::npos ? std::string_view{} : word.substr(slash)};
        for (std::uint32_t n = 0; n < names.size() && !in.failed(); ++n)
            found.push_back(checked_target(names.at(n) + below, in));
    }

    std::set<std::string, std::less<>> targets_;
    std::vector<std::string> in_order_; // instances and services
    std::set<std::string, std::less<>> stacks_;
    std::set<std::string, std::less<>> alarms_;
    std::set<std::string, std::less<>> sets_;
};

} // namespace reheat::inline REHEAT_ABI::testing::detail
