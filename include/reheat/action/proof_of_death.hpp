// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace reheat::inline REHEAT_ABI {

class engine;

namespace testing {
struct proof_mint;
} // namespace testing

/// Why an instance is certainly not running.
enum class proof_kind : std::uint8_t {
    fenced,        ///< the fence device or the hypervisor confirmed the power-off
    absent,        ///< the hypervisor that ran it, or an API that vouches for that host, says it is gone
    lease_expired, ///< its lease, its watchdog and a margin are over, and the watchdog is tied to that lease
    confirmed,     ///< a named operator says so
};

[[nodiscard]] constexpr std::string_view to_string(proof_kind k) noexcept {
    constexpr std::array<std::string_view, 5> names{"fenced", "absent", "lease_expired", "confirmed", "unknown"};
    return names[k <= proof_kind::confirmed ? static_cast<std::size_t>(k) : 4];
}

/// The right to start another copy of an instance: it names one incident and one target, expires, and is spent by the
/// call that it is moved into. Only the engine makes one. It can not be copied, assigned or default-constructed.
class proof_of_death {
public:
    proof_of_death(proof_of_death&& other) noexcept
        : kind_{other.kind_}, incident_{std::exchange(other.incident_, no_incident)},
          target_{std::exchange(other.target_, no_target)},
          expires_{std::exchange(other.expires_, (time_point::min)())} {}
    proof_of_death(const proof_of_death&) = delete;
    proof_of_death& operator=(const proof_of_death&) = delete;
    proof_of_death& operator=(proof_of_death&&) = delete;
    ~proof_of_death() = default;

    [[nodiscard]] proof_kind kind() const noexcept { return kind_; }
    [[nodiscard]] incident_id incident() const noexcept { return incident_; }
    [[nodiscard]] target_id target() const noexcept { return target_; }
    [[nodiscard]] time_point expires() const noexcept { return expires_; }
    /// Whether it speaks for that target in that incident, at that time. A proof that was moved from speaks for none.
    [[nodiscard]] bool speaks_for(incident_id incident, target_id target, time_point at) const noexcept {
        return incident_ == incident && target_ == target && target != no_target && at < expires_;
    }

private:
    friend class engine;
    friend struct testing::proof_mint;

    proof_of_death(proof_kind kind, incident_id incident, target_id target, time_point expires) noexcept
        : kind_{kind}, incident_{incident}, target_{target}, expires_{expires} {}

    proof_kind kind_;
    incident_id incident_;
    target_id target_;
    time_point expires_;
};

} // namespace reheat::inline REHEAT_ABI
