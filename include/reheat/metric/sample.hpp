// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>

namespace reheat::inline REHEAT_ABI {

/// One reading of a metric: when it was received, and its value in the metric's unit.
struct sample {
    time_point at;
    double value;
};

/// The value of a heartbeat. Only that it arrives counts; Heat's guests send 1.
inline constexpr double heartbeat = 1.0;

} // namespace reheat::inline REHEAT_ABI
