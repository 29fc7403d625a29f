// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/action/proof_of_death.hpp>
#include <reheat/action/request.hpp>
#include <reheat/core/hash.hpp>
#include <reheat/driver/completion.hpp>
#include <reheat/sim/mock_book.hpp>
#include <reheat/sim/mock_hosts.hpp>
#include <reheat/sim/mock_machine.hpp>
#include <reheat/sim/mock_witness.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// A cloud in memory, on the caller's time: a driver with every capability, guests that send heartbeats, faults, and
/// replies that can be programmed. It moves only in `advance`. One thread at a time.
///
///     mock_cloud cloud;
///     cloud.add("db-1", {.stack = "wiki", .services = {"mysqld"}});
///     cloud.break_at(start + 5min, "db-1", fault::instance_lost);
class mock_cloud {
public:
    using setup = mock_setup;
    using machine = mock_machine;

    /// Makes an instance known. It runs at once unless `running` is false; then `create` makes it.
    void add(std::string_view name, setup how, bool running = true) {
        machine m;
        m.name = name;
        m.service_up.assign(how.services.size(), false);
        m.how = std::move(how);
        m.address = "10.0.0." + std::to_string(machines_.size() + 2);
        hosts_.note(m.how);
        machines_.push_back(std::move(m));
        if (running) {
            machines_.back().generation = machines_.back().roots = 1;
            machines_.back().come_up(now_);
        }
    }

    /// Nobody knows it any more.
    void remove(std::string_view name) {
        std::erase_if(machines_, [name](const machine& m) { return m.name == name; });
    }
    /// The power of one goes off, with that of older copies; nobody is told.
    void power_off(std::string_view name) noexcept {
        if (machine* m = find_machine(name); m != nullptr) m->switch_off();
    }

    /// Breaks something at a time. `service` names the process for `fault::service_dies`; the first one if empty.
    void break_at(time_point at, std::string_view name, fault what, std::string_view service = {}) {
        schedule({at,
                  ++order_,
                  std::string{name},
                  std::string{service},
                  what,
                  {},
                  {},
                  {},
                  operation::none,
                  {},
                  {},
                  {},
                  0,
                  false});
    }
    /// The next call of that operation goes like that; several queue up.
    void reply(operation what, mock_reply r) { replies_[static_cast<std::size_t>(what)].push_back(std::move(r)); }
    /// Every further call of that operation goes like that, where none is queued. The newest of those that fit counts.
    void always_reply(operation what, mock_reply r) {
        standing_[static_cast<std::size_t>(what)].push_front(std::move(r));
    }
    /// Every further call of any operation goes as usual.
    void usual_replies() {
        replies_ = {};
        standing_ = {};
    }
    /// How long calls of that operation take.
    void set_latency(operation what, duration d) noexcept { latency_[static_cast<std::size_t>(what)] = d; }
    [[nodiscard]] duration latency(operation what) const noexcept { return latency_[static_cast<std::size_t>(what)]; }

    /// All hosts of a place end at once, with what runs there, and their management boards with them or not.
    void fail_hosts(mock_place where, std::string_view name, bool boards_too) {
        hosts_.set(where, name, boards_too ? mock_hosts::state::dark : mock_hosts::state::crashed);
        for (machine& m : machines_) {
            if (!mock_hosts::is_in(where, name, m.how) || !m.has_power()) continue;
            m.is = condition::lost;
            m.booted_at = m.watchdog_at = never;
        }
    }
    /// They run again, can be reached and heard, and boot what had not been fenced or moved.
    void return_hosts(mock_place where, std::string_view name) {
        hosts_.set(where, name, mock_hosts::state::up);
        hosts_.silence(where, name, false);
        hosts_.cut_off(where, name, false);
        for (machine& m : machines_) {
            if (mock_hosts::is_in(where, name, m.how) && m.is == condition::lost) m.boot(now_);
        }
    }
    /// Who can be reached and heard.
    [[nodiscard]] mock_hosts& hosts() noexcept { return hosts_; }
    /// The guest restarts a service by itself, if it can.
    void restart_in_guest(std::string_view name, std::string_view service) noexcept {
        machine* m = find_machine(name);
        if (m == nullptr || m->is != condition::running) return;
        for (std::size_t s = 0; s < m->service_up.size(); ++s) {
            if (m->how.services[s] == service) m->service_up[s] = true;
        }
    }
    /// A machine's watchdog resets it for good then; `never`: it is fed.
    void set_watchdog(std::string_view name, time_point at) noexcept {
        if (machine* m = find_machine(name); m != nullptr) m->watchdog_at = at;
    }

