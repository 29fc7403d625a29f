// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/guest/http.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// A type that answers requests, such as a lambda around `guest::cloudwatch_api::handle`.
template <class T>
concept http_handler = std::move_constructible<T> && requires(T& handler, const guest::request& from) {
    { handler(from) } -> std::same_as<guest::response>;
};

/// Bounds of a server.
struct http_limits {
    std::uint32_t header_bytes = 16 * 1024;
    std::uint64_t body_bytes = 1024 * 1024;
    std::size_t connections = 1024;                 ///< more wait in the system's queue
    std::chrono::milliseconds read_timeout{30'000}; ///< for one whole request, and for the silence before the next
};

namespace detail {

class beast_session;

/// What a server shares with its sessions.
class beast_core : public std::enable_shared_from_this<beast_core> {
public:
    beast_core(boost::asio::io_context& context, const http_limits& limits)
        : acceptor{context}, retry{context}, bounds{limits} {}
    beast_core(const beast_core&) = delete;
    beast_core& operator=(const beast_core&) = delete;
    virtual ~beast_core() = default;

    [[nodiscard]] virtual guest::response answer(const guest::request& from) = 0;

    void accept();
    void stop();
    void leave(const beast_session* session) {
        std::erase(sessions, session);
        if (std::exchange(full, false)) accept();
    }

    boost::asio::ip::tcp::acceptor acceptor;
    boost::asio::steady_timer retry;
    http_limits bounds;
    std::vector<beast_session*> sessions;
    bool full = false;
    bool stopped = false;
};

template <http_handler Handler>
class beast_core_of final : public beast_core {
public:
    beast_core_of(boost::asio::io_context& context, const http_limits& limits, Handler handler)
        : beast_core{context, limits}, handler_{std::move(handler)} {}
    [[nodiscard]] guest::response answer(const guest::request& from) override { return handler_(from); }

private:
    Handler handler_;
};

/// One connection; whatever operation is under way keeps it alive.
class beast_session : public std::enable_shared_from_this<beast_session> {
public:
    beast_session(boost::asio::ip::tcp::socket socket, std::shared_ptr<beast_core> core)
        : stream_{std::move(socket)}, core_{std::move(core)} {
        core_->sessions.push_back(this);
    }
    beast_session(const beast_session&) = delete;
    beast_session& operator=(const beast_session&) = delete;
    ~beast_session() { core_->leave(this); }

    using error_code = boost::beast::error_code;
    using step = void (beast_session::*)();

    /// A handler that goes on with `then`, unless the server stopped or the connection failed.
    [[nodiscard]] auto next(step then) {
        return [self = shared_from_this(), then](error_code failed, std::size_t) {
            if (self->core_->stopped) return;
            if (failed) {
                self->refuse(failed);
            } else {
                ((*self).*then)();
            }
        };
    }

    void close() { stream_.close(); }

    void read() {
        parser_.emplace();
        parser_->header_limit(core_->bounds.header_bytes);
        parser_->body_limit(core_->bounds.body_bytes);
        stream_.expires_after(core_->bounds.read_timeout); // not renewed within a request, so a slow sender is cut off
        boost::beast::http::async_read_header(stream_, buffer_, *parser_, next(&beast_session::on_header));
    }

private:
    void on_header() {
        const auto& head = parser_->get();
        if (!parser_->is_done() && boost::beast::iequals(head[boost::beast::http::field::expect], "100-continue")) {
            constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            boost::asio::async_write(stream_, boost::asio::buffer(go_on.data(), go_on.size()),
                                     next(&beast_session::read_body));
        } else {
            read_body();
        }
    }

    void read_body() { boost::beast::http::async_read(stream_, buffer_, *parser_, next(&beast_session::on_request)); }

    void on_request() {
        const auto text = [](boost::beast::string_view from) { return std::string{from.data(), from.size()}; };
        auto received = parser_->release();
        guest::request from{text(received.method_string()), text(received.target()), {}, std::move(received.body())};
        for (const auto& field : received) from.headers.push_back({text(field.name_string()), text(field.value())});
        guest::response answer = core_->answer(from);
        if (core_->stopped) return; // by the handler itself
        send(std::move(answer), received.keep_alive(), received.version(), from.method == "HEAD");
    }

    void refuse(error_code failed) {
        using boost::beast::http::error;
        int status = 0;
        if (failed == error::body_limit) {
            status = 413;
        } else if (failed == error::header_limit) {
            status = 431;
        } else if (failed.category() == make_error_code(error::bad_method).category() &&
                   failed != error::end_of_stream && failed != error::partial_message) {
            status = 400;
        }
        if (status == 0 || refused_) return; // the peer is gone, or too slow
        refused_ = true;
        send({status, "text/plain", failed.message() + '\n'}, false, 11, false);
    }

    void send(guest::response answer, bool keep_alive, unsigned version, bool head_only) {
        const bool valid = answer.status >= 200 && answer.status <= 599;
        out_ = {};
        out_.version(version);
        out_.result(valid ? static_cast<unsigned>(answer.status) : 500U);
        if (!answer.content_type.empty()) out_.set(boost::beast::http::field::content_type, answer.content_type);
        out_.keep_alive(keep_alive);
        out_.content_length(answer.body.size());
        if (!head_only) out_.body() = std::move(answer.body);
        stream_.expires_after(core_->bounds.read_timeout);
        boost::beast::http::async_write(stream_, out_,
                                        next(keep_alive ? &beast_session::read : &beast_session::finish));
    }

