// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/world.hpp>

// A call's way through the cloud: definitions of members of `sim::world`.

namespace reheat::inline REHEAT_ABI::sim {

inline void world::take(const request& r, completion&& done, std::span<const proof_of_death> proofs) {
    const world_caller by = caller_; // while it stands still others call
    if (by.number != controller_) ++late_calls_;
    else if (watch_ != nullptr) watch_->monitor().called(r, proofs, watch_->at());
    if (by.gate != nullptr) by.gate->pass(pause_point::in_driver);
    ++calls_made_;
    if (meter_ != nullptr) meter_->called(r.what, place_of(r.target), truth_);
    seen_.push_back({now(), r.what, r.op, r.key, r.reign, r.target});
    const call_fate fate = weather_.fate_of(r.what, chance_);
    const auto refuse = [&](const char* why) {
        if (watch_ != nullptr && by.number == controller_)
            watch_->monitor().completed(r.op, outcome::refused({}), watch_->at());
        done(outcome::refused(why));
    };
    if (fate.arrives && r.reign < reign_) {
        ++stale_calls_;
        return refuse("its epoch is over");
    }
    for (const proof_of_death& p : proofs) {
        if (now() < p.expires() - time_->skew - by.ahead) continue;
        ++expired_calls_;
        return refuse("its proof of death is over");
    }
    if (fate.arrives) reign_ = r.reign;
    if (fate.arrives && watch_ != nullptr) watch_->monitor().accepted(r, watch_->at());

    std::uint32_t slot = 0;
    if (free_.empty()) {
        slot = static_cast<std::uint32_t>(calls_.size());
        calls_.emplace_back();
    } else {
        slot = free_.back();
        free_.pop_back();
    }
    under_way& u = calls_[slot];
    u.what = {};
    u.what.what = r.what;
    u.what.op = r.op;
    u.what.reign = r.reign;
    u.what.target = r.target;
    u.what.controller = by.number;
    u.what.on = place_of(r.target);
    u.what.by_outlet = r.method == "pdu";
    u.what.deadline = r.deadline == never ? never : r.deadline - time_->skew - by.ahead;
    u.what.fate = fate;
    if (r.replaced) {
        const std::size_t dash = r.cloud_id.rfind('-');
        const std::string_view number =
            dash == std::string_view::npos ? std::string_view{} : r.cloud_id.substr(dash + 1);
        u.what.copy = 0xffff'ffffU; // of an id that the cloud does not know there is no copy
        std::from_chars(number.data(), number.data() + number.size(), u.what.copy);
    }
    for (const proof_of_death& p : proofs) u.what.proved.push_back(place_of(p.target()).machine);
    u.done = std::move(done);
    ++under_way_;

    if (disk_ != nullptr && r.what != operation::describe && !disk_->intended(r.op))
        truth_.note(world_violation::kind::call_not_intended, now(), u.what.on.machine);
    const bool one = r.what == operation::recreate_instance || r.what == operation::evacuate_instance;
    if (one && (proofs.size() != 1 || proofs.front().target() != r.target))
        truth_.note(world_violation::kind::proof_is_wrong, now(), u.what.on.machine);
    each_replaced(u.what, [&](std::uint32_t n) {
        ++truth_.machine(n).being_replaced;
        const copy_state* const back = truth_.returned_copy(n);
        if (back == nullptr || back->heard_by != by.number || back->heard_by == 0) return;
        constexpr duration step = std::chrono::seconds{2}; // it was told, and may not have been looked at
        if (now() > after(back->heard_at, step)) truth_.note(world_violation::kind::returned_ignored, now(), n);
    });

    // A cloud that is slow carries out what it took for somewhat longer than anybody waits, not for ever.
    time_point at = after(now(), fate.takes);
    if (u.what.deadline != never) at = earlier(at, after(u.what.deadline, std::chrono::seconds{20}));
    plan(later(at, now()), moment::kind::effect, slot);
}

/// The machines that a call may make anew.
template <class Visit>
void world::each_replaced(const cloud_call& c, const Visit& visit) {
    if (c.what == operation::recreate_instance || c.what == operation::evacuate_instance) visit(c.on.machine);
    if (c.what != operation::converge_stack) return;
    for (const std::uint32_t n : c.proved) visit(n);
}

inline void world::take_effect(std::uint32_t slot) {
    under_way& u = calls_[slot];
    const call_fate& fate = u.what.fate;
    // Where the management network is cut at both ends of the call, it does not arrive.
    if (fate.arrives && (fate.takes_effect || u.what.what == operation::describe)) {
        const bool room = !weather_.on(fault_kind::no_room);
        u.result = cloud_.carry_out(u.what, now(), room, [this](std::uint32_t n) { boots(n); });
        if (meter_ != nullptr) meter_->carried_out(u.what, u.result, truth_);
    } else {
        u.result = outcome::failed("it did not happen");
    }
    each_replaced(u.what, [this](std::uint32_t n) { --truth_.machine(n).being_replaced; });
    // What was left lying because it was to be made anew, and was not, boots where it is.
    each_replaced(u.what, [this](std::uint32_t n) {
        const std::uint32_t host = truth_.machine(n).now.host;
        if (truth_.host(host).no_power == 0) boot_if_lost(n, host);
    });
    if (!fate.arrives) {
        unanswered_.push_back(std::move(*u.done));
        return release(slot);
    }
    if (fate.says) {
        u.result.code = *fate.says;
        u.result.reason = "so it says";
        if (*fate.says != outcome_code::done) u.result.seen = {};
    }
    u.result.retry_after = fate.retry_after;
    if (!fate.late || u.what.deadline == never) return answer(slot);
    const duration behind = std::chrono::seconds{1 + std::int64_t{chance_.below(600)}};
    plan(later(after(u.what.deadline, behind), now()), moment::kind::answer, slot);
}

inline void world::answer(std::uint32_t slot) {
    under_way& u = calls_[slot];
    const bool lost = weather_.on(fault_kind::controller_cut_off) || weather_.on(fault_kind::answers_lost);
    if (lost) {
        unanswered_.push_back(std::move(*u.done)); // destroyed it would say that it was abandoned
    } else if (!u.what.fate.abandoned) {
        deliver(u);
    } else if (watch_ != nullptr && u.what.controller == controller_) {
        watch_->monitor().completed(u.what.op, outcome::unknown("abandoned"), watch_->at());
    }
    release(slot);
    woken_ = true;
}

inline void world::deliver(under_way& u) {
    if (watch_ != nullptr && u.what.controller == controller_)
        watch_->monitor().completed(u.what.op, u.result, watch_->at());
    if (u.what.fate.twice) (*u.done)(u.result);
    (*u.done)(std::move(u.result));
}

inline void world::release(std::uint32_t slot) {
    calls_[slot].done.reset();
    free_.push_back(slot);
    --under_way_;
}

} // namespace reheat::inline REHEAT_ABI::sim
