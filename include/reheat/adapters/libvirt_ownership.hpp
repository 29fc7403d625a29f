// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/libvirt_core.hpp>

#include <libvirt/libvirt.h>

// What is ours: definitions of members of `libvirt_core`.

namespace reheat::inline REHEAT_ABI::detail {

inline bool libvirt_core::is_listed(std::string_view name) const {
    for (const std::string& listed : options_.owned) {
        if (listed == name) return true;
    }
    return false;
}

/// Ours is what has our mark, and what is listed and has nobody's. Nothing if it can not be read.
inline std::optional<bool> libvirt_core::owned(const libvirt_link& link, virDomain* d, libvirt_mark& mark) const {
    if (!libvirt_mark::read(link, d, mark)) return std::nullopt;
    return mark.by == options_.owner || (mark.by.empty() && is_listed(name_of(d)));
}
inline bool libvirt_core::is_ours(const libvirt_link& link, virDomain* d, libvirt_mark& mark) const {
    return owned(link, d, mark).value_or(false);
}

inline result<void> libvirt_core::adopt(std::string_view domain) {
    const std::string name{domain};
    side* on = nullptr;
    libvirt_link link;
    libvirt_domain found;
    for (const auto& s : sides_) {
        libvirt_link l;
        {
            const std::lock_guard<std::mutex> lock{s->mutex};
            l = s->link;
        }
        if (!l) return error{errc::unavailable, s->config.uri, "no connection"};
        libvirt_domain d = domain_of_name(l, name);
        if (!d && libvirt_trouble::last().absent()) continue;
        if (!d) return error{errc::unavailable, s->config.uri, libvirt_trouble::last().text};
        if (found) return error{errc::already_exists, name, "two hosts have a domain of that name"};
        found = std::move(d);
        on = s.get();
        link = std::move(l);
    }
    if (!found) return error{errc::not_found, name, "no host has a domain of that name"};
    libvirt_mark mark;
    if (!libvirt_mark::read(link, found.get(), mark))
        return error{errc::unavailable, name, libvirt_trouble::last().text};
    if (!mark.by.empty() && mark.by != options_.owner)
        return error{errc::denied, name, "it is marked as owned by '" + mark.by + "'"};
    mark.by = options_.owner;
    if (!mark.write(link, found.get())) return error{errc::unavailable, name, libvirt_trouble::last().text};
    std::string host;
    {
        const std::lock_guard<std::mutex> lock{on->mutex};
        host = on->name;
    }
    {
        const std::lock_guard<std::mutex> lock{mutex_};
        acquaintance& a = known_[name];
        a.uuid = uuid_of(found.get());
        a.hosts.insert(host);
    }
    const libvirt_text xml = description_of(link, found.get());
    if (!xml) return error{errc::unavailable, name, libvirt_trouble::last().text};
    return store_.put(name, {xml.get(), uuid_of(found.get()), host});
}

inline result<void> libvirt_core::disown(std::string_view domain) {
    const std::string name{domain};
    for (const auto& s : sides_) {
        libvirt_link l;
        {
            const std::lock_guard<std::mutex> lock{s->mutex};
            l = s->link;
        }
        if (!l) return error{errc::unavailable, s->config.uri, "no connection"};
        const libvirt_domain d = domain_of_name(l, name);
        if (!d) continue;
        libvirt_mark mark;
        if (!libvirt_mark::read(l, d.get(), mark) || mark.by != options_.owner) continue;
        if (!libvirt_mark::erase(l, d.get())) return error{errc::unavailable, name, libvirt_trouble::last().text};
    }
    {
        const std::lock_guard<std::mutex> lock{mutex_};
        known_.erase(name);
    }
    return store_.erase(name);
}

inline result<void> libvirt_core::keep(std::string_view xml) {
    const auto name = xml_child_text(xml, "domain", "name");
    if (!name || name->empty()) return error{errc::syntax, "domain", "expected a 'name' in it"};
    const placement p = locate(*name);
    if (!p.foreign_on.empty()) return error{errc::denied, *name, "a domain of that name is not ours"};
    libvirt_description next = p.kept.value_or(libvirt_description{});
    next.xml = xml;
    next.given = true;
    {
        const std::lock_guard<std::mutex> lock{mutex_};
        known_[*name].uuid = next.uuid;
    }
    return store_.put(*name, std::move(next));
}

} // namespace reheat::inline REHEAT_ABI::detail
