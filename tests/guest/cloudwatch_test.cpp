// SPDX-License-Identifier: MIT
#include <reheat/guest/cloudwatch.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace guest = reheat::guest;

namespace {

struct recording_sink {
    std::vector<guest::metric_datum> taken;
    std::string refuse; ///< the alarm or the metric to refuse
    reheat::errc with = reheat::errc::not_found;

    reheat::result<void> put(const guest::metric_datum& datum) {
        if (!refuse.empty() && (datum.alarm_name == refuse || datum.metric_name == refuse))
            return reheat::error{with, {}, "<no & never>"};
        taken.push_back(datum);
        return {};
    }
};
static_assert(guest::metric_sink<recording_sink> && !guest::checking_metric_sink<recording_sink>);

struct checking_sink : recording_sink {
    reheat::result<void> check(const guest::metric_datum& datum) const {
        if (datum.alarm_name == refuse) return reheat::error{with, {}, "unknown"};
        return {};
    }
};
static_assert(guest::checking_metric_sink<checking_sink>);

struct not_a_sink {
    void put(const guest::metric_datum&);
};
static_assert(!guest::metric_sink<not_a_sink>);

guest::request post(std::string body, std::string target = "/v1/") {
    return {"POST",
            std::move(target),
            {{"Host", "127.0.0.1:8003"},
             {"User-Agent", "Boto/2.49.0 Python/3.11.2 Linux"},
             {"X-Amz-Date", "20260102T030405Z"},
             {"Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"},
             {"Authorization", "AWS4-HMAC-SHA256 Credential=made-up-key/20260102/0/127/aws4_request,"
                               "SignedHeaders=host;x-amz-date,Signature=0123456789abcdef"}},
            std::move(body)};
}

std::string error_xml(std::string_view code, std::string_view message) {
    return "<ErrorResponse><Error><Type>Sender</Type><Code>" + std::string{code} + "</Code><Message>" +
           std::string{message} + "</Message></Error></ErrorResponse>";
}

const std::string success = "<PutMetricDataResponse><PutMetricDataResult><ResponseMetadata>None</ResponseMetadata>"
                            "</PutMetricDataResult></PutMetricDataResponse>";
const std::string server = "5a1e0c1e-9f6b-4d6e-8f1c-2f0c3b7f8a11";
const std::string head = "Action=PutMetricData&Namespace=N";

/// What cfn-push-stats sends, with the metadata of its server in front of the alarm.
std::string pushed(const std::string& alarm, const std::string& metric, const std::string& unit,
                   const std::string& value) {
    const std::string dimension = "&MetricData.member.1.Dimensions.member.";
    return "Action=PutMetricData" + dimension + "1.Name=metering.stack" + dimension + "1.Value=0f-4e" + dimension +
           "2.Name=InstanceId" + dimension + "2.Value=" + server + dimension + "3.Name=AlarmName" + dimension +
           "3.Value=" + alarm + "&MetricData.member.1.MetricName=" + metric + "&MetricData.member.1.Unit=" + unit +
           "&MetricData.member.1.Value=" + value + "&Namespace=system%2Flinux&Version=2010-08-01";
}

/// One member, complete but for what stands in `but`.
std::string member(int number, std::string_view but = "") {
    std::string out;
    const std::string prefix = "&MetricData.member." + std::to_string(number) + '.';
    if (but != "MetricName") out += prefix + "MetricName=M" + std::to_string(number);
    if (but != "Unit") out += prefix + "Unit=Count";
    if (but != "Value") out += prefix + "Value=" + std::to_string(number);
    return out;
}

} // namespace

TEST_CASE("the pushes of cfn-push-stats are taken") {
    struct push {
        std::string metric, unit, value;
        guest::metric_datum expected;
    };
    const std::vector<guest::dimension> about{{"metering.stack", "0f-4e"}, {"InstanceId", server}};
    for (const push& p :
         {push{"Heartbeat", "Counter", "1", {"system/linux", "Heartbeat", "Counter", 1, about, "wiki-Alarm"}},
          push{"ServiceFailure", "Counter", "1", {"system/linux", "ServiceFailure", "Counter", 1, about, "wiki-Alarm"}},
          push{
              "Queue%2FDepth", "Count", "17.5", {"system/linux", "Queue/Depth", "Count", 17.5, about, "wiki-Alarm"}}}) {
        recording_sink sink;
        guest::cloudwatch_api api{sink};
        const auto answer = api.handle(post(pushed("wiki-Alarm", p.metric, p.unit, p.value)));
        CHECK(answer == guest::response{200, "application/xml", success});
        REQUIRE(sink.taken.size() == 1);
        CHECK(sink.taken[0] == p.expected);
    }
}

