// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/hash.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// From a name to a dense number. The names stay where they are: eight bytes a slot, half of the slots free at least.
/// `name_of(number)` gives a name back. Finding never allocates. One thread at a time.
class name_index {
public:
    static constexpr std::uint32_t none = 0xffff'ffffU;

    /// The number of a name, or `none`.
    template <class NameOf>
        requires requires(const NameOf& name_of) { name_of(std::uint32_t{}) == std::string_view{}; }
    [[nodiscard]] std::uint32_t find(std::string_view name, const NameOf& name_of) const {
        if (slots_.empty()) return none;
        const std::uint32_t tag = tag_of(name);
        for (std::size_t at = tag & mask();; at = (at + 1) & mask()) {
            const slot& s = slots_[at];
            if (s.number == none || (s.tag == tag && name_of(s.number) == name)) return s.number;
        }
    }

    /// Adds a name that is not there yet.
    void add(std::string_view name, std::uint32_t number) {
        if (slots_.size() < 2 * (used_ + 1)) grow();
        put({number, tag_of(name)});
        ++used_;
    }

    /// Removes a name with its number, if it is there.
    void remove(std::string_view name, std::uint32_t number) noexcept {
        if (slots_.empty()) return;
        std::size_t hole = tag_of(name) & mask();
        while (slots_[hole].number != number) {
            if (slots_[hole].number == none) return;
            hole = (hole + 1) & mask();
        }
        // What came to its place only because this one was in the way moves back.
        for (std::size_t at = (hole + 1) & mask(); slots_[at].number != none; at = (at + 1) & mask()) {
            const std::size_t home = slots_[at].tag & mask();
            if (((at - home) & mask()) < ((at - hole) & mask())) continue;
            slots_[hole] = slots_[at];
            hole = at;
        }
        slots_[hole] = {};
        --used_;
    }

    [[nodiscard]] std::size_t bytes() const noexcept { return slots_.capacity() * sizeof(slot); }

private:
    struct slot {
        std::uint32_t number = none;
        std::uint32_t tag = 0;
    };

    [[nodiscard]] std::size_t mask() const noexcept { return slots_.size() - 1; }
    [[nodiscard]] static std::uint32_t tag_of(std::string_view name) noexcept {
        return static_cast<std::uint32_t>(hash_text(name));
    }
    void put(slot s) noexcept {
        std::size_t at = s.tag & mask();
        while (slots_[at].number != none) at = (at + 1) & mask();
        slots_[at] = s;
    }
    void grow() {
        const std::vector<slot> old = std::move(slots_);
        slots_.assign(old.empty() ? 16 : old.size() * 2, slot{});
        for (const slot& s : old) {
            if (s.number != none) put(s);
        }
    }

    std::vector<slot> slots_;
    std::size_t used_ = 0;
};

} // namespace reheat::inline REHEAT_ABI
