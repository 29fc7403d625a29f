// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/json_path.hpp>
#include <reheat/core/node.hpp>
#include <reheat/core/result.hpp>
#include <reheat/sim/cloud_protocol.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::cloud_protocol {

inline constexpr read_limits line_limits{.bytes = longest_line, .depth = 3, .nodes = 256};
inline constexpr std::size_t most_names = 64; ///< in one list

namespace detail {

/// Takes the members of one object by their names; the first thing that is wrong stays. At the end nothing may be left.
class fields {
public:
    explicit fields(const node& from) : from_{&from}, taken_(from.members().size(), false) {
        if (!from.is_object())
            fail({}, errc::syntax, "expected an object, found " + std::string{to_string(from.type())});
    }

    /// Empty text where it is missing.
    [[nodiscard]] std::string text(std::string_view name, bool needed = false) {
        const node* const value = take(name, needed, node::kind::string);
        if (value == nullptr) return {};
        if (value->text().size() > longest_text) {
            fail(name, errc::limit_exceeded, "expected at most " + std::to_string(longest_text) + " bytes");
            return {};
        }
        if (needed && value->text().empty()) fail(name, errc::invalid_argument, "expected some text");
        return value->text();
    }
    [[nodiscard]] std::vector<std::string> texts(std::string_view name) {
        std::vector<std::string> out;
        const node* const value = take(name, false, node::kind::array);
        if (value == nullptr) return out;
        if (value->items().size() > most_names)
            fail(name, errc::limit_exceeded, "expected at most " + std::to_string(most_names));
        for (const node& item : value->items()) {
            if (!item.is_string() || item.text().empty() || item.text().size() > longest_text) {
                fail(name, errc::invalid_argument, "expected names of 1 to 255 bytes");
                break;
            }
            out.push_back(item.text());
        }
        return out;
    }
    [[nodiscard]] bool flag(std::string_view name, bool otherwise, bool needed = false) {
        const node* const value = take(name, needed, node::kind::boolean);
        return value == nullptr ? otherwise : value->text() == "true";
    }
    [[nodiscard]] std::optional<bool> flag_if_there(std::string_view name) {
        if (from_->find(name) == nullptr) return std::nullopt;
        return flag(name, false);
    }
    [[nodiscard]] std::uint64_t number(std::string_view name, std::uint64_t most, bool needed = true) {
        const node* const value = take(name, needed, node::kind::number);
        std::uint64_t out = 0;
        if (value == nullptr) return out;
        const std::string& digits = value->text();
        const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
        if (failed != std::errc{} || end != digits.data() + digits.size() || out > most)
            fail(name, errc::invalid_argument, "expected a whole number up to " + std::to_string(most));
        return out;
    }
    [[nodiscard]] std::uint64_t key(std::string_view name) {
        const node* const value = take(name, true, node::kind::string);
        std::uint64_t out = 0;
        if (value == nullptr) return out;
        const std::string& digits = value->text();
        const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), out, 16);
        if (digits.size() != 16 || failed != std::errc{} || end != digits.data() + digits.size())
            fail(name, errc::invalid_argument, "expected 16 hexadecimal digits");
        return out;
    }
    [[nodiscard]] duration time(std::string_view name, duration otherwise, duration least) {
        constexpr duration most = std::chrono::hours{24 * 366};
        const node* const value = take(name, false, node::kind::string);
        if (value == nullptr) return otherwise;
        const auto read = parse_duration(value->text());
        if (!read) {
            fail(name, errc::syntax, read.error().message);
            return otherwise;
        }
        if (*read < least || *read > most)
            fail(name, errc::invalid_argument, "expected " + format_duration(least) + " to " + format_duration(most));
        return *read;
    }
    /// One of these words, as the enumerator of that number.
    template <class Enum, std::size_t N>
    [[nodiscard]] Enum word(std::string_view name, const std::array<std::string_view, N>& words, Enum otherwise,
                            bool needed = false) {
        const node* const value = take(name, needed, node::kind::string);
        if (value == nullptr) return otherwise;
        for (std::size_t n = 0; n < N; ++n) {
            if (words[n] == value->text()) return static_cast<Enum>(n);
        }
        std::string all;
        for (const std::string_view w : words) all += (all.empty() ? "" : ", ") + std::string{w};
        fail(name, errc::invalid_argument, "expected one of " + all);
        return otherwise;
    }
    /// A function of a driver, by its operation.
    [[nodiscard]] operation what(std::string_view name) {
        const std::string said = text(name, true);
        for (std::size_t n = 1; n < operation_count; ++n) {
            const auto o = static_cast<operation>(n);
            if (o != operation::page && o != operation::guest_restarts && to_string(o) == said) return o;
        }
        fail(name, errc::invalid_argument,
             "expected an operation of a driver, found " + reheat::detail::in_quotes(said));
        return operation::none;
    }
    [[nodiscard]] const node* object(std::string_view name) { return take(name, false, node::kind::object); }
    [[nodiscard]] bool has(std::string_view name) const noexcept { return from_->find(name) != nullptr; }

    [[nodiscard]] bool good() const noexcept { return !bad_; }
    /// What was wrong, if anything; a member that nobody took is.
    [[nodiscard]] result<void> end() {
        for (std::size_t n = 0; n < taken_.size(); ++n) {
            if (!taken_[n])
                fail(reheat::detail::shown(from_->members()[n].first), errc::invalid_argument,
                     "there is no such member here");
        }
        if (bad_) return wrong_;
        return {};
    }
    void fail(std::string_view where, errc code, std::string message) {
        if (!std::exchange(bad_, true)) wrong_ = {code, std::string{where}, std::move(message)};
    }

