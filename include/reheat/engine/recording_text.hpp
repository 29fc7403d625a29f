// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/json_path.hpp>
#include <reheat/core/parse_time.hpp>
#include <reheat/core/text.hpp>
#include <reheat/engine/recording_fields.hpp>

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

// A recording as text. The first line is `reheat-recording 1`; every other one is a time, a word that says what was
// told, and its fields as `name=value`; a field that is left out has its default. A blank line and one that begins with
// `#` say nothing. `docs/explanation/backtest.md` has the words and their fields.
//
//     reheat-recording 1
//     before policy which=0 1.what=restart_service 1.attempts=3 1.within=5m …
//     before instance name=db-1 stack=wiki host=h7
//     2026-01-01T00:00:00Z watch target=1 from=2026-01-01T00:00:00Z statistic=SampleCount period=1m …
//     2026-01-01T00:00:30Z sample watch=0 value=1

namespace reheat::inline REHEAT_ABI {

namespace detail::form {

inline constexpr std::string_view recording_header = "reheat-recording 1";
/// Durations and times that their usual form does not reach are written as whole nanoseconds.
inline constexpr duration longest_written = std::chrono::days{36'500};
inline constexpr time_point first_written{std::chrono::sys_days{std::chrono::year{1678} / 1 / 1}.time_since_epoch()};
inline constexpr time_point last_written{std::chrono::sys_days{std::chrono::year{2261} / 12 / 31}.time_since_epoch()};

/// Appends the fields of one line.
class field_writer {
public:
    explicit field_writer(std::string& out) noexcept : out_{out} {}

    void operator()(std::string_view key, std::string_view text) {
        if (text.empty()) return;
        begin(key);
        bool bare = text.front() != '"';
        for (const char c : text) bare = bare && c > ' ' && c <= '~';
        if (bare) {
            out_ += text;
            return;
        }
        constexpr std::string_view hex = "0123456789abcdef";
        out_ += '"';
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\') {
                out_ += '\\';
                out_ += c;
            } else if (c >= ' ' && c <= '~') {
                out_ += c;
            } else {
                out_ += "\\x";
                out_ += hex[byte >> 4U];
                out_ += hex[byte & 0xFU];
            }
        }
        out_ += '"';
    }
    void operator()(std::string_view key, const std::string& text) { (*this)(key, std::string_view{text}); }
    void operator()(std::string_view key, bool on) {
        begin(key);
        out_ += on ? "yes" : "no";
    }
    void operator()(std::string_view key, const std::optional<bool>& on) {
        if (on) (*this)(key, *on);
    }
    void operator()(std::string_view key, time_point at) {
        begin(key);
        append_time(out_, at);
    }
    void operator()(std::string_view key, duration d) {
        begin(key);
        out_ += d >= duration::zero() && d <= longest_written ? format_duration(d) : std::to_string(d.count());
    }
    void operator()(std::string_view key, double value) {
        begin(key);
        std::array<char, 40> digits{};
        out_ += std::string_view{digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
    }
    template <std::unsigned_integral T>
    void operator()(std::string_view key, T number) {
        begin(key);
        out_ += std::to_string(number);
    }
    void operator()(std::string_view key, target_id target) {
        if (target != no_target) (*this)(key, static_cast<std::uint32_t>(target));
    }
    template <class E>
        requires std::is_enum_v<E>
    void operator()(std::string_view key, E value) {
        const auto n = static_cast<std::underlying_type_t<E>>(value);
        if constexpr (words<E>::count == 0) (*this)(key, n);
        else (*this)(key, n < words<E>::count ? words<E>::of(n) : std::string_view{"?"});
    }

    static void append_time(std::string& out, time_point at) {
        if (at == never) out += "never";
        else if (at == (time_point::min)()) out += "before";
        else if (at >= first_written && at <= last_written) out += format_time(at);
        else out += '@' + std::to_string(at.time_since_epoch().count());
    }

private:
    void begin(std::string_view key) {
        out_ += ' ';
        out_ += key;
        out_ += '=';
    }
    std::string& out_;
};

/// Gives the fields of one line to whoever asks for them by name. The first error stays.
class field_reader {
public:
    static constexpr std::size_t most_fields = 256;

