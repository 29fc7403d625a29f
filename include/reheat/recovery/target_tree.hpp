// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/loss.hpp>
#include <reheat/action/operation.hpp>
#include <reheat/action/outcome.hpp>
#include <reheat/core/name_index.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/text_arena.hpp>
#include <reheat/evidence/testimony.hpp>
#include <reheat/recovery/target.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What is known of one target: 64 bytes, so that a million are nothing to speak of. What only some have is elsewhere.
struct target_record {
    std::uint32_t name = 0; ///< in the tree's texts
    target_id parent = no_target;
    target_id first_child = no_target;
    target_id next_sibling = no_target;
    incident_id incident = no_incident; ///< the open incident, if any
    incident_id actor = no_incident;    ///< whose action on it was the last
    std::uint32_t first_watch = 0;      ///< in the engine's list; 0: none
    std::uint32_t member_of = 0;        ///< an instance's place and group
    std::uint32_t words = 0;            ///< what was said of it beside its alarms; 0: nothing
    std::uint32_t memory = 0;           ///< of its last recovery; 0: none
    std::uint32_t seen = 0;             ///< what was seen of an instance; 0: nothing
    std::uint32_t busy_below = 0;       ///< actions on its descendants that are not finished
    std::uint16_t busy_here = 0;        ///< actions on it that are not finished
    std::uint16_t failing = 0;          ///< an instance's: open incidents on it and its services
    std::uint16_t beats = 0;            ///< an instance's: alarms that hear it or its services
    std::uint16_t raised = 0;           ///< watched alarms that are in `alarm`
    std::uint16_t quiet = 0;            ///< watched alarms that are in `ok`
    policy_id rules{};                  ///< how its incidents are recovered
    level of{};
    asset keep = asset::none;
    std::uint8_t priority = 0;
    bool unsure = false; ///< an instance of which nobody knows whether an order has made it

    /// What its alarms say.
    [[nodiscard]] constexpr health heard() const noexcept {
        return raised != 0 ? health::unhealthy : quiet != 0 ? health::healthy : health::unknown;
    }
};
static_assert(sizeof(target_record) <= 64);

/// What was seen of an instance, as places in the tree's texts; 0 is nothing. Texts are kept for good: they change with
/// a recovery, not with time.
struct seen_record {
    std::uint32_t cloud_id = 0;
    std::uint32_t boot_id = 0;
    std::uint32_t host = 0;
    std::uint32_t address = 0;
};

/// Services on instances in stacks. Ids are dense and never reused; names are found through an index.
class target_tree {
public:
    target_tree() : seen_(1), words_(1) { names_.keep({}); }

    [[nodiscard]] std::size_t size() const noexcept { return targets_.size(); }
    [[nodiscard]] std::size_t count(level of) const noexcept { return counts_[static_cast<std::size_t>(of)]; }
    [[nodiscard]] bool has(target_id id) const noexcept { return static_cast<std::size_t>(id) < targets_.size(); }
    [[nodiscard]] target_record& operator[](target_id id) noexcept { return targets_[static_cast<std::size_t>(id)]; }
    [[nodiscard]] const target_record& operator[](target_id id) const noexcept {
        return targets_[static_cast<std::size_t>(id)];
    }
    void reserve(std::size_t targets) { targets_.reserve(targets); }

    /// Adds a target; a name that its level has already is an error. A service's is `instance/service`.
    result<target_id> add(target_record t, std::string_view name) {
        if (name.empty() || name.size() > text_arena::longest)
            return error{errc::invalid_argument, "name", "expected 1 to 255 characters"};
        target_id id = find(t.of, name);
        if (id != no_target && !awaited(id))
            return error{errc::already_exists, std::string{name},
                         "there is a " + std::string{to_string(t.of)} + " of that name"};
        if (id == no_target) id = make(t.of, name);
        else awaited_[static_cast<std::size_t>(id)] = false;
        t.name = (*this)[id].name;
        if (t.parent != no_target) t.next_sibling = std::exchange((*this)[t.parent].first_child, id);
        (*this)[id] = t;
        ++counts_[static_cast<std::size_t>(t.of)];
        return id;
    }

    /// Keeps the next number for a target of an earlier run, until it is added.
    target_id await(level of, std::string_view name) {
        awaited_.push_back(true);
        return make(of, name);
    }
    /// Whether a target is only known from an earlier run.
    [[nodiscard]] bool awaited(target_id id) const noexcept {
        return static_cast<std::size_t>(id) < awaited_.size() && awaited_[static_cast<std::size_t>(id)];
    }

