// SPDX-License-Identifier: MIT
#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/guest/cloudformation.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace guest = reheat::guest;

namespace {

struct recording_sink {
    std::vector<std::pair<std::string, guest::wait_signal>> taken;
    reheat::error refuse{};
    bool refuses = false;

    reheat::result<void> signal(std::string_view arn, const guest::wait_signal& s) {
        if (refuses) return refuse;
        taken.emplace_back(arn, s);
        return {};
    }
};
static_assert(guest::wait_condition_sink<recording_sink>);

const std::string arn = "arn:openstack:heat::t1:stacks/wiki/0a-1b/resources/WaitHandle";
const std::string target =
    "/v1/waitcondition/arn%3Aopenstack%3Aheat%3A%3At1%3Astacks%2Fwiki%2F0a-1b%2Fresources%2FWaitHandle"
    "?Timestamp=2026-01-02T03%3A04%3A05Z&SignatureMethod=HmacSHA256&AWSAccessKeyId=made-up&"
    "SignatureVersion=2&Signature=made%2Bup%3D";
const std::string up = R"({"Status": "SUCCESS", "Reason": "Configuration Complete", "UniqueId": "i-1", "Data": "Up."})";

guest::request put(std::string body, std::string content_type = {}, std::string to = target) {
    guest::request out{
        "PUT", std::move(to), {{"Host", "127.0.0.1:8000"}, {"User-Agent", "curl/7.88.1"}}, std::move(body)};
    if (!content_type.empty()) out.headers.push_back({"content-type", std::move(content_type)});
    return out;
}

guest::response handle(recording_sink& sink, const guest::request& from) {
    return guest::cloudformation_api<recording_sink, reheat::nlohmann_json>{sink}.handle(from);
}

} // namespace

TEST_CASE("the signals of cfn-signal are taken") {
    struct sent {
        std::string body;
        guest::wait_signal expected;
    };
    for (const sent& s :
         {sent{up, {true, "Configuration Complete", "i-1", "Up."}},
          sent{R"({"Status": "FAILURE", "Reason": "failed", "UniqueId": "myid", "Data": "{\"a\":\"b c\"}"})",
               {false, "failed", "myid", R"({"a":"b c"})"}},
          sent{R"({"Data": 12.50, "UniqueId": "", "Reason": "", "Status": "SUCCESS"})", {true, "", "", "12.50"}}}) {
        recording_sink sink;
        const auto answer = handle(sink, put(s.body));
        CHECK(answer == guest::response{200, "application/xml", "<resource>WaitHandle</resource>"});
        REQUIRE(sink.taken.size() == 1);
        CHECK(sink.taken[0].first == arn);
        CHECK(sink.taken[0].second == s.expected);
    }
}

TEST_CASE("content types that curl and others send") {
    for (const std::string type : {"", "text/plain", "application/json", "Application/JSON; charset=utf-8",
                                   "application/x-www-form-urlencoded"}) {
        recording_sink sink;
        CHECK(handle(sink, put(up, type)).status == 200);
    }
    for (const std::string type : {"image/png", "application/json-patch", "multipart/form-data; boundary=x"}) {
        recording_sink sink;
        CHECK(handle(sink, put(up, type)).status == 400);
        CHECK(sink.taken.empty());
    }
}

TEST_CASE("a slash of the ARN may stand unescaped") {
    recording_sink sink;
    CHECK(handle(sink, put(up, {}, "/v1/waitcondition/" + arn)).status == 200);
    REQUIRE(sink.taken.size() == 1);
    CHECK(sink.taken[0].first == arn);
}

