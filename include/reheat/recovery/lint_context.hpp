// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// What a policy alone can not know, for `lint`: 0 means not known, and nothing is concluded from it.
///
///     constexpr auto here = lint_context{.boot_time = 4min, .period = 60s}.with_latency(operation::reboot_instance,
///     20s); static_assert(lint(steps, here).ok());
struct lint_context {
    duration boot_time{};       ///< from power-on to the first healthy report, for the slowest of the instances
    duration period{};          ///< of the alarm that watches the targets
    std::uint32_t periods = 1;  ///< how many of them have to breach before it is raised
    duration poll{};            ///< from one polled observation to the next
    std::uint32_t vantages = 0; ///< how many independent ones the targets have
    std::uint32_t targets = 0;  ///< how many share the limits of the engine
    std::array<duration, operation_count> latency{}; ///< of the driver: from the call to its outcome, at the slowest

    [[nodiscard]] constexpr lint_context with_latency(operation what, duration slowest) const noexcept {
        lint_context with = *this;
        with.latency[static_cast<std::size_t>(what)] = slowest;
        return with;
    }
    [[nodiscard]] constexpr duration latency_of(operation what) const noexcept {
        return latency[static_cast<std::size_t>(what)];
    }
};

} // namespace reheat::inline REHEAT_ABI
