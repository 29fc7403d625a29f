// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/libvirt_core.hpp>

#include <libvirt/libvirt.h>

// Calls on their way from the engine to an operation and back: definitions of members of `libvirt_core`.

namespace reheat::inline REHEAT_ABI::detail {

inline void libvirt_core::call(const request& r, operation what, steady::time_point by, completion done) {
    const std::string_view name = r.instance.empty() ? r.name : r.instance;
    if (name.empty() || name.find('\0') != std::string_view::npos)
        return done(outcome::refused("a domain has no such name"));
    work w;
    w.what = what;
    w.key = what == operation::describe ? 0 : r.key;
    w.reign = static_cast<std::uint64_t>(r.reign);
    w.name = name;
    w.cloud_id = r.cloud_id;
    w.service = r.service;
    w.method = r.method;
    w.hard = r.hard;
    w.replaced = r.replaced;
    w.by = by;
    std::optional<outcome> at_once;
    {
        const std::lock_guard<std::mutex> lock{mutex_};
        if (w.reign < reign_) at_once = outcome::refused("its epoch is over");
        else reign_ = w.reign;
        if (!at_once && w.key != 0) {
            const auto [at, fresh] = keys_.try_emplace(w.key);
            if (fresh) {
                key_order_.push_back(w.key);
                while (key_order_.size() > options_.most_keys && key_order_.front() != w.key) {
                    // One that is still under way is not forgotten.
                    const auto old = keys_.find(key_order_.front());
                    if (old != keys_.end() && !old->second.result) break;
                    if (old != keys_.end()) keys_.erase(old);
                    key_order_.pop_front();
                }
            } else if (at->second.result) {
                at_once = at->second.result;
            } else {
                at->second.waiting.push_back(std::move(done));
                return;
            }
        }
    }
    if (at_once) return done(std::move(*at_once));
    w.done.emplace(std::move(done));
    side& s = side_for(w);
    {
        const std::lock_guard<std::mutex> lock{s.mutex};
        if (!s.stopping && s.threads != 0) {
            s.calls.push_back(std::move(w));
            s.changed.notify_all();
            return;
        }
    }
    answer(w, outcome::refused("the driver is not open"));
}

/// A hypervisor that hangs holds up the calls of its own domains only.
inline libvirt_side& libvirt_core::side_for(const work& w) {
    std::string home;
    if (const auto kept = store_.find(w.name)) home = kept->home;
    side* up = nullptr;
    for (const auto& s : sides_) {
        const std::lock_guard<std::mutex> lock{s->mutex};
        const bool its_own = !home.empty() && s->name == home;
        // What is made elsewhere must not wait for the host that it leaves.
        const bool leaves = w.what == operation::evacuate_instance || w.what == operation::recreate_instance;
        if (its_own && (!leaves || s->link)) return *s;
        if (up == nullptr && s->link && !its_own) up = s.get();
    }
    return up != nullptr ? *up : *sides_.front();
}

/// A thread that carries out calls.
inline void libvirt_core::serve(side& s) {
    for (;;) {
        work w;
        {
            std::unique_lock<std::mutex> lock{s.mutex};
            s.changed.wait(lock, [&] { return s.stopping || !s.calls.empty(); });
            if (s.stopping) return;
            w = std::move(s.calls.front());
            s.calls.pop_front();
        }
        carry_out(w);
    }
}

/// What may have changed while a call waited.
inline std::optional<outcome> libvirt_core::stale(const work& w) const {
    if (steady::now() >= w.by) return outcome::refused("too late: its deadline is over");
    const std::lock_guard<std::mutex> lock{mutex_};
    if (w.reign < reign_) return outcome::refused("its epoch is over");
    return std::nullopt;
}

inline void libvirt_core::carry_out(work& w) {
    if (auto too_late = stale(w)) return answer(w, std::move(*too_late));
    switch (w.what) {
    case operation::describe: return answer(w, describe(w));
    case operation::create_instance: return answer(w, create(w));
    case operation::restart_service: return answer(w, restart_service(w));
    case operation::reboot_instance: return answer(w, reboot(w));
    case operation::rebuild_instance: return answer(w, rebuild(w));
    case operation::fence_instance: return answer(w, fence(w));
    case operation::recreate_instance:
    case operation::evacuate_instance: return answer(w, recreate(w));
    case operation::collect_forensics: return answer(w, forensics(w));
    default: return answer(w, outcome::refused("no such operation"));
    }
}

/// Answers a call and its repeats. What certainly did not happen may be tried again with the same key.
inline void libvirt_core::answer(work& w, outcome result) {
    std::vector<completion> others;
    if (w.key != 0) {
        const std::lock_guard<std::mutex> lock{mutex_};
        if (const auto at = keys_.find(w.key); at != keys_.end()) {
            others.swap(at->second.waiting);
            const bool happened = result.code == outcome_code::done;
            if (happened) at->second.result = result;
            else keys_.erase(at);
        }
    }
    for (completion& c : others) c(result);
    (*w.done)(std::move(result));
}

} // namespace reheat::inline REHEAT_ABI::detail
