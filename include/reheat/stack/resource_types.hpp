// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/json_path.hpp>
#include <reheat/core/node.hpp>
#include <reheat/core/result.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// The resource types of a template that this library knows, each under one name whatever its aliases.
enum class resource_kind : std::uint8_t {
    instance,
    wait_condition_handle,
    wait_condition,
    alarm,
    restarter,
    iam_user,
    iam_access_key,
    access_policy,
};

/// What the value of a property may be once its functions are resolved. Numbers and booleans may be written as text.
enum class property_kind : std::uint8_t {
    text,
    number,
    whole,
    boolean,
    texts,      ///< a list of text
    pairs,      ///< a list of objects with exactly two members, both text
    object,     ///< any object
    reference,  ///< a `Ref` to a resource of one type
    references, ///< a list of these
};

/// One row of a resource type's table of properties.
struct property_rule {
    std::string_view name;
    property_kind kind = property_kind::text;
    bool required = false;
    std::int64_t least = 0;                    ///< for `whole`
    std::int64_t most = 0;                     ///< for `whole`
    std::span<const std::string_view> words{}; ///< for `text`: the allowed ones, if not empty; for `pairs`: both names
    resource_kind target{};                    ///< for `reference` and `references`
    std::string_view or_attribute{};           ///< an attribute of the target that stands for it as well
};

/// A resource type: what a template may say about it, and what may be asked of it.
struct resource_type {
    std::string_view name;
    resource_kind kind{};
    std::span<const property_rule> properties;
    std::span<const std::string_view> attributes; ///< for `Fn::GetAtt`
    /// A reference to such a resource orders nothing; only `DependsOn` does. Heat's HA templates need it for alarms:
    /// the instance's metadata names the alarm, the alarm names the restarter, and that one the instance.
    bool weak = false;
};

