// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>
#include <reheat/recovery/ladder.hpp>
#include <reheat/recovery/limits.hpp>
#include <reheat/recovery/policy.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

/// The recovery of other systems as values, to be run on the same traces as one's own policy. Each takes the knobs of
/// its peer under their own names, with the peer's defaults. What a peer does not bound is set to "none" here, not to a
/// default of ours; how long a machine takes to boot is no peer's policy, so where one has no number for that, ours
/// stands. `docs/reference/peers.md` has the numbers as tables, and where each likeness ends.
///
///     constexpr peer_preset p = peer::systemd({.start_limit_burst = 3});
///     engine e{p.rules, {.bounds = p.bounds}};  // and tell it of a failure `p.detection.at_most()` after it happened
///
/// Nobody is advised to run these.
namespace reheat::inline REHEAT_ABI {

/// How a peer learns of a failure. It looks every `poll`, finds what has lasted for `silence`, believes `looks` in a
/// row, and waits for `pending` before it does anything.
struct peer_detection {
    std::string_view by;     ///< what it looks at
    duration silence{};      ///< 0: it is told
    duration poll{};         ///< 0: it sees at once
    std::uint16_t looks = 1; ///< that agree
    duration pending{};      ///< an alarm's `pending_period`, or a sleep

    /// At the best moment.
    [[nodiscard]] constexpr duration at_least() const noexcept { return silence + poll * (looks - 1) + pending; }
    /// From the failure to the first action, at the worst moment.
    [[nodiscard]] constexpr duration at_most() const noexcept { return silence + poll * looks + pending; }

    friend constexpr bool operator==(const peer_detection&, const peer_detection&) = default;
};

/// Another system's recovery: its ladder, what bounds it, and how it learns of a failure. A literal type; the texts
/// are literals.
struct peer_preset {
    std::string_view name;
    peer_detection detection{};
    policy rules{};
    limits bounds{};

