// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/composite_rule.hpp>
#include <reheat/alarm/state.hpp>
#include <reheat/core/name_index.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// An alarm of one `composite_set`, metric or composite. Dense, never reused.
enum class alarm_id : std::uint32_t {};

/// One change of one composite alarm.
struct composite_transition {
    alarm_id alarm;
    alarm_id cause; ///< the alarm whose change was told; the composite alarm itself when it was added or replaced
    alarm_state from;
    alarm_state to;
    time_point at;
};

/// Alarms by name, and the composite alarms among them that follow the others. A change of one alarm re-evaluates what
/// depends on it and nothing else, children before parents, each at most once. CloudWatch accepts children that are
/// unknown and rules that depend on themselves; here both are errors. One thread at a time.
///
///     composite_set alarms;
///     auto db = alarms.add("db");
///     auto wiki = alarms.add("wiki", *parse_composite_rule("ALARM(db)"), now, changes);
///     alarms.set_state(*db, alarm_state::alarm, now, changes);   // and wiki follows
class composite_set {
public:
    /// Adds an alarm whose state is told by `set_state`: a metric alarm. An error if the name is empty or taken.
    [[nodiscard]] result<alarm_id> add(std::string_view name, alarm_state state = alarm_state::insufficient_data) {
        if (auto usable = check_name(name); !usable) return std::move(usable).error();
        return insert(name, state);
    }

    /// Adds a composite alarm. It begins in `insufficient_data` and is evaluated at once, which is its first
    /// transition. An error if the name is empty or taken, a child is not known, or a child has as many parents as it
    /// may have.
    [[nodiscard]] result<alarm_id> add(std::string_view name, composite_rule rule, time_point now,
                                       std::vector<composite_transition>& out) {
        if (auto usable = check_name(name); !usable) return std::move(usable).error();
        auto children = resolve(name, rule, none);
        if (!children) return std::move(children).error();
        const alarm_id id = insert(name, alarm_state::insufficient_data);
        at(id).composite = static_cast<std::uint32_t>(composites_.size());
        composites_.push_back({.self = id, .rule = std::move(rule), .children = {}, .triggering = {}});
        bind(id, std::move(*children));
        change(id, now, out);
        return id;
    }

    /// Gives a composite alarm another rule. Its state stays until the new rule says otherwise, which is at once.
    /// An error, and nothing is changed, if it is not a composite alarm, if `add` would refuse the rule, or if the
    /// alarm would depend on itself; the error then names the cycle.
    [[nodiscard]] result<void> replace(alarm_id id, composite_rule rule, time_point now,
                                       std::vector<composite_transition>& out) {
        if (this->rule(id) == nullptr) return error{errc::not_found, {}, "not a composite alarm"};
        auto children = resolve(at(id).name, rule, index(id));
        if (!children) return std::move(children).error();
        if (std::string cycle = find_cycle(id, *children); !cycle.empty())
            return error{errc::cycle, at(id).name, "it would depend on itself: " + std::move(cycle)};
        for (const alarm_id child : composites_[at(id).composite].children) std::erase(at(child).parents, id);
        composites_[at(id).composite].rule = std::move(rule);
        bind(id, std::move(*children));
        change(id, now, out);
        return {};
    }

    /// Tells the state of an alarm, and appends the transitions that follow of it. A composite alarm that is told a
    /// state keeps it until one of its children changes or its rule is replaced, as with CloudWatch's SetAlarmState.
    /// Does not allocate while `out` has room for a transition of each composite alarm; an unknown id is ignored.
    void set_state(alarm_id id, alarm_state state, time_point now, std::vector<composite_transition>& out) {
        if (index(id) >= members_.size() || at(id).state == state) return;
        ++change_;
        if (at(id).composite != none) {
            composites_[at(id).composite].triggering.clear();
            out.push_back({id, id, at(id).state, state, now});
        }
        enter(id, state);
        evaluate_waiting(id, now, out);
    }

