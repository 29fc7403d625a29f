// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// What a call to a driver came to.
enum class outcome_code : std::uint8_t {
    done,    ///< it happened
    failed,  ///< it was tried, and certainly nothing changed
    refused, ///< it was not tried, and certainly nothing changed
    unknown, ///< nobody knows: it is read back, and never repeated blindly
};

[[nodiscard]] constexpr std::string_view to_string(outcome_code c) noexcept {
    constexpr std::array<std::string_view, 4> names{"done", "failed", "refused", "unknown"};
    return names[c < outcome_code::unknown ? static_cast<std::size_t>(c) : 3];
}

/// What a driver saw of an instance while it worked. Leave out what was not looked at. A text of more than 255 bytes
/// counts as left out.
struct observed {
    std::optional<bool> exists{};
    std::optional<bool> running{};
    /// Whether the hypervisor that ran it said so, or an API that vouches for that host. Only then is "it does not
    /// exist" more than a 404.
    bool vouched = false;
    std::string cloud_id{}; ///< the id by which the cloud knows it; changes when it is re-created
    std::string boot_id{};  ///< changes with every boot
    std::string host{};
    std::string address{};
};

/// The answer of a driver to one call. `reason` is for people and goes into logs: never put a secret there.
struct outcome {
    outcome_code code = outcome_code::unknown;
    observed seen{};
    std::string reason{};
    duration retry_after{}; ///< how long the cloud asked to be left alone; zero if it did not

    [[nodiscard]] static outcome done(observed seen = {}) { return {outcome_code::done, std::move(seen), {}, {}}; }
    [[nodiscard]] static outcome failed(std::string reason) {
        return {outcome_code::failed, {}, std::move(reason), {}};
    }
    [[nodiscard]] static outcome refused(std::string reason) {
        return {outcome_code::refused, {}, std::move(reason), {}};
    }
    [[nodiscard]] static outcome unknown(std::string reason) {
        return {outcome_code::unknown, {}, std::move(reason), {}};
    }
};

} // namespace reheat::inline REHEAT_ABI
