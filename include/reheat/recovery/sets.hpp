// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/proof_of_death.hpp>
#include <reheat/core/name_index.hpp>
#include <reheat/core/sort.hpp>
#include <reheat/core/time.hpp>
#include <reheat/evidence/corroboration.hpp>
#include <reheat/recovery/limits.hpp>
#include <reheat/recovery/spending.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What instances have in common: a group for limits, or a failure domain.
enum class set_kind : std::uint8_t { group, host, rack, zone };

inline constexpr std::size_t set_kind_count = 4;

[[nodiscard]] constexpr std::string_view to_string(set_kind k) noexcept {
    constexpr std::array<std::string_view, set_kind_count> names{"group", "host", "rack", "zone"};
    return names[static_cast<std::size_t>(k)];
}

/// A set of instances; 0 is none.
enum class set_id : std::uint32_t {};
inline constexpr set_id no_set{0};

/// One set, with what limits it. A host that is proved dead is one failure, however many instances it had.
struct instance_set {
    set_kind of{};
    std::string name{};
    std::uint32_t instances = 0;  ///< on hosts that are not proved dead
    std::uint32_t unhealthy = 0;  ///< of these
    std::uint32_t dead_hosts = 0; ///< that had instances of it
    std::uint32_t members = 0;    ///< a host's: the newest membership of it
    bool changed = false;         ///< its counts, since they were looked at last
    bool open = false;            ///< its breaker
    bool paged = false;           ///< that it has been open for long
    time_point opened_at = never;
    time_point calm_since = never; ///< an open breaker's: few enough are unhealthy since then
    bool dead = false;             ///< a host's
    proof_kind proof{};            ///< that it is dead
    time_point died_at = never;
    set_id rack = no_set;                ///< a host's
    set_id zone = no_set;                ///< a host's
    std::optional<std::uint32_t> room{}; ///< for so many more instances, where that is known
    spending spent{};

    /// What its breaker counts.
    [[nodiscard]] constexpr std::uint32_t size() const noexcept { return instances + dead_hosts; }
    [[nodiscard]] constexpr std::uint32_t failed() const noexcept { return unhealthy + dead_hosts; }
};

/// Whether too large a share of a set is unhealthy for its breaker. Never rounds to nothing, and leaves small sets be.
[[nodiscard]] constexpr bool too_many_unhealthy(const breaker_limits& bounds, set_kind of, std::uint32_t size,
                                                std::uint32_t unhealthy) noexcept {
    if (of == set_kind::host || size < bounds.counted_from) return false;
    return unhealthy > (of == set_kind::group ? bounds.group : bounds.domain).of(size);
}

/// The sets that one instance belongs to, shared by all instances of the same place and group.
struct membership {
    set_id group = no_set;
    set_id host = no_set;
    set_id rack = no_set;
    set_id zone = no_set;
    std::uint32_t instances = 0;
    std::uint32_t unhealthy = 0;
    std::uint32_t next = 0; ///< membership of the same host

    [[nodiscard]] constexpr std::array<set_id, 3> above_host() const noexcept { return {group, rack, zone}; }
    [[nodiscard]] constexpr placement place() const noexcept {
        return {static_cast<std::uint32_t>(host), static_cast<std::uint32_t>(rack), static_cast<std::uint32_t>(zone)};
    }
    /// What tells failure domains apart, as far up as it is known; 0 if nothing is.
    [[nodiscard]] constexpr std::uint32_t domain() const noexcept {
        if (zone != no_set) return static_cast<std::uint32_t>(zone);
        return static_cast<std::uint32_t>(rack != no_set ? rack : host);
    }
};

/// All groups and failure domains of an engine. Adding allocates, counting does not. One thread at a time.
class set_book {
public:
    set_book() : sets_(1), memberships_(1) {}

    [[nodiscard]] set_id find(set_kind of, std::string_view name) const {
        const std::uint32_t found = index_[static_cast<std::size_t>(of)].find(name, name_of{sets_});
        return found == name_index::none ? no_set : static_cast<set_id>(found);
    }
    /// The set of that name, made if there is none; `no_set` for an empty name.
    set_id find_or_add(set_kind of, std::string_view name) {
        if (name.empty()) return no_set;
        if (const set_id known = find(of, name); known != no_set) return known;
        const auto id = static_cast<std::uint32_t>(sets_.size());
        sets_.emplace_back();
        sets_.back().of = of;
        sets_.back().name = name;
        index_[static_cast<std::size_t>(of)].add(sets_.back().name, id);
        return static_cast<set_id>(id);
    }
    /// The number of a membership, made if there is none; 0 for an instance of no set.
    std::uint32_t join(const membership& wanted) {
        if (same(wanted, memberships_[0])) return 0;
        if (slots_.size() < 2 * (memberships_.size() + 1)) rehash();
        std::size_t at = static_cast<std::size_t>(key_of(wanted)) & (slots_.size() - 1);
        for (; slots_[at] != 0; at = (at + 1) & (slots_.size() - 1)) {
            if (same(memberships_[slots_[at]], wanted)) return slots_[at];
        }
        slots_[at] = static_cast<std::uint32_t>(memberships_.size());
        memberships_.push_back({wanted.group, wanted.host, wanted.rack, wanted.zone});
        if (static_cast<std::size_t>(wanted.host) < sets_.size())
            memberships_.back().next = std::exchange((*this)[wanted.host].members, slots_[at]);
        return slots_[at];
    }

