// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/outcome.hpp>
#include <reheat/recovery/backoff.hpp>
#include <reheat/runner/notification.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// Numbers of a pager.
struct pager_options {
    std::size_t most = 4096;    ///< troubles known at one time; pages about more are dropped, which is told
    std::size_t in_flight = 16; ///< deliveries under way at one time
    duration answer_within = std::chrono::seconds{30}; ///< a delivery that is not answered by then is tried again
    backoff retry{std::chrono::seconds{10}, std::chrono::minutes{5}, false, 20};
    duration expire_after = std::chrono::hours{24};    ///< what is not acknowledged by then is given up
    duration repeat_after = std::chrono::hours{4};     ///< what was acknowledged less long ago is only counted
    duration journal_within = std::chrono::minutes{1}; ///< what is told waits so long for its record
    std::uint64_t seed = 0;                            ///< of the jitter
};

/// What a pager has done so far.
struct pager_figures {
    std::uint64_t pages = 0;        ///< page events taken
    std::uint64_t deliveries = 0;   ///< attempts
    std::uint64_t acknowledged = 0; ///< notifications that arrived
    std::uint64_t failed = 0;       ///< attempts answered by anything but `done`
    std::uint64_t overdue = 0;      ///< attempts not answered in time
    std::uint64_t merged = 0;       ///< pages that say what is known: one notification stands for them
    std::uint64_t superseded = 0;   ///< notifications that something newer took the place of before they arrived
    std::uint64_t repeated = 0;     ///< times an older one arrived late, so that the newest is told once more
    std::uint64_t expired = 0;      ///< notifications given up
    std::uint64_t dropped = 0;      ///< pages that found no room
    std::uint64_t lost_answers = 0; ///< answers that found the inbox full; these deliveries are tried again
};

/// The pager without its notifier: events go in, deliveries that are due come out, answers go in. It reads no clock and
/// sends nothing. The same inputs give the same deliveries, always.
///
/// A trouble is what a target's incident is paged for; a page without an incident is a trouble of its own for each
/// target or set and reason. Of each trouble only the newest state is kept and delivered, one delivery at a time, so
/// that the last notification that arrives about it is its final state. One thread at a time.
class page_queue {
public:
    explicit page_queue(pager_options options = {}) : options_{options} {
        constexpr std::size_t most_slots = 1U << 24U;
        if (options_.most < 1) options_.most = 1;
        if (options_.most > most_slots) options_.most = most_slots;
        if (options_.in_flight < 1) options_.in_flight = 1;
        // A pause of zero would be an endless loop at one time.
        if (options_.answer_within < shortest_pause) options_.answer_within = shortest_pause;
        if (options_.expire_after < shortest_pause) options_.expire_after = shortest_pause;
        // Nor is anything given up that was never told.
        if (options_.journal_within > options_.expire_after / 2) options_.journal_within = options_.expire_after / 2;
    }

    // Inputs: they record, and deliver nothing

    /// Any event of the engine; `name` is that of its target or set, `said` what the driver said, `record` the newest
    /// record that the journal got for it: nothing is delivered of it before `durable` covers that. Most events change
    /// nothing here.
    void take(const event& e, std::string_view name, sequence record = no_sequence, std::string_view said = {}) {
        record_ = record;
        said_ = said;
        if (e.shadow) return; // nobody is called for what nobody does
        switch (e.kind) {
        case event_kind::page: return page(e, name);
        case event_kind::incident:
            if (e.what != decision::recover) return;
            end(find({e.target}), e);
            return end(find({e.target, reason::returned}), e);
        case event_kind::call:
        case event_kind::operation_order:
            if (e.op == no_op || e.what == decision::act) return;
            if (e.kind == event_kind::operation_order && e.rung == operation::fence_instance &&
                (e.why == reason::outcome_done || e.why == reason::confirmed_absent)) {
                slot* const s = find({e.target, reason::returned});
                if (s != nullptr && s->now.op != no_op) end(s, e); // it was paged because a fence failed
            }
            for (const reason why : {reason::journal_pending, reason::api_quota}) {
                if (slot* const s = find({e.target, why}); s != nullptr && s->now.op == e.op) end(s, e);
            }
            return;
        case event_kind::controller:
            if (e.what == decision::change && e.why == reason::none)
                return end(find({no_target, reason::journal_failed}), e);
            if (e.what != decision::release) return;
            if (e.why != reason::breaker_closed) return end(find({no_target, e.why}), e);
            end(find({no_target, reason::breaker_group, e.set}), e);
            return end(find({no_target, reason::breaker_domain, e.set}), e);
        case event_kind::operator_word:
            if (e.what != decision::accept || e.verb != operator_verb::trust) return;
            end(find({no_target, reason::trust_broken}), e);
            return end(find({e.target, reason::returned}), e);
        default: return;
        }
    }

