// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What came of one HTTP call.
struct http_reply {
    int status = 0;     ///< 0: there was no answer
    bool sent = false;  ///< whether any of the call may have reached the other side
    std::string body{}; ///< without an answer: why
    int retry_after = 0;
};

/// One blocking HTTP call on a connection of its own, with a limit for the whole of it. Any thread.
inline http_reply http_call(const std::string& address, std::uint16_t port, const std::string& method,
                            const std::string& path, const std::vector<std::pair<std::string, std::string>>& headers,
                            const std::string& body, std::chrono::milliseconds limit) {
    namespace net = boost::asio;
    namespace beast = boost::beast;
    net::io_context loop;
    beast::tcp_stream stream{loop};
    stream.expires_after(limit);
    const auto wait_for = [&](auto start) {
        beast::error_code failed;
        start([&failed](beast::error_code e, auto&&...) { failed = e; });
        loop.restart();
        loop.run();
        return failed;
    };

    beast::error_code failed;
    const net::ip::tcp::endpoint server{net::ip::make_address(address, failed), port};
    if (!failed) failed = wait_for([&](auto done) { stream.async_connect(server, done); });
    if (failed) return {0, false, "cannot connect: " + failed.message()};

    beast::http::request<beast::http::string_body> call{beast::http::string_to_verb(method), path, 11, body};
    call.set(beast::http::field::host, address);
    call.keep_alive(false);
    for (const auto& [name, value] : headers) call.set(name, value);
    call.prepare_payload();
    failed = wait_for([&](auto done) { beast::http::async_write(stream, call, done); });
    if (failed) return {0, true, "cannot send: " + failed.message()};

    beast::flat_buffer buffer;
    beast::http::response<beast::http::string_body> answer;
    failed = wait_for([&](auto done) { beast::http::async_read(stream, buffer, answer, done); });
    if (failed) return {0, true, "no answer: " + failed.message()};
    const std::string retry{answer[beast::http::field::retry_after]};
    return {static_cast<int>(answer.result_int()), true, answer.body(), std::atoi(retry.c_str())};
}

/// A text as one step of a path: all but letters, digits and `-._~` as %XX. A name may hold anything.
inline std::string path_step(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string step;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view{"-._~"}.find(c) != std::string_view::npos;
        if (plain) step += c;
        else (step += '%') += {digits[byte >> 4U], digits[byte & 15U]};
    }
    return step;
}

/// What the other side sends may be anything, so these two never throw: what is no JSON has no texts, and a text that
/// is not there is empty.
inline nlohmann::json json_of(const http_reply& reply) { return nlohmann::json::parse(reply.body, nullptr, false); }
inline std::string text_of(const nlohmann::json& from, const char* name) {
    const auto found = from.is_object() ? from.find(name) : from.end();
    return found != from.end() && found->is_string() ? found->get<std::string>() : std::string{};
}
