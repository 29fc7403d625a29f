// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/json_path.hpp>
#include <reheat/core/node.hpp>
#include <reheat/core/result.hpp>
#include <reheat/stack/resource_types.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// Where the functions of a template get values from. An error it gives needs no `where`. A null value is text that is
/// not known yet, and so is what is made of it; that is how a template is checked before anything is created.
template <class T>
concept value_source = requires(const T& source, std::string_view name) {
    { source.ref(name) } -> std::same_as<result<node>>;             // of a parameter, a pseudo parameter or a resource
    { source.attribute(name, name) } -> std::same_as<result<node>>; // of a resource
    { source.mapping(name) } -> std::same_as<const node*>;          // null if there is none
    { source.secret(name) } -> std::same_as<bool>;                  // whether an error must not show what `ref` gives
};

/// How deep a template may be nested, and how much may come out when functions are resolved: a short template can
/// repeat a long text many times.
inline constexpr unsigned max_template_depth = 64;
inline constexpr std::size_t max_resolved_bytes = std::size_t{32} << 20U;

namespace detail {

/// Whether that is a call of a function: an object with the one member `Ref` or `Fn::…`.
[[nodiscard]] inline bool is_function(const node& value) noexcept {
    return value.members().size() == 1 &&
           (value.members()[0].first == "Ref" || value.members()[0].first.starts_with("Fn::"));
}

[[nodiscard]] inline bool is_call_of(const node& value, std::string_view function) noexcept {
    return value.members().size() == 1 && value.members()[0].first == function;
}

/// The name in a well-formed `Ref` or `Fn::GetAtt`; empty for everything else.
[[nodiscard]] inline std::string_view named_by(const node& value) noexcept {
    if (is_call_of(value, "Ref")) return value.members()[0].second.text();
    if (!is_call_of(value, "Fn::GetAtt")) return {};
    const std::vector<node>& arguments = value.members()[0].second.items();
    return arguments.empty() ? std::string_view{} : std::string_view{arguments[0].text()};
}

/// Appends every name that a `Ref` or a `Fn::GetAtt` inside has. For values that were resolved once, so their depth is
/// bounded.
inline void append_references(const node& value, std::vector<std::string_view>& out) {
    if (const std::string_view name = named_by(value); !name.empty()) {
        out.push_back(name);
        return;
    }
    for (const node& item : value.items()) append_references(item, out);
    for (const node::member& m : value.members()) append_references(m.second, out);
}

} // namespace detail

/// Resolves the functions of a template: `Ref`, `Fn::GetAtt`, `Fn::Join`, `Fn::FindInMap`, `Fn::Base64`, `Fn::Select`,
/// `Fn::Split`, `Fn::Replace`, `Fn::GetAZs`, as Heat has them (`Fn::Base64` gives its text as it is, `Fn::GetAZs` the
/// one zone `nova`). One resolver keeps one account of `max_resolved_bytes`. The source outlives it. One thread at a
/// time.
///
/// Errors have the place in the template; they never show the value of a secret parameter or of a resource.
template <value_source Source>
class function_resolver {
public:
    explicit function_resolver(const Source& source) noexcept : source_{&source} {}

    /// `value` with every function in it replaced by what it gives. A literal null is an error unless `nulls` allows
    /// it.
    [[nodiscard]] result<node> resolve(const node& value, const json_path& at, bool nulls = false) {
        return resolve(value, at, nulls, 0);
    }

    /// Whether an error may show what `value` resolves to.
    [[nodiscard]] bool may_show(const node& value) const {
        if (detail::is_call_of(value, "Fn::GetAtt")) return false;
        if (detail::is_call_of(value, "Ref")) return !source_->secret(value.members()[0].second.text());
        for (const node& item : value.items()) {
            if (!may_show(item)) return false;
        }
        for (const node::member& m : value.members()) {
            if (!may_show(m.second)) return false;
        }
        return true;
    }

private:
    [[nodiscard]] result<node> resolve(const node& value, const json_path& at, bool nulls, unsigned depth) {
        if (depth > max_template_depth)
            return at.error(errc::limit_exceeded, "nested deeper than " + std::to_string(max_template_depth));
        if (detail::is_function(value)) {
            auto out =
                call(value.members()[0].first, value.members()[0].second, at.member(value.members()[0].first), depth);
            if (out && !charge(*out)) return too_large(at);
            return out;
        }
        if (value.is_null() && !nulls) return at.error(errc::syntax, "expected a value, found null");
        if (!charge(value.text().size())) return too_large(at);
        if (value.is_array()) {
            std::vector<node> items;
            items.reserve(value.items().size());
            for (std::size_t i = 0; i < value.items().size(); ++i) {
                auto item = resolve(value.items()[i], at.item(i), nulls, depth + 1);
                if (!item) return item;
                items.push_back(std::move(*item));
            }
            return node::array(std::move(items));
        }
        if (value.is_object()) {
            std::vector<node::member> members;
            members.reserve(value.members().size());
            for (const node::member& m : value.members()) {
                if (m.first.starts_with("Fn::"))
                    return at.member(m.first).error(errc::syntax, "a function stands alone in its object");
                if (!charge(m.first.size())) return too_large(at);
                auto item = resolve(m.second, at.member(m.first), nulls, depth + 1);
                if (!item) return item;
                members.emplace_back(m.first, std::move(*item));
            }
            return node::object(std::move(members));
        }
        return value;
    }

