// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/api_fault.hpp>
#include <reheat/core/time.hpp>
#include <reheat/metric/unit.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// The bounds of PutMetricData. (The API's model, and its documentation.)
struct metric_limits {
    static constexpr std::size_t namespace_length = 255;
    static constexpr std::size_t name_length = 255;
    static constexpr std::size_t dimension_value_length = 1024;
    static constexpr std::size_t dimensions = 30;
    static constexpr std::size_t values = 150;
    static constexpr std::size_t data = 1000;
    static constexpr std::size_t request_bytes = 1'048'576;
    static constexpr double value = 2.3485425827738332e108; ///< 2^360, either way
    static constexpr duration past = std::chrono::hours{24 * 14};
    static constexpr duration future = std::chrono::hours{2};
};

/// One datum of a PutMetricData request as it came: what was not given is empty. Views of the caller's memory.
struct metric_input {
    struct dimension {
        std::string_view name;
        std::string_view value;
    };
    /// A set as it came; all four are required.
    struct set {
        std::optional<double> sample_count;
        std::optional<double> sum;
        std::optional<double> minimum;
        std::optional<double> maximum;
    };

    std::optional<std::string_view> name;
    std::span<const dimension> dimensions;
    std::optional<double> value;
    std::span<const double> values;
    std::span<const double> counts;
    std::optional<set> statistics;
    std::optional<std::string_view> unit_name;
    std::optional<time_point> timestamp;
    std::optional<std::int64_t> storage_resolution;
};

namespace detail {

/// Checks one datum; each check returns the first fault, with the name of the member that it is about.
class metric_check {
public:
    explicit metric_check(std::string member, time_point now) : member_{std::move(member)}, now_{now} {}

