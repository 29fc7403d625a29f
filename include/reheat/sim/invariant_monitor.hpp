// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/text.hpp>
#include <reheat/engine/engine.hpp>
#include <reheat/recovery/decision_words.hpp>
#include <reheat/runner/notification.hpp>
#include <reheat/sim/invariant.hpp>
#include <reheat/sim/invariant_state.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
//     2: the proofs that the call carries are those; what the driver denied does not count as done, and absence is
//        proved by a description that vouches for it.
// I4  3: no volume is deleted, or attached to a second copy; when a re-creation has recovered its target every volume
//        of it is attached; a volume left detached by a failed call is named in the record of
//        its outcome, and in the incident's pages from then on.
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
//        `recovered` if not; a page arrived at all; over restarts and changes of leader too. Needs `arrived`.
//     2: what a crash took from the journal before it was safe is left out: no later run can know of it.
// I10 1: an incident that waits by itself for longer than `engine_options::page_after`, since the controller
//        started, pages once, and the page says what would end it; so does an intent that the journal or the quota
//        holds back; who is parked has paged. In the end no incident is open but parked, or waiting for a human who has
//        been paged.
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
    /// It watches nobody yet: `started` says whom.
    explicit invariant_monitor(monitor_options options = {}) : options_{options}, found_{options.most_violations} {}
    explicit invariant_monitor(const engine& of, monitor_options options = {})
        : of_{&of}, options_{options}, found_{options.most_violations} {}
    invariant_monitor(const invariant_monitor&) = delete;
    invariant_monitor& operator=(const invariant_monitor&) = delete;
    ~invariant_monitor() = default;

    // The controller's life

    /// A controller begins: the first one, one after a crash, or one that took over. Add the targets before its first
    /// poll as always: they get their old ids back.
    void started(const engine& of, time_point at);
    /// It is gone, with what it had not made durable. The engine is not read any more.
    void crashed(time_point at);

    // Level 1: events

    /// Any event of the engine, in order.
    void operator()(const event& e);
    /// Everything due at `now` was done: what has to have been said by now is missed. Says when to ask again. A
    /// pipeline calls it by itself.
    time_point poll(time_point now);
    /// Notifications are told as they arrive: from now on a page that never does is missed.
    void hears_notifications() noexcept { hears_notifications_ = true; }
    /// A notification has arrived at its receiver. Of an earlier controller's leave out what is older by its id than
    /// the newest about that target, as a receiver may.
    void arrived(const notification& n);

    // Level 2: records, calls and completions

    /// A record was appended, and the journal said that it was.
    void recorded(const record& r);
    /// Every record up to and with that one is safe.
    void durable(sequence upto) noexcept;
    /// The driver is called, with these proofs.
    void called(const request& r, std::span<const proof_of_death> proofs, time_point at);
    /// The driver has answered. Tell it before the engine is.
    void completed(op_id op, const outcome& result, time_point at);
    /// The engine is told that a machine was seen running (`engine::sighted`).
    void sighted(const copy_sighting& seen, time_point at);

    // Level 3: a simulated world

    /// How a copy of an instance came to run.
    enum class cause : std::uint8_t {
        call,  ///< a call of the driver started it
        world, ///< the world did: a host that returns boots what it had
    };
    /// A copy of an instance runs from now on (it has power; whether it works is another matter), or no longer.
    void copy_started(target_id instance, std::string_view cloud_id, time_point at, cause by = cause::call);
    void copy_stopped(target_id instance, std::string_view cloud_id, time_point at);
    /// A volume that belongs to an instance is attached to one of its copies, detached from it, or deleted.
    void volume_attached(std::string_view volume, target_id owner, std::string_view cloud_id, time_point at);
    void volume_detached(std::string_view volume, target_id owner, std::string_view cloud_id, time_point at);
    void volume_deleted(std::string_view volume, target_id owner, time_point at);
    /// The cloud begins to carry out a call that it has taken.
    void accepted(const request& r, time_point at);
    /// An instance was deleted, or a resource that belongs to it.
    void removed(target_id target, time_point at);
    /// Whether a target works, from now on.
    void works(target_id target, bool well, time_point at);
    /// From now on proofs of death may be false. A second copy is then no violation of I1, as long as it ends in broken
    /// trust and a page once it is sighted.
    void proofs_lie(bool on = true) noexcept { proofs_lie_ = on; }

    // The end

    /// No fault is new from now on: within that time every target is well, or parked with a page (I10).
    void faults_ended(time_point at, duration within) noexcept { settled_by_ = after(at, within); }
    /// The run is over and nothing is due any more; notifications have arrived. Checks what only the end shows: I4,
    /// I9, and I10 if the time that `faults_ended` gave is over.
    void finish(time_point at);

    // What was found

    [[nodiscard]] const violation_list& violations() const noexcept { return found_; }
    /// So many second copies ran because a proof had been false (`proofs_lie`), or because the world started them.
    [[nodiscard]] std::uint64_t excused_copies() const noexcept { return excused_copies_; }

