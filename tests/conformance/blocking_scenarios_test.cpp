// SPDX-License-Identifier: MIT
#include <reheat/driver/relay.hpp>
#include <reheat/runner/blocking_driver.hpp>
#include <reheat/runner/coroutine_driver.hpp>
#include <reheat/runner/time_view.hpp>

#include "../unit/task.hpp"
#include "every_scenario.hpp"

#include <condition_variable>
#include <coroutine>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

// The mock cloud with functions that block until it answers, each on a thread, and with functions that are coroutines:
// all scenarios have the same decisions, and the same calls, as without.

using namespace every_scenario;
using rh::manual_clock;
using rh::mock_cloud;
using rh::outcome;
using rh::proof_of_death;
using rh::request;
using test_task::task;

namespace {

std::size_t calls_seen = 0;

/// Threads that take turns with the one that owns the time: it goes on once every other waits for an answer of the
/// mock, or is over.
struct turns {
    std::mutex mutex;
    std::condition_variable changed;
    int running = 0;
};

struct waited_answer {
    std::optional<outcome> answer;
    bool waits = false;
};

struct waking_bearer {
    std::shared_ptr<waited_answer> of;
    turns* by;
    void answered(outcome&& result, bool) noexcept {
        std::unique_lock<std::mutex> lock{by->mutex};
        if (of->answer) return; // a function returns once
        of->answer = std::move(result);
        if (!of->waits) return;
        ++by->running;
        by->changed.notify_all();
        by->changed.wait(lock, [this] { return by->running == 0; });
    }
    void wake() noexcept {}
};

/// One thread for each job, and its turn at once.
class turn_pool {
public:
    explicit turn_pool(turns& t) : turns_{&t} {}
    turn_pool(const turn_pool&) = delete;
    turn_pool& operator=(const turn_pool&) = delete;
    ~turn_pool() {
        for (std::thread& t : threads_) t.join();
    }
    void post(rh::worker_job job) {
        ++calls_seen;
        std::unique_lock<std::mutex> lock{turns_->mutex};
        ++turns_->running;
        threads_.emplace_back([of = turns_, mine = std::move(job)]() mutable {
            mine();
            const std::lock_guard<std::mutex> end{of->mutex};
            --of->running;
            of->changed.notify_all();
        });
        turns_->changed.wait(lock, [this] { return turns_->running == 0; });
    }

private:
    turns* turns_;
    std::vector<std::thread> threads_;
};

class blocking_mock {
public:
    blocking_mock(mock_cloud& c, turns& t) : mock_{&c}, turns_{&t} {}
    blocking_mock(const blocking_mock&) = delete;
    blocking_mock& operator=(const blocking_mock&) = delete;

    outcome describe(const request& r) { return ask(rh::function::describe{}, r); }
    outcome create(const request& r) { return ask(rh::function::create{}, r); }
    outcome restart_service(const request& r) { return ask(rh::function::restart_service{}, r); }
    outcome reboot(const request& r) { return ask(rh::function::reboot{}, r); }
    outcome rebuild(const request& r) { return ask(rh::function::rebuild{}, r); }
    outcome fence(const request& r) { return ask(rh::function::fence{}, r); }
    outcome forensics(const request& r) { return ask(rh::function::forensics{}, r); }
    outcome recreate(const request& r, proof_of_death p) { return ask(rh::function::recreate{}, r, std::move(p)); }
    outcome evacuate(const request& r, proof_of_death p) { return ask(rh::function::evacuate{}, r, std::move(p)); }
    outcome converge(const request& r, std::span<proof_of_death> p) { return ask(rh::function::converge{}, r, p); }

    /// What never was answered is abandoned, as the mock does when it ends.
    void end() {
        std::vector<std::shared_ptr<waited_answer>> all;
        {
            const std::lock_guard<std::mutex> lock{turns_->mutex};
            all = open_;
        }
        for (const auto& w : all) waking_bearer{w, turns_}.answered(outcome::unknown("abandoned"), false);
    }

private:
    template <class Function, class... Proofs>
    outcome ask(Function f, const request& r, Proofs&&... proofs) {
        const auto mine = std::make_shared<waited_answer>();
        // The thread that owns the time waits, so this one may use the mock.
        rh::detail::call_function(f, *mock_, r, rh::relayed(r.op, waking_bearer{mine, turns_}),
                                  std::forward<Proofs>(proofs)...);
        std::unique_lock<std::mutex> lock{turns_->mutex};
        if (!mine->answer) {
            open_.push_back(mine);
            mine->waits = true;
            --turns_->running;
            turns_->changed.notify_all();
            turns_->changed.wait(lock, [&] { return mine->answer.has_value(); });
            std::erase(open_, mine);
        }
        return std::move(*mine->answer);
    }

