// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/recovery/default_rung.hpp>
#include <reheat/testing/scenario.hpp>
#include <reheat/testing/scenario_events.hpp>
#include <reheat/testing/scenario_expect.hpp>
#include <reheat/testing/scenario_names.hpp>
#include <reheat/testing/scenario_policies.hpp>
#include <reheat/testing/scenario_words.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace reheat::inline REHEAT_ABI::testing {

namespace detail {

/// Reads scenarios line by line; the first error ends it.
class scenario_reader {
public:
    static constexpr std::size_t most_bytes = 1U << 20U;
    static constexpr std::size_t most_columns = 400;
    static constexpr std::size_t most_instances = 2'000;
    static constexpr std::size_t most_services = 16;
    static constexpr std::int64_t most_work = 10'000'000; ///< evaluated periods and sent heartbeats

    result<std::vector<scenario>> read(std::string_view text) {
        if (text.size() > most_bytes) return error{errc::limit_exceeded, "line 1", "expected at most 1 MiB"};
        while (!text.empty()) {
            std::string_view line = text.substr(0, text.find('\n'));
            text.remove_prefix(line.size() + (line.size() < text.size() ? 1 : 0));
            if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
            ++line_;
            if (line.size() > most_columns) return located(errc::limit_exceeded, "expected at most 400 columns");
            word_line words{line};
            if (!words.empty()) {
                read_line(words);
                words.end();
            }
            if (words.failed()) return located(errc::syntax, *words.failed());
        }
        word_line end{""};
        finish(end);
        if (end.failed()) return located(errc::syntax, *end.failed());
        if (read_.empty()) return located(errc::syntax, "expected 'scenario NAME'");
        return std::move(read_);
    }

private:
    [[nodiscard]] error located(errc code, std::string message) const {
        return {code, "line " + std::to_string(line_ == 0 ? 1 : line_), std::move(message)};
    }
    [[nodiscard]] scenario& now() noexcept { return read_.back(); }

    void read_line(word_line& in) {
        if (in.take("scenario")) return begin(in);
        if (read_.empty()) return in.fail("expected 'scenario NAME', found " + word_line::quoted(in.peek()));
        if (in.take("expect")) {
            expecting_ = true;
            block_ = expectation_reader{in, names_, line_, now()}.read();
            return;
        }
        if (block_ == block::whole) return expectation_reader{in, names_, line_, now()}.whole_line();
        if (block_ == block::some) return expectation_reader{in, names_, line_, now()}.some_line();
        if (expecting_) return in.fail("expected expect or scenario, found " + word_line::quoted(in.peek()));
        if (in.take("seed")) now().options.seed = in.whole<std::uint64_t>("a seed", 0, UINT64_MAX);
        else if (in.take("option")) option_reader{now().options, in}.read();
        else if (in.take("ladder")) open_ladder_ = read_ladder(now(), in);
        else if (in.take("preset")) read_preset(now(), in), open_ladder_ = false;
        else if (in.take("rung")) ladder_part(in, [&](scenario_ladder& l) { read_rung(l.rules, in); });
        else if (in.take("evidence")) ladder_rule(in, [&](scenario_ladder& l) { read_evidence(l, in); });
        else if (in.take("fencing")) ladder_rule(in, [&](scenario_ladder& l) { read_fencing(l, in); });
        else if (in.take("instance") || in.take("instances")) instance_line(in);
        else if (in.take("depends")) depends_line(in);
        else if (in.take("alarm")) alarm_line(in);
        else if (in.take("at")) event_line(in);
        else if (in.take("run")) now().run = in.time("how long to run", std::chrono::seconds{1});
        else if (in.take("violates")) violates_line(in);
        else if (in.take("log")) now().log_all = in.choice<bool>({{"decisions", false}, {"all", true}}, "what to log");
        else
            in.fail("expected seed, option, ladder, preset, rung, evidence, fencing, instance, instances, depends, "
                    "alarm, at, run, violates, log, expect or scenario, found " +
                    word_line::quoted(in.peek()));
    }

