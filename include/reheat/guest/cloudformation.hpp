// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/node.hpp>
#include <reheat/core/result.hpp>
#include <reheat/guest/api_error.hpp>
#include <reheat/guest/form.hpp>
#include <reheat/guest/http.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace reheat::inline REHEAT_ABI {

namespace guest {

/// What a guest says to a wait condition. All text is the guest's own and may be anything.
struct wait_signal {
    bool success = false;
    std::string reason;
    std::string unique_id; ///< one guest's signal replaces its former one of the same id
    std::string data;

    friend bool operator==(const wait_signal&, const wait_signal&) = default;
};

/// A type that takes signals for wait condition handles, named by their ARN
/// (`arn:openstack:heat::TENANT:stacks/STACK/ID/resources/HANDLE`). `errc::not_found` says that there is no such
/// handle, `errc::denied` that this guest may not signal it.
template <class T>
concept wait_condition_sink = requires(T& sink, std::string_view resource_arn, const wait_signal& signal) {
    { sink.signal(resource_arn, signal) } -> std::same_as<result<void>>;
};

namespace detail {

inline constexpr std::string_view wait_condition_path = "/v1/waitcondition/";
inline constexpr std::size_t longest_arn = 2048;

[[nodiscard]] inline error not_a_signal(std::string message) {
    return {errc::invalid_argument, {}, std::move(message)};
}

/// The guest's JSON object: exactly these four members, as in Heat.
[[nodiscard]] inline result<wait_signal> to_wait_signal(const node& from) {
    constexpr std::array<std::string_view, 4> names{"Data", "Reason", "Status", "UniqueId"};
    if (!from.is_object()) return not_a_signal("expected a JSON object");
    std::array<std::string_view, 4> texts;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const node* const found = from.find(names[i]);
        if (found == nullptr) return not_a_signal(std::string{names[i]} + " is missing");
        if (!found->is_scalar()) return not_a_signal(std::string{names[i]} + " is not text");
        texts[i] = found->text();
    }
    if (from.members().size() != names.size()) return not_a_signal("expected only Data, Reason, Status and UniqueId");
    if (texts[2] != "SUCCESS" && texts[2] != "FAILURE") {
        return not_a_signal("Status: expected SUCCESS or FAILURE, found " + echoed(texts[2]));
    }
    return wait_signal{texts[2] == "SUCCESS", std::string{texts[1]}, std::string{texts[3]}, std::string{texts[0]}};
}

/// `curl` sends no content type when told to (as `cfn-signal` does), and that of a form when told nothing.
[[nodiscard]] inline bool may_hold_json(std::string_view content_type) {
    std::string type;
    for (const char c : content_type.substr(0, content_type.find(';')).substr(0, 64)) {
        if (c != ' ' && c != '\t') type += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return type.empty() || type == "text/plain" || type == "application/json" ||
           type == "application/x-www-form-urlencoded";
}

} // namespace detail

/// The part of the CloudFormation API that guests signal wait conditions by: `PUT /v1/waitcondition/ARN`, the ARN
/// percent-encoded, as `cfn-signal` sends it. A function of a request: mount it in any HTTP server. The query, which
/// holds the signature, is not looked at. One thread at a time; `sink` outlives the API.
///
///     reheat::guest::cloudformation_api api{sink, reheat::nlohmann_json{}};
///     reheat::guest::response answer = api.handle(request);
template <wait_condition_sink Sink, json_reader Json>
class cloudformation_api {
public:
    explicit cloudformation_api(Sink& sink, Json json = {}) : sink_{&sink}, json_{std::move(json)} {}

    /// The answer to any request: 200, or an error with a 4xx status.
    [[nodiscard]] response handle(const request& from) {
        const auto fail = [](const api_error& e) { return render(e, body_format::xml); };
        const auto invalid = [&fail](std::string message) {
            return fail({400, "InvalidParameterValue", std::move(message)});
        };
        const std::string_view path = from.path();
        if (path == "/" || path == "/v1" || path == "/v1/")
            return fail({400, "InvalidAction", "no action is offered here"});
        if (!path.starts_with(detail::wait_condition_path)) {
            return fail({404, "InvalidAction", "nothing at " + echoed(path) + ", expected /v1/waitcondition/ARN"});
        }
        if (from.method != "PUT")
            return fail({405, "InvalidAction", "method " + echoed(from.method) + ", expected PUT"});
        auto arn = percent_decode(path.substr(detail::wait_condition_path.size()), false);
        if (!arn) return fail({404, "MalformedQueryString", "ARN: " + to_string(arn.error())});
        if (arn->empty() || arn->size() > detail::longest_arn)
            return invalid("expected the ARN of a wait condition handle");
        if (!detail::may_hold_json(from.header("Content-Type"))) {
            return invalid("content type " + echoed(from.header("Content-Type")) + ", expected application/json");
        }
        if (!from.body.starts_with('{')) return invalid("body: expected a JSON object");
        const auto json = json_.read(from.body, read_limits{.bytes = std::size_t{1} << 20U, .depth = 8, .nodes = 256});
        if (!json) return invalid("body: " + std::string{clip(to_string(json.error()), 256)});
        const auto signal = detail::to_wait_signal(*json);
        if (!signal) return invalid("body: " + signal.error().message);
        if (auto done = sink_->signal(*arn, *signal); !done) return fail(sink_error(*arn, done.error()));
        response out{200, "application/xml", "<resource>"};
        append_xml_text(out.body, clip(std::string_view{*arn}.substr(arn->rfind('/') + 1), 64));
        out.body += "</resource>";
        return out;
    }

private:
    [[nodiscard]] static api_error sink_error(std::string_view arn, const error& e) {
        switch (e.code) {
        case errc::not_found: return {400, "InvalidParameterValue", "there is no wait condition handle " + echoed(arn)};
        case errc::denied: return {403, "AccessDenied", "not allowed to signal this handle"};
        case errc::limit_exceeded:
        case errc::unavailable:
        case errc::io: return {400, "Throttling", "not taken now, try again later"};
        default: return {400, "InvalidParameterValue", std::string{clip(e.message, 256)}};
        }
    }

    Sink* sink_;
    Json json_;
};

} // namespace guest

} // namespace reheat::inline REHEAT_ABI
