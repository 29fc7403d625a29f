// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/driver/capabilities.hpp>
#include <reheat/recovery/ladder.hpp>

#include <cstddef>
#include <string>

namespace reheat::inline REHEAT_ABI {

/// Declared and never defined: naming it is how the compiler says which driver lacks which function for which rung. The
/// declaration that is wanted stands beside the function's name in `driver/concepts.hpp`.
template <class Driver, class Rung, class Function>
struct driver_lacks;

namespace detail {

template <class... Functions>
struct needed {};
template <operation What>
struct functions_of : needed<> {}; // what is none of a driver's needs none
template <>
struct functions_of<operation::create_instance> : needed<function::describe, function::create> {};
template <>
struct functions_of<operation::restart_service> : needed<function::describe, function::restart_service> {};
template <>
struct functions_of<operation::reboot_instance> : needed<function::describe, function::reboot> {};
template <>
struct functions_of<operation::rebuild_instance> : needed<function::describe, function::rebuild> {};
template <>
struct functions_of<operation::recreate_instance> : needed<function::describe, function::fence, function::recreate> {};
template <>
struct functions_of<operation::evacuate_instance> : needed<function::describe, function::fence, function::evacuate> {};
template <>
struct functions_of<operation::converge_stack> : needed<function::describe, function::fence, function::converge> {};

template <class Driver, class... Functions>
constexpr bool has_all(needed<Functions...>) {
    return (has_function<Driver, Functions> && ...);
}

template <class T>
struct lack {
    using type = T;
};

template <class Driver, class Rung, class First, class... Rest>
constexpr auto lack_of(needed<First, Rest...>) noexcept {
    if constexpr (has_function<Driver, First>) return lack_of<Driver, Rung>(needed<Rest...>{});
    else return lack<driver_lacks<Driver, Rung, First>>{};
}

/// Of the first rung that the driver can not climb, the first function that it lacks; the others would bury it.
template <class Driver>
constexpr auto first_lack() noexcept {
    return lack<char>{};
}
template <class Driver, class First, class... Rest>
constexpr auto first_lack() noexcept {
    if constexpr (has_all<Driver>(functions_of<First::what>{})) return first_lack<Driver, Rest...>();
    else return lack_of<Driver, First>(functions_of<First::what>{});
}

/// A `driver_lacks`, or something that has a size.
template <class Driver, class... Rungs>
using lacking = typename decltype(first_lack<Driver, Rungs...>())::type;

} // namespace detail

/// Whether a driver has every function that a rung needs.
template <class Rung, class Driver>
concept climbable_by = rung_type<Rung> && detail::has_all<Driver>(detail::functions_of<Rung::what>{});

/// Compiles if the driver has every function that the ladder's rungs need. If not, the first error names the driver,
/// the rung and the function.
template <class Driver, rung_type... Rungs>
constexpr void require_climbable(const ladder<Rungs...>&) noexcept {
    static_cast<void>(sizeof(detail::lacking<Driver, Rungs...>));
}

/// The same question for a policy that is only known at run time; the error names the rung and the operation.
[[nodiscard]] inline result<void> check_climbable(const policy& p, capabilities can) {
    for (std::size_t i = 0; i < p.size(); ++i) {
        const operation what = p.rungs()[i].what;
        const bool fence = needs_proof(what) && !can.has(operation::fence_instance);
        if (can.has(what) && !fence) continue;
        return error{errc::unsupported, "rung " + std::to_string(i),
                     "the driver has no function for " +
                         std::string{to_string(fence ? operation::fence_instance : what)}};
    }
    return {};
}

} // namespace reheat::inline REHEAT_ABI
