// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>
#include <reheat/recovery/climbable.hpp>
#include <reheat/recovery/ladder.hpp>
#include <reheat/runner/clocks.hpp>
#include <reheat/runner/dispatch.hpp>
#include <reheat/runner/journal.hpp>
#include <reheat/runner/mailbox.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// A sink of events that also has something to do in time: `poll` does what is due and says when to come back.
template <class S>
concept timed_sink = requires(S& sink, time_point now) {
    { sink.poll(now) } -> std::same_as<time_point>;
};

/// Runs an engine on a driver, a time source and a journal: steps it, writes its records, makes its calls, takes their
/// outcomes. It refers to the driver, which must outlive it, and owns the rest. The constructor cannot fail and does
/// nothing; `open` does. Not movable.
///
/// `post` and the completions of the driver may be used from any thread, everything else from one thread at a time.
///
///     my_cloud cloud;
///     pipeline ha{cloud, system_time{}, three_levels};
///     auto db = ha.add(instance{.name = "db-1"});
///     ha.watch(*db, heartbeat_alarm{.period = 60s});
///     ha.run(stop);
///
/// `Engine` is `engine`, or `recorder` to keep what it is told.
template <class Driver, time_source Time, journal Journal = volatile_journal, class Engine = engine>
class pipeline {
public:
    /// The ladder is checked against the driver here, at compile time.
    template <rung_type... Rungs>
    pipeline(Driver& driver, Time time, const ladder<Rungs...>& with, Journal log = {}, engine_options options = {})
        : pipeline(driver, std::move(time), with.lowered(), std::move(log), options) {
        // `require_climbable`, written out: each level of calls is three lines of a compiler's message.
        static_cast<void>(sizeof(detail::lacking<Driver, Rungs...>));
    }
    /// The policy is only known at run time: `open` checks it against the driver.
    pipeline(Driver& driver, Time time, const policy& rules, Journal log = {}, engine_options options = {})
        : driver_{&driver}, time_{std::move(time)}, journal_{std::move(log)}, engine_{rules, options}, rules_{rules},
          mail_{new mailbox{1024, 8192}} {}
    pipeline(const pipeline&) = delete;
    pipeline& operator=(const pipeline&) = delete;
    /// Completions that are still out there do nothing from now on.
    ~pipeline() {
        mail_->close();
        mail_->release();
    }

    /// Checks the policy and opens the journal. Call it once, before anything is added. What an earlier run wrote is
    /// gone on with by the first `poll`: add what there was under its old names before. That needs a journal with
    /// `replay` and `engine/resume.hpp`; `unsupported` without.
    result<void> open() {
        if (auto can = check_climbable(rules_, capabilities_of(driver_)); !can) return can;
        if (auto opened = journal_.open(); !opened) return opened;
        if (journal_.durable() == no_sequence) return {};
        if constexpr (requires { resume_from(journal_, engine_); }) return resume_from(journal_, engine_);
        else return error{errc::unsupported, {}, "the journal has records of an earlier run, and no resume.hpp"};
    }

    /// Adds a policy beside the first one; an error if the driver lacks a function for one of its rungs.
    result<policy_id> add_policy(const policy& rules) {
        if (auto can = check_climbable(rules, capabilities_of(driver_)); !can) return std::move(can).error();
        return engine_.add_policy(rules);
    }
    result<target_id> add(const stack& s) { return engine_.add(s); }
    result<target_id> add(const instance& i) { return engine_.add(i); }
    result<target_id> add(const service& s) { return engine_.add(s); }

    /// Watches a target by an alarm, from now on.
    template <alarm_rule Rule>
    result<watch_id> watch(target_id target, const Rule& rule) {
        return engine_.watch(target, rule, time_.now());
    }
    result<watch_id> watch(target_id target, const heartbeat_alarm& alarm) { return watch(target, alarm.rule()); }

    /// A sample for one alarm, received now.
    void push(watch_id watch, double value) noexcept { engine_.push(watch, time_.now(), value); }
    /// A sample for every alarm that is watched on a target, received now.
    void push(target_id target, double value) noexcept {
        engine_.each_watch(target, [&](watch_id w) { push(w, value); });
    }
    /// The same from any thread, if the time source may be read from it; false if the inbox is full, which is counted
    /// and told as an event.
    bool post(watch_id watch, double value) noexcept {
        const bool taken = mail_->samples.put({watch, time_.now(), value});
        mail_->wake();
        return taken;
    }
    void observe(const observation& seen) { engine_.observe(seen); }
    void operate(const operator_input& word) { engine_.operate(word, time_.now()); }
    void order_creation(target_id instance) { engine_.order_creation(instance, time_.now()); }
    void guest_restarted(target_id target) { engine_.guest_restarted(target, time_.now()); }
    void host_died(std::string_view host, proof_kind by) { engine_.host_died(host, by, time_.now()); }
    void host_returned(std::string_view host) { engine_.host_returned(host, time_.now()); }
    void renew(const lease& l) { engine_.renew(l); }
    void sighted(const copy_sighting& seen) { engine_.sighted(seen, time_.now()); }
    void tell_capacity(std::string_view zone, std::uint32_t room) { engine_.tell_capacity(zone, room, time_.now()); }
    void leads(epoch reign, time_point until = never) { engine_.leads(reign, until, time_.now()); }
    void lost_lead() { engine_.lost_lead(time_.now()); }
    result<void> depend(target_id dependent, target_id on) { return engine_.depend(dependent, on); }
    template <recovery_guard G>
    void add_guard(const G& guard) {
        engine_.add_guard(guard);
    }
    template <recovery_guard G>
    void add_guard(const G&& guard) = delete;
    /// Replaces a policy; an error if the driver lacks a function for one of its rungs.
    result<void> change_policy(policy_id which, const policy& to) {
        if (auto can = check_climbable(to, capabilities_of(driver_)); !can) return can;
        engine_.change_policy(which, to, time_.now());
        return {};
    }
    /// Opens a journal that has failed again and appends what it refused; until then no action begins.
    result<void> reopen_journal() {
        if (auto opened = journal_.open(); !opened) return opened;
        if (!unwritten_.empty()) {
            if (auto written = journal_.append(unwritten_); !written) return written;
            unwritten_.clear();
        }
        engine_.journal_reopened();
        return {};
    }