    void finish() {
        error_code ignored;
        stream_.socket().shutdown(boost::asio::socket_base::shutdown_send, ignored);
        if (!refused_) return;
        // Closing on unread bytes resets the connection, and the peer would lose the answer that it was just sent.
        constexpr std::chrono::seconds patience{2};
        stream_.expires_after(patience);
        drain();
    }

    void drain() { stream_.async_read_some(boost::asio::buffer(waste_), next(&beast_session::drain)); }

    boost::beast::tcp_stream stream_;
    std::shared_ptr<beast_core> core_;
    boost::beast::flat_buffer buffer_;
    std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
    boost::beast::http::response<boost::beast::http::string_body> out_;
    std::array<char, 4096> waste_{};
    bool refused_ = false;
};

inline void beast_core::accept() {
    if (stopped) return;
    if (sessions.size() >= bounds.connections) {
        full = true;
        return;
    }
    acceptor.async_accept(
        [self = shared_from_this()](boost::beast::error_code failed, boost::asio::ip::tcp::socket socket) {
            if (self->stopped) return;
            if (!failed) {
                boost::beast::error_code ignored;
                socket.set_option(boost::asio::ip::tcp::no_delay{true}, ignored);
                std::make_shared<beast_session>(std::move(socket), self)->read();
                return self->accept();
            }
            // Mostly: no file descriptor left. Accepting again at once would spin until there is one.
            constexpr std::chrono::milliseconds pause{100};
            self->retry.expires_after(pause);
            self->retry.async_wait([self](boost::beast::error_code) { self->accept(); });
        });
}

inline void beast_core::stop() {
    stopped = true;
    boost::beast::error_code ignored;
    acceptor.close(ignored);
    retry.cancel();
    for (beast_session* session : sessions) session->close();
}

} // namespace detail

/// A small HTTP/1.1 server for the guest APIs, on the caller's `io_context`. Requests are not authenticated yet, so it
/// listens on loopback only. Use it from the one thread that runs the context; the context outlives it. Once stopped or
/// destroyed it never calls its handler again. An exception of the handler leaves `io_context::run`.
///
///     boost::asio::io_context io;
///     reheat::beast_server server{io};
///     auto listening = server.listen("127.0.0.1", 0, [&](const reheat::guest::request& r) { return api.handle(r); });
///     if (!listening) return fail(listening.error());
///     io.run();
class beast_server {
public:
    explicit beast_server(boost::asio::io_context& context, const http_limits& limits = {}) noexcept
        : context_{&context}, limits_{limits} {}
    beast_server(const beast_server&) = delete;
    beast_server& operator=(const beast_server&) = delete;
    ~beast_server() { stop(); }

    /// Starts to answer on `host` (an address of 127.0.0.0/8, `::1` or `localhost`); port 0 takes a free one. Errors:
    /// `errc::invalid_argument` for what is no address, `errc::denied` for one that is not loopback,
    /// `errc::already_exists` where it listens already, `errc::io` from the system.
    template <http_handler Handler>
    result<void> listen(std::string_view host, std::uint16_t port, Handler handler) {
        namespace ip = boost::asio::ip;
        const std::string place{host};
        if (core_) return error{errc::already_exists, place, "this server listens already"};
        boost::beast::error_code failed;
        const ip::address address = ip::make_address(place == "localhost" ? "127.0.0.1" : place, failed);
        if (failed) return error{errc::invalid_argument, place, "expected an address such as 127.0.0.1"};
        if (!address.is_loopback()) {
            return error{errc::denied, place,
                         "refused: requests are not authenticated yet, so only loopback is served"};
        }
        auto core = std::make_shared<detail::beast_core_of<Handler>>(*context_, limits_, std::move(handler));
        const ip::tcp::endpoint at{address, port};
        core->acceptor.open(at.protocol(), failed);
#ifndef _WIN32
        // There it would let a second program take the port over.
        if (!failed) core->acceptor.set_option(boost::asio::socket_base::reuse_address{true}, failed);
#endif
        if (!failed) core->acceptor.bind(at, failed);
        if (!failed) core->acceptor.listen(boost::asio::socket_base::max_listen_connections, failed);
        if (!failed) port_ = core->acceptor.local_endpoint(failed).port();
        if (failed) return error{errc::io, place + ':' + std::to_string(port), "cannot listen: " + failed.message()};
        core_ = std::move(core);
        core_->accept();
        return {};
    }

    /// The port that it listens on; 0 before `listen` and after `stop`.
    [[nodiscard]] std::uint16_t port() const noexcept { return core_ ? port_ : std::uint16_t{0}; }

    /// Closes the port and every connection. It may listen again.
    void stop() {
        if (core_) std::exchange(core_, nullptr)->stop();
    }

private:
    boost::asio::io_context* context_;
    http_limits limits_;
    std::uint16_t port_ = 0;
    std::shared_ptr<detail::beast_core> core_;
};

} // namespace reheat::inline REHEAT_ABI
