// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/bits.hpp>
#include <reheat/core/time.hpp>
#include <reheat/evidence/evidence_rules.hpp>
#include <reheat/evidence/health.hpp>

#include <array>
#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// What one vantage says of one target. A single statement stands until it is taken back. Of a polled series M of the
/// last N have to say unhealthy, a healthy one is believed only while fewer do, and a series that stops says nothing
/// once it is old.
class testimony {
public:
    /// The most observations of a series that are kept.
    static constexpr unsigned most_polls = 16;

    /// One that is older than what is known already says nothing.
    void state(health seen, time_point at) noexcept {
        if (at < at_) return;
        at_ = at;
        seen_ = seen;
        polls_ = 0;
        bad_ = 0;
    }

    void poll(health seen, time_point at, const evidence_rules& rules) noexcept {
        if (at < at_) return;
        const unsigned kept = rules.polls < most_polls ? rules.polls : most_polls;
        bad_ = static_cast<std::uint16_t>(unsigned{bad_} << 1U | (seen == health::unhealthy ? 1U : 0U));
        if (kept < most_polls) bad_ = static_cast<std::uint16_t>(unsigned{bad_} & ((1U << kept) - 1U));
        if (polls_ < most_polls) ++polls_;
        at_ = at;
        if (detail::count_bits(bad_) >= rules.unhealthy_polls) seen_ = health::unhealthy;
        else seen_ = seen == health::healthy ? health::healthy : health::unknown;
    }

    /// A statement that grows old, of something that changes by itself.
    void pass(health seen, time_point at) noexcept {
        state(seen, at);
        polls_ = 1;
    }

    /// What it says at a time.
    [[nodiscard]] health says(time_point now, duration max_age) const noexcept {
        return polls_ != 0 && now > after(at_, max_age) ? health::unknown : seen_;
    }
    /// When it spoke last; before all times if never.
    [[nodiscard]] time_point at() const noexcept { return at_; }
    /// When it will grow old; `never` for a single statement.
    [[nodiscard]] time_point ages(duration max_age) const noexcept {
        return polls_ != 0 && seen_ != health::unknown ? after(at_, max_age) : never;
    }

private:
    time_point at_ = (time_point::min)();
    health seen_ = health::unknown;
    std::uint8_t polls_ = 0;
    std::uint16_t bad_ = 0; ///< bit n: the n-th last poll said unhealthy
};

/// What every vantage says of one target.
struct testimonies {
    std::array<testimony, vantage_count> of{};
    testimony machine{}; ///< whether the cloud, when asked, said that the machine runs
};

/// A set of vantages.
enum class vantage_set : std::uint8_t { none = 0 };

inline constexpr vantage_set all_vantages{(1U << vantage_count) - 1U};

[[nodiscard]] constexpr vantage_set operator|(vantage_set set, vantage v) noexcept {
    return static_cast<vantage_set>(static_cast<unsigned>(set) | 1U << static_cast<unsigned>(v));
}
[[nodiscard]] constexpr vantage_set operator|(vantage_set a, vantage_set b) noexcept {
    return static_cast<vantage_set>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
[[nodiscard]] constexpr vantage_set operator-(vantage_set a, vantage_set b) noexcept {
    return static_cast<vantage_set>(static_cast<unsigned>(a) & ~static_cast<unsigned>(b));
}
[[nodiscard]] constexpr bool has(vantage_set set, vantage v) noexcept {
    return (static_cast<unsigned>(set) >> static_cast<unsigned>(v) & 1U) != 0;
}
[[nodiscard]] constexpr unsigned count(vantage_set set) noexcept {
    return detail::count_bits(static_cast<unsigned>(set));
}

} // namespace reheat::inline REHEAT_ABI
