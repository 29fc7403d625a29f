// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <type_traits>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::outcome_code;

namespace {

/// Counts what is delivered; lives until the last completion lets it go.
class counting_sink final : public rh::completion_sink {
public:
    explicit counting_sink(bool& gone) : gone_{&gone} {}
    ~counting_sink() override { *gone_ = true; }
    void deliver(rh::op_id op, rh::outcome&& result, bool repeated) noexcept override {
        last = op;
        code = result.code;
        why = std::move(result.reason);
        ++(repeated ? repeats : first);
    }

    rh::op_id last{};
    outcome_code code{};
    std::string why;
    int first = 0;
    int repeats = 0;

private:
    bool* gone_;
};

struct sink_fixture {
    bool gone = false;
    counting_sink* sink = new counting_sink{gone};
    ~sink_fixture() { sink->release(); }
};

constexpr rh::op_id op{7};

} // namespace

TEST_SUITE("completion") {
    TEST_CASE_FIXTURE(sink_fixture, "called once it delivers once") {
        {
            rh::completion done{op, *sink};
            CHECK(done.op() == op);
            done(rh::outcome::failed("no"));
        }
        CHECK(sink->first == 1);
        CHECK(sink->repeats == 0);
        CHECK(sink->last == op);
        CHECK(sink->code == outcome_code::failed);
        CHECK(sink->why == "no");
    }

    TEST_CASE_FIXTURE(sink_fixture, "called twice it says so") {
        rh::completion done{op, *sink};
        done(rh::outcome::done());
        rh::completion moved = std::move(done);
        moved(rh::outcome::failed("after all"));
        CHECK(sink->first == 1);
        CHECK(sink->repeats == 1);
    }

    TEST_CASE_FIXTURE(sink_fixture, "destroyed uncalled it delivers unknown") {
        {
            const rh::completion dropped{op, *sink};
        }
        CHECK(sink->first == 1);
        CHECK(sink->code == outcome_code::unknown);
    }

    TEST_CASE_FIXTURE(sink_fixture, "moved from it does nothing, and assigned over it delivers what it held") {
        rh::completion one{op, *sink};
        rh::completion two = std::move(one);
        one(rh::outcome::done()); // NOLINT(bugprone-use-after-move)
        CHECK(sink->first == 0);
        two = rh::completion{rh::op_id{8}, *sink};
        CHECK(sink->first == 1);
        CHECK(sink->last == op);
        CHECK(sink->code == outcome_code::unknown);
        rh::completion& same = two;
        two = std::move(same);
        two(rh::outcome::done());
        CHECK(sink->first == 2);
        CHECK(sink->last == rh::op_id{8});
    }

    TEST_CASE("it keeps its sink alive") {
        bool gone = false;
        auto* sink = new counting_sink{gone};
        {
            const rh::completion last{op, *sink};
            sink->release();
            CHECK_FALSE(gone);
        }
        CHECK(gone);
    }
}

TEST_SUITE("outcome") {
    TEST_CASE("each maker makes its code") {
        CHECK(rh::outcome::done().code == outcome_code::done);
        CHECK(rh::outcome::failed("x").code == outcome_code::failed);
        CHECK(rh::outcome::refused("x").reason == "x");
        CHECK(rh::outcome::unknown("x").code == outcome_code::unknown);
        CHECK(rh::outcome{}.code == outcome_code::unknown);
        CHECK(to_string(outcome_code::refused) == "refused");
    }

    TEST_CASE("no operation loses volumes or addresses, and every one that may make a second copy needs a proof") {
        for (auto o = rh::operation::none; o <= rh::operation::page;
             o = static_cast<rh::operation>(static_cast<int>(o) + 1)) {
            CAPTURE(to_string(o));
            CHECK((loss_of(o) & (rh::volumes | rh::fixed_addresses | rh::public_addresses)) == rh::asset::none);
            if (needs_proof(o)) CHECK(is_destructive(o));
        }
        CHECK(needs_proof(rh::operation::recreate_instance));
        CHECK(needs_proof(rh::operation::evacuate_instance));
        CHECK(needs_proof(rh::operation::converge_stack));
        CHECK_FALSE(needs_proof(rh::operation::fence_instance));
    }
}

