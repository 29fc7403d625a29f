// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/libvirt_core.hpp>

#include <ctime>
#include <libvirt/libvirt.h>
// What each operation does: definitions of members of `libvirt_core`.

namespace reheat::inline REHEAT_ABI::detail {

/// What came of a step that libvirt refused. If the connection broke, nobody knows.
[[nodiscard]] inline outcome failed_step(const libvirt_trouble& why, const libvirt_link& link) {
    return why.lost(link) ? outcome::unknown("the connection broke: " + why.text) : outcome::failed(why.text);
}

/// Looks at every host. A domain that did not answer for itself is as good as dark.
inline libvirt_placement libvirt_core::locate(std::string_view wanted) {
    const std::string name{wanted};
    placement p;
    p.kept = store_.find(name);
    if (p.kept) p.home = p.kept->home;
    acquaintance seen;
    {
        const std::lock_guard<std::mutex> lock{mutex_};
        const auto at = known_.find(name);
        p.known = at != known_.end();
        if (p.known) seen = at->second;
    }
    p.known = p.known || p.kept.has_value() || is_listed(name);
    for (const auto& s : sides_) {
        libvirt_link link;
        std::string host;
        {
            const std::lock_guard<std::mutex> lock{s->mutex};
            link = s->link;
            host = s->name.empty() ? s->config.uri : s->name;
        }
        // One that we have never seen it on, and that is not its home, has nothing to say.
        const bool may_run_it = p.home.empty() || host == p.home || seen.hosts.contains(host);
        const auto dark = [&] {
            if (may_run_it) p.dark = host;
        };
        if (!link || s->signals->broken()) {
            dark();
            continue;
        }
        placed d;
        d.domain = domain_of_name(link, name);
        if (!d.domain) {
            if (libvirt_trouble::last().absent()) p.any_up = true;
            else dark();
            continue;
        }
        const bool ours = is_ours(link, d.domain.get(), d.mark);
        const int active = is_active(link, d.domain.get());
        if (active < 0 || virConnectIsAlive(link->c) != 1) {
            if (active < 0 && libvirt_trouble::last().absent()) p.any_up = true; // it ended meanwhile
            else dark();
            continue;
        }
        p.any_up = true;
        if (!ours) {
            p.foreign_on = host;
            continue;
        }
        d.on = s.get();
        d.link = std::move(link);
        d.host = host;
        d.uuid = uuid_of(d.domain.get());
        d.active = active == 1;
        p.ours.push_back(std::move(d));
    }
    return p;
}

/// The copy that is meant by the name: what runs, else what lies where it belongs.
inline libvirt_placed* libvirt_core::current(placement& p) {
    placed* best = nullptr;
    for (placed& d : p.ours) {
        const auto rank = [&p](const placed& x) { return (x.active ? 2 : 0) + (x.host == p.home ? 1 : 0); };
        if (best == nullptr || rank(d) > rank(*best)) best = &d;
    }
    return best;
}

inline observed libvirt_core::look(const placed& p) const {
    observed seen;
    seen.exists = true;
    const int active = is_active(p.link, p.domain.get());
    if (active >= 0) seen.running = active == 1;
    seen.vouched = active >= 0;
    libvirt_mark now;
    if (!libvirt_mark::read(p.link, p.domain.get(), now)) now = p.mark;
    seen.cloud_id = now.cloud_id(p.uuid);
    const unsigned id = virDomainGetID(p.domain.get());
    if (seen.running.value_or(false) && id != ~0U) seen.boot_id = std::to_string(id) + '.' + now.boot;
    seen.host = p.host;
    return seen;
}

/// Why an action on a domain can not be begun, if so.
inline std::optional<outcome> libvirt_core::refuse(const placement& p, const work& w) const {
    if (!p.foreign_on.empty() && p.ours.empty())
        return outcome::refused("the domain on " + p.foreign_on + " is not ours; adopt it");
    if (!p.dark.empty()) return outcome::failed(p.dark + " does not answer; nothing was done");
    if (p.ours.empty()) return outcome::refused(p.known ? "no such domain any more" : "no such domain");
    std::size_t running = 0;
    for (const placed& d : p.ours) {
        running += d.active ? 1U : 0U;
        if (d.mark.reign > w.reign) return outcome::refused("its epoch is over: another controller has acted");
    }
    if (running > 1 && w.what != operation::fence_instance) return outcome::refused("it runs on more than one host");
    return std::nullopt;
}

inline outcome libvirt_core::describe(const work& w) {
    placement p = locate(w.name);
    if (!p.any_up) return outcome::unknown("no hypervisor answers");
    placed* const d = current(p);
    if (d != nullptr && (d->active || p.dark.empty())) return outcome::done(look(*d));
    if (!p.dark.empty()) return outcome::unknown(p.dark + " does not answer");
    if (!p.foreign_on.empty()) return outcome::refused("the domain on " + p.foreign_on + " is not ours; adopt it");
    observed seen;
    seen.exists = false;
    seen.running = false;
    // Of a name that has never been seen nobody knows which hypervisor ran it.
    seen.vouched = p.known && !p.home.empty();
    return outcome::done(std::move(seen));
}

inline outcome libvirt_core::fence(const work& w) {
    if (!w.method.empty() && w.method != "destroy") return outcome::refused("no such way to fence");
    placement p = locate(w.name);
    const bool gone = p.ours.empty() && p.foreign_on.empty() && p.dark.empty() && p.known && !p.home.empty();
    if (gone) {
        observed seen;
        seen.exists = false;
        seen.running = false;
        seen.vouched = true;
        return outcome::done(std::move(seen));
    }
    if (auto no = refuse(p, w)) return std::move(*no);
    for (placed& d : p.ours) {
        if (w.replaced && d.mark.cloud_id(d.uuid) != w.cloud_id) continue; // the copy that replaced it
        if (!d.active) continue;
        if (auto no = claim(d, w)) return std::move(*no);
        if (auto no = destroy(d)) return std::move(*no);
    }
    observed seen;
    if (const placed* const d = current(p); d != nullptr && !w.replaced) seen = look(*d);
    if (!w.replaced) {
        seen.exists = !p.ours.empty() && seen.exists.value_or(true);
        seen.running = false;
        seen.vouched = true;
    }
    return outcome::done(std::move(seen));
}

/// The same domain over a connection of its own, for calls that may take long: all others would wait for them.
inline result<libvirt_placed> libvirt_core::apart(const placed& p) const {
    placed own;
    own.link = connect(*p.on, options_.keepalive);
    if (own.link) own.domain = domain_of_uuid(own.link, p.uuid);
    if (!own.domain) return error{errc::unavailable, p.host, libvirt_trouble::last().text};
    return own;
}

/// Powers off and asks the hypervisor, in words of its own, whether QEMU is gone. Nothing if it is.
inline std::optional<outcome> libvirt_core::destroy(placed& p) {
    libvirt_trouble why;
    if (in_turn(p.link, [&] { return virDomainDestroy(p.domain.get()); }) != 0) why = libvirt_trouble::last();
    const libvirt_domain again = domain_of_uuid(p.link, p.uuid);
    if (!again) {
        const libvirt_trouble unseen = libvirt_trouble::last();
        if (unseen.absent()) return std::nullopt; // it had no description, and ended with its QEMU
        return outcome::unknown("the power-off can not be confirmed: " + unseen.text);
    }
    int state = VIR_DOMAIN_NOSTATE;
    int reason = 0;
    const bool told = state_of(p.link, again.get(), state, reason);
    const int active = is_active(p.link, again.get());
    if (told && state == VIR_DOMAIN_SHUTOFF && active == 0 && virDomainGetID(again.get()) == ~0U) return std::nullopt;
    if (!told || active < 0 || why.code == VIR_ERR_OK || why.lost(p.link))
        return outcome::unknown("the power-off can not be confirmed: " + why.text);
    return outcome::failed("it still runs: " + why.text);
}

/// Writes into the domain's mark who acts on it, so that a controller that has lost its place and does not know it
/// finds out here.
inline std::optional<outcome> libvirt_core::claim(placed& p, const work& w) {
    libvirt_mark now;
    if (!libvirt_mark::read(p.link, p.domain.get(), now)) return failed_step(libvirt_trouble::last(), p.link);
    if (now.reign > w.reign) return outcome::refused("its epoch is over: another controller has acted");
    if (auto too_late = stale(w)) return too_late;
    p.mark = now;
    if (now.reign == w.reign && now.by == options_.owner) return std::nullopt;
    p.mark.by = options_.owner;
    p.mark.reign = w.reign;
    if (!p.mark.write(p.link, p.domain.get())) return failed_step(libvirt_trouble::last(), p.link);
    return std::nullopt;
}

inline std::string libvirt_core::stamp_of(const work& w) {
    if (w.key != 0) return std::to_string(w.reign) + '-' + std::to_string(w.key);
    const std::lock_guard<std::mutex> lock{mutex_};
    return std::to_string(std::time(nullptr)) + '-' + std::to_string(++stamps_);
}

inline void libvirt_core::expect_start(const std::string& name, int by) {
    const std::lock_guard<std::mutex> lock{mutex_};
    std::uint32_t& n = known_[name].starts_expected;
    if (by > 0) ++n;
    else if (n > 0) --n;
}

/// Starts what is off, without what a managed save kept of its memory.
inline outcome libvirt_core::start(placed& p, const work& w) {
    p.mark.by = options_.owner;
    p.mark.reign = w.reign;
    p.mark.boot = stamp_of(w);
    if (!p.mark.write(p.link, p.domain.get())) return failed_step(libvirt_trouble::last(), p.link);
    expect_start(w.name, 1);
    const unsigned flags = is_test_driver(p.link) ? 0U : unsigned{VIR_DOMAIN_START_FORCE_BOOT};
    if (in_turn(p.link, [&] { return virDomainCreateWithFlags(p.domain.get(), flags); }) != 0) {
        const libvirt_trouble why = libvirt_trouble::last();
        expect_start(w.name, -1);
        return failed_step(why, p.link);
    }
    const observed seen = look(p);
    if (!seen.running.value_or(false)) return outcome::unknown("it was started, and does not run");
    return outcome::done(seen);
}

/// Asks the guest, by its agent or by its power button. Nothing if it has to be reset.
inline std::optional<outcome> libvirt_core::ask_to_reboot(placed& p, const work& w) {
    const std::uint64_t before = p.on->signals->turns(p.uuid);
    {
        const auto own = apart(p);
        if (!own) return outcome::failed(own.error().message);
        if (virDomainReboot(own->domain.get(), VIR_DOMAIN_REBOOT_DEFAULT) != 0) {
            const libvirt_trouble why = libvirt_trouble::last();
            if (why.lost(own->link)) return failed_step(why, own->link);
            return std::nullopt; // it has no way to hear that
        }
    }
    if (!is_test_driver(p.link)) {
        const steady::time_point obeys = steady_after(options_.guest_obeys);
        if (!p.on->signals->turned(p.uuid, before, obeys < w.by ? obeys : w.by)) {
            if (p.on->signals->broken()) return outcome::unknown("the connection broke while the guest was to reboot");
            if (stale(w)) return outcome::unknown("the guest was asked to reboot, and has not yet");
            return std::nullopt;
        }
        if (is_active(p.link, p.domain.get()) != 1) return start(p, w);
    }
    p.mark.boot = stamp_of(w);
    static_cast<void>(p.mark.write(p.link, p.domain.get()));
    return outcome::done(look(p));
}

inline outcome libvirt_core::reboot(const work& w) {
    placement p = locate(w.name);
    if (auto no = refuse(p, w)) return std::move(*no);
    placed& d = *current(p);
    if (auto no = claim(d, w)) return std::move(*no);
    int state = VIR_DOMAIN_NOSTATE;
    int reason = 0;
    if (virDomainGetState(d.domain.get(), &state, &reason, 0) != 0) return failed_step(libvirt_trouble::last(), d.link);
    const bool runs = state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_BLOCKED;
    // Of an earlier try of this very call, which may have come to its end or not.
    if (runs && d.mark.boot == stamp_of(w)) return outcome::unknown("it has been tried before");
    if (runs && !w.hard) {
        if (auto ended = ask_to_reboot(d, w)) return std::move(*ended);
    }
    if (runs) {
        d.mark.boot = stamp_of(w);
        if (!d.mark.write(d.link, d.domain.get())) return failed_step(libvirt_trouble::last(), d.link);
        if (in_turn(d.link, [&] { return virDomainReset(d.domain.get(), 0); }) != 0)
            return failed_step(libvirt_trouble::last(), d.link);
        return outcome::done(look(d));
    }
    // What stands still, has panicked or is off begins from the start: a reset would leave it as it stands.
    if (d.active) {
        if (auto no = destroy(d)) return std::move(*no);
    }
    return start(d, w);
}

inline outcome libvirt_core::rebuild(const work& w) {
    placement p = locate(w.name);
    if (auto no = refuse(p, w)) return std::move(*no);
    placed& d = *current(p);
    if (!p.kept) return outcome::refused("no description of it is kept");
    if (auto no = claim(d, w)) return std::move(*no);
    if (d.active && d.mark.boot == stamp_of(w)) return outcome::done(look(d)); // an earlier try of this very call
    libvirt_domain defined{in_turn(d.link, [&] { return virDomainDefineXML(d.link->c, p.kept->xml.c_str()); })};
    if (!defined) return failed_step(libvirt_trouble::last(), d.link);
    // One that was given has no mark, and what has none is nobody's if this ends here.
    if (!d.mark.write(d.link, defined.get())) return failed_step(libvirt_trouble::last(), d.link);
    libvirt_description used = *p.kept;
    used.given = false;
    static_cast<void>(store_.put(w.name, std::move(used)));
    if (d.active) {
        if (auto no = destroy(d)) return std::move(*no);
    }
    d.domain = std::move(defined);
    return start(d, w);
}

inline outcome libvirt_core::forensics(const work& w) {
    if (options_.dumps.empty()) return outcome::refused("no folder for memory dumps");
    placement p = locate(w.name);
    if (auto no = refuse(p, w)) return std::move(*no);
    const placed& d = *current(p);
    if (!d.active) return outcome::refused("it does not run");
    const std::string file =
        options_.dumps + '/' + file_name_of(w.name) + '-' + std::to_string(std::time(nullptr)) + ".core";
    const unsigned flags = is_test_driver(d.link) ? 0U : unsigned{VIR_DUMP_LIVE} | unsigned{VIR_DUMP_MEMORY_ONLY};
    const auto own = apart(d);
    if (!own) return outcome::failed(own.error().message);
    if (virDomainCoreDump(own->domain.get(), file.c_str(), flags) != 0)
        return failed_step(libvirt_trouble::last(), own->link);
    return outcome::done(look(d));
}

} // namespace reheat::inline REHEAT_ABI::detail
