// SPDX-License-Identifier: MIT
// Two controllers, one store of leases and journal, one cloud, on virtual time: they stand still at any moment, between
// a decision and its call too, are cut off from the store, renew slowly, and their clocks do not agree. Whatever
// happens, the world sees one leader after the other.
#include <reheat/engine/resume.hpp>
#include <reheat/runner/campaign.hpp>
#include <reheat/runner/leadership.hpp>
#include <reheat/sim/lease_store.hpp>
#include <reheat/sim/mock_cloud.hpp>

#include "../unit/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace rh = reheat;

namespace {

constexpr std::size_t many = 2; // controllers
constexpr std::array<std::string_view, 3> names{"db-1", "db-2", "web-1"};

constexpr auto steps = rh::ladder{
    rh::restart_service{.attempts = 2, .within = 10min, .sustained = {4, 1h}, .timeout = 15s},
    rh::reboot_instance{
        .attempts = 1, .within = 10min, .verify = 3min, .sustained = {3, 1h}, .grace = 1min, .timeout = 30s},
    rh::recreate_instance{
        .attempts = 1, .within = 30min, .verify = 4min, .sustained = {2, 2h}, .grace = 1min, .timeout = 90s}};

/// What may happen to the controllers of a world.
struct dangers {
    bool whole_calls = true;     ///< the lease covers calls to their deadline
    bool inside_driver = false;  ///< they stand still between the last check and the cloud, too
    bool cloud_compares = false; ///< the cloud refuses an epoch that is smaller than one it has seen
};

class world;

/// A clock of its own: it began elsewhere, and has its own speed.
struct own_clock {
    const rh::time_point* world{};
    rh::duration ahead{};
    std::int64_t millionths = 0; ///< by which it is faster

    [[nodiscard]] rh::time_point now() const {
        return *world + ahead + (*world - support::start) / 1'000'000 * millionths;
    }
    [[nodiscard]] rh::duration real_wait(rh::time_point at) const { return at > now() ? at - now() : rh::duration{}; }
    [[nodiscard]] rh::time_point to_world(rh::time_point at) const {
        if (at == rh::never) return rh::never;
        // A little too late is what every sleep is.
        return *world + (at - now()) + (at - now()) / 1'000 + 1us;
    }
};

/// The way to the store, on which a controller may be held up.
struct slow_link {
    world* of{};
    std::size_t who = 0;
    rh::mock_lease_link link;

    void held_up();
    rh::result<rh::epoch> acquire(std::string_view name, rh::duration ttl) {
        held_up();
        auto got = link.acquire(name, ttl);
        held_up();
        return got;
    }
    rh::result<void> renew(rh::epoch reign) {
        held_up();
        auto got = link.renew(reign);
        held_up();
        return got;
    }
    rh::result<void> release(rh::epoch reign) { return link.release(reign); }
    rh::result<void> append(rh::epoch reign, std::span<const rh::record> records) {
        held_up();
        auto got = link.append(reign, records);
        held_up();
        return got;
    }
    rh::result<std::vector<rh::record>> read() { return link.read(); }
};

/// What was decided is durable, and the process stands still before it makes its calls.
class log_with_gaps : public rh::leased_journal<slow_link> {
public:
    log_with_gaps(slow_link& to, rh::epoch reign) : leased_journal{to, reign}, to_{&to} {}
    [[nodiscard]] rh::sequence durable() const {
        to_->held_up();
        return leased_journal::durable();
    }

private:
    slow_link* to_;
};

struct made_call {
    rh::time_point at;
    rh::time_point over; ///< its deadline, in the world's time
    rh::operation what;
    rh::epoch reign;
    std::uint64_t key;
    std::string name;
};

/// A controller's way to the cloud, which keeps what is called in the order in which it gets there.
class port {
public:
    port(world& of, std::size_t who) : of_{&of}, who_{who} {}
    void describe(const rh::request& r, rh::completion done);
    void restart_service(const rh::request& r, rh::completion done);
    void reboot(const rh::request& r, rh::completion done);
    void fence(const rh::request& r, rh::completion done);
    void recreate(const rh::request& r, rh::proof_of_death why, rh::completion done);

private:
    [[nodiscard]] bool passes(const rh::request& r, rh::completion& done);

