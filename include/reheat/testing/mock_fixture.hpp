// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/mock_driver.hpp>
#include <reheat/testing/driver_fixture.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reheat::inline REHEAT_ABI::testing {

/// The mock cloud for the conformance kit, on virtual time: an example of a fixture that can do all. Another driver of
/// that cloud, made from a `mock_cloud&`, can stand in the place of `mock_driver`; what it does as time passes it does
/// in `void poll(time_point)`, if it has one. One thread at a time.
///
///     mock_fixture<> fixture;
///     const auto report = check_conformance(fixture);
template <cloud_driver Driver = mock_driver>
class mock_fixture {
public:
    /// What the driver knows, and must not tell.
    static constexpr std::string_view password = "correct-horse";

    mock_fixture() {
        // The machines' own host, and another one to be moved to.
        cloud_.hosts().note({.host = "host-1", .rack = "rack-1", .zone = "zone-1"});
        cloud_.hosts().note({.host = "host-2", .rack = "rack-2", .zone = "zone-1"});
        for (std::size_t o = 0; o < operation_count; ++o) usual_[o] = cloud_.latency(static_cast<operation>(o));
        pump({});
        restart_driver();
    }

    Driver& driver() noexcept { return *driver_; }
    Driver& second_driver() {
        if (!second_) second_ = std::make_unique<Driver>(cloud_);
        return *second_;
    }
    bool restart_driver() {
        driver_.reset();
        driver_ = std::make_unique<Driver>(cloud_);
        return true;
    }
    [[nodiscard]] mock_cloud& cloud() noexcept { return cloud_; }

    result<test_target> make(const wanted_target& want) { return add(want, false); }
    result<test_target> make_foreign(const wanted_target& want) { return add(want, true); }
    void dispose(const test_target& t) {
        if (const mock_machine* m = cloud_.find(t.name)) {
            for (const std::string& v : m->how.volumes) content_.erase(v);
        }
        cloud_.remove(t.name);
    }

    void pump(duration d) {
        now_ = after(now(), d);
        cloud_.advance(now_, [](std::string_view, std::string_view) {});
        for (Driver* const at : {driver_.get(), second_.get()}) {
            if constexpr (requires { at->poll(now_); }) {
                if (at != nullptr) at->poll(now_);
            }
        }
    }
    [[nodiscard]] time_point now() const noexcept { return later(now_, cloud_.now()); }

    bool power_off(const test_target& t) {
        cloud_.power_off(t.name);
        return true;
    }
    bool crash(const test_target& t) { return break_now(t, fault::instance_lost, {}); }
    bool hang(const test_target& t) { return break_now(t, fault::instance_hangs, {}); }
    bool kill_service(const test_target& t, std::string_view service) {
        return break_now(t, fault::service_dies, service);
    }
    bool remove(const test_target& t) {
        cloud_.remove(t.name);
        return true;
    }
    bool block_power_off(const test_target& t, bool on) {
        blocked_ = on ? t.name : std::string{};
        return set_weather();
    }

    bool cut_api(bool on) {
        cloud_.hosts().cut_off_all(on);
        return true;
    }
    bool slow_api(duration longer) {
        for (std::size_t o = 0; o < operation_count; ++o)
            cloud_.set_latency(static_cast<operation>(o), usual_[o] + longer);
        return true;
    }
    bool lose_answers(bool on) {
        losing_ = on;
        return set_weather();
    }
    bool throttle_api(duration retry_after) {
        throttled_ = retry_after;
        return set_weather();
    }

    std::size_t running_copies(const test_target& t) {
        const mock_machine* m = cloud_.find(t.name);
        return m == nullptr ? 0 : m->copies();
    }
    std::size_t peak_copies(const test_target& t) { return running_copies(t); }
    bool ready(const test_target& t) {
        const mock_machine* m = cloud_.find(t.name);
        return m != nullptr && m->serves();
    }
    std::string cloud_id(const test_target& t) {
        return look(t, [](const mock_machine& m) { return m.cloud_id(); });
    }
    std::string boot_id(const test_target& t) {
        return look(t, [](const mock_machine& m) {
            return m.is == mock_machine::condition::running ? m.boot_id() : std::string{};
        });
    }
    std::string host(const test_target& t) {
        return look(t, [](const mock_machine& m) { return m.how.host; });
    }
    std::string root_marker(const test_target& t) {
        return look(t, [](const mock_machine& m) { return "root-" + std::to_string(m.roots); });
    }
    bool service_runs(const test_target& t, std::string_view service) {
        const mock_machine* m = cloud_.find(t.name);
        if (m == nullptr || !m->has_power()) return false;
        for (std::size_t s = 0; s < m->service_up.size(); ++s) {
            if (m->how.services[s] == service) return m->service_up[s];
        }
        return false;
    }
    std::vector<volume_seen> volumes(const test_target& t) {
        std::vector<volume_seen> seen;
        if (const mock_machine* m = cloud_.find(t.name)) {
            for (const std::string& v : m->how.volumes) seen.push_back({v, content_[v]});
        }
        return seen;
    }
    std::vector<std::string> addresses(const test_target& t) {
        const mock_machine* m = cloud_.find(t.name);
        return m == nullptr ? std::vector<std::string>{} : std::vector{m->address};
    }

    std::vector<std::string> fence_methods() { return {"ipmi", "pdu"}; }
    std::vector<std::string> secrets() { return {std::string{password}}; }

private:
    result<test_target> add(const wanted_target& want, bool foreign) {
        if (cloud_.find(want.name) != nullptr) return error{errc::already_exists, want.name, "it is there already"};
        test_target t{.name = want.name};
        mock_setup how{.host = "host-1", .rack = "rack-1", .zone = "zone-1", .foreign = foreign};
        if (want.stack) how.stack = t.stack = "stack-of-" + want.name;
        if (want.service) how.services = t.services = {"heartbeat"};
        if (want.volume) {
            how.volumes = {"volume-of-" + want.name};
            content_[how.volumes.front()] = want.marker;
        }
        cloud_.add(want.name, how, want.running);
        t.cloud_id = cloud_id(t);
        return t;
    }
    bool break_now(const test_target& t, fault what, std::string_view service) {
        cloud_.break_at(now(), t.name, what, service);
        pump({});
        return true;
    }
    /// How every call goes from now on.
    bool set_weather() {
        cloud_.usual_replies();
        mock_reply how;
        if (losing_) how.code = outcome_code::unknown;
        if (throttled_ != duration::zero()) {
            how.code = outcome_code::refused;
            how.takes_effect = false;
            how.retry_after = throttled_;
        }
        if (how.code != outcome_code::done) {
            for (std::size_t o = 0; o < operation_count; ++o) cloud_.always_reply(static_cast<operation>(o), how);
        }
        if (!blocked_.empty())
            cloud_.always_reply(operation::fence_instance,
                                {.code = outcome_code::failed, .takes_effect = false, .only = blocked_});
        return true;
    }
    template <class Look>
    std::string look(const test_target& t, Look of) {
        const mock_machine* m = cloud_.find(t.name);
        return m == nullptr ? std::string{} : of(*m);
    }

    mock_cloud cloud_;
    std::unique_ptr<Driver> driver_;
    std::unique_ptr<Driver> second_;
    std::map<std::string, std::string> content_; // of volumes
    std::array<duration, operation_count> usual_{};
    std::string blocked_;
    duration throttled_{};
    bool losing_ = false;
    time_point now_{std::chrono::hours{24 * 365 * 56}};
};

} // namespace reheat::inline REHEAT_ABI::testing
