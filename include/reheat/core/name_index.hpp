// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/hash.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// From a name to a dense number. The names stay where they are: four bytes a slot, half of the slots free at least.
/// Names are never removed. `name_of(number)` gives a name back.
class name_index {
public:
    static constexpr std::uint32_t none = 0xffff'ffffU;

    /// The number of a name, or `none`.
    template <class NameOf>
        requires requires(const NameOf& name_of) { name_of(std::uint32_t{}) == std::string_view{}; }
    [[nodiscard]] std::uint32_t find(std::string_view name, const NameOf& name_of) const {
        if (slots_.empty()) return none;
        for (std::size_t at = place(name);; at = (at + 1) & (slots_.size() - 1)) {
            if (slots_[at] == none || name_of(slots_[at]) == name) return slots_[at];
        }
    }

    /// Adds a name that is not there yet.
    template <class NameOf>
        requires requires(const NameOf& name_of) { name_of(std::uint32_t{}) == std::string_view{}; }
    void add(std::string_view name, std::uint32_t number, const NameOf& name_of) {
        if (slots_.size() < 2 * (used_ + 1)) grow(name_of);
        put(name, number);
        ++used_;
    }

private:
    [[nodiscard]] std::size_t place(std::string_view name) const noexcept {
        return static_cast<std::size_t>(mix(hash_text(name))) & (slots_.size() - 1);
    }
    void put(std::string_view name, std::uint32_t number) noexcept {
        std::size_t at = place(name);
        while (slots_[at] != none) at = (at + 1) & (slots_.size() - 1);
        slots_[at] = number;
    }
    template <class NameOf>
    void grow(const NameOf& name_of) {
        const std::vector<std::uint32_t> old = std::move(slots_);
        slots_.assign(old.empty() ? 16 : old.size() * 2, none);
        for (const std::uint32_t number : old) {
            if (number != none) put(name_of(number), number);
        }
    }

    std::vector<std::uint32_t> slots_;
    std::size_t used_ = 0;
};

} // namespace reheat::inline REHEAT_ABI
