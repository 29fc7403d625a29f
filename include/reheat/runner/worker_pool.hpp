// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// A piece of work for a pool: call it once, on any thread. Move-only, one pointer. Destroyed uncalled it tells whoever
/// waits for it that it was never begun.
class worker_job {
public:
    template <class Work>
        requires(!std::same_as<std::remove_cvref_t<Work>, worker_job> && std::is_nothrow_invocable_v<Work&>)
    explicit worker_job(Work work) : work_{std::make_unique<work_of<Work>>(std::move(work))} {}

    /// Does it, and lets go of what it holds. A second call, or one of a job that was moved from, does nothing.
    void operator()() noexcept {
        if (const std::unique_ptr<base> work = std::move(work_)) work->run();
    }

private:
    struct base {
        base() = default;
        base(const base&) = delete;
        base& operator=(const base&) = delete;
        virtual ~base() = default;
        virtual void run() noexcept = 0;
    };
    template <class Work>
    struct work_of final : base {
        explicit work_of(Work&& w) : work{std::move(w)} {}
        void run() noexcept override { work(); }
        Work work;
    };

    std::unique_ptr<base> work_;
};

/// Something that does jobs on threads of its own: `post` takes one, from any thread, and does not wait for it. Where
/// it returns `bool`, false means that it did not take the job.
///
///     struct my_pool {
///         asio::thread_pool threads{4};
///         void post(reheat::worker_job job) { asio::post(threads, std::move(job)); }
///     };
template <class P>
concept worker_pool = requires(P& pool, worker_job&& job) { pool.post(std::move(job)); };

/// Threads that do jobs, first come, first served. No more than `most_waiting` wait: `post` leaves one beyond that to
/// its caller. The destructor lets the running jobs end, and drops those that wait; it is not called by one of its
/// threads. `post` and `waiting` may be called from any thread.
///
///     worker_threads pool{8};
///     blocking_driver storage{first, pool}, compute{second, pool};
class worker_threads {
public:
    explicit worker_threads(std::size_t threads, std::size_t most_waiting = 1024) : most_{most_waiting} {
        for (std::size_t n = 0; n == 0 || n < threads; ++n) crew_.threads.emplace_back([this] { work(); });
    }
    worker_threads(const worker_threads&) = delete;
    worker_threads& operator=(const worker_threads&) = delete;
    ~worker_threads() = default;

    /// Takes a job, or leaves it where it is and says false.
    [[nodiscard]] bool post(worker_job&& job) {
        {
            const std::lock_guard<std::mutex> lock{mutex_};
            if (jobs_.size() >= most_) return false;
            jobs_.push_back(std::move(job));
        }
        signal_.notify_one();
        return true;
    }

    /// How many jobs wait for a thread.
    [[nodiscard]] std::size_t waiting() const {
        const std::lock_guard<std::mutex> lock{mutex_};
        return jobs_.size();
    }

private:
    /// Ends the threads, also if the constructor does not come to its end.
    struct crew {
        explicit crew(worker_threads& pool) : of{pool} {}
        crew(const crew&) = delete;
        crew& operator=(const crew&) = delete;
        ~crew() {
            {
                const std::lock_guard<std::mutex> lock{of.mutex_};
                of.ending_ = true;
            }
            of.signal_.notify_all();
            for (std::thread& t : threads) t.join();
        }
        worker_threads& of;
        std::vector<std::thread> threads;
    };

    void work() {
        std::unique_lock<std::mutex> lock{mutex_};
        for (;;) {
            signal_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
            if (ending_) return;
            worker_job job = std::move(jobs_.front());
            jobs_.pop_front();
            lock.unlock();
            job();
            lock.lock();
        }
    }

    mutable std::mutex mutex_;
    std::condition_variable signal_;
    std::deque<worker_job> jobs_;
    std::size_t most_;
    bool ending_ = false;
    crew crew_{*this}; // last: its threads use the others
};

} // namespace reheat::inline REHEAT_ABI
