// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>
#include <reheat/driver/forwarding.hpp>
#include <reheat/driver/relay.hpp>
#include <reheat/engine/recording.hpp>
#include <reheat/runner/clocks.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// Calls and answers, in the order in which they happened. Any thread.
template <class Time>
class call_tape {
public:
    call_tape(Time time, std::size_t most) : time_{std::move(time)}, most_{most} {}

    /// The call's number on the tape.
    [[nodiscard]] op_id called(operation what, target_id target) {
        const std::lock_guard<std::mutex> lock{mutex_};
        // A number of its own: an operation that is called again has the old one.
        const auto number = static_cast<op_id>(++last_);
        if (room()) tape_.add(time_.now(), recorded::call{number, what, target});
        return number;
    }
    void answered(op_id number, const outcome& result) {
        const std::lock_guard<std::mutex> lock{mutex_};
        if (room()) tape_.add(time_.now(), recorded::completion{number, result, false});
    }
    [[nodiscard]] recording take() {
        const std::lock_guard<std::mutex> lock{mutex_};
        kept_ = 0;
        return std::exchange(tape_, recording{});
    }

private:
    [[nodiscard]] bool room() noexcept {
        if (kept_ < most_) {
            ++kept_;
            return true;
        }
        ++tape_.lost;
        return false;
    }

    std::mutex mutex_;
    Time time_;
    recording tape_;
    std::uint64_t last_ = 0;
    std::size_t kept_ = 0;
    std::size_t most_;
};

} // namespace detail

/// A driver whose calls and answers are kept as a `recording`: what the cloud did, below everything that repeats,
/// limits or interprets it. `recorded_cloud` answers from it, and its latencies are what a backtest can assume of calls
/// that its own recording does not have (`assumed_calls`). What a backtest replays, the inputs of an engine, `recorder`
/// keeps. Past `most_entries` calls and answers are counted in `recording::lost`, until `take` makes room. It has
/// exactly the capabilities of the driver below, which it refers to. Threads: functions as of the pipeline; `take` on
/// any, and the driver may answer on any thread that may read the time source.
///
///     recording_driver taped{cloud, system_time{}};
///     …
///     std::string text = to_text(taped.take());
template <cloud_driver Driver, time_source Time>
class recording_driver : public driver_wrapper<recording_driver<Driver, Time>, Driver> {
    friend driver_functions<recording_driver, Driver>;

public:
    recording_driver(Driver& below, Time time, std::size_t most_entries = 1'000'000)
        : driver_wrapper<recording_driver, Driver>{below},
          tape_{std::make_shared<detail::call_tape<Time>>(std::move(time), most_entries)} {}

    /// Hands over what was recorded so far and goes on with an empty one.
    [[nodiscard]] recording take() { return tape_->take(); }

private:
    template <class Function, class... Proofs>
    void on_call(Function f, const request& r, completion done, Proofs&&... proofs) {
        const op_id number = tape_->called(detail::operation_of(f), r.target);
        const auto hear = [tape = tape_, number](const outcome& o) noexcept { tape->answered(number, o); };
        this->pass_on(f, r, overheard(std::move(done), hear), std::forward<Proofs>(proofs)...);
    }

    std::shared_ptr<detail::call_tape<Time>> tape_;
};

} // namespace reheat::inline REHEAT_ABI
