// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/action/outcome.hpp>
#include <reheat/action/request.hpp>
#include <reheat/adapters/libvirt_handles.hpp>
#include <reheat/adapters/libvirt_loop.hpp>
#include <reheat/adapters/libvirt_mark.hpp>
#include <reheat/adapters/libvirt_options.hpp>
#include <reheat/adapters/libvirt_signals.hpp>
#include <reheat/adapters/libvirt_store.hpp>
#include <reheat/core/inbox.hpp>
#include <reheat/core/result.hpp>
#include <reheat/driver/completion.hpp>
#include <reheat/runner/mailbox.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <libvirt/libvirt.h>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::detail {

using steady = std::chrono::steady_clock;
inline constexpr steady::time_point no_deadline = (steady::time_point::max)();

[[nodiscard]] inline steady::time_point steady_after(duration d) {
    const steady::time_point now = steady::now();
    return d > no_deadline - now ? no_deadline : now + std::chrono::duration_cast<steady::duration>(d);
}

/// A call on its way: what of a request is needed later.
struct libvirt_work {
    operation what = operation::none;
    std::uint64_t key = 0;
    std::uint64_t reign = 0;
    std::string name{};
    std::string cloud_id{};
    std::string service{};
    std::string method{};
    bool hard = false;
    bool replaced = false;
    steady::time_point by = no_deadline;
    std::optional<completion> done{};
};

/// One hypervisor: its connection, and the calls that wait for it.
struct libvirt_side {
    libvirt_side(libvirt_host h, std::size_t most_events)
        : config{std::move(h)}, signals{std::make_shared<libvirt_signals>(most_events)}, name{config.name} {}

    const libvirt_host config;
    const std::shared_ptr<libvirt_signals> signals;

    std::mutex mutex;
    std::condition_variable changed;
    libvirt_link link{}; // null while there is no connection
    std::string name;    // of the host
    std::deque<libvirt_work> calls;
    bool stopping = false;
    unsigned threads = 0; // that have not ended
    std::vector<std::thread> handles;
};

/// A domain of ours on one host, as it was found now.
struct libvirt_placed {
    libvirt_side* on = nullptr;
    libvirt_link link{};
    libvirt_domain domain{};
    std::string host{};
    std::string uuid{};
    libvirt_mark mark{};
    bool active = false; // QEMU is there, whatever the guest does
};

/// Where a domain is. `dark` hosts did not answer.
struct libvirt_placement {
    std::vector<libvirt_placed> ours{};
    std::optional<libvirt_description> kept{};
    std::string foreign_on{}; // a host where the name is somebody else's
    std::string dark{};       // a host that did not answer, and may run it
    bool known = false;       // it is or was ours
    bool any_up = false;
    std::string home{};
};

/// Everything behind a `libvirt_driver`. Its threads share it, so that one that libvirt does not let go outlives the
/// driver without harm. Any thread.
class libvirt_core : public std::enable_shared_from_this<libvirt_core> {
public:
    libvirt_core(libvirt_options options, bool moves)
        : options_{std::move(options)}, moves_{moves}, store_{options_.descriptions}, events_{options_.most_events} {
        for (const libvirt_host& h : options_.hosts)
            sides_.push_back(std::make_unique<libvirt_side>(h, options_.most_events));
    }
    libvirt_core(const libvirt_core&) = delete;
    libvirt_core& operator=(const libvirt_core&) = delete;
    ~libvirt_core() {
        if (mailbox* const m = mail_.load()) m->release();
    }

    result<void> open(duration wait);
    void close() noexcept;
    [[nodiscard]] bool connected(std::string_view host) const;
    result<void> adopt(std::string_view domain);
    result<void> disown(std::string_view domain);
    result<void> keep(std::string_view xml);

    template <class Sink>
    std::uint64_t take_events(Sink& sink) {
        for (libvirt_event e; events_.take(e);) sink(std::as_const(e));
        std::uint64_t lost = events_.take_losses();
        for (const auto& s : sides_) lost += s->signals->take_losses();
        return lost;
    }
    void wakes(mailbox& mail) noexcept {
        mail.retain();
        if (mailbox* const old = mail_.exchange(&mail)) old->release();
    }

