// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/conformance_bench.hpp>

#include <string>

namespace reheat::inline REHEAT_ABI::testing {

namespace detail {

/// A target with as much on it as the fixture can put there.
inline result<test_target> make_richest(conformance_bench& b, operation what) {
    result<test_target> made = error{};
    for (const unsigned lacking : {0U, 1U, 2U, 4U, 3U, 5U, 6U, 7U}) {
        made = b.try_make({.service = (lacking & 4U) == 0,
                           .volume = (lacking & 1U) == 0,
                           .fixed_address = (lacking & 2U) == 0,
                           .stack = what == operation::converge_stack});
        if (made) break;
    }
    return made;
}

} // namespace detail

inline rung_trial try_rung(conformance_bench& b, operation what) {
    rung_trial r;
    const auto made = detail::make_richest(b, what);
    if (!made) {
        r.not_run = "the fixture can not make such a target: " + to_string(made.error());
        return r;
    }
    const test_target& t = r.target = *made;
    r.before = b.view(t);
    r.told_before = b.ask(operation::describe, t);
    if (needs_proof(what)) {
        r.fence = b.ask(operation::fence_instance, t);
        if (!r.fence.done() || b.copies(t) != 0) return r; // without a proof it is nobody's to make anew
    }
    const call_extras same{.key = b.fresh_key()};
    const auto has_booted = [&] {
        const auto boot = b.fixture().text(fixture_function::boot_id, t);
        return b.is_up(t) && (!boot || (!boot->empty() && *boot != r.before.boot_id));
    };
    r.act = b.ask(what, t, same);
    r.up = r.act.done() && b.wait_until(has_booted, b.limits().boot);
    // Where the fixture does not see boots, describe tells when that one is over.
    const std::string& old_boot = r.told_before.first.seen.boot_id;
    const auto tells_it = [&] {
        r.told_after = b.ask(operation::describe, t);
        return old_boot.empty() || r.told_after.first.seen.boot_id != old_boot;
    };
    b.wait_until(tells_it, r.up ? b.limits().boot : duration::zero());
    r.after = b.view(t);
    if (r.up) {
        r.repeat = b.ask(what, t, same);
        b.settle();
        b.wait_until_up(t);
        r.repeated = b.view(t);
    }
    r.peak = b.peak(t);
    return r;
}

} // namespace reheat::inline REHEAT_ABI::testing
