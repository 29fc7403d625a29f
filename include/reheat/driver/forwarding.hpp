// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>
#include <reheat/driver/capabilities.hpp>

#include <concepts>
#include <span>
#include <utility>

// What wrappers of drivers are made of: every function handed to one place, with exactly the capabilities of the driver
// below.

namespace reheat::inline REHEAT_ABI {

/// A driver that also has something to do in time, as a limit that runs out or a call that waits. `poll` does what is
/// due and says when to come back; a time that is over means at once, for an outcome was delivered. It is called on the
/// thread that calls the functions. See `driven`.
template <class D>
concept timed_driver = cloud_driver<D> && requires(D& d, time_point now) {
    { d.poll(now) } -> std::same_as<time_point>;
};

/// A driver that can do less than its functions say, and tells what: `any_driver`, and what wraps one.
template <class D>
concept tells_capabilities = cloud_driver<D> && requires(const D& d) {
    { d.can() } -> std::same_as<capabilities>;
};

/// What this driver can do.
template <tells_capabilities D>
[[nodiscard]] capabilities capabilities_of(const D* driver) noexcept {
    return driver->can();
}

/// Functions of a driver, as a list.
template <class... Functions>
struct function_set {};

/// Those that a driver may have beside `describe`, and all.
using optional_functions =
    function_set<function::create, function::restart_service, function::reboot, function::rebuild, function::fence,
                 function::recreate, function::evacuate, function::forensics, function::converge>;
using all_functions =
    function_set<function::describe, function::create, function::restart_service, function::reboot, function::rebuild,
                 function::fence, function::recreate, function::evacuate, function::forensics, function::converge>;

namespace detail {

/// Whether a driver, or a list, has a function.
template <class Of, class Function>
inline constexpr bool offers = has_function<Of, Function>;
template <class... Functions, class Function>
inline constexpr bool offers<function_set<Functions...>, Function> = (std::same_as<Functions, Function> || ...);

[[nodiscard]] constexpr operation operation_of(function::describe) noexcept { return operation::describe; }
[[nodiscard]] constexpr operation operation_of(function::create) noexcept { return operation::create_instance; }
[[nodiscard]] constexpr operation operation_of(function::restart_service) noexcept {
    return operation::restart_service;
}
[[nodiscard]] constexpr operation operation_of(function::reboot) noexcept { return operation::reboot_instance; }
[[nodiscard]] constexpr operation operation_of(function::rebuild) noexcept { return operation::rebuild_instance; }
[[nodiscard]] constexpr operation operation_of(function::fence) noexcept { return operation::fence_instance; }
[[nodiscard]] constexpr operation operation_of(function::recreate) noexcept { return operation::recreate_instance; }
[[nodiscard]] constexpr operation operation_of(function::evacuate) noexcept { return operation::evacuate_instance; }
[[nodiscard]] constexpr operation operation_of(function::forensics) noexcept { return operation::collect_forensics; }
[[nodiscard]] constexpr operation operation_of(function::converge) noexcept { return operation::converge_stack; }

// Calls one function of a driver.

template <class D>
void call_function(function::describe, D& d, const request& r, completion done) {
    d.describe(r, std::move(done));
}
template <class D>
void call_function(function::create, D& d, const request& r, completion done) {
    d.create(r, std::move(done));
}
template <class D>
void call_function(function::restart_service, D& d, const request& r, completion done) {
    d.restart_service(r, std::move(done));
}
template <class D>
void call_function(function::reboot, D& d, const request& r, completion done) {
    d.reboot(r, std::move(done));
}
template <class D>
void call_function(function::rebuild, D& d, const request& r, completion done) {
    d.rebuild(r, std::move(done));
}
template <class D>
void call_function(function::fence, D& d, const request& r, completion done) {
    d.fence(r, std::move(done));
}
template <class D>
void call_function(function::forensics, D& d, const request& r, completion done) {
    d.forensics(r, std::move(done));
}
template <class D>
void call_function(function::recreate, D& d, const request& r, completion done, proof_of_death proof) {
    d.recreate(r, std::move(proof), std::move(done));
}
template <class D>
void call_function(function::evacuate, D& d, const request& r, completion done, proof_of_death proof) {
    d.evacuate(r, std::move(proof), std::move(done));
}
template <class D>
void call_function(function::converge, D& d, const request& r, completion done, std::span<proof_of_death> proofs) {
    d.converge(r, proofs, std::move(done));
}

/// The answer of a wrapper to a call that it does not pass on. Nothing changed; but a question that is not passed on
/// has no answer, since any other would say that the cloud answers.
[[nodiscard]] inline outcome not_passed_on(operation what, const char* reason, duration retry_after = {}) {
    outcome o = what == operation::describe ? outcome::unknown(reason) : outcome::refused(reason);
    o.retry_after = retry_after;
    return o;
}

struct nothing {};

} // namespace detail

/// The functions of a driver, exactly those that `Of` has (a driver, or a `function_set`), each handed to one place of
/// the class that derives from it:
///
///     template <class Function, class... Proofs>
///     void on_call(Function, const request&, completion, Proofs&&... proofs);
///
/// `proofs` is empty, or the `proof_of_death`, or the span of them. `detail::call_function` takes the same.
///
///     template <cloud_driver Driver>
///     class counted_driver : public driver_functions<counted_driver<Driver>, Driver> { … };
///
/// `Base` is what the functions are added to.
template <class Self, class Of, class Base = detail::nothing>
class driver_functions : public Base {
public:
    using Base::Base;

