// SPDX-License-Identifier: MIT
#include <reheat/core/json_path.hpp>
#include <reheat/core/pattern.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using reheat::errc;
using reheat::pattern;

TEST_CASE("a pattern must match the whole text") {
    struct row {
        std::string_view pattern, text;
        bool matches;
    };
    constexpr row rows[] = {
        {"[a-zA-Z][a-zA-Z0-9]*", "admin", true},
        {"[a-zA-Z][a-zA-Z0-9]*", "9admin", false},
        {"[a-zA-Z][a-zA-Z0-9]*", "admin!", false},
        {"[a-zA-Z0-9]*", "", true},
        {"", "", true},
        {"", "a", false},
        {"a|ab", "ab", true},
        {"a|b|", "", true},
        {"(ab|c)+d?", "abcabd", true},
        {"(ab|c)+d?", "d", false},
        {"(?:x{2}){2,3}", "xxxx", true},
        {"(?:x{2}){2,3}", "xxxxx", false},
        {"x{2,}", "x", false},
        {"x{2,}", "xxxxx", true},
        {"x{0}y", "y", true},
        {"(a*)*b", "aaab", true},
        {"^a$", "a", true},
        {"^a|b$", "b", true},
        {"a^b", "ab", false},
        {"\\d{1,3}(\\.\\d{1,3}){3}/\\d{1,2}", "10.0.0.0/16", true},
        {"\\d{1,3}(\\.\\d{1,3}){3}/\\d{1,2}", "10.0.0/16", false},
        {"[^a-c]", "d", true},
        {"[^a-c]", "b", false},
        {"[]a-]+", "]-a", true},
        {"[\\w.-]+@[\\w]+", "a.b-c@d_1", true},
        {"\\S+\\s\\D\\W", "ab x!", true},
        {"\\S+\\s\\D\\W", "ab 1!", false},
        {"[\\D]", "7", false},
        {".", "\n", false},
        {".", "\xC3\xA9", true},
        {"[\xC3\xA0-\xC3\xBF]{2}", "\xC3\xA9\xC3\xA8", true},
        {".", "\xFF", true},
        {"a+?b*?", "aab", true},
        {"\\$\\{x\\}", "${x}", true},
    };
    for (const row& r : rows) {
        CAPTURE(r.pattern);
        CAPTURE(r.text);
        const auto compiled = pattern::compile(r.pattern);
        REQUIRE(compiled);
        CHECK(compiled->matches(r.text) == r.matches);
    }
}

TEST_CASE("what a pattern can not be is an error") {
    struct row {
        std::string_view pattern;
        errc code;
    };
    constexpr row rows[] = {
        {"(a", errc::syntax},
        {"a)", errc::syntax},
        {"[a", errc::syntax},
        {"[b-a]", errc::syntax},
        {"*a", errc::syntax},
        {"a{2,1}", errc::syntax},
        {"a{x}", errc::syntax},
        {"a\\", errc::syntax},
        {"[", errc::syntax},
        {"[a-\\", errc::syntax},
        {"(a)\\1", errc::unsupported},
        {"(?=a)", errc::unsupported},
        {"(?P<n>a)", errc::unsupported},
        {"[[:alpha:]]", errc::unsupported},
        {"a\\b", errc::unsupported},
        {"a++", errc::unsupported},
        {"a{2}{3}", errc::unsupported},
        {"(a{999}){999}", errc::limit_exceeded},
        {"a{99999}", errc::limit_exceeded},
    };
    for (const row& r : rows) {
        CAPTURE(r.pattern);
        const auto compiled = pattern::compile(r.pattern);
        REQUIRE(!compiled);
        CHECK(compiled.error().code == r.code);
    }
    CHECK(pattern::compile(std::string(1000, '(')).error().code == errc::limit_exceeded);
    CHECK(pattern::compile(std::string(100'000, 'a')).error().code == errc::limit_exceeded);
}

TEST_CASE("a hostile pattern takes no longer than others") {
    const auto compiled = pattern::compile("(a*)*(a*)*(a*)*(a?){200}b");
    REQUIRE(compiled);
    CHECK(!compiled->matches(std::string(4096, 'a')));
}

TEST_CASE("a JSON path names the place") {
    const reheat::json_path root;
    const reheat::json_path resources = root.member("Resources");
    const reheat::json_path init = resources.member("AWS::CloudFormation::Init");
    CHECK(root.text() == "$");
    CHECK(init.item(3).text() == "$.Resources['AWS::CloudFormation::Init'][3]");
    CHECK(resources.member("a\nb").text() == "$.Resources['a?b']");
    CHECK(resources.member(std::string(1000, 'x')).text().size() < 100);
}
