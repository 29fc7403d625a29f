// SPDX-License-Identifier: MIT
#include <reheat/recovery/peers.hpp>

#include "doc_table.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::operation;

namespace {

// A preset as text

std::string time_text(rh::duration d) {
    if (d >= rh::peer::no_end) return "never";
    if (d == 0ns) return "0";
    if (d < 1s) return std::to_string(d / 1ms) + " ms";
    if (d < 2min && d % 1s != 0ns) return std::to_string(d / 1s) + "." + std::to_string(d % 1s / 100ms) + " s";
    if (d < 2min) return std::to_string(d / 1s) + " s";
    std::string text;
    const auto part = [&text](auto count, const char* unit) {
        if (count != 0) text += (text.empty() ? "" : " ") + std::to_string(count) + unit;
    };
    part(d / 1h, " h");
    part(d % 1h / 1min, " min");
    part(d % 1min / 1s, " s");
    return text;
}

std::string times_text(rh::duration d) { return d == 0ns ? "none" : time_text(d); }

std::string budget_text(const rh::budget& b) {
    if (b == rh::peer::no_budget) return "no limit";
    if (b.within <= 1s) return std::to_string(b.count) + " an incident";
    return std::to_string(b.count) + " in " + time_text(b.within);
}

std::string share_text(const rh::share& s) {
    if (s == rh::peer::whole) return "no limit";
    if (s.percent == 0) return std::to_string(s.least);
    return std::to_string(s.percent) + " %";
}

std::string breaker_text(const rh::breaker_limits& b) {
    if (b == rh::peer::no_breaker) return "none | – | – | –";
    std::string text = "above " + share_text(b.group);
    for (const std::uint32_t size : {2U, 5U, 100U})
        text += " | " + (size < b.counted_from ? std::string{"–"} : std::to_string(b.group.of(size)));
    return text;
}

std::string wait_text(const rh::backoff& b) {
    if (b == rh::peer::no_backoff) return "none";
    return b.first == b.most ? time_text(b.first) : time_text(b.first) + " doubling to " + time_text(b.most);
}

std::string detection_table() {
    std::string text = "| preset | looks at | silent for | every | in a row | then waits | in all | vantages |\n"
                       "|---|---|---|---|---|---|---|---|\n";
    for (const rh::peer_preset& p : rh::peer::all) {
        const rh::peer_detection& d = p.detection;
        const std::string least = time_text(d.at_least());
        const std::string most = time_text(d.at_most());
        text += "| " + std::string{p.name} + " | " + std::string{d.by} + " | " + times_text(d.silence) + " | " +
                (d.poll == 0ns ? "told" : time_text(d.poll)) + " | " + std::to_string(d.looks) + " | " +
                times_text(d.pending) + " | " + (least == most ? least : least + " to " + most) + " | " +
                std::to_string(p.rules.evidence.vantages) + " |\n";
    }
    return text;
}

std::string ladder_table() {
    std::string text = "| preset | rung | attempts | verified for | grace | until the next try | parked for |\n"
                       "|---|---|---|---|---|---|---|\n";
    for (const rh::peer_preset& p : rh::peer::all) {
        for (const rh::rung& r : p.rules.rungs()) {
            const bool first = &r == p.rules.rungs().data();
            text += "| " + (first ? std::string{p.name} : std::string{}) + " | `" + std::string{to_string(r.what)} +
                    "` | " + budget_text(r.burst) + " | " + time_text(r.verify) + " | " + times_text(r.grace) + " | " +
                    wait_text(r.wait) + " | " + (first ? time_text(p.rules.retry_parked) : std::string{}) + " |\n";
        }
    }
    return text;
}

std::string limits_table() {
    std::string text = "| preset | breaker | of 2 | of 5 | of 100 | in flight | between | start hold | probation |\n"
                       "|---|---|---|---|---|---|---|---|---|\n";
    const auto row = [&text](std::string_view name, const rh::limits& l, rh::duration probation) {
        text += "| " + std::string{name} + " | " + breaker_text(l.breaker) + " | " + share_text(l.in_flight) + " | " +
                times_text(l.between) + " | " + times_text(l.start_hold) + " | " + times_text(probation) + " |\n";
    };
    row("`reheat`", rh::limits{}, rh::policy{}.probation);
    for (const rh::peer_preset& p : rh::peer::all) row(p.name, p.bounds, p.rules.probation);
    return text;
}

// A preset at work

struct action {
    rh::duration at{};
    operation what{};
};

rh::engine_options options_of(const rh::peer_preset& p) {
    return [&p]<class Options>(Options options) {
        if constexpr (requires { options.bounds; }) options.bounds = p.bounds;
        return options;
    }(rh::engine_options{});
}

/// What is done to a service, or to an instance, that is ill and stays so; fences work, the rest comes out as told.
std::vector<action> actions_on(const rh::peer_preset& p, rh::duration span, rh::outcome_code code) {
    const bool on_service = level_of(p.rules.rungs().front().what) == rh::level::service;
    support::wiki all{p.rules, options_of(p)};
    const rh::target_id ill = on_service ? all.mysqld : all.db;
    const rh::time_point begin = all.now;
    all.sees(ill, rh::health::unhealthy, rh::vantage::driver_status);
    all.sees(ill, rh::health::unhealthy, rh::vantage::guest_heartbeat);
    std::vector<action> done;
    std::size_t answered = 0;
    for (int rounds = 0; rounds < 100'000; ++rounds) {
        all.step();
        if (answered < all.calls.size()) {
            const rh::call& c = all.calls[answered++];
            done.push_back({all.now - begin, c.what.what});
            const bool works = c.what.what == operation::fence_instance;
            all.e.complete(c.what.op, all.now, {.code = works ? rh::outcome_code::done : code});
            continue;
        }
        const rh::time_point due = all.e.next();
        REQUIRE(due > all.now);
        if (due - begin >= span) return done;
        all.now = due;
    }
    FAIL("it does not come to an end");
    return done;
}

std::string trace_table() {
    std::string text = "| preset | what it does, and when | in 8 h |\n|---|---|---|\n";
    for (const rh::peer_preset& p : rh::peer::all) {
        std::string line;
        operation last = operation::none;
        int same = 0;
        int total = 0;
        for (const action& a : actions_on(p, 8h, rh::outcome_code::done)) {
            if (a.what == operation::fence_instance) continue;
            ++total;
            same = a.what == last ? same + 1 : 1;
            if (same == 1) line += (line.empty() ? "`" : "; `") + std::string{to_string(a.what)} + "` ";
            if (same > 1 && same <= 6) line += ", ";
            if (same <= 6) line += time_text(a.at);
            if (same == 7) line += " …";
            last = a.what;
        }
        text += "| " + std::string{p.name} + " | " + line + " | " + std::to_string(total) + " |\n";
    }
    return text;
}

void check_table(const std::string& name, const std::string& made) {
    support::check_page("docs/reference/peers.md", name, made);
}

std::size_t count(const std::vector<action>& all, operation what) {
    std::size_t n = 0;
    for (const action& a : all) n += a.what == what ? 1U : 0U;
    return n;
}

} // namespace