TEST_CASE("every error, and that nothing is signalled") {
    struct bad {
        guest::request from;
        int status;
        std::string code, message;
    };
    const std::string invalid = "InvalidParameterValue";
    for (const bad& b : std::vector<bad>{
             {put(""), 400, invalid, "body: expected a JSON object"},
             {put("[]"), 400, invalid, "body: expected a JSON object"},
             {put("Status=SUCCESS"), 400, invalid, "body: expected a JSON object"},
             {put("{\"Status\": "), 400, invalid,
              "body: 1:12: syntax error while parsing value - unexpected end of input; expected &apos;[&apos;, "
              "&apos;{&apos;, or a literal"},
             {put(R"({"Status": "SUCCESS", "Reason": "r", "UniqueId": "u"})"), 400, invalid, "body: Data is missing"},
             {put(R"({"Status": "SUCCESS", "Reason": "r", "UniqueId": "u", "Data": "d", "More": "m"})"), 400, invalid,
              "body: expected only Data, Reason, Status and UniqueId"},
             {put(R"({"status": "SUCCESS", "Reason": "r", "UniqueId": "u", "Data": "d"})"), 400, invalid,
              "body: Status is missing"},
             {put(R"({"Status": "SUCCESS", "Reason": "r", "UniqueId": "u", "Data": {"a": 1}})"), 400, invalid,
              "body: Data is not text"},
             {put(R"({"Status": "SUCCESS", "Reason": null, "UniqueId": "u", "Data": "d"})"), 400, invalid,
              "body: Reason is not text"},
             {put(R"({"Status": "<ok>", "Reason": "r", "UniqueId": "u", "Data": "d"})"), 400, invalid,
              "body: Status: expected SUCCESS or FAILURE, found &apos;&lt;ok&gt;&apos;"},
             {put("{\"Data\":" + std::string(100, '[')), 400, invalid, "body: 1:16: nested deeper than 8"},
             {put(up, "a/b"), 400, invalid, "content type &apos;a/b&apos;, expected application/json"},
             {put(up, {}, "/v1/waitcondition/"), 400, invalid, "expected the ARN of a wait condition handle"},
             {put(up, {}, "/v1/waitcondition/" + std::string(3000, 'a')), 400, invalid,
              "expected the ARN of a wait condition handle"},
             {put(up, {}, "/v1/waitcondition/arn%3"), 404, "MalformedQueryString",
              "ARN: byte 3: expected two hexadecimal digits after &apos;%&apos;"},
             {put(up, {}, "/v1/waitcondition"), 404, "InvalidAction",
              "nothing at &apos;/v1/waitcondition&apos;, expected /v1/waitcondition/ARN"},
             {put(up, {}, ""), 404, "InvalidAction", "nothing at &apos;&apos;, expected /v1/waitcondition/ARN"},
             {{"GET", "/v1/?Action=DescribeStackResource", {}, {}}, 400, "InvalidAction", "no action is offered here"},
             {{"POST", target, {}, up}, 405, "InvalidAction", "method &apos;POST&apos;, expected PUT"}}) {
        recording_sink sink;
        CHECK(handle(sink, b.from) ==
              guest::response{b.status, "application/xml",
                              "<ErrorResponse><Error><Type>Sender</Type><Code>" + b.code + "</Code><Message>" +
                                  b.message + "</Message></Error></ErrorResponse>"});
        CHECK(sink.taken.empty());
    }
}

TEST_CASE("what the sink refuses is told") {
    struct refusal {
        reheat::errc with;
        int status;
        std::string_view code;
    };
    for (const refusal& r : {refusal{reheat::errc::not_found, 400, "InvalidParameterValue"},
                             {reheat::errc::denied, 403, "AccessDenied"},
                             {reheat::errc::unavailable, 400, "Throttling"},
                             {reheat::errc::unsupported, 400, "InvalidParameterValue"}}) {
        recording_sink sink{.taken = {}, .refuse = {r.with, {}, "no"}, .refuses = true};
        const auto answer = handle(sink, put(up));
        CHECK(answer.status == r.status);
        CHECK(answer.body.find("<Code>" + std::string{r.code} + "</Code>") != std::string::npos);
        CHECK(answer.body.find("made-up") == std::string::npos);
    }
}
