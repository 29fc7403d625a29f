// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI::detail {

/// Text with the five named entities of XML and numbers below 128 put back; nothing if it has others.
[[nodiscard]] inline std::optional<std::string> xml_unescaped(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t amp = text.find('&');
        out += text.substr(0, amp);
        if (amp == std::string_view::npos) break;
        const std::size_t end = text.find(';', amp);
        if (end == std::string_view::npos) return std::nullopt;
        std::string_view entity = text.substr(amp + 1, end - amp - 1);
        text.remove_prefix(end + 1);
        if (entity == "lt") out += '<';
        else if (entity == "gt") out += '>';
        else if (entity == "amp") out += '&';
        else if (entity == "quot") out += '"';
        else if (entity == "apos") out += '\'';
        else {
            if (entity.empty() || entity.front() != '#') return std::nullopt;
            entity.remove_prefix(1);
            const bool hex = !entity.empty() && entity.front() == 'x';
            if (hex) entity.remove_prefix(1);
            std::uint32_t code = 0;
            const auto [rest, failed] =
                std::from_chars(entity.data(), entity.data() + entity.size(), code, hex ? 16 : 10);
            if (failed != std::errc{} || rest != entity.data() + entity.size() || code == 0 || code > 127)
                return std::nullopt;
            out += static_cast<char>(code);
        }
    }
    return out;
}

/// The text of the first element of that name right below the root, as `name` of a domain. It finds its way in
/// well-formed XML and gives nothing where it does not; libvirt itself reads the rest.
[[nodiscard]] inline std::optional<std::string> xml_child_text(std::string_view xml, std::string_view root,
                                                               std::string_view child) {
    const auto skip_past = [&xml](std::string_view what) {
        const std::size_t at = xml.find(what);
        if (at == std::string_view::npos) return false;
        xml.remove_prefix(at + what.size());
        return true;
    };
    std::size_t depth = 0;
    while (skip_past("<")) {
        if (xml.starts_with("!--")) {
            if (!skip_past("-->")) return std::nullopt;
            continue;
        }
        if (xml.starts_with("![CDATA[")) {
            if (!skip_past("]]>")) return std::nullopt;
            continue;
        }
        if (xml.starts_with("!")) return std::nullopt; // a document type could define anything
        if (xml.starts_with("?")) {
            if (!skip_past("?>")) return std::nullopt;
            continue;
        }
        // A `>` may stand in the value of an attribute.
        std::size_t end = 0;
        for (char quote = '\0'; end < xml.size() && (quote != '\0' || xml[end] != '>'); ++end) {
            if (quote == '\0' && (xml[end] == '"' || xml[end] == '\'')) quote = xml[end];
            else if (xml[end] == quote) quote = '\0';
        }
        if (end == xml.size()) return std::nullopt;
        const std::string_view tag = xml.substr(0, end);
        xml.remove_prefix(end + 1);
        if (tag.starts_with("/")) {
            if (depth == 0 || --depth == 0) return std::nullopt;
            continue;
        }
        const std::string_view name = tag.substr(0, tag.find_first_of(" \t\r\n/"));
        if (depth == 0 && name != root) return std::nullopt;
        if (tag.ends_with("/")) continue;
        if (depth == 1 && name == child) return xml_unescaped(xml.substr(0, xml.find('<')));
        ++depth;
    }
    return std::nullopt;
}

/// The value of an attribute of a single element, as libvirt writes one; empty if it has none.
[[nodiscard]] inline std::string xml_attribute(std::string_view element, std::string_view name) {
    for (std::size_t at = 0; (at = element.find(name, at)) != std::string_view::npos; at += name.size()) {
        if (at == 0 || (element[at - 1] != ' ' && element[at - 1] != '\t' && element[at - 1] != '\n')) continue;
        std::string_view rest = element.substr(at + name.size());
        if (rest.size() < 2 || rest[0] != '=' || (rest[1] != '"' && rest[1] != '\'')) continue;
        const char quote = rest[1];
        rest.remove_prefix(2);
        return xml_unescaped(rest.substr(0, rest.find(quote))).value_or(std::string{});
    }
    return {};
}

} // namespace reheat::inline REHEAT_ABI::detail
