// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/reason.hpp>
#include <reheat/core/decimal.hpp>
#include <reheat/core/escape.hpp>
#include <reheat/core/text.hpp>
#include <reheat/core/time.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// Of which metric the evidence is: what stands in reason data beside the numbers. Texts that are empty are left out.
struct reason_metric {
    std::string_view statistic; ///< `Average`, `p99` …
    std::string_view unit;
    duration period{};
};

/// Appends a time as CloudWatch's JSON has it, in quotes and cut to milliseconds: `"2026-11-23T21:30:00.000+0000"`.
inline void append_aws_time(std::string& out, time_point t) {
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(t.time_since_epoch());
    const std::string text = format_time(time_point{std::chrono::floor<std::chrono::seconds>(milliseconds)});
    const auto fraction = (milliseconds % 1'000).count();
    const auto digits = std::to_string(1'000 + (fraction < 0 ? fraction + 1'000 : fraction));
    out += '"';
    out.append(text, 0, text.size() - 1);
    out += '.';
    out.append(digits, 1);
    out += "+0000\"";
}

/// The evidence for a state as JSON, as in CloudWatch's `StateReasonData`: the newest 20 points, `recentDatapoints`
/// oldest first, `evaluatedDatapoints` newest first. At most 4,000 bytes.
[[nodiscard]] inline std::string reason_data_text(const alarm_evidence& e, const reason_metric& metric,
                                                  time_point queried_at) {
    constexpr std::size_t most = 20;
    const std::span<const evidence_point> points = e.points.first(e.points.size() < most ? e.points.size() : most);
    std::string out = R"({"version":"1.0","queryDate":)";
    append_aws_time(out, queried_at);
    if (!points.empty()) {
        out += R"(,"startDate":)";
        append_aws_time(out, points.back().start);
    }
    if (!metric.unit.empty()) {
        out += R"(,"unit":)";
        append_json_string(out, clip(metric.unit, 32));
    }
    if (!metric.statistic.empty()) {
        out += R"(,"statistic":)";
        append_json_string(out, clip(metric.statistic, 64));
    }
    out += R"(,"period":)" + std::to_string(metric.period / std::chrono::seconds{1});
    const auto each = [&out, &points](std::string_view name, const auto& value) {
        out += ",\"";
        out += name;
        out += "\":[";
        for (std::size_t i = points.size(); i-- > 0;) {
            append_decimal(out, value(points[i]));
            if (i != 0) out += ',';
        }
        out += ']';
    };
    each("recentDatapoints", [](const evidence_point& p) { return p.value; });
    const auto lower = [&e](const evidence_point&) { return e.threshold; };
    const auto upper = [&e](const evidence_point&) { return e.upper_threshold; };
    if (!is_band(e.compare)) {
        out += R"(,"threshold":)";
        append_decimal(out, e.threshold);
    } else {
        if (e.compare != comparison::above_band) each("recentLowerThresholds", lower);
        if (e.compare != comparison::below_band) each("recentUpperThresholds", upper);
    }
    out += R"(,"evaluatedDatapoints":[)";
    for (const evidence_point& p : points) {
        out += out.back() == '[' ? R"({"timestamp":)" : R"(,{"timestamp":)";
        append_aws_time(out, p.start);
        if (p.sample_count > 0) {
            out += R"(,"sampleCount":)";
            append_decimal(out, p.sample_count);
        }
        out += R"(,"value":)";
        append_decimal(out, p.value);
        out += '}';
    }
    out += "]}";
    return out;
}

} // namespace reheat::inline REHEAT_ABI
