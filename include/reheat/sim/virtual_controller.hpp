// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/resume.hpp>
#include <reheat/runner/pipeline.hpp>
#include <reheat/sim/schedule.hpp>
#include <reheat/sim/sim_journal.hpp>
#include <reheat/sim/watched.hpp>
#include <reheat/sim/world.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::sim {

/// A controller in a simulated world: a pipeline that hears the guests, and can stand still, end, and start again on
/// its journal. One thread at a time.
class virtual_controller {
public:
    using pipeline_type = pipeline<world, world_clock, watched_journal<sim_journal>, engine>;

    virtual_controller(world& in, world_time& time, journal_disk& disk, const schedule& s) noexcept
        : world_{&in}, time_{&time}, disk_{&disk}, schedule_{&s} {}

    /// Starts on what is in the journal. Errors: what the journal or the engine refuses.
    result<void> start() {
        auto made =
            std::make_unique<pipeline_type>(*world_, world_clock{*time_}, schedule_->policies.front(),
                                            watched_journal<sim_journal>{sim_journal{*disk_}}, schedule_->options);
        if (auto opened = made->open(); !opened) return opened;
        ha_ = std::move(made);
        world_->new_controller();
        unread_.clear();
        healed_.clear();
        hosts_.clear();
        stalled_until_ = (time_point::min)();
        due_ = (time_point::min)();
        if (auto known = introduce(); !known) return known;
        // What was told to the one before may be over.
        for (std::uint32_t h = 0; h < world_->truth().plan().hosts(); ++h) {
            const bool dead = world_->truth().host(h).told_dead;
            if (dead) ha_->host_died(name_of_host(h), proof_kind::fenced);
            else if (started_) ha_->host_returned(name_of_host(h));
        }
        started_ = true;
        if (watch_ != nullptr) begin_watch();
        return {};
    }
    /// From now on a monitor is told. It is referred to.
    void tell(truth_watch* watch) {
        watch_ = watch;
        if (watch_ != nullptr && running()) begin_watch();
    }
    /// Ends it in this moment, as a power cut does; what is not safe in the journal is gone.
    void crash() {
        if (watch_ != nullptr) {
            watch_->monitor().durable(disk_->durable());
            watch_->monitor().crashed(watch_->at());
        }
        ha_.reset();
        disk_->crash();
    }
    void stall(duration d) noexcept { stalled_until_ = later(stalled_until_, after(time_->now, d)); }

    [[nodiscard]] bool running() const noexcept { return ha_ != nullptr; }
    [[nodiscard]] bool stalled() const noexcept { return time_->now < stalled_until_; }
    [[nodiscard]] pipeline_type& ha() noexcept { return *ha_; }
    [[nodiscard]] const engine& state() const noexcept { return ha_->state(); }
    /// When it has something to do, in the world's time.
    [[nodiscard]] time_point next() const noexcept {
        if (!running()) return never;
        return later(earlier(world_clock{*time_}.to_world(due_), wanted_), stalled_until_);
    }
    /// Something was told to it.
    void wake() noexcept { wanted_ = earlier(wanted_, time_->now); }

    /// Does what is due; `sink(event)` hears of it.
    template <class Sink>
    void poll(Sink&& sink) {
        if (!running() || stalled()) return;
        for (const watch_id w : unread_) ha_->push(w, heartbeat);
        unread_.clear();
        for (const auto& [h, dead] : hosts_)
            dead ? ha_->host_died(name_of_host(h), proof_kind::fenced) : ha_->host_returned(name_of_host(h));
        hosts_.clear();
        for (const target_id t : healed_) ha_->guest_restarted(t);
        healed_.clear();
        static_cast<void>(time_->told());
        wanted_ = never;
        due_ = ha_->poll(sink);
    }

    // What the world tells it

