// SPDX-License-Identifier: MIT
#include <reheat/reheat.hpp>
#include <reheat/runner/blocking_driver.hpp>

#include "wrapper_support.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// One thread here: the pool is drained by hand. `blocking_threads_test.cpp` has the threads.

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::completion;
using rh::outcome;
using rh::outcome_code;
using rh::request;
using wrapper_support::caller;

namespace {

struct manual_pool {
    void post(rh::worker_job job) { jobs.push_back(std::move(job)); }
    void run() {
        while (!jobs.empty()) {
            rh::worker_job job = std::move(jobs.front());
            jobs.pop_front();
            job();
        }
    }
    std::deque<rh::worker_job> jobs;
};
struct full_pool {
    [[nodiscard]] bool post(rh::worker_job&&) { return false; }
};

class notes {
public:
    outcome describe(const request&) { return outcome::done(); }
    outcome reboot(const request& r) {
        called.emplace_back(r.instance);
#if defined(__cpp_exceptions)
        if (throws) throw std::runtime_error{"the API is gone"};
#endif
        return outcome::failed("no");
    }
    outcome recreate(const request& r, rh::proof_of_death p) {
        called.emplace_back(std::string{r.instance} + (p.target() == r.target ? "!" : "?"));
        return outcome::done();
    }
    std::vector<std::string> called;
    bool throws = false;
};

const std::string name = "a machine whose name is no short text";

} // namespace

TEST_SUITE("blocking driver") {
    TEST_CASE(
        "what a function returns is the answer; the request's texts are kept until then, and the proof is spent") {
        caller c;
        notes cloud;
        manual_pool pool;
        rh::manual_clock clock;
        rh::blocking_driver driver{cloud, pool, rh::time_view{clock}};
        c.reboot(driver);
        c.recreate(driver);
        c.describe(driver);
        CHECK(c.heard().empty());
        CHECK(cloud.called.empty());
        pool.run();
        CHECK(cloud.called == std::vector<std::string>{name, name + "!"});
        REQUIRE(c.heard().size() == 3);
        CHECK(c.heard()[0].code == outcome_code::failed);
        CHECK(c.heard()[0].reason == "no");
        CHECK(c.heard()[1].code == outcome_code::done);
        CHECK(c.heard()[2].code == outcome_code::done);
        CHECK(driver.running() == 0);
    }

#if defined(__cpp_exceptions)
    TEST_CASE("a function that is left by an exception may have done anything") {
        caller c;
        notes cloud;
        cloud.throws = true;
        manual_pool pool;
        rh::manual_clock clock;
        rh::blocking_driver driver{cloud, pool, rh::time_view{clock}};
        c.reboot(driver);
        pool.run();
        CHECK(c.latest().code == outcome_code::unknown);
        CHECK(c.latest().reason == "it threw: the API is gone");
    }
#endif

    TEST_CASE("a call that waits for a thread until its deadline or its proof is over is not made") {
        caller c;
        notes cloud;
        manual_pool pool;
        rh::manual_clock clock;
        rh::blocking_driver driver{cloud, pool, rh::time_view{clock}};
        c.reboot(driver, rh::after(clock.now(), 10s));
        c.describe(driver, rh::after(clock.now(), 10s));
        c.recreate(driver, rh::after(clock.now(), 10s));
        clock.advance(11s);
        pool.run();
        CHECK(cloud.called.empty());
        REQUIRE(c.heard().size() == 3);
        CHECK(c.heard()[0].code == outcome_code::refused);
        CHECK(c.heard()[0].reason.find("too late") == 0);
        CHECK(c.heard()[1].code == outcome_code::unknown); // no answer is not the cloud's answer
        CHECK(c.heard()[2].code == outcome_code::refused);
        // Just in time is in time.
        c.reboot(driver, clock.now());
        pool.run();
        CHECK(cloud.called.size() == 1);
    }

    TEST_CASE("what no thread takes was never begun: a full pool, one that drops jobs, one that keeps them too long") {
        caller c;
        notes cloud;
        rh::manual_clock clock;
        full_pool full;
        rh::blocking_driver crowded{cloud, full, rh::time_view{clock}};
        c.reboot(crowded);
        CHECK(c.latest().code == outcome_code::refused);
        CHECK(c.latest().reason.find("never begun") == 0);

        manual_pool pool;
        {
            rh::blocking_driver driver{cloud, pool, rh::time_view{clock}};
            c.reboot(driver);
            c.describe(driver);
            c.reboot(driver);
            pool.jobs.pop_front();
            CHECK(c.heard().size() == 2);
            CHECK(c.latest().code == outcome_code::refused);
        }
        pool.run(); // the driver is gone
        CHECK(cloud.called.empty());
        REQUIRE(c.heard().size() == 4);
        CHECK(c.heard()[2].code == outcome_code::unknown);
        CHECK(c.heard()[3].code == outcome_code::refused);
    }

    TEST_CASE("a function of the usual shape may answer later, or never") {
        struct usual {
            void describe(const request&, completion done) { kept.emplace(std::move(done)); }
            outcome fence(const request&) { return outcome::done(); }
            void reboot(const request&, completion) {}
            std::optional<completion> kept;
        };
        caller c;
        usual cloud;
        manual_pool pool;
        rh::manual_clock clock;
        rh::blocking_driver driver{cloud, pool, rh::time_view{clock}};
        static_assert(rh::fences_instances<decltype(driver)> && rh::reboots_instances<decltype(driver)>);
        c.describe(driver);
        c.reboot(driver);
        pool.run();
        REQUIRE(c.heard().size() == 1);
        CHECK(c.latest().reason == "abandoned");
        (*cloud.kept)(outcome::done());
        CHECK(c.latest().code == outcome_code::done);
    }

    TEST_CASE("a job is done once, and says so where it never is") {
        int done = 0;
        rh::worker_job job{[&done]() noexcept { ++done; }};
        rh::worker_job moved{std::move(job)};
        moved();
        moved();
        CHECK(done == 1);
    }
}
