// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/action/outcome.hpp>
#include <reheat/action/proof_of_death.hpp>
#include <reheat/action/request.hpp>
#include <reheat/core/escape.hpp>
#include <reheat/core/text.hpp>
#include <reheat/sim/mock_hosts.hpp>
#include <reheat/sim/mock_machine.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

// What a controller and a mock cloud in another process say to each other: lines of JSON. docs/reference/mock_cloud.md
// describes it; `sim/cloud_protocol_reader.hpp` reads it.

namespace reheat::inline REHEAT_ABI::cloud_protocol {

/// The longest line of either side, its end included.
inline constexpr std::size_t longest_line = 8192;
/// The longest name, id or reason.
inline constexpr std::size_t longest_text = 255;

// What a controller, or whoever breaks things, says

/// An instance that the cloud shall know of: one of that name stays as it is.
struct add {
    std::string name;
    mock_setup how;
    bool running = false; ///< otherwise `create_instance` makes it
};
/// A call of a driver.
struct call {
    operation what = operation::none;
    op_id op{};
    std::uint64_t key = 0;
    epoch reign{};
    std::string name{};
    std::string instance{};
    std::string stack{};
    std::string cloud_id{};
    std::string service{};
    std::string method{};
    bool hard = false;
    bool replaced = false;
    std::optional<proof_kind> proof{}; ///< of a call that needs one
};
/// From now on the sender gets every heartbeat.
struct watch {};
struct breakage {
    std::string name;
    fault what{};
    std::string service{}; ///< of `service_dies`; empty: the first one
    duration in{};         ///< from now
};
/// Something happens to all hosts of a place.
struct host_word {
    enum class what : std::uint8_t { crash, darken, come_back, silence, hear, cut_off, reconnect };
    what is{};
    mock_place where{};
    std::string name{};
};
/// How the next call of an operation goes, or every further one.
struct programmed {
    operation what = operation::none;
    mock_reply how{};
    bool always = false;
};
struct usual_replies {};
struct status {};
struct quit {};

using command = std::variant<add, call, watch, breakage, host_word, programmed, usual_replies, status, quit>;

// What the cloud says

/// To each command, in their order. To a call it only says that the call was taken.
struct answer {
    bool ok = false;
    std::string text{};    ///< why not, or what `status` gives
    op_id op = no_op;      ///< of a call
    std::string members{}; ///< further ones, each with a comma before it; only written
};
/// What a call came to; at some time after its answer.
struct ended {
    op_id op{};
    outcome result{};
};
/// A guest reports. The service is empty for the instance's own heartbeat.
struct heartbeat {
    std::string instance;
    std::string service{};
    std::string cloud_id{};
    std::uint32_t boots = 0;
};

using message = std::variant<answer, ended, heartbeat>;

// The words of the lines

inline constexpr std::array<std::string_view, 4> fault_words{"service_dies", "instance_hangs", "instance_lost",
                                                             "stack_breaks"};
inline constexpr std::array<std::string_view, 7> host_words{"crash", "darken",  "come_back", "silence",
                                                            "hear",  "cut_off", "reconnect"};
inline constexpr std::array<std::string_view, 3> place_words{"host", "rack", "zone"};
inline constexpr std::array<std::string_view, 5> manner_words{"later", "at_once", "abandoned", "silent", "twice"};
inline constexpr std::array<std::string_view, 4> outcome_words{"done", "failed", "refused", "unknown"};
inline constexpr std::array<std::string_view, 4> proof_words{"fenced", "absent", "lease_expired", "confirmed"};

template <std::size_t N, class Enum>
    requires std::is_enum_v<Enum>
[[nodiscard]] constexpr std::string_view word_of(const std::array<std::string_view, N>& words, Enum value) noexcept {
    const auto n = static_cast<std::size_t>(value);
    return n < N ? words[n] : std::string_view{"unknown"};
}

/// 16 digits: a JSON number of that size is rounded by many readers.
[[nodiscard]] inline std::string key_text(std::uint64_t key) {
    std::string out(16, '0');
    for (std::size_t i = out.size(); i-- > 0; key >>= 4U) out[i] = "0123456789abcdef"[key & 0xFU];
    return out;
}

/// Writes one JSON object; members that say nothing are left out.
class object_text {
public:
    object_text& text(std::string_view name, std::string_view value) {
        if (value.empty()) return *this;
        begin(name);
        append_json_string(text_, value);
        return *this;
    }
    object_text& number(std::string_view name, std::uint64_t value) {
        begin(name);
        text_ += std::to_string(value);
        return *this;
    }
    object_text& flag(std::string_view name, bool value) {
        begin(name);
        text_ += value ? "true" : "false";
        return *this;
    }
    object_text& flag_if(std::string_view name, bool value) { return value ? flag(name, true) : *this; }
    template <class List>
    object_text& list(std::string_view name, const List& texts) {
        if (texts.empty()) return *this;
        begin(name);
        char before = '[';
        for (const auto& t : texts) {
            text_ += std::exchange(before, ',');
            append_json_string(text_, t);
        }
        text_ += ']';
        return *this;
    }
    /// Text of members, each with a comma before it.
    object_text& members(std::string_view more) {
        text_ += text_.size() == 1 && !more.empty() ? more.substr(1) : more;
        return *this;
    }
    [[nodiscard]] std::string done() const { return text_ + '}'; }
    /// An object in the object.
    object_text& object(std::string_view name, const object_text& inner) {
        begin(name);
        text_ += inner.done();
        return *this;
    }

private:
    void begin(std::string_view name) {
        if (text_.size() != 1) text_ += ',';
        append_json_string(text_, name);
        text_ += ':';
    }
    std::string text_{"{"};
};

[[nodiscard]] inline std::string to_json(const add& a) {
    return object_text{}
        .text("do", "add")
        .text("name", a.name)
        .text("stack", a.how.stack)
        .list("services", a.how.services)
        .list("volumes", a.how.volumes)
        .text("boot_time", format_duration(a.how.boot_time))
        .text("heartbeat_every", format_duration(a.how.heartbeat_every))
        .flag("heartbeats", a.how.heartbeats)
        .text("host", a.how.host)
        .text("rack", a.how.rack)
        .text("zone", a.how.zone)
        .flag_if("running", a.running)
        .done();
}

/// A driver's call as a line. The kind is that of its proof of death.
[[nodiscard]] inline std::string to_json(const request& r, std::optional<proof_kind> proof) {
    return object_text{}
        .text("do", "call")
        .text("operation", to_string(r.what))
        .number("op", static_cast<std::uint64_t>(r.op))
        .text("key", key_text(r.key))
        .number("epoch", static_cast<std::uint64_t>(r.reign))
        .text("name", r.name)
        .text("instance", r.instance)
        .text("stack", r.stack)
        .text("cloud_id", r.cloud_id)
        .text("service", r.service)
        .text("method", r.method)
        .flag_if("hard", r.hard)
        .flag_if("replaced", r.replaced)
        .text("proof", proof ? word_of(proof_words, *proof) : std::string_view{})
        .done();
}
[[nodiscard]] inline std::string to_json(const watch&) { return R"({"do":"watch"})"; }

[[nodiscard]] inline std::string to_json(const answer& a) {
    object_text out;
    out.flag("ok", a.ok).text("text", a.text);
    if (a.op != no_op) out.number("op", static_cast<std::uint64_t>(a.op));
    return out.members(a.members).done();
}
[[nodiscard]] inline std::string to_json(const ended& e) {
    object_text seen;
    if (e.result.seen.exists) seen.flag("exists", *e.result.seen.exists);
    if (e.result.seen.running) seen.flag("running", *e.result.seen.running);
    seen.flag_if("vouched", e.result.seen.vouched)
        .text("cloud_id", clip(e.result.seen.cloud_id, longest_text))
        .text("boot_id", clip(e.result.seen.boot_id, longest_text))
        .text("host", clip(e.result.seen.host, longest_text))
        .text("address", clip(e.result.seen.address, longest_text));
    object_text out;
    out.text("outcome", word_of(outcome_words, e.result.code))
        .number("op", static_cast<std::uint64_t>(e.op))
        .text("reason", clip(e.result.reason, longest_text));
    if (e.result.retry_after != duration::zero()) out.text("retry_after", format_duration(e.result.retry_after));
    return out.object("seen", seen).done();
}
[[nodiscard]] inline std::string to_json(const heartbeat& h) {
    return object_text{}
        .text("heartbeat", h.instance)
        .text("service", h.service)
        .text("cloud_id", h.cloud_id)
        .number("boots", h.boots)
        .done();
}

} // namespace reheat::inline REHEAT_ABI::cloud_protocol
