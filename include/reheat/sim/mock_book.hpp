// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/outcome.hpp>
#include <reheat/core/ids.hpp>

#include <cstdint>
#include <unordered_map>

namespace reheat::inline REHEAT_ABI {

/// What a cloud keeps in mind of the calls that it was asked for: what each key came to, and the newest reign. One
/// thread at a time.
class mock_book {
public:
    /// Whether that reign is not over.
    [[nodiscard]] bool may_reign(epoch e) noexcept {
        if (e < newest_) return false;
        newest_ = e;
        return true;
    }
    /// What a call with that key came to; none if there was none, or for the key 0.
    [[nodiscard]] const outcome* find(std::uint64_t key) const noexcept {
        const auto found = kept_.find(key);
        return found == kept_.end() ? nullptr : &found->second;
    }
    /// Only what was done is not done again: what changed nothing may be tried once more.
    void keep(std::uint64_t key, const outcome& result) {
        if (key != 0 && result.code == outcome_code::done) kept_.try_emplace(key, result);
    }

private:
    std::unordered_map<std::uint64_t, outcome> kept_;
    epoch newest_{};
};

} // namespace reheat::inline REHEAT_ABI
