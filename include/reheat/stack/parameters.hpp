// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/escape.hpp>
#include <reheat/core/json_path.hpp>
#include <reheat/core/node.hpp>
#include <reheat/core/pattern.hpp>
#include <reheat/core/result.hpp>
#include <reheat/stack/resource_types.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// A parameter of a template with the value it has for one stack.
struct template_parameter {
    std::string name;
    std::string type;     ///< `String`, `Number`, `CommaDelimitedList` or `Json`
    node value;           ///< text, a number, a list of text, or anything
    bool no_echo = false; ///< the value is a secret: it is never shown
};

/// The most entries of one section of a template, and of one mapping.
inline constexpr std::size_t max_template_entries = 1'000;

namespace detail {

/// A `json_reader` without its type, for `Json` parameters that are given as text. Null where there is none.
struct any_json_reader {
    const void* reader = nullptr;
    result<node> (*read)(const void* reader, std::string_view text) = nullptr;
};

[[nodiscard]] inline result<void> check_name(std::string_view name, const json_path& at) {
    bool good = !name.empty() && name.size() <= 255;
    for (const char c : name) {
        good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                        c == '-' || c == '.');
    }
    if (!good)
        return at.error(errc::invalid_argument,
                        "expected a name of at most 255 letters, digits, '_', '-' and '.', found " + in_quotes(name));
    return {};
}

/// An object of at most `max_template_entries` members, no name twice.
[[nodiscard]] inline result<void> check_section(const node& section, const json_path& at) {
    if (!section.is_object()) return at.error(errc::syntax, "expected an object, " + found(section, true));
    const std::vector<node::member>& members = section.members();
    if (members.size() > max_template_entries) {
        return at.error(errc::limit_exceeded, "expected at most " + std::to_string(max_template_entries) +
                                                  " entries, found " + std::to_string(members.size()));
    }
    for (std::size_t i = 0; i < members.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (members[i].first == members[j].first)
                return at.member(members[i].first).error(errc::already_exists, "the name stands there twice");
        }
    }
    return {};
}

/// A section whose entries are objects with only the members `known`.
[[nodiscard]] inline result<void> check_members(const node& value, const json_path& at,
                                                std::span<const std::string_view> known) {
    if (auto good = check_section(value, at); !good) return good;
    for (const node::member& m : value.members()) {
        bool is_known = false;
        for (const std::string_view name : known) is_known = is_known || name == m.first;
        if (!is_known)
            return at.member(m.first).error(errc::unsupported,
                                            in_quotes(m.first) + " is not known here; expected " + one_of(known));
    }
    return {};
}

/// Reads the section `Parameters` and checks every value that the stack uses.
class parameter_reader {
public:
    using given_values = std::vector<std::pair<std::string, std::string>>;

    parameter_reader(const given_values& given, any_json_reader json) noexcept : given_{&given}, json_{json} {}

    [[nodiscard]] result<std::vector<template_parameter>> read(const node* section, const json_path& at) {
        std::vector<template_parameter> out;
        static const node none = node::object();
        if (section == nullptr) section = &none;
        if (auto good = check_section(*section, at); !good) return std::move(good.error());
        for (std::size_t i = 0; i < given_->size(); ++i) {
            const std::string& name = (*given_)[i].first;
            for (std::size_t j = 0; j < i; ++j) {
                if ((*given_)[j].first == name)
                    return at.error(errc::already_exists, "parameter " + in_quotes(name) + " was given twice");
            }
            if (section->find(name) != nullptr) continue;
            std::string message = "parameter " + in_quotes(name) + " was given, but the template has ";
            message += section->members().empty()
                           ? "no parameters"
                           : "only " + one_of(section->members(), [](const node::member& m) { return m.first; });
            return at.error(errc::not_found, std::move(message));
        }
        for (const node::member& m : section->members()) {
            auto parameter = one(m.first, m.second, at.member(m.first));
            if (!parameter) return std::move(parameter.error());
            out.push_back(std::move(*parameter));
        }
        return out;
    }

private:
    // A pattern's time grows with the text; no template's value with a pattern comes near.
    static constexpr std::size_t max_pattern_text = 4'096;
    static constexpr std::size_t max_value_bytes = 65'536;

    struct bound {
        std::string_view name;
        std::string_view type;
        bool is_length;
        bool is_least;
    };
    static constexpr std::array<bound, 4> bounds{{{"MinLength", "String", true, true},
                                                  {"MaxLength", "String", true, false},
                                                  {"MinValue", "Number", false, true},
                                                  {"MaxValue", "Number", false, false}}};

