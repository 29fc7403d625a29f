// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/text.hpp>
#include <reheat/engine/engine.hpp>
#include <reheat/runner/notification.hpp>
#include <reheat/sim/invariant.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

// What is checked at which level. A level adds to the ones above it; what needs a higher level is silent below it.
//
// I1  3: as copies start and stop, two of an instance that keeps volumes never run at once. One that the world started
//        again, or that a false proof allowed (`proofs_lie`), is counted apart.
//     2: a copy that was proved dead and is sighted running, since before its proof, breaks the trust: the page comes.
// I2  1: no action begins on a target, above or below it, while another one there is in flight or not verified; an
//        absorbed or parked incident does not act; an operation ends once, and not by a late outcome.
//     3: the cloud carries out no call of an epoch that is smaller than one it has carried out.
// I3  1: a call that needs a proof came after its proof was accepted, for this incident, within its validity, once, and
//        with no other fence of that machine under way; no call loses what must be kept; a fence has an accuser, and
//        with `single_vantage::wait` as many as the policy wants; no action while trust is broken, over restarts too.
//     2: the proofs that the call carries are those.
// I4  3: no volume is deleted, or attached to a second copy; when a re-creation has recovered its target every volume
//        of it is attached to a running copy; a volume left detached by a failed call is named in its outcome.
// I5  1: actions on a target, in its group, rack and zone, and in all, never exceed the budgets of the incident's
//        policy and of `limits`. An action counts from its intent; a dropped one does not, nor one that a crash kept
//        from being called.
//     2: calls of the driver never exceed `limits::api`, from one start of a controller to the next.
// I6  1: the actions begun and not verified are within the in-flight limits; two machine actions are `between` apart;
//        no call where a breaker is open, or where more are unhealthy than it allows; nothing irreversible is called
//        within `start_hold` of a start.
// I7  1: nothing is called while the journal fails.
//     2: records have no gaps; each call's intent was durable and is called once; after a crash an intent without an
//        outcome keeps its target, and what is above and below it, from any call but a read-back that is answered.
// I8  1: an alarm that fires finds an incident open or opens one, and an incident that is open says in the same step
//        what is done, or what stands in the way and until when.
//     3: a target that does not work when faults have ended is no secret (with I10).
// I9  1: the last notification that arrived about a target's incident says `page` if a human is still needed, and
//        `recovered` if not; a page arrived at all. Needs `arrived`.
// I10 1: an incident that waits by itself for longer than `engine_options::page_after` pages once, and the page says
//        what would end it; so does an intent that the journal or the quota holds back; who is parked has paged. In
//        the end no incident is open but parked, or waiting for a human who has been paged.
//     3: in the end whatever does not work has such an incident on it, above it or below it. Needs `faults_ended`.
// I11 1: an incident that opens where an action is under way is absorbed by it at once, and neither climbs nor acts.
// I12 3: what is deleted was named by a call under way: the target of a re-creation, or a proof that a stack's
//        convergence carries.
//     2: a call carries proofs for what is on or below its target alone.

namespace reheat::inline REHEAT_ABI {

/// Numbers of a monitor.
struct monitor_options {
    std::size_t most_violations = 64; ///< kept with their sentences; all are counted
    /// After a copy that was proved dead is seen running, its page has to come within this.
    duration trust_within = std::chrono::minutes{1};
};

/// Checks the invariants I1 to I12 while a controller works, from outside: it is told what happens and asks nobody.
/// Budgets and limits are counted anew, from the policies and bounds alone. It knows as much as it is told:
///
/// 1. Events only: it is a sink of `pipeline::poll` and `run`, for production. An event allocates nothing unless it
///    begins an action; memory is constant for each target.
/// 2. Records, calls and completions as well: through `watched_journal` and `watched_driver` (`sim/watched.hpp`), or by
///    calling `recorded`, `durable`, `called` and `completed`.
/// 3. The truth of a simulated world: which copies run, where volumes are attached, what exists, what works.
///
/// It refers to the engine for names, the tree, places, policies and bounds. A controller that crashes is told by
/// `crashed`, before its engine is gone; one that starts, the first or the next, by `started`: what was spent, is in
/// flight, has a proof or is not trusted is remembered over both, so budgets have to hold across them. A new leader
/// is a new start with a greater epoch. Of several controllers at once the events of the one that leads are told, and
/// the calls of all.
///
/// One thread at a time, the pipeline's. Not movable while something refers to it.
///
///     invariant_monitor watch{ha.state()};
///     watch.started(ha.state(), ha.time().now());
///     auto come_back_at = ha.poll(watch);
///     for (const violation& v : watch.violations().first()) alert(to_text(v, ha.state()));
class invariant_monitor {
public:
    explicit invariant_monitor(const engine& of, monitor_options options = {})
        : of_{&of}, options_{options}, found_{options.most_violations} {}

