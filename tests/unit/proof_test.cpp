// SPDX-License-Identifier: MIT
#include "recovery_support.hpp"

#include <doctest/doctest.h>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::guard;
using rh::health;
using rh::operation;
using rh::proof_kind;
using rh::reason;
using support::answer_to;
using support::bench;
using support::calls_for;
using support::start;
using support::wiki;

namespace {

constexpr rh::target_id a{1};
constexpr rh::target_id b{2};
const rh::policy recreate = rh::ha_restarter.lowered();

rh::observed copy(std::string_view cloud_id, std::string_view host = {}) {
    rh::observed seen;
    seen.exists = seen.running = true;
    seen.cloud_id = cloud_id;
    seen.host = host;
    return seen;
}

/// Instances of one stack on known hosts; the stack is recovered by re-creating.
struct racks : bench {
    explicit racks(const rh::policy& rules = recreate, rh::engine_options options = support::at_once())
        : bench{rules, options} {
        one = *e.add(rh::instance{.name = "one", .stack = "s", .host = "h1", .cloud_id = "id-1"});
        two = *e.add(rh::instance{.name = "two", .stack = "s", .host = "h1", .cloud_id = "id-2"});
        far = *e.add(rh::instance{.name = "far", .stack = "s", .host = "h2", .cloud_id = "id-3"});
        step();
    }
    void fail(rh::target_id t) {
        sees(t, health::unhealthy);
        step();
    }
    /// Fails, is fenced and re-created.
    void replace(rh::target_id t, rh::observed seen) {
        fail(t);
        REQUIRE(answer_to(*this, t, operation::fence_instance, rh::outcome::done()));
        REQUIRE(answer_to(*this, t, operation::recreate_instance, rh::outcome::done(std::move(seen))));
        sees(t, health::healthy);
        step();
        REQUIRE(e.incident_of(t) == nullptr);
    }
    [[nodiscard]] proof_kind kind_used() const { return calls.back().proofs.at(0).kind(); }

    rh::target_id one;
    rh::target_id two;
    rh::target_id far;
};

} // namespace

TEST_SUITE("proof: what is known to be dead") {
    TEST_CASE("an operator's word is good until its end, and is taken back") {
        rh::death_book book;
        CHECK_FALSE(book.dead(a, start));
        book.confirm(a, start + 10min);
        CHECK(book.dead(a, start) == proof_kind::confirmed);
        CHECK(book.dead(a, start + 10min - 1ns) == proof_kind::confirmed);
        CHECK_FALSE(book.dead(a, start + 10min));
        CHECK_FALSE(book.dead(b, start));
        book.confirm(a, start + 1h); // a later word replaces the first
        CHECK(book.dead(a, start + 30min) == proof_kind::confirmed);
        book.confirm(b, start + 1h);
        book.withdraw(a);
        CHECK_FALSE(book.dead(a, start));
        CHECK(book.dead(b, start) == proof_kind::confirmed);
    }

    TEST_CASE("a lease proves a death when it, its watchdog and a margin are over, and the watchdog is tied to it") {
        rh::death_book book;
        CHECK(book.lease_over(a) == rh::never);
        book.renew({a, start, 60s, true});
        const rh::time_point over = start + 60s + rh::lease_margin;
        static_assert(rh::lease_margin == 30s);
        CHECK(book.lease_over(a) == over);
        CHECK_FALSE(book.dead(a, over - 1ns));
        CHECK(book.dead(a, over) == proof_kind::lease_expired);
        CHECK_FALSE(book.dead(b, over + 1h));
        book.renew({a, start + 1h, 60s, true});
        CHECK_FALSE(book.dead(a, over));
        book.renew({a, start, 60s, false}); // no watchdog, no proof, however old it is
        CHECK(book.lease_over(a) == rh::never);
        CHECK_FALSE(book.dead(a, start + 1h * 1000));
        book.renew({b, rh::never, 60s, true});
        CHECK(book.lease_over(b) == rh::never);
    }

    TEST_CASE("what was known of a copy says nothing of the next one") {
        rh::death_book book;
        book.confirm(a, rh::never);
        book.renew({a, start, 60s, true});
        book.renew({b, start, 60s, true});
        book.forget(a);
        CHECK_FALSE(book.dead(a, start + 1h));
        CHECK(book.dead(b, start + 1h) == proof_kind::lease_expired);
    }
}

