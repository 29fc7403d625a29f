// SPDX-License-Identifier: MIT
// The sentences of docs/reference/notifications.md.
#include <reheat/runner/pager.hpp>
#include <reheat/runner/pipeline.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace rh = reheat;

namespace {

using support::start;

constexpr rh::target_id db{1};
constexpr rh::target_id web{2};

struct names {
    [[nodiscard]] std::string name(rh::target_id t) const {
        return t == rh::no_target ? std::string{} : "t" + std::to_string(static_cast<unsigned>(t));
    }
};

/// Notes what it is told; answers at once, or keeps the completion.
struct recorder {
    void notify(const rh::notification& n, rh::completion done) {
        told.push_back(n);
        if (keep) return kept.push_back(std::move(done));
        done(answer);
    }
    rh::outcome answer = rh::outcome::done();
    bool keep = false;
    std::vector<rh::notification> told;
    std::vector<rh::completion> kept;
};

static_assert(rh::notifier<recorder>);
static_assert(!rh::notifier<names>);
static_assert(rh::knows_names<names> && rh::knows_names<rh::engine>);
static_assert(rh::timed_sink<rh::pager<recorder, names>&>);
static_assert(!rh::timed_sink<recorder&>);

struct desk {
    explicit desk(rh::pager_options options = {}) : pages{out, who, options} {}

    void page(rh::target_id t, rh::reason why, std::uint32_t incident = 7) {
        rh::event e;
        e.at = now;
        e.kind = rh::event_kind::page;
        e.what = rh::decision::page;
        e.why = why;
        e.target = t;
        e.incident = rh::incident_id{incident};
        pages(e);
    }
    void recover(rh::target_id t, std::uint32_t incident = 7) {
        rh::event e;
        e.at = now;
        e.kind = rh::event_kind::incident;
        e.what = rh::decision::recover;
        e.why = rh::reason::verified;
        e.target = t;
        e.incident = rh::incident_id{incident};
        pages(e);
    }
    rh::time_point poll() { return pages.poll(now); }
    /// Polls whenever it wants to, up to that time.
    void run_until(rh::time_point end) {
        for (int rounds = 0; rounds < 100'000; ++rounds) {
            const rh::time_point due = poll();
            REQUIRE(due > now);
            if (due > end) break;
            now = due;
        }
        now = end;
    }
    [[nodiscard]] const rh::notification& last() const { return out.told.back(); }

    recorder out;
    names who;
    rh::time_point now = start;
    rh::pager<recorder, names> pages;
};

using kind = rh::notification_kind;

} // namespace

TEST_CASE("a page is delivered once and is then acknowledged") {
    desk d;
    d.page(db, rh::reason::ladder_exhausted);
    CHECK(d.out.told.empty()); // inputs only record
    CHECK(d.poll() == rh::never);
    REQUIRE(d.out.told.size() == 1);
    CHECK(d.last().kind == kind::page);
    CHECK(d.last().name == "t1");
    CHECK(d.last().attempt == 1);
    CHECK(key_of(d.last()) == "t1#7");
    d.run_until(start + 48h);
    CHECK(d.out.told.size() == 1);
    CHECK(d.pages.figures().acknowledged == 1);
}

TEST_CASE("a delivery that fails is tried again with backoff, as one notification") {
    desk d;
    d.out.answer = rh::outcome::failed("503");
    d.page(db, rh::reason::ladder_exhausted);
    const rh::time_point second = d.poll();
    CHECK(second >= start + 8s);
    CHECK(second <= start + 12s);
    d.run_until(start + 1h);
    CHECK(d.out.told.size() > 8);
    CHECK(d.out.told.size() < 20);
    for (std::size_t n = 0; n < d.out.told.size(); ++n) {
        CHECK(d.out.told[n].id == d.out.told[0].id);
        CHECK(d.out.told[n].attempt == n + 1);
    }
    d.out.answer = rh::outcome::done();
    d.run_until(start + 2h);
    CHECK(d.pages.figures().acknowledged == 1);
}

