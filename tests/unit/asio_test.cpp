// SPDX-License-Identifier: MIT
#include <reheat/adapters/asio.hpp>
#include <reheat/reheat.hpp>

#include "wrapper_support.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::completion;
using rh::outcome;
using rh::outcome_code;
using rh::request;
using wrapper_support::caller;

inline namespace clouds_on_asio { // not anonymous: a coroutine's frame has them

// Capabilities: exactly those of the functions that return Asio's awaitables.

using answer = asio::awaitable<outcome>;

struct little {
    answer describe(const request&);
};
struct everything : little {
    answer create(const request&);
    answer restart_service(const request&);
    answer reboot(const request&);
    answer rebuild(const request&);
    answer fence(const request&);
    answer recreate(const request&, rh::proof_of_death);
    answer evacuate(const request&, rh::proof_of_death);
    answer forensics(const request&);
    answer converge(const request&, std::span<rh::proof_of_death>);
};
struct some : little {
    answer reboot(const request&);
    asio::awaitable<int> fence(const request&);
    answer recreate(const request&);
    outcome rebuild(const request&);
};
template <class D>
constexpr rh::capabilities can = rh::capabilities_of<rh::asio_driver<D>>();
constexpr rh::capabilities least = rh::capabilities{}
                                       .add(rh::operation::none)
                                       .add(rh::operation::describe)
                                       .add(rh::operation::page)
                                       .add(rh::operation::guest_restarts);
static_assert(can<little> == least);
static_assert(can<some> == rh::capabilities{least}.add(rh::operation::reboot_instance));
static_assert([] {
    for (std::size_t n = 0; n < rh::operation_count; ++n) {
        if (!can<everything>.has(static_cast<rh::operation>(n))) return false;
    }
    return true;
}());
static_assert(!rh::asio_cloud<int> && rh::time_source<rh::asio_time<>>);

/// Keeps the completions.
struct silent {
    void describe(const request& r, completion done) {
        names.emplace_back(r.name);
        open.push_back(std::move(done));
    }
    void reboot(const request& r, completion done) { describe(r, std::move(done)); }
    void recreate(const request& r, rh::proof_of_death, completion done) { describe(r, std::move(done)); }
    std::vector<std::string> names;
    std::vector<completion> open;
};

/// A clock that is moved by hand.
struct hand_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<hand_clock>;
    static time_point& time() {
        static time_point t{};
        return t;
    }
    static time_point now() { return time(); }
};

/// Answers after a turn of the loop, each in its way.
struct cloud_of_coroutines {
    answer describe(const request&) {
        co_await asio::post(asio::use_awaitable);
        throw std::runtime_error{"no route"};
    }
    answer recreate(const request& r, rh::proof_of_death p) {
        co_await asio::post(asio::use_awaitable);
        rh::observed seen;
        seen.cloud_id = std::string{r.name} + (p.target() == static_cast<rh::target_id>(1) ? "!" : "?");
        co_return outcome::done(seen);
    }
    answer reboot(const request&) {
        asio::steady_timer forever{co_await asio::this_coro::executor, std::chrono::hours{1}};
        co_await forever.async_wait(asio::use_awaitable);
        co_return outcome::done();
    }
};

/// Remembers what was decided.
struct listener {
    std::vector<rh::decision>* told;
    void operator()(const rh::event& e) const { told->push_back(e.what); }
};

request question(std::string_view name) {
    request r;
    r.what = rh::operation::describe;
    r.name = r.instance = name;
    return r;
}

} // namespace clouds_on_asio

