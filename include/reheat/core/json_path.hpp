// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/error.hpp>
#include <reheat/core/escape.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// `text` made fit for a message: at most 64 bytes of it, control characters as `?`.
[[nodiscard]] inline std::string shown(std::string_view text) {
    std::string out;
    append_printable(out, clip(text, 64));
    if (out.size() != text.size()) out += "...";
    return out;
}

[[nodiscard]] inline std::string in_quotes(std::string_view text) { return "'" + shown(text) + "'"; }

} // namespace detail

/// A place in a structured text: `$.Resources.Db.Metadata['AWS::CloudFormation::Init'].config[0]`. It is a chain of
/// frames on the call stack, so that a walk allocates nothing until an error asks for `text()`. A frame refers to the
/// one above it and to its name; both must outlive it, which is why a temporary has no children.
class json_path {
public:
    json_path() noexcept = default;

    [[nodiscard]] json_path member(std::string_view name) const& noexcept { return json_path{this, name, 0, false}; }
    [[nodiscard]] json_path item(std::size_t index) const& noexcept { return json_path{this, {}, index, true}; }
    json_path member(std::string_view) const&& = delete;
    json_path item(std::size_t) const&& = delete;

    [[nodiscard]] std::string text() const {
        std::vector<const json_path*> frames;
        for (const json_path* frame = this; frame->above_ != nullptr; frame = frame->above_) frames.push_back(frame);
        std::string out = "$";
        while (!frames.empty()) {
            frames.back()->append(out);
            frames.pop_back();
        }
        return out;
    }

    /// An error at this place.
    [[nodiscard]] reheat::error error(errc code, std::string message) const {
        return reheat::error{code, text(), std::move(message)};
    }

private:
    json_path(const json_path* above, std::string_view name, std::size_t index, bool is_item) noexcept
        : above_{above}, name_{name}, index_{index}, is_item_{is_item} {}

    void append(std::string& out) const {
        if (is_item_) {
            out += '[' + std::to_string(index_) + ']';
            return;
        }
        bool plain = !name_.empty() && name_.size() <= 64;
        for (const char c : name_) {
            plain = plain && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                              c == '-');
        }
        if (plain) {
            out += '.';
            out += name_;
        } else {
            out += '[' + detail::in_quotes(name_) + ']';
        }
    }

    const json_path* above_ = nullptr;
    std::string_view name_;
    std::size_t index_ = 0;
    bool is_item_ = false;
};

} // namespace reheat::inline REHEAT_ABI