    /// Lets somebody look on, who outlives it; or nobody.
    void be_watched(mock_witness* by) noexcept { witness_ = by; }

    /// When something happens next.
    [[nodiscard]] time_point next() const noexcept {
        time_point earliest = due_.empty() ? never : due_.front().at;
        for (const machine& m : machines_) {
            earliest = earlier(earliest, earlier(m.booted_at, m.works() ? m.next_heartbeat : never));
            if (m.has_power()) earliest = earlier(earliest, m.watchdog_at);
        }
        return earliest;
    }

    /// Lets everything happen up to and with `now`, in order. `sink(instance, service)` is called for each one that a
    /// guest sends; the service is empty for the instance's own.
    template <class Sink>
        requires requires(Sink& sink, std::string_view text) { sink(text, text); }
    void advance(time_point now, Sink&& sink) {
        if (now_ == (time_point::min)()) now_ = now; // the world begins with the first look at it
        while (next() <= now) {
            now_ = later(now_, next());
            if (!due_.empty() && due_.front().at <= now_) {
                happening h = std::move(due_.front());
                due_.erase(due_.begin());
                happen(h);
                continue;
            }
            for (machine& m : machines_) {
                if (m.booted_at <= now_) m.come_up(now_);
                if (m.watchdog_at <= now_) m.switch_off();
                if (!m.works() || m.next_heartbeat > now_) continue;
                m.next_heartbeat = m.how.heartbeats ? after(now_, m.how.heartbeat_every) : never;
                if (!m.how.heartbeats || !hosts_.heard(m.how)) continue;
                sink(std::string_view{m.name}, std::string_view{});
                for (std::size_t s = 0; s < m.service_up.size(); ++s) {
                    if (m.service_up[s]) sink(std::string_view{m.name}, std::string_view{m.how.services[s]});
                }
            }
        }
        now_ = later(now_, now);
    }

    [[nodiscard]] const machine* find(std::string_view name) const noexcept {
        for (const machine& m : machines_) {
            if (m.name == name) return &m;
        }
        return nullptr;
    }
    /// For what no fault does: the hand of a test.
    [[nodiscard]] machine* edit(std::string_view name) noexcept { return find_machine(name); }
    /// The latest moment that it was moved to.
    [[nodiscard]] time_point now() const noexcept { return now_; }
    [[nodiscard]] std::span<const machine> machines() const noexcept { return machines_; }
    [[nodiscard]] std::span<const mock_call> calls() const noexcept { return calls_; }
    /// How often that operation was called for that name; an empty name means any.
    [[nodiscard]] std::size_t count(operation what, std::string_view name = {}) const noexcept {
        std::size_t n = 0;
        for (const mock_call& c : calls_) n += c.what == what && (name.empty() || c.name == name) ? 1U : 0U;
        return n;
    }
    /// How often a second copy of an instance was started while the first still had power. Always 0, or something is
    /// wrong.
    [[nodiscard]] std::size_t second_copies() const noexcept { return second_copies_; }

    // The driver

    void describe(const request& r, completion done) { answer(r, std::move(done)); }
    void create(const request& r, completion done) { answer(r, std::move(done)); }
    void restart_service(const request& r, completion done) { answer(r, std::move(done)); }
    void reboot(const request& r, completion done) { answer(r, std::move(done)); }
    void rebuild(const request& r, completion done) { answer(r, std::move(done)); }
    void fence(const request& r, completion done) { answer(r, std::move(done)); }
    void recreate(const request& r, proof_of_death why, completion done) { answer(r, std::move(done), why.kind()); }
    void forensics(const request& r, completion done) { answer(r, std::move(done)); }
    void evacuate(const request& r, proof_of_death why, completion done) { answer(r, std::move(done), why.kind()); }
    void converge(const request& r, std::span<proof_of_death> proofs, completion done) {
        // Which machine a proof is for is the engine's to know; without any, none may be made anew.
        answer(r, std::move(done), proofs.empty() ? std::nullopt : std::optional{proofs.front().kind()});
    }

private:
    using condition = machine::condition;

    struct happening {
        time_point at;
        std::uint64_t order;
        std::string name;
        std::string service;
        std::optional<fault> breaks;
        std::optional<completion> done;
        mock_reply how;
        std::string stack;
        operation what;
        std::string copy; // an old one, if that is meant
        std::string method;
        std::optional<proof_kind> proof; // the first, where there are several
        std::uint64_t key;
        bool over; // a newer controller has called
    };

