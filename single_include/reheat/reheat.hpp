// SPDX-License-Identifier: MIT
// reheat 0.1.0 in one header. Made by tools/amalgamate from include/; do not edit.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <compare>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <mutex>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
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
    guest_restarts, ///< the guest heals itself and reports; nothing is called
    collect_forensics, ///< keep what a destructive action would destroy: a memory dump, a screenshot, a console log
};

inline constexpr std::size_t operation_count = 13;

[[nodiscard]] constexpr std::string_view to_string(operation o) noexcept {
    constexpr std::array<std::string_view, operation_count> names{"none",
                                                                  "describe",
                                                                  "create_instance",
                                                                  "restart_service",
                                                                  "reboot_instance",
                                                                  "rebuild_instance",
                                                                  "fence_instance",
                                                                  "recreate_instance",
                                                                  "evacuate_instance",
                                                                  "converge_stack",
                                                                  "page",
                                                                  "guest_restarts",
                                                                  "collect_forensics"};
    return names[static_cast<std::size_t>(o)];
}

/// The level of the target that an operation acts upon.
[[nodiscard]] constexpr level level_of(operation o) noexcept {
    switch (o) {
    case operation::restart_service:
    case operation::guest_restarts: return level::service;
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
    constexpr std::array<std::string_view, 4> names{"done", "failed", "refused", "unknown"};
    return names[c < outcome_code::unknown ? static_cast<std::size_t>(c) : 3];
}

/// What a driver saw of an instance while it worked. Leave out what was not looked at. A text of more than 255 bytes
/// counts as left out.
struct observed {
    std::optional<bool> exists{};
    std::optional<bool> running{};
    /// Whether the hypervisor that ran it said so, or an API that vouches for that host. Only then is "it does not
    /// exist" more than a 404.
    bool vouched = false;
    std::string cloud_id{}; ///< the id by which the cloud knows it; changes when it is re-created
    std::string boot_id{};  ///< changes with every boot
    std::string host{};
    std::string address{};
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
    constexpr std::array<std::string_view, 5> names{"fenced", "absent", "lease_expired", "confirmed", "unknown"};
    return names[k <= proof_kind::confirmed ? static_cast<std::size_t>(k) : 4];
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
    std::string_view method;     ///< of a fence: the policy's name of the way to do it; empty for the driver's own
    bool hard = false;           ///< of a reboot: by the hypervisor, without asking the guest
    bool replaced = false;       ///< of a fence: only the copy of that cloud id, which has been replaced; otherwise
                                 ///< whatever runs under the name, also where the cloud id is an old one
    time_point deadline = never; ///< past it the engine takes the outcome for unknown and reads back
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/comparison.hpp

namespace reheat::inline REHEAT_ABI {

/// How a period's statistic (on the left) is compared with the threshold. The names of the first four and of the bands
/// are CloudWatch's; Aodh also has equal and not equal.
enum class comparison : std::uint8_t {
    greater_than,
    greater_than_or_equal,
    less_than,
    less_than_or_equal,
    equal_to,
    not_equal_to,
    outside_band, ///< less than the threshold, or greater than the upper threshold
    below_band,   ///< less than the threshold
    above_band,   ///< greater than the upper threshold
};

/// Whether a comparison has two thresholds.
[[nodiscard]] constexpr bool is_band(comparison c) noexcept { return c >= comparison::outside_band; }

/// Whether a value that does not breach would not breach either if it were greater.
[[nodiscard]] constexpr bool breaches_low_only(comparison c) noexcept {
    return c == comparison::less_than || c == comparison::less_than_or_equal || c == comparison::below_band;
}

[[nodiscard]] constexpr std::string_view to_string(comparison c) noexcept {
    switch (c) {
    case comparison::greater_than: return "GreaterThanThreshold";
    case comparison::greater_than_or_equal: return "GreaterThanOrEqualToThreshold";
    case comparison::less_than: return "LessThanThreshold";
    case comparison::less_than_or_equal: return "LessThanOrEqualToThreshold";
    case comparison::equal_to: return "EqualToThreshold";
    case comparison::not_equal_to: return "NotEqualToThreshold";
    case comparison::outside_band: return "LessThanLowerOrGreaterThanUpperThreshold";
    case comparison::below_band: return "LessThanLowerThreshold";
    case comparison::above_band: return "GreaterThanUpperThreshold";
    }
    return "unknown";
}

/// A policy that says whether a value breaches a threshold, or a band of two.
template <class C>
concept comparison_policy = std::equality_comparable<C> && requires(const C& c, double value, double threshold) {
    { c(value, threshold, threshold) } noexcept -> std::same_as<bool>;
    { c.kind() } noexcept -> std::same_as<comparison>;
};

/// The comparison chosen at run time.
struct any_comparison {
    comparison which = comparison::less_than;

    [[nodiscard]] constexpr bool operator()(double value, double threshold, double upper = 0) const noexcept {
        switch (which) {
        case comparison::greater_than: return value > threshold;
        case comparison::greater_than_or_equal: return value >= threshold;
        case comparison::less_than: return value < threshold;
        case comparison::less_than_or_equal: return value <= threshold;
        case comparison::equal_to: return value == threshold;
        case comparison::not_equal_to: return value != threshold;
        case comparison::outside_band: return value < threshold || value > upper;
        case comparison::below_band: return value < threshold;
        case comparison::above_band: return value > upper;
        }
        return false;
    }
    [[nodiscard]] constexpr comparison kind() const noexcept { return which; }
    friend constexpr bool operator==(any_comparison, any_comparison) noexcept = default;
};

/// A comparison fixed at compile time.
template <comparison Kind>
struct basic_comparison {
    constexpr bool operator()(double value, double threshold, double upper = 0) const noexcept {
        return any_comparison{Kind}(value, threshold, upper);
    }
    static constexpr comparison kind() noexcept { return Kind; }
    friend constexpr bool operator==(basic_comparison, basic_comparison) noexcept { return true; }
};

namespace detail {
template <class C>
inline constexpr bool is_plain_comparison = std::same_as<C, any_comparison>;
template <comparison Kind>
inline constexpr bool is_plain_comparison<basic_comparison<Kind>> = true;
} // namespace detail

/// A comparison of ours, which does what its kind says: one that may be carried out on whole counts.
template <class C>
concept plain_comparison = detail::is_plain_comparison<C>;

using greater_than = basic_comparison<comparison::greater_than>;
using greater_than_or_equal = basic_comparison<comparison::greater_than_or_equal>;
using less_than = basic_comparison<comparison::less_than>;
using less_than_or_equal = basic_comparison<comparison::less_than_or_equal>;
using outside_band = basic_comparison<comparison::outside_band>;
using below_band = basic_comparison<comparison::below_band>;
using above_band = basic_comparison<comparison::above_band>;

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/state.hpp

namespace reheat::inline REHEAT_ABI {

/// The state of an alarm.
enum class alarm_state : std::uint8_t { insufficient_data, ok, alarm };

[[nodiscard]] constexpr std::string_view to_string(alarm_state s) noexcept {
    constexpr std::array<std::string_view, 4> names{"insufficient_data", "ok", "alarm", "unknown"};
    return names[s <= alarm_state::alarm ? static_cast<std::size_t>(s) : 3];
}

/// How periods without a sample count; the names are CloudWatch's. `ignore` keeps the state.
enum class missing_data : std::uint8_t { missing, breaching, not_breaching, ignore };

/// What a period without a sample is to SampleCount and Sum: CloudWatch has no datapoint then, Heat has 0.
enum class empty_period : std::uint8_t { counts_missing, counts_zero };

/// What a percentile of few samples does: it is compared like any other, or the state stays.
enum class low_sample_option : std::uint8_t { evaluate, ignore };

/// How the datapoints of a range must agree.
enum class agreement : std::uint8_t {
    m_of_n,    ///< M breaching ones raise, fewer clear
    unanimous, ///< all N breaching raise, none clears, a mixed range keeps the state
};

/// When an alarm's actions run.
enum class repetition : std::uint8_t {
    on_transition,    ///< once for each change of the state
    every_evaluation, ///< at each evaluation in `alarm`, as Heat did
    re_sent,          ///< on a change, and again while in `alarm` after each `resend_after`
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
    constexpr std::array<std::string_view, 11> names{
        "invalid_argument", "syntax",      "not_found", "already_exists", "unsupported", "limit_exceeded", "cycle",
        "denied",           "unavailable", "io",        "unknown"};
    return names[code <= errc::io ? static_cast<std::size_t>(code) : 10];
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
    result(U&& value) : value_{std::in_place, std::forward<U>(value)} {} // NOLINT(google-explicit-constructor)
    result(reheat::error e) : error_{std::move(e)} {}                    // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
    [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T& operator*() & noexcept { return *value_; }
    [[nodiscard]] const T& operator*() const& noexcept { return *value_; }
    [[nodiscard]] T&& operator*() && noexcept { return std::move(*value_); }
    [[nodiscard]] T* operator->() noexcept { return &*value_; }
    [[nodiscard]] const T* operator->() const noexcept { return &*value_; }

    [[nodiscard]] reheat::error& error() & noexcept { return error_; }
    [[nodiscard]] const reheat::error& error() const& noexcept { return error_; }
    [[nodiscard]] reheat::error&& error() && noexcept { return std::move(error_); }

    template <class U>
    [[nodiscard]] T value_or(U&& other) const& {
        return has_value() ? **this : static_cast<T>(std::forward<U>(other));
    }

private:
    std::optional<T> value_;
    reheat::error error_{};
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

// file: reheat/metric/statistic_set.hpp

namespace reheat::inline REHEAT_ABI {

/// Many samples that somebody has reduced already; CloudWatch's StatisticSet. The count may be a fraction in the API,
/// and is held at its whole part.
struct statistic_set {
    double sample_count = 0;
    double sum = 0;
    double minimum = 0;
    double maximum = 0;

    friend constexpr bool operator==(const statistic_set&, const statistic_set&) noexcept = default;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/metric/statistic.hpp

namespace reheat::inline REHEAT_ABI {

/// What a period's samples are reduced to; the names are CloudWatch's. `extended` is a percentile or one of its family:
/// which one is in the policy (`extended_statistic`).
enum class statistic : std::uint8_t { sample_count, sum, average, minimum, maximum, extended };

[[nodiscard]] constexpr std::string_view to_string(statistic s) noexcept {
    switch (s) {
    case statistic::sample_count: return "SampleCount";
    case statistic::sum: return "Sum";
    case statistic::average: return "Average";
    case statistic::minimum: return "Minimum";
    case statistic::maximum: return "Maximum";
    case statistic::extended: return "Extended";
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
        { s.count(a) } noexcept -> std::convertible_to<std::uint64_t>;
        { s.value(a) } noexcept -> std::same_as<double>;
        { s.kind() } noexcept -> std::same_as<statistic>;
    };

/// A statistic that also takes a value many times over, and sets that are reduced already.
template <class S>
concept weighted_statistic = statistic_policy<S> && requires(const S& s, typename S::accumulator& a, double value,
                                                             std::uint64_t weight, const statistic_set& set) {
    { s.add(a, value, weight) } noexcept;
    { s.add_set(a, set) } noexcept;
};

/// A statistic that may not be computable although there are samples; then the period has no datapoint.
template <class S>
concept partial_statistic = statistic_policy<S> && requires(const S& s, const typename S::accumulator& a) {
    { s.available(a) } noexcept -> std::same_as<bool>;
};

namespace detail {

/// The sum of two counts, held at the most there is.
[[nodiscard]] constexpr std::uint64_t counted(std::uint64_t a, std::uint64_t b) noexcept {
    return b < UINT64_MAX - a ? a + b : UINT64_MAX;
}
/// The count of a set; 0 for one that is none.
[[nodiscard]] constexpr std::uint64_t count_of(const statistic_set& set) noexcept {
    if (!(set.sample_count >= 1)) return 0;
    return set.sample_count < 1e18 ? static_cast<std::uint64_t>(set.sample_count) : 1'000'000'000'000'000'000U;
}

struct count_accumulator {
    std::uint64_t count = 0;
};

struct full_accumulator {
    double sum = 0;
    double minimum = 0;
    double maximum = 0;
    std::uint64_t count = 0;

    constexpr void add(double value) noexcept {
        sum += value;
        if (count == 0 || value < minimum) minimum = value;
        if (count == 0 || value > maximum) maximum = value;
        ++count;
    }

    constexpr void merge(const full_accumulator& other) noexcept {
        if (other.count == 0) return;
        sum += other.sum;
        if (count == 0 || other.minimum < minimum) minimum = other.minimum;
        if (count == 0 || other.maximum > maximum) maximum = other.maximum;
        count = counted(count, other.count);
    }

    [[nodiscard]] constexpr double value(statistic s) const noexcept {
        switch (s) {
        case statistic::sample_count: return static_cast<double>(count);
        case statistic::sum: return sum;
        case statistic::average: return sum / static_cast<double>(count);
        case statistic::minimum: return minimum;
        case statistic::maximum: return maximum;
        case statistic::extended: break; // not kept here
        }
        return 0;
    }
};

/// What the five statistics share: they keep the same accumulator.
struct five_statistics {
    using accumulator = full_accumulator;
    static constexpr void add(accumulator& a, double value) noexcept { a.add(value); }
    static constexpr void add(accumulator& a, double value, std::uint64_t weight) noexcept {
        a.merge({value * static_cast<double>(weight), value, value, weight});
    }
    static constexpr void add_set(accumulator& a, const statistic_set& set) noexcept {
        a.merge({set.sum, set.minimum, set.maximum, count_of(set)});
    }
    static constexpr void merge(accumulator& a, const accumulator& other) noexcept { a.merge(other); }
    static constexpr std::uint64_t count(const accumulator& a) noexcept { return a.count; }
};

} // namespace detail

/// How many samples.
struct sample_count {
    using accumulator = detail::count_accumulator;
    static constexpr void add(accumulator& a, double) noexcept { ++a.count; }
    static constexpr void add(accumulator& a, double, std::uint64_t weight) noexcept {
        a.count = detail::counted(a.count, weight);
    }
    static constexpr void add_set(accumulator& a, const statistic_set& set) noexcept {
        a.count = detail::counted(a.count, detail::count_of(set));
    }
    static constexpr void merge(accumulator& a, const accumulator& other) noexcept {
        a.count = detail::counted(a.count, other.count);
    }
    static constexpr std::uint64_t count(const accumulator& a) noexcept { return a.count; }
    static constexpr double value(const accumulator& a) noexcept { return static_cast<double>(a.count); }
    static constexpr statistic kind() noexcept { return statistic::sample_count; }
    friend constexpr bool operator==(sample_count, sample_count) noexcept { return true; }
};

/// One of the five statistics, fixed at compile time; it keeps the same accumulator as `any_statistic`.
template <statistic Kind>
    requires(Kind != statistic::extended)
struct basic_statistic : detail::five_statistics {
    static constexpr double value(const accumulator& a) noexcept { return a.value(Kind); }
    static constexpr statistic kind() noexcept { return Kind; }
    friend constexpr bool operator==(basic_statistic, basic_statistic) noexcept { return true; }
};

using sum = basic_statistic<statistic::sum>;
using average = basic_statistic<statistic::average>;
using minimum = basic_statistic<statistic::minimum>;
using maximum = basic_statistic<statistic::maximum>;

/// The statistic chosen at run time, for alarms that come from a template; not `extended`.
struct any_statistic : detail::five_statistics {
    statistic which = statistic::sample_count;

    constexpr any_statistic() noexcept = default;
    constexpr any_statistic(statistic s) noexcept : which{s} {}

    [[nodiscard]] constexpr double value(const accumulator& a) const noexcept { return a.value(which); }
    [[nodiscard]] constexpr statistic kind() const noexcept { return which; }
    friend constexpr bool operator==(any_statistic a, any_statistic b) noexcept { return a.which == b.which; }
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

/// The shape of a metric window: which statistic, over which period, aligned how. A value shared by many targets.
template <statistic_policy Statistic>
struct window {
    using statistic_type = Statistic;

    Statistic statistic{};
    duration period = std::chrono::seconds{60};
    alignment align = alignment::grid;
    /// How far the periods slide from one evaluation to the next, a divisor of the period; 0 is the whole period. Each
    /// step is a bucket of its own, so that a period of 5 min with a step of 1 min costs five times the memory.
    duration step{};

    friend constexpr bool operator==(const window&, const window&) = default;
};

/// A statistic whose buckets can be joined into a longer period: what a step shorter than the period needs.
template <class S>
concept mergeable_statistic = statistic_policy<S> && requires(const S& s, typename S::accumulator& a) {
    { s.merge(a, std::as_const(a)) } noexcept;
};

/// A window shape, whatever its statistic.
template <class W>
concept window_policy = statistic_policy<typename W::statistic_type> && requires(const W& w) {
    { w.period } -> std::convertible_to<duration>;
    { w.align } -> std::convertible_to<alignment>;
    { w.step } -> std::convertible_to<duration>;
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

/// One target's buckets, named by their number in the grid; `newest` is the youngest with a sample. Narrow: sixteen
/// counts of 16 bits, all in here. Wide: the newest bucket in here, those before it in a ring that the caller owns.
template <statistic_policy Statistic>
struct window_cells {
    using accumulator = typename Statistic::accumulator;

    static constexpr std::uint32_t narrow_slots = 16;
    static constexpr std::uint32_t narrow_most = 0xffff;

    std::uint32_t newest = 0;
    std::uint32_t generation = 0; ///< of the row; beside `newest` so that one comparison checks both
    union {
        std::array<std::uint16_t, narrow_slots> counts;
        accumulator open;
        duration deaf_until; ///< of a row that was told to forget and has heard nothing since; its `newest` is 0
    };

    constexpr window_cells() noexcept : counts{} {}

    /// Back to how it began, in the same generation.
    constexpr void clear() noexcept {
        counts = {};
        newest = 0;
    }
    /// Whether the newest bucket is this one and the row is of this generation.
    [[nodiscard]] bool is(std::uint32_t bucket, std::uint32_t of) const noexcept {
        return generation == of && newest == bucket;
    }
    /// Counts a sample in the newest bucket or in the one after it. False if the bucket is neither or the row is of
    /// another generation. A row's first sample of a period and the further ones take the same way: a branch between
    /// them would be guessed before the row's cache line is there.
    bool count_next(std::uint32_t bucket, std::uint32_t of) noexcept {
        const std::uint32_t by = bucket - newest;
        if (generation != of || by > 1) [[unlikely]]
            return false;
        std::uint16_t& kept = counts[bucket % narrow_slots];
        const std::uint32_t count = kept & (by - 1U); // a new bucket begins with 0
        if (count != narrow_most) [[likely]]
            kept = static_cast<std::uint16_t>(count + 1);
        newest = bucket;
        return true;
    }
    /// Counts samples. False if they are older than every bucket that is kept.
    bool add_narrow(std::uint32_t bucket, std::uint64_t weight) noexcept {
        if (bucket > newest) advance_narrow(bucket);
        if (newest - bucket >= narrow_slots) return false;
        std::uint16_t& count = counts[bucket % narrow_slots];
        count = weight < narrow_most - count ? static_cast<std::uint16_t>(count + weight)
                                             : static_cast<std::uint16_t>(narrow_most);
        return true;
    }
    [[nodiscard]] std::uint32_t count_narrow(std::uint32_t bucket) const noexcept {
        return bucket <= newest ? counts[bucket % narrow_slots] : 0;
    }
    [[nodiscard]] bool keeps_narrow(std::uint32_t bucket) const noexcept {
        return bucket > newest || newest - bucket < narrow_slots;
    }

    /// The bucket that a sample belongs to; null if it is older than every one that is kept.
    [[nodiscard]] accumulator* find(std::uint32_t bucket, std::span<accumulator> closed) noexcept {
        if (bucket == newest) [[likely]]
            return &open;
        if (bucket > newest) {
            advance(bucket, closed);
            return &open;
        }
        return keeps(bucket, closed.size()) ? &closed[bucket % closed.size()] : nullptr;
    }
    /// Null if nothing came.
    [[nodiscard]] const accumulator* at(std::uint32_t bucket, std::span<const accumulator> closed) const noexcept {
        if (bucket == newest) return &open;
        return bucket < newest ? &closed[bucket % closed.size()] : nullptr;
    }
    [[nodiscard]] bool keeps(std::uint32_t bucket, std::size_t ring) const noexcept {
        return bucket >= newest || newest - bucket <= ring;
    }

private:
    void advance_narrow(std::uint32_t bucket) noexcept {
        if (bucket - newest >= narrow_slots) {
            counts = {};
        } else {
            for (std::uint32_t b = newest + 1; b != bucket + 1; ++b) counts[b % narrow_slots] = 0;
        }
        newest = bucket;
    }
    void advance(std::uint32_t bucket, std::span<accumulator> closed) noexcept {
        const auto ring = static_cast<std::uint32_t>(closed.size());
        closed[newest % ring] = open;
        const std::uint32_t first_cleared = bucket - newest > ring ? bucket - ring : newest + 1;
        for (std::uint32_t b = first_cleared; b != bucket; ++b) closed[b % ring] = accumulator{};
        open = accumulator{};
        newest = bucket;
    }
};

} // namespace detail

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/alarm.hpp

namespace reheat::inline REHEAT_ABI {

/// An alarm's rule, shared by all targets that are watched with an equal one. Structure is in the types (which
/// statistic, which comparison; or `any_statistic` and `any_comparison`, chosen at run time), numbers are in values.
/// The functions of `alarm/preset.hpp` set the axes below as CloudWatch, Heat, Aodh or Prometheus do.
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
    double upper_threshold = 0;            ///< of a band; otherwise not used
    std::uint16_t evaluation_periods = 1;  ///< N, 1 to 1,440
    std::uint16_t datapoints_to_alarm = 0; ///< M, at most N; 0 means N
    std::uint16_t look_back = 0;           ///< periods behind N that stand in for missing ones; 0 is a strict range
    bool premature = false;                ///< few datapoints, all breaching and old enough, raise the alarm
    agreement raise = agreement::m_of_n;
    missing_data treat_missing = missing_data::missing;
    empty_period empty = empty_period::counts_missing;
    low_sample_option low_samples = low_sample_option::evaluate; ///< for percentiles
    repetition actions = repetition::on_transition;
    duration resend_after = std::chrono::minutes{1}; ///< for `repetition::re_sent`
    /// How long the range must breach without a break before the alarm is raised (Prometheus's `for`).
    duration pending_period{};
    /// How long it must not breach before the alarm is cleared (Prometheus's `keep_firing_for`).
    duration recovery_period{};
    /// The alarm stays `insufficient_data` until its first sample or until this long after the watch began.
    duration grace = std::chrono::seconds{600};
    /// The alarm stays `insufficient_data` for this long, or until N periods had datapoints.
    duration warm_up{};
    bool whole_warm_up = false; ///< the warm-up does not end early

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
        alarm<window<sample_count>, less_than> silent{.threshold = 1, .evaluation_periods = evaluation_periods};
        silent.of.period = period;
        silent.treat_missing = missing_data::breaching;
        silent.empty = empty_period::counts_zero;
        silent.grace = grace;
        return silent;
    }
};

/// Whether a rule's numbers are inside their bounds; the error says which is not.
template <alarm_rule Rule>
[[nodiscard]] result<void> validate(const Rule& rule) {
    const duration week = std::chrono::hours{24 * 7};
    const auto wrong = [](const char* where, const char* expected) {
        return error{errc::invalid_argument, where, expected};
    };
    const auto finite = [](double number) { return number >= -1e300 && number <= 1e300; };
    const auto in_a_week = [week](duration d) { return d >= duration::zero() && d <= week; };
    if (rule.of.period < std::chrono::seconds{1} || rule.of.period > week)
        return wrong("period", "expected 1 s to 7 days");
    if (rule.of.step != duration::zero() && (rule.of.step < std::chrono::seconds{1} || rule.of.step > rule.of.period ||
                                             rule.of.period % rule.of.step != duration::zero()))
        return wrong("step", "expected 0 or a divisor of the period of 1 s or more");
    if (rule.of.step != duration::zero() && rule.of.step != rule.of.period) {
        if (rule.of.align == alignment::watch)
            return wrong("step", "expected periods on the grid, or a step of the whole period");
        if (!mergeable_statistic<typename Rule::statistic_type>)
            return wrong("step", "expected a statistic whose buckets can be joined, or a step of the whole period");
        if ((rule.evaluation_periods + rule.look_back) * (rule.of.period / rule.of.step) > 20'160)
            return wrong("step", "expected at most 20160 steps in the range");
    }
    if (rule.evaluation_periods < 1 || rule.evaluation_periods > 1'440)
        return wrong("evaluation_periods", "expected 1 to 1440");
    if (rule.datapoints_to_alarm > rule.evaluation_periods)
        return wrong("datapoints_to_alarm", "expected at most evaluation_periods");
    if (rule.look_back > 1'440) return wrong("look_back", "expected at most 1440");
    if (!finite(rule.threshold)) return wrong("threshold", "expected a finite number");
    if (is_band(rule.compare.kind()) && !(finite(rule.upper_threshold) && rule.upper_threshold >= rule.threshold))
        return wrong("upper_threshold", "expected a finite number, the threshold or more");
    if (!in_a_week(rule.pending_period)) return wrong("pending_period", "expected 0 to 7 days");
    if (!in_a_week(rule.recovery_period)) return wrong("recovery_period", "expected 0 to 7 days");
    if (rule.actions == repetition::re_sent &&
        (rule.resend_after <= duration::zero() || rule.resend_after > std::chrono::hours{16}))
        return wrong("resend_after", "expected more than 0 and at most 16 h"); // 57,600 of the shortest periods
    if (rule.grace < duration::zero()) return wrong("grace", "expected no negative duration");
    if (!in_a_week(rule.warm_up)) return wrong("warm_up", "expected 0 to 7 days");
    return {};
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/aws_names.hpp

namespace reheat::inline REHEAT_ABI {

/// How complete the data of an evaluation was, where it was not. Names as in CloudWatch's `EvaluationState`.
enum class evaluation_state : std::uint8_t { partial_data, evaluation_failure, evaluation_error, in_warm_up };

/// What an entry of an alarm's history tells. Names as in CloudWatch's `HistoryItemType`.
enum class history_kind : std::uint8_t {
    configuration_update,
    state_update,
    action,
    contributor_state_update,
    contributor_action,
};

/// What keeps a composite alarm's actions back. Names as in CloudWatch's `ActionsSuppressedBy`.
enum class suppressed_by : std::uint8_t { wait_period, extension_period, alarm };

namespace aws {

/// The spelling of CloudWatch's API, in the order of the enumerators.
template <class E>
inline constexpr std::array<std::string_view, 0> names{};

template <>
inline constexpr std::array<std::string_view, 3> names<alarm_state>{"INSUFFICIENT_DATA", "OK", "ALARM"};
template <>
inline constexpr std::array<std::string_view, 4> names<missing_data>{"missing", "breaching", "notBreaching", "ignore"};
template <>
inline constexpr std::array<std::string_view, 2> names<low_sample_option>{"evaluate", "ignore"};
template <>
inline constexpr std::array<std::string_view, 4> names<evaluation_state>{"PARTIAL_DATA", "EVALUATION_FAILURE",
                                                                         "EVALUATION_ERROR", "IN_WARM_UP"};
template <>
inline constexpr std::array<std::string_view, 5> names<history_kind>{
    "ConfigurationUpdate", "StateUpdate", "Action", "AlarmContributorStateUpdate", "AlarmContributorAction"};
template <>
inline constexpr std::array<std::string_view, 3> names<suppressed_by>{"WaitPeriod", "ExtensionPeriod", "Alarm"};
/// Without Aodh's two: CloudWatch compares for neither.
template <>
inline constexpr std::array<std::string_view, 9> names<comparison>{to_string(comparison::greater_than),
                                                                   to_string(comparison::greater_than_or_equal),
                                                                   to_string(comparison::less_than),
                                                                   to_string(comparison::less_than_or_equal),
                                                                   std::string_view{},
                                                                   std::string_view{},
                                                                   to_string(comparison::outside_band),
                                                                   to_string(comparison::below_band),
                                                                   to_string(comparison::above_band)};

/// The name of a value, as CloudWatch spells it; empty if CloudWatch has no such value.
///
///     static_assert(aws::name(missing_data::not_breaching) == "notBreaching");
template <class E>
    requires(!names<E>.empty())
[[nodiscard]] constexpr std::string_view name(E value) noexcept {
    const auto i = static_cast<std::size_t>(value);
    return i < names<E>.size() ? names<E>[i] : std::string_view{};
}

/// The value of a name; letters count as they are, as they do for CloudWatch.
template <class E>
    requires(!names<E>.empty())
[[nodiscard]] constexpr std::optional<E> parse(std::string_view text) noexcept {
    for (std::size_t i = 0; i < names<E>.size(); ++i) {
        if (!text.empty() && names<E>[i] == text) return static_cast<E>(i);
    }
    return std::nullopt;
}

} // namespace aws

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/api_fault.hpp

namespace reheat::inline REHEAT_ABI {

/// A refusal in the words of the CloudWatch API: what an answer's `Code`, `Message` and status line say.
struct api_fault {
    std::string_view code; ///< of static storage, as in the API's list: `ValidationError`, `InvalidParameterValue` …
    std::string message;
    unsigned http_status = 400;

    friend bool operator==(const api_fault&, const api_fault&) = default;
};

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

/// Appends `text` with `?` for each control character, so that a line stays one line.
inline void append_printable(std::string& out, std::string_view text) {
    for (const char c : text) out += static_cast<unsigned char>(c) < 0x20U || c == '\x7f' ? '?' : c;
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

// file: reheat/alarm/alarm_validation.hpp

namespace reheat::inline REHEAT_ABI {

/// The bounds of CloudWatch's alarm API (botocore, service model `cloudwatch/2010-08-01`). Lengths are in characters.
struct alarm_limits {
    std::size_t name = 255;
    std::size_t description = 1024;
    std::size_t actions_per_state = 5;
    std::size_t state_reason = 1023;
    std::size_t state_reason_data = 4000;
    std::size_t history_data = 4095;
    std::size_t history_summary = 255;
    std::size_t names_to_describe = 100;
    std::int64_t records = 100;          ///< at a time, 1 or more
    std::int64_t window = 604'800;       ///< seconds: the period times the evaluation periods
    std::int64_t narrow_window = 86'400; ///< the same where the period is below `narrow_period`
    std::int64_t narrow_period = 3'600;
    std::int64_t datapoints = 1'440; ///< that one request for statistics may ask for
};

inline constexpr alarm_limits limits_of_alarms{};

/// What `PutMetricAlarm` is given, as it came. An empty text, or no number, is a parameter that was not given. Lives as
/// long as the request.
struct alarm_definition {
    std::string_view name;
    std::string_view description;
    std::span<const std::string_view> ok_actions;
    std::span<const std::string_view> alarm_actions;
    std::span<const std::string_view> insufficient_data_actions;
    std::string_view metric_name;
    std::string_view metric_namespace;
    std::string_view statistic;          ///< one of the five names of `to_string(statistic)`
    std::string_view extended_statistic; ///< or a percentile, a trimmed mean …
    std::string_view unit;
    std::optional<std::int64_t> period; ///< in seconds
    std::optional<std::int64_t> evaluation_periods;
    std::optional<std::int64_t> datapoints_to_alarm;
    std::optional<double> threshold;
    std::string_view comparison_operator;
    std::string_view treat_missing_data;
    std::string_view evaluate_low_sample_count_percentile;
};

/// Whether CloudWatch alarms can have a period: 10, 20 or 30 s, or whole minutes.
[[nodiscard]] constexpr bool is_alarm_period(std::int64_t seconds) noexcept {
    return seconds == 10 || seconds == 20 || seconds == 30 || (seconds >= 60 && seconds % 60 == 0);
}

namespace detail {

/// The characters of a text, a byte that is no UTF-8 counting as one.
[[nodiscard]] constexpr std::size_t characters(std::string_view text) noexcept {
    std::size_t count = 0;
    for (; !text.empty(); ++count) {
        const std::size_t size = utf8_size(text);
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return count;
}

[[nodiscard]] inline api_fault constraint_fault(std::string_view value, std::string_view member, std::string expected) {
    std::string message = "1 validation error detected: Value '";
    message += clip(value, 256);
    message += "' at '";
    message += member;
    message += "' failed to satisfy constraint: Member must ";
    message += expected;
    return {"ValidationError", std::move(message)};
}

[[nodiscard]] inline api_fault enum_fault(std::string_view value, std::string_view member,
                                          std::span<const std::string_view> names) {
    std::string expected = "satisfy enum value set: [";
    for (const std::string_view name : names) {
        if (name.empty()) continue;
        if (expected.back() != '[') expected += ", ";
        expected += name;
    }
    return constraint_fault(value, member, expected + "]");
}

[[nodiscard]] inline std::optional<api_fault> check_length(std::string_view value, std::string_view member,
                                                           std::size_t most) {
    if (characters(value) <= most) return std::nullopt;
    return constraint_fault(value, member, "have length less than or equal to " + std::to_string(most));
}

[[nodiscard]] inline std::optional<api_fault> check_positive(std::int64_t value, std::string_view member) {
    if (value >= 1) return std::nullopt;
    return constraint_fault(std::to_string(value), member, "have value greater than or equal to 1");
}

[[nodiscard]] inline api_fault missing_parameter(std::string_view name) {
    return {"MissingParameter", "The parameter " + std::string{name} + " is required."};
}

/// Period, evaluation periods and datapoints to alarm, each alone and together.
[[nodiscard]] inline std::optional<api_fault> check_periods(const alarm_definition& a) {
    constexpr alarm_limits limits{};
    if (!a.period) return missing_parameter("Period");
    if (!a.evaluation_periods) return missing_parameter("EvaluationPeriods");
    if (auto fault = check_positive(*a.evaluation_periods, "evaluationPeriods")) return fault;
    if (a.datapoints_to_alarm) {
        if (auto fault = check_positive(*a.datapoints_to_alarm, "datapointsToAlarm")) return fault;
        if (*a.datapoints_to_alarm > *a.evaluation_periods)
            return api_fault{"ValidationError", "DatapointsToAlarm must be less than or equal to EvaluationPeriods."};
    }
    if (!is_alarm_period(*a.period))
        return api_fault{"ValidationError", "Period must be 10, 20, 30 or a multiple of 60."};
    const bool narrow = *a.period < limits.narrow_period;
    if (*a.evaluation_periods <= (narrow ? limits.narrow_window : limits.window) / *a.period) return std::nullopt;
    return api_fault{"ValidationError",
                     narrow ? "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= "
                              "86400)."
                            : "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be "
                              "<= 604800)."};
}

/// Which statistic; `extended` tells the names of extended ones.
template <std::predicate<std::string_view> Extended>
[[nodiscard]] std::optional<api_fault> check_statistic(const alarm_definition& a, const Extended& extended) {
    constexpr std::array<std::string_view, 5> simple{to_string(statistic::sample_count), to_string(statistic::average),
                                                     to_string(statistic::sum), to_string(statistic::minimum),
                                                     to_string(statistic::maximum)};
    if (a.statistic.empty() == a.extended_statistic.empty())
        return api_fault{"InvalidParameterCombination",
                         "Exactly one of the parameters Statistic and ExtendedStatistic must be specified."};
    if (a.statistic.empty()) {
        if (extended(a.extended_statistic)) return std::nullopt;
        return api_fault{"InvalidParameterValue", "The value " + std::string{clip(a.extended_statistic, 256)} +
                                                      " for parameter ExtendedStatistic is not supported."};
    }
    for (const std::string_view name : simple) {
        if (name == a.statistic) return std::nullopt;
    }
    return enum_fault(a.statistic, "statistic", simple);
}

/// The names of states in the order in which CloudWatch's refusal lists them.
inline constexpr std::array<std::string_view, 3> listed_states{"INSUFFICIENT_DATA", "ALARM", "OK"};

} // namespace detail

/// Checks an alarm's definition as `PutMetricAlarm` does; the first thing that is wrong, in CloudWatch's words where
/// they are known. `extended` says whether a text names an extended statistic. Actions are counted, not read.
///
///     if (auto fault = check_alarm(definition, is_extended_statistic)) return refuse(*fault);
template <std::predicate<std::string_view> Extended>
[[nodiscard]] std::optional<api_fault> check_alarm(const alarm_definition& a, const Extended& extended) {
    constexpr alarm_limits limits{};
    if (a.name.empty()) return detail::missing_parameter("AlarmName");
    if (auto fault = detail::check_length(a.name, "alarmName", limits.name)) return fault;
    if (auto fault = detail::check_length(a.description, "alarmDescription", limits.description)) return fault;
    const auto too_many = [](std::span<const std::string_view> actions, std::string_view member) {
        return actions.size() <= limits_of_alarms.actions_per_state
                   ? std::nullopt
                   : std::optional{detail::constraint_fault(std::to_string(actions.size()) + " actions", member,
                                                            "have length less than or equal to 5")};
    };
    if (auto fault = too_many(a.ok_actions, "oKActions")) return fault;
    if (auto fault = too_many(a.alarm_actions, "alarmActions")) return fault;
    if (auto fault = too_many(a.insufficient_data_actions, "insufficientDataActions")) return fault;
    if (a.metric_name.empty()) return detail::missing_parameter("MetricName");
    if (auto fault = detail::check_length(a.metric_name, "metricName", limits.name)) return fault;
    if (a.metric_namespace.empty()) return detail::missing_parameter("Namespace");
    if (auto fault = detail::check_length(a.metric_namespace, "namespace", limits.name)) return fault;
    if (a.comparison_operator.empty()) return detail::missing_parameter("ComparisonOperator");
    if (!aws::parse<comparison>(a.comparison_operator))
        return detail::enum_fault(a.comparison_operator, "comparisonOperator", aws::names<comparison>);
    if (!a.threshold) return detail::missing_parameter("Threshold");
    if (!std::isfinite(*a.threshold))
        return api_fault{"InvalidParameterValue", "The value for parameter Threshold must be a finite number."};
    if (auto fault = detail::check_periods(a)) return fault;
    if (auto fault = detail::check_statistic(a, extended)) return fault;
    if (!a.treat_missing_data.empty() && !aws::parse<missing_data>(a.treat_missing_data))
        return api_fault{"ValidationError",
                         "The value " + std::string{clip(a.treat_missing_data, 256)} +
                             " is not supported for TreatMissingData parameter. Supported values are [breaching, "
                             "notBreaching, ignore, missing]."};
    if (!a.evaluate_low_sample_count_percentile.empty() &&
        !aws::parse<low_sample_option>(a.evaluate_low_sample_count_percentile))
        return api_fault{"ValidationError",
                         "Option " + std::string{clip(a.evaluate_low_sample_count_percentile, 256)} +
                             " is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are "
                             "evaluate and ignore."};
    return std::nullopt;
}

/// Checks what `SetAlarmState` is given. `is_json` says whether a text is JSON; the core has no reader of it.
template <std::predicate<std::string_view> IsJson>
[[nodiscard]] std::optional<api_fault> check_state_update(std::string_view state, std::string_view reason,
                                                          std::string_view reason_data, const IsJson& is_json) {
    if (!aws::parse<alarm_state>(state)) return detail::enum_fault(state, "stateValue", detail::listed_states);
    if (auto fault = detail::check_length(reason, "stateReason", limits_of_alarms.state_reason)) return fault;
    if (auto fault = detail::check_length(reason_data, "stateReasonData", limits_of_alarms.state_reason_data))
        return fault;
    if (!reason_data.empty() && !is_json(reason_data))
        return api_fault{"InvalidFormat", "StateReasonData is not valid JSON."};
    return std::nullopt;
}

/// Checks the range of `GetMetricStatistics`: it is not empty, and asks for no more than 1,440 datapoints.
[[nodiscard]] inline std::optional<api_fault> check_statistics_range(time_point start, time_point end,
                                                                     duration period) {
    if (start >= end)
        return api_fault{"InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime."};
    if (auto fault = detail::check_positive(period / std::chrono::seconds{1}, "period")) return fault;
    const std::int64_t datapoints = (end - start) / period + ((end - start) % period == duration::zero() ? 0 : 1);
    if (datapoints <= limits_of_alarms.datapoints) return std::nullopt;
    return api_fault{"InvalidParameterCombination",
                     "You have requested up to " + std::to_string(datapoints) +
                         " datapoints, which exceeds the limit of 1440. You may reduce the datapoints requested by "
                         "increasing Period, or decreasing the time range."};
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/composite_rule.hpp

namespace reheat::inline REHEAT_ABI {

/// CloudWatch's limits of a composite alarm. A character is a byte. An element is the mention of a child, a TRUE or
/// FALSE, or a pair of grouping brackets; the brackets of `ALARM(...)` and `AT_LEAST(...)` belong to their function.
struct composite_limits {
    static constexpr std::size_t characters = 10'240;
    static constexpr std::size_t children = 100; ///< distinct ones
    static constexpr std::size_t elements = 500;
    static constexpr std::size_t parents = 150; ///< composite alarms that watch one alarm
};

/// One operand or operator of a rule. Operands carry what is looked at next, so that a rule is evaluated in one pass
/// from left to right that looks at no operand twice, without a stack and without recursion.
struct rule_node {
    enum class kind : std::uint8_t { constant, state, at_least, negation, conjunction, disjunction };
    static constexpr std::uint16_t accept = 0xffff;
    static constexpr std::uint16_t reject = 0xfffe;

    kind what = kind::constant;
    alarm_state state{};         ///< `state`, `at_least`: the one asked for
    bool inverted = false;       ///< `constant`: it is FALSE; `at_least`: the state is to be another one
    bool percent = false;        ///< `at_least`: the threshold is a share
    bool negated = false;        ///< an operand below an odd number of NOTs
    std::uint16_t first = 0;     ///< `state`: the child; `at_least`: its first in `listed()`; `conjunction`,
                                 ///< `disjunction`: the first node of the right side
    std::uint16_t count = 0;     ///< `at_least`: how many are listed
    std::uint16_t threshold = 0; ///< `at_least`
    std::uint16_t on_true = accept;
    std::uint16_t on_false = reject;

    [[nodiscard]] constexpr bool matches(alarm_state s) const noexcept { return (s == state) != inverted; }
    [[nodiscard]] constexpr bool reached_by(std::uint32_t matching) const noexcept {
        return percent ? matching * 100U >= std::uint32_t{threshold} * count : matching >= threshold;
    }
    friend constexpr bool operator==(const rule_node&, const rule_node&) noexcept = default;
};

namespace detail {
class composite_parser;
} // namespace detail

/// The rule of a composite alarm: a Boolean expression over the states of other alarms, in CloudWatch's language.
/// Made by `parse_composite_rule` or from an expression in C++, and always within the limits. Immutable, so any thread
/// may read it.
///
///     auto rule = parse_composite_rule("ALARM(db) AND NOT ALARM(deployment)");
///     auto state = evaluate(*rule, [&](std::size_t child) { return state_by_name(rule->children()[child]); });
class composite_rule {
public:
    /// The alarms that it looks at, in the order of their first mention, each once.
    [[nodiscard]] std::span<const std::string> children() const noexcept { return children_; }
    /// The children that its AT_LEAST functions list, one list after the other.
    [[nodiscard]] std::span<const std::uint16_t> listed() const noexcept { return listed_; }
    /// In postfix order: operands first.
    [[nodiscard]] std::span<const rule_node> nodes() const noexcept { return nodes_; }

    friend bool operator==(const composite_rule&, const composite_rule&) = default;

private:
    friend class detail::composite_parser;
    composite_rule() = default;

    std::vector<std::string> children_;
    std::vector<std::uint16_t> listed_;
    std::vector<rule_node> nodes_;
};

/// Gives the state of a child, by its place in `composite_rule::children()`.
template <class F>
concept child_states = requires(F& states, std::size_t child) {
    { states(child) } -> std::same_as<alarm_state>;
};

namespace detail {

/// Whether a rule holds, where `matches(operand, child)` says it of one child of an operand.
template <class Matches>
[[nodiscard]] bool rule_holds(const composite_rule& rule, const Matches& matches) {
    const auto holds = [&](const rule_node& operand) {
        if (operand.what == rule_node::kind::constant) return !operand.inverted;
        if (operand.what == rule_node::kind::state) return matches(operand, std::size_t{operand.first});
        std::uint32_t matching = 0;
        for (const std::uint16_t child : rule.listed().subspan(operand.first, operand.count))
            matching += matches(operand, std::size_t{child}) ? 1U : 0U;
        return operand.reached_by(matching);
    };
    std::size_t at = 0;
    while (at < rule.nodes().size()) {
        const rule_node& operand = rule.nodes()[at];
        at = holds(operand) ? operand.on_true : operand.on_false;
    }
    return at == rule_node::accept;
}

} // namespace detail

/// `alarm` where the rule holds, else `ok`, as CloudWatch has it: a child in `insufficient_data` is neither in ALARM
/// nor OK. Asks only for the children that matter, from left to right. Does not allocate.
template <child_states States>
[[nodiscard]] alarm_state evaluate(const composite_rule& rule, States&& states) {
    const bool holds = detail::rule_holds(
        rule, [&](const rule_node& operand, std::size_t child) { return operand.matches(states(child)); });
    return holds ? alarm_state::alarm : alarm_state::ok;
}

/// The same in Kleene's logic of three values, as Aodh has it: a child in `insufficient_data` may be in ALARM or OK.
/// `alarm` where the rule holds whatever it is, `ok` where it holds in no case, else `insufficient_data`. The function
/// INSUFFICIENT_DATA itself is certain. Tries to prove the alarm, then the opposite, and may ask for a child in both.
/// Does not allocate.
template <child_states States>
[[nodiscard]] alarm_state evaluate_three_valued(const composite_rule& rule, States&& states) {
    const auto holds_at = [&](bool best) {
        return detail::rule_holds(rule, [&](const rule_node& operand, std::size_t child) {
            const alarm_state s = states(child);
            const bool unknown = s == alarm_state::insufficient_data && operand.state != alarm_state::insufficient_data;
            return unknown ? best != operand.negated : operand.matches(s);
        });
    };
    if (holds_at(false)) return alarm_state::alarm;
    return holds_at(true) ? alarm_state::insufficient_data : alarm_state::ok;
}

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

/// Hashes a text, eight bytes at a time. For tables in memory only: it differs between machines. Not for keys that an
/// enemy chooses.
[[nodiscard]] inline std::uint64_t hash_text(std::string_view text) noexcept {
    std::uint64_t h = text.size();
    for (; !text.empty(); text.remove_prefix(text.size() < 8 ? text.size() : 8)) {
        std::uint64_t word = 0;
        text.copy(reinterpret_cast<char*>(&word), sizeof word);
        h = (h ^ word) * 0x9e37'79b9'7f4a'7c15ULL;
        h ^= h >> 32U;
    }
    return mix(h);
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/name_index.hpp

namespace reheat::inline REHEAT_ABI {

/// From a name to a dense number. The names stay where they are: eight bytes a slot, half of the slots free at least.
/// `name_of(number)` gives a name back. Finding never allocates. One thread at a time.
class name_index {
public:
    static constexpr std::uint32_t none = 0xffff'ffffU;

    /// The number of a name, or `none`.
    template <class NameOf>
        requires requires(const NameOf& name_of) { name_of(std::uint32_t{}) == std::string_view{}; }
    [[nodiscard]] std::uint32_t find(std::string_view name, const NameOf& name_of) const {
        if (slots_.empty()) return none;
        const std::uint32_t tag = tag_of(name);
        for (std::size_t at = tag & mask();; at = (at + 1) & mask()) {
            const slot& s = slots_[at];
            if (s.number == none || (s.tag == tag && name_of(s.number) == name)) return s.number;
        }
    }

    /// Adds a name that is not there yet.
    void add(std::string_view name, std::uint32_t number) {
        if (slots_.size() < 2 * (used_ + 1)) grow();
        put({number, tag_of(name)});
        ++used_;
    }

    /// Removes a name with its number, if it is there.
    void remove(std::string_view name, std::uint32_t number) noexcept {
        if (slots_.empty()) return;
        std::size_t hole = tag_of(name) & mask();
        while (slots_[hole].number != number) {
            if (slots_[hole].number == none) return;
            hole = (hole + 1) & mask();
        }
        // What came to its place only because this one was in the way moves back.
        for (std::size_t at = (hole + 1) & mask(); slots_[at].number != none; at = (at + 1) & mask()) {
            const std::size_t home = slots_[at].tag & mask();
            if (((at - home) & mask()) < ((at - hole) & mask())) continue;
            slots_[hole] = slots_[at];
            hole = at;
        }
        slots_[hole] = {};
        --used_;
    }

    [[nodiscard]] std::size_t bytes() const noexcept { return slots_.capacity() * sizeof(slot); }

private:
    struct slot {
        std::uint32_t number = none;
        std::uint32_t tag = 0;
    };

    [[nodiscard]] std::size_t mask() const noexcept { return slots_.size() - 1; }
    [[nodiscard]] static std::uint32_t tag_of(std::string_view name) noexcept {
        return static_cast<std::uint32_t>(hash_text(name));
    }
    void put(slot s) noexcept {
        std::size_t at = s.tag & mask();
        while (slots_[at].number != none) at = (at + 1) & mask();
        slots_[at] = s;
    }
    void grow() {
        const std::vector<slot> old = std::move(slots_);
        slots_.assign(old.empty() ? 16 : old.size() * 2, slot{});
        for (const slot& s : old) {
            if (s.number != none) put(s);
        }
    }

    std::vector<slot> slots_;
    std::size_t used_ = 0;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/composite.hpp

namespace reheat::inline REHEAT_ABI {

/// An alarm of one `composite_set`, metric or composite. Dense, never reused.
enum class alarm_id : std::uint32_t {};

/// One change of one composite alarm.
struct composite_transition {
    alarm_id alarm;
    alarm_id cause; ///< the alarm whose change was told; the composite alarm itself when it was added or replaced
    alarm_state from;
    alarm_state to;
    time_point at;
};

/// Alarms by name, and the composite alarms among them that follow the others. A change of one alarm re-evaluates what
/// depends on it and nothing else, children before parents, each at most once. CloudWatch accepts children that are
/// unknown and rules that depend on themselves; here both are errors. One thread at a time.
///
///     composite_set alarms;
///     auto db = alarms.add("db");
///     auto wiki = alarms.add("wiki", *parse_composite_rule("ALARM(db)"), now, changes);
///     alarms.set_state(*db, alarm_state::alarm, now, changes);   // and wiki follows
class composite_set {
public:
    /// Adds an alarm whose state is told by `set_state`: a metric alarm. An error if the name is empty or taken.
    [[nodiscard]] result<alarm_id> add(std::string_view name, alarm_state state = alarm_state::insufficient_data) {
        if (auto usable = check_name(name); !usable) return std::move(usable).error();
        return insert(name, state);
    }

    /// Adds a composite alarm. It begins in `insufficient_data` and is evaluated at once, which is its first
    /// transition. An error if the name is empty or taken, a child is not known, or a child has as many parents as it
    /// may have.
    [[nodiscard]] result<alarm_id> add(std::string_view name, composite_rule rule, time_point now,
                                       std::vector<composite_transition>& out) {
        if (auto usable = check_name(name); !usable) return std::move(usable).error();
        auto children = resolve(name, rule, none);
        if (!children) return std::move(children).error();
        const alarm_id id = insert(name, alarm_state::insufficient_data);
        at(id).composite = static_cast<std::uint32_t>(composites_.size());
        composites_.push_back({.self = id, .rule = std::move(rule), .children = {}, .triggering = {}});
        bind(id, std::move(*children));
        change(id, now, out);
        return id;
    }

    /// Gives a composite alarm another rule. Its state stays until the new rule says otherwise, which is at once.
    /// An error, and nothing is changed, if it is not a composite alarm, if `add` would refuse the rule, or if the
    /// alarm would depend on itself; the error then names the cycle.
    [[nodiscard]] result<void> replace(alarm_id id, composite_rule rule, time_point now,
                                       std::vector<composite_transition>& out) {
        if (this->rule(id) == nullptr) return error{errc::not_found, {}, "not a composite alarm"};
        auto children = resolve(at(id).name, rule, index(id));
        if (!children) return std::move(children).error();
        if (std::string cycle = find_cycle(id, *children); !cycle.empty())
            return error{errc::cycle, at(id).name, "it would depend on itself: " + std::move(cycle)};
        for (const alarm_id child : composites_[at(id).composite].children) std::erase(at(child).parents, id);
        composites_[at(id).composite].rule = std::move(rule);
        bind(id, std::move(*children));
        change(id, now, out);
        return {};
    }

    /// Tells the state of an alarm, and appends the transitions that follow of it. A composite alarm that is told a
    /// state keeps it until one of its children changes or its rule is replaced, as with CloudWatch's SetAlarmState.
    /// Does not allocate while `out` has room for a transition of each composite alarm; an unknown id is ignored.
    void set_state(alarm_id id, alarm_state state, time_point now, std::vector<composite_transition>& out) {
        if (index(id) >= members_.size() || at(id).state == state) return;
        ++change_;
        if (at(id).composite != none) {
            composites_[at(id).composite].triggering.clear();
            out.push_back({id, id, at(id).state, state, now});
        }
        enter(id, state);
        evaluate_waiting(id, now, out);
    }

    [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
    [[nodiscard]] std::size_t composites() const noexcept { return composites_.size(); }
    [[nodiscard]] result<alarm_id> find(std::string_view name) const {
        const std::uint32_t number = number_of(name);
        if (number == none) return error{errc::not_found, {}, "no alarm '" + std::string{name} + "'"};
        return alarm_id{number};
    }
    [[nodiscard]] std::string_view name(alarm_id id) const noexcept { return at(id).name; }
    [[nodiscard]] alarm_state state(alarm_id id) const noexcept { return at(id).state; }
    /// The rule of a composite alarm; null for another alarm.
    [[nodiscard]] const composite_rule* rule(alarm_id id) const noexcept {
        return index(id) < members_.size() && at(id).composite != none ? &composites_[at(id).composite].rule : nullptr;
    }
    /// The children whose changes made a composite alarm enter its state; CloudWatch's `triggeringAlarms`. A child that
    /// changes later without effect on the state is not added. Empty if no child did it.
    [[nodiscard]] std::span<const alarm_id> triggering(alarm_id id) const noexcept {
        if (rule(id) == nullptr) return {};
        return composites_[at(id).composite].triggering;
    }

private:
    static constexpr std::uint32_t none = name_index::none;

    struct member {
        std::string name;
        alarm_state state;
        std::uint32_t composite = none; ///< its place among the composite alarms
        std::uint32_t level = 0;        ///< above the levels of all children
        std::uint64_t changed = 0;      ///< the change in which its state changed last
        std::vector<alarm_id> parents;
    };
    struct composite {
        alarm_id self;
        composite_rule rule;
        std::vector<alarm_id> children; ///< as in the rule
        std::vector<alarm_id> triggering;
        bool waiting = false;
        std::uint32_t next = none; ///< the one that waits behind it on its level
    };
    struct queue {
        std::uint32_t head = none;
        std::uint32_t tail = none;
    };

    [[nodiscard]] static constexpr std::uint32_t index(alarm_id id) noexcept { return static_cast<std::uint32_t>(id); }
    [[nodiscard]] member& at(alarm_id id) noexcept { return members_[index(id)]; }
    [[nodiscard]] const member& at(alarm_id id) const noexcept { return members_[index(id)]; }
    [[nodiscard]] std::uint32_t number_of(std::string_view name) const {
        return names_.find(name, [this](std::uint32_t n) -> std::string_view { return members_[n].name; });
    }

    [[nodiscard]] result<void> check_name(std::string_view name) const {
        if (name.empty()) return error{errc::invalid_argument, {}, "an alarm needs a name"};
        if (number_of(name) != none)
            return error{errc::already_exists, std::string{name}, "there is an alarm of that name"};
        return {};
    }
    alarm_id insert(std::string_view name, alarm_state state) {
        const auto number = static_cast<std::uint32_t>(members_.size());
        members_.push_back({.name = std::string{name}, .state = state, .parents = {}});
        names_.add(name, number);
        return alarm_id{number};
    }

    /// The children of a rule, for the composite alarm `self`, which may be one that is not added yet.
    [[nodiscard]] result<std::vector<alarm_id>> resolve(std::string_view name, const composite_rule& rule,
                                                        std::uint32_t self) const {
        std::vector<alarm_id> children;
        children.reserve(rule.children().size());
        for (const std::string& child : rule.children()) {
            if (child == name) return error{errc::cycle, child, "it would depend on itself: " + child + " -> " + child};
            const std::uint32_t number = number_of(child);
            if (number == none)
                return error{errc::not_found, std::string{name}, "its rule names '" + child + "', which is no alarm"};
            const std::vector<alarm_id>& parents = members_[number].parents;
            bool known = false;
            for (const alarm_id parent : parents) known = known || index(parent) == self;
            if (!known && parents.size() == composite_limits::parents)
                return error{errc::limit_exceeded, std::string{name},
                             "its rule names '" + child + "', which has " + std::to_string(parents.size()) +
                                 " parents, as many as it may have"};
            children.push_back(alarm_id{number});
        }
        return children;
    }

    /// The way from `self` through the children back to it, as `a -> b -> a`; empty if there is none.
    [[nodiscard]] std::string find_cycle(alarm_id self, std::span<const alarm_id> children) const {
        std::vector<std::uint32_t> below(members_.size(), none); // the child through which an ancestor was reached
        std::vector<alarm_id> ancestors{self};
        for (std::size_t i = 0; i < ancestors.size(); ++i) {
            const alarm_id child = ancestors[i];
            for (const alarm_id parent : at(child).parents) {
                if (below[index(parent)] != none) continue;
                below[index(parent)] = index(child);
                ancestors.push_back(parent);
            }
        }
        for (const alarm_id child : children) {
            if (below[index(child)] == none) continue;
            std::string way = at(self).name;
            for (std::uint32_t step = index(child);; step = below[step]) {
                way += " -> " + members_[step].name;
                if (step == index(self)) return way;
            }
        }
        return {};
    }

    /// Makes the children known to the composite alarm, and it to them, and sizes what a change needs.
    void bind(alarm_id id, std::vector<alarm_id> children) {
        for (const alarm_id child : children) at(child).parents.push_back(id);
        composite& self = composites_[at(id).composite];
        self.triggering.clear();
        self.triggering.reserve(children.size());
        self.children = std::move(children);
        std::vector<alarm_id> risen{id};
        for (std::size_t i = 0; i < risen.size(); ++i) {
            std::uint32_t level = at(risen[i]).level;
            for (const alarm_id child : composites_[at(risen[i]).composite].children) {
                if (at(child).level >= level) level = at(child).level + 1;
            }
            if (level == at(risen[i]).level) continue;
            at(risen[i]).level = level;
            if (levels_.size() <= level) levels_.resize(std::size_t{level} + 1);
            for (const alarm_id parent : at(risen[i]).parents) risen.push_back(parent);
        }
        if (levels_.size() <= at(id).level) levels_.resize(std::size_t{at(id).level} + 1);
    }

    /// The rule of `id` is another one.
    void change(alarm_id id, time_point now, std::vector<composite_transition>& out) {
        ++change_;
        evaluate_composite(at(id).composite, id, now, out);
        evaluate_waiting(id, now, out);
    }

    void enter(alarm_id id, alarm_state state) noexcept {
        at(id).state = state;
        at(id).changed = change_;
        for (const alarm_id parent : at(id).parents) {
            composite& c = composites_[at(parent).composite];
            if (std::exchange(c.waiting, true)) continue;
            queue& line = levels_[at(parent).level];
            (line.tail == none ? line.head : composites_[line.tail].next) = at(parent).composite;
            line.tail = at(parent).composite;
            ++waiting_;
        }
    }

    /// Level by level: whatever changes lets only alarms of higher levels wait.
    void evaluate_waiting(alarm_id cause, time_point now, std::vector<composite_transition>& out) {
        for (std::uint32_t level = at(cause).level + 1; waiting_ != 0; ++level) {
            std::uint32_t place = std::exchange(levels_[level], queue{}).head;
            while (place != none) {
                composites_[place].waiting = false;
                --waiting_;
                evaluate_composite(place, cause, now, out);
                place = std::exchange(composites_[place].next, none);
            }
        }
    }

    void evaluate_composite(std::uint32_t place, alarm_id cause, time_point now,
                            std::vector<composite_transition>& out) {
        composite& c = composites_[place];
        const alarm_state to = evaluate(c.rule, [&](std::size_t child) { return at(c.children[child]).state; });
        const alarm_state from = at(c.self).state;
        if (to == from) return;
        c.triggering.clear();
        for (const alarm_id child : c.children) {
            if (at(child).changed == change_) c.triggering.push_back(child);
        }
        out.push_back({c.self, cause, from, to, now});
        enter(c.self, to);
    }

    name_index names_;
    std::vector<member> members_;
    std::vector<composite> composites_;
    std::vector<queue> levels_;
    std::uint32_t waiting_ = 0;
    std::uint64_t change_ = 0;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/composite_parser.hpp

namespace reheat::inline REHEAT_ABI {

namespace detail {

struct rule_token {
    enum class kind : std::uint8_t { word, quoted, unfinished, opening, closing, comma, end };
    kind what = kind::end;
    std::size_t at = 0;
    std::string_view text;
};

[[nodiscard]] constexpr bool is_rule_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
[[nodiscard]] constexpr bool ends_rule_word(char c) noexcept {
    return is_rule_space(c) || c == '(' || c == ')' || c == ',';
}

/// The token at or after `at`.
[[nodiscard]] constexpr rule_token next_rule_token(std::string_view text, std::size_t at) noexcept {
    using kind = rule_token::kind;
    while (at < text.size() && is_rule_space(text[at])) ++at;
    if (at == text.size()) return {kind::end, at, {}};
    const auto token = [&](kind what, std::size_t end) { return rule_token{what, at, text.substr(at, end - at)}; };
    std::size_t end = at + 1;
    switch (text[at]) {
    case '(': return token(kind::opening, end);
    case ')': return token(kind::closing, end);
    case ',': return token(kind::comma, end);
    case '"':
        for (; end < text.size(); ++end) {
            if (text[end] == '"') return token(kind::quoted, end + 1);
            if (text[end] == '\\') ++end;
        }
        return token(kind::unfinished, text.size());
    default:
        while (end < text.size() && !ends_rule_word(text[end])) ++end;
        return token(kind::word, end);
    }
}

/// What is between the quotes. A backslash escapes a quote or a backslash; before anything else it is itself.
[[nodiscard]] inline std::string unquoted_reference(std::string_view quoted) {
    std::string name;
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
        if (quoted[i] == '\\' && (quoted[i + 1] == '"' || quoted[i + 1] == '\\')) ++i;
        name += quoted[i];
    }
    return name;
}

/// Reads a rule with a stack of operators on the heap, so that no depth of brackets or NOTs is too deep.
class composite_parser {
public:
    explicit composite_parser(std::string_view text) : text_{text} {}

    [[nodiscard]] result<composite_rule> parse() {
        if (text_.size() > composite_limits::characters) {
            now_.at = composite_limits::characters;
            too_many("characters", text_.size(), composite_limits::characters);
            return std::move(*failure_);
        }
        take();
        if (!expression()) return std::move(*failure_);
        link();
        return std::move(rule_);
    }

private:
    using token = rule_token::kind;
    using node = rule_node::kind;
    enum class rank : std::uint8_t { group, disjunction, conjunction, negation };
    struct pending {
        rank binds;
        std::uint16_t right; ///< the first node of the right side
    };

    bool expression() {
        for (;; take()) {
            if (!prefixes() || !operand()) return false;
            for (; now_.what == token::closing; take()) {
                reduce(rank::disjunction);
                if (operators_.empty()) return unsupported();
                operators_.pop_back();
            }
            if (now_.what == token::end) {
                reduce(rank::disjunction);
                return operators_.empty() || unsupported();
            }
            const bool both = is_word("AND");
            if (!both && !is_word("OR")) return unsupported();
            const rank binds = both ? rank::conjunction : rank::disjunction;
            reduce(binds);
            operators_.push_back({binds, static_cast<std::uint16_t>(rule_.nodes_.size())});
        }
    }

    bool prefixes() {
        for (;; take()) {
            if (is_word("NOT")) {
                operators_.push_back({rank::negation, 0});
            } else if (now_.what == token::opening) {
                if (!count_element()) return false;
                operators_.push_back({rank::group, 0});
            } else {
                return true;
            }
        }
    }

    /// Emits the operators that bind at least so tightly, back to the innermost open bracket.
    void reduce(rank binds) {
        constexpr node kinds[]{node::constant, node::disjunction, node::conjunction, node::negation};
        for (; !operators_.empty() && operators_.back().binds >= binds; operators_.pop_back()) {
            rule_.nodes_.push_back(
                {.what = kinds[static_cast<std::size_t>(operators_.back().binds)], .first = operators_.back().right});
        }
    }

    bool operand() {
        const bool yes = is_word("TRUE") || is_word("True") || is_word("true");
        if (yes || is_word("FALSE") || is_word("False") || is_word("false")) {
            if (!count_element()) return false;
            rule_.nodes_.push_back({.what = node::constant, .inverted = !yes});
            take();
            return true;
        }
        rule_node made{.what = node::state};
        if (is_word("AT_LEAST")) return at_least();
        if (!state(made) || !expect(token::opening, "'('") || !reference(made.first)) return false;
        rule_.nodes_.push_back(made);
        return expect(token::closing, "')'");
    }

    bool at_least() {
        rule_node made{.what = node::at_least, .first = static_cast<std::uint16_t>(rule_.listed_.size())};
        take();
        if (!expect(token::opening, "'('")) return false;
        const rule_token bound = now_;
        if (!number(made) || !expect(token::comma, "','")) return false;
        made.inverted = is_word("NOT");
        if (made.inverted) take();
        if (!state(made) || !expect(token::comma, "','") || !expect(token::opening, "'('")) return false;
        for (;; take()) {
            std::uint16_t child = 0;
            if (!reference(child)) return false;
            rule_.listed_.push_back(child);
            if (now_.what != token::comma) break;
        }
        if (now_.what != token::closing) return unsupported();
        take();
        made.count = static_cast<std::uint16_t>(rule_.listed_.size() - made.first);
        const std::uint16_t most = made.percent ? std::uint16_t{100} : made.count;
        if (made.threshold < 1 || made.threshold > most) {
            const std::string_view sign = made.percent ? "%" : "";
            fail(errc::invalid_argument, bound,
                 std::string{"1"}.append(sign) + " to " + std::to_string(most).append(sign));
            return false;
        }
        rule_.nodes_.push_back(made);
        return expect(token::closing, "')'");
    }

    /// A count or a percentage; what is out of every range stays so and is found when the list is known.
    bool number(rule_node& made) {
        constexpr std::uint16_t too_much = 10'000;
        std::string_view digits = now_.what == token::word ? now_.text : std::string_view{};
        if (digits.ends_with('%')) {
            made.percent = true;
            digits.remove_suffix(1);
        }
        bool good = !digits.empty();
        for (const char c : digits) {
            good = good && c >= '0' && c <= '9';
            const int value = made.threshold * 10 + (c - '0');
            if (good) made.threshold = value < too_much ? static_cast<std::uint16_t>(value) : too_much - 1;
        }
        if (!good) return unsupported("a number or a percentage");
        take();
        if (!made.percent && is_word("%")) {
            made.percent = true;
            take();
        }
        return true;
    }

    bool state(rule_node& made) {
        const std::optional<alarm_state> named = aws::parse<alarm_state>(now_.text);
        if (now_.what != token::word || !named) return unsupported();
        made.state = *named;
        take();
        return true;
    }

    bool reference(std::uint16_t& child) {
        std::string name;
        if (now_.what == token::word) name = now_.text;
        if (now_.what == token::quoted) name = unquoted_reference(now_.text);
        if (name.empty()) return unsupported("the name of an alarm");
        if (!count_element()) return false;
        std::size_t at = 0;
        while (at < rule_.children_.size() && rule_.children_[at] != name) ++at;
        if (at == composite_limits::children) return too_many("children", at + 1, composite_limits::children);
        if (at == rule_.children_.size()) rule_.children_.push_back(std::move(name));
        child = static_cast<std::uint16_t>(at);
        take();
        return true;
    }

    bool count_element() {
        ++elements_;
        return elements_ <= composite_limits::elements || too_many("elements", elements_, composite_limits::elements);
    }

    /// Tells every operand what is looked at next when it is true, and when it is false.
    void link() {
        std::vector<rule_node> below{rule_node{}}; // what nodes still to come are told, the last one first
        for (std::size_t at = rule_.nodes_.size(); at-- > 0;) {
            rule_node& n = rule_.nodes_[at];
            const rule_node told = below.back();
            below.pop_back();
            rule_node left = told;
            switch (n.what) {
            case node::negation:
                std::swap(left.on_true, left.on_false);
                left.negated = !told.negated;
                below.push_back(left);
                break;
            case node::conjunction:
            case node::disjunction:
                (n.what == node::conjunction ? left.on_true : left.on_false) = n.first;
                below.push_back(left);
                below.push_back(told);
                break;
            case node::constant:
            case node::state:
            case node::at_least:
                n.on_true = told.on_true;
                n.on_false = told.on_false;
                n.negated = told.negated;
                break;
            }
        }
    }

    [[nodiscard]] bool is_word(std::string_view word) const noexcept {
        return now_.what == token::word && now_.text == word;
    }
    void take() noexcept { now_ = next_rule_token(text_, now_.at + now_.text.size()); }
    bool expect(token what, std::string_view expected) {
        if (now_.what != what) return unsupported(expected);
        take();
        return true;
    }

    /// The token cannot be here; `expected` is what could, where that is one thing.
    bool unsupported(std::string_view expected = {}) {
        fail(errc::syntax, now_, expected);
        return false;
    }
    bool too_many(std::string_view what, std::size_t count, std::size_t most) {
        failure_ =
            error{errc::limit_exceeded, place(now_.at),
                  "Error in AlarmRule [Unsupported number of " + std::string{what} + " " + std::to_string(count) +
                      " at " + place(now_.at) + ", must be: at most " + std::to_string(most) + "]"};
        return false;
    }
    void fail(errc code, const rule_token& found, std::string_view expected) {
        std::string message = "Error in AlarmRule [Unsupported ";
        if (found.what == token::end) message += "end of text";
        else message.append("token '").append(clip(found.text, 64)).append("'");
        message += " at " + place(found.at);
        if (!expected.empty()) message.append(", must be: ").append(expected);
        failure_ = error{code, place(found.at), message + "]"};
    }
    [[nodiscard]] static std::string place(std::size_t at) { return "char " + std::to_string(at); }

    std::string_view text_;
    rule_token now_;
    composite_rule rule_;
    std::vector<pending> operators_;
    std::size_t elements_ = 0;
    std::optional<error> failure_;
};

} // namespace detail

/// Reads the rule of a composite alarm in CloudWatch's language:
///
///     rule    = and {"OR" and}            and  = unary {"AND" unary}           unary = "NOT" unary | primary
///     primary = "(" rule ")" | "TRUE" | "FALSE" | state "(" ref ")"
///             | "AT_LEAST" "(" number ["%"] "," ["NOT"] state "," "(" ref {"," ref} ")" ")"
///     state   = "ALARM" | "OK" | "INSUFFICIENT_DATA"
///     ref     = a name without white space, bracket, comma | a name in double quotes, with \" and \\ for " and \.
///
/// That NOT binds tighter than AND, and AND than OR, is our choice: CloudWatch does not say. TRUE and FALSE may also be
/// written True, true, False, false. The number of AT_LEAST is 1 to the number of alarms listed, or 1% to 100%; an
/// alarm that is listed twice counts twice. An error has CloudWatch's text, `Error in AlarmRule [Unsupported token
/// 'Oldest' at char 67, must be: ')']`: the place from 0, which `where` repeats, the token there (or `end of text`),
/// and what could be there if that is one thing. A limit that is exceeded is told in the same form. Any thread may call
/// it.
///
///     parse_composite_rule("AT_LEAST(50%, NOT OK, (web-1, web-2, web-3))");
[[nodiscard]] inline result<composite_rule> parse_composite_rule(std::string_view text) {
    return detail::composite_parser{text}.parse();
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/composite_text.hpp

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// How the text of a rule is set: with the usual spaces, or only with those that part two words.
enum class rule_spacing : std::uint8_t { usual, tight };

/// A part of a rule's text, and how tightly its outermost operator binds.
struct rule_text {
    enum class rank : std::uint8_t { disjunction, conjunction, negation, primary };
    std::string text;
    rank binds = rank::primary;
};

[[nodiscard]] inline rule_text bracketed(rule_text inner) {
    inner.text.insert(inner.text.begin(), '(');
    inner.text += ')';
    return {std::move(inner.text), rule_text::rank::primary};
}

[[nodiscard]] inline rule_text joined(rule_text a, rule_text::rank how, rule_text b, rule_spacing spacing) {
    if (a.binds < how) a = bracketed(std::move(a));
    if (b.binds <= how) b = bracketed(std::move(b)); // a chain is grouped from the left
    if (spacing == rule_spacing::usual || !a.text.ends_with(')')) a.text += ' ';
    a.text += how == rule_text::rank::conjunction ? "AND" : "OR";
    if (spacing == rule_spacing::usual || !b.text.starts_with('(')) a.text += ' ';
    a.text += b.text;
    a.binds = how;
    return a;
}

[[nodiscard]] inline rule_text negated(rule_text a, rule_spacing spacing) {
    if (a.binds < rule_text::rank::negation) a = bracketed(std::move(a));
    a.text.insert(0, spacing == rule_spacing::usual || !a.text.starts_with('(') ? "NOT " : "NOT");
    a.binds = rule_text::rank::negation;
    return a;
}

/// A name, in quotes where it needs them. A backslash is doubled only where it would be read as an escape.
inline void append_reference(std::string& out, std::string_view name) {
    bool bare = !name.empty() && name.front() != '"';
    for (const char c : name) bare = bare && !ends_rule_word(c);
    if (bare) {
        out += name;
        return;
    }
    out += '"';
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char next = i + 1 < name.size() ? name[i + 1] : '"';
        if (name[i] == '"' || (name[i] == '\\' && (next == '"' || next == '\\'))) out += '\\';
        out += name[i];
    }
    out += '"';
}

[[nodiscard]] inline rule_text state_text(alarm_state state, std::string_view name) {
    rule_text made{std::string{aws::name(state)} + '('};
    append_reference(made.text, name);
    made.text += ')';
    return made;
}

/// `count` names, that `name_of(0)`, `name_of(1)` and so on give.
template <class NameOf>
[[nodiscard]] rule_text at_least_text(std::size_t threshold, bool percent, bool inverted, alarm_state state,
                                      std::size_t count, const NameOf& name_of, rule_spacing spacing) {
    const std::string_view comma = spacing == rule_spacing::usual ? ", " : ",";
    rule_text made{"AT_LEAST(" + std::to_string(threshold)};
    made.text.append(percent ? "%" : "").append(comma).append(inverted ? "NOT " : "").append(aws::name(state));
    made.text.append(comma).append("(");
    for (std::size_t i = 0; i < count; ++i) {
        if (i != 0) made.text += comma;
        append_reference(made.text, name_of(i));
    }
    made.text += "))";
    return made;
}

[[nodiscard]] inline std::string print(const composite_rule& rule, rule_spacing spacing) {
    using kind = rule_node::kind;
    std::vector<rule_text> parts;
    const auto pop = [&parts] {
        rule_text last = std::move(parts.back());
        parts.pop_back();
        return last;
    };
    for (const rule_node& n : rule.nodes()) {
        switch (n.what) {
        case kind::constant: parts.push_back({n.inverted ? "FALSE" : "TRUE"}); break;
        case kind::state: parts.push_back(state_text(n.state, rule.children()[n.first])); break;
        case kind::at_least: {
            const auto name_of = [&](std::size_t i) -> std::string_view {
                return rule.children()[rule.listed()[n.first + i]];
            };
            parts.push_back(at_least_text(n.threshold, n.percent, n.inverted, n.state, n.count, name_of, spacing));
            break;
        }
        case kind::negation: parts.push_back(negated(pop(), spacing)); break;
        case kind::conjunction:
        case kind::disjunction: {
            const auto how = n.what == kind::conjunction ? rule_text::rank::conjunction : rule_text::rank::disjunction;
            rule_text right = pop();
            parts.push_back(joined(pop(), how, std::move(right), spacing));
            break;
        }
        }
    }
    return std::move(parts.back().text);
}

} // namespace detail

/// The rule in CloudWatch's language, without brackets and quotes that it does not need: `parse_composite_rule` reads
/// an equal rule back. Where the usual spaces would make it longer than a rule may be, it has only those that part
/// words; no text of the same rule is shorter than that.
[[nodiscard]] inline std::string to_string(const composite_rule& rule) {
    std::string text = detail::print(rule, detail::rule_spacing::usual);
    return text.size() <= composite_limits::characters ? text : detail::print(rule, detail::rule_spacing::tight);
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/composite_expression.hpp

namespace reheat::inline REHEAT_ABI {

/// A composite alarm's rule as one writes it in C++: functions of names, put together by `&&`, `||` and `!`, which bind
/// as AND, OR and NOT do. It is the text of the rule, and `make_composite_rule` checks it. Any thread may read one.
///
///     auto rule = make_composite_rule(in_alarm("db") && !in_alarm("deployment"));
class composite_expression {
public:
    explicit composite_expression(detail::rule_text text) : text_{std::move(text)} {}
    [[nodiscard]] std::string_view text() const noexcept { return text_.text; }

    [[nodiscard]] friend composite_expression operator&&(composite_expression a, composite_expression b) {
        return join(std::move(a), detail::rule_text::rank::conjunction, std::move(b));
    }
    [[nodiscard]] friend composite_expression operator||(composite_expression a, composite_expression b) {
        return join(std::move(a), detail::rule_text::rank::disjunction, std::move(b));
    }
    [[nodiscard]] friend composite_expression operator!(composite_expression a) {
        return composite_expression{detail::negated(std::move(a.text_), detail::rule_spacing::usual)};
    }

private:
    static composite_expression join(composite_expression a, detail::rule_text::rank how, composite_expression b) {
        return composite_expression{
            detail::joined(std::move(a.text_), how, std::move(b.text_), detail::rule_spacing::usual)};
    }

    detail::rule_text text_;
};

/// Holds while the named alarm is in that state.
[[nodiscard]] inline composite_expression in_state(alarm_state state, std::string_view name) {
    return composite_expression{detail::state_text(state, name)};
}
[[nodiscard]] inline composite_expression in_alarm(std::string_view name) { return in_state(alarm_state::alarm, name); }
[[nodiscard]] inline composite_expression in_ok(std::string_view name) { return in_state(alarm_state::ok, name); }
[[nodiscard]] inline composite_expression in_insufficient_data(std::string_view name) {
    return in_state(alarm_state::insufficient_data, name);
}

/// TRUE or FALSE: for trying out a rule or its actions.
[[nodiscard]] inline composite_expression always(bool value) {
    return composite_expression{{value ? "TRUE" : "FALSE"}};
}

/// A share of the alarms listed, 1 to 100.
struct percent {
    std::size_t value;
};

/// How many of the alarms listed: a number, or a `percent` of them.
class quorum {
public:
    constexpr quorum(std::size_t count) noexcept : value_{count} {} // NOLINT(google-explicit-constructor)
    constexpr quorum(percent share) noexcept
        : value_{share.value}, is_percent_{true} {} // NOLINT(google-explicit-constructor)

    [[nodiscard]] constexpr std::size_t value() const noexcept { return value_; }
    [[nodiscard]] constexpr bool is_percent() const noexcept { return is_percent_; }

private:
    std::size_t value_;
    bool is_percent_ = false;
};

namespace detail {
[[nodiscard]] inline composite_expression at_least_expression(quorum needed, bool inverted, alarm_state state,
                                                              std::span<const std::string_view> names) {
    return composite_expression{at_least_text(
        needed.value(), needed.is_percent(), inverted, state, names.size(), [names](std::size_t i) { return names[i]; },
        rule_spacing::usual)};
}
} // namespace detail

/// Holds while that many of the named alarms, or more, are in that state.
///
///     at_least(2, alarm_state::alarm, {"web-1", "web-2", "web-3"}) || at_least(percent{50}, alarm_state::alarm, names)
[[nodiscard]] inline composite_expression at_least(quorum needed, alarm_state state,
                                                   std::span<const std::string_view> names) {
    return detail::at_least_expression(needed, false, state, names);
}
[[nodiscard]] inline composite_expression at_least(quorum needed, alarm_state state,
                                                   std::initializer_list<std::string_view> names) {
    return detail::at_least_expression(needed, false, state, {names.begin(), names.size()});
}

/// Holds while that many of the named alarms, or more, are in another state.
[[nodiscard]] inline composite_expression at_least_not(quorum needed, alarm_state state,
                                                       std::span<const std::string_view> names) {
    return detail::at_least_expression(needed, true, state, names);
}
[[nodiscard]] inline composite_expression at_least_not(quorum needed, alarm_state state,
                                                       std::initializer_list<std::string_view> names) {
    return detail::at_least_expression(needed, true, state, {names.begin(), names.size()});
}

/// The rule of an expression: the one of its text, or the error that `parse_composite_rule` finds there.
[[nodiscard]] inline result<composite_rule> make_composite_rule(const composite_expression& expression) {
    return parse_composite_rule(expression.text());
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/row_handle.hpp

namespace reheat::inline REHEAT_ABI {

/// One row of a fleet. A handle outlives its row harmlessly: a row that is used again has another generation.
struct row_handle {
    std::uint32_t row = 0xffff'ffffU;
    std::uint32_t generation = 0;

    friend constexpr bool operator==(row_handle, row_handle) = default;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/evaluate.hpp

namespace reheat::inline REHEAT_ABI {

/// Which part of the rule decided an evaluation.
enum class decided_by : std::uint8_t {
    datapoints, ///< enough periods had one
    filled,     ///< missing periods were counted as breaching or not breaching, or did not matter
    premature,  ///< few datapoints, all breaching, the oldest of them M periods old or older
    kept,       ///< too little to decide on: the state stayed
    no_data,    ///< too little to decide on: insufficient data
    trend,      ///< from insufficient data, the newest period
    held,       ///< the pending or the recovery period is not over
    hand,       ///< an operator set the state
};

[[nodiscard]] constexpr std::string_view to_string(decided_by d) noexcept {
    switch (d) {
    case decided_by::datapoints: return "datapoints";
    case decided_by::filled: return "filled";
    case decided_by::premature: return "premature";
    case decided_by::kept: return "kept";
    case decided_by::no_data: return "no_data";
    case decided_by::trend: return "trend";
    case decided_by::held: return "held";
    case decided_by::hand: return "hand";
    }
    return "unknown";
}

/// What an evaluation counted: the periods asked for (`evaluation_periods`, N) and the breaching ones that raise (M);
/// of the newest N datapoints in range those that were there, and those of them that breach.
struct evaluation {
    std::uint32_t periods = 1;
    std::uint32_t datapoints_to_alarm = 1;
    std::uint32_t real = 0;
    std::uint32_t breaching = 0;
    std::uint32_t oldest_breaching = 0; ///< its age in periods, 1 for the newest period; 0 if none breaches

    /// Counts a datapoint of an age; ages ascend. False once N are counted: what is older says nothing.
    constexpr bool count(std::uint32_t age, bool breaches) noexcept {
        ++real;
        if (breaches) {
            ++breaching;
            oldest_breaching = age;
        }
        return real < periods;
    }

    friend constexpr bool operator==(const evaluation&, const evaluation&) = default;
};

/// The state that an evaluation leads to, and why.
struct decision_of_state {
    alarm_state state;
    decided_by by;

    friend constexpr bool operator==(decision_of_state, decision_of_state) = default;
};

/// M out of N with CloudWatch's four treatments of missing data. The range is the caller's: exactly N periods (strict:
/// looking back behind them costs a liveness alarm as many periods of detection time), or some behind N where periods
/// are missing. With `premature`, few datapoints that all breach raise the alarm once the oldest is M periods old,
/// although more may arrive late. (Amazon CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing
/// data".)
[[nodiscard]] constexpr decision_of_state evaluate(const evaluation& e, missing_data treat, alarm_state before,
                                                   bool premature = false) noexcept {
    const std::uint32_t missing = e.periods > e.real ? e.periods - e.real : 0;
    const decided_by by = missing == 0 ? decided_by::datapoints : decided_by::filled;
    const std::uint32_t filled = treat == missing_data::breaching ? e.breaching + missing : e.breaching;
    if (filled >= e.datapoints_to_alarm) return {alarm_state::alarm, by};
    const bool open = missing != 0 && e.real == e.breaching;
    if (!open || treat == missing_data::breaching || treat == missing_data::not_breaching) return {alarm_state::ok, by};
    if (treat == missing_data::ignore) return {before, decided_by::kept};
    if (premature && e.breaching != 0 && e.oldest_breaching >= e.datapoints_to_alarm)
        return {alarm_state::alarm, decided_by::premature};
    return {alarm_state::insufficient_data, decided_by::no_data};
}

/// All of N or none of them, as Aodh: a mixed range keeps the state, and from insufficient data the newest period
/// decides. A range that is not full is insufficient data.
[[nodiscard]] constexpr decision_of_state evaluate_unanimous(const evaluation& e, bool newest_breaches,
                                                             alarm_state before) noexcept {
    if (e.real < e.periods) return {alarm_state::insufficient_data, decided_by::no_data};
    if (e.breaching == e.real) return {alarm_state::alarm, decided_by::datapoints};
    if (e.breaching == 0) return {alarm_state::ok, decided_by::datapoints};
    if (before != alarm_state::insufficient_data) return {before, decided_by::kept};
    return {newest_breaches ? alarm_state::alarm : alarm_state::ok, decided_by::trend};
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/transition.hpp

namespace reheat::inline REHEAT_ABI {

/// One change of one alarm, or a reminder that it still is in `alarm` (then `from` equals `to`).
struct transition {
    watch_id watch;
    target_id target;
    alarm_state from;
    alarm_state to;
    time_point at; ///< the end of the newest period that was evaluated
    double value;  ///< the newest period's statistic; NaN if it had no datapoint
    evaluation counted{};
    decided_by by = decided_by::datapoints;
    bool act = true;        ///< whether the alarm's actions are enabled
    bool saturated = false; ///< `value` is the most that the window counts to: it may have been more

    [[nodiscard]] constexpr bool reminder() const noexcept { return from == to; }
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/prefetch.hpp

namespace reheat::inline REHEAT_ABI::detail {

/// Asks for a cache line that will soon be written. Any address will do, and nothing may come of it. Inline always: gcc
/// takes a function that does nothing else for one without effect, and leaves out the call.
[[gnu::always_inline]] inline void prefetch_for_write([[maybe_unused]] const void* address) noexcept {
#if defined(__GNUC__) || defined(__clang__)
    __builtin_prefetch(address, 1);
#endif
}
/// The same for a line that will soon be read.
[[gnu::always_inline]] inline void prefetch_for_read([[maybe_unused]] const void* address) noexcept {
#if defined(__GNUC__) || defined(__clang__)
    __builtin_prefetch(address, 0);
#endif
}

} // namespace reheat::inline REHEAT_ABI::detail

// file: reheat/core/timer_wheel.hpp

namespace reheat::inline REHEAT_ABI::detail {

/// Numbers with deadlines in ticks, for deadlines that mostly move on before they come up: who moves one does not tell
/// the wheel, and is asked when the old one is reached. Two wheels of 4,096 slots, one tick and 4,096 ticks each; what
/// is further away is looked at again on the way. A slot is a chain of chunks of numbers, so that a visit reads them in
/// a row. Only `reserve` allocates. (G. Varghese, T. Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987.)
class timer_wheel {
public:
    static constexpr std::int64_t done = INT64_MAX;

    explicit timer_wheel(std::int64_t now) noexcept : now_{now} {
        tick_heads_.fill(none);
        block_heads_.fill(none);
    }

    /// Makes room for so many numbers, each put once at a time.
    void reserve(std::size_t numbers) {
        const std::size_t partial = numbers < 2 * slots ? numbers : 2 * slots;
        const std::size_t wanted = numbers / chunk::most + partial + 2;
        while (chunks_.size() < wanted) {
            chunks_.emplace_back();
            chunks_.back().next = free_;
            free_ = static_cast<std::uint32_t>(chunks_.size() - 1);
        }
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return chunks_.capacity() * sizeof(chunk); }

    /// A deadline that is over is due at the next tick.
    void put(std::uint32_t number, std::int64_t due) noexcept {
        if (due <= now_) due = now_ + 1;
        if (due - now_ < slots) {
            add(tick_heads_, tick_used_, static_cast<std::size_t>(due) % slots, number);
            return;
        }
        const std::int64_t block = due >> bits_of_slot;
        const std::int64_t furthest = (now_ >> bits_of_slot) + slots - 1;
        add(block_heads_, block_used_, static_cast<std::size_t>(block < furthest ? block : furthest) % slots, number);
    }

    /// Goes on to a tick and asks `due(number)` of all that come up on the way: the next deadline, or `done`.
    /// `soon(number)` is called a little before.
    template <class Soon, class Due>
    void advance(std::int64_t to, const Soon& soon, const Due& due) {
        for (std::int64_t at = next(); at <= to; at = next()) {
            now_ = at;
            if (at % slots == 0)
                visit(block_heads_, block_used_, static_cast<std::size_t>(at >> bits_of_slot) % slots, soon, due);
            visit(tick_heads_, tick_used_, static_cast<std::size_t>(at) % slots, soon, due);
        }
        if (to > now_) now_ = to;
    }

    /// The next tick at which something may come up; `done` if there is nothing.
    [[nodiscard]] std::int64_t next() const noexcept {
        const std::int64_t tick = find(tick_used_, now_ + 1);
        const std::int64_t wide = find(block_used_, (now_ >> bits_of_slot) + 1);
        const std::int64_t block = wide == done ? done : wide * slots;
        return tick < block ? tick : block;
    }

private:
    static constexpr int bits_of_slot = 12;
    static constexpr std::int64_t slots = std::int64_t{1} << bits_of_slot;
    static constexpr std::uint32_t none = 0xffff'ffffU;

    struct alignas(64) chunk {
        static constexpr std::uint32_t most = 30;
        std::uint32_t next = none;
        std::uint32_t size = 0;
        std::array<std::uint32_t, most> numbers;
    };
    using heads = std::array<std::uint32_t, slots>;
    using bits = std::array<std::uint64_t, slots / 64>;

    void add(heads& of, bits& used, std::size_t slot, std::uint32_t number) noexcept {
        std::uint32_t at = of[slot];
        if (at == none || chunks_[at].size == chunk::most) {
            const std::uint32_t fresh = free_;
            free_ = chunks_[fresh].next;
            chunks_[fresh].next = at;
            chunks_[fresh].size = 0;
            of[slot] = at = fresh;
            used[slot / 64] |= std::uint64_t{1} << slot % 64;
        }
        chunks_[at].numbers[chunks_[at].size++] = number;
    }

    template <class Soon, class Due>
    void visit(heads& of, bits& used, std::size_t slot, const Soon& soon, const Due& due) {
        std::uint32_t at = of[slot];
        of[slot] = none;
        used[slot / 64] &= ~(std::uint64_t{1} << slot % 64);
        while (at != none) {
            // A copy: what is put back may take the chunks that follow.
            const chunk c = chunks_[at];
            chunks_[at].next = free_;
            free_ = at;
            for (std::uint32_t n = 0; n < c.size; ++n) soon(c.numbers[n]);
            for (std::uint32_t n = 0; n < c.size; ++n) {
                const std::int64_t then = due(c.numbers[n]);
                if (then != done) put(c.numbers[n], then);
            }
            at = c.next;
        }
    }

    /// The first used slot at `from` or within one turn after it, as a tick or block.
    [[nodiscard]] static std::int64_t find(const bits& used, std::int64_t from) noexcept {
        const auto first = static_cast<std::size_t>(from) % slots;
        for (std::size_t words = 0; words <= used.size(); ++words) {
            const std::size_t word = (first / 64 + words) % used.size();
            std::uint64_t set = used[word];
            if (words == 0) set &= ~std::uint64_t{0} << first % 64;
            if (words == used.size()) set &= ~(~std::uint64_t{0} << first % 64);
            if (set == 0) continue;
            const std::size_t slot = word * 64 + static_cast<std::size_t>(std::countr_zero(set));
            return from + static_cast<std::int64_t>((slot - first) % slots);
        }
        return done;
    }

    std::int64_t now_;
    heads tick_heads_;
    heads block_heads_;
    bits tick_used_{};
    bits block_used_{};
    std::vector<chunk> chunks_;
    std::uint32_t free_ = none;
};

} // namespace reheat::inline REHEAT_ABI::detail

// file: reheat/alarm/deadline_fleet.hpp

namespace reheat::inline REHEAT_ABI {

/// Silence found to the millisecond: each target has a timeout of its own, and is in `alarm` once it was silent for so
/// long. Where a period's resolution is enough, a `fleet` is cheaper. A beat only stores its time; when a deadline
/// comes up, the time is looked at and the deadline moved on. 28 bytes a target, and 4 to 9 in the wheel. Nothing
/// allocates but `watch`, `reserve` and the caller's vector. One thread at a time.
///
///     deadline_fleet probes{now};
///     const row_handle db = probes.watch(target, 1500ms, now);
///     probes.push(db, now);
///     probes.evaluate(now, transitions); // whenever probes.next() is reached
class deadline_fleet {
public:
    static constexpr duration tick = std::chrono::milliseconds{1};
    static constexpr duration longest = std::chrono::hours{24 * 40};

    explicit deadline_fleet(time_point now) noexcept : wheel_{tick_from(now)} {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Begins to watch: silent from now on. The timeout is held between one tick and 40 days, and rounded up to ticks.
    row_handle watch(target_id target, duration timeout, time_point now) {
        const bool fresh = free_.empty();
        const std::uint32_t at = fresh ? static_cast<std::uint32_t>(rows_.size()) : free_.back();
        if (fresh) {
            rows_.emplace_back();
            targets_.emplace_back();
            returned_.reserve(rows_.capacity());
            free_.reserve(rows_.capacity());
            wheel_.reserve(rows_.size());
        } else {
            free_.pop_back();
        }
        row& r = rows_[at];
        const duration held = timeout < tick ? tick : timeout > longest ? longest : timeout;
        r.timeout = static_cast<std::uint32_t>((held + tick - duration{1}) / tick);
        r.last = now;
        r.state = alarm_state::ok;
        r.flags |= active;
        ++size_;
        targets_[at] = target;
        put(at);
        return {at, r.generation};
    }

    /// Gives a row up. False if it is given up already.
    bool remove(row_handle h) {
        if (!holds(h)) return false;
        row& r = rows_[h.row];
        r.flags &= returning; // it is on that list until the next evaluation
        ++r.generation;
        --size_;
        if (!r.on_wheel) give_back(h.row);
        return true;
    }

    [[nodiscard]] bool holds(row_handle h) const noexcept {
        return h.row < rows_.size() && rows_[h.row].generation == h.generation && (rows_[h.row].flags & active) != 0;
    }
    [[nodiscard]] alarm_state state(row_handle h) const noexcept {
        return holds(h) ? rows_[h.row].state : alarm_state::insufficient_data;
    }

    /// A beat. False if the row is given up. An older one than the last changes nothing.
    bool push(row_handle h, time_point at) noexcept {
        if (h.row >= rows_.size()) return false;
        row& r = rows_[h.row];
        if (r.generation != h.generation) return false;
        r.last = later(r.last, at);
        if (r.state == alarm_state::alarm && (r.flags & returning) == 0) [[unlikely]] {
            r.flags |= returning;
            returned_.push_back(h.row);
        }
        return true;
    }
    /// Many beats at one time.
    void push(std::span<const row_handle> beats, time_point at) noexcept {
        constexpr std::size_t ahead = 24;
        for (std::size_t n = 0; n < beats.size(); ++n) {
            if (n + ahead < beats.size() && beats[n + ahead].row < rows_.size())
                detail::prefetch_for_write(&rows_[beats[n + ahead].row]);
            push(beats[n], at);
        }
    }

    /// What fell silent and what was heard again since the last call; a transition's value is the silence in seconds.
    void evaluate(time_point now, std::vector<transition>& out) {
        for (const std::uint32_t at : returned_) {
            row& r = rows_[at];
            r.flags &= static_cast<std::uint8_t>(~returning);
            if ((r.flags & active) == 0 || r.state != alarm_state::alarm || deadline(r) <= now) continue;
            change(at, alarm_state::ok, r.last, out);
            if (!r.on_wheel) put(at);
        }
        returned_.clear();
        wheel_.advance(
            tick_of(now), [this](std::uint32_t at) { detail::prefetch_for_write(&rows_[at]); },
            [&](std::uint32_t at) -> std::int64_t {
                row& r = rows_[at];
                const time_point due = deadline(r);
                if ((r.flags & active) != 0 && due > now) return tick_from(due);
                if ((r.flags & active) != 0 && r.state != alarm_state::alarm) change(at, alarm_state::alarm, due, out);
                r.on_wheel = false;
                if ((r.flags & active) == 0) give_back(at);
                return detail::timer_wheel::done;
            });
    }

    /// Nobody was there to hear a beat up to now: the silence of all begins anew.
    void doubt(time_point now) noexcept { heard_ = later(heard_, now); }

    /// When something may be due; not later than the next deadline.
    [[nodiscard]] time_point next() const noexcept {
        if (!returned_.empty()) return rows_[returned_.front()].last;
        const std::int64_t due = wheel_.next();
        return due == detail::timer_wheel::done ? never : time_point{tick * due};
    }

    void reserve(std::size_t targets) {
        rows_.reserve(targets);
        targets_.reserve(targets);
        returned_.reserve(targets);
        free_.reserve(targets);
        wheel_.reserve(targets);
    }
    [[nodiscard]] std::size_t bytes() const noexcept {
        return rows_.capacity() * sizeof(row) + targets_.capacity() * sizeof(target_id) +
               (returned_.capacity() + free_.capacity()) * sizeof(std::uint32_t) + wheel_.bytes();
    }

private:
    static constexpr std::uint8_t active = 1;
    static constexpr std::uint8_t returning = 2;

    struct row {
        time_point last{};
        std::uint32_t timeout = 0; ///< in ticks
        std::uint16_t generation = 0;
        alarm_state state : 4 = alarm_state::ok;
        bool on_wheel : 1 = false;
        std::uint8_t flags = 0;
    };
    static_assert(sizeof(row) == 16);

    [[nodiscard]] static std::int64_t tick_of(time_point t) noexcept { return t.time_since_epoch() / tick; }
    /// The first tick that is not before `t`.
    [[nodiscard]] static std::int64_t tick_from(time_point t) noexcept {
        return tick_of(t) + static_cast<std::int64_t>(t.time_since_epoch() % tick > duration::zero());
    }
    [[nodiscard]] time_point deadline(const row& r) const noexcept {
        return after(later(r.last, heard_), tick * static_cast<std::int64_t>(r.timeout));
    }
    void put(std::uint32_t at) noexcept {
        wheel_.put(at, tick_from(deadline(rows_[at])));
        rows_[at].on_wheel = true;
    }
    /// A row is used again once it is off the wheel, and never once its generations are used up.
    void give_back(std::uint32_t at) noexcept {
        if (rows_[at].generation != 0) free_.push_back(at);
    }
    void change(std::uint32_t at, alarm_state to, time_point when, std::vector<transition>& out) {
        row& r = rows_[at];
        const double silent = std::chrono::duration<double>(tick).count() * r.timeout;
        out.push_back(
            {static_cast<watch_id>(at), targets_[at], r.state, to, when, to == alarm_state::alarm ? silent : 0.0});
        r.state = to;
    }

    std::vector<row> rows_;
    std::vector<target_id> targets_;
    std::vector<std::uint32_t> free_;
    std::vector<std::uint32_t> returned_; // in alarm, and heard since
    std::size_t size_ = 0;
    time_point heard_ = (time_point::min)();
    detail::timer_wheel wheel_;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/glob.hpp

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// Matches one byte against the part of a pattern that begins at `at`, which is moved behind that part.
[[nodiscard]] constexpr bool glob_one(std::string_view pattern, std::size_t& at, char c) noexcept {
    const char p = pattern[at++];
    if (p == '?') return true;
    if (p != '[') return p == c;
    std::size_t i = at;
    const bool except = i < pattern.size() && pattern[i] == '!';
    if (except) ++i;
    const std::size_t end = pattern.find(']', i + 1); // one right at the beginning is a member
    if (end == std::string_view::npos) return c == '[';
    at = end + 1;
    bool member = false;
    const auto byte = static_cast<unsigned char>(c);
    while (i < end) {
        const auto low = static_cast<unsigned char>(pattern[i]);
        const bool range = i + 2 < end && pattern[i + 1] == '-';
        const auto high = range ? static_cast<unsigned char>(pattern[i + 2]) : low;
        member = member || (byte >= low && byte <= high);
        i += range ? 3 : 1;
    }
    return member != except;
}

} // namespace detail

/// Whether a whole text is of a shell pattern: `*` is any text, `?` any byte, `[a-z_]` one of a set, `[!a-z]` one that
/// is not of it; anything else, and a `[` without its `]`, is itself. Letters are compared as they are. It takes at
/// most pattern times text steps. (Python's `fnmatch.fnmatchcase`.)
[[nodiscard]] constexpr bool glob_match(std::string_view pattern, std::string_view text) noexcept {
    constexpr std::size_t none = std::string_view::npos;
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = none; // behind the newest `*`; an older one can stay as it is
    std::size_t from = 0;    // where the text that the star does not take begins
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            from = t;
        } else if (p < pattern.size() && detail::glob_one(pattern, p, text[t])) {
            ++t;
        } else if (star != none) {
            p = star;
            t = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/parse_time.hpp

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// Takes exactly `digits` decimal digits off the front of `text`; -1 if they are not there.
[[nodiscard]] constexpr int take_digits(std::string_view& text, std::size_t digits) noexcept {
    if (text.size() < digits) return -1;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
}

[[nodiscard]] constexpr bool take(std::string_view& text, char c) noexcept {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

/// The sign at the front of `text`, or 0 if there is none.
[[nodiscard]] constexpr int take_sign(std::string_view& text) noexcept {
    return take(text, '+') ? 1 : take(text, '-') ? -1 : 0;
}

} // namespace detail

/// Reads a time as ISO 8601 writes it: `2026-11-23T21:30:00Z`, with a blank for the `T`, a fraction of up to nine
/// digits (further ones are cut), and `Z`, `+02:00`, `+0200` or `+02` after it; without any of these it is UTC. A time
/// that is none (the 30th of February, 24:00, a leap second) or is outside of the years 1678 to 2261 is an error.
[[nodiscard]] inline result<time_point> parse_time(std::string_view text) {
    const auto bad = [text](const char* expected) {
        return error{errc::syntax, {}, "'" + std::string{text.substr(0, 64)} + "' is not a time: " + expected};
    };
    std::string_view rest = text;
    const int year = detail::take_digits(rest, 4);
    const bool day_follows = detail::take(rest, '-');
    const int month = detail::take_digits(rest, 2);
    const bool and_day = detail::take(rest, '-');
    const int day = detail::take_digits(rest, 2);
    if (year < 0 || !day_follows || month < 0 || !and_day || day < 0) return bad("expected a date, as in 2026-11-23");
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return bad("there is no such day");
    if (year < 1678 || year > 2261) return bad("expected a year from 1678 to 2261");
    if (!detail::take(rest, 'T') && !detail::take(rest, ' ')) return bad("expected T and a time of day");
    const int hour = detail::take_digits(rest, 2);
    const bool minute_follows = detail::take(rest, ':');
    const int minute = detail::take_digits(rest, 2);
    const bool and_second = detail::take(rest, ':');
    const int second = detail::take_digits(rest, 2);
    if (hour < 0 || !minute_follows || minute < 0 || !and_second || second < 0)
        return bad("expected a time of day, as in 21:30:00");
    if (hour > 23 || minute > 59 || second > 59) return bad("there is no such time of day");
    std::int64_t nanoseconds = 0;
    if (detail::take(rest, '.')) {
        if (rest.empty() || rest.front() < '0' || rest.front() > '9') return bad("expected a digit after the point");
        for (std::int64_t scale = 100'000'000; !rest.empty() && rest.front() >= '0' && rest.front() <= '9';
             scale /= 10) {
            nanoseconds += scale * (rest.front() - '0');
            rest.remove_prefix(1);
        }
    }
    int offset = 0; // minutes
    if (!detail::take(rest, 'Z') && !rest.empty()) {
        const int sign = detail::take_sign(rest);
        const int hours = detail::take_digits(rest, 2);
        const bool colon = detail::take(rest, ':');
        const int minutes = rest.empty() && !colon ? 0 : detail::take_digits(rest, 2);
        if (sign == 0 || hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
            return bad("expected Z or an offset from UTC, as in +02:00");
        offset = sign * (hours * 60 + minutes);
    }
    if (!rest.empty()) return bad("expected nothing more");
    const auto at = std::chrono::sys_days{date}.time_since_epoch() + std::chrono::hours{hour} +
                    std::chrono::minutes{minute - offset} + std::chrono::seconds{second};
    return time_point{duration{at} + duration{nanoseconds}};
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/event_rule.hpp

namespace reheat::inline REHEAT_ABI {

/// What a trait of an event holds; `monostate` if the event has no such trait. The text must outlive the evaluation
/// only.
using trait_value = std::variant<std::monostate, std::string_view, std::int64_t, double, bool, time_point>;

/// Gives the trait of an event that has a name.
template <class F>
concept trait_lookup = requires(const F& f, std::string_view field) {
    { f(field) } -> std::convertible_to<trait_value>;
};

/// How the value of a condition is written.
enum class trait_type : std::uint8_t { string, integer, floating, boolean, datetime };

inline constexpr std::array<std::string_view, 5> trait_type_names{"string", "integer", "float", "boolean", "datetime"};

/// The type that has a name in Aodh's API; none there means a string.
[[nodiscard]] constexpr std::optional<trait_type> parse_trait_type(std::string_view name) noexcept {
    if (name.empty()) return trait_type::string;
    for (std::size_t i = 0; i < trait_type_names.size(); ++i) {
        if (trait_type_names[i] == name) return static_cast<trait_type>(i);
    }
    return std::nullopt;
}

/// One condition of an event rule: a trait on the left, a value of a type on the right.
struct event_condition {
    std::string field; ///< as the lookup knows it, `traits.instance_id`
    comparison op = comparison::equal_to;
    std::variant<std::string, std::int64_t, double, bool, time_point> value;
};

/// Makes a condition of the text of its value. `op` is none of the bands; an integer and a number stand alone, a
/// boolean is `true` or `false` in any letters, or 1 or 0, a datetime is read by `parse_time`.
[[nodiscard]] inline result<event_condition> make_condition(std::string field, comparison op, trait_type type,
                                                            std::string_view text) {
    const auto bad = [&](errc code, const char* expected) {
        return error{code, std::move(field), "'" + std::string{text.substr(0, 64)} + "': " + expected};
    };
    if (is_band(op)) return bad(errc::invalid_argument, "expected a comparison with one value");
    event_condition made{{}, op, std::string{}};
    const auto number = [text](auto& value) {
        const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
        return read.ec == std::errc{} && read.ptr == text.data() + text.size();
    };
    switch (type) {
    case trait_type::string: made.value = std::string{text}; break;
    case trait_type::integer: {
        std::int64_t value = 0;
        if (!number(value)) return bad(errc::syntax, "expected a whole number");
        made.value = value;
        break;
    }
    case trait_type::floating: {
        double value = 0;
        if (!number(value) || value != value) return bad(errc::syntax, "expected a number");
        made.value = value;
        break;
    }
    case trait_type::boolean: {
        const auto is = [text](std::string_view word) {
            if (text.size() != word.size()) return false;
            for (std::size_t i = 0; i < word.size(); ++i) {
                if ((text[i] | 0x20) != word[i]) return false;
            }
            return true;
        };
        const bool yes = is("true") || text == "1";
        if (!yes && !is("false") && text != "0") return bad(errc::syntax, "expected true or false");
        made.value = yes;
        break;
    }
    case trait_type::datetime: {
        auto value = parse_time(text);
        if (!value) return bad(errc::syntax, "expected a time, as in 2026-11-23T21:30:00Z");
        made.value = *value;
        break;
    }
    }
    made.field = std::move(field);
    return made;
}

namespace detail {

/// Numbers compare with numbers (a boolean is 0 or 1), texts with texts, times with times; what does not compare is
/// unordered.
[[nodiscard]] constexpr std::partial_ordering compare_traits(const trait_value& left,
                                                             const trait_value& right) noexcept {
    constexpr std::size_t text = 1;
    constexpr std::size_t integer = 2;
    constexpr std::size_t boolean = 4;
    constexpr std::size_t datetime = 5;
    if (left.index() == 0 || right.index() == 0) return std::partial_ordering::unordered;
    if (left.index() == text || right.index() == text || left.index() == datetime || right.index() == datetime) {
        if (left.index() != right.index()) return std::partial_ordering::unordered;
        if (left.index() == text) return *std::get_if<text>(&left) <=> *std::get_if<text>(&right);
        return *std::get_if<datetime>(&left) <=> *std::get_if<datetime>(&right);
    }
    const auto whole = [](const trait_value& v) -> std::optional<std::int64_t> {
        if (const auto* i = std::get_if<integer>(&v)) return *i;
        if (const auto* b = std::get_if<boolean>(&v)) return *b ? 1 : 0;
        return std::nullopt;
    };
    const auto l = whole(left);
    const auto r = whole(right);
    if (l && r) return *l <=> *r;
    const double x = l ? static_cast<double>(*l) : *std::get_if<double>(&left);
    const double y = r ? static_cast<double>(*r) : *std::get_if<double>(&right);
    return x <=> y;
}

} // namespace detail

/// Whether a trait meets a condition. A trait that is not there, or is of a type that does not compare with the value,
/// is only `not_equal_to` it.
[[nodiscard]] inline bool meets(const event_condition& c, const trait_value& trait) noexcept {
    trait_value right;
    if (const auto* text = std::get_if<std::string>(&c.value)) right = std::string_view{*text};
    if (const auto* whole = std::get_if<std::int64_t>(&c.value)) right = *whole;
    if (const auto* number = std::get_if<double>(&c.value)) right = *number;
    if (const auto* truth = std::get_if<bool>(&c.value)) right = *truth;
    if (const auto* time = std::get_if<time_point>(&c.value)) right = *time;
    const std::partial_ordering order = detail::compare_traits(trait, right);
    switch (c.op) {
    case comparison::greater_than: return order > 0;
    case comparison::greater_than_or_equal: return order >= 0;
    case comparison::less_than: return order < 0;
    case comparison::less_than_or_equal: return order <= 0;
    case comparison::equal_to: return order == 0;
    case comparison::not_equal_to: return order != 0;
    case comparison::outside_band:
    case comparison::below_band:
    case comparison::above_band: break;
    }
    return false;
}

/// An alarm on events, as Aodh has it: an event of the type that meets all conditions raises it. It is never cleared by
/// events. Its evaluation does not allocate; any thread may evaluate one rule.
struct event_rule {
    std::string event_type = "*"; ///< a pattern of `glob_match`
    std::vector<event_condition> query;
    bool repeat_actions = false; ///< raised again, and notified, although it is raised already
};

/// What an event did to an alarm.
enum class event_effect : std::uint8_t {
    skipped,   ///< the alarm is raised already, and does not repeat
    unmatched, ///< the event is of another type, or a condition is not met
    raised,    ///< the alarm is raised, and notified
};

/// Compares an event with a rule.
///
///     if (evaluate(rule, state, "compute.instance.power_off.end", traits) == event_effect::raised) notify();
template <trait_lookup Lookup>
[[nodiscard]] event_effect evaluate(const event_rule& rule, alarm_state before, std::string_view event_type,
                                    const Lookup& traits) {
    if (before == alarm_state::alarm && !rule.repeat_actions) return event_effect::skipped;
    if (!glob_match(rule.event_type, event_type)) return event_effect::unmatched;
    for (const event_condition& c : rule.query) {
        if (!meets(c, traits(c.field))) return event_effect::unmatched;
    }
    return event_effect::raised;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/flap.hpp

namespace reheat::inline REHEAT_ABI {

/// Icinga 2: of the last 20 checks each that changed the state weighs 0.80 (oldest) to 1.18 (newest) of 5 %. Flapping
/// above 30 %, until at most 25 %.
struct icinga_flap {
    static constexpr std::uint32_t changes = 20;     ///< how many checks are remembered
    static constexpr std::uint32_t per_percent = 10; ///< weight units in one percent
    static constexpr std::uint32_t low = 25;         ///< percent
    static constexpr std::uint32_t high = 30;        ///< percent

    static constexpr std::uint32_t weight(std::uint32_t i) noexcept { return 40 + i; }
    static constexpr bool flaps(std::uint32_t weighed, bool before) noexcept {
        return weighed > (before ? low : high) * per_percent;
    }
};

/// Nagios Core: of the 20 pairs in the last 21 states each that differs weighs 0.75 (oldest) to 1.25 (newest) of 5 %.
/// Flapping from 30 % on, until at most 20 %. Nagios feeds it hard states and soft recoveries only.
struct nagios_flap {
    static constexpr std::uint32_t changes = 20;
    static constexpr std::uint32_t per_percent = 76; // 4 * 19: the weights' step is 0.5 / 19
    static constexpr std::uint32_t low = 20;
    static constexpr std::uint32_t high = 30;

    static constexpr std::uint32_t weight(std::uint32_t i) noexcept { return 285 + 10 * i; }
    static constexpr bool flaps(std::uint32_t weighed, bool before) noexcept {
        return weighed >= high * per_percent || (before && weighed > low * per_percent);
    }
};

/// A policy of a `flap_detector`: what each of the last `changes` checks weighs where it changed the state (0 is the
/// oldest), in integers so that a value on a threshold is on it exactly, and whether a sum of weights is flapping.
template <class P>
concept flap_policy = requires(const P& p, std::uint32_t n, bool before) {
    requires P::changes >= 1 && P::changes <= 64;
    requires P::per_percent >= 1;
    { p.weight(n) } noexcept -> std::same_as<std::uint32_t>;
    { p.flaps(n, before) } noexcept -> std::same_as<bool>;
};

/// A state whose changes can be counted, as an enumeration.
template <class S>
concept flap_state = std::equality_comparable<S> && std::is_trivially_copyable_v<S>;

/// What one check did to flapping.
enum class flap_edge : std::uint8_t { none, started, stopped };

[[nodiscard]] constexpr std::string_view to_string(flap_edge e) noexcept {
    switch (e) {
    case flap_edge::none: return "none";
    case flap_edge::started: return "started";
    case flap_edge::stopped: return "stopped";
    }
    return "unknown";
}

/// Says whether a target's state changes too often for each change to mean something. 8 bytes a target with the
/// policies above; nothing allocates. One thread at a time.
///
///     flap_detector<icinga_flap> flap;
///     if (flap.add(alarm_state::alarm) == flap_edge::started) report(flap.value());
template <flap_policy Policy, flap_state State = alarm_state>
class flap_detector {
public:
    /// `before` is the state before the first check, which counts as a change where it differs. Icinga takes Unknown
    /// (`insufficient_data`), so a first `ok` counts; Nagios takes the object's initial state.
    constexpr explicit flap_detector(State before = {}, Policy policy = {}) noexcept : policy_{policy}, last_{before} {}

    /// One check and its state, changed or not.
    constexpr flap_edge add(State now) noexcept {
        changed_ = (changed_ << 1U | (now == last_ ? 0U : 1U)) & mask;
        last_ = now;
        const bool before = flapping_;
        flapping_ = policy_.flaps(weighed(), before);
        return flapping_ == before ? flap_edge::none : flapping_ ? flap_edge::started : flap_edge::stopped;
    }

    [[nodiscard]] constexpr bool flapping() const noexcept { return flapping_; }
    /// The weighed share of changes, in percent.
    [[nodiscard]] constexpr double value() const noexcept {
        return static_cast<double>(weighed()) / static_cast<double>(Policy::per_percent);
    }

private:
    using bits = std::conditional_t<(Policy::changes > 32), std::uint64_t, std::uint32_t>;
    static constexpr bits mask = static_cast<bits>(~bits{0}) >> (8 * sizeof(bits) - Policy::changes);

    [[nodiscard]] constexpr std::uint32_t weighed() const noexcept {
        std::uint32_t total = 0;
        for (bits rest = changed_; rest != 0; rest &= rest - 1)
            total += policy_.weight(Policy::changes - 1 - static_cast<std::uint32_t>(std::countr_zero(rest)));
        return total;
    }

    bits changed_ = 0; // the newest check in the lowest bit
    [[no_unique_address]] Policy policy_;
    State last_;
    bool flapping_ = false;
};

/// Withholds notifications while a target flaps and loses none: whenever it does not flap, the last state that was
/// notified is the state that it is in. One byte a target. One thread at a time.
///
///     const flap_edge edge = flap.add(now);
///     if (gate.due(now, flap.flapping())) notify(target, now);
template <flap_state State = alarm_state>
class flap_gate {
public:
    /// `told` is the state that everybody assumes before the first notification.
    constexpr explicit flap_gate(State told = {}) noexcept : told_{told} {}

    /// Ask after each check. Whether a notification of `now` is due; it then counts as sent.
    [[nodiscard]] constexpr bool due(State now, bool flapping) noexcept {
        if (flapping || now == told_) return false;
        told_ = now;
        return true;
    }

    /// The state of the last notification.
    [[nodiscard]] constexpr State told() const noexcept { return told_; }

private:
    State told_;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/alarm_group.hpp

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
    /// Records a sample of one row. Never allocates; a sample older than the window, or no finite number, is
    /// dropped.
    virtual bool push(std::uint32_t row, time_point at, double value) noexcept = 0;
    /// Evaluates what is due at `now` and appends the transitions, in row order.
    virtual void evaluate(std::uint32_t group, time_point now, std::vector<transition>& out) = 0;
    /// What the periods up to the one of `now` hold says nothing: we were not there to hear it.
    virtual void doubt(time_point now) noexcept = 0;
    /// Forgets what one row heard before `at`, and keeps its state: from here on only what is heard later speaks, and
    /// silence says nothing for `grace`.
    virtual void forget(std::uint32_t row, time_point at, duration grace) noexcept = 0;
    /// Whether a row has heard a sample since it was watched or told to forget.
    [[nodiscard]] virtual bool has_heard(std::uint32_t row) const noexcept = 0;
    /// When something is due next.
    [[nodiscard]] virtual time_point next() const noexcept = 0;
    [[nodiscard]] virtual alarm_state state(std::uint32_t row) const noexcept = 0;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/count_range.hpp

namespace reheat::inline REHEAT_ABI::detail {

/// A comparison on whole counts from 0 to 65,535 as one subtraction and one compare: a count breaches if it lies in
/// [low, low + span], or outside of it if inverted.
struct count_range {
    std::uint32_t low = 0;
    std::uint32_t span = 0;
    std::uint32_t inverted = 0;

    [[nodiscard]] constexpr std::uint32_t breaches(std::uint32_t count) const noexcept {
        return static_cast<std::uint32_t>(count - low <= span) ^ inverted;
    }
};

/// Whether every count of `most` or more compares like `most`, so that a count may stop there.
[[nodiscard]] constexpr bool fits_counts(comparison c, double threshold, double upper, std::uint32_t most) noexcept {
    return threshold < most && (!is_band(c) || upper < most);
}

/// The counts that breach; only where `fits_counts`.
[[nodiscard]] constexpr count_range breaching_counts(comparison c, double threshold, double upper) noexcept {
    constexpr std::int64_t none = -1;
    constexpr std::int64_t top = 0xffff;
    const auto floor = [](double x) { return x < 0 ? none : static_cast<std::int64_t>(x); };
    const auto ceiling = [&](double x) {
        const std::int64_t low = floor(x);
        return low == none ? 0 : low + static_cast<std::int64_t>(static_cast<double>(low) < x);
    };
    const auto between = [](std::int64_t low, std::int64_t high, bool inside) -> count_range {
        if (high < low) return {0, UINT32_MAX, static_cast<std::uint32_t>(inside)};
        return {static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(high - low),
                static_cast<std::uint32_t>(!inside)};
    };
    switch (c) {
    case comparison::greater_than: return between(floor(threshold) + 1, top, true);
    case comparison::greater_than_or_equal: return between(ceiling(threshold), top, true);
    case comparison::less_than:
    case comparison::below_band: return between(0, ceiling(threshold) - 1, true);
    case comparison::less_than_or_equal: return between(0, floor(threshold), true);
    case comparison::equal_to: return between(ceiling(threshold), floor(threshold), true);
    case comparison::not_equal_to: return between(ceiling(threshold), floor(threshold), false);
    case comparison::outside_band: return between(ceiling(threshold), floor(upper), false);
    case comparison::above_band: return between(floor(upper) + 1, top, true);
    }
    return between(0, -1, true);
}

} // namespace reheat::inline REHEAT_ABI::detail

// file: reheat/metric/statistic_spec.hpp

namespace reheat::inline REHEAT_ABI {

/// What is made of the samples between two bounds.
enum class extended_kind : std::uint8_t {
    none,            ///< one of the five statistics
    percentile,      ///< the smallest value that so many percent of the samples do not exceed
    trimmed_mean,    ///< the average of what lies between
    trimmed_count,   ///< how many lie between
    trimmed_sum,     ///< the sum of what lies between
    winsorized_mean, ///< the average, with what lies outside moved to the nearest value inside
    percentile_rank, ///< how many percent lie between
};

/// A share of the samples, in units of 10^-10 percent: names have ten decimals.
inline constexpr std::uint64_t whole_percent = 10'000'000'000;
inline constexpr std::uint64_t hundred_percent = 100 * whole_percent;

/// A statistic of CloudWatch by its name: `Average`, `p99.9`, `tm90`, `IQM`, `TM(10%:90%)`, `PR(:300)`. Bounds are
/// either shares of the samples, or values: then the lower one is outside and the upper one inside.
struct statistic_spec {
    statistic basic = statistic::extended;
    extended_kind kind = extended_kind::none;
    bool of_values = false;                      ///< the bounds are values
    bool has_lower = false;                      ///< of values
    bool has_upper = false;                      ///< of values
    std::uint64_t lower_share = 0;               ///< of a percentile not used
    std::uint64_t upper_share = hundred_percent; ///< of a percentile its rank
    double lower_value = 0;
    double upper_value = 0;

    friend constexpr bool operator==(const statistic_spec&, const statistic_spec&) noexcept = default;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/metric/low_sample.hpp

namespace reheat::inline REHEAT_ABI {

/// From how many samples on a percentile says something: 10 / (1 - p) from the median on, 10 / p below it; 0 for every
/// other statistic, and for p0 and p100. (Amazon CloudWatch User Guide, "Percentile-based CloudWatch alarms and low
/// data samples".)
[[nodiscard]] constexpr std::uint64_t enough_samples(const statistic_spec& spec) noexcept {
    if (spec.kind != extended_kind::percentile) return 0;
    const std::uint64_t above = hundred_percent - spec.upper_share;
    const std::uint64_t tail = spec.upper_share < above ? spec.upper_share : above;
    if (tail == 0) return 0;
    return (10 * hundred_percent + tail - 1) / tail;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/fleet.hpp

namespace reheat::inline REHEAT_ABI {

/// A sample on its way to a fleet.
struct beat {
    row_handle to;
    time_point at;
    double value = heartbeat;
};

/// All targets that are watched with one rule. A row is the alarm's state and its window side by side, and the whole
/// group has one deadline: periods are aligned. A count of up to 15 buckets is one cache line a target; any other rule
/// has the newest bucket there and the older ones in a ring. Nothing allocates but `watch`, `reserve` and the
/// caller's vector of transitions. One thread at a time.
///
///     fleet<decltype(rule)> all{rule};
///     const row_handle db = all.watch(target, now);
///     all.push(db, now, heartbeat);
///     all.evaluate(0, now, transitions);
template <alarm_rule Rule>
class fleet final : public alarm_group {
public:
    using statistic_type = typename Rule::statistic_type;
    using accumulator = typename statistic_type::accumulator;

    /// `rule` is one that `validate` accepts; `phase` is where periods begin, as an offset below the period, 0 for
    /// `alignment::grid`.
    explicit fleet(const Rule& rule, duration phase = {}) noexcept
        : rule_{rule}, phase_{phase},
          grid_{(rule.of.step == duration::zero() ? rule.of.period : rule.of.step).count(), phase.count()},
          stride_{static_cast<std::uint32_t>(rule.of.period.count() / grid_.length)},
          ring_{(std::uint32_t{rule.evaluation_periods} + rule.look_back) * stride_},
          ahead_{ring_ + static_cast<std::uint32_t>(most_ahead.count() / grid_.length)},
          raising_{rule.datapoints_to_alarm == 0 ? std::uint32_t{rule.evaluation_periods} : rule.datapoints_to_alarm},
          narrow_{counts_only && rule.of.statistic.kind() == statistic::sample_count && ring_ < cells::narrow_slots &&
                  detail::fits_counts(rule.compare.kind(), rule.threshold, rule.upper_threshold, cells::narrow_most)},
          quick_{stride_ == 1 && rule.look_back == 0 && !rule.premature && rule.raise == agreement::m_of_n &&
                 rule.low_samples == low_sample_option::evaluate && rule.actions == repetition::on_transition &&
                 rule.pending_period == duration::zero() && rule.recovery_period == duration::zero()} {
        if (narrow_) counts_ = detail::breaching_counts(rule.compare.kind(), rule.threshold, rule.upper_threshold);
    }

    [[nodiscard]] const Rule& rule() const noexcept { return rule_; }
    [[nodiscard]] duration phase() const noexcept { return phase_; }
    /// How many targets there are.
    [[nodiscard]] std::size_t size() const noexcept { return rows_.size() - free_.size(); }
    /// Whether counts are kept in 16 bits, because no answer needs more.
    [[nodiscard]] bool narrow() const noexcept { return narrow_; }
    /// The memory of the rows, in bytes.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return rows_.capacity() * sizeof(row_state) + closed_.capacity() * sizeof(accumulator) +
               free_.capacity() * sizeof(std::uint32_t);
    }

    void reserve(std::size_t targets) {
        rows_.reserve(targets);
        if (!narrow_) closed_.reserve(targets * ring_);
    }

    std::uint32_t add(target_id target, time_point watched_at) override { return watch(target, watched_at).row; }

    /// Begins to watch a target, in a row that was given up if there is one. Allocates.
    row_handle watch(target_id target, time_point watched_at) {
        const std::uint32_t row = next_row();
        if (free_.empty()) {
            rows_.emplace_back();
            rows_end_ = row + 1;
            if (!narrow_) closed_.resize(rows_.size() * ring_);
        } else {
            free_.pop_back();
            const std::uint32_t generation = rows_[row].window.generation;
            rows_[row] = row_state{};
            rows_[row].window.generation = generation;
            for (accumulator& a : closed(row)) a = accumulator{};
        }
        if (next_ == never) {
            origin_ = grid_.index(watched_at) - ring_ - cells::narrow_slots;
            enter(watched_at);
        }
        row_state& r = rows_[row];
        // Long before the first watch there is no bucket before the first one.
        const std::uint32_t bucket = bucket_of(watched_at) == 0 ? 1 : bucket_of(watched_at);
        const bool whole = begin(bucket) == watched_at;
        r.target = target;
        if (!narrow_) r.window.open = accumulator{};
        r.window.newest = bucket - 1; // until the first sample
        // A period that began before its target was watched says nothing.
        r.first = whole ? bucket : bucket + 1;
        r.grace = bucket_from(after(watched_at, rule_.grace));
        r.warm = bucket_from(after(watched_at, rule_.warm_up));
        r.flags = active | enabled | (whole ? 0 : midway) | (rule_.warm_up > duration::zero() ? warming : 0);
        next_ = earlier(next_, begin(r.first + 1));
        return {row, r.window.generation};
    }

    /// The row that `watch` will use next.
    [[nodiscard]] std::uint32_t next_row() const noexcept {
        return free_.empty() ? static_cast<std::uint32_t>(rows_.size()) : free_.back();
    }

    /// Gives a row up. False if the handle's row is given up already.
    bool remove(row_handle h) {
        if (!holds(h)) return false;
        row_state& r = rows_[h.row];
        r.flags = 0;
        // A row whose generations are used up is never used again.
        if (++r.window.generation != 0) free_.push_back(h.row);
        return true;
    }

    [[nodiscard]] bool holds(row_handle h) const noexcept {
        return h.row < rows_.size() && rows_[h.row].window.generation == h.generation &&
               (rows_[h.row].flags & active) != 0;
    }

    bool push(std::uint32_t row, time_point at, double value) noexcept override {
        return row < rows_.size() && (rows_[row].flags & active) != 0 &&
               push({row, rows_[row].window.generation}, at, value);
    }
    /// Records a sample. False if it is dropped: a handle given up, a value that is no finite number, a sample older
    /// than the window or more than 2 h after the last evaluation (as CloudWatch).
    bool push(row_handle h, time_point at, double value) noexcept {
        // Read before the first branch, these stay in registers where a caller pushes in a loop.
        row_state* const rows = rows_.data();
        const std::uint32_t current = current_;
        const std::uint64_t length = counts_only ? narrow_length_ : inside_length_;
        const auto into = static_cast<std::uint64_t>(at.time_since_epoch().count()) - inside_begin_;
        if (h.row >= rows_end_) return false;
        // Inside the bucket of the last evaluation, borders aside, there is nothing to divide and mostly room already.
        if (into < length && is_finite(value)) [[likely]] {
            cells& w = rows[h.row].window;
            if constexpr (counts_only) {
                if (w.count_next(current, h.generation)) [[likely]]
                    return true;
            } else if (w.is(current, h.generation)) [[likely]] {
                rule_.of.statistic.add(w.open, value);
                return true;
            }
        }
        return take_elsewhere(h, at, value);
    }
    /// Records a value that came so many times; none is no sample.
    bool push(row_handle h, time_point at, double value, std::uint64_t weight) noexcept
        requires weighted_statistic<statistic_type>
    {
        if (!holds(h) || !is_finite(value) || weight == 0) return false;
        return take_at(rows_[h.row], at, weight, [&](accumulator& a) { rule_.of.statistic.add(a, value, weight); });
    }
    /// Records samples that somebody has reduced already. False also if one of the numbers is none, or the count is 0.
    bool push(row_handle h, time_point at, const statistic_set& set) noexcept
        requires weighted_statistic<statistic_type>
    {
        const double all = set.sum + set.minimum + set.maximum;
        const std::uint64_t count = detail::count_of(set);
        if (!holds(h) || !is_finite(all) || count == 0) return false;
        return take_at(rows_[h.row], at, count, [&](accumulator& a) { rule_.of.statistic.add_set(a, set); });
    }
    /// Many samples, recorded one by one. Memory is asked for ahead, so that a random row costs little more than its
    /// cache line, and the wait for it is the caller's time for other work. Views the samples and the fleet.
    class feed {
    public:
        feed() = default;
        feed(fleet& to, std::span<const beat> beats) noexcept
            : to_{&to}, next_{beats.data()}, asked_{next_}, end_{next_ + beats.size()} {
            while (asked_ != end_ && asked_ != next_ + ahead) ask();
        }
        /// Records the next one. False if there is none.
        bool next() noexcept {
            if (next_ == end_) return false;
            if (asked_ != end_) ask();
            taken_ += to_->push(next_->to, next_->at, next_->value) ? 1U : 0U;
            ++next_;
            return true;
        }
        /// How many were recorded and not dropped.
        [[nodiscard]] std::size_t taken() const noexcept { return taken_; }

    private:
        static constexpr std::ptrdiff_t ahead = 20;
        static constexpr std::ptrdiff_t beats_ahead = 64; ///< beats that another thread wrote lie in its cache

        void ask() noexcept {
            if (end_ - asked_ > beats_ahead) detail::prefetch_for_read(asked_ + beats_ahead);
            if (asked_->to.row < to_->rows_end_) detail::prefetch_for_write(to_->rows_.data() + asked_->to.row);
            ++asked_;
        }

        fleet* to_ = nullptr;
        const beat* next_ = nullptr;
        const beat* asked_ = nullptr;
        const beat* end_ = nullptr;
        std::size_t taken_ = 0;
    };

    /// Records many, as a `feed`; returns how many were not dropped.
    std::size_t push(std::span<const beat> beats) noexcept {
        feed all{*this, beats};
        while (all.next()) {
        }
        return all.taken();
    }

    void evaluate(std::uint32_t group, time_point now, std::vector<transition>& out) override {
        if (now < next_) return;
        enter(now);
        evaluate_all(group, out);
        next_ = rows_.empty() ? never : begin(current_ + 1);
    }

    void doubt(time_point now) noexcept override {
        if (rows_.empty()) return;
        const std::uint32_t bucket = bucket_of(now);
        blind_ = begin(bucket) == now ? bucket : bucket + 1;
    }

    void forget(std::uint32_t row, time_point at, duration grace) noexcept override {
        if (row >= rows_.size() || (rows_[row].flags & active) == 0) return;
        row_state& r = rows_[row];
        const std::uint32_t bucket = bucket_of(at);
        r.window.clear();
        r.window.deaf_until = at.time_since_epoch();
        for (accumulator& a : closed(row)) a = accumulator{};
        r.first = bucket;
        r.held = not_held;
        r.grace = bucket_from(after(at, grace));
        r.flags = static_cast<std::uint8_t>((r.flags & ~(heard | midway | partial)) | deaf |
                                            (begin(bucket) == at ? 0 : partial));
    }
    [[nodiscard]] bool has_heard(std::uint32_t row) const noexcept override {
        return row < rows_.size() && hears(rows_[row]);
    }

    [[nodiscard]] time_point next() const noexcept override { return next_; }
    [[nodiscard]] alarm_state state(std::uint32_t row) const noexcept override {
        return row < rows_.size() ? rows_[row].state : alarm_state::insufficient_data;
    }

    /// Sets a state by hand. The next evaluation returns to the one that the samples say. False if the row is given up.
    bool set_state(std::uint32_t group, row_handle h, alarm_state to, time_point now, std::vector<transition>& out) {
        if (!holds(h)) return false;
        if (rows_[h.row].state != to) change(group, h.row, {to, decided_by::hand}, now, {}, {}, out);
        return true;
    }
    /// Whether the transitions of a row ask for action (`transition::act`). They come either way.
    bool enable_actions(row_handle h, bool on) noexcept {
        if (!holds(h)) return false;
        std::uint8_t& flags = rows_[h.row].flags;
        flags = on ? flags | enabled : flags & static_cast<std::uint8_t>(~enabled);
        return true;
    }

private:
    using cells = detail::window_cells<statistic_type>;
    static constexpr bool counts_only =
        plain_comparison<typename Rule::comparison_type> &&
        (std::same_as<statistic_type, sample_count> || std::same_as<statistic_type, any_statistic>);

    static constexpr std::uint8_t active = 1;
    static constexpr std::uint8_t heard = 2; ///< since the watch began; noted by an evaluation, from the newest bucket
    static constexpr std::uint8_t enabled = 4;
    static constexpr std::uint8_t warming = 8;
    static constexpr std::uint8_t midway = 16;  ///< watched since the middle of the bucket before the first whole one
    static constexpr std::uint8_t partial = 32; ///< was told to forget in the middle of the first bucket
    static constexpr std::uint8_t deaf = 64;    ///< has heard nothing since it was told to forget
    static constexpr std::uint32_t not_held = 0;
    /// Neither NaN nor infinite: sums of infinities would be no number.
    [[nodiscard]] static bool is_finite(double value) noexcept { return value - value == 0; }

    static constexpr duration most_ahead = std::chrono::hours{2};

    struct alignas(64) row_state {
        cells window;
        target_id target = no_target;
        std::uint32_t grace = 0;
        std::uint32_t warm = 0;
        std::uint32_t held = not_held; ///< since when the samples say something else than the state
        std::uint32_t first = 0;       ///< the first whole bucket since the target was watched
        std::uint16_t acted = 0;       ///< when actions were asked for last; its low bits
        alarm_state state = alarm_state::insufficient_data;
        std::uint8_t flags = 0;
    };
    static_assert(sizeof(accumulator) > 32 || sizeof(row_state) == 64);

    /// What a period came to.
    struct datapoint {
        bool there;
        bool few; ///< samples for a percentile to say something
        bool saturated;
        double value;
    };

    [[nodiscard]] std::span<accumulator> closed(std::uint32_t row) noexcept {
        return narrow_ ? std::span<accumulator>{}
                       : std::span<accumulator>{closed_}.subspan(std::size_t{row} * ring_, ring_);
    }

    /// Buckets are counted in 32 bits from a little before the first watch; what is outside falls on the ends.
    [[nodiscard]] std::uint32_t bucket_at(std::int64_t index) const noexcept {
        const std::int64_t bucket = index - origin_;
        if (index < origin_ || bucket < 0) return 0;
        return bucket < last_bucket ? static_cast<std::uint32_t>(bucket) : last_bucket;
    }
    [[nodiscard]] std::uint32_t bucket_of(time_point at) const noexcept { return bucket_at(grid_.index(at)); }
    /// The first bucket that begins at `at` or later.
    [[nodiscard]] std::uint32_t bucket_from(time_point at) const noexcept {
        const std::uint32_t bucket = bucket_of(at);
        return begin(bucket) == at ? bucket : bucket + 1;
    }
    [[nodiscard]] time_point begin(std::uint32_t bucket) const noexcept { return grid_.begin(origin_ + bucket); }

    void enter(time_point now) noexcept {
        current_ = bucket_of(now);
        inside_begin_ = static_cast<std::uint64_t>(begin(current_).time_since_epoch().count()) + 1;
        inside_length_ = static_cast<std::uint64_t>(grid_.length - 1);
        narrow_length_ = narrow_ ? inside_length_ : 0;
    }

    /// Whether a row has heard a sample since its watch began, or since it was told to forget.
    [[nodiscard]] static bool hears(const row_state& r) noexcept {
        return (r.flags & heard) != 0 || r.window.newest + ((r.flags & midway) != 0 ? 1U : 0U) >= r.first;
    }

    /// Adds to a bucket: so many samples to a narrow count, or what `add(accumulator&)` adds.
    template <class Add>
    bool take(row_state& r, std::uint32_t bucket, std::uint64_t weight, const Add& add) noexcept {
        if (narrow_) return r.window.add_narrow(bucket, weight);
        accumulator* const a = r.window.find(bucket, closed(static_cast<std::uint32_t>(&r - rows_.data())));
        if (a == nullptr) return false;
        add(*a);
        return true;
    }
    template <class Add>
    bool take_at(row_state& r, time_point at, std::uint64_t weight, const Add& add) noexcept {
        if ((r.flags & deaf) != 0) [[unlikely]] {
            if (at.time_since_epoch() < r.window.deaf_until || bucket_of(at) > current_ + ahead_) return false;
            r.window.clear();
            r.flags &= static_cast<std::uint8_t>(~deaf);
        }
        const auto into = static_cast<std::uint64_t>(at.time_since_epoch().count()) - inside_begin_;
        if (into < inside_length_) return take(r, current_, weight, add);
        const std::uint32_t bucket = bucket_of(at);
        if (bucket > current_ + ahead_ || !take(r, bucket, weight, add)) return false;
        if (rule_.of.align == alignment::watch && begin(bucket) == at) take(r, bucket - 1, weight, add);
        return true;
    }
    [[gnu::noinline, gnu::cold]] bool take_elsewhere(row_handle h, time_point at, double value) noexcept {
        row_state& r = rows_.data()[h.row];
        if (r.window.generation != h.generation || !is_finite(value)) return false;
        if constexpr (counts_only) {
            const auto into = static_cast<std::uint64_t>(at.time_since_epoch().count()) - inside_begin_;
            if (!narrow_ && into < inside_length_ && r.window.newest == current_) {
                rule_.of.statistic.add(r.window.open, value);
                return true;
            }
        }
        return take_at(r, at, 1, [this, value](accumulator& a) { rule_.of.statistic.add(a, value); });
    }

    // Evaluation: fleet_evaluate.hpp.
    void evaluate_all(std::uint32_t group, std::vector<transition>& out);
    template <std::uint32_t Periods>
    void scan(std::uint32_t group, std::vector<transition>& out);
    template <std::uint32_t Periods, bool Uniform>
    void scan_counts(std::uint32_t group, std::vector<transition>& out);
    void scan_wide(std::uint32_t group, std::vector<transition>& out);
    [[gnu::noinline]] void evaluate_row(std::uint32_t group, std::uint32_t row, std::vector<transition>& out);
    [[nodiscard]] bool plain(const row_state& r, std::uint32_t oldest) const noexcept;
    [[nodiscard]] decision_of_state decide(const evaluation& e, std::uint32_t n, bool newest_breaches,
                                           alarm_state before) const noexcept;
    void hold(row_state& r, decision_of_state& to) const noexcept;
    [[nodiscard]] bool reminds(const row_state& r) const noexcept;
    void change(std::uint32_t group, std::uint32_t row, decision_of_state to, time_point at, const datapoint& newest,
                const evaluation& e, std::vector<transition>& out);
    [[nodiscard]] bool has_value(const accumulator& a) const noexcept;
    [[nodiscard]] datapoint period(std::uint32_t row, std::uint32_t bucket) noexcept;
    [[nodiscard]] bool may_stay_open() const noexcept;
    [[nodiscard]] bool hears_enough() const noexcept;
    [[nodiscard]] std::uint32_t empty_breaches() const noexcept;

    [[nodiscard]] bool zero_when_empty() const noexcept {
        const statistic kind = rule_.of.statistic.kind();
        return rule_.empty == empty_period::counts_zero && (kind == statistic::sample_count || kind == statistic::sum);
    }

    static constexpr std::uint32_t last_bucket = 0xffff'0000U;

    Rule rule_;
    duration phase_;
    detail::period_grid grid_;
    std::uint32_t stride_; ///< buckets in a period
    std::uint32_t ring_;   ///< buckets behind the newest that an evaluation may read
    std::uint32_t ahead_;  ///< buckets beyond the last evaluation's that a sample may lie in
    std::uint32_t raising_;
    bool narrow_;
    bool quick_;
    detail::count_range counts_{};
    std::int64_t origin_ = 0;
    std::uint32_t current_ = 0;
    std::uint32_t blind_ = 0;
    std::uint64_t inside_begin_ = 0; ///< of the period of the last evaluation, without its borders
    std::uint64_t inside_length_ = 0;
    std::uint64_t narrow_length_ = 0; ///< the same where counts are narrow, else 0
    std::uint32_t rows_end_ = 0;
    time_point next_ = never;
    std::vector<row_state> rows_;
    std::vector<accumulator> closed_;
    std::vector<std::uint32_t> free_;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/fleet_evaluate.hpp

// How a fleet evaluates: definitions of members of `fleet`.

namespace reheat::inline REHEAT_ABI {

template <alarm_rule Rule>
void fleet<Rule>::evaluate_all(std::uint32_t group, std::vector<transition>& out) {
    if (!quick_ || blind_ + rule_.evaluation_periods > current_) {
        for (std::uint32_t row = 0; row < rows_.size(); ++row) evaluate_row(group, row, out);
        return;
    }
    if (!narrow_) return scan_wide(group, out);
    // The usual ones are unrolled.
    switch (rule_.evaluation_periods) {
    case 1: return scan<1>(group, out);
    case 2: return scan<2>(group, out);
    case 3: return scan<3>(group, out);
    default: return scan<0>(group, out);
    }
}

/// Whether a row has nothing special: it is heard, warm, and was watched for all of the range.
template <alarm_rule Rule>
bool fleet<Rule>::plain(const row_state& r, std::uint32_t oldest) const noexcept {
    return (r.flags & (active | heard | warming)) == (active | heard) && r.first <= oldest;
}

/// Count alarms over a strict range. `Periods` is N, or 0 for any.
template <alarm_rule Rule>
template <std::uint32_t Periods>
void fleet<Rule>::scan(std::uint32_t group, std::vector<transition>& out) {
    if (!may_stay_open() && counts_.breaches(0) == empty_breaches()) scan_counts<Periods, true>(group, out);
    else scan_counts<Periods, false>(group, out);
}

/// Each row is one cache line, and nothing branches on what it holds. A row that is not plain, or whose state changes,
/// takes the long way. `Uniform`: an empty period counts as a count of 0 does.
template <alarm_rule Rule>
template <std::uint32_t Periods, bool Uniform>
void fleet<Rule>::scan_counts(std::uint32_t group, std::vector<transition>& out) {
    const std::uint32_t n = Periods != 0 ? Periods : rule_.evaluation_periods;
    const std::uint32_t oldest = current_ - n;
    // So many inside the range are as good as so many breaching.
    const detail::count_range range = counts_;
    const std::uint32_t raising = range.inverted != 0 ? n - raising_ : raising_ - 1;
    const std::uint32_t empty_inside = empty_breaches() ^ range.inverted;
    const bool may_open = !Uniform && may_stay_open();
    row_state* const rows = rows_.data();
    const auto end = static_cast<std::uint32_t>(rows_.size());
    for (std::uint32_t row = 0; row < end; ++row) {
        const row_state& r = rows[row];
        const cells& w = r.window;
        std::uint32_t inside = 0;
        std::uint32_t real = 0;
        const auto count_in = [&](std::uint32_t count) {
            const auto in = static_cast<std::uint32_t>(count - range.low <= range.span);
            if constexpr (Uniform) {
                inside += in;
            } else {
                const auto there = static_cast<std::uint32_t>(count != 0);
                real += there;
                inside += there != 0 ? in : empty_inside;
            }
        };
        // A row that was heard in the newest period has nothing stale in the range.
        const bool fresh = w.newest - (current_ - 1) <= cells::narrow_slots - n;
        if (fresh) {
            for (std::uint32_t i = 0; i < n; ++i) count_in(w.counts[(oldest + i) % cells::narrow_slots]);
        } else {
            for (std::uint32_t i = 0; i < n; ++i) count_in(w.count_narrow(oldest + i));
        }
        const bool raised = (inside > raising) != (range.inverted != 0);
        const bool kept = fresh || w.newest < current_;
        const bool open = may_open && real < n && !raised;
        if (!plain(r, oldest) || !kept || (raised ? alarm_state::alarm : alarm_state::ok) != r.state || open)
            [[unlikely]]
            evaluate_row(group, row, out);
    }
}

/// Any statistic over a strict range of single buckets.
template <alarm_rule Rule>
void fleet<Rule>::scan_wide(std::uint32_t group, std::vector<transition>& out) {
    const std::uint32_t n = rule_.evaluation_periods;
    const std::uint32_t oldest = current_ - n;
    const std::uint32_t first_slot = oldest % ring_;
    const bool zero = zero_when_empty();
    const bool zero_breaches = rule_.compare(0.0, rule_.threshold, rule_.upper_threshold);
    const auto end = static_cast<std::uint32_t>(rows_.size());
    for (std::uint32_t row = 0; row < end; ++row) {
        const row_state& r = rows_[row];
        const cells& w = r.window;
        evaluation e{n, raising_};
        if (plain(r, oldest) && w.keeps(oldest, ring_)) [[likely]] {
            const accumulator* const ring = closed_.data() + std::size_t{row} * ring_;
            std::uint32_t slot = first_slot;
            for (std::uint32_t bucket = oldest; bucket != current_; ++bucket) {
                const accumulator* a = bucket < w.newest ? ring + slot : bucket == w.newest ? &w.open : nullptr;
                slot = slot + 1 == ring_ ? 0 : slot + 1;
                const bool there = a != nullptr && has_value(*a);
                if (!there && !zero) continue;
                ++e.real;
                const bool breaches =
                    there ? rule_.compare(rule_.of.statistic.value(*a), rule_.threshold, rule_.upper_threshold)
                          : zero_breaches;
                e.breaching += breaches ? 1U : 0U;
            }
            if (reheat::evaluate(e, rule_.treat_missing, r.state).state == r.state) continue;
        }
        evaluate_row(group, row, out);
    }
}

/// Whether too few datapoints can leave it undecided.
template <alarm_rule Rule>
bool fleet<Rule>::may_stay_open() const noexcept {
    return !zero_when_empty() && rule_.treat_missing != missing_data::breaching &&
           rule_.treat_missing != missing_data::not_breaching;
}

/// Whether a count of samples that does not breach stands although more may have been lost.
template <alarm_rule Rule>
bool fleet<Rule>::hears_enough() const noexcept {
    return rule_.of.statistic.kind() == statistic::sample_count && breaches_low_only(rule_.compare.kind());
}

/// Whether a period without a sample counts as breaching, where it counts at all.
template <alarm_rule Rule>
std::uint32_t fleet<Rule>::empty_breaches() const noexcept {
    if (zero_when_empty()) return counts_.breaches(0);
    return static_cast<std::uint32_t>(rule_.treat_missing == missing_data::breaching);
}

/// The rule with all its axes, on one row.
template <alarm_rule Rule>
void fleet<Rule>::evaluate_row(std::uint32_t group, std::uint32_t row, std::vector<transition>& out) {
    row_state& r = rows_[row];
    if ((r.flags & active) == 0) return;
    if (hears(r)) r.flags |= heard;
    if (current_ < r.first + stride_) return;
    if ((r.flags & heard) == 0 && current_ < r.grace) return;

    const std::uint32_t n = rule_.evaluation_periods;
    const std::uint32_t watched = (current_ - r.first) / stride_;
    const std::uint32_t first = r.first > blind_ ? r.first : blind_;
    const std::uint32_t known = first < current_ ? (current_ - first) / stride_ : 0;
    const std::uint32_t most = n + rule_.look_back;
    evaluation e{known < n ? known : n, raising_};
    datapoint newest{false, false, false, std::numeric_limits<double>::quiet_NaN()};
    bool few = false;
    bool newest_breaches = false;
    for (std::uint32_t age = 1; age <= known && age <= most; ++age) {
        const datapoint d = period(row, current_ - age * stride_);
        if (age == 1) newest = d;
        if (!d.there) continue;
        few = few || d.few;
        const bool breaches = rule_.compare(d.value, rule_.threshold, rule_.upper_threshold);
        if (e.real == 0) newest_breaches = breaches;
        if (!e.count(age, breaches)) break;
    }
    if (known < n && hears_enough()) {
        // What was lost can only have made these counts greater.
        for (std::uint32_t age = known + 1; age <= watched && age <= n; ++age) {
            const datapoint d = period(row, current_ - age * stride_);
            if (!d.there || rule_.compare(d.value, rule_.threshold, rule_.upper_threshold)) continue;
            ++e.periods;
            e.count(age, false);
        }
    }
    if (e.periods == 0) return;
    if ((r.flags & partial) != 0) {
        // A part of a period can show that it is well, no more.
        if (watched == 1 && (!newest.there || newest_breaches)) return;
        if (watched >= n + rule_.look_back) r.flags &= static_cast<std::uint8_t>(~partial);
    }
    if ((r.flags & warming) != 0) {
        if (current_ < r.warm && (rule_.whole_warm_up || e.real < n)) return;
        r.flags &= static_cast<std::uint8_t>(~warming);
    }
    decision_of_state to = decide(e, n, newest_breaches, r.state);
    if (few && rule_.low_samples == low_sample_option::ignore) to = {r.state, decided_by::kept};
    hold(r, to);
    if (to.state != r.state || reminds(r)) change(group, row, to, begin(current_), newest, e, out);
}

/// What was not watched may have been anything: it decides nothing that it could have changed.
template <alarm_rule Rule>
decision_of_state fleet<Rule>::decide(const evaluation& e, std::uint32_t n, bool newest_breaches,
                                      alarm_state before) const noexcept {
    if (rule_.raise == agreement::unanimous) {
        evaluation whole = e;
        whole.periods = n;
        return evaluate_unanimous(whole, newest_breaches, before);
    }
    const decision_of_state to = reheat::evaluate(e, rule_.treat_missing, before, rule_.premature);
    const std::uint32_t missing = e.periods > e.real ? e.periods - e.real : 0;
    const std::uint32_t filled = rule_.treat_missing == missing_data::breaching ? e.breaching + missing : e.breaching;
    if (to.state == alarm_state::ok && filled + (n - e.periods) >= raising_) return {before, decided_by::kept};
    return to;
}

/// Pending and recovery: what the samples say counts once they have said it for long enough.
template <alarm_rule Rule>
void fleet<Rule>::hold(row_state& r, decision_of_state& to) const noexcept {
    const bool raises = to.state == alarm_state::alarm;
    if (raises == (r.state == alarm_state::alarm)) {
        r.held = not_held;
        return;
    }
    const duration wanted = raises ? rule_.pending_period : rule_.recovery_period;
    if (wanted == duration::zero()) return;
    if (r.held == not_held) r.held = current_;
    if (std::int64_t{current_ - r.held} * grid_.length >= wanted.count()) {
        r.held = not_held;
    } else {
        to = {r.state, decided_by::held};
    }
}

template <alarm_rule Rule>
bool fleet<Rule>::reminds(const row_state& r) const noexcept {
    if (r.state != alarm_state::alarm || rule_.actions == repetition::on_transition) return false;
    return rule_.actions == repetition::every_evaluation ||
           std::int64_t{static_cast<std::uint16_t>(current_ - r.acted)} * grid_.length >= rule_.resend_after.count();
}

template <alarm_rule Rule>
void fleet<Rule>::change(std::uint32_t group, std::uint32_t row, decision_of_state to, time_point at,
                         const datapoint& newest, const evaluation& e, std::vector<transition>& out) {
    row_state& r = rows_[row];
    out.push_back({static_cast<watch_id>(std::uint64_t{group} << 32U | row), r.target, r.state, to.state, at,
                   newest.value, e, to.by, (r.flags & enabled) != 0, newest.saturated});
    r.state = to.state;
    r.acted = static_cast<std::uint16_t>(current_);
}

template <alarm_rule Rule>
bool fleet<Rule>::has_value(const accumulator& a) const noexcept {
    if (rule_.of.statistic.count(a) == 0) return false;
    if constexpr (partial_statistic<statistic_type>) return rule_.of.statistic.available(a);
    else return true;
}

/// The period of `stride_` buckets that begins with this one.
template <alarm_rule Rule>
typename fleet<Rule>::datapoint fleet<Rule>::period(std::uint32_t row, std::uint32_t bucket) noexcept {
    constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
    const cells& w = rows_[row].window;
    const bool zero = zero_when_empty();
    if (narrow_) {
        std::uint32_t count = 0;
        for (std::uint32_t b = bucket; b != bucket + stride_; ++b) {
            if (w.keeps_narrow(b)) count += w.count_narrow(b);
        }
        if (count == 0 && !zero) return {false, false, false, nothing};
        return {true, false, count >= cells::narrow_most, static_cast<double>(count)};
    }
    const statistic_type& s = rule_.of.statistic;
    accumulator all{};
    for (std::uint32_t b = bucket; b != bucket + stride_; ++b) {
        if (!w.keeps(b, ring_)) continue;
        const accumulator* const a = w.at(b, closed(row));
        if (a == nullptr) continue;
        if (stride_ == 1) all = *a;
        else if constexpr (mergeable_statistic<statistic_type>) s.merge(all, *a);
    }
    if (s.count(all) == 0) return {zero, false, false, zero ? 0.0 : nothing};
    if (!has_value(all)) return {false, false, false, nothing};
    bool few = false;
    if constexpr (requires { s.spec; }) few = s.count(all) < enough_samples(s.spec);
    return {true, few, false, s.value(all)};
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/decimal.hpp

namespace reheat::inline REHEAT_ABI {

/// Appends a number as CloudWatch prints it: the fewest digits that read back as the same number, at least one of them
/// after the point, and an exponent below 0.001 and from 10,000,000 on: `21.0`, `0.0015765`, `2.0E7`. It is JSON
/// unless the number is infinite or NaN. (The Java Language Specification's `Double.toString`.)
inline void append_decimal(std::string& out, double value) {
    if (std::isnan(value)) {
        out += "NaN";
        return;
    }
    if (std::signbit(value)) out += '-';
    const double size = std::fabs(value);
    if (std::isinf(size)) {
        out += "Infinity";
        return;
    }
    std::array<char, 64> text{};
    const bool plain = size == 0 || (size >= 1e-3 && size < 1e7);
    const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    const auto written = std::to_chars(text.data(), text.data() + text.size(), size, format);
    std::string_view digits{text.data(), static_cast<std::size_t>(written.ptr - text.data())};
    const std::size_t e = digits.find('e');
    const std::string_view mantissa = digits.substr(0, e);
    out += mantissa;
    if (mantissa.find('.') == std::string_view::npos) out += ".0";
    if (plain) return;
    out += 'E';
    digits.remove_prefix(e + 1);
    if (digits.front() == '-') out += '-';
    digits.remove_prefix(1);
    while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
    out += digits;
}

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

/// Texts as one, `a; b; c`.
[[nodiscard]] inline std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
    return all;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/reason.hpp

namespace reheat::inline REHEAT_ABI {

/// The statistic of one period, as evidence for a state.
struct evidence_point {
    time_point start; ///< of the period
    double value;
    double sample_count = 0; ///< 0 if it is not known

    friend constexpr bool operator==(const evidence_point&, const evidence_point&) = default;
};

/// What an evaluation looked at, and by which rule: enough to say in words why an alarm is in its state.
struct alarm_evidence {
    alarm_state state = alarm_state::insufficient_data; ///< what it came to
    comparison compare = comparison::greater_than;
    missing_data treat_missing = missing_data::missing;
    std::uint16_t evaluation_periods = 1;  ///< N
    std::uint16_t datapoints_to_alarm = 0; ///< M; 0 if it was not given, and so is N
    std::uint16_t filled = 0;              ///< missing periods that were counted as breaching or as not breaching
    std::uint16_t received = 0;            ///< periods that had a datapoint
    std::uint16_t supporting = 0;          ///< those of them that speak for the state
    double threshold = 0;
    double upper_threshold = 0;               ///< of a band
    std::span<const evidence_point> points{}; ///< the received ones, or the newest of them; newest first
};

/// Whether a datapoint speaks for the state: in `alarm` a breaching one does, else one that does not breach.
[[nodiscard]] constexpr bool supports(const alarm_evidence& e, const evidence_point& p) noexcept {
    return any_comparison{e.compare}(p.value, e.threshold, e.upper_threshold) == (e.state == alarm_state::alarm);
}

/// The evidence with `received` and `supporting` counted from its points, where all of them are at hand.
[[nodiscard]] constexpr alarm_evidence counted(alarm_evidence e) noexcept {
    e.received = static_cast<std::uint16_t>(e.points.size());
    e.supporting = 0;
    for (const evidence_point& p : e.points) e.supporting = static_cast<std::uint16_t>(e.supporting + supports(e, p));
    return e;
}

/// The reason of an alarm that was not evaluated yet.
inline constexpr std::string_view initial_reason = "Unchecked: Initial alarm creation";

namespace detail {

/// A period's start in the middle of a reason: `08/11/22 11:25:00`.
inline void append_reason_time(std::string& out, time_point t) {
    const std::string iso = format_time(t); // YYYY-MM-DDThh:mm:ss
    const std::string_view text{iso};
    const std::size_t year = text.find('-', 1);
    const std::string_view rest = text.substr(year);
    out += rest.substr(4, 2);
    out += '/';
    out += rest.substr(1, 2);
    out += '/';
    out += text.substr(year - 2, 2);
    out += ' ';
    out += rest.substr(7, 8);
}

/// `1 datapoint`, `3 datapoints`.
inline void append_count(std::string& out, std::uint32_t count, std::string_view noun) {
    out += std::to_string(count);
    out += ' ';
    out += noun;
    if (count != 1) out += 's';
}

inline void append_missing(std::string& out, const alarm_evidence& e) {
    append_count(out, e.filled, "missing datapoint");
    out += e.filled == 1 ? " was treated as [" : " were treated as [";
    switch (e.treat_missing) {
    case missing_data::missing: out += "Missing"; break;
    case missing_data::breaching: out += "Breaching"; break;
    case missing_data::not_breaching: out += "NonBreaching"; break;
    case missing_data::ignore: out += "Ignore"; break;
    }
    out += ']';
}

/// So many points a reason lists.
inline constexpr unsigned listed_points = 5;

/// The newest of the supporting points, newest first.
inline void append_points(std::string& out, const alarm_evidence& e) {
    unsigned listed = 0;
    out += '[';
    for (const evidence_point& p : e.points) {
        if (listed == listed_points) break;
        if (!supports(e, p)) continue;
        if (listed++ != 0) out += ", ";
        append_decimal(out, p.value);
        out += " (";
        append_reason_time(out, p.start);
        out += ')';
    }
    out += ']';
}

/// A band's border, once for each point that is listed.
inline void append_border(std::string& out, const alarm_evidence& e, double border) {
    out += '[';
    for (unsigned i = 0; i < e.supporting && i < listed_points; ++i) {
        if (i != 0) out += ", ";
        append_decimal(out, border);
    }
    out += ']';
}

/// `greater than the threshold (21.0)`, or the two halves of a band, each denied where the state denies it.
inline void append_comparison(std::string& out, const alarm_evidence& e) {
    const std::string_view denied = e.state == alarm_state::alarm ? "" : "not ";
    const bool below = e.compare == comparison::outside_band || e.compare == comparison::below_band;
    const bool above = e.compare == comparison::outside_band || e.compare == comparison::above_band;
    out += denied;
    if (below) {
        out += "less than the lower thresholds ";
        append_border(out, e, e.threshold);
    }
    if (below && above) {
        out += " or ";
        out += denied;
    }
    if (above) {
        out += "greater than the upper thresholds ";
        append_border(out, e, e.upper_threshold);
    }
    if (below || above) return;
    switch (e.compare) {
    case comparison::greater_than: out += "greater than"; break;
    case comparison::greater_than_or_equal: out += "greater than or equal to"; break;
    case comparison::less_than: out += "less than"; break;
    case comparison::less_than_or_equal: out += "less than or equal to"; break;
    case comparison::equal_to: out += "equal to"; break;
    default: out += "different from"; break;
    }
    out += " the threshold (";
    append_decimal(out, e.threshold);
    out += ')';
}

} // namespace detail

/// Why an alarm is in its state, as CloudWatch words it: which datapoints speak for it, what they were compared with,
/// how many missing ones were counted as what, and how many a transition takes where M was given. Up to four datapoints
/// are listed in the sentence; of more the newest five in a sentence of their own. (The wording is that of recorded
/// answers; for five and more datapoints that do not breach none was found, and it is that of the breaching ones.)
[[nodiscard]] inline std::string reason_text(const alarm_evidence& e) {
    const bool raised = e.state == alarm_state::alarm;
    std::string out;
    if (e.state == alarm_state::insufficient_data) {
        out += "Insufficient Data: ";
        detail::append_count(out, e.evaluation_periods, "datapoint");
        out += e.evaluation_periods == 1 ? " was unknown." : " were unknown.";
        return out;
    }
    out += is_band(e.compare) ? "Thresholds Crossed: " : "Threshold Crossed: ";
    if (e.supporting == 0) {
        if (e.received == 0) {
            out += "no datapoints";
        } else {
            detail::append_count(out, e.received, "datapoint");
        }
        out += e.received == 1 ? " was received for " : " were received for ";
        detail::append_count(out, e.evaluation_periods, "period");
        if (e.filled != 0) {
            out += " and ";
            detail::append_missing(out, e);
        }
        out += '.';
        return out;
    }
    const bool in_sentence = e.supporting < detail::listed_points || is_band(e.compare);
    if (e.datapoints_to_alarm == 0) {
        detail::append_count(out, e.supporting, "datapoint");
    } else {
        out +=
            std::to_string(e.supporting) + " out of the last " + std::to_string(e.evaluation_periods) + " datapoints";
    }
    out += ' ';
    if (in_sentence) {
        detail::append_points(out, e);
        out += ' ';
    }
    out += e.supporting == 1 ? "was " : "were ";
    detail::append_comparison(out, e);
    if (e.filled != 0) {
        out += " and ";
        detail::append_missing(out, e);
    }
    if (!in_sentence) {
        out += raised ? ". The most recent datapoints which crossed the threshold: "
                      : ". The most recent datapoints which did not cross the threshold: ";
        detail::append_points(out, e);
    }
    if (e.datapoints_to_alarm != 0) {
        const unsigned to_clear = e.evaluation_periods - e.datapoints_to_alarm + 1U;
        out += " (minimum ";
        detail::append_count(out, raised ? e.datapoints_to_alarm : to_clear, "datapoint");
        out += raised ? " for OK -> ALARM transition)" : " for ALARM -> OK transition)";
    }
    out += '.';
    return out;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/history.hpp

namespace reheat::inline REHEAT_ABI {

/// An alarm's state and when it was written. CloudWatch tells two times apart: any write of the state, the same one
/// included, and a change of it.
struct alarm_record {
    alarm_state state = alarm_state::insufficient_data;
    time_point state_updated_at{};
    time_point state_transitioned_at{};
    time_point configuration_updated_at{};

    /// A new alarm.
    [[nodiscard]] static constexpr alarm_record created(time_point now) noexcept {
        return {alarm_state::insufficient_data, now, now, now};
    }
    /// Writes a state; true if it changed.
    constexpr bool write(alarm_state to, time_point now) noexcept {
        const bool changed = to != state;
        state = to;
        state_updated_at = now;
        if (changed) state_transitioned_at = now;
        return changed;
    }
    /// A new configuration replaces the old one whole, and keeps the state.
    constexpr void configured(time_point now) noexcept { configuration_updated_at = now; }

    friend constexpr bool operator==(const alarm_record&, const alarm_record&) noexcept = default;
};

/// The start of a text, in a place of fixed size.
class kept_text {
public:
    kept_text() noexcept = default;
    explicit kept_text(std::string_view text) noexcept {
        const std::string_view start = clip(text, bytes_.size());
        for (const char c : start) bytes_[size_++] = c;
    }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

private:
    std::array<char, 191> bytes_{};
    std::uint8_t size_ = 0;
};

/// Evidence in a place of fixed size: its counts, and the newest five of the points that speak for the state (of all
/// points where none does).
class kept_evidence {
public:
    kept_evidence() noexcept = default;
    explicit kept_evidence(const alarm_evidence& e) noexcept : evidence_{e} {
        evidence_.points = {};
        for (const evidence_point& p : e.points) {
            if (kept_ == points_.size()) break;
            if (e.supporting == 0 || supports(e, p)) points_[kept_++] = p;
        }
    }
    /// The evidence, pointing into this object.
    [[nodiscard]] alarm_evidence view() const noexcept {
        alarm_evidence e = evidence_;
        e.points = std::span{points_}.first(kept_);
        return e;
    }

private:
    alarm_evidence evidence_{};
    std::array<evidence_point, detail::listed_points> points_{};
    std::size_t kept_ = 0;
};

/// What became of an alarm's configuration.
enum class configuration_change : std::uint8_t { created, updated, deleted };

/// One entry of an alarm's history, without text of its own where text can be made of it. 240 bytes or less.
struct history_record {
    time_point at{};
    history_kind kind = history_kind::state_update;
    configuration_change change = configuration_change::created; ///< of a configuration update
    alarm_state from = alarm_state::insufficient_data;           ///< of a state update
    alarm_state to = alarm_state::insufficient_data;
    bool succeeded = true; ///< of an action
    /// Of a state update its evidence, or the reason that an operator gave; of an action its name.
    std::variant<std::monostate, kept_evidence, kept_text> why{};
};

/// The newest entries of one alarm's history. Its memory is taken when it is made; a new entry replaces the oldest one
/// when it is full. One thread at a time.
///
///     alarm_history history{64};
///     history.add({.at = now, .from = before, .to = after, .why = kept_evidence{evidence}});
class alarm_history {
public:
    /// CloudWatch keeps entries for two weeks.
    explicit alarm_history(std::size_t capacity, duration retention = std::chrono::days{14})
        : ring_(capacity), retention_{retention} {}

    void add(const history_record& r) noexcept {
        if (ring_.empty()) return;
        ring_[next_] = r;
        next_ = (next_ + 1) % ring_.size();
        if (size_ < ring_.size()) ++size_;
    }

    /// How many entries there are that are not older than the retention.
    [[nodiscard]] std::size_t size(time_point now) const noexcept {
        std::size_t young = 0;
        while (young < size_ && after(entry(young).at, retention_) >= now) ++young;
        return young;
    }

    /// The entry of an index below `size`, 0 for the newest one.
    [[nodiscard]] const history_record& operator[](std::size_t i) const noexcept { return entry(i); }

    /// The state update before an entry; null if it is not held any more, or there was none.
    [[nodiscard]] const history_record* state_before(std::size_t i) const noexcept {
        while (++i < size_) {
            if (entry(i).kind == history_kind::state_update) return &entry(i);
        }
        return nullptr;
    }

private:
    [[nodiscard]] const history_record& entry(std::size_t i) const noexcept {
        return ring_[(next_ + ring_.size() - 1 - i) % ring_.size()];
    }

    std::vector<history_record> ring_;
    std::size_t next_ = 0;
    std::size_t size_ = 0;
    duration retention_;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/hold.hpp

namespace reheat::inline REHEAT_ABI {

/// The state of an alarm that waits before it is raised.
enum class hold_state : std::uint8_t { inactive, pending, firing };

[[nodiscard]] constexpr std::string_view to_string(hold_state s) noexcept {
    switch (s) {
    case hold_state::inactive: return "inactive";
    case hold_state::pending: return "pending";
    case hold_state::firing: return "firing";
    }
    return "unknown";
}

/// How the state of a held alarm reads to those that know three alarm states: one that waits is not raised yet.
[[nodiscard]] constexpr alarm_state to_alarm_state(hold_state s) noexcept {
    return s == hold_state::firing ? alarm_state::alarm : alarm_state::ok;
}

/// How long a condition must hold before the alarm is raised, and how long it must be gone before the alarm is cleared:
/// Prometheus's `for` and `keep_firing_for`, CloudWatch's `PendingPeriod` and `RecoveryPeriod`.
struct hold_rule {
    duration pending{};
    duration recovery{};

    friend constexpr bool operator==(const hold_rule&, const hold_rule&) = default;
};

/// Whether the periods are what CloudWatch takes, 0 to 86,400 s in whole seconds.
[[nodiscard]] inline result<void> validate(const hold_rule& rule) {
    const auto good = [](duration d) {
        return d >= duration::zero() && d <= std::chrono::days{1} && d % std::chrono::seconds{1} == duration::zero();
    };
    if (!good(rule.pending)) return error{errc::invalid_argument, "PendingPeriod", "expected 0 to 86400 whole seconds"};
    if (!good(rule.recovery))
        return error{errc::invalid_argument, "RecoveryPeriod", "expected 0 to 86400 whole seconds"};
    return {};
}

/// What a restart needs to know of an alarm that was active before it.
struct hold_outage {
    time_point active_at;   ///< since when it was active, as it was last stored
    time_point up_until;    ///< when it was stored last
    time_point restored_at; ///< now
};

/// How much of the waiting a restart keeps.
struct restore_policy {
    duration outage_tolerance = std::chrono::hours{1}; ///< after a longer outage nothing is kept
    duration grace = std::chrono::minutes{10};         ///< the least to wait after a restart
};

/// Since when an alarm counts as active after a restart, or nothing if what was before does not count: the outage was
/// too long, or the rule waits no longer than the grace period anyhow. The outage itself is not counted as waiting.
/// (Prometheus, `Group.RestoreForState`.)
[[nodiscard]] constexpr std::optional<time_point> restored_active_at(const hold_outage& outage, const hold_rule& rule,
                                                                     const restore_policy& policy = {}) noexcept {
    const duration down = outage.restored_at - outage.up_until;
    if (rule.pending < policy.grace || down > policy.outage_tolerance) return std::nullopt;
    const duration remaining = rule.pending - (outage.up_until - outage.active_at);
    if (remaining <= duration::zero()) return outage.active_at; // it was firing
    if (remaining < policy.grace) return outage.restored_at + policy.grace - rule.pending;
    return outage.active_at + down;
}

/// One alarm that waits before it is raised and before it is cleared. One evaluation without the condition ends the
/// waiting; while it is raised the condition may be gone for less than the recovery period. A rule may be changed at
/// any evaluation. 40 bytes, no allocation; one thread at a time.
///
///     if (held.evaluate(cpu > 90, now, {.pending = 5min}) == hold_state::firing && held.resend_due(now)) page();
class held_alarm {
public:
    /// The state after an evaluation at `now`, which does not go back.
    hold_state evaluate(bool active, time_point now, const hold_rule& rule) noexcept {
        if (!active) {
            if (state_ == hold_state::inactive) return state_;
            if (state_ == hold_state::firing && recovery_since_ == never) recovery_since_ = now;
            if (state_ == hold_state::pending || now - recovery_since_ >= rule.recovery) {
                resolved_at_ = state_ == hold_state::firing ? now : never;
                state_ = hold_state::inactive;
                return state_;
            }
        } else {
            recovery_since_ = never;
            if (state_ == hold_state::inactive) {
                *this = held_alarm{};
                state_ = hold_state::pending;
                active_at_ = now;
            }
        }
        if (now - active_at_ >= rule.pending) {
            state_ = hold_state::firing;
        } else if (state_ == hold_state::firing) { // the rule waits longer than it did
            state_ = hold_state::pending;
            recovery_since_ = never;
            sent_at_ = never;
        }
        return state_;
    }

    /// After a restart and its first evaluations: counts the waiting of before it.
    void restore(const hold_outage& outage, const hold_rule& rule, const restore_policy& policy = {}) noexcept {
        if (state_ == hold_state::inactive) return;
        if (const auto since = restored_active_at(outage, rule, policy)) active_at_ = *since;
    }

    [[nodiscard]] hold_state state() const noexcept { return state_; }
    /// Since when the condition holds; `never` while it does not.
    [[nodiscard]] time_point active_at() const noexcept { return state_ == hold_state::inactive ? never : active_at_; }

    /// Whether it is to be sent: raised or cleared and not sent since, or sent longer than `delay` ago. A cleared one
    /// is repeated until `retention` is over, so that a lost message does no harm.
    [[nodiscard]] bool resend_due(time_point now, duration delay = std::chrono::minutes{1},
                                  duration retention = std::chrono::minutes{15}) const noexcept {
        if (state_ == hold_state::pending || forgotten(now, retention)) return false;
        if (sent_at_ == never) return true;
        if (resolved_at_ != never && resolved_at_ > sent_at_) return true;
        return after(sent_at_, delay) < now;
    }
    void sent(time_point now) noexcept { sent_at_ = now; }

    /// Whether nothing is left to tell of it: it never fired, or was cleared longer than `retention` ago.
    [[nodiscard]] bool forgotten(time_point now, duration retention = std::chrono::minutes{15}) const noexcept {
        return state_ == hold_state::inactive && (resolved_at_ == never || after(resolved_at_, retention) < now);
    }

private:
    time_point active_at_ = never;
    time_point recovery_since_ = never;
    time_point resolved_at_ = never;
    time_point sent_at_ = never;
    hold_state state_ = hold_state::inactive;
};

/// Whether a rule may have that many pending and firing alarms; 0 or less is no limit. If not, the caller clears all of
/// them: what is above a limit is wrong as a whole.
[[nodiscard]] inline result<void> within_limit(std::int64_t limit, std::size_t alarms) {
    if (limit <= 0 || alarms <= static_cast<std::uint64_t>(limit)) return {};
    return error{errc::limit_exceeded,
                 {},
                 "exceeded limit of " + std::to_string(limit) + " with " + std::to_string(alarms) + " alerts"};
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/elapsed.hpp

namespace reheat::inline REHEAT_ABI {

/// How long after `from` it is at `now`: zero where `now` is before `from`, held at the longest duration there is.
[[nodiscard]] constexpr duration elapsed(time_point from, time_point now) noexcept {
    if (now <= from) return duration::zero();
    const std::uint64_t ns = static_cast<std::uint64_t>(now.time_since_epoch().count()) -
                             static_cast<std::uint64_t>(from.time_since_epoch().count());
    return ns > INT64_MAX ? (duration::max)() : duration{static_cast<std::int64_t>(ns)};
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/lifeguard.hpp

// Lifeguard (Dadgar, Phillips, Currey: "Lifeguard: local health awareness for more accurate failure detection", 2017),
// with the numbers of HashiCorp's memberlist: an observer that may be ill itself waits longer before it accuses others.

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// `d * by` for a `by` not below zero, held at the ends of the type.
[[nodiscard]] constexpr duration scaled(duration d, std::int64_t by) noexcept {
    if (by == 0) return duration::zero();
    if (d > (duration::max)() / by) return (duration::max)();
    if (d < (duration::min)() / by) return (duration::min)();
    return d * by;
}

} // namespace detail

/// How long a suspicion lasts: `longest` while nobody else confirms it, `shortest` once `k` others did.
struct suspicion_limits {
    std::uint32_t k = 0;
    duration shortest{};
    duration longest{};

    friend constexpr bool operator==(const suspicion_limits&, const suspicion_limits&) = default;
};

/// How long a suspicion with so many confirmations lasts in all: longest - ln(c + 1) / ln(k + 1) * (longest -
/// shortest), cut to a millisecond and at least `shortest`, which it also is where `k` is 0.
[[nodiscard]] inline duration suspicion_timeout(std::uint32_t confirmations, const suspicion_limits& limits) noexcept {
    if (confirmations >= limits.k) return limits.shortest;
    const double share = std::log1p(confirmations) / std::log1p(limits.k);
    const double saved = share * static_cast<double>((limits.longest - limits.shortest).count());
    const duration all =
        std::chrono::floor<std::chrono::milliseconds>(limits.longest - duration{static_cast<std::int64_t>(saved)});
    return all < limits.shortest ? limits.shortest : all;
}

/// What a group's limits are made of.
struct lifeguard_profile {
    std::uint32_t suspicion_mult = 4;
    std::uint32_t suspicion_max_mult = 6;
    duration probe_interval = std::chrono::seconds{1};

    /// The limits in a group of so many members, the observer and the suspect among them. `k` is suspicion_mult - 2, or
    /// 0 where the others are fewer; `shortest` grows with the group's size, suspicion_mult * max(1, log10(members)) *
    /// probe_interval with the logarithm cut to thousandths; `longest` is suspicion_max_mult times that.
    [[nodiscard]] suspicion_limits limits(std::uint32_t members) const noexcept {
        const std::uint32_t others = members < 2 ? 0 : members - 2;
        const std::uint32_t k = suspicion_mult < 2 ? 0 : suspicion_mult - 2;
        const auto thousandths = members <= 10 ? 1'000 : static_cast<std::int64_t>(std::log10(members) * 1'000);
        const duration shortest = detail::scaled(probe_interval, suspicion_mult * thousandths) / 1'000;
        return {others < k ? 0 : k, shortest, detail::scaled(shortest, suspicion_max_mult)};
    }

    friend constexpr bool operator==(const lifeguard_profile&, const lifeguard_profile&) = default;
};

inline constexpr lifeguard_profile lifeguard_lan{};
inline constexpr lifeguard_profile lifeguard_wan{6, 6, std::chrono::seconds{5}};
inline constexpr lifeguard_profile lifeguard_local{3, 6, std::chrono::seconds{1}};

/// One suspicion: from the moment one observer accuses a target, its time shrinks with each other observer that says
/// the same. Held only while a target is suspected; 112 bytes with the default capacity, nothing allocates. One thread
/// at a time.
///
///     suspicion_timer<> timer{lifeguard_lan.limits(50), my_id, now};
///     timer.confirm(other_id);
///     wait_until(timer.deadline());
template <std::size_t MaxConfirmations = 8>
class suspicion_timer {
public:
    /// `accuser` is who suspects first; `k` is held at `MaxConfirmations`.
    constexpr suspicion_timer(const suspicion_limits& limits, std::uint64_t accuser, time_point since) noexcept
        : limits_{limits}, accuser_{accuser}, since_{since} {
        if (limits_.k > MaxConfirmations) limits_.k = MaxConfirmations;
    }

    /// Somebody suspects the target too. Whether that counted: the accuser himself, anyone a second time, and more than
    /// `k` do not.
    constexpr bool confirm(std::uint64_t from) noexcept {
        if (confirmations_ == limits_.k || from == accuser_) return false;
        for (std::uint32_t i = 0; i < confirmations_; ++i) {
            if (confirmers_[i] == from) return false;
        }
        confirmers_[confirmations_++] = from;
        return true;
    }

    [[nodiscard]] constexpr std::uint32_t confirmations() const noexcept { return confirmations_; }
    [[nodiscard]] duration timeout() const noexcept { return suspicion_timeout(confirmations_, limits_); }
    /// When the suspicion becomes a verdict.
    [[nodiscard]] time_point deadline() const noexcept { return after(since_, timeout()); }
    /// The time left; not above zero once it is over.
    [[nodiscard]] duration remaining(time_point now) const noexcept { return timeout() - elapsed(since_, now); }

private:
    suspicion_limits limits_;
    std::uint64_t accuser_;
    time_point since_;
    std::uint32_t confirmations_ = 0;
    std::array<std::uint64_t, MaxConfirmations> confirmers_{};
};

/// How ill the observer himself seems, from 0 (well) to `worst()`: raised by probes that he failed to make or to hear,
/// lowered by those that worked. It stretches his timeouts. One for each observer, 8 bytes. One thread at a time.
class local_awareness {
public:
    /// `levels` is the number of scores, held at 1 or more: the worst is one less.
    constexpr explicit local_awareness(std::int32_t levels = 8) noexcept : worst_{levels < 1 ? 0 : levels - 1} {}

    /// Moves the score, held at 0 to `worst()`; the new one.
    constexpr std::int32_t apply_delta(std::int32_t delta) noexcept {
        const std::int64_t moved = std::int64_t{score_} + delta;
        score_ = moved < 0 ? 0 : moved > worst_ ? worst_ : static_cast<std::int32_t>(moved);
        return score_;
    }

    [[nodiscard]] constexpr std::int32_t score() const noexcept { return score_; }
    [[nodiscard]] constexpr std::int32_t worst() const noexcept { return worst_; }
    /// `timeout` times (score + 1), held at the longest duration there is.
    [[nodiscard]] constexpr duration scale(duration timeout) const noexcept {
        return detail::scaled(timeout, std::int64_t{score_} + 1);
    }

private:
    std::int32_t worst_;
    std::int32_t score_ = 0;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/lint.hpp

namespace reheat::inline REHEAT_ABI {

/// What `lint` finds wrong with an alarm's rule although its numbers are valid.
enum class alarm_finding : std::uint8_t {
    none,
    silent_on_silence, ///< fewer samples should raise it, but with no sample at all there is nothing to compare
};

[[nodiscard]] constexpr std::string_view to_string(alarm_finding f) noexcept {
    return f == alarm_finding::silent_on_silence ? "silent_on_silence" : "none";
}

/// Whether a rule is meant to find silence: a count of 0 breaches it.
template <alarm_rule Rule>
[[nodiscard]] constexpr bool seeks_silence(const Rule& rule) noexcept {
    return rule.of.statistic.kind() == statistic::sample_count && rule.compare(0, rule.threshold, rule.upper_threshold);
}

/// Checks an alarm's rule; a constant one at compile time. A rule that a count of 0 would breach (`SampleCount < 1`) is
/// meant to find silence. If an empty period neither counts 0 nor breaches, total silence never raises it.
///
///     static_assert(lint(heartbeat_alarm{}.rule()) == alarm_finding::none);
template <alarm_rule Rule>
[[nodiscard]] constexpr alarm_finding lint(const Rule& rule) noexcept {
    const bool hears_silence = rule.empty == empty_period::counts_zero ||
                               (rule.treat_missing == missing_data::breaching && rule.raise == agreement::m_of_n);
    return seeks_silence(rule) && !hears_silence ? alarm_finding::silent_on_silence : alarm_finding::none;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/named_fleet.hpp

namespace reheat::inline REHEAT_ABI {

/// A fleet whose targets have names: for a program that has no engine, and for transports that carry names. Samples go
/// by handle, which is faster, or by name. Nothing allocates but `watch`, `remove` and `reserve`. One thread at a time.
///
///     named_fleet hosts{heartbeat_alarm{}.rule()};
///     const auto db = hosts.watch("db-1", now);
///     hosts.push("db-1", now, heartbeat);
///     hosts.rows().evaluate(0, now, transitions); // hosts.name(t) names the target of a transition
template <alarm_rule Rule>
class named_fleet {
public:
    explicit named_fleet(const Rule& rule, duration phase = {}) noexcept : rows_{rule, phase} {}

    /// Begins to watch a target; its `target_id` is its row. Refused: an empty name, one longer than 255 characters,
    /// one that is watched already.
    result<row_handle> watch(std::string_view name, time_point at) {
        if (name.empty() || name.size() > 255)
            return error{errc::invalid_argument, "name", "expected 1 to 255 characters"};
        if (holds(find(name))) return error{errc::already_exists, std::string{name}, "it is watched already"};
        if (text_.size() - garbage_ + name.size() > UINT32_MAX)
            return error{errc::limit_exceeded, std::string{name}, "expected at most 4 GiB of names"};
        if (garbage_ > text_.size() / 2) compact();
        const row_handle h = rows_.watch(target_id{rows_.next_row()}, at);
        if (h.row >= places_.size()) places_.resize(h.row + std::size_t{1});
        places_[h.row] = {static_cast<std::uint32_t>(text_.size()), h.generation,
                          static_cast<std::uint32_t>(name.size())};
        text_ += name;
        index_.add(name, h.row);
        return h;
    }

    /// Gives a target up. False if nobody is called so.
    bool remove(std::string_view name) {
        const row_handle h = find(name);
        if (!rows_.remove(h)) return false;
        index_.remove(name, h.row);
        garbage_ += name.size();
        places_[h.row].size = 0;
        return true;
    }

    /// The handle of a name; one that holds nothing if nobody is called so.
    [[nodiscard]] row_handle find(std::string_view name) const noexcept {
        const std::uint32_t row = index_.find(name, name_of{*this});
        return row == name_index::none ? row_handle{} : row_handle{row, places_[row].generation};
    }
    [[nodiscard]] bool holds(row_handle h) const noexcept { return rows_.holds(h); }

    bool push(row_handle h, time_point at, double value) noexcept { return rows_.push(h, at, value); }
    bool push(std::string_view name, time_point at, double value) noexcept { return rows_.push(find(name), at, value); }

    /// The name of a row; empty if it is given up.
    [[nodiscard]] std::string_view name(std::uint32_t row) const noexcept {
        if (row >= places_.size()) return {};
        return std::string_view{text_}.substr(places_[row].at, places_[row].size);
    }
    [[nodiscard]] std::string_view name(const transition& t) const noexcept {
        return name(static_cast<std::uint32_t>(t.target));
    }

    [[nodiscard]] fleet<Rule>& rows() noexcept { return rows_; }
    [[nodiscard]] const fleet<Rule>& rows() const noexcept { return rows_; }

    /// Makes room for so many targets with names of so many bytes in all.
    void reserve(std::size_t targets, std::size_t name_bytes) {
        rows_.reserve(targets);
        places_.reserve(targets);
        text_.reserve(name_bytes);
    }
    /// The memory of rows, names and index, in bytes.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return rows_.bytes() + places_.capacity() * sizeof(place) + text_.capacity() + index_.bytes();
    }

private:
    struct place {
        std::uint32_t at = 0;
        std::uint32_t generation = 0;
        std::uint32_t size = 0;
    };
    struct name_of {
        const named_fleet& all;
        std::string_view operator()(std::uint32_t row) const noexcept { return all.name(row); }
    };

    void compact() {
        std::string text;
        text.reserve(text_.size() - garbage_);
        for (place& p : places_) {
            const auto at = static_cast<std::uint32_t>(text.size());
            text.append(text_, p.at, p.size);
            p.at = at;
        }
        text_ = std::move(text);
        garbage_ = 0;
    }

    fleet<Rule> rows_;
    std::vector<place> places_; // by row
    std::string text_;
    std::size_t garbage_ = 0; // bytes of names that are gone
    name_index index_;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/pause_guard.hpp

namespace reheat::inline REHEAT_ABI {

/// Doubts the observer before the observed: after a gap between two of our own checks (a stopped process, a collector,
/// a suspended machine) nobody is convicted for a while, because heartbeats wait unread (Cassandra, 5 s and 5 s). One
/// for each checker, not for each target. One thread at a time.
///
///     pause_guard ours;
///     const bool may_convict = ours.check(now);
///     if (may_convict && detector.suspects(now)) convict(target);
class pause_guard {
public:
    constexpr explicit pause_guard(duration longest_gap = std::chrono::seconds{5},
                                   duration hold = std::chrono::seconds{5}) noexcept
        : longest_gap_{longest_gap}, hold_{hold} {}

    /// Notes a round of checks made at `now`; whether it may convict.
    [[nodiscard]] constexpr bool check(time_point now) noexcept {
        if (elapsed(last_, now) > longest_gap_) held_until_ = after(now, hold_);
        last_ = now;
        return now >= held_until_;
    }

    /// When convictions are allowed again; in the past where they are.
    [[nodiscard]] constexpr time_point held_until() const noexcept { return held_until_; }
    [[nodiscard]] constexpr duration longest_gap() const noexcept { return longest_gap_; }
    [[nodiscard]] constexpr duration hold() const noexcept { return hold_; }

private:
    duration longest_gap_;
    duration hold_;
    time_point last_ = never; // no gap before the first check
    time_point held_until_ = (time_point::min)();
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/preset.hpp

/// The axes of an alarm set as others have them. A preset takes a rule and changes only the axes; what the rule
/// measures, its threshold and its numbers stay. `docs/reference/alarms.md` has them as one table, and the periods of
/// silence that each needs to raise an alarm as another.
///
///     constexpr auto silent = preset::liveness(
///         alarm<window<sample_count>, less_than>{.of = {.period = 60s}, .threshold = 1, .evaluation_periods = 2});
namespace reheat::inline REHEAT_ABI::preset {

namespace detail {
/// The axes as a rule has them by itself; what it says of grace and warm-up stays.
template <alarm_rule Rule>
[[nodiscard]] constexpr Rule plain(Rule rule) noexcept {
    const Rule fresh{};
    rule.of.align = alignment::grid;
    rule.of.step = duration::zero();
    rule.look_back = fresh.look_back;
    rule.premature = fresh.premature;
    rule.raise = fresh.raise;
    rule.empty = fresh.empty;
    rule.actions = fresh.actions;
    rule.pending_period = rule.recovery_period = duration::zero();
    return rule;
}
} // namespace detail

/// Amazon CloudWatch: M of N, two periods of look-back for missing ones, the premature rule, an empty period missing
/// whatever the statistic. A period of whole minutes slides by the minute. How missing data is treated stays as given.
template <alarm_rule Rule>
[[nodiscard]] constexpr Rule cloudwatch(Rule rule) noexcept {
    constexpr duration minute = std::chrono::minutes{1};
    rule = detail::plain(rule);
    rule.look_back = 2;
    rule.premature = true;
    if (rule.of.period > minute && rule.of.period % minute == duration::zero()) rule.of.step = minute;
    return rule;
}

/// OpenStack Heat's watch rule: one period back from now, an empty one counting 0, the action at every evaluation.
/// `EvaluationPeriods` was never read. (heat/engine/watchrule.py)
template <alarm_rule Rule>
[[nodiscard]] constexpr Rule heat(Rule rule) noexcept {
    rule = detail::plain(rule);
    rule.of.align = alignment::watch;
    rule.evaluation_periods = 1;
    rule.datapoints_to_alarm = 1;
    rule.empty = empty_period::counts_zero;
    rule.treat_missing = missing_data::missing;
    rule.actions = repetition::every_evaluation;
    return rule;
}

/// OpenStack Aodh's threshold alarm: all of N raise, none clears, a mixed range keeps the state; the newest N of N + 1
/// periods.
template <alarm_rule Rule>
[[nodiscard]] constexpr Rule aodh(Rule rule) noexcept {
    rule = detail::plain(rule);
    rule.datapoints_to_alarm = rule.evaluation_periods;
    rule.look_back = 1;
    rule.raise = agreement::unanimous;
    rule.treat_missing = missing_data::missing;
    return rule;
}

/// Prometheus: one period, which must breach for `pending`; kept for `keep` once raised; sent again each minute. No
/// data resolves the alarm.
template <alarm_rule Rule>
[[nodiscard]] constexpr Rule prometheus(Rule rule, duration pending = {}, duration keep = {}) noexcept {
    rule = detail::plain(rule);
    rule.evaluation_periods = 1;
    rule.datapoints_to_alarm = 1;
    rule.treat_missing = missing_data::not_breaching;
    rule.actions = repetition::re_sent;
    rule.resend_after = std::chrono::minutes{1};
    rule.pending_period = pending;
    rule.recovery_period = keep;
    return rule;
}

/// For heartbeats: M of exactly N periods, silence breaching. Nothing behind the range delays it.
template <alarm_rule Rule>
[[nodiscard]] constexpr Rule liveness(Rule rule) noexcept {
    rule = detail::plain(rule);
    rule.empty = empty_period::counts_zero;
    rule.treat_missing = missing_data::breaching;
    return rule;
}

} // namespace reheat::inline REHEAT_ABI::preset

// file: reheat/alarm/reason_data.hpp

namespace reheat::inline REHEAT_ABI {

/// Of which metric the evidence is: what stands in reason data beside the numbers. Texts that are empty are left out.
struct reason_metric {
    std::string_view statistic; ///< `Average`, `p99` …
    std::string_view unit;
    duration period{};
};

/// Appends a time as CloudWatch's JSON has it, in quotes and cut to milliseconds: `"2026-11-23T21:30:00.000+0000"`.
inline void append_aws_time(std::string& out, time_point t) {
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(t.time_since_epoch());
    const std::string text = format_time(time_point{std::chrono::floor<std::chrono::seconds>(milliseconds)});
    const auto fraction = (milliseconds % 1'000).count();
    const auto digits = std::to_string(1'000 + (fraction < 0 ? fraction + 1'000 : fraction));
    out += '"';
    out.append(text, 0, text.size() - 1);
    out += '.';
    out.append(digits, 1);
    out += "+0000\"";
}

/// The evidence for a state as JSON, as in CloudWatch's `StateReasonData`: the newest 20 points, `recentDatapoints`
/// oldest first, `evaluatedDatapoints` newest first. At most 4,000 bytes.
[[nodiscard]] inline std::string reason_data_text(const alarm_evidence& e, const reason_metric& metric,
                                                  time_point queried_at) {
    constexpr std::size_t most = 20;
    const std::span<const evidence_point> points = e.points.first(e.points.size() < most ? e.points.size() : most);
    std::string out = R"({"version":"1.0","queryDate":)";
    append_aws_time(out, queried_at);
    if (!points.empty()) {
        out += R"(,"startDate":)";
        append_aws_time(out, points.back().start);
    }
    if (!metric.unit.empty()) {
        out += R"(,"unit":)";
        append_json_string(out, clip(metric.unit, 32));
    }
    if (!metric.statistic.empty()) {
        out += R"(,"statistic":)";
        append_json_string(out, clip(metric.statistic, 64));
    }
    out += R"(,"period":)" + std::to_string(metric.period / std::chrono::seconds{1});
    const auto each = [&out, &points](std::string_view name, const auto& value) {
        out += ",\"";
        out += name;
        out += "\":[";
        for (std::size_t i = points.size(); i-- > 0;) {
            append_decimal(out, value(points[i]));
            if (i != 0) out += ',';
        }
        out += ']';
    };
    each("recentDatapoints", [](const evidence_point& p) { return p.value; });
    const auto lower = [&e](const evidence_point&) { return e.threshold; };
    const auto upper = [&e](const evidence_point&) { return e.upper_threshold; };
    if (!is_band(e.compare)) {
        out += R"(,"threshold":)";
        append_decimal(out, e.threshold);
    } else {
        if (e.compare != comparison::above_band) each("recentLowerThresholds", lower);
        if (e.compare != comparison::below_band) each("recentUpperThresholds", upper);
    }
    out += R"(,"evaluatedDatapoints":[)";
    for (const evidence_point& p : points) {
        out += out.back() == '[' ? R"({"timestamp":)" : R"(,{"timestamp":)";
        append_aws_time(out, p.start);
        if (p.sample_count > 0) {
            out += R"(,"sampleCount":)";
            append_decimal(out, p.sample_count);
        }
        out += R"(,"value":)";
        append_decimal(out, p.value);
        out += '}';
    }
    out += "]}";
    return out;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/suppressor.hpp

namespace reheat::inline REHEAT_ABI {

/// How long a composite alarm's actions wait for its suppressor. The names are CloudWatch's; it advises 60 s for both,
/// because metric alarms are evaluated every minute.
struct suppression_periods {
    duration wait{};      ///< after a transition, for the suppressor to enter ALARM
    duration extension{}; ///< after the suppressor has left ALARM, for the composite alarm to follow
};

/// Whether the periods are inside their bounds; the error says which is not.
[[nodiscard]] inline result<void> validate(const suppression_periods& periods) {
    if (periods.wait < duration::zero()) return error{errc::invalid_argument, "wait", "expected no negative duration"};
    if (periods.extension < duration::zero())
        return error{errc::invalid_argument, "extension", "expected no negative duration"};
    return {};
}

/// The actions of a composite alarm for this state are due.
struct due_action {
    alarm_state state;
    time_point at; ///< the end of what held them back

    friend constexpr bool operator==(const due_action&, const due_action&) noexcept = default;
};

/// When a composite alarm that has a suppressor may act. Sans I/O: it is told transitions and time, and answers which
/// actions are due. One thread at a time.
///
/// A transition makes an action pending and starts the wait. While the suppressor is in ALARM nothing runs and nothing
/// is due; when it leaves ALARM (`insufficient_data` is not ALARM either) with an action pending, the extension starts.
/// Each start discards what ran before, so of several transitions the last one is acted on, for the state at the end,
/// even if it is the state that was acted on before. A transition or a suppressor that enters ALARM at the very end of
/// a period is still in time: first tell what happened at an instant, then `advance` to it. Times never go back.
/// Source: the CloudWatch user guide, "Composite alarm action suppression", with its examples.
///
///     action_suppressor gate{{.wait = 60s, .extension = 60s}};
///     gate.composite_changed(alarm_state::alarm, now);
///     if (auto due = gate.advance(now + 60s)) notify(due->state);
class action_suppressor {
public:
    constexpr explicit action_suppressor(suppression_periods periods, alarm_state suppressor = alarm_state::ok) noexcept
        : periods_{periods}, holds_{suppressor == alarm_state::alarm} {}

    /// The composite alarm has changed its state; to be told only if it has. Like each input, it returns the action
    /// that fell due before `at` and was not asked for.
    [[nodiscard]] constexpr std::optional<due_action> composite_changed(alarm_state to, time_point at) noexcept {
        const std::optional<due_action> overdue = due_before(at);
        state_ = to;
        pending_ = true;
        if (!holds_) start(timer::wait, after(at, periods_.wait));
        return overdue;
    }

    /// The suppressor has this state from now on.
    [[nodiscard]] constexpr std::optional<due_action> suppressor_changed(alarm_state to, time_point at) noexcept {
        const std::optional<due_action> overdue = due_before(at);
        const bool held = std::exchange(holds_, to == alarm_state::alarm);
        if (holds_) stop();
        else if (held && pending_) start(timer::extension, after(at, periods_.extension));
        return overdue;
    }

    /// Another alarm is the suppressor from now on. What runs is discarded, so that a pending action is due at once,
    /// unless the new suppressor is in ALARM.
    [[nodiscard]] constexpr std::optional<due_action> replace(suppression_periods periods, alarm_state suppressor,
                                                              time_point at) noexcept {
        const std::optional<due_action> overdue = due_before(at);
        periods_ = periods;
        holds_ = suppressor == alarm_state::alarm;
        stop();
        if (!holds_ && pending_) start(timer::none, at);
        return overdue;
    }

    /// The action that is due at `now`, once.
    [[nodiscard]] constexpr std::optional<due_action> advance(time_point now) noexcept {
        if (deadline_ > now || deadline_ == never) return std::nullopt;
        const due_action due{state_, deadline_};
        pending_ = false;
        stop();
        return due;
    }

    /// When `advance` wants to be called; `never` while nothing runs.
    [[nodiscard]] constexpr time_point next() const noexcept { return deadline_; }

    /// What holds a pending action back; CloudWatch's `ActionsSuppressedBy`. Nothing while no action is pending, even
    /// if the suppressor is in ALARM.
    [[nodiscard]] constexpr std::optional<suppressed_by> actions_suppressed_by() const noexcept {
        if (pending_ && holds_) return suppressed_by::alarm;
        if (runs_ == timer::wait) return suppressed_by::wait_period;
        if (runs_ == timer::extension) return suppressed_by::extension_period;
        return std::nullopt;
    }

private:
    enum class timer : std::uint8_t { none, wait, extension };

    [[nodiscard]] constexpr std::optional<due_action> due_before(time_point at) noexcept {
        return deadline_ < at ? advance(at) : std::nullopt;
    }
    constexpr void start(timer what, time_point until) noexcept {
        runs_ = what;
        deadline_ = until;
    }
    constexpr void stop() noexcept { start(timer::none, never); }

    suppression_periods periods_;
    time_point deadline_ = never;
    timer runs_ = timer::none;
    alarm_state state_ = alarm_state::insufficient_data;
    bool holds_; ///< the suppressor is in ALARM
    bool pending_ = false;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/interval_history.hpp

namespace reheat::inline REHEAT_ABI {

/// What intervals are kept in: milliseconds, up to 37 hours each, or microseconds, up to 134 seconds each.
template <class U>
concept interval_unit = std::is_same_v<U, std::chrono::milliseconds> || std::is_same_v<U, std::chrono::microseconds>;

/// The last intervals between heartbeats, with their mean and variance, exact however many have passed through: all
/// sums are integers, so nothing drifts. Four bytes an interval; all memory is allocated by the constructor. One thread
/// at a time; a moved-from history may only be assigned to or destroyed.
///
///     interval_history<> seen{1000};
///     seen.push(1010ms);
///     double milliseconds = seen.mean();
template <interval_unit Unit = std::chrono::milliseconds>
class interval_history {
public:
    using unit = Unit;

    /// The longest interval in units. With `most_intervals` of them the squared deviations still fit into 64 bits.
    static constexpr std::uint32_t longest = (1U << 27U) - 1;
    static constexpr std::uint32_t most_intervals = 4096;

    /// `window` is the number of intervals kept, held at 1 to `most_intervals`.
    explicit interval_history(std::uint32_t window)
        : slots_(window < 1                ? 1U
                 : window > most_intervals ? most_intervals
                                           : window) {}

    /// Adds an interval, rounded to a unit and held at zero to `longest`; it replaces the oldest where all are in use.
    void push(duration interval) noexcept {
        const std::uint64_t added = ticks(interval);
        const std::uint64_t oldest = slots_[next_]; // zero while it has not been used
        slots_[next_] = static_cast<std::uint32_t>(added);
        next_ = next_ + 1 == capacity() ? 0 : next_ + 1;
        if (size_ < capacity()) ++size_;
        sum_ += added - oldest;
        squares_ += added * added - oldest * oldest;
    }

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return static_cast<std::uint32_t>(slots_.size()); }

    /// In units; 0 of no intervals.
    [[nodiscard]] double mean() const noexcept {
        return size_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(size_);
    }

    /// The population's variance, in units squared; 0 of no intervals.
    [[nodiscard]] double variance() const noexcept {
        if (size_ == 0) return 0;
        // About the mean's whole part, so that no large numbers cancel; `squares_` may have wrapped, this has not.
        const std::uint64_t whole = sum_ / size_;
        const std::uint64_t about = squares_ - 2 * whole * sum_ + size_ * whole * whole;
        const double rest = static_cast<double>(sum_ % size_) / static_cast<double>(size_);
        return static_cast<double>(about) / static_cast<double>(size_) - rest * rest;
    }

private:
    [[nodiscard]] static constexpr std::uint64_t ticks(duration d) noexcept {
        constexpr duration one = Unit{1};
        if (d <= duration::zero()) return 0;
        if (d >= longest * one) return longest;
        return static_cast<std::uint64_t>((d + one / 2) / one);
    }

    std::vector<std::uint32_t> slots_;
    std::uint64_t sum_ = 0;
    std::uint64_t squares_ = 0; // modulo 2^64
    std::uint32_t next_ = 0;
    std::uint32_t size_ = 0;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/suspicion.hpp

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// Such that F = 1 / (1 + exp(-x)) is close to the normal distribution of a mean and a standard deviation.
[[nodiscard]] inline double logistic_argument(double t, double mean, double sd) noexcept {
    const double y = (t - mean) / sd;
    return y * (1.5976 + 0.070566 * y * y);
}

template <interval_unit Unit>
[[nodiscard]] constexpr double count_of(duration d) noexcept {
    return std::chrono::duration<double, typename Unit::period>{d}.count();
}

} // namespace detail

/// The chance that a heartbeat comes within `t`, where intervals have this mean and standard deviation (above zero);
/// all three in the same unit. A logistic approximation of the normal distribution, within 0.0002 of it (Akka).
[[nodiscard]] inline double normal_cdf(double t, double mean, double sd) noexcept {
    return 1 / (1 + std::exp(-detail::logistic_argument(t, mean, sd)));
}

/// phi = -log10(1 - normal_cdf(t, mean, sd)), on both sides of the mean without loss, and finite however long `t` is.
[[nodiscard]] inline double normal_phi(double t, double mean, double sd) noexcept {
    const double x = detail::logistic_argument(t, mean, sd);
    return (x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x))) / std::numbers::ln10;
}

/// phi of a silence of `t` where intervals are distributed exponentially with this mean, above zero (Cassandra).
[[nodiscard]] inline double exponential_phi(double t, double mean) noexcept { return t / mean / std::numbers::ln10; }

/// phi over a normal distribution, as Akka does it: it learns how regular the heartbeats are.
struct phi_normal {
    double threshold = 8;                                ///< suspected from this phi on
    duration min_sd = std::chrono::milliseconds{100};    ///< the standard deviation is never below it
    duration acceptable_pause = std::chrono::seconds{3}; ///< added to the mean
    duration first_estimate = std::chrono::seconds{1};   ///< the interval to expect, until two are known
    std::uint32_t window = 1'000;                        ///< intervals kept

    [[nodiscard]] bool suspects(double phi) const noexcept { return phi >= threshold; }

    template <interval_unit Unit>
    [[nodiscard]] double phi(duration silence, const interval_history<Unit>& seen) const noexcept {
        const double sd = std::sqrt(seen.variance());
        const double least = detail::count_of<Unit>(min_sd);
        return normal_phi(detail::count_of<Unit>(silence), seen.mean() + detail::count_of<Unit>(acceptable_pause),
                          sd < least ? least : sd);
    }
    /// Two intervals whose mean is the estimate, a quarter of it off on either side.
    template <interval_unit Unit>
    void seed(interval_history<Unit>& seen) const noexcept {
        seen.push(first_estimate - first_estimate / 4);
        seen.push(first_estimate + first_estimate / 4);
    }
    /// Not the interval that ended a failure: a failure must not be learnt as normal.
    [[nodiscard]] bool records(duration, double phi) const noexcept { return !suspects(phi); }
};

/// phi over an exponential distribution, as Cassandra does it: a threshold of 8 is 18.4 times the mean interval.
struct phi_exponential {
    double threshold = 8;                              ///< suspected above this phi
    duration first_estimate = std::chrono::seconds{2}; ///< the first interval, before one is known
    duration max_interval = std::chrono::seconds{2};   ///< longer ones are not recorded
    std::uint32_t window = 1'000;                      ///< intervals kept

    [[nodiscard]] bool suspects(double phi) const noexcept { return phi > threshold; }

    /// A mean below one unit counts as one unit.
    template <interval_unit Unit>
    [[nodiscard]] double phi(duration silence, const interval_history<Unit>& seen) const noexcept {
        const double mean = seen.mean();
        return exponential_phi(detail::count_of<Unit>(silence), mean < 1 ? 1 : mean);
    }
    template <interval_unit Unit>
    void seed(interval_history<Unit>& seen) const noexcept {
        seen.push(first_estimate);
    }
    [[nodiscard]] bool records(duration interval, double) const noexcept { return interval <= max_interval; }
};

/// A policy of an `accrual_detector`: what a silence is worth (phi never falls while the silence lasts), from which phi
/// on a target is suspected, what the history begins with, and which intervals it records.
template <class P>
concept suspicion_policy = requires(const P& p, interval_history<>& seen, duration d, double phi) {
    { p.window } -> std::convertible_to<std::uint32_t>;
    { p.phi(d, seen) } noexcept -> std::same_as<double>;
    { p.suspects(phi) } noexcept -> std::same_as<bool>;
    { p.records(d, phi) } noexcept -> std::same_as<bool>;
    { p.seed(seen) } noexcept;
};

/// Whether a policy's numbers are inside their bounds; the error says which is not.
[[nodiscard]] inline result<void> validate(const phi_normal& p) {
    if (!(p.threshold > 0 && p.threshold <= 1e6))
        return error{errc::invalid_argument, "threshold", "expected more than 0 and at most 1000000"};
    if (p.min_sd <= duration::zero()) return error{errc::invalid_argument, "min_sd", "expected more than 0 s"};
    if (p.acceptable_pause < duration::zero())
        return error{errc::invalid_argument, "acceptable_pause", "expected no negative duration"};
    if (p.first_estimate <= duration::zero() || p.first_estimate > std::chrono::hours{24})
        return error{errc::invalid_argument, "first_estimate", "expected more than 0 s and at most 24 h"};
    if (p.window < 2 || p.window > interval_history<>::most_intervals)
        return error{errc::invalid_argument, "window", "expected 2 to 4096"};
    return {};
}

[[nodiscard]] inline result<void> validate(const phi_exponential& p) {
    if (!(p.threshold > 0 && p.threshold <= 1e6))
        return error{errc::invalid_argument, "threshold", "expected more than 0 and at most 1000000"};
    if (p.first_estimate <= duration::zero() || p.first_estimate > std::chrono::hours{24})
        return error{errc::invalid_argument, "first_estimate", "expected more than 0 s and at most 24 h"};
    if (p.max_interval <= duration::zero())
        return error{errc::invalid_argument, "max_interval", "expected more than 0 s"};
    if (p.window < 1 || p.window > interval_history<>::most_intervals)
        return error{errc::invalid_argument, "window", "expected 1 to 4096"};
    return {};
}

/// Suspects a target by how unusual its silence is, instead of by a fixed timeout (Hayashibara et al., "The phi accrual
/// failure detector", 2004). About 100 bytes a target, and four more for each interval of the window, all allocated by
/// the constructor. One thread at a time.
///
///     accrual_detector<phi_normal> db{{.acceptable_pause = 5s, .first_estimate = 10s}};
///     db.heartbeat(now);
///     if (db.suspects(later)) report(db.phi(later));
///     else wait_until(db.suspect_at());
template <suspicion_policy Policy, interval_unit Unit = std::chrono::milliseconds>
class accrual_detector {
public:
    explicit accrual_detector(const Policy& policy = {}) : policy_{policy}, seen_{policy.window} {}

    /// A heartbeat came. One that is not later than the last is ignored: it came late, or twice.
    void heartbeat(time_point at) noexcept {
        if (!heard_) {
            policy_.seed(seen_);
        } else {
            if (at <= last_) return;
            const duration interval = elapsed(last_, at);
            if (policy_.records(interval, policy_.phi(interval, seen_))) seen_.push(interval);
        }
        heard_ = true;
        last_ = at;
    }

    /// How suspicious the silence is; 0 before the first heartbeat.
    [[nodiscard]] double phi(time_point now) const noexcept {
        return heard_ ? policy_.phi(elapsed(last_, now), seen_) : 0;
    }
    /// Never before the first heartbeat.
    [[nodiscard]] bool suspects(time_point now) const noexcept { return heard_ && policy_.suspects(phi(now)); }

    /// The first time at which the target is suspected unless a heartbeat comes; `never` before the first heartbeat. A
    /// search of 63 steps, a few microseconds: ask it when a deadline is armed.
    [[nodiscard]] time_point suspect_at() const noexcept {
        if (!heard_ || suspects(last_)) return heard_ ? last_ : never;
        duration calm{0};
        duration suspected = (duration::max)();
        while (suspected - calm > duration{1}) {
            const duration half = calm + (suspected - calm) / 2;
            (policy_.suspects(policy_.phi(half, seen_)) ? suspected : calm) = half;
        }
        return after(last_, suspected);
    }

    [[nodiscard]] const Policy& policy() const noexcept { return policy_; }
    [[nodiscard]] const interval_history<Unit>& history() const noexcept { return seen_; }

private:
    Policy policy_;
    interval_history<Unit> seen_;
    time_point last_{};
    bool heard_ = false;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/cron.hpp

namespace reheat::inline REHEAT_ABI {

/// The minutes that a cron line names, in its own time zone: bit n of a field is its value n, Sunday is 0. Made by
/// `parse_cron`, which refuses a line that names no minute at all. A value of 24 bytes; any thread may read it.
class cron_schedule {
public:
    /// The newest minute of the schedule that is not later than `at`, both counted from 1970-01-01T00:00 in the
    /// schedule's time zone and inside the years of engine time. It looks at a month at a time, and at most at eight
    /// years of months (from one 29th of February to the next); at 1601 it gives up.
    [[nodiscard]] constexpr std::optional<std::chrono::minutes> latest(std::chrono::minutes at) const noexcept {
        constexpr std::chrono::year first{1601};
        const std::chrono::days day = std::chrono::floor<std::chrono::days>(at);
        const std::chrono::year_month_day today{std::chrono::sys_days{day}};
        const auto of_day = static_cast<unsigned>((at - day).count());
        std::chrono::year_month month = today.year() / today.month();
        const auto date = static_cast<unsigned>(today.day());
        if ((days_of(month) >> date & 1U) != 0) {
            if (const auto found = latest_in_day(of_day)) return day + std::chrono::minutes{*found};
        }
        std::uint32_t left = days_of(month) & ((std::uint32_t{1} << date) - 1U);
        while (left == 0) {
            month -= std::chrono::months{1};
            if (month.year() < first) return std::nullopt;
            left = days_of(month);
        }
        const std::chrono::sys_days found{month / std::chrono::day{highest(left)}};
        return found.time_since_epoch() + std::chrono::minutes{highest(hours_) * 60 + highest(minutes_)};
    }

    friend constexpr bool operator==(const cron_schedule&, const cron_schedule&) noexcept = default;

private:
    friend result<cron_schedule> parse_cron(std::string_view text);

    static constexpr std::uint32_t every_date = 0xffff'fffeU;
    static constexpr std::uint8_t every_weekday = 0x7f;

    [[nodiscard]] static constexpr unsigned highest(std::uint64_t bits) noexcept {
        return static_cast<unsigned>(std::bit_width(bits)) - 1U;
    }

    /// The newest minute of a day that is on the schedule and not later than `of_day`.
    [[nodiscard]] constexpr std::optional<unsigned> latest_in_day(unsigned of_day) const noexcept {
        const unsigned hour = of_day / 60;
        const std::uint64_t in_hour = minutes_ & ((std::uint64_t{2} << of_day % 60) - 1U);
        if ((hours_ >> hour & 1U) != 0 && in_hour != 0) return hour * 60 + highest(in_hour);
        const std::uint32_t before = hours_ & ((std::uint32_t{1} << hour) - 1U);
        if (before == 0) return std::nullopt;
        return highest(before) * 60 + highest(minutes_);
    }

    /// The days of a month that are on the schedule. Where both the day and the weekday are restricted, either is
    /// enough.
    [[nodiscard]] constexpr std::uint32_t days_of(std::chrono::year_month month) const noexcept {
        if ((months_ >> static_cast<unsigned>(month.month()) & 1U) == 0) return 0;
        const auto last = static_cast<unsigned>((month / std::chrono::last).day());
        const auto there = static_cast<std::uint32_t>((std::uint64_t{2} << last) - 2U);
        if (weekdays_ == every_weekday) return dates_ & there;
        std::uint32_t by_weekday = 0;
        const unsigned first = std::chrono::weekday{std::chrono::sys_days{month / 1}}.c_encoding();
        for (unsigned date = 1; date <= last; ++date) {
            if ((weekdays_ >> (first + date - 1U) % 7U & 1U) != 0) by_weekday |= std::uint32_t{1} << date;
        }
        return dates_ == every_date ? by_weekday : (dates_ & there) | by_weekday;
    }

    std::uint64_t minutes_ = 0;
    std::uint32_t hours_ = 0;
    std::uint32_t dates_ = 0;
    std::uint16_t months_ = 0;
    std::uint8_t weekdays_ = 0;
};

namespace detail {

/// One of the five fields of a cron line.
struct cron_field {
    std::string_view name;
    unsigned low;
    unsigned high;
    std::span<const std::string_view> names; ///< of `low`, `low + 1` …
};

inline constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                              "jul", "aug", "sep", "oct", "nov", "dec"};
inline constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
inline constexpr std::array<cron_field, 5> cron_fields{{{"minute", 0, 59, {}},
                                                        {"hour", 0, 23, {}},
                                                        {"day", 1, 31, {}},
                                                        {"month", 1, 12, month_names},
                                                        {"weekday", 0, 7, weekday_names}}};

/// Reads the fields of a cron line one after another.
class cron_reader {
public:
    constexpr explicit cron_reader(std::string_view text) noexcept : text_{text} {}

    /// The values of the next field, a bit each.
    [[nodiscard]] result<std::uint64_t> field(const cron_field& f) {
        skip_blanks();
        std::uint64_t values = 0;
        do {
            if (auto e = item(f, values); !e) return e.error();
        } while (take(','));
        if (at_ < text_.size() && !blank()) return wrong(f, "expected a blank after the field");
        return values;
    }

    [[nodiscard]] result<void> end() {
        skip_blanks();
        if (at_ == text_.size()) return {};
        return error{errc::syntax, column(), "expected five fields: minute hour day month weekday"};
    }

private:
    [[nodiscard]] result<void> item(const cron_field& f, std::uint64_t& values) {
        unsigned low = f.low;
        unsigned high = f.high;
        const bool every = take('*');
        if (!every) {
            if (auto e = value(f, low); !e) return e;
            high = low;
            if (take('-')) {
                const std::size_t begin = at_;
                if (auto e = value(f, high); !e) return e;
                if (high == 0 && f.high == 7 && low != 0) high = 7; // FRI-SUN
                if (high < low) {
                    at_ = begin;
                    return wrong(f, "expected a range that goes up");
                }
            } else if (at_ < text_.size() && text_[at_] == '/') {
                high = f.high;
            }
        }
        unsigned step = 1;
        if (take('/')) {
            const std::size_t begin = at_;
            if (!number(step)) return wrong(f, "expected the number of a step");
            if (step == 0) {
                at_ = begin;
                return wrong(f, "expected a step of 1 or more");
            }
        }
        for (unsigned v = low; v <= high; v += step) values |= std::uint64_t{1} << v;
        return {};
    }

    [[nodiscard]] result<void> value(const cron_field& f, unsigned& v) {
        const std::size_t begin = at_;
        if (!number(v) && !name(f, v))
            return wrong(f, f.names.empty() ? "expected a number" : "expected a number or a name");
        if (v >= f.low && v <= f.high) return {};
        at_ = begin;
        return wrong(f, "expected " + std::to_string(f.low) + " to " + std::to_string(f.high));
    }

    /// A number; one of more than four digits is too large for every field.
    [[nodiscard]] constexpr bool number(unsigned& v) noexcept {
        const std::size_t begin = at_;
        unsigned found = 0;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
            if (found < 10'000) found = found * 10 + static_cast<unsigned>(text_[at_] - '0');
        }
        if (at_ == begin) return false;
        v = found;
        return true;
    }

    [[nodiscard]] constexpr bool name(const cron_field& f, unsigned& v) noexcept {
        for (std::size_t i = 0; i < f.names.size(); ++i) {
            if (!starts_with(f.names[i])) continue;
            at_ += f.names[i].size();
            v = f.low + static_cast<unsigned>(i);
            return true;
        }
        return false;
    }

    [[nodiscard]] constexpr bool starts_with(std::string_view lower) const noexcept {
        if (text_.size() - at_ < lower.size()) return false;
        for (std::size_t i = 0; i < lower.size(); ++i) {
            const char c = text_[at_ + i];
            if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != lower[i]) return false;
        }
        return true;
    }

    constexpr bool take(char c) noexcept {
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    [[nodiscard]] constexpr bool blank() const noexcept { return text_[at_] == ' ' || text_[at_] == '\t'; }
    constexpr void skip_blanks() noexcept {
        while (at_ < text_.size() && blank()) ++at_;
    }
    [[nodiscard]] std::string column() const { return std::to_string(at_ + 1); }
    [[nodiscard]] error wrong(const cron_field& f, std::string expected) const {
        return {errc::syntax, std::string{f.name} + ":" + column(), std::move(expected)};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace detail

/// Reads a cron line of five fields: minute (0-59), hour (0-23), day of the month (1-31), month (1-12 or JAN-DEC) and
/// weekday (0-7 or SUN-SAT; 0 and 7 are Sunday). A field is `*` or a list of numbers and ranges (`1,3,10-20`), each
/// with a step if need be (`*/5`, `10-20/2`, `7/15`: from 7 on). A minute is named if all fields name it; where both
/// day and weekday leave some out, one of the two is enough. The place of an error is the field and the column,
/// `hour:3`. A line that can never happen (the 31st of February) is an error as well. (crontab(5).)
///
///     auto nightly = parse_cron("0 23 * * MON-FRI");
[[nodiscard]] inline result<cron_schedule> parse_cron(std::string_view text) {
    detail::cron_reader reader{text};
    std::array<std::uint64_t, 5> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
        auto field = reader.field(detail::cron_fields[i]);
        if (!field) return std::move(field).error();
        values[i] = *field;
    }
    if (auto end = reader.end(); !end) return std::move(end).error();
    cron_schedule s;
    s.minutes_ = values[0];
    s.hours_ = static_cast<std::uint32_t>(values[1]);
    s.dates_ = static_cast<std::uint32_t>(values[2]);
    s.months_ = static_cast<std::uint16_t>(values[3]);
    s.weekdays_ = static_cast<std::uint8_t>((values[4] | values[4] >> 7U) & cron_schedule::every_weekday);
    if (!s.latest(std::chrono::sys_days{std::chrono::year{2000} / 12 / 31}.time_since_epoch()))
        return error{errc::invalid_argument, "day", "expected a day that one of the months has"};
    return s;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/time_constraint.hpp

namespace reheat::inline REHEAT_ABI {

/// A window of time in which an alarm is evaluated: it opens at each minute of a schedule and stays open for a while.
/// Both ends belong to it, to the minute: an alarm is outside only from the first whole minute after the end. The
/// newest start decides, so a window longer than the time between two starts never closes. (Aodh's time constraints;
/// there the minute before a start counts as inside too, which is not copied.)
struct time_constraint {
    cron_schedule start;
    duration length{};
    std::chrono::minutes utc_offset{}; ///< of the schedule's time zone, east is positive

    [[nodiscard]] constexpr bool inside(time_point now) const noexcept {
        const auto minute = std::chrono::floor<std::chrono::minutes>(now.time_since_epoch()) + utc_offset;
        const auto newest = start.latest(minute);
        return newest && minute - *newest <= length;
    }

    friend constexpr bool operator==(const time_constraint&, const time_constraint&) noexcept = default;
};

/// Whether an alarm is evaluated now: inside any of its windows, or without windows. Outside nothing is evaluated,
/// stored or notified.
///
///     if (inside(rule_windows, now)) evaluate(rule);
[[nodiscard]] constexpr bool inside(std::span<const time_constraint> any_of, time_point now) noexcept {
    for (const time_constraint& window : any_of) {
        if (window.inside(now)) return true;
    }
    return any_of.empty();
}

/// Reads a fixed offset from UTC: empty, `Z`, `UTC` or `GMT` (also in small letters) for none; `+02:00`, `-0530`, `+2`,
/// with or without `UTC` or `GMT` before it, east positive and at most 14 hours. The name of a place is `unsupported`:
/// its offset changes with the season, and the library has no time zone database; the caller who has one gives the
/// offset of the day.
[[nodiscard]] inline result<std::chrono::minutes> parse_utc_offset(std::string_view text) {
    const auto letter = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
    const auto take_word = [&letter](std::string_view& rest, std::string_view word) {
        if (rest.size() < word.size()) return false;
        for (std::size_t i = 0; i < word.size(); ++i) {
            if (letter(rest[i]) != word[i]) return false;
        }
        rest.remove_prefix(word.size());
        return true;
    };
    const auto bad = [text](errc code, const char* expected) {
        return error{code, "timezone", "'" + std::string{text.substr(0, 64)} + "': " + expected};
    };
    std::string_view rest = text;
    const bool utc = take_word(rest, "UTC") || take_word(rest, "GMT") || (rest.size() == 1 && take_word(rest, "Z"));
    if (rest.empty()) return std::chrono::minutes{0};
    const int sign = detail::take_sign(rest);
    if (sign == 0) {
        return utc ? bad(errc::syntax, "expected an offset as in UTC+02:00")
                   : bad(errc::unsupported,
                         "a named time zone needs a time zone database; give an offset, as in +02:00");
    }
    int hours = detail::take_digits(rest, 2);
    if (hours < 0) hours = detail::take_digits(rest, 1);
    const bool colon = detail::take(rest, ':');
    const int minutes = rest.empty() && !colon ? 0 : detail::take_digits(rest, 2);
    if (hours < 0 || minutes < 0 || !rest.empty()) return bad(errc::syntax, "expected an offset as in +02:00");
    if (minutes > 59 || hours * 60 + minutes > 14 * 60)
        return bad(errc::invalid_argument, "expected an offset of at most 14 hours");
    return std::chrono::minutes{sign * (hours * 60 + minutes)};
}

/// Makes a time constraint of its texts; `length` is 0 or more. The errors are those of `parse_cron` and
/// `parse_utc_offset`.
///
///     auto business_hours = parse_time_constraint("0 9 * * MON-FRI", 8h, "+01:00");
[[nodiscard]] inline result<time_constraint> parse_time_constraint(std::string_view start, duration length,
                                                                   std::string_view timezone) {
    auto schedule = parse_cron(start);
    if (!schedule) return std::move(schedule).error();
    auto offset = parse_utc_offset(timezone);
    if (!offset) return std::move(offset).error();
    if (length < duration::zero()) return error{errc::invalid_argument, "duration", "expected 0 s or more"};
    return time_constraint{*schedule, length, *offset};
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/alarm/unanimous.hpp

namespace reheat::inline REHEAT_ABI {

/// Aodh's threshold rule: the newest N points of one granularity must all be outside the threshold to raise, and all
/// inside to clear. Bounds as Aodh's API has them; `validate` checks them.
struct unanimous_rule {
    any_comparison compare{};
    double threshold = 0;
    std::uint16_t evaluation_periods = 1;            ///< N, 1 to 100
    duration granularity = std::chrono::seconds{60}; ///< of a point, 1 s to 365 days in whole seconds
    bool exclude_outliers = false;                   ///< first drop points made of unusually few or many samples
    bool repeat_actions = false;                     ///< notify at every evaluation

    friend constexpr bool operator==(const unanimous_rule&, const unanimous_rule&) = default;
};

/// Whether a rule's numbers are inside their bounds; the error says which is not.
[[nodiscard]] inline result<void> validate(const unanimous_rule& rule) {
    const auto wrong = [](const char* where, const char* expected) {
        return error{errc::invalid_argument, where, expected};
    };
    if (is_band(rule.compare.kind())) return wrong("comparison_operator", "expected one threshold, not a band");
    if (!std::isfinite(rule.threshold)) return wrong("threshold", "expected a finite number");
    if (rule.evaluation_periods < 1 || rule.evaluation_periods > 100)
        return wrong("evaluation_periods", "expected 1 to 100");
    if (rule.granularity < std::chrono::seconds{1} || rule.granularity > std::chrono::days{365} ||
        rule.granularity % std::chrono::seconds{1} != duration::zero())
        return wrong("granularity", "expected 1 to 31536000 whole seconds");
    return {};
}

/// The oldest time whose points an evaluation at `now` asks for: N points and one more, because the newest may not be
/// whole yet; N more where outliers are dropped. `lag` is how late points may come in (Aodh's
/// `additional_ingestion_lag`).
[[nodiscard]] constexpr time_point window_start(const unanimous_rule& rule, time_point now,
                                                duration lag = {}) noexcept {
    const int more = rule.exclude_outliers ? rule.evaluation_periods : 1;
    return now - (rule.granularity * (rule.evaluation_periods + more) + lag);
}

/// A point of a series: the value of its statistic, and of how many samples it was made.
struct measured_point {
    double value;
    double sample_count;
};

/// Drops the points whose sample count is further than two standard deviations (of all of the points) from the mean.
/// What stays moves to the front, in its order; returns how many that are.
[[nodiscard]] inline std::size_t exclude_outliers(std::span<measured_point> points) noexcept {
    const auto size = static_cast<double>(points.size());
    double mean = 0;
    for (const measured_point& p : points) mean += p.sample_count;
    mean /= size;
    double squares = 0;
    for (const measured_point& p : points) squares += (p.sample_count - mean) * (p.sample_count - mean);
    const double most = 2 * std::sqrt(squares / size);
    std::size_t kept = 0;
    for (const measured_point& p : points) {
        if (p.sample_count >= mean - most && p.sample_count <= mean + most) points[kept++] = p;
    }
    return kept;
}

/// Counts the newest N of the points of a window, newest last. What is behind them says nothing; fewer than N, or none
/// because the source failed, are insufficient data.
[[nodiscard]] constexpr decision_of_state evaluate(const unanimous_rule& rule, std::span<const double> points,
                                                   alarm_state before) noexcept {
    evaluation counted{.periods = rule.evaluation_periods, .datapoints_to_alarm = rule.evaluation_periods};
    const std::size_t newest = points.size();
    for (std::size_t age = 1; age <= newest; ++age) {
        const bool outside = rule.compare(points[newest - age], rule.threshold);
        if (!counted.count(static_cast<std::uint32_t>(age), outside)) break;
    }
    const bool newest_outside = newest != 0 && rule.compare(points.back(), rule.threshold);
    return evaluate_unanimous(counted, newest_outside, before);
}

/// Whether an evaluation notifies: a change of the state does, and with `repeat_actions` each evaluation, a mixed one
/// included.
[[nodiscard]] constexpr bool notifies(alarm_state before, alarm_state after, bool repeat_actions) noexcept {
    return before != after || repeat_actions;
}

/// The comparison that has a name in Aodh's API: `lt le eq ne ge gt`.
[[nodiscard]] constexpr std::optional<comparison> parse_operator(std::string_view name) noexcept {
    if (name == "lt") return comparison::less_than;
    if (name == "le") return comparison::less_than_or_equal;
    if (name == "eq") return comparison::equal_to;
    if (name == "ne") return comparison::not_equal_to;
    if (name == "ge") return comparison::greater_than_or_equal;
    if (name == "gt") return comparison::greater_than;
    return std::nullopt;
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
        return fill([&value](T& place) noexcept { place = std::move(value); });
    }

    /// Lets `into(T&)` write a value where it will lie, or counts the loss. What the slot held before is still in it.
    /// Any thread.
    template <class Into>
        requires std::is_nothrow_invocable_v<Into, T&>
    bool fill(Into&& into) noexcept {
        std::size_t at = head_.load(std::memory_order_relaxed);
        for (;;) {
            slot& s = slots_[at & mask_];
            const std::size_t turn = s.turn.load(std::memory_order_acquire);
            if (turn == at) {
                if (head_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
                    into(s.value);
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
        return use([&value](T& place) noexcept { value = std::move(place); });
    }

    /// Lets `what(T&)` read the oldest value where it lies. The one consuming thread.
    template <class What>
        requires std::is_nothrow_invocable_v<What, T&>
    bool use(What&& what) noexcept {
        slot& s = slots_[tail_ & mask_];
        if (s.turn.load(std::memory_order_acquire) != tail_ + 1) return false;
        what(s.value);
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
    /// Wakes whoever runs the operation, if he sleeps: something beside an outcome waits for him. Any thread.
    virtual void wake() noexcept {}

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
        completion taken{std::move(other)};
        std::swap(sink_, taken.sink_);
        std::swap(op_, taken.op_);
        std::swap(called_, taken.called_);
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
    /// For wrappers of drivers: see `completion_sink::wake`. Not once it was moved from.
    void wake() const noexcept { sink_->wake(); }

private:
    void reset() noexcept {
        if (sink_ == nullptr) return;
        // Nothing is allocated: the text is short enough for every small-string buffer.
        if (!called_) sink_->deliver(op_, outcome::unknown("abandoned"), false);
        std::exchange(sink_, nullptr)->release();
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

/// What a driver can do, for a ladder that is only known at run time. Paging needs no driver. The driver itself is
/// asked only if it `tells_capabilities` (`driver/forwarding.hpp`).
template <cloud_driver D>
[[nodiscard]] constexpr capabilities capabilities_of(const D* = nullptr) noexcept {
    capabilities c;
    c.add(operation::none).add(operation::describe).add(operation::page).add(operation::guest_restarts);
    if constexpr (creates_instances<D>) c.add(operation::create_instance);
    if constexpr (restarts_services<D>) c.add(operation::restart_service);
    if constexpr (reboots_instances<D>) c.add(operation::reboot_instance);
    if constexpr (rebuilds_instances<D>) c.add(operation::rebuild_instance);
    if constexpr (fences_instances<D>) c.add(operation::fence_instance);
    if constexpr (recreates_instances<D>) c.add(operation::recreate_instance);
    if constexpr (evacuates_instances<D>) c.add(operation::evacuate_instance);
    if constexpr (collects_forensics<D>) c.add(operation::collect_forensics);
    if constexpr (converges_stacks<D>) c.add(operation::converge_stack);
    return c;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/sort.hpp

namespace reheat::inline REHEAT_ABI::detail {

/// Heapsort: in place, never worse than n log n. Not `std::sort`, because <algorithm> would be a third of what the
/// engine costs its users to preprocess. Equal elements change places: order by something that tells them apart.
template <class T, class Less>
void sort(std::vector<T>& all, const Less& less) {
    const auto sift = [&](std::size_t root, std::size_t end) {
        for (std::size_t child = 2 * root + 1; child < end; child = 2 * root + 1) {
            if (child + 1 < end && less(all[child], all[child + 1])) ++child;
            if (!less(all[root], all[child])) return;
            std::swap(all[root], all[child]);
            root = child;
        }
    };
    for (std::size_t n = all.size() / 2; n-- > 0;) sift(n, all.size());
    for (std::size_t end = all.size(); end-- > 1;) {
        std::swap(all[0], all[end]);
        sift(0, end);
    }
}

/// Where in a vector that is ordered by `of` the first one stands that is not below a key.
template <class T, class Key, class Of>
[[nodiscard]] std::size_t place_of(const Key& key, const std::vector<T>& all, const Of& of) noexcept {
    std::size_t low = 0;
    std::size_t high = all.size();
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (of(all[middle]) < key) low = middle + 1;
        else high = middle;
    }
    return low;
}

} // namespace reheat::inline REHEAT_ABI::detail

// file: reheat/core/bits.hpp

// What the engine needs of <bit>, without its 250 lines (docs/decisions/0005).

namespace reheat::inline REHEAT_ABI::detail {

/// The place of the lowest bit of a set that is not empty.
[[nodiscard]] constexpr std::size_t lowest_bit(std::uint32_t set) noexcept {
    return static_cast<std::size_t>(__builtin_ctz(set));
}
[[nodiscard]] constexpr unsigned count_bits(unsigned set) noexcept {
    return static_cast<unsigned>(__builtin_popcount(set));
}

} // namespace reheat::inline REHEAT_ABI::detail

// file: reheat/evidence/evidence_rules.hpp

namespace reheat::inline REHEAT_ABI {

/// What a target with only one vantage may have done to it before a fence or a destructive rung, for which two
/// independent ones are asked otherwise.
enum class single_vantage : std::uint8_t {
    fence_first, ///< a fence, and with its proof what needs one
    wait,        ///< nothing, until a second vantage or an operator speaks
    act,         ///< what two vantages would allow
};

/// How much evidence the actions of a policy need.
struct evidence_rules {
    std::uint8_t polls = 10;          ///< how many of the last polled observations of one vantage are looked at
    std::uint8_t unhealthy_polls = 7; ///< and how many of them have to say unhealthy
    std::uint8_t vantages = 2;        ///< independent ones that agree, before a fence or a destructive rung
    single_vantage alone = single_vantage::fence_first;
    duration max_age = std::chrono::minutes{5}; ///< a polled observation older than this says nothing any more

    friend constexpr bool operator==(const evidence_rules&, const evidence_rules&) = default;
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

[[nodiscard]] constexpr std::string_view to_string(vantage v) noexcept {
    constexpr std::array<std::string_view, vantage_count> names{"guest_heartbeat", "driver_status", "cloud_event",
                                                                "neighbour", "operator_word"};
    return names[static_cast<std::size_t>(v)];
}

/// One reading of evidence about one target.
struct observation {
    target_id target = no_target;
    vantage from = vantage::driver_status;
    health seen = health::unknown;
    time_point at{};
    bool polled = false;           ///< one of a series: so many of the last ones have to agree, and they grow old
    target_id witness = no_target; ///< of a neighbour: the instance that looked
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/evidence/testimony.hpp

namespace reheat::inline REHEAT_ABI {

/// What one vantage says of one target. A single statement stands until it is taken back. Of a polled series M of the
/// last N have to say unhealthy, a healthy one is believed only while fewer do, and a series that stops says nothing
/// once it is old.
class testimony {
public:
    /// The most observations of a series that are kept.
    static constexpr unsigned most_polls = 16;

    /// One that is older than what is known already says nothing.
    void state(health seen, time_point at) noexcept {
        if (at < at_) return;
        at_ = at;
        seen_ = seen;
        polls_ = 0;
        bad_ = 0;
    }

    void poll(health seen, time_point at, const evidence_rules& rules) noexcept {
        if (at < at_) return;
        const unsigned kept = rules.polls < most_polls ? rules.polls : most_polls;
        bad_ = static_cast<std::uint16_t>(unsigned{bad_} << 1U | (seen == health::unhealthy ? 1U : 0U));
        if (kept < most_polls) bad_ = static_cast<std::uint16_t>(unsigned{bad_} & ((1U << kept) - 1U));
        if (polls_ < most_polls) ++polls_;
        at_ = at;
        if (detail::count_bits(bad_) >= rules.unhealthy_polls) seen_ = health::unhealthy;
        else seen_ = seen == health::healthy ? health::healthy : health::unknown;
    }

    /// A statement that grows old, of something that changes by itself.
    void pass(health seen, time_point at) noexcept {
        state(seen, at);
        polls_ = 1;
    }

    /// What it says at a time.
    [[nodiscard]] health says(time_point now, duration max_age) const noexcept {
        return polls_ != 0 && now > after(at_, max_age) ? health::unknown : seen_;
    }
    /// When it spoke last; before all times if never.
    [[nodiscard]] time_point at() const noexcept { return at_; }
    /// When it will grow old; `never` for a single statement.
    [[nodiscard]] time_point ages(duration max_age) const noexcept {
        return polls_ != 0 && seen_ != health::unknown ? after(at_, max_age) : never;
    }

private:
    time_point at_ = (time_point::min)();
    health seen_ = health::unknown;
    std::uint8_t polls_ = 0;
    std::uint16_t bad_ = 0; ///< bit n: the n-th last poll said unhealthy
};

/// What every vantage says of one target.
struct testimonies {
    std::array<testimony, vantage_count> of{};
    testimony machine{}; ///< whether the cloud, when asked, said that the machine runs
};

/// A set of vantages.
enum class vantage_set : std::uint8_t { none = 0 };

inline constexpr vantage_set all_vantages{(1U << vantage_count) - 1U};

[[nodiscard]] constexpr vantage_set operator|(vantage_set set, vantage v) noexcept {
    return static_cast<vantage_set>(static_cast<unsigned>(set) | 1U << static_cast<unsigned>(v));
}
[[nodiscard]] constexpr vantage_set operator|(vantage_set a, vantage_set b) noexcept {
    return static_cast<vantage_set>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
[[nodiscard]] constexpr vantage_set operator-(vantage_set a, vantage_set b) noexcept {
    return static_cast<vantage_set>(static_cast<unsigned>(a) & ~static_cast<unsigned>(b));
}
[[nodiscard]] constexpr bool has(vantage_set set, vantage v) noexcept {
    return (static_cast<unsigned>(set) >> static_cast<unsigned>(v) & 1U) != 0;
}
[[nodiscard]] constexpr unsigned count(vantage_set set) noexcept {
    return detail::count_bits(static_cast<unsigned>(set));
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

/// Why: a code for a program to switch on. Text is made only when somebody reads it (`recovery/decision_words.hpp`).
enum class reason : std::uint8_t {
    // clang-format off: what needs no word shares a line
    none, alarm_raised, alarm_cleared, alarm_unknown, observed_unhealthy, observed_healthy,
    action_above,     ///< an action on an ancestor is under way
    no_such_ancestor, ///< the rung acts on a level that this target has not
    loses_kept_asset,
    attempts_spent, ///< this incident has used the rung's attempts
    budget_spent,   ///< the target has used the rung's budget in its window
    busy,           ///< an action on the target, an ancestor or a descendant is not finished
    approval_required, proof_required, proof_expired, proof_minted, backing_off, journal_pending, journal_failed,
    healthy_again, outcome_done, outcome_failed, outcome_refused, outcome_unknown, deadline_passed,
    found_done,     ///< read back: it had happened
    found_not_done, ///< read back: it had not
    verify_deadline, ladder_exhausted, parked_retry, waited_long, operator_word, late_completion, repeated_completion,
    inbox_overflow,
    stepped_late, ///< the engine came later than it wanted to: what it missed is discarded
    clock_jumped, ///< its time went back: it stands still until it has caught up, and what it missed is discarded
    first_attempt, next_attempt, requested, verified,
    related_failure, ///< it failed again soon after its recovery: the same incident goes on
    did_not_help,    ///< the rung has been tried for this failure, and did not help
    machine_is_off,  ///< what runs in the guest can not be reached: its machine does not run
    host_is_dead,    ///< the rung needs the host, which is proved dead
    guest_restarted, ///< the guest reports that it restarted a service itself
    guest_heals,     ///< the guest is at it
    in_maintenance, frozen_by_operator,
    silence_is_ours, ///< too much fell silent at once and the driver does not answer: the observer is cut off
    silence_cliff,   ///< too many heartbeats were lost at once: no fence before a second vantage agrees
    started_lately,  ///< the engine, or its leadership, is too young for what can not be undone
    one_vantage,     ///< only one vantage calls it unhealthy
    contradicted,    ///< another vantage says that it runs
    evidence_is_old, ///< nobody says now that it is unhealthy
    in_probation, breaker_group, breaker_domain,
    breaker_closed, ///< few enough are unhealthy again
    too_many_in_flight,
    too_soon, ///< after the last instance action
    no_capacity, waits_for_dependency, group_budget, domain_budget, all_budget, api_quota, higher_priority,
    trust_broken, ///< a proof of death turned out false
    custom_guard, denied_by_operator,
    not_understood, ///< an operator's word lacks something: a name, a reason, an expiry, a target
    expired,
    already_dead, ///< there is a proof of death without a fence
    lease_expired, confirmed_absent,
    neighbour_not_independent, ///< it is in the same failure domain
    returned,                  ///< a machine that had been replaced is heard of again
    collecting,                ///< forensics before what destroys
    policy_changed, leader_changed,
    would_act, ///< shadow mode: it would be done now
    capacity_told,
    died,            ///< a host is proved dead
    resumed,         ///< what an earlier run had begun is gone on with
    orphaned,        ///< an earlier run had something under way on a target that was not added again
    leadership_ends, ///< the lease of this controller ends before the call would, or with too little to spare
    leadership_lost, ///< another controller may lead: this one does nothing any more
    // clang-format on
};

inline constexpr std::size_t reason_count = 88;

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/guard.hpp

namespace reheat::inline REHEAT_ABI {

/// Everything that can say no to an action. All are asked each time, all answers are kept.
enum class guard : std::uint8_t {
    busy,          ///< one action at a time on a target, its ancestors and its descendants
    backoff,       ///< the wait between attempts
    approval,      ///< a human's word
    journal,       ///< the journal is well
    leadership,    ///< this controller leads for as long as the calls may take
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
    evidence,      ///< somebody says now that it is unhealthy
    quota,         ///< a budget that it shares with others
    priority,      ///< more important targets come first
    trust,         ///< no proof of death has turned out false
    custom,        ///< a guard of the integrator's own
};

inline constexpr std::size_t guard_count = 20;
inline constexpr std::uint32_t all_guards = (std::uint32_t{1} << guard_count) - 1;

[[nodiscard]] constexpr std::uint32_t bit(guard g) noexcept { return std::uint32_t{1} << static_cast<unsigned>(g); }
/// Whoever waits for nothing but these only waits for its turn behind others, and comes to act.
inline constexpr std::uint32_t turn_guards = bit(guard::in_flight) | bit(guard::rate);

/// The answer of one guard: allow (`why` is `none`), or deny with the reason and the time at which to ask again;
/// `never` where an input, not time, can change it.
struct guard_answer {
    reason why = reason::none;
    time_point next = never;

    [[nodiscard]] constexpr bool allows() const noexcept { return why == reason::none; }
};

/// What a guard is asked: may this be done now?
struct guard_question {
    target_id target = no_target;  ///< the incident's own
    target_id subject = no_target; ///< acted upon
    operation what = operation::none;
    incident_id incident = no_incident;
    std::uint16_t attempt = 0; ///< the one that would begin, from 1
    time_point now{};
};

/// A guard of the integrator's own: it answers from what it knows, quickly and without blocking, and gives the same
/// answer to the same question at the same time. Whatever reason it gives, events show `custom_guard`.
template <class G>
concept recovery_guard = requires(const G& g, const guard_question& q) {
    { g.ask(q) } -> std::same_as<guard_answer>;
};

/// A guard by reference; the guard outlives it.
class guard_ref {
public:
    template <recovery_guard G>
    explicit guard_ref(const G& g) noexcept
        : guard_{&g}, ask_{[](const void* of, const guard_question& q) { return static_cast<const G*>(of)->ask(q); }} {}
    [[nodiscard]] guard_answer ask(const guard_question& q) const {
        guard_answer a = ask_(guard_, q);
        if (!a.allows()) a.why = reason::custom_guard;
        return a;
    }

private:
    const void* guard_;
    guard_answer (*ask_)(const void*, const guard_question&);
};

/// The answers of all guards to one question.
class guard_answers {
public:
    constexpr void set(guard g, guard_answer a) noexcept {
        answers_[static_cast<std::size_t>(g)] = a;
        if (!a.allows()) denied_ |= std::uint32_t{1} << static_cast<unsigned>(g);
    }
    [[nodiscard]] constexpr guard_answer of(guard g) const noexcept { return answers_[static_cast<std::size_t>(g)]; }

    /// The denying guards, as a set of bits; 0 means that all allow.
    [[nodiscard]] constexpr std::uint32_t denied() const noexcept { return denied_; }
    /// Visits every denial, in the order of `guard`.
    template <class Visit>
    constexpr void each_denial(const Visit& visit) const {
        for (std::uint32_t left = denied_; left != 0; left &= left - 1) {
            const std::size_t g = detail::lowest_bit(left);
            visit(static_cast<guard>(g), answers_[g]);
        }
    }
    /// The first denial, in the order of `guard`.
    [[nodiscard]] constexpr reason first() const noexcept {
        return denied_ == 0 ? reason::none : answers_[detail::lowest_bit(denied_)].why;
    }
    /// The earliest time at which an answer can change by itself. A denial that only an input can change has none, and
    /// does not hide a time that another has.
    [[nodiscard]] constexpr time_point next() const noexcept {
        time_point earliest = never;
        each_denial([&](guard, const guard_answer& a) { earliest = a.next < earliest ? a.next : earliest; });
        return earliest;
    }

private:
    std::array<guard_answer, guard_count> answers_{};
    std::uint32_t denied_ = 0;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/operator.hpp

namespace reheat::inline REHEAT_ABI {

/// What an operator can say.
enum class operator_verb : std::uint8_t {
    approve,         ///< the rung that waits for approval may act
    deny,            ///< that rung is left behind
    confirm_dead,    ///< the instance certainly does not run: a proof of death, by a named person; or its creation,
                     ///< whose outcome was unknown, made nothing
    maintain,        ///< nothing is done to the target and what is below it, until then; needs a reason and an expiry
    end_maintenance, ///< its maintenance is over
    unpark,          ///< a parked incident tries its ladder again now
    freeze, ///< nothing is done to anything, or to the target and what is below it; needs a reason and an expiry
    thaw,   ///< the freeze is over
    trust,  ///< a proof of death turned out false, the cause is mended, and actions may go on; or a copy that returned
            ///< is seen to, and not fenced again
};

/// An operator's word, as an input of the engine. It needs a name (`who`), and is journaled.
struct operator_input {
    operator_verb what = operator_verb::approve;
    target_id target = no_target; ///< the incident's target, or the one acted upon; `no_target` for everything
    std::string_view who{};
    std::string_view reason{};
    time_point expires = never;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/evidence/corroboration.hpp

namespace reheat::inline REHEAT_ABI {

/// How well the death of a machine is attested.
enum class attested : std::uint8_t {
    enough,       ///< so many independent vantages as asked for, or the policy is content with one
    one_vantage,  ///< only one, and the policy waits for another
    contradicted, ///< only one, and another says that it runs
};

/// Weighs what independent vantages say before something that can not be undone. `unhealthy` are the vantages that call
/// it unhealthy, `running` those that say the machine runs although it is silent. A vantage that does not know counts
/// on neither side: what it would say is settled by the fence.
[[nodiscard]] constexpr attested corroborate(vantage_set unhealthy, vantage_set running,
                                             const evidence_rules& rules) noexcept {
    if (count(unhealthy) >= rules.vantages) return attested::enough;
    if (count(running - unhealthy) != 0) return attested::contradicted;
    return rules.alone == single_vantage::wait ? attested::one_vantage : attested::enough;
}

/// Where a machine stands: the names of its failure domains, as numbers; 0 is unknown.
struct placement {
    std::uint32_t host = 0;
    std::uint32_t rack = 0;
    std::uint32_t zone = 0;
};

/// Whether a neighbour's word on a target is its own: the two must be in different failure domains, as far up as the
/// domains of both are known. Machines of one cut-off rack would only ask each other. A neighbour of unknown place is
/// not independent.
[[nodiscard]] constexpr bool independent(const placement& witness, const placement& target) noexcept {
    const bool racks = witness.rack != 0 && target.rack != 0;
    const bool zones = witness.zone != 0 && target.zone != 0;
    if (racks) return witness.rack != target.rack || (zones && witness.zone != target.zone);
    if (zones) return witness.zone != target.zone;
    return witness.host != 0 && target.host != 0 && witness.host != target.host;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/share.hpp

namespace reheat::inline REHEAT_ABI {

/// A share of a set, never rounded to nothing: `percent` of it, rounded up, and at least `least`.
struct share {
    std::uint8_t percent = 5;
    std::uint32_t least = 1;

    [[nodiscard]] constexpr std::uint32_t of(std::uint32_t size) const noexcept {
        const std::uint64_t part = (std::uint64_t{size} * percent + 99) / 100;
        return part < least ? least : static_cast<std::uint32_t>(part);
    }
    friend constexpr bool operator==(const share&, const share&) = default;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/evidence/silence.hpp

namespace reheat::inline REHEAT_ABI {

/// How much evidence against itself an observer needs to stop: silence that is too wide to be the targets' fault.
struct silence_limits {
    std::uint32_t targets = 3; ///< that fell silent within `within`, in two failure domains: is the driver there?
    std::uint32_t domains = 2;
    share cliff{50, 3}; ///< more than this share of at least so many heartbeats lost within `within` holds fencing
    duration within = std::chrono::seconds{60};

    friend constexpr bool operator==(const silence_limits&, const silence_limits&) = default;
};

/// Watches which machines beat and which fell silent lately: many at once are less likely to be dead than unheard.
/// It decides nothing; the engine asks it. One thread at a time.
class silence_watch {
public:
    explicit silence_watch(const silence_limits& bounds) noexcept : bounds_{bounds} {}

    /// A machine is heard.
    void beats(target_id machine) {
        ++beating_;
        if (!lost_.empty() || !fallen_.empty()) returned_.push_back(machine);
    }
    /// A machine that was heard is silent. `domain` tells failure domains apart.
    void falls_silent(target_id machine, std::uint32_t domain, time_point at) {
        if (beating_ != 0) --beating_;
        fallen_.push_back({machine, domain, at});
    }

    /// A machine that was heard is neither heard nor silent: nobody can say, or we silenced it ourselves.
    void forget(target_id machine) {
        if (beating_ != 0) --beating_;
        returned_.push_back(machine);
    }

    /// Looks at what came in up to `now`. Call it once a step, after the last of them. Until then nothing counts.
    void look(time_point now) {
        if (lost_.empty() && fallen_.empty()) {
            returned_.clear();
            wide_ = false;
            return;
        }
        lost_.insert(lost_.end(), fallen_.begin(), fallen_.end());
        fallen_.clear();
        if (!returned_.empty()) forget_returned();
        if (cliff_ != 0 && !over(lost_.size(), cliff_)) cliff_ = 0;
        if (cliff_ == 0) {
            // A cliff keeps its losses until enough of them return; otherwise they are history after a while.
            std::erase_if(lost_, [&](const loss& l) { return now > after(l.at, bounds_.within); });
            const std::size_t before = beating_ + lost_.size();
            if (before >= bounds_.cliff.least && over(lost_.size(), before)) cliff_ = before;
        }
        if (cliff_ != 0) sort(lost_, [](const loss& l) { return l.machine; });
        wide_ = count_lately(now);
    }

    /// Whether so much fell silent in so many domains that the observer may be the one who is cut off.
    [[nodiscard]] bool wide() const noexcept { return wide_; }
    /// Whether a machine was lost in a cliff that is not over.
    [[nodiscard]] bool in_cliff(target_id machine) const noexcept {
        return cliff_ != 0 && found(lost_, machine, [](const loss& l) { return l.machine; });
    }
    [[nodiscard]] bool cliff() const noexcept { return cliff_ != 0; }
    /// The machine that was lost last, or `no_target`.
    [[nodiscard]] target_id newest_lost() const noexcept {
        const loss* newest = nullptr;
        for (const loss& l : lost_) newest = newest == nullptr || newest->at < l.at ? &l : newest;
        return newest == nullptr ? no_target : newest->machine;
    }
    [[nodiscard]] std::size_t lost() const noexcept { return lost_.size(); }
    [[nodiscard]] std::size_t beating() const noexcept { return beating_; }

private:
    struct loss {
        target_id machine;
        std::uint32_t domain;
        time_point at;
    };

    void forget_returned() {
        const auto self = [](target_id m) { return m; };
        sort(returned_, self);
        std::erase_if(lost_, [&](const loss& l) { return found(returned_, l.machine, self); });
        returned_.clear();
    }
    template <class T, class Key>
    static void sort(std::vector<T>& all, const Key& key) {
        detail::sort(all, [&key](const T& a, const T& b) { return key(a) < key(b); });
    }
    template <class T, class Key>
    [[nodiscard]] static bool found(const std::vector<T>& sorted, target_id machine, const Key& key) noexcept {
        const std::size_t at = detail::place_of(machine, sorted, key);
        return at < sorted.size() && key(sorted[at]) == machine;
    }

    /// More than the share of the cliff, counted exactly.
    [[nodiscard]] bool over(std::size_t part, std::size_t whole) const noexcept {
        return part * 100 > whole * bounds_.cliff.percent;
    }
    [[nodiscard]] bool count_lately(time_point now) const {
        std::uint32_t lost = 0;
        std::vector<std::uint32_t> domains;
        for (const loss& l : lost_) {
            if (now > after(l.at, bounds_.within)) continue;
            ++lost;
            bool known = domains.size() >= bounds_.domains;
            for (const std::uint32_t d : domains) known = known || d == l.domain;
            if (!known) domains.push_back(l.domain);
        }
        return lost >= bounds_.targets && domains.size() >= bounds_.domains;
    }

    silence_limits bounds_;
    std::vector<loss> lost_; // by machine, while there is a cliff
    std::vector<loss> fallen_;
    std::vector<target_id> returned_;
    std::size_t beating_ = 0;
    std::size_t cliff_ = 0; ///< how many beat before the cliff; 0: none
    bool wide_ = false;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/policy.hpp

namespace reheat::inline REHEAT_ABI {

/// Whether a human must agree before a rung acts.
enum class consent : std::uint8_t { none, required };
inline constexpr consent required = consent::required;

/// How a reboot is asked for: of the guest's own system, of the hypervisor, or of the guest first and of the
/// hypervisor from the second attempt on.
enum class reboot_kind : std::uint8_t { soft_then_hard, soft, hard };

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
    reboot_kind how = reboot_kind::soft_then_hard; ///< of a reboot

    friend constexpr bool operator==(const rung&, const rung&) = default;
};

/// What to do when a machine that had been replaced is heard of again.
enum class return_rule : std::uint8_t {
    keep_replacement, ///< fence what came back
    keep_original,    ///< fence the replacement
    longest_running,  ///< fence the one that has run for less time
    stop_both,        ///< fence both, and call a human
};

/// How an instance is fenced, where a driver knows more than one way: the names are the driver's own, in order.
/// In parallel, the first confirmed power-off is enough, and the action begins once no other fence is under way.
struct fence_rules {
    static constexpr std::size_t most_methods = 4;
    std::array<std::string_view, most_methods> methods{}; ///< empty: the driver's own way; texts outlive the engine
    bool parallel = false;

    [[nodiscard]] constexpr std::size_t size() const noexcept {
        std::size_t n = 0;
        while (n < most_methods && !methods[n].empty()) ++n;
        return n == 0 ? 1 : n;
    }
    friend constexpr bool operator==(const fence_rules&, const fence_rules&) = default;
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
    /// After an instance or stack action that helped, the same or a higher rung waits this long for the same evidence.
    duration probation = std::chrono::minutes{30};
    /// Healthy for this long, and the backoff starts anew.
    duration stable = std::chrono::minutes{10};
    /// A target that fails again within this time of its recovery goes on with the same incident.
    duration related = std::chrono::hours{1};
    /// How long `collect_forensics` may hold up a destructive rung; 0: it is not called.
    duration forensics = duration::zero();
    evidence_rules evidence{};
    return_rule returned = return_rule::keep_replacement;
    fence_rules fencing{};

    friend constexpr bool operator==(const policy&, const policy&) = default;

private:
    std::array<rung, most_rungs> rungs_{};
    std::uint8_t size_ = 0;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/limits.hpp

namespace reheat::inline REHEAT_ABI {

/// Refuses all actions on a set of targets while too large a share of it is unhealthy: then it is not the targets that
/// are broken.
struct breaker_limits {
    share group{20, 1};                           ///< of the instances of a group
    share domain{30, 1};                          ///< of the instances of a rack or a zone
    std::uint32_t counted_from = 5;               ///< a smaller set has no breaker
    duration cooldown = std::chrono::seconds{60}; ///< below its limit for this long, and it closes

    friend constexpr bool operator==(const breaker_limits&, const breaker_limits&) = default;
};

/// A budget that several targets share; a count of 0 is no limit.
struct shared_budget {
    budget burst{0, std::chrono::hours{1}};
    budget sustained{0, std::chrono::hours{24}};

    [[nodiscard]] constexpr bool limits() const noexcept { return burst.count != 0 || sustained.count != 0; }
    friend constexpr bool operator==(const shared_budget&, const shared_budget&) = default;
};

/// What bounds the actions of an engine, whatever policies they come from: spent where the action is.
struct limits {
    breaker_limits breaker{};
    silence_limits silence{};
    share in_flight{5, 1};           ///< instance and stack actions that are not verified yet, of all instances
    share services_in_flight{5, 10}; ///< the same of service actions, of all services
    duration between = std::chrono::seconds{10};          ///< at least this from one instance action to the next
    duration start_hold = std::chrono::seconds{300};      ///< no destructive rung so long after a start or a new leader
    duration yield_to_higher = std::chrono::seconds{600}; ///< the longest wait for targets of higher priority
    shared_budget group{};                                ///< actions in one group
    shared_budget domain{};                               ///< actions in one rack or zone
    shared_budget all{};                                  ///< actions
    budget api{0, std::chrono::minutes{1}};               ///< calls of the driver, whatever they are for; 0: no limit

    friend constexpr bool operator==(const limits&, const limits&) = default;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/spending.hpp

namespace reheat::inline REHEAT_ABI {

/// When something that is shared was spent. What no budget asks for any more is forgotten.
class spending {
public:
    /// Notes one, and forgets those older than `longest`.
    void spend(time_point at, duration longest) {
        std::erase_if(at_, [&](time_point t) { return at - t >= longest; });
        at_.push_back(at);
    }
    /// Forgets one noted at that time.
    void take_back(time_point at) noexcept {
        for (std::size_t n = at_.size(); n-- > 0;) {
            if (at_[n] != at) continue;
            at_.erase(at_.begin() + static_cast<std::ptrdiff_t>(n));
            return;
        }
    }
    /// When a budget has room for one more: `now` or before, or a later time. A count of 0 is no limit.
    [[nodiscard]] time_point room_at(const budget& b, time_point now) const noexcept {
        if (b.count == 0) return now;
        // The count-th newest has to leave the window first.
        if (at_.size() < b.count) return now;
        return later(now, after(at_[at_.size() - b.count], b.within));
    }

private:
    std::vector<time_point> at_; // in order
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/sets.hpp

namespace reheat::inline REHEAT_ABI {

/// What instances have in common: a group for limits, or a failure domain.
enum class set_kind : std::uint8_t { group, host, rack, zone };

inline constexpr std::size_t set_kind_count = 4;

[[nodiscard]] constexpr std::string_view to_string(set_kind k) noexcept {
    constexpr std::array<std::string_view, set_kind_count> names{"group", "host", "rack", "zone"};
    return names[static_cast<std::size_t>(k)];
}

/// A set of instances; 0 is none.
enum class set_id : std::uint32_t {};
inline constexpr set_id no_set{0};

/// One set, with what limits it. A host that is proved dead is one failure, however many instances it had.
struct instance_set {
    set_kind of{};
    std::string name{};
    std::uint32_t instances = 0;  ///< on hosts that are not proved dead
    std::uint32_t unhealthy = 0;  ///< of these
    std::uint32_t dead_hosts = 0; ///< that had instances of it
    std::uint32_t members = 0;    ///< a host's: the newest membership of it
    bool changed = false;         ///< its counts, since they were looked at last
    bool open = false;            ///< its breaker
    bool paged = false;           ///< that it has been open for long
    time_point opened_at = never;
    time_point calm_since = never; ///< an open breaker's: few enough are unhealthy since then
    bool dead = false;             ///< a host's
    proof_kind proof{};            ///< that it is dead
    time_point died_at = never;
    set_id rack = no_set;                ///< a host's
    set_id zone = no_set;                ///< a host's
    std::optional<std::uint32_t> room{}; ///< for so many more instances, where that is known
    spending spent{};

    /// What its breaker counts.
    [[nodiscard]] constexpr std::uint32_t size() const noexcept { return instances + dead_hosts; }
    [[nodiscard]] constexpr std::uint32_t failed() const noexcept { return unhealthy + dead_hosts; }
};

/// Whether too large a share of a set is unhealthy for its breaker. Never rounds to nothing, and leaves small sets be.
[[nodiscard]] constexpr bool too_many_unhealthy(const breaker_limits& bounds, set_kind of, std::uint32_t size,
                                                std::uint32_t unhealthy) noexcept {
    if (of == set_kind::host || size < bounds.counted_from) return false;
    return unhealthy > (of == set_kind::group ? bounds.group : bounds.domain).of(size);
}

/// The sets that one instance belongs to, shared by all instances of the same place and group.
struct membership {
    set_id group = no_set;
    set_id host = no_set;
    set_id rack = no_set;
    set_id zone = no_set;
    std::uint32_t instances = 0;
    std::uint32_t unhealthy = 0;
    std::uint32_t next = 0; ///< membership of the same host

    [[nodiscard]] constexpr std::array<set_id, 3> above_host() const noexcept { return {group, rack, zone}; }
    [[nodiscard]] constexpr placement place() const noexcept {
        return {static_cast<std::uint32_t>(host), static_cast<std::uint32_t>(rack), static_cast<std::uint32_t>(zone)};
    }
    /// What tells failure domains apart, as far up as it is known; 0 if nothing is.
    [[nodiscard]] constexpr std::uint32_t domain() const noexcept {
        if (zone != no_set) return static_cast<std::uint32_t>(zone);
        return static_cast<std::uint32_t>(rack != no_set ? rack : host);
    }
};

/// All groups and failure domains of an engine. Adding allocates, counting does not. One thread at a time.
class set_book {
public:
    set_book() : sets_(1), memberships_(1) {}

    [[nodiscard]] set_id find(set_kind of, std::string_view name) const {
        const std::uint32_t found = index_[static_cast<std::size_t>(of)].find(name, name_of{sets_});
        return found == name_index::none ? no_set : static_cast<set_id>(found);
    }
    /// The set of that name, made if there is none; `no_set` for an empty name.
    set_id find_or_add(set_kind of, std::string_view name) {
        if (name.empty()) return no_set;
        if (const set_id known = find(of, name); known != no_set) return known;
        const auto id = static_cast<std::uint32_t>(sets_.size());
        sets_.emplace_back();
        sets_.back().of = of;
        sets_.back().name = name;
        index_[static_cast<std::size_t>(of)].add(sets_.back().name, id);
        return static_cast<set_id>(id);
    }
    /// The number of a membership, made if there is none; 0 for an instance of no set.
    std::uint32_t join(const membership& wanted) {
        if (same(wanted, memberships_[0])) return 0;
        if (slots_.size() < 2 * (memberships_.size() + 1)) rehash();
        std::size_t at = static_cast<std::size_t>(key_of(wanted)) & (slots_.size() - 1);
        for (; slots_[at] != 0; at = (at + 1) & (slots_.size() - 1)) {
            if (same(memberships_[slots_[at]], wanted)) return slots_[at];
        }
        slots_[at] = static_cast<std::uint32_t>(memberships_.size());
        memberships_.push_back({wanted.group, wanted.host, wanted.rack, wanted.zone});
        if (static_cast<std::size_t>(wanted.host) < sets_.size())
            memberships_.back().next = std::exchange((*this)[wanted.host].members, slots_[at]);
        return slots_[at];
    }

    [[nodiscard]] std::size_t size() const noexcept { return sets_.size(); }
    [[nodiscard]] instance_set& operator[](set_id id) noexcept { return sets_[static_cast<std::size_t>(id)]; }
    [[nodiscard]] const instance_set& operator[](set_id id) const noexcept {
        return sets_[static_cast<std::size_t>(id)];
    }
    [[nodiscard]] const membership& of(std::uint32_t number) const noexcept { return memberships_[number]; }

    /// So many more (or fewer) instances, and unhealthy ones, in a membership and in its sets.
    void count(std::uint32_t number, int instances, int unhealthy) {
        membership& m = memberships_[number];
        if ((*this)[m.host].dead) { // the one failure that it is may come or go
            set_dead(m.host, false);
            count(number, instances, unhealthy);
            return set_dead(m.host, true);
        }
        add(m.instances, instances);
        add(m.unhealthy, unhealthy);
        for (const set_id s : {m.group, m.host, m.rack, m.zone}) {
            if (s == no_set) continue;
            add((*this)[s].instances, instances);
            add((*this)[s].unhealthy, unhealthy);
            mark(s);
        }
    }
    /// Notes that a host is proved dead, or that it is back: its instances count as one failure, or each for itself.
    void set_dead(set_id host, bool dead) {
        if (std::exchange((*this)[host].dead, dead) == dead) return;
        std::vector<set_id> of;
        for (std::uint32_t n = (*this)[host].members; n != 0; n = memberships_[n].next) {
            const membership& m = memberships_[n];
            if (m.instances == 0) continue;
            for (const set_id s : m.above_host()) {
                if (s == no_set) continue;
                (*this)[s].instances += dead ? 0 - m.instances : m.instances;
                (*this)[s].unhealthy += dead ? 0 - m.unhealthy : m.unhealthy;
                of.push_back(s);
            }
        }
        detail::sort(of, [](set_id a, set_id b) { return a < b; });
        for (std::size_t n = 0; n < of.size(); ++n) {
            if (n != 0 && of[n] == of[n - 1]) continue;
            add((*this)[of[n]].dead_hosts, dead ? 1 : -1);
            mark(of[n]);
        }
    }

    /// Visits the sets whose counts changed since the last call.
    template <class Visit>
    void take_changed(const Visit& visit) {
        for (std::size_t n = 0; n < changed_.size(); ++n) {
            (*this)[changed_[n]].changed = false;
            visit(changed_[n]);
        }
        changed_.clear();
    }
    void mark(set_id s) {
        if (std::exchange((*this)[s].changed, true)) return;
        changed_.push_back(s);
    }

private:
    struct name_of {
        const std::vector<instance_set>& sets;
        std::string_view operator()(std::uint32_t id) const noexcept { return sets[id].name; }
    };
    static void add(std::uint32_t& to, int by) noexcept { to += static_cast<std::uint32_t>(by); }
    [[nodiscard]] static bool same(const membership& a, const membership& b) noexcept {
        return a.group == b.group && a.host == b.host && a.rack == b.rack && a.zone == b.zone;
    }
    [[nodiscard]] static std::uint64_t key_of(const membership& m) noexcept {
        std::uint64_t key = mix(static_cast<std::uint64_t>(m.group) << 32U | static_cast<std::uint64_t>(m.host));
        key = mix(key ^ static_cast<std::uint64_t>(m.rack));
        return mix(key ^ static_cast<std::uint64_t>(m.zone));
    }
    void rehash() {
        slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, 0);
        for (std::uint32_t number = 1; number < memberships_.size(); ++number) {
            std::size_t at = static_cast<std::size_t>(key_of(memberships_[number])) & (slots_.size() - 1);
            while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
            slots_[at] = number;
        }
    }

    std::vector<instance_set> sets_;
    std::array<name_index, set_kind_count> index_;
    std::vector<membership> memberships_;
    std::vector<std::uint32_t> slots_; // of memberships; 0 is free
    std::vector<set_id> changed_;
};

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

/// What one guard said against an action, in eight bytes.
struct denial {
    guard by{};
    reason why{};
    std::uint32_t after_ms = 0; ///< how long after the event it changes by itself; 0: an input does, or in 49 days

    [[nodiscard]] constexpr time_point next(time_point at) const noexcept {
        return after_ms == 0 ? never : after(at, std::chrono::milliseconds{after_ms});
    }
    /// Rounded up, so that it is not asked too early.
    [[nodiscard]] static constexpr std::uint32_t until(time_point next, time_point at) noexcept {
        if (next == never) return 0;
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - at).count();
        return wait < 1 ? 1 : wait > std::int64_t{UINT32_MAX} ? 0 : static_cast<std::uint32_t>(wait);
    }
};

/// One thing that happened or was decided, as numbers and codes; `describe(engine, event)` renders it. Every decision
/// not to act is an event too: what was denied, by which guards, and when it can be looked at again.
struct event {
    static constexpr std::size_t most_denials = 8;

    time_point at{};
    event_kind kind{};
    decision what{};
    reason why{};
    operation rung = operation::none;
    alarm_state from{}; ///< for `event_kind::alarm`
    alarm_state to{};
    std::uint32_t denied = 0;  ///< the denying guards, bit n for guard n
    std::uint32_t asked = 0;   ///< the guards that were asked; of these, all that do not deny allow
    std::uint16_t attempt = 0; ///< counted from 1 within the incident and rung
    bool shadow = false; ///< of an engine in shadow mode, or that lost the lead: nothing is done, nobody is called
    target_id target = no_target;  ///< the incident's own target
    target_id subject = no_target; ///< the target that is acted upon
    incident_id incident = no_incident;
    op_id op = no_op;
    time_point next = never; ///< when it is looked at again, or by when it has to be over
    watch_id watch = no_watch;
    operator_verb verb{};                       ///< for `event_kind::operator_word`
    proof_kind proof{};                         ///< of a death that was accepted
    set_id set = no_set;                        ///< the group or failure domain that it is about
    vantage_set by{};                           ///< who calls the target unhealthy
    std::array<denial, most_denials> denials{}; ///< the first ones of `denied`, in the order of `guard`
    double value = 0; ///< an alarm's newest statistic; how much an overflow lost; the seconds that a clock was off
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
    policy,        ///< a policy was changed
    death,         ///< a host is proved dead, or back; or an instance is, and what was known of that copy
    trust,         ///< a proof of death turned out false
    rung,          ///< an operator approved an incident's rung, or denied it
    guest_restart, ///< a guest restarted a service itself, which counts
    alarm,         ///< an alarm was raised, or is not in `alarm` any more; `opened` says it where it opens an incident
    paged,         ///< a human was called, by another page than that of `parked`
};
inline constexpr std::size_t record_kind_count = 16;

/// One entry of the journal. What was seen before an intent (`cloud_id`, `boot_id`, `host`) is what a controller that
/// starts again compares the cloud with.
struct record {
    sequence seq{};
    record_kind kind{};
    time_point at{};
    target_id target = no_target;
    incident_id incident = no_incident;
    op_id op = no_op;
    std::uint64_t key = 0; ///< of an intent's call; of a page: what the wait was for, bit n for guard n
    epoch reign{};
    operation what = operation::none;
    outcome_code result = outcome_code::unknown;
    reason why = reason::none;
    level of = level::service;
    operator_verb verb{};
    proof_kind proof{};        ///< of a death
    vantage_set by{};          ///< who calls the target unhealthy, as an incident opens
    std::uint8_t rung = 0;     ///< of the incident, in its policy
    std::uint16_t attempt = 0; ///< of that rung; or which of its target's alarms
    alarm_state to{};          ///< of that alarm
    time_point deadline = never;
    std::string name{}; ///< a target's, a host's, an operator's
    std::string text{}; ///< an operator's reason; what a driver said of an operation
    std::string cloud_id{};
    std::string boot_id{};
    std::string host{};
};

/// A call that the runner has to make. Its views live as long as it does: they point into its own text.
struct call {
    request what{};
    incident_id incident = no_incident;
    time_point start_by = never; ///< it must not be made later: neither after its deadline nor without the lead
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

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/input_queue.hpp

namespace reheat::inline REHEAT_ABI::detail {

template <class T>
struct input_box {
    std::vector<T> all;
};

/// Inputs of several types in the order in which they came. Its memory is used again; nothing is paid for the largest
/// type but by itself.
template <class... Ts>
class input_queue : private input_box<Ts>... {
public:
    template <class T>
        requires(std::same_as<T, Ts> || ...)
    void put(T input) {
        std::vector<T>& box = static_cast<input_box<T>&>(*this).all;
        order_.push_back({number_of<T>(), static_cast<std::uint32_t>(box.size())});
        box.push_back(std::move(input));
    }
    [[nodiscard]] bool empty() const noexcept { return order_.empty(); }

    /// Visits every input, oldest first.
    template <class Visit>
    void each(const Visit& visit) {
        for (const place& p : order_) {
            const auto here = [&]<class T>(std::vector<T>& box) {
                if (p.type == number_of<T>()) visit(box[p.at]);
            };
            (here(static_cast<input_box<Ts>&>(*this).all), ...);
        }
    }
    void clear() noexcept {
        order_.clear();
        (static_cast<input_box<Ts>&>(*this).all.clear(), ...);
    }
    void swap(input_queue& other) noexcept {
        order_.swap(other.order_);
        (static_cast<input_box<Ts>&>(*this).all.swap(static_cast<input_box<Ts>&>(other).all), ...);
    }

private:
    struct place {
        std::uint8_t type;
        std::uint32_t at;
    };
    template <class T>
    static constexpr std::uint8_t number_of() noexcept {
        std::uint8_t n = 0;
        std::uint8_t found = 0;
        (static_cast<void>(found = std::same_as<T, Ts> ? n : found, ++n), ...);
        return found;
    }

    std::vector<place> order_;
};

} // namespace reheat::inline REHEAT_ABI::detail

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
    operation booked{}; ///< as what its budget was spent
    target_id subject = no_target;
    incident_id for_incident = no_incident; ///< `no_incident` for an operation that was asked for
    sequence intent{};
    stage at = stage::journaled;
    std::uint64_t key = 0;
    bool paged = false;        ///< that it is held back has been paged
    bool hard = false;         ///< of a reboot
    std::string_view method{}; ///< of a fence
    time_point since{};        ///< when it was decided, and its budget spent
    time_point held_since{};   ///< since when the journal or the quota holds back its call or its read-back, or `never`
    duration timeout{};
    duration settle{};            ///< how long its outcome may stay unknown
    time_point deadline = never;  ///< of the call
    op_id reading = no_op;        ///< the read-back under way
    time_point read_by = never;   ///< when that read-back is overdue, or the next one is due
    time_point settle_by = never; ///< when an unknown outcome is taken for "not done"
    std::string cloud_id{};       ///< of the copy that is meant; empty for the current one
    std::string cloud_id_before{};
    std::string boot_id_before{};
    std::vector<proof_of_death> proofs{};
    std::vector<std::string> said{}; ///< what the driver said of it, for people
    std::vector<set_id> room_in{};   ///< where it took room, once for each copy; `no_set`: of the whole cloud
};

namespace detail {

/// Whether an operation comes before a rung's action and is not the action.
[[nodiscard]] constexpr bool comes_first(operation o) noexcept {
    return o == operation::fence_instance || o == operation::collect_forensics;
}

/// What is said more than once is kept once; of very much what came first, which tells the cause, and the newest.
inline void add_words(std::vector<std::string>& to, std::string_view words) {
    std::erase(to, words);
    if (to.size() == 16) to.erase(to.begin() + 8);
    to.emplace_back(words);
}

} // namespace detail

} // namespace reheat::inline REHEAT_ABI

// file: reheat/evidence/self_doubt.hpp

namespace reheat::inline REHEAT_ABI {

/// When an evaluator doubts itself rather than its targets: it came later than it wanted to, so it may have been
/// stopped itself, and samples of that time may lie unread or carry the wrong time. What the periods in progress hold
/// is then discarded, and an event says so. The default is Cassandra's guard against local pauses.
struct self_doubt {
    bool on = true;
    duration most_late = std::chrono::seconds{5};

    [[nodiscard]] constexpr bool raised(time_point due, time_point now) const noexcept {
        return on && now > after(due, most_late);
    }
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
        if (group == groups_.size()) {
            groups_.emplace_back(&tag<Rule>, new fleet<Rule>{rule, phase});
            groups_.back().by_silence = seeks_silence(rule);
        }
        return static_cast<watch_id>(std::uint64_t{group} << 32U | groups_[group].rows->add(target, at));
    }

    /// Records a sample; an unknown watch is ignored. Never allocates.
    void push(watch_id watch, time_point at, double value) noexcept {
        const std::uint32_t group = group_of(watch);
        if (group < groups_.size()) groups_[group].rows->push(row_of(watch), at, value);
    }

    /// Evaluates what is due, group by group in the order in which they were made. True if it came so late that what it
    /// missed was discarded first.
    bool evaluate(time_point now, std::vector<transition>& out, const self_doubt& doubts) {
        const bool doubtful = doubts.raised(next(), now);
        if (doubtful) doubt(now);
        for (std::uint32_t group = 0; group < groups_.size(); ++group) groups_[group].rows->evaluate(group, now, out);
        return doubtful;
    }

    /// Discards what the periods up to the one of `now` hold: nobody was there to hear it.
    void doubt(time_point now) noexcept {
        for (const entry& g : groups_) g.rows->doubt(now);
    }

    /// Forgets what a watch heard before `at`, and keeps its state.
    void forget(watch_id watch, time_point at, duration grace) noexcept {
        const std::uint32_t group = group_of(watch);
        if (group < groups_.size()) groups_[group].rows->forget(row_of(watch), at, grace);
    }
    /// Whether a watch has heard a sample since it began or was told to forget.
    [[nodiscard]] bool has_heard(watch_id watch) const noexcept {
        const std::uint32_t group = group_of(watch);
        return group < groups_.size() && groups_[group].rows->has_heard(row_of(watch));
    }
    /// Whether silence raises a watch, rather than what it hears.
    [[nodiscard]] bool hears_silence(watch_id watch) const noexcept {
        const std::uint32_t group = group_of(watch);
        return group < groups_.size() && groups_[group].by_silence;
    }

    /// Whether a watch that silence raises is not raised: then it hears its target.
    [[nodiscard]] bool hears_life(watch_id w) const noexcept { return hears_silence(w) && state(w) == alarm_state::ok; }

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
        entry(entry&& other) noexcept
            : tag{other.tag}, rows{std::exchange(other.rows, nullptr)}, by_silence{other.by_silence} {}
        entry& operator=(entry&& other) noexcept {
            std::swap(tag, other.tag);
            std::swap(rows, other.rows);
            std::swap(by_silence, other.by_silence);
            return *this;
        }
        entry(const entry&) = delete;
        entry& operator=(const entry&) = delete;
        ~entry() { delete rows; }

        const void* tag;
        alarm_group* rows;
        bool by_silence = false;
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

// file: reheat/recovery/deaths.hpp

namespace reheat::inline REHEAT_ABI {

/// The lease that an instance holds as long as it may run: its watchdog resets the machine if the lease is not renewed.
/// It is counted by the time source, which must not jump forward: `system_time` goes on with the steady clock.
struct lease {
    target_id target = no_target; ///< an instance
    time_point until{};           ///< as last renewed
    duration watchdog{};          ///< how long after `until` the watchdog has fired at the latest
    bool tied = false;            ///< whether that watchdog is fed by renewing this very lease; else it proves nothing
};

/// Time that clocks and watchdogs may be off by, before a lease that ran out is a proof.
inline constexpr duration lease_margin = std::chrono::seconds{30};

/// What is known to be dead without a fence: by an operator's word, or by a lease that ran out. Few at a time.
class death_book {
public:
    /// A named operator says that an instance does not run, and may be believed until then.
    void confirm(target_id target, time_point until) {
        withdraw(target);
        confirmed_.push_back({target, until});
    }
    void withdraw(target_id target) {
        std::erase_if(confirmed_, [target](const confirmation& c) { return c.target == target; });
    }
    /// Renewals may come late and out of order: only a later end counts.
    void renew(const lease& l) {
        const std::size_t at = place_of(l.target);
        if (at == leases_.size() || leases_[at].of.target != l.target)
            leases_.insert(leases_.begin() + static_cast<std::ptrdiff_t>(at), held{l, true});
        else if (leases_[at].of.until < l.until) leases_[at] = {l, true};
        else if (!l.tied) leases_[at].of.tied = false; // it never proves what it did not promise
    }
    /// The observer doubts itself: renewals may lie unread. From `now` on every lease has its whole time again.
    void doubt(time_point now) noexcept { doubted_at_ = later(doubted_at_, now); }
    /// Until when an operator's word that a target is dead is good; `never` without one.
    [[nodiscard]] time_point confirmed_until(target_id target) const noexcept {
        for (const confirmation& c : confirmed_) {
            if (c.target == target) return c.until;
        }
        return never;
    }
    /// By what a target is proved dead at a time, if it is. A confirmation comes before a lease.
    [[nodiscard]] std::optional<proof_kind> dead(target_id target, time_point now) const noexcept {
        for (const confirmation& c : confirmed_) {
            if (c.target == target && now < c.until) return proof_kind::confirmed;
        }
        if (lease_over(target) <= now) return proof_kind::lease_expired;
        return std::nullopt;
    }
    /// When a target's lease will prove that it is dead; `never` without one, or if its watchdog is not tied to it.
    [[nodiscard]] time_point lease_over(target_id target) const noexcept {
        const std::size_t at = place_of(target);
        if (at == leases_.size() || leases_[at].of.target != target) return never;
        const held& l = leases_[at];
        if (!l.by_this_copy || !l.of.tied) return never;
        return after(after(later(l.of.until, doubted_at_), l.of.watchdog), lease_margin);
    }
    /// A new copy is about to start: what was known of the old one says nothing of it, and no late renewal does.
    void forget(target_id target) {
        withdraw(target);
        const std::size_t at = place_of(target);
        if (at < leases_.size() && leases_[at].of.target == target) leases_[at].by_this_copy = false;
    }

private:
    struct confirmation {
        target_id target;
        time_point until;
    };

    std::vector<confirmation> confirmed_;
    struct held {
        lease of;
        bool by_this_copy; ///< else only its end is remembered
    };

    [[nodiscard]] std::size_t place_of(target_id target) const noexcept {
        return detail::place_of(target, leases_, [](const held& h) { return h.of.target; });
    }

    std::vector<held> leases_; // by target
    time_point doubted_at_ = (time_point::min)();
};

/// A copy that was proved dead and replaced. It must not be heard of again.
struct grave {
    target_id target = no_target;
    incident_id incident = no_incident;
    proof_kind proof{};
    time_point died_at{}; ///< when the proof was spent
    std::string cloud_id{};
    std::string host{};
    bool moved = false;                       ///< its successor has the same id, on another host
    time_point seen_at = (time_point::min)(); ///< running again
};

/// A machine that is seen running, by an observer that can tell copies apart.
struct copy_sighting {
    target_id target = no_target;
    std::string_view cloud_id{};
    std::string_view host{};
    time_point running_since{}; ///< of this boot, by the engine's time: a clock that is behind makes a proof look false
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/history.hpp

namespace reheat::inline REHEAT_ABI {

/// What is remembered of a target's last recovery, so that the next failure is not its first. A target that never
/// failed has none.
struct recovery_memory {
    // of its own incidents
    incident_id incident = no_incident;
    policy_id rules{}; ///< whose rungs the bits below are of
    time_point closed_at = (time_point::min)();
    unsigned tries = 0;              ///< of its last rung, for the backoff of the next failure
    std::uint8_t tried = 0;          ///< bit n: rung n was tried the last time and did not help
    std::uint8_t useless = 0;        ///< bit n: nor the time before that
    std::vector<std::string> said{}; ///< by the driver, unless it recovered by what was done
    // of actions upon it: the last instance or stack action that helped, and on whose evidence it was taken
    operation helped = operation::none;
    vantage_set on_word_of{};
    time_point helped_at = (time_point::min)();
};

/// How far up an operation stands: a ladder that is changed under way goes on with the first rung above the last one.
[[nodiscard]] constexpr unsigned rank(operation o) noexcept {
    switch (o) {
    case operation::guest_restarts: return 1;
    case operation::restart_service: return 2;
    case operation::reboot_instance: return 3;
    case operation::rebuild_instance: return 4;
    case operation::recreate_instance: return 5;
    case operation::evacuate_instance: return 6;
    case operation::converge_stack: return 7;
    case operation::page: return 8;
    default: return 0;
    }
}

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
    collecting, ///< forensics come before what destroys
};

/// One instance on its way to a proof of death.
struct death_wanted {
    target_id target = no_target;
    std::uint8_t method = 0;    ///< of the policy's fence methods, the next to try
    std::uint8_t in_flight = 0; ///< fences under way
    bool proved = false;
    time_point proved_at{};
    bool fenced = false; ///< by a fence of its own, so that nothing which came in the meantime can have started it
    proof_kind by{};     ///< of its proof
    time_point expires = never;
};

/// One failure of one target and how far its recovery has come.
struct incident {
    incident_id id = no_incident;
    target_id target = no_target;
    policy_id rules{};
    phase at = phase::deciding;
    std::uint8_t rung = 0;           ///< index in the policy
    std::uint16_t attempts = 0;      ///< of this rung, in this incident
    std::uint16_t fences = 0;        ///< rounds of fences that made no proof
    bool paged = false;              ///< a long wait has been paged
    bool forensics = false;          ///< collected for the attempt under way
    std::uint8_t useless = 0;        ///< bit n: rung n did not help the incident that this one goes on with
    std::uint8_t unhelpful = 0;      ///< bit n: rung n was tried in this one and did not help
    vantage_set accusers{};          ///< who has called the target unhealthy
    reason denied_by = reason::none; ///< the last denial, so that only a change is told
    std::uint32_t denied = 0;
    std::uint32_t paged_for = 0; ///< what denied when the long wait was paged
    bool by_itself = false;      ///< whether it was denied for its own sake, rather than with many
    std::uint32_t absorbs = 0;   ///< incidents that wait for its action
    unsigned tries = 0; ///< attempts of the incident before, if the target was not stable since; for the backoff
    incident_id absorbed_by = no_incident;
    target_id subject = no_target; ///< what the rung acts upon
    target_id reach = no_target;   ///< the highest that it has acted upon: what it absorbed is below
    std::uint32_t member_of = 0;   ///< a machine's place and group when the action began, which is spent there
    std::vector<set_id> places;    ///< the same of a stack
    op_id op = no_op;
    time_point opened_at{};
    time_point healed_at = never; ///< since when the guest is given time to heal itself
    time_point approved_until = (time_point::min)();
    time_point waiting_since = never;            ///< for something of its own, once it waits for that
    time_point waits_since = never;              ///< while it waits: since when, for whatever
    time_point not_before = (time_point::min)(); ///< backoff
    time_point wake = never;
    time_point verify_by = never;
    time_point off_since = never;              ///< its machine, by its fence: no alarm but one by silence is health
    time_point acted_at = (time_point::min)(); ///< what was heard before says nothing of whether it helped
    std::vector<death_wanted> deaths;
    std::vector<std::string>
        said; ///< what the driver said of its operations, for people: what failed, what is detached
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/ledger.hpp

namespace reheat::inline REHEAT_ABI {

/// What the ledger books an action as: a reboot that only the hypervisor is asked for has its own budget, so that it
/// can be a rung above one that asks the guest.
[[nodiscard]] constexpr operation booked_as(const rung& r) noexcept {
    constexpr unsigned hard = 0x80;
    const bool apart = r.what == operation::reboot_instance && r.how == reboot_kind::hard;
    return apart ? static_cast<operation>(static_cast<unsigned>(r.what) | hard) : r.what;
}

/// What has been spent: which action was taken on which target, and when. Only targets that were acted upon have
/// entries.
class ledger {
public:
    /// Notes an action. The target's entries too old for every budget are forgotten.
    void spend(target_id target, operation what, time_point at) {
        const auto id = static_cast<std::size_t>(target);
        if (id >= account_of_.size()) account_of_.resize(id + 1);
        if (account_of_[id] == 0) {
            accounts_.emplace_back();
            account_of_[id] = static_cast<std::uint32_t>(accounts_.size());
        }
        std::vector<entry>& spent = accounts_[account_of_[id] - 1];
        if (!spent.empty() && at - spent.front().at > longest)
            std::erase_if(spent, [at](const entry& e) { return at - e.at > longest; });
        spent.push_back({what, at});
    }

    /// Forgets an action noted at that time, which was not taken after all.
    void take_back(target_id target, operation what, time_point at) {
        if (!has_account(target)) return;
        std::vector<entry>& spent = accounts_[account_of_[static_cast<std::size_t>(target)] - 1];
        for (std::size_t e = spent.size(); e-- > 0;) {
            if (spent[e].what != what || spent[e].at != at) continue;
            spent.erase(spent.begin() + static_cast<std::ptrdiff_t>(e));
            return;
        }
    }

    /// Whether a budget has room for one more action of that kind on that target.
    [[nodiscard]] bool has_room(target_id target, operation what, const budget& b, time_point at) const {
        return has_room(target, what, b, b, at);
    }
    /// Whether both budgets have.
    [[nodiscard]] bool has_room(target_id target, operation what, const budget& burst, const budget& sustained,
                                time_point at) const {
        std::uint32_t in_burst = 0;
        std::uint32_t in_sustained = 0;
        if (has_account(target)) {
            // In order of time: only the newest ones can count.
            const duration longer = burst.within < sustained.within ? sustained.within : burst.within;
            const std::vector<entry>& spent = accounts_[account_of_[static_cast<std::size_t>(target)] - 1];
            for (std::size_t e = spent.size(); e-- > 0;) {
                const duration age = at - spent[e].at;
                if (age >= longer) break;
                if (spent[e].what != what) continue;
                in_burst += age < burst.within ? 1U : 0U;
                in_sustained += age < sustained.within ? 1U : 0U;
            }
        }
        return in_burst < burst.count && in_sustained < sustained.count;
    }

private:
    static constexpr duration longest = std::chrono::hours{24 * 31};
    struct entry {
        operation what;
        time_point at;
    };

    [[nodiscard]] bool has_account(target_id target) const noexcept {
        const auto id = static_cast<std::size_t>(target);
        return id < account_of_.size() && account_of_[id] != 0;
    }

    std::vector<std::uint32_t> account_of_;    // by target, counted from 1; 0 is none
    std::vector<std::vector<entry>> accounts_; // each in order of time
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/core/text_arena.hpp

namespace reheat::inline REHEAT_ABI {

/// Keeps short texts side by side for as long as it lives: a byte for the length and the text itself. Views of them
/// never move. One thread at a time.
class text_arena {
public:
    static constexpr std::size_t longest = 255;

    /// Where a text of at most 255 bytes was put.
    std::uint32_t keep(std::string_view text) {
        if (chunks_.empty() || chunks_.back().size() + text.size() + 1 > chunk_size) {
            chunks_.emplace_back();
            chunks_.back().reserve(chunk_size);
        }
        std::vector<char>& last = chunks_.back();
        const std::size_t at = (chunks_.size() - 1) * chunk_size + last.size();
        last.push_back(static_cast<char>(static_cast<unsigned char>(text.size())));
        last.insert(last.end(), text.begin(), text.end());
        return static_cast<std::uint32_t>(at);
    }
    [[nodiscard]] std::string_view at(std::uint32_t place) const noexcept {
        const char* const text = chunks_[place / chunk_size].data() + place % chunk_size;
        return {text + 1, static_cast<unsigned char>(*text)};
    }

private:
    static constexpr std::size_t chunk_size = std::size_t{1} << 14U;
    std::vector<std::vector<char>> chunks_;
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
    std::string_view group{};                             ///< a set of instances for limits; empty: its stack
    std::uint8_t priority = 0;                            ///< the more, the earlier it is recovered
};

/// A process on a machine, known to the guest's service manager by its name.
struct service {
    std::string_view name;
    target_id on = no_target;
    std::uint8_t priority = 0; ///< the more, the earlier it is recovered
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/target_tree.hpp

namespace reheat::inline REHEAT_ABI {

/// What is known of one target: 64 bytes, so that a million are nothing to speak of. What only some have is elsewhere.
struct target_record {
    std::uint32_t name = 0; ///< in the tree's texts
    target_id parent = no_target;
    target_id first_child = no_target;
    target_id next_sibling = no_target;
    incident_id incident = no_incident; ///< the open incident, if any
    incident_id actor = no_incident;    ///< whose action on it was the last
    std::uint32_t first_watch = 0;      ///< in the engine's list; 0: none
    std::uint32_t member_of = 0;        ///< an instance's place and group
    std::uint32_t words = 0;            ///< what was said of it beside its alarms; 0: nothing
    std::uint32_t memory = 0;           ///< of its last recovery; 0: none
    std::uint32_t seen = 0;             ///< what was seen of an instance; 0: nothing
    std::uint32_t busy_below = 0;       ///< actions on its descendants that are not finished
    std::uint16_t busy_here = 0;        ///< actions on it that are not finished
    std::uint16_t failing = 0;          ///< an instance's: open incidents on it and its services
    std::uint16_t beats = 0;            ///< an instance's: alarms that hear it or its services
    std::uint16_t raised = 0;           ///< watched alarms that are in `alarm`
    std::uint16_t quiet = 0;            ///< watched alarms that are in `ok`
    policy_id rules{};                  ///< how its incidents are recovered
    level of{};
    asset keep = asset::none;
    std::uint8_t priority = 0;
    bool unsure : 1 = false; ///< an instance of which nobody knows whether an order has made it
    bool second : 1 = false; ///< a copy of it may run that nobody knows of: only a fence by its name proves it dead

    /// What its alarms say.
    [[nodiscard]] constexpr health heard() const noexcept {
        return raised != 0 ? health::unhealthy : quiet != 0 ? health::healthy : health::unknown;
    }
};
static_assert(sizeof(target_record) <= 64);

/// What was seen of an instance, as places in the tree's texts; 0 is nothing. Texts are kept for good: they change with
/// a recovery, not with time.
struct seen_record {
    std::uint32_t cloud_id = 0;
    std::uint32_t boot_id = 0;
    std::uint32_t host = 0;
    std::uint32_t address = 0;
};

/// Services on instances in stacks. Ids are dense and never reused; names are found through an index.
class target_tree {
public:
    target_tree() : seen_(1), words_(1) { names_.keep({}); }

    [[nodiscard]] std::size_t size() const noexcept { return targets_.size(); }
    [[nodiscard]] std::size_t count(level of) const noexcept { return counts_[static_cast<std::size_t>(of)]; }
    [[nodiscard]] bool has(target_id id) const noexcept { return static_cast<std::size_t>(id) < targets_.size(); }
    [[nodiscard]] target_record& operator[](target_id id) noexcept { return targets_[static_cast<std::size_t>(id)]; }
    [[nodiscard]] const target_record& operator[](target_id id) const noexcept {
        return targets_[static_cast<std::size_t>(id)];
    }
    void reserve(std::size_t targets) { targets_.reserve(targets); }

    /// Adds a target; a name that its level has already is an error. A service's is `instance/service`.
    result<target_id> add(target_record t, std::string_view name) {
        if (name.empty() || name.size() > text_arena::longest)
            return error{errc::invalid_argument, "name", "expected 1 to 255 characters"};
        target_id id = find(t.of, name);
        if (id != no_target && !awaited(id))
            return error{errc::already_exists, std::string{name},
                         "there is a " + std::string{to_string(t.of)} + " of that name"};
        if (id == no_target) id = make(t.of, name);
        else awaited_[static_cast<std::size_t>(id)] = false;
        t.name = (*this)[id].name;
        if (t.parent != no_target) t.next_sibling = std::exchange((*this)[t.parent].first_child, id);
        (*this)[id] = t;
        ++counts_[static_cast<std::size_t>(t.of)];
        return id;
    }

    /// Keeps the next number for a target of an earlier run, until it is added.
    target_id await(level of, std::string_view name) {
        awaited_.push_back(true);
        return make(of, name);
    }
    /// Whether a target is only known from an earlier run.
    [[nodiscard]] bool awaited(target_id id) const noexcept {
        return static_cast<std::size_t>(id) < awaited_.size() && awaited_[static_cast<std::size_t>(id)];
    }

    /// The name; it never moves.
    [[nodiscard]] std::string_view name(target_id id) const noexcept { return names_.at((*this)[id].name); }
    /// The target of that level and name, or `no_target`. A service's name is `instance/service`.
    [[nodiscard]] target_id find(level of, std::string_view name) const {
        return static_cast<target_id>(by_name_[static_cast<std::size_t>(of)].find(name, name_of{*this}));
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
    /// Visits a target and everything below it.
    template <class Visit>
    void each_below(target_id id, const Visit& visit) const {
        visit(id);
        for (target_id child = (*this)[id].first_child; child != no_target; child = (*this)[child].next_sibling)
            each_below(child, visit);
    }

    /// Marks an action on a target as begun (`by` = 1) or finished (-1).
    void mark_busy(target_id id, int by) noexcept {
        (*this)[id].busy_here = static_cast<std::uint16_t>((*this)[id].busy_here + by);
        for (target_id up = (*this)[id].parent; up != no_target; up = (*this)[up].parent)
            (*this)[up].busy_below += static_cast<std::uint32_t>(by);
    }
    /// Whether an action on it, an ancestor or a descendant is not finished.
    [[nodiscard]] bool busy(target_id id) const noexcept {
        if ((*this)[id].busy_below != 0) return true;
        return busy_above(id) != no_target;
    }
    /// The target itself or the nearest ancestor with an action that is not finished, or `no_target`.
    [[nodiscard]] target_id busy_above(target_id id) const noexcept {
        while (id != no_target && (*this)[id].busy_here == 0) id = (*this)[id].parent;
        return id;
    }

    /// What was seen of an instance; empty as long as nothing was.
    [[nodiscard]] std::string_view cloud_id(target_id id) const noexcept { return seen(id, &seen_record::cloud_id); }
    [[nodiscard]] std::string_view boot_id(target_id id) const noexcept { return seen(id, &seen_record::boot_id); }
    [[nodiscard]] std::string_view host(target_id id) const noexcept { return seen(id, &seen_record::host); }
    [[nodiscard]] std::string_view address(target_id id) const noexcept { return seen(id, &seen_record::address); }
    void note_seen(target_id id, const observed& now) {
        note(id, &seen_record::cloud_id, now.cloud_id);
        note(id, &seen_record::boot_id, now.boot_id);
        note(id, &seen_record::host, now.host);
        note(id, &seen_record::address, now.address);
        if (!now.cloud_id.empty()) (*this)[id].unsure = false;
    }

    /// Another copy may run under the name from now on: by what the cloud knows it has to be seen.
    void forget_identity(target_id id) noexcept {
        seen_record& known = seen_[(*this)[id].seen];
        known.cloud_id = known.boot_id = known.host = 0;
    }

    /// What was said of a target beside its alarms.
    [[nodiscard]] const testimonies& words(target_id id) const noexcept { return words_[(*this)[id].words]; }
    [[nodiscard]] testimonies& note_words(target_id id) { return entry(words_, (*this)[id].words); }

private:
    target_id make(level of, std::string_view name) {
        const auto id = static_cast<target_id>(targets_.size());
        targets_.push_back({.name = names_.keep(name), .of = of});
        by_name_[static_cast<std::size_t>(of)].add(name, static_cast<std::uint32_t>(id));
        return id;
    }
    struct name_of {
        const target_tree& tree;
        std::string_view operator()(std::uint32_t id) const noexcept { return tree.name(static_cast<target_id>(id)); }
    };
    [[nodiscard]] std::string_view seen(target_id id, std::uint32_t seen_record::* which) const noexcept {
        return names_.at(seen_[(*this)[id].seen].*which);
    }
    void note(target_id id, std::uint32_t seen_record::* which, std::string_view text) {
        if (text.size() > text_arena::longest) return;
        if (!text.empty() && seen(id, which) != text) entry(seen_, (*this)[id].seen).*which = names_.keep(text);
    }
    /// The entry of that number, made if it is 0.
    template <class T>
    static T& entry(std::vector<T>& all, std::uint32_t& number) {
        if (number == 0) {
            number = static_cast<std::uint32_t>(all.size());
            all.emplace_back();
        }
        return all[number];
    }

    std::vector<target_record> targets_;
    std::vector<bool> awaited_; // of the first ones, which an earlier run had
    text_arena names_;
    std::array<name_index, 3> by_name_; // by level
    std::array<std::size_t, 3> counts_{};
    std::vector<seen_record> seen_;
    std::vector<testimonies> words_;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/orders.hpp

namespace reheat::inline REHEAT_ABI {

/// An operator's word that holds for a while: nothing is done to a target and what is below it, or to anything.
struct standing_order {
    enum class kind : std::uint8_t { maintenance, freeze };

    kind what{};
    target_id target = no_target; ///< `no_target`: everything
    time_point until = never;
    std::string who{};
    std::string why{};
};

/// The standing orders, few at a time.
class order_book {
public:
    /// A new order for a target replaces its old one of the same kind.
    void give(standing_order order) {
        end(order.what, order.target);
        orders_.push_back(std::move(order));
    }
    /// Ends an order; false if there is none.
    bool end(standing_order::kind what, target_id target) {
        return std::erase_if(orders_, [&](const standing_order& o) { return o.what == what && o.target == target; }) !=
               0;
    }
    /// The order of that kind that holds for a target at a time, or null: on itself, what is above it, or
    /// everything; and for a stack on one of its instances, which an action upon the stack would reach.
    [[nodiscard]] const standing_order* holding(standing_order::kind what, target_id target, time_point now,
                                                const target_tree& tree) const noexcept {
        for (const standing_order& o : orders_) {
            if (o.what != what || now >= o.until) continue;
            if (o.target == no_target || tree.covers(o.target, target) || is_below(o.target, target, tree)) return &o;
        }
        return nullptr;
    }
    /// Forgets the orders that are over and visits each; true if there was one.
    template <class Visit>
    bool expire(time_point now, const Visit& visit) {
        return std::erase_if(orders_, [&](const standing_order& o) {
                   if (now < o.until) return false;
                   visit(o);
                   return true;
               }) != 0;
    }
    /// When the next one is over.
    [[nodiscard]] time_point next() const noexcept {
        time_point earliest = never;
        for (const standing_order& o : orders_) earliest = earlier(earliest, o.until);
        return earliest;
    }

private:
    [[nodiscard]] static bool is_below(target_id ordered, target_id target, const target_tree& tree) noexcept {
        return tree[target].of == level::stack && tree[ordered].of == level::instance && tree.covers(target, ordered);
    }

    std::vector<standing_order> orders_;
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
    duration lease_margin = std::chrono::seconds{5}; ///< by which the lead outlasts a call: clocks, and the way to it
    duration lease_covers = (duration::max)(); ///< of a call: all of it, or only so much where the cloud checks epochs
    self_doubt doubts{};                       ///< of an engine that is stepped late
    limits bounds{};                           ///< of all actions together
    /// Decide on live input, write no intent and call nothing. What would be called is told (`reason::would_act`), is
    /// spent like any other, and counts as done at once; what would be asked of the cloud counts as answered, without
    /// saying anything of a target.
    bool shadow = false;
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
    explicit engine(const policy& rules, engine_options options = {})
        : options_{options}, silence_{options.bounds.silence} {
        // A pause of zero would be an endless loop at one time.
        if (options_.read_back_every < shortest_pause) options_.read_back_every = shortest_pause;
        if (options_.proof_validity < shortest_pause) options_.proof_validity = shortest_pause;
        if (options_.bounds.api.within < shortest_pause) options_.bounds.api.within = shortest_pause;
        policies_.push_back({rules, static_cast<policy_id>(0)});
    }
    engine(engine&&) = default;
    engine& operator=(engine&&) = default;
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() = default;

    /// Goes on with what an earlier run wrote, in order; see `engine/resume.hpp`. Before anything is added: the names
    /// get their old ids back, and the rest is taken up by the first step.
    result<void> recover(std::vector<record> past);

    // What there is

    /// Adds a policy beside the first one; the 65,537th is an error.
    result<policy_id> add_policy(const policy& rules) {
        if (policies_.size() > 0xffffU) return error{errc::limit_exceeded, {}, "expected at most 65,536 policies"};
        policies_.push_back({rules, static_cast<policy_id>(policies_.size())});
        return policies_.back().newest;
    }
    /// Adds a stack, an instance or a service; names are copied. Errors: a name that is taken or empty, a service on no
    /// instance.
    result<target_id> add(const stack& s);
    result<target_id> add(const instance& i);
    result<target_id> add(const service& s);
    /// Makes room for so many targets with one watch each, so that adding them moves nothing.
    void reserve(std::size_t targets) {
        targets_.reserve(targets);
        links_.reserve(targets + 1);
    }
    /// Recovers the target's incidents by that policy from now on. An incident that is open keeps its own.
    /// An unknown target or policy changes nothing.
    void use_policy(target_id target, policy_id rules) noexcept {
        if (targets_.has(target) && static_cast<std::size_t>(rules) < policies_.size())
            targets_[target].rules = policies_[static_cast<std::size_t>(rules)].newest;
    }
    /// Recovery of `dependent` waits while `on` is not well. Errors: an unknown target, a circle.
    result<void> depend(target_id dependent, target_id on);
    /// Asks a guard of the integrator's own with all others. It is referred to, and outlives the engine.
    template <recovery_guard G>
    void add_guard(const G& guard) {
        guards_.emplace_back(guard);
    }
    template <recovery_guard G>
    void add_guard(const G&& guard) = delete;
    /// Watches a target by an alarm from `at` on. Errors: an unknown target, a rule whose numbers are out of bounds.
    template <alarm_rule Rule>
    result<watch_id> watch(target_id target, const Rule& rule, time_point at) {
        if (!targets_.has(target)) return error{errc::not_found, {}, "there is no such target"};
        if (auto valid = validate(rule); !valid) return std::move(valid).error();
        const watch_id made = watches_.watch(rule, target, at);
        links_.push_back(
            {made, std::exchange(targets_[target].first_watch, static_cast<std::uint32_t>(links_.size()))});
        return made;
    }

    // Inputs: they record, and decide nothing

    /// A sample for a watched alarm. Never allocates.
    void push(watch_id watch, time_point at, double value) noexcept { watches_.push(watch, at, value); }
    /// A reading of evidence that is no metric.
    void observe(const observation& seen) { inputs_.put(seen); }
    /// The outcome of a call. `repeated`: the completion had been called before.
    void complete(op_id op, time_point at, outcome result, bool repeated = false) {
        inputs_.put(completed{op, at, std::move(result), repeated});
    }
    /// An operator's word; the texts are copied.
    void operate(const operator_input& word, time_point at) {
        inputs_.put(spoken{word.what, word.target, at, word.expires, std::string{word.who}, std::string{word.reason}});
    }
    /// Asks for an instance to be created, as part of a stack's creation. Ignored, and told why, if it exists, or if an
    /// earlier order may have made it: then the cloud is asked first (`reason::outcome_unknown`).
    void order_creation(target_id instance, time_point at) { inputs_.put(ordered{instance, at}); }
    /// The guest says that it restarted the target itself, as `cfn-hup` does.
    void guest_restarted(target_id target, time_point at) { inputs_.put(healed{target, at}); }
    /// A host is proved dead, with all that ran there: by its fence device, by an API that vouches for it, or by an
    /// operator. That it was marked as down is no proof. An unknown host is only told.
    void host_died(std::string_view host, proof_kind by, time_point at) {
        inputs_.put(host_word{std::string{host}, true, by, at});
    }
    /// That host runs again.
    void host_returned(std::string_view host, time_point at) {
        inputs_.put(host_word{std::string{host}, false, proof_kind::fenced, at});
    }
    /// An instance's lease was renewed. When it runs out, with its watchdog and a margin, the instance is proved dead.
    void renew(const lease& l) { inputs_.put(l); }
    /// A machine was seen running, by an observer that can tell copies apart. One that had been proved dead breaks the
    /// trust in proofs, or came back: `policy::returned`. A proof that is not spent yet is withdrawn.
    void sighted(const copy_sighting& seen, time_point at) {
        inputs_.put(sighting{seen.target, std::string{seen.cloud_id}, std::string{seen.host}, seen.running_since, at});
    }
    /// A zone has room for so many more instances; an empty name: the whole cloud.
    void tell_capacity(std::string_view zone, std::uint32_t room, time_point at) {
        inputs_.put(capacity{std::string{zone}, room, at});
    }
    /// A policy is replaced. Targets and incidents go on with the new one: an open incident from its next rung on, with
    /// the attempts it has spent. An unknown policy changes nothing.
    void change_policy(policy_id which, const policy& to, time_point at) { inputs_.put(new_policy{which, to, at}); }
    /// This controller leads until then: a new epoch, after which what can not be undone waits as after a start, or the
    /// same one renewed. No call starts that its lease does not outlast. A smaller epoch is ignored.
    void leads(epoch reign, time_point until, time_point at) {
        leased_ = true;
        if (reign != options_.reign || lost_) return inputs_.put(new_leader{reign, until, at});
        lead_until_ = until;
        for (const incident& i : incidents_) look_again_ = look_again_ || (i.denied & bit(guard::leadership)) != 0;
    }
    /// Another controller may lead: this engine writes and calls nothing any more, and goes on watching. Whoever leads
    /// again starts anew, from the journal.
    void lost_lead(time_point at) {
        if (std::exchange(lost_, true)) return;
        leased_ = options_.shadow = true; // it writes no intent, and calls nobody
        lead_until_ = (time_point::min)();
        inputs_.put(new_leader{options_.reign, lead_until_, at});
    }
    /// So many samples or outcomes found the inbox of the runner full. That is our own stall, never a target's silence.
    void overflowed(std::uint64_t lost, time_point at) { inputs_.put(overflow{lost, at}); }
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

    /// Decides what is due at `now` and appends to `out`. A `now` before the last one counts as the last one; by more
    /// than `self_doubt::most_late`, and `clock_jumped` says so.
    void step(time_point now, outputs& out);
    /// When it wants to be stepped again, if nothing is recorded before; at or before the last step means at once.
    [[nodiscard]] time_point next() const noexcept;

    // Reading; views and references live until the next change

    [[nodiscard]] std::string_view name(target_id target) const noexcept {
        return targets_.has(target) ? targets_.name(target) : std::string_view{};
    }
    [[nodiscard]] target_id find(level of, std::string_view name) const { return targets_.find(of, name); }
    [[nodiscard]] const target_tree& targets() const noexcept { return targets_; }
    [[nodiscard]] const set_book& sets() const noexcept { return sets_; }
    [[nodiscard]] const engine_options& options() const noexcept { return options_; }
    [[nodiscard]] alarm_state state(watch_id watch) const noexcept { return watches_.state(watch); }
    /// Visits each alarm that is watched on a target.
    template <class Visit>
    void each_watch(target_id target, const Visit& visit) const {
        if (!targets_.has(target)) return;
        for (std::uint32_t at = targets_[target].first_watch; at != 0; at = links_[at].next) visit(links_[at].watch);
    }
    /// What one vantage says of a target now, and all of them together: unhealthy if any says so, else healthy if any
    /// does.
    [[nodiscard]] health says(target_id target, vantage v) const noexcept;
    [[nodiscard]] health health_of(target_id target) const noexcept;
    /// The open incident of a target, or null.
    [[nodiscard]] const incident* incident_of(target_id target) const noexcept {
        return targets_.has(target) ? find_incident(targets_[target].incident) : nullptr;
    }
    [[nodiscard]] const std::vector<incident>& incidents() const noexcept { return incidents_; }
    [[nodiscard]] std::size_t open_incidents() const noexcept { return incidents_.size(); }
    [[nodiscard]] const policy& policy_of(const incident& i) const noexcept { return rules(i.rules); }
    /// What every guard says to the rung that an incident stands on, now.
    [[nodiscard]] guard_answers answers_for(const incident& i) const noexcept {
        return i.rung < policy_of(i).size() ? ask_guards(i, rung_of(i), subject_of(i, rung_of(i))) : guard_answers{};
    }
    /// What the rung that an incident stands on acts upon, or `no_target`.
    [[nodiscard]] target_id subject_of(const incident& i) const noexcept {
        return i.rung < policy_of(i).size() ? subject_of(i, rung_of(i)) : no_target;
    }
    /// What is remembered of a target's recoveries, or null.
    [[nodiscard]] const recovery_memory* memory_of(target_id target) const noexcept {
        return targets_.has(target) && targets_[target].memory != 0 ? &memories_[targets_[target].memory] : nullptr;
    }
    /// Whether a proof of death turned out false: nothing is done until an operator says `trust`.
    [[nodiscard]] bool trust_broken() const noexcept { return trust_broken_; }
    /// Whether it lost the lead, for good.
    [[nodiscard]] bool deposed() const noexcept { return lost_; }
    /// The newest record that it gave out.
    [[nodiscard]] sequence written() const noexcept { return static_cast<sequence>(last_sequence_); }
    /// The newest record that is not waited for: it is durable, or the journal has failed.
    [[nodiscard]] sequence settled() const noexcept { return journal_ok_ ? durable_ : written(); }
    /// How many operations have been called and did not come to their end: none, and the lead can be given away.
    [[nodiscard]] std::size_t under_way() const noexcept {
        std::size_t n = probes_.size();
        for (const pending_operation& op : operations_) n += op.at != pending_operation::stage::journaled ? 1U : 0U;
        return n;
    }
    /// Whether so much fell silent that the observer is not sure of itself.
    [[nodiscard]] bool doubts_itself() const noexcept { return doubting_; }
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
    struct healed {
        target_id target;
        time_point at;
    };
    struct host_word {
        std::string host;
        bool dead;
        proof_kind by;
        time_point at;
    };
    struct sighting {
        target_id target;
        std::string cloud_id;
        std::string host;
        time_point running_since;
        time_point at;
    };
    struct capacity {
        std::string zone;
        std::uint32_t room;
        time_point at;
    };
    struct new_policy {
        policy_id which;
        policy to;
        time_point at;
    };
    struct new_leader {
        epoch reign;
        time_point until;
        time_point at;
    };
    struct overflow {
        std::uint64_t lost;
        time_point at;
    };
    using input_queue = detail::input_queue<completed, observation, spoken, ordered, overflow, healed, host_word, lease,
                                            sighting, capacity, new_policy, new_leader>;
    static constexpr duration shortest_pause = std::chrono::seconds{1};

    struct policy_version {
        policy rules;
        policy_id newest; ///< that replaces it; itself if none does
    };
    struct watch_link {
        watch_id watch;
        std::uint32_t next;
    };
    struct dependency_edge {
        target_id dependent;
        target_id on;
    };
    /// A question to the cloud that belongs to no operation.
    struct probe {
        op_id reading;
        target_id machine;
        time_point by;
    };
    /// A copy that returned and has to go.
    struct stray {
        target_id target;
        std::string cloud_id;
        time_point again_at; // when its fence is due; `never` if nobody knows of it which of the two it is
        time_point seen_at{};
        unsigned tries = 0;
        op_id op = no_op; // its last fence
    };

    // engine/inputs.hpp: what came in
    void take(completed& c, outputs& out);
    void take(const observation& o, outputs& out);
    void take(const ordered& o, outputs& out);
    void take(const overflow& o, outputs& out);
    void take(const healed& h, outputs& out);
    void take(const host_word& h, outputs& out);
    void take(const lease& l, outputs& out);
    void take(const sighting& s, outputs& out);
    void take(const capacity& c, outputs& out);
    void take(const new_policy& p, outputs& out);
    void take(const new_leader& l, outputs& out);
    void take(const transition& t, outputs& out);
    void look_at_all(outputs& out);
    void reconcile(const sighting& s, std::string_view old_cloud_id, bool news, outputs& out);
    void meet_stranger(const sighting& s, outputs& out);
    /// Whether a copy was not seen for a while: as long as it runs it is seen again and again.
    [[nodiscard]] bool is_news(time_point& seen_at) const noexcept {
        return after(std::exchange(seen_at, now_), options_.page_after) < now_;
    }
    void check_clock(time_point now, outputs& out);
    void tell_journal(outputs& out);
    void health_changed(target_id target, reason why, outputs& out);
    void note_beat(const transition& t);
    void watch_silence(outputs& out);
    void ask_machine(target_id machine, outputs& out);
    [[nodiscard]] time_point ask_again_at(target_id machine) const noexcept {
        for (const probe& p : asked_) {
            if (p.machine == machine && now_ < p.by) return p.by;
        }
        return after(now_, options_.read_back_every);
    }
    void end_doubt(outputs& out);
    void watch_orders(outputs& out);
    void watch_breakers(outputs& out);
    [[nodiscard]] time_point grows_old(target_id target) const noexcept;

    // engine/operators.hpp: what an operator says
    void take(const spoken& s, outputs& out);
    [[nodiscard]] reason hear(const spoken& s, outputs& out);
    [[nodiscard]] bool answer_rung(const spoken& s, outputs& out);

    // engine/resume.hpp: what an earlier run had begun
    void resume(outputs& out);
    void relive(const record& r, outputs& unsaid);
    void relive_alarm(const record& r);
    void relive_opened(const record& r);
    void relive_intent(const record& r, outputs& unsaid);
    void relive_outcome(const record& r, outputs& unsaid);
    void relive_word(const record& r, outputs& unsaid);
    void may_have_begun(pending_operation& op);
    void go_on_after_gap(incident& i);

    // engine/decide.hpp: the incident's way up the ladder
    void open(target_id target, reason why, outputs& out);
    bool make(incident& i, target_id target);
    void place_late();
    void look(incident& i, outputs& out);
    void decide(incident& i, outputs& out);
    [[nodiscard]] asset keeps(target_id subject) const noexcept;
    [[nodiscard]] reason skip(const incident& i, const rung& r, target_id subject) const noexcept;
    [[nodiscard]] bool guest_overspent(target_id target, const rung& r) const;
    [[nodiscard]] bool wait_for_guest(incident& i, const rung& r, outputs& out);
    void climb(incident& i, decision what, reason why, outputs& out);
    void wait(incident& i, target_id subject, const guard_answers& answers, outputs& out);
    static void begin_wait(incident& i, time_point since) noexcept {
        if (i.waiting_since == never) i.waiting_since = i.waits_since = since;
    }
    static void waits_for_nothing(incident& i) noexcept {
        i.denied = 0;
        i.denied_by = reason::none;
        i.wake = never;
    }
    void begin(incident& i, const rung& r, target_id subject, outputs& out);
    void act_upon(incident& i, target_id subject, outputs& out);
    void note_places(incident& i) const;
    void absorb_below(incident& i, outputs& out);
    void go_on(incident& i, outputs& out);
    void retry(incident& i, duration at_least);
    void step_back(incident& i);
    void check_verdict(incident& i, outputs& out);
    void close(incident& i, reason why, outputs& out);
    void release_absorbed(incident& by, outputs& out, bool all = true);
    void let_go(incident& absorbed, outputs& out);
    void park(incident& i, outputs& out);
    [[nodiscard]] time_point page_at(const incident& i) const noexcept;
    [[nodiscard]] time_point page_at(const pending_operation& op) const noexcept;
    void page_long_wait(incident& i, outputs& out);
    [[nodiscard]] bool waits_by_itself(std::uint32_t denied) const noexcept;
    [[nodiscard]] bool well(const incident& i, time_point since) const noexcept;
    [[nodiscard]] bool beats(target_id target) const noexcept;
    [[nodiscard]] bool heard_since_action(target_id target) const noexcept;

    // engine/guards.hpp: who may say no
    [[nodiscard]] guard_answers ask_guards(const incident& i, const rung& r, target_id subject) const noexcept;
    /// Visits each machine that an action happens to: of a stack those that it may make anew, since they are ill.
    template <class Visit>
    void each_machine(target_id subject, const Visit& visit) const {
        const bool stack = targets_[subject].of == level::stack;
        target_id m = stack ? targets_[subject].first_child : machine_of(subject);
        for (; m != no_target; m = stack ? targets_[m].next_sibling : no_target) {
            if (!stack || targets_[m].failing != 0) visit(m);
        }
    }
    /// Visits the group, rack and zone of each of these machines, and the group that has a stack's name.
    template <class Visit>
    void each_place(target_id subject, const Visit& visit) const {
        const auto known = [&visit](set_id s) { s != no_set ? visit(s) : void(); };
        if (targets_[subject].of == level::stack) known(sets_.find(set_kind::group, targets_.name(subject)));
        each_machine(subject, [&](target_id machine) {
            for (const set_id s : sets_of(machine).above_host()) known(s);
        });
    }
    /// Visits the sets in which an action that has begun is spent.
    template <class Visit>
    void each_spent(const incident& i, const Visit& visit) const {
        for (const set_id s : sets_.of(i.member_of).above_host()) {
            if (s != no_set) visit(s);
        }
        for (const set_id s : i.places) visit(s);
    }
    [[nodiscard]] const shared_budget& budget_of(set_kind of) const noexcept {
        return of == set_kind::group ? options_.bounds.group : options_.bounds.domain;
    }
    void ask_sets(guard_answers& answers, const rung& r, target_id subject) const noexcept;
    [[nodiscard]] guard_answer ask_evidence(const incident& i, const rung& r, target_id subject) const noexcept;
    [[nodiscard]] time_point grows_old(target_id machine, vantage_set which) const noexcept;
    [[nodiscard]] guard_answer attest(const incident& i, target_id target, target_id machine) const noexcept;
    [[nodiscard]] guard_answer ask_freeze(const incident& i, const rung& r, target_id subject) const noexcept;
    [[nodiscard]] guard_answer ask_budget(const shared_budget& b, const spending& spent, reason why,
                                          set_id in) const noexcept;
    [[nodiscard]] guard_answer ask_quota() const noexcept;
    [[nodiscard]] guard_answer ask_leadership(const incident& i, const rung& r) const noexcept;
    /// Whether the lead outlasts a call that starts now and may take so long.
    [[nodiscard]] bool leads_for(duration call) const noexcept {
        const duration covered = call < options_.lease_covers ? call : options_.lease_covers;
        return !leased_ || after(after(now_, covered), options_.lease_margin) <= lead_until_;
    }
    [[nodiscard]] reason unled() const noexcept { return lost_ ? reason::leadership_lost : reason::leadership_ends; }
    [[nodiscard]] std::uint32_t about_to_act(set_id in) const noexcept;
    /// When the driver may be called again: `now_` if it may now.
    [[nodiscard]] time_point call_at() const noexcept { return calls_made_.room_at(options_.bounds.api, now_); }
    [[nodiscard]] guard_answer ask_in_flight(const incident& i, const rung& r) const noexcept;
    [[nodiscard]] guard_answer ask_probation(const incident& i, const rung& r, target_id subject) const noexcept;
    [[nodiscard]] guard_answer ask_dependencies(const incident& i) const noexcept;
    [[nodiscard]] guard_answer ask_capacity(const rung& r, target_id subject) const noexcept;
    [[nodiscard]] bool confirmed_by_second(const incident& i, target_id subject) const noexcept;

    // engine/fencing.hpp: proofs of death
    [[nodiscard]] std::optional<proof_kind> dead(target_id machine) const noexcept;
    [[nodiscard]] bool proofs_ready(const rung& r, target_id subject) const noexcept;
    void want_deaths(incident& i, const rung& r, target_id subject);
    void fence_next(incident& i, outputs& out);
    void mint(incident& i, death_wanted& d, proof_kind by, reason why, outputs& out);
    void fence_ended(incident& i, target_id machine, outcome_code code, reason why, duration retry_after, outputs& out);
    [[nodiscard]] time_point due(const stray& s) const noexcept;
    void fence_strays(outputs& out);
    void stray_fenced(op_id op, outcome_code code, duration retry_after, outputs& out);
    [[nodiscard]] std::optional<grave> withdraw_proof(const sighting& s, outputs& out);
    /// No copy of a machine runs that nobody knows of. Where it stands nobody knows, if there may have been one.
    void only_one(target_id machine) {
        if (targets_[machine].second) move_to(machine, {});
        targets_[machine].second = false;
        std::erase_if(strays_, [machine](const stray& s) { return s.target == machine && s.again_at == never; });
    }
    void bury(const pending_operation& op);
    void exhume(const incident& i);

    // engine/operate.hpp: intents, calls, outcomes
    pending_operation& start(operation what, target_id subject, incident* for_incident, duration timeout,
                             duration settle, outputs& out);
    void write_intent(pending_operation& op, const incident* i, outputs& out);
    [[nodiscard]] call make_call(const pending_operation& op, op_id id, operation what, time_point deadline) const;
    void emit_call(pending_operation& op, outputs& out);
    void tell_call(const pending_operation& op, reason why, outputs& out);
    void suppose_done(pending_operation& op, outputs& out);
    void forget_past(const pending_operation& op);
    void excuse_silence(target_id subject, duration grace);
    void drop(pending_operation& op, reason why, outputs& out);
    [[nodiscard]] reason no_longer_wanted(const pending_operation& op) const noexcept;
    [[nodiscard]] reason left_alone(target_id target) const noexcept;
    [[nodiscard]] bool runs_elsewhere(operation what, target_id subject) const noexcept;
    /// Whether an instance exists, as far as anybody saw.
    [[nodiscard]] bool made(target_id instance) const noexcept {
        return !targets_.cloud_id(instance).empty() || targets_[instance].heard() == health::healthy;
    }
    void watch_deadlines(pending_operation& op, outputs& out);
    void doubt_outcome(pending_operation& op, reason why, outputs& out);
    void ask_cloud(pending_operation& op, outputs& out);
    void read_back(pending_operation& op, const outcome& seen, outputs& out);
    void finish(pending_operation& op, outcome_code code, reason why, duration retry_after, outputs& out);
    void note_seen(target_id subject, const observed& seen);
    void move_to(target_id machine, std::string_view host);
    void spend(const incident& i, pending_operation& op);
    void note_spent(spending& s, const shared_budget& b) {
        if (b.limits()) s.spend(now_, b.burst.within < b.sustained.within ? b.sustained.within : b.burst.within);
    }
    void take_back(const incident& i, pending_operation& op);
    void take_room(pending_operation& op, set_id in);
    void give_back_room(pending_operation& op);
    /// Of a zone, or of the whole cloud.
    [[nodiscard]] std::optional<std::uint32_t>& room_of(set_id in) noexcept {
        return in == no_set ? room_ : sets_[in].room;
    }

    // Shared
    [[nodiscard]] const policy& rules(policy_id p) const noexcept {
        return policies_[static_cast<std::size_t>(p)].rules;
    }
    [[nodiscard]] const evidence_rules& evidence_of(target_id target) const noexcept {
        return rules(targets_[target].rules).evidence;
    }
    [[nodiscard]] const rung& rung_of(const incident& i) const noexcept { return policy_of(i).rungs()[i.rung]; }
    [[nodiscard]] target_id subject_of(const incident& i, const rung& r) const noexcept {
        return r.what == operation::guest_restarts ? i.target : targets_.ancestor(i.target, level_of(r.what));
    }
    [[nodiscard]] target_id machine_of(target_id target) const noexcept {
        return target == no_target ? no_target : targets_.ancestor(target, level::instance);
    }
    [[nodiscard]] const membership& sets_of(target_id machine) const noexcept {
        return sets_.of(machine == no_target ? 0 : targets_[machine].member_of);
    }
    /// Why nothing is done while the breaker of a set is open.
    [[nodiscard]] static reason opened(const instance_set& s) noexcept {
        return s.of == set_kind::group ? reason::breaker_group : reason::breaker_domain;
    }
    [[nodiscard]] vantage_set calling(target_id target, health what) const noexcept;
    [[nodiscard]] recovery_memory& remember(target_id target) {
        std::uint32_t& number = targets_[target].memory;
        if (number == 0) {
            number = static_cast<std::uint32_t>(memories_.size());
            memories_.emplace_back();
        }
        return memories_[number];
    }
    [[nodiscard]] const incident* find_incident(incident_id id) const noexcept {
        return const_cast<engine*>(this)->find_incident(id);
    }
    [[nodiscard]] incident* find_incident(incident_id id) noexcept {
        if (id == no_incident) return nullptr;
        std::vector<incident>* all = &incidents_;
        std::size_t at = place_of(id, *all);
        if (at == all->size() || (*all)[at].id != id) at = place_of(id, *(all = &late_));
        return at < all->size() && (*all)[at].id == id ? &(*all)[at] : nullptr;
    }
    [[nodiscard]] static std::size_t place_of(incident_id id, const std::vector<incident>& all) noexcept {
        return detail::place_of(id, all, [](const incident& i) { return i.id; });
    }
    /// The open incidents on a target and below it, in the order of their opening.
    [[nodiscard]] std::vector<incident_id> open_below(target_id above) const {
        std::vector<incident_id> ids;
        targets_.each_below(above, [&](target_id below) {
            if (targets_[below].incident != no_incident) ids.push_back(targets_[below].incident);
        });
        detail::sort(ids, [](incident_id a, incident_id b) { return a < b; });
        return ids;
    }
    /// Moves an incident on, and keeps `begun_`.
    void enter(incident& i, phase to) {
        const auto begun = [](phase p) { return p == phase::fencing || p == phase::collecting; };
        if (begun(i.at)) std::erase(begun_, i.id);
        if (begun(i.at = to)) begun_.push_back(i.id);
    }
    /// Visits what a target depends on.
    template <class Visit>
    void each_need(target_id dependent, const Visit& visit) const {
        std::size_t at =
            detail::place_of(dependent, dependencies_, [](const dependency_edge& e) { return e.dependent; });
        for (; at < dependencies_.size() && dependencies_[at].dependent == dependent; ++at) visit(dependencies_[at].on);
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
    [[nodiscard]] std::uint32_t& flying(level at) noexcept { return in_flight_[at == level::service ? 0 : 1]; }
    void finish_busy(incident& i) noexcept {
        if (i.subject != no_target) {
            targets_.mark_busy(i.subject, -1);
            --flying(targets_[i.subject].of);
        }
        i.subject = no_target;
        i.op = no_op;
        look_again_ = true;
    }
    record& write(record_kind kind, target_id target, outputs& out) {
        record& r = out.records.emplace_back();
        r.seq = static_cast<sequence>(++last_sequence_);
        r.kind = kind;
        r.at = now_;
        r.target = target;
        r.reign = options_.reign;
        return r;
    }
    event& tell(event_kind kind, decision what, reason why, outputs& out) {
        event& e = out.events.emplace_back();
        e.at = now_;
        e.kind = kind;
        e.what = what;
        e.why = why;
        e.shadow = options_.shadow;
        return e;
    }
    event& tell(event_kind kind, decision what, reason why, target_id about, outputs& out) {
        event& e = tell(kind, what, why, out);
        e.target = e.subject = about;
        return e;
    }
    event& tell(event_kind kind, decision what, reason why, const pending_operation& op, outputs& out) {
        event& e = tell(kind, what, why, op.subject, out);
        e.op = op.id;
        e.rung = op.what;
        e.incident = op.for_incident;
        e.attempt = 1;
        const incident* const i = find_incident(op.for_incident);
        if (i == nullptr) return e;
        e.target = i->target;
        e.attempt = i->attempts;
        return e;
    }
    event& tell(event_kind kind, decision what, reason why, const incident& i, outputs& out) {
        event& e = tell(kind, what, why, out);
        e.target = i.target;
        e.subject = i.subject;
        e.incident = i.id;
        e.op = i.op;
        e.attempt = i.attempts;
        e.by = i.accusers;
        if (i.rung < policy_of(i).size()) e.rung = rung_of(i).what;
        return e;
    }
    /// Calls a human about a target, an incident or an operation, and writes it down: whoever goes on with the journal
    /// has to say when it is over.
    template <class About>
    event& page(reason why, const About& of, outputs& out) {
        event& e = tell(event_kind::page, decision::page, why, of, out);
        record& r = write(record_kind::paged, e.target, out);
        r.incident = e.incident;
        r.why = why;
        return e;
    }

    engine_options options_;
    std::vector<policy_version> policies_;
    target_tree targets_;
    set_book sets_;
    watch_book watches_;
    std::vector<watch_link> links_{watch_link{no_watch, 0}}; // of each target's watches
    std::vector<dependency_edge> dependencies_;              // by dependent
    std::vector<guard_ref> guards_;
    silence_watch silence_;
    order_book orders_;
    death_book deaths_;
    std::vector<grave> graves_;
    std::vector<recovery_memory> memories_{recovery_memory{}};
    ledger ledger_;
    spending all_spent_;
    spending calls_made_;
    std::vector<incident> incidents_;           // open ones, by id
    std::vector<incident_id> begun_;            // whose action spent nothing yet, since something comes first
    std::vector<incident> late_;                // go on in this step, and are put among the others together
    std::vector<pending_operation> operations_; // unfinished ones, by id
    std::vector<stray> strays_;
    std::vector<probe> probes_;
    std::vector<probe> asked_;  // whom not to ask again before
    std::size_t told_lost_ = 0; // how many were lost when the observer doubted itself last
    std::vector<set_id> open_breakers_;
    set_id paged_breaker_ = no_set; // the last one that a human heard of
    input_queue inputs_;
    input_queue taking_;                             // inputs of the step under way
    std::vector<transition> transitions_;            // reused by every step
    std::vector<std::pair<int, std::size_t>> order_; // of the incidents by priority; reused
    std::vector<target_id> unjournaled_;             // targets whose names the journal has not
    std::size_t journaled_ = 0;                      // so many names it had from an earlier run
    std::vector<watch_id> raised_before_;            // in that run, and not evaluated since
    std::vector<record> past_;                       // what that run wrote, until it is taken up
    void (engine::*resume_)(outputs& out) = nullptr;
    std::array<std::uint32_t, 2> in_flight_{}; // actions that are not verified: of services, of everything above
    std::optional<std::uint32_t> room_{};      // for so many more instances anywhere, where that is known
    time_point now_ = (time_point::min)();
    time_point held_until_ = never; // after a start or a change of leader; `never` before the first step
    time_point lead_until_ = never;
    time_point last_machine_action_ = (time_point::min)();
    time_point waits_longest_ = never; // who waits for nothing but the turn of a machine's action, in the last pass
    time_point longest_now_ = never;   // and in the one under way
    time_point doubt_since_ = never;
    target_id doubted_about_ = no_target; // the machine that the cloud is asked for in a doubt
    time_point next_probe_ = never;
    sequence durable_ = no_sequence;
    std::uint64_t last_sequence_ = 0;
    std::uint64_t last_op_ = 0;
    std::uint32_t last_incident_ = 0;
    int highest_waiting_ = -1; // priority of the incidents that wait for their turn, in the pass under way
    bool any_priority_ = false;
    bool went_back_ = false; // the time that it is given, and not yet forward to `now_` again
    bool journal_ok_ = true;
    bool journal_changed_ = false; // and not told yet
    bool look_again_ = false;
    bool trust_broken_ = false;
    bool lost_ = false;                             // the lead
    bool leased_ = false;                           // it was told of the lead: it may have an end
    time_point listen_until_ = (time_point::min)(); // after a doubt: what was silent meanwhile may be heard again
    bool doubting_ = false;                         // the observer, itself
    bool unanswered_ = false;                       // a question to the driver, in this doubt
    bool doubt_paged_ = false;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/decide.hpp

// An incident's way up the ladder: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

inline void engine::open(target_id target, reason why, outputs& out) {
    incident i;
    i.accusers = calling(target, health::unhealthy);
    const bool related = make(i, target);
    record& r = write(record_kind::opened, target, out);
    r.incident = i.id;
    r.by = i.accusers;
    event& e = tell(event_kind::incident, decision::open, related ? reason::related_failure : why, i, out);
    e.rung = operation::none;
    if (i.at == phase::absorbed)
        tell(event_kind::incident, decision::absorb, reason::action_above, i, out).rung = operation::none;
    // A new one is the newest; one that goes on has its old place.
    if (!related) return incidents_.push_back(std::move(i));
    late_.insert(late_.begin() + static_cast<std::ptrdiff_t>(place_of(i.id, late_)), std::move(i));
    constexpr std::size_t most_late = 256;
    if (late_.size() >= most_late) place_late();
}

/// Makes it the open incident of a target; true if it is an earlier one that goes on.
inline bool engine::make(incident& i, target_id target) {
    i.target = target;
    i.rules = targets_[target].rules;
    i.opened_at = now_;
    // What failed again so soon was not cured: the same incident goes on, and knows what did not help.
    bool related = false;
    if (const std::uint32_t known = targets_[target].memory; known != 0) {
        const recovery_memory& m = memories_[known];
        related = m.incident != no_incident && now_ < after(m.closed_at, policy_of(i).related);
        if (related) {
            i.id = m.incident;
            i.said = m.said;
            if (m.rules == i.rules) i.useless = m.useless;
            if (now_ < after(m.closed_at, policy_of(i).stable)) i.tries = m.tries;
            if (i.tries != 0 && policy_of(i).size() != 0)
                i.not_before = i.wake = after(now_, wait_after(rung_of(i).wait, options_.seed, i.id, i.tries));
        }
    }
    if (!related) i.id = static_cast<incident_id>(++last_incident_);
    targets_[target].incident = i.id;

    // What happens below an action that is under way is its doing, not a new failure.
    const target_id above = targets_.busy_above(target);
    incident* const by = above == no_target ? nullptr : find_incident(targets_[above].actor);
    if (by != nullptr && by->subject == above) {
        i.at = phase::absorbed;
        i.wake = never; // the other one's verdict wakes it
        i.absorbed_by = by->id;
        ++by->absorbs;
    }
    if (const target_id machine = machine_of(target); machine != no_target && ++targets_[machine].failing == 1)
        sets_.count(targets_[machine].member_of, 0, 1);
    return related;
}

/// Merges the incidents that go on into the others, from the back.
inline void engine::place_late() {
    std::size_t from = incidents_.size();
    std::size_t left = late_.size();
    while (incidents_.size() != from + left) incidents_.push_back({});
    for (std::size_t to = from + left; left != 0;) {
        const bool late = from == 0 || incidents_[from - 1].id < late_[left - 1].id;
        incidents_[--to] = std::move(late ? late_[--left] : incidents_[--from]);
    }
    late_.clear();
}

inline void engine::look(incident& i, outputs& out) {
    switch (i.at) {
    case phase::deciding: decide(i, out); break;
    case phase::verifying: check_verdict(i, out); break;
    case phase::parked:
        if (well(i, (time_point::min)())) {
            close(i, reason::healthy_again, out);
        } else if (now_ >= i.wake) {
            i.at = phase::deciding;
            if (const policy_id newest = policies_[static_cast<std::size_t>(i.rules)].newest; newest != i.rules) {
                i.rules = newest;
                i.unhelpful = 0;
            }
            i.rung = 0;
            i.attempts = 0;
            i.useless = 0;
            i.wake = never;
            tell(event_kind::incident, decision::release, reason::parked_retry, i, out).rung = operation::none;
            look_again_ = true;
        }
        break;
    case phase::absorbed: {
        incident* by = find_incident(i.absorbed_by);
        if (by == nullptr || by->at == phase::parked || by->at == phase::closed) let_go(i, out);
        else if (by->at == phase::deciding && well(i, (time_point::min)())) close(i, reason::healthy_again, out);
        break;
    }
    default: break;
    }
    page_long_wait(i, out);
}

inline void engine::decide(incident& i, outputs& out) {
    if (well(i, (time_point::min)())) return close(i, reason::healthy_again, out);
    while (i.rung < policy_of(i).size()) {
        const rung& r = rung_of(i);
        if (r.what == operation::page) {
            page(reason::alarm_raised, i, out);
            climb(i, decision::climb, reason::attempts_spent, out);
            continue;
        }
        const target_id subject = subject_of(i, r);
        if (const reason why = skip(i, r, subject); why != reason::none) {
            climb(i, decision::skip, why, out);
            continue;
        }
        if (r.what == operation::guest_restarts) {
            if (wait_for_guest(i, r, out)) return;
            continue;
        }
        if (i.attempts >= r.burst.count) {
            climb(i, decision::climb, reason::attempts_spent, out);
            continue;
        }
        if (!ledger_.has_room(subject, booked_as(r), r.burst, r.sustained, now_)) {
            climb(i, decision::climb, reason::budget_spent, out);
            continue;
        }
        const guard_answers answers = ask_guards(i, r, subject);
        if (answers.denied() != 0) {
            wait(i, subject, answers, out);
            const bool longest = (answers.denied() & ~turn_guards) == 0 && i.waits_since < longest_now_;
            if (longest && level_of(r.what) != level::service) longest_now_ = i.waits_since;
            return;
        }
        return begin(i, r, subject, out);
    }
    park(i, out);
}

/// What an action upon a target must not lose: of a stack, what the instances keep that it would make anew.
inline asset engine::keeps(target_id subject) const noexcept {
    asset all = targets_[subject].keep;
    if (targets_[subject].of != level::stack) return all;
    targets_.each_below(subject, [&](target_id below) {
        if (targets_[below].failing != 0) all = all | targets_[below].keep;
    });
    return all;
}

/// Why a rung can not help, or must not be tried; `none` if it may.
inline reason engine::skip(const incident& i, const rung& r, target_id subject) const noexcept {
    if (subject == no_target) return reason::no_such_ancestor;
    if ((loss_of(r.what) & keeps(subject)) != asset::none) return reason::loses_kept_asset;
    const target_id machine = machine_of(subject);
    if (machine != no_target && !needs_proof(r.what)) {
        const set_id host = sets_of(machine).host;
        if (host != no_set && sets_[host].dead) return reason::host_is_dead;
        const bool in_guest = r.what == operation::restart_service || r.what == operation::guest_restarts;
        if (in_guest && targets_.words(machine).machine.says(now_, evidence_of(machine).max_age) == health::unhealthy)
            return reason::machine_is_off;
    }
    return (i.useless >> i.rung & 1U) != 0 ? reason::did_not_help : reason::none;
}

/// Whether the guest has restarted it more often than it may: the last one that it may is given time to help.
inline bool engine::guest_overspent(target_id target, const rung& r) const {
    const auto over = [&](budget b) {
        if (b.count != UINT16_MAX) ++b.count;
        return !ledger_.has_room(target, r.what, b, now_);
    };
    return over(r.burst) || over(r.sustained);
}

/// The guest is at it, and is given time; false once that is over, and the ladder goes on.
inline bool engine::wait_for_guest(incident& i, const rung& r, outputs& out) {
    if (i.healed_at == never) i.healed_at = now_;
    const time_point until = after(i.healed_at, r.verify);
    if (guest_overspent(i.target, r)) {
        climb(i, decision::climb, reason::attempts_spent, out);
        return false;
    }
    if (now_ >= until) {
        climb(i, decision::climb, reason::verify_deadline, out);
        return false;
    }
    if (i.wake != until) tell(event_kind::rung, decision::wait, reason::guest_heals, i, out).next = until;
    i.wake = until;
    return true;
}

inline void engine::climb(incident& i, decision what, reason why, outputs& out) {
    event& e = tell(event_kind::rung, what, why, i, out);
    e.subject = subject_of(i);
    const operation left = rung_of(i).what;
    ++i.rung;
    if (const policy_id newest = policies_[static_cast<std::size_t>(i.rules)].newest; newest != i.rules) {
        // The policy was changed: on with its first rung above the one that is left behind.
        i.rules = newest;
        i.rung = 0;
        i.useless = i.unhelpful = 0;
        while (i.rung < policy_of(i).size() && rank(rung_of(i).what) <= rank(left)) ++i.rung;
    }
    i.tries = i.attempts = i.fences = 0;
    i.approved_until = i.not_before = (time_point::min)();
    i.waiting_since = never;
    i.paged = false;
    waits_for_nothing(i);
}

inline void engine::wait(incident& i, target_id subject, const guard_answers& answers, outputs& out) {
    i.wake = answers.next();
    if (now_ < i.approved_until) i.wake = earlier(i.wake, i.approved_until);
    begin_wait(i, now_);
    // What a cliff holds up, the cloud is asked for.
    if (answers.of(guard::freeze).why == reason::silence_cliff) {
        const target_id machine = machine_of(i.target);
        const testimony& known = targets_.words(machine).machine;
        const duration max_age = evidence_of(machine).max_age;
        const bool unknown = known.says(now_, max_age) == health::unknown;
        if (unknown) ask_machine(machine, out);
        // At its very age it still speaks.
        const time_point old = after(known.ages(max_age), std::chrono::milliseconds{1});
        i.wake = earlier(i.wake, unknown ? ask_again_at(machine) : old);
    }
    if (i.denied == answers.denied() && i.denied_by == answers.first()) return;
    const bool before = std::exchange(i.by_itself, waits_by_itself(answers.denied()));
    if (i.by_itself && ((i.denied != 0 && !before) || (i.paged && i.paged_for != 0))) {
        // A page holds as long as anything that it named does; one of a fence names nothing. What else stands in the
        // way is a wait of its own.
        i.waiting_since = now_;
        i.paged = i.paged && (answers.denied() & ~turn_guards & i.paged_for) != 0;
    }
    i.denied = answers.denied();
    i.denied_by = answers.first();
    event& e = tell(event_kind::rung, decision::wait, answers.first(), i, out);
    e.subject = subject;
    e.asked = all_guards;
    e.denied = answers.denied();
    e.next = answers.next();
    std::size_t n = 0;
    answers.each_denial([&](guard g, const guard_answer& a) {
        if (n < event::most_denials) e.denials[n++] = {g, a.why, denial::until(a.next, now_)};
    });
}

inline void engine::begin(incident& i, const rung& r, target_id subject, outputs& out) {
    act_upon(i, subject, out);
    want_deaths(i, r, subject);
    const bool destroys = needs_proof(r.what) || is_destructive(r.what);
    if (destroys && policy_of(i).forensics > duration::zero() && !i.forensics) {
        enter(i, phase::collecting);
        i.forensics = true;
        event& e = tell(event_kind::rung, decision::act, reason::collecting, i, out);
        e.rung = operation::collect_forensics;
        start(operation::collect_forensics, subject, &i, policy_of(i).forensics, duration::zero(), out);
        return;
    }
    enter(i, i.deaths.empty() ? phase::acting : phase::fencing);
    go_on(i, out);
}

/// From here on the subject is busy, and what is open below it waits for its action.
inline void engine::act_upon(incident& i, target_id subject, outputs& out) {
    i.subject = subject;
    if (i.reach == no_target || targets_.covers(subject, i.reach)) i.reach = subject;
    targets_[subject].actor = i.id;
    const target_id machine = machine_of(subject);
    i.member_of = machine == no_target ? 0 : targets_[machine].member_of;
    i.places.clear();
    if (machine == no_target) note_places(i);
    if ((i.denied & (bit(guard::maintenance) | bit(guard::trust))) != 0) i.waiting_since = now_; // for its fences
    waits_for_nothing(i);
    targets_.mark_busy(subject, 1);
    ++flying(targets_[subject].of);
    if (targets_[subject].of != level::service) last_machine_action_ = now_;
    absorb_below(i, out);
}

/// Where an action on a stack happens: each set once, however many of its machines are in it.
inline void engine::note_places(incident& i) const {
    each_place(i.subject, [&](set_id s) {
        bool known = false;
        for (const set_id other : i.places) known = known || other == s;
        if (!known) i.places.push_back(s);
    });
}

inline void engine::absorb_below(incident& i, outputs& out) {
    if (targets_[i.subject].first_child == no_target && i.target == i.subject) return;
    for (const incident_id id : open_below(i.subject)) {
        incident& other = *find_incident(id);
        const bool idle = other.at == phase::deciding || other.at == phase::parked || other.at == phase::absorbed;
        if (other.id == i.id || !idle) continue;
        if (other.at == phase::absorbed && other.absorbed_by == i.id) continue;
        other.at = phase::absorbed;
        other.absorbed_by = i.id;
        ++i.absorbs;
        other.waiting_since = never;
        waits_for_nothing(other); // let go, it tells anew what it waits for
        event& e = tell(event_kind::incident, decision::absorb, reason::action_above, other, out);
        e.subject = i.subject;
        e.rung = operation::none;
    }
}

/// The next operation of the attempt under way: the next fence, or the action itself.
inline void engine::go_on(incident& i, outputs& out) {
    if (i.at == phase::fencing) return fence_next(i, out);
    const rung& r = rung_of(i);
    ++i.attempts;
    i.waiting_since = never;
    i.paged = false;
    tell(event_kind::rung, decision::act, i.attempts == 1 ? reason::first_attempt : reason::next_attempt, i, out);
    pending_operation& op = start(r.what, i.subject, &i, r.timeout, r.verify, out);
    op.booked = booked_as(r);
    for (const death_wanted& d : i.deaths) op.proofs.push_back(proof_of_death{d.by, i.id, d.target, d.expires});
    spend(i, op);
    op.hard = r.how == reboot_kind::hard || (r.how == reboot_kind::soft_then_hard && i.attempts > 1);
}

/// Back to the decision, not before the backoff is over.
inline void engine::retry(incident& i, duration at_least) {
    const unsigned tried = i.fences != 0 ? i.fences : i.tries + i.attempts;
    const backoff& own = rung_of(i).wait;
    // No budget ends fences, so those of a rung that does not wait do.
    const backoff& wait = i.fences != 0 && own.first <= duration::zero() ? instance_backoff : own;
    const duration pause = wait_after(wait, options_.seed, i.id, tried == 0 ? 1 : tried);
    step_back(i);
    i.not_before = i.wake = later(i.not_before, later(after(now_, pause), after(now_, at_least)));
}

/// Back to the decision, and nothing of the attempt is under way any more.
inline void engine::step_back(incident& i) {
    enter(i, phase::deciding);
    i.wake = never;
    i.deaths.clear();
    i.forensics = false;
    finish_busy(i);
}

/// Whether nobody calls the target unhealthy any more, and somebody calls it healthy: its alarms, if they were among
/// those who complained, since they go on looking. With `since`, only what was said after that time counts: a heartbeat
/// from before an action does not show that it helped, nor one from before its machine was switched off.
inline bool engine::well(const incident& i, time_point since) const noexcept {
    const bool off = i.off_since != never;
    const time_point told_since = off ? later(since, i.off_since) : since;
    bool any = false;
    for (std::size_t n = 0; n < vantage_count; ++n) {
        const auto v = static_cast<vantage>(n);
        const health said = says(i.target, v);
        if (said == health::unhealthy) return false;
        const bool heard = v == vantage::guest_heartbeat && targets_[i.target].quiet != 0 &&
                           (since == (time_point::min)() || heard_since_action(i.target)) && (!off || beats(i.target));
        const testimony& word = targets_.words(i.target).of[n];
        const bool told = word.at() >= told_since && word.says(now_, evidence_of(i.target).max_age) == health::healthy;
        if (said == health::healthy && (heard || told)) any = true;
        else if (v == vantage::guest_heartbeat && has(i.accusers, v)) return false;
    }
    return any;
}

/// Whether an alarm of a target that is raised by silence hears it.
inline bool engine::beats(target_id target) const noexcept {
    bool any = false;
    each_watch(target, [&](watch_id w) { any = any || watches_.hears_life(w); });
    return any;
}

/// Whether the alarms of a target that are raised by silence have heard something since its last action.
inline bool engine::heard_since_action(target_id target) const noexcept {
    bool heard = true;
    each_watch(target, [&](watch_id w) { heard = heard && (!watches_.hears_life(w) || watches_.has_heard(w)); });
    return heard;
}

inline void engine::check_verdict(incident& i, outputs& out) {
    const bool cured = well(i, i.acted_at);
    bool all_cured = cured;
    if (i.absorbs != 0) {
        for (const incident_id id : open_below(i.reach)) {
            const incident& other = *find_incident(id);
            if (other.at == phase::absorbed && other.absorbed_by == i.id)
                all_cured = all_cured && well(other, i.acted_at);
        }
    }
    if (all_cured || (cured && now_ >= i.verify_by)) return close(i, reason::verified, out);
    if (now_ < i.verify_by) return;
    event& e = tell(event_kind::verdict, decision::give_up, reason::verify_deadline, i, out);
    record& w = write(record_kind::verdict, i.target, out);
    w.incident = i.id;
    w.op = i.op;
    w.what = e.rung;
    w.why = reason::verify_deadline;
    i.unhelpful = static_cast<std::uint8_t>(i.unhelpful | 1U << i.rung);
    retry(i, {});
}

inline void engine::close(incident& i, reason why, outputs& out) {
    event& e = tell(event_kind::incident, decision::recover, why, i, out);
    if (why != reason::verified || i.at == phase::absorbed) e.rung = operation::none;
    record& w = write(record_kind::closed, i.target, out);
    w.incident = i.id;
    w.why = why;

    recovery_memory& m = remember(i.target);
    // A rung that did not help two incidents running is left out of the next.
    m.useless =
        m.incident == i.id && m.rules == i.rules ? static_cast<std::uint8_t>(m.tried & i.unhelpful) : std::uint8_t{0};
    m.tried = i.unhelpful;
    m.incident = i.id;
    m.rules = i.rules;
    m.closed_at = now_;
    m.tries = i.tries + i.attempts;
    m.said = why == reason::verified ? std::vector<std::string>{} : i.said;
    if (i.at == phase::verifying && why == reason::verified && level_of(rung_of(i).what) != level::service) {
        recovery_memory& acted = remember(i.subject);
        acted.helped = rung_of(i).what;
        acted.helped_at = now_;
        acted.on_word_of = i.accusers;
    }

    i.at = phase::closed;
    targets_[i.target].incident = no_incident;
    if (const target_id machine = machine_of(i.target); machine != no_target && --targets_[machine].failing == 0)
        sets_.count(targets_[machine].member_of, 0, -1);
    finish_busy(i);
    release_absorbed(i, out);
}

/// Lets go of all, or of those that have something of their own to try: who waits long does not speak for them.
inline void engine::release_absorbed(incident& by, outputs& out, bool all) {
    if (by.absorbs == 0) return;
    if (all) by.absorbs = 0;
    for (const incident_id id : open_below(by.reach)) {
        incident& other = *find_incident(id);
        const bool own = all || subject_of(other) != subject_of(by);
        if (other.at == phase::absorbed && other.absorbed_by == by.id && own) let_go(other, out);
    }
}

inline void engine::let_go(incident& absorbed, outputs& out) {
    look_again_ = true;
    if (well(absorbed, (time_point::min)())) return close(absorbed, reason::verified, out);
    absorbed.absorbed_by = no_incident;
    absorbed.paged = absorbed.paged && absorbed.paged_for != 0; // no fence is waited for any more
    absorbed.at = phase::deciding;
    tell(event_kind::incident, decision::release, reason::none, absorbed, out).rung = operation::none;
}

inline void engine::park(incident& i, outputs& out) {
    i.at = phase::parked;
    look_again_ = true; // what depends on it need not wait any more
    const duration pause = policy_of(i).retry_parked;
    i.wake = after(now_, pause < shortest_pause ? shortest_pause : pause);
    i.waiting_since = never;
    event& e = tell(event_kind::incident, decision::park, reason::ladder_exhausted, i, out);
    e.next = i.wake;
    tell(event_kind::page, decision::page, reason::ladder_exhausted, i, out).next = i.wake;
    record& w = write(record_kind::parked, i.target, out);
    w.incident = i.id;
    w.why = reason::ladder_exhausted;
    release_absorbed(i, out);
}

/// When a human has to hear of an incident that waits, be it for a guard or for the fence; `never` once that is done.
/// One that only waits for its turn behind others is on its way: a host with many instances would page for each.
inline time_point engine::page_at(const incident& i) const noexcept {
    const bool in_turn = i.at == phase::deciding && i.denied != 0 && (i.denied & ~turn_guards) == 0;
    const bool waits = !in_turn && (i.at == phase::deciding || i.at == phase::fencing);
    return i.paged || !waits ? never : after(i.waiting_since, options_.page_after);
}

/// Whether something stands in the way of this one incident, rather than of many, or of nothing but its turn.
inline bool engine::waits_by_itself(std::uint32_t denied) const noexcept {
    if ((denied & (bit(guard::maintenance) | bit(guard::trust))) != 0) return false; // who announced it knows
    if ((denied & bit(guard::breaker)) != 0 || (doubting_ && (denied & bit(guard::freeze)) != 0)) return false;
    return (denied & ~turn_guards) != 0;
}

inline void engine::page_long_wait(incident& i, outputs& out) {
    if (now_ < page_at(i)) return;
    // A breaker or a freeze is paged once, not once for each of the many that it holds; and a turn comes by itself.
    if (i.denied != 0 && !waits_by_itself(i.denied)) {
        i.waiting_since = now_;
        return;
    }
    i.paged = true;
    i.paged_for = i.denied;
    event& e = page(reason::waited_long, i, out);
    out.records.back().key = e.denied = i.denied;
    e.next = i.wake;
    if (i.at == phase::deciding) release_absorbed(i, out, false);
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/fencing.hpp

// Proofs of death, and what is done when one turns out false: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

/// By what a machine is proved dead without a fence, if it is.
inline std::optional<proof_kind> engine::dead(target_id machine) const noexcept {
    const set_id host = sets_of(machine).host;
    if (host != no_set && sets_[host].dead && !targets_[machine].second) return sets_[host].proof;
    return deaths_.dead(machine, now_);
}

/// Whether every proof that a rung needs can be had without a fence.
inline bool engine::proofs_ready(const rung& r, target_id subject) const noexcept {
    if (!needs_proof(r.what)) return false;
    bool any = false;
    bool all = true;
    each_machine(subject, [&](target_id machine) {
        any = true;
        all = all && dead(machine).has_value();
    });
    return any && all;
}

/// Whose death has to be proved before a rung acts.
inline void engine::want_deaths(incident& i, const rung& r, target_id subject) {
    i.deaths.clear();
    if (needs_proof(r.what)) each_machine(subject, [&](target_id machine) { i.deaths.push_back({machine}); });
}

/// The next fences: of all machines at the same time, and of one machine the methods in order, or all at once. Once one
/// machine has no method left, the others only come to their end.
inline void engine::fence_next(incident& i, outputs& out) {
    const fence_rules& how = policy_of(i).fencing;
    bool waiting = false;
    bool in_vain = false;
    for (death_wanted& d : i.deaths) {
        waiting = waiting || d.in_flight != 0;
        if (d.in_flight != 0) continue;
        if (d.proved && (now_ >= d.expires || (!d.fenced && !dead(d.target)))) {
            // The others took too long: it is proved anew, by another fence.
            d.proved = false;
            d.method = 0;
            begin_wait(i, now_);
        }
        if (const auto by = d.proved ? std::nullopt : dead(d.target)) mint(i, d, *by, reason::already_dead, out);
        in_vain = in_vain || (!d.proved && d.method >= how.size());
    }
    for (death_wanted& d : i.deaths) {
        if (in_vain || d.proved || d.in_flight != 0) continue;
        waiting = true;
        do {
            const std::uint8_t method = d.method++;
            ++d.in_flight;
            event& e = tell(event_kind::rung, decision::act, reason::proof_required, i, out);
            e.rung = operation::fence_instance;
            e.subject = d.target;
            pending_operation& op =
                start(operation::fence_instance, d.target, &i, options_.fence_timeout, options_.fence_timeout, out);
            op.method = how.methods[method];
        } while (how.parallel && d.method < how.size());
    }
    if (waiting) return;
    if (in_vain) {
        ++i.fences;
        retry(i, {});
        if (i.paged) release_absorbed(i, out, false);
        return;
    }
    i.fences = 0;
    i.not_before = (time_point::min)();
    enter(i, phase::acting);
    go_on(i, out);
}

inline void engine::mint(incident& i, death_wanted& d, proof_kind by, reason why, outputs& out) {
    d.proved = true;
    d.proved_at = now_;
    d.fenced = why == reason::proof_minted;
    d.by = by;
    d.expires = after(now_, options_.proof_validity);
    if (!d.fenced && by == proof_kind::confirmed) d.expires = earlier(d.expires, deaths_.confirmed_until(d.target));
    event& e = tell(event_kind::rung, decision::accept, why, i, out);
    e.subject = d.target;
    e.rung = operation::fence_instance;
    e.proof = by;
    if (options_.shadow) return;
    record& r = write(record_kind::death, d.target, out);
    r.incident = i.id;
    r.proof = by;
    r.why = reason::died;
    r.cloud_id = targets_.cloud_id(d.target);
    r.host = targets_.host(d.target);
}

/// A fence came to its end. Any one that worked is enough; the action waits until no other is under way, so that a late
/// power-off can not hit the new copy.
inline void engine::fence_ended(incident& i, target_id machine, outcome_code code, reason why, duration retry_after,
                                outputs& out) {
    for (death_wanted& d : i.deaths) {
        if (d.target != machine || d.in_flight == 0) continue;
        --d.in_flight;
        if (code == outcome_code::done) {
            i.off_since = now_;
            only_one(machine);
        }
        const proof_kind by = why == reason::confirmed_absent ? proof_kind::absent : proof_kind::fenced;
        if (code == outcome_code::done && !d.proved) mint(i, d, by, reason::proof_minted, out);
        if (d.in_flight == 0 && d.method >= policy_of(i).fencing.size())
            i.not_before = later(i.not_before, after(now_, retry_after));
        break;
    }
    if (i.at == phase::fencing) fence_next(i, out);
}

/// Remembers the copies that a call replaces: none of them must be heard of again.
inline void engine::bury(const pending_operation& op) {
    constexpr std::size_t most_graves = 100'000;
    for (const proof_of_death& p : op.proofs) {
        std::erase_if(graves_, [&](const grave& g) {
            return g.target == p.target() && g.cloud_id == targets_.cloud_id(g.target) &&
                   g.host == targets_.host(g.target);
        });
        if (graves_.size() >= most_graves) graves_.erase(graves_.begin());
        graves_.push_back({p.target(), p.incident(), p.kind(), op.since, std::string{targets_.cloud_id(p.target())},
                           std::string{targets_.host(p.target())}, op.what == operation::evacuate_instance});
        deaths_.forget(p.target());
        // The new copy may have another id and another host, and until it is seen only its name finds it. That holds
        // also where the outcome says that there is none.
        targets_.forget_identity(p.target());
        targets_[p.target()].second = true;
        // So is what an operator said of that copy.
        if (targets_[p.target()].words != 0)
            targets_.note_words(p.target()).of[static_cast<std::size_t>(vantage::operator_word)] = {};
    }
}

/// Nothing was replaced after all: the copies that were proved dead are the current ones, as far as the cloud is right.
inline void engine::exhume(const incident& i) {
    for (const grave& g : graves_) {
        for (const death_wanted& d : i.deaths) {
            if (g.incident == i.id && d.target == g.target)
                note_seen(g.target, {.cloud_id = g.cloud_id, .host = g.host});
        }
    }
}

/// A machine that had been replaced is back. One of the two has to go.
inline void engine::reconcile(const sighting& s, std::string_view old_cloud_id, bool news, outputs& out) {
    const return_rule rule = rules(targets_[s.target].rules).returned;
    const time_point replaced = targets_[s.target].memory == 0 ? (time_point::min)() : remember(s.target).helped_at;
    const bool longer = s.running_since < replaced;
    const bool stays = rule == return_rule::keep_original || (rule == return_rule::longest_running && longer);
    const auto stop = [&](std::string_view copy) {
        for (const stray& known : strays_) {
            if (known.target == s.target && known.cloud_id == copy) return;
        }
        strays_.push_back({s.target, std::string{copy}, now_});
    };
    const std::string old{old_cloud_id.empty() ? std::string_view{s.cloud_id} : old_cloud_id};
    const std::string current{targets_.cloud_id(s.target)};
    // Nobody can say which of the two a fence would hit.
    const bool alike = old.empty() || current.empty() || old == current;
    if (news && (alike || rule == return_rule::stop_both)) page(reason::returned, s.target, out);
    if (alike) return void(targets_[s.target].second = true); // so that only a fence by name lets another one start
    // Who was to go may be the one to keep by now.
    if (rule != return_rule::stop_both)
        std::erase_if(strays_,
                      [&](const stray& k) { return k.target == s.target && k.cloud_id == (stays ? old : current); });
    if (!stays) stop(old);
    if (stays || rule == return_rule::stop_both) stop(current);
    if (stays) note_seen(s.target, {.cloud_id = old, .host = s.host});
}

/// A copy runs that is neither the current one nor one that was replaced. Which of them has to go, a human says.
inline void engine::meet_stranger(const sighting& s, outputs& out) {
    const auto same = [&](const stray& known) { return known.target == s.target && known.cloud_id == s.cloud_id; };
    std::size_t n = 0;
    while (n < strays_.size() && !same(strays_[n])) ++n;
    if (n == strays_.size()) strays_.push_back({s.target, std::string{s.cloud_id}, never, (time_point::min)()});
    targets_[s.target].second = true;         // so that only a fence by name lets another one start
    if (strays_[n].again_at != never) return; // it is to be fenced
    ask_machine(s.target, out);               // it may be the current one; the answer to one question may get lost
    if (is_news(strays_[n].seen_at)) page(reason::returned, s.target, out);
}

/// When a copy that returned is to be fenced; `never` as long as something that ends by itself stands in the way.
inline time_point engine::due(const stray& s) const noexcept {
    if (trust_broken_ || !leads_for(options_.fence_timeout) || targets_.busy(s.target)) return never;
    return left_alone(s.target) == reason::none ? s.again_at : never;
}

inline void engine::fence_strays(outputs& out) {
    target_id begun = no_target; // both copies of a machine may have to go
    for (stray& s : strays_) {
        if (now_ < (s.target == begun ? s.again_at : due(s))) continue;
        begun = s.target;
        pending_operation& op =
            start(operation::fence_instance, s.target, nullptr, options_.fence_timeout, options_.fence_timeout, out);
        op.cloud_id = s.cloud_id;
        s.op = op.id;
        tell(event_kind::operation_order, decision::act, reason::returned, op, out);
    }
}

/// As long as no fence works two copies may run, and nothing else will stop one of them.
inline void engine::stray_fenced(op_id op, outcome_code code, duration retry_after, outputs& out) {
    for (stray& s : strays_) {
        if (s.op != op) continue;
        const duration pause =
            wait_after(instance_backoff, options_.seed, static_cast<incident_id>(s.target), ++s.tries);
        s.again_at = later(after(now_, pause), after(now_, retry_after));
        if (code == outcome_code::done || s.tries != 1) continue;
        page(reason::returned, s.target, out).op = op;
        out.records.back().op = op;
    }
    if (code != outcome_code::done) return;
    for (grave& g : graves_) {
        for (const stray& s : strays_) {
            if (s.op == op && s.target == g.target) g.seen_at = (time_point::min)();
        }
    }
    std::erase_if(strays_, [op](const stray& s) { return s.op == op; });
}

/// Withdraws a proof that is not spent yet, since the copy is seen running of which it says that it is dead.
inline std::optional<grave> engine::withdraw_proof(const sighting& s, outputs& out) {
    const std::string_view known = targets_.cloud_id(s.target);
    const std::string host{targets_.host(s.target)};
    if (known.empty() ? s.host.empty() || s.host != host : s.cloud_id != known) return std::nullopt;
    const instance_set& on = sets_[sets_of(s.target).host];
    const bool by_host = sets_of(s.target).host != no_set && on.dead;
    for (incident& i : incidents_) {
        const pending_operation* op = i.at == phase::acting ? find_operation(i.op) : nullptr;
        if (i.at != phase::fencing && (op == nullptr || op->at != pending_operation::stage::journaled)) continue;
        for (death_wanted& d : i.deaths) {
            if (d.target != s.target || !d.proved || s.at < d.proved_at) continue;
            // Now nothing proves it, as the second look will see.
            d.fenced = false;
            deaths_.forget(d.target);
            if (by_host) take(host_word{host, false, proof_kind::fenced, now_}, out);
            return grave{d.target, i.id, {}, d.proved_at};
        }
    }
    // What would prove it later does not either.
    const time_point died_at = by_host ? on.died_at : (time_point::min)();
    if (targets_[s.target].failing == 0 || !(by_host || dead(s.target)) || s.at < died_at) return std::nullopt;
    deaths_.forget(s.target);
    if (by_host) take(host_word{host, false, proof_kind::fenced, now_}, out);
    return grave{s.target, targets_[s.target].incident, {}, died_at};
}

/// Whether another copy of what an action would start is known to run.
inline bool engine::runs_elsewhere(operation what, target_id subject) const noexcept {
    bool any = false;
    if (strays_.empty() || !needs_proof(what)) return any;
    each_machine(subject, [&](target_id machine) {
        for (const stray& s : strays_) any = any || s.target == machine;
    });
    return any;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/guards.hpp

// Who may say no, and until when: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

/// Asks every guard. Each answers for itself, so that an event can tell all that stands in the way.
inline guard_answers engine::ask_guards(const incident& i, const rung& r, target_id subject) const noexcept {
    guard_answers answers;
    const auto set = [&answers](guard g, const guard_answer& a) {
        if (!a.allows()) answers.set(g, a);
    };
    if (targets_.busy(subject)) answers.set(guard::busy, {reason::busy, never});
    else if (!strays_.empty() && runs_elsewhere(r.what, subject)) answers.set(guard::busy, {reason::returned, never});
    if (now_ < i.not_before && !(i.fences != 0 && proofs_ready(r, subject))) {
        const bool for_proof = i.fences != 0;
        const time_point lease = for_proof ? deaths_.lease_over(machine_of(subject)) : never;
        answers.set(guard::backoff, {for_proof ? reason::proof_required : reason::backing_off,
                                     lease > now_ ? earlier(i.not_before, lease) : i.not_before});
    }
    if (r.approval == consent::required && now_ >= i.approved_until)
        answers.set(guard::approval, {reason::approval_required, never});
    if (!journal_ok_) answers.set(guard::journal, {reason::journal_failed, never});
    if (leased_) set(guard::leadership, ask_leadership(i, r));
    for (const target_id t : {i.target, subject}) {
        if (const standing_order* o = orders_.holding(standing_order::kind::maintenance, t, now_, targets_))
            answers.set(guard::maintenance, {reason::in_maintenance, o->until});
    }
    set(guard::freeze, ask_freeze(i, r, subject));
    if (needs_proof(r.what) || is_destructive(r.what)) {
        if (now_ < held_until_) answers.set(guard::start_hold, {reason::started_lately, held_until_});
        set(guard::corroboration, ask_evidence(i, r, subject));
    }
    if (calling(i.target, health::unhealthy) == vantage_set::none && i.off_since == never)
        answers.set(guard::evidence, {reason::evidence_is_old, never});
    set(guard::probation, ask_probation(i, r, subject));
    set(guard::in_flight, ask_in_flight(i, r));
    if (level_of(r.what) != level::service) {
        const time_point next = after(last_machine_action_, options_.bounds.between);
        if (last_machine_action_ != (time_point::min)() && now_ < next)
            answers.set(guard::rate, {reason::too_soon, next});
    }
    ask_sets(answers, r, subject);
    set(guard::dependency, ask_dependencies(i));
    if (any_priority_ && highest_waiting_ > targets_[i.target].priority) {
        const time_point until =
            after(i.waiting_since == never ? now_ : i.waits_since, options_.bounds.yield_to_higher);
        if (now_ < until) answers.set(guard::priority, {reason::higher_priority, until});
    }
    if (trust_broken_) answers.set(guard::trust, {reason::trust_broken, never});
    for (const guard_ref& g : guards_) {
        guard_answer a = g.ask({i.target, subject, r.what, i.id, static_cast<std::uint16_t>(i.attempts + 1), now_});
        if (a.next <= now_) a.next = after(now_, shortest_pause); // or it would be asked without end
        // Of several, the one that says no for the longest.
        const guard_answer before = answers.of(guard::custom);
        if (!a.allows() && (before.allows() || a.next > before.next)) answers.set(guard::custom, a);
    }
    return answers;
}

/// Breakers, shared budgets and room, in every set that the action happens in.
inline void engine::ask_sets(guard_answers& answers, const rung& r, target_id subject) const noexcept {
    const limits& bounds = options_.bounds;
    const auto spent = [&answers](const guard_answer& a) {
        const guard_answer before = answers.of(guard::quota);
        if (!a.allows() && (before.allows() || a.next > before.next)) answers.set(guard::quota, a);
    };
    each_place(subject, [&](set_id id) {
        const instance_set& s = sets_[id];
        const bool group = s.of == set_kind::group;
        if (s.open) answers.set(guard::breaker, {opened(s), after(s.calm_since, bounds.breaker.cooldown)});
        const shared_budget& b = budget_of(s.of);
        if (b.limits()) spent(ask_budget(b, s.spent, group ? reason::group_budget : reason::domain_budget, id));
    });
    if (bounds.all.limits()) spent(ask_budget(bounds.all, all_spent_, reason::all_budget, no_set));
    spent(ask_quota());
    const guard_answer room = ask_capacity(r, subject);
    if (!room.allows()) answers.set(guard::capacity, room);
}

/// Actions in a set that have begun and spent nothing yet, since a fence comes first: what they will need is taken.
inline std::uint32_t engine::about_to_act(set_id in) const noexcept {
    std::uint32_t n = 0;
    for (const incident_id id : begun_) {
        n += in == no_set ? 1U : 0U;
        each_spent(*find_incident(id), [&](set_id s) { n += s == in ? 1U : 0U; });
    }
    return n;
}

inline guard_answer engine::ask_budget(const shared_budget& b, const spending& spent, reason why,
                                       set_id in) const noexcept {
    const std::uint32_t taken = about_to_act(in);
    const auto room = [&](budget left) {
        if (left.count != 0 && left.count <= taken) return never; // until one of those spends it, or does not
        if (left.count != 0) left.count = static_cast<std::uint16_t>(left.count - taken);
        return spent.room_at(left, now_);
    };
    const time_point next = later(room(b.burst), room(b.sustained));
    return next > now_ ? guard_answer{why, next} : guard_answer{};
}

/// Room for one more call; those that wait for the journal are as good as made.
inline guard_answer engine::ask_quota() const noexcept {
    budget left = options_.bounds.api;
    if (left.count == 0) return {};
    std::uint32_t taken = 0;
    for (const pending_operation& op : operations_)
        taken += op.at == pending_operation::stage::journaled && op.id != no_op ? 1U : 0U;
    if (taken >= left.count) return {reason::api_quota, after(now_, left.within)};
    left.count = static_cast<std::uint16_t>(left.count - taken);
    const time_point next = calls_made_.room_at(left, now_);
    return next > now_ ? guard_answer{reason::api_quota, next} : guard_answer{};
}

/// Whether the lead outlasts each call of the attempt, were it made now: a fence is of no use without what follows it.
inline guard_answer engine::ask_leadership(const incident& i, const rung& r) const noexcept {
    const bool proof = needs_proof(r.what);
    const bool leads = leads_for(r.timeout) && (!proof || leads_for(options_.fence_timeout)) &&
                       ((!proof && !is_destructive(r.what)) || leads_for(policy_of(i).forensics));
    return leads ? guard_answer{} : guard_answer{unled(), never};
}

/// Whether a second vantage agrees with the first that a machine is dead, or its death is proved.
inline bool engine::confirmed_by_second(const incident& i, target_id subject) const noexcept {
    const target_id machine = machine_of(subject);
    vantage_set against = calling(i.target, health::unhealthy);
    if (machine == no_target) return count(against) >= 2;
    against = against | calling(machine, health::unhealthy);
    if (targets_.words(machine).machine.says(now_, evidence_of(machine).max_age) == health::unhealthy)
        against = against | vantage::driver_status;
    return count(against) >= 2 || dead(machine).has_value();
}

/// When the first of these vantages will have grown old and say nothing any more; `never` for what stands.
inline time_point engine::grows_old(target_id machine, vantage_set which) const noexcept {
    if (machine == no_target) return never;
    const testimonies& words = targets_.words(machine);
    const duration max_age = evidence_of(machine).max_age;
    time_point first = never;
    const auto speaks_until = [&](const testimony& word) {
        // What is old already is not what one waits for.
        if (const time_point at = word.ages(max_age); at >= now_) first = earlier(first, at);
    };
    if (has(which, vantage::driver_status)) speaks_until(words.machine);
    for (std::size_t v = 0; v < vantage_count; ++v) {
        if (has(which, static_cast<vantage>(v))) speaks_until(words.of[v]);
    }
    return after(first, std::chrono::milliseconds{1}); // at its very age it still speaks
}

/// Two independent vantages before what can not be undone.
inline guard_answer engine::ask_evidence(const incident& i, const rung& r, target_id subject) const noexcept {
    if (proofs_ready(r, subject)) return {};
    // What was switched off needs no further witness.
    if (level_of(r.what) != level::stack) return i.off_since == never ? attest(i, i.target, subject) : guard_answer{};
    // Each machine that it would fence.
    guard_answer worst = attest(i, i.target, machine_of(i.target));
    for (const incident_id id : open_below(subject)) {
        const target_id ill = find_incident(id)->target;
        if (worst.allows() && ill != subject) worst = attest(i, ill, machine_of(ill));
    }
    return worst;
}

/// Whether the vantages on a target and on its machine are enough to take the machine for dead.
inline guard_answer engine::attest(const incident& i, target_id target, target_id machine) const noexcept {
    vantage_set against = calling(target, health::unhealthy);
    vantage_set running{};
    if (machine != no_target) {
        against = against | calling(machine, health::unhealthy);
        const health asked = targets_.words(machine).machine.says(now_, evidence_of(machine).max_age);
        if (asked == health::unhealthy) against = against | vantage::driver_status;
        // A guest that is heard and says that its service is down is no silent machine; that it runs is no news.
        const bool reachable = machine != target && targets_[machine].heard() == health::healthy;
        if (!reachable) {
            running = calling(machine, health::healthy) - calling(machine, health::unhealthy);
            if (asked == health::healthy) running = running | vantage::driver_status;
        }
    }
    switch (corroborate(against, running, policy_of(i).evidence)) {
    case attested::one_vantage: return {reason::one_vantage, never};
    case attested::contradicted: return {reason::contradicted, grows_old(machine, running)};
    case attested::enough: break;
    }
    return {};
}

inline guard_answer engine::ask_freeze(const incident& i, const rung& r, target_id subject) const noexcept {
    for (const target_id t : {i.target, subject}) {
        if (const standing_order* o = orders_.holding(standing_order::kind::freeze, t, now_, targets_))
            return {reason::frozen_by_operator, o->until};
    }
    if (doubting_) return {reason::silence_is_ours, never};
    if (now_ < listen_until_) return {reason::silence_is_ours, listen_until_};
    if (needs_proof(r.what) && silence_.cliff()) {
        const target_id machine = machine_of(i.target);
        if (machine != no_target && silence_.in_cliff(machine) && !confirmed_by_second(i, machine))
            return {reason::silence_cliff, never};
    }
    return {};
}

inline guard_answer engine::ask_in_flight(const incident& i, const rung& r) const noexcept {
    const bool service = level_of(r.what) == level::service;
    const std::size_t all = targets_.count(service ? level::service : level::instance);
    const share& bound = service ? options_.bounds.services_in_flight : options_.bounds.in_flight;
    if (in_flight_[service ? 0 : 1] >= bound.of(static_cast<std::uint32_t>(all)))
        return {reason::too_many_in_flight, never};
    // Who fails again and again, or is more important, must not take every turn.
    const bool after_me = service || waits_longest_ >= (i.waiting_since == never ? now_ : i.waits_since);
    if (after_me || now_ < after(waits_longest_, options_.bounds.yield_to_higher)) return {};
    return {reason::too_many_in_flight, never};
}

/// What helped a short while ago is not done again, nor more, unless somebody else complains now.
inline guard_answer engine::ask_probation(const incident& i, const rung& r, target_id subject) const noexcept {
    if (level_of(r.what) == level::service) return {};
    time_point until = now_;
    for (const target_id acted : {subject, machine_of(i.target)}) {
        if (acted == no_target || targets_[acted].memory == 0) continue;
        const recovery_memory& m = memories_[targets_[acted].memory];
        if (m.helped == operation::none || rank(r.what) < rank(m.helped)) continue;
        if ((i.accusers - m.on_word_of) != vantage_set::none) continue;
        until = later(until, after(m.helped_at, policy_of(i).probation));
    }
    return now_ < until ? guard_answer{reason::in_probation, until} : guard_answer{};
}

/// What it needs comes first: as long as that is not well and something is still tried for it.
inline guard_answer engine::ask_dependencies(const incident& i) const noexcept {
    if (dependencies_.empty()) return {};
    bool waits = false;
    const auto look_below = [&](target_id below) {
        const incident* other = waits ? nullptr : incident_of(below);
        // What waits for this one's action does not hold it up.
        const bool tried = other != nullptr && other->at != phase::parked;
        waits = waits || (tried && (other->at != phase::absorbed || other->absorbed_by != i.id));
    };
    for (target_id up = i.target; up != no_target; up = targets_[up].parent)
        each_need(up, [&](target_id on) { targets_.each_below(on, look_below); });
    return waits ? guard_answer{reason::waits_for_dependency, never} : guard_answer{};
}

/// Room for every copy that it may start, beside those of actions that have begun and taken none yet.
inline guard_answer engine::ask_capacity(const rung& r, target_id subject) const noexcept {
    if (!needs_proof(r.what)) return {};
    const auto full = [&](std::uint32_t room, set_id in) {
        std::uint32_t copies = 0;
        const auto count = [&](target_id machine) { copies += in == no_set || sets_of(machine).zone == in ? 1U : 0U; };
        each_machine(subject, count);
        for (const incident_id id : begun_) {
            for (const death_wanted& d : find_incident(id)->deaths) count(d.target);
        }
        return room < copies;
    };
    bool none = room_ && full(*room_, no_set);
    each_machine(subject, [&](target_id machine) {
        const set_id zone = sets_of(machine).zone;
        none = none || (zone != no_set && sets_[zone].room && full(*sets_[zone].room, zone));
    });
    return none ? guard_answer{reason::no_capacity, never} : guard_answer{};
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/inputs.hpp

// What comes in: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

inline result<target_id> engine::add(const stack& s) {
    auto added = targets_.add({.of = level::stack}, s.name);
    if (added) unjournaled_.push_back(*added);
    return added;
}

inline result<target_id> engine::add(const instance& i) {
    target_record t{.of = level::instance, .keep = i.keep, .priority = i.priority};
    if (!i.stack.empty()) {
        t.parent = targets_.find(level::stack, i.stack);
        if (t.parent == no_target || targets_.awaited(t.parent)) {
            auto made = add(stack{i.stack});
            if (!made) return made;
            t.parent = *made;
        }
    }
    auto added = targets_.add(t, i.name);
    if (!added) return added;
    unjournaled_.push_back(*added);
    any_priority_ = any_priority_ || i.priority != 0;

    membership m;
    m.group = sets_.find_or_add(set_kind::group, i.group.empty() ? i.stack : i.group);
    m.host = sets_.find_or_add(set_kind::host, i.host);
    m.rack = sets_.find_or_add(set_kind::rack, i.rack);
    m.zone = sets_.find_or_add(set_kind::zone, i.zone);
    if (m.host != no_set) {
        if (m.rack != no_set) sets_[m.host].rack = m.rack;
        if (m.zone != no_set) sets_[m.host].zone = m.zone;
    }
    targets_[*added].member_of = sets_.join(m);
    sets_.count(targets_[*added].member_of, 1, 0);

    targets_.note_seen(*added, {.cloud_id = std::string{i.cloud_id}, .host = std::string{i.host}});
    return added;
}

inline result<target_id> engine::add(const service& s) {
    if (s.name.empty()) return error{errc::invalid_argument, "name", "expected 1 to 255 characters"};
    if (!targets_.has(s.on) || targets_[s.on].of != level::instance)
        return error{errc::invalid_argument, std::string{s.name}, "expected a service on an instance"};
    const target_record t{.parent = s.on, .of = level::service, .priority = s.priority};
    auto added = targets_.add(t, std::string{targets_.name(s.on)} + "/" + std::string{s.name});
    if (!added) return added;
    unjournaled_.push_back(*added);
    any_priority_ = any_priority_ || s.priority != 0;
    return added;
}

inline result<void> engine::depend(target_id dependent, target_id on) {
    if (!targets_.has(dependent) || !targets_.has(on)) return error{errc::not_found, {}, "there is no such target"};
    // What is reached from `on` must not lead back.
    std::vector<target_id> reached{on};
    for (std::size_t n = 0; n < reached.size(); ++n) {
        if (targets_.covers(reached[n], dependent) || targets_.covers(dependent, reached[n]))
            return error{errc::invalid_argument, std::string{name(dependent)},
                         "it would depend on itself, by way of " + std::string{name(on)}};
        const auto reach = [&](target_id needed) {
            bool known = false;
            for (const target_id r : reached) known = known || r == needed;
            if (!known) reached.push_back(needed);
        };
        targets_.each_below(reached[n], [&](target_id below) { each_need(below, reach); });
        for (target_id up = targets_[reached[n]].parent; up != no_target; up = targets_[up].parent)
            each_need(up, reach);
    }
    std::size_t at = dependencies_.size();
    while (at != 0 && dependent < dependencies_[at - 1].dependent) --at;
    dependencies_.insert(dependencies_.begin() + static_cast<std::ptrdiff_t>(at), {dependent, on});
    return {};
}

inline void engine::step(time_point now, outputs& out) {
    check_clock(now, out);
    now_ = later(now_, now);
    if (resume_ != nullptr) (this->*std::exchange(resume_, nullptr))(out);
    if (held_until_ == never) held_until_ = after(now_, options_.bounds.start_hold);
    for (const target_id id : unjournaled_) {
        if (static_cast<std::size_t>(id) < journaled_) continue;
        record& r = write(record_kind::target, id, out);
        r.of = targets_[id].of;
        r.name = targets_.name(id);
    }
    unjournaled_ = std::vector<target_id>(); // a burst at the start; its room would be kept for good

    if (std::exchange(journal_changed_, false)) tell_journal(out);
    taking_.swap(inputs_);
    taking_.each([&](auto& input) { take(input, out); });
    taking_.clear();

    transitions_.clear();
    const time_point due = watches_.next();
    if (watches_.evaluate(now_, transitions_, options_.doubts)) {
        deaths_.doubt(now_);
        event& e = tell(event_kind::controller, decision::ignore, reason::stepped_late, out);
        e.value = std::chrono::duration<double>(now_ - due).count();
    }
    for (const transition& t : transitions_) take(t, out);
    constexpr std::size_t kept = 1024; // of the room of a bad moment
    if (transitions_.capacity() > kept) transitions_ = std::vector<transition>();
    watch_silence(out);
    if (std::erase_if(probes_, [this](const probe& p) { return now_ >= p.by; }) != 0) look_again_ = unanswered_ = true;
    watch_orders(out);
    fence_strays(out);

    // A read-back may end its operation, and an end may start the next: by index, newest last.
    for (std::size_t n = 0; n < operations_.size(); ++n) watch_deadlines(operations_[n], out);
    if (!late_.empty()) place_late();
    do {
        look_again_ = false;
        watch_breakers(out);
        look_at_all(out);
        std::erase_if(incidents_, [](const incident& i) { return i.at == phase::closed; });
        for (std::size_t n = 0; n < operations_.size(); ++n) emit_call(operations_[n], out);
        std::erase_if(operations_, [](const pending_operation& op) { return op.id == no_op; });
    } while (look_again_);
}

/// In the order of their opening, and where targets have priorities, the more important ones first.
inline void engine::look_at_all(outputs& out) {
    highest_waiting_ = -1;
    longest_now_ = never;
    const auto note_longest = [&] {
        look_again_ = look_again_ || longest_now_ > waits_longest_; // others may go first again
        waits_longest_ = longest_now_;
    };
    if (!any_priority_) {
        for (std::size_t n = 0; n < incidents_.size(); ++n) look(incidents_[n], out);
        return note_longest();
    }
    order_.resize(incidents_.size());
    for (std::size_t n = 0; n < order_.size(); ++n) order_[n] = {targets_[incidents_[n].target].priority, n};
    detail::sort(order_, [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    for (const auto& next : order_) {
        incident& i = incidents_[next.second];
        look(i, out);
        // It waits for its turn, not for anything that may never come.
        constexpr std::uint32_t turn = turn_guards | bit(guard::backoff) | bit(guard::quota);
        if (i.at == phase::deciding && i.denied != 0 && (i.denied & ~turn) == 0 && highest_waiting_ < next.first)
            highest_waiting_ = next.first;
    }
    note_longest();
}

inline void engine::check_clock(time_point now, outputs& out) {
    if (!options_.doubts.raised(now, now_)) {
        went_back_ = went_back_ && now < now_;
        return;
    }
    watches_.doubt(now_);
    deaths_.doubt(now_);
    if (std::exchange(went_back_, true)) return;
    event& e = tell(event_kind::controller, decision::ignore, reason::clock_jumped, out);
    e.value = std::chrono::duration<double>(now_ - now).count();
}

inline void engine::tell_journal(outputs& out) {
    if (!journal_ok_) return void(tell(event_kind::page, decision::page, reason::journal_failed, out));
    tell(event_kind::controller, decision::change, reason::none, out);
    // Nobody knows whether an intent that was under way when it failed is in it, whatever later records say.
    for (pending_operation& op : operations_) {
        if (op.at != pending_operation::stage::journaled) continue;
        write_intent(op, find_incident(op.for_incident), out);
    }
}

/// When something that was said of a target will say nothing any more.
inline time_point engine::grows_old(target_id target) const noexcept {
    if (target == no_target || targets_[target].words == 0) return never;
    const duration max_age = evidence_of(target).max_age;
    const testimonies& words = targets_.words(target);
    const auto old = [&](const testimony& word) {
        const time_point last = word.ages(max_age); // at which it still holds
        return last < now_ ? never : after(last, duration{1});
    };
    time_point earliest = old(words.machine);
    for (const testimony& word : words.of) earliest = earlier(earliest, old(word));
    return earliest;
}

inline time_point engine::next() const noexcept {
    if (look_again_ || !inputs_.empty() || !unjournaled_.empty()) return now_;
    time_point earliest = earlier(watches_.next(), orders_.next());
    for (const incident& i : incidents_) {
        earliest = earlier(earliest, earlier(i.wake, earlier(page_at(i), grows_old(i.target))));
        const target_id machine = machine_of(i.target);
        if (machine != i.target) earliest = earlier(earliest, grows_old(machine));
        // A lease that runs out is a proof, whatever else stood in the way.
        if (const time_point over = deaths_.lease_over(machine); over > now_) earliest = earlier(earliest, over);
    }
    for (const pending_operation& op : operations_) {
        earliest = earlier(earliest, page_at(op));
        const bool ready = op.at == pending_operation::stage::journaled && op.intent <= durable_ && journal_ok_;
        if (ready) earliest = earlier(earliest, call_at());
        if (op.at == pending_operation::stage::called) earliest = earlier(earliest, op.deadline);
        if (op.at == pending_operation::stage::unknown) earliest = earlier(earliest, earlier(op.read_by, op.settle_by));
    }
    for (const stray& s : strays_) earliest = earlier(earliest, due(s));
    for (const probe& p : probes_) earliest = earlier(earliest, p.by);
    for (const set_id s : open_breakers_) {
        earliest = earlier(earliest, after(sets_[s].calm_since, options_.bounds.breaker.cooldown));
        if (!sets_[s].paged) earliest = earlier(earliest, after(sets_[s].opened_at, options_.page_after));
    }
    if (doubting_) {
        earliest = earlier(earliest, next_probe_);
        if (!doubt_paged_) earliest = earlier(earliest, after(doubt_since_, options_.page_after));
    }
    return earliest;
}

inline void engine::take(const transition& t, outputs& out) {
    target_record& target = targets_[t.target];
    const auto count = [](std::uint16_t& of, int by) { of = static_cast<std::uint16_t>(of + by); };
    if (t.from == alarm_state::alarm) count(target.raised, -1);
    if (t.from == alarm_state::ok) count(target.quiet, -1);
    if (t.to == alarm_state::alarm) count(target.raised, 1);
    if (t.to == alarm_state::ok) count(target.quiet, 1);
    note_beat(t);

    const reason why = t.to == alarm_state::alarm ? reason::alarm_raised
                       : t.to == alarm_state::ok  ? reason::alarm_cleared
                                                  : reason::alarm_unknown;
    event& e = tell(event_kind::alarm, decision::change, why, out);
    e.target = t.target;
    e.from = !raised_before_.empty() && std::erase(raised_before_, t.watch) != 0 ? alarm_state::alarm : t.from;
    e.to = t.to;
    e.watch = t.watch;
    e.value = t.value;
    const bool news = e.from != t.to && (e.from == alarm_state::alarm || t.to == alarm_state::alarm);
    const std::size_t written = out.records.size();
    health_changed(t.target, why, out);
    if (!news) return;
    record& r = out.records.size() != written ? out.records.back() : write(record_kind::alarm, t.target, out);
    r.to = t.to;
    // Counted from the oldest: the list begins with the newest.
    std::uint32_t at = target.first_watch;
    if (links_[at].next == 0) return;
    while (links_[at].watch != t.watch) at = links_[at].next;
    while ((at = links_[at].next) != 0) ++r.attempt;
}

/// Counts which machines are heard: by how many alarms that silence raises, on them and their services.
inline void engine::note_beat(const transition& t) {
    if (t.reminder() || !watches_.hears_silence(t.watch)) return;
    const target_id machine = machine_of(t.target);
    if (machine == no_target) return;
    target_record& m = targets_[machine];
    if (t.to == alarm_state::ok && ++m.beats == 1) return silence_.beats(machine);
    if (t.from != alarm_state::ok || --m.beats != 0) return;
    // What our own action silences is no news, and what nobody can tell is no silence.
    if (t.to != alarm_state::alarm || targets_.busy(machine)) return silence_.forget(machine);
    silence_.falls_silent(machine, sets_.of(m.member_of).domain(), now_);
}

/// Doubts the observer first: silence that is too wide may be our own.
inline void engine::watch_silence(outputs& out) {
    silence_.look(now_);
    const std::size_t lost = silence_.wide() ? silence_.lost() : 0;
    const bool wider = lost >= told_lost_ + options_.bounds.silence.targets;
    if (silence_.wide() && !doubting_ && wider) {
        doubting_ = look_again_ = true;
        doubt_paged_ = unanswered_ = false;
        doubt_since_ = next_probe_ = now_;
        tell(event_kind::controller, decision::wait, reason::silence_is_ours, out);
    }
    told_lost_ = doubting_ || lost < told_lost_ ? lost : told_lost_;
    if (!doubting_) return;
    if (now_ >= next_probe_) {
        next_probe_ = after(now_, options_.read_back_every);
        // The last one that was lost goes on being asked for, when its loss is history or it has returned: only an
        // answer ends the doubt.
        if (const target_id last = silence_.newest_lost(); last != no_target) doubted_about_ = last;
        ask_machine(doubted_about_, out);
    }
    if (!doubt_paged_ && now_ >= after(doubt_since_, options_.page_after)) {
        doubt_paged_ = true;
        tell(event_kind::page, decision::page, reason::silence_is_ours, out);
    }
}

/// The driver answers, so it is not the observer who is cut off.
inline void engine::end_doubt(outputs& out) {
    if (!std::exchange(doubting_, false)) return;
    look_again_ = true;
    deaths_.doubt(now_);
    // Who was cut off has heard nobody: what is silent has its time to be heard again before it counts.
    if (std::exchange(unanswered_, false)) listen_until_ = after(now_, 2 * options_.bounds.silence.within);
    tell(event_kind::controller, decision::release, reason::silence_is_ours, out);
}

/// Asks the cloud whether a machine runs. It changes nothing, so it needs no intent.
inline void engine::ask_machine(target_id machine, outputs& out) {
    constexpr std::size_t most_probes = 16;
    if (options_.shadow) return end_doubt(out);
    if (machine == no_target || probes_.size() >= most_probes || call_at() > now_) return;
    if (!leads_for(options_.read_back_every)) return;
    std::erase_if(asked_, [this](const probe& p) { return now_ >= p.by; });
    for (const probe& p : asked_) {
        if (p.machine == machine) return;
    }
    const auto id = static_cast<op_id>(++last_op_);
    probes_.push_back({id, machine, after(now_, options_.read_back_every)});
    asked_.push_back(probes_.back());
    out.calls.push_back(make_call({.subject = machine}, id, operation::describe, probes_.back().by));
    calls_made_.spend(now_, options_.bounds.api.within);
}

inline void engine::watch_orders(outputs& out) {
    const bool ended = orders_.expire(now_, [&](const standing_order& o) {
        tell(event_kind::operator_word, decision::release, reason::expired, out).target = o.target;
    });
    look_again_ = look_again_ || ended;
}

inline void engine::watch_breakers(outputs& out) {
    sets_.take_changed([&](set_id id) {
        instance_set& s = sets_[id];
        const bool too_many = too_many_unhealthy(options_.bounds.breaker, s.of, s.size(), s.failed());
        if (too_many) s.calm_since = never;
        else if (s.open && s.calm_since == never) s.calm_since = now_;
        if (!too_many || s.open) return;
        s.open = true;
        s.paged = false;
        s.opened_at = now_;
        open_breakers_.push_back(id);
        event& e = tell(event_kind::controller, decision::open, opened(s), out);
        e.set = id;
        e.value = static_cast<double>(s.failed());
    });
    set_id widest = no_set;
    bool again = false;
    std::erase_if(open_breakers_, [&](set_id id) {
        instance_set& s = sets_[id];
        if (now_ >= after(s.calm_since, options_.bounds.breaker.cooldown)) {
            s.open = false;
            s.calm_since = never;
            look_again_ = true;
            tell(event_kind::controller, decision::release, reason::breaker_closed, out).set = id;
            again = again || id == paged_breaker_;
            return true;
        }
        if (s.paged || now_ < after(s.opened_at, options_.page_after)) return false;
        if (doubting_ || now_ < listen_until_) {
            s.opened_at = now_; // what it counts may be our own silence, which is paged by itself
            return false;
        }
        s.paged = true;
        if (widest == no_set || sets_[widest].failed() < s.failed()) widest = id;
        return false;
    });
    // One cause opens the breakers of many sets; a human hears of the widest. What outlasts that one has another cause.
    for (std::size_t n = 0; again && n < open_breakers_.size(); ++n) {
        sets_[open_breakers_[n]].paged = false;
        sets_[open_breakers_[n]].opened_at = now_;
    }
    if (widest == no_set) return;
    paged_breaker_ = widest;
    event& e = tell(event_kind::page, decision::page, opened(sets_[widest]), out);
    e.set = widest;
    e.value = static_cast<double>(sets_[widest].failed());
}

inline health engine::says(target_id target, vantage v) const noexcept {
    const target_record& t = targets_[target];
    const health told =
        t.words == 0 ? health::unknown
                     : targets_.words(target).of[static_cast<std::size_t>(v)].says(now_, evidence_of(target).max_age);
    if (v != vantage::guest_heartbeat) return told;
    const health heard = t.heard();
    return heard == health::unhealthy || told == health::unknown ? heard : told;
}

inline vantage_set engine::calling(target_id target, health what) const noexcept {
    vantage_set all{};
    if (targets_[target].words == 0) {
        // Only its alarms have ever spoken.
        if (what == health::unknown) all = all_vantages - (all | vantage::guest_heartbeat);
        return targets_[target].heard() == what ? all | vantage::guest_heartbeat : all;
    }
    for (std::size_t v = 0; v < vantage_count; ++v) {
        if (says(target, static_cast<vantage>(v)) == what) all = all | static_cast<vantage>(v);
    }
    return all;
}

inline health engine::health_of(target_id target) const noexcept {
    if (!targets_.has(target)) return health::unknown;
    if (targets_[target].words == 0) return targets_[target].heard();
    if (calling(target, health::unhealthy) != vantage_set::none) return health::unhealthy;
    return calling(target, health::healthy) != vantage_set::none ? health::healthy : health::unknown;
}

inline void engine::take(const observation& o, outputs& out) {
    if (!targets_.has(o.target) || static_cast<std::size_t>(o.from) >= vantage_count) return;
    if (o.from == vantage::neighbour &&
        !independent(
            sets_of(machine_of(o.witness < no_target && targets_.has(o.witness) ? o.witness : no_target)).place(),
            sets_of(machine_of(o.target)).place())) {
        event& e = tell(event_kind::alarm, decision::ignore, reason::neighbour_not_independent, out);
        e.target = o.target;
        e.subject = o.witness;
        return;
    }
    const health before = health_of(o.target);
    testimony& word = targets_.note_words(o.target).of[static_cast<std::size_t>(o.from)];
    const time_point at = o.at < now_ ? o.at : now_;
    if (o.polled) word.poll(o.seen, at, evidence_of(o.target));
    else word.state(o.seen, at);
    look_again_ = true;
    if (health_of(o.target) == before) return health_changed(o.target, reason::none, out);
    const reason why = o.seen == health::healthy     ? reason::observed_healthy
                       : o.seen == health::unhealthy ? reason::observed_unhealthy
                                                     : reason::alarm_unknown;
    tell(event_kind::alarm, decision::change, why, out).target = o.target;
    health_changed(o.target, why, out);
}

inline void engine::health_changed(target_id target, reason why, outputs& out) {
    look_again_ = true;
    const vantage_set against = calling(target, health::unhealthy);
    if (against == vantage_set::none) return;
    if (incident* i = find_incident(targets_[target].incident); i != nullptr) i->accusers = i->accusers | against;
    else open(target, why, out);
}

inline void engine::take(const ordered& o, outputs& out) {
    const bool possible = targets_.has(o.instance) && targets_[o.instance].of == level::instance;
    // What exists, is heard, or is being recovered is not made a second time.
    const bool known = possible && (made(o.instance) || targets_[o.instance].incident != no_incident);
    // Nor is what may have been made by an order before: the cloud is asked, or an operator says.
    const bool unsure = possible && !known && targets_[o.instance].unsure;
    const bool leads = leads_for(options_.create_timeout);
    const bool free = possible && !known && !unsure && leads && !targets_.busy(o.instance);
    const reason held = leads || known ? reason::busy : unled();
    const reason why = unsure ? reason::outcome_unknown : possible && !free ? held : reason::requested;
    tell(event_kind::operation_order, free ? decision::act : decision::ignore, why, o.instance, out).rung =
        operation::create_instance;
    if (unsure) ask_machine(o.instance, out);
    if (!free) return;
    start(operation::create_instance, o.instance, nullptr, options_.create_timeout, options_.create_timeout, out);
}

inline void engine::take(const healed& h, outputs& out) {
    if (!targets_.has(h.target)) return;
    const std::span<const rung> rungs = rules(targets_[h.target].rules).rungs();
    std::size_t at = 0;
    while (at < rungs.size() && rungs[at].what != operation::guest_restarts) ++at;
    // A guest that has told of too many may tell of more: they say nothing new, and are not kept.
    const bool counts = at < rungs.size();
    const bool over = counts && guest_overspent(h.target, rungs[at]);
    if (counts && !over) {
        ledger_.spend(h.target, operation::guest_restarts, now_);
        write(record_kind::guest_restart, h.target, out);
    }
    look_again_ = true;
    tell(event_kind::alarm, decision::change, reason::guest_restarted, out).target = h.target;
    if (incident* i = find_incident(targets_[h.target].incident); i != nullptr) {
        if (!over) i->healed_at = now_;
        return;
    }
    // Too many of them are a failure by themselves, whatever the alarms say.
    if (counts && at == 0 && guest_overspent(h.target, rungs.front())) {
        targets_.note_words(h.target).of[static_cast<std::size_t>(vantage::guest_heartbeat)].pass(health::unhealthy,
                                                                                                  now_);
        health_changed(h.target, reason::guest_restarted, out);
    }
}

inline void engine::take(const host_word& h, outputs& out) {
    const set_id host = sets_.find(set_kind::host, h.host);
    const bool changes = host != no_set && sets_[host].dead != h.dead;
    event& e = tell(event_kind::controller, changes ? decision::accept : decision::ignore,
                    h.dead ? reason::died : reason::returned, out);
    e.set = host;
    if (!changes) return;
    sets_[host].proof = h.by;
    sets_[host].died_at = now_;
    sets_.set_dead(host, h.dead);
    look_again_ = true;
    record& r = write(record_kind::death, no_target, out);
    r.name = h.host;
    r.why = h.dead ? reason::died : reason::returned;
    r.proof = h.by;
}

inline void engine::take(const lease& l, outputs&) {
    if (!targets_.has(l.target) || targets_[l.target].of != level::instance) return;
    deaths_.renew(l);
    look_again_ = true;
}

/// A copy that was proved dead runs: either the proof was false, or it was started again since.
inline void engine::take(const sighting& s, outputs& out) {
    if (!targets_.has(s.target)) return;
    grave* of = nullptr;
    bool replaced = false;
    for (grave& g : graves_) {
        replaced = replaced || g.target == s.target;
        const bool known_by_id = !g.moved && !g.cloud_id.empty() && g.cloud_id != targets_.cloud_id(g.target);
        const bool same_id = s.cloud_id == g.cloud_id;
        const bool there = !s.host.empty() && s.host == g.host;
        const bool left = there && s.host != targets_.host(g.target);
        const bool same_copy = known_by_id ? same_id : left && (same_id || s.cloud_id.empty() || g.cloud_id.empty());
        const bool never_off = there && same_id && s.running_since != time_point{} && s.running_since <= g.died_at;
        if (g.target == s.target && (same_copy || never_off)) of = &g;
    }
    const std::optional<grave> held = of == nullptr ? withdraw_proof(s, out) : std::nullopt;
    if (of == nullptr && !held) {
        const std::string_view known = targets_.cloud_id(s.target);
        if (s.cloud_id.empty() || s.cloud_id == known) return;
        // Whether it is the new copy or the one that was replaced, the cloud knows.
        if (known.empty()) return replaced ? ask_machine(s.target, out) : void();
        return meet_stranger(s, out);
    }
    const grave& g = held ? *held : *of;
    if (s.running_since <= g.died_at) {
        if (std::exchange(trust_broken_, true)) return;
        tell(event_kind::page, decision::page, reason::trust_broken, s.target, out).incident = g.incident;
        write(record_kind::trust, s.target, out).why = reason::trust_broken;
        return;
    }
    const bool news = held || is_news(of->seen_at);
    if (news) tell(event_kind::incident, decision::change, reason::returned, s.target, out).incident = g.incident;
    if (!held) reconcile(s, g.cloud_id, news, out);
}

inline void engine::take(const capacity& c, outputs& out) {
    const set_id zone = sets_.find(set_kind::zone, c.zone);
    if (zone == no_set && !c.zone.empty()) return;
    room_of(zone) = c.room;
    // It counts the calls that are under way; what was not called yet takes its room anew.
    for (pending_operation& op : operations_) {
        std::erase(op.room_in, zone);
        const incident* const i =
            op.at == pending_operation::stage::journaled ? find_incident(op.for_incident) : nullptr;
        if (i == nullptr || !needs_proof(op.what)) continue;
        for (const death_wanted& d : i->deaths) {
            if (zone == no_set || sets_of(d.target).zone == zone) take_room(op, zone);
        }
    }
    look_again_ = true;
    tell(event_kind::controller, decision::change, reason::capacity_told, out).value = static_cast<double>(c.room);
}

inline void engine::take(const new_policy& p, outputs& out) {
    const auto which = static_cast<std::size_t>(p.which);
    if (which >= policies_.size() || policies_.size() > 0xffffU)
        return void(tell(event_kind::controller, decision::ignore, reason::policy_changed, out));
    const policy_id old = policies_[which].newest;
    const auto made = static_cast<policy_id>(policies_.size());
    policies_.push_back({p.to, made});
    for (policy_version& v : policies_) {
        if (v.newest == old) v.newest = made;
    }
    for (std::size_t n = 0; n < targets_.size(); ++n) {
        target_record& t = targets_[static_cast<target_id>(n)];
        if (t.rules == old) t.rules = made;
    }
    look_again_ = true;
    tell(event_kind::controller, decision::change, reason::policy_changed, out);
    write(record_kind::policy, no_target, out).why = reason::policy_changed;
}

inline void engine::take(const new_leader& l, outputs& out) {
    const bool taken = lost_ ? l.until == lead_until_ : l.reign >= options_.reign;
    if (taken) {
        options_.reign = l.reign;
        lead_until_ = l.until;
        held_until_ = after(now_, options_.bounds.start_hold);
        look_again_ = true;
    }
    event& e = tell(event_kind::controller, taken ? decision::change : decision::ignore,
                    lost_ ? reason::leadership_lost : reason::leader_changed, out);
    e.value = static_cast<double>(static_cast<std::uint64_t>(l.reign));
}

inline void engine::take(const overflow& o, outputs& out) {
    tell(event_kind::controller, decision::ignore, reason::inbox_overflow, out).value = static_cast<double>(o.lost);
    // What was lost may have been heartbeats.
    if (!options_.doubts.on) return;
    watches_.doubt(now_);
    deaths_.doubt(now_);
}

inline void engine::take(completed& c, outputs& out) {
    for (std::size_t n = 0; n < probes_.size(); ++n) {
        if (c.repeated || probes_[n].reading != c.op) continue;
        const target_id machine = probes_[n].machine;
        probes_.erase(probes_.begin() + static_cast<std::ptrdiff_t>(n));
        look_again_ = true;
        if (c.result.code == outcome_code::unknown) return void(unanswered_ = true);
        end_doubt(out);
        const observed& seen = c.result.seen;
        note_seen(machine, seen);
        if (!seen.exists.value_or(true) && (seen.vouched || !seen.running.value_or(true)))
            targets_[machine].unsure = false;
        if (!seen.running && !seen.exists) return;
        const bool runs = seen.exists.value_or(true) && seen.running.value_or(true);
        targets_.note_words(machine).machine.pass(runs ? health::healthy : health::unhealthy, now_);
        return;
    }
    pending_operation* op = c.repeated || c.op == no_op ? nullptr : find_operation(c.op);
    const bool read = op != nullptr && op->reading == c.op;
    const bool tells = op != nullptr && (!read || c.result.code == outcome_code::done); // not that it can not be read
    if (tells && !c.result.reason.empty()) detail::add_words(op->said, c.result.reason.substr(0, 1'000));
    if (read) return read_back(*op, c.result, out);
    if (op == nullptr || op->at != pending_operation::stage::called) {
        const reason why = c.repeated ? reason::repeated_completion : reason::late_completion;
        return void(tell(event_kind::call, decision::ignore, why, out).op = c.op);
    }
    if (op->cloud_id.empty()) note_seen(op->subject, c.result.seen);
    if (c.result.code >= outcome_code::unknown) return doubt_outcome(*op, reason::outcome_unknown, out);
    constexpr reason whys[]{reason::outcome_done, reason::outcome_failed, reason::outcome_refused};
    finish(*op, c.result.code, whys[static_cast<std::size_t>(c.result.code)], c.result.retry_after, out);
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/operate.hpp

// Intents, calls and outcomes: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

/// Begins an operation: its intent goes into the journal's hands. The reference is good until the next one begins.
inline pending_operation& engine::start(operation what, target_id subject, incident* for_incident, duration timeout,
                                        duration settle, outputs& out) {
    pending_operation& op = operations_.emplace_back();
    op.id = static_cast<op_id>(++last_op_);
    op.what = what;
    op.subject = subject;
    op.key = mix(mix(options_.seed ^ static_cast<std::uint64_t>(options_.reign)) ^ last_op_);
    op.since = op.held_since = now_;
    op.timeout = timeout;
    op.settle = settle;
    if (targets_[subject].seen != 0) {
        op.cloud_id_before = targets_.cloud_id(subject);
        op.boot_id_before = targets_.boot_id(subject);
    }
    if (for_incident != nullptr) {
        op.for_incident = for_incident->id;
        if (what != operation::fence_instance) for_incident->op = op.id;
    } else {
        targets_.mark_busy(subject, 1);
    }
    if (!options_.shadow) write_intent(op, for_incident, out);
    return op;
}

inline void engine::write_intent(pending_operation& op, const incident* i, outputs& out) {
    record& r = write(record_kind::intent, op.subject, out);
    r.op = op.id;
    r.key = op.key;
    r.what = op.what;
    r.incident = op.for_incident;
    r.deadline = after(now_, op.timeout);
    if (i != nullptr) {
        r.rung = i->rung;
        r.attempt = i->attempts;
    }
    op.intent = r.seq;
    op.held_since = now_;
    op.paged = false;
    if (targets_[op.subject].seen == 0) return;
    r.cloud_id = op.cloud_id_before;
    r.boot_id = op.boot_id_before;
    r.host = targets_.host(op.subject);
}

/// The second look: the world may have changed while the journal wrote.
inline reason engine::no_longer_wanted(const pending_operation& op) const noexcept {
    if (trust_broken_) return reason::trust_broken;
    if (!leads_for(op.timeout)) return unled();
    const incident* i = find_incident(op.for_incident);
    if (i == nullptr && op.what == operation::create_instance) return made(op.subject) ? reason::busy : reason::none;
    if (i == nullptr) return left_alone(op.subject);
    if (runs_elsewhere(op.what, op.subject)) return reason::returned;
    // After the first fence the machine is off for certain; nothing that was heard before can call it healthy. A proof
    // without one holds only as long as what it rests on.
    bool fenced = false;
    for (const death_wanted& d : i->deaths) {
        fenced = fenced || d.fenced;
        // A fence does not need it: what has run out meanwhile is proved anew.
        const bool needed = op.what != operation::fence_instance;
        if (needed && d.proved && !d.fenced && !dead(d.target)) return reason::proof_expired;
    }
    if (!fenced && well(*i, (time_point::min)())) return reason::healthy_again;
    for (const proof_of_death& p : op.proofs) {
        if (!p.speaks_for(op.for_incident, p.target(), now_)) return reason::proof_expired;
    }
    reason breaker = reason::none;
    each_place(op.subject, [&](set_id s) { breaker = sets_[s].open ? opened(sets_[s]) : breaker; });
    if (breaker != reason::none) return breaker;
    if (doubting_) return reason::silence_is_ours;
    const bool irreversible = is_destructive(op.what) || op.what == operation::fence_instance;
    if (irreversible && now_ < held_until_) return reason::started_lately;
    for (const target_id t : {i->target, op.subject}) {
        if (const reason why = left_alone(t); why != reason::none) return why;
    }
    return reason::none;
}

/// Whether an operator said that nothing is done to a target now.
inline reason engine::left_alone(target_id target) const noexcept {
    if (orders_.holding(standing_order::kind::maintenance, target, now_, targets_) != nullptr)
        return reason::in_maintenance;
    const bool frozen = orders_.holding(standing_order::kind::freeze, target, now_, targets_) != nullptr;
    return frozen ? reason::frozen_by_operator : reason::none;
}

inline call engine::make_call(const pending_operation& op, op_id id, operation what, time_point deadline) const {
    const std::string_view name = targets_.name(op.subject);
    const target_id on = machine_of(op.subject);
    const target_id in = targets_.ancestor(op.subject, level::stack);
    const std::string_view instance = on == no_target ? std::string_view{} : targets_.name(on);
    std::string_view cloud_id = op.cloud_id;
    if (cloud_id.empty() && on != no_target) cloud_id = targets_.cloud_id(on);
    const std::string_view stack = in == no_target ? std::string_view{} : targets_.name(in);

    call c;
    // Reserved first, because the views must not move.
    c.text.reserve(name.size() + instance.size() + cloud_id.size() + stack.size() + op.method.size());
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
    c.what.method = keep(op.method);
    c.what.hard = op.hard;
    c.what.replaced = !op.cloud_id.empty();
    if (targets_[op.subject].of == level::service && what != operation::describe)
        c.what.service = c.what.name.substr(c.what.instance.size() + 1);
    c.what.deadline = c.start_by = deadline;
    // What may not be covered to its end has to start early enough.
    if (leased_ && after(deadline, options_.lease_margin) > lead_until_)
        c.start_by = lead_until_ - options_.lease_margin - options_.lease_covers;
    return c;
}

inline void engine::emit_call(pending_operation& op, outputs& out) {
    if (op.id == no_op || op.at != pending_operation::stage::journaled) return;
    if (!lost_ && (op.intent > durable_ || !journal_ok_)) return;
    if (const reason why = no_longer_wanted(op); why != reason::none) return drop(op, why, out);
    if (call_at() > now_) return;
    if (options_.shadow) return suppose_done(op, out);
    op.at = pending_operation::stage::called;
    op.held_since = never;
    forget_past(op);
    op.deadline = after(now_, op.timeout);

    call c = make_call(op, op.id, op.what, op.deadline);
    bury(op);
    c.proofs = std::move(op.proofs);
    out.calls.push_back(std::move(c));
    tell_call(op, reason::none, out);
}

inline void engine::tell_call(const pending_operation& op, reason why, outputs& out) {
    calls_made_.spend(now_, options_.bounds.api.within);
    tell(event_kind::call, decision::call, why, op, out).next = op.deadline;
}

/// Shadow mode: the call is told instead of made, and counts as done. What is watched forgets nothing, because nothing
/// was done to it; but only what is heard from now on says whether it would have helped.
inline void engine::suppose_done(pending_operation& op, outputs& out) {
    incident* const i = find_incident(op.for_incident);
    if (i != nullptr && !detail::comes_first(op.what)) i->acted_at = now_;
    tell_call(op, reason::would_act, out);
    finish(op, outcome_code::done, reason::would_act, {}, out);
}

/// Whether an action helped is told by what is heard from its call on, and its silence is no new failure.
inline void engine::forget_past(const pending_operation& op) {
    incident* const i = find_incident(op.for_incident);
    if (i == nullptr || detail::comes_first(op.what)) return;
    i->acted_at = now_;
    if (options_.shadow) return; // nothing was done, so nothing is excused
    targets_.each_below(op.subject, [&](target_id below) {
        if (targets_[below].words != 0) targets_.note_words(below).machine = {};
    });
    excuse_silence(op.subject, rung_of(*i).grace);
}

/// The silence before now says nothing of a target and what is below it, nor does that of the grace.
inline void engine::excuse_silence(target_id subject, duration grace) {
    targets_.each_below(subject, [&](target_id below) {
        each_watch(below, [&](watch_id w) {
            if (watches_.hears_silence(w)) watches_.forget(w, now_, grace);
        });
    });
}

/// Takes an intent back before its call: certainly nothing happened.
inline void engine::drop(pending_operation& op, reason why, outputs& out) {
    const op_id id = std::exchange(op.id, no_op);
    if (!options_.shadow) { // there was no intent
        record& w = write(record_kind::dropped, op.subject, out);
        w.op = id;
        w.incident = op.for_incident;
        w.what = op.what;
        w.why = why;
    }
    tell(event_kind::call, decision::drop, why, op, out).op = id;
    look_again_ = true;
    incident* const i = find_incident(op.for_incident);
    if (i == nullptr) return targets_.mark_busy(op.subject, -1);
    if (op.what == operation::fence_instance) {
        for (death_wanted& d : i->deaths) {
            if (d.target == op.subject && d.in_flight != 0) --d.in_flight;
        }
    } else if (op.what == operation::collect_forensics) {
        i->forensics = false;
    } else {
        // Nothing was spent; but a proof that keeps expiring is a wait, and is paged.
        take_back(*i, op);
        --i->attempts;
        if (why == reason::proof_expired) begin_wait(*i, op.since);
    }
    // The others of a round of fences come to their own end first.
    for (const death_wanted& d : i->deaths) {
        if (d.in_flight != 0) return;
    }
    enter(*i, phase::deciding);
    i->wake = never;
    finish_busy(*i);
}

/// When a human has to hear that the journal or the quota holds an operation back. A failed journal has been paged by
/// itself; one that was reopened has its time anew.
inline time_point engine::page_at(const pending_operation& op) const noexcept {
    return journal_ok_ && !op.paged ? after(op.held_since, options_.page_after) : never;
}

inline void engine::watch_deadlines(pending_operation& op, outputs& out) {
    if (op.id == no_op) return; // its outcome came in time, in this step
    if (now_ >= page_at(op)) {
        op.paged = true;
        const bool written = op.at != pending_operation::stage::journaled || op.intent <= durable_;
        const reason why = !written                              ? reason::journal_pending
                           : leads_for(options_.read_back_every) ? reason::api_quota
                                                                 : unled();
        page(why, op, out);
    }
    const bool unknown = op.at == pending_operation::stage::unknown;
    const bool called = op.at == pending_operation::stage::called;
    if (called && now_ >= op.deadline) doubt_outcome(op, reason::deadline_passed, out);
    else if (unknown && now_ >= op.settle_by) finish(op, outcome_code::unknown, reason::found_not_done, {}, out);
    else if (unknown && now_ >= op.read_by) ask_cloud(op, out);
}

/// Nobody knows what a call came to: the cloud is asked.
inline void engine::doubt_outcome(pending_operation& op, reason why, outputs& out) {
    op.at = pending_operation::stage::unknown;
    op.settle_by = never; // counted from the first question, which may have to wait for the quota
    op.read_by = now_;
    tell(event_kind::call, decision::read_back, why, op, out);
    // What was to be kept is a help, not a need: nothing waits for it.
    if (op.what == operation::collect_forensics) return finish(op, outcome_code::unknown, why, {}, out);
    ask_cloud(op, out);
}

/// Asks the cloud what is. It changes nothing, so it needs no intent.
inline void engine::ask_cloud(pending_operation& op, outputs& out) {
    const time_point at = leads_for(options_.read_back_every) ? call_at() : after(now_, options_.read_back_every);
    op.held_since = at > now_ ? earlier(op.held_since, now_) : never;
    // Who lost the lead will never ask.
    if (op.settle_by == never && (at <= now_ || lost_)) op.settle_by = after(now_, op.settle);
    if (at > now_) return void(op.read_by = at);
    op.reading = static_cast<op_id>(++last_op_);
    op.read_by = after(now_, options_.read_back_every);
    out.calls.push_back(make_call(op, op.reading, operation::describe, op.read_by));
    calls_made_.spend(now_, options_.bounds.api.within);
}

inline void engine::read_back(pending_operation& op, const outcome& seen, outputs& out) {
    op.reading = no_op;
    if (seen.code != outcome_code::done) return; // asked again when `read_by` comes
    const observed& now = seen.seen;
    if (op.cloud_id.empty()) note_seen(op.subject, now);
    const bool exists = now.exists.value_or(true);
    switch (op.what) {
    case operation::fence_instance:
        // Not running is what a description says; only the fence itself vouches for it, or whoever ran the machine and
        // says that it is gone. Fencing again is harmless.
        if (incident* const i = find_incident(op.for_incident); i != nullptr && !now.running.value_or(true))
            i->off_since = now_;
        if (!exists && now.vouched) return finish(op, outcome_code::done, reason::confirmed_absent, {}, out);
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
    const target_id machine = machine_of(subject);
    if (machine == no_target) return;
    if (!seen.host.empty() && seen.host != sets_[sets_of(machine).host].name) move_to(machine, seen.host);
    targets_.note_seen(machine, seen);
    std::erase_if(strays_, [&](const stray& s) {
        return s.target == machine && s.again_at == never && s.cloud_id == seen.cloud_id; // no stranger any more
    });
}

/// A machine runs on another host from now on; where that stands is known from its other instances, if at all.
inline void engine::move_to(target_id machine, std::string_view host) {
    target_record& t = targets_[machine];
    const int failing = t.failing != 0 ? 1 : 0;
    membership m = sets_.of(t.member_of);
    m.host = sets_.find_or_add(set_kind::host, host);
    m.rack = sets_[m.host].rack;
    if (m.host == no_set) m.rack = no_set;
    m.zone = sets_[m.host].zone != no_set ? sets_[m.host].zone : m.zone;
    sets_.count(t.member_of, -1, -failing);
    t.member_of = sets_.join(m);
    sets_.count(t.member_of, 1, failing);
}

/// Spends every budget that an action is bounded by, once in each set that it happens in, and takes room for its
/// copies.
inline void engine::spend(const incident& i, pending_operation& op) {
    ledger_.spend(op.subject, op.booked, now_);
    note_spent(all_spent_, options_.bounds.all);
    each_spent(i, [&](set_id s) { note_spent(sets_[s].spent, budget_of(sets_[s].of)); });
    for (const death_wanted& d : i.deaths) {
        take_room(op, no_set);
        if (const set_id zone = sets_of(d.target).zone; zone != no_set) take_room(op, zone);
    }
}

inline void engine::take_room(pending_operation& op, set_id in) {
    std::optional<std::uint32_t>& room = room_of(in);
    if (!room || *room == 0) return;
    --*room;
    op.room_in.push_back(in);
}

inline void engine::take_back(const incident& i, pending_operation& op) {
    ledger_.take_back(op.subject, op.booked, op.since);
    all_spent_.take_back(op.since);
    each_spent(i, [&](set_id s) { sets_[s].spent.take_back(op.since); });
    give_back_room(op);
}

/// No new copy was made: its room is free.
inline void engine::give_back_room(pending_operation& op) {
    for (const set_id s : op.room_in) ++*room_of(s);
    op.room_in.clear();
}

inline void engine::finish(pending_operation& op, outcome_code code, reason why, duration retry_after, outputs& out) {
    const operation what = op.what;
    const target_id subject = op.subject;
    if (code == outcome_code::failed || code == outcome_code::refused) give_back_room(op);
    // What a read-back finds the call may not have done: that may yet come.
    const time_point ended = why == reason::found_done && needs_proof(what) ? later(now_, op.deadline) : now_;
    const op_id id = std::exchange(op.id, no_op); // `op` may move from here on
    incident* i = find_incident(op.for_incident);
    for (std::size_t n = 0; i != nullptr && n < op.said.size(); ++n) detail::add_words(i->said, op.said[n]);

    if (!options_.shadow) {
        record& w = write(record_kind::outcome, subject, out);
        for (const std::string& words : op.said) w.text += (w.text.empty() ? "" : "; ") + words;
        w.op = id;
        w.incident = op.for_incident;
        w.what = what;
        w.result = code;
        w.why = why;
        w.cloud_id = targets_.cloud_id(subject);
        w.boot_id = targets_.boot_id(subject);
        w.host = targets_.host(subject);
    }

    tell(i == nullptr ? event_kind::operation_order : event_kind::call, decision::finish, why, op, out).op = id;
    look_again_ = true;
    if (i == nullptr) {
        targets_.mark_busy(subject, -1);
        if (what == operation::create_instance)
            targets_[subject].unsure = code == outcome_code::unknown && !made(subject);
        else stray_fenced(id, code, retry_after, out);
        return;
    }

    if (what == operation::collect_forensics) {
        // What was known as it began may be over: a host that was proved dead is back, and excuses no fence.
        if (!i->deaths.empty() && !ask_evidence(*i, rung_of(*i), subject).allows()) return step_back(*i);
        enter(*i, i->deaths.empty() ? phase::acting : phase::fencing);
        return go_on(*i, out);
    }
    if (what == operation::fence_instance) return fence_ended(*i, subject, code, why, retry_after, out);
    if (code == outcome_code::failed || code == outcome_code::refused) {
        if (needs_proof(what)) exhume(*i);
        excuse_silence(subject, {}); // nothing happened that would need a grace
        return retry(*i, retry_after);
    }
    for (const death_wanted& d : i->deaths) {
        if (why == reason::outcome_done) only_one(d.target); // what a read-back found is no answer
        // A new copy may run, and not there: the death of the old one's host is no proof of its death.
        move_to(d.target, targets_.host(d.target));
    }
    // Done, or a destructive action that nobody can tell of: evidence decides.
    i->at = phase::verifying;
    i->off_since = never;
    i->verify_by = i->wake = after(ended, code == outcome_code::done ? rung_of(*i).verify : duration{});
    tell(event_kind::verdict, decision::verify, why, *i, out).next = i->verify_by;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/operators.hpp

// What an operator says: definitions of members of `engine`.

namespace reheat::inline REHEAT_ABI {

inline void engine::take(const spoken& s, outputs& out) {
    place_late();
    const reason wrong = hear(s, out);
    look_again_ = true;
    record& r = write(record_kind::operator_word, s.target, out);
    r.verb = s.what;
    r.name = s.who;
    r.text = s.reason;
    r.deadline = s.expires;
    r.why = wrong == reason::none ? reason::operator_word : wrong;
    if (wrong != reason::none) {
        event& e = tell(event_kind::operator_word, decision::ignore, wrong, out);
        e.target = s.target;
        e.verb = s.what;
    }
}

/// Does what an operator said and tells it, or says why not.
inline reason engine::hear(const spoken& s, outputs& out) {
    if (lost_) return reason::leadership_lost;
    const bool about_one = s.target != no_target;
    if (s.who.empty() || (about_one && !targets_.has(s.target))) return reason::not_understood;
    if (s.expires <= now_) return reason::expired;
    const auto accept = [&] {
        event& e = tell(event_kind::operator_word, decision::accept, reason::operator_word, out);
        e.target = s.target;
        e.verb = s.what;
        e.next = s.expires;
        return reason::none;
    };
    switch (s.what) {
    case operator_verb::approve:
    case operator_verb::deny: return answer_rung(s, out) ? reason::none : reason::operator_word;
    case operator_verb::confirm_dead: {
        const target_id machine = machine_of(s.target);
        if (machine == no_target) return reason::not_understood;
        target_record& t = targets_[machine];
        // It was not made, so it did not fail either: it may be ordered.
        const bool unsure = t.unsure;
        t.unsure = false;
        only_one(machine);
        if (unsure && t.failing == 0 && t.heard() == health::unknown) return accept();
        deaths_.confirm(machine, earlier(s.expires, after(now_, options_.proof_validity)));
        // Whoever knows that it is dead has looked; that is evidence, for as long as the proof is good.
        targets_.note_words(machine).of[static_cast<std::size_t>(vantage::operator_word)].pass(health::unhealthy, now_);
        accept();
        health_changed(machine, reason::operator_word, out);
        return reason::none;
    }
    case operator_verb::maintain:
    case operator_verb::freeze: {
        // One without an end would be forgotten, and one without a reason be lifted by the next who wonders.
        if (s.reason.empty() || s.expires == never) return reason::not_understood;
        if (s.what == operator_verb::maintain && !about_one) return reason::not_understood;
        const auto kind =
            s.what == operator_verb::freeze ? standing_order::kind::freeze : standing_order::kind::maintenance;
        orders_.give({kind, s.target, s.expires, s.who, s.reason});
        return accept();
    }
    case operator_verb::end_maintenance:
        return orders_.end(standing_order::kind::maintenance, s.target) ? accept() : reason::operator_word;
    case operator_verb::thaw:
        return orders_.end(standing_order::kind::freeze, s.target) ? accept() : reason::operator_word;
    case operator_verb::unpark: {
        bool any = false;
        for (incident& i : incidents_) {
            if (i.at != phase::parked || (about_one && !targets_.covers(s.target, i.target))) continue;
            i.wake = now_;
            any = true;
        }
        return any ? accept() : reason::operator_word;
    }
    case operator_verb::trust: {
        // Who says so has seen to the copies that returned as well.
        const auto settled =
            std::erase_if(strays_, [&](const stray& c) { return !about_one || targets_.covers(s.target, c.target); });
        return std::exchange(trust_broken_, false) || settled != 0 ? accept() : reason::operator_word;
    }
    }
    return reason::not_understood;
}

/// Approves or denies the rung that waits for approval, on the target itself or on what the rung acts upon.
inline bool engine::answer_rung(const spoken& s, outputs& out) {
    bool heard = false;
    for (incident& i : incidents_) {
        if (i.at != phase::deciding || i.rung >= policy_of(i).size()) continue;
        const rung& current = rung_of(i);
        const bool meant = s.target == no_target || i.target == s.target || subject_of(i, current) == s.target;
        if (!meant || current.approval == consent::none) continue;
        if (s.what == operator_verb::approve && now_ < i.approved_until) continue;
        heard = true;
        event& e = tell(event_kind::operator_word, decision::accept,
                        s.what == operator_verb::approve ? reason::operator_word : reason::denied_by_operator, i, out);
        e.verb = s.what;
        record& r = write(record_kind::rung, i.target, out);
        r.incident = i.id;
        r.rung = i.rung;
        r.why = e.why;
        r.deadline = s.expires;
        if (s.what == operator_verb::approve) i.approved_until = s.expires;
        else climb(i, decision::climb, reason::denied_by_operator, out);
    }
    return heard;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/decision_words.hpp

// The names of what is decided, why and by whom, for people and logs. What decides does not need them.

namespace reheat::inline REHEAT_ABI {

[[nodiscard]] constexpr std::string_view to_string(decision d) noexcept {
    constexpr std::array<std::string_view, 20> names{
        "none", "change", "open",      "absorb", "release", "skip",    "climb", "wait", "act",    "call",
        "drop", "finish", "read_back", "verify", "give_up", "recover", "park",  "page", "accept", "ignore"};
    return names[static_cast<std::size_t>(d)];
}

[[nodiscard]] constexpr std::string_view to_string(reason r) noexcept {
    // A name a line would be eighty lines more for everybody.
    // clang-format off
    constexpr std::array<std::string_view, reason_count> names{
        "none", "alarm_raised", "alarm_cleared", "alarm_unknown", "observed_unhealthy", "observed_healthy",
        "action_above", "no_such_ancestor", "loses_kept_asset", "attempts_spent", "budget_spent", "busy",
        "approval_required", "proof_required", "proof_expired", "proof_minted", "backing_off", "journal_pending",
        "journal_failed", "healthy_again", "outcome_done", "outcome_failed", "outcome_refused", "outcome_unknown",
        "deadline_passed", "found_done", "found_not_done", "verify_deadline", "ladder_exhausted", "parked_retry",
        "waited_long", "operator_word", "late_completion", "repeated_completion", "inbox_overflow", "stepped_late",
        "clock_jumped", "first_attempt", "next_attempt", "requested", "verified", "related_failure", "did_not_help",
        "machine_is_off", "host_is_dead", "guest_restarted", "guest_heals", "in_maintenance", "frozen_by_operator",
        "silence_is_ours", "silence_cliff", "started_lately", "one_vantage", "contradicted", "evidence_is_old",
        "in_probation", "breaker_group", "breaker_domain", "breaker_closed", "too_many_in_flight", "too_soon",
        "no_capacity", "waits_for_dependency", "group_budget", "domain_budget", "all_budget", "api_quota",
        "higher_priority", "trust_broken", "custom_guard", "denied_by_operator", "not_understood", "expired",
        "already_dead", "lease_expired", "confirmed_absent", "neighbour_not_independent", "returned", "collecting",
        "policy_changed", "leader_changed", "would_act", "capacity_told", "died", "resumed", "orphaned",
        "leadership_ends", "leadership_lost"};
    // clang-format on
    return names[static_cast<std::size_t>(r)];
}

[[nodiscard]] constexpr std::string_view to_string(guard g) noexcept {
    constexpr std::array<std::string_view, guard_count> names{
        "busy",       "backoff",       "approval",  "journal",  "leadership", "maintenance", "freeze",
        "start_hold", "corroboration", "probation", "breaker",  "in_flight",  "rate",        "capacity",
        "dependency", "evidence",      "quota",     "priority", "trust",      "custom"};
    return names[static_cast<std::size_t>(g)];
}

[[nodiscard]] constexpr std::string_view to_string(operator_verb v) noexcept {
    constexpr std::array<std::string_view, 9> names{"approve", "deny",   "confirm_dead", "maintain", "end_maintenance",
                                                    "unpark",  "freeze", "thaw",         "trust"};
    return names[static_cast<std::size_t>(v)];
}

[[nodiscard]] constexpr std::string_view to_string(phase p) noexcept {
    constexpr std::array<std::string_view, 8> names{"deciding", "fencing",  "acting", "verifying",
                                                    "parked",   "absorbed", "closed", "collecting"};
    return names[static_cast<std::size_t>(p)];
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
    if (e.kind == event_kind::operator_word) line += " verb=" + std::string{to_string(e.verb)};
    if (e.what == decision::accept && e.rung == operation::fence_instance)
        line += " proof=" + std::string{to_string(e.proof)};
    if (e.set != no_set) line += " " + std::string{to_string(of.sets()[e.set].of)} + "=" + of.sets()[e.set].name;
    if (e.why == reason::inbox_overflow) line += " lost=" + std::to_string(static_cast<std::uint64_t>(e.value));
    if (e.why == reason::stepped_late) line += " late=" + std::to_string(static_cast<std::int64_t>(e.value)) + "s";
    if (e.why == reason::clock_jumped) line += " back=" + std::to_string(static_cast<std::int64_t>(e.value)) + "s";
    if (e.next != never) line += " next=" + format_time(e.next);
    if (e.shadow) line += " shadow";
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
    if (e.asked != 0) {
        out += ",\"denials\":[";
        bool first = true;
        for (const denial& d : e.denials) {
            if (d.why == reason::none) continue;
            if (!std::exchange(first, false)) out += ',';
            out += "{\"guard\":\"" + std::string{to_string(d.by)} + "\",\"reason\":\"" + std::string{to_string(d.why)} +
                   '"';
            if (d.after_ms != 0) out += ",\"next\":\"" + format_time(d.next(e.at)) + '"';
            out += '}';
        }
        out += ']';
    }
    if (e.by != vantage_set::none) {
        out += ",\"unhealthy_by\":[";
        bool first = true;
        for (std::size_t v = 0; v < vantage_count; ++v) {
            if (!has(e.by, static_cast<vantage>(v))) continue;
            if (!std::exchange(first, false)) out += ',';
            append_json_string(out, to_string(static_cast<vantage>(v)));
        }
        out += ']';
    }
    if (e.kind == event_kind::operator_word) text("verb", to_string(e.verb));
    if (e.what == decision::accept && e.rung == operation::fence_instance) text("proof", to_string(e.proof));
    if (e.set != no_set) {
        text("set_kind", to_string(of.sets()[e.set].of));
        text("set", of.sets()[e.set].name);
    }
    if (e.why == reason::inbox_overflow) number("lost", static_cast<std::uint64_t>(e.value));
    if (e.why == reason::stepped_late) number("late_s", static_cast<std::uint64_t>(e.value));
    if (e.why == reason::clock_jumped) number("back_s", static_cast<std::uint64_t>(e.value));
    if (e.next != never) text("next", format_time(e.next));
    if (e.shadow) out += ",\"shadow\":true";
    out += '}';
    return out;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/engine/why.hpp

namespace reheat::inline REHEAT_ABI {

/// Where a target stands and why: what was done, what is not done and who says so, and what can happen next. Computed
/// from an engine's state, whenever somebody asks; `to_text` and `to_json` render it.
struct explanation {
    target_id target = no_target;
    health is = health::unknown;
    std::array<health, vantage_count> says{}; ///< each vantage, now
    incident_id incident = no_incident;       ///< the open incident; the rest is of it
    phase at = phase::closed;
    time_point since{};                                  ///< when it opened
    operation rung = operation::none;                    ///< that it stands on
    std::size_t step = 0;                                ///< of the ladder, from 1
    std::size_t steps = 0;                               ///< of the ladder
    std::uint16_t attempts = 0;                          ///< of that rung, so far
    std::uint16_t most_attempts = 0;                     ///< that the rung has
    std::array<operation, policy::most_rungs> in_vain{}; ///< rungs of this incident that did not help; `none` ends it
    target_id subject = no_target;                       ///< what the rung acts upon
    target_id covered_by = no_target;                    ///< the target whose action it waits for, if it is absorbed
    guard_answers answers{};                             ///< of an incident that is deciding
    time_point next = never;                             ///< when something can happen by itself
    operation helped = operation::none; ///< the last instance or stack action upon the target that helped
    time_point helped_at = (time_point::min)();
    std::string said{}; ///< what the driver said of the incident's operations so far
};

/// Explains a target. An unknown one has no name and no incident. Any time between two steps; the thread of the engine.
[[nodiscard]] inline explanation why(const engine& of, target_id target) {
    explanation x;
    x.target = target;
    if (!of.targets().has(target)) return x;
    x.is = of.health_of(target);
    for (std::size_t v = 0; v < vantage_count; ++v) x.says[v] = of.says(target, static_cast<vantage>(v));
    if (const recovery_memory* m = of.memory_of(target); m != nullptr && m->helped != operation::none) {
        x.helped = m->helped;
        x.helped_at = m->helped_at;
    }
    const incident* i = of.incident_of(target);
    if (i == nullptr) return x;
    x.incident = i->id;
    x.at = i->at;
    x.since = i->opened_at;
    const std::span<const rung> rungs = of.policy_of(*i).rungs();
    x.steps = rungs.size();
    x.step = i->rung < rungs.size() ? i->rung + std::size_t{1} : rungs.size();
    if (i->rung < rungs.size()) {
        x.rung = rungs[i->rung].what;
        x.most_attempts = rungs[i->rung].burst.count;
    }
    x.attempts = i->attempts;
    x.said = joined(i->said);
    std::size_t vain = 0;
    for (std::size_t n = 0; n < rungs.size(); ++n) {
        if ((i->unhelpful >> n & 1U) != 0) x.in_vain[vain++] = rungs[n].what;
    }
    x.subject = i->subject != no_target ? i->subject : of.subject_of(*i);
    if (i->at == phase::absorbed) {
        for (const incident& by : of.incidents()) {
            if (by.id == i->absorbed_by) x.covered_by = by.target;
        }
    }
    if (i->at == phase::deciding) x.answers = of.answers_for(*i);
    x.next = i->at == phase::verifying ? i->verify_by : i->wake;
    return x;
}

/// One line for a person.
[[nodiscard]] inline std::string to_text(const engine& of, const explanation& x) {
    const auto name = [&](target_id t) { return std::string{of.name(t)}; };
    if (!of.targets().has(x.target)) return "there is no such target";
    std::string out = name(x.target) + " is " + std::string{to_string(x.is)};
    std::string said;
    for (std::size_t v = 0; v < vantage_count; ++v) {
        if (x.says[v] == health::unknown) continue;
        said += (said.empty() ? " (" : ", ") + std::string{to_string(static_cast<vantage>(v))} + ": " +
                std::string{to_string(x.says[v])};
    }
    out += said.empty() ? std::string{} : said + ")";
    if (of.deposed()) out += "; this controller lost the lead";
    if (x.incident == no_incident) {
        out += "; no incident";
        if (x.helped != operation::none)
            out += "; " + std::string{to_string(x.helped)} + " helped at " + format_time(x.helped_at);
        return out;
    }
    out += "; incident " + std::to_string(static_cast<std::uint32_t>(x.incident)) + " since " + format_time(x.since) +
           " is " + std::string{to_string(x.at)};
    for (std::size_t n = 0; n < x.in_vain.size() && x.in_vain[n] != operation::none; ++n)
        out += (n == 0 ? "; in vain: " : ", ") + std::string{to_string(x.in_vain[n])};
    if (x.covered_by != no_target) return out + "; it waits for the action upon " + name(x.covered_by);
    if (x.rung != operation::none) {
        out += "; step " + std::to_string(x.step) + " of " + std::to_string(x.steps) + ": " +
               std::string{to_string(x.rung)};
        if (x.subject != no_target && x.subject != x.target) out += " of " + name(x.subject);
        out += ", " + std::to_string(x.attempts) + " of " + std::to_string(x.most_attempts) + " attempts made";
    }
    for (std::size_t g = 0; g < guard_count; ++g) {
        const guard_answer a = x.answers.of(static_cast<guard>(g));
        if (a.allows()) continue;
        out += "; " + std::string{to_string(static_cast<guard>(g))} + " denies: " + std::string{to_string(a.why)};
        out += a.next == never ? std::string{} : ", until " + format_time(a.next);
    }
    if (!x.said.empty()) append_printable(out += "; the driver said: ", x.said);
    if (x.next != never) out += "; next look at " + format_time(x.next);
    return out;
}

/// One JSON object, without a line feed.
[[nodiscard]] inline std::string to_json(const engine& of, const explanation& x) {
    std::string out;
    const auto text = [&out](std::string_view key, std::string_view value) {
        out += out.empty() ? "{\"" : ",\"";
        out += key;
        out += "\":";
        append_json_string(out, value);
    };
    const auto number = [&out](std::string_view key, std::uint64_t value) {
        out += ",\"" + std::string{key} + "\":" + std::to_string(value);
    };
    text("target", of.name(x.target));
    text("health", to_string(x.is));
    out += ",\"vantages\":{";
    bool first = true;
    for (std::size_t v = 0; v < vantage_count; ++v) {
        if (x.says[v] == health::unknown) continue;
        out += (first ? "\"" : ",\"") + std::string{to_string(static_cast<vantage>(v))} + "\":\"" +
               std::string{to_string(x.says[v])} + '"';
        first = false;
    }
    out += '}';
    if (of.deposed()) out += ",\"deposed\":true";
    if (x.helped != operation::none) {
        text("helped", to_string(x.helped));
        text("helped_at", format_time(x.helped_at));
    }
    if (x.incident == no_incident) return out + '}';
    number("incident", static_cast<std::uint32_t>(x.incident));
    text("phase", to_string(x.at));
    text("since", format_time(x.since));
    text("rung", to_string(x.rung));
    number("step", x.step);
    number("steps", x.steps);
    number("attempts", x.attempts);
    number("most_attempts", x.most_attempts);
    out += ",\"in_vain\":[";
    for (std::size_t n = 0; n < x.in_vain.size() && x.in_vain[n] != operation::none; ++n)
        out += (n == 0 ? "\"" : ",\"") + std::string{to_string(x.in_vain[n])} + '"';
    out += ']';
    if (!x.said.empty()) text("said", x.said);
    if (x.subject != no_target) text("subject", of.name(x.subject));
    if (x.covered_by != no_target) text("covered_by", of.name(x.covered_by));
    out += ",\"denials\":[";
    first = true;
    for (std::size_t g = 0; g < guard_count; ++g) {
        const guard_answer a = x.answers.of(static_cast<guard>(g));
        if (a.allows()) continue;
        out += (first ? "{\"guard\":\"" : ",{\"guard\":\"") + std::string{to_string(static_cast<guard>(g))} +
               "\",\"reason\":\"" + std::string{to_string(a.why)} + '"';
        if (a.next != never) out += ",\"next\":\"" + format_time(a.next) + '"';
        out += '}';
        first = false;
    }
    out += ']';
    if (x.next != never) text("next", format_time(x.next));
    return out + '}';
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

// file: reheat/metric/distribution.hpp

namespace reheat::inline REHEAT_ABI {

/// The values of one period as they came, and how many there are of each: exact, for up to `Capacity` different ones.
/// With one more it is not usable: it never answers wrongly. 16 bytes a value; adding one costs a search and moves
/// those above.
template <std::size_t Capacity>
    requires(Capacity > 0 && Capacity <= 65'536)
class retained_values {
public:
    void add(double value, std::uint64_t weight) noexcept {
        if (!std::isfinite(value) || overflowed_) {
            overflowed_ = true;
            return;
        }
        std::size_t low = 0;
        std::size_t high = size_;
        while (low < high) {
            const std::size_t middle = low + (high - low) / 2;
            if (kept_[middle].value < value) low = middle + 1;
            else high = middle;
        }
        if (low < size_ && kept_[low].value == value) {
            kept_[low].weight += weight;
            return;
        }
        if (size_ == Capacity) {
            overflowed_ = true;
            return;
        }
        for (std::size_t n = size_; n > low; --n) kept_[n] = kept_[n - 1];
        kept_[low] = {value, weight};
        ++size_;
    }
    void merge(const retained_values& other) noexcept {
        overflowed_ = overflowed_ || other.overflowed_;
        other.visit([this](double value, std::uint64_t weight) { add(value, weight); });
    }
    [[nodiscard]] bool usable() const noexcept { return !overflowed_; }
    template <class Visit>
    void visit(const Visit& each) const {
        for (std::size_t n = 0; n < size_; ++n) each(kept_[n].value, kept_[n].weight);
    }

private:
    struct kept {
        double value;
        std::uint64_t weight;
    };
    std::array<kept, Capacity> kept_;
    std::uint32_t size_;
    bool overflowed_;
};

/// How many values fell into buckets whose borders grow by a tenth: bounded memory, and an error that `relative_error`
/// says, at most 4.9 % while the values span no more than 1.1^Bins. Where they span more, each two neighbouring buckets
/// become one, as often as it takes. Zero has a bucket of its own. A value is taken for the middle of its bucket, so
/// that a bound of values divides no bucket. (The SEH1 distribution of Amazon's CloudWatch agent; uniform collapse as
/// in UDDSketch, Epicoco et al. 2020.)
template <std::size_t Bins>
    requires(Bins >= 2 && Bins <= 16'384)
class sketch {
public:
    void add(double value, std::uint64_t weight) noexcept {
        if (!(value >= 0) || !std::isfinite(value)) {
            refused_ = true;
            return;
        }
        if (value == 0) {
            zeros_ += weight;
            return;
        }
        put(key_of(value) >> level_, weight);
    }
    void merge(const sketch& other) noexcept {
        refused_ = refused_ || other.refused_;
        zeros_ += other.zeros_;
        while (level_ < other.level_) collapse();
        for (std::size_t n = 0; n < Bins; ++n) {
            if (other.counts_[n] == 0) continue;
            // Its own level may grow on the way.
            put((other.first_ + static_cast<std::int32_t>(n)) >> (level_ - other.level_), other.counts_[n]);
        }
    }
    [[nodiscard]] bool usable() const noexcept { return !refused_; }
    /// How far a value may be from the middle of its bucket, as a share of it.
    [[nodiscard]] double relative_error() const noexcept { return std::exp(width() / 2) - 1; }
    template <class Visit>
    void visit(const Visit& each) const {
        if (zeros_ != 0) each(0.0, zeros_);
        for (std::size_t n = 0; n < Bins; ++n) {
            if (counts_[n] != 0) each(std::exp((first_ + static_cast<double>(n) + 0.5) * width()), counts_[n]);
        }
    }

    /// The bucket of a positive value, before any have become one.
    [[nodiscard]] static std::int32_t key_of(double value) noexcept {
        return static_cast<std::int32_t>(std::floor(std::log(value) / step));
    }

private:
    static constexpr double step = 0.09531017980432493; // ln 1.1

    /// Of a bucket, as a logarithm.
    [[nodiscard]] double width() const noexcept { return step * static_cast<double>(std::uint32_t{1} << level_); }

    void put(std::int32_t key, std::uint64_t weight) noexcept {
        std::size_t low = 0;
        while (low < Bins && counts_[low] == 0) ++low;
        if (low == Bins) {
            first_ = key;
            counts_[0] = weight;
            return;
        }
        constexpr auto bins = static_cast<std::int64_t>(Bins);
        for (;;) {
            std::int64_t lowest = std::int64_t{first_} + static_cast<std::int64_t>(low);
            std::size_t high = Bins - 1;
            while (counts_[high] == 0) --high;
            std::int64_t highest = std::int64_t{first_} + static_cast<std::int64_t>(high);
            if (key < lowest) lowest = key;
            if (key > highest) highest = key;
            if (highest - lowest < bins) {
                if (key < first_ || key - std::int64_t{first_} >= bins) move(static_cast<std::int32_t>(lowest));
                counts_[static_cast<std::size_t>(key - first_)] += weight;
                return;
            }
            collapse();
            key >>= 1;
            low = 0;
            while (counts_[low] == 0) ++low;
        }
    }
    /// Lets the buckets begin at a key that is not above the lowest one in use.
    void move(std::int32_t first) noexcept {
        std::array<std::uint64_t, Bins> moved{};
        for (std::size_t n = 0; n < Bins; ++n) {
            if (counts_[n] != 0)
                moved[static_cast<std::size_t>(first_ + static_cast<std::int32_t>(n) - first)] = counts_[n];
        }
        counts_ = moved;
        first_ = first;
    }
    void collapse() noexcept {
        std::array<std::uint64_t, Bins> joined{};
        const std::int32_t first = first_ >> 1;
        for (std::size_t n = 0; n < Bins; ++n)
            joined[static_cast<std::size_t>(((first_ + static_cast<std::int32_t>(n)) >> 1) - first)] += counts_[n];
        counts_ = joined;
        first_ = first;
        ++level_;
    }

    std::array<std::uint64_t, Bins> counts_;
    std::uint64_t zeros_;
    std::int32_t first_;
    std::uint8_t level_;
    bool refused_;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/metric/statistic_name.hpp

namespace reheat::inline REHEAT_ABI {

namespace detail {

inline constexpr statistic_spec interquartile_mean{
    .kind = extended_kind::trimmed_mean, .lower_share = 25 * whole_percent, .upper_share = 75 * whole_percent};

/// Reads the name of a statistic, from left to right.
class statistic_reader {
public:
    explicit constexpr statistic_reader(std::string_view text) noexcept : rest_{text} {}

    [[nodiscard]] constexpr bool done() const noexcept { return rest_.empty(); }
    [[nodiscard]] constexpr bool take(std::string_view word) noexcept {
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    /// `99`, `99.`, `99.9`: one or two digits and ten decimals at most, or 100.
    [[nodiscard]] constexpr bool take_share(std::uint64_t& share, bool decimals_of_100) noexcept {
        std::size_t digits = 0;
        std::uint64_t whole = 0;
        while (digits < 3 && digits < rest_.size() && is_digit(rest_[digits]))
            whole = whole * 10 + value(rest_[digits++]);
        if (digits == 0 || (digits == 3 && whole != 100)) return false;
        rest_.remove_prefix(digits);
        share = whole * whole_percent;
        if (digits == 3 && !decimals_of_100) return true;
        if (!take(".")) return true;
        std::uint64_t unit = whole_percent;
        for (std::size_t n = 0; n < 10 && !done() && is_digit(rest_.front()); ++n) {
            unit /= 10;
            share += unit * value(rest_.front());
            rest_.remove_prefix(1);
        }
        return share <= hundred_percent;
    }
    /// `300`, `0.5`, `1e3`: ten decimals at most, no sign.
    [[nodiscard]] bool take_value(double& number) {
        std::size_t end = 0;
        const auto digits = [&](std::size_t most) {
            const std::size_t from = end;
            while (end < rest_.size() && end - from < most && is_digit(rest_[end])) ++end;
            return end - from;
        };
        constexpr std::size_t any = 400; // more than a double has
        if (digits(any) == 0) return false;
        if (end < rest_.size() && rest_[end] == '.') {
            ++end;
            digits(10);
        }
        if (end < rest_.size() && (rest_[end] == 'E' || rest_[end] == 'e')) {
            ++end;
            if (end < rest_.size() && (rest_[end] == '+' || rest_[end] == '-')) ++end;
            if (digits(any) == 0) return false;
        }
        const auto read = std::from_chars(rest_.data(), rest_.data() + end, number);
        if (read.ec != std::errc{}) return false;
        rest_.remove_prefix(end);
        return true;
    }

private:
    static constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
    static constexpr std::uint64_t value(char c) noexcept { return static_cast<std::uint64_t>(c - '0'); }

    std::string_view rest_;
};

/// What stands between the brackets of `TM(10%:90%)` or `PR(100:)`, with the closing one.
[[nodiscard]] inline bool read_bounds(statistic_reader text, statistic_spec& spec) {
    statistic_reader shares = text;
    std::uint64_t share = 0;
    bool lower = false;
    if (spec.kind != extended_kind::percentile_rank) {
        if (statistic_reader first = shares; first.take_share(share, true) && first.take("%")) {
            lower = true;
            spec.lower_share = share;
            shares = first;
        }
        if (shares.take(":")) {
            bool upper = false;
            if (statistic_reader second = shares; second.take_share(share, true) && second.take("%")) {
                upper = true;
                spec.upper_share = share;
                shares = second;
            }
            if ((lower || upper) && shares.take(")") && shares.done()) return true;
        }
        spec.lower_share = 0;
        spec.upper_share = hundred_percent;
    }
    spec.of_values = true;
    if (statistic_reader first = text; first.take_value(spec.lower_value)) {
        spec.has_lower = true;
        text = first;
    }
    if (!text.take(":")) return false;
    if (statistic_reader second = text; second.take_value(spec.upper_value)) {
        spec.has_upper = true;
        text = second;
    }
    return (spec.has_lower || spec.has_upper) && text.take(")") && text.done();
}

/// A value as `take_value` reads it back: whole digits and an exponent where more than ten decimals would be needed.
[[nodiscard]] inline std::string bound_text(double number) {
    std::array<char, 32> buffer{};
    const auto scientific =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific);
    std::string digits{buffer.data(), scientific.ptr};
    const std::size_t mark = digits.find('e');
    int exponent = 0;
    const char* const sign = digits.data() + mark + 1;
    std::from_chars(sign + (*sign == '+' ? 1 : 0), digits.data() + digits.size(), exponent);
    digits.resize(mark);
    if (const std::size_t dot = digits.find('.'); dot != std::string::npos) {
        exponent -= static_cast<int>(digits.size() - dot - 1);
        digits.erase(dot, 1);
    }
    if (exponent > 20 || exponent < -10) return digits + 'e' + std::to_string(exponent);
    if (exponent >= 0) return digits.append(static_cast<std::size_t>(exponent), '0');
    const auto decimals = static_cast<std::size_t>(-exponent);
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    return digits.insert(digits.size() - decimals, 1, '.');
}

} // namespace detail

/// The statistic of a name; the error is `syntax`, or `unsupported` for names that CloudWatch has and this library has
/// not (`o90`, `u90`, and the endings `_E`, `_L`, `_H`).
[[nodiscard]] inline result<statistic_spec> parse_statistic(std::string_view name) {
    const auto wrong = [name](errc code, std::string_view why) {
        return error{code, std::string{name.substr(0, 64)}, std::string{why}};
    };
    statistic_spec spec;
    for (const statistic s :
         {statistic::sample_count, statistic::sum, statistic::average, statistic::minimum, statistic::maximum}) {
        if (name != to_string(s)) continue;
        spec.basic = s;
        return spec;
    }
    if (name == "IQM") return detail::interquartile_mean;
    struct prefix {
        std::string_view word;
        extended_kind kind;
    };
    constexpr prefix shares[]{{"p", extended_kind::percentile},
                              {"tm", extended_kind::trimmed_mean},
                              {"tc", extended_kind::trimmed_count},
                              {"ts", extended_kind::trimmed_sum},
                              {"wm", extended_kind::winsorized_mean}};
    for (const prefix& p : shares) {
        detail::statistic_reader text{name};
        if (!text.take(p.word) || !text.take_share(spec.upper_share, false)) continue;
        if (text.take("_")) return wrong(errc::unsupported, "expected a statistic without an ending");
        if (!text.done()) break;
        spec.kind = p.kind;
        return spec;
    }
    constexpr prefix bounds[]{{"TM(", extended_kind::trimmed_mean},
                              {"TC(", extended_kind::trimmed_count},
                              {"TS(", extended_kind::trimmed_sum},
                              {"WM(", extended_kind::winsorized_mean},
                              {"PR(", extended_kind::percentile_rank}};
    for (const prefix& p : bounds) {
        detail::statistic_reader text{name};
        if (!text.take(p.word)) continue;
        spec = {};
        spec.kind = p.kind;
        if (detail::read_bounds(text, spec)) return spec;
        break;
    }
    return wrong(errc::syntax, "expected a statistic as Average, p99, tm90, IQM, TM(10%:90%) or PR(:300)");
}

/// The canonical name: `parse_statistic(to_string(s))` is `s`.
[[nodiscard]] inline std::string to_string(const statistic_spec& s) {
    if (s.basic != statistic::extended) return std::string{to_string(s.basic)};
    const auto share = [](std::uint64_t of) {
        std::string text = std::to_string(of / whole_percent);
        if (std::string rest = std::to_string(whole_percent + of % whole_percent).substr(1); of % whole_percent != 0) {
            while (rest.back() == '0') rest.pop_back();
            text += '.' + rest;
        }
        return text;
    };
    constexpr std::array<std::string_view, 7> short_words{"", "p", "tm", "tc", "ts", "wm", ""};
    constexpr std::array<std::string_view, 7> words{"", "", "TM(", "TC(", "TS(", "WM(", "PR("};
    if (s == detail::interquartile_mean) return "IQM";
    if (!s.of_values && s.lower_share == 0)
        return std::string{short_words[static_cast<std::size_t>(s.kind)]} + share(s.upper_share);
    std::string text{words[static_cast<std::size_t>(s.kind)]};
    if (s.of_values) {
        if (s.has_lower) text += detail::bound_text(s.lower_value);
        text += ':';
        if (s.has_upper) text += detail::bound_text(s.upper_value);
    } else {
        text += share(s.lower_share) + "%:" + share(s.upper_share) + '%';
    }
    return text + ')';
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/metric/extended_statistic.hpp

namespace reheat::inline REHEAT_ABI {

/// How the values of one period are kept for percentiles and their family: `retained_values` or `sketch`. A store is
/// empty when value-initialised and trivially copyable; `visit` calls with the values in ascending order and how many
/// there are of each. It is not usable once it was given what it can not take.
template <class S>
concept value_store =
    std::is_trivially_copyable_v<S> && requires(S& s, const S& other, double value, std::uint64_t weight) {
        { s.add(value, weight) } noexcept;
        { s.merge(other) } noexcept;
        { other.usable() } noexcept -> std::same_as<bool>;
        other.visit([](double, std::uint64_t) {});
    };

namespace detail {

/// floor(share * n / 100 %); exact for n up to 10^13, and beyond as exact as a double.
[[nodiscard]] constexpr std::uint64_t share_of(std::uint64_t share, std::uint64_t n) noexcept {
    constexpr std::uint64_t million = 1'000'000;
    if (n > 10 * million * million) {
        if (share == hundred_percent) return n;
        return static_cast<std::uint64_t>(static_cast<double>(share) / static_cast<double>(hundred_percent) *
                                          static_cast<double>(n));
    }
    const std::uint64_t high = share * (n / million);
    const std::uint64_t low = high % million * million + share * (n % million);
    return high / million + low / hundred_percent;
}

/// What lies between the bounds of a statistic.
struct kept_values {
    std::uint64_t below = 0; ///< how many are cut at the lower end
    std::uint64_t inside = 0;
    double sum = 0;
    double first = 0;
    double last = 0;
};

/// Of shares, so many whole samples are cut at each end as the share has: a sample is never divided.
template <value_store Store>
[[nodiscard]] kept_values kept_of(const statistic_spec& spec, const Store& store, std::uint64_t n) {
    const std::uint64_t cut_below = share_of(spec.lower_share, n);
    const std::uint64_t cut_above = share_of(hundred_percent - spec.upper_share, n);
    kept_values kept;
    std::uint64_t before = 0;
    store.visit([&](double value, std::uint64_t weight) {
        std::uint64_t in = 0;
        if (spec.of_values) {
            if (spec.has_lower && value <= spec.lower_value) kept.below += weight;
            else if (!spec.has_upper || value <= spec.upper_value) in = weight;
        } else {
            const std::uint64_t from = before > cut_below ? before : cut_below;
            const std::uint64_t to = before + weight < n - cut_above ? before + weight : n - cut_above;
            in = to > from ? to - from : 0;
            kept.below = cut_below;
        }
        before += weight;
        if (in == 0) return;
        if (kept.inside == 0) kept.first = value;
        kept.last = value;
        kept.inside += in;
        kept.sum += value * static_cast<double>(in);
    });
    return kept;
}

/// Nearest rank: the value at ceil(p / 100 * n). The product is a double's, as everybody's is who uses the formula:
/// p99.9 of 1,000 samples is the 1,000th, because 99.9 / 100 * 1000 is a little more than 999.
template <value_store Store>
[[nodiscard]] double percentile_of(std::uint64_t share, const Store& store, std::uint64_t n) {
    const double rank = static_cast<double>(share) / static_cast<double>(whole_percent) / 100 * static_cast<double>(n);
    auto wanted = static_cast<std::uint64_t>(rank);
    if (static_cast<double>(wanted) < rank || wanted == 0) ++wanted;
    double found = 0;
    std::uint64_t before = 0;
    store.visit([&](double value, std::uint64_t weight) {
        if (before < wanted) found = value;
        before += weight;
    });
    return found;
}

} // namespace detail

/// A percentile, or one of its family, over values that a store keeps; also the five statistics, exactly. CloudWatch
/// publishes no algorithm: percentiles are by nearest rank. A period has no such datapoint if one of its values is
/// negative, if the store could not take one, or if nothing lies between the bounds of a mean. A statistic set is only
/// taken if it holds one value. (Amazon CloudWatch User Guide, "CloudWatch statistics definitions".)
///
///     alarm<window<extended_statistic<sketch<256>>>, greater_than> slow{
///         .of = {.statistic = {*parse_statistic("p99")}, .period = 60s}, .threshold = 250};
template <value_store Store>
struct extended_statistic {
    struct accumulator {
        detail::full_accumulator all;
        Store values;
        bool refused; ///< a negative value, or a set of several
    };

    statistic_spec spec{};

    constexpr extended_statistic() noexcept = default;
    constexpr extended_statistic(const statistic_spec& s) noexcept : spec{s} {}

    static void add(accumulator& a, double value) noexcept { add(a, value, 1); }
    static void add(accumulator& a, double value, std::uint64_t weight) noexcept {
        if (weight == 0) return;
        detail::five_statistics::add(a.all, value, weight);
        if (value < 0) a.refused = true;
        else a.values.add(value, weight);
    }
    static void add_set(accumulator& a, const statistic_set& set) noexcept {
        const std::uint64_t count = detail::count_of(set);
        if (count == 0) return;
        detail::five_statistics::add_set(a.all, set);
        const bool one_value = set.minimum == set.maximum && set.sum == set.minimum * set.sample_count;
        if (!one_value || set.minimum < 0) a.refused = true;
        else a.values.add(set.minimum, count);
    }
    static void merge(accumulator& a, const accumulator& other) noexcept {
        a.all.merge(other.all);
        a.values.merge(other.values);
        a.refused = a.refused || other.refused;
    }
    static constexpr std::uint64_t count(const accumulator& a) noexcept { return a.all.count; }
    [[nodiscard]] constexpr statistic kind() const noexcept { return spec.basic; }

    [[nodiscard]] bool available(const accumulator& a) const noexcept {
        if (spec.basic != statistic::extended) return true;
        if (a.refused || !a.values.usable()) return false;
        const bool mean = spec.kind == extended_kind::trimmed_mean || spec.kind == extended_kind::winsorized_mean;
        return !mean || detail::kept_of(spec, a.values, a.all.count).inside != 0;
    }
    [[nodiscard]] double value(const accumulator& a) const noexcept {
        if (spec.basic != statistic::extended) return a.all.value(spec.basic);
        const std::uint64_t n = a.all.count;
        if (spec.kind == extended_kind::percentile) return detail::percentile_of(spec.upper_share, a.values, n);
        const detail::kept_values kept = detail::kept_of(spec, a.values, n);
        const auto inside = static_cast<double>(kept.inside);
        switch (spec.kind) {
        case extended_kind::trimmed_mean: return kept.sum / inside;
        case extended_kind::trimmed_count: return inside;
        case extended_kind::trimmed_sum: return kept.sum;
        case extended_kind::winsorized_mean: {
            const auto above = static_cast<double>(n - kept.below - kept.inside);
            return (kept.first * static_cast<double>(kept.below) + kept.sum + kept.last * above) /
                   static_cast<double>(n);
        }
        case extended_kind::percentile_rank: return 100 * inside / static_cast<double>(n);
        case extended_kind::none:
        case extended_kind::percentile: break;
        }
        return 0;
    }
    friend constexpr bool operator==(const extended_statistic&, const extended_statistic&) noexcept = default;
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/metric/unit.hpp

namespace reheat::inline REHEAT_ABI {

/// The unit of a metric; CloudWatch's 27. Samples of different units are different metrics.
enum class unit : std::uint8_t {
    none,
    seconds,
    microseconds,
    milliseconds,
    bytes,
    kilobytes,
    megabytes,
    gigabytes,
    terabytes,
    bits,
    kilobits,
    megabits,
    gigabits,
    terabits,
    percent,
    count,
    bytes_per_second,
    kilobytes_per_second,
    megabytes_per_second,
    gigabytes_per_second,
    terabytes_per_second,
    bits_per_second,
    kilobits_per_second,
    megabits_per_second,
    gigabits_per_second,
    terabits_per_second,
    count_per_second,
};

namespace detail {
inline constexpr std::array<std::string_view, 27> unit_names{"None",
                                                             "Seconds",
                                                             "Microseconds",
                                                             "Milliseconds",
                                                             "Bytes",
                                                             "Kilobytes",
                                                             "Megabytes",
                                                             "Gigabytes",
                                                             "Terabytes",
                                                             "Bits",
                                                             "Kilobits",
                                                             "Megabits",
                                                             "Gigabits",
                                                             "Terabits",
                                                             "Percent",
                                                             "Count",
                                                             "Bytes/Second",
                                                             "Kilobytes/Second",
                                                             "Megabytes/Second",
                                                             "Gigabytes/Second",
                                                             "Terabytes/Second",
                                                             "Bits/Second",
                                                             "Kilobits/Second",
                                                             "Megabits/Second",
                                                             "Gigabits/Second",
                                                             "Terabits/Second",
                                                             "Count/Second"};
} // namespace detail

[[nodiscard]] constexpr std::string_view to_string(unit u) noexcept {
    return detail::unit_names[static_cast<std::size_t>(u)];
}

/// The unit of a name, as CloudWatch spells it.
[[nodiscard]] constexpr std::optional<unit> parse_unit(std::string_view name) noexcept {
    for (std::size_t n = 0; n < detail::unit_names.size(); ++n) {
        if (detail::unit_names[n] == name) return static_cast<unit>(n);
    }
    return std::nullopt;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/metric/metric_input.hpp

namespace reheat::inline REHEAT_ABI {

/// The bounds of PutMetricData. (The API's model, and its documentation.)
struct metric_limits {
    static constexpr std::size_t namespace_length = 255;
    static constexpr std::size_t name_length = 255;
    static constexpr std::size_t dimension_value_length = 1024;
    static constexpr std::size_t dimensions = 30;
    static constexpr std::size_t values = 150;
    static constexpr std::size_t data = 1000;
    static constexpr std::size_t request_bytes = 1'048'576;
    static constexpr double value = 2.3485425827738332e108; ///< 2^360, either way
    static constexpr duration past = std::chrono::hours{24 * 14};
    static constexpr duration future = std::chrono::hours{2};
};

/// One datum of a PutMetricData request as it came: what was not given is empty. Views of the caller's memory.
struct metric_input {
    struct dimension {
        std::string_view name;
        std::string_view value;
    };
    /// A set as it came; all four are required.
    struct set {
        std::optional<double> sample_count;
        std::optional<double> sum;
        std::optional<double> minimum;
        std::optional<double> maximum;
    };

    std::optional<std::string_view> name;
    std::span<const dimension> dimensions;
    std::optional<double> value;
    std::span<const double> values;
    std::span<const double> counts;
    std::optional<set> statistics;
    std::optional<std::string_view> unit_name;
    std::optional<time_point> timestamp;
    std::optional<std::int64_t> storage_resolution;
};

namespace detail {

/// Checks one datum; each check returns the first fault, with the name of the member that it is about.
class metric_check {
public:
    explicit metric_check(std::string member, time_point now) : member_{std::move(member)}, now_{now} {}

    [[nodiscard]] std::optional<api_fault> operator()(const metric_input& m) const {
        if (!m.name) return fault("MissingParameter", "The parameter " + member_ + "MetricName is required.");
        if (auto f = text(*m.name, "MetricName", metric_limits::name_length)) return f;
        if (m.dimensions.size() > metric_limits::dimensions)
            return fault("ValidationError", "The collection " + member_ +
                                                "Dimensions must not have a size greater than " +
                                                std::to_string(metric_limits::dimensions) + ".");
        for (std::size_t n = 0; n < m.dimensions.size(); ++n) {
            const std::string at = "Dimensions.member." + std::to_string(n + 1) + '.';
            const std::string_view name = m.dimensions[n].name;
            if (auto f = text(name, at + "Name", metric_limits::name_length)) return f;
            if (name.front() == ':') return invalid(at + "Name", "must not start with ':'");
            if (auto f = text(m.dimensions[n].value, at + "Value", metric_limits::dimension_value_length)) return f;
        }
        if (m.value && !m.values.empty()) return exclusive("Value", "Values");
        if (m.value && m.statistics) return exclusive("Value", "StatisticValues");
        if (!m.value && m.values.empty() && !m.statistics)
            return fault("MissingParameter", "One of " + member_ + "Value, Values and StatisticValues is required.");
        if (m.value) {
            if (auto f = number(*m.value, "Value")) return f;
        }
        if (auto f = many(m)) return f;
        if (m.statistics) {
            if (auto f = set(*m.statistics)) return f;
        }
        if (m.unit_name && !parse_unit(*m.unit_name))
            return invalid("Unit", "must be a value in the set [ " + known_units() + " ]");
        if (m.timestamp && *m.timestamp < now_ - metric_limits::past)
            return invalid("Timestamp", "must not be more than two weeks in the past");
        if (m.timestamp && *m.timestamp > after(now_, metric_limits::future))
            return invalid("Timestamp", "must not be more than two hours in the future");
        if (m.storage_resolution && *m.storage_resolution != 1 && *m.storage_resolution != 60)
            return invalid("StorageResolution", "must be 1 or 60");
        return std::nullopt;
    }

private:
    [[nodiscard]] static api_fault fault(std::string_view code, std::string message) {
        return {code, std::move(message)};
    }
    [[nodiscard]] api_fault invalid(std::string_view of, std::string_view why) const {
        return fault("InvalidParameterValue",
                     "The parameter " + member_ + std::string{of} + ' ' + std::string{why} + '.');
    }
    [[nodiscard]] api_fault exclusive(std::string_view a, std::string_view b) const {
        return fault("InvalidParameterCombination", "The parameters " + member_ + std::string{a} + " and " + member_ +
                                                        std::string{b} +
                                                        " are mutually exclusive and you have specified both.");
    }
    /// In the order of the API's refusal: `None` is the last.
    [[nodiscard]] static std::string known_units() {
        std::string all;
        for (std::size_t n = 1; n < unit_names.size(); ++n) all += std::string{unit_names[n]} + ", ";
        return all + std::string{unit_names[0]};
    }
    [[nodiscard]] std::optional<api_fault> text(std::string_view of, std::string_view what, std::size_t most) const {
        if (of.empty() || of.size() > most)
            return fault("ValidationError", "The parameter " + member_ + std::string{what} + " must have 1 to " +
                                                std::to_string(most) + " characters.");
        bool blank = true;
        for (const char c : of) {
            if (c < ' ' || c > '~') return invalid(what, "must hold ASCII characters without control characters only");
            blank = blank && c == ' ';
        }
        if (blank) return invalid(what, "must not be blank");
        return std::nullopt;
    }
    [[nodiscard]] std::optional<api_fault> number(double value, std::string_view what) const {
        if (value >= -metric_limits::value && value <= metric_limits::value) return std::nullopt;
        const std::string_view word = value != value                          ? "NaN"
                                      : value > metric_limits::value * 1e100  ? "Infinity"
                                      : value < metric_limits::value * -1e100 ? "-Infinity"
                                                                              : "";
        if (word.empty()) return invalid(what, "must be between -2^360 and 2^360");
        return fault("InvalidParameterValue", "The value " + std::string{word} + " for parameter " + member_ +
                                                  std::string{what} + " is invalid.");
    }
    [[nodiscard]] std::optional<api_fault> many(const metric_input& m) const {
        if (m.values.size() > metric_limits::values)
            return invalid("Values", "must not have more than " + std::to_string(metric_limits::values) + " members");
        if (!m.counts.empty() && m.counts.size() != m.values.size())
            return fault("InvalidParameterValue",
                         "The parameters " + member_ + "Values and " + member_ + "Counts must be of the same size.");
        for (std::size_t n = 0; n < m.values.size(); ++n) {
            if (auto f = number(m.values[n], "Values.member." + std::to_string(n + 1))) return f;
        }
        for (std::size_t n = 0; n < m.counts.size(); ++n) {
            const std::string at = "Counts.member." + std::to_string(n + 1);
            if (auto f = number(m.counts[n], at)) return f;
            if (m.counts[n] < 0) return invalid(at, "must not be negative");
        }
        return std::nullopt;
    }
    [[nodiscard]] std::optional<api_fault> set(const metric_input::set& s) const {
        struct member {
            std::string_view name;
            const std::optional<double>& value;
        };
        for (const member& m : {member{"SampleCount", s.sample_count}, member{"Sum", s.sum},
                                member{"Minimum", s.minimum}, member{"Maximum", s.maximum}}) {
            const std::string at = "StatisticValues." + std::string{m.name};
            if (!m.value) return invalid(at, "is required");
            if (auto f = number(*m.value, at)) return f;
        }
        if (*s.sample_count < 0) return invalid("StatisticValues.SampleCount", "must not be negative");
        if (*s.minimum > *s.maximum)
            return invalid("StatisticValues.Minimum", "must not be greater than StatisticValues.Maximum");
        return std::nullopt;
    }

    std::string member_;
    time_point now_;
};

} // namespace detail

/// What is wrong with a PutMetricData request of so many bytes at a time, with the code and the text of the API, whose
/// indexes begin at 1; none if nothing is. `Values` and `StatisticValues` together are accepted, as the real API does.
[[nodiscard]] inline std::optional<api_fault> check_metric_data(std::string_view name_space,
                                                                std::span<const metric_input> data, time_point now,
                                                                std::size_t request_bytes = 0) {
    if (request_bytes > metric_limits::request_bytes)
        return api_fault{"RequestEntityTooLarge", "The request must not have more than 1048576 bytes.", 413};
    if (name_space.empty() || name_space.size() > metric_limits::namespace_length)
        return api_fault{"ValidationError", "The parameter Namespace must have 1 to 255 characters."};
    if (name_space.front() == ':')
        return api_fault{"InvalidParameterValue", "The parameter Namespace must not start with ':'."};
    for (const char c : name_space) {
        if (c < ' ' || c > '~')
            return api_fault{"InvalidParameterValue",
                             "The parameter Namespace must hold ASCII characters without control characters only."};
    }
    if (data.empty()) return api_fault{"MissingParameter", "The parameter MetricData is required."};
    if (data.size() > metric_limits::data)
        return api_fault{"ValidationError", "The collection MetricData must not have a size greater than 1000."};
    for (std::size_t n = 0; n < data.size(); ++n) {
        const detail::metric_check check{"MetricData.member." + std::to_string(n + 1) + '.', now};
        if (auto fault = check(data[n])) return fault;
    }
    return std::nullopt;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/metric/staleness.hpp

namespace reheat::inline REHEAT_ABI {

/// A sample of a series that can end: a stale one says that there is no value from here on.
struct series_sample {
    time_point at;
    double value = 0;
    bool stale = false;
};

/// The value of a series at a time: that of the newest sample which is not later, unless it is a stale one or is
/// `look_back` old or older. `series` ascends in time. (Prometheus, "Staleness".)
///
///     auto cpu = value_at(series, now); // none: nothing was heard for five minutes
[[nodiscard]] constexpr std::optional<double> value_at(std::span<const series_sample> series, time_point at,
                                                       duration look_back = std::chrono::minutes{5}) noexcept {
    std::size_t end = series.size();
    for (std::size_t begin = 0; begin < end;) {
        const std::size_t middle = begin + (end - begin) / 2;
        if (series[middle].at <= at) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    if (end == 0) return std::nullopt;
    const series_sample& newest = series[end - 1];
    if (newest.stale || after(newest.at, look_back) <= at) return std::nullopt;
    return newest.value;
}

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

/// Rung: wait for the guest to heal itself, as `cfn-hup` does, and count what it reports (`engine::guest_restarted`).
/// More than `attempts` reports within `within`, or unhealthy for `verify` after the last one, and the ladder goes on.
struct guest_restarts {
    std::uint16_t attempts = 3;
    duration within = std::chrono::minutes{5};
    duration verify = std::chrono::seconds{150};
    budget sustained{6, std::chrono::hours{1}};
    duration grace = std::chrono::seconds{30};
    duration timeout = std::chrono::seconds{60};
    consent approval = consent::none;

    static constexpr operation what = operation::guest_restarts;
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
    reboot_kind how = reboot_kind::soft_then_hard;

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

/// Rung: call a human and go on.
struct page {
    std::uint16_t attempts = 1;
    duration within = std::chrono::hours{1};
    duration verify = std::chrono::minutes{1};
    budget sustained{1, std::chrono::hours{1}};
    duration grace = duration::zero();
    duration timeout = std::chrono::minutes{1};
    consent approval = consent::none;

    static constexpr operation what = operation::page;
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

    constexpr explicit ladder(Rungs... r) noexcept { (lowered_.add(lower(r)), ...); }

    /// The same ladder as plain data.
    [[nodiscard]] constexpr const policy& lowered() const noexcept { return lowered_; }

private:
    template <class R>
    static constexpr rung lower(const R& r) noexcept {
        rung low{r.what, {r.attempts, r.within}, r.sustained, r.verify, r.grace, r.timeout, r.approval, r.wait};
        if constexpr (requires { r.how; }) low.how = r.how;
        return low;
    }

    policy lowered_;
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

// file: reheat/recovery/default_rung.hpp

namespace reheat::inline REHEAT_ABI {

/// The rung of an operation with the default numbers of its type; nothing for an operation that is no rung.
///
///     static_assert(default_rung(operation::reboot_instance)->burst.count == 2);
[[nodiscard]] constexpr std::optional<rung> default_rung(operation what) noexcept {
    const auto only = [](const auto& r) { return ladder{r}.lowered().rungs().front(); };
    switch (what) {
    case operation::restart_service: return only(restart_service{});
    case operation::guest_restarts: return only(guest_restarts{});
    case operation::reboot_instance: return only(reboot_instance{});
    case operation::rebuild_instance: return only(rebuild_instance{});
    case operation::recreate_instance: return only(recreate_instance{});
    case operation::evacuate_instance: return only(evacuate_instance{});
    case operation::converge_stack: return only(converge_stack{});
    case operation::page: return only(page{});
    default: return std::nullopt;
    }
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/lint_context.hpp

namespace reheat::inline REHEAT_ABI {

/// What a policy alone can not know, for `lint`: 0 means not known, and nothing is concluded from it.
///
///     constexpr auto here = lint_context{.boot_time = 4min, .period = 60s}.with_latency(operation::reboot_instance,
///     20s); static_assert(lint(steps, here).ok());
struct lint_context {
    duration boot_time{};       ///< from power-on to the first healthy report, for the slowest of the instances
    duration period{};          ///< of the alarm that watches the targets
    std::uint32_t periods = 1;  ///< how many of them have to breach before it is raised
    duration poll{};            ///< from one polled observation to the next
    std::uint32_t vantages = 0; ///< how many independent ones the targets have
    std::uint32_t targets = 0;  ///< how many share the limits of the engine
    std::array<duration, operation_count> latency{}; ///< of the driver: from the call to its outcome, at the slowest

    [[nodiscard]] constexpr lint_context with_latency(operation what, duration slowest) const noexcept {
        lint_context with = *this;
        with.latency[static_cast<std::size_t>(what)] = slowest;
        return with;
    }
    [[nodiscard]] constexpr duration latency_of(operation what) const noexcept {
        return latency[static_cast<std::size_t>(what)];
    }
};

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/lint_finding.hpp

namespace reheat::inline REHEAT_ABI {

/// What `lint` can find in a policy. The findings of one rung come first, then those of the policy as a whole. What the
/// number of a finding says stands beside it; `docs/reference/policies.md` has the table.
enum class finding : std::uint8_t {
    // Of one rung.
    unreachable_rung,      ///< it can not act, or nothing is left for it: the rung that hides it, itself if it has no
                           ///< attempts
    milder_after_stronger, ///< it acts on a lower level than a rung before it: that rung
    verify_shorter_than_grace, ///< or as long: verification would fail while the target may still start: seconds
                               ///< missing
    verify_below_latency,      ///< verify < the driver's latency + grace: seconds missing
    verify_below_evidence,     ///< verify < grace + two evidence periods: seconds missing
    grace_below_boot_time,     ///< the machine is judged while it boots: seconds missing, 0 if nobody knows how many
    timeout_below_latency,     ///< each call would be given up before the driver can answer: seconds missing
    too_many_actions_an_hour,  ///< the rungs of one level together: the worst hour's actions
    burst_never_binds,         ///< more attempts than can happen in their window: how many can
    sustained_never_binds,     ///< the burst alone, or the backoff, is tighter: how many it leaves
    attempts_never_reached,    ///< the sustained budget ends before the attempts do: how many attempts are never made
    backoff_above_most,        ///< the first wait is longer than the longest: seconds too many
    // Of the policy.
    attempts_multiply,         ///< the attempts of the levels multiply: the product
    probation_below_detection, ///< over before the alarm could tell: seconds missing
    related_below_probation,   ///< a failure in probation would begin a new incident: seconds missing
    retry_parked_too_soon,     ///< no budget can be free again by then: seconds missing
    polls_never_agree,         ///< more unhealthy polls are asked for than are looked at: how many more
    polls_always_agree,        ///< no unhealthy poll is asked for: the polls that are looked at
    polls_grow_old,            ///< polls are forgotten before enough of them can agree: how many can be fresh
    no_vantage,                ///< destructive actions need no evidence: the vantages asked for, 0
    vantages_never_agree,      ///< more vantages are asked for than exist: how many exist
    waits_for_vantages,        ///< more vantages are asked for than the target has: how many it has
    fence_method_unused,       ///< a repeated method, or one behind an empty name: its place
};

inline constexpr std::size_t finding_count = 23;
/// How many of them are of one rung.
inline constexpr std::size_t rung_finding_count = 12;

[[nodiscard]] constexpr std::string_view to_string(finding f) noexcept {
    constexpr std::array<std::string_view, finding_count> names{"unreachable_rung",
                                                                "milder_after_stronger",
                                                                "verify_shorter_than_grace",
                                                                "verify_below_latency",
                                                                "verify_below_evidence",
                                                                "grace_below_boot_time",
                                                                "timeout_below_latency",
                                                                "too_many_actions_an_hour",
                                                                "burst_never_binds",
                                                                "sustained_never_binds",
                                                                "attempts_never_reached",
                                                                "backoff_above_most",
                                                                "attempts_multiply",
                                                                "probation_below_detection",
                                                                "related_below_probation",
                                                                "retry_parked_too_soon",
                                                                "polls_never_agree",
                                                                "polls_always_agree",
                                                                "polls_grow_old",
                                                                "no_vantage",
                                                                "vantages_never_agree",
                                                                "waits_for_vantages",
                                                                "fence_method_unused"};
    return names[static_cast<std::size_t>(f)];
}

/// Whether a finding names a rung; the others are of the policy as a whole.
[[nodiscard]] constexpr bool is_of_rung(finding f) noexcept { return static_cast<std::size_t>(f) < rung_finding_count; }

/// The `rung` of a finding that is of no single one.
inline constexpr std::size_t whole_policy = policy::most_rungs;

/// One thing that `lint` found: what, on which rung (counted from 0, or `whole_policy`), and its number.
struct lint_finding {
    finding what{};
    std::size_t rung = whole_policy;
    std::int64_t number = 0;

    friend constexpr bool operator==(const lint_finding&, const lint_finding&) = default;
};

/// What `lint` can find in the limits of an engine.
enum class limit_finding : std::uint8_t {
    nothing_may_act,       ///< 0 percent and at least 0: the share's size, 0
    never_binds,           ///< no set is large enough: the percentage, or the actions that are possible
    counts_from_nothing,   ///< a set of nobody would count: 0
    too_many_domains,      ///< more failure domains are asked for than targets: how many more
    sustained_never_binds, ///< the burst alone is as tight: the actions that it leaves
    burst_never_binds,     ///< the sustained budget is tighter and longer: its count
    hidden_by_wider,       ///< the budget of a wider set is tighter and as long: its count
};

inline constexpr std::size_t limit_finding_count = 7;

[[nodiscard]] constexpr std::string_view to_string(limit_finding f) noexcept {
    constexpr std::array<std::string_view, limit_finding_count> names{
        "nothing_may_act",       "never_binds",       "counts_from_nothing", "too_many_domains",
        "sustained_never_binds", "burst_never_binds", "hidden_by_wider"};
    return names[static_cast<std::size_t>(f)];
}

/// The member of `limits` that a finding is about.
enum class limit_place : std::uint8_t {
    breaker_group,
    breaker_domain,
    breaker_counted_from,
    silence_targets,
    silence_domains,
    silence_cliff,
    silence_within,
    in_flight,
    services_in_flight,
    group_burst,
    group_sustained,
    domain_burst,
    domain_sustained,
    all_burst,
    all_sustained,
    api,
};

inline constexpr std::size_t limit_count = 16;

/// The place of a limit in `limits`, and so in a policy file: `limits.group.burst`.
[[nodiscard]] constexpr std::string_view to_string(limit_place l) noexcept {
    constexpr std::array<std::string_view, limit_count> names{
        "limits.breaker.group",      "limits.breaker.domain", "limits.breaker.counted_from", "limits.silence.targets",
        "limits.silence.domains",    "limits.silence.cliff",  "limits.silence.within",       "limits.in_flight",
        "limits.services_in_flight", "limits.group.burst",    "limits.group.sustained",      "limits.domain.burst",
        "limits.domain.sustained",   "limits.all.burst",      "limits.all.sustained",        "limits.api"};
    return names[static_cast<std::size_t>(l)];
}

/// One thing that `lint` found in limits: what, in which one, and its number.
struct limits_finding {
    limit_finding what{};
    limit_place where{};
    std::int64_t number = 0;

    friend constexpr bool operator==(const limits_finding&, const limits_finding&) = default;
};

/// All that `lint` found. `Most` is as much as it can find, so nothing is ever left out.
template <class Found, std::size_t Most>
class basic_lint_report {
public:
    [[nodiscard]] constexpr bool ok() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr std::span<const Found> findings() const noexcept {
        return std::span{findings_}.first(size_);
    }
    /// The first finding of that name, or null.
    [[nodiscard]] constexpr const Found* find(decltype(Found::what) f) const noexcept {
        for (const Found& found : findings()) {
            if (found.what == f) return &found;
        }
        return nullptr;
    }
    [[nodiscard]] constexpr bool has(decltype(Found::what) f) const noexcept {
        for (const Found& found : findings()) {
            if (found.what == f) return true;
        }
        return false;
    }
    constexpr void add(const Found& f) noexcept {
        if (size_ < Most) findings_[size_++] = f;
    }

private:
    std::array<Found, Most> findings_{};
    std::size_t size_ = 0;
};

/// What `lint` found in a policy: each finding at most once for each rung, or once for the policy.
using lint_report =
    basic_lint_report<lint_finding, rung_finding_count * policy::most_rungs + finding_count - rung_finding_count>;
/// What `lint` found in limits: each finding at most once for each limit.
using limits_report = basic_lint_report<limits_finding, limit_finding_count * limit_count>;

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/lint_rates.hpp

// How often, how soon and how late a rung can act. Every sum is held at the largest number instead of overflowing: a
// policy may come from anywhere, and an overflow would be no constant expression.

namespace reheat::inline REHEAT_ABI {

namespace detail {

inline constexpr std::int64_t most_int64 = (std::numeric_limits<std::int64_t>::max)();

[[nodiscard]] constexpr std::int64_t times(std::int64_t a, std::int64_t b) noexcept {
    return a != 0 && b > most_int64 / a ? most_int64 : a * b; // of what is not negative
}
[[nodiscard]] constexpr std::int64_t plus(std::int64_t a, std::int64_t b) noexcept {
    return a > most_int64 - b ? most_int64 : a + b;
}
[[nodiscard]] constexpr duration not_negative(duration d) noexcept {
    return d < duration::zero() ? duration::zero() : d;
}
/// The sum of two times, what is negative counted as nothing.
[[nodiscard]] constexpr duration plus(duration a, duration b) noexcept {
    return duration{plus(not_negative(a).count(), not_negative(b).count())};
}
[[nodiscard]] constexpr duration times(duration d, std::int64_t n) noexcept {
    return duration{times(not_negative(d).count(), n)};
}
/// The seconds from `have` up to the later `want`, rounded up.
[[nodiscard]] constexpr std::int64_t seconds_missing(duration have, duration want) noexcept {
    constexpr std::int64_t second = 1'000'000'000;
    const bool overflows = have < duration::zero() && want > (duration::max)() + have;
    const std::int64_t missing = overflows ? most_int64 : (want - have).count();
    return missing / second + (missing % second > 0 ? 1 : 0);
}
/// How many steps of `each` begin within `window`.
[[nodiscard]] constexpr std::int64_t begun_within(duration window, duration each) noexcept {
    return window.count() / each.count() + (window.count() % each.count() > 0 ? 1 : 0);
}

} // namespace detail

/// The most actions that a budget allows in any stretch of time that long. A window of no time bounds nothing.
[[nodiscard]] constexpr std::int64_t worst_actions_within(const budget& b, duration stretch) noexcept {
    if (b.count == 0 || stretch <= duration::zero()) return 0;
    if (b.within <= duration::zero()) return detail::most_int64;
    return detail::times(detail::begun_within(stretch, b.within), std::int64_t{b.count});
}

/// The most actions that a rung can make in any stretch of time that long: the tighter of its two budgets.
[[nodiscard]] constexpr std::int64_t worst_actions_within(const rung& r, duration stretch) noexcept {
    const std::int64_t burst = worst_actions_within(r.burst, stretch);
    const std::int64_t sustained = worst_actions_within(r.sustained, stretch);
    return burst < sustained ? burst : sustained;
}

/// The most actions that a rung can make in the worst hour.
[[nodiscard]] constexpr std::int64_t worst_actions_an_hour(const rung& r) noexcept {
    return worst_actions_within(r, std::chrono::hours{1});
}

/// Whether a rung calls the driver: a page does not, nor does a guest that heals itself.
[[nodiscard]] constexpr bool calls_driver(operation what) noexcept {
    return what != operation::none && what != operation::page && what != operation::guest_restarts;
}

/// Whether a machine boots in the course of an operation.
[[nodiscard]] constexpr bool boots(operation what) noexcept {
    return calls_driver(what) && level_of(what) != level::service && what != operation::describe &&
           what != operation::fence_instance && what != operation::collect_forensics;
}

/// The least time between two actions of a rung; 0 where jitter or a new start of the backoff leaves none.
[[nodiscard]] constexpr duration shortest_wait(const policy& p, const rung& r) noexcept {
    duration wait = r.wait.first < r.wait.most ? r.wait.first : r.wait.most;
    const std::int64_t spread = r.wait.spread < 100 ? r.wait.spread : 100;
    wait = r.wait.full_jitter ? duration::zero() : detail::not_negative(wait) / 100 * (100 - spread);
    // Healthy for `stable`, or well for longer than `related`, and the next attempt is a first one.
    for (const duration anew : {p.stable, p.related}) {
        if (anew < wait) wait = detail::not_negative(anew);
    }
    return std::chrono::floor<std::chrono::milliseconds>(wait);
}

/// The longest that so many attempts keep the ladder waiting: calls, verifications and the waits after them.
[[nodiscard]] constexpr duration slowest_attempts(const rung& r, std::int64_t attempts) noexcept {
    duration total = detail::times(detail::plus(r.timeout, r.verify), attempts);
    const duration most = detail::not_negative(r.wait.most);
    const std::int64_t spread = r.wait.full_jitter ? 0 : r.wait.spread < 100 ? r.wait.spread : 100;
    const auto at_most = [&](duration wait) { return detail::plus(wait, wait / 100 * spread); };
    duration wait = detail::not_negative(r.wait.first);
    for (; attempts > 0 && wait > duration::zero() && wait < most; --attempts) {
        total = detail::plus(total, at_most(wait));
        wait = detail::plus(wait, wait);
    }
    return wait == duration::zero() ? total : detail::plus(total, detail::times(at_most(most), attempts));
}

/// How many of a rung's attempts one incident can make before the sustained budget sends it on.
[[nodiscard]] constexpr std::int64_t attempts_reached(const rung& r) noexcept {
    // Attempts that are slow enough let the first one leave the window.
    const bool ends = r.sustained.count < r.burst.count && slowest_attempts(r, r.sustained.count) < r.sustained.within;
    return ends ? r.sustained.count : r.burst.count;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/lint.hpp

namespace reheat::inline REHEAT_ABI {

/// The most actions an hour on one target of a level that are sane: service, instance, stack.
inline constexpr std::array<std::int64_t, 3> most_actions_an_hour{12, 4, 1};
/// The most that the attempts of the levels may multiply to.
inline constexpr std::int64_t most_multiplied_attempts = 12;
/// A rung whose attempts take this long although every call is answered at once is never left in practice.
inline constexpr duration endless_rung = std::chrono::hours{24};

namespace detail {

class policy_linter {
public:
    constexpr policy_linter(const policy& p, const lint_context& c) noexcept : p_{p}, c_{c}, rungs_{p.rungs()} {}

    [[nodiscard]] constexpr lint_report run() noexcept {
        for (std::size_t i = 0; i < rungs_.size(); ++i) {
            if (!check_reach(i)) continue;
            check_times(i);
            check_rate(i);
            check_budgets(i);
        }
        check_product();
        check_policy_times();
        check_evidence();
        check_fencing();
        return report_;
    }

    /// All the attempts that one climb makes on a level.
    [[nodiscard]] constexpr std::int64_t attempts_at(level at) const noexcept {
        std::int64_t attempts = 0;
        for (std::size_t i = 0; i < rungs_.size(); ++i) {
            if (counts(i, at)) attempts += rungs_[i].burst.count;
        }
        return attempts;
    }

private:
    /// Whether the rung can act: there is nothing to say about the times and the budgets of one that can not.
    constexpr bool check_reach(std::size_t i) noexcept {
        const std::size_t hidden_by = hiding(i);
        if (hidden_by != whole_policy) add(finding::unreachable_rung, i, static_cast<std::int64_t>(hidden_by));
        else if (i > 0 && is_endless(i - 1)) add(finding::unreachable_rung, i, static_cast<std::int64_t>(i - 1));
        for (std::size_t earlier = 0; earlier < i; ++earlier) {
            if (!acts(earlier) || rungs_[i].what == operation::page) continue;
            if (level_of(rungs_[earlier].what) <= level_of(rungs_[i].what)) continue;
            add(finding::milder_after_stronger, i, static_cast<std::int64_t>(earlier));
            break;
        }
        return hidden_by == whole_policy;
    }

    constexpr void check_times(std::size_t i) noexcept {
        const rung& r = rungs_[i];
        if (r.what == operation::page) return;
        const duration latency = calls_driver(r.what) ? c_.latency_of(r.what) : duration::zero();
        if (r.verify <= r.grace) {
            add(finding::verify_shorter_than_grace, i, seconds_missing(r.verify, r.grace));
        } else {
            if (latency > duration::zero()) require(finding::verify_below_latency, i, r.verify, plus(r.grace, latency));
            if (c_.period > duration::zero())
                require(finding::verify_below_evidence, i, r.verify, plus(r.grace, times(c_.period, 2)));
        }
        if (!calls_driver(r.what)) return;
        if (boots(r.what)) require(finding::grace_below_boot_time, i, r.grace, c_.boot_time, r.grace <= duration{});
        require(finding::timeout_below_latency, i, r.timeout, latency, r.timeout <= duration{});
        if (r.wait.first > r.wait.most) add(finding::backoff_above_most, i, seconds_missing(r.wait.most, r.wait.first));
    }

    /// The actions of a level are counted at the last rung of it.
    constexpr void check_rate(std::size_t i) noexcept {
        const level at = level_of(rungs_[i].what);
        if (!calls_driver(rungs_[i].what)) return;
        for (std::size_t later = i + 1; later < rungs_.size(); ++later) {
            if (counts(later, at)) return;
        }
        std::int64_t actions = 0;
        for (std::size_t each = 0; each <= i; ++each) {
            if (counts(each, at)) actions = plus(actions, worst_actions_an_hour(rungs_[each]));
        }
        if (actions > most_actions_an_hour[static_cast<std::size_t>(at)])
            add(finding::too_many_actions_an_hour, i, actions);
    }

    constexpr void check_budgets(std::size_t i) noexcept {
        const rung& r = rungs_[i];
        if (!calls_driver(r.what)) return;
        const duration apart = shortest_wait(p_, r);
        const auto possible = [apart](duration window) {
            if (window <= duration::zero()) return std::int64_t{0};
            return apart > duration::zero() ? begun_within(window, apart) : most_int64;
        };
        if (possible(r.burst.within) < r.burst.count) add(finding::burst_never_binds, i, possible(r.burst.within));
        const std::int64_t by_burst = worst_actions_within(r.burst, r.sustained.within);
        const std::int64_t by_wait = possible(r.sustained.within);
        const std::int64_t most = by_burst < by_wait ? by_burst : by_wait;
        // Who lowers the attempts and leaves the rest has not asked for the sustained budget of the type.
        const bool usual = default_rung(r.what).value_or(rung{}).sustained == r.sustained;
        if (most < r.sustained.count && !usual) add(finding::sustained_never_binds, i, most);
        if (const std::int64_t reached = attempts_reached(r); reached < r.burst.count)
            add(finding::attempts_never_reached, i, r.burst.count - reached);
    }

    /// A target that gets well and fails again begins at the first rung: in the worst case each attempt of a level is
    /// preceded by all those of the level below it.
    constexpr void check_product() noexcept {
        std::int64_t product = 1;
        int levels = 0;
        for (const level at : {level::service, level::instance, level::stack}) {
            const std::int64_t attempts = attempts_at(at);
            if (attempts < 2) continue;
            product = times(product, attempts);
            ++levels;
        }
        if (levels > 1 && product > most_multiplied_attempts) add(finding::attempts_multiply, product);
    }

    constexpr void check_policy_times() noexcept {
        bool probed = false;
        for (std::size_t i = 0; i < rungs_.size(); ++i)
            probed = probed || (acts(i) && level_of(rungs_[i].what) != level::service);
        if (probed) {
            const duration detection = times(c_.period, c_.periods);
            require(finding::probation_below_detection, whole_policy, p_.probation, detection);
            require(finding::related_below_probation, whole_policy, p_.related, p_.probation);
        }
        constexpr duration usual = policy{}.retry_parked;
        // A retry that can do nothing is still a reminder; more of them than usual are only noise.
        if (p_.retry_parked < usual)
            require(finding::retry_parked_too_soon, whole_policy, p_.retry_parked, first_room_after_parking());
    }

    /// How long after the last rung some budget has room again, at the soonest and if no guard held up the climb.
    [[nodiscard]] constexpr duration first_room_after_parking() const noexcept {
        duration soonest = (duration::max)();
        duration climb{};
        bool any = false;
        for (std::size_t i = rungs_.size(); i-- > 0;) {
            const rung& r = rungs_[i];
            if (!acts(i) || hiding(i) != whole_policy) continue;
            any = true;
            climb = plus(climb, slowest_attempts(r, r.burst.count));
            duration spent_until = r.burst.within;
            if (r.sustained.count <= r.burst.count && r.sustained.within > spent_until)
                spent_until = r.sustained.within;
            const duration room = climb < spent_until ? spent_until - climb : duration::zero();
            if (room < soonest) soonest = room;
            if (r.approval == consent::required) climb = (duration::max)(); // a human takes as long as a human takes
        }
        return any ? soonest : duration::zero();
    }

    constexpr void check_evidence() noexcept {
        const evidence_rules& e = p_.evidence;
        if (e.unhealthy_polls == 0) add(finding::polls_always_agree, e.polls);
        else if (e.unhealthy_polls > e.polls) add(finding::polls_never_agree, e.unhealthy_polls - e.polls);
        else if (const std::int64_t fresh = fresh_polls(); fresh < e.unhealthy_polls)
            add(finding::polls_grow_old, fresh);
        bool destructive = false;
        for (std::size_t i = 0; i < rungs_.size(); ++i) destructive = destructive || is_destructive(rungs_[i].what);
        if (e.vantages == 0) {
            add(finding::no_vantage, 0);
        } else if (e.vantages > vantage_count) {
            add(finding::vantages_never_agree, static_cast<std::int64_t>(vantage_count));
        } else if (destructive && c_.vantages != 0 && c_.vantages < e.vantages &&
                   (c_.vantages != 1 || e.alone == single_vantage::wait)) {
            add(finding::waits_for_vantages, c_.vantages);
        }
    }

    /// How many polls of one vantage can be young enough at one time.
    [[nodiscard]] constexpr std::int64_t fresh_polls() const noexcept {
        if (p_.evidence.max_age <= duration::zero()) return 0;
        return c_.poll > duration::zero() ? p_.evidence.max_age / c_.poll + 1 : most_int64;
    }

    constexpr void check_fencing() noexcept {
        const auto& methods = p_.fencing.methods;
        bool ended = false;
        for (std::size_t i = 0; i < methods.size(); ++i) {
            ended = ended || methods[i].empty();
            bool unused = ended && !methods[i].empty();
            for (std::size_t earlier = 0; earlier < i; ++earlier)
                unused = unused || (!methods[i].empty() && methods[earlier] == methods[i]);
            if (unused) return add(finding::fence_method_unused, static_cast<std::int64_t>(i));
        }
    }

    /// The rung that leaves nothing to this one: itself if it can not act at all, or an equal one before it.
    [[nodiscard]] constexpr std::size_t hiding(std::size_t i) const noexcept {
        const rung& r = rungs_[i];
        if (r.burst.count == 0 || r.sustained.count == 0 || !default_rung(r.what)) return i;
        if (r.what == operation::page) return whole_policy; // a human may be called more than once
        for (std::size_t earlier = 0; earlier < i; ++earlier) {
            if (rungs_[earlier].what == r.what && strength(rungs_[earlier]) >= strength(r)) return earlier;
        }
        return whole_policy;
    }
    [[nodiscard]] constexpr bool is_endless(std::size_t i) const noexcept {
        return acts(i) && times(rungs_[i].verify, attempts_reached(rungs_[i])) > endless_rung;
    }
    /// How hard a rung tries: a soft reboot leaves something to a hard one after it.
    [[nodiscard]] static constexpr int strength(const rung& r) noexcept {
        if (r.what != operation::reboot_instance || r.how == reboot_kind::hard) return 1;
        return r.how == reboot_kind::soft_then_hard && r.burst.count > 1 ? 1 : 0;
    }
    [[nodiscard]] constexpr bool acts(std::size_t i) const noexcept { return calls_driver(rungs_[i].what); }
    /// Whether a rung's actions count for a level: those of a repeated one are those of the first.
    [[nodiscard]] constexpr bool counts(std::size_t i, level at) const noexcept {
        return acts(i) && level_of(rungs_[i].what) == at && hiding(i) == whole_policy;
    }

    /// Finds `have` shorter than `want`, or wrong in any case.
    constexpr void require(finding f, std::size_t i, duration have, duration want, bool wrong = false) noexcept {
        if (have < want) add(f, i, seconds_missing(have, want));
        else if (wrong) add(f, i, 0);
    }
    constexpr void add(finding f, std::size_t i, std::int64_t number) noexcept { report_.add({f, i, number}); }
    constexpr void add(finding f, std::int64_t number) noexcept { report_.add({f, whole_policy, number}); }

    const policy& p_;
    const lint_context& c_;
    std::span<const rung> rungs_;
    lint_report report_{};
};

} // namespace detail

/// Checks a policy for what can only be a mistake; with a `lint_context` also against the place where it will run.
/// Constexpr, so that a ladder in code is checked by the compiler:
///
///     static_assert(lint(steps).ok());
///     static_assert(lint(steps, {.boot_time = 4min, .period = 60s}).ok());
///
/// What each finding means, and its number, stands in `docs/reference/policies.md`; `to_text` (`lint_text.hpp`) renders
/// one as a sentence.
[[nodiscard]] constexpr lint_report lint(const policy& p, const lint_context& context = {}) noexcept {
    return detail::policy_linter{p, context}.run();
}

template <rung_type... Rungs>
[[nodiscard]] constexpr lint_report lint(const ladder<Rungs...>& l, const lint_context& context = {}) noexcept {
    return lint(l.lowered(), context);
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/lint_limits.hpp

namespace reheat::inline REHEAT_ABI {

namespace detail {

class limits_linter {
public:
    constexpr explicit limits_linter(const limits& l) noexcept : l_{l} {}

    [[nodiscard]] constexpr limits_report run() noexcept {
        check_shares();
        check_silence();
        check_shared(l_.group, limit_place::group_burst, limit_place::group_sustained);
        check_shared(l_.domain, limit_place::domain_burst, limit_place::domain_sustained);
        check_shared(l_.all, limit_place::all_burst, limit_place::all_sustained);
        check_window(l_.api, limit_place::api);
        check_wider(l_.group, limit_place::group_burst, limit_place::group_sustained);
        check_wider(l_.domain, limit_place::domain_burst, limit_place::domain_sustained);
        return report_;
    }
    [[nodiscard]] constexpr limits_report run(const policy& p, std::uint32_t targets) noexcept {
        if (targets != 0) {
            check_use(l_.all.burst, limit_place::all_burst, p, targets);
            check_use(l_.all.sustained, limit_place::all_sustained, p, targets);
        }
        return run();
    }

private:
    constexpr void check_shares() noexcept {
        check_breaker(l_.breaker.group, limit_place::breaker_group);
        check_breaker(l_.breaker.domain, limit_place::breaker_domain);
        if (l_.breaker.counted_from == 0) add(limit_finding::counts_from_nothing, limit_place::breaker_counted_from, 0);
        check_in_flight(l_.in_flight, limit_place::in_flight);
        check_in_flight(l_.services_in_flight, limit_place::services_in_flight);
    }
    /// All of a set is never more than 100 percent of it.
    constexpr void check_breaker(const share& s, limit_place where) noexcept {
        if (s.percent >= 100) add(limit_finding::never_binds, where, s.percent);
        else check_nothing(s, where);
    }
    constexpr void check_in_flight(const share& s, limit_place where) noexcept {
        if (s.percent > 100) add(limit_finding::never_binds, where, s.percent);
        else check_nothing(s, where);
    }
    constexpr void check_nothing(const share& s, limit_place where) noexcept {
        if (s.percent == 0 && s.least == 0) add(limit_finding::nothing_may_act, where, 0);
    }

    constexpr void check_silence() noexcept {
        const silence_limits& s = l_.silence;
        if (s.targets == 0) add(limit_finding::counts_from_nothing, limit_place::silence_targets, 0);
        if (s.domains > s.targets)
            add(limit_finding::too_many_domains, limit_place::silence_domains, std::int64_t{s.domains} - s.targets);
        if (s.cliff.percent >= 100) add(limit_finding::never_binds, limit_place::silence_cliff, s.cliff.percent);
        if (s.within <= duration::zero()) add(limit_finding::never_binds, limit_place::silence_within, 0);
    }

    constexpr void check_shared(const shared_budget& b, limit_place burst, limit_place sustained) noexcept {
        const bool windows = check_window(b.burst, burst) && check_window(b.sustained, sustained);
        if (!windows || b.burst.count == 0 || b.sustained.count == 0) return;
        if (const std::int64_t most = worst_actions_within(b.burst, b.sustained.within); most <= b.sustained.count)
            add(limit_finding::sustained_never_binds, sustained, most);
        else if (is_tighter(b.sustained, b.burst)) add(limit_finding::burst_never_binds, burst, b.sustained.count);
    }
    /// A window of no time holds nothing, so that nothing is ever counted in it.
    constexpr bool check_window(const budget& b, limit_place where) noexcept {
        const bool good = b.count == 0 || b.within > duration::zero();
        if (!good) add(limit_finding::never_binds, where, 0);
        return good;
    }
    /// What is spent in one group or domain is spent of everybody's budget as well.
    constexpr void check_wider(const shared_budget& b, limit_place burst, limit_place sustained) noexcept {
        check_hidden(b.burst, l_.all.burst, burst);
        check_hidden(b.sustained, l_.all.sustained, sustained);
    }
    constexpr void check_hidden(const budget& inner, const budget& outer, limit_place where) noexcept {
        if (inner.count != 0 && outer.count != 0 && is_tighter(outer, inner))
            add(limit_finding::hidden_by_wider, where, outer.count);
    }
    [[nodiscard]] static constexpr bool is_tighter(const budget& a, const budget& b) noexcept {
        return a.count < b.count && a.within >= b.within;
    }

    /// Whether all targets together can use a budget up.
    constexpr void check_use(const budget& b, limit_place where, const policy& p, std::uint32_t targets) noexcept {
        if (b.count == 0 || b.within <= duration::zero()) return;
        std::int64_t one = 0;
        for (const rung& r : p.rungs()) {
            const std::int64_t most = calls_driver(r.what) ? worst_actions_within(r, b.within) : 0;
            one = plus(one, most);
        }
        if (const std::int64_t most = times(one, std::int64_t{targets}); most < b.count)
            add(limit_finding::never_binds, where, most);
    }

    constexpr void add(limit_finding f, limit_place where, std::int64_t number) noexcept {
        report_.add({f, where, number});
    }

    const limits& l_;
    limits_report report_{};
};

} // namespace detail

/// Checks the limits of an engine for what can only be a mistake.
///
///     static_assert(lint(limits{}).ok());
[[nodiscard]] constexpr limits_report lint(const limits& l) noexcept { return detail::limits_linter{l}.run(); }

/// The same beside the policy that acts under them; `context.targets` says for how many targets.
[[nodiscard]] constexpr limits_report lint(const limits& l, const policy& p, const lint_context& context) noexcept {
    return detail::limits_linter{l}.run(p, context.targets);
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/recovery/lint_text.hpp

namespace reheat::inline REHEAT_ABI {

/// The place of a finding in its policy, and so in a policy file: `rungs[2].verify`, `evidence.polls`.
[[nodiscard]] inline std::string path_of(const lint_finding& f) {
    std::string_view member;
    switch (f.what) {
    case finding::unreachable_rung:
    case finding::milder_after_stronger: break;
    case finding::verify_shorter_than_grace:
    case finding::verify_below_latency:
    case finding::verify_below_evidence: member = ".verify"; break;
    case finding::grace_below_boot_time: member = ".grace"; break;
    case finding::timeout_below_latency: member = ".timeout"; break;
    case finding::too_many_actions_an_hour:
    case finding::sustained_never_binds: member = ".sustained"; break;
    case finding::burst_never_binds: member = ".within"; break;
    case finding::attempts_never_reached: member = ".attempts"; break;
    case finding::backoff_above_most: member = ".wait.first"; break;
    case finding::attempts_multiply: return "rungs";
    case finding::probation_below_detection: return "probation";
    case finding::related_below_probation: return "related";
    case finding::retry_parked_too_soon: return "retry_parked";
    case finding::polls_never_agree:
    case finding::polls_always_agree: return "evidence.unhealthy_polls";
    case finding::polls_grow_old: return "evidence.max_age";
    case finding::no_vantage:
    case finding::vantages_never_agree:
    case finding::waits_for_vantages: return "evidence.vantages";
    case finding::fence_method_unused: return "fencing.methods[" + std::to_string(f.number) + "]";
    }
    return "rungs[" + std::to_string(f.rung) + "]" + std::string{member};
}

/// The place of a finding in its limits, and so in a policy file: `limits.group.burst`.
[[nodiscard]] inline std::string path_of(const limits_finding& f) { return std::string{to_string(f.where)}; }

namespace detail {

[[nodiscard]] inline std::string seconds_text(std::int64_t n) { return std::to_string(n) + " s"; }
[[nodiscard]] inline std::string budget_text(const budget& b) {
    return std::to_string(b.count) + " in " + format_duration(b.within);
}

[[nodiscard]] inline std::string attempts_of_levels(const policy& p) {
    const lint_context nothing;
    const policy_linter linter{p, nothing};
    std::string out;
    for (const level at : {level::service, level::instance, level::stack}) {
        const std::int64_t attempts = linter.attempts_at(at);
        if (attempts == 0) continue;
        out += (out.empty() ? "" : " x ") + std::to_string(attempts) + " " + std::string{to_string(at)};
    }
    return out;
}

[[nodiscard]] inline std::string rung_sentence(const policy& p, const rung& r, const lint_finding& f) {
    const std::string number = std::to_string(f.number);
    const auto missing = [&](std::string_view have) {
        return std::string{have} + " is " + seconds_text(f.number) + " too short";
    };
    switch (f.what) {
    case finding::unreachable_rung: {
        if (f.number == static_cast<std::int64_t>(f.rung)) {
            if (!default_rung(r.what)) return "it is no rung of a ladder: nothing is ever done";
            return r.burst.count == 0 ? "it has 0 attempts and never acts"
                                      : "its sustained budget is 0 and it never acts";
        }
        const auto hides = static_cast<std::size_t>(f.number);
        const rung& by = p.rungs()[hides < p.size() ? hides : 0];
        if (by.what == r.what) return "rung " + number + " has done the same already";
        return "rung " + number + " before it takes " + format_duration(times(by.verify, attempts_reached(by))) +
               " for its attempts alone";
    }
    case finding::milder_after_stronger:
        return "it acts on a lower level than rung " + number + " before it, which has not helped either";
    case finding::verify_shorter_than_grace:
        return "verify (" + format_duration(r.verify) + ") is not longer than grace (" + format_duration(r.grace) +
               ") but " + seconds_text(f.number) + " shorter: it would fail while the target may still start";
    case finding::verify_below_latency:
        return missing("verify (" + format_duration(r.verify) + ")") + " for the grace and the driver's latency";
    case finding::verify_below_evidence:
        return missing("verify (" + format_duration(r.verify) + ")") + " for the grace and two evidence periods";
    case finding::grace_below_boot_time:
        if (f.number == 0) return "grace is 0 s, and no machine boots in no time";
        return missing("grace (" + format_duration(r.grace) + ")") + " for the boot";
    case finding::timeout_below_latency:
        if (f.number == 0) return "timeout is 0 s: every call would be given up at once";
        return missing("timeout (" + format_duration(r.timeout) + ")") + " for the driver's latency";
    case finding::too_many_actions_an_hour: {
        const level at = level_of(r.what);
        return "in the worst hour the " + std::string{to_string(at)} + " rungs act " + number +
               " times on one target, " + "more than " +
               std::to_string(most_actions_an_hour[static_cast<std::size_t>(at)]);
    }
    case finding::burst_never_binds:
        return "the burst of " + budget_text(r.burst) + " can never bind: at most " + number +
               " fit in, for the backoff";
    case finding::sustained_never_binds:
        return "the sustained budget of " + budget_text(r.sustained) +
               " can never bind: burst and backoff leave at most " + number;
    case finding::attempts_never_reached:
        return number + " of the " + std::to_string(r.burst.count) +
               " attempts are never made: the sustained budget is " + budget_text(r.sustained);
    default: return "the first wait is " + seconds_text(f.number) + " longer than the longest";
    }
}

[[nodiscard]] inline std::string policy_sentence(const policy& p, const lint_finding& f) {
    const std::string number = std::to_string(f.number);
    switch (f.what) {
    case finding::attempts_multiply:
        return "the attempts of the levels (" + attempts_of_levels(p) + ") multiply to " + number +
               " in the worst case, more than " + std::to_string(most_multiplied_attempts);
    case finding::probation_below_detection:
        return "probation (" + format_duration(p.probation) + ") is over " + seconds_text(f.number) +
               " before the alarm can tell";
    case finding::related_below_probation:
        return "related (" + format_duration(p.related) + ") is " + seconds_text(f.number) +
               " shorter than probation: a failure in between would begin a new incident";
    case finding::retry_parked_too_soon:
        return "retry_parked (" + format_duration(p.retry_parked) + ") comes " + seconds_text(f.number) +
               " before any budget can be free again";
    case finding::polls_never_agree:
        return "unhealthy_polls (" + std::to_string(p.evidence.unhealthy_polls) + ") is " + number +
               " more than polls: they can never agree";
    case finding::polls_always_agree:
        return "unhealthy_polls is 0 of " + number + ": a healthy target would count as unhealthy";
    case finding::polls_grow_old:
        return "within max_age (" + format_duration(p.evidence.max_age) + ") there are at most " + number +
               " polls, and " + std::to_string(p.evidence.unhealthy_polls) + " have to agree";
    case finding::no_vantage: return "vantages is 0: fences and destructive rungs would need no evidence";
    case finding::vantages_never_agree:
        return "vantages (" + std::to_string(p.evidence.vantages) + ") is more than the " + number + " that exist";
    case finding::waits_for_vantages:
        return "the targets have " + number + " of the " + std::to_string(p.evidence.vantages) +
               " vantages that are asked for: destructive rungs would wait for ever";
    default: {
        const auto slot = static_cast<std::size_t>(f.number);
        const std::string_view name = slot < fence_rules::most_methods ? p.fencing.methods[slot] : std::string_view{};
        return "fence method " + number + " ('" + std::string{clip(name, 64)} +
               "') is never used: it stands before it, or behind an empty one";
    }
    }
}

} // namespace detail

/// A finding as one sentence with its place and its number, for a person:
/// `rungs[1].verify: reboot_instance: verify (5m) is not longer than grace (10m), ...`. `p` is the policy that was
/// linted.
[[nodiscard]] inline std::string to_text(const policy& p, const lint_finding& f) {
    std::string out = path_of(f) + ": ";
    if (!is_of_rung(f.what)) return out + detail::policy_sentence(p, f);
    if (f.rung >= p.size()) return out + std::string{to_string(f.what)};
    const rung& r = p.rungs()[f.rung];
    return out + std::string{to_string(r.what)} + ": " + detail::rung_sentence(p, r, f);
}

/// A finding in limits as one sentence with its place and its number.
[[nodiscard]] inline std::string to_text(const limits_finding& f) {
    const std::string number = std::to_string(f.number);
    const std::string out = path_of(f) + ": ";
    switch (f.what) {
    case limit_finding::nothing_may_act:
        return out + "0 percent and at least " + number + " of a set is nothing: no action would ever be allowed";
    case limit_finding::never_binds:
        if (f.where == limit_place::all_burst || f.where == limit_place::all_sustained) {
            if (f.number != 0) return out + "it can never bind: all targets together act at most " + number + " times";
        } else if (f.number != 0) {
            return out + "more than " + number + " percent of a set are never reached: it can never bind";
        }
        return out + "its window is 0 s long or it is never used (" + number + " actions): it can never bind";
    case limit_finding::counts_from_nothing: return out + number + " targets are enough: nobody would count";
    case limit_finding::too_many_domains: return out + number + " more domains than targets are asked for";
    case limit_finding::sustained_never_binds:
        return out + "it can never bind: the burst leaves at most " + number + " actions";
    case limit_finding::burst_never_binds:
        return out + "it can never bind: the sustained budget allows only " + number + " actions in as long a time";
    case limit_finding::hidden_by_wider:
        return out + "it can never bind: the budget of all allows only " + number + " actions in as long a time";
    }
    return out + number;
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

/// Real time, a number of times faster. Begins at the present. Any thread may read it. A short stall is a long one in
/// this time: an engine whose `engine_options::doubts` stay as they are soon doubts itself.
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
/// after all are to be skipped. `errc::denied` says that another controller leads: this one has lost the lead.
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

// file: reheat/runner/notification.hpp

namespace reheat::inline REHEAT_ABI {

/// A notification. Of two about the same trouble the one with the larger id is newer.
enum class notification_id : std::uint64_t {};

/// What a notification says.
enum class notification_kind : std::uint8_t {
    page,      ///< a human is needed
    recovered, ///< what was paged is over
};

[[nodiscard]] constexpr std::string_view to_string(notification_kind k) noexcept {
    constexpr std::array<std::string_view, 2> names{"page", "recovered"};
    return names[static_cast<std::size_t>(k)];
}

/// What a human is told: the newest state of one trouble. Numbers and codes; `to_text` and `to_json` render them.
struct notification {
    notification_id id{};
    notification_kind kind = notification_kind::page;
    target_id target = no_target; ///< `no_target` for the controller itself
    set_id set = no_set;          ///< the group or failure domain that it is about
    std::string name{};           ///< the target's or the set's; empty for the controller itself
    incident_id incident = no_incident;
    op_id op = no_op;
    operation rung = operation::none;
    reason why = reason::none;    ///< of the page; of the recovery
    reason before = reason::none; ///< of `recovered`: why the page before it was
    std::uint32_t denied = 0;     ///< the guards that recovery waits for, bit n for guard n
    std::uint32_t count = 1;      ///< so many equal pages are merged in it
    std::uint16_t attempt = 0;    ///< of its delivery, from 1
    time_point first{};           ///< when it was first so
    time_point last{};            ///< when the newest of the merged pages came
    time_point next = never;      ///< when recovery is looked at again
    time_point expires = never;   ///< its delivery is not tried any more from then on
    std::string said{};           ///< what the driver said: what failed, which volumes are detached
};

/// What all notifications about one trouble have in common, a recovery and its page too: the receiver's key for
/// de-duplication. `db-1#7` for an incident, `db-1#journal_pending` for what is none, `#journal_failed` for the
/// controller. It stays the same over a restart of the controller as far as the journal does.
[[nodiscard]] inline std::string key_of(const notification& n) {
    const reason topic = n.kind == notification_kind::page ? n.why : n.before;
    return n.name + '#' +
           (n.incident != no_incident ? std::to_string(static_cast<std::uint32_t>(n.incident))
                                      : std::string{to_string(topic)});
}

namespace detail {

[[nodiscard]] constexpr std::string_view page_sentence(reason why) noexcept {
    switch (why) {
    case reason::ladder_exhausted: return "nothing is left to try";
    case reason::waited_long: return "recovery has waited long";
    case reason::alarm_raised: return "it failed, and the ladder calls a human";
    case reason::journal_pending: return "the journal does not take what has to be safe before an action";
    case reason::api_quota: return "a call waits because the driver may not be called more often";
    case reason::journal_failed: return "the journal can not be written; nothing is begun until it is reopened";
    case reason::trust_broken: return "a proof of death was false; nothing is done until an operator says trust";
    case reason::silence_is_ours: return "too much fell silent at once and the driver does not answer; nothing is done";
    case reason::breaker_group:
    case reason::breaker_domain: return "too many are unhealthy at once; nothing is done to them until fewer are";
    case reason::returned: return "a machine that had been replaced came back; both copies are stopped";
    case reason::inbox_overflow: return "too many pages at once; others are not told one by one: see the status";
    default: return to_string(why);
    }
}

} // namespace detail

/// One line for a person, whatever bytes the target's name has: what is the matter, and what would end it.
[[nodiscard]] inline std::string to_text(const notification& n) {
    std::string line;
    append_printable(line, n.name);
    if (line.empty()) line = "controller";
    line += ": ";
    if (n.kind == notification_kind::recovered) {
        line += "recovered (" + std::string{to_string(n.why)} + "); it was paged because: ";
        return line += detail::page_sentence(n.before);
    }
    line += detail::page_sentence(n.why);
    if (n.rung != operation::none) line += ", at " + std::string{to_string(n.rung)};
    std::string_view mark = ", for ";
    for (std::size_t g = 0; n.denied != 0 && g < guard_count; ++g) {
        if ((n.denied >> g & 1U) == 0) continue;
        line += mark;
        line += to_string(static_cast<guard>(g));
        mark = " and ";
    }
    if (!n.said.empty()) append_printable(line += "; the driver said: ", n.said);
    if (n.count > 1) line += ", " + std::to_string(n.count) + " times since " + format_time(n.first);
    if (n.next != never) line += "; looked at again " + format_time(n.next);
    return line;
}

/// One JSON object without a line feed, valid whatever the target is called.
[[nodiscard]] inline std::string to_json(const notification& n) {
    std::string out = "{\"id\":" + std::to_string(static_cast<std::uint64_t>(n.id));
    const auto text = [&out](std::string_view name, std::string_view value) {
        out += ",\"" + std::string{name} + "\":";
        append_json_string(out, value);
    };
    const auto number = [&out](std::string_view name, std::uint64_t value) {
        out += ",\"" + std::string{name} + "\":" + std::to_string(value);
    };
    text("kind", to_string(n.kind));
    text("key", key_of(n));
    text("target", n.name);
    text("reason", to_string(n.why));
    if (n.kind == notification_kind::recovered) text("was", to_string(n.before));
    text("rung", to_string(n.rung));
    if (n.incident != no_incident) number("incident", static_cast<std::uint32_t>(n.incident));
    if (n.op != no_op) number("op", static_cast<std::uint64_t>(n.op));
    if (n.denied != 0) {
        out += ",\"denied_by\":";
        char mark = '[';
        for (std::size_t g = 0; g < guard_count; ++g) {
            if ((n.denied >> g & 1U) == 0) continue;
            out += mark;
            append_json_string(out, to_string(static_cast<guard>(g)));
            mark = ',';
        }
        out += mark == '[' ? "[]" : "]";
    }
    if (!n.said.empty()) text("said", n.said);
    text("first", format_time(n.first));
    text("last", format_time(n.last));
    number("count", n.count);
    number("attempt", n.attempt);
    if (n.next != never) text("next", format_time(n.next));
    if (n.expires != never) text("expires", format_time(n.expires));
    text("text", to_text(n));
    out += '}';
    return out;
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/runner/page_queue.hpp

namespace reheat::inline REHEAT_ABI {

/// Numbers of a pager.
struct pager_options {
    std::size_t most = 4096;    ///< troubles known at one time; pages about more are dropped, which is told
    std::size_t in_flight = 16; ///< deliveries under way at one time
    duration answer_within = std::chrono::seconds{30}; ///< a delivery that is not answered by then is tried again
    backoff retry{std::chrono::seconds{10}, std::chrono::minutes{5}, false, 20};
    duration expire_after = std::chrono::hours{24};    ///< what is not acknowledged by then is given up
    duration repeat_after = std::chrono::hours{4};     ///< what was acknowledged less long ago is only counted
    duration journal_within = std::chrono::minutes{1}; ///< what is told waits so long for its record
    std::uint64_t seed = 0;                            ///< of the jitter
};

/// What a pager has done so far.
struct pager_figures {
    std::uint64_t pages = 0;        ///< page events taken
    std::uint64_t deliveries = 0;   ///< attempts
    std::uint64_t acknowledged = 0; ///< notifications that arrived
    std::uint64_t failed = 0;       ///< attempts answered by anything but `done`
    std::uint64_t overdue = 0;      ///< attempts not answered in time
    std::uint64_t merged = 0;       ///< pages that say what is known: one notification stands for them
    std::uint64_t superseded = 0;   ///< notifications that something newer took the place of before they arrived
    std::uint64_t repeated = 0;     ///< times an older one arrived late, so that the newest is told once more
    std::uint64_t expired = 0;      ///< notifications given up
    std::uint64_t dropped = 0;      ///< pages that found no room
    std::uint64_t lost_answers = 0; ///< answers that found the inbox full; these deliveries are tried again
};

/// The pager without its notifier: events go in, deliveries that are due come out, answers go in. It reads no clock and
/// sends nothing. The same inputs give the same deliveries, always.
///
/// A trouble is what a target's incident is paged for; a page without an incident is a trouble of its own for each
/// target or set and reason. Of each trouble only the newest state is kept and delivered, one delivery at a time, so
/// that the last notification that arrives about it is its final state. One thread at a time.
class page_queue {
public:
    explicit page_queue(pager_options options = {}) : options_{options} {
        constexpr std::size_t most_slots = 1U << 24U;
        if (options_.most < 1) options_.most = 1;
        if (options_.most > most_slots) options_.most = most_slots;
        if (options_.in_flight < 1) options_.in_flight = 1;
        // A pause of zero would be an endless loop at one time.
        if (options_.answer_within < shortest_pause) options_.answer_within = shortest_pause;
        if (options_.expire_after < shortest_pause) options_.expire_after = shortest_pause;
        // Nor is anything given up that was never told.
        if (options_.journal_within > options_.expire_after / 2) options_.journal_within = options_.expire_after / 2;
    }

    // Inputs: they record, and deliver nothing

    /// Any event of the engine; `name` is that of its target or set, `said` what the driver said, `record` the newest
    /// record that the journal got for it: nothing is delivered of it before `durable` covers that. Most events change
    /// nothing here.
    void take(const event& e, std::string_view name, sequence record = no_sequence, std::string_view said = {}) {
        record_ = record;
        said_ = said;
        if (e.shadow) return; // nobody is called for what nobody does
        switch (e.kind) {
        case event_kind::page: return page(e, name);
        case event_kind::incident:
            if (e.what != decision::recover) return;
            end(find({e.target}), e);
            return end(find({e.target, reason::returned}), e);
        case event_kind::call:
        case event_kind::operation_order:
            if (e.op == no_op || e.what == decision::act) return;
            if (e.kind == event_kind::operation_order && e.rung == operation::fence_instance &&
                (e.why == reason::outcome_done || e.why == reason::confirmed_absent)) {
                slot* const s = find({e.target, reason::returned});
                if (s != nullptr && s->now.op != no_op) end(s, e); // it was paged because a fence failed
            }
            for (const reason why : {reason::journal_pending, reason::api_quota}) {
                if (slot* const s = find({e.target, why}); s != nullptr && s->now.op == e.op) end(s, e);
            }
            return;
        case event_kind::controller:
            if (e.what == decision::change && e.why == reason::none)
                return end(find({no_target, reason::journal_failed}), e);
            if (e.what != decision::release) return;
            if (e.why != reason::breaker_closed) return end(find({no_target, e.why}), e);
            end(find({no_target, reason::breaker_group, e.set}), e);
            return end(find({no_target, reason::breaker_domain, e.set}), e);
        case event_kind::operator_word:
            if (e.what != decision::accept || e.verb != operator_verb::trust) return;
            end(find({no_target, reason::trust_broken}), e);
            return end(find({e.target, reason::returned}), e);
        default: return;
        }
    }

    /// Every record up to and with `upto` is durable, or is not waited for.
    void durable(sequence upto) noexcept {
        if (upto <= durable_) return;
        durable_ = upto;
        changed_ = true;
    }

    /// How a delivery came out: `done` means that the notification arrived and is acknowledged; after anything else it
    /// is tried again, not before `retry_after` is over. An answer may come late, when the delivery has been given up.
    void answer(op_id delivery, time_point now, outcome_code code, duration retry_after = {}) {
        now_ = later(now_, now);
        const auto index = static_cast<std::size_t>(static_cast<std::uint64_t>(delivery) >> 32U);
        const auto serial = static_cast<std::uint32_t>(delivery);
        if (code != outcome_code::done) ++figures_.failed;
        if (index >= slots_.size() || !slots_[index].used || before(serial, slots_[index].born)) return;
        slot& s = slots_[index];
        changed_ = true;
        if (s.unanswered != 0) --s.unanswered;
        const bool under_way = s.sending && s.serial == serial;
        if (under_way) stop_sending(s);
        if (before(serial, s.begin)) {
            // If it had been given up, something newer was sent since: nobody knows which of the two came last.
            if (!under_way && (code == outcome_code::done || code == outcome_code::unknown)) doubt(s);
        } else if (code == outcome_code::done && !before(serial, s.sure)) {
            arrived(s);
        } else if (under_way && s.at == stage::open) {
            if (code == outcome_code::done) s.retry_at = now_; // something older came in between
            else retry(s, retry_after);
        }
    }

    /// A human has seen it, as heard by another way than its delivery. False if there is nothing newer to be seen than
    /// what is acknowledged already, or if something newer has taken its place.
    bool acknowledge(notification_id id, time_point now) {
        now_ = later(now_, now);
        for (slot& s : slots_) {
            if (!s.used || s.now.id != id || s.at != stage::open || s.now.attempt == 0) continue;
            arrived(s);
            changed_ = true;
            return true;
        }
        return false;
    }

    /// So many answers were lost on their way.
    void lose(std::uint64_t answers) noexcept { figures_.lost_answers += answers; }

    // Deliveries

    /// The next delivery that is due, or null; `delivery` is what its answer has to name. It counts as under way from
    /// now on. Valid until the next call of anything.
    [[nodiscard]] const notification* deliver(time_point now, op_id& delivery) {
        now_ = later(now_, now);
        while (changed_ || now_ >= next_) {
            changed_ = false;
            for (std::size_t seen = 0; seen < slots_.size(); ++seen) {
                // In turn, so that those that fail do not keep others from their first attempt.
                if (turn_ >= slots_.size()) turn_ = 0;
                const std::size_t index = turn_++;
                slot& s = slots_[index];
                if (!s.used || !ready(s, index) || under_way_ >= options_.in_flight) continue;
                delivery = send(s, index);
                return &s.now;
            }
            settle();
        }
        return nullptr;
    }

    /// When something is due, if nothing comes in before; at or before now means at once.
    [[nodiscard]] time_point next() const noexcept { return changed_ ? now_ : next_; }

    // Reading

    /// The newest state that there is to tell about a target's incident, until it is told and over.
    [[nodiscard]] const notification* about(target_id target) const noexcept {
        const std::size_t at = place({target});
        return holds(at, {target}) ? &slots_[index_[at].slot].now : nullptr;
    }
    /// How many troubles are known.
    [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }
    [[nodiscard]] const pager_figures& figures() const noexcept { return figures_; }

private:
    static constexpr duration shortest_pause = std::chrono::seconds{1};

    /// What a trouble is known by.
    struct trouble {
        target_id target = no_target; ///< `no_target` for what is not one target's
        reason topic = reason::none;  ///< `none` for the target's incident
        set_id set = no_set;

        friend auto operator<=>(const trouble&, const trouble&) = default;
    };
    enum class stage : std::uint8_t {
        open,         ///< to be delivered
        acknowledged, ///< it arrived
        expired,      ///< it was given up
    };
    struct slot {
        notification now{};
        time_point retry_at{};   ///< not delivered before
        sequence record{};       ///< not delivered before this one is durable
        time_point due = never;  ///< of the delivery under way: its answer
        time_point settled{};    ///< when it was acknowledged or given up
        std::uint32_t born = 0;  ///< deliveries before this one were about another trouble
        std::uint32_t begin = 0; ///< deliveries before this one said something older
        std::uint32_t sure = 0;  ///< something older may have arrived after deliveries before this one
        std::uint32_t serial = 0;
        std::uint32_t unanswered = 0;
        trouble about{};
        stage at = stage::open;
        bool used = false;
        bool sending = false;
    };
    struct entry {
        trouble about;
        std::uint32_t slot;
    };

    [[nodiscard]] static bool before(std::uint32_t a, std::uint32_t b) noexcept {
        return static_cast<std::int32_t>(a - b) < 0; // serial numbers go round
    }

    // What is known, in the order of targets and topics

    [[nodiscard]] std::size_t place(const trouble& what) const noexcept {
        std::size_t from = 0;
        for (std::size_t to = index_.size(); from < to;) {
            const std::size_t middle = from + (to - from) / 2;
            if (index_[middle].about < what) from = middle + 1;
            else to = middle;
        }
        return from;
    }
    [[nodiscard]] bool holds(std::size_t at, const trouble& what) const noexcept {
        return at < index_.size() && index_[at].about == what;
    }
    [[nodiscard]] slot* find(const trouble& what) noexcept {
        const std::size_t at = place(what);
        return holds(at, what) ? &slots_[index_[at].slot] : nullptr;
    }
    slot& make(const trouble& what) {
        if (free_.empty()) {
            free_.push_back(static_cast<std::uint32_t>(slots_.size()));
            slots_.emplace_back();
        }
        const std::uint32_t index = free_.back();
        free_.pop_back();
        index_.insert(index_.begin() + static_cast<std::ptrdiff_t>(place(what)), {what, index});
        slot& s = slots_[index];
        s = {};
        s.used = true;
        s.about = what;
        s.born = last_serial_ + 1;
        return s;
    }
    void forget(std::size_t index) {
        slot& s = slots_[index];
        index_.erase(index_.begin() + static_cast<std::ptrdiff_t>(place(s.about)));
        s = {};
        free_.push_back(static_cast<std::uint32_t>(index));
        if (slot* const full = find({no_target, reason::inbox_overflow});
            full != nullptr && full->now.kind == notification_kind::page && index_.size() <= options_.most / 2 + 1) {
            event e;
            e.at = now_;
            end(full, e);
        }
    }

    // What there is to tell

    void page(const event& e, std::string_view name) {
        if (e.what == decision::page) ++figures_.pages;
        // A false proof is nobody's incident: it stops everything, until an operator says otherwise.
        const bool of_all = e.why == reason::trust_broken;
        const trouble what = of_all                      ? trouble{no_target, e.why}
                             : e.incident != no_incident ? trouble{e.target}
                                                         : trouble{e.target, e.why, e.set};
        slot* s = find(what);
        if (s != nullptr || index_.size() < options_.most) return say(s != nullptr ? *s : make(what), e, name);
        ++figures_.dropped;
        const trouble full{no_target, reason::inbox_overflow};
        event told;
        told.at = e.at;
        told.kind = event_kind::page;
        told.what = decision::page;
        told.why = reason::inbox_overflow;
        s = find(full);
        said_ = {}; // of what was dropped
        say(s != nullptr ? *s : make(full), told, {});
    }

    void say(slot& s, const event& e, std::string_view name) {
        notification& n = s.now;
        const incident_id incident = s.about.topic == reason::none ? e.incident : no_incident;
        // An earlier run had paged it, and it is over.
        const bool over = e.what == decision::recover;
        const bool known =
            !over && n.id != notification_id{} && n.kind == notification_kind::page && n.why == e.why &&
            n.incident == incident && n.op == e.op && n.target == e.target && (e.denied & ~n.denied) == 0 &&
            (s.at == stage::open || (s.at == stage::acknowledged && e.at < after(s.settled, options_.repeat_after)));
        if (known) {
            ++figures_.merged;
            if (n.count != 0xffff'ffffU) ++n.count;
        } else {
            renew(s, e.at);
            n.kind = over ? notification_kind::recovered : notification_kind::page;
            n.target = e.target;
            n.name = name;
            n.set = e.set;
            n.incident = incident;
            n.op = e.op;
            n.why = over ? reason::resumed : e.why;
            n.before = over ? e.why : reason::none;
        }
        n.rung = e.rung;
        n.denied = e.denied;
        n.next = e.next;
        n.last = e.at;
        n.said = over ? std::string_view{} : said_;
    }

    void end(slot* s, const event& e) {
        if (s == nullptr || s->now.kind == notification_kind::recovered) return;
        notification& n = s->now;
        renew(*s, e.at);
        n.kind = notification_kind::recovered;
        n.before = std::exchange(n.why, e.why);
        n.rung = e.rung;
        n.denied = 0;
        n.said.clear();
        n.next = never;
        n.last = e.at;
    }

    /// Something newer takes its place.
    void renew(slot& s, time_point at) {
        if (s.now.id != notification_id{} && s.at == stage::open) ++figures_.superseded;
        // Microseconds, so that it is larger than those of an earlier run.
        const std::int64_t now = std::chrono::floor<std::chrono::microseconds>(at.time_since_epoch()).count();
        last_id_ = now > last_id_ ? now : last_id_ + 1;
        s.now.id = static_cast<notification_id>(last_id_);
        s.now.count = 1;
        s.now.attempt = 0;
        s.now.first = at;
        s.now.expires = after(at, options_.expire_after);
        s.record = record_;
        s.begin = s.sure = last_serial_ + 1;
        s.at = stage::open;
        s.retry_at = at;
        changed_ = true;
    }

    // How far its delivery is

    /// What time alone does to a slot; true if a delivery is due.
    bool ready(slot& s, std::size_t index) {
        if (s.sending && now_ >= s.due) {
            stop_sending(s);
            ++figures_.overdue;
            if (s.at == stage::open && !before(s.serial, s.begin)) retry(s, {});
        }
        if (s.sending) return false;
        if (s.at == stage::open && now_ >= s.now.expires) {
            s.at = stage::expired;
            s.settled = now_;
            ++figures_.expired;
        }
        if (s.at == stage::open) return now_ >= told_at(s);
        if (now_ >= forget_at(s)) forget(index);
        return false;
    }
    /// When its next delivery is due.
    [[nodiscard]] time_point told_at(const slot& s) const noexcept {
        return s.record <= durable_ ? s.retry_at : later(s.retry_at, after(s.now.first, options_.journal_within));
    }
    /// A trouble is remembered until it is over and no older delivery can arrive any more, as far as that can be known.
    [[nodiscard]] time_point forget_at(const slot& s) const noexcept {
        if (s.now.kind == notification_kind::page) return never;
        return s.unanswered == 0 ? s.settled : after(s.settled, options_.expire_after);
    }
    [[nodiscard]] op_id send(slot& s, std::size_t index) noexcept {
        ++under_way_;
        ++s.unanswered;
        ++figures_.deliveries;
        if (s.now.attempt != 0xffffU) ++s.now.attempt;
        s.sending = true;
        s.serial = ++last_serial_;
        s.due = after(now_, options_.answer_within);
        changed_ = true;
        return static_cast<op_id>(static_cast<std::uint64_t>(index) << 32U | s.serial);
    }
    void stop_sending(slot& s) noexcept {
        s.sending = false;
        s.due = never;
        --under_way_;
        changed_ = true; // there is room for another one
    }
    void retry(slot& s, duration at_least) noexcept {
        duration pause = wait_after(options_.retry, options_.seed,
                                    static_cast<incident_id>(static_cast<std::uint32_t>(s.now.id)), s.now.attempt);
        if (pause < shortest_pause) pause = shortest_pause;
        s.retry_at = after(now_, at_least > pause ? at_least : pause);
    }
    void arrived(slot& s) noexcept {
        if (s.at == stage::acknowledged) return;
        s.at = stage::acknowledged;
        s.settled = now_;
        ++figures_.acknowledged;
    }
    /// Only a delivery from now on makes sure that the newest state is the last that arrives.
    void doubt(slot& s) noexcept {
        s.sure = last_serial_ + 1;
        if (s.now.attempt == 0 || s.at == stage::expired) return;
        ++figures_.repeated;
        if (s.at == stage::open) return; // it will be sent again, or is under way and does not count
        s.at = stage::open;
        s.retry_at = now_;
        s.now.expires = after(now_, options_.expire_after);
    }
    /// Nothing is due: when will something be?
    void settle() noexcept {
        next_ = never;
        for (const slot& s : slots_) {
            if (!s.used) continue;
            time_point at = never;
            if (s.sending) at = s.due;
            else if (s.at != stage::open) at = forget_at(s);
            else at = under_way_ < options_.in_flight ? earlier(told_at(s), s.now.expires) : s.now.expires;
            next_ = earlier(next_, at);
        }
    }

    pager_options options_;
    std::vector<slot> slots_;
    std::vector<entry> index_;
    std::vector<std::uint32_t> free_;
    std::size_t under_way_ = 0;
    std::size_t turn_ = 0;
    std::uint32_t last_serial_ = 0;
    std::int64_t last_id_ = 0;
    sequence record_ = no_sequence; // of what is taken
    std::string_view said_;         // the same, while it is
    sequence durable_ = no_sequence;
    time_point now_ = (time_point::min)();
    time_point next_ = never;
    bool changed_ = false;
    pager_figures figures_{};
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
    void wake() noexcept override {
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

// file: reheat/runner/pager.hpp

namespace reheat::inline REHEAT_ABI {

/// Brings a notification to a human or to a service that pages one. The answer is a driver's `completion`: `done` once
/// it has arrived and somebody or something vouches for it, anything else to have it tried again (`retry_after` is kept
/// to). Inline or later, from any thread; destroyed uncalled it counts as not arrived. The notification lives for the
/// call only: what is needed later is copied.
///
///     struct mailer {
///         void notify(const notification& n, completion done) { done(send(to_text(n)) ? outcome::done() :
///         outcome::failed("smtp")); }
///     };
template <class N>
concept notifier = requires(N& n, const notification& what, completion done) {
    { n.notify(what, std::move(done)) } -> std::same_as<void>;
};

/// Knows targets by their names, as an engine does.
template <class T>
concept knows_names = requires(const T& of, target_id target) {
    { of.name(target) } -> std::convertible_to<std::string_view>;
};

namespace detail {

struct page_answer {
    op_id delivery{};
    outcome_code code{};
    duration retry_after{};
};

/// Where the answers of a notifier arrive. It outlives its pager as long as a completion refers to it.
class page_answers final : public completion_sink {
public:
    explicit page_answers(mailbox* wakes) : inbox_{1024}, wakes_{wakes} {
        if (wakes_ != nullptr) wakes_->retain();
    }
    void deliver(op_id delivery, outcome&& result, bool repeated) noexcept override {
        if (repeated || closed_.load(std::memory_order_acquire)) return;
        inbox_.put({delivery, result.code, result.retry_after});
        if (wakes_ != nullptr) wakes_->wake();
    }
    void close() noexcept { closed_.store(true, std::memory_order_release); }
    bool take(page_answer& into) noexcept { return inbox_.take(into); }
    std::uint64_t take_losses() noexcept { return inbox_.take_losses(); }

private:
    ~page_answers() override {
        if (wakes_ != nullptr) wakes_->release();
    }

    inbox<page_answer> inbox_;
    mailbox* wakes_;
    std::atomic<bool> closed_{false};
};

} // namespace detail

/// Tells a human what the engine pages, until it has arrived: pages of a pipeline go in as events, notifications come
/// out at a notifier, are tried again with backoff, and end with `recovered`. The last notification that arrives about
/// a target is its final state, whatever failed or was late before; see `page_queue`.
///
/// It is a sink of `pipeline::poll` and `pipeline::run`, which call its `poll` too. It refers to the notifier and the
/// engine, which must outlive it. Completions may be called from any thread, everything else is used by the pipeline's.
/// Not movable.
///
///     mailer out;
///     pager pages{out, ha};
///     auto come_back_at = ha.poll(pages);
template <notifier Notifier, knows_names Names>
class pager {
public:
    /// Beside a pipeline: an answer from another thread wakes it.
    template <class Pipeline>
        requires requires(Pipeline& ha) {
            { ha.state() } -> std::same_as<Names&>;
            { ha.mail() } -> std::same_as<mailbox&>;
        }
    pager(Notifier& to, Pipeline& ha, pager_options options = {}) : pager{to, ha.state(), options, &ha.mail()} {}
    /// Beside an engine in a loop of one's own.
    pager(Notifier& to, const Names& of, pager_options options = {}) : pager{to, of, options, nullptr} {}
    pager(const pager&) = delete;
    pager& operator=(const pager&) = delete;
    /// Completions that are still out there do nothing from now on.
    ~pager() {
        answers_->close();
        answers_->release();
    }

    /// Any event of the engine. It is recorded; `poll` delivers.
    void operator()(const event& e) {
        sequence record = no_sequence;
        if constexpr (requires { names_->written(); }) record = names_->written();
        if constexpr (requires { names_->sets()[e.set].name; }) {
            if (e.kind == event_kind::page && e.set != no_set) {
                const auto& set = names_->sets()[e.set];
                return queue_.take(e, std::string{to_string(set.of)} + ' ' + set.name, record);
            }
        }
        std::string said;
        if constexpr (requires { names_->incident_of(e.target)->said; }) {
            if (const auto* const i = names_->incident_of(e.target); i != nullptr) said = joined(i->said);
        }
        queue_.take(e, names_->name(e.target), record, said);
    }

    /// Takes answers, makes the deliveries that are due, and says when to come back; `never` if only a page or an
    /// answer can change anything. If the notifier throws, the exception comes out here, and that delivery is tried
    /// again.
    time_point poll(time_point now) {
        if constexpr (requires { names_->deposed(); }) {
            if (names_->deposed()) return never; // whoever leads now tells it
        }
        if constexpr (requires { names_->settled(); }) queue_.durable(names_->settled());
        for (;;) {
            take_answers(now);
            op_id delivery = no_op;
            const notification* const due = queue_.deliver(now, delivery);
            if (due == nullptr) return queue_.next();
            const notification told = *due;
            notifier_->notify(told, completion{delivery, *answers_});
        }
    }

    /// A human has seen it, as heard by another way than the notifier's answer; false if that is no news.
    bool acknowledge(notification_id id, time_point now) { return queue_.acknowledge(id, now); }

    [[nodiscard]] const page_queue& state() const noexcept { return queue_; }
    [[nodiscard]] const pager_figures& figures() const noexcept { return queue_.figures(); }

private:
    pager(Notifier& to, const Names& of, const pager_options& options, mailbox* wakes)
        : notifier_{&to}, names_{&of}, queue_{options}, answers_{new detail::page_answers{wakes}} {}

    void take_answers(time_point now) {
        detail::page_answer a;
        while (answers_->take(a)) queue_.answer(a.delivery, now, a.code, a.retry_after);
        queue_.lose(answers_->take_losses());
    }

    Notifier* notifier_;
    const Names* names_;
    page_queue queue_;
    detail::page_answers* answers_;
};

template <class Notifier, class Pipeline, class... Options>
    requires requires(Pipeline& ha) { ha.mail(); }
pager(Notifier&, Pipeline&, Options...)
    -> pager<Notifier, std::remove_cvref_t<decltype(std::declval<Pipeline&>().state())>>;

} // namespace reheat::inline REHEAT_ABI

// file: reheat/runner/dispatch.hpp

namespace reheat::inline REHEAT_ABI {

/// Makes one call of the engine on a driver. A call that needs proofs is refused here, before the driver hears of it,
/// if one is missing, expired, or speaks for another incident or target; so is one for which the driver has no
/// function, and one that comes too late, because its process stood still since the engine decided.
template <cloud_driver Driver>
void dispatch(Driver& driver, call& c, time_point now, completion done) {
    if (now > c.start_by) return done(outcome::refused("too late: its deadline or this controller's lead is over"));
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
    case operation::collect_forensics:
        if constexpr (collects_forensics<Driver>) return driver.forensics(c.what, std::move(done));
        else return lacking();
    case operation::none:
    case operation::guest_restarts:
    case operation::page: return done(outcome::refused("no operation of a driver"));
    }
}

} // namespace reheat::inline REHEAT_ABI

// file: reheat/runner/pipeline.hpp

namespace reheat::inline REHEAT_ABI {

/// A sink of events that also has something to do in time: `poll` does what is due and says when to come back.
template <class S>
concept timed_sink = requires(S& sink, time_point now) {
    { sink.poll(now) } -> std::same_as<time_point>;
};

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
///
/// `Engine` is `engine`, or `recorder` to keep what it is told.
template <class Driver, time_source Time, journal Journal = volatile_journal, class Engine = engine>
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

    /// Checks the policy and opens the journal. Call it once, before anything is added. What an earlier run wrote is
    /// gone on with by the first `poll`: add what there was under its old names before. That needs a journal with
    /// `replay` and `engine/resume.hpp`; `unsupported` without.
    result<void> open() {
        if (auto can = check_climbable(rules_, capabilities_of(driver_)); !can) return can;
        if (auto opened = journal_.open(); !opened) return opened;
        if (journal_.durable() == no_sequence) return {};
        if constexpr (requires { resume_from(journal_, engine_); }) return resume_from(journal_, engine_);
        else return error{errc::unsupported, {}, "the journal has records of an earlier run, and no resume.hpp"};
    }

    /// Adds a policy beside the first one; an error if the driver lacks a function for one of its rungs.
    result<policy_id> add_policy(const policy& rules) {
        if (auto can = check_climbable(rules, capabilities_of(driver_)); !can) return std::move(can).error();
        return engine_.add_policy(rules);
    }
    result<target_id> add(const stack& s) { return engine_.add(s); }
    result<target_id> add(const instance& i) { return engine_.add(i); }
    result<target_id> add(const service& s) { return engine_.add(s); }

    /// Watches a target by an alarm, from now on.
    template <alarm_rule Rule>
    result<watch_id> watch(target_id target, const Rule& rule) {
        return engine_.watch(target, rule, time_.now());
    }
    result<watch_id> watch(target_id target, const heartbeat_alarm& alarm) { return watch(target, alarm.rule()); }

    /// A sample for one alarm, received now.
    void push(watch_id watch, double value) noexcept { engine_.push(watch, time_.now(), value); }
    /// A sample for every alarm that is watched on a target, received now.
    void push(target_id target, double value) noexcept {
        engine_.each_watch(target, [&](watch_id w) { push(w, value); });
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
    void guest_restarted(target_id target) { engine_.guest_restarted(target, time_.now()); }
    void host_died(std::string_view host, proof_kind by) { engine_.host_died(host, by, time_.now()); }
    void host_returned(std::string_view host) { engine_.host_returned(host, time_.now()); }
    void renew(const lease& l) { engine_.renew(l); }
    void sighted(const copy_sighting& seen) { engine_.sighted(seen, time_.now()); }
    void tell_capacity(std::string_view zone, std::uint32_t room) { engine_.tell_capacity(zone, room, time_.now()); }
    void leads(epoch reign, time_point until = never) { engine_.leads(reign, until, time_.now()); }
    void lost_lead() { engine_.lost_lead(time_.now()); }
    result<void> depend(target_id dependent, target_id on) { return engine_.depend(dependent, on); }
    template <recovery_guard G>
    void add_guard(const G& guard) {
        engine_.add_guard(guard);
    }
    template <recovery_guard G>
    void add_guard(const G&& guard) = delete;
    /// Replaces a policy; an error if the driver lacks a function for one of its rungs.
    result<void> change_policy(policy_id which, const policy& to) {
        if (auto can = check_climbable(to, capabilities_of(driver_)); !can) return can;
        engine_.change_policy(which, to, time_.now());
        return {};
    }
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
    /// exception comes out here and the next `poll` goes on behind it: the outcome of that call is unknown. A driver or
    /// sink that is polled too, as a `deadline_driver` or a `pager` is, is so last, and once.
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
            const time_point now = time_.now();
            time_point due = engine_.next();
            if (due <= now) continue;
            // Once: a sink that is slow must not keep out whoever has inputs.
            if constexpr (timed_sink<Driver>) due = earlier(due, driver_->poll(now));
            if constexpr (timed_sink<Sink>) due = earlier(due, sink.poll(now));
            return earlier(due, engine_.next());
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

    [[nodiscard]] const Engine& state() const noexcept { return engine_; }
    [[nodiscard]] Engine& state() noexcept { return engine_; }
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
        if (engine_.deposed()) return; // the journal is the next leader's
        // What comes after a refused record waits with it: a journal has no gaps.
        if (!unwritten_.empty()) {
            for (const record& r : out_.records) unwritten_.push_back(r);
        } else if (!out_.records.empty()) {
            // Failed until it has said otherwise, so that one that throws counts as failed too.
            bool written = false;
            const failure_guard guard{*this, written};
            const result<void> appended = journal_.append(out_.records);
            written = appended.has_value();
            if (written || appended.error().code != errc::denied) return engine_.durable(journal_.durable());
            // Another controller leads. What this step decided, before that was known, is not called.
            lost_lead();
            for (call& c : out_.calls) c.start_by = (time_point::min)();
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
    Engine engine_;
    policy rules_;
    mailbox* mail_;
    outputs out_;
    std::vector<record> unwritten_; // refused by the journal, in order
    std::size_t called_ = 0;        // calls of `out_` that were made
    std::size_t told_ = 0;          // events of `out_` that were told
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
