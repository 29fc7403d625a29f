// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>
#include <reheat/driver/capabilities.hpp>
#include <reheat/driver/forwarding.hpp>

#include <concepts>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// A driver behind one table of functions.
class erased_driver {
public:
    erased_driver() = default;
    erased_driver(const erased_driver&) = delete;
    erased_driver& operator=(const erased_driver&) = delete;
    virtual ~erased_driver() = default;

    virtual void call(operation what, const request& r, completion done) = 0;
    virtual void call(operation what, const request& r, completion done, proof_of_death proof) = 0;
    virtual void call(operation what, const request& r, completion done, std::span<proof_of_death> proofs) = 0;
    [[nodiscard]] virtual time_point poll(time_point now) = 0;
    [[nodiscard]] virtual capabilities can() const noexcept = 0;
};

/// `D` is a driver, or a reference to one.
template <class D>
class erased final : public erased_driver {
    using driver = std::remove_reference_t<D>;

public:
    template <class... Args>
    explicit erased(Args&&... args) : driver_(std::forward<Args>(args)...) {}

    void call(operation what, const request& r, completion done) override {
        switch (what) {
        case operation::create_instance: return give(function::create{}, r, std::move(done));
        case operation::restart_service: return give(function::restart_service{}, r, std::move(done));
        case operation::reboot_instance: return give(function::reboot{}, r, std::move(done));
        case operation::rebuild_instance: return give(function::rebuild{}, r, std::move(done));
        case operation::fence_instance: return give(function::fence{}, r, std::move(done));
        case operation::collect_forensics: return give(function::forensics{}, r, std::move(done));
        default: return give(function::describe{}, r, std::move(done));
        }
    }
    void call(operation what, const request& r, completion done, proof_of_death proof) override {
        if (what == operation::evacuate_instance) give(function::evacuate{}, r, std::move(done), std::move(proof));
        else give(function::recreate{}, r, std::move(done), std::move(proof));
    }
    void call(operation, const request& r, completion done, std::span<proof_of_death> proofs) override {
        give(function::converge{}, r, std::move(done), proofs);
    }
    time_point poll([[maybe_unused]] time_point now) override {
        if constexpr (timed_driver<driver>) return driver_.poll(now);
        else return never;
    }
    [[nodiscard]] capabilities can() const noexcept override {
        return capabilities_of(static_cast<const driver*>(&driver_));
    }

private:
    template <class Function, class... Proofs>
    void give(Function f, const request& r, completion done, Proofs&&... proofs) {
        if constexpr (has_function<driver, Function>)
            call_function(f, static_cast<driver&>(driver_), r, std::move(done), std::forward<Proofs>(proofs)...);
        else done(outcome::refused("the driver has no such function"));
    }

    D driver_;
};

template <class T>
concept erasable = cloud_driver<std::remove_reference_t<T>> && !std::is_const_v<std::remove_reference_t<T>>;

/// What the type-erased drivers have in common.
template <class Self, class Functions>
class any_driver_base : public driver_functions<Self, Functions> {
    friend driver_functions<Self, Functions>;

public:
    /// What the driver in it has to do in time; `never` if nothing.
    time_point poll(time_point now) { return held_->poll(now); }

protected:
    any_driver_base(any_driver_base&&) noexcept = default;
    any_driver_base& operator=(any_driver_base&&) noexcept = default;
    ~any_driver_base() = default;

    explicit any_driver_base(std::unique_ptr<erased_driver> held) noexcept : held_{std::move(held)} {}
    [[nodiscard]] const erased_driver& held() const noexcept { return *held_; }

    template <class Driver>
    [[nodiscard]] static std::unique_ptr<erased_driver> erase(Driver&& d) {
        return std::make_unique<erased<Driver>>(std::forward<Driver>(d)); // an lvalue's `Driver` is a reference
    }

private:
    template <class Function, class... Proofs>
    void on_call(Function f, const request& r, completion done, Proofs&&... proofs) {
        held_->call(operation_of(f), r, std::move(done), std::forward<Proofs>(proofs)...);
    }