TEST_CASE("the service's retry_after is kept to") {
    desk d;
    d.out.answer = rh::outcome::refused("429");
    d.out.answer.retry_after = 20min;
    d.page(db, rh::reason::waited_long);
    CHECK(d.poll() == start + 20min);
}

TEST_CASE("what is not acknowledged is given up when it expires, and counted") {
    desk d{{.expire_after = 1h}};
    d.out.answer = rh::outcome::failed("down");
    d.page(db, rh::reason::ladder_exhausted);
    d.run_until(start + 3h);
    CHECK(d.pages.figures().expired == 1);
    CHECK(d.poll() == rh::never);
    SUBCASE("the same page is a new notification then") {
        d.page(db, rh::reason::ladder_exhausted);
        d.out.answer = rh::outcome::done();
        d.poll();
        CHECK(d.last().attempt == 1);
        CHECK(d.pages.figures().acknowledged == 1);
    }
    SUBCASE("its recovery is told") {
        d.recover(db);
        d.out.answer = rh::outcome::done();
        d.poll();
        CHECK(d.last().kind == kind::recovered);
        CHECK(d.pages.state().size() == 0);
    }
}

TEST_CASE("a page that says what is known is merged") {
    desk d;
    d.out.answer = rh::outcome::failed("down");
    d.page(db, rh::reason::waited_long);
    d.poll();
    for (int n = 0; n < 1000; ++n) d.page(db, rh::reason::waited_long);
    d.run_until(start + 30s);
    CHECK(d.last().count == 1001);
    CHECK(d.last().first == start);
    CHECK(d.pages.state().size() == 1);
    CHECK(d.pages.figures().merged == 1000);
    CHECK(to_text(d.last()).find("1001 times since 2026-01-01T00:00:00Z") != std::string::npos);
}

TEST_CASE("a page that was acknowledged is told again only after repeat_after") {
    desk d;
    d.page(db, rh::reason::ladder_exhausted);
    d.poll();
    for (int n = 1; n < 8; ++n) {
        d.now = start + n * 30min;
        d.page(db, rh::reason::ladder_exhausted);
        d.poll();
    }
    CHECK(d.out.told.size() == 1);
    d.now = start + 4h;
    d.page(db, rh::reason::ladder_exhausted);
    d.poll();
    CHECK(d.out.told.size() == 2);
    CHECK(d.out.told[1].id > d.out.told[0].id);
    CHECK(key_of(d.out.told[1]) == key_of(d.out.told[0]));
}

TEST_CASE("a later page takes the place of an earlier one that has not arrived") {
    desk d;
    d.out.answer = rh::outcome::failed("down");
    d.page(db, rh::reason::waited_long);
    d.poll();
    d.out.answer = rh::outcome::done();
    d.page(db, rh::reason::ladder_exhausted);
    d.run_until(start + 2h);
    REQUIRE(d.out.told.size() == 2);
    CHECK(d.last().why == rh::reason::ladder_exhausted);
    CHECK(d.pages.figures().superseded == 1);
}

TEST_CASE("a recovery follows a page that arrived, and takes the place of one that did not") {
    desk d;
    SUBCASE("arrived") { d.poll(); }
    SUBCASE("failed") { d.out.answer = rh::outcome::failed("down"); }
    d.page(db, rh::reason::ladder_exhausted);
    d.poll();
    d.now += 1s;
    d.recover(db);
    d.out.answer = rh::outcome::done();
    d.run_until(start + 1h);
    CHECK(d.out.told.size() == 2);
    CHECK(d.last().kind == kind::recovered);
    CHECK(d.last().before == rh::reason::ladder_exhausted);
    CHECK(key_of(d.last()) == "t1#7");
    CHECK(d.pages.state().size() == 0);
    d.recover(db); // nobody was told of this one
    d.run_until(start + 2h);
    CHECK(d.out.told.size() == 2);
}

