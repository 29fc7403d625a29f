// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/escape.hpp>
#include <reheat/core/json_path.hpp>
#include <reheat/core/node.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/text.hpp>
#include <reheat/recovery/default_rung.hpp>
#include <reheat/recovery/limits.hpp>
#include <reheat/recovery/policy.hpp>
#include <reheat/recovery/policy_words.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

namespace detail {
class policy_reader;
} // namespace detail

/// A policy and limits as a file has them. It owns the names of the fence methods: the policy refers to them, and every
/// copy of the policy too, so keep this object as long as an engine has one. Moving it keeps the names where they are.
class policy_file {
public:
    policy_file(policy_file&&) noexcept = default;
    policy_file& operator=(policy_file&&) noexcept = default;
    policy_file(const policy_file&) = delete; // the copy's policy would refer to the names of the original
    policy_file& operator=(const policy_file&) = delete;
    ~policy_file() = default;

    [[nodiscard]] const policy& rules() const noexcept { return rules_; }
    [[nodiscard]] const limits& bounds() const noexcept { return bounds_; }

private:
    friend class detail::policy_reader;
    policy_file() = default;

    std::vector<std::string> names_;
    policy rules_;
    limits bounds_;
};

namespace detail {

/// The members of one object. The first error of the whole file is kept, and nothing is read after it.
class member_reader {
public:
    member_reader(const node& object, const json_path& at, std::span<const std::string_view> known,
                  std::optional<error>& failed)
        : object_{object}, at_{at}, failed_{failed} {
        if (!object.is_object()) fail(at, errc::syntax, "an object", object);
        // A name that is not known ends the loop, and so does one that stands twice: it is short.
        for (std::size_t i = 0; i < object.members().size() && !failed_; ++i) {
            const std::string& name = object.members()[i].first;
            bool good = false;
            for (const std::string_view k : known) good = good || k == name;
            if (!good) {
                failed_ = at.member(name).error(errc::unsupported, in_quotes(name) + " is not known here; expected " +
                                                                       one_of(known, [](auto k) { return k; }));
            } else if (object.find(name) != &object.members()[i].second) {
                failed_ = at.member(name).error(errc::already_exists, "the name stands there twice");
            }
        }
    }

    [[nodiscard]] bool good() const noexcept { return !failed_; }
    [[nodiscard]] const node* find(std::string_view name) const noexcept {
        return failed_ ? nullptr : object_.find(name);
    }
    [[nodiscard]] json_path path(std::string_view name) const noexcept { return at_.member(name); }

    template <class Integer>
    void whole(std::string_view name, Integer& out, Integer most) {
        const node* const value = find(name);
        if (value == nullptr) return;
        const std::string expected = "a whole number from 0 to " + std::to_string(most);
        if (value->type() != node::kind::number) return fail(path(name), errc::syntax, expected, *value);
        const std::string& text = value->text();
        Integer number{};
        const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
        if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || number > most)
            return fail(path(name), errc::invalid_argument, expected, *value);
        out = number;
    }

    void time(std::string_view name, duration& out, duration most = policy_words::longest_time) {
        const node* const value = find(name);
        if (value == nullptr) return;
        constexpr std::string_view expected = "a duration with its unit, as in 90s or 1h30m";
        if (!value->is_string()) return fail(path(name), errc::syntax, expected, *value);
        const result<duration> read = parse_duration(value->text());
        if (!read) return fail(path(name), errc::syntax, expected, *value);
        if (*read > most)
            return fail(path(name), errc::invalid_argument, "a duration of at most " + format_duration(most), *value);
        out = *read;
    }

    void flag(std::string_view name, bool& out) {
        const node* const value = find(name);
        if (value == nullptr) return;
        if (value->type() != node::kind::boolean) return fail(path(name), errc::syntax, "true or false", *value);
        out = value->text() == "true";
    }

    /// One of some words; without the member, `out` stays as it is.
    template <class Words, class E>
    void choice(std::string_view name, const Words& words, E& out) {
        const node* const value = find(name);
        if (value == nullptr) return;
        for (const auto& w : words) {
            if (value->is_string() && w.text == value->text()) {
                out = w.value;
                return;
            }
        }
        fail(path(name), value->is_string() ? errc::invalid_argument : errc::syntax,
             one_of(words, [](const auto& w) { return w.text; }), *value);
    }

