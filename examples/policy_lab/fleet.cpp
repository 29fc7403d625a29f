// SPDX-License-Identifier: MIT
#include "fleet.hpp"

#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/core/json_path.hpp>
#include <reheat/core/text.hpp>

#include "../common/read_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace policy_lab {

namespace {

using reheat::asset;
using reheat::errc;
using reheat::error;
using reheat::json_path;
using reheat::node;

/// Reads the members of one object; the first error of all is kept.
class reader {
public:
    reader(const node& object, const json_path& at, std::optional<error>& failed)
        : object_{object}, at_{at}, failed_{failed} {
        if (!object.is_object()) fail(at, "expected an object");
    }
    void whole(std::string_view name, std::uint32_t& out, std::uint32_t most) {
        const node* const value = find(name);
        if (value == nullptr) return;
        const std::string& text = value->text();
        std::uint32_t n = 0;
        const auto read = std::from_chars(text.data(), text.data() + text.size(), n);
        const bool good = value->type() == node::kind::number && read.ec == std::errc{} &&
                          read.ptr == text.data() + text.size() && n <= most;
        if (good) out = n;
        else fail(at_.member(name), "expected a whole number from 0 to " + std::to_string(most));
    }
    void flag(std::string_view name, bool& out) {
        const node* const value = find(name);
        if (value == nullptr) return;
        if (value->type() != node::kind::boolean) return fail(at_.member(name), "expected true or false");
        out = value->text() == "true";
    }
    void text(std::string_view name, std::string& out) {
        const node* const value = find(name);
        if (value == nullptr) return;
        if (!value->is_string()) return fail(at_.member(name), "expected a text");
        out = value->text();
    }
    void time(std::string_view name, reheat::duration& out) {
        std::string written;
        text(name, written);
        if (written.empty()) return;
        const auto read = reheat::parse_duration(written);
        const bool good = read && *read > reheat::duration::zero() && *read <= std::chrono::hours{1};
        if (good) out = *read;
        else fail(at_.member(name), "expected a duration with its unit, of at most 1h, as 60s");
    }
    void assets(std::string_view name, asset& out) {
        static constexpr std::array<std::pair<std::string_view, asset>, 5> words{
            {{"volumes", asset::volumes},
             {"fixed_addresses", asset::fixed_addresses},
             {"public_addresses", asset::public_addresses},
             {"ephemeral_disk", asset::ephemeral_disk},
             {"identity", asset::identity}}};
        const node* const value = find(name);
        if (value == nullptr) return;
        const json_path at = at_.member(name);
        if (!value->is_array()) return fail(at, "expected a list");
        out = asset::none;
        for (std::size_t n = 0; n < value->items().size(); ++n) {
            const node& item = value->items()[n];
            const auto is = [&item](const auto& w) { return item.is_string() && item.text() == w.first; };
            const auto* const found = std::find_if(words.begin(), words.end(), is);
            if (found == words.end())
                return fail(at.item(n),
                            "expected volumes, fixed_addresses, public_addresses, ephemeral_disk or identity");
            out = out | found->second;
        }
    }
    [[nodiscard]] const node* find(std::string_view name) {
        known_.emplace_back(name);
        return failed_ ? nullptr : object_.find(name);
    }
    /// What was never asked for is a slip of the writer.
    void refuse_the_rest() {
        for (const auto& [name, value] : object_.members()) {
            if (std::find(known_.begin(), known_.end(), name) == known_.end())
                return fail(at_.member(name), "is not known here");
        }
    }
    void fail(const json_path& at, std::string what) {
        if (!failed_) failed_ = at.error(errc::invalid_argument, std::move(what));
    }

private:
    const node& object_;
    const json_path& at_;
    std::optional<error>& failed_;
    std::vector<std::string> known_;
};

instance_group group_of(const node& from, const json_path& at, std::optional<error>& failed) {
    instance_group g;
    reader in{from, at, failed};
    in.text("name", g.name);
    in.whole("instances", g.instances, most_instances);
    in.whole("stacks", g.stacks, most_instances);
    in.whole("services", g.services, reheat::sim::most_processes);
    in.whole("volumes", g.volumes, 16);
    g.keep = g.volumes == 0 ? asset::fixed_addresses : asset::fixed_addresses | asset::volumes;
    in.assets("keep", g.keep);
    in.flag("heals_itself", g.heals_itself);
    in.whole("priority", g.priority, 255);
    in.refuse_the_rest();
    if (g.stacks == 0) in.fail(at.member("stacks"), "expected at least 1");
    return g;
}

} // namespace

