// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/json_path.hpp>
#include <reheat/core/node.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>
#include <reheat/stack/resource_types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// Names and values, in the order of the template.
using text_pairs = std::vector<std::pair<std::string, std::string>>;

/// What an `AWS::EC2::Instance` shall be. Text that the template does not give is empty.
struct instance_spec {
    std::string image{};
    std::string flavor{};
    std::string key_name{};
    std::string user_data{}; ///< may hold secrets
    std::string availability_zone{};
    std::string subnet{};
    std::vector<std::string> security_groups{};
    text_pairs volumes{}; ///< volume id, device
    text_pairs tags{};

    friend bool operator==(const instance_spec&, const instance_spec&) = default;
};

/// What an `AWS::CloudWatch::Alarm` watches for.
struct alarm_spec {
    std::string metric_name{};
    std::string metric_namespace{};
    std::string statistic{};  ///< `SampleCount`, `Average`, `Sum`, `Minimum` or `Maximum`
    std::string comparison{}; ///< `GreaterThanThreshold`, `GreaterThanOrEqualToThreshold`, `LessThan…` alike
    double threshold = 0;
    duration period{}; ///< whole seconds, one or more
    std::uint32_t evaluation_periods = 1;
    text_pairs dimensions{};
    std::string description{};
    std::string units{};
    std::vector<std::string> alarm_actions{}; ///< each a `Ref` or an `AlarmUrl` of a restarter, as resolved
    std::vector<std::string> ok_actions{};
    std::vector<std::string> insufficient_data_actions{};

    friend bool operator==(const alarm_spec&, const alarm_spec&) = default;
};

/// What an `AWS::CloudFormation::WaitCondition` waits for.
struct wait_condition_spec {
    std::string handle{}; ///< the handle's `Ref`
    duration timeout{};
    std::size_t count = 1; ///< signals with distinct ids

    friend bool operator==(const wait_condition_spec&, const wait_condition_spec&) = default;
};

/// What an `OS::Heat::HARestarter` acts on.
struct ha_restarter_spec {
    std::string instance_id{}; ///< the instance's `Ref`

    friend bool operator==(const ha_restarter_spec&, const ha_restarter_spec&) = default;
};

namespace detail {

/// The resolved properties of one resource, checked once more: only now is known what other resources gave.
class property_values {
public:
    explicit property_values(const node& properties) noexcept : properties_{&properties} {}

    [[nodiscard]] static result<void> check(std::span<const property_rule> rules, const node& properties,
                                            const json_path& at) {
        if (!properties.is_object()) return at.error(errc::syntax, "expected an object, " + found(properties, false));
        for (const property_rule& rule : rules) {
            const node* const value = properties.find(rule.name);
            if (value == nullptr && rule.required)
                return at.error(errc::syntax, "expected the property " + std::string{rule.name});
            if (value == nullptr) continue;
            if (auto good = check_property(rule, *value, at.member(rule.name), false); !good) return good;
        }
        return {};
    }

    [[nodiscard]] std::string text(std::string_view name) const {
        const node* const value = properties_->find(name);
        return value == nullptr ? std::string{} : value->text();
    }
    template <class Number>
    [[nodiscard]] Number number(std::string_view name, Number otherwise) const noexcept {
        const node* const value = properties_->find(name);
        Number out{};
        return value != nullptr && to_number(value->text(), out) ? out : otherwise;
    }
    [[nodiscard]] std::vector<std::string> texts(std::string_view name) const {
        std::vector<std::string> out;
        if (const node* const value = properties_->find(name); value != nullptr) {
            for (const node& item : value->items()) out.push_back(item.text());
        }
        return out;
    }
    [[nodiscard]] text_pairs pairs(std::string_view name, std::span<const std::string_view> words) const {
        text_pairs out;
        if (const node* const value = properties_->find(name); value != nullptr) {
            for (const node& item : value->items()) {
                const node* const first = item.find(words[0]);
                const node* const second = item.find(words[1]);
                if (first != nullptr && second != nullptr) out.emplace_back(first->text(), second->text());
            }
        }
        return out;
    }

private:
    const node* properties_;
};

} // namespace detail

/// Each reads the resolved properties of a resource; `at` is their place. Errors are those of `load_template`, and show
/// no value: it may come from a secret.
[[nodiscard]] inline result<instance_spec> read_instance(const node& properties, const json_path& at) {
    if (auto good = detail::property_values::check(detail::instance_properties, properties, at); !good)
        return std::move(good.error());
    const detail::property_values p{properties};
    return instance_spec{.image = p.text("ImageId"),
                         .flavor = p.text("InstanceType"),
                         .key_name = p.text("KeyName"),
                         .user_data = p.text("UserData"),
                         .availability_zone = p.text("AvailabilityZone"),
                         .subnet = p.text("SubnetId"),
                         .security_groups = p.texts("SecurityGroups"),
                         .volumes = p.pairs("Volumes", detail::volume_words),
                         .tags = p.pairs("Tags", detail::tag_words)};
}

[[nodiscard]] inline result<alarm_spec> read_alarm(const node& properties, const json_path& at) {
    if (auto good = detail::property_values::check(detail::alarm_properties, properties, at); !good)
        return std::move(good.error());
    const detail::property_values p{properties};
    return alarm_spec{.metric_name = p.text("MetricName"),
                      .metric_namespace = p.text("Namespace"),
                      .statistic = p.text("Statistic"),
                      .comparison = p.text("ComparisonOperator"),
                      .threshold = p.number("Threshold", 0.0),
                      .period = std::chrono::seconds{p.number("Period", std::int64_t{1})},
                      .evaluation_periods = static_cast<std::uint32_t>(p.number("EvaluationPeriods", std::int64_t{1})),
                      .dimensions = p.pairs("Dimensions", detail::dimension_words),
                      .description = p.text("AlarmDescription"),
                      .units = p.text("Units"),
                      .alarm_actions = p.texts("AlarmActions"),
                      .ok_actions = p.texts("OKActions"),
                      .insufficient_data_actions = p.texts("InsufficientDataActions")};
}

[[nodiscard]] inline result<wait_condition_spec> read_wait_condition(const node& properties, const json_path& at) {
    if (auto good = detail::property_values::check(detail::wait_condition_properties, properties, at); !good)
        return std::move(good.error());
    const detail::property_values p{properties};
    return wait_condition_spec{.handle = p.text("Handle"),
                               .timeout = std::chrono::seconds{p.number("Timeout", std::int64_t{1})},
                               .count = static_cast<std::size_t>(p.number("Count", std::int64_t{1}))};
}

[[nodiscard]] inline result<ha_restarter_spec> read_ha_restarter(const node& properties, const json_path& at) {
    if (auto good = detail::property_values::check(detail::ha_restarter_properties, properties, at); !good)
        return std::move(good.error());
    return ha_restarter_spec{.instance_id = detail::property_values{properties}.text("InstanceId")};
}

} // namespace reheat::inline REHEAT_ABI
