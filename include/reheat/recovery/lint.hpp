// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/recovery/ladder.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// What `lint` can find.
enum class finding : std::uint8_t {
    unreachable_rung,          ///< it has no attempts, or the same operation stands on an earlier rung
    verify_shorter_than_grace, ///< verification would fail while the target may still be starting
    too_many_actions_an_hour,  ///< the rungs of one level together may act more often than is sane
};

[[nodiscard]] constexpr std::string_view to_string(finding f) noexcept {
    switch (f) {
    case finding::unreachable_rung: return "unreachable_rung";
    case finding::verify_shorter_than_grace: return "verify_shorter_than_grace";
    case finding::too_many_actions_an_hour: return "too_many_actions_an_hour";
    }
    return "unknown";
}

/// One thing that `lint` found: on which rung (counted from 0), and its number: the rung that hides it, the missing
/// seconds, or the worst-case actions an hour.
struct lint_finding {
    finding what{};
    std::size_t rung = 0;
    std::int64_t number = 0;
};

/// All that `lint` found.
class lint_report {
public:
    [[nodiscard]] constexpr bool ok() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr std::span<const lint_finding> findings() const noexcept {
        return std::span{findings_}.first(size_);
    }
    [[nodiscard]] constexpr bool has(finding f) const noexcept {
        for (const lint_finding& found : findings()) {
            if (found.what == f) return true;
        }
        return false;
    }
    constexpr void add(const lint_finding& f) noexcept {
        if (size_ < findings_.size()) findings_[size_++] = f;
    }

private:
    std::array<lint_finding, policy::most_rungs * 3 + 3> findings_{};
    std::size_t size_ = 0;
};

/// The most actions that a rung can make in the worst hour: the tighter of its two budgets.
[[nodiscard]] constexpr std::int64_t worst_actions_an_hour(const rung& r) noexcept {
    constexpr std::int64_t hour = std::chrono::duration_cast<duration>(std::chrono::hours{1}).count();
    const auto worst = [](const budget& b) {
        const std::int64_t within = b.within.count() < 1 ? 1 : b.within.count();
        const std::int64_t windows = within >= hour ? 1 : (hour + within - 1) / within;
        return static_cast<std::int64_t>(b.count) * windows;
    };
    return worst(r.burst) < worst(r.sustained) ? worst(r.burst) : worst(r.sustained);
}

/// Checks a policy for what can only be a mistake. Constexpr, so that a ladder in code is checked by the compiler:
///
///     static_assert(lint(steps).ok());
[[nodiscard]] constexpr lint_report lint(const policy& p) noexcept {
    constexpr std::array<std::int64_t, 3> most_an_hour{12, 4, 1}; // service, instance, stack
    lint_report report;
    std::array<std::int64_t, 3> actions{};
    const std::span<const rung> rungs = p.rungs();
    for (std::size_t i = 0; i < rungs.size(); ++i) {
        const rung& r = rungs[i];
        if (r.burst.count == 0 || r.sustained.count == 0)
            report.add({finding::unreachable_rung, i, static_cast<std::int64_t>(i)});
        for (std::size_t earlier = 0; earlier < i; ++earlier) {
            if (rungs[earlier].what != r.what) continue;
            report.add({finding::unreachable_rung, i, static_cast<std::int64_t>(earlier)});
            break;
        }
        if (r.verify <= r.grace)
            report.add({finding::verify_shorter_than_grace, i,
                        std::chrono::duration_cast<std::chrono::seconds>(r.grace - r.verify).count()});
        const auto at = static_cast<std::size_t>(level_of(r.what));
        actions[at] += worst_actions_an_hour(r);
        const bool last_of_level = [&] {
            for (std::size_t later = i + 1; later < rungs.size(); ++later) {
                if (level_of(rungs[later].what) == level_of(r.what)) return false;
            }
            return true;
        }();
        if (last_of_level && actions[at] > most_an_hour[at])
            report.add({finding::too_many_actions_an_hour, i, actions[at]});
    }
    return report;
}

template <rung_type... Rungs>
[[nodiscard]] constexpr lint_report lint(const ladder<Rungs...>& l) noexcept {
    return lint(l.lowered());
}

} // namespace reheat::inline REHEAT_ABI