    [[nodiscard]] result<template_parameter> one(const std::string& name, const node& rules, const json_path& at) {
        static constexpr std::array<std::string_view, 11> known{
            "Type",      "Default",   "NoEcho",   "Description", "ConstraintDescription", "AllowedValues",
            "MinLength", "MaxLength", "MinValue", "MaxValue",    "AllowedPattern"};
        static constexpr std::array<std::string_view, 4> types{"String", "Number", "CommaDelimitedList", "Json"};
        if (auto good = check_name(name, at); !good) return std::move(good.error());
        if (auto good = check_members(rules, at, known); !good) return std::move(good.error());
        template_parameter out;
        out.name = name;
        const node* const type = rules.find("Type");
        if (type == nullptr) return at.error(errc::syntax, "expected a Type: " + one_of(types));
        bool known_type = false;
        for (const std::string_view t : types) known_type = known_type || (type->is_string() && type->text() == t);
        if (!known_type)
            return at.member("Type").error(errc::unsupported, "expected " + one_of(types) + ", " + found(*type, true));
        out.type = type->text();
        for (const std::string_view text : {"Description", "ConstraintDescription", "AllowedPattern"}) {
            const node* const value = rules.find(text);
            if (value != nullptr && !value->is_string())
                return at.member(text).error(errc::syntax, "expected text, " + found(*value, true));
        }
        if (const node* const no_echo = rules.find("NoEcho"); no_echo != nullptr) {
            const property_rule rule{.name = "NoEcho", .kind = property_kind::boolean};
            const json_path here = at.member("NoEcho");
            if (no_echo->is_null()) return here.error(errc::syntax, "expected true or false, found null");
            if (auto good = check_property(rule, *no_echo, here, true); !good) return std::move(good.error());
            out.no_echo = no_echo->text() == "true";
        }
        if (auto value = read_value(out, rules, at); !value) return std::move(value.error());
        if (auto good = check_bounds(out, rules, at); !good) return std::move(good.error());
        if (auto good = check_pattern(out, rules, at); !good) return std::move(good.error());
        if (auto good = check_allowed(out, rules, at); !good) return std::move(good.error());
        return out;
    }

    [[nodiscard]] result<void> read_value(template_parameter& out, const node& rules, const json_path& at) const {
        node value;
        const node* const otherwise = rules.find("Default");
        const std::string* given = nullptr;
        for (const auto& [name, text] : *given_) {
            if (name == out.name) given = &text;
        }
        if (given != nullptr) value = node::string(*given);
        else if (otherwise != nullptr) value = *otherwise;
        else return at.error(errc::invalid_argument, "no value was given, and there is no Default");
        const json_path default_at = at.member("Default");
        const json_path& here = given != nullptr ? at : default_at;
        if (value.text().size() > max_value_bytes) {
            return here.error(errc::limit_exceeded, "expected at most " + std::to_string(max_value_bytes) +
                                                        " bytes, found " + std::to_string(value.text().size()));
        }
        if (out.type == "Json") return read_json(out, std::move(value), here);
        if (out.type == "CommaDelimitedList") {
            if (value.is_array()) {
                if (auto good = check_texts(value, here, !out.no_echo); !good) return good;
                out.value = std::move(value);
                return {};
            }
            out.value = node::array();
            for (std::string_view rest = value.text(); !rest.empty();) {
                const std::size_t comma = rest.find(',');
                std::string_view item = rest.substr(0, comma);
                while (item.starts_with(' ')) item.remove_prefix(1);
                while (item.ends_with(' ')) item.remove_suffix(1);
                out.value.items().push_back(node::string(std::string{item}));
                rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
            }
        }
        if (!value.is_scalar()) return here.error(errc::syntax, "expected text, " + found(value, !out.no_echo));
        if (out.type == "String") out.value = node::string(value.text());
        if (out.type == "Number") {
            double number = 0;
            if (!to_number(value.text(), number))
                return here.error(errc::invalid_argument, "expected a number" + but(out, value));
            out.value = node::number(value.text());
        }
        return {};
    }

    [[nodiscard]] result<void> read_json(template_parameter& out, node value, const json_path& at) const {
        if (value.is_string()) {
            if (json_.read == nullptr)
                return at.error(errc::unsupported, "a Json parameter given as text needs a JSON reader");
            auto parsed = json_.read(json_.reader, value.text());
            if (!parsed) return at.error(parsed.error().code, "not JSON at " + parsed.error().where);
            value = std::move(*parsed);
        }
        out.value = std::move(value);
        return {};
    }

