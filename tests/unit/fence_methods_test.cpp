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