    void call(const request& r, operation what, steady::time_point by, completion done);

private:
    using placed = libvirt_placed;
    using placement = libvirt_placement;
    using side = libvirt_side;
    using work = libvirt_work;

    /// What is known of a domain of ours: on which hosts it is, by their names.
    struct acquaintance {
        std::string uuid{};
        std::set<std::string, std::less<>> hosts{};
        std::uint32_t starts_expected = 0; // of ours, whose events have not come yet
    };
    /// A key: its outcome, or who waits for it.
    struct remembered {
        std::optional<outcome> result{};
        std::vector<completion> waiting{};
    };

    // libvirt_keeper.hpp: connections and what they tell

    [[nodiscard]] result<void> check_options() const;
    void keep_connection(side& s);
    [[nodiscard]] static libvirt_link connect(const side& s, int keepalive);
    void attend(side& s, const libvirt_link& link);
    void look_around(side& s, const libvirt_link& link);
    void tell_states(side& s, const libvirt_link& link);
    void take_signal(side& s, const libvirt_link& link, libvirt_event& e);
    [[nodiscard]] bool judge_start(const side& s, const std::string& name);
    void keep_description(const libvirt_link& link, virDomain* d, const std::string& name, const std::string& host);
    void emit(libvirt_event e);
    [[nodiscard]] bool is_listed(std::string_view name) const;
    [[nodiscard]] std::optional<bool> owned(const libvirt_link& link, virDomain* d, libvirt_mark& mark) const;
    [[nodiscard]] bool is_ours(const libvirt_link& link, virDomain* d, libvirt_mark& mark) const;

    // libvirt_calls.hpp: calls on their way

    void serve(side& s);
    void carry_out(work& w);
    void answer(work& w, outcome result);
    [[nodiscard]] side& side_for(const work& w);
    [[nodiscard]] std::optional<outcome> stale(const work& w) const;

    // libvirt_making.hpp: what makes a domain run

    [[nodiscard]] outcome create(const work& w);
    [[nodiscard]] outcome recreate(const work& w);
    [[nodiscard]] outcome make_on(side& s, placed* there, const placement& p, const work& w);

    // libvirt_operations.hpp, libvirt_guest.hpp: what the others do

    [[nodiscard]] placement locate(std::string_view name);
    [[nodiscard]] static placed* current(placement& p);
    [[nodiscard]] observed look(const placed& p) const;
    [[nodiscard]] std::optional<outcome> refuse(const placement& p, const work& w) const;
    [[nodiscard]] outcome describe(const work& w);
    [[nodiscard]] outcome restart_service(const work& w);
    [[nodiscard]] outcome reboot(const work& w);
    [[nodiscard]] std::optional<outcome> ask_to_reboot(placed& p, const work& w);
    [[nodiscard]] outcome rebuild(const work& w);
    [[nodiscard]] outcome fence(const work& w);
    [[nodiscard]] outcome forensics(const work& w);
    [[nodiscard]] result<placed> apart(const placed& p) const;
    [[nodiscard]] std::optional<outcome> destroy(placed& p);
    [[nodiscard]] std::optional<outcome> claim(placed& p, const work& w);
    [[nodiscard]] outcome start(placed& p, const work& w);
    [[nodiscard]] std::string stamp_of(const work& w);
    void expect_start(const std::string& name, int by);
    [[nodiscard]] outcome run_in_guest(const placed& p, const work& w);

    libvirt_options options_;
    bool moves_; // a domain may be started on another host
    libvirt_store store_;
    std::vector<std::unique_ptr<side>> sides_;
    inbox<libvirt_event> events_;
    std::atomic<mailbox*> mail_{nullptr};
    bool opened_ = false; // the loop is joined and threads run

    mutable std::mutex mutex_;
    std::map<std::string, acquaintance, std::less<>> known_;
    std::unordered_map<std::uint64_t, remembered> keys_;
    std::deque<std::uint64_t> key_order_;
    std::uint64_t reign_ = 0;
    std::uint64_t stamps_ = 0;
};

} // namespace reheat::inline REHEAT_ABI::detail