    void schedule(happening h) {
        const auto place = std::upper_bound(due_.begin(), due_.end(), h.at,
                                            [](time_point at, const happening& other) { return at < other.at; });
        due_.insert(place, std::move(h));
    }

    void answer(const request& r, completion done, std::optional<proof_kind> proof = {}) {
        const mock_call call{now_, r.what, r.op, r.key, r.reign, std::string{r.name}, std::string{r.method}, r.hard};
        if (witness_ != nullptr) witness_->before(call);
        calls_.push_back(call);
        const auto which = static_cast<std::size_t>(r.what);
        mock_reply how = reply_to(r);
        if (!hosts_.all_reachable() || (r.what != operation::converge_stack && !reaches(r))) {
            how.code = outcome_code::unknown; // it did not get there, and nobody can tell
            how.takes_effect = false;
        }
        const bool over = hosts_.all_reachable() && !book_.may_reign(r.reign);
        happening h{now_,
                    ++order_,
                    std::string{r.instance.empty() ? r.name : r.instance},
                    std::string{r.service},
                    {},
                    std::move(done),
                    how,
                    std::string{r.stack},
                    r.what,
                    std::string{r.replaced ? r.cloud_id : std::string_view{}},
                    std::string{r.method},
                    proof,
                    r.key,
                    over};
        if (how.how == mock_reply::manner::at_once) {
            happen(h);
        } else {
            h.at = after(now_, how.latency.value_or(latency_[which]));
            schedule(std::move(h));
        }
        if (witness_ != nullptr) witness_->after(call);
    }

    /// The first that is queued for such a call, else the newest that always goes for it, else as usual.
    [[nodiscard]] mock_reply reply_to(const request& r) {
        const auto fits = [&r](const mock_reply& how) {
            return (how.only.empty() || how.only == r.name) && (how.method.empty() || how.method == r.method);
        };
        const auto which = static_cast<std::size_t>(r.what);
        std::deque<mock_reply>& queued = replies_[which];
        if (const auto next = std::find_if(queued.begin(), queued.end(), fits); next != queued.end()) {
            mock_reply how = std::move(*next);
            queued.erase(next);
            return how;
        }
        const std::deque<mock_reply>& always = standing_[which];
        const auto found = std::find_if(always.begin(), always.end(), fits);
        return found == always.end() ? mock_reply{} : *found;
    }
    [[nodiscard]] bool reaches(const request& r) const {
        const machine* m = find(r.instance.empty() ? r.name : r.instance);
        return m == nullptr || hosts_.reachable(m->how);
    }

    void happen(happening& h) {
        if (h.breaks) return break_now(h);
        outcome result =
            h.how.code == outcome_code::done || h.how.takes_effect ? carry_out(h) : outcome::failed("as programmed");
        if (h.how.code != outcome_code::done) {
            result.code = h.how.code;
            result.reason = "as programmed";
            result.retry_after = h.how.retry_after;
        }
        switch (h.how.how) {
        case mock_reply::manner::abandoned: return;
        case mock_reply::manner::silent: silenced_.push_back(std::move(*h.done)); return;
        case mock_reply::manner::twice: (*h.done)(result); [[fallthrough]];
        default: (*h.done)(std::move(result));
        }
        if (witness_ != nullptr) witness_->completed();
    }

    void break_now(const happening& h) {
        machine* m = find_machine(h.name);
        if (m == nullptr) return;
        switch (*h.breaks) {
        case fault::service_dies:
            for (std::size_t s = 0; s < m->service_up.size(); ++s) {
                if (h.service.empty() ? s == 0 : m->how.services[s] == h.service) m->service_up[s] = false;
            }
            break;
        case fault::instance_hangs:
        case fault::instance_lost:
            if (!m->has_power()) break;
            m->is = *h.breaks == fault::instance_hangs ? condition::hung : condition::lost;
            m->booted_at = never;
            break;
        case fault::stack_breaks: m->broken = true; break;
        }
    }

    /// No call of a reign that is over, and no intent twice.
    outcome carry_out(const happening& h) {
        if (h.what == operation::describe) return act(h);
        if (h.over) return outcome::refused("its reign is over");
        if (const outcome* before = book_.find(h.key)) return *before;
        outcome result = act(h);
        book_.keep(h.key, result);
        return result;
    }