TEST_SUITE("proof of death") {
    TEST_CASE("nobody but the engine makes one, and it can not be had twice") {
        using proof = rh::proof_of_death;
        static_assert(!std::is_default_constructible_v<proof>);
        static_assert(!std::is_copy_constructible_v<proof>);
        static_assert(!std::is_copy_assignable_v<proof>);
        static_assert(!std::is_move_assignable_v<proof>);
        static_assert(std::is_nothrow_move_constructible_v<proof>);
        static_assert(!std::is_constructible_v<proof, rh::proof_kind, rh::incident_id, rh::target_id, rh::time_point>);
        static_assert(!std::is_aggregate_v<proof>);
        static_assert(!std::is_trivially_copyable_v<proof>);
    }
}

TEST_SUITE("clocks") {
    TEST_CASE("a manual clock stands until it is moved, and never goes back") {
        rh::manual_clock clock{support::start};
        CHECK(clock.now() == support::start);
        clock.advance(60s);
        CHECK(clock.now() == support::start + 60s);
        clock.advance(-1h);
        clock.advance_to(support::start);
        CHECK(clock.now() == support::start + 60s);
        CHECK(clock.real_wait(support::start) == 0s);
        CHECK(clock.real_wait(support::start + 2min) < 0s);
        clock.advance(rh::duration::max());
        CHECK(clock.now() == rh::never);
        clock.advance(1s);
        CHECK(clock.now() == rh::never);
    }

    TEST_CASE("real time does not go back, and what is over needs no wait") {
        const rh::system_time clock;
        rh::time_point last = clock.now();
        for (int n = 0; n < 1000; ++n) {
            const rh::time_point t = clock.now();
            REQUIRE(t >= last);
            last = t;
        }
        CHECK(clock.real_wait(last - 1h) == 0s);
        CHECK(clock.real_wait(last + 24h) > 1h);
    }

    TEST_CASE("a scaled clock divides its waits, and bounds its scale") {
        const rh::scaled_clock fast{3600};
        CHECK(fast.real_wait(fast.now() + 24h) <= 24s + 1ns);
        const rh::scaled_clock slow{-5}; // held at 0.001
        CHECK(slow.real_wait(slow.now() + 1h) > 100h);
        CHECK(fast.real_wait(fast.now() - 1h) == 0s);
    }

    TEST_CASE("a sum of times is held at never") {
        CHECK(rh::after(support::start, 1h) == support::start + 1h);
        CHECK(rh::after(rh::never, 1ns) == rh::never);
        CHECK(rh::after(support::start, rh::duration::max()) == rh::never);
        CHECK(rh::after(support::start, -1h) == support::start - 1h);
    }
}

TEST_SUITE("inbox") {
    TEST_CASE("first in, first out, for many rounds") {
        rh::inbox<int> box{4};
        int expected = 0;
        int value = 0;
        for (int n = 0; n < 1000; ++n) {
            REQUIRE(box.put(std::move(n)));
            if (n % 3 != 2) continue;
            while (box.take(value)) REQUIRE(value == expected++);
        }
        while (box.take(value)) REQUIRE(value == expected++);
        CHECK(expected == 1000);
        CHECK(box.take_losses() == 0);
    }

    TEST_CASE("a full one refuses, keeps what it has, and counts") {
        rh::inbox<int> box{3}; // rounded up to 4
        for (int n = 0; n < 4; ++n) CHECK(box.put(std::move(n)));
        int more = 9;
        CHECK_FALSE(box.put(std::move(more)));
        CHECK_FALSE(box.put(std::move(more)));
        CHECK(box.take_losses() == 2);
        CHECK(box.take_losses() == 0);
        int value = -1;
        CHECK(box.take(value));
        CHECK(value == 0);
        CHECK(box.put(std::move(more)));
    }

    TEST_CASE("a value that is refused is left with its owner") {
        rh::inbox<std::unique_ptr<int>> box{2};
        REQUIRE(box.put(std::make_unique<int>(1)));
        REQUIRE(box.put(std::make_unique<int>(2)));
        auto mine = std::make_unique<int>(3);
        CHECK_FALSE(box.put(std::move(mine)));
        REQUIRE(mine != nullptr); // NOLINT(bugprone-use-after-move)
    }
}
