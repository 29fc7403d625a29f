// SPDX-License-Identifier: MIT
// The cloud for the conformance kit: makes machines, breaks them, and looks at them by /lab, not by the driver.
#pragma once

#include <reheat/runner/blocking_driver.hpp>
#include <reheat/testing/driver_fixture.hpp>

#include "driver.hpp"

#include <algorithm>
#include <memory>
#include <thread>

namespace kit = reheat::testing;

class cloud_fixture {
public:
    using driver_type = rh::blocking_driver<small_cloud>;

    explicit cloud_fixture(std::uint16_t port) : port_{port}, cloud_{"127.0.0.1", port, token} { restart_driver(); }

    // The driver under test
    driver_type& driver() { return *driver_; }
    driver_type& second_driver() {
        if (!second_) second_ = std::make_unique<driver_type>(cloud_, std::size_t{4});
        return *second_;
    }
    bool restart_driver() {
        driver_.reset();
        driver_ = std::make_unique<driver_type>(cloud_, std::size_t{4});
        return true;
    }

    // Makes machines
    rh::result<kit::test_target> make(const kit::wanted_target& want) { return make_for("ours", want); }
    rh::result<kit::test_target> make_foreign(const kit::wanted_target& want) { return make_for("theirs", want); }
    void dispose(const kit::test_target& t) { lab("DELETE", path_of(t)); }
    void pump(rh::duration d) { std::this_thread::sleep_for(d); }

    // Looks
    std::size_t running_copies(const kit::test_target& t) { return look(t).value("running", std::size_t{0}); }
    std::size_t peak_copies(const kit::test_target& t) { return look(t).value("peak", std::size_t{0}); }
    bool ready(const kit::test_target& t) { return look(t).value("up", false); }
    std::string cloud_id(const kit::test_target& t) { return look(t).value("id", ""); }
    std::string boot_id(const kit::test_target& t) {
        const nlohmann::json seen = look(t); // one look: between two of them it can begin to boot
        return seen.value("up", false) ? seen.value("boot", "") : "";
    }
    std::string host(const kit::test_target& t) { return look(t).value("host", ""); }
    std::string root_marker(const kit::test_target& t) { return look(t).value("root", ""); }
    bool service_runs(const kit::test_target& t, std::string_view service) {
        return look(t).value("runs", nlohmann::json::object()).value(std::string{service}, false);
    }
    std::vector<kit::volume_seen> volumes(const kit::test_target& t) {
        std::vector<kit::volume_seen> seen;
        for (const auto& disk : look(t).value("disks", nlohmann::json::array()))
            seen.push_back({disk.value("id", ""), disk.value("content", "")});
        return seen;
    }
    std::vector<std::string> addresses(const kit::test_target& t) { return {look(t).value("address", "")}; }

    // Breaks
    bool power_off(const kit::test_target& t) { return lab("POST", path_of(t) + "/power_off"); }
    bool crash(const kit::test_target& t) { return lab("POST", path_of(t) + "/crash"); }
    bool hang(const kit::test_target& t) { return lab("POST", path_of(t) + "/hang"); }
    bool kill_service(const kit::test_target& t, std::string_view service) {
        return lab("POST", path_of(t) + "/kill_service", {{"service", service}});
    }
    bool remove(const kit::test_target& t) { return lab("DELETE", path_of(t)); }
    bool block_power_off(const kit::test_target& t, bool on) {
        return lab("POST", path_of(t) + "/block_power_off", {{"on", on}});
    }
    bool cut_api(bool on) { return lab("POST", "/lab/api", {{"down", on}}); }
    bool lose_answers(bool on) { return lab("POST", "/lab/api", {{"lose", on}}); }
    bool slow_api(rh::duration longer) {
        return lab("POST", "/lab/api", {{"slow", std::chrono::duration<double>(longer).count()}});
    }
    bool throttle_api(rh::duration retry_after) {
        return lab("POST", "/lab/api", {{"throttle", retry_after / std::chrono::seconds{1}}});
    }

    // What else the kit wants to know
    std::vector<std::string> fence_methods() { return {"hypervisor", "pdu"}; }
    std::vector<std::string> secrets() { return {token}; }
    kit::fixture_limits limits() { return {.answer = 60s, .boot = 30s, .quiet = 200ms, .step = 20ms}; }

private:
    static constexpr const char* token = "tutorial-token";

    static std::string path_of(const kit::test_target& t) { return "/lab/instances/" + path_step(t.name); }
    http_reply ask_lab(const std::string& method, const std::string& path, const nlohmann::json& body) {
        return http_call("127.0.0.1", port_, method, path, {}, body.dump(), 10s);
    }
    bool lab(const std::string& method, const std::string& path,
             const nlohmann::json& body = nlohmann::json::object()) {
        return ask_lab(method, path, body).status == 200;
    }
    nlohmann::json look(const kit::test_target& t) {
        const http_reply seen = ask_lab("GET", path_of(t), nlohmann::json::object());
        return seen.status == 200 ? nlohmann::json::parse(seen.body, nullptr, false) : nlohmann::json::object();
    }
    rh::result<kit::test_target> make_for(const char* owner, const kit::wanted_target& want) {
        if (!want.running) return rh::error{rh::errc::unsupported, want.name, "the driver creates no instances"};
        kit::test_target t{.name = want.name};
        if (want.service) t.services = {"db"};
        nlohmann::json how{{"name", want.name}, {"owner", owner}, {"services", t.services}};
        if (want.volume) how["marker"] = want.marker;
        const http_reply made = ask_lab("POST", "/lab/instances", how);
        if (made.status != 201) return rh::error{rh::errc::io, want.name, made.body};
        t.cloud_id = cloud_id(t);
        return t;
    }

    std::uint16_t port_;
    small_cloud cloud_;
    std::unique_ptr<driver_type> driver_;
    std::unique_ptr<driver_type> second_;
};

static_assert(kit::driver_fixture<cloud_fixture>);