    /// Takes a line's fields apart.
    explicit field_reader(std::string_view line) {
        for (;;) {
            while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
            if (line.empty()) return;
            const std::size_t key = line.find_first_of("= ");
            const char* wrong = nullptr;
            if (key == std::string_view::npos || key == 0 || line[key] != '=') wrong = "expected name=value";
            else if (fields_.size() == most_fields) wrong = "expected at most 256 fields";
            else if (has(line.substr(0, key))) wrong = "it is there twice";
            if (wrong != nullptr) {
                fail(line, wrong);
                return;
            }
            field f{line.substr(0, key), {}, false};
            line.remove_prefix(key + 1);
            if (!line.empty() && line.front() == '"') {
                if (!unquote(line, f.value)) return;
            } else {
                f.value = line.substr(0, line.find(' '));
                line.remove_prefix(f.value.size());
            }
            fields_.push_back(std::move(f));
        }
    }
    [[nodiscard]] bool has(std::string_view key) const noexcept {
        for (const field& f : fields_) {
            if (f.key == key) return true;
        }
        return false;
    }
    /// The first error; also for a field that nobody has asked for.
    [[nodiscard]] const std::string& problem() {
        for (const field& f : fields_) {
            if (!f.used) fail(f.key, "there is no such field here");
        }
        return problem_;
    }

    void operator()(std::string_view key, std::string& to) {
        if (field* f = use(key)) to = f->value;
    }
    void operator()(std::string_view key, bool& to) {
        field* f = use(key);
        if (f == nullptr) return;
        if (f->value != "yes" && f->value != "no") return fail(key, "expected yes or no");
        to = f->value == "yes";
    }
    void operator()(std::string_view key, std::optional<bool>& to) {
        if (has(key)) (*this)(key, to.emplace());
    }
    void operator()(std::string_view key, time_point& to) {
        if (field* f = use(key); f != nullptr && !take_time(f->value, to)) fail(key, "expected a time");
    }
    void operator()(std::string_view key, duration& to) {
        field* f = use(key);
        if (f == nullptr) return;
        if (auto read = parse_duration(f->value)) {
            to = *read;
        } else {
            std::int64_t count = 0;
            if (!take_number(f->value, count) || count < 0) return fail(key, "expected a duration, as in 1m30s");
            to = duration{count};
        }
    }
    void operator()(std::string_view key, double& to) {
        if (field* f = use(key); f != nullptr && !take_number(f->value, to)) fail(key, "expected a number");
    }
    template <std::unsigned_integral T>
    void operator()(std::string_view key, T& to) {
        if (field* f = use(key); f != nullptr && !take_number(f->value, to))
            fail(key, "expected a whole number that is not too large");
    }
    template <class E>
        requires std::is_enum_v<E>
    void operator()(std::string_view key, E& to) {
        if constexpr (words<E>::count == 0) {
            auto number = static_cast<std::underlying_type_t<E>>(to);
            (*this)(key, number);
            to = static_cast<E>(number);
        } else {
            field* f = use(key);
            if (f == nullptr) return;
            for (std::size_t n = 0; n < words<E>::count; ++n) {
                if (words<E>::of(n) == f->value) {
                    to = static_cast<E>(n);
                    return;
                }
            }
            fail(key, "there is no such word");
        }
    }
    /// The name of a fence's method, as it stands here; the recording copies it.
    void operator()(std::string_view key, std::string_view& to) {
        if (field* f = use(key)) to = f->value;
    }

    [[nodiscard]] static bool take_time(std::string_view text, time_point& to) {
        if (text == "never") {
            to = never;
        } else if (text == "before") {
            to = (time_point::min)();
        } else if (text.starts_with('@')) {
            std::int64_t count = 0;
            if (!take_number(text.substr(1), count)) return false;
            to = time_point{duration{count}};
        } else {
            auto read = parse_time(text);
            if (!read) return false;
            to = *read;
        }
        return true;
    }

private:
    struct field {
        std::string_view key;
        std::string value;
        bool used;
    };

