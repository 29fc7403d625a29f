// SPDX-License-Identifier: MIT
#pragma once

#include "fixture_base.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <libvirt/libvirt.h>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace libvirt_tests {

/// Two daemons with libvirt's own test hypervisor. They come before the proxies, and go after them.
struct test_daemons {
    private_daemon one{};
    private_daemon two{};
};

/// libvirt's own test hypervisor, twice.
class test_fixture : test_daemons, public fixture_base<guestless_driver> {
public:
    static constexpr std::string_view password = "open-sesame";

    test_fixture() : fixture_base{private_daemon::uri_through({})} {
        using namespace std::chrono_literals;
        add_host("one", one.socket_path());
        add_host("two", two.socket_path());
        settings().keepalive = 1;
        settings().reconnect_first = 20ms;
        settings().reconnect_most = 100ms;
        settings().status_every = 200ms;
        restart_driver();
    }
    reheat::result<reheat::testing::test_target> make(const reheat::testing::wanted_target& want) {
        return add(want, true);
    }
    reheat::result<reheat::testing::test_target> make_foreign(const reheat::testing::wanted_target& want) {
        return add(want, false);
    }
    void dispose(const reheat::testing::test_target& t) {
        static_cast<void>(driver().inner().disown(t.name));
        static_cast<void>(remove(t));
        for (const std::string& d : disks(t)) unlink(d.c_str());
    }

    std::size_t running_copies(const reheat::testing::test_target& t) {
        std::size_t n = 0;
        each(t, [&](hypervisor&, virDomainPtr d) { n += virDomainIsActive(d) == 1 ? 1U : 0U; });
        return n;
    }
    bool ready(const reheat::testing::test_target& t) {
        int state = 0;
        each(t, [&](hypervisor&, virDomainPtr d) {
            int s = 0;
            int reason = 0;
            if (virDomainGetState(d, &s, &reason, 0) == 0 && s == VIR_DOMAIN_RUNNING) state = s;
        });
        return state == VIR_DOMAIN_RUNNING;
    }
    bool crash(const reheat::testing::test_target& t) { return power_off(t); }
    bool hang(const reheat::testing::test_target& t) {
        return any(t, [](virDomainPtr d) { return virDomainSuspend(d) == 0; });
    }

    /// Of a reset this hypervisor keeps no trace, so those that pass the proxy are counted.
    std::string boot_id(const reheat::testing::test_target& t) {
        std::string id;
        newest(t, [&](hypervisor& h, virDomainPtr d) {
            if (virDomainIsActive(d) != 1) return;
            unsigned resets = 0;
            for (const std::uint32_t procedure : {socket_proxy::reset, socket_proxy::reboot})
                resets += h.proxy->calls(procedure, t.name);
            id = std::to_string(virDomainGetID(d)) + "/" + std::to_string(resets);
        });
        return id;
    }
    std::string host(const reheat::testing::test_target& t) {
        std::string name;
        newest(t, [&](hypervisor& h, virDomainPtr) { name = h.name; });
        return name;
    }
    std::string root_marker(const reheat::testing::test_target& t) {
        const std::vector<std::string> all = disks(t);
        return all.empty() ? std::string{} : content_of(all.front());
    }
    std::vector<reheat::testing::volume_seen> volumes(const reheat::testing::test_target& t) {
        std::vector<reheat::testing::volume_seen> out;
        const std::vector<std::string> all = disks(t);
        for (std::size_t n = 1; n < all.size(); ++n) out.push_back({all[n], content_of(all[n])});
        return out;
    }
    std::vector<std::string> addresses(const reheat::testing::test_target& t) { return values(t, "<mac address='"); }
    std::vector<std::string> secrets() { return {std::string{password}}; }
    reheat::testing::fixture_limits limits() {
        using namespace std::chrono_literals;
        return {.answer = 60s, .boot = 20s, .quiet = 200ms, .step = 20ms};
    }

private:
    reheat::result<reheat::testing::test_target> add(const reheat::testing::wanted_target& want, bool ours) {
        using reheat::errc;
        using reheat::error;
        if (want.service) return error{errc::unsupported, want.name, "the test hypervisor has no guests"};
        if (want.stack) return error{errc::unsupported, want.name, "libvirt has no stacks"};
        std::string xml = "<domain type='test'><name>" + want.name +
                          "</name><memory unit='KiB'>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os><devices>";
        std::string disk = "vda";
        for (int n = 0; n < (want.volume ? 2 : 1); ++n) {
            const std::string file = folder().path() + "/" + want.name + "-" + disk;
            std::ofstream{file} << want.marker << (n == 0 ? "-root" : "");
            xml += "<disk type='file' device='disk'><source file='" + file + "'/><target dev='" + disk +
                   "' bus='virtio'/></disk>";
            disk = "vdb";
        }
        const std::string tail = std::to_string(10 + ++made_ % 90);
        xml += "<interface type='network'><mac address='52:54:00:aa:" + std::to_string(10 + made_ / 90 % 90) + ":" +
               tail + "'/><source network='default'/></interface><graphics type='vnc' passwd='" +
               std::string{password} + "'/></devices></domain>";
        reheat::testing::test_target t;
        t.name = want.name;
        if (!want.running) {
            if (auto kept = driver().inner().keep(xml); !kept) return kept.error();
            return t;
        }
        const reheat::detail::libvirt_domain d{virDomainDefineXML(hosts()[0].look->c, xml.c_str())};
        if (!d || virDomainCreate(d.get()) != 0)
            return error{errc::unavailable, want.name, reheat::detail::libvirt_trouble::last().text};
        if (ours) {
            if (auto adopted = driver().inner().adopt(want.name); !adopted) return adopted.error();
        }
        t.cloud_id = id_of(hosts()[0], d.get());
        return t;
    }

    unsigned made_ = 0;
};
static_assert(reheat::testing::driver_fixture<test_fixture>);

} // namespace libvirt_tests
