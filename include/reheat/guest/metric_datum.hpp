// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/guest/api_error.hpp>
#include <reheat/guest/form.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

namespace guest {

/// What a metric is about, as a name and a value: `InstanceId`, a key of the server's metadata.
struct dimension {
    std::string name;
    std::string value;

    friend bool operator==(const dimension&, const dimension&) = default;
};

/// One measured value, as one member of `PutMetricData` brings it. Its time is that of its arrival.
struct metric_datum {
    std::string metric_namespace;      ///< `system/linux`, `AWS/ELB` …
    std::string metric_name;           ///< `Heartbeat`, `ServiceFailure` …
    std::string unit;                  ///< any text: guests send `Counter`, which is no unit of CloudWatch's
    double value = 0;                  ///< finite, at most 2^360 in size
    std::vector<dimension> dimensions; ///< without `AlarmName`
    std::string alarm_name; ///< the one alarm that this is for; empty: every alarm whose metric and dimensions match

    friend bool operator==(const metric_datum&, const metric_datum&) = default;
};

/// Bounds of one `PutMetricData`: CloudWatch's own, so that nothing that it takes is refused here.
struct put_metric_data_limits {
    std::size_t members = 1000;
    std::size_t dimensions = 30;        ///< of one member
    std::size_t name_bytes = 255;       ///< namespace, metric, unit, alarm, a dimension's name
    std::size_t dimension_bytes = 1024; ///< a dimension's value
};

namespace detail {

struct sent_dimension {
    std::optional<std::string_view> name;
    std::optional<std::string_view> value;
};

struct sent_member {
    std::optional<std::string_view> metric_name;
    std::optional<std::string_view> unit;
    std::optional<std::string_view> value;
    std::map<std::uint32_t, sent_dimension> dimensions;
};

/// Takes `member.N.` from the front of `name`.
[[nodiscard]] inline std::optional<std::uint32_t> take_member_number(std::string_view& name) {
    constexpr std::string_view prefix = "member.";
    constexpr std::size_t most_digits = 9;
    if (!name.starts_with(prefix)) return std::nullopt;
    name.remove_prefix(prefix.size());
    std::uint32_t number = 0;
    std::size_t digits = 0;
    for (; digits < name.size() && name[digits] >= '0' && name[digits] <= '9'; ++digits) {
        if (digits == most_digits) return std::nullopt;
        number = number * 10 + static_cast<std::uint32_t>(name[digits] - '0');
    }
    if (digits == 0 || digits == name.size() || name[digits] != '.') return std::nullopt;
    name.remove_prefix(digits + 1);
    return number;
}

[[nodiscard]] inline std::optional<double> parse_metric_value(std::string_view text) {
    constexpr std::size_t most_bytes = 64;
    constexpr double largest = 0x1p360;
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    if (text.size() > most_bytes) return std::nullopt;
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, value);
    if (text.empty() || failure != std::errc{} || stop != end) return std::nullopt;
    if (!(value >= -largest && value <= largest)) return std::nullopt; // nor NaN
    return value;
}

/// Reads the form of one request. Every view points into the fields, which outlive it.
class put_metric_data_reader {
public:
    explicit put_metric_data_reader(const put_metric_data_limits& limits) : limits_{limits} {}

    [[nodiscard]] std::optional<api_error> read(const std::vector<form_field>& fields, std::vector<metric_datum>& out) {
        for (const form_field& field : fields) {
            if (auto bad = sort_in(field)) return bad;
        }
        if (!namespace_ || namespace_->empty()) return missing("Namespace");
        if (auto bad = too_long("Namespace", *namespace_, limits_.name_bytes)) return bad;
        if (members_.empty()) return missing("MetricData.member.1.MetricName");
        out.reserve(members_.size());
        for (const auto& [number, member] : members_) {
            metric_datum datum;
            if (auto bad = convert("MetricData.member." + std::to_string(number) + '.', member, datum)) return bad;
            out.push_back(std::move(datum));
        }
        return std::nullopt;
    }

private:
    [[nodiscard]] static std::optional<api_error> missing(const std::string& name) {
        return api_error{400, "MissingParameter", name + " is missing"};
    }
    [[nodiscard]] static std::optional<api_error> invalid(std::string message) {
        return api_error{400, "InvalidParameterValue", std::move(message)};
    }
    [[nodiscard]] static std::optional<api_error> too_long(const std::string& name, std::string_view text,
                                                           std::size_t most) {
        if (text.size() <= most) return std::nullopt;
        return invalid(name + " is longer than " + std::to_string(most) + " bytes");
    }
    [[nodiscard]] static std::optional<api_error> once(std::optional<std::string_view>& slot, const form_field& field) {
        if (slot) return api_error{400, "InvalidParameterCombination", echoed(field.name) + " is given twice"};
        slot = field.value;
        return std::nullopt;
    }