TEST_SUITE("asio") {
    TEST_CASE("an operation goes with any completion token, and its answer comes on the executor") {
        asio::io_context io;
        silent cloud;
        std::vector<std::string> got;
        {
            std::string gone = "a machine whose name is no short text";
            rh::async_describe(io.get_executor(), cloud, question(gone),
                               [&](const outcome& o) { got.push_back("handler: " + o.reason); });
            asio::co_spawn(
                io,
                [&, r = question("db-2")]() -> asio::awaitable<void> {
                    const outcome o = co_await rh::async_call(io.get_executor(), cloud, r, asio::use_awaitable);
                    got.push_back("coroutine: " + o.reason);
                },
                asio::detached);
        }
        std::future<outcome> future = rh::async_call(io.get_executor(), cloud, question("db-3"), asio::use_future);
        io.poll();
        REQUIRE(cloud.open.size() == 3);
        CHECK(cloud.names[0] == "a machine whose name is no short text");
        cloud.open[0](outcome::failed("one"));
        cloud.open[0](outcome::failed("again")); // the first counts
        CHECK(cloud.names[2] == "db-2");         // spawned, so it began last
        cloud.open[2](outcome::failed("two"));
        cloud.open[1](outcome::failed("three"));
        CHECK(got.empty()); // never inline
        io.run();
        CHECK(got.size() == 2);
        CHECK(future.get().reason == "three");
    }

    TEST_CASE("an operation that the driver abandons is unknown, and so is one that is cancelled") {
        asio::io_context io;
        silent cloud;
        asio::cancellation_signal stop;
        std::vector<outcome> got;
        const auto keep = [&](outcome o) { got.push_back(std::move(o)); };
        rh::async_describe(io.get_executor(), cloud, question("db-1"), keep);
        rh::async_describe(io.get_executor(), cloud, question("db-2"), asio::bind_cancellation_slot(stop.slot(), keep));
        cloud.open.erase(cloud.open.begin());
        stop.emit(asio::cancellation_type::terminal);
        io.run();
        REQUIRE(got.size() == 2);
        CHECK(got[0].reason == "abandoned");
        CHECK(got[1].reason == "cancelled");
        CHECK(got[1].code == outcome_code::unknown);
        cloud.open[0](outcome::done()); // too late
        stop.emit(asio::cancellation_type::terminal);
        io.restart();
        io.run();
        CHECK(got.size() == 2);
    }

    TEST_CASE("what needs a proof of death is refused without one") {
        asio::io_context io;
        silent cloud;
        std::optional<outcome> got;
        request r = question("db-1");
        r.what = rh::operation::recreate_instance;
        rh::async_call(io.get_executor(), cloud, r, [&](outcome o) { got = std::move(o); });
        io.run();
        REQUIRE(got);
        CHECK(got->code == outcome_code::refused);
        CHECK(cloud.open.empty());
    }

    TEST_CASE("a coroutine keeps its request, its proof and what it throws") {
        caller c;
        cloud_of_coroutines cloud;
        auto io = std::make_unique<asio::io_context>();
        rh::asio_driver driver{cloud, io->get_executor()};
        c.recreate(driver);
        c.describe(driver);
        c.reboot(driver);
        CHECK(c.heard().empty());
        io->poll();
        REQUIRE(c.heard().size() == 2);
        CHECK(c.heard()[0].code == outcome_code::done);
        CHECK(c.heard()[1].code == outcome_code::unknown);
        CHECK(c.heard()[1].reason == "it threw: no route");
        io.reset(); // with an operation in flight
        REQUIRE(c.heard().size() == 3);
        CHECK(c.heard()[2].code == outcome_code::unknown);
        CHECK(c.heard()[2].reason == "abandoned");
    }

    TEST_CASE("a pipeline is polled by the loop, woken by what arrives, and ended by a cancellation") {
        asio::io_context io;
        silent cloud;
        rh::engine_options options;
        options.doubts.on = false; // it is polled late, on purpose
        rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::reboot_instance{}}, rh::volatile_journal{}, options};
        REQUIRE(ha.open());
        const auto db = ha.add(rh::instance{.name = "db-1"});
        const auto alarm = ha.watch(*db, rh::heartbeat_alarm{.period = 60s});
        REQUIRE(alarm);
        asio::cancellation_signal stop;
        int ended = 0;
        std::vector<rh::decision> told;
        const listener sink{&told};
        rh::async_run(
            ha, io.get_executor(), sink,
            asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr failed) { ended += failed ? 100 : 1; }),
            1h);
        io.poll();
        ha.time().advance(1min);
        CHECK(io.poll() == 0); // it sleeps: this time is not moved by any clock
        for (int n = 0; n < 100 && cloud.open.empty(); ++n) {
            ha.mail().wake();
            ha.mail().wake(); // once is enough, twice is no harm
            CHECK(io.poll() > 0);
            ha.time().advance(10s);
        }
        REQUIRE(cloud.open.size() == 1);
        std::vector<completion> answers = std::exchange(cloud.open, {});
        answers[0](outcome::done()); // wakes it
        io.poll();
        CHECK(std::find(told.begin(), told.end(), rh::decision::finish) != told.end());

        // A second runner is refused.
        std::exception_ptr refused;
        rh::async_run(ha, io.get_executor(), sink, [&](std::exception_ptr failed) { refused = failed; });
        io.poll();
        CHECK(refused != nullptr);
        CHECK(ended == 0);

        stop.emit(asio::cancellation_type::terminal);
        io.poll();
        CHECK(ended == 1);
        ha.mail().wake(); // nobody sleeps any more
        io.restart();
        io.poll();

        // And it can be run again.
        rh::async_run(ha, io.get_executor(), sink, asio::detached, 1h);
        io.poll();
        CHECK(ended == 1);
    }

    TEST_CASE("a pipeline outlives the loop that ran it") {
        silent cloud;
        rh::pipeline ha{cloud, rh::system_time{}, rh::ladder{rh::reboot_instance{}}};
        {
            asio::io_context io;
            std::vector<rh::decision> told;
            rh::async_run(ha, io.get_executor(), listener{&told}, asio::detached);
            io.poll();
        }
        ha.mail().wake();
        ha.poll();
    }

    TEST_CASE("a time source goes by a clock of Asio's user") {
        const rh::asio_time<hand_clock> source{rh::time_point{100s}};
        hand_clock::time() += 5s;
        CHECK(source.now() == rh::time_point{105s});
        CHECK(source.real_wait(rh::time_point{107s}) == 2s);
        CHECK(source.real_wait(rh::time_point{50s}) == 0s);
    }
}
