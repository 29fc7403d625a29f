// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/stack/template.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// Reads one document into a `stack_template`, from the top; the first thing that is wrong ends it.
class template_loader {
public:
    template_loader(const template_options& options, any_json_reader json) noexcept : options_{&options}, json_{json} {}

    [[nodiscard]] result<stack_template> load(const node& document) {
        static constexpr std::array<std::string_view, 7> known{
            versions[0].key, versions[1].key, "Description", "Parameters", "Mappings", "Resources", "Outputs"};
        const json_path root;
        if (auto good = check_identity(); !good) return std::move(good.error());
        if (!document.is_object()) return root.error(errc::syntax, "expected a template, " + found(document, true));
        if (document.find("heat_template_version") != nullptr) {
            return root.member("heat_template_version")
                .error(errc::unsupported, "a HOT template; expected the CloudFormation form");
        }
        if (auto good = check_members(document, root, known); !good) return std::move(good.error());
        if (auto good = check_version(document, root); !good) return std::move(good.error());
        if (auto good = read_description(document, root, out_.description_); !good) return std::move(good.error());

        auto parameters =
            parameter_reader{options_->parameters, json_}.read(document.find("Parameters"), root.member("Parameters"));
        if (!parameters) return std::move(parameters.error());
        out_.parameters_ = std::move(*parameters);
        if (auto good = read_mappings(document.find("Mappings"), root.member("Mappings")); !good)
            return std::move(good.error());

        const node* const resources = document.find("Resources");
        const json_path at = root.member("Resources");
        if (resources == nullptr || resources->members().empty())
            return at.error(errc::syntax, "expected at least one resource");
        if (auto good = check_section(*resources, at); !good) return std::move(good.error());
        for (const node::member& m : resources->members()) {
            if (auto good = read_resource(m.first, m.second, at.member(m.first)); !good) return std::move(good.error());
        }
        // Only now are all names known that a resource may refer to.
        const unborn_values values{out_};
        function_resolver<unborn_values> resolver{values};
        for (template_resource& r : out_.resources_) {
            if (auto good = check_resource(r, resolver, at.member(r.name)); !good) return std::move(good.error());
        }
        if (auto good = read_dependencies(*resources, at); !good) return std::move(good.error());
        if (auto good = read_outputs(document.find("Outputs"), resolver, root.member("Outputs")); !good)
            return std::move(good.error());
        return std::move(out_);
    }

private:
    struct version {
        std::string_view key;
        std::string_view value;
    };
    static constexpr std::array<version, 2> versions{
        {{"AWSTemplateFormatVersion", "2010-09-09"}, {"HeatTemplateFormatVersion", "2012-12-12"}}};

    [[nodiscard]] result<void> check_identity() {
        out_.identity_ = {options_->stack_name, options_->stack_id, options_->tenant, options_->region};
        const char first = out_.identity_.name.empty() ? '0' : out_.identity_.name[0];
        const bool letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
        if (letter && check_name(out_.identity_.name, {})) return {};
        return error{errc::invalid_argument, "stack_name",
                     "expected a letter and up to 254 letters, digits, '_', '-' and '.', found " +
                         in_quotes(out_.identity_.name)};
    }

    [[nodiscard]] static result<void> check_version(const node& document, const json_path& root) {
        std::size_t count = 0;
        for (const version& v : versions) {
            const node* const value = document.find(v.key);
            if (value == nullptr) continue;
            if (!value->is_string() || value->text() != v.value) {
                return root.member(v.key).error(errc::unsupported,
                                                "expected " + in_quotes(v.value) + ", " + found(*value, true));
            }
            ++count;
        }
        if (count == 1) return {};
        return root.error(errc::syntax,
                          std::string{"expected AWSTemplateFormatVersion or HeatTemplateFormatVersion, found "} +
                              (count == 0 ? "neither" : "both"));
    }

    [[nodiscard]] static result<void> read_description(const node& from, const json_path& at, std::string& out) {
        const node* const text = from.find("Description");
        if (text == nullptr) return {};
        if (!text->is_string())
            return at.member("Description").error(errc::syntax, "expected text, " + found(*text, true));
        out = text->text();
        return {};
    }

    [[nodiscard]] result<void> read_mappings(const node* section, const json_path& at) {
        if (section == nullptr) return {};
        if (auto good = check_section(*section, at); !good) return good;
        for (const node::member& map : section->members()) {
            const json_path in_map = at.member(map.first);
            if (auto good = check_section(map.second, in_map); !good) return good;
            for (const node::member& first : map.second.members()) {
                const json_path in_first = in_map.member(first.first);
                if (auto good = check_section(first.second, in_first); !good) return good;
                for (const node::member& second : first.second.members()) {
                    const json_path here = in_first.member(second.first);
                    if (second.second.is_scalar()) continue;
                    if (!second.second.is_array())
                        return here.error(errc::syntax,
                                          "expected text, a number or a list, " + found(second.second, true));
                    if (auto good = check_texts(second.second, here, true); !good) return good;
                    for (std::size_t i = 0; i < second.second.items().size(); ++i) {
                        if (second.second.items()[i].is_null())
                            return here.item(i).error(errc::syntax, "expected text, found null");
                    }
                }
            }
        }
        out_.mappings_ = *section;
        return {};
    }

