// SPDX-License-Identifier: MIT
#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/recovery/lint_file.hpp>
#include <reheat/recovery/policy_writer.hpp>

#include "doc_table.hpp"

#include <doctest/doctest.h>

#include <set>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::errc;
using rh::finding;
using rh::limit_finding;
using rh::node;
using support::check_page;
using support::contents;

namespace {

rh::result<rh::policy_file> read(std::string_view text) { return rh::read_policy(text, rh::nlohmann_json{}); }

node parsed(const std::string& path) {
    const auto read_file = rh::nlohmann_json{}.read(contents(path));
    REQUIRE(read_file);
    return *read_file;
}

struct error_case {
    std::string_view text;
    errc code;
    std::string_view where;
    std::string_view message;
};

/// A member of the file as the schema has it: `rungs[].wait.first`, and what it may be.
struct member {
    std::string path;
    const node* rules;
};

/// The schema, walked from its root through all of its references.
class schema {
public:
    schema() : root_{parsed("docs/reference/policy.schema.json")} { walk(root_, ""); }

    [[nodiscard]] const node& root() const { return root_; }
    [[nodiscard]] const std::vector<member>& members() const { return members_; }
    [[nodiscard]] const node& resolved(const node& rules) const {
        const node* const ref = rules.find("$ref");
        if (ref == nullptr) return rules;
        REQUIRE(ref->text().starts_with("#/$defs/"));
        const node* const found = root_.find("$defs")->find(ref->text().substr(8));
        REQUIRE(found != nullptr);
        return *found;
    }

private:
    void walk(const node& given, const std::string& path) {
        const node& rules = resolved(given);
        if (const node* const properties = rules.find("properties"); properties != nullptr) {
            REQUIRE(rules.find("additionalProperties")->text() == "false");
            for (const node::member& m : properties->members()) {
                const std::string below = path.empty() ? m.first : path + "." + m.first;
                members_.push_back({below, &m.second});
                walk(m.second, below);
            }
        } else if (const node* const items = rules.find("items"); items != nullptr) {
            walk(*items, path + "[]");
        }
    }