TEST_CASE("a body signed with version 2 is taken, its signature fields left alone") {
    recording_sink sink;
    guest::cloudwatch_api api{sink};
    const auto answer = api.handle(post("AWSAccessKeyId=made-up-key&" + pushed("A", "Heartbeat", "Counter", "1") +
                                        "&SignatureMethod=HmacSHA256&SignatureVersion=2&Timestamp=2026-01-02T03%3A04%"
                                        "3A05Z&Signature=bWFkZSB1cA%3D%3D"));
    CHECK(answer.status == 200);
    REQUIRE(sink.taken.size() == 1);
    CHECK(sink.taken[0].dimensions.size() == 2);
}

TEST_CASE("GET by query, and every spelling of the root") {
    for (const std::string path : {"/", "/v1", "/v1/", "/v1.0", "/v1.0/"}) {
        recording_sink sink;
        guest::cloudwatch_api api{sink};
        CHECK(api.handle({"GET", path + "?" + pushed("A", "Heartbeat", "Counter", "1"), {}, {}}).body == success);
        CHECK(api.handle(post(pushed("A", "Heartbeat", "Counter", "1"), path)).body == success);
        REQUIRE(sink.taken.size() == 2);
        CHECK(sink.taken[0] == sink.taken[1]);
    }
}

TEST_CASE("a dimension without a value has an empty one, and no AlarmName means no alarm") {
    recording_sink sink;
    guest::cloudwatch_api api{sink};
    CHECK(api.handle(post(head + member(1) + "&MetricData.member.1.Dimensions.member.1.Name=role")).status == 200);
    REQUIRE(sink.taken.size() == 1);
    CHECK(sink.taken[0].dimensions == std::vector<guest::dimension>{{"role", ""}});
    CHECK(sink.taken[0].alarm_name.empty());
}

TEST_CASE("every member is taken, in the order of the numbers, gaps or not") {
    recording_sink sink;
    guest::cloudwatch_api api{sink};
    CHECK(api.handle(post(head + member(70) + member(3) + "&MetricData.member.3.Dimensions.member.9.Name=AlarmName" +
                          "&MetricData.member.3.Timestamp=x&MetricData.member.3.StatisticValues.Sum=y" +
                          "&MetricData.member.3.Dimensions.member.9.Value=B" + member(12)))
              .status == 200);
    REQUIRE(sink.taken.size() == 3);
    CHECK(sink.taken[0].metric_name == "M3");
    CHECK(sink.taken[0].alarm_name == "B");
    CHECK(sink.taken[1].value == 12);
    CHECK(sink.taken[1].alarm_name.empty());
    CHECK(sink.taken[2].metric_name == "M70");
}

TEST_CASE("values") {
    struct sent {
        std::string text;
        double value;
    };
    for (const sent& s : {sent{"0", 0},
                          {"-1.5", -1.5},
                          {"%2B2", 2},
                          {"1e3", 1000},
                          {"25.0", 25},
                          {"23.90280532836914", 23.90280532836914}}) {
        recording_sink sink;
        guest::cloudwatch_api api{sink};
        CHECK(api.handle(post(pushed("A", "M", "None", s.text))).status == 200);
        REQUIRE(sink.taken.size() == 1);
        CHECK(sink.taken[0].value == s.value);
    }
    for (const std::string text :
         {"", "x", "1x", "nan", "inf", "-inf", "NaN", "1e109", "-1e109", "1e999", "1,5", "0x10", "%2B-1", "+1", "--1",
          "1%00", "111111111111111111111111111111111111111111111111111111111111111111"}) {
        recording_sink sink;
        guest::cloudwatch_api api{sink};
        const auto answer = api.handle(post(pushed("A", "M", "None", text)));
        CHECK_MESSAGE(answer.status == 400, text);
        CHECK(answer.body.find("<Code>InvalidParameterValue</Code>") != std::string::npos);
        CHECK(sink.taken.empty());
    }
}

