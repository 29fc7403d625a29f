// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/mock_cloud.hpp>

#include <cstddef>
#include <deque>
#include <span>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// A connection to a mock cloud, as real drivers are: several can share one, and when it ends, what it was asked for
/// goes on in the cloud and is told to nobody. It refers to the cloud. One thread at a time.
///
///     mock_cloud cloud;
///     mock_driver driver{cloud};
class mock_driver {
public:
    explicit mock_driver(mock_cloud& cloud) : cloud_{&cloud}, line_{new line} {}
    mock_driver(const mock_driver&) = delete;
    mock_driver& operator=(const mock_driver&) = delete;
    ~mock_driver() {
        line_->hang_up();
        line_->release();
    }

    void describe(const request& r, completion done) { cloud_->describe(r, keep(std::move(done))); }
    void create(const request& r, completion done) { cloud_->create(r, keep(std::move(done))); }
    void restart_service(const request& r, completion done) { cloud_->restart_service(r, keep(std::move(done))); }
    void reboot(const request& r, completion done) { cloud_->reboot(r, keep(std::move(done))); }
    void rebuild(const request& r, completion done) { cloud_->rebuild(r, keep(std::move(done))); }
    void fence(const request& r, completion done) { cloud_->fence(r, keep(std::move(done))); }
    void forensics(const request& r, completion done) { cloud_->forensics(r, keep(std::move(done))); }
    void recreate(const request& r, proof_of_death why, completion done) {
        cloud_->recreate(r, std::move(why), keep(std::move(done)));
    }
    void evacuate(const request& r, proof_of_death why, completion done) {
        cloud_->evacuate(r, std::move(why), keep(std::move(done)));
    }
    void converge(const request& r, std::span<proof_of_death> proofs, completion done) {
        cloud_->converge(r, proofs, keep(std::move(done)));
    }

protected:
    [[nodiscard]] mock_cloud& cloud() noexcept { return *cloud_; }

private:
    /// Who waits for the cloud. The cloud may speak to it when nobody listens any more.
    class line final : public completion_sink {
    public:
        [[nodiscard]] completion keep(completion done) {
            waiting_.push_back(std::move(done));
            return {op_id{waiting_.size()}, *this};
        }
        /// A completion stays, so that a second call of it is told as one.
        void deliver(op_id number, outcome&& result, bool) noexcept override {
            const std::size_t n = static_cast<std::size_t>(number) - 1;
            if (n < waiting_.size()) waiting_[n](std::move(result));
        }
        void hang_up() noexcept { waiting_.clear(); }

    private:
        std::deque<completion> waiting_;
    };

    [[nodiscard]] completion keep(completion done) { return line_->keep(std::move(done)); }

    mock_cloud* cloud_;
    line* line_;
};

} // namespace reheat::inline REHEAT_ABI
