// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <reheat/core/text.hpp>

#include "../common/command_line.hpp"

#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace heat_ha {

namespace {

/// Argument texts may hold secrets, so an argument that nobody wants is not repeated, unless it looks like an option.
int complain_of_extras(const CLI::App& app) {
    for (const std::string& extra : app.remaining()) {
        if (extra.starts_with('-')) return common::complain(app, "unknown option " + extra.substr(0, extra.find('=')));
    }
    return common::complain(app, "unexpected argument");
}

bool can_be_run(const std::string& program) {
    struct stat found{};
    return ::stat(program.c_str(), &found) == 0 && S_ISREG(found.st_mode) && ::access(program.c_str(), X_OK) == 0;
}

/// Where time begins anew with every start, and in the shadow, there is nothing to go on with.
std::string default_journal(const options& from) {
    if (from.clock != clock_kind::system || from.shadow) return {};
    const std::string beside = from.template_file.substr(0, from.template_file.rfind('/') + 1);
    return common::state_folder(beside) + from.stack + ".journal";
}

} // namespace

std::variant<options, int> read_options(int argc, char** argv) {
    options out;
    std::vector<std::string> parameters;
    std::vector<std::string> failures;
    std::string run_for;
    std::string grace;

    CLI::App app{"Runs an instance of a Heat template and recovers it: Heat's own guest tools report to it."};
    app.name("heat_ha");
    common::add_version_flag(app);
    app.allow_extras();
    app.add_option("--template", out.template_file, "The template, JSON")->type_name("FILE");
    app.add_option("--parameter", parameters, "A parameter of the template; may be given many times")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false)
        ->take_all();
    app.add_option("--stack", out.stack, "The name of the stack")->type_name("NAME")->capture_default_str();
    app.add_option("--driver", out.driver, "The cloud: mock, in this process; or remote-mock, a tools/mock_cloud")
        ->type_name("NAME")
        ->check(CLI::IsMember({"mock", "remote-mock"}).description(""))
        ->capture_default_str();
    app.add_option("--cloud", out.cloud, "The socket of the mock cloud, with --driver remote-mock")
        ->type_name("SOCKET");
    auto* journal =
        app.add_option("--journal", out.journal,
                       "The file of what was decided, or none: what is forgotten with the program. With the "
                       "system's clock STACK.journal in $STATE_DIRECTORY or beside the template, else none")
            ->type_name("FILE");
    app.add_option("--listen", out.listen, "Where guests are heard; loopback only")
        ->type_name("ADDRESS")
        ->capture_default_str();
    app.add_option("--cloudwatch-port", out.cloudwatch_port, "For heartbeats; 0 takes a free one")
        ->type_name("N")
        ->capture_default_str();
    app.add_option("--cfn-port", out.cfn_port, "For signals; 0 takes a free one")
        ->type_name("N")
        ->capture_default_str();
    app.add_option("--clock", out.clock, "system, scaled (real time, faster) or manual (moved by `advance`)")
        ->type_name("NAME")
        ->transform(common::choice<clock_kind>(
            {{"system", clock_kind::system}, {"scaled", clock_kind::scaled}, {"manual", clock_kind::manual}}));
    auto* scale = app.add_option("--time-scale", out.time_scale, "How many times faster, with --clock scaled")
                      ->type_name("X")
                      ->check(CLI::Range(0.001, 1e6).description(""))
                      ->capture_default_str();
    app.add_option("--control", out.control,
                   "A Unix socket for `heat_ha ctl`; also takes lines: advance DURATION, status, approve TARGET, quit")
        ->type_name("SOCKET");
    app.add_option("--page-program", out.page_program,
                   "A program that is run for each notification, JSON on its standard input, until it exits with 0")
        ->type_name("FILE");
    auto* ladder =
        app.add_option("--ladder", out.ladder,
                       "ha_restarter (fence, re-create) or three_levels (reboot, re-create, converge the stack)")
            ->type_name("NAME")
            ->transform(common::choice<ladder_kind>(
                {{"ha_restarter", ladder_kind::ha_restarter}, {"three_levels", ladder_kind::three_levels}}));
    app.add_option("--policy", out.policy, "A policy file, JSON: its ladder in place of --ladder, and its limits")
        ->type_name("FILE")
        ->excludes(ladder);
    app.add_flag("--strict-policy", out.strict_policy, "What lint finds in a policy is an error, not a warning");
    app.add_option("--check-policy", out.check_policy,
                   "Only check that policy file, and exit: 0 clean, 1 findings, 2 not readable")
        ->type_name("FILE");
    app.add_flag("--shadow", out.shadow, "Decide and call nothing: events tell what it would do");
    app.add_option("--grace", grace, "How long an alarm that has never heard anything says nothing [10m]")
        ->type_name("DURATION");
    app.add_flag("--simulate-guests", out.simulate_guests, "Guests in this process signal and send heartbeats");
    common::add_events_option(app, out.events);
    app.add_option("--run-for", run_for, "End after that long, as 90s or 1h30m")->type_name("DURATION");
    app.add_option("--fail", failures,
                   "The mock cloud kills that instance so long after the start; may be given many times")
        ->type_name("INSTANCE@DURATION")
        ->allow_extra_args(false)
        ->take_all();
    app.footer("heat_ha ctl --help: an operator's words to a running one.\n"
               "All durations and times are the program's own: scaled or moved by hand.\n"
               "Exit codes: 0 done, 1 failed while running, 2 bad command line, template or policy,\n"
               "3 the journal can not be opened, 4 the cloud can not be reached.");

    if (const auto code = common::parse(app, argc, argv)) return *code;
    const auto complain = [&app](std::string_view what) { return common::complain(app, what); };
    if (app.remaining_size() != 0) return complain_of_extras(app);
    if (out.template_file.empty() && out.check_policy.empty()) return complain("--template is required");
    if (!out.page_program.empty() && !can_be_run(out.page_program))
        return complain("--page-program: " + out.page_program + " cannot be executed");
    const bool remote = out.driver == "remote-mock";
    if (remote != !out.cloud.empty())
        return complain(remote ? "--driver remote-mock: needs --cloud" : "--cloud: needs --driver remote-mock");
    if (remote && !failures.empty()) return complain("--fail: the cloud is told to, not with --driver remote-mock");
    if (journal->count() == 0) out.journal = default_journal(out);
    else if (out.journal.empty()) return complain("--journal: expected a file, or none");
    else if (out.journal == "none") out.journal.clear();
    if (scale->count() != 0 && out.clock != clock_kind::scaled) return complain("--time-scale: needs --clock scaled");

    for (const std::string& p : parameters) {
        const std::size_t mark = p.find('=');
        if (mark == std::string::npos || mark == 0) return complain("--parameter: expected KEY=VALUE");
        out.parameters.emplace_back(p.substr(0, mark), p.substr(mark + 1));
    }
    for (const std::string& f : failures) {
        const std::size_t mark = f.rfind('@');
        if (mark == std::string::npos || mark == 0)
            return complain("--fail: expected INSTANCE@DURATION, found '" + f + "'");
        const auto at = reheat::parse_duration(std::string_view{f}.substr(mark + 1));
        if (!at) return complain("--fail: " + to_string(at.error()));
        out.failures.push_back({f.substr(0, mark), *at});
    }
    if (!grace.empty()) {
        const auto length = reheat::parse_duration(grace);
        if (!length) return complain("--grace: " + to_string(length.error()));
        if (*length < reheat::duration::zero()) return complain("--grace: expected no less than 0s");
        out.grace = *length;
    }
    if (!run_for.empty()) {
        const auto length = reheat::parse_duration(run_for);
        if (!length) return complain("--run-for: " + to_string(length.error()));
        out.run_for = *length;
    }
    return out;
}

} // namespace heat_ha
