// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>
#include <reheat/driver/concepts.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace reheat::inline REHEAT_ABI::testing {

/// What a rule of the conformance kit asks of the fixture: a machine to try things on, or an error where it can not be
/// had. It must be up when `make` returns, unless `running` is false.
struct wanted_target {
    /// Unlike that of any other in this run; `make` may choose another such name, for machines that boot ahead.
    std::string name{};
    bool running = true;        ///< false: the cloud has never made it, and `create` will
    bool service = false;       ///< with a service that the driver can restart; name it in `test_target::services`
    bool volume = false;        ///< with a volume that outlives the machine, and `marker` written on it
    bool fixed_address = false; ///< with an address that outlives the machine
    bool stack = false;         ///< as part of a stack of its own; name it in `test_target::stack`
    std::string marker{};       ///< a short ASCII text without blanks, another one for each target
};

/// A machine that a fixture has made, in the words that requests will have for it.
struct test_target {
    std::string name{};                  ///< `request::name` and `request::instance`
    std::string cloud_id{};              ///< `request::cloud_id`: the cloud's id of it now; empty if it has none yet
    std::string stack{};                 ///< `request::stack`; empty if it has none
    std::vector<std::string> services{}; ///< what `request::service` may name
};

/// A volume as it is attached, seen from outside the driver.
struct volume_seen {
    std::string id{};
    std::string content{}; ///< the marker that is on it; empty where the fixture can not read it

    friend bool operator==(const volume_seen&, const volume_seen&) = default;
};

/// How long the kit waits. All are in the time that `pump` lets pass; none is a bar that a driver has to clear.
struct fixture_limits {
    duration answer = std::chrono::minutes{5}; ///< for the answer to one call
    duration boot = std::chrono::minutes{10};  ///< for a machine to be up after a rung
    duration quiet = std::chrono::seconds{5};  ///< how long it looks for what must not happen
    duration step = std::chrono::seconds{1};   ///< the longest that it lets pass between two looks
};

/// What the conformance kit needs around a driver: it makes targets, and looks at them by another way than the driver,
/// so that a driver that lies is caught. These functions are required:
///
///     Driver& driver();                               // the same object until `restart_driver`
///     result<test_target> make(const wanted_target&); // blocks until it is up; an error: it can not make such a one
///     void dispose(const test_target&);               // ends it and all that belongs to it, in any state
///     std::size_t running_copies(const test_target&); // how many run now: the newest, and older ones that still do
///     void pump(duration);                            // moves virtual time, or runs an event loop, or sleeps, for so
///                                                     // long; it may return earlier
///
/// Each of those of `fixture_function` is optional: leave out what you can not do, and the rules that need it are
/// reported `not run`. One that returns `bool` or a `result` may also say no for one target; that is `not run`, too.
/// A fixture is used by one thread. `mock_fixture` is a complete example.
template <class F>
concept driver_fixture = requires(F& f, const wanted_target& want, const test_target& t, duration d) {
    requires std::is_lvalue_reference_v<decltype(f.driver())>;
    requires cloud_driver<std::remove_reference_t<decltype(f.driver())>>;
    { f.make(want) } -> std::same_as<result<test_target>>;
    { f.dispose(t) } -> std::same_as<void>;
    { f.running_copies(t) } -> std::convertible_to<std::size_t>;
    { f.pump(d) } -> std::same_as<void>;
};