    node root_;
    std::vector<member> members_;
};

/// The same walk through a file.
void walk_file(const node& value, const std::string& path, std::set<std::string>& out) {
    for (const node& item : value.items()) walk_file(item, path + "[]", out);
    for (const node::member& m : value.members()) {
        const std::string below = path.empty() ? m.first : path + "." + m.first;
        out.insert(below);
        walk_file(m.second, below, out);
    }
}

/// A file with one reboot, and that one member set.
node file_with(std::string_view path, node value) {
    node file =
        node::object({{"rungs", node::array({node::object({{"operation", node::string("reboot_instance")}})})}});
    node* at = &file;
    if (path.starts_with("rungs[].")) {
        at = &file.members()[0].second.items()[0];
        path.remove_prefix(8);
    }
    for (;;) {
        const std::size_t dot = path.find('.');
        const std::string name{path.substr(0, dot)};
        std::vector<node::member>& members = at->members();
        std::size_t i = 0;
        while (i < members.size() && members[i].first != name) ++i;
        if (i == members.size()) members.emplace_back(name, node::object());
        at = &members[i].second;
        if (dot == std::string_view::npos) break;
        path.remove_prefix(dot + 1);
    }
    *at = std::move(value);
    return file;
}

std::string place_of(const std::string& path) {
    if (path == "$schema") return "$['$schema']";
    return path.starts_with("rungs[]") ? "$.rungs[0]" + path.substr(7) : "$." + path;
}

std::string plain(const node* value) {
    if (value == nullptr) return "";
    if (value->is_array()) return "none";
    return "`" + value->text() + "`";
}

/// What a member may be, in words.
std::string type_of(const schema& all, const node& given) {
    const node& rules = all.resolved(given);
    if (const node* const words = rules.find("enum"); words != nullptr) {
        std::string out;
        for (const node& w : words->items()) out += (out.empty() ? "`" : ", `") + w.text() + "`";
        return out;
    }
    if (rules.find("pattern") != nullptr) {
        return given.find("$ref")->text().ends_with("window") ? "time, up to 31 d" : "time";
    }
    const std::string type = rules.find("type")->text();
    if (type == "integer") return "0 to " + rules.find("maximum")->text();
    if (type == "boolean") return "`true`, `false`";
    return type == "array" ? "list, up to " + rules.find("maxItems")->text() : "text";
}

std::string meaning_of(const schema& all, const node& given) {
    const node* said = given.find("description");
    if (said == nullptr && given.find("$ref") != nullptr) {
        const std::string& ref = given.find("$ref")->text();
        if (!ref.ends_with("/duration") && !ref.ends_with("/window")) said = all.resolved(given).find("description");
    }
    return said == nullptr ? "" : said->text();
}

std::string member_table(const schema& all) {
    std::string out = "| member | what it may be | default | meaning |\n|---|---|---|---|\n";
    const node usual = to_node(rh::policy{}, {});
    for (const member& m : all.members()) {
        const node& rules = all.resolved(*m.rules);
        const bool object = rules.find("properties") != nullptr;
        const node* value = &usual;
        for (std::string_view rest = m.path; value != nullptr && !rest.empty();) {
            const std::size_t dot = rest.find('.');
            value = value->find(rest.substr(0, dot));
            rest.remove_prefix(dot == std::string_view::npos ? rest.size() : dot + 1);
        }
        std::string fallback = object ? "" : plain(value);
        if (m.path.starts_with("rungs[].")) fallback = object ? "" : "of its type";
        if (m.path == "rungs" || m.path == "rungs[].operation") fallback = "needed";
        out += "| `" + m.path + "` | " + (object ? "object" : type_of(all, *m.rules)) + " | " + fallback + " | " +
               meaning_of(all, *m.rules) + " |\n";
    }
    return out;
}

std::string rung_table() {
    std::string out = "| operation | attempts in within | sustained | verify | grace | timeout | approval | wait |\n"
                      "|---|---|---|---|---|---|---|---|\n";
    for (const auto& w : rh::detail::policy_words::operations) {
        const node file = to_node(rh::policy{}.add(*rh::default_rung(w.value)), {});
        const node& r = file.find("rungs")->items()[0];
        const auto text = [&r](std::string_view name) { return r.find(name)->text(); };
        const node& sustained = *r.find("sustained");
        const node& wait = *r.find("wait");
        out += "| `" + text("operation") + "` | " + text("attempts") + " in " + text("within") + " | " +
               sustained.find("count")->text() + " in " + sustained.find("within")->text() + " | " + text("verify") +
               " | " + text("grace") + " | " + text("timeout") + " | " + text("approval") + " | " +
               wait.find("first")->text() + " to " + wait.find("most")->text() +
               (wait.find("full_jitter")->text() == "true" ? ", full jitter"
                                                           : ", ±" + wait.find("spread")->text() + " %") +
               " |\n";
    }
    return out;
}

} // namespace