TEST_CASE("one delivery at a time about one trouble: what is newer waits for the answer, or for the end of its time") {
    desk d;
    d.out.keep = true;
    d.page(db, rh::reason::ladder_exhausted);
    CHECK(d.poll() == start + 30s);
    d.recover(db);
    CHECK(d.poll() == start + 30s);
    CHECK(d.out.told.size() == 1);
    SUBCASE("answered") {
        d.out.kept[0](rh::outcome::done());
        d.poll();
    }
    SUBCASE("overdue") {
        d.now = start + 30s;
        d.poll();
        CHECK(d.pages.figures().overdue == 1);
    }
    CHECK(d.out.told.size() == 2);
    CHECK(d.last().kind == kind::recovered);
}

TEST_CASE("what arrives late and is old is answered by the newest state, once more") {
    desk d;
    d.out.keep = true;
    d.page(db, rh::reason::ladder_exhausted);
    d.poll();
    d.now = start + 30s;
    d.recover(db);
    d.poll();
    REQUIRE(d.out.told.size() == 2);
    SUBCASE("after the newer one arrived") {
        d.out.kept[1](rh::outcome::done());
        d.poll();
        CHECK(d.pages.state().size() == 1); // as long as the old delivery may still arrive
        d.out.kept[0](rh::outcome::done());
        d.poll();
    }
    SUBCASE("before the newer one arrived") {
        d.out.kept[0](rh::outcome::done());
        d.poll();
        CHECK(d.out.told.size() == 2);
        d.out.kept[1](rh::outcome::done());
        d.poll();
    }
    SUBCASE("abandoned: nobody knows whether it arrived") {
        d.out.kept[1](rh::outcome::done());
        d.poll();
        d.out.kept.erase(d.out.kept.begin());
        d.poll();
    }
    REQUIRE(d.out.told.size() == 3);
    CHECK(d.last().kind == kind::recovered);
    CHECK(d.last().id == d.out.told[1].id);
    CHECK(d.pages.figures().repeated == 1);
    d.out.kept.back()(rh::outcome::done());
    d.poll();
    CHECK(d.pages.state().size() == 0);
}

TEST_CASE("a late answer of `failed` changes nothing: certainly nothing arrived") {
    desk d;
    d.out.keep = true;
    d.page(db, rh::reason::ladder_exhausted);
    d.poll();
    d.now = start + 30s;
    d.recover(db);
    d.poll();
    d.out.kept[1](rh::outcome::done());
    d.out.kept[0](rh::outcome::failed("timeout"));
    d.poll();
    CHECK(d.out.told.size() == 2);
    CHECK(d.pages.state().size() == 0);
}

TEST_CASE("a late answer of an earlier attempt counts for the same notification") {
    desk d;
    d.out.keep = true;
    d.page(db, rh::reason::ladder_exhausted);
    d.poll();
    d.run_until(start + 30s);
    d.poll();
    d.out.kept[0](rh::outcome::done());
    d.run_until(start + 2h);
    CHECK(d.out.told.size() == 1);
    CHECK(d.pages.figures().acknowledged == 1);
}

TEST_CASE("a second answer changes nothing, and an answer after the pager's end does nothing") {
    std::vector<rh::completion> kept;
    {
        desk d;
        d.out.keep = true;
        d.page(db, rh::reason::ladder_exhausted);
        d.poll();
        d.out.kept[0](rh::outcome::failed("first"));
        d.out.kept[0](rh::outcome::done());
        d.poll();
        CHECK(d.pages.figures().failed == 1);
        CHECK(d.pages.figures().acknowledged == 0);
        d.run_until(start + 1min);
        kept = std::move(d.out.kept);
    }
    kept.back()(rh::outcome::done());
}

TEST_CASE("a human's acknowledgement by another way ends the attempts") {
    desk d;
    d.out.answer = rh::outcome::failed("down");
    d.page(db, rh::reason::ladder_exhausted);
    const rh::notification* n = d.pages.state().about(db);
    REQUIRE(n != nullptr);
    CHECK_FALSE(d.pages.acknowledge(n->id, d.now)); // it has not been told yet
    d.poll();
    CHECK(d.pages.acknowledge(n->id, d.now));
    CHECK_FALSE(d.pages.acknowledge(n->id, d.now));
    d.run_until(start + 1h);
    CHECK(d.out.told.size() == 1);
}

