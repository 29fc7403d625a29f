// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>

#include "fault_rates.hpp"
#include "fleet.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace policy_lab {

struct options {
    std::vector<std::string> policies{}; ///< files
    std::vector<std::string> presets{};  ///< names
    fleet_shape fleet{};
    fault_rates rates{};
    std::uint32_t days = 1000;
    std::uint64_t seed = 1;
    reheat::duration human = std::chrono::minutes{30};
    bool host_monitor = true;
    unsigned jobs = 1;
    std::string html{};
};

/// The options, or the code to exit with: what is wrong was said on stderr.
[[nodiscard]] std::variant<options, int> read_options(int argc, char** argv);

} // namespace policy_lab
