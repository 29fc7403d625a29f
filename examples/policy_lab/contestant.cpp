// SPDX-License-Identifier: MIT
#include "contestant.hpp"

#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/recovery/peers.hpp>

#include "../common/read_file.hpp"
#include "options.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace policy_lab {

namespace {

using reheat::errc;
using reheat::error;

struct preset {
    std::string_view name;
    std::string_view what;
    reheat::policy rules;
    reheat::limits bounds;
};

constexpr preset from(std::string_view name, std::string_view what, const reheat::peer_preset& p) {
    return {name, what, p.rules, p.bounds};
}

constexpr std::array presets{
    preset{"three_levels",
           "restart the service, reboot, re-create, converge the stack",
           reheat::three_levels.lowered(),
           {}},
    preset{"ha_restarter", "fence and re-create", reheat::ha_restarter.lowered(), {}},
    from("heat", "like OpenStack Heat's HARestarter: re-create, always, at once", reheat::peer::heat()),
    from("masakari", "like OpenStack Masakari: evacuate", reheat::peer::masakari()),
    from("instance_ha", "like Red Hat's InstanceHA: evacuate once", reheat::peer::instance_ha()),
    from("node_health_check", "like medik8s NodeHealthCheck: reboot once, then re-create",
         reheat::peer::node_health_check()),
    from("vmware", "like VMware's VM monitoring: reset, three times an hour", reheat::peer::vmware()),
    from("vmware_host", "like VMware HA for hosts: start elsewhere, five times", reheat::peer::vmware_host()),
    from("otp", "like an Erlang/OTP supervisor: restart, then reboot", reheat::peer::otp()),
    from("systemd", "like systemd: restart, five times in ten seconds", reheat::peer::systemd()),
    from("fabric_healer", "like FabricHealer: reboot, rebuild, evacuate, a human", reheat::peer::fabric_healer()),
};

/// `path/to/mine.json` is `mine`.
std::string name_of(const std::string& path) {
    std::string name = path.substr(path.rfind('/') + 1);
    if (name.size() > 5 && name.ends_with(".json")) name.resize(name.size() - 5);
    return name;
}

reheat::result<contestant> from_file(const std::string& path) {
    const auto text = common::read_file(path, reheat::read_limits{}.bytes);
    if (!text) return common::located(path, text.error());
    auto read = reheat::read_policy(*text, reheat::nlohmann_json{});
    if (!read) return common::located(path, read.error());
    contestant c;
    c.name = name_of(path);
    c.what = "the policy in " + path;
    c.own = true;
    c.file = std::make_unique<const reheat::policy_file>(std::move(*read));
    c.rules = c.file->rules();
    c.bounds = c.file->bounds();
    return c;
}

} // namespace

std::vector<std::string> usual_presets() {
    return {"three_levels", "ha_restarter", "heat", "node_health_check", "vmware"};
}

std::string known_presets() {
    std::string out;
    for (const preset& p : presets) out += (out.empty() ? "" : ", ") + std::string{p.name};
    return out;
}

reheat::result<std::vector<contestant>> contestants_of(const options& given) {
    std::vector<contestant> out;
    for (const std::string& path : given.policies) {
        auto c = from_file(path);
        if (!c) return c.error();
        out.push_back(std::move(*c));
    }
    for (const std::string& name : given.presets) {
        const auto* const found =
            std::find_if(presets.begin(), presets.end(), [&name](const preset& p) { return p.name == name; });
        if (found == presets.end())
            return error{errc::not_found, "--against " + name, "is no preset; known are " + known_presets()};
        out.push_back({name, std::string{found->what}, found->rules, found->bounds, false, nullptr});
    }
    if (out.empty()) return error{errc::invalid_argument, "--against none", "leaves nothing to compare"};
    return out;
}

} // namespace policy_lab
