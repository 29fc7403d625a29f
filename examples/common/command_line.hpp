// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/version.hpp>

#include "event_format.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace common {

inline constexpr int bad_command_line = 2;

/// Says on stderr what is wrong with the command line, and with which code to exit.
inline int complain(const CLI::App& app, std::string_view what) {
    std::fprintf(stderr, "%s: %.*s\nTry %s --help\n", app.get_name().c_str(), static_cast<int>(what.size()),
                 what.data(), app.get_name().c_str());
    return bad_command_line;
}

/// The code to exit with, unless the program goes on: 0 after `--help`, 2 for a bad command line, which was told.
inline std::optional<int> parse(CLI::App& app, int argc, char** argv) {
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
        return app.exit(asked);
    } catch (const CLI::ParseError& e) {
        return complain(app, e.what());
    }
    return std::nullopt;
}

inline void add_version_flag(CLI::App& app) {
    app.set_version_flag("--version", app.get_name() + ' ' + std::to_string(REHEAT_VERSION_MAJOR) + '.' +
                                          std::to_string(REHEAT_VERSION_MINOR) + '.' +
                                          std::to_string(REHEAT_VERSION_PATCH));
}

/// For an option that takes one of some words.
template <class Enum>
auto choice(std::map<std::string, Enum> names) {
    return CLI::CheckedTransformer(std::move(names)).description("");
}

inline void add_events_option(CLI::App& app, event_format& to) {
    app.add_option("--events", to, "text or json, a line each on stdout")
        ->type_name("FORMAT")
        ->transform(choice<event_format>({{"text", event_format::text}, {"json", event_format::json}}));
}

/// Where the system's services keep their state, with a slash at its end; without such a place `otherwise`.
inline std::string state_folder(std::string otherwise) {
    const char* const given = std::getenv("STATE_DIRECTORY");
    if (given == nullptr || *given == '\0') return otherwise;
    const std::string_view folders{given};
    return std::string{folders.substr(0, folders.find(':'))} + '/'; // the first of several
}

} // namespace common
