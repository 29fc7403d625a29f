// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>
#include <reheat/evidence/health.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// One hypervisor.
struct libvirt_host {
    std::string uri = "qemu:///system"; ///< as for `virsh -c`
    std::string name{};                 ///< as in `instance::host`; empty: what the hypervisor calls itself
};

/// What a `libvirt_driver` works with. Every duration is real time.
struct libvirt_options {
    std::vector<libvirt_host> hosts = std::vector<libvirt_host>(1);

    /// Who we are: a domain is ours if its description has our mark with this name, which `adopt` writes. Two
    /// installations on one hypervisor take different names. Letters, digits, `.`, `-` and `_`.
    std::string owner = "reheat";
    /// Names of domains that are ours without a mark; the first action on one of them marks it.
    std::vector<std::string> owned{};

    /// A folder of this driver's own in which the descriptions of our domains are kept, so that one that is not defined
    /// any more can be made again. It is made with mode 0700 if it is missing. Descriptions hold the passwords of
    /// consoles. Empty: in memory alone, and a driver that starts again knows only what is defined.
    std::string descriptions{};

    /// What the guest agent runs to restart a service, word by word and without a shell; `{service}` stands for its
    /// name.
    std::vector<std::string> service_command{"systemctl", "restart", "--", "{service}"};
    duration agent_answers = std::chrono::seconds{10};   ///< how long the guest agent may take for one command
    duration service_restarts = std::chrono::minutes{1}; ///< how long `service_command` may run
    /// How long a guest that was asked to reboot may take to begin, before it is reset.
    duration guest_obeys = std::chrono::seconds{30};

    /// A folder on the hypervisor for the memory dumps of `forensics`; empty: it refuses.
    std::string dumps{};

    /// How often the state of our domains is looked at and told as a polled observation; zero: never.
    duration status_every = std::chrono::seconds{10};
    duration reconnect_first = std::chrono::milliseconds{500}; ///< the first pause after a connection broke
    duration reconnect_most = std::chrono::seconds{30};        ///< they double up to this
    /// Seconds between two signs of life on a connection through a daemon; three without an answer break it.
    int keepalive = 5;

    unsigned workers = 2;           ///< threads of each connection that carry out calls
    std::size_t most_events = 4096; ///< that wait for the runner; more are dropped and counted
    std::size_t most_keys = 4096;   ///< outcomes that are remembered, so that a repeat is not done twice
    /// A thread of ours runs libvirt's default event loop, one for the process. False: yours runs, and was registered
    /// before the first driver was made.
    bool own_event_loop = true;
};

/// What a hypervisor told.
enum class libvirt_event_kind : std::uint8_t {
    connected,    ///< a connection is there, for the first time or again
    disconnected, ///< a connection broke: nobody knows how its domains are
    status,       ///< one of a series of looks at a domain
    started,      ///< it has begun to run
    resumed,      ///< it goes on after a pause
    stopped,      ///< it does not run any more; `detail` says why
    crashed,      ///< QEMU ended by itself
    panicked,     ///< the guest's kernel has panicked
    paused,       ///< it stands still
    io_error,     ///< a disk failed, whether the domain stands still or not
    watchdog,     ///< its watchdog was not fed
    rebooted,     ///< the guest has booted again by itself, or because it was asked
    defined,      ///< its description is new or has changed
    undefined,    ///< it has no description any more
    agent_up,     ///< the guest agent can be asked
    agent_down,   ///< it can not
};

inline constexpr std::size_t libvirt_event_kind_count = 16;

[[nodiscard]] constexpr std::string_view to_string(libvirt_event_kind k) noexcept {
    constexpr std::array<std::string_view, libvirt_event_kind_count> names{
        "connected", "disconnected", "status",   "started",  "resumed", "stopped",   "crashed",  "panicked",
        "paused",    "io_error",     "watchdog", "rebooted", "defined", "undefined", "agent_up", "agent_down"};
    return names[static_cast<std::size_t>(k) % libvirt_event_kind_count];
}

/// An event of one of our domains, or of a connection.
struct libvirt_event {
    libvirt_event_kind what = libvirt_event_kind::status;
    std::string domain{};   ///< its name; empty for `connected` and `disconnected`
    std::string cloud_id{}; ///< its UUID
    std::string host{};     ///< the connection's name
    std::string detail{};   ///< for people
    health seen = health::unknown;
    bool stray = false; ///< it began to run, and neither this driver started it nor does it belong on that host
    std::chrono::steady_clock::time_point at{};
};

} // namespace reheat::inline REHEAT_ABI
