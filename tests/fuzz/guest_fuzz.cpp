// SPDX-License-Identifier: MIT
// What guests send, through every reader of it. The first byte chooses the reader.
#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/core/escape.hpp>
#include <reheat/guest/cloudformation.hpp>
#include <reheat/guest/cloudwatch.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace guest = reheat::guest;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

struct sink {
    reheat::result<void> answer(std::string_view name) {
        if (name.starts_with('!')) return reheat::error{reheat::errc::not_found, {}, std::string{name}};
        if (name.starts_with('?')) return reheat::error{reheat::errc::invalid_argument, {}, std::string{name}};
        return {};
    }
    reheat::result<void> put(const guest::metric_datum& datum) {
        require(std::isfinite(datum.value) && !datum.metric_name.empty() && !datum.metric_namespace.empty() &&
                datum.dimensions.size() <= 30);
        return answer(datum.alarm_name);
    }
    reheat::result<void> signal(std::string_view arn, const guest::wait_signal& /*signal*/) {
        require(!arn.empty());
        return answer(arn);
    }
};

/// The answer is one that a guest's tool can read, and does not repeat.
void require_readable(const guest::response& answer) {
    require(answer.status == 200 || (answer.status >= 400 && answer.status < 500));
    require(answer.body.size() < 4096);
    if (answer.content_type == "application/json") {
        require(reheat::nlohmann_json{}.read(answer.body).has_value());
        return;
    }
    require(answer.content_type == "application/xml");
    int depth = 0;
    for (std::string_view rest = answer.body; !rest.empty();) {
        const std::size_t size = reheat::detail::utf8_size(rest);
        require(size != 0);
        if (rest.front() == '<') {
            const std::size_t end = rest.find('>');
            require(end != std::string_view::npos &&
                    rest.substr(1, end - 1).find_first_of("<&\"'") == std::string_view::npos);
            depth += rest[1] == '/' ? -1 : 1;
            require(depth >= 0);
            rest.remove_prefix(end + 1);
            continue;
        }
        require(depth > 0 && (size > 1 || static_cast<unsigned char>(rest.front()) >= 0x20U || rest.front() == '\n' ||
                              rest.front() == '\t'));
        require(rest.front() != '>' && (rest.front() != '&' || rest.find(';') <= 5));
        rest.remove_prefix(size);
    }
    require(depth == 0);
}

void write(const reheat::node& n, std::string& out) {
    using kind = reheat::node::kind;
    std::string_view comma;
    switch (n.type()) {
    case kind::null: out += "null"; break;
    case kind::boolean:
    case kind::number: out += n.text(); break;
    case kind::string: reheat::append_json_string(out, n.text()); break;
    case kind::array:
        out += '[';
        for (const reheat::node& item : n.items()) {
            out += std::exchange(comma, ",");
            write(item, out);
        }
        out += ']';
        break;
    case kind::object:
        out += '{';
        for (const auto& [name, value] : n.members()) {
            out += std::exchange(comma, ",");
            reheat::append_json_string(out, name);
            out += ':';
            write(value, out);
        }
        out += '}';
        break;
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text{data + 1, data + size};
    sink taker;
    switch (data[0] % 7) {
    case 0: require_readable(guest::cloudwatch_api{taker}.handle({"POST", "/v1/", {}, text})); break;
    case 1: require_readable(guest::cloudwatch_api{taker}.handle({"GET", text, {}, {}})); break;
    case 2:
        require_readable(guest::cloudwatch_api{taker}.handle(
            {"POST", "/v1/?Action=PutMetricData&Namespace=n&ContentType=JSON", {}, text}));
        break;
    case 3:
        require_readable(guest::cloudformation_api<sink, reheat::nlohmann_json>{taker}.handle(
            {"PUT", "/v1/waitcondition/a", {}, text}));
        break;
    case 4: {
        const std::size_t split = text.find('\n');
        const std::string body = split == std::string::npos ? "" : text.substr(split + 1);
        require_readable(guest::cloudformation_api<sink, reheat::nlohmann_json>{taker}.handle(
            {"PUT", "/v1/waitcondition/" + text.substr(0, split), {{"content-type", text.substr(0, 20)}}, body}));
        break;
    }
    case 5: {
        const reheat::read_limits limits{.bytes = 1 << 16, .depth = 32, .nodes = 1000};
        const auto first = reheat::nlohmann_json{}.read(text, limits);
        if (!first) {
            require(first.error().where.find(':') != std::string::npos && !first.error().message.empty());
            break;
        }
        std::string again;
        write(*first, again);
        const auto second = reheat::nlohmann_json{}.read(again, {.bytes = 1 << 20, .depth = 32, .nodes = 1000});
        require(second.has_value() && *second == *first);
        break;
    }
    default: {
        const auto fields = guest::decode_form(text, {.bytes = 1 << 16, .fields = 100});
        if (!fields) break;
        std::size_t bytes = 0;
        for (const guest::form_field& field : *fields) bytes += field.name.size() + field.value.size();
        require(fields->size() <= 100 && bytes <= text.size());
    }
    }
    return 0;
}
