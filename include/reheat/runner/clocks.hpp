// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// A source of engine time. `now` never goes back. `real_wait` is how long a real thread has to sleep until that time
/// comes; zero if it is over, negative if no sleep will bring it (time is moved by hand).
template <class T>
concept time_source = requires(const T& source, time_point at) {
    { source.now() } -> std::same_as<time_point>;
    { source.real_wait(at) } -> std::same_as<duration>;
};

/// Real time: the wall clock read once, carried on by the steady clock, so that a jump of the wall clock moves nothing.
/// Any thread may read it.
class system_time {
public:
    system_time() noexcept
        : wall_{std::chrono::duration_cast<duration>(std::chrono::system_clock::now().time_since_epoch())},
          steady_{std::chrono::steady_clock::now()} {}

    [[nodiscard]] time_point now() const noexcept {
        return time_point{wall_ + std::chrono::duration_cast<duration>(std::chrono::steady_clock::now() - steady_)};
    }
    [[nodiscard]] duration real_wait(time_point at) const noexcept {
        const time_point t = now();
        return at > t ? at - t : duration::zero();
    }

private:
    duration wall_;
    std::chrono::steady_clock::time_point steady_;
};

/// Time that stands until it is moved. One thread at a time.
///
///     manual_clock clock;
///     clock.advance(60s);
class manual_clock {
public:
    /// Begins at 2026-01-01T00:00:00Z unless told otherwise.
    explicit manual_clock(time_point start = time_point{std::chrono::seconds{1'767'225'600}}) noexcept : now_{start} {}

    [[nodiscard]] time_point now() const noexcept { return now_; }
    [[nodiscard]] duration real_wait(time_point at) const noexcept {
        return at <= now_ ? duration::zero() : duration{-1};
    }
    void advance(duration by) noexcept { advance_to(after(now_, by)); }
    /// Moves to a time; an earlier one changes nothing.
    void advance_to(time_point at) noexcept {
        if (at > now_) now_ = at;
    }

private:
    time_point now_;
};

/// Real time, a number of times faster. Begins at the present. Any thread may read it. A short stall is a long one in
/// this time: an engine whose `engine_options::doubts` stay as they are soon doubts itself.
class scaled_clock {
public:
    /// `scale` from 0.001 to 1,000,000; what is outside is held at the bound.
    explicit scaled_clock(double scale) noexcept
        : start_{real_.now()}, scale_{scale < 0.001 ? 0.001
                                      : scale > 1e6 ? 1e6
                                                    : scale} {}

    [[nodiscard]] time_point now() const noexcept {
        return after(start_,
                     duration{static_cast<std::int64_t>(static_cast<double>((real_.now() - start_).count()) * scale_)});
    }
    [[nodiscard]] duration real_wait(time_point at) const noexcept {
        const time_point t = now();
        return at > t ? duration{static_cast<std::int64_t>(static_cast<double>((at - t).count()) / scale_) + 1}
                      : duration::zero();
    }

private:
    system_time real_;
    time_point start_;
    double scale_;
};

} // namespace reheat::inline REHEAT_ABI