    /// Every record up to and with `upto` is durable, or is not waited for.
    void durable(sequence upto) noexcept {
        if (upto <= durable_) return;
        durable_ = upto;
        changed_ = true;
    }

    /// How a delivery came out: `done` means that the notification arrived and is acknowledged; after anything else it
    /// is tried again, not before `retry_after` is over. An answer may come late, when the delivery has been given up.
    void answer(op_id delivery, time_point now, outcome_code code, duration retry_after = {}) {
        now_ = later(now_, now);
        const auto index = static_cast<std::size_t>(static_cast<std::uint64_t>(delivery) >> 32U);
        const auto serial = static_cast<std::uint32_t>(delivery);
        if (code != outcome_code::done) ++figures_.failed;
        if (index >= slots_.size() || !slots_[index].used || before(serial, slots_[index].born)) return;
        slot& s = slots_[index];
        changed_ = true;
        if (s.unanswered != 0) --s.unanswered;
        const bool under_way = s.sending && s.serial == serial;
        if (under_way) stop_sending(s);
        if (before(serial, s.begin)) {
            // If it had been given up, something newer was sent since: nobody knows which of the two came last.
            if (!under_way && (code == outcome_code::done || code == outcome_code::unknown)) doubt(s);
        } else if (code == outcome_code::done && !before(serial, s.sure)) {
            arrived(s);
        } else if (under_way && s.at == stage::open) {
            if (code == outcome_code::done) s.retry_at = now_; // something older came in between
            else retry(s, retry_after);
        }
    }

    /// A human has seen it, as heard by another way than its delivery. False if there is nothing newer to be seen than
    /// what is acknowledged already, or if something newer has taken its place.
    bool acknowledge(notification_id id, time_point now) {
        now_ = later(now_, now);
        for (slot& s : slots_) {
            if (!s.used || s.now.id != id || s.at != stage::open || s.now.attempt == 0) continue;
            arrived(s);
            changed_ = true;
            return true;
        }
        return false;
    }

    /// So many answers were lost on their way.
    void lose(std::uint64_t answers) noexcept { figures_.lost_answers += answers; }

    // Deliveries

    /// The next delivery that is due, or null; `delivery` is what its answer has to name. It counts as under way from
    /// now on. Valid until the next call of anything.
    [[nodiscard]] const notification* deliver(time_point now, op_id& delivery) {
        now_ = later(now_, now);
        while (changed_ || now_ >= next_) {
            changed_ = false;
            for (std::size_t seen = 0; seen < slots_.size(); ++seen) {
                // In turn, so that those that fail do not keep others from their first attempt.
                if (turn_ >= slots_.size()) turn_ = 0;
                const std::size_t index = turn_++;
                slot& s = slots_[index];
                if (!s.used || !ready(s, index) || under_way_ >= options_.in_flight) continue;
                delivery = send(s, index);
                return &s.now;
            }
            settle();
        }
        return nullptr;
    }

    /// When something is due, if nothing comes in before; at or before now means at once.
    [[nodiscard]] time_point next() const noexcept { return changed_ ? now_ : next_; }

    // Reading

    /// The newest state that there is to tell about a target's incident, until it is told and over.
    [[nodiscard]] const notification* about(target_id target) const noexcept {
        const std::size_t at = place({target});
        return holds(at, {target}) ? &slots_[index_[at].slot].now : nullptr;
    }
    /// How many troubles are known.
    [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }
    [[nodiscard]] const pager_figures& figures() const noexcept { return figures_; }

private:
    static constexpr duration shortest_pause = std::chrono::seconds{1};

    /// What a trouble is known by.
    struct trouble {
        target_id target = no_target; ///< `no_target` for what is not one target's
        reason topic = reason::none;  ///< `none` for the target's incident
        set_id set = no_set;

        friend auto operator<=>(const trouble&, const trouble&) = default;
    };
    enum class stage : std::uint8_t {
        open,         ///< to be delivered
        acknowledged, ///< it arrived
        expired,      ///< it was given up
    };
    struct slot {
        notification now{};
        time_point retry_at{};   ///< not delivered before
        sequence record{};       ///< not delivered before this one is durable
        time_point due = never;  ///< of the delivery under way: its answer
        time_point settled{};    ///< when it was acknowledged or given up
        std::uint32_t born = 0;  ///< deliveries before this one were about another trouble
        std::uint32_t begin = 0; ///< deliveries before this one said something older
        std::uint32_t sure = 0;  ///< something older may have arrived after deliveries before this one
        std::uint32_t serial = 0;
        std::uint32_t unanswered = 0;
        trouble about{};
        stage at = stage::open;
        bool used = false;
        bool sending = false;
    };
    struct entry {
        trouble about;
        std::uint32_t slot;
    };

