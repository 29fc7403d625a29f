// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/outcome.hpp>
#include <reheat/action/proof_of_death.hpp>
#include <reheat/action/request.hpp>
#include <reheat/driver/forwarding.hpp>
#include <reheat/engine/effects.hpp>

#include <concepts>
#include <exception>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

// What wrappers of drivers that return something are made of: functions with the names of a driver's, without a
// completion.

namespace reheat::inline REHEAT_ABI::detail {

// Calls one function of such a driver.

template <class D>
auto ask_function(function::describe, D& d, const request& r) -> decltype(d.describe(r)) {
    return d.describe(r);
}
template <class D>
auto ask_function(function::create, D& d, const request& r) -> decltype(d.create(r)) {
    return d.create(r);
}
template <class D>
auto ask_function(function::restart_service, D& d, const request& r) -> decltype(d.restart_service(r)) {
    return d.restart_service(r);
}
template <class D>
auto ask_function(function::reboot, D& d, const request& r) -> decltype(d.reboot(r)) {
    return d.reboot(r);
}
template <class D>
auto ask_function(function::rebuild, D& d, const request& r) -> decltype(d.rebuild(r)) {
    return d.rebuild(r);
}
template <class D>
auto ask_function(function::fence, D& d, const request& r) -> decltype(d.fence(r)) {
    return d.fence(r);
}
template <class D>
auto ask_function(function::forensics, D& d, const request& r) -> decltype(d.forensics(r)) {
    return d.forensics(r);
}
template <class D>
auto ask_function(function::recreate, D& d, const request& r, proof_of_death&& proof)
    -> decltype(d.recreate(r, std::move(proof))) {
    return d.recreate(r, std::move(proof));
}
template <class D>
auto ask_function(function::evacuate, D& d, const request& r, proof_of_death&& proof)
    -> decltype(d.evacuate(r, std::move(proof))) {
    return d.evacuate(r, std::move(proof));
}
template <class D>
auto ask_function(function::converge, D& d, const request& r, std::span<proof_of_death> proofs)
    -> decltype(d.converge(r, proofs)) {
    return d.converge(r, proofs);
}

/// The same for a call that was kept. What it needs of the call stays there.
template <class Function, class D>
auto ask_kept(Function f, D& d, call& c) {
    if constexpr (std::same_as<Function, function::converge>) {
        return ask_function(f, d, c.what, std::span{c.proofs});
    } else if constexpr (needs_proof(operation_of(Function{}))) {
        return ask_function(f, d, c.what, std::move(c.proofs.front()));
    } else {
        return ask_function(f, d, c.what);
    }
}

/// What a function of a driver returns; no type where it has none.
template <class D, class Function, class... Proofs>
using returned =
    decltype(ask_function(Function{}, std::declval<D&>(), std::declval<const request&>(), std::declval<Proofs>()...));

/// Whether a function exists, and returns what `Is` holds of.
template <class D, template <class> class Is, class Function, class... Proofs>
concept function_returns =
    requires { typename returned<D, Function, Proofs...>; } && Is<returned<D, Function, Proofs...>>::value;

/// Stands for the functions of `D` whose return types `Is` holds of.
template <class D, template <class> class Is>
struct returning {};

template <class D, template <class> class Is, class Function>
inline constexpr bool offers<returning<D, Is>, Function> = function_returns<D, Is, Function>;
template <class D, template <class> class Is>
inline constexpr bool offers<returning<D, Is>, function::recreate> =
    function_returns<D, Is, function::recreate, proof_of_death>;
template <class D, template <class> class Is>
inline constexpr bool offers<returning<D, Is>, function::evacuate> =
    function_returns<D, Is, function::evacuate, proof_of_death>;
template <class D, template <class> class Is>
inline constexpr bool offers<returning<D, Is>, function::converge> =
    function_returns<D, Is, function::converge, std::span<proof_of_death>>;

/// The answer of a function that was left by an exception: it may have done anything.
[[nodiscard]] inline outcome left_by_exception([[maybe_unused]] const char* what) noexcept {
    outcome o;
#if defined(__cpp_exceptions)
    try {
        o.reason = "it threw: ";
        o.reason += what;
    } catch (...) { // no memory: without a reason then
        o.reason.clear();
    }
#endif
    return o;
}

/// What `ask()` returns, or `unknown` if it threw.
template <class Ask>
[[nodiscard]] outcome answer_of(Ask&& ask) noexcept {
#if defined(__cpp_exceptions)
    try {
        return ask();
    } catch (const std::exception& thrown) {
        return left_by_exception(thrown.what());
    } catch (...) {
        return left_by_exception("no std::exception");
    }
#else
    return ask();
#endif
}

} // namespace reheat::inline REHEAT_ABI::detail
