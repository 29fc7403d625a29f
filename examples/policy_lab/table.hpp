// SPDX-License-Identifier: MIT
#pragma once

#include "summary.hpp"

#include <string>

namespace policy_lab {

/// The comparison as text for a terminal.
[[nodiscard]] std::string table_of(const comparison& c);

} // namespace policy_lab
