// SPDX-License-Identifier: MIT
// libvirt_ha: looks after domains of a libvirt. Guests report over HTTP as they did to Heat; what falls silent, crashes
// or disappears is recovered: the service by the guest agent, the machine by a reset, then made anew on its disks.
#include <reheat/adapters/beast.hpp>
#include <reheat/adapters/file_journal.hpp>
#include <reheat/adapters/libvirt.hpp>
#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/recovery/lint_file.hpp>
#include <reheat/recovery/policy_reader.hpp>
#include <reheat/reheat.hpp>

#include "../common/chosen_journal.hpp"
#include "../common/event_writer.hpp"
#include "../common/policy_input.hpp"
#include "bell.hpp"
#include "fleet.hpp"
#include "options.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace libvirt_ha {

namespace {

using namespace std::chrono_literals;

constexpr int done = 0;
constexpr int failed_running = 1;
constexpr int bad_input = 2;
constexpr int no_journal = 3;
constexpr int no_libvirt = 4;

int complain(int code, const reheat::error& e) {
    std::fprintf(stderr, "libvirt_ha: %s\n", to_string(e).c_str());
    return code;
}

/// Service, machine, machine made anew. Stacks are nothing that libvirt has.
constexpr reheat::ladder ladder{reheat::restart_service{}, reheat::reboot_instance{}, reheat::recreate_instance{}};
static_assert(reheat::lint(ladder).ok());

/// The policy of the command line. What lint finds is told and no error.
reheat::result<std::optional<reheat::policy_file>> policy_of(const options& from) {
    if (from.policy.empty()) return std::optional<reheat::policy_file>{};
    auto read = common::load_policy(from.policy);
    if (!read) return read.error();
    reheat::lint_context context;
    context.targets = static_cast<std::uint32_t>(from.domains.size());
    for (const reheat::file_finding& f : lint(*read, context))
        std::fprintf(stderr, "%s: %s\n", from.policy.c_str(), common::finding_line(f).c_str());
    return std::optional{std::move(*read)};
}

reheat::libvirt_options driver_options(const options& from) {
    reheat::libvirt_options out;
    out.hosts = {{.uri = from.connect}};
    out.owner = from.owner;
    for (const watched_domain& d : from.domains) out.owned.push_back(d.name);
    out.descriptions = from.descriptions;
    out.agent_answers = from.agent_answers;
    out.guest_obeys = from.guest_obeys;
    out.status_every = from.look;
    return out;
}

/// Everything, on one thread; libvirt has threads of its own.
class host {
public:
    host(const options& from, std::optional<reheat::policy_file> rules)
        : from_{&from}, rules_{std::move(rules)}, events_{from.events}, cloud_{driver_options(from)},
          ha_{cloud_, reheat::system_time{}, rules_ ? rules_->rules() : ladder.lowered(),
              common::chosen_journal{from.journal}, bounds()} {}
    host(const host&) = delete;
    host& operator=(const host&) = delete;
    ~host() {
        bell_->close();
        cloud_.close(); // its late completions do nothing
    }

    int run() {
        if (auto opened = ha_.open(); !opened) return complain(no_journal, opened.error());
        if (auto opened = cloud_.open(); !opened) {
            if (opened.error().code != reheat::errc::unavailable) return complain(no_libvirt, opened.error());
            // It may come; what is watched is watched.
            events_.write(now(), "libvirt_lost", {}, {{{}, "message", to_string(opened.error())}});
        }
        for (const watched_domain& d : from_->domains) {
            // One that is gone is made anew from its description, if there is one.
            if (auto ours = cloud_.adopt(d.name); !ours) {
                if (ours.error().code == reheat::errc::denied) return complain(no_libvirt, ours.error());
                events_.write(now(), "not_adopted", d.name, {{{}, "message", to_string(ours.error())}});
            }
        }
        if (auto added = domains_.add(*from_); !added) return complain(bad_input, added.error());
        reheat::guest::cloudwatch_api api{domains_};
        const auto answer = [&](const reheat::guest::request& r) {
            pump(); // what was due before comes first
            reheat::guest::response out = api.handle(r);
            bell_->post([this] { pump(); });
            return out;
        };
        if (auto heard = guests_.listen(from_->listen, from_->port, answer); !heard)
            return complain(heard.error().code == reheat::errc::io ? failed_running : bad_input, heard.error());
        static_cast<void>(ha_.mail().adopt(new ringing_waker{bell_, [this] { pump(); }}));
        std::signal(SIGPIPE, SIG_IGN);
        signals_.async_wait([this](boost::system::error_code failed, int) {
            if (!failed) stop(done);
        });
        events_.write(now(), "listening", {},
                      {{{}, "address", from_->listen},
                       {{}, "port", std::to_string(guests_.port())},
                       {{}, "journal", from_->journal},
                       {{}, "connect", from_->connect}});
        pump();
        io_.run();
        events_.write(now(), "stopped", {});
        return events_.good() ? code_ : failed_running;
    }

private:
    using pipeline = reheat::pipeline<reheat::libvirt_driver, reheat::system_time, common::chosen_journal>;

