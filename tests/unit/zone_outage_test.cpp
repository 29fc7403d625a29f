// SPDX-License-Identifier: MIT
// One trace for everybody: a thousand instances in three zones, of which one loses its network for half an hour.
#include <reheat/recovery/peers.hpp>

#include "doc_table.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::operation;
using rh::reason;
using support::start;

namespace {

constexpr int zones = 3;
constexpr int racks_in_zone = 5;
constexpr int hosts_in_rack = 4;
constexpr int hosts = zones * racks_in_zone * hosts_in_rack;
constexpr int dark_zone = 1;

/// Where the controller stands: the dark zone is cut off from everything else.
enum class controller { outside, inside };

/// Machines that beat once a minute, each at its own second, and a cloud that does what it is asked after a while, or
/// can not.
class world {
public:
    struct machine {
        std::string name;
        std::string host;
        int zone = 0;
        int host_number = 0;
        bool on = true;
        rh::time_point up_at = (rh::time_point::min)();
        int generation = 1;
        bool disturbed = false; ///< it was switched off or booted
        bool acted_upon = false;
        bool still = false; ///< its host is dead
        std::vector<rh::watch_id> watches{};
    };

    explicit world(controller where) : where_{where} {}

    [[nodiscard]] bool dark(int zone, rh::time_point at) const {
        if (at < outage_from || at >= outage_to || !outage) return false;
        return where_ == controller::outside ? zone == dark_zone : zone != dark_zone;
    }
    [[nodiscard]] bool beats(const machine& m, rh::time_point at) const {
        return m.on && !m.still && at >= m.up_at && !dark(m.zone, at);
    }
    machine& find(std::string_view name) {
        // vm-0000
        return machines[static_cast<std::size_t>(std::atoi(std::string{name.substr(3, 4)}.c_str()))];
    }

    // The driver

    void describe(const rh::request& r, rh::completion done) { take(r, 1s, std::move(done)); }
    void restart_service(const rh::request& r, rh::completion done) { take(r, 5s, std::move(done)); }
    void reboot(const rh::request& r, rh::completion done) { take(r, 10s, std::move(done)); }
    void rebuild(const rh::request& r, rh::completion done) { take(r, 60s, std::move(done)); }
    void fence(const rh::request& r, rh::completion done) { take(r, 15s, std::move(done)); }
    void recreate(const rh::request& r, rh::proof_of_death, rh::completion done) { take(r, 60s, std::move(done)); }
    void evacuate(const rh::request& r, rh::proof_of_death, rh::completion done) { take(r, 60s, std::move(done)); }
    void converge(const rh::request& r, std::span<rh::proof_of_death>, rh::completion done) {
        take(r, 90s, std::move(done));
    }

    [[nodiscard]] rh::time_point next() const { return due_.empty() ? rh::never : due_.begin()->first; }
    void advance(rh::time_point to) {
        now = to;
        // Those of one time in the order of their calls; one that answers may call again.
        while (!due_.empty() && due_.begin()->first <= now) {
            answer a = std::move(due_.extract(due_.begin()).mapped());
            a.done(std::move(a.how));
        }
    }

    std::vector<machine> machines;
    std::array<std::size_t, rh::operation_count> calls{};
    bool outage = true;
    rh::time_point outage_from = start + 15min + 20s;
    rh::time_point outage_to = outage_from + 30min;
    rh::time_point now = start;

private:
    struct answer {
        rh::completion done;
        rh::outcome how;
    };

