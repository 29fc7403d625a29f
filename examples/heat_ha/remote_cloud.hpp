// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/request.hpp>
#include <reheat/core/result.hpp>
#include <reheat/driver/completion.hpp>
#include <reheat/sim/cloud_protocol.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heat_ha {

/// A mock cloud in another process, behind a Unix socket. A call is sent once: with the connection every call that is
/// under way is lost, and `unknown`; what was never sent is `refused`, and a description `unknown`. It connects again
/// by itself. One thread, the context's.
class remote_cloud {
public:
    struct listener {
        std::function<void(const reheat::cloud_protocol::heartbeat&)> heard;
        std::function<void()> answered;                                ///< an outcome, or the loss of all
        std::function<void(bool connected, const std::string&)> moved; ///< and why
    };

    remote_cloud(boost::asio::io_context& context, std::string path, listener to);
    remote_cloud(const remote_cloud&) = delete;
    remote_cloud& operator=(const remote_cloud&) = delete;
    ~remote_cloud() { stop(); }

    /// Connects for the first time; the only one whose failure is an error.
    reheat::result<void> open();
    /// An instance that the cloud shall know of, now and after each new connection.
    void add(reheat::cloud_protocol::add what);
    void call(const reheat::request& r, std::optional<reheat::proof_kind> proof, reheat::completion done);

    /// How many calls were sent.
    [[nodiscard]] std::size_t calls() const noexcept { return calls_; }
    /// Nobody is told anything any more.
    void stop();

private:
    struct connection;
    using connection_ptr = std::shared_ptr<connection>;

    boost::system::error_code connect();
    void read(const connection_ptr& on);
    void take(std::string_view line, const connection_ptr& on);
    void send(const std::string& line);
    void write(const connection_ptr& on);
    void lose(const connection_ptr& on, const std::string& why);
    void come_back_later();

    boost::asio::io_context* context_;
    std::string path_;
    listener to_;
    boost::asio::steady_timer retry_;
    std::chrono::milliseconds pause_;
    connection_ptr on_;
    std::vector<std::string> known_; ///< a line for each instance
    std::map<reheat::op_id, reheat::completion> under_way_;
    std::size_t calls_ = 0;
    bool stopped_ = false;
};

} // namespace heat_ha
