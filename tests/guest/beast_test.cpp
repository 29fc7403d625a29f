// SPDX-License-Identifier: MIT
#include <reheat/adapters/beast.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace guest = reheat::guest;
using asio::ip::tcp;

namespace {

struct no_handler {
    int operator()(const guest::request&) const;
};
static_assert(!reheat::http_handler<no_handler>);

/// A connection in the server's own thread: everything happens in `until`.
class client {
public:
    client(asio::io_context& io, std::uint16_t port) : io_{io}, link_{std::make_shared<link>(io)} {
        boost::system::error_code failed;
        link_->socket.connect({asio::ip::make_address("127.0.0.1"), port}, failed);
        connected = !failed;
        if (connected) read(link_);
    }
    ~client() { close(); }

    void send(std::string text) {
        auto kept = std::make_shared<std::string>(std::move(text));
        asio::async_write(link_->socket, asio::buffer(*kept), [kept](boost::system::error_code, std::size_t) {});
    }
    /// Runs until this text came, or the end.
    std::string answer(std::string_view last) {
        while (!link_->closed && link_->received.find(last) == std::string::npos && io_.run_one() != 0) {
        }
        return std::exchange(link_->received, {});
    }
    std::string rest() {
        while (!link_->closed && io_.run_one() != 0) {
        }
        return std::exchange(link_->received, {});
    }
    [[nodiscard]] bool silent() const { return link_->received.empty(); }
    void close() {
        boost::system::error_code ignored;
        link_->socket.close(ignored);
    }

    bool connected = false;

private:
    struct link {
        explicit link(asio::io_context& io) : socket{io} {}
        tcp::socket socket;
        std::array<char, 4096> buffer{};
        std::string received;
        bool closed = false;
    };

    static void read(const std::shared_ptr<link>& from) {
        from->socket.async_read_some(asio::buffer(from->buffer),
                                     [from](boost::system::error_code failed, std::size_t size) {
                                         from->received.append(from->buffer.data(), size);
                                         from->closed = static_cast<bool>(failed);
                                         if (!from->closed) read(from);
                                     });
    }

    asio::io_context& io_;
    std::shared_ptr<link> link_;
};

guest::response echo(const guest::request& r) {
    return {200, "text/plain",
            r.method + ' ' + r.target + ' ' + std::string{r.header("x-test")} + ' ' + std::to_string(r.body.size()) +
                '.'};
}

bool starts(const std::string& text, std::string_view with) { return text.starts_with(with); }

} // namespace

TEST_CASE("requests are answered, several on one connection") {
    asio::io_context io;
    std::vector<guest::request> seen;
    reheat::beast_server server{io};
    REQUIRE(server.listen("127.0.0.1", 0, [&seen](const guest::request& r) {
        seen.push_back(r);
        return echo(r);
    }));
    REQUIRE(server.port() != 0);
    client c{io, server.port()};
    c.send("POST /v1/?a=%2F HTTP/1.1\r\nHost: h\r\nX-Test: yes\r\nContent-Length: 3\r\n\r\na=b");
    CHECK(c.answer("3.") ==
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 22\r\n\r\nPOST /v1/?a=%2F yes 3.");
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].body == "a=b");
    CHECK(seen[0].headers[1] == guest::header_field{"X-Test", "yes"});
    c.send("PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\nGET /b "
           "HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    const std::string both = c.rest();
    CHECK(both.find("PUT /a  2.") != std::string::npos);
    CHECK(both.find("GET /b  0.") != std::string::npos);
    CHECK(both.find("Connection: close") != std::string::npos);
}

