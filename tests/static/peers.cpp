// SPDX-License-Identifier: MIT
#include <reheat/recovery/peers.hpp>

#include <concepts>
#include <type_traits>

// Facts of the peers' presets. There is nothing to run.

namespace rh = reheat;
using namespace std::chrono_literals;

namespace peer_facts {

static_assert(std::is_trivially_copyable_v<rh::peer_preset>);
static_assert(std::equality_comparable<rh::peer_preset>);
static_assert(sizeof(rh::peer_preset) <= 1536);
static_assert(rh::peer::all.size() == 9);

/// Ordinary values: what is not asked for is as it is with the peer.
static_assert(rh::peer::systemd() == rh::peer::systemd({}));
static_assert(rh::peer::systemd() == rh::peer::systemd({.start_limit_burst = 5}));
static_assert(rh::peer::systemd() != rh::peer::systemd({.start_limit_burst = 3}));
static_assert(rh::peer::otp({.intensity = 3}).rules.rungs()[0].burst == rh::budget{3, 5s});
static_assert(rh::peer::vmware() == rh::peer::vmware(rh::peer::sensitivity::high));

// Every ladder is there, in its order.

template <std::same_as<rh::operation>... Rungs>
constexpr bool climbs(const rh::peer_preset& p, Rungs... rungs) {
    const std::array<rh::operation, sizeof...(Rungs)> wanted{rungs...};
    if (p.rules.size() != wanted.size()) return false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (p.rules.rungs()[i].what != wanted[i]) return false;
    }
    return true;
}

using rh::operation;
static_assert(climbs(rh::peer::heat(), operation::recreate_instance));
static_assert(climbs(rh::peer::masakari(), operation::evacuate_instance));
static_assert(climbs(rh::peer::instance_ha(), operation::evacuate_instance));
static_assert(climbs(rh::peer::node_health_check(), operation::reboot_instance, operation::recreate_instance));
static_assert(climbs(rh::peer::node_health_check({.escalating = false}), operation::reboot_instance));
static_assert(climbs(rh::peer::vmware(), operation::reboot_instance));
static_assert(climbs(rh::peer::vmware_host(), operation::evacuate_instance));
static_assert(climbs(rh::peer::otp(), operation::restart_service, operation::reboot_instance));
static_assert(climbs(rh::peer::systemd(), operation::restart_service));
static_assert(climbs(rh::peer::systemd({.reboot = true}), operation::restart_service, operation::reboot_instance));
static_assert(climbs(rh::peer::fabric_healer(), operation::reboot_instance, operation::rebuild_instance,
                     operation::evacuate_instance, operation::page));

// A verification that ends before the target may speak would find every action useless.
static_assert([] {
    for (const rh::peer_preset& p : rh::peer::all) {
        for (const rh::rung& r : p.rules.rungs()) {
            if (r.verify <= r.grace || r.timeout <= rh::duration::zero()) return false;
        }
    }
    return true;
}());

// "None" is none: whatever the size of the set, and all of it failed.
static_assert([] {
    for (std::uint32_t size = 1; size <= 2000; ++size) {
        if (rh::peer::whole.of(size) != size) return false;
    }
    return rh::peer::whole.of(4'000'000'000U) == 4'000'000'000U;
}());
static_assert(rh::peer::no_limits.breaker.group == rh::peer::whole);
static_assert(rh::peer::no_limits.breaker.domain == rh::peer::whole);
static_assert(rh::peer::no_limits.silence.cliff == rh::peer::whole);
static_assert(rh::peer::no_limits.group == rh::shared_budget{});
static_assert(rh::peer::no_limits.all.burst.count == 0 && rh::peer::no_limits.api.count == 0);
static_assert(rh::after(rh::time_point{24h * 365 * 100}, rh::peer::no_end) < rh::never,
              "100 years, twice, do not wrap");

// A number that stands for itself, however large the fleet is.
static_assert(rh::peer::masakari().bounds.in_flight.of(1) == 3);
static_assert(rh::peer::masakari().bounds.in_flight.of(1'000'000) == 3);
static_assert(rh::peer::vmware_host(4).bounds.in_flight.of(1'000'000) == 128);
static_assert(rh::peer::node_health_check({.control_plane = true}).bounds.in_flight.of(7) == 1);

// How long each takes, at the least and at the most.
static_assert(rh::peer::heat().detection.at_least() == 60s && rh::peer::heat().detection.at_most() == 120s);
static_assert(rh::peer::masakari().detection.at_least() == 210s && rh::peer::masakari().detection.at_most() == 270s);
static_assert(rh::peer::masakari({.monitoring_samples = 3}).detection.at_most() == 390s);
static_assert(rh::peer::instance_ha().detection.at_most() == 75s);
static_assert(rh::peer::instance_ha({.heartbeats = true}).detection.at_most() == 165s);
static_assert(rh::peer::node_health_check().detection.at_most() == 340s);
static_assert(rh::peer::otp().detection.at_most() == 0s);

} // namespace peer_facts
