// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/conformance_rung_rules.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

// Rules about the fence: a second copy depends on what it says.

namespace reheat::inline REHEAT_ABI::testing::rules {

namespace detail {

/// Fences, and looks how many run at the moment at which it is answered.
inline call_answer fence(conformance_bench& b, const test_target& t, const call_extras& with = {}) {
    const op_id op = b.start(operation::fence_instance, t, with);
    const call_answer a = b.wait(op);
    if (a.done() && !with.replaced)
        b.expect(b.copies_at_answer(op) == 0,
                 "the fence was answered 'done' while " + std::to_string(b.copies_at_answer(op)) + " copies ran");
    return a;
}

} // namespace detail

inline void fence_is_confirmed(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    b.expect_done(detail::fence(b, *t), "a fence of a machine that runs");
    b.expect(b.copies(*t) == 0, "it was done, and " + std::to_string(b.copies(*t)) + " copies run");
}

inline void fence_lasts(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    b.expect_done(detail::fence(b, *t), "a fence of a machine that runs");
    b.settle();
    b.expect(b.copies(*t) == 0, "the machine came back by itself");
}

inline void fence_deletes_nothing(conformance_bench& b) {
    const auto t = testing::detail::make_richest(b, operation::fence_instance);
    if (!t) return b.not_run("the fixture can not make a target");
    const target_view before = b.view(*t);
    b.expect_done(detail::fence(b, *t), "a fence of a machine that runs");
    const call_answer a = b.ask(operation::describe, *t);
    b.expect_done(a, "describe of a machine that was fenced");
    b.expect(a.first.seen.exists.value_or(true), "describe says that it does not exist any more");
    b.expect(!a.first.seen.running.value_or(false), "describe says that it runs");
    const target_view after = b.view(*t);
    b.expect(before.cloud_id == after.cloud_id, "the cloud's id is another one, or none");
    if (!detail::something(b, fixture_function::volumes, before.volumes)) return;
    b.expect(before.volumes->size() == after.volumes->size(), "not all of its volumes are there");
    for (std::size_t i = 0; i < (std::min)(before.volumes->size(), after.volumes->size()); ++i)
        b.expect((*before.volumes)[i].id == (*after.volumes)[i].id, "not all of its volumes are there");
}

inline void fence_of_what_is_off(conformance_bench& b) {
    const auto t = b.make({});
    if (!t || !b.harm(fixture_function::power_off, *t)) return;
    b.expect_done(detail::fence(b, *t), "a fence of a machine that is off");
}

inline void fence_of_a_hung_guest(conformance_bench& b) {
    const auto t = b.make({});
    if (!t || !b.harm(fixture_function::hang, *t)) return;
    b.expect_done(detail::fence(b, *t), "a fence of a machine whose guest stands still");
}

inline void fence_of_what_crashed(conformance_bench& b) {
    const auto t = b.make({});
    if (!t || !b.harm(fixture_function::crash, *t)) return;
    const call_answer a = detail::fence(b, *t);
    b.expect(a.given() && !a.is(outcome_code::refused), "a fence of a machine that crashed " + b.text_of(a));
    b.settle();
    if (a.done()) b.expect(b.copies(*t) == 0, "it was done, and the machine came back by itself");
}

inline void fence_without_effect(conformance_bench& b) {
    const auto t = b.make({});
    if (!t || !b.block_power_off(*t)) return;
    const call_answer a = detail::fence(b, *t);
    b.expect(a.given() && !a.done(), "the power could not be switched off, and the fence " + b.text_of(a));
}

inline void fence_unreachable(conformance_bench& b) {
    const auto t = b.make({});
    if (!t || !b.cut_api()) return;
    const call_answer a = detail::fence(b, *t);
    b.expect(a.given() && !a.done(), "the cloud could not be reached, and the fence " + b.text_of(a));
}

inline void fence_of_nobody(conformance_bench& b) {
    const call_answer a = b.ask(operation::fence_instance, b.nobody());
    b.expect(a.given(), "the fence was never answered");
    b.expect(!a.done() || a.first.seen.vouched,
             "a name that the cloud does not know is no proof of death, and the fence " + b.text_of(a) +
                 " without vouching for it");
}

inline void fence_by_unknown_method(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    const call_answer a = b.ask(operation::fence_instance, *t, {.method = "no-such-method"});
    b.expect(a.is(outcome_code::refused), "a fence by a method that nobody knows " + b.text_of(a));
    b.settle();
    b.expect(b.copies(*t) == 1, "the machine does not run any more");
}

inline void fence_by_each_method(conformance_bench& b) {
    const auto methods = b.fixture().fence_methods();
    if (!b.has(fixture_function::fence_methods, methods)) return;
    for (const std::string& method : *methods) {
        const auto t = b.make({});
        if (!t) return;
        b.expect_done(detail::fence(b, *t, {.method = method}), "a fence by the method '" + method + "'");
    }
}

/// What runs under the name, whatever id the request has.
inline void fence_by_name(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    b.expect_done(detail::fence(b, *t, {.cloud_id = t->cloud_id.empty() ? "an-old-id" : t->cloud_id + "-old"}),
                  "a fence with an old id");
    b.expect(b.copies(*t) == 0, "the engine's id may be an old one, and what runs under the name still does");
}

/// Only the copy that has been replaced, and that one is dead.
inline void fence_of_the_replaced(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    if (!b.expect_done(detail::fence(b, *t), "a fence of a machine that runs")) return;
    if (!b.expect_done(b.ask(operation::recreate_instance, *t), "recreate_instance")) return;
    if (!b.expect(b.wait_until_up(*t), "it was made anew, and does not run")) return;
    const target_view before = b.view(*t);
    const call_answer a = detail::fence(b, *t, {.cloud_id = t->cloud_id, .replaced = true});
    b.expect_done(a, "a fence of the copy that was replaced");
    b.settle();
    const target_view after = b.view(*t);
    b.expect(after.copies == 1, "the copy that replaced it was fenced with it");
    b.expect(before.boot_id == after.boot_id, "the copy that replaced it was booted");
}

} // namespace reheat::inline REHEAT_ABI::testing::rules
