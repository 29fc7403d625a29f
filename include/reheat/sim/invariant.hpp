// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What holds in every test, every simulation and every crash.
enum class invariant : std::uint8_t {
    one_copy,        ///< I1: at most one running copy of a stateful instance
    recovered_once,  ///< I2: one incident is recovered once, by one action at a time
    proof_first,     ///< I3: no second copy and no loss without a proof of death; no fence without evidence
    volumes_kept,    ///< I4: no volume is deleted, attached twice, left behind or forgotten
    budgets_hold,    ///< I5: across rungs, restarts and changes of leader
    limits_hold,     ///< I6: in flight, breakers, distance, the hold after a start
    journal_first,   ///< I7: every call was durable first, and none is repeated without read-back
    alarms_answered, ///< I8: every alarm leads to an action, or to why not and when next
    told_last,       ///< I9: the last notification about a target equals its final state
    settles,         ///< I10: without faults every target gets well or is parked, with a page; long waits page once
    own_doing,       ///< I11: what our own action causes is no new failure
    dependents_kept, ///< I12: nothing is deleted that the plan did not name
};

inline constexpr std::size_t invariant_count = 12;

/// `I1` to `I12`.
[[nodiscard]] constexpr std::string_view to_string(invariant i) noexcept {
    constexpr std::array<std::string_view, invariant_count> names{"I1", "I2", "I3", "I4",  "I5",  "I6",
                                                                  "I7", "I8", "I9", "I10", "I11", "I12"};
    return names[static_cast<std::size_t>(i)];
}

/// The invariant of that name, as `I7`.
[[nodiscard]] constexpr std::optional<invariant> parse_invariant(std::string_view name) noexcept {
    for (std::size_t n = 0; n < invariant_count; ++n) {
        if (to_string(static_cast<invariant>(n)) == name) return static_cast<invariant>(n);
    }
    return std::nullopt;
}

/// One promise that was broken.
struct violation {
    invariant which{};
    time_point at{};
    target_id target = no_target; ///< `no_target` for the controller itself
    std::string what{};           ///< a sentence with the numbers
};

/// The first violations, and how many there were of each invariant.
class violation_list {
public:
    explicit violation_list(std::size_t most = 64) noexcept : most_{most} {}

    void add(violation v) {
        ++counts_[static_cast<std::size_t>(v.which)];
        if (first_.size() < most_) first_.push_back(std::move(v));
    }
    /// The first ones, in order.
    [[nodiscard]] const std::vector<violation>& first() const noexcept { return first_; }
    [[nodiscard]] std::uint64_t count(invariant which) const noexcept {
        return counts_[static_cast<std::size_t>(which)];
    }
    [[nodiscard]] std::uint64_t count() const noexcept {
        std::uint64_t all = 0;
        for (const std::uint64_t n : counts_) all += n;
        return all;
    }
    [[nodiscard]] bool empty() const noexcept { return count() == 0; }
    void clear() noexcept {
        first_.clear();
        counts_ = {};
    }

private:
    std::size_t most_;
    std::vector<violation> first_;
    std::array<std::uint64_t, invariant_count> counts_{};
};

} // namespace reheat::inline REHEAT_ABI
