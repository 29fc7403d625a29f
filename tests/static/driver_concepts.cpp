// SPDX-License-Identifier: MIT
#include <reheat/reheat.hpp>

#include <chrono>
#include <type_traits>

// Facts of drivers, ladders and runners. There is nothing to run.

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::completion;
using rh::operation;
using rh::request;

namespace driver_facts {

struct observer {
    void describe(const request&, completion);
};
struct mute {};
struct talkative {
    bool describe(const request&, completion); // the answer is the completion
};
struct in_a_hurry {
    void describe(const request&); // without one there is no answer
};
struct by_reference {
    void describe(const request&, completion&); // a completion is handed over
};
struct overloaded : observer {
    void reboot(const request&, completion);
    void reboot(int);
};

static_assert(rh::cloud_driver<observer>);
static_assert(rh::cloud_driver<overloaded>);
static_assert(!rh::cloud_driver<mute>);
static_assert(!rh::cloud_driver<talkative>);
static_assert(!rh::cloud_driver<in_a_hurry>);
static_assert(!rh::cloud_driver<by_reference>);
static_assert(!rh::cloud_driver<const observer>);
static_assert(!rh::cloud_driver<int>);

struct everything : observer {
    void create(const request&, completion);
    void restart_service(const request&, completion);
    void reboot(const request&, completion);
    void rebuild(const request&, completion);
    void fence(const request&, completion);
    void recreate(const request&, rh::proof_of_death, completion);
    void evacuate(const request&, rh::proof_of_death, completion);
    void converge(const request&, std::span<rh::proof_of_death>, completion);
};
struct everything_wrong : observer {
    int create(const request&, completion);
    void restart_service(request&, completion);
    void reboot(const request&, completion&);
    void rebuild(completion, const request&);
    bool fence(const request&, completion);
    void recreate(const request&, completion);
    void evacuate(const request&, rh::proof_of_death&, completion);
    void converge(const request&, rh::proof_of_death, completion);
};
struct no_describe {
    void reboot(const request&, completion);
    void fence(const request&, completion);
};

static_assert(rh::creates_instances<everything> && !rh::creates_instances<everything_wrong>);
static_assert(rh::restarts_services<everything> && !rh::restarts_services<everything_wrong>);
static_assert(rh::reboots_instances<everything> && !rh::reboots_instances<everything_wrong>);
static_assert(rh::rebuilds_instances<everything> && !rh::rebuilds_instances<everything_wrong>);
static_assert(rh::fences_instances<everything> && !rh::fences_instances<everything_wrong>);
static_assert(rh::recreates_instances<everything> && !rh::recreates_instances<everything_wrong>);
static_assert(rh::evacuates_instances<everything> && !rh::evacuates_instances<everything_wrong>);
static_assert(rh::converges_stacks<everything> && !rh::converges_stacks<everything_wrong>);
static_assert(!rh::reboots_instances<observer> && !rh::fences_instances<observer>);
// A refinement refines: without `describe` there is nothing.
static_assert(!rh::reboots_instances<no_describe> && !rh::fences_instances<no_describe>);

static_assert(rh::has_function<everything, rh::function::converge>);
static_assert(!rh::has_function<observer, rh::function::converge>);
static_assert(!rh::has_function<everything, int>);

// Capabilities are what the functions say.
constexpr rh::capabilities all = rh::capabilities_of<everything>();
constexpr rh::capabilities least = rh::capabilities_of<observer>();
static_assert(all.has(operation::recreate_instance) && all.has(operation::converge_stack) &&
              all.has(operation::create_instance));
static_assert(least.has(operation::describe) && least.has(operation::page) && !least.has(operation::reboot_instance));
static_assert(least == rh::capabilities_of<everything_wrong>());
static_assert(!(least == all));

// A rung has numbers as members and its operation as a constant.
struct pet_the_cat : rh::reboot_instance {};
struct no_operation {
    std::uint16_t attempts;
    rh::duration within;
};
struct untimed : rh::reboot_instance {
    int verify = 60;
};
static_assert(rh::rung_type<rh::restart_service> && rh::rung_type<rh::reboot_instance> &&
              rh::rung_type<rh::rebuild_instance>);
static_assert(rh::rung_type<rh::recreate_instance> && rh::rung_type<rh::evacuate_instance> &&
              rh::rung_type<rh::converge_stack>);
static_assert(rh::rung_type<pet_the_cat>);
static_assert(!rh::rung_type<no_operation>);
static_assert(!rh::rung_type<untimed>);
static_assert(!rh::rung_type<rh::rung>); // the lowered form is data
static_assert(!rh::rung_type<int>);

static_assert(rh::climbable_by<rh::recreate_instance, everything>);
static_assert(!rh::climbable_by<rh::recreate_instance, observer>);
static_assert(!rh::climbable_by<rh::reboot_instance, no_describe>);
static_assert(!rh::climbable_by<int, everything>);
struct call_a_human : rh::reboot_instance {
    static constexpr operation what = operation::page;
};
static_assert(rh::climbable_by<call_a_human, observer>); // a page needs no driver
struct no_fence : observer {
    void recreate(const request&, rh::proof_of_death, completion);
    void evacuate(const request&, rh::proof_of_death, completion);
    void converge(const request&, std::span<rh::proof_of_death>, completion);
};
// What needs a proof needs the fence that makes it.
static_assert(!rh::climbable_by<rh::recreate_instance, no_fence>);
static_assert(!rh::climbable_by<rh::evacuate_instance, no_fence>);
static_assert(!rh::climbable_by<rh::converge_stack, no_fence>);

// Journals and time sources.
struct deaf_journal {
    rh::result<void> open();
    rh::result<void> append(std::span<const rh::record>);
};
struct careless_journal : deaf_journal {
    void append(std::span<const rh::record>); // can not say that it failed
    [[nodiscard]] rh::sequence durable() const;
};
static_assert(rh::journal<rh::volatile_journal>);
static_assert(!rh::journal<deaf_journal>);
static_assert(!rh::journal<careless_journal>);
static_assert(!rh::journal<int>);

struct wall_clock {
    [[nodiscard]] std::chrono::system_clock::time_point now() const;
    [[nodiscard]] rh::duration real_wait(rh::time_point) const;
};
static_assert(rh::time_source<rh::system_time> && rh::time_source<rh::manual_clock> &&
              rh::time_source<rh::scaled_clock>);
static_assert(!rh::time_source<wall_clock>);
static_assert(!rh::time_source<std::chrono::steady_clock>);

// Sizes, and who can be copied.
static_assert(sizeof(completion) <= 40);
static_assert(!std::is_copy_constructible_v<completion> && !std::is_copy_assignable_v<completion>);
static_assert(std::is_nothrow_move_constructible_v<completion> && std::is_nothrow_move_assignable_v<completion>);
static_assert(!std::is_default_constructible_v<completion>);
static_assert(std::is_nothrow_invocable_v<completion&, rh::outcome>);
static_assert(sizeof(rh::proof_of_death) <= 24);
// Sixty-four bytes of it are what each guard said.
static_assert(sizeof(rh::event) <= 96 + 64 && std::is_trivially_copyable_v<rh::event>);
static_assert(!std::is_copy_constructible_v<rh::engine> && std::is_move_constructible_v<rh::engine>);
static_assert(std::is_nothrow_move_constructible_v<rh::call>);
static_assert(!std::is_default_constructible_v<rh::proof_of_death> &&
              !std::is_copy_constructible_v<rh::proof_of_death>);
static_assert(!std::is_move_assignable_v<rh::proof_of_death>);

// Some results must not be dropped and some views must not be lost: what a result is made of.
static_assert(std::is_constructible_v<rh::result<int>, rh::error> && std::is_convertible_v<int, rh::result<int>>);
static_assert(!std::is_convertible_v<rh::result<int>, bool>);

} // namespace driver_facts