    void begin(word_line& in) {
        finish(in);
        if (in.failed()) return;
        scenario s;
        s.name = in.name("a name");
        s.line = line_;
        for (const scenario& other : read_) {
            if (other.name == s.name) in.fail("there is a scenario of that name on line " + std::to_string(other.line));
        }
        read_.push_back(std::move(s));
        names_ = {};
        expecting_ = open_ladder_ = false;
        block_ = block::none;
        last_time_ = {};
    }

    /// What can only be checked when a scenario is whole.
    void finish(word_line& in) {
        if (read_.empty() || in.failed()) return;
        const std::size_t last_line = std::exchange(line_, now().line); // where a problem would be
        check_whole(now(), in);
        if (!in.failed()) line_ = last_line;
    }

    /// Events of one time keep their order. Not `std::stable_sort`: its buffer is deprecated, and clang says so.
    static void sort_by_time(std::vector<timed_event>& events) {
        std::vector<std::pair<duration, std::size_t>> order;
        for (std::size_t n = 0; n < events.size(); ++n) order.emplace_back(events[n].at, n);
        std::sort(order.begin(), order.end());
        std::vector<timed_event> sorted;
        sorted.reserve(events.size());
        for (const auto& next : order) sorted.push_back(std::move(events[next.second]));
        events.swap(sorted);
    }

    static void check_whole(scenario& s, word_line& in) {
        if (s.run == duration{}) return in.fail("scenario " + s.name + ": expected 'run DURATION'");
        if (s.instances.empty()) return in.fail("scenario " + s.name + ": expected an instance");
        if (s.ladders.empty()) s.ladders.push_back({"three_levels", three_levels.lowered()});
        for (const scenario_ladder& l : s.ladders) {
            if (l.rules.size() == 0) return in.fail("scenario " + s.name + ": ladder " + l.name + " has no rung");
        }
        // A line may be several events, one after the other.
        sort_by_time(s.events);
        if (!s.events.empty() && s.events.back().at > s.run)
            return in.fail("scenario " + s.name + ": line " + std::to_string(s.events.back().line) +
                           " is after the end of its run");
        duration span = s.run; // a controller that stands still lets the world go on
        for (const timed_event& e : s.events) {
            const auto* turn = std::get_if<happening::controller_turn>(&e.what);
            if (turn != nullptr && turn->to == happening::controller_turn::turn::stalls) span += turn->by;
        }
        std::int64_t work = 0;
        const auto add = [&](duration every, std::int64_t times) { work += (span / every + 1) * times; };
        for (const scenario_instance& i : s.instances)
            add(i.how.heartbeat_every, static_cast<std::int64_t>(i.how.services.size()) + 1);
        for (const scenario_alarm& a : s.alarms) add(a.rule.of.period, a.rule.evaluation_periods);
        if (work > most_work) in.fail("scenario " + s.name + ": too much to do (more than 10,000,000 heartbeats)");
    }

    template <class Read>
    void ladder_part(word_line& in, const Read& read) {
        if (now().ladders.empty() || !open_ladder_) return in.fail("expected 'ladder NAME' before its rungs");
        read(now().ladders.back());
    }
    template <class Read>
    void ladder_rule(word_line& in, const Read& read) {
        if (now().ladders.empty()) return in.fail("expected 'ladder NAME' or 'preset NAME' before its rules");
        read(now().ladders.back());
    }

