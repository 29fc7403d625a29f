// SPDX-License-Identifier: MIT
#include <reheat/driver/any_driver.hpp>
#include <reheat/driver/forwarding.hpp>
#include <reheat/driver/relay.hpp>
#include <reheat/recovery/ladder.hpp>
#include <reheat/runner/any_driver_for.hpp>
#include <reheat/runner/circuit_breaker_driver.hpp>
#include <reheat/runner/deadline_driver.hpp>
#include <reheat/runner/driven.hpp>
#include <reheat/runner/fault_injection_driver.hpp>
#include <reheat/runner/rate_limit_driver.hpp>
#include <reheat/runner/recording_driver.hpp>
#include <reheat/runner/retry_driver.hpp>
#include <reheat/runner/time_view.hpp>
#include <reheat/sim/mock_cloud.hpp>
#include <reheat/sim/watched.hpp>

#include <type_traits>

// Facts of the wrappers: each has exactly the capabilities of what it wraps. There is nothing to run.

namespace rh = reheat;
using rh::completion;
using rh::request;

namespace wrapper_facts {

// Drivers with nothing, with everything, with each single function, with what is not quite a function.

struct nothing {
    void describe(const request&, completion);
};
struct everything : nothing {
    void create(const request&, completion);
    void restart_service(const request&, completion);
    void reboot(const request&, completion);
    void rebuild(const request&, completion);
    void fence(const request&, completion);
    void recreate(const request&, rh::proof_of_death, completion);
    void evacuate(const request&, rh::proof_of_death, completion);
    void forensics(const request&, completion);
    void converge(const request&, std::span<rh::proof_of_death>, completion);
};
struct creates : nothing {
    void create(const request&, completion);
};
struct restarts : nothing {
    void restart_service(const request&, completion);
};
struct reboots : nothing {
    void reboot(const request&, completion);
};
struct rebuilds : nothing {
    void rebuild(const request&, completion);
};
struct fences : nothing {
    void fence(const request&, completion);
};
struct recreates : fences {
    void recreate(const request&, rh::proof_of_death, completion);
};
struct evacuates : fences {
    void evacuate(const request&, rh::proof_of_death, completion);
};
struct keeps_evidence : nothing {
    void forensics(const request&, completion);
};
struct converges : fences {
    void converge(const request&, std::span<rh::proof_of_death>, completion);
};
struct wrong : nothing {
    int create(const request&, completion);
    void reboot(const request&, completion&);
    void fence(completion, const request&);
    void recreate(const request&, completion);
};
struct timed : reboots {
    rh::time_point poll(rh::time_point);
};

// Two drivers are the same to whoever asks.

template <class A, class B, class... Functions>
constexpr bool same_functions(rh::function_set<Functions...>) {
    return ((rh::has_function<A, Functions> == rh::has_function<B, Functions>) && ...);
}
template <class A, class B>
constexpr bool same = same_functions<A, B>(rh::all_functions{}) && rh::capabilities_of<A>() == rh::capabilities_of<B>();
static_assert(same<nothing, wrong> && !same<nothing, reboots> && !same<everything, reboots>);

/// What holds of every wrapper that refers to a driver.
template <class W, class D>
constexpr bool is_like = same<W, D> && rh::tells_capabilities<W> == rh::tells_capabilities<D> &&
                         !std::is_copy_constructible_v<W> && !std::is_move_constructible_v<W>;

template <class D>
using deadline = rh::deadline_driver<D, rh::system_time>;
template <class D>
using retry = rh::retry_driver<D, rh::system_time>;
template <class D>
using limit = rh::rate_limit_driver<D, rh::system_time>;
template <class D>
using breaker = rh::circuit_breaker_driver<D, rh::system_time>;
template <class D>
using tape = rh::recording_driver<D, rh::system_time>;
template <class D>
using faults = rh::fault_injection_driver<D, rh::system_time>;

/// The example of the comment on `driver_wrapper`.
template <rh::cloud_driver Driver>
class counted_driver : public rh::driver_wrapper<counted_driver<Driver>, Driver> {
public:
    explicit counted_driver(Driver& below) : rh::driver_wrapper<counted_driver, Driver>{below} {}
    template <class Function, class... Proofs>
    void on_call(Function f, const request& r, completion done, Proofs&&... proofs) {
        ++calls;
        this->pass_on(f, r, std::move(done), std::forward<Proofs>(proofs)...);
    }
    int calls = 0;
};

template <class D>
constexpr bool every_wrapper_of =
    is_like<deadline<D>, D> && is_like<retry<D>, D> && is_like<limit<D>, D> && is_like<breaker<D>, D> &&
    is_like<tape<D>, D> && is_like<faults<D>, D> && is_like<counted_driver<D>, D> &&
    // all of them, one on the other, there and back
    is_like<deadline<retry<limit<breaker<tape<faults<D>>>>>>, D> &&
    is_like<faults<tape<breaker<limit<retry<deadline<D>>>>>>, D> &&
    // and those that are no references
    same<rh::watched_driver<D>, D> && same<rh::any_driver_like<D>, D> && same<deadline<rh::any_driver_like<D>>, D> &&
    same<rh::any_driver_like<retry<limit<D>>>, D> && same<rh::watched_driver<rh::watched_driver<D>>, D>;

static_assert(every_wrapper_of<nothing> && every_wrapper_of<everything> && every_wrapper_of<wrong>);
static_assert(every_wrapper_of<creates> && every_wrapper_of<restarts> && every_wrapper_of<reboots>);
static_assert(every_wrapper_of<rebuilds> && every_wrapper_of<fences> && every_wrapper_of<recreates>);
static_assert(every_wrapper_of<evacuates> && every_wrapper_of<keeps_evidence> && every_wrapper_of<converges>);
static_assert(every_wrapper_of<timed> && every_wrapper_of<rh::mock_cloud>);

// What is no driver is not wrapped.
template <template <class> class W, class D>
concept wraps = requires { typename W<D>; };
static_assert(wraps<deadline, nothing> && !wraps<deadline, int>);
static_assert(!wraps<retry, int> && !wraps<limit, int> && !wraps<breaker, int> && !wraps<tape, int>);
static_assert(!wraps<faults, int> && !wraps<rh::any_driver_like, int>);
// A wrapper refers to what it wraps: a temporary would be gone.
static_assert(std::is_constructible_v<deadline<nothing>, nothing&, rh::system_time>);
static_assert(!std::is_constructible_v<deadline<nothing>, nothing, rh::system_time>);

// Who has to be polled, or wraps somebody who has to be.
static_assert(rh::timed_driver<timed> && !rh::timed_driver<reboots> && !rh::timed_driver<everything>);
static_assert(rh::timed_driver<deadline<reboots>> && rh::timed_driver<retry<reboots>>);
static_assert(rh::timed_driver<limit<reboots>> && rh::timed_driver<faults<reboots>>);
static_assert(!rh::timed_driver<breaker<reboots>> && !rh::timed_driver<tape<reboots>>);
static_assert(rh::timed_driver<breaker<timed>> && rh::timed_driver<tape<breaker<deadline<nothing>>>>);
static_assert(rh::timed_driver<rh::watched_driver<timed>> && !rh::timed_driver<rh::watched_driver<reboots>>);
static_assert(rh::timed_driver<rh::any_driver> && rh::timed_driver<rh::any_driver_like<nothing>>);

// `any_driver` has every function and tells at run time what they are worth; so does what wraps it.
static_assert(same<rh::any_driver, everything> && rh::tells_capabilities<rh::any_driver>);
static_assert(rh::tells_capabilities<deadline<breaker<rh::any_driver>>>);
static_assert(!rh::tells_capabilities<rh::any_driver_like<everything>> && !rh::tells_capabilities<everything>);

// A list goes in where all its functions are, whatever else is.
using two = rh::basic_any_driver<rh::function::fence, rh::function::recreate>;
static_assert(same<two, recreates>);
static_assert(std::is_constructible_v<two, recreates&> && std::is_constructible_v<two, recreates>);
static_assert(std::is_constructible_v<two, everything&> && std::is_constructible_v<two, deadline<everything>&>);
static_assert(std::is_constructible_v<two, std::in_place_type_t<everything>>);
static_assert(!std::is_constructible_v<two, fences&> && !std::is_constructible_v<two, nothing>);
static_assert(!std::is_constructible_v<two, std::in_place_type_t<fences>>);
static_assert(!std::is_constructible_v<two, const everything&> && !std::is_constructible_v<rh::any_driver, int>);
static_assert(!std::is_convertible_v<everything&, rh::any_driver>); // referring to something is said
static_assert(std::is_nothrow_move_constructible_v<two> && std::is_nothrow_move_assignable_v<rh::any_driver>);
static_assert(!std::is_copy_constructible_v<two> && !std::is_copy_constructible_v<rh::any_driver>);

// Of a ladder: what its rungs need, in one order, and each once.
constexpr rh::ladder steps{rh::evacuate_instance{}, rh::recreate_instance{}};
using for_steps = rh::any_driver_for<decltype(steps)>;
static_assert(std::is_same_v<
              for_steps, rh::basic_any_driver<rh::function::fence, rh::function::recreate, rh::function::evacuate>>);
static_assert(rh::climbable_by<rh::recreate_instance, for_steps> && !rh::climbable_by<rh::reboot_instance, for_steps>);
static_assert(!std::is_constructible_v<for_steps, recreates&> && std::is_constructible_v<for_steps, everything&>);
static_assert(std::is_same_v<rh::any_driver_for<rh::ladder<rh::reboot_instance>, rh::function::forensics>,
                             rh::basic_any_driver<rh::function::reboot, rh::function::forensics>>);

// Pieces.
struct deaf {
    void answered(rh::outcome&&, bool);
    void wake();
};
struct bearer {
    void answered(rh::outcome&&, bool) noexcept;
    void wake() noexcept;
};
static_assert(rh::answer_bearer<bearer> && !rh::answer_bearer<deaf> && !rh::answer_bearer<int>);
static_assert(rh::time_source<rh::time_view> && sizeof(completion) <= 24);

// Which answers allow the same call again.
using rh::operation;
using enum rh::outcome_code;
constexpr rh::duration asked = std::chrono::seconds{5};
static_assert(rh::may_repeat(operation::reboot_instance, refused, asked));
static_assert(rh::may_repeat(operation::fence_instance, failed, asked));
static_assert(!rh::may_repeat(operation::reboot_instance, done, asked));
static_assert(!rh::may_repeat(operation::reboot_instance, unknown, asked));
static_assert(!rh::may_repeat(operation::reboot_instance, refused, {}));
static_assert(!rh::may_repeat(operation::restart_service, failed, {}));
static_assert(rh::may_repeat(operation::describe, unknown, {}) && rh::may_repeat(operation::describe, failed, {}));
static_assert(!rh::may_repeat(operation::describe, done, {}));
static_assert(!rh::may_repeat(operation::recreate_instance, refused, asked));
static_assert(!rh::may_repeat(operation::evacuate_instance, refused, asked));
static_assert(!rh::may_repeat(operation::converge_stack, refused, asked));
static_assert(!rh::may_repeat(operation::create_instance, refused, asked));
static_assert(!rh::may_repeat(operation::rebuild_instance, failed, asked));

} // namespace wrapper_facts
