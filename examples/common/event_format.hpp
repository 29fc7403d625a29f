// SPDX-License-Identifier: MIT
#pragma once

namespace common {

enum class event_format { text, json };

} // namespace common