    /// Everything of a resource that needs no other resource.
    [[nodiscard]] result<void> read_resource(const std::string& name, const node& value, const json_path& at) {
        static constexpr std::array<std::string_view, 6> known{"Type",      "Properties",     "Metadata",
                                                               "DependsOn", "DeletionPolicy", "Description"};
        static constexpr std::array<std::string_view, 3> policies{"Delete", "Retain", "Snapshot"};
        if (auto good = check_name(name, at); !good) return good;
        if (out_.parameter(name)) return at.error(errc::already_exists, "a parameter has this name");
        if (auto good = check_members(value, at, known); !good) return good;
        template_resource out;
        out.name = name;
        out.properties = node::object();
        out.metadata = node::object();
        const node* const type = value.find("Type");
        if (type == nullptr) return at.error(errc::syntax, "expected a Type");
        out.type = type->is_string() ? find_resource_type(type->text()) : nullptr;
        if (out.type == nullptr) {
            return at.member("Type").error(
                errc::unsupported, "expected " + one_of(resource_types, [](const resource_type& t) { return t.name; }) +
                                       ", " + found(*type, true));
        }
        if (const node* const policy = value.find("DeletionPolicy"); policy != nullptr) {
            bool good = false;
            for (const std::string_view p : policies) good = good || (policy->is_string() && policy->text() == p);
            if (!good)
                return at.member("DeletionPolicy")
                    .error(errc::invalid_argument, "expected " + one_of(policies) + ", " + found(*policy, true));
            out.deletion_policy = policy->text();
        }
        std::string description;
        if (auto good = read_description(value, at, description); !good) return good;
        if (const node* const metadata = value.find("Metadata"); metadata != nullptr) {
            if (!metadata->is_object())
                return at.member("Metadata").error(errc::syntax, "expected an object, " + found(*metadata, true));
            out.metadata = *metadata;
        }
        if (const node* const properties = value.find("Properties"); properties != nullptr) {
            const json_path here = at.member("Properties");
            if (auto good = check_section(*properties, here); !good) return good;
            for (const node::member& m : properties->members()) {
                if (rule_of(*out.type, m.first) == nullptr) {
                    std::string message = std::string{out.type->name} + " has no property " + in_quotes(m.first);
                    if (!out.type->properties.empty())
                        message +=
                            "; expected " + one_of(out.type->properties, [](const property_rule& r) { return r.name; });
                    return here.member(m.first).error(errc::unsupported, std::move(message));
                }
            }
            out.properties = *properties;
        }
        for (const property_rule& rule : out.type->properties) {
            if (rule.required && out.properties.find(rule.name) == nullptr) {
                return at.member("Properties")
                    .error(errc::syntax, std::string{out.type->name} + " needs the property " + std::string{rule.name});
            }
        }
        out_.resources_.push_back(std::move(out));
        return {};
    }

    [[nodiscard]] static const property_rule* rule_of(const resource_type& type, std::string_view property) noexcept {
        for (const property_rule& rule : type.properties) {
            if (rule.name == property) return &rule;
        }
        return nullptr;
    }

    [[nodiscard]] result<void> check_resource(template_resource& r, function_resolver<unborn_values>& resolver,
                                              const json_path& at) const {
        const json_path properties = at.member("Properties");
        for (const node::member& m : r.properties.members()) {
            const json_path here = properties.member(m.first);
            const property_rule& rule = *rule_of(*r.type, m.first);
            const auto value = resolver.resolve(m.second, here);
            if (!value) return value.error();
            if (auto good = check_property(rule, *value, here, resolver.may_show(m.second)); !good) return good;
            if (rule.kind == property_kind::reference) {
                if (auto good = add_link(r, rule, m.second, here); !good) return good;
            }
            if (rule.kind == property_kind::references) {
                if (!m.second.is_array()) return here.error(errc::syntax, "expected a list, found a function");
                for (std::size_t i = 0; i < m.second.items().size(); ++i) {
                    if (auto good = add_link(r, rule, m.second.items()[i], here.item(i)); !good) return good;
                }
            }
        }
        const auto metadata = resolver.resolve(r.metadata, at.member("Metadata"), true);
        if (!metadata) return metadata.error();
        return {};
    }

    [[nodiscard]] result<void> add_link(template_resource& r, const property_rule& rule, const node& value,
                                        const json_path& at) const {
        const std::string_view name = named_by(value);
        const template_resource* const target = name.empty() ? nullptr : out_.find(name);
        const bool by_ref = is_call_of(value, "Ref");
        if (target != nullptr && target->type->kind == rule.target &&
            (by_ref ||
             (!rule.or_attribute.empty() && value.members()[0].second.items()[1].text() == rule.or_attribute))) {
            r.links.push_back({std::string{rule.name}, target->name});
            return {};
        }
        std::string message = "expected a Ref to a resource of type ";
        for (const resource_type& type : resource_types) {
            if (type.kind != rule.target) continue;
            message += type.name;
            break;
        }
        if (!rule.or_attribute.empty()) message += " or its " + std::string{rule.or_attribute};
        if (target != nullptr)
            message += ", found one to " + shown(target->name) + ", of type " + std::string{target->type->name};
        else
            message += ", found " +
                       (is_function(value) ? shown(value.members()[0].first) : std::string{to_string(value.type())});
        return at.error(errc::invalid_argument, std::move(message));
    }

