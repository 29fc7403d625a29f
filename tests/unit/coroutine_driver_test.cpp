// SPDX-License-Identifier: MIT
#include <reheat/reheat.hpp>
#include <reheat/runner/coroutine_driver.hpp>

#include "task.hpp"
#include "wrapper_support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <coroutine>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rh = reheat;
using rh::completion;
using rh::outcome;
using rh::outcome_code;
using rh::request;
using test_task::task;
using wrapper_support::caller;

inline namespace clouds_of_coroutines { // not anonymous: a coroutine's frame has them

/// An event loop of somebody's.
struct event_loop {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) { waiting.push_back(h); }
    void await_resume() const noexcept {}
    void run() {
        while (!waiting.empty()) {
            const std::coroutine_handle<> h = waiting.back();
            waiting.pop_back();
            h.resume();
        }
    }
    std::vector<std::coroutine_handle<>> waiting{};
};

struct cloud_of_tasks {
    event_loop& loop;
    int destroyed = 0;

    // No coroutine at all: an awaitable that is ready.
    struct ready {
        bool await_ready() const noexcept { return true; }
        void await_suspend(std::coroutine_handle<>) const noexcept {}
        outcome await_resume() const { return outcome::done(); }
    };
    ready describe(const request&) { return {}; }
    task<outcome> reboot(const request& r) {
        struct note {
            ~note() { ++of->destroyed; }
            cloud_of_tasks* of;
        };
        const note last{this};
        co_await loop;
        co_return outcome::failed(std::string{r.instance});
    }
    task<outcome> recreate(const request& r, rh::proof_of_death proof) {
        co_await loop;
        co_return outcome::failed(proof.target() == r.target ? "a proof" : "no proof");
    }
    task<outcome> converge(const request&, std::span<rh::proof_of_death> proofs) {
        co_await loop;
        std::string text;
        for (const rh::proof_of_death& p : proofs) text += std::to_string(static_cast<std::uint32_t>(p.target())) + " ";
        co_return outcome::failed(text);
    }
    task<outcome> fence([[maybe_unused]] const request& r) {
        co_await loop;
#if defined(__cpp_exceptions)
        if (!r.name.empty()) throw std::runtime_error{"the API is gone"};
#endif
        co_return outcome::unknown("it threw: the API is gone");
    }
};

/// Goes on on a thread of its own.
struct hop {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
        std::thread{[h] { h.resume(); }}.detach();
    }
    void await_resume() const noexcept {}
};

struct cloud_of_threads {
    task<outcome> describe(const request&) { co_return outcome::done(); }
    task<outcome> create(const request& r) {
        co_await hop{};
        co_return r.instance.size() > 20 ? outcome::done() : outcome::failed("its name is gone");
    }
    task<outcome> reboot(const request&) { co_return outcome::done(); }
};

} // namespace clouds_of_coroutines

TEST_SUITE("coroutine driver") {
    TEST_CASE("what is awaited is the answer, and the request, its texts and the proof live until then") {
        caller c;
        event_loop loop;
        cloud_of_tasks cloud{loop};
        rh::coroutine_driver driver{cloud};
        c.describe(driver);
        CHECK(c.latest().code == outcome_code::done); // ready at once
        c.reboot(driver);
        c.recreate(driver);
        CHECK(c.heard().size() == 1);
        CHECK(driver.open() == 2);
        loop.run();
        CHECK(driver.open() == 0);
        REQUIRE(c.heard().size() == 3);
        CHECK(c.heard()[1].reason == "a proof"); // the loop takes the youngest first
        CHECK(c.heard()[2].reason == "a machine whose name is no short text");
    }

    TEST_CASE("the proofs of a stack are the coroutine's") {
        caller c;
        event_loop loop;
        cloud_of_tasks cloud{loop};
        rh::coroutine_driver driver{cloud};
        {
            std::vector<rh::proof_of_death> proofs;
            for (std::uint32_t n = 1; n < 4; ++n)
                proofs.push_back(
                    rh::testing::mint_proof(static_cast<rh::incident_id>(7), static_cast<rh::target_id>(n)));
            completion done = c.next();
            driver.converge(c.ask(rh::operation::converge_stack), proofs, std::move(done));
        }
        loop.run();
        CHECK(c.latest().reason == "1 2 3 ");
    }

    TEST_CASE("a coroutine that is left by an exception may have done anything") {
        caller c;
        event_loop loop;
        cloud_of_tasks cloud{loop};
        rh::coroutine_driver driver{cloud};
        completion done = c.next();
        driver.fence(c.ask(rh::operation::fence_instance), std::move(done));
        loop.run();
        CHECK(c.latest().code == outcome_code::unknown);
        CHECK(c.latest().reason == "it threw: the API is gone");
    }

    TEST_CASE("coroutines go on after the driver, or are abandoned where nothing will resume them") {
        caller c;
        event_loop loop;
        cloud_of_tasks cloud{loop};
        {
            rh::coroutine_driver driver{cloud};
            c.reboot(driver);
        }
        loop.run();
        CHECK(c.latest().code == outcome_code::failed);

        rh::coroutine_driver driver{cloud};
        for (int n = 0; n < 3; ++n) c.reboot(driver);
        loop.waiting.clear(); // the loop has ended
        driver.abandon();
        CHECK(driver.open() == 0);
        CHECK(cloud.destroyed == 4);
        REQUIRE(c.heard().size() == 4);
        CHECK(c.latest().code == outcome_code::unknown);
        CHECK(c.latest().reason == "abandoned");
    }
}

TEST_SUITE("threads of a coroutine driver") {
    TEST_CASE("coroutines that are resumed by other threads answer a pipeline") {
        cloud_of_threads cloud;
        rh::coroutine_driver driver{cloud};
        rh::pipeline ha{driver, rh::system_time{}, rh::ladder{rh::reboot_instance{}}};
        constexpr int all = 500;
        for (int n = 0; n < all; ++n)
            ha.order_creation(*ha.add(rh::instance{.name = "a machine with a long name " + std::to_string(n)}));
        int done = 0;
        int other = 0;
        while (done + other < all) {
            ha.poll([&](const rh::event& v) {
                if (v.what == rh::decision::finish) ++(v.why == rh::reason::outcome_done ? done : other);
            });
        }
        CHECK(done == all);
        // A thread may still be on its way out of its coroutine.
        while (driver.open() != 0) std::this_thread::yield();
    }
}
