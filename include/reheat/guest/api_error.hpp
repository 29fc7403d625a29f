// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/escape.hpp>
#include <reheat/guest/http.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

namespace guest {

/// How an answer is written: XML, unless the guest asked for JSON with `ContentType=JSON`.
enum class body_format : std::uint8_t { xml, json };

/// An error of the AWS query protocol, as OpenStack Heat spoke it. The status is never a 5xx: guests' boto repeats such
/// requests up to seven times, and a repeated sample is counted again.
struct api_error {
    int status = 400;
    std::string_view code; ///< of static storage, as in the protocol's table: `MissingParameter`, `AccessDenied` …
    std::string message;
};

/// The part of a guest's text that an answer may repeat: in quotes, at most 64 bytes.
[[nodiscard]] inline std::string echoed(std::string_view text) {
    constexpr std::size_t most = 64;
    return "'" + std::string{clip(text, most)} + (text.size() > most ? "…'" : "'");
}

/// Writes an error as the guest's tools read it.
[[nodiscard]] inline response render(const api_error& e, body_format format) {
    const std::string_view type = e.status < 500 ? "Sender" : "Server";
    response out{e.status, {}, {}};
    if (format == body_format::json) {
        out.content_type = "application/json";
        out.body = R"({"ErrorResponse": {"Error": {"Type": )";
        append_json_string(out.body, type);
        out.body += R"(, "Code": )";
        append_json_string(out.body, e.code);
        out.body += R"(, "Message": )";
        append_json_string(out.body, e.message);
        out.body += "}}}";
        return out;
    }
    out.content_type = "application/xml";
    out.body = "<ErrorResponse><Error><Type>";
    append_xml_text(out.body, type);
    out.body += "</Type><Code>";
    append_xml_text(out.body, e.code);
    out.body += "</Code><Message>";
    append_xml_text(out.body, e.message);
    out.body += "</Message></Error></ErrorResponse>";
    return out;
}

} // namespace guest

} // namespace reheat::inline REHEAT_ABI
