// SPDX-License-Identifier: MIT
// Who goes on with a journal tells what earlier runs had paged, and what of it is over; and a long wait is paged once.
#include <reheat/engine/resume.hpp>
#include <reheat/runner/pager.hpp>

#include "recovery_support.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace std::chrono_literals;
namespace rh = reheat;
using support::bench;
using support::wiki;

namespace {

/// Every notification arrives.
struct mailbox {
    void notify(const rh::notification& n, rh::completion done) {
        all.push_back(n);
        done(rh::outcome::done());
    }
    std::vector<rh::notification> all;
};

/// One run of a controller, with its pager.
struct run : bench {
    explicit run(const rh::policy& rules, const std::vector<rh::record>& past = {}, rh::time_point at = support::start,
                 mailbox* to = nullptr)
        : bench{rules}, pages{to == nullptr ? own : *to, e} {
        rh::record_digest digest;
        for (const rh::record& r : past) digest.add(r);
        REQUIRE(e.recover(digest.take()));
        db = *e.add(rh::instance{.name = "db-1", .stack = "wiki"});
        now = at;
        step();
    }
    void fails() {
        sees(db, rh::health::unhealthy);
        step();
    }
    void heals() {
        sees(db, rh::health::healthy);
        step();
    }
    /// What the pager has not been told yet.
    void deliver() {
        while (told_ < events.size()) pages(events[told_++]);
        pages.poll(now);
    }
    [[nodiscard]] std::size_t pages_about(rh::reason why) const { return told(rh::decision::page, why); }

    mailbox own;
    rh::pager<mailbox, rh::engine> pages;
    rh::target_id db{};

private:
    std::size_t told_ = 0;
};

const rh::policy by_approval =
    rh::ladder{rh::reboot_instance{.attempts = 1, .within = 1h, .approval = rh::required}}.lowered();
const rh::policy pages_first = rh::ladder{rh::page{}, rh::reboot_instance{.attempts = 1, .within = 1h}}.lowered();
const rh::policy once = rh::ladder{rh::reboot_instance{.attempts = 1, .within = 1h, .verify = 2min}}.lowered();

using kind = rh::notification_kind;

} // namespace

