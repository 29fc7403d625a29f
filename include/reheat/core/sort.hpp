// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::detail {

/// Heapsort: in place, never worse than n log n. Not `std::sort`, because <algorithm> would be a third of what the
/// engine costs its users to preprocess. Equal elements change places: order by something that tells them apart.
template <class T, class Less>
void sort(std::vector<T>& all, const Less& less) {
    const auto sift = [&](std::size_t root, std::size_t end) {
        for (std::size_t child = 2 * root + 1; child < end; child = 2 * root + 1) {
            if (child + 1 < end && less(all[child], all[child + 1])) ++child;
            if (!less(all[root], all[child])) return;
            std::swap(all[root], all[child]);
            root = child;
        }
    };
    for (std::size_t n = all.size() / 2; n-- > 0;) sift(n, all.size());
    for (std::size_t end = all.size(); end-- > 1;) {
        std::swap(all[0], all[end]);
        sift(0, end);
    }
}

/// Where in a vector that is ordered by `of` the first one stands that is not below a key.
template <class T, class Key, class Of>
[[nodiscard]] std::size_t place_of(const Key& key, const std::vector<T>& all, const Of& of) noexcept {
    std::size_t low = 0;
    std::size_t high = all.size();
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (of(all[middle]) < key) low = middle + 1;
        else high = middle;
    }
    return low;
}

} // namespace reheat::inline REHEAT_ABI::detail
