// SPDX-License-Identifier: MIT
#include <reheat/alarm/evaluate.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

namespace rh = reheat;
using rh::alarm_state;
using rh::missing_data;

namespace {

constexpr std::array treatments{missing_data::missing, missing_data::ignore, missing_data::breaching,
                                missing_data::not_breaching};

struct shape {
    std::uint32_t n;
    std::uint32_t m;
    std::uint32_t range;
};

/// What periods hold, oldest first: `0` fine, `X` breaching, `-` nothing.
rh::evaluation counted(std::string_view range, std::uint32_t n, std::uint32_t m) {
    rh::evaluation e{n, m};
    std::uint32_t age = 0;
    for (auto p = range.rbegin(); p != range.rend(); ++p) {
        ++age;
        if (*p != '-' && !e.count(age, *p == 'X')) break;
    }
    return e;
}

alarm_state state(std::string_view range, shape s, missing_data treat, alarm_state before) {
    return rh::evaluate(counted(range, s.n, s.m), treat, before, true).state;
}

/// The letter of a state as the table below has it; `R` where it follows the state before.
char letter(std::string_view range, shape s, missing_data treat) {
    const alarm_state from_ok = state(range, s, treat, alarm_state::ok);
    if (from_ok != state(range, s, treat, alarm_state::alarm)) return 'R';
    return from_ok == alarm_state::alarm ? 'A' : from_ok == alarm_state::ok ? 'O' : 'I';
}

/// The rule written the long way: one sentence of the specification after the other, on the periods themselves.
char written_out(std::string_view range, shape s, missing_data treat) {
    std::string real;
    for (const char p : range) {
        if (p != '-') real += p;
    }
    const auto breaching = [](std::string_view of) {
        std::uint32_t sum = 0;
        for (const char p : of) sum += p == 'X' ? 1U : 0U;
        return sum;
    };
    if (real.size() >= s.n) return breaching(std::string_view{real}.substr(real.size() - s.n)) >= s.m ? 'A' : 'O';
    const std::uint32_t b = breaching(real);
    const auto missing = static_cast<std::uint32_t>(s.n - real.size());
    if (treat == missing_data::breaching) return b + missing >= s.m ? 'A' : 'O';
    if (b >= s.m) return 'A';
    if (treat == missing_data::not_breaching) return 'O';
    if (real.find('0') != std::string::npos) return 'O';
    if (treat == missing_data::ignore) return 'R';
    const std::size_t oldest = range.find('X');
    return oldest != std::string_view::npos && range.size() - oldest >= s.m ? 'A' : 'I';
}

template <class Each>
void all_ranges(std::uint32_t length, const Each& each) {
    std::string range(length, '0');
    for (;;) {
        each(range);
        std::size_t at = 0;
        while (at < length && range[at] == '-') range[at++] = '0';
        if (at == length) return;
        range[at] = range[at] == '0' ? 'X' : '-';
    }
}

/// How far a state is from quiet.
int severity(alarm_state s) { return s == alarm_state::alarm ? 2 : s == alarm_state::insufficient_data ? 1 : 0; }

} // namespace

