// SPDX-License-Identifier: MIT
#include <reheat/alarm/composite_expression.hpp>
#include <reheat/alarm/composite_parser.hpp>
#include <reheat/alarm/composite_rule.hpp>
#include <reheat/alarm/composite_text.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rh = reheat;
using rh::alarm_state;
using rh::parse_composite_rule;

namespace {

/// The states of one-letter alarms: `A` in ALARM, `o` OK, `-` insufficient data. `a` is the first.
alarm_state state_of(std::string_view states, std::string_view child) {
    switch (states[static_cast<std::size_t>(child.front() - 'a')]) {
    case 'A': return alarm_state::alarm;
    case 'o': return alarm_state::ok;
    default: return alarm_state::insufficient_data;
    }
}

char letter(alarm_state s) { return s == alarm_state::alarm ? 'A' : s == alarm_state::ok ? 'o' : '-'; }

char evaluated(std::string_view text, std::string_view states) {
    const auto rule = parse_composite_rule(text);
    REQUIRE_MESSAGE(rule, text);
    return letter(rh::evaluate(*rule, [&](std::size_t child) { return state_of(states, rule->children()[child]); }));
}

char proved(std::string_view text, std::string_view states) {
    const auto rule = parse_composite_rule(text);
    REQUIRE_MESSAGE(rule, text);
    return letter(
        rh::evaluate_three_valued(*rule, [&](std::size_t child) { return state_of(states, rule->children()[child]); }));
}

std::string printed(std::string_view text) {
    const auto rule = parse_composite_rule(text);
    return rule ? to_string(*rule) : rule.error().message;
}

std::string message(std::string_view text) {
    const auto rule = parse_composite_rule(text);
    return rule ? "accepted" : rule.error().message;
}

std::string repeated(std::string_view what, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += what;
    return all;
}

/// `TRUE OR TRUE OR ...`, or of distinct alarms.
std::string elements(std::size_t count) { return "TRUE" + repeated(" OR TRUE", count - 1); }
std::string children(std::size_t count) {
    std::string all = "ALARM(n0)";
    for (std::size_t i = 1; i < count; ++i) all += " OR ALARM(n" + std::to_string(i) + ")";
    return all;
}
std::string characters(std::size_t count) { return "OK(" + repeated("x", count - 4) + ")"; }

struct text_case {
    std::string_view text;
    std::string_view canonical;
};

struct state_case {
    std::string_view rule;
    std::string_view states;
    char expected;
};

struct error_case {
    std::string_view text;
    std::string_view where;
    std::string_view message;
};

} // namespace

