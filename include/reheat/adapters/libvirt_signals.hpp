// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/libvirt_handles.hpp>
#include <reheat/adapters/libvirt_options.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <libvirt/libvirt.h>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::detail {

/// Whether an event accuses a domain, or takes that back. A machine that has been started is not well yet: that is for
/// its heartbeats and for its status to say.
[[nodiscard]] constexpr bool speaks_of_health(libvirt_event_kind k) noexcept {
    switch (k) {
    case libvirt_event_kind::started:
    case libvirt_event_kind::resumed:
    case libvirt_event_kind::stopped:
    case libvirt_event_kind::crashed:
    case libvirt_event_kind::panicked:
    case libvirt_event_kind::paused:
    case libvirt_event_kind::io_error:
    case libvirt_event_kind::watchdog:
    case libvirt_event_kind::rebooted: return true;
    default: return false;
    }
}

/// What libvirt's event thread hands to the thread that keeps a connection. libvirt's callbacks hold it, so that a late
/// one finds it there. They call nothing of libvirt that could wait.
class libvirt_signals {
public:
    explicit libvirt_signals(std::size_t most) : most_{most} {}

    struct callbacks {
        std::vector<int> ids;
        /// Ours to free: drivers that never close a connection take the callback and forget it.
        std::unique_ptr<std::shared_ptr<libvirt_signals>> closing;
    };

    /// Asks for every event of a connection. What its driver does not know is left out.
    [[nodiscard]] static callbacks listen(const std::shared_ptr<libvirt_signals>& to, const libvirt_link& link) {
        const std::lock_guard<std::mutex> lock{link->turn};
        callbacks out;
        const auto add = [&](int event, virConnectDomainEventGenericCallback call) {
            void* const with = held(to);
            const int id = virConnectDomainEventRegisterAny(link->c, nullptr, event, call, with, let_go);
            if (id >= 0) out.ids.push_back(id);
            else let_go(with); // libvirt keeps nothing of what it refused
        };
        add(VIR_DOMAIN_EVENT_ID_LIFECYCLE, generic(&on_lifecycle));
        add(VIR_DOMAIN_EVENT_ID_REBOOT, generic(&on_reboot));
        add(VIR_DOMAIN_EVENT_ID_WATCHDOG, generic(&on_watchdog));
        add(VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON, generic(&on_io_error));
        add(VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, generic(&on_agent));
        add(VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, generic(&on_metadata));
        out.closing = std::make_unique<pointer>(to);
        if (virConnectRegisterCloseCallback(link->c, on_close, out.closing.get(), nullptr) != 0) out.closing = nullptr;
        return out;
    }
    static void deafen(const callbacks& ids, const libvirt_link& link) {
        const std::lock_guard<std::mutex> lock{link->turn};
        for (const int id : ids.ids) virConnectDomainEventDeregisterAny(link->c, id);
        if (ids.closing) virConnectUnregisterCloseCallback(link->c, on_close);
    }

    void put(libvirt_event e) {
        e.at = std::chrono::steady_clock::now();
        const std::lock_guard<std::mutex> lock{mutex_};
        if (waiting_.size() >= most_) ++lost_;
        else waiting_.push_back(std::move(e));
        signal_.notify_all();
    }
    void break_off() {
        const std::lock_guard<std::mutex> lock{mutex_};
        broken_ = true;
        signal_.notify_all();
    }
    void stop() {
        const std::lock_guard<std::mutex> lock{mutex_};
        stopping_ = true;
        signal_.notify_all();
    }
    [[nodiscard]] bool stopping() const {
        const std::lock_guard<std::mutex> lock{mutex_};
        return stopping_;
    }
    [[nodiscard]] bool broken() const {
        const std::lock_guard<std::mutex> lock{mutex_};
        return broken_;
    }
    /// Of a new connection, about which nothing is known yet.
    void begin() {
        const std::lock_guard<std::mutex> lock{mutex_};
        broken_ = false;
        waiting_.clear();
    }

    /// Waits for an event until that time, or until something else is to be done; false if there is none.
    bool wait(libvirt_event& e, std::chrono::steady_clock::time_point until) {
        std::unique_lock<std::mutex> lock{mutex_};
        signal_.wait_until(lock, until, [this] { return stopping_ || broken_ || !waiting_.empty(); });
        if (stopping_ || waiting_.empty()) return false;
        e = std::move(waiting_.front());
        waiting_.pop_front();
        return true;
    }
    /// Waits that long, or until everything ends.
    void pause(std::chrono::steady_clock::duration d) {
        std::unique_lock<std::mutex> lock{mutex_};
        signal_.wait_for(lock, d, [this] { return stopping_; });
    }

    /// How often a domain has rebooted or stopped, as far as was told.
    [[nodiscard]] std::uint64_t turns(const std::string& uuid) const {
        const std::lock_guard<std::mutex> lock{mutex_};
        const auto at = turns_.find(uuid);
        return at == turns_.end() ? 0 : at->second;
    }
    /// Waits until that changes; false if it does not, or the connection breaks.
    [[nodiscard]] bool turned(const std::string& uuid, std::uint64_t before,
                              std::chrono::steady_clock::time_point until) {
        std::unique_lock<std::mutex> lock{mutex_};
        signal_.wait_until(lock, until, [&] { return stopping_ || broken_ || turns_[uuid] != before; });
        return turns_[uuid] != before;
    }
    [[nodiscard]] std::uint64_t take_losses() {
        const std::lock_guard<std::mutex> lock{mutex_};
        return std::exchange(lost_, 0);
    }

private:
    using pointer = std::shared_ptr<libvirt_signals>;
    static void* held(const pointer& to) { return new pointer{to}; }
    static void let_go(void* p) { delete static_cast<pointer*>(p); }
    static libvirt_signals& of(void* p) { return **static_cast<pointer*>(p); }

