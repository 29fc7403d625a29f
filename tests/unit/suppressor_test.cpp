// SPDX-License-Identifier: MIT
#include <reheat/alarm/suppressor.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::alarm_state;

namespace {

/// One letter a second, and what followed: `c` and `C` the composite alarm goes to OK or to ALARM; `s`, `S` and `i` the
/// suppressor goes to OK, to ALARM or to insufficient data; `r` and `R` it is replaced by one in that state. Letters in
/// brackets happen at one instant. The line below says for each second what holds back (`w`ait, `e`xtension, `a`larm)
/// or the action that ran then, `+` for ALARM and `-` for OK.
std::string played(std::string_view events, rh::suppression_periods periods, alarm_state suppressor = alarm_state::ok) {
    rh::action_suppressor gate{periods, suppressor};
    std::string line;
    rh::time_point now{100s};
    bool together = false;
    for (const char e : events) {
        std::optional<rh::due_action> late;
        switch (e) {
        case 'c': late = gate.composite_changed(alarm_state::ok, now); break;
        case 'C': late = gate.composite_changed(alarm_state::alarm, now); break;
        case 's': late = gate.suppressor_changed(alarm_state::ok, now); break;
        case 'S': late = gate.suppressor_changed(alarm_state::alarm, now); break;
        case 'i': late = gate.suppressor_changed(alarm_state::insufficient_data, now); break;
        case 'r': late = gate.replace(periods, alarm_state::ok, now); break;
        case 'R': late = gate.replace(periods, alarm_state::alarm, now); break;
        case '(': together = true; continue;
        case ')': together = false; break;
        default: break;
        }
        CHECK_FALSE(late);
        if (together) continue;
        const rh::time_point due = gate.next();
        if (const auto action = gate.advance(now)) {
            CHECK(action->at == due);
            CHECK(action->at == now);
            CHECK_FALSE(gate.actions_suppressed_by());
            CHECK(gate.next() == rh::never);
            line += action->state == alarm_state::alarm ? '+' : '-';
        } else if (const auto by = gate.actions_suppressed_by()) {
            CHECK((gate.next() == rh::never) == (*by == rh::suppressed_by::alarm));
            line += *by == rh::suppressed_by::alarm ? 'a' : *by == rh::suppressed_by::wait_period ? 'w' : 'e';
        } else {
            line += '.';
        }
        now += 1s;
    }
    return line;
}

constexpr rh::suppression_periods two_and_three{.wait = 2s, .extension = 3s};

} // namespace

TEST_SUITE("suppressor") {
    TEST_CASE("the examples of CloudWatch's user guide: wait 2, extension 3") {
        CHECK(played("..C....", two_and_three) == "..ww+..");
        CHECK(played("..CS....", two_and_three) == "..waaaaa");
        CHECK(played("..Cc....", two_and_three) == "..www-..");
        CHECK(played("..C....", two_and_three, alarm_state::alarm) == "..aaaaa");
        CHECK(played("..CS..s....", two_and_three) == "..waaaeee+.");
        CHECK(played("..CS..sc....", two_and_three) == "..waaaeww-..");
    }

    TEST_CASE("a suppressor that comes and goes") {
        CHECK(played("CSs....", two_and_three) == "waeee+."); // back before the wait would have ended
        CHECK(played("CSsSs....", two_and_three) == "waeaeee+.");
        CHECK(played("S.s....", two_and_three) == ".......");     // nothing was pending
        CHECK(played("C..S.s...", two_and_three) == "ww+......"); // nor after it was acted on
        CHECK(played("SC.cs....", two_and_three) == ".aaaeee-."); // back to where it was, and acted on all the same
        CHECK(played("SC.i....", two_and_three) == ".aaeee+.");   // insufficient data is not ALARM
        CHECK(played("Ci.S.i....", two_and_three) == "ww+.......");
        CHECK(played("SCSs....", two_and_three) == ".aaeee+.");
        CHECK(played("SCssss..", two_and_three) == ".aeee+.."); // a repeated state is no change
    }

    TEST_CASE("an event at the very end of a period is in time") {
        CHECK(played("C.S..s...", two_and_three) == "wwaaaeee+");
        CHECK(played("C.c...", two_and_three) == "wwww-.");
        CHECK(played("SC.s..S..", two_and_three) == ".aaeeeaaa");
        CHECK(played("SC.s..c...", two_and_three) == ".aaeeeww-.");
        CHECK(played("SC.s..(Ss)...", two_and_three) == ".aaeeeeee+");
    }

    TEST_CASE("several events of one instant") {
        CHECK(played("(CS).s...", two_and_three) == "aaeee+");
        CHECK(played("(SC).s...", two_and_three) == "aaeee+");
        CHECK(played("S(Cs)..", two_and_three) == ".eee");
        CHECK(played("S(sC)..", two_and_three) == ".ww+");
        CHECK(played("(CcC)...", two_and_three) == "ww+.");
    }

    TEST_CASE("without periods an action is due at once") {
        CHECK(played("Cc.C", {}) == "+-.+");
        CHECK(played("SC.s.", {}) == ".aa+.");
        CHECK(played("(CS).s", {}) == "aa+");
        CHECK(played("C.S.c.s.", {.wait = 0s, .extension = 2s}) == "+...aaee");
    }

    TEST_CASE("another suppressor ends what runs") {
        CHECK(played("Cr..", two_and_three) == "w+..");
        CHECK(played("CR..s...", two_and_three) == "waaaeee+");
        CHECK(played("SC.sr..", two_and_three) == ".aae+..");
        CHECK(played("SC.r..", two_and_three) == ".aa+..");
        CHECK(played("SC.Rs...", two_and_three) == ".aaaeee+");
        CHECK(played("r.C..", two_and_three) == "..ww+");
    }

    TEST_CASE("an action that nobody asked for in time comes with the next event, for the state of its own time") {
        rh::action_suppressor gate{two_and_three};
        const rh::time_point start{};
        CHECK_FALSE(gate.composite_changed(alarm_state::alarm, start));
        CHECK(gate.next() == start + 2s);
        CHECK_FALSE(gate.advance(start + 2s - 1ns));
        const auto late = gate.composite_changed(alarm_state::ok, start + 10s);
        REQUIRE(late);
        CHECK(*late == rh::due_action{alarm_state::alarm, start + 2s});
        CHECK(gate.next() == start + 12s);
        CHECK(gate.suppressor_changed(alarm_state::alarm, start + 12s + 1ns) ==
              rh::due_action{alarm_state::ok, start + 12s});
        CHECK_FALSE(gate.actions_suppressed_by());
        CHECK_FALSE(gate.composite_changed(alarm_state::alarm, start + 13s));
        CHECK_FALSE(gate.suppressor_changed(alarm_state::ok, start + 14s));
        CHECK(gate.replace({}, alarm_state::alarm, start + 20s) == rh::due_action{alarm_state::alarm, start + 17s});
        CHECK(gate.next() == rh::never);
    }

    TEST_CASE("periods are not negative, and may last for ever") {
        CHECK(rh::validate(rh::suppression_periods{}));
        CHECK(rh::validate(rh::suppression_periods{.wait = -1ns}).error().where == "wait");
        CHECK(rh::validate(rh::suppression_periods{.extension = -1ns}).error().where == "extension");
        rh::action_suppressor gate{{.wait = rh::duration::max()}};
        CHECK_FALSE(gate.composite_changed(alarm_state::alarm, rh::time_point{1s}));
        CHECK(gate.next() == rh::never);
        CHECK(gate.actions_suppressed_by() == rh::suppressed_by::wait_period);
    }
}
