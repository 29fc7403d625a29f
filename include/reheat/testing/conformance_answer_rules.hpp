// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/conformance_rung_rules.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

// Rules about what an answer says: of what is, of what is not there, and of what nobody can know.

namespace reheat::inline REHEAT_ABI::testing::rules {

inline void describe_tells_what_runs(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    const call_answer a = b.ask(operation::describe, *t);
    b.expect_done(a, "describe of a machine that runs");
    const observed& seen = a.first.seen;
    b.expect(seen.exists == true && seen.running == true, "it runs, and describe does not say so");
    b.expect(!seen.cloud_id.empty(), "describe tells no cloud_id");
    const target_view v = b.view(*t);
    if (v.cloud_id)
        b.expect(seen.cloud_id == *v.cloud_id, "its id is " + *v.cloud_id + ", and describe tells " + seen.cloud_id);
    if (v.host)
        b.expect(seen.host.empty() || seen.host == *v.host,
                 "its host is " + *v.host + ", and describe tells " + seen.host);
}

inline void describe_tells_what_is_off(conformance_bench& b) {
    const auto t = b.make({});
    if (!t || !b.harm(fixture_function::power_off, *t)) return;
    const call_answer a = b.ask(operation::describe, *t);
    b.expect_done(a, "describe of a machine that is off");
    b.expect(a.first.seen.exists == true, "it is there, and describe does not say so");
    b.expect(a.first.seen.running == false, "it is off, and describe does not say so");
}

inline void describe_tells_a_hung_guest(conformance_bench& b) {
    const auto t = b.make({});
    if (!t || !b.harm(fixture_function::hang, *t)) return;
    const call_answer a = b.ask(operation::describe, *t);
    b.expect(a.given() && (!a.done() || a.first.seen.running.value_or(true)),
             "a guest that stands still has power and may go on; describe says that it does not run");
    b.expect(a.first.seen.exists.value_or(true), "describe says that it does not exist");
}

inline void describe_of_nobody(conformance_bench& b) {
    const call_answer a = b.ask(operation::describe, b.nobody());
    b.expect_done(a, "describe of a name that the cloud does not know");
    b.expect(a.first.seen.exists == false, "describe does not say that it does not exist");
}

inline void describe_of_what_was_removed(conformance_bench& b) {
    const auto t = b.make({});
    if (!t || !b.harm(fixture_function::remove, *t)) return;
    const call_answer a = b.ask(operation::describe, *t);
    b.expect_done(a, "describe of a machine that was removed");
    b.expect(a.first.seen.exists == false, "describe does not say that it does not exist");
}

inline void describe_unreachable(conformance_bench& b) {
    const auto t = b.make({});
    if (!t || !b.cut_api()) return;
    const call_answer a = b.ask(operation::describe, *t);
    b.expect(a.is(outcome_code::unknown), "the cloud could not be reached, and describe " + b.text_of(a));
    b.expect(a.first.seen.exists.value_or(true),
             "a cloud that does not answer says nothing; describe says that it does not exist");
    b.expect(a.first.seen.running.value_or(true),
             "a cloud that does not answer says nothing; describe says that it does not run");
}

inline void reconnects(conformance_bench& b) {
    const auto t = b.make({});
    if (!t || !b.cut_api()) return;
    b.ask(operation::describe, *t);
    if (!b.cut_api(false)) return;
    const auto answers = [&] { return b.ask(operation::describe, *t).done(); };
    b.expect(b.wait_until(answers, b.limits().answer), "the cloud can be reached again, and describe is not done");
}

inline void describe_changes_nothing(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    const target_view before = b.view(*t);
    const call_answer first = b.ask(operation::describe, *t);
    const call_answer second = b.ask(operation::describe, *t);
    b.settle();
    const target_view after = b.view(*t);
    b.expect(after.copies == before.copies, "another number of copies runs than before");
    b.expect(before.boot_id == after.boot_id && before.cloud_id == after.cloud_id && before.root == after.root &&
                 before.volumes == after.volumes && before.addresses == after.addresses,
             "the machine is not what it was before");
    b.expect(first.first.seen.boot_id == second.first.seen.boot_id, "describe told two boot ids of one boot");
    b.expect(first.first.seen.cloud_id == second.first.seen.cloud_id, "describe told two ids of one machine");
}

inline void describe_tells_its_address(conformance_bench& b) {
    const auto t = testing::detail::make_richest(b, operation::describe);
    if (!t) return b.not_run("the fixture can not make a target");
    const auto addresses = b.fixture().addresses(*t);
    if (!detail::something(b, fixture_function::addresses, addresses)) return;
    const call_answer a = b.ask(operation::describe, *t);
    const std::string& told = a.first.seen.address;
    const bool its_own = std::find(addresses->begin(), addresses->end(), told) != addresses->end();
    b.expect(a.done() && (told.empty() || its_own),
             "describe tells the address '" + told + "', which it does not have");
}

/// Every action on a name that the cloud does not know: it was not done, and that is certain.
inline void action_on_nobody(conformance_bench& b) {
    for (const operation o : {operation::reboot_instance, operation::rebuild_instance, operation::restart_service}) {
        if (!b.can().has(o)) continue;
        const call_answer a = b.ask(o, b.nobody(), {.service = o == operation::restart_service ? "heartbeat" : ""});
        b.expect(a.harmless(), std::string{to_string(o)} + " of a name that the cloud does not know " + b.text_of(a) +
                                   "; certainly nothing changed");
    }
}

/// Without a cloud nothing is done, and nobody says that the target is not there.
inline void action_unreachable(conformance_bench& b) {
    const auto t = b.make({.service = b.an_action() == operation::restart_service});
    if (!t) return;
    const target_view before = b.view(*t);
    if (!b.cut_api()) return;
    for (const operation o : {operation::reboot_instance, operation::rebuild_instance, operation::restart_service}) {
        if (!b.can().has(o)) continue;
        const call_answer a = b.ask(
            o, *t, {.service = o != operation::restart_service || t->services.empty() ? "" : t->services.front()});
        b.expect(a.given() && !a.done(),
                 "the cloud could not be reached, and " + std::string{to_string(o)} + " " + b.text_of(a));
        b.expect(a.first.seen.exists.value_or(true),
                 "the cloud could not be reached, and the answer says that the machine does not exist");
        if (!a.harmless()) continue;
        b.settle();
        b.expect(b.view(*t).boot_id == before.boot_id,
                 std::string{to_string(o)} + " " + b.text_of(a) + ", and it happened");
    }
}

/// It happened, and the answer got lost: nobody who does not look can say that nothing changed.
template <operation What>
void lost_answer(conformance_bench& b) {
    const auto t = b.make({.stack = What == operation::converge_stack});
    if (!t) return;
    if (needs_proof(What) && !b.expect_done(b.ask(operation::fence_instance, *t), "the fence before it")) return;
    const target_view before = b.view(*t);
    if (!b.lose_answers()) return;
    const call_answer a = b.ask(What, *t);
    if (!b.expect(a.given(), std::string{to_string(What)} + " was never answered")) return;
    b.lose_answers(false);
    if (!b.wait_until([&] { return b.acted_on(*t, before); }, b.limits().boot))
        return b.not_run("the call had no effect whose answer could be lost");
    b.expect(!a.harmless(), "it happened, and " + std::string{to_string(What)} + " " + b.text_of(a) +
                                ": that would mean that nothing changed");
    if (What == operation::fence_instance && a.done())
        b.expect(b.copies(*t) == 0, "the answer was lost, and the fence says 'done' while it runs");
}

/// The answer comes after the deadline, or the driver does not wait for it: then it is unknown.
inline void past_the_deadline(conformance_bench& b) {
    const operation what = b.an_action();
    const auto t = b.make({.service = what == operation::restart_service});
    if (!t) return;
    const target_view before = b.view(*t);
    if (!b.slow_api(b.limits().step * 20)) return;
    const call_answer a =
        b.ask(what, *t, {.service = t->services.empty() ? "" : t->services.front(), .deadline = b.limits().step * 5});
    if (!b.expect(a.given(), std::string{to_string(what)} + " was never answered")) return;
    b.slow_api(duration::zero());
    b.wait_until([&] { return b.copies(*t) != before.copies; }, b.limits().step * 40);
    const target_view after = b.view(*t);
    const bool happened = after.copies != before.copies || after.boot_id != before.boot_id;
    b.expect(!a.harmless() || !happened, "it happened, and " + std::string{to_string(what)} + " " + b.text_of(a) +
                                             ": that would mean that nothing changed");
}

inline void throttled(conformance_bench& b) {
    const operation what = b.an_action();
    const auto t = b.make({.service = what == operation::restart_service});
    if (!t) return;
    const target_view before = b.view(*t);
    const duration asked = std::chrono::seconds{30};
    if (!b.throttle_api(asked)) return;
    const call_answer a = b.ask(what, *t, {.service = t->services.empty() ? "" : t->services.front()});
    b.throttle_api(duration::zero());
    if (a.done() || !a.given()) {
        b.expect(false, "the cloud refused the call, and " + std::string{to_string(what)} + " " + b.text_of(a));
        return;
    }
    b.expect(a.first.retry_after >= asked, "the cloud asked to be left alone for 30 s, and the answer says " +
                                               std::to_string(a.first.retry_after / std::chrono::seconds{1}) + " s");
    b.settle();
    b.expect(b.copies(*t) == before.copies && b.view(*t).boot_id == before.boot_id,
             "the cloud refused the call, and it happened");
}

} // namespace reheat::inline REHEAT_ABI::testing::rules