    /// libvirt takes callbacks of every kind as one type, and calls each as what it is.
    template <class Callback>
    static virConnectDomainEventGenericCallback generic(Callback* f) noexcept {
        return reinterpret_cast<virConnectDomainEventGenericCallback>(reinterpret_cast<void (*)()>(f));
    }

    static libvirt_event about(virDomain* d, libvirt_event_kind what, std::string detail, health seen) {
        libvirt_event e;
        e.what = what;
        e.domain = name_of(d);
        e.cloud_id = uuid_of(d);
        e.detail = std::move(detail);
        e.seen = seen;
        return e;
    }
    void turn(const std::string& uuid) {
        const std::lock_guard<std::mutex> lock{mutex_};
        ++turns_[uuid];
        signal_.notify_all();
    }

    static int on_lifecycle(virConnectPtr, virDomainPtr d, int event, int detail, void* to) {
        using k = libvirt_event_kind;
        const auto tell = [&](k what, const char* why, health seen) { of(to).put(about(d, what, why, seen)); };
        switch (event) {
        case VIR_DOMAIN_EVENT_DEFINED: tell(k::defined, "", health::unknown); break;
        case VIR_DOMAIN_EVENT_UNDEFINED: tell(k::undefined, "", health::unknown); break;
        case VIR_DOMAIN_EVENT_STARTED: tell(k::started, "", health::unknown); break;
        case VIR_DOMAIN_EVENT_RESUMED: tell(k::resumed, "", health::unknown); break;
        case VIR_DOMAIN_EVENT_PMSUSPENDED: tell(k::paused, "the guest sleeps", health::unhealthy); break;
        case VIR_DOMAIN_EVENT_CRASHED: tell(k::panicked, "the guest panicked", health::unhealthy); break;
        case VIR_DOMAIN_EVENT_SUSPENDED:
            switch (detail) {
            case VIR_DOMAIN_EVENT_SUSPENDED_IOERROR: tell(k::io_error, "a disk failed", health::unhealthy); break;
            case VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG: tell(k::watchdog, "its watchdog fired", health::unhealthy); break;
            case VIR_DOMAIN_EVENT_SUSPENDED_PAUSED: tell(k::paused, "somebody paused it", health::unhealthy); break;
            case VIR_DOMAIN_EVENT_SUSPENDED_API_ERROR: tell(k::paused, "an operation failed", health::unhealthy); break;
            default: tell(k::paused, "while it is moved or saved", health::unknown); break;
            }
            break;
        case VIR_DOMAIN_EVENT_STOPPED:
            of(to).turn(uuid_of(d));
            switch (detail) {
            case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
                tell(k::stopped, "the guest switched off", health::unhealthy);
                break;
            case VIR_DOMAIN_EVENT_STOPPED_DESTROYED: tell(k::stopped, "it was destroyed", health::unhealthy); break;
            case VIR_DOMAIN_EVENT_STOPPED_CRASHED: tell(k::crashed, "QEMU ended", health::unhealthy); break;
            case VIR_DOMAIN_EVENT_STOPPED_FAILED: tell(k::crashed, "QEMU failed", health::unhealthy); break;
            case VIR_DOMAIN_EVENT_STOPPED_MIGRATED: tell(k::stopped, "it moved", health::unknown); break;
            case VIR_DOMAIN_EVENT_STOPPED_SAVED: tell(k::stopped, "it was saved", health::unhealthy); break;
            default: tell(k::stopped, "", health::unhealthy); break;
            }
            break;
        default: break;
        }
        return 0;
    }
    static void on_reboot(virConnectPtr, virDomainPtr d, void* to) {
        of(to).turn(uuid_of(d));
        of(to).put(about(d, libvirt_event_kind::rebooted, "", health::unknown));
    }
    static void on_watchdog(virConnectPtr, virDomainPtr d, int action, void* to) {
        of(to).put(about(d, libvirt_event_kind::watchdog, "action " + std::to_string(action), health::unhealthy));
    }
    static void on_io_error(virConnectPtr, virDomainPtr d, const char*, const char* device, int, const char* why,
                            void* to) {
        std::string detail = device == nullptr ? "a disk" : device;
        if (why != nullptr && *why != '\0') (detail += ": ") += why;
        of(to).put(about(d, libvirt_event_kind::io_error, std::move(detail), health::unhealthy));
    }
    static void on_agent(virConnectPtr, virDomainPtr d, int state, int, void* to) {
        const bool up = state == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED;
        of(to).put(about(d, up ? libvirt_event_kind::agent_up : libvirt_event_kind::agent_down, "", health::unknown));
    }
    static void on_metadata(virConnectPtr, virDomainPtr d, int, const char*, void* to) {
        of(to).put(about(d, libvirt_event_kind::defined, "its metadata", health::unknown));
    }
    static void on_close(virConnectPtr, int, void* to) { of(to).break_off(); }

    std::size_t most_;
    mutable std::mutex mutex_;
    std::condition_variable signal_;
    std::deque<libvirt_event> waiting_;
    std::map<std::string, std::uint64_t> turns_;
    std::uint64_t lost_ = 0;
    bool broken_ = false;
    bool stopping_ = false;
};

} // namespace reheat::inline REHEAT_ABI::detail