TEST_SUITE("composite rule") {
    TEST_CASE("what is read is printed without needless brackets, quotes and spaces") {
        const text_case cases[] = {
            {"ALARM(a)", "ALARM(a)"},
            {" \t\r\n\v\fALARM\n( \"a\" )\n", "ALARM(a)"},
            {"OK(a)AND(ALARM(b))", "OK(a) AND ALARM(b)"},
            {"INSUFFICIENT_DATA(a)", "INSUFFICIENT_DATA(a)"},
            {"True", "TRUE"},
            {"true OR FALSE OR False OR false", "TRUE OR FALSE OR FALSE OR FALSE"},
            {"((NOT((ALARM(a)))))", "NOT ALARM(a)"},
            {"NOT NOT(NOT ALARM(a))", "NOT NOT NOT ALARM(a)"},
            {"(OK(a) OR OK(b)) OR OK(c)", "OK(a) OR OK(b) OR OK(c)"},
            {"OK(a) OR (OK(b) OR OK(c))", "OK(a) OR (OK(b) OR OK(c))"},
            {"OK(a) OR (OK(b) AND OK(c))", "OK(a) OR OK(b) AND OK(c)"},
            {"(OK(a) OR OK(b)) AND NOT (OK(c) AND OK(d))", "(OK(a) OR OK(b)) AND NOT (OK(c) AND OK(d))"},
            {"AT_LEAST( 02,ALARM ,(a ,b, c))", "AT_LEAST(2, ALARM, (a, b, c))"},
            {"NOT AT_LEAST(50 %, NOT OK, (\"a\"))", "NOT AT_LEAST(50%, NOT OK, (a))"},
            {"ALARM(OK)", "ALARM(OK)"}, // a name like any other
            {"ALARM(arn:aws:x/y-z_1.2)", "ALARM(arn:aws:x/y-z_1.2)"},
            {R"(OK("two words"))", R"(OK("two words"))"},
            {R"(OK("a(b),c"))", R"(OK("a(b),c"))"},
            {R"(OK("say \"hi\""))", R"(OK("say \"hi\""))"},
            {R"(OK(say"hi"))", R"(OK(say"hi"))"},
            {R"(OK("\"q"))", R"(OK("\"q"))"},
            {R"(OK("C:\d e\\f"))", R"(OK("C:\d e\f"))"},
            {R"(OK("a \\\"b\\"))", R"(OK("a \\\"b\\"))"},
            {R"(OK(a\b))", R"(OK(a\b))"},
        };
        for (const text_case& c : cases) {
            CHECK(printed(c.text) == c.canonical);
            CHECK(printed(c.canonical) == c.canonical);
        }
        CHECK(parse_composite_rule(R"(OK("a \\\"b\\"))")->children()[0] == R"(a \"b\)");
    }

    TEST_CASE("children are named once, in the order of their first mention") {
        const auto rule = parse_composite_rule("OK(b) OR AT_LEAST(1, OK, (c, b, a)) OR ALARM(\"a\")");
        REQUIRE(rule);
        REQUIRE(rule->children().size() == 3);
        CHECK(rule->children()[0] == "b");
        CHECK(rule->children()[1] == "c");
        CHECK(rule->children()[2] == "a");
        CHECK(*rule == *parse_composite_rule("(OK(b)OR AT_LEAST(1,OK,(c,b,a)))OR ALARM(a)"));
        CHECK_FALSE(*rule == *parse_composite_rule("OK(b)"));
    }

    TEST_CASE("two values: a child without data is neither in ALARM nor OK") {
        const state_case cases[] = {
            {"ALARM(a)", "A", 'A'},
            {"ALARM(a)", "o", 'o'},
            {"ALARM(a)", "-", 'o'},
            {"OK(a)", "-", 'o'},
            {"INSUFFICIENT_DATA(a)", "-", 'A'},
            {"INSUFFICIENT_DATA(a)", "A", 'o'},
            {"NOT ALARM(a)", "-", 'A'},
            {"NOT OK(a) AND NOT ALARM(a)", "-", 'A'},
            {"TRUE", "", 'A'},
            {"false", "", 'o'},
            {"NOT (ALARM(a) AND NOT ALARM(b))", "Ao", 'o'},
            {"NOT (ALARM(a) AND NOT ALARM(b))", "AA", 'A'},
            // NOT before AND before OR
            {"OK(a) OR OK(b) AND OK(c)", "oAA", 'A'},
            {"OK(a) AND OK(b) OR OK(c)", "AAo", 'A'},
            {"(OK(a) OR OK(b)) AND OK(c)", "oAA", 'o'},
            {"NOT OK(a) OR OK(b)", "oo", 'A'},
            {"NOT OK(a) AND OK(b)", "oA", 'o'},
            {"NOT (OK(a) AND OK(b))", "oA", 'A'},
            // thresholds
            {"AT_LEAST(2, ALARM, (a, b, c))", "A-o", 'o'},
            {"AT_LEAST(2, ALARM, (a, b, c))", "A-A", 'A'},
            {"AT_LEAST(1, ALARM, (a, b, c))", "ooA", 'A'},
            {"AT_LEAST(3, NOT ALARM, (a, b, c))", "o-o", 'A'},
            {"AT_LEAST(3, NOT ALARM, (a, b, c))", "o-A", 'o'},
            {"AT_LEAST(34%, ALARM, (a, b, c))", "Aoo", 'o'}, // 33.3 % of them
            {"AT_LEAST(33%, ALARM, (a, b, c))", "Aoo", 'A'},
            {"AT_LEAST(66%, ALARM, (a, b, c))", "AAo", 'A'},
            {"AT_LEAST(67%, ALARM, (a, b, c))", "AAo", 'o'},
            {"AT_LEAST(100%, ALARM, (a, b, c))", "AAo", 'o'},
            {"AT_LEAST(100%, ALARM, (a, b, c))", "AAA", 'A'},
            {"AT_LEAST(1%, ALARM, (a, b, c))", "ooo", 'o'},
            {"AT_LEAST(2, ALARM, (a, a, b))", "Ao", 'A'}, // listed twice, counted twice
        };
        for (const state_case& c : cases) {
            CAPTURE(c.rule);
            CAPTURE(c.states);
            CHECK(evaluated(c.rule, c.states) == c.expected);
        }
    }

    TEST_CASE("three values: only what can be proved") {
        const state_case cases[] = {
            {"ALARM(a)", "-", '-'},
            {"OK(a)", "-", '-'},
            {"NOT ALARM(a)", "-", '-'},
            {"INSUFFICIENT_DATA(a)", "-", 'A'},
            {"NOT INSUFFICIENT_DATA(a)", "o", 'A'},
            {"ALARM(a) AND ALARM(b)", "-o", 'o'},
            {"ALARM(a) AND ALARM(b)", "-A", '-'},
            {"ALARM(a) OR ALARM(b)", "-A", 'A'},
            {"ALARM(a) OR ALARM(b)", "-o", '-'},
            {"ALARM(a) OR ALARM(b) AND ALARM(c)", "o--", '-'},
            {"ALARM(a) OR ALARM(b) AND ALARM(c)", "o-o", 'o'},
            {"NOT (ALARM(a) OR ALARM(b))", "-A", 'o'},
            {"NOT (ALARM(a) AND ALARM(b))", "-o", 'A'},
            {"NOT (ALARM(a) AND ALARM(b))", "-A", '-'},
            {"NOT NOT ALARM(a) OR TRUE", "-", 'A'},
            {"ALARM(a) OR NOT ALARM(a)", "-", '-'}, // Kleene's logic does not see that it is one alarm
            {"AT_LEAST(2, ALARM, (a, b, c))", "A-o", '-'},
            {"AT_LEAST(2, ALARM, (a, b, c))", "A-A", 'A'},
            {"AT_LEAST(2, ALARM, (a, b, c))", "oo-", 'o'},
            {"AT_LEAST(2, NOT ALARM, (a, b, c))", "o-A", '-'},
            {"AT_LEAST(2, NOT ALARM, (a, b, c))", "AA-", 'o'},
            {"NOT AT_LEAST(2, ALARM, (a, b, c))", "oo-", 'A'},
            {"NOT AT_LEAST(2, ALARM, (a, b, c))", "Ao-", '-'},
        };
        for (const state_case& c : cases) {
            CAPTURE(c.rule);
            CAPTURE(c.states);
            CHECK(proved(c.rule, c.states) == c.expected);
        }
    }

    TEST_CASE("only the children that matter are asked for, from the left") {
        const auto asked = [](std::string_view text, std::string_view states, bool three) {
            const auto rule = parse_composite_rule(text);
            REQUIRE(rule);
            std::string order;
            const auto answer = [&](std::size_t child) {
                order += rule->children()[child];
                return state_of(states, rule->children()[child]);
            };
            if (three) static_cast<void>(rh::evaluate_three_valued(*rule, answer));
            else static_cast<void>(rh::evaluate(*rule, answer));
            return order;
        };
        CHECK(asked("ALARM(a) OR ALARM(b) OR ALARM(c)", "Aoo", false) == "a");
        CHECK(asked("ALARM(a) OR ALARM(b) OR ALARM(c)", "oAo", false) == "ab");
        CHECK(asked("ALARM(a) AND ALARM(b) OR ALARM(c)", "oAA", false) == "ac");
        CHECK(asked("NOT (ALARM(a) AND ALARM(b)) AND ALARM(c)", "AAA", false) == "ab");
        CHECK(asked("ALARM(a) AND ALARM(b)", "oA", true) == "aa"); // not provable, then disproved
    }

    TEST_CASE("an error names the place, the token and what could have been there if that is one thing") {
        const error_case cases[] = {
            {"()", "char 1", "Unsupported token ')' at char 1"},
            {"ALARM(web One) OR ALARM(b)", "char 10", "Unsupported token 'One' at char 10, must be: ')'"},
            {"", "char 0", "Unsupported end of text at char 0"},
            {"  ", "char 2", "Unsupported end of text at char 2"},
            {"OK(a) OR ", "char 9", "Unsupported end of text at char 9"},
            {"OK(a", "char 4", "Unsupported end of text at char 4, must be: ')'"},
            {"(OK(a)", "char 6", "Unsupported end of text at char 6"},
            {"OK(a))", "char 5", "Unsupported token ')' at char 5"},
            {"OK()", "char 3", "Unsupported token ')' at char 3, must be: the name of an alarm"},
            {"OK(\"\")", "char 3", "Unsupported token '\"\"' at char 3, must be: the name of an alarm"},
            {"OK(\"a)", "char 3", "Unsupported token '\"a)' at char 3, must be: the name of an alarm"},
            {"OK(\"a\\\")", "char 3", "Unsupported token '\"a\\\")' at char 3, must be: the name of an alarm"},
            {"OK a", "char 3", "Unsupported token 'a' at char 3, must be: '('"},
            {"OR OK(a)", "char 0", "Unsupported token 'OR' at char 0"},
            {"OK(a) OK(b)", "char 6", "Unsupported token 'OK' at char 6"},
            {"OK(a) XOR OK(b)", "char 6", "Unsupported token 'XOR' at char 6"},
            {"OK(a) and OK(b)", "char 6", "Unsupported token 'and' at char 6"},
            {"ok(a)", "char 0", "Unsupported token 'ok' at char 0"},
            {"\"OK\"(a)", "char 0", "Unsupported token '\"OK\"' at char 0"},
            {"NOT", "char 3", "Unsupported end of text at char 3"},
            {"NOT()", "char 4", "Unsupported token ')' at char 4"},
            {"OK(a) NOT OK(b)", "char 6", "Unsupported token 'NOT' at char 6"},
            {"TRUE()", "char 4", "Unsupported token '(' at char 4"},
            {"TRuE", "char 0", "Unsupported token 'TRuE' at char 0"},
            {"AT_LEAST(1, OK, ())", "char 17", "Unsupported token ')' at char 17, must be: the name of an alarm"},
            {"AT_LEAST(1, OK, (a,))", "char 19", "Unsupported token ')' at char 19, must be: the name of an alarm"},
            {"AT_LEAST(1, OK, (a b))", "char 19", "Unsupported token 'b' at char 19"},
            {"AT_LEAST(1, OK, a)", "char 16", "Unsupported token 'a' at char 16, must be: '('"},
            {"AT_LEAST(1, OK(a))", "char 14", "Unsupported token '(' at char 14, must be: ','"},
            {"AT_LEAST(1, NOT NOT OK, (a))", "char 16", "Unsupported token 'NOT' at char 16"},
            {"AT_LEAST(OK, 1, (a))", "char 9", "Unsupported token 'OK' at char 9, must be: a number or a percentage"},
            {"AT_LEAST(1.5, OK, (a))", "char 9",
             "Unsupported token '1.5' at char 9, must be: a number or a percentage"},
            {"AT_LEAST(-1, OK, (a))", "char 9", "Unsupported token '-1' at char 9, must be: a number or a percentage"},
            {"AT_LEAST(%, OK, (a))", "char 9", "Unsupported token '%' at char 9, must be: a number or a percentage"},
            {"AT_LEAST(5%%, OK, (a))", "char 9",
             "Unsupported token '5%%' at char 9, must be: a number or a percentage"},
            {"AT_LEAST(0, OK, (a, b))", "char 9", "Unsupported token '0' at char 9, must be: 1 to 2"},
            {"AT_LEAST(3, OK, (a, b))", "char 9", "Unsupported token '3' at char 9, must be: 1 to 2"},
            {"AT_LEAST(65537, OK, (a))", "char 9", "Unsupported token '65537' at char 9, must be: 1 to 1"},
            {"AT_LEAST(0%, OK, (a))", "char 9", "Unsupported token '0%' at char 9, must be: 1% to 100%"},
            {"AT_LEAST(101%, OK, (a))", "char 9", "Unsupported token '101%' at char 9, must be: 1% to 100%"},
            {"AT_LEAST(1, OK, (a)", "char 19", "Unsupported end of text at char 19, must be: ')'"},
        };
        for (const error_case& c : cases) {
            CAPTURE(c.text);
            const auto rule = parse_composite_rule(c.text);
            REQUIRE_FALSE(rule);
            CHECK(rule.error().where == c.where);
            CHECK(rule.error().message == "Error in AlarmRule [" + std::string{c.message} + "]");
        }
        CHECK(parse_composite_rule("(").error().code == rh::errc::syntax);
        CHECK(parse_composite_rule("AT_LEAST(2, OK, (a))").error().code == rh::errc::invalid_argument);
        CHECK(message(repeated("x", 100)) ==
              "Error in AlarmRule [Unsupported token '" + repeated("x", 64) + "' at char 0]");
    }

    TEST_CASE("the limits, on both sides") {
        CHECK(message(characters(10'240)) == "accepted");
        CHECK(message(characters(10'241)) ==
              "Error in AlarmRule [Unsupported number of characters 10241 at char 10240, must be: at most 10240]");
        CHECK(message(children(100)) == "accepted");
        CHECK(message(children(101)) ==
              "Error in AlarmRule [Unsupported number of children 101 at char 1396, must be: at most 100]");
        CHECK(message(children(100) + " OR OK(n0)") == "accepted");
        CHECK(message(elements(500)) == "accepted");
        CHECK(message(elements(501)) ==
              "Error in AlarmRule [Unsupported number of elements 501 at char 4000, must be: at most 500]");
        // A mention is an element, a pair of brackets that groups is one, the brackets of a function are none.
        CHECK(message("OK(a)" + repeated(" OR OK(a)", 499)) == "accepted");
        CHECK(message("OK(a)" + repeated(" OR OK(a)", 500)) != "accepted");
        CHECK(message(repeated("(", 499) + "OK(a)" + repeated(")", 499)) == "accepted");
        CHECK(message(repeated("(", 500) + "OK(a)" + repeated(")", 500)) != "accepted");
        CHECK(message("AT_LEAST(500, OK, (a" + repeated(",a", 499) + "))") == "accepted");
        CHECK(message("AT_LEAST(500, OK, (a" + repeated(",a", 500) + "))") != "accepted");
        for (const std::string& text : {characters(10'241), children(101), elements(501)})
            CHECK(parse_composite_rule(text).error().code == rh::errc::limit_exceeded);
    }

    TEST_CASE("depth is bounded by nothing but the length") {
        CHECK(message(repeated("(", 10'240)).starts_with("Error in AlarmRule [Unsupported number of elements"));
        CHECK(message(repeated("NOT ", 2'560)) == "Error in AlarmRule [Unsupported end of text at char 10240]");
        CHECK(evaluated(repeated("NOT ", 2'558) + "OK(a)", "o") == 'A');
        CHECK(evaluated(repeated("NOT ", 2'557) + "OK(a)", "o") == 'o');
        CHECK(evaluated(repeated("NOT(", 499) + "OK(a)" + repeated(")", 499), "o") == 'o');
        std::string right; // OK(a) AND (NOT (OK(a) AND (...
        for (int i = 0; i < 160; ++i) right += "OK(a) AND (NOT (";
        CHECK(evaluated(right + "OK(b)" + repeated("))", 160), "oo") == 'A');
        CHECK(evaluated(right + "OK(b)" + repeated("))", 160), "oA") == 'o');
    }

    TEST_CASE("what would be too long with spaces is printed without them") {
        const std::string name = repeated("x", 9'000);
        std::string text = "OK(" + name + ")";
        while (text.size() + 18 < 10'240) text += "OR(OK(b)AND OK(c))";
        const auto rule = parse_composite_rule(text);
        REQUIRE(rule);
        const std::string shown = to_string(*rule);
        CHECK(shown.size() <= text.size());
        const auto again = parse_composite_rule(shown);
        REQUIRE(again);
        CHECK(*again == *rule);
    }

    TEST_CASE("expressions in C++ are the same rules") {
        using namespace rh;
        const auto same = [](const composite_expression& written, std::string_view text) {
            const auto rule = make_composite_rule(written);
            REQUIRE(rule);
            CHECK(*rule == *parse_composite_rule(text));
            CHECK(to_string(*rule) == text);
            CHECK(written.text() == text);
        };
        same(in_alarm("a"), "ALARM(a)");
        same(in_alarm("a") && !in_alarm("b"), "ALARM(a) AND NOT ALARM(b)");
        same(in_ok("a b") || in_insufficient_data("c"), "OK(\"a b\") OR INSUFFICIENT_DATA(c)");
        same((in_ok("a") || in_ok("b")) && in_ok("c"), "(OK(a) OR OK(b)) AND OK(c)");
        same(in_ok("a") || (in_ok("b") && in_ok("c")), "OK(a) OR OK(b) AND OK(c)");
        same(in_ok("a") && (in_ok("b") && in_ok("c")), "OK(a) AND (OK(b) AND OK(c))");
        same(!(in_ok("a") && in_ok("b")), "NOT (OK(a) AND OK(b))");
        same(!!in_ok("a"), "NOT NOT OK(a)");
        same(always(true) && !always(false), "TRUE AND NOT FALSE");
        same(at_least(2, alarm_state::alarm, {"a", "b", "c"}), "AT_LEAST(2, ALARM, (a, b, c))");
        const std::array<std::string_view, 2> names{"a", "b"};
        same(at_least(percent{50}, alarm_state::ok, names), "AT_LEAST(50%, OK, (a, b))");
        same(!at_least_not(percent{50}, alarm_state::ok, names), "NOT AT_LEAST(50%, NOT OK, (a, b))");
        same(at_least_not(1, alarm_state::insufficient_data, {"a,b"}), "AT_LEAST(1, NOT INSUFFICIENT_DATA, (\"a,b\"))");

        const auto no_list = make_composite_rule(at_least(1, alarm_state::ok, {}));
        REQUIRE_FALSE(no_list);
        CHECK(no_list.error().where == "char 17");
        CHECK_FALSE(make_composite_rule(at_least(3, alarm_state::ok, names)));
        CHECK_FALSE(make_composite_rule(in_alarm("")));
        const auto quoted = make_composite_rule(in_alarm("\"quoted\" \\") && in_ok("\"quoted\" \\"));
        REQUIRE(quoted);
        CHECK(quoted->children().size() == 1);
        CHECK(quoted->children()[0] == "\"quoted\" \\");
    }
}