TEST_CASE("every error, and that nothing is put") {
    struct bad {
        guest::request from;
        int status;
        std::string code, message;
    };
    const std::string long_name(256, 'n');
    std::string many_members = head;
    for (int i = 1; i <= 1001; ++i) many_members += member(i);
    std::string many_dimensions = head + member(1);
    for (int i = 1; i <= 31; ++i)
        many_dimensions += "&MetricData.member.1.Dimensions.member." + std::to_string(i) + ".Name=d";
    const std::string dimension = "&MetricData.member.1.Dimensions.member.";
    for (const bad& b : std::vector<bad>{
             {post(""), 400, "MissingAction", "Action is missing"},
             {post("Action="), 400, "MissingAction", "Action is missing"},
             {post(R"({"Action": "PutMetricData"})"), 400, "MissingAction", "Action is missing"},
             {post("Action=a&Action=b"), 400, "InvalidParameterCombination", "Action is given twice"},
             {post("Action=DescribeAlarms"), 400, "InvalidAction",
              "action &apos;DescribeAlarms&apos; is not offered here"},
             {post("Action=PutMetricAlarm"), 400, "InvalidAction",
              "action &apos;PutMetricAlarm&apos; is not offered here"},
             {post("Action=%3Cx%3E"), 400, "InvalidAction", "action &apos;&lt;x&gt;&apos; is unknown"},
             {post("Action=" + std::string(100, 'a')), 400, "InvalidAction",
              "action &apos;" + std::string(64, 'a') + "…&apos; is unknown"},
             {post("Action=PutMetricData" + member(1)), 400, "MissingParameter", "Namespace is missing"},
             {post("Action=PutMetricData&Namespace=" + member(1)), 400, "MissingParameter", "Namespace is missing"},
             {post(head), 400, "MissingParameter", "MetricData.member.1.MetricName is missing"},
             {post(head + member(1) + member(2, "MetricName")), 400, "MissingParameter",
              "MetricData.member.2.MetricName is missing"},
             {post(head + member(1) + member(2, "Unit")), 400, "MissingParameter",
              "MetricData.member.2.Unit is missing"},
             {post(head + member(1) + member(2, "Value")), 400, "MissingParameter",
              "MetricData.member.2.Value is missing"},
             {post(head + member(1) + "&MetricData.member.2.Timestamp=t"), 400, "MissingParameter",
              "MetricData.member.2.MetricName is missing"},
             {post(head + member(1) + dimension + "4.Value=v"), 400, "MissingParameter",
              "MetricData.member.1.Dimensions.member.4.Name is missing"},
             {post(head + member(1) + "&MetricData.member.1.Value=2"), 400, "InvalidParameterCombination",
              "&apos;MetricData.member.1.Value&apos; is given twice"},
             {post(head + member(1) + dimension + "1.Name=AlarmName" + dimension + "1.Value=A" + dimension +
                   "2.Name=AlarmName" + dimension + "2.Value=B"),
              400, "InvalidParameterCombination", "MetricData.member.1.Dimensions: AlarmName is given twice"},
             {post(head + member(1) + dimension + "1.Name=AlarmName"), 400, "InvalidParameterValue",
              "MetricData.member.1.Dimensions.member.1.Value: AlarmName is empty"},
             {post(head + member(1) + member(2, "Value") + "&MetricData.member.2.Value=%3Cb%3E"), 400,
              "InvalidParameterValue",
              "MetricData.member.2.Value: expected a number of at most 2^360, found &apos;&lt;b&gt;&apos;"},
             {post(head + "&MetricData.member.x.Value=1"), 400, "InvalidParameterValue",
              "&apos;MetricData.member.x.Value&apos; has no member number"},
             {post(head + "&MetricData.member.1234567890.Value=1"), 400, "InvalidParameterValue",
              "&apos;MetricData.member.1234567890.Value&apos; has no member number"},
             {post(head + dimension + ".Name=n"), 400, "InvalidParameterValue",
              "&apos;MetricData.member.1.Dimensions.member..Name&apos; has no member number"},
             {post(many_members), 400, "InvalidParameterValue", "more than 1000 members in MetricData"},
             {post(many_dimensions), 400, "InvalidParameterValue", "more than 30 dimensions in one member"},
             {post("Action=PutMetricData&Namespace=" + long_name + member(1)), 400, "InvalidParameterValue",
              "Namespace is longer than 255 bytes"},
             {post(head + member(1, "MetricName") + "&MetricData.member.1.MetricName=" + long_name), 400,
              "InvalidParameterValue", "MetricData.member.1.MetricName is longer than 255 bytes"},
             {post("Action=%4"), 404, "MalformedQueryString",
              "body: byte 7: expected two hexadecimal digits after &apos;%&apos;"},
             {post("", "/v1/?Action=%"), 404, "MalformedQueryString",
              "query: byte 7: expected two hexadecimal digits after &apos;%&apos;"},
             {post(std::string(1024 * 1024 + 1, 'a')), 413, "InvalidParameterValue", "body: more than 1048576 bytes"},
             {post("", "/v2/<"), 404, "InvalidAction", "nothing at &apos;/v2/&lt;&apos;, expected /v1/"},
             {{"DELETE", "/v1/", {}, {}}, 405, "InvalidAction", "method &apos;DELETE&apos;, expected GET or POST"}}) {
        recording_sink sink;
        guest::cloudwatch_api api{sink};
        CHECK(api.handle(b.from) == guest::response{b.status, "application/xml", error_xml(b.code, b.message)});
        CHECK(sink.taken.empty());
    }
}