    /// One instance, or as many as its name has numbers; ranges of stacks, groups and hosts take turns, racks take
    /// turns over the hosts, and zones over the racks.
    void instance_line(word_line& in) {
        name_range name = name_range::read(in.next(), "an instance's name", in);
        scenario_instance i;
        name_range stack;
        name_range group;
        name_range host;
        name_range rack;
        name_range zone;
        while (!in.empty() && !in.failed()) {
            if (in.take("stack")) stack = name_range::read(in.next(), "a stack's name", in);
            else if (in.take("group")) group = name_range::read(in.next(), "a group's name", in);
            else if (in.take("host")) host = name_range::read(in.next(), "a host's name", in);
            else if (in.take("rack")) rack = name_range::read(in.next(), "a rack's name", in);
            else if (in.take("zone")) zone = name_range::read(in.next(), "a zone's name", in);
            else if (in.take("priority")) i.priority = in.whole<std::uint8_t>("a priority", 0, 255);
            else if (in.take("services")) services(i, in);
            else if (in.take("keep")) i.keep = assets(in);
            else if (in.take("boot")) i.how.boot_time = in.time("a boot time");
            else if (in.take("heartbeat")) heartbeats(i, in);
            else if (in.take("ladder")) i.ladder = ladder_of(in);
            else
                in.fail("expected stack, group, host, rack, zone, priority, services, keep, boot, heartbeat or ladder, "
                        "found " +
                        word_line::quoted(in.peek()));
        }
        for (std::uint32_t n = 0; n < name.size() && !in.failed(); ++n) {
            i.name = name.at(n);
            i.how.stack = stack.at(n);
            i.group = group.at(n);
            i.how.host = host.at(n);
            const std::uint32_t row = host.ranged() ? n % host.size() : n;
            i.how.rack = rack.at(row);
            i.how.zone = zone.at(rack.ranged() ? row % rack.size() : row);
            add_instance(i, in);
        }
    }

    void add_instance(const scenario_instance& i, word_line& in) {
        if (now().instances.size() == most_instances) return in.fail("expected at most 2,000 instances");
        names_.declare_target(i.name, in);
        for (const std::string& s : i.how.services) names_.declare_target(i.name + "/" + s, in);
        if (!i.how.stack.empty()) names_.declare_stack(i.how.stack, in);
        names_.declare_set("group", i.group.empty() ? i.how.stack : i.group);
        names_.declare_set("host", i.how.host);
        names_.declare_set("rack", i.how.rack);
        names_.declare_set("zone", i.how.zone);
        now().instances.push_back(i);
    }

    /// `A,B`, each with or without a priority, as in `mysqld:5`
    static void services(scenario_instance& i, word_line& in) {
        for (const std::string_view part : split_list(in.next())) {
            if (i.how.services.size() == most_services) return in.fail("expected at most 16 services");
            const std::size_t colon = part.find(':');
            i.how.services.push_back(in.checked_name(part.substr(0, colon), "a service's name"));
            i.priorities.push_back(0);
            if (colon == std::string_view::npos) continue;
            word_line number{part.substr(colon + 1)};
            i.priorities.back() = number.whole<std::uint8_t>("a priority", 0, 255);
            if (number.failed()) in.fail(*number.failed());
        }
    }

    void depends_line(word_line& in) {
        constexpr std::size_t most = 10'000;
        const std::vector<std::string> dependents = names_.targets(in);
        if (!in.take("on")) return in.fail("expected 'on'");
        for (const std::string& on : names_.targets(in)) {
            for (const std::string& d : dependents) {
                if (now().dependencies.size() == most) return in.fail("expected at most 10,000 dependencies");
                now().dependencies.push_back({d, on, line_});
            }
        }
    }

    static void heartbeats(scenario_instance& i, word_line& in) {
        i.how.heartbeats = !in.take("none");
        if (i.how.heartbeats)
            i.how.heartbeat_every = in.time("a period", std::chrono::seconds{1}, std::chrono::hours{24});
    }

    static asset assets(word_line& in) {
        asset all = asset::none;
        if (in.take("none")) return all;
        for (const std::string_view part : split_list(in.next()))
            all = all | in.choose(part, asset_words(), "what to keep");
        return all;
    }