    std::unique_ptr<erased_driver> held_;
};

} // namespace detail

/// A driver of whatever type, with the functions that are named and `describe`, no more and no less: a ladder is
/// checked against it at compile time, and only a driver that has them all goes in. It refers to an lvalue, which
/// outlives it, owns an rvalue, or makes its driver in place. Move-only; empty, and not to be called, once it was moved
/// from. Threads: as of the driver in it.
///
///     using my_driver = basic_any_driver<function::reboot, function::fence, function::recreate>;
///     my_driver choose(std::string_view cloud); // in a .cpp that alone knows the clouds
template <class... Functions>
class basic_any_driver
    : public detail::any_driver_base<basic_any_driver<Functions...>, function_set<function::describe, Functions...>> {
    using base =
        detail::any_driver_base<basic_any_driver<Functions...>, function_set<function::describe, Functions...>>;
    template <class D>
    static constexpr bool fits = (has_function<std::remove_reference_t<D>, Functions> && ...);

public:
    template <class Driver>
        requires detail::erasable<Driver> &&
                 (!std::same_as<std::remove_cvref_t<Driver>, basic_any_driver>) && fits<Driver>
    explicit basic_any_driver(Driver&& driver) : base{base::erase(std::forward<Driver>(driver))} {}
    template <cloud_driver Driver, class... Args>
        requires std::constructible_from<Driver, Args...> && fits<Driver>
    explicit basic_any_driver(std::in_place_type_t<Driver>, Args&&... args)
        : base{std::make_unique<detail::erased<Driver>>(std::forward<Args>(args)...)} {}
};

/// Any driver: it has every function, and refuses those that the driver in it lacks, as a pipeline would. What it can
/// do is asked at run time (`can`, `capabilities_of(&driver)`), for a policy that is read at run time:
///
///     any_driver cloud = name == "libvirt" ? any_driver{std::in_place_type<libvirt_driver>, uri} : any_driver{mine};
///     if (auto can = check_climbable(rules, capabilities_of(&cloud)); !can) return fail(can.error());
///     pipeline ha{cloud, system_time{}, rules};
///
/// Where the ladder is a constant, `basic_any_driver` or `any_driver_for` says the same at compile time. What it holds,
/// how it moves, and threads: as of `basic_any_driver`.
class any_driver : public detail::any_driver_base<any_driver, all_functions> {
public:
    template <class Driver>
        requires detail::erasable<Driver> && (!std::same_as<std::remove_cvref_t<Driver>, any_driver>)
    explicit any_driver(Driver&& driver) : any_driver_base{erase(std::forward<Driver>(driver))} {}
    template <cloud_driver Driver, class... Args>
        requires std::constructible_from<Driver, Args...>
    explicit any_driver(std::in_place_type_t<Driver>, Args&&... args)
        : any_driver_base{std::make_unique<detail::erased<Driver>>(std::forward<Args>(args)...)} {}

    /// What the driver in it can do.
    [[nodiscard]] capabilities can() const noexcept { return held().can(); }
};

namespace detail {

/// Of some functions, those that a driver or a list has, in their order.
template <class Of, class From, class... Kept>
struct any_with {
    using type = basic_any_driver<Kept...>;
};
template <class Of, class First, class... Rest, class... Kept>
struct any_with<Of, function_set<First, Rest...>, Kept...>
    : std::conditional_t<offers<Of, First>, any_with<Of, function_set<Rest...>, Kept..., First>,
                         any_with<Of, function_set<Rest...>, Kept...>> {};

} // namespace detail

/// The type-erased driver with exactly the functions of `Driver`.
template <cloud_driver Driver>
using any_driver_like = typename detail::any_with<Driver, optional_functions>::type;

/// Makes that of a driver: it refers to an lvalue and owns an rvalue.
template <class Driver>
    requires detail::erasable<Driver>
[[nodiscard]] auto make_any_driver(Driver&& driver) {
    return any_driver_like<std::remove_reference_t<Driver>>{std::forward<Driver>(driver)};
}

} // namespace reheat::inline REHEAT_ABI
