// SPDX-License-Identifier: MIT
#include <reheat/engine/recorder.hpp>
#include <reheat/engine/recording_text.hpp>
#include <reheat/engine/render.hpp>
#include <reheat/metric/distribution.hpp>
#include <reheat/recovery/peers.hpp>
#include <reheat/sim/backtest.hpp>
#include <reheat/sim/simulation.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::operation;
using rh::reason;
using support::dice;
using support::start;

namespace {

using recorded_world = rh::simulation<rh::volatile_journal, rh::manual_clock, rh::recorder>;
using plain_world = rh::simulation<rh::volatile_journal>;

using act = std::tuple<rh::time_point, rh::target_id, rh::target_id, operation, std::uint16_t, reason>;

std::vector<act> acts(const std::vector<rh::event>& events) {
    std::vector<act> all;
    for (const rh::event& e : events) {
        if (e.kind == rh::event_kind::rung && e.what == decision::act)
            all.emplace_back(e.at, e.target, e.subject, e.rung, e.attempt, e.why);
    }
    return all;
}

/// Eight hours with random faults, random answers of the cloud, spells of silence, and what operators and clouds say.
template <class World>
void eventful(World& w, std::uint64_t seed) {
    dice d{seed};
    const std::array<const char*, 6> names{"db-1", "db-2", "web-1", "web-2", "web-3", "web-4"};
    for (const char* name : names)
        REQUIRE(w.add_instance(name, {.stack = name[0] == 'd' ? "wiki" : "shop", .services = {"app"}}));
    const rh::time_point begin = w.now();
    for (int n = 0; n < 8; ++n) {
        const rh::time_point at = begin + std::chrono::minutes{d.below(400)};
        const char* name = names[static_cast<std::size_t>(d.below(6))];
        w.cloud.break_at(at, name, static_cast<rh::fault>(d.below(4)));
    }
    for (int n = 0; n < 12; ++n) {
        const auto what = static_cast<operation>(1 + d.below(9));
        w.cloud.reply(what, {.how = static_cast<rh::mock_reply::manner>(d.below(5)),
                             .code = static_cast<rh::outcome_code>(d.below(4)),
                             .takes_effect = d.below(2) == 0});
    }
    for (int n = 0; n < 48; ++n) {
        const auto& tree = w.ha().state().targets();
        const rh::target_id target{static_cast<std::uint32_t>(d.below(static_cast<std::int64_t>(tree.size())))};
        switch (d.below(6)) {
        case 0: w.silence(target, d.below(2) == 0); break;
        case 1:
            w.ha().observe(
                {target, rh::vantage::driver_status, static_cast<rh::health>(d.below(3)), w.now(), d.below(2) == 0});
            break;
        case 2:
            w.ha().operate(
                {static_cast<rh::operator_verb>(d.below(9)), target, "ann", "because", rh::after(w.now(), 20min)});
            break;
        case 3: w.ha().guest_restarted(target); break;
        default: break;
        }
        w.run_for(10min);
    }
}

/// A text of any bytes.
std::string any_text(dice& d) {
    std::string text;
    for (std::int64_t n = d.below(12); n > 0; --n) text += static_cast<char>(d.below(256));
    return text;
}
rh::time_point any_time(dice& d) {
    switch (d.below(8)) {
    case 0: return rh::never;
    case 1: return (rh::time_point::min)();
    case 2: return rh::time_point{rh::duration{static_cast<std::int64_t>(d.roll())}};
    default: return start + rh::duration{d.below(1'000'000'000'000'000)};
    }
}
rh::duration any_duration(dice& d) {
    return d.below(8) == 0 ? rh::peer::no_end : rh::duration{d.below(std::int64_t{1} << d.below(50))};
}

/// A recording of everything that there is, with numbers that make no sense together.
rh::recording anything(dice& d) {
    namespace r = rh::recorded;
    rh::recording tape;
    const auto id = [&d] { return d.below(6) == 0 ? rh::no_target : static_cast<rh::target_id>(d.below(1000)); };
    const auto flip = [&d] { return d.below(2) == 0; };
    const auto number = [&d]<class T>(T) { return static_cast<T>(d.roll()); };
    tape.options.seed = d.roll();
    tape.options.page_after = any_duration(d);
    tape.options.shadow = flip();
    tape.options.bounds.in_flight = {number(std::uint8_t{}), number(std::uint32_t{})};
    tape.options.bounds.all.sustained = {number(std::uint16_t{}), any_duration(d)};
    tape.lost = static_cast<std::uint64_t>(d.below(3));
    std::uint32_t watches = 0;
    for (int n = 0; n < 60; ++n) {
        const rh::time_point at = any_time(d);
        switch (d.below(22)) {
        case 0: tape.add(at, r::added_stack{any_text(d)}); break;
        case 1:
            tape.add(at, r::added_instance{any_text(d), any_text(d), any_text(d), any_text(d), any_text(d), any_text(d),
                                           any_text(d), static_cast<rh::asset>(d.below(64)), number(std::uint8_t{})});
            break;
        case 2: tape.add(at, r::added_service{any_text(d), id(), number(std::uint8_t{})}); break;
        case 3: {
            rh::policy p;
            for (std::int64_t rungs = d.below(9); rungs > 0; --rungs) {
                rh::rung made;
                made.what = static_cast<operation>(d.below(13));
                made.burst = {number(std::uint16_t{}), any_duration(d)};
                made.verify = any_duration(d);
                made.approval = static_cast<rh::consent>(d.below(2));
                made.how = static_cast<rh::reboot_kind>(d.below(3));
                made.wait = {any_duration(d), any_duration(d), flip(), number(std::uint8_t{})};
                p.add(made);
            }
            p.evidence.alone = static_cast<rh::single_vantage>(d.below(3));
            p.returned = static_cast<rh::return_rule>(d.below(4));
            const std::string method = any_text(d);
            p.fencing.methods[0] = method;
            const std::uint32_t kept = tape.add_policy(p);
            tape.add(at, r::given_policy{static_cast<rh::policy_id>(d.below(4)), kept, flip()});
            break;
        }
        case 4: tape.add(at, r::used_policy{id(), static_cast<rh::policy_id>(d.below(4))}); break;
        case 5: tape.add(at, r::dependency{id(), id()}); break;
        case 6: {
            rh::any_alarm rule = rh::detail::at_run_time(rh::heartbeat_alarm{}.rule());
            rule.of.statistic = static_cast<rh::statistic>(d.below(5));
            rule.of.period = std::chrono::seconds{1 + d.below(1000)};
            rule.of.align = static_cast<rh::alignment>(d.below(2));
            rule.compare.which = static_cast<rh::comparison>(d.below(6));
            rule.threshold = static_cast<double>(static_cast<std::int64_t>(d.roll())) / 1e3;
            rule.treat_missing = static_cast<rh::missing_data>(d.below(4));
            rule.empty = static_cast<rh::empty_period>(d.below(2));
            rule.raise = static_cast<rh::agreement>(d.below(2));
            rule.low_samples = static_cast<rh::low_sample_option>(d.below(2));
            rule.actions = static_cast<rh::repetition>(d.below(3));
            rule.premature = flip();
            rule.grace = any_duration(d);
            tape.add(at, r::watch{id(), any_time(d), rule});
            ++watches;
            break;
        }
        case 7:
        case 8:
            if (watches == 0) break;
            tape.add(at, r::sample{static_cast<std::uint32_t>(d.below(watches)), static_cast<double>(d.roll()) / 7});
            break;
        case 9:
            if (watches == 0) break;
            tape.add(at, r::stamped_sample{static_cast<std::uint32_t>(d.below(watches)), -1e-300, any_time(d)});
            break;
        case 10:
            tape.add(at, rh::observation{id(), static_cast<rh::vantage>(d.below(5)),
                                         static_cast<rh::health>(d.below(3)), any_time(d), flip(), id()});
            break;
        case 11:
            tape.add(at, r::operator_word{static_cast<rh::operator_verb>(d.below(9)), id(), any_time(d), any_text(d),
                                          any_text(d)});
            break;
        case 12: tape.add(at, r::creation_order{id()}); break;
        case 13: tape.add(at, r::guest_restart{id()}); break;
        case 14: tape.add(at, r::host_word{any_text(d), flip(), static_cast<rh::proof_kind>(d.below(4))}); break;
        case 15: tape.add(at, rh::lease{id(), any_time(d), any_duration(d), flip()}); break;
        case 16: tape.add(at, r::sighting{id(), any_text(d), any_text(d), any_time(d)}); break;
        case 17: tape.add(at, r::capacity{any_text(d), number(std::uint32_t{})}); break;
        case 18: tape.add(at, r::leadership{static_cast<rh::epoch>(d.roll())}); break;
        case 19: {
            rh::outcome o{static_cast<rh::outcome_code>(d.below(4)), {}, any_text(d), any_duration(d)};
            if (flip()) o.seen.exists = flip();
            if (flip()) o.seen.running = flip();
            o.seen.host = any_text(d);
            tape.add(at, r::completion{static_cast<rh::op_id>(d.roll()), o, flip()});
            break;
        }
        case 20:
            tape.add(at, r::call{static_cast<rh::op_id>(d.roll()), static_cast<operation>(d.below(13)), id()});
            break;
        default:
            tape.add(at, r::overflow{d.roll()});
            tape.add(at, r::journal_word{flip()});
            tape.add(at, r::step{});
            tape.add(at, r::late_step{any_time(d)});
            tape.add(at, r::clock_jump{any_time(d)});
            break;
        }
    }
    return tape;
}

/// A machine with a service that only watches, unheard from 10:00 for so long, and then well again by itself.
rh::recording unheard_for(rh::duration silence) {
    recorded_world w{rh::policy{}};
    const rh::target_id db = *w.add_instance("db-1", {.stack = "wiki", .services = {"mysqld"}});
    w.run_for(10h);
    w.silence(db);
    w.run_for(silence);
    w.silence(db, false);
    w.run_for(2h);
    return w.ha().state().take();
}

} // namespace

TEST_SUITE("recording") {
    TEST_CASE("a recorder is an engine: the same world gives the same events") {
        plain_world plain{rh::three_levels};
        recorded_world recorded{rh::three_levels};
        eventful(plain, 5);
        eventful(recorded, 5);
        REQUIRE(plain.events().size() == recorded.events().size());
        for (std::size_t n = 0; n < plain.events().size(); ++n)
            CHECK(rh::to_json(plain.ha().state(), plain.events()[n]) ==
                  rh::to_json(recorded.ha().state(), recorded.events()[n]));
        CHECK(recorded.ha().state().tape().size() > 1000);
        CHECK(recorded.ha().state().tape().lost == 0);
    }

    TEST_CASE("what is written is read back, whatever is in it") {
        const std::uint64_t seed = 31;
        MESSAGE("seed " << seed);
        for (std::uint64_t n = 0; n < 200; ++n) {
            CAPTURE(seed + n);
            dice d{seed + n};
            const rh::recording tape = anything(d);
            const std::string text = to_text(tape);
            for (const char c : text) REQUIRE((c == '\n' || (c >= ' ' && c <= '~')));
            const auto read = rh::read_recording(text);
            REQUIRE_MESSAGE(read, to_string(read.error()));
            CHECK(read->size() == tape.size());
            CHECK(read->lost == tape.lost);
            CHECK(read->options.seed == tape.options.seed);
            CHECK(read->options.bounds == tape.options.bounds);
            CHECK(read->policies == tape.policies);
            CHECK((to_text(*read) == text));
        }
    }

    TEST_CASE("an error names the line and what is wrong there") {
        const auto error_of = [](std::string_view lines) {
            const auto read = rh::read_recording("reheat-recording 1\n" + std::string{lines});
            return read ? std::string{} : to_string(read.error());
        };
        CHECK(error_of("") == "");
        CHECK(error_of("# a remark\n\nbefore stack name=a\r\n") == "");
        CHECK(error_of("before stak name=a") == "line 2: 'stak': there is no such input");
        CHECK(error_of("before stack name=a\nnoon stack name=b") == "line 3: 'noon': expected a time");
        CHECK(error_of("before stack naem=a") == "line 2: 'naem': there is no such field here");
        CHECK(error_of("before stack name=a name=b") == "line 2: 'name=b': it is there twice");
        CHECK(error_of("before stack a") == "line 2: 'a': expected name=value");
        CHECK(error_of("before stack name=\"a") == "line 2: '\"a': expected a quote at its end");
        CHECK(error_of(R"(before stack name="\q")") == R"(line 2: '"\q"': expected \", \\ or \x and two digits)");
        CHECK(error_of("before sample watch=0 value=1") == "line 2: there is no watch 0 yet");
        CHECK(error_of("before watch target=0 from=before period=0s") == "line 2: period: expected 1 s to 7 days");
        CHECK(error_of("before host host=h dead=perhaps") == "line 2: 'dead': expected yes or no");
        CHECK(error_of("before call what=destroy") == "line 2: 'what': there is no such word");
        CHECK(error_of("before capacity room=4294967296") ==
              "line 2: 'room': expected a whole number that is not too large");
        CHECK(error_of("before lease until=soon") == "line 2: 'until': expected a time");
        CHECK(error_of("before lease watchdog=-5") == "line 2: 'watchdog': expected a duration, as in 1m30s");
        CHECK(to_string(rh::read_recording("before stack name=a").error()) == "line 1: expected 'reheat-recording 1'");
        CHECK_FALSE(rh::read_recording(""));
        CHECK_FALSE(rh::read_recording("reheat-recording 1\nbefore stack name=" + std::string(40'000, 'x')));
        CHECK_FALSE(rh::read_recording("reheat-recording 1\nbefore stack name=a\nbefore stack name=b", 1));
    }

    TEST_CASE("damaged text is refused or read, and what was read is run or refused: nothing worse") {
        const std::uint64_t seed = 99;
        MESSAGE("seed " << seed);
        recorded_world w{rh::three_levels};
        REQUIRE(w.add_instance("db-1", {.stack = "wiki", .services = {"mysqld"}}));
        w.cloud.break_at(w.now() + 12min, "db-1", rh::fault::instance_lost);
        w.run_for(40min);
        const std::string whole = to_text(w.ha().state().take());
        rh::backtest_options few;
        few.most_steps = 3'000;
        few.most_buckets = 10'000;
        dice d{seed};
        int read = 0;
        for (int n = 0; n < 1'500; ++n) {
            std::string text = whole;
            for (std::int64_t changes = 1 + d.below(3); changes > 0; --changes) {
                const auto at = static_cast<std::size_t>(d.below(static_cast<std::int64_t>(text.size())));
                constexpr std::string_view likely = "0123456789=: \n-.\"\\xhmsd";
                if (d.below(3) == 0) text.erase(at, static_cast<std::size_t>(1 + d.below(40)));
                else text[at] = likely[static_cast<std::size_t>(d.below(static_cast<std::int64_t>(likely.size())))];
            }
            const auto tape = rh::read_recording(text);
            if (!tape) continue;
            ++read;
            static_cast<void>(rh::run_recording(*tape, {}, few));
        }
        CHECK(read > 20);
    }

    TEST_CASE("it is bounded, says what it lost, and its parts are one recording") {
        rh::recorder e{rh::three_levels.lowered(), {}, 10};
        const rh::target_id db = *e.add(rh::instance{.name = "db-1"});
        const rh::watch_id w = *e.watch(db, rh::heartbeat_alarm{}.rule(), start);
        rh::outputs out;
        const auto beat = [&](int minute) {
            e.push(w, start + std::chrono::minutes{minute}, 1);
            e.step(start + std::chrono::minutes{minute}, out);
        };
        for (int n = 0; n < 25; ++n) beat(n);
        CHECK(e.tape().lost == 15);
        CHECK(e.tape().size() == 10 + 4); // and the policy, the instance, its watch, the first step
        std::string text = to_text(e.take());
        CHECK(e.tape().size() == 0);
        for (int n = 25; n < 30; ++n) beat(n);
        append_text(text, e.take());
        const auto read = rh::read_recording(text);
        REQUIRE(read);
        CHECK(read->lost == 15);
        CHECK(read->size() == 15 + 4);
        CHECK(rh::run_recording(*read, {}));
    }

    TEST_CASE("an alarm over a percentile is recorded by what it says") {
        using slow_rule = rh::alarm<rh::window<rh::extended_statistic<rh::retained_values<16>>>, rh::greater_than>;
        slow_rule slow{.threshold = 250};
        slow.of.statistic = {*rh::parse_statistic("p99")};
        rh::recorder e{rh::three_levels.lowered(), support::at_once()};
        const rh::target_id db = *e.add(rh::instance{.name = "db-1", .stack = "wiki"});
        const rh::watch_id w = *e.watch(db, slow, start);
        rh::outputs out;
        for (int n = 0; n < 20; ++n) {
            e.push(w, start + std::chrono::minutes{n} + 1s, n < 12 ? 10 : 900);
            e.step(start + std::chrono::minutes{n + 1}, out);
            if (!out.records.empty()) e.durable(out.records.back().seq);
        }
        const auto run = rh::run_recording(e.take(), {});
        REQUIRE(run);
        REQUIRE(run->failures.size() == 1);
        CHECK(run->failures[0].opened_at == start + 13min);
    }
}

TEST_SUITE("backtest") {
    TEST_CASE("the recorded policy over its own recording decides as it did") {
        const std::uint64_t seed = 2'026;
        MESSAGE("seed " << seed);
        std::size_t decided = 0;
        for (std::uint64_t n = 0; n < 40; ++n) {
            CAPTURE(seed + n);
            recorded_world w{n % 3 == 0 ? rh::ha_restarter.lowered() : rh::three_levels.lowered()};
            eventful(w, seed + n);
            const auto tape = rh::read_recording(to_text(w.ha().state().take()));
            REQUIRE(tape);
            const auto run = rh::run_recording(*tape, {});
            REQUIRE_MESSAGE(run, to_string(run.error()));
            const std::vector<act> then = acts(w.events());
            const std::vector<act> now = acts(run->events);
            decided += then.size();
            CHECK(now == then);
        }
        CHECK(decided > 300);
    }

    TEST_CASE("a target that got well by itself was acted upon needlessly") {
        const rh::recording tape = unheard_for(6min);
        constexpr rh::ladder at_once{rh::reboot_instance{}};
        constexpr rh::ladder patient{rh::guest_restarts{.verify = 10min}};
        const auto d = rh::backtest(tape, at_once.lowered(), patient.lowered());
        REQUIRE_MESSAGE(d, to_string(d.error()));
        CHECK(d->a.actions[static_cast<std::size_t>(operation::reboot_instance)] > 0);
        CHECK(d->a.targets_needlessly == d->a.targets_acted_upon);
        CHECK(d->a.targets_needlessly > 0);
        CHECK(d->b.targets_acted_upon == 0);
        CHECK(d->b.targets_needlessly == 0);
        REQUIRE_FALSE(d->decisions.empty());
        CHECK(d->decisions.front().at == start + 10h + 2min);
        REQUIRE(d->decisions.front().a);
        CHECK(d->decisions.front().a->rung == operation::reboot_instance);
        CHECK(to_text(*d).find("of these needlessly         ") != std::string::npos);
    }

    TEST_CASE("what the recorded policy cured was not needless: nobody knows") {
        recorded_world w{rh::three_levels};
        REQUIRE(w.add_instance("db-1", {.stack = "wiki", .services = {"mysqld"}}));
        w.cloud.break_at(w.now() + 1h, "db-1", rh::fault::instance_hangs);
        w.run_for(4h);
        const auto run = rh::run_recording(w.ha().state().take(), {});
        REQUIRE(run);
        CHECK(run->targets_acted_upon > 0);
        CHECK(run->targets_needlessly == 0);
        CHECK(run->open_at_the_end == 0);
    }

    TEST_CASE("a difference shows what each decided, and why the other did not") {
        recorded_world w{rh::three_levels};
        REQUIRE(w.add_instance("db-1", {.stack = "wiki", .services = {"mysqld"}}));
        w.cloud.break_at(w.now() + 1h, "db-1", rh::fault::service_dies);
        w.run_for(3h);
        constexpr rh::ladder asks{rh::restart_service{.approval = rh::required}, rh::reboot_instance{}};
        const auto d = rh::backtest(w.ha().state().take(), {.name = "now"}, {.name = "asks", .rules = asks.lowered()});
        REQUIRE(d);
        REQUIRE(d->decisions.size() == 1);
        const rh::divergence& first = d->decisions.front();
        CHECK(first.target == d->a.end.find(rh::level::service, "db-1/mysqld"));
        REQUIRE(first.a);
        REQUIRE(first.b);
        CHECK(first.a->what == decision::act);
        CHECK(first.a->why == reason::first_attempt);
        CHECK(first.b->what == decision::wait);
        CHECK(first.b->why == reason::approval_required);
        CHECK(to_text(*d).find(": now: act restart_service (first_attempt); asks: wait restart_service "
                               "(approval_required)") != std::string::npos);
        CHECK(d->b.never_acted_upon == 1);
    }

    TEST_CASE("other limits on the same policy") {
        recorded_world w{rh::three_levels};
        for (const char* name : {"a-1", "a-2", "a-3", "a-4"})
            REQUIRE(w.add_instance(name, {.stack = "a", .services = {}}));
        for (const char* name : {"a-1", "a-2", "a-3"}) w.cloud.break_at(w.now() + 1h, name, rh::fault::instance_hangs);
        w.run_for(6h);
        rh::limits wide;
        wide.in_flight = {100, 1};
        wide.between = 0s;
        const auto d = rh::backtest(w.ha().state().take(), {.name = "now"}, {.name = "wide", .bounds = wide});
        REQUIRE(d);
        CHECK(d->a.most_in_flight == 1);
        CHECK(d->b.most_in_flight == 3);
        CHECK(d->b.first_action_worst < d->a.first_action_worst);
    }

    TEST_CASE("a call that was made then comes out as it did then; another is done after the usual time") {
        recorded_world w{rh::three_levels};
        REQUIRE(w.add_instance("db-1", {.stack = "wiki", .services = {"mysqld"}}));
        w.cloud.set_latency(operation::reboot_instance, 77s);
        w.cloud.reply(operation::reboot_instance, {.code = rh::outcome_code::failed, .takes_effect = false});
        w.cloud.break_at(w.now() + 1h, "db-1", rh::fault::instance_hangs);
        w.run_for(3h);
        const rh::recording tape = w.ha().state().take();
        const rh::recorded_cloud cloud{tape};
        const rh::target_id db{1};
        rh::time_point called{};
        tape.each([&](rh::time_point at, const auto& what) {
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(what)>, rh::recorded::call>) {
                if (what.what == operation::reboot_instance && called == rh::time_point{}) called = at;
            }
        });
        const auto then = cloud.answer(operation::reboot_instance, db, called + 10s);
        REQUIRE(then);
        CHECK(then->latency == 77s);
        CHECK(then->result.code == rh::outcome_code::failed);
        const auto later = cloud.answer(operation::reboot_instance, db, called + 90min);
        REQUIRE(later);
        CHECK(later->latency == 77s);
        CHECK(later->result.code == rh::outcome_code::done);
        const auto other = cloud.answer(operation::fence_instance, db, called);
        REQUIRE(other);
        CHECK(other->latency == rh::assumed_calls{}.latency[static_cast<std::size_t>(operation::fence_instance)]);
    }

    TEST_CASE("a cloud that did not answer then does not answer questions now") {
        rh::recording tape;
        tape.add(start, rh::recorded::call{rh::op_id{1}, operation::describe, rh::target_id{3}});
        tape.add(start + 1h, rh::recorded::call{rh::op_id{2}, operation::describe, rh::target_id{3}});
        tape.add(start + 1h + 2s, rh::recorded::completion{rh::op_id{2}, rh::outcome::done(), false});
        const rh::recorded_cloud cloud{tape};
        CHECK_FALSE(cloud.answer(operation::describe, rh::target_id{3}, start + 30s));
        CHECK_FALSE(cloud.answer(operation::describe, rh::target_id{4}, start + 30s));
        CHECK(cloud.answer(operation::describe, rh::target_id{4}, start + 10min));
        CHECK(cloud.answer(operation::describe, rh::target_id{4}, start + 1h)->latency == 2s);
    }

    TEST_CASE("where the engine was late then, it is late now") {
        rh::recorder e{rh::three_levels.lowered(), support::at_once()};
        const rh::target_id db = *e.add(rh::instance{.name = "db-1"});
        const rh::watch_id w = *e.watch(db, rh::heartbeat_alarm{}.rule(), start);
        rh::outputs out;
        const auto step = [&](rh::duration at) {
            e.step(start + at, out);
            if (!out.records.empty()) e.durable(out.records.back().seq);
        };
        for (int n = 0; n < 5; ++n) {
            e.push(w, start + std::chrono::minutes{n}, 1);
            step(std::chrono::minutes{n});
        }
        step(20min + 30s); // stopped for a quarter of an hour, and unable to hear
        e.push(w, start + 20min + 40s, 1);
        step(21min);
        step(22min);
        const auto late = [](const std::vector<rh::event>& all) {
            std::vector<rh::time_point> at;
            for (const rh::event& v : all) {
                if (v.why == reason::stepped_late) at.push_back(v.at);
            }
            return at;
        };
        const auto run = rh::run_recording(e.take(), {});
        REQUIRE(run);
        CHECK(late(out.events).size() == 1);
        CHECK(late(run->events) == late(out.events));
    }

    TEST_CASE("a policy that was changed under way stays changed, unless a candidate stands in for it") {
        rh::recorder e{rh::three_levels.lowered(), support::at_once()};
        const rh::target_id db = *e.add(rh::instance{.name = "db-1", .stack = "wiki"});
        rh::outputs out;
        e.step(start, out);
        e.change_policy({}, rh::ha_restarter.lowered(), start + 1min);
        e.step(start + 1min, out);
        e.observe({db, rh::vantage::driver_status, rh::health::unhealthy, start + 2min});
        e.step(start + 2min, out);
        const rh::recording tape = e.take();
        const auto d = rh::backtest(tape, {.name = "as it was"}, {.name = "b", .rules = rh::three_levels.lowered()});
        REQUIRE(d);
        REQUIRE(acts(d->a.events).size() == 1);
        CHECK(std::get<operation>(acts(d->a.events)[0]) == operation::fence_instance);
        REQUIRE(acts(d->b.events).size() == 1);
        CHECK(std::get<operation>(acts(d->b.events)[0]) == operation::reboot_instance);
    }

    TEST_CASE("a recording that makes no sense, or asks for too much, is an error") {
        const auto run = [](std::string_view lines, rh::backtest_options o = {}) {
            const auto tape = rh::read_recording("reheat-recording 1\n" + std::string{lines});
            REQUIRE(tape);
            const auto made = rh::run_recording(*tape, {}, o);
            return made ? std::string{} : to_string(made.error());
        };
        CHECK(run("") == "recording: it has no policy");
        CHECK(run("before stack name=a\n") == "recording: expected a policy first");
        CHECK(run("before policy which=0\nbefore service name=a on=7\n") ==
              "recording: a: expected a service on an instance");
        CHECK(run("before policy which=0\nbefore policy which=5\n") == "recording: its policies are out of order");
        const std::string ages = "before policy which=0\nbefore instance name=a\n"
                                 "before watch target=0 from=1700-01-01T00:00:00Z period=1s evaluation_periods=1\n"
                                 "1700-01-01T00:00:00Z step\n2200-01-01T00:00:00Z sample watch=0 value=1\n";
        CHECK(run(ages, {.most_steps = 1'000}) == "recording: it needs too many steps");
        CHECK(run("before policy which=0\nbefore instance name=a\n"
                  "before watch target=0 from=before period=1h evaluation_periods=100 step=1m\n",
                  {.most_buckets = 1'000})
                  .find("too much memory") != std::string::npos);
    }
}
