// SPDX-License-Identifier: MIT
#include <reheat/driver/any_driver.hpp>
#include <reheat/runner/circuit_breaker_driver.hpp>
#include <reheat/runner/deadline_driver.hpp>
#include <reheat/runner/driven.hpp>
#include <reheat/runner/fault_injection_driver.hpp>
#include <reheat/runner/rate_limit_driver.hpp>
#include <reheat/runner/recording_driver.hpp>
#include <reheat/runner/retry_driver.hpp>
#include <reheat/sim/mock_cloud.hpp>

#include "wrapper_support.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::operation;
using rh::outcome;
using rh::outcome_code;
using rh::time_view;
using support::notebook;
using wrapper_support::busy;
using wrapper_support::caller;

namespace {

struct event_log {
    void operator()(const rh::event& e) { events.push_back(e); }
    [[nodiscard]] std::size_t count(rh::decision what, rh::reason why) const {
        std::size_t n = 0;
        for (const rh::event& e : events) n += e.what == what && e.why == why ? 1U : 0U;
        return n;
    }
    [[nodiscard]] std::size_t acts() const {
        std::size_t n = 0;
        for (const rh::event& e : events) n += e.kind == rh::event_kind::rung && e.what == rh::decision::act ? 1U : 0U;
        return n;
    }
    std::vector<rh::event> events;
};

/// A pipeline on a mock cloud, through whatever stands between them.
template <class Driver>
event_log run_hour(rh::mock_cloud& cloud, Driver& driver, rh::manual_clock& clock) {
    event_log log;
    rh::pipeline ha{driver, time_view{clock}, rh::ladder{rh::reboot_instance{}}, {}, support::at_once()};
    REQUIRE(ha.open());
    const auto db = ha.add(rh::instance{.name = "db-1"});
    REQUIRE(ha.watch(*db, rh::heartbeat_alarm{.period = 60s}));
    rh::driven sink{driver, log};
    const rh::time_point end = clock.now() + 1h;
    while (clock.now() < end) {
        cloud.advance(clock.now(), [&](auto, auto) { ha.push(*db, rh::heartbeat); });
        const rh::time_point due = ha.poll(sink);
        clock.advance_to(rh::earlier(rh::earlier(due, cloud.next()), end));
    }
    return log;
}

} // namespace

TEST_CASE("a busy cloud costs no attempt: the retry asks again, the pipeline only waits") {
    for (const bool with_retry : {false, true}) {
        CAPTURE(with_retry);
        rh::manual_clock clock;
        rh::mock_cloud cloud;
        cloud.add("db-1", {});
        cloud.break_at(clock.now() + 10min, "db-1", rh::fault::instance_hangs);
        for (int n = 0; n < 2; ++n) {
            cloud.reply(operation::reboot_instance,
                        {.code = outcome_code::refused, .takes_effect = false, .retry_after = 10s});
        }
        rh::retry_driver again{cloud, time_view{clock}, {.most_calls = static_cast<std::uint16_t>(with_retry ? 4 : 1)}};
        const event_log log = run_hour(cloud, again, clock);
        // Without it both attempts are gone before the cloud has time.
        CHECK(cloud.count(operation::reboot_instance) == (with_retry ? 3U : 2U));
        CHECK(cloud.find("db-1")->serves() == with_retry);
        CHECK(log.acts() == (with_retry ? 1U : 2U));
        CHECK(again.repeats() == (with_retry ? 2U : 0U));
        for (const rh::mock_call& c : cloud.calls()) {
            if (with_retry && c.what == operation::reboot_instance) CHECK(c.key == cloud.calls()[0].key);
        }
    }
}

