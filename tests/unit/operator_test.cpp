// SPDX-License-Identifier: MIT
#include "recovery_support.hpp"

#include <doctest/doctest.h>

#include <set>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::guard;
using rh::health;
using rh::operation;
using rh::operator_verb;
using rh::reason;
using support::answer_to;
using support::calls_for;
using support::start;
using support::wiki;

namespace {

const rh::policy reboot = rh::ladder{rh::reboot_instance{}}.lowered();

void say(support::bench& b, operator_verb what, rh::target_id target, std::string_view why = "because",
         rh::time_point expires = rh::never) {
    b.e.operate({what, target, "ann", why, expires}, b.now);
    b.step();
}

struct word_case {
    rh::operator_input word;
    reason refused; ///< `none`: accepted
};

} // namespace

TEST_SUITE("operator") {
    TEST_CASE("every verb has a name of its own") {
        std::set<std::string_view> names;
        for (int v = 0; v <= static_cast<int>(operator_verb::trust); ++v)
            names.insert(to_string(static_cast<operator_verb>(v)));
        CHECK(names.size() == 9);
    }

    TEST_CASE("a word needs a name, a known target, and an end that is to come; an order a reason and an expiry") {
        const rh::time_point end = start + 1h;
        const wiki usual;
        const rh::target_id db = usual.db;
        const rh::target_id nobody{999};
        const word_case cases[] = {
            {{operator_verb::maintain, db, "ann", "work", end}, reason::none},
            {{operator_verb::maintain, db, "", "work", end}, reason::not_understood},
            {{operator_verb::maintain, db, "ann", "", end}, reason::not_understood},
            {{operator_verb::maintain, db, "ann", "work", rh::never}, reason::not_understood},
            {{operator_verb::maintain, db, "ann", "work", start}, reason::expired},
            {{operator_verb::maintain, nobody, "ann", "work", end}, reason::not_understood},
            {{operator_verb::maintain, rh::no_target, "ann", "work", end}, reason::not_understood},
            {{operator_verb::freeze, rh::no_target, "ann", "storm", end}, reason::none},
            {{operator_verb::freeze, db, "ann", "storm", end}, reason::none},
            {{operator_verb::freeze, rh::no_target, "ann", "", end}, reason::not_understood},
            {{operator_verb::freeze, rh::no_target, "ann", "storm", rh::never}, reason::not_understood},
            {{operator_verb::freeze, rh::no_target, "", "storm", end}, reason::not_understood},
            {{operator_verb::approve, db, "ann", "", rh::never}, reason::operator_word}, // nothing waits for it
            {{operator_verb::deny, db, "ann", "", rh::never}, reason::operator_word},
            {{operator_verb::unpark, db, "ann", "", rh::never}, reason::operator_word},
            {{operator_verb::end_maintenance, db, "ann", "", rh::never}, reason::operator_word},
            {{operator_verb::thaw, rh::no_target, "ann", "", rh::never}, reason::operator_word},
            {{operator_verb::trust, rh::no_target, "ann", "", rh::never}, reason::operator_word},
            {{operator_verb::confirm_dead, db, "ann", "", rh::never}, reason::none},
            {{operator_verb::confirm_dead, db, "", "", rh::never}, reason::not_understood},
            {{operator_verb::confirm_dead, db, "ann", "", start - 1s}, reason::expired},
            {{static_cast<operator_verb>(77), db, "ann", "", rh::never}, reason::not_understood},
        };
        for (const word_case& c : cases) {
            CAPTURE(static_cast<int>(c.word.what));
            CAPTURE(to_string(c.refused));
            wiki w{reboot};
            w.e.operate(c.word, w.now);
            w.step();
            const reason expected = c.refused == reason::none ? reason::operator_word : c.refused;
            CHECK(w.told(c.refused == reason::none ? decision::accept : decision::ignore, expected) == 1);
            // Whatever comes of it, it is in the journal with who said it and why.
            const auto r = std::find_if(w.records.begin(), w.records.end(),
                                        [](const rh::record& x) { return x.kind == rh::record_kind::operator_word; });
            REQUIRE(r != w.records.end());
            CHECK(r->verb == c.word.what);
            CHECK(r->name == c.word.who);
            CHECK(r->text == c.word.reason);
            CHECK(r->deadline == c.word.expires);
            CHECK(r->why == expected);
        }
    }

    TEST_CASE("maintenance: nothing is done to the target and what is below it, until it is over") {
        wiki w;
        say(w, operator_verb::maintain, w.db, "kernel", start + 30min);
        w.fail(w.mysqld);
        CHECK(w.calls.empty());
        CHECK(w.e.open_incidents() == 1); // monitoring goes on
        const rh::guard_answer a = support::answer_of(w, w.mysqld, guard::maintenance);
        CHECK(a.why == reason::in_maintenance);
        CHECK(a.next == start + 30min);
        CHECK(w.e.incident_of(w.mysqld)->wake == start + 30min);
        REQUIRE(w.run_until(start + 30min - 1ns));
        CHECK(w.calls.empty());
        REQUIRE(w.run_until(start + 30min));
        w.step();
        CHECK(w.told(decision::release, reason::expired) == 1);
        CHECK(w.count(operation::restart_service) == 1);
    }

    TEST_CASE("maintenance of a service does not hold its machine; maintenance of a machine holds an action upon it") {
        wiki w{reboot};
        say(w, operator_verb::maintain, w.mysqld, "index", start + 1h);
        w.fail(w.db);
        CHECK(w.count(operation::reboot_instance) == 1);

        wiki up{reboot};
        say(up, operator_verb::maintain, up.db, "kernel", start + 1h);
        up.fail(up.mysqld); // its first rung reboots the machine
        CHECK(up.calls.empty());
    }

    TEST_CASE("maintenance ends by a word, and a later word replaces an earlier one") {
        wiki w{reboot};
        say(w, operator_verb::maintain, w.db, "kernel", start + 1h);
        say(w, operator_verb::maintain, w.db, "kernel, longer", start + 2h);
        w.fail(w.db);
        CHECK(support::answer_of(w, w.db, guard::maintenance).next == start + 2h);
        say(w, operator_verb::end_maintenance, w.db);
        CHECK(w.count(operation::reboot_instance) == 1);
        say(w, operator_verb::end_maintenance, w.db);
        CHECK(w.told(decision::ignore, reason::operator_word) == 1);
    }

    TEST_CASE("a freeze of everything, or of one target, until it is over or thawed") {
        wiki w{reboot};
        const auto other = *w.e.add(rh::instance{.name = "other"});
        say(w, operator_verb::freeze, w.stack, "storm", start + 30min);
        w.fail(w.db);
        w.fail(other);
        CHECK(calls_for(w, w.db, operation::reboot_instance) == 0);
        CHECK(calls_for(w, other, operation::reboot_instance) == 1);
        CHECK(support::answer_of(w, w.db, guard::freeze).why == reason::frozen_by_operator);
        CHECK(support::answer_of(w, w.db, guard::freeze).next == start + 30min);
        REQUIRE(answer_to(w, other, operation::reboot_instance, rh::outcome::done()));
        w.sees(other, health::healthy);
        REQUIRE(w.run_for(1min));
        say(w, operator_verb::freeze, rh::no_target, "storm", start + 1h);
        say(w, operator_verb::thaw, w.stack);
        CHECK(w.calls.size() == 1);
        say(w, operator_verb::thaw, rh::no_target);
        CHECK(calls_for(w, w.db, operation::reboot_instance) == 1);
    }

    TEST_CASE("a freeze that expires lets go by itself") {
        wiki w{reboot};
        say(w, operator_verb::freeze, rh::no_target, "storm", start + 5min);
        w.fail(w.db);
        REQUIRE(w.run_until(start + 5min));
        w.step();
        CHECK(w.count(operation::reboot_instance) == 1);
    }

    TEST_CASE("an order that comes while the journal writes takes the intent back") {
        for (const operator_verb verb : {operator_verb::maintain, operator_verb::freeze}) {
            for (const bool of_all : {false, true}) {
                if (of_all && verb == operator_verb::maintain) continue;
                CAPTURE(to_string(verb));
                wiki w{reboot};
                w.slow = true;
                w.fail(w.mysqld);
                w.e.operate({verb, of_all ? rh::no_target : w.db, "ann", "work", start + 1h}, w.now);
                w.e.durable(w.records.back().seq);
                w.step();
                CHECK(w.calls.empty());
                CHECK(w.told(decision::drop, verb == operator_verb::maintain ? reason::in_maintenance
                                                                             : reason::frozen_by_operator) == 1);
                w.slow = false;
                REQUIRE(w.run_until(start + 1h));
                w.step();
                CHECK(w.count(operation::reboot_instance) == 1); // nothing was spent
            }
        }
    }

    TEST_CASE("deny: the rung that waits is left behind") {
        wiki w{rh::ladder{rh::reboot_instance{.approval = rh::required}, rh::recreate_instance{}}.lowered()};
        w.fail(w.db);
        CHECK(w.told(decision::wait, reason::approval_required) == 1);
        say(w, operator_verb::deny, w.db);
        CHECK(w.told(decision::accept, reason::denied_by_operator) == 1);
        CHECK(w.told(decision::climb, reason::denied_by_operator) == 1);
        CHECK(w.count(operation::reboot_instance) == 0);
        CHECK(w.count(operation::fence_instance) == 1);
    }

    TEST_CASE("deny on the last rung parks") {
        wiki w{rh::ladder{rh::reboot_instance{.approval = rh::required}}.lowered()};
        w.fail(w.db);
        say(w, operator_verb::deny, rh::no_target);
        CHECK(support::phase_of(w, w.db) == rh::phase::parked);
        CHECK(w.told(decision::page, reason::ladder_exhausted) == 1);
    }

    TEST_CASE("approve everything that waits; what is approved already is not approved again") {
        wiki w{rh::ladder{rh::reboot_instance{.approval = rh::required}}.lowered()};
        const auto other = *w.e.add(rh::instance{.name = "other"});
        w.fail(w.db);
        w.fail(other);
        say(w, operator_verb::approve, rh::no_target);
        CHECK(w.told(decision::accept, reason::operator_word) == 2);
        CHECK(w.count(operation::reboot_instance) == 1); // the other waits for its turn
        say(w, operator_verb::approve, other);
        CHECK(w.told(decision::ignore, reason::operator_word) == 1);
    }

    TEST_CASE("an approval holds for the rung, not for the next one") {
        wiki w{rh::ladder{rh::reboot_instance{.attempts = 1, .approval = rh::required},
                          rh::rebuild_instance{.approval = rh::required}}
                   .lowered()};
        w.fail(w.db);
        say(w, operator_verb::approve, w.db);
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, rh::outcome::failed("no")));
        REQUIRE(w.run_for(5min));
        CHECK(w.count(operation::rebuild_instance) == 0);
        CHECK(support::answer_of(w, w.db, guard::approval).why == reason::approval_required);
    }

    TEST_CASE("unpark: the ladder is tried again now, of one target and what is below it, or of all") {
        for (const int whom : {0, 1, 2}) {
            CAPTURE(whom);
            wiki w{rh::policy{}};
            w.fail(w.db);
            REQUIRE(support::phase_of(w, w.db) == rh::phase::parked);
            say(w, operator_verb::unpark, whom == 0 ? w.db : whom == 1 ? w.stack : rh::no_target);
            CHECK(w.told(decision::release, reason::parked_retry) == 1);
            say(w, operator_verb::unpark, w.mysqld); // not above it
            CHECK(w.told(decision::release, reason::parked_retry) == 1);
        }
    }

    TEST_CASE("an operator is a vantage of his own: his word opens an incident and confirms one") {
        rh::policy rules = rh::ha_restarter.lowered();
        rules.evidence.alone = rh::single_vantage::wait;
        wiki w{rules};
        w.fail(w.db);
        CHECK(support::answer_of(w, w.db, guard::corroboration).why == reason::one_vantage);
        w.sees(w.db, health::unhealthy, rh::vantage::operator_word);
        w.step();
        CHECK(w.count(operation::fence_instance) == 1);
    }
}
