// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// A regular expression that a text must match as a whole: literals, `.`, `[classes]`, `\d \w \s` and their opposites,
/// `( ) (?: ) | * + ? {m} {m,} {m,n}`, `^` and `$`. Characters are code points of UTF-8.
///
/// Time is at most proportional to the size of the pattern times the length of the text, whatever the pattern, because
/// all ways through it are followed at once and none is tried twice; so patterns and texts may come from outside. What
/// a finite automaton cannot do (back references, look-around) is `errc::unsupported`. Immutable once compiled.
///
///     auto name = pattern::compile("[a-zA-Z][a-zA-Z0-9]*");
///     if (name && !name->matches("9lives")) complain();
class pattern {
public:
    /// The most instructions that a pattern may compile to, and the most bytes of its text.
    static constexpr std::size_t max_size = 1024;

    /// Errors: `syntax`, `unsupported`, `limit_exceeded`; the message counts bytes of the pattern from 0.
    [[nodiscard]] static result<pattern> compile(std::string_view text);

    [[nodiscard]] bool matches(std::string_view text) const;

private:
    enum class op : std::uint8_t { any, one, set, split, jump, begin, end, accept };

    // Addresses are relative, so that a repeated part can be copied as it is.
    struct instruction {
        op code{};
        std::uint32_t value = 0; // the character of `one`, the index of `set`
        std::int32_t first = 1;
        std::int32_t second = 1;
    };
    using fragment = std::vector<instruction>;

    struct range {
        std::uint32_t low;
        std::uint32_t high;
    };
    struct char_set {
        std::vector<range> ranges;
        bool negated = false;

        [[nodiscard]] bool has(std::uint32_t c) const noexcept {
            for (const range& r : ranges) {
                if (c >= r.low && c <= r.high) return !negated;
            }
            return negated;
        }
    };

    class compiler;

    /// The next code point; a byte that is not UTF-8 stands for itself, beyond all code points.
    [[nodiscard]] static std::uint32_t next(std::string_view text, std::size_t& at) noexcept {
        const auto byte = [&](std::size_t i) {
            return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
        };
        const std::uint32_t lead = byte(at);
        const std::size_t more = lead < 0x80U ? 0U : lead >= 0xF0U ? 3U : lead >= 0xE0U ? 2U : lead >= 0xC2U ? 1U : 4U;
        if (more == 4 || lead > 0xF4U || at + more >= text.size()) {
            ++at;
            return 0x110000U + lead;
        }
        std::uint32_t c = more == 0 ? lead : lead & (0x3FU >> more);
        for (std::size_t i = 1; i <= more; ++i) {
            if ((byte(at + i) & 0xC0U) != 0x80U) {
                ++at;
                return 0x110000U + lead;
            }
            c = (c << 6U) | (byte(at + i) & 0x3FU);
        }
        at += more + 1;
        return c;
    }

    fragment program_;
    std::vector<char_set> sets_;
};

class pattern::compiler {
public:
    explicit compiler(std::string_view text) noexcept : text_{text} {}

    [[nodiscard]] result<pattern> run() {
        if (text_.size() > max_size) return error{errc::limit_exceeded, {}, "the pattern is too long"};
        fragment program;
        if (!alternation(program, 0)) return error{code_, {}, message_};
        if (at_ != text_.size()) return error{errc::syntax, {}, "')' at " + std::to_string(at_) + " closes nothing"};
        program.push_back({op::accept});
        pattern out;
        out.program_ = std::move(program);
        out.sets_ = std::move(sets_);
        return out;
    }

private:
    static constexpr unsigned max_depth = 32;
    static constexpr std::uint32_t unbounded = 0xffff'ffffU;

    [[nodiscard]] bool more() const noexcept { return at_ < text_.size(); }
    [[nodiscard]] bool peek(char c) const noexcept { return more() && text_[at_] == c; }
    bool take(char c) noexcept {
        if (!peek(c)) return false;
        ++at_;
        return true;
    }
    bool fail(errc code, std::string_view what) {
        code_ = code;
        message_ = std::string{what} + " at " + std::to_string(at_) + " of the pattern";
        return false;
    }
    bool append(fragment& out, const fragment& part) {
        if (out.size() + part.size() >= max_size) return fail(errc::limit_exceeded, "the pattern is too large");
        out.insert(out.end(), part.begin(), part.end());
        return true;
    }
    [[nodiscard]] static instruction jump(op code, std::size_t first, std::size_t second = 1) noexcept {
        return {code, 0, static_cast<std::int32_t>(first), static_cast<std::int32_t>(second)};
    }