TEST_CASE("what the driver does in time wakes the pipeline, also where nothing else would") {
    rh::manual_clock clock;
    rh::mock_cloud cloud;
    cloud.add("db-1", {});
    cloud.break_at(clock.now() + 10min, "db-1", rh::fault::instance_hangs);
    cloud.reply(operation::reboot_instance, {.how = rh::mock_reply::manner::silent});
    rh::deadline_driver patient{cloud, time_view{clock}, {.limit = 7s}};
    const event_log log = run_hour(cloud, patient, clock);
    CHECK(patient.missed() == 1);
    rh::time_point acted{};
    for (const rh::event& e : log.events) {
        if (e.kind == rh::event_kind::rung && e.what == rh::decision::act && acted == rh::time_point{}) acted = e.at;
        if (e.why == rh::reason::outcome_unknown) CHECK(e.at == acted + 7s);
    }
    CHECK(log.count(rh::decision::read_back, rh::reason::outcome_unknown) == 1);
}

TEST_CASE("silence is made unknown by the deadline, counted by the breaker above, and not repeated by the retry") {
    rh::manual_clock clock;
    notebook cloud; // never answers
    caller me;
    rh::deadline_driver patient{cloud, time_view{clock}, {.limit = 10s}};
    rh::circuit_breaker_driver careful{patient, time_view{clock}, {.unanswered = 2, .cooldown = 1min}};
    rh::retry_driver again{careful, time_view{clock}, {.wait = {1s, 5min, false, 0}}};
    me.reboot(again);
    me.reboot(again);
    clock.advance(10s);
    CHECK(again.poll(clock.now()) == clock.now()); // polls all that are below
    CHECK(me.heard().size() == 2);
    CHECK(careful.is_open());
    me.reboot(again); // refused with a time, so it is asked again then
    CHECK(cloud.calls.size() == 2);
    CHECK(me.heard().size() == 2);
    CHECK(again.poll(clock.now()) == clock.now() + 1min);
    clock.advance(1min);
    static_cast<void>(again.poll(clock.now()));
    REQUIRE(cloud.calls.size() == 3);
    cloud.kept[2](outcome::done());
    CHECK(me.heard().size() == 3);
    CHECK(me.latest().code == outcome_code::done);
    CHECK_FALSE(careful.is_open());
}

TEST_CASE("a repeat takes its turn in the rate limit, and the limit of each call begins when it is made") {
    rh::manual_clock clock;
    notebook cloud;
    caller me;
    rh::deadline_driver patient{cloud, time_view{clock}, {.limit = 10s}};
    rh::rate_limit_driver slow{patient, time_view{clock}, {.calls = 1, .per = 20s, .burst = 1, .most_wait = 1min}};
    rh::retry_driver again{slow, time_view{clock}, {.wait = {1s, 30s, false, 0}}};
    me.reboot(again);
    cloud.kept[0](busy(5s));
    clock.advance(5s);
    static_cast<void>(again.poll(clock.now()));
    CHECK(cloud.calls.size() == 1);
    CHECK(again.poll(clock.now()) == support::start + 20s);
    clock.advance_to(support::start + 20s);
    static_cast<void>(again.poll(clock.now()));
    CHECK(cloud.calls.size() == 2);
    CHECK(again.poll(clock.now()) == support::start + 30s);
    clock.advance_to(support::start + 30s);
    static_cast<void>(again.poll(clock.now()));
    CHECK(me.latest().code == outcome_code::unknown);
    CHECK(me.heard().size() == 1);
}

namespace {

/// A cloud whose answers come from threads of its own.
class threaded_cloud {
public:
    threaded_cloud() {
        for (int n = 0; n < 4; ++n) {
            workers_.emplace_back([this](const std::stop_token& stop) { work(stop); });
        }
    }
    threaded_cloud(const threaded_cloud&) = delete;
    threaded_cloud& operator=(const threaded_cloud&) = delete;
    ~threaded_cloud() {
        for (std::jthread& w : workers_) w.request_stop();
        more_.notify_all();
    }