    void take(const rh::request& r, rh::duration latency, rh::completion done) {
        ++calls[static_cast<std::size_t>(r.what)];
        machine& m = find(r.instance);
        m.acted_upon = m.acted_upon || r.what != operation::describe;
        const bool in_outage = outage && now >= outage_from && now < outage_to;
        // From the inside nothing is reached, not even the cloud's interface.
        if (where_ == controller::inside && in_outage) return lost_.push_back(std::move(done));
        if (dark(m.zone, now) && r.what == operation::describe) {
            rh::observed seen; // it is known, and nobody can say whether it runs
            seen.exists = true;
            return later(latency, std::move(done), rh::outcome::done(std::move(seen)));
        }
        if (dark(m.zone, now)) {
            // Of its management boards and agents one half gives an error in the end, the other half no answer.
            if (m.host_number % 2 != 0) return lost_.push_back(std::move(done));
            return later(30s, std::move(done), rh::outcome::failed("no route to host"));
        }
        later(latency, std::move(done), carry_out(r, m, rh::after(now, latency)));
    }
    void later(rh::duration latency, rh::completion done, rh::outcome how) {
        due_.emplace(rh::after(now, latency), answer{std::move(done), std::move(how)});
    }
    rh::outcome carry_out(const rh::request& r, machine& m, rh::time_point done_at) {
        rh::observed seen;
        switch (r.what) {
        case operation::fence_instance: m.on = false; break;
        case operation::reboot_instance:
        case operation::rebuild_instance:
            if (!m.on || m.still) return rh::outcome::failed("it has no power");
            m.up_at = rh::after(done_at, 40s);
            break;
        case operation::recreate_instance:
        case operation::evacuate_instance:
            m.on = true;
            m.still = false;
            m.up_at = rh::after(done_at, 40s);
            ++m.generation;
            m.host = "spare-" + m.name.substr(5); // another one
            break;
        default: break;
        }
        m.disturbed = m.disturbed || (r.what != operation::describe && r.what != operation::restart_service);
        seen.exists = true;
        seen.running = m.on && !m.still;
        seen.host = m.host;
        seen.cloud_id = m.name + "-" + std::to_string(m.generation);
        return rh::outcome::done(std::move(seen));
    }

    controller where_;
    std::multimap<rh::time_point, answer> due_;
    std::vector<rh::completion> lost_;
};

/// What came of one run.
struct tally {
    std::array<std::size_t, rh::operation_count> calls{};
    std::size_t in_outage = 0; ///< calls that change something, while the network was away
    std::size_t touched = 0;   ///< machines
    std::size_t disturbed = 0;
    std::size_t most_in_flight = 0;
    std::size_t pages = 0;
    std::size_t open = 0; ///< incidents at the end
    std::size_t well = 0; ///< machines at the end
    bool doubted = false;
    std::size_t breakers = 0;

    [[nodiscard]] std::size_t of(operation what) const { return calls[static_cast<std::size_t>(what)]; }
    [[nodiscard]] std::size_t changes() const {
        std::size_t n = 0;
        for (std::size_t o = 0; o < calls.size(); ++o)
            n += o == static_cast<std::size_t>(operation::describe) ? 0 : calls[o];
        return n;
    }
};

/// A pipeline in that world, on virtual time.
class trial {
public:
    trial(const rh::policy& rules, const rh::limits& bounds, controller where)
        : in{where}, where_{where}, ha{in, rh::manual_clock{start}, rules, {}, options(bounds)} {}

    /// `name` has the number at place 3 to 6.
    void add(int number, const std::string& host, const std::string& rack, const std::string& zone, int zone_number,
             int host_number) {
        std::string digits = std::to_string(number);
        while (digits.size() < 4) digits.insert(digits.begin(), '0');
        world::machine m;
        m.name = "vm-" + digits;
        m.host = host;
        m.zone = zone_number;
        m.host_number = host_number;
        const auto vm =
            *ha.add(rh::instance{.name = m.name, .host = host, .rack = rack, .zone = zone, .group = "fleet"});
        m.watches.push_back(*ha.watch(vm, rh::heartbeat_alarm{}));
        const auto app = *ha.add(rh::service{.name = "app", .on = vm});
        m.watches.push_back(*ha.watch(app, rh::heartbeat_alarm{}));
        instances.push_back(vm);
        in.machines.push_back(std::move(m));
    }
    void add_fleet(int size) {
        for (int n = 0; n < size; ++n) {
            const int host = n % hosts;
            const int rack = host / hosts_in_rack;
            const int zone = rack / racks_in_zone;
            add(n, "host-" + std::to_string(host), "rack-" + std::to_string(rack), "zone-" + std::to_string(zone), zone,
                host);
        }
    }

