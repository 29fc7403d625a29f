// SPDX-License-Identifier: MIT
// reheat 0.1.0 in one header. Made by tools/amalgamate from include/; do not edit.
#pragma once

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

// file: reheat/reheat.hpp

// Everything that needs no package. Adapters, the guest APIs, the simulator and the testing kit are included by those
// who want them.

// file: reheat/version.hpp

/// The version of the library, one number for each part.
#define REHEAT_VERSION_MAJOR 0
#define REHEAT_VERSION_MINOR 1
#define REHEAT_VERSION_PATCH 0

// file: reheat/config.hpp

/// The inline namespace that every name lives in. It carries the version and each mode that changes code, so that two
/// copies of the library, of different versions or built in different modes, can be linked into one program.
#if defined(__cpp_exceptions)
#define REHEAT_ABI v0_1_0
#else
#define REHEAT_ABI v0_1_0_nx
#endif

// file: reheat/action/operation.hpp

namespace reheat::inline REHEAT_ABI {

/// What a target is. A service runs on an instance, an instance is part of a stack.
enum class level : std::uint8_t { service, instance, stack };

[[nodiscard]] constexpr std::string_view to_string(level l) noexcept {
    constexpr std::array<std::string_view, 3> names{"service", "instance", "stack"};
    return names[static_cast<std::size_t>(l)];
}

/// The closed list of things that can be done to a cloud. Each is one function of a driver.
enum class operation : std::uint8_t {
    none,
    describe,          ///< read back what is; changes nothing
    create_instance,   ///< make an instance that has never been
    restart_service,   ///< restart a service in its guest
    reboot_instance,   ///< the same machine, the same disks, a new boot
    rebuild_instance,  ///< a fresh root disk under the same identity
    fence_instance,    ///< make certain that it does not run; nothing is deleted
    recreate_instance, ///< a new machine with the kept volumes and addresses; needs a proof of death
    evacuate_instance, ///< the same machine on another host; needs a proof of death
    converge_stack, ///< bring every resource of a stack to what its template says; needs proofs for what it re-creates
    page,           ///< call a human
};

[[nodiscard]] constexpr std::string_view to_string(operation o) noexcept {
    constexpr std::array<std::string_view, 11> names{"none",
                                                     "describe",
                                                     "create_instance",
                                                     "restart_service",
                                                     "reboot_instance",
                                                     "rebuild_instance",
                                                     "fence_instance",
                                                     "recreate_instance",
                                                     "evacuate_instance",
                                                     "converge_stack",
                                                     "page"};
    return names[static_cast<std::size_t>(o)];
}

/// The level of the target that an operation acts upon.
[[nodiscard]] constexpr level level_of(operation o) noexcept {
    switch (o) {
    case operation::restart_service: return level::service;
    case operation::converge_stack: return level::stack;
    default: return level::instance;
    }
}

/// Whether an operation may start a second copy of something that still runs.
[[nodiscard]] constexpr bool needs_proof(operation o) noexcept {
    return o == operation::recreate_instance || o == operation::evacuate_instance || o == operation::converge_stack;
}

/// Whether an outcome that nobody knows must be read back before anything else is done to the target.
[[nodiscard]] constexpr bool is_destructive(operation o) noexcept {
    return needs_proof(o) || o == operation::rebuild_instance || o == operation::create_instance;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/action/loss.hpp

namespace reheat::inline REHEAT_ABI {

/// Things that an instance has, as a set of flags: what an operation loses, and what an instance must keep.
enum class asset : std::uint8_t {
    none = 0,
    memory = 1,            ///< what runs, and what it holds in RAM
    ephemeral_disk = 2,    ///< the root disk and every disk that dies with the machine
    volumes = 4,           ///< attached volumes
    fixed_addresses = 8,   ///< addresses in the tenant's network
    public_addresses = 16, ///< floating addresses
    identity = 32,         ///< the id by which the cloud knows it
};

[[nodiscard]] constexpr asset operator|(asset a, asset b) noexcept {
    return static_cast<asset>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
[[nodiscard]] constexpr asset operator&(asset a, asset b) noexcept {
    return static_cast<asset>(static_cast<std::uint8_t>(a) & static_cast<std::uint8_t>(b));
}

inline constexpr asset memory = asset::memory;
inline constexpr asset ephemeral_disk = asset::ephemeral_disk;
inline constexpr asset volumes = asset::volumes;
inline constexpr asset fixed_addresses = asset::fixed_addresses;
inline constexpr asset public_addresses = asset::public_addresses;
inline constexpr asset identity = asset::identity;

/// What an operation destroys when it goes as documented. No operation loses volumes or addresses: a driver that can
/// not keep them must refuse the call.
[[nodiscard]] constexpr asset loss_of(operation o) noexcept {
    switch (o) {
    case operation::reboot_instance:
    case operation::fence_instance:
    case operation::evacuate_instance: return asset::memory;
    case operation::rebuild_instance: return asset::memory | asset::ephemeral_disk;
    case operation::recreate_instance:
    case operation::converge_stack: return asset::memory | asset::ephemeral_disk | asset::identity;
    default: return asset::none;
    }
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/time.hpp

namespace reheat::inline REHEAT_ABI {

/// Engine time: nanoseconds of UTC since 1970 that never go back. The clock has no `now()`: a time source makes the
/// values (`system_time`, `manual_clock`, `scaled_clock`), so the core can not read a clock by accident.
struct engine_clock {
    using rep = std::int64_t;
    using period = std::nano;
    using duration = std::chrono::nanoseconds;
    using time_point = std::chrono::time_point<engine_clock>;
    static constexpr bool is_steady = true;
};

using duration = engine_clock::duration;
using time_point = engine_clock::time_point;

/// Later than every time that can happen: "nothing is due".
inline constexpr time_point never = (time_point::max)();

/// `at + by`, held at `never` where the sum would overflow.
[[nodiscard]] constexpr time_point after(time_point at, duration by) noexcept {
    return by > duration::zero() && at > never - by ? never : at + by;
}

[[nodiscard]] constexpr time_point earlier(time_point a, time_point b) noexcept { return b < a ? b : a; }
[[nodiscard]] constexpr time_point later(time_point a, time_point b) noexcept { return a < b ? b : a; }

} // namespace reheat::inline REHEAT_ABI

// file: reheat/action/outcome.hpp

namespace reheat::inline REHEAT_ABI {

/// What a call to a driver came to.
enum class outcome_code : std::uint8_t {
    done,    ///< it happened
    failed,  ///< it was tried, and certainly nothing changed
    refused, ///< it was not tried, and certainly nothing changed
    unknown, ///< nobody knows: it is read back, and never repeated blindly
};

[[nodiscard]] constexpr std::string_view to_string(outcome_code c) noexcept {
    switch (c) {
    case outcome_code::done: return "done";
    case outcome_code::failed: return "failed";
    case outcome_code::refused: return "refused";
    case outcome_code::unknown: return "unknown";
    }
    return "unknown";
}

/// What a driver saw of an instance while it worked. Leave out what was not looked at.
struct observed {
    std::optional<bool> exists;
    std::optional<bool> running;
    std::string cloud_id; ///< the id by which the cloud knows it; changes when it is re-created
    std::string boot_id;  ///< changes with every boot
    std::string host;
    std::string address;
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

// file: reheat/core/ids.hpp

namespace reheat::inline REHEAT_ABI {

/// A target: a service, an instance or a stack. Dense, never reused while the engine lives.
enum class target_id : std::uint32_t {};

/// An incident: one failure of one target, from its opening to its end.
enum class incident_id : std::uint32_t {};

/// A recovery policy known to an engine.
enum class policy_id : std::uint16_t {};

/// One operation on the cloud: one intent in the journal, at most one call, one outcome.
enum class op_id : std::uint64_t {};

/// The reign of a controller. A driver that sees a smaller epoch than it has seen before refuses the call.
enum class epoch : std::uint64_t {};

/// The place of a record in the journal; the first record is 1.
enum class sequence : std::uint64_t {};

/// One alarm watched on one target: the group of equal rules in the high half, the row in it in the low half.
enum class watch_id : std::uint64_t {};

inline constexpr target_id no_target{0xffff'ffffU};
inline constexpr incident_id no_incident{0xffff'ffffU};
inline constexpr op_id no_op{0};
inline constexpr sequence no_sequence{0};
inline constexpr watch_id no_watch{0xffff'ffff'ffff'ffffULL};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/action/proof_of_death.hpp

namespace reheat::inline REHEAT_ABI {

class engine;

namespace testing {
struct proof_mint;
} // namespace testing

/// Why an instance is certainly not running.
enum class proof_kind : std::uint8_t {
    fenced,        ///< the fence device or the hypervisor confirmed the power-off
    absent,        ///< the hypervisor that ran it, or an API that vouches for that host, says it is gone
    lease_expired, ///< its lease, its watchdog and a margin are over, and the watchdog is tied to that lease
    confirmed,     ///< a named operator says so
};

[[nodiscard]] constexpr std::string_view to_string(proof_kind k) noexcept {
    switch (k) {
    case proof_kind::fenced: return "fenced";
    case proof_kind::absent: return "absent";
    case proof_kind::lease_expired: return "lease_expired";
    case proof_kind::confirmed: return "confirmed";
    }
    return "unknown";
}

/// The right to start another copy of an instance: it names one incident and one target, expires, and is spent by the
/// call that it is moved into. Only the engine makes one. It can not be copied, assigned or default-constructed.
class proof_of_death {
public:
    proof_of_death(proof_of_death&& other) noexcept
        : kind_{other.kind_}, incident_{std::exchange(other.incident_, no_incident)},
          target_{std::exchange(other.target_, no_target)},
          expires_{std::exchange(other.expires_, (time_point::min)())} {}
    proof_of_death(const proof_of_death&) = delete;
    proof_of_death& operator=(const proof_of_death&) = delete;
    proof_of_death& operator=(proof_of_death&&) = delete;
    ~proof_of_death() = default;

    [[nodiscard]] proof_kind kind() const noexcept { return kind_; }
    [[nodiscard]] incident_id incident() const noexcept { return incident_; }
    [[nodiscard]] target_id target() const noexcept { return target_; }
    [[nodiscard]] time_point expires() const noexcept { return expires_; }
    /// Whether it speaks for that target in that incident, at that time. A proof that was moved from speaks for none.
    [[nodiscard]] bool speaks_for(incident_id incident, target_id target, time_point at) const noexcept {
        return incident_ == incident && target_ == target && target != no_target && at < expires_;
    }

private:
    friend class engine;
    friend struct testing::proof_mint;

    proof_of_death(proof_kind kind, incident_id incident, target_id target, time_point expires) noexcept
        : kind_{kind}, incident_{incident}, target_{target}, expires_{expires} {}

    proof_kind kind_;
    incident_id incident_;
    target_id target_;
    time_point expires_;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/action/request.hpp

namespace reheat::inline REHEAT_ABI {

/// What a driver is told of the operation it is to carry out. The views are valid until the function returns: copy what
/// is needed later.
struct request {
    op_id op{};
    std::uint64_t key = 0; ///< idempotency key: equal for a repeat of the same intent, and for nothing else
    epoch reign{};         ///< refuse a call whose epoch is smaller than one seen before
    operation what = operation::none;
    target_id target = no_target;
    std::string_view name;       ///< the target's name
    std::string_view cloud_id;   ///< the cloud's id of the instance, as last observed; empty if never
    std::string_view service;    ///< the service to restart; empty for every other operation
    std::string_view instance;   ///< the name of the instance: the target itself, or the one the service runs on
    std::string_view stack;      ///< the name of its stack; empty if it has none
    time_point deadline = never; ///< past it the engine takes the outcome for unknown and reads back
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/comparison.hpp

namespace reheat::inline REHEAT_ABI {

/// How a period's statistic (on the left) is compared with the threshold; the names are CloudWatch's.
enum class comparison : std::uint8_t { greater_than, greater_than_or_equal, less_than, less_than_or_equal };

[[nodiscard]] constexpr std::string_view to_string(comparison c) noexcept {
    switch (c) {
    case comparison::greater_than: return "GreaterThanThreshold";
    case comparison::greater_than_or_equal: return "GreaterThanOrEqualToThreshold";
    case comparison::less_than: return "LessThanThreshold";
    case comparison::less_than_or_equal: return "LessThanOrEqualToThreshold";
    }
    return "unknown";
}

/// A policy that says whether a value breaches a threshold.
template <class C>
concept comparison_policy = std::equality_comparable<C> && requires(const C& c, double value, double threshold) {
    { c(value, threshold) } noexcept -> std::same_as<bool>;
    { c.kind() } noexcept -> std::same_as<comparison>;
};

/// The comparison chosen at run time.
struct any_comparison {
    comparison which = comparison::less_than;

    [[nodiscard]] constexpr bool operator()(double value, double threshold) const noexcept {
        switch (which) {
        case comparison::greater_than: return value > threshold;
        case comparison::greater_than_or_equal: return value >= threshold;
        case comparison::less_than: return value < threshold;
        case comparison::less_than_or_equal: return value <= threshold;
        }
        return false;
    }
    [[nodiscard]] constexpr comparison kind() const noexcept { return which; }
    friend constexpr bool operator==(any_comparison, any_comparison) noexcept = default;
};

/// A comparison fixed at compile time.
template <comparison Kind>
struct basic_comparison {
    constexpr bool operator()(double value, double threshold) const noexcept {
        return any_comparison{Kind}(value, threshold);
    }
    static constexpr comparison kind() noexcept { return Kind; }
    friend constexpr bool operator==(basic_comparison, basic_comparison) noexcept { return true; }
};

using greater_than = basic_comparison<comparison::greater_than>;
using greater_than_or_equal = basic_comparison<comparison::greater_than_or_equal>;
using less_than = basic_comparison<comparison::less_than>;
using less_than_or_equal = basic_comparison<comparison::less_than_or_equal>;

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/state.hpp

namespace reheat::inline REHEAT_ABI {

/// The state of an alarm.
enum class alarm_state : std::uint8_t { insufficient_data, ok, alarm };

[[nodiscard]] constexpr std::string_view to_string(alarm_state s) noexcept {
    switch (s) {
    case alarm_state::insufficient_data: return "insufficient_data";
    case alarm_state::ok: return "ok";
    case alarm_state::alarm: return "alarm";
    }
    return "unknown";
}

/// How periods without a sample count; the names are CloudWatch's. `ignore` keeps the state.
enum class missing_data : std::uint8_t { missing, breaching, not_breaching, ignore };

/// What a period without a sample is to SampleCount and Sum: CloudWatch has no datapoint then, Heat has 0.
enum class empty_period : std::uint8_t { counts_missing, counts_zero };

/// One change of one alarm.
struct transition {
    watch_id watch;
    target_id target;
    alarm_state from;
    alarm_state to;
    time_point at; ///< the end of the newest period that was evaluated
    double value;  ///< the newest period's statistic; NaN if it had no datapoint
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/error.hpp

namespace reheat::inline REHEAT_ABI {

/// What went wrong, for a program to switch on.
enum class errc : std::uint8_t {
    invalid_argument, ///< a value outside its documented range
    syntax,           ///< text that is not of its grammar
    not_found,        ///< a name that nobody has
    already_exists,   ///< a name that somebody has
    unsupported,      ///< well-formed, and not offered here
    limit_exceeded,   ///< larger, deeper or longer than allowed
    cycle,            ///< things that wait for each other
    denied,           ///< not allowed to this caller
    unavailable,      ///< the other side did not answer
    io,               ///< the operating system said no
};

[[nodiscard]] constexpr std::string_view to_string(errc code) noexcept {
    switch (code) {
    case errc::invalid_argument: return "invalid_argument";
    case errc::syntax: return "syntax";
    case errc::not_found: return "not_found";
    case errc::already_exists: return "already_exists";
    case errc::unsupported: return "unsupported";
    case errc::limit_exceeded: return "limit_exceeded";
    case errc::cycle: return "cycle";
    case errc::denied: return "denied";
    case errc::unavailable: return "unavailable";
    case errc::io: return "io";
    }
    return "unknown";
}

/// An error as a value. `where` names the place (a JSON path, `line:column`, a target's name; empty if there is none),
/// `message` says what was found there and what was expected. Neither ever holds a secret.
struct error {
    errc code{};
    std::string where;
    std::string message;

    friend bool operator==(const error&, const error&) = default;
};

/// `where: message`, for a person to read.
[[nodiscard]] inline std::string to_string(const error& e) {
    return e.where.empty() ? e.message : e.where + ": " + e.message;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/result.hpp

namespace reheat::inline REHEAT_ABI {

/// A value or an error; nothing is thrown. Reading the value of an error, or the error of a value, is undefined.
///
///     if (auto r = parse_duration("60s"); r) wait(*r); else report(r.error());
template <class T>
class [[nodiscard]] result {
public:
    using value_type = T;

    template <class U = T>
        requires std::is_constructible_v<T, U> && (!std::is_same_v<std::remove_cvref_t<U>, result>) &&
                 (!std::is_same_v<std::remove_cvref_t<U>, reheat::error>)
    result(U&& value) : state_{std::in_place_index<0>, std::forward<U>(value)} {} // NOLINT(google-explicit-constructor)
    result(reheat::error e) : state_{std::in_place_index<1>, std::move(e)} {}     // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T& operator*() & noexcept { return *std::get_if<0>(&state_); }
    [[nodiscard]] const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
    [[nodiscard]] T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
    [[nodiscard]] T* operator->() noexcept { return std::get_if<0>(&state_); }
    [[nodiscard]] const T* operator->() const noexcept { return std::get_if<0>(&state_); }

    [[nodiscard]] reheat::error& error() & noexcept { return *std::get_if<1>(&state_); }
    [[nodiscard]] const reheat::error& error() const& noexcept { return *std::get_if<1>(&state_); }
    [[nodiscard]] reheat::error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

    template <class U>
    [[nodiscard]] T value_or(U&& other) const& {
        return has_value() ? **this : static_cast<T>(std::forward<U>(other));
    }

private:
    std::variant<T, reheat::error> state_;
};

/// Success, or an error.
template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;

    result() noexcept = default;
    result(reheat::error e) : error_{std::move(e)} {} // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
    [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] reheat::error& error() & noexcept { return *error_; }
    [[nodiscard]] const reheat::error& error() const& noexcept { return *error_; }
    [[nodiscard]] reheat::error&& error() && noexcept { return std::move(*error_); }

private:
    std::optional<reheat::error> error_;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/metric/sample.hpp

namespace reheat::inline REHEAT_ABI {

/// One reading of a metric: when it was received, and its value in the metric's unit.
struct sample {
    time_point at;
    double value;
};

/// The value of a heartbeat. Only that it arrives counts; Heat's guests send 1.
inline constexpr double heartbeat = 1.0;

} // namespace reheat::inline REHEAT_ABI

// file: reheat/metric/statistic.hpp

namespace reheat::inline REHEAT_ABI {

/// What a period's samples are reduced to; the names are CloudWatch's.
enum class statistic : std::uint8_t { sample_count, sum, average, minimum, maximum };

[[nodiscard]] constexpr std::string_view to_string(statistic s) noexcept {
    switch (s) {
    case statistic::sample_count: return "SampleCount";
    case statistic::sum: return "Sum";
    case statistic::average: return "Average";
    case statistic::minimum: return "Minimum";
    case statistic::maximum: return "Maximum";
    }
    return "unknown";
}

/// A policy that reduces samples. `accumulator` is the state of one period: empty when value-initialised, small, and
/// trivially copyable. `value` is asked only of a period that has samples.
///
///     static_assert(statistic_policy<sample_count>);
template <class S>
concept statistic_policy =
    std::equality_comparable<S> && requires(const S& s, typename S::accumulator& a, double value) {
        { s.add(a, value) } noexcept;
        { s.count(a) } noexcept -> std::convertible_to<std::uint32_t>;
        { s.value(a) } noexcept -> std::same_as<double>;
        { s.kind() } noexcept -> std::same_as<statistic>;
    };

namespace detail {

struct count_accumulator {
    std::uint32_t count = 0;
};

struct full_accumulator {
    double sum = 0;
    double minimum = 0;
    double maximum = 0;
    std::uint32_t count = 0;

    constexpr void add(double value) noexcept {
        sum += value;
        if (count == 0 || value < minimum) minimum = value;
        if (count == 0 || value > maximum) maximum = value;
        if (count != UINT32_MAX) ++count;
    }

    [[nodiscard]] constexpr double value(statistic s) const noexcept {
        switch (s) {
        case statistic::sample_count: return count;
        case statistic::sum: return sum;
        case statistic::average: return sum / count;
        case statistic::minimum: return minimum;
        case statistic::maximum: return maximum;
        }
        return 0;
    }
};

} // namespace detail

/// How many samples. Saturates at 2^32 - 1.
struct sample_count {
    using accumulator = detail::count_accumulator;
    static constexpr void add(accumulator& a, double) noexcept {
        if (a.count != UINT32_MAX) ++a.count;
    }
    static constexpr std::uint32_t count(const accumulator& a) noexcept { return a.count; }
    static constexpr double value(const accumulator& a) noexcept { return a.count; }
    static constexpr statistic kind() noexcept { return statistic::sample_count; }
    friend constexpr bool operator==(sample_count, sample_count) noexcept { return true; }
};

/// One of the five statistics, fixed at compile time; it keeps the same accumulator as `any_statistic`.
template <statistic Kind>
struct basic_statistic {
    using accumulator = detail::full_accumulator;
    static constexpr void add(accumulator& a, double value) noexcept { a.add(value); }
    static constexpr std::uint32_t count(const accumulator& a) noexcept { return a.count; }
    static constexpr double value(const accumulator& a) noexcept { return a.value(Kind); }
    static constexpr statistic kind() noexcept { return Kind; }
    friend constexpr bool operator==(basic_statistic, basic_statistic) noexcept { return true; }
};

using sum = basic_statistic<statistic::sum>;
using average = basic_statistic<statistic::average>;
using minimum = basic_statistic<statistic::minimum>;
using maximum = basic_statistic<statistic::maximum>;

/// The statistic chosen at run time, for alarms that come from a template.
struct any_statistic {
    using accumulator = detail::full_accumulator;
    statistic which = statistic::sample_count;

    static constexpr void add(accumulator& a, double value) noexcept { a.add(value); }
    static constexpr std::uint32_t count(const accumulator& a) noexcept { return a.count; }
    [[nodiscard]] constexpr double value(const accumulator& a) const noexcept { return a.value(which); }
    [[nodiscard]] constexpr statistic kind() const noexcept { return which; }
    friend constexpr bool operator==(any_statistic, any_statistic) noexcept = default;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/metric/window.hpp

namespace reheat::inline REHEAT_ABI {

/// Where periods begin.
enum class alignment : std::uint8_t {
    grid,  ///< at multiples of the period in UTC, begin included and end excluded, as CloudWatch does
    watch, ///< at the moment the target was watched; a sample on a border belongs to both periods, so that each
           ///< evaluation sees exactly the samples whose age is at most one period, as Heat's watch rule does
};

/// The shape of a metric window: which statistic, over which period, aligned how. A value shared by many targets; the
/// samples themselves are in a `window_ring` for each target.
template <statistic_policy Statistic>
struct window {
    using statistic_type = Statistic;

    Statistic statistic{};
    duration period = std::chrono::seconds{60};
    alignment align = alignment::grid;

    friend constexpr bool operator==(const window&, const window&) = default;
};

/// A window shape, whatever its statistic.
template <class W>
concept window_policy = statistic_policy<typename W::statistic_type> && requires(const W& w) {
    { w.period } -> std::convertible_to<duration>;
    { w.align } -> std::convertible_to<alignment>;
};

namespace detail {

/// Which period a time falls in, where periods begin at `phase + n * length`.
struct period_grid {
    std::int64_t length;
    std::int64_t phase;

    [[nodiscard]] constexpr std::int64_t index(time_point t) const noexcept {
        const std::int64_t at = t.time_since_epoch().count();
        const std::int64_t quotient = at % length < 0 ? at / length - 1 : at / length;
        const std::int64_t rest = at % length < 0 ? at % length + length : at % length;
        return rest < phase ? quotient - 1 : quotient;
    }
    /// Held at the ends of time where the product would overflow.
    [[nodiscard]] constexpr time_point begin(std::int64_t index) const noexcept {
        if (index > (INT64_MAX - phase) / length) return (time_point::max)();
        if (index < INT64_MIN / length) return (time_point::min)();
        return time_point{duration{phase + index * length}};
    }
    [[nodiscard]] constexpr bool on_border(time_point t) const noexcept { return begin(index(t)) == t; }
};

/// The accumulators of the last periods of one target, in memory that the caller owns. Periods are named by their index
/// in the grid; `newest` is the youngest that has been written.
template <statistic_policy Statistic>
class window_ring {
public:
    using accumulator = typename Statistic::accumulator;

    window_ring(std::span<accumulator> slots, std::int64_t& newest) noexcept : slots_{slots}, newest_{&newest} {}

    /// Adds a sample to a period. One older than the ring is dropped: the evaluation that wanted it is over.
    void add(const Statistic& s, std::int64_t period, double value) noexcept {
        advance(period);
        if (*newest_ - period < static_cast<std::int64_t>(slots_.size())) s.add(slot(period), value);
    }

    [[nodiscard]] accumulator at(std::int64_t period) const noexcept {
        if (period > *newest_ || *newest_ - period >= static_cast<std::int64_t>(slots_.size())) return {};
        return slot(period);
    }

private:
    void advance(std::int64_t period) noexcept {
        if (period <= *newest_) return;
        std::int64_t first = *newest_ + 1;
        if (period - first >= static_cast<std::int64_t>(slots_.size()))
            first = period - static_cast<std::int64_t>(slots_.size()) + 1;
        for (std::int64_t p = first; p <= period; ++p) slot(p) = accumulator{};
        *newest_ = period;
    }

    [[nodiscard]] accumulator& slot(std::int64_t period) const noexcept {
        const auto size = static_cast<std::int64_t>(slots_.size());
        const std::int64_t place = period % size;
        return slots_[static_cast<std::size_t>(place < 0 ? place + size : place)];
    }

    std::span<accumulator> slots_;
    std::int64_t* newest_;
};

} // namespace detail

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/alarm.hpp

namespace reheat::inline REHEAT_ABI {

/// An alarm's rule, shared by all targets that are watched with an equal one. Structure is in the types (which
/// statistic, which comparison; or `any_statistic` and `any_comparison`, chosen at run time), numbers are in values.
///
///     alarm<window<sample_count>, less_than> silent{
///         .of = {.period = 60s}, .threshold = 1, .empty = empty_period::counts_zero};
template <window_policy Window, comparison_policy Comparison>
struct alarm {
    using window_type = Window;
    using statistic_type = typename Window::statistic_type;
    using comparison_type = Comparison;

    Window of{};
    Comparison compare{};
    double threshold = 0;
    std::uint16_t evaluation_periods = 1;  ///< N, 1 to 1,440
    std::uint16_t datapoints_to_alarm = 0; ///< M, at most N; 0 means N
    missing_data treat_missing = missing_data::missing;
    empty_period empty = empty_period::counts_missing;
    /// The alarm stays `insufficient_data` until its first sample or until this long after the watch began.
    duration grace = std::chrono::seconds{600};

    friend constexpr bool operator==(const alarm&, const alarm&) = default;
};

/// The rule of an alarm that is only known at run time. The same template, the same code.
using any_alarm = alarm<window<any_statistic>, any_comparison>;

namespace detail {
template <class T>
inline constexpr bool is_alarm = false;
template <class Window, class Comparison>
inline constexpr bool is_alarm<alarm<Window, Comparison>> = true;
} // namespace detail

/// A rule that a `fleet` can hold.
template <class A>
concept alarm_rule = detail::is_alarm<A>;

/// Raised by silence: `SampleCount < 1` over a period, an empty period counting zero. What Heat's template for an
/// instance says.
///
///     pipeline.watch(db, heartbeat_alarm{.period = 60s});
struct heartbeat_alarm {
    duration period = std::chrono::seconds{60};
    std::uint16_t evaluation_periods = 1;
    duration grace = std::chrono::seconds{600};

    [[nodiscard]] constexpr alarm<window<sample_count>, less_than> rule() const noexcept {
        return {.of = {.statistic = {}, .period = period, .align = alignment::grid},
                .compare = {},
                .threshold = 1,
                .evaluation_periods = evaluation_periods,
                .datapoints_to_alarm = 0,
                .treat_missing = missing_data::breaching,
                .empty = empty_period::counts_zero,
                .grace = grace};
    }
};

/// Whether a rule's numbers are inside their bounds; the error says which is not.
template <alarm_rule Rule>
[[nodiscard]] result<void> validate(const Rule& rule) {
    if (rule.of.period < std::chrono::seconds{1} || rule.of.period > std::chrono::hours{24 * 7})
        return error{errc::invalid_argument, "period", "expected 1 s to 7 days"};
    if (rule.evaluation_periods < 1 || rule.evaluation_periods > 1'440)
        return error{errc::invalid_argument, "evaluation_periods", "expected 1 to 1440"};
    if (rule.datapoints_to_alarm > rule.evaluation_periods)
        return error{errc::invalid_argument, "datapoints_to_alarm", "expected at most evaluation_periods"};
    if (!(rule.threshold >= -1e300 && rule.threshold <= 1e300))
        return error{errc::invalid_argument, "threshold", "expected a finite number"};
    if (rule.grace < duration::zero()) return error{errc::invalid_argument, "grace", "expected no negative duration"};
    return {};
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/evaluate.hpp

namespace reheat::inline REHEAT_ABI {

/// What an evaluation counted: periods asked for (`evaluation_periods`, N), breaching ones that raise (M), and of the
/// periods in range those with a datapoint and those of them that breach.
struct evaluation {
    std::uint32_t periods = 1;
    std::uint32_t datapoints_to_alarm = 1;
    std::uint32_t real = 0;
    std::uint32_t breaching = 0;
};

/// M out of N over a strict range (exactly N periods, nothing behind them), with the four treatments of missing data.
/// Strict, because looking back behind N costs a liveness alarm up to two periods of detection time.
[[nodiscard]] constexpr alarm_state evaluate(const evaluation& e, missing_data treat, alarm_state before) noexcept {
    const std::uint32_t missing = e.periods > e.real ? e.periods - e.real : 0;
    const std::uint32_t filled = treat == missing_data::breaching ? e.breaching + missing : e.breaching;
    if (filled >= e.datapoints_to_alarm) return alarm_state::alarm;
    if (e.real == 0 && treat == missing_data::missing) return alarm_state::insufficient_data;
    if (e.real == 0 && treat == missing_data::ignore) return before;
    const bool only_breaching = e.real != 0 && e.real == e.breaching && missing != 0;
    if (only_breaching && treat == missing_data::missing) return alarm_state::insufficient_data;
    if (only_breaching && treat == missing_data::ignore) return before;
    return alarm_state::ok;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/fleet.hpp

namespace reheat::inline REHEAT_ABI {

/// The narrow interface between a group of equal alarms and the engine, called in batches. One thread at a time.
class alarm_group {
public:
    alarm_group() = default;
    alarm_group(const alarm_group&) = delete;
    alarm_group& operator=(const alarm_group&) = delete;
    virtual ~alarm_group() = default;

    /// Begins to watch a target; `row` counts up from 0. Allocates.
    virtual std::uint32_t add(target_id target, time_point watched_at) = 0;
    /// Records a sample. Never allocates; a sample older than the window, or NaN, is dropped.
    virtual void push(std::uint32_t row, time_point at, double value) noexcept = 0;
    /// Evaluates what is due at `now` and appends the transitions, in row order.
    virtual void evaluate(std::uint32_t group, time_point now, std::vector<transition>& out) = 0;
    /// When something is due next.
    [[nodiscard]] virtual time_point next() const noexcept = 0;
    [[nodiscard]] virtual alarm_state state(std::uint32_t row) const noexcept = 0;
};

/// All targets that are watched with one rule. A row is the alarm's state and its window, both in flat arrays, and the
/// whole group has one deadline: periods are aligned.
template <alarm_rule Rule>
class fleet final : public alarm_group {
public:
    using statistic_type = typename Rule::statistic_type;
    using accumulator = typename statistic_type::accumulator;

    /// `phase` is where periods begin, as an offset below the period; 0 for `alignment::grid`.
    fleet(const Rule& rule, duration phase) noexcept
        : rule_{rule}, phase_{phase}, grid_{rule.of.period.count(), phase.count()},
          extent_{static_cast<std::size_t>(rule.evaluation_periods) + 2} {}

    [[nodiscard]] const Rule& rule() const noexcept { return rule_; }
    [[nodiscard]] duration phase() const noexcept { return phase_; }
    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }

    std::uint32_t add(target_id target, time_point watched_at) override {
        const auto row = static_cast<std::uint32_t>(rows_.size());
        const std::int64_t current = grid_.index(watched_at);
        // A period that began before its target was watched says nothing.
        rows_.push_back({target, grid_.on_border(watched_at) ? current : current + 1, current, watched_at});
        slots_.resize(slots_.size() + extent_);
        const time_point first = grid_.begin(rows_.back().first_period + 1);
        if (first < next_) next_ = first;
        return row;
    }

    void push(std::uint32_t row, time_point at, double value) noexcept override {
        if (row >= rows_.size() || value != value) return;
        row_state& r = rows_[row];
        r.heard = true;
        detail::window_ring<statistic_type> ring{slots(row), r.newest};
        const std::int64_t period = grid_.index(at);
        ring.add(rule_.of.statistic, period, value);
        if (rule_.of.align == alignment::watch && grid_.begin(period) == at)
            ring.add(rule_.of.statistic, period - 1, value);
    }

    void evaluate(std::uint32_t group, time_point now, std::vector<transition>& out) override {
        if (now < next_) return;
        const std::int64_t current = grid_.index(now);
        for (std::uint32_t row = 0; row < rows_.size(); ++row) evaluate_row(group, row, current, out);
        next_ = rows_.empty() ? never : grid_.begin(current + 1);
    }

    [[nodiscard]] time_point next() const noexcept override { return next_; }
    [[nodiscard]] alarm_state state(std::uint32_t row) const noexcept override {
        return row < rows_.size() ? rows_[row].state : alarm_state::insufficient_data;
    }

private:
    struct row_state {
        target_id target;
        std::int64_t first_period;
        std::int64_t newest;
        time_point watched_at;
        alarm_state state = alarm_state::insufficient_data;
        bool heard = false;
    };

    [[nodiscard]] std::span<accumulator> slots(std::uint32_t row) noexcept {
        return std::span<accumulator>{slots_}.subspan(row * extent_, extent_);
    }

    void evaluate_row(std::uint32_t group, std::uint32_t row, std::int64_t current, std::vector<transition>& out) {
        row_state& r = rows_[row];
        const time_point at = grid_.begin(current);
        if (current <= r.first_period) return;
        if (!r.heard && at < after(r.watched_at, rule_.grace)) return;

        const detail::window_ring<statistic_type> ring{slots(row), r.newest};
        const std::uint32_t periods = rule_.evaluation_periods;
        evaluation e{periods, rule_.datapoints_to_alarm == 0 ? periods : rule_.datapoints_to_alarm, 0, 0};
        double newest = std::numeric_limits<double>::quiet_NaN();
        for (std::int64_t p = current - 1; p >= r.first_period && p > current - 1 - static_cast<std::int64_t>(periods);
             --p) {
            const accumulator a = ring.at(p);
            if (rule_.of.statistic.count(a) == 0 && !zero_when_empty()) continue;
            const double value = rule_.of.statistic.count(a) == 0 ? 0.0 : rule_.of.statistic.value(a);
            if (p == current - 1) newest = value;
            ++e.real;
            if (rule_.compare(value, rule_.threshold)) ++e.breaching;
        }
        // Periods before the watch are no evidence of anything, so they are not missing either.
        if (current - r.first_period < static_cast<std::int64_t>(e.periods))
            e.periods = static_cast<std::uint32_t>(current - r.first_period);

        const alarm_state to = reheat::evaluate(e, rule_.treat_missing, r.state);
        if (to == r.state) return;
        out.push_back({static_cast<watch_id>(std::uint64_t{group} << 32U | row), r.target, r.state, to, at, newest});
        r.state = to;
    }

    [[nodiscard]] bool zero_when_empty() const noexcept {
        const statistic kind = rule_.of.statistic.kind();
        return rule_.empty == empty_period::counts_zero && (kind == statistic::sample_count || kind == statistic::sum);
    }

    Rule rule_;
    duration phase_;
    detail::period_grid grid_;
    std::size_t extent_;
    time_point next_ = never;
    std::vector<row_state> rows_;
    std::vector<accumulator> slots_;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/node.hpp

namespace reheat::inline REHEAT_ABI {

/// A value of a structured text (JSON, later YAML), as a library's parser read it. The core never parses such text
/// itself: an adapter fills a `node`, everything else reads nodes. Members keep the order of the text.
class node {
public:
    enum class kind : std::uint8_t { null, boolean, number, string, array, object };
    using member = std::pair<std::string, node>;

    node() noexcept = default;
    [[nodiscard]] static node boolean(bool value) {
        node n{kind::boolean};
        n.text_ = value ? "true" : "false";
        return n;
    }
    /// `literal` is the number as it stood in the text, so that nothing is lost by rounding.
    [[nodiscard]] static node number(std::string literal) {
        node n{kind::number};
        n.text_ = std::move(literal);
        return n;
    }
    [[nodiscard]] static node string(std::string text) {
        node n{kind::string};
        n.text_ = std::move(text);
        return n;
    }
    [[nodiscard]] static node array(std::vector<node> items = {}) {
        node n{kind::array};
        n.items_ = std::move(items);
        return n;
    }
    [[nodiscard]] static node object(std::vector<member> members = {}) {
        node n{kind::object};
        n.members_ = std::move(members);
        return n;
    }

    [[nodiscard]] kind type() const noexcept { return kind_; }
    [[nodiscard]] bool is_null() const noexcept { return kind_ == kind::null; }
    [[nodiscard]] bool is_string() const noexcept { return kind_ == kind::string; }
    [[nodiscard]] bool is_array() const noexcept { return kind_ == kind::array; }
    [[nodiscard]] bool is_object() const noexcept { return kind_ == kind::object; }
    /// A string, a number or a boolean.
    [[nodiscard]] bool is_scalar() const noexcept {
        return kind_ == kind::string || kind_ == kind::number || kind_ == kind::boolean;
    }

    /// The text of a scalar: a string's content, a number's literal, `true` or `false`; empty for everything else.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// The items of an array; empty for everything else.
    [[nodiscard]] const std::vector<node>& items() const noexcept { return items_; }
    [[nodiscard]] std::vector<node>& items() noexcept { return items_; }
    /// The members of an object in the order of the text; empty for everything else.
    [[nodiscard]] const std::vector<member>& members() const noexcept { return members_; }
    [[nodiscard]] std::vector<member>& members() noexcept { return members_; }

    /// The member of that name, or null.
    [[nodiscard]] const node* find(std::string_view name) const noexcept {
        for (const member& m : members_) {
            if (m.first == name) return &m.second;
        }
        return nullptr;
    }

    friend bool operator==(const node&, const node&) = default;

private:
    explicit node(kind k) noexcept : kind_{k} {}

    kind kind_ = kind::null;
    std::string text_;
    std::vector<node> items_;
    std::vector<member> members_;
};

[[nodiscard]] constexpr std::string_view to_string(node::kind k) noexcept {
    switch (k) {
    case node::kind::null: return "null";
    case node::kind::boolean: return "a boolean";
    case node::kind::number: return "a number";
    case node::kind::string: return "a string";
    case node::kind::array: return "a list";
    case node::kind::object: return "an object";
    }
    return "unknown";
}

/// Bounds for reading text from outside. Past one of them the reader gives `errc::limit_exceeded` and keeps nothing.
struct read_limits {
    std::size_t bytes = std::size_t{1} << 20U;
    std::size_t depth = 64;
    std::size_t nodes = 100'000;
};

/// A type that reads JSON text into a `node`, or gives an error whose `where` is `line:column`. It refuses a member
/// name that stands twice in one object, and anything after the value. `adapters/nlohmann_json.hpp` has one.
template <class T>
concept json_reader = requires(const T& reader, std::string_view text, const read_limits& limits) {
    { reader.read(text, limits) } -> std::same_as<result<node>>;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/text.hpp

namespace reheat::inline REHEAT_ABI {

namespace detail {

struct duration_unit {
    std::string_view name;
    std::int64_t nanoseconds;
};

inline constexpr std::array<duration_unit, 8> duration_units{{{"ns", 1},
                                                              {"us", 1'000},
                                                              {"ms", 1'000'000},
                                                              {"s", 1'000'000'000},
                                                              {"min", 60'000'000'000},
                                                              {"m", 60'000'000'000},
                                                              {"h", 3'600'000'000'000},
                                                              {"d", 86'400'000'000'000}}};

inline void append_two_digits(std::string& out, std::int64_t value) {
    out += static_cast<char>('0' + value / 10 % 10);
    out += static_cast<char>('0' + value % 10);
}

inline void append_fraction(std::string& out, std::int64_t nanoseconds) {
    if (nanoseconds == 0) return;
    std::string digits = std::to_string(1'000'000'000 + nanoseconds);
    digits[0] = '.';
    while (digits.back() == '0') digits.pop_back();
    out += digits;
}

} // namespace detail

/// Reads a duration: one or more of a number and a unit (`ns us ms s min m h d`), as in `60s`, `1h30m`, `1.5s`.
/// A number without a unit, a sign, a blank or an unknown unit is an error; so is more than 36,500 days.
[[nodiscard]] inline result<duration> parse_duration(std::string_view text) {
    constexpr std::int64_t most = std::int64_t{36'500} * 86'400'000'000'000; // 100 years; twice that is in range
    const auto bad = [text](std::string_view what) {
        return error{
            errc::syntax, {}, "'" + std::string{text.substr(0, 64)} + "' is not a duration: " + std::string{what}};
    };
    if (text.empty()) return bad("expected a number and a unit, as in 60s");
    std::int64_t total = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        std::int64_t whole = 0;
        std::int64_t fraction = 0; // in 1e-9 units
        const std::size_t begin = at;
        for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
            if (whole > most / 10) return bad("too long");
            whole = whole * 10 + (text[at] - '0');
        }
        if (at == begin) return bad("expected a digit");
        if (at < text.size() && text[at] == '.') {
            std::int64_t scale = 100'000'000;
            const std::size_t dot = at++;
            for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
                fraction += scale * (text[at] - '0');
            if (at == dot + 1) return bad("expected a digit after the point");
        }
        const std::size_t unit_begin = at;
        while (at < text.size() && text[at] >= 'a' && text[at] <= 'z') ++at;
        const std::string_view unit = text.substr(unit_begin, at - unit_begin);
        std::int64_t factor = 0;
        for (const detail::duration_unit& u : detail::duration_units) {
            if (u.name == unit) factor = u.nanoseconds;
        }
        if (factor == 0) return bad("expected a unit (ns us ms s min h d)");
        if (whole > most / factor) return bad("too long");
        total += whole * factor +
                 (factor >= 1'000'000'000 ? fraction * (factor / 1'000'000'000) : fraction / (1'000'000'000 / factor));
        if (total > most) return bad("too long");
    }
    return duration{total};
}

/// A duration in its largest whole units: `0s`, `90s` as `1m30s`, `1h`, `1.5s`. `parse_duration` reads it back.
[[nodiscard]] inline std::string format_duration(duration d) {
    std::string out;
    std::int64_t ns = d.count();
    if (ns < 0) out += '-';
    std::uint64_t rest = ns < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
    const auto part = [&](std::uint64_t unit, const char* name) {
        if (rest < unit) return;
        out += std::to_string(rest / unit);
        out += name;
        rest %= unit;
    };
    part(86'400'000'000'000U, "d");
    part(3'600'000'000'000U, "h");
    part(60'000'000'000U, "m");
    if (rest != 0 || ns == 0) {
        out += std::to_string(rest / 1'000'000'000U);
        detail::append_fraction(out, static_cast<std::int64_t>(rest % 1'000'000'000U));
        out += 's';
    }
    return out;
}

/// A time as ISO 8601 in UTC, `2026-11-23T21:30:00Z`, with a fraction only where there is one.
[[nodiscard]] inline std::string format_time(time_point t) {
    const auto since = t.time_since_epoch();
    const auto day = std::chrono::floor<std::chrono::days>(since);
    const std::chrono::year_month_day date{std::chrono::sys_days{day}};
    // Not `since - day`: the first day that a time_point can name begins before the first time.
    constexpr std::int64_t a_day = 86'400'000'000'000;
    const std::int64_t of_day = (since.count() % a_day + a_day) % a_day;
    const auto second = of_day / 1'000'000'000;
    std::string out = std::to_string(static_cast<int>(date.year()));
    while (out.size() < 4) out.insert(out.begin(), '0');
    out += '-';
    detail::append_two_digits(out, static_cast<unsigned>(date.month()));
    out += '-';
    detail::append_two_digits(out, static_cast<unsigned>(date.day()));
    out += 'T';
    detail::append_two_digits(out, second / 3600);
    out += ':';
    detail::append_two_digits(out, second / 60 % 60);
    out += ':';
    detail::append_two_digits(out, second % 60);
    detail::append_fraction(out, of_day % 1'000'000'000);
    out += 'Z';
    return out;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/driver/completion.hpp

namespace reheat::inline REHEAT_ABI {

/// Where outcomes go: the inbox of a runner, or the counter of a conformance test. It lives as long as anybody refers
/// to it; `deliver` may be called from any thread.
class completion_sink {
public:
    completion_sink() noexcept = default;
    completion_sink(const completion_sink&) = delete;
    completion_sink& operator=(const completion_sink&) = delete;

    /// Takes the outcome of an operation. The first of an operation counts; `repeated` marks a second call of one
    /// completion.
    virtual void deliver(op_id op, outcome&& result, bool repeated) noexcept = 0;

    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

protected:
    virtual ~completion_sink() = default;

private:
    std::atomic<std::uint32_t> references_{1};
};

/// The answer sheet of one operation: concrete, move-only, 24 bytes, no allocation. Call it once, from any thread,
/// inline or later. Destroyed uncalled it delivers `unknown`. Called after its runner is gone it does nothing. One
/// completion is used by one thread at a time; different ones are independent.
///
///     void reboot(const request& r, completion done) { done(outcome::done()); }
class completion {
public:
    completion(op_id op, completion_sink& sink) noexcept : sink_{&sink}, op_{op} { sink_->retain(); }
    completion(completion&& other) noexcept
        : sink_{std::exchange(other.sink_, nullptr)}, op_{other.op_}, called_{other.called_} {}
    completion& operator=(completion&& other) noexcept {
        if (this != &other) {
            reset();
            sink_ = std::exchange(other.sink_, nullptr);
            op_ = other.op_;
            called_ = other.called_;
        }
        return *this;
    }
    completion(const completion&) = delete;
    completion& operator=(const completion&) = delete;
    ~completion() { reset(); }

    /// Delivers the outcome. A second call changes nothing and is reported as an event.
    void operator()(outcome result) noexcept {
        if (sink_ == nullptr) return;
        sink_->deliver(op_, std::move(result), std::exchange(called_, true));
    }

    [[nodiscard]] op_id op() const noexcept { return op_; }

private:
    void reset() noexcept {
        if (sink_ == nullptr) return;
        // Nothing is allocated: the text is short enough for every small-string buffer.
        if (!called_) sink_->deliver(op_, outcome::unknown("abandoned"), false);
        sink_->release();
        sink_ = nullptr;
    }

    completion_sink* sink_;
    op_id op_;
    bool called_ = false;
};

static_assert(sizeof(completion) <= 40);

} // namespace reheat::inline REHEAT_ABI

// file: reheat/driver/concepts.hpp

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
inline constexpr bool has_function<D, function::converge> = converges_stacks<D>;

} // namespace reheat::inline REHEAT_ABI

// file: reheat/driver/capabilities.hpp

namespace reheat::inline REHEAT_ABI {

/// The set of operations that a driver can carry out.
class capabilities {
public:
    constexpr capabilities() noexcept = default;

    [[nodiscard]] constexpr bool has(operation o) const noexcept {
        return (bits_ >> static_cast<unsigned>(o) & 1U) != 0;
    }
    constexpr capabilities& add(operation o) noexcept {
        bits_ |= 1U << static_cast<unsigned>(o);
        return *this;
    }
    friend constexpr bool operator==(capabilities, capabilities) noexcept = default;

private:
    std::uint32_t bits_ = 0;
};

/// What a driver can do, for a ladder that is only known at run time. Paging needs no driver.
template <cloud_driver D>
[[nodiscard]] constexpr capabilities capabilities_of() noexcept {
    capabilities c;
    c.add(operation::none).add(operation::describe).add(operation::page);
    if constexpr (creates_instances<D>) c.add(operation::create_instance);
    if constexpr (restarts_services<D>) c.add(operation::restart_service);
    if constexpr (reboots_instances<D>) c.add(operation::reboot_instance);
    if constexpr (rebuilds_instances<D>) c.add(operation::rebuild_instance);
    if constexpr (fences_instances<D>) c.add(operation::fence_instance);
    if constexpr (recreates_instances<D>) c.add(operation::recreate_instance);
    if constexpr (evacuates_instances<D>) c.add(operation::evacuate_instance);
    if constexpr (converges_stacks<D>) c.add(operation::converge_stack);
    return c;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/reason.hpp

namespace reheat::inline REHEAT_ABI {

/// What was decided.
enum class decision : std::uint8_t {
    none,
    change,    ///< an alarm or a target changed its state
    open,      ///< an incident opened
    absorb,    ///< it waits for the action of another incident, and is verified with it
    release,   ///< that action did not help it: it goes on by itself
    skip,      ///< a rung does not apply
    climb,     ///< on to the next rung
    wait,      ///< a guard denies
    act,       ///< the intent is in the journal's hands
    call,      ///< the driver was called
    drop,      ///< the intent was taken back before the call
    finish,    ///< the call came to its outcome
    read_back, ///< the outcome is unknown: ask the cloud
    verify,    ///< wait for evidence that it helped
    give_up,   ///< verification failed
    recover,   ///< verification succeeded, or it got well by itself: the incident closes
    park,      ///< nothing is left to try: wait for a human, and try again slowly
    page,      ///< call a human
    accept,    ///< an operator's word was taken
    ignore,    ///< an input that changes nothing, told for the record
};

[[nodiscard]] constexpr std::string_view to_string(decision d) noexcept {
    constexpr std::array<std::string_view, 20> names{
        "none", "change", "open",      "absorb", "release", "skip",    "climb", "wait", "act",    "call",
        "drop", "finish", "read_back", "verify", "give_up", "recover", "park",  "page", "accept", "ignore"};
    return names[static_cast<std::size_t>(d)];
}

/// Why: a code for a program to switch on. Text is made only when somebody reads it.
enum class reason : std::uint8_t {
    none,
    alarm_raised,
    alarm_cleared,
    alarm_unknown,
    observed_unhealthy,
    observed_healthy,
    action_above,     ///< an action on an ancestor is under way
    no_such_ancestor, ///< the rung acts on a level that this target has not
    loses_kept_asset,
    attempts_spent, ///< this incident has used the rung's attempts
    budget_spent,   ///< the target has used the rung's budget in its window
    busy,           ///< an action on the target, an ancestor or a descendant is not finished
    approval_required,
    proof_required,
    proof_expired,
    proof_minted,
    backing_off,
    journal_pending,
    journal_failed,
    healthy_again,
    outcome_done,
    outcome_failed,
    outcome_refused,
    outcome_unknown,
    deadline_passed,
    found_done,     ///< read back: it had happened
    found_not_done, ///< read back: it had not
    verify_deadline,
    ladder_exhausted,
    parked_retry,
    waited_long,
    operator_word,
    late_completion,
    repeated_completion,
    inbox_overflow,
    first_attempt,
    next_attempt,
    requested,
    verified,
};

[[nodiscard]] constexpr std::string_view to_string(reason r) noexcept {
    constexpr std::array<std::string_view, 39> names{"none",
                                                     "alarm_raised",
                                                     "alarm_cleared",
                                                     "alarm_unknown",
                                                     "observed_unhealthy",
                                                     "observed_healthy",
                                                     "action_above",
                                                     "no_such_ancestor",
                                                     "loses_kept_asset",
                                                     "attempts_spent",
                                                     "budget_spent",
                                                     "busy",
                                                     "approval_required",
                                                     "proof_required",
                                                     "proof_expired",
                                                     "proof_minted",
                                                     "backing_off",
                                                     "journal_pending",
                                                     "journal_failed",
                                                     "healthy_again",
                                                     "outcome_done",
                                                     "outcome_failed",
                                                     "outcome_refused",
                                                     "outcome_unknown",
                                                     "deadline_passed",
                                                     "found_done",
                                                     "found_not_done",
                                                     "verify_deadline",
                                                     "ladder_exhausted",
                                                     "parked_retry",
                                                     "waited_long",
                                                     "operator_word",
                                                     "late_completion",
                                                     "repeated_completion",
                                                     "inbox_overflow",
                                                     "first_attempt",
                                                     "next_attempt",
                                                     "requested",
                                                     "verified"};
    return names[static_cast<std::size_t>(r)];
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/event.hpp

namespace reheat::inline REHEAT_ABI {

/// What an event is about.
enum class event_kind : std::uint8_t {
    alarm,           ///< an alarm changed its state
    incident,        ///< an incident opened, was absorbed, released, recovered or parked
    rung,            ///< a rung was skipped, waits, acts or was left behind
    call,            ///< a call was made, or came to its outcome
    verdict,         ///< what verification found
    page,            ///< a human is called
    operation_order, ///< an operation that was asked for, not decided
    operator_word,   ///< an operator's input
    controller,      ///< the controller about itself
};

[[nodiscard]] constexpr std::string_view to_string(event_kind k) noexcept {
    constexpr std::array<std::string_view, 9> names{"alarm", "incident",        "rung",          "call",      "verdict",
                                                    "page",  "operation_order", "operator_word", "controller"};
    return names[static_cast<std::size_t>(k)];
}

/// One thing that happened or was decided, as numbers and codes; `describe(engine, event)` renders it. Every decision
/// not to act is an event too: what was denied, by which guards, and when it can be looked at again.
struct event {
    time_point at{};
    event_kind kind{};
    decision what{};
    reason why{};
    operation rung = operation::none;
    alarm_state from{}; ///< for `event_kind::alarm`
    alarm_state to{};
    std::uint16_t denied = 0;      ///< the denying guards, bit n for guard n
    std::uint16_t attempt = 0;     ///< counted from 1 within the incident and rung
    target_id target = no_target;  ///< the incident's own target
    target_id subject = no_target; ///< the target that is acted upon
    incident_id incident = no_incident;
    op_id op = no_op;
    time_point next = never; ///< when it is looked at again, or by when it has to be over
    watch_id watch = no_watch;
    double value = 0; ///< for an alarm, the newest period's statistic; for an overflow, how much was lost
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/effects.hpp

namespace reheat::inline REHEAT_ABI {

/// What a journal record says.
enum class record_kind : std::uint8_t {
    target,        ///< a name and the id it has: after a restart it gets the same
    opened,        ///< an incident opened
    intent,        ///< an operation is about to be called; its budget is spent
    dropped,       ///< that intent was taken back before its call
    outcome,       ///< what the call came to
    verdict,       ///< what verification found
    closed,        ///< an incident closed
    parked,        ///< an incident has nothing left to try
    operator_word, ///< an operator's input
};

/// One entry of the journal. What was seen before an intent (`cloud_id`, `boot_id`, `host`) is what a controller that
/// starts again compares the cloud with.
struct record {
    sequence seq{};
    record_kind kind{};
    time_point at{};
    target_id target = no_target;
    incident_id incident = no_incident;
    op_id op = no_op;
    std::uint64_t key = 0;
    epoch reign{};
    operation what = operation::none;
    outcome_code result = outcome_code::unknown;
    reason why = reason::none;
    level of = level::service;
    time_point deadline = never;
    std::string name{};
    std::string cloud_id{};
    std::string boot_id{};
    std::string host{};
};

/// A call that the runner has to make. Its views live as long as it does: they point into its own text.
struct call {
    request what{};
    incident_id incident = no_incident;
    std::vector<proof_of_death> proofs{}; ///< one for an instance, several for a stack
    std::vector<char> text{};             ///< what the views in `what` show; not a string, whose text may move with it
};

/// What a step asks for. The caller owns it and uses it again, so that a quiet step allocates nothing.
struct outputs {
    std::vector<record> records;
    std::vector<call> calls;
    std::vector<event> events;

    [[nodiscard]] bool empty() const noexcept { return records.empty() && calls.empty() && events.empty(); }
    void clear() noexcept {
        records.clear();
        calls.clear();
        events.clear();
    }
};

/// What an operator can say. Approval is the first; the rest comes with the operator interface.
enum class operator_verb : std::uint8_t { approve };

/// An operator's word, as an input of the engine.
struct operator_input {
    operator_verb what = operator_verb::approve;
    target_id target = no_target; ///< the incident's target, or the one that the rung acts upon
    std::string_view who{};
    std::string_view reason{};
    time_point expires = never;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/pending_operation.hpp

namespace reheat::inline REHEAT_ABI {

/// An operation between its intent and its end.
struct pending_operation {
    enum class stage : std::uint8_t {
        journaled, ///< its intent waits for the journal
        called,    ///< the driver has it
        unknown,   ///< its outcome is unknown; the cloud is asked, or will be
    };

    op_id id{};
    operation what{};
    target_id subject = no_target;
    incident_id for_incident = no_incident; ///< `no_incident` for an operation that was asked for
    sequence intent{};
    stage at = stage::journaled;
    std::uint64_t key = 0;
    bool paged = false; ///< its wait for the journal has been paged
    time_point since{}; ///< when it was decided, and its budget spent
    duration timeout{};
    duration settle{};            ///< how long its outcome may stay unknown
    time_point deadline = never;  ///< of the call
    op_id reading = no_op;        ///< the read-back under way
    time_point read_by = never;   ///< when that read-back is overdue, or the next one is due
    time_point settle_by = never; ///< when an unknown outcome is taken for "not done"
    std::string cloud_id_before{};
    std::string boot_id_before{};
    std::vector<proof_of_death> proofs{};
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/watch_book.hpp

namespace reheat::inline REHEAT_ABI {

/// All alarms that an engine watches, as groups of equal rules. A rule is compared whole: two thresholds never share a
/// group.
class watch_book {
public:
    /// Begins to watch a target by a rule, from `at` on. Allocates.
    template <alarm_rule Rule>
    watch_id watch(const Rule& rule, target_id target, time_point at) {
        duration phase{};
        if (rule.of.align == alignment::watch) phase = at.time_since_epoch() % rule.of.period;
        if (phase < duration::zero()) phase += rule.of.period;
        std::uint32_t group = 0;
        for (; group < groups_.size(); ++group) {
            if (groups_[group].tag != &tag<Rule>) continue;
            const auto& same_type = static_cast<const fleet<Rule>&>(*groups_[group].rows);
            if (same_type.rule() == rule && same_type.phase() == phase) break;
        }
        if (group == groups_.size()) groups_.emplace_back(&tag<Rule>, new fleet<Rule>{rule, phase});
        return static_cast<watch_id>(std::uint64_t{group} << 32U | groups_[group].rows->add(target, at));
    }

    /// Records a sample; an unknown watch is ignored. Never allocates.
    void push(watch_id watch, time_point at, double value) noexcept {
        const std::uint32_t group = group_of(watch);
        if (group < groups_.size()) groups_[group].rows->push(row_of(watch), at, value);
    }

    /// Evaluates what is due, group by group in the order in which they were made.
    void evaluate(time_point now, std::vector<transition>& out) {
        for (std::uint32_t group = 0; group < groups_.size(); ++group) groups_[group].rows->evaluate(group, now, out);
    }

    [[nodiscard]] time_point next() const noexcept {
        time_point earliest = never;
        for (const entry& g : groups_) earliest = earlier(earliest, g.rows->next());
        return earliest;
    }

    [[nodiscard]] alarm_state state(watch_id watch) const noexcept {
        const std::uint32_t group = group_of(watch);
        return group < groups_.size() ? groups_[group].rows->state(row_of(watch)) : alarm_state::insufficient_data;
    }

private:
    // The address of a variable tells rule types apart without RTTI.
    template <class Rule>
    static inline char tag = 0;

    // Owns its rows. Not `std::unique_ptr`: <memory> would be a fifth of what this header costs its users.
    struct entry {
        entry(const void* of, alarm_group* owned) noexcept : tag{of}, rows{owned} {}
        entry(entry&& other) noexcept : tag{other.tag}, rows{std::exchange(other.rows, nullptr)} {}
        entry& operator=(entry&& other) noexcept {
            std::swap(tag, other.tag);
            std::swap(rows, other.rows);
            return *this;
        }
        entry(const entry&) = delete;
        entry& operator=(const entry&) = delete;
        ~entry() { delete rows; }

        const void* tag;
        alarm_group* rows;
    };

    static constexpr std::uint32_t group_of(watch_id w) noexcept {
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(w) >> 32U);
    }
    static constexpr std::uint32_t row_of(watch_id w) noexcept {
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(w));
    }

    std::vector<entry> groups_;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/hash.hpp

namespace reheat::inline REHEAT_ABI {

/// Mixes a number so that every bit of it moves every bit of the result (the finaliser of SplitMix64). Jitter and keys
/// are made of it: no generator has a state, and the same inputs give the same outputs for ever.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x += 0x9e37'79b9'7f4a'7c15ULL;
    x = (x ^ x >> 30U) * 0xbf58'476d'1ce4'e5b9ULL;
    x = (x ^ x >> 27U) * 0x94d0'49bb'1331'11ebULL;
    return x ^ x >> 31U;
}

/// FNV-1a over a text. Not for keys that an enemy chooses.
[[nodiscard]] constexpr std::uint64_t hash_text(std::string_view text) noexcept {
    std::uint64_t h = 0xcbf2'9ce4'8422'2325ULL;
    for (const char c : text) {
        h ^= static_cast<unsigned char>(c);
        h *= 0x0000'0100'0000'01b3ULL;
    }
    return h;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/policy.hpp

namespace reheat::inline REHEAT_ABI {

/// Whether a human must agree before a rung acts.
enum class consent : std::uint8_t { none, required };
inline constexpr consent required = consent::required;

/// At most `count` actions within any window of `within`.
struct budget {
    std::uint16_t count = 1;
    duration within = std::chrono::hours{1};

    friend constexpr bool operator==(const budget&, const budget&) = default;
};

/// How long to wait before the next attempt: `first`, doubled for each attempt up to `most`, then spread by jitter.
/// Full jitter draws from the whole range 0 to the wait; otherwise `spread` percent to either side.
struct backoff {
    duration first = std::chrono::seconds{60};
    duration most = std::chrono::minutes{15};
    bool full_jitter = false;
    std::uint8_t spread = 20;

    friend constexpr bool operator==(const backoff&, const backoff&) = default;
};

inline constexpr backoff service_backoff{std::chrono::seconds{1}, std::chrono::seconds{60}, true, 0};
inline constexpr backoff instance_backoff{};

/// One step of a lowered ladder, as the engine knows it.
struct rung {
    operation what = operation::none;
    budget burst{};
    budget sustained{};
    duration verify = std::chrono::minutes{30};  ///< how long after the action the target has to become healthy
    duration grace = std::chrono::seconds{600};  ///< how long the target may need before its silence means anything
    duration timeout = std::chrono::minutes{10}; ///< past it the outcome of the call is unknown
    consent approval = consent::none;
    backoff wait{};

    friend constexpr bool operator==(const rung&, const rung&) = default;
};

/// A ladder, lowered to plain data: what the engine runs, wherever the ladder was written.
class policy {
public:
    static constexpr std::size_t most_rungs = 8;

    constexpr policy() noexcept = default;

    /// Appends a rung; past `most_rungs` it is left out and `size()` tells.
    constexpr policy& add(const rung& r) noexcept {
        if (size_ < most_rungs) rungs_[size_++] = r;
        return *this;
    }
    [[nodiscard]] constexpr std::span<const rung> rungs() const noexcept { return std::span{rungs_}.first(size_); }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }

    /// How long a parked target waits before its ladder is tried again.
    duration retry_parked = std::chrono::minutes{30};

    friend constexpr bool operator==(const policy&, const policy&) = default;

private:
    std::array<rung, most_rungs> rungs_{};
    std::uint8_t size_ = 0;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/backoff.hpp

namespace reheat::inline REHEAT_ABI {

/// The wait after attempt number `attempt` (from 1) of an incident. Jitter is a hash of (seed, incident, attempt): the
/// same after a replay, different for the incidents of one bad moment.
[[nodiscard]] constexpr duration wait_after(const backoff& b, std::uint64_t seed, incident_id incident,
                                            unsigned attempt) noexcept {
    // A year keeps every product below in range, and is longer than anybody waits.
    constexpr std::int64_t year = std::chrono::duration_cast<duration>(std::chrono::hours{24 * 365}).count();
    const std::int64_t most = b.most.count() < year ? b.most.count() : year;
    std::int64_t wait = b.first.count() < most ? b.first.count() : most;
    for (unsigned i = 1; i < attempt && wait > 0 && wait < most; ++i) wait = wait < most / 2 ? wait * 2 : most;
    if (wait <= 0) return {};
    const std::uint64_t draw = mix(mix(seed ^ static_cast<std::uint64_t>(incident)) ^ attempt);
    const std::int64_t half = b.full_jitter ? wait / 2 : wait / 100 * (b.spread < 100 ? b.spread : 100);
    const std::int64_t middle = b.full_jitter ? half : wait;
    if (half == 0) return duration{wait};
    const duration drawn{middle - half + static_cast<std::int64_t>(draw % (2 * static_cast<std::uint64_t>(half) + 1))};
    return std::chrono::floor<std::chrono::milliseconds>(drawn); // a log is read by people
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/guard.hpp

namespace reheat::inline REHEAT_ABI {

/// Everything that can say no to an action. All are asked each time, all answers are kept.
enum class guard : std::uint8_t {
    busy,          ///< one action at a time on a target, its ancestors and its descendants
    backoff,       ///< the wait between attempts
    approval,      ///< a human's word
    journal,       ///< the journal is well
    maintenance,   ///< announced work
    freeze,        ///< the observer doubts itself
    start_hold,    ///< the time after start or change of leader
    corroboration, ///< two independent vantages
    probation,     ///< after a successful action
    breaker,       ///< too many are unhealthy at once
    in_flight,     ///< too many actions at once
    rate,          ///< the least distance between actions
    capacity,      ///< the cloud has room
    dependency,    ///< what it depends on comes first
};

inline constexpr std::size_t guard_count = 14;

[[nodiscard]] constexpr std::string_view to_string(guard g) noexcept {
    constexpr std::array<std::string_view, guard_count> names{
        "busy",          "backoff",   "approval", "journal",   "maintenance", "freeze",   "start_hold",
        "corroboration", "probation", "breaker",  "in_flight", "rate",        "capacity", "dependency"};
    return names[static_cast<std::size_t>(g)];
}

/// The answer of one guard: allow (`why` is `none`), or deny with the reason and the time at which to ask again;
/// `never` where an input, not time, can change it.
struct guard_answer {
    reason why = reason::none;
    time_point next = never;

    [[nodiscard]] constexpr bool allows() const noexcept { return why == reason::none; }
};

/// The answers of all guards to one question.
class guard_answers {
public:
    constexpr void set(guard g, guard_answer a) noexcept { answers_[static_cast<std::size_t>(g)] = a; }
    [[nodiscard]] constexpr guard_answer of(guard g) const noexcept { return answers_[static_cast<std::size_t>(g)]; }

    /// The denying guards, as a set of bits; 0 means that all allow.
    [[nodiscard]] constexpr std::uint16_t denied() const noexcept {
        std::uint16_t bits = 0;
        for (std::size_t i = 0; i < guard_count; ++i) {
            if (!answers_[i].allows()) bits = static_cast<std::uint16_t>(bits | 1U << i);
        }
        return bits;
    }
    /// The first denial, in the order of `guard`.
    [[nodiscard]] constexpr reason first() const noexcept {
        for (const guard_answer& a : answers_) {
            if (!a.allows()) return a.why;
        }
        return reason::none;
    }
    /// The earliest time at which an answer can change by itself. A denial that only an input can change has none, and
    /// does not hide a time that another has.
    [[nodiscard]] constexpr time_point next() const noexcept {
        time_point earliest = never;
        for (const guard_answer& a : answers_) {
            if (!a.allows() && a.next < earliest) earliest = a.next;
        }
        return earliest;
    }

private:
    std::array<guard_answer, guard_count> answers_{};
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/incident.hpp

namespace reheat::inline REHEAT_ABI {

/// Where an incident stands.
enum class phase : std::uint8_t {
    deciding,  ///< a rung is looked for, or a guard denies
    fencing,   ///< the fence comes first: proofs are being made
    acting,    ///< the rung's action is journaled or under way
    verifying, ///< it was done; waiting for evidence that it helped
    parked,    ///< nothing left to try
    absorbed,  ///< another incident's action covers it
    closed,
};

[[nodiscard]] constexpr std::string_view to_string(phase p) noexcept {
    constexpr std::array<std::string_view, 7> names{"deciding", "fencing",  "acting", "verifying",
                                                    "parked",   "absorbed", "closed"};
    return names[static_cast<std::size_t>(p)];
}

/// One failure of one target and how far its recovery has come.
struct incident {
    incident_id id = no_incident;
    target_id target = no_target;
    policy_id rules{};
    phase at = phase::deciding;
    std::uint8_t rung = 0;      ///< index in the policy
    std::uint16_t attempts = 0; ///< of this rung, in this incident
    std::uint16_t fences = 0;   ///< fences tried since the last proof
    bool paged = false;         ///< a long wait has been paged
    bool approved = false;
    reason denied_by = reason::none; ///< the last denial, so that only a change is told
    std::uint16_t denied = 0;
    incident_id absorbed_by = no_incident;
    target_id subject = no_target; ///< what the rung acts upon
    op_id op = no_op;
    time_point opened_at{};
    time_point waiting_since = never;
    time_point not_before = (time_point::min)(); ///< backoff
    time_point wake = never;
    time_point verify_by = never;
    std::vector<proof_of_death> proofs;
    std::vector<target_id> to_fence;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/ledger.hpp

namespace reheat::inline REHEAT_ABI {

/// What has been spent: which action was taken on which target, and when. Only targets that were acted upon have
/// entries.
class ledger {
public:
    /// Notes an action. Entries too old for every budget are forgotten.
    void spend(target_id target, operation what, time_point at) {
        std::erase_if(spent_, [at](const entry& e) { return at - e.at > longest; });
        spent_.insert(spent_.begin() + first_of(target), {target, what, at});
    }

    /// Forgets an action noted at that time, which was not taken after all.
    void take_back(target_id target, operation what, time_point at) {
        for (auto e = spent_.begin() + first_of(target); e != spent_.end() && e->target == target; ++e) {
            if (e->what != what || e->at != at) continue;
            spent_.erase(e);
            return;
        }
    }

    /// Whether a budget has room for one more action of that kind on that target.
    [[nodiscard]] bool has_room(target_id target, operation what, const budget& b, time_point at) const {
        std::uint32_t used = 0;
        for (auto e = spent_.begin() + first_of(target); e != spent_.end() && e->target == target; ++e)
            used += e->what == what && at - e->at < b.within ? 1U : 0U;
        return used < b.count;
    }

private:
    static constexpr duration longest = std::chrono::hours{24 * 31};
    struct entry {
        target_id target;
        operation what;
        time_point at;
    };

    [[nodiscard]] std::ptrdiff_t first_of(target_id target) const noexcept {
        std::ptrdiff_t low = 0;
        std::ptrdiff_t high = static_cast<std::ptrdiff_t>(spent_.size());
        while (low < high) {
            const std::ptrdiff_t middle = low + (high - low) / 2;
            if (spent_[static_cast<std::size_t>(middle)].target < target) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    std::vector<entry> spent_; // by target
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/name_index.hpp

namespace reheat::inline REHEAT_ABI {

/// From a name to a dense number. The names stay where they are: four bytes a slot, half of the slots free at least.
/// Names are never removed. `name_of(number)` gives a name back.
class name_index {
public:
    static constexpr std::uint32_t none = 0xffff'ffffU;

    /// The number of a name, or `none`.
    template <class NameOf>
        requires requires(const NameOf& name_of) { name_of(std::uint32_t{}) == std::string_view{}; }
    [[nodiscard]] std::uint32_t find(std::string_view name, const NameOf& name_of) const {
        if (slots_.empty()) return none;
        for (std::size_t at = place(name);; at = (at + 1) & (slots_.size() - 1)) {
            if (slots_[at] == none || name_of(slots_[at]) == name) return slots_[at];
        }
    }

    /// Adds a name that is not there yet.
    template <class NameOf>
        requires requires(const NameOf& name_of) { name_of(std::uint32_t{}) == std::string_view{}; }
    void add(std::string_view name, std::uint32_t number, const NameOf& name_of) {
        if (slots_.size() < 2 * (used_ + 1)) grow(name_of);
        put(name, number);
        ++used_;
    }

private:
    [[nodiscard]] std::size_t place(std::string_view name) const noexcept {
        return static_cast<std::size_t>(mix(hash_text(name))) & (slots_.size() - 1);
    }
    void put(std::string_view name, std::uint32_t number) noexcept {
        std::size_t at = place(name);
        while (slots_[at] != none) at = (at + 1) & (slots_.size() - 1);
        slots_[at] = number;
    }
    template <class NameOf>
    void grow(const NameOf& name_of) {
        const std::vector<std::uint32_t> old = std::move(slots_);
        slots_.assign(old.empty() ? 16 : old.size() * 2, none);
        for (const std::uint32_t number : old) {
            if (number != none) put(name_of(number), number);
        }
    }

    std::vector<std::uint32_t> slots_;
    std::size_t used_ = 0;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/evidence/health.hpp

namespace reheat::inline REHEAT_ABI {

/// Whether a target does its work. Unknown is neither up nor down.
enum class health : std::uint8_t { unknown, healthy, unhealthy };

[[nodiscard]] constexpr std::string_view to_string(health h) noexcept {
    constexpr std::array<std::string_view, 3> names{"unknown", "healthy", "unhealthy"};
    return names[static_cast<std::size_t>(h)];
}

/// The way by which an observation reached us.
enum class vantage : std::uint8_t { guest_heartbeat, driver_status, cloud_event, neighbour, operator_word };

inline constexpr std::size_t vantage_count = 5;

/// One reading of evidence about one target.
struct observation {
    target_id target = no_target;
    vantage from = vantage::driver_status;
    health seen = health::unknown;
    time_point at{};
};

/// The latest word of each vantage on one target. Unhealthy if any says so, else healthy if any says so.
class evidence_board {
public:
    constexpr void note(vantage from, health seen) noexcept { seen_[static_cast<std::size_t>(from)] = seen; }

    [[nodiscard]] constexpr health combined() const noexcept {
        health all = health::unknown;
        for (const health h : seen_) {
            if (h == health::unhealthy) return h;
            if (h == health::healthy) all = h;
        }
        return all;
    }

private:
    std::array<health, vantage_count> seen_{};
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/target.hpp

namespace reheat::inline REHEAT_ABI {

/// A set of instances that belong together.
struct stack {
    std::string_view name;
};

/// A machine. Names are copied when it is added.
struct instance {
    std::string_view name;
    std::string_view stack{}; ///< the name of its stack, made if there is none of that name; empty for none
    std::string_view host{};  ///< where it runs; host, rack and zone are its placement
    std::string_view rack{};
    std::string_view zone{};
    asset keep = asset::volumes | asset::fixed_addresses; ///< what no action may lose
    std::string_view cloud_id{};                          ///< the cloud's id, if it is known
};

/// A process on a machine, known to the guest's service manager by its name.
struct service {
    std::string_view name;
    target_id on = no_target;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/target_tree.hpp

namespace reheat::inline REHEAT_ABI {

/// What is known of one target.
struct target_record {
    level of{};
    asset keep = asset::none;
    std::uint16_t raised = 0; ///< watched alarms that are in `alarm`
    std::uint16_t quiet = 0;  ///< watched alarms that are in `ok`
    target_id parent = no_target;
    incident_id incident = no_incident; ///< the open incident, if any
    std::uint32_t busy_here = 0;        ///< actions on it that are not finished
    std::uint32_t busy_below = 0;       ///< actions on its descendants that are not finished
    policy_id rules{};                  ///< how its incidents are recovered
    evidence_board evidence{};
    std::string name{}; ///< unique in its level; a service's is `instance/service`
    std::string cloud_id{};
    std::string boot_id{};
    std::string address{};
    std::string host{};
};

/// Services on instances in stacks. Ids are dense and never reused; names are found through an index.
class target_tree {
public:
    [[nodiscard]] std::size_t size() const noexcept { return targets_.size(); }
    [[nodiscard]] bool has(target_id id) const noexcept { return static_cast<std::size_t>(id) < targets_.size(); }
    [[nodiscard]] target_record& operator[](target_id id) noexcept { return targets_[static_cast<std::size_t>(id)]; }
    [[nodiscard]] const target_record& operator[](target_id id) const noexcept {
        return targets_[static_cast<std::size_t>(id)];
    }

    /// Adds a target; a name that its level has already is an error.
    result<target_id> add(target_record t) {
        if (t.name.empty() || t.name.size() > 255)
            return error{errc::invalid_argument, "name", "expected 1 to 255 characters"};
        if (find(t.of, t.name) != no_target)
            return error{errc::already_exists, t.name, "there is a " + std::string{to_string(t.of)} + " of that name"};
        const auto id = static_cast<std::uint32_t>(targets_.size());
        targets_.push_back(std::move(t));
        index_of(targets_.back().of).add(targets_.back().name, id, name_of{targets_});
        return static_cast<target_id>(id);
    }

    /// The target of that level and name, or `no_target`. A service's name is `instance/service`.
    [[nodiscard]] target_id find(level of, std::string_view name) const {
        return static_cast<target_id>(by_name_[static_cast<std::size_t>(of)].find(name, name_of{targets_}));
    }

    /// The target itself or its ancestor of that level, or `no_target`.
    [[nodiscard]] target_id ancestor(target_id id, level of) const noexcept {
        while (id != no_target && (*this)[id].of != of) id = (*this)[id].parent;
        return id;
    }

    /// Whether `above` is `id` or one of its ancestors.
    [[nodiscard]] bool covers(target_id above, target_id id) const noexcept {
        while (id != no_target && id != above) id = (*this)[id].parent;
        return id == above;
    }

    /// Marks an action on a target as begun (`by` = 1) or finished (-1).
    void mark_busy(target_id id, int by) noexcept {
        (*this)[id].busy_here += static_cast<std::uint32_t>(by);
        for (target_id up = (*this)[id].parent; up != no_target; up = (*this)[up].parent)
            (*this)[up].busy_below += static_cast<std::uint32_t>(by);
    }

    /// Whether an action on it, an ancestor or a descendant is not finished.
    [[nodiscard]] bool busy(target_id id) const noexcept {
        if ((*this)[id].busy_below != 0) return true;
        for (; id != no_target; id = (*this)[id].parent) {
            if ((*this)[id].busy_here != 0) return true;
        }
        return false;
    }

private:
    struct name_of {
        const std::vector<target_record>& targets;
        std::string_view operator()(std::uint32_t id) const noexcept { return targets[id].name; }
    };
    [[nodiscard]] name_index& index_of(level of) noexcept { return by_name_[static_cast<std::size_t>(of)]; }

    std::vector<target_record> targets_;
    std::array<name_index, 3> by_name_; // by level
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/engine.hpp

namespace reheat::inline REHEAT_ABI {

/// Numbers of an engine that are not of one policy.
struct engine_options {
    epoch reign{1};         ///< given to every call
    std::uint64_t seed = 0; ///< of the jitter
    duration proof_validity = std::chrono::minutes{10};
    duration fence_timeout = std::chrono::seconds{60};
    duration create_timeout = std::chrono::minutes{15};
    duration read_back_every = std::chrono::seconds{10}; ///< also how long one read-back may take
    duration page_after = std::chrono::minutes{10};      ///< a longer wait calls a human, once
};

/// The heart: values with their time go in, decisions come out. It reads no clock, makes no call and starts no thread.
/// Inputs only record; `step` alone decides, and writes records, calls and events into the caller's buffers. The same
/// inputs give the same outputs, always. A call is emitted only after `durable` has covered its intent, and after a
/// second look at whether it is still wanted.
///
/// Move-only. One thread at a time; distinct engines are independent.
///
///     engine e{three_levels.lowered()};
///     auto db = e.add(instance{.name = "db-1"});
///     e.watch(*db, heartbeat_alarm{}.rule(), now);
///     outputs out;
///     e.step(now, out);   // then: journal out.records, e.durable(n), step again, make out.calls, e.complete(...)
class engine {
public:
    explicit engine(const policy& rules, engine_options options = {}) : options_{options} {
        // A pause of zero would be an endless loop at one time.
        if (options_.read_back_every < shortest_pause) options_.read_back_every = shortest_pause;
        if (options_.proof_validity < shortest_pause) options_.proof_validity = shortest_pause;
        policies_.push_back(rules);
    }
    engine(engine&&) = default;
    engine& operator=(engine&&) = default;
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() = default;

    // What there is

    /// Adds a policy beside the first one; the 65,537th is an error.
    result<policy_id> add_policy(const policy& rules) {
        if (policies_.size() > 0xffffU) return error{errc::limit_exceeded, {}, "expected at most 65,536 policies"};
        policies_.push_back(rules);
        return static_cast<policy_id>(policies_.size() - 1);
    }
    /// Adds a stack, an instance or a service; names are copied. Errors: a name that is taken or empty, a service on no
    /// instance.
    result<target_id> add(const stack& s);
    result<target_id> add(const instance& i);
    result<target_id> add(const service& s);
    /// Recovers the target's incidents by that policy from now on. An incident that is open keeps its own.
    /// An unknown target or policy changes nothing.
    void use_policy(target_id target, policy_id rules) noexcept {
        if (targets_.has(target) && static_cast<std::size_t>(rules) < policies_.size()) targets_[target].rules = rules;
    }
    /// Watches a target by an alarm from `at` on. Errors: an unknown target, a rule whose numbers are out of bounds.
    template <alarm_rule Rule>
    result<watch_id> watch(target_id target, const Rule& rule, time_point at) {
        if (!targets_.has(target)) return error{errc::not_found, {}, "there is no such target"};
        if (auto valid = validate(rule); !valid) return std::move(valid).error();
        return watches_.watch(rule, target, at);
    }

    // Inputs: they record, and decide nothing

    /// A sample for a watched alarm. Never allocates.
    void push(watch_id watch, time_point at, double value) noexcept { watches_.push(watch, at, value); }
    /// A reading of evidence that is no metric.
    void observe(const observation& seen) { inputs_.emplace_back(seen); }
    /// The outcome of a call. `repeated`: the completion had been called before.
    void complete(op_id op, time_point at, outcome result, bool repeated = false) {
        inputs_.emplace_back(completed{op, at, std::move(result), repeated});
    }
    /// An operator's word; the texts are copied.
    void operate(const operator_input& word, time_point at) {
        inputs_.emplace_back(
            spoken{word.what, word.target, at, word.expires, std::string{word.who}, std::string{word.reason}});
    }
    /// Asks for an instance to be created, as part of a stack's creation.
    void order_creation(target_id instance, time_point at) { inputs_.emplace_back(ordered{instance, at}); }
    /// So many samples or outcomes found the inbox of the runner full. That is our own stall, never a target's silence.
    void overflowed(std::uint64_t lost, time_point at) { inputs_.emplace_back(overflow{lost, at}); }
    /// Every record up to and with `upto` is safe; none that has not been written yet.
    void durable(sequence upto) noexcept {
        if (static_cast<std::uint64_t>(upto) > last_sequence_) upto = static_cast<sequence>(last_sequence_);
        if (upto > durable_) {
            durable_ = upto;
            look_again_ = true;
        }
    }
    /// The journal can not be written: a human is paged, and nothing is begun or called until `journal_reopened`.
    /// Monitoring goes on.
    void journal_failed() noexcept { set_journal(false); }
    void journal_reopened() noexcept { set_journal(true); }

    // Decision

    /// Decides what is due at `now` and appends to `out`. A `now` before the last one counts as the last one.
    void step(time_point now, outputs& out);
    /// When it wants to be stepped again, if nothing is recorded before; at or before the last step means at once.
    [[nodiscard]] time_point next() const noexcept;

    // Reading; views and references live until the next change

    [[nodiscard]] std::string_view name(target_id target) const noexcept {
        return targets_.has(target) ? std::string_view{targets_[target].name} : std::string_view{};
    }
    [[nodiscard]] target_id find(level of, std::string_view name) const { return targets_.find(of, name); }
    [[nodiscard]] const target_tree& targets() const noexcept { return targets_; }
    [[nodiscard]] alarm_state state(watch_id watch) const noexcept { return watches_.state(watch); }
    /// The open incident of a target, or null.
    [[nodiscard]] const incident* incident_of(target_id target) const noexcept {
        return targets_.has(target) ? find_incident(targets_[target].incident) : nullptr;
    }
    [[nodiscard]] std::size_t open_incidents() const noexcept { return incidents_.size(); }
    [[nodiscard]] const policy& policy_of(const incident& i) const noexcept {
        return policies_[static_cast<std::size_t>(i.rules)];
    }
    [[nodiscard]] time_point now() const noexcept { return now_; }

private:
    struct completed {
        op_id op;
        time_point at;
        outcome result;
        bool repeated;
    };
    struct spoken {
        operator_verb what;
        target_id target;
        time_point at;
        time_point expires;
        std::string who;
        std::string reason;
    };
    struct ordered {
        target_id instance;
        time_point at;
    };
    struct overflow {
        std::uint64_t lost;
        time_point at;
    };
    using input = std::variant<completed, observation, spoken, ordered, overflow>;
    static constexpr duration shortest_pause = std::chrono::seconds{1};

    // engine/inputs.hpp: what came in
    void take(completed& c, outputs& out);
    void take(const observation& o, outputs& out);
    void take(const spoken& s, outputs& out);
    void take(const ordered& o, outputs& out);
    void take(const overflow& o, outputs& out);
    void take(const transition& t, outputs& out);
    void tell_journal(outputs& out);
    void health_changed(target_id target, reason why, outputs& out);

    // engine/decide.hpp: the incident's way up the ladder
    void open(target_id target, reason why, outputs& out);
    void look(incident& i, outputs& out);
    void decide(incident& i, outputs& out);
    void climb(incident& i, decision what, reason why, outputs& out);
    [[nodiscard]] guard_answers ask_guards(const incident& i, const rung& r, target_id subject) const noexcept;
    void wait(incident& i, const guard_answers& answers, outputs& out);
    void begin(incident& i, const rung& r, target_id subject, outputs& out);
    void absorb_below(incident& i, outputs& out);
    void go_on(incident& i, outputs& out);
    void retry(incident& i, duration at_least);
    void check_verdict(incident& i, outputs& out);
    void close(incident& i, reason why, outputs& out);
    void release_absorbed(incident_id by, outputs& out);
    void park(incident& i, outputs& out);
    [[nodiscard]] time_point page_at(const incident& i) const noexcept;
    [[nodiscard]] time_point page_at(const pending_operation& op) const noexcept;
    void page_long_wait(incident& i, outputs& out);

    // engine/operate.hpp: intents, calls, outcomes
    void start(operation what, target_id subject, incident* for_incident, duration timeout, duration settle,
               outputs& out);
    void write_intent(pending_operation& op, outputs& out);
    [[nodiscard]] call make_call(const pending_operation& op, op_id id, operation what, time_point deadline) const;
    void emit_call(pending_operation& op, outputs& out);
    [[nodiscard]] reason no_longer_wanted(const pending_operation& op) const noexcept;
    void watch_deadlines(pending_operation& op, outputs& out);
    void ask_cloud(pending_operation& op, outputs& out);
    void read_back(pending_operation& op, const outcome& seen, outputs& out);
    void finish(pending_operation& op, outcome_code code, reason why, duration retry_after, outputs& out);
    void note_seen(target_id subject, const observed& seen);

    // Shared
    [[nodiscard]] health health_of(target_id target) const noexcept { return targets_[target].evidence.combined(); }
    [[nodiscard]] const rung& rung_of(const incident& i) const noexcept { return policy_of(i).rungs()[i.rung]; }
    [[nodiscard]] const incident* find_incident(incident_id id) const noexcept {
        return const_cast<engine*>(this)->find_incident(id);
    }
    [[nodiscard]] incident* find_incident(incident_id id) noexcept {
        for (incident& i : incidents_) {
            if (i.id == id) return &i;
        }
        return nullptr;
    }
    [[nodiscard]] pending_operation* find_operation(op_id id) noexcept {
        for (pending_operation& op : operations_) {
            if (op.id == id || op.reading == id) return &op;
        }
        return nullptr;
    }
    void set_journal(bool well) noexcept {
        if (journal_ok_ == well) return;
        journal_ok_ = well;
        journal_changed_ = look_again_ = true;
    }
    void finish_busy(incident& i) noexcept {
        if (i.subject != no_target) targets_.mark_busy(i.subject, -1);
        i.subject = no_target;
        i.op = no_op;
        look_again_ = true;
    }
    record& write(record_kind kind, target_id target, outputs& out) {
        record r;
        r.seq = static_cast<sequence>(++last_sequence_);
        r.kind = kind;
        r.at = now_;
        r.target = target;
        r.reign = options_.reign;
        return out.records.emplace_back(std::move(r));
    }
    event& tell(event_kind kind, decision what, reason why, outputs& out) {
        event e;
        e.at = now_;
        e.kind = kind;
        e.what = what;
        e.why = why;
        return out.events.emplace_back(e);
    }
    event& tell(event_kind kind, decision what, reason why, const incident& i, outputs& out) {
        event& e = tell(kind, what, why, out);
        e.target = i.target;
        e.subject = i.subject;
        e.incident = i.id;
        e.op = i.op;
        e.attempt = i.attempts;
        if (i.rung < policy_of(i).size()) e.rung = rung_of(i).what;
        return e;
    }

    engine_options options_;
    std::vector<policy> policies_;
    target_tree targets_;
    watch_book watches_;
    ledger ledger_;
    std::vector<incident> incidents_;           // open ones, by id
    std::vector<pending_operation> operations_; // unfinished ones, by id
    std::vector<input> inputs_;
    std::vector<input> taking_;           // inputs of the step under way
    std::vector<transition> transitions_; // reused by every step
    std::vector<target_id> unjournaled_;  // targets whose names the journal has not
    time_point now_ = (time_point::min)();
    sequence durable_ = no_sequence;
    std::uint64_t last_sequence_ = 0;
    std::uint64_t last_op_ = 0;
    std::uint32_t last_incident_ = 0;
    bool journal_ok_ = true;
    bool journal_changed_ = false; // and not told yet
    bool look_again_ = false;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/decide.hpp

// An incident's way up the ladder: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

inline void engine::open(target_id target, reason why, outputs& out) {
    incident i;
    i.id = static_cast<incident_id>(++last_incident_);
    i.target = target;
    i.rules = targets_[target].rules;
    i.opened_at = now_;
    targets_[target].incident = i.id;

    // What happens below an action that is under way is its doing, not a new failure.
    for (const incident& other : incidents_) {
        if (other.subject == no_target || !targets_.covers(other.subject, target)) continue;
        i.at = phase::absorbed;
        i.absorbed_by = other.id;
        break;
    }
    write(record_kind::opened, target, out).incident = i.id;
    incidents_.push_back(std::move(i));
    event& e = tell(event_kind::incident, decision::open, why, incidents_.back(), out);
    e.rung = operation::none;
    if (incidents_.back().at == phase::absorbed)
        tell(event_kind::incident, decision::absorb, reason::action_above, incidents_.back(), out).rung =
            operation::none;
}

inline void engine::look(incident& i, outputs& out) {
    switch (i.at) {
    case phase::deciding: decide(i, out); break;
    case phase::verifying: check_verdict(i, out); break;
    case phase::parked:
        if (health_of(i.target) == health::healthy) {
            close(i, reason::healthy_again, out);
        } else if (now_ >= i.wake) {
            i.at = phase::deciding;
            i.rung = 0;
            i.attempts = 0;
            i.wake = never;
            tell(event_kind::incident, decision::release, reason::parked_retry, i, out).rung = operation::none;
            look_again_ = true;
        }
        break;
    case phase::absorbed: {
        const incident* by = find_incident(i.absorbed_by);
        if (by == nullptr || by->at == phase::parked || by->at == phase::closed) release_absorbed(i.absorbed_by, out);
        break;
    }
    default: break;
    }
    page_long_wait(i, out);
}

inline void engine::decide(incident& i, outputs& out) {
    if (health_of(i.target) == health::healthy) return close(i, reason::healthy_again, out);
    const std::span<const rung> rungs = policy_of(i).rungs();
    while (i.rung < rungs.size()) {
        const rung& r = rungs[i.rung];
        if (r.what == operation::page) {
            tell(event_kind::page, decision::page, reason::alarm_raised, i, out);
            climb(i, decision::climb, reason::attempts_spent, out);
            continue;
        }
        const target_id subject = targets_.ancestor(i.target, level_of(r.what));
        if (subject == no_target) {
            climb(i, decision::skip, reason::no_such_ancestor, out);
            continue;
        }
        if ((loss_of(r.what) & targets_[subject].keep) != asset::none) {
            climb(i, decision::skip, reason::loses_kept_asset, out);
            continue;
        }
        if (i.attempts >= r.burst.count) {
            climb(i, decision::climb, reason::attempts_spent, out);
            continue;
        }
        if (!ledger_.has_room(subject, r.what, r.burst, now_) ||
            !ledger_.has_room(subject, r.what, r.sustained, now_)) {
            climb(i, decision::climb, reason::budget_spent, out);
            continue;
        }
        const guard_answers answers = ask_guards(i, r, subject);
        if (answers.denied() != 0) return wait(i, answers, out);
        return begin(i, r, subject, out);
    }
    park(i, out);
}

inline void engine::climb(incident& i, decision what, reason why, outputs& out) {
    event& e = tell(event_kind::rung, what, why, i, out);
    e.subject = targets_.ancestor(i.target, level_of(rung_of(i).what));
    ++i.rung;
    i.attempts = 0;
    i.fences = 0;
    i.approved = false;
    i.not_before = (time_point::min)();
    i.waiting_since = never;
    i.paged = false;
    i.denied = 0;
    i.denied_by = reason::none;
}

inline guard_answers engine::ask_guards(const incident& i, const rung& r, target_id subject) const noexcept {
    guard_answers answers;
    if (targets_.busy(subject)) answers.set(guard::busy, {reason::busy, never});
    if (now_ < i.not_before)
        answers.set(guard::backoff, {i.fences != 0 ? reason::proof_required : reason::backing_off, i.not_before});
    if (r.approval == consent::required && !i.approved)
        answers.set(guard::approval, {reason::approval_required, never});
    if (!journal_ok_) answers.set(guard::journal, {reason::journal_failed, never});
    // Maintenance, freeze, start_hold, corroboration, probation, breaker, in_flight, rate, capacity and dependency are
    // asked here as well; until their inputs exist each of them allows.
    return answers;
}

inline void engine::wait(incident& i, const guard_answers& answers, outputs& out) {
    i.wake = answers.next();
    if (i.waiting_since == never) i.waiting_since = now_;
    if (i.denied == answers.denied() && i.denied_by == answers.first()) return;
    i.denied = answers.denied();
    i.denied_by = answers.first();
    event& e = tell(event_kind::rung, decision::wait, answers.first(), i, out);
    e.subject = targets_.ancestor(i.target, level_of(rung_of(i).what));
    e.denied = answers.denied();
    e.next = answers.next();
}

inline void engine::begin(incident& i, const rung& r, target_id subject, outputs& out) {
    i.subject = subject;
    i.denied = 0;
    i.denied_by = reason::none;
    i.wake = never;
    targets_.mark_busy(subject, 1);
    absorb_below(i, out);
    i.proofs.clear();
    i.to_fence.clear();
    if (level_of(r.what) == level::stack) {
        // What is unhealthy may be re-created, so it has to be dead first.
        for (const incident& other : incidents_) {
            const target_id at = targets_.ancestor(other.target, level::instance);
            if (at == no_target || other.at == phase::closed || !targets_.covers(subject, at)) continue;
            bool known = false;
            for (const target_id t : i.to_fence) known = known || t == at;
            if (!known) i.to_fence.push_back(at);
        }
    } else if (needs_proof(r.what)) {
        i.to_fence.push_back(subject);
    }
    i.at = i.to_fence.empty() ? phase::acting : phase::fencing;
    go_on(i, out);
}

inline void engine::absorb_below(incident& i, outputs& out) {
    for (incident& other : incidents_) {
        const bool idle = other.at == phase::deciding || other.at == phase::parked || other.at == phase::absorbed;
        if (other.id == i.id || !idle || !targets_.covers(i.subject, other.target)) continue;
        if (other.at == phase::absorbed && other.absorbed_by == i.id) continue;
        other.at = phase::absorbed;
        other.absorbed_by = i.id;
        other.wake = never;
        other.waiting_since = never;
        event& e = tell(event_kind::incident, decision::absorb, reason::action_above, other, out);
        e.subject = i.subject;
        e.rung = operation::none;
    }
}

/// The next operation of the attempt under way: the next fence, or the action itself.
inline void engine::go_on(incident& i, outputs& out) {
    const rung& r = rung_of(i);
    if (i.at == phase::fencing) {
        event& e = tell(event_kind::rung, decision::act, reason::proof_required, i, out);
        e.rung = operation::fence_instance;
        e.subject = i.to_fence.back();
        return start(operation::fence_instance, i.to_fence.back(), &i, options_.fence_timeout, options_.fence_timeout,
                     out);
    }
    ++i.attempts;
    i.waiting_since = never;
    i.paged = false;
    ledger_.spend(i.subject, r.what, now_);
    tell(event_kind::rung, decision::act, i.attempts == 1 ? reason::first_attempt : reason::next_attempt, i, out);
    start(r.what, i.subject, &i, r.timeout, r.verify, out);
}

/// Back to the decision, not before the backoff is over.
inline void engine::retry(incident& i, duration at_least) {
    const unsigned tried = i.fences != 0 ? i.fences : i.attempts;
    const duration pause =
        wait_after(i.fences != 0 ? instance_backoff : rung_of(i).wait, options_.seed, i.id, tried == 0 ? 1 : tried);
    i.not_before = later(after(now_, pause), after(now_, at_least));
    i.at = phase::deciding;
    i.wake = i.not_before;
    i.proofs.clear();
    i.to_fence.clear();
    finish_busy(i);
}

inline void engine::check_verdict(incident& i, outputs& out) {
    const bool well = health_of(i.target) == health::healthy;
    bool all_well = well;
    for (const incident& other : incidents_) {
        if (other.at == phase::absorbed && other.absorbed_by == i.id)
            all_well = all_well && health_of(other.target) == health::healthy;
    }
    if (all_well || (well && now_ >= i.verify_by)) return close(i, reason::verified, out);
    if (now_ < i.verify_by) return;
    event& e = tell(event_kind::verdict, decision::give_up, reason::verify_deadline, i, out);
    record& w = write(record_kind::verdict, i.target, out);
    w.incident = i.id;
    w.op = i.op;
    w.what = e.rung;
    w.why = reason::verify_deadline;
    retry(i, {});
}

inline void engine::close(incident& i, reason why, outputs& out) {
    event& e = tell(event_kind::incident, decision::recover, why, i, out);
    if (why != reason::verified || i.at == phase::absorbed) e.rung = operation::none;
    record& w = write(record_kind::closed, i.target, out);
    w.incident = i.id;
    w.why = why;
    i.at = phase::closed;
    targets_[i.target].incident = no_incident;
    finish_busy(i);
    release_absorbed(i.id, out);
}

inline void engine::release_absorbed(incident_id by, outputs& out) {
    for (incident& other : incidents_) {
        if (other.at != phase::absorbed || other.absorbed_by != by) continue;
        look_again_ = true;
        if (health_of(other.target) == health::healthy) {
            close(other, reason::verified, out);
        } else {
            other.absorbed_by = no_incident;
            other.at = phase::deciding;
            tell(event_kind::incident, decision::release, reason::none, other, out).rung = operation::none;
        }
    }
}

inline void engine::park(incident& i, outputs& out) {
    i.at = phase::parked;
    const duration pause = policy_of(i).retry_parked;
    i.wake = after(now_, pause < shortest_pause ? shortest_pause : pause);
    i.waiting_since = never;
    event& e = tell(event_kind::incident, decision::park, reason::ladder_exhausted, i, out);
    e.next = i.wake;
    tell(event_kind::page, decision::page, reason::ladder_exhausted, i, out).next = i.wake;
    record& w = write(record_kind::parked, i.target, out);
    w.incident = i.id;
    w.why = reason::ladder_exhausted;
    release_absorbed(i.id, out);
}

/// When a human has to hear of an incident that waits, be it for a guard or for the fence; `never` once that is done.
inline time_point engine::page_at(const incident& i) const noexcept {
    const bool waits = i.at == phase::deciding || i.at == phase::fencing;
    return i.paged || !waits || i.waiting_since == never ? never : after(i.waiting_since, options_.page_after);
}

inline void engine::page_long_wait(incident& i, outputs& out) {
    if (now_ < page_at(i)) return;
    i.paged = true;
    event& e = tell(event_kind::page, decision::page, reason::waited_long, i, out);
    e.denied = i.denied;
    e.next = i.wake;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/inputs.hpp

// What comes in: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

inline result<target_id> engine::add(const stack& s) {
    target_record t;
    t.of = level::stack;
    t.name = s.name;
    auto added = targets_.add(std::move(t));
    if (added) unjournaled_.push_back(*added);
    return added;
}

inline result<target_id> engine::add(const instance& i) {
    target_record t;
    t.of = level::instance;
    t.name = i.name;
    t.keep = i.keep;
    t.cloud_id = i.cloud_id;
    t.host = i.host;
    if (!i.stack.empty()) {
        t.parent = targets_.find(level::stack, i.stack);
        if (t.parent == no_target) {
            auto made = add(stack{i.stack});
            if (!made) return made;
            t.parent = *made;
        }
    }
    auto added = targets_.add(std::move(t));
    if (added) unjournaled_.push_back(*added);
    return added;
}

inline result<target_id> engine::add(const service& s) {
    if (s.name.empty()) return error{errc::invalid_argument, "name", "expected 1 to 255 characters"};
    if (!targets_.has(s.on) || targets_[s.on].of != level::instance)
        return error{errc::invalid_argument, std::string{s.name}, "expected a service on an instance"};
    target_record t;
    t.of = level::service;
    t.parent = s.on;
    t.name = targets_[s.on].name + "/" + std::string{s.name};
    auto added = targets_.add(std::move(t));
    if (added) unjournaled_.push_back(*added);
    return added;
}

inline void engine::step(time_point now, outputs& out) {
    now_ = later(now_, now);
    for (const target_id id : unjournaled_) {
        record& r = write(record_kind::target, id, out);
        r.of = targets_[id].of;
        r.name = targets_[id].name;
    }
    unjournaled_.clear();

    if (std::exchange(journal_changed_, false)) tell_journal(out);
    taking_.swap(inputs_);
    for (input& in : taking_) std::visit([&](auto& i) { take(i, out); }, in);
    taking_.clear();

    transitions_.clear();
    watches_.evaluate(now_, transitions_);
    for (const transition& t : transitions_) take(t, out);

    // A read-back may end its operation, and an end may start the next: by index, newest last.
    for (std::size_t n = 0; n < operations_.size(); ++n) watch_deadlines(operations_[n], out);
    do {
        look_again_ = false;
        for (std::size_t n = 0; n < incidents_.size(); ++n) look(incidents_[n], out);
        std::erase_if(incidents_, [](const incident& i) { return i.at == phase::closed; });
        for (std::size_t n = 0; n < operations_.size(); ++n) emit_call(operations_[n], out);
        std::erase_if(operations_, [](const pending_operation& op) { return op.id == no_op; });
    } while (look_again_);
}

inline void engine::tell_journal(outputs& out) {
    if (!journal_ok_) {
        tell(event_kind::page, decision::page, reason::journal_failed, out);
        return;
    }
    tell(event_kind::controller, decision::change, reason::none, out);
    // Nobody knows whether an intent that was under way when it failed is in it, whatever later records say.
    for (pending_operation& op : operations_) {
        if (op.at != pending_operation::stage::journaled) continue;
        write_intent(op, out);
        op.paged = true; // with the journal itself
    }
}

inline time_point engine::next() const noexcept {
    if (look_again_ || !inputs_.empty() || !unjournaled_.empty()) return now_;
    time_point earliest = watches_.next();
    for (const incident& i : incidents_) {
        earliest = earlier(earliest, earlier(i.wake, page_at(i)));
    }
    for (const pending_operation& op : operations_) {
        earliest = earlier(earliest, page_at(op));
        if (op.at == pending_operation::stage::called) earliest = earlier(earliest, op.deadline);
        if (op.at == pending_operation::stage::unknown) earliest = earlier(earliest, earlier(op.read_by, op.settle_by));
    }
    return earliest;
}

inline void engine::take(const transition& t, outputs& out) {
    target_record& target = targets_[t.target];
    if (t.from == alarm_state::alarm) --target.raised;
    if (t.from == alarm_state::ok) --target.quiet;
    if (t.to == alarm_state::alarm) ++target.raised;
    if (t.to == alarm_state::ok) ++target.quiet;

    const reason why = t.to == alarm_state::alarm ? reason::alarm_raised
                       : t.to == alarm_state::ok  ? reason::alarm_cleared
                                                  : reason::alarm_unknown;
    event& e = tell(event_kind::alarm, decision::change, why, out);
    e.target = t.target;
    e.from = t.from;
    e.to = t.to;
    e.watch = t.watch;
    e.value = t.value;
    target.evidence.note(vantage::guest_heartbeat, target.raised != 0  ? health::unhealthy
                                                   : target.quiet != 0 ? health::healthy
                                                                       : health::unknown);
    health_changed(t.target, why, out);
}

inline void engine::take(const observation& o, outputs& out) {
    if (!targets_.has(o.target) || static_cast<std::size_t>(o.from) >= vantage_count) return;
    const health before = health_of(o.target);
    targets_[o.target].evidence.note(o.from, o.seen);
    if (health_of(o.target) == before) return;
    const reason why = o.seen == health::healthy     ? reason::observed_healthy
                       : o.seen == health::unhealthy ? reason::observed_unhealthy
                                                     : reason::alarm_unknown;
    event& e = tell(event_kind::alarm, decision::change, why, out);
    e.target = o.target;
    health_changed(o.target, why, out);
}

inline void engine::health_changed(target_id target, reason why, outputs& out) {
    look_again_ = true;
    if (health_of(target) == health::unhealthy && targets_[target].incident == no_incident) open(target, why, out);
}

inline void engine::take(const spoken& s, outputs& out) {
    record& r = write(record_kind::operator_word, s.target, out);
    r.name = s.who;
    r.why = reason::operator_word;
    bool heard = false;
    for (incident& i : incidents_) {
        if (s.expires <= now_ || i.at != phase::deciding || i.rung >= policy_of(i).size()) continue;
        const rung& current = rung_of(i);
        const bool meant = i.target == s.target || targets_.ancestor(i.target, level_of(current.what)) == s.target;
        if (!meant || current.approval == consent::none || i.approved) continue;
        i.approved = heard = look_again_ = true;
        tell(event_kind::operator_word, decision::accept, reason::operator_word, i, out);
    }
    if (!heard) tell(event_kind::operator_word, decision::ignore, reason::operator_word, out).target = s.target;
}

inline void engine::take(const ordered& o, outputs& out) {
    const bool possible = targets_.has(o.instance) && targets_[o.instance].of == level::instance;
    const bool free = possible && !targets_.busy(o.instance);
    event& e = tell(event_kind::operation_order, free ? decision::act : decision::ignore,
                    possible && !free ? reason::busy : reason::requested, out);
    e.target = e.subject = o.instance;
    e.rung = operation::create_instance;
    if (!free) return;
    start(operation::create_instance, o.instance, nullptr, options_.create_timeout, options_.create_timeout, out);
}

inline void engine::take(const overflow& o, outputs& out) {
    tell(event_kind::controller, decision::ignore, reason::inbox_overflow, out).value = static_cast<double>(o.lost);
}

inline void engine::take(completed& c, outputs& out) {
    pending_operation* op = c.repeated || c.op == no_op ? nullptr : find_operation(c.op);
    if (op != nullptr && op->reading == c.op) {
        read_back(*op, c.result, out);
        return;
    }
    if (op == nullptr || op->at != pending_operation::stage::called) {
        tell(event_kind::call, decision::ignore, c.repeated ? reason::repeated_completion : reason::late_completion,
             out)
            .op = c.op;
        return;
    }
    note_seen(op->subject, c.result.seen);
    switch (c.result.code) {
    case outcome_code::done: finish(*op, c.result.code, reason::outcome_done, {}, out); break;
    case outcome_code::failed: finish(*op, c.result.code, reason::outcome_failed, c.result.retry_after, out); break;
    case outcome_code::refused: finish(*op, c.result.code, reason::outcome_refused, c.result.retry_after, out); break;
    case outcome_code::unknown:
        op->at = pending_operation::stage::unknown;
        op->settle_by = after(now_, op->settle);
        op->read_by = now_;
        event& e = tell(event_kind::call, decision::read_back, reason::outcome_unknown, out);
        e.op = op->id;
        e.rung = op->what;
        e.target = e.subject = op->subject;
        e.incident = op->for_incident;
        ask_cloud(*op, out);
        break;
    }
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/operate.hpp

// Intents, calls and outcomes: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

inline void engine::start(operation what, target_id subject, incident* for_incident, duration timeout, duration settle,
                          outputs& out) {
    pending_operation op;
    op.id = static_cast<op_id>(++last_op_);
    op.what = what;
    op.subject = subject;
    op.key = mix(mix(options_.seed ^ static_cast<std::uint64_t>(options_.reign)) ^ last_op_);
    op.since = now_;
    op.timeout = timeout;
    op.settle = settle;
    op.cloud_id_before = targets_[subject].cloud_id;
    op.boot_id_before = targets_[subject].boot_id;
    if (for_incident != nullptr) {
        op.for_incident = for_incident->id;
        for_incident->op = op.id;
        if (what != operation::fence_instance) op.proofs = std::exchange(for_incident->proofs, {});
    } else {
        targets_.mark_busy(subject, 1);
    }
    write_intent(op, out);
    operations_.push_back(std::move(op));
}

inline void engine::write_intent(pending_operation& op, outputs& out) {
    record& r = write(record_kind::intent, op.subject, out);
    r.op = op.id;
    r.key = op.key;
    r.what = op.what;
    r.incident = op.for_incident;
    r.deadline = after(now_, op.timeout);
    r.cloud_id = op.cloud_id_before;
    r.boot_id = op.boot_id_before;
    r.host = targets_[op.subject].host;
    op.intent = r.seq;
}

/// The second look: the world may have changed while the journal wrote.
inline reason engine::no_longer_wanted(const pending_operation& op) const noexcept {
    const incident* i = find_incident(op.for_incident);
    if (i == nullptr) return reason::none;
    // After the first fence the machine is off for certain; nothing that was heard before can call it healthy.
    if (health_of(i->target) == health::healthy && op.proofs.empty() && i->proofs.empty()) return reason::healthy_again;
    for (const proof_of_death& p : op.proofs) {
        if (!p.speaks_for(op.for_incident, p.target(), now_)) return reason::proof_expired;
    }
    return reason::none;
}

inline call engine::make_call(const pending_operation& op, op_id id, operation what, time_point deadline) const {
    const std::string_view name = targets_[op.subject].name;
    const target_id on = targets_.ancestor(op.subject, level::instance);
    const target_id in = targets_.ancestor(op.subject, level::stack);
    const std::string_view instance = on == no_target ? std::string_view{} : targets_[on].name;
    const std::string_view cloud_id = on == no_target ? std::string_view{} : targets_[on].cloud_id;
    const std::string_view stack = in == no_target ? std::string_view{} : targets_[in].name;

    call c;
    // Reserved first, because the views must not move.
    c.text.reserve(name.size() + instance.size() + cloud_id.size() + stack.size());
    const auto keep = [&c](std::string_view text) {
        c.text.insert(c.text.end(), text.begin(), text.end());
        return std::string_view{c.text.data() + (c.text.size() - text.size()), text.size()};
    };
    c.incident = op.for_incident;
    c.what.op = id;
    c.what.key = op.key;
    c.what.reign = options_.reign;
    c.what.what = what;
    c.what.target = op.subject;
    c.what.name = keep(name);
    c.what.instance = keep(instance);
    c.what.cloud_id = keep(cloud_id);
    c.what.stack = keep(stack);
    if (targets_[op.subject].of == level::service && what != operation::describe)
        c.what.service = c.what.name.substr(c.what.instance.size() + 1);
    c.what.deadline = deadline;
    return c;
}

inline void engine::emit_call(pending_operation& op, outputs& out) {
    if (op.id == no_op || op.at != pending_operation::stage::journaled || op.intent > durable_ || !journal_ok_) return;
    if (const reason why = no_longer_wanted(op); why != reason::none) {
        record& w = write(record_kind::dropped, op.subject, out);
        w.op = std::exchange(op.id, no_op);
        w.incident = op.for_incident;
        w.what = op.what;
        w.why = why;
        incident& i = *find_incident(op.for_incident);
        event& e = tell(event_kind::call, decision::drop, why, i, out);
        e.rung = op.what;
        e.subject = op.subject;
        if (op.what != operation::fence_instance) {
            // Certainly nothing happened, so nothing was spent; but a proof that keeps expiring is a wait, and is
            // paged.
            ledger_.take_back(op.subject, op.what, op.since);
            --i.attempts;
            if (why == reason::proof_expired && i.waiting_since == never) i.waiting_since = op.since;
        }
        i.at = phase::deciding;
        i.wake = never;
        finish_busy(i);
        return;
    }
    op.at = pending_operation::stage::called;
    op.deadline = after(now_, op.timeout);

    call c = make_call(op, op.id, op.what, op.deadline);
    c.proofs = std::move(op.proofs);
    out.calls.push_back(std::move(c));

    event& e = tell(event_kind::call, decision::call, reason::none, out);
    e.op = op.id;
    e.rung = op.what;
    e.subject = op.subject;
    e.incident = op.for_incident;
    const incident* i = find_incident(op.for_incident);
    e.target = i != nullptr ? i->target : op.subject;
    e.attempt = i != nullptr ? i->attempts : std::uint16_t{1};
    e.next = op.deadline;
}

/// When a human has to hear that the journal keeps an intent waiting. A failed journal has been paged by itself.
inline time_point engine::page_at(const pending_operation& op) const noexcept {
    const bool waits = op.at == pending_operation::stage::journaled && journal_ok_ && !op.paged;
    return waits ? after(op.since, options_.page_after) : never;
}

inline void engine::watch_deadlines(pending_operation& op, outputs& out) {
    if (op.id == no_op) return; // its outcome came in time, in this step
    if (now_ >= page_at(op)) {
        op.paged = true;
        event& e = tell(event_kind::page, decision::page, reason::journal_pending, out);
        e.op = op.id;
        e.rung = op.what;
        e.target = e.subject = op.subject;
        e.incident = op.for_incident;
    }
    if (op.at == pending_operation::stage::called && now_ >= op.deadline) {
        op.at = pending_operation::stage::unknown;
        op.settle_by = after(now_, op.settle);
        event& e = tell(event_kind::call, decision::read_back, reason::deadline_passed, out);
        e.op = op.id;
        e.rung = op.what;
        e.target = e.subject = op.subject;
        e.incident = op.for_incident;
        ask_cloud(op, out);
    } else if (op.at == pending_operation::stage::unknown) {
        if (now_ >= op.settle_by) finish(op, outcome_code::unknown, reason::found_not_done, {}, out);
        else if (now_ >= op.read_by) ask_cloud(op, out);
    }
}

/// Asks the cloud what is. It changes nothing, so it needs no intent.
inline void engine::ask_cloud(pending_operation& op, outputs& out) {
    op.reading = static_cast<op_id>(++last_op_);
    op.read_by = after(now_, options_.read_back_every);
    out.calls.push_back(make_call(op, op.reading, operation::describe, op.read_by));
}

inline void engine::read_back(pending_operation& op, const outcome& seen, outputs& out) {
    op.reading = no_op;
    if (seen.code != outcome_code::done) return; // asked again when `read_by` comes
    const observed& now = seen.seen;
    note_seen(op.subject, now);
    const bool exists = now.exists.value_or(true);
    switch (op.what) {
    case operation::fence_instance:
        // Not running is what a description says; only the fence itself vouches for it. Fencing again is harmless.
        return finish(op, outcome_code::failed, reason::found_not_done, {}, out);
    case operation::create_instance:
    case operation::recreate_instance:
    case operation::evacuate_instance:
    case operation::rebuild_instance:
        if (exists && now.running.value_or(false) && !now.cloud_id.empty() &&
            (now.cloud_id != op.cloud_id_before || (!now.boot_id.empty() && now.boot_id != op.boot_id_before)))
            return finish(op, outcome_code::done, reason::found_done, {}, out);
        return;                             // it may still be under way: never a blind repeat
    case operation::converge_stack: return; // only verification can tell
    default:
        return finish(op, outcome_code::done, reason::found_done, {}, out); // harmless: counts as done, and is verified
    }
}

inline void engine::note_seen(target_id subject, const observed& seen) {
    const target_id on = targets_.ancestor(subject, level::instance);
    if (on == no_target) return;
    target_record& t = targets_[on];
    if (!seen.cloud_id.empty()) t.cloud_id = seen.cloud_id;
    if (!seen.boot_id.empty()) t.boot_id = seen.boot_id;
    if (!seen.host.empty()) t.host = seen.host;
    if (!seen.address.empty()) t.address = seen.address;
}

inline void engine::finish(pending_operation& op, outcome_code code, reason why, duration retry_after, outputs& out) {
    const operation what = op.what;
    const target_id subject = op.subject;
    const incident_id incident_of_op = op.for_incident;
    const op_id id = std::exchange(op.id, no_op); // `op` may move from here on

    record& w = write(record_kind::outcome, subject, out);
    w.op = id;
    w.incident = incident_of_op;
    w.what = what;
    w.result = code;
    w.why = why;
    w.cloud_id = targets_[subject].cloud_id;
    w.boot_id = targets_[subject].boot_id;

    incident* i = find_incident(incident_of_op);
    event& e = tell(i == nullptr ? event_kind::operation_order : event_kind::call, decision::finish, why, out);
    e.op = id;
    e.rung = what;
    e.subject = subject;
    e.target = i != nullptr ? i->target : subject;
    e.incident = incident_of_op;
    e.attempt = i != nullptr ? i->attempts : std::uint16_t{1};
    look_again_ = true;
    if (i == nullptr) return targets_.mark_busy(subject, -1);

    if (what == operation::fence_instance) {
        if (code != outcome_code::done) {
            ++i->fences;
            return retry(*i, retry_after);
        }
        i->proofs.push_back(proof_of_death{proof_kind::fenced, i->id, subject, after(now_, options_.proof_validity)});
        event& minted = tell(event_kind::rung, decision::accept, reason::proof_minted, *i, out);
        minted.subject = subject;
        minted.rung = operation::fence_instance;
        i->to_fence.pop_back();
        i->fences = 0;
        if (i->to_fence.empty()) i->at = phase::acting;
        return go_on(*i, out);
    }
    if (code == outcome_code::failed || code == outcome_code::refused) return retry(*i, retry_after);
    // Done, or a destructive action that nobody can tell of: evidence decides.
    i->at = phase::verifying;
    i->verify_by = i->wake = after(now_, code == outcome_code::done ? rung_of(*i).verify : duration{});
    tell(event_kind::verdict, decision::verify, why, *i, out).next = i->verify_by;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/escape.hpp

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// The bytes of the character at the start of `text`, or 0 where that is not UTF-8 (Unicode 15, table 3-7).
[[nodiscard]] constexpr std::size_t utf8_size(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto tail = [&byte](std::size_t from, std::size_t size) {
        for (; from < size; ++from) {
            if (byte(from) < 0x80U || byte(from) > 0xBFU) return std::size_t{0};
        }
        return size;
    };
    const unsigned b0 = byte(0);
    const unsigned b1 = byte(1);
    if (text.empty()) return 0;
    if (b0 < 0x80U) return 1;
    if (b0 >= 0xC2U && b0 <= 0xDFU) return tail(1, 2);
    if (b0 >= 0xE0U && b0 <= 0xEFU) {
        const unsigned low = b0 == 0xE0U ? 0xA0U : 0x80U;
        const unsigned high = b0 == 0xEDU ? 0x9FU : 0xBFU;
        return b1 >= low && b1 <= high ? tail(2, 3) : 0;
    }
    if (b0 >= 0xF0U && b0 <= 0xF4U) {
        const unsigned low = b0 == 0xF0U ? 0x90U : 0x80U;
        const unsigned high = b0 == 0xF4U ? 0x8FU : 0xBFU;
        return b1 >= low && b1 <= high ? tail(2, 4) : 0;
    }
    return 0;
}

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

} // namespace detail

/// The start of `text`, at most `bytes` long and not cut inside a character: for echoing what a stranger sent.
[[nodiscard]] constexpr std::string_view clip(std::string_view text, std::size_t bytes) noexcept {
    if (text.size() <= bytes) return text;
    std::size_t end = bytes;
    for (int i = 0; i < 3 && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U; ++i) --end;
    return text.substr(0, end);
}

/// Appends `text` as a JSON string, quotes included (RFC 8259, section 7). The result is valid whatever the bytes are:
/// a byte that is not UTF-8 becomes U+FFFD, a control character `\u00XX`.
inline void append_json_string(std::string& out, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    while (!text.empty()) {
        const auto c = static_cast<unsigned char>(text.front());
        const std::size_t size = detail::utf8_size(text);
        if (size == 0) {
            out += detail::replacement_character;
        } else if (c < 0x20U || c == 0x7FU) {
            out += "\\u00";
            out += hex[c >> 4U];
            out += hex[c & 0xFU];
        } else {
            if (c == '"' || c == '\\') out += '\\';
            out += text.substr(0, size);
        }
        text.remove_prefix(size == 0 ? 1 : size);
    }
    out += '"';
}

/// Appends `text` as character data of XML 1.0, good between tags and between quotes. A byte that is not UTF-8 becomes
/// U+FFFD; a character that XML forbids even as a reference (section 2.2) is left out.
inline void append_xml_text(std::string& out, std::string_view text) {
    while (!text.empty()) {
        const char c = text.front();
        const std::size_t size = detail::utf8_size(text);
        const std::string_view character = text.substr(0, size);
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&apos;"; break;
        case '\r': out += "&#13;"; break; // a bare one would reach the reader as a line feed
        default:
            if (size == 0) {
                out += detail::replacement_character;
            } else if ((size > 1 || static_cast<unsigned char>(c) >= 0x20U || c == '\t' || c == '\n') &&
                       character != "\xEF\xBF\xBE" && character != "\xEF\xBF\xBF") {
                out += character;
            }
        }
        text.remove_prefix(size == 0 ? 1 : size);
    }
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/render.hpp

namespace reheat::inline REHEAT_ABI {

/// An event as one line for a person: time, target, rung, decision, reason, and what else it has.
[[nodiscard]] inline std::string to_text(const engine& of, const event& e) {
    std::string line = format_time(e.at);
    const auto word = [&line](std::string_view text) {
        line += ' ';
        line += text.empty() ? std::string_view{"-"} : text;
    };
    word(of.name(e.target));
    word(e.rung == operation::none ? std::string_view{"-"} : to_string(e.rung));
    word(to_string(e.what));
    word(e.kind == event_kind::alarm && e.watch != no_watch ? to_string(e.to) : to_string(e.why));
    if (e.subject != no_target && e.subject != e.target) line += " on=" + std::string{of.name(e.subject)};
    if (e.attempt != 0 && e.rung != operation::none) line += " attempt=" + std::to_string(e.attempt);
    for (std::size_t g = 0; e.denied != 0 && g < guard_count; ++g) {
        if ((e.denied >> g & 1U) != 0) line += " denied_by=" + std::string{to_string(static_cast<guard>(g))};
    }
    if (e.why == reason::inbox_overflow) line += " lost=" + std::to_string(static_cast<std::uint64_t>(e.value));
    if (e.next != never) line += " next=" + format_time(e.next);
    return line;
}

/// An event as one JSON object, without a line feed. Names are escaped, so the line is valid whatever a target is
/// called.
[[nodiscard]] inline std::string to_json(const engine& of, const event& e) {
    std::string out;
    const auto text = [&out](std::string_view key, std::string_view value) {
        out += out.empty() ? "{\"" : ",\"";
        out += key;
        out += "\":";
        append_json_string(out, value);
    };
    const auto number = [&out](std::string_view key, std::uint64_t value) {
        out += ",\"";
        out += key;
        out += "\":";
        out += std::to_string(value);
    };
    text("time", format_time(e.at));
    text("kind", to_string(e.kind));
    text("target", of.name(e.target));
    text("rung", to_string(e.rung));
    text("decision", to_string(e.what));
    text("reason", to_string(e.why));
    if (e.kind == event_kind::alarm && e.watch != no_watch) {
        text("from", to_string(e.from));
        text("to", to_string(e.to));
        if (e.value == e.value) {
            std::array<char, 32> digits{};
            const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), e.value).ptr;
            out += ",\"value\":" + std::string{digits.data(), end};
        }
    }
    if (e.subject != no_target) text("subject", of.name(e.subject));
    if (e.incident != no_incident) number("incident", static_cast<std::uint64_t>(e.incident));
    if (e.op != no_op) number("op", static_cast<std::uint64_t>(e.op));
    if (e.attempt != 0) number("attempt", e.attempt);
    if (e.denied != 0) {
        out += ",\"denied_by\":[";
        bool first = true;
        for (std::size_t g = 0; g < guard_count; ++g) {
            if ((e.denied >> g & 1U) == 0) continue;
            if (!std::exchange(first, false)) out += ',';
            append_json_string(out, to_string(static_cast<guard>(g)));
        }
        out += ']';
    }
    if (e.why == reason::inbox_overflow) number("lost", static_cast<std::uint64_t>(e.value));
    if (e.next != never) text("next", format_time(e.next));
    out += '}';
    return out;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/fwd.hpp

// Names without their definitions, for headers that only pass references on.

namespace reheat::inline REHEAT_ABI {

enum class target_id : std::uint32_t;
enum class incident_id : std::uint32_t;
enum class policy_id : std::uint16_t;
enum class op_id : std::uint64_t;
enum class epoch : std::uint64_t;
enum class sequence : std::uint64_t;
enum class watch_id : std::uint64_t;
enum class operation : std::uint8_t;
enum class decision : std::uint8_t;
enum class reason : std::uint8_t;
enum class guard : std::uint8_t;
enum class alarm_state : std::uint8_t;
enum class health : std::uint8_t;

struct error;
class node;
struct request;
struct outcome;
struct observation;
struct observed;
struct event;
struct record;
struct call;
struct outputs;
struct operator_input;
struct stack;
struct instance;
struct service;
class completion;
class completion_sink;
class proof_of_death;
class capabilities;
class policy;
class engine;
class mock_cloud;

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/ladder.hpp

namespace reheat::inline REHEAT_ABI {

/// Rung: restart the service in its guest. Keeps everything but the service's own memory.
struct restart_service {
    std::uint16_t attempts = 3;
    duration within = std::chrono::minutes{5};
    duration verify = std::chrono::seconds{150};
    budget sustained{6, std::chrono::hours{1}};
    duration grace = std::chrono::seconds{30};
    duration timeout = std::chrono::seconds{60};
    consent approval = consent::none;

    static constexpr operation what = operation::restart_service;
    static constexpr backoff wait = service_backoff;
};

/// Rung: boot the same machine again. Loses what it held in memory.
struct reboot_instance {
    std::uint16_t attempts = 2;
    duration within = std::chrono::hours{1};
    duration verify = std::chrono::minutes{12};
    budget sustained{2, std::chrono::hours{1}};
    duration grace = std::chrono::seconds{600};
    duration timeout = std::chrono::minutes{5};
    consent approval = consent::none;

    static constexpr operation what = operation::reboot_instance;
    static constexpr backoff wait = instance_backoff;
};

/// Rung: a fresh root disk under the same identity. Loses memory and ephemeral disks.
struct rebuild_instance {
    std::uint16_t attempts = 1;
    duration within = std::chrono::hours{4};
    duration verify = std::chrono::minutes{30};
    budget sustained{1, std::chrono::hours{4}};
    duration grace = std::chrono::seconds{600};
    duration timeout = std::chrono::minutes{15};
    consent approval = consent::none;

    static constexpr operation what = operation::rebuild_instance;
    static constexpr backoff wait = instance_backoff;
};

/// Rung: fence the instance, then make it anew with its volumes and fixed addresses. Loses memory, ephemeral disks and
/// the cloud's id.
struct recreate_instance {
    std::uint16_t attempts = 1;
    duration within = std::chrono::hours{4};
    duration verify = std::chrono::minutes{30};
    budget sustained{1, std::chrono::hours{4}};
    duration grace = std::chrono::seconds{600};
    duration timeout = std::chrono::minutes{15};
    consent approval = consent::none;

    static constexpr operation what = operation::recreate_instance;
    static constexpr backoff wait = instance_backoff;
};

/// Rung: fence the instance, then start it on another host. Loses memory.
struct evacuate_instance {
    std::uint16_t attempts = 1;
    duration within = std::chrono::hours{4};
    duration verify = std::chrono::minutes{30};
    budget sustained{1, std::chrono::hours{4}};
    duration grace = std::chrono::seconds{600};
    duration timeout = std::chrono::minutes{15};
    consent approval = consent::none;

    static constexpr operation what = operation::evacuate_instance;
    static constexpr backoff wait = instance_backoff;
};

/// Rung: bring the whole stack to what its template says. A human agrees first, unless told otherwise.
struct converge_stack {
    std::uint16_t attempts = 1;
    duration within = std::chrono::hours{24};
    duration verify = std::chrono::hours{1};
    budget sustained{1, std::chrono::hours{24}};
    duration grace = std::chrono::seconds{600};
    duration timeout = std::chrono::minutes{30};
    consent approval = consent::required;

    static constexpr operation what = operation::converge_stack;
    static constexpr backoff wait = instance_backoff;
};

/// A rung that a ladder can hold: numbers as members, the operation as a constant of the type.
template <class R>
concept rung_type = requires(const R& r) {
    { R::what } -> std::convertible_to<operation>;
    { R::wait } -> std::convertible_to<backoff>;
    { r.attempts } -> std::convertible_to<std::uint16_t>;
    { r.within } -> std::convertible_to<duration>;
    { r.verify } -> std::convertible_to<duration>;
    { r.sustained } -> std::convertible_to<budget>;
    { r.grace } -> std::convertible_to<duration>;
    { r.timeout } -> std::convertible_to<duration>;
    { r.approval } -> std::convertible_to<consent>;
};

/// The steps of recovery, mildest first: which ones is in the type, their numbers are in the value.
///
///     constexpr ladder steps{restart_service{.attempts = 3}, reboot_instance{}, recreate_instance{}};
template <rung_type... Rungs>
class ladder {
public:
    static_assert(sizeof...(Rungs) <= policy::most_rungs, "a ladder has at most eight rungs");

    constexpr explicit ladder(Rungs... rungs) noexcept : rungs_{rungs...} {}

    /// The same ladder as plain data.
    [[nodiscard]] constexpr policy lowered() const noexcept {
        return std::apply(
            [](const auto&... r) {
                policy p;
                (p.add({r.what, {r.attempts, r.within}, r.sustained, r.verify, r.grace, r.timeout, r.approval, r.wait}),
                 ...);
                return p;
            },
            rungs_);
    }

private:
    std::tuple<Rungs...> rungs_;
};

/// Service, instance, stack: the three levels that Heat promised, with the default numbers.
inline constexpr ladder three_levels{restart_service{}, reboot_instance{}, recreate_instance{}, converge_stack{}};

/// What Heat's `OS::Heat::HARestarter` did, made safe: fence, then re-create.
inline constexpr ladder ha_restarter{recreate_instance{}};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/climbable.hpp

namespace reheat::inline REHEAT_ABI {

/// Declared and never defined: naming it is how the compiler says which driver lacks which function for which rung. The
/// declaration that is wanted stands beside the function's name in `driver/concepts.hpp`.
template <class Driver, class Rung, class Function>
struct driver_lacks;

namespace detail {

template <class... Functions>
struct function_list {};
template <operation What>
struct functions_of : function_list<> {}; // what is none of a driver's needs none
template <>
struct functions_of<operation::create_instance> : function_list<function::create> {};
template <>
struct functions_of<operation::restart_service> : function_list<function::restart_service> {};
template <>
struct functions_of<operation::reboot_instance> : function_list<function::reboot> {};
template <>
struct functions_of<operation::rebuild_instance> : function_list<function::rebuild> {};
template <>
struct functions_of<operation::recreate_instance> : function_list<function::fence, function::recreate> {};
template <>
struct functions_of<operation::evacuate_instance> : function_list<function::fence, function::evacuate> {};
template <>
struct functions_of<operation::converge_stack> : function_list<function::fence, function::converge> {};

template <class Driver, class... Functions>
constexpr bool has_all(function_list<Functions...>) {
    return (has_function<Driver, Functions> && ...);
}

template <class T>
struct lack {
    using type = T;
};

template <class Driver, class Rung, class First, class... Rest>
constexpr auto lack_of(function_list<First, Rest...>) noexcept {
    if constexpr (has_function<Driver, First>) return lack_of<Driver, Rung>(function_list<Rest...>{});
    else return lack<driver_lacks<Driver, Rung, First>>{};
}

/// Of the first rung that the driver can not climb, the first function that it lacks; the others would bury it.
template <class Driver, class... Rungs>
constexpr auto first_lack() noexcept {
    constexpr std::size_t first = [] {
        std::size_t rung = 0;
        static_cast<void>(((has_all<Driver>(functions_of<Rungs::what>{}) && ++rung != 0) && ...));
        return rung;
    }();
    if constexpr (first == sizeof...(Rungs)) {
        return lack<char>{};
    } else {
        using missing = std::tuple_element_t<first, std::tuple<Rungs...>>;
        return lack_of<Driver, missing>(functions_of<missing::what>{});
    }
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

// file: reheat/recovery/lint.hpp

namespace reheat::inline REHEAT_ABI {

/// What `lint` can find.
enum class finding : std::uint8_t {
    unreachable_rung,          ///< it has no attempts, or the same operation stands on an earlier rung
    verify_shorter_than_grace, ///< verification would fail while the target may still be starting
    too_many_actions_an_hour,  ///< the rungs of one level together may act more often than is sane
};

[[nodiscard]] constexpr std::string_view to_string(finding f) noexcept {
    switch (f) {
    case finding::unreachable_rung: return "unreachable_rung";
    case finding::verify_shorter_than_grace: return "verify_shorter_than_grace";
    case finding::too_many_actions_an_hour: return "too_many_actions_an_hour";
    }
    return "unknown";
}

/// One thing that `lint` found: on which rung (counted from 0), and its number: the rung that hides it, the missing
/// seconds, or the worst-case actions an hour.
struct lint_finding {
    finding what{};
    std::size_t rung = 0;
    std::int64_t number = 0;
};

/// All that `lint` found.
class lint_report {
public:
    [[nodiscard]] constexpr bool ok() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr std::span<const lint_finding> findings() const noexcept {
        return std::span{findings_}.first(size_);
    }
    [[nodiscard]] constexpr bool has(finding f) const noexcept {
        for (const lint_finding& found : findings()) {
            if (found.what == f) return true;
        }
        return false;
    }
    constexpr void add(const lint_finding& f) noexcept {
        if (size_ < findings_.size()) findings_[size_++] = f;
    }

private:
    std::array<lint_finding, policy::most_rungs * 3 + 3> findings_{};
    std::size_t size_ = 0;
};

/// The most actions that a rung can make in the worst hour: the tighter of its two budgets.
[[nodiscard]] constexpr std::int64_t worst_actions_an_hour(const rung& r) noexcept {
    constexpr std::int64_t hour = std::chrono::duration_cast<duration>(std::chrono::hours{1}).count();
    const auto worst = [](const budget& b) {
        const std::int64_t within = b.within.count() < 1 ? 1 : b.within.count();
        const std::int64_t windows = within >= hour ? 1 : (hour + within - 1) / within;
        return static_cast<std::int64_t>(b.count) * windows;
    };
    return worst(r.burst) < worst(r.sustained) ? worst(r.burst) : worst(r.sustained);
}

/// Checks a policy for what can only be a mistake. Constexpr, so that a ladder in code is checked by the compiler:
///
///     static_assert(lint(steps).ok());
[[nodiscard]] constexpr lint_report lint(const policy& p) noexcept {
    constexpr std::array<std::int64_t, 3> most_an_hour{12, 4, 1}; // service, instance, stack
    lint_report report;
    std::array<std::int64_t, 3> actions{};
    const std::span<const rung> rungs = p.rungs();
    for (std::size_t i = 0; i < rungs.size(); ++i) {
        const rung& r = rungs[i];
        if (r.burst.count == 0 || r.sustained.count == 0)
            report.add({finding::unreachable_rung, i, static_cast<std::int64_t>(i)});
        for (std::size_t earlier = 0; earlier < i; ++earlier) {
            if (rungs[earlier].what != r.what) continue;
            report.add({finding::unreachable_rung, i, static_cast<std::int64_t>(earlier)});
            break;
        }
        if (r.verify <= r.grace)
            report.add({finding::verify_shorter_than_grace, i,
                        std::chrono::duration_cast<std::chrono::seconds>(r.grace - r.verify).count()});
        const auto at = static_cast<std::size_t>(level_of(r.what));
        actions[at] += worst_actions_an_hour(r);
        const bool last_of_level = [&] {
            for (std::size_t later = i + 1; later < rungs.size(); ++later) {
                if (level_of(rungs[later].what) == level_of(r.what)) return false;
            }
            return true;
        }();
        if (last_of_level && actions[at] > most_an_hour[at])
            report.add({finding::too_many_actions_an_hour, i, actions[at]});
    }
    return report;
}

template <rung_type... Rungs>
[[nodiscard]] constexpr lint_report lint(const ladder<Rungs...>& l) noexcept {
    return lint(l.lowered());
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/runner/clocks.hpp

namespace reheat::inline REHEAT_ABI {

/// A source of engine time. `now` never goes back. `real_wait` is how long a real thread has to sleep until that time
/// comes; zero if it is over, negative if no sleep will bring it (time is moved by hand).
template <class T>
concept time_source = requires(const T& source, time_point at) {
    { source.now() } -> std::same_as<time_point>;
    { source.real_wait(at) } -> std::same_as<duration>;
};

/// Real time: the wall clock read once, carried on by the steady clock, so that a jump of the wall clock moves nothing.
/// Any thread may read it.
class system_time {
public:
    system_time() noexcept
        : wall_{std::chrono::duration_cast<duration>(std::chrono::system_clock::now().time_since_epoch())},
          steady_{std::chrono::steady_clock::now()} {}

    [[nodiscard]] time_point now() const noexcept {
        return time_point{wall_ + std::chrono::duration_cast<duration>(std::chrono::steady_clock::now() - steady_)};
    }
    [[nodiscard]] duration real_wait(time_point at) const noexcept {
        const time_point t = now();
        return at > t ? at - t : duration::zero();
    }

private:
    duration wall_;
    std::chrono::steady_clock::time_point steady_;
};

/// Time that stands until it is moved. One thread at a time.
///
///     manual_clock clock;
///     clock.advance(60s);
class manual_clock {
public:
    /// Begins at 2026-01-01T00:00:00Z unless told otherwise.
    explicit manual_clock(time_point start = time_point{std::chrono::seconds{1'767'225'600}}) noexcept : now_{start} {}

    [[nodiscard]] time_point now() const noexcept { return now_; }
    [[nodiscard]] duration real_wait(time_point at) const noexcept {
        return at <= now_ ? duration::zero() : duration{-1};
    }
    void advance(duration by) noexcept { advance_to(after(now_, by)); }
    /// Moves to a time; an earlier one changes nothing.
    void advance_to(time_point at) noexcept {
        if (at > now_) now_ = at;
    }

private:
    time_point now_;
};

/// Real time, a number of times faster. Begins at the present. Any thread may read it.
class scaled_clock {
public:
    /// `scale` from 0.001 to 1,000,000; what is outside is held at the bound.
    explicit scaled_clock(double scale) noexcept
        : start_{real_.now()}, scale_{scale < 0.001 ? 0.001
                                      : scale > 1e6 ? 1e6
                                                    : scale} {}

    [[nodiscard]] time_point now() const noexcept {
        return after(start_,
                     duration{static_cast<std::int64_t>(static_cast<double>((real_.now() - start_).count()) * scale_)});
    }
    [[nodiscard]] duration real_wait(time_point at) const noexcept {
        const time_point t = now();
        return at > t ? duration{static_cast<std::int64_t>(static_cast<double>((at - t).count()) / scale_) + 1}
                      : duration::zero();
    }

private:
    system_time real_;
    time_point start_;
    double scale_;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/runner/journal.hpp

namespace reheat::inline REHEAT_ABI {

/// Where records are kept. `append` takes them in order of their sequence numbers and may return before they are safe;
/// `durable` says up to which they are. No call is made before its intent is durable.
/// After an `append` that failed, `open` is called again and then the refused records come again: those that it has
/// after all are to be skipped.
template <class J>
concept journal = requires(J& j, const J& safe, std::span<const record> records) {
    { j.open() } -> std::same_as<result<void>>;
    { j.append(records) } -> std::same_as<result<void>>;
    { safe.durable() } -> std::same_as<sequence>;
};

/// A journal that remembers nothing once the program ends. After a restart attempts are not counted as spent and calls
/// under way are forgotten: for tests, demonstrations, and fleets that can bear it.
class volatile_journal {
public:
    result<void> open() noexcept { return {}; }
    result<void> append(std::span<const record> records) noexcept {
        if (!records.empty()) last_ = records.back().seq;
        return {};
    }
    [[nodiscard]] sequence durable() const noexcept { return last_; }

private:
    sequence last_ = no_sequence;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/runner/dispatch.hpp

namespace reheat::inline REHEAT_ABI {

/// Makes one call of the engine on a driver. A call that needs proofs is refused here, before the driver hears of it,
/// if one is missing, expired, or speaks for another incident or target; so is one for which the driver has no
/// function.
template <cloud_driver Driver>
void dispatch(Driver& driver, call& c, time_point now, completion done) {
    for (const proof_of_death& p : c.proofs) {
        if (!p.speaks_for(c.incident, p.target(), now)) return done(outcome::refused("proof of death does not hold"));
    }
    const bool one_proof = c.proofs.size() == 1 && c.proofs.front().target() == c.what.target;
    const auto lacking = [&done] { done(outcome::refused("the driver has no such function")); };
    switch (c.what.what) {
    case operation::describe: return driver.describe(c.what, std::move(done));
    case operation::create_instance:
        if constexpr (creates_instances<Driver>) return driver.create(c.what, std::move(done));
        else return lacking();
    case operation::restart_service:
        if constexpr (restarts_services<Driver>) return driver.restart_service(c.what, std::move(done));
        else return lacking();
    case operation::reboot_instance:
        if constexpr (reboots_instances<Driver>) return driver.reboot(c.what, std::move(done));
        else return lacking();
    case operation::rebuild_instance:
        if constexpr (rebuilds_instances<Driver>) return driver.rebuild(c.what, std::move(done));
        else return lacking();
    case operation::fence_instance:
        if constexpr (fences_instances<Driver>) return driver.fence(c.what, std::move(done));
        else return lacking();
    case operation::recreate_instance:
        if (!one_proof) return done(outcome::refused("no proof of death"));
        if constexpr (recreates_instances<Driver>)
            return driver.recreate(c.what, std::move(c.proofs.front()), std::move(done));
        else return lacking();
    case operation::evacuate_instance:
        if (!one_proof) return done(outcome::refused("no proof of death"));
        if constexpr (evacuates_instances<Driver>)
            return driver.evacuate(c.what, std::move(c.proofs.front()), std::move(done));
        else return lacking();
    case operation::converge_stack:
        if constexpr (converges_stacks<Driver>) return driver.converge(c.what, std::span{c.proofs}, std::move(done));
        else return lacking();
    case operation::none:
    case operation::page: return done(outcome::refused("no operation of a driver"));
    }
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/inbox.hpp

namespace reheat::inline REHEAT_ABI {

/// A bounded lock-free queue: any thread puts, one thread takes. Full means `put` says no and the loss is counted; it
/// never blocks and never allocates after construction. (D. Vyukov's bounded queue: each slot carries a turn number.)
template <class T>
    requires std::is_nothrow_move_assignable_v<T> && std::is_default_constructible_v<T>
class inbox {
public:
    /// `capacity` is rounded up to a power of two.
    explicit inbox(std::size_t capacity) : slots_(rounded_up(capacity)), mask_{slots_.size() - 1} {
        for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].turn.store(i, std::memory_order_relaxed);
    }

    /// Moves a value in, or leaves it and counts the loss. Any thread.
    bool put(T&& value) noexcept {
        std::size_t at = head_.load(std::memory_order_relaxed);
        for (;;) {
            slot& s = slots_[at & mask_];
            const std::size_t turn = s.turn.load(std::memory_order_acquire);
            if (turn == at) {
                if (head_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
                    s.value = std::move(value);
                    s.turn.store(at + 1, std::memory_order_release);
                    return true;
                }
            } else if (turn < at) {
                lost_.fetch_add(1, std::memory_order_relaxed);
                return false;
            } else {
                at = head_.load(std::memory_order_relaxed);
            }
        }
    }

    /// Takes the oldest value. The one consuming thread.
    bool take(T& value) noexcept {
        slot& s = slots_[tail_ & mask_];
        if (s.turn.load(std::memory_order_acquire) != tail_ + 1) return false;
        value = std::move(s.value);
        s.turn.store(tail_ + mask_ + 1, std::memory_order_release);
        ++tail_;
        return true;
    }

    /// How many values found it full since the last call. Any thread.
    std::uint64_t take_losses() noexcept { return lost_.exchange(0, std::memory_order_relaxed); }

private:
    struct slot {
        std::atomic<std::size_t> turn{0};
        T value{};
    };

    static constexpr std::size_t rounded_up(std::size_t capacity) noexcept {
        std::size_t size = 2;
        while (size < capacity) size *= 2;
        return size;
    }

    std::vector<slot> slots_; // never resized: a slot can not move
    std::size_t mask_;
    alignas(64) std::atomic<std::size_t> head_{0};
    alignas(64) std::size_t tail_ = 0;
    std::atomic<std::uint64_t> lost_{0};
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/runner/waker.hpp

namespace reheat::inline REHEAT_ABI {

/// Wakes whoever runs a pipeline when something has arrived for it: a sleeping thread (`runner/run.hpp`), an event
/// loop.
class waker {
public:
    waker() = default;
    waker(const waker&) = delete;
    waker& operator=(const waker&) = delete;
    virtual ~waker() = default;

    /// Any thread, often, and never for long.
    virtual void wake() noexcept = 0;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/runner/mailbox.hpp

namespace reheat::inline REHEAT_ABI {

/// An outcome on its way from a driver to the engine.
struct delivered_outcome {
    op_id op{};
    outcome result{};
    bool repeated = false;
};

/// A sample on its way from another thread to the engine.
struct posted_sample {
    watch_id watch = no_watch;
    time_point at{};
    double value = 0;
};

/// What other threads hand to a runner: outcomes and samples. It outlives the runner as long as a completion refers to
/// it; after `close` it takes nothing.
class mailbox final : public completion_sink {
public:
    mailbox(std::size_t most_outcomes, std::size_t most_samples) : outcomes{most_outcomes}, samples{most_samples} {}

    void deliver(op_id op, outcome&& result, bool repeated) noexcept override {
        if (closed_.load(std::memory_order_acquire)) return;
        outcomes.put({op, std::move(result), repeated});
        wake();
    }

    void close() noexcept { closed_.store(true, std::memory_order_release); }

    /// Any thread.
    void wake() noexcept {
        if (waker* const w = waker_.load(std::memory_order_acquire); w != nullptr) w->wake();
    }

    /// Takes ownership of the one waker; it lives as long as the mailbox, so that no late completion finds it gone. A
    /// second one is refused, and stays its caller's. The runner's thread.
    [[nodiscard]] bool adopt(waker* w) noexcept {
        waker* none = nullptr;
        return waker_.compare_exchange_strong(none, w, std::memory_order_acq_rel);
    }
    [[nodiscard]] waker* adopted() const noexcept { return waker_.load(std::memory_order_acquire); }

    inbox<delivered_outcome> outcomes;
    inbox<posted_sample> samples;

private:
    ~mailbox() override { delete waker_.load(std::memory_order_acquire); }

    std::atomic<bool> closed_{false};
    std::atomic<waker*> waker_{nullptr};
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/runner/pipeline.hpp

namespace reheat::inline REHEAT_ABI {

/// Runs an engine on a driver, a time source and a journal: steps it, writes its records, makes its calls, takes their
/// outcomes. It refers to the driver, which must outlive it, and owns the rest. The constructor cannot fail and does
/// nothing; `open` does. Not movable.
///
/// `post` and the completions of the driver may be used from any thread, everything else from one thread at a time.
///
///     my_cloud cloud;
///     pipeline ha{cloud, system_time{}, three_levels};
///     auto db = ha.add(instance{.name = "db-1"});
///     ha.watch(*db, heartbeat_alarm{.period = 60s});
///     ha.run(stop);
template <class Driver, time_source Time, journal Journal = volatile_journal>
class pipeline {
public:
    /// The ladder is checked against the driver here, at compile time.
    template <rung_type... Rungs>
    pipeline(Driver& driver, Time time, const ladder<Rungs...>& with, Journal log = {}, engine_options options = {})
        : pipeline(driver, std::move(time), with.lowered(), std::move(log), options) {
        // `require_climbable`, written out: each level of calls is three lines of a compiler's message.
        static_cast<void>(sizeof(detail::lacking<Driver, Rungs...>));
    }
    /// The policy is only known at run time: `open` checks it against the driver.
    pipeline(Driver& driver, Time time, const policy& rules, Journal log = {}, engine_options options = {})
        : driver_{&driver}, time_{std::move(time)}, journal_{std::move(log)}, engine_{rules, options}, rules_{rules},
          mail_{new mailbox{1024, 8192}} {}
    pipeline(const pipeline&) = delete;
    pipeline& operator=(const pipeline&) = delete;
    /// Completions that are still out there do nothing from now on.
    ~pipeline() {
        mail_->close();
        mail_->release();
    }

    /// Checks the policy and opens the journal. Call it once, before the first `poll`.
    result<void> open() {
        if (auto can = check_climbable(rules_, capabilities_of<Driver>()); !can) return can;
        return journal_.open();
    }

    /// Adds a policy beside the first one; an error if the driver lacks a function for one of its rungs.
    result<policy_id> add_policy(const policy& rules) {
        if (auto can = check_climbable(rules, capabilities_of<Driver>()); !can) return std::move(can).error();
        return engine_.add_policy(rules);
    }
    result<target_id> add(const stack& s) { return engine_.add(s); }
    result<target_id> add(const instance& i) { return engine_.add(i); }
    result<target_id> add(const service& s) { return engine_.add(s); }

    /// Watches a target by an alarm, from now on.
    template <alarm_rule Rule>
    result<watch_id> watch(target_id target, const Rule& rule) {
        auto made = engine_.watch(target, rule, time_.now());
        if (made) remember(target, *made);
        return made;
    }
    result<watch_id> watch(target_id target, const heartbeat_alarm& alarm) { return watch(target, alarm.rule()); }

    /// A sample for one alarm, received now.
    void push(watch_id watch, double value) noexcept { engine_.push(watch, time_.now(), value); }
    /// A sample for every alarm that is watched on a target, received now.
    void push(target_id target, double value) noexcept {
        const auto at = static_cast<std::size_t>(target);
        if (at >= watches_of_.size()) return;
        for (const watch_id w : watches_of_[at]) push(w, value);
    }
    /// The same from any thread, if the time source may be read from it; false if the inbox is full, which is counted
    /// and told as an event.
    bool post(watch_id watch, double value) noexcept {
        const bool taken = mail_->samples.put({watch, time_.now(), value});
        mail_->wake();
        return taken;
    }
    void observe(const observation& seen) { engine_.observe(seen); }
    void operate(const operator_input& word) { engine_.operate(word, time_.now()); }
    void order_creation(target_id instance) { engine_.order_creation(instance, time_.now()); }
    /// Opens a journal that has failed again and appends what it refused; until then no action begins.
    result<void> reopen_journal() {
        if (auto opened = journal_.open(); !opened) return opened;
        if (!unwritten_.empty()) {
            if (auto written = journal_.append(unwritten_); !written) return written;
            unwritten_.clear();
        }
        engine_.journal_reopened();
        return {};
    }

    /// Does what is due and says when to come back; `never` if only an input can change anything. `sink` is called with
    /// each event, in order; it and the driver may use the pipeline's inputs, not `poll`. If one of them throws, the
    /// exception comes out here and the next `poll` goes on behind it: the outcome of that call is unknown.
    template <class Sink>
        requires requires(Sink& sink, const event& e) { sink(e); }
    time_point poll(Sink&& sink) {
        finish_step(sink); // what an exception has left over
        for (;;) {
            take_mail();
            out_.clear();
            called_ = told_ = 0;
            engine_.step(time_.now(), out_);
            write_records();
            finish_step(sink);
            if (!out_.empty()) continue;
            const time_point due = engine_.next();
            if (due > time_.now()) return due;
        }
    }
    time_point poll() {
        return poll([](const event&) {});
    }

    /// Polls until `stop.stop_requested()`, sleeping in between; see `runner/run.hpp`, which has to be included.
    template <class Stop, class Sink>
    void run(const Stop& stop, Sink&& sink) {
        run_until_stopped(*this, stop, sink);
    }
    template <class Stop>
    void run(const Stop& stop) {
        run(stop, [](const event&) {});
    }

    [[nodiscard]] const engine& state() const noexcept { return engine_; }
    [[nodiscard]] engine& state() noexcept { return engine_; }
    [[nodiscard]] Time& time() noexcept { return time_; }
    [[nodiscard]] Journal& log() noexcept { return journal_; }
    /// Where other threads' outcomes and samples arrive.
    [[nodiscard]] mailbox& mail() noexcept { return *mail_; }

private:
    struct failure_guard {
        pipeline& of;
        const bool& written;
        ~failure_guard() {
            if (written) return;
            of.unwritten_.swap(of.out_.records);
            of.engine_.journal_failed();
        }
    };

    void remember(target_id target, watch_id watch) {
        const auto at = static_cast<std::size_t>(target);
        if (watches_of_.size() <= at) watches_of_.resize(at + 1);
        watches_of_[at].push_back(watch);
    }

    void take_mail() {
        delivered_outcome done;
        while (mail_->outcomes.take(done))
            engine_.complete(done.op, time_.now(), std::move(done.result), done.repeated);
        posted_sample sample;
        while (mail_->samples.take(sample)) engine_.push(sample.watch, sample.at, sample.value);
        const std::uint64_t lost = mail_->outcomes.take_losses() + mail_->samples.take_losses();
        if (lost != 0) engine_.overflowed(lost, time_.now());
    }

    void write_records() {
        // What comes after a refused record waits with it: a journal has no gaps.
        if (!unwritten_.empty()) {
            for (const record& r : out_.records) unwritten_.push_back(r);
        } else if (!out_.records.empty()) {
            // Failed until it has said otherwise, so that one that throws counts as failed too.
            bool written = false;
            const failure_guard guard{*this, written};
            written = journal_.append(out_.records).has_value();
        }
        engine_.durable(journal_.durable());
    }

    /// Makes the calls and tells the events of the last step, each once, also when one of them throws.
    template <class Sink>
    void finish_step(Sink& sink) {
        while (called_ < out_.calls.size()) {
            call& c = out_.calls[called_++];
            dispatch(*driver_, c, time_.now(), completion{c.what.op, *mail_});
        }
        while (told_ < out_.events.size()) sink(std::as_const(out_.events[told_++]));
    }

    Driver* driver_;
    Time time_;
    Journal journal_;
    engine engine_;
    policy rules_;
    mailbox* mail_;
    outputs out_;
    std::vector<record> unwritten_; // refused by the journal, in order
    std::size_t called_ = 0;        // calls of `out_` that were made
    std::size_t told_ = 0;          // events of `out_` that were told
    std::vector<std::vector<watch_id>> watches_of_;
};

template <class Driver, class Time, rung_type... Rungs>
pipeline(Driver&, Time, const ladder<Rungs...>&) -> pipeline<Driver, Time, volatile_journal>;
template <class Driver, class Time>
pipeline(Driver&, Time, const policy&) -> pipeline<Driver, Time, volatile_journal>;

} // namespace reheat::inline REHEAT_ABI

// file: reheat/runner/run.hpp

namespace reheat::inline REHEAT_ABI {

/// A thread that sleeps until something arrives or a time is over.
class sleeper final : public waker {
public:
    void wake() noexcept override {
        {
            const std::lock_guard<std::mutex> lock{mutex_};
            woken_ = true;
        }
        signal_.notify_one();
    }

    /// Sleeps until woken or until that much real time is over. One thread.
    void sleep(duration at_most) {
        std::unique_lock<std::mutex> lock{mutex_};
        signal_.wait_for(lock, at_most, [this] { return woken_; });
        woken_ = false;
    }

private:
    std::mutex mutex_;
    std::condition_variable signal_;
    bool woken_ = false;
};

/// Polls a pipeline until `stop` says so, and sleeps in between. A request to stop is seen at the latest after
/// `check_every` of real time. A pipeline that an event loop of another kind wakes can not be run by this one as well.
template <class Pipeline, class Stop, class Sink>
    requires requires(const Stop& stop) { stop.stop_requested(); }
void run_until_stopped(Pipeline& ha, const Stop& stop, Sink&& sink,
                       duration check_every = std::chrono::milliseconds{100}) {
    sleeper* bed = static_cast<sleeper*>(ha.mail().adopted());
    if (bed == nullptr) {
        bed = new sleeper;
        static_cast<void>(ha.mail().adopt(bed));
    }
    while (!stop.stop_requested()) {
        const duration wait = ha.time().real_wait(ha.poll(sink));
        bed->sleep(wait < duration::zero() || wait > check_every ? check_every : wait);
    }
}

} // namespace reheat::inline REHEAT_ABI