    [[nodiscard]] std::optional<api_fault> operator()(const metric_input& m) const {
        if (!m.name) return fault("MissingParameter", "The parameter " + member_ + "MetricName is required.");
        if (auto f = text(*m.name, "MetricName", metric_limits::name_length)) return f;
        if (m.dimensions.size() > metric_limits::dimensions)
            return fault("ValidationError", "The collection " + member_ +
                                                "Dimensions must not have a size greater than " +
                                                std::to_string(metric_limits::dimensions) + ".");
        for (std::size_t n = 0; n < m.dimensions.size(); ++n) {
            const std::string at = "Dimensions.member." + std::to_string(n + 1) + '.';
            const std::string_view name = m.dimensions[n].name;
            if (auto f = text(name, at + "Name", metric_limits::name_length)) return f;
            if (name.front() == ':') return invalid(at + "Name", "must not start with ':'");
            if (auto f = text(m.dimensions[n].value, at + "Value", metric_limits::dimension_value_length)) return f;
        }
        if (m.value && !m.values.empty()) return exclusive("Value", "Values");
        if (m.value && m.statistics) return exclusive("Value", "StatisticValues");
        if (!m.value && m.values.empty() && !m.statistics)
            return fault("MissingParameter", "One of " + member_ + "Value, Values and StatisticValues is required.");
        if (m.value) {
            if (auto f = number(*m.value, "Value")) return f;
        }
        if (auto f = many(m)) return f;
        if (m.statistics) {
            if (auto f = set(*m.statistics)) return f;
        }
        if (m.unit_name && !parse_unit(*m.unit_name))
            return invalid("Unit", "must be a value in the set [ " + known_units() + " ]");
        if (m.timestamp && *m.timestamp < now_ - metric_limits::past)
            return invalid("Timestamp", "must not be more than two weeks in the past");
        if (m.timestamp && *m.timestamp > after(now_, metric_limits::future))
            return invalid("Timestamp", "must not be more than two hours in the future");
        if (m.storage_resolution && *m.storage_resolution != 1 && *m.storage_resolution != 60)
            return invalid("StorageResolution", "must be 1 or 60");
        return std::nullopt;
    }

private:
    [[nodiscard]] static api_fault fault(std::string_view code, std::string message) {
        return {code, std::move(message)};
    }
    [[nodiscard]] api_fault invalid(std::string_view of, std::string_view why) const {
        return fault("InvalidParameterValue",
                     "The parameter " + member_ + std::string{of} + ' ' + std::string{why} + '.');
    }
    [[nodiscard]] api_fault exclusive(std::string_view a, std::string_view b) const {
        return fault("InvalidParameterCombination", "The parameters " + member_ + std::string{a} + " and " + member_ +
                                                        std::string{b} +
                                                        " are mutually exclusive and you have specified both.");
    }
    /// In the order of the API's refusal: `None` is the last.
    [[nodiscard]] static std::string known_units() {
        std::string all;
        for (std::size_t n = 1; n < unit_names.size(); ++n) all += std::string{unit_names[n]} + ", ";
        return all + std::string{unit_names[0]};
    }
    [[nodiscard]] std::optional<api_fault> text(std::string_view of, std::string_view what, std::size_t most) const {
        if (of.empty() || of.size() > most)
            return fault("ValidationError", "The parameter " + member_ + std::string{what} + " must have 1 to " +
                                                std::to_string(most) + " characters.");
        bool blank = true;
        for (const char c : of) {
            if (c < ' ' || c > '~') return invalid(what, "must hold ASCII characters without control characters only");
            blank = blank && c == ' ';
        }
        if (blank) return invalid(what, "must not be blank");
        return std::nullopt;
    }
    [[nodiscard]] std::optional<api_fault> number(double value, std::string_view what) const {
        if (value >= -metric_limits::value && value <= metric_limits::value) return std::nullopt;
        const std::string_view word = value != value                          ? "NaN"
                                      : value > metric_limits::value * 1e100  ? "Infinity"
                                      : value < metric_limits::value * -1e100 ? "-Infinity"
                                                                              : "";
        if (word.empty()) return invalid(what, "must be between -2^360 and 2^360");
        return fault("InvalidParameterValue", "The value " + std::string{word} + " for parameter " + member_ +
                                                  std::string{what} + " is invalid.");
    }
    [[nodiscard]] std::optional<api_fault> many(const metric_input& m) const {
        if (m.values.size() > metric_limits::values)
            return invalid("Values", "must not have more than " + std::to_string(metric_limits::values) + " members");
        if (!m.counts.empty() && m.counts.size() != m.values.size())
            return fault("InvalidParameterValue",
                         "The parameters " + member_ + "Values and " + member_ + "Counts must be of the same size.");
        for (std::size_t n = 0; n < m.values.size(); ++n) {
            if (auto f = number(m.values[n], "Values.member." + std::to_string(n + 1))) return f;
        }
        for (std::size_t n = 0; n < m.counts.size(); ++n) {
            const std::string at = "Counts.member." + std::to_string(n + 1);
            if (auto f = number(m.counts[n], at)) return f;
            if (m.counts[n] < 0) return invalid(at, "must not be negative");
        }
        return std::nullopt;
    }
    [[nodiscard]] std::optional<api_fault> set(const metric_input::set& s) const {
        struct member {
            std::string_view name;
            const std::optional<double>& value;
        };
        for (const member& m : {member{"SampleCount", s.sample_count}, member{"Sum", s.sum},
                                member{"Minimum", s.minimum}, member{"Maximum", s.maximum}}) {
            const std::string at = "StatisticValues." + std::string{m.name};
            if (!m.value) return invalid(at, "is required");
            if (auto f = number(*m.value, at)) return f;
        }
        if (*s.sample_count < 0) return invalid("StatisticValues.SampleCount", "must not be negative");
        if (*s.minimum > *s.maximum)
            return invalid("StatisticValues.Minimum", "must not be greater than StatisticValues.Maximum");
        return std::nullopt;
    }

    std::string member_;
    time_point now_;
};

} // namespace detail

/// What is wrong with a PutMetricData request of so many bytes at a time, with the code and the text of the API, whose
/// indexes begin at 1; none if nothing is. `Values` and `StatisticValues` together are accepted, as the real API does.
[[nodiscard]] inline std::optional<api_fault> check_metric_data(std::string_view name_space,
                                                                std::span<const metric_input> data, time_point now,
                                                                std::size_t request_bytes = 0) {
    if (request_bytes > metric_limits::request_bytes)
        return api_fault{"RequestEntityTooLarge", "The request must not have more than 1048576 bytes.", 413};
    if (name_space.empty() || name_space.size() > metric_limits::namespace_length)
        return api_fault{"ValidationError", "The parameter Namespace must have 1 to 255 characters."};
    if (name_space.front() == ':')
        return api_fault{"InvalidParameterValue", "The parameter Namespace must not start with ':'."};
    for (const char c : name_space) {
        if (c < ' ' || c > '~')
            return api_fault{"InvalidParameterValue",
                             "The parameter Namespace must hold ASCII characters without control characters only."};
    }
    if (data.empty()) return api_fault{"MissingParameter", "The parameter MetricData is required."};
    if (data.size() > metric_limits::data)
        return api_fault{"ValidationError", "The collection MetricData must not have a size greater than 1000."};
    for (std::size_t n = 0; n < data.size(); ++n) {
        const detail::metric_check check{"MetricData.member." + std::to_string(n + 1) + '.', now};
        if (auto fault = check(data[n])) return fault;
    }
    return std::nullopt;
}

} // namespace reheat::inline REHEAT_ABI
