// SPDX-License-Identifier: MIT
#include "policy_input.hpp"

#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/core/escape.hpp>
#include <reheat/core/json_path.hpp>
#include <reheat/recovery/policy_writer.hpp>

#include "read_file.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <utility>

namespace common {

namespace {

using reheat::errc;
using reheat::error;
using reheat::node;

constexpr reheat::read_limits bounds{.bytes = std::size_t{64} << 10U, .depth = 8, .nodes = 2000};

/// The first place below `at` where two values of the same shape differ.
std::optional<error> first_difference(const node& wanted, const node& has, const reheat::json_path& at) {
    for (const auto& [name, value] : wanted.members()) {
        const node* const other = has.find(name);
        if (other == nullptr || value == *other) continue;
        const reheat::json_path here = at.member(name);
        if (value.is_object()) return first_difference(value, *other, here);
        return here.error(errc::unsupported, "limits do not change while the program runs: expected " + other->text() +
                                                 ", found " + value.text());
    }
    return std::nullopt;
}

} // namespace

reheat::result<node> read_policy_json(const std::string& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode)) return error{errc::io, path, "expected a file"};
    const auto text = read_file(path, bounds.bytes);
    if (!text) return located(path, text.error());
    auto read = reheat::nlohmann_json{}.read(*text, bounds);
    if (!read) return located(path, read.error());
    return read;
}

reheat::result<reheat::policy_file> load_policy(const std::string& path) {
    const auto file = read_policy_json(path);
    if (!file) return file.error();
    auto out = reheat::read_policy(*file);
    if (!out) return located(path, out.error());
    return out;
}

std::string finding_line(const reheat::file_finding& f) {
    std::string_view sentence = f.text;
    if (sentence.starts_with(f.path + ": ")) sentence.remove_prefix(f.path.size() + 2);
    return "$." + f.path + ": " + std::string{f.name} + ' ' + std::to_string(f.number) + ": " + std::string{sentence};
}

std::string findings_json(const std::vector<reheat::file_finding>& found) {
    std::string out;
    for (const reheat::file_finding& f : found) {
        out += out.empty() ? R"({"path":)" : R"(,{"path":)";
        reheat::append_json_string(out, "$." + f.path);
        out += R"(,"name":)";
        reheat::append_json_string(out, f.name);
        out += R"(,"number":)" + std::to_string(f.number) + R"(,"text":)";
        reheat::append_json_string(out, f.text);
        out += '}';
    }
    return '[' + out + ']';
}

reheat::result<void> check_same_limits(const reheat::limits& wanted, const reheat::limits& has) {
    if (wanted == has) return {};
    const reheat::json_path root;
    auto differs = first_difference(to_node({}, wanted), to_node({}, has), root);
    if (differs) return std::move(*differs);
    return error{errc::unsupported, "$.limits", "limits do not change while the program runs"};
}

} // namespace common
