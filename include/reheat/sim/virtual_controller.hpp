// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/resume.hpp>
#include <reheat/runner/leadership.hpp>
#include <reheat/runner/pager.hpp>
#include <reheat/runner/pipeline.hpp>
#include <reheat/sim/controller_lead.hpp>
#include <reheat/sim/page_receiver.hpp>
#include <reheat/sim/schedule.hpp>
#include <reheat/sim/sim_journal.hpp>
#include <reheat/sim/watched.hpp>
#include <reheat/sim/world_port.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::sim {

/// A controller in a simulated world: a pipeline that hears the guests, and can stand still, end, and start again on
/// its journal. One of several campaigns for the lead, has a pipeline as long as it leads or thinks so, and campaigns
/// again. One thread at a time.
class virtual_controller {
public:
    using pipeline_type = pipeline<world_port, world_clock, watched_journal<sim_journal>, engine>;

    virtual_controller(world& in, world_time& time, journal_disk& disk, const schedule& s) noexcept
        : world_{&in}, time_{&time}, disk_{&disk}, schedule_{&s} {}
    virtual_controller(const virtual_controller&) = delete;
    virtual_controller& operator=(const virtual_controller&) = delete;
    ~virtual_controller() = default;

    /// From now on it is one of several: it starts whenever it leads, with a clock that is `ahead`.
    void share_lead(mock_lease_store& store, std::string name, duration ahead) {
        ahead_ = ahead;
        lead_.emplace(store, way_.gate, std::move(name), schedule_->lead);
        due_ = world_clock{*time_, ahead_}.now();
    }

    /// From now on its pages are sent there. It is referred to.
    void send_pages(page_receiver& to) noexcept { receiver_ = &to; }

    /// Starts on what is in the journal. Errors: what the journal or the engine refuses.
    result<void> start() {
        engine_options options = schedule_->options;
        if (lead_) options.reign = lead_->now().reign();
        sim_journal log{*disk_, lead_ ? options.reign : epoch{}, lead_ ? &way_ : nullptr};
        way_.known = no_sequence;
        auto port = std::make_unique<world_port>(*world_);
        auto made = std::make_unique<pipeline_type>(*port, world_clock{*time_, ahead_}, schedule_->policies.front(),
                                                    watched_journal<sim_journal>{log}, options);
        if (auto opened = made->open(); !opened) return opened;
        // It may have stood still in there, and another one leads by now.
        if (lead_ && disk_->claimed() != options.reign) return error{errc::denied, {}, "another controller leads"};
        pages_.reset();
        ha_ = std::move(made);
        port_ = std::move(port);
        number_ = world_->new_controller();
        *port_ = world_port{*world_, {number_, ahead_, lead_ ? &way_.gate : nullptr}};
        time_->ahead = ahead_;
        unread_.clear();
        renewals_.clear();
        healed_.clear();
        hosts_.clear();
        stalled_until_ = (time_point::min)();
        due_ = world_clock{*time_, ahead_}.now();
        alive_ = true;
        if (auto known = introduce(); !known) return known;
        // What was told to the one before may be over.
        for (std::uint32_t h = 0; h < world_->truth().plan().hosts(); ++h) {
            const bool dead = world_->truth().host(h).told_dead;
            if (dead) ha_->host_died(name_of_host(h), proof_kind::fenced);
            else if (started_) ha_->host_returned(name_of_host(h));
        }
        started_ = true;
        page_port_ = receiver_ == nullptr ? std::nullopt : std::optional{page_port{*receiver_, number_}};
        if (page_port_) pages_.emplace(*page_port_, *ha_);
        if (lead_) led_.emplace(lead_->now(), *ha_, sink_);
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
        // Where a newer one has claimed the journal, what that one has not made safe is none of its business.
        const bool owns = !lead_ || disk_->claimed() == lead_->now().reign();
        end();
        if (lead_) lead_->begin_anew();
        alive_ = false;
        if (owns) disk_->crash();
    }
    /// One of several is there again, and campaigns.
    void revive() {
        alive_ = true;
        stalled_until_ = (time_point::min)();
        wake();
    }
    void stall(duration d) noexcept { stalled_until_ = later(stalled_until_, after(time_->now, d)); }
    /// Where it stands still in the middle of a step, and on its way to the store.
    [[nodiscard]] pause_gate& gate() noexcept { return way_.gate; }
    [[nodiscard]] const pause_gate& gate() const noexcept { return way_.gate; }
    /// Its way to the store of leases and journal.
    void set_store(journal_way::condition is) {
        way_.is = is;
        if (!lead_) return;
        const bool cut = is == journal_way::condition::cut;
        lead_->way().set(is == journal_way::condition::up ? mock_lease_link::condition::up
                         : cut                            ? mock_lease_link::condition::cut
                                                          : mock_lease_link::condition::answers_lost);
    }

