// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/alarm.hpp>
#include <reheat/core/result.hpp>
#include <reheat/guest/cloudwatch.hpp>
#include <reheat/recovery/target.hpp>

#include "options.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace libvirt_ha {

/// What is looked after: each domain as an instance, its services on it, and an alarm for whatever beats. It takes what
/// guests report: an alarm has the name of its target, `db-1` or `db-1/mysqld`, as in
/// `cfn-push-stats --watch db-1/mysqld --heartbeat`.
template <class Pipeline>
class fleet {
public:
    explicit fleet(Pipeline& ha) noexcept : ha_{&ha} {}

    /// Makes the targets and watches them. Errors: what the pipeline refuses.
    reheat::result<void> add(const options& from) {
        const reheat::heartbeat_alarm silence{.period = from.period, .grace = from.grace};
        if (auto good = validate(silence.rule()); !good) return good;
        for (const watched_domain& d : from.domains) {
            const auto machine = ha_->add(reheat::instance{.name = d.name});
            if (!machine) return machine.error();
            machines_.push_back({d.name, *machine});
            for (const std::string& name : d.services) {
                const auto service = ha_->add(reheat::service{.name = name, .on = *machine});
                if (!service) return service.error();
                if (auto watched = watch(d.name + '/' + name, *service, silence); !watched) return watched;
            }
            if (!d.services.empty()) continue;
            if (auto watched = watch(d.name, *machine, silence); !watched) return watched;
        }
        return {};
    }

    /// The instance of a domain, or `no_target`.
    [[nodiscard]] reheat::target_id machine(std::string_view domain) const noexcept { return find(machines_, domain); }

    // The sink of the guest API

    [[nodiscard]] reheat::result<void> check(const reheat::guest::metric_datum& datum) const {
        if (find(beating_, datum.alarm_name) != reheat::no_target) return {};
        return reheat::error{reheat::errc::not_found, datum.alarm_name, "there is no such alarm"};
    }
    reheat::result<void> put(const reheat::guest::metric_datum& datum) {
        if (auto known = check(datum); !known) return known;
        if (datum.metric_name == "Heartbeat") ha_->push(find(beating_, datum.alarm_name), datum.value);
        return {};
    }

private:
    using names = std::vector<std::pair<std::string, reheat::target_id>>;

    static reheat::target_id find(const names& in, std::string_view name) noexcept {
        for (const auto& [known, target] : in) {
            if (known == name) return target;
        }
        return reheat::no_target;
    }

    reheat::result<void> watch(std::string name, reheat::target_id target, const reheat::heartbeat_alarm& silence) {
        beating_.push_back({std::move(name), target});
        if (auto watched = ha_->watch(target, silence); !watched) return watched.error();
        return {};
    }

    Pipeline* ha_;
    names machines_;
    names beating_;
};

} // namespace libvirt_ha
