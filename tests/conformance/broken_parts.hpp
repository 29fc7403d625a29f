// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/mock_driver.hpp>

#include <utility>

namespace broken {

namespace rh = reheat;
using rh::completion;
using rh::mock_driver;
using rh::outcome;
using rh::outcome_code;
using rh::proof_of_death;
using rh::request;

/// A completion that changes the outcome before it hands it on.
template <class Change>
completion changed(completion done, Change change) {
    class changer final : public rh::completion_sink {
    public:
        changer(completion to, Change how) : to_{std::move(to)}, how_{std::move(how)} {}
        void deliver(rh::op_id, outcome&& result, bool) noexcept override {
            how_(result);
            to_(std::move(result));
        }

    private:
        completion to_;
        Change how_;
    };
    const rh::op_id op = done.op();
    auto* const sink = new changer{std::move(done), std::move(change)};
    completion other{op, *sink};
    sink->release();
    return other;
}
inline void be_done(outcome& o) { o.code = outcome_code::done; }

/// One that nobody hears.
inline completion unheard(rh::op_id op) {
    class deaf final : public rh::completion_sink {
        void deliver(rh::op_id, outcome&&, bool) noexcept override {}
    };
    auto* const sink = new deaf;
    completion done{op, *sink};
    sink->release();
    return done;
}

} // namespace broken
