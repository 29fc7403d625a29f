// SPDX-License-Identifier: MIT
#include <reheat/reheat.hpp>

#include <type_traits>

// Facts of metrics and alarms. There is nothing to run.

namespace rh = reheat;
using namespace std::chrono_literals;

namespace metric_facts {

struct median { // a statistic of somebody else
    struct accumulator {
        double last = 0;
        unsigned count = 0;
    };
    static void add(accumulator&, double) noexcept {}
    static std::uint32_t count(const accumulator&) noexcept { return 0; }
    static double value(const accumulator&) noexcept { return 0; }
    static rh::statistic kind() noexcept { return rh::statistic::average; }
    friend bool operator==(median, median) noexcept = default;
};
struct throwing_statistic : median {
    static void add(accumulator&, double) {}
};
struct float_statistic : median {
    static float value(const accumulator&) noexcept { return 0; }
};
struct incomparable_statistic {
    using accumulator = median::accumulator;
    static void add(accumulator&, double) noexcept {}
    static std::uint32_t count(const accumulator&) noexcept { return 0; }
    static double value(const accumulator&) noexcept { return 0; }
    static rh::statistic kind() noexcept { return rh::statistic::average; }
};

static_assert(rh::statistic_policy<rh::sample_count>);
static_assert(rh::statistic_policy<rh::sum>);
static_assert(rh::statistic_policy<rh::average>);
static_assert(rh::statistic_policy<rh::minimum>);
static_assert(rh::statistic_policy<rh::maximum>);
static_assert(rh::statistic_policy<rh::any_statistic>);
static_assert(rh::statistic_policy<median>);
static_assert(!rh::statistic_policy<throwing_statistic>);
static_assert(!rh::statistic_policy<float_statistic>);
static_assert(!rh::statistic_policy<incomparable_statistic>);
static_assert(!rh::statistic_policy<rh::less_than>);
static_assert(!rh::statistic_policy<int>);

struct close_to { // a comparison of somebody else
    bool operator()(double a, double b, double) const noexcept { return a - b < 1 && b - a < 1; }
    static rh::comparison kind() noexcept { return rh::comparison::less_than; }
    friend bool operator==(close_to, close_to) noexcept = default;
};
struct integer_comparison : close_to {
    int operator()(double, double, double) const noexcept { return 1; }
};
struct throwing_comparison : close_to {
    bool operator()(double, double, double) const { return true; }
};

static_assert(rh::comparison_policy<rh::less_than>);
static_assert(rh::comparison_policy<rh::less_than_or_equal>);
static_assert(rh::comparison_policy<rh::greater_than>);
static_assert(rh::comparison_policy<rh::greater_than_or_equal>);
static_assert(rh::comparison_policy<rh::any_comparison>);
static_assert(rh::comparison_policy<close_to>);
static_assert(!rh::comparison_policy<integer_comparison>);
static_assert(!rh::comparison_policy<throwing_comparison>);
static_assert(!rh::comparison_policy<rh::sample_count>);
static_assert(!rh::comparison_policy<bool (*)(double, double)>);

struct endless_window { // a window has a period
    using statistic_type = rh::sum;
    rh::alignment align;
    rh::duration step;
};
struct bare_window { // and a statistic
    rh::duration period;
    rh::alignment align;
    rh::duration step;
};

static_assert(rh::window_policy<rh::window<rh::sample_count>>);
static_assert(rh::window_policy<rh::window<rh::any_statistic>>);
static_assert(rh::window_policy<rh::window<median>>);
static_assert(!rh::window_policy<endless_window>);
static_assert(!rh::window_policy<bare_window>);
static_assert(!rh::window_policy<rh::sample_count>);

static_assert(rh::alarm_rule<rh::any_alarm>);
static_assert(rh::alarm_rule<rh::alarm<rh::window<rh::sum>, rh::greater_than>>);
static_assert(rh::alarm_rule<rh::alarm<rh::window<median>, close_to>>);
static_assert(!rh::alarm_rule<rh::heartbeat_alarm>); // it makes one
static_assert(rh::alarm_rule<decltype(rh::heartbeat_alarm{}.rule())>);
static_assert(!rh::alarm_rule<rh::window<rh::sum>>);
static_assert(!rh::alarm_rule<int>);

// The rule of a heartbeat: raised by silence.
static_assert(rh::heartbeat_alarm{}.rule().threshold == 1);
static_assert(rh::heartbeat_alarm{}.rule().compare.kind() == rh::comparison::less_than);
static_assert(rh::heartbeat_alarm{}.rule().treat_missing == rh::missing_data::breaching);
static_assert(rh::heartbeat_alarm{.period = 10s}.rule().of.period == 10s);

// What is fixed at compile time takes no room, and a count takes eight bytes.
static_assert(sizeof(rh::sample_count::accumulator) == 8);
static_assert(std::is_empty_v<rh::less_than> && std::is_empty_v<rh::sample_count>);
static_assert(std::is_trivially_copyable_v<rh::any_alarm> &&
              std::is_trivially_copyable_v<rh::any_statistic::accumulator>);

// The bytes of docs/performance.md; a detector's window is beside it.
static_assert(sizeof(rh::accrual_detector<rh::phi_normal>) == 104);
static_assert(sizeof(rh::accrual_detector<rh::phi_exponential>) == 96);
static_assert(sizeof(rh::flap_detector<rh::icinga_flap>) == 8 && sizeof(rh::flap_detector<rh::nagios_flap>) == 8);
static_assert(sizeof(rh::suspicion_timer<8>) == 112);
static_assert(sizeof(rh::history_record) == 216);
static_assert(sizeof(rh::any_statistic::accumulator) == 32);

// A bare number is no duration.
template <class T>
concept is_duration = requires(T value) { rh::duration{value}; } && std::is_convertible_v<T, rh::duration>;
template <class T>
concept is_period = requires(T value) { rh::heartbeat_alarm{.period = value}; };
static_assert(is_duration<std::chrono::seconds> && is_duration<std::chrono::hours>);
static_assert(!is_duration<int> && !is_duration<double>);
static_assert(!is_duration<std::chrono::duration<double>>); // nor is a fraction, silently cut
static_assert(is_period<std::chrono::minutes>);
static_assert(!is_period<int>);
static_assert(!std::is_convertible_v<std::int64_t, rh::time_point>);

// Engine time can not be read from a clock, nor mixed with one.
template <class C>
concept has_now = requires { C::now(); };
static_assert(!has_now<rh::engine_clock>);
static_assert(has_now<std::chrono::system_clock>);
static_assert(!std::is_convertible_v<std::chrono::system_clock::time_point, rh::time_point>);

// Ids of different things are different types, and no numbers.
static_assert(!std::is_convertible_v<rh::target_id, std::uint32_t>);
static_assert(!std::is_convertible_v<std::uint32_t, rh::target_id>);
static_assert(!std::is_convertible_v<rh::incident_id, rh::target_id>);

} // namespace metric_facts
