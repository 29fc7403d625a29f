// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>
#include <reheat/runner/waker.hpp>

#include <condition_variable>
#include <mutex>

namespace reheat::inline REHEAT_ABI {

/// A thread that sleeps until something arrives or a time is over.
class sleeper final : public waker {
public:
    void wake() noexcept override {
        {
            const std::lock_guard<std::mutex> lock{mutex_};
            woken_ = true;
        }
        signal_.notify_one();
    }

    /// Sleeps until woken or until that much real time is over. One thread.
    void sleep(duration at_most) {
        std::unique_lock<std::mutex> lock{mutex_};
        signal_.wait_for(lock, at_most, [this] { return woken_; });
        woken_ = false;
    }

private:
    std::mutex mutex_;
    std::condition_variable signal_;
    bool woken_ = false;
};

/// Polls a pipeline until `stop` says so, and sleeps in between. A request to stop is seen at the latest after
/// `check_every` of real time. A pipeline that an event loop of another kind wakes can not be run by this one as well.
template <class Pipeline, class Stop, class Sink>
    requires requires(const Stop& stop) { stop.stop_requested(); }
void run_until_stopped(Pipeline& ha, const Stop& stop, Sink&& sink,
                       duration check_every = std::chrono::milliseconds{100}) {
    sleeper* bed = static_cast<sleeper*>(ha.mail().adopted());
    if (bed == nullptr) {
        bed = new sleeper;
        static_cast<void>(ha.mail().adopt(bed));
    }
    while (!stop.stop_requested()) {
        const duration wait = ha.time().real_wait(ha.poll(sink));
        bed->sleep(wait < duration::zero() || wait > check_every ? check_every : wait);
    }
}

} // namespace reheat::inline REHEAT_ABI
