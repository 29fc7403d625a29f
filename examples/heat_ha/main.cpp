// SPDX-License-Identifier: MIT
// heat_ha: a host for one stack of a Heat template. Guests report over HTTP as they did to Heat; what fails is
// recovered.
#include <reheat/adapters/beast.hpp>
#include <reheat/core/text.hpp>

#include "../common/event_writer.hpp"
#include "control.hpp"
#include "ctl.hpp"
#include "options.hpp"
#include "page_program.hpp"
#include "request.hpp"
#include "world.hpp"

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

namespace heat_ha {

namespace {

constexpr int done = 0;
constexpr int failed_running = 1;
constexpr int bad_input = 2;
constexpr int no_journal = 3;
constexpr int no_cloud = 4;

int complain(int code, const reheat::error& e) {
    std::fprintf(stderr, "heat_ha: %s\n", to_string(e).c_str());
    return code;
}

/// The sockets around a world, on one thread.
class host {
public:
    host(const options& from, reheat::stack_template loaded, stack_memory memory,
         std::optional<reheat::policy_file> policy)
        : from_{&from}, events_{from.events} {
        if (!from.cloud.empty()) remote_.emplace(io_, from.cloud, cloud_listener());
        world_.emplace(from, std::move(loaded), std::move(memory), std::move(policy), events_, pages_,
                       remote_ ? &*remote_ : nullptr);
    }

    int run() {
        if (auto opened = world_->open_journal(); !opened) return complain(no_journal, opened.error());
        if (remote_) {
            if (auto opened = remote_->open(); !opened) return complain(no_cloud, opened.error());
        }
        if (auto heard = listen(); !heard)
            return complain(heard.error().code == reheat::errc::io ? failed_running : bad_input, heard.error());
        std::signal(SIGPIPE, SIG_IGN);
        signals_.async_wait([this](boost::system::error_code failed, int) {
            if (!failed) stop(done);
        });
        if (auto opened = world_->open(endpoint()); !opened) return complain(bad_input, opened.error());
        pump();
        io_.run();
        events_.write(world_->now(), "stopped", from_->stack);
        return events_.good() ? code_ : failed_running;
    }

private:
    reheat::result<void> listen() {
        const auto cloudwatch = [this](const reheat::guest::request& r) { return answer(&world::cloudwatch, r); };
        const auto cfn = [this](const reheat::guest::request& r) { return answer(&world::cloudformation, r); };
        if (auto heard = cloudwatch_.listen(from_->listen, from_->cloudwatch_port, cloudwatch); !heard) return heard;
        if (auto heard = cfn_.listen(from_->listen, from_->cfn_port, cfn); !heard) return heard;
        if (!from_->control.empty()) {
            if (auto heard = control_.listen(from_->control); !heard) return heard;
            events_.listen([this](const std::string* line) {
                if (line != nullptr) control_.publish(*line);
                return control_.watched();
            });
        }
        std::vector<common::detail> details{{{}, "address", from_->listen},
                                            {{}, "cloudwatch_port", std::to_string(cloudwatch_.port()), true},
                                            {{}, "cfn_port", std::to_string(cfn_.port()), true}};
        if (!from_->control.empty()) details.push_back({{}, "control", from_->control});
        if (!from_->policy.empty()) details.push_back({{}, "policy", from_->policy});
        if (!from_->journal.empty()) details.push_back({{}, "journal", from_->journal});
        events_.write(world_->now(), "listening", from_->stack, details);
        return {};
    }

    [[nodiscard]] remote_cloud::listener cloud_listener() {
        const auto later = [this] { boost::asio::post(io_, [this] { pump(); }); };
        return {[this, later](const reheat::cloud_protocol::heartbeat& beat) {
                    constexpr std::size_t at_most = 10'000;
                    world_->catch_up(at_most); // what was due before comes first
                    world_->heard(beat);
                    later();
                },
                later,
                [this](bool connected, const std::string& why) {
                    std::vector<common::detail> details;
                    if (!why.empty()) details.push_back({{}, "message", why});
                    events_.write(world_->now(), connected ? "cloud_connected" : "cloud_lost", from_->stack, details);
                }};
    }

