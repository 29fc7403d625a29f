// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/proof_of_death.hpp>
#include <reheat/sim/mock_cloud.hpp>

#include "remote_cloud.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace heat_ha {

/// The driver that `--driver` names: the mock cloud, in this process or behind a socket.
class cloud {
public:
    /// Without a remote one it is in this process.
    explicit cloud(remote_cloud* remote) noexcept : remote_{remote} {}

    void add(std::string name, reheat::mock_setup how, bool running) {
        if (remote_ != nullptr) remote_->add({std::move(name), std::move(how), running});
        else here_.add(name, std::move(how), running);
    }
    /// The one in this process; it stays empty if there is a remote one.
    [[nodiscard]] reheat::mock_cloud& here() noexcept { return here_; }
    [[nodiscard]] std::size_t calls() const noexcept {
        return remote_ != nullptr ? remote_->calls() : here_.calls().size();
    }

    // The driver

    using request = reheat::request;
    using completion = reheat::completion;
    using proof_of_death = reheat::proof_of_death;

    void describe(const request& r, completion done) { pass(&reheat::mock_cloud::describe, r, std::move(done)); }
    void create(const request& r, completion done) { pass(&reheat::mock_cloud::create, r, std::move(done)); }
    void restart_service(const request& r, completion done) {
        pass(&reheat::mock_cloud::restart_service, r, std::move(done));
    }
    void reboot(const request& r, completion done) { pass(&reheat::mock_cloud::reboot, r, std::move(done)); }
    void rebuild(const request& r, completion done) { pass(&reheat::mock_cloud::rebuild, r, std::move(done)); }
    void fence(const request& r, completion done) { pass(&reheat::mock_cloud::fence, r, std::move(done)); }
    void forensics(const request& r, completion done) { pass(&reheat::mock_cloud::forensics, r, std::move(done)); }
    void recreate(const request& r, proof_of_death why, completion done) {
        if (remote_ != nullptr) remote_->call(r, why.kind(), std::move(done));
        else here_.recreate(r, std::move(why), std::move(done));
    }
    void evacuate(const request& r, proof_of_death why, completion done) {
        if (remote_ != nullptr) remote_->call(r, why.kind(), std::move(done));
        else here_.evacuate(r, std::move(why), std::move(done));
    }
    void converge(const request& r, std::span<proof_of_death> proofs, completion done) {
        if (remote_ != nullptr) remote_->call(r, {}, std::move(done));
        else here_.converge(r, proofs, std::move(done));
    }

private:
    void pass(void (reheat::mock_cloud::*call)(const request&, completion), const request& r, completion done) {
        if (remote_ != nullptr) remote_->call(r, {}, std::move(done));
        else (here_.*call)(r, std::move(done));
    }

    remote_cloud* remote_;
    reheat::mock_cloud here_;
};

} // namespace heat_ha