TEST_CASE("a flood is bounded, what is dropped is counted and told, and the end of it too") {
    desk d{{.most = 8}};
    d.out.answer = rh::outcome::failed("down");
    for (unsigned t = 0; t < 100'000; ++t) d.page(rh::target_id{t}, rh::reason::ladder_exhausted, t);
    CHECK(d.pages.state().size() == 9);
    CHECK(d.pages.figures().dropped == 99'992);
    d.out.answer = rh::outcome::done();
    d.poll();
    REQUIRE(d.out.told.size() == 9);
    CHECK(d.last().why == rh::reason::inbox_overflow);
    CHECK(d.last().count == 99'992);
    CHECK(key_of(d.last()) == "#inbox_overflow");
    for (unsigned t = 0; t < 8; ++t) d.recover(rh::target_id{t}, t);
    d.run_until(start + 1min);
    CHECK(d.last().kind == kind::recovered);
    CHECK(d.last().before == rh::reason::inbox_overflow);
    CHECK(d.pages.state().size() == 0);
}

TEST_CASE("no more deliveries are under way than in_flight, and every page has its turn") {
    desk d{{.in_flight = 3}};
    d.out.keep = true;
    for (unsigned t = 0; t < 60; ++t) d.page(rh::target_id{t}, rh::reason::ladder_exhausted, t);
    d.poll();
    CHECK(d.out.told.size() == 3);
    std::map<rh::target_id, int> seen;
    d.run_until(start + 10min - 1s);
    for (const rh::notification& n : d.out.told) ++seen[n.target];
    CHECK(d.out.told.size() == 60);
    CHECK(seen.size() == 60);
}

TEST_CASE("what is no incident is a trouble of its own, and has its own end") {
    desk d;
    rh::event e;
    e.at = d.now;
    e.kind = rh::event_kind::page;
    e.what = rh::decision::page;
    e.why = rh::reason::journal_failed;
    d.pages(e);
    rh::event order = e;
    order.why = rh::reason::journal_pending;
    order.target = web;
    order.op = rh::op_id{5};
    d.pages(order);
    d.page(web, rh::reason::ladder_exhausted);
    d.poll();
    REQUIRE(d.out.told.size() == 3);
    CHECK(key_of(d.out.told[0]) == "#journal_failed");
    CHECK(key_of(d.out.told[1]) == "t2#journal_pending");
    CHECK(key_of(d.out.told[2]) == "t2#7");

    rh::event other = order;
    other.kind = rh::event_kind::call;
    other.what = rh::decision::call;
    other.op = rh::op_id{6};
    d.pages(other);
    d.poll();
    CHECK(d.out.told.size() == 3);
    other.op = rh::op_id{5};
    d.pages(other);
    d.poll();
    REQUIRE(d.out.told.size() == 4);
    CHECK(key_of(d.last()) == "t2#journal_pending");
    CHECK(d.last().kind == kind::recovered);

    e.kind = rh::event_kind::controller;
    e.what = rh::decision::change;
    e.why = rh::reason::none;
    d.pages(e);
    d.poll();
    REQUIRE(d.out.told.size() == 5);
    CHECK(key_of(d.last()) == "#journal_failed");
    CHECK(d.last().kind == kind::recovered);

    order.why = rh::reason::api_quota; // ends as a wait for the journal does
    d.pages(order);
    d.poll();
    REQUIRE(d.out.told.size() == 6);
    CHECK(key_of(d.last()) == "t2#api_quota");
    d.pages(other);
    d.poll();
    REQUIRE(d.out.told.size() == 7);
    CHECK(key_of(d.last()) == "t2#api_quota");
    CHECK(d.last().kind == kind::recovered);
}

TEST_CASE("what stops everything, or a whole set, is no incident's trouble") {
    support::notebook cloud;
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::restart_service{}}};
    REQUIRE(ha.open());
    REQUIRE(ha.add(rh::instance{.name = "db-1", .stack = "wiki", .rack = "r1"}));
    recorder out;
    rh::pager pages{out, ha};
    const auto tell = [&](rh::event_kind k, rh::decision what, rh::reason why, std::uint32_t set = 0) {
        rh::event e;
        e.at = ha.time().now();
        e.kind = k;
        e.what = what;
        e.why = why;
        e.set = rh::set_id{set};
        e.verb = rh::operator_verb::trust;
        if (why == rh::reason::trust_broken) {
            e.target = db;
            e.incident = rh::incident_id{3};
        }
        pages(e);
        static_cast<void>(pages.poll(ha.time().now()));
    };
    using rh::decision;
    using rh::event_kind;
    using rh::reason;
    tell(event_kind::page, decision::page, reason::trust_broken);
    tell(event_kind::page, decision::page, reason::silence_is_ours);
    tell(event_kind::page, decision::page, reason::breaker_group, 1);
    REQUIRE(out.told.size() == 3);
    CHECK(key_of(out.told[0]).ends_with("#trust_broken"));
    CHECK(key_of(out.told[1]) == "#silence_is_ours");
    CHECK(out.told[2].name.find(' ') != std::string::npos); // the set's kind and name
    tell(event_kind::incident, decision::recover, reason::verified);
    CHECK(out.told.size() == 3);
    tell(event_kind::controller, decision::release, reason::breaker_closed, 1);
    tell(event_kind::controller, decision::release, reason::silence_is_ours);
    tell(event_kind::operator_word, decision::accept, reason::operator_word);
    REQUIRE(out.told.size() == 6);
    for (std::size_t n = 3; n < 6; ++n) CHECK(out.told[n].kind == kind::recovered);
    CHECK(key_of(out.told[5]) == key_of(out.told[0]));
    CHECK(pages.state().size() == 0);
}

TEST_CASE("what was said of a page that found no room is not said of all") {
    rh::page_queue pages{{.most = 1}};
    rh::event e;
    e.at = start;
    e.kind = rh::event_kind::page;
    e.what = rh::decision::page;
    e.why = rh::reason::ladder_exhausted;
    for (const rh::target_id t : {db, web}) {
        e.target = t;
        e.incident = rh::incident_id{static_cast<std::uint32_t>(t)};
        pages.take(e, "vm", rh::no_sequence, "v1 is detached");
    }
    rh::op_id delivery{};
    for (const rh::notification* n = pages.deliver(start, delivery); n != nullptr; n = pages.deliver(start, delivery))
        CHECK(n->said.empty() == (n->why == rh::reason::inbox_overflow));
    CHECK(pages.figures().deliveries == 2);
}

TEST_CASE("a page says what the driver said, in one line, and its recovery does not") {
    rh::page_queue pages;
    rh::event e;
    e.at = start;
    e.kind = rh::event_kind::page;
    e.what = rh::decision::page;
    e.why = rh::reason::ladder_exhausted;
    e.target = db;
    e.incident = rh::incident_id{7};
    pages.take(e, "db-1", rh::no_sequence, "v1 is\ndetached");
    rh::op_id delivery{};
    const rh::notification* n = pages.deliver(start, delivery);
    REQUIRE(n != nullptr);
    CHECK(to_text(*n) == "db-1: nothing is left to try; the driver said: v1 is?detached");
    CHECK(to_json(*n).find(R"("said":"v1 is\u000adetached")") != std::string::npos);
    pages.answer(delivery, start, rh::outcome_code::done);
    e.kind = rh::event_kind::incident;
    e.what = rh::decision::recover;
    pages.take(e, "db-1", rh::no_sequence, "v1 is detached");
    n = pages.deliver(start, delivery);
    REQUIRE(n != nullptr);
    CHECK(n->said.empty());
}

TEST_CASE("what is told waits for its record in the journal, but not long, and not for a journal that has failed") {
    struct journaled : names {
        rh::sequence newest{3};
        rh::sequence safe{3};
        [[nodiscard]] rh::sequence written() const { return newest; }
        [[nodiscard]] rh::sequence settled() const { return safe; }
    } who;
    recorder out;
    rh::pager pages{out, who};
    rh::event e;
    e.at = start;
    e.kind = rh::event_kind::page;
    e.what = rh::decision::page;
    e.why = rh::reason::ladder_exhausted;
    e.target = db;
    e.incident = rh::incident_id{7};
    pages(e); // its record is safe
    CHECK(pages.poll(start) == rh::never);
    CHECK(out.told.size() == 1);
    who.newest = rh::sequence{5};
    e.target = web;
    pages(e);
    CHECK(pages.poll(start) == start + 1min);
    who.safe = rh::sequence{4};
    who.newest = rh::sequence{9}; // of something else
    CHECK(pages.poll(start + 1s) == start + 1min);
    CHECK(out.told.size() == 1);
    who.safe = rh::sequence{5};
    CHECK(pages.poll(start + 2s) == rh::never);
    REQUIRE(out.told.size() == 2);
    CHECK(out.told[1].target == web);
    // What has taken so long may take for ever.
    e.target = rh::target_id{3};
    pages(e);
    CHECK(pages.poll(start + 1min - 1ns) == start + 1min);
    CHECK(out.told.size() == 2);
    CHECK(pages.poll(start + 1min) == rh::never);
    CHECK(out.told.size() == 3);
}

TEST_CASE("text is one line and JSON is valid, whatever a target is called") {
    rh::notification n;
    n.id = rh::notification_id{3};
    n.name = "db\n\"1\xff";
    n.why = rh::reason::waited_long;
    n.rung = rh::operation::converge_stack;
    n.denied = 1U << static_cast<unsigned>(rh::guard::approval) | 1U << static_cast<unsigned>(rh::guard::journal);
    n.incident = rh::incident_id{7};
    n.attempt = 2;
    n.first = n.last = start;
    n.next = start + 30min;
    CHECK(to_text(n) == "db?\"1\xff: recovery has waited long, at converge_stack, for approval and journal; looked at "
                        "again 2026-01-01T00:30:00Z");
    CHECK(to_json(n) ==
          R"({"id":3,"kind":"page","key":"db\u000a\"1)"
          "\xef\xbf\xbd"
          R"(#7","target":"db\u000a\"1)"
          "\xef\xbf\xbd"
          R"(","reason":"waited_long","rung":"converge_stack","incident":7,"denied_by":["approval","journal"],)"
          R"("first":"2026-01-01T00:00:00Z","last":"2026-01-01T00:00:00Z","count":1,"attempt":2,)"
          R"("next":"2026-01-01T00:30:00Z","text":"db?\"1)"
          "\xef\xbf\xbd"
          R"(: recovery has waited long, at converge_stack, for approval and journal; looked at again )"
          R"(2026-01-01T00:30:00Z"})");
}

