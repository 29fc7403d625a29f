// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/runner/waker.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace libvirt_ha {

/// What other threads want done on the loop's thread. It outlives the loop, because a driver's threads may be late;
/// after `close` nothing is done any more. Any thread, except `close`, which is the loop's.
class bell {
public:
    explicit bell(boost::asio::io_context& io) noexcept : io_{&io} {}

    void post(std::function<void()> what) {
        const std::lock_guard<std::mutex> held{mutex_};
        if (io_ != nullptr) boost::asio::post(*io_, std::move(what));
    }
    void close() {
        const std::lock_guard<std::mutex> held{mutex_};
        io_ = nullptr;
    }

private:
    std::mutex mutex_;
    boost::asio::io_context* io_;
};

/// Rings for a pipeline.
class ringing_waker final : public reheat::waker {
public:
    ringing_waker(std::shared_ptr<bell> at, std::function<void()> what) : at_{std::move(at)}, what_{std::move(what)} {}
    void wake() noexcept override { at_->post(what_); }

private:
    std::shared_ptr<bell> at_;
    std::function<void()> what_;
};

} // namespace libvirt_ha
