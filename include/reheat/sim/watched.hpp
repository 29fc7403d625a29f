// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/concepts.hpp>
#include <reheat/runner/clocks.hpp>
#include <reheat/runner/journal.hpp>
#include <reheat/runner/pipeline.hpp>
#include <reheat/sim/invariant_monitor.hpp>

#include <concepts>
#include <span>
#include <utility>

// Wrappers through which an invariant monitor sees what passes between a controller, its journal and its driver.

namespace reheat::inline REHEAT_ABI {

namespace detail {

/// The time, of whatever source, by reference.
class time_ref {
public:
    time_ref() noexcept = default;
    template <time_source Time>
    explicit time_ref(Time& of) noexcept
        : of_{&of}, now_{[](void* source) { return static_cast<Time*>(source)->now(); }} {}
    [[nodiscard]] time_point now() const { return now_(of_); }

private:
    void* of_ = nullptr;
    time_point (*now_)(void*) = nullptr;
};

/// Tells a monitor the outcome of one call on its way.
class watched_answer final : public completion_sink {
public:
    watched_answer(completion to, invariant_monitor& watch, time_ref time) noexcept
        : to_{std::move(to)}, watch_{&watch}, time_{time} {}
    void deliver(op_id op, outcome&& result, bool repeated) noexcept override {
        if (!repeated) watch_->completed(op, result, time_.now());
        to_(std::move(result));
    }

private:
    ~watched_answer() override = default;

    completion to_;
    invariant_monitor* watch_;
    time_ref time_;
};

} // namespace detail

/// Whether a watched driver tells the outcomes too. Only where the driver answers on the pipeline's own thread, as a
/// simulated one does.
enum class watch_answers : bool { no, yes };

/// A driver whose calls an invariant monitor is told of, with exactly the capabilities of `Driver`. It outlives its
/// pipeline, and the monitor outlives its calls. Threads: as of the pipeline.
///
///     watched_driver<my_cloud> cloud; // takes the arguments of my_cloud
///     pipeline ha{cloud, system_time{}, three_levels};
///     invariant_monitor watch{ha.state()};
///     cloud.tell(watch, ha.time());
template <cloud_driver Driver>
class watched_driver : public Driver {
public:
    using Driver::Driver;

    /// From now on calls are told, at the times of that source. Both are referred to.
    template <time_source Time>
    void tell(invariant_monitor& watch, Time& time, watch_answers answers = watch_answers::no) noexcept {
        watch_ = &watch;
        time_ = detail::time_ref{time};
        answers_ = answers;
    }

    void describe(const request& r, completion done) { Driver::describe(r, note(r, std::move(done))); }
    void create(const request& r, completion done)
        requires creates_instances<Driver>
    {
        Driver::create(r, note(r, std::move(done)));
    }
    void restart_service(const request& r, completion done)
        requires restarts_services<Driver>
    {
        Driver::restart_service(r, note(r, std::move(done)));
    }
    void reboot(const request& r, completion done)
        requires reboots_instances<Driver>
    {
        Driver::reboot(r, note(r, std::move(done)));
    }
    void rebuild(const request& r, completion done)
        requires rebuilds_instances<Driver>
    {
        Driver::rebuild(r, note(r, std::move(done)));
    }
    void fence(const request& r, completion done)
        requires fences_instances<Driver>
    {
        Driver::fence(r, note(r, std::move(done)));
    }
    void recreate(const request& r, proof_of_death proof, completion done)
        requires recreates_instances<Driver>
    {
        done = note(r, std::move(done), std::span{&proof, 1});
        Driver::recreate(r, std::move(proof), std::move(done));
    }
    void evacuate(const request& r, proof_of_death proof, completion done)
        requires evacuates_instances<Driver>
    {
        done = note(r, std::move(done), std::span{&proof, 1});
        Driver::evacuate(r, std::move(proof), std::move(done));
    }
    void forensics(const request& r, completion done)
        requires collects_forensics<Driver>
    {
        Driver::forensics(r, note(r, std::move(done)));
    }
    void converge(const request& r, std::span<proof_of_death> proofs, completion done)
        requires converges_stacks<Driver>
    {
        done = note(r, std::move(done), proofs);
        Driver::converge(r, proofs, std::move(done));
    }

private:
    [[nodiscard]] completion note(const request& r, completion done, std::span<const proof_of_death> proofs = {}) {
        if (watch_ == nullptr) return done;
        watch_->called(r, proofs, time_.now());
        if (answers_ == watch_answers::no) return done;
        auto* const relay = new detail::watched_answer{std::move(done), *watch_, time_};
        completion told{r.op, *relay};
        relay->release(); // from now on the completion owns it
        return told;
    }

