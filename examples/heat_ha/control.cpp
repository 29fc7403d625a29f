// SPDX-License-Identifier: MIT
#include "control.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <cstddef>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace heat_ha {

namespace {

using protocol = boost::asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::size_t longest_line = 4096;
constexpr std::size_t most_sessions = 64;

} // namespace

class control_session : public std::enable_shared_from_this<control_session> {
public:
    control_session(protocol::socket socket, control_socket& owner) : socket_{std::move(socket)}, owner_{&owner} {}

    void read() {
        busy_ = false;
        if (leaving_) return close();
        boost::asio::async_read_until(socket_, boost::asio::dynamic_buffer(in_, longest_line), '\n',
                                      [self = shared_from_this()](error_code failed, std::size_t size) {
                                          if (!failed) self->take(size);
                                      });
    }

    void leave() {
        leaving_ = true;
        if (!busy_) close();
    }

private:
    void take(std::size_t size) {
        std::string line = in_.substr(0, size - 1);
        in_.erase(0, size);
        if (line.ends_with('\r')) line.pop_back();
        const std::size_t blank = line.find(' ');
        busy_ = true;
        if (leaving_) return close();
        owner_->handle_(std::string_view{line}.substr(0, blank),
                        blank == std::string::npos ? std::string_view{} : std::string_view{line}.substr(blank + 1),
                        [self = shared_from_this()](std::string text) { self->write(std::move(text)); });
    }

    void write(std::string text) {
        out_ = std::move(text) + '\n';
        boost::asio::async_write(socket_, boost::asio::buffer(out_),
                                 [self = shared_from_this()](error_code failed, std::size_t) {
                                     if (!failed) self->read();
                                 });
    }

    void close() {
        error_code ignored;
        socket_.close(ignored);
    }

    protocol::socket socket_;
    control_socket* owner_; ///< not used once leaving
    std::string in_;
    std::string out_;
    bool busy_ = false;
    bool leaving_ = false;
};

reheat::result<void> control_socket::listen(const std::string& path) {
    const auto fail = [&path](const std::string& what) { return reheat::error{reheat::errc::io, path, what}; };
    sockaddr_un limits{};
    if (path.size() >= sizeof(limits.sun_path))
        return fail("the path of a socket has at most " + std::to_string(sizeof(limits.sun_path) - 1) + " bytes");
    struct stat found{};
    if (::lstat(path.c_str(), &found) == 0) {
        if (!S_ISSOCK(found.st_mode)) return fail("there is a file of that name");
        error_code refused;
        protocol::socket probe{acceptor_.get_executor()};
        probe.connect(protocol::endpoint{path}, refused);
        if (refused != boost::asio::error::connection_refused) return fail("somebody listens there");
        ::unlink(path.c_str());
    }
    error_code failed;
    const mode_t before = ::umask(0177);
    acceptor_.open(protocol{}, failed);
    if (!failed) acceptor_.bind(protocol::endpoint{path}, failed);
    ::umask(before);
    if (!failed) path_ = path;
    if (!failed) acceptor_.listen(boost::asio::socket_base::max_listen_connections, failed);
    if (failed) return fail("cannot listen: " + failed.message());
    accept();
    return {};
}

void control_socket::accept() {
    acceptor_.async_accept([this](error_code failed, protocol::socket socket) {
        if (failed || stopped_) return;
        std::erase_if(sessions_, [](const std::weak_ptr<control_session>& s) { return s.expired(); });
        if (sessions_.size() < most_sessions) {
            auto session = std::make_shared<control_session>(std::move(socket), *this);
            sessions_.push_back(session);
            session->read();
        }
        accept();
    });
}

void control_socket::stop() {
    if (std::exchange(stopped_, true)) return;
    error_code ignored;
    acceptor_.close(ignored);
    for (const auto& s : sessions_) {
        if (const auto session = s.lock()) session->leave();
    }
    if (!path_.empty()) ::unlink(path_.c_str());
}

} // namespace heat_ha
