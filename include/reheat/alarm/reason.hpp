// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/comparison.hpp>
#include <reheat/alarm/state.hpp>
#include <reheat/core/decimal.hpp>
#include <reheat/core/text.hpp>
#include <reheat/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// The statistic of one period, as evidence for a state.
struct evidence_point {
    time_point start; ///< of the period
    double value;
    double sample_count = 0; ///< 0 if it is not known

    friend constexpr bool operator==(const evidence_point&, const evidence_point&) = default;
};

/// What an evaluation looked at, and by which rule: enough to say in words why an alarm is in its state.
struct alarm_evidence {
    alarm_state state = alarm_state::insufficient_data; ///< what it came to
    comparison compare = comparison::greater_than;
    missing_data treat_missing = missing_data::missing;
    std::uint16_t evaluation_periods = 1;  ///< N
    std::uint16_t datapoints_to_alarm = 0; ///< M; 0 if it was not given, and so is N
    std::uint16_t filled = 0;              ///< missing periods that were counted as breaching or as not breaching
    std::uint16_t received = 0;            ///< periods that had a datapoint
    std::uint16_t supporting = 0;          ///< those of them that speak for the state
    double threshold = 0;
    double upper_threshold = 0;               ///< of a band
    std::span<const evidence_point> points{}; ///< the received ones, or the newest of them; newest first
};

/// Whether a datapoint speaks for the state: in `alarm` a breaching one does, else one that does not breach.
[[nodiscard]] constexpr bool supports(const alarm_evidence& e, const evidence_point& p) noexcept {
    return any_comparison{e.compare}(p.value, e.threshold, e.upper_threshold) == (e.state == alarm_state::alarm);
}

/// The evidence with `received` and `supporting` counted from its points, where all of them are at hand.
[[nodiscard]] constexpr alarm_evidence counted(alarm_evidence e) noexcept {
    e.received = static_cast<std::uint16_t>(e.points.size());
    e.supporting = 0;
    for (const evidence_point& p : e.points) e.supporting = static_cast<std::uint16_t>(e.supporting + supports(e, p));
    return e;
}

/// The reason of an alarm that was not evaluated yet.
inline constexpr std::string_view initial_reason = "Unchecked: Initial alarm creation";

namespace detail {

/// A period's start in the middle of a reason: `08/11/22 11:25:00`.
inline void append_reason_time(std::string& out, time_point t) {
    const std::string iso = format_time(t); // YYYY-MM-DDThh:mm:ss
    const std::string_view text{iso};
    const std::size_t year = text.find('-', 1);
    const std::string_view rest = text.substr(year);
    out += rest.substr(4, 2);
    out += '/';
    out += rest.substr(1, 2);
    out += '/';
    out += text.substr(year - 2, 2);
    out += ' ';
    out += rest.substr(7, 8);
}

/// `1 datapoint`, `3 datapoints`.
inline void append_count(std::string& out, std::uint32_t count, std::string_view noun) {
    out += std::to_string(count);
    out += ' ';
    out += noun;
    if (count != 1) out += 's';
}

inline void append_missing(std::string& out, const alarm_evidence& e) {
    append_count(out, e.filled, "missing datapoint");
    out += e.filled == 1 ? " was treated as [" : " were treated as [";
    switch (e.treat_missing) {
    case missing_data::missing: out += "Missing"; break;
    case missing_data::breaching: out += "Breaching"; break;
    case missing_data::not_breaching: out += "NonBreaching"; break;
    case missing_data::ignore: out += "Ignore"; break;
    }
    out += ']';
}

/// So many points a reason lists.
inline constexpr unsigned listed_points = 5;

/// The newest of the supporting points, newest first.
inline void append_points(std::string& out, const alarm_evidence& e) {
    unsigned listed = 0;
    out += '[';
    for (const evidence_point& p : e.points) {
        if (listed == listed_points) break;
        if (!supports(e, p)) continue;
        if (listed++ != 0) out += ", ";
        append_decimal(out, p.value);
        out += " (";
        append_reason_time(out, p.start);
        out += ')';
    }
    out += ']';
}

/// A band's border, once for each point that is listed.
inline void append_border(std::string& out, const alarm_evidence& e, double border) {
    out += '[';
    for (unsigned i = 0; i < e.supporting && i < listed_points; ++i) {
        if (i != 0) out += ", ";
        append_decimal(out, border);
    }
    out += ']';
}

/// `greater than the threshold (21.0)`, or the two halves of a band, each denied where the state denies it.
inline void append_comparison(std::string& out, const alarm_evidence& e) {
    const std::string_view denied = e.state == alarm_state::alarm ? "" : "not ";
    const bool below = e.compare == comparison::outside_band || e.compare == comparison::below_band;
    const bool above = e.compare == comparison::outside_band || e.compare == comparison::above_band;
    out += denied;
    if (below) {
        out += "less than the lower thresholds ";
        append_border(out, e, e.threshold);
    }
    if (below && above) {
        out += " or ";
        out += denied;
    }
    if (above) {
        out += "greater than the upper thresholds ";
        append_border(out, e, e.upper_threshold);
    }
    if (below || above) return;
    switch (e.compare) {
    case comparison::greater_than: out += "greater than"; break;
    case comparison::greater_than_or_equal: out += "greater than or equal to"; break;
    case comparison::less_than: out += "less than"; break;
    case comparison::less_than_or_equal: out += "less than or equal to"; break;
    case comparison::equal_to: out += "equal to"; break;
    default: out += "different from"; break;
    }
    out += " the threshold (";
    append_decimal(out, e.threshold);
    out += ')';
}

} // namespace detail

