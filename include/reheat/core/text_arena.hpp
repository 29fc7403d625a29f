// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// Keeps short texts side by side for as long as it lives: a byte for the length and the text itself. Views of them
/// never move. One thread at a time.
class text_arena {
public:
    static constexpr std::size_t longest = 255;

    /// Where a text of at most 255 bytes was put.
    std::uint32_t keep(std::string_view text) {
        if (chunks_.empty() || chunks_.back().size() + text.size() + 1 > chunk_size) {
            chunks_.emplace_back();
            chunks_.back().reserve(chunk_size);
        }
        std::vector<char>& last = chunks_.back();
        const std::size_t at = (chunks_.size() - 1) * chunk_size + last.size();
        last.push_back(static_cast<char>(static_cast<unsigned char>(text.size())));
        last.insert(last.end(), text.begin(), text.end());
        return static_cast<std::uint32_t>(at);
    }
    [[nodiscard]] std::string_view at(std::uint32_t place) const noexcept {
        const char* const text = chunks_[place / chunk_size].data() + place % chunk_size;
        return {text + 1, static_cast<unsigned char>(*text)};
    }

private:
    static constexpr std::size_t chunk_size = std::size_t{1} << 14U;
    std::vector<std::vector<char>> chunks_;
};

} // namespace reheat::inline REHEAT_ABI