    void run_until(rh::time_point end) {
        for (;;) {
            in.advance(ha.time().now());
            const rh::time_point due = ha.poll([this](const rh::event& e) { note(e); });
            std::size_t in_flight = 0;
            for (const rh::incident& i : ha.state().incidents()) in_flight += i.subject != rh::no_target ? 1U : 0U;
            result.most_in_flight = (std::max)(result.most_in_flight, in_flight);
            const rh::time_point next = rh::earlier(due, in.next());
            if (next > end) break;
            beat_until(next);
            ha.time().advance_to(next);
        }
        beat_until(end);
        ha.time().advance_to(end);
    }
    /// What the cloud's own view of its hosts says, of all machines that are cut off.
    void cloud_says(rh::health h) {
        for (std::size_t n = 0; n < in.machines.size(); ++n) {
            if (in.machines[n].zone == dark_zone)
                ha.observe({instances[n], rh::vantage::driver_status, h, ha.time().now()});
        }
    }
    [[nodiscard]] std::size_t well() const {
        std::size_t n = 0;
        for (const rh::target_id t : instances) n += ha.state().health_of(t) == rh::health::healthy ? 1U : 0U;
        return n;
    }
    void finish() {
        result.calls = in.calls;
        for (const world::machine& m : in.machines) {
            result.touched += m.acted_upon ? 1U : 0U;
            result.disturbed += m.disturbed ? 1U : 0U;
        }
        result.open = ha.state().open_incidents();
        result.well = well();
    }
    tally through_the_outage() {
        run_until(in.outage_from + 75s);
        if (where_ == controller::outside) cloud_says(rh::health::unhealthy);
        run_until(in.outage_to);
        result.in_outage = tally{.calls = in.calls}.changes();
        run_until(in.outage_to + 30s);
        if (where_ == controller::outside) cloud_says(rh::health::healthy);
        run_until(in.outage_to + 60min);
        finish();
        return result;
    }