TEST_CASE("HEAD has the length and no body; HTTP/1.0 is closed") {
    asio::io_context io;
    reheat::beast_server server{io};
    REQUIRE(server.listen("localhost", 0, echo));
    client c{io, server.port()};
    c.send("HEAD / HTTP/1.0\r\n\r\n");
    const std::string answer = c.rest();
    CHECK(starts(answer, "HTTP/1.0 200 OK\r\n"));
    CHECK(answer.find("Content-Length: 10\r\n") != std::string::npos);
    CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("a client that waits to be told to go on is told") {
    asio::io_context io;
    reheat::beast_server server{io};
    REQUIRE(server.listen("127.0.0.1", 0, echo));
    client c{io, server.port()};
    c.send("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    CHECK(c.answer("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    c.send("ok");
    CHECK(c.answer("2.").ends_with("PUT /  2."));
}

TEST_CASE("only loopback is served, and the error says why") {
    asio::io_context io;
    for (const char* host : {"0.0.0.0", "::", "192.0.2.1", "::ffff:127.0.0.1", "2001:db8::1"}) {
        reheat::beast_server server{io};
        const auto r = server.listen(host, 0, echo);
        REQUIRE(!r);
        CHECK(r.error().code == reheat::errc::denied);
        CHECK(r.error().where == host);
        CHECK(r.error().message.find("not authenticated") != std::string::npos);
        CHECK(server.port() == 0);
    }
    for (const char* host : {"", "example.org", "127.0.0.1:80", "127.1", "127.0.0.256"}) {
        reheat::beast_server server{io};
        const auto r = server.listen(host, 0, echo);
        REQUIRE(!r);
        CHECK(r.error().code == reheat::errc::invalid_argument);
    }
    reheat::beast_server server{io};
    const auto six = server.listen("::1", 0, echo);
    CHECK((six.has_value() || six.error().code == reheat::errc::io)); // a machine may have no IPv6
#ifdef __linux__
    reheat::beast_server other{io};
    CHECK(other.listen("127.8.9.10", 0, echo));
#endif
}

TEST_CASE("a port in use and a second listen are errors") {
    asio::io_context io;
    reheat::beast_server first{io};
    REQUIRE(first.listen("127.0.0.1", 0, echo));
    CHECK(first.listen("127.0.0.1", 0, echo).error().code == reheat::errc::already_exists);
    reheat::beast_server second{io};
    const auto r = second.listen("127.0.0.1", first.port(), echo);
    REQUIRE(!r);
    CHECK(r.error().code == reheat::errc::io);
    CHECK(r.error().where == "127.0.0.1:" + std::to_string(first.port()));
}

TEST_CASE("what is too large or broken is refused and never reaches the handler") {
    asio::io_context io;
    int calls = 0;
    reheat::beast_server server{io};
    REQUIRE(server.listen("127.0.0.1", 0, [&calls](const guest::request& r) {
        ++calls;
        return echo(r);
    }));
    struct bad {
        std::string text;
        std::string_view status;
    };
    const std::string mebibyte(1024 * 1024, 'x');
    for (const bad& b :
         {bad{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n" + mebibyte + 'x', "HTTP/1.1 413 "},
          bad{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n" + mebibyte + "x\r\n0\r\n\r\n",
              "HTTP/1.1 413 "},
          bad{"GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", "HTTP/1.1 431 "},
          bad{"GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n\r\n", "HTTP/1.1 431 "},
          bad{"GET / HTTP/9.9\r\n\r\n", "HTTP/1.1 400 "},
          bad{std::string{"\x16\x03\x01\x02\0\1\0\1", 8} + "\r\n\r\n", "HTTP/1.1 400 "},
          bad{"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 400 "},
          bad{"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "HTTP/1.1 400 "}}) {
        client c{io, server.port()};
        c.send(b.text);
        const std::string answer = c.answer("\r\n\r\n");
        CHECK_MESSAGE(starts(answer, b.status), answer);
        CHECK(answer.find("Connection: close\r\n") != std::string::npos);
    }
    CHECK(calls == 0);
    client c{io, server.port()};
    c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048576\r\n\r\n" + mebibyte);
    CHECK(c.answer("1048576.").find("POST /  1048576.") != std::string::npos);
}

TEST_CASE("a slow or silent sender is cut off") {
    asio::io_context io;
    const reheat::http_limits limits{.read_timeout = std::chrono::milliseconds{20}};
    reheat::beast_server server{io, limits};
    REQUIRE(server.listen("127.0.0.1", 0, echo));
    for (const char* text : {"", "GET / HT", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"}) {
        client c{io, server.port()};
        c.send(text);
        CHECK(c.rest().empty());
    }
}

TEST_CASE("connections past the limit wait for their turn") {
    asio::io_context io;
    const reheat::http_limits limits{.connections = 2};
    reheat::beast_server server{io, limits};
    REQUIRE(server.listen("127.0.0.1", 0, echo));
    const std::string request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    client a{io, server.port()};
    client b{io, server.port()};
    client waiting{io, server.port()};
    waiting.send(request);
    a.send(request);
    b.send(request);
    CHECK(!a.answer("0.").empty());
    CHECK(!b.answer("0.").empty());
    while (io.poll_one() != 0) {
    }
    CHECK(waiting.silent());
    a.close();
    CHECK(waiting.answer("0.").ends_with("GET /  0."));
}

TEST_CASE("stop closes everything, and it may listen again") {
    asio::io_context io;
    int calls = 0;
    reheat::beast_server server{io};
    const auto count = [&calls](const guest::request& r) {
        ++calls;
        return echo(r);
    };
    REQUIRE(server.listen("127.0.0.1", 0, count));
    const std::uint16_t port = server.port();
    client idle{io, port};
    client asking{io, port};
    idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(!idle.answer("0.").empty());
    asking.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    server.stop();
    server.stop();
    CHECK(server.port() == 0);
    CHECK(asking.rest().empty());
    CHECK(idle.rest().empty());
    CHECK(calls == 1);
    CHECK(!client{io, port}.connected);
    REQUIRE(server.listen("127.0.0.1", port, count));
    client again{io, server.port()};
    again.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(!again.answer("0.").empty());
    server.stop();
    CHECK(again.rest().empty());
    io.run();
    CHECK(io.stopped()); // nothing was left behind
}

TEST_CASE("a handler may stop its own server; a wrong status is a 500") {
    asio::io_context io;
    reheat::beast_server server{io};
    REQUIRE(server.listen("127.0.0.1", 0, [&server](const guest::request& r) {
        if (r.target == "/stop") server.stop();
        return guest::response{r.target == "/bad" ? 1000 : 204, {}, {}};
    }));
    client c{io, server.port()};
    c.send("GET /bad HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(starts(c.answer("\r\n\r\n"), "HTTP/1.1 500 "));
    c.send("GET /stop HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(c.rest().empty());
}

TEST_CASE("a server that is gone leaves nothing on its context") {
    asio::io_context io;
    {
        reheat::beast_server server{io};
        REQUIRE(server.listen("127.0.0.1", 0, echo));
        client c{io, server.port()};
        c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        CHECK(!c.answer("0.").empty());
    }
    io.restart();
    io.run();
    CHECK(io.stopped());
}
