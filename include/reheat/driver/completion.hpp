// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/outcome.hpp>
#include <reheat/core/ids.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// Where outcomes go: the inbox of a runner, or the counter of a conformance test. It lives as long as anybody refers
/// to it; `deliver` may be called from any thread.
class completion_sink {
public:
    completion_sink() noexcept = default;
    completion_sink(const completion_sink&) = delete;
    completion_sink& operator=(const completion_sink&) = delete;

    /// Takes the outcome of an operation. The first of an operation counts; `repeated` marks a second call of one
    /// completion.
    virtual void deliver(op_id op, outcome&& result, bool repeated) noexcept = 0;
    /// Wakes whoever runs the operation, if he sleeps: something beside an outcome waits for him. Any thread.
    virtual void wake() noexcept {}

    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

protected:
    virtual ~completion_sink() = default;

private:
    std::atomic<std::uint32_t> references_{1};
};

/// The answer sheet of one operation: concrete, move-only, 24 bytes, no allocation. Call it once, from any thread,
/// inline or later. Destroyed uncalled it delivers `unknown`. Called after its runner is gone it does nothing. One
/// completion is used by one thread at a time; different ones are independent.
///
///     void reboot(const request& r, completion done) { done(outcome::done()); }
class completion {
public:
    completion(op_id op, completion_sink& sink) noexcept : sink_{&sink}, op_{op} { sink_->retain(); }
    completion(completion&& other) noexcept
        : sink_{std::exchange(other.sink_, nullptr)}, op_{other.op_}, called_{other.called_} {}
    completion& operator=(completion&& other) noexcept {
        completion taken{std::move(other)};
        std::swap(sink_, taken.sink_);
        std::swap(op_, taken.op_);
        std::swap(called_, taken.called_);
        return *this;
    }
    completion(const completion&) = delete;
    completion& operator=(const completion&) = delete;
    ~completion() { reset(); }

    /// Delivers the outcome. A second call changes nothing and is reported as an event.
    void operator()(outcome result) noexcept {
        if (sink_ == nullptr) return;
        sink_->deliver(op_, std::move(result), std::exchange(called_, true));
    }

    [[nodiscard]] op_id op() const noexcept { return op_; }
    /// For wrappers of drivers: see `completion_sink::wake`. Not once it was moved from.
    void wake() const noexcept { sink_->wake(); }

private:
    void reset() noexcept {
        if (sink_ == nullptr) return;
        // Nothing is allocated: the text is short enough for every small-string buffer.
        if (!called_) sink_->deliver(op_, outcome::unknown("abandoned"), false);
        std::exchange(sink_, nullptr)->release();
    }

    completion_sink* sink_;
    op_id op_;
    bool called_ = false;
};

static_assert(sizeof(completion) <= 40);

} // namespace reheat::inline REHEAT_ABI