    invariant_monitor* watch_ = nullptr;
    detail::time_ref time_;
    watch_answers answers_ = watch_answers::no;
};

/// A journal whose records an invariant monitor is told of, with all that `Journal` has.
///
///     pipeline<my_cloud, system_time, watched_journal<file_journal>> ha{cloud, system_time{}, steps,
///     {{"ha.journal"}}}; ha.log().tell(watch);
template <journal Journal>
class watched_journal : public Journal {
public:
    watched_journal()
        requires std::default_initializable<Journal>
    = default;
    watched_journal(Journal of) : Journal{std::move(of)} {} // NOLINT(google-explicit-constructor)

    /// From now on records are told. The monitor is referred to.
    void tell(invariant_monitor& watch) noexcept { watch_ = &watch; }

    result<void> append(std::span<const record> records) {
        auto written = Journal::append(records);
        if (written && watch_ != nullptr) {
            for (const record& r : records) watch_->recorded(r);
        }
        return written;
    }
    [[nodiscard]] sequence durable() const {
        const sequence upto = Journal::durable();
        if (watch_ != nullptr) watch_->durable(upto);
        return upto;
    }

private:
    invariant_monitor* watch_ = nullptr;
};

/// A sink that tells a monitor of each event before another sink, as a pager, hears of it.
///
///     watched_sink told{watch, pages};
///     auto come_back_at = ha.poll(told);
template <class Sink>
    requires requires(Sink& sink, const event& e) { sink(e); }
class watched_sink {
public:
    watched_sink(invariant_monitor& watch, Sink& sink) noexcept : watch_{&watch}, sink_{&sink} {}
    void operator()(const event& e) {
        (*watch_)(e);
        (*sink_)(e);
    }
    time_point poll(time_point now) {
        time_point due = watch_->poll(now);
        if constexpr (timed_sink<Sink>) due = earlier(due, sink_->poll(now));
        return due;
    }

private:
    invariant_monitor* watch_;
    Sink* sink_;
};

/// A notifier whose deliveries a monitor is told of as they arrive: when the receiver answers `done`, which has to
/// happen inside the call or on the pipeline's thread.
///
///     watched_notifier<mailer> out;
///     pager pages{out, ha};
///     out.tell(watch);
template <class Notifier>
class watched_notifier : public Notifier {
public:
    using Notifier::Notifier;

    void tell(invariant_monitor& watch) noexcept {
        watch_ = &watch;
        watch.hears_notifications();
    }
    void notify(const notification& n, completion done) {
        if (watch_ == nullptr) return Notifier::notify(n, std::move(done));
        auto* const relay = new arrival{n, std::move(done), *watch_};
        completion told{relay->op(), *relay};
        relay->release();
        Notifier::notify(n, std::move(told));
    }

private:
    class arrival final : public completion_sink {
    public:
        arrival(const notification& n, completion to, invariant_monitor& watch)
            : what_{n}, to_{std::move(to)}, watch_{&watch} {}
        [[nodiscard]] op_id op() const noexcept { return to_.op(); }
        void deliver(op_id, outcome&& result, bool repeated) noexcept override {
            if (!repeated && result.code == outcome_code::done) watch_->arrived(what_);
            to_(std::move(result));
        }

    private:
        ~arrival() override = default;
        notification what_;
        completion to_;
        invariant_monitor* watch_;
    };

    invariant_monitor* watch_ = nullptr;
};

} // namespace reheat::inline REHEAT_ABI