    [[nodiscard]] static bool before(std::uint32_t a, std::uint32_t b) noexcept {
        return static_cast<std::int32_t>(a - b) < 0; // serial numbers go round
    }

    // What is known, in the order of targets and topics

    [[nodiscard]] std::size_t place(const trouble& what) const noexcept {
        std::size_t from = 0;
        for (std::size_t to = index_.size(); from < to;) {
            const std::size_t middle = from + (to - from) / 2;
            if (index_[middle].about < what) from = middle + 1;
            else to = middle;
        }
        return from;
    }
    [[nodiscard]] bool holds(std::size_t at, const trouble& what) const noexcept {
        return at < index_.size() && index_[at].about == what;
    }
    [[nodiscard]] slot* find(const trouble& what) noexcept {
        const std::size_t at = place(what);
        return holds(at, what) ? &slots_[index_[at].slot] : nullptr;
    }
    slot& make(const trouble& what) {
        if (free_.empty()) {
            free_.push_back(static_cast<std::uint32_t>(slots_.size()));
            slots_.emplace_back();
        }
        const std::uint32_t index = free_.back();
        free_.pop_back();
        index_.insert(index_.begin() + static_cast<std::ptrdiff_t>(place(what)), {what, index});
        slot& s = slots_[index];
        s = {};
        s.used = true;
        s.about = what;
        s.born = last_serial_ + 1;
        return s;
    }
    void forget(std::size_t index) {
        slot& s = slots_[index];
        index_.erase(index_.begin() + static_cast<std::ptrdiff_t>(place(s.about)));
        s = {};
        free_.push_back(static_cast<std::uint32_t>(index));
        if (slot* const full = find({no_target, reason::inbox_overflow});
            full != nullptr && full->now.kind == notification_kind::page && index_.size() <= options_.most / 2 + 1) {
            event e;
            e.at = now_;
            end(full, e);
        }
    }

    // What there is to tell

    void page(const event& e, std::string_view name) {
        if (e.what == decision::page) ++figures_.pages;
        // A false proof is nobody's incident: it stops everything, until an operator says otherwise.
        const bool of_all = e.why == reason::trust_broken;
        const trouble what = of_all                      ? trouble{no_target, e.why}
                             : e.incident != no_incident ? trouble{e.target}
                                                         : trouble{e.target, e.why, e.set};
        slot* s = find(what);
        if (s != nullptr || index_.size() < options_.most) return say(s != nullptr ? *s : make(what), e, name);
        ++figures_.dropped;
        const trouble full{no_target, reason::inbox_overflow};
        event told;
        told.at = e.at;
        told.kind = event_kind::page;
        told.what = decision::page;
        told.why = reason::inbox_overflow;
        s = find(full);
        said_ = {}; // of what was dropped
        say(s != nullptr ? *s : make(full), told, {});
    }

