// SPDX-License-Identifier: MIT
#include <reheat/recovery/decision_words.hpp>
#include <reheat/recovery/guard.hpp>
#include <reheat/recovery/reason.hpp>

#include "doc_table.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>

namespace rh = reheat;

namespace {

/// Every code of an enumeration but the first, which is "none" where it has one.
template <class E>
std::string codes(std::size_t from, std::size_t count) {
    std::string all;
    for (std::size_t n = from; n < count; ++n)
        all += (all.empty() ? "`" : ", `") + std::string{to_string(static_cast<E>(n))} + "`";
    return all + ".\n";
}

} // namespace

TEST_SUITE("events") {
    TEST_CASE("the codes in docs/reference/events.md are those of the code") {
        support::check_page("docs/reference/events.md", "codes",
                            "Reasons: " + codes<rh::reason>(1, rh::reason_count) +
                                "\nGuards: " + codes<rh::guard>(0, rh::guard_count));
    }

    TEST_CASE("no two codes have the same name, and every decision is explained") {
        std::set<std::string_view> reasons;
        for (std::size_t n = 0; n < rh::reason_count; ++n) reasons.insert(to_string(static_cast<rh::reason>(n)));
        CHECK(reasons.size() == rh::reason_count);
        const std::string page = support::contents("docs/reference/events.md");
        for (auto d = rh::decision::change; d <= rh::decision::ignore;
             d = static_cast<rh::decision>(static_cast<unsigned>(d) + 1))
            CHECK_MESSAGE(page.find("| `" + std::string{to_string(d)} + "` |") != std::string::npos, to_string(d));
    }
}