    void describe(const request& r, completion done)
        requires detail::offers<Of, function::describe>
    {
        self().on_call(function::describe{}, r, std::move(done));
    }
    void create(const request& r, completion done)
        requires detail::offers<Of, function::create>
    {
        self().on_call(function::create{}, r, std::move(done));
    }
    void restart_service(const request& r, completion done)
        requires detail::offers<Of, function::restart_service>
    {
        self().on_call(function::restart_service{}, r, std::move(done));
    }
    void reboot(const request& r, completion done)
        requires detail::offers<Of, function::reboot>
    {
        self().on_call(function::reboot{}, r, std::move(done));
    }
    void rebuild(const request& r, completion done)
        requires detail::offers<Of, function::rebuild>
    {
        self().on_call(function::rebuild{}, r, std::move(done));
    }
    void fence(const request& r, completion done)
        requires detail::offers<Of, function::fence>
    {
        self().on_call(function::fence{}, r, std::move(done));
    }
    void recreate(const request& r, proof_of_death proof, completion done)
        requires detail::offers<Of, function::recreate>
    {
        self().on_call(function::recreate{}, r, std::move(done), std::move(proof));
    }
    void evacuate(const request& r, proof_of_death proof, completion done)
        requires detail::offers<Of, function::evacuate>
    {
        self().on_call(function::evacuate{}, r, std::move(done), std::move(proof));
    }
    void forensics(const request& r, completion done)
        requires detail::offers<Of, function::forensics>
    {
        self().on_call(function::forensics{}, r, std::move(done));
    }
    void converge(const request& r, std::span<proof_of_death> proofs, completion done)
        requires detail::offers<Of, function::converge>
    {
        self().on_call(function::converge{}, r, std::move(done), proofs);
    }

private:
    [[nodiscard]] Self& self() noexcept { return static_cast<Self&>(*this); }
};

/// The base of a wrapper that refers to the driver below: its functions go to `on_call` of the class that derives from
/// it, the rest of what it has is passed on. It must not outlive that driver. Not movable. Threads: functions and
/// `poll` on one thread at a time, as the pipeline calls them.
///
///     template <cloud_driver Driver>
///     class counted_driver : public driver_wrapper<counted_driver<Driver>, Driver> {
///     public:
///         explicit counted_driver(Driver& below) : driver_wrapper<counted_driver, Driver>{below} {}
///         template <class Function, class... Proofs>
///         void on_call(Function f, const request& r, completion done, Proofs&&... proofs) {
///             ++calls;
///             this->pass_on(f, r, std::move(done), std::forward<Proofs>(proofs)...);
///         }
///         int calls = 0;
///     };
template <class Self, cloud_driver Driver>
class driver_wrapper : public driver_functions<Self, Driver> {
public:
    driver_wrapper(const driver_wrapper&) = delete;
    driver_wrapper& operator=(const driver_wrapper&) = delete;

    /// What the driver below can do, where only it knows.
    [[nodiscard]] capabilities can() const noexcept
        requires tells_capabilities<Driver>
    {
        return driver_->can();
    }
    /// What the driver below has to do in time.
    time_point poll(time_point now)
        requires timed_driver<Driver>
    {
        return driver_->poll(now);
    }

protected:
    explicit driver_wrapper(Driver& below) noexcept : driver_{&below} {}
    ~driver_wrapper() = default;

    [[nodiscard]] Driver& below() noexcept { return *driver_; }
    template <class Function, class... Proofs>
    void pass_on(Function f, const request& r, completion done, Proofs&&... proofs) {
        detail::call_function(f, *driver_, r, std::move(done), std::forward<Proofs>(proofs)...);
    }
    /// Polls the driver below, if it wants that.
    time_point poll_below([[maybe_unused]] time_point now) {
        if constexpr (timed_driver<Driver>) return driver_->poll(now);
        else return never;
    }

private:
    Driver* driver_;
};

} // namespace reheat::inline REHEAT_ABI