    world* of_;
    std::size_t who_;
};

class world {
public:
    world(std::uint64_t seed, dangers what) : what_{what}, dice_{rh::mix(seed)} {
        // A lease that lets every call start, and something for what goes wrong.
        options_.bounds.start_hold = 30s;
        if (!what_.whole_calls) options_.lease_covers = 20s;
        ttl_ = rh::shortest_lease(steps.lowered(), options_, 10s) + std::chrono::seconds{5 + dice_.below(60)};
        for (std::size_t n = 0; n < names.size(); ++n)
            cloud.add(names[n], {.stack = "wiki", .services = {"s"}, .host = "host-" + std::to_string(n)});
        for (std::size_t n = 0; n < 2; ++n) cloud.hosts().note({.host = "spare-" + std::to_string(n)});
        for (std::size_t k = 0; k < many; ++k) {
            controller& c = all_[k];
            // Two clocks differ by less than the margin, wherever they are in this world.
            c.time = {&now_, std::chrono::milliseconds{dice_.below(2'000)}, dice_.below(200)};
            c.link = std::make_unique<slow_link>(slow_link{this, k, rh::mock_lease_link{store}});
            c.driver = std::make_unique<port>(*this, k);
        }
        cloud.advance(now_, [](std::string_view, std::string_view) {});
        store.advance(now_);
    }

    void live(rh::duration for_so_long) {
        const rh::time_point end = now_ + for_so_long;
        const rh::time_point calm = end - 90min;
        while (now_ < end) {
            if (now_ < calm) disturb();
            else mend();
            run_until(now_ + std::chrono::seconds{20 + dice_.below(300)});
        }
    }

    /// Stands still for so long, while the world and the others go on.
    void stand_still(std::size_t who, rh::duration d) {
        if (d <= rh::duration{}) return;
        ++pauses;
        controller& c = all_[who];
        const bool before = std::exchange(c.frozen, true);
        run_until(now_ + d);
        c.frozen = before;
        if (before || !c.ha) return;
        for (const auto& [machine, process] : std::exchange(c.unread, {})) hear(c, machine, process);
    }
    [[nodiscard]] rh::duration a_pause() {
        if (now_ >= calm_) return {};
        if (dice_.below(25) != 0) return {};
        if (dice_.below(4) != 0) return std::chrono::milliseconds{dice_.below(8'000)};
        return std::chrono::seconds{dice_.below(400)};
    }

    void called(std::size_t who, const rh::request& r) {
        calls.push_back({now_, all_[who].time.to_world(r.deadline), r.what, r.reign, r.key, std::string{r.name}});
    }
    [[nodiscard]] bool too_old(const rh::request& r) {
        if (what_.cloud_compares && r.reign < seen_) return true;
        seen_ = std::max(seen_, r.reign);
        return false;
    }
    [[nodiscard]] const dangers& what() const noexcept { return what_; }

    /// What was promised and is not so; empty if all is well.
    [[nodiscard]] std::string problem() const {
        const auto told = [](const made_call& c, std::string_view what) {
            return std::string{to_string(c.what)} + " of " + c.name + " by epoch " +
                   std::to_string(static_cast<std::uint64_t>(c.reign)) + ": " + std::string{what};
        };
        if (cloud.second_copies() != 0) return "a second copy runs"; // I1
        std::set<std::uint64_t> intended;
        std::set<std::uint64_t> once;
        rh::epoch wrote{};
        for (const rh::record& r : store.records()) {
            if (r.kind == rh::record_kind::intent) intended.insert(r.key);
            if (r.reign < wrote) return "a record of an older epoch comes after one of a newer";
            wrote = r.reign;
        }
        for (std::size_t n = 0; n < calls.size(); ++n) {
            const made_call& c = calls[n];
            if (n != 0 && c.reign < calls[n - 1].reign) return told(c, "it starts after one of a newer epoch");
            if (n != 0 && c.reign > calls[n - 1].reign && what_.whole_calls && !what_.inside_driver) {
                for (std::size_t m = 0; m < n; ++m) {
                    if (calls[m].reign < c.reign && calls[m].over > c.at)
                        return told(c, "one of an older epoch is not over");
                }
            }
            if (c.what == rh::operation::describe) continue;
            if (intended.count(c.key) == 0) return told(c, "no intent was durable"); // I7
            if (!once.insert(c.key).second) return told(c, "it was repeated");       // I7
        }
        return over_budget();
    }

    rh::mock_cloud cloud;
    rh::mock_lease_store store;
    std::vector<made_call> calls;
    std::size_t pauses = 0;
    std::size_t leads = 0;      ///< pipelines that began to lead
    std::size_t deposed = 0;    ///< of these, how many lost the lead
    std::size_t dropped = 0;    ///< intents, for want of the lead
    std::size_t too_late = 0;   ///< calls refused in dispatch
    std::size_t old_epochs = 0; ///< calls refused by the cloud

private:
    using pipe = rh::pipeline<port, own_clock, log_with_gaps>;
    using campaign = rh::campaign<slow_link>;
    struct sink {
        world* of;
        void operator()(const rh::event& e) const { of->hear(e); }
    };
    struct controller {
        own_clock time;
        std::unique_ptr<slow_link> link;
        std::unique_ptr<port> driver;
        std::unique_ptr<campaign> lead;
        std::unique_ptr<pipe> ha;
        std::unique_ptr<rh::leading<campaign, pipe, sink>> led;
        rh::time_point due = support::start; ///< in the world's time
        bool frozen = false;
        std::vector<std::pair<std::string, std::string>> unread;
    };

    void hear(const rh::event& e) {
        const bool lead = e.why == rh::reason::leadership_ends || e.why == rh::reason::leadership_lost;
        dropped += e.what == rh::decision::drop && lead ? 1U : 0U;
    }
    static void hear(controller& c, std::string_view machine, std::string_view process) {
        const rh::target_id t =
            process.empty() ? c.ha->state().find(rh::level::instance, machine)
                            : c.ha->state().find(rh::level::service, std::string{machine} + "/" + std::string{process});
        if (t != rh::no_target) c.ha->push(t, rh::heartbeat);
    }

    void disturb() {
        const std::string name{names[static_cast<std::size_t>(dice_.below(names.size()))]};
        constexpr std::array<rh::fault, 3> faults{rh::fault::service_dies, rh::fault::instance_hangs,
                                                  rh::fault::instance_lost};
        const rh::mock_machine* m = cloud.find(name);
        if (dice_.below(4) == 0 && m->serves())
            cloud.break_at(now_ + 1s, name, faults[static_cast<std::size_t>(dice_.below(3))]);
        controller& c = all_[static_cast<std::size_t>(dice_.below(many))];
        using condition = rh::mock_lease_link::condition;
        if (dice_.below(6) == 0) c.link->link.is = dice_.below(2) == 0 ? condition::cut : condition::answers_lost;
        else if (dice_.below(2) == 0) c.link->link.is = condition::up;
        if (dice_.below(20) == 0) stop(c); // its process dies
    }
    void mend() {
        calm_ = now_;
        for (controller& c : all_) c.link->link.is = rh::mock_lease_link::condition::up;
    }

    void run_until(rh::time_point end) {
        while (true) {
            rh::time_point next = cloud.next();
            for (const controller& c : all_) next = c.frozen ? next : rh::earlier(next, c.due);
            if (next > end) break;
            go_on(next);
            for (std::size_t k = 0; k < many; ++k) {
                if (!all_[k].frozen && all_[k].due <= now_) turn(k);
            }
        }
        go_on(end);
    }
    void go_on(rh::time_point to) {
        now_ = rh::later(now_, to);
        store.advance(now_);
        cloud.advance(now_, [this](std::string_view machine, std::string_view process) {
            for (controller& c : all_) {
                if (!c.ha) continue;
                if (c.frozen) c.unread.emplace_back(machine, process);
                else hear(c, machine, process), c.due = rh::earlier(c.due, now_);
            }
        });
    }

    /// What a controller's main loop does in one round.
    void turn(std::size_t k) {
        controller& c = all_[k];
        if (!c.lead)
            c.lead = std::make_unique<campaign>(*c.link, rh::campaign_options{.name = std::to_string(k), .ttl = ttl_});
        if (!c.ha) {
            const rh::time_point due = c.lead->poll(c.time.now());
            c.due = c.time.to_world(due);
            if (c.lead->lost()) stop(c);
            else if (c.lead->leads()) begin(k);
            return;
        }
        const rh::time_point due = c.ha->poll(*c.led);
        c.due = rh::later(c.time.to_world(due), now_ + 1us);
        if (!c.lead->lost() && !c.ha->state().deposed()) return;
        ++deposed;
        stop(c);
    }
    void begin(std::size_t k) {
        controller& c = all_[k];
        rh::engine_options options = options_;
        options.reign = c.lead->reign();
        c.ha = std::make_unique<pipe>(*c.driver, c.time, steps, log_with_gaps{*c.link, c.lead->reign()}, options);
        bool ready = c.ha->open().has_value();
        for (const std::string_view name : names) {
            const auto vm = c.ha->add(rh::instance{.name = name, .stack = "wiki"});
            ready = ready && vm && c.ha->watch(*vm, rh::heartbeat_alarm{.period = 60s});
            if (!ready) break;
            const auto service = c.ha->add(rh::service{.name = "s", .on = *vm});
            ready = service && c.ha->watch(*service, rh::heartbeat_alarm{.period = 60s});
        }
        if (!ready) return stop(c);
        ++leads;
        c.led = std::make_unique<rh::leading<campaign, pipe, sink>>(*c.lead, *c.ha, sink{this});
        c.due = now_;
    }
    /// The next round begins anew.
    void stop(controller& c) {
        c.led.reset();
        c.ha.reset();
        c.lead.reset();
        c.unread.clear();
        c.due = now_ + 1s;
    }

    /// I5: no window of an hour, or of two, has more calls than the sustained budget. Calls come some time after their
    /// decision, at most so much closer to each other.
    [[nodiscard]] std::string over_budget() const {
        constexpr rh::duration closer = 10min;
        std::map<std::pair<std::string, rh::operation>, std::vector<rh::time_point>> of;
        for (const made_call& c : calls) of[{c.name, c.what}].push_back(c.at);
        for (const auto& [what, at] : of) {
            for (const rh::rung& r : steps.lowered().rungs()) {
                if (r.what != what.second) continue;
                const std::size_t n = r.sustained.count;
                for (std::size_t first = 0; first + n < at.size(); ++first) {
                    if (at[first + n] - at[first] < r.sustained.within - closer)
                        return std::string{to_string(r.what)} + " of " + what.first + ": its budget is overspent";
                }
            }
        }
        return {};
    }

    dangers what_;
    support::dice dice_;
    rh::engine_options options_;
    rh::duration ttl_{};
    rh::time_point now_ = support::start;
    rh::time_point calm_ = rh::never;
    rh::epoch seen_{};
    std::array<controller, many> all_;
};

void slow_link::held_up() { of->stand_still(who, of->a_pause()); }

bool port::passes(const rh::request& r, rh::completion& done) {
    if (of_->what().inside_driver) of_->stand_still(who_, of_->a_pause());
    if (of_->too_old(r)) {
        ++of_->old_epochs;
        done(rh::outcome::refused("an older epoch"));
        return false;
    }
    of_->called(who_, r);
    return true;
}
void port::describe(const rh::request& r, rh::completion done) {
    if (passes(r, done)) of_->cloud.describe(r, std::move(done));
}
void port::restart_service(const rh::request& r, rh::completion done) {
    if (passes(r, done)) of_->cloud.restart_service(r, std::move(done));
}
void port::reboot(const rh::request& r, rh::completion done) {
    if (passes(r, done)) of_->cloud.reboot(r, std::move(done));
}
void port::fence(const rh::request& r, rh::completion done) {
    if (passes(r, done)) of_->cloud.fence(r, std::move(done));
}
void port::recreate(const rh::request& r, rh::proof_of_death why, rh::completion done) {
    if (passes(r, done)) of_->cloud.recreate(r, std::move(why), std::move(done));
}

void many_worlds(std::string_view what, dangers with, std::uint64_t first) {
    constexpr std::uint64_t worlds = 120;
    std::size_t calls = 0;
    std::size_t pauses = 0;
    std::size_t leads = 0;
    std::size_t deposed = 0;
    std::size_t dropped = 0;
    std::size_t old_epochs = 0;
    std::size_t epochs_that_called = 0;
    std::size_t well = 0;
    for (std::uint64_t seed = first; seed < first + worlds; ++seed) {
        auto w = std::make_unique<world>(seed, with);
        w->live(6h);
        const std::string problem = w->problem();
        CHECK_MESSAGE(problem.empty(), "seed ", seed, ": ", problem);
        std::set<rh::epoch> by;
        for (const made_call& c : w->calls) by.insert(c.reign);
        epochs_that_called += by.size();
        calls += w->calls.size();
        pauses += w->pauses;
        leads += w->leads;
        deposed += w->deposed;
        dropped += w->dropped;
        old_epochs += w->old_epochs;
        for (const rh::mock_machine& m : w->cloud.machines()) well += m.serves() ? 1U : 0U;
    }
    MESSAGE(what, ": seeds ", first, " to ", first + worlds - 1, ", ", calls, " calls of ", epochs_that_called,
            " epochs, ", leads, " leads of which ", deposed, " were lost, ", pauses, " pauses, ", dropped,
            " intents dropped without the lead, ", old_epochs, " calls refused by the cloud, ", well, " of ",
            worlds * names.size(), " machines well at the end");
    // A world in which nothing happens proves nothing.
    CHECK(calls > worlds * 10);
    CHECK(epochs_that_called > worlds * 2);
    CHECK(deposed > worlds / 2);
    CHECK(well > worlds * names.size() * 8 / 10);
}

} // namespace

TEST_CASE("two controllers: no call of an older epoch starts after one of a newer, and what it called is over") {
    many_worlds("leases that cover calls to their deadlines", {}, 1);
}

TEST_CASE("two controllers: short leases cover the start of a call") {
    many_worlds("leases that cover the start of calls", {.whole_calls = false}, 10'001);
}

TEST_CASE("two controllers: what stands still inside the driver is refused by a cloud that compares epochs") {
    many_worlds("a cloud that compares epochs", {.whole_calls = false, .inside_driver = true, .cloud_compares = true},
                20'001);
}
