// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace heat_ha {

class control_session;

/// A Unix stream socket, open to this user only, that takes commands, one line each, and answers each by one line: `ok
/// …` or `error …`. The socket's file is removed at the end.
class control_socket {
public:
    /// Answers once, now or later.
    using reply = std::function<void(std::string)>;
    /// One command: its first word and the rest.
    using handler = std::function<void(std::string_view command, std::string_view rest, reply)>;

    control_socket(boost::asio::io_context& context, handler handle) : acceptor_{context}, handle_{std::move(handle)} {}
    control_socket(const control_socket&) = delete;
    control_socket& operator=(const control_socket&) = delete;
    ~control_socket() { stop(); }

    /// A file that nobody listens on any more is replaced; any other is an error.
    reheat::result<void> listen(const std::string& path);
    /// Closes everything; an answer that is under way is still sent.
    void stop();

private:
    friend class control_session;

    void accept();

    boost::asio::local::stream_protocol::acceptor acceptor_;
    handler handle_;
    std::string path_;
    std::vector<std::weak_ptr<control_session>> sessions_;
    bool stopped_ = false;
};

} // namespace heat_ha
