// SPDX-License-Identifier: MIT
#include <reheat/recovery/lint_limits.hpp>

#include <array>
#include <cstdint>
#include <utility>

// What `lint` finds in a policy and in limits, and what it does not: a pair for each finding, decided by the compiler.
// There is nothing to run.

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::finding;
using rh::limit_finding;
using rh::limit_place;
using rh::lint_context;
using rh::operation;

namespace lint_facts {

/// Whether one finding, with that rung and that number, is all that is found.
constexpr bool only(const rh::lint_report& r, finding what, std::size_t rung, std::int64_t number) {
    return r.findings().size() == 1 && r.findings()[0] == rh::lint_finding{what, rung, number};
}
constexpr bool only(const rh::limits_report& r, limit_finding what, limit_place where, std::int64_t number) {
    return r.findings().size() == 1 && r.findings()[0] == rh::limits_finding{what, where, number};
}
/// Whether it is found among others.
constexpr bool has(const rh::lint_report& r, finding what, std::size_t rung, std::int64_t number) {
    for (const rh::lint_finding& f : r.findings()) {
        if (f == rh::lint_finding{what, rung, number}) return true;
    }
    return false;
}

/// A ladder's policy with something changed that no rung type has as a member.
template <class Change, class... Rungs>
constexpr rh::policy with(Change change, Rungs... rungs) {
    rh::policy p = rh::ladder{rungs...}.lowered();
    change(p);
    return p;
}
template <class Change, class Rung>
constexpr rh::policy with_rung(Change change, Rung r) {
    rh::rung low = rh::ladder{r}.lowered().rungs()[0];
    change(low);
    return rh::policy{}.add(low);
}
template <class Change>
constexpr rh::limits limited(Change change) {
    rh::limits l;
    change(l);
    return l;
}

// The ladders that come with the library are clean, also where all is known about the place.
constexpr lint_context here =
    lint_context{.boot_time = 4min, .period = 60s, .periods = 3, .poll = 30s, .vantages = 2, .targets = 1000}
        .with_latency(operation::restart_service, 5s)
        .with_latency(operation::reboot_instance, 90s)
        .with_latency(operation::recreate_instance, 5min)
        .with_latency(operation::converge_stack, 20min);
static_assert(lint(rh::three_levels).ok() && lint(rh::three_levels, here).ok());
static_assert(lint(rh::ha_restarter).ok() && lint(rh::ha_restarter, here).ok());
static_assert(lint(rh::policy{}).ok() && lint(rh::policy{}, here).ok());
static_assert(lint(rh::limits{}).ok() && lint(rh::limits{}, rh::three_levels.lowered(), here).ok());
// So is each rung by itself, and whoever lowers its attempts need not lower the rest.
static_assert(lint(rh::ladder{rh::restart_service{}}).ok() && lint(rh::ladder{rh::guest_restarts{}}).ok());
static_assert(lint(rh::ladder{rh::rebuild_instance{}}).ok() && lint(rh::ladder{rh::evacuate_instance{}}).ok());
static_assert(lint(rh::ladder{rh::page{}}).ok() && lint(rh::ladder{rh::converge_stack{}}).ok());
static_assert(lint(rh::ladder{rh::guest_restarts{}, rh::restart_service{}, rh::page{}, rh::reboot_instance{},
                              rh::evacuate_instance{}, rh::page{}, rh::converge_stack{}})
                  .ok());
static_assert(lint(rh::ladder{rh::restart_service{.attempts = 1}, rh::reboot_instance{.attempts = 1}}).ok());

// A human may be asked at any level.
static_assert(lint(rh::ladder{rh::restart_service{.approval = rh::required}}).ok());

// unreachable_rung: without attempts,
static_assert(only(lint(rh::ladder{rh::reboot_instance{.attempts = 0}}), finding::unreachable_rung, 0, 0));
static_assert(only(lint(rh::ladder{rh::page{}, rh::reboot_instance{.sustained = {0, 1h}}}), finding::unreachable_rung,
                   1, 1));
static_assert(only(lint(rh::ladder{rh::page{.attempts = 0}}), finding::unreachable_rung, 0, 0));
// no rung at all,
static_assert(only(lint(rh::policy{}.add({})), finding::unreachable_rung, 0, 0));
static_assert(only(lint(with_rung([](rh::rung& r) { r.what = operation::fence_instance; }, rh::reboot_instance{})),
                   finding::unreachable_rung, 0, 0));
// the same as an earlier one,
static_assert(only(lint(rh::ladder{rh::reboot_instance{}, rh::page{}, rh::reboot_instance{}}),
                   finding::unreachable_rung, 2, 0));
static_assert(only(lint(rh::ladder{rh::reboot_instance{.how = rh::reboot_kind::hard},
                                   rh::reboot_instance{.how = rh::reboot_kind::soft}}),
                   finding::unreachable_rung, 1, 0));
static_assert(only(lint(rh::ladder{rh::reboot_instance{}, rh::reboot_instance{.how = rh::reboot_kind::hard}}),
                   finding::unreachable_rung, 1, 0));
static_assert(only(lint(rh::ladder{rh::reboot_instance{.how = rh::reboot_kind::soft},
                                   rh::reboot_instance{.attempts = 1}}),
                   finding::unreachable_rung, 1, 0));
// but not a hard reboot after soft ones,
static_assert(lint(rh::ladder{rh::reboot_instance{.how = rh::reboot_kind::soft},
                              rh::reboot_instance{.how = rh::reboot_kind::hard}})
                  .ok());
static_assert(
    lint(rh::ladder{rh::reboot_instance{.attempts = 1}, rh::reboot_instance{.how = rh::reboot_kind::hard}}).ok());
// and behind one that is left after a day at the soonest.
static_assert(has(lint(rh::ladder{rh::converge_stack{.attempts = 25, .sustained = {25, 24h}}, rh::page{}}),
                  finding::unreachable_rung, 1, 0));
static_assert(!lint(rh::ladder{rh::converge_stack{.attempts = 24, .sustained = {24, 24h}}, rh::page{}})
                   .has(finding::unreachable_rung));
static_assert(!lint(rh::ladder{rh::converge_stack{.attempts = 25}, rh::page{}}).has(finding::unreachable_rung));

// milder_after_stronger
static_assert(only(lint(rh::ladder{rh::reboot_instance{}, rh::restart_service{}}), finding::milder_after_stronger, 1,
                   0));
static_assert(only(lint(rh::ladder{rh::restart_service{}, rh::page{}, rh::converge_stack{}, rh::reboot_instance{}}),
                   finding::milder_after_stronger, 3, 2));
static_assert(only(lint(rh::ladder{rh::reboot_instance{}, rh::guest_restarts{}}), finding::milder_after_stronger, 1,
                   0));
static_assert(lint(rh::ladder{rh::page{}, rh::restart_service{}, rh::converge_stack{}, rh::page{}}).ok());
static_assert(lint(rh::ladder{rh::recreate_instance{}, rh::reboot_instance{}}).ok());

// verify_shorter_than_grace
static_assert(only(lint(rh::ladder{rh::restart_service{.verify = 20s}}), finding::verify_shorter_than_grace, 0, 10));
static_assert(only(lint(rh::ladder{rh::reboot_instance{.verify = 10min}}), finding::verify_shorter_than_grace, 0, 0));
static_assert(only(lint(rh::ladder{rh::guest_restarts{.verify = 29500ms}}), finding::verify_shorter_than_grace, 0, 1));
static_assert(lint(rh::ladder{rh::reboot_instance{.verify = 10min + 1ns}}).ok());
static_assert(lint(rh::ladder{rh::page{.verify = 0s}}).ok());
static_assert(only(lint(rh::ladder{rh::restart_service{.verify = rh::duration::min(), .grace = rh::duration::max()}}),
                   finding::verify_shorter_than_grace, 0, 9'223'372'037));

// verify_below_latency: 150 s = 30 s + 120 s
constexpr lint_context slow = lint_context{}.with_latency(operation::restart_service, 121s);
static_assert(only(lint(rh::ladder{rh::restart_service{.timeout = 5min}}, slow), finding::verify_below_latency, 0, 1));
static_assert(lint(rh::ladder{rh::restart_service{.verify = 151s, .timeout = 5min}}, slow).ok());
static_assert(lint(rh::ladder{rh::restart_service{.timeout = 5min}}).ok());
static_assert(lint(rh::ladder{rh::page{}}, lint_context{}.with_latency(operation::page, 1h)).ok());

// verify_below_evidence: 150 s = 30 s + 2 x 60 s
static_assert(only(lint(rh::ladder{rh::restart_service{}}, {.period = 61s}), finding::verify_below_evidence, 0, 2));
static_assert(only(lint(rh::ladder{rh::guest_restarts{}}, {.period = 61s}), finding::verify_below_evidence, 0, 2));
static_assert(lint(rh::ladder{rh::restart_service{}}, {.period = 60s}).ok());

// grace_below_boot_time
static_assert(only(lint(rh::ladder{rh::reboot_instance{}}, {.boot_time = 10min + 1s}), finding::grace_below_boot_time,
                   0, 1));
static_assert(only(lint(rh::ladder{rh::evacuate_instance{.grace = 0s}}), finding::grace_below_boot_time, 0, 0));
static_assert(lint(rh::ladder{rh::reboot_instance{}}, {.boot_time = 10min}).ok());
static_assert(lint(rh::ladder{rh::restart_service{.grace = 0s}}, {.boot_time = 1h}).ok()); // no machine boots

// timeout_below_latency
constexpr lint_context slow_reboot = lint_context{}.with_latency(operation::reboot_instance, 90s);
static_assert(only(lint(rh::ladder{rh::reboot_instance{.timeout = 80s}}, slow_reboot), finding::timeout_below_latency,
                   0, 10));
static_assert(only(lint(rh::ladder{rh::reboot_instance{.timeout = 0s}}), finding::timeout_below_latency, 0, 0));
static_assert(lint(rh::ladder{rh::reboot_instance{.timeout = 90s}}, slow_reboot).ok());
static_assert(lint(rh::ladder{rh::guest_restarts{.timeout = 0s}}).ok());

// too_many_actions_an_hour: 12 for a service, 4 for an instance, 1 for a stack; the tighter budget counts
static_assert(only(lint(rh::ladder{rh::restart_service{.sustained = {13, 1h}}}), finding::too_many_actions_an_hour, 0,
                   13));
static_assert(lint(rh::ladder{rh::restart_service{.sustained = {12, 1h}}}).ok());
static_assert(only(lint(rh::ladder{rh::reboot_instance{.attempts = 3, .sustained = {3, 1h}}, rh::rebuild_instance{},
                                   rh::page{}, rh::recreate_instance{}}),
                   finding::too_many_actions_an_hour, 3, 5));
static_assert(lint(rh::ladder{rh::reboot_instance{}, rh::rebuild_instance{}, rh::recreate_instance{}}).ok());
static_assert(only(lint(rh::ladder{rh::converge_stack{.within = 20min, .verify = 30min, .sustained = {3, 2h}}}),
                   finding::too_many_actions_an_hour, 0, 3));
static_assert(lint(rh::ladder{rh::guest_restarts{.attempts = 100, .sustained = {1000, 1h}}}).ok());

// burst_never_binds: systemd's five starts in ten seconds with five seconds between them
constexpr auto every_five_seconds = [](rh::rung& r) {
    r.burst = {5, 10s};
    r.wait = {5s, 5s, false, 0};
};
static_assert(only(lint(with_rung(every_five_seconds, rh::restart_service{})), finding::burst_never_binds, 0, 2));
static_assert(lint(with_rung(
                       [](rh::rung& r) {
                           r.burst = {2, 10s};
                           r.wait = {5s, 5s, false, 0};
                       },
                       rh::restart_service{}))
                  .ok());
static_assert(only(lint(rh::ladder{rh::restart_service{.within = 0s}}), finding::burst_never_binds, 0, 0));
static_assert(only(lint(rh::ladder{rh::reboot_instance{.within = 47s}}), finding::burst_never_binds, 0, 1)); // 48 s
static_assert(lint(rh::ladder{rh::reboot_instance{.within = 49s}}).ok());
static_assert(lint(rh::ladder{rh::guest_restarts{.within = 0s}}).ok());
// A backoff that begins anew by then is no bound.
static_assert(lint(with([](rh::policy& p) { p.stable = 20s; }, rh::reboot_instance{.within = 47s})).ok());

// sustained_never_binds
static_assert(only(lint(rh::ladder{rh::reboot_instance{.sustained = {3, 1h}}}), finding::sustained_never_binds, 0, 2));
static_assert(only(lint(rh::ladder{rh::restart_service{.within = 1h, .sustained = {4, 1h}}}),
                   finding::sustained_never_binds, 0, 3));
static_assert(has(lint(rh::ladder{rh::restart_service{.sustained = {7, 0s}}}), finding::sustained_never_binds, 0, 0));
static_assert(lint(rh::ladder{rh::reboot_instance{.sustained = {2, 1h}}}).ok());
static_assert(lint(rh::ladder{rh::restart_service{.within = 30min, .sustained = {5, 1h}}}).ok());

// attempts_never_reached
static_assert(only(lint(rh::ladder{rh::restart_service{.attempts = 10}}), finding::attempts_never_reached, 0, 4));
static_assert(only(lint(rh::ladder{rh::reboot_instance{.attempts = 3}}), finding::attempts_never_reached, 0, 1));
static_assert(lint(rh::ladder{rh::restart_service{.attempts = 6}}).ok());
// The slow ones among them leave the window in time.
static_assert(lint(rh::ladder{rh::reboot_instance{.attempts = 3, .sustained = {2, 30min}}}).ok());

// backoff_above_most
static_assert(only(lint(with_rung([](rh::rung& r) { r.wait.first = 16min; }, rh::reboot_instance{})),
                   finding::backoff_above_most, 0, 60));
static_assert(lint(with_rung([](rh::rung& r) { r.wait.first = 15min; }, rh::reboot_instance{})).ok());

// attempts_multiply: three levels of ten attempts are a thousand actions
constexpr rh::ladder thousand{rh::restart_service{.attempts = 10, .sustained = {12, 1h}},
                              rh::reboot_instance{.attempts = 10, .within = 24h, .sustained = {10, 24h}},
                              rh::converge_stack{.attempts = 10, .within = 240h, .sustained = {10, 240h}}};
static_assert(has(lint(thousand), finding::attempts_multiply, rh::whole_policy, 1000));
static_assert(has(lint(rh::ladder{rh::restart_service{.attempts = 10}, rh::reboot_instance{.attempts = 10},
                                  rh::converge_stack{.attempts = 10}}),
                  finding::attempts_multiply, rh::whole_policy, 1000));
static_assert(only(lint(rh::ladder{rh::restart_service{.attempts = 5}, rh::reboot_instance{}, rh::recreate_instance{}}),
                   finding::attempts_multiply, rh::whole_policy, 15)); // 5 x (2 + 1)
static_assert(
    lint(rh::ladder{rh::restart_service{.attempts = 4}, rh::reboot_instance{}, rh::recreate_instance{}}).ok());
static_assert(!lint(rh::ladder{rh::restart_service{.attempts = 13}, rh::recreate_instance{}})
                   .has(finding::attempts_multiply)); // by one, that is no product
static_assert(lint(rh::ladder{rh::guest_restarts{.attempts = 100}, rh::reboot_instance{}}).ok());

// probation_below_detection: the alarm needs 3 x 10 min
static_assert(lint(rh::three_levels, {.period = 10min, .periods = 3}).find(finding::probation_below_detection) ==
              nullptr);
static_assert(has(lint(rh::three_levels, {.period = 10min + 1s, .periods = 3}), finding::probation_below_detection,
                  rh::whole_policy, 3));
static_assert(!lint(rh::ladder{rh::restart_service{}}, {.period = 1h}).has(finding::probation_below_detection));

// related_below_probation
static_assert(only(lint(with([](rh::policy& p) { p.related = 29min; }, rh::reboot_instance{})),
                   finding::related_below_probation, rh::whole_policy, 60));
static_assert(lint(with([](rh::policy& p) { p.related = 30min; }, rh::reboot_instance{})).ok());
static_assert(lint(with([](rh::policy& p) { p.related = 29min; }, rh::restart_service{})).ok()); // probation is not its

// retry_parked_too_soon: 4 h of budget, less the 46 min 12 s of the one attempt
constexpr auto soon = [](rh::policy& p) { p.retry_parked = 29min; };
static_assert(only(lint(with(soon, rh::recreate_instance{})), finding::retry_parked_too_soon, rh::whole_policy,
                   (4h - 46min - 12s - 29min) / 1s));
static_assert(lint(with([](rh::policy& p) { p.retry_parked = 30min; }, rh::recreate_instance{})).ok());
static_assert(lint(with(soon, rh::restart_service{}, rh::recreate_instance{})).ok()); // the service has room again
static_assert(lint(with(soon, rh::recreate_instance{}, rh::converge_stack{})).ok());  // a human takes his time
static_assert(lint(with(soon, rh::page{})).ok());
static_assert(has(lint(with(soon, rh::converge_stack{.approval = rh::consent::none})), finding::retry_parked_too_soon,
                  rh::whole_policy, (24h - 90min - 72s - 29min) / 1s));

// polls_never_agree, polls_always_agree, polls_grow_old
constexpr rh::policy polled(std::uint8_t unhealthy, std::uint8_t of, rh::duration max_age = 5min) {
    rh::policy p;
    p.evidence.unhealthy_polls = unhealthy;
    p.evidence.polls = of;
    p.evidence.max_age = max_age;
    return p;
}
static_assert(only(lint(polled(11, 10)), finding::polls_never_agree, rh::whole_policy, 1));
static_assert(only(lint(polled(1, 0)), finding::polls_never_agree, rh::whole_policy, 1));
static_assert(only(lint(polled(0, 10)), finding::polls_always_agree, rh::whole_policy, 10));
static_assert(only(lint(polled(7, 10), {.poll = 60s}), finding::polls_grow_old, rh::whole_policy, 6));
static_assert(only(lint(polled(7, 10, 0s)), finding::polls_grow_old, rh::whole_policy, 0));
static_assert(lint(polled(10, 10)).ok() && lint(polled(1, 1)).ok() && lint(polled(7, 10), {.poll = 50s}).ok());

// no_vantage, vantages_never_agree, waits_for_vantages
constexpr rh::policy seen_by(std::uint8_t vantages, rh::single_vantage alone = rh::single_vantage::fence_first) {
    rh::policy p = rh::ha_restarter.lowered();
    p.evidence.vantages = vantages;
    p.evidence.alone = alone;
    return p;
}
static_assert(only(lint(seen_by(0)), finding::no_vantage, rh::whole_policy, 0));
static_assert(only(lint(seen_by(6)), finding::vantages_never_agree, rh::whole_policy, 5));
static_assert(only(lint(seen_by(2, rh::single_vantage::wait), {.vantages = 1}), finding::waits_for_vantages,
                   rh::whole_policy, 1));
static_assert(only(lint(seen_by(3), {.vantages = 2}), finding::waits_for_vantages, rh::whole_policy, 2));
static_assert(lint(seen_by(5)).ok() && lint(seen_by(1)).ok() && lint(seen_by(2), {.vantages = 1}).ok());
static_assert(lint(seen_by(2, rh::single_vantage::wait), {.vantages = 2}).ok());
static_assert(lint(with([](rh::policy& p) { p.evidence.alone = rh::single_vantage::wait; }, rh::reboot_instance{}),
                   {.vantages = 1})
                  .ok()); // nothing of it is destructive

// fence_method_unused
constexpr rh::policy fenced_by(std::string_view a, std::string_view b, std::string_view c) {
    rh::policy p;
    p.fencing.methods = {a, b, c};
    return p;
}
static_assert(only(lint(fenced_by("ipmi", "pdu", "ipmi")), finding::fence_method_unused, rh::whole_policy, 2));
static_assert(only(lint(fenced_by("ipmi", "", "pdu")), finding::fence_method_unused, rh::whole_policy, 2));
static_assert(only(lint(fenced_by("", "pdu", "")), finding::fence_method_unused, rh::whole_policy, 1));
static_assert(lint(fenced_by("ipmi", "pdu", "hypervisor")).ok() && lint(fenced_by("ipmi", "", "")).ok());

// The extremes of every number are no overflow, and are found.
constexpr rh::policy extreme(rh::duration d, std::uint16_t count) {
    rh::policy p;
    for (std::size_t i = 0; i < rh::policy::most_rungs; ++i) {
        const auto what = static_cast<operation>(3 + i % 8);
        p.add({what, {count, d}, {count, d}, d, d, d, rh::consent::none, {d, d, false, 255}, rh::reboot_kind::soft});
    }
    p.retry_parked = p.probation = p.stable = p.related = p.forensics = p.evidence.max_age = d;
    return p;
}
constexpr lint_context far{.boot_time = rh::duration::max(),
                           .period = rh::duration::max(),
                           .periods = 4'000'000'000,
                           .poll = rh::duration::max(),
                           .targets = 4'000'000'000};
static_assert(!lint(extreme(rh::duration::max(), 65'535), far).ok());
static_assert(!lint(extreme(rh::duration::min(), 65'535), far).ok());
static_assert(!lint(extreme(1ns, 65'535), far).ok() && !lint(extreme(0ns, 1), far).ok());
static_assert(lint(rh::limits{.all = {{1, rh::duration::max()}, {0, 1h}}}, extreme(1ns, 65'535), far).ok());

// Limits: nothing_may_act
static_assert(only(lint(rh::limits{.in_flight = {0, 0}}), limit_finding::nothing_may_act, limit_place::in_flight, 0));
static_assert(only(lint(rh::limits{.services_in_flight = {0, 0}}), limit_finding::nothing_may_act,
                   limit_place::services_in_flight, 0));
static_assert(only(lint(rh::limits{.breaker = {.group = {0, 0}}}), limit_finding::nothing_may_act,
                   limit_place::breaker_group, 0));
static_assert(lint(rh::limits{.in_flight = {0, 1}}).ok() && lint(rh::limits{.in_flight = {1, 0}}).ok());

// never_binds
static_assert(only(lint(rh::limits{.breaker = {.domain = {100, 1}}}), limit_finding::never_binds,
                   limit_place::breaker_domain, 100));
static_assert(only(lint(rh::limits{.in_flight = {101, 1}}), limit_finding::never_binds, limit_place::in_flight, 101));
static_assert(only(lint(rh::limits{.silence = {.cliff = {100, 3}}}), limit_finding::never_binds,
                   limit_place::silence_cliff, 100));
static_assert(only(lint(rh::limits{.silence = {.within = 0s}}), limit_finding::never_binds, limit_place::silence_within,
                   0));
static_assert(only(lint(rh::limits{.api = {100, 0s}}), limit_finding::never_binds, limit_place::api, 0));
static_assert(only(lint(rh::limits{.group = {{5, 0s}, {0, 0s}}}), limit_finding::never_binds, limit_place::group_burst,
                   0));
static_assert(lint(rh::limits{.breaker = {.domain = {99, 1}}, .in_flight = {100, 1}, .api = {100, 1s}}).ok());
// ten targets of the re-creating ladder act ten times in an hour at most
constexpr rh::limits shared_by_all{.all = {{11, 1h}, {0, 24h}}};
static_assert(lint(shared_by_all).ok());
static_assert(only(lint(shared_by_all, rh::ha_restarter.lowered(), {.targets = 10}), limit_finding::never_binds,
                   limit_place::all_burst, 10));
static_assert(lint(shared_by_all, rh::ha_restarter.lowered(), {.targets = 11}).ok());
static_assert(lint(shared_by_all, rh::ha_restarter.lowered(), {}).ok());

// counts_from_nothing
static_assert(only(lint(rh::limits{.breaker = {.counted_from = 0}}), limit_finding::counts_from_nothing,
                   limit_place::breaker_counted_from, 0));
static_assert(lint(rh::limits{.breaker = {.counted_from = 1}}).ok());
static_assert(lint(rh::limits{.silence = {.targets = 0, .domains = 0}}).has(limit_finding::counts_from_nothing));

// too_many_domains
static_assert(only(lint(rh::limits{.silence = {.targets = 3, .domains = 5}}), limit_finding::too_many_domains,
                   limit_place::silence_domains, 2));
static_assert(lint(rh::limits{.silence = {.targets = 3, .domains = 3}}).ok());

// sustained_never_binds, burst_never_binds
static_assert(only(lint(rh::limits{.group = {{10, 1h}, {240, 24h}}}), limit_finding::sustained_never_binds,
                   limit_place::group_sustained, 240));
static_assert(only(lint(rh::limits{.domain = {{10, 1h}, {10, 1h}}}), limit_finding::sustained_never_binds,
                   limit_place::domain_sustained, 10));
static_assert(only(lint(rh::limits{.all = {{10, 1h}, {5, 2h}}}), limit_finding::burst_never_binds,
                   limit_place::all_burst, 5));
static_assert(lint(rh::limits{.group = {{10, 1h}, {50, 24h}}}).ok());
static_assert(lint(rh::limits{.group = {{10, 1h}, {0, 24h}}, .domain = {{0, 1h}, {50, 24h}}}).ok());

// hidden_by_wider
static_assert(only(lint(rh::limits{.group = {{10, 1h}, {0, 24h}}, .all = {{5, 1h}, {0, 24h}}}),
                   limit_finding::hidden_by_wider, limit_place::group_burst, 5));
static_assert(only(lint(rh::limits{.domain = {{0, 1h}, {10, 24h}}, .all = {{0, 1h}, {9, 48h}}}),
                   limit_finding::hidden_by_wider, limit_place::domain_sustained, 9));
static_assert(lint(rh::limits{.group = {{10, 1h}, {0, 24h}}, .all = {{5, 5min}, {0, 24h}}}).ok());
static_assert(lint(rh::limits{.group = {{10, 1h}, {0, 24h}}, .all = {{10, 1h}, {0, 24h}}}).ok());

} // namespace lint_facts