std::vector<instance_group> plain_groups(std::uint32_t instances, std::uint32_t services, std::uint32_t stacks) {
    instance_group with{"with a volume",
                        instances - instances / 2,
                        (stacks + 1) / 2,
                        services,
                        1,
                        asset::volumes | asset::fixed_addresses};
    instance_group without{"without", instances / 2, (std::max)(stacks / 2, 1U), services, 0, asset::fixed_addresses};
    return {std::move(with), std::move(without)};
}

reheat::result<fleet_shape> read_fleet(const std::string& path) {
    const auto text = common::read_file(path, reheat::read_limits{}.bytes);
    if (!text) return common::located(path, text.error());
    const auto root = reheat::nlohmann_json{}.read(*text);
    if (!root) return common::located(path, root.error());
    fleet_shape out;
    std::optional<error> failed;
    const json_path top;
    reader in{*root, top, failed};
    in.whole("hosts", out.hosts, most_hosts);
    in.whole("racks", out.racks, most_hosts);
    in.whole("zones", out.zones, most_hosts);
    in.time("boot", out.boot);
    const json_path at = top.member("groups");
    if (const node* const groups = in.find("groups"); groups != nullptr && groups->is_array()) {
        for (std::size_t n = 0; n < groups->items().size(); ++n)
            out.groups.push_back(group_of(groups->items()[n], at.item(n), failed));
    } else {
        in.fail(at, "expected a list of groups of instances");
    }
    in.refuse_the_rest();
    if (failed) return common::located(path, *failed);
    if (const auto plan = plan_of(out); !plan) return common::located(path, plan.error());
    return out;
}

reheat::result<reheat::sim::fleet_plan> plan_of(const fleet_shape& shape) {
    const auto refuse = [](std::string why) { return error{errc::invalid_argument, {}, std::move(why)}; };
    const auto divides = [](std::uint32_t all, std::uint32_t into) { return into != 0 && all % into == 0; };
    if (shape.hosts == 0 || shape.hosts > most_hosts)
        return refuse("expected 1 to " + std::to_string(most_hosts) + " hosts");
    if (!divides(shape.hosts, shape.racks))
        return refuse(std::to_string(shape.hosts) + " hosts do not divide into " + std::to_string(shape.racks) +
                      " racks");
    if (!divides(shape.racks, shape.zones))
        return refuse(std::to_string(shape.racks) + " racks do not divide into " + std::to_string(shape.zones) +
                      " zones");
    reheat::sim::fleet_plan plan;
    plan.zones = shape.zones;
    plan.racks_in_zone = shape.racks / shape.zones;
    plan.hosts_in_rack = shape.hosts / shape.racks;
    plan.boot_time = shape.boot;
    plan.stacks = 0;
    for (const instance_group& g : shape.groups) {
        for (std::uint32_t n = 0; n < g.instances; ++n) {
            if (plan.machines.size() == most_instances)
                return refuse("expected at most " + std::to_string(most_instances) + " instances");
            reheat::sim::machine_plan m;
            m.stack = plan.stacks + n % g.stacks;
            m.host = static_cast<std::uint32_t>(plan.machines.size() % shape.hosts);
            m.processes = static_cast<std::uint8_t>(g.services);
            m.volumes = static_cast<std::uint8_t>(g.volumes);
            m.stateful = g.volumes != 0;
            m.heals_itself = g.heals_itself;
            m.keep = g.keep;
            m.priority = static_cast<std::uint8_t>(g.priority);
            plan.machines.push_back(m);
        }
        plan.stacks += g.stacks;
    }
    if (plan.machines.empty()) return refuse("there are no instances");
    // A host takes half as many again as it has: what a fallen one leaves finds room.
    const auto all = static_cast<std::uint32_t>(plan.machines.size());
    plan.room = (all / shape.hosts + 1) * 3 / 2 + 1;
    return plan;
}

} // namespace policy_lab
