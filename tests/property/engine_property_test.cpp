// SPDX-License-Identifier: MIT
// Random faults, random answers of the cloud and a slow journal: whatever happens, the engine's invariants hold.
#include <reheat/engine/render.hpp>
#include <reheat/sim/simulation.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace rh = reheat;

namespace {

/// Numbers from a seed, the same on every system: so no call has two draws among its arguments, whose order is open.
class dice {
public:
    explicit dice(std::uint64_t seed) noexcept : state_{rh::mix(seed)} {}
    std::uint64_t below(std::uint64_t n) noexcept { return (state_ = rh::mix(state_)) % n; }
    bool one_in(std::uint64_t n) noexcept { return below(n) == 0; }
    rh::duration time(rh::duration most) noexcept {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(most).count();
        return std::chrono::seconds{below(static_cast<std::uint64_t>(seconds) + 1)};
    }

private:
    std::uint64_t state_;
};

/// A journal that takes its time and remembers when each intent became safe.
class slow_journal {
public:
    explicit slow_journal(std::uint64_t seed = 0, rh::duration most = {}) noexcept : dice_{seed}, most_{most} {}

    rh::result<void> open() noexcept { return {}; }
    rh::result<void> append(std::span<const rh::record> records) {
        for (const rh::record& r : records) {
            gaps += static_cast<std::uint64_t>(r.seq) == ++last_ ? 0U : 1U;
            due_ = rh::later(due_, rh::after(r.at, dice_.time(most_)));
            waiting_.push_back({r.seq, due_});
            if (r.kind == rh::record_kind::intent) {
                ++intents[r.op];
                safe_at[r.op] = due_;
            }
        }
        if (!records.empty()) advance(records.back().at);
        return {};
    }
    [[nodiscard]] rh::sequence durable() const noexcept { return durable_; }
    void advance(rh::time_point now) {
        while (done_ < waiting_.size() && waiting_[done_].second <= now) durable_ = waiting_[done_++].first;
    }
    [[nodiscard]] rh::time_point next() const noexcept {
        return done_ < waiting_.size() ? waiting_[done_].second : rh::never;
    }