    mock_cloud* mock_;
    turns* turns_;
    std::vector<std::shared_ptr<waited_answer>> open_;
};

struct blocking {
    blocking(mock_cloud& c, manual_clock& t) : cloud{c, order}, mine{cloud, pool, rh::time_view{t}} {}
    blocking(const blocking&) = delete;
    blocking& operator=(const blocking&) = delete;
    ~blocking() { cloud.end(); }
    auto& driver() { return mine; }

    turns order;
    turn_pool pool{order};
    blocking_mock cloud;
    rh::blocking_driver<blocking_mock, turn_pool, rh::time_view> mine;
};

/// Its functions have a driver's usual shape: the mock's own.
struct inline_pool {
    void post(rh::worker_job job) {
        ++calls_seen;
        job();
    }
};
struct usual_shape {
    usual_shape(mock_cloud& c, manual_clock& t) : mine{c, pool, rh::time_view{t}} {}
    auto& driver() { return mine; }
    inline_pool pool;
    rh::blocking_driver<mock_cloud, inline_pool, rh::time_view> mine;
};

/// Goes on where the mock answers.
template <class Call>
class mock_answer {
    struct slot {
        std::optional<outcome> answer;
        std::coroutine_handle<> suspended;
    };
    struct bearer {
        std::shared_ptr<slot> of;
        void answered(outcome&& result, bool) noexcept {
            if (of->answer) return;
            of->answer = std::move(result);
            if (of->suspended) of->suspended.resume();
        }
        void wake() noexcept {}
    };

public:
    mock_answer(rh::op_id op, Call call) : op_{op}, call_{std::move(call)} {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> h) {
        call_(rh::relayed(op_, bearer{slot_}));
        if (slot_->answer) return false;
        slot_->suspended = h;
        return true;
    }
    outcome await_resume() { return std::move(*slot_->answer); }

private:
    rh::op_id op_;
    Call call_;
    std::shared_ptr<slot> slot_ = std::make_shared<slot>();
};

class coroutine_mock {
public:
    explicit coroutine_mock(mock_cloud& c) : mock_{&c} {}
    task<outcome> describe(const request& r) { return ask(rh::function::describe{}, r); }
    task<outcome> create(const request& r) { return ask(rh::function::create{}, r); }
    task<outcome> restart_service(const request& r) { return ask(rh::function::restart_service{}, r); }
    task<outcome> reboot(const request& r) { return ask(rh::function::reboot{}, r); }
    task<outcome> rebuild(const request& r) { return ask(rh::function::rebuild{}, r); }
    task<outcome> fence(const request& r) { return ask(rh::function::fence{}, r); }
    task<outcome> forensics(const request& r) { return ask(rh::function::forensics{}, r); }
    task<outcome> recreate(const request& r, proof_of_death p) {
        return ask(rh::function::recreate{}, r, std::move(p));
    }
    task<outcome> evacuate(const request& r, proof_of_death p) {
        return ask(rh::function::evacuate{}, r, std::move(p));
    }
    task<outcome> converge(const request& r, std::span<proof_of_death> p) {
        return ask(rh::function::converge{}, r, p);
    }

private:
    // By reference: the request lives as long as the coroutine. The proof is the coroutine's.
    template <class Function, class... Proofs>
    task<outcome> ask(Function f, const request& r, Proofs... proofs) {
        ++calls_seen;
        mock_cloud* const mock = mock_;
        auto call = [&](rh::completion done) {
            rh::detail::call_function(f, *mock, r, std::move(done), std::move(proofs)...);
        };
        mock_answer<decltype(call)> answer{r.op, std::move(call)};
        co_return co_await answer;
    }

    mock_cloud* mock_;
};

struct coroutines {
    coroutines(mock_cloud& c, manual_clock&) : cloud{c} {}
    auto& driver() { return mine; }
    coroutine_mock cloud;
    rh::coroutine_driver<coroutine_mock> mine{cloud};
};

} // namespace

TEST_CASE_TEMPLATE("every scenario has the same decisions where functions block, or are coroutines", Before, blocking,
                   usual_shape, coroutines) {
    REQUIRE(plain().size() >= 120);
    calls_seen = 0;
    std::vector<std::string> expected;
    // What returns its answer can not give it twice: there the plain log has one line more, which says so.
    if (!std::is_same_v<Before, usual_shape>) expected.emplace_back("completion_called_twice_counts_once");
    CHECK(different<Before>() == expected);
    CHECK(calls_seen > plain().size());
}
