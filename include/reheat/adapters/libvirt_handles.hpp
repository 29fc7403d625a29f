// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>
#include <reheat/core/error.hpp>

#include <cstdlib>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace reheat::inline REHEAT_ABI::detail {

struct libvirt_free {
    void operator()(virDomain* d) const noexcept { virDomainFree(d); }
    void operator()(char* text) const noexcept { std::free(text); }
};
using libvirt_domain = std::unique_ptr<virDomain, libvirt_free>;
using libvirt_text = std::unique_ptr<char, libvirt_free>;
/// A connection. Whoever works with it holds it, so that one that broke ends when the last call on it has.
struct libvirt_connection {
    explicit libvirt_connection(virConnectPtr opened) noexcept : c{opened} {}
    libvirt_connection(const libvirt_connection&) = delete;
    libvirt_connection& operator=(const libvirt_connection&) = delete;
    ~libvirt_connection() { virConnectClose(c); }

    const virConnectPtr c;
    std::mutex turn;
};
using libvirt_link = std::shared_ptr<libvirt_connection>;

/// Calls one after the other. libvirt's client before 10.3.0 reads dead memory when a connection breaks on which two
/// threads wait (CVE-2024-4418). What may take long has a connection of its own.
template <class What>
auto in_turn(const libvirt_link& link, const What& what) {
    const std::lock_guard<std::mutex> lock{link->turn};
    return what();
}

/// The last error of this thread.
struct libvirt_trouble {
    int code = VIR_ERR_OK;
    int from = VIR_FROM_NONE;
    std::string text{};

    [[nodiscard]] static libvirt_trouble last() {
        const virError* const e = virGetLastError();
        if (e == nullptr) return {VIR_ERR_INTERNAL_ERROR, VIR_FROM_NONE, "libvirt did not say why"};
        return {e->code, e->domain, e->message == nullptr ? std::string{} : std::string{e->message}};
    }

    /// Whether it is of the way to the hypervisor: then nobody knows what came of the call.
    [[nodiscard]] bool lost(const libvirt_link& link) const {
        return from == VIR_FROM_RPC || from == VIR_FROM_REMOTE || code == VIR_ERR_RPC || code == VIR_ERR_NO_CONNECT ||
               code == VIR_ERR_INVALID_CONN || virConnectIsAlive(link->c) != 1;
    }
    [[nodiscard]] bool absent() const noexcept { return code == VIR_ERR_NO_DOMAIN; }
};

[[nodiscard]] inline libvirt_domain domain_of_name(const libvirt_link& link, const std::string& name) {
    return libvirt_domain{in_turn(link, [&] { return virDomainLookupByName(link->c, name.c_str()); })};
}
[[nodiscard]] inline libvirt_domain domain_of_uuid(const libvirt_link& link, const std::string& uuid) {
    return libvirt_domain{in_turn(link, [&] { return virDomainLookupByUUIDString(link->c, uuid.c_str()); })};
}
/// Whether its QEMU is there: 1 or 0, below on an error.
[[nodiscard]] inline int is_active(const libvirt_link& link, virDomain* d) {
    return in_turn(link, [&] { return virDomainIsActive(d); });
}
[[nodiscard]] inline bool state_of(const libvirt_link& link, virDomain* d, int& state, int& reason) {
    return in_turn(link, [&] { return virDomainGetState(d, &state, &reason, 0); }) == 0;
}
[[nodiscard]] inline libvirt_text description_of(const libvirt_link& link, virDomain* d) {
    return libvirt_text{
        in_turn(link, [&] { return virDomainGetXMLDesc(d, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE); })};
}

[[nodiscard]] inline std::string uuid_of(virDomain* d) {
    char text[VIR_UUID_STRING_BUFLEN] = {};
    return virDomainGetUUIDString(d, text) == 0 ? std::string{text} : std::string{};
}
[[nodiscard]] inline std::string name_of(virDomain* d) {
    const char* const name = virDomainGetName(d);
    return name == nullptr ? std::string{} : std::string{name};
}

/// libvirt's drivers differ in what they can; this one is for tests, and knows no flags, no guests and no agent.
[[nodiscard]] inline bool is_test_driver(const libvirt_link& link) {
    const char* const type = virConnectGetType(link->c);
    return type != nullptr && std::string{type} == "TEST";
}

inline void ignore_libvirt_error(void*, virErrorPtr) noexcept {}

} // namespace reheat::inline REHEAT_ABI::detail