    // The controller's life

    /// A controller begins: the first one, one after a crash, or one that took over. Add the targets before its first
    /// poll as always: they get their old ids back.
    void started(const engine&, time_point) {}
    /// It is gone, with what it had not made durable. The engine is not read any more.
    void crashed(time_point) {}

    // Level 1: events

    /// Any event of the engine, in order.
    void operator()(const event&) {}
    /// Everything due at `now` was done: what has to have been said by now is missed. Says when to ask again. A
    /// pipeline calls it by itself.
    time_point poll(time_point) { return never; }
    /// A notification has arrived at its receiver, for I9.
    void arrived(const notification&) {}

    // Level 2: records, calls and completions

    /// A record was appended, and the journal said that it was.
    void recorded(const record&) {}
    /// Every record up to and with that one is safe.
    void durable(sequence) {}
    /// The driver is called, with these proofs.
    void called(const request&, std::span<const proof_of_death>, time_point) {}
    /// The driver has answered. Tell it before the engine is.
    void completed(op_id, const outcome&, time_point) {}
    /// The engine was told that a machine was seen running (`engine::sighted`). Tell it before the engine is.
    void sighted(const copy_sighting&, time_point) {}

    // Level 3: a simulated world

    /// How a copy of an instance came to run.
    enum class cause : std::uint8_t {
        call,  ///< a call of the driver started it
        world, ///< the world did: a host that returns boots what it had
    };
    /// A copy of an instance runs from now on (it has power; whether it works is another matter), or no longer.
    void copy_started(target_id, std::string_view, time_point, cause = cause::call) {}
    void copy_stopped(target_id, std::string_view, time_point) {}
    /// A volume that belongs to an instance is attached to one of its copies, detached from it, or deleted.
    void volume_attached(std::string_view, target_id, std::string_view, time_point) {}
    void volume_detached(std::string_view, target_id, std::string_view, time_point) {}
    void volume_deleted(std::string_view, target_id, time_point) {}
    /// The cloud begins to carry out a call that it has taken.
    void accepted(const request&, time_point) {}
    /// An instance, or what belongs to it, was deleted.
    void removed(target_id, time_point) {}
    /// Whether a target works, from now on.
    void works(target_id, bool, time_point) {}
    /// From now on proofs of death may be false. A second copy is then no violation of I1, as long as it ends in broken
    /// trust and a page once it is sighted.
    void proofs_lie(bool = true) noexcept {}

    // The end

    /// No fault is new from now on: within that time every target is well, or parked with a page (I10).
    void faults_ended(time_point, duration) {}
    /// The run is over and nothing is due any more; notifications have arrived. Checks what only the end shows: I4,
    /// I9, I10.
    void finish(time_point) {}

    // What was found

    [[nodiscard]] const violation_list& violations() const noexcept { return found_; }
    /// So many second copies ran because a proof had been false (`proofs_lie`).
    [[nodiscard]] std::uint64_t false_proofs() const noexcept { return 0; }

private:
    const engine* of_;
    monitor_options options_;
    violation_list found_;
};

/// `I5 at 2026-01-01T00:10:00Z, db-1: …`, for a person.
[[nodiscard]] inline std::string to_text(const violation& v, const engine& of) {
    std::string line{to_string(v.which)};
    line += " at " + format_time(v.at);
    if (const std::string_view name = of.name(v.target); !name.empty()) line += ", " + std::string{name};
    return line + ": " + v.what;
}

} // namespace reheat::inline REHEAT_ABI
