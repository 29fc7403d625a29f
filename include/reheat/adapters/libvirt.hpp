// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/action/proof_of_death.hpp>
#include <reheat/action/request.hpp>
#include <reheat/adapters/libvirt_calls.hpp>
#include <reheat/adapters/libvirt_core.hpp>
#include <reheat/adapters/libvirt_guest.hpp>
#include <reheat/adapters/libvirt_keeper.hpp>
#include <reheat/adapters/libvirt_making.hpp>
#include <reheat/adapters/libvirt_operations.hpp>
#include <reheat/adapters/libvirt_options.hpp>
#include <reheat/adapters/libvirt_ownership.hpp>
#include <reheat/core/result.hpp>
#include <reheat/driver/completion.hpp>
#include <reheat/driver/concepts.hpp>
#include <reheat/evidence/health.hpp>
#include <reheat/recovery/deaths.hpp>
#include <reheat/runner/clocks.hpp>
#include <reheat/runner/mailbox.hpp>
#include <reheat/runner/pipeline.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <libvirt/libvirt.h>
#include <memory>
#include <string_view>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// A driver for domains of one or more hypervisors, over libvirt. An instance is the domain of its name. Domains that
/// are not ours are never touched and never told of: ours are those with our mark (`adopt`) and those that
/// `libvirt_options::owned` names. docs/reference/libvirt.md says what each operation does.
///
/// Nothing of it blocks but `open`, `close`, `adopt`, `disown` and `keep`. Threads of each connection make it, make it
/// again when it broke, and carry out calls; completions come from them. The driver's functions, `connected`, `adopt`,
/// `disown` and `keep` may be called from any thread, the others from the pipeline's.
///
///     libvirt_driver cloud{{.hosts = {{.uri = "qemu:///system"}}, .descriptions = "/var/lib/ha/domains"}};
///     if (auto opened = cloud.open(); !opened) return fail(opened.error());
///     if (auto ours = cloud.adopt("db-1"); !ours) return fail(ours.error());
///     pipeline ha{cloud, system_time{}, steps};
///     libvirt_feed feed{cloud, ha, print}; // what libvirt tells becomes evidence
///     ha.run(stop, feed);
///
/// `Time` is what the deadlines of requests are in: the time source of the pipeline. `Moves` says whether a domain may
/// be started on another host than its own, which needs disks that all of them see: only then there is an `evacuate`.
template <time_source Time = system_time, bool Moves = false>
class basic_libvirt_driver {
public:
    explicit basic_libvirt_driver(libvirt_options options = {}, Time time = {})
        : core_{std::make_shared<detail::libvirt_core>(std::move(options), Moves)}, time_{std::move(time)} {}
    basic_libvirt_driver(const basic_libvirt_driver&) = delete;
    basic_libvirt_driver& operator=(const basic_libvirt_driver&) = delete;
    ~basic_libvirt_driver() { close(); }

    /// Starts the threads and waits until every connection has been made, at most so long. Errors: options that can not
    /// be (`invalid_argument`), a folder that can not be used (`io`), a hypervisor that did not answer in time
    /// (`unavailable`): it is tried on all the same, and the driver can be used.
    result<void> open(duration wait = std::chrono::seconds{10}) { return core_->open(wait); }
    /// Ends the threads. A call under way comes to its end first, those that wait are refused. Twice is once.
    void close() noexcept { core_->close(); }

    /// Whether there is a connection to that host now; to every one if the name is empty.
    [[nodiscard]] bool connected(std::string_view host = {}) const { return core_->connected(host); }

    /// Makes a domain ours, by a mark in its description. Errors: nobody has that name, or several hosts have
    /// (`not_found`, `already_exists`); another owner's mark (`denied`); `unavailable`, `io`.
    result<void> adopt(std::string_view domain) { return core_->adopt(domain); }
    /// Takes our mark off it again and forgets its description. Its domain stays as it is.
    result<void> disown(std::string_view domain) { return core_->disown(domain); }
    /// Keeps a description (libvirt's domain XML) of a domain that `create` is to make, or that the next `rebuild` is
    /// to take. The name in it is the instance's; of a domain that is defined it has to have the UUID, too. Errors:
    /// `syntax`, `denied` for a domain that is not ours, `io`.
    result<void> keep(std::string_view xml) { return core_->keep(xml); }