    [[nodiscard]] result<void> read_dependencies(const node& resources, const json_path& at) {
        dependency_graph graph;
        for (const template_resource& r : out_.resources_) graph.add(r.name);
        const auto index_of = [this](std::string_view name) {
            std::size_t i = 0;
            while (i < out_.resources_.size() && out_.resources_[i].name != name) ++i;
            return i;
        };
        for (std::size_t i = 0; i < out_.resources_.size(); ++i) {
            template_resource& r = out_.resources_[i];
            const json_path resource = at.member(r.name);
            const json_path here = resource.member("DependsOn");
            const auto add = [&](const node& name, const json_path& place) -> result<void> {
                if (!name.is_string())
                    return place.error(errc::syntax, "expected the name of a resource, " + found(name, true));
                const std::size_t needed = index_of(name.text());
                if (needed == out_.resources_.size())
                    return place.error(errc::not_found, "expected a resource, found " + in_quotes(name.text()));
                graph.require(i, needed);
                return {};
            };
            if (const node* const names = resources.members()[i].second.find("DependsOn"); names != nullptr) {
                if (!names->is_array()) {
                    if (auto good = add(*names, here); !good) return good;
                }
                for (std::size_t k = 0; k < names->items().size(); ++k) {
                    if (auto good = add(names->items()[k], here.item(k)); !good) return good;
                }
            }
            std::vector<std::string_view> references;
            append_references(r.properties, references);
            append_references(r.metadata, references);
            for (const std::string_view name : references) {
                const std::size_t needed = index_of(name);
                if (needed < out_.resources_.size() && !out_.resources_[needed].type->weak) graph.require(i, needed);
            }
            for (const std::size_t needed : graph.needs(i)) r.depends_on.push_back(out_.resources_[needed].name);
        }
        auto order = graph.creation_order();
        if (!order) return at.member(order.error().where).error(errc::cycle, order.error().message);
        out_.order_ = std::move(*order);
        return {};
    }

    [[nodiscard]] result<void> read_outputs(const node* section, function_resolver<unborn_values>& resolver,
                                            const json_path& at) {
        static constexpr std::array<std::string_view, 2> known{"Value", "Description"};
        if (section == nullptr) return {};
        if (auto good = check_section(*section, at); !good) return good;
        for (const node::member& m : section->members()) {
            const json_path here = at.member(m.first);
            if (auto good = check_name(m.first, here); !good) return good;
            if (auto good = check_members(m.second, here, known); !good) return good;
            const node* const value = m.second.find("Value");
            if (value == nullptr) return here.error(errc::syntax, "expected a Value");
            if (const auto resolved = resolver.resolve(*value, here.member("Value")); !resolved)
                return resolved.error();
            template_output out{m.first, *value, {}};
            if (auto good = read_description(m.second, here, out.description); !good) return good;
            out_.outputs_.push_back(std::move(out));
        }
        return {};
    }

    const template_options* options_;
    any_json_reader json_;
    stack_template out_;
};

} // namespace detail

/// Loads a template of the CloudFormation form, as Heat had it: `AWSTemplateFormatVersion` 2010-09-09 or
/// `HeatTemplateFormatVersion` 2012-12-12. Everything is checked before anything can be created: sections, parameters
/// and their constraints, functions, references, resource types and their properties as far as they are known,
/// dependencies.
///
/// `where` of an error is the place in the document, `$.Resources.Db.Properties.ImageId`; the message says what was
/// expected and what was found, but no value of a `NoEcho` parameter. Codes: `syntax` (not of the right shape),
/// `invalid_argument` (a value out of its bounds), `not_found`, `already_exists`, `unsupported`, `limit_exceeded`,
/// `cycle`. Any thread.
///
///     auto json = nlohmann_json{}.read(text);
///     auto loaded = load_template(*json, {.stack_name = "wiki", .parameters = {{"KeyName", "ops"}}});
///     if (!loaded) return fail(to_string(loaded.error()));
[[nodiscard]] inline result<stack_template> load_template(const node& document, const template_options& options) {
    return detail::template_loader{options, {}}.load(document);
}

/// The same from text; an error of the text itself has `line:column`. Parameters of type `Json` may be given as text.
template <json_reader Reader>
[[nodiscard]] result<stack_template> load_template(std::string_view text, const Reader& reader,
                                                   const template_options& options) {
    const auto document = reader.read(text, read_limits{});
    if (!document) return document.error();
    const auto read = [](const void* self, std::string_view json) {
        return static_cast<const Reader*>(self)->read(json, read_limits{});
    };
    return detail::template_loader{options, {&reader, read}}.load(*document);
}

} // namespace reheat::inline REHEAT_ABI