TEST_CASE("a pager is a sink of a pipeline") {
    support::notebook cloud;
    cloud.answer(rh::operation::restart_service, rh::outcome::done());
    rh::pipeline ha{cloud, rh::manual_clock{}, rh::ladder{rh::restart_service{.attempts = 1}}};
    REQUIRE(ha.open());
    const auto machine = ha.add(rh::instance{.name = "db-1"});
    const auto mysqld = ha.add(rh::service{.name = "mysqld", .on = *machine});
    recorder out;
    rh::pager pages{out, ha};
    static_assert(std::is_same_v<decltype(pages), rh::pager<recorder, rh::engine>>);
    out.answer = rh::outcome::failed("down");
    ha.observe({*mysqld, rh::vantage::driver_status, rh::health::unhealthy, ha.time().now()});
    const rh::time_point end = ha.time().now() + 20min;
    const auto run = [&](rh::time_point to) {
        while (ha.time().now() < to) {
            const rh::time_point due = ha.poll(pages);
            REQUIRE(due > ha.time().now());
            ha.time().advance_to(rh::earlier(due, to));
        }
    };
    run(end);
    REQUIRE(out.told.size() > 3); // its attempts are part of when the pipeline wants to be polled
    CHECK(out.told[0].name == "db-1/mysqld");
    out.answer = rh::outcome::done();
    ha.observe({*mysqld, rh::vantage::driver_status, rh::health::healthy, ha.time().now()});
    run(end + 1h);
    CHECK(out.told.back().kind == kind::recovered);
    CHECK(pages.state().size() == 0);
}