    [[nodiscard]] std::string endpoint() const {
        const bool is_v6 = from_->listen.find(':') != std::string::npos;
        return "http://" + (is_v6 ? '[' + from_->listen + ']' : from_->listen) + ':' + std::to_string(cfn_.port());
    }

    /// A guest's request, at the time that it is now: what was due before comes first.
    reheat::guest::response answer(reheat::guest::response (world::*handle)(const reheat::guest::request&),
                                   const reheat::guest::request& from) {
        constexpr std::size_t at_most = 10'000;
        world_->catch_up(at_most);
        reheat::guest::response out = ((*world_).*handle)(from);
        world_->catch_up(at_most);
        // Not here: it may be the end, and the guest shall have its answer.
        boost::asio::post(io_, [this] { pump(); });
        return out;
    }

    /// Does what is due and comes back for the rest; in slices, so that sockets and signals are heard in between.
    void pump() {
        constexpr std::size_t slice = 256;
        constexpr auto longest = std::chrono::hours{1};
        if (stopped_) return;
        const bool idle = world_->catch_up(slice);
        if (!events_.good() || world_->failed()) return stop(failed_running);
        if (world_->over()) return stop(done);
        if (!idle) {
            if (!std::exchange(posted_, true)) {
                boost::asio::post(io_, [this] {
                    posted_ = false;
                    pump();
                });
            }
            return;
        }
        answer_advance();
        const reheat::duration wait = world_->wait();
        if (wait < reheat::duration::zero()) return;
        timer_.expires_after((std::min)(wait, reheat::duration{longest}));
        timer_.async_wait([this](boost::system::error_code cancelled) {
            if (!cancelled) pump();
        });
    }

    /// One line on the control socket: an object of `heat_ha ctl`, or a plain command.
    void command(std::string_view line, const control_peer& peer) {
        if (line.starts_with('{')) return requested(line, peer);
        const std::size_t blank = line.find(' ');
        const std::string_view name = line.substr(0, blank);
        const std::string_view rest = blank == std::string_view::npos ? std::string_view{} : line.substr(blank + 1);
        if (name == "status" && rest.empty()) return peer.answer("ok " + world_->status());
        if (name == "advance") return advance(rest, peer);
        if (name == "approve") {
            const bool heard = world_
                                   ->speak({.verb = "approve",
                                            .target = std::string{rest},
                                            .who = "operator",
                                            .reason = "approved on the control socket",
                                            .lasts = {},
                                            .until = {},
                                            .policy = {}})
                                   .ok;
            peer.answer(heard ? "ok approved" : "error nothing waits for an approval there");
            return pump();
        }
        if (name == "quit" && rest.empty()) {
            peer.answer("ok");
            return stop(done);
        }
        peer.answer("error expected advance DURATION, status, approve TARGET or quit");
    }

    void requested(std::string_view line, const control_peer& peer) {
        const auto asked = read_request(line);
        if (!asked) return peer.answer(answer_json(false, to_string(asked.error())));
        if (asked->verb == "watch") {
            peer.answer(answer_json(true, "watching"));
            return peer.watch();
        }
        constexpr std::size_t at_most = 10'000;
        world_->catch_up(at_most); // what was due before comes first
        const world::reply said = asked->verb == "status"   ? world_->describe()
                                  : asked->verb == "why"    ? world_->why(asked->target)
                                  : asked->verb == "policy" ? world_->change_policy(*asked)
                                                            : world_->speak(*asked);
        peer.answer(answer_json(said.ok, said.text, said.members));
        boost::asio::post(io_, [this] { pump(); });
    }

