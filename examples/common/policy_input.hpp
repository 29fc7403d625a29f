// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/node.hpp>
#include <reheat/core/result.hpp>
#include <reheat/recovery/lint_file.hpp>
#include <reheat/recovery/policy_reader.hpp>

#include <string>
#include <vector>

namespace common {

/// The JSON of a policy file, which is bounded and a file: a pipe that nobody writes into would never end. The error's
/// place is the file and line:column in it.
reheat::result<reheat::node> read_policy_json(const std::string& path);

/// A policy file. The error's place is the file and the path in it.
reheat::result<reheat::policy_file> load_policy(const std::string& path);

/// `$.rungs[0].verify: verify_shorter_than_grace 10: rung and sentence`.
std::string finding_line(const reheat::file_finding& f);
/// A list of objects.
std::string findings_json(const std::vector<reheat::file_finding>& found);

/// The limits of an engine do not change; the error's place is the first one that would.
reheat::result<void> check_same_limits(const reheat::limits& wanted, const reheat::limits& has);

} // namespace common