    /// The name; it never moves.
    [[nodiscard]] std::string_view name(target_id id) const noexcept { return names_.at((*this)[id].name); }
    /// The target of that level and name, or `no_target`. A service's name is `instance/service`.
    [[nodiscard]] target_id find(level of, std::string_view name) const {
        return static_cast<target_id>(by_name_[static_cast<std::size_t>(of)].find(name, name_of{*this}));
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
    /// Visits a target and everything below it.
    template <class Visit>
    void each_below(target_id id, const Visit& visit) const {
        visit(id);
        for (target_id child = (*this)[id].first_child; child != no_target; child = (*this)[child].next_sibling)
            each_below(child, visit);
    }

    /// Marks an action on a target as begun (`by` = 1) or finished (-1).
    void mark_busy(target_id id, int by) noexcept {
        (*this)[id].busy_here = static_cast<std::uint16_t>((*this)[id].busy_here + by);
        for (target_id up = (*this)[id].parent; up != no_target; up = (*this)[up].parent)
            (*this)[up].busy_below += static_cast<std::uint32_t>(by);
    }
    /// Whether an action on it, an ancestor or a descendant is not finished.
    [[nodiscard]] bool busy(target_id id) const noexcept {
        if ((*this)[id].busy_below != 0) return true;
        return busy_above(id) != no_target;
    }
    /// The target itself or the nearest ancestor with an action that is not finished, or `no_target`.
    [[nodiscard]] target_id busy_above(target_id id) const noexcept {
        while (id != no_target && (*this)[id].busy_here == 0) id = (*this)[id].parent;
        return id;
    }

    /// What was seen of an instance; empty as long as nothing was.
    [[nodiscard]] std::string_view cloud_id(target_id id) const noexcept { return seen(id, &seen_record::cloud_id); }
    [[nodiscard]] std::string_view boot_id(target_id id) const noexcept { return seen(id, &seen_record::boot_id); }
    [[nodiscard]] std::string_view host(target_id id) const noexcept { return seen(id, &seen_record::host); }
    [[nodiscard]] std::string_view address(target_id id) const noexcept { return seen(id, &seen_record::address); }
    void note_seen(target_id id, const observed& now) {
        note(id, &seen_record::cloud_id, now.cloud_id);
        note(id, &seen_record::boot_id, now.boot_id);
        note(id, &seen_record::host, now.host);
        note(id, &seen_record::address, now.address);
        if (!now.cloud_id.empty()) (*this)[id].unsure = false;
    }

    /// Another copy may run under the name from now on: by what the cloud knows it has to be seen.
    void forget_identity(target_id id) noexcept {
        seen_record& known = seen_[(*this)[id].seen];
        known.cloud_id = known.boot_id = known.host = 0;
    }

    /// What was said of a target beside its alarms.
    [[nodiscard]] const testimonies& words(target_id id) const noexcept { return words_[(*this)[id].words]; }
    [[nodiscard]] testimonies& note_words(target_id id) { return entry(words_, (*this)[id].words); }

private:
    target_id make(level of, std::string_view name) {
        const auto id = static_cast<target_id>(targets_.size());
        targets_.push_back({.name = names_.keep(name), .of = of});
        by_name_[static_cast<std::size_t>(of)].add(name, static_cast<std::uint32_t>(id));
        return id;
    }
    struct name_of {
        const target_tree& tree;
        std::string_view operator()(std::uint32_t id) const noexcept { return tree.name(static_cast<target_id>(id)); }
    };
    [[nodiscard]] std::string_view seen(target_id id, std::uint32_t seen_record::* which) const noexcept {
        return names_.at(seen_[(*this)[id].seen].*which);
    }
    void note(target_id id, std::uint32_t seen_record::* which, std::string_view text) {
        if (text.size() > text_arena::longest) return;
        if (!text.empty() && seen(id, which) != text) entry(seen_, (*this)[id].seen).*which = names_.keep(text);
    }
    /// The entry of that number, made if it is 0.
    template <class T>
    static T& entry(std::vector<T>& all, std::uint32_t& number) {
        if (number == 0) {
            number = static_cast<std::uint32_t>(all.size());
            all.emplace_back();
        }
        return all[number];
    }

    std::vector<target_record> targets_;
    std::vector<bool> awaited_; // of the first ones, which an earlier run had
    text_arena names_;
    std::array<name_index, 3> by_name_; // by level
    std::array<std::size_t, 3> counts_{};
    std::vector<seen_record> seen_;
    std::vector<testimonies> words_;
};

} // namespace reheat::inline REHEAT_ABI