TEST_SUITE("told again") {
    TEST_CASE("what waits for a human is told by the next run as the last one told it, and its end too") {
        mailbox to;
        run first{by_approval, {}, support::start, &to};
        first.fails();
        REQUIRE(first.run_for(11min));
        first.deliver();
        REQUIRE(to.all.size() == 1);
        CHECK(to.all[0].denied == bit(rh::guard::approval));

        run next{by_approval, first.records, rh::after(first.now, 1min), &to};
        next.deliver();
        REQUIRE(to.all.size() == 2);
        CHECK(to.all[1].kind == kind::page);
        CHECK(to.all[1].why == rh::reason::waited_long);
        CHECK(to.all[1].denied == bit(rh::guard::approval));
        CHECK(key_of(to.all[1]) == key_of(to.all[0]));
        CHECK(to.all[1].id > to.all[0].id);

        SUBCASE("it still waits for the same: nobody is called a third time") {
            next.fails();
            REQUIRE(next.run_for(3h));
            CHECK(next.pages_about(rh::reason::waited_long) == 1);
        }
        SUBCASE("it is over") {
            next.heals();
            next.deliver();
            REQUIRE(to.all.size() == 3);
            CHECK(to.all[2].kind == kind::recovered);
            CHECK(to.all[2].before == rh::reason::waited_long);
            CHECK(key_of(to.all[2]) == key_of(to.all[0]));
            CHECK(to.all[2].id > to.all[1].id);
        }
        SUBCASE("and so does the run after that") {
            run third{by_approval, first.records, rh::after(next.now, 1min), &to};
            third.deliver();
            REQUIRE(to.all.size() == 3);
            CHECK(to.all[2].kind == kind::page);
        }
    }

    TEST_CASE("what was parked, or paged by its ladder, is told again") {
        run parks{once};
        parks.fails();
        parks.answer(rh::outcome::failed("no"));
        REQUIRE(parks.run_for(2min));
        REQUIRE(parks.e.incident_of(parks.db)->at == rh::phase::parked);
        run after_it{once, parks.records, rh::after(parks.now, 1min)};
        CHECK(after_it.pages_about(rh::reason::ladder_exhausted) == 1);

        run climbs{pages_first};
        climbs.fails();
        REQUIRE(climbs.pages_about(rh::reason::alarm_raised) == 1);
        run goes_on{pages_first, climbs.records, rh::after(climbs.now, 1min)};
        CHECK(goes_on.pages_about(rh::reason::alarm_raised) == 1);
    }

    TEST_CASE("the end of what was paged is told, although it came before the restart") {
        run first{pages_first};
        first.fails();
        first.answer(rh::outcome::done());
        first.heals();
        REQUIRE(first.e.open_incidents() == 0);
        first.deliver();
        const std::string key = key_of(first.own.all.back());

        run next{pages_first, first.records, rh::after(first.now, 23h)};
        CHECK(next.told(rh::decision::recover, rh::reason::alarm_raised) == 1);
        next.deliver();
        REQUIRE(next.own.all.size() == 1);
        CHECK(next.own.all[0].kind == kind::recovered);
        CHECK(next.own.all[0].why == rh::reason::resumed);
        CHECK(key_of(next.own.all[0]) == key);
        CHECK(to_text(next.own.all[0]) ==
              "db-1: recovered (resumed); it was paged because: it failed, and the ladder calls a human");
        CHECK(next.pages.figures().pages == 0);
        next.run_for(48h);
        next.deliver();
        CHECK(next.own.all.size() == 1);

        // A pager tries for a day.
        run late{pages_first, first.records, rh::after(first.now, 25h)};
        late.deliver();
        CHECK(late.own.all.empty());
    }

    TEST_CASE("an incident that goes on after its end, and was not paged since, is not told as open") {
        run first{once};
        first.fails();
        first.answer(rh::outcome::failed("no"));
        REQUIRE(first.run_for(2min));
        first.heals();
        REQUIRE(first.e.open_incidents() == 0);
        first.fails();
        REQUIRE(first.e.open_incidents() == 1);
        std::vector<rh::record> upto; // before it is parked again
        for (const rh::record& r : first.records) {
            if (r.kind == rh::record_kind::opened && !upto.empty() && upto.back().kind == rh::record_kind::closed) {
                upto.push_back(r);
                break;
            }
            upto.push_back(r);
        }
        REQUIRE(upto.back().kind == rh::record_kind::opened);
        run next{once, upto, rh::after(first.now, 1s)};
        CHECK(next.e.open_incidents() == 1);
        CHECK(next.told(rh::decision::recover, rh::reason::ladder_exhausted) == 1);
    }

    TEST_CASE("of what nobody was called for nothing is told") {
        run first{once};
        first.fails();
        first.answer(rh::outcome::done());
        first.heals();
        REQUIRE(first.e.open_incidents() == 0);
        run next{once, first.records, rh::after(first.now, 1min)};
        next.deliver();
        CHECK(next.own.all.empty());
    }

    TEST_CASE("broken trust is told again, and so is that it was restored") {
        wiki w{rh::ladder{rh::recreate_instance{.attempts = 1, .within = 4h}}.lowered()};
        const auto broken = [](rh::sequence seq, rh::time_point at) {
            rh::record r;
            r.seq = seq;
            r.kind = rh::record_kind::trust;
            r.at = at;
            r.target = rh::target_id{0};
            r.incident = rh::incident_id{1};
            r.why = rh::reason::trust_broken;
            return r;
        };
        std::vector<rh::record> past = w.records;
        past.push_back(broken(rh::sequence{static_cast<std::uint64_t>(past.back().seq) + 1}, w.now));
        run first{once, past, rh::after(w.now, 1min)};
        first.deliver();
        REQUIRE(first.own.all.size() == 1);
        CHECK(key_of(first.own.all[0]) == "#trust_broken");

        first.e.operate({rh::operator_verb::trust, rh::no_target, "ann", "looked", rh::after(first.now, 1h)},
                        first.now);
        first.step();
        for (const rh::record& r : first.records) past.push_back(r);
        run next{once, past, rh::after(first.now, 1min)};
        next.deliver();
        REQUIRE(next.own.all.size() == 1);
        CHECK(next.own.all[0].kind == kind::recovered);
        CHECK(key_of(next.own.all[0]) == "#trust_broken");
    }

    TEST_CASE("a target that was missing is there again") {
        run first{by_approval};
        first.fails();
        bench without{by_approval};
        REQUIRE(without.e.recover(first.records));
        without.now = rh::after(first.now, 1min);
        without.step();
        REQUIRE(without.told(rh::decision::page, rh::reason::orphaned) == 1);

        std::vector<rh::record> past = first.records;
        for (const rh::record& r : without.records) past.push_back(r);
        run with{by_approval, past, rh::after(without.now, 1min)};
        CHECK(with.told(rh::decision::recover, rh::reason::orphaned) == 1);
        with.deliver();
        REQUIRE(with.own.all.size() == 1);
        CHECK(key_of(with.own.all[0]) == "db-1#orphaned");
    }

    TEST_CASE("who lost the lead delivers nothing any more") {
        run old{pages_first};
        old.fails();
        old.e.lost_lead(old.now);
        old.step();
        old.deliver();
        CHECK(old.own.all.empty());
    }
}