/// Why an alarm is in its state, as CloudWatch words it: which datapoints speak for it, what they were compared with,
/// how many missing ones were counted as what, and how many a transition takes where M was given. Up to four datapoints
/// are listed in the sentence; of more the newest five in a sentence of their own. (The wording is that of recorded
/// answers; for five and more datapoints that do not breach none was found, and it is that of the breaching ones.)
[[nodiscard]] inline std::string reason_text(const alarm_evidence& e) {
    const bool raised = e.state == alarm_state::alarm;
    std::string out;
    if (e.state == alarm_state::insufficient_data) {
        out += "Insufficient Data: ";
        detail::append_count(out, e.evaluation_periods, "datapoint");
        out += e.evaluation_periods == 1 ? " was unknown." : " were unknown.";
        return out;
    }
    out += is_band(e.compare) ? "Thresholds Crossed: " : "Threshold Crossed: ";
    if (e.supporting == 0) {
        if (e.received == 0) {
            out += "no datapoints";
        } else {
            detail::append_count(out, e.received, "datapoint");
        }
        out += e.received == 1 ? " was received for " : " were received for ";
        detail::append_count(out, e.evaluation_periods, "period");
        if (e.filled != 0) {
            out += " and ";
            detail::append_missing(out, e);
        }
        out += '.';
        return out;
    }
    const bool in_sentence = e.supporting < detail::listed_points || is_band(e.compare);
    if (e.datapoints_to_alarm == 0) {
        detail::append_count(out, e.supporting, "datapoint");
    } else {
        out +=
            std::to_string(e.supporting) + " out of the last " + std::to_string(e.evaluation_periods) + " datapoints";
    }
    out += ' ';
    if (in_sentence) {
        detail::append_points(out, e);
        out += ' ';
    }
    out += e.supporting == 1 ? "was " : "were ";
    detail::append_comparison(out, e);
    if (e.filled != 0) {
        out += " and ";
        detail::append_missing(out, e);
    }
    if (!in_sentence) {
        out += raised ? ". The most recent datapoints which crossed the threshold: "
                      : ". The most recent datapoints which did not cross the threshold: ";
        detail::append_points(out, e);
    }
    if (e.datapoints_to_alarm != 0) {
        const unsigned to_clear = e.evaluation_periods - e.datapoints_to_alarm + 1U;
        out += " (minimum ";
        detail::append_count(out, raised ? e.datapoints_to_alarm : to_clear, "datapoint");
        out += raised ? " for OK -> ALARM transition)" : " for ALARM -> OK transition)";
    }
    out += '.';
    return out;
}

} // namespace reheat::inline REHEAT_ABI
