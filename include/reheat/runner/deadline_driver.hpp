// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/time.hpp>
#include <reheat/driver/forwarding.hpp>
#include <reheat/driver/relay.hpp>
#include <reheat/runner/clocks.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// How long the driver may take.
struct deadline_options {
    duration limit = std::chrono::seconds{60}; ///< for any call
    /// For calls of one operation, in the order of `operation`, instead; zero: as of any.
    std::array<duration, operation_count> only{};

    /// Another limit for one operation.
    constexpr deadline_options& set(operation what, duration most) noexcept {
        only[static_cast<std::size_t>(what)] = most;
        return *this;
    }
};

namespace detail {

/// A call that is answered by its driver or by the clock, whoever is first.
struct limited_call {
    limited_call(completion done, time_point at) noexcept : to{std::move(done)}, due{at} {}
    completion to;
    const time_point due;
    std::atomic<bool> over{false};
};

struct in_time {
    std::shared_ptr<limited_call> call;
    bool passes = false; ///< the driver was first

    void answered(outcome&& result, bool repeated) noexcept {
        if (!repeated) passes = !call->over.exchange(true, std::memory_order_acq_rel);
        if (passes) call->to(std::move(result));
    }
    void wake() noexcept { call->to.wake(); }
};

} // namespace detail

/// A driver whose calls are answered in time: one that the driver below has not answered by its limit comes out as
/// `unknown`, which the engine reads back, and what comes later is dropped. The engine has a deadline of its own for
/// each call; this one is for a driver that is known to be either quick or silent. It has exactly the capabilities of
/// the driver below, which it refers to. It has to be polled (see `driven`). Threads: functions and `poll` as of the
/// pipeline; the driver may answer on any thread.
///
///     deadline_driver patient{cloud, system_time{}, {.limit = 30s}};
template <cloud_driver Driver, time_source Time>
class deadline_driver : public driver_wrapper<deadline_driver<Driver, Time>, Driver> {
    friend driver_functions<deadline_driver, Driver>;

public:
    deadline_driver(Driver& below, Time time, const deadline_options& options = {})
        : driver_wrapper<deadline_driver, Driver>{below}, time_{std::move(time)}, options_{options} {}

    time_point poll(time_point now) {
        time_point due = this->poll_below(now);
        bool told = false;
        std::erase_if(open_, [&](const std::shared_ptr<detail::limited_call>& c) {
            if (c->over.load(std::memory_order_acquire)) return true;
            if (c->due > now) {
                due = earlier(due, c->due);
                return false;
            }
            if (!c->over.exchange(true, std::memory_order_acq_rel)) {
                ++missed_;
                told = true;
                c->to(outcome::unknown("not answered within its limit"));
            }
            return true;
        });
        return told ? earlier(due, now) : due;
    }

    /// How many calls were not answered in time so far.
    [[nodiscard]] std::uint64_t missed() const noexcept { return missed_; }

private:
    template <class Function, class... Proofs>
    void on_call(Function f, const request& r, completion done, Proofs&&... proofs) {
        const duration own = options_.only[static_cast<std::size_t>(detail::operation_of(f))];
        const duration limit = own == duration::zero() ? options_.limit : own;
        request told = r;
        const time_point due = after(time_.now(), limit);
        told.deadline = earlier(r.deadline, due);
        open_.push_back(std::make_shared<detail::limited_call>(std::move(done), due));
        this->pass_on(f, told, relayed(r.op, detail::in_time{open_.back()}), std::forward<Proofs>(proofs)...);
    }

    Time time_;
    deadline_options options_;
    std::vector<std::shared_ptr<detail::limited_call>> open_;
    std::uint64_t missed_ = 0;
};

} // namespace reheat::inline REHEAT_ABI
