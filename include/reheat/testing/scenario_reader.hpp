// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/recovery/default_rung.hpp>
#include <reheat/testing/scenario.hpp>
#include <reheat/testing/scenario_events.hpp>
#include <reheat/testing/scenario_words.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::testing {

namespace detail {

/// Reads scenarios line by line; the first error ends it.
class scenario_reader {
public:
    static constexpr std::size_t most_bytes = 1U << 20U;
    static constexpr std::size_t most_columns = 400;
    static constexpr std::size_t most_instances = 1'000;
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
        if (expecting_) return expect(in);
        if (in.take("seed")) now().options.seed = in.whole<std::uint64_t>("a seed", 0, UINT64_MAX);
        else if (in.take("option")) option(in);
        else if (in.take("ladder")) ladder_line(in);
        else if (in.take("rung")) rung_line(in);
        else if (in.take("instance")) instance_line(in);
        else if (in.take("alarm")) alarm_line(in);
        else if (in.take("at")) event_line(in);
        else if (in.take("run")) now().run = in.time("how long to run", std::chrono::seconds{1});
        else if (in.take("log")) now().log_all = in.choice<bool>({{"decisions", false}, {"all", true}}, "what to log");
        else if (in.take("expect")) expecting_ = true;
        else
            in.fail("expected seed, option, ladder, rung, instance, alarm, at, run, log, expect or scenario, found " +
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
    }

    /// What can only be checked when a scenario is whole.
    void finish(word_line& in) {
        if (read_.empty() || in.failed()) return;
        const std::size_t last_line = std::exchange(line_, now().line); // where a problem would be
        check_whole(now(), in);
        if (!in.failed()) line_ = last_line;
    }

    static void check_whole(scenario& s, word_line& in) {
        if (s.run == duration{}) return in.fail("scenario " + s.name + ": expected 'run DURATION'");
        if (s.instances.empty()) return in.fail("scenario " + s.name + ": expected an instance");
        if (s.ladders.empty()) s.ladders.push_back({"three_levels", three_levels.lowered()});
        for (const scenario_ladder& l : s.ladders) {
            if (l.rules.size() == 0) return in.fail("scenario " + s.name + ": ladder " + l.name + " has no rung");
        }
        if (!s.events.empty() && s.events.back().at > s.run)
            return in.fail("scenario " + s.name + ": line " + std::to_string(s.events.back().line) +
                           " is after the end of its run");
        std::int64_t work = 0;
        const auto add = [&](duration every, std::int64_t times) { work += (s.run / every + 1) * times; };
        for (const scenario_instance& i : s.instances)
            add(i.how.heartbeat_every, static_cast<std::int64_t>(i.how.services.size()) + 1);
        for (const scenario_alarm& a : s.alarms) add(a.rule.of.period, a.rule.evaluation_periods);
        if (work > most_work) in.fail("scenario " + s.name + ": too much to do (more than 10,000,000 heartbeats)");
    }

    void option(word_line& in) {
        engine_options& o = now().options;
        const word_table<duration engine_options::*> names{{"page_after", &engine_options::page_after},
                                                           {"fence_timeout", &engine_options::fence_timeout},
                                                           {"proof_validity", &engine_options::proof_validity},
                                                           {"read_back_every", &engine_options::read_back_every}};
        const auto member = in.choice(names, "an option");
        const duration value = in.time("a duration", std::chrono::seconds{1});
        if (!in.failed()) o.*member = value;
    }

    void ladder_line(word_line& in) {
        scenario_ladder l;
        l.name = in.name("a ladder's name");
        if (l.name == "three_levels") l.rules = three_levels.lowered();
        if (l.name == "ha_restarter") l.rules = ha_restarter.lowered();
        open_ladder_ = l.rules.size() == 0;
        if (in.take("retry_parked")) l.rules.retry_parked = in.time("a duration", std::chrono::minutes{1});
        for (const scenario_ladder& other : now().ladders) {
            if (other.name == l.name) in.fail("there is a ladder of that name");
        }
        if (now().ladders.size() >= 100) in.fail("expected at most 100 ladders");
        now().ladders.push_back(std::move(l));
    }

