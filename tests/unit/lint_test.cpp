// SPDX-License-Identifier: MIT
#include <reheat/recovery/lint_text.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

#include <set>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::finding;
using rh::limit_finding;
using rh::limit_place;
using rh::operation;

namespace {

struct hour_case {
    rh::budget burst;
    rh::budget sustained;
    std::int64_t actions;
};

struct wait_case {
    rh::backoff how;
    rh::duration shortest;
    std::int64_t attempts;
    rh::duration slowest; ///< of so many attempts, each of 1 min and 9 min
};

struct text_case {
    rh::policy wrong;
    rh::lint_context where;
    std::string_view text;
};

struct limit_case {
    rh::limits wrong;
    std::uint32_t targets;
    std::string_view text;
};

template <class... Rungs>
rh::policy lowered(Rungs... rungs) {
    return rh::ladder{rungs...}.lowered();
}
template <class Change>
rh::policy changed(rh::policy p, Change change) {
    change(p);
    return p;
}
rh::rung rung_with(rh::budget burst, rh::budget sustained) {
    rh::rung r;
    r.burst = burst;
    r.sustained = sustained;
    return r;
}
rh::policy one(operation what) {
    rh::rung r;
    r.what = what;
    return rh::policy{}.add(r);
}

/// Every number is an extreme or an ordinary one, every operation may stand anywhere.
rh::policy random_policy(support::dice& dice) {
    const auto time = [&] {
        constexpr rh::duration times[] = {rh::duration::min(), -1ns, 0ns, 1ns, 1s, 1min, 1h, 24h, rh::duration::max()};
        return times[dice.below(9)];
    };
    const auto count = [&] {
        constexpr std::uint16_t counts[] = {0, 1, 2, 10, 1000, 65'535};
        return counts[dice.below(6)];
    };
    const auto small = [&] { return static_cast<std::uint8_t>(dice.below(4) == 0 ? 255 : dice.below(12)); };
    rh::policy p;
    for (std::int64_t n = dice.below(9); n > 0; --n) {
        p.add({static_cast<operation>(dice.below(rh::operation_count)),
               {count(), time()},
               {count(), time()},
               time(),
               time(),
               time(),
               static_cast<rh::consent>(dice.below(2)),
               {time(), time(), dice.below(2) == 0, small()},
               static_cast<rh::reboot_kind>(dice.below(3))});
    }
    p.retry_parked = time();
    p.probation = time();
    p.stable = time();
    p.related = time();
    p.evidence = {small(), small(), small(), static_cast<rh::single_vantage>(dice.below(3)), time()};
    constexpr std::string_view methods[] = {"", "ipmi", "pdu"};
    for (std::string_view& m : p.fencing.methods) m = methods[dice.below(3)];
    return p;
}

rh::limits random_limits(support::dice& dice) {
    const auto share = [&] {
        return rh::share{static_cast<std::uint8_t>(dice.below(3) * 100), static_cast<std::uint32_t>(dice.below(2))};
    };
    const auto budget = [&] {
        constexpr rh::duration times[] = {0ns, 1ns, 1h, 24h, rh::duration::max()};
        return rh::budget{static_cast<std::uint16_t>(dice.below(3)), times[dice.below(5)]};
    };
    rh::limits l;
    l.breaker = {share(), share(), static_cast<std::uint32_t>(dice.below(2)), 1min};
    l.silence = {static_cast<std::uint32_t>(dice.below(3)), static_cast<std::uint32_t>(dice.below(3)), share(),
                 rh::duration{dice.below(2)}};
    l.in_flight = share();
    l.services_in_flight = share();
    l.group = {budget(), budget()};
    l.domain = {budget(), budget()};
    l.all = {budget(), budget()};
    l.api = budget();
    return l;
}

} // namespace

TEST_SUITE("lint") {
    TEST_CASE("the worst hour is the tighter of the two budgets") {
        const hour_case cases[] = {
            {{3, 5min}, {6, 1h}, 6},    {{3, 5min}, {100, 1h}, 36}, {{2, 1h}, {2, 1h}, 2},
            {{1, 4h}, {1, 4h}, 1},      {{5, 7min}, {100, 1h}, 45}, {{0, 1h}, {1, 1h}, 0},
            {{3, 0s}, {6, 1h}, 6},      {{3, -1s}, {6, 1h}, 6},     {{1, 1ns}, {65'535, 1h}, 65'535},
            {{4, 1h}, {4, 59min}, 4},   {{4, 1h}, {3, 59min}, 4},   {{4, 1h}, {1, 59min}, 2},
            {{1, 90min}, {9, 90min}, 1}};
        for (const hour_case& c : cases) CHECK(rh::worst_actions_an_hour(rung_with(c.burst, c.sustained)) == c.actions);
        CHECK(rh::worst_actions_within(rh::budget{3, 1h}, 0s) == 0);
        CHECK(rh::worst_actions_within(rh::budget{3, 1h}, 150min) == 9);
        CHECK(rh::worst_actions_within(rh::budget{3, 1ns}, rh::duration::max()) == INT64_MAX);
    }

    TEST_CASE("the shortest and the longest that the backoff makes of an attempt") {
        const wait_case cases[] = {
            {rh::instance_backoff, 48s, 1, 11min + 12s},
            {rh::instance_backoff, 48s, 3, 33min + 12s + 24s + 48s + 4min},
            {rh::service_backoff, 0s, 1, 10min + 1s},
            {rh::service_backoff, 0s, 7, 70min + 123s}, // 1 2 4 8 16 32 60
            {rh::service_backoff, 0s, 8, 80min + 183s},
            {{5s, 5s, false, 0}, 5s, 4, 40min + 20s},
            {{9s, 5s, false, 0}, 5s, 2, 20min + 10s}, // the first wait is never longer than the longest
            {{0s, 5s, false, 0}, 0s, 4, 40min},
            {{-5s, -3s, false, 20}, 0s, 4, 40min},
            {{10s, 10s, false, 255}, 0s, 1, 10min + 20s},
            {rh::instance_backoff, 48s, 0, 0s},
        };
        for (const wait_case& c : cases) {
            CAPTURE(c.attempts);
            rh::rung r;
            r.wait = c.how;
            r.timeout = 1min;
            r.verify = 9min;
            CHECK(rh::shortest_wait({}, r) == c.shortest);
            CHECK(rh::slowest_attempts(r, c.attempts) == c.slowest);
            // What is promised of the waits that are drawn.
            for (std::uint32_t n = 0; n < 50; ++n) {
                const rh::duration drawn = rh::wait_after(c.how, 1, rh::incident_id{n}, 1);
                CHECK(drawn >= c.shortest);
                CHECK(drawn <= rh::slowest_attempts(r, 1) - 10min);
            }
        }
        rh::policy soon;
        soon.related = 10s;
        CHECK(rh::shortest_wait(soon, rh::rung{}) == 10s);
        soon.stable = -1s;
        CHECK(rh::shortest_wait(soon, rh::rung{}) == 0s);
    }

    TEST_CASE("three levels of ten attempts are found, and explained with their thousand") {
        const rh::policy p = lowered(rh::restart_service{.attempts = 10}, rh::reboot_instance{.attempts = 10},
                                     rh::converge_stack{.attempts = 10});
        const rh::lint_report report = lint(p);
        const rh::lint_finding* found = report.find(finding::attempts_multiply);
        REQUIRE(found != nullptr);
        CHECK(found->number == 1000);
        CHECK(to_text(p, *found) ==
              "rungs: the attempts of the levels (10 service x 10 instance x 10 stack) multiply to 1000 in the worst "
              "case, more than 12");
        CHECK(report.find(finding::no_vantage) == nullptr);
    }

    TEST_CASE("a finding is a sentence with its place and its number") {
        const rh::policy base = rh::ha_restarter.lowered();
        const auto slow = [](operation what, rh::duration d) { return rh::lint_context{}.with_latency(what, d); };
        const text_case cases[] = {
            {lowered(rh::reboot_instance{.attempts = 0}),
             {},
             "rungs[0]: reboot_instance: it has 0 attempts and never acts"},
            {lowered(rh::reboot_instance{.sustained = {0, 1h}}),
             {},
             "rungs[0]: reboot_instance: its sustained budget is 0 and it never acts"},
            {rh::policy{}.add({}), {}, "rungs[0]: none: it is no rung of a ladder: nothing is ever done"},
            {lowered(rh::recreate_instance{}, rh::recreate_instance{}),
             {},
             "rungs[1]: recreate_instance: rung 0 has done the same already"},
            {lowered(rh::converge_stack{.attempts = 30, .verify = 2h, .sustained = {30, 240h}}, rh::page{}),
             {},
             "rungs[1]: page: rung 0 before it takes 2d12h for its attempts alone"},
            {lowered(rh::reboot_instance{}, rh::restart_service{}),
             {},
             "rungs[1]: restart_service: it acts on a lower level than rung 0 before it, which has not helped either"},
            {lowered(rh::restart_service{.verify = 20s}),
             {},
             "rungs[0].verify: restart_service: verify (20s) is not longer than grace (30s) but 10 s shorter: it would "
             "fail while the target may still start"},
            {lowered(rh::restart_service{.timeout = 5min}), slow(operation::restart_service, 125s),
             "rungs[0].verify: restart_service: verify (2m30s) is 5 s too short for the grace and the driver's "
             "latency"},
            {lowered(rh::restart_service{}),
             {.period = 2min},
             "rungs[0].verify: restart_service: verify (2m30s) is 120 s too short for the grace and two evidence "
             "periods"},
            {base,
             {.boot_time = 11min},
             "rungs[0].grace: recreate_instance: grace (10m) is 60 s too short for the boot"},
            {lowered(rh::recreate_instance{.grace = 0s}),
             {},
             "rungs[0].grace: recreate_instance: grace is 0 s, and no machine boots in no time"},
            {base, slow(operation::recreate_instance, 16min),
             "rungs[0].timeout: recreate_instance: timeout (15m) is 60 s too short for the driver's latency"},
            {lowered(rh::recreate_instance{.timeout = 0s}),
             {},
             "rungs[0].timeout: recreate_instance: timeout is 0 s: every call would be given up at once"},
            {lowered(rh::restart_service{.sustained = {13, 1h}}),
             {},
             "rungs[0].sustained: restart_service: in the worst hour the service rungs act 13 times on one target, "
             "more "
             "than 12"},
            {lowered(rh::reboot_instance{.within = 40s}),
             {},
             "rungs[0].within: reboot_instance: the burst of 2 in 40s can never bind: at most 1 fit in, for the "
             "backoff"},
            {lowered(rh::reboot_instance{.sustained = {3, 1h}}),
             {},
             "rungs[0].sustained: reboot_instance: the sustained budget of 3 in 1h can never bind: burst and backoff "
             "leave at most 2"},
            {lowered(rh::restart_service{.attempts = 10}),
             {},
             "rungs[0].attempts: restart_service: 4 of the 10 attempts are never made: the sustained budget is 6 in "
             "1h"},
            {changed({},
                     [](rh::policy& p) {
                         rh::rung r = *rh::default_rung(operation::recreate_instance);
                         r.wait.first = 16min;
                         p.add(r);
                     }),
             {},
             "rungs[0].wait.first: recreate_instance: the first wait is 60 s longer than the longest"},
            {base, {.period = 1h}, "probation: probation (30m) is over 1800 s before the alarm can tell"},
            {changed(base, [](rh::policy& p) { p.related = 10min; }),
             {},
             "related: related (10m) is 1200 s shorter than probation: a failure in between would begin a new "
             "incident"},
            {changed(base, [](rh::policy& p) { p.retry_parked = 10min; }),
             {},
             "retry_parked: retry_parked (10m) comes 11028 s before any budget can be free again"},
            {changed(base, [](rh::policy& p) { p.evidence.unhealthy_polls = 12; }),
             {},
             "evidence.unhealthy_polls: unhealthy_polls (12) is 2 more than polls: they can never agree"},
            {changed(base, [](rh::policy& p) { p.evidence.unhealthy_polls = 0; }),
             {},
             "evidence.unhealthy_polls: unhealthy_polls is 0 of 10: a healthy target would count as unhealthy"},
            {base,
             {.poll = 2min},
             "evidence.max_age: within max_age (5m) there are at most 3 polls, and 7 have to agree"},
            {changed(base, [](rh::policy& p) { p.evidence.vantages = 0; }),
             {},
             "evidence.vantages: vantages is 0: fences and destructive rungs would need no evidence"},
            {changed(base, [](rh::policy& p) { p.evidence.vantages = 9; }),
             {},
             "evidence.vantages: vantages (9) is more than the 5 that exist"},
            {changed(base, [](rh::policy& p) { p.evidence.alone = rh::single_vantage::wait; }),
             {.vantages = 1},
             "evidence.vantages: the targets have 1 of the 2 vantages that are asked for: destructive rungs would wait "
             "for ever"},
            {changed(base, [](rh::policy& p) { p.fencing.methods = {"ipmi", "ipmi"}; }),
             {},
             "fencing.methods[1]: fence method 1 ('ipmi') is never used: it stands before it, or behind an empty one"},
        };
        std::set<finding> seen{finding::attempts_multiply};
        for (const text_case& c : cases) {
            const rh::lint_report report = lint(c.wrong, c.where);
            bool said = false;
            std::string all;
            for (const rh::lint_finding& f : report.findings()) {
                const std::string text = to_text(c.wrong, f);
                all += text + "\n";
                CHECK(text.starts_with(path_of(f) + ": "));
                CHECK(text.find(std::to_string(f.number)) != std::string::npos);
                if (text == c.text) seen.insert(f.what);
                said = said || text == c.text;
            }
            CAPTURE(all);
            CAPTURE(c.text);
            CHECK(said);
        }
        CHECK(seen.size() == rh::finding_count);
    }

    TEST_CASE("a finding in limits is a sentence with its place and its number") {
        const limit_case cases[] = {
            {{.in_flight = {0, 0}},
             0,
             "limits.in_flight: 0 percent and at least 0 of a set is nothing: no action would ever be allowed"},
            {{.breaker = {.group = {100, 1}}},
             0,
             "limits.breaker.group: more than 100 percent of a set are never reached: it can never bind"},
            {{.api = {5, 0s}},
             0,
             "limits.api: its window is 0 s long or it is never used (0 actions): it can never bind"},
            {{.all = {{5, 0s}, {0, 1h}}},
             0,
             "limits.all.burst: its window is 0 s long or it is never used (0 actions): it can never bind"},
            {{.all = {{0, 0s}, {5, 1h}}},
             3,
             "limits.all.sustained: it can never bind: all targets together act at most 3 times"},
            {{.all = {{5, 1h}, {0, 1h}}},
             4,
             "limits.all.burst: it can never bind: all targets together act at most 4 times"},
            {{.breaker = {.counted_from = 0}},
             0,
             "limits.breaker.counted_from: 0 targets are enough: nobody would count"},
            {{.silence = {.domains = 4}}, 0, "limits.silence.domains: 1 more domains than targets are asked for"},
            {{.group = {{5, 1h}, {120, 24h}}},
             0,
             "limits.group.sustained: it can never bind: the burst leaves at most 120 actions"},
            {{.group = {{5, 1h}, {4, 24h}}},
             0,
             "limits.group.burst: it can never bind: the sustained budget allows only 4 actions in as long a time"},
            {{.domain = {{5, 1h}, {0, 1h}}, .all = {{4, 1h}, {0, 1h}}},
             0,
             "limits.domain.burst: it can never bind: the budget of all allows only 4 actions in as long a time"},
        };
        std::set<limit_finding> seen;
        for (const limit_case& c : cases) {
            const rh::limits_report report = lint(c.wrong, rh::ha_restarter.lowered(), {.targets = c.targets});
            REQUIRE(report.findings().size() == 1);
            CHECK(to_text(report.findings()[0]) == c.text);
            CHECK(report.has(report.findings()[0].what));
            seen.insert(report.findings()[0].what);
        }
        CHECK(seen.size() == rh::limit_finding_count);
    }

    TEST_CASE("nothing that is wrong is left out, nothing is found twice, and every finding has words") {
        for (std::uint64_t seed = 1; seed <= 5'000; ++seed) {
            CAPTURE(seed);
            support::dice dice{seed};
            const rh::policy p = random_policy(dice);
            const rh::lint_context where{.boot_time = std::chrono::minutes{dice.below(3)},
                                         .period = std::chrono::hours{dice.below(3)},
                                         .periods = static_cast<std::uint32_t>(dice.below(4)),
                                         .poll = std::chrono::hours{dice.below(2)},
                                         .vantages = static_cast<std::uint32_t>(dice.below(4)),
                                         .targets = static_cast<std::uint32_t>(dice.below(3))};
            const rh::lint_report report = lint(p, where);
            std::set<std::pair<finding, std::size_t>> found;
            for (const rh::lint_finding& f : report.findings()) {
                REQUIRE(found.emplace(f.what, f.rung).second);
                REQUIRE(is_of_rung(f.what) == (f.rung < p.size()));
                REQUIRE(f.number >= 0);
                REQUIRE(to_text(p, f).size() > path_of(f).size() + 2);
            }
            const rh::limits l = random_limits(dice);
            std::set<std::pair<limit_finding, limit_place>> of_limits;
            const rh::limits_report about_limits = lint(l, p, where);
            for (const rh::limits_finding& f : about_limits.findings()) {
                REQUIRE(of_limits.emplace(f.what, f.where).second);
                REQUIRE(f.number >= 0);
                REQUIRE(to_text(f).size() > path_of(f).size() + 2);
            }
        }
        // The report has room for each finding on each rung: that is all there can be.
        static_assert(std::tuple_size_v<std::array<int, 107>> ==
                      rh::rung_finding_count * rh::policy::most_rungs + rh::finding_count - rh::rung_finding_count);
        rh::lint_report full;
        for (int n = 0; n < 1000; ++n) full.add({});
        CHECK(full.findings().size() == 107);
        CHECK_FALSE(full.ok());
        CHECK(full.has(finding::unreachable_rung));
        CHECK_FALSE(full.has(finding::no_vantage));
        rh::limits_report full_limits;
        CHECK_FALSE(full_limits.has(limit_finding::never_binds));
        for (int n = 0; n < 1000; ++n) full_limits.add({});
        CHECK(full_limits.findings().size() == rh::limit_finding_count * rh::limit_count);
        CHECK_FALSE(full_limits.has(limit_finding::never_binds));
    }

    TEST_CASE("what calls the driver, and what boots a machine") {
        for (std::size_t o = 0; o < rh::operation_count; ++o) {
            const auto what = static_cast<operation>(o);
            CAPTURE(to_string(what));
            const bool none = what == operation::none || what == operation::page || what == operation::guest_restarts;
            CHECK(rh::calls_driver(what) == !none);
            const bool boot = what == operation::create_instance || what == operation::reboot_instance ||
                              what == operation::rebuild_instance || rh::needs_proof(what);
            CHECK(rh::boots(what) == boot);
        }
    }

    TEST_CASE("a finding that is not of this policy has words all the same") {
        CHECK(to_text(rh::policy{}, {finding::burst_never_binds, 3, 1}) == "rungs[3].within: burst_never_binds");
        CHECK(to_text(rh::policy{}, {finding::fence_method_unused, rh::whole_policy, 7}).find("7") !=
              std::string::npos);
        CHECK(to_text(one(operation::page), {finding::unreachable_rung, 0, 5}).find("5") != std::string::npos);
    }

    TEST_CASE("every finding and every limit has a name of its own") {
        std::set<std::string_view> names;
        for (std::size_t f = 0; f < rh::finding_count; ++f) names.insert(to_string(static_cast<finding>(f)));
        CHECK(names.size() == rh::finding_count);
        CHECK(to_string(finding::fence_method_unused) == "fence_method_unused");
        CHECK(to_string(finding::attempts_multiply) == "attempts_multiply");
        CHECK(is_of_rung(finding::backoff_above_most));
        CHECK_FALSE(is_of_rung(finding::attempts_multiply));
        names.clear();
        for (std::size_t f = 0; f < rh::limit_finding_count; ++f)
            names.insert(to_string(static_cast<limit_finding>(f)));
        for (std::size_t l = 0; l < rh::limit_count; ++l) names.insert(to_string(static_cast<limit_place>(l)));
        CHECK(names.size() == rh::limit_finding_count + rh::limit_count);
        CHECK(to_string(limit_place::api) == "limits.api");
    }

    TEST_CASE("every operation that is a rung has one with default numbers") {
        for (std::size_t o = 0; o < rh::operation_count; ++o) {
            const auto what = static_cast<operation>(o);
            CAPTURE(to_string(what));
            const auto r = rh::default_rung(what);
            const bool is_rung = (what >= operation::restart_service && what <= operation::rebuild_instance) ||
                                 (what >= operation::recreate_instance && what <= operation::guest_restarts);
            REQUIRE(r.has_value() == is_rung);
            if (!r) continue;
            CHECK(r->what == what);
            CHECK(lint(rh::policy{}.add(*r)).ok());
        }
        CHECK(rh::default_rung(operation::reboot_instance) == rh::three_levels.lowered().rungs()[1]);
    }
}