    [[nodiscard]] std::optional<api_error> sort_in(const form_field& field) {
        constexpr std::string_view metric_data = "MetricData.";
        constexpr std::string_view dimensions = "Dimensions.";
        if (field.name == "Namespace") return once(namespace_, field);
        std::string_view name = field.name;
        if (!name.starts_with(metric_data)) return std::nullopt;
        name.remove_prefix(metric_data.size());
        const auto number = take_member_number(name);
        if (!number) return invalid(echoed(field.name) + " has no member number");
        if (members_.size() == limits_.members && !members_.contains(*number)) {
            return invalid("more than " + std::to_string(limits_.members) + " members in MetricData");
        }
        sent_member& member = members_[*number];
        if (name == "MetricName") return once(member.metric_name, field);
        if (name == "Unit") return once(member.unit, field);
        if (name == "Value") return once(member.value, field);
        if (!name.starts_with(dimensions)) return std::nullopt; // Timestamp, StatisticValues: as in Heat, of no effect
        name.remove_prefix(dimensions.size());
        const auto place = take_member_number(name);
        if (!place) return invalid(echoed(field.name) + " has no member number");
        if (member.dimensions.size() == limits_.dimensions && !member.dimensions.contains(*place)) {
            return invalid("more than " + std::to_string(limits_.dimensions) + " dimensions in one member");
        }
        sent_dimension& dimension = member.dimensions[*place];
        if (name == "Name") return once(dimension.name, field);
        if (name == "Value") return once(dimension.value, field);
        return std::nullopt;
    }

    [[nodiscard]] std::optional<api_error> convert(const std::string& prefix, const sent_member& member,
                                                   metric_datum& out) const {
        if (!member.metric_name || member.metric_name->empty()) return missing(prefix + "MetricName");
        if (!member.unit) return missing(prefix + "Unit");
        if (!member.value) return missing(prefix + "Value");
        if (auto bad = too_long(prefix + "MetricName", *member.metric_name, limits_.name_bytes)) return bad;
        if (auto bad = too_long(prefix + "Unit", *member.unit, limits_.name_bytes)) return bad;
        const auto value = parse_metric_value(*member.value);
        if (!value)
            return invalid(prefix + "Value: expected a number of at most 2^360, found " + echoed(*member.value));
        out.metric_namespace = *namespace_;
        out.metric_name = *member.metric_name;
        out.unit = *member.unit;
        out.value = *value;
        bool for_one_alarm = false;
        for (const auto& [place, sent] : member.dimensions) {
            const std::string name = prefix + "Dimensions.member." + std::to_string(place) + '.';
            if (!sent.name || sent.name->empty()) return missing(name + "Name");
            if (auto bad = too_long(name + "Name", *sent.name, limits_.name_bytes)) return bad;
            const std::string_view text = sent.value.value_or(std::string_view{}); // boto leaves an empty value out
            if (*sent.name != "AlarmName") {
                if (auto bad = too_long(name + "Value", text, limits_.dimension_bytes)) return bad;
                out.dimensions.push_back({std::string{*sent.name}, std::string{text}});
                continue;
            }
            // An empty name must not fall through to "every alarm that matches".
            if (text.empty()) return invalid(name + "Value: AlarmName is empty");
            if (auto bad = too_long(name + "Value", text, limits_.name_bytes)) return bad;
            if (for_one_alarm) {
                return api_error{400, "InvalidParameterCombination", prefix + "Dimensions: AlarmName is given twice"};
            }
            for_one_alarm = true;
            out.alarm_name = text;
        }
        return std::nullopt;
    }

    put_metric_data_limits limits_;
    std::optional<std::string_view> namespace_;
    std::map<std::uint32_t, sent_member> members_;
};

} // namespace detail

/// Reads all members of a `PutMetricData` request into `out`, in the order of their numbers, which may have gaps. On an
/// error `out` holds nothing to rely on.
[[nodiscard]] inline std::optional<api_error> read_put_metric_data(const std::vector<form_field>& fields,
                                                                   std::vector<metric_datum>& out,
                                                                   const put_metric_data_limits& limits = {}) {
    return detail::put_metric_data_reader{limits}.read(fields, out);
}

} // namespace guest

} // namespace reheat::inline REHEAT_ABI