    void say(slot& s, const event& e, std::string_view name) {
        notification& n = s.now;
        const incident_id incident = s.about.topic == reason::none ? e.incident : no_incident;
        // An earlier run had paged it, and it is over.
        const bool over = e.what == decision::recover;
        const bool known =
            !over && n.id != notification_id{} && n.kind == notification_kind::page && n.why == e.why &&
            n.incident == incident && n.op == e.op && n.target == e.target && (e.denied & ~n.denied) == 0 &&
            (s.at == stage::open || (s.at == stage::acknowledged && e.at < after(s.settled, options_.repeat_after)));
        if (known) {
            ++figures_.merged;
            if (n.count != 0xffff'ffffU) ++n.count;
        } else {
            renew(s, e.at);
            n.kind = over ? notification_kind::recovered : notification_kind::page;
            n.target = e.target;
            n.name = name;
            n.set = e.set;
            n.incident = incident;
            n.op = e.op;
            n.why = over ? reason::resumed : e.why;
            n.before = over ? e.why : reason::none;
        }
        n.rung = e.rung;
        n.denied = e.denied;
        n.next = e.next;
        n.last = e.at;
        n.said = over ? std::string_view{} : said_;
    }

    void end(slot* s, const event& e) {
        if (s == nullptr || s->now.kind == notification_kind::recovered) return;
        notification& n = s->now;
        renew(*s, e.at);
        n.kind = notification_kind::recovered;
        n.before = std::exchange(n.why, e.why);
        n.rung = e.rung;
        n.denied = 0;
        n.said.clear();
        n.next = never;
        n.last = e.at;
    }

    /// Something newer takes its place.
    void renew(slot& s, time_point at) {
        if (s.now.id != notification_id{} && s.at == stage::open) ++figures_.superseded;
        // Microseconds, so that it is larger than those of an earlier run.
        const std::int64_t now = std::chrono::floor<std::chrono::microseconds>(at.time_since_epoch()).count();
        last_id_ = now > last_id_ ? now : last_id_ + 1;
        s.now.id = static_cast<notification_id>(last_id_);
        s.now.count = 1;
        s.now.attempt = 0;
        s.now.first = at;
        s.now.expires = after(at, options_.expire_after);
        s.record = record_;
        s.begin = s.sure = last_serial_ + 1;
        s.at = stage::open;
        s.retry_at = at;
        changed_ = true;
    }

    // How far its delivery is

    /// What time alone does to a slot; true if a delivery is due.
    bool ready(slot& s, std::size_t index) {
        if (s.sending && now_ >= s.due) {
            stop_sending(s);
            ++figures_.overdue;
            if (s.at == stage::open && !before(s.serial, s.begin)) retry(s, {});
        }
        if (s.sending) return false;
        if (s.at == stage::open && now_ >= s.now.expires) {
            s.at = stage::expired;
            s.settled = now_;
            ++figures_.expired;
        }
        if (s.at == stage::open) return now_ >= told_at(s);
        if (now_ >= forget_at(s)) forget(index);
        return false;
    }
    /// When its next delivery is due.
    [[nodiscard]] time_point told_at(const slot& s) const noexcept {
        return s.record <= durable_ ? s.retry_at : later(s.retry_at, after(s.now.first, options_.journal_within));
    }
    /// A trouble is remembered until it is over and no older delivery can arrive any more, as far as that can be known.
    [[nodiscard]] time_point forget_at(const slot& s) const noexcept {
        if (s.now.kind == notification_kind::page) return never;
        return s.unanswered == 0 ? s.settled : after(s.settled, options_.expire_after);
    }
    [[nodiscard]] op_id send(slot& s, std::size_t index) noexcept {
        ++under_way_;
        ++s.unanswered;
        ++figures_.deliveries;
        if (s.now.attempt != 0xffffU) ++s.now.attempt;
        s.sending = true;
        s.serial = ++last_serial_;
        s.due = after(now_, options_.answer_within);
        changed_ = true;
        return static_cast<op_id>(static_cast<std::uint64_t>(index) << 32U | s.serial);
    }
    void stop_sending(slot& s) noexcept {
        s.sending = false;
        s.due = never;
        --under_way_;
        changed_ = true; // there is room for another one
    }
    void retry(slot& s, duration at_least) noexcept {
        duration pause = wait_after(options_.retry, options_.seed,
                                    static_cast<incident_id>(static_cast<std::uint32_t>(s.now.id)), s.now.attempt);
        if (pause < shortest_pause) pause = shortest_pause;
        s.retry_at = after(now_, at_least > pause ? at_least : pause);
    }
    void arrived(slot& s) noexcept {
        if (s.at == stage::acknowledged) return;
        s.at = stage::acknowledged;
        s.settled = now_;
        ++figures_.acknowledged;
    }
    /// Only a delivery from now on makes sure that the newest state is the last that arrives.
    void doubt(slot& s) noexcept {
        s.sure = last_serial_ + 1;
        if (s.now.attempt == 0 || s.at == stage::expired) return;
        ++figures_.repeated;
        if (s.at == stage::open) return; // it will be sent again, or is under way and does not count
        s.at = stage::open;
        s.retry_at = now_;
        s.now.expires = after(now_, options_.expire_after);
    }
    /// Nothing is due: when will something be?
    void settle() noexcept {
        next_ = never;
        for (const slot& s : slots_) {
            if (!s.used) continue;
            time_point at = never;
            if (s.sending) at = s.due;
            else if (s.at != stage::open) at = forget_at(s);
            else at = under_way_ < options_.in_flight ? earlier(told_at(s), s.now.expires) : s.now.expires;
            next_ = earlier(next_, at);
        }
    }

    pager_options options_;
    std::vector<slot> slots_;
    std::vector<entry> index_;
    std::vector<std::uint32_t> free_;
    std::size_t under_way_ = 0;
    std::size_t turn_ = 0;
    std::uint32_t last_serial_ = 0;
    std::int64_t last_id_ = 0;
    sequence record_ = no_sequence; // of what is taken
    std::string_view said_;         // the same, while it is
    sequence durable_ = no_sequence;
    time_point now_ = (time_point::min)();
    time_point next_ = never;
    bool changed_ = false;
    pager_figures figures_{};
};

} // namespace reheat::inline REHEAT_ABI
