// SPDX-License-Identifier: MIT
#include "scenario_files.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
namespace rh = reheat;
namespace testing = reheat::testing;
using namespace scenario_files;

namespace {

std::string error_of(std::string_view text) {
    const auto read = testing::read_scenarios(text);
    return read ? std::string{} : to_string(read.error());
}

// A scenario that is whole, with one line in the middle of it.
std::string around(std::string_view line) {
    return "scenario x\ninstance db-1 stack wiki services mysqld\nalarm slow on db-1 Average > 1 over 60s\n" +
           std::string{line} + "\nrun 1h\n";
}

} // namespace

TEST_CASE("every scenario of the folder has the decisions that it expects") {
    std::size_t count = 0;
    for (const auto& path : files()) {
        for (const testing::scenario& s : scenarios_of(path)) {
            CAPTURE(s.name);
            ++count;
            CHECK((s.exact || !s.checks.empty()));
            const std::string problem = explain(s, run(s), path.filename().string());
            CHECK_MESSAGE(problem.empty(), problem);
        }
    }
    CHECK(count >= 120);
}

TEST_CASE("every scenario says what it proves, and at least forty what was reported of other systems") {
    std::size_t reported = 0;
    for (const auto& path : files()) {
        const std::string text = read_file(path);
        std::string before;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = (std::min)(text.find('\n', at), text.size());
            const std::string line = text.substr(at, end - at);
            CAPTURE(path.string());
            CAPTURE(before);
            if (before.rfind("scenario ", 0) == 0) CHECK(line.rfind("# ", 0) == 0);
            if (line.rfind("# reported: ", 0) == 0) {
                CHECK(before.rfind("scenario ", 0) == 0);
                ++reported;
            }
            if (before.rfind("# reported: ", 0) == 0) CHECK(line.rfind("# ", 0) == 0); // and what has to come of it
            before = line;
            at = end + 1;
        }
    }
    CHECK(reported >= 40);
}

TEST_CASE("no two scenarios have the same name") {
    std::vector<std::string> names;
    for (const auto& path : files()) {
        for (const testing::scenario& s : scenarios_of(path)) names.push_back(s.name);
    }
    std::sort(names.begin(), names.end());
    CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}