private:
    using incident_state = detail::seen_incident;
    using stage = incident_state::stage;

    // sim/invariant_events.hpp: what events say
    void advance(time_point at);
    void end_moment();
    void end_waits();
    void take_alarm(const event& e);
    void take_incident(const event& e);
    void take_rung(const event& e);
    void take_call(const event& e);
    void take_page(const event& e);
    void note_page_record(const record& r);
    void take_controller(const event& e);
    incident_state& incident_of(const event& e);
    void close(incident_state& i);
    void speak(incident_state& i) noexcept { i.owes_word = i.from_before = false; }
    void owe_word(incident_state& i);
    void owe(target_id target) { moment_.push_back(target); }
    void wait(incident_state& i, const event& e);
    void look_at_wait(incident_state& i, time_point at) noexcept;
    [[nodiscard]] bool waits_by_itself(const incident_state& i) const noexcept;

    // sim/invariant_actions.hpp: actions, budgets and limits
    void take_act(incident_state& i, const event& e);
    void begin(incident_state& i, const event& e);
    void mark(incident_state& i, target_id subject);
    void release(incident_state& i);
    void free_target(incident_state& i);
    [[nodiscard]] target_id busy_with(target_id subject, target_id but) const;
    // sim/invariant_calls.hpp: calls and their ends
    void check_call(const incident_state& i, const event& e);
    void check_breakers(const event& e);
    void check_proofs(const incident_state& i, const event& e);
    void spend(incident_state& i, const event& e);
    void unspend(const incident_state& i);
    [[nodiscard]] std::vector<std::uint32_t> places_of(target_id subject);
    [[nodiscard]] std::uint32_t number_of(set_id set);
    void count_failing(target_id target, int by);
    void finish_operation(const event& e);
    void read_back(const event& e);
    [[nodiscard]] detail::seen_operation* find_operation(op_id op) noexcept;

    // sim/invariant_world.hpp: records, calls, completions, and the truth
    void check_read_back(const request& r);
    void check_end(target_id target);
    [[nodiscard]] detail::seen_volume& volume(std::string_view name, target_id owner);

    // Shared
    [[nodiscard]] const target_tree& tree() const noexcept { return of_->targets(); }
    [[nodiscard]] bool knows(target_id t) const noexcept { return of_ != nullptr && tree().has(t); }
    [[nodiscard]] bool related(target_id a, target_id b) const noexcept {
        return a == b || (knows(a) && knows(b) && (tree().covers(a, b) || tree().covers(b, a)));
    }
    [[nodiscard]] target_id machine_of(target_id t) const noexcept {
        return knows(t) ? tree().ancestor(t, level::instance) : no_target;
    }
    [[nodiscard]] const policy& rules_of(const incident_state& i) const noexcept;
    [[nodiscard]] const rung* rung_of(const incident_state& i, operation what) const noexcept;
    [[nodiscard]] const limits& bounds() const noexcept { return of_->options().bounds; }
    [[nodiscard]] detail::seen_target& at(target_id t);
    [[nodiscard]] incident_state* open_incident(target_id t) noexcept {
        const auto n = static_cast<std::size_t>(t);
        return n < targets_.size() && targets_[n].incident != 0 ? &incidents_[targets_[n].incident - 1] : nullptr;
    }
    template <class Visit>
    void each_incident(const Visit& visit) {
        for (incident_state& i : incidents_) {
            if (i.id != no_incident) visit(i);
        }
    }
    [[nodiscard]] std::string name(target_id t) const {
        return knows(t) ? std::string{tree().name(t)} : "target " + std::to_string(static_cast<std::uint32_t>(t));
    }
    [[nodiscard]] static std::string text(duration d) { return format_duration(d); }
    void found(invariant which, target_id target, std::string what) {
        found_.add({which, now_, target, std::move(what)});
    }

    const engine* of_ = nullptr; ///< null while no controller runs
    monitor_options options_;
    violation_list found_;
    time_point now_ = (time_point::min)();
    time_point started_at_ = (time_point::min)(); ///< `min` if nobody said
    time_point last_machine_action_ = (time_point::min)();
    std::vector<detail::seen_target> targets_;
    std::vector<incident_state> incidents_; ///< a free one has no id
    std::vector<std::uint32_t> free_;
    std::vector<target_id> moment_;  ///< who owes something at this time
    std::vector<target_id> failing_; ///< machines
    std::vector<detail::seen_operation> operations_;
    std::vector<detail::spent_action> spent_;            ///< in order of time
    duration longest_{};                                 ///< of the budgets that were asked for
    std::vector<std::pair<set_kind, std::string>> sets_; ///< kind and name, by number from 1
    std::vector<std::uint32_t> set_numbers_;             ///< by the engine's id; 0: not asked for yet
    std::vector<set_id> open_breakers_;
    std::array<std::uint32_t, 2> in_flight_{}; ///< of services, of everything above
    op_id first_op_ = no_op;                   ///< of this controller
    bool journal_ok_ = true;
    bool doubting_ = false;
    bool trust_broken_ = false;
    time_point next_page_ = never; ///< when a wait has to be paged

    bool hears_notifications_ = false;
    struct page_alone { ///< without an incident
        target_id target;
        reason why;
        bool arrived = false; ///< and is not over: what says the same is only counted
    };
    std::vector<page_alone> pages_alone_;

    // of level 2
    sequence last_record_ = no_sequence;
    sequence durable_ = no_sequence;
    sequence trust_record_ = no_sequence;
    bool hears_records_ = false;
    std::vector<std::pair<op_id, detail::seen_intent>> intents_;
    std::vector<record> fresh_;                                ///< records whose events were not told yet
    std::vector<std::pair<sequence, target_id>> unsafe_pages_; ///< whose records are not safe; `unwritten`: not there
    static constexpr sequence unwritten{UINT64_MAX};
    std::vector<target_id> page_records_; ///< about whom a page is in the journal and was not told yet
    std::vector<std::pair<incident_id, sequence>> opened_;
    std::vector<std::pair<op_id, target_id>> readings_;
    std::vector<target_id> absent_; ///< of which a description vouches that it is not there
    bool hears_answers_ = false;
    std::vector<time_point> calls_made_;
    std::vector<detail::seen_grave> graves_;
    std::vector<std::pair<target_id, time_point>> sightings_; ///< that have to break the trust by then

    // of level 3
    std::vector<detail::seen_copy> copies_;
    std::vector<detail::seen_volume> volumes_;
    std::vector<std::pair<op_id, target_id>> named_; ///< what a call under way may delete
    epoch reign_{};
    bool proofs_lie_ = false;
    std::uint64_t excused_copies_ = 0;
    time_point settled_by_ = never;
};

/// `I5 at 2026-01-01T00:10:00Z, db-1: …`, for a person.
[[nodiscard]] inline std::string to_text(const violation& v, const engine& of) {
    std::string line{to_string(v.which)};
    line += " at " + format_time(v.at);
    if (const std::string_view name = of.name(v.target); !name.empty()) line += ", " + std::string{name};
    return line + ": " + v.what;
}

} // namespace reheat::inline REHEAT_ABI

#include <reheat/sim/invariant_actions.hpp>
#include <reheat/sim/invariant_calls.hpp>
#include <reheat/sim/invariant_events.hpp>
#include <reheat/sim/invariant_world.hpp>
