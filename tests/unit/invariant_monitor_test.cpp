// SPDX-License-Identifier: MIT
#include <reheat/runner/pager.hpp>
#include <reheat/sim/invariant_monitor.hpp>
#include <reheat/sim/simulation.hpp>
#include <reheat/sim/watched.hpp>
#include <reheat/testing/proof_mint.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// For each invariant a stream of inputs that breaks it, and its nearest legal neighbour.

using namespace std::chrono_literals;
namespace rh = reheat;
using rh::decision;
using rh::event_kind;
using rh::invariant;
using rh::operation;
using rh::reason;

namespace {

constexpr rh::time_point start{std::chrono::seconds{1'767'225'600}};

rh::engine_options bounds() {
    rh::engine_options o;
    o.bounds.between = 10s;
    return o;
}

/// A monitor beside an engine that is never stepped: what it would have told comes from the test.
struct stream {
    explicit stream(const rh::policy& rules = rh::three_levels.lowered(), rh::engine_options options = bounds())
        : e{rules, options} {
        db = *e.add(rh::instance{.name = "db-1", .stack = "wiki", .zone = "east", .cloud_id = "id-1"});
        mysql = *e.add(rh::service{.name = "mysqld", .on = db});
        web = *e.add(rh::instance{.name = "web-1", .stack = "wiki", .zone = "east"});
        wiki = e.find(rh::level::stack, "wiki");
        m.started(e, now - 1h);
    }

    // Events

    rh::event& with(event_kind kind, decision what, reason why, rh::target_id target,
                    operation rung = operation::none) {
        v = {};
        v.at = now;
        v.kind = kind;
        v.what = what;
        v.why = why;
        v.target = v.subject = target;
        v.rung = rung;
        v.incident = static_cast<rh::incident_id>(100 + static_cast<std::uint32_t>(target));
        v.by = rh::vantage_set{} | rh::vantage::guest_heartbeat | rh::vantage::driver_status;
        return v;
    }
    void tell() { m(v); }
    void fires(rh::target_id t, bool on = true) {
        with(event_kind::alarm, decision::change, on ? reason::alarm_raised : reason::alarm_cleared, t);
        v.incident = rh::no_incident;
        v.from = on ? rh::alarm_state::ok : rh::alarm_state::alarm;
        v.to = on ? rh::alarm_state::alarm : rh::alarm_state::ok;
        v.watch = rh::watch_id{static_cast<std::uint64_t>(t)};
        tell();
    }
    void opens(rh::target_id t) {
        with(event_kind::incident, decision::open, reason::alarm_raised, t);
        tell();
    }
    void acts(rh::target_id t, operation rung, rh::target_id subject) {
        with(event_kind::rung, decision::act, reason::first_attempt, t, rung).subject = subject;
        tell();
    }
    void fences(rh::target_id t, std::uint64_t op) {
        with(event_kind::rung, decision::act, reason::proof_required, t, operation::fence_instance);
        tell();
        calls(t, operation::fence_instance, t, op);
    }
    void proves(rh::target_id t, reason why = reason::proof_minted) {
        with(event_kind::rung, decision::accept, why, t, operation::fence_instance);
        tell();
    }
    void calls(rh::target_id t, operation rung, rh::target_id subject, std::uint64_t op) {
        with(event_kind::call, decision::call, reason::none, t, rung).subject = subject;
        v.op = rh::op_id{op};
        tell();
    }
    void ends(rh::target_id t, operation rung, rh::target_id subject, std::uint64_t op,
              reason why = reason::outcome_done) {
        with(event_kind::call, decision::finish, why, t, rung).subject = subject;
        v.op = rh::op_id{op};
        tell();
        if (why != reason::outcome_done || rung == operation::fence_instance) return;
        with(event_kind::verdict, decision::verify, why, t, rung).subject = subject;
        tell();
    }
    void waits(rh::target_id t, rh::guard g, rh::duration next = 0s) {
        with(event_kind::rung, decision::wait, reason::none, t, operation::reboot_instance);
        v.denied = bit(g);
        v.next = next == 0s ? rh::never : now + next;
        tell();
    }
    void pages(rh::target_id t, reason why) {
        with(event_kind::page, decision::page, why, t).denied = bit(rh::guard::approval);
        tell();
    }
    void parks(rh::target_id t) {
        with(event_kind::incident, decision::park, reason::ladder_exhausted, t);
        tell();
    }
    void recovers(rh::target_id t) {
        with(event_kind::incident, decision::recover, reason::verified, t);
        tell();
    }
    void controller(decision what, reason why) {
        with(event_kind::controller, what, why, rh::no_target).incident = rh::no_incident;
        tell();
    }
    void pages_all(reason why) {
        with(event_kind::page, decision::page, why, rh::no_target).incident = rh::no_incident;
        tell();
    }
    void pass(rh::duration d) {
        m.poll(now);
        now += d;
        m.poll(now);
    }

    // Shorter: an action of each kind, from its incident to its outcome

    void restarts(rh::target_id service, std::uint64_t op) {
        opens(service);
        acts(service, operation::restart_service, service);
        calls(service, operation::restart_service, service, op);
        ends(service, operation::restart_service, service, op);
        recovers(service);
    }
    void recreates(rh::target_id t, std::uint64_t op) {
        acts(t, operation::recreate_instance, t);
        calls(t, operation::recreate_instance, t, op);
    }

    // Level 2

    rh::record record(std::uint64_t seq, rh::record_kind kind, std::uint64_t op, operation what, rh::target_id target) {
        rh::record r;
        r.seq = rh::sequence{seq};
        r.kind = kind;
        r.at = now;
        r.op = rh::op_id{op};
        r.key = op;
        r.what = what;
        r.target = target;
        return r;
    }
    void intends(std::uint64_t seq, std::uint64_t op, operation what, rh::target_id target) {
        m.recorded(record(seq, rh::record_kind::intent, op, what, target));
    }
    rh::request request(std::uint64_t op, operation what, rh::target_id target, std::uint64_t reign = 1) {
        rh::request r;
        r.op = rh::op_id{op};
        r.key = op;
        r.reign = rh::epoch{reign};
        r.what = what;
        r.target = target;
        return r;
    }
    void driver_gets(std::uint64_t op, operation what, rh::target_id target) {
        m.called(request(op, what, target), {}, now);
    }

    [[nodiscard]] std::uint64_t found(invariant which) const { return m.violations().count(which); }
    [[nodiscard]] std::string all() const {
        std::string text;
        for (const rh::violation& broken : m.violations().first()) text += to_text(broken, e) + "\n";
        return text;
    }

    rh::time_point now = start;
    rh::engine e;
    rh::target_id db{};
    rh::target_id mysql{};
    rh::target_id web{};
    rh::target_id wiki{};
    rh::event v;
    rh::invariant_monitor m{e};
};

} // namespace

/// The stream breaks this invariant, and only this one.
#define BREAKS(s, which)                                                                                               \
    do {                                                                                                               \
        CHECK_MESSAGE((s).found(which) >= 1, to_string(which), " was not found; found: ", (s).all());                  \
        CHECK_MESSAGE((s).found(which) == (s).m.violations().count(), (s).all());                                      \
    } while (false)
#define HOLDS(s)                                                                                                       \
    do {                                                                                                               \
        CHECK_MESSAGE((s).m.violations().empty(), (s).all());                                                          \
    } while (false)

TEST_CASE("I1: two copies of a stateful instance run at once") {
    stream bad;
    bad.m.copy_started(bad.db, "id-1", bad.now);
    bad.m.copy_started(bad.db, "id-2", bad.now);
    BREAKS(bad, invariant::one_copy);

    stream good;
    good.m.copy_started(good.db, "id-1", good.now);
    good.m.copy_started(good.db, "id-1", good.now); // it boots again
    good.m.copy_stopped(good.db, "id-1", good.now);
    good.m.copy_started(good.db, "id-2", good.now);
    good.m.copy_started(good.web, "id-3", good.now);
    HOLDS(good);

    stream lie;
    lie.m.proofs_lie();
    lie.m.copy_started(lie.db, "id-1", lie.now);
    lie.m.copy_started(lie.db, "id-2", lie.now);
    HOLDS(lie);
    CHECK(lie.m.excused_copies() == 1);
}

TEST_CASE("I1: a copy that was proved dead is seen running, and nobody is told") {
    const auto replaced = [](stream& s) {
        s.opens(s.db);
        s.fences(s.db, 1);
        s.ends(s.db, operation::fence_instance, s.db, 1);
        s.proves(s.db);
        s.intends(1, 2, operation::recreate_instance, s.db);
        s.m.durable(rh::sequence{1});
        s.acts(s.db, operation::recreate_instance, s.db);
        std::vector<rh::proof_of_death> proofs;
        proofs.push_back(rh::testing::mint_proof(s.v.incident, s.db, s.now + 10min));
        rh::request r = s.request(2, operation::recreate_instance, s.db);
        r.cloud_id = "id-1";
        s.m.called(r, proofs, s.now);
        s.calls(s.db, operation::recreate_instance, s.db, 2);
        s.ends(s.db, operation::recreate_instance, s.db, 2);
        s.pass(1min);
        s.m.sighted({s.db, "id-1", "h1", s.now - 2h}, s.now);
    };
    stream bad;
    replaced(bad);
    bad.pass(2min);
    BREAKS(bad, invariant::one_copy);

    stream good;
    replaced(good);
    good.pages(good.db, reason::trust_broken);
    good.pass(2min);
    HOLDS(good);
}

TEST_CASE("I2: a second action begins before the first is verified") {
    stream same;
    same.opens(same.mysql);
    same.acts(same.mysql, operation::restart_service, same.mysql);
    same.calls(same.mysql, operation::restart_service, same.mysql, 1);
    same.acts(same.mysql, operation::restart_service, same.mysql);
    BREAKS(same, invariant::recovered_once);

    stream below;
    below.opens(below.mysql);
    below.acts(below.mysql, operation::restart_service, below.mysql);
    below.opens(below.db);
    below.acts(below.db, operation::reboot_instance, below.db);
    BREAKS(below, invariant::recovered_once);

    stream good;
    good.opens(good.mysql);
    good.acts(good.mysql, operation::restart_service, good.mysql);
    good.calls(good.mysql, operation::restart_service, good.mysql, 1);
    good.ends(good.mysql, operation::restart_service, good.mysql, 1);
    good.with(event_kind::verdict, decision::give_up, reason::verify_deadline, good.mysql, operation::restart_service);
    good.tell();
    good.acts(good.mysql, operation::restart_service, good.mysql);
    HOLDS(good);
}

TEST_CASE("I2: an outcome is applied twice, or too late") {
    const auto called = [](stream& s) {
        s.opens(s.mysql);
        s.acts(s.mysql, operation::restart_service, s.mysql);
        s.calls(s.mysql, operation::restart_service, s.mysql, 1);
    };
    stream twice;
    called(twice);
    twice.ends(twice.mysql, operation::restart_service, twice.mysql, 1);
    twice.ends(twice.mysql, operation::restart_service, twice.mysql, 1);
    BREAKS(twice, invariant::recovered_once);

    stream late;
    called(late);
    late.with(event_kind::call, decision::read_back, reason::deadline_passed, late.mysql).op = rh::op_id{1};
    late.tell();
    late.ends(late.mysql, operation::restart_service, late.mysql, 1);
    BREAKS(late, invariant::recovered_once);

    stream good;
    called(good);
    good.with(event_kind::call, decision::read_back, reason::deadline_passed, good.mysql).op = rh::op_id{1};
    good.tell();
    good.ends(good.mysql, operation::restart_service, good.mysql, 1, reason::found_done);
    HOLDS(good);
}

TEST_CASE("I2: the cloud carries out a call of an older epoch") {
    stream bad;
    bad.m.accepted(bad.request(1, operation::reboot_instance, bad.db, 2), bad.now);
    bad.m.accepted(bad.request(2, operation::reboot_instance, bad.web, 1), bad.now);
    BREAKS(bad, invariant::recovered_once);

    stream good;
    good.m.accepted(good.request(1, operation::reboot_instance, good.db, 1), good.now);
    good.m.accepted(good.request(2, operation::reboot_instance, good.web, 2), good.now);
    good.m.accepted(good.request(3, operation::describe, good.web, 1), good.now);
    HOLDS(good);
}

TEST_CASE("I3: a re-creation without a proof, with an old one, or while a fence is under way") {
    const auto proved = [](stream& s) {
        s.opens(s.db);
        s.fences(s.db, 1);
        s.ends(s.db, operation::fence_instance, s.db, 1);
        s.proves(s.db);
    };
    stream none;
    none.opens(none.db);
    none.recreates(none.db, 1);
    BREAKS(none, invariant::proof_first);

    stream old;
    proved(old);
    old.acts(old.db, operation::recreate_instance, old.db);
    old.with(event_kind::page, decision::page, reason::journal_pending, old.db, operation::recreate_instance);
    old.tell();
    old.pass(10min);
    old.calls(old.db, operation::recreate_instance, old.db, 2);
    BREAKS(old, invariant::proof_first);

    stream early;
    early.opens(early.db);
    early.fences(early.db, 1);
    early.fences(early.db, 2);
    early.ends(early.db, operation::fence_instance, early.db, 1);
    early.proves(early.db);
    early.recreates(early.db, 3);
    BREAKS(early, invariant::proof_first);

    stream failed;
    failed.opens(failed.db);
    failed.fences(failed.db, 1);
    failed.ends(failed.db, operation::fence_instance, failed.db, 1, reason::outcome_failed);
    failed.proves(failed.db);
    failed.recreates(failed.db, 2);
    BREAKS(failed, invariant::proof_first);

    stream good;
    proved(good);
    good.recreates(good.db, 2);
    HOLDS(good);

    stream dead;
    dead.opens(dead.db);
    dead.proves(dead.db, reason::already_dead);
    dead.recreates(dead.db, 2);
    HOLDS(dead);
}

TEST_CASE("I3: an action while trust is broken, or one that loses what must be kept") {
    stream bad;
    bad.pages_all(reason::trust_broken);
    bad.restarts(bad.mysql, 1);
    BREAKS(bad, invariant::proof_first);

    stream restarted;
    restarted.pages_all(reason::trust_broken);
    restarted.m.crashed(restarted.now);
    restarted.m.started(restarted.e, restarted.now);
    restarted.restarts(restarted.mysql, 1);
    BREAKS(restarted, invariant::proof_first);

    stream good;
    good.pages_all(reason::trust_broken);
    good.with(event_kind::operator_word, decision::accept, reason::operator_word, rh::no_target).verb =
        rh::operator_verb::trust;
    good.v.incident = rh::no_incident;
    good.tell();
    good.restarts(good.mysql, 1);
    HOLDS(good);

    stream loses;
    const rh::target_id keeper =
        *loses.e.add(rh::instance{.name = "keeper", .keep = rh::asset::volumes | rh::asset::ephemeral_disk});
    loses.opens(keeper);
    loses.acts(keeper, operation::rebuild_instance, keeper);
    loses.calls(keeper, operation::rebuild_instance, keeper, 1);
    BREAKS(loses, invariant::proof_first);
}

TEST_CASE("I3: a fence on the word of too few") {
    rh::policy careful = rh::three_levels.lowered();
    careful.evidence.alone = rh::single_vantage::wait;
    careful.evidence.vantages = 3;
    for (const bool enough : {false, true}) {
        stream s{careful};
        s.opens(s.db);
        s.with(event_kind::rung, decision::act, reason::proof_required, s.db, operation::fence_instance);
        if (enough) s.v.by = s.v.by | rh::vantage::neighbour;
        s.tell();
        if (enough) HOLDS(s);
        else BREAKS(s, invariant::proof_first);
    }
}

TEST_CASE("I3: the driver said no, and it counts as done") {
    for (const bool lies : {true, false}) {
        stream s;
        s.opens(s.db);
        s.fences(s.db, 1);
        s.m.completed(rh::op_id{1}, lies ? rh::outcome::failed("no") : rh::outcome::done(), s.now);
        s.ends(s.db, operation::fence_instance, s.db, 1);
        if (lies) BREAKS(s, invariant::proof_first);
        else HOLDS(s);
    }
}

TEST_CASE("I3: absence is a proof only where a description vouches for it") {
    for (const bool vouched : {false, true}) {
        stream s;
        s.opens(s.db);
        s.fences(s.db, 1);
        s.driver_gets(2, operation::describe, s.db);
        rh::observed seen;
        seen.exists = seen.running = false;
        seen.vouched = vouched;
        s.m.completed(rh::op_id{2}, rh::outcome::done(seen), s.now);
        s.ends(s.db, operation::fence_instance, s.db, 1, reason::confirmed_absent);
        if (vouched) HOLDS(s);
        else BREAKS(s, invariant::proof_first);
    }
}

TEST_CASE("I4: a volume is deleted, attached twice, left behind or forgotten") {
    stream deleted;
    deleted.m.volume_attached("v1", deleted.db, "id-1", deleted.now);
    deleted.m.volume_deleted("v1", deleted.db, deleted.now);
    BREAKS(deleted, invariant::volumes_kept);

    stream twice;
    twice.m.volume_attached("v1", twice.db, "id-1", twice.now);
    twice.m.volume_attached("v1", twice.db, "id-2", twice.now);
    BREAKS(twice, invariant::volumes_kept);

    for (const bool attached : {false, true}) {
        stream s;
        s.m.copy_started(s.db, "id-1", s.now);
        s.m.volume_attached("v1", s.db, "id-1", s.now);
        s.opens(s.db);
        s.fences(s.db, 1);
        s.m.copy_stopped(s.db, "id-1", s.now);
        s.ends(s.db, operation::fence_instance, s.db, 1);
        s.proves(s.db);
        s.recreates(s.db, 2);
        s.m.volume_detached("v1", s.db, "id-1", s.now);
        s.m.copy_started(s.db, "id-2", s.now);
        if (attached) s.m.volume_attached("v1", s.db, "id-2", s.now);
        s.ends(s.db, operation::recreate_instance, s.db, 2);
        s.recovers(s.db);
        if (attached) HOLDS(s);
        else BREAKS(s, invariant::volumes_kept);
    }

    struct told {
        bool named;
        std::string record;
        std::string page;
    };
    for (const told& t :
         {told{false, "quota", "quota"}, told{false, "v1 is detached", "quota"},
          told{false, "v10 and w-v1 are detached", "v1 is detached"},
          told{false, "v1 is detached", "quota; v10, v1_2, w-v1 are detached"},
          told{true, "v1 is detached", "quota; v1 is detached"}, told{true, "v10, v1", "w-v1 and v1."}}) {
        CAPTURE(t.record);
        CAPTURE(t.page);
        stream s;
        s.m.volume_attached("v1", s.db, "id-1", s.now);
        s.opens(s.db);
        s.waits(s.db, rh::guard::backoff, 1min);
        s.m.volume_detached("v1", s.db, "id-1", s.now);
        rh::record r;
        r.kind = rh::record_kind::outcome;
        r.seq = rh::sequence{1};
        r.target = s.db;
        r.incident = static_cast<rh::incident_id>(100 + static_cast<std::uint32_t>(s.db));
        r.at = s.now;
        r.text = t.record;
        s.m.recorded(r);
        rh::notification page;
        page.target = s.db;
        page.incident = r.incident;
        page.first = page.last = s.now + 1s;
        page.said = t.page;
        s.m.arrived(page);
        s.m.finish(s.now);
        if (t.named) HOLDS(s);
        else BREAKS(s, invariant::volumes_kept);
    }
}

TEST_CASE("I5: a budget holds over a crash, counts what was called, and forgets what was dropped") {
    // 3 restarts within 5 minutes.
    const auto thrice = [](stream& s) {
        for (std::uint64_t n = 1; n <= 3; ++n) s.restarts(s.mysql, n);
    };
    stream bad;
    thrice(bad);
    bad.m.crashed(bad.now);
    bad.pass(1min);
    bad.m.started(bad.e, bad.now);
    bad.restarts(bad.mysql, 4);
    BREAKS(bad, invariant::budgets_hold);

    stream later;
    thrice(later);
    later.pass(5min);
    later.restarts(later.mysql, 4);
    HOLDS(later);

    stream dropped;
    thrice(dropped);
    dropped.pass(5min);
    dropped.restarts(dropped.mysql, 4);
    dropped.restarts(dropped.mysql, 5);
    dropped.opens(dropped.mysql);
    dropped.acts(dropped.mysql, operation::restart_service, dropped.mysql);
    dropped.with(event_kind::call, decision::drop, reason::healthy_again, dropped.mysql, operation::restart_service);
    dropped.tell();
    dropped.recovers(dropped.mysql);
    dropped.restarts(dropped.mysql, 6);
    HOLDS(dropped);

    stream uncalled;
    thrice(uncalled);
    uncalled.pass(5min);
    uncalled.restarts(uncalled.mysql, 4);
    uncalled.restarts(uncalled.mysql, 5);
    uncalled.opens(uncalled.mysql);
    uncalled.acts(uncalled.mysql, operation::restart_service, uncalled.mysql);
    uncalled.m.crashed(uncalled.now);
    uncalled.m.started(uncalled.e, uncalled.now);
    uncalled.restarts(uncalled.mysql, 6);
    HOLDS(uncalled);
}

TEST_CASE("I5: shared budgets and the quota of the driver") {
    for (const std::uint16_t room : {std::uint16_t{1}, std::uint16_t{2}}) {
        rh::engine_options o = bounds();
        o.bounds.domain.burst = {room, 1h};
        o.bounds.in_flight.least = 9;
        stream s{rh::three_levels.lowered(), o};
        s.opens(s.mysql);
        s.acts(s.mysql, operation::restart_service, s.mysql);
        s.opens(s.web);
        s.acts(s.web, operation::reboot_instance, s.web);
        if (room == 1) BREAKS(s, invariant::budgets_hold);
        else HOLDS(s);

        rh::engine_options quota = bounds();
        quota.bounds.api = {room, 1min};
        stream q{rh::three_levels.lowered(), quota};
        q.driver_gets(1, operation::describe, q.db);
        q.driver_gets(2, operation::describe, q.db);
        if (room == 1) BREAKS(q, invariant::budgets_hold);
        else HOLDS(q);
    }
}

TEST_CASE("I6: in flight, distance, breaker, hold, approval") {
    const auto two = [](std::uint32_t most, rh::duration apart) {
        rh::engine_options o = bounds();
        o.bounds.in_flight.least = most;
        stream s{rh::three_levels.lowered(), o};
        s.opens(s.db);
        s.acts(s.db, operation::reboot_instance, s.db);
        s.pass(apart);
        s.opens(s.web);
        s.acts(s.web, operation::reboot_instance, s.web);
        return std::pair{s.found(invariant::limits_hold), s.m.violations().count()};
    };
    CHECK(two(1, 10s) == std::pair<std::uint64_t, std::uint64_t>{1, 1});
    CHECK(two(2, 9s) == std::pair<std::uint64_t, std::uint64_t>{1, 1});
    CHECK(two(2, 10s) == std::pair<std::uint64_t, std::uint64_t>{0, 0});

    for (const bool open : {true, false}) {
        stream s;
        s.controller(decision::open, reason::breaker_domain);
        s.with(event_kind::controller, open ? decision::open : decision::release,
               open ? reason::breaker_domain : reason::breaker_closed, rh::no_target)
            .set = s.e.sets().find(rh::set_kind::zone, "east");
        s.v.incident = rh::no_incident;
        s.tell();
        s.restarts(s.mysql, 1);
        if (open) BREAKS(s, invariant::limits_hold);
        else HOLDS(s);
    }
    for (const rh::duration since : {299s, 300s}) {
        stream s;
        s.m.started(s.e, s.now - since);
        s.opens(s.db);
        s.fences(s.db, 1);
        if (since < 300s) BREAKS(s, invariant::limits_hold);
        else HOLDS(s);
    }
    for (const bool approved : {false, true}) {
        stream s;
        s.opens(s.wiki);
        if (approved) {
            s.with(event_kind::operator_word, decision::accept, reason::operator_word, s.wiki).verb =
                rh::operator_verb::approve;
            s.tell();
        }
        s.acts(s.wiki, operation::converge_stack, s.wiki);
        if (approved) HOLDS(s);
        else BREAKS(s, invariant::limits_hold);
    }
    for (const rh::duration late : {0s, 1s}) {
        stream s;
        s.opens(s.wiki);
        rh::record word = s.record(1, rh::record_kind::operator_word, 0, operation::none, s.wiki);
        word.verb = rh::operator_verb::approve;
        word.deadline = s.now + 1s;
        s.m.recorded(word);
        s.with(event_kind::operator_word, decision::accept, reason::operator_word, s.wiki).verb =
            rh::operator_verb::approve;
        s.tell();
        s.waits(s.wiki, rh::guard::in_flight);
        s.pass(late);
        s.acts(s.wiki, operation::converge_stack, s.wiki);
        if (late == 1s) BREAKS(s, invariant::limits_hold);
        else HOLDS(s);
    }
}

TEST_CASE("I6: more are unhealthy than the breaker allows, whether or not anybody opened it") {
    for (const std::uint32_t ill : {3U, 2U}) {
        rh::engine e{rh::three_levels.lowered()};
        std::vector<rh::target_id> all;
        for (int n = 0; n < 6; ++n)
            all.push_back(*e.add(rh::instance{.name = "vm-" + std::to_string(n), .zone = "west"}));
        stream s;
        s.m.started(e, s.now - 1h);
        for (std::uint32_t n = 0; n < ill; ++n) {
            s.opens(all[n]);
            s.waits(all[n], rh::guard::in_flight);
        }
        s.acts(all[0], operation::reboot_instance, all[0]);
        s.calls(all[0], operation::reboot_instance, all[0], 1);
        CHECK(s.found(invariant::limits_hold) == (ill == 3 ? 1 : 0)); // 30 % of 6 are two
    }
}

TEST_CASE("I7: a call before its intent is safe, without one, twice, or while the journal fails") {
    stream early;
    early.intends(1, 1, operation::reboot_instance, early.db);
    early.driver_gets(1, operation::reboot_instance, early.db);
    BREAKS(early, invariant::journal_first);

    stream none;
    none.driver_gets(1, operation::reboot_instance, none.db);
    BREAKS(none, invariant::journal_first);

    stream twice;
    twice.intends(1, 1, operation::reboot_instance, twice.db);
    twice.m.durable(rh::sequence{1});
    twice.driver_gets(1, operation::reboot_instance, twice.db);
    twice.driver_gets(1, operation::reboot_instance, twice.db);
    BREAKS(twice, invariant::journal_first);

    stream gap;
    gap.intends(1, 1, operation::reboot_instance, gap.db);
    gap.intends(3, 2, operation::reboot_instance, gap.db);
    BREAKS(gap, invariant::journal_first);

    for (const bool failed : {true, false}) {
        stream s;
        s.pages_all(reason::journal_failed);
        if (!failed) s.controller(decision::change, reason::none);
        s.restarts(s.mysql, 1);
        if (failed) BREAKS(s, invariant::journal_first);
        else HOLDS(s);
    }

    stream good;
    good.intends(1, 1, operation::reboot_instance, good.db);
    good.m.durable(rh::sequence{1});
    good.driver_gets(1, operation::reboot_instance, good.db);
    good.driver_gets(2, operation::describe, good.db);
    HOLDS(good);
}

TEST_CASE("I7: after a crash the cloud is asked first") {
    const auto crashed = [](stream& s) {
        s.intends(1, 1, operation::reboot_instance, s.db);
        s.m.durable(rh::sequence{1});
        s.driver_gets(1, operation::reboot_instance, s.db);
        s.intends(2, 9, operation::reboot_instance, s.web); // is lost
        s.m.crashed(s.now);
        s.m.started(s.e, s.now);
        s.intends(2, 2, operation::restart_service, s.mysql);
        s.m.durable(rh::sequence{2});
    };
    stream blind;
    crashed(blind);
    blind.driver_gets(2, operation::restart_service, blind.mysql);
    BREAKS(blind, invariant::journal_first);

    stream unanswered;
    crashed(unanswered);
    unanswered.driver_gets(3, operation::describe, unanswered.db);
    unanswered.m.completed(rh::op_id{3}, rh::outcome::unknown("timeout"), unanswered.now);
    unanswered.driver_gets(2, operation::restart_service, unanswered.mysql);
    BREAKS(unanswered, invariant::journal_first);

    stream good;
    crashed(good);
    good.driver_gets(3, operation::describe, good.db);
    good.m.completed(rh::op_id{3}, rh::outcome::done(), good.now);
    good.driver_gets(2, operation::restart_service, good.mysql);
    HOLDS(good);
}

TEST_CASE("I8: an alarm that nobody answers, an incident that says nothing, a wait without an end") {
    stream alarm;
    alarm.fires(alarm.db);
    alarm.pass(1s);
    BREAKS(alarm, invariant::alarms_answered);

    stream silent;
    silent.fires(silent.db);
    silent.opens(silent.db);
    silent.pass(1s);
    BREAKS(silent, invariant::alarms_answered);

    stream endless;
    endless.opens(endless.db);
    endless.with(event_kind::rung, decision::wait, reason::none, endless.db);
    endless.tell();
    BREAKS(endless, invariant::alarms_answered);

    stream ill;
    ill.fires(ill.mysql);
    ill.restarts(ill.mysql, 1);
    BREAKS(ill, invariant::alarms_answered);

    stream good;
    good.fires(good.mysql);
    good.opens(good.mysql);
    good.waits(good.mysql, rh::guard::backoff, 1s);
    good.pass(1s);
    good.acts(good.mysql, operation::restart_service, good.mysql);
    good.calls(good.mysql, operation::restart_service, good.mysql, 1);
    good.ends(good.mysql, operation::restart_service, good.mysql, 1);
    good.pass(1min);
    good.fires(good.mysql, false);
    good.recovers(good.mysql);
    HOLDS(good);
}

TEST_CASE("I9: the last notification is not the final state") {
    const auto told = [](stream& s, rh::notification_kind kind) {
        rh::notification n;
        n.kind = kind;
        n.target = s.db;
        n.incident = rh::incident_id{1};
        s.m.arrived(n);
    };
    const auto parked = [](stream& s) {
        s.m.hears_notifications();
        s.opens(s.db);
        s.parks(s.db);
        s.pages(s.db, reason::ladder_exhausted);
    };
    stream unsent;
    parked(unsent);
    unsent.m.finish(unsent.now);
    BREAKS(unsent, invariant::told_last);

    stream stale;
    parked(stale);
    told(stale, rh::notification_kind::page);
    stale.recovers(stale.db);
    stale.m.finish(stale.now);
    BREAKS(stale, invariant::told_last);

    stream swapped;
    parked(swapped);
    told(swapped, rh::notification_kind::page);
    swapped.recovers(swapped.db);
    told(swapped, rh::notification_kind::recovered);
    told(swapped, rh::notification_kind::page);
    swapped.m.finish(swapped.now);
    BREAKS(swapped, invariant::told_last);

    stream good;
    parked(good);
    told(good, rh::notification_kind::page);
    good.recovers(good.db);
    told(good, rh::notification_kind::recovered);
    good.m.finish(good.now);
    HOLDS(good);
}

TEST_CASE("I10: a long wait pages once, and so does who parks") {
    stream unpaged;
    unpaged.opens(unpaged.db);
    unpaged.waits(unpaged.db, rh::guard::approval);
    unpaged.pass(10min);
    BREAKS(unpaged, invariant::settles);

    stream twice;
    twice.opens(twice.db);
    twice.waits(twice.db, rh::guard::approval);
    twice.pages(twice.db, reason::waited_long);
    twice.pages(twice.db, reason::waited_long);
    BREAKS(twice, invariant::settles);

    stream empty;
    empty.opens(empty.db);
    empty.waits(empty.db, rh::guard::approval);
    empty.with(event_kind::page, decision::page, reason::waited_long, empty.db);
    empty.tell();
    BREAKS(empty, invariant::settles);

    stream parked;
    parked.opens(parked.db);
    parked.parks(parked.db);
    parked.pass(1s);
    BREAKS(parked, invariant::settles);

    stream held;
    held.opens(held.mysql);
    held.acts(held.mysql, operation::restart_service, held.mysql);
    held.pass(10min);
    BREAKS(held, invariant::settles);

    stream good;
    good.opens(good.db);
    good.waits(good.db, rh::guard::approval);
    good.opens(good.web);
    good.waits(good.web, rh::guard::in_flight); // its turn comes
    good.pass(9min);
    good.pages(good.db, reason::waited_long);
    good.pass(1h);
    good.waits(good.web, rh::guard::breaker); // that is paged for all
    good.pass(1h);
    HOLDS(good);
}

TEST_CASE("I10: faults have ended, and in time every target is well or a human knows") {
    const auto ended = [](stream& s) {
        s.m.faults_ended(s.now, 1h);
        s.pass(1h);
        s.m.finish(s.now);
    };
    stream open;
    open.opens(open.db);
    open.waits(open.db, rh::guard::in_flight);
    ended(open);
    BREAKS(open, invariant::settles);

    stream unnoticed;
    unnoticed.m.works(unnoticed.db, false, unnoticed.now);
    ended(unnoticed);
    BREAKS(unnoticed, invariant::settles);

    stream good;
    good.m.works(good.db, false, good.now);
    good.m.works(good.web, false, good.now);
    good.opens(good.db);
    good.parks(good.db);
    good.pages(good.db, reason::ladder_exhausted);
    good.m.works(good.web, true, good.now);
    ended(good);
    HOLDS(good);
}

TEST_CASE("I11: what fails under an action is absorbed by it, and does nothing of its own") {
    const auto reboots = [](stream& s) {
        s.opens(s.db);
        s.acts(s.db, operation::reboot_instance, s.db);
        s.calls(s.db, operation::reboot_instance, s.db, 1);
        s.opens(s.mysql);
    };
    const auto absorbed = [](stream& s) {
        s.with(event_kind::incident, decision::absorb, reason::action_above, s.mysql);
        s.tell();
    };
    stream bad;
    reboots(bad);
    bad.waits(bad.mysql, rh::guard::busy);
    bad.pass(1s);
    BREAKS(bad, invariant::own_doing);

    stream climbs;
    reboots(climbs);
    absorbed(climbs);
    climbs.with(event_kind::rung, decision::climb, reason::attempts_spent, climbs.mysql, operation::restart_service);
    climbs.tell();
    CHECK(climbs.found(invariant::own_doing) == 1);

    stream good;
    reboots(good);
    absorbed(good);
    good.pass(1min);
    good.ends(good.db, operation::reboot_instance, good.db, 1);
    good.recovers(good.db);
    good.recovers(good.mysql);
    HOLDS(good);
}

TEST_CASE("I12: something is deleted that no call had named, or a proof names what is elsewhere") {
    const auto proved_for = [](stream& s, rh::target_id of, rh::target_id called) {
        s.opens(of);
        s.fences(of, 1);
        s.ends(of, operation::fence_instance, of, 1);
        s.proves(of);
        s.intends(1, 2, operation::recreate_instance, called);
        s.m.durable(rh::sequence{1});
        std::vector<rh::proof_of_death> proofs;
        proofs.push_back(rh::testing::mint_proof(s.v.incident, of, s.now + 10min));
        s.m.called(s.request(2, operation::recreate_instance, called), proofs, s.now);
    };
    stream other;
    proved_for(other, other.web, other.db);
    BREAKS(other, invariant::dependents_kept);

    stream deleted;
    proved_for(deleted, deleted.db, deleted.db);
    deleted.m.removed(deleted.web, deleted.now);
    BREAKS(deleted, invariant::dependents_kept);

    stream good;
    proved_for(good, good.db, good.db);
    good.m.removed(good.db, good.now);
    HOLDS(good);
}

TEST_CASE("the list is bounded, the counts are not; every invariant has its name") {
    rh::violation_list list{2};
    for (int n = 0; n < 5; ++n) list.add({invariant::budgets_hold, start, rh::no_target, "x"});
    CHECK(list.first().size() == 2);
    CHECK(list.count(invariant::budgets_hold) == 5);
    CHECK(list.count() == 5);
    for (std::size_t n = 0; n < rh::invariant_count; ++n) {
        const auto which = static_cast<invariant>(n);
        CHECK(to_string(which) == "I" + std::to_string(n + 1));
        CHECK(rh::parse_invariant(to_string(which)) == which);
    }
    CHECK_FALSE(rh::parse_invariant("I13").has_value());
    stream s;
    s.restarts(s.mysql, 1);
    s.acts(s.mysql, operation::restart_service, s.mysql);
    const rh::violation broken{invariant::budgets_hold, start, s.mysql, "too many"};
    CHECK(to_text(broken, s.e) == "I5 at 2026-01-01T00:00:00Z, db-1/mysqld: too many");
}

namespace {

struct mailer {
    std::vector<rh::notification_kind> got;
    void notify(const rh::notification& n, rh::completion done) {
        got.push_back(n.kind);
        done(rh::outcome::done());
    }
};

} // namespace

TEST_CASE("a whole world through the wrappers: journal, driver, answers, events and notifications") {
    rh::simulation<rh::watched_journal<rh::volatile_journal>, rh::manual_clock, rh::engine,
                   rh::watched_driver<rh::mock_cloud>>
        world{rh::three_levels};
    rh::invariant_monitor watch{world.ha().state()};
    rh::watched_notifier<mailer> out;
    out.tell(watch);
    rh::pager pages{out, world.ha()};
    rh::watched_sink both{watch, pages};
    watch.started(world.ha().state(), world.now());
    world.watch(both);
    world.cloud.tell(watch, world.ha().time(), rh::watch_answers::yes);
    world.ha().log().tell(watch);

    const auto db = world.add_instance("db-1", {.stack = "wiki", .services = {"mysqld"}});
    const auto web = world.add_instance("web-1", {.stack = "shop"});
    REQUIRE((db && web));
    world.cloud.break_at(world.now() + 10min, "db-1", rh::fault::instance_lost);
    world.cloud.break_at(world.now() + 10min, "web-1", rh::fault::stack_breaks);
    world.run_for(3h); // the stack waits for an approval that nobody gives
    watch.faults_ended(world.now() - 2h, 1h);
    watch.finish(world.now());
    std::string found;
    for (const rh::violation& v : watch.violations().first()) found += to_text(v, world.ha().state()) + "\n";
    CHECK_MESSAGE(found.empty(), found);
    CHECK(world.cloud.count(operation::recreate_instance, "db-1") == 1);
    CHECK_FALSE(out.got.empty());
}