TEST_SUITE("proof: how a second copy may start") {
    TEST_CASE("fenced: the proof is minted at the power-off, named, and spent by the call") {
        racks r;
        r.fail(r.one);
        REQUIRE(r.count(operation::fence_instance) == 1);
        CHECK(r.count(operation::recreate_instance) == 0);
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
        CHECK(r.told(decision::accept, reason::proof_minted) == 1);
        REQUIRE(r.count(operation::recreate_instance) == 1);
        const rh::call& c = r.calls.back();
        REQUIRE(c.proofs.size() == 1);
        CHECK(c.proofs[0].kind() == proof_kind::fenced);
        CHECK(c.proofs[0].incident() == r.e.incident_of(r.one)->id);
        CHECK(c.proofs[0].target() == r.one);
        CHECK(c.proofs[0].expires() == r.now + 10min);
    }

    TEST_CASE("absent: only from who ran the machine, or who vouches for its host") {
        for (const bool vouched : {false, true}) {
            CAPTURE(vouched);
            racks r;
            r.fail(r.one);
            REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::unknown("timeout")));
            rh::observed gone;
            gone.exists = false;
            gone.vouched = vouched;
            REQUIRE(answer_to(r, r.one, operation::describe, rh::outcome::done(gone)));
            CHECK(r.count(operation::recreate_instance) == (vouched ? 1U : 0U));
            CHECK(r.told(decision::finish, reason::confirmed_absent) == (vouched ? 1U : 0U));
            if (vouched) CHECK(r.kind_used() == proof_kind::absent);
        }
    }

    TEST_CASE("a machine that exists is not absent, whoever vouches for it") {
        racks r;
        r.fail(r.one);
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::unknown("timeout")));
        rh::observed there = copy("id-1");
        there.vouched = true;
        there.running = false;
        REQUIRE(answer_to(r, r.one, operation::describe, rh::outcome::done(there)));
        CHECK(r.told(decision::finish, reason::found_not_done) == 1);
        CHECK(r.count(operation::recreate_instance) == 0);
    }

    TEST_CASE("lease_expired: no fence is needed, and a wait for the fence ends when the lease is over") {
        racks r;
        r.e.renew({r.one, start + 5min, 60s, true});
        r.fail(r.one);
        REQUIRE(r.count(operation::fence_instance) == 1);
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::failed("its board has no power")));
        while (r.now < start + 6min + 30s - 1s) {
            REQUIRE(r.run_for(1s));
            if (support::phase_of(r, r.one) == rh::phase::fencing)
                answer_to(r, r.one, operation::fence_instance, rh::outcome::failed("its board has no power"));
        }
        CHECK(r.count(operation::recreate_instance) == 0);
        CHECK(support::answer_of(r, r.one, guard::backoff).why == reason::proof_required);
        CHECK(support::answer_of(r, r.one, guard::backoff).next <= start + 6min + 30s);
        REQUIRE(r.run_until(start + 6min + 30s));
        r.step();
        REQUIRE(r.count(operation::recreate_instance) == 1);
        CHECK(r.kind_used() == proof_kind::lease_expired);
        CHECK(r.told(decision::accept, reason::already_dead) == 1);
    }

    TEST_CASE("a lease whose watchdog is not tied to it is no proof, and neither is one that was renewed") {
        racks r;
        r.e.renew({r.one, start, 0s, false});
        r.e.renew({r.far, start, 0s, true});
        r.e.renew({r.e.find(rh::level::stack, "s"), start, 0s, true}); // not an instance
        r.e.renew({rh::target_id{999}, start, 0s, true});
        r.pass(1h);
        r.e.renew({r.far, r.now + 1min, 0s, true});
        r.step();
        r.fail(r.one);
        CHECK(calls_for(r, r.one, operation::fence_instance) == 1);
        CHECK(r.count(operation::recreate_instance) == 0);

        racks s;
        s.e.renew({s.far, start, 0s, true});
        s.pass(1h);
        s.e.renew({s.far, s.now + 1min, 0s, true});
        s.fail(s.far);
        CHECK(calls_for(s, s.far, operation::fence_instance) == 1);
    }

    TEST_CASE("confirmed: a named operator's word is a proof for its incident, and for as long as it says") {
        racks r;
        r.e.operate({rh::operator_verb::confirm_dead, r.one, "ann", "I pulled the plug", rh::never}, r.now);
        r.step(); // it opens the incident, too
        CHECK(r.count(operation::fence_instance) == 0);
        REQUIRE(r.count(operation::recreate_instance) == 1);
        CHECK(r.kind_used() == proof_kind::confirmed);

        racks late{rh::ladder{rh::recreate_instance{.approval = rh::required}}.lowered()};
        late.e.operate({rh::operator_verb::confirm_dead, late.one, "ann", {}, late.now + 2min}, late.now);
        late.sees(late.one, health::unhealthy);
        REQUIRE(late.run_for(3min));
        late.e.operate({rh::operator_verb::approve, late.one, "bob", {}, rh::never}, late.now);
        late.step();
        CHECK(late.count(operation::recreate_instance) == 0);
        CHECK(late.count(operation::fence_instance) == 1); // the word had expired

        racks unsaid;
        unsaid.e.operate({rh::operator_verb::confirm_dead, unsaid.one, "", "no name", rh::never}, unsaid.now);
        unsaid.fail(unsaid.one);
        CHECK(unsaid.count(operation::fence_instance) == 1);
    }

    TEST_CASE("confirmed by way of a service: its machine is meant; of a stack: nobody") {
        wiki w{recreate};
        w.e.operate({rh::operator_verb::confirm_dead, w.mysqld, "ann", {}, rh::never}, w.now);
        w.step();
        CHECK(calls_for(w, w.db, operation::recreate_instance) == 1);
        w.e.operate({rh::operator_verb::confirm_dead, w.stack, "ann", {}, rh::never}, w.now);
        w.e.operate({rh::operator_verb::confirm_dead, rh::no_target, "ann", {}, rh::never}, w.now);
        w.step();
        CHECK(w.told(decision::ignore, reason::not_understood) == 2);
    }

    TEST_CASE("a proof that comes while a fence fails is used instead of another fence") {
        racks r;
        r.fail(r.one);
        r.e.operate({rh::operator_verb::confirm_dead, r.one, "ann", {}, rh::never}, r.now);
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::failed("no power")));
        CHECK(r.count(operation::fence_instance) == 1);
        REQUIRE(r.count(operation::recreate_instance) == 1);
        CHECK(r.kind_used() == proof_kind::confirmed);
    }

    TEST_CASE("an operator's word ends the wait for a fence that failed") {
        racks r;
        r.fail(r.one);
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::failed("no power")));
        CHECK(support::answer_of(r, r.one, guard::backoff).why == reason::proof_required);
        REQUIRE(r.run_for(20s)); // the least distance between two actions
        r.e.operate({rh::operator_verb::confirm_dead, r.one, "ann", {}, rh::never}, r.now);
        r.step();
        CHECK(r.count(operation::recreate_instance) == 1);
    }

    TEST_CASE("a fence that fails backs off for as long as the cloud asks") {
        racks r;
        r.fail(r.one);
        rh::outcome busy = rh::outcome::refused("rate limited");
        busy.retry_after = 40min;
        REQUIRE(answer_to(r, r.one, operation::fence_instance, busy));
        CHECK(r.e.incident_of(r.one)->not_before == r.now + 40min);
        REQUIRE(r.run_for(39min));
        CHECK(r.count(operation::fence_instance) == 1);
        REQUIRE(r.run_for(2min));
        CHECK(r.count(operation::fence_instance) == 2);
    }

    TEST_CASE("a fence is no attempt: only the action spends") {
        racks r;
        r.fail(r.one);
        for (int n = 0; n < 5; ++n) {
            REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::failed("no")));
            while (support::phase_of(r, r.one) == rh::phase::deciding) REQUIRE(r.run_for(1s));
        }
        CHECK(r.e.incident_of(r.one)->attempts == 0);
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
        CHECK(r.e.incident_of(r.one)->attempts == 1);
        CHECK(r.count(operation::recreate_instance) == 1);
    }

    TEST_CASE("a stack is converged with a proof for each machine of it that is ill") {
        racks r{rh::ladder{rh::converge_stack{.approval = rh::consent::none}}.lowered()};
        r.sees(r.one, health::unhealthy);
        r.sees(r.far, health::unhealthy);
        r.step();
        REQUIRE(r.count(operation::fence_instance) == 2); // at the same time
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
        CHECK(r.count(operation::converge_stack) == 0);
        REQUIRE(answer_to(r, r.far, operation::fence_instance, rh::outcome::done()));
        REQUIRE(r.count(operation::converge_stack) == 1);
        CHECK(r.calls.back().proofs.size() == 2);
        CHECK(calls_for(r, r.two, operation::fence_instance) == 0);
    }

    TEST_CASE("a stack whose dead are known needs no fence, and waits for the one that is not") {
        racks r{rh::ladder{rh::converge_stack{.approval = rh::consent::none}}.lowered()};
        r.e.host_died("h1", proof_kind::fenced, r.now);
        r.sees(r.one, health::unhealthy);
        r.sees(r.two, health::unhealthy);
        r.sees(r.far, health::unhealthy);
        r.step();
        CHECK(calls_for(r, r.far, operation::fence_instance) == 1);
        CHECK(r.count(operation::fence_instance) == 1);
        REQUIRE(answer_to(r, r.far, operation::fence_instance, rh::outcome::failed("no")));
        CHECK(support::answer_of(r, r.one, guard::backoff).why == reason::proof_required);
        REQUIRE(r.run_for(20s));
        r.e.operate({rh::operator_verb::confirm_dead, r.far, "ann", {}, rh::never}, r.now);
        r.step();
        REQUIRE(r.count(operation::converge_stack) == 1);
        CHECK(r.calls.back().proofs.size() == 3);
    }
}

