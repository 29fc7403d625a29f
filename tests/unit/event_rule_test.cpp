// SPDX-License-Identifier: MIT
#include <reheat/alarm/event_rule.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::alarm_state;
using rh::comparison;
using rh::event_effect;
using rh::trait_type;

namespace {

struct glob_case {
    std::string_view pattern;
    std::string_view text;
    bool match;
};

/// The event of the tests: a host that went down.
rh::trait_value trait(std::string_view field) {
    if (field == "traits.host") return std::string_view{"node-7"};
    if (field == "traits.cores") return std::int64_t{16};
    if (field == "traits.load") return 2.5;
    if (field == "traits.fenced") return true;
    if (field == "traits.at") return rh::time_point{1'000s};
    if (field == "traits.serial") return std::int64_t{9'007'199'254'740'993}; // 2^53 + 1
    return {};
}

bool met(std::string field, comparison op, trait_type type, std::string_view value) {
    const auto condition = rh::make_condition(std::move(field), op, type, value);
    REQUIRE(condition.has_value());
    return rh::meets(*condition, trait(condition->field));
}

} // namespace

TEST_SUITE("event rule") {
    TEST_CASE("a pattern of event types") {
        for (const glob_case& c : std::array<glob_case, 34>{{{"host.*", "host.down", true},
                                                             {"host.*", "host.", true},
                                                             {"host.*", "host", false},
                                                             {"host.*", "xhost.down", false},
                                                             {"*", "", true},
                                                             {"", "", true},
                                                             {"", "a", false},
                                                             {"**", "a.b", true},
                                                             {"*.end", "a.start.end", true},
                                                             {"*.end", "a.end.start", false},
                                                             {"a*b*c", "a-b-b-c", true},
                                                             {"a*b*c", "a-c-b", false},
                                                             {"a?c", "abc", true},
                                                             {"a?c", "ac", false},
                                                             {"?", "", false},
                                                             {"a[bc]d", "acd", true},
                                                             {"a[bc]d", "add", false},
                                                             {"a[!bc]d", "add", true},
                                                             {"a[!bc]d", "abd", false},
                                                             {"node-[0-9]", "node-7", true},
                                                             {"node-[0-9]", "node-x", false},
                                                             {"node-[0-9]*", "node-12", true},
                                                             {"[]x]", "]", true},
                                                             {"[!]]", "]", false},
                                                             {"[!]]", "a", true},
                                                             {"[a-]", "-", true},
                                                             {"[z-a]", "m", false},
                                                             {"[ab", "[ab", true},
                                                             {"[ab", "a", false},
                                                             {"[", "[", true},
                                                             {"[!", "[!", true},
                                                             {"Host", "host", false},
                                                             {"a.c", "abc", false},
                                                             {"*[ab]*[cd]", "xaxbxcxd", true}}}) {
            INFO(std::string{c.pattern} << " and " << std::string{c.text});
            CHECK(rh::glob_match(c.pattern, c.text) == c.match);
        }
    }

    TEST_CASE("many stars on a long text take no more than pattern times text steps") {
        std::string pattern;
        for (int i = 0; i < 200; ++i) pattern += "*a";
        pattern += 'b';
        CHECK_FALSE(rh::glob_match(pattern, std::string(20'000, 'a')));
    }

    TEST_CASE("a condition compares a trait with a value of its type") {
        using enum comparison;
        CHECK(met("traits.host", equal_to, trait_type::string, "node-7"));
        CHECK_FALSE(met("traits.host", equal_to, trait_type::string, "node"));
        CHECK(met("traits.host", greater_than, trait_type::string, "node-6"));
        CHECK(met("traits.host", less_than, trait_type::string, "node-70"));
        CHECK(met("traits.cores", greater_than_or_equal, trait_type::integer, "16"));
        CHECK_FALSE(met("traits.cores", greater_than, trait_type::integer, "16"));
        CHECK(met("traits.cores", less_than, trait_type::floating, "16.5"));
        CHECK(met("traits.load", greater_than, trait_type::integer, "2"));
        CHECK(met("traits.load", less_than_or_equal, trait_type::floating, "2.5"));
        CHECK(met("traits.fenced", equal_to, trait_type::boolean, "True"));
        CHECK(met("traits.fenced", not_equal_to, trait_type::boolean, "false"));
        CHECK(met("traits.fenced", equal_to, trait_type::integer, "1"));
        CHECK(met("traits.at", equal_to, trait_type::datetime, "1970-01-01T00:16:40Z"));
        CHECK(met("traits.at", less_than, trait_type::datetime, "1970-01-01T01:16:41+01:00"));
        CHECK(met("traits.serial", greater_than, trait_type::integer, "9007199254740992"));
        CHECK_FALSE(met("traits.serial", equal_to, trait_type::integer, "9007199254740992"));
    }

    TEST_CASE("what is not there, or does not compare, is only not equal") {
        for (const std::string field : {"traits.nothing", "traits.host", "traits.at"}) {
            INFO(field);
            CHECK(met(field, comparison::not_equal_to, trait_type::integer, "7"));
            CHECK_FALSE(met(field, comparison::equal_to, trait_type::integer, "7"));
            CHECK_FALSE(met(field, comparison::less_than, trait_type::integer, "7"));
            CHECK_FALSE(met(field, comparison::greater_than_or_equal, trait_type::integer, "7"));
        }
        CHECK_FALSE(met("traits.cores", comparison::equal_to, trait_type::string, "16"));
        CHECK(met("traits.nothing", comparison::not_equal_to, trait_type::string, ""));
    }

    TEST_CASE("a value that is not of its type is refused, with the field") {
        const auto broken = [](trait_type type, std::string_view value, comparison op = comparison::equal_to) {
            const auto condition = rh::make_condition("traits.x", op, type, value);
            return !condition && condition.error().where == "traits.x";
        };
        for (const std::string_view text : {"", "1.5", "1x", " 1", "0x10", "99999999999999999999"}) {
            INFO(std::string{text});
            CHECK(broken(trait_type::integer, text));
        }
        for (const std::string_view text : {"", "nan", "1,5", "1.5 "}) CHECK(broken(trait_type::floating, text));
        for (const std::string_view text : {"", "yes", "truex", "2"}) CHECK(broken(trait_type::boolean, text));
        for (const std::string_view text : {"", "now", "2026-02-30T00:00:00"})
            CHECK(broken(trait_type::datetime, text));
        CHECK(broken(trait_type::string, "a", comparison::outside_band));
        CHECK(rh::parse_trait_type("float") == trait_type::floating);
        CHECK(rh::parse_trait_type("") == trait_type::string);
        CHECK_FALSE(rh::parse_trait_type("Float").has_value());
    }

    TEST_CASE("an event of the type that meets all conditions raises; nothing clears; raised is skipped") {
        rh::event_rule rule{.event_type = "host.down*", .query = {}, .repeat_actions = false};
        CHECK(rh::evaluate(rule, alarm_state::ok, "host.down", trait) == event_effect::raised);
        CHECK(rh::evaluate(rule, alarm_state::insufficient_data, "host.down.hard", trait) == event_effect::raised);
        CHECK(rh::evaluate(rule, alarm_state::ok, "host.up", trait) == event_effect::unmatched);
        CHECK(rh::evaluate(rule, alarm_state::alarm, "host.up", trait) == event_effect::skipped);
        CHECK(rh::evaluate(rule, alarm_state::alarm, "host.down", trait) == event_effect::skipped);
        rule.repeat_actions = true;
        CHECK(rh::evaluate(rule, alarm_state::alarm, "host.down", trait) == event_effect::raised);
        CHECK(rh::evaluate(rule, alarm_state::alarm, "host.up", trait) == event_effect::unmatched);

        rule.query.push_back(*rh::make_condition("traits.host", comparison::equal_to, trait_type::string, "node-7"));
        rule.query.push_back(*rh::make_condition("traits.cores", comparison::less_than, trait_type::integer, "32"));
        CHECK(rh::evaluate(rule, alarm_state::ok, "host.down", trait) == event_effect::raised);
        rule.query.push_back(*rh::make_condition("traits.load", comparison::less_than, trait_type::floating, "1"));
        CHECK(rh::evaluate(rule, alarm_state::ok, "host.down", trait) == event_effect::unmatched);
    }
}
