// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/forwarding.hpp>
#include <reheat/engine/effects.hpp>
#include <reheat/runner/clocks.hpp>
#include <reheat/runner/dispatch.hpp>
#include <reheat/runner/kept_call.hpp>
#include <reheat/runner/returning.hpp>
#include <reheat/runner/worker_pool.hpp>

#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace reheat::inline REHEAT_ABI {

namespace detail {

template <class R>
using is_outcome = std::is_same<R, outcome>;

/// Stands for the functions of `D` that return their outcome, or have a driver's usual shape.
template <class D>
struct blocking_functions {};
template <class D, class Function>
inline constexpr bool offers<blocking_functions<D>, Function> =
    offers<returning<D, is_outcome>, Function> || has_function<D, Function>;

/// A driver of the usual shape, whose functions are over when they return.
template <class D>
class direct_driver : public driver_functions<direct_driver<D>, blocking_functions<D>> {
    friend driver_functions<direct_driver, blocking_functions<D>>;

public:
    explicit direct_driver(D& below) noexcept : driver_{&below} {}

private:
    template <class Function, class... Proofs>
    void on_call(Function f, const request& r, completion done, Proofs&&... proofs) noexcept {
        if constexpr (offers<returning<D, is_outcome>, Function>) {
            done(answer_of([&] { return ask_function(f, *driver_, r, std::forward<Proofs>(proofs)...); }));
        } else {
            // Left by an exception it has dropped the completion, which says so.
            static_cast<void>(answer_of([&] {
                call_function(f, *driver_, r, std::move(done), std::forward<Proofs>(proofs)...);
                return outcome{};
            }));
        }
    }

    D* driver_;
};

/// Lets calls in until it is closed, and waits for those inside. Any thread.
class call_gate {
public:
    [[nodiscard]] bool enter() {
        const std::lock_guard<std::mutex> lock{mutex_};
        if (closed_) return false;
        ++inside_;
        return true;
    }
    void leave() {
        const std::lock_guard<std::mutex> lock{mutex_};
        if (--inside_ == 0) signal_.notify_all(); // under the lock: whoever waits may destroy this
    }
    void close() {
        std::unique_lock<std::mutex> lock{mutex_};
        closed_ = true;
        signal_.wait(lock, [this] { return inside_ == 0; });
    }
    [[nodiscard]] std::size_t inside() const {
        const std::lock_guard<std::mutex> lock{mutex_};
        return inside_;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable signal_;
    std::size_t inside_ = 0;
    bool closed_ = false;
};

/// What a blocking driver shares with its jobs, which may outlive it in somebody's pool.
template <class D, class Time>
struct blocking_core {
    blocking_core(D& driver, Time t) : below{driver}, time{std::move(t)} {}
    direct_driver<D> below;
    Time time;
    call_gate gate;
};

/// One call on its way to a thread. Whatever becomes of it, it is answered.
template <class D, class Time>
class blocking_call {
public:
    blocking_call(std::shared_ptr<blocking_core<D, Time>> of, call&& what, completion&& done) noexcept
        : of_{std::move(of)}, what_{std::move(what)}, done_{std::move(done)} {}
    blocking_call(blocking_call&&) = default;
    blocking_call& operator=(blocking_call&&) = delete;
    ~blocking_call() {
        if (of_ != nullptr) refuse("never begun: no thread took it");
    }

    void operator()() noexcept {
        const std::shared_ptr<blocking_core<D, Time>> of = std::move(of_);
        if (!of->gate.enter()) return refuse("never begun: the driver has ended");
        const time_point now = of->time.now();
        if (now > what_.start_by) {
            refuse("too late: it waited for a thread until its deadline was over");
        } else {
            dispatch(of->below, what_, now, std::move(done_));
        }
        of->gate.leave();
    }

