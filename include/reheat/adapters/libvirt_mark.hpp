// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/libvirt_handles.hpp>
#include <reheat/adapters/libvirt_xml.hpp>
#include <reheat/core/ids.hpp>

#include <charconv>
#include <cstdint>
#include <libvirt/libvirt.h>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI::detail {

/// The element in a domain's description that makes it ours. It also fences off an older controller, whose driver has
/// not seen that another one leads, and says which call started what runs.
struct libvirt_mark {
    std::string by{};        ///< the owner
    std::uint64_t reign = 0; ///< the newest that has acted on the domain
    std::string boot{};      ///< the call that started or reset it last
    std::uint64_t made = 0;  ///< how often it has been made anew

    static constexpr const char* space = "urn:reheat:libvirt:1";

    [[nodiscard]] std::string element() const {
        return "<owned by='" + by + "' reign='" + std::to_string(reign) + "' boot='" + boot + "' made='" +
               std::to_string(made) + "'/>";
    }
    [[nodiscard]] static libvirt_mark of_element(std::string_view element) {
        const auto number = [&](std::string_view name) {
            const std::string text = xml_attribute(element, name);
            std::uint64_t n = 0;
            std::from_chars(text.data(), text.data() + text.size(), n);
            return n;
        };
        return {xml_attribute(element, "by"), number("reign"), xml_attribute(element, "boot"), number("made")};
    }

    /// The id by which an engine knows the machine: the UUID stays when it is made anew, because the guest, its TPM and
    /// its firmware know it, so a number tells the one from the other.
    [[nodiscard]] std::string cloud_id(const std::string& uuid) const {
        return made == 0 ? uuid : uuid + '+' + std::to_string(made);
    }

    /// The mark of what runs, or of the description if nothing runs; without an owner if there is none. False: it can
    /// not be read, and the thread's last error says why.
    [[nodiscard]] static bool read(const libvirt_link& link, virDomain* d, libvirt_mark& to) {
        const libvirt_text text{in_turn(link, [&] {
            return virDomainGetMetadata(d, VIR_DOMAIN_METADATA_ELEMENT, space, VIR_DOMAIN_AFFECT_CURRENT);
        })};
        to = text ? of_element(text.get()) : libvirt_mark{};
        return text || libvirt_trouble::last().code == VIR_ERR_NO_DOMAIN_METADATA;
    }
    /// Into the description, and into what runs if anything does.
    [[nodiscard]] bool write(const libvirt_link& link, virDomain* d) const { return set(link, d, element().c_str()); }
    [[nodiscard]] static bool erase(const libvirt_link& link, virDomain* d) { return set(link, d, nullptr); }

private:
    static bool set(const libvirt_link& link, virDomain* d, const char* element) {
        return in_turn(link, [&] {
            unsigned where = 0;
            if (virDomainIsPersistent(d) == 1) where |= VIR_DOMAIN_AFFECT_CONFIG;
            if (virDomainIsActive(d) == 1) where |= VIR_DOMAIN_AFFECT_LIVE;
            return virDomainSetMetadata(d, VIR_DOMAIN_METADATA_ELEMENT, element, "reheat", space, where) == 0;
        });
    }
};

} // namespace reheat::inline REHEAT_ABI::detail
