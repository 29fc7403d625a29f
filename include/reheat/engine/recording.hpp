// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/alarm.hpp>
#include <reheat/engine/engine.hpp>
#include <reheat/engine/input_queue.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What an engine was told, one type for each kind of input, as a `recording` keeps it. Targets have the ids that they
/// get when they are added in this order; watches are numbered from 0 in the order in which they began.
namespace recorded {

struct added_stack {
    std::string name{};
};
struct added_instance {
    std::string name{};
    std::string stack{};
    std::string host{};
    std::string rack{};
    std::string zone{};
    std::string cloud_id{};
    std::string group{};
    asset keep = asset::none;
    std::uint8_t priority = 0;
};
struct added_service {
    std::string name{};
    target_id on = no_target;
    std::uint8_t priority = 0;
};
/// `recording::policies[number]` became known as `which`, or replaced it.
struct given_policy {
    policy_id which{};
    std::uint32_t number = 0;
    bool replaces = false;
};
struct used_policy {
    target_id target = no_target;
    policy_id rules{};
};
struct dependency {
    target_id dependent = no_target;
    target_id on = no_target;
};
/// An alarm over a statistic that has no run-time name (a percentile, one of the integrator's own) has no rule here:
/// its changes of state are recorded as what a guest's heartbeat says.
struct watch {
    target_id target = no_target;
    time_point from{};
    any_alarm rule{};
};
struct sample {
    std::uint32_t watch = 0;
    double value = 0;
};
/// A sample that came with another time than that of its arrival.
struct stamped_sample {
    std::uint32_t watch = 0;
    double value = 0;
    time_point of{};
};
struct operator_word {
    operator_verb what{};
    target_id target = no_target;
    time_point expires = never;
    std::string who{};
    std::string reason{};
};
struct creation_order {
    target_id target = no_target;
};
struct guest_restart {
    target_id target = no_target;
};
struct host_word {
    std::string host{};
    bool dead = false;
    proof_kind by{};
};
struct sighting {
    target_id target = no_target;
    std::string cloud_id{};
    std::string host{};
    time_point running_since{};
};
struct capacity {
    std::string zone{};
    std::uint32_t room = 0;
};
struct leadership {
    epoch reign{};
    time_point until = never; ///< the earliest time: it was lost
};
struct overflow {
    std::uint64_t lost = 0;
};
struct journal_word {
    bool well = true;
};
/// What the engine called, and what it came to: of the policy that it had then.
struct call {
    op_id op{};
    operation what{};
    target_id target = no_target;
};
struct completion {
    op_id op{};
    outcome result{};
    bool repeated = false;
};
/// The engine was stepped: for the first time, or before what follows although that has the same time. All other steps
/// are those that it asks for, and one for each input that needs one.
struct step {};
/// The engine was stepped so late that it doubted itself: not between `due` and the time of this input.
struct late_step {
    time_point due{};
};
/// It was given a time before the last one.
struct clock_jump {
    time_point to{};
};

/// All of them.
template <template <class...> class Of>
using all = Of<sample, observation, stamped_sample, added_stack, added_instance, added_service, given_policy,
               used_policy, dependency, watch, operator_word, creation_order, guest_restart, host_word, lease, sighting,
               capacity, leadership, overflow, journal_word, call, completion, step, late_step, clock_jump>;

} // namespace recorded

namespace detail {

/// Values of several types, each type in a list of its own.
template <class... Ts>
class input_boxes : private input_box<Ts>... {
public:
    template <class T>
    static constexpr bool has = (std::same_as<T, Ts> || ...);
    /// The number of a type.
    template <class T>
    static constexpr std::uint8_t number_of() noexcept {
        std::uint8_t n = 0;
        std::uint8_t found = 0;
        (static_cast<void>(found = std::same_as<T, Ts> ? n : found, ++n), ...);
        return found;
    }
    /// Keeps a value and says where in its list.
    template <class T>
    std::uint32_t put(T value) {
        std::vector<T>& box = static_cast<input_box<T>&>(*this).all;
        box.push_back(std::move(value));
        return static_cast<std::uint32_t>(box.size() - 1);
    }
    template <class Visit>
    void visit(std::uint8_t type, std::uint32_t at, const Visit& visit) const {
        const auto here = [&]<class T>(const std::vector<T>& box) {
            if (type == number_of<T>()) visit(box[at]);
        };
        (here(static_cast<const input_box<Ts>&>(*this).all), ...);
    }
    /// Tries the types in order until one is taken.
    template <class Try>
    static bool any_type(const Try& attempt) {
        return (attempt(std::type_identity<Ts>{}) || ...);
    }
};

} // namespace detail

/// Everything that decided, as plain values in the order in which an engine was told it: enough to ask what another
/// policy would have made of it (`backtest`). `recorder` makes one, `to_text` and `read_recording` write it and read it
/// back. Move-only, because policies in it refer to its texts. One thread at a time.
class recording {
public:
    using inputs = recorded::all<detail::input_boxes>;

    recording() = default;
    recording(recording&&) = default;
    recording& operator=(recording&&) = default;
    recording(const recording&) = delete;
    recording& operator=(const recording&) = delete;
    ~recording() = default;

    engine_options options{};       ///< of the engine that was recorded
    std::vector<policy> policies{}; ///< all that there were
    std::uint64_t lost = 0;         ///< inputs that found it full

    /// Visits every input, in order: `visit(time_point, const recorded::…&)`, or `observation`, or `lease`. The time is
    /// that of the step which took it, of a sample its own; before all times for what there was from the beginning.
    template <class Visit>
    void each(const Visit& visit) const {
        for (std::size_t n = 0; n < entries_.size(); ++n) visit_at(n, visit);
    }
    /// Visits the n-th input.
    template <class Visit>
    void visit_at(std::size_t n, const Visit& visit) const {
        const entry& e = entries_[n];
        inputs_.visit(e.type, e.number, [&](const auto& what) { visit(e.at, what); });
    }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] time_point at(std::size_t n) const noexcept { return entries_[n].at; }

    // Writing

    template <class Input>
        requires inputs::has<Input>
    void add(time_point at, Input what) {
        entries_.push_back({at, inputs_.put(std::move(what)), inputs::number_of<Input>()});
    }
    /// Adds a policy, whose texts are copied, and gives its number.
    std::uint32_t add_policy(policy p) {
        for (std::string_view& method : p.fencing.methods) method = keep(method);
        policies.push_back(p);
        return static_cast<std::uint32_t>(policies.size() - 1);
    }
    /// A copy of a text that lives as long as the recording.
    std::string_view keep(std::string_view text) {
        if (text.empty()) return {};
        const std::vector<char>& kept = texts_.emplace_back(text.begin(), text.end());
        return {kept.data(), kept.size()};
    }

private:
    struct entry {
        time_point at;
        std::uint32_t number; ///< in the list of its type
        std::uint8_t type;
    };

    std::vector<entry> entries_;
    inputs inputs_;
    std::vector<std::vector<char>> texts_; // not strings, whose text may move with them
};

} // namespace reheat::inline REHEAT_ABI