private:
    const node* take(std::string_view name, bool needed, node::kind wanted) {
        for (std::size_t n = 0; n < from_->members().size(); ++n) {
            const auto& [known, value] = from_->members()[n];
            if (known != name) continue;
            taken_[n] = true;
            if (value.type() == wanted) return &value;
            fail(name, errc::syntax,
                 "expected " + std::string{to_string(wanted)} + ", found " + std::string{to_string(value.type())});
            return nullptr;
        }
        if (needed) fail(name, errc::syntax, "it is missing");
        return nullptr;
    }

    const node* from_;
    std::vector<bool> taken_;
    bool bad_ = false;
    error wrong_{};
};

template <class T, class Of>
[[nodiscard]] result<Of> finish(fields& from, T value) {
    if (auto fine = from.end(); !fine) return std::move(fine).error();
    return Of{std::move(value)};
}

[[nodiscard]] inline add read_add(fields& f) {
    constexpr duration least = std::chrono::milliseconds{10}; // a shorter heartbeat would be all that the cloud does
    add out;
    out.name = f.text("name", true);
    out.how.stack = f.text("stack");
    out.how.services = f.texts("services");
    out.how.volumes = f.texts("volumes");
    out.how.boot_time = f.time("boot_time", out.how.boot_time, duration::zero());
    out.how.heartbeat_every = f.time("heartbeat_every", out.how.heartbeat_every, least);
    out.how.heartbeats = f.flag("heartbeats", true);
    out.how.host = f.text("host");
    out.how.rack = f.text("rack");
    out.how.zone = f.text("zone");
    out.running = f.flag("running", false);
    return out;
}

[[nodiscard]] inline call read_call(fields& f) {
    call out;
    out.what = f.what("operation");
    out.op = static_cast<op_id>(f.number("op", (std::numeric_limits<std::uint64_t>::max)()));
    if (out.op == no_op) f.fail("op", errc::invalid_argument, "expected a number above 0");
    out.key = f.key("key");
    out.reign = static_cast<epoch>(f.number("epoch", (std::numeric_limits<std::uint64_t>::max)()));
    out.name = f.text("name", true);
    out.instance = f.text("instance");
    out.stack = f.text("stack");
    out.cloud_id = f.text("cloud_id");
    out.service = f.text("service");
    out.method = f.text("method");
    out.hard = f.flag("hard", false);
    out.replaced = f.flag("replaced", false);
    if (f.has("proof")) out.proof = f.word("proof", proof_words, proof_kind::confirmed);
    return out;
}

[[nodiscard]] inline breakage read_breakage(fields& f) {
    breakage out;
    out.name = f.text("name", true);
    out.what = f.word("fault", fault_words, fault::service_dies, true);
    out.service = f.text("service");
    out.in = f.time("in", duration::zero(), duration::zero());
    return out;
}

[[nodiscard]] inline host_word read_host_word(fields& f) {
    host_word out;
    out.is = f.word("what", host_words, host_word::what::crash, true);
    out.where = f.word("place", place_words, mock_place::host, true);
    out.name = f.text("name", true);
    return out;
}