TEST_CASE("1000 members of 30 dimensions are within the limits") {
    std::string body = head;
    for (int i = 1; i <= 1000; ++i) body += member(i);
    for (int i = 1; i <= 30; ++i) {
        const std::string dimension = "&MetricData.member.1.Dimensions.member." + std::to_string(i);
        body += dimension + ".Name=n" + std::to_string(i) + dimension + ".Value=v";
    }
    recording_sink sink;
    guest::cloudwatch_api api{sink};
    CHECK(api.handle(post(body)).status == 200);
    CHECK(sink.taken.size() == 1000);
    CHECK(sink.taken[0].dimensions.size() == 30);
}

TEST_CASE("what the sink refuses is an error that guests do not repeat") {
    struct refusal {
        reheat::errc with;
        int status;
        std::string code, message;
    };
    for (const refusal& r :
         {refusal{reheat::errc::not_found, 400, "InvalidParameterValue", "there is no alarm &apos;A&amp;B&apos;"},
          {reheat::errc::denied, 403, "AccessDenied", "not allowed to report to this alarm"},
          {reheat::errc::limit_exceeded, 400, "Throttling", "not taken now, try again later"},
          {reheat::errc::io, 400, "Throttling", "not taken now, try again later"},
          {reheat::errc::invalid_argument, 400, "InvalidParameterValue", "&lt;no &amp; never&gt;"}}) {
        recording_sink sink{.taken = {}, .refuse = "A&B", .with = r.with};
        guest::cloudwatch_api api{sink};
        const auto answer = api.handle(post(pushed("A%26B", "Heartbeat", "Counter", "1")));
        CHECK(answer == guest::response{r.status, "application/xml", error_xml(r.code, r.message)});
    }
    recording_sink sink{.taken = {}, .refuse = "M1"};
    guest::cloudwatch_api api{sink};
    CHECK(api.handle(post(head + member(1))).body ==
          error_xml("InvalidParameterValue", "no alarm matches metric &apos;M1&apos;"));
}

TEST_CASE("a sink that checks takes all members or none") {
    const std::string body = head + member(1) + member(2) + "&MetricData.member.2.Dimensions.member.1.Name=AlarmName" +
                             "&MetricData.member.2.Dimensions.member.1.Value=gone";
    recording_sink plain{.taken = {}, .refuse = "gone"};
    CHECK(guest::cloudwatch_api{plain}.handle(post(body)).status == 400);
    CHECK(plain.taken.size() == 1);
    checking_sink checking;
    checking.refuse = "gone";
    CHECK(guest::cloudwatch_api{checking}.handle(post(body)).status == 400);
    CHECK(checking.taken.empty());
}

TEST_CASE("ContentType=JSON gives JSON") {
    recording_sink sink;
    guest::cloudwatch_api api{sink};
    CHECK(api.handle(post(pushed("A", "Heartbeat", "Counter", "1") + "&ContentType=JSON")) ==
          guest::response{200, "application/json",
                          R"({"PutMetricDataResponse": {"PutMetricDataResult": {"ResponseMetadata": null}}})"});
    CHECK(
        api.handle(post("Action=%22%0A&ContentType=JSON")) ==
        guest::response{
            400, "application/json",
            R"({"ErrorResponse": {"Error": {"Type": "Sender", "Code": "InvalidAction", "Message": "action '\"\u000a' is unknown"}}})"});
}