    outcome act(const happening& h) {
        if (h.what == operation::converge_stack) {
            for (machine& m : machines_) {
                if (m.how.stack != h.stack || m.how.foreign || !hosts_.reachable(m.how)) continue;
                m.broken = false;
                // What still has power is nobody's to replace.
                const bool gone = m.is == condition::lost && hosts_.of(m.how.host) != mock_hosts::state::up;
                if (h.proof && (m.is == condition::off || gone) && hosts_.move(m.how, machines_)) renew(m);
            }
            return outcome::done();
        }
        machine* m = find_machine(h.name);
        if (m == nullptr)
            return h.what == operation::describe ? outcome::done(mock_machine::state(false, false))
                                                 : outcome::refused("no such instance");
        if (h.what == operation::describe) return outcome::done(m->seen());
        if (m->how.foreign) return outcome::refused("it is somebody else's");
        switch (h.what) {
        case operation::create_instance:
            if (m->generation != 0) return outcome::refused("it exists");
            renew(*m);
            return outcome::done(m->seen());
        case operation::restart_service:
            if (m->is != condition::running) return outcome::failed("the guest agent does not answer");
            if (std::count(m->how.services.begin(), m->how.services.end(), h.service) == 0)
                return outcome::refused("no such service");
            for (std::size_t s = 0; s < m->service_up.size(); ++s) {
                if (m->how.services[s] == h.service) m->service_up[s] = true;
            }
            if (!m->broken) m->next_heartbeat = now_;
            return outcome::done();
        case operation::reboot_instance:
        case operation::rebuild_instance:
            if (m->is == condition::lost) return outcome::failed("its host does not answer");
            if (!m->has_power()) return outcome::failed("it was switched off");
            if (h.what == operation::rebuild_instance) ++m->roots;
            m->boot(now_);
            return outcome::done(m->seen());
        case operation::fence_instance:
            if (!hosts_.knows(h.method)) return outcome::refused("no such way to fence");
            // A copy that was replaced is not the one that runs under the name now.
            if (!h.copy.empty() && h.copy != m->cloud_id()) {
                m->strays = 0;
                return outcome::done(mock_machine::state(true, false));
            }
            if (!hosts_.fences(m->how, h.method)) return outcome::failed("its board does not answer");
            m->switch_off();
            return outcome::done(mock_machine::state(m->generation != 0, false));
        case operation::collect_forensics: return outcome::done();
        case operation::recreate_instance:
        case operation::evacuate_instance: return replace(*m, h);
        default: return outcome::refused("no such operation");
        }
    }

    /// A new machine under the old name, on another host if its own does not run.
    outcome replace(machine& m, const happening& h) {
        // A proof that speaks of a fence that was not is the same mistake as none.
        const bool could_run = m.is == condition::lost && hosts_.of(m.how.host) == mock_hosts::state::up;
        if (could_run && h.proof == proof_kind::fenced) ++second_copies_;
        if (!hosts_.move(m.how, machines_)) return outcome::refused("no host has room");
        renew(m, h.what == operation::evacuate_instance);
        return outcome::done(m.seen());
    }
    /// If the old one has power, two run: the mistake that must never happen.
    void renew(machine& m, bool moved = false) {
        if (m.has_power()) {
            ++second_copies_;
            ++m.strays;
        }
        if (!moved) ++m.generation;
        if (!moved) ++m.roots;
        m.boot(now_);
    }
    [[nodiscard]] machine* find_machine(std::string_view name) noexcept { return const_cast<machine*>(find(name)); }

    std::vector<machine> machines_;
    std::vector<happening> due_; // by time, then by order of scheduling
    std::vector<mock_call> calls_;
    std::vector<completion> silenced_;
    std::array<std::deque<mock_reply>, operation_count> replies_;
    std::array<std::deque<mock_reply>, operation_count> standing_; // newest first
    mock_hosts hosts_;
    mock_book book_;
    std::array<duration, operation_count> latency_{
        std::chrono::seconds{0},  std::chrono::seconds{1},  std::chrono::seconds{20}, std::chrono::seconds{5},
        std::chrono::seconds{10}, std::chrono::seconds{60}, std::chrono::seconds{15}, std::chrono::seconds{60},
        std::chrono::seconds{60}, std::chrono::seconds{90}, std::chrono::seconds{0},  std::chrono::seconds{0},
        std::chrono::seconds{5}};
    time_point now_ = (time_point::min)();
    std::uint64_t order_ = 0;
    std::size_t second_copies_ = 0;
    mock_witness* witness_ = nullptr;
};

} // namespace reheat::inline REHEAT_ABI
