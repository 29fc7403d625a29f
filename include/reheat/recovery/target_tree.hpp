// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/core/name_index.hpp>
#include <reheat/core/result.hpp>
#include <reheat/evidence/board.hpp>
#include <reheat/recovery/target.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What is known of one target.
struct target_record {
    level of{};
    asset keep = asset::none;
    std::uint16_t raised = 0; ///< watched alarms that are in `alarm`
    std::uint16_t quiet = 0;  ///< watched alarms that are in `ok`
    target_id parent = no_target;
    incident_id incident = no_incident; ///< the open incident, if any
    std::uint32_t busy_here = 0;        ///< actions on it that are not finished
    std::uint32_t busy_below = 0;       ///< actions on its descendants that are not finished
    policy_id rules{};                  ///< how its incidents are recovered
    evidence_board evidence{};
    std::string name{}; ///< unique in its level; a service's is `instance/service`
    std::string cloud_id{};
    std::string boot_id{};
    std::string address{};
    std::string host{};
};

/// Services on instances in stacks. Ids are dense and never reused; names are found through an index.
class target_tree {
public:
    [[nodiscard]] std::size_t size() const noexcept { return targets_.size(); }
    [[nodiscard]] bool has(target_id id) const noexcept { return static_cast<std::size_t>(id) < targets_.size(); }
    [[nodiscard]] target_record& operator[](target_id id) noexcept { return targets_[static_cast<std::size_t>(id)]; }
    [[nodiscard]] const target_record& operator[](target_id id) const noexcept {
        return targets_[static_cast<std::size_t>(id)];
    }

    /// Adds a target; a name that its level has already is an error.
    result<target_id> add(target_record t) {
        if (t.name.empty() || t.name.size() > 255)
            return error{errc::invalid_argument, "name", "expected 1 to 255 characters"};
        if (find(t.of, t.name) != no_target)
            return error{errc::already_exists, t.name, "there is a " + std::string{to_string(t.of)} + " of that name"};
        const auto id = static_cast<std::uint32_t>(targets_.size());
        targets_.push_back(std::move(t));
        index_of(targets_.back().of).add(targets_.back().name, id);
        return static_cast<target_id>(id);
    }

    /// The target of that level and name, or `no_target`. A service's name is `instance/service`.
    [[nodiscard]] target_id find(level of, std::string_view name) const {
        return static_cast<target_id>(by_name_[static_cast<std::size_t>(of)].find(name, name_of{targets_}));
    }

    /// The target itself or its ancestor of that level, or `no_target`.
    [[nodiscard]] target_id ancestor(target_id id, level of) const noexcept {
        while (id != no_target && (*this)[id].of != of) id = (*this)[id].parent;
        return id;
    }

    /// Whether `above` is `id` or one of its ancestors.
    [[nodiscard]] bool covers(target_id above, target_id id) const noexcept {
        while (id != no_target && id != above) id = (*this)[id].parent;
        return id == above;
    }

    /// Marks an action on a target as begun (`by` = 1) or finished (-1).
    void mark_busy(target_id id, int by) noexcept {
        (*this)[id].busy_here += static_cast<std::uint32_t>(by);
        for (target_id up = (*this)[id].parent; up != no_target; up = (*this)[up].parent)
            (*this)[up].busy_below += static_cast<std::uint32_t>(by);
    }

    /// Whether an action on it, an ancestor or a descendant is not finished.
    [[nodiscard]] bool busy(target_id id) const noexcept {
        if ((*this)[id].busy_below != 0) return true;
        for (; id != no_target; id = (*this)[id].parent) {
            if ((*this)[id].busy_here != 0) return true;
        }
        return false;
    }

private:
    struct name_of {
        const std::vector<target_record>& targets;
        std::string_view operator()(std::uint32_t id) const noexcept { return targets[id].name; }
    };
    [[nodiscard]] name_index& index_of(level of) noexcept { return by_name_[static_cast<std::size_t>(of)]; }

    std::vector<target_record> targets_;
    std::array<name_index, 3> by_name_; // by level
};

} // namespace reheat::inline REHEAT_ABI