namespace detail {

inline constexpr std::array<std::string_view, 4> comparison_words{
    "GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"};
inline constexpr std::array<std::string_view, 5> statistic_words{"SampleCount", "Average", "Sum", "Minimum", "Maximum"};
inline constexpr std::array<std::string_view, 2> tag_words{"Key", "Value"};
inline constexpr std::array<std::string_view, 2> dimension_words{"Name", "Value"};
inline constexpr std::array<std::string_view, 2> volume_words{"VolumeId", "Device"};

inline constexpr std::array<property_rule, 9> instance_properties{{
    {.name = "ImageId", .required = true},
    {.name = "InstanceType", .required = true},
    {.name = "KeyName"},
    {.name = "UserData"},
    {.name = "AvailabilityZone"},
    {.name = "SubnetId"},
    {.name = "SecurityGroups", .kind = property_kind::texts},
    {.name = "Tags", .kind = property_kind::pairs, .words = tag_words},
    {.name = "Volumes", .kind = property_kind::pairs, .words = volume_words},
}};
inline constexpr std::array<std::string_view, 5> instance_attributes{"PublicIp", "PrivateIp", "PublicDnsName",
                                                                     "PrivateDnsName", "AvailabilityZone"};

// Heat waited 12 hours at most. A handle keeps so many signals, and no more can be counted.
inline constexpr std::int64_t max_wait_seconds = 43'200;
inline constexpr std::int64_t max_wait_count = 1'000;

inline constexpr std::array<property_rule, 3> wait_condition_properties{{
    {.name = "Handle",
     .kind = property_kind::reference,
     .required = true,
     .target = resource_kind::wait_condition_handle},
    {.name = "Timeout", .kind = property_kind::whole, .required = true, .least = 1, .most = max_wait_seconds},
    {.name = "Count", .kind = property_kind::whole, .least = 1, .most = max_wait_count},
}};
inline constexpr std::array<std::string_view, 1> wait_condition_attributes{"Data"};

inline constexpr property_rule actions_of(std::string_view name) noexcept {
    return {.name = name,
            .kind = property_kind::references,
            .target = resource_kind::restarter,
            .or_attribute = "AlarmUrl"};
}
// What is required is what Heat requires since 2015.1; before, an alarm without a metric loaded and never fired.
// The bounds of Period and EvaluationPeriods are those of an alarm that can be watched (`validate`).
inline constexpr std::array<property_rule, 13> alarm_properties{{
    {.name = "MetricName", .required = true},
    {.name = "Namespace", .required = true},
    {.name = "Statistic", .required = true, .words = statistic_words},
    {.name = "ComparisonOperator", .required = true, .words = comparison_words},
    {.name = "Threshold", .kind = property_kind::number, .required = true},
    {.name = "Period", .kind = property_kind::whole, .required = true, .least = 1, .most = 604'800},
    {.name = "EvaluationPeriods", .kind = property_kind::whole, .required = true, .least = 1, .most = 1'440},
    {.name = "AlarmDescription"},
    {.name = "Units"},
    {.name = "Dimensions", .kind = property_kind::pairs, .words = dimension_words},
    actions_of("AlarmActions"),
    actions_of("OKActions"),
    actions_of("InsufficientDataActions"),
}};

inline constexpr std::array<property_rule, 1> ha_restarter_properties{{
    {.name = "InstanceId", .kind = property_kind::reference, .required = true, .target = resource_kind::instance},
}};
inline constexpr std::array<std::string_view, 1> ha_restarter_attributes{"AlarmUrl"};

inline constexpr std::array<property_rule, 4> iam_user_properties{{
    {.name = "Path"},
    {.name = "Groups", .kind = property_kind::texts},
    {.name = "LoginProfile", .kind = property_kind::object},
    {.name = "Policies", .kind = property_kind::texts},
}};
inline constexpr std::array<property_rule, 1> iam_access_key_properties{{
    {.name = "UserName", .kind = property_kind::reference, .required = true, .target = resource_kind::iam_user},
}};
inline constexpr std::array<std::string_view, 2> iam_access_key_attributes{"SecretAccessKey", "UserName"};
inline constexpr std::array<property_rule, 1> access_policy_properties{{
    {.name = "AllowedResources", .kind = property_kind::texts, .required = true},
}};

/// All of them; a new one is a row here and its tables above.
inline constexpr std::array<resource_type, 9> resource_types{{
    {"AWS::EC2::Instance", resource_kind::instance, instance_properties, instance_attributes},
    {"AWS::CloudFormation::WaitConditionHandle", resource_kind::wait_condition_handle, {}, {}},
    {"AWS::CloudFormation::WaitCondition", resource_kind::wait_condition, wait_condition_properties,
     wait_condition_attributes},
    {"AWS::CloudWatch::Alarm", resource_kind::alarm, alarm_properties, {}, true},
    {"OS::Heat::CWLiteAlarm", resource_kind::alarm, alarm_properties, {}, true},
    {"OS::Heat::HARestarter", resource_kind::restarter, ha_restarter_properties, ha_restarter_attributes},
    {"AWS::IAM::User", resource_kind::iam_user, iam_user_properties, {}},
    {"AWS::IAM::AccessKey", resource_kind::iam_access_key, iam_access_key_properties, iam_access_key_attributes},
    {"OS::Heat::AccessPolicy", resource_kind::access_policy, access_policy_properties, {}},
}};

/// `A, B or C`; of many only the first twelve.
template <class Range, class Name>
[[nodiscard]] std::string one_of(const Range& range, const Name& name) {
    constexpr std::size_t most = 12;
    std::string out;
    std::size_t count = 0;
    for (const auto& item : range) {
        if (count == most) return out + " ...";
        if (count != 0) out += count + 1 == range.size() ? " or " : ", ";
        out += shown(name(item));
        ++count;
    }
    return out;
}
[[nodiscard]] inline std::string one_of(std::span<const std::string_view> words) {
    return one_of(words, [](std::string_view word) { return word; });
}

} // namespace detail

/// The type of that name, or null.
[[nodiscard]] inline const resource_type* find_resource_type(std::string_view name) noexcept {
    for (const resource_type& type : detail::resource_types) {
        if (type.name == name) return &type;
    }
    return nullptr;
}

namespace detail {

/// A finite number that is all of `text`.
[[nodiscard]] inline bool to_number(std::string_view text, double& value) noexcept {
    constexpr double most = (std::numeric_limits<double>::max)(); // "inf" and "nan" would be read too
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value >= -most && value <= most;
}
[[nodiscard]] inline bool to_number(std::string_view text, std::int64_t& value) noexcept {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
}

/// What stands there, for a message; the text of it only where it may be seen.
[[nodiscard]] inline std::string found(const node& value, bool may_show) {
    std::string out = "found " + std::string{to_string(value.type())};
    if (may_show && value.is_scalar()) out += ' ' + in_quotes(value.text());
    return out;
}

/// A list whose every item is text, or not known yet (null).
[[nodiscard]] inline result<void> check_texts(const node& value, const json_path& at, bool may_show) {
    if (!value.is_array()) return at.error(errc::syntax, "expected a list of text, " + found(value, may_show));
    for (std::size_t i = 0; i < value.items().size(); ++i) {
        const node& item = value.items()[i];
        if (!item.is_scalar() && !item.is_null())
            return at.item(i).error(errc::syntax, "expected text, " + found(item, may_show));
    }
    return {};
}

[[nodiscard]] inline result<void> check_pairs(const property_rule& rule, const node& value, const json_path& at,
                                              bool may_show) {
    const std::string expected = "an object with " + std::string{rule.words[0]} + " and " + std::string{rule.words[1]};
    if (!value.is_array())
        return at.error(errc::syntax, "expected a list, each item " + expected + ", " + found(value, may_show));
    for (std::size_t i = 0; i < value.items().size(); ++i) {
        const node& item = value.items()[i];
        const json_path here = at.item(i);
        if (!item.is_object()) return here.error(errc::syntax, "expected " + expected + ", " + found(item, may_show));
        for (const node::member& m : item.members()) {
            if (m.first != rule.words[0] && m.first != rule.words[1]) {
                return here.member(m.first).error(errc::unsupported, "expected only " + one_of(rule.words));
            }
            if (!m.second.is_scalar() && !m.second.is_null()) {
                return here.member(m.first).error(errc::syntax, "expected text, " + found(m.second, may_show));
            }
        }
        if (item.members().size() != 2) return here.error(errc::syntax, "expected " + expected);
    }
    return {};
}

/// Checks a property whose functions are resolved. A null stands for text that is not known yet; no resource gives
/// numbers or one of a few words.
[[nodiscard]] inline result<void> check_property(const property_rule& rule, const node& value, const json_path& at,
                                                 bool may_show) {
    const auto bad = [&](errc code, const std::string& expected) {
        return at.error(code, "expected " + expected + ", " + found(value, may_show));
    };
    switch (rule.kind) {
    case property_kind::texts:
    case property_kind::references: return check_texts(value, at, may_show);
    case property_kind::pairs: return check_pairs(rule, value, at, may_show);
    case property_kind::object:
        if (!value.is_object()) return bad(errc::syntax, "an object");
        return {};
    default: break;
    }
    const bool free_text =
        rule.kind == property_kind::reference || (rule.kind == property_kind::text && rule.words.empty());
    if (value.is_null()) {
        if (free_text) return {};
        return at.error(errc::syntax,
                        "expected a value that is known before resources exist, found one that a resource gives");
    }
    if (!value.is_scalar())
        return bad(errc::syntax,
                   rule.kind == property_kind::number || rule.kind == property_kind::whole ? "a number" : "text");
    switch (rule.kind) {
    case property_kind::number: {
        double number = 0;
        if (!to_number(value.text(), number)) return bad(errc::invalid_argument, "a number");
        return {};
    }
    case property_kind::whole: {
        std::int64_t number = 0;
        if (!to_number(value.text(), number) || number < rule.least || number > rule.most) {
            return bad(errc::invalid_argument,
                       "a whole number from " + std::to_string(rule.least) + " to " + std::to_string(rule.most));
        }
        return {};
    }
    case property_kind::boolean:
        if (value.text() != "true" && value.text() != "false") return bad(errc::invalid_argument, "true or false");
        return {};
    default: break;
    }
    if (rule.words.empty()) return {};
    for (const std::string_view word : rule.words) {
        if (word == value.text()) return {};
    }
    return bad(errc::invalid_argument, one_of(rule.words));
}

} // namespace detail

} // namespace reheat::inline REHEAT_ABI
