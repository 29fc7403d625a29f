// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>
#include <reheat/driver/forwarding.hpp>
#include <reheat/driver/relay.hpp>
#include <reheat/engine/effects.hpp>
#include <reheat/runner/clocks.hpp>
#include <reheat/runner/dispatch.hpp>
#include <reheat/runner/kept_call.hpp>
#include <reheat/runner/returning.hpp>
#include <reheat/runner/waker.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/basic_waitable_timer.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <concepts>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <system_error>
#include <type_traits>
#include <utility>

// Standalone Asio, 1.22 or newer: our operations with any completion token, drivers of Asio's coroutines, and pipelines
// in Asio's event loop.

#if !defined(ASIO_HAS_CO_AWAIT)
#error "reheat/adapters/asio.hpp: Asio 1.22 does not see that clang has coroutines: compile with -DASIO_HAS_CO_AWAIT=1"
#endif

namespace reheat::inline REHEAT_ABI {

// Our operations with any completion token

namespace detail {

/// Gives one answer to one handler, on the handler's executor: the driver's, or `unknown` if it is cancelled before.
template <class Handler, class Executor>
class asio_answer : public std::enable_shared_from_this<asio_answer<Handler, Executor>> {
public:
    asio_answer(Handler&& handler, const Executor& executor)
        : handler_{std::move(handler)}, slot_{asio::get_associated_cancellation_slot(handler_)},
          work_{asio::get_associated_executor(handler_, executor)} {}

    /// Before the driver is called.
    void listen() {
        if (!slot_.is_connected()) return;
        slot_.assign([self = this->weak_from_this()](asio::cancellation_type) {
            if (const auto alive = self.lock()) alive->give(outcome::unknown("cancelled"));
        });
    }
    /// Any thread; only the first counts.
    void give(outcome&& result) {
        if (given_.exchange(true, std::memory_order_acq_rel)) return;
        const auto executor = work_.get_executor();
        asio::post(executor, [self = this->shared_from_this(), o = std::move(result)]() mutable {
            self->slot_.clear();
            Handler handler{std::move(self->handler_)};
            self->work_.reset();
            self.reset(); // before the handler: its memory may be wanted again
            std::move(handler)(std::move(o));
        });
    }

private:
    using executor_type = asio::associated_executor_t<Handler, Executor>;