[[nodiscard]] inline programmed read_programmed(fields& f) {
    programmed out;
    out.what = f.what("operation");
    out.how.how = f.word("manner", manner_words, mock_reply::manner::later);
    out.how.code = f.word("outcome", outcome_words, outcome_code::done);
    if (f.has("latency")) out.how.latency = f.time("latency", duration::zero(), duration::zero());
    out.how.takes_effect = f.flag("takes_effect", true);
    out.how.retry_after = f.time("retry_after", duration::zero(), duration::zero());
    out.how.only = f.text("only");
    out.how.method = f.text("method");
    out.always = f.flag("always", false);
    return out;
}

[[nodiscard]] inline observed read_observed(const node& from, fields& outer) {
    fields f{from};
    observed out;
    out.exists = f.flag_if_there("exists");
    out.running = f.flag_if_there("running");
    out.vouched = f.flag("vouched", false);
    out.cloud_id = f.text("cloud_id");
    out.boot_id = f.text("boot_id");
    out.host = f.text("host");
    out.address = f.text("address");
    if (auto fine = f.end(); !fine) outer.fail("seen." + fine.error().where, fine.error().code, fine.error().message);
    return out;
}

} // namespace detail

/// Reads what a controller sends. Errors name the member and what was expected of it, and repeat next to nothing of the
/// line: `syntax`, `invalid_argument`, `limit_exceeded`. Any thread.
///
///     const auto said = read_command(line, nlohmann_json{});
///     if (!said) return refuse(said.error()); // name: it is missing
template <json_reader Json>
[[nodiscard]] result<command> read_command(std::string_view line, const Json& json) {
    auto read = json.read(line, line_limits);
    if (!read) return std::move(read).error();
    detail::fields f{*read};
    const std::string verb = f.text("do", true);
    if (verb == "add") return detail::finish<add, command>(f, detail::read_add(f));
    if (verb == "call") return detail::finish<call, command>(f, detail::read_call(f));
    if (verb == "watch") return detail::finish<watch, command>(f, {});
    if (verb == "break") return detail::finish<breakage, command>(f, detail::read_breakage(f));
    if (verb == "hosts") return detail::finish<host_word, command>(f, detail::read_host_word(f));
    if (verb == "reply") return detail::finish<programmed, command>(f, detail::read_programmed(f));
    if (verb == "usual_replies") return detail::finish<usual_replies, command>(f, {});
    if (verb == "status") return detail::finish<status, command>(f, {});
    if (verb == "quit") return detail::finish<quit, command>(f, {});
    f.fail("do", errc::invalid_argument,
           "expected add, call, watch, break, hosts, reply, usual_replies, status or quit");
    return f.end().error();
}

/// The operation of a call that could not be read, so that its sender learns which one is meant; `no_op` if nobody
/// can tell.
template <json_reader Json>
[[nodiscard]] op_id op_of(std::string_view line, const Json& json) {
    const auto read = json.read(line, line_limits);
    if (!read || !read->is_object() || read->find("op") == nullptr) return no_op;
    detail::fields f{*read};
    const auto op = static_cast<op_id>(f.number("op", (std::numeric_limits<std::uint64_t>::max)()));
    return f.good() ? op : no_op;
}

/// Reads what the cloud sends. Errors as of `read_command`. Any thread.
template <json_reader Json>
[[nodiscard]] result<message> read_message(std::string_view line, const Json& json) {
    auto read = json.read(line, line_limits);
    if (!read) return std::move(read).error();
    detail::fields f{*read};
    constexpr auto most = (std::numeric_limits<std::uint64_t>::max)();
    if (f.has("outcome")) {
        ended out;
        out.op = static_cast<op_id>(f.number("op", most));
        out.result.code = f.word("outcome", outcome_words, outcome_code::unknown, true);
        out.result.reason = f.text("reason");
        out.result.retry_after = f.time("retry_after", duration::zero(), duration::zero());
        if (const node* const seen = f.object("seen")) out.result.seen = detail::read_observed(*seen, f);
        return detail::finish<ended, message>(f, std::move(out));
    }
    if (f.has("heartbeat")) {
        heartbeat out;
        out.instance = f.text("heartbeat", true);
        out.service = f.text("service");
        out.cloud_id = f.text("cloud_id");
        out.boots = static_cast<std::uint32_t>(f.number("boots", 0xffff'ffffU));
        return detail::finish<heartbeat, message>(f, std::move(out));
    }
    answer out;
    out.ok = f.flag("ok", false, true);
    out.text = f.text("text");
    out.op = static_cast<op_id>(f.number("op", most, false));
    return detail::finish<answer, message>(f, std::move(out));
}

} // namespace reheat::inline REHEAT_ABI::cloud_protocol
