// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>
#include <reheat/runner/pipeline.hpp>

#include <algorithm>
#include <concepts>
#include <type_traits>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// One controller's lead among several. `poll` does what is due, as campaigning and renewing, and says when to come
/// back, after `now`; it starts no thread. `reign` is larger than that of everybody who led before, `until` the time up
/// to which nobody else leads, by this controller's clock (the earliest time: it does not lead), `lost` says that
/// somebody else may lead: for good, as a new lead is a new object. `campaign` is one; so is what a program has
/// already.
template <class L>
concept leadership = requires(L& lead, const L& held, time_point now) {
    { lead.poll(now) } -> std::same_as<time_point>;
    { held.reign() } -> std::same_as<epoch>;
    { held.until() } -> std::same_as<time_point>;
    { held.lost() } -> std::same_as<bool>;
};

/// The shortest lease under which every call of a policy can start at any time: its longest call, the margin, and what
/// has gone by when the lease is renewed. It does not count a renewal that fails.
///
///     auto ttl = shortest_lease(steps.lowered(), options, 10s) + 20s;
[[nodiscard]] inline duration shortest_lease(const policy& rules, const engine_options& options, duration renew_every) {
    duration longest = (std::max)(options.read_back_every, rules.forensics);
    for (const rung& r : rules.rungs()) {
        longest = (std::max)(longest, r.timeout);
        if (needs_proof(r.what)) longest = (std::max)(longest, options.fence_timeout);
    }
    return (std::min)(longest, options.lease_covers) + options.lease_margin + renew_every;
}

/// Tells a pipeline of its lead, as a sink around another one: `poll` is done last in each `pipeline::poll`. It refers
/// to the lead and the pipeline, and to a sink that is an lvalue. Tell the pipeline before its first `poll`: the
/// constructor does. One thread, that of the pipeline.
///
///     leading sink{lead, ha, pages};
///     ha.run(until_lost{lead, stop}, sink);
template <leadership Lead, class Pipeline, class Sink>
class leading {
public:
    leading(Lead& lead, Pipeline& ha, Sink&& sink) : lead_{&lead}, ha_{&ha}, sink_{std::forward<Sink>(sink)} { tell(); }

    void operator()(const event& e) { sink_(e); }

    time_point poll(time_point now) {
        time_point due = lead_->poll(now);
        tell();
        if constexpr (timed_sink<Sink>) due = earlier(due, sink_.poll(now));
        return due;
    }

private:
    void tell() {
        if (lead_->lost()) {
            if (!ha_->state().deposed()) ha_->lost_lead();
        } else if (lead_->until() != told_) {
            told_ = lead_->until();
            // Until it leads, the pipeline has an end that is over: it watches, and calls nothing.
            const bool yet = told_ != (time_point::min)();
            ha_->leads(yet ? lead_->reign() : ha_->state().options().reign, told_);
        }
    }

    Lead* lead_;
    Pipeline* ha_;
    Sink sink_;
    time_point told_ = never; // nobody has told it of an end
};

template <class Lead, class Pipeline, class Sink>
leading(Lead&, Pipeline&, Sink&&) -> leading<Lead, Pipeline, Sink>;

/// What stops `pipeline::run`: another stop, or the loss of the lead. It refers to both.
template <leadership Lead, class Stop>
class until_lost {
public:
    until_lost(const Lead& lead, const Stop& stop) noexcept : lead_{&lead}, stop_{&stop} {}
    [[nodiscard]] bool stop_requested() const { return lead_->lost() || stop_->stop_requested(); }

private:
    const Lead* lead_;
    const Stop* stop_;
};

} // namespace reheat::inline REHEAT_ABI
