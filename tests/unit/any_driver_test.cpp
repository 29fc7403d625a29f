// SPDX-License-Identifier: MIT
#include <reheat/driver/any_driver.hpp>
#include <reheat/recovery/climbable.hpp>
#include <reheat/recovery/ladder.hpp>
#include <reheat/runner/any_driver_for.hpp>
#include <reheat/runner/deadline_driver.hpp>

#include "wrapper_support.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string_view>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::operation;
using rh::outcome_code;
using rh::time_view;
using support::notebook;
using wrapper_support::caller;

namespace {

/// It can say what is, and reboot. It can be moved, not copied, and tells when it is gone.
class small_cloud {
public:
    explicit small_cloud(std::shared_ptr<int> life = {}, std::string name = {})
        : life_{std::move(life)}, name_{std::move(name)} {}
    small_cloud(small_cloud&&) = default;
    small_cloud& operator=(small_cloud&&) = default;
    small_cloud(const small_cloud&) = delete;
    small_cloud& operator=(const small_cloud&) = delete;
    ~small_cloud() = default;

    void describe(const rh::request&, rh::completion done) { done(rh::outcome::done()); }
    void reboot(const rh::request&, rh::completion done) {
        if (life_) ++*life_;
        done(rh::outcome::failed(name_));
    }

private:
    std::shared_ptr<int> life_;
    std::string name_;
};

/// What decides at run time which cloud it is.
rh::any_driver choose(std::string_view name, notebook& big) {
    if (name == "small") return rh::any_driver{std::in_place_type<small_cloud>, std::shared_ptr<int>{}, "small"};
    return rh::any_driver{big};
}

} // namespace

TEST_CASE("any_driver makes each call on the driver in it, with all that belongs to it") {
    notebook cloud;
    caller me;
    rh::any_driver any{cloud};
    rh::any_driver_like<notebook> listed{cloud};
    const auto call_all = [&me](auto& d) {
        const auto ask = [&me](operation what) { return me.ask(what); };
        rh::completion done = me.next();
        d.describe(ask(operation::describe), std::move(done));
        done = me.next();
        d.create(ask(operation::create_instance), std::move(done));
        done = me.next();
        d.restart_service(ask(operation::restart_service), std::move(done));
        done = me.next();
        d.reboot(ask(operation::reboot_instance), std::move(done));
        done = me.next();
        d.rebuild(ask(operation::rebuild_instance), std::move(done));
        done = me.next();
        d.fence(ask(operation::fence_instance), std::move(done));
        rh::proof_of_death proof =
            rh::testing::mint_proof(static_cast<rh::incident_id>(1), static_cast<rh::target_id>(1));
        done = me.next();
        d.recreate(ask(operation::recreate_instance), std::move(proof), std::move(done));
        rh::proof_of_death other =
            rh::testing::mint_proof(static_cast<rh::incident_id>(1), static_cast<rh::target_id>(1));
        done = me.next();
        d.evacuate(ask(operation::evacuate_instance), std::move(other), std::move(done));
        done = me.next();
        d.converge(ask(operation::converge_stack), std::span<rh::proof_of_death>{}, std::move(done));
    };
    call_all(any);
    call_all(listed);
    const operation all[]{operation::describe,          operation::create_instance,   operation::restart_service,
                          operation::reboot_instance,   operation::rebuild_instance,  operation::fence_instance,
                          operation::recreate_instance, operation::evacuate_instance, operation::converge_stack};
    REQUIRE(cloud.calls.size() == 2 * std::size(all));
    for (std::size_t n = 0; n < cloud.calls.size(); ++n) {
        CHECK(cloud.calls[n].what == all[n % std::size(all)]);
        CHECK(cloud.calls[n].op == static_cast<rh::op_id>(n + 1));
        CHECK(cloud.calls[n].name == "a machine whose name is no short text");
        cloud.kept[n](rh::outcome::done());
    }
    CHECK(me.heard().size() == 2 * std::size(all));
}

