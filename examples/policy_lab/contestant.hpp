// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/recovery/policy_reader.hpp>

#include <memory>
#include <string>
#include <vector>

namespace policy_lab {

struct options;

/// A policy with its limits, and the name that it has in the table.
struct contestant {
    std::string name;
    std::string what; ///< a line on what it is
    reheat::policy rules{};
    reheat::limits bounds{};
    bool own = false;
    std::unique_ptr<const reheat::policy_file> file{}; ///< owns what `rules` refers to
};

/// The presets that it is compared with unless told otherwise.
[[nodiscard]] std::vector<std::string> usual_presets();
/// All names, for people.
[[nodiscard]] std::string known_presets();

/// The policies of the files first, then the presets, in the order in which they were named. Errors: a file that is no
/// policy, with the place; a preset that is not known; none at all.
[[nodiscard]] reheat::result<std::vector<contestant>> contestants_of(const options& from);

} // namespace policy_lab