TEST_SUITE("evaluate") {
    TEST_CASE("CloudWatch's own examples, with two periods of look-back") {
        struct row {
            std::string_view range;
            std::uint32_t m;
            std::string_view expected; ///< for missing, ignore, breaching, notBreaching
        };
        const row rows[] = {
            {"0-X-X", 3, "OOOO"}, // enough datapoints by looking back
            {"0----", 3, "OOOO"}, {"-----", 3, "IRAO"}, {"0XX-X", 3, "AAAA"},
            {"--X--", 3, "ARAO"},                                             // old enough to be no accident
            {"0-X-X", 2, "AAAA"}, {"00X0X", 2, "AAAA"}, {"0-X--", 2, "OOAO"}, // a fine datapoint among few
            {"----0", 2, "OOAO"}, {"---X-", 2, "ARAO"}, {"----X", 3, "IRAO"},
            {"X----", 3, "ARAO"}, {"----X", 2, "IRAO"}, {"---X-", 3, "IRAO"}, // not old enough
        };
        for (const row& r : rows) {
            CAPTURE(r.range);
            CAPTURE(r.m);
            for (std::size_t t = 0; t < treatments.size(); ++t)
                CHECK(letter(r.range, {3, r.m, 5}, treatments[t]) == r.expected[t]);
        }
    }

    TEST_CASE("every range of nine shapes is what the specification written out says") {
        for (const shape s :
             {shape{1, 1, 1}, {1, 1, 3}, {2, 1, 4}, {2, 2, 4}, {3, 1, 5}, {3, 2, 5}, {3, 3, 5}, {3, 3, 3}, {5, 3, 7}}) {
            CAPTURE(s.n);
            CAPTURE(s.m);
            all_ranges(s.range, [&](const std::string& range) {
                CAPTURE(range);
                for (const missing_data treat : treatments) {
                    CAPTURE(static_cast<int>(treat));
                    REQUIRE(letter(range, s, treat) == written_out(range, s, treat));
                }
            });
        }
    }

    TEST_CASE(
        "more breaching data never turns alarm into ok, and breaching is at least missing is at least notBreaching") {
        for (const shape s : {shape{3, 3, 5}, {3, 2, 5}, {4, 2, 4}, {5, 3, 7}}) {
            all_ranges(s.range, [&](const std::string& range) {
                for (const alarm_state before : {alarm_state::insufficient_data, alarm_state::ok, alarm_state::alarm}) {
                    for (const missing_data treat : treatments) {
                        if (state(range, s, treat, before) != alarm_state::alarm) continue;
                        for (std::size_t p = 0; p < range.size(); ++p) {
                            if (range[p] != '0') continue;
                            std::string worse = range;
                            worse[p] = 'X';
                            CAPTURE(range);
                            CAPTURE(worse);
                            REQUIRE(state(worse, s, treat, before) == alarm_state::alarm);
                        }
                    }
                    const int least = severity(state(range, s, missing_data::not_breaching, before));
                    const int middle = severity(state(range, s, missing_data::missing, before));
                    const int most = severity(state(range, s, missing_data::breaching, before));
                    CAPTURE(range);
                    REQUIRE(least <= middle);
                    REQUIRE(middle <= most);
                }
            });
        }
    }

    TEST_CASE("what is older than the newest N datapoints never matters") {
        all_ranges(5, [](const std::string& range) {
            for (const char older : {'0', 'X', '-'}) {
                const rh::evaluation e = counted(range, 2, 2);
                if (e.real == 2) REQUIRE(counted(older + range, 2, 2) == e);
            }
        });
    }

    TEST_CASE("it says which part of the rule decided") {
        const auto why = [](std::string_view range, missing_data treat, bool premature = true) {
            return rh::evaluate(counted(range, 3, 3), treat, alarm_state::ok, premature).by;
        };
        CHECK(why("XXX", missing_data::missing) == rh::decided_by::datapoints);
        CHECK(why("0-X-X", missing_data::missing) == rh::decided_by::datapoints);
        CHECK(why("--X", missing_data::breaching) == rh::decided_by::filled);
        CHECK(why("X--", missing_data::missing) == rh::decided_by::premature);
        CHECK(why("X--", missing_data::missing, false) == rh::decided_by::no_data);
        CHECK(why("X--", missing_data::ignore) == rh::decided_by::kept);
        CHECK(to_string(rh::decided_by::premature) == "premature");
    }

    TEST_CASE("unanimous: all raise, none clears, a mixed range keeps the state, the newest decides from nothing") {
        const auto to = [](std::string_view range, alarm_state before) {
            return rh::evaluate_unanimous(counted(range, 3, 3), range.back() == 'X', before);
        };
        CHECK(to("XXX", alarm_state::ok).state == alarm_state::alarm);
        CHECK(to("000", alarm_state::alarm).state == alarm_state::ok);
        CHECK(to("00X", alarm_state::alarm).state == alarm_state::alarm);
        CHECK(to("XX0", alarm_state::ok).state == alarm_state::ok);
        CHECK(to("00X", alarm_state::insufficient_data) ==
              rh::decision_of_state{alarm_state::alarm, rh::decided_by::trend});
        CHECK(to("XX0", alarm_state::insufficient_data).state == alarm_state::ok);
        CHECK(to("-XX", alarm_state::alarm).state == alarm_state::insufficient_data);
    }
}
