// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/escape.hpp>
#include <reheat/core/text.hpp>
#include <reheat/engine/render.hpp>

#include "event_format.hpp"

#include <cstddef>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace common {

/// One detail of an event of the program itself. Details with the same group, which follow each other, are one object.
struct detail {
    std::string group;
    std::string name;
    std::string value;
    bool is_number = false;
};

/// Writes events to stdout, one line each, at once.
class event_writer {
public:
    explicit event_writer(event_format format) noexcept : format_{format} {}

    /// Gets every event as a line of JSON, whatever the format; it says whether anybody wants it.
    using tap = std::function<bool(const std::string* line)>;
    void listen(tap to) { tap_ = std::move(to); }

    void write(const reheat::engine& of, const reheat::event& e) {
        if (tap_ && tap_(nullptr)) tell(to_json(of, e));
        line(format_ == event_format::json ? to_json(of, e) : to_text(of, e));
    }

    /// An event of the program, with the members that every event has.
    void write(reheat::time_point at, std::string_view kind, std::string_view target,
               const std::vector<detail>& details = {}) {
        if (tap_ && tap_(nullptr)) tell(json(at, kind, target, details));
        line(format_ == event_format::json ? json(at, kind, target, details) : text(at, kind, target, details));
    }

    /// How many lines it has written.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// False once stdout takes nothing any more.
    [[nodiscard]] bool good() const noexcept { return good_; }

private:
    [[nodiscard]] static std::string json(reheat::time_point at, std::string_view kind, std::string_view target,
                                          const std::vector<detail>& details) {
        std::string out = R"({"time":)";
        reheat::append_json_string(out, reheat::format_time(at));
        out += R"(,"kind":)";
        reheat::append_json_string(out, kind);
        out += R"(,"target":)";
        reheat::append_json_string(out, target);
        out += R"(,"rung":"none","decision":"none","reason":"none")";
        std::string_view group;
        bool first = false;
        for (const detail& d : details) {
            if (d.group != group) {
                if (!group.empty()) out += '}';
                group = d.group;
                first = !group.empty();
                if (first) {
                    out += ',';
                    reheat::append_json_string(out, group);
                    out += ":{";
                }
            }
            if (!first) out += ',';
            first = false;
            reheat::append_json_string(out, d.name);
            out += ':';
            if (d.is_number) out += d.value;
            else reheat::append_json_string(out, d.value);
        }
        if (!group.empty()) out += '}';
        return out + '}';
    }

    [[nodiscard]] static std::string text(reheat::time_point at, std::string_view kind, std::string_view target,
                                          const std::vector<detail>& details) {
        std::string out =
            reheat::format_time(at) + ' ' + std::string{target.empty() ? "-" : target} + " - none " + std::string{kind};
        for (const detail& d : details) {
            out += ' ' + (d.group.empty() ? d.group : d.group + '.') + d.name + '=';
            for (const char c : d.value) out += static_cast<unsigned char>(c) < 0x20U || c == 0x7f ? '?' : c;
        }
        return out;
    }

    void tell(const std::string& text) { static_cast<void>(tap_(&text)); }

    void line(std::string text) {
        text += '\n';
        ++count_;
        good_ = good_ && std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    }

    event_format format_;
    tap tap_;
    std::size_t count_ = 0;
    bool good_ = true;
};

} // namespace common