    [[nodiscard]] bool running() const noexcept { return ha_ != nullptr; }
    /// Whether it is there at all; one of several may be there and not lead.
    [[nodiscard]] bool alive() const noexcept { return alive_; }
    /// Whether it is the newest that began to lead, and may still do something.
    [[nodiscard]] bool leads() const noexcept { return running() && number_ == world_->leader() && !state().deposed(); }
    /// Whether every page that it has to tell has arrived, or was given up: what is left to be tried again is so soon.
    [[nodiscard]] bool pages_are_told() const noexcept {
        return !pages_ || pages_->state().next() > after(state().now(), std::chrono::minutes{10});
    }
    /// Whether it is in the middle of a step.
    [[nodiscard]] bool is_working() const noexcept { return working_; }
    /// Whether an append was refused, and the journal has to be opened again.
    [[nodiscard]] bool wants_journal() const noexcept {
        return running() && !state().deposed() && (disk_->refused() || way_.refused);
    }
    /// Opens the journal again, if that is possible.
    void reopen_journal() {
        working_ = true;
        const auto opened = ha_->reopen_journal();
        working_ = false;
        if (!opened && opened.error().code == errc::denied) ha_->lost_lead();
        if (opened || state().deposed()) wake();
    }
    [[nodiscard]] bool stalled() const noexcept { return time_->now < stalled_until_; }
    [[nodiscard]] pipeline_type& ha() noexcept { return *ha_; }
    [[nodiscard]] const engine& state() const noexcept { return ha_->state(); }
    /// When it has something to do, in the world's time.
    [[nodiscard]] time_point next() const noexcept {
        if (!(lead_ ? alive_ : running()) || working_) return never;
        return later(earlier(world_clock{*time_, ahead_}.to_world(due_), wanted_), stalled_until_);
    }
    /// Something was told to it.
    void wake() noexcept { wanted_ = earlier(wanted_, time_->now); }

    /// Does what is due; `sink(event)` hears of it.
    template <class Sink>
    void poll(Sink&& sink) {
        if (stalled() || working_ || !alive_) return;
        if (lead_ && !running()) return campaign_for_lead();
        if (!running()) return;
        for (const lease& l : renewals_) ha_->renew(l);
        renewals_.clear();
        for (const watch_id w : unread_) ha_->push(w, heartbeat);
        unread_.clear();
        for (const auto& [h, dead] : hosts_)
            dead ? ha_->host_died(name_of_host(h), proof_kind::fenced) : ha_->host_returned(name_of_host(h));
        hosts_.clear();
        for (const target_id t : healed_) ha_->guest_restarted(t);
        healed_.clear();
        static_cast<void>(time_->told());
        wanted_ = never;
        const auto tell = [](void* to, const event& e) { (*static_cast<std::remove_reference_t<Sink>*>(to))(e); };
        sink_ = {std::addressof(sink), tell, pages_ ? std::addressof(*pages_) : nullptr, &state()};
        working_ = true;
        due_ = led_ ? ha_->poll(*led_) : ha_->poll(sink_);
        working_ = false;
        if (!led_) return;
        if (!state().deposed() && !lead_->now().lost()) return;
        end();
        campaign_anew();
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
    /// A guest renews its lease; whether that is heard. What comes while it stands still lies in its inbox.
    bool renewed(std::uint32_t n) {
        if (!running()) return false;
        const time_point until = after(world_clock{*time_, ahead_}.now(), lease_length);
        renewals_.push_back({world_->truth().machine(n).target, until, watchdog_length, true});
        return true;
    }
    void copy_seen(std::uint32_t n, copy_state& c) {
        if (!running() || stalled()) return;
        if (std::exchange(c.heard_by, number_) != number_) c.heard_at = time_->now;
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
    using pager_type = pager<page_port, engine>;
    /// Somebody who hears events, whatever it is, and whoever sends pages. One that lost the lead calls nobody.
    struct event_sink {
        void* to = nullptr;
        void (*tell)(void*, const event&) = nullptr;
        pager_type* pages = nullptr;
        const engine* of = nullptr;
        void operator()(const event& e) const {
            tell(to, e);
            if (pages != nullptr) (*pages)(e);
        }
        time_point poll(time_point now) const { return pages == nullptr || of->deposed() ? never : pages->poll(now); }
    };

    void begin_watch() {
        watch_->thaw();
        watch_->begin();
        watch_->journaled(*disk_);
        ha_->log().tell(watch_->monitor());
        watch_->monitor().started(ha_->state(), world_clock{*time_, ahead_}.now());
    }
    /// Its pipeline is gone. Who watches hears of it, unless another one leads already.
    void end() {
        if (watch_ != nullptr && running() && number_ == world_->leader()) {
            watch_->journaled(*disk_);
            watch_->monitor().crashed(watch_->at());
        }
        led_.reset();
        pages_.reset();
        ha_.reset();
    }
    void campaign_for_lead() {
        working_ = true;
        wanted_ = never;
        due_ = lead_->now().poll(world_clock{*time_, ahead_}.now());
        if (lead_->now().leads() && !start()) campaign_anew();
        working_ = false;
    }
    void campaign_anew() {
        lead_->begin_anew();
        wanted_ = never;
        due_ = after(world_clock{*time_, ahead_}.now(), std::chrono::seconds{1});
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
    journal_way way_; ///< of one of several
    std::optional<controller_lead> lead_;
    std::unique_ptr<world_port> port_;
    std::unique_ptr<pipeline_type> ha_;
    page_receiver* receiver_ = nullptr;
    std::optional<page_port> page_port_;
    std::optional<pager_type> pages_;
    event_sink sink_;
    std::optional<leading<campaign<lease_way>, pipeline_type, event_sink&>> led_;
    duration ahead_{};
    std::uint32_t number_ = 0;
    bool working_ = false;
    bool alive_ = true;
    std::vector<watch_id> unread_; ///< beats that came while it stood still
    std::vector<lease> renewals_;
    std::vector<target_id> healed_;
    std::vector<std::pair<std::uint32_t, bool>> hosts_; ///< what was told of them: whether they are dead
    time_point stalled_until_ = (time_point::min)();
    time_point due_ = never;    ///< in the controller's time
    time_point wanted_ = never; ///< in the world's
    truth_watch* watch_ = nullptr;
    bool started_ = false;
};

} // namespace reheat::inline REHEAT_ABI::sim
