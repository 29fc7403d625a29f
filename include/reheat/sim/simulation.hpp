// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/runner/pipeline.hpp>
#include <reheat/sim/mock_cloud.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// A mock cloud and a pipeline on virtual time: days pass in milliseconds, and the same world gives the same events.
/// Events are kept in `events()`. One thread at a time.
///
///     simulation world{three_levels};
///     auto db = world.add_instance("db-1", {.stack = "wiki", .services = {"mysqld"}});
///     world.cloud.break_at(world.now() + 5min, "db-1", fault::instance_hangs);
///     world.run_for(1h);
///
/// A clock that shows the controller another time than the world's has `world()` and `to_world(t)`.
template <journal Journal = volatile_journal, time_source Clock = manual_clock, class Engine = engine>
class simulation {
public:
    template <class Steps>
    explicit simulation(const Steps& steps, Journal log = {}, engine_options options = {})
        : rules_{lowered(steps)}, options_{options} {
        pipeline_.emplace(cloud, Clock{}, steps, std::move(log), options);
        static_cast<void>(ha().open());
        cloud.advance(now(), [](std::string_view, std::string_view) {});
    }

    mock_cloud cloud;

    /// The world's time.
    [[nodiscard]] time_point now() {
        if constexpr (skewed) return ha().time().world();
        else return ha().time().now();
    }
    [[nodiscard]] pipeline<mock_cloud, Clock, Journal, Engine>& ha() noexcept { return *pipeline_; }
    [[nodiscard]] const std::vector<event>& events() const noexcept { return events_; }

    /// An instance with its services, in the cloud and in the pipeline, each watched by a heartbeat alarm.
    result<target_id> add_instance(std::string_view name, mock_cloud::setup how,
                                   asset keep = volumes | fixed_addresses) {
        auto made = ha().add(instance{
            .name = name, .stack = how.stack, .host = how.host, .rack = how.rack, .zone = how.zone, .keep = keep});
        if (!made) return made;
        const duration period = how.heartbeat_every;
        if (auto watched = ha().watch(*made, heartbeat_alarm{.period = period}); !watched)
            return std::move(watched).error();
        for (const std::string& s : how.services) {
            auto process = ha().add(service{.name = s, .on = *made});
            if (!process) return process;
            if (auto watched = ha().watch(*process, heartbeat_alarm{.period = period}); !watched)
                return std::move(watched).error();
        }
        cloud.add(name, std::move(how));
        return made;
    }

    /// Lets the world run until a time; what is due at that time still happens.
    void run_until(time_point end) {
        for (;;) {
            cloud.advance(now(),
                          [this](std::string_view machine, std::string_view process) { beat(machine, process); });
            if constexpr (moving<Journal>) ha().log().advance(ha().time().now());
            const time_point due = ha().poll([this](const event& e) { events_.push_back(e); });
            time_point next = earlier(to_world(due), cloud.next());
            if constexpr (moving<Journal>) next = earlier(next, to_world(ha().log().next()));
            if (next > end || next == never) break;
            ha().time().advance_to(next);
        }
        ha().time().advance_to(end);
    }
    void run_for(duration d) { run_until(after(now(), d)); }

    /// The controller stands still for so long; what is sent to it lies unread until then.
    void stall(duration d) {
        std::vector<std::pair<std::string, std::string>> unread;
        const time_point end = after(now(), d);
        cloud.advance(
            end, [&](std::string_view machine, std::string_view process) { unread.emplace_back(machine, process); });
        ha().time().advance_to(end);
        for (const auto& [machine, process] : unread) beat(machine, process);
    }

    /// The controller ends here and now, as by `kill -9`, and the world goes on without it for so long. Then another
    /// one begins with what is safe in the journal: add what there is again before the world runs on.
    result<void> restart(duration down = {}) {
        Journal log = std::move(ha().log());
        if constexpr (requires { log.crash(); }) log.crash();
        const Clock clock = ha().time();
        pipeline_.emplace(cloud, clock, rules_, std::move(log), options_);
        const time_point up = after(now(), down);
        cloud.advance(up, [](std::string_view, std::string_view) {});
        ha().time().advance_to(up);
        return ha().open();
    }

    /// The heartbeats of a target get lost on their way, an instance's with those of its services; or no longer.
    void silence(target_id target, bool on = true) {
        const auto at = static_cast<std::size_t>(target);
        if (silent_.size() <= at) silent_.resize(at + 1);
        silent_[at] = on;
    }

private:
    /// A journal whose records become durable as virtual time passes.
    template <class J>
    static constexpr bool moving = requires(J& log, time_point at) {
        log.advance(at);
        { log.next() } -> std::same_as<time_point>;
    };

    static constexpr bool skewed = requires(Clock& clock, time_point at) {
        clock.world();
        clock.to_world(at);
    };
    [[nodiscard]] time_point to_world(time_point at) {
        if constexpr (skewed) return ha().time().to_world(at);
        else return at;
    }

    [[nodiscard]] bool is_silent(target_id target) const noexcept {
        const auto at = static_cast<std::size_t>(target);
        return at < silent_.size() && silent_[at];
    }

    void beat(std::string_view machine, std::string_view process) {
        const target_id target =
            process.empty() ? ha().state().find(level::instance, machine)
                            : ha().state().find(level::service, std::string{machine} + "/" + std::string{process});
        if (target == no_target || is_silent(target) || is_silent(ha().state().targets()[target].parent)) return;
        ha().push(target, heartbeat);
    }

    [[nodiscard]] static policy lowered(const policy& steps) noexcept { return steps; }
    template <class Steps>
        requires requires(const Steps& steps) { steps.lowered(); }
    [[nodiscard]] static policy lowered(const Steps& steps) noexcept {
        return steps.lowered();
    }

    policy rules_;
    engine_options options_;
    std::optional<pipeline<mock_cloud, Clock, Journal, Engine>> pipeline_;
    std::vector<event> events_;
    std::vector<bool> silent_; // by target
};

template <class Steps>
simulation(const Steps&) -> simulation<volatile_journal>;

} // namespace reheat::inline REHEAT_ABI
