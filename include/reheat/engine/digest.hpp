// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/effects.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// Of all records, those that still say something: what an engine goes on with, and what a journal is made of when it
/// is made smaller. Names, what is open, what was replaced, standing orders and broken trust are kept for
/// good; everything else for as long as the longest budget asks for it. One thread at a time.
class record_digest {
public:
    static constexpr duration kept_for = std::chrono::hours{24 * 31};

    /// Takes the next record, in the order of their numbers.
    void add(record r) {
        ++seen_;
        all_.push_back(std::move(r));
        if (all_.size() < prune_at_) return;
        prune();
        prune_at_ = 2 * all_.size() < least ? least : 2 * all_.size();
    }
    /// How many were added.
    [[nodiscard]] std::size_t seen() const noexcept { return seen_; }
    /// The records that are left; the last one that was added is among them.
    [[nodiscard]] std::vector<record> take() {
        prune();
        return std::exchange(all_, {});
    }

private:
    static constexpr std::size_t least = 4096;

    template <class Id>
    static bool among(const std::vector<Id>& sorted, Id id) {
        return std::binary_search(sorted.begin(), sorted.end(), id);
    }

    /// What has to be known of all records before one of them can be judged.
    struct survey {
        std::vector<op_id> ended;           // operations
        std::vector<incident_id> open;      // incidents
        std::vector<incident_id> replacing; // that may have replaced a copy
        op_id last_op = no_op;
        incident_id last_incident = no_incident;
        const record* broken = nullptr; // trust
    };

    [[nodiscard]] survey look() const {
        survey s;
        struct turn {
            incident_id of;
            bool open;
        };
        std::vector<turn> turns;
        std::vector<op_id> dropped;
        for (const record& r : all_) {
            if (r.kind == record_kind::outcome || r.kind == record_kind::dropped) s.ended.push_back(r.op);
            if (r.kind == record_kind::dropped) dropped.push_back(r.op);
            if (r.kind == record_kind::opened || r.kind == record_kind::closed)
                turns.push_back({r.incident, r.kind == record_kind::opened});
            if (r.kind == record_kind::trust) s.broken = &r;
            if (r.kind == record_kind::operator_word && r.verb == operator_verb::trust) s.broken = nullptr;
            if (s.last_op < r.op) s.last_op = r.op;
            const bool numbered = r.incident != no_incident;
            if (numbered && (s.last_incident == no_incident || s.last_incident < r.incident))
                s.last_incident = r.incident;
        }
        std::sort(s.ended.begin(), s.ended.end());
        std::sort(dropped.begin(), dropped.end());
        // The last turn of each counts.
        std::stable_sort(turns.begin(), turns.end(), [](const turn& a, const turn& b) { return a.of < b.of; });
        for (std::size_t n = 0; n < turns.size(); ++n) {
            const bool last = n + 1 == turns.size() || turns[n + 1].of != turns[n].of;
            if (last && turns[n].open) s.open.push_back(turns[n].of);
        }
        for (const record& r : all_) {
            if (r.kind == record_kind::intent && needs_proof(r.what) && !among(dropped, r.op))
                s.replacing.push_back(r.incident);
        }
        std::sort(s.replacing.begin(), s.replacing.end());
        return s;
    }

    [[nodiscard]] static bool says_something(const record& r, const survey& s, time_point now) {
        bool kept = now - r.at <= kept_for || &r == s.broken;
        switch (r.kind) {
        case record_kind::target: return true;
        case record_kind::intent: kept = kept || !among(s.ended, r.op); break;
        case record_kind::operator_word: kept = kept || (r.deadline != never && r.deadline > now); break;
        default: break;
        }
        // No number is given twice.
        kept = kept || (r.op != no_op && r.op == s.last_op);
        if (r.incident == no_incident) return kept;
        return kept || r.incident == s.last_incident || among(s.open, r.incident) || among(s.replacing, r.incident);
    }

    void prune() {
        if (all_.empty()) return;
        const survey s = look();
        const time_point now = all_.back().at;
        const record* const last = &all_.back();
        std::vector<bool> kept;
        for (const record& r : all_) kept.push_back(&r == last || says_something(r, s, now));
        std::size_t n = 0;
        std::erase_if(all_, [&](const record&) { return !kept[n++]; });
    }

    std::vector<record> all_;
    std::size_t seen_ = 0;
    std::size_t prune_at_ = least;
};

} // namespace reheat::inline REHEAT_ABI