    bool alternation(fragment& out, unsigned depth) {
        if (depth > max_depth) return fail(errc::limit_exceeded, "groups nested too deep");
        if (!sequence(out, depth)) return false;
        while (take('|')) {
            fragment other;
            if (!sequence(other, depth)) return false;
            fragment both{jump(op::split, 1, out.size() + 2)};
            if (!append(both, out) || !append(both, {jump(op::jump, other.size() + 1)}) || !append(both, other))
                return false;
            out = std::move(both);
        }
        return true;
    }

    bool sequence(fragment& out, unsigned depth) {
        while (more() && !peek('|') && !peek(')')) {
            fragment part;
            if (!atom(part, depth) || !repeat(part) || !append(out, part)) return false;
        }
        return true;
    }

    bool repeat(fragment& part) {
        bool repeated = false;
        while (more()) {
            std::uint32_t least = 0;
            std::uint32_t most = unbounded;
            const std::size_t begin = at_;
            if (take('*')) {
            } else if (take('+')) {
                least = 1;
            } else if (take('?')) {
                // After another repetition it asks for the shortest match first, which says nothing about a whole text.
                if (repeated) return true;
                most = 1;
            } else if (peek('{')) {
                if (!counts(least, most)) return false;
            } else {
                return true;
            }
            if (repeated) {
                at_ = begin;
                return fail(errc::unsupported, "a repetition of a repetition");
            }
            repeated = true;
            if (!multiply(part, least, most)) return false;
        }
        return true;
    }

    bool counts(std::uint32_t& least, std::uint32_t& most) {
        ++at_;
        const auto number = [this](std::uint32_t& value) {
            const std::size_t begin = at_;
            value = 0;
            for (; more() && text_[at_] >= '0' && text_[at_] <= '9' && value <= max_size; ++at_) {
                value = value * 10 + static_cast<std::uint32_t>(text_[at_] - '0');
            }
            return at_ != begin;
        };
        if (!number(least)) return fail(errc::syntax, "expected a number after '{'");
        most = least;
        if (take(',') && !number(most)) most = unbounded;
        if (least > max_size || (most != unbounded && most > max_size))
            return fail(errc::limit_exceeded, "too many repetitions");
        if (!take('}')) return fail(errc::syntax, "expected '}'");
        if (most < least) return fail(errc::syntax, "repetitions out of order");
        return true;
    }

    bool multiply(fragment& part, std::uint32_t least, std::uint32_t most) {
        fragment out;
        for (std::uint32_t i = 0; i < least; ++i) {
            if (!append(out, part)) return false;
        }
        if (most == unbounded) {
            if (!append(out, {jump(op::split, 1, part.size() + 2)}) || !append(out, part)) return false;
            out.push_back({op::jump, 0, -static_cast<std::int32_t>(part.size()) - 1, 1});
        } else {
            for (std::uint32_t i = least; i < most; ++i) {
                if (!append(out, {jump(op::split, 1, part.size() + 1)}) || !append(out, part)) return false;
            }
        }
        part = std::move(out);
        return true;
    }

    bool atom(fragment& out, unsigned depth) {
        if (take('(')) {
            if (take('?') && !take(':')) return fail(errc::unsupported, "a special group");
            if (!alternation(out, depth + 1)) return false;
            return take(')') || fail(errc::syntax, "expected ')'");
        }
        if (take('[')) return bracket(out);
        if (take('.')) return append(out, {{op::any}});
        if (take('^')) return append(out, {{op::begin}});
        if (take('$')) return append(out, {{op::end}});
        if (peek('*') || peek('+') || peek('?') || peek('{')) return fail(errc::syntax, "nothing to repeat");
        if (take('\\')) {
            char_set set;
            std::uint32_t c = 0;
            bool single = false;
            if (!escape(set, c, single)) return false;
            return single ? append(out, {{op::one, c}}) : add_set(out, std::move(set));
        }
        return append(out, {{op::one, next(text_, at_)}});
    }

    bool add_set(fragment& out, char_set set) {
        sets_.push_back(std::move(set));
        return append(out, {{op::set, static_cast<std::uint32_t>(sets_.size() - 1)}});
    }

