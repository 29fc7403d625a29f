// SPDX-License-Identifier: MIT
#pragma once

#include "summary.hpp"

#include <string>

namespace policy_lab {

/// The comparison as one HTML file with plots. It needs nothing else: no scripts, no fonts, no net.
[[nodiscard]] std::string page_of(const comparison& c);

} // namespace policy_lab
