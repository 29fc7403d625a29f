// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <reheat/core/text.hpp>

#include "../common/command_line.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace libvirt_ha {

namespace {

watched_domain* find(std::vector<watched_domain>& all, std::string_view name) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const watched_domain& d) { return d.name == name; });
    return found == all.end() ? nullptr : &*found;
}

/// A time of at least `least`; the error is told.
bool read_time(const CLI::App& app, const char* option, const std::string& text, reheat::duration least,
               reheat::duration& to) {
    if (text.empty()) return true;
    const auto length = reheat::parse_duration(text);
    if (!length) {
        common::complain(app, std::string{option} + ": " + to_string(length.error()));
        return false;
    }
    if (*length < least) {
        common::complain(app, std::string{option} + ": expected no less than " +
                                  std::to_string(std::chrono::duration_cast<std::chrono::seconds>(least).count()) +
                                  "s");
        return false;
    }
    to = *length;
    return true;
}

} // namespace

std::variant<options, int> read_options(int argc, char** argv) {
    options out;
    std::vector<std::string> domains;
    std::vector<std::string> services;
    std::string period;
    std::string grace;
    std::string look;
    std::string agent_answers;
    std::string guest_obeys;

    CLI::App app{"Looks after domains of a libvirt: what falls silent, crashes or disappears is recovered."};
    app.name("libvirt_ha");
    common::add_version_flag(app);
    app.add_option("--connect", out.connect, "The libvirt")->type_name("URI")->capture_default_str();
    app.add_option("--owner", out.owner, "Whose the domains are, by a mark in their descriptions; one for each program")
        ->type_name("NAME")
        ->capture_default_str();
    app.add_option("--domain", domains, "A domain to look after; may be given many times. Others are never touched")
        ->type_name("NAME")
        ->allow_extra_args(false)
        ->take_all();
    app.add_option("--service", services,
                   "A service that beats in a domain, as the guest's service manager knows it; may be given many times")
        ->type_name("DOMAIN/NAME")
        ->allow_extra_args(false)
        ->take_all();
    auto* journal = app.add_option("--journal", out.journal,
                                   "The file of what was decided, or none: what is forgotten with the program. Else "
                                   "libvirt_ha.journal in $STATE_DIRECTORY or here")
                        ->type_name("FILE");
    auto* descriptions =
        app.add_option("--descriptions", out.descriptions,
                       "A folder for the domains' descriptions, from which one that is gone is made anew; else "
                       "domains beside the journal, without a journal in memory")
            ->type_name("FOLDER");
    app.add_option("--listen", out.listen, "Where guests are heard; loopback only")
        ->type_name("ADDRESS")
        ->capture_default_str();
    app.add_option("--port", out.port, "For heartbeats; 0 takes a free one")->type_name("N")->capture_default_str();
    app.add_option("--period", period, "So long without a heartbeat, and something is wrong [1m]")
        ->type_name("DURATION");
    app.add_option("--grace", grace, "How long an alarm that has never heard anything says nothing [10m]")
        ->type_name("DURATION");
    app.add_option("--look", look, "How often libvirt is asked for each domain [10s]")->type_name("DURATION");
    app.add_option("--agent-answers", agent_answers, "How long a guest agent may take for a command [10s]")
        ->type_name("DURATION");
    app.add_option("--guest-obeys", guest_obeys,
                   "How long a guest that was asked to reboot may take to begin, before it is reset [30s]")
        ->type_name("DURATION");
    app.add_option("--policy", out.policy,
                   "A policy file, JSON: its ladder and its limits. Else: restart the service, reboot, re-create")
        ->type_name("FILE");
    common::add_events_option(app, out.events);
    app.footer("Exit codes: 0 done, 1 failed while running, 2 bad command line or policy, 3 the journal can not be "
               "opened, 4 libvirt can not be reached or lacks a domain.");

    if (const auto code = common::parse(app, argc, argv)) return *code;
    const auto complain = [&app](std::string_view what) { return common::complain(app, what); };
    for (std::string& name : domains) {
        if (name.empty() || find(out.domains, name) != nullptr)
            return complain("--domain: expected a name, once: '" + name + "'");
        out.domains.push_back({std::move(name), {}});
    }
    if (out.domains.empty()) return complain("--domain is required");
    for (const std::string& s : services) {
        const std::size_t mark = s.find('/');
        watched_domain* const on = mark == std::string::npos ? nullptr : find(out.domains, s.substr(0, mark));
        if (on == nullptr || mark + 1 == s.size())
            return complain("--service: expected DOMAIN/NAME with a DOMAIN that --domain names, found '" + s + "'");
        on->services.push_back(s.substr(mark + 1));
    }
    if (journal->count() == 0) out.journal = common::state_folder({}) + "libvirt_ha.journal";
    else if (out.journal.empty()) return complain("--journal: expected a file, or none");
    else if (out.journal == "none") out.journal.clear();
    if (descriptions->count() == 0 && !out.journal.empty())
        out.descriptions = out.journal.substr(0, out.journal.rfind('/') + 1) + "domains";
    constexpr std::chrono::seconds one{1};
    if (!read_time(app, "--period", period, one, out.period) || !read_time(app, "--look", look, one, out.look) ||
        !read_time(app, "--grace", grace, reheat::duration::zero(), out.grace) ||
        !read_time(app, "--agent-answers", agent_answers, one, out.agent_answers) ||
        !read_time(app, "--guest-obeys", guest_obeys, one, out.guest_obeys))
        return common::bad_command_line;
    return out;
}

} // namespace libvirt_ha
