// SPDX-License-Identifier: MIT
// Time constraints, event patterns and times as strangers write them. The first eight bytes are a time.
#include <reheat/alarm/time_constraint.hpp>
#include <reheat/core/glob.hpp>
#include <reheat/core/text.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::int64_t ticks = 0;
    if (size < sizeof ticks) return 0;
    std::memcpy(&ticks, data, sizeof ticks);
    std::string_view text{reinterpret_cast<const char*>(data) + sizeof ticks, size - sizeof ticks};
    const reheat::time_point now{reheat::duration{ticks}};

    const std::size_t split = text.find('\n');
    const std::string_view zone = split == std::string_view::npos ? "" : text.substr(split + 1);
    const std::string_view start = text.substr(0, split);
    const reheat::duration length{ticks & 0x7fff'ffff'ffff};
    if (const auto window = reheat::parse_time_constraint(start, length, zone)) {
        const auto minute = std::chrono::floor<std::chrono::minutes>(now.time_since_epoch()) + window->utc_offset;
        const auto newest = window->start.latest(minute);
        require(newest.has_value() && *newest <= minute);
        require(minute - *newest <= std::chrono::days{9 * 366});
        require(window->start.latest(*newest) == newest);
        require(window->inside(now) == (minute - *newest <= length));
    } else {
        require(!window.error().where.empty() && !window.error().message.empty());
    }

    if (const auto time = reheat::parse_time(text)) {
        const auto again = reheat::parse_time(reheat::format_time(*time));
        require(!again || *again == *time); // an offset may move it out of the years that are read
    }
    (void)reheat::glob_match(start, zone);
    require(reheat::glob_match("*", zone));
    return 0;
}