TEST_CASE("any_driver refuses what the driver in it can not do, and tells it before") {
    notebook big;
    rh::any_driver cloud = choose("small", big);
    CHECK(rh::capabilities_of(&cloud) == rh::capabilities_of<small_cloud>());
    caller me;
    me.reboot(cloud);
    CHECK(me.latest().reason == "small");
    me.recreate(cloud);
    CHECK(me.latest().code == outcome_code::refused);
    CHECK(me.latest().reason == "the driver has no such function");

    // A policy that is read at run time, against a cloud that is chosen at run time.
    const rh::policy rules = rh::ha_restarter.lowered();
    const auto lacking = rh::check_climbable(rules, rh::capabilities_of(&cloud));
    REQUIRE_FALSE(lacking);
    CHECK(to_string(lacking.error()).find("the driver has no function for") != std::string::npos);
    cloud = choose("big", big);
    CHECK(rh::capabilities_of(&cloud) == rh::capabilities_of<notebook>());
    CHECK(rh::check_climbable(rules, rh::capabilities_of(&cloud)));
    me.recreate(cloud);
    CHECK(big.calls.size() == 1);

    // What wraps it knows no more and no less.
    rh::any_driver least = choose("small", big);
    rh::manual_clock clock;
    rh::deadline_driver patient{least, time_view{clock}};
    rh::any_driver again{patient};
    CHECK(rh::capabilities_of(&patient) == rh::capabilities_of<small_cloud>());
    CHECK(rh::capabilities_of(&again) == rh::capabilities_of<small_cloud>());
    const notebook& itself = big;
    CHECK(rh::capabilities_of(&itself) == rh::capabilities_of<notebook>());
}

TEST_CASE("any_driver refers to an lvalue and owns an rvalue") {
    const auto life = std::make_shared<int>(0);
    caller me;
    {
        small_cloud mine{life};
        {
            rh::any_driver refers{mine};
            me.reboot(refers);
            CHECK(life.use_count() == 2);
        }
        CHECK(life.use_count() == 2);
        rh::any_driver owns{std::move(mine)};
        CHECK(life.use_count() == 2);
        rh::any_driver moved{std::move(owns)};
        me.reboot(moved);
        auto made = rh::make_any_driver(small_cloud{life});
        me.reboot(made);
        auto place = rh::basic_any_driver<rh::function::reboot>{std::in_place_type<small_cloud>, life};
        me.reboot(place);
        CHECK(life.use_count() == 4);
        made = std::move(place);
        CHECK(life.use_count() == 3);
    }
    CHECK(life.use_count() == 1);
    CHECK(*life == 4);
    CHECK(me.heard().size() == 4);
}

TEST_CASE("any_driver polls the driver in it") {
    rh::manual_clock clock;
    notebook cloud;
    caller me;
    rh::deadline_driver patient{cloud, time_view{clock}, {.limit = 5s}};
    rh::any_driver any{patient};
    auto listed = rh::make_any_driver(patient);
    CHECK(any.poll(clock.now()) == rh::never);
    me.reboot(any);
    CHECK(any.poll(clock.now()) == clock.now() + 5s);
    CHECK(listed.poll(clock.now()) == clock.now() + 5s);
    clock.advance(5s);
    CHECK(listed.poll(clock.now()) == clock.now());
    CHECK(me.latest().code == outcome_code::unknown);
    rh::any_driver plain{cloud};
    CHECK(plain.poll(clock.now()) == rh::never);
}

TEST_CASE("a driver for a ladder is all that a pipeline with that ladder needs") {
    constexpr rh::ladder steps{rh::reboot_instance{}};
    using my_driver = rh::any_driver_for<decltype(steps)>;
    notebook big;
    for (const bool small : {true, false}) {
        my_driver cloud = small ? my_driver{std::in_place_type<small_cloud>} : my_driver{big};
        rh::pipeline ha{cloud, rh::manual_clock{}, steps};
        CHECK(ha.open());
        CHECK_FALSE(ha.add_policy(rh::ha_restarter.lowered())); // for which it is not made
    }
}
