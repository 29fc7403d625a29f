// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/escape.hpp>
#include <reheat/core/text.hpp>
#include <reheat/engine/render.hpp>

#include "options.hpp"

#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace libvirt_ha {

/// Writes events to stdout, one line each, at once.
class event_lines {
public:
    explicit event_lines(common::event_format format) noexcept : format_{format} {}

    void write(const reheat::engine& of, const reheat::event& e) {
        line(format_ == common::event_format::json ? to_json(of, e) : to_text(of, e));
    }

    /// An event of the program itself, with the members that every event has and some of its own.
    void write(reheat::time_point at, std::string_view kind, std::string_view target,
               std::initializer_list<std::pair<std::string_view, std::string>> members = {}) {
        std::string out;
        if (format_ == common::event_format::text) {
            out = reheat::format_time(at) + ' ' + std::string{target.empty() ? "-" : target} + " - none " +
                  std::string{kind};
            for (const auto& [name, value] : members) {
                out += ' ' + std::string{name} + '=';
                for (const char c : value) out += static_cast<unsigned char>(c) < 0x20U || c == 0x7f ? '?' : c;
            }
            return line(std::move(out));
        }
        const auto member = [&out](std::string_view name, std::string_view value) {
            out += out.empty() ? "{\"" : ",\"";
            out += name;
            out += "\":";
            reheat::append_json_string(out, value);
        };
        member("time", reheat::format_time(at));
        member("kind", kind);
        member("target", target);
        for (const std::string_view name : {"rung", "decision", "reason"}) member(name, "none");
        for (const auto& [name, value] : members) member(name, value);
        line(std::move(out) + '}');
    }

    /// False once stdout takes nothing any more.
    [[nodiscard]] bool good() const noexcept { return good_; }

private:
    void line(std::string text) {
        text += '\n';
        good_ = good_ && std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    }

    common::event_format format_;
    bool good_ = true;
};

} // namespace libvirt_ha
