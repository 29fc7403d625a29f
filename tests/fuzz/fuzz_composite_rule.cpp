// SPDX-License-Identifier: MIT
// Rules of composite alarms: an error names a place in the text; a rule is printed, read again and evaluated.
#include <reheat/alarm/composite_parser.hpp>
#include <reheat/alarm/composite_rule.hpp>
#include <reheat/alarm/composite_text.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void require_place(const reheat::error& e, std::size_t size) {
    constexpr std::string_view before = "char ";
    require(e.where.starts_with(before) && e.message.starts_with("Error in AlarmRule ["));
    std::size_t at = 0;
    const char* const end = e.where.data() + e.where.size();
    const auto read = std::from_chars(e.where.data() + before.size(), end, at);
    require(read.ec == std::errc{} && read.ptr == end && at <= size);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using reheat::alarm_state;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto rule = reheat::parse_composite_rule(text);
    if (!rule) {
        require_place(rule.error(), size);
        return 0;
    }
    const auto again = reheat::parse_composite_rule(to_string(*rule));
    require(again && *again == *rule);
    for (std::size_t first = 0; first < 3; ++first) {
        const auto certain = [first](std::size_t child) {
            return (child + first) % 2 == 0 ? alarm_state::ok : alarm_state::alarm;
        };
        const auto any = [first](std::size_t child) { return static_cast<alarm_state>((child + first) % 3); };
        // Where every child is certain, three values are two.
        const alarm_state two = reheat::evaluate(*rule, certain);
        require(reheat::evaluate_three_valued(*rule, certain) == two);
        static_cast<void>(reheat::evaluate(*rule, any));
        static_cast<void>(reheat::evaluate_three_valued(*rule, any));
    }
    return 0;
}
