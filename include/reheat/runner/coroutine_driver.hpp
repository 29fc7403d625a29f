// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/forwarding.hpp>
#include <reheat/engine/effects.hpp>
#include <reheat/runner/kept_call.hpp>
#include <reheat/runner/returning.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <type_traits>
#include <utility>

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// The coroutines of a driver that are not over yet, as a ring. Any thread.
class coroutine_ring {
public:
    struct link {
        link* before = this;
        link* behind = this;
        std::coroutine_handle<> of{};

        link() = default;
        link(const link&) = delete;
        link& operator=(const link&) = delete;
    };

    void add(link& l) {
        const std::lock_guard<std::mutex> lock{mutex_};
        l.before = first_.before;
        l.behind = &first_;
        l.before->behind = l.behind->before = &l;
        ++size_;
    }
    void remove(link& l) {
        const std::lock_guard<std::mutex> lock{mutex_};
        if (l.behind == &l) return;
        l.before->behind = l.behind;
        l.behind->before = l.before;
        l.before = l.behind = &l;
        --size_;
    }
    /// The oldest, or none.
    [[nodiscard]] std::coroutine_handle<> oldest() const {
        const std::lock_guard<std::mutex> lock{mutex_};
        return first_.behind->of;
    }
    [[nodiscard]] std::size_t size() const {
        const std::lock_guard<std::mutex> lock{mutex_};
        return size_;
    }

private:
    mutable std::mutex mutex_;
    link first_;
    std::size_t size_ = 0;
};

/// A coroutine that nobody waits for. It begins at once, and is gone when it is over.
struct detached {
    struct promise_type {
        // The parameters of `answer_by_coroutine`, of which the first is the ring.
        template <class... Rest>
        explicit promise_type(const std::shared_ptr<coroutine_ring>& r, const Rest&...) : ring{r} {
            link.of = std::coroutine_handle<promise_type>::from_promise(*this);
            ring->add(link);
        }
        promise_type(const promise_type&) = delete;
        promise_type& operator=(const promise_type&) = delete;
        ~promise_type() { ring->remove(link); }

        [[nodiscard]] detached get_return_object() const noexcept { return {}; }
        [[nodiscard]] std::suspend_never initial_suspend() const noexcept { return {}; }
        [[nodiscard]] std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept {} // what it held is dropped, the completion too

        std::shared_ptr<coroutine_ring> ring;
        coroutine_ring::link link;
    };
};

// What `co_await` makes of an operand.
template <class A>
decltype(auto) awaiter_of(A&& a) {
    if constexpr (requires { std::forward<A>(a).operator co_await(); }) {
        return std::forward<A>(a).operator co_await();
    } else if constexpr (requires { operator co_await(std::forward<A>(a)); }) {
        return operator co_await(std::forward<A>(a));
    } else {
        return std::forward<A>(a);
    }
}

/// Something that any coroutine can await, and that gives an outcome then.
template <class A>
concept awaits_outcome = std::move_constructible<A> && requires(std::coroutine_handle<detached::promise_type> h) {
    { awaiter_of(std::declval<A>()).await_ready() } -> std::convertible_to<bool>;
    awaiter_of(std::declval<A>()).await_suspend(h);
    { awaiter_of(std::declval<A>()).await_resume() } -> std::convertible_to<outcome>;
};
template <class R>
using is_awaitable_outcome = std::bool_constant<awaits_outcome<R>>;

/// The call lives in the coroutine, and so do its texts.
template <class Function, class D>
detached answer_by_coroutine([[maybe_unused]] std::shared_ptr<coroutine_ring> of, Function f, D* driver, call kept,
                             completion done) {
    outcome answer;
#if defined(__cpp_exceptions)
    try {
        answer = co_await ask_kept(f, *driver, kept);
    } catch (const std::exception& thrown) {
        answer = left_by_exception(thrown.what());
    } catch (...) {
        answer = left_by_exception("no std::exception");
    }
#else
    answer = co_await ask_kept(f, *driver, kept);
#endif
    done(std::move(answer));
}

} // namespace detail

/// A cloud with functions that return something to `co_await` for an `outcome`, as a task type of your own. `describe`
/// is the least, as of `cloud_driver`. (`asio::awaitable` can be awaited by Asio's coroutines only: `asio_driver` of
/// `adapters/asio.hpp` takes it.)
template <class D>
concept coroutine_cloud = detail::offers<detail::returning<D, detail::is_awaitable_outcome>, function::describe>;

/// A driver whose functions are coroutines. It has exactly the capabilities of the functions below. Each is called and
/// awaited at once, on the pipeline's thread, and goes on wherever its awaitables resume it, on any thread. The
/// request, its texts and its proofs live until the answer is there, so a coroutine may keep its `const request&`. What
/// is awaited is the answer; left by an exception it is `unknown`.
///
///     struct my_cloud {
///         task<outcome> describe(const request& r);
///         task<outcome> reboot(const request& r) { co_await client.post("/reboot", r.instance); co_return
///         outcome::done(); } task<outcome> recreate(const request& r, proof_of_death proof);
///     };
///     my_cloud cloud;
///     coroutine_driver driver{cloud};
///     pipeline ha{driver, system_time{}, three_levels};
///
/// It refers to the cloud. Its destructor waits for nothing: what goes on then goes on, answers a pipeline that may be
/// gone, and needs the cloud for as long as its own coroutines do. Where nobody will resume them any more, as after the
/// end of an event loop, `abandon` them. Threads: functions as of every driver; `open` on any.
template <coroutine_cloud Driver>
class coroutine_driver
    : public driver_functions<coroutine_driver<Driver>, detail::returning<Driver, detail::is_awaitable_outcome>> {
    friend driver_functions<coroutine_driver, detail::returning<Driver, detail::is_awaitable_outcome>>;

public:
    explicit coroutine_driver(Driver& cloud) : driver_{&cloud}, ring_{std::make_shared<detail::coroutine_ring>()} {}
    coroutine_driver(const coroutine_driver&) = delete;
    coroutine_driver& operator=(const coroutine_driver&) = delete;
    ~coroutine_driver() = default;

    /// How many calls have no answer yet.
    [[nodiscard]] std::size_t open() const { return ring_->size(); }
    /// Destroys the coroutines that are suspended, with what they await; their answers are `unknown`. Only where
    /// nothing resumes them, now or later: an awaitable that is destroyed must not be resumed.
    void abandon() {
        while (const std::coroutine_handle<> oldest = ring_->oldest()) oldest.destroy();
    }

private:
    template <class Function, class... Proofs>
    void on_call(Function f, const request& r, completion done, Proofs&&... proofs) {
        detail::answer_by_coroutine(ring_, f, driver_, detail::keep_call(f, r, std::forward<Proofs>(proofs)...),
                                    std::move(done));
    }

    Driver* driver_;
    std::shared_ptr<detail::coroutine_ring> ring_;
};

} // namespace reheat::inline REHEAT_ABI