TEST_SUITE("peers") {
    TEST_CASE("the tables in docs/reference/peers.md are the presets' numbers") {
        check_table("detection", detection_table());
        check_table("ladders", ladder_table());
        check_table("limits", limits_table());
    }

    TEST_CASE("the table of what each does to one target that stays ill is what an engine does by it") {
        check_table("one target", trace_table());
    }

    TEST_CASE("a driver with every function can climb every preset") {
        for (const rh::peer_preset& p : rh::peer::all) {
            CAPTURE(p.name);
            CHECK(rh::check_climbable(p.rules, rh::capabilities_of<support::notebook>()).has_value());
        }
    }

    TEST_CASE("reheat re-creates and evacuates nothing without a fence, whoever's numbers it goes by") {
        for (const rh::peer_preset& p : rh::peer::all) {
            CAPTURE(p.name);
            operation before = operation::none;
            for (const action& a : actions_on(p, 8h, rh::outcome_code::done)) {
                if (needs_proof(a.what)) CHECK(before == operation::fence_instance);
                before = a.what;
            }
        }
    }

    TEST_CASE("VMware HA tries to power on at 0, 2, 6, 14 and 30 min, and then no more") {
        std::vector<rh::duration> at;
        for (const action& a : actions_on(rh::peer::vmware_host(), 48h, rh::outcome_code::failed)) {
            if (a.what == operation::evacuate_instance) at.push_back(a.at);
        }
        CHECK(at == std::vector<rh::duration>{0min, 2min, 6min, 14min, 30min});
    }

    TEST_CASE("VM monitoring resets three times in its window, at each sensitivity") {
        for (const auto& [how, window] : {std::pair{rh::peer::sensitivity::high, rh::duration{1h}},
                                          {rh::peer::sensitivity::medium, rh::duration{24h}},
                                          {rh::peer::sensitivity::low, rh::duration{24h * 7}}}) {
            const std::vector<action> all = actions_on(rh::peer::vmware(how), window, rh::outcome_code::done);
            CHECK(count(all, operation::reboot_instance) == 3);
            CHECK(all.size() == 3);
        }
    }

    TEST_CASE("a supervisor whose intensity is spent leaves it to the one above") {
        const std::vector<action> one = actions_on(rh::peer::otp(), 1h, rh::outcome_code::failed);
        REQUIRE(one.size() == 2);
        CHECK(one[0].what == operation::restart_service);
        CHECK(one[1].what == operation::reboot_instance);
        CHECK(one[1].at <= 5s);
        const std::vector<action> none = actions_on(rh::peer::otp({.intensity = 0}), 1h, rh::outcome_code::failed);
        CHECK(none.empty());
    }

    TEST_CASE("systemd's limit is hit within its interval when each start fails, and ends it for good") {
        const std::vector<action> all = actions_on(rh::peer::systemd(), 48h, rh::outcome_code::failed);
        REQUIRE(all.size() == 5);
        CHECK(all.back().at == 400ms);
    }

    TEST_CASE("StartLimitAction=reboot boots for ever a machine whose unit never starts") {
        const auto all = actions_on(rh::peer::systemd({.reboot = true}), 2h, rh::outcome_code::done);
        CHECK(count(all, operation::reboot_instance) >= 8);
    }

    TEST_CASE("Masakari tries on the reserved host too, and the whole once more") {
        CHECK(count(actions_on(rh::peer::masakari(), 24h, rh::outcome_code::failed), operation::evacuate_instance) ==
              4);
        CHECK(count(actions_on(rh::peer::masakari({.reserved_host = false}), 24h, rh::outcome_code::failed),
                    operation::evacuate_instance) == 2);
    }

    TEST_CASE("FabricHealer does two of each in four hours, and then calls a human until the oldest is forgotten") {
        const rh::peer_preset p = rh::peer::fabric_healer();
        const std::vector<action> all = actions_on(p, 4h, rh::outcome_code::done);
        CHECK(count(all, operation::reboot_instance) == 2);
        CHECK(count(all, operation::rebuild_instance) == 2);
        CHECK(count(all, operation::evacuate_instance) == 2);
        CHECK(count(actions_on(p, 5h, rh::outcome_code::done), operation::reboot_instance) > 2);
    }

    TEST_CASE("only a breaker of the peer's own binds") {
        for (const rh::peer_preset& p : rh::peer::all) {
            CAPTURE(p.name);
            const bool own = p.name == rh::peer::instance_ha().name || p.name == rh::peer::node_health_check().name;
            CHECK((p.bounds.breaker.group.of(1000) < 1000) == own);
            CHECK(p.bounds.breaker.domain.of(1000) == 1000);
            CHECK(p.bounds.start_hold == 0s);
            CHECK(p.bounds.silence.cliff == rh::peer::whole);
        }
        CHECK(rh::peer::instance_ha({.heartbeats = true}).bounds.silence.cliff == rh::share{50, 3});
        CHECK(rh::peer::instance_ha({.threshold = 100}).bounds.breaker.group == rh::peer::whole);
        CHECK(rh::peer::node_health_check({.min_healthy = 100}).bounds.breaker.group.of(1000) == 1);
    }

    TEST_CASE("lint would let none of the unlimited ones through") {
        for (const rh::peer_preset& p :
             {rh::peer::heat(), rh::peer::otp(), rh::peer::systemd(), rh::peer::fabric_healer({.repairs = 100})}) {
            CAPTURE(p.name);
            CHECK_FALSE(rh::lint(p.rules).ok());
        }
    }
}