    std::size_t ladder_of(word_line& in) {
        const std::string name = in.name("a ladder's name");
        const std::vector<scenario_ladder>& ladders = now().ladders;
        for (std::size_t n = 0; n < ladders.size(); ++n) {
            if (ladders[n].name == name) return n;
        }
        in.fail("there is no ladder " + word_line::quoted(name) + " above this line");
        return 0;
    }

    void alarm_line(word_line& in) {
        scenario& s = now();
        if (s.alarms.size() == most_instances) return in.fail("expected at most 2,000 alarms");
        scenario_alarm a;
        a.line = line_;
        a.name = in.name("an alarm's name");
        if (!in.take("on")) in.fail("expected 'on'");
        a.target = names_.target(in);
        names_.declare_alarm(a.name, in);
        a.rule.of.statistic.which = in.choice(statistic_words(), "a statistic");
        a.rule.compare.which = in.choice(comparison_words(), "a comparison");
        a.rule.threshold = in.number("a threshold");
        if (!in.take("over")) in.fail("expected 'over'");
        a.rule.of.period = in.time("a period", std::chrono::seconds{1}, std::chrono::hours{24 * 7});
        a.rule.of.align = alignment::watch; // as the alarms of a template are
        a.rule.empty = empty_period::counts_zero;
        while (!in.empty() && !in.failed()) {
            if (in.take("from"))
                a.from_heartbeats =
                    in.choice<bool>({{"heartbeats", true}, {"pushes", false}}, "where samples come from");
            else if (in.take("periods")) a.rule.evaluation_periods = in.whole<std::uint16_t>("periods", 1, 1'440);
            else if (in.take("datapoints"))
                a.rule.datapoints_to_alarm = in.whole<std::uint16_t>("datapoints", 1, 1'440);
            else if (in.take("missing")) a.rule.treat_missing = in.choice(missing_words(), "a treatment");
            else if (in.take("grace")) a.rule.grace = in.time("a grace");
            else if (in.take("align"))
                a.rule.of.align =
                    in.choice<alignment>({{"grid", alignment::grid}, {"watch", alignment::watch}}, "an alignment");
            else if (in.take("empty"))
                a.rule.empty = in.choice<empty_period>(
                    {{"zero", empty_period::counts_zero}, {"missing", empty_period::counts_missing}},
                    "what an empty period is");
            else
                in.fail("expected from, periods, datapoints, missing, grace, align or empty, found " +
                        word_line::quoted(in.peek()));
        }
        if (auto valid = validate(a.rule); !valid) in.fail(to_string(valid.error()));
        s.alarms.push_back(std::move(a));
    }

    /// `I3 I7`
    void violates_line(word_line& in) {
        do {
            const std::string_view word = in.next();
            const std::optional<invariant> which = parse_invariant(word);
            if (!which) return in.fail("expected an invariant, I1 to I12, found " + word_line::quoted(word));
            now().violates.push_back(*which);
        } while (!in.empty());
    }

    void event_line(word_line& in) {
        scenario& s = now();
        const auto at = parse_duration(in.peek());
        event_reader{in, names_, s.ladders, line_, s.events}.read();
        if (in.failed() || !at) return;
        if (*at < last_time_) return in.fail("this time is before the one of the line above");
        last_time_ = *at;
    }

    using block = expectation_reader::block;

    std::vector<scenario> read_;
    declared_names names_;
    std::size_t line_ = 0;
    duration last_time_{};      ///< of the `at` line before
    bool expecting_ = false;    ///< what was expected was begun with
    block block_ = block::none; ///< what the lines below `expect` are
    bool open_ladder_ = false;  ///< the last ladder takes rungs
};

} // namespace detail

/// Reads the scenarios of a file. An error says on which line it is and what was expected there; input of any size and
/// kind is safe to read. Any thread.
[[nodiscard]] inline result<std::vector<scenario>> read_scenarios(std::string_view text) {
    return detail::scenario_reader{}.read(text);
}

} // namespace reheat::inline REHEAT_ABI::testing
