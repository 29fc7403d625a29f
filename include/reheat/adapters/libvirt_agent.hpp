// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>
#include <reheat/core/escape.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What is said to the QEMU guest agent, and what it answers. Its words come out of the guest: they may be anything.

namespace reheat::inline REHEAT_ABI::detail {

/// `{"execute":"guest-exec",...}` for a program and its words; `{service}` in a word stands for that name.
[[nodiscard]] inline std::string guest_exec(const std::vector<std::string>& command, std::string_view service) {
    constexpr std::string_view hole = "{service}";
    const auto filled = [&](std::string word) {
        for (std::size_t at = 0; (at = word.find(hole, at)) != std::string::npos; at += service.size())
            word.replace(at, hole.size(), service);
        std::string out;
        append_json_string(out, word);
        return out;
    };
    std::string out = R"({"execute":"guest-exec","arguments":{"path":)" + filled(command.front()) + R"(,"arg":[)";
    for (std::size_t n = 1; n < command.size(); ++n) (out += n == 1 ? "" : ",") += filled(command[n]);
    return out += R"(],"capture-output":false}})";
}

[[nodiscard]] inline std::string guest_exec_status(std::int64_t pid) {
    return R"({"execute":"guest-exec-status","arguments":{"pid":)" + std::to_string(pid) + "}}";
}

/// Finds members of the object that an answer returns: `{"return":{"pid":17}}`.
class guest_answer {
public:
    explicit guest_answer(std::string_view text) {
        std::string_view top = text;
        if (const auto found = member(top, "return")) object_ = *found;
    }

    [[nodiscard]] std::optional<std::int64_t> number(std::string_view name) const {
        const auto value = member(object_, name);
        if (!value) return std::nullopt;
        std::int64_t n = 0;
        const auto [end, failed] = std::from_chars(value->data(), value->data() + value->size(), n);
        if (failed != std::errc{} || end != value->data() + value->size()) return std::nullopt;
        return n;
    }
    [[nodiscard]] std::optional<bool> truth(std::string_view name) const {
        const auto value = member(object_, name);
        if (!value || (*value != "true" && *value != "false")) return std::nullopt;
        return *value == "true";
    }

private:
    static void skip_blanks(std::string_view& text) {
        while (!text.empty() &&
               (text.front() == ' ' || text.front() == '\t' || text.front() == '\n' || text.front() == '\r'))
            text.remove_prefix(1);
    }
    /// Takes one value off the front, by its brackets and quotes alone; nothing if it does not end.
    static std::optional<std::string_view> take_value(std::string_view& text) {
        skip_blanks(text);
        std::size_t depth = 0;
        bool quoted = false;
        for (std::size_t n = 0; n < text.size(); ++n) {
            const char c = text[n];
            if (quoted) {
                if (c == '\\') ++n;
                else if (c == '"') quoted = false;
            } else if (c == '"') {
                quoted = true;
            } else if (c == '{' || c == '[') {
                ++depth;
            } else if ((c == '}' || c == ']' || c == ',' || c == ':') && depth == 0) {
                std::string_view value = text.substr(0, n);
                text.remove_prefix(n);
                while (!value.empty() &&
                       (value.back() == ' ' || value.back() == '\n' || value.back() == '\r' || value.back() == '\t'))
                    value.remove_suffix(1);
                return value;
            } else if (c == '}' || c == ']') {
                --depth;
            }
        }
        return std::nullopt;
    }
    static std::optional<std::string_view> member(std::string_view object, std::string_view name) {
        skip_blanks(object);
        if (!object.starts_with("{")) return std::nullopt;
        while (!object.empty()) {
            object.remove_prefix(1); // the bracket, or the comma before the next
            const auto key = take_value(object);
            if (!key || !object.starts_with(":")) return std::nullopt;
            object.remove_prefix(1);
            const auto value = take_value(object);
            if (!value) return std::nullopt;
            if (key->size() == name.size() + 2 && key->substr(1, name.size()) == name && key->front() == '"')
                return value;
            if (!object.starts_with(",")) return std::nullopt;
        }
        return std::nullopt;
    }

    std::string_view object_{};
};

} // namespace reheat::inline REHEAT_ABI::detail
