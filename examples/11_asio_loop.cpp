// SPDX-License-Identifier: MIT
// All of it in one Asio event loop: the cloud's functions are coroutines, heartbeats come from a timer, the pipeline is
// polled when something is due or has arrived, and a cancellation ends it.

#include <reheat/adapters/asio.hpp>
#include <reheat/reheat.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

namespace rh = reheat;
using namespace std::chrono_literals;

class my_cloud {
public:
    asio::awaitable<rh::outcome> describe(const rh::request&) {
        rh::observed seen;
        seen.exists = seen.running = true;
        seen.boot_id = "boot-" + std::to_string(boots_);
        co_return rh::outcome::done(seen);
    }
    // The request and its texts live as long as the coroutine.
    asio::awaitable<rh::outcome> reboot(const rh::request& r) {
        asio::steady_timer api{co_await asio::this_coro::executor, 20ms}; // stands for a call over the network
        co_await api.async_wait(asio::use_awaitable);
        std::printf("  cloud: rebooted %s\n", std::string{r.instance}.c_str());
        ++boots_;
        co_return rh::outcome::done();
    }
    [[nodiscard]] int boots() const { return boots_; }

private:
    int boots_ = 1;
};

int main() {
    asio::io_context io{1};
    my_cloud cloud;
    rh::asio_driver driver{cloud, io.get_executor()};
    rh::engine_options options;
    options.doubts.on = false; // a slow computer is no reason to doubt here: its stalls count 600 times
    rh::pipeline ha{driver, rh::scaled_clock{600}, rh::ladder{rh::reboot_instance{}}, rh::volatile_journal{}, options};
    if (auto opened = ha.open(); !opened) return EXIT_FAILURE;
    auto db = ha.add(rh::instance{.name = "db-1"});
    if (!db || !ha.watch(*db, rh::heartbeat_alarm{.period = 60s})) return EXIT_FAILURE;

    // It is silent until it was booted again.
    const auto heartbeats = [&]() -> asio::awaitable<void> {
        for (asio::steady_timer timer{io};;) {
            timer.expires_after(10ms);
            co_await timer.async_wait(asio::use_awaitable);
            if (cloud.boots() > 1) ha.push(*db, rh::heartbeat);
        }
    };
    asio::co_spawn(io, heartbeats, asio::detached);

    asio::cancellation_signal stop;
    bool recovered = false;
    const auto tell = [&](const rh::event& e) {
        std::puts(rh::to_text(ha.state(), e).c_str());
        if (e.what != rh::decision::recover) return;
        recovered = true;
        // Any of our operations goes with any completion token. This one asks the cloud once more, and ends the loop.
        rh::request r;
        r.name = r.instance = "db-1";
        rh::async_describe(io.get_executor(), driver, r, [&](const rh::outcome& o) {
            std::printf("  now: %s\n", o.seen.boot_id.c_str());
            stop.emit(asio::cancellation_type::terminal);
        });
    };
    rh::async_run(ha, io.get_executor(), tell,
                  asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { io.stop(); }));
    io.run_for(30s);
    return recovered && cloud.boots() == 2 ? EXIT_SUCCESS : EXIT_FAILURE;
}
