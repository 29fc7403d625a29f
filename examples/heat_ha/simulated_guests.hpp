// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/guest/http.hpp>
#include <reheat/stack/creation.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heat_ha {

/// The guests of a stack, in this process: after each boot they signal the wait conditions that their template names,
/// and with each heartbeat they report to the alarms that wait for heartbeats. They make the requests that Heat's tools
/// make.
class simulated_guests {
public:
    explicit simulated_guests(const reheat::stack_creation& stack) : stack_{&stack} {
        const reheat::stack_template& from = stack.loaded();
        for (const reheat::template_resource& r : from.resources()) {
            if (r.type->kind != reheat::resource_kind::instance) continue;
            machine m{physical_name(from.identity(), r.name), {}, {}, 0};
            for (const reheat::template_resource& other : from.resources()) {
                if (other.type->kind == reheat::resource_kind::wait_condition &&
                    std::find(r.depends_on.begin(), r.depends_on.end(), other.linked("Handle")) != r.depends_on.end())
                    m.conditions.push_back(&other);
                if (other.type->kind == reheat::resource_kind::alarm && watches(other, r.name))
                    m.alarms.push_back(&other);
            }
            machines_.push_back(std::move(m));
        }
    }

    /// One heartbeat of a machine that has booted so many times: `signal` and `push` are called with the requests.
    template <class Signal, class Push>
    void beat(std::string_view name, std::string_view cloud_id, std::uint32_t boots, Signal&& signal, Push&& push) {
        for (machine& m : machines_) {
            if (m.name != name) continue;
            if (std::exchange(m.signalled, boots) != boots) {
                for (const reheat::template_resource* condition : m.conditions)
                    signal_all(*condition, cloud_id, signal);
            }
            for (const reheat::template_resource* alarm : m.alarms)
                push(heartbeat(stack_->ref(alarm->name)->text(), cloud_id));
        }
    }

private:
    struct machine {
        std::string name;
        std::vector<const reheat::template_resource*> conditions;
        std::vector<const reheat::template_resource*> alarms;
        std::uint32_t signalled;
    };

    [[nodiscard]] bool watches(const reheat::template_resource& alarm, std::string_view instance) const {
        if (property(alarm, "MetricName") != "Heartbeat") return false;
        for (const reheat::resource_link& link : alarm.links) {
            if (link.property == "AlarmActions" && stack_->loaded().instance_of(link.target) == instance) return true;
        }
        return false;
    }

    /// A property that is known before anything exists; empty text if there is none.
    [[nodiscard]] std::string property(const reheat::template_resource& of, std::string_view name) const {
        const reheat::node* const value = of.properties.find(name);
        if (value == nullptr) return {};
        const reheat::json_path nowhere;
        const auto resolved = reheat::function_resolver<reheat::stack_creation>{*stack_}.resolve(*value, nowhere);
        return resolved ? resolved->text() : std::string{};
    }

    template <class Signal>
    void signal_all(const reheat::template_resource& condition, std::string_view cloud_id, Signal&& signal) const {
        const std::string url = stack_->ref(condition.linked("Handle"))->text();
        const std::string count = property(condition, "Count");
        const unsigned long wanted = count.empty() ? 1 : std::strtoul(count.c_str(), nullptr, 10);
        for (unsigned long n = 0; n < wanted; ++n) {
            const std::string id = std::string{cloud_id} + (n == 0 ? "" : '/' + std::to_string(n));
            signal(reheat::guest::request{"PUT",
                                          url.substr(url.find("/v1/")),
                                          {},
                                          R"({"Status": "SUCCESS", "Reason": "Configuration Complete", "UniqueId": ")" +
                                              id + R"(", "Data": "simulated"})"});
        }
    }

    [[nodiscard]] static reheat::guest::request heartbeat(std::string_view alarm, std::string_view cloud_id) {
        const std::string member = "MetricData.member.1.";
        const std::string dimension = '&' + member + "Dimensions.member.";
        return {"POST",
                "/v1/",
                {},
                "Action=PutMetricData" + dimension + "1.Name=InstanceId" + dimension +
                    "1.Value=" + reheat::percent_encode(cloud_id) + dimension + "2.Name=AlarmName" + dimension +
                    "2.Value=" + reheat::percent_encode(alarm) + '&' + member + "MetricName=Heartbeat&" + member +
                    "Unit=Counter&" + member + "Value=1&Namespace=system%2Flinux&Version=2010-08-01"};
    }

    const reheat::stack_creation* stack_;
    std::vector<machine> machines_;
};

} // namespace heat_ha