    void describe(const rh::request& r, rh::completion done) { put(r, std::move(done)); }
    void reboot(const rh::request& r, rh::completion done) { put(r, std::move(done)); }

private:
    void put(const rh::request& r, rh::completion done) {
        {
            const std::lock_guard<std::mutex> lock{mutex_};
            waiting_.push_back({static_cast<std::uint64_t>(r.op) + ++calls_, std::move(done)});
        }
        more_.notify_one();
    }
    void work(const std::stop_token& stop) {
        for (;;) {
            std::unique_lock<std::mutex> lock{mutex_};
            if (!more_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
            auto [number, done] = std::move(waiting_.front());
            waiting_.pop_front();
            lock.unlock();
            switch (number % 8) {
            case 0: done(busy(1ms)); break;
            case 1: done(outcome::unknown("?")); break;
            case 2: break; // abandoned
            case 3: done(outcome::done()); [[fallthrough]];
            default: done(outcome::done());
            }
        }
    }

    std::mutex mutex_;
    std::condition_variable_any more_;
    std::deque<std::pair<std::uint64_t, rh::completion>> waiting_;
    std::uint64_t calls_ = 0;
    std::vector<std::jthread> workers_;
};

/// Counts, on whatever thread it is told.
class counting_sink final : public rh::completion_sink {
public:
    void deliver(rh::op_id, outcome&&, bool repeated) noexcept override { repeated ? ++again : ++first; }
    void wake() noexcept override { ++woken; }
    std::atomic<int> first{0};
    std::atomic<int> again{0};
    std::atomic<int> woken{0};

private:
    ~counting_sink() override = default;
};

} // namespace

TEST_SUITE("threads") {
    TEST_CASE("ten thousand calls through all wrappers, answered on other threads, come out once each") {
        constexpr int all = 10'000;
        auto* const sink = new counting_sink;
        {
            threaded_cloud cloud;
            const rh::system_time time;
            rh::recording_driver taped{cloud, time};
            rh::fault_injection_driver bad{taped, time, {.lost = 3, .late = 5, .twice = 3, .most_delay = 1ms}};
            rh::rate_limit_driver slow{bad, time, {.calls = 1'000'000, .burst = 100, .most_wait = 1h}};
            rh::deadline_driver patient{slow, time, {.limit = 10min}};
            rh::circuit_breaker_driver careful{patient, time, {.unanswered = 1'000'000}};
            rh::retry_driver again{careful, time, {.wait = {1ms, 10ms, false, 20}}};
            rh::any_driver any{again};
            rh::request r;
            for (int n = 0; n < all; ++n) {
                r.op = static_cast<rh::op_id>(n + 1);
                r.what = n % 2 == 0 ? operation::reboot_instance : operation::describe;
                rh::completion done{r.op, *sink};
                if (n % 2 == 0) any.reboot(r, std::move(done));
                else any.describe(r, std::move(done));
                if (n % 16 == 0) static_cast<void>(any.poll(time.now()));
            }
            while (sink->first < all) {
                static_cast<void>(any.poll(time.now()));
                std::this_thread::yield();
            }
            CHECK(again.repeats() > 1'000);
            CHECK(patient.missed() == 0);
            CHECK(taped.take().size() >= 2 * all);
        }
        CHECK(sink->first == all);
        CHECK(sink->again > 100);
        CHECK(sink->woken > 1'000);
        sink->release();
    }

    TEST_CASE("the thread that runs a pipeline is woken for a repeat that another thread asks for") {
        std::atomic<int> rings{0}; // first: the last completion rings
        threaded_cloud cloud;
        const rh::system_time time;
        rh::retry_driver again{cloud, time, {.wait = {1ms, 10ms, false, 0}}};
        rh::pipeline ha{again, time, rh::ladder{rh::reboot_instance{}}};
        REQUIRE(ha.open());
        class bell final : public rh::waker {
        public:
            explicit bell(std::atomic<int>& rings) : rings_{&rings} {}
            void wake() noexcept override { ++*rings_; }

        private:
            std::atomic<int>* rings_;
        };
        REQUIRE(ha.mail().adopt(new bell{rings}));
        rh::request r;
        r.op = static_cast<rh::op_id>(7); // whose first answer is `busy`
        r.what = operation::reboot_instance;
        again.reboot(r, rh::completion{r.op, ha.mail()});
        while (rings == 0) std::this_thread::yield();
        CHECK(again.poll(time.now()) != rh::never);
        CHECK(again.repeats() <= 1);
    }
}