    friend constexpr bool operator==(const peer_preset&, const peer_preset&) = default;
};

namespace peer {

// What "none" is

/// A time that does not come: the pause of who gives up for good.
inline constexpr duration no_end = std::chrono::years{100};
/// A share that no set exceeds: as an in-flight limit it allows all at once, as a breaker's it never opens.
inline constexpr share whole{100, 1};
inline constexpr breaker_limits no_breaker{whole, whole, (std::numeric_limits<std::uint32_t>::max)(), duration::zero()};
inline constexpr silence_limits no_self_doubt{(std::numeric_limits<std::uint32_t>::max)(),
                                              (std::numeric_limits<std::uint32_t>::max)(), whole};
/// 65,535 actions a second, and as many in one incident.
inline constexpr budget no_budget{(std::numeric_limits<std::uint16_t>::max)(), std::chrono::seconds{1}};
inline constexpr backoff no_backoff{duration::zero(), duration::zero(), false, 0};
/// One reading by one way is enough for everything.
inline constexpr evidence_rules no_corroboration{1, 1, 1, single_vantage::act, std::chrono::minutes{5}};
/// No breaker, no self-doubt, all at once, no pause, no hold, no shared budget.
inline constexpr limits no_limits{.breaker = no_breaker,
                                  .silence = no_self_doubt,
                                  .in_flight = whole,
                                  .services_in_flight = whole,
                                  .between = duration::zero(),
                                  .start_hold = duration::zero(),
                                  .yield_to_higher = duration::zero()};

namespace detail {
/// Attempts that one incident has, as often as there are incidents.
[[nodiscard]] constexpr budget each_incident(std::uint16_t attempts) noexcept {
    return {attempts, std::chrono::seconds{1}};
}
/// A policy that forgets, waits for nothing, believes at once, and gives up for good.
[[nodiscard]] constexpr policy bare() noexcept {
    policy p;
    p.retry_parked = no_end;
    p.probation = p.stable = p.related = duration::zero();
    p.evidence = no_corroboration;
    return p;
}
/// A rung with a peer's numbers: tried so often, no second budget, then so long until the next try.
template <rung_type R>
[[nodiscard]] constexpr rung step(R kind, budget attempts, duration verify, duration grace = {},
                                  backoff wait = no_backoff) noexcept {
    kind.attempts = attempts.count;
    kind.within = attempts.within;
    kind.sustained = no_budget;
    kind.verify = verify;
    kind.grace = grace;
    rung low = ladder{kind}.lowered().rungs().front();
    low.wait = wait;
    return low;
}
} // namespace detail

/// OpenStack Heat's `OS::Heat::HARestarter` under the alarm of its HA template: re-created at once, at every evaluation
/// that finds the alarm raised, however many, for ever.
[[nodiscard]] constexpr peer_preset heat(duration period = std::chrono::seconds{60}) noexcept {
    peer_preset p{"Heat HARestarter", {"heartbeats of the guest", period, period}, detail::bare(), no_limits};
    p.rules.add(detail::step(recreate_instance{}, no_budget, period));
    return p;
}

/// The options of Masakari and of its host monitor.
struct masakari_options {
    duration monitoring_interval = std::chrono::seconds{60};
    std::uint16_t monitoring_samples = 1;
    duration stonith_wait = std::chrono::seconds{30};
    duration wait_period_after_service_update = std::chrono::seconds{180};
    duration wait_period_after_evacuation = std::chrono::seconds{90};
    duration process_unfinished_notifications_interval = std::chrono::seconds{120};
    std::uint16_t host_failure_recovery_threads = 3;
    bool reserved_host = true; ///< `auto_priority`: where Nova likes, then on the reserved host; else `auto`
};

/// OpenStack Masakari, the failure of a host: evacuated, tried on the reserved host, the whole once more.
[[nodiscard]] constexpr peer_preset masakari(const masakari_options& o = {}) noexcept {
    peer_preset p{"Masakari",
                  {"state of the host in Pacemaker",
                   {},
                   o.monitoring_interval,
                   o.monitoring_samples,
                   o.stonith_wait + o.wait_period_after_service_update},
                  detail::bare(),
                  no_limits};
    const duration pause = o.process_unfinished_notifications_interval;
    p.rules.add(detail::step(evacuate_instance{}, detail::each_incident(o.reserved_host ? 4 : 2),
                             o.wait_period_after_evacuation, {}, {pause, pause, false, 0}));
    p.bounds.in_flight = {0, o.host_failure_recovery_threads};
    return p;
}

/// The configuration of Red Hat's InstanceHA.
struct instance_ha_options {
    duration poll = std::chrono::seconds{45};
    duration delta = std::chrono::seconds{30};
    std::uint8_t threshold = 50; ///< percent of the hosts
    std::uint32_t threads = 32;
    duration evacuation_timeout = std::chrono::seconds{300};
    bool heartbeats = false; ///< a second channel that has to agree, and the guard against its cliff
    duration heartbeat_timeout = std::chrono::seconds{120};
};

/// Red Hat's InstanceHA: hosts that Nova calls down are fenced and evacuated, unless too many are.
[[nodiscard]] constexpr peer_preset instance_ha(const instance_ha_options& o = {}) noexcept {
    peer_preset p{
        "Red Hat InstanceHA",
        {"Nova's service list", o.heartbeats && o.heartbeat_timeout > o.delta ? o.heartbeat_timeout : o.delta, o.poll},
        detail::bare(),
        no_limits};
    p.rules.add(detail::step(evacuate_instance{}, detail::each_incident(1), o.evacuation_timeout));
    p.bounds.breaker = {{o.threshold, 1}, whole, 1, duration::zero()};
    p.bounds.in_flight = {0, o.threads};
    if (o.heartbeats) {
        p.detection.by = "Nova's service list and heartbeats of the host";
        p.rules.evidence.vantages = 2;
        p.rules.evidence.alone = single_vantage::wait;
        p.bounds.silence.cliff = {50, 3};
        p.bounds.silence.within = o.poll;
    }
    return p;
}

/// The resource of a medik8s NodeHealthCheck, and what stands behind it.
struct node_health_check_options {
    duration node_monitor_grace = std::chrono::seconds{40}; ///< Kubernetes' own, until the condition is set
    duration unhealthy_duration = std::chrono::seconds{300};
    std::uint8_t min_healthy = 51; ///< percent
    bool escalating = true;        ///< `escalatingRemediations`: reboot, then a new machine; else reboot alone
    duration first_timeout = std::chrono::seconds{300};
    duration second_timeout = std::chrono::minutes{30};
    bool control_plane = false; ///< nodes of the control plane: one at a time
};

/// medik8s NodeHealthCheck with SelfNodeRemediation: a watchdog reboot, then a new machine.
[[nodiscard]] constexpr peer_preset node_health_check(const node_health_check_options& o = {}) noexcept {
    peer_preset p{"medik8s NodeHealthCheck",
                  {"conditions of the node", o.node_monitor_grace, {}, 1, o.unhealthy_duration},
                  detail::bare(),
                  no_limits};
    p.rules.add(detail::step(reboot_instance{.how = reboot_kind::hard}, detail::each_incident(1), o.first_timeout));
    if (o.escalating) p.rules.add(detail::step(recreate_instance{}, detail::each_incident(1), o.second_timeout));
    const int unhealthy = 100 - (o.min_healthy < 100 ? o.min_healthy : 100);
    p.bounds.breaker = {{static_cast<std::uint8_t>(unhealthy), 1}, whole, 1, duration::zero()};
    if (o.control_plane) p.bounds.in_flight = {0, 1};
    return p;
}

/// The sensitivity of VMware's VM monitoring.
enum class sensitivity : std::uint8_t { low, medium, high };

/// VMware vSphere HA, VM monitoring: a virtual machine without heartbeats and without I/O is reset, at most three times
/// in a window.
[[nodiscard]] constexpr peer_preset vmware(sensitivity s = sensitivity::high) noexcept {
    struct row {
        duration failure_interval;
        duration minimum_uptime;
        duration window;
    };
    constexpr std::array<row, 3> rows{{
        {std::chrono::seconds{120}, std::chrono::seconds{480}, std::chrono::hours{24 * 7}},
        {std::chrono::seconds{60}, std::chrono::seconds{240}, std::chrono::hours{24}},
        {std::chrono::seconds{30}, std::chrono::seconds{120}, std::chrono::hours{1}},
    }};
    constexpr duration io_interval = std::chrono::seconds{120};
    const row& r = rows[static_cast<std::size_t>(s)];
    peer_preset p{
        "VMware VM monitoring",
        {"heartbeats of VMware Tools, and I/O", r.failure_interval > io_interval ? r.failure_interval : io_interval},
        detail::bare(),
        no_limits};
    p.rules.add(detail::step(reboot_instance{.how = reboot_kind::hard}, {3, r.window},
                             r.minimum_uptime + r.failure_interval, r.minimum_uptime));
    p.rules.retry_parked = r.window;
    p.rules.evidence.vantages = 2;
    p.rules.evidence.alone = single_vantage::wait;
    return p;
}

/// VMware vSphere HA, the failure of a host: started elsewhere, five times, 0, 2, 6, 14 and 30 min after the first.
/// `hosts` are left, and each powers on 32 at once.
[[nodiscard]] constexpr peer_preset vmware_host(std::uint16_t hosts = 1,
                                                std::uint16_t max_vm_restart_count = 5) noexcept {
    peer_preset p{"VMware HA, host",
                  {"heartbeats of the host by network and datastore, and ping", std::chrono::seconds{18}},
                  detail::bare(),
                  no_limits};
    p.rules.add(detail::step(evacuate_instance{}, detail::each_incident(max_vm_restart_count),
                             evacuate_instance{}.verify, evacuate_instance{}.grace,
                             {std::chrono::minutes{2}, std::chrono::minutes{16}, false, 0}));
    p.rules.evidence.vantages = 2;
    p.rules.evidence.alone = single_vantage::wait;
    p.bounds.in_flight = {0, std::uint32_t{32} * hosts};
    return p;
}

/// The flags of an Erlang/OTP supervisor.
struct otp_flags {
    std::uint16_t intensity = 1;
    duration period = std::chrono::seconds{5};
};

/// An Erlang/OTP supervisor under a supervisor with the same flags: a child is restarted, then the subtree.
[[nodiscard]] constexpr peer_preset otp(const otp_flags& o = {}) noexcept {
    peer_preset p{"Erlang/OTP supervisor", {"exit signal"}, detail::bare(), no_limits};
    const budget restarts{o.intensity, o.period};
    // Longer, and a child that fails again at once could not use the restarts up within the period.
    const duration verify = o.period / (o.intensity == 0 ? 1 : o.intensity);
    p.rules.add(detail::step(restart_service{}, restarts, verify));
    p.rules.add(detail::step(reboot_instance{}, restarts, reboot_instance{}.verify, reboot_instance{}.grace));
    return p;
}

/// The settings of a systemd unit.
struct systemd_unit {
    std::uint16_t start_limit_burst = 5;
    duration start_limit_interval = std::chrono::seconds{10};
    duration restart_sec = std::chrono::milliseconds{100};
    duration restart_max_delay = duration::zero(); ///< with `RestartSteps`; 0: the delay stays
    bool reboot = false;                           ///< `StartLimitAction=reboot`
};

/// systemd, `Restart=on-failure`: restarted after a fixed delay until the start limit is hit, then left failed.
[[nodiscard]] constexpr peer_preset systemd(const systemd_unit& o = {}) noexcept {
    peer_preset p{"systemd", {"exit of the process"}, detail::bare(), no_limits};
    const duration most = o.restart_max_delay > o.restart_sec ? o.restart_max_delay : o.restart_sec;
    const duration verify = o.start_limit_interval / (o.start_limit_burst == 0 ? 1 : o.start_limit_burst);
    p.rules.add(detail::step(restart_service{}, {o.start_limit_burst, o.start_limit_interval}, verify, {},
                             {o.restart_sec, most, false, 0}));
    if (o.reboot) {
        p.rules.add(detail::step(reboot_instance{.how = reboot_kind::soft}, detail::each_incident(1),
                                 reboot_instance{}.verify, reboot_instance{}.grace));
        p.rules.retry_parked = o.restart_sec; // after the boot the unit starts from the beginning
    }
    p.rules.stable = no_end; // the delay is never reset
    return p;
}

/// The numbers in FabricHealer's rules for machines.
struct fabric_healer_rules {
    duration min_time_in_error = std::chrono::minutes{2};
    std::uint16_t repairs = 2; ///< of each kind
    duration history = std::chrono::hours{4};
    duration schedule_interval = std::chrono::minutes{10};
    std::uint16_t outstanding_repairs = 2;
    duration probation = std::chrono::minutes{30};
};

/// Service Fabric's FabricHealer with its sample rules for machines: reboot, reimage, heal, then a human.
[[nodiscard]] constexpr peer_preset fabric_healer(const fabric_healer_rules& o = {}) noexcept {
    peer_preset p{
        "FabricHealer", {"health events of the node", {}, {}, 1, o.min_time_in_error}, detail::bare(), no_limits};
    const budget repairs{o.repairs, o.history};
    p.rules.add(detail::step(reboot_instance{}, repairs, o.probation));
    p.rules.add(detail::step(rebuild_instance{}, repairs, o.probation));
    p.rules.add(detail::step(evacuate_instance{}, repairs, o.probation));
    p.rules.add(detail::step(page{}, detail::each_incident(1), page{}.verify));
    p.rules.probation = o.probation;
    p.rules.retry_parked = o.schedule_interval; // it looks again, and what is older than `history` is not counted
    p.bounds.between = o.schedule_interval;
    p.bounds.in_flight = {0, o.outstanding_repairs};
    return p;
}

/// All of them with their defaults.
inline constexpr std::array all{heat(),        masakari(), instance_ha(), node_health_check(), vmware(),
                                vmware_host(), otp(),      systemd(),     fabric_healer()};

} // namespace peer
} // namespace reheat::inline REHEAT_ABI
