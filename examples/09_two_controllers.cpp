// SPDX-License-Identifier: MIT
// Two controllers, one leader, on virtual time: the second takes over when the first is cut off from the store, and
// goes on from its journal. `controller::turn` is the loop of a real one, too, with sleeps in between.

#include <reheat/engine/resume.hpp>
#include <reheat/reheat.hpp>
#include <reheat/runner/campaign.hpp>
#include <reheat/runner/leadership.hpp>
#include <reheat/sim/lease_store.hpp>
#include <reheat/sim/mock_cloud.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace rh = reheat;
using namespace std::chrono_literals;

namespace {

constexpr auto steps = rh::ladder{rh::reboot_instance{.timeout = 60s}};

/// A time source that others move.
struct shared_clock {
    rh::manual_clock* of;
    [[nodiscard]] rh::time_point now() const { return of->now(); }
    [[nodiscard]] rh::duration real_wait(rh::time_point at) const { return of->real_wait(at); }
};

class controller {
    struct printer {
        std::string who;
        void operator()(const rh::event& e) const {
            if (e.what == rh::decision::call || e.why == rh::reason::leadership_lost || e.why == rh::reason::resumed)
                std::printf("%s: %s %s\n", who.c_str(), to_string(e.what).data(), to_string(e.why).data());
        }
    };
    using campaign = rh::campaign<rh::mock_lease_link>;
    using pipe = rh::pipeline<rh::mock_cloud, shared_clock, rh::leased_journal<>>;

public:
    controller(std::string name, rh::mock_lease_store& store, rh::mock_cloud& cloud, rh::manual_clock& clock)
        : way{store}, name_{std::move(name)}, cloud_{&cloud}, clock_{&clock} {}

    /// Does what is due, and says when to come back.
    rh::time_point turn() {
        const rh::time_point now = clock_->now();
        if (!lead_)
            lead_ = std::make_unique<campaign>(
                way, rh::campaign_options{.name = name_, .ttl = rh::shortest_lease(steps.lowered(), {}, 10s) + 20s});
        if (!ha_) {
            const rh::time_point due = lead_->poll(now);
            if (lead_->leads() && !begin()) stop();
            return ha_ ? now : due;
        }
        const rh::time_point due = ha_->poll(*sink_);
        if (lead_->lost() || ha_->state().deposed()) stop(); // the next turn campaigns anew
        return ha_ ? due : now + 1s;
    }
    void hear(std::string_view machine) {
        if (ha_) ha_->push(ha_->state().find(rh::level::instance, machine), rh::heartbeat);
    }
    [[nodiscard]] bool leads() const { return ha_ != nullptr; }

    rh::mock_lease_link way; ///< to the store

private:
    bool begin() {
        const rh::epoch reign = lead_->reign();
        std::printf("%s: leads with epoch %d\n", name_.c_str(), static_cast<int>(reign));
        ha_ = std::make_unique<pipe>(*cloud_, shared_clock{clock_}, steps, rh::leased_journal{way, reign},
                                     rh::engine_options{.reign = reign});
        if (!ha_->open()) return false;
        const auto db = ha_->add(rh::instance{.name = "db-1"});
        if (!db || !ha_->watch(*db, rh::heartbeat_alarm{.period = 120s})) return false;
        sink_ = std::make_unique<rh::leading<campaign, pipe, printer>>(*lead_, *ha_, printer{name_});
        return true;
    }
    void stop() {
        sink_.reset();
        ha_.reset();
        lead_.reset();
    }

    std::string name_;
    rh::mock_cloud* cloud_;
    rh::manual_clock* clock_;
    std::unique_ptr<campaign> lead_;
    std::unique_ptr<pipe> ha_;
    std::unique_ptr<rh::leading<campaign, pipe, printer>> sink_;
};

} // namespace

int main() {
    rh::manual_clock clock;
    rh::mock_lease_store store;
    rh::mock_cloud cloud;
    cloud.add("db-1", {});
    controller a{"a", store, cloud, clock};
    controller b{"b", store, cloud, clock};
    const rh::time_point start = clock.now();
    cloud.break_at(start + 10min, "db-1", rh::fault::instance_hangs);
    cloud.break_at(start + 80min, "db-1", rh::fault::instance_hangs);

    while (clock.now() < start + 2h) {
        a.way.is = clock.now() < start + 40min || clock.now() > start + 90min ? rh::mock_lease_link::condition::up
                                                                              : rh::mock_lease_link::condition::cut;
        store.advance(clock.now());
        cloud.advance(clock.now(), [&](std::string_view machine, std::string_view) {
            a.hear(machine);
            b.hear(machine);
        });
        rh::time_point due = a.turn();
        due = rh::earlier(due, b.turn());
        clock.advance_to(rh::earlier(rh::earlier(due, cloud.next()), clock.now() + 10s));
    }
    const bool well = cloud.find("db-1")->serves() && cloud.count(rh::operation::reboot_instance) == 2;
    return well && b.leads() && !a.leads() && store.reign() == rh::epoch{2} ? 0 : 1;
}