    template <class T>
    [[nodiscard]] static bool take_number(std::string_view text, T& to) noexcept {
        const char* const end = text.data() + text.size();
        T read{};
        const auto [stop, wrong] = std::from_chars(text.data(), end, read);
        if (text.empty() || wrong != std::errc{} || stop != end) return false;
        to = read;
        return true;
    }
    [[nodiscard]] field* find(std::string_view key) noexcept {
        for (field& f : fields_) {
            if (f.key == key) return &f;
        }
        return nullptr;
    }
    [[nodiscard]] field* use(std::string_view key) noexcept {
        field* f = find(key);
        if (f != nullptr) f->used = true;
        return f;
    }
    void fail(std::string_view what, std::string_view message) {
        if (problem_.empty()) problem_ = detail::in_quotes(what) + ": " + std::string{message};
    }
    /// Takes a text in quotes off the front of a line.
    [[nodiscard]] bool unquote(std::string_view& line, std::string& to) {
        const auto digit = [](char c) {
            return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        };
        const std::string_view whole = line;
        for (line.remove_prefix(1); !line.empty(); line.remove_prefix(1)) {
            const char c = line.front();
            if (c == '"') {
                line.remove_prefix(1);
                return true;
            }
            if (c != '\\') {
                to += c;
                continue;
            }
            line.remove_prefix(1);
            if (line.empty()) break;
            if (line.front() == '"' || line.front() == '\\') {
                to += line.front();
            } else if (line.front() == 'x' && line.size() > 2 && digit(line[1]) >= 0 && digit(line[2]) >= 0) {
                to += static_cast<char>(digit(line[1]) * 16 + digit(line[2]));
                line.remove_prefix(2);
            } else {
                fail(whole, R"(expected \", \\ or \x and two digits)");
                return false;
            }
        }
        fail(whole, "expected a quote at its end");
        return false;
    }

    std::vector<field> fields_;
    std::string problem_;
};

/// The fields of one rung, as `3.what`.
template <class Ar>
struct numbered_fields {
    Ar& ar;
    std::size_t number;

    template <class T>
    void operator()(std::string_view key, T&& value) {
        ar(std::to_string(number) + '.' + std::string{key}, std::forward<T>(value));
    }
};

inline void append_policy(std::string& out, const recorded::given_policy& which, const policy& p) {
    field_writer ar{out};
    ar("which", which.which);
    ar("replaces", which.replaces);
    fields(ar, p);
    for (std::size_t n = 0; n < p.size(); ++n) {
        numbered_fields<field_writer> of_rung{ar, n + 1};
        fields(of_rung, p.rungs()[n]);
    }
}

[[nodiscard]] inline policy take_policy(field_reader& ar, recorded::given_policy& which) {
    policy p;
    ar("which", which.which);
    ar("replaces", which.replaces);
    fields(ar, p);
    for (std::size_t n = 1; n <= policy::most_rungs && ar.has(std::to_string(n) + ".what"); ++n) {
        rung r;
        numbered_fields<field_reader> of_rung{ar, n};
        fields(of_rung, r);
        p.add(r);
    }
    return p;
}

/// Reads a recording line by line.
class recording_reader {
public:
    static constexpr std::size_t longest_line = 32'768;

    explicit recording_reader(std::size_t most_inputs) noexcept : most_{most_inputs} {}

    result<recording> read(std::string_view text) {
        bool begun = false;
        while (!text.empty()) {
            std::string_view line = text.substr(0, text.find('\n'));
            text.remove_prefix(line.size() + (line.size() < text.size() ? 1 : 0));
            if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
            ++line_;
            if (line.size() > longest_line) return located(errc::limit_exceeded, "expected at most 32768 bytes");
            if (line == recording_header) {
                begun = true; // again where the next part follows
                continue;
            }
            if (!begun) return located(errc::syntax, "expected 'reheat-recording 1'");
            if (line.empty() || line.front() == '#') continue;
            if (read_.size() >= most_)
                return located(errc::limit_exceeded, "expected at most " + std::to_string(most_) + " inputs");
            if (std::string problem = read_line(line); !problem.empty())
                return located(errc::syntax, std::move(problem));
        }
        if (!begun) return located(errc::syntax, "expected 'reheat-recording 1'");
        return std::move(read_);
    }

private:
    [[nodiscard]] error located(errc code, std::string message) const {
        return {code, "line " + std::to_string(line_ == 0 ? 1 : line_), std::move(message)};
    }
    [[nodiscard]] static std::string_view take_word(std::string_view& line) noexcept {
        const std::string_view word = line.substr(0, line.find(' '));
        line.remove_prefix(word.size());
        while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
        return word;
    }

