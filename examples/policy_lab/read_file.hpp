// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>

#include <string>
#include <utility>

namespace policy_lab {

/// The text of a file of at most a mebibyte. The error does not name the file.
[[nodiscard]] reheat::result<std::string> read_file(const std::string& path);

/// The error with a place around its own.
[[nodiscard]] inline reheat::error located(std::string place, const reheat::error& e) {
    return {e.code, e.where.empty() ? std::move(place) : std::move(place) + ": " + e.where, e.message};
}

} // namespace policy_lab
