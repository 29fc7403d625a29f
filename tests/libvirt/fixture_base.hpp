// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/libvirt.hpp>
#include <reheat/testing/driver_fixture.hpp>

#include "private_daemon.hpp"
#include "socket_proxy.hpp"

#include <chrono>
#include <cstddef>
#include <fstream>
#include <libvirt/libvirt.h>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace libvirt_tests {

/// libvirt's driver for hypervisors that have no guests: nothing in them can be restarted.
class guestless_driver {
public:
    explicit guestless_driver(reheat::libvirt_options options) : inner_{std::move(options)} {
        static_cast<void>(inner_.open(std::chrono::minutes{1}));
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

/// The whole driver.
class guest_driver : public guestless_driver {
public:
    using guestless_driver::guestless_driver;
    void restart_service(const reheat::request& r, reheat::completion c) { inner().restart_service(r, std::move(c)); }
};

/// What the fixtures share: daemons of libvirt, each behind a proxy that can break the way to it. What is looked at is
/// looked at past the proxies, by connections of the fixture's own.
template <class Driver>
class fixture_base {
public:
    fixture_base(const fixture_base&) = delete;
    fixture_base& operator=(const fixture_base&) = delete;

    Driver& driver() noexcept { return *driver_; }
    Driver& second_driver() {
        if (!second_) second_ = std::make_unique<Driver>(options("second"));
        return *second_;
    }
    bool restart_driver() {
        driver_.reset();
        driver_ = std::make_unique<Driver>(options("descriptions"));
        return true;
    }
    void pump(reheat::duration d) { std::this_thread::sleep_for(d); }

    bool power_off(const reheat::testing::test_target& t) {
        return any(t, [](virDomainPtr d) { return virDomainDestroy(d) == 0; });
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
    std::string absent(reheat::testing::fixture_function f) {
        return f == reheat::testing::fixture_function::throttle_api ? "libvirt never asks to be left alone" : "";
    }
    std::vector<std::string> fence_methods() { return {"destroy"}; }

    /// The folder of the fixture's own files.
    [[nodiscard]] const scratch_folder& folder() const noexcept { return folder_; }

protected:
    struct hypervisor {
        std::string name;
        std::unique_ptr<socket_proxy> proxy;
        reheat::detail::libvirt_link look;
    };

    /// `uri_before` is what stands before the path of a socket in a URI.
    explicit fixture_base(std::string uri_before) : uri_before_{std::move(uri_before)} {}
    ~fixture_base() {
        driver_.reset();
        second_.reset();
    }

    void add_host(const std::string& name, const std::string& socket) {
        hosts_.push_back(
            {name, std::make_unique<socket_proxy>(folder_.path() + "/" + name + ".sock", socket),
             std::make_shared<reheat::detail::libvirt_connection>(virConnectOpen((uri_before_ + socket).c_str()))});
    }
    std::vector<hypervisor>& hosts() noexcept { return hosts_; }
    /// To be changed before the first driver is made.
    reheat::libvirt_options& settings() noexcept { return settings_; }

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
    /// What stands behind that text in its description, up to the quote.
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
        std::ostringstream out; // a process may end while it is read, which its iterators would throw
        out << std::ifstream{file, std::ios::binary}.rdbuf();
        return out.str();
    }

private:
    reheat::libvirt_options options(const std::string& descriptions) {
        reheat::libvirt_options o = settings_;
        o.hosts.clear();
        for (hypervisor& h : hosts_) o.hosts.push_back({uri_before_ + h.proxy->path(), h.name});
        o.descriptions = folder_.path() + "/" + descriptions;
        return o;
    }
    void wait_for(bool up) {
        for (int n = 0; n < 3000 && driver_->inner().connected() != up; ++n)
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }

    std::string uri_before_;
    scratch_folder folder_;
    reheat::libvirt_options settings_{};
    std::vector<hypervisor> hosts_;
    std::unique_ptr<Driver> driver_;
    std::unique_ptr<Driver> second_;
};

} // namespace libvirt_tests
