// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/libvirt_core.hpp>

#include <cstdlib>
#include <libvirt/libvirt.h>

// Connections, and what hypervisors tell: definitions of members of `libvirt_core`.

namespace reheat::inline REHEAT_ABI::detail {

/// How a domain is by its state, as far as the hypervisor can see.
[[nodiscard]] inline health health_of(int state, int reason) noexcept {
    switch (state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED: return health::healthy;
    case VIR_DOMAIN_PAUSED:
        switch (reason) {
        case VIR_DOMAIN_PAUSED_MIGRATION:
        case VIR_DOMAIN_PAUSED_SAVE:
        case VIR_DOMAIN_PAUSED_DUMP:
        case VIR_DOMAIN_PAUSED_FROM_SNAPSHOT:
        case VIR_DOMAIN_PAUSED_SNAPSHOT:
        case VIR_DOMAIN_PAUSED_STARTING_UP:
        case VIR_DOMAIN_PAUSED_POSTCOPY: return health::unknown; // it will go on by itself
        default: return health::unhealthy;
        }
    case VIR_DOMAIN_NOSTATE:
    case VIR_DOMAIN_SHUTDOWN: return health::unknown; // it is on its way
    default: return health::unhealthy;
    }
}

inline result<void> libvirt_core::check_options() const {
    const auto wrong = [](const char* where, const char* why) { return error{errc::invalid_argument, where, why}; };
    if (sides_.empty()) return wrong("hosts", "expected at least one");
    if (options_.owner.empty() ||
        options_.owner.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-_") != std::string::npos)
        return wrong("owner", "expected letters, digits, '.', '-' and '_'");
    if (options_.service_command.empty() || options_.service_command.front().empty())
        return wrong("service_command", "expected a program");
    if (options_.workers == 0 || options_.workers > 64) return wrong("workers", "expected 1 to 64");
    for (const duration d : {options_.agent_answers, options_.service_restarts, options_.reconnect_first}) {
        if (d <= duration::zero()) return wrong("options", "expected durations above zero");
    }
    return {};
}

inline result<void> libvirt_core::open(duration wait) {
    if (opened_) return error{errc::already_exists, {}, "it is open"};
    if (auto fit = check_options(); !fit) return fit;
    result<void> worst = store_.open();
    if (options_.own_event_loop && !libvirt_loop::of_process().join())
        return error{errc::unavailable, {}, "libvirt has no event loop"};
    opened_ = true;
    for (const std::string& name : store_.names()) known_[name].uuid = store_.find(name)->uuid;
    const auto self = shared_from_this();
    for (const auto& each : sides_) {
        side& s = *each;
        s.threads = options_.workers + 1;
        const auto run = [self, &s](bool keeper) {
            leave_signals_to_others();
            if (keeper) self->keep_connection(s);
            else self->serve(s);
            const std::lock_guard<std::mutex> lock{s.mutex};
            --s.threads;
            s.changed.notify_all();
        };
        for (unsigned n = 0; n <= options_.workers; ++n) s.handles.emplace_back(run, n == 0);
    }
    const steady::time_point until = steady_after(wait);
    for (const auto& s : sides_) {
        std::unique_lock<std::mutex> lock{s->mutex};
        if (!s->changed.wait_until(lock, until, [&] { return s->link != nullptr; }))
            worst = error{errc::unavailable, s->config.uri, "no connection yet"};
    }
    return worst;
}

inline void libvirt_core::close() noexcept {
    if (!opened_) return;
    opened_ = false;
    for (const auto& s : sides_) {
        std::deque<work> left;
        {
            const std::lock_guard<std::mutex> lock{s->mutex};
            s->stopping = true;
            left.swap(s->calls);
            s->changed.notify_all();
        }
        s->signals->stop();
        for (work& w : left) answer(w, outcome::refused("the driver was closed"));
    }
    // A hypervisor that accepts and then says nothing can hold a thread for as long as it likes.
    const steady::time_point patience = steady_after(std::chrono::seconds{60});
    bool all = true;
    for (const auto& s : sides_) {
        bool ended = false;
        {
            std::unique_lock<std::mutex> lock{s->mutex};
            ended = s->changed.wait_until(lock, patience, [&] { return s->threads == 0; });
        }
        for (std::thread& t : s->handles) {
            if (ended) t.join();
            else t.detach();
        }
        s->handles.clear();
        all = all && ended;
    }
    if (all && options_.own_event_loop) libvirt_loop::of_process().leave();
}

inline bool libvirt_core::connected(std::string_view host) const {
    bool all = true;
    bool any = false;
    for (const auto& s : sides_) {
        const std::lock_guard<std::mutex> lock{s->mutex};
        if (!host.empty() && s->name != host) continue;
        any = true;
        all = all && s->link != nullptr && !s->signals->broken();
    }
    return any && all;
}

/// The thread of one connection.
inline void libvirt_core::keep_connection(side& s) {
    duration pause = options_.reconnect_first;
    while (!s.signals->stopping()) {
        s.signals->begin();
        libvirt_link link = connect(s, options_.keepalive);
        if (!link) {
            s.signals->pause(std::chrono::duration_cast<steady::duration>(pause));
            pause = 2 * pause < options_.reconnect_most ? 2 * pause : options_.reconnect_most;
            continue;
        }
        pause = options_.reconnect_first;
        const libvirt_signals::callbacks ids = libvirt_signals::listen(s.signals, link);
        attend(s, link);
        libvirt_signals::deafen(ids, link);
        {
            const std::lock_guard<std::mutex> lock{s.mutex};
            s.link = nullptr;
        }
        link = nullptr;
        if (s.signals->stopping()) break;
        const std::string host = s.name; // only this thread changes it
        libvirt_event gone;
        gone.what = libvirt_event_kind::disconnected;
        gone.host = host;
        gone.at = steady::now();
        emit(gone);
        std::vector<std::pair<std::string, std::string>> here;
        {
            const std::lock_guard<std::mutex> lock{mutex_};
            for (const auto& [name, a] : known_) {
                if (a.hosts.contains(host)) here.emplace_back(name, a.uuid);
            }
        }
        for (const auto& [name, uuid] : here) {
            libvirt_event e = gone;
            e.what = libvirt_event_kind::status;
            e.domain = name;
            e.cloud_id = uuid;
            e.detail = "the connection broke";
            emit(std::move(e));
        }
        s.signals->pause(std::chrono::duration_cast<steady::duration>(pause));
    }
}

inline libvirt_link libvirt_core::connect(const side& s, int keepalive) {
    const virConnectPtr opened = virConnectOpen(s.config.uri.c_str());
    if (opened == nullptr) return nullptr;
    virConnSetErrorFunc(opened, nullptr, ignore_libvirt_error);
    // Without signs of life a daemon that stands still would be waited for without end. Local drivers know none.
    if (keepalive > 0) virConnectSetKeepAlive(opened, keepalive, 3);
    return std::make_shared<libvirt_connection>(opened);
}

/// Looks after a connection until it breaks.
inline void libvirt_core::attend(side& s, const libvirt_link& link) {
    std::string host = s.config.name;
    if (host.empty()) {
        const libvirt_text found{in_turn(link, [&] { return virConnectGetHostname(link->c); })};
        host = found ? found.get() : s.config.uri;
    }
    {
        const std::lock_guard<std::mutex> lock{s.mutex};
        s.name = host;
    }
    look_around(s, link);
    {
        const std::lock_guard<std::mutex> lock{s.mutex};
        s.link = link;
        s.changed.notify_all();
    }
    libvirt_event up;
    up.what = libvirt_event_kind::connected;
    up.host = host;
    up.at = steady::now();
    emit(std::move(up));
    const bool polls = options_.status_every > duration::zero();
    steady::time_point next = steady::now();
    for (libvirt_event e; !s.signals->broken() && !s.signals->stopping();) {
        if (polls && steady::now() >= next) {
            if (virConnectIsAlive(link->c) != 1) return;
            tell_states(s, link);
            next = steady_after(options_.status_every);
        }
        if (s.signals->wait(e, polls ? next : steady_after(std::chrono::seconds{10}))) take_signal(s, link, e);
    }
}

/// Finds our domains, and what of them is not where it belongs.
inline void libvirt_core::look_around(side& s, const libvirt_link& link) {
    virDomainPtr* all = nullptr;
    const int n = in_turn(link, [&] { return virConnectListAllDomains(link->c, &all, 0); });
    std::set<std::string, std::less<>> found;
    for (int i = 0; i < n; ++i) {
        const libvirt_domain d{all[i]};
        libvirt_mark mark;
        if (!is_ours(link, d.get(), mark)) continue;
        const std::string name = name_of(d.get());
        found.insert(name);
        {
            const std::lock_guard<std::mutex> lock{mutex_};
            acquaintance& a = known_[name];
            a.uuid = uuid_of(d.get());
            a.hosts.insert(s.name);
            a.starts_expected = 0;
        }
        keep_description(link, d.get(), name, s.name);
        libvirt_event e;
        e.domain = name;
        e.cloud_id = mark.cloud_id(uuid_of(d.get()));
        e.host = s.name;
        e.at = steady::now();
        int state = VIR_DOMAIN_NOSTATE;
        int reason = 0;
        if (is_active(link, d.get()) == 1 && judge_start(s, name)) {
            e.what = libvirt_event_kind::started;
            e.detail = "it runs where it does not belong";
            e.stray = true;
        } else if (!state_of(link, d.get(), state, reason)) {
            continue;
        } else {
            // Events were missed: what was said of it before may not be true any more.
            const auto kept = store_.find(name);
            if (kept && kept->home != s.name) continue;
            const health seen = health_of(state, reason);
            if (seen == health::unknown) continue;
            const bool off = state == VIR_DOMAIN_SHUTOFF;
            e.what = seen == health::healthy ? libvirt_event_kind::resumed
                     : off                   ? libvirt_event_kind::stopped
                                             : libvirt_event_kind::paused;
            e.seen = seen == health::healthy ? health::unknown : health::unhealthy;
            e.detail = "found so when the connection was made";
        }
        emit(std::move(e));
    }
    std::free(all);
    if (n < 0 || virConnectIsAlive(link->c) != 1) return;
    const std::lock_guard<std::mutex> lock{mutex_};
    for (auto& [name, a] : known_) {
        if (!found.contains(name)) a.hosts.erase(s.name);
    }
}

/// One look at each of our domains that belongs here.
inline void libvirt_core::tell_states(side& s, const libvirt_link& link) {
    std::vector<std::pair<std::string, std::string>> here;
    {
        const std::lock_guard<std::mutex> lock{mutex_};
        for (const auto& [name, a] : known_) here.emplace_back(name, a.uuid);
    }
    for (const auto& [name, uuid] : here) {
        const auto kept = store_.find(name);
        if (kept && kept->home != s.name) continue;
        libvirt_event e;
        e.domain = name;
        e.cloud_id = uuid;
        e.host = s.name;
        const libvirt_domain d = domain_of_name(link, name);
        int state = VIR_DOMAIN_NOSTATE;
        int reason = 0;
        if (!d && !libvirt_trouble::last().absent()) continue;
        if (!d) {
            e.seen = health::unhealthy;
            e.detail = "it is not defined";
            // A template's instance that was never made is not ill.
            if (uuid.empty()) continue;
        } else {
            libvirt_mark mark;
            if (!is_ours(link, d.get(), mark) || !state_of(link, d.get(), state, reason)) continue;
            e.cloud_id = mark.cloud_id(uuid);
            e.seen = health_of(state, reason);
        }
        e.at = steady::now();
        emit(std::move(e));
    }
}

/// Whether a domain that began to run on a host has no business there: we did not start it there, and it belongs on
/// another one, where it may run as well.
inline bool libvirt_core::judge_start(const side& s, const std::string& name) {
    auto kept = store_.find(name);
    if (!kept || kept->home == s.name) return false;
    const auto moves_here = [&] {
        kept->home = s.name;
        static_cast<void>(store_.put(name, *kept));
        return false;
    };
    if (kept->home.empty()) return moves_here();
    for (const auto& other : sides_) {
        libvirt_link at_home;
        {
            const std::lock_guard<std::mutex> lock{other->mutex};
            if (other->name == kept->home) at_home = other->link;
        }
        if (!at_home) continue;
        const libvirt_domain d = domain_of_name(at_home, name);
        if (!d) return libvirt_trouble::last().absent() ? moves_here() : true;
        return is_active(at_home, d.get()) == 0 ? moves_here() : true;
    }
    return true;
}

inline void libvirt_core::take_signal(side& s, const libvirt_link& link, libvirt_event& e) {
    using k = libvirt_event_kind;
    e.host = s.name;
    bool ours = false;
    bool was_ours = false;
    {
        const std::lock_guard<std::mutex> lock{mutex_};
        const auto at = known_.find(e.domain);
        ours = at != known_.end() && at->second.uuid == e.cloud_id && at->second.hosts.contains(s.name);
        was_ours = at != known_.end() && at->second.uuid == e.cloud_id;
    }
    const libvirt_domain d = domain_of_uuid(link, e.cloud_id);
    const bool gone = !d && libvirt_trouble::last().absent();
    ours = ours || (gone && was_ours); // it went with an event before this one
    // Its mark may have come or gone with its description.
    if (d && (!ours || e.what == k::defined)) {
        libvirt_mark mark;
        const bool was = ours;
        ours = owned(link, d.get(), mark).value_or(was);
        const std::lock_guard<std::mutex> lock{mutex_};
        if (ours) {
            acquaintance& a = known_[e.domain];
            a.uuid = e.cloud_id;
            a.hosts.insert(s.name);
        } else if (was) {
            known_[e.domain].hosts.erase(s.name);
        }
    }
    if (!ours) return;
    if (d && (e.what == k::defined || e.what == k::started)) keep_description(link, d.get(), e.domain, s.name);
    if (e.what == k::started) {
        bool expected = false;
        {
            const std::lock_guard<std::mutex> lock{mutex_};
            std::uint32_t& starts = known_[e.domain].starts_expected;
            expected = starts != 0;
            if (expected) --starts;
        }
        e.stray = !expected && judge_start(s, e.domain);
    }
    if (gone) {
        const std::lock_guard<std::mutex> lock{mutex_};
        known_[e.domain].hosts.erase(s.name);
    }
    if (libvirt_mark mark; d && libvirt_mark::read(link, d.get(), mark)) e.cloud_id = mark.cloud_id(e.cloud_id);
    emit(std::move(e));
}

/// Keeps the description of a domain of ours. Where it belongs is where it was seen first, until it moves.
inline void libvirt_core::keep_description(const libvirt_link& link, virDomain* d, const std::string& name,
                                           const std::string& host) {
    const libvirt_text xml = description_of(link, d);
    if (!xml) return;
    libvirt_description next{xml.get(), uuid_of(d), host};
    if (const auto kept = store_.find(name)) {
        if (!kept->home.empty()) next.home = kept->home;
        next.given = kept->given;
        if (kept->given) next.xml = kept->xml;
    }
    static_cast<void>(store_.put(name, std::move(next)));
}

inline void libvirt_core::emit(libvirt_event e) {
    events_.put(std::move(e));
    if (mailbox* const m = mail_.load()) m->wake();
}

} // namespace reheat::inline REHEAT_ABI::detail