    void fail(const json_path& at, errc code, std::string_view expected, const node& found) {
        if (!failed_) failed_ = at.error(code, "expected " + std::string{expected} + ", found " + text_of(found));
    }
    void fail(const json_path& at, errc code, std::string message) {
        if (!failed_) failed_ = at.error(code, std::move(message));
    }

private:
    [[nodiscard]] static std::string text_of(const node& n) {
        if (n.is_string()) return in_quotes(n.text());
        if (n.is_scalar()) return shown(n.text());
        return std::string{to_string(n.type())};
    }
    template <class Range, class Name>
    [[nodiscard]] static std::string one_of(const Range& range, Name name) {
        std::string out;
        std::size_t left = range.size();
        for (const auto& each : range) {
            if (!out.empty()) out += left == 1 ? " or " : ", ";
            out += name(each);
            --left;
        }
        return out;
    }

    const node& object_;
    const json_path& at_;
    std::optional<error>& failed_;
};

class policy_reader {
public:
    [[nodiscard]] result<policy_file> read(const node& file) {
        const json_path root;
        member_reader all{file, root, policy_words::file_members, failed_};
        read_schema(all);
        read_rungs(all);
        policy& p = out_.rules_;
        all.time("retry_parked", p.retry_parked);
        all.time("probation", p.probation);
        all.time("stable", p.stable);
        all.time("related", p.related);
        all.time("forensics", p.forensics);
        all.choice("returned", policy_words::returned, p.returned);
        object(all, "evidence", policy_words::evidence_members, [&p](member_reader& in) {
            in.whole("polls", p.evidence.polls, std::uint8_t{255});
            in.whole("unhealthy_polls", p.evidence.unhealthy_polls, std::uint8_t{255});
            in.whole("vantages", p.evidence.vantages, std::uint8_t{255});
            in.choice("alone", policy_words::alone, p.evidence.alone);
            in.time("max_age", p.evidence.max_age);
        });
        object(all, "fencing", policy_words::fencing_members, [this](member_reader& in) { read_fencing(in); });
        object(all, "limits", policy_words::limits_members, [this](member_reader& in) { read_limits(in); });
        if (failed_) return std::move(*failed_);
        return std::move(out_);
    }

private:
    template <class Read>
    void object(member_reader& above, std::string_view name, std::span<const std::string_view> known, Read read) {
        const node* const value = above.find(name);
        if (value == nullptr) return;
        const json_path at = above.path(name);
        member_reader in{*value, at, known, failed_};
        read(in);
    }

    static void read_schema(member_reader& in) {
        const node* const schema = in.find("$schema");
        if (schema != nullptr && !schema->is_string())
            in.fail(in.path("$schema"), errc::syntax, "the address of a schema", *schema);
    }

    void read_rungs(member_reader& in) {
        const node* const rungs = in.find("rungs");
        if (!in.good()) return;
        const json_path at = in.path("rungs");
        if (rungs == nullptr) return in.fail(at, errc::not_found, "expected a list of rungs, found nothing");
        if (!rungs->is_array()) return in.fail(at, errc::syntax, "a list of rungs", *rungs);
        if (rungs->items().size() > policy::most_rungs) {
            return in.fail(at, errc::limit_exceeded,
                           "expected at most " + std::to_string(policy::most_rungs) + " rungs, found " +
                               std::to_string(rungs->items().size()));
        }
        for (std::size_t i = 0; i < rungs->items().size(); ++i) {
            const json_path here = at.item(i);
            member_reader members{rungs->items()[i], here, policy_words::rung_members, failed_};
            out_.rules_.add(read_rung(members));
        }
    }