    struct printer {
        host* of;
        void operator()(const reheat::event& e) const { of->events_.write(of->ha_.state(), e); }
        void operator()(const reheat::libvirt_event& e) const { of->print(e); }
    };

    /// What libvirt told. Of its states only those that are news.
    void print(const reheat::libvirt_event& e) {
        if (e.what == reheat::libvirt_event_kind::status && std::exchange(states_[e.domain], e.seen) == e.seen) return;
        events_.write(now(), "libvirt", e.domain,
                      {{{}, "event", std::string{to_string(e.what)}},
                       {{}, "seen", std::string{to_string(e.seen)}},
                       {{}, "host", e.host},
                       {{}, "message", e.detail}});
    }

    [[nodiscard]] reheat::time_point now() { return ha_.time().now(); }

    [[nodiscard]] reheat::engine_options bounds() const {
        reheat::engine_options out;
        if (rules_) out.bounds = rules_->bounds();
        return out;
    }

    /// Does what is due and comes back for the rest.
    void pump() {
        if (stopped_) return;
        printer print{this};
        reheat::libvirt_feed sink{cloud_, ha_, print};
        const reheat::time_point due = reheat::earlier(ha_.poll(sink), look_after_journal());
        if (!events_.good()) return stop(failed_running);
        if (due == reheat::never) return;
        constexpr reheat::duration longest = 1h;
        timer_.expires_after((std::min)(ha_.time().real_wait(due), longest));
        timer_.async_wait([this](boost::system::error_code cancelled) {
            if (!cancelled) pump();
        });
    }

    /// The engine pages a journal that failed, and begins nothing new; it is opened again. When to come back.
    reheat::time_point look_after_journal() {
        constexpr reheat::duration pause = 5s;
        const auto& trouble = ha_.log().trouble();
        if (!trouble) return reheat::never;
        if (now() < reopen_at_) return reopen_at_;
        if (reopen_at_ != (reheat::time_point::min)() && ha_.reopen_journal()) {
            reopen_at_ = (reheat::time_point::min)();
            events_.write(now(), "journal_reopened", {});
            return now();
        }
        reopen_at_ = after(now(), pause);
        events_.write(now(), "journal_failed", {},
                      {{{}, "message", to_string(*trouble)}, {{}, "next", reheat::format_time(reopen_at_)}});
        return reopen_at_;
    }

    void stop(int code) {
        if (std::exchange(stopped_, true)) return;
        code_ = code;
        timer_.cancel();
        signals_.cancel();
        guests_.stop();
    }

    const options* from_;
    std::optional<reheat::policy_file> rules_;
    common::event_writer events_;
    boost::asio::io_context io_{1};
    std::shared_ptr<bell> bell_ = std::make_shared<bell>(io_);
    reheat::libvirt_driver cloud_;
    pipeline ha_;
    fleet<pipeline> domains_{ha_};
    boost::asio::steady_timer timer_{io_};
    boost::asio::signal_set signals_{io_, SIGINT, SIGTERM};
    reheat::beast_server guests_{io_};
    std::map<std::string, reheat::health> states_; ///< as libvirt told them last
    reheat::time_point reopen_at_ = (reheat::time_point::min)();
    bool stopped_ = false;
    int code_ = done;
};

int run(int argc, char** argv) {
    const auto read = read_options(argc, argv);
    if (const int* code = std::get_if<int>(&read)) return *code;
    const options& from = std::get<options>(read);
    auto rules = policy_of(from);
    if (!rules) return complain(bad_input, rules.error());
    return host{from, std::move(*rules)}.run();
}

} // namespace

} // namespace libvirt_ha

int main(int argc, char** argv) { return libvirt_ha::run(argc, argv); }