    [[nodiscard]] result<node> call(std::string_view name, const node& argument, const json_path& at, unsigned depth) {
        if (name == "Ref") {
            if (!argument.is_string())
                return at.error(errc::syntax, "expected a name, " + detail::found(argument, true));
            return placed(source_->ref(argument.text()), at);
        }
        if (name == "Fn::GetAtt") {
            if (argument.items().size() != 2 || !argument.items()[0].is_string() || !argument.items()[1].is_string()) {
                return at.error(errc::syntax, "expected a list of two names: a resource and its attribute");
            }
            return placed(source_->attribute(argument.items()[0].text(), argument.items()[1].text()), at);
        }
        if (name == "Fn::Base64" || name == "Fn::GetAZs") {
            auto text = resolve(argument, at, false, depth + 1);
            if (!text) return text;
            if (!text->is_scalar() && !text->is_null())
                return at.error(errc::syntax, "expected text, " + found(*text, argument));
            return name == "Fn::Base64" ? std::move(text) : node::array({node::string("nova")});
        }
        if (name == "Fn::Join") return join(argument, at, depth);
        if (name == "Fn::FindInMap") return find_in_map(argument, at, depth);
        if (name == "Fn::Select") return select(argument, at, depth);
        if (name == "Fn::Split") return split(argument, at, depth);
        if (name == "Fn::Replace") return replace(argument, at, depth);
        return at.error(errc::unsupported,
                        "unknown function; expected Ref, Fn::GetAtt, Fn::Join, Fn::FindInMap, Fn::Base64, "
                        "Fn::Select, Fn::Split, Fn::Replace or Fn::GetAZs");
    }

    /// The resolved arguments: a literal list of them, each of the shape that its letter says: `t` text, `l` list, `o`
    /// object.
    [[nodiscard]] result<std::vector<node>> arguments(const node& argument, const json_path& at, unsigned depth,
                                                      std::string_view shapes, std::string_view expected) {
        if (argument.items().size() != shapes.size()) {
            std::string message = "expected " + std::string{expected} + ", found ";
            message += argument.is_array() ? std::to_string(argument.items().size()) + " items"
                                           : std::string{to_string(argument.type())};
            return at.error(errc::syntax, std::move(message));
        }
        std::vector<node> out;
        for (std::size_t i = 0; i < shapes.size(); ++i) {
            const node& item = argument.items()[i];
            auto value = resolve(item, at.item(i), false, depth + 1);
            if (!value) return std::move(value.error());
            // What a resource gives is text: a list can come of it only by these.
            const bool list_of_unknown =
                detail::is_call_of(item, "Fn::Split") || detail::is_call_of(item, "Fn::Select");
            const bool unknown = value->is_null() && (shapes[i] == 't' || (shapes[i] == 'l' && list_of_unknown));
            const bool fits = shapes[i] == 't'   ? value->is_scalar()
                              : shapes[i] == 'l' ? value->is_array()
                                                 : value->is_object();
            if (!fits && !unknown) {
                return at.item(i).error(errc::syntax, "expected " +
                                                          std::string{shapes[i] == 't'   ? "text"
                                                                      : shapes[i] == 'l' ? "a list"
                                                                                         : "an object"} +
                                                          ", " + found(*value, item));
            }
            out.push_back(std::move(*value));
        }
        return out;
    }

    [[nodiscard]] result<node> join(const node& argument, const json_path& at, unsigned depth) {
        auto args = arguments(argument, at, depth, "tl", "a delimiter and a list");
        if (!args) return std::move(args.error());
        const std::string& delimiter = (*args)[0].text();
        bool known = !(*args)[0].is_null() && !(*args)[1].is_null();
        std::string out;
        for (std::size_t i = 0; i < (*args)[1].items().size(); ++i) {
            const node& item = (*args)[1].items()[i];
            if (!item.is_scalar() && !item.is_null()) {
                const json_path list = at.item(1);
                return list.item(i).error(errc::syntax, "expected text, found " + std::string{to_string(item.type())});
            }
            known = known && !item.is_null();
            // Charged before it is built, as a long delimiter may stand between many short items.
            if (!charge((i == 0 ? 0 : delimiter.size()) + item.text().size())) return too_large(at);
            if (i != 0) out += delimiter;
            out += item.text();
        }
        return known ? node::string(std::move(out)) : node{};
    }

