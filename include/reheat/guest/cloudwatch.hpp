// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/guest/api_error.hpp>
#include <reheat/guest/form.hpp>
#include <reheat/guest/http.hpp>
#include <reheat/guest/metric_datum.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

namespace guest {

/// A type that takes the values that guests report. `errc::not_found` says that no alarm has that name, or that none
/// matches; `errc::denied` that this guest may not feed it. A value whose metric is not the alarm's own is taken and
/// dropped: guests send every metric to the alarm that they were told of.
template <class T>
concept metric_sink = requires(T& sink, const metric_datum& datum) {
    { sink.put(datum) } -> std::same_as<result<void>>;
};

/// A sink that can tell beforehand whether `put` would refuse: then a request of many members is taken whole or not at
/// all, even if one names an alarm that nobody has.
template <class T>
concept checking_metric_sink = metric_sink<T> && requires(T& sink, const metric_datum& datum) {
    { sink.check(datum) } -> std::same_as<result<void>>;
};

namespace detail {

inline constexpr std::array<std::string_view, 11> actions_not_offered{
    "DeleteAlarms",        "DescribeAlarmHistory", "DescribeAlarms",      "DescribeAlarmsForMetric",
    "DisableAlarmActions", "EnableAlarmActions",   "GetMetricStatistics", "ListMetrics",
    "PutMetricAlarm",      "SetAlarmState",        "GetMetricData"};

[[nodiscard]] inline api_error form_error(std::string_view part, const error& e) {
    const bool syntax = e.code == errc::syntax;
    return {syntax ? 404 : 413, syntax ? "MalformedQueryString" : "InvalidParameterValue",
            std::string{part} + ": " + to_string(e)};
}

[[nodiscard]] inline api_error sink_error(const metric_datum& datum, const error& e) {
    switch (e.code) {
    case errc::not_found:
        return {400, "InvalidParameterValue",
                datum.alarm_name.empty() ? "no alarm matches metric " + echoed(datum.metric_name)
                                         : "there is no alarm " + echoed(datum.alarm_name)};
    case errc::denied: return {403, "AccessDenied", "not allowed to report to this alarm"};
    case errc::limit_exceeded:
    case errc::unavailable:
    case errc::io: return {400, "Throttling", "not taken now, try again later"};
    default: return {400, "InvalidParameterValue", std::string{clip(e.message, 256)}};
    }
}

} // namespace detail

/// The CloudWatch API that guests report metrics to: `PutMetricData` of the AWS query protocol, by GET or POST, as
/// `cfn-push-stats` sends it. A function of a request: mount it in any HTTP server. Signatures are not looked at. Every
/// value of a request is checked before the first is put; other actions get an error that guests do not repeat.
/// One thread at a time; `sink` outlives the API.
///
///     reheat::guest::cloudwatch_api api{sink};
///     reheat::guest::response answer = api.handle(request);
template <metric_sink Sink>
class cloudwatch_api {
public:
    explicit cloudwatch_api(Sink& sink) noexcept : sink_{&sink} {}

    /// The answer to any request: 200, or an error with a 4xx status.
    [[nodiscard]] response handle(const request& from) {
        body_format format = body_format::xml;
        const auto fail = [&format](const api_error& e) { return render(e, format); };
        const std::string_view path = from.path();
        if (path != "/" && path != "/v1" && path != "/v1/" && path != "/v1.0" && path != "/v1.0/") {
            return fail({404, "InvalidAction", "nothing at " + echoed(path) + ", expected /v1/"});
        }
        if (from.method != "GET" && from.method != "POST") {
            return fail({405, "InvalidAction", "method " + echoed(from.method) + ", expected GET or POST"});
        }
        auto fields = decode_form(from.query());
        if (!fields) return fail(detail::form_error("query", fields.error()));
        if (from.method == "POST") {
            auto more = decode_form(from.body);
            if (!more) return fail(detail::form_error("body", more.error()));
            fields->insert(fields->end(), std::make_move_iterator(more->begin()), std::make_move_iterator(more->end()));
        }
        const form_field* action = nullptr;
        bool twice = false;
        for (const form_field& field : *fields) {
            if (field.name == "ContentType" && field.value == "JSON") format = body_format::json;
            if (field.name != "Action") continue;
            twice = action != nullptr;
            action = &field;
        }
        if (action == nullptr || action->value.empty()) return fail({400, "MissingAction", "Action is missing"});
        if (twice) return fail({400, "InvalidParameterCombination", "Action is given twice"});
        if (action->value != "PutMetricData") {
            bool is_known = false;
            for (const std::string_view name : detail::actions_not_offered)
                is_known = is_known || name == action->value;
            return fail({400, "InvalidAction",
                         "action " + echoed(action->value) + (is_known ? " is not offered here" : " is unknown")});
        }
        return put_metric_data(*fields, format);
    }

private:
    [[nodiscard]] response put_metric_data(const std::vector<form_field>& fields, body_format format) {
        std::vector<metric_datum> data;
        if (auto bad = read_put_metric_data(fields, data)) return render(*bad, format);
        if constexpr (checking_metric_sink<Sink>) {
            for (const metric_datum& datum : data) {
                if (auto checked = sink_->check(datum); !checked)
                    return render(detail::sink_error(datum, checked.error()), format);
            }
        }
        for (const metric_datum& datum : data) {
            if (auto done = sink_->put(datum); !done) return render(detail::sink_error(datum, done.error()), format);
        }
        if (format == body_format::json) {
            return {200, "application/json",
                    R"({"PutMetricDataResponse": {"PutMetricDataResult": {"ResponseMetadata": null}}})"};
        }
        return {200, "application/xml",
                "<PutMetricDataResponse><PutMetricDataResult><ResponseMetadata>None</ResponseMetadata>"
                "</PutMetricDataResult></PutMetricDataResponse>"};
    }

    Sink* sink_;
};

} // namespace guest

} // namespace reheat::inline REHEAT_ABI
