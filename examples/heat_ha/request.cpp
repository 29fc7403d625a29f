// SPDX-License-Identifier: MIT
#include "request.hpp"

#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/core/escape.hpp>
#include <reheat/core/parse_time.hpp>
#include <reheat/core/text.hpp>
#include <reheat/recovery/decision_words.hpp>

#include <algorithm>
#include <utility>

namespace heat_ha {

namespace {

using reheat::errc;
using reheat::operator_verb;

constexpr std::array words{operator_verb::approve,
                           operator_verb::deny,
                           operator_verb::confirm_dead,
                           operator_verb::maintain,
                           operator_verb::end_maintenance,
                           operator_verb::unpark,
                           operator_verb::freeze,
                           operator_verb::thaw,
                           operator_verb::trust};
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_reason = 1024;

/// The members of a request by their names.
constexpr std::array<std::pair<std::string_view, std::string request::*>, 6> texts{{{"verb", &request::verb},
                                                                                    {"target", &request::target},
                                                                                    {"who", &request::who},
                                                                                    {"reason", &request::reason},
                                                                                    {"for", &request::lasts},
                                                                                    {"until", &request::until}}};

/// Work and freezes that nobody gave a reason and an end are forgotten, and then nothing is recovered any more.
bool needs_end(operator_verb v) { return v == operator_verb::maintain || v == operator_verb::freeze; }

/// On one line. Depth is bounded by who has read it.
void append_node(std::string& out, const reheat::node& n) {
    if (n.is_string()) return reheat::append_json_string(out, n.text());
    if (n.is_scalar()) {
        out += n.text();
        return;
    }
    if (n.is_null()) {
        out += "null";
        return;
    }
    bool first = true;
    out += n.is_array() ? '[' : '{';
    for (const reheat::node& item : n.items()) {
        if (!std::exchange(first, false)) out += ',';
        append_node(out, item);
    }
    for (const auto& [name, value] : n.members()) {
        if (!std::exchange(first, false)) out += ',';
        reheat::append_json_string(out, name);
        out += ':';
        append_node(out, value);
    }
    out += n.is_array() ? ']' : '}';
}

} // namespace

std::optional<operator_verb> request::word() const {
    for (const operator_verb v : words) {
        if (to_string(v) == verb) return v;
    }
    return std::nullopt;
}

std::string all_verbs() {
    std::string out;
    for (const operator_verb v : words) out += std::string{to_string(v)} + ", ";
    return out + "policy, status, why, watch";
}

reheat::result<void> check(const request& r) {
    const auto bad = [](const char* where, std::string what) {
        return reheat::error{errc::invalid_argument, where, std::move(what)};
    };
    const auto word = r.word();
    const bool policy = r.verb == "policy";
    if (!word && !policy && std::find(questions.begin(), questions.end(), r.verb) == questions.end())
        return bad("verb", "expected one of " + all_verbs());
    const bool wants_target = word || r.verb == "why";
    if (wants_target && r.target.empty()) return bad("target", r.verb + " needs a target" + (word ? ", or all" : ""));
    if (!wants_target && !r.target.empty()) return bad("target", r.verb + " takes none");
    const bool of_one = word == operator_verb::confirm_dead || word == operator_verb::maintain || r.verb == "why";
    if (r.for_all() && of_one) return bad("target", r.verb + " needs one target by its name");
    if (r.target.size() > longest_name) return bad("target", "expected at most 255 bytes");
    if (policy != r.policy.has_value()) return bad("policy", r.verb + (policy ? " needs one" : " takes none"));
    if (!word && !policy) return {};
    if (r.who.empty() || r.who.size() > longest_name) return bad("who", "expected 1 to 255 bytes");
    if (r.reason.size() > longest_reason) return bad("reason", "expected at most 1024 bytes");
    if (policy) {
        if (!r.lasts.empty()) return bad("for", "policy takes none");
        if (!r.until.empty()) return bad("until", "policy takes none");
        return {};
    }
    if (!r.lasts.empty() && !r.until.empty()) return bad("until", "excludes for");
    if (!r.lasts.empty()) {
        if (auto d = reheat::parse_duration(r.lasts); !d) return bad("for", d.error().message);
        else if (*d <= reheat::duration::zero()) return bad("for", "expected more than nothing");
    }
    if (!r.until.empty()) {
        if (auto t = reheat::parse_time(r.until); !t) return bad("until", t.error().message);
    }
    if (needs_end(*word) && r.reason.empty()) return bad("reason", r.verb + " needs one");
    if (needs_end(*word) && r.lasts.empty() && r.until.empty()) return bad("for", r.verb + " needs it, or until");
    return {};
}

std::string to_json(const request& r) {
    std::string out;
    for (const auto& [name, member] : texts) {
        if ((r.*member).empty()) continue;
        out += out.empty() ? '{' : ',';
        reheat::append_json_string(out, name);
        out += ':';
        reheat::append_json_string(out, r.*member);
    }
    if (r.policy) {
        out += out.empty() ? "{\"policy\":" : ",\"policy\":";
        append_node(out, *r.policy);
    }
    return (out.empty() ? "{" : out) + '}';
}

reheat::result<request> read_request(std::string_view line) {
    auto read = reheat::nlohmann_json{}.read(line, {.bytes = longest_policy_line, .depth = 10, .nodes = 2048});
    if (!read) return std::move(read).error();
    if (!read->is_object()) return reheat::error{errc::syntax, {}, "expected an object"};
    request out;
    for (auto& [name, value] : read->members()) {
        if (name == "policy") {
            out.policy = std::move(value);
            continue;
        }
        std::string request::* place = nullptr;
        for (const auto& [known, member] : texts) {
            if (known == name) place = member;
        }
        if (place == nullptr)
            return reheat::error{errc::invalid_argument, std::string{reheat::clip(name, 64)},
                                 "there is no such member"};
        if (!value.is_string()) return reheat::error{errc::invalid_argument, name, "expected a string"};
        out.*place = value.text();
    }
    if (out.verb != "policy" && line.size() >= longest_line)
        return reheat::error{errc::limit_exceeded, {}, "a line has at most " + std::to_string(longest_line) + " bytes"};
    if (auto fine = check(out); !fine) return std::move(fine).error();
    return out;
}

std::string answer_json(bool ok, std::string_view text, std::string_view members) {
    std::string out = ok ? R"({"ok":true,"text":)" : R"({"ok":false,"text":)";
    reheat::append_json_string(out, text);
    out += members;
    return out + '}';
}

} // namespace heat_ha
