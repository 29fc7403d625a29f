// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/time.hpp>
#include <reheat/driver/forwarding.hpp>
#include <reheat/driver/relay.hpp>
#include <reheat/runner/clocks.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// When a cloud counts as gone, and for how long it is left alone then.
struct circuit_breaker_options {
    std::uint32_t unanswered = 5; ///< calls in a row that came out as `unknown`
    duration cooldown = std::chrono::seconds{30};
};

namespace detail {

/// What is known of the cloud. Any thread.
template <class Time>
class circuit {
public:
    circuit(Time time, const circuit_breaker_options& options) : time_{std::move(time)}, options_{options} {}

    /// How long the next call has to wait; zero lets it pass. The first after a cooldown passes, to try.
    [[nodiscard]] duration ask() {
        const std::lock_guard<std::mutex> lock{mutex_};
        if (!open_) return {};
        const time_point now = time_.now();
        if (now < try_at_) return try_at_ - now;
        try_at_ = after(now, options_.cooldown);
        return {};
    }
    void hear(outcome_code code) noexcept {
        const std::lock_guard<std::mutex> lock{mutex_};
        if (code != outcome_code::unknown) {
            open_ = false;
            in_a_row_ = 0;
        } else if (!open_ && ++in_a_row_ >= options_.unanswered) {
            open_ = true;
            ++openings_;
            try_at_ = after(time_.now(), options_.cooldown);
        }
    }
    [[nodiscard]] bool is_open() const {
        const std::lock_guard<std::mutex> lock{mutex_};
        return open_;
    }
    [[nodiscard]] std::uint64_t openings() const {
        const std::lock_guard<std::mutex> lock{mutex_};
        return openings_;
    }

private:
    mutable std::mutex mutex_;
    Time time_;
    circuit_breaker_options options_;
    std::uint64_t openings_ = 0;
    std::uint32_t in_a_row_ = 0;
    bool open_ = false;
    time_point try_at_{};
};

} // namespace detail

/// A driver that is left alone while its cloud does not answer. After so many calls in a row that came out as `unknown`
/// the circuit is open: calls are answered at once, `refused`, a question `unknown`, with the time to wait as
/// `retry_after`. After the cooldown one call passes, and one after each further cooldown; any answer but `unknown`
/// closes the circuit. A `failed` or `refused` is an answer: it is about a machine, not about the cloud. It has exactly
/// the capabilities of the driver below, which it refers to. Put it above `deadline_driver`, which makes silence an
/// `unknown`. Threads: functions as of the pipeline; the driver may answer on any thread that may read the time source.
///
///     deadline_driver patient{cloud, system_time{}, {.limit = 30s}};
///     circuit_breaker_driver careful{patient, system_time{}, {.unanswered = 3}};
template <cloud_driver Driver, time_source Time>
class circuit_breaker_driver : public driver_wrapper<circuit_breaker_driver<Driver, Time>, Driver> {
    friend driver_functions<circuit_breaker_driver, Driver>;

public:
    circuit_breaker_driver(Driver& below, Time time, const circuit_breaker_options& options = {})
        : driver_wrapper<circuit_breaker_driver, Driver>{below},
          circuit_{std::make_shared<detail::circuit<Time>>(std::move(time), options)} {}

    [[nodiscard]] bool is_open() const { return circuit_->is_open(); }
    /// How often it opened so far.
    [[nodiscard]] std::uint64_t openings() const { return circuit_->openings(); }

private:
    template <class Function, class... Proofs>
    void on_call(Function f, const request& r, completion done, Proofs&&... proofs) {
        if (const duration wait = circuit_->ask(); wait > duration::zero())
            return done(detail::not_passed_on(detail::operation_of(f), "the circuit is open", wait));
        const auto hear = [c = circuit_](const outcome& o) noexcept { c->hear(o.code); };
        this->pass_on(f, r, overheard(std::move(done), hear), std::forward<Proofs>(proofs)...);
    }

    std::shared_ptr<detail::circuit<Time>> circuit_;
};

} // namespace reheat::inline REHEAT_ABI
