// SPDX-License-Identifier: MIT
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

// A task type as users of coroutines have one: it begins when it is awaited, belongs to whoever awaits it, and goes on
// with him when it is over.

namespace test_task {

template <class T>
class [[nodiscard]] task {
public:
    struct promise_type {
        task get_return_object() { return task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() noexcept { return {}; }
        auto final_suspend() noexcept {
            struct to_caller {
                bool await_ready() noexcept { return false; }
                std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> h) noexcept {
                    return h.promise().caller;
                }
                void await_resume() noexcept {}
            };
            return to_caller{};
        }
        void return_value(T v) { value = std::move(v); }
        void unhandled_exception() noexcept {
#if defined(__cpp_exceptions)
            failed = std::current_exception();
#endif
        }

        std::coroutine_handle<> caller;
        std::optional<T> value;
        std::exception_ptr failed;
    };

    task(task&& other) noexcept : of_{std::exchange(other.of_, nullptr)} {}
    task& operator=(task&&) = delete;
    ~task() {
        if (of_) of_.destroy();
    }

    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
        of_.promise().caller = caller;
        return of_;
    }
    T await_resume() {
#if defined(__cpp_exceptions)
        if (of_.promise().failed) std::rethrow_exception(of_.promise().failed);
#endif
        return std::move(*of_.promise().value);
    }

private:
    explicit task(std::coroutine_handle<promise_type> of) : of_{of} {}
    std::coroutine_handle<promise_type> of_;
};

} // namespace test_task