    /// Whether anything may come of that beat now.
    bool beat(std::uint32_t n) {
        if (!running()) return false;
        const machine_state& m = world_->truth().machine(n);
        if (stalled()) {
            each_watch(m, [this](watch_id w) { unread_.push_back(w); });
            return false;
        }
        each_watch(m, [this](watch_id w) { ha_->push(w, heartbeat); });
        if (state().open_incidents() == 0 || !concerns(m)) return false;
        see(n, m.now);
        // It looks once a second while something is open.
        const auto second = std::chrono::ceil<std::chrono::seconds>(time_->now.time_since_epoch());
        wanted_ = earlier(wanted_, time_point{second});
        return true;
    }
    void old_copy(std::uint32_t n, const copy_state& c) {
        if (!running() || stalled()) return;
        see(n, c);
        wake();
    }
    void healed(std::uint32_t n, std::uint8_t process) {
        healed_.push_back(world_->truth().machine(n).process[process]);
        wake();
    }
    void host_died(std::uint32_t h) {
        hosts_.emplace_back(h, true);
        wake();
    }
    void host_returned(std::uint32_t h) {
        hosts_.emplace_back(h, false);
        wake();
    }

private:
    void begin_watch() {
        ha_->log().tell(watch_->monitor());
        watch_->monitor().started(ha_->state(), watch_->at());
    }
    /// A guest that is heard says which copy it is.
    void see(std::uint32_t n, const copy_state& c) {
        const std::string id = cloud_id_of(n, c);
        const std::string host = name_of_host(c.host);
        const copy_sighting seen{world_->truth().machine(n).target, id, host, c.since};
        if (watch_ != nullptr) watch_->monitor().sighted(seen, watch_->at());
        ha_->sighted(seen);
    }
    template <class Visit>
    static void each_watch(const machine_state& m, const Visit& visit) {
        visit(m.watch[0]);
        for (std::size_t p = 0; p < m.how.processes; ++p) {
            if ((m.up >> p & 1U) != 0) visit(m.watch[p + 1]);
        }
    }
    [[nodiscard]] bool concerns(const machine_state& m) const noexcept {
        if (state().incident_of(m.target) != nullptr) return true;
        for (std::size_t p = 0; p < m.how.processes; ++p) {
            if (state().incident_of(m.process[p]) != nullptr) return true;
        }
        return false;
    }

    /// Policies, targets and watches, in the order in which they were told to the controller before.
    result<void> introduce() {
        std::vector<policy_id> policies{policy_id{0}};
        for (std::size_t n = 1; n < schedule_->policies.size(); ++n) {
            auto added = ha_->add_policy(schedule_->policies[n]);
            if (!added) return std::move(added).error();
            policies.push_back(*added);
        }
        const fleet_plan& fleet = world_->truth().plan();
        for (std::uint32_t n = 0; n < fleet.stacks; ++n) {
            auto added = ha_->add(stack{name_of_stack(n)});
            if (!added) return std::move(added).error();
            world_->know(*added, {world_place::kind::stack, n, 0});
        }
        for (std::uint32_t n = 0; n < world_->truth().machines().size(); ++n) {
            machine_state& m = world_->truth().machine(n);
            const std::string name = name_of_machine(n);
            const std::string in = name_of_stack(m.how.stack);
            const std::string host = name_of_host(m.now.host);
            const std::string rack = name_of_rack(fleet.rack_of(m.now.host));
            const std::string zone = name_of_zone(fleet.zone_of(m.now.host));
            const std::string id = cloud_id_of(n, m.now);
            auto added = ha_->add(instance{.name = name,
                                           .stack = in,
                                           .host = host,
                                           .rack = rack,
                                           .zone = zone,
                                           .keep = m.how.keep,
                                           .cloud_id = id,
                                           .priority = m.how.priority});
            if (!added) return std::move(added).error();
            m.target = *added;
            world_->know(m.target, {world_place::kind::machine, n, 0});
            if (auto watched = watch(m.target, m.watch[0], policies[n % policies.size()]); !watched) return watched;
            for (std::uint8_t p = 0; p < m.how.processes; ++p) {
                const std::string process = name_of_process(p);
                auto made = ha_->add(service{.name = process, .on = m.target, .priority = m.how.priority});
                if (!made) return std::move(made).error();
                m.process[p] = *made;
                world_->know(*made, {world_place::kind::process, n, p});
                if (auto watched = watch(*made, m.watch[p + std::size_t{1}], policies[n % policies.size()]); !watched)
                    return watched;
            }
        }
        return {};
    }
    result<void> watch(target_id target, watch_id& as, policy_id by) {
        ha_->state().use_policy(target, by);
        auto made = ha_->watch(target, heartbeat_alarm{});
        if (!made) return std::move(made).error();
        as = *made;
        return {};
    }

    world* world_;
    world_time* time_;
    journal_disk* disk_;
    const schedule* schedule_;
    std::unique_ptr<pipeline_type> ha_;
    std::vector<watch_id> unread_; ///< beats that came while it stood still
    std::vector<target_id> healed_;
    std::vector<std::pair<std::uint32_t, bool>> hosts_; ///< what was told of them: whether they are dead
    time_point stalled_until_ = (time_point::min)();
    time_point due_ = never;    ///< in the controller's time
    time_point wanted_ = never; ///< in the world's
    truth_watch* watch_ = nullptr;
    bool started_ = false;
};

} // namespace reheat::inline REHEAT_ABI::sim