TEST_CASE("the last notification about a target equals its final state, whatever failed or was late") {
    // What the world has: deliveries that arrive when they like, before or while they are answered, and answers that
    // may be lost in between.
    struct delivery {
        rh::notification what;
        rh::completion done;
        rh::time_point lands; // never: it does not
        rh::time_point answers;
        rh::outcome_code code;
    };
    struct world {
        void notify(const rh::notification& n, rh::completion done) {
            ++count;
            const auto fate = luck->below(calm ? 1 : 8);
            using code = rh::outcome_code;
            if (fate < 2) {
                landed[n.target] = n;
                return done(rh::outcome::done());
            }
            if (fate == 2) return done(rh::outcome::failed("down"));
            if (fate == 3) { // abandoned at once, arrived or not
                if (luck->below(2) == 0) landed[n.target] = n;
                return;
            }
            const rh::time_point lands = now + std::chrono::seconds{luck->below(90)};
            const rh::time_point answers = lands + std::chrono::seconds{luck->below(90)};
            const bool arrives = fate != 4 && luck->below(4) != 0;
            under_way.push_back({n, std::move(done), arrives ? lands : rh::never, answers,
                                 fate == 4              ? code::failed
                                 : arrives && fate != 5 ? code::done
                                                        : code::unknown});
        }
        void move(rh::time_point to) {
            for (;;) { // one after the other, in the order of their times
                rh::time_point first = rh::never;
                std::size_t which = 0;
                for (std::size_t n = 0; n < under_way.size(); ++n) {
                    const rh::time_point at = rh::earlier(under_way[n].lands, under_way[n].answers);
                    if (at < first) first = at, which = n;
                }
                if (first > to) break;
                delivery& d = under_way[which];
                if (d.lands <= d.answers) {
                    landed[d.what.target] = d.what;
                    d.lands = rh::never;
                    continue;
                }
                rh::outcome o;
                o.code = d.code;
                if (luck->below(8) != 0) d.done(std::move(o)); // else destroyed: unknown
                else if (d.code == rh::outcome_code::failed) d.done(rh::outcome::failed("late"));
                under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(which));
            }
            now = to;
        }
        [[nodiscard]] rh::time_point next() const {
            rh::time_point first = rh::never;
            for (const delivery& d : under_way) first = rh::earlier(first, rh::earlier(d.lands, d.answers));
            return first;
        }
        support::dice* luck = nullptr;
        rh::time_point now = start;
        bool calm = false;
        std::uint64_t count = 0;
        std::vector<delivery> under_way;
        std::map<rh::target_id, rh::notification> landed;
    };
    constexpr rh::reason reasons[]{rh::reason::waited_long, rh::reason::ladder_exhausted, rh::reason::alarm_raised};
    struct truth {
        bool paged = false;
        bool ever = false;
        std::uint32_t incident = 0;
        rh::reason why{};
    };

    std::uint64_t deliveries = 0;
    std::uint64_t repeated = 0;
    std::uint64_t superseded = 0;
    int cases = 0;
    for (std::uint64_t seed = 1; seed <= 20'000; ++seed, ++cases) {
        CAPTURE(seed);
        support::dice luck{seed * 7919};
        world w;
        w.luck = &luck;
        names who;
        rh::pager pages{w, who, rh::pager_options{.in_flight = luck.below(4) == 0 ? 2U : 16U, .seed = seed}};
        std::map<rh::target_id, truth> states;
        std::uint32_t incidents = 0;
        const auto run_until = [&](rh::time_point end) {
            for (int rounds = 0;; ++rounds) {
                REQUIRE(rounds < 100'000);
                const rh::time_point due = pages.poll(w.now);
                REQUIRE(due > w.now);
                const rh::time_point next = rh::earlier(due, w.next());
                if (next > end) break;
                w.move(next);
            }
            w.move(end);
        };
        const auto happen = [&] {
            const rh::target_id t{static_cast<std::uint32_t>(luck.below(3))};
            truth& s = states[t];
            rh::event e;
            e.at = w.now;
            e.target = t;
            if (s.paged && luck.below(2) == 0) {
                s.paged = false;
                e.kind = rh::event_kind::incident;
                e.what = rh::decision::recover;
                e.why = rh::reason::verified;
            } else {
                if (!s.paged) s.incident = ++incidents;
                s.paged = s.ever = true;
                s.why = reasons[luck.below(3)];
                e.kind = rh::event_kind::page;
                e.what = rh::decision::page;
                e.why = s.why;
            }
            e.incident = rh::incident_id{s.incident};
            pages(e);
        };
        const auto events = 1 + luck.below(12);
        for (std::int64_t n = 0; n < events; ++n) {
            happen();
            if (luck.below(3) != 0) run_until(w.now + std::chrono::seconds{luck.below(100)});
        }
        w.calm = true; // nothing fails from now on; what is late still comes
        run_until(w.now + 30min);
        REQUIRE(w.under_way.empty());
        for (const auto& [t, s] : states) {
            if (!s.ever) continue;
            REQUIRE(w.landed.contains(t));
            const rh::notification& n = w.landed[t];
            CHECK(n.kind == (s.paged ? kind::page : kind::recovered));
            CHECK(n.incident == rh::incident_id{s.incident});
            if (s.paged) CHECK(n.why == s.why);
        }
        std::size_t open = 0;
        for (const auto& [t, s] : states) open += s.paged ? 1U : 0U;
        CHECK(pages.state().size() == open); // what is over is forgotten
        deliveries += w.count;
        repeated += pages.figures().repeated;
        superseded += pages.figures().superseded;
    }
    MESSAGE(cases, " cases, ", deliveries, " deliveries, ", superseded, " superseded, ", repeated,
            " told again after a late arrival");
    CHECK(repeated > 0);
}

