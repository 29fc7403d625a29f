// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/engine.hpp>
#include <reheat/guest/cloudformation.hpp>
#include <reheat/guest/cloudwatch.hpp>
#include <reheat/guest/metric_datum.hpp>
#include <reheat/recovery/decision_words.hpp>
#include <reheat/stack/creation.hpp>

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace reheat::inline REHEAT_ABI {

namespace guest {

/// What a `heat_stack` needs of a pipeline; `reheat::pipeline` has it.
template <class P>
concept recovery_pipeline = requires(P& ha, target_id target, const any_alarm& rule, watch_id watch) {
    { ha.add(reheat::stack{}) } -> std::same_as<result<target_id>>;
    { ha.add(instance{}) } -> std::same_as<result<target_id>>;
    { ha.add_policy(policy{}) } -> std::same_as<result<policy_id>>;
    { ha.watch(target, rule) } -> std::same_as<result<watch_id>>;
    { ha.push(watch, 1.0) };
    { ha.order_creation(target) };
    { ha.guest_restarted(target) };
    { ha.state() } -> std::same_as<engine&>;
    { ha.time().now() } -> std::same_as<time_point>;
};

/// What a template does not say about its stack.
struct heat_stack_options {
    policy_id restart{};                        ///< recovers an instance that an `OS::Heat::HARestarter` names
    asset keep = volumes | fixed_addresses;     ///< what no recovery of an instance may lose
    duration grace = std::chrono::seconds{600}; ///< of every alarm: so long nothing heard means nothing
    bool count_restarts = true; ///< a sample of `ServiceFailure` is also a report for a rung of `guest_restarts`
};

/// A rule of the library for an alarm of a template, evaluated as Heat did: a window that slides with the periods since
/// the watch began, by the time of receipt, in which SampleCount and Sum of nothing are 0 and other statistics of
/// nothing say nothing. Unlike Heat it honours `EvaluationPeriods`.
[[nodiscard]] inline any_alarm to_rule(const alarm_spec& spec, duration grace) {
    any_alarm rule;
    for (const statistic s :
         {statistic::sample_count, statistic::sum, statistic::average, statistic::minimum, statistic::maximum}) {
        if (to_string(s) == spec.statistic) rule.of.statistic.which = s;
    }
    for (const comparison c : {comparison::greater_than, comparison::greater_than_or_equal, comparison::less_than,
                               comparison::less_than_or_equal}) {
        if (to_string(c) == spec.comparison) rule.compare.which = c;
    }
    rule.of.period = spec.period;
    rule.of.align = alignment::watch;
    rule.threshold = spec.threshold;
    rule.evaluation_periods =
        static_cast<std::uint16_t>(spec.evaluation_periods < 0xffff ? spec.evaluation_periods : 0xffff);
    rule.empty = empty_period::counts_zero;
    rule.grace = grace;
    return rule;
}

/// A stack of a template, alive: it is created through a pipeline, its alarms are watched there, its guests are heard,
/// and its values follow when an instance is made anew. It is the sink of both guest APIs.
///
/// Targets: the stack by its name, each instance by its physical name. An alarm is watched on each instance that an
/// `OS::Heat::HARestarter` among its `AlarmActions` names, and that instance is recovered by the policy `restart`;
/// which metric the alarm is of makes no difference. An alarm of `ServiceFailure`, say, counts restarts that the guest
/// made itself: level one has happened in the guest, again and again, and the alarm says that the instance needs more.
/// Unless `count_restarts` is off, each such sample also goes to `guest_restarted`: of the instance whose cloud id the
/// dimension `InstanceId` has, else of those that the alarm is watched on. A policy with a rung of `guest_restarts`
/// counts it; under another it is an event and nothing else. The restarter may be named in other action lists, where
/// Heat ignores it and so does this. An alarm that names no restarter is watched on the stack, whose own incidents have
/// an empty ladder: they are told and paged, nothing is done.
///
/// After a restart on a journal of records, poll the pipeline once between `open` and the first `step`: an instance
/// whose cloud id it then knows is there, and is not ordered again; one that the engine will not make, because it is
/// being made or recovered, is there once its cloud id is known.
/// The signals of guests are not in the journal: whoever keeps them says them again.
///
/// The pipeline outlives it. One thread at a time, the pipeline's.
///
///     guest::heat_stack wiki{ha, stack_creation{std::move(*loaded), "http://127.0.0.1:8000", keys}, {.restart =
///     rules}}; wiki.open(); for (;;) {
///         wiki.step([](const creation_action& wanted) { … });              // the driver learns what it shall create
///         const auto due = ha.poll([&](const event& e) { wiki.notice(e); });
///         … sleep until the earlier of due and wiki.next(), or a request
///     }
template <recovery_pipeline Pipeline>
class heat_stack {
public:
    heat_stack(Pipeline& ha, stack_creation creation, heat_stack_options options = {})
        : ha_{&ha}, creation_{std::move(creation)}, options_{options} {}

    /// Makes the targets. Call it once, before the first `step`. Errors: a name that the pipeline has already.
    result<void> open() {
        const auto ladder = ha_->add_policy(policy{});
        if (!ladder) return ladder.error();
        const stack_template& from = creation_.loaded();
        const auto whole = ha_->add(reheat::stack{from.identity().name});
        if (!whole) return whole.error();
        target_ = *whole;
        ha_->state().use_policy(target_, *ladder);
        for (const template_resource& r : from.resources()) {
            if (r.type->kind != resource_kind::instance) continue;
            const std::string name = physical_name(from.identity(), r.name);
            const auto made = ha_->add(instance{.name = name, .stack = from.identity().name, .keep = options_.keep});
            if (!made) return made.error();
            machines_.push_back({r.name, {}, *made});
        }
        return {};
    }

    /// Brings the creation forward as far as it goes now. `told` hears each action before it is carried out: what a
    /// driver has to know of a new instance is in `create_instance`.
    template <class Sink>
        requires requires(Sink& told, const creation_action& a) { told(a); }
    void step(Sink&& told) {
        for (const machine& m : machines_) {
            if (m.there && creation_.status(m.resource) == creation_status::in_progress) adopt(m);
        }
        while (creation_.next() <= ha_->time().now()) {
            actions_.clear();
            creation_.step(ha_->time().now(), actions_);
            for (const creation_action& a : actions_) {
                told(a);
                if (const auto* wanted = std::get_if<create_instance>(&a)) create(*wanted);
                if (const auto* wanted = std::get_if<watch_alarm>(&a)) watch(*wanted);
            }
        }
    }
    /// When `step` has something to do by itself.
    [[nodiscard]] time_point next() const noexcept { return creation_.next(); }

    /// Hears an event of the pipeline; those of other stacks change nothing. May be called inside `poll`. In shadow
    /// mode an instance counts as created, as all that the engine would have called counts as done; its `Ref` is then
    /// its name, unless the engine was told of an id.
    void notice(const event& e) {
        const bool left_out = e.what == decision::ignore && e.kind == event_kind::operation_order;
        if (e.what != decision::finish && !left_out) return;
        for (machine& m : machines_) {
            if (left_out) {
                m.there = m.there || e.target == m.target;
                continue;
            }
            if (!ha_->state().targets().covers(e.subject, m.target)) continue;
            if (creation_.status(m.resource) == creation_status::complete) {
                if (!e.shadow) renew(m);
            } else if (e.rung == operation::create_instance) {
                born(m, e);
            } else if (m.there) {
                adopt(m);
            }
        }
    }

    // The sink of the guest APIs

    /// Whether `put` would take it: `errc::not_found` where no alarm of that name, or none that matches, is watched.
    [[nodiscard]] result<void> check(const metric_datum& datum) const {
        for (const watched& w : alarms_) {
            if (is_for(w, datum)) return {};
        }
        return error{errc::not_found, {}, "no such alarm is watched"};
    }
    /// A sample for one alarm or, without a name, for each that matches: of the same metric, its dimensions among the
    /// sample's. A sample of another metric than the named alarm's is taken and dropped. It counts from now.
    [[nodiscard]] result<void> put(const metric_datum& datum) {
        if (auto known = check(datum); !known) return known;
        const bool restarted = options_.count_restarts && datum.metric_name == "ServiceFailure" && datum.value > 0;
        std::vector<target_id> reporters;
        for (const watched& w : alarms_) {
            if (!is_for(w, datum) || w.spec.metric_name != datum.metric_name) continue;
            for (const watch_id id : w.watches) ha_->push(id, datum.value);
            if (restarted) add_reporters(datum, w, reporters);
        }
        for (const target_id reporter : reporters) ha_->guest_restarted(reporter);
        return {};
    }
    /// A guest's signal to a wait condition handle, named by its ARN.
    [[nodiscard]] result<void> signal(std::string_view resource_arn, const wait_signal& what) {
        if (!resource_arn.starts_with("arn:")) return error{errc::not_found, {}, "expected an ARN"};
        return creation_.signal(resource_arn, {what.success, what.reason, what.unique_id, what.data},
                                ha_->time().now());
    }

    // Reading

    [[nodiscard]] const stack_creation& creation() const noexcept { return creation_; }
    [[nodiscard]] target_id target() const noexcept { return target_; }
    /// The target of an instance of the template, or `no_target`.
    [[nodiscard]] target_id target_of(std::string_view resource) const noexcept {
        for (const machine& m : machines_) {
            if (m.resource == resource) return m.target;
        }
        return no_target;
    }
    /// The state of an alarm by its name in the template; `insufficient_data` before it is watched.
    [[nodiscard]] alarm_state state_of(std::string_view resource) const noexcept {
        for (const watched& w : alarms_) {
            if (w.resource == resource && !w.watches.empty()) return ha_->state().state(w.watches.front());
        }
        return alarm_state::insufficient_data;
    }

private:
    struct machine {
        std::string resource;
        std::string zone;
        target_id target;
        bool there = false; ///< the engine would not make it
    };
    struct watched {
        std::string resource;
        std::string name;
        alarm_spec spec;
        std::vector<watch_id> watches;
        std::vector<target_id> targets; ///< instances; none if it is watched on the stack
    };

    [[nodiscard]] machine* find(std::string_view resource) noexcept {
        for (machine& m : machines_) {
            if (m.resource == resource) return &m;
        }
        return nullptr;
    }

    void create(const create_instance& wanted) {
        machine& m = *find(wanted.resource);
        m.zone = wanted.spec.availability_zone;
        if (!adopt(m)) ha_->order_creation(m.target);
    }

    /// Takes what was made before for created; false if nobody knows it.
    bool adopt(const machine& m) {
        std::string id = cloud_id(m);
        if (id.empty()) return false;
        ignore(creation_.created(m.resource, std::move(id), attributes(m), ha_->time().now()));
        return true;
    }

    void watch(const watch_alarm& wanted) {
        watched w{wanted.resource, wanted.alarm_name, wanted.spec, {}, {}};
        for (const std::string& restarter : wanted.spec.alarm_actions) {
            const target_id target = target_of(creation_.loaded().instance_of(restarter));
            if (target != no_target && add_once(w.targets, target)) ha_->state().use_policy(target, options_.restart);
        }
        const any_alarm rule = to_rule(wanted.spec, options_.grace);
        for (const target_id target : w.targets.empty() ? std::vector{target_} : w.targets) {
            const auto made = ha_->watch(target, rule);
            if (!made)
                return ignore(creation_.create_failed(wanted.resource, to_string(made.error()), ha_->time().now()));
            w.watches.push_back(*made);
        }
        alarms_.push_back(std::move(w));
        ignore(creation_.alarm_watched(wanted.resource, ha_->time().now()));
    }

    void born(const machine& m, const event& e) {
        const time_point now = ha_->time().now();
        const bool supposed = e.why == reason::would_act;
        if (e.why != reason::outcome_done && e.why != reason::found_done && !supposed)
            return ignore(creation_.create_failed(
                m.resource, "the cloud did not create it: " + std::string{to_string(e.why)}, now));
        std::string id = cloud_id(m);
        if (supposed && id.empty()) id = ha_->state().name(m.target);
        auto taken = creation_.created(m.resource, std::move(id), attributes(m), now);
        if (!taken) ignore(creation_.create_failed(m.resource, to_string(taken.error()), now));
    }

    /// After any action the cloud may know the instance by another id or address.
    void renew(const machine& m) {
        const auto id = creation_.ref(m.resource);
        const auto address = creation_.attribute(m.resource, "PrivateIp");
        if (id && id->text() == cloud_id(m) && address && address->text() == ha_->state().targets().address(m.target))
            return;
        ignore(creation_.replaced(m.resource, cloud_id(m), attributes(m), ha_->time().now()));
    }

    [[nodiscard]] std::string cloud_id(const machine& m) const {
        return std::string{ha_->state().targets().cloud_id(m.target)};
    }

    /// Heat's values: one address stands for all four names, the private and the public ones.
    [[nodiscard]] text_pairs attributes(const machine& m) const {
        const std::string address{ha_->state().targets().address(m.target)};
        return {{"PublicIp", address},
                {"PrivateIp", address},
                {"PublicDnsName", address},
                {"PrivateDnsName", address},
                {"AvailabilityZone", m.zone}};
    }

    [[nodiscard]] static bool is_for(const watched& w, const metric_datum& datum) noexcept {
        if (!datum.alarm_name.empty()) return w.name == datum.alarm_name;
        if (w.spec.metric_name != datum.metric_name) return false;
        for (const auto& [name, value] : w.spec.dimensions) {
            if (!has(datum, name, value)) return false;
        }
        return true;
    }
    [[nodiscard]] static bool has(const metric_datum& datum, std::string_view name, std::string_view value) noexcept {
        for (const dimension& d : datum.dimensions) {
            if (d.name == name && d.value == value) return true;
        }
        return false;
    }

    /// Whose guest it is that restarted something.
    void add_reporters(const metric_datum& datum, const watched& w, std::vector<target_id>& to) const {
        for (const machine& m : machines_) {
            if (const std::string id = cloud_id(m); !id.empty() && has(datum, "InstanceId", id)) {
                add_once(to, m.target);
                return;
            }
        }
        for (const target_id target : w.targets) add_once(to, target);
    }
    static bool add_once(std::vector<target_id>& to, target_id target) {
        for (const target_id other : to) {
            if (other == target) return false;
        }
        to.push_back(target);
        return true;
    }

    // The creation refuses only what came twice or too late, which changes nothing.
    static void ignore(const result<void>&) noexcept {}

    Pipeline* ha_;
    stack_creation creation_;
    heat_stack_options options_;
    target_id target_ = no_target;
    std::vector<machine> machines_;
    std::vector<watched> alarms_;
    std::vector<creation_action> actions_;
};

} // namespace guest

} // namespace reheat::inline REHEAT_ABI
