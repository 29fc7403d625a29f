// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace libvirt_tests {

/// Stands between libvirt's client and its daemon: it can cut, slow down, swallow answers, and lie about power-offs.
class socket_proxy {
public:
    socket_proxy(std::string here, std::string there) : here_{std::move(here)}, there_{std::move(there)} {
        listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const sockaddr_un at = address(here_);
        unlink(here_.c_str());
        if (bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || listen(listener_, 16) != 0)
            return;
        thread_ = std::thread{[this] { run(); }};
    }
    socket_proxy(const socket_proxy&) = delete;
    socket_proxy& operator=(const socket_proxy&) = delete;
    ~socket_proxy() {
        stop_.store(true);
        if (thread_.joinable()) thread_.join();
        ::close(listener_);
        unlink(here_.c_str());
    }

    [[nodiscard]] const std::string& path() const noexcept { return here_; }

    /// Ends every connection and takes no more.
    void cut(bool on) { cut_.store(on); }
    /// Answers come that much later.
    void slow(std::chrono::milliseconds by) { slow_.store(by.count()); }
    /// Calls that change something reach the daemon and happen, and the connection breaks before the answer.
    void swallow(bool on) { swallow_.store(on); }
    /// Every connection breaks once.
    void break_once() { breaks_.fetch_add(1); }
    /// A call that powers a domain off by that name is answered by "done", and not passed on; empty: none is.
    void pretend_power_off(std::string name) {
        const std::lock_guard<std::mutex> lock{mutex_};
        spared_ = std::move(name);
    }
    /// How many calls of that procedure have come that name that domain.
    [[nodiscard]] unsigned calls(std::uint32_t procedure, std::string_view domain) const {
        const std::lock_guard<std::mutex> lock{mutex_};
        unsigned n = 0;
        for (const auto& [what, of] : seen_) n += what == procedure && of == domain ? 1U : 0U;
        return n;
    }

    // Of libvirt's remote_protocol.x
    static constexpr std::uint32_t destroy = 12;
    static constexpr std::uint32_t destroy_flags = 234;
    static constexpr std::uint32_t create = 9;
    static constexpr std::uint32_t create_with_flags = 196;
    static constexpr std::uint32_t reboot = 27;
    static constexpr std::uint32_t reset = 245;
    [[nodiscard]] static constexpr bool changes(std::uint32_t procedure) noexcept {
        return procedure == destroy || procedure == destroy_flags || procedure == create ||
               procedure == create_with_flags || procedure == reboot || procedure == reset;
    }

private:
    using clock = std::chrono::steady_clock;
    struct late {
        clock::time_point at;
        std::string bytes;
    };
    struct pair {
        int client = -1;
        int server = -1;
        std::string from_client{}; // what is not a whole message yet
        std::string from_server{};
        std::deque<late> to_client{};
        bool broken = false;
    };

    static sockaddr_un address(const std::string& path) {
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        path.copy(at.sun_path, sizeof at.sun_path - 1);
        return at;
    }
    static std::uint32_t number(std::string_view bytes, std::size_t at) {
        std::uint32_t n = 0;
        for (std::size_t k = 0; k < 4; ++k) n = n << 8U | static_cast<unsigned char>(bytes[at + k]);
        return n;
    }
    static bool send_all(int fd, std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }

