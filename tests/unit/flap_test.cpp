// SPDX-License-Identifier: MIT
#include <reheat/alarm/flap.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace rh = reheat;
using doctest::Approx;
using rh::alarm_state;
using rh::flap_edge;

namespace {

template <class Policy>
using detector = rh::flap_detector<Policy, char>;

/// A detector that has seen these states; `?` is Icinga's state before the first check.
template <class Policy>
detector<Policy> after(std::string_view states, char before) {
    detector<Policy> d{before};
    for (const char s : states) d.add(s);
    return d;
}

double icinga(std::string_view states) { return after<rh::icinga_flap>(states, '?').value(); }
double nagios(std::string_view states) { return after<rh::nagios_flap>(states, 'a').value(); }

/// Icinga's detector whose state changed so many checks ago, 0 being the last one; oldest first.
detector<rh::icinga_flap> changed(std::initializer_list<int> ages) {
    detector<rh::icinga_flap> d{'a'};
    char state = 'a';
    for (int age = *ages.begin(); age >= 0; --age) {
        if (std::find(ages.begin(), ages.end(), age) != ages.end()) state = state == 'a' ? 'b' : 'a';
        d.add(state);
    }
    return d;
}

/// Flapping after three changes in the last four checks, until one; all weigh the same.
struct three_of_four {
    static constexpr std::uint32_t changes = 4;
    static constexpr std::uint32_t per_percent = 1;
    std::uint32_t start = 75;
    [[nodiscard]] constexpr std::uint32_t weight(std::uint32_t) const noexcept { return 25; }
    [[nodiscard]] constexpr bool flaps(std::uint32_t weighed, bool before) const noexcept {
        return weighed >= start || (before && weighed > 25);
    }
};

struct sixty_four : three_of_four {
    static constexpr std::uint32_t changes = 64;
};

static_assert(rh::flap_policy<rh::icinga_flap>);
static_assert(rh::flap_policy<rh::nagios_flap>);
static_assert(rh::flap_policy<three_of_four>);
static_assert(!rh::flap_policy<int>);
static_assert(sizeof(rh::flap_detector<rh::icinga_flap>) == 8);
static_assert(sizeof(rh::flap_detector<rh::nagios_flap>) == 8);
static_assert(sizeof(rh::flap_gate<>) == 1);

} // namespace

