// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace reheat::inline REHEAT_ABI {

/// A sample of a series that can end: a stale one says that there is no value from here on.
struct series_sample {
    time_point at;
    double value = 0;
    bool stale = false;
};

/// The value of a series at a time: that of the newest sample which is not later, unless it is a stale one or is
/// `look_back` old or older. `series` ascends in time. (Prometheus, "Staleness".)
///
///     auto cpu = value_at(series, now); // none: nothing was heard for five minutes
[[nodiscard]] constexpr std::optional<double> value_at(std::span<const series_sample> series, time_point at,
                                                       duration look_back = std::chrono::minutes{5}) noexcept {
    std::size_t end = series.size();
    for (std::size_t begin = 0; begin < end;) {
        const std::size_t middle = begin + (end - begin) / 2;
        if (series[middle].at <= at) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    if (end == 0) return std::nullopt;
    const series_sample& newest = series[end - 1];
    if (newest.stale || after(newest.at, look_back) <= at) return std::nullopt;
    return newest.value;
}

} // namespace reheat::inline REHEAT_ABI