    void run() {
        unsigned breaks = 0;
        while (!stop_.load()) {
            const bool all_end = cut_.load() || breaks != breaks_.load();
            breaks = breaks_.load();
            std::erase_if(pairs_, [&](const std::unique_ptr<pair>& p) {
                if (!p->broken && !all_end) return false;
                ::close(p->client);
                ::close(p->server);
                return true;
            });
            std::vector<pollfd> watched{{listener_, POLLIN, 0}};
            for (const auto& p : pairs_) {
                watched.push_back({p->client, POLLIN, 0});
                watched.push_back({p->server, POLLIN, 0});
            }
            poll(watched.data(), watched.size(), 10);
            const std::size_t known = pairs_.size();
            for (std::size_t n = 0; n < known; ++n) {
                if (watched[1 + 2 * n].revents != 0) from_client(*pairs_[n]);
                if (watched[2 + 2 * n].revents != 0) from_server(*pairs_[n]);
                deliver(*pairs_[n]);
            }
            if (watched[0].revents != 0) accept_one();
        }
        for (const auto& p : pairs_) {
            ::close(p->client);
            ::close(p->server);
        }
    }
    void accept_one() {
        auto p = std::make_unique<pair>();
        p->client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (p->client < 0) return;
        p->server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const sockaddr_un to = address(there_);
        p->broken = cut_.load() || connect(p->server, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0;
        pairs_.push_back(std::move(p));
    }
    void from_client(pair& p) {
        char piece[65536];
        const ssize_t n = recv(p.client, piece, sizeof piece, 0);
        if (n <= 0) {
            p.broken = true;
            return;
        }
        p.from_client.append(piece, static_cast<std::size_t>(n));
        while (p.from_client.size() >= 28) {
            const std::uint32_t size = number(p.from_client, 0);
            if (size < 28 || p.from_client.size() < size) return;
            const std::string message = p.from_client.substr(0, size);
            p.from_client.erase(0, size);
            const bool spared = note(message);
            if (spared) {
                // The head of an answer that says "done" and has nothing more to tell.
                std::string answer = message.substr(0, 28);
                answer.replace(0, 4, std::string("\0\0\0\x1c", 4));
                answer.replace(16, 4, std::string("\0\0\0\x01", 4));
                answer.replace(24, 4, std::string(4, '\0'));
                p.to_client.push_back({clock::now(), answer});
            } else if (!send_all(p.server, message)) {
                p.broken = true;
            }
        }
    }
    /// Whether the power-off of a domain is not to happen.
    bool note(const std::string& message) {
        const std::uint32_t procedure = number(message, 12);
        const bool call = number(message, 16) == 0;
        if (!call || !changes(procedure) || message.size() < 32) return false;
        // What all of them begin with is a domain, and a domain begins with its name.
        const std::string domain = message.substr(32, number(message, 28));
        const std::lock_guard<std::mutex> lock{mutex_};
        seen_.emplace_back(procedure, domain);
        return domain == spared_ && (procedure == destroy || procedure == destroy_flags);
    }
    void from_server(pair& p) {
        char piece[65536];
        const ssize_t n = recv(p.server, piece, sizeof piece, 0);
        if (n <= 0) {
            p.broken = true;
            return;
        }
        p.from_server.append(piece, static_cast<std::size_t>(n));
        while (p.from_server.size() >= 28) {
            const std::uint32_t size = number(p.from_server, 0);
            if (size < 28 || p.from_server.size() < size) return;
            const bool answer = number(p.from_server, 16) == 1;
            if (swallow_.load() && answer && changes(number(p.from_server, 12))) {
                p.broken = true;
                return;
            }
            p.to_client.push_back(
                {clock::now() + std::chrono::milliseconds{slow_.load()}, p.from_server.substr(0, size)});
            p.from_server.erase(0, size);
        }
    }
    void deliver(pair& p) {
        while (!p.broken && !p.to_client.empty() && p.to_client.front().at <= clock::now()) {
            p.broken = !send_all(p.client, p.to_client.front().bytes);
            p.to_client.pop_front();
        }
    }

    std::string here_;
    std::string there_;
    int listener_ = -1;
    std::atomic<bool> stop_{false};
    std::atomic<bool> cut_{false};
    std::atomic<bool> swallow_{false};
    std::atomic<unsigned> breaks_{0};
    std::atomic<std::int64_t> slow_{0};
    mutable std::mutex mutex_;
    std::string spared_;
    std::vector<std::pair<std::uint32_t, std::string>> seen_;
    std::vector<std::unique_ptr<pair>> pairs_; // of the thread
    std::thread thread_;
};

} // namespace libvirt_tests
