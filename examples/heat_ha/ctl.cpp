// SPDX-License-Identifier: MIT
#include "ctl.hpp"

#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/core/escape.hpp>

#include "../common/command_line.hpp"
#include "../common/policy_input.hpp"
#include "request.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <pwd.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <variant>

namespace heat_ha {

namespace {

constexpr int accepted = 0;
constexpr int refused = 1;
constexpr int no_server = 3;

struct command_line {
    std::string control;
    request what;
    bool json = false;
};

int complain(int code, std::string_view what) {
    std::fprintf(stderr, "heat_ha ctl: %.*s\n", static_cast<int>(what.size()), what.data());
    return code;
}

/// Who runs this program, as the system knows him: no variable can change it.
std::string login_name() {
    const passwd* const entry = ::getpwuid(::getuid());
    return entry != nullptr ? std::string{entry->pw_name} : "uid " + std::to_string(::getuid());
}

std::variant<command_line, int> read_command_line(int argc, char** argv) {
    command_line out;
    out.what.who = login_name();
    CLI::App app{"Says an operator's word to a running heat_ha, or asks it something."};
    app.name("heat_ha ctl");
    app.add_option("--control", out.control, "The socket that the program was given as --control")
        ->type_name("SOCKET")
        ->required();
    app.add_option("VERB", out.what.verb, "One of " + all_verbs())->type_name("")->required();
    app.add_option("TARGET", out.what.target,
                   "A stack, an instance (physical or logical name), a service, or all; with policy a FILE")
        ->type_name("");
    app.add_option("--who", out.what.who, "Who says it")->type_name("NAME")->capture_default_str();
    app.add_option("--reason", out.what.reason, "Why; maintain and freeze need one")->type_name("TEXT");
    auto* lasts =
        app.add_option("--for", out.what.lasts, "How long it holds, as 90s or 2h; maintain and freeze need an end")
            ->type_name("DURATION");
    app.add_option("--until", out.what.until, "Until when it holds, as 2026-11-23T21:30:00Z")
        ->type_name("TIME")
        ->excludes(lasts);
    app.add_flag("--json", out.json, "Print the answer as the JSON object that it is");
    app.footer("Exit codes: 0 accepted, 1 refused, 2 bad command line, 3 the program cannot be reached.");
    if (const auto code = common::parse(app, argc, argv)) return *code;
    if (out.what.verb == "policy") {
        const std::string file = std::exchange(out.what.target, {});
        if (file.empty()) return common::complain(app, "policy needs a FILE");
        auto read = common::read_policy_json(file);
        if (!read) return common::complain(app, to_string(read.error()));
        out.what.policy = std::move(*read);
    }
    if (const auto fine = check(out.what); !fine) {
        const std::string& where = fine.error().where;
        const bool option = where != "verb" && where != "target";
        return common::complain(app, (option ? "--" : "") + where + ": " + fine.error().message);
    }
    const std::size_t most = out.what.policy ? longest_policy_line : longest_line;
    if (to_json(out.what).size() >= most)
        return common::complain(app, "the request is too long: at most " + std::to_string(most) + " bytes");
    return out;
}

/// One end of the socket; closes it.
class connection {
public:
    connection() : socket_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {}
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() {
        if (socket_ >= 0) ::close(socket_);
    }

    /// False with `errno` set. No call waits longer than `limit`; zero means for ever.
    bool open(const std::string& path, long limit) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (socket_ < 0) return false;
        if (path.size() >= sizeof address.sun_path) {
            errno = ENAMETOOLONG;
            return false;
        }
        path.copy(address.sun_path, path.size());
        timeval wait{};
        wait.tv_sec = limit;
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
        return ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    void wait_for_ever() {
        const timeval none{};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
    }
    bool send(std::string_view text) {
        while (!text.empty()) {
            const ssize_t n = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    /// The next line without its end; false at the end of the stream, after too long a wait, or if it is too long.
    bool read_line(std::string& line) {
        constexpr std::size_t most = std::size_t{16} << 20U;
        for (std::size_t seen = 0;;) {
            if (const std::size_t end = in_.find('\n', seen); end != std::string::npos) {
                line = in_.substr(0, end);
                in_.erase(0, end + 1);
                return true;
            }
            seen = in_.size();
            if (seen > most) return false;
            std::array<char, 4096> part{};
            const ssize_t n = ::recv(socket_, part.data(), part.size(), 0);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
            in_.append(part.data(), static_cast<std::size_t>(n));
        }
    }

private:
    int socket_;
    std::string in_;
};

/// What came from the other side may not steer the terminal.
void print_text(std::FILE* to, std::string_view text) {
    std::string out;
    for (const char c : text) out += (static_cast<unsigned char>(c) < 0x20U && c != '\n') || c == 0x7f ? '?' : c;
    std::fprintf(to, "%s\n", out.c_str());
}

int watch(connection& server) {
    server.wait_for_ever();
    for (std::string line; server.read_line(line);) {
        if (std::printf("%s\n", line.c_str()) < 0 || std::fflush(stdout) != 0) return accepted; // nobody reads any more
    }
    return accepted;
}

} // namespace

int run_ctl(int argc, char** argv) {
    constexpr long limit = 60; // seconds
    const auto read = read_command_line(argc, argv);
    if (const int* code = std::get_if<int>(&read)) return *code;
    const command_line& from = std::get<command_line>(read);

    connection server;
    if (!server.open(from.control, limit))
        return complain(no_server, from.control + ": cannot connect: " + std::strerror(errno));
    std::string answer;
    // What can not be sent may have been answered before: by a program that is full.
    static_cast<void>(server.send(to_json(from.what) + '\n'));
    if (!server.read_line(answer)) return complain(no_server, from.control + ": no answer");
    if (answer.starts_with("error ")) return complain(no_server, from.control + ": " + answer.substr(6));
    const auto object = reheat::nlohmann_json{}.read(answer, {.bytes = std::size_t{16} << 20U});
    const reheat::node* const ok = object ? object->find("ok") : nullptr;
    const reheat::node* const text = object ? object->find("text") : nullptr;
    if (ok == nullptr || text == nullptr) return complain(no_server, from.control + ": not the socket of a heat_ha");

    const bool taken = ok->text() == "true";
    if (from.json) std::printf("%s\n", answer.c_str());
    else if (!taken) print_text(stderr, "refused: " + text->text());
    else if (from.what.verb != "watch") print_text(stdout, text->text());
    std::fflush(stdout);
    if (taken && from.what.verb == "watch") return watch(server);
    return taken ? accepted : refused;
}

} // namespace heat_ha
