// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/json_path.hpp>
#include <reheat/core/node.hpp>
#include <reheat/core/result.hpp>
#include <reheat/stack/dependency.hpp>
#include <reheat/stack/functions.hpp>
#include <reheat/stack/names.hpp>
#include <reheat/stack/parameters.hpp>
#include <reheat/stack/resource_types.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// A property that names another resource of the stack: `InstanceId` of an `OS::Heat::HARestarter` and the like.
struct resource_link {
    std::string property;
    std::string target; ///< the other resource's name
};

/// One resource of a template. Properties and metadata hold their functions unresolved.
struct template_resource {
    std::string name;
    const resource_type* type = nullptr; ///< never null in a loaded template; lives for ever
    node properties;                     ///< an object
    node metadata;                       ///< an object
    std::vector<std::string>
        depends_on; ///< what must exist before: `DependsOn`, and what is referred to, except alarms
    std::vector<resource_link> links;
    std::string deletion_policy = "Delete"; ///< `Delete`, `Retain` or `Snapshot`

    /// The first resource that the property names; empty if there is none.
    [[nodiscard]] std::string_view linked(std::string_view property) const noexcept {
        for (const resource_link& link : links) {
            if (link.property == property) return link.target;
        }
        return {};
    }
};

/// An output of a template, its functions unresolved.
struct template_output {
    std::string name;
    node value;
    std::string description;
};

/// What a template is loaded for: a stack, and the values of the parameters that it shall have.
struct template_options {
    std::string stack_name{};
    std::string region = "ap-southeast-1"; ///< Heat's default
    std::string stack_id{};                ///< unique for ever, usually a UUID
    std::string tenant{};
    std::vector<std::pair<std::string, std::string>> parameters{};
};

namespace detail {
class template_loader;
} // namespace detail

/// A template that was checked from end to end for one stack: `load_template` makes it. A value; any number of threads
/// may read one at a time.
class stack_template {
public:
    [[nodiscard]] const stack_identity& identity() const noexcept { return identity_; }
    [[nodiscard]] const std::string& description() const noexcept { return description_; }
    [[nodiscard]] const std::vector<template_parameter>& parameters() const noexcept { return parameters_; }
    /// In the order of the text.
    [[nodiscard]] const std::vector<template_resource>& resources() const noexcept { return resources_; }
    [[nodiscard]] const std::vector<template_output>& outputs() const noexcept { return outputs_; }
    /// Indexes into `resources()`, each after all that it depends on, else in the order of the text. Backwards to
    /// delete.
    [[nodiscard]] const std::vector<std::size_t>& creation_order() const noexcept { return order_; }

    /// The resource of that name, or null.
    [[nodiscard]] const template_resource* find(std::string_view resource) const noexcept {
        for (const template_resource& r : resources_) {
            if (r.name == resource) return &r;
        }
        return nullptr;
    }

    /// The instance that a restarter acts on; empty if that is no restarter.
    [[nodiscard]] std::string_view instance_of(std::string_view restarter) const noexcept {
        const template_resource* const r = find(restarter);
        return r != nullptr && r->type->kind == resource_kind::restarter ? r->linked("InstanceId") : std::string_view{};
    }

    /// The value of a parameter or of `AWS::StackName`, `AWS::StackId`, `AWS::Region`; `errc::not_found` for other
    /// names.
    [[nodiscard]] result<node> parameter(std::string_view name) const {
        if (name == "AWS::StackName") return node::string(identity_.name);
        if (name == "AWS::StackId") return node::string(stack_arn(identity_));
        if (name == "AWS::Region") return node::string(identity_.region);
        for (const template_parameter& p : parameters_) {
            if (p.name == name) return p.value;
        }
        return error{errc::not_found,
                     {},
                     "expected a parameter, a resource, AWS::StackName, AWS::StackId or AWS::Region, found " +
                         detail::in_quotes(name)};
    }

    /// The mapping of that name, or null.
    [[nodiscard]] const node* mapping(std::string_view name) const noexcept { return mappings_.find(name); }

    /// Whether an error must not show the value that a `Ref` of this name gives.
    [[nodiscard]] bool secret(std::string_view name) const noexcept {
        for (const template_parameter& p : parameters_) {
            if (p.name == name) return p.no_echo;
        }
        return !name.starts_with("AWS::");
    }

private:
    friend class detail::template_loader;

    stack_identity identity_;
    std::string description_;
    std::vector<template_parameter> parameters_;
    node mappings_;
    std::vector<template_resource> resources_;
    std::vector<template_output> outputs_;
    std::vector<std::size_t> order_;
};

namespace detail {

/// Values before anything is created: parameters are known, resources are not.
class unborn_values {
public:
    explicit unborn_values(const stack_template& from) noexcept : template_{&from} {}

    [[nodiscard]] result<node> ref(std::string_view name) const {
        if (template_->find(name) != nullptr) return node{};
        return template_->parameter(name);
    }
    [[nodiscard]] result<node> attribute(std::string_view resource, std::string_view attribute) const {
        const template_resource* const r = template_->find(resource);
        if (r == nullptr) return error{errc::not_found, {}, "expected a resource, found " + in_quotes(resource)};
        for (const std::string_view known : r->type->attributes) {
            if (known == attribute) return node{};
        }
        std::string message = std::string{r->type->name} + " has no attribute " + in_quotes(attribute);
        if (!r->type->attributes.empty()) message += ", expected " + one_of(r->type->attributes);
        return error{errc::not_found, {}, std::move(message)};
    }
    [[nodiscard]] const node* mapping(std::string_view name) const noexcept { return template_->mapping(name); }
    [[nodiscard]] bool secret(std::string_view name) const noexcept { return template_->secret(name); }

private:
    const stack_template* template_;
};
static_assert(value_source<unborn_values>);

} // namespace detail

} // namespace reheat::inline REHEAT_ABI
