// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/runner/pipeline.hpp>
#include <reheat/sim/mock_cloud.hpp>

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
template <journal Journal = volatile_journal>
class simulation {
public:
    template <class Steps>
    explicit simulation(const Steps& steps, Journal log = {}, engine_options options = {})
        : pipeline_{cloud, manual_clock{}, steps, std::move(log), options} {
        static_cast<void>(pipeline_.open());
        cloud.advance(now(), [](std::string_view, std::string_view) {});
    }

    mock_cloud cloud;

    [[nodiscard]] time_point now() { return pipeline_.time().now(); }
    [[nodiscard]] pipeline<mock_cloud, manual_clock, Journal>& ha() noexcept { return pipeline_; }
    [[nodiscard]] const std::vector<event>& events() const noexcept { return events_; }

    /// An instance with its services, in the cloud and in the pipeline, each watched by a heartbeat alarm.
    result<target_id> add_instance(std::string_view name, mock_cloud::setup how,
                                   asset keep = volumes | fixed_addresses) {
        auto made = pipeline_.add(instance{.name = name, .stack = how.stack, .keep = keep});
        if (!made) return made;
        const duration period = how.heartbeat_every;
        if (auto watched = pipeline_.watch(*made, heartbeat_alarm{.period = period}); !watched)
            return std::move(watched).error();
        for (const std::string& s : how.services) {
            auto process = pipeline_.add(service{.name = s, .on = *made});
            if (!process) return process;
            if (auto watched = pipeline_.watch(*process, heartbeat_alarm{.period = period}); !watched)
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
            const time_point due = pipeline_.poll([this](const event& e) { events_.push_back(e); });
            const time_point next = earlier(due, cloud.next());
            if (next > end) break;
            pipeline_.time().advance_to(next);
        }
        pipeline_.time().advance_to(end);
    }
    void run_for(duration d) { run_until(after(now(), d)); }

private:
    void beat(std::string_view machine, std::string_view process) {
        const target_id target =
            process.empty() ? pipeline_.state().find(level::instance, machine)
                            : pipeline_.state().find(level::service, std::string{machine} + "/" + std::string{process});
        if (target != no_target) pipeline_.push(target, heartbeat);
    }

    pipeline<mock_cloud, manual_clock, Journal> pipeline_;
    std::vector<event> events_;
};

template <class Steps>
simulation(const Steps&) -> simulation<volatile_journal>;

} // namespace reheat::inline REHEAT_ABI
