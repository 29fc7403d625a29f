// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/effects.hpp>

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

namespace reheat::inline REHEAT_ABI::detail {

/// What earlier runs have called a human for, by their journal, and since when that is over.
class page_book {
public:
    struct trouble {
        target_id target = no_target;
        reason topic{}; ///< `none` for the target's incident
        incident_id incident = no_incident;
        op_id op = no_op;
        reason why{}; ///< of its last page
        std::uint32_t denied = 0;
        time_point over_at = never; ///< `never`: it was not, when the last run ended
    };

    /// Takes the next record, in their order.
    void add(const record& r) {
        switch (r.kind) {
        case record_kind::paged:
        case record_kind::parked: return note(r.target, r.incident == no_incident ? r.why : reason::none, r);
        case record_kind::trust: return note(no_target, r.why, r); // it is nobody's incident
        case record_kind::closed: return end(r.target, reason::none, r.at), end(r.target, reason::returned, r.at);
        case record_kind::outcome:
            // It was paged because that fence had failed.
            if (const trouble* const t = find(r.target, reason::returned); t != nullptr && t->op != no_op) {
                const bool of_copy = r.incident == no_incident && r.what == operation::fence_instance;
                if (of_copy && r.result == outcome_code::done) end(r.target, reason::returned, r.at);
            }
            return;
        case record_kind::operator_word:
            if (r.verb != operator_verb::trust || r.why != reason::operator_word) return;
            return end(no_target, reason::trust_broken, r.at), end(r.target, reason::returned, r.at);
        default: return;
        }
    }
    /// By target.
    [[nodiscard]] const std::vector<trouble>& troubles() const noexcept { return all_; }

private:
    [[nodiscard]] std::vector<trouble>::iterator place(target_id target, reason topic) {
        return std::lower_bound(all_.begin(), all_.end(), std::tuple{target, topic},
                                [](const trouble& t, auto of) { return std::tuple{t.target, t.topic} < of; });
    }
    [[nodiscard]] trouble* find(target_id target, reason topic) {
        const auto at = place(target, topic);
        return at != all_.end() && at->target == target && at->topic == topic ? &*at : nullptr;
    }
    void note(target_id target, reason topic, const record& r) {
        trouble* known = find(target, topic);
        if (known == nullptr) known = &*all_.insert(place(target, topic), {target, topic});
        const incident_id incident = topic == reason::none ? r.incident : no_incident;
        *known = {target, topic, incident, r.op, r.why, static_cast<std::uint32_t>(r.key), never};
        // The next run has nothing of that kind, or tells it anew.
        const bool lasts = topic == reason::none || topic == reason::returned || topic == reason::trust_broken;
        if (!lasts) known->over_at = r.at;
    }
    void end(target_id target, reason topic, time_point at) {
        if (trouble* const t = find(target, topic); t != nullptr && t->over_at == never) t->over_at = at;
    }

    std::vector<trouble> all_;
};

} // namespace reheat::inline REHEAT_ABI::detail
