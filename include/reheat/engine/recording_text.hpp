// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/json_path.hpp>
#include <reheat/core/parse_time.hpp>
#include <reheat/core/text.hpp>
#include <reheat/engine/recording.hpp>

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

// The words of an enumeration, in the order of its values.
template <class E>
struct words;
template <class E, std::size_t Count>
struct words_by_to_string {
    static constexpr std::size_t count = Count;
    static constexpr std::string_view of(std::size_t n) noexcept { return to_string(static_cast<E>(n)); }
};
template <>
struct words<operation> : words_by_to_string<operation, operation_count> {};
template <>
struct words<operator_verb> : words_by_to_string<operator_verb, 9> {};
template <>
struct words<proof_kind> : words_by_to_string<proof_kind, 4> {};
template <>
struct words<outcome_code> : words_by_to_string<outcome_code, 4> {};
template <>
struct words<health> : words_by_to_string<health, 3> {};
template <>
struct words<vantage> : words_by_to_string<vantage, vantage_count> {};
template <>
struct words<comparison> : words_by_to_string<comparison, 9> {};
template <>
struct words<statistic> : words_by_to_string<statistic, 5> {}; // `extended` needs more than a word
template <std::size_t Count>
struct words_in {
    std::array<std::string_view, Count> all;
};
template <class E>
inline constexpr words_in<0> listed{};
template <>
inline constexpr words_in<3> listed<single_vantage>{{"fence_first", "wait", "act"}};
template <>
inline constexpr words_in<4> listed<return_rule>{{"keep_replacement", "keep_original", "longest_running", "stop_both"}};
template <>
inline constexpr words_in<2> listed<consent>{{"none", "required"}};
template <>
inline constexpr words_in<3> listed<reboot_kind>{{"soft_then_hard", "soft", "hard"}};
template <>
inline constexpr words_in<2> listed<alignment>{{"grid", "watch"}};
template <>
inline constexpr words_in<4> listed<missing_data>{{"missing", "breaching", "not_breaching", "ignore"}};
template <>
inline constexpr words_in<2> listed<empty_period>{{"counts_missing", "counts_zero"}};
template <>
inline constexpr words_in<2> listed<low_sample_option>{{"evaluate", "ignore"}};
template <>
inline constexpr words_in<2> listed<agreement>{{"m_of_n", "unanimous"}};
template <>
inline constexpr words_in<3> listed<repetition>{{"on_transition", "every_evaluation", "re_sent"}};
template <class E>
struct words {
    static constexpr std::size_t count = listed<E>.all.size();
    static constexpr std::string_view of(std::size_t n) noexcept { return listed<E>.all[n]; }
};

// What is written is what is read: each type lists its fields once, for a writer and for a reader.

template <class V, class T>
concept either = std::same_as<std::remove_const_t<V>, T>;

template <class Ar, either<recorded::added_stack> V>
void fields(Ar& ar, V& v) {
    ar("name", v.name);
}
template <class Ar, either<recorded::added_instance> V>
void fields(Ar& ar, V& v) {
    ar("name", v.name);
    ar("stack", v.stack);
    ar("host", v.host);
    ar("rack", v.rack);
    ar("zone", v.zone);
    ar("cloud_id", v.cloud_id);
    ar("group", v.group);
    ar("keep", v.keep);
    ar("priority", v.priority);
}
template <class Ar, either<recorded::added_service> V>
void fields(Ar& ar, V& v) {
    ar("name", v.name);
    ar("on", v.on);
    ar("priority", v.priority);
}
template <class Ar, either<recorded::used_policy> V>
void fields(Ar& ar, V& v) {
    ar("target", v.target);
    ar("policy", v.rules);
}
template <class Ar, either<recorded::dependency> V>
void fields(Ar& ar, V& v) {
    ar("target", v.dependent);
    ar("on", v.on);
}
template <class Ar, either<recorded::watch> V>
void fields(Ar& ar, V& v) {
    ar("target", v.target);
    ar("from", v.from);
    auto& r = v.rule;
    ar("statistic", r.of.statistic.which);
    ar("period", r.of.period);
    ar("align", r.of.align);
    ar("step", r.of.step);
    ar("compare", r.compare.which);
    ar("threshold", r.threshold);
    ar("upper_threshold", r.upper_threshold);
    ar("evaluation_periods", r.evaluation_periods);
    ar("datapoints_to_alarm", r.datapoints_to_alarm);
    ar("look_back", r.look_back);
    ar("premature", r.premature);
    ar("raise", r.raise);
    ar("treat_missing", r.treat_missing);
    ar("empty", r.empty);
    ar("low_samples", r.low_samples);
    ar("actions", r.actions);
    ar("resend_after", r.resend_after);
    ar("pending_period", r.pending_period);
    ar("recovery_period", r.recovery_period);
    ar("grace", r.grace);
    ar("warm_up", r.warm_up);
    ar("whole_warm_up", r.whole_warm_up);
}
template <class Ar, either<recorded::sample> V>
void fields(Ar& ar, V& v) {
    ar("watch", v.watch);
    ar("value", v.value);
}
template <class Ar, either<recorded::stamped_sample> V>
void fields(Ar& ar, V& v) {
    ar("watch", v.watch);
    ar("value", v.value);
    ar("of", v.of);
}
template <class Ar, either<observation> V>
void fields(Ar& ar, V& v) {
    ar("target", v.target);
    ar("from", v.from);
    ar("seen", v.seen);
    ar("of", v.at);
    ar("polled", v.polled);
    ar("witness", v.witness);
}
template <class Ar, either<recorded::operator_word> V>
void fields(Ar& ar, V& v) {
    ar("verb", v.what);
    ar("target", v.target);
    ar("expires", v.expires);
    ar("who", v.who);
    ar("reason", v.reason);
}
template <class Ar, class V>
    requires either<V, recorded::creation_order> || either<V, recorded::guest_restart>
