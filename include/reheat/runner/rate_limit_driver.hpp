// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/time.hpp>
#include <reheat/driver/forwarding.hpp>
#include <reheat/runner/clocks.hpp>
#include <reheat/runner/dispatch.hpp>
#include <reheat/runner/kept_call.hpp>

#include <cstdint>
#include <deque>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// How many calls a cloud may get: `calls` in `per`, and `burst` of them at once.
struct rate_limit_options {
    std::uint32_t calls = 10;
    duration per = std::chrono::seconds{1};
    std::uint32_t burst = 10;
    duration most_wait = std::chrono::seconds{10}; ///< a call that would have to wait longer is not made
};

namespace detail {

/// A token bucket as one number: when the bucket will be full again.
class token_bucket {
public:
    explicit token_bucket(const rate_limit_options& o) noexcept
        : interval_{bounded(o.per) / (o.calls == 0 ? 1U : o.calls)} {
        const std::int64_t more = o.burst == 0 ? 0 : std::int64_t{o.burst} - 1;
        room_ = more == 0 || interval_ < most / more ? interval_ * more : most;
    }

    /// When the next call may be made.
    [[nodiscard]] time_point next(time_point now) const noexcept { return later(now, full_at_ - room_); }
    /// It will be made then.
    void take(time_point at) noexcept { full_at_ = after(later(at, full_at_), interval_); }

private:
    /// Longer than anybody waits, and every sum stays in range.
    static constexpr duration most = std::chrono::hours{24 * 365 * 100};

    [[nodiscard]] static duration bounded(duration per) noexcept {
        return per < duration::zero() ? duration::zero() : per < most ? per : most;
    }

    duration interval_;
    duration room_{};
    time_point full_at_{};
};

} // namespace detail

/// A driver that is not called more often than its cloud bears. A call beyond the rate waits for its turn, first come,
/// first served. If its turn would come after `most_wait`, after the request's deadline or after its proof of death has
/// expired, it is answered at once: `refused`, a question `unknown`, with the time to wait as `retry_after`. What
/// waited is looked at again before it is made: deadline and proofs must still hold. It has exactly the capabilities of
/// the driver below, which it refers to. It has to be polled (see `driven`), and makes the calls that waited then.
/// Threads: as of the pipeline; the driver may answer on any thread.
///
///     rate_limit_driver slow{cloud, system_time{}, {.calls = 100, .per = 60s, .burst = 20}};
template <cloud_driver Driver, time_source Time>
class rate_limit_driver : public driver_wrapper<rate_limit_driver<Driver, Time>, Driver> {
    friend driver_functions<rate_limit_driver, Driver>;

public:
    rate_limit_driver(Driver& below, Time time, const rate_limit_options& options = {})
        : driver_wrapper<rate_limit_driver, Driver>{below}, time_{std::move(time)}, bucket_{options},
          most_wait_{options.most_wait} {}
    /// What waits is not made.
    ~rate_limit_driver() {
        for (waiting& w : queue_) w.done(detail::not_passed_on(w.what.what.what, "the rate limit ended"));
    }

    time_point poll(time_point now) {
        const time_point due = this->poll_below(now);
        const bool any = !queue_.empty() && queue_.front().at <= now;
        while (!queue_.empty() && queue_.front().at <= now) {
            waiting w = std::move(queue_.front());
            queue_.pop_front();
            dispatch(this->below(), w.what, now, std::move(w.done));
        }
        if (any) return earlier(due, now);
        return queue_.empty() ? due : earlier(due, queue_.front().at);
    }

    /// How many calls wait for their turn.
    [[nodiscard]] std::size_t waiting_calls() const noexcept { return queue_.size(); }

private:
    struct waiting {
        time_point at;
        call what;
        completion done;
    };

    template <class Function, class... Proofs>
    void on_call(Function f, const request& r, completion done, Proofs&&... proofs) {
        const time_point now = time_.now();
        const time_point at = bucket_.next(now);
        if (at <= now && queue_.empty()) {
            bucket_.take(at);
            return this->pass_on(f, r, std::move(done), std::forward<Proofs>(proofs)...);
        }
        call kept = detail::keep_call(f, r, std::forward<Proofs>(proofs)...);
        if (at - now > most_wait_ || at >= r.deadline || at >= detail::proofs_end(kept))
            return done(detail::not_passed_on(kept.what.what, "over the rate limit", at - now));
        bucket_.take(at);
        queue_.push_back({at, std::move(kept), std::move(done)});
    }

    Time time_;
    detail::token_bucket bucket_;
    duration most_wait_;
    std::deque<waiting> queue_;
};

} // namespace reheat::inline REHEAT_ABI
