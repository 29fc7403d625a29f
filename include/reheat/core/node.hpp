// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// A value of a structured text (JSON, later YAML), as a library's parser read it. The core never parses such text
/// itself: an adapter fills a `node`, everything else reads nodes. Members keep the order of the text.
class node {
public:
    enum class kind : std::uint8_t { null, boolean, number, string, array, object };
    using member = std::pair<std::string, node>;

    node() noexcept = default;
    [[nodiscard]] static node boolean(bool value) {
        node n{kind::boolean};
        n.text_ = value ? "true" : "false";
        return n;
    }
    /// `literal` is the number as it stood in the text, so that nothing is lost by rounding.
    [[nodiscard]] static node number(std::string literal) {
        node n{kind::number};
        n.text_ = std::move(literal);
        return n;
    }
    [[nodiscard]] static node string(std::string text) {
        node n{kind::string};
        n.text_ = std::move(text);
        return n;
    }
    [[nodiscard]] static node array(std::vector<node> items = {}) {
        node n{kind::array};
        n.items_ = std::move(items);
        return n;
    }
    [[nodiscard]] static node object(std::vector<member> members = {}) {
        node n{kind::object};
        n.members_ = std::move(members);
        return n;
    }

    [[nodiscard]] kind type() const noexcept { return kind_; }
    [[nodiscard]] bool is_null() const noexcept { return kind_ == kind::null; }
    [[nodiscard]] bool is_string() const noexcept { return kind_ == kind::string; }
    [[nodiscard]] bool is_array() const noexcept { return kind_ == kind::array; }
    [[nodiscard]] bool is_object() const noexcept { return kind_ == kind::object; }
    /// A string, a number or a boolean.
    [[nodiscard]] bool is_scalar() const noexcept {
        return kind_ == kind::string || kind_ == kind::number || kind_ == kind::boolean;
    }

    /// The text of a scalar: a string's content, a number's literal, `true` or `false`; empty for everything else.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// The items of an array; empty for everything else.
    [[nodiscard]] const std::vector<node>& items() const noexcept { return items_; }
    [[nodiscard]] std::vector<node>& items() noexcept { return items_; }
    /// The members of an object in the order of the text; empty for everything else.
    [[nodiscard]] const std::vector<member>& members() const noexcept { return members_; }
    [[nodiscard]] std::vector<member>& members() noexcept { return members_; }

    /// The member of that name, or null.
    [[nodiscard]] const node* find(std::string_view name) const noexcept {
        for (const member& m : members_) {
            if (m.first == name) return &m.second;
        }
        return nullptr;
    }

    friend bool operator==(const node&, const node&) = default;

private:
    explicit node(kind k) noexcept : kind_{k} {}

    kind kind_ = kind::null;
    std::string text_;
    std::vector<node> items_;
    std::vector<member> members_;
};

[[nodiscard]] constexpr std::string_view to_string(node::kind k) noexcept {
    switch (k) {
    case node::kind::null: return "null";
    case node::kind::boolean: return "a boolean";
    case node::kind::number: return "a number";
    case node::kind::string: return "a string";
    case node::kind::array: return "a list";
    case node::kind::object: return "an object";
    }
    return "unknown";
}

/// Bounds for reading text from outside. Past one of them the reader gives `errc::limit_exceeded` and keeps nothing.
struct read_limits {
    std::size_t bytes = std::size_t{1} << 20U;
    std::size_t depth = 64;
    std::size_t nodes = 100'000;
};

/// A type that reads JSON text into a `node`, or gives an error whose `where` is `line:column`. It refuses a member
/// name that stands twice in one object, and anything after the value. `adapters/nlohmann_json.hpp` has one.
template <class T>
concept json_reader = requires(const T& reader, std::string_view text, const read_limits& limits) {
    { reader.read(text, limits) } -> std::same_as<result<node>>;
};

} // namespace reheat::inline REHEAT_ABI