    Handler handler_;
    asio::associated_cancellation_slot_t<Handler> slot_;
    asio::executor_work_guard<executor_type> work_;
    std::atomic<bool> given_{false};
};

template <class Answer>
struct asio_bearer {
    std::shared_ptr<Answer> to;
    void answered(outcome&& result, bool) noexcept { to->give(std::move(result)); }
    void wake() noexcept {}
};

} // namespace detail

/// Makes one call of an engine on a driver, for those who run an engine in a loop of their own; see `dispatch` for what
/// it refuses. The signature of the token is `void(outcome)`: so `co_await async_call(…, asio::use_awaitable)` gives
/// the outcome. The driver is called when the operation begins, on that thread; the handler is called on its executor,
/// or on `executor`, never inline. Cancelled, it is `unknown`: the driver is not told, and what it answers later is
/// dropped. The call's deadline is not watched: bind a timer. Threads: as of the driver; it may answer on any.
///
///     asio::awaitable<void> carry_out(call c) {
///         const op_id op = c.what.op;
///         outcome o = co_await async_call(io.get_executor(), cloud, system_time{}, std::move(c), asio::use_awaitable);
///         engine.complete(op, time.now(), std::move(o));
///     }
template <class Executor, cloud_driver Driver, time_source Time, asio::completion_token_for<void(outcome)> Token>
auto async_call(const Executor& executor, Driver& driver, Time time, call what, Token&& token) {
    return asio::async_initiate<Token, void(outcome)>(
        [executor, to = &driver, time = std::move(time)](auto handler, call c) mutable {
            using answer = detail::asio_answer<decltype(handler), Executor>;
            auto shared = std::make_shared<answer>(std::move(handler), executor);
            shared->listen();
            const op_id op = c.what.op;
            dispatch(*to, c, time.now(), relayed(op, detail::asio_bearer<answer>{std::move(shared)}));
        },
        token, std::move(what));
}

/// The same for a request of your own, whose texts are copied: what `r.what` says, at any time. What needs a proof of
/// death is `refused`.
///
///     request r{.op = op_id{1}, .what = operation::describe, .name = "db-1", .instance = "db-1"};
///     async_call(io.get_executor(), cloud, r, [](outcome o) { … });
template <class Executor, cloud_driver Driver, asio::completion_token_for<void(outcome)> Token>
auto async_call(const Executor& executor, Driver& driver, const request& r, Token&& token) {
    call kept = detail::keep_call(function::describe{}, r);
    kept.what.what = r.what;
    return async_call(executor, driver, manual_clock{(time_point::min)()}, std::move(kept), std::forward<Token>(token));
}

/// `async_call` of `describe`, whatever `r.what` says.
template <class Executor, cloud_driver Driver, asio::completion_token_for<void(outcome)> Token>
auto async_describe(const Executor& executor, Driver& driver, request r, Token&& token) {
    r.what = operation::describe;
    return async_call(executor, driver, r, std::forward<Token>(token));
}

// Drivers of Asio's coroutines

namespace detail {

template <class R>
inline constexpr bool is_asio_awaitable_v = false;
template <class Executor>
inline constexpr bool is_asio_awaitable_v<asio::awaitable<outcome, Executor>> = true;
template <class R>
using is_asio_awaitable = std::bool_constant<is_asio_awaitable_v<R>>;

/// The call is kept by the coroutine, and the coroutine by the executor.
template <class Awaitable, class Function, class D>
Awaitable ask_on_executor(Function f, D* driver, call kept) {
    co_return co_await ask_kept(f, *driver, kept);
}

} // namespace detail

/// A cloud with functions that return `asio::awaitable<outcome>`. `describe` is the least, as of `cloud_driver`.
template <class D>
concept asio_cloud = detail::offers<detail::returning<D, detail::is_asio_awaitable>, function::describe>;

/// A driver whose functions are Asio's coroutines, spawned on an executor. It has exactly the capabilities of the
/// functions below. The request, its texts and its proofs live until the answer is there. What is awaited is the
/// answer; left by an exception it is `unknown`, and so it is if the executor's context drops the coroutine.
///
///     struct my_cloud {
///         asio::awaitable<outcome> describe(const request& r);
///         asio::awaitable<outcome> reboot(const request& r);
///     };
///     my_cloud cloud;
///     asio_driver driver{cloud, io.get_executor()};
///     pipeline ha{driver, system_time{}, three_levels};
///
/// It refers to the cloud. Its destructor waits for nothing: coroutines that are under way need the cloud until they
/// are over, or their context is gone. Threads: as of every driver; coroutines run on the executor.
template <asio_cloud Driver, class Executor = asio::any_io_executor>
class asio_driver
    : public driver_functions<asio_driver<Driver, Executor>, detail::returning<Driver, detail::is_asio_awaitable>> {
    friend driver_functions<asio_driver, detail::returning<Driver, detail::is_asio_awaitable>>;

public:
    asio_driver(Driver& cloud, Executor executor) : driver_{&cloud}, executor_{std::move(executor)} {}
    asio_driver(const asio_driver&) = delete;
    asio_driver& operator=(const asio_driver&) = delete;
    ~asio_driver() = default;

private:
    template <class Function, class... Proofs>
    void on_call(Function f, const request& r, completion done, Proofs&&... proofs) {
        using awaitable = decltype(detail::ask_kept(f, std::declval<Driver&>(), std::declval<call&>()));
        asio::co_spawn(
            executor_,
            detail::ask_on_executor<awaitable>(f, driver_, detail::keep_call(f, r, std::forward<Proofs>(proofs)...)),
            [done = std::move(done)](std::exception_ptr failed, outcome result) mutable {
                if (failed != nullptr) {
                    result = detail::answer_of([&failed]() -> outcome { std::rethrow_exception(failed); });
                }
                done(std::move(result));
            });
    }

    Driver* driver_;
    Executor executor_;
};

// Pipelines in Asio's event loop

/// Engine time that an Asio clock carries on from the wall clock, which is read once. `async_run` waits on the timers
/// of that clock. With the steady clock it agrees with `system_time`; a clock of your own, as one that is moved by hand
/// in tests, moves the engine too. Threads: as of the clock.
template <class Clock = std::chrono::steady_clock>
class asio_time {
public:
    using clock_type = Clock;

    asio_time()
        : asio_time{
              time_point{std::chrono::duration_cast<duration>(std::chrono::system_clock::now().time_since_epoch())}} {}
    /// It is `start` now.
    explicit asio_time(time_point start) : start_{start}, clock_{Clock::now()} {}