    void rung_line(word_line& in) {
        if (now().ladders.empty() || !open_ladder_) return in.fail("expected 'ladder NAME' before its rungs");
        policy& rules = now().ladders.back().rules;
        const operation what = in.choice(operation_words(), "a rung");
        const std::optional<rung> known = default_rung(what);
        if (in.failed()) return;
        if (!known) return in.fail("expected a rung, found " + word_line::quoted(to_string(what)));
        rung r = *known;
        const std::uint16_t many = 1'000;
        while (!in.empty() && !in.failed()) {
            if (in.take("attempts")) r.burst.count = in.whole<std::uint16_t>("attempts", 0, many);
            else if (in.take("within")) r.burst.within = in.time("a duration", std::chrono::seconds{1});
            else if (in.take("verify")) r.verify = in.time("a duration", std::chrono::seconds{1});
            else if (in.take("timeout")) r.timeout = in.time("a duration", std::chrono::seconds{1});
            else if (in.take("approval"))
                r.approval =
                    in.choice<consent>({{"none", consent::none}, {"required", consent::required}}, "a consent");
            else if (in.take("sustained")) {
                r.sustained.count = in.whole<std::uint16_t>("a count", 0, many);
                if (!in.take("per")) in.fail("expected 'per'");
                r.sustained.within = in.time("a duration", std::chrono::seconds{1});
            } else
                in.fail("expected attempts, within, sustained, verify, timeout or approval, found " +
                        word_line::quoted(in.peek()));
        }
        if (rules.size() == policy::most_rungs) return in.fail("expected at most 8 rungs");
        rules.add(r);
    }

    void instance_line(word_line& in) {
        scenario& s = now();
        if (s.instances.size() == most_instances) return in.fail("expected at most 1,000 instances");
        scenario_instance i;
        i.name = in.name("an instance's name");
        names_.declare_target(i.name, in);
        while (!in.empty() && !in.failed()) {
            if (in.take("stack")) i.how.stack = in.name("a stack's name");
            else if (in.take("services")) services(i, in);
            else if (in.take("keep")) i.keep = assets(in);
            else if (in.take("boot")) i.how.boot_time = in.time("a boot time");
            else if (in.take("heartbeat")) heartbeats(i, in);
            else if (in.take("ladder")) i.ladder = ladder_of(in);
            else
                in.fail("expected stack, services, keep, boot, heartbeat or ladder, found " +
                        word_line::quoted(in.peek()));
        }
        if (!i.how.stack.empty()) names_.declare_stack(i.how.stack, in);
        s.instances.push_back(std::move(i));
    }

    void services(scenario_instance& i, word_line& in) {
        for (const std::string_view part : split_list(in.next())) {
            if (i.how.services.size() == most_services) return in.fail("expected at most 16 services");
            i.how.services.push_back(in.checked_name(part, "a service's name"));
            names_.declare_target(i.name + "/" + i.how.services.back(), in);
        }
    }

    void heartbeats(scenario_instance& i, word_line& in) {
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
        if (s.alarms.size() == most_instances) return in.fail("expected at most 1,000 alarms");
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

    void event_line(word_line& in) {
        scenario& s = now();
        timed_event e = read_event(in, names_, line_);
        if (!s.events.empty() && e.at < s.events.back().at)
            return in.fail("this time is before the one of the line above");
        s.events.push_back(std::move(e));
    }

    void expect(word_line& in) {
        expected_line e;
        e.line = line_;
        const std::string_view when = in.next();
        const std::size_t dots = when.find("..");
        e.what.at = e.latest = in.parsed_time(when.substr(0, dots), "a time");
        if (dots != std::string_view::npos) e.latest = in.parsed_time(when.substr(dots + 2), "a time", e.what.at);
        if (!now().expected.empty() && e.what.at < now().expected.back().what.at)
            in.fail("this time is before the one of the line above");
        if (!in.take("-")) e.what.target = names_.target(in);
        if (!in.take("-")) e.what.rung = in.choice(operation_words(), "a rung or -");
        e.what.what = in.choice(decision_words(), "a decision");
        if (!in.take("-")) e.what.why = in.choice(reason_words(), "a reason or -");
        now().expected.push_back(std::move(e));
    }

    std::vector<scenario> read_;
    declared_names names_;
    std::size_t line_ = 0;
    bool expecting_ = false;
    bool open_ladder_ = false; ///< the last ladder takes rungs
};

} // namespace detail

/// Reads the scenarios of a file. An error says on which line it is and what was expected there; input of any size and
/// kind is safe to read. Any thread.
[[nodiscard]] inline result<std::vector<scenario>> read_scenarios(std::string_view text) {
    return detail::scenario_reader{}.read(text);
}

} // namespace reheat::inline REHEAT_ABI::testing
