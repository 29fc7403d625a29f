// SPDX-License-Identifier: MIT
#include <reheat/reheat.hpp>
#include <reheat/runner/blocking_driver.hpp>

#include "wrapper_support.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// Nothing here waits for a time: threads meet by joining, or by what they have handed over.

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::completion;
using rh::outcome;
using rh::outcome_code;
using rh::request;

namespace {

constexpr rh::ladder reboots{rh::reboot_instance{}};

/// Holds whoever comes until it is opened.
class barrier {
public:
    void pass() {
        std::unique_lock<std::mutex> lock{mutex_};
        ++inside_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
    }
    void wait_for(int inside) {
        std::unique_lock<std::mutex> lock{mutex_};
        changed_.wait(lock, [&] { return inside_ >= inside; });
    }
    void open() {
        const std::lock_guard<std::mutex> lock{mutex_};
        open_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int inside_ = 0;
    bool open_ = false;
};

/// Hears answers on any thread.
class any_thread_sink final : public rh::completion_sink {
public:
    void deliver(rh::op_id, outcome&& o, bool repeated) noexcept override {
        const std::lock_guard<std::mutex> lock{mutex_};
        if (repeated) ++repeats_;
        else ++codes_[static_cast<std::size_t>(o.code)];
    }
    [[nodiscard]] int count(outcome_code c) {
        const std::lock_guard<std::mutex> lock{mutex_};
        return codes_[static_cast<std::size_t>(c)];
    }

private:
    ~any_thread_sink() override = default;
    std::mutex mutex_;
    int codes_[4]{};
    int repeats_ = 0;
};

} // namespace

TEST_SUITE("threads of a blocking driver") {
    TEST_CASE("ten thousand calls of one pipeline run on four threads, and all their answers arrive") {
        struct cloud_of_threads {
            outcome describe(const request&) { return outcome::done(); }
            // Every 50th is of the usual shape's kind of trouble: nobody knows.
            outcome create(const request& r) {
                texts += static_cast<int>(r.instance.size() > 20);
                return ++calls % 50 == 0 ? outcome::unknown("the connection was lost") : outcome::done();
            }
            outcome reboot(const request&) { return outcome::done(); }
            std::atomic<int> calls{0};
            std::atomic<int> texts{0};
        };
        constexpr int all = 10'000;
        constexpr int at_once = 500; // below what the inbox holds, so that none is lost
        cloud_of_threads cloud;
        rh::blocking_driver driver{cloud, 4};
        rh::pipeline ha{driver, rh::system_time{}, reboots};
        REQUIRE(ha.open());
        int ordered = 0;
        int answered = 0;
        int lost = 0;
        const auto order = [&](std::optional<rh::target_id> target = {}) {
            ++ordered;
            const std::string name = "a machine with a long name " + std::to_string(ordered);
            ha.order_creation(target ? *target : *ha.add(rh::instance{.name = name}));
        };
        while (ordered < at_once) order();
        while (answered < all) {
            ha.poll([&](const rh::event& v) {
                if (v.why == rh::reason::inbox_overflow) ++lost;
                const bool unknown = v.what == rh::decision::read_back;
                if (v.what != rh::decision::finish && !unknown) return;
                ++answered;
                if (ordered == all) return;
                // The target of an unknown outcome waits for its read-back; a new one takes its place.
                order(unknown ? std::optional<rh::target_id>{} : v.target);
            });
        }
        CHECK(lost == 0);
        CHECK(cloud.calls >= all);
        CHECK(cloud.texts == cloud.calls);
    }

    TEST_CASE("at the end what runs comes to its end, and what waits is refused") {
        struct slow {
            outcome describe(const request&) {
                held.pass();
                return outcome::done();
            }
            outcome reboot(const request& r) { return describe(r); }
            barrier held;
        };
        auto* const sink = new any_thread_sink;
        slow cloud;
        {
            rh::blocking_driver driver{cloud, 2, rh::system_time{}, 5};
            const std::string name = "db-1";
            request r;
            r.name = r.instance = name;
            for (int n = 0; n < 2; ++n) driver.reboot(r, completion{static_cast<rh::op_id>(n), *sink});
            cloud.held.wait_for(2);
            CHECK(driver.running() == 2);
            for (int n = 2; n < 10; ++n) driver.reboot(r, completion{static_cast<rh::op_id>(n), *sink});
            CHECK(sink->count(outcome_code::refused) == 3); // five wait, for these there was no room
            // It is opened once this thread is about to wait, or is waiting: both must end.
            std::thread{[&cloud] { cloud.held.open(); }}.detach();
            cloud.held.wait_for(2);
        }
        // How many of the five still were begun is the threads' business; each was answered.
        CHECK(sink->count(outcome_code::done) + sink->count(outcome_code::refused) == 10);
        CHECK(sink->count(outcome_code::done) >= 2);
        CHECK(sink->count(outcome_code::unknown) == 0);
        sink->release();
    }

    TEST_CASE("pipelines and drivers come and go while functions run, answer late, twice, or never") {
        struct unruly {
            void describe(const request&, completion done) { done(outcome::done()); }
            void create(const request&, completion done) {
                const int n = ++calls;
                if (n % 4 == 1) return; // abandoned
                done(outcome::done());
                if (n % 4 == 2) done(outcome::failed("again"));
                if (n % 4 == 3) {
                    const std::lock_guard<std::mutex> lock{mutex};
                    kept.push_back(std::move(done));
                }
            }
            void reboot(const request&, completion done) { done(outcome::done()); }
            std::atomic<int> calls{0};
            std::mutex mutex;
            std::vector<completion> kept; // called a second time when the pipeline is gone
        };
        int begun = 0;
        for (int round = 0; round < 50; ++round) {
            unruly cloud;
            auto driver = std::make_unique<rh::blocking_driver<unruly>>(cloud, 3U);
            auto ha = std::make_unique<rh::pipeline<rh::blocking_driver<unruly>, rh::system_time>>(
                *driver, rh::system_time{}, reboots);
            for (int n = 0; n < 20; ++n) ha->order_creation(*ha->add(rh::instance{.name = "vm-" + std::to_string(n)}));
            int finished = 0;
            const auto count = [&finished](const rh::event& v) {
                finished += v.what == rh::decision::finish || v.what == rh::decision::read_back ? 1 : 0;
            };
            do {
                ha->poll(count);
            } while (round % 2 == 0 && finished < 20);
            ha.reset();     // in odd rounds with operations in flight
            driver.reset(); // functions may still run
            begun += cloud.calls;
            for (completion& c : cloud.kept) c(outcome::done());
        }
        CHECK(begun >= 25 * 20);
    }

    TEST_CASE("two drivers share a pool, one ends before the other") {
        struct quick {
            outcome describe(const request&) {
                ++calls;
                return outcome::done();
            }
            std::atomic<int> calls{0};
        };
        auto* const sink = new any_thread_sink;
        quick a;
        quick b;
        {
            rh::worker_threads pool{4, 100'000};
            rh::blocking_driver lasting{a, pool};
            for (int round = 0; round < 20; ++round) {
                rh::blocking_driver passing{b, pool};
                for (int n = 0; n < 50; ++n) {
                    lasting.describe(request{}, completion{static_cast<rh::op_id>(n), *sink});
                    passing.describe(request{}, completion{static_cast<rh::op_id>(n), *sink});
                }
            }
        }
        CHECK(sink->count(outcome_code::done) == a.calls + b.calls);
        CHECK(sink->count(outcome_code::done) + sink->count(outcome_code::unknown) == 2'000);
        sink->release();
    }
}
