// SPDX-License-Identifier: MIT
#include <reheat/adapters/asio.hpp>
#include <reheat/reheat.hpp>

#include "handing_driver.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// Nothing here waits for a time: the loop looks by itself once an hour, so a wake that got lost is a test that stands
// still. It ends when everybody who was awaited has left.

namespace rh = reheat;
using namespace std::chrono_literals;

inline namespace pipelines_among_threads { // not anonymous: a coroutine's frame has them

using watched_pipeline = rh::pipeline<support::handing_driver, rh::system_time>;

/// Ends a loop when the last of several has left, on the loop's executor.
class last_one_out {
public:
    last_one_out(asio::any_io_executor executor, int inside) : executor_{std::move(executor)}, inside_{inside} {}
    void leave() {
        if (--inside_ == 0) asio::post(executor_, [this] { stop_.emit(asio::cancellation_type::terminal); });
    }
    [[nodiscard]] asio::cancellation_slot slot() noexcept { return stop_.slot(); }

private:
    asio::any_io_executor executor_;
    std::atomic<int> inside_;
    asio::cancellation_signal stop_;
};

/// Orders a creation after each that was answered, until all were.
struct creations {
    watched_pipeline* ha;
    last_one_out* door;
    int all;
    int ordered = 0;
    int answered = 0;
    std::uint64_t lost = 0;

    void order(rh::target_id instance) {
        ++ordered;
        ha->order_creation(instance);
        ha->mail().wake();
    }
    void order() { order(*ha->add(rh::instance{.name = "vm-" + std::to_string(ordered)})); }
    void operator()(const rh::event& v) {
        if (v.why == rh::reason::inbox_overflow) lost += static_cast<std::uint64_t>(v.value);
        const bool unknown = v.what == rh::decision::read_back;
        if (v.what != rh::decision::finish && !unknown) return;
        if (++answered == all) door->leave();
        if (ordered == all) return;
        // The target of an unknown outcome waits for its read-back; a new one takes its place.
        if (unknown) order();
        else order(v.target);
    }
};

struct deaf {
    void operator()(const rh::event&) const {}
};

/// A pipeline on an executor of a loop that so many threads run: four answer its calls, two post samples.
void run_among_threads(asio::io_context& io, const asio::any_io_executor& executor, int runners) {
    constexpr int all = 2'000;
    constexpr int at_once = 8; // so few that the loop goes to sleep, and is woken, often
    constexpr int posters = 2;
    constexpr int each = 5'000;
    support::handing_driver cloud;
    watched_pipeline ha{cloud, rh::system_time{}, rh::ladder{rh::reboot_instance{}}};
    REQUIRE(ha.open());
    const auto alarm = ha.watch(*ha.add(rh::instance{.name = "db-1"}), rh::heartbeat_alarm{.period = 1h});
    REQUIRE(alarm);
    last_one_out door{executor, 1 + posters};
    creations sink{&ha, &door, all};
    while (sink.ordered < at_once) sink.order();
    std::atomic<std::uint64_t> refused{0};
    int ended = 0;
    {
        const support::answering_threads workers{cloud};
        std::vector<std::jthread> threads;
        for (int n = 0; n < posters; ++n) {
            threads.emplace_back([&] {
                for (int s = 0; s < each; ++s) refused += ha.post(*alarm, rh::heartbeat) ? 0U : 1U;
                door.leave();
            });
        }
        rh::async_run(
            ha, executor, sink,
            asio::bind_cancellation_slot(door.slot(), [&](std::exception_ptr failed) { ended += failed ? 100 : 1; }),
            1h);
        for (int n = 1; n < runners; ++n) threads.emplace_back([&io] { io.run(); });
        io.run();
    }
    ha.poll(sink);
    CHECK(ended == 1);
    CHECK(sink.ordered == all);
    CHECK(sink.answered >= all);
    CHECK(sink.lost == refused);
}

} // namespace pipelines_among_threads

TEST_SUITE("asio threads") {
    TEST_CASE("a pipeline in a loop is answered and told by other threads, and none of it is lost") {
        asio::io_context io{1};
        run_among_threads(io, io.get_executor(), 1);
    }

    TEST_CASE("a pipeline on a strand goes from thread to thread of its loop") {
        asio::io_context io;
        run_among_threads(io, asio::make_strand(io), 3);
    }

    TEST_CASE("threads may answer and post when the loop that ran a pipeline is gone") {
        for (int round = 0; round < 50; ++round) {
            support::handing_driver cloud;
            watched_pipeline ha{cloud, rh::system_time{}, rh::ladder{rh::reboot_instance{}}};
            const auto alarm = ha.watch(*ha.add(rh::instance{.name = "db-1"}), rh::heartbeat_alarm{.period = 1h});
            for (int n = 0; n < 20; ++n) ha.order_creation(*ha.add(rh::instance{.name = "vm-" + std::to_string(n)}));
            const support::answering_threads workers{cloud};
            std::atomic<int> posted{0};
            std::jthread poster{[&] {
                for (int s = 0; s < 500; ++s) posted += ha.post(*alarm, rh::heartbeat) ? 1 : 0;
            }};
            {
                asio::io_context io{1};
                asio::cancellation_signal stop;
                int ended = 0;
                rh::async_run(ha, io.get_executor(), deaf{},
                              asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { ++ended; }), 1h);
                while (posted == 0) io.poll();
                stop.emit(asio::cancellation_type::terminal);
                io.run();
                CHECK(ended == 1);
            }
            ha.poll(); // nobody sleeps any more
        }
    }
}