    [[nodiscard]] std::size_t size() const noexcept { return sets_.size(); }
    [[nodiscard]] instance_set& operator[](set_id id) noexcept { return sets_[static_cast<std::size_t>(id)]; }
    [[nodiscard]] const instance_set& operator[](set_id id) const noexcept {
        return sets_[static_cast<std::size_t>(id)];
    }
    [[nodiscard]] const membership& of(std::uint32_t number) const noexcept { return memberships_[number]; }

    /// So many more (or fewer) instances, and unhealthy ones, in a membership and in its sets.
    void count(std::uint32_t number, int instances, int unhealthy) {
        membership& m = memberships_[number];
        if ((*this)[m.host].dead) { // the one failure that it is may come or go
            set_dead(m.host, false);
            count(number, instances, unhealthy);
            return set_dead(m.host, true);
        }
        add(m.instances, instances);
        add(m.unhealthy, unhealthy);
        for (const set_id s : {m.group, m.host, m.rack, m.zone}) {
            if (s == no_set) continue;
            add((*this)[s].instances, instances);
            add((*this)[s].unhealthy, unhealthy);
            mark(s);
        }
    }
    /// Notes that a host is proved dead, or that it is back: its instances count as one failure, or each for itself.
    void set_dead(set_id host, bool dead) {
        if (std::exchange((*this)[host].dead, dead) == dead) return;
        std::vector<set_id> of;
        for (std::uint32_t n = (*this)[host].members; n != 0; n = memberships_[n].next) {
            const membership& m = memberships_[n];
            if (m.instances == 0) continue;
            for (const set_id s : m.above_host()) {
                if (s == no_set) continue;
                (*this)[s].instances += dead ? 0 - m.instances : m.instances;
                (*this)[s].unhealthy += dead ? 0 - m.unhealthy : m.unhealthy;
                of.push_back(s);
            }
        }
        detail::sort(of, [](set_id a, set_id b) { return a < b; });
        for (std::size_t n = 0; n < of.size(); ++n) {
            if (n != 0 && of[n] == of[n - 1]) continue;
            add((*this)[of[n]].dead_hosts, dead ? 1 : -1);
            mark(of[n]);
        }
    }

    /// Visits the sets whose counts changed since the last call.
    template <class Visit>
    void take_changed(const Visit& visit) {
        for (std::size_t n = 0; n < changed_.size(); ++n) {
            (*this)[changed_[n]].changed = false;
            visit(changed_[n]);
        }
        changed_.clear();
    }
    void mark(set_id s) {
        if (std::exchange((*this)[s].changed, true)) return;
        changed_.push_back(s);
    }

private:
    struct name_of {
        const std::vector<instance_set>& sets;
        std::string_view operator()(std::uint32_t id) const noexcept { return sets[id].name; }
    };
    static void add(std::uint32_t& to, int by) noexcept { to += static_cast<std::uint32_t>(by); }
    [[nodiscard]] static bool same(const membership& a, const membership& b) noexcept {
        return a.group == b.group && a.host == b.host && a.rack == b.rack && a.zone == b.zone;
    }
    [[nodiscard]] static std::uint64_t key_of(const membership& m) noexcept {
        std::uint64_t key = mix(static_cast<std::uint64_t>(m.group) << 32U | static_cast<std::uint64_t>(m.host));
        key = mix(key ^ static_cast<std::uint64_t>(m.rack));
        return mix(key ^ static_cast<std::uint64_t>(m.zone));
    }
    void rehash() {
        slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, 0);
        for (std::uint32_t number = 1; number < memberships_.size(); ++number) {
            std::size_t at = static_cast<std::size_t>(key_of(memberships_[number])) & (slots_.size() - 1);
            while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
            slots_[at] = number;
        }
    }

    std::vector<instance_set> sets_;
    std::array<name_index, set_kind_count> index_;
    std::vector<membership> memberships_;
    std::vector<std::uint32_t> slots_; // of memberships; 0 is free
    std::vector<set_id> changed_;
};

} // namespace reheat::inline REHEAT_ABI