void fields(Ar& ar, V& v) {
    ar("target", v.target);
}
template <class Ar, either<recorded::host_word> V>
void fields(Ar& ar, V& v) {
    ar("host", v.host);
    ar("dead", v.dead);
    ar("by", v.by);
}
template <class Ar, either<lease> V>
void fields(Ar& ar, V& v) {
    ar("target", v.target);
    ar("until", v.until);
    ar("watchdog", v.watchdog);
    ar("tied", v.tied);
}
template <class Ar, either<recorded::sighting> V>
void fields(Ar& ar, V& v) {
    ar("target", v.target);
    ar("cloud_id", v.cloud_id);
    ar("host", v.host);
    ar("running_since", v.running_since);
}
template <class Ar, either<recorded::capacity> V>
void fields(Ar& ar, V& v) {
    ar("zone", v.zone);
    ar("room", v.room);
}
template <class Ar, either<recorded::leadership> V>
void fields(Ar& ar, V& v) {
    ar("epoch", v.reign);
}
template <class Ar, either<recorded::overflow> V>
void fields(Ar& ar, V& v) {
    ar("lost", v.lost);
}
template <class Ar, either<recorded::journal_word> V>
void fields(Ar& ar, V& v) {
    ar("well", v.well);
}
template <class Ar, either<recorded::call> V>
void fields(Ar& ar, V& v) {
    ar("op", v.op);
    ar("what", v.what);
    ar("target", v.target);
}
template <class Ar, either<recorded::completion> V>
void fields(Ar& ar, V& v) {
    ar("op", v.op);
    ar("code", v.result.code);
    ar("exists", v.result.seen.exists);
    ar("running", v.result.seen.running);
    ar("vouched", v.result.seen.vouched);
    ar("cloud_id", v.result.seen.cloud_id);
    ar("boot_id", v.result.seen.boot_id);
    ar("host", v.result.seen.host);
    ar("address", v.result.seen.address);
    ar("reason", v.result.reason);
    ar("retry_after", v.result.retry_after);
    ar("repeated", v.repeated);
}
template <class Ar, either<recorded::step> V>
void fields(Ar&, V&) {}
template <class Ar, either<recorded::late_step> V>
void fields(Ar& ar, V& v) {
    ar("due", v.due);
}
template <class Ar, either<recorded::clock_jump> V>
void fields(Ar& ar, V& v) {
    ar("to", v.to);
}

