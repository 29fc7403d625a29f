// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/any_driver.hpp>
#include <reheat/recovery/climbable.hpp>
#include <reheat/recovery/ladder.hpp>

#include <type_traits>

namespace reheat::inline REHEAT_ABI {

namespace detail {

template <class... Kept, class... More>
auto operator+(function_list<Kept...>, function_list<More...>) -> function_list<Kept..., More...>;
template <class... Functions>
auto as_set(function_list<Functions...>) -> function_set<Functions...>;

template <class Ladder, class... More>
struct any_for;
template <rung_type... Rungs, class... More>
struct any_for<ladder<Rungs...>, More...> {
    using needed = decltype(as_set((function_list<More...>{} + ... + functions_of<Rungs::what>{})));
    using type = typename any_with<needed, optional_functions>::type;
};

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
using any_driver_for = typename detail::any_for<std::remove_cvref_t<Ladder>, More...>::type;

} // namespace reheat::inline REHEAT_ABI
