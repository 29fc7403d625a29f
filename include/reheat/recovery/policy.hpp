// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/time.hpp>
#include <reheat/evidence/evidence_rules.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// Whether a human must agree before a rung acts.
enum class consent : std::uint8_t { none, required };
inline constexpr consent required = consent::required;

/// How a reboot is asked for: of the guest's own system, of the hypervisor, or of the guest first and of the
/// hypervisor from the second attempt on.
enum class reboot_kind : std::uint8_t { soft_then_hard, soft, hard };

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
    reboot_kind how = reboot_kind::soft_then_hard; ///< of a reboot

    friend constexpr bool operator==(const rung&, const rung&) = default;
};

/// What to do when a machine that had been replaced is heard of again.
enum class return_rule : std::uint8_t {
    keep_replacement, ///< fence what came back
    keep_original,    ///< fence the replacement
    longest_running,  ///< fence the one that has run for less time
    stop_both,        ///< fence both, and call a human
};

/// How an instance is fenced, where a driver knows more than one way: the names are the driver's own, in order.
/// In parallel, the first confirmed power-off is enough, and the action begins once no other fence is under way.
struct fence_rules {
    static constexpr std::size_t most_methods = 4;
    std::array<std::string_view, most_methods> methods{}; ///< empty: the driver's own way; texts outlive the engine
    bool parallel = false;

    [[nodiscard]] constexpr std::size_t size() const noexcept {
        std::size_t n = 0;
        while (n < most_methods && !methods[n].empty()) ++n;
        return n == 0 ? 1 : n;
    }
    friend constexpr bool operator==(const fence_rules&, const fence_rules&) = default;
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
    /// After an instance or stack action that helped, the same or a higher rung waits this long for the same evidence.
    duration probation = std::chrono::minutes{30};
    /// Healthy for this long, and the backoff starts anew.
    duration stable = std::chrono::minutes{10};
    /// A target that fails again within this time of its recovery goes on with the same incident.
    duration related = std::chrono::hours{1};
    /// How long `collect_forensics` may hold up a destructive rung; 0: it is not called.
    duration forensics = duration::zero();
    evidence_rules evidence{};
    return_rule returned = return_rule::keep_replacement;
    fence_rules fencing{};

    friend constexpr bool operator==(const policy&, const policy&) = default;

private:
    std::array<rung, most_rungs> rungs_{};
    std::uint8_t size_ = 0;
};

} // namespace reheat::inline REHEAT_ABI
