// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/proof_of_death.hpp>
#include <reheat/action/request.hpp>
#include <reheat/core/time.hpp>
#include <reheat/driver/completion.hpp>
#include <reheat/runner/clocks.hpp>
#include <reheat/sim/mock_cloud.hpp>

#include <concepts>
#include <span>
#include <utility>

namespace reheat::inline REHEAT_ABI::testing {

/// Something that stands before a mock cloud: made of it and of the world's time, it gives the driver to call, and is
/// polled with the world's time if it can be. All but `driver` is optional.
template <class T>
concept before_a_cloud = std::constructible_from<T, mock_cloud&, manual_clock&> && requires(T& t) { t.driver(); };

/// A mock cloud that is called through something else, as a wrapper of drivers: everything that can be done with a mock
/// cloud, simulations and scenarios too, can be done with it. One thread at a time.
///
///     struct through_mine {
///         through_mine(mock_cloud& cloud, manual_clock&) : mine{cloud} {}
///         my_wrapper<mock_cloud>& driver() { return mine; }
///         my_wrapper<mock_cloud> mine;
///     };
///     const scenario_result r = run<wrapped_cloud<through_mine>>(s); // the log of `run(s)`, or the wrapper is wrong
template <before_a_cloud Before>
class wrapped_cloud : public mock_cloud {
public:
    wrapped_cloud() = default;
    wrapped_cloud(const wrapped_cloud&) = delete;
    wrapped_cloud& operator=(const wrapped_cloud&) = delete;
    ~wrapped_cloud() = default;

    [[nodiscard]] Before& before() noexcept { return before_; }

    // As of `mock_cloud`, with what the wrapper does in time

    [[nodiscard]] time_point next() const noexcept { return earlier(mock_cloud::next(), due_); }
    template <class Sink>
    void advance(time_point now, Sink&& sink) {
        while (next() < now) move_to(next(), sink);
        move_to(now, sink);
    }

    // The driver

    void describe(const request& r, completion done) { called().describe(r, std::move(done)); }
    void create(const request& r, completion done) { called().create(r, std::move(done)); }
    void restart_service(const request& r, completion done) { called().restart_service(r, std::move(done)); }
    void reboot(const request& r, completion done) { called().reboot(r, std::move(done)); }
    void rebuild(const request& r, completion done) { called().rebuild(r, std::move(done)); }
    void fence(const request& r, completion done) { called().fence(r, std::move(done)); }
    void forensics(const request& r, completion done) { called().forensics(r, std::move(done)); }
    void recreate(const request& r, proof_of_death why, completion done) {
        called().recreate(r, std::move(why), std::move(done));
    }
    void evacuate(const request& r, proof_of_death why, completion done) {
        called().evacuate(r, std::move(why), std::move(done));
    }
    void converge(const request& r, std::span<proof_of_death> proofs, completion done) {
        called().converge(r, proofs, std::move(done));
    }

private:
    static constexpr bool polled = requires(Before& b, time_point now) {
        { b.poll(now) } -> std::same_as<time_point>;
    };

    /// A call may give it something to do in time.
    auto& called() {
        if constexpr (polled) due_ = clock_.now();
        return before_.driver();
    }
    template <class Sink>
    void move_to(time_point at, Sink&& sink) {
        clock_.advance_to(at);
        mock_cloud::advance(at, sink);
        if constexpr (polled) {
            do {
                due_ = before_.poll(at);
            } while (due_ <= at);
        }
    }

    manual_clock clock_;
    time_point due_ = never;
    Before before_{static_cast<mock_cloud&>(*this), clock_};
};

} // namespace reheat::inline REHEAT_ABI::testing
