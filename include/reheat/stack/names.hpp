// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// Who a stack is.
struct stack_identity {
    std::string name;
    std::string id; ///< unique for ever, usually a UUID
    std::string tenant;
    std::string region = "ap-southeast-1"; ///< Heat's default
};

/// `arn:openstack:heat::TENANT:stacks/NAME/ID`, as Heat writes it.
[[nodiscard]] inline std::string stack_arn(const stack_identity& who) {
    return "arn:openstack:heat::" + who.tenant + ":stacks/" + who.name + '/' + who.id;
}

/// `arn:openstack:heat::TENANT:stacks/NAME/ID/resources/RESOURCE`.
[[nodiscard]] inline std::string resource_arn(const stack_identity& who, std::string_view resource) {
    return stack_arn(who) + "/resources/" + std::string{resource};
}

/// `NAME-RESOURCE-` and 12 hexadecimal digits made of the stack's id and the resource's name: the same in every run,
/// and another one for a later stack of that name.
[[nodiscard]] inline std::string physical_name(const stack_identity& who, std::string_view resource) {
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325ULL; // FNV-1a
    const auto add = [&hash](std::string_view text) {
        for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3ULL;
    };
    add(who.id);
    add("/");
    add(resource);
    hash = (hash ^ (hash >> 33U)) * 0xff51'afd7'ed55'8ccdULL;
    hash ^= hash >> 33U;
    std::string out = who.name + '-' + std::string{resource} + '-';
    for (unsigned shift = 48; shift != 0; shift -= 4) out += "0123456789abcdef"[(hash >> (shift - 4)) & 0xFU];
    return out;
}

/// `text` with everything but the unreserved characters of RFC 3986 as `%XX`.
[[nodiscard]] inline std::string percent_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                c == '-' || c == '.' || c == '_' || c == '~';
        if (unreserved) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += "0123456789ABCDEF"[byte >> 4U];
            out += "0123456789ABCDEF"[byte & 0xFU];
        }
    }
    return out;
}

} // namespace reheat::inline REHEAT_ABI
