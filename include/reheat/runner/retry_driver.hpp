// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/time.hpp>
#include <reheat/driver/forwarding.hpp>
#include <reheat/driver/relay.hpp>
#include <reheat/recovery/backoff.hpp>
#include <reheat/runner/clocks.hpp>
#include <reheat/runner/dispatch.hpp>
#include <reheat/runner/kept_call.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// How often a call is made again, and when.
struct retry_options {
    std::uint16_t most_calls = 4; ///< of one operation, the first included
    /// Between two of them, and no less than the cloud asked for. A cloud that asks for more than `most` is not waited
    /// for here.
    backoff wait{std::chrono::seconds{1}, std::chrono::seconds{30}, false, 20};
};

/// Whether an answer lets the same call be made again, with the same key, by somebody who knows nothing else:
/// - a question, whatever went wrong: asking changes nothing;
/// - what the cloud did not do and asked to be tried later (`failed` or `refused` with a `retry_after`), unless it is
/// an
///   operation that destroys or may start a copy.
/// An `unknown` may have happened. A refusal without a time is a reason, not a moment; and a failure is for the ladder
/// to count.
[[nodiscard]] constexpr bool may_repeat(operation what, outcome_code code, duration retry_after) noexcept {
    if (code == outcome_code::done) return false;
    if (what == operation::describe) return true;
    return code != outcome_code::unknown && retry_after > duration::zero() && !is_destructive(what);
}

namespace detail {

template <class Time>
struct retry_rules {
    retry_options options;
    Time time;
};

/// A call that may be made again, with its texts.
struct repeated_call {
    enum class stage : std::uint8_t { under_way, waits, over };

    repeated_call(completion done, call made) noexcept : to{std::move(done)}, what{std::move(made)} {}

    completion to;
    call what;
    std::uint16_t calls = 1;
    std::atomic<stage> at{stage::under_way};
    // Written by who answers, before he says `waits`
    time_point again_at = never;
    outcome last{};
};

/// Takes the answers to one of the calls.
template <class Time>
struct one_try {
    std::shared_ptr<const retry_rules<Time>> rules;
    std::shared_ptr<repeated_call> of;
    bool passes = false; ///< this call's answer was the last word

    void answered(outcome&& result, bool repeated) noexcept {
        using stage = repeated_call::stage;
        if (!repeated) {
            const time_point again = again_at(result);
            if (again != never) {
                of->again_at = again;
                of->last = std::move(result);
                of->at.store(stage::waits, std::memory_order_release);
                of->to.wake();
                return;
            }
            passes = true;
            of->at.store(stage::over, std::memory_order_release);
        }
        if (passes) of->to(std::move(result));
    }
    void wake() noexcept { of->to.wake(); }

private:
    [[nodiscard]] time_point again_at(const outcome& result) const noexcept {
        const request& r = of->what.what;
        const retry_options& o = rules->options;
        const bool patient = result.retry_after <= o.wait.most;
        if (of->calls >= o.most_calls || !patient || !may_repeat(r.what, result.code, result.retry_after)) return never;
        const duration own = wait_after(o.wait, r.key, {}, of->calls);
        const time_point again = after(rules->time.now(), own < result.retry_after ? result.retry_after : own);
        return again < r.deadline ? again : never;
    }
};

} // namespace detail

/// A driver whose calls are made again, with the same idempotency key, where that is safe (`may_repeat`) and the engine
/// still waits for them. So a busy cloud costs no attempt of the ladder. Calls that carry a proof of death pass as they
/// are: the first call spends it. It has exactly the capabilities of the driver below, which it refers to. It has to be
/// polled (see `driven`), and makes the further calls then. Threads: functions and `poll` as of the pipeline; the
/// driver may answer on any thread that may read the time source.
///
///     retry_driver again{cloud, system_time{}, {.most_calls = 3}};
template <cloud_driver Driver, time_source Time>
class retry_driver : public driver_wrapper<retry_driver<Driver, Time>, Driver> {
    friend driver_functions<retry_driver, Driver>;
    using stage = detail::repeated_call::stage;

public:
    retry_driver(Driver& below, Time time, const retry_options& options = {})
        : driver_wrapper<retry_driver, Driver>{below}, rules_{std::make_shared<const detail::retry_rules<Time>>(
                                                           detail::retry_rules<Time>{options, std::move(time)})} {}
    /// What waits comes out as it was answered last.
    ~retry_driver() {
        for (const auto& c : open_) {
            if (c->at.load(std::memory_order_acquire) == stage::waits) c->to(std::move(c->last));
        }
    }

    time_point poll(time_point now) {
        time_point due = this->poll_below(now);
        bool again = false;
        for (const auto& c : open_) {
            if (c->at.load(std::memory_order_acquire) != stage::waits) continue;
            if (c->again_at > now) {
                due = earlier(due, c->again_at);
                continue;
            }
            again = true;
            repeat(c, now);
        }
        std::erase_if(open_, [](const auto& c) { return c->at.load(std::memory_order_acquire) == stage::over; });
        return again ? earlier(due, now) : due;
    }

    /// How many calls were made beyond the first of their operation.
    [[nodiscard]] std::uint64_t repeats() const noexcept { return repeats_; }

private:
    using one_try = detail::one_try<Time>;

    template <class Function, class... Proofs>
    void on_call(Function f, const request& r, completion done, Proofs&&... proofs) {
        if constexpr (is_destructive(detail::operation_of(f))) {
            this->pass_on(f, r, std::move(done), std::forward<Proofs>(proofs)...);
        } else {
            open_.push_back(std::make_shared<detail::repeated_call>(std::move(done), detail::keep_call(f, r)));
            this->pass_on(f, r, relayed(r.op, one_try{rules_, open_.back()}));
        }
    }
    void repeat(const std::shared_ptr<detail::repeated_call>& c, time_point now) {
        if (now >= c->what.start_by) { // polled late: nobody waits for it any more
            c->at.store(stage::over, std::memory_order_release);
            return c->to(std::move(c->last));
        }
        ++c->calls;
        ++repeats_;
        c->at.store(stage::under_way, std::memory_order_release);
        dispatch(this->below(), c->what, now, relayed(c->what.what.op, one_try{rules_, c}));
    }

    std::shared_ptr<const detail::retry_rules<Time>> rules_;
    std::vector<std::shared_ptr<detail::repeated_call>> open_;
    std::uint64_t repeats_ = 0;
};

} // namespace reheat::inline REHEAT_ABI
