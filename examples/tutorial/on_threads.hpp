// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/reheat.hpp>

#include <array>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

/// Makes a driver of one whose functions block and return the outcome: each call waits for one of a few threads. What
/// the caller's request refers to is copied. At the end calls that run are waited for, and the others are abandoned.
template <class Blocking>
class on_threads {
public:
    on_threads(Blocking& driver, unsigned threads) : driver_{&driver} {
        for (unsigned n = 0; n < threads; ++n) threads_.emplace_back([this] { work(); });
    }
    on_threads(const on_threads&) = delete;
    on_threads& operator=(const on_threads&) = delete;
    ~on_threads() {
        std::deque<std::packaged_task<void()>> waiting;
        {
            const std::lock_guard lock{mutex_};
            ends_ = true;
            waiting.swap(waiting_);
        }
        changed_.notify_all();
        for (std::thread& t : threads_) t.join();
    }

    void describe(const reheat::request& r, reheat::completion done) {
        put(r, std::move(done), [](Blocking& d, const reheat::request& kept) { return d.describe(kept); });
    }
    void reboot(const reheat::request& r, reheat::completion done)
        requires requires(Blocking& d) { d.reboot(r); }
    {
        put(r, std::move(done), [](Blocking& d, const reheat::request& kept) { return d.reboot(kept); });
    }
    void restart_service(const reheat::request& r, reheat::completion done)
        requires requires(Blocking& d) { d.restart_service(r); }
    {
        put(r, std::move(done), [](Blocking& d, const reheat::request& kept) { return d.restart_service(kept); });
    }
    void fence(const reheat::request& r, reheat::completion done)
        requires requires(Blocking& d) { d.fence(r); }
    {
        put(r, std::move(done), [](Blocking& d, const reheat::request& kept) { return d.fence(kept); });
    }
    void recreate(const reheat::request& r, reheat::proof_of_death proof, reheat::completion done)
        requires requires(Blocking& d) { d.recreate(r, std::move(proof)); }
    {
        put(r, std::move(done), [p = std::move(proof)](Blocking& d, const reheat::request& kept) mutable {
            return d.recreate(kept, std::move(p));
        });
    }

private:
    template <class Function>
    void put(const reheat::request& r, reheat::completion done, Function f) {
        const std::array views{r.name, r.cloud_id, r.service, r.instance, r.stack, r.method};
        std::array<std::string, views.size()> texts;
        for (std::size_t n = 0; n < views.size(); ++n) texts[n] = views[n];
        std::packaged_task<void()> task{[driver = driver_, what = r, kept = std::move(texts), answer = std::move(done),
                                         function = std::move(f)]() mutable {
            what.name = kept[0], what.cloud_id = kept[1], what.service = kept[2];
            what.instance = kept[3], what.stack = kept[4], what.method = kept[5];
            answer(function(*driver, what));
        }};
        {
            const std::lock_guard lock{mutex_};
            waiting_.push_back(std::move(task));
        }
        changed_.notify_one();
    }
    void work() {
        for (;;) {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
            if (ends_) return;
            std::packaged_task<void()> task = std::move(waiting_.front());
            waiting_.pop_front();
            lock.unlock();
            task();
        }
    }

    Blocking* driver_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::packaged_task<void()>> waiting_;
    std::vector<std::thread> threads_;
    bool ends_ = false;
};
