// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/recovery/policy.hpp>

#include <concepts>
#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// Rung: restart the service in its guest. Keeps everything but the service's own memory.
struct restart_service {
    std::uint16_t attempts = 3;
    duration within = std::chrono::minutes{5};
    duration verify = std::chrono::seconds{150};
    budget sustained{6, std::chrono::hours{1}};
    duration grace = std::chrono::seconds{30};
    duration timeout = std::chrono::seconds{60};
    consent approval = consent::none;

    static constexpr operation what = operation::restart_service;
    static constexpr backoff wait = service_backoff;
};

/// Rung: wait for the guest to heal itself, as `cfn-hup` does, and count what it reports (`engine::guest_restarted`).
/// More than `attempts` reports within `within`, or unhealthy for `verify` after the last one, and the ladder goes on.
struct guest_restarts {
    std::uint16_t attempts = 3;
    duration within = std::chrono::minutes{5};
    duration verify = std::chrono::seconds{150};
    budget sustained{6, std::chrono::hours{1}};
    duration grace = std::chrono::seconds{30};
    duration timeout = std::chrono::seconds{60};
    consent approval = consent::none;

    static constexpr operation what = operation::guest_restarts;
    static constexpr backoff wait = service_backoff;
};

/// Rung: boot the same machine again. Loses what it held in memory.
struct reboot_instance {
    std::uint16_t attempts = 2;
    duration within = std::chrono::hours{1};
    duration verify = std::chrono::minutes{12};
    budget sustained{2, std::chrono::hours{1}};
    duration grace = std::chrono::seconds{600};
    duration timeout = std::chrono::minutes{5};
    consent approval = consent::none;
    reboot_kind how = reboot_kind::soft_then_hard;

    static constexpr operation what = operation::reboot_instance;
    static constexpr backoff wait = instance_backoff;
};

/// Rung: a fresh root disk under the same identity. Loses memory and ephemeral disks.
struct rebuild_instance {
    std::uint16_t attempts = 1;
    duration within = std::chrono::hours{4};
    duration verify = std::chrono::minutes{30};
    budget sustained{1, std::chrono::hours{4}};
    duration grace = std::chrono::seconds{600};
    duration timeout = std::chrono::minutes{15};
    consent approval = consent::none;

    static constexpr operation what = operation::rebuild_instance;
    static constexpr backoff wait = instance_backoff;
};

/// Rung: fence the instance, then make it anew with its volumes and fixed addresses. Loses memory, ephemeral disks and
/// the cloud's id.
struct recreate_instance {
    std::uint16_t attempts = 1;
    duration within = std::chrono::hours{4};
    duration verify = std::chrono::minutes{30};
    budget sustained{1, std::chrono::hours{4}};
    duration grace = std::chrono::seconds{600};
    duration timeout = std::chrono::minutes{15};
    consent approval = consent::none;

    static constexpr operation what = operation::recreate_instance;
    static constexpr backoff wait = instance_backoff;
};

/// Rung: fence the instance, then start it on another host. Loses memory.
struct evacuate_instance {
    std::uint16_t attempts = 1;
    duration within = std::chrono::hours{4};
    duration verify = std::chrono::minutes{30};
    budget sustained{1, std::chrono::hours{4}};
    duration grace = std::chrono::seconds{600};
    duration timeout = std::chrono::minutes{15};
    consent approval = consent::none;

    static constexpr operation what = operation::evacuate_instance;
    static constexpr backoff wait = instance_backoff;
};

/// Rung: bring the whole stack to what its template says. A human agrees first, unless told otherwise.
struct converge_stack {
    std::uint16_t attempts = 1;
    duration within = std::chrono::hours{24};
    duration verify = std::chrono::hours{1};
    budget sustained{1, std::chrono::hours{24}};
    duration grace = std::chrono::seconds{600};
    duration timeout = std::chrono::minutes{30};
    consent approval = consent::required;

    static constexpr operation what = operation::converge_stack;
    static constexpr backoff wait = instance_backoff;
};

/// Rung: call a human and go on.
struct page {
    std::uint16_t attempts = 1;
    duration within = std::chrono::hours{1};
    duration verify = std::chrono::minutes{1};
    budget sustained{1, std::chrono::hours{1}};
    duration grace = duration::zero();
    duration timeout = std::chrono::minutes{1};
    consent approval = consent::none;

    static constexpr operation what = operation::page;
    static constexpr backoff wait = instance_backoff;
};

/// A rung that a ladder can hold: numbers as members, the operation as a constant of the type.
template <class R>
concept rung_type = requires(const R& r) {
    { R::what } -> std::convertible_to<operation>;
    { R::wait } -> std::convertible_to<backoff>;
    { r.attempts } -> std::convertible_to<std::uint16_t>;
    { r.within } -> std::convertible_to<duration>;
    { r.verify } -> std::convertible_to<duration>;
    { r.sustained } -> std::convertible_to<budget>;
    { r.grace } -> std::convertible_to<duration>;
    { r.timeout } -> std::convertible_to<duration>;
    { r.approval } -> std::convertible_to<consent>;
};

/// The steps of recovery, mildest first: which ones is in the type, their numbers are in the value.
///
///     constexpr ladder steps{restart_service{.attempts = 3}, reboot_instance{}, recreate_instance{}};
template <rung_type... Rungs>
class ladder {
public:
    static_assert(sizeof...(Rungs) <= policy::most_rungs, "a ladder has at most eight rungs");

    constexpr explicit ladder(Rungs... r) noexcept { (lowered_.add(lower(r)), ...); }

    /// The same ladder as plain data.
    [[nodiscard]] constexpr const policy& lowered() const noexcept { return lowered_; }

private:
    template <class R>
    static constexpr rung lower(const R& r) noexcept {
        rung low{r.what, {r.attempts, r.within}, r.sustained, r.verify, r.grace, r.timeout, r.approval, r.wait};
        if constexpr (requires { r.how; }) low.how = r.how;
        return low;
    }

    policy lowered_;
};

/// Service, instance, stack: the three levels that Heat promised, with the default numbers.
inline constexpr ladder three_levels{restart_service{}, reboot_instance{}, recreate_instance{}, converge_stack{}};

/// What Heat's `OS::Heat::HARestarter` did, made safe: fence, then re-create.
inline constexpr ladder ha_restarter{recreate_instance{}};

} // namespace reheat::inline REHEAT_ABI
