// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/libvirt.hpp>
#include <reheat/testing/proof_mint.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <libvirt/libvirt.h>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace libvirt_tests {

using namespace std::chrono_literals;

/// Keeps what was answered.
class answers final : public reheat::completion_sink {
public:
    void deliver(reheat::op_id op, reheat::outcome&& result, bool repeated) noexcept override {
        const std::lock_guard<std::mutex> lock{mutex_};
        all_.try_emplace(op, std::move(result));
        ++delivered_;
        repeated_ += repeated ? 1U : 0U;
        changed_.notify_all();
    }
    reheat::outcome wait(reheat::op_id op) {
        std::unique_lock<std::mutex> lock{mutex_};
        if (!changed_.wait_for(lock, 120s, [&] { return all_.contains(op); }))
            return reheat::outcome::unknown("never answered");
        return all_.at(op);
    }
    [[nodiscard]] std::size_t delivered() const {
        const std::lock_guard<std::mutex> lock{mutex_};
        return delivered_;
    }
    [[nodiscard]] std::size_t repeated() const {
        const std::lock_guard<std::mutex> lock{mutex_};
        return repeated_;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<reheat::op_id, reheat::outcome> all_;
    std::size_t delivered_ = 0;
    std::size_t repeated_ = 0;
};

struct extras {
    std::uint64_t key = 0; ///< 0: a fresh one
    std::uint64_t reign = 0;
    std::string_view cloud_id{};
    std::string_view service{};
    std::string_view method{};
    bool hard = false;
    bool replaced = false;
    reheat::time_point deadline = reheat::never;
    bool wrong_proof = false;
};

/// Makes calls on a driver and waits for what comes of them.
template <class Driver>
class caller {
public:
    explicit caller(Driver& driver) : driver_{&driver}, sink_{new answers} {}
    caller(const caller&) = delete;
    caller& operator=(const caller&) = delete;
    ~caller() { sink_->release(); }

    reheat::op_id start(reheat::operation what, std::string_view name, const extras& with = {}) {
        using reheat::operation;
        reheat::request r;
        r.op = reheat::op_id{++ops_};
        r.key = with.key != 0 ? with.key : 1'000'000 + ops_;
        r.reign = reheat::epoch{with.reign};
        r.what = what;
        r.target = reheat::target_id{1};
        r.name = r.instance = name;
        r.cloud_id = with.cloud_id;
        r.service = with.service;
        r.method = with.method;
        r.hard = with.hard;
        r.replaced = with.replaced;
        r.deadline = with.deadline;
        reheat::completion done{r.op, *sink_};
        auto proof = reheat::testing::mint_proof(reheat::incident_id{1},
                                                 with.wrong_proof ? reheat::target_id{2} : reheat::target_id{1});
        switch (what) {
        case operation::describe: driver_->describe(r, std::move(done)); break;
        case operation::create_instance: driver_->create(r, std::move(done)); break;
        case operation::restart_service: driver_->restart_service(r, std::move(done)); break;
        case operation::reboot_instance: driver_->reboot(r, std::move(done)); break;
        case operation::rebuild_instance: driver_->rebuild(r, std::move(done)); break;
        case operation::fence_instance: driver_->fence(r, std::move(done)); break;
        case operation::recreate_instance: driver_->recreate(r, std::move(proof), std::move(done)); break;
        case operation::evacuate_instance:
            if constexpr (reheat::evacuates_instances<Driver>) driver_->evacuate(r, std::move(proof), std::move(done));
            break;
        default: driver_->forensics(r, std::move(done)); break;
        }
        return r.op;
    }
    reheat::outcome wait(reheat::op_id op) { return sink_->wait(op); }
    reheat::outcome operator()(reheat::operation what, std::string_view name, const extras& with = {}) {
        return wait(start(what, name, with));
    }
    [[nodiscard]] answers& sink() noexcept { return *sink_; }

private:
    Driver* driver_;
    answers* sink_;
    std::uint64_t ops_ = 0;
};

/// Waits for something that a thread or a daemon does.
template <class Holds>
bool comes_true(const Holds& holds, std::chrono::seconds most = 60s) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

/// libvirt's test hypervisor in this process, which every connection of the process sees, as somebody else sees it.
class outsider {
public:
    explicit outsider(const char* uri = "test:///default")
        : link_{std::make_shared<reheat::detail::libvirt_connection>(virConnectOpen(uri))} {}

    [[nodiscard]] static std::string xml(std::string_view name, std::string_view more = {}) {
        std::string plain;
        reheat::append_xml_text(plain, name);
        return "<domain type='test'><name>" + plain +
               "</name><memory unit='KiB'>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os>" + std::string{more} +
               "<devices><disk type='file' device='disk'><source file='/disks/one'/><target dev='vda' bus='virtio'/>"
               "</disk><interface type='network'><mac address='52:54:00:12:34:56'/><source network='default'/>"
               "</interface></devices></domain>";
    }
    void define(std::string_view name, bool running = true, std::string_view more = {}) {
        forget(name);
        const reheat::detail::libvirt_domain d{virDomainDefineXML(link_->c, xml(name, more).c_str())};
        if (d && running) virDomainCreate(d.get());
    }
    void forget(std::string_view name) {
        const auto d = find(name);
        if (!d) return;
        virDomainDestroy(d.get());
        virDomainUndefine(d.get());
    }
    [[nodiscard]] reheat::detail::libvirt_domain find(std::string_view name) const {
        return reheat::detail::libvirt_domain{virDomainLookupByName(link_->c, std::string{name}.c_str())};
    }
    [[nodiscard]] int state(std::string_view name) const {
        const auto d = find(name);
        int state = -1;
        int reason = 0;
        if (!d || virDomainGetState(d.get(), &state, &reason, 0) != 0) return -1;
        return state;
    }
    [[nodiscard]] std::string text(std::string_view name) const {
        const auto d = find(name);
        if (!d) return {};
        const reheat::detail::libvirt_text t{virDomainGetXMLDesc(d.get(), VIR_DOMAIN_XML_INACTIVE)};
        return t ? t.get() : "";
    }
    [[nodiscard]] unsigned id(std::string_view name) const {
        const auto d = find(name);
        return d ? virDomainGetID(d.get()) : 0;
    }
    [[nodiscard]] const reheat::detail::libvirt_link& link() const noexcept { return link_; }

private:
    reheat::detail::libvirt_link link_;
};

/// A driver of the test hypervisor in this process that never asks by itself.
[[nodiscard]] inline reheat::libvirt_options in_process(std::string descriptions = {}) {
    reheat::libvirt_options o;
    o.hosts = {{"test:///default", "here"}};
    o.descriptions = std::move(descriptions);
    o.status_every = 50ms;
    return o;
}

} // namespace libvirt_tests
