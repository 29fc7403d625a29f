// SPDX-License-Identifier: MIT
#include "recovery_support.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::health;
using rh::operation;
using rh::outcome;
using rh::phase;
using rh::reason;
using support::bench;

namespace {

rh::policy by(std::vector<std::string_view> methods, bool parallel) {
    rh::policy rules = rh::ha_restarter.lowered();
    for (std::size_t n = 0; n < methods.size(); ++n) rules.fencing.methods[n] = methods[n];
    rules.fencing.parallel = parallel;
    return rules;
}

struct fenced : bench {
    explicit fenced(const rh::policy& rules, rh::engine_options o = support::at_once())
        : bench{rules, o}, vm{*e.add(rh::instance{.name = "vm"})} {
        sees(vm, health::unhealthy);
        step();
    }
    /// The methods of the fences that were called, in order.
    [[nodiscard]] std::vector<std::string_view> methods() const {
        std::vector<std::string_view> all;
        for (const rh::call& c : calls) {
            if (c.what.what == operation::fence_instance) all.push_back(c.what.method);
        }
        return all;
    }
    void answer_method(std::string_view method, outcome o) {
        for (auto c = calls.rbegin(); c != calls.rend(); ++c) {
            if (c->what.what != operation::fence_instance || c->what.method != method) continue;
            e.complete(c->what.op, now, std::move(o));
            step();
            return;
        }
    }
    rh::target_id vm;
};

using names = std::vector<std::string_view>;

/// A stack of which all are ill, under a policy that converges it.
struct ill_stack : support::machines {
    explicit ill_stack(std::size_t many, rh::engine_options o = support::at_once())
        : machines{rh::ladder{rh::converge_stack{.approval = rh::consent::none}}.lowered(),
                   support::numbered(many, {.name = {}, .stack = "s"}), [&o] {
                       o.bounds.breaker.counted_from = 1000;
                       o.bounds.silence.targets = 1000;
                       return o;
                   }()} {
        for (const rh::target_id t : vm) sees(t, health::unhealthy);
        step();
    }
    /// The newest fence of a machine is answered.
    bool fences(std::size_t n, const outcome& o) { return answer_to(*this, vm[n], operation::fence_instance, o); }
};

} // namespace