    world in;
    controller where_;
    rh::pipeline<world, rh::manual_clock> ha;
    std::vector<rh::target_id> instances;
    tally result;

private:
    static rh::engine_options options(const rh::limits& bounds) {
        rh::engine_options o;
        o.bounds = bounds;
        return o;
    }
    void note(const rh::event& e) {
        result.pages += e.what == decision::page ? 1U : 0U;
        result.doubted = result.doubted || (e.what == decision::wait && e.why == reason::silence_is_ours);
        result.breakers += e.kind == rh::event_kind::controller && e.what == decision::open ? 1U : 0U;
    }
    void beat_until(rh::time_point to) {
        for (; beaten_ < to; beaten_ = rh::after(beaten_, 1s)) {
            const auto second = static_cast<std::size_t>((beaten_ - start) / 1s % 60);
            const rh::time_point at = rh::after(beaten_, 500ms);
            for (std::size_t n = second; n < in.machines.size(); n += 60) {
                const world::machine& m = in.machines[n];
                if (!in.beats(m, at)) continue;
                for (const rh::watch_id w : m.watches) ha.state().push(w, at, rh::heartbeat);
            }
        }
    }
    rh::time_point beaten_ = start;
};

tally run(const rh::policy& rules, const rh::limits& bounds, controller where) {
    trial t{rules, bounds, where};
    t.add_fleet(1000);
    return t.through_the_outage();
}

std::string outage_table(controller where) {
    std::string text = "| | service restarts | reboots | rebuilds | fences | re-creations | evacuations | in all | "
                       "during the outage | machines acted upon | that lost their run | most in flight | pages | "
                       "open after 1 h | well after 1 h |\n"
                       "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
    const auto row = [&text](std::string_view name, const tally& t) {
        text += "| " + std::string{name} + " |";
        for (const std::size_t n :
             {t.of(operation::restart_service), t.of(operation::reboot_instance), t.of(operation::rebuild_instance),
              t.of(operation::fence_instance), t.of(operation::recreate_instance), t.of(operation::evacuate_instance),
              t.changes(), t.in_outage, t.touched, t.disturbed, t.most_in_flight, t.pages, t.open, t.well})
            text += " " + std::to_string(n) + " |";
        text += "\n";
    };
    row("`reheat`", run(rh::three_levels.lowered(), {}, where));
    for (const rh::peer_preset& p : rh::peer::all) row(p.name, run(p.rules, p.bounds, where));
    return text;
}

// A dead host

struct mass_recovery {
    std::size_t fleet = 0;
    std::uint32_t limit = 0;
    std::size_t recreated = 0;
    std::size_t fenced = 0;
    std::size_t most_in_flight = 0;
    std::size_t pages = 0;
    std::size_t well = 0;
    rh::duration first{}; ///< from the host's death to the first machine that is well again
    rh::duration half{};
    rh::duration all{};
};

/// 200 instances are on one host, and the rest of the fleet is elsewhere; the host dies, and half a minute later that
/// is proved. Nothing else happens.
mass_recovery dead_host(int fleet) {
    constexpr std::size_t victims = 200;
    trial t{rh::three_levels.lowered(), {}, controller::outside};
    t.in.outage = false;
    for (int n = 0; n < fleet; ++n) {
        const int host = n % hosts;
        if (n < static_cast<int>(victims)) t.add(n, "host-dead", "rack-dead", "zone-0", 0, 0);
        else
            t.add(n, "host-" + std::to_string(host), "rack-" + std::to_string(host / hosts_in_rack),
                  "zone-" + std::to_string(host / hosts_in_rack / racks_in_zone), 0, host);
    }
    t.run_until(start + 15min + 20s);
    const rh::time_point died = t.ha.time().now();
    for (std::size_t n = 0; n < victims; ++n) t.in.machines[n].still = true;
    t.run_until(rh::after(died, 30s));
    t.ha.host_died("host-dead", rh::proof_kind::fenced);

    mass_recovery m;
    m.fleet = static_cast<std::size_t>(fleet);
    m.limit = rh::limits{}.in_flight.of(static_cast<std::uint32_t>(fleet));
    t.run_until(rh::after(died, 2min)); // all of them are known to be silent
    while (m.all == 0s && t.ha.time().now() < rh::after(died, 12h)) {
        t.run_until(rh::after(t.ha.time().now(), 10s));
        const std::size_t again = t.well() - (m.fleet - victims);
        const rh::duration passed = t.ha.time().now() - died;
        if (again > 0 && m.first == 0s) m.first = passed;
        if (again >= victims / 2 && m.half == 0s) m.half = passed;
        if (again == victims && t.ha.state().open_incidents() == 0) m.all = passed;
    }
    t.finish();
    m.recreated = t.result.of(operation::recreate_instance);
    m.fenced = t.result.of(operation::fence_instance);
    m.most_in_flight = t.result.most_in_flight;
    m.pages = t.result.pages;
    m.well = t.result.well;
    CHECK(t.result.changes() == m.recreated + m.fenced);
    return m;
}

std::string dead_host_table(const std::vector<mass_recovery>& all) {
    std::string text = "| fleet | on the dead host | in-flight limit | most in flight | re-created | fences | pages | "
                       "first well | half well | all well |\n|---|---|---|---|---|---|---|---|---|---|\n";
    for (const mass_recovery& m : all) {
        text += "| " + std::to_string(m.fleet) + " | 200 | " + std::to_string(m.limit) + " | " +
                std::to_string(m.most_in_flight) + " | " + std::to_string(m.recreated) + " | " +
                std::to_string(m.fenced) + " | " + std::to_string(m.pages) + " |";
        for (const rh::duration d : {m.first, m.half, m.all})
            text += " " + std::to_string(d / 1min) + " min " + std::to_string(d % 1min / 1s) + " s |";
        text += "\n";
    }
    return text;
}

void check_table(const std::string& name, const std::string& made) {
    support::check_page("docs/reference/zone_outage.md", name, made);
}

} // namespace