TEST_CASE("a scenario gives the same log, byte for byte, however often it is run") {
    const testing::scenario s = scenarios_of(folder / "heartbeat.scenario").front();
    REQUIRE(s.name == "lost_heartbeats_fence_and_recreate_once");
    const std::string first = text_of(run(s));
    unsigned different = 0;
    for (int n = 1; n < 1'000; ++n) different += text_of(run(s)) == first ? 0U : 1U;
    CHECK(different == 0);
    CHECK(first.find("7m15s wiki-1 recreate_instance act first_attempt\n") != std::string::npos);
}

TEST_CASE("the example of the documentation is one that passes") {
    const std::string page = read_file(folder / ".." / ".." / "docs" / "reference" / "scenarios.md");
    const std::size_t begin = page.find("    scenario ");
    const std::size_t end = page.find("\n## ", begin);
    REQUIRE(end != std::string::npos);
    const auto scenarios = testing::read_scenarios(std::string_view{page}.substr(begin, end - begin));
    REQUIRE_MESSAGE(scenarios, to_string(scenarios.error()));
    const std::string problem = explain(scenarios->front(), run(scenarios->front()), "scenarios.md");
    CHECK_MESSAGE(problem.empty(), problem);
}

TEST_CASE("the seed moves the jitter and nothing else does") {
    const std::string text = "instance db-1\nat 2m10s break db-1 instance_lost\nrun 20m\n";
    const auto same = testing::read_scenarios("scenario a\nseed 7\n" + text + "scenario b\nseed 7\n" + text);
    const auto other = testing::read_scenarios("scenario a\nseed 8\n" + text);
    REQUIRE(same);
    REQUIRE(other);
    CHECK(text_of(run((*same)[0])) == text_of(run((*same)[1])));
    CHECK(text_of(run((*same)[0])) != text_of(run((*other)[0])));
}

TEST_CASE("a difference is shown with its place, both lines and what came before") {
    const auto scenarios = testing::read_scenarios("scenario x\ninstance db-1\nrun 5m\nat 2m10s silence db-1\nexpect\n"
                                                   "  1m db-1 - change alarm_cleared\n  4m db-1 - change alarm_raised\n"
                                                   "  4m db-1 - open observed_unhealthy\n");
    REQUIRE(scenarios);
    const testing::scenario& s = scenarios->front();
    const testing::scenario_result r = run(s);
    CHECK(first_difference(s, r.log) == 2);
    CHECK(explain(s, r, "x.scenario") == "x.scenario:8: x\n"
                                         "            1m db-1 - change alarm_cleared\n"
                                         "            4m db-1 - change alarm_raised\n"
                                         "  expected: 4m db-1 - open observed_unhealthy\n"
                                         "  got:      4m db-1 - open alarm_raised\n"
                                         "            4m db-1 restart_service skip no_such_ancestor\n"
                                         "            4m db-1 reboot_instance act first_attempt\n");
    CHECK(first_difference(s, std::span{r.log}.first(2)) == 2);
}

TEST_CASE("an expected time may be a range") {
    const auto log = std::vector<testing::log_line>{{2min, "db-1", {}, rh::decision::open, rh::reason::alarm_raised}};
    for (const auto& [when, fits] :
         {std::pair{"2m", true}, {"1m..3m", true}, {"2m..2m", true}, {"1m..1m59s", false}, {"2m1s..3m", false}}) {
        CAPTURE(when);
        const auto s = testing::read_scenarios("scenario x\ninstance db-1\nrun 5m\nexpect\n" + std::string{when} +
                                               " db-1 - open alarm_raised\n");
        REQUIRE(s);
        CHECK(first_difference(s->front(), log).has_value() != fits);
    }
}

TEST_CASE("ranges name many instances, and place them in turn") {
    const auto read = testing::read_scenarios(
        "scenario x\ninstances web-{1..6} stack s{1..2} services app:7 host h{1..4} rack r{1..2} zone z1 priority 3\n"
        "at 5m break web-{2..3} instance_hangs\nat 5m silence web-*/app\nrun 10m\nexpect\n"
        "  1m web-{1..2} - change alarm_cleared\n");
    REQUIRE_MESSAGE(read, to_string(read.error()));
    const testing::scenario& s = read->front();
    REQUIRE(s.instances.size() == 6);
    CHECK(s.instances[4].name == "web-5");
    CHECK(s.instances[4].how.stack == "s1");
    CHECK(s.instances[4].how.host == "h1");
    CHECK(s.instances[3].how.host == "h4");
    CHECK(s.instances[3].how.rack == "r2");
    CHECK(s.instances[3].how.zone == "z1");
    CHECK(s.instances[3].priority == 3);
    CHECK(s.instances[3].priorities == std::vector<std::uint8_t>{7});
    CHECK(s.events.size() == 2 + 6);
    REQUIRE(s.expected.size() == 2);
    CHECK(s.expected[1].what.target == "web-2");
}

TEST_CASE("a line that happens several times stands in order among the others") {
    const auto read =
        testing::read_scenarios("scenario x\ninstance a\nat 1m observe a unhealthy driver_status polled times 3 "
                                "every 1m\nat 90s silence a\nrun 10m\n");
    REQUIRE(read);
    std::vector<rh::duration> times;
    for (const testing::timed_event& e : read->front().events) times.push_back(e.at);
    CHECK(times == std::vector<rh::duration>{1min, 90s, 2min, 3min});
}

TEST_CASE("what is expected beside the log is checked, and a failure says what came") {
    const std::string_view world =
        "scenario x\ninstance db-1\ninstance db-2\nat 2m10s break db-1 instance_hangs\nrun 10m\n";
    struct expectation {
        std::string_view line;
        std::string_view problem; ///< empty: it holds
    };
    const std::vector<expectation> table{
        {"expect count db-1 reboot_instance act * == 1", ""},
        {"expect count db-* * act * <= 0",
         "expected <= 0 of * db-* * act *, got 1\n            4m db-1 reboot_instance act "
         "first_attempt"},
        {"expect count * * act * >= 1 ", ""},
        {"expect count * * act * during 5m.. == 1", "expected == 1 of 5m.. * * act *, got 0"},
        {"expect never db-2 - open *", ""},
        {"expect never * - open * during 4m..5m",
         "expected == 0 of 4m..5m * - open *, got 1\n            4m db-1 - open "
         "alarm_raised"},
        {"expect calls reboot_instance == 1", ""},
        {"expect calls reboot_instance of db-2 >= 1", "expected >= 1 calls of reboot_instance, got 0"},
        {"expect end db-1,db-2 healthy", ""},
        {"expect end db-* open", "db-1 is not so in the end: no incident, works"},
        {"expect end db-* closed == 2", ""},
        {"expect end db-* parked >= 1", "expected >= 1 that are so in the end, got 0"},
        {"expect at most 1 in flight", ""},
        {"expect at most 0 in flight", "expected at most 0 in flight, got 1"},
        {"expect at most 0 services in flight", ""},
        {"expect at least 10s apart", ""},
        {"expect some\n 4m db-1 - open *\n * db-1 * act *", ""},
        {"expect some\n 4m db-1 * act *\n * db-1 - open *", "expected (below the lines above it): * db-1 - open *"},
    };
    for (const expectation& e : table) {
        CAPTURE(std::string{e.line});
        const auto read = testing::read_scenarios(std::string{world} + std::string{e.line} + "\n");
        REQUIRE_MESSAGE(read, to_string(read.error()));
        const testing::scenario& s = read->front();
        const std::string problem = explain(s, run(s), "f");
        if (e.problem.empty()) CHECK_MESSAGE(problem.empty(), problem);
        else CHECK_MESSAGE(problem.find(e.problem) != std::string::npos, problem);
    }
}

TEST_CASE("a second copy fails a scenario, whatever it expects") {
    // The operator is wrong: the machine runs.
    const auto read = testing::read_scenarios("scenario x\noption start_hold 0s\nladder ha_restarter\ninstance db-1\n"
                                              "at 5m operator confirm_dead db-1 who anna\nrun 10m\n"
                                              "expect calls recreate_instance == 1\n");
    REQUIRE(read);
    CHECK(run(read->front()).problem == "a second copy of an instance was started");
}

TEST_CASE("every scenario is watched: what it violates on purpose it has to say, and then to do") {
    const auto result = [](std::string_view line) {
        auto read = testing::read_scenarios(around(line));
        REQUIRE(read);
        return explain(read->front(), testing::run(read->front()), "x");
    };
    CHECK(result("") == "");
    CHECK(result("violates I3 I7") == "x:1: x\n  it says that it violates I3, and did not\n");
    CHECK(error_of(around("violates")).find("expected an invariant, I1 to I12, found") != std::string::npos);
    CHECK(error_of(around("violates I13")).find("line 4: expected an invariant") != std::string::npos);
}

TEST_CASE("every preset of a peer can be run") {
    for (const std::string name : {"heat", "masakari", "instance_ha", "node_health_check", "vmware", "vmware_host",
                                   "otp", "systemd", "fabric_healer"}) {
        CAPTURE(name);
        const auto read = testing::read_scenarios("scenario x\npreset " + name +
                                                  "\ninstances vm-{1..3} services app host h{1..3}\n"
                                                  "at 5m10s break vm-1 instance_hangs\nat 5m20s observe vm-1 unhealthy "
                                                  "driver_status\nrun 20m\nexpect count * * act * >= 1\n");
        REQUIRE_MESSAGE(read, to_string(read.error()));
        const std::string problem = explain(read->front(), run(read->front()), name);
        CHECK_MESSAGE(problem.empty(), problem);
    }
}

TEST_CASE("comments, blank lines and line ends of another system are nothing") {
    const auto s = testing::read_scenarios("# all\r\n\r\n  scenario a # one\r\n\tinstance db-1#\r\n");
    CHECK_FALSE(s); // the name 'db-1#' is none: a comment begins a word
    CHECK(
        testing::read_scenarios("# all\r\n\r\n  scenario a # one\r\n\tinstance db-1 #\r\nrun 1h\r\nexpect # nothing"));
}

TEST_CASE("errors of the reader name the line and what was expected") {
    struct bad {
        std::string text;
        std::string_view error;
    };
    const std::vector<bad> table{
        {"", "line 1: expected 'scenario NAME'"},
        {"run 1h\n", "line 1: expected 'scenario NAME', found 'run'"},
        {"scenario\n", "line 1: expected a name (letters, digits, - _ .), found the end of the line"},
        {"scenario a b\n", "line 1: unexpected word 'b'"},
        {"# x\n\nscenario a\nrun 1h\n", "line 3: scenario a: expected an instance"},
        {"scenario a\ninstance db-1\n", "line 1: scenario a: expected 'run DURATION'"},
        {"scenario a\ninstance x\nrun 1h\nscenario a\n", "line 4: there is a scenario of that name on line 1"},
        {around("instnce db-2"), "line 4: expected seed, option, ladder, preset, rung, evidence, fencing, instance, "
                                 "instances, depends, alarm, at, run, violates, log, expect or scenario, found "
                                 "'instnce'"},
        {around("instance db-1"), "line 4: the name 'db-1' is taken"},
        {around("instance wiki"), "line 4: the name 'wiki' is taken"},
        {around("instance db-2 services a,,b"),
         "line 4: expected a service's name (letters, digits, - _ .), found the end of the line"},
        {around("instance db-2 keep volumes,disks"), "line 4: expected what to keep (memory ephemeral_disk volumes "
                                                     "fixed_addresses public_addresses identity), found 'disks'"},
        {around("instance db-2 heartbeat 1ms"), "line 4: expected a period from 1s to 1d"},
        {around("instance db-2 ladder other"), "line 4: there is no ladder 'other' above this line"},
        {around("ladder mine"), "line 1: scenario x: ladder mine has no rung"},
        {around("rung reboot_instance"), "line 4: expected 'ladder NAME' before its rungs"},
        {around("ladder ha_restarter\nrung reboot_instance"), "line 5: expected 'ladder NAME' before its rungs"},
        {around("ladder mine\nrung fence_instance"), "line 5: expected a rung, found 'fence_instance'"},
        {around("ladder mine\nrung reboot_instance attempts many"),
         "line 5: expected attempts from 0 to 1000, found 'many'"},
        {around("ladder mine\nrung reboot_instance sustained 3 in 1h"), "line 5: expected 'per'"},
        {around("seed -1"), "line 4: expected a seed from 0 to 18446744073709551615, found '-1'"},
        {around("option page_after 0s"), "line 4: expected a duration from 1s to 366d"},
        {around("option reign 3s"),
         "line 4: expected an option (page_after fence_timeout create_timeout proof_validity"},
        {around("option in_flight 0"), "line 4: expected a count from 1 to 1000000, found '0'"},
        {around("option breaker_group 101%"), "line 4: expected a share as in 20%, found '101%'"},
        {around("option group_budget 3"), "line 4: expected 'per'"},
        {around("option shadow maybe"), "line 4: expected on or off (on off), found 'maybe'"},
        {around("evidence vantages 2"), "line 4: expected 'ladder NAME' or 'preset NAME' before its rules"},
        {around("ladder three_levels\nevidence vantages 6"), "line 5: expected a count from 1 to 5, found '6'"},
        {around("ladder three_levels\nevidence polls 8/7"),
         "line 5: expected M/N as in 7/10, at most 16/16, found '8/7'"},
        {around("ladder three_levels\nevidence polls 7"), "line 5: expected M/N as in 7/10, at most 16/16, found '7'"},
        {around("ladder three_levels\nfencing methods a,b,c,d,e"), "line 5: expected at most 4 fence methods"},
        {around("ladder three_levels\nfencing twice"), "line 5: expected methods or parallel, found 'twice'"},
        {around("ladder three_levels probation"),
         "line 4: expected a duration, as in 5m10s, found the end of the line"},
        {around("ladder mine returned home"), "line 4: expected a rule for what returns (keep_replacement"},
        {around("preset peer"), "line 4: expected a preset (heat masakari instance_ha"},
        {around("instances web-{1..3000}"), "line 4: expected a range as in {1..20} of at most 2000"},
        {around("instances web-{3..1}"), "line 4: expected a range as in {1..20} of at most 2000, found 'web-{3..1}'"},
        {around("instances web-{1..2"), "line 4: expected a range as in {1..20} of at most 2000, found 'web-{1..2'"},
        {around("instances db-{1..2}"), "line 4: the name 'db-1' is taken"},
        {around("instance db-2 services a:300"), "line 4: expected a priority from 0 to 255, found '300'"},
        {around("instances a-{1..2000}"), "line 4: expected at most 2,000 instances"},
        {around("depends db-1 mysqld"), "line 4: expected 'on'"},
        {around("depends db-1 on db-9"), "line 4: there is no target 'db-9' above this line"},
        {around("at 5m break db-9* instance_hangs"), "line 4: no target matches 'db-9*'"},
        {around("at 5m host h9 dies"), "line 4: there is no host 'h9' above this line"},
        {around("at 5m zone z1 back"), "line 4: there is no zone 'z1' above this line"},
        {around("instance db-2 host h1\nat 5m host h1 burns"),
         "line 5: expected what happens there (dies loses_power silent partitioned back returns), found 'burns'"},
        {around("instance db-2 host h1\nat 5m host h1 dead somehow"),
         "line 5: expected by what it is proved (fenced absent confirmed), found 'somehow'"},
        {around("at 5m controller sleeps"), "line 4: expected its turn (partitioned back stalls), found 'sleeps'"},
        {around("at 5m clock forward 1s"), "line 4: expected 'back'"},
        {around("at 5m observe db-1 healthy neighbour by db-9"), "line 4: there is no target 'db-9' above this line"},
        {around("at 5m observe db-1 healthy driver_status times 2"), "line 4: expected 'every'"},
        {around("at 5m observe db-1 healthy driver_status times 2 every 1h"),
         "line 1: scenario x: line 4 is after the end of its run"},
        {around("at 5m lease db-1 for 1m loosely"), "line 4: expected for, until, watchdog or whether"},
        {around("at 5m sighted db-1 copy 0"), "line 4: expected a copy's number from 1 to 1000, found '0'"},
        {around("at 5m capacity db-1 3"), "line 4: expected zone or cloud, found 'db-1'"},
        {around("at 5m operator kill db-1"), "line 4: expected a verb (approve deny confirm_dead"},
        {around("at 5m operator maintain db-1 because"), "line 4: expected who, reason or for, found 'because'"},
        {around("at 5m policy three_levels becomes other"),
         "line 4: there is no ladder 'three_levels' above this line"},
        {around("at 5m guard asks all"), "line 4: expected what the guard says (deny allow), found 'asks'"},
        {around("expect whenever"),
         "line 4: expected some, count, never, calls, end, at most, at least or the end of the "
         "line, found 'whenever'"},
        {around("expect count db-1 - open"), "line 4: expected a reason, - or * (alarm_raised"},
        {around("expect count db-1 - open *"), "line 4: expected a comparison (== <= >=), found the end of the line"},
        {around("expect count db-9 - open * == 1"), "line 4: there is no target 'db-9' above this line"},
        {around("expect end db-1 dead"), "line 4: expected how it is in the end (healthy closed open waiting parked)"},
        {around("expect at most 3 flying"), "line 4: expected 'in flight'"},
        {around("expect at once"), "line 4: expected 'most' or 'least'"},
        {around("expect\nexpect"), "line 5: there is an 'expect' above this line"},
        {around("alarm a on db-2 SampleCount < 1 over 60s"), "line 4: there is no target 'db-2' above this line"},
        {around("alarm a on db-1 SampleCount == 1 over 60s"), "line 4: expected a comparison (> >= < <=), found '=='"},
        {around("alarm a on db-1 SampleCount < 1e9 over 60s"), "line 4: expected a threshold, found '1e9'"},
        {around("alarm a on db-1 SampleCount < 1 over 60s periods 2 datapoints 3"),
         "line 4: datapoints_to_alarm: expected at most evaluation_periods"},
        {around("at 5 break db-1 instance_lost"), "line 4: expected a time, as in 5m10s, found '5'"},
        {around("at 5m burn db-1"),
         "line 4: expected what happens (break silence resume host rack zone controller clock overflow push observe"},
        {around("at 5m break db-2 instance_lost"), "line 4: there is no target 'db-2' above this line"},
        {around("at 5m break wiki stack_breaks"), "line 4: expected an instance or a service, found a stack"},
        {around("at 5m break db-1 service_dies"), "line 4: expected a service (instance/service) for this fault"},
        {around("at 5m break db-1/mysqld instance_lost"), "line 4: expected an instance for this fault"},
        {around("at 5m break db-1 instance_lost now"), "line 4: unexpected word 'now'"},
        {around("at 5m silence slow"), "line 4: there is no target 'slow' above this line"},
        {around("at 5m silence db-1\nat 4m resume db-1"), "line 5: this time is before the one of the line above"},
        {around("at 2h silence db-1"), "line 1: scenario x: line 4 is after the end of its run"},
        {around("at 5m push fast"), "line 4: there is no alarm, instance or service 'fast' above this line"},
        {around("at 5m push slow times 10001"), "line 4: expected a count from 1 to 10000, found '10001'"},
        {around("at 5m push slow value 1.2.3"), "line 4: expected a value, found '1.2.3'"},
        {around("at 5m observe db-1 sick driver_status"),
         "line 4: expected a health (unknown healthy unhealthy), found 'sick'"},
        {around("at 5m reply reboot_instance done no_effect"), "line 4: what is done has an effect"},
        {around("at 5m reply reboot_instance silent done"), "line 4: abandoned and silent have no outcome"},
        {around("at 5m journal burn"),
         "line 4: expected a turn of the journal (hold release fail reopen delay), found 'burn'"},
        {around("expect\nrun 1h"), "line 5: expected a time, as in 5m10s, found 'run'"},
        {around("expect never db-1 - open *"), "line 5: expected expect or scenario, found 'run'"},
        {around("expect\n1m db-1 - open"), "line 5: expected a reason or - (alarm_raised"},
        {around("expect\n1m db-1 - open alarm_raised because"), "line 5: unexpected word 'because'"},
        {around("expect\n2m..1m db-1 - open alarm_raised"), "line 5: expected a time from 2m to 366d"},
        {around("expect\n2m db-1 - open alarm_raised\n1m db-1 - open alarm_raised"),
         "line 6: this time is before the one of the line above"},
        {around("at 5m break \x1b[2J instance_lost"), "line 4: there is no target '?[2J' above this line"},
        {"scenario a\ninstance x heartbeat 1s services a,b,c\nrun 366d\n", "line 1: scenario a: too much to do"},
        {"scenario a\n" + std::string(401, ' ') + "\n", "line 2: expected at most 400 columns"},
        {std::string((1U << 20U) + 1, '\n'), "line 1: expected at most 1 MiB"},
    };
    for (const bad& b : table) {
        const std::string shown = b.text.substr(0, 200);
        CAPTURE(shown);
        const std::string error = error_of(b.text);
        CHECK_MESSAGE(error.substr(0, b.error.size()) == b.error, error);
    }
}

TEST_CASE("no piece of a scenario makes the reader or a run do anything but end") {
    const std::string whole = read_file(folder / "outcomes.scenario").substr(0, 1'500);
    for (std::size_t n = 0; n < whole.size(); n += 7) {
        std::string text = whole;
        text[n] = static_cast<char>(text[n] ^ (n % 2 == 0 ? 0x20 : 0x01));
        const auto read = testing::read_scenarios(text);
        if (!read) CHECK(read.error().where.substr(0, 5) == "line ");
        else
            for (const testing::scenario& s : *read) CHECK(run(s).problem.empty());
        static_cast<void>(testing::read_scenarios(std::string_view{whole}.substr(0, n)));
    }
}