TEST_SUITE("fence methods") {
    TEST_CASE("a policy without methods has one: the driver's own") {
        static_assert(rh::fence_rules{}.size() == 1);
        static_assert(rh::fence_rules{.methods = {"ipmi"}}.size() == 1);
        static_assert(rh::fence_rules{.methods = {"ipmi", "pdu", "sbd", "api"}}.size() == 4);
        fenced f{by({}, false)};
        CHECK(f.methods() == names{""});
    }

    TEST_CASE("in order: the next one after one that failed, and the first that works is enough") {
        fenced f{by({"ipmi", "pdu", "sbd"}, false)};
        CHECK(f.methods() == names{"ipmi"});
        f.answer_method("ipmi", outcome::failed("no power"));
        CHECK(f.methods() == names{"ipmi", "pdu"});
        CHECK(support::phase_of(f, f.vm) == phase::fencing);
        f.answer_method("pdu", outcome::done());
        CHECK(f.methods() == names{"ipmi", "pdu"});
        CHECK(f.count(operation::recreate_instance) == 1);
    }

    TEST_CASE("when all have failed, the round is over and the next one waits") {
        fenced f{by({"ipmi", "pdu"}, false)};
        f.answer_method("ipmi", outcome::failed("no"));
        f.answer_method("pdu", outcome::refused("no"));
        CHECK(support::phase_of(f, f.vm) == phase::deciding);
        CHECK(f.e.incident_of(f.vm)->fences == 1);
        CHECK(support::answer_of(f, f.vm, rh::guard::backoff).why == reason::proof_required);
        CHECK_FALSE(f.e.targets().busy(f.vm));
        REQUIRE(f.run_for(2min));
        CHECK(f.methods() == names{"ipmi", "pdu", "ipmi"});
    }

    TEST_CASE("the wait between rounds of fences doubles") {
        fenced f{by({}, false)};
        rh::duration last{};
        for (int round = 0; round < 4; ++round) {
            f.answer_method("", outcome::failed("no"));
            const rh::duration pause = f.e.incident_of(f.vm)->not_before - f.now;
            CHECK(pause > last);
            last = pause;
            while (support::phase_of(f, f.vm) == phase::deciding) REQUIRE(f.run_for(1s));
        }
        CHECK(last > 5min);
    }

    TEST_CASE("in parallel: all at once, and the action begins once no other is under way") {
        fenced f{by({"ipmi", "pdu", "sbd"}, true)};
        CHECK(f.methods() == names{"ipmi", "pdu", "sbd"});
        f.answer_method("pdu", outcome::done());
        CHECK(f.told(decision::accept, reason::proof_minted) == 1);
        CHECK(f.count(operation::recreate_instance) == 0); // a late power-off could hit the new copy
        f.answer_method("ipmi", outcome::failed("no"));
        CHECK(f.count(operation::recreate_instance) == 0);
        f.answer_method("sbd", outcome::done());
        CHECK(f.told(decision::accept, reason::proof_minted) == 1); // one proof
        REQUIRE(f.count(operation::recreate_instance) == 1);
        CHECK(f.calls.back().proofs.size() == 1);
    }

    TEST_CASE("in parallel: one that nobody knows of is waited for until it is settled") {
        fenced f{by({"ipmi", "pdu"}, true)};
        f.answer_method("ipmi", outcome::done());
        f.answer_method("pdu", outcome::unknown("timeout"));
        CHECK(f.count(operation::recreate_instance) == 0);
        REQUIRE(f.run_for(2min));
        CHECK(f.count(operation::recreate_instance) == 1);
    }

    TEST_CASE("in parallel: when all have failed, all are tried again") {
        fenced f{by({"ipmi", "pdu"}, true)};
        f.answer_method("ipmi", outcome::failed("no"));
        CHECK(support::phase_of(f, f.vm) == phase::fencing);
        f.answer_method("pdu", outcome::failed("no"));
        CHECK(support::phase_of(f, f.vm) == phase::deciding);
        REQUIRE(f.run_for(2min));
        CHECK(f.methods() == names{"ipmi", "pdu", "ipmi", "pdu"});
    }

    TEST_CASE("fences that are taken back while others are called end with them") {
        fenced f{by({"ipmi", "pdu"}, true)};
        f.answer_method("ipmi", outcome::failed("no"));
        f.answer_method("pdu", outcome::failed("no"));
        f.slow = true;
        REQUIRE(f.run_for(2min)); // the next round waits for the journal
        REQUIRE(f.methods().size() == 2);
        const rh::sequence second = f.records.back().seq;
        const auto first = static_cast<rh::sequence>(static_cast<std::uint64_t>(second) - 1);
        REQUIRE(f.records.back().kind == rh::record_kind::intent);
        f.e.durable(first);
        f.step();
        REQUIRE(f.methods().size() == 3);
        f.e.operate({rh::operator_verb::maintain, f.vm, "ann", "work", f.now + 1h}, f.now);
        f.e.durable(second);
        f.step();
        CHECK(f.methods().size() == 3); // dropped
        CHECK(f.told(decision::drop, reason::in_maintenance) == 1);
        CHECK(support::phase_of(f, f.vm) == phase::fencing);
        f.slow = false;
        f.answer_method("ipmi", outcome::failed("no"));
        CHECK(support::phase_of(f, f.vm) == phase::deciding);
        CHECK_FALSE(f.e.targets().busy(f.vm));
        CHECK(f.run_for(2h));
        CHECK(f.count(operation::recreate_instance) == 0);
        CHECK(f.methods().size() > 3); // the maintenance is over
    }

    TEST_CASE("the machines of a stack are fenced at the same time, however slow their fences are") {
        ill_stack s{25};
        REQUIRE(s.count(operation::fence_instance) == 25);
        REQUIRE(s.run_for(55s)); // one after the other, the first proof would be over long before the last
        for (std::size_t n = 0; n < 25; ++n) {
            CHECK(s.count(operation::converge_stack) == 0);
            REQUIRE(s.fences(n, outcome::done()));
        }
        REQUIRE(s.count(operation::converge_stack) == 1);
        CHECK(s.calls.back().proofs.size() == 25);
        CHECK(s.count(operation::fence_instance) == 25);
    }

    TEST_CASE("the machines of a stack are fenced as fast as the quota lets them") {
        rh::engine_options o;
        o.bounds.api = {3, 1min};
        ill_stack s{25, support::at_once(o)};
        for (int minutes = 0; minutes < 9; ++minutes) {
            REQUIRE(s.count(operation::converge_stack) == 0);
            const std::vector<rh::call> fences = std::exchange(s.calls, {});
            CHECK(fences.size() == (minutes < 8 ? 3U : 1U));
            for (const rh::call& c : fences) s.e.complete(c.what.op, s.now, outcome::done());
            REQUIRE(s.run_for(1min));
        }
        REQUIRE(s.count(operation::converge_stack) == 1);
        CHECK(s.calls.back().proofs.size() == 25);
    }

    TEST_CASE("a proof that runs out while another fence is under way is made anew") {
        rh::engine_options o;
        o.fence_timeout = 15min;
        ill_stack s{3, support::at_once(o)};
        REQUIRE(s.fences(0, outcome::done()));
        REQUIRE(s.run_for(5min));
        REQUIRE(s.fences(1, outcome::done()));
        REQUIRE(s.run_for(6min));
        REQUIRE(s.fences(2, outcome::done()));
        CHECK(s.count(operation::converge_stack) == 0);
        CHECK(calls_for(s, s.vm[0], operation::fence_instance) == 2);
        CHECK(s.count(operation::fence_instance) == 4); // the other two proofs hold
        REQUIRE(s.fences(0, outcome::done()));
        REQUIRE(s.count(operation::converge_stack) == 1);
        CHECK(s.calls.back().proofs.size() == 3);
    }

    TEST_CASE("proofs that run out again and again are a wait, and are paged") {
        rh::engine_options o;
        o.proof_validity = 1min;
        o.fence_timeout = 5min;
        ill_stack s{2, support::at_once(o)};
        for (std::size_t n = 0; n < 20; ++n) { // never both at the same time
            REQUIRE(s.fences(n % 2, outcome::done()));
            REQUIRE(s.run_for(2min));
        }
        CHECK(s.count(operation::converge_stack) == 0);
        CHECK(s.told(decision::page, reason::waited_long) == 1);
    }

    TEST_CASE("one machine that can not be fenced: the round is over when the others have come to their end") {
        ill_stack s{3};
        outcome no = outcome::failed("no power");
        no.retry_after = 5min;
        REQUIRE(s.fences(0, no));
        CHECK(support::phase_of(s, s.vm[0]) != phase::deciding); // a late power-off could hit a new copy
        CHECK(s.e.targets().busy(s.vm[2]));
        REQUIRE(s.fences(1, outcome::done()));
        REQUIRE(s.fences(2, outcome::failed("no")));
        CHECK_FALSE(s.e.targets().busy(s.vm[2]));
        CHECK(s.count(operation::fence_instance) == 3);
        REQUIRE(s.run_for(5min - 1ns)); // as the first one asked for
        CHECK(s.count(operation::fence_instance) == 3);
        REQUIRE(s.run_for(1s));
        CHECK(s.count(operation::fence_instance) == 6);
        CHECK(s.count(operation::converge_stack) == 0);
    }

    TEST_CASE("rounds in which only some are fenced wait longer and longer") {
        ill_stack s{2};
        rh::duration last{};
        for (int round = 0; round < 4; ++round) {
            CAPTURE(round);
            REQUIRE(s.fences(0, outcome::failed("no")));
            REQUIRE(s.fences(1, outcome::done()));
            const std::size_t called = s.count(operation::fence_instance);
            const rh::time_point over = s.now;
            while (s.count(operation::fence_instance) == called) REQUIRE(s.run_for(1s));
            CHECK(s.now - over > last);
            last = s.now - over;
        }
    }

    TEST_CASE("a fence that is taken back leaves nothing behind") {
        fenced f{by({}, false), [] {
                     rh::engine_options o = support::at_once();
                     o.bounds.start_hold = 1min;
                     return o;
                 }()};
        f.slow = true;
        REQUIRE(f.run_for(2min));
        REQUIRE(support::phase_of(f, f.vm) == phase::fencing);
        f.sees(f.vm, health::healthy);
        f.e.durable(f.records.back().seq);
        f.step();
        CHECK(f.calls.empty());
        CHECK(f.told(decision::drop, reason::healthy_again) == 1);
        CHECK(f.e.open_incidents() == 0);
        CHECK_FALSE(f.e.targets().busy(f.vm));
    }

    TEST_CASE("after the first fence nothing that was heard before can call it healthy") {
        fenced f{by({}, false)};
        f.slow = true;
        f.answer_method("", outcome::done());
        f.sees(f.vm, health::healthy); // it is off for certain
        f.e.durable(f.records.back().seq);
        f.step();
        CHECK(f.count(operation::recreate_instance) == 1);
    }
}