template <class Ar, either<share> V>
void share_fields(Ar& ar, std::string_view percent, std::string_view least, V& v) {
    ar(percent, v.percent);
    ar(least, v.least);
}
template <class Ar, either<budget> V>
void budget_fields(Ar& ar, std::string_view count, std::string_view within, V& v) {
    ar(count, v.count);
    ar(within, v.within);
}
template <class Ar, either<rung> V>
void fields(Ar& ar, V& v) {
    ar("what", v.what);
    budget_fields(ar, "attempts", "within", v.burst);
    budget_fields(ar, "sustained", "sustained_within", v.sustained);
    ar("verify", v.verify);
    ar("grace", v.grace);
    ar("timeout", v.timeout);
    ar("approval", v.approval);
    ar("how", v.how);
    ar("wait_first", v.wait.first);
    ar("wait_most", v.wait.most);
    ar("wait_full_jitter", v.wait.full_jitter);
    ar("wait_spread", v.wait.spread);
}
/// All of a policy but its rungs.
template <class Ar, either<policy> V>
void fields(Ar& ar, V& v) {
    ar("retry_parked", v.retry_parked);
    ar("probation", v.probation);
    ar("stable", v.stable);
    ar("related", v.related);
    ar("forensics", v.forensics);
    ar("polls", v.evidence.polls);
    ar("unhealthy_polls", v.evidence.unhealthy_polls);
    ar("vantages", v.evidence.vantages);
    ar("alone", v.evidence.alone);
    ar("max_age", v.evidence.max_age);
    ar("returned", v.returned);
    ar("fence1", v.fencing.methods[0]);
    ar("fence2", v.fencing.methods[1]);
    ar("fence3", v.fencing.methods[2]);
    ar("fence4", v.fencing.methods[3]);
    ar("fences_in_parallel", v.fencing.parallel);
}
template <class Ar, either<engine_options> V>
void fields(Ar& ar, V& v) {
    ar("epoch", v.reign);
    ar("seed", v.seed);
    ar("proof_validity", v.proof_validity);
    ar("fence_timeout", v.fence_timeout);
    ar("create_timeout", v.create_timeout);
    ar("read_back_every", v.read_back_every);
    ar("page_after", v.page_after);
    ar("doubts", v.doubts.on);
    ar("most_late", v.doubts.most_late);
    ar("shadow", v.shadow);
    auto& b = v.bounds;
    share_fields(ar, "breaker_group", "breaker_group_least", b.breaker.group);
    share_fields(ar, "breaker_domain", "breaker_domain_least", b.breaker.domain);
    ar("breaker_from", b.breaker.counted_from);
    ar("breaker_cooldown", b.breaker.cooldown);
    ar("silence_targets", b.silence.targets);
    ar("silence_domains", b.silence.domains);
    share_fields(ar, "cliff", "cliff_least", b.silence.cliff);
    ar("silence_within", b.silence.within);
    share_fields(ar, "in_flight", "in_flight_least", b.in_flight);
    share_fields(ar, "services_in_flight", "services_in_flight_least", b.services_in_flight);
    ar("between", b.between);
    ar("start_hold", b.start_hold);
    ar("yield_to_higher", b.yield_to_higher);
    budget_fields(ar, "group_burst", "group_burst_within", b.group.burst);
    budget_fields(ar, "group_sustained", "group_sustained_within", b.group.sustained);
    budget_fields(ar, "domain_burst", "domain_burst_within", b.domain.burst);
    budget_fields(ar, "domain_sustained", "domain_sustained_within", b.domain.sustained);
    budget_fields(ar, "all_burst", "all_burst_within", b.all.burst);
    budget_fields(ar, "all_sustained", "all_sustained_within", b.all.sustained);
    budget_fields(ar, "api", "api_within", b.api);
}

// The word of each input.
template <class T>
inline constexpr std::string_view input_word{};
template <>
inline constexpr std::string_view input_word<recorded::added_stack>{"stack"};
template <>
inline constexpr std::string_view input_word<recorded::added_instance>{"instance"};
template <>
inline constexpr std::string_view input_word<recorded::added_service>{"service"};
template <>
inline constexpr std::string_view input_word<recorded::used_policy>{"use_policy"};
template <>
inline constexpr std::string_view input_word<recorded::dependency>{"depends"};
template <>
inline constexpr std::string_view input_word<recorded::watch>{"watch"};
template <>
inline constexpr std::string_view input_word<recorded::sample>{"sample"};
template <>
inline constexpr std::string_view input_word<recorded::stamped_sample>{"stamped_sample"};
template <>
inline constexpr std::string_view input_word<observation>{"observation"};
template <>
inline constexpr std::string_view input_word<recorded::operator_word>{"operator"};
template <>
inline constexpr std::string_view input_word<recorded::creation_order>{"order_creation"};
template <>
inline constexpr std::string_view input_word<recorded::guest_restart>{"guest_restarted"};
template <>
inline constexpr std::string_view input_word<recorded::host_word>{"host"};
template <>
inline constexpr std::string_view input_word<lease>{"lease"};
template <>
inline constexpr std::string_view input_word<recorded::sighting>{"sighted"};
template <>
inline constexpr std::string_view input_word<recorded::capacity>{"capacity"};
template <>
inline constexpr std::string_view input_word<recorded::leadership>{"leads"};
template <>
inline constexpr std::string_view input_word<recorded::overflow>{"overflow"};
template <>
inline constexpr std::string_view input_word<recorded::journal_word>{"journal"};
template <>
inline constexpr std::string_view input_word<recorded::call>{"call"};
template <>
inline constexpr std::string_view input_word<recorded::completion>{"completion"};
template <>
inline constexpr std::string_view input_word<recorded::step>{"step"};
template <>
inline constexpr std::string_view input_word<recorded::late_step>{"late_step"};
template <>
inline constexpr std::string_view input_word<recorded::clock_jump>{"clock_jump"};

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