    /// What the file leaves out, the type of the rung has.
    rung read_rung(member_reader& in) {
        operation what = operation::none;
        in.choice("operation", policy_words::operations, what);
        if (in.good() && what == operation::none)
            in.fail(in.path("operation"), errc::not_found, "expected the operation of the rung, found nothing");
        rung r = default_rung(what).value_or(rung{});
        in.whole("attempts", r.burst.count, std::uint16_t{65'535});
        in.time("within", r.burst.within, policy_words::longest_window);
        read_budget(in, "sustained", r.sustained);
        in.time("verify", r.verify);
        in.time("grace", r.grace);
        in.time("timeout", r.timeout);
        in.choice("approval", policy_words::consents, r.approval);
        object(in, "wait", policy_words::wait_members, [&r](member_reader& wait) {
            wait.time("first", r.wait.first);
            wait.time("most", r.wait.most);
            wait.flag("full_jitter", r.wait.full_jitter);
            wait.whole("spread", r.wait.spread, std::uint8_t{100});
        });
        if (in.find("how") != nullptr && what != operation::reboot_instance)
            in.fail(in.path("how"), errc::unsupported, "only reboot_instance has a how");
        in.choice("how", policy_words::reboots, r.how);
        return r;
    }

    void read_fencing(member_reader& in) {
        in.flag("parallel", out_.rules_.fencing.parallel);
        const node* const methods = in.find("methods");
        if (methods == nullptr) return;
        const json_path at = in.path("methods");
        const std::size_t size = methods->items().size();
        if (!methods->is_array()) return in.fail(at, errc::syntax, "a list of names", *methods);
        if (size > fence_rules::most_methods) {
            return in.fail(at, errc::limit_exceeded,
                           "expected at most " + std::to_string(fence_rules::most_methods) + " names, found " +
                               std::to_string(size));
        }
        out_.names_.reserve(size); // the policy refers to each of them
        for (std::size_t i = 0; i < size; ++i) {
            const node& name = methods->items()[i];
            if (!name.is_string() || !is_name(name.text())) {
                return in.fail(at.item(i), name.is_string() ? errc::invalid_argument : errc::syntax,
                               "a name of 1 to " + std::to_string(policy_words::longest_name) + " bytes of UTF-8",
                               name);
            }
            out_.names_.push_back(name.text());
            out_.rules_.fencing.methods[i] = out_.names_.back();
        }
    }

    [[nodiscard]] static bool is_name(std::string_view text) noexcept {
        if (text.empty() || text.size() > policy_words::longest_name) return false;
        while (!text.empty()) {
            const std::size_t size = utf8_size(text);
            if (size == 0) return false; // no file could be written with it
            text.remove_prefix(size);
        }
        return true;
    }

    void read_limits(member_reader& in) {
        limits& l = out_.bounds_;
        object(in, "breaker", policy_words::breaker_members, [&](member_reader& breaker) {
            read_share(breaker, "group", l.breaker.group);
            read_share(breaker, "domain", l.breaker.domain);
            breaker.whole("counted_from", l.breaker.counted_from, most_uint32);
            breaker.time("cooldown", l.breaker.cooldown);
        });
        object(in, "silence", policy_words::silence_members, [&](member_reader& silence) {
            silence.whole("targets", l.silence.targets, most_uint32);
            silence.whole("domains", l.silence.domains, most_uint32);
            read_share(silence, "cliff", l.silence.cliff);
            silence.time("within", l.silence.within);
        });
        read_share(in, "in_flight", l.in_flight);
        read_share(in, "services_in_flight", l.services_in_flight);
        in.time("between", l.between);
        in.time("start_hold", l.start_hold);
        in.time("yield_to_higher", l.yield_to_higher);
        read_shared(in, "group", l.group);
        read_shared(in, "domain", l.domain);
        read_shared(in, "all", l.all);
        read_budget(in, "api", l.api);
    }

    void read_budget(member_reader& in, std::string_view name, budget& out) {
        object(in, name, policy_words::budget_members, [&out](member_reader& b) {
            b.whole("count", out.count, std::uint16_t{65'535});
            b.time("within", out.within, policy_words::longest_window);
        });
    }
    void read_share(member_reader& in, std::string_view name, share& out) {
        object(in, name, policy_words::share_members, [&out](member_reader& s) {
            s.whole("percent", out.percent, std::uint8_t{100});
            s.whole("least", out.least, most_uint32);
        });
    }
    void read_shared(member_reader& in, std::string_view name, shared_budget& out) {
        object(in, name, policy_words::shared_members, [&](member_reader& b) {
            read_budget(b, "burst", out.burst);
            read_budget(b, "sustained", out.sustained);
        });
    }

    static constexpr std::uint32_t most_uint32 = 4'294'967'295;

    std::optional<error> failed_;
    policy_file out_;
};

} // namespace detail

/// Reads a policy and limits from a file that an adapter has parsed. `docs/reference/policies.md` has the members and
/// `docs/reference/policy.schema.json` the schema; what is left out is as the type of the rung, `policy` and `limits`
/// have it. Any thread.
///
/// Errors: `where` is the path in the file, `message` what was expected there and what was found; unknown members,
/// wrong types, durations without a unit and numbers out of range are errors.
///
///     const auto file = nlohmann_json{}.read(text);
///     const auto ha = file ? read_policy(*file) : result<policy_file>{file.error()};
///     if (!ha) return fail(to_string(ha.error())); // $.rungs[2].verify: expected a duration with its unit, ...
[[nodiscard]] inline result<policy_file> read_policy(const node& file) { return detail::policy_reader{}.read(file); }

/// The same from the text of the file.
///
///     const auto ha = read_policy(text, nlohmann_json{});
template <json_reader Reader>
[[nodiscard]] result<policy_file> read_policy(std::string_view text, const Reader& json) {
    const result<node> file = json.read(text, read_limits{});
    if (!file) return file.error();
    return read_policy(*file);
}

} // namespace reheat::inline REHEAT_ABI
