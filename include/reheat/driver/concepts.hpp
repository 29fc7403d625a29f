// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/action/proof_of_death.hpp>
#include <reheat/action/request.hpp>
#include <reheat/driver/completion.hpp>

#include <concepts>
#include <span>
#include <type_traits>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// The functions a driver may have. Each takes a request and a completion and returns nothing: the answer is the
/// completion. The declaration that is wanted stands beside each name.
namespace function {
struct describe {};        // void describe(const reheat::request&, reheat::completion)
struct create {};          // void create(const reheat::request&, reheat::completion)
struct restart_service {}; // void restart_service(const reheat::request&, reheat::completion)
struct reboot {};          // void reboot(const reheat::request&, reheat::completion)
struct rebuild {};         // void rebuild(const reheat::request&, reheat::completion)
struct fence {};           // void fence(const reheat::request&, reheat::completion)
struct recreate {};        // void recreate(const reheat::request&, reheat::proof_of_death, reheat::completion)
struct evacuate {};        // void evacuate(const reheat::request&, reheat::proof_of_death, reheat::completion)
struct forensics {};       // void forensics(const reheat::request&, reheat::completion)
struct converge {}; // void converge(const reheat::request&, std::span<reheat::proof_of_death>, reheat::completion)
} // namespace function

/// The least a driver must have: to say what is. `describe` answers `done` with what was observed; a target that the
/// cloud does not know is `done` with `exists = false`; a cloud that does not answer is `unknown`.
template <class D>
concept cloud_driver = requires(D& d, const request& r, completion c) {
    { d.describe(r, std::move(c)) } -> std::same_as<void>;
};

/// It makes instances that have never been.
template <class D>
concept creates_instances = cloud_driver<D> && requires(D& d, const request& r, completion c) {
    { d.create(r, std::move(c)) } -> std::same_as<void>;
};

/// It restarts a service in its guest, through an agent.
template <class D>
concept restarts_services = cloud_driver<D> && requires(D& d, const request& r, completion c) {
    { d.restart_service(r, std::move(c)) } -> std::same_as<void>;
};

/// It boots the same machine again.
template <class D>
concept reboots_instances = cloud_driver<D> && requires(D& d, const request& r, completion c) {
    { d.reboot(r, std::move(c)) } -> std::same_as<void>;
};

/// It gives an instance a fresh root disk under the same identity.
template <class D>
concept rebuilds_instances = cloud_driver<D> && requires(D& d, const request& r, completion c) {
    { d.rebuild(r, std::move(c)) } -> std::same_as<void>;
};

/// It makes certain that an instance does not run, and answers `done` only once the power-off is confirmed.
template <class D>
concept fences_instances = cloud_driver<D> && requires(D& d, const request& r, completion c) {
    { d.fence(r, std::move(c)) } -> std::same_as<void>;
};

/// It makes a dead instance anew, with the volumes and fixed addresses of the old one.
template <class D>
concept recreates_instances = cloud_driver<D> && requires(D& d, const request& r, proof_of_death p, completion c) {
    { d.recreate(r, std::move(p), std::move(c)) } -> std::same_as<void>;
};

/// It starts a dead instance on another host.
template <class D>
concept evacuates_instances = cloud_driver<D> && requires(D& d, const request& r, proof_of_death p, completion c) {
    { d.evacuate(r, std::move(p), std::move(c)) } -> std::same_as<void>;
};

/// It keeps what a destructive action would destroy: a memory dump, a screenshot, a console log. Recovery does not wait
/// for it for longer than `policy::forensics`, whatever it answers.
template <class D>
concept collects_forensics = cloud_driver<D> && requires(D& d, const request& r, completion c) {
    { d.forensics(r, std::move(c)) } -> std::same_as<void>;
};

/// It brings a stack to what its template says; `proofs` names every instance that it may re-create.
template <class D>
concept converges_stacks =
    cloud_driver<D> && requires(D& d, const request& r, std::span<proof_of_death> proofs, completion c) {
        { d.converge(r, proofs, std::move(c)) } -> std::same_as<void>;
    };

/// Whether a driver has a function, with the wanted signature.
template <class D, class Function>
inline constexpr bool has_function = false;
template <class D>
inline constexpr bool has_function<D, function::describe> = cloud_driver<D>;
template <class D>
inline constexpr bool has_function<D, function::create> = creates_instances<D>;
template <class D>
inline constexpr bool has_function<D, function::restart_service> = restarts_services<D>;
template <class D>
inline constexpr bool has_function<D, function::reboot> = reboots_instances<D>;
template <class D>
inline constexpr bool has_function<D, function::rebuild> = rebuilds_instances<D>;
template <class D>
inline constexpr bool has_function<D, function::fence> = fences_instances<D>;
template <class D>
inline constexpr bool has_function<D, function::recreate> = recreates_instances<D>;
template <class D>
inline constexpr bool has_function<D, function::evacuate> = evacuates_instances<D>;
template <class D>
inline constexpr bool has_function<D, function::forensics> = collects_forensics<D>;
template <class D>
inline constexpr bool has_function<D, function::converge> = converges_stacks<D>;

} // namespace reheat::inline REHEAT_ABI