    std::map<rh::op_id, unsigned> intents;
    std::map<rh::op_id, rh::time_point> safe_at;
    std::size_t gaps = 0;

private:
    dice dice_;
    rh::duration most_;
    std::vector<std::pair<rh::sequence, rh::time_point>> waiting_;
    std::size_t done_ = 0;
    rh::time_point due_{};
    std::uint64_t last_ = 0;
    rh::sequence durable_ = rh::no_sequence;
};

using world = rh::simulation<slow_journal>;

constexpr std::array<std::string_view, 4> instances{"db-1", "web-1", "db-2", "web-2"};

rh::mock_reply random_reply(dice& d) {
    using manner = rh::mock_reply::manner;
    constexpr std::array manners{manner::later,     manner::later,  manner::later, manner::at_once,
                                 manner::abandoned, manner::silent, manner::twice};
    constexpr std::array codes{rh::outcome_code::done, rh::outcome_code::failed, rh::outcome_code::refused,
                               rh::outcome_code::unknown};
    rh::mock_reply r;
    r.how = manners[d.below(manners.size())];
    r.code = codes[d.below(codes.size())];
    // `failed` and `refused` promise that nothing changed; of the others nobody knows.
    r.takes_effect = r.code == rh::outcome_code::done || (r.code == rh::outcome_code::unknown && d.one_in(2));
    if (d.one_in(2)) r.latency = d.time(20min);
    return r;
}

void disturb(world& w, dice& d) {
    constexpr std::array faults{rh::fault::service_dies, rh::fault::instance_hangs, rh::fault::instance_lost,
                                rh::fault::stack_breaks};
    constexpr std::array answered{rh::operation::describe,          rh::operation::restart_service,
                                  rh::operation::reboot_instance,   rh::operation::rebuild_instance,
                                  rh::operation::fence_instance,    rh::operation::recreate_instance,
                                  rh::operation::evacuate_instance, rh::operation::converge_stack};
    const std::string_view name = instances[d.below(instances.size())];
    const rh::engine& e = w.ha().state();
    switch (d.below(8)) {
    case 0:
    case 1:
    case 2: {
        const rh::fault what = faults[d.below(faults.size())];
        w.cloud.break_at(w.now(), name, what, d.one_in(2) ? "app" : "");
        break;
    }
    case 3:
    case 4: {
        const rh::operation what = answered[d.below(answered.size())];
        w.cloud.reply(what, random_reply(d));
        break;
    }
    case 5: w.silence(e.find(rh::level::instance, name), d.one_in(2)); break;
    case 6: {
        constexpr std::array seen{rh::health::unknown, rh::health::healthy, rh::health::unhealthy};
        w.ha().observe(
            {e.find(rh::level::instance, name), rh::vantage::driver_status, seen[d.below(seen.size())], w.now()});
        break;
    }
    default:
        w.ha().operate(
            {rh::operator_verb::approve, e.find(rh::level::stack, d.one_in(2) ? "one" : "two"), "test", {}, rh::never});
    }
}

void calm(world& w) {
    w.cloud.usual_replies();
    for (const std::string_view name : instances) {
        const rh::target_id target = w.ha().state().find(rh::level::instance, name);
        w.silence(target, false);
        w.ha().observe({target, rh::vantage::driver_status, rh::health::unknown, w.now()});
    }
}

void build(world& w) {
    for (const std::string_view name : instances) {
        const bool first = name.back() == '1';
        const rh::asset keep = name == "web-2" ? rh::volumes | rh::ephemeral_disk : rh::volumes;
        REQUIRE(w.add_instance(name, {.stack = first ? "one" : "two", .services = {"app", "proxy"}}, keep));
    }
}

/// Runs a schedule: a few virtual hours of faults, then two days without.
void live(world& w, std::uint64_t seed) {
    dice d{seed};
    build(w);
    const std::uint64_t faults = 3 + d.below(25);
    for (std::uint64_t n = 0; n < faults; ++n) {
        w.run_for(d.time(20min));
        disturb(w, d);
    }
    calm(w);
    for (int hour = 0; hour < 48; ++hour) {
        w.run_for(1h);
        for (const std::string_view stack : {"one", "two"})
            w.ha().operate(
                {rh::operator_verb::approve, w.ha().state().find(rh::level::stack, stack), "test", {}, rh::never});
    }
    w.run_for(1h);
}

rh::policy all_rungs() {
    return rh::ladder{rh::restart_service{},   rh::reboot_instance{},   rh::rebuild_instance{},
                      rh::evacuate_instance{}, rh::recreate_instance{}, rh::converge_stack{}}
        .lowered();
}

/// The world of a seed: every other one with a slow journal, every third with all rungs there are.
struct simulated {
    explicit simulated(std::uint64_t seed)
        : w{seed % 3 == 0 ? all_rungs() : rh::three_levels.lowered(),
            slow_journal{seed, seed % 2 == 0 ? 0s : 90s},
            {.seed = seed}} {
        live(w, seed);
    }
    world w;
};

std::string text_of(world& w) {
    std::string all;
    for (const rh::event& e : w.events()) all += to_text(w.ha().state(), e) + '\n';
    return all;
}

void check_calls(world& w) {
    const slow_journal& log = w.ha().log();
    CHECK(log.gaps == 0);
    std::set<rh::op_id> seen;
    for (const rh::mock_call& c : w.cloud.calls()) {
        CHECK_MESSAGE(seen.insert(c.op).second, "an operation was called twice");
        if (c.what == rh::operation::describe) continue;
        REQUIRE_MESSAGE(log.intents.count(c.op) == 1, "a call without an intent");
        CHECK(log.intents.at(c.op) == 1);
        CHECK_MESSAGE(c.at >= log.safe_at.at(c.op), "a call before its intent was durable");
    }
}

/// From the events alone: who is under way on what, and which incident has a proof for whom.
void check_events(world& w) {
    const rh::target_tree& tree = w.ha().state().targets();
    std::map<rh::op_id, rh::target_id> under_way;
    std::set<std::pair<rh::incident_id, rh::target_id>> proofs;
    std::set<rh::incident_id> open;
    for (const rh::event& e : w.events()) {
        if (e.kind == rh::event_kind::call && e.what == rh::decision::call) {
            for (const auto& [op, subject] : under_way)
                CHECK_MESSAGE(!(tree.covers(subject, e.subject) || tree.covers(e.subject, subject)),
                              "two actions at once");
            under_way[e.op] = e.subject;
            CHECK(open.count(e.incident) == 1);
            if (e.rung == rh::operation::recreate_instance || e.rung == rh::operation::evacuate_instance)
                CHECK_MESSAGE(proofs.erase({e.incident, e.subject}) == 1, "no proof of death");
            if (e.rung == rh::operation::converge_stack)
                CHECK_MESSAGE(std::erase_if(proofs, [&](const auto& p) { return p.first == e.incident; }) > 0,
                              "no proof of death");
        }
        if (e.kind == rh::event_kind::call && e.what == rh::decision::finish) CHECK(under_way.erase(e.op) == 1);
        if (e.why == rh::reason::proof_minted) proofs.insert({e.incident, e.subject});
        if (e.what == rh::decision::open) CHECK(open.insert(e.incident).second);
        if (e.what == rh::decision::recover) CHECK(open.erase(e.incident) == 1);
    }
    for (const auto& [op, subject] : under_way) CHECK(tree.busy(subject));
}

/// Long after the last fault every target is well, or a human knows.
void check_end(world& w) {
    const rh::engine& e = w.ha().state();
    std::set<rh::incident_id> paged;
    for (const rh::event& ev : w.events()) {
        if (ev.kind == rh::event_kind::page) paged.insert(ev.incident);
    }
    for (std::uint32_t n = 0; n < e.targets().size(); ++n) {
        const auto target = static_cast<rh::target_id>(n);
        if (e.health_of(target) == rh::health::healthy || e.targets()[target].of == rh::level::stack) {
            CHECK_MESSAGE(e.incident_of(target) == nullptr, e.name(target), " is healthy and its incident is open");
            continue;
        }
        const rh::incident* i = e.incident_of(target);
        REQUIRE_MESSAGE(i != nullptr, e.name(target), " is not healthy and nobody cares");
        for (std::uint32_t m = 0; i->at == rh::phase::absorbed && m < e.targets().size(); ++m) {
            const rh::incident* above = e.incident_of(static_cast<rh::target_id>(m));
            if (above != nullptr && above->id == i->absorbed_by) i = above;
        }
        CHECK_MESSAGE(paged.count(i->id) == 1, e.name(target), " waits unpaged, ", to_string(i->at));
    }
}

} // namespace

TEST_CASE("invariants hold under random faults, answers and a slow journal") {
    std::size_t actions = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        CAPTURE(seed);
        simulated s{seed};
        CHECK(s.w.cloud.second_copies() == 0);
        check_calls(s.w);
        check_events(s.w);
        check_end(s.w);
        actions += s.w.cloud.calls().size();
    }
    MESSAGE("300 schedules, ", actions, " calls");
    CHECK(actions > 1'000); // a world in which nothing happens proves nothing
}

TEST_CASE("the same seed gives the same events") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        CAPTURE(seed);
        simulated once{seed};
        simulated again{seed};
        CHECK(text_of(once.w) == text_of(again.w));
    }
}
