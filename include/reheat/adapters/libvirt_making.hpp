// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/libvirt_core.hpp>
#include <reheat/adapters/libvirt_operations.hpp>

#include <libvirt/libvirt.h>

// What makes a domain run where none did: definitions of members of `libvirt_core`.

namespace reheat::inline REHEAT_ABI::detail {

inline outcome libvirt_core::create(const work& w) {
    placement p = locate(w.name);
    if (!p.foreign_on.empty()) return outcome::refused("a domain of that name on " + p.foreign_on + " is not ours");
    if (!p.dark.empty()) return outcome::failed(p.dark + " does not answer; nothing was done");
    if (!p.ours.empty()) {
        // What an earlier try of this very call has made is no other's.
        placed& d = *current(p);
        if (d.active && d.mark.boot == stamp_of(w)) return outcome::done(look(d));
        return outcome::refused("it exists");
    }
    if (!p.kept) return outcome::refused("no description of it is kept");
    for (const auto& s : sides_) {
        bool up = false;
        {
            const std::lock_guard<std::mutex> lock{s->mutex};
            up = s->link != nullptr && (p.home.empty() || s->name == p.home);
        }
        if (up) return make_on(*s, nullptr, p, w);
    }
    return outcome::failed("no hypervisor answers; nothing was done");
}

/// Makes it where it belongs if that host answers, else on another one; an evacuation always takes another one. The
/// proof of death speaks for hosts that do not answer, not for those that say that it runs.
inline outcome libvirt_core::recreate(const work& w) {
    placement p = locate(w.name);
    if (!p.foreign_on.empty()) return outcome::refused("a domain of that name on " + p.foreign_on + " is not ours");
    if (!p.known) return outcome::refused("no such domain");
    for (placed& d : p.ours) {
        if (d.mark.reign > w.reign) return outcome::refused("its epoch is over: another controller has acted");
        if (!d.active) continue;
        if (d.mark.boot == stamp_of(w)) return outcome::done(look(d)); // an earlier try of this very call
        return outcome::refused("it runs on " + d.host + ": no second copy");
    }
    if (!p.kept) return outcome::refused("no description of it is kept");
    const bool moves = w.what == operation::evacuate_instance;
    if (p.home.empty() && moves) return outcome::refused("it has never been made");
    side* chosen = nullptr;
    for (const auto& s : sides_) {
        const std::lock_guard<std::mutex> lock{s->mutex};
        if (!s->link || s->signals->broken()) continue;
        const bool home = s->name == p.home;
        if (!moves_ && !home && !p.home.empty()) continue;
        if (moves ? !home && chosen == nullptr : home || chosen == nullptr) chosen = s.get();
    }
    if (chosen == nullptr)
        return outcome::failed(moves ? "no other hypervisor answers; nothing was done"
                                     : "no hypervisor answers; nothing was done");
    placed* there = nullptr;
    for (placed& d : p.ours) {
        if (d.on == chosen) there = &d;
    }
    return make_on(*chosen, there, p, w);
}

/// Defines it there from what is kept, unless it is defined, and starts it.
inline outcome libvirt_core::make_on(side& s, placed* there, const placement& p, const work& w) {
    placed fresh;
    placed& d = there != nullptr ? *there : fresh;
    if (there == nullptr) {
        d.on = &s;
        {
            const std::lock_guard<std::mutex> lock{s.mutex};
            d.link = s.link;
            d.host = s.name;
        }
        if (!d.link) return outcome::failed("the hypervisor does not answer; nothing was done");
        if (auto too_late = stale(w)) return std::move(*too_late);
        d.domain.reset(in_turn(d.link, [&] { return virDomainDefineXML(d.link->c, p.kept->xml.c_str()); }));
        if (!d.domain) return failed_step(libvirt_trouble::last(), d.link);
        d.uuid = uuid_of(d.domain.get());
        if (!libvirt_mark::read(d.link, d.domain.get(), d.mark)) return failed_step(libvirt_trouble::last(), d.link);
        if (d.mark.reign > w.reign) return outcome::refused("its epoch is over: another controller has acted");
    } else if (auto no = claim(d, w)) {
        return std::move(*no);
    }
    if (w.what == operation::recreate_instance) ++d.mark.made;
    {
        const std::lock_guard<std::mutex> lock{mutex_};
        acquaintance& a = known_[w.name];
        a.uuid = d.uuid;
        a.hosts.insert(d.host);
    }
    // Before it runs: a controller that ends right here must find it on the next start.
    libvirt_description next = *p.kept;
    next.uuid = d.uuid;
    next.home = d.host;
    next.given = next.given && there != nullptr;
    static_cast<void>(store_.put(w.name, std::move(next)));
    outcome came = start(d, w);
    if (came.code == outcome_code::failed || came.code == outcome_code::refused)
        static_cast<void>(store_.put(w.name, *p.kept));
    return came;
}

} // namespace reheat::inline REHEAT_ABI::detail
