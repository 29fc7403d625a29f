// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/reason.hpp>
#include <reheat/core/parse_time.hpp>

#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vectors {

/// The evidence that a reason in CloudWatch's words tells of. Numbers and words are taken out of the text; whether they
/// are put together in the same way is for `reheat::reason_text` to show.
struct told_evidence {
    reheat::alarm_evidence evidence;
    std::vector<reheat::evidence_point> points;

    [[nodiscard]] reheat::alarm_evidence view() const {
        reheat::alarm_evidence e = evidence;
        e.points = points;
        return e;
    }
};

namespace reasons {

namespace rh = reheat;

inline std::optional<std::string> found(const std::string& text, const char* pattern) {
    std::smatch m;
    if (!std::regex_search(text, m, std::regex{pattern})) return std::nullopt;
    return m[1].str();
}

inline std::uint16_t count(const std::optional<std::string>& digits) {
    return digits ? static_cast<std::uint16_t>(std::stoul(*digits)) : std::uint16_t{0};
}

inline std::optional<rh::comparison> comparison_of(const std::string& text) {
    const auto has = [&text](std::string_view words) { return text.find(words) != std::string::npos; };
    const bool below = has("less than the lower");
    const bool above = has("greater than the upper");
    if (below || above)
        return !above ? rh::comparison::below_band : !below ? rh::comparison::above_band : rh::comparison::outside_band;
    if (has("greater than or equal to the")) return rh::comparison::greater_than_or_equal;
    if (has("greater than the")) return rh::comparison::greater_than;
    if (has("less than or equal to the")) return rh::comparison::less_than_or_equal;
    if (has("less than the")) return rh::comparison::less_than;
    return std::nullopt;
}

} // namespace reasons

/// Reads a reason for a state; a placeholder for a time is to be replaced before.
inline std::optional<told_evidence> read_reason(const std::string& text, reheat::alarm_state state) {
    namespace rh = reheat;
    using reasons::count;
    using reasons::found;
    told_evidence told;
    rh::alarm_evidence& e = told.evidence;
    e.state = state;
    const auto treated = found(text, R"(treated as \[(\w+)\])");
    e.filled = count(found(text, R"((\d+) missing datapoints?)"));
    if (treated == "Breaching") e.treat_missing = rh::missing_data::breaching;
    if (treated == "NonBreaching") e.treat_missing = rh::missing_data::not_breaching;
    if (const auto unknown = found(text, R"(^Insufficient Data: (\d+) )")) {
        e.evaluation_periods = count(unknown);
        return told;
    }
    if (const auto periods = found(text, R"(received for (\d+) period)")) {
        e.evaluation_periods = count(periods);
        e.received = count(found(text, R"(Crossed: (\d+) datapoint)"));
        return told;
    }
    const auto compare = reasons::comparison_of(text);
    const auto counted = found(text, R"(Crossed: (\d+) )");
    if (!compare || !counted) return std::nullopt;
    e.compare = *compare;
    e.supporting = count(counted);
    e.evaluation_periods = count(found(text, R"(out of the last (\d+) )"));
    const std::uint16_t minimum = count(found(text, R"(\(minimum (\d+) )"));
    if (minimum != 0)
        e.datapoints_to_alarm =
            state == rh::alarm_state::alarm ? minimum : static_cast<std::uint16_t>(e.evaluation_periods + 1 - minimum);
    const auto number = [&](const char* pattern) { return std::stod(found(text, pattern).value_or("0")); };
    e.threshold = number(R"(the threshold \((-?[0-9.E-]+)\))");
    if (rh::is_band(e.compare)) {
        e.threshold = number(R"(lower thresholds \[(-?[0-9.E-]+))");
        e.upper_threshold = number(R"(upper thresholds \[(-?[0-9.E-]+))");
    }
    const std::regex point{R"((-?[0-9.E-]+) \((\d\d)/(\d\d)/(\d\d) (\d\d:\d\d:\d\d)\))"};
    for (std::sregex_iterator m{text.begin(), text.end(), point}; m != std::sregex_iterator{}; ++m) {
        const auto start =
            rh::parse_time("20" + (*m)[4].str() + '-' + (*m)[3].str() + '-' + (*m)[2].str() + 'T' + (*m)[5].str());
        if (!start) return std::nullopt;
        told.points.push_back({*start, std::stod((*m)[1].str())});
    }
    return told;
}

} // namespace vectors
