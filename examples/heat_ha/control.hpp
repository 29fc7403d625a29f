// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace heat_ha {

class control_session;

/// The longest lines that are taken, their ends included.
struct line_bounds {
    std::size_t plain;
    std::size_t object; ///< of those that begin with `{`; at least as long
};

/// Who sent a line. Answers once, now or later.
class control_peer {
public:
    explicit control_peer(std::shared_ptr<control_session> session) : session_{std::move(session)} {}
    void answer(std::string text) const;
    /// A line beside the answers, after the one to this line; nothing happens if the session is over.
    void send(const std::string& line) const;
    /// The process on the other side, as the system knows it; 0 if it does not say.
    [[nodiscard]] std::int64_t process() const noexcept;
    /// It gets everything that is published from now on, after the answer.
    void watch() const;

private:
    std::shared_ptr<control_session> session_;
};

/// A Unix stream socket, open to this user only, that takes lines and answers each by one line. Lines, sessions and
/// what a watcher leaves unread are bounded. The socket's file is removed at the end.
class control_socket {
public:
    using handler = std::function<void(std::string_view line, control_peer)>;

    control_socket(boost::asio::io_context& context, line_bounds bounds, handler handle)
        : acceptor_{context}, bounds_{bounds}, handle_{std::move(handle)} {}
    control_socket(const control_socket&) = delete;
    control_socket& operator=(const control_socket&) = delete;
    ~control_socket() { stop(); }

    /// A file that nobody listens on any more is replaced; any other is an error.
    reheat::result<void> listen(const std::string& path);
    /// Sends a line to all who watch.
    void publish(const std::string& line);
    [[nodiscard]] bool watched() const noexcept { return !watchers_.empty(); }
    /// Closes everything; an answer that is under way is still sent.
    void stop();

private:
    friend class control_session;
    friend class control_peer;

    void accept();

    boost::asio::local::stream_protocol::acceptor acceptor_;
    line_bounds bounds_;
    handler handle_;
    std::string path_;
    std::vector<std::weak_ptr<control_session>> sessions_;
    std::vector<std::weak_ptr<control_session>> watchers_;
    bool stopped_ = false;
};

} // namespace heat_ha
