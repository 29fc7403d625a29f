// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/recovery/lint_text.hpp>
#include <reheat/recovery/policy_reader.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// Something that `lint` found in a policy file.
struct file_finding {
    std::string path;      ///< in the file: `rungs[2].verify`, `limits.group.burst`
    std::string_view name; ///< of the `finding` or `limit_finding`
    std::int64_t number = 0;
    std::string text; ///< the place and one sentence with the number, for a person
};

/// Checks a policy file for what can only be a mistake, its policy first and then its limits. Empty: nothing found.
[[nodiscard]] inline std::vector<file_finding> lint(const policy_file& file, const lint_context& context = {}) {
    std::vector<file_finding> out;
    const lint_report of_rules = lint(file.rules(), context);
    const limits_report of_bounds = lint(file.bounds(), file.rules(), context);
    for (const lint_finding& f : of_rules.findings())
        out.push_back({path_of(f), to_string(f.what), f.number, to_text(file.rules(), f)});
    for (const limits_finding& f : of_bounds.findings())
        out.push_back({path_of(f), to_string(f.what), f.number, to_text(f)});
    return out;
}

} // namespace reheat::inline REHEAT_ABI