TEST_SUITE("proof: a dead host") {
    TEST_CASE("a host that is proved dead is a proof for all that ran there, and for nobody else") {
        racks r;
        r.e.host_died("h1", proof_kind::fenced, r.now);
        r.step();
        CHECK(r.told(decision::accept, reason::died) == 1);
        CHECK(support::records_of(r, rh::record_kind::death) == 1);
        r.fail(r.one);
        CHECK(calls_for(r, r.one, operation::recreate_instance) == 1);
        CHECK(r.count(operation::fence_instance) == 0);
        CHECK(r.kind_used() == proof_kind::fenced);
        r.sees(r.one, health::healthy);
        REQUIRE(answer_to(r, r.one, operation::recreate_instance, rh::outcome::done(copy("id-9", "h3"))));
        REQUIRE(r.run_for(1min));
        r.fail(r.far);
        CHECK(calls_for(r, r.far, operation::fence_instance) == 1);
    }

    TEST_CASE("an unknown host, and one of which it is known already, are only told") {
        racks r;
        r.e.host_died("nowhere", proof_kind::fenced, r.now);
        r.e.host_returned("h1", r.now);
        r.step();
        CHECK(r.told(decision::ignore, reason::died) == 1);
        CHECK(r.told(decision::ignore, reason::returned) == 1);
        CHECK(support::records_of(r, rh::record_kind::death) == 0);
        r.e.host_died("h1", proof_kind::absent, r.now);
        r.e.host_died("h1", proof_kind::absent, r.now);
        r.step();
        CHECK(r.told(decision::accept, reason::died) == 1);
        CHECK(r.told(decision::ignore, reason::died) == 2);
    }

    TEST_CASE("a host that returned proves nothing any more") {
        racks r;
        r.e.host_died("h1", proof_kind::fenced, r.now);
        r.e.host_returned("h1", r.now);
        r.step();
        CHECK(r.told(decision::accept, reason::returned) == 1);
        r.fail(r.one);
        CHECK(calls_for(r, r.one, operation::fence_instance) == 1);
        CHECK(calls_for(r, r.one, operation::recreate_instance) == 0);
    }

    TEST_CASE("what needs the host is skipped on a dead one") {
        racks r{rh::ladder{rh::reboot_instance{}, rh::rebuild_instance{}, rh::evacuate_instance{}}.lowered()};
        r.e.host_died("h1", proof_kind::fenced, r.now);
        r.fail(r.one);
        CHECK(r.told(decision::skip, reason::host_is_dead) == 2);
        CHECK(calls_for(r, r.one, operation::evacuate_instance) == 1);
    }

    TEST_CASE("the new copy is not dead with the old host, though nobody said where it runs") {
        racks r{rh::ladder{rh::recreate_instance{.attempts = 3, .sustained = {3, 4h}}}.lowered()};
        r.e.host_died("h1", proof_kind::fenced, r.now);
        r.fail(r.one);
        REQUIRE(calls_for(r, r.one, operation::recreate_instance) == 1);
        REQUIRE(answer_to(r, r.one, operation::recreate_instance, rh::outcome::done()));
        REQUIRE(r.run_for(2h)); // it did not help
        CHECK(r.told(decision::give_up, reason::verify_deadline) >= 1);
        CHECK(calls_for(r, r.one, operation::fence_instance) >= 1); // the new copy may run
        CHECK(calls_for(r, r.one, operation::recreate_instance) == 1);
    }

    TEST_CASE("nothing changed, says the cloud, and it may be wrong: the next copy needs a fence by name") {
        for (const bool refused : {false, true}) {
            for (const bool by_fence : {false, true}) {
                CAPTURE(refused);
                CAPTURE(by_fence);
                racks r{rh::ladder{rh::recreate_instance{.attempts = 3, .sustained = {3, 4h}}}.lowered()};
                r.e.host_died("h1", proof_kind::fenced, r.now);
                r.fail(r.one);
                REQUIRE(answer_to(r, r.one, operation::recreate_instance,
                                  refused ? rh::outcome::refused("quota") : rh::outcome::failed("no")));
                for (int n = 0; n < 60 && r.count(operation::fence_instance) == 0; ++n) REQUIRE(r.run_for(2s));
                CHECK(calls_for(r, r.one, operation::recreate_instance) == 1);
                if (by_fence) {
                    REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
                } else {
                    REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::failed("no power")));
                    r.e.operate({rh::operator_verb::confirm_dead, r.one, "ann", {}, rh::never}, r.now);
                }
                REQUIRE(r.run_for(5min));
                CHECK(calls_for(r, r.one, operation::recreate_instance) == 2);
            }
        }
    }

    TEST_CASE("where a copy stands is not known after a call that may have moved it") {
        racks r{rh::ladder{rh::recreate_instance{.attempts = 3, .sustained = {3, 4h}}}.lowered()};
        r.e.host_died("h1", proof_kind::fenced, r.now);
        r.fail(r.one);
        REQUIRE(answer_to(r, r.one, operation::recreate_instance, rh::outcome::refused("quota"))); // and moved it
        for (int n = 0; n < 60 && r.count(operation::fence_instance) == 0; ++n) REQUIRE(r.run_for(2s));
        // She looks after it by herself from here on: the fence is the last that is done.
        r.slow = true;
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
        r.step();
        r.e.operate({rh::operator_verb::maintain, r.one, "ann", "moved", rh::after(r.now, 1h)}, r.now);
        r.step();
        r.slow = false;
        r.e.durable(r.records.back().seq);
        r.step();
        REQUIRE(calls_for(r, r.one, operation::recreate_instance) == 1);
        REQUIRE(r.run_for(1min));
        r.sees(r.one, health::healthy);
        REQUIRE(r.run_for(2h));
        REQUIRE(r.e.incident_of(r.one) == nullptr);
        r.e.host_returned("h1", r.now);
        REQUIRE(r.run_for(2h));
        const auto fences = calls_for(r, r.one, operation::fence_instance);
        r.e.host_died("h1", proof_kind::fenced, r.now);
        r.fail(r.one);
        REQUIRE(r.run_for(30s));
        CHECK(calls_for(r, r.one, operation::fence_instance) == fences + 1);
        CHECK(calls_for(r, r.one, operation::recreate_instance) == 1); // not before that fence is answered
    }
}