TEST_SUITE("policy reader") {
    TEST_CASE("every error names the path, what was expected there and what was found") {
        constexpr std::string_view time = "expected a duration with its unit, as in 90s or 1h30m, found ";
        const error_case cases[] = {
            {"{", errc::syntax, "1:2", ""},
            {"[]", errc::syntax, "$", "expected an object, found a list"},
            {"null", errc::syntax, "$", "expected an object, found null"},
            {"{}", errc::not_found, "$.rungs", "expected a list of rungs, found nothing"},
            {R"({"rungs": {}})", errc::syntax, "$.rungs", "expected a list of rungs, found an object"},
            {R"({"rungs": [], "probaton": "5m"})", errc::unsupported, "$.probaton",
             "'probaton' is not known here; expected $schema, rungs, retry_parked, probation, stable, related, "
             "forensics, evidence, returned, fencing or limits"},
            {R"({"rungs": [], "a b\u0007": 1})", errc::unsupported, "$['a b?']", ""},
            {R"({"rungs": [], "$schema": 5})", errc::syntax, "$['$schema']",
             "expected the address of a schema, found 5"},
            {R"({"rungs": [1]})", errc::syntax, "$.rungs[0]", "expected an object, found 1"},
            {R"({"rungs": [{}]})", errc::not_found, "$.rungs[0].operation",
             "expected the operation of the rung, found nothing"},
            {R"({"rungs": [{"operation": "fence_instance"}]})", errc::invalid_argument, "$.rungs[0].operation",
             "expected restart_service, guest_restarts, reboot_instance, rebuild_instance, recreate_instance, "
             "evacuate_instance, converge_stack or page, found 'fence_instance'"},
            {R"({"rungs": [{"operation": ["page"]}]})", errc::syntax, "$.rungs[0].operation",
             "expected restart_service, guest_restarts, reboot_instance, rebuild_instance, recreate_instance, "
             "evacuate_instance, converge_stack or page, found a list"},
            {R"({"rungs": [{"operation": "page"}, {"operation": "reboot_instance", "verify": "5"}]})", errc::syntax,
             "$.rungs[1].verify", "expected a duration with its unit, as in 90s or 1h30m, found '5'"},
            {R"({"rungs": [{"operation": "page", "verify": 5}]})", errc::syntax, "$.rungs[0].verify",
             "expected a duration with its unit, as in 90s or 1h30m, found 5"},
            {R"({"rungs": [{"operation": "page", "grace": "-5s"}]})", errc::syntax, "$.rungs[0].grace", ""},
            {R"({"rungs": [{"operation": "page", "timeout": null}]})", errc::syntax, "$.rungs[0].timeout",
             "expected a duration with its unit, as in 90s or 1h30m, found null"},
            {R"({"rungs": [{"operation": "page", "timeout": "367d"}]})", errc::invalid_argument, "$.rungs[0].timeout",
             "expected a duration of at most 366d, found '367d'"},
            {R"({"rungs": [{"operation": "page", "within": "32d"}]})", errc::invalid_argument, "$.rungs[0].within",
             "expected a duration of at most 31d, found '32d'"},
            {R"({"rungs": [{"operation": "page", "attempts": 65536}]})", errc::invalid_argument, "$.rungs[0].attempts",
             "expected a whole number from 0 to 65535, found 65536"},
            {R"({"rungs": [{"operation": "page", "attempts": -1}]})", errc::invalid_argument, "$.rungs[0].attempts",
             "expected a whole number from 0 to 65535, found -1"},
            {R"({"rungs": [{"operation": "page", "attempts": 1.5}]})", errc::invalid_argument, "$.rungs[0].attempts",
             "expected a whole number from 0 to 65535, found 1.5"},
            {R"({"rungs": [{"operation": "page", "attempts": 1e3}]})", errc::invalid_argument, "$.rungs[0].attempts",
             "expected a whole number from 0 to 65535, found 1e3"},
            {R"({"rungs": [{"operation": "page", "attempts": "3"}]})", errc::syntax, "$.rungs[0].attempts",
             "expected a whole number from 0 to 65535, found '3'"},
            {R"({"rungs": [{"operation": "page", "approval": "maybe"}]})", errc::invalid_argument,
             "$.rungs[0].approval", "expected none or required, found 'maybe'"},
            {R"({"rungs": [{"operation": "page", "approval": true}]})", errc::syntax, "$.rungs[0].approval",
             "expected none or required, found true"},
            {R"({"rungs": [{"operation": "page", "how": "soft"}]})", errc::unsupported, "$.rungs[0].how",
             "only reboot_instance has a how"},
            {R"({"rungs": [{"operation": "reboot_instance", "how": "firmly"}]})", errc::invalid_argument,
             "$.rungs[0].how", "expected soft_then_hard, soft or hard, found 'firmly'"},
            {R"({"rungs": [{"operation": "page", "sustained": 6}]})", errc::syntax, "$.rungs[0].sustained",
             "expected an object, found 6"},
            {R"({"rungs": [{"operation": "page", "sustained": {"count": 6, "per": "1h"}}]})", errc::unsupported,
             "$.rungs[0].sustained.per", "'per' is not known here; expected count or within"},
            {R"({"rungs": [{"operation": "page", "wait": {"spread": 101}}]})", errc::invalid_argument,
             "$.rungs[0].wait.spread", "expected a whole number from 0 to 100, found 101"},
            {R"({"rungs": [{"operation": "page", "wait": {"full_jitter": "yes"}}]})", errc::syntax,
             "$.rungs[0].wait.full_jitter", "expected true or false, found 'yes'"},
            {R"({"rungs": [{"operation":"page"},{"operation":"page"},{"operation":"page"},{"operation":"page"},
                {"operation":"page"},{"operation":"page"},{"operation":"page"},{"operation":"page"},
                {"operation":"page"}]})",
             errc::limit_exceeded, "$.rungs", "expected at most 8 rungs, found 9"},
            {R"({"rungs": [], "evidence": {"polls": 256}})", errc::invalid_argument, "$.evidence.polls",
             "expected a whole number from 0 to 255, found 256"},
            {R"({"rungs": [], "evidence": {"alone": "panic"}})", errc::invalid_argument, "$.evidence.alone",
             "expected fence_first, wait or act, found 'panic'"},
            {R"({"rungs": [], "returned": "both"})", errc::invalid_argument, "$.returned",
             "expected keep_replacement, keep_original, longest_running or stop_both, found 'both'"},
            {R"({"rungs": [], "fencing": {"methods": "ipmi"}})", errc::syntax, "$.fencing.methods",
             "expected a list of names, found 'ipmi'"},
            {R"({"rungs": [], "fencing": {"methods": ["a", "b", "c", "d", "e"]}})", errc::limit_exceeded,
             "$.fencing.methods", "expected at most 4 names, found 5"},
            {R"({"rungs": [], "fencing": {"methods": ["a", ""]}})", errc::invalid_argument, "$.fencing.methods[1]",
             "expected a name of 1 to 64 bytes of UTF-8, found ''"},
            {R"({"rungs": [], "fencing": {"methods": [7]}})", errc::syntax, "$.fencing.methods[0]",
             "expected a name of 1 to 64 bytes of UTF-8, found 7"},
            {R"({"rungs": [], "fencing": {"methods": ["12345678901234567890123456789012345678901234567890123456789012345"]}})",
             errc::invalid_argument, "$.fencing.methods[0]",
             "expected a name of 1 to 64 bytes of UTF-8, found "
             "'1234567890123456789012345678901234567890123456789012345678901234...'"},
            {R"({"rungs": [], "limits": {"in_flight": {"percent": 101}}})", errc::invalid_argument,
             "$.limits.in_flight.percent", "expected a whole number from 0 to 100, found 101"},
            {R"({"rungs": [], "limits": {"breaker": {"counted_from": 4294967296}}})", errc::invalid_argument,
             "$.limits.breaker.counted_from", "expected a whole number from 0 to 4294967295, found 4294967296"},
            {R"({"rungs": [], "limits": {"group": {"burst": {"within": "2 h"}}}})", errc::syntax,
             "$.limits.group.burst.within", ""},
            // The first error is the one that is told.
            {R"({"rungs": [{"operation": "page", "attempts": -1, "verify": 1}], "limits": 5})", errc::invalid_argument,
             "$.rungs[0].attempts", ""},
        };
        for (const error_case& c : cases) {
            CAPTURE(c.text);
            const auto file = read(c.text);
            REQUIRE_FALSE(file);
            CHECK(file.error().code == c.code);
            CHECK(file.error().where == c.where);
            if (!c.message.empty()) CHECK(file.error().message == c.message);
            else CHECK_FALSE(file.error().message.empty());
        }
        CHECK(read(R"({"rungs": [], "related": "2 h"})").error().message == std::string{time} + "'2 h'");
    }

    TEST_CASE("every way to write a time is read") {
        const auto file = read(R"({"rungs": [{"operation": "page", "verify": "5m"}, {"operation": "page",
            "verify": "5min"}, {"operation": "page", "verify": "0.5h"}, {"operation": "page", "verify": "1m1500ms"}]})");
        REQUIRE(file);
        const auto rungs = file->rules().rungs();
        CHECK(rungs[0].verify == 5min);
        CHECK(rungs[1].verify == 5min);
        CHECK(rungs[2].verify == 30min);
        CHECK(rungs[3].verify == 61500ms);
    }

    TEST_CASE("the schema, the reader and the writer know the same members") {
        const schema all;
        std::set<std::string> in_schema;
        for (const member& m : all.members()) in_schema.insert(m.path);
        rh::policy full = rh::policy{}.add(*rh::default_rung(rh::operation::reboot_instance));
        full.fencing.methods = {"ipmi"};
        std::set<std::string> written;
        walk_file(to_node(full, {}), "", written);
        written.insert("$schema");
        CHECK(in_schema == written);

        // And the reader knows no other, at any place where the schema has an object.
        namespace words = rh::detail::policy_words;
        const std::vector<std::pair<std::string, std::span<const std::string_view>>> objects{
            {"rungs[]", words::rung_members},
            {"rungs[].sustained", words::budget_members},
            {"rungs[].wait", words::wait_members},
            {"evidence", words::evidence_members},
            {"fencing", words::fencing_members},
            {"limits", words::limits_members},
            {"limits.breaker", words::breaker_members},
            {"limits.breaker.group", words::share_members},
            {"limits.silence", words::silence_members},
            {"limits.group", words::shared_members},
            {"limits.group.burst", words::budget_members},
        };
        std::size_t known = words::file_members.size();
        for (const auto& [path, names] : objects) {
            for (const std::string_view name : names) {
                CAPTURE(name);
                CHECK(in_schema.contains(path + "." + std::string{name}));
            }
            known += names.size();
        }
        CHECK(known < in_schema.size()); // the shares and budgets of other places are the same objects
        for (const std::string_view name : words::file_members) CHECK(in_schema.contains(std::string{name}));
    }

    TEST_CASE("what the schema allows is read, what it forbids is refused with the place") {
        const schema all;
        std::size_t tried = 0;
        for (const member& m : all.members()) {
            const node& rules = all.resolved(*m.rules);
            std::vector<node> good;
            std::vector<node> bad{node{}};
            if (const node* const words = rules.find("enum"); words != nullptr) {
                good = words->items();
                bad.push_back(node::string("no_such_word"));
                bad.push_back(node::number("1"));
            } else if (rules.find("pattern") != nullptr) {
                good = {node::string("0s"), node::string("31d"), node::string("1h30m0.5s")};
                bad.insert(bad.end(), {node::string("5"), node::string(""), node::number("5"), node::string("367d")});
            } else if (rules.find("type")->text() == "integer") {
                const std::string most = rules.find("maximum")->text();
                good = {rules.find("minimum") == nullptr ? node{} : *rules.find("minimum"), node::number(most)};
                bad.push_back(node::number(std::to_string(std::stoull(most) + 1)));
                bad.push_back(node::number("-1"));
                bad.push_back(node::string("1"));
            } else if (rules.find("type")->text() == "boolean") {
                good = {node::boolean(true), node::boolean(false)};
                bad.push_back(node::string("true"));
            } else if (rules.find("type")->text() == "string") {
                good = {node::string("x")};
                bad.push_back(node::number("1"));
            } else if (rules.find("type")->text() == "array") {
                good = {node::array()};
                bad.push_back(node::array(std::vector<node>(std::stoull(rules.find("maxItems")->text()) + 1)));
                bad.push_back(node::object());
            } else {
                good = {node::object()};
                bad.push_back(node::object({{"no_such_member", node{}}}));
                bad.push_back(node::array());
            }
            for (node& value : good) {
                CAPTURE(m.path);
                CAPTURE(value.text());
                const auto file = rh::read_policy(file_with(m.path, std::move(value)));
                if (!file) CAPTURE(file.error().message);
                CHECK(file.has_value());
                ++tried;
            }
            for (node& value : bad) {
                CAPTURE(m.path);
                CAPTURE(value.text());
                const auto file = rh::read_policy(file_with(m.path, std::move(value)));
                REQUIRE_FALSE(file);
                CHECK(file.error().where.starts_with(place_of(m.path)));
                ++tried;
            }
        }
        CHECK(tried > 300);
    }

    TEST_CASE("the example of the documentation is read, and is clean") {
        const std::string example = contents("examples/data/policy.json");
        const std::string page = contents("docs/reference/policies.md");
        CHECK(page.find("```json\n" + example + "```\n") != std::string::npos);
        const auto file = read(example);
        REQUIRE(file);
        CHECK(lint(*file).empty());
        CHECK(file->rules().size() == 4);
        CHECK(file->rules().rungs()[2].timeout == 20min);
        CHECK(file->rules().rungs()[2].grace == 600s); // of the type
        CHECK(file->rules().fencing.methods[1] == "pdu");
        CHECK(file->bounds().group.burst == rh::budget{20, 1h});
        CHECK(file->bounds().group.sustained == rh::shared_budget{}.sustained);
    }

    TEST_CASE("text is written that the reader of JSON reads as the same") {
        const auto file = read(contents("examples/data/policy.json"));
        REQUIRE(file);
        const std::string text = rh::to_json(file->rules(), file->bounds());
        const auto again = read(text);
        REQUIRE(again);
        CHECK(again->rules() == file->rules());
        CHECK(again->bounds() == file->bounds());
        CHECK(text.ends_with("}\n"));
    }

    TEST_CASE("the tables in docs/reference/policies.md are what the schema, the types and the linter have") {
        const std::string path = "docs/reference/policies.md";
        check_page(path, "members", member_table(schema{}));
        check_page(path, "rungs", rung_table());
        const std::string page = contents(path);
        for (std::size_t f = 0; f < rh::finding_count; ++f)
            CHECK(page.find("| `" + std::string{to_string(static_cast<finding>(f))} + "` |") != std::string::npos);
        for (std::size_t f = 0; f < rh::limit_finding_count; ++f)
            CHECK(page.find("| `" + std::string{to_string(static_cast<limit_finding>(f))} + "` |") !=
                  std::string::npos);
    }
}
