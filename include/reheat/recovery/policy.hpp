// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace reheat::inline REHEAT_ABI {

/// Whether a human must agree before a rung acts.
enum class consent : std::uint8_t { none, required };
inline constexpr consent required = consent::required;

/// At most `count` actions within any window of `within`.
struct budget {
    std::uint16_t count = 1;
    duration within = std::chrono::hours{1};

    friend constexpr bool operator==(const budget&, const budget&) = default;
};

/// How long to wait before the next attempt: `first`, doubled for each attempt up to `most`, then spread by jitter.
/// Full jitter draws from the whole range 0 to the wait; otherwise `spread` percent to either side.
struct backoff {
    duration first = std::chrono::seconds{60};
    duration most = std::chrono::minutes{15};
    bool full_jitter = false;
    std::uint8_t spread = 20;

    friend constexpr bool operator==(const backoff&, const backoff&) = default;
};

inline constexpr backoff service_backoff{std::chrono::seconds{1}, std::chrono::seconds{60}, true, 0};
inline constexpr backoff instance_backoff{};

/// One step of a lowered ladder, as the engine knows it.
struct rung {
    operation what = operation::none;
    budget burst{};
    budget sustained{};
    duration verify = std::chrono::minutes{30};  ///< how long after the action the target has to become healthy
    duration grace = std::chrono::seconds{600};  ///< how long the target may need before its silence means anything
    duration timeout = std::chrono::minutes{10}; ///< past it the outcome of the call is unknown
    consent approval = consent::none;
    backoff wait{};

    friend constexpr bool operator==(const rung&, const rung&) = default;
};

/// A ladder, lowered to plain data: what the engine runs, wherever the ladder was written.
class policy {
public:
    static constexpr std::size_t most_rungs = 8;

    constexpr policy() noexcept = default;

    /// Appends a rung; past `most_rungs` it is left out and `size()` tells.
    constexpr policy& add(const rung& r) noexcept {
        if (size_ < most_rungs) rungs_[size_++] = r;
        return *this;
    }
    [[nodiscard]] constexpr std::span<const rung> rungs() const noexcept { return std::span{rungs_}.first(size_); }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }

    /// How long a parked target waits before its ladder is tried again.
    duration retry_parked = std::chrono::minutes{30};

    friend constexpr bool operator==(const policy&, const policy&) = default;

private:
    std::array<rung, most_rungs> rungs_{};
    std::uint8_t size_ = 0;
};

} // namespace reheat::inline REHEAT_ABI
