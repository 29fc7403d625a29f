// SPDX-License-Identifier: MIT
#include <reheat/runner/blocking_driver.hpp>
#include <reheat/runner/coroutine_driver.hpp>

#include "../unit/task.hpp"

#include <type_traits>

// Facts of the wrappers of functions that return their answer: each has exactly the capabilities of these functions.
// There is nothing to run.

namespace rh = reheat;
using rh::completion;
using rh::outcome;
using rh::proof_of_death;
using rh::request;

namespace returning_facts {

// Clouds whose functions return `R`: with nothing, with everything, with some.

template <class R>
struct nothing {
    R describe(const request&);
};
template <class R>
struct everything : nothing<R> {
    R create(const request&);
    R restart_service(const request&);
    R reboot(const request&);
    R rebuild(const request&);
    R fence(const request&);
    R recreate(const request&, proof_of_death);
    R evacuate(const request&, proof_of_death);
    R forensics(const request&);
    R converge(const request&, std::span<proof_of_death>);
};
template <class R>
struct some : nothing<R> {
    R reboot(const request&);
    R fence(const request&);
    R recreate(const request&, proof_of_death);
};
template <class R>
struct others : nothing<R> {
    R create(const request&);
    R evacuate(const request&, proof_of_death);
    R converge(const request&, std::span<proof_of_death>);
};
template <class R>
struct wrong : nothing<R> {
    void create(const request&);
    int reboot(const request&);
    R fence(request&);
    R rebuild(const request&, int);
    R recreate(const request&);
    R evacuate(const request&, proof_of_death&);
    R forensics();
};
template <class R>
struct no_describe {
    R reboot(const request&);
};

// The same as drivers of the usual shape.

struct plain_nothing {
    void describe(const request&, completion);
};
struct plain_everything : plain_nothing {
    void create(const request&, completion);
    void restart_service(const request&, completion);
    void reboot(const request&, completion);
    void rebuild(const request&, completion);
    void fence(const request&, completion);
    void recreate(const request&, proof_of_death, completion);
    void evacuate(const request&, proof_of_death, completion);
    void forensics(const request&, completion);
    void converge(const request&, std::span<proof_of_death>, completion);
};
struct plain_some : plain_nothing {
    void reboot(const request&, completion);
    void fence(const request&, completion);
    void recreate(const request&, proof_of_death, completion);
};
struct plain_others : plain_nothing {
    void create(const request&, completion);
    void evacuate(const request&, proof_of_death, completion);
    void converge(const request&, std::span<proof_of_death>, completion);
};
struct mixed : plain_some {
    outcome rebuild(const request&);
};
struct polled : plain_nothing {
    rh::time_point poll(rh::time_point);
};

template <class A, class B, class... Functions>
constexpr bool same_functions(rh::function_set<Functions...>) {
    return ((rh::has_function<A, Functions> == rh::has_function<B, Functions>) && ...);
}
template <class W, class D>
constexpr bool is_like =
    same_functions<W, D>(rh::all_functions{}) && rh::capabilities_of<W>() == rh::capabilities_of<D>() &&
    !std::is_move_constructible_v<W> && !std::is_copy_constructible_v<W>;

template <template <class> class W, class R>
constexpr bool exact =
    is_like<W<nothing<R>>, plain_nothing> && is_like<W<everything<R>>, plain_everything> &&
    is_like<W<some<R>>, plain_some> && is_like<W<others<R>>, plain_others> && is_like<W<wrong<R>>, plain_nothing>;

template <class D>
using blocking = rh::blocking_driver<D>;
template <class D>
using coroutines = rh::coroutine_driver<D>;

/// Awaitable as it is, by a member, and by a function beside it.
struct itself {
    bool await_ready();
    void await_suspend(std::coroutine_handle<>);
    outcome await_resume();
};
struct by_member {
    itself operator co_await() &&;
};
struct by_function {};
itself operator co_await(by_function&&);
struct of_int {
    bool await_ready();
    void await_suspend(std::coroutine_handle<>);
    int await_resume();
};

static_assert(exact<blocking, outcome>);
static_assert(exact<coroutines, itself> && exact<coroutines, by_member> && exact<coroutines, by_function>);
static_assert(exact<coroutines, test_task::task<outcome>>);

// Blocking functions may have the usual shape too.
static_assert(is_like<blocking<plain_nothing>, plain_nothing> && is_like<blocking<plain_everything>, plain_everything>);
static_assert(rh::rebuilds_instances<blocking<mixed>> && rh::recreates_instances<blocking<mixed>>);
static_assert(!rh::creates_instances<blocking<mixed>>);

// What is no such cloud is not wrapped.
static_assert(!rh::blocking_cloud<int> && !rh::blocking_cloud<no_describe<outcome>> &&
              !rh::blocking_cloud<nothing<int>>);
static_assert(!rh::blocking_cloud<polled>); // `poll` would run beside its functions
static_assert(!rh::blocking_cloud<nothing<itself>> && !rh::coroutine_cloud<nothing<outcome>>);
static_assert(!rh::coroutine_cloud<nothing<of_int>> && !rh::coroutine_cloud<no_describe<itself>>);

// Pools.
struct good_pool {
    void post(rh::worker_job);
};
struct copying_pool {
    void post(const rh::worker_job&) = delete;
};
static_assert(rh::worker_pool<good_pool> && rh::worker_pool<rh::worker_threads> && !rh::worker_pool<int>);
static_assert(!rh::worker_pool<copying_pool>);
static_assert(std::is_nothrow_move_constructible_v<rh::worker_job> && !std::is_copy_constructible_v<rh::worker_job>);
static_assert(sizeof(rh::worker_job) == sizeof(void*));
static_assert(std::is_constructible_v<blocking<nothing<outcome>>, nothing<outcome>&, std::size_t>);
static_assert(!std::is_constructible_v<blocking<nothing<outcome>>, nothing<outcome>, std::size_t>);

} // namespace returning_facts
