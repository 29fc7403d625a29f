// SPDX-License-Identifier: MIT
#include <reheat/action/loss.hpp>

#include "doc_table.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

namespace rh = reheat;
using rh::asset;
using rh::operation;

namespace {

struct asset_word {
    asset what;
    std::string_view text;
};

constexpr std::array<asset_word, 6> assets{{{asset::memory, "memory"},
                                            {asset::ephemeral_disk, "ephemeral disk"},
                                            {asset::volumes, "volumes"},
                                            {asset::fixed_addresses, "fixed addresses"},
                                            {asset::public_addresses, "public addresses"},
                                            {asset::identity, "identity"}}};

/// The operations that are done to what exists; creating what has never been loses nothing of it.
constexpr std::array acting{operation::restart_service,   operation::guest_restarts,    operation::reboot_instance,
                            operation::fence_instance,    operation::evacuate_instance, operation::rebuild_instance,
                            operation::recreate_instance, operation::converge_stack,    operation::collect_forensics};

constexpr bool loses(operation o, asset a) { return (rh::loss_of(o) & a) != asset::none; }

std::string table() {
    std::string out = "| operation | acts on a |";
    std::string line = "|---|---|";
    for (const asset_word& a : assets) {
        out += " " + std::string{a.text} + " |";
        line += "---|";
    }
    out += " needs a proof of death | destructive |\n" + line + "---|---|\n";
    for (const operation o : acting) {
        out += "| `" + std::string{to_string(o)} + "` | " + std::string{to_string(level_of(o))} + " |";
        for (const asset_word& a : assets) out += loses(o, a.what) ? " loses |" : " keeps |";
        out += rh::needs_proof(o) ? " yes |" : " no |";
        out += rh::is_destructive(o) ? " yes |\n" : " no |\n";
    }
    return out;
}

} // namespace

TEST_SUITE("losses") {
    TEST_CASE("the table in docs/reference/losses.md is what the operations lose") {
        support::check_page("docs/reference/losses.md", "losses", table());
    }

    TEST_CASE("no operation loses volumes or addresses, and what may make a second copy loses what ran in the first") {
        for (std::size_t i = 0; i < rh::operation_count; ++i) {
            const auto o = static_cast<operation>(i);
            CAPTURE(to_string(o));
            CHECK_FALSE(loses(o, asset::volumes));
            CHECK_FALSE(loses(o, asset::fixed_addresses));
            CHECK_FALSE(loses(o, asset::public_addresses));
            if (rh::needs_proof(o)) CHECK(loses(o, asset::memory));
            if (loses(o, asset::identity)) CHECK(rh::needs_proof(o));
            if (loses(o, asset::ephemeral_disk)) CHECK(rh::is_destructive(o));
            bool listed = false;
            for (const operation a : acting) listed = listed || a == o;
            if (rh::loss_of(o) != asset::none) CHECK(listed);
        }
    }
}
