// SPDX-License-Identifier: MIT
#pragma once

#include "driver.hpp"

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>

/// What the cloud says of its machines and hosts, as evidence. A thread of its own asks, because asking blocks; `tell`
/// is called by the thread that polls the pipeline.
class status_feed {
public:
    status_feed(const small_cloud& cloud, std::chrono::nanoseconds every)
        : cloud_{&cloud}, every_{every}, thread_{[this] { ask(); }} {}
    status_feed(const status_feed&) = delete;
    status_feed& operator=(const status_feed&) = delete;
    ~status_feed() {
        {
            const std::lock_guard lock{mutex_};
            ends_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

    template <class Pipeline>
    void tell(Pipeline& ha) {
        nlohmann::json instances, hosts;
        {
            const std::lock_guard lock{mutex_};
            instances.swap(instances_);
            hosts.swap(hosts_);
        }
        for (const nlohmann::json& machine : instances) {
            const rh::target_id target = ha.state().find(rh::level::instance, text_of(machine, "name"));
            if (target == rh::no_target) continue;
            const bool on = text_of(machine, "power") == "on";
            ha.observe({.target = target,
                        .from = rh::vantage::driver_status,
                        .seen = on ? rh::health::healthy : rh::health::unhealthy,
                        .at = ha.time().now(),
                        .polled = true});
        }
        for (const nlohmann::json& host : hosts) {
            const std::string name = text_of(host, "name");
            const bool dead = text_of(host, "power") == "off";
            if (dead && dead_.insert(name).second) ha.host_died(name, rh::proof_kind::fenced);
            if (!dead && dead_.erase(name) != 0) ha.host_returned(name);
        }
    }

private:
    void ask() {
        std::unique_lock lock{mutex_};
        while (!ends_) {
            lock.unlock();
            nlohmann::json instances = cloud_->instances();
            nlohmann::json hosts = cloud_->hosts();
            lock.lock();
            instances_ = std::move(instances);
            hosts_ = std::move(hosts);
            changed_.wait_for(lock, every_, [this] { return ends_; });
        }
    }

    const small_cloud* cloud_;
    std::chrono::nanoseconds every_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool ends_ = false;
    nlohmann::json instances_; // what was not told yet
    nlohmann::json hosts_;
    std::set<std::string> dead_; // hosts that were told to be
    std::thread thread_;         // the last: it uses the others
};