    [[nodiscard]] static result<void> check_bounds(const template_parameter& p, const node& rules,
                                                   const json_path& at) {
        for (const bound& b : bounds) {
            const node* const limit = rules.find(b.name);
            if (limit == nullptr) continue;
            const json_path here = at.member(b.name);
            double most = 0;
            if (!limit->is_scalar() || !to_number(limit->text(), most))
                return here.error(errc::syntax, "expected a number, " + found(*limit, true));
            if (p.type != b.type)
                return here.error(errc::syntax,
                                  "only for a parameter of type " + std::string{b.type} + ", found " + p.type);
            double value = 0;
            if (b.is_length) value = static_cast<double>(characters(p.value.text()));
            else if (!to_number(p.value.text(), value)) return here.error(errc::syntax, "expected a number");
            if (b.is_least ? value >= most : value <= most) continue;
            std::string message =
                std::string{"expected "} + (b.is_least ? "at least " : "at most ") + shown(limit->text());
            if (b.is_length) message += " characters";
            return violated(p, rules, at, std::move(message), p.value);
        }
        return {};
    }

    [[nodiscard]] static result<void> check_pattern(const template_parameter& p, const node& rules,
                                                    const json_path& at) {
        const node* const text = rules.find("AllowedPattern");
        if (text == nullptr) return {};
        const json_path here = at.member("AllowedPattern");
        if (p.type != "String") return here.error(errc::syntax, "only for a parameter of type String, found " + p.type);
        const auto compiled = pattern::compile(text->text());
        if (!compiled) return here.error(compiled.error().code, compiled.error().message);
        if (p.value.text().size() > max_pattern_text) {
            return violated(p, rules, at,
                            "expected at most " + std::to_string(max_pattern_text) +
                                " bytes where there is an AllowedPattern",
                            p.value);
        }
        if (compiled->matches(p.value.text())) return {};
        return violated(p, rules, at, "expected text of the pattern " + shown(text->text()), p.value);
    }

    [[nodiscard]] static result<void> check_allowed(const template_parameter& p, const node& rules,
                                                    const json_path& at) {
        const node* const allowed = rules.find("AllowedValues");
        if (allowed == nullptr) return {};
        const json_path here = at.member("AllowedValues");
        if (!allowed->is_array() || allowed->items().empty())
            return here.error(errc::syntax, "expected a list of values, " + found(*allowed, true));
        if (allowed->items().size() > max_template_entries) {
            return here.error(errc::limit_exceeded,
                              "expected at most " + std::to_string(max_template_entries) + " values");
        }
        if (p.type == "Json") return here.error(errc::syntax, "not for a parameter of type Json");
        for (std::size_t i = 0; i < allowed->items().size(); ++i) {
            if (!allowed->items()[i].is_scalar())
                return here.item(i).error(errc::syntax,
                                          "expected text or a number, " + found(allowed->items()[i], true));
        }
        const auto is_allowed = [&](const node& value) {
            double number = 0;
            double other = 0;
            for (const node& item : allowed->items()) {
                if (item.text() == value.text()) return true;
                if (p.type == "Number" && to_number(value.text(), number) && to_number(item.text(), other) &&
                    number == other)
                    return true;
            }
            return false;
        };
        const auto refuse = [&](const node& value) {
            return violated(p, rules, at,
                            "expected " + one_of(allowed->items(),
                                                 [](const node& item) -> std::string_view { return item.text(); }),
                            value);
        };
        if (!p.value.is_array() && !is_allowed(p.value)) return refuse(p.value);
        for (const node& item : p.value.items()) {
            if (!is_allowed(item)) return refuse(item);
        }
        return {};
    }

    [[nodiscard]] static std::size_t characters(std::string_view text) noexcept {
        std::size_t count = 0;
        for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) == 0x80U ? 0U : 1U;
        return count;
    }

    [[nodiscard]] static std::string but(const template_parameter& p, const node& value) {
        return p.no_echo ? std::string{", found a value that is not shown (NoEcho)"}
                         : ", found " + in_quotes(value.text());
    }

    [[nodiscard]] static error violated(const template_parameter& p, const node& rules, const json_path& at,
                                        std::string message, const node& value) {
        message += but(p, value);
        if (const node* const why = rules.find("ConstraintDescription"); why != nullptr)
            message += " (" + std::string{clip(why->text(), 200)} + ")";
        return at.error(errc::invalid_argument, std::move(message));
    }

    const given_values* given_;
    any_json_reader json_;
};

} // namespace detail

} // namespace reheat::inline REHEAT_ABI
