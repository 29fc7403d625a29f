// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/inbox.hpp>
#include <reheat/driver/completion.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// An outcome on its way from a driver to the engine.
struct delivered_outcome {
    op_id op{};
    outcome result{};
    bool repeated = false;
};

/// A sample on its way from another thread to the engine.
struct posted_sample {
    watch_id watch = no_watch;
    time_point at{};
    double value = 0;
};

/// What other threads hand to a runner: outcomes and samples. It outlives the runner as long as a completion refers to it;
/// after `close` it takes nothing.
class mailbox final : public completion_sink {
public:
    mailbox(std::size_t most_outcomes, std::size_t most_samples) : outcomes{most_outcomes}, samples{most_samples} {}

    void deliver(op_id op, outcome&& result, bool repeated) noexcept override {
        if (closed_.load(std::memory_order_acquire)) return;
        outcomes.put({op, std::move(result), repeated});
        wake();
    }

    void close() noexcept { closed_.store(true, std::memory_order_release); }

    /// Wakes a thread in `sleep`. Any thread.
    void wake() noexcept {
        woken_.store(true, std::memory_order_release);
        // Without the lock a sleeper between its check and its sleep would miss the signal.
        { const std::lock_guard<std::mutex> lock{mutex_}; }
        signal_.notify_one();
    }

    /// Sleeps until woken or until that much real time is over.
    void sleep(std::chrono::nanoseconds at_most) {
        std::unique_lock<std::mutex> lock{mutex_};
        signal_.wait_for(lock, at_most, [this] { return woken_.load(std::memory_order_acquire); });
        woken_.store(false, std::memory_order_release);
    }

    inbox<delivered_outcome> outcomes;
    inbox<posted_sample> samples;

private:
    std::atomic<bool> closed_{false};
    std::atomic<bool> woken_{false};
    std::mutex mutex_;
    std::condition_variable signal_;
};

} // namespace reheat::inline REHEAT_ABI