TEST_SUITE("zone outage") {
    TEST_CASE("the tables in docs/reference/zone_outage.md are what each does on the same trace") {
        check_table("controller outside", outage_table(controller::outside));
        check_table("controller inside", outage_table(controller::inside));
    }

    TEST_CASE("a zone outage starts no storm under the defaults, at whatever second of the period it begins") {
        for (const rh::duration begins : {0s, 1s, 11s, 30s, 49s, 59s}) {
            CAPTURE(begins / 1s);
            trial t{rh::three_levels.lowered(), {}, controller::outside};
            t.add_fleet(1000);
            t.in.outage_from = start + 15min + begins;
            t.in.outage_to = t.in.outage_from + 30min;
            const tally made = t.through_the_outage();
            CHECK(made.changes() == 0);
            CHECK(made.breakers > 0);
            CHECK(made.open == 0);
            CHECK(made.well == 1000);
            CHECK(made.pages < 20); // for what holds them, none for each machine
        }
    }

    TEST_CASE("a controller inside the dark zone freezes, says why, and goes on once the cloud answers") {
        trial t{rh::three_levels.lowered(), {}, controller::inside};
        t.add_fleet(1000);
        const tally made = t.through_the_outage();
        CHECK(made.changes() == 0);
        CHECK(made.doubted);
        CHECK_FALSE(t.ha.state().doubts_itself());
        CHECK(made.of(operation::describe) < 200); // it asks on, and does not flood
        CHECK(made.open == 0);
        CHECK(made.well == 1000);
    }

    TEST_CASE("in doubt it asks on for as long as nobody answers, also when the lost machines are history") {
        support::bench all{rh::three_levels.lowered()};
        std::vector<rh::watch_id> watches;
        for (int n = 0; n < 30; ++n) {
            const std::string zone = "zone-" + std::to_string(n % 3);
            const auto vm = *all.e.add(rh::instance{.name = "vm-" + std::to_string(n), .zone = zone});
            watches.push_back(*all.e.watch(vm, rh::heartbeat_alarm{}.rule(), all.now));
        }
        const auto minutes = [&](int count, std::size_t silent) {
            for (int m = 0; m < count; ++m) {
                for (std::size_t n = silent; n < watches.size(); ++n) all.e.push(watches[n], all.now, 1);
                all.run_for(60s);
            }
        };
        minutes(1, 0);
        minutes(10, 4); // fewer than a cliff has
        CHECK(all.e.doubts_itself());
        const std::size_t asked = all.calls.size();
        minutes(1, 4);
        REQUIRE(all.calls.size() > asked);
        all.answer(rh::outcome::done());
        all.step();
        CHECK_FALSE(all.e.doubts_itself());
    }

    TEST_CASE("two hundred instances of a host that is proved dead recover under the defaults, within the limits") {
        const std::vector<mass_recovery> all{dead_host(200), dead_host(1000)};
        for (const mass_recovery& m : all) {
            CAPTURE(m.fleet);
            CHECK(m.most_in_flight <= m.limit);
            CHECK(m.recreated == 200);
            CHECK(m.fenced == 0); // the proof is there
            CHECK(m.well == m.fleet);
            CHECK(m.all > 0s);
        }
        check_table("dead host", dead_host_table(all));
    }
}
