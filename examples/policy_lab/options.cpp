// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <reheat/core/text.hpp>

#include "../common/command_line.hpp"
#include "contestant.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <thread>

namespace policy_lab {

std::variant<options, int> read_options(int argc, char** argv) {
    options out;
    out.presets = usual_presets();
    out.jobs = (std::max)(1U, std::thread::hardware_concurrency());
    std::string fleet;
    std::string faults;
    std::string human = "30m";
    std::uint32_t instances = 100;
    std::uint32_t services = 2;
    std::uint32_t stacks = 10;

    CLI::App app{
        "What a recovery policy would cost and save: yours and others, on one fleet, through the same simulated "
        "faults."};
    app.name("policy_lab");
    app.add_option("--policy", out.policies, "A policy file, JSON, to compare; may be given many times")
        ->type_name("FILE")
        ->allow_extra_args(false)
        ->take_all();
    app.add_option("--against", out.presets,
                   "Presets to compare with, separated by commas, or none. Known are " + known_presets())
        ->type_name("NAMES")
        ->delimiter(',')
        ->capture_default_str();
    auto* file = app.add_option("--fleet", fleet, "A fleet file, JSON, in place of the next six")->type_name("FILE");
    const auto number = [&app, file](const char* name, std::uint32_t& to, const char* what, std::uint32_t least,
                                     std::uint32_t most) {
        app.add_option(name, to, what)
            ->type_name("N")
            ->check(CLI::Range(least, most).description(""))
            ->excludes(file)
            ->capture_default_str();
    };
    number("--instances", instances, "Half of them keep a volume, all keep their addresses", 1, most_instances);
    number("--services", services, "Of each instance", 0, reheat::sim::most_processes);
    number("--stacks", stacks, "That the instances are spread over", 1, most_instances);
    number("--hosts", out.fleet.hosts, "That they run on", 1, most_hosts);
    number("--racks", out.fleet.racks, "Of the hosts", 1, most_hosts);
    number("--zones", out.fleet.zones, "Of the racks", 1, most_hosts);
    app.add_option("--days", out.days, "How long, for each policy")
        ->type_name("N")
        ->check(CLI::Range(1U, 1'000'000U).description(""))
        ->capture_default_str();
    app.add_option("--seed", out.seed, "Other faults, as likely as these")->type_name("N")->capture_default_str();
    app.add_option(
           "--faults", faults,
           "Faults a year of what they hit, as guest_freezes=2,host_goes_dark=0; others as they are, or 0 after "
           "none")
        ->type_name("RATES");
    bool list = false;
    app.add_flag("--list-faults", list, "Print the kinds, their rates, what they hit, and exit");
    app.add_option("--human", human, "How long until somebody reads a page and comes: half of it to twice as long")
        ->type_name("DURATION")
        ->capture_default_str();
    app.add_flag("!--no-host-monitor", out.host_monitor,
                 "Nobody makes sure within 3 min that a host without power is dead, and tells the controller");
    app.add_option("--html", out.html, "Write a page with plots")->type_name("FILE");
    app.add_option("--jobs", out.jobs, "Threads [one for each core]")
        ->type_name("N")
        ->check(CLI::Range(1U, 256U).description(""));
    app.footer("The same seed gives the same faults to every policy, and the same output, with any number of jobs.\n"
               "Exit codes: 0 done, 1 a promise was broken (a second copy, say), 2 bad command line or file.");
    if (const auto code = common::parse(app, argc, argv)) return *code;
    const auto complain = [&app](std::string_view what) { return common::complain(app, what); };
    if (auto changed = out.rates.change(faults); !changed) return complain("--faults: " + to_string(changed.error()));
    if (list) {
        const std::string all = out.rates.text();
        std::fwrite(all.data(), 1, all.size(), stdout);
        return 0;
    }
    const auto length = reheat::parse_duration(human);
    if (!length) return complain("--human: " + to_string(length.error()));
    if (*length < std::chrono::seconds{1} || *length > std::chrono::hours{12})
        return complain("--human: expected 1s to 12h");
    out.human = *length;
    if (out.presets.size() == 1 && out.presets.front() == "none") out.presets.clear();
    if (fleet.empty()) {
        out.fleet.groups = plain_groups(instances, services, stacks);
        if (const auto plan = plan_of(out.fleet); !plan) return complain(to_string(plan.error()));
        return out;
    }
    auto read = read_fleet(fleet);
    if (!read) return complain(to_string(read.error()));
    out.fleet = std::move(*read);
    return out;
}

} // namespace policy_lab
