// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>
#include <reheat/core/error.hpp>

#include <cstdlib>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <memory>
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
using libvirt_link = std::shared_ptr<virConnect>;

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
               code == VIR_ERR_INVALID_CONN || virConnectIsAlive(link.get()) != 1;
    }
    [[nodiscard]] bool absent() const noexcept { return code == VIR_ERR_NO_DOMAIN; }
};

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
    const char* const type = virConnectGetType(link.get());
    return type != nullptr && std::string{type} == "TEST";
}

inline void ignore_libvirt_error(void*, virErrorPtr) noexcept {}

} // namespace reheat::inline REHEAT_ABI::detail
