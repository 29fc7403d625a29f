// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/libvirt.hpp>
#include <reheat/testing/driver_fixture.hpp>

#include "private_daemon.hpp"
#include "socket_proxy.hpp"

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <libvirt/libvirt.h>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace libvirt_tests {

/// libvirt's driver for hypervisors that have no guests: nothing in them can be restarted.
class guestless_driver {
public:
    explicit guestless_driver(reheat::libvirt_options options) : inner_{std::move(options)} {
        static_cast<void>(inner_.open());
    }
    [[nodiscard]] reheat::libvirt_cluster_driver& inner() noexcept { return inner_; }

    void describe(const reheat::request& r, reheat::completion c) { inner_.describe(r, std::move(c)); }
    void create(const reheat::request& r, reheat::completion c) { inner_.create(r, std::move(c)); }
    void reboot(const reheat::request& r, reheat::completion c) { inner_.reboot(r, std::move(c)); }
    void rebuild(const reheat::request& r, reheat::completion c) { inner_.rebuild(r, std::move(c)); }
    void fence(const reheat::request& r, reheat::completion c) { inner_.fence(r, std::move(c)); }
    void forensics(const reheat::request& r, reheat::completion c) { inner_.forensics(r, std::move(c)); }
    void recreate(const reheat::request& r, reheat::proof_of_death p, reheat::completion c) {
        inner_.recreate(r, std::move(p), std::move(c));
    }
    void evacuate(const reheat::request& r, reheat::proof_of_death p, reheat::completion c) {
        inner_.evacuate(r, std::move(p), std::move(c));
    }

private:
    reheat::libvirt_cluster_driver inner_;
};

/// libvirt's own test hypervisor in two daemons, each behind a proxy that can break the way to it. What is looked at is
/// looked at past the proxies, by connections of the fixture's own.
class test_fixture {
public:
    static constexpr std::string_view password = "open-sesame";

    test_fixture() {
        for (hypervisor& h : hosts_) {
            h.proxy = std::make_unique<socket_proxy>(folder_.path() + "/" + h.name + ".sock", h.daemon.socket_path());
            h.look = std::make_shared<reheat::detail::libvirt_connection>(virConnectOpen(h.daemon.uri().c_str()));
        }
        restart_driver();
    }
    test_fixture(const test_fixture&) = delete;
    test_fixture& operator=(const test_fixture&) = delete;
    ~test_fixture() {
        driver_.reset();
        second_.reset();
    }

    guestless_driver& driver() noexcept { return *driver_; }
    guestless_driver& second_driver() {
        if (!second_) second_ = std::make_unique<guestless_driver>(options(folder_.path() + "/second"));
        return *second_;
    }
    bool restart_driver() {
        driver_.reset();
        driver_ = std::make_unique<guestless_driver>(options(folder_.path() + "/descriptions"));
        return true;
    }
    reheat::result<reheat::testing::test_target> make(const reheat::testing::wanted_target& want) {
        return add(want, true);
    }
    reheat::result<reheat::testing::test_target> make_foreign(const reheat::testing::wanted_target& want) {
        return add(want, false);
    }
    void dispose(const reheat::testing::test_target& t) {
        static_cast<void>(driver_->inner().disown(t.name));
        static_cast<void>(remove(t));
        for (const std::string& d : disks(t)) unlink(d.c_str());
    }
    void pump(reheat::duration d) { std::this_thread::sleep_for(d); }

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
    bool power_off(const reheat::testing::test_target& t) {
        return any(t, [](virDomainPtr d) { return virDomainDestroy(d) == 0; });
    }
    bool crash(const reheat::testing::test_target& t) { return power_off(t); }
    bool hang(const reheat::testing::test_target& t) {
        return any(t, [](virDomainPtr d) { return virDomainSuspend(d) == 0; });
    }
    bool remove(const reheat::testing::test_target& t) {
        return any(t, [](virDomainPtr d) {
            virDomainDestroy(d);
            return virDomainUndefine(d) == 0;
        });
    }
    bool block_power_off(const reheat::testing::test_target& t, bool on) {
        for (hypervisor& h : hosts_) h.proxy->pretend_power_off(on ? t.name : std::string{});
        return true;
    }
    bool cut_api(bool on) {
        for (hypervisor& h : hosts_) h.proxy->cut(on);
        wait_for(!on);
        return true;
    }
    bool slow_api(reheat::duration by) {
        for (hypervisor& h : hosts_) h.proxy->slow(std::chrono::duration_cast<std::chrono::milliseconds>(by));
        return true;
    }
    bool lose_answers(bool on) {
        for (hypervisor& h : hosts_) h.proxy->swallow(on);
        if (!on) wait_for(true);
        return true;
    }

    std::string cloud_id(const reheat::testing::test_target& t) {
        std::string id;
        newest(t, [&](hypervisor& h, virDomainPtr d) { id = id_of(h, d); });
        return id;
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
    std::string absent(reheat::testing::fixture_function f) {
        return f == reheat::testing::fixture_function::throttle_api ? "libvirt never asks to be left alone" : "";
    }
    std::vector<std::string> fence_methods() { return {"destroy"}; }
    std::vector<std::string> secrets() { return {std::string{password}}; }
    reheat::testing::fixture_limits limits() {
        using namespace std::chrono_literals;
        return {.answer = 60s, .boot = 20s, .quiet = 200ms, .step = 20ms};
    }

    [[nodiscard]] const scratch_folder& folder() const noexcept { return folder_; }

private:
    struct hypervisor {
        std::string name;
        private_daemon daemon{};
        std::unique_ptr<socket_proxy> proxy{};
        reheat::detail::libvirt_link look{};
    };

    reheat::libvirt_options options(const std::string& descriptions) {
        using namespace std::chrono_literals;
        reheat::libvirt_options o;
        o.hosts.clear();
        for (hypervisor& h : hosts_) o.hosts.push_back({private_daemon::uri_through(h.proxy->path()), h.name});
        o.descriptions = descriptions;
        o.keepalive = 1;
        o.reconnect_first = 20ms;
        o.reconnect_most = 100ms;
        o.status_every = 200ms;
        return o;
    }
    void wait_for(bool up) {
        for (int n = 0; n < 3000 && driver_->inner().connected() != up; ++n)
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }

    reheat::result<reheat::testing::test_target> add(const reheat::testing::wanted_target& want, bool ours) {
        using reheat::errc;
        using reheat::error;
        if (want.service) return error{errc::unsupported, want.name, "the test hypervisor has no guests"};
        if (want.stack) return error{errc::unsupported, want.name, "libvirt has no stacks"};
        std::string xml = "<domain type='test'><name>" + want.name +
                          "</name><memory unit='KiB'>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os><devices>";
        std::string disk = "vda";
        for (int n = 0; n < (want.volume ? 2 : 1); ++n) {
            const std::string file = folder_.path() + "/" + want.name + "-" + disk;
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
            if (auto kept = driver_->inner().keep(xml); !kept) return kept.error();
            return t;
        }
        const reheat::detail::libvirt_domain d{virDomainDefineXML(hosts_[0].look->c, xml.c_str())};
        if (!d || virDomainCreate(d.get()) != 0)
            return error{errc::unavailable, want.name, reheat::detail::libvirt_trouble::last().text};
        if (ours) {
            if (auto adopted = driver_->inner().adopt(want.name); !adopted) return adopted.error();
        }
        t.cloud_id = id_of(hosts_[0], d.get());
        return t;
    }
    static std::string id_of(const hypervisor& h, virDomainPtr d) {
        reheat::detail::libvirt_mark mark;
        static_cast<void>(reheat::detail::libvirt_mark::read(h.look, d, mark));
        return mark.cloud_id(reheat::detail::uuid_of(d));
    }
    template <class Visit>
    void each(const reheat::testing::test_target& t, const Visit& visit) {
        for (hypervisor& h : hosts_) {
            const reheat::detail::libvirt_domain d{virDomainLookupByName(h.look->c, t.name.c_str())};
            if (d) visit(h, d.get());
        }
    }
    template <class Visit>
    void newest(const reheat::testing::test_target& t, const Visit& visit) {
        bool found = false;
        each(t, [&](hypervisor& h, virDomainPtr d) {
            if (virDomainIsActive(d) == 1) visit(h, d);
            found = found || virDomainIsActive(d) == 1;
        });
        if (!found) each(t, visit);
    }
    template <class What>
    bool any(const reheat::testing::test_target& t, const What& what) {
        bool all = false;
        each(t, [&](hypervisor&, virDomainPtr d) { all = what(d) || all; });
        return all;
    }
    std::vector<std::string> values(const reheat::testing::test_target& t, std::string_view before) {
        std::vector<std::string> out;
        newest(t, [&](hypervisor&, virDomainPtr d) {
            out.clear();
            const reheat::detail::libvirt_text text{virDomainGetXMLDesc(d, 0)};
            std::string_view xml = text ? text.get() : "";
            for (std::size_t at = 0; (at = xml.find(before)) != std::string_view::npos;) {
                xml.remove_prefix(at + before.size());
                out.emplace_back(xml.substr(0, xml.find('\'')));
            }
        });
        return out;
    }
    std::vector<std::string> disks(const reheat::testing::test_target& t) { return values(t, "<source file='"); }
    static std::string content_of(const std::string& file) {
        std::ifstream in{file};
        return {std::istreambuf_iterator<char>{in}, {}};
    }

    scratch_folder folder_;
    hypervisor hosts_[2] = {{"one"}, {"two"}};
    std::unique_ptr<guestless_driver> driver_;
    std::unique_ptr<guestless_driver> second_;
    unsigned made_ = 0;
};
static_assert(reheat::testing::driver_fixture<test_fixture>);

} // namespace libvirt_tests