TEST_SUITE("proof: back from the dead") {
    TEST_CASE("a copy that was proved dead and ran all the time breaks the trust: everything stops until an operator "
              "trusts") {
        racks r;
        r.replace(r.one, copy("id-9", "h2"));
        r.e.sighted({r.one, "id-1", "h1", r.now - 1h}, r.now);
        r.step();
        CHECK(r.e.trust_broken());
        CHECK(r.told(decision::page, reason::trust_broken) == 1);
        CHECK(support::records_of(r, rh::record_kind::trust) == 1);
        r.e.sighted({r.one, "id-1", "h1", r.now - 1h}, r.now);
        r.step();
        CHECK(r.told(decision::page, reason::trust_broken) == 1); // once

        const std::size_t before = r.calls.size();
        r.fail(r.far);
        REQUIRE(r.run_for(1h));
        CHECK(r.calls.size() == before);
        CHECK(support::answer_of(r, r.far, guard::trust).why == reason::trust_broken);
        CHECK(support::answer_of(r, r.far, guard::trust).next == rh::never);
        r.e.operate({rh::operator_verb::trust, rh::no_target, "ann", "the fence was rewired", rh::never}, r.now);
        r.step();
        CHECK_FALSE(r.e.trust_broken());
        CHECK(calls_for(r, r.far, operation::fence_instance) == 1);
    }

    TEST_CASE("a re-creation that was told done, and the copy that it should have replaced runs on under its id") {
        for (const bool booted : {false, true}) {
            racks r;
            r.replace(r.one, copy("id-1", "h1"));
            r.e.sighted({r.one, "id-1", "h1"}, r.now); // since when, nobody says
            r.step();
            CHECK_FALSE(r.e.trust_broken());
            r.e.sighted({r.one, "id-1", "h1", booted ? r.now + 1s : start - 1h}, r.now);
            r.step();
            CHECK(r.e.trust_broken() != booted);
        }
    }

    TEST_CASE("broken trust takes back what is not called yet") {
        racks r;
        r.replace(r.one, copy("id-9", "h2"));
        REQUIRE(r.run_for(1min));
        r.slow = true;
        r.fail(r.far);
        const std::size_t before = r.calls.size();
        r.e.sighted({r.one, "id-1", "h1", start - 1h}, r.now);
        r.e.durable(r.records.back().seq);
        r.step();
        CHECK(r.calls.size() == before);
        CHECK(r.told(decision::drop, reason::trust_broken) == 1);
    }

    TEST_CASE(
        "a copy is seen running whose proof of death is not spent yet: a false one breaks the trust, and one that "
        "was started again is dead no more") {
        for (const proof_kind by : {proof_kind::fenced, proof_kind::absent, proof_kind::confirmed}) {
            for (const bool again : {false, true}) {
                CAPTURE(static_cast<int>(by));
                CAPTURE(again);
                racks r;
                r.slow = by != proof_kind::fenced; // the proof is held as long as the journal writes
                if (by == proof_kind::absent) r.e.host_died("h1", by, r.now);
                if (by == proof_kind::confirmed)
                    r.e.operate({rh::operator_verb::confirm_dead, r.one, "ann", {}, rh::never}, r.now);
                r.fail(r.one);
                if (by == proof_kind::fenced) {
                    r.e.sighted({r.one, "id-1", "h1", start - 1h}, r.now); // as it may, before the fence
                    r.slow = true;
                    REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
                }
                REQUIRE(support::phase_of(r, r.one) == rh::phase::acting);
                const std::size_t fences = r.count(operation::fence_instance);
                const rh::time_point minted = r.now;
                r.pass(10s);
                r.e.sighted({r.one, "id-7", "h1", start - 1h}, r.now); // another one
                r.e.sighted({r.two, "id-2", "h1", start - 1h}, r.now); // nobody says that it is dead
                r.step();
                CHECK_FALSE(r.e.trust_broken());
                r.e.sighted({r.one, "id-1", "h1", again ? minted + 1s : minted}, r.now);
                r.step();
                CHECK(r.e.trust_broken() == !again);
                CHECK(r.told(decision::page, reason::trust_broken) == (again ? 0 : 1));
                CHECK(r.told(decision::change, reason::returned) == (again ? 1 : 0));
                CHECK(r.told(decision::accept, reason::returned) == (by == proof_kind::absent ? 1 : 0)); // its host
                // Whoever trusts again does not mean this proof.
                r.e.operate({rh::operator_verb::trust, rh::no_target, "ann", {}, rh::never}, r.now);
                r.step();
                CHECK(r.told(decision::drop, reason::proof_expired) == 0);
                r.slow = false;
                r.e.durable(r.records.back().seq);
                r.step();
                CHECK(r.told(decision::drop, reason::proof_expired) == 1);
                REQUIRE(r.run_for(30s));
                CHECK(r.count(operation::recreate_instance) == 0);
                CHECK(r.count(operation::fence_instance) > fences);
                REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
                CHECK(r.count(operation::recreate_instance) == 1);
            }
        }
    }

    TEST_CASE("what was said before an action does not show that it helped") {
        racks r{rh::ladder{rh::reboot_instance{}}.lowered()};
        r.e.observe({r.one, rh::vantage::driver_status, health::healthy, r.now});
        r.pass(1s);
        r.e.observe({r.one, rh::vantage::cloud_event, health::unhealthy, r.now});
        r.step();
        REQUIRE(r.count(operation::reboot_instance) == 1);
        REQUIRE(answer_to(r, r.one, operation::reboot_instance, rh::outcome::done()));
        r.pass(1s);
        r.e.observe({r.one, rh::vantage::cloud_event, health::unknown, r.now});
        r.step();
        CHECK(r.told(decision::recover, reason::verified) == 0);
        r.e.observe({r.one, rh::vantage::driver_status, health::healthy, r.now});
        r.step();
        CHECK(r.told(decision::recover, reason::verified) == 1);
    }

    TEST_CASE("a death that is not used yet proves nothing once its copy was seen running") {
        for (const bool again : {false, true}) {
            CAPTURE(again);
            racks r;
            r.e.operate({rh::operator_verb::freeze, r.one, "ann", "a look", r.now + 1h}, r.now);
            r.e.host_died("h1", proof_kind::fenced, r.now);
            r.fail(r.one);
            REQUIRE(r.e.incident_of(r.one)->at == rh::phase::deciding);
            r.pass(1min);
            r.e.sighted({r.one, "id-1", "h1", again ? r.now - 1s : start - 1h}, r.now);
            r.step();
            CHECK(r.e.trust_broken() == !again);
            CHECK(r.told(decision::change, reason::returned) == (again ? 1 : 0));
            r.e.operate({rh::operator_verb::trust, rh::no_target, "ann", {}, rh::never}, r.now);
            r.e.operate({rh::operator_verb::thaw, r.one, "ann", {}, rh::never}, r.now);
            r.step();
            CHECK(r.count(operation::recreate_instance) == 0);
            CHECK(r.count(operation::fence_instance) == 1); // it is proved anew
        }
    }

    TEST_CASE("no copy is started beside one that returned and could not be fenced") {
        racks r;
        r.replace(r.one, copy("id-9", "h2"));
        REQUIRE(r.run_for(5h));
        r.e.sighted({r.one, "id-1", "h1", r.now - 1min}, r.now);
        r.step();
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::failed("no")));
        r.fail(r.one);
        CHECK(r.told(decision::wait, reason::returned) == 1);
        const std::size_t fences = r.count(operation::fence_instance);
        r.e.operate({rh::operator_verb::trust, r.one, "ann", {}, rh::never}, r.now);
        r.step();
        REQUIRE(r.count(operation::fence_instance) == fences + 1);
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
        CHECK(r.count(operation::recreate_instance) == 2);
    }

    TEST_CASE("a copy that returns while its replacement is being verified is fenced after that") {
        racks r;
        r.fail(r.one);
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
        REQUIRE(answer_to(r, r.one, operation::recreate_instance, rh::outcome::done(copy("id-9", "h2"))));
        r.pass(3min);
        r.e.sighted({r.one, "id-1", "h1", r.now - 1min}, r.now);
        r.step();
        CHECK(r.count(operation::fence_instance) == 1);
        r.sees(r.one, health::healthy);
        r.step();
        REQUIRE(r.count(operation::fence_instance) == 2);
        CHECK(r.calls.back().what.cloud_id == "id-1");
    }

    TEST_CASE("a copy that is seen running while nobody knows what its creation came to is no false proof") {
        racks r;
        r.fail(r.one);
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
        REQUIRE(answer_to(r, r.one, operation::recreate_instance, rh::outcome::unknown("timeout")));
        rh::observed building = copy("id-9", "h2");
        building.running = false;
        REQUIRE(answer_to(r, r.one, operation::describe, rh::outcome::done(building)));
        r.e.sighted({r.one, "id-9", "h2", start - 1h}, r.now); // its clock is wrong
        r.step();
        CHECK_FALSE(r.e.trust_broken());
        CHECK(r.told(decision::change, reason::returned) == 0);
    }

    TEST_CASE("an evacuated machine is told from its old copy by the host") {
        racks r{rh::ladder{rh::evacuate_instance{}}.lowered()};
        r.fail(r.one);
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
        REQUIRE(answer_to(r, r.one, operation::evacuate_instance, rh::outcome::done(copy("id-1", "h2"))));
        r.e.sighted({r.one, "id-1", "h2", start - 1h}, r.now); // the new place
        r.e.sighted({r.one, "id-1", "", start - 1h}, r.now);   // no place
        r.e.sighted({r.one, "id-1", "h7", start - 1h}, r.now); // neither
        r.e.sighted({r.far, "id-1", "h1", start - 1h}, r.now); // another target
        r.e.sighted({rh::target_id{99}, "id-1", "h1", start - 1h}, r.now);
        r.step();
        CHECK_FALSE(r.e.trust_broken());
        r.e.sighted({r.one, "id-1", "h1", start - 1h}, r.now);
        r.step();
        CHECK(r.e.trust_broken());
    }

    TEST_CASE("who can not tell copies apart does not break the trust") {
        bench r{recreate, support::at_once()};
        const auto vm = *r.e.add(rh::instance{.name = "vm"}); // nobody knows its cloud id
        r.sees(vm, health::unhealthy);
        r.step();
        REQUIRE(answer_to(r, vm, operation::fence_instance, rh::outcome::done()));
        REQUIRE(answer_to(r, vm, operation::recreate_instance, rh::outcome::done(copy("id-2", "h2"))));
        r.e.sighted({vm, "", "", start - 1h}, r.now);
        r.e.sighted({vm, "", "h2", start - 1h}, r.now);
        r.step();
        CHECK_FALSE(r.e.trust_broken());
    }

    TEST_CASE("a copy that was started again since is no broken proof: the policy says which one goes") {
        struct rule_case {
            rh::return_rule rule;
            rh::duration since; ///< the replacement was done at 0
            std::vector<std::string_view> stopped;
            std::string_view current;
            bool paged;
        };
        const rule_case cases[] = {
            {rh::return_rule::keep_replacement, 1min, {"id-1"}, "id-9", false},
            {rh::return_rule::keep_original, 1min, {"id-9"}, "id-1", false},
            {rh::return_rule::longest_running, 1min, {"id-1"}, "id-9", false},
            {rh::return_rule::longest_running, -1s, {"id-9"}, "id-1", false},
            {rh::return_rule::stop_both, 1min, {"id-1", "id-9"}, "id-9", true},
        };
        for (const rule_case& c : cases) {
            CAPTURE(static_cast<int>(c.rule));
            CAPTURE(c.since.count());
            rh::policy rules = recreate;
            rules.returned = c.rule;
            racks r{rules};
            r.fail(r.one);
            REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
            r.pass(2min); // the call was made at `start`
            REQUIRE(answer_to(r, r.one, operation::recreate_instance, rh::outcome::done(copy("id-9", "h2"))));
            r.sees(r.one, health::healthy);
            r.step();
            const rh::time_point replaced = r.now;
            REQUIRE(r.e.memory_of(r.one)->helped_at == replaced);
            r.pass(5min);
            const std::size_t before = r.calls.size();
            r.e.sighted({r.one, "id-1", "h1", replaced + c.since}, r.now);
            r.step();
            CHECK_FALSE(r.e.trust_broken());
            CHECK(r.told(decision::change, reason::returned) == 1);
            CHECK(r.told(decision::act, reason::returned) == c.stopped.size());
            REQUIRE(r.calls.size() == before + c.stopped.size());
            for (std::size_t n = 0; n < c.stopped.size(); ++n) {
                CHECK(r.calls[before + n].what.what == operation::fence_instance);
                CHECK(r.calls[before + n].what.cloud_id == c.stopped[n]);
            }
            CHECK(r.e.targets().cloud_id(r.one) == c.current);
            CHECK((r.told(decision::page, reason::returned) == 1) == c.paged);
            // They end as operations that were asked for, and what they saw of an old copy is not the current one's.
            for (std::size_t n = 0; n < c.stopped.size(); ++n)
                r.e.complete(r.calls[before + n].what.op, r.now, rh::outcome::done(copy("id-x")));
            r.step();
            CHECK(r.e.targets().cloud_id(r.one) == c.current);
            CHECK_FALSE(r.e.targets().busy(r.one));
        }
    }

    TEST_CASE("after a convergence the cloud is asked which copy is the current one") {
        racks r{rh::ladder{rh::converge_stack{.approval = rh::consent::none}}.lowered()};
        r.fail(r.one);
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
        REQUIRE(answer_to(r, r.e.find(rh::level::stack, "s"), operation::converge_stack, rh::outcome::done()));
        r.pass(1min);
        r.e.sighted({r.one, "id-9", "h2", r.now - 10s}, r.now); // it may be the new one or the old one
        r.step();
        CHECK(r.told(decision::page, reason::returned) == 0);
        REQUIRE(answer_to(r, r.one, operation::describe, rh::outcome::done(copy("id-9", "h2"))));
        CHECK(r.e.targets().cloud_id(r.one) == "id-9");
        r.sees(r.one, health::healthy);
        r.step();
        r.e.sighted({r.one, "id-1", "h1", r.now - 10s}, r.now);
        r.step();
        CHECK(r.told(decision::change, reason::returned) == 1);
        CHECK(r.calls.back().what.what == operation::fence_instance);
        CHECK(r.calls.back().what.cloud_id == "id-1");
    }

    TEST_CASE(
        "a cloud that made the new copy and said that it failed is asked, and the old one is known when it returns") {
        racks r;
        r.fail(r.one);
        REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
        REQUIRE(answer_to(r, r.one, operation::recreate_instance, rh::outcome::failed("no")));
        CHECK(r.e.targets().cloud_id(r.one) == "id-1"); // as far as the cloud is right
        r.e.sighted({r.one, "id-9", "h2", r.now}, r.now);
        r.step();
        CHECK(r.told(decision::page, reason::returned) == 1);
        REQUIRE(answer_to(r, r.one, operation::describe, rh::outcome::done(copy("id-9", "h2"))));
        r.sees(r.one, health::healthy);
        r.step();
        r.pass(1min);
        r.e.sighted({r.one, "id-9", "h2", r.now - 1min}, r.now); // no stranger any more
        r.e.sighted({r.one, "id-1", "h1", r.now - 10s}, r.now);
        r.step();
        CHECK(r.told(decision::page, reason::returned) == 1);
        CHECK(r.told(decision::change, reason::returned) == 1);
        CHECK(r.calls.back().what.what == operation::fence_instance);
        CHECK(r.calls.back().what.cloud_id == "id-1");
    }

    TEST_CASE("a copy that nobody knows is paged when it appears, and again when it comes back") {
        racks r;
        const auto seen = [&] {
            r.e.sighted({r.one, "id-7", "h2", r.now - 1min}, r.now);
            r.step();
        };
        seen();
        for (int minute = 0; minute < 30; ++minute) {
            REQUIRE(r.run_for(1min));
            seen();
        }
        CHECK(r.told(decision::page, reason::returned) == 1);
        REQUIRE(r.run_for(1h));
        seen();
        CHECK(r.told(decision::page, reason::returned) == 2);
        CHECK(r.count(operation::fence_instance) == 0); // which of the two has to go, a human says
    }

    TEST_CASE("a copy that returned is fenced until it is gone, and paged once") {
        racks r;
        r.replace(r.one, copy("id-9", "h2"));
        REQUIRE(r.run_for(5min));
        const auto fences = [&] {
            return std::count_if(r.calls.begin(), r.calls.end(), [](const rh::call& c) {
                return c.what.what == operation::fence_instance && c.what.cloud_id == "id-1" && c.what.replaced;
            });
        };
        const auto fence_fails = [&] {
            REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::failed("no")));
        };
        const auto seen = [&] {
            r.e.sighted({r.one, "id-1", "h1", r.now - 1min}, r.now);
            r.step();
        };
        const auto before = fences();
        seen();
        REQUIRE(fences() == before + 1);
        fence_fails();
        CHECK(r.told(decision::page, reason::returned) == 1);
        seen(); // makes it no sooner, and not twice
        CHECK(fences() == before + 1);
        REQUIRE(r.run_for(75s)); // a minute, a fifth more or less
        REQUIRE(fences() == before + 2);
        fence_fails();
        REQUIRE(r.run_for(95s));
        CHECK(fences() == before + 2);
        REQUIRE(r.run_for(50s)); // the pause has doubled
        REQUIRE(fences() == before + 3);

        SUBCASE("it works") {
            REQUIRE(answer_to(r, r.one, operation::fence_instance, rh::outcome::done()));
            REQUIRE(r.run_for(3h));
            CHECK(fences() == before + 3);
        }
        SUBCASE("its outcome is never known: it may run") {
            REQUIRE(r.run_for(30min));
            CHECK(fences() > before + 3);
        }
        SUBCASE("an operator says that it is settled") {
            fence_fails();
            r.e.operate({rh::operator_verb::trust, r.far, "ann", {}, rh::never}, r.now); // of another one
            r.step();
            CHECK(r.told(decision::accept, reason::operator_word) == 0);
            r.e.operate({rh::operator_verb::trust, r.one, "ann", {}, rh::never}, r.now);
            r.step();
            CHECK(r.told(decision::accept, reason::operator_word) == 1);
            REQUIRE(r.run_for(3h));
            CHECK(fences() == before + 3);
        }
        SUBCASE("an operator freezes everything: not before that is over") {
            fence_fails();
            r.e.operate({rh::operator_verb::freeze, rh::no_target, "ann", "at work", r.now + 2h}, r.now);
            REQUIRE(r.run_for(2h - 1s));
            CHECK(fences() == before + 3);
            REQUIRE(r.run_for(1s));
            r.step();
            CHECK(fences() == before + 4);
        }
        SUBCASE("the trust breaks meanwhile") {
            fence_fails();
            r.replace(r.far, copy("id-8", "h3"));
            r.e.sighted({r.far, "id-3", "h2", start - 1h}, r.now);
            REQUIRE(r.run_for(3h));
            CHECK(fences() == before + 3);
        }
        CHECK(r.told(decision::page, reason::returned) == 1);
        CHECK_FALSE(r.endless);
    }
}
