// SPDX-License-Identifier: MIT
// The driver of docs/tutorial/write-a-driver.md, as it is at the end.
#pragma once

#include <reheat/reheat.hpp>

#include "http.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;

class small_cloud {
public:
    small_cloud(std::string address, std::uint16_t port, std::string token)
        : address_{std::move(address)}, port_{port}, token_{std::move(token)} {}

    rh::outcome describe(const rh::request& r) const {
        const http_reply reply = get("/v1/instances/" + path_step(r.instance), &r);
        rh::observed seen;
        seen.exists = reply.status == 200;
        if (reply.status == 404) return rh::outcome::done(seen);
        if (reply.status != 200) return rh::outcome::unknown(said(reply));
        const nlohmann::json machine = json_of(reply);
        seen.running = text_of(machine, "power") == "on";
        seen.cloud_id = text_of(machine, "id");
        seen.boot_id = text_of(machine, "boot");
        seen.host = text_of(machine, "host");
        seen.address = text_of(machine, "address");
        return rh::outcome::done(seen);
    }

    rh::outcome reboot(const rh::request& r) const { return act(r, "/reboot", {{"hard", r.hard}}); }

    rh::outcome fence(const rh::request& r) const {
        nlohmann::json how = nlohmann::json::object();
        if (!r.method.empty()) how["by"] = r.method;
        if (r.replaced) how["id"] = r.cloud_id;
        const rh::outcome switched = act(r, "/power_off", how);
        if (switched.code != rh::outcome_code::done) return switched;
        return confirm_off(r);
    }

    rh::outcome recreate(const rh::request& r, rh::proof_of_death) const {
        rh::outcome made = act(r, "/replace", nlohmann::json::object());
        if (made.code != rh::outcome_code::done) return made;
        if (rh::outcome now = describe(r); now.code == rh::outcome_code::done) made.seen = now.seen;
        return made;
    }

    rh::outcome restart_service(const rh::request& r) const {
        return act(r, "/services/" + path_step(r.service) + "/restart", nlohmann::json::object());
    }

    /// For the evidence: what the cloud says of all its machines and hosts; `null` if it does not answer.
    nlohmann::json instances() const { return listed("/v1/instances"); }
    nlohmann::json hosts() const { return listed("/v1/hosts"); }

private:
    nlohmann::json listed(const std::string& path) const {
        const http_reply reply = get(path);
        return reply.status == 200 ? json_of(reply) : nlohmann::json{};
    }

    /// `done` is said only where no copy has power. The cloud's word that it has carried out the order is not enough.
    rh::outcome confirm_off(const rh::request& r) const {
        const http_reply reply = get("/v1/instances/" + path_step(r.instance), &r);
        if (reply.status != 200) return rh::outcome::unknown("switched off, but not confirmed: " + said(reply));
        const nlohmann::json machine = json_of(reply);
        const auto copies = machine.find("copies");
        if (copies == machine.end()) return rh::outcome::unknown("switched off, but not confirmed");
        for (const nlohmann::json& copy : *copies) {
            const bool meant = !r.replaced || text_of(copy, "id") == r.cloud_id;
            if (meant && text_of(copy, "power") != "off") return rh::outcome::unknown("it has power still");
        }
        rh::observed seen;
        seen.exists = true;
        if (!r.replaced) seen.running = false;
        return rh::outcome::done(seen);
    }

    /// Gives an order and waits until its job has ended.
    rh::outcome act(const rh::request& r, const std::string& order, const nlohmann::json& how) const {
        const http_reply reply = call("POST", "/v1/instances/" + path_step(r.instance) + order, how.dump(), &r);
        if (reply.status != 202) return without_success(reply);
        const std::string job = text_of(json_of(reply), "job");
        const auto end = std::chrono::steady_clock::now() + 30s;
        while (std::chrono::steady_clock::now() < end) {
            const nlohmann::json state = json_of(get("/v1/jobs/" + path_step(job), &r));
            if (text_of(state, "state") == "done") return rh::outcome::done();
            if (text_of(state, "state") == "failed") return rh::outcome::failed(text_of(state, "error"));
            std::this_thread::sleep_for(20ms);
        }
        return rh::outcome::unknown("its job has not ended in time");
    }

    /// The outcome of a call that has not succeeded.
    static rh::outcome without_success(const http_reply& reply) {
        rh::outcome no = rh::outcome::unknown(said(reply));
        if (reply.status == 0 && !reply.sent) no.code = rh::outcome_code::failed;
        if (reply.status >= 400 && reply.status < 500) no.code = rh::outcome_code::refused;
        no.retry_after = std::chrono::seconds{reply.retry_after};
        return no;
    }

    http_reply call(const std::string& method, const std::string& path, const std::string& body,
                    const rh::request* r) const {
        std::vector<std::pair<std::string, std::string>> headers{{"Authorization", "Bearer " + token_}};
        if (r != nullptr)
            headers.emplace_back("Controller-Epoch", std::to_string(static_cast<std::uint64_t>(r->reign)));
        if (r != nullptr && method == "POST") headers.emplace_back("Idempotency-Key", std::to_string(r->key));
        return http_call(address_, port_, method, path, headers, body, limit);
    }
    http_reply get(const std::string& path, const rh::request* r = nullptr) const { return call("GET", path, {}, r); }

    /// For people. The token is in no reply.
    static std::string said(const http_reply& reply) {
        if (reply.status == 0) return reply.body;
        return "HTTP " + std::to_string(reply.status) + ", " + text_of(json_of(reply), "error");
    }

    static constexpr std::chrono::milliseconds limit = 5s; // for one HTTP call

    std::string address_;
    std::uint16_t port_;
    std::string token_;
};