    void refuse(const char* why) { done_(not_passed_on(what_.what.what, why)); }

private:
    std::shared_ptr<blocking_core<D, Time>> of_;
    call what_;
    completion done_;
};

} // namespace detail

/// A cloud with functions that may block: each returns its `outcome`, or has a driver's usual shape and takes a
/// completion. `describe` is the least, as of `cloud_driver`.
template <class D>
concept blocking_cloud = detail::offers<detail::blocking_functions<D>, function::describe> && !timed_driver<D>;

/// A driver whose functions may block, and so run on threads: of a pool of its own, or of yours. It has exactly the
/// capabilities of the functions below. They are called from several threads at once, unless the pool has one thread;
/// the request and its texts are theirs until they return. What they return is the answer; left by an exception they
/// are `unknown`. A call for which there is no room, or whose deadline is over before a thread takes it, is `refused`
/// (a question: `unknown`), and the cloud is not asked.
///
///     struct my_cloud {
///         outcome describe(const request& r);
///         outcome reboot(const request& r) { return http.post("/reboot", r.instance) ? outcome::done() : … ; }
///         outcome recreate(const request& r, proof_of_death proof);
///     };
///     my_cloud cloud;
///     blocking_driver driver{cloud, 4};
///     pipeline ha{driver, system_time{}, three_levels};
///
/// Its destructor lets the functions that run come to their end, and refuses what was not begun: give every function a
/// limit of its own. It is not destroyed by one of these functions. It refers to the cloud and to your pool; a pool may
/// keep its jobs for longer than this lives. `Time` is read on the pool's threads, and has to tell the pipeline's time.
/// Threads: as of every driver; `running` on any.
template <blocking_cloud Driver, worker_pool Pool = worker_threads, time_source Time = system_time>
class blocking_driver
    : public driver_functions<blocking_driver<Driver, Pool, Time>, detail::blocking_functions<Driver>> {
    friend driver_functions<blocking_driver, detail::blocking_functions<Driver>>;

public:
    /// On a pool of its own, with so many threads; no more than `most_waiting` calls wait for one.
    explicit blocking_driver(Driver& cloud, std::size_t threads = 4, Time time = {}, std::size_t most_waiting = 1024)
        requires std::same_as<Pool, worker_threads>
        : core_{std::make_shared<core>(cloud, std::move(time))}, own_{std::in_place, threads, most_waiting},
          pool_{&*own_} {}
    /// On a pool that it shares with others.
    blocking_driver(Driver& cloud, Pool& pool, Time time = {})
        : core_{std::make_shared<core>(cloud, std::move(time))}, pool_{&pool} {}
    blocking_driver(const blocking_driver&) = delete;
    blocking_driver& operator=(const blocking_driver&) = delete;
    ~blocking_driver() { core_->gate.close(); }

    /// How many functions run now.
    [[nodiscard]] std::size_t running() const { return core_->gate.inside(); }

private:
    using core = detail::blocking_core<Driver, Time>;

    template <class Function, class... Proofs>
    void on_call(Function f, const request& r, completion done, Proofs&&... proofs) {
        worker_job job{detail::blocking_call<Driver, Time>{
            core_, detail::keep_call(f, r, std::forward<Proofs>(proofs)...), std::move(done)}};
        // Not taken, or dropped by the pool, it is answered by its destructor.
        static_cast<void>(pool_->post(std::move(job)));
    }

    std::shared_ptr<core> core_;
    std::optional<worker_threads> own_;
    Pool* pool_;
};

template <class Driver>
blocking_driver(Driver&) -> blocking_driver<Driver>;
template <class Driver>
blocking_driver(Driver&, std::size_t) -> blocking_driver<Driver>;
template <class Driver, time_source Time>
blocking_driver(Driver&, std::size_t, Time, std::size_t = 0) -> blocking_driver<Driver, worker_threads, Time>;
template <class Driver, worker_pool Pool>
blocking_driver(Driver&, Pool&) -> blocking_driver<Driver, Pool>;
template <class Driver, worker_pool Pool, time_source Time>
blocking_driver(Driver&, Pool&, Time) -> blocking_driver<Driver, Pool, Time>;

} // namespace reheat::inline REHEAT_ABI
