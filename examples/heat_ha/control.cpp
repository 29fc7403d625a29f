// SPDX-License-Identifier: MIT
#include "control.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <cstddef>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace heat_ha {

namespace {

using protocol = boost::asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::size_t most_sessions = 64;
constexpr std::size_t most_unread = std::size_t{4} << 20U;

} // namespace

class control_session : public std::enable_shared_from_this<control_session> {
public:
    control_session(protocol::socket socket, control_socket& owner)
        : socket_{std::move(socket)}, owner_{&owner}, bounds_{owner.bounds_} {
        ucred peer{};
        socklen_t size = sizeof peer;
        if (::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) process_ = peer.pid;
    }

    void read() {
        boost::asio::async_read_until(socket_, boost::asio::dynamic_buffer(in_, bounds_.object), '\n',
                                      [self = shared_from_this()](error_code failed, std::size_t size) {
                                          if (!failed) self->take(size);
                                          else if (failed == boost::asio::error::not_found) self->refuse();
                                          else self->leave(); // what is being written is still sent
                                      });
    }

    /// The answer to the last line; then the next one is read.
    void answer(std::string text) {
        busy_ = false;
        send(text);
        if (!leaving_) read();
    }

    void send(const std::string& line) {
        if (closed_) return;
        if (next_.size() > most_unread) return close();
        next_ += line;
        next_ += '\n';
        if (!writing_) write();
    }

    void leave() {
        leaving_ = true;
        if (!busy_ && !writing_) close();
    }

    [[nodiscard]] std::int64_t process() const noexcept { return process_; }
    [[nodiscard]] control_socket& owner() const noexcept { return *owner_; }

private:
    void take(std::size_t size) {
        std::string line = in_.substr(0, size - 1);
        in_.erase(0, size);
        if (line.ends_with('\r')) line.pop_back();
        busy_ = true;
        if (leaving_ || (size > bounds_.plain && !line.starts_with('{'))) return close();
        owner_->handle_(line, control_peer{shared_from_this()});
    }

    /// A line without an end.
    void refuse() {
        leaving_ = true;
        if (!in_.starts_with('{')) return close();
        send(R"({"ok":false,"text":"a line has at most )" + std::to_string(bounds_.object) + " bytes\"}");
    }

    void write() {
        writing_ = true;
        out_ = std::exchange(next_, {});
        boost::asio::async_write(socket_, boost::asio::buffer(out_),
                                 [self = shared_from_this()](error_code failed, std::size_t) {
                                     self->writing_ = false;
                                     if (failed) return self->close();
                                     if (!self->next_.empty()) return self->write();
                                     if (self->leaving_ && !self->busy_) self->close();
                                 });
    }

    void close() {
        closed_ = true;
        error_code ignored;
        socket_.close(ignored);
    }

    protocol::socket socket_;
    control_socket* owner_; ///< not used once leaving
    line_bounds bounds_;
    std::int64_t process_ = 0;
    std::string in_;
    std::string out_;  ///< being written
    std::string next_; ///< to be written after it
    bool busy_ = false;
    bool writing_ = false;
    bool leaving_ = false;
    bool closed_ = false;
};

void control_peer::answer(std::string text) const { session_->answer(std::move(text)); }
void control_peer::send(const std::string& line) const { session_->send(line); }
std::int64_t control_peer::process() const noexcept { return session_->process(); }
void control_peer::watch() const { session_->owner().watchers_.push_back(session_); }

void control_socket::publish(const std::string& line) {
    std::erase_if(watchers_, [&line](const std::weak_ptr<control_session>& w) {
        const auto session = w.lock();
        if (session) session->send(line);
        return !session;
    });
}

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
        } else {
            constexpr std::string_view full = "error too many sessions\n";
            socket.non_blocking(true, failed);
            socket.send(boost::asio::buffer(full), 0, failed); // a fresh socket has room for it
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
