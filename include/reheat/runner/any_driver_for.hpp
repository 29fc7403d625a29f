// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/any_driver.hpp>
#include <reheat/driver/forwarding.hpp>
#include <reheat/recovery/climbable.hpp>
#include <reheat/recovery/ladder.hpp>

#include <concepts>
#include <type_traits>

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// What has every function but one.
template <class Function>
struct all_but {};
template <class Function, class Other>
inline constexpr bool offers<all_but<Function>, Other> = !std::same_as<Function, Other>;
template <class Function>
struct driver_without : driver_functions<driver_without<Function>, all_but<Function>> {};

/// What a ladder needs: the functions without which one of its rungs can not be climbed; and what else is named.
template <class Ladder, class... More>
struct needs_of;
template <rung_type... Rungs, class... More, class Function>
inline constexpr bool offers<needs_of<ladder<Rungs...>, More...>, Function> =
    (!climbable_by<Rungs, driver_without<Function>> || ...) || (std::same_as<More, Function> || ...);

} // namespace detail

/// The type-erased driver for a ladder: it has the functions that the ladder needs, and `More`. Which cloud it is can
/// be decided at run time; a cloud that can not climb the ladder does not compile.
///
///     constexpr ladder steps{reboot_instance{}, recreate_instance{}};
///     using my_driver = any_driver_for<decltype(steps)>; // has reboot, fence, recreate
///     my_driver choose(std::string_view cloud);
///     …
///     my_driver cloud = choose("libvirt");
///     pipeline ha{cloud, system_time{}, steps};
template <class Ladder, class... More>
using any_driver_for =
    typename detail::any_with<detail::needs_of<std::remove_cvref_t<Ladder>, More...>, optional_functions>::type;

} // namespace reheat::inline REHEAT_ABI