TEST_CASE("the same inputs give the same deliveries") {
    const auto run = [] {
        desk d{{.in_flight = 2}};
        d.out.answer = rh::outcome::failed("down");
        std::string all;
        for (unsigned n = 0; n < 20; ++n) {
            d.page(rh::target_id{n % 7}, n % 2 == 0 ? rh::reason::waited_long : rh::reason::ladder_exhausted, n % 7);
            if (n % 3 == 0) d.recover(rh::target_id{n % 5}, n % 5);
            d.run_until(d.now + 17s);
        }
        for (const rh::notification& n : d.out.told) all += to_json(n) + '\n';
        return all;
    };
    const std::string once = run();
    CHECK(once.size() > 1000);
    CHECK(once == run());
}

TEST_SUITE("pager threads") {
    TEST_CASE("answers come from any thread") {
        struct threaded {
            void notify(const rh::notification&, rh::completion done) {
                workers.emplace_back([d = std::move(done)]() mutable { d(rh::outcome::done()); });
            }
            std::vector<std::thread> workers;
        } out;
        names who;
        rh::pager pages{out, who};
        for (unsigned t = 0; t < 16; ++t) {
            rh::event e;
            e.at = start;
            e.kind = rh::event_kind::page;
            e.why = rh::reason::ladder_exhausted;
            e.target = rh::target_id{t};
            e.incident = rh::incident_id{t};
            pages(e);
        }
        static_cast<void>(pages.poll(start));
        for (std::thread& t : out.workers) t.join();
        static_cast<void>(pages.poll(start));
        CHECK(pages.figures().acknowledged == 16);
    }
}