    [[nodiscard]] time_point now() const {
        return after(start_, std::chrono::duration_cast<duration>(Clock::now() - clock_));
    }
    [[nodiscard]] duration real_wait(time_point at) const {
        const time_point t = now();
        return at > t ? at - t : duration::zero();
    }

private:
    time_point start_;
    typename Clock::time_point clock_;
};

namespace detail {

template <class Time>
struct asio_clock {
    using type = std::chrono::steady_clock;
};
template <class Time>
    requires requires { typename Time::clock_type; }
struct asio_clock<Time> {
    using type = typename Time::clock_type;
};

/// Ends the wait of a loop, if there is a loop now. It is the mailbox's, and may outlive the loop and its context.
class asio_waker final : public waker {
    struct state {
        std::mutex mutex;
        asio::any_io_executor executor;
        void* timer = nullptr;
        void (*cancel)(void*) = nullptr;
        bool posted = false;
    };

public:
    void wake() noexcept override {
        const std::lock_guard<std::mutex> lock{state_->mutex};
        if (state_->timer == nullptr || state_->posted) return;
        state_->posted = true;
        asio::post(state_->executor, [of = state_] {
            const std::lock_guard<std::mutex> again{of->mutex};
            of->posted = false;
            if (of->timer != nullptr) of->cancel(of->timer);
        });
    }

    /// As long as it lives the waker wakes this timer's loop. False if there is another.
    template <class Timer>
    class serving {
    public:
        serving(asio_waker& w, Timer& timer) : state_{w.state_} {
            const std::lock_guard<std::mutex> lock{state_->mutex};
            if (state_->timer != nullptr) return;
            state_->executor = timer.get_executor();
            state_->timer = &timer;
            state_->cancel = [](void* t) { static_cast<Timer*>(t)->cancel(); };
            state_->posted = false;
            serves_ = true;
        }
        serving(const serving&) = delete;
        serving& operator=(const serving&) = delete;
        ~serving() {
            if (!serves_) return;
            const std::lock_guard<std::mutex> lock{state_->mutex};
            state_->timer = nullptr;
            state_->executor = nullptr;
        }
        explicit operator bool() const noexcept { return serves_; }

    private:
        std::shared_ptr<state> state_;
        bool serves_ = false;
    };

private:
    std::shared_ptr<state> state_ = std::make_shared<state>();
};

template <class Pipeline, class Sink>
asio::awaitable<void> run_in_asio(Pipeline* ha, Sink sink, duration check_every) {
    using clock = typename asio_clock<std::remove_cvref_t<decltype(ha->time())>>::type;
    using timer_type = asio::basic_waitable_timer<clock>;
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto executor = co_await asio::this_coro::executor;
    timer_type timer{executor};
    if (ha->mail().adopted() == nullptr) {
        auto made = std::make_unique<asio_waker>();
        if (ha->mail().adopt(made.get())) static_cast<void>(made.release());
    }
    auto* const waker = dynamic_cast<asio_waker*>(ha->mail().adopted());
    if (waker == nullptr) throw std::system_error{asio::error::already_started, "another loop wakes this pipeline"};
    const asio_waker::serving<timer_type> served{*waker, timer};
    if (!served) throw std::system_error{asio::error::already_started, "this pipeline is run already"};
    for (;;) {
        const auto cancelled = co_await asio::this_coro::cancellation_state;
        if (cancelled.cancelled() != asio::cancellation_type::none) co_return;
        const duration wait = ha->time().real_wait(ha->poll(sink));
        timer.expires_after(std::chrono::duration_cast<typename clock::duration>(
            wait < duration::zero() || wait > check_every ? check_every : wait));
        std::error_code woken;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
}

} // namespace detail

/// Runs a pipeline in an event loop: polls it, waits in between on a timer, and is woken by what other threads hand in
/// and by the driver's answers. It ends when it is cancelled, without an error, or with what the sink, the driver or
/// the journal throws; the signature of the token is `void(std::exception_ptr)`. `asio::error::already_started` where
/// the pipeline is run by another already. `executor` runs one thing at a time, as a context with one thread or a
/// strand does: everything that is done with the pipeline is done there, but for `post` and completions. What that
/// thread tells it (`push`, `operate`, …) is looked at after `check_every` at the latest, or at once after
/// `ha.mail().wake()`. The pipeline, and a sink that is an lvalue, outlive the operation; the context outlives every
/// thread that answers or posts, or the operation ends before it.
///
///     asio::cancellation_signal stop;
///     async_run(ha, io.get_executor(), pages, asio::bind_cancellation_slot(stop.slot(), asio::detached));
///     …
///     stop.emit(asio::cancellation_type::terminal);
template <class Pipeline, class Executor, class Sink, class Token>
auto async_run(Pipeline& ha, const Executor& executor, Sink&& sink, Token&& token,
               duration check_every = std::chrono::milliseconds{100}) {
    return asio::co_spawn(executor, detail::run_in_asio<Pipeline, Sink>(&ha, std::forward<Sink>(sink), check_every),
                          std::forward<Token>(token));
}

} // namespace reheat::inline REHEAT_ABI
