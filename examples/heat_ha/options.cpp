// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <reheat/core/text.hpp>
#include <reheat/version.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace heat_ha {

namespace {

template <class Enum>
auto choice(std::map<std::string, Enum> names) {
    return CLI::CheckedTransformer(std::move(names)).description("");
}

int complain(std::string_view what) {
    std::fprintf(stderr, "heat_ha: %.*s\nTry heat_ha --help\n", static_cast<int>(what.size()), what.data());
    return 2;
}

/// Argument texts may hold secrets, so an argument that nobody wants is not repeated, unless it looks like an option.
int complain_of_extras(const CLI::App& app) {
    for (const std::string& extra : app.remaining()) {
        if (extra.starts_with('-')) return complain("unknown option " + extra.substr(0, extra.find('=')));
    }
    return complain("unexpected argument");
}

bool can_be_run(const std::string& program) {
    struct stat found{};
    return ::stat(program.c_str(), &found) == 0 && S_ISREG(found.st_mode) && ::access(program.c_str(), X_OK) == 0;
}

/// Where time begins anew with every start, and in the shadow, there is nothing to go on with.
std::string default_journal(const options& from) {
    if (from.clock != clock_kind::system || from.shadow) return {};
    std::string folder;
    if (const char* const given = std::getenv("STATE_DIRECTORY"); given != nullptr && *given != '\0') {
        folder = given;
        folder.resize((std::min)(folder.find(':'), folder.size())); // the first of several
        folder += '/';
    } else {
        folder = from.template_file.substr(0, from.template_file.rfind('/') + 1);
    }
    return folder + from.stack + ".journal";
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
    app.set_version_flag("--version", std::string{"heat_ha "} + std::to_string(REHEAT_VERSION_MAJOR) + '.' +
                                          std::to_string(REHEAT_VERSION_MINOR) + '.' +
                                          std::to_string(REHEAT_VERSION_PATCH));
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
        ->transform(choice<clock_kind>(
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
            ->transform(choice<ladder_kind>(
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
    app.add_option("--events", out.events, "text or json, a line each on stdout")
        ->type_name("FORMAT")
        ->transform(choice<event_format>({{"text", event_format::text}, {"json", event_format::json}}));
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

    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
        return app.exit(asked);
    } catch (const CLI::ParseError& e) {
        return complain(e.what());
    }
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
