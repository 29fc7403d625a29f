// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/ids.hpp>
#include <reheat/core/share.hpp>
#include <reheat/core/sort.hpp>
#include <reheat/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// How much evidence against itself an observer needs to stop: silence that is too wide to be the targets' fault.
struct silence_limits {
    std::uint32_t targets = 3; ///< that fell silent within `within`, in two failure domains: is the driver there?
    std::uint32_t domains = 2;
    share cliff{50, 3}; ///< more than this share of at least so many heartbeats lost within `within` holds fencing
    duration within = std::chrono::seconds{60};

    friend constexpr bool operator==(const silence_limits&, const silence_limits&) = default;
};

/// Watches which machines beat and which fell silent lately: many at once are less likely to be dead than unheard.
/// It decides nothing; the engine asks it. One thread at a time.
class silence_watch {
public:
    explicit silence_watch(const silence_limits& bounds) noexcept : bounds_{bounds} {}

    /// A machine is heard.
    void beats(target_id machine) {
        ++beating_;
        if (!lost_.empty() || !fallen_.empty()) returned_.push_back(machine);
    }
    /// A machine that was heard is silent. `domain` tells failure domains apart.
    void falls_silent(target_id machine, std::uint32_t domain, time_point at) {
        if (beating_ != 0) --beating_;
        fallen_.push_back({machine, domain, at});
    }

    /// A machine that was heard is neither heard nor silent: nobody can say, or we silenced it ourselves.
    void forget(target_id machine) {
        if (beating_ != 0) --beating_;
        returned_.push_back(machine);
    }

    /// Looks at what came in up to `now`. Call it once a step, after the last of them. Until then nothing counts.
    void look(time_point now) {
        if (lost_.empty() && fallen_.empty()) {
            returned_.clear();
            wide_ = false;
            return;
        }
        lost_.insert(lost_.end(), fallen_.begin(), fallen_.end());
        fallen_.clear();
        if (!returned_.empty()) forget_returned();
        if (cliff_ != 0 && !over(lost_.size(), cliff_)) cliff_ = 0;
        if (cliff_ == 0) {
            // A cliff keeps its losses until enough of them return; otherwise they are history after a while.
            std::erase_if(lost_, [&](const loss& l) { return now > after(l.at, bounds_.within); });
            const std::size_t before = beating_ + lost_.size();
            if (before >= bounds_.cliff.least && over(lost_.size(), before)) cliff_ = before;
        }
        if (cliff_ != 0) sort(lost_, [](const loss& l) { return l.machine; });
        wide_ = count_lately(now);
    }

    /// Whether so much fell silent in so many domains that the observer may be the one who is cut off.
    [[nodiscard]] bool wide() const noexcept { return wide_; }
    /// Whether a machine was lost in a cliff that is not over.
    [[nodiscard]] bool in_cliff(target_id machine) const noexcept {
        return cliff_ != 0 && found(lost_, machine, [](const loss& l) { return l.machine; });
    }
    [[nodiscard]] bool cliff() const noexcept { return cliff_ != 0; }
    /// The machine that was lost last, or `no_target`.
    [[nodiscard]] target_id newest_lost() const noexcept {
        const loss* newest = nullptr;
        for (const loss& l : lost_) newest = newest == nullptr || newest->at < l.at ? &l : newest;
        return newest == nullptr ? no_target : newest->machine;
    }
    [[nodiscard]] std::size_t lost() const noexcept { return lost_.size(); }
    [[nodiscard]] std::size_t beating() const noexcept { return beating_; }

private:
    struct loss {
        target_id machine;
        std::uint32_t domain;
        time_point at;
    };

    void forget_returned() {
        const auto self = [](target_id m) { return m; };
        sort(returned_, self);
        std::erase_if(lost_, [&](const loss& l) { return found(returned_, l.machine, self); });
        returned_.clear();
    }
    template <class T, class Key>
    static void sort(std::vector<T>& all, const Key& key) {
        detail::sort(all, [&key](const T& a, const T& b) { return key(a) < key(b); });
    }
    template <class T, class Key>
    [[nodiscard]] static bool found(const std::vector<T>& sorted, target_id machine, const Key& key) noexcept {
        const std::size_t at = detail::place_of(machine, sorted, key);
        return at < sorted.size() && key(sorted[at]) == machine;
    }

    /// More than the share of the cliff, counted exactly.
    [[nodiscard]] bool over(std::size_t part, std::size_t whole) const noexcept {
        return part * 100 > whole * bounds_.cliff.percent;
    }
    [[nodiscard]] bool count_lately(time_point now) const {
        std::uint32_t lost = 0;
        std::vector<std::uint32_t> domains;
        for (const loss& l : lost_) {
            if (now > after(l.at, bounds_.within)) continue;
            ++lost;
            bool known = domains.size() >= bounds_.domains;
            for (const std::uint32_t d : domains) known = known || d == l.domain;
            if (!known) domains.push_back(l.domain);
        }
        return lost >= bounds_.targets && domains.size() >= bounds_.domains;
    }

    silence_limits bounds_;
    std::vector<loss> lost_; // by machine, while there is a cliff
    std::vector<loss> fallen_;
    std::vector<target_id> returned_;
    std::size_t beating_ = 0;
    std::size_t cliff_ = 0; ///< how many beat before the cliff; 0: none
    bool wide_ = false;
};

} // namespace reheat::inline REHEAT_ABI