    [[nodiscard]] std::string read_line(std::string_view line) {
        const std::string_view when = take_word(line);
        time_point at{};
        if (!field_reader::take_time(when, at)) return detail::in_quotes(when) + ": expected a time";
        const std::string_view word = take_word(line);
        field_reader in{line};
        if (word == "options") {
            fields(in, read_.options);
            return in.problem();
        }
        if (word == "lost") {
            std::uint64_t lost = 0;
            in("inputs", lost);
            read_.lost += lost;
            return in.problem();
        }
        if (word == "policy") {
            recorded::given_policy which;
            const policy p = take_policy(in, which);
            if (std::string problem = in.problem(); !problem.empty()) return problem;
            which.number = read_.add_policy(p);
            read_.add(at, which);
            return {};
        }
        std::string problem = detail::in_quotes(word) + ": there is no such input";
        recording::inputs::any_type([&]<class T>(std::type_identity<T>) {
            if constexpr (input_word<T>.empty()) {
                return false;
            } else {
                if (word != input_word<T>) return false;
                T what{};
                fields(in, what);
                problem = in.problem();
                if (problem.empty()) problem = check(what);
                if (problem.empty()) read_.add(at, std::move(what));
                return true;
            }
        });
        return problem;
    }

    template <class T>
    [[nodiscard]] std::string check(const T& what) {
        if constexpr (std::same_as<T, recorded::watch>) {
            ++watches_;
            if (auto valid = validate(what.rule); !valid) return to_string(valid.error());
        } else if constexpr (std::same_as<T, recorded::sample> || std::same_as<T, recorded::stamped_sample>) {
            if (what.watch >= watches_) return "there is no watch " + std::to_string(what.watch) + " yet";
        }
        return {};
    }

    recording read_;
    std::size_t most_;
    std::size_t line_ = 0;
    std::uint32_t watches_ = 0;
};

} // namespace detail::form

/// Appends a recording as text; `read_recording` reads it back. The texts of consecutive parts (`recorder::take`), one
/// after the other, are one recording.
inline void append_text(std::string& out, const recording& of) {
    out += detail::form::recording_header;
    out += "\nbefore options";
    detail::form::field_writer ar{out};
    detail::form::fields(ar, of.options);
    out += '\n';
    if (of.lost != 0) out += "before lost inputs=" + std::to_string(of.lost) + '\n';
    of.each([&](time_point at, const auto& what) {
        using input = std::remove_cvref_t<decltype(what)>;
        detail::form::field_writer::append_time(out, at);
        out += ' ';
        if constexpr (std::same_as<input, recorded::given_policy>) {
            out += "policy";
            detail::form::append_policy(out, what, of.policies[what.number]);
        } else {
            out += detail::form::input_word<input>;
            detail::form::fields(ar, what);
        }
        out += '\n';
    });
}

[[nodiscard]] inline std::string to_text(const recording& of) {
    std::string out;
    append_text(out, of);
    return out;
}

/// Reads a recording that `to_text` wrote, or somebody by hand. Errors name the line: a word or a value that is not
/// known, a field that does not belong there, a line of more than 32 KiB, more than `most_inputs` lines of input. What
/// it allocates is in proportion to the text.
[[nodiscard]] inline result<recording> read_recording(std::string_view text, std::size_t most_inputs = 16'000'000) {
    return detail::form::recording_reader{most_inputs}.read(text);
}

} // namespace reheat::inline REHEAT_ABI