    [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
    [[nodiscard]] std::size_t composites() const noexcept { return composites_.size(); }
    [[nodiscard]] result<alarm_id> find(std::string_view name) const {
        const std::uint32_t number = number_of(name);
        if (number == none) return error{errc::not_found, {}, "no alarm '" + std::string{name} + "'"};
        return alarm_id{number};
    }
    [[nodiscard]] std::string_view name(alarm_id id) const noexcept { return at(id).name; }
    [[nodiscard]] alarm_state state(alarm_id id) const noexcept { return at(id).state; }
    /// The rule of a composite alarm; null for another alarm.
    [[nodiscard]] const composite_rule* rule(alarm_id id) const noexcept {
        return index(id) < members_.size() && at(id).composite != none ? &composites_[at(id).composite].rule : nullptr;
    }
    /// The children whose changes made a composite alarm enter its state; CloudWatch's `triggeringAlarms`. A child that
    /// changes later without effect on the state is not added. Empty if no child did it.
    [[nodiscard]] std::span<const alarm_id> triggering(alarm_id id) const noexcept {
        if (rule(id) == nullptr) return {};
        return composites_[at(id).composite].triggering;
    }

private:
    static constexpr std::uint32_t none = name_index::none;

    struct member {
        std::string name;
        alarm_state state;
        std::uint32_t composite = none; ///< its place among the composite alarms
        std::uint32_t level = 0;        ///< above the levels of all children
        std::uint64_t changed = 0;      ///< the change in which its state changed last
        std::vector<alarm_id> parents;
    };
    struct composite {
        alarm_id self;
        composite_rule rule;
        std::vector<alarm_id> children; ///< as in the rule
        std::vector<alarm_id> triggering;
        bool waiting = false;
        std::uint32_t next = none; ///< the one that waits behind it on its level
    };
    struct queue {
        std::uint32_t head = none;
        std::uint32_t tail = none;
    };

    [[nodiscard]] static constexpr std::uint32_t index(alarm_id id) noexcept { return static_cast<std::uint32_t>(id); }
    [[nodiscard]] member& at(alarm_id id) noexcept { return members_[index(id)]; }
    [[nodiscard]] const member& at(alarm_id id) const noexcept { return members_[index(id)]; }
    [[nodiscard]] std::uint32_t number_of(std::string_view name) const {
        return names_.find(name, [this](std::uint32_t n) -> std::string_view { return members_[n].name; });
    }

    [[nodiscard]] result<void> check_name(std::string_view name) const {
        if (name.empty()) return error{errc::invalid_argument, {}, "an alarm needs a name"};
        if (number_of(name) != none)
            return error{errc::already_exists, std::string{name}, "there is an alarm of that name"};
        return {};
    }
    alarm_id insert(std::string_view name, alarm_state state) {
        const auto number = static_cast<std::uint32_t>(members_.size());
        members_.push_back({.name = std::string{name}, .state = state, .parents = {}});
        names_.add(name, number);
        return alarm_id{number};
    }

    /// The children of a rule, for the composite alarm `self`, which may be one that is not added yet.
    [[nodiscard]] result<std::vector<alarm_id>> resolve(std::string_view name, const composite_rule& rule,
                                                        std::uint32_t self) const {
        std::vector<alarm_id> children;
        children.reserve(rule.children().size());
        for (const std::string& child : rule.children()) {
            if (child == name) return error{errc::cycle, child, "it would depend on itself: " + child + " -> " + child};
            const std::uint32_t number = number_of(child);
            if (number == none)
                return error{errc::not_found, std::string{name}, "its rule names '" + child + "', which is no alarm"};
            const std::vector<alarm_id>& parents = members_[number].parents;
            bool known = false;
            for (const alarm_id parent : parents) known = known || index(parent) == self;
            if (!known && parents.size() == composite_limits::parents)
                return error{errc::limit_exceeded, std::string{name},
                             "its rule names '" + child + "', which has " + std::to_string(parents.size()) +
                                 " parents, as many as it may have"};
            children.push_back(alarm_id{number});
        }
        return children;
    }

    /// The way from `self` through the children back to it, as `a -> b -> a`; empty if there is none.
    [[nodiscard]] std::string find_cycle(alarm_id self, std::span<const alarm_id> children) const {
        std::vector<std::uint32_t> below(members_.size(), none); // the child through which an ancestor was reached
        std::vector<alarm_id> ancestors{self};
        for (std::size_t i = 0; i < ancestors.size(); ++i) {
            const alarm_id child = ancestors[i];
            for (const alarm_id parent : at(child).parents) {
                if (below[index(parent)] != none) continue;
                below[index(parent)] = index(child);
                ancestors.push_back(parent);
            }
        }
        for (const alarm_id child : children) {
            if (below[index(child)] == none) continue;
            std::string way = at(self).name;
            for (std::uint32_t step = index(child);; step = below[step]) {
                way += " -> " + members_[step].name;
                if (step == index(self)) return way;
            }
        }
        return {};
    }

    /// Makes the children known to the composite alarm, and it to them, and sizes what a change needs.
    void bind(alarm_id id, std::vector<alarm_id> children) {
        for (const alarm_id child : children) at(child).parents.push_back(id);
        composite& self = composites_[at(id).composite];
        self.triggering.clear();
        self.triggering.reserve(children.size());
        self.children = std::move(children);
        std::vector<alarm_id> risen{id};
        for (std::size_t i = 0; i < risen.size(); ++i) {
            std::uint32_t level = at(risen[i]).level;
            for (const alarm_id child : composites_[at(risen[i]).composite].children) {
                if (at(child).level >= level) level = at(child).level + 1;
            }
            if (level == at(risen[i]).level) continue;
            at(risen[i]).level = level;
            if (levels_.size() <= level) levels_.resize(std::size_t{level} + 1);
            for (const alarm_id parent : at(risen[i]).parents) risen.push_back(parent);
        }
        if (levels_.size() <= at(id).level) levels_.resize(std::size_t{at(id).level} + 1);
    }

    /// The rule of `id` is another one.
    void change(alarm_id id, time_point now, std::vector<composite_transition>& out) {
        ++change_;
        evaluate_composite(at(id).composite, id, now, out);
        evaluate_waiting(id, now, out);
    }

    void enter(alarm_id id, alarm_state state) noexcept {
        at(id).state = state;
        at(id).changed = change_;
        for (const alarm_id parent : at(id).parents) {
            composite& c = composites_[at(parent).composite];
            if (std::exchange(c.waiting, true)) continue;
            queue& line = levels_[at(parent).level];
            (line.tail == none ? line.head : composites_[line.tail].next) = at(parent).composite;
            line.tail = at(parent).composite;
            ++waiting_;
        }
    }

    /// Level by level: whatever changes lets only alarms of higher levels wait.
    void evaluate_waiting(alarm_id cause, time_point now, std::vector<composite_transition>& out) {
        for (std::uint32_t level = at(cause).level + 1; waiting_ != 0; ++level) {
            std::uint32_t place = std::exchange(levels_[level], queue{}).head;
            while (place != none) {
                composites_[place].waiting = false;
                --waiting_;
                evaluate_composite(place, cause, now, out);
                place = std::exchange(composites_[place].next, none);
            }
        }
    }

    void evaluate_composite(std::uint32_t place, alarm_id cause, time_point now,
                            std::vector<composite_transition>& out) {
        composite& c = composites_[place];
        const alarm_state to = evaluate(c.rule, [&](std::size_t child) { return at(c.children[child]).state; });
        const alarm_state from = at(c.self).state;
        if (to == from) return;
        c.triggering.clear();
        for (const alarm_id child : c.children) {
            if (at(child).changed == change_) c.triggering.push_back(child);
        }
        out.push_back({c.self, cause, from, to, now});
        enter(c.self, to);
    }

    name_index names_;
    std::vector<member> members_;
    std::vector<composite> composites_;
    std::vector<queue> levels_;
    std::uint32_t waiting_ = 0;
    std::uint64_t change_ = 0;
};

} // namespace reheat::inline REHEAT_ABI
