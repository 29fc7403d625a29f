// SPDX-License-Identifier: MIT
// Serves a simulated cloud over a Unix socket, in real time; docs/reference/mock_cloud.md describes it.
#include <reheat/core/text.hpp>

#include "../../examples/common/command_line.hpp"
#include "mock_cloud/served_cloud.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace {

constexpr int done = 0;
constexpr int failed_running = 1;

struct settings {
    std::string socket;
    std::string log;
    double scale = 1;
    std::vector<std::pair<reheat::operation, reheat::duration>> latencies;
};

int complain(int code, std::string_view what) {
    std::fprintf(stderr, "mock_cloud: %.*s\n", static_cast<int>(what.size()), what.data());
    return code;
}

/// The latencies that one option names: of one operation, or of all that a driver has.
reheat::result<void> add_latency(std::string_view word, settings& to) {
    const std::size_t mark = word.find('=');
    const std::string_view name = word.substr(0, mark);
    const auto wrong = [](std::string what) {
        return reheat::error{reheat::errc::invalid_argument, "--latency", std::move(what)};
    };
    if (mark == std::string_view::npos) return wrong("expected OPERATION=DURATION");
    const auto takes = reheat::parse_duration(word.substr(mark + 1));
    if (!takes) return wrong(to_string(takes.error()));
    if (*takes < reheat::duration::zero()) return wrong("expected no less than 0s");
    bool known = false;
    for (std::size_t n = 1; n < reheat::operation_count; ++n) {
        const auto what = static_cast<reheat::operation>(n);
        if (name != "all" && name != to_string(what)) continue;
        to.latencies.emplace_back(what, *takes);
        known = true;
    }
    if (!known) return wrong("there is no operation '" + std::string{name.substr(0, 64)} + "'");
    return {};
}

std::variant<settings, int> read_settings(int argc, char** argv) {
    settings out;
    std::vector<std::string> latencies;
    CLI::App app{"Serves a simulated cloud over a Unix socket, in real time, and writes down every call."};
    app.name("mock_cloud");
    app.add_option("--socket", out.socket, "Where controllers are heard")->type_name("SOCKET")->required();
    app.add_option("--log", out.log, "Where every call is written, a line of JSON each; only appended to")
        ->type_name("FILE")
        ->required();
    app.add_option("--latency", latencies,
                   "How long calls take, as fence_instance=2s or all=100ms; may be given many times")
        ->type_name("OPERATION=DURATION")
        ->allow_extra_args(false)
        ->take_all();
    app.add_option("--time-scale", out.scale, "How many times faster than life everything goes")
        ->type_name("X")
        ->check(CLI::Range(0.001, 1e6).description(""))
        ->capture_default_str();
    app.footer("Exit codes: 0 done, 1 failed while running, 2 bad command line.");
    if (const auto code = common::parse(app, argc, argv)) return *code;
    for (const std::string& l : latencies) {
        if (auto fine = add_latency(l, out); !fine) return common::complain(app, to_string(fine.error()));
    }
    return out;
}

/// The socket around a cloud, on one thread.
class host {
public:
    explicit host(const settings& from) : from_{&from} {
        for (const auto& [what, takes] : from.latencies) cloud_.cloud().set_latency(what, takes);
    }

    int run() {
        if (auto opened = log_.open(from_->log); !opened) return complain(failed_running, to_string(opened.error()));
        if (auto heard = socket_.listen(from_->socket); !heard)
            return complain(failed_running, to_string(heard.error()));
        std::signal(SIGPIPE, SIG_IGN);
        signals_.async_wait([this](boost::system::error_code cancelled, int) {
            if (!cancelled) stop();
        });
        log_.write(cloud_.now(), "start", {});
        std::printf("listening %s\n", from_->socket.c_str());
        std::fflush(stdout);
        pump();
        io_.run();
        log_.write(cloud_.now(), "end", {});
        return log_.good() ? done : complain(failed_running, to_string(log_.why()));
    }

private:
    void command(std::string_view line, const heat_ha::control_peer& peer) {
        cloud_.catch_up(); // what was due before comes first
        cloud_.hear(line, peer);
        boost::asio::post(io_, [this] { pump(); });
    }

    void pump() {
        constexpr reheat::duration longest = std::chrono::hours{1};
        if (stopped_) return;
        const reheat::duration wait = cloud_.catch_up();
        // A witness that can not write serves nobody.
        if (cloud_.over() || !log_.good()) return stop();
        if (wait < reheat::duration::zero()) return;
        timer_.expires_after((std::min)(wait, longest));
        timer_.async_wait([this](boost::system::error_code cancelled) {
            if (!cancelled) pump();
        });
    }

    void stop() {
        if (std::exchange(stopped_, true)) return;
        timer_.cancel();
        signals_.cancel();
        socket_.stop();
    }

    const settings* from_;
    mock_cloud::call_log log_;
    boost::asio::io_context io_{1};
    heat_ha::control_socket socket_{
        io_,
        {.plain = reheat::cloud_protocol::longest_line, .object = reheat::cloud_protocol::longest_line},
        [this](std::string_view line, const heat_ha::control_peer& peer) { command(line, peer); }};
    mock_cloud::served_cloud cloud_{log_, from_->scale, [this](const std::string& line) { socket_.publish(line); }};
    boost::asio::steady_timer timer_{io_};
    boost::asio::signal_set signals_{io_, SIGINT, SIGTERM};
    bool stopped_ = false;
};

} // namespace

int main(int argc, char** argv) {
    const auto read = read_settings(argc, argv);
    if (const int* code = std::get_if<int>(&read)) return *code;
    return host{std::get<settings>(read)}.run();
}
