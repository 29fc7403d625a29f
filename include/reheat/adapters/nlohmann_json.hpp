// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/node.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// Reads a text for the parser and lets the handler see how far the parser is: its callbacks do not say.
class counted_iterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    counted_iterator(const char* at, const char** progress) noexcept : at_{at}, progress_{progress} {}

    [[nodiscard]] reference operator*() const noexcept { return *at_; }
    counted_iterator& operator++() noexcept {
        *progress_ = ++at_;
        return *this;
    }
    counted_iterator operator++(int) noexcept {
        counted_iterator before = *this;
        ++*this;
        return before;
    }
    friend bool operator==(const counted_iterator& a, const counted_iterator& b) noexcept { return a.at_ == b.at_; }

private:
    const char* at_;
    const char** progress_;
};

/// Builds a `node` from the parser's events. The parser keeps its own stack on the heap, so depth costs no recursion.
class node_builder {
public:
    using json = ::nlohmann::json;

    node_builder(std::string_view text, const read_limits& limits) noexcept
        : text_{text}, limits_{limits}, progress_{text.data()} {}

    [[nodiscard]] result<node> read() {
        const counted_iterator first{text_.data(), &progress_};
        const counted_iterator last{text_.data() + text_.size(), &progress_};
        if (json::sax_parse(first, last, this)) return std::move(root_);
        return std::move(failure_);
    }

    bool null() { return add(node{}); }
    bool boolean(bool value) { return add(node::boolean(value)); }
    bool number_integer(json::number_integer_t /*value*/) { return add(node::number(literal())); }
    bool number_unsigned(json::number_unsigned_t /*value*/) { return add(node::number(literal())); }
    bool number_float(json::number_float_t /*value*/, const std::string& /*text*/) {
        return add(node::number(literal()));
    }
    bool string(std::string& value) { return add(node::string(std::move(value))); }
    bool binary(json::binary_t& /*value*/) { return fail(errc::unsupported, offset(), "binary data"); }
    bool start_object(std::size_t /*size*/) { return open(node::object()); }
    bool start_array(std::size_t /*size*/) { return open(node::array()); }
    bool end_array() { return close(); }

    bool key(std::string& name) {
        // Found by its quotes: the name stands decoded in `name`, and its length in the text is not known.
        std::size_t begin = offset() - 1;
        for (std::size_t slashes = 1; slashes % 2 != 0;) {
            begin = text_.rfind('"', begin - 1);
            for (slashes = 0; slashes < begin && text_[begin - 1 - slashes] == '\\';) ++slashes;
        }
        open_.back().names.push_back(begin);
        open_.back().value.members().emplace_back(std::move(name), node{});
        return true;
    }

    bool end_object() {
        // Sorted once at the end: a search for each name would let a large object cost the square of its size.
        const frame& object = open_.back();
        const std::vector<node::member>& members = object.value.members();
        std::vector<std::size_t> order(members.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::sort(order.begin(), order.end(), [&members](std::size_t a, std::size_t b) {
            const int by_name = members[a].first.compare(members[b].first);
            return by_name != 0 ? by_name < 0 : a < b;
        });
        std::size_t second = members.size();
        for (std::size_t i = 1; i < order.size(); ++i) {
            if (members[order[i]].first == members[order[i - 1]].first) second = (std::min)(second, order[i]);
        }
        if (second != members.size()) {
            return fail(errc::syntax, object.names[second], "a name that this object has already");
        }
        return close();
    }

    template <class Exception>
    bool parse_error(std::size_t position, const std::string& /*token*/, const Exception& e) {
        constexpr int out_of_range = 406;
        if (e.id == out_of_range) return fail(errc::limit_exceeded, offset(), "a number too large for this program");
        // The parser quotes the text that it stumbled over, which may be a password: only its own words are kept.
        std::string_view what = e.what();
        const std::size_t column = what.find(", column ");
        const std::size_t begin = column == std::string_view::npos ? column : what.find(": ", column);
        what = begin == std::string_view::npos ? std::string_view{"not JSON"} : what.substr(begin + 2);
        const std::size_t quote = what.find("; last read: '");
        return fail(errc::syntax, position == 0 ? 0 : position - 1, std::string{what.substr(0, quote)});
    }

private:
    struct frame {
        node value;
        std::vector<std::size_t> names; ///< where each member's name begins
    };

    [[nodiscard]] std::size_t offset() const noexcept { return static_cast<std::size_t>(progress_ - text_.data()); }

    /// The number that ends here. The parser's own copy depends on the locale, and integers lose `-0`.
    [[nodiscard]] std::string literal() const {
        const auto in_number = [this](std::size_t i) {
            const char c = text_[i];
            return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
        };
        std::size_t end = offset();
        if (end > 0 && !(text_[end - 1] >= '0' && text_[end - 1] <= '9')) --end; // the parser looks one byte ahead
        std::size_t begin = end;
        while (begin > 0 && in_number(begin - 1)) --begin;
        return std::string{text_.substr(begin, end - begin)};
    }

    bool fail(errc code, std::size_t at, std::string message) {
        at = (std::min)(at, text_.size());
        const std::string_view before = text_.substr(0, at);
        const auto line = 1 + std::count(before.begin(), before.end(), '\n');
        const std::size_t last = before.rfind('\n');
        const std::size_t column = last == std::string_view::npos ? at + 1 : at - last;
        failure_ = {code, std::to_string(line) + ':' + std::to_string(column), std::move(message)};
        return false;
    }

    bool count() {
        if (++nodes_ <= limits_.nodes) return true;
        return fail(errc::limit_exceeded, offset() - 1, "more than " + std::to_string(limits_.nodes) + " values");
    }

    bool open(node container) {
        if (!count()) return false;
        if (open_.size() == limits_.depth) {
            return fail(errc::limit_exceeded, offset() - 1, "nested deeper than " + std::to_string(limits_.depth));
        }
        open_.push_back({std::move(container), {}});
        return true;
    }

    bool close() {
        node value = std::move(open_.back().value);
        open_.pop_back();
        put(std::move(value));
        return true;
    }

    bool add(node value) {
        if (!count()) return false;
        put(std::move(value));
        return true;
    }

    void put(node value) {
        if (open_.empty()) {
            root_ = std::move(value);
        } else if (node& parent = open_.back().value; parent.is_object()) {
            parent.members().back().second = std::move(value);
        } else {
            parent.items().push_back(std::move(value));
        }
    }

    std::string_view text_;
    read_limits limits_;
    const char* progress_;
    std::size_t nodes_ = 0;
    std::vector<frame> open_;
    node root_;
    error failure_{errc::syntax, "1:1", "not JSON"};
};

} // namespace detail

/// Reads JSON with the nlohmann/json library (3.11). Never throws for what the text holds. Numbers keep their literal.
/// Columns count bytes; an error in a token may be placed at its end. Messages never repeat the text. Any thread.
///
///     const auto json = reheat::nlohmann_json{}.read(R"({"Parameters": {}})");
///     if (!json) return fail(json.error()); // where: "1:5"
struct nlohmann_json {
    /// Errors: `errc::limit_exceeded` past a limit, `errc::syntax` for everything that is not exactly one JSON value in
    /// UTF-8 without repeated names.
    [[nodiscard]] result<node> read(std::string_view text, const read_limits& limits = {}) const {
        if (text.size() > limits.bytes) {
            return error{errc::limit_exceeded, "1:1", "more than " + std::to_string(limits.bytes) + " bytes"};
        }
        return detail::node_builder{text, limits}.read();
    }
};

static_assert(json_reader<nlohmann_json>);

} // namespace reheat::inline REHEAT_ABI