TEST_SUITE("flap") {
    TEST_CASE("Icinga: the newest change weighs 5.9 % and loses 0.1 % with each check, for 20 checks") {
        CHECK(icinga("a") == 5.9); // the first check differs from Unknown
        CHECK(icinga("aa") == 5.8);
        CHECK(icinga("ab") == Approx(11.7).epsilon(1e-12));
        CHECK(icinga("aaaaaaaaaaaaaaaaaaaa") == 4);
        CHECK(icinga("aaaaaaaaaaaaaaaaaaaaa") == 0);
        CHECK(icinga("?aaaa") == 5.6); // a first check that is Unknown changes nothing
    }

    TEST_CASE("Icinga: the worked example of its documentation comes to 39.1 %") {
        const auto d = after<rh::icinga_flap>("ccc"
                                              "w"
                                              "c"
                                              "w"
                                              "oooo"
                                              "wwww"
                                              "ooo"
                                              "www"
                                              "c",
                                              '?');
        CHECK(d.value() == Approx(39.1).epsilon(1e-12));
        CHECK(d.flapping());
    }

    TEST_CASE("Icinga: a state that alternates is flapping from the sixth check on") {
        detector<rh::icinga_flap> d{'?'};
        for (int check = 1; check <= 40; ++check) {
            const flap_edge edge = d.add(check % 2 == 0 ? 'a' : 'b');
            CHECK(edge == (check == 6 ? flap_edge::started : flap_edge::none));
            CHECK(d.flapping() == (check >= 6));
        }
        CHECK(d.value() == 99);
    }

    TEST_CASE("Icinga: exactly 30 % does not start it") {
        // 6 * 5.9 - (19 + 15 + 11 + 6 + 3 + 0) * 0.1
        auto d = changed({19, 15, 11, 6, 3, 0});
        CHECK(d.value() == 30);
        CHECK_FALSE(d.flapping());
        d = changed({18, 15, 11, 6, 3, 0});
        CHECK(d.value() == 30.1);
        CHECK(d.flapping());
    }

    TEST_CASE("Icinga: exactly 25 % ends it") {
        // 5 * 5.9 - (14 + 12 + 10 + 6 + 3) * 0.1, after busier times that are forgotten
        auto d = changed({24, 23, 22, 21, 20, 14, 12, 10, 6, 3});
        CHECK(d.value() == 25);
        CHECK_FALSE(d.flapping());
        d = changed({24, 23, 22, 21, 20, 13, 12, 10, 6, 3});
        CHECK(d.value() == 25.1);
        CHECK(d.flapping());
    }

    TEST_CASE("Nagios: weights from 3.75 % to 6.25 %, all 20 of them 100 %") {
        CHECK(nagios("aaaaaaaaaaaaaaaaaaaaa") == 0);
        CHECK(nagios("b") == 6.25);
        CHECK(nagios("bbbbbbbbbbbbbbbbbbbb") == 3.75);
        CHECK(nagios("bbbbbbbbbbbbbbbbbbbbb") == 0);
        CHECK(nagios("babababababababababa") == 100);
        CHECK(nagios("bb") == Approx(6.25 - 2.5 / 19).epsilon(1e-12));
    }

    TEST_CASE("Nagios: starts at 30 %, between 20 % and 30 % all stays, ends at 20 %") {
        detector<rh::nagios_flap> d{'a'};
        int started = 0;
        char state = 'a';
        while (d.value() < 30) {
            CHECK_FALSE(d.flapping());
            state = state == 'a' ? 'b' : 'a';
            started += d.add(state) == flap_edge::started ? 1 : 0;
        }
        CHECK(started == 1);
        CHECK(d.flapping());
        while (d.flapping()) {
            CHECK(d.value() > 20);
            const flap_edge edge = d.add(state);
            CHECK(edge == (d.flapping() ? flap_edge::none : flap_edge::stopped));
        }
        CHECK(d.value() <= 20);
        CHECK_FALSE(after<rh::nagios_flap>("bbabbbb", 'a').flapping()); // between, and never started
    }

    TEST_CASE("an alarm's states are the default, and insufficient data is what was before") {
        rh::flap_detector<rh::icinga_flap> d;
        d.add(alarm_state::insufficient_data);
        CHECK(d.value() == 0);
        d.add(alarm_state::ok);
        CHECK(d.value() == 5.9);
    }

    TEST_CASE("a policy of one's own, with numbers of its own") {
        rh::flap_detector<three_of_four, int> d{0};
        CHECK(d.add(1) == flap_edge::none);
        CHECK(d.add(2) == flap_edge::none);
        CHECK(d.add(3) == flap_edge::started);
        CHECK(d.add(3) == flap_edge::none);
        CHECK(d.add(3) == flap_edge::none);
        CHECK(d.add(3) == flap_edge::stopped);
        rh::flap_detector<three_of_four, int> strict{0, {.start = 100}};
        for (int i = 1; i <= 3; ++i) CHECK(strict.add(i) == flap_edge::none);
        CHECK(strict.add(4) == flap_edge::started);
        rh::flap_detector<sixty_four, int> wide{0};
        for (int i = 1; i <= 100; ++i) wide.add(i);
        CHECK(wide.value() == 64 * 25);
    }

    TEST_CASE("names for people") {
        CHECK(to_string(flap_edge::none) == "none");
        CHECK(to_string(flap_edge::started) == "started");
        CHECK(to_string(flap_edge::stopped) == "stopped");
    }
}

TEST_SUITE("flap gate") {
    TEST_CASE("a change is notified once") {
        rh::flap_gate gate{alarm_state::ok};
        CHECK_FALSE(gate.due(alarm_state::ok, false));
        CHECK(gate.due(alarm_state::alarm, false));
        CHECK_FALSE(gate.due(alarm_state::alarm, false));
        CHECK(gate.told() == alarm_state::alarm);
    }

    TEST_CASE("the recovery that happened while flapping is notified when flapping ends") {
        rh::flap_gate gate{alarm_state::ok};
        CHECK(gate.due(alarm_state::alarm, false));
        CHECK_FALSE(gate.due(alarm_state::ok, true));
        CHECK_FALSE(gate.due(alarm_state::alarm, true));
        CHECK_FALSE(gate.due(alarm_state::ok, true));
        CHECK(gate.due(alarm_state::ok, false));
        CHECK(gate.told() == alarm_state::ok);
    }

    TEST_CASE("a problem that began while flapping is notified too, and one that came back needs no second word") {
        rh::flap_gate gate{alarm_state::ok};
        CHECK_FALSE(gate.due(alarm_state::alarm, true));
        CHECK(gate.due(alarm_state::alarm, false));
        CHECK_FALSE(gate.due(alarm_state::ok, true));
        CHECK_FALSE(gate.due(alarm_state::alarm, false));
    }
}