    bool bracket(fragment& out) {
        char_set set;
        set.negated = take('^');
        for (bool first = true; first || !peek(']'); first = false) {
            range r{};
            bool single = true;
            if (!member(set, r.low, single)) return false;
            r.high = r.low;
            if (single && peek('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
                ++at_;
                if (!member(set, r.high, single)) return false;
                if (!single || r.high < r.low) return fail(errc::syntax, "a range out of order");
            }
            if (single) set.ranges.push_back(r);
        }
        ++at_;
        return add_set(out, std::move(set));
    }

    bool member(char_set& set, std::uint32_t& c, bool& single) {
        if (!more()) return fail(errc::syntax, "expected ']'");
        if (peek('[') && at_ + 1 < text_.size() && text_[at_ + 1] == ':')
            return fail(errc::unsupported, "a named class");
        single = true;
        if (take('\\')) return escape(set, c, single);
        c = next(text_, at_);
        return true;
    }

    /// What stands after a backslash: one character in `c`, or several added to `set`.
    bool escape(char_set& set, std::uint32_t& c, bool& single) {
        if (!more()) return fail(errc::syntax, "expected a character after '\\'");
        const char e = text_[at_];
        std::vector<range> ranges;
        bool opposite = false;
        single = false;
        switch (e) {
        case 'D': opposite = true; [[fallthrough]];
        case 'd': ranges = {{'0', '9'}}; break;
        case 'S': opposite = true; [[fallthrough]];
        case 's': ranges = {{'\t', '\r'}, {' ', ' '}}; break;
        case 'W': opposite = true; [[fallthrough]];
        case 'w': ranges = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}; break;
        default: single = true; break;
        }
        if (!single) {
            ++at_;
            std::uint32_t begin = 0;
            for (const range& r : ranges) {
                if (!opposite) {
                    set.ranges.push_back(r);
                    continue;
                }
                if (r.low > begin) set.ranges.push_back({begin, r.low - 1});
                begin = r.high + 1;
            }
            if (opposite) set.ranges.push_back({begin, unbounded});
            return true;
        }
        if (e == 't' || e == 'n' || e == 'r') {
            c = static_cast<std::uint32_t>(e == 't' ? '\t' : e == 'n' ? '\n' : '\r');
            ++at_;
            return true;
        }
        if ((e >= 'a' && e <= 'z') || (e >= 'A' && e <= 'Z') || (e >= '0' && e <= '9')) {
            return fail(errc::unsupported, std::string{"'\\"} + e + "'");
        }
        c = next(text_, at_);
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<char_set> sets_;
    errc code_ = errc::syntax;
    std::string message_;
};

inline result<pattern> pattern::compile(std::string_view text) { return compiler{text}.run(); }

inline bool pattern::matches(std::string_view text) const {
    std::vector<std::size_t> now;
    std::vector<std::size_t> then;
    std::vector<std::size_t> open;
    std::vector<std::size_t> seen(program_.size(),
                                  0); // the position, counted from 1, at which an instruction was last entered
    std::vector<bool> in_set(sets_.size());
    std::size_t at = 0;
    bool accepted = false;
    const auto enter = [&](std::vector<std::size_t>& list, std::size_t start) {
        open.push_back(start);
        while (!open.empty()) {
            const std::size_t pc = open.back();
            open.pop_back();
            if (seen[pc] == at + 1) continue;
            seen[pc] = at + 1;
            const instruction& i = program_[pc];
            const auto follow = [&](std::int32_t by) {
                open.push_back(static_cast<std::size_t>(static_cast<std::ptrdiff_t>(pc) + by));
            };
            switch (i.code) {
            case op::split:
                follow(i.second);
                follow(i.first);
                break;
            case op::jump: follow(i.first); break;
            case op::begin:
                if (at == 0) follow(1);
                break;
            case op::end:
                if (at == text.size()) follow(1);
                break;
            case op::accept: accepted = at == text.size(); break;
            case op::any:
            case op::one:
            case op::set: list.push_back(pc); break;
            }
        }
    };
    enter(now, 0);
    while (at < text.size() && !now.empty()) {
        const std::uint32_t c = next(text, at);
        for (std::size_t i = 0; i < sets_.size(); ++i)
            in_set[i] = sets_[i].has(c); // once, though a set may stand in many places
        then.clear();
        for (const std::size_t pc : now) {
            const instruction& i = program_[pc];
            const bool steps = i.code == op::one ? i.value == c : i.code == op::any ? c != '\n' : in_set[i.value];
            if (steps) enter(then, pc + 1);
        }
        now.swap(then);
    }
    return accepted;
}

} // namespace reheat::inline REHEAT_ABI
