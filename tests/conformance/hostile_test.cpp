// SPDX-License-Identifier: MIT
#include <reheat/recovery/peers.hpp>
#include <reheat/reheat.hpp>
#include <reheat/sim/simulation.hpp>
#include <reheat/testing/proof_mint.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Ways round the rules, each of which has to be a dead end: the driver is never called.

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::operation;
using rh::outcome_code;
using rh::reason;
using rh::testing::mint_proof;

namespace {

constexpr rh::time_point now{std::chrono::seconds{1'767'225'600}};
constexpr rh::incident_id incident{7};
constexpr rh::target_id target{3};
constexpr rh::target_id other{4};

/// Counts calls of what a proof is needed for.
struct counting_cloud {
    int calls = 0;
    std::size_t proofs = 0;
    void describe(const rh::request&, rh::completion done) { done(rh::outcome::done()); }
    void recreate(const rh::request&, rh::proof_of_death, rh::completion done) { answer(std::move(done)); }
    void evacuate(const rh::request&, rh::proof_of_death, rh::completion done) { answer(std::move(done)); }
    void converge(const rh::request&, std::span<rh::proof_of_death> given, rh::completion done) {
        proofs = given.size();
        answer(std::move(done));
    }
    void answer(rh::completion done) {
        ++calls;
        done(rh::outcome::done());
    }
};

class last_outcome final : public rh::completion_sink {
public:
    void deliver(rh::op_id, rh::outcome&& result, bool) noexcept override {
        ++count;
        last = std::move(result);
    }
    rh::outcome last;
    int count = 0;
};

/// What comes of one call with these proofs.
struct attempt {
    outcome_code code{};
    int calls = 0;
    int outcomes = 0;
};

template <class... Proofs>
attempt try_with(operation what, Proofs&&... proofs) {
    counting_cloud cloud;
    auto* sink = new last_outcome;
    rh::call c;
    c.incident = incident;
    c.what.what = what;
    c.what.target = target;
    (c.proofs.push_back(std::forward<Proofs>(proofs)), ...);
    rh::dispatch(cloud, c, now, rh::completion{rh::op_id{1}, *sink});
    const attempt came_of_it{sink->last.code, cloud.calls, sink->count};
    sink->release();
    return came_of_it;
}

void refused(const attempt& a) {
    CHECK(a.code == outcome_code::refused);
    CHECK(a.calls == 0);
    CHECK(a.outcomes == 1);
}

using world = rh::simulation<>;

std::size_t told(const world& w, decision what, reason why) {
    std::size_t n = 0;
    for (const rh::event& v : w.events()) n += v.what == what && v.why == why ? 1U : 0U;
    return n;
}

} // namespace

TEST_SUITE("hostile") {
    TEST_CASE("with a proof that holds the driver is called: the control") {
        for (const operation o :
             {operation::recreate_instance, operation::evacuate_instance, operation::converge_stack}) {
            const attempt a = try_with(o, mint_proof(incident, target, now + 1ns));
            CHECK(a.code == outcome_code::done);
            CHECK(a.calls == 1);
        }
    }

    TEST_CASE("a second copy without a proof") {
        refused(try_with(operation::recreate_instance));
        refused(try_with(operation::evacuate_instance));
    }

    TEST_CASE("with an expired proof") {
        for (const operation o :
             {operation::recreate_instance, operation::evacuate_instance, operation::converge_stack}) {
            refused(try_with(o, mint_proof(incident, target, now)));
            refused(try_with(o, mint_proof(incident, target, now - 1h)));
        }
    }

    TEST_CASE("with a proof of another incident") {
        for (const operation o :
             {operation::recreate_instance, operation::evacuate_instance, operation::converge_stack})
            refused(try_with(o, mint_proof(rh::incident_id{8}, target)));
    }

    TEST_CASE("with a proof of another target, of none, or with one too many") {
        refused(try_with(operation::recreate_instance, mint_proof(incident, other)));
        refused(try_with(operation::evacuate_instance, mint_proof(incident, rh::no_target)));
        refused(try_with(operation::recreate_instance, mint_proof(incident, other), mint_proof(incident, target)));
    }

    TEST_CASE("with a proof that was used before") {
        rh::proof_of_death proof = mint_proof(incident, target);
        const rh::proof_of_death used = std::move(proof);
        CHECK(used.speaks_for(incident, target, now));
        CHECK_FALSE(proof.speaks_for(incident, target, now));               // NOLINT(bugprone-use-after-move)
        CHECK_FALSE(proof.speaks_for(rh::no_incident, rh::no_target, now)); // it speaks for nobody
        refused(try_with(operation::recreate_instance, std::move(proof)));
    }

    TEST_CASE("a stack is not converged if one of several proofs does not hold") {
        CHECK(try_with(operation::converge_stack, mint_proof(incident, target), mint_proof(incident, other)).calls ==
              1);
        refused(try_with(operation::converge_stack, mint_proof(incident, target), mint_proof(incident, other, now)));
    }

    TEST_CASE("an operation that the driver has no function for, or that is none of a driver's") {
        for (const operation o :
             {operation::reboot_instance, operation::fence_instance, operation::rebuild_instance,
              operation::restart_service, operation::create_instance, operation::none, operation::page})
            refused(try_with(o));
    }

    TEST_CASE("the engine's own proof does not open another engine's call") {
        rh::engine one{rh::ha_restarter.lowered(), {.bounds = rh::peer::no_limits}};
        const auto db = one.add(rh::instance{.name = "db"});
        rh::outputs out;
        const auto step = [&] {
            out.clear();
            one.step(now, out);
            for (const rh::record& r : out.records) one.durable(r.seq);
        };
        one.observe({*db, rh::vantage::driver_status, rh::health::unhealthy, now});
        step();
        step();
        REQUIRE(out.calls.size() == 1);
        one.complete(out.calls[0].what.op, now, rh::outcome::done());
        step();
        step();
        REQUIRE(out.calls.size() == 1);
        REQUIRE(out.calls[0].what.what == operation::recreate_instance);
        rh::call stolen = std::move(out.calls[0]);
        stolen.what.target = other;
        counting_cloud cloud;
        auto* sink = new last_outcome;
        rh::dispatch(cloud, stolen, now, rh::completion{rh::op_id{1}, *sink});
        CHECK(cloud.calls == 0);
        CHECK(sink->last.code == outcome_code::refused);
        sink->release();
    }

    TEST_CASE("every kind of answer to every call: never two copies, never stuck, and a page where nothing helps") {
        using manner = rh::mock_reply::manner;
        for (const manner how : {manner::later, manner::at_once, manner::abandoned, manner::silent, manner::twice}) {
            for (const outcome_code code :
                 {outcome_code::done, outcome_code::failed, outcome_code::refused, outcome_code::unknown}) {
                for (const bool takes_effect : {false, true}) {
                    CAPTURE(static_cast<int>(how));
                    CAPTURE(to_string(code));
                    CAPTURE(takes_effect);
                    world w{rh::three_levels};
                    REQUIRE(w.add_instance("db-1", {.stack = "wiki", .services = {"mysqld"}}));
                    for (const operation o :
                         {operation::restart_service, operation::reboot_instance, operation::fence_instance,
                          operation::recreate_instance, operation::describe})
                        w.cloud.always_reply(o,
                                             {.how = how, .code = code, .latency = {}, .takes_effect = takes_effect});
                    w.cloud.break_at(w.now() + 1h, "db-1", rh::fault::instance_lost);
                    w.run_for(48h);
                    CHECK(w.cloud.second_copies() == 0);
                    const rh::engine& e = w.ha().state();
                    const rh::incident* open = e.incident_of(e.find(rh::level::instance, "db-1"));
                    const bool paged = told(w, decision::page, reason::ladder_exhausted) +
                                           told(w, decision::page, reason::waited_long) !=
                                       0;
                    CHECK((open == nullptr || paged));
                    // Nothing is re-created unless a fence was done.
                    if (told(w, decision::accept, reason::proof_minted) == 0)
                        CHECK(w.cloud.count(operation::recreate_instance) == 0);
                }
            }
        }
    }

    TEST_CASE("a fence that only seems to work is not believed") {
        world w{rh::ha_restarter};
        REQUIRE(w.add_instance("db-1", {.stack = "wiki"}));
        w.cloud.always_reply(
            operation::fence_instance,
            {.how = rh::mock_reply::manner::later, .code = outcome_code::unknown, .latency = {}, .takes_effect = true});
        w.cloud.break_at(w.now() + 1h, "db-1", rh::fault::instance_hangs);
        w.run_for(6h);
        CHECK(w.cloud.count(operation::recreate_instance) == 0);
        CHECK(w.cloud.second_copies() == 0);
        CHECK(told(w, decision::page, reason::waited_long) == 1);
    }

    TEST_CASE("running for ever ends when nothing can happen any more") {
        world w{rh::three_levels};
        w.run_until(rh::never);
        CHECK(w.events().empty());
    }
}
