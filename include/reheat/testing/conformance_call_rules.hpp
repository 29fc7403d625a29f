// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/conformance_bench.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// Rules about a call: its completion, its arguments, its threads, its controller, and the end of the driver.

namespace reheat::inline REHEAT_ABI::testing::rules {

namespace detail {

/// Calls of every kind that need no machine, so that a rule about all answers has some.
inline void ask_a_few(conformance_bench& b) {
    b.ask(operation::describe, b.nobody());
    for (const operation o : {operation::restart_service, operation::reboot_instance, operation::fence_instance}) {
        if (b.can().has(o)) b.ask(o, b.nobody(), {.service = o == operation::restart_service ? "heartbeat" : ""});
    }
}
inline std::string service_of(operation what, const test_target& t) {
    return what != operation::restart_service || t.services.empty() ? std::string{} : t.services.front();
}

} // namespace detail

inline void every_call_is_answered(conformance_bench& b) {
    detail::ask_a_few(b);
    const auto t = b.make({});
    if (!t) return;
    b.ask(operation::describe, *t);
    std::size_t unanswered = 0;
    const auto all = b.answers().all();
    for (std::uint64_t op = 1; op <= b.calls_made(); ++op) unanswered += b.answer_of(op_id{op}).given() ? 0U : 1U;
    b.expect(unanswered == 0, std::to_string(unanswered) + " of " + std::to_string(b.calls_made()) +
                                  " calls in this run were never answered");
    b.expect(all.size() <= b.calls_made(), "an operation was answered that nobody had asked for");
}

inline void answers_once(conformance_bench& b) {
    detail::ask_a_few(b);
    b.settle();
    for (const auto& [op, a] : b.answers().all())
        b.expect(a.times <= 1, "a completion was called " + std::to_string(a.times) + " times");
}

inline void abandons_none(conformance_bench& b) {
    detail::ask_a_few(b);
    for (const auto& [op, a] : b.answers().all())
        b.expect(!a.abandoned || b.may_be_abandoned(op), "a completion was destroyed uncalled");
}

inline void reasons_are_given(conformance_bench& b) {
    detail::ask_a_few(b);
    for (const auto& [op, a] : b.answers().all())
        b.expect(a.done() || !a.given() || !a.first.reason.empty(),
                 "an answer '" + std::string{to_string(a.first.code)} + "' has no reason");
}

inline void texts_fit(conformance_bench& b) {
    detail::ask_a_few(b);
    for (const auto& [op, a] : b.answers().all()) {
        for (const std::string* text :
             {&a.first.seen.cloud_id, &a.first.seen.boot_id, &a.first.seen.host, &a.first.seen.address})
            b.expect(text->size() <= 255, "what was observed has a text of " + std::to_string(text->size()) +
                                              " bytes, which counts as left out");
    }
}

inline void reasons_hold_no_secret(conformance_bench& b) {
    const auto secrets = b.fixture().secrets();
    if (!b.has(fixture_function::secrets, secrets)) return;
    detail::ask_a_few(b);
    if (b.fixture().trouble(fixture_function::cut_api, true).value_or(false)) {
        detail::ask_a_few(b); // an error of the connection is where a password stands
        b.fixture().trouble(fixture_function::cut_api, false);
    }
    for (const auto& [op, a] : b.answers().all()) {
        for (const std::string& secret : *secrets) {
            bool told = a.first.reason.find(secret) != std::string::npos;
            for (const std::string* text :
                 {&a.first.seen.cloud_id, &a.first.seen.boot_id, &a.first.seen.host, &a.first.seen.address})
                told = told || text->find(secret) != std::string::npos;
            b.expect(secret.empty() || !told,
                     "an answer holds a secret of the fixture"); // which is not told here either
        }
    }
}

// Arguments

/// The memory behind the request speaks of another machine as soon as the function has returned.
inline void describe_keeps_no_reference(conformance_bench& b) {
    const auto t = b.make({});
    const auto other = t ? b.make({}) : t;
    if (!t || !other) return;
    const auto mine = b.ask(operation::describe, *t, {.decoy = &*other});
    const auto theirs = b.ask(operation::describe, *other, {.decoy = &*t});
    b.expect(mine.done() && theirs.done(), "describe " + b.text_of(mine.done() ? theirs : mine));
    b.expect(mine.first.seen.cloud_id == t->cloud_id || t->cloud_id.empty(),
             "describe told of another machine: the memory behind the request had changed after the call");
    b.expect(theirs.first.seen.cloud_id == other->cloud_id || other->cloud_id.empty(),
             "describe told of another machine: the memory behind the request had changed after the call");
}

inline void actions_keep_no_reference(conformance_bench& b) {
    const operation what = b.an_action();
    const bool service = what == operation::restart_service;
    const auto t = b.make({.service = service});
    const auto other = t ? b.make({.service = service}) : t;
    if (!t || !other) return;
    const target_view before = b.view(*t);
    const target_view others = b.view(*other);
    b.expect_done(b.ask(what, *t, {.service = detail::service_of(what, *t), .decoy = &*other}), to_string(what));
    const bool acted = b.wait_until([&] { return b.acted_on(*t, before); }, b.limits().boot);
    b.expect(service || acted, "nothing happened to the machine that was named");
    b.settle();
    b.expect(!b.acted_on(*other, others),
             "it happened to another machine: the memory behind the request had changed after the call");
}

inline void makers_keep_no_reference(conformance_bench& b) {
    const auto t = b.make({});
    const auto other = t ? b.make({}) : t;
    if (!t || !other) return;
    const target_view others = b.view(*other);
    if (!b.expect_done(b.ask(operation::fence_instance, *t), "the fence before it")) return;
    b.expect_done(b.ask(operation::recreate_instance, *t, {.decoy = &*other}), "recreate_instance");
    b.expect(b.wait_until_up(*t), "the machine that was named does not run");
    b.settle();
    const target_view after = b.view(*other);
    b.expect(after.copies == others.copies && after.cloud_id == others.cloud_id && after.boot_id == others.boot_id,
             "it happened to another machine: the memory behind the request had changed after the call");
    b.expect(b.peak(*other) <= 1, "two copies of another machine ran");
}

// Repeats

/// A new key is a new intent: it is not taken for a repeat.
inline void another_key_acts_again(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    target_view before = b.view(*t);
    if (!b.has(fixture_function::boot_id, before.boot_id)) return;
    for (int n = 0; n < 2; ++n) {
        b.expect_done(b.ask(operation::reboot_instance, *t), "reboot_instance");
        b.expect(b.wait_until([&] { return b.is_up(*t) && b.acted_on(*t, before); }, b.limits().boot),
                 n == 0 ? "it was done, and the guest has not booted"
                        : "a call with another key was taken for a repeat");
        before = b.view(*t);
    }
}

/// The same key while the first call is still under way.
inline void repeat_in_flight(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    const auto before = b.view(*t);
    if (!b.has(fixture_function::boot_id, before.boot_id)) return;
    const call_extras same{.key = b.fresh_key()};
    const op_id one = b.start(operation::reboot_instance, *t, same);
    const op_id two = b.start(operation::reboot_instance, *t, same);
    std::set<std::string> boots;
    const auto all_is_over = [&] {
        const std::string boot = b.view(*t).boot_id.value_or("");
        if (!boot.empty() && boot != before.boot_id) boots.insert(boot);
        return b.answer_of(one).given() && b.answer_of(two).given() && !boots.empty() && b.is_up(*t);
    };
    const bool over = b.wait_until(all_is_over, b.limits().answer + b.limits().boot);
    b.expect_done(b.answer_of(one), "reboot_instance");
    b.expect(b.answer_of(two).given() && !b.answer_of(two).harmless(),
             "a repeat of a call that was under way " + b.text_of(b.answer_of(two)));
    b.expect(over, "it was done, and the guest has not booted");
    b.settle();
    b.wait_until(all_is_over, b.limits().boot);
    b.expect(boots.size() == 1, "a repeat with the same key booted it again");
}

// Controllers

inline void older_reign_is_refused(conformance_bench& b) {
    const operation what = b.an_action();
    const auto t = b.make({.service = what == operation::restart_service});
    if (!t) return;
    const target_view before = b.view(*t);
    const epoch old = b.reign();
    b.next_reign();
    b.expect_done(b.ask(operation::describe, *t), "describe of a newer reign");
    const call_answer a = b.ask(what, *t, {.reign = old, .service = detail::service_of(what, *t)});
    b.expect(a.is(outcome_code::refused), "a call of a reign that is over " + b.text_of(a) + ", and should be refused");
    b.settle();
    b.expect(!b.acted_on(*t, before), "a call of a reign that is over was carried out");
}

inline void newer_reign_is_served(conformance_bench& b) {
    const operation what = b.an_action();
    const auto t = b.make({.service = what == operation::restart_service});
    if (!t) return;
    b.expect_done(b.ask(operation::describe, *t), "describe");
    b.next_reign();
    b.expect_done(b.ask(what, *t, {.service = detail::service_of(what, *t)}), "an action of a newer reign");
}

inline void second_driver_sees_the_same(conformance_bench& b) {
    if (!b.fixture().has_second_driver()) return b.lacks(fixture_function::second_driver);
    const operation what = b.an_action();
    const auto t = b.make({.service = what == operation::restart_service});
    if (!t) return;
    b.next_reign();
    const call_answer one = b.ask(operation::describe, *t);
    const call_answer two = b.ask(operation::describe, *t, {.second = true});
    b.expect(one.done() && two.done(), "describe " + b.text_of(one.done() ? two : one));
    b.expect(one.first.seen.cloud_id == two.first.seen.cloud_id && one.first.seen.boot_id == two.first.seen.boot_id,
             "two drivers of one cloud tell two things of one machine");
    if (!b.can().has(operation::fence_instance)) return;
    b.expect_done(b.ask(operation::fence_instance, *t, {.second = true}), "a fence by the second driver");
    const call_answer after = b.ask(operation::describe, *t);
    b.expect(after.done() && !after.first.seen.running.value_or(false),
             "the second driver has fenced it, and the first says that it runs");
}

// Threads

inline void callable_from_another_thread(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    const call_answer a = b.ask(operation::describe, *t,
                                {.around = [](void (*call)(void*), void* with) { std::thread{call, with}.join(); }});
    b.expect_done(a, "describe, called by another thread than before,");
}

/// The runner's thread makes the calls: one that waits in there stops every other recovery.
inline void a_call_does_not_wait(conformance_bench& b) {
    const auto t = b.make({});
    if (!t || !b.slow_api(b.limits().step * 20)) return;
    const time_point before = b.now();
    const op_id op = b.start(operation::describe, *t);
    const duration taken = b.now() - before;
    b.expect(taken < b.limits().step * 10, "the function returned only when the cloud had answered, " +
                                               std::to_string(taken / std::chrono::milliseconds{1}) + " ms later");
    b.expect(b.wait(op).given(), "describe was never answered");
}

inline void many_at_once(conformance_bench& b) {
    const auto one = b.make({});
    const auto two = one ? b.make({}) : one;
    if (!one || !two) return;
    std::vector<std::pair<op_id, const test_target*>> calls;
    for (int n = 0; n < 32; ++n) {
        const test_target* const of = n % 2 == 0 ? &*one : &*two;
        calls.emplace_back(b.start(operation::describe, *of), of);
    }
    for (const auto& [op, of] : calls) {
        const call_answer a = b.wait(op);
        b.expect_done(a, "one of 32 calls of describe at once");
        b.expect(of->cloud_id.empty() || a.first.seen.cloud_id == of->cloud_id, "an answer was given to another call");
    }
}

// The end

inline void shutdown_in_flight(conformance_bench& b) {
    const operation what = b.an_action();
    const auto t = b.make({.service = what == operation::restart_service});
    if (!t || !b.slow_api(b.limits().step * 20)) return;
    const op_id one = b.start(operation::describe, *t);
    const op_id two = b.start(what, *t, {.service = detail::service_of(what, *t)});
    for (const op_id op : {one, two}) b.let_be_abandoned(op);
    if (!b.restart_driver()) return;
    for (const op_id op : {one, two}) {
        const call_answer a = b.answer_of(op);
        b.expect(a.given(), "a call that was under way when the driver ended was neither answered nor abandoned");
        b.expect(!a.harmless() || b.copies(*t) == 1,
                 "the driver ended with a call under way that happened, and it " + b.text_of(a));
    }
    b.slow_api(duration::zero());
    const std::size_t told = b.answers().deliveries();
    b.wait_until([] { return false; }, b.limits().step * 40);
    b.expect(b.answers().deliveries() == told, "a completion was called after the driver had ended");
    b.expect_done(b.ask(operation::describe, *t), "describe, asked of a new driver,");
    b.expect(b.peak(*t) <= 1, "two copies ran");
}

inline void shutdown_at_rest(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    const target_view before = b.view(*t);
    const call_answer told = b.ask(operation::describe, *t);
    if (!b.restart_driver()) return;
    b.settle();
    const call_answer again = b.ask(operation::describe, *t);
    b.expect_done(again, "describe, asked of a new driver,");
    b.expect(again.first.seen.cloud_id == told.first.seen.cloud_id &&
                 again.first.seen.boot_id == told.first.seen.boot_id,
             "a new driver tells another thing of the same machine");
    const target_view after = b.view(*t);
    b.expect(after.copies == before.copies && after.boot_id == before.boot_id,
             "the end of the driver changed the machine");
}

// Names

inline void hostile_names(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    const target_view before = b.view(*t);
    const std::string long_name(1000, 'n');
    for (const std::string& name :
         {long_name, std::string{"m\xC3\xBCller-\xE6\x97\xA5\xE6\x9C\xAC"}, std::string{"a'b\"c<d>&e"},
          std::string{"../../etc/passwd"}, std::string{"%s%n"}, std::string{"a b\tc\nd"}, std::string{"*"},
          std::string{"?x=1&y=2#z"}, std::string{"$(reboot)"}}) {
        const call_answer a = b.ask(operation::describe, {.name = name});
        b.expect(a.given() && !(a.done() && a.first.seen.exists.value_or(true)),
                 "describe of a name that nobody has, '" + name.substr(0, 40) + "', " + b.text_of(a) + " and exists");
        if (!b.can().has(operation::fence_instance)) continue;
        const call_answer f = b.ask(operation::fence_instance, {.name = name});
        b.expect(f.given() && (!f.done() || f.first.seen.vouched),
                 "a fence of a name that nobody has, '" + name.substr(0, 40) + "', " + b.text_of(f));
    }
    const target_view after = b.view(*t);
    b.expect(after.copies == before.copies && after.boot_id == before.boot_id,
             "a machine with another name was changed");
}

inline void names_are_exact(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    const target_view before = b.view(*t);
    const std::string upper = [&] {
        std::string name = t->name;
        for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        return name;
    }();
    for (const std::string& name : {t->name.substr(0, t->name.size() - 1), t->name + "0", t->name + "*", upper}) {
        if (name == t->name) continue;
        const call_answer a = b.ask(operation::describe, {.name = name});
        b.expect(a.given() && !(a.done() && a.first.seen.exists.value_or(true)),
                 "describe takes '" + name + "' for '" + t->name + "'");
        if (b.can().has(operation::fence_instance)) b.ask(operation::fence_instance, {.name = name});
    }
    b.settle();
    const target_view after = b.view(*t);
    b.expect(after.copies == before.copies && after.boot_id == before.boot_id,
             "a machine with a similar name was changed");
}

inline void strangers_are_left_alone(conformance_bench& b) {
    const auto t = b.make_foreign();
    if (!t) return;
    const target_view before = b.view(*t);
    for (const operation o : {operation::restart_service, operation::reboot_instance, operation::rebuild_instance,
                              operation::fence_instance, operation::recreate_instance, operation::evacuate_instance,
                              operation::collect_forensics}) {
        if (!b.can().has(o)) continue;
        const call_answer a =
            b.ask(o, *t, {.service = o == operation::restart_service ? "heartbeat" : "", .hard = true});
        b.expect(a.given() && !a.done(),
                 std::string{to_string(o)} + " of a machine that is not the driver's " + b.text_of(a));
    }
    b.settle();
    const target_view after = b.view(*t);
    b.expect(after.copies == before.copies && after.boot_id == before.boot_id && after.cloud_id == before.cloud_id &&
                 after.volumes == before.volumes,
             "a machine that is not the driver's was changed");
}

} // namespace reheat::inline REHEAT_ABI::testing::rules