    [[nodiscard]] result<node> find_in_map(const node& argument, const json_path& at, unsigned depth) {
        auto args = arguments(argument, at, depth, "ttt", "a map and two keys");
        if (!args) return std::move(args.error());
        const node* table = nullptr;
        for (std::size_t i = 0; i < 3; ++i) {
            const node& key = (*args)[i];
            if (key.is_null()) return node{};
            const node* next = i == 0 ? source_->mapping(key.text()) : table->find(key.text());
            if (next == nullptr) {
                const std::string_view what = i == 0 ? "the mapping " : i == 1 ? "a first key " : "a second key ";
                return at.item(i).error(errc::not_found, "expected " + std::string{what} + "that exists, " +
                                                             found(key, argument.items()[i]));
            }
            table = next;
        }
        return *table;
    }

    [[nodiscard]] result<node> select(const node& argument, const json_path& at, unsigned depth) {
        auto args = arguments(argument, at, depth, "tl", "an index and a list");
        if (!args) return std::move(args.error());
        if ((*args)[0].is_null() || (*args)[1].is_null()) return node{};
        std::int64_t index = 0;
        std::vector<node>& items = (*args)[1].items();
        if (!detail::to_number((*args)[0].text(), index) || index < 0 ||
            index >= static_cast<std::int64_t>(items.size())) {
            return at.item(0).error(errc::invalid_argument, "expected an index below " + std::to_string(items.size()) +
                                                                ", " + found((*args)[0], argument.items()[0]));
        }
        return std::move(items[static_cast<std::size_t>(index)]);
    }

    [[nodiscard]] result<node> split(const node& argument, const json_path& at, unsigned depth) {
        auto args = arguments(argument, at, depth, "tt", "a delimiter and text");
        if (!args) return std::move(args.error());
        if ((*args)[0].is_null() || (*args)[1].is_null()) return node{};
        const std::string_view delimiter = (*args)[0].text();
        std::string_view rest = (*args)[1].text();
        if (delimiter.empty())
            return at.item(0).error(errc::invalid_argument, "expected a delimiter, found empty text");
        std::vector<node> out;
        while (true) {
            const std::size_t end = rest.find(delimiter);
            if (!charge(0)) return too_large(at);
            out.push_back(node::string(std::string{rest.substr(0, end)}));
            if (end == std::string_view::npos) return node::array(std::move(out));
            rest.remove_prefix(end + delimiter.size());
        }
    }

    [[nodiscard]] result<node> replace(const node& argument, const json_path& at, unsigned depth) {
        auto args = arguments(argument, at, depth, "ot", "an object of replacements and text");
        if (!args) return std::move(args.error());
        bool known = !(*args)[0].is_null() && !(*args)[1].is_null();
        const json_path table = at.item(0);
        std::string text = (*args)[1].text();
        for (const auto& [from, to] : (*args)[0].members()) {
            if (from.empty()) return table.error(errc::invalid_argument, "expected text to replace, found empty text");
            if (!to.is_scalar() && !to.is_null())
                return table.member(from).error(errc::syntax,
                                                "expected text, found " + std::string{to_string(to.type())});
            known = known && !to.is_null();
            std::string out;
            for (std::size_t begin = 0;;) {
                const std::size_t end = text.find(from, begin);
                const std::size_t size = (end == std::string::npos ? text.size() : end) - begin;
                if (!charge(size + to.text().size())) return too_large(at);
                out.append(text, begin, size);
                if (end == std::string::npos) break;
                out += to.text();
                begin = end + from.size();
            }
            text = std::move(out);
        }
        return known ? node::string(std::move(text)) : node{};
    }

    [[nodiscard]] std::string found(const node& value, const node& expression) const {
        return detail::found(value, may_show(expression));
    }

    [[nodiscard]] static result<node> placed(result<node> value, const json_path& at) {
        if (!value && value.error().where.empty()) value.error().where = at.text();
        return value;
    }

    [[nodiscard]] bool charge(std::size_t bytes) noexcept {
        const std::size_t cost = bytes + sizeof(node);
        if (cost > left_) return false;
        left_ -= cost;
        return true;
    }
    [[nodiscard]] bool charge(const node& value) noexcept {
        if (!charge(value.text().size())) return false;
        for (const node& item : value.items()) {
            if (!charge(item)) return false;
        }
        for (const node::member& m : value.members()) {
            if (!charge(m.first.size()) || !charge(m.second)) return false;
        }
        return true;
    }
    [[nodiscard]] static error too_large(const json_path& at) {
        return at.error(errc::limit_exceeded,
                        "the functions give more than " + std::to_string(max_resolved_bytes) + " bytes");
    }

    const Source* source_;
    std::size_t left_ = max_resolved_bytes;
};

} // namespace reheat::inline REHEAT_ABI
