// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/concepts.hpp>
#include <reheat/driver/forwarding.hpp>
#include <reheat/driver/relay.hpp>
#include <reheat/runner/clocks.hpp>
#include <reheat/runner/journal.hpp>
#include <reheat/runner/pipeline.hpp>
#include <reheat/runner/time_view.hpp>
#include <reheat/sim/invariant_monitor.hpp>

#include <concepts>
#include <span>
#include <utility>

// Wrappers through which an invariant monitor sees what passes between a controller, its journal and its driver.

namespace reheat::inline REHEAT_ABI {

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
class watched_driver : public driver_functions<watched_driver<Driver>, Driver, Driver> {
    using functions = driver_functions<watched_driver<Driver>, Driver, Driver>;
    friend functions;

public:
    using functions::functions;

    /// From now on calls are told, at the times of that source. Both are referred to.
    template <time_source Time>
    void tell(invariant_monitor& watch, Time& time, watch_answers answers = watch_answers::no) noexcept {
        watch_ = &watch;
        time_ = time_view{time};
        answers_ = answers;
    }

private:
    template <class Function, class... Proofs>
    void on_call(Function f, const request& r, completion done, Proofs&&... proofs) {
        if (watch_ != nullptr) {
            watch_->called(r, all_of(proofs...), time_.now());
            if (answers_ == watch_answers::yes)
                done = overheard(std::move(done), [watch = watch_, time = time_, op = r.op](const outcome& o) noexcept {
                    watch->completed(op, o, time.now());
                });
        }
        detail::call_function(f, static_cast<Driver&>(*this), r, std::move(done), std::forward<Proofs>(proofs)...);
    }
    [[nodiscard]] static std::span<const proof_of_death> all_of() noexcept { return {}; }
    [[nodiscard]] static std::span<const proof_of_death> all_of(const proof_of_death& one) noexcept {
        return {&one, 1};
    }
    [[nodiscard]] static std::span<const proof_of_death> all_of(std::span<proof_of_death> many) noexcept {
        return many;
    }

    invariant_monitor* watch_ = nullptr;
    time_view time_;
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
        Notifier::notify(n, overheard(std::move(done), [watch = watch_, what = n](const outcome& o) noexcept {
                             if (o.code == outcome_code::done) watch->arrived(what);
                         }));
    }

private:
    invariant_monitor* watch_ = nullptr;
};

} // namespace reheat::inline REHEAT_ABI
