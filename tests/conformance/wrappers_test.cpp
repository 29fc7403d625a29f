// SPDX-License-Identifier: MIT
#include <reheat/driver/any_driver.hpp>
#include <reheat/runner/circuit_breaker_driver.hpp>
#include <reheat/runner/deadline_driver.hpp>
#include <reheat/runner/fault_injection_driver.hpp>
#include <reheat/runner/rate_limit_driver.hpp>
#include <reheat/runner/recording_driver.hpp>
#include <reheat/runner/retry_driver.hpp>
#include <reheat/runner/time_view.hpp>

#include "every_scenario.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

// Every wrapper, set so that it need not do anything, before the mock cloud: all scenarios have the same decisions, and
// the same calls, as without it.

using namespace std::chrono_literals;
using namespace every_scenario;
using rh::manual_clock;
using rh::mock_cloud;
using rh::time_view;

namespace {

std::size_t calls_seen = 0;

/// Counts what passes, so that a wrapper that nothing goes through is found.
template <class Driver>
class counted : public rh::driver_wrapper<counted<Driver>, Driver> {
public:
    explicit counted(Driver& below) : rh::driver_wrapper<counted, Driver>{below} {}
    template <class Function, class... Proofs>
    void on_call(Function f, const rh::request& r, rh::completion done, Proofs&&... proofs) {
        ++calls_seen;
        this->pass_on(f, r, std::move(done), std::forward<Proofs>(proofs)...);
    }
};
using cloud = counted<mock_cloud>;

constexpr rh::duration wide = 24h * 365 * 100;

struct nothing {
    nothing(mock_cloud& c, manual_clock&) : mine{c} {}
    cloud& driver() { return mine; }
    cloud mine;
};
struct any_of_a_list {
    any_of_a_list(mock_cloud& c, manual_clock&) : below{c} {}
    rh::any_driver_like<cloud>& driver() { return mine; }
    cloud below;
    rh::any_driver_like<cloud> mine{below};
};
template <template <class, class> class Wrapper, const auto& options>
struct decorated {
    decorated(mock_cloud& c, manual_clock& t) : below{c}, mine{below, time_view{t}, options} {}
    auto& driver() { return mine; }
    cloud below;
    Wrapper<cloud, time_view> mine;
};

constexpr rh::deadline_options late_enough{.limit = wide};
constexpr rh::retry_options one_call{.most_calls = 1};
constexpr rh::rate_limit_options fast_enough{.calls = 1'000'000, .burst = 1'000'000};
constexpr rh::circuit_breaker_options patient{.unanswered = 4'000'000'000};
constexpr rh::fault_injection_options no_fault{};
constexpr std::size_t some_room = 1'000;

/// All of them, one on the other.
struct all {
    all(mock_cloud& c, manual_clock& t)
        : below{c}, faults{below, time_view{t}, no_fault}, tape{faults, time_view{t}},
          slow{tape, time_view{t}, fast_enough}, again{slow, time_view{t}, one_call},
          limited{again, time_view{t}, late_enough}, mine{limited, time_view{t}, patient} {}
    auto& driver() { return mine; }

    cloud below;
    rh::fault_injection_driver<cloud, time_view> faults;
    rh::recording_driver<decltype(faults), time_view> tape;
    rh::rate_limit_driver<decltype(tape), time_view> slow;
    rh::retry_driver<decltype(slow), time_view> again;
    rh::deadline_driver<decltype(again), time_view> limited;
    rh::circuit_breaker_driver<decltype(limited), time_view> mine;
};
/// And the other way round.
struct all_backwards {
    all_backwards(mock_cloud& c, manual_clock& t)
        : below{c}, careful{below, time_view{t}, patient}, limited{careful, time_view{t}, late_enough},
          again{limited, time_view{t}, one_call}, slow{again, time_view{t}, fast_enough}, tape{slow, time_view{t}},
          mine{tape, time_view{t}, no_fault} {}
    auto& driver() { return mine; }

    cloud below;
    rh::circuit_breaker_driver<cloud, time_view> careful;
    rh::deadline_driver<decltype(careful), time_view> limited;
    rh::retry_driver<decltype(limited), time_view> again;
    rh::rate_limit_driver<decltype(again), time_view> slow;
    rh::recording_driver<decltype(slow), time_view> tape;
    rh::fault_injection_driver<decltype(tape), time_view> mine;
};

/// Which of them stands before the cloud is decided at run time, so that the world is compiled once: `any_driver` is
/// the outermost of all.
struct stand {
    stand() = default;
    stand(const stand&) = delete;
    stand& operator=(const stand&) = delete;
    virtual ~stand() = default;
    virtual rh::any_driver& driver() = 0;
};
template <class Before>
struct stand_of final : stand {
    stand_of(mock_cloud& c, manual_clock& t) : before{c, t}, outermost{before.driver()} {}
    rh::any_driver& driver() override { return outermost; }
    Before before;
    rh::any_driver outermost;
};
template <class Before>
std::unique_ptr<stand> make(mock_cloud& c, manual_clock& t) {
    return std::make_unique<stand_of<Before>>(c, t);
}
using maker = std::unique_ptr<stand> (*)(mock_cloud&, manual_clock&);
maker next_stand = nullptr;

struct chosen {
    chosen(mock_cloud& c, manual_clock& t) : held{next_stand(c, t)} {}
    rh::any_driver& driver() { return held->driver(); }
    rh::time_point poll(rh::time_point now) { return driver().poll(now); }
    std::unique_ptr<stand> held;
};

} // namespace

TEST_CASE("every scenario has the same decisions through a wrapper as without it") {
    struct {
        const char* name;
        maker make;
    } const table[]{
        {"any_driver", &make<nothing>},
        {"any_driver of a list", &make<any_of_a_list>},
        {"deadline", &make<decorated<rh::deadline_driver, late_enough>>},
        {"retry", &make<decorated<rh::retry_driver, one_call>>},
        {"rate limit", &make<decorated<rh::rate_limit_driver, fast_enough>>},
        {"circuit breaker", &make<decorated<rh::circuit_breaker_driver, patient>>},
        {"recording", &make<decorated<rh::recording_driver, some_room>>},
        {"fault injection", &make<decorated<rh::fault_injection_driver, no_fault>>},
        {"all", &make<all>},
        {"all backwards", &make<all_backwards>},
    };
    REQUIRE(plain().size() >= 120);
    for (const auto& c : table) {
        CAPTURE(c.name);
        next_stand = c.make;
        calls_seen = 0;
        std::size_t lines = 0;
        for (const plain_run& p : plain()) {
            const std::string log = text_of(testing::run<testing::wrapped_cloud<chosen>>(p.what));
            CHECK_MESSAGE(log == p.log, p.what.name);
            lines += static_cast<std::size_t>(std::count(log.begin(), log.end(), '\n'));
        }
        CHECK(calls_seen > plain().size());
        CHECK(lines > 10 * plain().size());
    }
}

TEST_CASE("a wrapper that is not set so that it does nothing is found by the same comparison") {
    struct impatient {
        impatient(mock_cloud& c, manual_clock& t) : below{c}, mine{below, time_view{t}, {.limit = 1s}} {}
        auto& driver() { return mine; }
        cloud below;
        rh::deadline_driver<cloud, time_view> mine;
    };
    next_stand = &make<impatient>;
    CHECK(different<chosen>().size() > 50);
}

namespace {

std::uint64_t seed = 0;
std::uint64_t injected = 0;
std::uint64_t repeated = 0;

/// A bad cloud, and everything that one can have against it.
struct in_bad_weather {
    in_bad_weather(mock_cloud& c, manual_clock& t)
        : bad{c,
              time_view{t},
              {.seed = seed,
               .unreachable = 8,
               .failed = 5,
               .refused = 8,
               .lost = 8,
               .silent = 4,
               .late = 8,
               .twice = 5}},
          patient{bad, time_view{t}, {.limit = 90s}}, careful{patient, time_view{t}},
          slow{careful, time_view{t}, {.calls = 20, .per = 60s, .burst = 5}}, again{slow, time_view{t}} {}
    in_bad_weather(const in_bad_weather&) = delete;
    in_bad_weather& operator=(const in_bad_weather&) = delete;
    ~in_bad_weather() {
        injected += bad.injected();
        repeated += again.repeats();
    }
    auto& driver() { return again; }

    rh::fault_injection_driver<mock_cloud, time_view> bad;
    rh::deadline_driver<decltype(bad), time_view> patient;
    rh::circuit_breaker_driver<decltype(patient), time_view> careful;
    rh::rate_limit_driver<decltype(careful), time_view> slow;
    rh::retry_driver<decltype(slow), time_view> again;
};

} // namespace

TEST_CASE("whatever the wrappers do, no scenario breaks an invariant") {
    next_stand = &make<in_bad_weather>;
    for (seed = 1; seed <= 3; ++seed) {
        for (const plain_run& p : plain()) {
            if (!p.what.violates.empty()) continue;
            const std::string problem = testing::run<testing::wrapped_cloud<chosen>>(p.what).problem;
            CHECK_MESSAGE(problem.empty(), "seed ", seed, ", ", p.what.name, ": ", problem);
        }
    }
    CHECK(injected > 5'000);
    CHECK(repeated > 5'000);
}
