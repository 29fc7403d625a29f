// SPDX-License-Identifier: MIT
#include <reheat/adapters/nlohmann_json.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace std::string_view_literals;
using reheat::errc;
using reheat::node;

namespace {

reheat::result<node> read(std::string_view text, const reheat::read_limits& limits = {}) {
    return reheat::nlohmann_json{}.read(text, limits);
}

} // namespace

TEST_CASE("JSON becomes a node, members in the order of the text") {
    const auto r = read(R"( {"b": [1, true, null, "x\n\u20ac"], "a": {}, "": false} )");
    REQUIRE(r);
    const node expected = node::object(
        {{"b", node::array({node::number("1"), node::boolean(true), node{}, node::string("x\n\xE2\x82\xAC")})},
         {"a", node::object()},
         {"", node::boolean(false)}});
    CHECK(*r == expected);
    CHECK(*read("\"text\"") == node::string("text"));
    CHECK(*read("[]") == node::array());
    CHECK(*read("\xEF\xBB\xBF{}") == node::object());
}

TEST_CASE("numbers keep their literal") {
    for (const std::string literal : {"0", "-0", "1", "-12", "18446744073709551616", "1.10", "-0.0", "1e2", "1E+2",
                                      "2.5e-3", "9223372036854775808"}) {
        CHECK(read(literal)->text() == literal);
        CHECK(read("[" + literal + "]")->items()[0].text() == literal);
        CHECK(read("{\"a\":" + literal + " ,\"b\":" + literal + "}")->members()[1].second.text() == literal);
    }
}

TEST_CASE("errors are located") {
    struct bad {
        std::string_view text;
        errc code;
        std::string_view where;
    };
    for (const bad& b : {bad{"", errc::syntax, "1:1"},
                         {"{", errc::syntax, "1:2"},
                         {"{\"a\": 1,\n \"b\" 2}", errc::syntax, "2:6"},
                         {"[1,]", errc::syntax, "1:4"},
                         {"{} x", errc::syntax, "1:4"},
                         {"{}{}", errc::syntax, "1:3"},
                         {"[1 2]", errc::syntax, "1:4"},
                         {"nul", errc::syntax, "1:4"},
                         {"\"open", errc::syntax, "1:6"},
                         {"'a'", errc::syntax, "1:1"},
                         {"// a\n1", errc::syntax, "1:1"},
                         {"[NaN]", errc::syntax, "1:2"},
                         {"\"\x01\"", errc::syntax, "1:2"},
                         {"\"\xFF\"", errc::syntax, "1:2"},
                         {"\"\xED\xA0\x80\"", errc::syntax, "1:3"},
                         {"\"\\ud800\"", errc::syntax, "1:8"},
                         {"[1\0]"sv, errc::syntax, "1:3"},
                         {"[1e400]", errc::limit_exceeded, "1:8"},
                         {"{\"a\": 1, \"b\": 2,\n  \"a\": 3}", errc::syntax, "2:3"},
                         {R"([{"a\"": 1, "a\u0022": 2}])", errc::syntax, "1:13"},
                         {R"({"\\": 1, "a": {"x": 1, "x": 1}})", errc::syntax, "1:25"},
                         {R"({"b": 1, "a": 1, "a": 2, "b": 3})", errc::syntax, "1:18"}}) {
        const auto r = read(b.text);
        CHECK_MESSAGE(!r, std::string{b.text});
        if (r) continue;
        CHECK_MESSAGE(r.error().code == b.code, std::string{b.text});
        CHECK_MESSAGE(r.error().where == b.where, std::string{b.text});
        CHECK(!r.error().message.empty());
    }
}

TEST_CASE("a message never repeats the text") {
    for (const std::string_view text :
         {R"({"Password": "hunter2)"sv, R"({"hunter2": 1, "hunter2": 2})"sv, "hunter2"sv, R"(["hunter2\x"])"sv}) {
        const auto r = read(text);
        REQUIRE(!r);
        CHECK(r.error().message.find("hunter") == std::string::npos);
        CHECK(r.error().message.find("json.exception") == std::string::npos);
    }
}

TEST_CASE("limits hold at once") {
    const std::string deep(std::size_t{1} << 20U, '[');
    CHECK(read(deep).error() == reheat::error{errc::limit_exceeded, "1:65", "nested deeper than 64"});
    CHECK(read(deep + '[').error().code == errc::limit_exceeded);
    std::string objects;
    for (int i = 0; i < 1000; ++i) objects += "{\"a\":";
    CHECK(read(objects).error().code == errc::limit_exceeded);
    CHECK(read("[[1]]", {.depth = 2}));
    CHECK(read("[[[]]]", {.depth = 2}).error().where == "1:3");
    CHECK(read("1", {.depth = 0}));
    CHECK(read("[1,2]", {.nodes = 3}));
    CHECK(read("[1,2,3]", {.nodes = 3}).error().code == errc::limit_exceeded);
    CHECK(read("12345", {.bytes = 4}).error().code == errc::limit_exceeded);
}

TEST_CASE("a large object costs no more than sorting its names") {
    std::string text = "{";
    for (int i = 0; i < 60'000; ++i) text += "\"k" + std::to_string(i) + "\":0,";
    text += "\"k59999\":0}";
    const auto r = read(text);
    REQUIRE(!r);
    CHECK(r.error().code == errc::syntax);
}
