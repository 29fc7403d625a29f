// SPDX-License-Identifier: MIT
#include <reheat/testing/driver_conformance.hpp>
#include <reheat/testing/mock_fixture.hpp>

#include "broken_drivers.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>

// Each broken driver is caught by the rule that is meant for its mistake, and the one that is not broken by none.

namespace rt = reheat::testing;

namespace {

/// The rules that have caught somebody.
std::set<std::string>& tried() {
    static std::set<std::string> names;
    return names;
}

/// Whether that rule, tried alone, says that the driver is wrong; and whether it is content with one that is not.
template <class Driver>
void caught_by(std::string_view rule) {
    CAPTURE(rule);
    tried().emplace(rule);
    rt::mock_fixture<Driver> broken_one;
    const rt::conformance_report report = check_conformance(broken_one, {.only = std::string{rule}});
    const rt::rule_result* r = report.find(rule);
    REQUIRE(r != nullptr);
    CHECK(r->state == rt::rule_state::failed);
    CHECK(!r->why.empty());
    CHECK(!report.conforming());
    rt::mock_fixture<> healthy;
    CHECK(check_conformance(healthy, {.only = std::string{rule}}).conforming());
}

void completions() {
    caught_by<broken::forgets_to_answer>("every_call_is_answered");
    caught_by<broken::answers_twice>("answers_once");
    caught_by<broken::abandons>("abandons_none");
    caught_by<broken::mixes_answers>("many_at_once");
}

void arguments() {
    caught_by<broken::describes_later>("describe_keeps_no_reference");
    caught_by<broken::fences_later>("actions_keep_no_reference");
    caught_by<broken::recreates_later>("recreate_keeps_no_reference");
    caught_by<broken::knows_by_prefix>("names_are_exact");
    caught_by<broken::touches_strangers>("strangers_are_left_alone");
    caught_by<broken::trips_over_quotes>("hostile_names");
}

void what_is() {
    caught_by<broken::takes_unreachable_for_gone>("describe_unreachable");
    caught_by<broken::takes_gone_for_unreachable>("describe_of_nobody");
    caught_by<broken::takes_hung_for_off>("describe_tells_a_hung_guest");
    caught_by<broken::never_reconnects>("describe_reconnects");
    caught_by<broken::describe_reboots>("describe_changes_nothing");
    caught_by<broken::tells_an_old_boot>("reboot_boots_anew");
    caught_by<broken::tells_the_old_id>("recreate_gets_new_identity");
    caught_by<broken::tells_another_host>("describe_tells_what_runs");
    caught_by<broken::tells_another_address>("describe_tells_its_address");
    caught_by<broken::takes_off_for_running>("describe_tells_what_is_off");
    caught_by<broken::remembers_the_removed>("describe_of_what_was_removed");
    caught_by<broken::tells_too_much>("texts_fit");
}

void outcomes() {
    caught_by<broken::takes_lost_for_failed>("reboot_with_lost_answer");
    caught_by<broken::takes_not_found_for_unknown>("action_on_nobody");
    caught_by<broken::takes_conflict_for_done>("create_of_what_exists");
    caught_by<broken::is_impatient>("action_past_its_deadline");
    caught_by<broken::forgets_retry_after>("action_throttled");
    caught_by<broken::says_done_at_once>("reboot_comes_up");
    caught_by<broken::says_done_at_once>("reboot_of_what_is_off");
    caught_by<broken::takes_cut_off_for_done>("action_unreachable");
    caught_by<broken::takes_lost_copy_for_failed>("recreate_with_lost_answer");
    caught_by<broken::creates_nothing>("create_makes_it");
    caught_by<broken::tells_its_password>("reasons_hold_no_secret");
    caught_by<broken::gives_no_reason>("reasons_are_given");
}

void rungs() {
    caught_by<broken::restarts_by_reboot>("restart_service_restores");
    caught_by<broken::restarts_anything>("restart_service_unknown");
    caught_by<broken::restarts_anything>("restart_service_in_hung_guest");
    caught_by<broken::asks_the_guest>("reboot_hard_cures_a_hang");
    caught_by<broken::reboots_by_recreation>("reboot_keeps_identity");
    caught_by<broken::rebuild_loses_volumes>("rebuild_keeps_volumes");
    caught_by<broken::recreate_takes_a_new_volume>("recreate_keeps_volumes");
    caught_by<broken::recreate_takes_a_new_address>("recreate_keeps_addresses");
    caught_by<broken::recreates_two>("recreate_never_two");
    caught_by<broken::evacuates_in_place>("evacuate_moves_host");
    caught_by<broken::converges_without_proofs>("converge_without_proofs");
    caught_by<broken::forensics_freeze>("forensics_change_nothing");
}

void one_mistake_in_each_rung() {
    for (const std::string rung : {"reboot", "rebuild", "recreate", "evacuate", "converge"}) {
        caught_by<broken::careless<broken::starts_another>>(rung + "_never_two");
        caught_by<broken::careless<broken::loses_volumes>>(rung + "_keeps_volumes");
        caught_by<broken::careless<broken::takes_a_new_address>>(rung + "_keeps_addresses");
        caught_by<broken::careless<broken::leaves_it_off>>(rung + "_comes_up");
        caught_by<broken::tells_an_old_boot>(rung + "_boots_anew");
        if (rung != "converge") caught_by<broken::forgets_keys>(rung + "_repeats_once");
    }
    for (const std::string rung : {"reboot", "rebuild", "evacuate"})
        caught_by<broken::careless<broken::takes_a_new_id>>(rung + "_keeps_identity");
    for (const std::string rung : {"reboot", "evacuate"})
        caught_by<broken::careless<broken::takes_a_new_root>>(rung + "_keeps_root_disk");
}

void fences() {
    caught_by<broken::fence_done_when_accepted>("fence_is_confirmed");
    caught_by<broken::fence_believes_the_command>("fence_without_effect");
    caught_by<broken::fence_done_when_cut_off>("fence_unreachable");
    caught_by<broken::fence_believes_a_404>("fence_of_nobody");
    caught_by<broken::fence_by_any_method>("fence_by_unknown_method");
    caught_by<broken::fence_knows_one_method>("fence_by_each_method");
    caught_by<broken::fence_goes_by_id>("fence_by_name");
    caught_by<broken::fence_goes_by_name>("fence_of_the_replaced");
    caught_by<broken::fence_deletes>("fence_deletes_nothing");
    caught_by<broken::fence_fails_if_off>("fence_of_what_is_off");
    caught_by<broken::asks_the_guest>("fence_of_a_hung_guest");
    caught_by<broken::fence_is_a_reset>("fence_lasts");
    caught_by<broken::fence_refuses_the_crashed>("fence_of_what_crashed");
    caught_by<broken::fence_takes_lost_for_failed>("fence_with_lost_answer");
}

void keys_and_reigns() {
    caught_by<broken::forgets_keys>("reboot_repeats_once");
    caught_by<broken::queues_repeats>("reboot_repeat_in_flight");
    caught_by<broken::forgets_keys>("recreate_repeats_once");
    caught_by<broken::knows_one_key>("reboot_by_another_key");
    caught_by<broken::serves_every_reign>("older_reign_is_refused");
    caught_by<broken::serves_one_reign>("newer_reign_is_served");
}

void threads_and_the_end() {
    caught_by<broken::keeps_to_its_thread>("callable_from_another_thread");
    caught_by<broken::waits_for_the_cloud>("a_call_does_not_wait");
    caught_by<broken::answers_from_the_grave>("shutdown_in_flight");
    caught_by<broken::takes_all_with_it>("shutdown_at_rest");
    caught_by<broken::believes_its_memory>("second_driver_sees_the_same");
}

} // namespace

TEST_SUITE("broken drivers") {
    TEST_CASE("the control: one that is not broken passes every rule") {
        rt::mock_fixture<> fixture;
        const rt::conformance_report report = check_conformance(fixture);
        INFO(report.table());
        CHECK(report.conforming());
        CHECK(report.count(rt::rule_state::passed) == rt::conformance_rules().size());
    }

    TEST_CASE("each is caught by the rule that is meant for it, and every rule catches one") {
        completions();
        arguments();
        what_is();
        outcomes();
        rungs();
        one_mistake_in_each_rung();
        fences();
        keys_and_reigns();
        threads_and_the_end();
        for (const rt::conformance_rule& rule : rt::conformance_rules()) {
            CAPTURE(rule.name);
            CHECK(tried().contains(std::string{rule.name}));
        }
    }
}
