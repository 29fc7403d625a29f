// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

namespace reheat::inline REHEAT_ABI::detail {

/// Asks for a cache line that will soon be written. Any address will do, and nothing may come of it. Inline always: gcc
/// takes a function that does nothing else for one without effect, and leaves out the call.
[[gnu::always_inline]] inline void prefetch_for_write([[maybe_unused]] const void* address) noexcept {
#if defined(__GNUC__) || defined(__clang__)
    __builtin_prefetch(address, 1);
#endif
}
/// The same for a line that will soon be read.
[[gnu::always_inline]] inline void prefetch_for_read([[maybe_unused]] const void* address) noexcept {
#if defined(__GNUC__) || defined(__clang__)
    __builtin_prefetch(address, 0);
#endif
}

} // namespace reheat::inline REHEAT_ABI::detail
