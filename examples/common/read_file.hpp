// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace common {

/// The text of a file; of a larger one a little more than `most` bytes, so that its reader can say so. The error does
/// not name the file.
[[nodiscard]] reheat::result<std::string> read_file(const std::string& path, std::size_t most);

/// The error with a place around its own.
[[nodiscard]] inline reheat::error located(std::string place, const reheat::error& e) {
    return {e.code, e.where.empty() ? std::move(place) : std::move(place) + ": " + e.where, e.message};
}

} // namespace common
