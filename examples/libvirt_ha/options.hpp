// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>

#include "../common/event_format.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace libvirt_ha {

/// A domain that is looked after, and the services in it that beat. Without any, the domain itself beats.
struct watched_domain {
    std::string name;
    std::vector<std::string> services;
};

/// The command line.
struct options {
    std::string connect = "qemu:///system";
    std::string owner = "reheat"; ///< whose the domains are: written into their descriptions
    std::vector<watched_domain> domains;
    std::string journal;      ///< path of the journal; empty for one in memory
    std::string descriptions; ///< folder of the domains' descriptions; empty: in memory
    std::string listen = "127.0.0.1";
    std::uint16_t port = 8003;
    reheat::duration period = std::chrono::seconds{60};        ///< so long without a heartbeat, and something is wrong
    reheat::duration grace = std::chrono::minutes{10};         ///< how long an alarm may have heard nothing at first
    reheat::duration look = std::chrono::seconds{10};          ///< how often the hypervisor is asked for each domain
    reheat::duration agent_answers = std::chrono::seconds{10}; ///< how long the guest agent may take
    reheat::duration guest_obeys = std::chrono::seconds{30};   ///< how long a guest that shall reboot may take to begin
    std::string policy; ///< path of a policy file; empty for service, reboot, re-creation
    common::event_format events = common::event_format::text;
};

/// The options, or the code to exit with: 0 after `--help`, 2 for a bad command line, which was told on stderr.
std::variant<options, int> read_options(int argc, char** argv);

} // namespace libvirt_ha
