// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// One row of a fleet. A handle outlives its row harmlessly: a row that is used again has another generation.
struct row_handle {
    std::uint32_t row = 0xffff'ffffU;
    std::uint32_t generation = 0;

    friend constexpr bool operator==(row_handle, row_handle) = default;
};

} // namespace reheat::inline REHEAT_ABI