    void advance(std::string_view by, const control_peer& peer) {
        const auto length = reheat::parse_duration(by);
        if (!length) return peer.answer("error " + to_string(length.error()));
        if (advancing_) return peer.answer("error another advance is under way");
        if (!world_->advance(*length)) return peer.answer("error time goes by itself: needs --clock manual");
        advancing_ = peer;
        pump();
    }

    void answer_advance() {
        if (!advancing_) return;
        const control_peer peer = *std::exchange(advancing_, std::nullopt);
        peer.answer("ok time=" + reheat::format_time(world_->now()));
    }

    void stop(int code) {
        if (std::exchange(stopped_, true)) return;
        code_ = code;
        answer_advance();
        timer_.cancel();
        signals_.cancel();
        pages_.stop();
        if (remote_) remote_->stop();
        cloudwatch_.stop();
        cfn_.stop();
        control_.stop();
    }

    const options* from_;
    common::event_writer events_;
    boost::asio::io_context io_{1};
    page_program pages_{io_, from_->page_program, [this] { pump(); }};
    std::optional<remote_cloud> remote_;
    std::optional<world> world_;
    boost::asio::steady_timer timer_{io_};
    boost::asio::signal_set signals_{io_, SIGINT, SIGTERM};
    reheat::beast_server cloudwatch_{io_};
    reheat::beast_server cfn_{io_};
    control_socket control_{io_,
                            {.plain = longest_line, .object = longest_policy_line},
                            [this](std::string_view line, const control_peer& peer) { command(line, peer); }};
    std::optional<control_peer> advancing_;
    bool posted_ = false;
    bool stopped_ = false;
    int code_ = done;
};

/// What lint finds, a line each on stderr; how many there are.
std::size_t tell_findings(const std::string& file, const reheat::policy_file& in, const reheat::lint_context& context) {
    const std::vector<reheat::file_finding> found = lint(in, context);
    for (const reheat::file_finding& f : found)
        std::fprintf(stderr, "%s: %s\n", file.c_str(), common::finding_line(f).c_str());
    return found.size();
}

/// `--check-policy`: 0 clean, 1 findings, 2 not readable.
int check_policy(const options& from) {
    const auto policy = common::load_policy(from.check_policy);
    if (!policy) return complain(bad_input, policy.error());
    reheat::lint_context context;
    if (!from.template_file.empty()) {
        const auto loaded = load(from);
        if (!loaded) return complain(bad_input, loaded.error());
        context = context_of(*loaded);
    }
    return tell_findings(from.check_policy, *policy, context) == 0 ? 0 : 1;
}

int run(int argc, char** argv) {
    if (argc > 1 && std::string_view{argv[1]} == "ctl") return run_ctl(argc - 1, argv + 1);
    const auto read = read_options(argc, argv);
    if (const int* code = std::get_if<int>(&read)) return *code;
    const options& from = std::get<options>(read);
    if (!from.check_policy.empty()) return check_policy(from);
    auto memory = stack_memory::read(from.journal.empty() ? std::string{} : from.journal + ".stack", from.stack);
    if (!memory) return complain(no_journal, memory.error());
    auto loaded = load(from, memory->id());
    if (!loaded) return complain(bad_input, loaded.error());
    std::optional<reheat::policy_file> policy;
    if (!from.policy.empty()) {
        auto wanted = common::load_policy(from.policy);
        if (!wanted) return complain(bad_input, wanted.error());
        if (const std::size_t n = tell_findings(from.policy, *wanted, context_of(*loaded));
            n != 0 && from.strict_policy)
            return complain(bad_input, {reheat::errc::denied, from.policy,
                                        std::to_string(n) + " findings, and --strict-policy allows none"});
        policy = std::move(*wanted);
    }
    return host{from, std::move(*loaded), std::move(*memory), std::move(policy)}.run();
}

} // namespace

} // namespace heat_ha

int main(int argc, char** argv) { return heat_ha::run(argc, argv); }