/// The optional functions of a fixture. The declaration that is wanted stands in `declaration_of`.
enum class fixture_function : std::uint8_t {
    // break the target
    power_off,       ///< switched off from outside: it is there, and does not run
    crash,           ///< it ends by itself: its process is killed, or its kernel panics for good
    hang,            ///< the guest stands still, its agent too, and has power
    kill_service,    ///< that service ends or stands still, and the guest runs
    remove,          ///< the cloud does not know it any more, and it does not run
    block_power_off, ///< on: no power-off of it works, however it is asked; the machine runs on
    // break the way to the cloud
    cut_api,      ///< on: no call gets through
    slow_api,     ///< answers take that much longer; zero: as usual
    lose_answers, ///< on: what is asked for happens, and the answer is lost
    throttle_api, ///< calls are refused, and the cloud asks to be left alone for so long; zero: as usual
    // look from outside
    ready,        ///< whether the guest is up and its services run; without it: whether a copy runs
    cloud_id,     ///< the cloud's id of the newest copy
    boot_id,      ///< what changes with every boot and never else; empty: it can not be read now
    host,         ///< where it runs
    root_marker,  ///< a text on the root disk that is written once when that is made; empty: it can not be read now
    service_runs, ///< whether that service runs
    volumes,      ///< those that are attached to the newest copy
    addresses,    ///< fixed addresses of the newest copy, and of its network cards
    peak_copies,  ///< how many ran at the same time at most, since it was made; without it the kit looks between pumps
    // more of the driver
    second_driver,  ///< another driver on the same cloud, which knows nothing of what the first was told
    restart_driver, ///< ends the driver as a program does that shuts down, calls in flight or not, and makes a new one
    fence_methods,  ///< the names of `request::method` that the driver knows
    make_foreign,   ///< a machine of the same cloud that is not the driver's to touch
    // settings
    secrets, ///< texts that the driver knows and must never tell: passwords, tokens
    limits,  ///< how long the kit waits
    now,     ///< engine time, for deadlines; without it: the system's clock
    absent,  ///< why the cloud itself has no such thing; empty: it has. See `may_be_absent`
};

inline constexpr std::size_t fixture_function_count = 27;

/// What a cloud may honestly not have: a hypervisor's own interface never throttles. Where a fixture says by `absent`
/// why there is no such thing, the rule is not applicable, and the report tells the reason; for everything else, what
/// the fixture can not do is not run.
[[nodiscard]] constexpr bool may_be_absent(fixture_function f) noexcept {
    switch (f) {
    case fixture_function::block_power_off:
    case fixture_function::slow_api:
    case fixture_function::lose_answers:
    case fixture_function::throttle_api:
    case fixture_function::volumes:
    case fixture_function::addresses:
    case fixture_function::fence_methods:
    case fixture_function::secrets: return true;
    default: return false;
    }
}

/// The C++ that a fixture has to write for an optional function.
[[nodiscard]] constexpr std::string_view declaration_of(fixture_function f) noexcept {
    switch (f) {
    case fixture_function::power_off: return "bool power_off(const test_target&)";
    case fixture_function::crash: return "bool crash(const test_target&)";
    case fixture_function::hang: return "bool hang(const test_target&)";
    case fixture_function::kill_service: return "bool kill_service(const test_target&, std::string_view service)";
    case fixture_function::remove: return "bool remove(const test_target&)";
    case fixture_function::block_power_off: return "bool block_power_off(const test_target&, bool on)";
    case fixture_function::cut_api: return "bool cut_api(bool on)";
    case fixture_function::slow_api: return "bool slow_api(duration longer)";
    case fixture_function::lose_answers: return "bool lose_answers(bool on)";
    case fixture_function::throttle_api: return "bool throttle_api(duration retry_after)";
    case fixture_function::ready: return "bool ready(const test_target&)";
    case fixture_function::cloud_id: return "std::string cloud_id(const test_target&)";
    case fixture_function::boot_id: return "std::string boot_id(const test_target&)";
    case fixture_function::host: return "std::string host(const test_target&)";
    case fixture_function::root_marker: return "std::string root_marker(const test_target&)";
    case fixture_function::service_runs: return "bool service_runs(const test_target&, std::string_view service)";
    case fixture_function::volumes: return "std::vector<volume_seen> volumes(const test_target&)";
    case fixture_function::addresses: return "std::vector<std::string> addresses(const test_target&)";
    case fixture_function::peak_copies: return "std::size_t peak_copies(const test_target&)";
    case fixture_function::second_driver: return "Driver& second_driver()";
    case fixture_function::restart_driver: return "bool restart_driver()";
    case fixture_function::fence_methods: return "std::vector<std::string> fence_methods()";
    case fixture_function::make_foreign: return "result<test_target> make_foreign(const wanted_target&)";
    case fixture_function::secrets: return "std::vector<std::string> secrets()";
    case fixture_function::limits: return "fixture_limits limits()";
    case fixture_function::now: return "time_point now()";
    case fixture_function::absent: return "std::string absent(fixture_function)";
    }
    return {};
}

} // namespace reheat::inline REHEAT_ABI::testing
