// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/node.hpp>
#include <reheat/stack/resource_specs.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace reheat::inline REHEAT_ABI {

/// How far a resource, or a whole stack, is on its way into the world.
enum class creation_status : std::uint8_t { init, in_progress, complete, failed };

/// As Heat shows it.
[[nodiscard]] constexpr std::string_view to_string(creation_status status) noexcept {
    switch (status) {
    case creation_status::init: return "init_complete";
    case creation_status::in_progress: return "create_in_progress";
    case creation_status::complete: return "create_complete";
    case creation_status::failed: return "create_failed";
    }
    return "unknown";
}

/// Wanted: a new instance. Answer with `created` or `create_failed`. Holds secrets.
struct create_instance {
    std::string resource;
    std::string physical_name;
    instance_spec spec;
    node metadata; ///< functions resolved
};

/// Wanted: that this alarm is watched. Answer with `alarm_watched` or `create_failed`.
struct watch_alarm {
    std::string resource;
    std::string alarm_name; ///< what `Ref` gives and guests push to
    alarm_spec spec;        ///< its actions are the names of the restarters in the template
};

/// Told: a resource got further.
struct resource_changed {
    std::string resource;
    creation_status status{};
    std::string reason;
};

/// Told: the stack got further.
struct stack_changed {
    creation_status status{};
    std::string reason;
};

using creation_action = std::variant<create_instance, watch_alarm, resource_changed, stack_changed>;

/// The key pair of one `AWS::IAM::AccessKey`.
struct access_key {
    std::string id;
    std::string secret;
};

/// A function that makes the key pair for the access key resource of that name.
template <class T>
concept access_key_source = requires(T& source, std::string_view resource) {
    { source(resource) } -> std::same_as<access_key>;
};

} // namespace reheat::inline REHEAT_ABI
