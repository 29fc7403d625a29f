// SPDX-License-Identifier: MIT
#include "remote_cloud.hpp"

#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/sim/cloud_protocol_reader.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <sys/un.h>
#include <utility>
#include <variant>

namespace heat_ha {

namespace {

namespace protocol = reheat::cloud_protocol;
using boost::system::error_code;

constexpr std::chrono::milliseconds first_pause{100};
constexpr std::chrono::milliseconds longest_pause{5'000};
constexpr std::size_t most_unsent = std::size_t{4} << 20U;

} // namespace

struct remote_cloud::connection {
    explicit connection(boost::asio::io_context& context) : socket{context} {}
    boost::asio::local::stream_protocol::socket socket;
    std::string in;
    std::string out;  ///< being written
    std::string next; ///< to be written after it
    bool writing = false;
};

remote_cloud::remote_cloud(boost::asio::io_context& context, std::string path, listener to)
    : context_{&context}, path_{std::move(path)}, to_{std::move(to)}, retry_{context}, pause_{first_pause} {}

reheat::result<void> remote_cloud::open() {
    const auto fail = [this](std::string what) {
        return reheat::error{reheat::errc::unavailable, path_, std::move(what)};
    };
    const sockaddr_un limits{};
    if (path_.size() >= sizeof(limits.sun_path))
        return fail("the path of a socket has at most " + std::to_string(sizeof(limits.sun_path) - 1) + " bytes");
    if (const error_code failed = connect(); failed) return fail("the cloud can not be reached: " + failed.message());
    return {};
}

/// A local socket connects at once or not at all, so nobody waits here.
error_code remote_cloud::connect() {
    error_code failed;
    const auto on = std::make_shared<connection>(*context_);
    on->socket.connect(boost::asio::local::stream_protocol::endpoint{path_}, failed);
    if (failed) return failed;
    on_ = on;
    send(to_json(protocol::watch{}));
    for (const std::string& line : known_) send(line);
    read(on);
    return {};
}

void remote_cloud::add(protocol::add what) {
    known_.push_back(to_json(what));
    if (on_) send(known_.back());
}

void remote_cloud::call(const reheat::request& r, std::optional<reheat::proof_kind> proof, reheat::completion done) {
    const std::string line = protocol::to_json(r, proof);
    if (line.size() >= protocol::longest_line) return done(reheat::outcome::refused("the call is too long"));
    if (!on_) {
        if (r.what == reheat::operation::describe) return done(reheat::outcome::unknown("the cloud is not there"));
        reheat::outcome never_sent = reheat::outcome::refused("the cloud is not there");
        never_sent.retry_after = pause_;
        return done(std::move(never_sent));
    }
    ++calls_;
    under_way_.insert_or_assign(r.op, std::move(done));
    send(line);
}

void remote_cloud::send(const std::string& line) {
    const connection_ptr on = on_;
    on->next += line;
    on->next += '\n';
    if (on->next.size() > most_unsent) return lose(on, "it takes nothing any more");
    if (!on->writing) write(on);
}

void remote_cloud::write(const connection_ptr& on) {
    on->writing = true;
    on->out = std::exchange(on->next, {});
    boost::asio::async_write(on->socket, boost::asio::buffer(on->out), [this, on](error_code failed, std::size_t) {
        on->writing = false;
        if (stopped_ || on != on_) return;
        if (failed) return lose(on, failed.message());
        if (!on->next.empty()) write(on);
    });
}

void remote_cloud::read(const connection_ptr& on) {
    boost::asio::async_read_until(on->socket, boost::asio::dynamic_buffer(on->in, protocol::longest_line), '\n',
                                  [this, on](error_code failed, std::size_t size) {
                                      if (stopped_ || on != on_) return;
                                      if (failed) return lose(on, failed.message());
                                      const std::string line = on->in.substr(0, size - 1);
                                      on->in.erase(0, size);
                                      take(line, on);
                                      if (!stopped_ && on == on_) read(on);
                                  });
}

void remote_cloud::take(std::string_view line, const connection_ptr& on) {
    auto said = protocol::read_message(line, reheat::nlohmann_json{});
    if (!said) return lose(on, "it said something else: " + to_string(said.error()));
    pause_ = first_pause; // not before: whoever accepts and closes is no cloud
    if (const auto* beat = std::get_if<protocol::heartbeat>(&*said)) return to_.heard(*beat);
    reheat::op_id op = reheat::no_op;
    reheat::outcome result;
    if (auto* ended = std::get_if<protocol::ended>(&*said)) {
        op = ended->op;
        result = std::move(ended->result);
    } else {
        const auto& answer = std::get<protocol::answer>(*said);
        if (answer.ok) return; // it was taken; what it comes to is said later
        op = answer.op;
        result = reheat::outcome::refused(answer.text);
    }
    const auto waits = under_way_.find(op);
    if (waits == under_way_.end()) return;
    auto done = under_way_.extract(waits);
    done.mapped()(std::move(result));
    to_.answered();
}

/// Nobody knows what became of what was sent.
void remote_cloud::lose(const connection_ptr& on, const std::string& why) {
    if (on != on_) return;
    on_.reset();
    error_code ignored;
    on->socket.close(ignored);
    auto lost = std::exchange(under_way_, {});
    for (auto& [op, done] : lost) done(reheat::outcome::unknown("the connection was lost"));
    come_back_later();
    to_.moved(false, why);
    to_.answered();
}

void remote_cloud::come_back_later() {
    retry_.expires_after(pause_);
    pause_ = (std::min)(2 * pause_, longest_pause);
    retry_.async_wait([this](error_code cancelled) {
        if (cancelled || stopped_) return;
        if (connect()) return come_back_later();
        to_.moved(true, {});
    });
}

void remote_cloud::stop() {
    if (std::exchange(stopped_, true)) return;
    retry_.cancel();
    under_way_.clear();
    if (!on_) return;
    error_code ignored;
    on_->socket.close(ignored);
    on_.reset();
}

} // namespace heat_ha
