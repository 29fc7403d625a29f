// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>
#include <reheat/driver/forwarding.hpp>
#include <reheat/engine/event.hpp>
#include <reheat/runner/pipeline.hpp>

namespace reheat::inline REHEAT_ABI {

/// A sink of events and the outermost wrapper of a driver as one sink: its `poll` polls the wrapper, which polls those
/// below, and then the sink. For a loop of your own around an engine; a pipeline polls its driver itself. Both are
/// referred to. Threads: as of the engine.
///
///     retry_driver again{cloud, system_time{}};
///     deadline_driver patient{again, system_time{}};
///     driven sink{patient, pages}; // `pages` is a pager, or any other sink
///     come_back_at = earlier(e.next(), sink.poll(time.now()));
template <timed_driver Driver, class Sink>
    requires requires(Sink& sink, const event& e) { sink(e); }
class driven {
public:
    driven(Driver& driver, Sink& sink) noexcept : driver_{&driver}, sink_{&sink} {}

    void operator()(const event& e) { (*sink_)(e); }
    time_point poll(time_point now) {
        time_point due = driver_->poll(now);
        if constexpr (timed_sink<Sink>) due = earlier(due, sink_->poll(now));
        return due;
    }

private:
    Driver* driver_;
    Sink* sink_;
};

} // namespace reheat::inline REHEAT_ABI
