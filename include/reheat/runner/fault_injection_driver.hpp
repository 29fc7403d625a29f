// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/hash.hpp>
#include <reheat/core/time.hpp>
#include <reheat/driver/capabilities.hpp>
#include <reheat/driver/forwarding.hpp>
#include <reheat/driver/relay.hpp>
#include <reheat/runner/clocks.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What goes wrong with calls, each in percent of them. All are what an honest driver may do to a caller: none says
/// that something happened which did not, or the reverse.
struct fault_injection_options {
    std::uint64_t seed = 1;
    // The driver below is not called
    std::uint8_t unreachable = 0; ///< `unknown`
    std::uint8_t failed = 0;      ///< `failed`; a question: `unknown`
    std::uint8_t refused = 0;     ///< `refused`, with `retry_after`; a question: `unknown`
    // It is
    std::uint8_t lost = 0;   ///< its answer comes out as `unknown`
    std::uint8_t silent = 0; ///< its answer never comes
    std::uint8_t late = 0;   ///< its answer comes up to `most_delay` later
    std::uint8_t twice = 0;  ///< its answer comes twice
    duration retry_after = std::chrono::seconds{5};
    duration most_delay = std::chrono::minutes{2};
    capabilities only{}; ///< the operations that are hit; none: all
};

namespace detail {

/// An answer on its way through a fault. The completion is shared: it is answered once here, and woken by others.
struct faulty_call {
    explicit faulty_call(completion done) noexcept : to{std::move(done)} {}
    completion to;
};

enum class answer_fault : std::uint8_t { none, lost, silent, late, twice };

/// The answers that are held back. Any thread.
template <class Time>
class held_answers {
public:
    explicit held_answers(Time time) : time_{std::move(time)} {}

    [[nodiscard]] time_point now() const { return time_.now(); }
    void hold(std::shared_ptr<faulty_call> call, outcome&& result, duration delay) {
        {
            const std::lock_guard<std::mutex> lock{mutex_};
            held_.push_back({after(time_.now(), delay), call, std::move(result)});
        }
        call->to.wake();
    }
    /// Its answer never comes; the call must not end, or it would be an abandoned one.
    void hold_for_ever(std::shared_ptr<faulty_call> call) {
        const std::lock_guard<std::mutex> lock{mutex_};
        silenced_.push_back(std::move(call));
    }
    /// Lets those go that are due, and says when the next one is, or `now` after any.
    [[nodiscard]] time_point release(time_point now) {
        std::vector<answer> due;
        time_point next = never;
        {
            const std::lock_guard<std::mutex> lock{mutex_};
            std::erase_if(held_, [&](answer& a) {
                if (a.at > now) {
                    next = earlier(next, a.at);
                    return false;
                }
                due.push_back(std::move(a));
                return true;
            });
        }
        for (answer& a : due) a.call->to(std::move(a.result));
        return due.empty() ? next : now;
    }

private:
    struct answer {
        time_point at;
        std::shared_ptr<faulty_call> call;
        outcome result;
    };

    std::mutex mutex_;
    Time time_;
    std::vector<answer> held_;
    std::vector<std::shared_ptr<faulty_call>> silenced_;
};

template <class Time>
struct faulty_answer {
    std::shared_ptr<held_answers<Time>> held;
    std::shared_ptr<faulty_call> call;
    answer_fault how;
    duration delay;

    void answered(outcome&& result, bool repeated) noexcept {
        const bool gone = how == answer_fault::silent || how == answer_fault::late;
        if (repeated && gone) return;
        switch (how) {
        case answer_fault::silent: return held->hold_for_ever(call);
        case answer_fault::late: return held->hold(call, std::move(result), delay);
        case answer_fault::lost: return call->to(outcome::unknown("injected: its answer was lost"));
        case answer_fault::twice: call->to(result); [[fallthrough]];
        case answer_fault::none: return call->to(std::move(result));
        }
    }
    void wake() noexcept { call->to.wake(); }
};

} // namespace detail

/// A driver with faults from a seed, to try what a controller makes of a bad cloud: in a staging environment, above a
/// real driver, or in a test. The same calls in the same order meet the same faults. It has exactly the capabilities of
/// the driver below, which it refers to. With `late` faults it has to be polled (see `driven`). Threads: functions and
/// `poll` as of the pipeline; the driver may answer on any thread that may read the time source.
///
///     fault_injection_driver bad{cloud, system_time{}, {.seed = 7, .unreachable = 5, .lost = 5}};
template <cloud_driver Driver, time_source Time>
class fault_injection_driver : public driver_wrapper<fault_injection_driver<Driver, Time>, Driver> {
    friend driver_functions<fault_injection_driver, Driver>;

public:
    fault_injection_driver(Driver& below, Time time, const fault_injection_options& options = {})
        : driver_wrapper<fault_injection_driver, Driver>{below}, options_{options},
          held_{std::make_shared<detail::held_answers<Time>>(std::move(time))} {}

    time_point poll(time_point now) {
        const time_point due = this->poll_below(now);
        return earlier(due, held_->release(now));
    }

    /// How many calls met a fault so far.
    [[nodiscard]] std::uint64_t injected() const noexcept { return injected_; }

private:
    template <class Function, class... Proofs>
    void on_call(Function f, const request& r, completion done, Proofs&&... proofs) {
        const operation what = detail::operation_of(f);
        ++calls_;
        if (options_.only != capabilities{} && !options_.only.has(what))
            return this->pass_on(f, r, std::move(done), std::forward<Proofs>(proofs)...);
        if (meets(1, options_.unreachable)) return done(outcome::unknown("injected: unreachable"));
        if (meets(2, options_.failed))
            return done(what == operation::describe ? outcome::unknown("injected: failed")
                                                    : outcome::failed("injected: failed"));
        if (meets(3, options_.refused))
            return done(detail::not_passed_on(what, "injected: refused", options_.retry_after));
        using detail::answer_fault;
        const answer_fault how = meets(4, options_.lost)     ? answer_fault::lost
                                 : meets(5, options_.silent) ? answer_fault::silent
                                 : meets(6, options_.late)   ? answer_fault::late
                                 : meets(7, options_.twice)  ? answer_fault::twice
                                                             : answer_fault::none;
        const auto most = static_cast<std::uint64_t>(options_.most_delay.count() < 0 ? 0 : options_.most_delay.count());
        const duration delay{static_cast<std::int64_t>(roll(8) % (most + 1))};
        auto call = std::make_shared<detail::faulty_call>(std::move(done));
        this->pass_on(f, r, relayed(r.op, detail::faulty_answer<Time>{held_, std::move(call), how, delay}),
                      std::forward<Proofs>(proofs)...);
    }
    [[nodiscard]] std::uint64_t roll(std::uint64_t which) const noexcept {
        return mix(mix(options_.seed ^ which << 56U) ^ calls_);
    }
    [[nodiscard]] bool meets(std::uint64_t which, std::uint8_t percent) noexcept {
        if (roll(which) % 100 >= percent) return false;
        ++injected_;
        return true;
    }

    fault_injection_options options_;
    std::shared_ptr<detail::held_answers<Time>> held_;
    std::uint64_t calls_ = 0;
    std::uint64_t injected_ = 0;
};

} // namespace reheat::inline REHEAT_ABI
