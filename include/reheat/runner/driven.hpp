// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>
#include <reheat/driver/forwarding.hpp>
#include <reheat/engine/event.hpp>
#include <reheat/runner/pipeline.hpp>

namespace reheat::inline REHEAT_ABI {

/// A sink that is where a pipeline's events go, and polls the pipeline's driver besides: the outermost of its wrappers,
/// which polls those below. Both are referred to. Threads: as of the pipeline.
///
///     retry_driver again{cloud, system_time{}};
///     deadline_driver patient{again, system_time{}};
///     pipeline ha{patient, system_time{}, three_levels};
///     driven sink{patient, pages}; // `pages` is a pager, or any other sink
///     ha.run(stop, sink);
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
