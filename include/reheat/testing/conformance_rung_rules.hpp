// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/conformance_trial.hpp>

#include <string>
#include <vector>

// Rules about what a rung does to its target. They judge one trial of each rung.

namespace reheat::inline REHEAT_ABI::testing::rules {

namespace detail {

/// The trial of a rung, if it came so far that something can be said about it.
inline const rung_trial* judge(conformance_bench& b, operation what) {
    const rung_trial& r = b.trial(what);
    if (!r.not_run.empty()) {
        b.not_run(r.not_run);
        return nullptr;
    }
    if (needs_proof(what) && !b.expect_done(r.fence, "the fence before it")) return nullptr;
    if (!b.expect_done(r.act, to_string(what))) return nullptr;
    return b.expect(r.up, "it was done, and the machine is not up again") ? &r : nullptr;
}

inline std::string text_of(const std::vector<volume_seen>& volumes) {
    std::string text;
    for (const volume_seen& v : volumes)
        text += (text.empty() ? "" : ", ") + v.id + " with '" + v.content.substr(0, 60) + "'";
    return text.empty() ? "none" : text;
}
inline std::string text_of(const std::vector<std::string>& addresses) {
    std::string text;
    for (const std::string& a : addresses) text += (text.empty() ? "" : ", ") + a;
    return text.empty() ? "none" : text;
}

/// Whether what the fixture sees there is not nothing; where it is, the rule has nothing to keep.
template <class Seen>
bool something(conformance_bench& b, fixture_function f, const std::optional<Seen>& seen) {
    if (!b.has(f, seen)) return false;
    if (seen->empty()) b.impossible(f, "the fixture makes no target with anything that it sees by ");
    return !seen->empty();
}

} // namespace detail

template <operation What>
void comes_up(conformance_bench& b) {
    const rung_trial* r = detail::judge(b, What);
    if (r == nullptr) return;
    b.expect(r->after.copies == 1, "it was done, and " + std::to_string(r->after.copies) + " copies run");
    const outcome& told = r->told_after.first;
    b.expect(r->told_after.done() && told.seen.exists.value_or(true) && told.seen.running.value_or(true),
             "it runs, and describe does not say so");
}

template <operation What>
void never_two(conformance_bench& b) {
    const rung_trial& r = b.trial(What);
    if (!r.not_run.empty()) return b.not_run(r.not_run);
    b.expect(r.peak <= 1, std::to_string(r.peak) + " copies ran at the same time");
    detail::judge(b, What); // one that was never made proves nothing
}

template <operation What>
void boots_anew(conformance_bench& b) {
    const rung_trial* r = detail::judge(b, What);
    if (r == nullptr) return;
    if (detail::something(b, fixture_function::boot_id, r->before.boot_id))
        b.expect(r->before.boot_id != r->after.boot_id,
                 "the guest has not booted: its boot id is still " + *r->after.boot_id);
    const std::string& before = r->told_before.first.seen.boot_id;
    const std::string& after = r->told_after.first.seen.boot_id;
    b.expect(before.empty() || before != after, "it was booted, and describe tells the boot id of before: " + before);
}

template <operation What>
void keeps_identity(conformance_bench& b) {
    const rung_trial* r = detail::judge(b, What);
    if (r == nullptr) return;
    if (r->before.cloud_id)
        b.expect(r->before.cloud_id == r->after.cloud_id,
                 "the cloud's id was " + *r->before.cloud_id + " and is " + r->after.cloud_id.value_or(""));
    const std::string& before = r->told_before.first.seen.cloud_id;
    const std::string& after = r->told_after.first.seen.cloud_id;
    b.expect(!before.empty() && before == after, "describe told the id '" + before + "', and tells '" + after + "'");
}

template <operation What>
void gets_new_identity(conformance_bench& b) {
    const rung_trial* r = detail::judge(b, What);
    if (r == nullptr) return;
    const std::string& before = r->told_before.first.seen.cloud_id;
    const std::string& after = r->told_after.first.seen.cloud_id;
    b.expect(!after.empty() && before != after,
             "a machine made anew has another id; describe told '" + before + "', and tells '" + after + "'");
    if (r->after.cloud_id)
        b.expect(after == *r->after.cloud_id, "describe tells the id '" + after + "', and it is " + *r->after.cloud_id);
    const std::string& at_once = r->act.first.seen.cloud_id;
    b.expect(at_once.empty() || at_once == after,
             "the answer told the id '" + at_once + "', and describe tells '" + after + "'");
}

template <operation What>
void keeps_volumes(conformance_bench& b) {
    const rung_trial* r = detail::judge(b, What);
    if (r == nullptr || !detail::something(b, fixture_function::volumes, r->before.volumes)) return;
    b.expect(r->before.volumes == r->after.volumes, "its volumes were " + detail::text_of(*r->before.volumes) +
                                                        "; they are " + detail::text_of(*r->after.volumes));
}

template <operation What>
void keeps_addresses(conformance_bench& b) {
    const rung_trial* r = detail::judge(b, What);
    if (r == nullptr || !detail::something(b, fixture_function::addresses, r->before.addresses)) return;
    b.expect(r->before.addresses == r->after.addresses, "its addresses were " + detail::text_of(*r->before.addresses) +
                                                            "; they are " + detail::text_of(*r->after.addresses));
}

template <operation What>
void keeps_root_disk(conformance_bench& b) {
    const rung_trial* r = detail::judge(b, What);
    if (r == nullptr || !detail::something(b, fixture_function::root_marker, r->before.root)) return;
    b.expect(r->before.root == r->after.root,
             "the marker on its root disk was '" + *r->before.root + "' and is '" + *r->after.root + "'");
}

template <operation What>
void repeats_once(conformance_bench& b) {
    const rung_trial* r = detail::judge(b, What);
    if (r == nullptr) return;
    b.expect(r->repeat.given(), "the same call with the same key was never answered");
    b.expect(!r->repeat.harmless(), "it was done, and the same call with the same key " + b.text_of(r->repeat) +
                                        ": that would mean that nothing changed");
    b.expect(r->repeated.copies == 1,
             "after a repeat with the same key " + std::to_string(r->repeated.copies) + " copies run");
    if (r->after.cloud_id)
        b.expect(r->after.cloud_id == r->repeated.cloud_id, "a repeat with the same key made another machine");
    if (detail::something(b, fixture_function::boot_id, r->after.boot_id))
        b.expect(r->after.boot_id == r->repeated.boot_id, "a repeat with the same key booted it again");
}

template <operation What>
void moves_host(conformance_bench& b) {
    const rung_trial* r = detail::judge(b, What);
    if (r == nullptr || !detail::something(b, fixture_function::host, r->before.host)) return;
    b.expect(r->before.host != r->after.host, "it is still on " + *r->before.host);
    const std::string& told = r->told_after.first.seen.host;
    b.expect(told.empty() || told == *r->after.host,
             "describe tells the host '" + told + "', and it runs on " + *r->after.host);
}

/// The service that was killed runs again, in the same boot.
inline void restart_service_restores(conformance_bench& b) {
    const auto t = b.make({.service = true});
    if (!t || t->services.empty()) return b.not_run("the fixture makes no target with a service");
    const std::string& service = t->services.front();
    const auto runs = [&] { return b.fixture().service_runs(*t, service); };
    if (!b.has(fixture_function::service_runs, runs())) return;
    const target_view before = b.view(*t);
    if (!b.harm(fixture_function::kill_service, *t, service)) return;
    b.expect_done(b.ask(operation::restart_service, *t, {.service = service}), "a restart of a service that had ended");
    b.expect(b.wait_until([&] { return runs().value_or(false); }, b.limits().boot),
             "it was done, and the service does not run");
    const target_view after = b.view(*t);
    b.expect(before.boot_id == after.boot_id, "the machine was booted for it");
    b.expect(before.cloud_id == after.cloud_id, "the machine was made anew for it");
}

/// What the guest does not have is not restarted.
inline void restart_service_unknown(conformance_bench& b) {
    const auto t = b.make({.service = true});
    if (!t) return;
    const target_view before = b.view(*t);
    for (const char* const service : {"no-such-service", "x; reboot", "$(reboot)", "'\"", "../../sbin/reboot"}) {
        const call_answer a = b.ask(operation::restart_service, *t, {.service = service});
        b.expect(a.given() && !a.done(),
                 "a restart of '" + std::string{service} + "', which is no service, " + b.text_of(a));
    }
    b.settle();
    b.expect(before.boot_id == b.view(*t).boot_id, "the machine was booted for it");
}

inline void restart_service_in_hung_guest(conformance_bench& b) {
    const auto t = b.make({.service = true});
    if (!t || t->services.empty()) return b.not_run("the fixture makes no target with a service");
    if (!b.harm(fixture_function::hang, *t)) return;
    const call_answer a = b.ask(operation::restart_service, *t, {.service = t->services.front()});
    b.expect(a.given() && !a.done(), "the guest stands still, and a restart of its service " + b.text_of(a));
    b.expect(b.copies(*t) == 1, "the machine ended for it");
}

inline void reboot_hard_cures_a_hang(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    const auto before = b.view(*t).boot_id;
    if (!detail::something(b, fixture_function::boot_id, before) || !b.harm(fixture_function::hang, *t)) return;
    b.expect_done(b.ask(operation::reboot_instance, *t, {.hard = true}), "a hard reboot of a guest that stands still");
    b.expect(b.wait_until(
                 [&] {
                     const auto boot = b.view(*t).boot_id;
                     return b.is_up(*t) && !boot->empty() && boot != before;
                 },
                 b.limits().boot),
             "it was done, and the guest is not up again");
}

/// Whatever a driver does with a machine that is off, the answer must be true.
inline void reboot_of_what_is_off(conformance_bench& b) {
    const auto t = b.make({});
    if (!t || !b.harm(fixture_function::power_off, *t)) return;
    const call_answer a = b.ask(operation::reboot_instance, *t);
    if (a.done()) b.expect(b.wait_until_up(*t), "a reboot of a machine that is off was done, and it does not run");
    else if (a.harmless()) {
        b.settle();
        b.expect(b.copies(*t) == 0, "a reboot of a machine that is off " + b.text_of(a) + ", and now it runs");
    }
    b.expect(b.peak(*t) <= 1, "two copies ran");
}

inline void create_makes_it(conformance_bench& b) {
    const auto t = b.make({.running = false});
    if (!t) return;
    const call_extras same{.key = b.fresh_key()};
    b.expect_done(b.ask(operation::create_instance, *t, same), "create_instance");
    b.expect(b.wait_until_up(*t), "it was done, and the machine does not run");
    const target_view made = b.view(*t);
    const call_answer again = b.ask(operation::create_instance, *t, same);
    b.expect(!again.harmless(), "it was done, and the same call with the same key " + b.text_of(again));
    b.settle();
    b.expect(b.peak(*t) == 1, "a repeat with the same key made a second one");
    b.expect(b.view(*t).cloud_id == made.cloud_id, "a repeat with the same key made another one");
}

inline void create_of_what_exists(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    const target_view before = b.view(*t);
    const call_answer a = b.ask(operation::create_instance, *t);
    b.expect(a.harmless(),
             "create_instance of one that exists " + b.text_of(a) + "; it is a conflict, and nothing changed");
    b.settle();
    b.expect(b.peak(*t) == 1 && b.view(*t).cloud_id == before.cloud_id, "another one was made");
}

/// Without a proof nothing is made anew, whatever the template says.
inline void converge_without_proofs(conformance_bench& b) {
    const auto t = b.make({.stack = true});
    if (!t) return;
    const target_view before = b.view(*t);
    b.ask(operation::converge_stack, *t, {.proof = false});
    b.settle();
    b.expect(b.peak(*t) == 1, "a second copy was made of one that runs");
    if (!b.harm(fixture_function::power_off, *t)) return;
    const call_answer a = b.ask(operation::converge_stack, *t, {.proof = false});
    b.expect(a.given(), "converge_stack was never answered");
    b.settle();
    if (b.has(fixture_function::cloud_id, before.cloud_id))
        b.expect(b.view(*t).cloud_id == before.cloud_id, "it was made anew without a proof of death");
}

inline void forensics_change_nothing(conformance_bench& b) {
    const auto t = b.make({});
    if (!t) return;
    const target_view before = b.view(*t);
    b.expect(b.ask(operation::collect_forensics, *t).given(), "collect_forensics was never answered");
    b.settle();
    const target_view after = b.view(*t);
    b.expect(after.copies == 1 && before.boot_id == after.boot_id && before.cloud_id == after.cloud_id,
             "the machine is not what it was before");
}

} // namespace reheat::inline REHEAT_ABI::testing::rules