    /// Hands every event that has come since to `sink(const libvirt_event&)`, in order of their coming, and says how
    /// many were lost because too many waited.
    template <class Sink>
        requires requires(Sink& sink, const libvirt_event& e) { sink(e); }
    std::uint64_t take_events(Sink&& sink) {
        return core_->take_events(sink);
    }
    /// Tells a pipeline what has come since, as evidence of the instances of those names: accusations by the vantage
    /// `cloud_event`, states by `driver_status`, strays as sightings. `also(const libvirt_event&)` hears everything.
    /// The same thread as the pipeline's `poll`; returns how many there were.
    template <class Pipeline, class Also>
    std::size_t feed(Pipeline& ha, Also&& also) {
        std::size_t n = 0;
        const time_point now = ha.time().now();
        const auto here = std::chrono::steady_clock::now();
        const std::uint64_t lost = take_events([&](const libvirt_event& e) {
            ++n;
            also(e);
            if (e.domain.empty()) return;
            const target_id target = ha.state().find(level::instance, e.domain);
            if (target == no_target) return;
            const time_point at = now - std::chrono::duration_cast<duration>(here - e.at);
            const bool status = e.what == libvirt_event_kind::status;
            if (e.stray) {
                ha.sighted({.target = target, .cloud_id = e.cloud_id, .host = e.host, .running_since = at});
            } else if (status || detail::speaks_of_health(e.what)) {
                ha.observe({.target = target,
                            .from = status ? vantage::driver_status : vantage::cloud_event,
                            .seen = e.seen,
                            .at = at,
                            .polled = status});
            }
        });
        if (lost != 0) ha.state().overflowed(lost, now);
        return n;
    }
    template <class Pipeline>
    std::size_t feed(Pipeline& ha) {
        return feed(ha, [](const libvirt_event&) {});
    }
    /// Wakes whoever runs that pipeline when an event has come.
    void wakes(mailbox& mail) { core_->wakes(mail); }

    // The driver

    void describe(const request& r, completion done) { call(r, operation::describe, std::move(done)); }
    void create(const request& r, completion done) { call(r, operation::create_instance, std::move(done)); }
    void restart_service(const request& r, completion done) { call(r, operation::restart_service, std::move(done)); }
    void reboot(const request& r, completion done) { call(r, operation::reboot_instance, std::move(done)); }
    void rebuild(const request& r, completion done) { call(r, operation::rebuild_instance, std::move(done)); }
    void fence(const request& r, completion done) { call(r, operation::fence_instance, std::move(done)); }
    void forensics(const request& r, completion done) { call(r, operation::collect_forensics, std::move(done)); }
    void recreate(const request& r, proof_of_death proof, completion done) {
        if (proof.target() != r.target) return done(outcome::refused("the proof of death is of another target"));
        call(r, operation::recreate_instance, std::move(done));
    }
    void evacuate(const request& r, proof_of_death proof, completion done)
        requires Moves
    {
        if (proof.target() != r.target) return done(outcome::refused("the proof of death is of another target"));
        call(r, operation::evacuate_instance, std::move(done));
    }

private:
    void call(const request& r, operation what, completion done) {
        std::chrono::steady_clock::time_point by = detail::no_deadline;
        if (r.deadline != never) {
            const duration left = time_.real_wait(r.deadline);
            if (left == duration::zero()) return done(outcome::refused("too late: its deadline is over"));
            if (left > duration::zero()) by = detail::steady_after(left);
        }
        core_->call(r, what, by, std::move(done));
    }

    std::shared_ptr<detail::libvirt_core> core_;
    Time time_;
};

/// One hypervisor, or several whose domains stay where they are.
using libvirt_driver = basic_libvirt_driver<>;
/// Several hypervisors with shared disks.
using libvirt_cluster_driver = basic_libvirt_driver<system_time, true>;
static_assert(recreates_instances<libvirt_driver> && fences_instances<libvirt_driver> &&
              rebuilds_instances<libvirt_driver> && restarts_services<libvirt_driver> &&
              creates_instances<libvirt_driver> && collects_forensics<libvirt_driver> &&
              !evacuates_instances<libvirt_driver> && evacuates_instances<libvirt_cluster_driver>);

/// A sink of a pipeline's events that also tells it what libvirt told, each time that it is polled: for
/// `pipeline::run`. `then` hears the pipeline's events and, if it can, each `libvirt_event`. It refers to all three,
/// which must outlive it. The pipeline's thread.
template <class Driver, class Pipeline, class Sink>
class libvirt_feed {
public:
    libvirt_feed(Driver& from, Pipeline& to, Sink& then) : from_{&from}, to_{&to}, then_{&then} {
        from.wakes(to.mail());
    }

    template <class Event>
        requires requires(Sink& then, const Event& e) { then(e); }
    void operator()(const Event& e) {
        (*then_)(e);
    }
    time_point poll(time_point now) {
        from_->feed(*to_, [this](const libvirt_event& e) {
            if constexpr (requires { (*then_)(e); }) (*then_)(e);
        });
        if constexpr (timed_sink<Sink>) return then_->poll(now);
        else return never;
    }

private:
    Driver* from_;
    Pipeline* to_;
    Sink* then_;
};

} // namespace reheat::inline REHEAT_ABI
