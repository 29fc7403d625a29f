// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/inbox.hpp>
#include <reheat/driver/completion.hpp>
#include <reheat/runner/waker.hpp>

#include <atomic>
#include <cstddef>
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

/// What other threads hand to a runner: outcomes and samples. It outlives the runner as long as a completion refers to
/// it; after `close` it takes nothing.
class mailbox final : public completion_sink {
public:
    mailbox(std::size_t most_outcomes, std::size_t most_samples) : outcomes{most_outcomes}, samples{most_samples} {}

    void deliver(op_id op, outcome&& result, bool repeated) noexcept override {
        if (closed_.load(std::memory_order_acquire)) return;
        outcomes.put({op, std::move(result), repeated});
        wake();
    }

    void close() noexcept { closed_.store(true, std::memory_order_release); }

    /// Any thread.
    void wake() noexcept override {
        if (waker* const w = waker_.load(std::memory_order_acquire); w != nullptr) w->wake();
    }

    /// Takes ownership of the one waker; it lives as long as the mailbox, so that no late completion finds it gone. A
    /// second one is refused, and stays its caller's. The runner's thread.
    [[nodiscard]] bool adopt(waker* w) noexcept {
        waker* none = nullptr;
        return waker_.compare_exchange_strong(none, w, std::memory_order_acq_rel);
    }
    [[nodiscard]] waker* adopted() const noexcept { return waker_.load(std::memory_order_acquire); }

    inbox<delivered_outcome> outcomes;
    inbox<posted_sample> samples;

private:
    ~mailbox() override { delete waker_.load(std::memory_order_acquire); }

    std::atomic<bool> closed_{false};
    std::atomic<waker*> waker_{nullptr};
};

} // namespace reheat::inline REHEAT_ABI
