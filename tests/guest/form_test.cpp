// SPDX-License-Identifier: MIT
#include <reheat/core/escape.hpp>
#include <reheat/guest/form.hpp>
#include <reheat/guest/http.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace std::string_view_literals;
namespace guest = reheat::guest;

namespace {

std::string json(std::string_view text) {
    std::string out;
    reheat::append_json_string(out, text);
    return out;
}

std::string xml(std::string_view text) {
    std::string out;
    reheat::append_xml_text(out, text);
    return out;
}

} // namespace

TEST_CASE("a JSON string is valid whatever goes in") {
    CHECK(json("") == R"("")");
    CHECK(json("a \"b\" \\ /") == R"("a \"b\" \\ /")");
    CHECK(json("\n\t\x7F\0"sv) == R"("\u000a\u0009\u007f\u0000")");
    CHECK(json("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x94\xA5") ==
          "\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x94\xA5\"");
}

TEST_CASE("what is not UTF-8 becomes U+FFFD") {
    constexpr std::string_view bad = "\xEF\xBF\xBD";
    const auto replaced = [&](std::size_t times) {
        std::string out = "\"";
        for (std::size_t i = 0; i < times; ++i) out += bad;
        return out + '"';
    };
    for (const std::string_view text :
         {"\x80"sv, "\xC0\xAF"sv, "\xE0\x80\x80"sv, "\xED\xA0\x80"sv, "\xF0\x80\x80\x80"sv, "\xF4\x90\x80\x80"sv,
          "\xF5"sv, "\xC3"sv, "\xE2\x82"sv, "\xF0\x9F\x94"sv}) {
        CHECK(json(text) == replaced(text.size()));
        CHECK('"' + xml(text) + '"' == replaced(text.size()));
    }
}

TEST_CASE("XML text escapes markup and drops what XML 1.0 forbids") {
    CHECK(xml("<a b='c' d=\"e\"> & </a>") == "&lt;a b=&apos;c&apos; d=&quot;e&quot;&gt; &amp; &lt;/a&gt;");
    CHECK(xml("a\0b\x01\x1B c\td\ne"sv) == "ab c\td\ne");
    CHECK(xml("a\r\n") == "a&#13;\n");
    CHECK(xml("\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xBF\xBC") == "\xEF\xBF\xBC");
}

TEST_CASE("clip does not cut inside a character") {
    CHECK(reheat::clip("abc", 3) == "abc");
    CHECK(reheat::clip("abc", 2) == "ab");
    CHECK(reheat::clip("a\xE2\x82\xAC", 3) == "a");
    CHECK(reheat::clip("a\xE2\x82\xAC", 4) == "a\xE2\x82\xAC");
    CHECK(reheat::clip("\x80\x80\x80\x80\x80\x80", 5).size() == 2);
    CHECK(reheat::clip("abc", 0).empty());
}

TEST_CASE("a request finds its headers in any case and splits its target") {
    const guest::request r{"GET", "/v1/?a=b?c", {{"Content-Type", "text/plain"}, {"X-A", "1"}, {"x-a", "2"}}, {}};
    CHECK(r.header("content-TYPE") == "text/plain");
    CHECK(r.header("X-a") == "1");
    CHECK(r.header("Content") == "");
    CHECK(r.path() == "/v1/");
    CHECK(r.query() == "a=b?c");
    CHECK(guest::request{"GET", "/v1/", {}, {}}.query() == "");
    CHECK(guest::request{}.path() == "");
}

TEST_CASE("percent decoding") {
    CHECK(*guest::percent_decode("arn%3Aopenstack%3a:x+y", false) == "arn:openstack::x+y");
    CHECK(*guest::percent_decode("a+b%2B", true) == "a b+");
    CHECK(*guest::percent_decode("%00%ff", false) == "\0\xFF"sv);
    struct broken {
        std::string_view text;
        std::string_view where;
    };
    for (const broken& b :
         {broken{"%", "byte 0"}, {"ab%2", "byte 2"}, {"%2F%zz", "byte 3"}, {"%%41", "byte 0"}, {"%+1", "byte 0"}}) {
        const auto r = guest::percent_decode(b.text, true);
        REQUIRE(!r);
        CHECK(r.error().code == reheat::errc::syntax);
        CHECK(r.error().where == b.where);
    }
}

TEST_CASE("a form keeps its fields in order") {
    const auto r = guest::decode_form("Action=PutMetricData&&Namespace=system%2Flinux&empty=&bare&a=b=c&a=+%26");
    REQUIRE(r);
    const std::vector<guest::form_field> expected{{"Action", "PutMetricData"},
                                                  {"Namespace", "system/linux"},
                                                  {"empty", ""},
                                                  {"bare", ""},
                                                  {"a", "b=c"},
                                                  {"a", " &"}};
    CHECK(*r == expected);
    CHECK(guest::decode_form("")->empty());
    CHECK(guest::decode_form("&&&")->empty());
}

TEST_CASE("a malformed form names the offset") {
    CHECK(guest::decode_form("a=b&c=%4").error() ==
          reheat::error{reheat::errc::syntax, "byte 6", "expected two hexadecimal digits after '%'"});
    CHECK(guest::decode_form("a=b&c%=1").error().where == "byte 5");
}

TEST_CASE("a form has limits") {
    const guest::form_limits limits{.bytes = 8, .fields = 2};
    CHECK(guest::decode_form("a&b", limits));
    CHECK(guest::decode_form("a&b&c", limits).error().code == reheat::errc::limit_exceeded);
    CHECK(guest::decode_form("a=3456789", limits).error().code == reheat::errc::limit_exceeded);
    CHECK(guest::decode_form(std::string(70'000 * 2, '&') + "a"));
    std::string many;
    for (int i = 0; i < 70'000; ++i) many += "a&";
    CHECK(guest::decode_form(many).error().where == "byte 131072");
}