    /// Does what is due and says when to come back; `never` if only an input can change anything. `sink` is called with
    /// each event, in order; it and the driver may use the pipeline's inputs, not `poll`. If one of them throws, the
    /// exception comes out here and the next `poll` goes on behind it: the outcome of that call is unknown. A driver or
    /// sink that is polled too, as a `deadline_driver` or a `pager` is, is so last, and once.
    template <class Sink>
        requires requires(Sink& sink, const event& e) { sink(e); }
    time_point poll(Sink&& sink) {
        finish_step(sink); // what an exception has left over
        for (;;) {
            take_mail();
            out_.clear();
            called_ = told_ = 0;
            engine_.step(time_.now(), out_);
            write_records();
            finish_step(sink);
            if (!out_.empty()) continue;
            const time_point now = time_.now();
            time_point due = engine_.next();
            if (due <= now) continue;
            // Once: a sink that is slow must not keep out whoever has inputs.
            if constexpr (timed_sink<Driver>) due = earlier(due, driver_->poll(now));
            if constexpr (timed_sink<Sink>) due = earlier(due, sink.poll(now));
            return earlier(due, engine_.next());
        }
    }
    time_point poll() {
        return poll([](const event&) {});
    }

    /// Polls until `stop.stop_requested()`, sleeping in between; see `runner/run.hpp`, which has to be included.
    template <class Stop, class Sink>
    void run(const Stop& stop, Sink&& sink) {
        run_until_stopped(*this, stop, sink);
    }
    template <class Stop>
    void run(const Stop& stop) {
        run(stop, [](const event&) {});
    }

    [[nodiscard]] const Engine& state() const noexcept { return engine_; }
    [[nodiscard]] Engine& state() noexcept { return engine_; }
    [[nodiscard]] Time& time() noexcept { return time_; }
    [[nodiscard]] Journal& log() noexcept { return journal_; }
    /// Where other threads' outcomes and samples arrive.
    [[nodiscard]] mailbox& mail() noexcept { return *mail_; }

private:
    struct failure_guard {
        pipeline& of;
        const bool& written;
        ~failure_guard() {
            if (written) return;
            of.unwritten_.swap(of.out_.records);
            of.engine_.journal_failed();
        }
    };

    void take_mail() {
        delivered_outcome done;
        while (mail_->outcomes.take(done))
            engine_.complete(done.op, time_.now(), std::move(done.result), done.repeated);
        posted_sample sample;
        while (mail_->samples.take(sample)) engine_.push(sample.watch, sample.at, sample.value);
        const std::uint64_t lost = mail_->outcomes.take_losses() + mail_->samples.take_losses();
        if (lost != 0) engine_.overflowed(lost, time_.now());
    }

    void write_records() {
        if (engine_.deposed()) return; // the journal is the next leader's
        // What comes after a refused record waits with it: a journal has no gaps.
        if (!unwritten_.empty()) {
            for (const record& r : out_.records) unwritten_.push_back(r);
        } else if (!out_.records.empty()) {
            // Failed until it has said otherwise, so that one that throws counts as failed too.
            bool written = false;
            const failure_guard guard{*this, written};
            const result<void> appended = journal_.append(out_.records);
            written = appended.has_value();
            if (written || appended.error().code != errc::denied) return engine_.durable(journal_.durable());
            // Another controller leads. What this step decided, before that was known, is not called.
            lost_lead();
            for (call& c : out_.calls) c.start_by = (time_point::min)();
        }
        engine_.durable(journal_.durable());
    }

    /// Makes the calls and tells the events of the last step, each once, also when one of them throws.
    template <class Sink>
    void finish_step(Sink& sink) {
        while (called_ < out_.calls.size()) {
            call& c = out_.calls[called_++];
            dispatch(*driver_, c, time_.now(), completion{c.what.op, *mail_});
        }
        while (told_ < out_.events.size()) sink(std::as_const(out_.events[told_++]));
    }

    Driver* driver_;
    Time time_;
    Journal journal_;
    Engine engine_;
    policy rules_;
    mailbox* mail_;
    outputs out_;
    std::vector<record> unwritten_; // refused by the journal, in order
    std::size_t called_ = 0;        // calls of `out_` that were made
    std::size_t told_ = 0;          // events of `out_` that were told
};

template <class Driver, class Time, rung_type... Rungs>
pipeline(Driver&, Time, const ladder<Rungs...>&) -> pipeline<Driver, Time, volatile_journal>;
template <class Driver, class Time>
pipeline(Driver&, Time, const policy&) -> pipeline<Driver, Time, volatile_journal>;

} // namespace reheat::inline REHEAT_ABI
